//! The views that grow with an org, read row by row.

use std::sync::Arc;

use dtu_kernel::rows::{Column, Index, Rows, Stream};
use serde_json::json;
use smol_str::SmolStr;

use crate::{
    model::{
        State,
        group::{Group, GroupField, GroupType},
        log::{Entry, LogField, Party, PartyField, mark},
        profile::Attribute,
        user::{Status, User, UserField},
    },
    views::group_names,
};

/// People by login.
pub(crate) static USERS: Rows<State, User> = Rows {
    columns: &[
        Column::one("id", |_, user| json!(user.id)),
        Column::one("login", |_, user| json!(user.login())),
        Column::one("email", |_, user| json!(user.profile.get(Attribute::EMAIL))),
        Column::one("status", |_, user| json!(user.status)),
        Column::one("department", |_, user| json!(user.profile.get(Attribute::DEPARTMENT))),
        Column::one("manager", |_, user| json!(user.profile.get(Attribute::MANAGER_ID))),
        Column::many(
            "groups",
            |state, user| json!(group_names(state, user)),
            in_group_named,
            |state, user| usize::from(user.status != Status::Deprovisioned) + state.members.of_user(&user.id).count(),
        ),
    ],
    all: |state| Box::new(state.users.by_logins().cloned()),
    len: |state| state.users.len(),
    indexes: &[
        Index::new("id", |state, id| Box::new(state.users.get(&id).cloned().into_iter())),
        Index::new("login", |state, login| Box::new(state.users.by_login(&login).cloned().into_iter())),
        Index::new("email", with_email),
    ],
};

/// Whoever has a mail address, by login. Without one a person is in no index.
fn with_email(state: &State, email: SmolStr) -> Stream<'_, User> {
    if email.is_empty() {
        return (USERS.all)(state);
    }
    let mut found: Vec<&Arc<User>> = state.users.with_value(UserField::Profile(Attribute::EMAIL), &email).collect();
    found.sort_by_key(|user| user.login().to_lowercase());
    Box::new(found.into_iter().cloned())
}

fn in_group_named(state: &State, user: &User, name: &str) -> bool {
    let lives = user.status != Status::Deprovisioned;
    let in_group = |group: &Group| {
        let is_everyone = group.id == state.groups.everyone;
        (is_everyone && lives) || (!is_everyone && state.members.contains(&group.id, &user.id))
    };
    named(state, name.into()).any(|group| in_group(&group))
}

/// Groups by name.
pub(crate) static GROUPS: Rows<State, Group> = Rows {
    columns: &[
        Column::one("id", |_, group| json!(group.id)),
        Column::one("name", |_, group| json!(group.name)),
        Column::one("type", |_, group| json!(group.r#type)),
        Column::many(
            "members",
            |state, group| members(state, group).iter().map(|user| json!(user.login())).collect(),
            |state, group, login| {
                let user = state.users.by_login(login).filter(|user| user.login() == login);
                user.is_some_and(|user| is_member(state, group, user))
            },
            |state, group| match group.r#type {
                GroupType::BuiltIn => usize::try_from(state.users.living()).unwrap_or(usize::MAX),
                GroupType::OktaGroup | GroupType::AppGroup => state.members.of_group(&group.id, "").count(),
            },
        ),
    ],
    all: |state| Box::new(by_name(state).cloned()),
    len: |state| state.groups.iter().count(),
    indexes: &[
        Index::new("id", |state, id| Box::new(state.groups.get(&id).cloned().into_iter())),
        Index::new("name", named),
    ],
};

fn named(state: &State, name: SmolStr) -> Stream<'_, Group> {
    let found: Vec<Arc<Group>> = state.groups.with_value(GroupField::Name, &name).cloned().collect();
    Box::new(found.into_iter().filter(move |group| group.name == name))
}

fn is_member(state: &State, group: &Group, user: &User) -> bool {
    match group.r#type {
        GroupType::BuiltIn => user.status != Status::Deprovisioned,
        GroupType::OktaGroup | GroupType::AppGroup => state.members.contains(&group.id, &user.id),
    }
}

/// A group's members by login.
fn members<'s>(state: &'s State, group: &Group) -> Vec<&'s Arc<User>> {
    let mut members: Vec<&Arc<User>> = match group.r#type {
        GroupType::BuiltIn => state.users.living_after("").collect(),
        GroupType::OktaGroup | GroupType::AppGroup => {
            state.members.of_group(&group.id, "").filter_map(|id| state.users.get(id)).collect()
        }
    };
    members.sort_by(|a, b| a.login().cmp(b.login()));
    members
}

/// That a person is in a group.
#[derive(Debug)]
pub(crate) struct Member {
    group: Arc<Group>,
    user: Arc<User>,
}

/// Who is in which group, Everyone left out.
pub(crate) static MEMBERSHIPS: Rows<State, Member> = Rows {
    columns: &[
        Column::one("group", |_, row| json!(row.group.name)),
        Column::one("user", |_, row| json!(row.user.login())),
    ],
    all: |state| Box::new(own(state).flat_map(|group| of_group(state, group))),
    len: |state| own(state).map(|group| state.members.of_group(&group.id, "").count()).sum(),
    indexes: &[
        Index::new("user", |state, login| {
            let user = state.users.by_login(&login);
            Box::new(user.into_iter().flat_map(|user| of_user(state, user)))
        }),
        Index::new("group", |state, name| {
            let groups = named(state, name).filter(|group| group.r#type != GroupType::BuiltIn);
            Box::new(groups.flat_map(|group| of_group(state, &group)))
        }),
    ],
};

/// All groups in the order of the view, which heeds case as the index by name does not.
fn by_name(state: &State) -> impl Iterator<Item = &Arc<Group>> {
    let mut groups: Vec<&Arc<Group>> = state.groups.iter().collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups.into_iter()
}

fn own(state: &State) -> impl Iterator<Item = &Arc<Group>> {
    by_name(state).filter(|group| group.r#type != GroupType::BuiltIn)
}

fn of_group(state: &State, group: &Arc<Group>) -> impl Iterator<Item = Arc<Member>> + use<> {
    let row = |user: &Arc<User>| Arc::new(Member { group: Arc::clone(group), user: Arc::clone(user) });
    members(state, group).into_iter().map(row).collect::<Vec<_>>().into_iter()
}

/// A person's groups in the order of the view.
fn of_user(state: &State, user: &Arc<User>) -> impl Iterator<Item = Arc<Member>> + use<> {
    let mut groups: Vec<&Arc<Group>> = state.members.of_user(&user.id).filter_map(|id| state.groups.get(id)).collect();
    groups.sort_by_key(|group| (&group.name, &group.id));
    let row = |group: &Arc<Group>| Arc::new(Member { group: Arc::clone(group), user: Arc::clone(user) });
    groups.into_iter().map(row).collect::<Vec<_>>().into_iter()
}

/// The System Log, oldest first.
pub(crate) static LOG: Rows<State, Entry> = Rows {
    columns: &[
        Column::one("eventType", |_, entry| json!(entry.event.name)),
        Column::one("actor", |_, entry| json!(entry.actor.alternate_id)),
        Column::one("targets", |_, entry| entry.targets.iter().map(|target| json!(shown(target))).collect()),
        Column::one("outcome", |_, entry| json!(entry.outcome.result)),
        Column::one("published", |_, entry| json!(entry.published.iso_millis())),
    ],
    all: |state| Box::new(state.log.iter().cloned()),
    len: |state| state.log.iter().count(),
    indexes: &[
        Index::new("actor", |state, name| marked(state, LogField::Actor(PartyField::AlternateId), &name)),
        Index::new("eventType", |state, name| marked(state, LogField::EventType, &name)),
    ],
};

fn shown(target: &Party) -> &SmolStr {
    if target.alternate_id == "unknown" { &target.display_name } else { &target.alternate_id }
}

/// Entries with a value for a field. What is empty is in no index.
fn marked<'s>(state: &'s State, field: LogField, value: &str) -> Stream<'s, Entry> {
    if value.is_empty() {
        return (LOG.all)(state);
    }
    Box::new(state.log.between(0, u64::MAX, Some(&[mark(field, value)]), false).cloned())
}
