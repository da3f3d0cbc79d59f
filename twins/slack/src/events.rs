//! What a change announces, and how Slack sends things to apps: envelopes, signatures, retries.
//!
//! <https://docs.slack.dev/apis/events-api>, <https://docs.slack.dev/authentication/verifying-requests-from-slack>

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    time::Timestamp,
    tx::Tx,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Value, json};
use sha2::Sha256;
use smol_str::SmolStr;

use crate::{
    listeners::{Listener, listeners, listeners_in, message_subscription, subscribes},
    model::{
        EVENT, SITE, State,
        apps::{self, App, Verification},
        channels::{Channel, Kind},
        connect, dialogs, health, interactivity, legacy,
        messages::{Message, Subtype},
        people::User,
        surfaces,
        time::{micros, ts_text},
    },
    rtm,
    shapes::{self, ChannelView, Occasion, UserView},
    text,
};

/// Events that apps subscribe to.
pub(crate) const EVENT_CALLBACK: &str = "event_callback";
/// An app is sent no more events for now.
pub(crate) const APP_RATE_LIMITED: &str = "app_rate_limited";
/// The proof that an events address asks for events.
pub(crate) const URL_VERIFICATION: &str = "url_verification";
/// A person typed a slash command.
pub(crate) const SLASH_COMMAND: &str = "slash_command";
/// A person used a control.
pub(crate) const BLOCK_ACTIONS: &str = "block_actions";
/// A person pressed a button of an attachment.
pub(crate) const INTERACTIVE_MESSAGE: &str = "interactive_message";
/// A person submitted a modal.
pub(crate) const VIEW_SUBMISSION: &str = "view_submission";
/// A person closed a modal.
pub(crate) const VIEW_CLOSED: &str = "view_closed";
/// A person submitted or closed a dialog.
pub(crate) const DIALOG: &str = "dialog";
/// A person ran a shortcut, on a message or anywhere.
pub(crate) const SHORTCUT: &str = "shortcut";
/// A person looks for options that the app gives.
pub(crate) const BLOCK_SUGGESTION: &str = "block_suggestion";

/// How long Slack waits for an app.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// How many redirects Slack follows.
const REDIRECTS: usize = 2;
/// How long after each failed attempt the next one comes.
const RETRIES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300)];

/// A message was posted.
pub(crate) fn message_posted(state: &State, tx: &mut Tx<'_>, channel: &SmolStr, message: &Message) {
    if state.index.listeners.is_empty() && state.index.user_listeners.is_empty() && state.rtm.is_idle() {
        return;
    }
    let Some(row) = state.channels.get(channel) else { return };
    let listeners = listeners_in(state, message_subscription(row.kind), row);
    if !listeners.is_empty() {
        let mut event = shapes::message_value(state, channel, message);
        event["channel"] = json!(channel);
        event["event_ts"] = event["ts"].clone();
        event["channel_type"] = json!(row.kind.event_name());
        if message.subtype().is_some_and(is_of_channel) {
            event["team"] = json!(state.workspace.id);
        }
        send(state, tx, &listeners, Some(channel), &event);
    }
    mentioned(state, tx, row, message);
}

/// Whether a message tells what became of its channel or of who is in it: apps are told the workspace with it.
const fn is_of_channel(subtype: Subtype) -> bool {
    matches!(
        subtype,
        Subtype::ChannelArchive
            | Subtype::ChannelJoin
            | Subtype::ChannelLeave
            | Subtype::ChannelName
            | Subtype::ChannelUnarchive
    )
}

/// Apps whose bot the text mentions. Direct messages do not count as mentions.
fn mentioned(state: &State, tx: &mut Tx<'_>, channel: &Channel, message: &Message) {
    if !channel.kind.is_channel() || message.subtype().is_some() || state.is_suspended(&channel.id) {
        return;
    }
    let listeners: Vec<Listener> = listeners_in(state, "app_mention", channel)
        .into_iter()
        .filter(|app| {
            app.is_bot && app.bot_user != message.user && text::mentions(&message.text).any(|id| id == app.bot_user)
        })
        .collect();
    if listeners.is_empty() {
        return;
    }
    let mut event = shapes::message_value(state, &channel.id, message);
    event["type"] = json!("app_mention");
    event["channel"] = json!(channel.id);
    event["event_ts"] = event["ts"].clone();
    send(state, tx, &listeners, Some(&channel.id), &event);
}

/// A message was edited.
pub(crate) fn message_changed(state: &State, tx: &mut Tx<'_>, channel: &SmolStr, before: &Message, after: &Message) {
    let parts = |state: &State| {
        json!({
            "message": shapes::message_value(state, channel, after),
            "previous_message": shapes::message_value(state, channel, before),
        })
    };
    hidden(state, tx, channel, "message_changed", parts);
}

/// A message was deleted.
pub(crate) fn message_deleted(state: &State, tx: &mut Tx<'_>, channel: &SmolStr, before: &Message) {
    let parts = |state: &State| {
        json!({
            "deleted_ts": ts_text(before.ts),
            "previous_message": shapes::message_value(state, channel, before),
        })
    };
    hidden(state, tx, channel, "message_deleted", parts);
}

/// An event about a message that channels do not show.
fn hidden(state: &State, tx: &mut Tx<'_>, channel: &SmolStr, subtype: &str, parts: impl Fn(&State) -> Value) {
    let Some(row) = state.channels.get(channel) else { return };
    let listeners = listeners_in(state, message_subscription(row.kind), row);
    if listeners.is_empty() {
        return;
    }
    let now = ts_text(micros(tx.now));
    let mut event = json!({ "type": "message", "subtype": subtype });
    if let (Some(event), Value::Object(parts)) = (event.as_object_mut(), parts(state)) {
        event.extend(parts);
    }
    event["channel"] = json!(channel);
    event["hidden"] = json!(true);
    event["ts"] = json!(now);
    event["event_ts"] = json!(now);
    event["channel_type"] = json!(row.kind.event_name());
    send(state, tx, &listeners, Some(channel), &event);
}

/// A public channel was made.
pub(crate) fn channel_created(state: &State, tx: &mut Tx<'_>, channel: &Channel) {
    let listeners = listeners(state, "channel_created");
    if listeners.is_empty() {
        return;
    }
    let occasion = Occasion::Announced;
    let view = ChannelView { viewer: &channel.creator, occasion, num_members: false, locale: false };
    let event = json!({
        "type": "channel_created",
        "channel": shapes::conversation(state, channel, view),
        "event_ts": ts_text(micros(tx.now)),
    });
    send(state, tx, &listeners, None, &event);
}

/// Somebody has come into a channel.
pub(crate) fn member_joined(
    state: &State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    user: &SmolStr,
    inviter: Option<&SmolStr>,
) {
    let Some(row) = state.channels.get(channel) else { return };
    let listeners = listeners_in(state, "member_joined_channel", row);
    if listeners.is_empty() {
        return;
    }
    let mut event = membership_event(state, tx, "member_joined_channel", row, user);
    if let Some(inviter) = inviter {
        event["inviter"] = json!(inviter);
    }
    send(state, tx, &listeners, Some(channel), &event);
}

/// Somebody has left a channel.
pub(crate) fn member_left(state: &State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr) {
    let listeners = listeners_in(state, "member_left_channel", channel);
    if listeners.is_empty() {
        return;
    }
    let event = membership_event(state, tx, "member_left_channel", channel, user);
    send(state, tx, &listeners, Some(&channel.id), &event);
}

fn membership_event(state: &State, tx: &Tx<'_>, name: &str, channel: &Channel, user: &SmolStr) -> Value {
    json!({
        "type": name,
        "user": user,
        "channel": channel.id,
        "channel_type": if channel.kind == Kind::Public { "C" } else { "G" },
        "team": state.workspace.id,
        "event_ts": ts_text(micros(tx.now)),
    })
}

/// An account changed. Apps are told the mail address where they may ask for it.
pub(crate) fn user_changed(state: &State, tx: &mut Tx<'_>, user: &User) {
    for app in listeners(state, "user_change") {
        let email = app.scopes.iter().any(|scope| scope == "users:read.email");
        let view = UserView { email, locale: true, now: tx.now };
        let event = json!({
            "type": "user_change",
            "user": shapes::user(state, user, view),
            "cache_ts": tx.now.as_secs(),
            "event_ts": ts_text(micros(tx.now)),
        });
        send(state, tx, &[app], None, &event);
    }
}

/// Tells all apps that may see a file: those whose bot sees it, or is in the channel that it is shared in.
pub(crate) fn about_file(state: &State, tx: &mut Tx<'_>, file: &SmolStr, channel: Option<&SmolStr>, event: &Value) {
    let mut apps = listeners(state, event["type"].as_str().unwrap_or_default());
    apps.retain(|app| match channel {
        Some(channel) => state.is_public(channel) || state.is_member(channel, &app.user),
        None => state.visible_file(file, &app.user).is_some(),
    });
    send(state, tx, &apps, channel, event);
}

/// Tells one app, where it listens.
pub(crate) fn tell(state: &State, tx: &mut Tx<'_>, app: &SmolStr, channel: Option<&SmolStr>, event: &Value) {
    let name = event["type"].as_str().unwrap_or_default();
    let mut apps = listeners(state, name);
    apps.retain(|listener| listener.id == *app);
    send(state, tx, &apps, channel, event);
}

/// Queues an event for each app, in the envelope of the Events API.
pub(crate) fn send(state: &State, tx: &mut Tx<'_>, apps: &[Listener], channel: Option<&SmolStr>, event: &Value) {
    let is_shared = channel.is_some_and(|channel| connect::connected(state, channel).next().is_some());
    for (at, app) in apps.iter().enumerate() {
        // An app hears of a thing once, whoever lets it.
        if apps[..at].iter().any(|before| before.id == app.id) {
            continue;
        }
        if app.is_bot && state.rtm.has(&app.id) {
            rtm::push(state, tx, app, event);
            if !subscribes(app, event) {
                continue;
            }
        }
        let team = &state.workspace.id;
        let context = json!({ "et": event["type"], "tid": team, "aid": app.id, "cid": channel });
        let mut envelope = json!({
            "token": app.verification_token,
            "team_id": team,
            "context_team_id": team,
            "context_enterprise_id": state.enterprise_id(),
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": tx.id(&EVENT),
            "event_time": tx.now.as_secs(),
            "authorizations": [app.authorization(state)],
            "is_ext_shared_channel": is_shared,
            "event_context": format!("4-{}", STANDARD_NO_PAD.encode(context.to_string())),
        });
        if let Some(org) = state.enterprise_id() {
            envelope["enterprise_id"] = json!(org);
        }
        tx.deliver(EVENT_CALLBACK, json!({ "app": app.id, "body": envelope }));
    }
}

/// Asks an events address to prove itself.
pub(crate) fn ask_for_proof(tx: &mut Tx<'_>, app: &App) {
    const CHALLENGE: dtu_kernel::seed::Site = SITE.child("challenge");
    let challenge = tx.draw(CHALLENGE).text(dtu_kernel::ids::ALNUM, 52);
    let body = json!({ "token": app.verification_token, "challenge": challenge, "type": "url_verification" });
    tx.deliver(URL_VERIFICATION, json!({ "app": app.id, "url": app.events_url, "body": body }));
}

/// Builds the next attempt of a delivery; none where its app is gone or asks for it no longer.
pub(crate) fn prepare(state: &State, delivery: &Delivery, now: Timestamp) -> Option<Outbound> {
    let payload = &delivery.payload;
    // The last words to an app are said when it is gone already.
    let is_last = matches!(payload["body"]["event"]["type"].as_str(), Some("app_uninstalled" | "tokens_revoked"));
    // An address can prove itself before its app is installed.
    let is_proof = delivery.kind == URL_VERIFICATION;
    let app = state.apps.get(&payload["app"].as_str()?.into()).filter(|app| !app.removed || is_last || is_proof)?;
    let (url, body, media_type) = match delivery.kind.as_str() {
        EVENT_CALLBACK if !is_last && health::is_limited(state, &app.id, now) => return None,
        APP_RATE_LIMITED => (app.events_url.as_str(), as_json(&payload["body"]), JSON),
        EVENT_CALLBACK if is_last => (app.events_url.as_str(), as_json(&payload["body"]), JSON),
        EVENT_CALLBACK => (app.listens().then_some(app.events_url.as_str())?, as_json(&payload["body"]), JSON),
        URL_VERIFICATION => (payload["url"].as_str()?, as_json(&payload["body"]), JSON),
        SLASH_COMMAND => (payload["url"].as_str()?, as_form(&payload["form"]), FORM),
        BLOCK_ACTIONS | INTERACTIVE_MESSAGE | VIEW_SUBMISSION | VIEW_CLOSED | SHORTCUT | BLOCK_SUGGESTION | DIALOG => {
            let form = json!([["payload", payload["body"].to_string()]]);
            let options_url = Some(&app.surfaces.options_url).filter(|url| !url.is_empty());
            let asks = options_url.filter(|_| delivery.kind == BLOCK_SUGGESTION);
            (asks.unwrap_or(&app.interactivity_url).as_str(), as_form(&form), FORM)
        }
        _ => return None,
    };
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json,*/*"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Slackbot 1.0 (+https://api.slack.com/robots)"));
    let secret = if delivery.bad_signature { "not the signing secret" } else { app.signing_secret.as_str() };
    set(&mut headers, "x-slack-request-timestamp", &now.as_secs().to_string());
    set(&mut headers, "x-slack-signature", &signature(secret, now.as_secs(), &body));
    if delivery.attempt > 1 {
        set(&mut headers, "x-slack-retry-num", &(delivery.attempt - 1).to_string());
        set(&mut headers, "x-slack-retry-reason", &delivery.reason);
    }
    let url = url.to_owned();
    Some(Outbound { method: Method::POST, url, headers, body, timeout: PATIENCE, redirects: REDIRECTS })
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn as_json(body: &Value) -> Bytes {
    Bytes::from(body.to_string())
}

/// A form from a list of pairs.
fn as_form(pairs: &Value) -> Bytes {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for pair in pairs.as_array().into_iter().flatten() {
        form.append_pair(pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default());
    }
    Bytes::from(form.finish())
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Slack's signature of a body: `v0=` and the HMAC-SHA256 of version, time and body.
pub fn signature(secret: &str, secs: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("v0:{secs}:").as_bytes());
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    let mut out = String::with_capacity(3 + digest.len() * 2);
    out.push_str("v0=");
    for byte in digest {
        for nibble in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    out
}

/// Takes in what came of an attempt.
pub(crate) fn delivered(state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
    match delivery.kind.as_str() {
        EVENT_CALLBACK => {
            let app = SmolStr::new(delivery.payload["app"].as_str().unwrap_or_default());
            health::attempted(state, tx, &app, delivery.attempt == 1, outcome.accepted());
            return after_event(delivery, outcome);
        }
        URL_VERIFICATION => proved(state, tx, &delivery.payload, outcome),
        SLASH_COMMAND => interactivity::command_answered(state, tx, &delivery.payload, outcome),
        INTERACTIVE_MESSAGE => legacy::answered(state, tx, &delivery.payload, outcome),
        VIEW_SUBMISSION => surfaces::submitted(state, tx, &delivery.payload, outcome),
        DIALOG => dialogs::answered(state, tx, &delivery.payload, outcome),
        BLOCK_SUGGESTION => surfaces::suggested(state, tx, &delivery.payload, outcome),
        _ => {}
    }
    Next::Done
}

fn after_event(delivery: &Delivery, outcome: &Outcome) -> Next {
    let reason = match outcome {
        outcome if outcome.accepted() => return Next::Done,
        Outcome::Answered { headers, .. } if headers.get("x-slack-no-retry").is_some_and(|no| no == "1") => {
            return Next::Done;
        }
        Outcome::Answered { .. } => "http_error",
        Outcome::TimedOut => "http_timeout",
        Outcome::Unreachable => "connection_failed",
        Outcome::TooManyRedirects => "too_many_redirects",
        Outcome::Forbidden => "unknown_error",
    };
    let attempts_before = usize::try_from(delivery.attempt).unwrap_or(usize::MAX).saturating_sub(1);
    RETRIES.get(attempts_before).map_or(Next::Done, |after| Next::Retry { after: *after, reason })
}

/// An events address has answered the challenge, or not.
fn proved(state: &mut State, tx: &mut Tx<'_>, payload: &Value, outcome: &Outcome) {
    let id = SmolStr::new(payload["app"].as_str().unwrap_or_default());
    let challenge = payload["body"]["challenge"].as_str().unwrap_or_default();
    let verification = match outcome {
        Outcome::Answered { status: 200, body, .. } if answers(body, challenge) => Verification::Verified,
        Outcome::Answered { status: 200, .. } => {
            Verification::Failed(SmolStr::new_static("the answer does not hold the challenge"))
        }
        other => Verification::Failed(match other.summary() {
            Ok(status) => smol_str::format_smolstr!("HTTP status {status}"),
            Err(why) => SmolStr::new_static(why),
        }),
    };
    // Another address may have been set meanwhile.
    let still_asked = |app: &Arc<App>| app.events_url == payload["url"].as_str().unwrap_or_default();
    if state.apps.get(&id).is_some_and(still_asked) {
        apps::edit(state, tx, &id, |app| app.verification = verification);
    }
}

/// Whether a body holds the challenge: as text, form or JSON.
fn answers(body: &[u8], challenge: &str) -> bool {
    let text = String::from_utf8_lossy(body);
    let in_json = || serde_json::from_slice::<Value>(body).is_ok_and(|body| body["challenge"] == challenge);
    let in_form = || form_urlencoded::parse(body).any(|(name, value)| name == "challenge" && value == challenge);
    text.trim() == challenge || in_json() || in_form()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_slacks() {
        // The known answer of docs.slack.dev/authentication/verifying-requests-from-slack.
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
                    &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
                    &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F\
                    96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        assert_eq!(
            signature("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, body.as_bytes()),
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        );
    }

    #[test]
    fn the_challenge_comes_back_in_any_form() {
        let check = |body: &str, wanted: bool| assert_eq!(answers(body.as_bytes(), "abc"), wanted, "{body}");
        check("abc", true);
        check("abc\n", true);
        check("challenge=abc", true);
        check(r#"{"challenge":"abc"}"#, true);
        check("ok", false);
        check(r#"{"challenge":"x"}"#, false);
    }
}
