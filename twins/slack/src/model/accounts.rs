//! What administrators and identity providers do to accounts: make, change, end and bring them back.

use std::sync::Arc;

use dtu_kernel::{time::Timestamp, tx::Tx};
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    State, USER,
    audit::{self, Entity},
    channels,
    people::{self, Account, Role, User},
    restrictions, sessions,
    status::About,
};
use crate::{announce, events};

/// The timer that ends a guest's access.
pub(crate) const EXPIRY_TIMER: &str = "guest";

/// What an account is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewAccount {
    pub(crate) email: SmolStr,
    pub(crate) name: SmolStr,
    pub(crate) first: SmolStr,
    pub(crate) last: SmolStr,
    pub(crate) role: Option<Role>,
    pub(crate) account: Account,
    pub(crate) channels: Vec<SmolStr>,
}

/// A user name that nobody has, like the one wanted.
pub(crate) fn free_name(state: &State, wanted: &str) -> SmolStr {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let base: String = wanted.split('@').next().unwrap_or_default().chars().filter(|c| fits(*c)).collect();
    let base = SmolStr::new(base.to_lowercase());
    let others = (2..).map(|n| format_smolstr!("{base}{n}"));
    let mut names = std::iter::once(base.clone()).chain(others);
    names.find(|name| !state.index.user_by_name.contains_key(name)).unwrap_or(base)
}

/// Makes an account and puts the person into the channels that new people are in.
pub(crate) fn create(state: &mut State, tx: &mut Tx<'_>, by: &SmolStr, new: NewAccount) -> Arc<User> {
    let now = tx.now.as_secs();
    let real_name = format_smolstr!("{} {}", new.first, new.last);
    let user = User {
        id: tx.id(&USER),
        // People who are not of the world are known by their address.
        key: Some(new.email.clone()),
        name: free_name(state, if new.name.is_empty() { &new.email } else { &new.name }),
        real_name: real_name.trim().into(),
        first: new.first,
        last: new.last,
        email: Some(new.email),
        title: SmolStr::default(),
        phone: SmolStr::default(),
        tz: SmolStr::new_static("America/Los_Angeles"),
        role: new.role.unwrap_or(Role::Member),
        app: None,
        about: About::default(),
        account: Account { created: now, ..new.account },
        deleted: false,
        updated: now,
    };
    let user = people::add(state, tx, user);
    let action = if user.role == Role::Guest { "guest_created" } else { "user_created" };
    audit::log(state, tx, by, action, &Entity::user(&user.id));
    settle(state, tx, by, (&user, &new.channels));
    announce::team_join(state, tx, &user);
    user
}

/// Puts somebody new into channels, and sets when a guest's access ends.
fn settle(state: &mut State, tx: &mut Tx<'_>, by: &SmolStr, (user, wanted): (&User, &[SmolStr])) {
    let mut all: Vec<SmolStr> = Vec::new();
    if user.is_full_member() {
        let home = state.enterprise.teams.get(&state.workspace.id);
        all.extend(home.map(|team| team.default_channels.clone()).unwrap_or_default());
        all.extend(state.index.general.clone());
    }
    all.extend(wanted.iter().cloned());
    for channel in all {
        let row = state.channels.get(&channel).filter(|row| row.kind.is_channel() && !row.archived);
        let row = row.filter(|_| !state.is_member(&channel, &user.id));
        if row.is_some_and(|row| restrictions::check_join(state, row, &user.id, 0).is_ok()) {
            channels::join(state, tx, &channel, &user.id, Some(by));
        }
    }
    if user.account.expires > 0 {
        watch(tx, &user.id, user.account.expires);
    }
}

/// Changes an account; apps hear of it.
pub(crate) fn edit(
    state: &mut State,
    tx: &mut Tx<'_>,
    id: &SmolStr,
    edit: impl FnOnce(&mut User),
) -> Option<Arc<User>> {
    let before = state.users.get(id).cloned()?;
    let now = tx.now.as_secs();
    let mut user = User::clone(&before);
    edit(&mut user);
    user.updated = now;
    if before.email != user.email
        && let Some(email) = &before.email
    {
        state.index.user_by_email.remove(email.to_ascii_lowercase().as_str());
    }
    if before.name != user.name {
        state.index.user_by_name.remove(&before.name);
    }
    let user = people::add(state, tx, user);
    events::user_changed(state, tx, &user);
    Some(user)
}

/// Gives somebody another role in the home workspace.
pub(crate) fn set_role(state: &mut State, tx: &mut Tx<'_>, by: &SmolStr, (id, role, single): (&SmolStr, Role, bool)) {
    let changed = edit(state, tx, id, |user| {
        (user.role, user.account.single_channel) = (role, single);
        if role != Role::Guest {
            user.account.expires = 0;
        }
    });
    if changed.is_some() {
        let action = match role {
            Role::PrimaryOwner | Role::Owner => "role_change_to_owner",
            Role::Admin => "role_change_to_admin",
            Role::Guest => "role_change_to_guest",
            Role::Member | Role::Bot => "role_change_to_user",
        };
        audit::log(state, tx, by, action, &Entity::user(id));
    }
}

/// Ends somebody's account in the home workspace: the person is in no channel, and the person's tokens are over.
pub(crate) fn deactivate(state: &mut State, tx: &mut Tx<'_>, by: &SmolStr, id: &SmolStr) {
    let guest = state.users.get(id).is_some_and(|user| user.role == Role::Guest);
    people::deactivate(state, tx, id);
    sessions::end_all(state, tx, id, sessions::Which::default());
    let action = if guest { "guest_deactivated" } else { "user_deactivated" };
    audit::log(state, tx, by, action, &Entity::user(id));
}

/// Ends somebody's account in the whole company.
pub(crate) fn end(state: &mut State, tx: &mut Tx<'_>, by: &SmolStr, id: &SmolStr) {
    let now = tx.now.as_secs();
    let others: Vec<SmolStr> = state.users.get(id).map(|user| state.teams_of(user)).unwrap_or_default();
    for team in others.iter().filter(|team| **team != state.workspace.id).cloned().collect::<Vec<_>>() {
        super::org::remove_seat(state, tx, &team, id);
    }
    state.users.update(&mut tx.changes, id, |user| user.account.ended = now);
    deactivate(state, tx, by, id);
}

/// Brings an account back into the home workspace.
pub(crate) fn reactivate(
    state: &mut State,
    tx: &mut Tx<'_>,
    by: &SmolStr,
    (id, role, account): (&SmolStr, Role, &Account),
    wanted: &[SmolStr],
) {
    let back = edit(state, tx, id, |user| {
        (user.deleted, user.role) = (false, role);
        (user.account.single_channel, user.account.expires) = (account.single_channel, account.expires);
        user.account.ended = 0;
    });
    if let Some(user) = back {
        let action = if role == Role::Guest { "guest_reactivated" } else { "user_reactivated" };
        audit::log(state, tx, by, action, &Entity::user(id));
        settle(state, tx, by, (&user, wanted));
    }
}

/// Sets when a guest's access ends.
pub(crate) fn set_expiry(state: &mut State, tx: &mut Tx<'_>, by: &SmolStr, (id, at): (&SmolStr, i64)) {
    edit(state, tx, id, |user| user.account.expires = at);
    watch(tx, id, at);
    audit::log(state, tx, by, "guest_expiration_set", &Entity::user(id));
}

fn watch(tx: &mut Tx<'_>, id: &SmolStr, at: i64) {
    tx.timer(Timestamp::from_secs(at), EXPIRY_TIMER, json!([id, at]));
}

/// A guest's time is over, unless it was moved meanwhile.
pub(crate) fn expire(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let (id, at) = (SmolStr::new(data[0].as_str().unwrap_or_default()), data[1].as_i64());
    let due = |user: &Arc<User>| user.role == Role::Guest && !user.deleted && Some(user.account.expires) == at;
    if state.users.get(&id).is_some_and(due) {
        audit::log(state, tx, &id, "guest_expired", &Entity::user(&id));
        people::deactivate(state, tx, &id);
    }
}
