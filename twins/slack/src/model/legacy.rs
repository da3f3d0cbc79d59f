//! Buttons and menus of attachments, from before blocks: what an app is told of them, and what its answer does.
//!
//! <https://docs.slack.dev/legacy/legacy-messaging/legacy-making-messages-interactive>

use dtu_kernel::{delivery::Outcome, tx::Tx};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    State,
    interactivity::{self, Occasion, Original},
    time::{micros, ts_text},
};
use crate::{blocks::Button, events::INTERACTIVE_MESSAGE, shapes};

/// A person has pressed such a button.
pub(crate) fn click(state: &mut State, tx: &mut Tx<'_>, occasion: &Occasion, on: Original, button: &Button) {
    let element = &button.element;
    let action = json!({ "name": element["name"], "type": "button", "value": element["value"] });
    act(state, tx, occasion, on, (button.attachment.unwrap_or_default(), &button.callback_id), &action);
}

/// A person has used something of an attachment, which the app knows by a word.
pub(crate) fn act(
    state: &mut State,
    tx: &mut Tx<'_>,
    occasion: &Occasion,
    on: Original,
    (attachment, callback_id): (u64, &str),
    action: &Value,
) {
    let Occasion { app, user, channel } = occasion;
    let (Original::Message(ts) | Original::Ephemeral(ts)) = on;
    let trigger = interactivity::make_trigger_in(state, tx, occasion);
    let (response, response_url) = interactivity::make_response_url(state, tx, "actions", occasion, Some(on));
    let attachments = interactivity::attachments_of(state, &channel.id, &user.id, on);
    let mut listed = attachments.iter().filter_map(|list| list.as_array()).flatten();
    let is_unfurl = listed.any(|item| item["id"] == attachment && item["is_app_unfurl"] == true);
    let team = &state.workspace;
    let mut body = json!({
        "type": "interactive_message",
        "actions": [action],
        "callback_id": callback_id,
        "team": { "id": team.id, "domain": team.domain },
        "channel": { "id": channel.id, "name": interactivity::payload_name(channel) },
        "user": { "id": user.id, "name": user.name, "team_id": team.id },
        "action_ts": ts_text(micros(tx.now)),
        "message_ts": ts_text(ts),
        "attachment_id": attachment.to_string(),
        "token": app.verification_token,
        "is_app_unfurl": is_unfurl,
        "enterprise": null,
        "is_enterprise_install": false,
        "response_url": response_url,
        "trigger_id": trigger,
    });
    if matches!(on, Original::Message(_))
        && let Some(message) = state.message(&channel.id, ts)
    {
        body["original_message"] = shapes::message_value(state, &channel.id, message);
    }
    tx.deliver(INTERACTIVE_MESSAGE, json!({ "app": app.id, "response": response, "body": body }));
}

/// An app has answered within the request, or has not: a message in the answer takes the place of the one with the
/// button, unless it says otherwise.
pub(crate) fn answered(state: &mut State, tx: &mut Tx<'_>, payload: &Value, outcome: &Outcome) {
    let Outcome::Answered { status: 200..300, headers, body } = outcome else { return };
    let Some(mut said) = interactivity::answer_body(headers, body) else { return };
    said.entry("replace_original").or_insert(Value::Bool(true));
    let response = SmolStr::new(payload["response"].as_str().unwrap_or_default());
    interactivity::answer_within(state, tx, &response, said);
}
