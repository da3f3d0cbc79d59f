//! What the functions of apps did, as their logs tell it.
//!
//! <https://docs.slack.dev/tools/deno-slack-sdk/guides/logging-function-and-app-behavior>

use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    tx::Tx,
};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    SITE, State,
    functions::{Execution, Function, Outcome},
    time::micros,
};

const TRACE: IdShape =
    IdShape { site: SITE.child("trace"), prefix: "Tr0", alphabet: UPPER_ALNUM, drawn: 9, suffix: "" };

/// How much an entry matters, the least first.
pub(crate) const LEVELS: &[&str] = &["trace", "debug", "info", "warn", "error", "fatal"];

/// An entry of an app's log.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    /// The app.
    pub app: SmolStr,
    /// What happened.
    pub event: &'static str,
    /// How much it matters.
    pub level: &'static str,
    /// The function.
    pub function: SmolStr,
    /// What the entries of one run have in common.
    pub trace: SmolStr,
    /// What there is to say of it.
    pub payload: Value,
}

fn put(state: &mut State, tx: &mut Tx<'_>, row: Activity) {
    // Two entries of one moment follow each other.
    let last = state.content.activities.iter().next_back().map_or(0, |(at, _)| at + 1);
    let at = micros(tx.now).max(last);
    state.content.activities.put(&mut tx.changes, at, row);
}

fn about(function: &Function, execution: &Execution) -> Value {
    json!({
        "function_id": function.id,
        "function_name": function.title,
        "function_type": "app",
        "function_execution_id": execution.id,
        "actor": execution.user,
        "app_id": execution.app,
    })
}

/// A run has begun. Gives back what its entries have in common.
pub(crate) fn started(state: &mut State, tx: &mut Tx<'_>, function: &Function, execution: &Execution) -> SmolStr {
    let trace = tx.id(&TRACE);
    let mut payload = about(function, execution);
    payload["inputs"] = json!(*execution.inputs);
    let row = Activity {
        app: execution.app.clone(),
        event: "function_execution_started",
        level: "info",
        function: function.id.clone(),
        trace: trace.clone(),
        payload,
    };
    put(state, tx, row);
    trace
}

/// A run is over.
pub(crate) fn ended(state: &mut State, tx: &mut Tx<'_>, execution: &Execution, outcome: &Outcome) {
    let key = (execution.app.clone(), execution.callback_id.clone());
    let Some(function) = state.content.functions.get(&key).map(std::sync::Arc::clone) else { return };
    let mut payload = about(&function, execution);
    let level = if let Outcome::Failed(why) = outcome {
        payload["exec_outcome"] = json!("Error");
        payload["error"] = json!(why);
        "error"
    } else {
        payload["exec_outcome"] = json!("Success");
        "info"
    };
    let row = Activity {
        app: execution.app.clone(),
        event: "function_execution_result",
        level,
        function: function.id.clone(),
        trace: execution.trace.clone(),
        payload,
    };
    put(state, tx, row);
}
