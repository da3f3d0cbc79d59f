//! Clients registered by programs: apps, as RFC 7591 has them.
//!
//! See developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/Client/.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{act, app_body::fits, no_content};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        app::{self, App, Mode, Wish},
        app_secrets,
        client::{AuthMethod, Client},
    },
    paging::{self, Size},
};

/// The operations on registered clients.
pub fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/oauth2/v1/clients";
    const ONE: &str = "/oauth2/v1/clients/{clientId}";
    const SECRET: &str = "/oauth2/v1/clients/{clientId}/lifecycle/newSecret";
    let all = vec![
        Operation::read("listClients", &[Method::GET], ALL, list),
        Operation::write("createClient", &[Method::POST], ALL, create),
        Operation::read("getClient", &[Method::GET], ONE, get),
        Operation::write("replaceClient", &[Method::PUT], ONE, replace),
        Operation::write("deleteClient", &[Method::DELETE], ONE, delete),
        Operation::write("generateNewClientSecret", &[Method::POST], SECRET, new_secret),
    ];
    all.into_iter().map(|operation| operation.limit("apps")).collect()
}

/// What of an app's settings a registration says besides what the client itself knows.
const SETTINGS: [&str; 10] = [
    "request_object_signing_alg",
    "client_uri",
    "logo_uri",
    "initiate_login_uri",
    "tos_uri",
    "policy_uri",
    "jwks",
    "jwks_uri",
    "redirect_uris",
    "post_logout_redirect_uris",
];

/// Settings whose features the twin has not.
const UNSERVED: [&str; 3] =
    ["frontchannel_logout_session_required", "frontchannel_logout_uri", "id_token_encrypted_response_alg"];

/// A client as registrations show it. Its secret is shown only where it has just been made.
fn body(state: &State, client: &Client, secret: Option<&str>) -> Value {
    let mut body = json!({
        "client_id": client.id,
        "client_id_issued_at": client.created.as_secs(),
        "client_name": client.name,
        "redirect_uris": client.redirects,
        "post_logout_redirect_uris": client.logout_redirects,
        "response_types": client.responses,
        "grant_types": client.grants,
        "token_endpoint_auth_method": client.method.text(),
        "application_type": client.kind,
    });
    if let Some(secret) = secret {
        body["client_secret"] = json!(secret);
        // It does not expire.
        body["client_secret_expires_at"] = json!(0);
    }
    if let Some(app) = state.apps.get(&client.app) {
        for name in &SETTINGS[..8] {
            let value = app.setting(&format!("/oauthClient/{name}"));
            if !value.is_null() {
                body[*name] = value.clone();
            }
        }
    }
    body
}

/// Arguments of `listClients`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct List {
    q: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `listClients`: by id, those whose name begins with a text.
pub fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<Value>>, Error> {
    let limit = paging::size(args.limit, Size { default: 20, max: 200 })?;
    let wanted = args.q.unwrap_or_default();
    let fitting = |client: &&Arc<Client>| client.name.starts_with(wanted.as_str());
    let mut all = cx.state.clients.after(args.after.as_deref().unwrap_or_default()).filter(fitting).peekable();
    let (mut shown, mut last) = (Vec::new(), SmolStr::default());
    while let Some(client) = all.next_if(|_| shown.len() < limit) {
        last.clone_from(&client.id);
        shown.push(body(cx.state, client, None));
    }
    let next = all.peek().map(|_| last.as_str());
    Ok(paging::linked(Typed::ok(&shown), cx.scene, limit, next))
}

/// Arguments of `createClient`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Create {
    body: Map<String, Value>,
}

/// An app of what was sent.
fn wish(sent: &Map<String, Value>) -> Result<Wish, Error> {
    if UNSERVED.iter().any(|name| sent.get(*name).is_some_and(|value| !value.is_null() && *value != false)) {
        return Err(Error::Unsupported);
    }
    let name = sent.get("client_name").and_then(Value::as_str).unwrap_or_default();
    let own = SETTINGS.iter().copied().chain(["application_type", "grant_types", "response_types"]);
    let settings: Map<String, Value> = own
        .filter_map(|name| Some((name.to_owned(), sent.get(name).filter(|value| !value.is_null())?.clone())))
        .collect();
    let mut credentials = Map::new();
    if let Some(method) = sent.get("token_endpoint_auth_method") {
        credentials.insert("token_endpoint_auth_method".to_owned(), method.clone());
    }
    let body = json!({
        "name": "oidc_client",
        "label": name,
        "signOnMode": "OPENID_CONNECT",
        "credentials": { "oauthClient": credentials },
        "settings": { "oauthClient": settings },
    });
    let Value::Object(body) = body else { return Err(Error::Malformed) };
    Ok(Wish { mode: Mode::OpenIdConnect, name: SmolStr::new_static("oidc_client"), label: name.into(), body })
}

/// `createClient`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let wish = wish(&args.body)?;
    let app = act(cx, |act| app::create(act, &wish, true))?;
    let (_, client) = find(cx.state, &app.client)?;
    let secret = app.secrets.first().map(|secret| secret.value.as_str());
    Ok(Typed::ok(&body(cx.state, &client, secret)).with_status(StatusCode::CREATED))
}

/// Arguments that name a client.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    client_id: String,
}

fn found(state: &State, id: &str) -> Result<Arc<Client>, Error> {
    state.clients.get(id).cloned().ok_or_else(|| Error::not_found(id, "PublicClientApp"))
}

/// A client with its app: those of the world that have none cannot be changed.
fn find(state: &State, id: &str) -> Result<(Arc<App>, Arc<Client>), Error> {
    let client = found(state, id)?;
    let app = state.apps.get(&client.app).cloned().ok_or_else(|| Error::not_found(id, "PublicClientApp"))?;
    Ok((app, client))
}

/// `getClient`.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let client = found(cx.state, &args.client_id)?;
    Ok(Typed::ok(&body(cx.state, &client, None)))
}

/// Arguments of `replaceClient`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replace {
    client_id: String,
    body: Map<String, Value>,
}

/// `replaceClient`.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: Replace) -> Result<Typed<Value>, Error> {
    let (app, _) = find(cx.state, &args.client_id)?;
    fits(cx.scene, &args.body)?;
    let wish = wish(&args.body)?;
    act(cx, |act| app::replace(act, &app, &wish))?;
    let client = found(cx.state, &args.client_id)?;
    Ok(Typed::ok(&body(cx.state, &client, None)))
}

/// `deleteClient`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let (app, _) = find(cx.state, &args.client_id)?;
    act(cx, |act| {
        let app = app::switch(act, &app, false);
        app::delete(act, &app)
    })?;
    Ok(no_content())
}

/// `generateNewClientSecret`: the new one takes the place of all others.
pub fn new_secret(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let (app, client) = find(cx.state, &args.client_id)?;
    if matches!(client.method, AuthMethod::None | AuthMethod::PrivateKeyJwt) {
        return Err(Error::invalid("application", "Only clients that authenticate by a secret have one"));
    }
    let secret = act(cx, |act| {
        let secret = app_secrets::draw(act, None, true);
        let mut row = App::clone(&app);
        row.secrets = vec![secret.clone()];
        app::touch(act, row);
        Ok(secret)
    })?;
    Ok(Typed::ok(&body(cx.state, &client, Some(&secret.value))))
}
