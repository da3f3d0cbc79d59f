//! Administrator roles: who holds which, and what it is narrowed to.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/guides/roles/.

use std::{
    collections::BTreeSet,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdSet;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    Act, MEMBER_ID, State,
    app::App,
    client::Client,
    event_type::{
        BINDING_ADD, BINDING_DELETE, CLIENT_GRANT, CLIENT_REVOKE, EventType, GROUP_GRANT, GROUP_REVOKE, USER_GRANT,
        USER_REVOKE,
    },
    group::Group,
    log::Party,
    role_type::RoleType,
    user::{Status, User},
};
use crate::error::Error;

/// What kind of principal holds a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Whom {
    /// A person.
    User,
    /// A group: all its members hold the role.
    Group,
    /// An OAuth client.
    Client,
}

impl Whom {
    /// As `assignmentType` has it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Group => "GROUP",
            Self::Client => "CLIENT",
        }
    }
}

/// Who holds a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// What it is.
    pub kind: Whom,
    /// Its id.
    pub id: SmolStr,
}

impl Holder {
    /// A person.
    pub fn user(user: &User) -> Self {
        Self { kind: Whom::User, id: user.id.clone() }
    }

    /// A group.
    pub fn group(group: &Group) -> Self {
        Self { kind: Whom::Group, id: group.id.clone() }
    }

    /// An OAuth client.
    pub fn client(client: &Client) -> Self {
        Self { kind: Whom::Client, id: client.id.clone() }
    }

    fn party(&self, state: &State) -> Option<Party> {
        match self.kind {
            Whom::User => state.users.get(&self.id).map(|user| Party::user(user)),
            Whom::Group => state.groups.get(&self.id).map(|group| Party::group(group)),
            Whom::Client => state.clients.get(&self.id).map(|client| crate::oauth::log::party(client)),
        }
    }
}

/// A custom role within a set of resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Custom {
    /// The role's id.
    pub role: SmolStr,
    /// The set's id.
    pub set: SmolStr,
}

/// Apps that an app administrator is narrowed to: all of a definition, or one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AppTarget {
    /// The definition's name (`oidc_client`).
    pub name: SmolStr,
    /// The app's id; none where all of the definition are meant.
    pub app: Option<SmolStr>,
}

/// A role in somebody's hands.
#[derive(Clone, Debug, Serialize)]
pub struct Role {
    /// The assignment's id.
    pub id: SmolStr,
    /// Who holds it.
    pub holder: Holder,
    /// What it is.
    pub kind: RoleType,
    /// What it is where it is a custom one.
    pub custom: Option<Custom>,
    /// When it was given.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// The groups that it is narrowed to; all where there are none.
    pub groups: BTreeSet<SmolStr>,
    /// The apps that it is narrowed to; all where there are none.
    pub apps: BTreeSet<AppTarget>,
}

/// All roles in somebody's hands, by holder and id.
#[derive(Clone, Debug)]
pub struct Roles {
    table: Table<(SmolStr, SmolStr), Role>,
    /// Set, role and holder of custom ones.
    bound: OrdSet<(Custom, SmolStr, SmolStr)>,
    /// Groups and apps that roles are narrowed to, with the role's key.
    targets: OrdSet<(SmolStr, SmolStr, SmolStr)>,
}

impl Default for Roles {
    fn default() -> Self {
        Self { table: Table::new("roles"), bound: OrdSet::new(), targets: OrdSet::new() }
    }
}

impl Roles {
    /// A role that somebody holds, by the assignment's id.
    pub fn get(&self, holder: &str, id: &str) -> Option<&Arc<Role>> {
        self.table.get(&(holder.into(), id.into()))
    }

    /// What somebody holds, by the assignments' ids: recorded in that order.
    pub fn of<'a>(&'a self, holder: &str) -> impl Iterator<Item = &'a Arc<Role>> + use<'a> {
        let holder = SmolStr::new(holder);
        let rows = self.table.range((holder.clone(), SmolStr::default())..);
        rows.take_while(move |((of, _), _)| *of == holder).map(|(_, role)| role)
    }

    /// Who holds a custom role within a set, as (assignment's id, holder's id), by the assignments' ids.
    pub fn bound<'a>(&'a self, custom: &Custom) -> impl Iterator<Item = &'a Arc<Role>> + use<'a> {
        let (start, custom) = ((custom.clone(), SmolStr::default(), SmolStr::default()), custom.clone());
        let found = self.bound.range(start..).take_while(move |(of, ..)| *of == custom);
        found.filter_map(|(_, id, holder)| self.table.get(&(holder.clone(), id.clone())))
    }

    /// The ids of people who hold roles themselves, from behind `after`. Orgs have few administrators.
    pub fn people_after(&self, after: &str) -> impl Iterator<Item = &SmolStr> {
        let rows = self.table.range((Excluded((SmolStr::new(after), SmolStr::new("~"))), Unbounded));
        let mut last: Option<&SmolStr> = None;
        let people = rows.filter(|(_, role)| role.holder.kind == Whom::User).map(|((holder, _), _)| holder);
        people.filter(move |holder| last.replace(*holder) != Some(*holder))
    }

    fn put(&mut self, changes: &mut Changes, role: Role) -> Arc<Role> {
        let key = (role.holder.id.clone(), role.id.clone());
        self.unindex(&key);
        if let Some(custom) = &role.custom {
            self.bound.insert((custom.clone(), key.1.clone(), key.0.clone()));
        }
        for target in named(&role) {
            self.targets.insert((target, key.0.clone(), key.1.clone()));
        }
        self.table.put(changes, key, role)
    }

    fn remove(&mut self, changes: &mut Changes, role: &Role) {
        let key = (role.holder.id.clone(), role.id.clone());
        self.unindex(&key);
        self.table.remove(changes, &key);
    }

    fn unindex(&mut self, key: &(SmolStr, SmolStr)) {
        let Some(before) = self.table.get(key).cloned() else { return };
        if let Some(custom) = &before.custom {
            self.bound.remove(&(custom.clone(), key.1.clone(), key.0.clone()));
        }
        for target in named(&before) {
            self.targets.remove(&(target, key.0.clone(), key.1.clone()));
        }
    }

    /// The roles that are narrowed to a group or an app.
    fn narrowed_to(&self, target: &str) -> Vec<Arc<Role>> {
        let target = SmolStr::new(target);
        let found = self.targets.range((target.clone(), SmolStr::default(), SmolStr::default())..);
        let found = found.take_while(|(of, ..)| *of == target);
        found.filter_map(|(_, holder, id)| self.get(holder, id).cloned()).collect()
    }
}

/// The ids of a role's targets.
fn named(role: &Role) -> impl Iterator<Item = SmolStr> {
    role.groups.iter().cloned().chain(role.apps.iter().filter_map(|target| target.app.clone()))
}

/// The roles that a person holds, themselves or by their groups; with the group where it is by one.
pub fn of_user<'a>(state: &'a State, user: &'a User) -> impl Iterator<Item = &'a Arc<Role>> {
    let everyone = (user.status != Status::Deprovisioned).then_some(&state.groups.everyone);
    let groups = everyone.into_iter().chain(state.members.of_user(&user.id));
    state.roles.of(&user.id).chain(groups.flat_map(|group| state.roles.of(group)))
}

/// Whether a person is an administrator of any kind.
pub fn is_admin(state: &State, user: &User) -> bool {
    of_user(state, user).next().is_some()
}

/// Whether a person is a super administrator.
pub fn is_super(state: &State, user: &User) -> bool {
    of_user(state, user).any(|role| role.kind == RoleType::SuperAdmin)
}

/// Puts a standard role into somebody's hands when the world is made: nothing is logged.
pub fn seed(state: &mut State, changes: &mut Changes, holder: Holder, kind: RoleType, groups: BTreeSet<SmolStr>) {
    let created = state.founded;
    let role = Role {
        id: kind.assignment(),
        holder,
        kind,
        custom: None,
        created,
        last_updated: created,
        groups,
        apps: BTreeSet::new(),
    };
    state.roles.put(changes, role);
}

/// Gives somebody a standard role.
///
/// # Errors
/// Somebody who holds it already, or a person who is deactivated.
pub fn assign(act: &mut Act<'_, '_>, holder: Holder, kind: RoleType) -> Result<Arc<Role>, Error> {
    give(act, holder, kind, None, kind.assignment())
}

/// Gives somebody a custom role within a set of resources.
///
/// # Errors
/// A role or set that there is not, somebody who holds it already, or a person who is deactivated.
pub fn bind(act: &mut Act<'_, '_>, holder: Holder, custom: Custom) -> Result<Arc<Role>, Error> {
    if act.state.roles.bound(&custom).any(|role| role.holder == holder) {
        return Err(Error::coded(TWICE));
    }
    let id = act.tx.id(&MEMBER_ID);
    give(act, holder, RoleType::Custom, Some(custom), id)
}

/// The code where somebody holds a role already.
const TWICE: &str = "E0000090";
/// The code where a role is of another type than is needed.
const OTHER_TYPE: &str = "E0000091";

fn give(
    act: &mut Act<'_, '_>,
    holder: Holder,
    kind: RoleType,
    custom: Option<Custom>,
    id: SmolStr,
) -> Result<Arc<Role>, Error> {
    if act.state.roles.get(&holder.id, &id).is_some() {
        return Err(Error::coded(TWICE));
    }
    let gone = |user: &Arc<User>| user.status == Status::Deprovisioned;
    if holder.kind == Whom::User && act.state.users.get(&holder.id).is_some_and(gone) {
        return Err(Error::NotInStatus);
    }
    let now = act.now();
    let role = Role {
        id,
        holder,
        kind,
        custom,
        created: now,
        last_updated: now,
        groups: BTreeSet::new(),
        apps: BTreeSet::new(),
    };
    let role = act.state.roles.put(&mut act.tx.changes, role);
    log(act, &role, true);
    Ok(role)
}

/// Takes a role away. An org keeps one super administrator; that Okta refuses it so is inferred.
///
/// # Errors
/// The last person's role of a super administrator.
pub fn unassign(act: &mut Act<'_, '_>, role: &Role) -> Result<(), Error> {
    if role.kind == RoleType::SuperAdmin && is_last(act.state, role) {
        return Err(Error::invalid("role", "An org must have at least one super administrator."));
    }
    take(act, role);
    Ok(())
}

/// Whether no other person or group is a super administrator. Administrators are few, and this is asked rarely.
fn is_last(state: &State, role: &Role) -> bool {
    let mut others = state.roles.table.iter().map(|(_, other)| other).filter(|other| other.holder != role.holder);
    role.holder.kind != Whom::Client
        && !others.any(|other| other.kind == RoleType::SuperAdmin && other.holder.kind != Whom::Client)
}

fn take(act: &mut Act<'_, '_>, role: &Role) {
    log(act, role, false);
    act.state.roles.remove(&mut act.tx.changes, role);
}

fn log(act: &mut Act<'_, '_>, role: &Role, granted: bool) {
    let event: &'static EventType = match (role.kind, role.holder.kind, granted) {
        (RoleType::Custom, _, true) => &BINDING_ADD,
        (RoleType::Custom, _, false) => &BINDING_DELETE,
        (_, Whom::User, true) => &USER_GRANT,
        (_, Whom::User, false) => &USER_REVOKE,
        (_, Whom::Group, true) => &GROUP_GRANT,
        (_, Whom::Group, false) => &GROUP_REVOKE,
        (_, Whom::Client, true) => &CLIENT_GRANT,
        (_, Whom::Client, false) => &CLIENT_REVOKE,
    };
    let mut targets: Vec<Party> = role.holder.party(act.state).into_iter().collect();
    let custom = role.custom.as_ref().and_then(|custom| act.state.iam.role(&custom.role));
    targets.push(Party {
        id: role.id.clone(),
        kind: "ROLE",
        alternate_id: SmolStr::new_static("unknown"),
        display_name: custom.map_or_else(|| role.kind.label().into(), |custom| custom.label.clone()),
    });
    act.log(event, targets);
}

/// Takes all roles from somebody who goes.
pub fn drop_holder(act: &mut Act<'_, '_>, holder: &str) {
    let held: Vec<Arc<Role>> = act.state.roles.of(holder).cloned().collect();
    for role in held {
        take(act, &role);
    }
}

/// Takes a group or an app that goes out of all roles that are narrowed to it. Whoever had no other target has none
/// left: the role is taken away rather than widened to everything, which is inferred.
pub fn drop_target(act: &mut Act<'_, '_>, target: &str) {
    for role in act.state.roles.narrowed_to(target) {
        let (mut groups, mut apps) = (role.groups.clone(), role.apps.clone());
        groups.remove(target);
        apps.retain(|app| app.app.as_deref() != Some(target));
        if groups.is_empty() && apps.is_empty() {
            take(act, &role);
        } else {
            change(act, &role, groups, apps);
        }
    }
}

/// Takes a custom role within a set from all who hold it.
pub fn unbind_all(act: &mut Act<'_, '_>, custom: &Custom) {
    let held: Vec<Arc<Role>> = act.state.roles.bound(custom).cloned().collect();
    for role in held {
        take(act, &role);
    }
}

fn change(act: &mut Act<'_, '_>, role: &Role, groups: BTreeSet<SmolStr>, apps: BTreeSet<AppTarget>) {
    let last_updated = act.now();
    let role = Role { last_updated, groups, apps, ..role.clone() };
    act.state.roles.put(&mut act.tx.changes, role);
}

/// Narrows a role to a group; the first one ends that it is for all.
///
/// # Errors
/// A role of a type that is not for groups.
pub fn add_group(act: &mut Act<'_, '_>, role: &Role, group: &Group) -> Result<(), Error> {
    if !role.kind.takes_groups() {
        return Err(Error::coded(OTHER_TYPE));
    }
    let mut groups = role.groups.clone();
    if groups.insert(group.id.clone()) {
        change(act, role, groups, role.apps.clone());
    }
    Ok(())
}

/// Takes a group out of a role's targets.
///
/// # Errors
/// A role of a type that is not for groups, a group that is no target, or the last target.
pub fn remove_group(act: &mut Act<'_, '_>, role: &Role, group: &Group) -> Result<(), Error> {
    if !role.kind.takes_groups() {
        return Err(Error::coded(OTHER_TYPE));
    }
    let mut groups = role.groups.clone();
    if !groups.remove(&group.id) {
        return Err(Error::not_found(&group.id, "UserGroup"));
    }
    if groups.is_empty() {
        return Err(last_target());
    }
    change(act, role, groups, role.apps.clone());
    Ok(())
}

/// The public document says that there is an exception, and not which: this one is inferred.
fn last_target() -> Error {
    Error::invalid("target", "The last target of a role assignment cannot be removed.")
}

/// Narrows a role to an app, or to all of a definition; then that takes the place of its apps.
///
/// # Errors
/// A role of a type that is not for apps, or an app whose definition is a target as a whole.
pub fn add_app(act: &mut Act<'_, '_>, role: &Role, target: AppTarget) -> Result<(), Error> {
    if role.kind != RoleType::AppAdmin {
        return Err(Error::coded(OTHER_TYPE));
    }
    let whole = AppTarget { name: target.name.clone(), app: None };
    if target.app.is_some() && role.apps.contains(&whole) {
        let cause = "All instances of the app are a target already.";
        return Err(Error::invalid("target", cause));
    }
    let mut apps = role.apps.clone();
    if target.app.is_none() {
        apps.retain(|other| other.name != target.name);
    }
    if apps.insert(target) {
        change(act, role, role.groups.clone(), apps);
    }
    Ok(())
}

/// Takes an app or a definition out of a role's targets.
///
/// # Errors
/// A role of a type that is not for apps, an app that is no target, or the last target.
pub fn remove_app(act: &mut Act<'_, '_>, role: &Role, target: &AppTarget) -> Result<(), Error> {
    if role.kind != RoleType::AppAdmin {
        return Err(Error::coded(OTHER_TYPE));
    }
    let mut apps = role.apps.clone();
    if !apps.remove(target) {
        return Err(Error::not_found(target.app.as_ref().unwrap_or(&target.name), "AppInstance"));
    }
    if apps.is_empty() {
        return Err(last_target());
    }
    change(act, role, role.groups.clone(), apps);
    Ok(())
}

/// Makes an app administrator's role be for all apps again.
///
/// # Errors
/// A role of a type that is not for apps.
pub fn widen_to_all_apps(act: &mut Act<'_, '_>, role: &Role) -> Result<(), Error> {
    if role.kind != RoleType::AppAdmin {
        return Err(Error::coded(OTHER_TYPE));
    }
    change(act, role, role.groups.clone(), BTreeSet::new());
    Ok(())
}

/// Whether an app is among a role's apps.
pub fn covers(role: &Role, app: &App) -> bool {
    let named = |target: &AppTarget| target.name == app.name && target.app.as_ref().is_none_or(|id| *id == app.id);
    role.apps.is_empty() || role.apps.iter().any(named)
}
