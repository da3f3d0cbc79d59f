//! `blocks.validate`: the checks of blocks without a message or view that they are for.
//!
//! <https://docs.slack.dev/reference/methods/blocks.validate>

use dtu_kernel::{operation::Typed, twin::Read};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::marks::done;
use crate::{
    ANY, Row, Slack,
    blocks::{self, Surface},
    error::{Code, Error},
    limits::SPECIAL,
};

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    vec![Row::read("blocks.validate", ANY, "/api/blocks.validate", validate).limit(SPECIAL).errors(&[
        "invalid_blocks",
        "invalid_message",
        "invalid_view",
    ])]
}

/// Arguments of `blocks.validate`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Validate {
    blocks: Option<Value>,
    message: Option<Value>,
    view: Option<Value>,
}

/// `blocks.validate`: one of the three.
fn validate(_: &Read<'_, Slack>, args: Validate) -> Result<Typed<Value>, Error> {
    let given = |value: Option<Value>| value.filter(|value| !value.is_null() && *value != "");
    match (given(args.blocks), given(args.message), given(args.view)) {
        (Some(list), None, None) => hold("invalid_blocks", &blocks::check_list(&array(list)?, "")),
        (None, Some(message), None) => hold("invalid_message", &of_message(&object(message, "message")?)?),
        (None, None, Some(view)) => hold("invalid_view", &of_view(&object(view, "view")?)),
        _ => Err(Error::Told(
            Code::InvalidArguments,
            vec!["must provide exactly one of `blocks`, `view`, or `message`".to_owned()],
        )),
    }
}

fn parsed(value: Value) -> Option<Value> {
    match value {
        Value::String(text) => serde_json::from_str(&text).ok(),
        other => Some(other),
    }
}

fn array(value: Value) -> Result<Vec<Value>, Error> {
    match parsed(value) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(Error::Arguments(vec!["must provide an array [json-pointer:/blocks]".to_owned()])),
    }
}

fn object(value: Value, name: &str) -> Result<Map<String, Value>, Error> {
    match parsed(value) {
        Some(Value::Object(members)) => Ok(members),
        _ => Err(Error::Arguments(vec![format!("must provide an object [json-pointer:/{name}]")])),
    }
}

/// What is wrong with the blocks of a message, and of its attachments.
fn of_message(message: &Map<String, Value>) -> Result<Vec<String>, Error> {
    let mut problems = Vec::new();
    if let Some(list) = message.get("blocks") {
        problems.extend(blocks::check_list(&array(list.clone())?, "/blocks"));
    }
    let attachments = message.get("attachments").and_then(Value::as_array).into_iter().flatten();
    for (at, attachment) in attachments.enumerate() {
        if let Some(list) = attachment["blocks"].as_array() {
            problems.extend(blocks::check_list(list, &format!("/attachments/{at}/blocks")));
        }
    }
    Ok(problems)
}

/// What is wrong with a view, with places within it.
fn of_view(view: &Map<String, Value>) -> Vec<String> {
    let surface = match view.get("type").and_then(Value::as_str) {
        Some("modal") => Surface::Modal,
        Some("home") => Surface::Home,
        Some(other) => return vec![format!("unsupported type: {other} [json-pointer:/type]")],
        None => return vec!["missing required field: type [json-pointer:]".to_owned()],
    };
    let problems = blocks::check_view(view, surface).into_iter();
    problems.map(|problem| problem.replace("[json-pointer:/view", "[json-pointer:")).collect()
}

fn hold(code: &'static str, problems: &[String]) -> Result<Typed<Value>, Error> {
    if problems.is_empty() {
        return Ok(done());
    }
    // Only what is wrong is told here, not what it is wrong for.
    let told = problems.iter().filter(|problem| !problem.starts_with(blocks::ALL_OF));
    Err(Error::Faults(code, told.map(|problem| fault(problem)).collect()))
}

/// A problem in parts. What text objects may be is told; of other constraints Slack's page says no more than that.
fn fault(problem: &str) -> Value {
    let (message, rest) = problem.rsplit_once(" [json-pointer:").unwrap_or((problem, ""));
    let pointer = rest.trim_end_matches(']');
    let mut told = json!({ "pointer": pointer, "code": "failed_constraint", "message": message });
    if let Some(kind) = message.strip_prefix("unsupported type: ") {
        told["constraint"] = json!({ "type": "enum", "got": kind });
        if pointer.ends_with("/text/type") {
            told["constraint"]["expected"] = json!(["plain_text", "mrkdwn"]);
        }
    }
    told
}
