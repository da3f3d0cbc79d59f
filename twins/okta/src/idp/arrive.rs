//! Whom the org makes of somebody who comes from a provider: a person whom it knows by them, one who fits, or a new one.

use std::sync::Arc;

use dtu_kernel::wire::Answer;
use smol_str::SmolStr;

use super::{Refused, groups, profile, provider::Provider};
use crate::{
    api::profiles::fill,
    authn::{
        flow, pages,
        transaction::{Status as Waits, Transaction},
    },
    model::{
        Act,
        accounts::{self, Credentials, NewUser},
        event_type::{AUTH_IDP, AUTH_SOCIAL, EventType, USER_CREATE},
        idp_user::{IdpUser, SocialToken},
        log::{Outcome, Party},
        mapping::Push,
        profile::{Attribute, Profile},
        role,
        session::{Elsewhere, Proof},
        user::{Provider as Vouches, Status, Step, User, UserField},
    },
    oauth::page,
    policy::Members,
};

/// Somebody as a provider tells of them.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The provider's own name for them.
    pub(crate) external: SmolStr,
    /// Whether that name is theirs for good, so that they are known by it the next time.
    pub(crate) lasting: bool,
    /// What it says of them.
    pub(crate) profile: Members,
    /// What it has handed out for them.
    pub(crate) tokens: Vec<SocialToken>,
}

/// Signs somebody in by a provider's word, and sends them on to a path of the org; or says why not.
pub(crate) fn sign_in(act: &mut Act<'_, '_>, provider: &Provider, told: Told, next: &str) -> Answer {
    match become_user(act, provider, told) {
        Ok(user) => signed_in(act, provider, &user, next),
        Err(refused) => refuse(act, provider, &refused, next),
    }
}

/// What the log calls a sign-in through a provider: of those that speak OAuth, a social one (support.okta.com/help/s/
/// article/Unable-to-create-the-user-The-following-required-properties-are-missing-firstName-lastName).
fn event(provider: &Provider) -> &'static EventType {
    if provider.kind() == "SOCIAL" { &AUTH_SOCIAL } else { &AUTH_IDP }
}

/// Nobody is signed in: the log and the client are told.
pub(crate) fn refuse(act: &mut Act<'_, '_>, provider: &Provider, refused: &Refused, next: &str) -> Answer {
    act.log_outcome(event(provider), vec![provider.party()], Outcome::failure(refused.reason.clone()));
    refused.answer(act, next)
}

fn signed_in(act: &mut Act<'_, '_>, provider: &Provider, user: &Arc<User>, next: &str) -> Answer {
    act.by.actor = Party::user(user);
    act.log(event(provider), vec![Party::user(user), provider.party()]);
    if flow::admit(act, user).is_err() {
        return Refused::new("Access is denied by the sign-on policy.").answer(act, next);
    }
    let proof = Proof::elsewhere(Elsewhere { id: provider.id.clone(), kind: provider.kind() }, act.now());
    let reached = flow::go_on(act, None, Transaction::new(user, Waits::MfaRequired, proof));
    let answer = reached.and_then(|reached| pages::arrive(act, Ok(reached), next, user.login()));
    answer.unwrap_or_else(|error| page::told(&act.state.org, &error.words()))
}

/// Whom somebody is in the org.
fn become_user(act: &mut Act<'_, '_>, provider: &Provider, told: Told) -> Result<Arc<User>, Refused> {
    let known = act.state.idp_users.by_external(&provider.id, &told.external).filter(|_| told.lasting);
    let known = known.and_then(|row| act.state.users.get(&row.user)).cloned();
    let username = profile::username(act.state, provider, &told.profile)?;
    let found = known.or_else(|| matched(act, provider, &username));
    let user = match found {
        Some(user) => {
            let user = wake(act, provider, &user)?;
            renew(act, provider, user, &told, &username)?
        }
        None => provision(act, provider, &told, &username)?,
    };
    link(act, provider, &user, &told);
    groups::settle(act, provider, &user, &told.profile);
    Ok(user)
}

/// The person of the org whom a provider may mean by a name, as the policy has it.
fn matched(act: &Act<'_, '_>, provider: &Provider, username: &str) -> Option<Arc<User>> {
    if provider.text("/policy/accountLink/action") == "DISABLED" {
        return None;
    }
    let users = &act.state.users;
    let of = |attribute: Attribute| {
        let mut same = users.with_value(UserField::Profile(attribute), username);
        let one = same.next()?;
        same.next().is_none().then(|| Arc::clone(one))
    };
    let by_login = || users.by_login(username).cloned();
    let found = match provider.text("/policy/subject/matchType") {
        "EMAIL" => of(Attribute::EMAIL),
        "USERNAME_OR_EMAIL" => by_login().or_else(|| of(Attribute::EMAIL)),
        "CUSTOM_ATTRIBUTE" => by_attribute(act, provider.text("/policy/subject/matchAttribute"), username),
        _ => by_login(),
    };
    found.filter(|user| may_be_linked(act, provider, user))
}

/// The one person with a value of an attribute that the policy names. Built-in attributes by which few ask have no
/// index: with those, all people are looked at.
fn by_attribute(act: &Act<'_, '_>, name: &str, value: &str) -> Option<Arc<User>> {
    let users = &act.state.users;
    let same: Vec<&Arc<User>> = match Attribute::find(name) {
        Some(attribute) if !attribute.info().indexed => {
            let fits = |user: &&Arc<User>| user.profile.get(attribute).eq_ignore_ascii_case(value);
            users.iter().filter(fits).take(2).collect()
        }
        Some(attribute) => users.with_value(UserField::Profile(attribute), value).take(2).collect(),
        None => users.with_value(UserField::Custom(act.state.schemas.of_people(name)?.number), value).take(2).collect(),
    };
    match same[..] {
        [one] => Some(Arc::clone(one)),
        _ => None,
    }
}

/// Whether the policy's filter lets somebody be linked.
fn may_be_linked(act: &Act<'_, '_>, provider: &Provider, user: &Arc<User>) -> bool {
    let groups = provider.texts("/policy/accountLink/filter/groups/include");
    let is_in = |group: &SmolStr| act.state.members.contains(group, &user.id) || *group == act.state.groups.everyone;
    let excluded = provider.texts("/policy/accountLink/filter/users/exclude").contains(&user.id);
    let no_admins = provider.flag("/policy/accountLink/filter/users/excludeAdmins", false);
    (groups.is_empty() || groups.iter().any(is_in)) && !excluded && !(no_admins && role::is_admin(act.state, user))
}

/// Makes a person whom nobody can sign in as switched on again, where the policy says so. Whoever was never activated
/// is by signing in; that is inferred.
fn wake(act: &mut Act<'_, '_>, provider: &Provider, user: &Arc<User>) -> Result<Arc<User>, Refused> {
    let says = |what: &str| provider.text(&format!("/policy/provisioning/conditions/{what}/action"));
    match user.status {
        Status::Active | Status::PasswordExpired => Ok(Arc::clone(user)),
        Status::Staged | Status::Provisioned => Ok(accounts::take_in(act, user)),
        Status::Suspended if says("suspended") == "UNSUSPEND" => {
            accounts::advance(act, user, Step::Unsuspend).map_err(|error| Refused::new(error.words()))
        }
        Status::Deprovisioned if says("deprovisioned") == "REACTIVATE" => Ok(accounts::take_in(act, user)),
        _ => {
            let reason = format!("User is in status {}", user.status.text());
            Err(Refused::logged("User is not allowed to sign in.", reason))
        }
    }
}

/// Brings somebody's profile up to date, where the provider is the source of truth.
fn renew(
    act: &mut Act<'_, '_>,
    provider: &Provider,
    user: Arc<User>,
    told: &Told,
    username: &str,
) -> Result<Arc<User>, Refused> {
    if !provider.flag("/policy/provisioning/profileMaster", false) {
        return Ok(user);
    }
    let values = profile::mapped(act.state, provider, &told.profile, username, &[Push::Always]);
    let mut profile = user.profile.clone();
    let failed = |error: &crate::error::Error| Refused::logged(error.words(), "Unable to update user profile");
    fill(act.state, &mut profile, &values, "user").map_err(|error| failed(&error))?;
    if profile == user.profile {
        return Ok(user);
    }
    accounts::update(act, &user, profile, Credentials::default(), None).map_err(|error| failed(&error))
}

/// What nobody is made without.
const NEEDED: [&str; 4] = ["firstName", "lastName", "email", "login"];
const NO_JIT: &str = "Unable to JIT user from the Identity Provider";

/// Makes somebody a person of the org (support.okta.com/help/s/article/fixing-user-creation-was-disabled-for-oidc-idp-logins,
/// and social-identity-provider-apple-is-failing-for-some-users, for the refusals).
fn provision(act: &mut Act<'_, '_>, provider: &Provider, told: &Told, username: &str) -> Result<Arc<User>, Refused> {
    if provider.text("/policy/provisioning/action") != "AUTO" {
        return Err(Refused::new("User creation was disabled."));
    }
    let values = profile::mapped(act.state, provider, &told.profile, username, &[Push::Always, Push::Once]);
    let missing =
        NEEDED.iter().filter(|name| values.get(**name).and_then(|value| value.as_str()).is_none_or(str::is_empty));
    let missing: Vec<String> = missing.map(|name| format!("'{name}'")).collect();
    if !missing.is_empty() {
        let words =
            format!("Unable to create the user. The following required properties are missing: {}.", missing.join(","));
        return Err(no_jit(act, provider, words).coded("jit_failure_missing_fields"));
    }
    let made = new(act, provider, &values).and_then(|new| accounts::create(act, new));
    made.map_err(|error| no_jit(act, provider, error.words()))
}

fn no_jit(act: &mut Act<'_, '_>, provider: &Provider, words: String) -> Refused {
    act.log_outcome(&USER_CREATE, vec![provider.party()], Outcome::failure(words.as_str()));
    Refused::logged(words, NO_JIT)
}

fn new(act: &Act<'_, '_>, provider: &Provider, values: &Members) -> Result<NewUser, crate::error::Error> {
    let mut profile = Profile::default();
    fill(act.state, &mut profile, values, "newUser")?;
    let kind = SmolStr::new_static(provider.kind());
    let vouches = Vouches { r#type: kind.clone(), name: kind };
    Ok(NewUser {
        realm: None,
        profile,
        credentials: Credentials { provider: Some(vouches), ..Credentials::default() },
        groups: Vec::new(),
        activate: true,
        federated: true,
        expire: false,
    })
}

/// Keeps whom the provider knows as whom, and what it said. Nobody else goes by the same name with it any more.
fn link(act: &mut Act<'_, '_>, provider: &Provider, user: &Arc<User>, told: &Told) {
    let now = act.now();
    let other = act.state.idp_users.by_external(&provider.id, &told.external).map(|row| row.user.clone());
    if let Some(other) = other.filter(|other| *other != user.id) {
        act.state.idp_users.remove(&mut act.tx.changes, &provider.id, &other);
    }
    let before = act.state.idp_users.get(&provider.id, &user.id);
    let created = before.map_or(now, |row| row.created);
    let same = before.is_some_and(|row| row.profile == told.profile && row.external == told.external);
    let last_updated = before.filter(|_| same).map_or(now, |row| row.last_updated);
    let row = IdpUser {
        provider: provider.id.clone(),
        user: user.id.clone(),
        external: told.external.clone(),
        created,
        last_updated,
        profile: told.profile.clone(),
        tokens: told.tokens.clone(),
    };
    act.state.idp_users.put(&mut act.tx.changes, row);
}
