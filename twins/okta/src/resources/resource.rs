//! What a row of the table says of a collection, and how it is done.

use dtu_contract::generic::{
    customs::{Companion, Deed, Subject},
    refusal::Refused,
};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{House, Members};

/// A rule of a collection's own.
pub(super) type Rule = fn(&House<'_>, &Subject<'_>, Deed<'_>, &mut Members) -> Result<(), Refused>;
/// The last word on how an object is shown.
pub(super) type Finish = fn(&House<'_>, &Subject<'_>, &mut Members);

/// What Okta does with the objects of a collection, or with the one object of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource {
    /// The path with all parameters as `{}`.
    pub(super) collection: &'static str,
    /// What ids begin with; empty where the documents say how they look, or there are none.
    pub(super) prefix: fn(&Members) -> &'static str,
    /// Members that are shown just as they are kept, where the documents describe them otherwise.
    pub(super) kept: &'static [&'static str],
    /// What a new object has unless the caller says otherwise.
    pub(super) new: fn() -> Value,
    /// What is shown of every object, whatever is known of it.
    pub(super) shown: fn() -> Value,
    /// Who made it and who wrote it last is kept.
    pub(super) stamped: bool,
    /// How links look; none where they are as the documents have them.
    pub(super) style: Option<Style>,
    /// The links.
    pub(super) links: &'static [Link],
    /// Members of which no two objects of a place have the same value.
    pub(super) unique: &'static [&'static str],
    /// Whether an object that is active must be deactivated before it is deleted, and the refusal's cause otherwise.
    pub(super) keeps_active: Option<&'static str>,
    /// Parameters of its list with the paths of the members that they ask for.
    pub(super) asks: &'static [(&'static str, &'static str)],
    /// The member by which it is listed; in the order of making where none.
    pub(super) order: Option<&'static str>,
    /// What comes with a new object.
    pub(super) with: fn(&House<'_>, &Subject<'_>, &Members) -> Vec<Companion>,
    /// Rules that no other column holds.
    pub(super) rule: Rule,
    /// What no other column says of how it is shown.
    pub(super) finish: Finish,
}

/// A row that says nothing.
pub(super) const BASE: Resource = Resource {
    collection: "",
    prefix: |_| "",
    kept: &[],
    new: || Value::Null,
    shown: || Value::Null,
    stamped: false,
    style: None,
    links: &[],
    unique: &[],
    keeps_active: None,
    asks: &[],
    order: None,
    with: |_, _, _| Vec::new(),
    rule: |_, _, _, _| Ok(()),
    finish: |_, _, _| {},
};

/// How the links of a collection look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `{"href", "hints": {"allow"}}`.
    Hints,
    /// `{"href", "method"}`.
    Method,
    /// `{"rel", "href", "method"}`.
    Rel,
    /// `{"href"}`.
    Plain,
}

/// A link of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    name: &'static str,
    /// Behind the object's own address; behind the org's, where it begins with `~`.
    to: &'static str,
    /// The methods; none are shown where this is empty.
    allow: &'static str,
    when: fn(&Members) -> bool,
}

/// A link that is always there.
pub(super) const fn link(name: &'static str, to: &'static str, allow: &'static str) -> Link {
    Link { name, to, allow, when: |_| true }
}

impl Link {
    /// The same, only under a condition.
    pub(super) const fn when(self, when: fn(&Members) -> bool) -> Self {
        Self { when, ..self }
    }

    fn show(&self, style: Style, subject: &Subject<'_>) -> Value {
        let href = match self.to.strip_prefix('~') {
            Some(path) => format!("{}{path}", subject.origin),
            None => format!("{}{}", subject.address(), self.to),
        };
        let methods: Vec<&str> = self.allow.split_whitespace().collect();
        match style {
            Style::Hints if !methods.is_empty() => json!({ "href": href, "hints": { "allow": methods } }),
            Style::Method => json!({ "href": href, "method": self.allow }),
            Style::Rel => json!({ "rel": self.name, "href": href, "method": self.allow }),
            Style::Hints | Style::Plain => json!({ "href": href }),
        }
    }
}

/// To itself, with what may be done to it.
pub(super) const SELF: Link = link("self", "", "GET PUT DELETE");
/// To what makes it active, where it is not.
pub(super) const ACTIVATE: Link = link("activate", "/lifecycle/activate", "POST").when(is_inactive);
/// To what makes it inactive, where it is active.
pub(super) const DEACTIVATE: Link = link("deactivate", "/lifecycle/deactivate", "POST").when(is_active);
/// The links of most collections with a lifecycle.
pub(super) const LIFECYCLE: &[Link] = &[SELF, ACTIVATE, DEACTIVATE];

/// Whether an object is active.
pub(super) fn is_active(members: &Members) -> bool {
    is(members, "status", "ACTIVE")
}

/// Whether an object is inactive.
pub(super) fn is_inactive(members: &Members) -> bool {
    is(members, "status", "INACTIVE")
}

/// Whether a member is this text.
pub(super) fn is(members: &Members, name: &str, value: &str) -> bool {
    members.get(name).and_then(Value::as_str) == Some(value)
}

/// Whether a member is true.
pub(super) fn holds(members: &Members, name: &str) -> bool {
    members.get(name) == Some(&Value::Bool(true))
}

/// A validation error.
pub(super) fn invalid(about: &'static str, cause: impl Into<String>) -> Refused {
    Refused::Rule { code: "E0000001", about: SmolStr::new_static(about), causes: vec![cause.into()] }
}

/// A validation error that says no more than what it is about.
pub(super) fn refused(about: &'static str) -> Refused {
    Refused::Rule { code: "E0000001", about: SmolStr::new_static(about), causes: Vec::new() }
}

/// A failure that its code says all of.
pub(super) const fn coded(code: &'static str) -> Refused {
    Refused::Rule { code, about: SmolStr::new_static(""), causes: Vec::new() }
}

/// Nothing of that id, with Okta's name for its kind.
pub(super) fn missing(id: &str, kind: &str) -> Refused {
    Refused::Rule { code: "E0000007", about: id.into(), causes: vec![kind.to_owned()] }
}

impl Resource {
    /// Sees an object before a deed.
    pub(super) fn settle(
        &self,
        house: &House<'_>,
        subject: &Subject<'_>,
        deed: Deed<'_>,
        members: &mut Members,
    ) -> Result<(), Refused> {
        match deed {
            Deed::Create => {
                self.check_unique(house, subject, members)?;
                fill(members, (self.new)());
            }
            Deed::Write(_) => self.check_unique(house, subject, members)?,
            Deed::Delete => self.check_inactive(members)?,
            Deed::Change(_) => {}
        }
        if self.stamped {
            stamp(house, deed, members);
        }
        (self.rule)(house, subject, deed, members)
    }

    fn check_unique(&self, house: &House<'_>, subject: &Subject<'_>, members: &Members) -> Result<(), Refused> {
        for name in self.unique {
            let Some(value) = members.get(*name).filter(|value| value.is_string()) else { continue };
            let mut others = house.state.objects.members(subject.place).filter(|(id, _)| *id != subject.id);
            if others.any(|(_, other)| other.get(*name) == Some(value)) {
                let (member, value) = (SmolStr::new_static(name), value.to_string());
                return Err(Refused::Exists { collection: subject.collection.into(), member, value });
            }
        }
        Ok(())
    }

    fn check_inactive(&self, members: &Members) -> Result<(), Refused> {
        match self.keeps_active {
            Some(cause) if is_active(members) => Err(invalid("status", cause)),
            _ => Ok(()),
        }
    }

    /// Gives a shown object what is always shown of it.
    pub(super) fn dress(&self, house: &House<'_>, subject: &Subject<'_>, known: &Members, shown: &mut Members) {
        for name in self.kept {
            if let (Some(value), true) = (known.get(*name), shown.contains_key(*name)) {
                shown.insert((*name).to_owned(), value.clone());
            }
        }
        if let Value::Object(always) = (self.shown)() {
            show(shown, known, &always);
        }
        if self.stamped {
            for name in ["createdBy", "lastUpdatedBy"] {
                if let (Some(value), false) = (known.get(name), shown.contains_key(name)) {
                    shown.insert(name.to_owned(), value.clone());
                }
            }
        }
        if let Some(style) = self.style {
            let links = self.links.iter().filter(|link| (link.when)(shown));
            let links: Members = links.map(|link| (link.name.to_owned(), link.show(style, subject))).collect();
            shown.insert("_links".to_owned(), Value::Object(links));
        }
        (self.finish)(house, subject, shown);
    }
}

/// Adds members that are not there, also inside objects.
pub(super) fn fill(members: &mut Members, more: Value) {
    let Value::Object(more) = more else { return };
    for (name, value) in more {
        match (members.get_mut(&name), value) {
            (None | Some(Value::Null), value) => drop(members.insert(name, value)),
            (Some(Value::Object(inner)), value @ Value::Object(_)) => fill(inner, value),
            (Some(_), _) => {}
        }
    }
}

/// Refuses to make another kind of thing of an object.
pub(super) fn refuse_change(old: &Members, members: &Members, names: &[&'static str]) -> Result<(), Refused> {
    let differs = |name: &&&str| members.get(**name).is_some_and(|new| !new.is_null() && old.get(**name) != Some(new));
    match names.iter().find(differs) {
        Some(name) => Err(invalid(name, format!("{name}: The field cannot be changed."))),
        None => Ok(()),
    }
}

/// What nobody changes by writing.
pub(super) fn keep(old: &Members, members: &mut Members, names: &[&str]) {
    for name in names {
        match old.get(*name) {
            Some(value) => drop(members.insert((*name).to_owned(), value.clone())),
            None => drop(members.shift_remove(*name)),
        }
    }
}

/// What stays unless the caller says otherwise.
pub(super) fn keep_absent(old: &Members, members: &mut Members, names: &[&str]) {
    for name in names {
        if let (Some(value), None | Some(Value::Null)) = (old.get(*name), members.get(*name)) {
            members.insert((*name).to_owned(), value.clone());
        }
    }
}

/// Shows members that are always shown: as they are known, else as they are by default.
fn show(shown: &mut Members, known: &Members, always: &Members) {
    let nothing = Members::new();
    for (name, usual) in always {
        match (shown.get_mut(name), usual) {
            (Some(Value::Object(inner)), Value::Object(usual)) => {
                let known = known.get(name).and_then(Value::as_object).unwrap_or(&nothing);
                show(inner, known, usual);
            }
            (Some(_), _) => {}
            (None, usual) => drop(shown.insert(name.clone(), known.get(name).unwrap_or(usual).clone())),
        }
    }
}

fn stamp(house: &House<'_>, deed: Deed<'_>, members: &mut Members) {
    let by = Value::from(house.caller);
    let made = match deed {
        Deed::Write(old) | Deed::Change(old) => old.get("createdBy").cloned().unwrap_or_else(|| by.clone()),
        Deed::Create | Deed::Delete => by.clone(),
    };
    members.insert("createdBy".to_owned(), made);
    members.insert("lastUpdatedBy".to_owned(), by);
}
