//! What is done with policies beside writing them: copies, the apps that they are for.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/.

use dtu_kernel::{
    ids::{ALNUM, IdShape},
    operation::{Operation, Typed},
    twin::{Read, Write},
    wire::Answer,
};
use http::{Method, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{act, app_body, apps, no_content, stamp};
use crate::{
    Okta,
    error::Error,
    model::{
        Act, POLICY_ID, SITE, State,
        app::App,
        event_type::{APP_POLICY, POLICY_CREATE},
        log::Party,
    },
    policy::{self, CONSOLE, Members, POLICIES},
    resources::{self, shown_policy},
};

/// Ids of the rules of apps' policies.
const RULE_ID: IdShape =
    IdShape { site: SITE.child("ids").child("policy rule"), prefix: "rul", alphabet: ALNUM, drawn: 14, suffix: "5d7" };

/// The rows of the table.
pub fn operations() -> Vec<Operation<Okta>> {
    let app = "/api/v1/apps/{appId}/policies/{policyId}";
    let mapping = "/api/v1/policies/{policyId}/mappings/{mappingId}";
    vec![
        Operation::write("clonePolicy", &[Method::POST], "/api/v1/policies/{policyId}/clone", clone).limit("other"),
        Operation::read("listPolicyApps", &[Method::GET], "/api/v1/policies/{policyId}/app", list_apps).limit("other"),
        Operation::read("listPolicyMappings", &[Method::GET], "/api/v1/policies/{policyId}/mappings", list_mappings)
            .limit("other"),
        Operation::write("mapResourceToPolicy", &[Method::POST], "/api/v1/policies/{policyId}/mappings", map)
            .limit("other"),
        Operation::read("getPolicyMapping", &[Method::GET], mapping, get_mapping).limit("other"),
        Operation::write("deletePolicyResourceMapping", &[Method::DELETE], mapping, unmap).limit("other"),
        Operation::write("assignApplicationPolicy", &[Method::PUT], app, assign).limit("apps/{id}"),
    ]
}

/// A policy by id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfPolicy {
    policy_id: SmolStr,
}

/// A use of a policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mapping {
    policy_id: SmolStr,
    mapping_id: SmolStr,
}

/// An app's policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfApp {
    app_id: SmolStr,
    policy_id: SmolStr,
}

fn find<'a>(state: &'a State, id: &str) -> Result<&'a Members, Error> {
    state.objects.member(POLICIES, id).ok_or_else(|| Error::not_found(id, "Policy"))
}

fn is(members: &Members, name: &str, value: &str) -> bool {
    members.get(name).and_then(Value::as_str) == Some(value)
}

/// `clonePolicy`. The answer's times are null: recorded. Only policies of apps can be copied: the public document.
pub fn clone(cx: &mut Write<'_, '_, Okta>, args: OfPolicy) -> Result<Typed<Value>, Error> {
    let origin = cx.scene.request.origin.clone();
    let old = find(cx.state, &args.policy_id)?.clone();
    if !is(&old, "type", "ACCESS_POLICY") {
        return Err(Error::invalid("type", "type: Only authentication policies can be cloned."));
    }
    let (id, members) = act(cx, |act| copy(act, &args.policy_id, old))?;
    let mut shown = shown_policy(cx.state, cx.scene.request, &id, &members, &origin);
    for name in ["created", "lastUpdated"] {
        shown.insert(name.to_owned(), Value::Null);
    }
    Ok(Typed::ok(&Value::Object(shown)))
}

fn copy(act: &mut Act<'_, '_>, from: &str, old: Members) -> Result<(SmolStr, Members), Error> {
    let name = format!("[cloned] {}", old.get("name").and_then(Value::as_str).unwrap_or_default());
    let taken = policy::policies(act.state, "ACCESS_POLICY").iter().any(|(_, one)| is(one, "name", &name));
    if taken {
        return Err(Error::invalid("name", "name: Policy name already in use"));
    }
    let now = stamp(act.now());
    let rules: Vec<Members> = policy::rules(act.state, from).into_iter().map(|(_, rule)| rule.clone()).collect();
    let id = act.tx.id(&POLICY_ID);
    let again = |mut members: Members, id: &SmolStr| {
        for (name, value) in [("id", id.as_str()), ("created", &now), ("lastUpdated", &now)] {
            members.insert(name.to_owned(), value.into());
        }
        members
    };
    let mut members = again(old, &id);
    members.insert("name".to_owned(), name.into());
    members.insert("system".to_owned(), false.into());
    act.state.objects.keep(&mut act.tx.changes, POLICIES, &id, members.clone());
    for rule in rules {
        let of = act.tx.id(&RULE_ID);
        let rule = again(rule, &of);
        act.state.objects.keep(&mut act.tx.changes, &policy::rules_of(&id), &of, rule);
    }
    act.log(&POLICY_CREATE, vec![resources::party("PolicyEntity", &id, Some(&members))]);
    Ok((id, members))
}

/// `listPolicyApps`.
pub fn list_apps(cx: &Read<'_, Okta>, args: OfPolicy) -> Result<Typed<Vec<Value>>, Error> {
    find(cx.state, &args.policy_id)?;
    let origin = &cx.scene.request.origin;
    let apps = cx.state.apps.of_policy(&args.policy_id).map(|app| app_body::body(cx.state, app, origin, None));
    let mut answer = Answer::json(&apps.collect::<Vec<_>>());
    let own = format!("<{origin}{}?limit=20>; rel=\"self\"", cx.scene.request.path);
    answer.headers.push((header::LINK, own));
    Ok(Typed::from_answer(answer))
}

/// The uses of a policy: the apps that have it, each under its own id.
fn mapping(policy: &str, app: &App, origin: &str) -> Value {
    let to = |path: &str| json!({ "href": format!("{origin}{path}"), "hints": { "allow": ["GET", "PUT", "DELETE"] } });
    json!({ "id": app.id, "_links": {
        "self": to(&format!("/api/v1/policies/{policy}/mappings/{}", app.id)),
        "policy": to(&format!("/api/v1/policies/{policy}")),
        "application": to(&format!("/api/v1/apps/{}", app.id)),
    } })
}

/// `listPolicyMappings`.
pub fn list_mappings(cx: &Read<'_, Okta>, args: OfPolicy) -> Result<Typed<Vec<Value>>, Error> {
    find(cx.state, &args.policy_id)?;
    let origin = &cx.scene.request.origin;
    let apps = cx.state.apps.of_policy(&args.policy_id);
    Ok(Typed::ok(&apps.map(|app| mapping(&args.policy_id, app, origin)).collect::<Vec<_>>()))
}

fn mapped<'a>(state: &'a State, args: &Mapping) -> Result<&'a App, Error> {
    find(state, &args.policy_id)?;
    let app = state.apps.get(&args.mapping_id).filter(|app| [&app.policy, &app.enrollment].contains(&&args.policy_id));
    app.map(|app| &**app).ok_or_else(|| Error::not_found(&args.mapping_id, "PolicyMapping"))
}

/// `getPolicyMapping`.
pub fn get_mapping(cx: &Read<'_, Okta>, args: Mapping) -> Result<Typed<Value>, Error> {
    let app = mapped(cx.state, &args)?;
    Ok(Typed::ok(&mapping(&args.policy_id, app, &cx.scene.request.origin)))
}

/// Okta no longer maps in this way: recorded.
fn unsupported() -> Error {
    let about = SmolStr::new_static("Policy mappings are no longer supported on this endpoint.");
    Error::Validation { about, causes: Vec::new() }
}

/// `mapResourceToPolicy`: refused, whatever is said.
pub fn map(cx: &mut Write<'_, '_, Okta>, args: OfPolicy) -> Result<Typed<Value>, Error> {
    find(cx.state, &args.policy_id)?;
    Err(unsupported())
}

/// `deletePolicyResourceMapping`: refused as well; an app always has a policy.
pub fn unmap(cx: &mut Write<'_, '_, Okta>, args: Mapping) -> Result<Typed<()>, Error> {
    mapped(cx.state, &args)?;
    Err(unsupported())
}

/// `assignApplicationPolicy`. The admin console's own policy cannot be given: recorded.
pub fn assign(cx: &mut Write<'_, '_, Okta>, args: OfApp) -> Result<Typed<()>, Error> {
    let app = apps::find(cx.state, &args.app_id)?;
    let policy = find(cx.state, &args.policy_id)?.clone();
    if is(&policy, "name", CONSOLE) {
        let cause = format!("This policy belongs to \"{CONSOLE}\", and re-assignment of this policy is not allowed");
        return Err(Error::invalid("Policy", cause));
    }
    let id = &args.policy_id;
    let changed = match policy.get("type").and_then(Value::as_str) {
        Some("ACCESS_POLICY") => App { policy: id.clone(), ..App::clone(&app) },
        Some("PROFILE_ENROLLMENT") => App { enrollment: id.clone(), ..App::clone(&app) },
        _ => return Err(Error::invalid("Policy", "The policy is no authentication policy.")),
    };
    act(cx, |act| {
        let changed = App { last_updated: act.now(), ..changed };
        let app = act.state.apps.put(&mut act.tx.changes, changed);
        act.log(&APP_POLICY, vec![Party::app(&app), resources::party("PolicyEntity", &args.policy_id, Some(&policy))]);
        Ok(no_content())
    })
}
