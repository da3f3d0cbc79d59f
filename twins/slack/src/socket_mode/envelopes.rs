//! What goes over a socket: envelopes to the app, and its acknowledgements.

use dtu_kernel::{
    delivery::Delivery,
    socket::{Frame, SocketId},
    time::Timestamp,
    tx::Tx,
};
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    events::{
        APP_RATE_LIMITED, BLOCK_SUGGESTION, DIALOG, EVENT_CALLBACK, INTERACTIVE_MESSAGE, PATIENCE, SLASH_COMMAND,
        URL_VERIFICATION, VIEW_SUBMISSION,
    },
    model::{State, apps::App, health},
    text,
};

/// The next attempt of a delivery to an app in Socket Mode; none where it goes over HTTP.
pub(crate) fn frame(state: &State, delivery: &Delivery, now: Timestamp) -> Option<Frame> {
    let app = state.apps.get(&delivery.payload["app"].as_str()?.into())?;
    if !app.socket_mode || app.removed || delivery.kind == URL_VERIFICATION {
        return None;
    }
    if delivery.kind == EVENT_CALLBACK && health::is_limited(state, &app.id, now) {
        return None;
    }
    let key = envelope_id(app, delivery);
    let text = envelope(&key, delivery).to_string();
    Some(Frame { socket: choose(state, app, delivery), text, key, patience: PATIENCE })
}

/// One of the app's sockets. Slack says that it may be any of them.
fn choose(state: &State, app: &App, delivery: &Delivery) -> Option<SocketId> {
    let count = state.sockets.count(&app.id);
    let attempt = format_smolstr!("{}/{}", delivery.id, delivery.attempt);
    let drawn = usize::try_from(text::hash(&["socket", &attempt]) >> 32).unwrap_or_default();
    state.sockets.of(&app.id).nth(drawn.checked_rem(count)?)
}

/// The same for all attempts, by which Slack knows what is acknowledged.
fn envelope_id(app: &App, delivery: &Delivery) -> SmolStr {
    let number = format_smolstr!("{}", delivery.id);
    let [a, b] = ["one", "two"].map(|part| text::hash(&[&app.id, &number, part]));
    dtu_kernel::seed::uuid(a, b).into()
}

fn envelope(id: &SmolStr, delivery: &Delivery) -> Value {
    let payload = &delivery.payload;
    let kind = delivery.kind.as_str();
    let (name, payload) = match kind {
        EVENT_CALLBACK | APP_RATE_LIMITED => ("events_api", payload["body"].clone()),
        SLASH_COMMAND => ("slash_commands", Value::Object(members(&payload["form"]))),
        _ => ("interactive", payload["body"].clone()),
    };
    let takes_payload =
        matches!(kind, SLASH_COMMAND | INTERACTIVE_MESSAGE | VIEW_SUBMISSION | BLOCK_SUGGESTION | DIALOG);
    let mut envelope = json!({
        "envelope_id": id,
        "payload": payload,
        "type": name,
        "accepts_response_payload": takes_payload,
    });
    if kind == EVENT_CALLBACK {
        envelope["retry_attempt"] = json!(delivery.attempt - 1);
        envelope["retry_reason"] = json!(retry_reason(&delivery.reason));
    }
    envelope
}

/// Why it is sent again, in the words of Socket Mode.
fn retry_reason(reason: &str) -> &str {
    if reason == "http_timeout" { "timeout" } else { reason }
}

/// A form's pairs as an object.
fn members(form: &Value) -> Map<String, Value> {
    let pairs = form.as_array().into_iter().flatten();
    pairs.map(|pair| (pair[0].as_str().unwrap_or_default().to_owned(), pair[1].clone())).collect()
}

/// An app has sent something: where it acknowledges an envelope, what it says with it is the answer to the delivery.
pub(crate) fn acknowledged(tx: &mut Tx<'_>, text: &str) {
    let Ok(Value::Object(said)) = serde_json::from_str(text) else { return };
    let Some(id) = said.get("envelope_id").and_then(Value::as_str) else { return };
    let body = match said.get("payload") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(members)) if members.is_empty() => String::new(),
        Some(payload) => payload.to_string(),
    };
    tx.answer(id, body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_become_objects() {
        let form = json!([["command", "/x"], ["text", ""]]);
        assert_eq!(Value::Object(members(&form)), json!({ "command": "/x", "text": "" }));
    }

    #[test]
    fn reasons_have_their_own_words() {
        let check = |reason: &str, wanted: &str| assert_eq!(retry_reason(reason), wanted);
        check("", "");
        check("http_timeout", "timeout");
        check("connection_failed", "connection_failed");
    }
}
