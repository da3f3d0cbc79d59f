//! From what a write has done to people and apps, to what is to be done in apps.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::{groups, start};
use crate::model::{
    Act,
    app::App,
    assignment,
    event_type::{
        ACCOUNT_PROFILE, APP_DELETE, APP_USER_ADD, APP_USER_REMOVE, APP_USER_UPDATE, GROUP_PROFILE, MEMBER_ADD,
        MEMBER_REMOVE,
    },
    log::Entry,
    provisioning::{Account, Stage, Task},
};

/// What an entry of the log means for accounts in apps.
enum Meaning {
    /// A person and an app.
    Task(Task, SmolStr, SmolStr),
    /// A person's profile has changed.
    Profile(SmolStr),
    /// A group's name or people have changed.
    Group(SmolStr),
    /// An app is gone.
    Gone(SmolStr),
}

fn target(entry: &Entry, kind: &str) -> Option<SmolStr> {
    entry.targets.iter().find(|target| target.kind == kind).map(|target| target.id.clone())
}

fn meaning(entry: &Entry) -> Option<Meaning> {
    let task = match entry.event {
        event if *event == APP_USER_ADD => Task::Provision,
        event if *event == APP_USER_REMOVE => Task::Deactivate,
        event if *event == APP_USER_UPDATE => Task::Update,
        event if *event == ACCOUNT_PROFILE => return target(entry, "User").map(Meaning::Profile),
        event if *event == MEMBER_ADD || *event == MEMBER_REMOVE || *event == GROUP_PROFILE => {
            return target(entry, "UserGroup").map(Meaning::Group);
        }
        event if *event == APP_DELETE => return target(entry, "AppInstance").map(Meaning::Gone),
        _ => return None,
    };
    Some(Meaning::Task(task, target(entry, "AppInstance")?, target(entry, "User")?))
}

/// Ends a write: what it logged of assignments and profiles becomes calls of the apps that are provisioned.
pub fn follow(act: &mut Act<'_, '_>) {
    if act.state.provisioning.is_idle() {
        return;
    }
    let means: Vec<Meaning> =
        act.logged().filter_map(|seq| act.state.log.get(seq)).filter_map(|entry| meaning(entry)).collect();
    let mut groups = BTreeSet::new();
    for meaning in means {
        match meaning {
            Meaning::Group(group) => drop(groups.insert(group)),
            Meaning::Task(task, app, user) => queue(act, &app, &user, task),
            Meaning::Profile(user) => {
                for app in act.state.provisioning.apps_of(&user) {
                    queue(act, &app, &user, Task::Update);
                }
            }
            Meaning::Gone(app) => act.state.provisioning.drop_app(&mut act.tx.changes, &app),
        }
    }
    groups::follow(act, &groups);
}

/// The app, where Okta may do a task in it now.
fn provisioned(act: &Act<'_, '_>, app: &str, task: Task) -> Option<std::sync::Arc<App>> {
    let connection = act.state.provisioning.connection(app).filter(|connection| connection.enabled)?;
    let may = match task {
        Task::Provision => connection.powers.create,
        Task::Update => connection.powers.update,
        Task::Deactivate => connection.powers.deactivate,
    };
    let app = act.state.apps.get(app).filter(|app| app.active)?;
    (may && connection.base_url.is_some()).then(|| app.clone())
}

/// Adds a task to an account's, where it changes something, and begins it where nothing else is under way.
fn queue(act: &mut Act<'_, '_>, app: &str, user: &SmolStr, task: Task) {
    // What an import takes from the app is not sent back to it.
    let importing = act.state.provisioning.runs.get(&SmolStr::new(app)).map(|run| &run.job);
    if importing == Some(&act.by.transaction.id) {
        return;
    }
    let account = act.state.provisioning.account(app, user).map(|account| Account::clone(account));
    let wanted = account.as_ref().is_some_and(Account::is_wanted);
    if wanted == (task == Task::Provision) {
        return;
    }
    let Some(app) = provisioned(act, app, task) else {
        if let Some(account) = account.filter(|_| task == Task::Deactivate) {
            abandon(act, account);
        }
        return;
    };
    let mut account = account.unwrap_or_else(|| Account::new(app.id.clone(), user.clone(), act.now()));
    // A task that has not begun takes in all that has changed until then.
    let covered = task == Task::Update && matches!(account.waiting.last(), Some(Task::Update | Task::Provision));
    if !covered {
        account.waiting.push(task);
    }
    if task == Task::Provision && account.running.is_none() {
        (account.stage, account.since) = (Stage::Staged, act.now());
    }
    start(act, &app, account);
}

/// The person has lost the app, and Okta does nothing about it there.
fn abandon(act: &mut Act<'_, '_>, mut account: Account) {
    (account.external, account.stage, account.since) = (None, Stage::Deprovisioned, act.now());
    account.waiting.clear();
    act.state.provisioning.put(&mut act.tx.changes, account);
}

/// Does again what has failed, or was never done since the app was not provisioned when the person got it.
///
/// # Errors
/// In words: an app that is not provisioned, a person who has not the app.
pub fn push(act: &mut Act<'_, '_>, app: &App, user: &crate::model::user::User) -> Result<(), String> {
    if assignment::find(act.state, app, user).is_none() {
        return Err(format!("the app `{}` is not assigned to {}", app.label, user.login()));
    }
    let account = act.state.provisioning.account(&app.id, &user.id).map(|account| Account::clone(account));
    let wanted = account.as_ref().is_some_and(Account::is_wanted);
    let task = if wanted { Task::Update } else { Task::Provision };
    if provisioned(act, &app.id, task).is_none() {
        return Err(format!("the app `{}` is not provisioned", app.label));
    }
    queue(act, &app.id, &user.id, task);
    Ok(())
}
