//! What is said later or otherwise: scheduled messages, `/me`, links to messages, reminders.

use std::{ops::Bound, sync::Arc};

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    chat::{Content, Parse, check_may_post, check_rules, read_metadata, read_thread, target},
    marks::done,
    paging::{self, Limit, PageEnd},
};
use crate::{
    ANY, Row, Slack, bodies,
    error::{Code, Error},
    limits::{SPECIAL, TIER_2, TIER_3},
    model::{
        messages::{self, Draft, Extra, Message, Subtype, TEXT_MAX},
        people::{SLACKBOT, User},
        schedule,
        time::{parse_message_ts, parse_ts, ts_text},
        when::{self, Recurrence},
    },
    shapes,
    text::{self, Reading},
};

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    [schedule_rows(), chat_rows(), reminder_rows()].into_iter().flatten().collect()
}

fn schedule_rows() -> Vec<Row> {
    vec![
        Row::write("chat.scheduleMessage", ANY, "/api/chat.scheduleMessage", schedule_message)
            .limit(TIER_3)
            .scopes(&["chat:write"])
            .errors(&[
                "channel_not_found",
                "invalid_time",
                "is_archived",
                "msg_blocks_too_long",
                "msg_too_long",
                "no_text",
                "not_in_channel",
                "restricted_too_many",
                "time_in_past",
                "time_too_far",
                "too_many_attachments",
            ]),
        Row::write("chat.deleteScheduledMessage", ANY, "/api/chat.deleteScheduledMessage", delete_scheduled)
            .limit(TIER_3)
            .scopes(&["chat:write"])
            .errors(&["channel_not_found", "invalid_scheduled_message_id"]),
        Row::read("chat.scheduledMessages.list", ANY, "/api/chat.scheduledMessages.list", list_scheduled)
            .limit(TIER_3)
            .errors(&["invalid_channel", "invalid_cursor", "invalid_limit", "invalid_ts_latest", "invalid_ts_oldest"]),
    ]
}

fn chat_rows() -> Vec<Row> {
    vec![
        Row::write("chat.meMessage", ANY, "/api/chat.meMessage", me_message)
            .limit(TIER_3)
            .scopes(&["chat:write"])
            .errors(&["channel_not_found", "is_archived", "msg_too_long", "no_text", "not_in_channel"]),
        Row::read("chat.getPermalink", ANY, "/api/chat.getPermalink", permalink)
            .limit(SPECIAL)
            .errors(&["channel_not_found", "message_not_found"])
            .form_only(),
    ]
}

fn reminder_rows() -> Vec<Row> {
    vec![
        Row::write("reminders.add", ANY, "/api/reminders.add", add_reminder)
            .limit(TIER_2)
            .scopes(&["reminders:write"])
            .errors(&[
                "cannot_add_bot",
                "cannot_add_others",
                "cannot_add_others_recurring",
                "cannot_add_slackbot",
                "cannot_parse",
                "user_not_found",
            ]),
        Row::write("reminders.complete", ANY, "/api/reminders.complete", complete_reminder)
            .limit(TIER_2)
            .scopes(&["reminders:write"])
            .errors(&["cannot_complete_others", "cannot_complete_recurring", "not_found"]),
        Row::write("reminders.delete", ANY, "/api/reminders.delete", delete_reminder)
            .limit(TIER_2)
            .scopes(&["reminders:write"])
            .errors(&["not_found"]),
        Row::read("reminders.info", ANY, "/api/reminders.info", reminder)
            .limit(TIER_2)
            .scopes(&["reminders:read"])
            .errors(&["not_found"])
            .form_only(),
        Row::read("reminders.list", ANY, "/api/reminders.list", reminders)
            .limit(TIER_2)
            .scopes(&["reminders:read"])
            .form_only(),
    ]
}

/// Arguments of `chat.scheduleMessage`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ScheduleMessage {
    channel: String,
    post_at: String,
    text: Option<String>,
    markdown_text: Option<String>,
    blocks: Option<Value>,
    attachments: Option<Value>,
    metadata: Option<Value>,
    thread_ts: Option<String>,
    #[serde(default)]
    reply_broadcast: bool,
    #[serde(default)]
    link_names: bool,
    parse: Option<Parse>,
    #[serde(rename = "as_user")]
    _as_user: Option<bool>,
    #[serde(default)]
    unfurl_links: bool,
    #[serde(rename = "unfurl_media")]
    _unfurl_media: Option<bool>,
}

/// `chat.scheduleMessage`
fn schedule_message(cx: &mut Write<'_, '_, Slack>, args: ScheduleMessage) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = target(cx.state, cx.tx, token, &args.channel)?;
    check_may_post(cx.state, token, &channel)?;
    let post_at = args.post_at.trim().parse::<i64>().map_err(|_| Code::InvalidTime)?;
    let content = Content {
        text: args.text,
        markdown_text: args.markdown_text,
        blocks: args.blocks,
        attachments: args.attachments,
        link_names: args.link_names,
        parse: args.parse,
    };
    let said = content.read(cx.state, cx.tx)?;
    if said.is_empty() {
        return Err(Code::NoText.into());
    }
    let reply_to = read_thread(cx.state, &channel.id, args.thread_ts.as_deref())?;
    let broadcast = args.reply_broadcast && reply_to.is_some();
    check_rules(cx.state, token, &channel, (reply_to.is_some(), broadcast), &said.words())?;
    let extra = Extra {
        blocks: said.blocks.clone(),
        attachments: said.attachments.clone(),
        metadata: read_metadata(args.metadata)?.map(Arc::new),
        broadcast,
        ..Extra::default()
    };
    let app = Some(token.app.clone());
    let draft = Draft { app, reply_to, extra, unfurl: args.unfurl_links, ..Draft::new(&token.user, said.words()) };
    let mut shown = shown(cx.state, &channel.id, &draft);
    let id = schedule::schedule(cx.state, cx.tx, &channel.id, &token.app, post_at, draft)?;
    if let Some(shown) = shown.as_object_mut() {
        shown.remove("ts");
        shown.insert("type".to_owned(), json!("delayed_message"));
    }
    Ok(Typed::ok(&json!({
        "scheduled_message_id": id,
        "channel": channel.id,
        "post_at": post_at,
        "message": shown,
    })))
}

/// A message as it will be.
fn shown(state: &crate::State, channel: &SmolStr, draft: &Draft) -> Value {
    let mut message = Message {
        ts: 0,
        user: draft.user.clone(),
        app: draft.app.clone(),
        text: Arc::clone(&draft.text),
        reply_to: draft.reply_to,
        thread: None,
        extra: None,
    };
    message.edit_extra(|extra| *extra = draft.extra.clone());
    shapes::message_value(state, channel, &message)
}

/// Arguments of `chat.deleteScheduledMessage`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DeleteScheduled {
    channel: SmolStr,
    scheduled_message_id: SmolStr,
    /// An app's messages are its own, whoever writes them.
    #[serde(rename = "as_user")]
    _as_user: Option<bool>,
}

/// `chat.deleteScheduledMessage`
fn delete_scheduled(cx: &mut Write<'_, '_, Slack>, args: DeleteScheduled) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = cx.state.visible(&args.channel, &token.user).ok_or(Code::ChannelNotFound)?.id.clone();
    if cx.state.is_suspended(&channel) {
        return Err(Code::EkmAccessDenied.into());
    }
    schedule::unschedule(cx.state, cx.tx, &token.app, &channel, &args.scheduled_message_id)?;
    Ok(done())
}

/// Arguments of `chat.scheduledMessages.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListScheduled {
    channel: Option<String>,
    oldest: Option<String>,
    latest: Option<String>,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// The second of a timestamp.
fn second(text: Option<&str>, wrong: Code) -> Result<Option<i64>, Code> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let ts = parse_ts(text).ok_or(wrong)?;
    Ok(i64::try_from(ts / 1_000_000).ok())
}

/// `chat.scheduledMessages.list`: the app's own, the next first.
fn list_scheduled(cx: &Read<'_, Slack>, args: ListScheduled) -> Result<Typed<Value>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    let channel = args.channel.as_deref().filter(|channel| !channel.is_empty());
    let channel = channel.map(|id| state.visible(id, &token.user).ok_or(Code::InvalidChannel)).transpose()?;
    if channel.is_some_and(|channel| state.is_suspended(&channel.id)) {
        return Err(Code::EkmAccessDenied.into());
    }
    let oldest = second(args.oldest.as_deref(), Code::InvalidTsOldest)?.unwrap_or(0);
    let latest = second(args.latest.as_deref(), Code::InvalidTsLatest)?.unwrap_or(i64::MAX);
    let size = args.limit.size(100, 1000)?;
    let from = match paging::read_cursor(args.cursor.as_deref(), "scheduled")? {
        None => (token.app.clone(), oldest, SmolStr::default()),
        Some(id) => {
            let row = state.scheduled.get(&id).ok_or(Code::InvalidCursor)?;
            (token.app.clone(), row.post_at, id)
        }
    };
    let own = state.index.scheduled_by.range((Bound::Included(from), Bound::Unbounded));
    let own = own.take_while(|(app, when, _)| *app == token.app && *when <= latest);
    let mut rows = own
        .filter_map(|(_, _, id)| state.scheduled.get(id))
        .filter(|row| row.user == token.user && channel.is_none_or(|channel| channel.id == row.channel));
    let body = |row: &Arc<schedule::Scheduled>| {
        json!({
            "id": row.id,
            "channel_id": row.channel,
            "post_at": row.post_at,
            "date_created": row.created,
            "text": row.text,
        })
    };
    let page: Vec<Value> = rows.by_ref().take(size).map(body).collect();
    let end = PageEnd::new(rows.next().map(|row| paging::cursor("scheduled", &row.id)));
    Ok(Typed::ok(&json!({ "scheduled_messages": page, "response_metadata": end })))
}

/// Arguments of `chat.meMessage`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct MeMessage {
    channel: String,
    text: Option<String>,
}

/// `chat.meMessage`
fn me_message(cx: &mut Write<'_, '_, Slack>, args: MeMessage) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = target(cx.state, cx.tx, token, &args.channel)?;
    check_may_post(cx.state, token, &channel)?;
    let text = args.text.filter(|text| !text.is_empty()).ok_or(Code::NoText)?;
    if text.chars().count() > TEXT_MAX {
        return Err(Code::MsgTooLong.into());
    }
    let stored = text::store(cx.state, &text, Reading { link_names: false, typed: false });
    check_rules(cx.state, token, &channel, (false, false), &stored)?;
    let extra = Extra { subtype: Some(Subtype::MeMessage), ..Extra::default() };
    let draft = Draft { app: Some(token.app.clone()), extra, ..Draft::new(&token.user, stored) };
    let ts = messages::post(cx.state, cx.tx, &channel.id, draft);
    Ok(Typed::ok(&json!({ "channel": channel.id, "ts": ts_text(ts) })))
}

/// Arguments of `chat.getPermalink`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetPermalink {
    channel: String,
    message_ts: String,
}

/// `chat.getPermalink`
fn permalink(cx: &Read<'_, Slack>, args: GetPermalink) -> Result<Typed<Value>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    let channel = state.visible(&args.channel, &token.user).ok_or(Code::ChannelNotFound)?;
    let ts = parse_message_ts(&args.message_ts).ok_or(Code::MessageNotFound)?;
    let row = state.message(&channel.id, ts).ok_or(Code::MessageNotFound)?;
    Ok(Typed::ok(&json!({ "channel": channel.id, "permalink": state.permalink(&channel.id, row) })))
}

/// Arguments of `reminders.add`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AddReminder {
    text: SmolStr,
    time: String,
    user: Option<SmolStr>,
    recurrence: Option<Value>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

fn caller_row(cx: &Write<'_, '_, Slack>) -> Result<Arc<User>, Error> {
    let token = cx.caller.token()?;
    Ok(cx.state.users.get(&token.user).cloned().ok_or(Code::UserNotFound)?)
}

/// `reminders.add`
fn add_reminder(cx: &mut Write<'_, '_, Slack>, args: AddReminder) -> Result<Typed<Value>, Error> {
    let creator = caller_row(cx)?;
    let mut when = when::read(&args.time, cx.tx.now.as_secs(), &creator.tz).ok_or(Code::CannotParse)?;
    if let Some(recurrence) = args.recurrence {
        when.again = Some(Recurrence::read(&recurrence).ok_or(Code::CannotParse)?);
    }
    let user = args.user.filter(|user| !user.is_empty()).unwrap_or_else(|| creator.id.clone());
    let id = schedule::remind(cx.state, cx.tx, &creator, &user, &args.text, when)?;
    let row = cx.state.reminders.get(&id).ok_or(Code::NotFound)?;
    Ok(Typed::ok(&json!({ "reminder": bodies::reminder(row) })))
}

/// A reminder.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneReminder {
    reminder: SmolStr,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `reminders.complete`
fn complete_reminder(cx: &mut Write<'_, '_, Slack>, args: OneReminder) -> Result<Typed<Value>, Error> {
    let user = cx.caller.token()?.user.clone();
    schedule::complete(cx.state, cx.tx, &user, &args.reminder)?;
    Ok(done())
}

/// `reminders.delete`
fn delete_reminder(cx: &mut Write<'_, '_, Slack>, args: OneReminder) -> Result<Typed<Value>, Error> {
    let user = cx.caller.token()?.user.clone();
    schedule::delete_reminder(cx.state, cx.tx, &user, &args.reminder)?;
    Ok(done())
}

/// `reminders.info`
fn reminder(cx: &Read<'_, Slack>, args: OneReminder) -> Result<Typed<Value>, Error> {
    let row = schedule::own_reminder(cx.state, &cx.caller.token()?.user, &args.reminder)?;
    Ok(Typed::ok(&json!({ "reminder": bodies::reminder(row) })))
}

/// Arguments of `reminders.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListReminders {
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `reminders.list`
fn reminders(cx: &Read<'_, Slack>, _: ListReminders) -> Result<Typed<Value>, Error> {
    let (state, user) = (cx.state, &cx.caller.token()?.user);
    debug_assert_ne!(user, SLACKBOT, "Slackbot has no token");
    let own = state.index.reminded.range((user.clone(), SmolStr::default())..).take_while(|row| row.0 == *user);
    let rows = own.filter_map(|(_, id)| state.reminders.get(id)).map(|row| bodies::reminder(row));
    Ok(Typed::ok(&json!({ "reminders": rows.collect::<Vec<_>>() })))
}
