//! User groups: people who are mentioned together.

use std::sync::Arc;

use dtu_kernel::tx::Tx;
use serde::Serialize;
use smol_str::SmolStr;

use super::{GROUP, State};
use crate::{announce, error::Code};

/// The longest name, handle and description, in characters.
const NAME_MAX: usize = 255;

/// A user group.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Group {
    /// The id.
    pub id: SmolStr,
    /// The name.
    pub name: SmolStr,
    /// What it is mentioned by; may be empty.
    pub handle: SmolStr,
    /// What it is for.
    pub description: SmolStr,
    /// The channels that its members are in by default.
    pub channels: Vec<SmolStr>,
    /// Who is in it.
    pub users: Vec<SmolStr>,
    /// Who made it.
    pub created_by: SmolStr,
    /// When, in seconds.
    pub created: i64,
    /// Who changed it last.
    pub updated_by: SmolStr,
    /// When, in seconds.
    pub updated: i64,
    /// Who disabled it.
    pub deleted_by: Option<SmolStr>,
    /// When, in seconds; 0 where it is not disabled.
    pub deleted: i64,
}

/// What a group is to be; what is absent stays.
#[derive(Debug, Default)]
pub(crate) struct GroupChange {
    pub(crate) name: Option<SmolStr>,
    pub(crate) handle: Option<SmolStr>,
    pub(crate) description: Option<SmolStr>,
    pub(crate) channels: Option<Vec<SmolStr>>,
}

impl GroupChange {
    fn check(&self, state: &State, own: &SmolStr) -> Result<(), Code> {
        let texts = [&self.name, &self.handle, &self.description];
        if texts.into_iter().flatten().any(|text| text.chars().count() > NAME_MAX) {
            return Err(Code::NameTooLong);
        }
        let is_others = |id: Option<&SmolStr>| id.is_some_and(|id| id != own);
        if self.name.as_ref().is_some_and(|name| is_others(state.index.group_by_name.get(&fold(name)))) {
            return Err(Code::NameAlreadyExists);
        }
        let taken = |handle: &SmolStr| {
            is_others(state.index.group_by_handle.get(&fold(handle)))
                || state.has_channel_named(handle)
                || state.index.user_by_name.contains_key(handle)
        };
        if self.handle.as_ref().is_some_and(|handle| !handle.is_empty() && taken(handle)) {
            return Err(Code::HandleAlreadyExists);
        }
        let is_channel = |id: &SmolStr| state.channels.get(id).is_some_and(|channel| channel.kind.is_channel());
        if self.channels.iter().flatten().all(is_channel) { Ok(()) } else { Err(Code::ChannelNotFound) }
    }

    fn apply(self, group: &mut Group) {
        group.name = self.name.unwrap_or_else(|| group.name.clone());
        group.handle = self.handle.unwrap_or_else(|| group.handle.clone());
        group.description = self.description.unwrap_or_else(|| group.description.clone());
        group.channels = self.channels.unwrap_or_else(|| group.channels.clone());
    }
}

fn fold(name: &str) -> SmolStr {
    name.to_lowercase().into()
}

/// Writes a group's row and what finds it.
fn put(state: &mut State, tx: &mut Tx<'_>, group: Group) -> Arc<Group> {
    if let Some(before) = state.groups.get(&group.id) {
        state.index.group_by_name.remove(&fold(&before.name));
        state.index.group_by_handle.remove(&fold(&before.handle));
    }
    state.index.group_by_name.insert(fold(&group.name), group.id.clone());
    if !group.handle.is_empty() {
        state.index.group_by_handle.insert(fold(&group.handle), group.id.clone());
    }
    state.groups.put(&mut tx.changes, group.id.clone(), group)
}

/// Makes an empty group.
///
/// # Errors
/// A name or handle that is taken, or a channel that is none.
pub(crate) fn create(
    state: &mut State,
    tx: &mut Tx<'_>,
    by: &SmolStr,
    change: GroupChange,
) -> Result<Arc<Group>, Code> {
    let (id, now) = (tx.id(&GROUP), tx.now.as_secs());
    change.check(state, &id)?;
    let stamped =
        Group { id, created_by: by.clone(), updated_by: by.clone(), created: now, updated: now, ..Group::default() };
    let mut group = stamped;
    change.apply(&mut group);
    let group = put(state, tx, group);
    announce::group(state, tx, "subteam_created", &group);
    Ok(group)
}

fn edit(
    state: &mut State,
    tx: &mut Tx<'_>,
    (by, id): (&SmolStr, &SmolStr),
    edit: impl FnOnce(&mut Group),
) -> Result<Arc<Group>, Code> {
    let mut group = state.groups.get(id).map(|group| Group::clone(group)).ok_or(Code::NoSuchSubteam)?;
    edit(&mut group);
    (group.updated_by, group.updated) = (by.clone(), tx.now.as_secs());
    let group = put(state, tx, group);
    announce::group(state, tx, "subteam_updated", &group);
    Ok(group)
}

/// Changes a group's name, handle, description and channels.
///
/// # Errors
/// As [`create`], or where there is no such group.
pub(crate) fn update(
    state: &mut State,
    tx: &mut Tx<'_>,
    (by, id): (&SmolStr, &SmolStr),
    change: GroupChange,
) -> Result<Arc<Group>, Code> {
    if !state.groups.contains(id) {
        return Err(Code::NoSuchSubteam);
    }
    change.check(state, id)?;
    edit(state, tx, (by, id), |group| change.apply(group))
}

/// Disables a group, or enables it again; its members stay.
///
/// # Errors
/// Where there is no such group.
pub(crate) fn set_enabled(
    state: &mut State,
    tx: &mut Tx<'_>,
    (by, id): (&SmolStr, &SmolStr),
    enabled: bool,
) -> Result<Arc<Group>, Code> {
    let now = tx.now.as_secs();
    edit(state, tx, (by, id), |group| {
        group.deleted = if enabled { 0 } else { now };
        group.deleted_by = (!enabled).then(|| by.clone());
    })
}

/// Puts these people into a group in place of those before.
///
/// # Errors
/// Where there is no such group, nobody is given, or somebody is not a person of the workspace.
pub(crate) fn set_users(
    state: &mut State,
    tx: &mut Tx<'_>,
    (by, id): (&SmolStr, &SmolStr),
    users: &[SmolStr],
) -> Result<Arc<Group>, Code> {
    let before = state.groups.get(id).cloned().ok_or(Code::NoSuchSubteam)?;
    if users.is_empty() {
        return Err(Code::NoUsersProvided);
    }
    let is_member = |id: &SmolStr| state.users.get(id).is_some_and(|user| !user.deleted && user.key.is_some());
    if !users.iter().all(is_member) {
        return Err(Code::InvalidUsers);
    }
    let mut unique: Vec<SmolStr> = Vec::with_capacity(users.len());
    for user in users {
        if !unique.contains(user) {
            unique.push(user.clone());
        }
    }
    let after = edit(state, tx, (by, id), |group| group.users = unique)?;
    announce::group_members(state, tx, &before, &after);
    Ok(after)
}
