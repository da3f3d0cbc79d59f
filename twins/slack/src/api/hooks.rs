//! The addresses at which apps answer commands and clicks (`hooks.slack.com` at Slack).
//!
//! <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>

use dtu_kernel::{operation::Typed, twin::Write, wire::Answer};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Slack, error::Error, model::interactivity};

/// A message and what to do with it: `text`, `blocks`, `attachments`, `response_type`, `replace_original`,
/// `delete_original`, `thread_ts`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Respond(Map<String, Value>);

/// `POST /commands/{team}/{id}/{secret}` and `POST /actions/{team}/{id}/{secret}`
pub(crate) fn respond(cx: &mut Write<'_, '_, Slack>, Respond(said): Respond) -> Result<Typed<()>, Error> {
    let said = match said.get("payload").and_then(Value::as_str) {
        // A form carries the message as JSON in `payload`, as incoming webhooks do.
        Some(payload) => serde_json::from_str(payload).ok(),
        None => is_object(&cx.scene.request.body).then_some(said),
    };
    let address = ["team", "id", "secret"].map(|name| cx.scene.request.path_param(name));
    interactivity::use_response_url(cx.state, cx.tx, address, said)?;
    Ok(Typed::from_answer(Answer::text("text/plain", "ok")))
}

/// Whether a body that was read as far as it could be is an object.
fn is_object(body: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(body).is_ok()
}
