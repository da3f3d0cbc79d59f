//! What the owners of a workspace have settled for everybody: who may do what, how long messages can be changed, who
//! may post where. And what holds while Slack moves the workspace into an organization.

use dtu_kernel::{time::Timestamp, tx::Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    State,
    channels::Channel,
    messages::Message,
    org::{self, Org},
    people::User,
};
use crate::{error::Code, workspace_events};

/// Who may do something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// All full members.
    #[default]
    Everyone,
    /// Administrators and owners.
    Admins,
}

impl Who {
    /// Whether somebody is among them. What is not known to be a person is held to be none.
    fn has(self, user: Option<&User>) -> bool {
        self == Self::Everyone || user.is_some_and(User::is_admin)
    }
}

/// How far Slack has come with moving the workspace into an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has begun: methods work at times only.
    Begun,
    /// Nothing is to be had until it is over.
    Closed,
}

/// The workspace on its way into an organization.
#[derive(Clone, Debug, Serialize)]
pub struct Migration {
    /// How far it is.
    pub phase: Phase,
    /// Where it goes.
    pub org: Org,
}

/// What is settled.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Policies {
    /// How long people can edit what they have written, in minutes; none where for ever.
    pub edit_minutes: Option<u32>,
    /// Whether messages are kept for compliance, so that nobody deletes any.
    pub keeps_messages: bool,
    /// Whether files get no public addresses.
    pub no_public_files: bool,
    /// Who makes channels.
    pub creates_channels: Who,
    /// Who archives them.
    pub archives_channels: Who,
    /// Who takes others out of them.
    pub removes_people: Who,
    /// Who posts in the channel that everyone is in.
    pub posts_in_general: Who,
    /// Who keeps user groups.
    pub keeps_groups: Who,
    /// Whether the workspace is being moved.
    pub migration: Option<Migration>,
}

/// Changes what is settled.
pub(crate) fn settle(state: &mut State, tx: &mut Tx<'_>, edit: impl FnOnce(&mut Policies)) {
    let key = state.workspace.id.clone();
    let mut row = state.policies.get(&key).map(|row| Policies::clone(row)).unwrap_or_default();
    edit(&mut row);
    state.policies.put(&mut tx.changes, key, row);
}

/// Slack begins to move the workspace, and apps hear of it.
pub(crate) fn begin_migration(state: &mut State, tx: &mut Tx<'_>, org: Org) {
    workspace_events::migrates(state, tx, "grid_migration_started", &org.id);
    settle(state, tx, |row| row.migration = Some(Migration { phase: Phase::Begun, org }));
}

/// The workspace is of the organization, and apps hear of it. False where it is not on its way there.
pub(crate) fn finish_migration(state: &mut State, tx: &mut Tx<'_>) -> bool {
    let Some(Migration { org, .. }) = state.policy(|row| row.migration.clone()) else { return false };
    settle(state, tx, |row| row.migration = None);
    let id = org.id.clone();
    let now = tx.now.as_secs();
    org::found(state, tx, org, now);
    workspace_events::migrates(state, tx, "grid_migration_finished", &id);
    true
}

impl State {
    /// Something of what is settled.
    pub(crate) fn policy<T>(&self, of: impl FnOnce(&Policies) -> T) -> T {
        match self.policies.get(&self.workspace.id) {
            Some(row) => of(row),
            None => of(&Policies::default()),
        }
    }

    /// Whether something that is left to some may be done by this user.
    pub(crate) fn may(&self, user: &SmolStr, who: impl FnOnce(&Policies) -> Who) -> bool {
        self.policy(who).has(self.users.get(user).map(AsRef::as_ref))
    }

    /// Whether a message can still be changed by who wrote it.
    pub(crate) fn can_be_edited(&self, message: &Message, now: Timestamp) -> bool {
        let age = now.as_secs().saturating_sub(i64::try_from(message.ts / 1_000_000).unwrap_or(i64::MAX));
        self.policy(|row| row.edit_minutes).is_none_or(|minutes| age < i64::from(minutes) * 60)
    }

    /// Whether administrators have taken everyone's access to what was said in a channel.
    pub(crate) fn is_suspended(&self, channel: &SmolStr) -> bool {
        self.enterprise.rules.get(channel).is_some_and(|rules| rules.suspended)
    }
}

/// What somebody may do in a channel where not all may post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Whether the person may begin threads.
    pub(crate) post: bool,
    /// Whether the person may reply in threads.
    pub(crate) reply: bool,
}

impl Rights {
    /// All that there is.
    const ALL: Self = Self { post: true, reply: true };

    /// What a channel leaves to somebody.
    pub(crate) fn of(state: &State, channel: &SmolStr, user: &SmolStr) -> Self {
        let Some(rules) = state.enterprise.rules.get(channel).filter(|rules| !rules.prefs.is_empty()) else {
            return Self::ALL;
        };
        let may = |name: &str| rules.prefs.get(name).is_none_or(|audience| is_in(state, audience, user));
        Self { post: may("who_can_post"), reply: may("can_thread") }
    }
}

/// Whether somebody is among those whom a preference names: by what the person is, by id, or by a user group.
fn is_in(state: &State, audience: &Value, user: &SmolStr) -> bool {
    let names = |list: &str| audience[list].as_array().into_iter().flatten().filter_map(Value::as_str);
    let row = state.users.get(user);
    let is = |kind: &str| match kind {
        "ra" => true,
        "admin" | "org_admin" => row.is_some_and(|row| row.is_admin()),
        "owner" | "org_owner" => row.is_some_and(|row| row.is_owner()),
        _ => false,
    };
    let in_group = |group: &str| state.index.groups_of.contains(&(user.clone(), group.into()));
    names("type").any(is) || names("user").any(|id| id == user) || names("subteam").any(in_group)
}

/// Whether somebody may post in a channel, at its top or in a thread.
///
/// # Errors
/// What keeps the person from it.
pub(crate) fn check_post(state: &State, channel: &Channel, user: &SmolStr, in_thread: bool) -> Result<(), Code> {
    let rights = Rights::of(state, &channel.id, user);
    let is_kept_out = channel.general && !in_thread && !state.may(user, |row| row.posts_in_general);
    match (rights.post, rights.reply) {
        _ if state.is_suspended(&channel.id) => Err(Code::EkmAccessDenied),
        (false, false) => Err(Code::RestrictedActionReadOnlyChannel),
        (false, true) if !in_thread => Err(Code::RestrictedActionThreadOnlyChannel),
        (true, false) if in_thread => Err(Code::RestrictedActionNonThreadableChannel),
        _ if is_kept_out => Err(Code::RestrictedAction),
        _ => Ok(()),
    }
}

/// Whether somebody may change what is pinned to a channel: who may not post there may not.
///
/// # Errors
/// `permission_denied`.
pub(crate) fn check_pin(state: &State, channel: &SmolStr, user: &SmolStr) -> Result<(), Code> {
    if Rights::of(state, channel, user).post { Ok(()) } else { Err(Code::PermissionDenied) }
}

/// Sets preferences of a channel; the channel shows it where they say who may post.
pub(crate) fn prefer(state: &mut State, tx: &mut Tx<'_>, channel: &Channel, by: &SmolStr, prefs: Map<String, Value>) {
    let tells = prefs.keys().any(|name| matches!(name.as_str(), "who_can_post" | "can_thread"));
    org::set_rules(state, tx, &channel.id, |rules| rules.prefs.extend(prefs));
    if tells {
        super::upkeep::show_permissions(state, tx, &channel.id, by);
    }
}
