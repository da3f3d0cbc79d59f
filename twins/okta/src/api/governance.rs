//! Bundles of entitlements for the Admin Console, and what gave a person a role.
//!
//! Roles of the twin are given by calls, by groups and by worlds, never by a bundle: nobody requests access here.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/GovernanceBundle/ and the tag of role
//! assignments.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Links, act, find_user, tokens::Nothing};
use crate::{
    Okta,
    error::Error,
    model::{State, role_type::RoleType},
    paging::{self, Size},
    policy::Members,
};

const BUNDLES: &str = "/api/v1/iam/governance/bundles";
const STATUS: &str = "/api/v1/iam/governance/optIn";
const PAGE: Size = Size { default: 20, max: 200 };

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    let values = "/api/v1/iam/governance/bundles/{bundleId}/entitlements/{entitlementId}/values";
    let sources = "/api/v1/users/{userId}/roles/{roleAssignmentId}/governance";
    let source = "/api/v1/users/{userId}/roles/{roleAssignmentId}/governance/{grantId}";
    let resources = "/api/v1/users/{userId}/roles/{roleAssignmentId}/governance/{grantId}/resources";
    let rows = vec![
        Operation::read("getOptInStatus", GET, STATUS, status),
        Operation::write("optIn", POST, STATUS, opt_in),
        Operation::write("optOut", POST, "/api/v1/iam/governance/optOut", opt_out),
        Operation::read(
            "listBundleEntitlements",
            GET,
            "/api/v1/iam/governance/bundles/{bundleId}/entitlements",
            entitlements,
        ),
        Operation::read("listBundleEntitlementValues", GET, values, list_values),
        Operation::read("getUserAssignedRoleGovernance", GET, sources, list_sources),
        Operation::read("getRoleAssignmentGovernanceGrant", GET, source, get_source),
        Operation::read("getRoleAssignmentGovernanceGrantResources", GET, resources, get_source),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

fn is_in(state: &State) -> bool {
    let kept = state.objects.one("/api/v1/iam/governance", "optIn");
    kept.and_then(|one| one.get("in")) == Some(&Value::Bool(true))
}

fn told(status: &str, origin: &str) -> Typed<Value> {
    let links = Links::new().to("optInStatus", format!("{origin}{STATUS}"));
    Typed::ok(&json!({ "optInStatus": status, "_links": links.0 }))
}

/// `getOptInStatus`.
pub fn status(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    Ok(told(if is_in(cx.state) { "OPTED_IN" } else { "OPTED_OUT" }, &cx.scene.request.origin))
}

fn opt_in(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    opt(cx, true, ["OPTING_IN", "OPTED_IN"])
}

fn opt_out(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    opt(cx, false, ["OPTING_OUT", "OPTED_OUT"])
}

/// A change is under way when it is asked for, and over when it is looked at.
fn opt(cx: &mut Write<'_, '_, Okta>, wanted: bool, [under_way, over]: [&str; 2]) -> Result<Typed<Value>, Error> {
    if is_in(cx.state) == wanted {
        return Ok(told(over, &cx.scene.request.origin));
    }
    act(cx, |act| {
        let members = Members::from_iter([("in".to_owned(), wanted.into())]);
        act.state.objects.keep_one(&mut act.tx.changes, STATUS, members);
        Ok(())
    })?;
    Ok(told(under_way, &cx.scene.request.origin))
}

/// Arguments of the list of a bundle's entitlements.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfBundle {
    bundle_id: SmolStr,
    after: Option<String>,
    limit: Option<i64>,
}

/// The entitlements that a bundle was made with.
fn of_bundle<'s>(state: &'s State, id: &str) -> Result<Vec<&'s Value>, Error> {
    let bundle = state.objects.member(BUNDLES, id).ok_or_else(|| Error::not_found(id, "GovernanceBundle"))?;
    Ok(match bundle.get("entitlements") {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    })
}

/// The id of an entitlement follows from its role, as those of role assignments do.
fn id_of(entitlement: &Value) -> SmolStr {
    let role = entitlement["role"].as_str().unwrap_or_default();
    RoleType::find(role).map_or_else(|| role.into(), RoleType::assignment)
}

fn entitlement_body(state: &State, bundle: &str, entitlement: &Value, origin: &str) -> Value {
    let role = entitlement["role"].as_str().unwrap_or_default();
    let id = id_of(entitlement);
    let custom = state.iam.role(role);
    let name = custom.map_or_else(
        || RoleType::find(role).map_or(role, |kind| kind.label()).to_owned(),
        |custom| custom.label.to_string(),
    );
    let about = custom.map(|custom| custom.description.clone()).unwrap_or_default();
    let values = format!("{origin}{BUNDLES}/{bundle}/entitlements/{id}/values");
    json!({
        "id": id, "name": name, "description": about, "role": role, "_links": Links::new().to("values", values).0,
    })
}

/// A page of a list.
struct Page<'v> {
    rows: Vec<&'v Value>,
    /// What the next one begins behind; none where there is none.
    next: Option<&'v str>,
}

/// A page of what has ids.
///
/// # Errors
/// A cursor that is no id of these.
fn page<'v>(all: &'v [(SmolStr, Value)], after: Option<&str>, size: usize) -> Result<Page<'v>, Error> {
    let start = match after {
        None => 0,
        Some(after) => all.iter().position(|(id, _)| id == after).ok_or(Error::Cursor { search: false })? + 1,
    };
    let end = all.len().min(start + size);
    let next = all[start..end].last().filter(|_| end < all.len()).map(|(id, _)| id.as_str());
    Ok(Page { rows: all[start..end].iter().map(|(_, row)| row).collect(), next })
}

/// Links to the list itself, its bundle, and the next page where there is one.
fn links(cx: &Read<'_, Okta>, bundle: &str, size: usize, next: Option<&str>) -> Links {
    let request = cx.scene.request;
    let own = format!("{}{}", request.origin, request.path);
    let links = Links::new().to("bundle", format!("{}{BUNDLES}/{bundle}", request.origin));
    let links = match next {
        Some(next) => links.to("next", format!("{own}?after={next}&limit={size}")),
        None => links,
    };
    links.to("self", own)
}

fn entitlements(cx: &Read<'_, Okta>, args: OfBundle) -> Result<Typed<Value>, Error> {
    let size = paging::size(args.limit, PAGE)?;
    let all = of_bundle(cx.state, &args.bundle_id)?.into_iter();
    let origin = &cx.scene.request.origin;
    let all: Vec<(SmolStr, Value)> =
        all.map(|one| (id_of(one), entitlement_body(cx.state, &args.bundle_id, one, origin))).collect();
    let Page { rows, next } = page(&all, args.after.as_deref(), size)?;
    Ok(Typed::ok(&json!({ "entitlements": rows, "_links": links(cx, &args.bundle_id, size, next).0 })))
}

/// Arguments of the list of an entitlement's values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfEntitlement {
    bundle_id: SmolStr,
    entitlement_id: SmolStr,
    after: Option<String>,
    limit: Option<i64>,
}

/// A resource that an entitlement is narrowed to: its name and its ORN.
fn value_body(state: &State, org: &str, id: &str, origin: &str) -> Option<Value> {
    let of = |name: &str, orn: String, (relation, path): (&str, &str)| {
        let links = Links::new().to(relation, format!("{origin}{path}/{id}"));
        json!({ "id": id, "name": name, "value": orn, "_links": links.0 })
    };
    if let Some(group) = state.groups.get(id) {
        let orn = format!("orn:okta:directory:{org}:groups:{id}");
        return Some(of(&group.name, orn, ("group", "/api/v1/groups")));
    }
    if let Some(app) = state.apps.get(id) {
        let orn = format!("orn:okta:idp:{org}:apps:{}:{id}", app.name);
        return Some(of(&app.label, orn, ("app", "/api/v1/apps")));
    }
    let set = state.iam.set(id)?;
    let orn = format!("orn:okta:iam:{org}:contained_resources:{id}");
    Some(of(&set.label, orn, ("resource-set", "/api/v1/iam/resource-sets")))
}

fn list_values(cx: &Read<'_, Okta>, args: OfEntitlement) -> Result<Typed<Value>, Error> {
    let size = paging::size(args.limit, PAGE)?;
    let all = of_bundle(cx.state, &args.bundle_id)?;
    let found = all.into_iter().find(|one| id_of(one) == args.entitlement_id);
    let found = found.ok_or_else(|| Error::not_found(&args.entitlement_id, "Entitlement"))?;
    let org = cx.state.objects.one("/api/v1", "org").and_then(|org| org.get("id")?.as_str()).unwrap_or_default();
    let named = ["targets", "resourceSets"].into_iter().filter_map(|name| found[name].as_array()).flatten();
    let named = named.filter_map(Value::as_str);
    let origin = &cx.scene.request.origin;
    let all: Vec<(SmolStr, Value)> =
        named.filter_map(|id| Some((id.into(), value_body(cx.state, org, id, origin)?))).collect();
    let Page { rows, next } = page(&all, args.after.as_deref(), size)?;
    let above = format!("{origin}{BUNDLES}/{}/entitlements", args.bundle_id);
    let links = links(cx, &args.bundle_id, size, next).to("entitlements", above);
    Ok(Typed::ok(&json!({ "entitlementValues": rows, "_links": links.0 })))
}

/// Arguments about a person's role.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfRole {
    user_id: SmolStr,
    role_assignment_id: SmolStr,
}

impl OfRole {
    /// The person's id.
    fn check(&self, cx: &Read<'_, Okta>) -> Result<SmolStr, Error> {
        let user = find_user(cx.state, cx.caller, &self.user_id)?;
        let id = &self.role_assignment_id;
        cx.state.roles.get(&user.id, id).ok_or_else(|| Error::not_found(id, "RoleAssignment"))?;
        Ok(user.id.clone())
    }
}

fn list_sources(cx: &Read<'_, Okta>, args: OfRole) -> Result<Typed<Value>, Error> {
    let user = args.check(cx)?;
    let origin = &cx.scene.request.origin;
    let own = format!("{origin}/api/v1/users/{user}/roles/{}/governance", args.role_assignment_id);
    let links = Links::new().to("assignee", format!("{origin}/api/v1/users/{user}")).to("self", own);
    Ok(Typed::ok(&json!({ "grants": [], "_links": links.0 })))
}

/// Arguments about what gave a person a role.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Source {
    user_id: SmolStr,
    role_assignment_id: SmolStr,
    #[serde(rename = "grantId")]
    grant: SmolStr,
}

/// There is none: no bundle gave a role.
fn get_source(cx: &Read<'_, Okta>, args: Source) -> Result<Typed<Value>, Error> {
    OfRole { user_id: args.user_id, role_assignment_id: args.role_assignment_id }.check(cx)?;
    Err(Error::not_found(&args.grant, "GovernanceGrant"))
}
