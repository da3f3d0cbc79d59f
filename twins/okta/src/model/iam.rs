//! Custom roles, sets of resources, and what binds one to the other.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/guides/roles/#custom-roles.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdMap;
use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    Act, CUSTOM_ROLE_ID, RESOURCE_ID, RESOURCE_SET_ID, State,
    event_type::{
        IAM_ROLE_CREATE, IAM_ROLE_DELETE, IAM_ROLE_UPDATE, PERMISSION_ADD, PERMISSION_DELETE, RESOURCE_ADD,
        RESOURCE_DELETE, RESOURCE_SET_CREATE, RESOURCE_SET_DELETE, RESOURCE_SET_UPDATE, RESOURCE_UPDATE,
    },
    log::Party,
    orn::Orn,
    role::{self, Custom},
};
use crate::error::Error;

/// Something that a custom role lets its holders do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// When it was added.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// What narrows it; null where nothing does.
    pub conditions: Value,
}

/// A custom role.
#[derive(Clone, Debug, Serialize)]
pub struct CustomRole {
    /// `cr0...`.
    pub id: SmolStr,
    /// Its name.
    pub label: SmolStr,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// What it lets its holders do, by labels (`okta.users.read`).
    pub permissions: BTreeMap<SmolStr, Permission>,
}

impl CustomRole {
    /// Whether one of these permissions is among its own.
    pub fn permits(&self, any: &[&str]) -> bool {
        any.iter().any(|label| self.permissions.contains_key(*label))
    }
}

/// A resource of a set.
#[derive(Clone, Debug, Serialize)]
pub struct Resource {
    /// `ire...`.
    pub id: SmolStr,
    /// What it is.
    pub orn: Orn,
    /// When it was added.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// What is left out of it; null where nothing is.
    pub conditions: Value,
}

/// A set of resources.
#[derive(Clone, Debug, Serialize)]
pub struct ResourceSet {
    /// `iam...`.
    pub id: SmolStr,
    /// Its name.
    pub label: SmolStr,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// What is in it, oldest first: at most [`RESOURCES_MAX`].
    pub resources: Vec<Resource>,
    /// The ids of the custom roles that are bound to it.
    pub bindings: BTreeSet<SmolStr>,
}

/// The most resources of a set, by the public document.
const RESOURCES_MAX: usize = 1_000;

/// Custom roles and sets of resources.
#[derive(Clone, Debug)]
pub struct Iam {
    roles: Table<SmolStr, CustomRole>,
    sets: Table<SmolStr, ResourceSet>,
    role_labels: OrdMap<SmolStr, SmolStr>,
    set_labels: OrdMap<SmolStr, SmolStr>,
}

impl Default for Iam {
    fn default() -> Self {
        Self {
            roles: Table::new("custom_roles"),
            sets: Table::new("resource_sets"),
            role_labels: OrdMap::new(),
            set_labels: OrdMap::new(),
        }
    }
}

impl Iam {
    /// A custom role by its id or label.
    pub fn role(&self, name: &str) -> Option<&Arc<CustomRole>> {
        let by_label = || self.role_labels.get(name).and_then(|id| self.roles.get(id));
        self.roles.get(&SmolStr::new(name)).or_else(by_label)
    }

    /// A set of resources by its id or label.
    pub fn set(&self, name: &str) -> Option<&Arc<ResourceSet>> {
        let by_label = || self.set_labels.get(name).and_then(|id| self.sets.get(id));
        self.sets.get(&SmolStr::new(name)).or_else(by_label)
    }

    /// Custom roles from behind an id, by id.
    pub fn roles_after(&self, after: &str) -> impl Iterator<Item = &Arc<CustomRole>> {
        let start = (Excluded(SmolStr::new(after)), Unbounded);
        self.roles.range(start).map(|(_, role)| role)
    }

    /// Sets of resources from behind an id, by id.
    pub fn sets_after(&self, after: &str) -> impl Iterator<Item = &Arc<ResourceSet>> {
        let start = (Excluded(SmolStr::new(after)), Unbounded);
        self.sets.range(start).map(|(_, set)| set)
    }

    fn put_role(&mut self, changes: &mut Changes, role: CustomRole) -> Arc<CustomRole> {
        if let Some(before) = self.roles.get(&role.id) {
            self.role_labels.remove(&before.label);
        }
        self.role_labels.insert(role.label.clone(), role.id.clone());
        self.roles.put(changes, role.id.clone(), role)
    }

    fn put_set(&mut self, changes: &mut Changes, set: ResourceSet) -> Arc<ResourceSet> {
        if let Some(before) = self.sets.get(&set.id) {
            self.set_labels.remove(&before.label);
        }
        self.set_labels.insert(set.label.clone(), set.id.clone());
        self.sets.put(changes, set.id.clone(), set)
    }
}

/// What a caller says of a role or a set.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub label: SmolStr,
    /// What it is for.
    pub description: String,
}

fn party(id: &SmolStr, kind: &'static str, name: &SmolStr) -> Party {
    let alternate_id = SmolStr::new_static("unknown");
    Party { id: id.clone(), kind, alternate_id, display_name: name.clone() }
}

fn role_party(role: &CustomRole) -> Party {
    party(&role.id, "CUSTOM_ROLE", &role.label)
}

fn set_party(set: &ResourceSet) -> Party {
    party(&set.id, "RESOURCE_SET", &set.label)
}

/// Names of roles are unique: recorded.
fn check_role_label(state: &State, label: &str, own: Option<&SmolStr>) -> Result<(), Error> {
    match state.iam.role_labels.get(label) {
        Some(id) if Some(id) != own => {
            Err(Error::fields(&[("label", "There is already an admin role with this name.")]))
        }
        _ if label.trim().is_empty() => Err(Error::fields(&[("label", "The field cannot be left blank")])),
        _ => Ok(()),
    }
}

/// Permissions have labels that begin with `okta.`; the whole catalogue is not known here.
fn check_permission(label: &str) -> Result<(), Error> {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let fits = label.strip_prefix("okta.").is_some_and(|rest| rest.contains('.') && rest.split('.').all(word));
    let cause = "The permission is not known.";
    if fits { Ok(()) } else { Err(Error::fields(&[("permissions", cause)])) }
}

/// Makes a custom role.
///
/// # Errors
/// A name that is taken or blank, or permissions that are not known or none at all.
pub fn create_role(act: &mut Act<'_, '_>, named: Named, labels: &[SmolStr]) -> Result<Arc<CustomRole>, Error> {
    check_role_label(act.state, &named.label, None)?;
    if labels.is_empty() {
        return Err(Error::fields(&[("permissions", "The field cannot be left blank")]));
    }
    labels.iter().try_for_each(|label| check_permission(label))?;
    let now = act.now();
    let permission = Permission { created: now, last_updated: now, conditions: Value::Null };
    let role = CustomRole {
        id: act.tx.id(&CUSTOM_ROLE_ID),
        label: named.label,
        description: named.description,
        created: now,
        last_updated: now,
        permissions: labels.iter().map(|label| (label.clone(), permission.clone())).collect(),
    };
    let role = act.state.iam.put_role(&mut act.tx.changes, role);
    act.log(&IAM_ROLE_CREATE, vec![role_party(&role)]);
    Ok(role)
}

/// Gives a custom role another name and description.
///
/// # Errors
/// A name that is taken or blank.
pub fn replace_role(act: &mut Act<'_, '_>, role: &CustomRole, named: Named) -> Result<Arc<CustomRole>, Error> {
    check_role_label(act.state, &named.label, Some(&role.id))?;
    let row =
        CustomRole { label: named.label, description: named.description, last_updated: act.now(), ..role.clone() };
    let role = act.state.iam.put_role(&mut act.tx.changes, row);
    act.log(&IAM_ROLE_UPDATE, vec![role_party(&role)]);
    Ok(role)
}

/// Removes a custom role, and what binds it: its holders have it no more (inferred: a reference would dangle).
pub fn delete_role(act: &mut Act<'_, '_>, role: &CustomRole) {
    let bound: Vec<Arc<ResourceSet>> =
        act.state.iam.sets_after("").filter(|set| set.bindings.contains(&role.id)).cloned().collect();
    for set in bound {
        unbind(act, &set, role);
    }
    act.state.iam.role_labels.remove(&role.label);
    act.state.iam.roles.remove(&mut act.tx.changes, &role.id);
    act.log(&IAM_ROLE_DELETE, vec![role_party(role)]);
}

/// Adds a permission to a role, or changes its conditions.
///
/// # Errors
/// A permission that is not known.
pub fn put_permission(
    act: &mut Act<'_, '_>,
    role: &CustomRole,
    label: &str,
    conditions: Value,
) -> Result<Permission, Error> {
    check_permission(label)?;
    let now = act.now();
    let before = role.permissions.get(label);
    let created = before.map_or(now, |before| before.created);
    let is_new = before.is_none();
    let permission = Permission { created, last_updated: now, conditions };
    let mut permissions = role.permissions.clone();
    permissions.insert(label.into(), permission.clone());
    act.state.iam.put_role(&mut act.tx.changes, CustomRole { permissions, ..role.clone() });
    if is_new {
        act.log(&PERMISSION_ADD, vec![role_party(role), permission_party(label)]);
    }
    Ok(permission)
}

/// Takes a permission from a role.
///
/// # Errors
/// One that it has not.
pub fn remove_permission(act: &mut Act<'_, '_>, role: &CustomRole, label: &str) -> Result<(), Error> {
    let mut permissions = role.permissions.clone();
    permissions.remove(label).ok_or_else(|| Error::not_found(label, "Permission"))?;
    act.state.iam.put_role(&mut act.tx.changes, CustomRole { permissions, ..role.clone() });
    act.log(&PERMISSION_DELETE, vec![role_party(role), permission_party(label)]);
    Ok(())
}

fn permission_party(label: &str) -> Party {
    let label = SmolStr::new(label);
    party(&label, "PERMISSION", &label)
}

fn check_set(state: &State, named: &Named, own: Option<&SmolStr>) -> Result<(), Error> {
    match state.iam.set_labels.get(&named.label) {
        Some(id) if Some(id) != own => Err(Error::taken("label")),
        _ if named.label.trim().is_empty() => Err(Error::fields(&[("label", "Label must be specified")])),
        _ => Ok(()),
    }
}

/// Makes a set of resources.
///
/// # Errors
/// A name that is taken or missing, or too many resources.
pub fn create_set(act: &mut Act<'_, '_>, named: Named, orns: Vec<Orn>) -> Result<Arc<ResourceSet>, Error> {
    check_set(act.state, &named, None)?;
    let now = act.now();
    let mut set = ResourceSet {
        id: act.tx.id(&RESOURCE_SET_ID),
        label: named.label,
        description: named.description,
        created: now,
        last_updated: now,
        resources: Vec::new(),
        bindings: BTreeSet::new(),
    };
    add(act, &mut set, orns, &Value::Null)?;
    let set = act.state.iam.put_set(&mut act.tx.changes, set);
    act.log(&RESOURCE_SET_CREATE, vec![set_party(&set)]);
    Ok(set)
}

/// Gives a set another name and description.
///
/// # Errors
/// A name that is taken or missing.
pub fn replace_set(act: &mut Act<'_, '_>, set: &ResourceSet, named: Named) -> Result<Arc<ResourceSet>, Error> {
    check_set(act.state, &named, Some(&set.id))?;
    let row =
        ResourceSet { label: named.label, description: named.description, last_updated: act.now(), ..set.clone() };
    let set = act.state.iam.put_set(&mut act.tx.changes, row);
    act.log(&RESOURCE_SET_UPDATE, vec![set_party(&set)]);
    Ok(set)
}

/// Removes a set; nobody holds a role within it any more.
pub fn delete_set(act: &mut Act<'_, '_>, set: &ResourceSet) {
    for role in &set.bindings {
        role::unbind_all(act, &Custom { role: role.clone(), set: set.id.clone() });
    }
    act.state.iam.set_labels.remove(&set.label);
    act.state.iam.sets.remove(&mut act.tx.changes, &set.id);
    act.log(&RESOURCE_SET_DELETE, vec![set_party(set)]);
}

/// Puts resources into a set; those that are in it already stay as they are.
fn add(act: &mut Act<'_, '_>, set: &mut ResourceSet, orns: Vec<Orn>, conditions: &Value) -> Result<(), Error> {
    let now = act.now();
    for orn in orns {
        if set.resources.iter().any(|resource| resource.orn == orn) {
            continue;
        }
        let id = act.tx.id(&RESOURCE_ID);
        set.resources.push(Resource { id, orn, created: now, last_updated: now, conditions: conditions.clone() });
    }
    if set.resources.len() > RESOURCES_MAX {
        return Err(Error::fields(&[("resources", "A resource set cannot have more than 1000 resources.")]));
    }
    Ok(())
}

/// Adds resources to a set. When the set changed is not said to be later by it: recorded.
///
/// # Errors
/// Too many resources.
pub fn add_resources(
    act: &mut Act<'_, '_>,
    set: &ResourceSet,
    orns: Vec<Orn>,
    conditions: &Value,
) -> Result<Arc<ResourceSet>, Error> {
    let mut row = set.clone();
    add(act, &mut row, orns, conditions)?;
    let changed = row.resources.len() > set.resources.len();
    let set = act.state.iam.put_set(&mut act.tx.changes, row);
    if changed {
        act.log(&RESOURCE_ADD, vec![set_party(&set)]);
    }
    Ok(set)
}

/// Changes what is left out of a resource of a set.
///
/// # Errors
/// A resource that is not in the set.
pub fn replace_resource(
    act: &mut Act<'_, '_>,
    set: &ResourceSet,
    id: &str,
    conditions: Value,
) -> Result<Resource, Error> {
    let now = act.now();
    let mut row = set.clone();
    let resource = row.resources.iter_mut().find(|resource| resource.id == id).ok_or_else(|| missing(id))?;
    (resource.conditions, resource.last_updated) = (conditions, now);
    let resource = resource.clone();
    act.state.iam.put_set(&mut act.tx.changes, row);
    act.log(&RESOURCE_UPDATE, vec![set_party(set)]);
    Ok(resource)
}

/// Takes a resource out of a set.
///
/// # Errors
/// A resource that is not in the set.
pub fn remove_resource(act: &mut Act<'_, '_>, set: &ResourceSet, id: &str) -> Result<(), Error> {
    let mut row = set.clone();
    row.resources.retain(|resource| resource.id != id);
    if row.resources.len() == set.resources.len() {
        return Err(missing(id));
    }
    act.state.iam.put_set(&mut act.tx.changes, row);
    act.log(&RESOURCE_DELETE, vec![set_party(set)]);
    Ok(())
}

/// A resource that a set has not.
pub fn missing(id: &str) -> Error {
    Error::not_found(id, "Resource")
}

/// Binds a role to a set: from now on, members may be added.
pub fn open_binding(act: &mut Act<'_, '_>, set: &ResourceSet, role: &CustomRole) {
    let mut row = set.clone();
    if row.bindings.insert(role.id.clone()) {
        act.state.iam.put_set(&mut act.tx.changes, row);
    }
}

/// Ends a binding; nobody holds the role within the set any more.
pub fn unbind(act: &mut Act<'_, '_>, set: &ResourceSet, role: &CustomRole) {
    role::unbind_all(act, &Custom { role: role.id.clone(), set: set.id.clone() });
    let mut row = set.clone();
    row.bindings.remove(&role.id);
    act.state.iam.put_set(&mut act.tx.changes, row);
}
