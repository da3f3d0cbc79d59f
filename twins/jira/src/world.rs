//! How a world's people, groups and `jira:` section become a site.

use std::{collections::BTreeSet, time::Duration};

use dtu_contract::generic::Store;
use dtu_kernel::{
    diagnostic::Diagnostic,
    ids::HEX,
    tx::Tx,
    world::{Person, PersonStatus, World},
};
use imbl::OrdMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_saphyr::Spanned;
use smol_str::{SmolStr, format_smolstr};

use crate::model::{
    Build, SITE, State,
    account::{self, Account, Accounts},
    group::{Group, Groups},
    token::{Token, Tokens, made_up},
};

/// The `jira:` section.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "JiraSection")]
struct Section {
    /// The site's name; the world's where absent.
    #[serde(default)]
    site: Option<SmolStr>,
    /// API tokens. The first is the one that clients find in `JIRA_API_TOKEN`. Where there are none, the first
    /// administrator of the world has one.
    #[serde(default)]
    tokens: Vec<TokenRow>,
}

/// An API token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "JiraToken")]
struct TokenRow {
    /// Its name, which scenarios and affordances use.
    #[schemars(with = "String")]
    name: Spanned<SmolStr>,
    /// The key of the person who owns it.
    #[schemars(with = "String")]
    person: Spanned<SmolStr>,
    /// The secret; one is drawn where absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    value: Option<Spanned<SmolStr>>,
}

/// The schema of the `jira` section of world files.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Section>()
}

/// The name of the token that the first administrator has where the section has none.
const DEFAULT_TOKEN: &str = "default";

/// Makes the site.
///
/// # Errors
/// Every problem with the section.
pub(crate) fn load(world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
    let section: Section = world.section("jira")?;
    let problems = check(world, &section);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut state = State {
        site: section.site.clone().unwrap_or_else(|| world.name.clone()),
        time_zone: world.company.timezone.as_str().into(),
        build: Build {
            made: world.epoch.before(Duration::from_secs(3 * 86_400)),
            revision: tx.draw(SITE.child("revision")).text(HEX, 40).into(),
        },
        accounts: Accounts::default(),
        groups: Groups::default(),
        tokens: Tokens::default(),
        people: OrdMap::new(),
        objects: Store::new("objects"),
    };
    for person in &world.people {
        add_person(&mut state, tx, world, person);
    }
    add_groups(&mut state, tx, world);
    add_tokens(&mut state, tx, world, &section);
    Ok(state)
}

fn check(world: &World, section: &Section) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let (mut names, mut values) = (BTreeSet::new(), BTreeSet::new());
    for token in &section.tokens {
        check_owner(world, &token.person, &mut problems);
        once(world, &mut names, &token.name, "token name", &mut problems);
        if let Some(value) = &token.value {
            once(world, &mut values, value, "token value", &mut problems);
            if value.value.trim().is_empty() {
                let problem = Diagnostic::on(&world.file, value, "a token's value is not empty");
                problems.push(problem.hint("leave `value` out to have one drawn"));
            }
        }
    }
    problems
}

fn check_owner(world: &World, key: &Spanned<SmolStr>, problems: &mut Vec<Diagnostic>) {
    match world.person(&key.value).filter(|person| person.key == key.value) {
        None => problems.push(world.unknown_person(key)),
        Some(person) if !is_active(person) => {
            let message = format!("`{}` is deactivated, and the tokens of those who are do not work", key.value);
            problems.push(Diagnostic::on(&world.file, key, message).hint("let somebody else own the token"));
        }
        Some(_) => {}
    }
}

fn once(
    world: &World,
    seen: &mut BTreeSet<SmolStr>,
    place: &Spanned<SmolStr>,
    what: &str,
    problems: &mut Vec<Diagnostic>,
) {
    if !seen.insert(place.value.clone()) {
        let problem = Diagnostic::on(&world.file, place, format!("the {what} `{}` is used twice", place.value));
        problems.push(problem.hint("tokens must be told apart"));
    }
}

const fn is_active(person: &Person) -> bool {
    !matches!(person.status, PersonStatus::Suspended | PersonStatus::Deprovisioned)
}

/// Draws are keyed by the person, so that adding one changes no other.
fn add_person(state: &mut State, tx: &mut Tx<'_>, world: &World, person: &Person) {
    let id = account::id(&mut tx.draw(SITE.child("account").child(&person.key)));
    let account = Account {
        id: id.clone(),
        email: person.email.clone(),
        display_name: person.full_name().into(),
        active: is_active(person),
        time_zone: person.timezone.as_ref().unwrap_or(&world.company.timezone).as_str().into(),
        admin: person.admin,
    };
    state.people.insert(person.key.clone(), id);
    state.accounts.put(&mut tx.changes, account);
}

/// The shared groups come from the directory; besides them a site has one for its users and one for its
/// administrators.
fn add_groups(state: &mut State, tx: &mut Tx<'_>, world: &World) {
    let of = |fits: fn(&&Person) -> bool| world.people.iter().filter(fits).map(|person| person.key.clone()).collect();
    let users: Vec<SmolStr> = of(|person| is_active(person));
    let admins: Vec<SmolStr> = of(|person| is_active(person) && person.admin);
    add_group(state, tx, format_smolstr!("jira-users-{}", state.site), &users);
    add_group(state, tx, format_smolstr!("jira-admins-{}", state.site), &admins);
    for group in &world.groups {
        add_group(state, tx, group.name.as_str().into(), &group.members);
    }
}

fn add_group(state: &mut State, tx: &mut Tx<'_>, name: SmolStr, members: &[SmolStr]) {
    let id = tx.draw(SITE.child("group").child(&name)).uuid().into();
    state.groups.put(&mut tx.changes, Group { id, name: name.clone() });
    let ids: Vec<SmolStr> = members.iter().filter_map(|key| state.people.get(key).cloned()).collect();
    for account in &ids {
        state.groups.join(&mut tx.changes, &name, account);
    }
}

fn add_tokens(state: &mut State, tx: &mut Tx<'_>, world: &World, section: &Section) {
    for row in &section.tokens {
        add_token(state, tx, &row.name.value, &row.person.value, row.value.as_ref().map(|value| value.value.clone()));
    }
    let admin = world.people.iter().find(|person| person.admin && is_active(person));
    if let Some(admin) = admin.filter(|_| section.tokens.is_empty()) {
        add_token(state, tx, &SmolStr::new_static(DEFAULT_TOKEN), &admin.key, None);
    }
}

fn add_token(state: &mut State, tx: &mut Tx<'_>, name: &SmolStr, owner: &SmolStr, value: Option<SmolStr>) {
    let Some(account) = state.people.get(owner).cloned() else { return };
    let drawn = |tx: &mut Tx<'_>| made_up(&state.site, &mut tx.draw(SITE.child("token").child(name)));
    let value = value.unwrap_or_else(|| drawn(tx));
    state.tokens.add(&mut tx.changes, Token { name: name.clone(), account, value });
}
