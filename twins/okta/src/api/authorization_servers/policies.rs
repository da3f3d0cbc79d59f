//! Access policies of authorization servers.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{DELETE, GET, POST, PUT, Send, Which, act, body, fits, no_content};
use crate::{
    Okta,
    error::Error,
    model::authorization_server::{
        find,
        policy::{self, Wish},
    },
};

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/authorizationServers/{authServerId}/policies";
    const ONE: &str = "/api/v1/authorizationServers/{authServerId}/policies/{policyId}";
    const ON: &str = "/api/v1/authorizationServers/{authServerId}/policies/{policyId}/lifecycle/activate";
    const OFF: &str = "/api/v1/authorizationServers/{authServerId}/policies/{policyId}/lifecycle/deactivate";
    vec![
        Operation::read("listAuthorizationServerPolicies", GET, ALL, list),
        Operation::write("createAuthorizationServerPolicy", POST, ALL, create),
        Operation::read("getAuthorizationServerPolicy", GET, ONE, get),
        Operation::write("replaceAuthorizationServerPolicy", PUT, ONE, replace),
        Operation::write("deleteAuthorizationServerPolicy", DELETE, ONE, delete),
        Operation::write("activateAuthorizationServerPolicy", POST, ON, activate),
        Operation::write("deactivateAuthorizationServerPolicy", POST, OFF, deactivate),
    ]
}

/// Arguments that name a policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichPolicy {
    pub(super) auth_server_id: String,
    pub(super) policy_id: String,
}

/// `listAuthorizationServerPolicies`: the first to be asked first.
pub fn list(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    let shown = (1..).zip(&server.policies).map(|row| body::policy(&server, row, &cx.scene.request.origin));
    Ok(Typed::ok(&shown.collect()))
}

/// What a body says that is neither name nor condition: description, priority and status.
pub(super) fn common(body: &Map<String, Value>) -> (SmolStr, Option<i64>, Option<bool>) {
    let text = |member: &str| body.get(member).and_then(Value::as_str);
    let status = text("status").map(|status| status == "ACTIVE");
    (text("name").unwrap_or_default().trim().into(), body.get("priority").and_then(Value::as_i64), status)
}

fn wish(body: &Map<String, Value>) -> Wish {
    let (name, priority, active) = common(body);
    let included = body.get("conditions").and_then(|part| part.pointer("/clients/include"));
    let clients = included.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    Wish {
        name,
        description: body.get("description").and_then(Value::as_str).map(str::to_owned),
        priority,
        active,
        clients: clients.map(SmolStr::new).collect(),
    }
}

/// `createAuthorizationServerPolicy`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Send) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let (server, id) = act(cx, |act| policy::create(act, &args.auth_server_id, wish(&args.body)))?;
    let shown = body::policy(&server, server.policy(&id)?, &cx.scene.request.origin);
    Ok(Typed::ok(&shown).with_status(StatusCode::CREATED))
}

/// `getAuthorizationServerPolicy`.
pub fn get(cx: &Read<'_, Okta>, args: WhichPolicy) -> Result<Typed<Value>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::policy(&server, server.policy(&args.policy_id)?, &cx.scene.request.origin)))
}

/// Arguments of `replaceAuthorizationServerPolicy`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replace {
    auth_server_id: String,
    policy_id: String,
    body: Map<String, Value>,
}

/// `replaceAuthorizationServerPolicy`.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: Replace) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let id = &args.policy_id;
    let server = act(cx, |act| policy::replace(act, &args.auth_server_id, id, wish(&args.body)))?;
    Ok(Typed::ok(&body::policy(&server, server.policy(id)?, &cx.scene.request.origin)))
}

/// `deleteAuthorizationServerPolicy`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: WhichPolicy) -> Result<Typed<()>, Error> {
    act(cx, |act| policy::delete(act, &args.auth_server_id, &args.policy_id))?;
    Ok(no_content())
}

/// `activateAuthorizationServerPolicy`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: WhichPolicy) -> Result<Typed<()>, Error> {
    act(cx, |act| policy::set_active(act, &args.auth_server_id, &args.policy_id, true))?;
    Ok(no_content())
}

/// `deactivateAuthorizationServerPolicy`.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: WhichPolicy) -> Result<Typed<()>, Error> {
    act(cx, |act| policy::set_active(act, &args.auth_server_id, &args.policy_id, false))?;
    Ok(no_content())
}
