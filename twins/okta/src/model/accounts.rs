//! What happens to people: making, changing, moving between states, deleting.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    Act, USER_ID, assignment,
    event_type::{
        ACCOUNT_EXPIRE, ACCOUNT_PASSWORD, ACCOUNT_PROFILE, ACCOUNT_RESET, ACCOUNT_UNLOCK, EventType, FACTORS_RESET,
        USER_ACTIVATE, USER_CREATE, USER_DEACTIVATE, USER_DELETE, USER_DELETED, USER_REACTIVATE, USER_SUSPEND,
        USER_UNSUSPEND,
    },
    factor,
    group::{self, Group},
    group_owner, linked,
    log::{Outcome, Party},
    one_time::{self, Purpose},
    password::NewPassword,
    profile::{Attribute, Profile},
    role, schema, session, sign_in, token,
    user::{Provider, Status, Step, Tag, User, transition},
};
use crate::{error::Error, policy};

/// What a caller says of the credentials.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// A password to set.
    pub password: Option<NewPassword>,
    /// A recovery question to set.
    pub question: Option<SmolStr>,
    /// The answer to it.
    pub answer: Option<String>,
    /// Whether the password must follow the rules on its age and on earlier ones.
    pub strict: bool,
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
    /// A realm other than the org's default realm.
    pub realm: Option<SmolStr>,
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
    let (now, status) = (act.now(), new.status());
    let has_password = new.credentials.password.is_some();
    let user = User {
        id: act.tx.id(&USER_ID),
        status,
        created: now,
        activated: new.activate.then_some(now),
        // Recorded of the Identity Engine: null of a staged person without a password. Older orgs show null of all
        // who are staged.
        status_changed: (new.activate || (has_password && !act.state.kind.is_classic())).then_some(now),
        last_login: None,
        last_updated: now,
        password_changed: has_password.then_some(now),
        profile: new.profile,
        has_password,
        question: new.credentials.question,
        provider: new.credentials.provider.unwrap_or_default(),
        realm: new.realm,
        tag: Tag::default(),
    };
    check_password(act, &user, new.credentials.password.as_ref())?;
    check_answer(act, &user, new.credentials.answer.as_deref())?;
    let user = act.state.users.put(&mut act.tx.changes, user);
    keep(act, &user, new.credentials.password.as_ref(), new.credentials.answer.as_deref());
    touch_everyone(act);
    act.log(&USER_CREATE, vec![Party::user(&user)]);
    if new.activate {
        act.log(&USER_ACTIVATE, vec![Party::user(&user)]);
    }
    if user.status == Status::Provisioned {
        one_time::make(act, &user, Purpose::Activation);
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
    let problems = schema::problems(act.state, profile, own);
    if !problems.is_empty() {
        return Err(Error::problems(&problems));
    }
    match act.state.users.by_login(profile.get(Attribute::LOGIN)) {
        Some(other) if own != Some(&other.id) => Err(Error::taken("login")),
        _ => Ok(()),
    }
}

/// Whether a password is one that the person's policy takes, by its form.
fn check_password(act: &Act<'_, '_>, user: &User, password: Option<&NewPassword>) -> Result<(), Error> {
    let Some(NewPassword::Text(text)) = password else { return Ok(()) };
    let problem = policy::password(act.state, user).problem(&user.profile, text);
    problem.map_or(Ok(()), |cause| Err(Error::invalid("password", format!("password: {cause}"))))
}

/// Whether a recovery answer is as long as the person's policy wants.
///
/// # Errors
/// One that is too short.
pub fn check_answer(act: &Act<'_, '_>, user: &User, answer: Option<&str>) -> Result<(), Error> {
    let least = policy::password(act.state, user).min_answer_length;
    if answer.is_none_or(|answer| answer.chars().count() as u64 >= least) {
        return Ok(());
    }
    let short =
        format!("recovery_question: The security question answer must be at least {least} characters in length");
    Err(Error::invalid("recovery_question", short))
}

/// Keeps what the account itself does not hold.
fn keep(act: &mut Act<'_, '_>, user: &User, password: Option<&NewPassword>, answer: Option<&str>) {
    if let Some(password) = password {
        act.state.passwords.set(&mut act.tx.changes, &user.id, password);
    }
    if let Some(answer) = answer {
        act.state.passwords.set_answer(&mut act.tx.changes, &user.id, answer);
    }
}

/// Gives a person a password, who becomes active by it where they were waiting for one.
///
/// # Errors
/// A status in which nobody chooses a password.
pub fn choose_password(act: &mut Act<'_, '_>, user: &User, password: &NewPassword) -> Result<Arc<User>, Error> {
    let row = advance(act, user, Step::ChoosePassword)?;
    keep(act, &row, Some(password), None);
    one_time::forget(act, &row.id);
    Ok(row)
}

/// Takes a person's password away; they sign in by other means from then on.
pub fn drop_password(act: &mut Act<'_, '_>, user: &User) {
    let row = User { has_password: false, password_changed: None, last_updated: act.now(), ..user.clone() };
    let row = act.state.users.put(&mut act.tx.changes, row);
    act.state.passwords.remove(&mut act.tx.changes, &row.id);
    act.log(&ACCOUNT_PASSWORD, vec![Party::user(&row)]);
}

/// Gives a person a recovery question with its answer.
pub fn choose_question(act: &mut Act<'_, '_>, user: &User, question: SmolStr, answer: &str) -> Arc<User> {
    let row = User { question: Some(question), last_updated: act.now(), ..user.clone() };
    let row = act.state.users.put(&mut act.tx.changes, row);
    keep(act, &row, None, Some(answer));
    row
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
    realm: Option<SmolStr>,
) -> Result<Arc<User>, Error> {
    // Profiles of deactivated people are frozen unless the org says otherwise.
    if user.status == Status::Deprovisioned {
        return Err(Error::NotInStatus);
    }
    check_profile(act, &profile, Some(&user.id))?;
    check_update(act, user, &profile, &credentials)?;
    let now = act.now();
    let changed = changed_attributes(&user.profile, &profile);
    let mut row = User { profile, last_updated: now, ..User::clone(user) };
    let password = credentials.password.is_some();
    if password {
        let next = transition(user.status, Step::ChoosePassword, user.has_password)?;
        row.become_status(next, now);
        row.has_password = true;
        row.password_changed = Some(now);
    }
    row.question = credentials.question.or(row.question);
    row.realm = realm.or(row.realm);
    row.provider = credentials.provider.unwrap_or(row.provider);
    let row = act.state.users.put(&mut act.tx.changes, row);
    keep(act, &row, credentials.password.as_ref(), credentials.answer.as_deref());
    if !changed.is_empty() {
        let debug = vec![("changedAttributes", changed.join(",").into())];
        act.log_with(&ACCOUNT_PROFILE, vec![Party::user(&row)], Outcome::SUCCESS, debug);
    }
    if password {
        act.log(&ACCOUNT_PASSWORD, vec![Party::user(&row)]);
    }
    Ok(row)
}

/// The attributes in which two profiles differ.
fn changed_attributes(before: &Profile, after: &Profile) -> Vec<String> {
    if before == after {
        return Vec::new();
    }
    let values = |profile: &Profile| serde_json::to_value(profile).ok().and_then(|value| value.as_object().cloned());
    let (before, after) = (values(before).unwrap_or_default(), values(after).unwrap_or_default());
    let mut names: Vec<&String> = after.keys().chain(before.keys().filter(|name| !after.contains_key(*name))).collect();
    names.retain(|name| before.get(*name) != after.get(*name));
    names.into_iter().cloned().collect()
}

/// Whether new credentials can take the place of the present ones.
fn check_update(act: &Act<'_, '_>, user: &User, profile: &Profile, credentials: &Credentials) -> Result<(), Error> {
    let next = User { profile: profile.clone(), ..user.clone() };
    check_answer(act, &next, credentials.answer.as_deref())?;
    check_password(act, &next, credentials.password.as_ref())?;
    match &credentials.password {
        Some(NewPassword::Text(text)) if credentials.strict => sign_in::check_next(act, &next, text, true),
        Some(NewPassword::Imported(_)) if user.status != Status::Staged => {
            Err(Error::invalid("password", "password: A hashed password can only be set for a user in STAGED status"))
        }
        _ => Ok(()),
    }
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
    if user.status == Status::Deprovisioned && step == Step::Activate {
        touch_everyone(act);
    }
    match step {
        Step::Deactivate => leave_all(act, &row),
        Step::Unlock => sign_in::forgive(act, &row.id),
        Step::Activate | Step::Reactivate => {
            one_time::make(act, &row, Purpose::Activation);
        }
        Step::ResetPassword => {
            one_time::make(act, &row, Purpose::Reset);
        }
        Step::ResetFactors => factor::reset_all(act, &row),
        _ => {}
    }
    Ok(row)
}

/// Activates somebody for whom another provider vouches: they need no password.
pub fn take_in(act: &mut Act<'_, '_>, user: &User) -> Arc<User> {
    let (now, gone) = (act.now(), user.status == Status::Deprovisioned);
    let mut row = User { activated: Some(now), ..User::clone(user) };
    row.become_status(Status::Active, now);
    one_time::forget(act, &row.id);
    let row = act.state.users.put(&mut act.tx.changes, row);
    act.log(&USER_ACTIVATE, vec![Party::user(&row)]);
    if gone {
        touch_everyone(act);
    }
    row
}

/// Whoever is deactivated leaves all groups, and their API tokens die with them.
fn leave_all(act: &mut Act<'_, '_>, user: &User) {
    let groups: Vec<Arc<Group>> =
        act.state.members.of_user(&user.id).filter_map(|id| act.state.groups.get(id).cloned()).collect();
    for group in groups {
        // What apps bring is not the administrators' to take away, and ends all the same.
        if group::remove_member(act, &group, user).is_err() {
            group::leave(act, &group, user, Vec::new());
        }
    }
    assignment::drop_user(act, user);
    role::drop_holder(act, &user.id);
    act.state.passwords.remove(&mut act.tx.changes, &user.id);
    one_time::forget(act, &user.id);
    session::forget(act, &user.id);
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
    linked::drop_user(act, &user.id);
    group_owner::drop_all(act, &user.id);
    act.state.idp_users.drop_user(&mut act.tx.changes, &user.id);
    factor::forget(act, &user.id);
    act.log(&USER_DELETED, vec![Party::user(user)]);
    Ok(())
}

/// Signs a person in who may; a new password comes first where one is due.
///
/// # Errors
/// An account that nobody can sign in to in its present state.
pub fn sign_in(act: &mut Act<'_, '_>, user: &User, new_password: Option<String>) -> Result<Arc<User>, Error> {
    let user = match new_password {
        Some(password) if matches!(user.status, Status::Provisioned | Status::Recovery | Status::PasswordExpired) => {
            let password = NewPassword::Text(password);
            check_password(act, user, Some(&password))?;
            choose_password(act, user, &password)?
        }
        _ if user.status == Status::Active => Arc::new(user.clone()),
        _ => return Err(Error::NotInStatus),
    };
    Ok(session::signed_in(act, &user))
}
