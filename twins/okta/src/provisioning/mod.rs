//! Okta as a client of apps' SCIM 2.0 servers: who gets an app gets an account there, and loses it with the app.
//!
//! Each write is followed: what it logged of assignments and profiles becomes tasks of accounts. An account's tasks are
//! done one after the other, each by a chain of calls of which an answer begins the next.
//! See developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/.

pub mod calls;
mod follow;
pub mod groups;
pub(crate) mod import;
mod schedule;
pub mod settings;
mod user;

pub use follow::{follow, push};

use std::time::Duration;

use dtu_kernel::ids::{ALNUM, IdShape};
use smol_str::SmolStr;

use crate::model::{
    Act, SITE,
    app::App,
    event_type::{EventType, PROVISION_DEACTIVATE, PROVISION_PROFILE, PROVISION_PUSH},
    log::{Outcome, Party},
    provisioning::{Account, Stage, Task},
};

/// Ids of provisioning jobs, as the log names them.
const JOB_ID: IdShape =
    IdShape { site: SITE.child("provisioning job"), prefix: "puj", alphabet: ALNUM, drawn: 14, suffix: "5d7" };

/// A task that has not come to an end by then is over: what became of its last call, nobody knows.
const PATIENCE: Duration = Duration::from_secs(600);

/// Begins the next task of an account, where none is under way.
pub(crate) fn start(act: &mut Act<'_, '_>, app: &App, mut account: Account) {
    let now = act.now();
    if account.running.is_some() && now.since(account.started) < PATIENCE {
        act.state.provisioning.put(&mut act.tx.changes, account);
        return;
    }
    account.running = None;
    while account.running.is_none() && !account.waiting.is_empty() {
        let task = account.waiting.remove(0);
        (account.running, account.started, account.error) = (Some(task), now, None);
        if !calls::begin(act, app, &mut account, task) {
            done(act, app, &mut account, task, None);
        }
    }
    act.state.provisioning.put(&mut act.tx.changes, account);
}

/// A task is over: `external` is the account's id in the app, where the app has told it.
fn done(act: &mut Act<'_, '_>, app: &App, account: &mut Account, task: Task, external: Option<SmolStr>) {
    let now = act.now();
    let before = account.stage;
    account.running = None;
    account.synced = Some(now);
    account.external = external.or_else(|| account.external.take());
    account.stage = match task {
        Task::Provision => Stage::Provisioned,
        Task::Update => account.stage,
        Task::Deactivate => Stage::Deprovisioned,
    };
    if account.stage == Stage::Deprovisioned {
        account.external = None;
    }
    if account.stage != before {
        account.since = now;
    }
    tell(act, app, account, task, Outcome::SUCCESS);
    act.state.provisioning.put(&mut act.tx.changes, account.clone());
    if task != Task::Update {
        groups::account_changed(act, &app.id, &account.user);
    }
}

/// A task has failed: an administrator must look at it.
fn failed(act: &mut Act<'_, '_>, app: &App, account: &mut Account, task: Task, why: &str) {
    account.running = None;
    let person = act.state.users.get(&account.user).map(|user| (user.login().to_owned(), user.profile.full_name()));
    let (login, name) = person.unwrap_or_default();
    let doing = match task {
        Task::Provision => "creating",
        Task::Update => "updating",
        Task::Deactivate => "deactivating",
    };
    let label = &app.label;
    let reason = match task {
        Task::Provision => {
            format!(
                "Automatic provisioning of user {login} to app {label} failed: Error while {doing} user {name}: {why}"
            )
        }
        _ => format!(
            "Automatic profile push of user {login} to app {label} failed: Error while {doing} user {name}: {why}"
        ),
    };
    account.error = Some(reason.as_str().into());
    tell(act, app, account, task, Outcome::failure(reason));
}

const fn event(task: Task) -> &'static EventType {
    match task {
        Task::Provision => &PROVISION_PUSH,
        Task::Update => &PROVISION_PROFILE,
        Task::Deactivate => &PROVISION_DEACTIVATE,
    }
}

fn tell(act: &mut Act<'_, '_>, app: &App, account: &Account, task: Task, outcome: Outcome) {
    let user = act.state.users.get(&account.user).cloned();
    let parties = user.map(|user| {
        let id = crate::model::assignment::id(&app.id, &user.id);
        [Party::app_user(&id, user.login(), &user), Party::user(&user)]
    });
    let targets = parties.into_iter().flatten().chain([Party::app(app)]).collect();
    if act.by.transaction.id.is_empty() {
        act.by.transaction.id = act.tx.id(&JOB_ID);
    }
    act.log_outcome(event(task), targets, outcome);
}
