//! What the owners of a workspace have settled for everybody: who may do what, how long messages can be changed, who
//! may post where. And what holds while Slack moves the workspace into an organization.

use dtu_kernel::{time::Timestamp, tx::Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    State,
    messages::Message,
    org::{self, Org},
    people::User,
};
use crate::workspace_events;

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
