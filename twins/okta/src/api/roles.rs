//! Administrator roles of people, groups and OAuth clients, and what they are narrowed to.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentAUser/ and the tags beside it.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
    wire::Answer,
};
use http::{Method, StatusCode, header::LINK};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Links, act, find_user, groups::GroupBody, no_content, stamp, tokens::Nothing};
use crate::{
    Caller, Okta,
    error::Error,
    model::{
        State,
        app::App,
        group::Group,
        role::{self, AppTarget, Custom, Holder, Role, Whom},
        role_type::RoleType,
    },
    paging::{self, Size},
};

/// An object without a type of its own.
type Object = Map<String, Value>;

/// How many targets a page has.
const PAGE: Size = Size { default: 20, max: 200 };

/// All rows: the same for people, groups and clients but for what only people have.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    [people(), groups(), clients()].into_iter().flatten().map(|row| row.limit("other")).collect()
}

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const DELETE: &[Method] = &[Method::DELETE];

fn people() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/users/{userId}/roles";
    const ONE: &str = "/api/v1/users/{userId}/roles/{roleAssignmentId}";
    const APPS: &str = "/api/v1/users/{userId}/roles/{roleAssignmentId}/targets/catalog/apps";
    const NAME: &str = "/api/v1/users/{userId}/roles/{roleAssignmentId}/targets/catalog/apps/{appName}";
    const APP: &str = "/api/v1/users/{userId}/roles/{roleAssignmentId}/targets/catalog/apps/{appName}/{appId}";
    const GROUPS: &str = "/api/v1/users/{userId}/roles/{roleAssignmentId}/targets/groups";
    const GROUP: &str = "/api/v1/users/{userId}/roles/{roleAssignmentId}/targets/groups/{groupId}";
    const TARGETS: &str = "/api/v1/users/{userId}/roles/{roleIdOrEncodedRoleId}/targets";
    vec![
        Operation::read("listUsersWithRoleAssignments", GET, "/api/v1/iam/assignees/users", list_people),
        Operation::read("listAssignedRolesForUser", GET, ALL, list),
        Operation::write("assignRoleToUser", POST, ALL, assign),
        Operation::read("getUserAssignedRole", GET, ONE, get),
        Operation::write("unassignRoleFromUser", DELETE, ONE, unassign),
        Operation::read("listApplicationTargetsForApplicationAdministratorRoleForUser", GET, APPS, list_apps),
        Operation::write("assignAllAppsAsTargetToRoleForUser", PUT, APPS, add_all_apps),
        Operation::write("assignAppTargetToAdminRoleForUser", PUT, NAME, add_app),
        Operation::write("unassignAppTargetFromAppAdminRoleForUser", DELETE, NAME, remove_app),
        Operation::write("assignAppInstanceTargetToAppAdminRoleForUser", PUT, APP, add_app),
        Operation::write("unassignAppInstanceTargetFromAdminRoleForUser", DELETE, APP, remove_app),
        Operation::read("listGroupTargetsForRole", GET, GROUPS, list_groups),
        Operation::write("assignGroupTargetToUserRole", PUT, GROUP, add_group),
        Operation::write("unassignGroupTargetFromUserAdminRole", DELETE, GROUP, remove_group),
        Operation::read("getRoleTargetsByUserIdAndRoleId", GET, TARGETS, list_targets),
    ]
}

fn groups() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/groups/{groupId}/roles";
    const ONE: &str = "/api/v1/groups/{groupId}/roles/{roleAssignmentId}";
    const APPS: &str = "/api/v1/groups/{groupId}/roles/{roleAssignmentId}/targets/catalog/apps";
    const NAME: &str = "/api/v1/groups/{groupId}/roles/{roleAssignmentId}/targets/catalog/apps/{appName}";
    const APP: &str = "/api/v1/groups/{groupId}/roles/{roleAssignmentId}/targets/catalog/apps/{appName}/{appId}";
    const GROUPS: &str = "/api/v1/groups/{groupId}/roles/{roleAssignmentId}/targets/groups";
    const GROUP: &str = "/api/v1/groups/{groupId}/roles/{roleAssignmentId}/targets/groups/{targetGroupId}";
    vec![
        Operation::read("listGroupAssignedRoles", GET, ALL, list),
        Operation::write("assignRoleToGroup", POST, ALL, assign),
        Operation::read("getGroupAssignedRole", GET, ONE, get),
        Operation::write("unassignRoleFromGroup", DELETE, ONE, unassign),
        Operation::read("listApplicationTargetsForApplicationAdministratorRoleForGroup", GET, APPS, list_apps),
        Operation::write("assignAppTargetToAdminRoleForGroup", PUT, NAME, add_app),
        Operation::write("unassignAppTargetToAdminRoleForGroup", DELETE, NAME, remove_app),
        Operation::write("assignAppInstanceTargetToAppAdminRoleForGroup", PUT, APP, add_app),
        Operation::write("unassignAppInstanceTargetToAppAdminRoleForGroup", DELETE, APP, remove_app),
        Operation::read("listGroupTargetsForGroupRole", GET, GROUPS, list_groups),
        Operation::write("assignGroupTargetToGroupAdminRole", PUT, GROUP, add_group),
        Operation::write("unassignGroupTargetFromGroupAdminRole", DELETE, GROUP, remove_group),
    ]
}

fn clients() -> Vec<Operation<Okta>> {
    const ALL: &str = "/oauth2/v1/clients/{clientId}/roles";
    const ONE: &str = "/oauth2/v1/clients/{clientId}/roles/{roleAssignmentId}";
    const APPS: &str = "/oauth2/v1/clients/{clientId}/roles/{roleAssignmentId}/targets/catalog/apps";
    const NAME: &str = "/oauth2/v1/clients/{clientId}/roles/{roleAssignmentId}/targets/catalog/apps/{appName}";
    const APP: &str = "/oauth2/v1/clients/{clientId}/roles/{roleAssignmentId}/targets/catalog/apps/{appName}/{appId}";
    const GROUPS: &str = "/oauth2/v1/clients/{clientId}/roles/{roleAssignmentId}/targets/groups";
    const GROUP: &str = "/oauth2/v1/clients/{clientId}/roles/{roleAssignmentId}/targets/groups/{groupId}";
    vec![
        Operation::read("listRolesForClient", GET, ALL, list),
        Operation::write("assignRoleToClient", POST, ALL, assign),
        Operation::read("retrieveClientRole", GET, ONE, get),
        Operation::write("deleteRoleFromClient", DELETE, ONE, unassign),
        Operation::read("listAppTargetRoleToClient", GET, APPS, list_apps),
        Operation::write("assignAppTargetRoleToClient", PUT, NAME, add_app),
        Operation::write("removeAppTargetRoleFromClient", DELETE, NAME, remove_app),
        Operation::write("assignAppTargetInstanceRoleForClient", PUT, APP, add_app),
        Operation::write("removeAppTargetInstanceRoleForClient", DELETE, APP, remove_app),
        Operation::read("listGroupTargetRoleForClient", GET, GROUPS, list_groups),
        Operation::write("assignGroupTargetRoleForClient", PUT, GROUP, add_group),
        Operation::write("removeGroupTargetRoleFromClient", DELETE, GROUP, remove_group),
    ]
}

/// Whose roles a path is about.
fn holder(state: &State, caller: &Caller, scene: &Scene<'_>) -> Result<Holder, Error> {
    let param = |name| scene.request.path_param(name);
    let path = scene.operation.path;
    if path.starts_with("/api/v1/users/") {
        return Ok(Holder::user(&*find_user(state, caller, param("userId"))?));
    }
    if path.starts_with("/api/v1/groups/") {
        let id = param("groupId");
        let group = state.groups.get(id).ok_or_else(|| Error::not_found(id, "UserGroup"))?;
        return Ok(Holder::group(group));
    }
    let id = param("clientId");
    let client = state.clients.get(id).ok_or_else(|| Error::not_found(id, "PublicClientApp"))?;
    Ok(Holder::client(client))
}

/// The role that a path is about.
fn find(state: &State, caller: &Caller, scene: &Scene<'_>) -> Result<Arc<Role>, Error> {
    let holder = holder(state, caller, scene)?;
    let id = scene.request.path_param("roleAssignmentId");
    state.roles.get(&holder.id, id).cloned().ok_or_else(|| Error::not_found(id, "RoleAssignment"))
}

/// The address of whoever holds a role.
pub(super) fn address(origin: &str, holder: &Holder) -> String {
    let id = &holder.id;
    match holder.kind {
        Whom::User => format!("{origin}/api/v1/users/{id}"),
        Whom::Group => format!("{origin}/api/v1/groups/{id}"),
        Whom::Client => format!("{origin}/oauth2/v1/clients/{id}"),
    }
}

/// A role as Okta shows it. Standard ones are recorded; custom ones are as the public document has them.
fn body(state: &State, origin: &str, role: &Role) -> Object {
    let custom = role.custom.as_ref().map(|custom| (custom, state.iam.role(&custom.role)));
    let label = custom.and_then(|(_, role)| role).map_or(role.kind.label(), |custom| &custom.label);
    let mut links = Links::new().to("assignee", address(origin, &role.holder));
    let mut body = Object::new();
    body.insert("id".to_owned(), json!(role.id));
    if let Some((custom, _)) = custom {
        let set = format!("{origin}/api/v1/iam/resource-sets/{}", custom.set);
        let own = format!("{origin}/api/v1/iam/roles/{}", custom.role);
        let member = format!("{set}/bindings/{}/members/{}", custom.role, role.id);
        links = links.to("resource-set", set).to("permissions", format!("{own}/permissions"));
        links = links.to("role", own).to("member", member);
        body.insert("role".to_owned(), json!(custom.role));
        body.insert("resource-set".to_owned(), json!(custom.set));
    }
    for (name, value) in [("label", label), ("type", role.kind.text()), ("status", "ACTIVE")] {
        body.insert(name.to_owned(), value.into());
    }
    body.insert("created".to_owned(), stamp(role.created).into());
    body.insert("lastUpdated".to_owned(), stamp(role.last_updated).into());
    body.insert("assignmentType".to_owned(), role.holder.kind.text().into());
    body.insert("_links".to_owned(), Value::Object(links.0));
    body
}

/// Arguments of the lists of roles.
#[derive(Debug, Deserialize, JsonSchema)]
struct List {
    expand: Option<String>,
}

/// What `expand` may ask for.
const EXPANDED: [&str; 2] = ["targets/groups", "targets/catalog/apps"];

fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<Object>>, Error> {
    let (state, origin) = (cx.state, cx.scene.request.origin.as_str());
    let holder = holder(state, cx.caller, cx.scene)?;
    let asked: Vec<&str> =
        args.expand.as_deref().unwrap_or_default().split(',').filter(|one| !one.is_empty()).collect();
    if holder.kind != Whom::Client && asked.iter().any(|one| !EXPANDED.contains(one)) {
        return Err(super::bad_expand());
    }
    let held: Vec<&Arc<Role>> = match state.users.get(&holder.id) {
        Some(user) => role::of_user(state, user).collect(),
        None => state.roles.of(&holder.id).collect(),
    };
    let rows = held.into_iter().map(|role| {
        let mut row = body(state, origin, role);
        if let Some(targets) = expanded(state, origin, role, &asked) {
            row.insert("_embedded".to_owned(), json!({ "targets": targets }));
        }
        row
    });
    Ok(Typed::ok(&rows.collect()))
}

/// The targets that `expand` asks for.
fn expanded(state: &State, origin: &str, role: &Role, asked: &[&str]) -> Option<Value> {
    let mut targets = Object::new();
    if asked.contains(&EXPANDED[0]) {
        let groups = role.groups.iter().filter_map(|id| state.groups.get(id));
        let groups: Vec<GroupBody> = groups.map(|group| GroupBody::new(group, origin)).collect();
        targets.insert("groups".to_owned(), json!(groups));
    }
    if asked.contains(&EXPANDED[1]) {
        let apps: Vec<Value> = role.apps.iter().map(|target| catalog(state, origin, target)).collect();
        targets.insert("catalog".to_owned(), json!({ "apps": apps }));
    }
    (!targets.is_empty()).then_some(Value::Object(targets))
}

fn get(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Object>, Error> {
    let role = find(cx.state, cx.caller, cx.scene)?;
    Ok(Typed::ok(&body(cx.state, &cx.scene.request.origin, &role)))
}

/// Arguments of the operations that give roles.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Assign {
    body: AssignBody,
    /// Whether the new administrator is told nothing: nobody is told anything here.
    #[serde(default, rename = "disableNotifications")]
    _disable_notifications: Option<String>,
}

/// What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AssignBody {
    r#type: Option<String>,
    role: Option<SmolStr>,
    #[serde(rename = "resource-set")]
    resource_set: Option<SmolStr>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "label")]
    _label: Option<Value>,
    #[serde(default, rename = "status")]
    _status: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "assignmentType")]
    _assignment_type: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
    #[serde(default, rename = "_embedded")]
    _embedded: Option<Value>,
}

impl AssignBody {
    /// The kind, and what a custom role is.
    fn read(self, state: &State) -> Result<(RoleType, Option<Custom>), Error> {
        let name = self.r#type.ok_or_else(|| Error::fields(&[("type", "The field cannot be left blank")]))?;
        let kind = RoleType::find(&name).ok_or(Error::Malformed)?;
        if kind != RoleType::Custom {
            return Ok((kind, None));
        }
        let blank = |field| Error::fields(&[(field, "The field cannot be left blank")]);
        let role = self.role.ok_or_else(|| blank("role"))?;
        let set = self.resource_set.ok_or_else(|| blank("resource-set"))?;
        let role = state.iam.role(&role).ok_or_else(|| Error::not_found(&role, "CustomRole"))?;
        let set = state.iam.set(&set).ok_or_else(|| Error::not_found(&set, "IAMPolicy"))?;
        Ok((kind, Some(Custom { role: role.id.clone(), set: set.id.clone() })))
    }
}

/// People's and groups' answers are 201, as recorded of both; clients' 200, as the document has it.
fn assign(cx: &mut Write<'_, '_, Okta>, args: Assign) -> Result<Typed<Object>, Error> {
    let holder = holder(cx.state, cx.caller, cx.scene)?;
    let status = if holder.kind == Whom::Client { StatusCode::OK } else { StatusCode::CREATED };
    let (kind, custom) = args.body.read(cx.state)?;
    let role = act(cx, |act| match custom {
        Some(custom) => {
            open(act, &custom);
            role::bind(act, holder, custom)
        }
        None => role::assign(act, holder, kind),
    })?;
    Ok(Typed::ok(&body(cx.state, &cx.scene.request.origin, &role)).with_status(status))
}

/// Whoever is given a custom role by itself is a member of its binding.
fn open(act: &mut crate::model::Act<'_, '_>, custom: &Custom) {
    let found = (act.state.iam.set(&custom.set).cloned(), act.state.iam.role(&custom.role).cloned());
    if let (Some(set), Some(role)) = found {
        crate::model::iam::open_binding(act, &set, &role);
    }
}

fn unassign(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let role = find(cx.state, cx.caller, cx.scene)?;
    act(cx, |act| role::unassign(act, &role))?;
    Ok(no_content())
}

/// Arguments of lists with pages.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Paged {
    after: Option<String>,
    limit: Option<String>,
}

impl Paged {
    fn size(&self, size: Size) -> Result<usize, Error> {
        let wish = self.limit.as_deref().map(|text| text.parse().map_err(|_| Error::mismatch("limit")));
        paging::size(wish.transpose()?, size)
    }
}

/// A page of what has keys.
struct Page<T> {
    rows: Vec<T>,
    /// The cursor of this page.
    own: String,
    /// The cursor of the next one.
    next: Option<String>,
}

/// The cursor behind a key, as recorded cursors begin and end; of the first page, that behind none.
fn cursor(key: &str) -> String {
    format!("PGE{key}1")
}

/// The page behind a cursor.
fn page<T>(args: &Paged, size: usize, all: Vec<(SmolStr, T)>) -> Result<Page<T>, Error> {
    let bad = || Error::Cursor { search: false };
    let sent = args.after.as_deref().filter(|after| !after.is_empty());
    let key = sent.map(|sent| sent.strip_prefix("PGE").and_then(|rest| rest.strip_suffix('1')).ok_or_else(bad));
    let key = key.transpose()?.unwrap_or_default();
    let begin = match key {
        "" => 0,
        key => 1 + all.iter().position(|(own, _)| own == key).ok_or_else(bad)?,
    };
    let next = all.get(begin + size - 1).filter(|_| all.len() > begin + size).map(|(key, _)| cursor(key));
    let rows = all.into_iter().skip(begin).take(size).map(|(_, item)| item).collect();
    Ok(Page { rows, own: cursor(key), next })
}

/// A page with its links: also that to itself has a cursor, as recorded.
fn paged<T: serde::Serialize>(page: &Page<T>, scene: &Scene<'_>, size: usize) -> Typed<Vec<T>> {
    let link = |cursor: &str, relation: &str| {
        let request = scene.request;
        format!("<{}{}?after={cursor}&limit={size}>; rel=\"{relation}\"", request.origin, request.path)
    };
    let answer = Typed::from_answer(Answer::json(&page.rows)).with_header(LINK, link(&page.own, "self"));
    match &page.next {
        Some(next) => answer.with_header(LINK, link(next, "next")),
        None => answer,
    }
}

fn list_groups(cx: &Read<'_, Okta>, args: Paged) -> Result<Typed<Vec<GroupBody>>, Error> {
    let role = find(cx.state, cx.caller, cx.scene)?;
    let size = args.size(PAGE)?;
    let groups = role.groups.iter().filter_map(|id| cx.state.groups.get(id));
    let all = groups.map(|group| (group.id.clone(), GroupBody::new(group, &cx.scene.request.origin)));
    Ok(paged(&page(&args, size, all.collect())?, cx.scene, size))
}

fn list_apps(cx: &Read<'_, Okta>, args: Paged) -> Result<Typed<Vec<Value>>, Error> {
    let role = find(cx.state, cx.caller, cx.scene)?;
    let size = args.size(PAGE)?;
    let key = |target: &AppTarget| target.app.clone().unwrap_or_else(|| target.name.clone());
    let all = role.apps.iter().map(|target| (key(target), catalog(cx.state, &cx.scene.request.origin, target)));
    Ok(paged(&page(&args, size, all.collect())?, cx.scene, size))
}

/// An app, or all apps of a definition, as a target. Of a definition that no app of the org has, its name is all that
/// is known.
fn catalog(state: &State, origin: &str, target: &AppTarget) -> Value {
    let app = match &target.app {
        Some(id) => state.apps.get(id),
        None => state.apps.iter().find(|app| app.name == target.name),
    };
    let name = target.app.as_ref().and(app).map_or(target.name.as_str(), |app| &app.label);
    let mut body = json!({ "name": target.name, "displayName": name, "status": "ACTIVE" });
    if let Some(app) = app {
        body["lastUpdated"] = stamp(app.last_updated).into();
        body["signOnModes"] = json!([app.mode.text()]);
    }
    if let (Some(id), Some(app)) = (&target.app, app) {
        body["id"] = json!(id);
        body["status"] = if app.active { "ACTIVE" } else { "INACTIVE" }.into();
        body["_links"] = json!({ "self": { "href": format!("{origin}/api/v1/apps/{id}") } });
    }
    body
}

fn target_group(state: &State, scene: &Scene<'_>) -> Result<Arc<Group>, Error> {
    let of_group = scene.operation.path.starts_with("/api/v1/groups/");
    let id = scene.request.path_param(if of_group { "targetGroupId" } else { "groupId" });
    state.groups.get(id).cloned().ok_or_else(|| Error::not_found(id, "UserGroup"))
}

fn add_group(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let (role, group) = (find(cx.state, cx.caller, cx.scene)?, target_group(cx.state, cx.scene)?);
    act(cx, |act| role::add_group(act, &role, &group))?;
    Ok(no_content())
}

fn remove_group(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let (role, group) = (find(cx.state, cx.caller, cx.scene)?, target_group(cx.state, cx.scene)?);
    act(cx, |act| role::remove_group(act, &role, &group))?;
    Ok(no_content())
}

/// The app or definition that a path names. Definitions are those of a catalogue that is not known here: any name is
/// one. An app must be there and be of its definition.
fn target_app(state: &State, scene: &Scene<'_>) -> Result<AppTarget, Error> {
    let name = SmolStr::new(scene.request.path_param("appName"));
    let id = scene.request.path_param("appId");
    if id.is_empty() {
        return Ok(AppTarget { name, app: None });
    }
    let fits = |app: &&Arc<App>| app.name == name;
    let app = state.apps.get(id).filter(fits).ok_or_else(|| Error::not_found(id, "AppInstance"))?;
    Ok(AppTarget { name, app: Some(app.id.clone()) })
}

/// Of a definition that is added to a group's role, the document's answer is 200; all others are 204.
fn add_app(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let (role, target) = (find(cx.state, cx.caller, cx.scene)?, target_app(cx.state, cx.scene)?);
    act(cx, |act| role::add_app(act, &role, target))?;
    let whole = cx.scene.operation.id == "assignAppTargetToAdminRoleForGroup";
    Ok(if whole { no_content().with_status(StatusCode::OK) } else { no_content() })
}

fn remove_app(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let (role, target) = (find(cx.state, cx.caller, cx.scene)?, target_app(cx.state, cx.scene)?);
    act(cx, |act| role::remove_app(act, &role, &target))?;
    Ok(no_content())
}

fn add_all_apps(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let role = find(cx.state, cx.caller, cx.scene)?;
    act(cx, |act| role::widen_to_all_apps(act, &role))?;
    Ok(no_content().with_status(StatusCode::OK))
}

/// Arguments of `getRoleTargetsByUserIdAndRoleId`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Targets {
    assignment_type: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// `getRoleTargetsByUserIdAndRoleId`: of all assignments by which a person has a role.
fn list_targets(cx: &Read<'_, Okta>, args: Targets) -> Result<Typed<Vec<Value>>, Error> {
    let (state, origin) = (cx.state, cx.scene.request.origin.as_str());
    let user = find_user(state, cx.caller, cx.scene.request.path_param("userId"))?;
    let wanted = cx.scene.request.path_param("roleIdOrEncodedRoleId");
    let is = |role: &&Arc<Role>| role.id == wanted || role.custom.as_ref().is_some_and(|custom| custom.role == wanted);
    let held: Vec<&Arc<Role>> = role::of_user(state, &user).filter(is).collect();
    if held.is_empty() {
        return Err(Error::not_found(wanted, "RoleAssignment"));
    }
    let kind = args.assignment_type.as_deref();
    if kind.is_some_and(|kind| kind != "USER" && kind != "GROUP") {
        return Err(Error::mismatch("assignmentType"));
    }
    let held = held.into_iter().filter(|role| kind.is_none_or(|kind| role.holder.kind.text() == kind));
    let org = super::iam::org(state);
    let all: Vec<(SmolStr, Value)> = held.flat_map(|role| targets(state, role, &org, origin)).collect();
    let wish = Paged { after: args.after, limit: args.limit };
    let size = wish.size(PAGE)?;
    Ok(paged(&page(&wish, size, all)?, cx.scene, size))
}

/// What a role is narrowed to, by Okta's own names: a custom one to what its set holds.
fn targets(state: &State, role: &Role, org: &str, origin: &str) -> Vec<(SmolStr, Value)> {
    let show = |key: &SmolStr, orn: String, path: Option<String>| {
        let mut target = json!({ "assignmentType": role.holder.kind.text(), "orn": orn });
        if let Some(path) = path {
            target["_links"] = json!({ "self": { "href": format!("{origin}{path}") } });
        }
        (key.clone(), target)
    };
    let group =
        |id: &SmolStr| show(id, format!("orn:okta:directory:{org}:groups:{id}"), Some(format!("/api/v1/groups/{id}")));
    let app = |target: &AppTarget| {
        let id = target.app.as_ref().map(|id| format!(":{id}")).unwrap_or_default();
        let path = target.app.as_ref().map(|id| format!("/api/v1/apps/{id}"));
        show(target.app.as_ref().unwrap_or(&target.name), format!("orn:okta:idp:{org}:apps:{}{id}", target.name), path)
    };
    let set = role.custom.as_ref().and_then(|custom| state.iam.set(&custom.set));
    let resources = set.map(|set| set.resources.as_slice()).unwrap_or_default();
    let own = resources.iter().map(|one| show(&one.id, one.orn.text(), one.orn.path()));
    role.groups.iter().map(group).chain(role.apps.iter().map(app)).chain(own).collect()
}

/// How many people a page of administrators has.
const PEOPLE: Size = Size { default: 100, max: 200 };

fn list_people(cx: &Read<'_, Okta>, args: Paged) -> Result<Typed<Value>, Error> {
    let (origin, org) = (&cx.scene.request.origin, super::iam::org(cx.state));
    let size = args.size(PEOPLE)?;
    let after = args.after.as_deref().unwrap_or_default();
    if !after.is_empty() && cx.state.users.get(after).is_none() {
        return Err(Error::Cursor { search: false });
    }
    let mut ids: Vec<&SmolStr> = cx.state.roles.people_after(after).take(size + 1).collect();
    let more = ids.len() > size;
    ids.truncate(size);
    let row = |id: &&SmolStr| {
        let own = format!("{origin}/api/v1/users/{id}");
        let links = Links::new().to("self", own.clone()).to("roles", format!("{own}/roles"));
        json!({ "id": id, "orn": format!("orn:okta:directory:{org}:users:{id}"), "_links": links.0 })
    };
    let rows: Vec<Value> = ids.iter().map(row).collect();
    let mut body = json!({ "value": rows });
    if let (true, Some(last)) = (more, ids.last()) {
        let next = format!("{origin}/api/v1/iam/assignees/users?after={last}&limit={size}");
        body["_links"] = json!({ "next": { "href": next } });
    }
    Ok(Typed::ok(&body))
}
