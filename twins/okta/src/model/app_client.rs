//! The OAuth client of an app: what the authorization servers must know of it.

use std::sync::Arc;

use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    Act,
    app::{self, App, Mode},
    app_secrets::{self, Secret},
    client::{AuthMethod, Client, ClientType},
};
use crate::error::Error;

/// Settles an app's client id and first secret, from what was sent.
///
/// # Errors
/// A client id that is another app's, or a way to authenticate without what it needs.
pub fn settle(act: &mut Act<'_, '_>, app: &mut App, body: &Map<String, Value>) -> Result<(), Error> {
    if app.mode != Mode::OpenIdConnect {
        return Ok(());
    }
    let sent = |member: &str| {
        let part = body.get("credentials").and_then(|part| part.get("oauthClient"));
        part.and_then(|part| part.get(member)).and_then(Value::as_str)
    };
    if app.client.is_empty() {
        app.client = sent("client_id").map_or_else(|| app.id.clone(), SmolStr::new);
    } else if sent("client_id").is_some_and(|id| id != app.client) {
        return Err(Error::invalid("oauthClient", "client_id: The client id of an app cannot be changed"));
    }
    if act.state.clients.get(&app.client).is_some_and(|client| client.app != app.id) {
        return Err(Error::invalid("oauthClient", "client_id: This client id is in use"));
    }
    let method = method(app);
    let has_keys = app.setting("/oauthClient/jwks").is_object() || app.setting("/oauthClient/jwks_uri").is_string();
    if method == AuthMethod::PrivateKeyJwt && !has_keys {
        let cause = "'jwks' or 'jwks_uri' must have a value where 'token_endpoint_auth_method' is 'private_key_jwt'";
        return Err(Error::invalid("jwks", cause));
    }
    let secretive = !matches!(method, AuthMethod::None | AuthMethod::PrivateKeyJwt);
    match sent("client_secret") {
        Some(value) if secretive && !app.secrets.iter().any(|secret| secret.value == value) => {
            app.secrets = vec![app_secrets::draw(act, Some(value), true)];
        }
        None if secretive && app.secrets.is_empty() => app.secrets.push(app_secrets::draw(act, None, true)),
        _ => {}
    }
    Ok(())
}

/// How an app's client shows that it is itself.
pub fn method(app: &App) -> AuthMethod {
    let said = &app.parts.credentials["oauthClient"]["token_endpoint_auth_method"];
    serde_json::from_value(said.clone()).unwrap_or(AuthMethod::ClientSecretBasic)
}

/// Brings the client up to date with its app.
pub fn keep(act: &mut Act<'_, '_>, app: &Arc<App>) {
    if app.mode != Mode::OpenIdConnect {
        return;
    }
    let before = act.state.clients.get(&app.client).cloned();
    let scopes = before.map(|client| client.scopes.clone()).unwrap_or_default();
    let client = Client { scopes, ..client(app) };
    act.state.clients.put(&mut act.tx.changes, client);
}

fn client(app: &App) -> Client {
    let texts = |member: &str| -> Vec<SmolStr> {
        let list = app.setting("/oauthClient").get(member).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(SmolStr::new).collect()
    };
    let kind = serde_json::from_value(app.setting("/oauthClient/application_type").clone()).unwrap_or(ClientType::Web);
    let rotation = app.setting("/oauthClient/refresh_token");
    let live = app.secrets.iter().filter(|secret| secret.active).map(|secret: &Secret| secret.value.clone());
    let believed = app.jwks.iter().filter(|key| key.active && !key.encrypts());
    let keys = believed.map(|key| Value::Object(key.members.clone())).collect();
    Client {
        app: app.id.clone(),
        active: app.active,
        method: method(app),
        secrets: live.collect(),
        keys,
        grants: texts("grant_types"),
        responses: texts("response_types"),
        redirects: texts("redirect_uris"),
        logout_redirects: texts("post_logout_redirect_uris"),
        dpop: *app.setting("/oauthClient/dpop_bound_access_tokens") == true,
        pkce: app.parts.credentials["oauthClient"]["pkce_required"] == true,
        rotates: rotation["rotation_type"] == "ROTATE",
        leeway: rotation["leeway"].as_u64().and_then(|leeway| u32::try_from(leeway).ok()).unwrap_or(0),
        wildcards: *app.setting("/oauthClient/wildcard_redirect") == "SUBDOMAIN",
        open: *app.setting("/implicitAssignment") == true,
        ..Client::new(app.client.clone(), app.label.clone(), kind, app.created)
    }
}

/// Adds a secret to an app.
///
/// # Errors
/// One secret too many, or an app that has none.
pub fn add_secret(act: &mut Act<'_, '_>, app: &App, value: Option<&str>, active: bool) -> Result<Secret, Error> {
    app_secrets::check_client(app)?;
    if app.secrets.len() >= app_secrets::MAX {
        let cause = "You've reached the maximum number of client secrets per client.";
        return Err(Error::invalid(app_secrets::ABOUT, cause));
    }
    let secret = app_secrets::draw(act, value, active);
    let mut row = app.clone();
    row.secrets.push(secret.clone());
    app::touch(act, row);
    Ok(secret)
}
