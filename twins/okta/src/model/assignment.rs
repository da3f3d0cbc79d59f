//! Who may use an app: people by themselves, and people of the groups that it is assigned to.
//!
//! What a group brings is not written down person by person: it follows from the group's members. A row of a person is
//! there where the app was assigned to the person, or where something of the assignment was changed.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationUsers/.

use std::{
    collections::BTreeSet,
    iter::Peekable,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdSet;
use serde::Serialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    Act, State,
    app::App,
    event_type::{APP_USER_ADD, APP_USER_REMOVE, APP_USER_UPDATE, GROUP_APP_ADD, GROUP_APP_REMOVE, GROUP_APP_UPDATE},
    group::{Group, GroupType},
    log::Party,
    mapping::{self, Push},
    profile::Attribute,
    user::{Status, User},
};
use crate::error::Error;

/// What is written down of a person's use of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppUser {
    /// The app's id.
    pub app: SmolStr,
    /// The person's id.
    pub user: SmolStr,
    /// Whether the app was assigned to the person; else a group brings it.
    pub direct: bool,
    /// Since when.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// The name in the app; where nobody said, it follows from the app's template.
    pub user_name: Option<SmolStr>,
    /// When the password in the app was set; none where there is none.
    pub password_changed: Option<Timestamp>,
    /// What the app's mapping wrote when the person got the app.
    pub mapped: Map<String, Value>,
    /// The profile in the app, besides what groups bring.
    pub profile: Map<String, Value>,
}

/// An app's assignment to a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppGroup {
    /// The app's id.
    pub app: SmolStr,
    /// The group's id.
    pub group: SmolStr,
    /// Where it stands among the app's groups: smaller goes first. Shown are places, not ranks.
    pub rank: i64,
    /// Since when.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// The profile that its members get in the app.
    pub profile: Map<String, Value>,
}

type Pair = (SmolStr, SmolStr);

/// All assignments, with the indexes that find them from either end.
#[derive(Clone, Debug)]
pub struct Assignments {
    users: Table<Pair, AppUser>,
    apps_of_user: OrdSet<Pair>,
    groups: Table<Pair, AppGroup>,
    apps_of_group: OrdSet<Pair>,
    ranks: OrdSet<(SmolStr, i64, SmolStr)>,
}

impl Default for Assignments {
    fn default() -> Self {
        Self {
            users: Table::new("app_users"),
            apps_of_user: OrdSet::new(),
            groups: Table::new("app_groups"),
            apps_of_group: OrdSet::new(),
            ranks: OrdSet::new(),
        }
    }
}

fn pair(one: &str, other: &str) -> Pair {
    (SmolStr::new(one), SmolStr::new(other))
}

/// The second halves of an index's pairs whose first is `first`.
fn seconds<'a>(index: &'a OrdSet<Pair>, first: &str) -> impl Iterator<Item = &'a SmolStr> + use<'a> {
    let first = SmolStr::new(first);
    index.range((first.clone(), SmolStr::default())..).take_while(move |(of, _)| *of == first).map(|(_, other)| other)
}

impl Assignments {
    /// What is written down of a person and an app.
    pub fn user(&self, app: &str, user: &str) -> Option<&Arc<AppUser>> {
        self.users.get(&pair(app, user))
    }

    /// A group's assignment.
    pub fn group(&self, app: &str, group: &str) -> Option<&Arc<AppGroup>> {
        self.groups.get(&pair(app, group))
    }

    /// What is written down of an app's people, from behind `after`.
    fn users_of<'a>(&'a self, app: &SmolStr, after: &str) -> impl Iterator<Item = &'a Arc<AppUser>> + use<'a> {
        let (start, app) = ((app.clone(), SmolStr::new(after)), app.clone());
        self.users.range((Excluded(start), Unbounded)).take_while(move |((of, _), _)| *of == app).map(|(_, row)| row)
    }

    /// The ids of the people to whom an app is assigned by themselves.
    pub fn direct_users(&self, app: &App) -> impl Iterator<Item = &SmolStr> {
        self.users_of(&app.id, "").filter(|row| row.direct).map(|row| &row.user)
    }

    /// An app's groups, by priority, from behind a group of them.
    pub fn groups_of(&self, app: &str, after: Option<&AppGroup>) -> impl Iterator<Item = &Arc<AppGroup>> {
        let app = SmolStr::new(app);
        let start = after.map_or((i64::MIN, SmolStr::default()), |row| (row.rank, row.group.clone()));
        let rows = self.ranks.range((Excluded((app.clone(), start.0, start.1)), Unbounded));
        rows.take_while(move |(of, ..)| *of == app)
            .filter_map(|(app, _, group)| self.groups.get(&(app.clone(), group.clone())))
    }

    /// The place of a group among an app's.
    pub fn priority(&self, row: &AppGroup) -> usize {
        let before = |other: &&Arc<AppGroup>| (other.rank, &other.group) < (row.rank, &row.group);
        self.groups_of(&row.app, None).take_while(before).count()
    }

    /// The ids of the apps that are assigned to a group, in id order.
    pub fn apps_of_group(&self, group: &str) -> impl Iterator<Item = &SmolStr> {
        seconds(&self.apps_of_group, group)
    }

    fn put_user(&mut self, changes: &mut Changes, row: AppUser) {
        self.apps_of_user.insert((row.user.clone(), row.app.clone()));
        self.users.put(changes, (row.app.clone(), row.user.clone()), row);
    }

    fn remove_user(&mut self, changes: &mut Changes, app: &str, user: &str) -> Option<Arc<AppUser>> {
        self.apps_of_user.remove(&pair(user, app));
        self.users.remove(changes, &pair(app, user))
    }

    fn put_group(&mut self, changes: &mut Changes, row: AppGroup) -> Arc<AppGroup> {
        if let Some(before) = self.group(&row.app, &row.group) {
            let rank = (before.app.clone(), before.rank, before.group.clone());
            self.ranks.remove(&rank);
        }
        self.ranks.insert((row.app.clone(), row.rank, row.group.clone()));
        self.apps_of_group.insert((row.group.clone(), row.app.clone()));
        self.groups.put(changes, (row.app.clone(), row.group.clone()), row)
    }

    fn remove_group(&mut self, changes: &mut Changes, row: &AppGroup) {
        self.ranks.remove(&(row.app.clone(), row.rank, row.group.clone()));
        self.apps_of_group.remove(&(row.group.clone(), row.app.clone()));
        self.groups.remove(changes, &(row.app.clone(), row.group.clone()));
    }
}

/// The ids of a person's groups, Everyone among them.
fn groups_of_user<'a>(state: &'a State, user: &User) -> impl Iterator<Item = &'a SmolStr> + use<'a> {
    let everyone = (user.status != Status::Deprovisioned).then_some(&state.groups.everyone);
    everyone.into_iter().chain(state.members.of_user(&user.id).collect::<Vec<_>>())
}

/// The assignment of the first of a person's groups that brings an app.
fn bringing<'a>(state: &'a State, app: &str, user: &User) -> Option<&'a Arc<AppGroup>> {
    let found = groups_of_user(state, user).filter_map(|group| state.assignments.group(app, group));
    found.min_by_key(|row| (row.rank, row.group.clone()))
}

/// A person's use of an app, from all that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// `0ua...`: the assignment's id.
    pub id: SmolStr,
    /// The person's id.
    pub user: SmolStr,
    /// Whether the app was assigned to the person; else a group brings it.
    pub direct: bool,
    /// Since when.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// The name in the app; none where the app has no names.
    pub user_name: Option<SmolStr>,
    /// When the password in the app was set; none where there is none.
    pub password_changed: Option<Timestamp>,
    /// The profile in the app.
    pub profile: Map<String, Value>,
}

/// A person's use of an app; none where nothing brings it.
pub fn find(state: &State, app: &App, user: &User) -> Option<Use> {
    let row = state.assignments.user(&app.id, &user.id);
    let group = bringing(state, &app.id, user);
    let since = |group: &AppGroup| group.created.max(user.created);
    let (created, last_updated) = match (row, group) {
        (Some(row), _) if row.direct => (row.created, row.last_updated),
        (Some(row), Some(group)) => (since(group), row.last_updated),
        (None, Some(group)) => (since(group), since(group)),
        (_, None) => return None,
    };
    // What is said of the person goes before what is said of the group, and both before what mappings bring.
    let mut profile = row.map(|row| row.mapped.clone()).unwrap_or_default();
    profile.extend(mapping::values(state, &app.id, user, Push::Always));
    profile.extend(group.map(|group| group.profile.clone()).unwrap_or_default());
    profile.extend(row.map(|row| row.profile.clone()).unwrap_or_default());
    let said = row.and_then(|row| row.user_name.clone());
    Some(Use {
        id: id(&app.id, &user.id),
        user: user.id.clone(),
        direct: row.is_some_and(|row| row.direct),
        created,
        last_updated,
        user_name: said.or_else(|| user_name(app, user)),
        password_changed: row.and_then(|row| row.password_changed),
        profile,
    })
}

/// The id of an assignment follows from what it joins: there may be none written down.
pub fn id(app: &str, user: &str) -> SmolStr {
    let hash = URL_SAFE_NO_PAD.encode(blake3::hash(format!("{app}/{user}").as_bytes()).as_bytes());
    let drawn: String =
        hash.chars().filter(char::is_ascii_alphanumeric).chain("00000000000000".chars()).take(14).collect();
    format!("0ua{drawn}5d7").into()
}

/// A person's name in an app, by the app's template.
fn user_name(app: &App, user: &User) -> Option<SmolStr> {
    let credentials = &app.parts.credentials;
    if credentials["scheme"] == "SHARED_USERNAME_AND_PASSWORD" {
        return credentials["userName"].as_str().map(SmolStr::new);
    }
    if credentials["userNameTemplate"]["type"] == "NONE" {
        return None;
    }
    let template = credentials["userNameTemplate"]["template"].as_str().unwrap_or_default();
    let (email, login) = (user.profile.get(Attribute::EMAIL), user.login());
    let source = if template.contains("source.email") { email } else { login };
    let prefix = template.contains("fn:substringBefore");
    let name = if prefix { source.split('@').next().unwrap_or_default() } else { source };
    Some(if template.contains("fn:toLowerCase") { name.to_lowercase().into() } else { name.into() })
}

/// The ids of the people who may use an app, in id order from behind `after`, lazily.
pub fn people<'a>(state: &'a State, app: &'a App, after: &'a str) -> impl Iterator<Item = SmolStr> + use<'a> {
    type Ids<'a> = Peekable<Box<dyn Iterator<Item = &'a SmolStr> + 'a>>;
    let direct = state.assignments.users_of(&app.id, after).filter(|row| row.direct).map(|row| &row.user);
    let direct: Box<dyn Iterator<Item = &'a SmolStr> + 'a> = Box::new(direct);
    let mut sources: Vec<Ids<'a>> = vec![direct.peekable()];
    for row in state.assignments.groups_of(&app.id, None) {
        let members: Box<dyn Iterator<Item = &'a SmolStr> + 'a> = if row.group == state.groups.everyone {
            Box::new(state.users.living_after(after).map(|user| &user.id))
        } else {
            Box::new(state.members.of_group(&row.group, after))
        };
        sources.push(members.peekable());
    }
    std::iter::from_fn(move || {
        let next = sources.iter_mut().filter_map(|source| source.peek().copied()).min()?.clone();
        for source in &mut sources {
            source.next_if(|id| **id == next);
        }
        Some(next)
    })
}

/// The ids of the apps that a person may use, in id order.
pub fn apps_of(state: &State, user: &User) -> BTreeSet<SmolStr> {
    let written = seconds(&state.assignments.apps_of_user, &user.id);
    let direct = written.filter(|app| state.assignments.user(app, &user.id).is_some_and(|row| row.direct));
    let groups = groups_of_user(state, user);
    let brought = groups.flat_map(|group| seconds(&state.assignments.apps_of_group, group));
    direct.chain(brought).cloned().collect()
}

/// What a caller says of a person's use of an app.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The name in the app.
    pub user_name: Option<SmolStr>,
    /// Whether a password comes with it. What it is, nothing here asks.
    pub password: bool,
    /// Members of the profile to set.
    pub profile: Map<String, Value>,
}

impl Change {
    /// Credentials that the app's scheme leaves to others are refused.
    fn check(&self, app: &App) -> Result<(), Error> {
        let scheme = app.parts.credentials["scheme"].as_str();
        let shared = scheme == Some("SHARED_USERNAME_AND_PASSWORD");
        let password = self.password && (scheme.is_none() || scheme == Some("EXTERNAL_PASSWORD_SYNC"));
        if password || (shared && (self.password || self.user_name.is_some())) {
            return Err(Error::AppCredentials);
        }
        Ok(())
    }

    fn apply(self, mut row: AppUser, now: Timestamp) -> AppUser {
        row.user_name = self.user_name.or(row.user_name);
        row.password_changed = if self.password { Some(now) } else { row.password_changed };
        row.profile.extend(self.profile);
        row.last_updated = now;
        row
    }
}

fn blank(app: &App, user: &User, direct: bool, now: Timestamp) -> AppUser {
    AppUser {
        app: app.id.clone(),
        user: user.id.clone(),
        direct,
        created: now,
        last_updated: now,
        user_name: None,
        password_changed: None,
        mapped: Map::new(),
        profile: Map::new(),
    }
}

/// Keeps what an app's mapping writes for a person who has just got the app.
pub fn keep_mapped(act: &mut Act<'_, '_>, app: &App, user: &User, mapped: Map<String, Value>) {
    let now = act.now();
    let before = act.state.assignments.user(&app.id, &user.id).map(|row| AppUser::clone(row));
    let row = AppUser { mapped, ..before.unwrap_or_else(|| blank(app, user, false, now)) };
    act.state.assignments.put_user(&mut act.tx.changes, row);
}

/// Assigns an app to a person; where it is assigned already, its name, password and profile there change.
///
/// # Errors
/// A person who is deactivated, or credentials that the app does not take.
pub fn assign(act: &mut Act<'_, '_>, app: &App, user: &User, change: Change) -> Result<(), Error> {
    if user.status == Status::Deprovisioned {
        return Err(Error::InactiveUser);
    }
    change.check(app)?;
    let now = act.now();
    let before = act.state.assignments.user(&app.id, &user.id).map(|row| AppUser::clone(row));
    let is_new = find(act.state, app, user).is_none();
    let row = before.filter(|_| !is_new).unwrap_or_else(|| blank(app, user, true, now));
    let row = change.apply(AppUser { direct: true, ..row }, now);
    act.state.assignments.put_user(&mut act.tx.changes, row);
    act.log(if is_new { &APP_USER_ADD } else { &APP_USER_UPDATE }, targets(app, user));
    Ok(())
}

/// Changes a person's name, password or profile in an app.
///
/// # Errors
/// Credentials that the app does not take.
pub fn update(act: &mut Act<'_, '_>, app: &App, user: &User, change: Change) -> Result<(), Error> {
    change.check(app)?;
    let now = act.now();
    let before = act.state.assignments.user(&app.id, &user.id).map(|row| AppUser::clone(row));
    let row = change.apply(before.unwrap_or_else(|| blank(app, user, false, now)), now);
    act.state.assignments.put_user(&mut act.tx.changes, row);
    act.log(&APP_USER_UPDATE, targets(app, user));
    Ok(())
}

/// Leaves a person's use of an app to the groups that bring it.
///
/// # Errors
/// No group of the person's brings it.
pub fn leave_to_groups(act: &mut Act<'_, '_>, app: &App, user: &User) -> Result<(), Error> {
    if bringing(act.state, &app.id, user).is_none() {
        return Err(Error::invalid("scope", "scope: The user is in no group that the app is assigned to"));
    }
    if act.state.assignments.remove_user(&mut act.tx.changes, &app.id, &user.id).is_some() {
        act.log(&APP_USER_UPDATE, targets(app, user));
    }
    Ok(())
}

/// Takes an app from a person, with all that was written down. What a group brings, it goes on to bring.
///
/// # Errors
/// An app that a group brings as well: <https://github.com/articulate/terraform-provider-okta/issues/120>.
pub fn unassign(act: &mut Act<'_, '_>, app: &App, user: &User) -> Result<(), Error> {
    if bringing(act.state, &app.id, user).is_some() {
        let cause =
            "The application cannot be unassigned from the user while their group memberships grant them access";
        return Err(Error::because("E0000046", cause));
    }
    act.state.assignments.remove_user(&mut act.tx.changes, &app.id, &user.id);
    act.log(&APP_USER_REMOVE, targets(app, user));
    Ok(())
}

fn targets(app: &App, user: &User) -> Vec<Party> {
    let name = user_name(app, user).unwrap_or_else(|| user.login().into());
    let in_app = Party {
        id: id(&app.id, &user.id),
        kind: "AppUser",
        alternate_id: name,
        display_name: user.profile.full_name().into(),
    };
    vec![in_app, Party::app(app), Party::user(user)]
}

/// The gap between ranks, so that one more fits between.
const GAP: i64 = 1 << 20;

/// The rank of a place among an app's groups, the group itself left out.
fn rank(act: &Act<'_, '_>, app: &str, group: &str, place: usize) -> i64 {
    let others = act.state.assignments.groups_of(app, None).filter(|row| row.group != group).map(|row| row.rank);
    let others: Vec<i64> = others.collect();
    match (place.checked_sub(1).and_then(|before| others.get(before)), others.get(place)) {
        (None, None) => others.last().map_or(0, |last| last + GAP),
        (None, Some(after)) => after - GAP,
        (Some(before), None) => before + GAP,
        (Some(before), Some(after)) => before + (after - before) / 2,
    }
}

/// Assigns an app to a group, before all other groups where no place is given; where it is assigned already, place and
/// profile change.
pub fn assign_group(
    act: &mut Act<'_, '_>,
    app: &App,
    group: &Group,
    place: Option<usize>,
    profile: Option<Map<String, Value>>,
) -> Arc<AppGroup> {
    let now = act.now();
    let before = act.state.assignments.group(&app.id, &group.id).cloned();
    let kept = before.as_ref().filter(|_| place.is_none()).map(|row| row.rank);
    let rank = kept.unwrap_or_else(|| rank(act, &app.id, &group.id, place.unwrap_or(0)));
    let row = AppGroup {
        app: app.id.clone(),
        group: group.id.clone(),
        rank,
        created: before.as_ref().map_or(now, |row| row.created),
        last_updated: now,
        profile: profile.or_else(|| before.as_ref().map(|row| row.profile.clone())).unwrap_or_default(),
    };
    let newcomers = if before.is_some() { Vec::new() } else { strangers(act.state, app, group) };
    let row = act.state.assignments.put_group(&mut act.tx.changes, row);
    let event = if before.is_some() { &GROUP_APP_UPDATE } else { &GROUP_APP_ADD };
    act.log(event, vec![Party::group(group), Party::app(app)]);
    for user in newcomers {
        act.log(&APP_USER_ADD, targets(app, &user));
    }
    row
}

fn members(state: &State, group: &Group) -> Vec<Arc<User>> {
    match group.r#type {
        GroupType::BuiltIn => state.users.living_after("").cloned().collect(),
        GroupType::OktaGroup | GroupType::AppGroup => {
            state.members.of_group(&group.id, "").filter_map(|id| state.users.get(id)).cloned().collect()
        }
    }
}

/// The members of a group who may not use an app.
fn strangers(state: &State, app: &App, group: &Group) -> Vec<Arc<User>> {
    members(state, group).into_iter().filter(|user| find(state, app, user).is_none()).collect()
}

/// Takes an app from a group, and so from those of its members to whom nothing else brings it.
pub fn unassign_group(act: &mut Act<'_, '_>, app: &App, group: &Group) {
    let Some(row) = act.state.assignments.group(&app.id, &group.id).cloned() else { return };
    act.state.assignments.remove_group(&mut act.tx.changes, &row);
    act.log(&GROUP_APP_REMOVE, vec![Party::group(group), Party::app(app)]);
    for user in strangers(act.state, app, group) {
        lost(act, app, &user);
    }
}

/// Nothing brings the app to the person any more.
fn lost(act: &mut Act<'_, '_>, app: &App, user: &User) {
    act.state.assignments.remove_user(&mut act.tx.changes, &app.id, &user.id);
    act.log(&APP_USER_REMOVE, targets(app, user));
}

fn apps_of_group(state: &State, group: &Group) -> Vec<Arc<App>> {
    state.assignments.apps_of_group(&group.id).filter_map(|id| state.apps.get(id)).cloned().collect()
}

/// A person has joined a group: its apps are the person's.
pub fn joined(act: &mut Act<'_, '_>, group: &Group, user: &User) {
    for app in apps_of_group(act.state, group) {
        let others = groups_of_user(act.state, user).filter(|other| **other != group.id);
        let had = others.into_iter().any(|other| act.state.assignments.group(&app.id, other).is_some());
        let direct = act.state.assignments.user(&app.id, &user.id).is_some_and(|row| row.direct);
        if !had && !direct {
            act.log(&APP_USER_ADD, targets(&app, user));
        }
    }
}

/// A person has left a group: the apps that only it brought are gone.
pub fn left(act: &mut Act<'_, '_>, group: &Group, user: &User) {
    for app in apps_of_group(act.state, group) {
        if find(act.state, &app, user).is_none() {
            lost(act, &app, user);
        }
    }
}

/// A person is deactivated: apps that were assigned to the person are taken.
pub fn drop_user(act: &mut Act<'_, '_>, user: &User) {
    let apps: Vec<SmolStr> = seconds(&act.state.assignments.apps_of_user, &user.id).cloned().collect();
    let brought: Vec<SmolStr> = act.state.assignments.apps_of_group(&act.state.groups.everyone).cloned().collect();
    let all: BTreeSet<SmolStr> = apps.into_iter().chain(brought).collect();
    for id in all {
        if let Some(app) = act.state.apps.get(&id).cloned() {
            lost(act, &app, user);
        }
    }
}

/// A group is about to be deleted: its apps are taken from it first.
pub fn drop_group(act: &mut Act<'_, '_>, group: &Group) {
    for app in apps_of_group(act.state, group) {
        unassign_group(act, &app, group);
    }
}

/// An app is about to be deleted: its assignments go with it, without a word in the log.
pub fn drop_app(act: &mut Act<'_, '_>, app: &App) {
    let users: Vec<SmolStr> = act.state.assignments.users_of(&app.id, "").map(|row| row.user.clone()).collect();
    for user in users {
        act.state.assignments.remove_user(&mut act.tx.changes, &app.id, &user);
    }
    let groups: Vec<Arc<AppGroup>> = act.state.assignments.groups_of(&app.id, None).cloned().collect();
    for row in groups {
        act.state.assignments.remove_group(&mut act.tx.changes, &row);
    }
}
