//! Calls of other services that are shown in Slack.
//!
//! <https://docs.slack.dev/apis/web-api/using-the-calls-api>

use std::sync::Arc;

use dtu_kernel::{ids::IdShape, ids::UPPER_ALNUM, tx::Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{SITE, State, messages::Message};
use crate::error::Code;

const CALL: IdShape = IdShape { site: SITE.child("call"), prefix: "R0", alphabet: UPPER_ALNUM, drawn: 9, suffix: "" };

/// Somebody in a call: a user of the workspace, or one of the other service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_id: Option<SmolStr>,
    /// The other service's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<SmolStr>,
    /// What the other service calls them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<SmolStr>,
    /// Their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<SmolStr>,
}

impl Participant {
    /// Whether two name the same one.
    fn is(&self, other: &Self) -> bool {
        match (&self.slack_id, &other.slack_id) {
            (Some(a), Some(b)) => a == b,
            (None, None) => self.external_id == other.external_id,
            _ => false,
        }
    }
}

/// A call.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Call {
    /// Its id.
    pub id: SmolStr,
    /// The app that registered it.
    pub app: SmolStr,
    /// The other service's id.
    pub external_unique_id: SmolStr,
    /// The same for people.
    pub external_display_id: Option<SmolStr>,
    /// Where people join.
    pub join_url: SmolStr,
    /// Where programs join.
    pub desktop_app_join_url: Option<SmolStr>,
    /// What it is called.
    pub title: Option<SmolStr>,
    /// Who made it.
    pub created_by: SmolStr,
    /// When it began, in seconds.
    pub date_start: i64,
    /// When it ended, in seconds.
    pub date_end: Option<i64>,
    /// Who is in it.
    pub users: Vec<Participant>,
    /// Who was in it.
    pub gone: Vec<Participant>,
    /// The channels that show it.
    pub channels: Vec<SmolStr>,
    /// Who declined it.
    pub rejected_by: Vec<SmolStr>,
}

/// Registers a call.
///
/// # Errors
/// Where a participant is not there.
pub(crate) fn add(state: &mut State, tx: &mut Tx<'_>, call: Call) -> Result<Arc<Call>, Code> {
    check(state, &call.users)?;
    let id = tx.id(&CALL);
    let key = (call.app.clone(), call.external_unique_id.clone());
    state.content.call_by_external_id.insert(key, id.clone());
    Ok(state.content.calls.put(&mut tx.changes, id.clone(), Call { id, ..call }))
}

fn check(state: &State, users: &[Participant]) -> Result<(), Code> {
    let is_there = |user: &Participant| match (&user.slack_id, &user.external_id) {
        (Some(id), _) => state.users.contains(id),
        (None, Some(_)) => user.display_name.is_some(),
        (None, None) => false,
    };
    if users.iter().all(is_there) { Ok(()) } else { Err(Code::UserNotFound) }
}

/// A call of an app's.
///
/// # Errors
/// Where there is none.
pub(crate) fn find(state: &State, app: &SmolStr, id: &str) -> Result<Arc<Call>, Code> {
    let call = state.content.calls.get(&id.into()).filter(|call| call.app == *app);
    call.map(Arc::clone).ok_or(Code::InvalidCallId)
}

/// Changes a call.
pub(crate) fn update(
    state: &mut State,
    tx: &mut Tx<'_>,
    id: &SmolStr,
    edit: impl FnOnce(&mut Call),
) -> Option<Arc<Call>> {
    state.content.calls.update(&mut tx.changes, id, edit)
}

/// Adds people to a call that is going on.
///
/// # Errors
/// Where one is not there or in it already, or the call is over.
pub(crate) fn come(
    state: &mut State,
    tx: &mut Tx<'_>,
    call: &Call,
    users: Vec<Participant>,
) -> Result<Option<Arc<Call>>, Code> {
    check_change(state, call, &users)?;
    if users.iter().any(|user| call.users.iter().any(|there| there.is(user))) {
        return Err(Code::BadUsers);
    }
    Ok(update(state, tx, &call.id, |call| {
        call.gone.retain(|gone| !users.iter().any(|user| user.is(gone)));
        call.users.extend(users);
    }))
}

/// Takes people out of a call that is going on.
///
/// # Errors
/// Where one is not in it, or the call is over.
pub(crate) fn go(
    state: &mut State,
    tx: &mut Tx<'_>,
    call: &Call,
    users: &[Participant],
) -> Result<Option<Arc<Call>>, Code> {
    check_change(state, call, &[])?;
    if !users.iter().all(|user| call.users.iter().any(|there| there.is(user))) {
        return Err(Code::BadUsers);
    }
    Ok(update(state, tx, &call.id, |call| {
        let (gone, there) =
            std::mem::take(&mut call.users).into_iter().partition(|there| users.iter().any(|user| user.is(there)));
        call.users = there;
        call.gone.extend::<Vec<_>>(gone);
    }))
}

fn check_change(state: &State, call: &Call, users: &[Participant]) -> Result<(), Code> {
    if call.date_end.is_some() { Err(Code::InactiveCall) } else { check(state, users) }
}

/// A message was posted: the calls in it are shown in its channel.
pub(crate) fn shown(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, message: &Message) {
    if state.content.calls.is_empty() {
        return;
    }
    for id in ids(message) {
        update(state, tx, &id, |call| {
            if !call.channels.contains(channel) {
                call.channels.push(channel.clone());
            }
        });
    }
}

/// The calls that a message shows.
pub(crate) fn ids(message: &Message) -> Vec<SmolStr> {
    let blocks = message.blocks().and_then(|blocks| blocks.as_array());
    let calls = blocks.into_iter().flatten().filter(|block| block["type"] == "call");
    calls.filter_map(|block| block["call_id"].as_str()).map(SmolStr::new).collect()
}

/// A message's blocks with what there is to say of each call now; none where it shows no call.
pub(crate) fn with_calls(state: &State, message: &Message) -> Option<Value> {
    if state.content.calls.is_empty() || ids(message).is_empty() {
        return None;
    }
    let mut blocks = Value::clone(message.blocks()?);
    for block in blocks.as_array_mut().into_iter().flatten() {
        let call = block["call_id"].as_str().and_then(|id| state.content.calls.get(&id.into()));
        if let Some(call) = call.filter(|_| block["type"] == "call") {
            block["call"] = json!({ "v1": in_block(call), "media_backend_type": "platform_call" });
            block["api_decoration_available"] = json!(false);
        }
    }
    Some(blocks)
}

fn in_block(call: &Call) -> Value {
    let all: Vec<&Participant> = call.users.iter().chain(&call.gone).collect();
    json!({
        "id": call.id,
        "app_id": call.app,
        "app_icon_urls": {},
        "date_start": call.date_start,
        "active_participants": call.users,
        "all_participants": all,
        "display_id": call.external_display_id.clone().unwrap_or_default(),
        "join_url": call.join_url,
        "desktop_app_join_url": call.desktop_app_join_url.clone().unwrap_or_default(),
        "name": call.title.clone().unwrap_or_default(),
        "created_by": call.created_by,
        "date_end": call.date_end.unwrap_or(0),
        "channels": call.channels,
        "is_dm_call": false,
        "was_rejected": !call.rejected_by.is_empty(),
        "was_missed": false,
        "was_accepted": false,
        "has_ended": call.date_end.is_some(),
    })
}

/// A call as methods tell it.
pub(crate) fn render(call: &Call) -> Value {
    let mut told = json!({
        "id": call.id,
        "date_start": call.date_start,
        "external_unique_id": call.external_unique_id,
        "join_url": call.join_url,
        "users": call.users,
        "channels": call.channels,
    });
    let more = [
        ("external_display_id", &call.external_display_id),
        ("desktop_app_join_url", &call.desktop_app_join_url),
        ("title", &call.title),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            told[name] = json!(value);
        }
    }
    if let Some(end) = call.date_end {
        told["date_end"] = json!(end);
    }
    told
}
