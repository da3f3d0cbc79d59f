//! Groups of Active Directory and LDAP, changed and looked up through the directory's agents.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/DirectoriesIntegration/.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    ids::IdShape,
    operation::{Operation, Typed},
    time::Timestamp,
    twin::{Read, Write},
    wire::Answer,
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::act;
use crate::{
    Okta,
    agents::{self, text},
    error::Error,
    identity_sources,
    input::object,
    model::{
        State,
        group::{self, Group},
        shape,
        user::User,
    },
};

/// The rows of the table.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const MODIFY: &str = "/api/v1/directories/{appInstanceId}/groups/modify";
    const QUERY: &str = "/api/v1/directories/{appInstanceId}/groups/{groupId}/query";
    const RESULT: &str = "/api/v1/directories/{appInstanceId}/groups/{groupId}/query/{resultId}";
    let rows = vec![
        Operation::write("updateGroupMembership", POST, MODIFY, modify),
        Operation::write("submitGroupAttributeQuery", POST, QUERY, query),
        Operation::read("getGroupAttributeQueryResult", GET, RESULT, result),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

const RESULT_ID: IdShape = shape("dqr", "directory query");
/// How long an agent takes to answer, and how long its answer is kept. Okta's documents do not say; inferred.
const TAKES: Duration = Duration::from_secs(2);
const KEPT: Duration = Duration::from_secs(600);
/// Attributes that are not told.
const RESTRICTED: [&str; 3] = ["member", "memberOf", "*"];

/// A directory with a body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Sent {
    app_instance_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

/// A group of a directory with a body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Ask {
    app_instance_id: SmolStr,
    group_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

/// What an agent was asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the path's parameters have these names")]
struct Which {
    app_instance_id: SmolStr,
    group_id: SmolStr,
    result_id: SmolStr,
}

/// A directory, some agent of which can be reached.
fn directory(state: &State, id: &str) -> Result<(), Error> {
    let pool = agents::pool(state, id)?;
    if !matches!(text(pool, "type"), "AD" | "LDAP") {
        return Err(Error::not_found(id, "AppInstance"));
    }
    if agents::is_connected(pool) { Ok(()) } else { Err(Error::coded("E0000236")) }
}

/// A group that a directory has brought.
fn group(state: &State, directory: &str, id: &str) -> Result<Arc<Group>, Error> {
    let found = state.groups.get(id).filter(|group| group.source.as_deref() == Some(directory));
    found.cloned().ok_or_else(|| Error::not_found(id, "UserGroup"))
}

fn people(state: &State, parameters: &Map<String, Value>) -> Result<Vec<Arc<User>>, Error> {
    let values = parameters.get("values").and_then(Value::as_array).filter(|values| !values.is_empty());
    let values = values.ok_or_else(|| Error::fields(&[("values", "The field cannot be left blank")]))?;
    let find = |value: &Value| {
        let id = value.as_str().ok_or(Error::Malformed)?;
        state.users.get(id).cloned().ok_or_else(|| Error::not_found(id, "User"))
    };
    values.iter().map(find).collect()
}

/// The agent changes the group in the directory, and Okta's picture of it follows.
fn modify(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<()>, Error> {
    let id = text(&args.body, "id");
    if id.is_empty() {
        return Err(Error::fields(&[("id", "The field cannot be left blank")]));
    }
    let parameters = args.body.get("parameters").and_then(Value::as_object);
    let parameters = parameters.ok_or_else(|| Error::fields(&[("parameters", "The field cannot be left blank")]))?;
    let adds = match text(parameters, "action") {
        "ADD" => true,
        "REMOVE" => false,
        _ => return Err(Error::fields(&[("action", "The field has an invalid value")])),
    };
    if text(parameters, "attribute").is_empty() {
        return Err(Error::fields(&[("attribute", "The field cannot be left blank")]));
    }
    directory(cx.state, &args.app_instance_id)?;
    let found = group(cx.state, &args.app_instance_id, id)?;
    let people = people(cx.state, parameters)?;
    act(cx, |act| {
        for user in &people {
            let because = vec![identity_sources::party(act.state, &args.app_instance_id)];
            if adds { group::join(act, &found, user, because) } else { group::leave(act, &found, user, because) }
        }
        Ok(())
    })?;
    Ok(Typed::from_answer(Answer::empty(StatusCode::OK)))
}

fn place(args: (&str, &str)) -> String {
    format!("/api/v1/directories/{}/groups/{}/query", args.0, args.1)
}

fn query(cx: &mut Write<'_, '_, Okta>, args: Ask) -> Result<Typed<Value>, Error> {
    let names = args.body.get("attributes").and_then(Value::as_array).filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| Error::fields(&[("attributes", "The field cannot be left blank")]))?;
    let fits = |name: &Value| name.as_str().is_some_and(|name| !RESTRICTED.contains(&name));
    if !names.iter().all(fits) {
        return Err(Error::fields(&[("attributes", "The field has an invalid value")]));
    }
    directory(cx.state, &args.app_instance_id)?;
    group(cx.state, &args.app_instance_id, &args.group_id)?;
    let names = names.clone();
    let id = act(cx, |act| {
        let id = act.tx.id(&RESULT_ID);
        let row = json!({ "attributes": names, "asked": act.tx.now });
        agents::keep(act, &place((&args.app_instance_id, &args.group_id)), &id, row);
        Ok(id)
    })?;
    Ok(Typed::ok(&json!({ "resultId": id })).with_status(StatusCode::ACCEPTED))
}

/// What a directory knows of a group: no more than Okta has been told.
fn attribute(group: &Group, name: &str) -> Option<Value> {
    Some(match name {
        "cn" | "name" => json!(group.name),
        "description" => json!(group.description.as_ref()?),
        "distinguishedName" => json!(format!("CN={},OU=Groups", group.name)),
        "whenCreated" => json!(super::stamp(group.created)),
        _ => return None,
    })
}

fn result(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let missing = || Error::not_found(&args.result_id, "GroupQueryResult");
    let row = cx.state.objects.member(&place((&args.app_instance_id, &args.group_id)), &args.result_id);
    let row = row.ok_or_else(missing)?;
    let asked: Timestamp =
        row.get("asked").and_then(|at| serde_json::from_value(at.clone()).ok()).ok_or_else(missing)?;
    if cx.scene.now < asked.after(TAKES) {
        return Ok(Typed::from_answer(Answer::empty(StatusCode::ACCEPTED)));
    }
    if cx.scene.now >= asked.after(KEPT) {
        return Err(missing());
    }
    let group = group(cx.state, &args.app_instance_id, &args.group_id)?;
    let names = row.get("attributes").and_then(Value::as_array).into_iter().flatten();
    let profile: Map<String, Value> =
        names.filter_map(|name| Some((name.as_str()?.to_owned(), attribute(&group, name.as_str()?)?))).collect();
    Ok(Typed::ok(&json!({ "id": group.id, "profile": profile })))
}
