//! Threads in which people talk with an app as their assistant, and what an app says it is doing.
//!
//! <https://docs.slack.dev/ai/developing-ai-apps>

use std::{sync::Arc, time::Duration};

use dtu_kernel::tx::Tx;
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    State,
    apps::App,
    channels,
    messages::{self, About, Draft, Extra, Subtype},
    people::User,
    schedule::stamp,
    time::ts_text,
};
use crate::events;

/// How long a status is shown where the app says nothing.
const STATUS: Duration = Duration::from_secs(120);
/// The timer after which it is cleared.
pub(crate) const STATUS_TIMER: &str = "assistant_status";
/// What a thread is called until the app names it.
const UNNAMED: &str = "New Assistant Thread";

/// A prompt that an app suggests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Prompt {
    /// What the person sees.
    pub title: SmolStr,
    /// What is said where the person picks it.
    pub message: SmolStr,
}

/// What an app suggests in a thread.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Prompts {
    /// What stands above them.
    pub title: SmolStr,
    /// They, at most four.
    pub list: Arc<[Prompt]>,
}

/// A thread with an assistant.
#[derive(Clone, Debug, Serialize)]
pub struct Assistant {
    /// The app.
    pub app: SmolStr,
    /// The person.
    pub user: SmolStr,
    /// What it is called.
    pub title: SmolStr,
    /// The channel that the person looks at meanwhile.
    pub context: Option<SmolStr>,
    /// What the app suggests.
    pub prompts: Prompts,
}

/// What an app says it is doing in a thread.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The app.
    pub app: SmolStr,
    /// The words.
    pub text: SmolStr,
    /// What is shown in turns meanwhile.
    pub loading: Arc<[SmolStr]>,
    /// The name that it is said under, where it is not the app's own.
    pub username: Option<SmolStr>,
    /// The picture that goes with it: an emoji's name, or an address.
    pub icon: Option<SmolStr>,
    /// When it was set, in microseconds.
    pub since: u64,
}

/// A person opens an app's assistant: a new thread of the direct conversation.
pub(crate) fn open(
    state: &mut State,
    tx: &mut Tx<'_>,
    (app, user): (&App, &User),
    context: Option<SmolStr>,
) -> (SmolStr, u64) {
    let channel = channels::open_direct(state, tx, &[user.id.clone(), app.bot_user.clone()]);
    let about = Some(Box::new(About::Assistant(SmolStr::new_static(UNNAMED))));
    let extra = Extra { subtype: Some(Subtype::AssistantAppThread), about, ..Extra::default() };
    let draft = Draft { app: Some(app.id.clone()), extra, ..Draft::new(&app.bot_user, UNNAMED) };
    let ts = messages::post(state, tx, &channel, draft);
    // What was suggested for no thread in particular is suggested in each new one.
    let prompts = state.assistants.get(&(channel.clone(), 0)).map(|row| row.prompts.clone()).unwrap_or_default();
    let (app_id, user_id, title) = (app.id.clone(), user.id.clone(), SmolStr::new_static(UNNAMED));
    let row = Assistant { app: app_id, user: user_id, title, context, prompts };
    state.assistants.put(&mut tx.changes, (channel.clone(), ts), row);
    tell(state, tx, (&channel, ts), "assistant_thread_started");
    (channel, ts)
}

/// The person looks at another channel.
pub(crate) fn look_at(state: &mut State, tx: &mut Tx<'_>, (channel, ts): (&SmolStr, u64), context: Option<SmolStr>) {
    state.assistants.update(&mut tx.changes, &(channel.clone(), ts), |row| row.context = context);
    tell(state, tx, (channel, ts), "assistant_thread_context_changed");
}

fn tell(state: &State, tx: &mut Tx<'_>, (channel, ts): (&SmolStr, u64), name: &str) {
    let Some(row) = state.assistants.get(&(channel.clone(), ts)) else { return };
    let mut context = json!({});
    if let Some(looked_at) = &row.context {
        context = json!({ "channel_id": looked_at, "team_id": state.workspace.id, "enterprise_id": null });
    }
    let event = json!({
        "type": name,
        "assistant_thread": {
            "user_id": row.user,
            "context": context,
            "channel_id": channel,
            "thread_ts": ts_text(ts),
        },
        "event_ts": stamp(tx.now),
    });
    events::tell(state, tx, &row.app, Some(channel), &event);
}

/// Names a thread.
pub(crate) fn set_title(state: &mut State, tx: &mut Tx<'_>, (channel, ts): (&SmolStr, u64), title: &SmolStr) {
    state.assistants.update(&mut tx.changes, &(channel.clone(), ts), |row| row.title = title.clone());
    messages::edit(state, tx, channel, ts, |message| {
        message.edit_extra(|extra| extra.about = Some(Box::new(About::Assistant(title.clone()))));
    });
}

/// Suggests prompts in a thread; for all new threads where `ts` is 0.
pub(crate) fn suggest(
    state: &mut State,
    tx: &mut Tx<'_>,
    (channel, ts): (&SmolStr, u64),
    (app, user): (&SmolStr, &SmolStr),
    prompts: Prompts,
) {
    let key = (channel.clone(), ts);
    if state.assistants.contains(&key) {
        state.assistants.update(&mut tx.changes, &key, |row| row.prompts = prompts);
        return;
    }
    let (app, user) = (app.clone(), user.clone());
    let row = Assistant { app, user, title: SmolStr::default(), context: None, prompts };
    state.assistants.put(&mut tx.changes, key, row);
}

/// Says what an app is doing in a thread; no words take it back.
pub(crate) fn set_status(state: &mut State, tx: &mut Tx<'_>, (channel, ts): (&SmolStr, u64), status: Status) {
    let key = (channel.clone(), ts);
    if status.text.is_empty() {
        state.statuses.remove(&mut tx.changes, &key);
        return;
    }
    let data = json!({ "channel": channel, "ts": ts, "since": status.since });
    tx.timer(tx.now.after(STATUS), STATUS_TIMER, data);
    state.statuses.put(&mut tx.changes, key, status);
}

/// An app has said something in a thread: it is no longer at it.
pub(crate) fn answered(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    app: Option<&SmolStr>,
    thread: Option<u64>,
) {
    let (Some(app), Some(thread)) = (app, thread) else { return };
    let key = (channel.clone(), thread);
    if !state.statuses.is_empty() && state.statuses.get(&key).is_some_and(|status| status.app == *app) {
        state.statuses.remove(&mut tx.changes, &key);
    }
}

/// A status has been shown long enough.
pub(crate) fn expire(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let key = (SmolStr::new(data["channel"].as_str().unwrap_or_default()), data["ts"].as_u64().unwrap_or(0));
    if state.statuses.get(&key).is_some_and(|status| data["since"] == status.since) {
        state.statuses.remove(&mut tx.changes, &key);
    }
}
