//! How a person is shown.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use dtu_kernel::{
    json::{self, Json},
    operation::Typed,
    time::Timestamp,
    wire::{Answer, JSON},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Value, value::RawValue};

use super::user_shape::UserShape;
use crate::model::{
    State,
    profile::{Attribute, Shown},
    schema,
    user::{Status, User},
};

/// A person as Okta shows them, as text: people are the most asked for.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(transparent)]
pub struct UserBody(#[schemars(with = "UserShape")] Bytes);

impl Serialize for UserBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_slice::<&RawValue>(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A person without values of attributes that are gone from the schema.
fn live(state: &State, user: &Arc<User>) -> Arc<User> {
    if user.profile.custom().is_empty() {
        return Arc::clone(user);
    }
    let schema = state.schemas.get(state.users.type_of(user)).map(|schema| &**schema);
    let custom = user.profile.custom().known_to(schema);
    if custom == *user.profile.custom() {
        return Arc::clone(user);
    }
    Arc::new(User { profile: user.profile.with_custom(custom), ..User::clone(user) })
}

/// What `okta-response` asks to leave out of a person.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Omit {
    credentials: bool,
    credential_links: bool,
}

impl Omit {
    pub(super) fn read(wishes: Option<&str>) -> Self {
        let asked = |wish: &str| wishes.is_some_and(|wishes| wishes.split(',').any(|found| found.trim() == wish));
        Self { credentials: asked("omitCredentials"), credential_links: asked("omitCredentialsLinks") }
    }
}

/// The links that an account has in its state, as recorded.
const fn link_names(status: Status) -> &'static [&'static str] {
    match status {
        Status::Staged => &["schema", "activate", "self", "resetFactors", "type"],
        Status::Provisioned => {
            &["suspend", "schema", "resetPassword", "reactivate", "self", "resetFactors", "type", "deactivate"]
        }
        Status::Active | Status::PasswordExpired => &[
            "suspend",
            "schema",
            "resetPassword",
            "forgotPassword",
            "expirePassword",
            "changeRecoveryQuestion",
            "self",
            "resetFactors",
            "type",
            "changePassword",
            "deactivate",
        ],
        Status::Recovery => {
            &["schema", "resetPassword", "reactivate", "self", "resetFactors", "type", "changePassword", "deactivate"]
        }
        Status::LockedOut => &["schema", "resetPassword", "unlock", "self", "resetFactors", "type", "deactivate"],
        Status::Suspended => &["schema", "unsuspend", "self", "resetFactors", "type", "deactivate"],
        Status::Deprovisioned => &["schema", "activate", "self", "resetFactors", "type", "delete"],
    }
}

/// Whether the org's engine has a link: on the Classic Engine nobody's factors are reset by one, and only who has a
/// recovery question can have forgotten a password, as recorded.
fn engine_links(state: &State, user: &User, name: &str) -> bool {
    match name {
        "resetFactors" => !state.kind.is_classic(),
        "forgotPassword" => !state.kind.is_classic() || user.question.is_some(),
        _ => true,
    }
}

/// Links that `omitCredentialsLinks` leaves out.
const CREDENTIAL_LINKS: [&str; 6] =
    ["changePassword", "changeRecoveryQuestion", "forgotPassword", "resetPassword", "resetFactors", "unlock"];

/// The path below the account of each link that is called.
const CALLS: [(&str, &str); 12] = [
    ("activate", "/lifecycle/activate"),
    ("reactivate", "/lifecycle/reactivate"),
    ("deactivate", "/lifecycle/deactivate"),
    ("suspend", "/lifecycle/suspend"),
    ("unsuspend", "/lifecycle/unsuspend"),
    ("unlock", "/lifecycle/unlock"),
    ("resetPassword", "/lifecycle/reset_password"),
    ("expirePassword", "/lifecycle/expire_password"),
    ("resetFactors", "/lifecycle/reset_factors"),
    ("forgotPassword", "/credentials/forgot_password"),
    ("changePassword", "/credentials/change_password"),
    ("changeRecoveryQuestion", "/credentials/change_recovery_question"),
];

const USERS: &str = "/api/v1/users/";

/// Writes a link to a path below an address. Names, ids and paths need no escapes.
fn link(json: &mut Json<'_>, name: &str, address: &str, path: &[&str], method: &str) {
    json.name(name);
    json.plain("{\"href\":\"");
    json.plain(address);
    for part in path {
        json.plain(part);
    }
    if !method.is_empty() {
        json.plain("\",\"method\":\"");
        json.plain(method);
    }
    json.plain("\"}");
}

/// The org's address, as it stands in JSON. Only one that somebody made up needs escapes.
fn quoted(origin: &str) -> Cow<'_, str> {
    if origin.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\') {
        return origin.into();
    }
    let mut text = Value::from(origin).to_string();
    text.truncate(text.len() - 1);
    text.remove(0);
    text.into()
}

/// Links by name, in Okta's order. They are the most of an answer.
fn links(json: &mut Json<'_>, state: &State, user: &User, origin: &str, omit: Omit) {
    let org = quoted(origin);
    let own = [&*org, USERS, &user.id].concat();
    let of = state.users.type_of(user);
    let names = link_names(user.status).iter().copied();
    let shown = |name: &&str| !omit.credential_links || !CREDENTIAL_LINKS.contains(name);
    for name in names.filter(shown).filter(|name| engine_links(state, user, name)) {
        match name {
            "self" => link(json, name, &own, &[], ""),
            "delete" => link(json, name, &own, &[], "DELETE"),
            "schema" => link(json, name, &org, &["/api/v1/meta/schemas/user/", &schema::id_of(of)], ""),
            "type" => link(json, name, &org, &["/api/v1/meta/types/user/", of], ""),
            _ => {
                let path = CALLS.iter().find(|(call, _)| *call == name).map_or("", |(_, path)| path);
                link(json, name, &own, &[path], "POST");
            }
        }
    }
}

/// Recorded orgs with Identity Governance keep people's mail addresses to themselves.
fn credentials(json: &mut Json<'_>, state: &State, user: &User) {
    if user.has_password {
        json.name("password");
        json.object(|_| {});
    }
    if !state.kind.is_governed() {
        let mails = [(Attribute::EMAIL, "PRIMARY"), (Attribute::SECOND_EMAIL, "SECONDARY")];
        let mails = mails.map(|(attribute, kind)| (user.profile.get(attribute), kind));
        json.name("emails");
        json.list(mails.into_iter().filter(|(value, _)| !value.is_empty()), |json, (value, kind)| {
            json.object(|json| {
                json.member("value", value);
                json.member("status", "VERIFIED");
                json.member("type", kind);
            });
        });
    }
    if let Some(question) = &user.question {
        json.name("recovery_question");
        json.object(|json| json.member("question", question));
    }
    json.name("provider");
    json.object(|json| {
        json.member("type", &user.provider.r#type);
        json.member("name", &user.provider.name);
    });
}

fn profile(json: &mut Json<'_>, state: &State, user: &Arc<User>) {
    for (name, value) in live(state, user).profile.shown() {
        match value {
            Shown::Base(Some(text)) => json.member(name, text),
            other => {
                json.key(name);
                json.value(&other);
            }
        }
    }
}

/// A time, or null.
fn stamp(json: &mut Json<'_>, name: &str, at: Option<Timestamp>) {
    json.name(name);
    match at {
        Some(at) => json.millis(at.floor_secs()),
        None => json.plain("null"),
    }
}

impl UserBody {
    fn new(state: &State, user: &Arc<User>, omit: Omit, blocks: bool, links: impl FnOnce(&mut Json<'_>)) -> Self {
        let members = |json: &mut Json<'_>| {
            json.member("id", &user.id);
            json.member("status", user.status.text());
            stamp(json, "created", Some(user.created));
            stamp(json, "activated", user.activated);
            stamp(json, "statusChanged", user.status_changed);
            stamp(json, "lastLogin", user.last_login);
            stamp(json, "lastUpdated", Some(user.last_updated));
            stamp(json, "passwordChanged", user.password_changed);
            if let Some(realm) = user.realm.as_ref().or(state.kind.realm.as_ref()) {
                json.member("realmId", realm);
            }
            json.name("type");
            json.object(|json| json.member("id", state.users.type_of(user)));
            json.name("profile");
            json.object(|json| profile(json, state, user));
            if !omit.credentials {
                json.name("credentials");
                json.object(|json| credentials(json, state, user));
            }
            if blocks {
                // Nobody is blocked from anywhere.
                json.name("_embedded");
                json.plain("{\"blocks\":[]}");
            }
            json.name("_links");
            json.object(links);
        };
        Self(json::written(|json| json.object(members)))
    }

    /// With all links: for answers about one person.
    pub(super) fn whole(state: &State, user: &Arc<User>, origin: &str) -> Self {
        Self::one(state, user, origin, Omit::default(), false)
    }

    pub(super) fn one(state: &State, user: &Arc<User>, origin: &str, omit: Omit, blocks: bool) -> Self {
        Self::new(state, user, omit, blocks, |json| links(json, state, user, origin, omit))
    }

    /// With the link to itself only: for lists.
    pub(super) fn listed(state: &State, user: &Arc<User>, origin: &str) -> Self {
        Self::row(state, user, origin, Omit::default())
    }

    pub(super) fn row(state: &State, user: &Arc<User>, origin: &str, omit: Omit) -> Self {
        Self::new(state, user, omit, false, |json| link(json, "self", &quoted(origin), &[USERS, &user.id], ""))
    }

    /// The answer that is one person.
    pub(super) fn answer(self) -> Typed<Self> {
        Typed::from_answer(Answer { body: Some((JSON, self.0)), ..Answer::empty(StatusCode::OK) })
    }

    /// The answer that is a list of people.
    pub(super) fn page(rows: impl Iterator<Item = Self>) -> Typed<Vec<Self>> {
        Typed::from_answer(Answer::written(|json| json.list(rows, |json, row| json.json(&row.0))))
    }
}
