//! What only administrators do to channels: make public ones private and the other way round, and delete them.

use std::sync::Arc;

use dtu_kernel::tx::Tx;
use serde_json::json;
use smol_str::SmolStr;

use super::{
    State,
    channels::{self, Channel, Kind},
    schedule::stamp,
};
use crate::{
    events::send,
    listeners::{listeners, listeners_in},
};

/// Makes a channel public, or private. A group message becomes a private channel with `name`.
pub(crate) fn convert(state: &mut State, tx: &mut Tx<'_>, channel: &Channel, kind: Kind, name: Option<&SmolStr>) {
    let (id, before, now) = (&channel.id, channel.kind, tx.now.as_millis());
    let members: Vec<SmolStr> = members(state, id).collect();
    for user in &members {
        state.index.joined.remove(&(user.clone(), before, id.clone()));
        state.index.joined.insert((user.clone(), kind, id.clone()));
    }
    if before == Kind::Mpim {
        state.index.direct.remove(&channels::direct_key(&channel.talkers));
    }
    if let Some(name) = name {
        state.index.channel_by_name.remove(&channel.name);
        state.index.channel_by_name.insert(name.clone(), id.clone());
    }
    if kind == Kind::Public {
        state.index.public.insert(id.clone());
    } else {
        state.index.public.remove(id);
    }
    state.channels.update(&mut tx.changes, id, |row| {
        (row.kind, row.updated) = (kind, now);
        // Whoever talked in it is a member now.
        row.talkers = Arc::from([]);
        row.name = name.cloned().unwrap_or_else(|| row.name.clone());
    });
}

/// Who is in a channel.
pub(crate) fn members<'a>(state: &'a State, channel: &SmolStr) -> impl Iterator<Item = SmolStr> + use<'a> {
    let channel = channel.clone();
    let rows = state.memberships.range((channel.clone(), SmolStr::default())..);
    rows.map(|(key, _)| key).take_while(move |key| key.0 == channel).map(|key| key.1.clone())
}

/// Deletes a channel with all that was said in it. Its name is free again.
pub(crate) fn delete(state: &mut State, tx: &mut Tx<'_>, channel: &Channel, by: &SmolStr) {
    let id = &channel.id;
    announce_deleted(state, tx, channel, by);
    for user in members(state, id).collect::<Vec<_>>() {
        state.memberships.remove(&mut tx.changes, &(id.clone(), user.clone()));
        state.index.joined.remove(&(user, channel.kind, id.clone()));
    }
    let texts: Vec<u64> = state.timeline(id, u64::MAX).map(|row| row.ts).collect();
    for ts in texts {
        let replies: Vec<u64> = state.thread(id, ts, 0).map(|row| row.ts).collect();
        for reply in replies {
            state.replies.remove(&mut tx.changes, &((id.clone(), ts), reply));
            state.index.thread_of.remove(&(id.clone(), reply));
        }
        state.messages.remove(&mut tx.changes, &(id.clone(), ts));
    }
    state.index.public.remove(id);
    state.index.channel_by_name.remove(&channel.name);
    state.enterprise.places.remove(&mut tx.changes, id);
    state.enterprise.rules.remove(&mut tx.changes, id);
    state.channels.remove(&mut tx.changes, id);
}

fn announce_deleted(state: &State, tx: &mut Tx<'_>, channel: &Channel, by: &SmolStr) {
    let (name, apps) = if channel.kind == Kind::Public {
        ("channel_deleted", listeners(state, "channel_deleted"))
    } else {
        ("group_deleted", listeners_in(state, "group_deleted", channel))
    };
    let mut event = json!({ "type": name, "channel": channel.id, "event_ts": stamp(tx.now) });
    event["actor_id"] = json!(by);
    if channel.kind != Kind::Public {
        event["date_deleted"] = json!(tx.now.as_secs());
    }
    send(state, tx, &apps, Some(&channel.id), &event);
}
