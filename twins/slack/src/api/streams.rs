//! `chat.startStream`, `chat.appendStream` and `chat.stopStream`.

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Write, tx::Tx};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::chat::{self, Look, MARKDOWN_MAX};
use crate::{
    ANY, Caller, Row, Slack, blocks,
    error::{Code, Error},
    limits::{TIER_2, TIER_4},
    model::{
        apps::{Token, TokenKind},
        messages::{self, Draft},
        streams::{self, Part, Stream, TASK_TEXT_MAX},
        time::{parse_message_ts, ts_text},
    },
    shapes,
};

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::write("chat.startStream", ANY, "/api/chat.startStream", start)
            .limit(TIER_2)
            .scopes(&["chat:write"])
            .errors(&[
                "channel_not_found",
                "invalid_blocks",
                "invalid_thread_ts",
                "is_archived",
                "markdown_text_conflict",
                "missing_recipient_team_id",
                "missing_recipient_user_id",
                "msg_too_long",
                "not_in_channel",
                "team_not_found",
                "user_not_found",
            ]),
        Row::write("chat.appendStream", ANY, "/api/chat.appendStream", append)
            .limit(TIER_4)
            .scopes(&["chat:write"])
            .errors(&[
                "channel_not_found",
                "invalid_blocks",
                "message_not_found",
                "message_not_in_streaming_state",
                "message_not_owned_by_app",
                "msg_too_long",
                "no_text",
                "stopped_by_user",
            ]),
        Row::write("chat.stopStream", ANY, "/api/chat.stopStream", stop).limit(TIER_2).scopes(&["chat:write"]).errors(
            &[
                "channel_not_found",
                "invalid_blocks",
                "invalid_blocks_format",
                "invalid_metadata_format",
                "invalid_metadata_schema",
                "message_not_found",
                "message_not_in_streaming_state",
                "message_not_owned_by_app",
                "msg_too_long",
                "stopped_by_user",
            ],
        ),
    ]
}

/// What comes: text and chunks.
struct Coming {
    markdown_text: Option<String>,
    chunks: Option<Vec<Value>>,
}

impl Coming {
    fn read(self, tx: &mut Tx<'_>) -> Result<Vec<Part>, Error> {
        let mut parts = Vec::new();
        if let Some(text) = self.markdown_text.filter(|text| !text.is_empty()) {
            parts.push(Part::Text(within(text)?));
        }
        for (at, chunk) in self.chunks.unwrap_or_default().iter().enumerate() {
            parts.push(read_chunk(chunk, at, tx)?);
        }
        Ok(parts)
    }
}

fn within(text: String) -> Result<String, Code> {
    if text.chars().count() > MARKDOWN_MAX { Err(Code::MsgTooLong) } else { Ok(text) }
}

fn wrong(at: usize, what: &str) -> Error {
    Error::Arguments(vec![format!("{what} [json-pointer:/chunks/{at}]")])
}

fn read_chunk(chunk: &Value, at: usize, tx: &mut Tx<'_>) -> Result<Part, Error> {
    let Some(members) = chunk.as_object() else { return Err(wrong(at, "must provide an object")) };
    let text = |name: &str| {
        let text = members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| wrong(at, &format!("missing required field: {name}")))
    };
    match members.get("type").and_then(Value::as_str) {
        Some("markdown_text") => Ok(Part::Text(within(text("text")?.to_owned())?)),
        Some("plan_update") => Ok(Part::Plan(text("title")?.into())),
        Some("task_update") => read_task(members, (text("id")?, text("title")?), at).map(Part::Task),
        Some("blocks") => {
            let given = blocks::read(members.get("blocks").cloned(), tx)?.unwrap_or_default();
            Ok(Part::Blocks(given.as_array().cloned().unwrap_or_default()))
        }
        _ => Err(wrong(at, "must be a valid chunk type")),
    }
}

/// The members of a task's card.
fn read_task(chunk: &Map<String, Value>, (id, title): (&str, &str), at: usize) -> Result<Map<String, Value>, Error> {
    const STATES: [&str; 4] = ["pending", "in_progress", "complete", "error"];
    let mut task = Map::new();
    task.insert("task_id".to_owned(), json!(id));
    task.insert("title".to_owned(), json!(title));
    match chunk.get("status").and_then(Value::as_str) {
        Some(status) if STATES.contains(&status) => task.insert("status".to_owned(), json!(status)),
        _ => return Err(wrong(at, "must be a valid enum value")),
    };
    for name in ["details", "output"] {
        match chunk.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.chars().count() <= TASK_TEXT_MAX => {
                task.insert(name.to_owned(), json!(text));
            }
            Some(_) => return Err(wrong(at, "must be a string of at most 256 characters")),
        }
    }
    if let Some(sources) = chunk.get("sources").filter(|sources| !sources.is_null()) {
        let fits = |source: &Value| source["type"] == "url" && source["url"].is_string() && source["text"].is_string();
        if !sources.as_array().is_some_and(|list| list.iter().all(fits)) {
            return Err(wrong(at, "must provide an array of url sources"));
        }
        task.insert("sources".to_owned(), sources.clone());
    }
    Ok(task)
}

/// How tasks are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tasks {
    #[default]
    Timeline,
    Plan,
}

/// Arguments of `chat.startStream`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Start {
    channel: String,
    thread_ts: Option<String>,
    markdown_text: Option<String>,
    chunks: Option<Vec<Value>>,
    recipient_user_id: Option<SmolStr>,
    recipient_team_id: Option<SmolStr>,
    #[serde(default)]
    task_display_mode: Tasks,
    username: Option<SmolStr>,
    icon_emoji: Option<SmolStr>,
    icon_url: Option<SmolStr>,
}

/// `chat.startStream`: in direct messages only in threads; in channels for somebody in particular.
fn start(cx: &mut Write<'_, '_, Slack>, args: Start) -> Result<Typed<Value>, Error> {
    let token = bot(cx.caller)?;
    let channel = cx.state.visible(&args.channel, &token.user).map(Arc::clone).ok_or(Code::ChannelNotFound)?;
    chat::check_may_post(cx.state, token, &channel)?;
    let thread = args.thread_ts.as_deref().filter(|ts| !ts.is_empty());
    if channel.kind.is_channel() {
        let given = |text: &Option<SmolStr>| text.clone().filter(|text| !text.is_empty());
        let user = given(&args.recipient_user_id).ok_or(Code::MissingRecipientUserId)?;
        let team = given(&args.recipient_team_id).ok_or(Code::MissingRecipientTeamId)?;
        if team != cx.state.workspace.id {
            return Err(Code::TeamNotFound.into());
        }
        if !cx.state.users.contains(&user) {
            return Err(Code::UserNotFound.into());
        }
    } else if thread.is_none() {
        return Err(Error::Arguments(vec!["missing required field: thread_ts".to_owned()]));
    }
    let parts = Coming { markdown_text: args.markdown_text, chunks: args.chunks }.read(cx.tx)?;
    let reply_to = chat::read_thread(cx.state, &channel.id, thread)?;
    chat::check_rules(cx.state, token, &channel, (reply_to.is_some(), false), "")?;
    let look = Look { username: args.username, icon_emoji: args.icon_emoji, icon_url: args.icon_url };
    let extra = look.extra(token)?;
    let draft = Draft { app: Some(token.app.clone()), reply_to, extra, ..Draft::new(&token.user, "") };
    let ts = messages::post(cx.state, cx.tx, &channel.id, draft);
    let as_plan = args.task_display_mode == Tasks::Plan;
    let mut stream = Stream { app: token.app.clone(), as_plan, parts: Vec::new(), stopped: false };
    for part in parts {
        stream.add(part);
    }
    streams::begin(cx.state, cx.tx, (&channel.id, ts), stream);
    Ok(Typed::ok(&json!({ "channel": channel.id, "ts": ts_text(ts) })))
}

/// Only bots write bit by bit.
fn bot(caller: &Caller) -> Result<&Arc<Token>, Error> {
    let token = caller.token()?;
    if token.kind == TokenKind::Bot { Ok(token) } else { Err(Code::NotAllowedTokenType.into()) }
}

/// The message that is being written, where the caller may go on with it.
fn find(cx: &Write<'_, '_, Slack>, channel: &str, ts: &str) -> Result<(SmolStr, u64), Error> {
    let token = bot(cx.caller)?;
    let channel = cx.state.visible(channel, &token.user).ok_or(Code::ChannelNotFound)?.id.clone();
    let ts = parse_message_ts(ts).ok_or(Code::MessageNotFound)?;
    streams::find(cx.state, (&channel, ts), &token.app)?;
    Ok((channel, ts))
}

/// Arguments of `chat.appendStream`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Append {
    channel: String,
    ts: String,
    markdown_text: Option<String>,
    chunks: Option<Vec<Value>>,
}

/// `chat.appendStream`
fn append(cx: &mut Write<'_, '_, Slack>, args: Append) -> Result<Typed<Value>, Error> {
    let (channel, ts) = find(cx, &args.channel, &args.ts)?;
    let parts = Coming { markdown_text: args.markdown_text, chunks: args.chunks }.read(cx.tx)?;
    if parts.is_empty() {
        return Err(Code::NoText.into());
    }
    streams::append(cx.state, cx.tx, (&channel, ts), parts);
    Ok(Typed::ok(&json!({ "channel": channel, "ts": args.ts })))
}

/// Arguments of `chat.stopStream`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Stop {
    channel: String,
    ts: String,
    markdown_text: Option<String>,
    chunks: Option<Vec<Value>>,
    blocks: Option<Value>,
    metadata: Option<Value>,
    session_status: Option<SmolStr>,
}

/// `chat.stopStream`: blocks come below what was written.
fn stop(cx: &mut Write<'_, '_, Slack>, args: Stop) -> Result<Typed<Value>, Error> {
    if args.session_status.is_some_and(|status| !status.is_empty()) {
        return Err(Error::Unserved("session_status: agents' sessions are not kept".to_owned()));
    }
    let (channel, ts) = find(cx, &args.channel, &args.ts)?;
    let mut parts = Coming { markdown_text: args.markdown_text, chunks: args.chunks }.read(cx.tx)?;
    if let Some(Value::Array(given)) = blocks::read(args.blocks, cx.tx)? {
        parts.push(Part::Blocks(given));
    }
    let metadata = chat::read_metadata(args.metadata)?.map(Arc::new);
    streams::append(cx.state, cx.tx, (&channel, ts), parts);
    let after = streams::finish(cx.state, cx.tx, (&channel, ts), metadata.as_ref());
    let after = after.ok_or(Code::MessageNotInStreamingState)?;
    let message = shapes::message(cx.state, &channel, &after).with_metadata(&after);
    Ok(Typed::ok(&json!({ "channel": channel, "ts": args.ts, "message": message })))
}
