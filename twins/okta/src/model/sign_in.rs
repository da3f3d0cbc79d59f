//! Primary authentication: names and passwords, and what comes of wrong ones.
//!
//! See developer.okta.com/docs/reference/api/authn/#primary-authentication and the lockout settings of password
//! policies.

use std::sync::Arc;

use dtu_kernel::{time::Timestamp, tx::Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Act, Acting, State, accounts,
    event_type::{ACCOUNT_LOCK, ACCOUNT_UNLOCKED, SESSION_START},
    log::{Outcome, Party},
    password::{self, NewPassword, Verdict},
    user::{Status, User},
};
use crate::{error::Error, events, policy};

/// What came of a name and a password.
#[derive(Clone, Debug)]
pub enum Entered {
    /// They are somebody's.
    In(Arc<User>),
    /// They are not, or the account is closed.
    Refused,
    /// The account is locked.
    Locked {
        /// Whether the person is told.
        shown: bool,
    },
    /// Only the org's password import hook can say.
    Hook(Arc<User>),
}

/// Tries a name and a password. What is counted and logged stays, whatever comes of it.
pub fn enter(act: &mut Act<'_, '_>, name: &str, password: &str) -> Entered {
    let Some(user) = act.state.users.find(name).cloned() else {
        refuse(act, None, "VERIFICATION_ERROR");
        return Entered::Refused;
    };
    let verdict = password::check(act.state, &user, password);
    match (user.status, verdict) {
        (Status::LockedOut, _) => {
            refuse(act, Some(&user), "LOCKED_OUT");
            Entered::Locked { shown: policy::password(act.state, &user).show_lockout_failures }
        }
        (Status::Active | Status::PasswordExpired, Verdict::Right) => {
            if act.state.passwords.of(&user.id).failures > 0 {
                act.state.passwords.edit(&mut act.tx.changes, &user.id, |row| row.failures = 0);
            }
            adopt(act, &user, password);
            Entered::In(user)
        }
        (Status::Active | Status::PasswordExpired, Verdict::Hook) => Entered::Hook(user),
        (Status::Active | Status::PasswordExpired, Verdict::Wrong) => wrong(act, &user),
        _ => {
            refuse(act, Some(&user), "INVALID_CREDENTIALS");
            Entered::Refused
        }
    }
}

/// Whether only the org's password import hook can say if a password is somebody's.
pub fn asks_hook(state: &State, user: &User, password: &str) -> bool {
    let open = matches!(user.status, Status::Active | Status::PasswordExpired);
    open && password::check(state, user, password) == Verdict::Hook
}

/// Once an imported password was used, Okta hashes it itself.
fn adopt(act: &mut Act<'_, '_>, user: &User, password: &str) {
    if matches!(act.state.passwords.of(&user.id).kept, password::Kept::Imported(_)) {
        let new = NewPassword::Text(password.to_owned());
        act.state.passwords.set(&mut act.tx.changes, &user.id, &new);
    }
}

fn refuse(act: &mut Act<'_, '_>, user: Option<&User>, reason: &'static str) {
    let targets = user.map(Party::user).into_iter().collect();
    act.log_outcome(&SESSION_START, targets, Outcome::failure(SmolStr::new_static(reason)));
}

/// A wrong password was given: enough of them in a row lock the account.
pub fn wrong(act: &mut Act<'_, '_>, user: &Arc<User>) -> Entered {
    refuse(act, Some(user), "INVALID_CREDENTIALS");
    let rules = policy::password(act.state, user);
    let now = act.now();
    let failures = act.state.passwords.of(&user.id).failures + 1;
    let locks = rules.max_attempts > 0 && u64::from(failures) >= rules.max_attempts;
    act.state.passwords.edit(&mut act.tx.changes, &user.id, |row| {
        row.failures = failures;
        row.locked = locks.then_some(now);
    });
    if !locks {
        return Entered::Refused;
    }
    let mut row = User::clone(user);
    row.become_status(Status::LockedOut, now);
    let row = act.state.users.put(&mut act.tx.changes, row);
    act.log(&ACCOUNT_LOCK, vec![Party::user(&row)]);
    if let Some(at) = rules.unlocks(now) {
        act.tx.timer(at, UNLOCK, json!(Due { user: user.id.clone(), locked: now.as_secs() }));
    }
    Entered::Locked { shown: rules.show_lockout_failures }
}

/// The timer that unlocks an account.
pub const UNLOCK: &str = "unlock";

/// Which lock a timer is of.
#[derive(Debug, Serialize, Deserialize)]
struct Due {
    user: SmolStr,
    locked: i64,
}

/// A lock's time is over; nothing happens where the account was unlocked before, or locked anew.
pub fn unlock_due(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let Ok(due) = serde_json::from_value::<Due>(data.clone()) else { return };
    let Some(user) = state.users.get(&due.user).cloned() else { return };
    let locked = state.passwords.of(&user.id).locked.map(Timestamp::as_secs);
    if user.status == Status::LockedOut && locked == Some(due.locked) {
        let mut act = Act::new(state, tx, Acting::system());
        unlock(&mut act, &user);
        events::announce(&mut act);
    }
}

/// Unlocks an account, by its owner or by time.
pub fn unlock(act: &mut Act<'_, '_>, user: &User) -> Arc<User> {
    let now = act.now();
    let mut row = user.clone();
    row.become_status(Status::Active, now);
    forgive(act, &user.id);
    let row = act.state.users.put(&mut act.tx.changes, row);
    act.log(&ACCOUNT_UNLOCKED, vec![Party::user(&row)]);
    row
}

/// Forgets failed attempts.
pub fn forgive(act: &mut Act<'_, '_>, user: &SmolStr) {
    if act.state.passwords.has(user) {
        act.state.passwords.edit(&mut act.tx.changes, user, |row| (row.failures, row.locked) = (0, None));
    }
}

/// Why a password cannot be a person's next one.
///
/// # Errors
/// `E0000014` with the reason: its form, one of the last ones, a change too soon.
pub fn check_next(act: &Act<'_, '_>, user: &User, password: &str, checks_age: bool) -> Result<(), Error> {
    let rules = policy::password(act.state, user);
    let young = "Minimum password age requirement was not met. Password cannot be changed yet.";
    let problem = rules
        .problem(&user.profile, password)
        .or_else(|| rules.repeats(act.state, user, password))
        .or_else(|| (checks_age && rules.too_young(user, act.tx.now)).then(|| young.to_owned()));
    problem.map_or(Ok(()), |cause| Err(Error::because("E0000014", cause)))
}

/// Sets a person's next password, who becomes active by it where they were waiting for one.
///
/// # Errors
/// As [`check_next`]; a status in which nobody chooses a password.
pub fn choose(act: &mut Act<'_, '_>, user: &User, password: &str, checks_age: bool) -> Result<Arc<User>, Error> {
    check_next(act, user, password, checks_age)?;
    accounts::choose_password(act, user, &NewPassword::Text(password.to_owned()))
}

/// Sets a person's next password, which must have the form that the policy wants and may be one of the last.
///
/// # Errors
/// `E0000014` for its form; a status in which nobody chooses a password.
pub fn set(act: &mut Act<'_, '_>, user: &User, password: &str) -> Result<Arc<User>, Error> {
    if let Some(problem) = policy::password(act.state, user).problem(&user.profile, password) {
        return Err(Error::because("E0000014", problem));
    }
    accounts::choose_password(act, user, &NewPassword::Text(password.to_owned()))
}
