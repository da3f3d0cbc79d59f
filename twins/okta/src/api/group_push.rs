//! Mappings of group push: which groups are in which apps.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupPushMapping/.

use dtu_kernel::{
    operation::{Operation, Typed},
    time::Timestamp,
    twin::{Read, Write},
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{act, apps::find, no_content, stamp};
use crate::{
    Okta,
    agents::{keep, text},
    error::Error,
    input::object,
    model::{
        State,
        event_type::{GROUP_PUSH_ACTIVATE, GROUP_PUSH_DEACTIVATE},
        group::GroupType,
        log::Party,
    },
    paging::{self, Size},
    policy::Members,
    provisioning::groups::{self as pushes, Target, mappings_of, pushes_of},
};

/// The rows of the table.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const ALL: &str = "/api/v1/apps/{appId}/group-push/mappings";
    const ONE: &str = "/api/v1/apps/{appId}/group-push/mappings/{mappingId}";
    let rows = vec![
        Operation::read("listGroupPushMappings", GET, ALL, list),
        Operation::write("createGroupPushMapping", POST, ALL, create),
        Operation::read("getGroupPushMapping", GET, ONE, get),
        Operation::write("updateGroupPushMapping", &[Method::PATCH], ONE, update),
        Operation::write("deleteGroupPushMapping", &[Method::DELETE], ONE, delete),
    ];
    rows.into_iter().map(|row| row.limit("apps")).collect()
}

/// The document names no page size; inferred from other lists of apps.
const PAGE: Size = Size { default: 100, max: 1_000 };

/// Arguments of listing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct List {
    app_id: String,
    after: Option<String>,
    limit: Option<i64>,
    last_updated: Option<String>,
    source_group_id: Option<String>,
    status: Option<String>,
}

/// Arguments of making one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Create {
    app_id: String,
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

/// A mapping.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    app_id: String,
    mapping_id: String,
}

/// A mapping with a body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Change {
    app_id: String,
    mapping_id: String,
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

/// A mapping to be deleted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the parameter has this name")]
struct Delete {
    app_id: String,
    mapping_id: String,
    delete_target_group: Option<bool>,
}

const SHOWN: [&str; 8] =
    ["id", "sourceGroupId", "targetGroupId", "status", "created", "lastUpdated", "lastPush", "errorSummary"];

fn shown(mapping: &Members, app: &str, origin: &str) -> Value {
    let mut shown: Map<String, Value> =
        SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), mapping.get(*name)?.clone()))).collect();
    let group = |name: &str| json!({ "href": format!("{origin}/api/v1/groups/{}", text(mapping, name)) });
    let links = json!({
        "app": { "href": format!("{origin}/api/v1/apps/{app}") },
        "sourceGroup": group("sourceGroupId"),
        "targetGroup": group("targetGroupId"),
    });
    shown.insert("_links".to_owned(), links);
    Value::Object(shown)
}

fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<Value>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let limit = paging::size(args.limit, PAGE)?;
    if args.status.as_deref().is_some_and(|status| !matches!(status, "ACTIVE" | "ERROR" | "INACTIVE")) {
        return Err(Error::mismatch("status"));
    }
    let since = args.last_updated.as_deref().map(Timestamp::parse);
    let since = since.transpose().map_err(|_| Error::mismatch("lastUpdated"))?;
    let since = since.map(stamp);
    let fits = |mapping: &Members| {
        args.status.as_deref().is_none_or(|wanted| text(mapping, "status") == wanted)
            && args.source_group_id.as_deref().is_none_or(|wanted| text(mapping, "sourceGroupId") == wanted)
            && since.as_deref().is_none_or(|since| text(mapping, "lastUpdated") >= since)
    };
    let mut all: Vec<_> = cx.state.objects.members(&mappings_of(&app.id)).filter(|(_, one)| fits(one)).collect();
    if let Some(after) = args.after.as_deref() {
        let at = all.iter().position(|(id, _)| *id == after).ok_or(Error::Cursor { search: false })?;
        all.drain(..=at);
    }
    let next = all.get(limit).and_then(|_| all.get(limit - 1)).map(|(id, _)| id.as_str());
    let rows: Vec<Value> =
        all.iter().take(limit).map(|(_, one)| shown(one, &app.id, &cx.scene.request.origin)).collect();
    Ok(paging::linked(Typed::ok(&rows), cx.scene, limit, next))
}

fn mapping(state: &State, app: &str, id: &str) -> Result<Members, Error> {
    let found = state.objects.member(&mappings_of(app), id).cloned();
    found.ok_or_else(|| Error::not_found(id, "GroupPushMapping"))
}

fn answer(state: &State, app: &str, id: &str, origin: &str) -> Result<Typed<Value>, Error> {
    mapping(state, app, id).map(|found| Typed::ok(&shown(&found, app, origin)))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    answer(cx.state, &app.id, &args.mapping_id, &cx.scene.request.origin)
}

/// Whether a body has the mapping in use.
fn is_active(body: &Map<String, Value>) -> Result<Option<bool>, Error> {
    match body.get("status").map(Value::as_str) {
        None => Ok(None),
        Some(Some("ACTIVE")) => Ok(Some(true)),
        Some(Some("INACTIVE")) => Ok(Some(false)),
        Some(_) => Err(Error::fields(&[("status", "The field has an invalid value")])),
    }
}

/// What can be said of a new mapping.
const KNOWN: [&str; 5] = ["appConfig", "sourceGroupId", "status", "targetGroupId", "targetGroupName"];

/// A group is made in the app, or one that the app has brought is linked; no group twice to one app.
fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let body = &args.body;
    if body.keys().any(|name| !KNOWN.contains(&name.as_str())) {
        return Err(Error::Malformed);
    }
    let connected = cx.state.provisioning.connection(&app.id).is_some_and(|connection| connection.enabled);
    // Only directories have a configuration of their own, and none is provisioned here.
    if !connected || body.get("appConfig").is_some_and(|config| !config.is_null()) {
        let field = if connected { "appConfig" } else { "appId" };
        return Err(Error::invalid(field, format!("{field}: Group push is not supported by the application.")));
    }
    let source = text(body, "sourceGroupId");
    if source.is_empty() {
        return Err(Error::fields(&[("sourceGroupId", "The field cannot be left blank")]));
    }
    let source = cx.state.groups.get(source).cloned().ok_or_else(|| Error::not_found(source, "UserGroup"))?;
    if source.r#type != GroupType::OktaGroup {
        return Err(Error::fields(&[("sourceGroupId", "The field has an invalid value")]));
    }
    if cx.state.objects.members(&pushes_of(&source.id)).any(|(_, row)| text(row, "app") == app.id) {
        return Err(Error::taken("sourceGroupId"));
    }
    let target = match (text(body, "targetGroupId"), text(body, "targetGroupName")) {
        ("", "") => return Err(Error::fields(&[("targetGroupName", "The field cannot be left blank")])),
        ("", name) => Target::New(name.into()),
        (id, "") => {
            let found = cx.state.groups.get(id).filter(|group| group.source.as_deref() == Some(app.id.as_str()));
            Target::Known(found.cloned().ok_or_else(|| Error::not_found(id, "UserGroup"))?)
        }
        _ => {
            let cause = "Only one of targetGroupId and targetGroupName can be given.";
            return Err(Error::invalid("targetGroupId", cause));
        }
    };
    let active = is_active(body)?.unwrap_or(true);
    let id = act(cx, |act| pushes::create(act, &app, &source, target, active))?;
    let answer = answer(cx.state, &app.id, &id, &cx.scene.request.origin)?;
    Ok(answer.with_status(StatusCode::CREATED))
}

/// A mapping that is activated pushes its group: anew where that has failed.
fn update(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let mut found = mapping(cx.state, &app.id, &args.mapping_id)?;
    if args.body.keys().any(|name| name != "status") {
        return Err(Error::Malformed);
    }
    let active = is_active(&args.body)?;
    let active = active.ok_or_else(|| Error::fields(&[("status", "The field cannot be left blank")]))?;
    act(cx, |act| {
        found.insert("status".to_owned(), json!(pushes::status(active)));
        found.insert("lastUpdated".to_owned(), json!(stamp(act.now())));
        let source = act.state.groups.get(text(&found, "sourceGroupId")).map(|group| Party::group(group));
        keep(act, &mappings_of(&app.id), &args.mapping_id, Value::Object(found));
        let event = if active { &GROUP_PUSH_ACTIVATE } else { &GROUP_PUSH_DEACTIVATE };
        act.log(event, source.into_iter().chain([Party::app(&app)]).collect());
        pushes::push(act, &app, &args.mapping_id);
        Ok(())
    })?;
    answer(cx.state, &app.id, &args.mapping_id, &cx.scene.request.origin)
}

/// Only a mapping that is not in use can be deleted.
fn delete(cx: &mut Write<'_, '_, Okta>, args: Delete) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let found = mapping(cx.state, &app.id, &args.mapping_id)?;
    if text(&found, "status") != "INACTIVE" {
        return Err(Error::invalid("status", "status: The group push mapping must be inactive."));
    }
    let with_target = args.delete_target_group.unwrap_or(false);
    act(cx, |act| {
        pushes::delete(act, &app, &args.mapping_id, with_target);
        Ok(())
    })?;
    Ok(no_content())
}
