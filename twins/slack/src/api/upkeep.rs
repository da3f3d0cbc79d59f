//! `conversations.*` that change what is there: archive, rename, topic, purpose, kick, leave, close, mark. And
//! `chat.delete`.

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    conversations::{One, manage_scopes, need_scope, one, refuse_guest, refuse_narrow_guest},
    marks::done,
};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{TIER_2, TIER_3},
    model::{
        State,
        apps::{Token, TokenKind},
        channels::{self, Channel, Kind},
        connect,
        messages::{self, Message, Subtype},
        time::parse_message_ts,
        upkeep::{self, Which},
    },
};

/// The scopes of which a method on any kind of conversation takes one.
const WRITES: &[&str] = &["channels:manage", "channels:write", "groups:write", "im:write", "mpim:write"];
/// The same, for topics.
const TOPICS: &[&str] = &[
    "channels:manage",
    "channels:write",
    "channels:write.topic",
    "groups:write",
    "groups:write.topic",
    "im:write",
    "im:write.topic",
    "mpim:write",
    "mpim:write.topic",
];
/// What all of them refuse.
macro_rules! channel_errors {
    ($($more:literal),* $(,)?) => {
        &["channel_not_found", "method_not_supported_for_channel_type", $($more),*]
    };
}

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    [life_rows(), people_rows(), other_rows()].into_iter().flatten().collect()
}

fn life_rows() -> Vec<Row> {
    let names: &[&str] = channel_errors!(
        "invalid_name_maxlength",
        "invalid_name_punctuation",
        "invalid_name_required",
        "invalid_name_specials",
        "is_archived",
        "name_taken",
        "not_authorized",
        "not_in_channel",
        "user_is_restricted",
    );
    let notes: &[&str] = channel_errors!("is_archived", "not_in_channel", "too_long", "user_is_restricted");
    vec![
        Row::write("conversations.archive", ANY, "/api/conversations.archive", archive)
            .limit(TIER_2)
            .scopes(WRITES)
            .errors(channel_errors!(
                "already_archived",
                "cant_archive_general",
                "not_in_channel",
                "not_supported",
                "restricted_action",
                "user_is_restricted",
                "user_is_ultra_restricted"
            )),
        Row::write("conversations.unarchive", ANY, "/api/conversations.unarchive", unarchive)
            .limit(TIER_2)
            .scopes(WRITES)
            .errors(channel_errors!(
                "not_archived",
                "not_in_channel",
                "user_is_restricted",
                "user_is_ultra_restricted"
            )),
        Row::write("conversations.rename", ANY, "/api/conversations.rename", rename)
            .limit(TIER_2)
            .scopes(WRITES)
            .errors(names),
        Row::write("conversations.setTopic", ANY, "/api/conversations.setTopic", set_topic)
            .limit(TIER_2)
            .scopes(TOPICS)
            .errors(notes),
        Row::write("conversations.setPurpose", ANY, "/api/conversations.setPurpose", set_purpose)
            .limit(TIER_2)
            .scopes(TOPICS)
            .errors(notes),
    ]
}

fn people_rows() -> Vec<Row> {
    vec![
        Row::write("conversations.kick", ANY, "/api/conversations.kick", kick).limit(TIER_3).scopes(WRITES).errors(
            channel_errors!(
                "cant_kick_from_general",
                "cant_kick_self",
                "is_archived",
                "not_in_channel",
                "restricted_action",
                "user_is_restricted",
                "user_not_found"
            ),
        ),
        Row::write("conversations.leave", ANY, "/api/conversations.leave", leave).limit(TIER_3).scopes(WRITES).errors(
            channel_errors!(
                "cant_leave_general",
                "is_archived",
                "last_member",
                "user_is_restricted",
                "user_is_ultra_restricted"
            ),
        ),
    ]
}

fn other_rows() -> Vec<Row> {
    vec![
        Row::write("conversations.close", ANY, "/api/conversations.close", close)
            .limit(TIER_2)
            .scopes(WRITES)
            .errors(channel_errors!()),
        Row::write("conversations.mark", ANY, "/api/conversations.mark", mark)
            .limit(TIER_3)
            .scopes(WRITES)
            .errors(channel_errors!("invalid_timestamp", "not_in_channel")),
        Row::write("chat.delete", ANY, "/api/chat.delete", delete).limit(TIER_3).scopes(&["chat:write"]).errors(&[
            "cant_delete_message",
            "channel_not_found",
            "compliance_exports_prevent_deletion",
            "message_not_found",
        ]),
    ]
}

/// A conversation.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneChannel {
    channel: String,
}

/// A conversation that the caller sees and whose kind the token may change.
fn seen(state: &State, token: &Token, named: &str) -> Result<Arc<Channel>, Error> {
    let row = state.visible(named, &token.user).ok_or(Code::ChannelNotFound)?;
    need_scope(token, &manage_scopes(token, row.kind, "manage")[..1])?;
    Ok(Arc::clone(row))
}

/// The same, of a channel that people join and leave.
fn seen_channel(state: &State, token: &Token, named: &str) -> Result<Arc<Channel>, Error> {
    let row = state.visible(named, &token.user).ok_or(Code::ChannelNotFound)?;
    if !row.kind.is_channel() {
        return Err(Code::MethodNotSupportedForChannelType.into());
    }
    seen(state, token, named)
}

/// The same, with the caller in it, who is no guest.
fn own_channel(state: &State, token: &Token, named: &str) -> Result<Arc<Channel>, Error> {
    let row = seen_channel(state, token, named)?;
    if !state.is_member(&row.id, &token.user) {
        return Err(Code::NotInChannel.into());
    }
    refuse_guest(state, token)?;
    Ok(row)
}

/// `conversations.archive`
fn archive(cx: &mut Write<'_, '_, Slack>, args: OneChannel) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let row = seen_channel(cx.state, token, &args.channel)?;
    // Nobody's bot is in an archived channel: that it is archived says more.
    if row.archived {
        return Err(Code::AlreadyArchived.into());
    }
    refuse_narrow_guest(cx.state, token)?;
    let row = own_channel(cx.state, token, &row.id)?;
    // Whose channel it is decides that.
    if connect::host(cx.state, &row.id).is_some() {
        return Err(Code::NotSupported.into());
    }
    if token.kind != TokenKind::Bot && !cx.state.may(&token.user, |row| row.archives_channels) {
        return Err(Code::RestrictedAction.into());
    }
    upkeep::archive(cx.state, cx.tx, &row, &token.user)?;
    Ok(done())
}

/// `conversations.unarchive`. Bots were put out of the channel when it was archived and cannot do it.
/// <https://github.com/slack-go/slack/issues/1066>
fn unarchive(cx: &mut Write<'_, '_, Slack>, args: OneChannel) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let row = seen_channel(cx.state, token, &args.channel)?;
    refuse_narrow_guest(cx.state, token)?;
    refuse_guest(cx.state, token)?;
    if !row.archived {
        return Err(Code::NotArchived.into());
    }
    if token.kind == TokenKind::Bot {
        return Err(Code::NotInChannel.into());
    }
    upkeep::unarchive(cx.state, cx.tx, &row, &token.user)?;
    Ok(done())
}

/// Arguments of `conversations.rename`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Rename {
    channel: String,
    name: String,
}

/// `conversations.rename`: by who made the channel, and administrators.
fn rename(cx: &mut Write<'_, '_, Slack>, args: Rename) -> Result<Typed<One>, Error> {
    let token = cx.caller.token()?;
    let row = own_channel(cx.state, token, &args.channel)?;
    if row.archived {
        return Err(Code::IsArchived.into());
    }
    if !upkeep::may_rename(cx.state, &row, &token.user) {
        return Err(Code::NotAuthorized.into());
    }
    upkeep::rename(cx.state, cx.tx, &row, &token.user, args.name.trim())?;
    Ok(Typed::ok(&One { channel: one(cx.state, &row.id, &token.user)? }))
}

/// Arguments of `conversations.setTopic`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetTopic {
    channel: String,
    topic: String,
}

/// `conversations.setTopic`
fn set_topic(cx: &mut Write<'_, '_, Slack>, args: SetTopic) -> Result<Typed<One>, Error> {
    describe(cx, &args.channel, (Which::Topic, &args.topic))
}

/// Arguments of `conversations.setPurpose`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetPurpose {
    channel: String,
    purpose: String,
}

/// `conversations.setPurpose`
fn set_purpose(cx: &mut Write<'_, '_, Slack>, args: SetPurpose) -> Result<Typed<One>, Error> {
    describe(cx, &args.channel, (Which::Purpose, &args.purpose))
}

fn describe(cx: &mut Write<'_, '_, Slack>, named: &str, note: (Which, &str)) -> Result<Typed<One>, Error> {
    let token = cx.caller.token()?;
    let row = cx.state.visible(named, &token.user).map(Arc::clone).ok_or(Code::ChannelNotFound)?;
    if row.kind == Kind::Im && note.0 == Which::Purpose {
        return Err(Code::MethodNotSupportedForChannelType.into());
    }
    let family = row.kind.scope_family();
    let scopes = [manage_scopes(token, row.kind, "manage")[0].to_owned(), format!("{family}:write.topic")];
    need_scope(token, &scopes.each_ref().map(String::as_str))?;
    match &*row {
        row if !cx.state.is_member(&row.id, &token.user) => return Err(Code::NotInChannel.into()),
        row if row.archived => return Err(Code::IsArchived.into()),
        _ => refuse_guest(cx.state, token)?,
    }
    upkeep::describe(cx.state, cx.tx, &row, &token.user, note)?;
    Ok(Typed::ok(&One { channel: one(cx.state, &row.id, &token.user)? }))
}

/// Arguments of `conversations.kick`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Kick {
    channel: String,
    #[serde(default)]
    user: SmolStr,
}

/// `conversations.kick`
fn kick(cx: &mut Write<'_, '_, Slack>, args: Kick) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let row = own_channel(cx.state, token, &args.channel)?;
    let refusal = match &args.user {
        _ if row.archived => Some(Code::IsArchived),
        user if *user == token.user => Some(Code::CantKickSelf),
        user if !cx.state.users.contains(user) => Some(Code::UserNotFound),
        _ if row.general => Some(Code::CantKickFromGeneral),
        user if !cx.state.is_member(&row.id, user) => Some(Code::NotInChannel),
        _ if token.kind != TokenKind::Bot && !cx.state.may(&token.user, |row| row.removes_people) => {
            Some(Code::RestrictedAction)
        }
        _ => None,
    };
    if let Some(code) = refusal {
        return Err(code.into());
    }
    channels::leave(cx.state, cx.tx, &row.id, &args.user);
    Ok(Typed::ok(&json!({ "errors": {} })))
}

/// `conversations.leave`: who is not in the channel is told so, and has left nothing.
fn leave(cx: &mut Write<'_, '_, Slack>, args: OneChannel) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let row = seen_channel(cx.state, token, &args.channel)?;
    if !cx.state.is_member(&row.id, &token.user) {
        return Ok(Typed::ok(&json!({ "not_in_channel": true })));
    }
    refuse_narrow_guest(cx.state, token)?;
    refuse_guest(cx.state, token)?;
    let refusal = match &*row {
        row if row.archived => Some(Code::IsArchived),
        row if row.general => Some(Code::CantLeaveGeneral),
        row if upkeep::is_last(row) => Some(Code::LastMember),
        _ => None,
    };
    if let Some(code) = refusal {
        return Err(code.into());
    }
    channels::leave(cx.state, cx.tx, &row.id, &token.user);
    Ok(done())
}

/// `conversations.close`: direct conversations only.
fn close(cx: &mut Write<'_, '_, Slack>, args: OneChannel) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let row = cx.state.visible(&args.channel, &token.user).map(Arc::clone).ok_or(Code::ChannelNotFound)?;
    if row.kind.is_channel() {
        return Err(Code::MethodNotSupportedForChannelType.into());
    }
    let row = seen(cx.state, token, &row.id)?;
    if upkeep::close(cx.state, cx.tx, &row, &token.user) {
        return Ok(done());
    }
    Ok(Typed::ok(&json!({ "no_op": true, "already_closed": true })))
}

/// Arguments of `conversations.mark`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Mark {
    channel: String,
    ts: String,
}

/// `conversations.mark`
fn mark(cx: &mut Write<'_, '_, Slack>, args: Mark) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let row = seen(cx.state, token, &args.channel)?;
    if !cx.state.is_member(&row.id, &token.user) {
        return Err(Code::NotInChannel.into());
    }
    let ts = parse_message_ts(&args.ts).ok_or(Code::InvalidTimestamp)?;
    upkeep::mark(cx.state, cx.tx, &row.id, &token.user, ts);
    Ok(done())
}

/// Arguments of `chat.delete`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Delete {
    channel: String,
    ts: String,
    /// Bots and people delete as themselves anyway.
    #[serde(rename = "as_user")]
    _as_user: Option<bool>,
}

/// `chat.delete`: bots delete their own messages, people theirs, and administrators all.
fn delete(cx: &mut Write<'_, '_, Slack>, args: Delete) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = cx.state.visible(&args.channel, &token.user).ok_or(Code::ChannelNotFound)?.id.clone();
    let ts = parse_message_ts(&args.ts).ok_or(Code::MessageNotFound)?;
    let row = cx.state.message(&channel, ts).map(Arc::clone).ok_or(Code::MessageNotFound)?;
    if row.subtype() == Some(Subtype::Tombstone) {
        return Err(Code::MessageNotFound.into());
    }
    if !may_delete(cx.state, token, &row) {
        return Err(Code::CantDeleteMessage.into());
    }
    if cx.state.policy(|row| row.keeps_messages) {
        return Err(Code::ComplianceExportsPreventDeletion.into());
    }
    messages::delete(cx.state, cx.tx, &channel, ts);
    Ok(Typed::ok(&json!({ "channel": channel, "ts": args.ts })))
}

fn may_delete(state: &State, token: &Token, row: &Message) -> bool {
    let is_said = matches!(
        row.subtype(),
        None | Some(Subtype::BotMessage | Subtype::MeMessage | Subtype::FileShare | Subtype::PinnedItem)
    );
    let is_admin = || token.kind != TokenKind::Bot && state.users.get(&token.user).is_some_and(|user| user.is_admin());
    is_said && (row.user == token.user || is_admin())
}
