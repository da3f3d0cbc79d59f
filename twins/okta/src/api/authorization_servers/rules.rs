//! Rules of access policies.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    DELETE, GET, POST, PUT, act, body, fits, no_content,
    policies::{WhichPolicy, common},
};
use crate::{
    Okta,
    error::Error,
    model::authorization_server::{
        find,
        policy::{self, Lifetimes, RuleWish},
    },
};

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/authorizationServers/{authServerId}/policies/{policyId}/rules";
    const ONE: &str = "/api/v1/authorizationServers/{authServerId}/policies/{policyId}/rules/{ruleId}";
    const ON: &str =
        "/api/v1/authorizationServers/{authServerId}/policies/{policyId}/rules/{ruleId}/lifecycle/activate";
    const OFF: &str =
        "/api/v1/authorizationServers/{authServerId}/policies/{policyId}/rules/{ruleId}/lifecycle/deactivate";
    vec![
        Operation::read("listAuthorizationServerPolicyRules", GET, ALL, list),
        Operation::write("createAuthorizationServerPolicyRule", POST, ALL, create),
        Operation::read("getAuthorizationServerPolicyRule", GET, ONE, get),
        Operation::write("replaceAuthorizationServerPolicyRule", PUT, ONE, replace),
        Operation::write("deleteAuthorizationServerPolicyRule", DELETE, ONE, delete),
        Operation::write("activateAuthorizationServerPolicyRule", POST, ON, activate),
        Operation::write("deactivateAuthorizationServerPolicyRule", POST, OFF, deactivate),
    ]
}

/// Arguments that name a rule.
#[expect(clippy::struct_field_names, reason = "the path's parameters have these names")]
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichRule {
    auth_server_id: String,
    policy_id: String,
    rule_id: String,
}

/// `listAuthorizationServerPolicyRules`: the first to be asked first.
pub fn list(cx: &Read<'_, Okta>, args: WhichPolicy) -> Result<Typed<Vec<Value>>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    let (_, policy) = server.policy(&args.policy_id)?;
    let shown = (1..).zip(&policy.rules).map(|row| body::rule(&server, policy, row, &cx.scene.request.origin));
    Ok(Typed::ok(&shown.collect()))
}

fn wish(body: &Map<String, Value>) -> Result<RuleWish, Error> {
    let (name, priority, active) = common(body);
    let token = body.get("actions").and_then(|actions| actions.get("token"));
    let minutes = |member: &str, usual| token.and_then(|token| token.get(member)?.as_i64()).unwrap_or(usual);
    let hook = token.and_then(|token| token.pointer("/inlineHook/id")?.as_str());
    let conditions = body.get("conditions").cloned().unwrap_or_default();
    Ok(RuleWish {
        name,
        priority,
        active,
        conditions: serde_json::from_value(conditions).map_err(|_| Error::Malformed)?,
        lifetimes: Lifetimes {
            access: minutes("accessTokenLifetimeMinutes", Lifetimes::USUAL.access),
            refresh: minutes("refreshTokenLifetimeMinutes", Lifetimes::USUAL.refresh),
            idle: minutes("refreshTokenWindowMinutes", Lifetimes::USUAL.idle),
        },
        hook: hook.map(SmolStr::new),
    })
}

/// Arguments of `createAuthorizationServerPolicyRule`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Create {
    auth_server_id: String,
    policy_id: String,
    body: Map<String, Value>,
}

/// `createAuthorizationServerPolicyRule`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let wish = wish(&args.body)?;
    let (server, id) = act(cx, |act| policy::add_rule(act, &args.auth_server_id, &args.policy_id, wish))?;
    let (_, policy) = server.policy(&args.policy_id)?;
    let shown = body::rule(&server, policy, policy.rule(&id)?, &cx.scene.request.origin);
    Ok(Typed::ok(&shown).with_status(StatusCode::CREATED))
}

/// `getAuthorizationServerPolicyRule`.
pub fn get(cx: &Read<'_, Okta>, args: WhichRule) -> Result<Typed<Value>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    let (_, policy) = server.policy(&args.policy_id)?;
    Ok(Typed::ok(&body::rule(&server, policy, policy.rule(&args.rule_id)?, &cx.scene.request.origin)))
}

/// Arguments of `replaceAuthorizationServerPolicyRule`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replace {
    auth_server_id: String,
    policy_id: String,
    rule_id: String,
    body: Map<String, Value>,
}

/// `replaceAuthorizationServerPolicyRule`.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: Replace) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let wish = wish(&args.body)?;
    let id = &args.rule_id;
    let server = act(cx, |act| policy::replace_rule(act, &args.auth_server_id, &args.policy_id, id, wish))?;
    let (_, policy) = server.policy(&args.policy_id)?;
    Ok(Typed::ok(&body::rule(&server, policy, policy.rule(id)?, &cx.scene.request.origin)))
}

/// `deleteAuthorizationServerPolicyRule`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: WhichRule) -> Result<Typed<()>, Error> {
    act(cx, |act| policy::delete_rule(act, &args.auth_server_id, &args.policy_id, &args.rule_id))?;
    Ok(no_content())
}

fn switch(cx: &mut Write<'_, '_, Okta>, args: &WhichRule, active: bool) -> Result<Typed<()>, Error> {
    act(cx, |act| policy::set_rule_active(act, &args.auth_server_id, &args.policy_id, &args.rule_id, active))?;
    Ok(no_content())
}

/// `activateAuthorizationServerPolicyRule`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: WhichRule) -> Result<Typed<()>, Error> {
    switch(cx, &args, true)
}

/// `deactivateAuthorizationServerPolicyRule`.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: WhichRule) -> Result<Typed<()>, Error> {
    switch(cx, &args, false)
}
