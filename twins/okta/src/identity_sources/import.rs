//! What an identity source says, done: people and groups are made, changed and let go.

use std::sync::Arc;

use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{find, party};
use crate::{
    api::profiles::fill,
    error::Error,
    model::{
        Act,
        accounts::{self, Credentials, NewUser},
        assignment::{self, Change},
        event_type::{
            EventType, IMPORT_GROUP_CREATE, IMPORT_GROUP_DELETE, IMPORT_GROUP_UPDATE, IMPORT_USER_CREATE,
            IMPORT_USER_DELETE, IMPORT_USER_UPDATE,
        },
        group::{self, GroupProfile},
        identity_source::{self as source, Brought, Members, Person, Upload},
        log::{Outcome, Party},
        mapping::{self, Push},
        profile::{Attribute, Profile},
        schema::Custom,
        user::{Provider, Status, Step, User, UserField},
    },
};

/// What becomes of a source's own attributes in Okta where the org has no mapping of its own. A home address stays with
/// the source: Okta's people have none. Inferred from the default mappings of apps that import.
const MAPPING: [(&str, &str); 6] = [
    ("userName", "login"),
    ("email", "email"),
    ("firstName", "firstName"),
    ("lastName", "lastName"),
    ("secondEmail", "secondEmail"),
    ("mobilePhone", "mobilePhone"),
];

/// Takes one upload. What cannot be done of it is told to the System Log, and the rest is done.
pub(super) fn take(act: &mut Act<'_, '_>, source: &SmolStr, upload: &Upload) {
    match upload {
        Upload::People(people) => {
            for one in people {
                let known = act.state.sources.person(source, &one.external).is_some();
                let event = if known { &IMPORT_USER_UPDATE } else { &IMPORT_USER_CREATE };
                let done = person(act, source, one).map(drop);
                tell(act, source, event, &one.external, done);
            }
        }
        Upload::PeopleGone(people) => {
            for external in people {
                let done = let_go(act, source, external);
                tell(act, source, &IMPORT_USER_DELETE, external, done);
            }
        }
        Upload::Groups(groups) => {
            for one in groups {
                let known = act.state.sources.group(source, &one.external).is_some();
                let event = if known { &IMPORT_GROUP_UPDATE } else { &IMPORT_GROUP_CREATE };
                let done = bring_group(act, source, one).map(drop);
                tell(act, source, event, &one.external, done);
            }
        }
        Upload::GroupsGone(groups) => {
            for external in groups {
                let done = end_group(act, source, external);
                tell(act, source, &IMPORT_GROUP_DELETE, external, done);
            }
        }
        Upload::Members(all) => each(act, source, all, join),
        Upload::MembersGone(all) => each(act, source, all, leave),
    }
}

type Deed = fn(&mut Act<'_, '_>, &SmolStr, &str, &str) -> Result<(), Error>;

/// Does something with each membership; people and groups whom the source has not brought are passed over.
fn each(act: &mut Act<'_, '_>, source: &SmolStr, all: &[Members], deed: Deed) {
    for Members { group, people } in all {
        for external in people {
            let _ = deed(act, source, group, external);
        }
    }
}

/// Tells what came of one entry that has failed; successes are told as they happen.
fn tell(act: &mut Act<'_, '_>, source: &str, event: &'static EventType, external: &str, done: Result<(), Error>) {
    if let Err(error) = done {
        let named = Party {
            id: external.into(),
            kind: "AppUser",
            alternate_id: SmolStr::new_static("unknown"),
            display_name: external.into(),
        };
        let source = party(act.state, source);
        act.log_outcome(event, vec![named, source], Outcome::failure(error.words()));
    }
}

/// What a source's profile comes to in Okta.
fn mapped(act: &Act<'_, '_>, source: &str, profile: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let of = |(from, to): (&str, &str)| Some((to.to_owned(), profile.get(from)?.clone()));
    let mut values: Map<String, Value> = MAPPING.into_iter().filter_map(of).collect();
    if let Some(app) = find(act.state, source)? {
        values.extend(mapping::brought(act.state, &app, profile, &[Push::Always, Push::Once]));
    }
    Ok(values)
}

/// The one person in Okta whose login or mail address is the same.
fn matched(act: &Act<'_, '_>, values: &Map<String, Value>) -> Option<Arc<User>> {
    let text = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default();
    if let Some(user) = act.state.users.by_login(text("login")) {
        return Some(user.clone());
    }
    let mut same = act.state.users.with_value(UserField::Profile(Attribute::EMAIL), text("email"));
    let one = same.next().filter(|_| !text("email").is_empty())?;
    same.next().is_none().then(|| one.clone())
}

/// Makes or changes somebody whom a source brings.
///
/// # Errors
/// A profile that Okta does not take.
pub fn person(act: &mut Act<'_, '_>, source: &SmolStr, one: &Brought) -> Result<Arc<Person>, Error> {
    let values = mapped(act, source, &one.profile)?;
    let known = act.state.sources.person(source, &one.external).cloned();
    let user = match &known {
        Some(known) => act.state.users.get(&known.user).cloned(),
        None => matched(act, &values),
    };
    let user = match user {
        Some(user) => change(act, &user, &values)?,
        None => make(act, &values)?,
    };
    let now = act.now();
    let row = Person {
        external: one.external.clone(),
        user: user.id.clone(),
        created: known.as_ref().map_or(now, |known| known.created),
        last_updated: now,
        profile: one.profile.clone(),
    };
    assign(act, source, &user, &row.profile)?;
    let event = if known.is_some() { &IMPORT_USER_UPDATE } else { &IMPORT_USER_CREATE };
    let targets = vec![Party::user(&user), party(act.state, source)];
    act.log(event, targets);
    Ok(act.state.sources.put_person(&mut act.tx.changes, source, row))
}

fn make(act: &mut Act<'_, '_>, values: &Map<String, Value>) -> Result<Arc<User>, Error> {
    let mut profile = Profile::default();
    fill(act.state, &mut profile, values, "newUser")?;
    let import = SmolStr::new_static("IMPORT");
    let credentials =
        Credentials { provider: Some(Provider { r#type: import.clone(), name: import }), ..Credentials::default() };
    let new = NewUser {
        realm: None,
        profile,
        credentials,
        groups: Vec::new(),
        activate: true,
        federated: false,
        expire: false,
    };
    accounts::create(act, new)
}

fn change(act: &mut Act<'_, '_>, user: &Arc<User>, values: &Map<String, Value>) -> Result<Arc<User>, Error> {
    let mut user = user.clone();
    if user.status == Status::Deprovisioned {
        user = accounts::advance(act, &user, Step::Activate)?;
    }
    let mut profile = user.profile.clone();
    fill(act.state, &mut profile, values, "user")?;
    if profile == user.profile {
        return Ok(user);
    }
    accounts::update(act, &user, profile, Credentials::default(), None)
}

/// Whom a source brings has its app, with the profile there, where the org has the app.
fn assign(act: &mut Act<'_, '_>, source: &str, user: &User, profile: &Map<String, Value>) -> Result<(), Error> {
    let Some(app) = find(act.state, source)? else { return Ok(()) };
    let mut profile = profile.clone();
    let name = profile.shift_remove("userName");
    let user_name = name.as_ref().and_then(Value::as_str).map(SmolStr::new);
    profile.retain(|_, value| !value.is_null());
    assignment::assign(act, &app, user, Change { user_name, password: false, profile })
}

/// Deactivates somebody whom a source has no longer.
///
/// # Errors
/// Somebody whom the source never brought.
pub fn let_go(act: &mut Act<'_, '_>, source: &SmolStr, external: &str) -> Result<(), Error> {
    let known = act.state.sources.person(source, external).cloned();
    let known = known.ok_or_else(|| Error::not_found(external, "IdentitySourceUser"))?;
    act.state.sources.drop_person(&mut act.tx.changes, source, &known);
    let Some(user) = act.state.users.get(&known.user).cloned() else { return Ok(()) };
    if user.status != Status::Deprovisioned {
        accounts::advance(act, &user, Step::Deactivate)?;
    }
    let targets = vec![Party::user(&user), party(act.state, source)];
    act.log(&IMPORT_USER_DELETE, targets);
    Ok(())
}

/// Makes or changes a group that a source brings.
///
/// # Errors
/// A name or description that Okta does not take.
pub fn bring_group(act: &mut Act<'_, '_>, source: &SmolStr, one: &Brought) -> Result<Arc<source::Group>, Error> {
    let text = |name: &str| one.profile.get(name).and_then(Value::as_str).unwrap_or_default();
    let description = Some(text("description")).filter(|text| !text.is_empty()).map(SmolStr::new);
    let profile = GroupProfile { name: text("displayName").into(), description, custom: Custom::default() };
    let known = act.state.sources.group(source, &one.external).cloned();
    let before = known.as_ref().and_then(|known| act.state.groups.get(&known.group).cloned());
    let (group, event) = match before {
        Some(group) => (group::bring_again(act, &group, profile)?, &IMPORT_GROUP_UPDATE),
        None => (group::bring(act, profile, source)?, &IMPORT_GROUP_CREATE),
    };
    let targets = vec![Party::group(&group), party(act.state, source)];
    act.log(event, targets);
    let external = known.map_or_else(|| one.external.clone(), |known| known.external.clone());
    let row = source::Group { external, group: group.id.clone(), profile: one.profile.clone() };
    Ok(act.state.sources.put_group(&mut act.tx.changes, source, row))
}

fn no_group(name: &str) -> Error {
    Error::not_found(name, "IdentitySourceGroup")
}

/// Deletes a group that a source has no longer.
///
/// # Errors
/// A group that the source never brought.
pub fn end_group(act: &mut Act<'_, '_>, source: &SmolStr, name: &str) -> Result<(), Error> {
    let known = act.state.sources.group(source, name).cloned().ok_or_else(|| no_group(name))?;
    act.state.sources.drop_group(&mut act.tx.changes, source, &known);
    let Some(group) = act.state.groups.get(&known.group).cloned() else { return Ok(()) };
    group::end(act, &group);
    let targets = vec![Party::group(&group), party(act.state, source)];
    act.log(&IMPORT_GROUP_DELETE, targets);
    Ok(())
}

fn pair(act: &Act<'_, '_>, source: &str, name: &str, external: &str) -> Result<(Arc<group::Group>, Arc<User>), Error> {
    let group = act.state.sources.group(source, name).and_then(|known| act.state.groups.get(&known.group));
    let person = act.state.sources.person(source, external).and_then(|known| act.state.users.get(&known.user));
    let missing = || Error::not_found(external, "IdentitySourceUser");
    Ok((group.cloned().ok_or_else(|| no_group(name))?, person.cloned().ok_or_else(missing)?))
}

/// Puts somebody into a group of the same source.
///
/// # Errors
/// A group or somebody whom the source has not brought, or who is deactivated.
pub fn join(act: &mut Act<'_, '_>, source: &SmolStr, name: &str, external: &str) -> Result<(), Error> {
    let (group, user) = pair(act, source, name, external)?;
    if user.status == Status::Deprovisioned {
        return Err(Error::NotInStatus);
    }
    let from = party(act.state, source);
    group::join(act, &group, &user, vec![from]);
    Ok(())
}

/// Takes somebody out of a group of the same source.
///
/// # Errors
/// A group or somebody whom the source has not brought.
pub fn leave(act: &mut Act<'_, '_>, source: &SmolStr, name: &str, external: &str) -> Result<(), Error> {
    let (group, user) = pair(act, source, name, external)?;
    let from = party(act.state, source);
    group::leave(act, &group, &user, vec![from]);
    Ok(())
}
