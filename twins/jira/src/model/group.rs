//! Groups, and who is in them.

use dtu_kernel::table::{Changes, Table};
use serde::Serialize;
use smol_str::SmolStr;

/// A group.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Its id: a UUID.
    pub id: SmolStr,
    /// Its name, unique on the site.
    pub name: SmolStr,
}

/// Somebody is in a group.
#[derive(Clone, Debug, Serialize)]
pub struct Membership {
    /// The account's id.
    pub account: SmolStr,
    /// The group's name.
    pub group: SmolStr,
}

/// All groups of a site.
#[derive(Clone, Debug)]
pub struct Groups {
    groups: Table<SmolStr, Group>,
    members: Table<(SmolStr, SmolStr), Membership>,
}

impl Default for Groups {
    fn default() -> Self {
        Self { groups: Table::new("groups"), members: Table::new("memberships") }
    }
}

impl Groups {
    /// Writes a group.
    pub fn put(&mut self, changes: &mut Changes, group: Group) {
        self.groups.put(changes, group.name.clone(), group);
    }

    /// Puts an account into a group.
    pub fn join(&mut self, changes: &mut Changes, group: &SmolStr, account: &SmolStr) {
        let membership = Membership { account: account.clone(), group: group.clone() };
        self.members.put(changes, (account.clone(), group.clone()), membership);
    }

    /// An account's groups by name.
    pub fn of(&self, account: &SmolStr) -> impl Iterator<Item = &Group> {
        let (start, account) = ((account.clone(), SmolStr::default()), account.clone());
        let own = self.members.range(start..).take_while(move |((of, _), _)| *of == account);
        own.filter_map(|((_, group), _)| self.groups.get(group).map(|row| &**row))
    }
}
