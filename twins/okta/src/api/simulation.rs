//! `createPolicySimulation`: which policies and rules would apply.
//!
//! The document has a list here, in both directions; its examples, and the calls of programs that work, have one object,
//! and a list is refused: recorded.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Read,
    wire::Request,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::apps;
use crate::{
    Okta,
    error::Error,
    model::{State, app::App},
    simulation::{self, Condition, Context, Tried},
    zone::ZONES,
};

/// The operation whose body it reads itself.
pub(crate) const SIMULATE: &str = "createPolicySimulation";
/// The kinds of policies that can be tried, in the order in which they are where nobody names any.
const KINDS: [&str; 4] = ["OKTA_SIGN_ON", "MFA_ENROLL", "ACCESS_POLICY", "PROFILE_ENROLLMENT"];
const LEVELS: [&str; 3] = ["LOW", "MEDIUM", "HIGH"];

/// The operation.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    vec![Operation::read(SIMULATE, &[Method::POST], "/api/v1/policies/simulate", simulate).limit("other")]
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Body {
    app_instance: Option<String>,
    /// The document's example has the other name.
    #[serde(alias = "policyType")]
    policy_types: Option<Vec<SmolStr>>,
    policy_context: Option<Said>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Said {
    user: Option<Map<String, Value>>,
    groups: Option<Ids>,
    ip: Option<String>,
    zones: Option<Ids>,
    device: Option<Device>,
    risk: Option<Risk>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Ids {
    ids: Vec<SmolStr>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Device {
    platform: Option<SmolStr>,
    registered: Option<bool>,
    managed: Option<bool>,
    assurance_id: Option<SmolStr>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Risk {
    level: Option<SmolStr>,
    min_risk_level: Option<SmolStr>,
}

fn body(request: &Request) -> Result<Body, Error> {
    match request.media_type().as_str() {
        "application/json" => {}
        "" => return Err(Error::NoMediaType),
        _ => return Err(Error::MediaType),
    }
    let value: Value = serde_json::from_slice(&request.body).map_err(|_| Error::Malformed)?;
    if !value.is_object() {
        return Err(Error::Malformed);
    }
    serde_json::from_value(value).map_err(|_| Error::Malformed)
}

/// Arguments of `createPolicySimulation`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Simulate {
    expand: Option<String>,
}

fn simulate(cx: &Read<'_, Okta>, args: Simulate) -> Result<Typed<Value>, Error> {
    let asked: Vec<&str> =
        args.expand.as_deref().unwrap_or_default().split(',').filter(|one| !one.is_empty()).collect();
    if asked.iter().any(|one| !["EVALUATED", "RULE"].contains(one)) {
        return Err(super::bad_expand());
    }
    let body = body(cx.scene.request)?;
    let id = body.app_instance.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Error::fields(&[("appInstance", "The field cannot be left blank")]))?;
    let app = apps::find(cx.state, &id)?;
    let kinds = body.policy_types.filter(|kinds| !kinds.is_empty());
    let kinds = kinds.unwrap_or_else(|| KINDS.map(SmolStr::new_static).to_vec());
    if kinds.iter().any(|kind| !KINDS.contains(&kind.as_str())) {
        return Err(Error::fields(&[("policyTypes", "The field has an invalid value")]));
    }
    let context = context(cx.state, &app, body.policy_context.unwrap_or_default())?;
    let all: Vec<Value> =
        kinds.iter().map(|kind| shown(kind, &simulation::run(cx.state, &context, kind), &asked)).collect();
    Ok(Typed::ok(&json!({ "evaluation": all })))
}

/// What is said, with all that it names looked up.
fn context<'a>(state: &'a State, app: &'a App, said: Said) -> Result<Context<'a>, Error> {
    let groups = said.groups.unwrap_or_default().ids;
    let user = match (said.user, groups.is_empty()) {
        (Some(_), false) | (None, true) => {
            let cause = "policyContext: Either a user or groups must be specified";
            return Err(Error::invalid("policyContext", cause));
        }
        (None, false) => None,
        (Some(user), true) => {
            let id = user.get("id").and_then(Value::as_str).unwrap_or_default();
            Some(state.users.get(id).ok_or_else(|| Error::not_found(id, "User"))?)
        }
    };
    if let Some(id) = groups.iter().find(|id| state.groups.get(id).is_none()) {
        return Err(Error::not_found(id, "UserGroup"));
    }
    let mut zones = said.zones.unwrap_or_default().ids;
    let ip = match said.ip {
        None => None,
        Some(text) => {
            let ip = text.parse().ok();
            if ip.is_none() {
                zones.push(text.into());
            }
            ip
        }
    };
    if let Some(id) = zones.iter().find(|id| state.objects.member(ZONES, id).is_none()) {
        return Err(Error::not_found(id, "NetworkZone"));
    }
    let risk = said.risk.unwrap_or_default();
    let risk = risk.level.or(risk.min_risk_level);
    if risk.as_ref().is_some_and(|level| !LEVELS.contains(&level.as_str())) {
        return Err(Error::fields(&[("level", "The field has an invalid value")]));
    }
    let Device { platform, registered, managed, assurance_id: assurance } = said.device.unwrap_or_default();
    let user = user.map(|user| &**user);
    Ok(Context { app: Some(app), user, groups, ip, zones, platform, registered, managed, assurance, risk })
}

/// The outcome for a kind: what did not apply only where that is asked for, and why a rule did not likewise.
fn shown(kind: &str, outcome: &simulation::Outcome<'_>, asked: &[&str]) -> Value {
    let why = asked.contains(&"RULE");
    let list = |all: &[Tried<'_>]| {
        let shown = all.iter().filter(|_| asked.contains(&"EVALUATED"));
        json!({ "policies": shown.map(|one| tried(one, why)).collect::<Vec<_>>() })
    };
    let matched: Vec<Value> = outcome.matched.iter().map(|one| tried(one, true)).collect();
    json!({
        "status": null,
        "policyType": kind,
        "result": { "policies": matched },
        "undefined": list(&outcome.undefined),
        "evaluated": list(&outcome.evaluated),
    })
}

fn tried(one: &Tried<'_>, why: bool) -> Value {
    let conditions = |all: &[Condition]| -> Vec<Value> {
        let shown = all.iter().filter(|_| why);
        shown.map(|(kind, status)| json!({ "type": kind, "status": status.text() })).collect()
    };
    let named = |one: &Tried<'_>| {
        json!({
            "id": one.id, "name": one.members.get("name"), "status": one.status.text(),
            "conditions": conditions(&one.conditions),
        })
    };
    let mut shown = named(one);
    shown["rules"] = one.rules.iter().map(named).collect();
    shown
}
