//! `conversations.history` and `conversations.replies`.

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    conversations::need_kind_scope,
    paging::{self, Limit, PageEnd},
};
use crate::{
    Slack,
    error::{Code, Error},
    limits::UNLISTED_PAGE,
    model::{
        apps::TokenKind,
        channels::{Channel, Kind},
        marks,
        messages::Message,
        time::{parse_message_ts, parse_ts},
    },
    shapes::{self, MessageBody},
};

/// The most messages of one page of a channel.
const HISTORY_MAX: usize = 999;
/// The most messages of one page of a thread.
const REPLIES_MAX: usize = 1000;

/// The kind of cursor that both methods give out.
const NEXT_TS: &str = "next_ts";

/// Arguments of `conversations.history`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct History {
    channel: String,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    latest: Option<String>,
    oldest: Option<String>,
    #[serde(default)]
    inclusive: bool,
    #[serde(default)]
    include_all_metadata: bool,
}

/// A page of messages.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HistoryPage {
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    messages: Vec<MessageBody>,
    has_more: bool,
    pin_count: u32,
    channel_actions_ts: Option<()>,
    channel_actions_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_metadata: Option<PageEnd>,
}

/// How many messages a page has: few where the app is given to other companies without being listed.
fn size(cx: &Read<'_, Slack>, limit: &Limit, usual: usize, most: usize) -> Result<usize, Code> {
    if cx.caller.unlisted { limit.size(UNLISTED_PAGE, UNLISTED_PAGE) } else { limit.size(usual, most) }
}

/// A span of timestamps, both ends included.
#[derive(Clone, Copy, Debug)]
struct Span {
    oldest: u64,
    latest: u64,
}

fn read_span(oldest: Option<&str>, latest: Option<&str>, inclusive: bool) -> Result<Span, Code> {
    let read = |text: Option<&str>, wrong| match text.map(str::trim).filter(|text| !text.is_empty() && *text != "now") {
        None => Ok(None),
        Some(text) => parse_ts(text).map(Some).ok_or(wrong),
    };
    let step = u64::from(!inclusive);
    // Zero stands for the beginning.
    let oldest = read(oldest, Code::InvalidTsOldest)?.filter(|oldest| *oldest > 0);
    let latest = read(latest, Code::InvalidTsLatest)?;
    Ok(Span {
        oldest: oldest.map_or(0, |oldest| oldest.saturating_add(step)),
        latest: latest.map_or(u64::MAX, |latest| latest.saturating_sub(step)),
    })
}

/// The conversation, where the caller may read what is said in it.
fn readable<'a>(cx: &Read<'a, Slack>, channel: &str) -> Result<&'a Arc<Channel>, Error> {
    let token = cx.caller.token()?;
    let row = cx.state.visible(channel, &token.user).ok_or(Code::ChannelNotFound)?;
    need_kind_scope(token, row.kind, "history")?;
    // People's tokens read public channels without being in them.
    let may_look = row.kind == Kind::Public && token.kind == TokenKind::User;
    if may_look || cx.state.is_member(&row.id, &token.user) { Ok(row) } else { Err(Code::NotInChannel.into()) }
}

fn read_next_ts(cursor: Option<&str>) -> Result<Option<u64>, Code> {
    let key = paging::read_cursor(cursor, NEXT_TS)?;
    key.map(|key| key.parse::<u64>().map_err(|_| Code::InvalidCursor)).transpose()
}

fn next_page(next: Option<u64>) -> Option<PageEnd> {
    next.map(|ts| PageEnd::new(Some(paging::cursor(NEXT_TS, &ts.to_string()))))
}

fn body(cx: &Read<'_, Slack>, channel: &SmolStr, message: &Message, metadata: bool) -> MessageBody {
    let body = shapes::message(cx.state, channel, message);
    if metadata { body.with_metadata(message) } else { body }
}

/// `conversations.history`: newest first.
pub(crate) fn history(cx: &Read<'_, Slack>, args: History) -> Result<Typed<HistoryPage>, Error> {
    let row = readable(cx, &args.channel)?;
    let size = size(cx, &args.limit, 100, HISTORY_MAX)?;
    let mut span = read_span(args.oldest.as_deref(), args.latest.as_deref(), args.inclusive)?;
    if let Some(next) = read_next_ts(args.cursor.as_deref())? {
        span.latest = span.latest.min(next);
    }
    let mut rows = cx.state.timeline(&row.id, span.latest).rev().take_while(|message| message.ts >= span.oldest);
    let page = rows.by_ref().take(size);
    let messages = page.map(|message| body(cx, &row.id, message, args.include_all_metadata)).collect();
    let next = rows.next().map(|message| message.ts);
    Ok(Typed::ok(&HistoryPage {
        latest: args.latest,
        oldest: args.oldest,
        messages,
        has_more: next.is_some(),
        pin_count: u32::try_from(marks::pins(cx.state, &row.id).count()).unwrap_or(u32::MAX),
        channel_actions_ts: None,
        channel_actions_count: 0,
        response_metadata: next_page(next),
    }))
}

/// Arguments of `conversations.replies`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Replies {
    channel: String,
    ts: String,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    latest: Option<String>,
    oldest: Option<String>,
    #[serde(default)]
    inclusive: bool,
    #[serde(default)]
    include_all_metadata: bool,
}

/// A page of a thread.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RepliesPage {
    messages: Vec<MessageBody>,
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_metadata: Option<PageEnd>,
}

/// `conversations.replies`: the first message on the first page, then the replies, oldest first. A reply's own
/// timestamp gets that reply alone.
pub(crate) fn replies(cx: &Read<'_, Slack>, args: Replies) -> Result<Typed<RepliesPage>, Error> {
    let row = readable(cx, &args.channel)?;
    let size = size(cx, &args.limit, REPLIES_MAX, REPLIES_MAX)?;
    let ts = parse_message_ts(&args.ts).ok_or(Code::ThreadNotFound)?;
    let first = cx.state.message(&row.id, ts).ok_or(Code::ThreadNotFound)?;
    let show = |message: &Arc<Message>| body(cx, &row.id, message, args.include_all_metadata);
    if first.reply_to.is_some() {
        return Ok(Typed::ok(&RepliesPage { messages: vec![show(first)], has_more: false, response_metadata: None }));
    }
    let span = read_span(args.oldest.as_deref(), args.latest.as_deref(), args.inclusive)?;
    let next = read_next_ts(args.cursor.as_deref())?;
    let mut messages = Vec::new();
    if next.is_none() {
        messages.push(show(first));
    }
    let from = next.map_or(span.oldest, |next| span.oldest.max(next));
    let mut rows = cx.state.thread(&row.id, ts, from).take_while(|reply| reply.ts <= span.latest);
    messages.extend(rows.by_ref().take(size.saturating_sub(messages.len())).map(show));
    let next = rows.next().map(|reply| reply.ts);
    Ok(Typed::ok(&RepliesPage { messages, has_more: next.is_some(), response_metadata: next_page(next) }))
}
