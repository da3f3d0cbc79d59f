//! What happens to people: making, changing, moving between states, deleting.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    Act, USER_ID, assignment,
    event_type::{
        ACCOUNT_EXPIRE, ACCOUNT_PASSWORD, ACCOUNT_PROFILE, ACCOUNT_RESET, ACCOUNT_UNLOCK, EventType, FACTORS_RESET,
        SESSION_CLEAR, SESSION_START, USER_ACTIVATE, USER_CREATE, USER_DEACTIVATE, USER_DELETE, USER_DELETED,
        USER_REACTIVATE, USER_SUSPEND, USER_UNSUSPEND,
    },
    group::{self, Group},
    log::Party,
    profile::{Attribute, Profile},
    token,
    user::{Provider, Status, Step, User, transition},
};
use crate::error::Error;

/// What a caller says of the credentials.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// A password to set; `Some(None)` is one that only its hash is known of.
    pub password: Option<Option<String>>,
    /// A recovery question to set.
    pub question: Option<SmolStr>,
    /// Who vouches for the password.
    pub provider: Option<Provider>,
}

/// A person to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The profile.
    pub profile: Profile,
    /// The credentials.
    pub credentials: Credentials,
    /// The groups to put them into.
    pub groups: Vec<Arc<Group>>,
    /// Whether to activate them at once.
    pub activate: bool,
    /// Whether another service vouches for the password.
    pub federated: bool,
    /// Whether the password expires at once.
    pub expire: bool,
}

impl NewUser {
    /// The state that they start in.
    /// See developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/createUser.
    const fn status(&self) -> Status {
        match (self.activate, self.federated || self.credentials.password.is_some(), self.expire) {
            (false, ..) => Status::Staged,
            (true, false, _) => Status::Provisioned,
            (true, true, false) => Status::Active,
            (true, true, true) => Status::PasswordExpired,
        }
    }
}

/// Makes a person.
///
/// # Errors
/// A profile, password or combination that is not allowed, or a login that is taken.
pub fn create(act: &mut Act<'_, '_>, new: NewUser) -> Result<Arc<User>, Error> {
    if new.expire && !new.activate {
        return Err(Error::ExpiryNeedsActivation);
    }
    if new.expire && new.credentials.password.is_none() {
        return Err(Error::ExpiryNeedsPassword);
    }
    check_profile(act, &new.profile, None)?;
    check_password(&new.credentials, &new.profile)?;
    let (now, status) = (act.now(), new.status());
    let has_password = new.credentials.password.is_some();
    let user = User {
        id: act.tx.id(&USER_ID),
        status,
        created: now,
        activated: new.activate.then_some(now),
        // Recorded of the Identity Engine: null of a staged person without a password. Older orgs show null of all
        // who are staged.
        status_changed: (new.activate || has_password).then_some(now),
        last_login: None,
        last_updated: now,
        password_changed: has_password.then_some(now),
        profile: new.profile,
        has_password,
        question: new.credentials.question,
        provider: new.credentials.provider.unwrap_or_default(),
        admin: false,
    };
    let user = act.state.users.put(&mut act.tx.changes, user);
    touch_everyone(act);
    act.log(&USER_CREATE, vec![Party::user(&user)]);
    if new.activate {
        act.log(&USER_ACTIVATE, vec![Party::user(&user)]);
    }
    for group in &new.groups {
        group::add_member(act, group, &user)?;
    }
    Ok(user)
}

/// Everyone has one member more or fewer.
fn touch_everyone(act: &mut Act<'_, '_>) {
    let (everyone, now) = (act.state.groups.everyone.clone(), act.now());
    act.state.groups.touch(&mut act.tx.changes, &everyone, now);
}

fn check_profile(act: &Act<'_, '_>, profile: &Profile, own: Option<&SmolStr>) -> Result<(), Error> {
    let problems = profile.problems();
    if !problems.is_empty() {
        return Err(Error::fields(&problems));
    }
    match act.state.users.by_login(profile.get(Attribute::LOGIN)) {
        Some(other) if own != Some(&other.id) => Err(Error::taken("login")),
        _ => Ok(()),
    }
}

/// The default password policy.
fn check_password(credentials: &Credentials, profile: &Profile) -> Result<(), Error> {
    let Some(Some(password)) = &credentials.password else {
        return Ok(());
    };
    let login = profile.get(Attribute::LOGIN).to_lowercase();
    let name = login.split('@').next().unwrap_or_default();
    let lower = password.to_lowercase();
    let parts = || name.split(['.', '-', '_', ',', '#']).filter(|part| part.len() >= 4);
    let strong = password.chars().count() >= 8
        && password.contains(|c: char| c.is_lowercase())
        && password.contains(|c: char| c.is_uppercase())
        && password.contains(|c: char| c.is_ascii_digit())
        && parts().all(|part| !lower.contains(part));
    if strong {
        return Ok(());
    }
    let needs = "at least 8 characters, a lowercase letter, an uppercase letter, a number, no parts of your username";
    let cause = format!("password: Password requirements were not met. Password requirements: {needs}.");
    Err(Error::invalid("password", cause))
}

/// Changes a person's profile and credentials.
///
/// # Errors
/// A deactivated person, or a profile or password that is not allowed.
pub fn update(
    act: &mut Act<'_, '_>,
    user: &User,
    profile: Profile,
    credentials: Credentials,
) -> Result<Arc<User>, Error> {
    // Profiles of deactivated people are frozen unless the org says otherwise.
    if user.status == Status::Deprovisioned {
        return Err(Error::NotInStatus);
    }
    check_profile(act, &profile, Some(&user.id))?;
    check_password(&credentials, &profile)?;
    let now = act.now();
    let changed = profile != user.profile;
    let mut row = User { profile, last_updated: now, ..User::clone(user) };
    let password = credentials.password.is_some();
    if password {
        let next = transition(user.status, Step::ChoosePassword, user.has_password)?;
        row.become_status(next, now);
        row.has_password = true;
        row.password_changed = Some(now);
    }
    row.question = credentials.question.or(row.question);
    row.provider = credentials.provider.unwrap_or(row.provider);
    let row = act.state.users.put(&mut act.tx.changes, row);
    if changed {
        act.log(&ACCOUNT_PROFILE, vec![Party::user(&row)]);
    }
    if password {
        act.log(&ACCOUNT_PASSWORD, vec![Party::user(&row)]);
    }
    Ok(row)
}

const fn event(step: Step) -> &'static EventType {
    match step {
        Step::Activate => &USER_ACTIVATE,
        Step::Reactivate => &USER_REACTIVATE,
        Step::Deactivate => &USER_DEACTIVATE,
        Step::Suspend => &USER_SUSPEND,
        Step::Unsuspend => &USER_UNSUSPEND,
        Step::Unlock => &ACCOUNT_UNLOCK,
        Step::ResetPassword => &ACCOUNT_RESET,
        Step::ExpirePassword => &ACCOUNT_EXPIRE,
        Step::ResetFactors => &FACTORS_RESET,
        Step::ChoosePassword => &ACCOUNT_PASSWORD,
    }
}

/// Moves a person to another state, with all that this brings with it.
///
/// # Errors
/// The refusal of a step that is not allowed in the present state.
pub fn advance(act: &mut Act<'_, '_>, user: &User, step: Step) -> Result<Arc<User>, Error> {
    let next = transition(user.status, step, user.has_password)?;
    let now = act.now();
    let mut row = User::clone(user);
    row.become_status(next, now);
    match step {
        Step::Activate => row.activated = Some(now),
        Step::ChoosePassword => {
            row.has_password = true;
            row.password_changed = Some(now);
        }
        // A password does not survive: whoever is activated again sets a new one.
        Step::Deactivate => row.has_password = false,
        _ => {}
    }
    let row = act.state.users.put(&mut act.tx.changes, row);
    act.log(event(step), vec![Party::user(&row)]);
    match step {
        Step::Deactivate => leave_all(act, &row),
        Step::Activate if user.status == Status::Deprovisioned => touch_everyone(act),
        _ => {}
    }
    Ok(row)
}

/// Whoever is deactivated leaves all groups, and their API tokens die with them.
fn leave_all(act: &mut Act<'_, '_>, user: &User) {
    let groups: Vec<Arc<Group>> =
        act.state.members.of_user(&user.id).filter_map(|id| act.state.groups.get(id).cloned()).collect();
    for group in groups {
        // Memberships are of administrators' groups only, which never refuse.
        let _ = group::remove_member(act, &group, user);
    }
    assignment::drop_user(act, user);
    touch_everyone(act);
    let tokens: Vec<_> = act.state.tokens.of_user(&user.id).cloned().collect();
    for found in tokens {
        token::revoke(act, &found);
    }
}

/// Deletes a person who is deactivated; deactivates one who is not.
///
/// # Errors
/// None today: both ways are open from every state.
pub fn delete(act: &mut Act<'_, '_>, user: &User) -> Result<(), Error> {
    if user.status != Status::Deprovisioned {
        advance(act, user, Step::Deactivate)?;
        return Ok(());
    }
    act.log(&USER_DELETE, vec![Party::user(user)]);
    act.state.users.remove(&mut act.tx.changes, &user.id);
    act.log(&USER_DELETED, vec![Party::user(user)]);
    Ok(())
}

/// Ends all of a person's sessions.
pub fn clear_sessions(act: &mut Act<'_, '_>, user: &User) {
    act.log(&SESSION_CLEAR, vec![Party::user(user)]);
}

/// Signs a person in who may; a new password comes first where one is due.
///
/// # Errors
/// An account that nobody can sign in to in its present state.
pub fn sign_in(act: &mut Act<'_, '_>, user: &User, new_password: Option<String>) -> Result<Arc<User>, Error> {
    let user = match new_password {
        Some(password) if matches!(user.status, Status::Provisioned | Status::Recovery | Status::PasswordExpired) => {
            let credentials = Credentials { password: Some(Some(password)), ..Credentials::default() };
            check_password(&credentials, &user.profile)?;
            advance(act, user, Step::ChoosePassword)?
        }
        _ if user.status == Status::Active => Arc::new(user.clone()),
        _ => return Err(Error::NotInStatus),
    };
    let row = User { last_login: Some(act.now()), ..User::clone(&user) };
    let row = act.state.users.put(&mut act.tx.changes, row);
    act.log(&SESSION_START, vec![Party::user(&row)]);
    Ok(row)
}
