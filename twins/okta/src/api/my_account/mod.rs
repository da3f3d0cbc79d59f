//! What people do with their own accounts, by access tokens of theirs: `MyAccount` of the Identity Engine.
//!
//! See developer.okta.com/docs/api/openapi/okta-myaccount/guides/overview/. All but a few operations are asked for by
//! version, in the `Accept` header.

mod app_authenticators;
mod authenticators;
mod emails;
mod org;
mod password;
mod phones;
mod profile;
mod sessions;
mod webauthn;

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, OperationInfo},
    twin::Scene,
};
use http::{Method, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Caller, Okta,
    error::Error,
    input::object,
    model::{State, user::User},
    oauth::{self, bearer},
};

type Body = Map<String, Value>;

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const PATCH: &[Method] = &[Method::PATCH];
const DELETE: &[Method] = &[Method::DELETE];
const LIMIT: &str = "other";
/// Below which all of it is.
const ROOT: &str = "/idp/myaccount";

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    [
        emails::operations(),
        phones::operations(),
        password::operations(),
        profile::operations(),
        authenticators::operations(),
        webauthn::operations(),
        app_authenticators::operations(),
        org::operations(),
        sessions::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether an operation is one's own person's matter.
pub(crate) fn serves(operation: &OperationInfo) -> bool {
    operation.path.starts_with(ROOT)
}

/// The person who calls, by an access token of the org's own server with the operation's scope. API tokens are no
/// credential here: the document has none.
///
/// # Errors
/// No access token, one that is not believed or lacks the scope, or one that is nobody's.
pub(crate) fn caller(state: &State, scene: &Scene<'_>) -> Result<Caller, Error> {
    if scene.operation.id == app_authenticators::BY_DEVICE {
        return Ok(oauth::nobody(state, scene));
    }
    if !bearer::is_shown(scene.request) {
        return Err(Error::FeatureOff);
    }
    let caller = bearer::believed(state, scene)?;
    if caller.user.is_empty() { Err(Error::FeatureOff) } else { Ok(caller) }
}

/// The person who calls.
fn person(state: &State, caller: &Caller) -> Result<Arc<User>, Error> {
    state.users.get(&caller.user).cloned().ok_or(Error::FeatureOff)
}

/// The person who calls, who must ask for the one version that there is.
///
/// # Errors
/// `E0000149` where no version is asked for, or another.
fn own(state: &State, caller: &Caller, scene: &Scene<'_>) -> Result<Arc<User>, Error> {
    let accept = scene.request.header(header::ACCEPT).unwrap_or_default().replace(' ', "");
    if !accept.split([';', ',']).any(|part| part == "okta-version=1.0.0") {
        return Err(Error::coded("E0000149"));
    }
    person(state, caller)
}

fn link(scene: &Scene<'_>, path: &str, allow: &[&str]) -> Value {
    json!({ "href": format!("{}{ROOT}{path}", scene.request.origin), "hints": { "allow": allow } })
}

/// A body with no members but these.
fn only(body: &Body, known: &[&str]) -> Result<(), Error> {
    if body.keys().all(|name| known.contains(&name.as_str())) { Ok(()) } else { Err(Error::Malformed) }
}

/// A text in a body that must be there; of a path with a dot, in an object of it.
fn text<'a>(body: &'a Body, path: &'static str) -> Result<&'a str, Error> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let value = match body.get(first) {
        Some(Value::Object(inner)) if !rest.is_empty() => inner.get(rest),
        value => value.filter(|_| rest.is_empty()),
    };
    let name = if rest.is_empty() { first } else { rest };
    let value = value.and_then(Value::as_str).filter(|text| !text.is_empty());
    value.ok_or_else(|| Error::fields(&[(name, "The field cannot be left blank")]))
}

/// A flag in a body.
fn flag(body: &Body, name: &'static str, usual: bool) -> Result<bool, Error> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(usual),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Error::Malformed),
    }
}

/// Something of one's own is there already.
fn taken(key: &str, cause: String) -> Error {
    let summary = format!("Another authenticator with key: {key} is already active.");
    Error::Worded { code: "E0000157", summary, causes: vec![cause] }
}

/// Arguments of operations that need nothing.
#[derive(Debug, Deserialize, JsonSchema)]
struct Nothing {}

/// Arguments of operations that need only a body.
#[derive(Debug, Deserialize, JsonSchema)]
struct Sent {
    #[serde(deserialize_with = "object")]
    body: Body,
}

/// Something by its id.
#[derive(Debug, Deserialize, JsonSchema)]
struct Which {
    id: String,
}

/// Something by its id, with a body.
#[derive(Debug, Deserialize, JsonSchema)]
struct Change {
    id: String,
    #[serde(deserialize_with = "object")]
    body: Body,
}
