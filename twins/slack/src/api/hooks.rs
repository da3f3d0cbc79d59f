//! The addresses at which apps answer commands and clicks, and incoming webhooks (`hooks.slack.com` at Slack).
//!
//! <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>,
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use dtu_kernel::{
    operation::Typed,
    twin::Write,
    wire::{Answer, Request},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Slack,
    error::Error,
    model::{interactivity, webhooks},
};

/// A message and what to do with it: `text`, `blocks`, `attachments`, `response_type`, `replace_original`,
/// `delete_original`, `thread_ts`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Respond(Map<String, Value>);

/// `POST /commands/{team}/{id}/{secret}` and `POST /actions/{team}/{id}/{secret}`
pub(crate) fn respond(cx: &mut Write<'_, '_, Slack>, said: Respond) -> Result<Typed<()>, Error> {
    let (address, said) = read(cx.scene.request, said);
    interactivity::use_response_url(cx.state, cx.tx, address, said)?;
    Ok(Typed::from_answer(Answer::text("text/plain", "ok")))
}

/// `POST /services/{team}/{id}/{secret}`: an incoming webhook.
pub(crate) fn post(cx: &mut Write<'_, '_, Slack>, said: Respond) -> Result<Typed<()>, Error> {
    let (address, said) = read(cx.scene.request, said);
    webhooks::post(cx.state, cx.tx, address, said)?;
    Ok(Typed::from_answer(Answer::text("text/plain", "ok")))
}

/// The parts of an address, and the message sent to it; none where the body is no message.
fn read(request: &Request, Respond(said): Respond) -> ([&str; 3], Option<Map<String, Value>>) {
    let said = match said.get("payload").and_then(Value::as_str) {
        // A form carries the message as JSON in `payload`.
        Some(payload) => serde_json::from_str(payload).ok(),
        None => is_object(&request.body).then_some(said),
    };
    (["team", "id", "secret"].map(|name| request.path_param(name)), said)
}

/// Whether a body that was read as far as it could be is an object.
fn is_object(body: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(body).is_ok()
}
