//! The views that grow with a workspace, read row by row.

use std::sync::Arc;

use dtu_kernel::rows::{Column, Index, Rows, Stream};
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    model::{
        State,
        channels::{Channel, Kind},
        messages::{Message, Subtype},
        people::{Role, SLACKBOT, User},
        time::{parse_message_ts, ts_text},
    },
    views::channel_name,
};

/// People and bot users, without Slack's own, by id.
pub(crate) static USERS: Rows<State, User> = Rows {
    columns: &[
        Column::one("id", |_, user| json!(user.id)),
        Column::one("key", |_, user| json!(user.key)),
        Column::one("name", |_, user| json!(user.name)),
        Column::one("real_name", |_, user| json!(user.real_name)),
        Column::one("email", |_, user| json!(user.email)),
        Column::one("title", |_, user| json!(user.title)),
        Column::one("role", |_, user| json!(user.role)),
        Column::one("is_bot", |_, user| json!(user.role == Role::Bot)),
        Column::one("deleted", |_, user| json!(user.deleted)),
    ],
    all: |state| Box::new(state.users.iter().filter(|(id, _)| *id != SLACKBOT).map(|(_, user)| Arc::clone(user))),
    len: |state| state.users.len() - usize::from(state.users.contains(&SLACKBOT.into())),
    indexes: &[
        Index::new("id", |state, id| person(state.users.get(&id))),
        Index::new("email", |state, email| person(state.user_by_email(&email))),
        Index::new("name", |state, name| {
            person(state.index.user_by_name.get(&name).and_then(|id| state.users.get(id)))
        }),
    ],
};

fn person(found: Option<&Arc<User>>) -> Stream<'_, User> {
    Box::new(found.filter(|user| user.id != SLACKBOT).cloned().into_iter())
}

/// Conversations of all kinds, by id.
pub(crate) static CHANNELS: Rows<State, Channel> = Rows {
    columns: &[
        Column::one("id", |_, channel| json!(channel.id)),
        Column::one("name", |state, channel| json!(channel_name(state, channel))),
        Column::one("is_private", |_, channel| json!(channel.kind != Kind::Public)),
        Column::one("is_im", |_, channel| json!(channel.kind == Kind::Im)),
        Column::one("is_mpim", |_, channel| json!(channel.kind == Kind::Mpim)),
        Column::one("is_archived", |_, channel| json!(channel.archived)),
        Column::one("is_general", |_, channel| json!(channel.general)),
        Column::one("topic", |_, channel| json!(channel.topic.value)),
        Column::one("purpose", |_, channel| json!(channel.purpose.value)),
        Column::one("creator", |state, channel| json!(state.label(&channel.creator))),
        Column::many(
            "members",
            |state, channel| members(state, channel).map(|user| json!(state.label(user))).collect(),
            has_member,
            |state, channel| members(state, channel).count(),
        ),
    ],
    all: |state| Box::new(state.channels.iter().map(|(_, channel)| Arc::clone(channel))),
    len: |state| state.channels.len(),
    indexes: &[
        Index::new("id", |state, id| Box::new(state.channels.get(&id).cloned().into_iter())),
        Index::new("name", named),
    ],
};

fn members<'s>(state: &'s State, channel: &Channel) -> impl Iterator<Item = &'s SmolStr> + use<'s> {
    let id = channel.id.clone();
    let rows = state.memberships.range((id.clone(), SmolStr::default())..);
    rows.take_while(move |(key, _)| key.0 == id).map(|(key, _)| &key.1)
}

/// Whether somebody of this label is in a channel.
fn has_member(state: &State, channel: &Channel, label: &str) -> bool {
    let by_name = state.index.user_by_name.get(label).and_then(|id| state.users.get(id));
    let known = [state.user_by_email(label), by_name].into_iter().flatten().filter(|user| user.label() == label);
    // Whoever has no row is called by the id.
    let unknown = SmolStr::new(label);
    let unknown = (!state.users.contains(&unknown)).then_some(unknown);
    let mut ids = known.map(|user| user.id.clone()).chain(unknown);
    ids.any(|id| state.memberships.contains(&(channel.id.clone(), id)))
}

/// The conversations of a name. Names of direct messages are made of who is in them, and in no index.
fn named(state: &State, name: SmolStr) -> Stream<'_, Channel> {
    if name.starts_with("dm:") {
        let direct = state.channels.iter().map(|(_, channel)| channel).filter(|channel| channel.kind == Kind::Im);
        return Box::new(direct.filter(move |channel| channel_name(state, channel) == name).cloned());
    }
    let found = state.index.channel_by_name.get(&name).and_then(|id| state.channels.get(id));
    Box::new(found.cloned().into_iter())
}

/// A message as the view shows it, with where it is.
#[derive(Debug)]
pub(crate) struct Posted {
    channel: Arc<Channel>,
    message: Arc<Message>,
}

/// All messages and replies, by channel and time.
pub(crate) static MESSAGES: Rows<State, Posted> = Rows {
    columns: &[
        Column::one("channel", |state, row| json!(channel_name(state, &row.channel))),
        Column::one("channel_id", |_, row| json!(row.channel.id)),
        Column::one("ts", |_, row| json!(ts_text(row.message.ts))),
        Column::one("thread_ts", |_, row| json!(thread(&row.message).map(ts_text))),
        Column::one("from", |state, row| json!(state.label(&row.message.user))),
        Column::one("text", |_, row| json!(row.message.text)),
        Column::one("blocks", |_, row| json!(row.message.blocks())),
        Column::one("attachments", |_, row| json!(row.message.attachments())),
        Column::one("metadata", |_, row| json!(row.message.extra.as_deref().and_then(|extra| extra.metadata.as_ref()))),
        Column::one("username", |_, row| json!(row.message.extra.as_deref().and_then(|extra| extra.username.as_ref()))),
        Column::one("edited", |_, row| json!(row.message.extra.as_deref().is_some_and(|extra| extra.edited.is_some()))),
        Column::one("subtype", |_, row| subtype(&row.message)),
        Column::one("reply_count", |_, row| json!(row.message.thread.as_ref().map_or(0, |thread| thread.count))),
    ],
    all: |state| Box::new(state.channels.iter().flat_map(|(_, channel)| posted(state, channel))),
    len: |state| {
        state.channels.iter().map(|(_, channel)| own(state, channel).count() + replies(state, channel).count()).sum()
    },
    indexes: &[
        Index::new("ts", at),
        Index::new("channel_id", |state, id| {
            Box::new(state.channels.get(&id).into_iter().flat_map(|channel| posted(state, channel)))
        }),
        Index::new("channel", |state, name| Box::new(named(state, name).flat_map(|channel| posted(state, &channel)))),
    ],
};

fn thread(message: &Message) -> Option<u64> {
    message.reply_to.or(message.thread.as_ref().map(|_| message.ts))
}

fn subtype(message: &Message) -> Value {
    if message.is_broadcast() { json!("thread_broadcast") } else { json!(message.subtype().map(Subtype::as_str)) }
}

/// What stands in a channel itself. A reply that is shown there too counts as a reply.
fn own<'s>(state: &'s State, channel: &Channel) -> impl Iterator<Item = &'s Arc<Message>> + use<'s> {
    let rows = state.messages.range((channel.id.clone(), 0)..=(channel.id.clone(), u64::MAX));
    rows.map(|(_, message)| message).filter(|message| message.reply_to.is_none())
}

fn replies<'s>(state: &'s State, channel: &Channel) -> impl Iterator<Item = &'s Arc<Message>> + use<'s> {
    let id = channel.id.clone();
    let rows = state.replies.range(((id.clone(), 0), 0)..).take_while(move |(key, _)| key.0.0 == id);
    rows.map(|(_, reply)| reply)
}

/// A channel's messages and replies by time. Replies lie by thread, so that theirs are put in order first.
fn posted<'s>(state: &'s State, channel: &Arc<Channel>) -> impl Iterator<Item = Arc<Posted>> + use<'s> {
    let mut replies: Vec<&Arc<Message>> = replies(state, channel).collect();
    replies.sort_by_key(|reply| reply.ts);
    let (mut own, mut replies) = (own(state, channel).peekable(), replies.into_iter().peekable());
    let next = move || match (own.peek(), replies.peek()) {
        (Some(message), Some(reply)) if reply.ts < message.ts => replies.next(),
        (Some(_), _) => own.next(),
        (None, _) => replies.next(),
    };
    let channel = Arc::clone(channel);
    std::iter::from_fn(next).map(move |message| row(&channel, message))
}

fn row(channel: &Arc<Channel>, message: &Arc<Message>) -> Arc<Posted> {
    Arc::new(Posted { channel: Arc::clone(channel), message: Arc::clone(message) })
}

/// Messages of a time: each channel has one at most.
fn at<'s>(state: &'s State, ts: SmolStr) -> Stream<'s, Posted> {
    let Some(ts) = parse_message_ts(&ts) else { return Box::new(std::iter::empty()) };
    let found = move |channel: &'s Arc<Channel>| Some(row(channel, state.message(&channel.id, ts)?));
    Box::new(state.channels.iter().filter_map(move |(_, channel)| found(channel)))
}
