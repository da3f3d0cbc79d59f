//! How a person is shown.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Value, value::RawValue};
use smol_str::SmolStr;

use super::{Empty, stamp};
use crate::model::{
    State,
    profile::Attribute,
    schema,
    user::{Status, User},
};

/// A person as Okta shows them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserBody {
    id: SmolStr,
    status: &'static str,
    created: String,
    activated: Option<String>,
    status_changed: Option<String>,
    last_login: Option<String>,
    last_updated: String,
    password_changed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    realm_id: Option<SmolStr>,
    r#type: TypeRef,
    #[schemars(with = "BTreeMap<String, Value>")]
    profile: ProfileBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<CredentialsBody>,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    pub(super) embedded: Option<Value>,
    #[serde(rename = "_links")]
    #[schemars(with = "BTreeMap<String, LinkBody>")]
    links: UserLinks,
}

/// The profile of a row, written without a copy: people are the most asked for.
#[derive(Debug)]
struct ProfileBody(Arc<User>);

impl Serialize for ProfileBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.profile.shown())
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

/// Links by name, in Okta's order. They are the most of an answer, and are made as text at once.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct UserLinks(Box<RawValue>);

/// The text of links under way of being made.
struct LinkText {
    /// The org's address, as it stands in JSON.
    origin: String,
    text: String,
}

impl LinkText {
    fn new(origin: &str, capacity: usize) -> Self {
        let quoted = Value::from(origin).to_string();
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self { origin: quoted.trim_matches('"').to_owned(), text }
    }

    /// Adds a link to a path below the org's address. Names, ids and paths need no escapes.
    fn add(&mut self, name: &str, path: &[&str], method: &str) {
        let separator = if self.text.len() > 1 { ",\"" } else { "\"" };
        for part in [separator, name, "\":{\"href\":\"", &self.origin] {
            self.text.push_str(part);
        }
        for part in path {
            self.text.push_str(part);
        }
        self.text.push('"');
        if !method.is_empty() {
            for part in [",\"method\":\"", method, "\""] {
                self.text.push_str(part);
            }
        }
        self.text.push('}');
    }

    fn finish(mut self) -> UserLinks {
        self.text.push('}');
        UserLinks(RawValue::from_string(self.text).expect("links are JSON: all that is foreign in them is escaped"))
    }
}

/// A link, for the schema: see [`LinkText`].
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct LinkBody {
    href: String,
    method: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TypeRef {
    id: SmolStr,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CredentialsBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emails: Option<Vec<MailBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_question: Option<QuestionBody>,
    provider: ProviderBody,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MailBody {
    value: String,
    status: &'static str,
    r#type: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct QuestionBody {
    question: SmolStr,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ProviderBody {
    r#type: SmolStr,
    name: SmolStr,
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

/// Room for the links of an account in use.
const LINKS_SIZE: usize = 1_600;
const USERS: &str = "/api/v1/users/";

fn links(state: &State, user: &User, origin: &str, omit: Omit) -> UserLinks {
    let of = state.users.type_of(user);
    let mut all = LinkText::new(origin, LINKS_SIZE);
    let names = link_names(user.status).iter().copied();
    let shown = |name: &&str| !omit.credential_links || !CREDENTIAL_LINKS.contains(name);
    for name in names.filter(shown).filter(|name| engine_links(state, user, name)) {
        match name {
            "self" => all.add(name, &[USERS, &user.id], ""),
            "delete" => all.add(name, &[USERS, &user.id], "DELETE"),
            "schema" => all.add(name, &["/api/v1/meta/schemas/user/", &schema::id_of(of)], ""),
            "type" => all.add(name, &["/api/v1/meta/types/user/", of], ""),
            _ => {
                let path = CALLS.iter().find(|(call, _)| *call == name).map_or("", |(_, path)| path);
                all.add(name, &[USERS, &user.id, path], "POST");
            }
        }
    }
    all.finish()
}

/// Recorded orgs with Identity Governance keep people's mail addresses to themselves.
fn credentials(state: &State, user: &User) -> CredentialsBody {
    let mail = |attribute: Attribute, kind| {
        let value = user.profile.get(attribute);
        (!value.is_empty()).then(|| MailBody { value: value.to_owned(), status: "VERIFIED", r#type: kind })
    };
    let emails = [mail(Attribute::EMAIL, "PRIMARY"), mail(Attribute::SECOND_EMAIL, "SECONDARY")];
    CredentialsBody {
        password: user.has_password.then_some(Empty {}),
        emails: (!state.kind.is_governed()).then(|| emails.into_iter().flatten().collect()),
        recovery_question: user.question.clone().map(|question| QuestionBody { question }),
        provider: ProviderBody { r#type: user.provider.r#type.clone(), name: user.provider.name.clone() },
    }
}

impl UserBody {
    fn new(state: &State, user: &Arc<User>, links: UserLinks, omit: Omit) -> Self {
        Self {
            id: user.id.clone(),
            status: user.status.text(),
            created: stamp(user.created),
            activated: user.activated.map(stamp),
            status_changed: user.status_changed.map(stamp),
            last_login: user.last_login.map(stamp),
            last_updated: stamp(user.last_updated),
            password_changed: user.password_changed.map(stamp),
            realm_id: user.realm.clone().or_else(|| state.kind.realm.clone()),
            r#type: TypeRef { id: state.users.type_of(user).clone() },
            profile: ProfileBody(live(state, user)),
            credentials: (!omit.credentials).then(|| credentials(state, user)),
            embedded: None,
            links,
        }
    }

    /// With all links: for answers about one person.
    pub(super) fn whole(state: &State, user: &Arc<User>, origin: &str) -> Self {
        Self::one(state, user, origin, Omit::default())
    }

    pub(super) fn one(state: &State, user: &Arc<User>, origin: &str, omit: Omit) -> Self {
        Self::new(state, user, links(state, user, origin, omit), omit)
    }

    /// With the link to itself only: for lists.
    pub(super) fn listed(state: &State, user: &Arc<User>, origin: &str) -> Self {
        Self::row(state, user, origin, Omit::default())
    }

    pub(super) fn row(state: &State, user: &Arc<User>, origin: &str, omit: Omit) -> Self {
        let mut own = LinkText::new(origin, 128);
        own.add("self", &[USERS, &user.id], "");
        Self::new(state, user, own.finish(), omit)
    }
}
