//! Conversations: channels, direct messages, and who is in them.

use std::sync::Arc;

use dtu_kernel::tx::Tx;
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};

use super::{
    CHANNEL, DIRECT, State,
    audit::{self, Entity},
    messages::{self, Draft, Extra, Subtype},
    people::{Role, User},
};
use crate::{channel_events, error::Code, events};

/// The longest channel name, in characters.
const NAME_MAX: usize = 80;

/// What kind of conversation one is. The order is the one in which lists go through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Open to all members.
    Public,
    /// Seen by its members only.
    Private,
    /// A group of people talking directly.
    Mpim,
    /// Two who talk directly, or one alone.
    Im,
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Self; 4] = [Self::Public, Self::Private, Self::Mpim, Self::Im];

    /// The name in `types` arguments.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Public => "public_channel",
            Self::Private => "private_channel",
            Self::Mpim => "mpim",
            Self::Im => "im",
        }
    }

    /// The first part of the scopes that cover the kind (`channels:read`).
    pub const fn scope_family(self) -> &'static str {
        match self {
            Self::Public => "channels",
            Self::Private => "groups",
            Self::Mpim => "mpim",
            Self::Im => "im",
        }
    }

    /// The name in `channel_type` of events.
    pub const fn event_name(self) -> &'static str {
        match self {
            Self::Public => "channel",
            Self::Private => "group",
            Self::Mpim => "mpim",
            Self::Im => "im",
        }
    }

    /// Whether it is a channel with a name of its own, which people join and leave.
    pub const fn is_channel(self) -> bool {
        matches!(self, Self::Public | Self::Private)
    }
}

/// A topic or purpose: what it says, who set it, when.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Note {
    /// The words.
    pub value: SmolStr,
    /// Who set it.
    pub creator: SmolStr,
    /// When, in seconds.
    pub last_set: i64,
}

/// A conversation.
#[derive(Clone, Debug, Serialize)]
pub struct Channel {
    /// The id.
    pub id: SmolStr,
    /// The name; empty for direct messages.
    pub name: SmolStr,
    /// The kind.
    pub kind: Kind,
    /// Who made it.
    pub creator: SmolStr,
    /// When it was made, in seconds.
    pub created: i64,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether it is the channel that everyone is in.
    pub general: bool,
    /// The topic.
    pub topic: Note,
    /// The purpose.
    pub purpose: Note,
    /// How many are in it.
    pub members: u32,
    /// The two of a direct message, or the group of a group message, in the order given.
    pub talkers: Arc<[SmolStr]>,
    /// When it last changed, in milliseconds.
    pub updated: i64,
    /// What it was called before, the latest first.
    pub previous_names: Arc<[SmolStr]>,
}

/// That a user is in a channel.
#[derive(Clone, Debug, Serialize)]
pub struct Membership {
    /// Since when, in seconds.
    pub since: i64,
    /// The newest message that the user has read; 0 for none.
    pub last_read: u64,
    /// Whether the user has closed it: direct conversations only.
    pub closed: bool,
}

/// What a new channel is made of.
#[derive(Clone, Debug)]
pub(crate) struct NewChannel {
    pub(crate) name: SmolStr,
    pub(crate) kind: Kind,
    pub(crate) creator: SmolStr,
    pub(crate) created: i64,
}

/// Checks a channel name. `docs.slack.dev/reference/methods/conversations.create`, "Naming".
///
/// # Errors
/// The code for what is wrong.
pub(crate) fn check_name(name: &str) -> Result<(), Code> {
    if name.is_empty() {
        return Err(Code::InvalidNameRequired);
    }
    if name.chars().count() > NAME_MAX {
        return Err(Code::InvalidNameMaxlength);
    }
    if name.chars().all(|c| matches!(c, '-' | '_')) || name.chars().all(|c| c.is_ascii_punctuation()) {
        return Err(Code::InvalidNamePunctuation);
    }
    let fits = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '-' | '_');
    if name.chars().all(fits) { Ok(()) } else { Err(Code::InvalidNameSpecials) }
}

/// Adds an empty channel, without a word to anybody.
pub(crate) fn add(state: &mut State, tx: &mut Tx<'_>, new: NewChannel) -> Arc<Channel> {
    let id = tx.id(if new.kind == Kind::Im { &DIRECT } else { &CHANNEL });
    if !new.name.is_empty() {
        state.index.channel_by_name.insert(new.name.clone(), id.clone());
    }
    if new.kind == Kind::Public {
        state.index.public.insert(id.clone());
    }
    let channel = Channel {
        id: id.clone(),
        name: new.name,
        kind: new.kind,
        creator: new.creator,
        created: new.created,
        archived: false,
        general: false,
        topic: Note::default(),
        purpose: Note::default(),
        members: 0,
        talkers: Arc::from([]),
        updated: tx.now.as_millis(),
        previous_names: Arc::from([]),
    };
    state.channels.put(&mut tx.changes, id, channel)
}

/// Makes a channel with its creator in it.
///
/// # Errors
/// A name that does not fit or is taken (archived channels keep theirs).
pub(crate) fn create(
    state: &mut State,
    tx: &mut Tx<'_>,
    creator: &SmolStr,
    name: &str,
    kind: Kind,
) -> Result<SmolStr, Code> {
    check_name(name)?;
    if state.index.channel_by_name.contains_key(name) {
        return Err(Code::NameTaken);
    }
    let new = NewChannel { name: name.into(), kind, creator: creator.clone(), created: tx.now.as_secs() };
    let channel = add(state, tx, new);
    if kind == Kind::Public {
        events::channel_created(state, tx, &channel);
    }
    let action = if kind == Kind::Public { "public_channel_created" } else { "private_channel_created" };
    audit::log(state, tx, creator, action, &Entity::channel(&channel.id));
    join(state, tx, &channel.id, creator, None);
    Ok(channel.id.clone())
}

/// Puts a user into a channel, without a word to anybody.
pub(crate) fn add_member(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, user: &SmolStr, since: i64) {
    let key = (channel.clone(), user.clone());
    if state.memberships.contains(&key) {
        return;
    }
    state.memberships.put(&mut tx.changes, key, Membership { since, last_read: 0, closed: false });
    let row = state.channels.update(&mut tx.changes, channel, |row| row.members += 1);
    if let Some(row) = row {
        state.index.joined.insert((user.clone(), row.kind, channel.clone()));
    }
}

/// Puts a user into a channel: the channel shows it and apps hear of it.
pub(crate) fn join(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, user: &SmolStr, inviter: Option<&SmolStr>) {
    let now = tx.now.as_secs();
    add_member(state, tx, channel, user, now);
    note_move(state, tx, channel, user, ("user_channel_join", "guest_channel_join"));
    let text = format!("<@{user}> has joined the channel");
    let extra = Extra { subtype: Some(Subtype::ChannelJoin), inviter: inviter.cloned(), ..Extra::default() };
    events::member_joined(state, tx, channel, user, inviter);
    messages::post(state, tx, channel, Draft { extra, ..Draft::new(user, text) });
}

/// Writes down that somebody came or went: of guests the log tells apart.
fn note_move(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    user: &SmolStr,
    (one, guest): (&'static str, &'static str),
) {
    let is_guest = state.users.get(user).is_some_and(|user| user.role == Role::Guest);
    audit::log(state, tx, user, if is_guest { guest } else { one }, &Entity::channel(channel));
}

/// Takes a user out of a channel.
pub(crate) fn remove_member(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, user: &SmolStr) {
    if state.memberships.remove(&mut tx.changes, &(channel.clone(), user.clone())).is_none() {
        return;
    }
    let row = state.channels.update(&mut tx.changes, channel, |row| row.members = row.members.saturating_sub(1));
    if let Some(row) = row {
        state.index.joined.remove(&(user.clone(), row.kind, channel.clone()));
        events::member_left(state, tx, &row, user);
        channel_events::left(state, tx, &row, user);
    }
}

/// A person leaves a channel: the channel shows it.
pub(crate) fn leave(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, user: &SmolStr) {
    remove_member(state, tx, channel, user);
    note_move(state, tx, channel, user, ("user_channel_leave", "guest_channel_leave"));
    let text = format!("<@{user}> has left the channel");
    let extra = Extra { subtype: Some(Subtype::ChannelLeave), ..Extra::default() };
    messages::post(state, tx, channel, Draft { extra, ..Draft::new(user, text) });
}

/// The conversations that a user is in.
pub(crate) fn joined_by(state: &State, user: &SmolStr) -> Vec<SmolStr> {
    let from = (user.clone(), Kind::Public, SmolStr::default());
    state.index.joined.range(from..).take_while(|row| row.0 == *user).map(|row| row.2.clone()).collect()
}

/// The direct conversation of `talkers` (caller first), where there is one.
pub(crate) fn find_direct(state: &State, talkers: &[SmolStr]) -> Option<SmolStr> {
    state.index.direct.get(&direct_key(talkers)).cloned()
}

pub(crate) fn direct_key(talkers: &[SmolStr]) -> SmolStr {
    let mut sorted: Vec<&str> = talkers.iter().map(SmolStr::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.join("+").into()
}

/// Opens the direct conversation of `talkers` (caller first), or makes it.
pub(crate) fn open_direct(state: &mut State, tx: &mut Tx<'_>, talkers: &[SmolStr]) -> SmolStr {
    if let Some(channel) = find_direct(state, talkers) {
        return channel;
    }
    let kind = if talkers.len() > 2 { Kind::Mpim } else { Kind::Im };
    let name = if kind == Kind::Mpim { group_name(state, talkers) } else { SmolStr::default() };
    let created = tx.now.as_secs();
    let channel = add(state, tx, NewChannel { name, kind, creator: talkers[0].clone(), created });
    let id = channel.id.clone();
    let note = |value: SmolStr| Note { value, creator: talkers[0].clone(), last_set: created };
    let purpose = (kind == Kind::Mpim).then(|| note(group_purpose(state, talkers)));
    state.channels.update(&mut tx.changes, &id, |row| {
        row.talkers = talkers.into();
        if let Some(purpose) = purpose {
            row.topic = note(SmolStr::new_static("Group messaging"));
            row.purpose = purpose;
        }
    });
    state.index.direct.insert(direct_key(talkers), id.clone());
    for user in talkers {
        add_member(state, tx, &id, user, created);
    }
    if let Some(row) = state.channels.get(&id).filter(|row| row.kind == Kind::Im).map(Arc::clone) {
        channel_events::im_created(state, tx, &row);
    }
    id
}

/// `mpdm-one--two--three-1`, as Slack names group messages.
fn group_name(state: &State, talkers: &[SmolStr]) -> SmolStr {
    format_smolstr!("mpdm-{}-1", names(state, talkers).join("--"))
}

fn group_purpose(state: &State, talkers: &[SmolStr]) -> SmolStr {
    format_smolstr!("Group messaging with: @{}", names(state, talkers).join(" @"))
}

fn names<'a>(state: &'a State, users: &'a [SmolStr]) -> Vec<&'a str> {
    users.iter().map(|id| state.users.get(id).map_or(id.as_str(), |user| user.name.as_str())).collect()
}

impl State {
    /// Whether `user` is in `channel`.
    pub fn is_member(&self, channel: &SmolStr, user: &SmolStr) -> bool {
        self.memberships.contains(&(channel.clone(), user.clone()))
    }

    /// A conversation that `user` can see: public, or one that the user is in.
    pub fn visible(&self, channel: &str, user: &SmolStr) -> Option<&Arc<Channel>> {
        let channel = self.channels.get(&channel.into())?;
        (self.index.public.contains(&channel.id) || self.is_member(&channel.id, user)).then_some(channel)
    }

    /// A conversation that `user` can see, by id, name or `#name`.
    pub fn visible_by_name(&self, named: &str, user: &SmolStr) -> Option<&Arc<Channel>> {
        let by_name = || {
            let id = self.index.channel_by_name.get(named.trim_start_matches('#'))?;
            self.visible(id, user)
        };
        self.visible(named, user).or_else(by_name)
    }

    /// The other one of a direct message, as `user` sees it.
    pub fn partner<'a>(&'a self, channel: &'a Channel, user: &SmolStr) -> Option<&'a Arc<User>> {
        let other = channel.talkers.iter().find(|talker| *talker != user).or(channel.talkers.first())?;
        self.users.get(other)
    }

    /// Whether a channel of this name is there, archived ones included.
    pub fn has_channel_named(&self, name: &str) -> bool {
        self.index.channel_by_name.contains_key(name)
    }
}
