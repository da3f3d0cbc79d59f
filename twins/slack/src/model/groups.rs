//! User groups: people who are mentioned together.

use std::sync::Arc;

use dtu_kernel::tx::Tx;
use serde::Serialize;
use smol_str::SmolStr;

use super::{GROUP, State, restrictions};
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
    /// Whether it comes from an identity provider.
    pub idp: bool,
    /// The workspaces that it is linked to.
    pub teams: Vec<SmolStr>,
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
        for user in &before.users {
            state.index.groups_of.remove(&(user.clone(), before.id.clone()));
        }
    }
    for user in &group.users {
        state.index.groups_of.insert((user.clone(), group.id.clone()));
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

/// Changes the channels that a group's people are in by default.
pub(crate) fn set_channels(
    state: &mut State,
    tx: &mut Tx<'_>,
    (by, id): (&SmolStr, &SmolStr),
    change: impl FnOnce(&mut Vec<SmolStr>),
) {
    // Of a group that is not there nothing can be changed.
    let _ = edit(state, tx, (by, id), |group| change(&mut group.channels));
}

/// Links a group to workspaces.
pub(crate) fn link(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, teams: &[SmolStr]) {
    state.groups.update(&mut tx.changes, id, |group| {
        let new = teams.iter().filter(|team| !group.teams.contains(team)).cloned().collect::<Vec<_>>();
        group.teams.extend(new);
    });
}

/// Puts a group's people into the channels that they are in by default.
pub(crate) fn bring_in(state: &mut State, tx: &mut Tx<'_>, by: &SmolStr, id: &SmolStr) {
    let Some(group) = state.groups.get(id).cloned() else { return };
    for channel in &group.channels {
        let open = state.channels.get(channel).is_some_and(|row| !row.archived);
        for user in group.users.iter().filter(|_| open) {
            let is_here = state.users.get(user).is_some_and(|row| !row.deleted);
            let row = state.channels.get(channel).filter(|_| is_here && !state.is_member(channel, user));
            if row.is_some_and(|row| restrictions::check_join(state, row, user, 0).is_ok()) {
                super::channels::join(state, tx, channel, user, Some(by));
            }
        }
    }
}

/// Makes an empty group of an identity provider. Names are looked at before.
pub(crate) fn create_idp(state: &mut State, tx: &mut Tx<'_>, by: &SmolStr, name: &SmolStr) -> Arc<Group> {
    let now = tx.now.as_secs();
    let group = Group {
        id: tx.id(&GROUP),
        name: name.clone(),
        created_by: by.clone(),
        updated_by: by.clone(),
        created: now,
        updated: now,
        idp: true,
        ..Group::default()
    };
    let group = put(state, tx, group);
    announce::group(state, tx, "subteam_created", &group);
    group
}

/// Gives a group another name. Names are looked at before.
pub(crate) fn rename(state: &mut State, tx: &mut Tx<'_>, (by, id): (&SmolStr, &SmolStr), name: &SmolStr) {
    let same = state.groups.get(id).is_none_or(|group| group.name == *name);
    if !same {
        let _ = edit(state, tx, (by, id), |group| group.name = name.clone());
    }
}

/// Puts these people into a group in place of those before, as an identity provider does: nobody is asked who they are.
pub(crate) fn replace_users(state: &mut State, tx: &mut Tx<'_>, (by, id): (&SmolStr, &SmolStr), users: Vec<SmolStr>) {
    let Some(before) = state.groups.get(id).cloned() else { return };
    let mut seen = std::collections::BTreeSet::new();
    let unique: Vec<SmolStr> = users.into_iter().filter(|user| seen.insert(user.clone())).collect();
    if unique == before.users {
        return;
    }
    if let Ok(after) = edit(state, tx, (by, id), |group| group.users = unique) {
        announce::group_members(state, tx, &before, &after);
    }
}

/// Takes a group away for good. Apps hear that it is disabled.
pub(crate) fn remove(state: &mut State, tx: &mut Tx<'_>, by: &SmolStr, id: &SmolStr) {
    let now = tx.now.as_secs();
    let last = edit(state, tx, (by, id), |group| {
        (group.deleted, group.deleted_by) = (now, Some(by.clone()));
        group.users.clear();
    });
    if let Ok(group) = last {
        state.index.group_by_name.remove(&fold(&group.name));
        state.index.group_by_handle.remove(&fold(&group.handle));
        state.groups.remove(&mut tx.changes, id);
    }
}

impl State {
    /// The groups that somebody is in.
    pub fn groups_of(&self, user: &SmolStr) -> impl Iterator<Item = &Arc<Group>> {
        let from = (user.clone(), SmolStr::default());
        let user = user.clone();
        let rows = self.index.groups_of.range(from..).take_while(move |row| row.0 == user);
        rows.filter_map(|row| self.groups.get(&row.1))
    }
}
