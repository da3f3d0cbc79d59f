//! What people put on messages and channels: reactions, pins, stars and bookmarks.

use std::cmp::Reverse;

use dtu_kernel::{table::Key, tx::Tx};
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};

use super::{
    BOOKMARK, State,
    messages::{self, Draft, Extra, Message, Subtype},
    restrictions,
    time::micros,
};
use crate::{announce, emoji, error::Code};

/// The most different emoji on a message.
const EMOJI_MAX: usize = 50;
/// The most emoji that one person puts on a message.
const OWN_EMOJI_MAX: usize = 23;
/// The most pins of a channel.
pub(crate) const PINS_MAX: usize = 100;
/// The most bookmarks of a channel.
const BOOKMARKS_MAX: usize = 100;

/// One emoji on a message and who put it there, in order.
#[derive(Clone, Debug, Serialize)]
pub struct Reaction {
    /// The emoji, without colons.
    pub name: SmolStr,
    /// Who put it there.
    pub users: Vec<SmolStr>,
}

/// That a message is pinned to its channel.
#[derive(Clone, Debug, Serialize)]
pub struct Pin {
    /// Who pinned it.
    pub by: SmolStr,
    /// When, in seconds.
    pub created: i64,
}

/// What is starred.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Starred {
    /// A message, by channel and timestamp.
    Message(SmolStr, u64),
    /// A conversation.
    Channel(SmolStr),
    /// A file.
    File(SmolStr),
}

impl Key for Starred {
    fn text(&self) -> SmolStr {
        match self {
            Self::Message(channel, ts) => format_smolstr!("{channel}/{ts}"),
            Self::Channel(id) | Self::File(id) => id.clone(),
        }
    }
}

/// A star of one person.
#[derive(Clone, Debug, Serialize)]
pub struct Star {
    /// What it is on.
    pub on: Starred,
    /// When it was put there, in microseconds.
    pub created: u64,
}

/// A bookmark of a channel.
#[derive(Clone, Debug, Serialize)]
pub struct Bookmark {
    /// The id.
    pub id: SmolStr,
    /// The channel.
    pub channel: SmolStr,
    /// What it is called.
    pub title: SmolStr,
    /// The address.
    pub link: SmolStr,
    /// The emoji in front, with colons.
    pub emoji: Option<SmolStr>,
    /// When it was made, in seconds.
    pub created: i64,
    /// When it was last changed, in seconds; 0 where never.
    pub updated: i64,
    /// Who touched it last.
    pub by: SmolStr,
    /// The app through which it was made.
    pub app: Option<SmolStr>,
}

/// The longest title of a bookmark, in characters.
const BOOKMARK_TITLE_MAX: usize = 256;
/// The longest address of one.
const BOOKMARK_LINK_MAX: usize = 2048;

/// Second names of emoji that people react with, and the first of each, under which Slack keeps it: who adds one may be
/// told of the other (<https://github.com/scrapinghub/slackbot/pull/49>). Other emoji keep the name that they came with.
const FIRST_NAMES: &[(&str, &str)] = &[("thumbsdown", "-1"), ("thumbsup", "+1")];

/// An emoji's name as Slack keeps it, with the skin tone that it came with.
fn kept_name(state: &State, name: &str) -> SmolStr {
    let (base, tone) = name.split_at(name.find("::").unwrap_or(name.len()));
    let first = FIRST_NAMES.iter().find(|(second, _)| *second == base).map_or(base, |(_, first)| first);
    // The workspace's own emoji come first.
    let first = if state.emoji.contains(&base.into()) { base } else { first };
    format_smolstr!("{first}{tone}")
}

/// Whether an emoji is there, of Slack or of the workspace; with or without a skin tone.
pub(crate) fn is_emoji(state: &State, name: &str) -> bool {
    let (base, tone) = name.split_once("::").map_or((name, None), |(base, tone)| (base, Some(tone)));
    let tone_fits = tone.is_none_or(|tone| emoji::tone(tone).is_some());
    tone_fits && (emoji::is_there(base) || state.emoji.contains(&base.into()))
}

/// Puts an emoji on a message.
///
/// # Errors
/// An unknown emoji, one that the person has put there already, or too many.
pub(crate) fn react(
    state: &mut State,
    tx: &mut Tx<'_>,
    user: &SmolStr,
    (channel, ts): (&SmolStr, u64),
    name: &str,
) -> Result<(), Code> {
    let row = state.message(channel, ts).ok_or(Code::MessageNotFound)?;
    if !is_emoji(state, name) {
        return Err(Code::InvalidName);
    }
    let name = &*kept_name(state, name);
    check_reaction(row.reactions(), user, name)?;
    let item_user = row.user.clone();
    messages::touch(state, tx, channel, ts, |message| {
        message.edit_extra(|extra| match extra.reactions.iter_mut().find(|reaction| reaction.name == name) {
            Some(reaction) => reaction.users.push(user.clone()),
            None => extra.reactions.push(Reaction { name: name.into(), users: vec![user.clone()] }),
        });
    });
    state.index.reacted.insert((user.clone(), Reverse(ts), channel.clone()));
    announce::reaction(state, tx, "reaction_added", (channel, ts), (user, name, &item_user));
    Ok(())
}

fn check_reaction(reactions: &[Reaction], user: &SmolStr, name: &str) -> Result<(), Code> {
    let same = reactions.iter().find(|reaction| reaction.name == name);
    let own = reactions.iter().filter(|reaction| reaction.users.contains(user)).count();
    match same {
        Some(reaction) if reaction.users.contains(user) => Err(Code::AlreadyReacted),
        None if reactions.len() >= EMOJI_MAX => Err(Code::TooManyEmoji),
        _ if own >= OWN_EMOJI_MAX => Err(Code::TooManyReactions),
        _ => Ok(()),
    }
}

/// Takes an emoji off a message.
///
/// # Errors
/// Where the person has not put it there.
pub(crate) fn unreact(
    state: &mut State,
    tx: &mut Tx<'_>,
    user: &SmolStr,
    (channel, ts): (&SmolStr, u64),
    name: &str,
) -> Result<(), Code> {
    let row = state.message(channel, ts).ok_or(Code::MessageNotFound)?;
    if !is_emoji(state, name) {
        return Err(Code::InvalidName);
    }
    let name = &*kept_name(state, name);
    let is_own = |reaction: &Reaction| reaction.users.contains(user);
    if !row.reactions().iter().any(|reaction| reaction.name == name && is_own(reaction)) {
        return Err(Code::NoReaction);
    }
    let item_user = row.user.clone();
    messages::touch(state, tx, channel, ts, |message| {
        message.edit_extra(|extra| {
            for reaction in extra.reactions.iter_mut().filter(|reaction| reaction.name == name) {
                reaction.users.retain(|one| one != user);
            }
            extra.reactions.retain(|reaction| !reaction.users.is_empty());
        });
    });
    if !state.message(channel, ts).is_some_and(|row| row.reactions().iter().any(is_own)) {
        state.index.reacted.remove(&(user.clone(), Reverse(ts), channel.clone()));
    }
    announce::reaction(state, tx, "reaction_removed", (channel, ts), (user, name, &item_user));
    Ok(())
}

/// Pins a message: the channel shows who did.
///
/// # Errors
/// Where it is pinned already or cannot be, or the channel has too many pins.
pub(crate) fn pin(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, channel: &SmolStr, ts: u64) -> Result<(), Code> {
    let row = state.message(channel, ts).cloned().ok_or(Code::MessageNotFound)?;
    let is_ordinary =
        matches!(row.subtype(), None | Some(Subtype::BotMessage | Subtype::FileShare | Subtype::MeMessage));
    match () {
        () if !is_ordinary => return Err(Code::NotPinnable),
        () if restrictions::check_pin(state, channel, user).is_err() => return Err(Code::PermissionDenied),
        () if state.pins.contains(&(channel.clone(), ts)) => return Err(Code::AlreadyPinned),
        () if pins(state, channel).count() >= PINS_MAX => return Err(Code::TooManyPins),
        () => {}
    }
    let pin = Pin { by: user.clone(), created: tx.now.as_secs() };
    state.pins.put(&mut tx.changes, (channel.clone(), ts), pin);
    announce::pin(state, tx, "pin_added", (channel, &row), user);
    let extra = Extra { subtype: Some(Subtype::PinnedItem), ..Extra::default() };
    let draft = Draft { extra, ..Draft::new(user, format!("<@{user}> pinned a message to this channel.")) };
    messages::post(state, tx, channel, draft);
    Ok(())
}

/// Takes a pin off.
///
/// # Errors
/// Where there is none.
pub(crate) fn unpin(
    state: &mut State,
    tx: &mut Tx<'_>,
    user: &SmolStr,
    channel: &SmolStr,
    ts: u64,
) -> Result<(), Code> {
    let row = state.message(channel, ts).cloned().ok_or(Code::MessageNotFound)?;
    restrictions::check_pin(state, channel, user)?;
    state.pins.remove(&mut tx.changes, &(channel.clone(), ts)).ok_or(Code::NoPin)?;
    announce::pin(state, tx, "pin_removed", (channel, &row), user);
    Ok(())
}

/// The pins of a channel, by the time of what is pinned.
pub(crate) fn pins<'a>(state: &'a State, channel: &SmolStr) -> impl DoubleEndedIterator<Item = (u64, &'a Pin)> {
    let rows = state.pins.range((channel.clone(), 0)..=(channel.clone(), u64::MAX));
    rows.map(|(key, pin)| (key.1, &**pin))
}

/// Puts a star on something.
///
/// # Errors
/// Where the person has put one there already.
pub(crate) fn star(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, on: Starred) -> Result<(), Code> {
    let key = (user.clone(), on.clone());
    if state.stars.contains(&key) {
        return Err(Code::AlreadyStarred);
    }
    let created = micros(tx.now);
    state.index.starred.insert((user.clone(), Reverse(created), on.clone()));
    state.stars.put(&mut tx.changes, key, Star { on: on.clone(), created });
    announce::star(state, tx, "star_added", user, &on);
    Ok(())
}

/// Takes a star off.
///
/// # Errors
/// Where there is none.
pub(crate) fn unstar(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, on: &Starred) -> Result<(), Code> {
    let star = state.stars.remove(&mut tx.changes, &(user.clone(), on.clone())).ok_or(Code::NotStarred)?;
    state.index.starred.remove(&(user.clone(), Reverse(star.created), on.clone()));
    announce::star(state, tx, "star_removed", user, on);
    Ok(())
}

/// Forgets what was put on a message that is deleted.
pub(crate) fn forget(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, message: &Message) {
    for user in message.reactions().iter().flat_map(|reaction| &reaction.users) {
        state.index.reacted.remove(&(user.clone(), Reverse(message.ts), channel.clone()));
    }
    if !state.pins.is_empty() {
        state.pins.remove(&mut tx.changes, &(channel.clone(), message.ts));
    }
}

/// What a bookmark is to say; what is absent stays.
#[derive(Debug, Default)]
pub(crate) struct BookmarkChange {
    pub(crate) title: Option<SmolStr>,
    pub(crate) link: Option<SmolStr>,
    pub(crate) emoji: Option<SmolStr>,
}

impl BookmarkChange {
    fn check(&self, state: &State) -> Result<(), Code> {
        let is_web = |link: &SmolStr| link.starts_with("https://") || link.starts_with("http://");
        if self.link.as_ref().is_some_and(|link| !is_web(link)) {
            return Err(Code::InvalidLink);
        }
        let is_long = |text: &Option<SmolStr>, most| text.as_ref().is_some_and(|text| text.chars().count() > most);
        if is_long(&self.title, BOOKMARK_TITLE_MAX) || is_long(&self.link, BOOKMARK_LINK_MAX) {
            return Err(Code::InvalidArguments);
        }
        let fits = |emoji: &SmolStr| emoji.is_empty() || is_emoji(state, emoji.trim_matches(':'));
        if self.emoji.as_ref().is_some_and(|emoji| !fits(emoji)) { Err(Code::InvalidEmoji) } else { Ok(()) }
    }
}

/// Adds a bookmark to a channel.
///
/// # Errors
/// An address or emoji that is none, or too many bookmarks.
pub(crate) fn add_bookmark(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    (by, app): (&SmolStr, Option<&SmolStr>),
    change: BookmarkChange,
) -> Result<SmolStr, Code> {
    change.check(state)?;
    if bookmarks(state, channel).count() >= BOOKMARKS_MAX {
        return Err(Code::TooManyBookmarks);
    }
    let id = tx.id(&BOOKMARK);
    let row = Bookmark {
        id: id.clone(),
        channel: channel.clone(),
        title: change.title.unwrap_or_default(),
        link: change.link.ok_or(Code::InvalidLink)?,
        emoji: change.emoji.filter(|emoji| !emoji.is_empty()),
        created: tx.now.as_secs(),
        updated: 0,
        by: by.clone(),
        app: app.cloned(),
    };
    state.bookmarks.put(&mut tx.changes, (channel.clone(), id.clone()), row);
    Ok(id)
}

/// Changes a bookmark.
///
/// # Errors
/// Where it is not there, or an address or emoji is none.
pub(crate) fn edit_bookmark(
    state: &mut State,
    tx: &mut Tx<'_>,
    (channel, id): (&SmolStr, &SmolStr),
    by: &SmolStr,
    change: BookmarkChange,
) -> Result<(), Code> {
    change.check(state)?;
    let now = tx.now.as_secs();
    let row = state.bookmarks.update(&mut tx.changes, &(channel.clone(), id.clone()), |row| {
        (row.updated, row.by) = (now, by.clone());
        row.title = change.title.unwrap_or_else(|| row.title.clone());
        row.link = change.link.unwrap_or_else(|| row.link.clone());
        if let Some(emoji) = change.emoji {
            row.emoji = Some(emoji).filter(|emoji| !emoji.is_empty());
        }
    });
    row.map(|_| ()).ok_or(Code::BookmarkNotFound)
}

/// The bookmarks of a channel, by id.
pub(crate) fn bookmarks<'a>(state: &'a State, channel: &SmolStr) -> impl Iterator<Item = &'a Bookmark> {
    let channel = channel.clone();
    let rows = state.bookmarks.range((channel.clone(), SmolStr::default())..);
    rows.take_while(move |(key, _)| key.0 == channel).map(|(_, row)| &**row)
}

impl State {
    /// Whether a message is pinned to its channel.
    pub fn is_pinned(&self, channel: &SmolStr, ts: u64) -> bool {
        self.pins.contains(&(channel.clone(), ts))
    }
}
