//! Apps and groups.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationGroups/.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Level, Operation, OperationInfo, Typed},
    twin::{Read, Write},
    wire::Answer,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Links, act,
    apps::{cursor, find},
    bad_expand,
    groups::GroupBody,
    listing::has_text,
    no_content, stamp,
};
use crate::{
    Okta,
    error::Error,
    input::Input,
    model::{
        State,
        app::App,
        assignment::{self, AppGroup},
        group::Group,
    },
    paging::{self, Size},
};

const PAGE: Size = Size { default: 20, max: 200 };

/// A group's assignment as Okta shows it.
fn body(state: &State, row: &AppGroup, priority: usize, origin: &str, expands: bool) -> Value {
    let app = format!("{origin}/api/v1/apps/{}", row.app);
    let links = Links::new()
        .to("app", app.clone())
        .to("self", format!("{app}/groups/{}", row.group))
        .to("group", format!("{origin}/api/v1/groups/{}", row.group));
    let mut body = json!({
        "id": row.group,
        "lastUpdated": stamp(row.last_updated),
        "priority": priority,
        "profile": row.profile,
    });
    if let Some(group) = state.groups.get(&row.group).filter(|_| expands) {
        body["_embedded"] = json!({ "group": GroupBody::new(group, origin) });
    }
    body["_links"] = Value::Object(links.0);
    body
}

/// Whether `expand=group` is asked for.
fn expands(expand: Option<&str>) -> Result<bool, Error> {
    match expand.map(str::trim).unwrap_or_default() {
        "" => Ok(false),
        "group" => Ok(true),
        _ => Err(bad_expand()),
    }
}

fn find_row(state: &State, app: &App, group: &str) -> Result<Arc<AppGroup>, Error> {
    let row = state.assignments.group(&app.id, group).cloned();
    row.ok_or_else(|| Error::not_found(group, "ApplicationGroupAssignment"))
}

fn find_group(state: &State, id: &str) -> Result<Arc<Group>, Error> {
    state.groups.get(id).cloned().ok_or_else(|| Error::not_found(id, "UserGroup"))
}

/// Arguments of `listApplicationGroupAssignments`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListGroups {
    app_id: String,
    q: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
    expand: Option<String>,
}

/// `listApplicationGroupAssignments`: by priority.
pub fn list(cx: &Read<'_, Okta>, args: ListGroups) -> Result<Typed<Vec<Value>>, Error> {
    let (state, app) = (cx.state, find(cx.state, &args.app_id)?);
    let limit = paging::size(args.limit, PAGE)?;
    let expands = expands(args.expand.as_deref())?;
    let after = match cursor(args.after.as_deref(), "00g")? {
        "" => None,
        group => Some(state.assignments.group(&app.id, group).ok_or(Error::Cursor { search: false })?),
    };
    let q = args.q.as_deref().filter(|q| has_text(Some(q))).unwrap_or_default().trim().to_lowercase();
    let named =
        |row: &AppGroup| state.groups.get(&row.group).is_some_and(|group| group.name.to_lowercase().starts_with(&q));
    let first = after.map_or(0, |row| state.assignments.priority(row) + 1);
    let rows = state.assignments.groups_of(&app.id, after.map(|row| &**row)).enumerate();
    let mut rows: Vec<_> = rows.filter(|(_, row)| q.is_empty() || named(row)).take(limit + 1).collect();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|(_, row)| row.group.as_str());
    let origin = &cx.scene.request.origin;
    let shown: Vec<Value> = rows.iter().map(|(at, row)| body(state, row, first + at, origin, expands)).collect();
    Ok(paging::linked(Typed::ok(&shown), cx.scene, limit, next))
}

/// Arguments of `getApplicationGroupAssignment`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetGroup {
    app_id: String,
    group_id: String,
    expand: Option<String>,
}

/// `getApplicationGroupAssignment`.
pub fn get(cx: &Read<'_, Okta>, args: GetGroup) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let expands = expands(args.expand.as_deref())?;
    let row = find_row(cx.state, &app, &args.group_id)?;
    let priority = cx.state.assignments.priority(&row);
    Ok(Typed::ok(&body(cx.state, &row, priority, &cx.scene.request.origin, expands)))
}

/// A group's assignment in the body of a request. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AppGroupInput {
    priority: Option<usize>,
    profile: Option<Map<String, Value>>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "_embedded")]
    _embedded: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

/// Arguments of `assignGroupToApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssignGroup {
    app_id: String,
    group_id: String,
    #[serde(default)]
    body: AppGroupInput,
}

/// `assignGroupToApplication`: before all other groups where no priority is said, as recorded.
pub fn assign(cx: &mut Write<'_, '_, Okta>, args: AssignGroup) -> Result<Typed<Value>, Error> {
    let (app, group) = (find(cx.state, &args.app_id)?, find_group(cx.state, &args.group_id)?);
    let row = set(cx, &app, &group, args.body.priority, args.body.profile)?;
    Ok(Typed::ok(&row))
}

fn set(
    cx: &mut Write<'_, '_, Okta>,
    app: &App,
    group: &Group,
    priority: Option<usize>,
    profile: Option<Map<String, Value>>,
) -> Result<Value, Error> {
    let row = act(cx, |act| Ok(assignment::assign_group(act, app, group, priority, profile)))?;
    Ok(body(cx.state, &row, cx.state.assignments.priority(&row), &cx.scene.request.origin, false))
}

/// Arguments of `unassignApplicationFromGroup`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnassignGroup {
    app_id: String,
    group_id: String,
}

/// `unassignApplicationFromGroup`.
pub fn unassign(cx: &mut Write<'_, '_, Okta>, args: UnassignGroup) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let row = find_row(cx.state, &app, &args.group_id)?;
    let group = find_group(cx.state, &row.group)?;
    act(cx, |act| {
        assignment::unassign_group(act, &app, &group);
        Ok(())
    })?;
    Ok(no_content())
}

/// One step of a JSON Patch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    op: String,
    path: String,
    #[serde(default)]
    value: Value,
}

/// The row of `updateGroupAssignmentToApplication`, whose body is a list: no other operation of Okta's has such.
pub fn patch_row(path: &'static str) -> Operation<Okta> {
    const PATCH: &[Method] = &[Method::PATCH];
    let info = OperationInfo::untyped("updateGroupAssignmentToApplication", PATCH, path, Level::Behaves);
    Operation::untyped_write(info, Box::new(patch))
}

fn patch(cx: &mut Write<'_, '_, Okta>, _: Input) -> Result<Answer, Error> {
    let request = cx.scene.request;
    if !matches!(request.media_type().as_str(), "application/json" | "application/json-patch+json") {
        return Err(Error::MediaType);
    }
    let steps: Vec<Step> = serde_json::from_slice(&request.body).map_err(|_| Error::Malformed)?;
    let app = find(cx.state, request.path_param("appId"))?;
    let row = find_row(cx.state, &app, request.path_param("groupId"))?;
    let group = find_group(cx.state, &row.group)?;
    let (mut priority, mut profile) = (None, row.profile.clone());
    for step in steps {
        take(step, &mut priority, &mut profile)?;
    }
    set(cx, &app, &group, priority, Some(profile)).map(|row| Answer::json(&row))
}

fn take(step: Step, priority: &mut Option<usize>, profile: &mut Map<String, Value>) -> Result<(), Error> {
    let bad = || Error::invalid("path", format!("{}: cannot be changed so", step.path));
    let sets = matches!(step.op.as_str(), "add" | "replace");
    match step.path.strip_prefix('/').unwrap_or_default().split_once('/') {
        None if step.path == "/priority" && sets => {
            let place = step.value.as_u64().and_then(|place| usize::try_from(place).ok());
            *priority = Some(place.ok_or_else(bad)?);
        }
        None if step.path == "/profile" && sets => *profile = step.value.as_object().cloned().ok_or_else(bad)?,
        Some(("profile", member)) if sets && !member.contains('/') => {
            profile.insert(member.to_owned(), step.value.clone());
        }
        Some(("profile", member)) if step.op == "remove" => {
            profile.shift_remove(member).ok_or_else(bad)?;
        }
        _ => return Err(bad()),
    }
    Ok(())
}
