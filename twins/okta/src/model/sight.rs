//! What lists show of people, groups and apps to administrators whose roles are narrowed: by the groups and apps that a
//! standard role is for, or by the sets of resources of a custom one.
//!
//! help.okta.com/en-us/content/topics/security/administrators-admin-comparison.htm: rows with a star are of what an
//! administrator is allowed to manage.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::{
    State,
    app::App,
    iam::Resource,
    may::{self, Listed, Who},
    role::{self, Role},
    role_type::RoleType,
};
use crate::search;

/// What somebody sees of the people, groups or apps of an org.
#[derive(Debug)]
pub struct Sight<'a> {
    state: &'a State,
    listed: Listed,
    /// Roles that show apps.
    roles: Vec<&'a Role>,
    /// All of them.
    all: bool,
    /// Those with these ids.
    ids: BTreeSet<SmolStr>,
    /// People in these groups.
    groups: BTreeSet<SmolStr>,
    /// Apps of these definitions.
    names: BTreeSet<SmolStr>,
}

/// The definition of apps that sign in by OIDC.
const OIDC: &str = "oidc_client";

/// What somebody sees.
pub fn sight<'a>(state: &'a State, who: &Who<'_>, listed: Listed) -> Sight<'a> {
    let none = BTreeSet::new;
    let mut sight = Sight { state, listed, roles: Vec::new(), all: false, ids: none(), groups: none(), names: none() };
    for role in may::held(state, who) {
        sight.add(role);
        if sight.all {
            break;
        }
    }
    sight
}

impl<'a> Sight<'a> {
    fn add(&mut self, role: &'a Role) {
        if role.kind == RoleType::Custom {
            self.add_custom(role);
        } else if self.listed.is_seen_by(role.kind) {
            self.add_standard(role);
        }
    }

    fn add_standard(&mut self, role: &'a Role) {
        match self.listed {
            Listed::Apps if role.kind == RoleType::ApiAccessManagementAdmin => {
                self.names.insert(SmolStr::new_static(OIDC));
            }
            Listed::Apps if role.apps.is_empty() => self.all = true,
            Listed::Apps => self.roles.push(role),
            // Whoever administers memberships sees everybody.
            _ if role.groups.is_empty() || role.kind == RoleType::GroupMembershipAdmin => self.all = true,
            Listed::Users => self.groups.extend(role.groups.iter().cloned()),
            Listed::Groups => self.ids.extend(role.groups.iter().cloned()),
        }
    }

    fn add_custom(&mut self, role: &'a Role) {
        let Some(custom) = &role.custom else { return };
        let found = (self.state.iam.role(&custom.role), self.state.iam.set(&custom.set));
        let (Some(custom), Some(set)) = found else { return };
        if custom.permits(self.listed.permissions()) {
            set.resources.iter().for_each(|resource| self.add_resource(resource));
        }
    }

    fn add_resource(&mut self, resource: &Resource) {
        let orn = &resource.orn;
        match (self.listed, orn.kind(), orn.id()) {
            (Listed::Users, "groups", Some(group)) if orn.is_contained() => drop(self.groups.insert(group.clone())),
            (Listed::Groups, "groups", _) if orn.is_contained() => {}
            (Listed::Users, "users", Some(id))
            | (Listed::Groups, "groups", Some(id))
            | (Listed::Apps, "apps", Some(id)) => {
                self.ids.insert(id.clone());
            }
            (Listed::Users, "users", None) | (Listed::Groups, "groups", None) => self.all = true,
            (Listed::Apps, "apps", None) => match orn.app_name() {
                Some(name) => drop(self.names.insert(name.clone())),
                None => self.all = true,
            },
            _ => {}
        }
    }

    /// Whether it sees an app.
    pub fn sees_app(&self, app: &App) -> bool {
        self.all
            || self.ids.contains(&app.id)
            || self.names.contains(&app.name)
            || self.roles.iter().any(|role| role::covers(role, app))
    }
}

/// So many ids are few.
const FEW: u64 = 1_000;

impl search::Sight for Sight<'_> {
    fn sees(&self, id: &SmolStr) -> bool {
        let of_group = |group: &SmolStr| self.state.members.contains(group, id) || *group == self.state.groups.everyone;
        self.all || self.ids.contains(id) || self.groups.iter().any(of_group)
    }

    fn few(&self) -> Option<BTreeSet<SmolStr>> {
        let size: u64 = self.groups.iter().map(|group| self.state.members.size(group)).sum();
        if self.all || size > FEW || self.groups.contains(&self.state.groups.everyone) {
            return None;
        }
        let people = self.groups.iter().flat_map(|group| self.state.members.of_group(group, ""));
        Some(people.chain(&self.ids).cloned().collect())
    }
}
