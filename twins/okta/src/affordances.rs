//! What people do in Okta's own pages, through the same model functions as the API.

use dtu_kernel::{
    ids::HEX,
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Okta,
    error::Error,
    events,
    model::{
        Act, Acting, SITE, State,
        accounts::{self, Credentials, NewUser},
        group::{self, Group, GroupProfile},
        log::{Client, Party, Transaction},
        profile::{Attribute, Profile},
        token,
        user::{Status, Step, User},
    },
};

/// All human verbs.
pub fn affordances() -> Vec<Affordance<Okta>> {
    vec![
        Affordance::new("okta.admin.create_user", "Adds a person in the admin console", create_user),
        Affordance::new("okta.admin.deactivate_user", "Deactivates a person in the admin console", deactivate_user),
        Affordance::new("okta.admin.activate_user", "Activates a person in the admin console", activate_user),
        Affordance::new("okta.admin.suspend_user", "Suspends a person in the admin console", suspend_user),
        Affordance::new("okta.admin.unsuspend_user", "Unsuspends a person in the admin console", unsuspend_user),
        Affordance::new("okta.admin.unlock_user", "Unlocks a person in the admin console", unlock_user),
        Affordance::new("okta.admin.add_to_group", "Puts a person into a group", add_to_group),
        Affordance::new("okta.admin.remove_from_group", "Takes a person out of a group", remove_from_group),
        Affordance::new("okta.admin.create_group", "Adds a group in the admin console", create_group),
        Affordance::new("okta.admin.revoke_token", "Revokes an API token by its name", revoke_token),
        Affordance::new("okta.user.sign_in", "Signs in as oneself, choosing a new password where one is due", sign_in),
    ]
}

fn refused(error: &Error) -> Refusal {
    Refusal::new(error.words())
}

/// The person who acts.
fn actor<'a>(state: &'a State, name: &str) -> Result<&'a User, Refusal> {
    state.person(name).ok_or_else(|| Refusal::new(format!("nobody in Okta is called `{name}`")))
}

/// Runs an act of an administrator and tells the hooks what it logged.
fn administer(
    state: &mut State,
    tx: &mut Tx<'_>,
    who: &str,
    act: impl FnOnce(&mut Act<'_, '_>) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let person = actor(state, who)?;
    if !person.admin {
        return Err(Refusal::new(format!("{} is not an administrator of Okta", person.login())));
    }
    if person.status != Status::Active {
        let message = format!("{} cannot sign in to Okta: the account is {}", person.login(), person.status.text());
        return Err(Refusal::new(message));
    }
    perform(state, tx, who, "/admin", act)
}

fn perform(
    state: &mut State,
    tx: &mut Tx<'_>,
    who: &str,
    page: &'static str,
    act: impl FnOnce(&mut Act<'_, '_>) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let by = Acting {
        actor: Party::user(actor(state, who)?),
        client: Client {
            address: SmolStr::new_static("127.0.0.1"),
            agent: SmolStr::new_static("Mozilla/5.0 (X11; Linux x86_64)"),
        },
        transaction: Transaction {
            kind: "WEB",
            id: tx.draw(SITE.child("transaction")).text(HEX, 32).into(),
            token: SmolStr::default(),
            uri: SmolStr::new_static(page),
            url: SmolStr::new_static(page),
        },
    };
    let mut write = Act::new(state, tx, by);
    let result = act(&mut write)?;
    events::announce(&mut write);
    Ok(result)
}

fn find_user(act: &Act<'_, '_>, name: &str) -> Result<User, Refusal> {
    let found = act.state.person(name).cloned();
    found.ok_or_else(|| Refusal::new(format!("there is no person `{name}` in Okta")))
}

fn find_group(act: &Act<'_, '_>, name: &str) -> Result<Group, Refusal> {
    let groups = &act.state.groups;
    let found = groups.get(name).or_else(|| groups.by_name(name)).map(|group| Group::clone(group));
    found.ok_or_else(|| Refusal::new(format!("there is no group `{name}` in Okta")))
}

fn shown(user: &User) -> Value {
    json!({ "id": user.id, "login": user.login(), "status": user.status })
}

/// Arguments of `okta.admin.create_user`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// First name.
    first_name: String,
    /// Last name.
    last_name: String,
    /// Mail address, which is the login as well.
    email: String,
    /// Job title.
    #[serde(default)]
    title: String,
    /// Department.
    #[serde(default)]
    department: String,
    /// The manager, by login, id or key.
    #[serde(default)]
    manager: Option<String>,
    /// Groups to put the person into, by name or id.
    #[serde(default)]
    groups: Vec<String>,
    /// A first password; without one, the person is invited to choose one.
    #[serde(default)]
    password: Option<String>,
    /// Whether the account is activated at once; it is where nothing is said.
    #[serde(default)]
    activate: Option<bool>,
}

fn create_user(state: &mut State, tx: &mut Tx<'_>, who: &str, with: CreateUser) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let manager = with.manager.as_deref().map(|name| find_user(act, name)).transpose()?;
        let manager_login = manager.as_ref().map(User::login).unwrap_or_default();
        let manager_name = manager.as_ref().map(|manager| manager.profile.full_name()).unwrap_or_default();
        let mut profile = Profile::default();
        for (attribute, value) in [
            (Attribute::FIRST_NAME, &*with.first_name),
            (Attribute::LAST_NAME, &with.last_name),
            (Attribute::EMAIL, &with.email),
            (Attribute::LOGIN, &with.email),
            (Attribute::TITLE, &with.title),
            (Attribute::DEPARTMENT, &with.department),
            (Attribute::MANAGER_ID, manager_login),
            (Attribute::MANAGER, &manager_name),
        ] {
            profile.set(attribute, value);
        }
        let groups = with.groups.iter().map(|name| find_group(act, name).map(std::sync::Arc::new));
        let new = NewUser {
            profile,
            credentials: Credentials { password: with.password.map(Some), ..Credentials::default() },
            groups: groups.collect::<Result<_, _>>()?,
            activate: with.activate.unwrap_or(true),
            federated: false,
            expire: false,
        };
        accounts::create(act, new).map(|user| shown(&user)).map_err(|error| refused(&error))
    })
}

/// Arguments of verbs about one person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfUser {
    /// The person, by mail address, login, id or key.
    user: String,
}

fn move_user(state: &mut State, tx: &mut Tx<'_>, who: &str, with: &OfUser, step: Step) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let user = find_user(act, &with.user)?;
        let moved = accounts::advance(act, &user, step);
        moved
            .map(|user| shown(&user))
            .map_err(|error| Refusal::new(format!("{} is {}: {}", user.login(), user.status.text(), error.words())))
    })
}

fn deactivate_user(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfUser) -> Result<Value, Refusal> {
    move_user(state, tx, who, &with, Step::Deactivate)
}

fn activate_user(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfUser) -> Result<Value, Refusal> {
    move_user(state, tx, who, &with, Step::Activate)
}

fn suspend_user(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfUser) -> Result<Value, Refusal> {
    move_user(state, tx, who, &with, Step::Suspend)
}

fn unsuspend_user(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfUser) -> Result<Value, Refusal> {
    move_user(state, tx, who, &with, Step::Unsuspend)
}

fn unlock_user(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfUser) -> Result<Value, Refusal> {
    move_user(state, tx, who, &with, Step::Unlock)
}

/// Arguments of verbs about a person and a group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfMember {
    /// The person, by mail address, login, id or key.
    user: String,
    /// The group, by name or id.
    group: String,
}

fn add_to_group(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfMember) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let (user, group) = (find_user(act, &with.user)?, find_group(act, &with.group)?);
        group::add_member(act, &group, &user).map_err(|error| refused(&error))?;
        Ok(json!({ "user": user.login(), "group": group.name }))
    })
}

fn remove_from_group(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfMember) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let (user, group) = (find_user(act, &with.user)?, find_group(act, &with.group)?);
        group::remove_member(act, &group, &user).map_err(|error| refused(&error))?;
        Ok(json!({ "user": user.login(), "group": group.name }))
    })
}

/// Arguments of `okta.admin.create_group`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGroup {
    /// Its name.
    name: String,
    /// What it is for.
    #[serde(default)]
    description: Option<String>,
}

fn create_group(state: &mut State, tx: &mut Tx<'_>, who: &str, with: CreateGroup) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let profile = GroupProfile { name: with.name.into(), description: with.description.map(SmolStr::from) };
        let group = group::create(act, profile).map_err(|error| refused(&error))?;
        Ok(json!({ "id": group.id, "name": group.name }))
    })
}

/// Arguments of `okta.admin.revoke_token`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeToken {
    /// The token's name.
    name: String,
}

fn revoke_token(state: &mut State, tx: &mut Tx<'_>, who: &str, with: RevokeToken) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let found = act.state.tokens.iter().find(|token| token.name == with.name).cloned();
        let found = found.ok_or_else(|| Refusal::new(format!("there is no API token `{}`", with.name)))?;
        token::revoke(act, &found);
        Ok(json!({ "name": found.name }))
    })
}

/// Arguments of `okta.user.sign_in`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The password to choose where one is due: at the first sign-in, after a reset, after expiry.
    #[serde(default)]
    new_password: Option<String>,
}

fn sign_in(state: &mut State, tx: &mut Tx<'_>, who: &str, with: SignIn) -> Result<Value, Refusal> {
    let person = actor(state, who)?.clone();
    perform(state, tx, who, "/api/v1/authn", |act| {
        let signed_in = accounts::sign_in(act, &person, with.new_password);
        signed_in.map(|user| shown(&user)).map_err(|error| match (error, person.status) {
            (Error::NotInStatus, Status::Provisioned | Status::Recovery | Status::PasswordExpired) => {
                Refusal::new("a new password is due: give `new_password`")
            }
            (Error::NotInStatus, status) => {
                Refusal::new(format!("nobody can sign in: the account is {}", status.text()))
            }
            (error, _) => refused(&error),
        })
    })
}
