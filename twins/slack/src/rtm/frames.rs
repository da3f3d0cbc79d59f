//! What classic apps send over their sessions: pings, messages, that they type, and whom they watch.

use dtu_kernel::{socket::SocketId, tx::Tx};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Session, session, tell_presence};
use crate::{
    model::{
        State,
        channels::Channel,
        messages::{self, Draft, Extra},
        restrictions::{self, Posting},
        time::{parse_message_ts, ts_text},
    },
    text::{self, Reading},
};

/// The longest message, in characters.
const TEXT_MAX: usize = 4_000;

/// Why something that was sent is not done: Slack's number and words.
type Wrong = (i32, &'static str);

const NO_TEXT: Wrong = (2, "message text is missing");
// The other words are nowhere documented.
const NO_CHANNEL: Wrong = (1, "channel not found");
const RESTRICTED: Wrong = (1, "restricted_action");
const TOO_LONG: Wrong = (3, "message text is too long");
const UNKNOWN: Wrong = (1, "unsupported message type");
const UNREADABLE: Wrong = (1, "invalid JSON");

/// A text has come over a session.
pub(crate) fn came(state: &mut State, tx: &mut Tx<'_>, socket: SocketId, said: &str) {
    let Some(session) = session(state, socket) else { return };
    let Ok(Value::Object(mut said)) = serde_json::from_str(said) else {
        return answer(tx, socket, None, Err(UNREADABLE));
    };
    let id = said.remove("id");
    let kind = said.remove("type");
    match kind.as_ref().and_then(Value::as_str).unwrap_or_default() {
        "ping" => pong(tx, socket, id, said),
        "message" => {
            let done = write(state, tx, (socket, &session), &said);
            answer(tx, socket, id, done);
        }
        "typing" => match told_channel(state, &session, &said) {
            Ok(channel) => typing(state, tx, socket, &session, &channel, &said),
            Err(wrong) => answer(tx, socket, id, Err(wrong)),
        },
        "presence_sub" | "presence_query" => watch(state, tx, socket, kind == Some(json!("presence_sub")), &said),
        _ => answer(tx, socket, id, Err(UNKNOWN)),
    }
}

/// Answers a ping with all that came with it.
fn pong(tx: &mut Tx<'_>, socket: SocketId, id: Option<Value>, mut said: Map<String, Value>) {
    said.insert("type".to_owned(), json!("pong"));
    if let Some(id) = id {
        said.insert("reply_to".to_owned(), id);
    }
    tx.push(socket, Value::Object(said).to_string());
}

fn answer(tx: &mut Tx<'_>, socket: SocketId, id: Option<Value>, done: Result<Value, Wrong>) {
    let mut body = match done {
        Ok(mut body) => {
            body["ok"] = json!(true);
            body
        }
        Err((code, words)) => json!({ "ok": false, "error": { "code": code, "msg": words } }),
    };
    if let Some(id) = id {
        body["reply_to"] = id;
    }
    tx.push(socket, body.to_string());
}

/// The conversation that is named, where the bot is in it.
fn told_channel(state: &State, session: &Session, said: &Map<String, Value>) -> Result<Channel, Wrong> {
    let id = SmolStr::new(said.get("channel").and_then(Value::as_str).unwrap_or_default());
    let channel = state.channels.get(&id).filter(|channel| !channel.archived && state.is_member(&id, &session.user));
    channel.map(|channel| Channel::clone(channel)).ok_or(NO_CHANNEL)
}

/// Posts a message in the name of the bot.
fn write(
    state: &mut State,
    tx: &mut Tx<'_>,
    (socket, session): (SocketId, &Session),
    said: &Map<String, Value>,
) -> Result<Value, Wrong> {
    let text = said.get("text").and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or(NO_TEXT)?;
    let channel = told_channel(state, session, said)?;
    if text.chars().count() > TEXT_MAX {
        return Err(TOO_LONG);
    }
    let stored = text::store(state, text, Reading::default());
    let reply_to = said.get("thread_ts").and_then(Value::as_str).and_then(parse_message_ts);
    let broadcast = reply_to.is_some() && said.get("reply_broadcast") == Some(&json!(true));
    let extra = Extra { broadcast, ..Extra::default() };
    let draft = Draft { app: Some(session.app.clone()), reply_to, extra, ..Draft::new(&session.user, stored.as_str()) };
    let posting = Posting { reply: reply_to.is_some(), broadcast, text: &draft.text };
    restrictions::check(state, &channel, &session.user, posting).map_err(|_| RESTRICTED)?;
    // The others of the app's sessions are told, as everybody is; this one has the answer.
    state.rtm.writing = Some(socket);
    let ts = messages::post(state, tx, &channel.id, draft);
    state.rtm.writing = None;
    Ok(json!({ "ts": ts_text(ts), "text": stored }))
}

/// Tells the other sessions whose bots are in the channel that this bot types.
fn typing(
    state: &State,
    tx: &mut Tx<'_>,
    socket: SocketId,
    session: &Session,
    channel: &Channel,
    said: &Map<String, Value>,
) {
    let mut event = json!({ "type": "user_typing", "channel": channel.id, "user": session.user });
    if let Some(thread) = said.get("thread_ts") {
        event["thread_ts"] = thread.clone();
    }
    for (other, row) in state.rtm.sessions.iter().filter(|(other, _)| **other != socket) {
        if row.user != session.user && state.is_member(&channel.id, &row.user) {
            tx.push(*other, event.to_string());
        }
    }
}

/// Tells the presence of people now; and whenever it changes, where `keeps`.
fn watch(state: &mut State, tx: &mut Tx<'_>, socket: SocketId, keeps: bool, said: &Map<String, Value>) {
    let named = said.get("ids").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let users: Vec<SmolStr> = named.map(SmolStr::new).filter(|id| state.users.contains(id)).collect();
    if keeps {
        let watched = users.iter().cloned().collect();
        state.rtm.sessions.update(&mut tx.changes, &socket, |session| session.watched = watched);
    }
    if let Some(session) = session(state, socket) {
        tell_presence(state, tx, (socket, &session), &users);
    }
}
