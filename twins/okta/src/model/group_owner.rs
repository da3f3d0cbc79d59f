//! Who owns a group: people and groups.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupOwner/.

use std::sync::Arc;

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdSet;
use serde::Serialize;
use smol_str::SmolStr;

use super::{Act, State, group::Group};
use crate::error::Error;

/// What an owner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OwnerKind {
    /// A group.
    Group,
    /// A person.
    User,
}

impl OwnerKind {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Group => "GROUP",
            Self::User => "USER",
        }
    }
}

/// An owner of a group.
#[derive(Clone, Debug, Serialize)]
pub struct Owner {
    /// The person's or group's id.
    pub id: SmolStr,
    /// What it is.
    pub kind: OwnerKind,
    /// Since when.
    pub last_updated: Timestamp,
}

/// All owners.
#[derive(Clone, Debug)]
pub struct Owners {
    /// Group and owner.
    table: Table<(SmolStr, SmolStr), Owner>,
    /// Owner and group.
    by_owner: OrdSet<(SmolStr, SmolStr)>,
}

impl Default for Owners {
    fn default() -> Self {
        Self { table: Table::new("group_owners"), by_owner: OrdSet::new() }
    }
}

impl Owners {
    /// The owners of a group behind an owner's id, by id.
    pub fn of(&self, group: &SmolStr, after: &str) -> impl Iterator<Item = &Arc<Owner>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let (start, group) = ((group.clone(), SmolStr::new(after)), group.clone());
        let rows = self.table.range((Excluded(start), Unbounded));
        rows.take_while(move |((of, _), _)| *of == group).map(|(_, owner)| owner)
    }

    fn remove(&mut self, changes: &mut Changes, group: &SmolStr, owner: &SmolStr) -> bool {
        self.by_owner.remove(&(owner.clone(), group.clone()));
        self.table.remove(changes, &(group.clone(), owner.clone())).is_some()
    }
}

/// What people see of an owner; none where it is gone.
pub fn name(state: &State, owner: &Owner) -> Option<SmolStr> {
    match owner.kind {
        OwnerKind::Group => state.groups.get(&owner.id).map(|group| group.name.clone()),
        OwnerKind::User => state.users.get(&owner.id).map(|user| user.profile.full_name().into()),
    }
}

/// Gives a group an owner.
///
/// # Errors
/// An owner that there is not, or that the group has already.
pub fn assign(act: &mut Act<'_, '_>, group: &Group, kind: OwnerKind, id: &str) -> Result<Arc<Owner>, Error> {
    let owner = Owner { id: id.into(), kind, last_updated: act.now() };
    if name(act.state, &owner).is_none() {
        return Err(Error::not_found(id, if kind == OwnerKind::Group { "UserGroup" } else { "User" }));
    }
    let key = (group.id.clone(), owner.id.clone());
    if act.state.owners.table.contains(&key) {
        return Err(Error::invalid("id", "Provided owner is already assigned to this group"));
    }
    act.state.owners.by_owner.insert((owner.id.clone(), group.id.clone()));
    Ok(act.state.owners.table.put(&mut act.tx.changes, key, owner))
}

/// Takes an owner away.
///
/// # Errors
/// One that the group does not have.
pub fn remove(act: &mut Act<'_, '_>, group: &Group, id: &str) -> Result<(), Error> {
    if act.state.owners.remove(&mut act.tx.changes, &group.id, &id.into()) {
        return Ok(());
    }
    Err(Error::not_found(id, "GroupOwner"))
}

/// A person or group is gone: what it owned, and what owned it.
pub fn drop_all(act: &mut Act<'_, '_>, id: &SmolStr) {
    let owned = act.state.owners.by_owner.range((id.clone(), SmolStr::default())..);
    let owned: Vec<SmolStr> = owned.take_while(|(owner, _)| owner == id).map(|(_, group)| group.clone()).collect();
    let owners: Vec<SmolStr> = act.state.owners.of(id, "").map(|owner| owner.id.clone()).collect();
    for group in &owned {
        act.state.owners.remove(&mut act.tx.changes, group, id);
    }
    for owner in &owners {
        act.state.owners.remove(&mut act.tx.changes, id, owner);
    }
}
