//! What apps hear of changes to conversations, and of messages' metadata. See also [`crate::events`].

use dtu_kernel::tx::Tx;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    events::send,
    listeners::{listeners, listeners_in},
    model::{
        State,
        channels::{Channel, Kind},
        messages::Message,
        schedule::stamp,
        time::ts_text,
    },
};

/// A channel was archived, or opened again. Of public ones all apps hear that may, of others those in it.
pub(crate) fn archived(state: &State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr, away: bool) {
    let (name, apps) = match (channel.kind, away) {
        (Kind::Public, true) => ("channel_archive", listeners(state, "channel_archive")),
        (Kind::Public, false) => ("channel_unarchive", listeners(state, "channel_unarchive")),
        (_, true) => ("group_archive", listeners_in(state, "group_archive", channel)),
        (_, false) => ("group_unarchive", listeners_in(state, "group_unarchive", channel)),
    };
    let who = if name == "group_unarchive" { "actor_id" } else { "user" };
    let mut event = json!({ "type": name, "channel": channel.id, who: user, "event_ts": stamp(tx.now) });
    if away {
        event["is_moved"] = json!(0);
    }
    send(state, tx, &apps, Some(&channel.id), &event);
}

/// A channel has another name.
pub(crate) fn renamed(state: &State, tx: &mut Tx<'_>, channel: &Channel) {
    let (name, apps) = match channel.kind {
        Kind::Public => ("channel_rename", listeners(state, "channel_rename")),
        _ => ("group_rename", listeners_in(state, "group_rename", channel)),
    };
    let about = json!({
        "id": channel.id,
        "is_channel": channel.kind.is_channel(),
        "is_mpim": channel.kind == Kind::Mpim,
        "name": channel.name,
        "name_normalized": channel.name,
        "created": channel.created,
    });
    let event = json!({ "type": name, "channel": about, "event_ts": stamp(tx.now) });
    send(state, tx, &apps, Some(&channel.id), &event);
}

/// An app's bot is no longer in a channel.
pub(crate) fn left(state: &State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr) {
    let Some(app) = state.app_of_bot(user) else { return };
    let name = if channel.kind == Kind::Public { "channel_left" } else { "group_left" };
    let apps: Vec<_> = listeners(state, name).into_iter().filter(|listener| listener.id == app.id).collect();
    let event = json!({ "type": name, "channel": channel.id, "actor_id": user, "event_ts": stamp(tx.now) });
    send(state, tx, &apps, Some(&channel.id), &event);
}

/// Somebody opened a direct conversation, or closed it.
pub(crate) fn opened(state: &State, tx: &mut Tx<'_>, channel: &Channel, user: &SmolStr, open: bool) {
    let name = match (channel.kind, open) {
        (Kind::Im, true) => "im_open",
        (Kind::Im, false) => "im_close",
        (_, true) => "group_open",
        (_, false) => "group_close",
    };
    let apps = listeners_in(state, name, channel);
    let event = json!({ "type": name, "user": user, "channel": channel.id, "event_ts": stamp(tx.now) });
    send(state, tx, &apps, Some(&channel.id), &event);
}

/// A direct message was begun.
pub(crate) fn im_created(state: &State, tx: &mut Tx<'_>, channel: &Channel) {
    let apps = listeners_in(state, "im_created", channel);
    let about = json!({ "id": channel.id, "created": channel.created, "is_im": true });
    let event = json!({ "type": "im_created", "user": channel.creator, "channel": about, "event_ts": stamp(tx.now) });
    send(state, tx, &apps, Some(&channel.id), &event);
}

/// A message came with metadata, changed them, or went with them. The apps in the channel hear of it.
pub(crate) fn metadata(
    state: &State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    (before, after): (Option<&Message>, Option<&Message>),
) {
    let of = |message: Option<&Message>| message?.extra.as_ref()?.metadata.clone();
    let (old, new) = (of(before), of(after));
    let name = match (&old, &new) {
        (None, None) => return,
        (Some(old), Some(new)) if old == new => return,
        (None, Some(_)) => "message_metadata_posted",
        (Some(_), Some(_)) => "message_metadata_updated",
        (Some(_), None) => "message_metadata_deleted",
    };
    let (Some(row), Some(message)) = (state.channels.get(channel), after.or(before)) else { return };
    if state.is_suspended(channel) {
        return;
    }
    let apps = listeners_in(state, name, row);
    if apps.is_empty() {
        return;
    }
    let bot = message.app.as_ref().and_then(|id| state.apps.get(id)).map(|app| app.bot.clone());
    let mut event = json!({
        "type": name,
        "app_id": message.app,
        "bot_id": bot,
        "user_id": message.user,
        "team_id": state.workspace.id,
        "channel_id": channel,
        "message_ts": ts_text(message.ts),
        "event_ts": stamp(tx.now),
    });
    put(&mut event, "metadata", new.as_deref());
    put(&mut event, "previous_metadata", old.as_deref());
    if name == "message_metadata_deleted" {
        event["deleted_ts"] = json!(ts_text(message.ts));
    }
    send(state, tx, &apps, Some(channel), &event);
}

fn put(event: &mut Value, name: &str, value: Option<&Value>) {
    if let Some(value) = value {
        event[name] = value.clone();
    }
}
