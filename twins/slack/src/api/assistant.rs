//! `assistant.threads.*`

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{conversations::need_scope, marks::done};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{SPECIAL, TIER_4},
    model::{
        State,
        apps::Token,
        assistant::{self, Prompt, Prompts, Status},
        time::{micros, parse_message_ts},
    },
};

/// The most prompts that are suggested at once.
const PROMPTS_MAX: usize = 4;
/// The most messages that are shown in turns.
const LOADING_MAX: usize = 10;
const ERRORS: &[&str] = &["channel_not_found", "invalid_thread_ts"];

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        // Either scope will do: docs.slack.dev/changelog/2026/03/05/set-status-scope-update.
        Row::write("assistant.threads.setStatus", ANY, "/api/assistant.threads.setStatus", set_status)
            .limit(SPECIAL)
            .scopes(&["assistant:write", "chat:write"])
            .errors(ERRORS),
        Row::write("assistant.threads.setTitle", ANY, "/api/assistant.threads.setTitle", set_title)
            .limit(TIER_4)
            .scopes(&["assistant:write"])
            .errors(ERRORS),
        Row::write("assistant.threads.setSuggestedPrompts", ANY, "/api/assistant.threads.setSuggestedPrompts", suggest)
            .limit(TIER_4)
            .scopes(&["assistant:write"])
            .errors(ERRORS),
    ]
}

fn channel_of(state: &State, token: &Token, named: &str) -> Result<SmolStr, Error> {
    let row = state.visible(named, &token.user).ok_or(Code::ChannelNotFound)?;
    if state.is_member(&row.id, &token.user) { Ok(row.id.clone()) } else { Err(Code::ChannelNotFound.into()) }
}

/// The first message of a thread; with an assistant of the caller's, where `own`.
fn thread_of(state: &State, token: &Token, channel: &SmolStr, ts: &str, own: bool) -> Result<u64, Error> {
    let ts = parse_message_ts(ts).ok_or(Code::InvalidThreadTs)?;
    let row = state.message(channel, ts).filter(|row| row.reply_to.is_none()).ok_or(Code::InvalidThreadTs)?;
    let assistant = state.assistants.get(&(channel.clone(), row.ts));
    if own && assistant.is_none_or(|assistant| assistant.app != token.app) {
        return Err(Code::InvalidThreadTs.into());
    }
    Ok(ts)
}

fn too_many(name: &str, most: usize) -> Error {
    Error::Arguments(vec![format!("no more than {most} items allowed [json-pointer:/{name}]")])
}

/// Arguments of `assistant.threads.setStatus`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetStatus {
    channel_id: String,
    thread_ts: String,
    status: SmolStr,
    #[serde(default)]
    loading_messages: Vec<SmolStr>,
    username: Option<SmolStr>,
    icon_emoji: Option<SmolStr>,
    icon_url: Option<SmolStr>,
}

/// `assistant.threads.setStatus`: in any thread. Nothing takes it back.
fn set_status(cx: &mut Write<'_, '_, Slack>, args: SetStatus) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = channel_of(cx.state, token, &args.channel_id)?;
    let ts = thread_of(cx.state, token, &channel, &args.thread_ts, false)?;
    if args.loading_messages.len() > LOADING_MAX {
        return Err(too_many("loading_messages", LOADING_MAX));
    }
    let given = |text: Option<SmolStr>| text.filter(|text| !text.is_empty());
    let (username, icon) = (given(args.username), given(args.icon_emoji).or(given(args.icon_url)));
    if username.is_some() || icon.is_some() {
        need_scope(token, &["chat:write.customize"])?;
    }
    let status = Status {
        app: token.app.clone(),
        text: args.status,
        loading: args.loading_messages.into(),
        username,
        icon,
        since: micros(cx.tx.now),
    };
    assistant::set_status(cx.state, cx.tx, (&channel, ts), status);
    Ok(done())
}

/// Arguments of `assistant.threads.setTitle`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetTitle {
    channel_id: String,
    thread_ts: String,
    title: SmolStr,
}

/// `assistant.threads.setTitle`
fn set_title(cx: &mut Write<'_, '_, Slack>, args: SetTitle) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = channel_of(cx.state, token, &args.channel_id)?;
    let ts = thread_of(cx.state, token, &channel, &args.thread_ts, true)?;
    assistant::set_title(cx.state, cx.tx, (&channel, ts), &args.title);
    Ok(done())
}

/// Arguments of `assistant.threads.setSuggestedPrompts`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Suggest {
    channel_id: String,
    thread_ts: Option<String>,
    title: Option<SmolStr>,
    prompts: Value,
}

/// `assistant.threads.setSuggestedPrompts`: without a thread, for each that the person begins from now on.
fn suggest(cx: &mut Write<'_, '_, Slack>, args: Suggest) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = channel_of(cx.state, token, &args.channel_id)?;
    let ts = match args.thread_ts.as_deref().filter(|ts| !ts.is_empty()) {
        Some(ts) => thread_of(cx.state, token, &channel, ts, true)?,
        None => 0,
    };
    let prompts = Prompts { title: args.title.unwrap_or_default(), list: read_prompts(args.prompts)? };
    let row = cx.state.channels.get(&channel).map(Arc::clone).ok_or(Code::ChannelNotFound)?;
    let user = row.talkers.iter().find(|user| **user != token.user).cloned().unwrap_or_default();
    assistant::suggest(cx.state, cx.tx, (&channel, ts), (&token.app, &user), prompts);
    Ok(done())
}

fn read_prompts(given: Value) -> Result<Arc<[Prompt]>, Error> {
    let wrong = |what: &str| Error::Arguments(vec![format!("{what} [json-pointer:/prompts]")]);
    let parsed = match given {
        Value::String(text) => serde_json::from_str(&text).map_err(|_| wrong("must provide an array"))?,
        other => other,
    };
    let Value::Array(items) = parsed else { return Err(wrong("must provide an array")) };
    if items.is_empty() {
        return Err(wrong("must provide at least 1 items"));
    }
    if items.len() > PROMPTS_MAX {
        return Err(too_many("prompts", PROMPTS_MAX));
    }
    let read = |(at, item): (usize, Value)| {
        let prompt: Result<Prompt, _> = serde_json::from_value(item);
        prompt.map_err(|_| {
            Error::Arguments(vec![format!("must have a title and a message [json-pointer:/prompts/{at}]")])
        })
    };
    items.into_iter().enumerate().map(read).collect()
}
