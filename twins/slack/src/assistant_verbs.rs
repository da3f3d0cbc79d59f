//! What people do with assistants: open one, look at another channel, pick a prompt, stop an answer.

use std::sync::Arc;

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    affordances::{find_message, find_to_write},
    events,
    model::{
        State,
        apps::App,
        assistant,
        messages::{self, Draft},
        people::User,
        schedule::stamp,
        streams,
        time::{parse_ts, ts_text},
    },
    text::{self, Reading},
};

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.open_assistant", "Begins a thread with an app's assistant.", open),
        Affordance::new("slack.user.look_at", "Looks at another channel beside an assistant.", look_at),
        Affordance::new("slack.user.pick_prompt", "Picks a prompt that an assistant suggests.", pick),
        Affordance::new("slack.user.stop_stream", "Stops a message that an app is writing.", stop),
    ]
}

fn find_assistant(state: &State, named: &str) -> Result<Arc<App>, Refusal> {
    let app = state.find_app(named).filter(|app| !app.removed).map(Arc::clone);
    let app = app.ok_or_else(|| Refusal::new(format!("no app `{named}` is installed")))?;
    if app.scopes.iter().any(|scope| scope == "assistant:write") {
        return Ok(app);
    }
    Err(Refusal::new(format!("the app `{}` is no assistant: it lacks the scope assistant:write", app.key)))
}

/// The channel that a person looks at.
fn looked_at(state: &State, user: &User, named: Option<&String>) -> Result<Option<SmolStr>, Refusal> {
    let Some(named) = named else { return Ok(None) };
    let channel = state.visible_by_name(named, &user.id).map(|channel| channel.id.clone());
    channel.map(Some).ok_or_else(|| Refusal::new(format!("`{}` sees no channel `{named}`", user.label())))
}

/// Arguments of `slack.user.open_assistant`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Open {
    /// The app's key, name or id.
    app: String,
    /// The channel that the person looks at: name, `#name` or id.
    looking_at: Option<String>,
}

fn open(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Open) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let app = find_assistant(state, &with.app)?;
    let context = looked_at(state, &user, with.looking_at.as_ref())?;
    let (channel, ts) = assistant::open(state, tx, (&app, &user), context);
    Ok(json!({ "app": app.id, "channel": channel, "thread_ts": ts_text(ts) }))
}

/// A thread with an assistant.
fn find_thread(state: &State, user: &User, app: &str, ts: &str) -> Result<(SmolStr, u64), Refusal> {
    let app = find_assistant(state, app)?;
    let talkers = [user.id.clone(), app.bot_user.clone()];
    let channel = crate::model::channels::find_direct(state, &talkers);
    let found = channel.zip(parse_ts(ts)).filter(|key| key.1 > 0 && state.assistants.contains(key));
    found.ok_or_else(|| Refusal::new(format!("`{}` has no thread `{ts}` with `{}`", user.label(), app.key)))
}

/// Arguments of `slack.user.look_at`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LookAt {
    /// The app's key, name or id.
    app: String,
    /// The thread that is open meanwhile.
    thread_ts: String,
    /// Name, `#name` or id; nothing where the person looks at no channel.
    channel: Option<String>,
}

fn look_at(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: LookAt) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let (channel, ts) = find_thread(state, &user, &with.app, &with.thread_ts)?;
    let context = looked_at(state, &user, with.channel.as_ref())?;
    assistant::look_at(state, tx, (&channel, ts), context);
    Ok(json!({ "channel": channel, "thread_ts": with.thread_ts }))
}

/// Arguments of `slack.user.pick_prompt`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pick {
    /// The app's key, name or id.
    app: String,
    /// The thread.
    thread_ts: String,
    /// The prompt by its title.
    title: String,
}

fn pick(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Pick) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let (channel, ts) = find_thread(state, &user, &with.app, &with.thread_ts)?;
    let row = state.assistants.get(&(channel.clone(), ts));
    let prompt = row.and_then(|row| row.prompts.list.iter().find(|prompt| prompt.title == with.title).cloned());
    let prompt = prompt.ok_or_else(|| Refusal::new(format!("no prompt `{}` is suggested", with.title)))?;
    let said = text::store(state, &prompt.message, Reading { link_names: true, typed: true });
    let posted = messages::post(state, tx, &channel, Draft { reply_to: Some(ts), ..Draft::new(&user.id, said) });
    Ok(json!({ "channel": channel, "ts": ts_text(posted) }))
}

/// Arguments of `slack.user.stop_stream`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stop {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// The message.
    ts: String,
}

fn stop(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Stop) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let ts = find_message(state, &channel, &with.ts)?;
    if !streams::stop(state, tx, (&channel.id, ts)) {
        return Err(Refusal::new("the message is not being written"));
    }
    let message = state.message(&channel.id, ts).map(Arc::clone);
    let (thread, app) = message.map_or((None, None), |message| (message.reply_to, message.app.clone()));
    let event = json!({
        "type": "agent_session_stopped",
        "channel": channel.id,
        "user": user.id,
        "thread_ts": thread.map(ts_text),
        "streaming_message_ts": [ts_text(ts)],
        "event_ts": stamp(tx.now),
    });
    if let Some(app) = app {
        events::tell(state, tx, &app, Some(&channel.id), &event);
    }
    Ok(json!({ "channel": channel.id, "ts": with.ts }))
}
