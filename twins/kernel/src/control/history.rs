//! What is and what was: state, diff and ledger.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State},
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::{Stream, StreamExt as _, stream};
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Control, ControlError, Endpoint};
use crate::{ledger::NetChange, universe::Universe};

/// The longest page of the ledger.
const PAGE_MAX: usize = 1_000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Since {
    since: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct From {
    from: u64,
    limit: usize,
}

impl Default for From {
    fn default() -> Self {
        Self { from: 0, limit: 100 }
    }
}

/// A page of the ledger.
#[derive(Debug, Serialize, JsonSchema)]
struct LedgerPage {
    /// The entries, oldest first.
    entries: Vec<Value>,
    /// Where the next page begins.
    next: u64,
    /// The ledger's length.
    length: u64,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            "listViews",
            Method::GET,
            "/v1/universes/{universe}/state",
            "The parts of the state that can be looked at, by twin.",
            get(views),
        ),
        Endpoint::new(
            "getView",
            Method::GET,
            "/v1/universes/{universe}/state/{twin}/{view}",
            "A part of a twin's state.",
            get(view),
        ),
        Endpoint::new(
            "getDiff",
            Method::GET,
            "/v1/universes/{universe}/diff",
            "The net changes of all rows, with the entries that caused them.",
            get(diff),
        )
        .query(&[("since", "The ledger entry from which changes count.")])
        .answer(SchemaGenerator::subschema_for::<Vec<NetChange>>),
        Endpoint::new(
            "getLedger",
            Method::GET,
            "/v1/universes/{universe}/ledger",
            "Entries of the ledger, oldest first.",
            get(page),
        )
        .query(&[("from", "The first entry."), ("limit", "How many entries, 1,000 at most.")])
        .answer(SchemaGenerator::subschema_for::<LedgerPage>),
        Endpoint::new(
            "followLedger",
            Method::GET,
            "/v1/universes/{universe}/ledger/stream",
            "Entries of the ledger as they come, as server-sent events.",
            get(follow),
        )
        .query(&[("from", "The first entry.")]),
    ]
}

async fn views(State(control): State<Arc<Control>>, Path(id): Path<String>) -> Result<Json<Value>, ControlError> {
    let running = control.find(&id)?;
    let twin = |host: &Arc<dyn crate::host::Host>| {
        let views: serde_json::Map<String, Value> =
            host.views().into_iter().map(|(name, about)| (name.to_owned(), json!(about))).collect();
        (host.name().to_owned(), Value::Object(views))
    };
    Ok(Json(running.universe.twins().iter().map(twin).collect()))
}

async fn view(
    State(control): State<Arc<Control>>,
    Path((id, twin, view)): Path<(String, String, String)>,
) -> Result<Json<Value>, ControlError> {
    let running = control.find(&id)?;
    let twins = running.universe.twins();
    let Some(host) = twins.iter().find(|host| host.name() == twin) else {
        return Err(ControlError::unknown("twin", &twin, twins.iter().map(|host| host.name())));
    };
    let names = host.views();
    match running.universe.view(&twin, &view) {
        Some(rows) => Ok(Json(rows)),
        None => Err(ControlError::unknown("view", &view, names.iter().map(|(name, _)| *name))),
    }
}

async fn diff(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    query: Query<Since>,
) -> Result<Json<Vec<NetChange>>, ControlError> {
    Ok(Json(control.find(&id)?.universe.diff(query.since)?))
}

async fn page(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    query: Query<From>,
) -> Result<Json<LedgerPage>, ControlError> {
    let running = control.find(&id)?;
    let ledger = running.universe.ledger();
    let entries = ledger.page(query.from, query.limit.clamp(1, PAGE_MAX))?;
    let next = query.from.min(ledger.len()) + entries.len() as u64;
    Ok(Json(LedgerPage { entries, next, length: ledger.len() }))
}

async fn follow(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    query: Query<From>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ControlError> {
    let running = control.find(&id)?;
    // A follower does not keep a deleted universe alive.
    let universe = Arc::downgrade(&running.universe);
    let latest = running.universe.ledger().watch();
    let start = (universe, latest, query.from);
    let pages = stream::unfold(start, |(universe, mut latest, from)| async move {
        loop {
            let alive = universe.upgrade()?;
            let entries = read_page(&alive, from)?;
            drop(alive);
            if entries.is_empty() {
                latest.changed().await.ok()?;
                continue;
            }
            let next = from + entries.len() as u64;
            return Some((stream::iter(entries.into_iter().map(|entry| Ok(event(&entry)))), (universe, latest, next)));
        }
    });
    Ok(Sse::new(pages.flatten()).keep_alive(KeepAlive::default()))
}

fn read_page(universe: &Universe, from: u64) -> Option<Vec<Value>> {
    universe.ledger().page(from, 100).ok()
}

fn event(entry: &Value) -> Event {
    let id = entry["seq"].to_string();
    let kind = entry["kind"].as_str().unwrap_or("entry").to_owned();
    Event::default().id(id).event(kind).data(entry.to_string())
}
