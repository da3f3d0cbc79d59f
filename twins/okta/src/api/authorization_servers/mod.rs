//! Custom authorization servers, as administrators see them.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/AuthorizationServer/.

pub mod associated;
mod body;
pub mod claims;
pub mod clients;
pub mod keys;
pub mod policies;
pub mod resource_keys;
pub mod rules;
pub mod scopes;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use self::body::server;
use super::{act, app_body::fits, no_content};
use crate::{
    Okta,
    error::Error,
    model::authorization_server::{self as model, IssuerMode, Wish},
    paging::{self, Size},
};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const DELETE: &[Method] = &[Method::DELETE];

/// The operations on authorization servers and what belongs to them.
pub fn operations() -> Vec<Operation<Okta>> {
    let own = [servers(), scopes::operations(), claims::operations(), policies::operations(), rules::operations()];
    let keys = [keys::operations(), resource_keys::operations(), associated::operations(), clients::operations()];
    let limited = |operation: Operation<Okta>| operation.limit("authorizationServers");
    own.into_iter().chain(keys).flatten().map(limited).collect()
}

fn servers() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/authorizationServers";
    const ONE: &str = "/api/v1/authorizationServers/{authServerId}";
    const ON: &str = "/api/v1/authorizationServers/{authServerId}/lifecycle/activate";
    const OFF: &str = "/api/v1/authorizationServers/{authServerId}/lifecycle/deactivate";
    vec![
        Operation::read("listAuthorizationServers", GET, ALL, list),
        Operation::write("createAuthorizationServer", POST, ALL, create),
        Operation::read("getAuthorizationServer", GET, ONE, get),
        Operation::write("replaceAuthorizationServer", PUT, ONE, replace),
        Operation::write("deleteAuthorizationServer", DELETE, ONE, delete),
        Operation::write("activateAuthorizationServer", POST, ON, activate),
        Operation::write("deactivateAuthorizationServer", POST, OFF, deactivate),
    ]
}

/// Arguments that name a server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    auth_server_id: String,
}

/// Arguments of `listAuthorizationServers`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct List {
    q: Option<String>,
    limit: Option<i64>,
    after: Option<String>,
}

const PAGE: Size = Size { default: 200, max: 200 };

/// `listAuthorizationServers`: by id, those whose name or audience has a text in it.
pub fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<Value>>, Error> {
    let limit = paging::size(args.limit, PAGE)?;
    let wanted = args.q.unwrap_or_default().to_lowercase();
    let has = |text: &SmolStr| text.to_lowercase().contains(&wanted);
    let after = args.after.unwrap_or_default();
    let all = cx.state.servers.after(&after);
    let mut fitting = all.filter(|server| has(&server.name) || server.audiences.iter().any(has)).peekable();
    let mut shown = Vec::new();
    let mut last = SmolStr::default();
    while let Some(row) = fitting.next_if(|_| shown.len() < limit) {
        last.clone_from(&row.id);
        shown.push(server(row, &cx.scene.request.origin, cx.scene.now));
    }
    let next = fitting.peek().map(|_| last.as_str());
    Ok(paging::linked(Typed::ok(&shown), cx.scene, limit, next))
}

/// Arguments of `createAuthorizationServer`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Create {
    body: Map<String, Value>,
}

/// `createAuthorizationServer`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let wish = wish(&args.body)?;
    let made = act(cx, |act| model::create(act, wish))?;
    let body = server(&made, &cx.scene.request.origin, cx.scene.now);
    Ok(Typed::ok(&body).with_status(StatusCode::CREATED))
}

/// What a body says of a server. Its address follows from its id: one that is sent along is passed over.
fn wish(body: &Map<String, Value>) -> Result<Wish, Error> {
    if body.contains_key("accessTokenEncryptedResponseAlgorithm") {
        // Tokens would have to be encrypted, which they are not.
        return Err(Error::Unsupported);
    }
    let text = |member: &str| body.get(member).and_then(Value::as_str).unwrap_or_default();
    let part = |member: &str| body.get(member).cloned().unwrap_or_default();
    let mode = match text("issuerMode") {
        "" => None,
        "ORG_URL" => Some(IssuerMode::OrgUrl),
        "DYNAMIC" => Some(IssuerMode::Dynamic),
        // The org has no domain of its own.
        _ => return Err(Error::fields(&[("issuerMode", "The field has an invalid value")])),
    };
    let audiences = body.get("audiences").and_then(Value::as_array).into_iter().flatten();
    let rotation = body.get("credentials").and_then(|part| part.pointer("/signing/rotationMode"));
    Ok(Wish {
        name: text("name").trim().into(),
        description: text("description").to_owned(),
        audiences: audiences.filter_map(Value::as_str).map(SmolStr::new).collect(),
        mode,
        active: body.get("status").and_then(Value::as_str).map(|status| status == "ACTIVE"),
        auto: rotation.and_then(Value::as_str).map(|mode| mode == "AUTO"),
        jwks: part("jwks"),
        jwks_uri: part("jwks_uri"),
    })
}

/// `getAuthorizationServer`.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let found = model::find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&server(&found, &cx.scene.request.origin, cx.scene.now)))
}

/// Arguments that name a server and send a body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Send {
    auth_server_id: String,
    body: Map<String, Value>,
}

/// `replaceAuthorizationServer`.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: Send) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let wish = wish(&args.body)?;
    let made = act(cx, |act| model::replace(act, &args.auth_server_id, wish))?;
    Ok(Typed::ok(&server(&made, &cx.scene.request.origin, cx.scene.now)))
}

/// `deleteAuthorizationServer`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    act(cx, |act| model::delete(act, &args.auth_server_id))?;
    Ok(no_content())
}

/// `activateAuthorizationServer`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    act(cx, |act| model::set_active(act, &args.auth_server_id, true))?;
    Ok(no_content())
}

/// `deactivateAuthorizationServer`.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    act(cx, |act| model::set_active(act, &args.auth_server_id, false))?;
    Ok(no_content())
}

/// Reads a checked body into a type of the model.
fn read<T: serde::de::DeserializeOwned>(body: Map<String, Value>) -> Result<T, Error> {
    let said = body.into_iter().filter(|(_, member)| !member.is_null());
    serde_json::from_value(Value::Object(said.collect())).map_err(|_| Error::Malformed)
}
