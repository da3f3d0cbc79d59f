//! Huddles: people who talk in a conversation, and the thread that each huddle has.
//!
//! <https://docs.slack.dev/reference/events/user_huddle_changed>

use std::sync::Arc;

use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    tx::Tx,
};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    SITE, State,
    channels::{Channel, Kind},
    messages::{self, Draft, Extra, Message, Subtype},
    restrictions,
    time::ts_text,
};
use crate::{error::Code, events, workspace_events};

const ROOM: IdShape = IdShape { site: SITE.child("room"), prefix: "R0", alphabet: UPPER_ALNUM, drawn: 9, suffix: "" };

/// A huddle.
#[derive(Clone, Debug, Serialize)]
pub struct Huddle {
    /// The id.
    pub id: SmolStr,
    /// Who began it.
    pub by: SmolStr,
    /// When, in seconds.
    pub began: i64,
    /// When the last one went, in seconds; 0 where it goes on.
    pub ended: i64,
    /// Who is in it.
    pub people: Vec<SmolStr>,
    /// Who was in it at any time.
    pub history: Vec<SmolStr>,
}

/// Somebody comes into the huddle of a conversation, which begins with the first. Gives back the message of its thread.
///
/// # Errors
/// Where the person is in a huddle already, or the channel has none to begin.
pub(crate) fn join(state: &mut State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr) -> Result<u64, Code> {
    if state.users.get(user).is_some_and(|row| row.about.huddle.is_some()) {
        return Err(Code::AlreadyInChannel);
    }
    let running = state.index.huddle_of.get(&channel.id).copied();
    if running.is_none() && !restrictions::has_huddles(state, &channel.id) {
        return Err(Code::RestrictedAction);
    }
    let ts = running.unwrap_or_else(|| begin(state, tx, &channel.id, user));
    state.huddles.update(&mut tx.changes, &(channel.id.clone(), ts), |row| {
        row.people.push(user.clone());
        if !row.history.contains(user) {
            row.history.push(user.clone());
        }
    });
    set(state, tx, user, Some(channel.id.clone()));
    Ok(ts)
}

fn begin(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, user: &SmolStr) -> u64 {
    // The row is there when apps are told of the message.
    let (id, ts) = (tx.id(&ROOM), messages::next_ts(state, tx, channel));
    let row =
        Huddle { id, by: user.clone(), began: tx.now.as_secs(), ended: 0, people: Vec::new(), history: Vec::new() };
    state.huddles.put(&mut tx.changes, (channel.clone(), ts), row);
    state.index.huddle_of.insert(channel.clone(), ts);
    let extra = Extra { subtype: Some(Subtype::HuddleThread), ..Extra::default() };
    let draft = Draft { extra, ..Draft::new(user, "") };
    let message = messages::put_at(state, tx, channel, draft, ts);
    events::message_posted(state, tx, channel, &message);
    ts
}

/// Somebody goes; with the last one the huddle is over.
///
/// # Errors
/// Where the person is in none.
pub(crate) fn leave(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr) -> Result<(), Code> {
    let channel = state.users.get(user).and_then(|row| row.about.huddle.clone()).ok_or(Code::NotInChannel)?;
    if let Some(ts) = state.index.huddle_of.get(&channel).copied() {
        let key = (channel.clone(), ts);
        let now = tx.now.as_secs();
        let row = state.huddles.update(&mut tx.changes, &key, |row| {
            row.people.retain(|one| one != user);
            row.ended = if row.people.is_empty() { now } else { 0 };
        });
        if row.is_some_and(|row| row.ended > 0) {
            state.index.huddle_of.remove(&channel);
        }
    }
    set(state, tx, user, None);
    Ok(())
}

fn set(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, huddle: Option<SmolStr>) {
    let now = tx.now.as_secs();
    let row = state.users.update(&mut tx.changes, user, |row| (row.about.huddle, row.updated) = (huddle, now));
    if let Some(row) = row {
        workspace_events::huddle(state, tx, &row);
        events::user_changed(state, tx, &row);
    }
}

/// What the first message of a huddle's thread says of it.
pub(crate) fn room(state: &State, channel: &SmolStr, message: &Message) -> Option<Arc<Value>> {
    let row = state.huddles.get(&(channel.clone(), message.ts))?;
    let is_direct = state.channels.get(channel).is_some_and(|row| row.kind == Kind::Im);
    let thread = ts_text(message.ts);
    Some(Arc::new(json!({
        "id": row.id,
        "name": "",
        "media_server": "",
        "created_by": row.by,
        "date_start": row.began,
        "date_end": row.ended,
        "participants": row.people,
        "participant_history": row.history,
        "participants_camera_on": [],
        "participants_camera_off": [],
        "participants_screenshare_on": [],
        "participants_screenshare_off": [],
        "canvas_thread_ts": thread,
        "thread_root_ts": thread,
        "channels": [channel],
        "is_dm_call": is_direct,
        "was_rejected": false,
        "was_missed": false,
        "was_accepted": row.history.len() > 1,
        "has_ended": row.ended > 0,
        "background_id": "GRADIENT_01",
        "canvas_background": "GRADIENT_01",
        "is_prewarmed": false,
        "is_scheduled": false,
        "recording": { "can_record_summary": "unavailable" },
        "locale": "en-US",
        "attached_file_ids": [],
        "media_backend_type": "free_willy",
        "display_id": "",
        "external_unique_id": row.id,
        "app_id": "A00",
        "call_family": "huddle",
        "pending_invitees": {},
        "last_invite_status_by_user": {},
        "knocks": {},
        "huddle_link": format!("https://app.slack.com/huddle/{}/{channel}", state.workspace.id),
    })))
}
