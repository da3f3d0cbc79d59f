//! Universes: create, list, fork, reset, delete; snapshots.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    routing::{delete, get, post},
};
use http::{Method, StatusCode};
use indexmap::IndexMap;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Control, ControlError, Endpoint};
use crate::{
    fault::Rule,
    ledger::Keep,
    limits::Limits,
    multiverse::{Ports, Running},
    time::Timestamp,
    universe::{Options, SnapshotInfo},
};

/// How a new universe is made. Absent members take `dtu up`'s defaults.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    /// Its id; a fresh one where absent.
    #[serde(default)]
    id: Option<String>,
    /// The world, by name or path.
    #[serde(default = "acme")]
    world: String,
    /// The seed of all draws.
    #[serde(default = "one")]
    seed: u64,
    /// `real`, `scaled:K` or `stepped`.
    #[serde(default = "real")]
    clock: String,
    /// What the clock shows at the start.
    #[serde(default)]
    start: Option<Timestamp>,
    /// `off`, `real` (the services' own rate limits) or `scale:K` (those times a factor).
    #[serde(default)]
    limits: Limits,
    /// `full`, `changes` or `off`.
    #[serde(default = "full")]
    ledger: String,
    /// Whether each answer is held against the services' public documents.
    #[serde(default)]
    check_responses: bool,
    /// Fault rules, armed at once.
    #[serde(default)]
    faults: Vec<Rule>,
}

fn acme() -> String {
    "acme".to_owned()
}

const fn one() -> u64 {
    1
}

fn real() -> String {
    "real".to_owned()
}

fn full() -> String {
    "full".to_owned()
}

/// How a fork is made.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Fork {
    /// The fork's id; a fresh one where absent.
    id: Option<String>,
    /// The fork's seed; the universe's own where absent.
    seed: Option<u64>,
}

/// A running universe.
#[derive(Debug, Serialize, JsonSchema)]
struct UniverseInfo {
    /// Its id.
    universe: SmolStr,
    /// Its world.
    world: SmolStr,
    /// The seed of all draws.
    seed: u64,
    /// What the clock shows.
    now: Timestamp,
    /// How its time relates to the machine's.
    clock: String,
    /// The ledger's length.
    ledger: u64,
    /// Where each twin is served.
    #[schemars(with = "std::collections::BTreeMap<String, TwinInfo>")]
    twins: IndexMap<&'static str, TwinInfo>,
    /// The environment variables that clients read.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    env: IndexMap<&'static str, String>,
}

/// A twin being served.
#[derive(Debug, Serialize, JsonSchema)]
struct TwinInfo {
    /// Where.
    url: String,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let info = SchemaGenerator::subschema_for::<UniverseInfo>;
    let snapshot = SchemaGenerator::subschema_for::<SnapshotInfo>;
    vec![
        Endpoint::new("listUniverses", Method::GET, "/v1/universes", "All running universes.", get(list))
            .answer(SchemaGenerator::subschema_for::<Vec<UniverseInfo>>),
        Endpoint::new("createUniverse", Method::POST, "/v1/universes", "Makes a universe and serves it.", post(create))
            .body(SchemaGenerator::subschema_for::<Create>)
            .answer(info),
        Endpoint::new("getUniverse", Method::GET, "/v1/universes/{universe}", "A universe.", get(show)).answer(info),
        Endpoint::new(
            "deleteUniverse",
            Method::DELETE,
            "/v1/universes/{universe}",
            "Ends a universe and closes its listeners.",
            delete(end),
        ),
        Endpoint::new(
            "forkUniverse",
            Method::POST,
            "/v1/universes/{universe}/fork",
            "Makes a universe that goes on from this one's present, apart from it.",
            post(fork),
        )
        .body(SchemaGenerator::subschema_for::<Fork>)
        .answer(info),
        Endpoint::new(
            "resetUniverse",
            Method::POST,
            "/v1/universes/{universe}/reset",
            "Goes back to the beginning. The ledger goes on.",
            post(reset),
        )
        .answer(info),
        Endpoint::new(
            "listSnapshots",
            Method::GET,
            "/v1/universes/{universe}/snapshots",
            "The kept snapshots.",
            get(snapshots),
        )
        .answer(SchemaGenerator::subschema_for::<Vec<SnapshotInfo>>),
        Endpoint::new(
            "takeSnapshot",
            Method::POST,
            "/v1/universes/{universe}/snapshots",
            "Keeps the present.",
            post(snapshot_now),
        )
        .answer(snapshot),
        Endpoint::new(
            "restoreSnapshot",
            Method::POST,
            "/v1/universes/{universe}/snapshots/{snapshot}/restore",
            "Goes back to a kept snapshot. The ledger goes on.",
            post(restore),
        )
        .answer(info),
    ]
}

impl Control {
    pub(super) fn find(&self, id: &str) -> Result<Arc<Running>, ControlError> {
        self.multiverse.get(id).ok_or_else(|| {
            let all = self.multiverse.list();
            ControlError::unknown("universe", id, all.iter().map(|running| running.universe.id()))
        })
    }
}

fn info(running: &Running) -> Result<UniverseInfo, ControlError> {
    let universe = &running.universe;
    let environment = running.environment();
    let environment = environment.map_err(|error| ControlError::internal(format!("the files for clients: {error}")))?;
    Ok(UniverseInfo {
        universe: universe.id().into(),
        world: universe.world().name.clone(),
        seed: universe.seed(),
        now: universe.now(),
        clock: universe.clock_mode().to_string(),
        ledger: universe.ledger().len(),
        twins: running.urls().map(|(name, url)| (name, TwinInfo { url })).collect(),
        env: environment.variables().iter().cloned().collect(),
    })
}

async fn list(State(control): State<Arc<Control>>) -> Result<Json<Vec<UniverseInfo>>, ControlError> {
    let all: Result<Vec<UniverseInfo>, ControlError> =
        control.multiverse.list().iter().map(|running| info(running)).collect();
    all.map(Json)
}

async fn create(
    State(control): State<Arc<Control>>,
    body: axum::body::Bytes,
) -> Result<(StatusCode, Json<UniverseInfo>), ControlError> {
    let wanted: Create = parse(&body)?;
    let keep = match wanted.ledger.as_str() {
        "full" => Keep::Full,
        "changes" => Keep::Changes,
        "off" => Keep::Off,
        other => return Err(ControlError::invalid(format!("unknown ledger `{other}`; known are full, changes, off"))),
    };
    let options = Options {
        seed: wanted.seed,
        clock: wanted.clock.parse().map_err(ControlError::invalid)?,
        start: wanted.start,
        limits: wanted.limits,
        keep,
        check: wanted.check_responses,
    };
    let running = control.multiverse.create(wanted.id.map(SmolStr::from), &wanted.world, &options, Ports::Free)?;
    if let Err(error) = running.universe.arm_checked(&wanted.faults) {
        control.multiverse.delete(running.universe.id());
        return Err(error.into());
    }
    Ok((StatusCode::CREATED, Json(info(&running)?)))
}

/// Reads a JSON body; an empty one stands for an object without members.
pub(super) fn parse<B: serde::de::DeserializeOwned>(body: &[u8]) -> Result<B, ControlError> {
    let body = if body.is_empty() { b"{}" } else { body };
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(ControlError::invalid("the body does not fit: expected a JSON object"));
    }
    serde_json::from_slice(body).map_err(|error| ControlError::invalid(format!("the body does not fit: {error}")))
}

async fn show(State(control): State<Arc<Control>>, Path(id): Path<String>) -> Result<Json<UniverseInfo>, ControlError> {
    Ok(Json(info(&*control.find(&id)?)?))
}

async fn end(State(control): State<Arc<Control>>, Path(id): Path<String>) -> Result<StatusCode, ControlError> {
    control.find(&id)?;
    control.multiverse.delete(&id);
    Ok(StatusCode::NO_CONTENT)
}

async fn fork(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    body: axum::body::Bytes,
) -> Result<(StatusCode, Json<UniverseInfo>), ControlError> {
    let wanted: Fork = parse(&body)?;
    control.find(&id)?;
    let running = control.multiverse.fork(&id, wanted.id.map(SmolStr::from), wanted.seed)?;
    Ok((StatusCode::CREATED, Json(info(&running)?)))
}

async fn reset(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
) -> Result<Json<UniverseInfo>, ControlError> {
    let running = control.find(&id)?;
    running.universe.reset();
    Ok(Json(info(&running)?))
}

async fn snapshots(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<SnapshotInfo>>, ControlError> {
    Ok(Json(control.find(&id)?.universe.snapshots()))
}

async fn snapshot_now(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<SnapshotInfo>), ControlError> {
    Ok((StatusCode::CREATED, Json(control.find(&id)?.universe.snapshot())))
}

async fn restore(
    State(control): State<Arc<Control>>,
    Path((id, snapshot)): Path<(String, String)>,
) -> Result<Json<UniverseInfo>, ControlError> {
    let running = control.find(&id)?;
    if running.universe.restore(&snapshot) {
        Ok(Json(info(&running)?))
    } else {
        let kept = running.universe.snapshots();
        Err(ControlError::unknown("snapshot", &snapshot, kept.iter().map(|kept| kept.id.as_str())))
    }
}
