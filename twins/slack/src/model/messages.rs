//! Messages, threads, and what one person alone is shown.

use std::sync::Arc;

use dtu_kernel::tx::Tx;
use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    State, assistant, calls, files,
    marks::{self, Reaction},
    search, time, unfurls,
};
use crate::{announce, channel_events, events};

/// The longest text of a message, in characters; what is over is cut.
pub(crate) const TEXT_MAX: usize = 40_000;
/// The longest text that an update takes.
pub(crate) const UPDATE_TEXT_MAX: usize = 4_000;
/// How many participants of a thread are named.
const REPLY_USERS_SHOWN: usize = 5;

/// What a message is besides an ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subtype {
    /// Somebody has come in.
    ChannelJoin,
    /// Somebody has gone.
    ChannelLeave,
    /// The channel was archived.
    ChannelArchive,
    /// The channel was opened again.
    ChannelUnarchive,
    /// The channel has another name.
    ChannelName,
    /// The channel has another topic.
    ChannelTopic,
    /// The channel has another purpose.
    ChannelPurpose,
    /// Not all may post in the channel any more, or all may again.
    ChannelPostingPermissions,
    /// Posted by an app under another name.
    BotMessage,
    /// What somebody does (`/me`).
    MeMessage,
    /// Somebody has pinned a message.
    PinnedItem,
    /// Shows files.
    FileShare,
    /// Begins the thread of a huddle.
    HuddleThread,
    /// Begins a thread with an assistant.
    AssistantAppThread,
    /// What is left of a deleted message with a thread.
    Tombstone,
}

impl Subtype {
    /// The name in `subtype` members.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChannelJoin => "channel_join",
            Self::ChannelLeave => "channel_leave",
            Self::ChannelArchive => "channel_archive",
            Self::ChannelUnarchive => "channel_unarchive",
            Self::ChannelName => "channel_name",
            Self::ChannelTopic => "channel_topic",
            Self::ChannelPurpose => "channel_purpose",
            Self::ChannelPostingPermissions => "channel_posting_permissions",
            Self::BotMessage => "bot_message",
            Self::MeMessage => "me_message",
            Self::PinnedItem => "pinned_item",
            Self::FileShare => "file_share",
            Self::HuddleThread => "huddle_thread",
            Self::AssistantAppThread => "assistant_app_thread",
            Self::Tombstone => "tombstone",
        }
    }
}

/// What a message says of a change to its channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The name, old and new.
    Name {
        /// Before.
        old: SmolStr,
        /// Since.
        new: SmolStr,
    },
    /// The topic.
    Topic(SmolStr),
    /// The purpose.
    Purpose(SmolStr),
    /// What a thread with an assistant is called.
    Assistant(SmolStr),
}

/// Who edited a message, and when.
#[derive(Clone, Debug, Serialize)]
pub struct Edited {
    /// The user, or the bot's id.
    pub user: SmolStr,
    /// When, as a message timestamp of a whole second.
    pub ts: u64,
}

/// What only few messages have; boxed, so that the others stay small.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Extra {
    /// What it is besides an ordinary message.
    pub subtype: Option<Subtype>,
    /// The blocks that an app gave.
    pub blocks: Option<Arc<Value>>,
    /// The attachments that an app gave.
    pub attachments: Option<Arc<Value>>,
    /// The metadata that an app gave.
    pub metadata: Option<Arc<Value>>,
    /// The name that an app posts under.
    pub username: Option<SmolStr>,
    /// The emoji that an app posts under.
    pub icon_emoji: Option<SmolStr>,
    /// The picture that an app posts under.
    pub icon_url: Option<SmolStr>,
    /// The files that it shows.
    pub files: Option<Arc<[SmolStr]>>,
    /// What it says of a change to its channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<Box<About>>,
    /// Who let somebody in.
    pub inviter: Option<SmolStr>,
    /// Who edited it last.
    pub edited: Option<Edited>,
    /// The emoji that people put on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Whether a reply is shown in the channel as well.
    pub broadcast: bool,
    /// Whether the text's markup is not to be read.
    pub plain: bool,
}

impl Extra {
    const fn is_empty(&self) -> bool {
        let given = self.blocks.is_some() || self.attachments.is_some() || self.metadata.is_some();
        let given = given || self.files.is_some() || self.about.is_some();
        let styled = self.username.is_some() || self.icon_emoji.is_some() || self.icon_url.is_some() || self.plain;
        let told = self.subtype.is_some() || self.inviter.is_some() || self.edited.is_some() || self.broadcast;
        !(given || styled || told) && self.reactions.is_empty()
    }
}

/// What a thread's first message knows of its replies.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Thread {
    /// How many there are.
    pub count: u32,
    /// Who wrote them, in the order of their first.
    pub users: Vec<SmolStr>,
    /// The newest.
    pub latest: u64,
}

impl Thread {
    fn add(&mut self, reply: &Message) {
        self.count += 1;
        self.latest = reply.ts.max(self.latest);
        if !self.users.contains(&reply.user) {
            self.users.push(reply.user.clone());
        }
    }

    /// The participants that messages name.
    pub fn shown_users(&self) -> Vec<SmolStr> {
        self.users.iter().take(REPLY_USERS_SHOWN).cloned().collect()
    }
}

/// A message.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Its timestamp, which is its id within the channel.
    pub ts: u64,
    /// Who wrote it: for an app's, its bot user.
    pub user: SmolStr,
    /// The app through which it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<SmolStr>,
    /// The text as stored.
    pub text: Arc<str>,
    /// The thread that it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The thread that it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<Box<Thread>>,
    /// What only few messages have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<Box<Extra>>,
}

impl Message {
    /// What it is besides an ordinary message.
    pub fn subtype(&self) -> Option<Subtype> {
        self.extra.as_ref()?.subtype
    }

    /// The blocks that an app gave.
    pub fn blocks(&self) -> Option<&Arc<Value>> {
        self.extra.as_ref()?.blocks.as_ref()
    }

    /// The attachments that an app gave.
    pub fn attachments(&self) -> Option<&Arc<Value>> {
        self.extra.as_ref()?.attachments.as_ref()
    }

    /// The emoji that people put on it.
    pub fn reactions(&self) -> &[Reaction] {
        self.extra.as_ref().map_or(&[], |extra| &extra.reactions)
    }

    /// Whether a reply is shown in the channel as well.
    pub fn is_broadcast(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.broadcast)
    }

    /// Changes what only few messages have.
    pub(crate) fn edit_extra(&mut self, edit: impl FnOnce(&mut Extra)) {
        let mut extra = self.extra.take().map_or_else(Extra::default, |extra| *extra);
        edit(&mut extra);
        self.extra = (!extra.is_empty()).then(|| Box::new(extra));
    }
}

/// A message before it has its timestamp.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) user: SmolStr,
    pub(crate) app: Option<SmolStr>,
    pub(crate) text: Arc<str>,
    pub(crate) reply_to: Option<u64>,
    pub(crate) extra: Extra,
    /// Whether Slack shows what its links lead to.
    pub(crate) unfurl: bool,
}

impl Draft {
    pub(crate) fn new(user: &SmolStr, text: impl Into<Arc<str>>) -> Self {
        Self {
            user: user.clone(),
            app: None,
            text: text.into(),
            reply_to: None,
            extra: Extra::default(),
            unfurl: false,
        }
    }
}

/// What one person alone is shown.
#[derive(Clone, Debug, Serialize)]
pub struct Ephemeral {
    /// Its timestamp.
    pub ts: u64,
    /// Who shows it: an app's bot user, or Slackbot.
    pub from: SmolStr,
    /// The app.
    pub app: Option<SmolStr>,
    /// The text as stored.
    pub text: Arc<str>,
    /// The thread it is shown in.
    pub reply_to: Option<u64>,
    /// The blocks.
    pub blocks: Option<Arc<Value>>,
    /// The attachments.
    pub attachments: Option<Arc<Value>>,
    /// The name that the app shows it under, where it is not its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<SmolStr>,
    /// The picture that goes with the name: an emoji's name, or an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<SmolStr>,
}

/// The next timestamp of a channel: the clock's, or the smallest after the newest.
pub(crate) fn next_ts(state: &mut State, tx: &Tx<'_>, channel: &SmolStr) -> u64 {
    let newest = state.index.newest.get(channel).map_or(0, |newest| newest + 1);
    let ts = time::micros(tx.now).max(newest);
    state.index.newest.insert(channel.clone(), ts);
    ts
}

/// Posts a message now.
pub(crate) fn post(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, draft: Draft) -> u64 {
    let ts = next_ts(state, tx, channel);
    // No thread is younger than what replies to it: what a later message's timestamp will be can be guessed.
    let draft = Draft { reply_to: draft.reply_to.filter(|parent| *parent < ts), ..draft };
    let unfurl = draft.unfurl;
    let message = put_at(state, tx, channel, draft, ts);
    assistant::answered(state, tx, channel, message.app.as_ref(), message.reply_to);
    calls::shown(state, tx, channel, &message);
    events::message_posted(state, tx, channel, &message);
    channel_events::metadata(state, tx, channel, (None, Some(&message)));
    announce::links_shared(state, tx, channel, &message);
    if unfurl {
        unfurls::posted(state, tx, channel, &message);
    }
    ts
}

/// Puts a message at a time, without a word to apps.
pub(crate) fn put_at(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, draft: Draft, ts: u64) -> Arc<Message> {
    // A reply to a reply lands in the thread of the latter.
    let thread_of = |parent: u64| state.index.thread_of.get(&(channel.clone(), parent)).copied().unwrap_or(parent);
    let reply_to = draft.reply_to.map(thread_of);
    let newest = state.index.newest.entry(channel.clone()).or_insert(ts);
    *newest = ts.max(*newest);
    let extra = (!draft.extra.is_empty()).then(|| Box::new(draft.extra));
    let message = Message { ts, user: draft.user, app: draft.app, text: draft.text, reply_to, thread: None, extra };
    let message = match reply_to {
        None => state.messages.put(&mut tx.changes, (channel.clone(), ts), message),
        Some(parent) => put_reply(state, tx, channel, parent, message),
    };
    search::add(state, channel, ts);
    message
}

fn put_reply(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, parent: u64, reply: Message) -> Arc<Message> {
    state.index.thread_of.insert((channel.clone(), reply.ts), parent);
    if reply.is_broadcast() {
        state.messages.put(&mut tx.changes, (channel.clone(), reply.ts), reply.clone());
    }
    // A reply to what is not there leaves an orphan, as at Slack.
    state.messages.update(&mut tx.changes, &(channel.clone(), parent), |first| {
        first.thread.get_or_insert_default().add(&reply);
    });
    state.replies.put(&mut tx.changes, ((channel.clone(), parent), reply.ts), reply)
}

/// Edits a message wherever it is shown; apps hear of it. None where it is not there.
pub(crate) fn edit(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    ts: u64,
    edit: impl Fn(&mut Message),
) -> Option<Arc<Message>> {
    let before = state.message(channel, ts).map(Arc::clone)?;
    let mut after = Message::clone(&before);
    edit(&mut after);
    let (key, shown) = ((channel.clone(), ts), before.reply_to.is_none() || after.is_broadcast());
    if shown {
        state.messages.put(&mut tx.changes, key, after.clone());
    }
    let after = match before.reply_to {
        Some(parent) => state.replies.put(&mut tx.changes, ((channel.clone(), parent), ts), after),
        None => Arc::new(after),
    };
    if after.text != before.text {
        search::add(state, channel, ts);
    }
    events::message_changed(state, tx, channel, &before, &after);
    channel_events::metadata(state, tx, channel, (Some(&before), Some(&after)));
    Some(after)
}

/// Changes what people put on a message, wherever it is shown, without a word to apps.
pub(crate) fn touch(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, ts: u64, edit: impl Fn(&mut Message)) {
    let key = (channel.clone(), ts);
    state.messages.update(&mut tx.changes, &key, &edit);
    if let Some(parent) = state.index.thread_of.get(&key).copied() {
        state.replies.update(&mut tx.changes, &((channel.clone(), parent), ts), &edit);
    }
}

/// Deletes a message. One with a thread leaves a tombstone.
pub(crate) fn delete(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, ts: u64) -> bool {
    let Some(before) = state.message(channel, ts).map(Arc::clone) else { return false };
    marks::forget(state, tx, channel, &before);
    files::unshare(state, tx, channel, &before);
    if before.thread.is_some() {
        let buried = edit(state, tx, channel, ts, |message| {
            message.text = Arc::from("This message was deleted.");
            message.user = super::people::SLACKBOT.into();
            message.app = None;
            message.extra = Some(Box::new(Extra { subtype: Some(Subtype::Tombstone), ..Extra::default() }));
        });
        return buried.is_some();
    }
    state.messages.remove(&mut tx.changes, &(channel.clone(), ts));
    if let Some(parent) = before.reply_to {
        remove_reply(state, tx, channel, parent, ts);
    }
    events::message_deleted(state, tx, channel, &before);
    channel_events::metadata(state, tx, channel, (Some(&before), None));
    true
}

fn remove_reply(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, parent: u64, ts: u64) {
    state.replies.remove(&mut tx.changes, &((channel.clone(), parent), ts));
    state.index.thread_of.remove(&(channel.clone(), ts));
    let first = ((channel.clone(), parent), 0);
    let end = ((channel.clone(), parent), u64::MAX);
    let mut left = Thread::default();
    for (_, reply) in state.replies.range(first..=end) {
        left.add(reply);
    }
    let left = (left.count > 0).then(|| Box::new(left));
    state.messages.update(&mut tx.changes, &(channel.clone(), parent), |message| message.thread = left);
}

/// Shows something to one person alone.
pub(crate) fn whisper(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    to: &SmolStr,
    fill: impl FnOnce(&mut Ephemeral),
) -> u64 {
    let ts = next_ts(state, tx, channel);
    let mut ephemeral = Ephemeral {
        ts,
        from: super::people::SLACKBOT.into(),
        app: None,
        text: Arc::from(""),
        reply_to: None,
        blocks: None,
        attachments: None,
        username: None,
        icon: None,
    };
    fill(&mut ephemeral);
    state.ephemerals.put(&mut tx.changes, ((channel.clone(), to.clone()), ts), ephemeral);
    ts
}

impl State {
    /// A message of a channel, in the timeline or in a thread.
    pub fn message(&self, channel: &SmolStr, ts: u64) -> Option<&Arc<Message>> {
        let key = (channel.clone(), ts);
        match self.index.thread_of.get(&key) {
            Some(parent) => self.replies.get(&((channel.clone(), *parent), ts)),
            None => self.messages.get(&key),
        }
    }

    /// The replies of a thread from `from` on, oldest first.
    pub fn thread(&self, channel: &SmolStr, parent: u64, from: u64) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        let thread = (channel.clone(), parent);
        self.replies.range((thread.clone(), from)..=(thread, u64::MAX)).map(|(_, reply)| reply)
    }

    /// The messages that a channel shows up to a time, that included, oldest first.
    pub fn timeline(&self, channel: &SmolStr, to: u64) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.messages.range((channel.clone(), 0)..=(channel.clone(), to)).map(|(_, message)| message)
    }

    /// What a person alone was shown in a channel, oldest first.
    pub fn whispers(&self, channel: &SmolStr, to: &SmolStr) -> impl DoubleEndedIterator<Item = &Arc<Ephemeral>> {
        let key = (channel.clone(), to.clone());
        self.ephemerals.range((key.clone(), 0)..=(key, u64::MAX)).map(|(_, shown)| shown)
    }
}
