//! Groups and who is in them.

use std::{
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    Act, GROUP_ID, assignment,
    event_type::{GROUP_CREATE, GROUP_DELETE, GROUP_PROFILE, MEMBER_ADD, MEMBER_REMOVE},
    group_owner, group_rule,
    log::Party,
    property, role,
    schema::{self, Custom},
    user::{Status, User},
};
use crate::{
    error::Error,
    query::Fields,
    search::{Corpus, Values},
};

/// Where a group comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GroupType {
    /// Okta's own Everyone.
    BuiltIn,
    /// Made by administrators.
    OktaGroup,
    /// Brought in from an app, which alone changes it.
    AppGroup,
}

impl GroupType {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::BuiltIn => "BUILT_IN",
            Self::OktaGroup => "OKTA_GROUP",
            Self::AppGroup => "APP_GROUP",
        }
    }
}

/// A group.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// `00g...`.
    pub id: SmolStr,
    /// Where it comes from.
    pub r#type: GroupType,
    /// Its name.
    pub name: SmolStr,
    /// What it is for; none where nobody said.
    pub description: Option<SmolStr>,
    /// The app that it was brought in from; none of other groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SmolStr>,
    /// The values of custom attributes.
    #[serde(skip_serializing_if = "Custom::is_empty")]
    pub custom: Custom,
    /// When it was made.
    pub created: Timestamp,
    /// When its profile last changed.
    pub last_updated: Timestamp,
    /// When somebody last came or went.
    pub last_membership_updated: Timestamp,
}

/// What groups can be searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupField {
    /// `id`.
    Id,
    /// `type`.
    Type,
    /// `created`.
    Created,
    /// `lastUpdated`.
    LastUpdated,
    /// `lastMembershipUpdated`.
    LastMembershipUpdated,
    /// `source.id`: only imported groups have one.
    Source,
    /// `profile.name`.
    Name,
    /// `profile.description`.
    Description,
    /// `profile.*` of a custom attribute, by the number of its name.
    Custom(u32),
}

impl Fields<GroupField> for Group {
    fn any(&self, field: &GroupField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let time = |at: Timestamp| at.floor_secs().iso_millis();
        match field {
            GroupField::Id => test(&self.id),
            GroupField::Type => test(self.r#type.text()),
            GroupField::Created => test(&time(self.created)),
            GroupField::LastUpdated => test(&time(self.last_updated)),
            GroupField::LastMembershipUpdated => test(&time(self.last_membership_updated)),
            GroupField::Source => self.source.as_deref().is_some_and(test),
            GroupField::Name => test(&self.name),
            GroupField::Description => self.description.as_deref().is_some_and(test),
            GroupField::Custom(number) => {
                let value = self.custom.value(*number);
                value.is_some_and(|value| property::terms(value).iter().any(|term| test(term)))
            }
        }
    }
}

/// All groups with their indexes.
#[derive(Clone, Debug)]
pub struct Groups {
    table: Table<SmolStr, Group>,
    values: Values<GroupField>,
    /// The id of Everyone.
    pub everyone: SmolStr,
}

impl Groups {
    /// No group but the id that Everyone will have.
    pub fn new(everyone: SmolStr) -> Self {
        Self { table: Table::new("groups"), values: Values::new(), everyone }
    }

    /// A group by id.
    pub fn get(&self, id: &str) -> Option<&Arc<Group>> {
        self.table.get(&SmolStr::new(id))
    }

    /// A group of the org's own by name, in any case. Names of groups that apps bring are no one's.
    pub fn by_name(&self, name: &str) -> Option<&Arc<Group>> {
        let key = SmolStr::from(name.to_lowercase());
        let same = self.values.equal(GroupField::Name, &key, &SmolStr::default());
        same.filter_map(|entry| self.table.get(&entry.2)).find(|group| group.r#type != GroupType::AppGroup)
    }

    /// Groups whose names start with `prefix`, by name.
    pub fn starting_with<'a>(&'a self, prefix: &str) -> impl Iterator<Item = &'a Arc<Group>> + use<'a> {
        let found = self.values.starting(GroupField::Name, &prefix.to_lowercase());
        found.filter_map(|entry| self.table.get(&entry.2))
    }

    /// All, by id. Costs what the table holds: for views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.table.iter().map(|(_, group)| group)
    }

    /// Groups that have any value for a custom attribute; once a value.
    pub fn with_field(&self, field: GroupField) -> impl Iterator<Item = &Arc<Group>> {
        self.values.starting(field, "").filter_map(|entry| self.table.get(&entry.2))
    }

    /// Groups that have a value, for an indexed attribute.
    pub fn with_value(&self, field: GroupField, value: &str) -> impl Iterator<Item = &Arc<Group>> {
        let key = <Self as Corpus>::key(field, value);
        self.values.equal(field, &key, &SmolStr::default()).filter_map(|entry| self.table.get(&entry.2))
    }

    /// Writes a row and its index entries.
    pub fn put(&mut self, changes: &mut Changes, group: Group) -> Arc<Group> {
        let before = self.table.get(&group.id).map(|before| entries(before)).unwrap_or_default();
        self.values.replace(before, entries(&group));
        self.table.put(changes, group.id.clone(), group)
    }

    fn remove(&mut self, changes: &mut Changes, id: &SmolStr) {
        if let Some(group) = self.table.remove(changes, id) {
            self.values.replace(entries(&group), Vec::new());
        }
    }

    /// Notes that somebody came or went.
    pub fn touch(&mut self, changes: &mut Changes, id: &SmolStr, now: Timestamp) {
        let Some(group) = self.table.get(id) else { return };
        if group.last_membership_updated != now {
            let group = Group { last_membership_updated: now, ..Group::clone(group) };
            self.put(changes, group);
        }
    }
}

fn entries(group: &Group) -> Vec<(GroupField, SmolStr, SmolStr)> {
    let time = |at: Timestamp| SmolStr::from(at.floor_secs().iso_millis());
    let entry = |field, value| (field, value, group.id.clone());
    let mut entries = vec![
        entry(GroupField::Type, SmolStr::new_static(group.r#type.text())),
        entry(GroupField::LastUpdated, time(group.last_updated)),
        entry(GroupField::LastMembershipUpdated, time(group.last_membership_updated)),
        entry(GroupField::Name, group.name.to_lowercase().into()),
    ];
    entries.extend(group.source.iter().map(|source| entry(GroupField::Source, source.clone())));
    entries.extend(group.custom.entries(&group.id, GroupField::Custom));
    entries
}

impl Corpus for Groups {
    type Field = GroupField;
    type Row = Group;

    fn row(&self, id: &SmolStr) -> Option<&Arc<Group>> {
        self.table.get(id)
    }

    fn rows_after(&self, after: &SmolStr) -> Box<dyn Iterator<Item = &Arc<Group>> + '_> {
        Box::new(self.table.range((Excluded(after.clone()), Unbounded)).map(|(_, group)| group))
    }

    fn id(row: &Group) -> &SmolStr {
        &row.id
    }

    fn values(&self) -> &Values<GroupField> {
        &self.values
    }

    fn fields<'a>(&'a self, row: &'a Group) -> Box<dyn Fields<GroupField> + 'a> {
        Box::new(Plain(row))
    }

    fn id_field(field: GroupField) -> bool {
        field == GroupField::Id
    }

    fn indexed(field: GroupField) -> bool {
        use GroupField as F;
        matches!(field, F::Type | F::Source | F::LastUpdated | F::LastMembershipUpdated | F::Name | F::Custom(_))
    }

    fn equal_key(field: GroupField, value: &SmolStr) -> Option<(GroupField, SmolStr)> {
        Self::indexed(field).then(|| (field, Self::key(field, value)))
    }

    fn key(field: GroupField, value: &str) -> SmolStr {
        match field {
            GroupField::Name | GroupField::Description | GroupField::Custom(_) => value.to_lowercase().into(),
            GroupField::Type => value.to_uppercase().into(),
            _ => value.into(),
        }
    }

    fn has_plain_cursor(_: GroupField) -> bool {
        false
    }
}

struct Plain<'a>(&'a Group);

impl Fields<GroupField> for Plain<'_> {
    fn any(&self, field: &GroupField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.0.any(field, test)
    }
}

/// One person in one group.
#[derive(Clone, Debug, Serialize)]
pub struct Membership {
    /// The group's id.
    pub group: SmolStr,
    /// The person's id.
    pub user: SmolStr,
    /// Since when.
    pub since: Timestamp,
}

/// Who is in which group, both ways round. Everyone is not in here: its members are all who are not deactivated.
#[derive(Clone, Debug)]
pub struct Memberships {
    table: Table<(SmolStr, SmolStr), Membership>,
    by_user: OrdSet<(SmolStr, SmolStr)>,
    sizes: OrdMap<SmolStr, u64>,
}

impl Default for Memberships {
    fn default() -> Self {
        Self { table: Table::new("memberships"), by_user: OrdSet::new(), sizes: OrdMap::new() }
    }
}

impl Memberships {
    /// Whether a person is in a group.
    pub fn contains(&self, group: &SmolStr, user: &SmolStr) -> bool {
        self.table.contains(&(group.clone(), user.clone()))
    }

    /// The ids of a group's members from behind `after`, in id order.
    pub fn of_group(&self, group: &SmolStr, after: &str) -> impl Iterator<Item = &SmolStr> {
        let (start, group) = ((group.clone(), SmolStr::new(after)), group.clone());
        let rows = self.table.range((Excluded(start), Unbounded));
        rows.take_while(move |((of, _), _)| *of == group).map(|((_, user), _)| user)
    }

    /// The ids of a person's groups, in id order.
    pub fn of_user(&self, user: &SmolStr) -> impl Iterator<Item = &SmolStr> {
        let (start, user) = ((user.clone(), SmolStr::default()), user.clone());
        self.by_user.range(start..).take_while(move |(of, _)| *of == user).map(|(_, group)| group)
    }

    /// How many people are in a group.
    pub fn size(&self, group: &SmolStr) -> u64 {
        self.sizes.get(group).copied().unwrap_or(0)
    }

    /// Puts a person into a group; false where they are in it already.
    pub fn insert(&mut self, changes: &mut Changes, group: &SmolStr, user: &SmolStr, since: Timestamp) -> bool {
        if self.contains(group, user) {
            return false;
        }
        let row = Membership { group: group.clone(), user: user.clone(), since };
        self.table.put(changes, (group.clone(), user.clone()), row);
        self.by_user.insert((user.clone(), group.clone()));
        *self.sizes.entry(group.clone()).or_insert(0) += 1;
        true
    }

    /// Takes a person out of a group; false where they are not in it.
    pub fn remove(&mut self, changes: &mut Changes, group: &SmolStr, user: &SmolStr) -> bool {
        if self.table.remove(changes, &(group.clone(), user.clone())).is_none() {
            return false;
        }
        self.by_user.remove(&(user.clone(), group.clone()));
        let left = self.size(group).saturating_sub(1);
        if left == 0 {
            self.sizes.remove(group);
        } else {
            self.sizes.insert(group.clone(), left);
        }
        true
    }
}

/// What a caller says of a group.
#[derive(Clone, Debug)]
pub struct GroupProfile {
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: Option<SmolStr>,
    /// The values of custom attributes.
    pub custom: Custom,
}

/// The longest name of a group.
const NAME_MAX: usize = 255;
/// The longest description of a group.
const DESCRIPTION_MAX: usize = 1_024;

impl GroupProfile {
    fn check(&self, act: &Act<'_, '_>, own: Option<&SmolStr>) -> Result<(), Error> {
        self.check_form()?;
        let problems = schema::group_problems(act.state, &self.custom, own);
        if !problems.is_empty() {
            return Err(Error::problems(&problems));
        }
        match act.state.groups.by_name(&self.name) {
            Some(other) if own != Some(&other.id) => Err(Error::taken("name")),
            _ => Ok(()),
        }
    }

    fn check_form(&self) -> Result<(), Error> {
        if self.name.trim().is_empty() {
            return Err(Error::fields(&[("name", "The field cannot be left blank")]));
        }
        if self.name.chars().count() > NAME_MAX {
            return Err(Error::fields(&[("name", "The field is too long")]));
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_MAX) {
            return Err(Error::fields(&[("description", "The field is too long")]));
        }
        Ok(())
    }
}

/// Makes a group.
///
/// # Errors
/// A profile that is not allowed, or a name that is taken.
pub fn create(act: &mut Act<'_, '_>, profile: GroupProfile) -> Result<Arc<Group>, Error> {
    profile.check(act, None)?;
    let group = put_new(act, profile, None);
    act.log(&GROUP_CREATE, vec![Party::group(&group)]);
    Ok(group)
}

fn put_new(act: &mut Act<'_, '_>, profile: GroupProfile, source: Option<SmolStr>) -> Arc<Group> {
    let now = act.now();
    let group = Group {
        id: act.tx.id(&GROUP_ID),
        r#type: if source.is_some() { GroupType::AppGroup } else { GroupType::OktaGroup },
        name: profile.name,
        description: profile.description,
        source,
        custom: profile.custom,
        created: now,
        last_updated: now,
        last_membership_updated: now,
    };
    act.state.groups.put(&mut act.tx.changes, group)
}

/// Makes a group that an app brings. Other apps may bring one of the same name.
///
/// # Errors
/// A profile that is not allowed.
pub fn bring(act: &mut Act<'_, '_>, profile: GroupProfile, source: &SmolStr) -> Result<Arc<Group>, Error> {
    profile.check_form()?;
    Ok(put_new(act, profile, Some(source.clone())))
}

/// Gives a group that an app brought the profile that it has there now.
///
/// # Errors
/// A profile that is not allowed.
pub fn bring_again(act: &mut Act<'_, '_>, group: &Group, profile: GroupProfile) -> Result<Arc<Group>, Error> {
    profile.check_form()?;
    if group.name == profile.name && group.description == profile.description {
        return Ok(Arc::new(group.clone()));
    }
    let GroupProfile { name, description, .. } = profile;
    let row = Group { name, description, last_updated: act.now(), ..Group::clone(group) };
    Ok(act.state.groups.put(&mut act.tx.changes, row))
}

/// Gives a group another profile.
///
/// # Errors
/// A group that is not the administrators' to change, or a profile that is not allowed.
pub fn replace(act: &mut Act<'_, '_>, group: &Group, profile: GroupProfile) -> Result<Arc<Group>, Error> {
    own(group)?;
    profile.check(act, Some(&group.id))?;
    let GroupProfile { name, description, custom } = profile;
    let row = Group { name, description, custom, last_updated: act.now(), ..Group::clone(group) };
    let group = act.state.groups.put(&mut act.tx.changes, row);
    act.log(&GROUP_PROFILE, vec![Party::group(&group)]);
    Ok(group)
}

/// Removes a group. Its members go without a word in the log, as they do at Okta.
///
/// # Errors
/// A group that is not the administrators' to change.
pub fn delete(act: &mut Act<'_, '_>, group: &Group) -> Result<(), Error> {
    own(group)?;
    end(act, group);
    act.log(&GROUP_DELETE, vec![Party::group(group)]);
    Ok(())
}

/// A group goes, with all that hangs on it. The caller writes the log.
pub(crate) fn end(act: &mut Act<'_, '_>, group: &Group) {
    assignment::drop_group(act, group);
    role::drop_holder(act, &group.id);
    role::drop_target(act, &group.id);
    let members: Vec<SmolStr> = act.state.members.of_group(&group.id, "").cloned().collect();
    for user in &members {
        act.state.members.remove(&mut act.tx.changes, &group.id, user);
        act.state.rules.forget(user, &group.id);
    }
    act.state.groups.remove(&mut act.tx.changes, &group.id);
    group_rule::group_gone(act, &group.id);
    group_owner::drop_all(act, &group.id);
}

/// Puts a person into a group; nothing happens where they are in it already.
///
/// # Errors
/// A group whose members are not the administrators' to choose, or a person who is deactivated.
pub fn add_member(act: &mut Act<'_, '_>, group: &Group, user: &User) -> Result<(), Error> {
    own(group)?;
    if user.status == Status::Deprovisioned {
        return Err(Error::NotInStatus);
    }
    join(act, group, user, Vec::new());
    Ok(())
}

/// Puts a person into a group, because of what the log shows besides.
pub(crate) fn join(act: &mut Act<'_, '_>, group: &Group, user: &User, because: Vec<Party>) {
    let now = act.now();
    if act.state.members.insert(&mut act.tx.changes, &group.id, &user.id, now) {
        act.state.groups.touch(&mut act.tx.changes, &group.id, now);
        act.log(&MEMBER_ADD, [vec![Party::user(user), Party::group(group)], because].concat());
        assignment::joined(act, group, user);
    }
}

/// Takes a person out of a group; nothing happens where they are not in it. Rules that had put them there will not do
/// so again.
///
/// # Errors
/// A group whose members are not the administrators' to choose.
pub fn remove_member(act: &mut Act<'_, '_>, group: &Group, user: &User) -> Result<(), Error> {
    own(group)?;
    leave(act, group, user, Vec::new());
    group_rule::removed(act, group, user);
    Ok(())
}

/// Takes a person out of a group, because of what the log shows besides.
pub(crate) fn leave(act: &mut Act<'_, '_>, group: &Group, user: &User, because: Vec<Party>) {
    if act.state.members.remove(&mut act.tx.changes, &group.id, &user.id) {
        let now = act.now();
        act.state.groups.touch(&mut act.tx.changes, &group.id, now);
        act.log(&MEMBER_REMOVE, [vec![Party::user(user), Party::group(group)], because].concat());
        assignment::left(act, group, user);
    }
}

fn own(group: &Group) -> Result<(), Error> {
    if group.r#type == GroupType::OktaGroup { Ok(()) } else { Err(Error::Forbidden) }
}
