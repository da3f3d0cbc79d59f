//! What an org can switch on before all orgs have it, or try out while it is made.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Feature/.

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
use crate::{
    Okta,
    error::Error,
    model::{
        Act, State,
        event_type::{BETA_ENABLE, FEATURE_DISABLE, FEATURE_ENABLE},
    },
    policy::Members,
    resources::party,
};

/// Where features are kept.
const FEATURES: &str = "/api/v1/features";
/// The feature that brands have files of their own with at well-known addresses.
pub(crate) const WELL_KNOWN: &str = "Custom well-known URIs";

/// The feature that administrators ask devices about what they choose.
pub(crate) const POSTURE: &str = "Advanced posture checks";

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const NEEDS: &str = "/api/v1/features/{featureId}/dependencies";
    const USES: &str = "/api/v1/features/{featureId}/dependents";
    const SWITCH: &str = "/api/v1/features/{featureId}/{lifecycle}";
    let rows = vec![
        Operation::read("listFeatures", GET, FEATURES, list),
        Operation::read("getFeature", GET, "/api/v1/features/{featureId}", get),
        Operation::read("listFeatureDependencies", GET, NEEDS, list_needs),
        Operation::read("listFeatureDependents", GET, USES, list_uses),
        Operation::write("updateFeatureLifecycle", &[Method::POST], SWITCH, switch),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

/// A feature that orgs have from the start: name, what it is for, whether it is being tried out, whether it has a page
/// of help, and the name of the feature that it needs.
pub(crate) struct Seed {
    name: &'static str,
    about: &'static str,
    beta: bool,
    help: bool,
    needs: &'static [&'static str],
}

const fn seed(name: &'static str, about: &'static str, beta: bool, help: bool, needs: &'static [&'static str]) -> Seed {
    Seed { name, about, beta, help, needs }
}

const QUICK: &str = "Allow end-users to quickly access everyday apps";
const DASHBOARD: &str = "New End User Experience";

/// Names and stages are recorded (2020); that some need others, and the last two, are the twin's.
pub(crate) const SEEDS: [Seed; 10] = [
    seed("Import Monitoring Dashboard", "Shows imports that run, and those of the last day.", true, true, &[]),
    seed("New Admin Dashboard", "A start page for administrators with what needs their attention.", true, true, &[]),
    seed(QUICK, "People who have many apps find those that they used last in one place.", false, false, &[]),
    seed("Preview and test inline hook request and response", "Tries out an inline hook.", true, true, &[]),
    seed(DASHBOARD, "A new look of the dashboard and the browser plugin.", false, true, &[]),
    seed(
        "Allow end-users to quickly access everyday apps in the Okta Browser Plugin",
        "The same in a tab of the plugin.",
        false,
        true,
        &[QUICK],
    ),
    seed("Password Changed Email Notifications", "Mail to whose password was changed.", false, true, &[]),
    seed(
        "Improved plugin onboarding experience",
        "Fewer steps to a first use of the plugin.",
        false,
        true,
        &[DASHBOARD],
    ),
    seed(WELL_KNOWN, "Files of brands at addresses that programs know.", false, true, &[]),
    seed(POSTURE, "Questions of an org's own to computers, for device assurance.", false, true, &[]),
];

impl Seed {
    /// As it is kept: switched off.
    pub(crate) fn members(&self) -> Value {
        let stage = if self.beta { json!({ "value": "BETA", "state": "OPEN" }) } else { json!({ "value": "EA" }) };
        json!({
            "type": "self-service", "status": "DISABLED", "name": self.name, "description": self.about,
            "stage": stage, "help": self.help, "needs": self.needs,
        })
    }
}

/// Whether an org has switched a feature on.
pub(crate) fn is_on(state: &State, name: &str) -> bool {
    state.objects.members(FEATURES).any(|(_, one)| text(one, "name") == name && is_enabled(one))
}

fn text<'a>(one: &'a Members, name: &str) -> &'a str {
    one.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_enabled(one: &Members) -> bool {
    text(one, "status") == "ENABLED"
}

fn is_beta(one: &Members) -> bool {
    one.get("stage").and_then(|stage| stage.get("value")?.as_str()) == Some("BETA")
}

/// As it is shown. What is being tried out has no link to switch it on: recorded.
fn shown(id: &str, one: &Members, origin: &str) -> Value {
    let own = format!("{origin}{FEATURES}/{id}");
    let mut links = Links::new();
    if one.get("help") == Some(&Value::Bool(true)) {
        links = links.to("helpDoc", "https://help.okta.com/".to_owned());
    }
    if is_enabled(one) {
        links = links.hint("disable", format!("{own}/disable"), &["POST"]);
    } else if !is_beta(one) {
        links = links.hint("enable", format!("{own}/enable"), &["POST"]);
    }
    let links = links.to("dependents", format!("{own}/dependents")).to("dependencies", format!("{own}/dependencies"));
    let links = links.to("self", own);
    let kept = one.iter().filter(|(name, _)| !["id", "help", "needs"].contains(&name.as_str()));
    let mut body = Members::from_iter([("id".to_owned(), id.into())]);
    body.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    body.insert("_links".to_owned(), Value::Object(links.0));
    Value::Object(body)
}

fn find<'s>(state: &'s State, id: &str) -> Result<&'s Members, Error> {
    state.objects.member(FEATURES, id).ok_or_else(|| Error::not_found(id, "Feature"))
}

/// Whether one feature needs another.
fn needs(one: &Members, other: &Members) -> bool {
    let named = one.get("needs").and_then(Value::as_array).zip(other.get("name"));
    named.is_some_and(|(names, name)| names.contains(name))
}

/// The features that one needs, or those that need it.
fn around(state: &State, id: &str, forwards: bool) -> Result<Vec<(SmolStr, Members)>, Error> {
    let own = find(state, id)?;
    let fits = |other: &Members| if forwards { needs(own, other) } else { needs(other, own) };
    let found = state.objects.members(FEATURES).filter(|(_, other)| fits(other));
    Ok(found.map(|(id, other)| (id.clone(), other.clone())).collect())
}

/// A list of features.
type List = Result<Typed<Vec<Value>>, Error>;

/// `listFeatures`.
pub fn list(cx: &Read<'_, Okta>, _: Nothing) -> List {
    let origin = &cx.scene.request.origin;
    Ok(Typed::ok(&cx.state.objects.members(FEATURES).map(|(id, one)| shown(id, one, origin)).collect()))
}

/// Arguments: the feature.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    feature_id: SmolStr,
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let one = find(cx.state, &args.feature_id)?;
    Ok(Typed::ok(&shown(&args.feature_id, one, &cx.scene.request.origin)))
}

fn list_needs(cx: &Read<'_, Okta>, args: Which) -> List {
    let found = around(cx.state, &args.feature_id, true)?;
    Ok(Typed::ok(&found.iter().map(|(id, one)| shown(id, one, &cx.scene.request.origin)).collect()))
}

fn list_uses(cx: &Read<'_, Okta>, args: Which) -> List {
    let found = around(cx.state, &args.feature_id, false)?;
    Ok(Typed::ok(&found.iter().map(|(id, one)| shown(id, one, &cx.scene.request.origin)).collect()))
}

/// Arguments of `updateFeatureLifecycle`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Switch {
    feature_id: SmolStr,
    lifecycle: SmolStr,
    mode: Option<String>,
}

/// `updateFeatureLifecycle`. With `mode=force` what a feature needs is switched on before it, and what needs it is
/// switched off. The link of recorded features has the word in small letters, the document in capitals.
fn switch(cx: &mut Write<'_, '_, Okta>, args: Switch) -> Result<Typed<Value>, Error> {
    find(cx.state, &args.feature_id)?;
    let on = match args.lifecycle.to_ascii_uppercase().as_str() {
        "ENABLE" => true,
        "DISABLE" => false,
        _ => return Err(Error::NoPath),
    };
    let force = match args.mode.as_deref() {
        None | Some("") => false,
        Some("force") => true,
        Some(_) => return Err(Error::invalid("mode", "mode: The field has an invalid value")),
    };
    act(cx, |act| turn(act, &args.feature_id, on, force))?;
    let one = find(cx.state, &args.feature_id)?;
    Ok(Typed::ok(&shown(&args.feature_id, one, &cx.scene.request.origin)))
}

/// Switches a feature, and with force what stands in its way.
fn turn(act: &mut Act<'_, '_>, id: &str, on: bool, force: bool) -> Result<(), Error> {
    let mut one = find(act.state, id)?.clone();
    if is_enabled(&one) == on {
        return Ok(());
    }
    let mut in_the_way = around(act.state, id, on)?;
    in_the_way.retain(|(_, other)| is_enabled(other) != on);
    if let Some((_, other)) = in_the_way.first().filter(|_| !force) {
        let what = if on { "It needs a feature that is disabled" } else { "A feature needs it that is enabled" };
        return Err(Error::invalid("feature", format!("feature: {what}: {}", text(other, "name"))));
    }
    for (other, _) in &in_the_way {
        turn(act, other, on, force)?;
    }
    let status = if on { "ENABLED" } else { "DISABLED" };
    one.insert("status".to_owned(), status.into());
    let event = match (on, is_beta(&one)) {
        (true, true) => &BETA_ENABLE,
        (true, false) => &FEATURE_ENABLE,
        (false, _) => &FEATURE_DISABLE,
    };
    let target = party("Feature", id, Some(&one));
    act.state.objects.keep(&mut act.tx.changes, FEATURES, id, one);
    act.log(event, vec![target]);
    Ok(())
}
