//! What apps offer to workflows as steps, and the runs of it.
//!
//! <https://docs.slack.dev/workflows/workflow-steps>

use std::sync::Arc;

use dtu_kernel::{
    ids::{ALNUM, IdShape, UPPER_ALNUM},
    tx::Tx,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    SITE, State, activities,
    apps::{App, Token, TokenKind},
    schedule::stamp,
    workflows,
};
use crate::{error::Code, events};

const fn id(site: &str, prefix: &'static str) -> IdShape {
    IdShape { site: SITE.child(site), prefix, alphabet: UPPER_ALNUM, drawn: 9, suffix: "" }
}

const FUNCTION: IdShape = id("function", "Fn0");
const EXECUTION: IdShape = id("function execution", "Fx0");
const WORKFLOW: IdShape = id("workflow execution", "Wx0");
const TRIGGER: IdShape = id("workflow trigger", "Ft0");
const TOKEN: IdShape =
    IdShape { site: SITE.child("workflow token"), prefix: "xwfp-", alphabet: ALNUM, drawn: 48, suffix: "" };
/// How long the token of a run is good, in seconds.
const TOKEN_LIFE: i64 = 15 * 60;

/// What goes into a function or comes out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// `string`, `integer`, `number`, `boolean`, `object`, `array`, or a type of Slack's own.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub kind: SmolStr,
    /// What it is known by.
    #[schemars(with = "String")]
    pub name: SmolStr,
    /// What people are told it is.
    #[serde(default)]
    #[schemars(with = "String")]
    pub title: SmolStr,
    /// More of that.
    #[serde(default)]
    #[schemars(with = "String")]
    pub description: SmolStr,
    /// Whether it must be there.
    #[serde(default)]
    pub is_required: bool,
}

impl Parameter {
    /// What is wrong with values for these.
    fn problems(all: &[Self], values: &Map<String, Value>) -> Vec<String> {
        let mut problems = Vec::new();
        for parameter in all {
            let value = values.get(parameter.name.as_str()).filter(|value| !value.is_null());
            match value {
                None if parameter.is_required => problems.push(format!("missing required field: {}", parameter.name)),
                Some(value) if !parameter.takes(value) => {
                    problems.push(format!("must be of type {} [json-pointer:/{}]", parameter.kind, parameter.name));
                }
                _ => {}
            }
        }
        let known = |name: &String| all.iter().any(|parameter| parameter.name == name.as_str());
        problems.extend(values.keys().filter(|name| !known(name)).map(|name| format!("unexpected field: {name}")));
        problems
    }

    fn takes(&self, value: &Value) -> bool {
        match self.kind.as_str() {
            "integer" | "slack#/types/timestamp" => value.is_i64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "object" => value.is_object(),
            "array" => value.is_array(),
            // Slack's own types are ids, save for some that are objects.
            _ => value.is_string() || (self.kind.starts_with("slack#/") && value.is_object()),
        }
    }
}

/// A function of an app.
#[derive(Clone, Debug, Serialize)]
pub struct Function {
    /// Its id.
    pub id: SmolStr,
    /// The app.
    pub app: SmolStr,
    /// What the app knows it by.
    pub callback_id: SmolStr,
    /// What people see.
    pub title: SmolStr,
    /// More of that.
    pub description: SmolStr,
    /// What goes in.
    pub inputs: Arc<[Parameter]>,
    /// What comes out.
    pub outputs: Arc<[Parameter]>,
    /// When it was made, in seconds.
    pub created: i64,
    /// When it was changed, in seconds.
    pub updated: i64,
    /// What people start it by.
    pub trigger: SmolStr,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The app is at it.
    Running,
    /// It is done; with what came out.
    Completed(Map<String, Value>),
    /// It failed; why.
    Failed(String),
}

/// A run of a function.
#[derive(Clone, Debug, Serialize)]
pub struct Execution {
    /// Its id.
    pub id: SmolStr,
    /// The app.
    pub app: SmolStr,
    /// The function by the app's name for it.
    pub callback_id: SmolStr,
    /// Who started it.
    pub user: SmolStr,
    /// What went in.
    pub inputs: Arc<Map<String, Value>>,
    /// Where it stands.
    pub outcome: Outcome,
    /// What its entries in the app's log have in common.
    pub trace: SmolStr,
    /// The token that the app was given for it.
    #[serde(skip)]
    pub token: SmolStr,
}

/// Makes a function known, or changes it.
pub(crate) fn define(state: &mut State, tx: &mut Tx<'_>, function: Function) -> Arc<Function> {
    let key = (function.app.clone(), function.callback_id.clone());
    let before = state.content.functions.get(&key).map(Arc::clone);
    let (id, trigger, created) = match before {
        Some(before) => (before.id.clone(), before.trigger.clone(), before.created),
        None => (tx.id(&FUNCTION), tx.id(&TRIGGER), tx.now.as_secs()),
    };
    state.content.function_by_trigger.insert(trigger.clone(), key.clone());
    let function = Function { id, trigger, created, updated: tx.now.as_secs(), ..function };
    workflows::publish(state, tx, &function);
    state.content.functions.put(&mut tx.changes, key, function)
}

/// Runs a function: the app is told, with a token that is good for the run.
///
/// # Errors
/// What is wrong with the inputs.
pub(crate) fn run(
    state: &mut State,
    tx: &mut Tx<'_>,
    (app, user): (&App, &SmolStr),
    function: &Function,
    inputs: Map<String, Value>,
) -> Result<Arc<Execution>, Vec<String>> {
    let problems = Parameter::problems(&function.inputs, &inputs);
    if !problems.is_empty() {
        return Err(problems);
    }
    let token = tx.id(&TOKEN);
    let names: Vec<&str> = app.scopes.iter().map(SmolStr::as_str).collect();
    let granted = Token {
        kind: TokenKind::Bot,
        app: app.id.clone(),
        user: app.bot_user.clone(),
        scopes: Arc::clone(&app.scopes),
        granted: names.join(",").into(),
        bearer: app.key.clone(),
        revoked: false,
        expires: Some(tx.now.as_secs() + TOKEN_LIFE),
    };
    state.tokens.put(&mut tx.changes, token.clone(), granted);
    let (id, workflow) = (tx.id(&EXECUTION), tx.id(&WORKFLOW));
    let event = json!({
        "type": "function_executed",
        "function": render(function),
        "inputs": inputs,
        "function_execution_id": id,
        "workflow_execution_id": workflow,
        "event_ts": stamp(tx.now),
        "bot_access_token": token,
    });
    events::tell(state, tx, &app.id, None, &event);
    let mut execution = Execution {
        id: id.clone(),
        app: app.id.clone(),
        callback_id: function.callback_id.clone(),
        user: user.clone(),
        inputs: Arc::new(inputs),
        outcome: Outcome::Running,
        trace: SmolStr::default(),
        token,
    };
    execution.trace = activities::started(state, tx, function, &execution);
    Ok(state.content.executions.put(&mut tx.changes, id, execution))
}

fn render(function: &Function) -> Value {
    json!({
        "id": function.id,
        "callback_id": function.callback_id,
        "title": function.title,
        "description": function.description,
        "type": "app",
        "input_parameters": *function.inputs,
        "output_parameters": *function.outputs,
        "app_id": function.app,
        "date_created": function.created,
        "date_updated": function.updated,
        "date_deleted": 0,
    })
}

/// A run that an app may end.
///
/// # Errors
/// Where there is none, or it is another app's, or over.
pub(crate) fn find(state: &State, app: &SmolStr, id: &str) -> Result<Arc<Execution>, Code> {
    let row = state.content.executions.get(&id.into()).ok_or(Code::FunctionExecutionNotFound)?;
    match row.outcome {
        _ if row.app != *app => Err(Code::AccessDenied),
        Outcome::Running => Ok(Arc::clone(row)),
        _ => Err(Code::ExecutionNotInRunningState),
    }
}

/// What is wrong with what came out of a run.
pub(crate) fn check_outputs(state: &State, row: &Execution, outputs: &Map<String, Value>) -> Vec<String> {
    let function = state.content.functions.get(&(row.app.clone(), row.callback_id.clone()));
    function.map(|function| Parameter::problems(&function.outputs, outputs)).unwrap_or_default()
}

/// Ends a run; its token is over with it.
pub(crate) fn end(state: &mut State, tx: &mut Tx<'_>, row: &Execution, outcome: Outcome) {
    activities::ended(state, tx, row, &outcome);
    state.content.executions.update(&mut tx.changes, &row.id, |row| row.outcome = outcome);
    state.tokens.update(&mut tx.changes, &row.token, |token| token.revoked = true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_against_parameters() {
        let parameter = |name: &str, kind: &str, is_required| Parameter {
            kind: kind.into(),
            name: name.into(),
            title: SmolStr::default(),
            description: SmolStr::default(),
            is_required,
        };
        let all = [
            parameter("a", "string", true),
            parameter("n", "integer", false),
            parameter("u", "slack#/types/user_id", false),
        ];
        let check = |values: Value, wanted: usize| {
            let problems = Parameter::problems(&all, values.as_object().unwrap());
            assert_eq!(problems.len(), wanted, "{values}: {problems:?}");
        };
        check(json!({ "a": "x" }), 0);
        check(json!({ "a": "x", "n": 1, "u": "U0" }), 0);
        check(json!({}), 1);
        check(json!({ "a": 1, "n": "x" }), 2);
        check(json!({ "a": "x", "other": 1 }), 1);
        check(json!({ "a": "x", "n": null }), 0);
    }
}
