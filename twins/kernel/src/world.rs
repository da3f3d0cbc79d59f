//! Worlds: named seed states, one company that is consistent in all twins.
//!
//! This module knows what services share (people and directory groups). Each twin reads its own section of the
//! same file with [`World::section`].

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use crate::{
    diagnostic::Diagnostic,
    time::{Timestamp, parse_span},
};

/// Worlds that are part of the program, by name.
const NAMED: &[(&str, &str)] = &[("acme", include_str!("../../../fixtures/worlds/acme.yaml"))];

/// The services that a world may speak of, in the order of their ports: a twin's port is the base plus its place,
/// counted from 1; the control plane has the base itself.
pub const SERVICES: [&str; 7] =
    ["okta", "jira", "slack", "google-drive", "google-sheets", "google-docs", "google-identity"];

/// What services share of a world file. Twins' sections stand beside these keys under the twins' names.
#[derive(Debug, Deserialize)]
struct Shared {
    schema: Spanned<String>,
    name: String,
    epoch: Spanned<String>,
    company: Company,
    #[serde(default)]
    people: Vec<Spanned<Person>>,
    #[serde(default)]
    groups: Vec<Spanned<Group>>,
}

/// The company.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// Its full name.
    pub name: String,
    /// Its mail domain.
    pub domain: String,
    /// Its IANA time zone.
    pub timezone: String,
}

/// Where a person stands with the company; the states are Okta's, which the other services follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonStatus {
    /// Works here.
    #[default]
    Active,
    /// Will start; no account is live yet.
    Staged,
    /// Invited, has not signed in.
    Provisioned,
    /// Locked away for a while.
    Suspended,
    /// Has left.
    Deprovisioned,
    /// Must choose a new password.
    PasswordExpired,
    /// Locked out after failed sign-ins.
    LockedOut,
}

/// A person of the company.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// A short unique handle by which the rest of the file, scenarios and affordances name the person.
    pub key: SmolStr,
    /// First name.
    pub first: String,
    /// Last name.
    pub last: String,
    /// Mail address; unique, also the login.
    pub email: SmolStr,
    /// Job title.
    #[serde(default)]
    pub title: String,
    /// Department.
    #[serde(default)]
    pub department: String,
    /// The manager's key.
    #[serde(default)]
    pub manager: Option<SmolStr>,
    /// City.
    #[serde(default)]
    pub location: String,
    /// IANA time zone; the company's where absent.
    #[serde(default)]
    pub timezone: Option<String>,
    /// Phone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Where the person stands.
    #[serde(default)]
    pub status: PersonStatus,
    /// First day, as `2022-04-04`.
    #[serde(default)]
    pub hired: Option<String>,
    /// Whether the person administers the services.
    #[serde(default)]
    pub admin: bool,
}

impl Person {
    /// First and last name.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

/// A group of the shared directory.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// A short unique handle.
    pub key: SmolStr,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its members' keys.
    #[serde(default)]
    pub members: Vec<SmolStr>,
}

/// A world: its shared part read and checked, and the text for the twins to read their sections from.
#[derive(Clone, Debug)]
pub struct World {
    /// The file as the user named it.
    pub file: String,
    /// Its name.
    pub name: SmolStr,
    /// Where a stepped clock starts, and what relative times in the file count from.
    pub epoch: Timestamp,
    /// The company.
    pub company: Company,
    /// All people, in the order of the file.
    pub people: Vec<Person>,
    /// All directory groups, in the order of the file.
    pub groups: Vec<Group>,
    by_key: BTreeMap<SmolStr, usize>,
    text: Arc<str>,
}

impl World {
    /// The text of its file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Finds a world by the name of one that is part of the program, else by path. `sections` are the twins' names.
    ///
    /// # Errors
    /// Every problem found, with its place in the file.
    pub fn find(name_or_path: &str, sections: &[&str]) -> Result<Self, Vec<Diagnostic>> {
        if let Some((name, text)) = NAMED.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(&format!("{name}.yaml"), text, sections);
        }
        let text = fs_err::read_to_string(name_or_path).map_err(|error| {
            let known = NAMED.iter().map(|(name, _)| *name);
            let problem =
                Diagnostic::whole(name_or_path, format!("no world of this name, and no such file ({})", error.kind()));
            vec![problem.suggest(name_or_path, known)]
        })?;
        Self::parse(name_or_path, &text, sections)
    }

    /// Reads a world from its text.
    ///
    /// # Errors
    /// Every problem found, with its place in the file.
    pub fn parse(file: &str, text: &str, sections: &[&str]) -> Result<Self, Vec<Diagnostic>> {
        let yaml = |error: serde_saphyr::Error| vec![Diagnostic::from_yaml(file, &error)];
        check_top_level(file, text, sections)?;
        let shared: Shared = serde_saphyr::from_str(text).map_err(yaml)?;
        let mut problems = Vec::new();
        if shared.schema.value != "dtu/world/v1" {
            let problem = Diagnostic::on(file, &shared.schema, format!("unknown format `{}`", shared.schema.value));
            problems.push(problem.hint("this program reads `dtu/world/v1`"));
        }
        let epoch = Timestamp::parse(&shared.epoch.value).unwrap_or_else(|why| {
            problems.push(Diagnostic::on(file, &shared.epoch, format!("`epoch` is not a time: {why}")));
            Timestamp::default()
        });
        let by_key = check_people(file, &shared.people, &mut problems);
        check_groups(file, &shared.groups, &by_key, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            file: file.to_owned(),
            name: shared.name.into(),
            epoch,
            company: shared.company,
            people: shared.people.into_iter().map(|p| p.value).collect(),
            groups: shared.groups.into_iter().map(|g| g.value).collect(),
            by_key,
            text: text.into(),
        })
    }

    /// A twin's own section; its default where the file has none.
    ///
    /// # Errors
    /// The first problem with the section's form.
    pub fn section<S: DeserializeOwned + Default>(&self, name: &'static str) -> Result<S, Vec<Diagnostic>> {
        let problem = |error: serde_saphyr::Error| vec![Diagnostic::from_yaml(&self.file, &error)];
        let picked = PICK.with(|pick| {
            pick.set(name);
            serde_saphyr::from_str::<Picked<S>>(&self.text).map_err(problem)
        })?;
        Ok(picked.0.unwrap_or_default())
    }

    /// A person by key or mail address.
    pub fn person(&self, key_or_email: &str) -> Option<&Person> {
        let by_email = || self.people.iter().find(|p| p.email.eq_ignore_ascii_case(key_or_email));
        self.by_key.get(key_or_email).map(|at| &self.people[*at]).or_else(by_email)
    }

    /// The keys of all people, for hints.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_key.keys().map(SmolStr::as_str)
    }

    /// A problem with a key that names nobody.
    pub fn unknown_person(&self, key: &Spanned<SmolStr>) -> Diagnostic {
        let problem = Diagnostic::on(&self.file, key, format!("nobody has the key `{}`", key.value));
        problem.suggest(&key.value, self.keys())
    }
}

thread_local! {
    /// Which section [`Picked`] takes: a type cannot carry a name that is known only when the program runs.
    static PICK: std::cell::Cell<&'static str> = const { std::cell::Cell::new("") };
}

/// One value of a map, picked by name; all others are passed over.
struct Picked<S>(Option<S>);

impl<'de, S: DeserializeOwned> Deserialize<'de> for Picked<S> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit<S>(std::marker::PhantomData<S>);

        impl<'de, S: DeserializeOwned> serde::de::Visitor<'de> for Visit<S> {
            type Value = Picked<S>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a world")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<Picked<S>, M::Error> {
                let mut found = None;
                while let Some(key) = map.next_key::<String>()? {
                    if PICK.with(std::cell::Cell::get) == key {
                        found = Some(map.next_value::<S>()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Picked(found))
            }
        }

        deserializer.deserialize_map(Visit(std::marker::PhantomData))
    }
}

fn check_top_level(file: &str, text: &str, sections: &[&str]) -> Result<(), Vec<Diagnostic>> {
    const SHARED: [&str; 6] = ["schema", "name", "epoch", "company", "people", "groups"];
    let keys: TopLevel = serde_saphyr::from_str(text).map_err(|error| vec![Diagnostic::from_yaml(file, &error)])?;
    let known = || SHARED.into_iter().chain(sections.iter().copied());
    let unknown = keys.0.iter().filter(|key| !known().any(|name| name == key.value));
    let problems: Vec<Diagnostic> = unknown
        .map(|key| {
            let problem = Diagnostic::on(file, key, format!("unknown key `{}`", key.value));
            problem.suggest(&key.value, known())
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The keys of a map with their places; the values are passed over.
struct TopLevel(Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for TopLevel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = TopLevel;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a world")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<TopLevel, M::Error> {
                let mut keys = Vec::new();
                while let Some(key) = map.next_key()? {
                    keys.push(key);
                    map.next_value::<IgnoredAny>()?;
                }
                Ok(TopLevel(keys))
            }
        }

        deserializer.deserialize_map(Visit)
    }
}

fn check_people(file: &str, people: &[Spanned<Person>], problems: &mut Vec<Diagnostic>) -> BTreeMap<SmolStr, usize> {
    let mut by_key = BTreeMap::new();
    let mut emails = BTreeMap::new();
    for (at, person) in people.iter().enumerate() {
        let p = &person.value;
        if by_key.insert(p.key.clone(), at).is_some() {
            problems.push(Diagnostic::on(file, person, format!("two people have the key `{}`", p.key)));
        }
        if let Some(other) = emails.insert(p.email.to_ascii_lowercase(), &p.key) {
            let message = format!("`{}` and `{other}` have the mail address `{}`", p.key, p.email);
            problems.push(Diagnostic::on(file, person, message).hint("mail addresses are logins: each must be unique"));
        }
        if !p.email.contains('@') {
            problems.push(Diagnostic::on(file, person, format!("`{}` is not a mail address", p.email)));
        }
    }
    for person in people {
        if let Some(manager) = &person.value.manager {
            if !by_key.contains_key(manager) {
                let message = format!("`{}` has a manager `{manager}` whom nobody knows", person.value.key);
                let problem = Diagnostic::on(file, person, message);
                problems.push(problem.suggest(manager, by_key.keys().map(SmolStr::as_str)));
            } else if reports_to_self(people, &by_key, &person.value) {
                let message = format!("`{}` reports, in the end, to `{}`", person.value.key, person.value.key);
                problems.push(Diagnostic::on(file, person, message));
            }
        }
    }
    by_key
}

fn reports_to_self(people: &[Spanned<Person>], by_key: &BTreeMap<SmolStr, usize>, start: &Person) -> bool {
    let mut at = start;
    for _ in 0..people.len() {
        let manager = at.manager.as_ref().and_then(|key| by_key.get(key));
        match manager {
            None => return false,
            Some(index) => at = &people[*index].value,
        }
        if at.key == start.key {
            return true;
        }
    }
    false
}

fn check_groups(
    file: &str,
    groups: &[Spanned<Group>],
    by_key: &BTreeMap<SmolStr, usize>,
    problems: &mut Vec<Diagnostic>,
) {
    let mut seen = std::collections::BTreeSet::new();
    for group in groups {
        let g = &group.value;
        if !seen.insert(g.key.clone()) {
            problems.push(Diagnostic::on(file, group, format!("two groups have the key `{}`", g.key)));
        }
        for member in g.members.iter().filter(|member| !by_key.contains_key(*member)) {
            let message = format!("group `{}` has a member `{member}` whom nobody knows", g.key);
            let problem = Diagnostic::on(file, group, message);
            problems.push(problem.suggest(member, by_key.keys().map(SmolStr::as_str)));
        }
    }
}

/// Reads a time relative to the epoch, always before it: `-3d2h10m`.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn before_epoch(epoch: Timestamp, text: &str) -> Result<Timestamp, String> {
    let span: Duration = match text.strip_prefix('-') {
        Some(rest) => parse_span(rest)?,
        None => return Err(format!("expected a time before the epoch such as `-3d2h`, found `{text}`")),
    };
    Ok(epoch.before(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "\
schema: dtu/world/v1
name: tiny
epoch: \"2026-03-02T09:00:00Z\"
company: {name: Tiny, domain: tiny.example, timezone: Europe/London}
people:
  - {key: ada, first: Ada, last: One, email: ada.one@tiny.example}
  - {key: bob, first: Bob, last: Two, email: bob.two@tiny.example, manager: ada}
groups:
  - {key: all, name: All, members: [ada, bob]}
";

    fn problems(text: &str) -> Vec<String> {
        match World::parse("tiny.yaml", text, &["okta"]) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn acme_is_sound() {
        let world = World::find("acme", &["okta", "slack"]).expect("loads");
        assert!(world.people.len() >= 38);
        assert_eq!(world.person("lena").map(|p| p.email.as_str()), Some("lena.fischer@acme.example"));
        assert_eq!(world.person("LENA.fischer@acme.example").map(|p| p.key.as_str()), Some("lena"));
    }

    #[test]
    fn problems_are_told_with_place_and_hint() {
        assert!(problems(SOUND).is_empty());
        let check = |from: &str, to: &str, wanted: &str| {
            let found = problems(&SOUND.replacen(from, to, 1));
            assert!(found.iter().any(|p| p.contains(wanted)), "{wanted}: {found:#?}");
        };
        check(
            "manager: ada",
            "manager: adda",
            "tiny.yaml:7:5: `bob` has a manager `adda` whom nobody knows\n  hint: did you mean `ada`?",
        );
        check("groups:", "grops:", "tiny.yaml:8:1: unknown key `grops`\n  hint: did you mean `groups`?");
        check("key: bob", "key: ada", "two people have the key `ada`");
        check("bob.two@", "ada.one@", "have the mail address");
        check("[ada, bob]", "[ada, bop]", "group `all` has a member `bop`");
        check("email: ada.one@tiny.example", "email: ada.one@tiny.example, manager: bob", "reports, in the end");
        check("last: One", "lust: One", "tiny.yaml:6:");
        check("2026-03-02T09:00:00Z", "soon", "tiny.yaml:3:8: `epoch` is not a time");
        check("dtu/world/v1", "dtu/world/v9", "tiny.yaml:1:9: unknown format `dtu/world/v9`");
        check("company: {", "company: [", "tiny.yaml:4:");
    }

    #[test]
    fn a_missing_world_is_said_so() {
        let problems = World::find("acmee", &[]).expect_err("is missing");
        assert!(problems[0].to_string().contains("did you mean `acme`?"), "{}", problems[0]);
    }
}
