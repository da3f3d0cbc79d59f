//! The clock of a universe.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    routing::{get, post},
};
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{Control, ControlError, Endpoint, universes::parse};
use crate::{
    job::JobInfo,
    time::{Span, Timestamp},
    universe::Universe,
};

/// A universe's clock and what is due on it.
#[derive(Debug, Serialize, JsonSchema)]
struct ClockInfo {
    /// How its time relates to the machine's.
    mode: String,
    /// What it shows.
    now: Timestamp,
    /// Timers and deliveries to come, soonest first; the first hundred.
    due: Vec<JobInfo>,
}

/// How far the clock is to move.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// By how much.
    by: Span,
}

/// Where the clock is to stand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Set {
    /// A time not before the present one.
    to: Timestamp,
}

/// How far the clock may move until nothing is due.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UntilQuiet {
    /// At most by so much; 30 days where absent.
    #[serde(default = "month")]
    most: Span,
}

const fn month() -> Span {
    Span(Duration::from_secs(30 * 86_400))
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let answer = SchemaGenerator::subschema_for::<ClockInfo>;
    vec![
        Endpoint::new("getClock", Method::GET, "/v1/universes/{universe}/clock", "The clock.", get(show))
            .answer(answer),
        Endpoint::new(
            "advanceClock",
            Method::POST,
            "/v1/universes/{universe}/clock/advance",
            "Moves the clock on, through all that is due on the way.",
            post(advance),
        )
        .body(SchemaGenerator::subschema_for::<Advance>)
        .answer(answer),
        Endpoint::new(
            "setClock",
            Method::POST,
            "/v1/universes/{universe}/clock/set",
            "Moves the clock to a time, through all that is due on the way.",
            post(set),
        )
        .body(SchemaGenerator::subschema_for::<Set>)
        .answer(answer),
        Endpoint::new(
            "runUntilQuiet",
            Method::POST,
            "/v1/universes/{universe}/clock/run-until-quiet",
            "Moves the clock from job to job until none is left.",
            post(run_until_quiet),
        )
        .body(SchemaGenerator::subschema_for::<UntilQuiet>)
        .answer(answer),
    ]
}

fn info(universe: &Universe) -> Json<ClockInfo> {
    let mut due = universe.jobs();
    due.truncate(100);
    Json(ClockInfo { mode: universe.clock_mode().to_string(), now: universe.now(), due })
}

async fn show(State(control): State<Arc<Control>>, Path(id): Path<String>) -> Result<Json<ClockInfo>, ControlError> {
    Ok(info(&control.find(&id)?.universe))
}

async fn advance(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<ClockInfo>, ControlError> {
    let wanted: Advance = parse(&body)?;
    let running = control.find(&id)?;
    running.universe.advance(wanted.by.0).await;
    Ok(info(&running.universe))
}

async fn set(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<ClockInfo>, ControlError> {
    let wanted: Set = parse(&body)?;
    let running = control.find(&id)?;
    if wanted.to < running.universe.now() {
        return Err(ControlError::refused("the clock does not run backwards")
            .hint("restore a snapshot, or reset the universe, to go back"));
    }
    running.universe.advance_to(wanted.to).await;
    Ok(info(&running.universe))
}

async fn run_until_quiet(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<ClockInfo>, ControlError> {
    let wanted: UntilQuiet = parse(&body)?;
    let running = control.find(&id)?;
    running.universe.run_until_quiet(wanted.most.0).await;
    Ok(info(&running.universe))
}
