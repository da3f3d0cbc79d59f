//! `conversations.*`, but for what reads messages.

use std::{ops::Bound, sync::Arc};

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;

use super::paging::{self, Limit, PageEnd};
use crate::{
    Slack,
    error::{Code, Error, not_invited},
    model::{
        State,
        apps::{Token, TokenKind},
        channels::{self, Channel, Kind},
        people::{Role, SLACKBOT, User},
        restrictions, upkeep,
    },
    shapes::{self, ChannelView, ConversationBody, Occasion},
};

/// The most conversations of one page.
const PAGE_MAX: usize = 1000;
/// The most users invited at once.
const INVITES_MAX: usize = 1000;
/// The most users of a group message, besides the caller.
const GROUP_MAX: usize = 8;

/// Refuses a token without one of `scopes`.
pub(crate) fn need_scope(token: &Token, scopes: &[&str]) -> Result<(), Error> {
    if scopes.iter().any(|scope| token.has(scope)) {
        return Ok(());
    }
    Err(Error::MissingScope { needed: scopes.join(",").into(), provided: token.granted.clone() })
}

/// Refuses a token that may not do `what` (`read`, `history`) to this kind of conversation.
pub(crate) fn need_kind_scope(token: &Token, kind: Kind, what: &str) -> Result<(), Error> {
    let scope = format!("{}:{what}", kind.scope_family());
    need_scope(token, &[&scope])
}

/// The scopes that let a token change this kind of conversation.
pub(super) fn manage_scopes(token: &Token, kind: Kind, bot: &'static str) -> &'static [&'static str] {
    match (kind, token.kind, bot) {
        (Kind::Private, ..) => &["groups:write", "groups:write.invites"],
        (Kind::Mpim, ..) => &["mpim:write"],
        (Kind::Im, ..) => &["im:write"],
        (_, TokenKind::Bot, "join") => &["channels:join"],
        (_, TokenKind::Bot, _) => &["channels:manage", "channels:write.invites"],
        _ => &["channels:write", "channels:write.invites"],
    }
}

pub(super) fn one(state: &State, channel: &SmolStr, viewer: &SmolStr) -> Result<ConversationBody, Error> {
    let row = state.channels.get(channel).ok_or(Code::ChannelNotFound)?;
    Ok(shapes::conversation(
        state,
        row,
        ChannelView { viewer, occasion: Occasion::Entered, num_members: false, locale: false },
    ))
}

/// One conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct One {
    pub(super) channel: ConversationBody,
}

/// Arguments of `conversations.info`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Info {
    channel: String,
    #[serde(default)]
    include_locale: bool,
    #[serde(default)]
    include_num_members: bool,
}

/// `conversations.info`
pub(crate) fn info(cx: &Read<'_, Slack>, args: Info) -> Result<Typed<One>, Error> {
    let token = cx.caller.token()?;
    let row = cx.state.visible(&args.channel, &token.user).ok_or(Code::ChannelNotFound)?;
    need_kind_scope(token, row.kind, "read")?;
    let view = ChannelView {
        viewer: &token.user,
        occasion: Occasion::Asked,
        num_members: args.include_num_members,
        locale: args.include_locale,
    };
    Ok(Typed::ok(&One { channel: shapes::conversation(cx.state, row, view) }))
}

/// Arguments of `conversations.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct List {
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    exclude_archived: bool,
    #[serde(default)]
    types: Vec<String>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// A page of conversations.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    channels: Vec<ConversationBody>,
    response_metadata: PageEnd,
}

pub(super) fn read_types(names: &[String]) -> Result<Vec<Kind>, Code> {
    if names.is_empty() {
        return Ok(vec![Kind::Public]);
    }
    let read = |name: &String| Kind::ALL.into_iter().find(|kind| kind.type_name() == name).ok_or(Code::InvalidTypes);
    let mut kinds = names.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

/// The conversations of a kind that a user can see, from one on, in the order of their ids.
pub(super) fn of_kind<'a>(
    state: &'a State,
    user: &SmolStr,
    kind: Kind,
    from: &SmolStr,
) -> Box<dyn Iterator<Item = &'a SmolStr> + 'a> {
    if kind == Kind::Public {
        return Box::new(state.index.public.range(from.clone()..));
    }
    let first = (user.clone(), kind, from.clone());
    let user = user.clone();
    let rows = state.index.joined.range(first..).take_while(move |row| row.0 == user && row.1 == kind);
    Box::new(rows.map(|row| &row.2))
}

/// `conversations.list`. A page may be short where archived channels were left out, as at Slack: a page costs what
/// its limit says, whatever is passed over.
pub(crate) fn list(cx: &Read<'_, Slack>, args: List) -> Result<Typed<Listed>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    let mut kinds = read_types(&args.types)?;
    for kind in &kinds {
        need_kind_scope(token, *kind, "read")?;
    }
    let size = args.limit.size(100, PAGE_MAX)?;
    let from = paging::read_cursor(args.cursor.as_deref(), "team")?;
    let from = from.map(|id| state.channels.get(&id).ok_or(Code::InvalidCursor)).transpose()?;
    kinds.retain(|kind| from.is_none_or(|from| *kind >= from.kind));
    let from_of = |kind: Kind| from.filter(|from| from.kind == kind).map(|from| from.id.clone()).unwrap_or_default();
    let mut ids = kinds.iter().flat_map(|kind| of_kind(state, &token.user, *kind, &from_of(*kind)));
    // Only channels are counted.
    let view = |row: &Channel| ChannelView {
        viewer: &token.user,
        occasion: Occasion::Listed,
        num_members: row.kind.is_channel(),
        locale: false,
    };
    let rows = ids.by_ref().take(size).filter_map(|id| state.channels.get(id));
    let shown = rows.filter(|row| !(args.exclude_archived && row.archived));
    let channels = shown.map(|row| shapes::conversation(state, row, view(row))).collect();
    let next = ids.next().map(|id| paging::cursor("team", id));
    Ok(Typed::ok(&Listed { channels, response_metadata: PageEnd::new(next) }))
}

/// Arguments of `conversations.members`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Members {
    channel: String,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
}

/// A page of members.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MembersListed {
    members: Vec<SmolStr>,
    response_metadata: PageEnd,
}

/// `conversations.members`
pub(crate) fn members(cx: &Read<'_, Slack>, args: Members) -> Result<Typed<MembersListed>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    let row = state.visible(&args.channel, &token.user).ok_or(Code::ChannelNotFound)?;
    need_kind_scope(token, row.kind, "read")?;
    let size = args.limit.size(100, PAGE_MAX)?;
    let from = paging::read_cursor(args.cursor.as_deref(), "user")?;
    if from.as_ref().is_some_and(|id| !id.starts_with('U')) {
        return Err(Code::InvalidCursor.into());
    }
    let first = (row.id.clone(), from.unwrap_or_default());
    let keys = state.memberships.range((Bound::Included(first), Bound::Unbounded)).map(|(key, _)| key);
    let mut ids = keys.take_while(|key| key.0 == row.id).map(|key| &key.1);
    let members = ids.by_ref().take(size).cloned().collect();
    let next = ids.next().map(|id| paging::cursor("user", id));
    Ok(Typed::ok(&MembersListed { members, response_metadata: PageEnd::new(next) }))
}

/// Arguments of `conversations.create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    #[serde(default)]
    name: String,
    #[serde(default)]
    is_private: bool,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `conversations.create`
pub(crate) fn create(cx: &mut Write<'_, '_, Slack>, args: Create) -> Result<Typed<One>, Error> {
    let token = cx.caller.token()?;
    let kind = if args.is_private { Kind::Private } else { Kind::Public };
    let scopes = if kind == Kind::Private { &["groups:write"] } else { &manage_scopes(token, kind, "create")[..1] };
    need_scope(token, scopes)?;
    refuse_guest(cx.state, token)?;
    if !cx.state.may(&token.user, |row| row.creates_channels) && token.kind != TokenKind::Bot {
        return Err(Code::RestrictedAction.into());
    }
    let channel = channels::create(cx.state, cx.tx, &token.user, args.name.trim(), kind)?;
    Ok(Typed::ok(&One { channel: one(cx.state, &channel, &token.user)? }))
}

/// Guests neither make channels nor join or invite by themselves.
pub(super) fn refuse_guest(state: &State, token: &Token) -> Result<(), Code> {
    match state.users.get(&token.user) {
        Some(user) if user.role == Role::Guest => Err(Code::UserIsRestricted),
        _ => Ok(()),
    }
}

/// Of guests of one channel some methods say so.
pub(super) fn refuse_narrow_guest(state: &State, token: &Token) -> Result<(), Code> {
    let is_narrow = |user: &Arc<User>| user.role == Role::Guest && user.account.single_channel;
    if state.users.get(&token.user).is_some_and(is_narrow) { Err(Code::UserIsUltraRestricted) } else { Ok(()) }
}

/// Arguments of `conversations.join`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Join {
    channel: String,
}

/// The channel joined, with a warning where the caller was in it before.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Joined {
    channel: ConversationBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_metadata: Option<Warnings>,
}

/// Warnings as a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Warnings {
    pub(crate) warnings: [&'static str; 1],
}

/// `conversations.join`
pub(crate) fn join(cx: &mut Write<'_, '_, Slack>, args: Join) -> Result<Typed<Joined>, Error> {
    let token = cx.caller.token()?;
    let row = cx.state.visible(&args.channel, &token.user).map(Arc::clone).ok_or(Code::ChannelNotFound)?;
    if row.kind != Kind::Public {
        return Err(Code::MethodNotSupportedForChannelType.into());
    }
    need_scope(token, &manage_scopes(token, row.kind, "join")[..1])?;
    if row.archived {
        return Err(Code::IsArchived.into());
    }
    refuse_narrow_guest(cx.state, token)?;
    refuse_guest(cx.state, token)?;
    let was_in = cx.state.is_member(&row.id, &token.user);
    if !was_in {
        restrictions::check_join(cx.state, &row, &token.user, 0)?;
        channels::join(cx.state, cx.tx, &row.id, &token.user, None);
    }
    let warning = was_in.then_some("already_in_channel");
    let response_metadata = warning.map(|warning| Warnings { warnings: [warning] });
    let channel = one(cx.state, &row.id, &token.user)?;
    Ok(Typed::ok(&Joined { channel, warning, response_metadata }))
}

/// Arguments of `conversations.invite`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Invite {
    channel: String,
    #[serde(default)]
    users: Vec<SmolStr>,
    #[serde(default)]
    force: bool,
}

/// The conversation that people were invited to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Invited {
    channel: ConversationBody,
    /// Whom else, had it been possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Value>,
}

/// `conversations.invite`
pub(crate) fn invite(cx: &mut Write<'_, '_, Slack>, args: Invite) -> Result<Typed<Invited>, Error> {
    let token = cx.caller.token()?;
    let row = cx.state.visible(&args.channel, &token.user).map(Arc::clone).ok_or(Code::ChannelNotFound)?;
    if !row.kind.is_channel() {
        return Err(Code::MethodNotSupportedForChannelType.into());
    }
    need_scope(token, manage_scopes(token, row.kind, "invite"))?;
    let refusal = match args.users.len() {
        0 => Some(Code::NoUser),
        n if n > INVITES_MAX => Some(Code::TooManyUsers),
        _ if !cx.state.is_member(&row.id, &token.user) => Some(Code::NotInChannel),
        _ if row.archived => Some(Code::IsArchived),
        _ => refuse_narrow_guest(cx.state, token).and_then(|()| refuse_guest(cx.state, token)).err(),
    };
    if let Some(code) = refusal {
        return Err(code.into());
    }
    let mut coming = 0;
    let checked = args.users.iter().map(|user| {
        let result = check_invite(cx.state, &row, token, user, coming);
        coming += usize::from(result.is_ok());
        (user, result)
    });
    let (good, bad): (Vec<_>, Vec<_>) = checked.partition(|(_, result)| result.is_ok());
    let failed = |(user, result): (&SmolStr, Result<(), Code>)| result.err().map(|code| (user.clone(), code));
    let failed: Vec<(SmolStr, Code)> = bad.into_iter().filter_map(failed).collect();
    // All or none, unless forced.
    if good.is_empty() || !(failed.is_empty() || args.force) {
        return Err(Error::Invites { failed, several: args.users.len() > 1 });
    }
    for (user, _) in good {
        // A user may be named twice.
        if !cx.state.is_member(&row.id, user) {
            channels::join(cx.state, cx.tx, &row.id, user, Some(&token.user));
        }
    }
    let errors = (!failed.is_empty()).then(|| not_invited(&failed));
    Ok(Typed::ok(&Invited { channel: one(cx.state, &row.id, &token.user)?, errors }))
}

/// Whether a user can be invited to a channel, besides `coming` others.
fn check_invite(state: &State, channel: &Channel, token: &Token, user: &SmolStr, coming: usize) -> Result<(), Code> {
    if *user == token.user {
        return Err(Code::CantInviteSelf);
    }
    match state.users.get(user) {
        None => Err(Code::UserNotFound),
        Some(user) if user.deleted => Err(Code::CantInvite),
        Some(user) if state.is_member(&channel.id, &user.id) => Err(Code::AlreadyInChannel),
        Some(user) => restrictions::check_join(state, channel, &user.id, coming),
    }
}

/// Arguments of `conversations.open`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Open {
    channel: Option<String>,
    #[serde(default)]
    users: Vec<SmolStr>,
    #[serde(default)]
    return_im: bool,
    #[serde(default)]
    prevent_creation: bool,
}

/// A conversation by its id, or all of it.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum Opening {
    /// The id alone.
    Id {
        /// The conversation's id.
        id: SmolStr,
    },
    /// All.
    Whole(ConversationBody),
}

impl Serialize for Opening {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        match self {
            Self::Whole(body) => body.serialize(serializer),
            Self::Id { id } => {
                let mut body = serializer.serialize_struct("Id", 1)?;
                body.serialize_field("id", id)?;
                body.end()
            }
        }
    }
}

/// The conversation opened.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Opened {
    #[serde(skip_serializing_if = "Option::is_none")]
    no_op: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    already_open: Option<bool>,
    channel: Opening,
}

/// `conversations.open`
pub(crate) fn open(cx: &mut Write<'_, '_, Slack>, args: Open) -> Result<Typed<Opened>, Error> {
    let token = cx.caller.token()?;
    let (id, was_open) = if let Some(channel) = args.channel.as_deref().filter(|channel| !channel.is_empty()) {
        (resume(cx.state, token, channel)?, true)
    } else {
        let talkers = read_talkers(cx.state, token, &args.users)?;
        let kind = if talkers.len() > 2 { Kind::Mpim } else { Kind::Im };
        need_scope(token, manage_scopes(token, kind, "open"))?;
        match channels::find_direct(cx.state, &talkers) {
            Some(channel) => (channel, true),
            None if args.prevent_creation => return Err(Code::ChannelNotFound.into()),
            None if restrictions::is_barred(cx.state, &talkers) => return Err(Code::UserNotVisible.into()),
            None => (channels::open_direct(cx.state, cx.tx, &talkers), false),
        }
    };
    // One that the caller has closed is opened again.
    let row = cx.state.channels.get(&id).map(Arc::clone).ok_or(Code::ChannelNotFound)?;
    let was_closed = upkeep::reopen(cx.state, cx.tx, &row, &token.user);
    let whole = args.return_im.then(|| one(cx.state, &id, &token.user)).transpose()?;
    let flag = (was_open && !was_closed).then_some(true);
    let channel = whole.map_or(Opening::Id { id }, Opening::Whole);
    Ok(Typed::ok(&Opened { no_op: flag, already_open: flag, channel }))
}

fn resume(state: &State, token: &Token, channel: &str) -> Result<SmolStr, Error> {
    let row = state.visible(channel, &token.user).ok_or(Code::ChannelNotFound)?;
    if row.kind.is_channel() {
        return Err(Code::MethodNotSupportedForChannelType.into());
    }
    need_scope(token, manage_scopes(token, row.kind, "open"))?;
    Ok(row.id.clone())
}

/// The caller and those named, each once, in the order given.
fn read_talkers(state: &State, token: &Token, users: &[SmolStr]) -> Result<Vec<SmolStr>, Error> {
    if users.is_empty() {
        return Err(Code::UsersListNotSupplied.into());
    }
    let mut talkers = vec![token.user.clone()];
    for user in users {
        let row = state.users.get(user).ok_or(Code::UserNotFound)?;
        if row.deleted {
            return Err(Code::UserDisabled.into());
        }
        if !state.meets(&token.user, user) {
            return Err(Code::UserNotVisible.into());
        }
        if !talkers.contains(user) {
            talkers.push(user.clone());
        }
    }
    check_talkers(state, token, &talkers)?;
    Ok(talkers)
}

fn check_talkers(state: &State, token: &Token, talkers: &[SmolStr]) -> Result<(), Code> {
    let is_bot = |user: &SmolStr| user == SLACKBOT || state.app_of_bot(user).is_some();
    match talkers {
        _ if talkers.len() > GROUP_MAX + 1 => Err(Code::TooManyUsers),
        // A bot has nobody to talk to but others; people may write to themselves.
        [_] if token.kind == TokenKind::Bot => Err(Code::NotEnoughUsers),
        [_, other] if token.kind == TokenKind::Bot && is_bot(other) => Err(Code::CannotDmBot),
        _ => Ok(()),
    }
}

/// Opens the direct message of the caller and one user, for posting to a user's id.
pub(crate) fn direct_to(state: &mut State, tx: &mut Tx<'_>, token: &Token, user: &SmolStr) -> Result<SmolStr, Error> {
    let row = state.users.get(user).ok_or(Code::ChannelNotFound)?;
    if row.deleted {
        return Err(Code::ChannelNotFound.into());
    }
    let mut talkers = vec![token.user.clone()];
    if *user != token.user {
        talkers.push(user.clone());
    }
    check_talkers(state, token, &talkers)?;
    if channels::find_direct(state, &talkers).is_none() && restrictions::is_barred(state, &talkers) {
        return Err(Code::RestrictedAction.into());
    }
    Ok(channels::open_direct(state, tx, &talkers))
}
