//! Pools of agents, their updates and settings.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/AgentPools/. What pools that there are not
//! answer is recorded (`test_agent_pools_it`).

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{act, no_content};
use crate::{
    Okta,
    agents::{self, POOLS, Step, TYPES, text, updates_of},
    error::Error,
    input::object,
    model::State,
    paging::{self, Size},
    policy::Members,
};

/// The rows of the table.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const DELETE: &[Method] = &[Method::DELETE];
    const ALL: &str = "/api/v1/agentPools/{poolId}/updates";
    const ONE: &str = "/api/v1/agentPools/{poolId}/updates/{updateId}";
    const SETTINGS: &str = "/api/v1/agentPools/{poolId}/updates/settings";
    let rows = vec![
        Operation::read("listAgentPools", GET, POOLS, list),
        Operation::read("listAgentPoolsUpdates", GET, ALL, list_updates),
        Operation::write("createAgentPoolsUpdate", POST, ALL, create),
        Operation::read("getAgentPoolsUpdateSettings", GET, SETTINGS, get_settings),
        Operation::write("updateAgentPoolsUpdateSettings", POST, SETTINGS, set_settings),
        Operation::read("getAgentPoolsUpdateInstance", GET, ONE, get),
        Operation::write("updateAgentPoolsUpdate", POST, ONE, update),
        Operation::write("deleteAgentPoolsUpdate", DELETE, ONE, delete),
        Operation::write(
            "activateAgentPoolsUpdate",
            POST,
            "/api/v1/agentPools/{poolId}/updates/{updateId}/activate",
            |cx, args| step(cx, &args, Step::Activate),
        ),
        Operation::write(
            "deactivateAgentPoolsUpdate",
            POST,
            "/api/v1/agentPools/{poolId}/updates/{updateId}/deactivate",
            |cx, args| step(cx, &args, Step::Deactivate),
        ),
        Operation::write(
            "pauseAgentPoolsUpdate",
            POST,
            "/api/v1/agentPools/{poolId}/updates/{updateId}/pause",
            |cx, args| step(cx, &args, Step::Pause),
        ),
        Operation::write(
            "resumeAgentPoolsUpdate",
            POST,
            "/api/v1/agentPools/{poolId}/updates/{updateId}/resume",
            |cx, args| step(cx, &args, Step::Resume),
        ),
        Operation::write(
            "retryAgentPoolsUpdate",
            POST,
            "/api/v1/agentPools/{poolId}/updates/{updateId}/retry",
            |cx, args| step(cx, &args, Step::Retry),
        ),
        Operation::write(
            "stopAgentPoolsUpdate",
            POST,
            "/api/v1/agentPools/{poolId}/updates/{updateId}/stop",
            |cx, args| step(cx, &args, Step::Stop),
        ),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

/// Arguments of `listAgentPools`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct List {
    pool_type: Option<String>,
    limit_per_pool_type: Option<i64>,
    after: Option<String>,
}

/// The document says no number; recorded with 5 as the caller's own.
const PAGE: Size = Size { default: 5, max: 200 };

/// As many of each type as the caller wants; the cursor is the last pool's id.
fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<Value>>, Error> {
    let wanted = args.pool_type.as_deref();
    if wanted.is_some_and(|kind| !TYPES.contains(&kind)) {
        return Err(Error::mismatch("poolType"));
    }
    let most = paging::size(args.limit_per_pool_type, PAGE)?;
    let mut left: Vec<_> = cx.state.objects.members(POOLS).collect();
    if let Some(after) = args.after.as_deref() {
        let at = left.iter().position(|(id, _)| *id == after).ok_or(Error::Cursor { search: false })?;
        left.drain(..=at);
    }
    let mut shown = Vec::new();
    for kind in TYPES.into_iter().filter(|kind| wanted.is_none_or(|wanted| wanted == *kind)) {
        let own = left.iter().filter(|(_, pool)| text(pool, "type") == kind).take(most);
        shown.extend(own.map(|(_, pool)| Value::Object((*pool).clone())));
    }
    Ok(Typed::ok(&shown))
}

/// A pool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Of {
    pool_id: SmolStr,
}

/// The updates of a pool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListUpdates {
    pool_id: SmolStr,
    scheduled: Option<bool>,
}

/// A pool with a body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Sent {
    pool_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

/// An update.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    pool_id: SmolStr,
    update_id: SmolStr,
}

/// An update with a body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Change {
    pool_id: SmolStr,
    update_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

fn shown(update: &Members) -> Value {
    let mut shown = update.clone();
    shown.shift_remove("begun");
    Value::Object(shown)
}

/// A pool that there is not has no updates: recorded.
#[expect(clippy::unnecessary_wraps, reason = "handlers can refuse")]
fn list_updates(cx: &Read<'_, Okta>, args: ListUpdates) -> Result<Typed<Vec<Value>>, Error> {
    let all = cx.state.objects.members(&updates_of(&args.pool_id));
    let scheduled = |update: &Members| update.get("schedule").is_some_and(|schedule| !schedule.is_null());
    let fits = |update: &Members| args.scheduled.is_none_or(|wanted| wanted == scheduled(update));
    Ok(Typed::ok(&all.filter(|(_, update)| fits(update)).map(|(_, update)| shown(update)).collect::<Vec<_>>()))
}

/// What can be said of an update.
const MEMBERS: [&str; 8] =
    ["name", "enabled", "agentType", "agents", "notifyAdmin", "reason", "schedule", "targetVersion"];
/// What Okta decides, and clients send back as they read it.
const DECIDED: [&str; 5] = ["id", "status", "sortOrder", "_links", "description"];

/// What is said of an update, by the fields that must be there: the words and their order are recorded.
fn read(state: &State, pool: &str, body: &Map<String, Value>) -> Result<Members, Error> {
    let (mut causes, mut about) = (Vec::new(), SmolStr::default());
    let mut missing = |name: &'static str| {
        if causes.is_empty() {
            about = SmolStr::new_static(name);
        }
        causes.push(format!("errors in the field: {name}"));
    };
    if text(body, "name").is_empty() {
        missing("name");
    }
    if !TYPES.contains(&text(body, "agentType")) {
        missing("agentType");
    }
    let agents = body.get("agents").and_then(Value::as_array).filter(|agents| !agents.is_empty());
    if agents.is_none() {
        missing("agentList");
    }
    if !causes.is_empty() {
        return Err(Error::Validation { about, causes });
    }
    if body.keys().any(|name| !MEMBERS.contains(&name.as_str()) && !DECIDED.contains(&name.as_str())) {
        return Err(Error::Malformed);
    }
    let own = crate::agents::agents(agents::pool(state, pool)?);
    let known = |agent: &&Value| own.iter().find(|own| own["id"] == agent["id"]).cloned();
    let named: Vec<Value> = agents.into_iter().flatten().filter_map(|agent| known(&agent)).collect();
    if named.len() < agents.map_or(0, Vec::len) {
        return Err(Error::invalid("agentList", "errors in the field: agentList"));
    }
    let mut update: Members = body
        .iter()
        .filter(|(name, _)| MEMBERS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    update.insert("agents".to_owned(), json!(named));
    Ok(update)
}

fn find(state: &State, pool: &str, id: &str) -> Result<Members, Error> {
    let found = state.objects.member(&updates_of(pool), id).cloned();
    found.ok_or_else(|| Error::not_found(id, "AgentPoolUpdate"))
}

fn answer(state: &State, pool: &str, id: &str) -> Result<Typed<Value>, Error> {
    find(state, pool, id).map(|update| Typed::ok(&shown(&update)).with_status(StatusCode::CREATED))
}

fn create(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let update = read(cx.state, &args.pool_id, &args.body)?;
    let id = act(cx, |act| Ok(agents::create(act, &args.pool_id, update)))?;
    answer(cx.state, &args.pool_id, &id)
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    find(cx.state, &args.pool_id, &args.update_id).map(|update| Typed::ok(&shown(&update)))
}

fn update(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let mut known = find(cx.state, &args.pool_id, &args.update_id)?;
    known.extend(read(cx.state, &args.pool_id, &args.body)?);
    act(cx, |act| {
        agents::keep(act, &updates_of(&args.pool_id), &args.update_id, Value::Object(known));
        Ok(())
    })?;
    answer(cx.state, &args.pool_id, &args.update_id)
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    find(cx.state, &args.pool_id, &args.update_id)?;
    act(cx, |act| {
        act.state.objects.forget(&mut act.tx.changes, &updates_of(&args.pool_id), &args.update_id);
        Ok(())
    })?;
    Ok(no_content())
}

fn step(cx: &mut Write<'_, '_, Okta>, args: &Which, step: Step) -> Result<Typed<Value>, Error> {
    let known = find(cx.state, &args.pool_id, &args.update_id)?;
    act(cx, |act| agents::advance(act, &args.pool_id, &args.update_id, known, step))?;
    answer(cx.state, &args.pool_id, &args.update_id)
}

/// The settings of a pool that nobody has changed.
fn settings(state: &State, id: &str) -> Result<Members, Error> {
    let pool = agents::pool(state, id)?;
    let usual = json!({
        "agentType": text(pool, "type"), "continueOnError": false, "latestVersion": "3.20.0",
        "minimalSupportedVersion": "3.4.0", "poolId": id, "poolName": text(pool, "name"), "releaseChannel": "GA",
    });
    let mut all = usual.as_object().cloned().unwrap_or_default();
    all.extend(state.objects.one(&format!("{POOLS}/{id}"), "settings").cloned().unwrap_or_default());
    Ok(all)
}

fn get_settings(cx: &Read<'_, Okta>, args: Of) -> Result<Typed<Value>, Error> {
    settings(cx.state, &args.pool_id).map(|all| Typed::ok(&Value::Object(all)))
}

fn set_settings(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let mut all = settings(cx.state, &args.pool_id)?;
    if !TYPES.contains(&text(&args.body, "agentType")) {
        return Err(Error::invalid("agentType", "errors in the field: agentType"));
    }
    let known = |channel: &Value| matches!(channel.as_str(), Some("BETA" | "EA" | "GA" | "TEST"));
    if args.body.get("releaseChannel").is_some_and(|channel| !known(channel)) {
        return Err(Error::invalid("releaseChannel", "errors in the field: releaseChannel"));
    }
    if args.body.get("continueOnError").is_some_and(|flag| !flag.is_boolean()) {
        return Err(Error::Malformed);
    }
    for name in ["continueOnError", "releaseChannel", "poolName"] {
        all.extend(args.body.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    act(cx, |act| {
        let path = format!("{POOLS}/{}/settings", args.pool_id);
        act.state.objects.keep_one(&mut act.tx.changes, &path, all);
        Ok(())
    })?;
    settings(cx.state, &args.pool_id).map(|all| Typed::ok(&Value::Object(all)).with_status(StatusCode::CREATED))
}
