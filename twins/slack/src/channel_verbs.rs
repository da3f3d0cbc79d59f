//! What people do to channels and to what they have said: rename, describe, archive, remove somebody, delete, read.

use std::sync::Arc;

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Slack,
    affordances::{find_channel, find_message, find_to_write},
    error::Code,
    model::{
        State,
        channels::{self, Channel},
        messages,
        people::{Role, User},
        upkeep::{self, Which},
    },
};

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.delete", "Deletes a message of one's own.", delete),
        Affordance::new("slack.user.edit_channel", "Sets a channel's name, topic or purpose.", edit),
        Affordance::new("slack.user.archive", "Archives a channel, or opens it again.", archive),
        Affordance::new("slack.user.remove", "Takes somebody out of a channel.", remove),
        Affordance::new("slack.user.close_dm", "Closes a direct conversation.", close_dm),
    ]
}

fn refused(code: Code) -> Refusal {
    Refusal::new(format!("Slack refuses: {}", code.as_str()))
}

/// A channel that the person is in and, not being a guest, may change.
fn own(state: &State, user: &User, named: &str) -> Result<Arc<Channel>, Refusal> {
    let channel = find_channel(state, user, named)?;
    match () {
        () if user.role == Role::Guest => Err(Refusal::new("guests change no channels")),
        () if !state.is_member(&channel.id, &user.id) => Err(Refusal::new("not in the channel")),
        () => Ok(channel),
    }
}

/// Arguments of `slack.user.delete`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Delete {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// The message.
    ts: String,
}

fn delete(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Delete) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let ts = find_message(state, &channel, &with.ts)?;
    let is_own = state.message(&channel.id, ts).is_some_and(|row| row.user == user.id);
    if !is_own && !user.is_admin() {
        return Err(Refusal::new("people can delete their own messages only"));
    }
    if state.policy(|row| row.keeps_messages) {
        return Err(Refusal::new("messages are kept for compliance in this workspace"));
    }
    messages::delete(state, tx, &channel.id, ts);
    Ok(json!({ "channel": channel.id, "ts": with.ts }))
}

/// Arguments of `slack.user.edit_channel`. What is absent stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// Name, `#name` or id.
    channel: String,
    /// The new name, with or without `#`.
    name: Option<String>,
    /// The new topic; empty to clear it.
    topic: Option<String>,
    /// The new purpose; empty to clear it.
    purpose: Option<String>,
}

fn edit(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Edit) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = own(state, &user, &with.channel)?;
    if channel.archived {
        return Err(Refusal::new("the channel is archived"));
    }
    for (which, words) in [(Which::Topic, &with.topic), (Which::Purpose, &with.purpose)] {
        if let Some(words) = words {
            upkeep::describe(state, tx, &channel, &user.id, (which, words)).map_err(refused)?;
        }
    }
    if let Some(name) = &with.name {
        if !upkeep::may_rename(state, &channel, &user.id) {
            return Err(Refusal::new("who made the channel and administrators rename it"));
        }
        upkeep::rename(state, tx, &channel, &user.id, name.trim_start_matches('#')).map_err(refused)?;
    }
    Ok(json!({ "channel": channel.id }))
}

/// Arguments of `slack.user.archive`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Archive {
    /// Name, `#name` or id.
    channel: String,
    /// Whether to open it again.
    #[serde(default)]
    undo: bool,
}

fn archive(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Archive) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel =
        if with.undo { find_channel(state, &user, &with.channel)? } else { own(state, &user, &with.channel)? };
    if user.role == Role::Guest {
        return Err(Refusal::new("guests change no channels"));
    }
    let change = if with.undo { upkeep::unarchive } else { upkeep::archive };
    change(state, tx, &channel, &user.id).map_err(refused)?;
    Ok(json!({ "channel": channel.id }))
}

/// Arguments of `slack.user.remove`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Remove {
    /// Name, `#name` or id.
    channel: String,
    /// Key, mail address or user name; an app by its key.
    user: String,
}

fn remove(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Remove) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = own(state, &user, &with.channel)?;
    let bot = state.find_app(&with.user).map(|app| app.bot_user.clone());
    let other = bot.or_else(|| state.find_user(&with.user).map(|user| user.id.clone()));
    let other = other.filter(|other| state.is_member(&channel.id, other) && *other != user.id);
    let other = other.ok_or_else(|| Refusal::new(format!("`{}` is not another one in the channel", with.user)))?;
    if channel.archived || channel.general {
        return Err(Refusal::new("nobody can be taken out of the channel"));
    }
    channels::leave(state, tx, &channel.id, &other);
    Ok(json!({ "channel": channel.id, "user": other }))
}

/// Arguments of `slack.user.close_dm`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CloseDm {
    /// `@somebody`, an app's key, or the conversation's id.
    channel: String,
}

fn close_dm(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: CloseDm) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    if channel.kind.is_channel() {
        return Err(Refusal::new("channels are left, not closed"));
    }
    upkeep::close(state, tx, &channel, &user.id);
    Ok(json!({ "channel": channel.id }))
}
