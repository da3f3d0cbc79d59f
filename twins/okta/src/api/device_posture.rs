//! Questions of an org's own to computers, for policies of device assurance.
//!
//! Orgs have them where the feature is switched on. See
//! developer.okta.com/docs/api/openapi/okta-management/management/tag/DevicePostureCheck/.

use dtu_kernel::{
    ids::IdShape,
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Links, act, features, no_content, stamp, tokens::Nothing};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{State, shape},
    policy::Members,
};

/// Where they are kept.
const PLACE: &str = "/api/v1/device-posture-checks";
const ASSURANCES: &str = "/api/v1/device-assurances";
const CHECK_ID: IdShape = shape("dch", "device posture check");
const LIMIT: &str = "device-posture-checks";

/// What a caller says of a check.
const SAID: [&str; 7] = ["name", "variableName", "description", "platform", "mappingType", "query", "type"];
/// What Okta says of it; clients may send it along.
const OWN: [&str; 6] = ["id", "createdBy", "createdDate", "lastUpdate", "lastUpdatedBy", "_links"];

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const ONE: &str = "/api/v1/device-posture-checks/{postureCheckId}";
    const USUAL: &str = "/api/v1/device-posture-checks/default";
    let rows = vec![
        Operation::read("listDefaultDevicePostureChecks", GET, USUAL, list_usual),
        Operation::read("listDevicePostureChecks", GET, PLACE, list),
        Operation::write("createDevicePostureCheck", &[Method::POST], PLACE, create),
        Operation::read("getDevicePostureCheck", GET, ONE, get),
        Operation::write("replaceDevicePostureCheck", &[Method::PUT], ONE, replace),
        Operation::write("deleteDevicePostureCheck", &[Method::DELETE], ONE, delete),
    ];
    rows.into_iter().map(|row| row.limit(LIMIT)).collect()
}

/// # Errors
/// An org without the feature: recorded.
fn enter(state: &State) -> Result<(), Error> {
    if features::is_on(state, features::POSTURE) { Ok(()) } else { Err(Error::FeatureOff) }
}

fn find<'s>(state: &'s State, id: &str) -> Result<&'s Members, Error> {
    enter(state)?;
    state.objects.member(PLACE, id).ok_or_else(|| Error::not_found(id, "DevicePostureCheck"))
}

/// Arguments: the check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    posture_check_id: SmolStr,
}

/// Arguments: a new check.
#[derive(Debug, Deserialize, JsonSchema)]
struct New {
    #[serde(deserialize_with = "object")]
    body: Members,
}

/// Arguments: a check and what it is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Change {
    posture_check_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Members,
}

type List = Result<Typed<Vec<Value>>, Error>;

fn list(cx: &Read<'_, Okta>, _: Nothing) -> List {
    enter(cx.state)?;
    let origin = &cx.scene.request.origin;
    Ok(Typed::ok(&cx.state.objects.members(PLACE).map(|(id, one)| shown(id, one, origin)).collect()))
}

/// Okta's own checks. No public page names one: an org of the twin has none.
fn list_usual(cx: &Read<'_, Okta>, _: Nothing) -> List {
    enter(cx.state)?;
    Ok(Typed::ok(&Vec::new()))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let one = find(cx.state, &args.posture_check_id)?;
    Ok(Typed::ok(&shown(&args.posture_check_id, one, &cx.scene.request.origin)))
}

fn create(cx: &mut Write<'_, '_, Okta>, args: New) -> Result<Typed<Value>, Error> {
    enter(cx.state)?;
    let mut one = said(cx.state, "", &args.body)?;
    let (by, origin) = (cx.caller.user.clone(), cx.scene.request.origin.clone());
    act(cx, |act| {
        let (id, now) = (act.tx.id(&CHECK_ID), stamp(act.now()));
        for (name, value) in [("createdBy", by.as_str()), ("createdDate", &now)] {
            one.insert(name.to_owned(), value.into());
        }
        touch(&mut one, &by, &now);
        let body = shown(&id, &one, &origin);
        act.state.objects.keep(&mut act.tx.changes, PLACE, &id, one);
        Ok(Typed::ok(&body))
    })
}

fn touch(one: &mut Members, by: &str, now: &str) {
    one.insert("lastUpdatedBy".to_owned(), by.into());
    one.insert("lastUpdate".to_owned(), now.into());
}

fn replace(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let id = args.posture_check_id;
    let known = find(cx.state, &id)?.clone();
    let mut one = said(cx.state, &id, &args.body)?;
    let used = one.get("variableName") != known.get("variableName") && is_used(cx.state, &known);
    if used || one.get("platform") != known.get("platform") {
        let name = if used { "variableName" } else { "platform" };
        return Err(Error::fields(&[(name, "The field cannot be changed.")]));
    }
    one.extend(known.into_iter().filter(|(name, _)| name.starts_with("created")));
    let (by, origin) = (cx.caller.user.clone(), cx.scene.request.origin.clone());
    act(cx, |act| {
        touch(&mut one, &by, &stamp(act.now()));
        let body = shown(&id, &one, &origin);
        act.state.objects.keep(&mut act.tx.changes, PLACE, &id, one);
        Ok(Typed::ok(&body))
    })
}

/// Okta's documents give the refusal of what is in use its words and status, and no code: that is the twin's.
fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let id = args.posture_check_id;
    if is_used(cx.state, find(cx.state, &id)?) {
        let summary = "Device posture check is in use and can't be deleted.".to_owned();
        return Err(Error::Worded { code: "E0000195", summary, causes: Vec::new() });
    }
    act(cx, |act| {
        act.state.objects.forget(&mut act.tx.changes, PLACE, &id);
        Ok(())
    })?;
    Ok(no_content())
}

/// Whether a policy of device assurance asks for a check. There are few policies.
fn is_used(state: &State, one: &Members) -> bool {
    let name = one.get("variableName");
    let asks = |policy: &Members| {
        let asked = policy.get("devicePostureChecks").and_then(|checks| checks.get("include")?.as_array());
        asked.is_some_and(|checks| checks.iter().any(|check| check.get("variableName") == name))
    };
    state.objects.members(ASSURANCES).any(|(_, policy)| asks(policy))
}

/// What a caller says of a check, as it is kept. What must be said, and that a check is always of the org's own, is
/// inferred.
fn said(state: &State, own: &str, body: &Members) -> Result<Members, Error> {
    let known = |name: &&String| SAID.contains(&name.as_str()) || OWN.contains(&name.as_str());
    if body.keys().any(|name| !known(&name) && name != "remediationSettings") {
        return Err(Error::Malformed);
    }
    let mut one = Members::new();
    let mut problems = Vec::new();
    for name in SAID {
        let value = match body.get(name) {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text.trim(),
            Some(_) => return Err(Error::Malformed),
        };
        let fits = match name {
            "platform" => ["MACOS", "WINDOWS"].contains(&value),
            "mappingType" => ["CHECKBOX", "TEXTBOX"].contains(&value),
            "type" => ["", "CUSTOM"].contains(&value),
            _ => true,
        };
        match value {
            "" if !["type", "description"].contains(&name) => problems.push((name, "The field cannot be left blank")),
            _ if !fits => problems.push((name, "The field has an invalid value")),
            "" => {}
            text => drop(one.insert(name.to_owned(), text.into())),
        }
    }
    if !problems.is_empty() {
        return Err(Error::fields(&problems));
    }
    let mut others = state.objects.members(PLACE).filter(|(id, _)| *id != own);
    if others.any(|(_, other)| other.get("variableName") == one.get("variableName")) {
        return Err(Error::taken("variableName"));
    }
    one.insert("type".to_owned(), "CUSTOM".into());
    one.insert("remediationSettings".to_owned(), remediation(body.get("remediationSettings"))?);
    Ok(one)
}

/// What end users are told where a check fails. What Okta says by itself is for its own checks only, and passed over.
fn remediation(value: Option<&Value>) -> Result<Value, Error> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(json!({})) };
    let mut kept = Members::new();
    for (name, part) in value.as_object().ok_or(Error::Malformed)? {
        let (own, usual) = match name.as_str() {
            "link" => ("customUrl", "defaultUrl"),
            "message" => ("customText", "defaultI18nKey"),
            _ => return Err(Error::Malformed),
        };
        let part = part.as_object().ok_or(Error::Malformed)?;
        let is_text = |name: &str| part.get(name).is_none_or(|value| value.is_string() || value.is_null());
        if part.keys().any(|name| name != own && name != usual) || !is_text(own) || !is_text(usual) {
            return Err(Error::Malformed);
        }
        if let Some(text) = part.get(own).filter(|text| text.is_string()) {
            kept.insert(name.clone(), json!({ own: text }));
        }
    }
    Ok(Value::Object(kept))
}

fn shown(id: &str, one: &Members, origin: &str) -> Value {
    let links = Links::new().hint("self", format!("{origin}{PLACE}/{id}"), &["DELETE", "GET", "PUT"]);
    let mut body = Members::from_iter([("id".to_owned(), Value::from(id))]);
    body.extend(one.clone());
    body.insert("_links".to_owned(), Value::Object(links.0));
    Value::Object(body)
}
