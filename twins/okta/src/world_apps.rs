//! The apps of an `okta:` section.

use std::collections::BTreeSet;

use dtu_kernel::{diagnostic::Diagnostic, tx::Tx, world::World};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use crate::{
    error::Error,
    model::{
        Act, Acting, POLICY_ID, State,
        app::{self, Apps, Mode, Wish},
        app_keys,
        assignment::{self, Change},
    },
    provisioning::settings::{self, Server},
};

/// An app.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OktaApp")]
pub(crate) struct AppRow {
    /// A short unique handle.
    #[schemars(with = "String")]
    pub(crate) key: Spanned<SmolStr>,
    /// What kind of app it is.
    kind: AppKind,
    /// What people see.
    #[schemars(with = "String")]
    pub(crate) label: Spanned<SmolStr>,
    /// Where it is: the address of a bookmark or form, of a SAML app's receiver, or where an OAuth client is answered.
    /// Made up from the label where absent.
    #[serde(default)]
    url: Option<String>,
    /// The keys of the people to whom it is assigned.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) people: Vec<Spanned<SmolStr>>,
    /// The keys of the groups to which it is assigned, the first with the highest priority.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) groups: Vec<Spanned<SmolStr>>,
    /// Its SCIM server, where Okta provisions it. Who has it from the start is not pushed to it.
    #[serde(default)]
    provisioning: Option<Server>,
}

/// Kinds of apps that worlds can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OktaAppKind")]
enum AppKind {
    /// A link.
    Bookmark,
    /// A form, filled in by the browser's plugin.
    Swa,
    /// SAML 2.0.
    Saml,
    /// An OAuth client with a server, which signs people in.
    Oidc,
}

/// All problems with the apps. `groups` are the keys of the org's groups.
pub(crate) fn check(world: &World, apps: &[AppRow], groups: &BTreeSet<SmolStr>) -> Vec<Diagnostic> {
    let (mut keys, mut problems) = (BTreeSet::new(), Vec::new());
    for app in apps {
        if !keys.insert(&app.key.value) {
            let message = format!("the app key `{}` is used twice", app.key.value);
            problems.push(Diagnostic::on(&world.file, &app.key, message));
        }
        problems.extend(settings::check(world, &app.key, app.provisioning.as_ref()));
        if app.label.value.trim().is_empty() {
            problems.push(Diagnostic::on(&world.file, &app.label, "an app needs a label"));
        }
        let unknown = |key: &&Spanned<SmolStr>| world.person(&key.value).is_none_or(|person| person.key != key.value);
        problems.extend(app.people.iter().filter(unknown).map(|key| world.unknown_person(key)));
        for key in app.groups.iter().filter(|key| !groups.contains(&key.value)) {
            let problem = Diagnostic::on(&world.file, key, format!("there is no group `{}`", key.value));
            problems.push(problem.hint("groups are named by their keys, shared ones and Okta's own alike"));
        }
    }
    problems
}

/// An org without apps: its signing key, its policies, and its id.
pub(crate) fn none(tx: &mut Tx<'_>, org: &str) -> Apps {
    let (id, now) = (tx.id(&crate::model::ORG_ID), tx.now.floor_secs());
    let key = app_keys::draw_at(tx, now, &app_keys::org_subject(org), *app_keys::YEARS.end());
    Apps::new(id, key, tx.id(&POLICY_ID), tx.id(&POLICY_ID))
}

/// Makes the apps as of the org's first day, without a word in the log. `group_of` gives a group's name by its key.
///
/// # Errors
/// An app that Okta would refuse.
pub(crate) fn add(
    state: &mut State,
    tx: &mut Tx<'_>,
    world: &World,
    apps: &[AppRow],
    group_of: impl Fn(&str) -> Option<SmolStr>,
) -> Result<(), Vec<Diagnostic>> {
    let (log, now) = (state.log.clone(), tx.now);
    tx.now = state.founded;
    let mut problems = Vec::new();
    for row in apps {
        let mut act = Act::new(state, tx, Acting::system());
        if let Err(error) = add_one(&mut act, row, &group_of) {
            problems.push(Diagnostic::on(&world.file, &row.key, error.words()));
        }
    }
    tx.now = now;
    state.log = log;
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn add_one(act: &mut Act<'_, '_>, row: &AppRow, group_of: &impl Fn(&str) -> Option<SmolStr>) -> Result<(), Error> {
    let app = app::create(act, &wish(row), true)?;
    for (place, key) in row.groups.iter().enumerate() {
        let group = group_of(&key.value).and_then(|name| act.state.groups.by_name(&name).cloned());
        if let Some(group) = group {
            assignment::assign_group(act, &app, &group, Some(place), None);
        }
    }
    for key in &row.people {
        if let Some(user) = act.state.person(&key.value).cloned() {
            assignment::assign(act, &app, &user, Change::default())?;
        }
    }
    if let Some(server) = &row.provisioning {
        server.connect(act, &app);
    }
    Ok(())
}

fn wish(row: &AppRow) -> Wish {
    let plain: String = row.label.value.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let url = row.url.clone().unwrap_or_else(|| format!("https://{plain}.example/"));
    let (mode, name, settings) = match row.kind {
        AppKind::Bookmark => (Mode::Bookmark, "bookmark", json!({ "app": { "url": url } })),
        AppKind::Swa => (Mode::BrowserPlugin, "template_swa", swa(&url)),
        AppKind::Saml => (Mode::Saml20, "", saml(&url)),
        AppKind::Oidc => (Mode::OpenIdConnect, "oidc_client", oidc(&url)),
    };
    let mut body = Map::new();
    body.insert("settings".to_owned(), settings);
    Wish { mode, name: name.into(), label: row.label.value.clone(), body }
}

fn swa(url: &str) -> Value {
    json!({ "app": { "url": url, "usernameField": "username", "passwordField": "password", "buttonField": "submit" } })
}

fn saml(url: &str) -> Value {
    json!({ "signOn": {
        "ssoAcsUrl": url,
        "audience": url,
        "recipient": url,
        "destination": url,
        "subjectNameIdTemplate": "${user.userName}",
        "subjectNameIdFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
        "responseSigned": true,
        "assertionSigned": true,
        "signatureAlgorithm": "RSA_SHA256",
        "digestAlgorithm": "SHA256",
        "honorForceAuthn": true,
        "authnContextClassRef": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "requestCompressed": false,
        "allowMultipleAcsEndpoints": false,
    } })
}

fn oidc(url: &str) -> Value {
    json!({ "oauthClient": { "grant_types": ["authorization_code"], "redirect_uris": [url] } })
}
