//! Slack Connect: `conversations.*` about channels that are shared with other organizations.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    canvases::object,
    conversations::refuse_guest,
    marks::done,
    paging::{self, Limit, PageEnd},
};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{TIER_1, TIER_2, TIER_3},
    model::{
        State,
        connect::{self, Direction, Invite, NewInvite, Stage, WORDS_MAX},
    },
};

const MANAGE: &[&str] = &["conversations.connect:manage"];
const WRITE: &[&str] = &["conversations.connect:write"];

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    [invite_rows(), request_rows()].into_iter().flatten().collect()
}

fn invite_rows() -> Vec<Row> {
    vec![
        Row::write("conversations.inviteShared", ANY, "/api/conversations.inviteShared", send)
            .limit(TIER_2)
            .scopes(WRITE)
            .errors(&[
                "already_in_channel",
                "cannot_share_mandatory_channel",
                "channel_archived",
                "channel_not_found",
                "connection_limit_exceeded_pending",
                "invalid_channel_type",
                "invalid_email",
                "not_in_channel",
                "recipients_not_specified",
                "too_many_emails",
                "user_not_found",
            ]),
        Row::write("conversations.acceptSharedInvite", ANY, "/api/conversations.acceptSharedInvite", accept)
            .limit(TIER_2)
            .scopes(WRITE)
            .errors(&[
                "invalid_link",
                "invalid_name_maxlength",
                "invalid_name_punctuation",
                "invalid_name_required",
                "invalid_name_specials",
                "invite_from_same_org",
                "invite_not_found",
                "invite_used",
                "name_taken",
                "user_is_restricted",
            ]),
        Row::write("conversations.approveSharedInvite", ANY, "/api/conversations.approveSharedInvite", approve)
            .limit(TIER_3)
            .scopes(MANAGE)
            .errors(&[
                "already_approved",
                "approval_inactive",
                "approval_not_found",
                "invite_not_found",
                "missing_target_team",
            ]),
        Row::write("conversations.declineSharedInvite", ANY, "/api/conversations.declineSharedInvite", decline)
            .limit(TIER_3)
            .scopes(MANAGE)
            .errors(&["inactive_invite", "invite_not_found"]),
        Row::read("conversations.listConnectInvites", ANY, "/api/conversations.listConnectInvites", list)
            .limit(TIER_1)
            .scopes(MANAGE)
            .errors(&["invalid_cursor", "invalid_limit"]),
    ]
}

fn request_rows() -> Vec<Row> {
    let asked: &[&str] = &[
        "channel_not_found",
        "invite_already_approved",
        "invite_already_denied",
        "invite_expired",
        "invite_not_found",
        "message_too_long",
    ];
    vec![
        Row::write(
            "conversations.requestSharedInvite.approve",
            ANY,
            "/api/conversations.requestSharedInvite.approve",
            grant,
        )
        .limit(TIER_2)
        .scopes(MANAGE)
        .errors(asked),
        Row::write("conversations.requestSharedInvite.deny", ANY, "/api/conversations.requestSharedInvite.deny", deny)
            .limit(TIER_2)
            .scopes(MANAGE)
            .errors(asked),
        Row::read(
            "conversations.requestSharedInvite.list",
            ANY,
            "/api/conversations.requestSharedInvite.list",
            requests,
        )
        .limit(TIER_2)
        .scopes(MANAGE)
        .errors(&["invalid_cursor", "invalid_limit"]),
        Row::write(
            "conversations.externalInvitePermissions.set",
            ANY,
            "/api/conversations.externalInvitePermissions.set",
            permit,
        )
        .limit(TIER_2)
        .scopes(MANAGE)
        .errors(&["channel_not_found", "invalid_action", "invalid_target_team"]),
    ]
}

/// Arguments of `conversations.inviteShared`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Send {
    channel: String,
    #[serde(default)]
    emails: Vec<SmolStr>,
    #[serde(default)]
    user_ids: Vec<SmolStr>,
    external_limited: Option<bool>,
}

/// `conversations.inviteShared`: one at a time.
fn send(cx: &mut Write<'_, '_, Slack>, args: Send) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = cx.state.visible(&args.channel, &token.user).map(Arc::clone).ok_or(Code::ChannelNotFound)?;
    connect::check_channel(&channel)?;
    if !cx.state.is_member(&channel.id, &token.user) {
        return Err(Code::NotInChannel.into());
    }
    let recipient = match (args.emails.as_slice(), args.user_ids.as_slice()) {
        ([], []) => return Err(Code::RecipientsNotSpecified.into()),
        ([mail], []) if mail.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.')) => mail,
        ([_], []) => return Err(Code::InvalidEmail.into()),
        ([], [user]) if cx.state.is_member(&channel.id, user) => return Err(Code::AlreadyInChannel.into()),
        // Users of other organizations are not known here by their ids.
        ([], _) => return Err(Code::UserNotFound.into()),
        _ => return Err(Code::TooManyEmails.into()),
    };
    if cx.state.user_by_email(recipient).is_some_and(|user| cx.state.is_member(&channel.id, &user.id)) {
        return Err(Code::AlreadyInChannel.into());
    }
    let row = connect::invite(
        cx.state,
        cx.tx,
        NewInvite {
            direction: Direction::Outgoing,
            stage: Stage::Sent,
            channel: channel.id.clone(),
            channel_name: channel.name.clone(),
            by: token.user.clone(),
            recipient: recipient.clone(),
            partner: None,
            limited: args.external_limited.unwrap_or(true),
        },
    );
    Ok(Typed::ok(&json!({
        "invite_id": row.id,
        "conf_code": connect::code(&row.id),
        "url": connect::link(&row.id),
        "is_legacy_shared_channel": false,
    })))
}

fn find(state: &State, id: &SmolStr) -> Result<Arc<Invite>, Code> {
    state.content.invites.get(id).map(Arc::clone).ok_or(Code::InviteNotFound)
}

/// Arguments of `conversations.acceptSharedInvite`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Accept {
    channel_name: String,
    #[serde(default)]
    is_private: bool,
    invite_id: Option<SmolStr>,
    channel_id: Option<SmolStr>,
    /// No trial is needed.
    #[serde(rename = "free_trial_accepted")]
    _free_trial_accepted: Option<bool>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `conversations.acceptSharedInvite`: of another organization.
fn accept(cx: &mut Write<'_, '_, Slack>, args: Accept) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let given = |id: Option<SmolStr>| id.filter(|id| !id.is_empty());
    let invite = match (given(args.invite_id), given(args.channel_id)) {
        (Some(id), channel) => {
            let invite = find(cx.state, &id)?;
            if channel.is_some_and(|channel| channel != invite.channel) {
                return Err(Code::InvalidLink.into());
            }
            invite
        }
        (None, Some(channel)) => {
            let id = cx.state.content.invite_by_channel.get(&channel).ok_or(Code::InvalidLink)?;
            find(cx.state, id)?
        }
        (None, None) => return Err(Error::Arguments(vec!["missing required field: invite_id".to_owned()])),
    };
    refuse_guest(cx.state, token)?;
    match invite.stage {
        _ if invite.direction == Direction::Outgoing => return Err(Code::InviteFromSameOrg.into()),
        Stage::Sent if cx.tx.now.as_secs() < invite.expires => {}
        Stage::Approved => return Err(Code::InviteUsed.into()),
        _ => return Err(Code::InviteNotFound.into()),
    }
    let name = args.channel_name.trim();
    let channel = connect::accept(cx.state, cx.tx, (&invite, &token.user), name, args.is_private)?;
    Ok(Typed::ok(&json!({
        "implicit_approval": true,
        "channel_id": channel,
        "invite_id": invite.id,
        "can_open_scdm": false,
    })))
}

/// Arguments of `conversations.approveSharedInvite` and `conversations.declineSharedInvite`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Decide {
    invite_id: SmolStr,
    target_team: Option<SmolStr>,
}

/// `conversations.approveSharedInvite`: what another organization has accepted.
fn approve(cx: &mut Write<'_, '_, Slack>, args: Decide) -> Result<Typed<Value>, Error> {
    let user = cx.caller.token()?.user.clone();
    let invite = find(cx.state, &args.invite_id)?;
    let target = args.target_team.filter(|team| !team.is_empty());
    match invite.stage {
        Stage::Accepted => {}
        Stage::Approved => return Err(Code::AlreadyApproved.into()),
        Stage::Declined => return Err(Code::ApprovalInactive.into()),
        _ => return Err(Code::ApprovalNotFound.into()),
    }
    match target {
        None => return Err(Code::MissingTargetTeam.into()),
        Some(team) if invite.partner.as_ref() != Some(&team) => return Err(Code::ApprovalNotFound.into()),
        Some(_) => {}
    }
    connect::approve(cx.state, cx.tx, &invite, &user);
    Ok(done())
}

/// `conversations.declineSharedInvite`
fn decline(cx: &mut Write<'_, '_, Slack>, args: Decide) -> Result<Typed<Value>, Error> {
    let user = cx.caller.token()?.user.clone();
    let invite = find(cx.state, &args.invite_id)?;
    let target = args.target_team.filter(|team| !team.is_empty());
    let is_other = target.is_some_and(|team| invite.partner.as_ref().is_some_and(|partner| *partner != team));
    if !matches!(invite.stage, Stage::Sent | Stage::Accepted) || is_other {
        return Err(Code::InactiveInvite.into());
    }
    connect::decline(cx.state, cx.tx, &invite, &user);
    Ok(done())
}

/// Arguments of `conversations.listConnectInvites`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct List {
    #[serde(default)]
    count: Limit,
    cursor: Option<String>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `conversations.listConnectInvites`: those that not all have agreed to.
fn list(cx: &Read<'_, Slack>, args: List) -> Result<Typed<Value>, Error> {
    let size = args.count.size(100, 500)?;
    let from = paging::read_cursor(args.cursor.as_deref(), "invite")?.unwrap_or_default();
    let rows = cx.state.content.invites.range(from..).map(|(_, row)| row);
    let mut open = rows.filter(|row| matches!(row.stage, Stage::Sent | Stage::Accepted));
    let now = cx.scene.now.as_secs();
    let page: Vec<Value> = open.by_ref().take(size).map(|row| connect::render(cx.state, row, now)).collect();
    let end = PageEnd::new(open.next().map(|row| paging::cursor("invite", &row.id)));
    Ok(Typed::ok(&json!({ "invites": page, "response_metadata": end })))
}

/// Arguments of `conversations.requestSharedInvite.approve` and `deny`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Review {
    invite_id: SmolStr,
    is_external_limited: Option<bool>,
    channel_id: Option<SmolStr>,
    message: Option<Value>,
}

/// A request that nobody has decided yet.
fn open_request(cx: &Write<'_, '_, Slack>, id: &SmolStr) -> Result<Arc<Invite>, Code> {
    let row = find(cx.state, id)?;
    match row.stage {
        _ if !row.was_requested => Err(Code::InviteNotFound),
        Stage::Requested if cx.tx.now.as_secs() >= row.expires => Err(Code::InviteExpired),
        Stage::Requested => Ok(row),
        Stage::Denied => Err(Code::InviteAlreadyDenied),
        _ => Err(Code::InviteAlreadyApproved),
    }
}

/// What is to go with the invitation.
fn words(before: &str, message: Option<Value>) -> Result<SmolStr, Error> {
    let words = match object(message, "message")? {
        None => before.to_owned(),
        // Denials come with plain text.
        Some(Value::String(text)) => text,
        Some(message) => {
            let (text, replaces) = (message["text"].as_str(), message["is_override"].as_bool());
            let (Some(text), Some(replaces)) = (text, replaces) else {
                return Err(Error::Arguments(vec![
                    "must have text and is_override [json-pointer:/message]".to_owned(),
                ]));
            };
            if replaces { text.to_owned() } else { format!("{before}{text}") }
        }
    };
    if words.chars().count() > WORDS_MAX { Err(Code::MessageTooLong.into()) } else { Ok(words.into()) }
}

/// `conversations.requestSharedInvite.approve`: the invitation goes out.
fn grant(cx: &mut Write<'_, '_, Slack>, args: Review) -> Result<Typed<Value>, Error> {
    let user = cx.caller.token()?.user.clone();
    let row = open_request(cx, &args.invite_id)?;
    let words = words(&row.words, args.message)?;
    let channel = match args.channel_id.filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => Some(cx.state.visible(&id, &user).ok_or(Code::ChannelNotFound)?.id.clone()),
    };
    connect::advance(cx.state, cx.tx, &row.id, |row| {
        row.stage = Stage::Sent;
        row.words = words;
        row.limited = args.is_external_limited.unwrap_or(row.limited);
        if let Some(channel) = channel {
            row.channel = channel;
        }
    });
    Ok(Typed::ok(&json!({ "invite_id": row.id })))
}

/// Arguments of `conversations.requestSharedInvite.deny`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Deny {
    invite_id: SmolStr,
    message: Option<String>,
}

/// `conversations.requestSharedInvite.deny`
fn deny(cx: &mut Write<'_, '_, Slack>, args: Deny) -> Result<Typed<Value>, Error> {
    let row = open_request(cx, &args.invite_id)?;
    let words = args.message.unwrap_or_default();
    if words.chars().count() > WORDS_MAX {
        return Err(Code::MessageTooLong.into());
    }
    connect::advance(cx.state, cx.tx, &row.id, |row| (row.stage, row.words) = (Stage::Denied, words.into()));
    Ok(done())
}

/// Arguments of `conversations.requestSharedInvite.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Requests {
    user_id: Option<SmolStr>,
    #[serde(default)]
    include_approved: bool,
    #[serde(default)]
    include_denied: bool,
    #[serde(default)]
    include_expired: bool,
    #[serde(default)]
    invite_ids: Vec<SmolStr>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<String>,
}

/// `conversations.requestSharedInvite.list`
fn requests(cx: &Read<'_, Slack>, args: Requests) -> Result<Typed<Value>, Error> {
    let size = args.limit.size(200, 1000)?;
    let from = paging::read_cursor(args.cursor.as_deref(), "request")?.unwrap_or_default();
    let now = cx.scene.now.as_secs();
    let user = args.user_id.as_ref().filter(|user| !user.is_empty());
    let wanted = |row: &&Arc<Invite>| {
        let stage = match row.stage {
            Stage::Requested => now < row.expires || args.include_expired,
            Stage::Denied => args.include_denied,
            _ => args.include_approved,
        };
        let named = args.invite_ids.is_empty() || args.invite_ids.contains(&row.id);
        row.was_requested && stage && named && user.is_none_or(|user| *user == row.by)
    };
    let mut rows = cx.state.content.invites.range(from..).map(|(_, row)| row).filter(wanted);
    let page: Vec<Value> = rows.by_ref().take(size).map(|row| connect::render_request(cx.state, row)).collect();
    let end = PageEnd::new(rows.next().map(|row| paging::cursor("request", &row.id)));
    Ok(Typed::ok(&json!({ "invite_requests": page, "response_metadata": end })))
}

/// Arguments of `conversations.externalInvitePermissions.set`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Permit {
    channel: SmolStr,
    target_team: SmolStr,
    action: SmolStr,
}

/// `conversations.externalInvitePermissions.set`
fn permit(cx: &mut Write<'_, '_, Slack>, args: Permit) -> Result<Typed<Value>, Error> {
    let user = cx.caller.token()?.user.clone();
    let channel = cx.state.visible(&args.channel, &user).ok_or(Code::ChannelNotFound)?.id.clone();
    let can_invite = match args.action.as_str() {
        "upgrade" => true,
        "downgrade" => false,
        _ => return Err(Code::InvalidAction.into()),
    };
    let key = (channel, args.target_team);
    let row = cx.state.content.connections.update(&mut cx.tx.changes, &key, |row| row.can_invite = can_invite);
    if row.is_some() { Ok(done()) } else { Err(Code::InvalidTargetTeam.into()) }
}
