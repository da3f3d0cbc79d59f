//! People: their states, and the table with its indexes.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/User/ for the states.

use std::sync::{Arc, OnceLock};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdMap;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    profile::{Attribute, Profile},
    property,
};
use crate::{
    error::Error,
    query::Fields,
    search::{Corpus, Values},
};

/// Where a person's account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Made, not activated.
    Staged,
    /// Activated, has no password yet.
    Provisioned,
    /// In use.
    Active,
    /// Must set a new password by a one-time token.
    Recovery,
    /// Must choose a new password at the next sign-in.
    PasswordExpired,
    /// Locked after failed sign-ins.
    LockedOut,
    /// Put aside by an administrator.
    Suspended,
    /// Deactivated.
    Deprovisioned,
}

impl Status {
    /// All, in the order in which Okta lists people.
    pub const ALL: [Self; 8] = [
        Self::Staged,
        Self::Provisioned,
        Self::Active,
        Self::Recovery,
        Self::PasswordExpired,
        Self::LockedOut,
        Self::Suspended,
        Self::Deprovisioned,
    ];

    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Staged => "STAGED",
            Self::Provisioned => "PROVISIONED",
            Self::Active => "ACTIVE",
            Self::Recovery => "RECOVERY",
            Self::PasswordExpired => "PASSWORD_EXPIRED",
            Self::LockedOut => "LOCKED_OUT",
            Self::Suspended => "SUSPENDED",
            Self::Deprovisioned => "DEPROVISIONED",
        }
    }

    /// The digit that stands in front of list cursors: lists of people run by status, then by id. The order is
    /// that of recorded lists.
    pub const fn rank(self) -> &'static str {
        match self {
            Self::Staged => "0",
            Self::Provisioned => "1",
            Self::Active => "2",
            Self::Recovery => "3",
            Self::PasswordExpired => "4",
            Self::LockedOut => "5",
            Self::Suspended => "6",
            Self::Deprovisioned => "9",
        }
    }
}

/// What can be done to an account's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Invite, or take into use where there is a password.
    Activate,
    /// Invite again.
    Reactivate,
    /// End.
    Deactivate,
    /// Put aside.
    Suspend,
    /// Take back into use.
    Unsuspend,
    /// Unlock.
    Unlock,
    /// Send a one-time token for a new password.
    ResetPassword,
    /// Make the person choose a new password at the next sign-in.
    ExpirePassword,
    /// Forget the person's factors.
    ResetFactors,
    /// The person chooses a password: at activation, after a reset, or after expiry.
    ChoosePassword,
}

/// The state that `step` leads to, or why it is refused. All of Okta's user state machine is in this table.
///
/// # Errors
/// The refusal that Okta answers in this state.
#[expect(clippy::match_same_arms, reason = "the table is read step by step")]
pub fn transition(status: Status, step: Step, has_password: bool) -> Result<Status, Error> {
    use Status as S;
    match (step, status) {
        (Step::Activate, S::Staged | S::Deprovisioned) if has_password => Ok(S::Active),
        (Step::Activate, S::Staged | S::Deprovisioned) => Ok(S::Provisioned),
        (Step::Activate, _) => Err(Error::AlreadyActive),
        (Step::Reactivate, S::Provisioned | S::Recovery) => Ok(status),
        (Step::Deactivate, S::Deprovisioned) => Err(Error::NotInStatus),
        (Step::Deactivate, _) => Ok(S::Deprovisioned),
        (Step::Suspend, S::Active) => Ok(S::Suspended),
        (Step::Suspend, _) => Err(Error::invalid("suspendUser", "Cannot suspend a user that is not active")),
        (Step::Unsuspend, S::Suspended) => Ok(S::Active),
        (Step::Unsuspend, _) => Err(Error::invalid("unsuspendUser", "Cannot unsuspend a user that is not suspended")),
        (Step::Unlock, S::LockedOut) => Ok(S::Active),
        (Step::Unlock, _) => Err(Error::NotLockedOut),
        (Step::ResetPassword, S::Provisioned | S::Active | S::Recovery | S::PasswordExpired | S::LockedOut) => {
            Ok(S::Recovery)
        }
        (Step::ExpirePassword, S::Active | S::PasswordExpired) if has_password => Ok(S::PasswordExpired),
        (Step::ResetFactors, _) => Ok(status),
        (Step::ChoosePassword, S::Staged) => Ok(S::Staged),
        (Step::ChoosePassword, S::Provisioned | S::Active | S::Recovery | S::PasswordExpired) => Ok(S::Active),
        (Step::Reactivate | Step::ResetPassword | Step::ExpirePassword | Step::ChoosePassword, _) => {
            Err(Error::NotInStatus)
        }
    }
}

/// Who vouches for a person's password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provider {
    /// `OKTA`, `FEDERATION`, `SOCIAL`, `ACTIVE_DIRECTORY`, `LDAP` or `IMPORT`.
    pub r#type: SmolStr,
    /// Its name.
    pub name: SmolStr,
}

impl Default for Provider {
    fn default() -> Self {
        Self { r#type: SmolStr::new_static("OKTA"), name: SmolStr::new_static("OKTA") }
    }
}

/// A person's account.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// `00u...`.
    pub id: SmolStr,
    /// Where it stands.
    pub status: Status,
    /// When it was made.
    pub created: Timestamp,
    /// When it was activated.
    pub activated: Option<Timestamp>,
    /// When its status last changed.
    pub status_changed: Option<Timestamp>,
    /// When the person last signed in.
    pub last_login: Option<Timestamp>,
    /// When anything last changed.
    pub last_updated: Timestamp,
    /// When the password was set.
    pub password_changed: Option<Timestamp>,
    /// The profile.
    pub profile: Profile,
    /// Whether there is a password. What it is, nothing here asks.
    pub has_password: bool,
    /// The recovery question; none where there is none.
    pub question: Option<SmolStr>,
    /// Who vouches for the password.
    pub provider: Provider,
    /// The realm that they are in, where it is not the org's default realm.
    pub realm: Option<SmolStr>,
    /// The entity tag.
    #[serde(skip)]
    pub tag: Tag,
}

/// An entity tag, made when it is first asked for. A copy of a row has none: copies are made to be changed.
#[derive(Debug, Default)]
pub struct Tag(OnceLock<String>);

impl Clone for Tag {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl User {
    /// The login.
    pub fn login(&self) -> &str {
        self.profile.get(Attribute::LOGIN)
    }

    /// The account's entity tag. Status is no part of it, as recordings show.
    pub fn etag(&self) -> &str {
        self.tag.0.get_or_init(|| self.hash())
    }

    fn hash(&self) -> String {
        let mut text = Vec::with_capacity(512);
        text.extend_from_slice(self.id.as_bytes());
        for (attribute, value) in self.profile.iter() {
            text.push(attribute.number());
            text.extend_from_slice(value.as_bytes());
            text.push(0);
        }
        for (name, value) in self.profile.custom().iter() {
            text.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
        }
        ["W/\"", &blake3::hash(&text).to_hex(), "\""].concat()
    }

    /// Sets the status, where it is another one.
    pub fn become_status(&mut self, status: Status, now: Timestamp) {
        if self.status != status {
            self.status = status;
            self.status_changed = Some(now);
        }
        self.last_updated = now;
    }
}

/// What people can be searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserField {
    /// `id`.
    Id,
    /// The digit of [`Status::rank`]: the order of lists.
    Rank,
    /// `status`.
    Status,
    /// `created`.
    Created,
    /// `activated`.
    Activated,
    /// `statusChanged`.
    StatusChanged,
    /// `lastUpdated`.
    LastUpdated,
    /// `type.id`.
    Type,
    /// `profile.*`.
    Profile(Attribute),
    /// `profile.*` of a custom attribute, by the number of its name.
    Custom(u32),
}

/// A row of people that knows the one user type's id, which is the same for all.
#[derive(Debug)]
pub struct Typed<'a> {
    user: &'a User,
    type_id: &'a str,
}

impl Fields<UserField> for Typed<'_> {
    fn any(&self, field: &UserField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let user = self.user;
        let time = |at: Option<Timestamp>| at.map(|at| at.floor_secs().iso_millis());
        let stamp = match field {
            UserField::Id => return test(&user.id),
            UserField::Rank => return test(user.status.rank()),
            UserField::Status => return test(user.status.text()),
            UserField::Type if user.profile.of().is_empty() => return test(self.type_id),
            UserField::Type => return test(user.profile.of()),
            UserField::Profile(attribute) => {
                let value = user.profile.get(*attribute);
                return !value.is_empty() && test(value);
            }
            UserField::Custom(number) => {
                let value = user.profile.custom().value(*number);
                return value.is_some_and(|value| property::terms(value).iter().any(|term| test(term)));
            }
            UserField::Created => time(Some(user.created)),
            UserField::Activated => time(user.activated),
            UserField::StatusChanged => time(user.status_changed),
            UserField::LastUpdated => time(Some(user.last_updated)),
        };
        stamp.is_some_and(|text| test(&text))
    }
}

/// All people, with the indexes that keep every question flat.
#[derive(Clone, Debug)]
pub struct Users {
    table: Table<SmolStr, User>,
    by_login: OrdMap<SmolStr, SmolStr>,
    values: Values<UserField>,
    gone: u64,
    /// The id of the one user type.
    pub type_id: SmolStr,
    /// The id of its schema.
    pub schema_id: SmolStr,
}

impl Users {
    /// Nobody yet.
    pub fn new(type_id: SmolStr, schema_id: SmolStr) -> Self {
        Self { table: Table::new("users"), by_login: OrdMap::new(), values: Values::new(), gone: 0, type_id, schema_id }
    }

    /// A person by id.
    pub fn get(&self, id: &str) -> Option<&Arc<User>> {
        self.table.get(&SmolStr::new(id))
    }

    /// The holder of a login, in any case.
    pub fn by_login(&self, login: &str) -> Option<&Arc<User>> {
        self.by_login.get(login.to_lowercase().as_str()).and_then(|id| self.table.get(id))
    }

    /// A person by id, login, or the login's part before `@` where only one has it.
    pub fn find(&self, name: &str) -> Option<&Arc<User>> {
        self.get(name).or_else(|| self.by_login(name)).or_else(|| self.by_shortname(name))
    }

    fn by_shortname(&self, name: &str) -> Option<&Arc<User>> {
        let prefix = SmolStr::from(format!("{}@", name.to_lowercase()));
        let mut fitting =
            self.by_login.range(prefix.clone()..).take_while(|(login, _)| login.starts_with(prefix.as_str()));
        match (fitting.next(), fitting.next()) {
            (Some((_, id)), None) => self.table.get(id),
            _ => None,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// All, by id. Costs what the table holds: for views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<User>> {
        self.table.iter().map(|(_, user)| user)
    }

    /// All, by login. Costs what the table holds: for views.
    pub fn by_logins(&self) -> impl Iterator<Item = &Arc<User>> {
        self.by_login.values().filter_map(|id| self.table.get(id))
    }

    /// How many there are who are not deactivated.
    pub fn living(&self) -> u64 {
        self.len() as u64 - self.gone
    }

    /// People in id order from behind `after`, without those who are deactivated.
    pub fn living_after(&self, after: &str) -> impl Iterator<Item = &Arc<User>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let range = (Excluded(SmolStr::new(after)), Unbounded);
        self.table.range(range).map(|(_, user)| user).filter(|user| user.status != Status::Deprovisioned)
    }

    /// Ids of people one of whose names or mail address starts with `prefix` (lower case), in no promised order.
    pub fn starting_with(&self, prefix: &str) -> impl Iterator<Item = &SmolStr> {
        const ASKED: [Attribute; 3] = [Attribute::FIRST_NAME, Attribute::LAST_NAME, Attribute::EMAIL];
        let found = |attribute| self.values.starting(UserField::Profile(attribute), prefix);
        ASKED.into_iter().flat_map(found).map(|(_, _, id)| id)
    }

    /// The id of the type that a person is of.
    pub fn type_of<'a>(&'a self, user: &'a User) -> &'a SmolStr {
        if user.profile.of().is_empty() { &self.type_id } else { user.profile.of() }
    }

    /// People who have any value for a custom attribute; once a value.
    pub fn with_field(&self, field: UserField) -> impl Iterator<Item = &Arc<User>> {
        self.values.starting(field, "").filter_map(|(.., id)| self.table.get(id))
    }

    /// People who have a value, for an indexed attribute.
    pub fn with_value(&self, field: UserField, value: &str) -> impl Iterator<Item = &Arc<User>> {
        let key = <Self as Corpus>::key(field, value);
        self.values.equal(field, &key, &SmolStr::default()).filter_map(|(.., id)| self.table.get(id))
    }

    /// Writes a row and its index entries.
    pub fn put(&mut self, changes: &mut Changes, user: User) -> Arc<User> {
        let id = user.id.clone();
        let before = self.table.get(&id).cloned();
        if let Some(before) = &before
            && !before.login().eq_ignore_ascii_case(user.login())
        {
            self.by_login.remove(before.login().to_lowercase().as_str());
        }
        self.by_login.insert(user.login().to_lowercase().into(), id.clone());
        self.gone -= u64::from(before.as_ref().is_some_and(|before| before.status == Status::Deprovisioned));
        self.gone += u64::from(user.status == Status::Deprovisioned);
        self.values.replace(before.as_deref().map(entries).unwrap_or_default(), entries(&user));
        self.table.put(changes, id, user)
    }

    /// Removes a row and its index entries.
    pub fn remove(&mut self, changes: &mut Changes, id: &SmolStr) -> Option<Arc<User>> {
        let user = self.table.remove(changes, id)?;
        self.by_login.remove(user.login().to_lowercase().as_str());
        self.values.replace(entries(&user), Vec::new());
        self.gone -= u64::from(user.status == Status::Deprovisioned);
        Some(user)
    }
}

/// The index entries of a row.
fn entries(user: &User) -> Vec<(UserField, SmolStr, SmolStr)> {
    let time = |at: Timestamp| SmolStr::from(at.floor_secs().iso_millis());
    let entry = |field, value| (field, value, user.id.clone());
    let mut entries = vec![
        entry(UserField::Rank, SmolStr::new_static(user.status.rank())),
        entry(UserField::Created, time(user.created)),
        entry(UserField::LastUpdated, time(user.last_updated)),
    ];
    let attributes = user.profile.iter().filter(|(attribute, _)| attribute.info().indexed);
    entries.extend(attributes.map(|(a, value)| entry(UserField::Profile(a), value.to_lowercase().into())));
    entries.extend(user.profile.custom().entries(&user.id, UserField::Custom));
    if !user.profile.of().is_empty() {
        entries.push(entry(UserField::Type, user.profile.of().clone()));
    }
    entries
}

impl Corpus for Users {
    type Field = UserField;
    type Row = User;

    fn row(&self, id: &SmolStr) -> Option<&Arc<User>> {
        self.table.get(id)
    }

    fn rows_after(&self, after: &SmolStr) -> Box<dyn Iterator<Item = &Arc<User>> + '_> {
        use std::ops::Bound::{Excluded, Unbounded};
        Box::new(self.table.range((Excluded(after.clone()), Unbounded)).map(|(_, user)| user))
    }

    fn id(row: &User) -> &SmolStr {
        &row.id
    }

    fn values(&self) -> &Values<UserField> {
        &self.values
    }

    fn fields<'a>(&'a self, row: &'a User) -> Box<dyn Fields<UserField> + 'a> {
        Box::new(Typed { user: row, type_id: &self.type_id })
    }

    fn id_field(field: UserField) -> bool {
        field == UserField::Id
    }

    fn indexed(field: UserField) -> bool {
        match field {
            UserField::Rank | UserField::Created | UserField::LastUpdated | UserField::Custom(_) => true,
            UserField::Profile(attribute) => attribute.info().indexed,
            _ => false,
        }
    }

    fn equal_key(field: UserField, value: &SmolStr) -> Option<(UserField, SmolStr)> {
        match field {
            UserField::Status => {
                let status = Status::ALL.into_iter().find(|status| status.text().eq_ignore_ascii_case(value));
                // A status that there is not has nobody in it.
                Some((UserField::Rank, SmolStr::new_static(status.map_or("-", Status::rank))))
            }
            _ if Self::indexed(field) => Some((field, Self::key(field, value))),
            _ => None,
        }
    }

    fn key(field: UserField, value: &str) -> SmolStr {
        match field {
            UserField::Profile(_) | UserField::Custom(_) => value.to_lowercase().into(),
            _ => value.into(),
        }
    }

    fn has_plain_cursor(field: UserField) -> bool {
        field == UserField::Rank
    }
}
