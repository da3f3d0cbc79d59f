//! Provisioning connections of apps.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationConnections/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    Links, act,
    app_credentials::KeyBody,
    apps::{Which, find},
    no_content,
};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        app::App,
        event_type::APP_UPDATE,
        log::Party,
        provisioning::{Auth, Connection},
    },
    provisioning::settings,
};

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    const ONE: &str = "/api/v1/apps/{appId}/connections/default";
    const ON: &str = "/api/v1/apps/{appId}/connections/default/lifecycle/activate";
    const OFF: &str = "/api/v1/apps/{appId}/connections/default/lifecycle/deactivate";
    const KEYS: &str = "/api/v1/apps/{appId}/connections/default/jwks";
    const CALLBACK: &str = "/api/v1/apps/{appName}/{appId}/oauth2/callback";
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    vec![
        Operation::read("getDefaultProvisioningConnectionForApplication", GET, ONE, get).limit("apps"),
        Operation::write("updateDefaultProvisioningConnectionForApplication", POST, ONE, update).limit("apps"),
        Operation::write("activateDefaultProvisioningConnectionForApplication", POST, ON, activate).limit("apps"),
        Operation::write("deactivateDefaultProvisioningConnectionForApplication", POST, OFF, deactivate).limit("apps"),
        Operation::read("getUserProvisioningConnectionJWKS", GET, KEYS, keys).limit("apps"),
        Operation::write("verifyProvisioningConnectionForApplication", POST, CALLBACK, verify).limit("apps"),
    ]
}

/// What Okta says of apps that cannot be provisioned, as recorded.
fn unknown() -> Value {
    json!({ "status": "UNKNOWN", "profile": { "authScheme": "UNKNOWN" } })
}

/// A connection. Older answers, recorded, have the scheme at the top; the public document has it in the profile.
fn body(app: &App, connection: Option<&Connection>, origin: &str) -> Value {
    let Some(connection) = connection else { return unknown() };
    let own = format!("{origin}/api/v1/apps/{}/connections/default", app.id);
    let verb = if connection.enabled { "deactivate" } else { "activate" };
    let links =
        Links::new().hint(verb, format!("{own}/lifecycle/{verb}"), &["POST"]).hint("self", own, &["POST", "GET"]);
    let mut body = Map::new();
    body.insert("authScheme".to_owned(), json!("TOKEN"));
    if let Some(url) = &connection.base_url {
        body.insert("baseUrl".to_owned(), json!(url));
    }
    body.insert("status".to_owned(), json!(if connection.enabled { "ENABLED" } else { "DISABLED" }));
    body.insert("profile".to_owned(), json!({ "authScheme": "TOKEN" }));
    body.insert("_links".to_owned(), Value::Object(links.0));
    Value::Object(body)
}

/// `getDefaultProvisioningConnectionForApplication`.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let connection = settings::of(cx.state, &app);
    Ok(Typed::ok(&body(&app, connection.as_ref(), &cx.scene.request.origin)))
}

/// Arguments of `updateDefaultProvisioningConnectionForApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    app_id: String,
    activate: Option<bool>,
    body: Wanted,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    profile: Option<Profile>,
    base_url: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Profile {
    auth_scheme: Option<Scheme>,
    token: Option<String>,
    client_id: Option<String>,
    settings: Option<Value>,
    signing: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Scheme {
    Token,
    OAuth2,
    Unknown,
}

/// What is said of a connection to an app.
///
/// # Errors
/// Another scheme than by a token, or no token.
fn wanted(connection: Connection, body: Wanted, activate: bool) -> Result<Connection, Error> {
    let profile = body.profile.ok_or_else(|| Error::fields(&[("profile", "The field cannot be left blank")]))?;
    let of_oauth = profile.client_id.is_some() || profile.settings.is_some() || profile.signing.is_some();
    if profile.auth_scheme != Some(Scheme::Token) || of_oauth {
        return Err(Error::invalid("authScheme", "authScheme: The app is connected by a token"));
    }
    let token = profile.token.filter(|token| !token.trim().is_empty());
    let token = token.ok_or_else(|| Error::fields(&[("token", "The field cannot be left blank")]))?;
    let url = body.base_url.map(|url| url.trim_end_matches('/').to_owned());
    if url.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        return Err(Error::fields(&[("baseUrl", "The field must be a URL")]));
    }
    Ok(Connection {
        base_url: url.map(SmolStr::from).or(connection.base_url),
        auth: Auth::Token(token.into()),
        enabled: connection.enabled || activate,
        ..connection
    })
}

/// `updateDefaultProvisioningConnectionForApplication`: an app that cannot be provisioned takes what it shows, as
/// recorded.
pub fn update(cx: &mut Write<'_, '_, Okta>, args: Update) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let Some(connection) = settings::of(cx.state, &app) else {
        let scheme = args.body.profile.as_ref().and_then(|profile| profile.auth_scheme);
        return match scheme {
            Some(Scheme::Unknown) => Ok(Typed::ok(&unknown())),
            _ => Err(Error::invalid("authScheme", "Provisioning is not supported.")),
        };
    };
    let connection = wanted(connection, args.body, args.activate == Some(true))?;
    write(cx, &app, connection.clone())?;
    Ok(Typed::ok(&body(&app, Some(&connection), &cx.scene.request.origin)))
}

fn write(cx: &mut Write<'_, '_, Okta>, app: &App, connection: Connection) -> Result<(), Error> {
    act(cx, |act| {
        act.state.provisioning.connect(&mut act.tx.changes, connection);
        act.log(&APP_UPDATE, vec![Party::app(app)]);
        Ok(())
    })
}

/// Nothing happens to apps that cannot be provisioned, as recorded, nor where all is so already.
fn switch(cx: &mut Write<'_, '_, Okta>, args: &Which, enabled: bool) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let connection = settings::of(cx.state, &app).filter(|connection| connection.enabled != enabled);
    if let Some(connection) = connection {
        write(cx, &app, Connection { enabled, ..connection })?;
    }
    Ok(no_content())
}

/// `activateDefaultProvisioningConnectionForApplication`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    switch(cx, &args, true)
}

/// `deactivateDefaultProvisioningConnectionForApplication`.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    switch(cx, &args, false)
}

/// The connection of an app that can be provisioned.
///
/// # Errors
/// An app that cannot.
fn connection(state: &State, app: &App) -> Result<Connection, Error> {
    settings::of(state, app).ok_or_else(|| Error::not_found(&app.id, "UserProvisioningConnection"))
}

/// `getUserProvisioningConnectionJWKS`: the key with which Okta signs for the app. That it is that one is inferred.
fn keys(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    connection(cx.state, &app)?;
    let own = app.keys.iter().find(|key| key.kid == app.kid).unwrap_or(&cx.state.apps.key);
    Ok(Typed::ok(&json!({ "jwks": { "keys": [KeyBody::new(own)] } })))
}

/// Apps of Okta's catalogue that people consent to the connection of.
const CONSENTED: [&str; 4] = ["office365", "google", "zoomus", "slack"];

/// Arguments of `verifyProvisioningConnectionForApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Callback {
    app_name: String,
    app_id: String,
    code: Option<String>,
    state: Option<String>,
}

/// `verifyProvisioningConnectionForApplication`: the last step of a consent, after which the connection is used. The
/// app's own authorization server is not asked whether the code is its own: no call leaves the twin for it.
fn verify(cx: &mut Write<'_, '_, Okta>, args: Callback) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    if !CONSENTED.contains(&args.app_name.as_str()) || app.name != args.app_name {
        return Err(Error::not_found(&args.app_name, "App"));
    }
    let before = connection(cx.state, &app)?;
    if [&args.code, &args.state].into_iter().any(|one| one.as_deref().is_none_or(str::is_empty)) {
        return Err(Error::MissingParameter);
    }
    if !before.enabled {
        write(cx, &app, Connection { enabled: true, ..before })?;
    }
    Ok(no_content())
}
