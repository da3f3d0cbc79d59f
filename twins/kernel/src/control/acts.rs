//! What is done to a universe: faults armed, human acts performed.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    routing::{delete, get, post},
};
use http::{Method, StatusCode};
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Control, ControlError, Endpoint, universes::parse};
use crate::{
    fault::{Rule, Tally},
    universe::Universe,
};

/// Rules to arm.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arm {
    /// The rules, behind those already armed.
    rules: Vec<Rule>,
}

/// An armed rule.
#[derive(Debug, Serialize, JsonSchema)]
struct ArmedInfo {
    /// The rule.
    rule: Rule,
    /// How often its match was met.
    matched: u64,
    /// How often it fired.
    fired: u64,
    /// How often it was skipped, by reason.
    skipped: BTreeMap<&'static str, u64>,
}

/// A human act.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Act {
    /// Who acts: a person's key or mail address.
    #[serde(rename = "as")]
    actor: String,
    /// The verb.
    #[serde(rename = "do")]
    verb: String,
    /// Its arguments.
    #[serde(default)]
    with: Map<String, Value>,
}

/// What came of a human act.
#[derive(Debug, Serialize, JsonSchema)]
struct ActResult {
    /// What the person sees.
    result: Value,
}

/// A verb that a twin offers.
#[derive(Debug, Serialize, JsonSchema)]
struct VerbInfo {
    /// The verb.
    verb: &'static str,
    /// What it does.
    about: &'static str,
    /// The JSON Schema of its arguments.
    arguments: Value,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let armed = SchemaGenerator::subschema_for::<Vec<ArmedInfo>>;
    vec![
        Endpoint::new(
            "listFaults",
            Method::GET,
            "/v1/universes/{universe}/faults",
            "The armed fault rules.",
            get(faults),
        )
        .answer(armed),
        Endpoint::new("armFaults", Method::POST, "/v1/universes/{universe}/faults", "Arms fault rules.", post(arm))
            .body(SchemaGenerator::subschema_for::<Arm>)
            .answer(armed),
        Endpoint::new(
            "clearFaults",
            Method::DELETE,
            "/v1/universes/{universe}/faults",
            "Disarms all fault rules.",
            delete(clear),
        ),
        Endpoint::new(
            "disarmFault",
            Method::DELETE,
            "/v1/universes/{universe}/faults/{rule}",
            "Disarms one fault rule.",
            delete(disarm),
        ),
        Endpoint::new(
            "listAffordances",
            Method::GET,
            "/v1/universes/{universe}/affordances",
            "The human verbs that the twins offer.",
            get(verbs),
        )
        .answer(SchemaGenerator::subschema_for::<Vec<VerbInfo>>),
        Endpoint::new(
            "performAffordance",
            Method::POST,
            "/v1/universes/{universe}/affordances",
            "Performs a human act, as that person and with that person's rights.",
            post(perform),
        )
        .body(SchemaGenerator::subschema_for::<Act>)
        .answer(SchemaGenerator::subschema_for::<ActResult>),
    ]
}

fn armed(universe: &Universe) -> Json<Vec<ArmedInfo>> {
    let row = |(rule, tally): (Rule, Tally)| ArmedInfo {
        rule,
        matched: tally.matched,
        fired: tally.fired,
        skipped: tally.skipped.iter().map(|(why, times)| (why.words(), *times)).collect(),
    };
    Json(universe.faults().into_iter().map(row).collect())
}

async fn faults(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<ArmedInfo>>, ControlError> {
    Ok(armed(&control.find(&id)?.universe))
}

async fn arm(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<Vec<ArmedInfo>>, ControlError> {
    let wanted: Arm = parse(&body)?;
    let running = control.find(&id)?;
    running.universe.arm_checked(&wanted.rules)?;
    Ok(armed(&running.universe))
}

async fn clear(State(control): State<Arc<Control>>, Path(id): Path<String>) -> Result<StatusCode, ControlError> {
    control.find(&id)?.universe.disarm(None);
    Ok(StatusCode::NO_CONTENT)
}

async fn disarm(
    State(control): State<Arc<Control>>,
    Path((id, rule)): Path<(String, String)>,
) -> Result<StatusCode, ControlError> {
    let running = control.find(&id)?;
    if running.universe.disarm(Some(&rule)) {
        return Ok(StatusCode::NO_CONTENT);
    }
    let armed = running.universe.faults();
    Err(ControlError::unknown("fault rule", &rule, armed.iter().map(|(rule, ..)| rule.id.as_str())))
}

async fn verbs(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<VerbInfo>>, ControlError> {
    let running = control.find(&id)?;
    let verb = |info: crate::host::AffordanceInfo| VerbInfo {
        verb: info.verb,
        about: info.about,
        arguments: info.arguments_schema(),
    };
    let all = running.universe.twins().iter().flat_map(|host| host.affordances());
    Ok(Json(all.map(verb).collect()))
}

async fn perform(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<ActResult>, ControlError> {
    let act: Act = parse(&body)?;
    let running = control.find(&id)?;
    match running.universe.perform(&act.verb, &act.actor, act.with) {
        Ok(result) => Ok(Json(ActResult { result })),
        Err(refusal) => Err(ControlError::refused(refusal.0)),
    }
}
