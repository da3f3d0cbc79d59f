//! What happens to conversations once they are there: they are archived, renamed, described, closed and read.
//!
//! Private channels made since 2021 are told of by the same messages as public ones.

use std::sync::Arc;

use dtu_kernel::tx::Tx;
use smol_str::SmolStr;

use super::{
    State,
    channels::{self, Channel, Kind, Note},
    messages::{self, About, Draft, Extra, Message, Subtype},
};
use crate::{channel_events, error::Code};

/// The longest topic or purpose, in characters.
const NOTE_MAX: usize = 250;
/// How far back unread messages are counted.
const UNREAD_MAX: usize = 1_000;

/// Shows in a channel what was done to it.
fn show(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    user: &SmolStr,
    subtype: Subtype,
    what: (String, Option<About>),
) {
    let (text, about) = what;
    let extra = Extra { subtype: Some(subtype), about: about.map(Box::new), ..Extra::default() };
    messages::post(state, tx, channel, Draft { extra, ..Draft::new(user, text) });
}

/// Shows in a channel that somebody has set who may post in it.
pub(crate) fn show_permissions(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, user: &SmolStr) {
    let text = "changed channel posting permissions.".to_owned();
    show(state, tx, channel, user, Subtype::ChannelPostingPermissions, (text, None));
}

/// Archives a channel. Bots are put out of it, as Slack does: they neither read nor open it again.
/// <https://github.com/elastic/connectors/issues/1972>
///
/// # Errors
/// Where it is archived already or the one that everyone is in.
pub(crate) fn archive(state: &mut State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr) -> Result<(), Code> {
    match channel {
        _ if channel.archived => return Err(Code::AlreadyArchived),
        _ if channel.general => return Err(Code::CantArchiveGeneral),
        _ => {}
    }
    show(state, tx, &channel.id, user, Subtype::ChannelArchive, (format!("<@{user}> archived the channel"), None));
    channel_events::archived(state, tx, channel, user, true);
    let now = tx.now.as_millis();
    state.channels.update(&mut tx.changes, &channel.id, |row| (row.archived, row.updated) = (true, now));
    let bots: Vec<SmolStr> = state.index.app_by_bot_user.keys().cloned().collect();
    for bot in bots.iter().filter(|bot| state.is_member(&channel.id, bot)).collect::<Vec<_>>() {
        channels::remove_member(state, tx, &channel.id, bot);
    }
    Ok(())
}

/// Opens an archived channel again, with who does it in it.
///
/// # Errors
/// Where it is not archived.
pub(crate) fn unarchive(state: &mut State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr) -> Result<(), Code> {
    if !channel.archived {
        return Err(Code::NotArchived);
    }
    let now = tx.now.as_millis();
    state.channels.update(&mut tx.changes, &channel.id, |row| (row.archived, row.updated) = (false, now));
    let since = tx.now.as_secs();
    channels::add_member(state, tx, &channel.id, user, since);
    show(state, tx, &channel.id, user, Subtype::ChannelUnarchive, (format!("<@{user}> un-archived the channel"), None));
    channel_events::archived(state, tx, channel, user, false);
    Ok(())
}

/// Gives a channel another name.
///
/// # Errors
/// A name that does not fit or is taken.
pub(crate) fn rename(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &Channel,
    user: &SmolStr,
    name: &str,
) -> Result<(), Code> {
    channels::check_name(name)?;
    if channel.name == name {
        return Ok(());
    }
    if state.has_channel_named(name) {
        return Err(Code::NameTaken);
    }
    state.index.channel_by_name.remove(&channel.name);
    state.index.channel_by_name.insert(name.into(), channel.id.clone());
    let (now, old) = (tx.now.as_millis(), channel.name.clone());
    let row = state.channels.update(&mut tx.changes, &channel.id, |row| {
        let mut names: Vec<SmolStr> = vec![old.clone()];
        names.extend(row.previous_names.iter().filter(|before| **before != old && **before != name).cloned());
        (row.name, row.updated, row.previous_names) = (name.into(), now, names.into());
    });
    let words = format!("has renamed the channel from \"{old}\" to \"{name}\"");
    let about = About::Name { old, new: name.into() };
    show(state, tx, &channel.id, user, Subtype::ChannelName, (words, Some(about)));
    if let Some(row) = row {
        channel_events::renamed(state, tx, &row);
    }
    Ok(())
}

/// Which of the two notes of a conversation is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Topic,
    Purpose,
}

/// Sets the topic or the purpose of a conversation. What it was already is no change.
///
/// # Errors
/// Where it is too long.
pub(crate) fn describe(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &Channel,
    user: &SmolStr,
    (which, words): (Which, &str),
) -> Result<(), Code> {
    if words.chars().count() > NOTE_MAX {
        return Err(Code::TooLong);
    }
    let before = if which == Which::Topic { &channel.topic } else { &channel.purpose };
    if before.value == words {
        return Ok(());
    }
    let note = Note { value: words.into(), creator: user.clone(), last_set: tx.now.as_secs() };
    let now = tx.now.as_millis();
    state.channels.update(&mut tx.changes, &channel.id, |row| {
        *(if which == Which::Topic { &mut row.topic } else { &mut row.purpose }) = note;
        row.updated = now;
    });
    let (noun, subtype) = match which {
        Which::Topic => ("topic", Subtype::ChannelTopic),
        Which::Purpose => ("purpose", Subtype::ChannelPurpose),
    };
    let text =
        if words.is_empty() { format!("cleared channel {noun}") } else { format!("set the channel {noun}: {words}") };
    let about = if which == Which::Topic { About::Topic(words.into()) } else { About::Purpose(words.into()) };
    show(state, tx, &channel.id, user, subtype, (text, Some(about)));
    Ok(())
}

/// Closes a direct conversation for who is in it; false where it was closed.
pub(crate) fn close(state: &mut State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr) -> bool {
    set_open(state, tx, channel, user, false)
}

/// Opens a direct conversation again; false where it was open.
pub(crate) fn reopen(state: &mut State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr) -> bool {
    set_open(state, tx, channel, user, true)
}

fn set_open(state: &mut State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr, open: bool) -> bool {
    let key = (channel.id.clone(), user.clone());
    if state.memberships.get(&key).is_none_or(|row| row.closed != open) {
        return false;
    }
    state.memberships.update(&mut tx.changes, &key, |row| row.closed = !open);
    channel_events::opened(state, tx, channel, user, open);
    true
}

/// Sets how far somebody has read a conversation.
pub(crate) fn mark(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, user: &SmolStr, ts: u64) {
    state.memberships.update(&mut tx.changes, &(channel.clone(), user.clone()), |row| row.last_read = ts);
}

impl State {
    /// How far somebody has read a conversation.
    pub fn last_read(&self, channel: &SmolStr, user: &SmolStr) -> u64 {
        self.memberships.get(&(channel.clone(), user.clone())).map_or(0, |row| row.last_read)
    }

    /// Whether a direct conversation is among those that somebody has open.
    pub fn is_open(&self, channel: &SmolStr, user: &SmolStr) -> bool {
        self.memberships.get(&(channel.clone(), user.clone())).is_some_and(|row| !row.closed)
    }

    /// How many messages of others are newer than what somebody has read, as far as anybody counts.
    pub(crate) fn unread(&self, channel: &SmolStr, user: &SmolStr) -> u32 {
        let from = (channel.clone(), self.last_read(channel, user).saturating_add(1));
        let newer = self.messages.range(from..=(channel.clone(), u64::MAX)).take(UNREAD_MAX);
        let by_others = |row: &Arc<Message>| row.user != *user && !matches!(row.subtype(), Some(Subtype::Tombstone));
        u32::try_from(newer.filter(|(_, row)| by_others(row)).count()).unwrap_or(u32::MAX)
    }
}

/// Whether somebody may change what a channel is called: who made it, and administrators.
pub(crate) fn may_rename(state: &State, channel: &Channel, user: &SmolStr) -> bool {
    channel.creator == *user || state.users.get(user).is_some_and(|user| user.is_admin())
}

/// Whether nobody would be left to open a channel to others.
pub(crate) fn is_last(channel: &Channel) -> bool {
    channel.kind == Kind::Private && channel.members <= 1
}
