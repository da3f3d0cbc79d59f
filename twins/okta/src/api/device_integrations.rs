//! What tells Okta of devices beside its own app: offered by Okta, in use once an administrator activates it.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/DeviceIntegrations/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Links, act, tokens::Nothing};
use crate::{Okta, error::Error, model::State, policy::Members};

/// Where they are kept.
pub(crate) const PLACE: &str = "/api/v1/device-integrations";

/// Those that every org is offered: name, title, platform. A device posture provider comes with an identity provider
/// that vouches for devices, which no org has from the start.
pub(crate) const OFFERED: [(&str, &str, &str); 9] = [
    ("com.crowdstrike.zta", "CrowdStrike", "MACOS"),
    ("com.crowdstrike.zta", "CrowdStrike", "WINDOWS"),
    ("com.okta.windowssecuritycenter", "Windows Security Center", "WINDOWS"),
    ("com.okta.device.osquery", "OSQuery", "MACOS"),
    ("com.okta.device.osquery", "OSQuery", "WINDOWS"),
    ("com.android.zero.trust", "Android Device Trust", "ANDROID"),
    (CHROME, "Chrome Device Trust", "CHROMEOS"),
    (CHROME, "Chrome Device Trust", "MACOS"),
    (CHROME, "Chrome Device Trust", "WINDOWS"),
];

/// The one that brings an account with it, by which Google's console names the org.
const CHROME: &str = "com.google.dtc";

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const ONE: &str = "/api/v1/device-integrations/{deviceIntegrationId}";
    const ON: &str = "/api/v1/device-integrations/{deviceIntegrationId}/lifecycle/activate";
    const OFF: &str = "/api/v1/device-integrations/{deviceIntegrationId}/lifecycle/deactivate";
    let rows = vec![
        Operation::read("listDeviceIntegrations", GET, PLACE, list),
        Operation::read("getDeviceIntegration", GET, ONE, get),
        Operation::write("activateDeviceIntegration", POST, ON, activate),
        Operation::write("deactivateDeviceIntegration", POST, OFF, deactivate),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

/// Arguments: the integration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    device_integration_id: SmolStr,
}

fn find<'s>(state: &'s State, id: &str) -> Result<&'s Members, Error> {
    state.objects.member(PLACE, id).ok_or_else(|| Error::not_found(id, "DeviceIntegration"))
}

fn is_active(one: &Members) -> bool {
    one.get("status").and_then(Value::as_str) == Some("ACTIVE")
}

#[expect(clippy::unnecessary_wraps, reason = "handlers can refuse")]
fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<Value>>, Error> {
    let origin = &cx.scene.request.origin;
    Ok(Typed::ok(&cx.state.objects.members(PLACE).map(|(id, one)| shown(id, one, origin)).collect()))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let one = find(cx.state, &args.device_integration_id)?;
    Ok(Typed::ok(&shown(&args.device_integration_id, one, &cx.scene.request.origin)))
}

fn activate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    turn(cx, &args.device_integration_id, "ACTIVE")
}

fn deactivate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    turn(cx, &args.device_integration_id, "DEACTIVATED")
}

/// What is in a status already stays as it is.
fn turn(cx: &mut Write<'_, '_, Okta>, id: &str, status: &str) -> Result<Typed<Value>, Error> {
    let mut one = find(cx.state, id)?.clone();
    one.insert("status".to_owned(), status.into());
    if status == "ACTIVE" && one.get("name").and_then(Value::as_str) == Some(CHROME) {
        one.entry("metadata").or_insert_with(|| account(cx.state));
    }
    let body = shown(id, &one, &cx.scene.request.origin);
    act(cx, |act| {
        act.state.objects.keep(&mut act.tx.changes, PLACE, id, one);
        Ok(())
    })?;
    Ok(Typed::ok(&body))
}

/// The account that Okta makes with Google for an org. That its name follows from the org's id is documented; its host
/// is the twin's.
fn account(state: &State) -> Value {
    let org = state.objects.one("/api/v1", "org").and_then(|org| org.get("id")?.as_str()).unwrap_or_default();
    let name = format!("okta-gci-{org}");
    json!({
        "type": "CHROME", "serviceAccountName": name,
        "serviceAccountEmail": format!("{name}@okta-device-trust.iam.gserviceaccount.com"),
    })
}

fn shown(id: &str, one: &Members, origin: &str) -> Value {
    let own = format!("{origin}{PLACE}/{id}");
    let verb = if is_active(one) { "deactivate" } else { "activate" };
    let links = Links::new().hint(verb, format!("{own}/lifecycle/{verb}"), &["POST"]).hint("self", own, &["GET"]);
    let mut body = Members::from_iter([("id".to_owned(), Value::from(id))]);
    body.extend(one.clone());
    body.insert("_links".to_owned(), Value::Object(links.0));
    Value::Object(body)
}
