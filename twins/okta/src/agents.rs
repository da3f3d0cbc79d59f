//! Agents: programs of Okta's on an org's own machines (Active Directory, LDAP, RADIUS, ...), in pools, and the updates
//! of them.
//!
//! An agent registers itself when an administrator installs it, which is no call of the API: it comes as an affordance.
//! Pools and updates are kept with the generic twin's objects.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/AgentPools/.

use std::time::Duration;

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Okta,
    affordances::{administer, allow},
    error::Error,
    events,
    model::{Act, Acting, State, shape},
    policy::Members,
};

/// Where pools are kept.
pub const POOLS: &str = "/api/v1/agentPools";
/// The timer of updates under way.
pub const TIMER: &str = "agent_updates";
/// The kinds of agents.
pub const TYPES: [&str; 7] = ["AD", "IWA", "LDAP", "MFA", "OPP", "RUM", "Radius"];

const POOL_ID: dtu_kernel::ids::IdShape = shape("0oa", "agent pool");
const AGENT_ID: dtu_kernel::ids::IdShape = shape("a53", "agent");
const UPDATE_ID: dtu_kernel::ids::IdShape = shape("aup", "agent update");
/// How long an update takes. Okta's documents do not say; inferred.
const UPDATES: Duration = Duration::from_secs(300);
/// The version that agents are on, and get where nobody names one.
const LATEST: &str = "3.20.0";

/// Where the updates of a pool are kept.
pub fn updates_of(pool: &str) -> String {
    format!("{POOLS}/{pool}/updates")
}

/// A pool.
///
/// # Errors
/// One that there is not.
pub fn pool<'a>(state: &'a State, id: &str) -> Result<&'a Members, Error> {
    state.objects.member(POOLS, id).ok_or_else(|| Error::not_found(id, "AppInstance"))
}

pub(crate) fn text<'a>(members: &'a Members, name: &str) -> &'a str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Writes something that is kept with the generic twin's objects.
pub(crate) fn keep(act: &mut Act<'_, '_>, place: &str, id: &str, row: Value) {
    if let Value::Object(members) = row {
        act.state.objects.keep(&mut act.tx.changes, place, id, members);
    }
}

/// Arguments of `okta.admin.connect_agent`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Connect {
    /// `AD`, `LDAP`, `Radius`, ...
    r#type: String,
    /// What the pool is called: a directory's domain, for one. Agents of one name and type are one pool.
    pool: String,
    /// The machine's name.
    agent: String,
    /// The agent's version.
    #[serde(default)]
    version: Option<String>,
}

/// Arguments of `okta.admin.disconnect_agent`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Disconnect {
    /// The machine's name.
    agent: String,
}

/// The verbs.
pub fn affordances() -> Vec<Affordance<Okta>> {
    vec![
        Affordance::new("okta.admin.connect_agent", "Installs an agent on a machine of the org's", connect),
        Affordance::new("okta.admin.disconnect_agent", "Switches off the machine that an agent runs on", disconnect),
    ]
}

fn connect(state: &mut State, tx: &mut Tx<'_>, who: &str, with: Connect) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        allow(act, "POST /api/v1/agentPools/{poolId}/updates", &[])?;
        if !TYPES.contains(&with.r#type.as_str()) {
            return Err(Refusal::new(format!("there are no agents of type `{}`", with.r#type)));
        }
        let fits = |pool: &Members| text(pool, "name") == with.pool && text(pool, "type") == with.r#type;
        let known = act.state.objects.members(POOLS).find(|(_, pool)| fits(pool));
        let known = known.map(|(id, pool)| (id.clone(), pool.clone()));
        let (id, mut pool) = known.unwrap_or_else(|| {
            let id = act.tx.id(&POOL_ID);
            let pool = json!({ "id": id, "name": with.pool, "type": with.r#type, "agents": [] });
            (id, pool.as_object().cloned().unwrap_or_default())
        });
        let agent = json!({
            "id": act.tx.id(&AGENT_ID), "name": with.agent, "type": with.r#type, "poolId": id,
            "operationalStatus": "OPERATIONAL", "version": with.version.as_deref().unwrap_or(LATEST),
            "isHidden": false, "isLatestGAedVersion": with.version.is_none(),
            "lastConnection": act.now().as_secs() * 1_000,
        });
        if let Some(Value::Array(agents)) = pool.get_mut("agents") {
            agents.push(agent.clone());
        }
        put(act, &id, pool);
        Ok(json!({ "pool": id, "agent": agent["id"] }))
    })
}

fn disconnect(state: &mut State, tx: &mut Tx<'_>, who: &str, with: Disconnect) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let named = |pool: &Members| agents(pool).iter().any(|agent| agent["name"] == with.agent.as_str());
        let found =
            act.state.objects.members(POOLS).find(|(_, pool)| named(pool)).map(|(id, pool)| (id.clone(), pool.clone()));
        let (id, mut pool) = found.ok_or_else(|| Refusal::new(format!("there is no agent `{}`", with.agent)))?;
        if let Some(Value::Array(agents)) = pool.get_mut("agents") {
            for agent in agents.iter_mut().filter(|agent| agent["name"] == with.agent.as_str()) {
                agent["operationalStatus"] = json!("DISRUPTED");
            }
        }
        put(act, &id, pool);
        Ok(json!({ "pool": id }))
    })
}

/// A pool's agents.
pub fn agents(pool: &Members) -> &[Value] {
    pool.get("agents").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether some agent of a pool can be reached.
pub fn is_connected(pool: &Members) -> bool {
    agents(pool).iter().any(|agent| agent["operationalStatus"] == "OPERATIONAL")
}

/// Writes a pool; how it stands follows from its agents.
fn put(act: &mut Act<'_, '_>, id: &str, mut pool: Members) {
    let of = |status: &str| agents(&pool).iter().filter(|agent| agent["operationalStatus"] == status).count();
    let (all, well, away) = (agents(&pool).len(), of("OPERATIONAL"), of("DISRUPTED"));
    let status = match (well, all) {
        (0, _) => "DISRUPTED",
        (well, all) if well < all => "DEGRADED",
        _ => "OPERATIONAL",
    };
    let inactive = of("INACTIVE");
    for (name, value) in
        [("operationalStatus", json!(status)), ("disruptedAgents", json!(away)), ("inactiveAgents", json!(inactive))]
    {
        pool.insert(name.to_owned(), value);
    }
    act.state.objects.keep(&mut act.tx.changes, POOLS, id, pool);
}

/// A verb of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A scheduled update is to come.
    Activate,
    /// A scheduled update is not to come.
    Deactivate,
    /// It waits.
    Pause,
    /// It goes on.
    Resume,
    /// What failed is tried again.
    Retry,
    /// It is over.
    Stop,
}

/// Makes an update: one with a schedule waits for it, any other begins.
pub fn create(act: &mut Act<'_, '_>, pool: &str, mut update: Members) -> SmolStr {
    let id = act.tx.id(&UPDATE_ID);
    let scheduled = update.get("schedule").is_some_and(|schedule| !schedule.is_null());
    update.insert("id".to_owned(), json!(id));
    update.entry("enabled").or_insert(json!(true));
    update.entry("notifyAdmin").or_insert(json!(false));
    update.entry("targetVersion").or_insert(json!(LATEST));
    let status = if scheduled { "Scheduled" } else { "InProgress" };
    write(act, pool, &id, update, status);
    id
}

fn write(act: &mut Act<'_, '_>, pool: &str, id: &str, mut update: Members, status: &str) {
    update.insert("status".to_owned(), json!(status));
    if status == "InProgress" {
        let at = act.tx.now.after(UPDATES);
        act.tx.timer(at, TIMER, json!({ "pool": pool, "update": id, "begun": act.tx.now.as_secs() }));
        update.insert("begun".to_owned(), json!(act.tx.now.as_secs()));
    }
    act.state.objects.keep(&mut act.tx.changes, &updates_of(pool), id, update);
}

/// Takes a step of an update.
///
/// # Errors
/// A step that an update in its status cannot take.
pub fn advance(act: &mut Act<'_, '_>, pool: &str, id: &str, mut update: Members, step: Step) -> Result<(), Error> {
    let status = SmolStr::new(text(&update, "status"));
    let next = match (step, status.as_str()) {
        (Step::Activate | Step::Deactivate, "Scheduled") => {
            update.insert("enabled".to_owned(), json!(step == Step::Activate));
            "Scheduled"
        }
        (Step::Pause, "InProgress") => "Paused",
        (Step::Resume, "Paused") | (Step::Retry, "Failed" | "Cancelled") => "InProgress",
        (Step::Stop, "InProgress" | "Paused" | "Scheduled") => "Cancelled",
        _ => {
            let cause = format!("status: The update cannot do that while it is {status}");
            return Err(Error::invalid("status", cause));
        }
    };
    write(act, pool, id, update, next);
    Ok(())
}

/// An update that is under way comes to its end: each of its agents that can be reached has its version.
pub fn due(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let (pool, id) = (data["pool"].as_str().unwrap_or_default(), data["update"].as_str().unwrap_or_default());
    let mut act = Act::new(state, tx, Acting::system());
    let update = act.state.objects.member(&updates_of(pool), id).cloned();
    // One that was paused and resumed has another end.
    let update =
        update.filter(|update| text(update, "status") == "InProgress" && update.get("begun") == data.get("begun"));
    let Some((update, mut row)) = update.zip(act.state.objects.member(POOLS, pool).cloned()) else { return };
    let wanted: Vec<&str> = agents(&update).iter().filter_map(|agent| agent["id"].as_str()).collect();
    let mut all = true;
    if let Some(Value::Array(agents)) = row.get_mut("agents") {
        for agent in agents.iter_mut().filter(|agent| agent["id"].as_str().is_some_and(|id| wanted.contains(&id))) {
            if agent["operationalStatus"] == "OPERATIONAL" {
                agent["version"] = update["targetVersion"].clone();
                agent["updateStatus"] = json!("Success");
            } else {
                agent["updateStatus"] = json!("Failed");
                all = false;
            }
        }
    }
    put(&mut act, pool, row);
    write(&mut act, pool, id, update, if all { "Success" } else { "Failed" });
    events::announce(&mut act);
}
