//! Custom roles, their permissions, sets of resources, and what binds roles to sets.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleECustom/ and the tags beside it.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
};
use http::{Method, header::LINK};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Links, act, no_content, roles::address, stamp, tokens::Nothing};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{
        Act, State,
        iam::{self, CustomRole, Named, Permission, Resource, ResourceSet},
        orn::Orn,
        role::{self, Custom, Holder, Role},
    },
};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const PATCH: &[Method] = &[Method::PATCH];
const DELETE: &[Method] = &[Method::DELETE];

/// All rows.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    [custom_roles(), sets(), bindings()].into_iter().flatten().map(|row| row.limit("other")).collect()
}

fn custom_roles() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/iam/roles";
    const ONE: &str = "/api/v1/iam/roles/{roleIdOrLabel}";
    const PERMISSIONS: &str = "/api/v1/iam/roles/{roleIdOrLabel}/permissions";
    const PERMISSION: &str = "/api/v1/iam/roles/{roleIdOrLabel}/permissions/{permissionType}";
    vec![
        Operation::read("listRoles", GET, ALL, list_roles),
        Operation::write("createRole", POST, ALL, create_role),
        Operation::read("getRole", GET, ONE, get_role),
        Operation::write("replaceRole", PUT, ONE, replace_role),
        Operation::write("deleteRole", DELETE, ONE, delete_role),
        Operation::read("listRolePermissions", GET, PERMISSIONS, list_permissions),
        Operation::read("getRolePermission", GET, PERMISSION, get_permission),
        Operation::write("createRolePermission", POST, PERMISSION, create_permission),
        Operation::write("replaceRolePermission", PUT, PERMISSION, replace_permission),
        Operation::write("deleteRolePermission", DELETE, PERMISSION, delete_permission),
    ]
}

fn sets() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/iam/resource-sets";
    const ONE: &str = "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}";
    const RESOURCES: &str = "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}/resources";
    const RESOURCE: &str = "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}/resources/{resourceId}";
    vec![
        Operation::read("listResourceSets", GET, ALL, list_sets),
        Operation::write("createResourceSet", POST, ALL, create_set),
        Operation::read("getResourceSet", GET, ONE, get_set),
        Operation::write("replaceResourceSet", PUT, ONE, replace_set),
        Operation::write("deleteResourceSet", DELETE, ONE, delete_set),
        Operation::read("listResourceSetResources", GET, RESOURCES, list_resources),
        Operation::write("addResourceSetResource", POST, RESOURCES, add_resource),
        Operation::write("addResourceSetResources", PATCH, RESOURCES, add_resources),
        Operation::read("getResourceSetResource", GET, RESOURCE, get_resource),
        Operation::write("replaceResourceSetResource", PUT, RESOURCE, replace_resource),
        Operation::write("deleteResourceSetResource", DELETE, RESOURCE, delete_resource),
    ]
}

fn bindings() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}/bindings";
    const ONE: &str = "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}/bindings/{roleIdOrLabel}";
    const MEMBERS: &str = "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}/bindings/{roleIdOrLabel}/members";
    const MEMBER: &str = "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}/bindings/{roleIdOrLabel}/members/{memberId}";
    vec![
        Operation::read("listBindings", GET, ALL, list_bindings),
        Operation::write("createResourceSetBinding", POST, ALL, create_binding),
        Operation::read("getBinding", GET, ONE, get_binding),
        Operation::write("deleteBinding", DELETE, ONE, delete_binding),
        Operation::read("listMembersOfBinding", GET, MEMBERS, list_members),
        Operation::write("addMembersToBinding", PATCH, MEMBERS, add_members),
        Operation::read("getMemberOfBinding", GET, MEMBER, get_member),
        Operation::write("unassignMemberFromBinding", DELETE, MEMBER, remove_member),
    ]
}

/// The org's id.
pub(super) fn org(state: &State) -> String {
    let org = state.objects.one("/api/v1", "org").and_then(|org| org.get("id")).and_then(Value::as_str);
    org.unwrap_or_default().to_owned()
}

/// Okta links these answers to themselves, by id whatever the caller named them by: recorded.
fn linked(body: &Value, href: &str) -> Typed<Value> {
    Typed::ok(body).with_header(LINK, format!("<{href}>; rel=\"self\""))
}

fn find_role(state: &State, scene: &Scene<'_>) -> Result<Arc<CustomRole>, Error> {
    role_named(state, scene.request.path_param("roleIdOrLabel"))
}

fn role_named(state: &State, name: &str) -> Result<Arc<CustomRole>, Error> {
    state.iam.role(name).cloned().ok_or_else(|| Error::not_found(name, "CustomRole"))
}

/// Okta calls these sets policies when it does not find them: recorded.
fn find_set(state: &State, scene: &Scene<'_>) -> Result<Arc<ResourceSet>, Error> {
    let name = scene.request.path_param("resourceSetIdOrLabel");
    state.iam.set(name).cloned().ok_or_else(|| Error::not_found(name, "IAMPolicy"))
}

fn role_address(origin: &str, role: &CustomRole) -> String {
    format!("{origin}/api/v1/iam/roles/{}", role.id)
}

fn set_address(origin: &str, set: &ResourceSet) -> String {
    format!("{origin}/api/v1/iam/resource-sets/{}", set.id)
}

fn role_body(origin: &str, role: &CustomRole) -> Value {
    let own = role_address(origin, role);
    json!({
        "id": role.id, "label": role.label, "isCloneable": false, "description": role.description,
        "created": stamp(role.created), "lastUpdated": stamp(role.last_updated),
        "_links": Links::new().to("permissions", format!("{own}/permissions")).to("self", own).0,
    })
}

/// Arguments of lists with cursors.
#[derive(Debug, Deserialize, JsonSchema)]
struct After {
    after: Option<String>,
}

/// How many objects these lists show at once, by the public document.
const PAGE: usize = 100;

/// The next page's link, where there is more.
fn next<T>(rows: &mut Vec<T>, size: usize, list: &str, key: impl Fn(&T) -> SmolStr) -> Option<Value> {
    let more = rows.len() > size;
    rows.truncate(size);
    let last = rows.last().filter(|_| more).map(key)?;
    Some(json!({ "href": format!("{list}?after={last}") }))
}

fn list_roles(cx: &Read<'_, Okta>, args: After) -> Result<Typed<Value>, Error> {
    let after = args.after.unwrap_or_default();
    if !after.is_empty() && cx.state.iam.role(&after).is_none() {
        return Err(Error::Cursor { search: false });
    }
    let own = format!("{}/api/v1/iam/roles", cx.scene.request.origin);
    let mut rows: Vec<&Arc<CustomRole>> = cx.state.iam.roles_after(&after).take(PAGE + 1).collect();
    let mut links = Links::new().to("self", own.clone()).0;
    links.extend(next(&mut rows, PAGE, &own, |role| role.id.clone()).map(|next| ("next".to_owned(), next)));
    let rows: Vec<Value> = rows.into_iter().map(|role| role_body(&cx.scene.request.origin, role)).collect();
    Ok(linked(&json!({ "roles": rows, "_links": links }), &own))
}

/// Arguments of `createRole`.
#[derive(Debug, Deserialize, JsonSchema)]
struct CreateRole {
    body: NewRole,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRole {
    label: Option<SmolStr>,
    description: Option<String>,
    permissions: Option<Vec<SmolStr>>,
}

/// What is said of a role, both of which is wanted.
fn named(label: Option<SmolStr>, description: Option<String>) -> Result<Named, Error> {
    let (label, description) = (label.unwrap_or_default(), description.unwrap_or_default());
    let blank = "The field cannot be left blank";
    let all = [("label", label.trim().is_empty()), ("description", description.trim().is_empty())];
    let missing: Vec<_> = all.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| (name, blank)).collect();
    if missing.is_empty() { Ok(Named { label, description }) } else { Err(Error::fields(&missing)) }
}

fn create_role(cx: &mut Write<'_, '_, Okta>, args: CreateRole) -> Result<Typed<Value>, Error> {
    let named = named(args.body.label, args.body.description)?;
    let labels = args.body.permissions.unwrap_or_default();
    let role = act(cx, |act| iam::create_role(act, named, &labels))?;
    let origin = &cx.scene.request.origin;
    Ok(linked(&role_body(origin, &role), &role_address(origin, &role)))
}

fn get_role(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let (role, origin) = (find_role(cx.state, cx.scene)?, &cx.scene.request.origin);
    Ok(linked(&role_body(origin, &role), &role_address(origin, &role)))
}

/// Arguments of `replaceRole`.
#[derive(Debug, Deserialize, JsonSchema)]
struct ReplaceRole {
    body: OtherRole,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OtherRole {
    label: Option<SmolStr>,
    description: Option<String>,
}

fn replace_role(cx: &mut Write<'_, '_, Okta>, args: ReplaceRole) -> Result<Typed<Value>, Error> {
    let role = find_role(cx.state, cx.scene)?;
    let named = named(args.body.label, args.body.description)?;
    let role = act(cx, |act| iam::replace_role(act, &role, named))?;
    let origin = &cx.scene.request.origin;
    Ok(linked(&role_body(origin, &role), &role_address(origin, &role)))
}

fn delete_role(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let role = find_role(cx.state, cx.scene)?;
    act(cx, |act| {
        iam::delete_role(act, &role);
        Ok(())
    })?;
    Ok(no_content())
}

fn permission_body(origin: &str, role: &CustomRole, label: &str, permission: &Permission) -> Value {
    let of = role_address(origin, role);
    json!({
        "label": label, "created": stamp(permission.created), "lastUpdated": stamp(permission.last_updated),
        "conditions": permission.conditions,
        "_links": Links::new().to("role", of.clone()).to("self", format!("{of}/permissions/{label}")).0,
    })
}

/// The latest comes first; those of one second stand as a hash table of Okta's language has them. Both are inferred
/// from recordings, of which no plainer order explains all.
fn list_permissions(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let (role, origin) = (find_role(cx.state, cx.scene)?, &cx.scene.request.origin);
    let buckets = buckets(role.permissions.len());
    let mut all: Vec<_> = role.permissions.iter().collect();
    all.sort_by_key(|(label, permission)| (std::cmp::Reverse(permission.created), spread(label) & (buckets - 1)));
    let rows: Vec<Value> =
        all.into_iter().map(|(label, permission)| permission_body(origin, &role, label, permission)).collect();
    Ok(Typed::ok(&json!({ "permissions": rows })))
}

/// How many buckets a hash table of Java's has for so many entries.
fn buckets(entries: usize) -> u32 {
    let mut buckets = 16;
    while u64::from(buckets) * 3 / 4 < entries as u64 {
        buckets *= 2;
    }
    buckets
}

/// The hash of a text, as Java's hash tables use it.
fn spread(text: &str) -> u32 {
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    hash ^ (hash >> 16)
}

fn get_permission(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let (role, origin) = (find_role(cx.state, cx.scene)?, &cx.scene.request.origin);
    let label = cx.scene.request.path_param("permissionType");
    let permission = role.permissions.get(label).ok_or_else(|| Error::not_found(label, "Permission"))?;
    let body = permission_body(origin, &role, label, permission);
    Ok(linked(&body, &format!("{}/permissions/{label}", role_address(origin, &role))))
}

/// Arguments of the operations that write a permission.
#[derive(Debug, Deserialize, JsonSchema)]
struct WritePermission {
    #[serde(default, deserialize_with = "object")]
    body: PermissionInput,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PermissionInput {
    #[serde(default)]
    conditions: Option<Value>,
}

fn put_permission(cx: &mut Write<'_, '_, Okta>, args: WritePermission) -> Result<Value, Error> {
    let role = find_role(cx.state, cx.scene)?;
    let label = cx.scene.request.path_param("permissionType");
    let conditions = args.body.conditions.unwrap_or_default();
    if !conditions.is_null() && !conditions.is_object() {
        return Err(Error::Malformed);
    }
    let permission = act(cx, |act| iam::put_permission(act, &role, label, conditions))?;
    Ok(permission_body(&cx.scene.request.origin, &role, label, &permission))
}

fn create_permission(cx: &mut Write<'_, '_, Okta>, args: WritePermission) -> Result<Typed<()>, Error> {
    put_permission(cx, args).map(|_| no_content())
}

fn replace_permission(cx: &mut Write<'_, '_, Okta>, args: WritePermission) -> Result<Typed<Value>, Error> {
    let role = find_role(cx.state, cx.scene)?;
    let label = cx.scene.request.path_param("permissionType");
    if !role.permissions.contains_key(label) {
        return Err(Error::not_found(label, "Permission"));
    }
    let own = format!("{}/permissions/{label}", role_address(&cx.scene.request.origin, &role));
    put_permission(cx, args).map(|body| linked(&body, &own))
}

fn delete_permission(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let role = find_role(cx.state, cx.scene)?;
    let label = cx.scene.request.path_param("permissionType");
    act(cx, |act| iam::remove_permission(act, &role, label))?;
    Ok(no_content())
}

fn set_body(origin: &str, set: &ResourceSet) -> Value {
    let own = set_address(origin, set);
    let links = Links::new().to("bindings", format!("{own}/bindings")).to("self", own.clone());
    json!({
        "id": set.id, "label": set.label, "description": set.description, "created": stamp(set.created),
        "lastUpdated": stamp(set.last_updated), "_links": links.to("resources", format!("{own}/resources")).0,
    })
}

fn show_set(origin: &str, set: &ResourceSet) -> Typed<Value> {
    linked(&set_body(origin, set), &set_address(origin, set))
}

fn list_sets(cx: &Read<'_, Okta>, args: After) -> Result<Typed<Value>, Error> {
    let after = args.after.unwrap_or_default();
    if !after.is_empty() && cx.state.iam.set(&after).is_none() {
        return Err(Error::Cursor { search: false });
    }
    let own = format!("{}/api/v1/iam/resource-sets", cx.scene.request.origin);
    let mut rows: Vec<&Arc<ResourceSet>> = cx.state.iam.sets_after(&after).take(PAGE + 1).collect();
    let mut links = Links::new().to("self", own.clone()).0;
    links.extend(next(&mut rows, PAGE, &own, |set| set.id.clone()).map(|next| ("next".to_owned(), next)));
    let rows: Vec<Value> = rows.into_iter().map(|set| set_body(&cx.scene.request.origin, set)).collect();
    Ok(linked(&json!({ "resource-sets": rows, "_links": links }), &own))
}

/// Arguments of `createResourceSet`.
#[derive(Debug, Deserialize, JsonSchema)]
struct CreateSet {
    body: NewSet,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSet {
    label: Option<SmolStr>,
    description: Option<String>,
    resources: Option<Vec<String>>,
}

/// Resources by their names or addresses.
fn orns(state: &State, texts: &[String]) -> Result<Vec<Orn>, Error> {
    let org = org(state);
    let read = |text: &String| {
        let name = |id: &str| state.apps.get(id).map(|app| app.name.clone());
        Orn::read(text, &org, name).ok_or_else(|| Error::not_found(text, "Resource"))
    };
    texts.iter().map(read).collect()
}

fn create_set(cx: &mut Write<'_, '_, Okta>, args: CreateSet) -> Result<Typed<Value>, Error> {
    let label = args.body.label.ok_or_else(|| Error::fields(&[("label", "Label must be specified")]))?;
    let description =
        args.body.description.ok_or_else(|| Error::fields(&[("description", "The field cannot be left blank")]))?;
    let resources =
        args.body.resources.ok_or_else(|| Error::fields(&[("resources", "The field cannot be left blank")]))?;
    let orns = orns(cx.state, &resources)?;
    let set = act(cx, |act| iam::create_set(act, Named { label, description }, orns))?;
    Ok(show_set(&cx.scene.request.origin, &set))
}

fn get_set(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let set = find_set(cx.state, cx.scene)?;
    Ok(show_set(&cx.scene.request.origin, &set))
}

/// Arguments of `replaceResourceSet`.
#[derive(Debug, Deserialize, JsonSchema)]
struct ReplaceSet {
    body: OtherSet,
}

/// What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OtherSet {
    label: Option<SmolStr>,
    description: Option<String>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

fn replace_set(cx: &mut Write<'_, '_, Okta>, args: ReplaceSet) -> Result<Typed<Value>, Error> {
    let set = find_set(cx.state, cx.scene)?;
    let label = args.body.label.unwrap_or_default();
    let description = args.body.description.unwrap_or_else(|| set.description.clone());
    let set = act(cx, |act| iam::replace_set(act, &set, Named { label, description }))?;
    Ok(show_set(&cx.scene.request.origin, &set))
}

fn delete_set(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let set = find_set(cx.state, cx.scene)?;
    act(cx, |act| {
        iam::delete_set(act, &set);
        Ok(())
    })?;
    Ok(no_content())
}

/// A resource links to what it is, and to itself.
fn resource_body(origin: &str, set: &ResourceSet, resource: &Resource) -> Value {
    let own = format!("{}/resources/{}", set_address(origin, set), resource.id);
    let what = resource.orn.path().map_or_else(|| own.clone(), |path| format!("{origin}{path}"));
    let mut body = json!({
        "id": resource.id, "orn": resource.orn.text(), "created": stamp(resource.created),
        "lastUpdated": stamp(resource.last_updated),
        "_links": Links::new().to("self", what).to("resource", own).0,
    });
    if !resource.conditions.is_null() {
        body["conditions"] = resource.conditions.clone();
    }
    body
}

/// Arguments of `listResourceSetResources`.
#[derive(Debug, Deserialize, JsonSchema)]
struct ListResources {
    after: Option<String>,
    limit: Option<String>,
}

fn list_resources(cx: &Read<'_, Okta>, args: ListResources) -> Result<Typed<Value>, Error> {
    let (set, origin) = (find_set(cx.state, cx.scene)?, &cx.scene.request.origin);
    let wish = args.limit.map(|text| text.parse().map_err(|_| Error::mismatch("limit")));
    let size = crate::paging::size(wish.transpose()?, crate::paging::Size { default: PAGE, max: PAGE })?;
    let after = args.after.filter(|after| !after.is_empty());
    let begin = match after {
        Some(after) => {
            let at = set.resources.iter().position(|resource| resource.id == *after);
            1 + at.ok_or(Error::Cursor { search: false })?
        }
        None => 0,
    };
    let mut rows: Vec<&Resource> = set.resources.iter().skip(begin).take(size + 1).collect();
    let of = set_address(origin, &set);
    let own = format!("{of}/resources");
    let mut links = Links::new().to("resource-set", of).to("self", own.clone()).0;
    links.extend(next(&mut rows, size, &own, |resource| resource.id.clone()).map(|next| ("next".to_owned(), next)));
    let rows: Vec<Value> = rows.into_iter().map(|resource| resource_body(origin, &set, resource)).collect();
    Ok(linked(&json!({ "resources": rows, "_links": links }), &own))
}

/// Arguments of `addResourceSetResource`.
#[derive(Debug, Deserialize, JsonSchema)]
struct AddResource {
    body: NewResource,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewResource {
    resource_orn_or_url: Option<String>,
    conditions: Option<Value>,
}

fn add_resource(cx: &mut Write<'_, '_, Okta>, args: AddResource) -> Result<Typed<Value>, Error> {
    let set = find_set(cx.state, cx.scene)?;
    let blank = |field| Error::fields(&[(field, "The field cannot be left blank")]);
    let text = args.body.resource_orn_or_url.ok_or_else(|| blank("resourceOrnOrUrl"))?;
    let conditions = conditions(args.body.conditions)?.ok_or_else(|| blank("conditions"))?;
    let orns = orns(cx.state, &[text])?;
    let orn = orns.first().cloned();
    let set = act(cx, |act| iam::add_resources(act, &set, orns, &conditions))?;
    let resource = set.resources.iter().find(|resource| Some(&resource.orn) == orn.as_ref());
    let resource = resource.ok_or(Error::Malformed)?;
    let origin = &cx.scene.request.origin;
    let own = format!("{}/resources/{}", set_address(origin, &set), resource.id);
    Ok(linked(&resource_body(origin, &set, resource), &own))
}

/// Conditions are an object where they are there.
fn conditions(sent: Option<Value>) -> Result<Option<Value>, Error> {
    match sent.filter(|sent| !sent.is_null()) {
        Some(sent) if !sent.is_object() => Err(Error::Malformed),
        sent => Ok(sent),
    }
}

/// Arguments of the operations that add to a list.
#[derive(Debug, Deserialize, JsonSchema)]
struct Add {
    body: Additions,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Additions {
    #[serde(default)]
    additions: Vec<String>,
}

fn add_resources(cx: &mut Write<'_, '_, Okta>, args: Add) -> Result<Typed<Value>, Error> {
    let set = find_set(cx.state, cx.scene)?;
    let orns = orns(cx.state, &args.body.additions)?;
    let set = act(cx, |act| iam::add_resources(act, &set, orns, &Value::Null))?;
    Ok(show_set(&cx.scene.request.origin, &set))
}

fn get_resource(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let (set, origin) = (find_set(cx.state, cx.scene)?, &cx.scene.request.origin);
    let id = cx.scene.request.path_param("resourceId");
    let resource = set.resources.iter().find(|resource| resource.id == id).ok_or_else(|| iam::missing(id))?;
    let own = format!("{}/resources/{id}", set_address(origin, &set));
    Ok(linked(&resource_body(origin, &set, resource), &own))
}

/// Arguments of `replaceResourceSetResource`.
#[derive(Debug, Deserialize, JsonSchema)]
struct ReplaceResource {
    body: OtherResource,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OtherResource {
    conditions: Option<Value>,
}

fn replace_resource(cx: &mut Write<'_, '_, Okta>, args: ReplaceResource) -> Result<Typed<Value>, Error> {
    let set = find_set(cx.state, cx.scene)?;
    let id = cx.scene.request.path_param("resourceId");
    let conditions = conditions(args.body.conditions)?.unwrap_or_default();
    let resource = act(cx, |act| iam::replace_resource(act, &set, id, conditions))?;
    let origin = &cx.scene.request.origin;
    let own = format!("{}/resources/{id}", set_address(origin, &set));
    Ok(linked(&resource_body(origin, &set, &resource), &own))
}

fn delete_resource(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let set = find_set(cx.state, cx.scene)?;
    let id = cx.scene.request.path_param("resourceId");
    act(cx, |act| iam::remove_resource(act, &set, id))?;
    Ok(no_content())
}

/// The addresses of a binding: itself, its members, its set, and the bindings of its set.
struct Addresses {
    own: String,
    set: String,
}

impl Addresses {
    fn new(origin: &str, set: &ResourceSet, role: &SmolStr) -> Self {
        let set = set_address(origin, set);
        Self { own: format!("{set}/bindings/{role}"), set }
    }

    /// The answer of what changes a binding.
    fn edited(&self) -> Typed<Value> {
        let links = Links::new().to("self", self.own.clone()).to("resource-set", self.set.clone());
        let links = links.to("bindings", format!("{}/bindings", self.set));
        Typed::ok(&json!({ "_links": links.0 }))
    }
}

/// The role of a binding that a path names.
fn find_binding(state: &State, scene: &Scene<'_>) -> Result<(Arc<ResourceSet>, Arc<CustomRole>), Error> {
    let (set, role) = (find_set(state, scene)?, find_role(state, scene)?);
    if set.bindings.contains(&role.id) {
        return Ok((set, role));
    }
    Err(Error::not_found(&role.id, "RoleResourceSetBinding"))
}

fn list_bindings(cx: &Read<'_, Okta>, args: After) -> Result<Typed<Value>, Error> {
    let (set, origin) = (find_set(cx.state, cx.scene)?, &cx.scene.request.origin);
    let after = args.after.unwrap_or_default();
    if !after.is_empty() && !set.bindings.contains(after.as_str()) {
        return Err(Error::Cursor { search: false });
    }
    let of = set_address(origin, &set);
    let own = format!("{of}/bindings");
    let mut roles: Vec<&SmolStr> =
        set.bindings.iter().filter(|id| id.as_str() > after.as_str()).take(PAGE + 1).collect();
    let mut links = Links::new().to("resource-set", of).to("self", own.clone()).0;
    links.extend(next(&mut roles, PAGE, &own, |id| (*id).clone()).map(|next| ("next".to_owned(), next)));
    let row = |id: &SmolStr| {
        let one = Addresses::new(origin, &set, id);
        let links = Links::new().to("self", one.own.clone()).to("members", format!("{}/members", one.own));
        json!({ "id": id, "_links": links.0 })
    };
    let rows: Vec<Value> = roles.into_iter().map(row).collect();
    Ok(linked(&json!({ "roles": rows, "_links": links }), &own))
}

/// Arguments of `createResourceSetBinding`.
#[derive(Debug, Deserialize, JsonSchema)]
struct CreateBinding {
    body: NewBinding,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewBinding {
    role: Option<SmolStr>,
    #[serde(default)]
    members: Vec<String>,
}

/// Members by their addresses or names: people, groups, clients.
fn holders(state: &State, texts: &[String]) -> Result<Vec<Holder>, Error> {
    let read = |text: &String| {
        let parts: Vec<&str> = text.trim_end_matches('/').rsplit(['/', ':']).take(2).collect();
        let found = match parts.as_slice() {
            [id, "users"] => state.users.get(id).map(|user| Holder::user(user)),
            [id, "groups"] => state.groups.get(id).map(|group| Holder::group(group)),
            [id, "clients"] => state.clients.get(id).map(|client| Holder::client(client)),
            _ => None,
        };
        found.ok_or_else(|| Error::not_found(parts.first().copied().unwrap_or_default(), "Member"))
    };
    texts.iter().map(read).collect()
}

/// Gives members a binding's role; those who hold it stay as they are.
fn bind(act: &mut Act<'_, '_>, set: &ResourceSet, role: &CustomRole, members: Vec<Holder>) -> Result<(), Error> {
    iam::open_binding(act, set, role);
    let custom = Custom { role: role.id.clone(), set: set.id.clone() };
    for member in members {
        if !act.state.roles.bound(&custom).any(|held| held.holder == member) {
            role::bind(act, member, custom.clone())?;
        }
    }
    Ok(())
}

/// The role is looked for first: recorded.
fn create_binding(cx: &mut Write<'_, '_, Okta>, args: CreateBinding) -> Result<Typed<Value>, Error> {
    let set = find_set(cx.state, cx.scene)?;
    let name = args.body.role.ok_or_else(|| Error::fields(&[("role", "The field cannot be left blank")]))?;
    let role = role_named(cx.state, &name)?;
    let members = holders(cx.state, &args.body.members)?;
    act(cx, |act| bind(act, &set, &role, members))?;
    Ok(Addresses::new(&cx.scene.request.origin, &set, &role.id).edited())
}

fn get_binding(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let (set, role) = find_binding(cx.state, cx.scene)?;
    let at = Addresses::new(&cx.scene.request.origin, &set, &role.id);
    let links = Links::new().to("self", at.own.clone()).to("resource-set", at.set);
    let links = links.to("members", format!("{}/members", at.own));
    Ok(linked(&json!({ "id": role.id, "_links": links.0 }), &at.own))
}

fn delete_binding(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let (set, role) = find_binding(cx.state, cx.scene)?;
    act(cx, |act| {
        iam::unbind(act, &set, &role);
        Ok(())
    })?;
    Ok(no_content())
}

fn member_body(origin: &str, member: &Role) -> Value {
    json!({
        "id": member.id, "created": stamp(member.created), "lastUpdated": stamp(member.last_updated),
        "_links": Links::new().to("self", address(origin, &member.holder)).0,
    })
}

fn list_members(cx: &Read<'_, Okta>, args: After) -> Result<Typed<Value>, Error> {
    let (set, role) = find_binding(cx.state, cx.scene)?;
    let origin = &cx.scene.request.origin;
    let custom = Custom { role: role.id.clone(), set: set.id.clone() };
    let after = args.after.unwrap_or_default();
    if !after.is_empty() && !cx.state.roles.bound(&custom).any(|member| member.id == after) {
        return Err(Error::Cursor { search: false });
    }
    let behind = cx.state.roles.bound(&custom).filter(|member| member.id.as_str() > after.as_str());
    let mut rows: Vec<&Arc<Role>> = behind.take(PAGE + 1).collect();
    let at = Addresses::new(origin, &set, &role.id);
    let own = format!("{}/members", at.own);
    let mut links = Links::new().to("self", own.clone()).to("binding", at.own).0;
    links.extend(next(&mut rows, PAGE, &own, |member| member.id.clone()).map(|next| ("next".to_owned(), next)));
    let rows: Vec<Value> = rows.into_iter().map(|member| member_body(origin, member)).collect();
    Ok(linked(&json!({ "members": rows, "_links": links }), &own))
}

fn add_members(cx: &mut Write<'_, '_, Okta>, args: Add) -> Result<Typed<Value>, Error> {
    let (set, role) = find_binding(cx.state, cx.scene)?;
    let members = holders(cx.state, &args.body.additions)?;
    act(cx, |act| bind(act, &set, &role, members))?;
    Ok(Addresses::new(&cx.scene.request.origin, &set, &role.id).edited())
}

fn find_member(state: &State, scene: &Scene<'_>) -> Result<Arc<Role>, Error> {
    let (set, role) = find_binding(state, scene)?;
    let custom = Custom { role: role.id.clone(), set: set.id.clone() };
    let id = scene.request.path_param("memberId");
    let found = state.roles.bound(&custom).find(|member| member.id == id || member.holder.id == id);
    found.cloned().ok_or_else(|| Error::not_found(id, "Member"))
}

fn get_member(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let member = find_member(cx.state, cx.scene)?;
    let request = cx.scene.request;
    Ok(linked(&member_body(&request.origin, &member), &format!("{}{}", request.origin, request.path)))
}

fn remove_member(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let member = find_member(cx.state, cx.scene)?;
    act(cx, |act| role::unassign(act, &member))?;
    Ok(no_content())
}
