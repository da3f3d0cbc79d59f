//! What people do in Okta's own pages, through the same model functions as the API.

use std::sync::Arc;

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
        app::{self, App},
        assignment::{self, Change},
        group::{self, Group, GroupProfile},
        log::{Client, Party, Transaction},
        may,
        password::NewPassword,
        profile::{Attribute, Profile},
        role,
        schema::Custom,
        token,
        user::{Status, Step, User},
    },
    oauth::{device, scripted, session},
    provisioning::{self, settings::Server},
    saml,
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
        Affordance::new("okta.admin.assign_app", "Assigns an app to a person or a group", assign_app),
        Affordance::new("okta.admin.unassign_app", "Takes an app from a person or a group", unassign_app),
        Affordance::new("okta.admin.deactivate_app", "Deactivates an app by its label", deactivate_app),
        Affordance::new("okta.admin.provision_app", "Connects an app to its SCIM server", provision_app),
        Affordance::new(
            "okta.admin.import_now",
            "Imports people and groups from an app's SCIM server: what of that waits, shows in the view `imports`",
            import_now,
        ),
        Affordance::new(
            "okta.admin.provision_user",
            "Pushes a person to an app that is provisioned: anew where that has failed",
            provision_user,
        ),
        Affordance::new("okta.admin.revoke_token", "Revokes an API token by its name", revoke_token),
        Affordance::new("okta.admin.rotate_keys", "Rotates the signing keys of an authorization server", rotate_keys),
        Affordance::new(
            "okta.user.sign_in",
            "Signs in as oneself, choosing a new password where one is due; to a client where its request is given",
            sign_in,
        ),
        Affordance::new(
            "okta.user.sign_in_to_app",
            "Signs in to a SAML app, by its tile or by the address that it sends people to",
            sign_in_to_app,
        ),
        Affordance::new("okta.user.activate_device", "Lets a device in, or refuses it", activate_device),
    ]
}

pub(crate) fn refused(error: &Error) -> Refusal {
    Refusal::new(error.words())
}

/// The person who acts.
pub(crate) fn actor<'a>(state: &'a State, name: &str) -> Result<&'a User, Refusal> {
    state.person(name).ok_or_else(|| Refusal::new(format!("nobody in Okta is called `{name}`")))
}

/// Runs an act of an administrator and tells the hooks what it logged.
pub(crate) fn administer(
    state: &mut State,
    tx: &mut Tx<'_>,
    who: &str,
    act: impl FnOnce(&mut Act<'_, '_>) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let person = actor(state, who)?;
    if !role::is_admin(state, person) {
        return Err(Refusal::new(format!("{} is not an administrator of Okta", person.login())));
    }
    if person.status != Status::Active {
        let message = format!("{} cannot sign in to Okta: the account is {}", person.login(), person.status.text());
        return Err(Refusal::new(message));
    }
    perform(state, tx, who, "/admin", act)
}

pub(crate) fn perform(
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

/// Whether the roles of the administrator who acts allow what the API has a call for, as the console asks too.
pub(crate) fn allow(act: &Act<'_, '_>, line: &str, params: &[(&'static str, &SmolStr)]) -> Result<(), Refusal> {
    allow_with(act, line, params, &[])
}

/// The same of a person who is to be made in groups.
fn allow_with(
    act: &Act<'_, '_>,
    line: &str,
    params: &[(&'static str, &SmolStr)],
    groups: &[SmolStr],
) -> Result<(), Refusal> {
    let (method, path) = line.split_once(' ').unwrap_or(("", line));
    let params: Vec<_> = params.iter().map(|(name, value)| (*name, value.to_string())).collect();
    let who = may::Who { user: &act.by.actor.id, client: None };
    let wish = may::Wish { path, method, params: &params, groups, app_name: "" };
    if may::may(act.state, &who, &wish) {
        return Ok(());
    }
    Err(Refusal::new(format!("the administrator roles of {} do not allow that", act.by.actor.alternate_id)))
}

pub(crate) fn find_user(act: &Act<'_, '_>, name: &str) -> Result<User, Refusal> {
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
        let groups = with.groups.iter().map(|name| find_group(act, name).map(Arc::new));
        let groups = groups.collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<_> = groups.iter().map(|group| group.id.clone()).collect();
        allow_with(act, "POST /api/v1/users", &[], &ids)?;
        let new = NewUser {
            realm: None,
            profile,
            credentials: Credentials { password: with.password.map(NewPassword::Text), ..Credentials::default() },
            groups,
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
        allow(act, line_of(step), &[("userId", &user.id)])?;
        let moved = accounts::advance(act, &user, step);
        moved
            .map(|user| shown(&user))
            .map_err(|error| Refusal::new(format!("{} is {}: {}", user.login(), user.status.text(), error.words())))
    })
}

/// The API's call for a step.
fn line_of(step: Step) -> &'static str {
    match step {
        Step::Deactivate => "POST /api/v1/users/{userId}/lifecycle/deactivate",
        Step::Activate => "POST /api/v1/users/{userId}/lifecycle/activate",
        Step::Suspend => "POST /api/v1/users/{userId}/lifecycle/suspend",
        Step::Unsuspend => "POST /api/v1/users/{userId}/lifecycle/unsuspend",
        _ => "POST /api/v1/users/{userId}/lifecycle/unlock",
    }
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
        allow(act, "PUT /api/v1/groups/{groupId}/users/{userId}", &[("groupId", &group.id), ("userId", &user.id)])?;
        group::add_member(act, &group, &user).map_err(|error| refused(&error))?;
        Ok(json!({ "user": user.login(), "group": group.name }))
    })
}

fn remove_from_group(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfMember) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let (user, group) = (find_user(act, &with.user)?, find_group(act, &with.group)?);
        allow(act, "DELETE /api/v1/groups/{groupId}/users/{userId}", &[("groupId", &group.id), ("userId", &user.id)])?;
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
        let description = with.description.map(SmolStr::from);
        let profile = GroupProfile { name: with.name.into(), description, custom: Custom::default() };
        allow(act, "POST /api/v1/groups", &[])?;
        let group = group::create(act, profile).map_err(|error| refused(&error))?;
        Ok(json!({ "id": group.id, "name": group.name }))
    })
}

/// Arguments of `okta.admin.assign_app` and `okta.admin.unassign_app`: one of person and group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppAndWhom {
    /// The app, by label or id.
    app: String,
    /// The person, by login, id or key.
    #[serde(default)]
    user: Option<String>,
    /// The group, by name or id.
    #[serde(default)]
    group: Option<String>,
}

/// A person or a group.
enum Whom {
    User(User),
    Group(Group),
}

impl AppAndWhom {
    fn whom(&self, act: &Act<'_, '_>) -> Result<Whom, Refusal> {
        match (&self.user, &self.group) {
            (Some(user), None) => find_user(act, user).map(Whom::User),
            (None, Some(group)) => find_group(act, group).map(Whom::Group),
            _ => Err(Refusal::new("give either `user` or `group`")),
        }
    }
}

pub(crate) fn find_app(act: &Act<'_, '_>, name: &str) -> Result<Arc<App>, Refusal> {
    let found = act.state.apps.get(name).or_else(|| act.state.apps.by_label(name));
    found.cloned().ok_or_else(|| Refusal::new(format!("there is no app `{name}` in Okta")))
}

fn assign_app(state: &mut State, tx: &mut Tx<'_>, who: &str, with: AppAndWhom) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let app = find_app(act, &with.app)?;
        match with.whom(act)? {
            Whom::User(user) => {
                allow(act, "POST /api/v1/apps/{appId}/users", &[("appId", &app.id), ("userId", &user.id)])?;
                assignment::assign(act, &app, &user, Change::default()).map_err(|error| refused(&error))?;
                Ok(json!({ "app": app.label, "user": user.login() }))
            }
            Whom::Group(group) => {
                allow(act, "PUT /api/v1/apps/{appId}/groups/{groupId}", &[("appId", &app.id), ("groupId", &group.id)])?;
                assignment::assign_group(act, &app, &group, None, None);
                Ok(json!({ "app": app.label, "group": group.name }))
            }
        }
    })
}

fn unassign_app(state: &mut State, tx: &mut Tx<'_>, who: &str, with: AppAndWhom) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let app = find_app(act, &with.app)?;
        match with.whom(act)? {
            Whom::User(user) => {
                allow(act, "DELETE /api/v1/apps/{appId}/users/{userId}", &[("appId", &app.id), ("userId", &user.id)])?;
                assignment::unassign(act, &app, &user).map_err(|error| refused(&error))?;
                Ok(json!({ "app": app.label, "user": user.login() }))
            }
            Whom::Group(group) => {
                let params = [("appId", &app.id), ("groupId", &group.id)];
                allow(act, "DELETE /api/v1/apps/{appId}/groups/{groupId}", &params)?;
                assignment::unassign_group(act, &app, &group);
                Ok(json!({ "app": app.label, "group": group.name }))
            }
        }
    })
}

/// Arguments of `okta.admin.provision_app`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionApp {
    /// The app, by label or id.
    app: String,
    /// Its SCIM server.
    server: Server,
}

fn provision_app(state: &mut State, tx: &mut Tx<'_>, who: &str, with: ProvisionApp) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let app = find_app(act, &with.app)?;
        allow(act, "POST /api/v1/apps/{appId}/connections/default", &[("appId", &app.id)])?;
        if let Some(problem) = with.server.problem() {
            return Err(Refusal::new(format!("the SCIM server {problem}")));
        }
        with.server.connect(act, &app);
        provisioning::import::plan(act, &app.id);
        Ok(json!({ "app": app.label, "baseUrl": with.server.base_url }))
    })
}

/// Arguments of `okta.admin.provision_user`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionUser {
    /// The app, by label or id.
    app: String,
    /// The person, by login, id or key.
    user: String,
}

fn provision_user(state: &mut State, tx: &mut Tx<'_>, who: &str, with: ProvisionUser) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let (app, user) = (find_app(act, &with.app)?, find_user(act, &with.user)?);
        allow(act, "POST /api/v1/apps/{appId}/users/{userId}", &[("appId", &app.id), ("userId", &user.id)])?;
        provisioning::push(act, &app, &user).map_err(Refusal::new)?;
        Ok(json!({ "app": app.label, "user": user.login() }))
    })
}

/// Arguments of `okta.admin.import_now`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportNow {
    /// The app, by label or id.
    app: String,
    /// Whether it is an incremental import, which ends nothing; it is a full one where nothing is said.
    #[serde(default)]
    incremental: bool,
}

fn import_now(state: &mut State, tx: &mut Tx<'_>, who: &str, with: ImportNow) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let app = find_app(act, &with.app)?;
        allow(act, "POST /api/v1/apps/{appId}/connections/default", &[("appId", &app.id)])?;
        let job = provisioning::import::begin(act, &app, !with.incremental).map_err(Refusal::new)?;
        Ok(json!({ "id": job, "app": app.label }))
    })
}

/// Arguments of `okta.admin.deactivate_app`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneApp {
    /// The app, by label or id.
    app: String,
}

fn deactivate_app(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OneApp) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let app = find_app(act, &with.app)?;
        allow(act, "POST /api/v1/apps/{appId}/lifecycle/deactivate", &[("appId", &app.id)])?;
        let app = app::switch(act, &app, false);
        Ok(json!({ "app": app.label, "status": app.status() }))
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
        allow(act, "DELETE /api/v1/api-tokens/{apiTokenId}", &[])?;
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
    /// The address that a client has sent the person to: an authorize endpoint with its query.
    #[serde(default)]
    authorize: Option<String>,
}

fn sign_in(state: &mut State, tx: &mut Tx<'_>, who: &str, with: SignIn) -> Result<Value, Refusal> {
    let person = actor(state, who)?.clone();
    perform(state, tx, who, "/api/v1/authn", |act| {
        let signed_in = accounts::sign_in(act, &person, with.new_password);
        let user = signed_in.map_err(|error| match (error, person.status) {
            (Error::NotInStatus, Status::Provisioned | Status::Recovery | Status::PasswordExpired) => {
                Refusal::new("a new password is due: give `new_password`")
            }
            (Error::NotInStatus, status) => {
                Refusal::new(format!("nobody can sign in: the account is {}", status.text()))
            }
            (error, _) => refused(&error),
        })?;
        let mut shown = shown(&user);
        match &with.authorize {
            Some(address) => shown["redirect"] = json!(scripted::go_on(act, address, &user).map_err(Refusal::new)?),
            None => shown["sessionToken"] = json!(session::token(act, &user).0),
        }
        Ok(shown)
    })
}

/// Arguments of `okta.user.sign_in_to_app`: one of the app and the address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInToApp {
    /// The app whose tile the person chooses, by label or id.
    #[serde(default)]
    app: Option<String>,
    /// The address that the app has sent the person to, with its `SAMLRequest`.
    #[serde(default)]
    address: Option<String>,
}

/// Gives back where the browser posts the answer, and the answer.
fn sign_in_to_app(state: &mut State, tx: &mut Tx<'_>, who: &str, with: SignInToApp) -> Result<Value, Refusal> {
    let person = actor(state, who)?.clone();
    if with.app.is_some() == with.address.is_some() {
        return Err(Refusal::new("give either `app` or `address`"));
    }
    perform(state, tx, who, "/api/v1/authn", |act| {
        let signed_in = accounts::sign_in(act, &person, None);
        let user = signed_in.map_err(|_| {
            Refusal::new(format!("{} cannot sign in: the account is {}", person.login(), person.status.text()))
        })?;
        let app = with.app.as_deref().map(|name| find_app(act, name)).transpose()?;
        let posted = saml::sso::scripted(act, app.as_ref(), with.address.as_deref(), &user);
        posted.map(|post| saml::sso::shown(&post)).map_err(|refused| Refusal::new(refused.words()))
    })
}

/// Arguments of `okta.user.activate_device`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateDevice {
    /// The code that the device shows.
    user_code: String,
    /// Whether the device is let in; it is where nothing is said.
    #[serde(default)]
    allow: Option<bool>,
}

fn activate_device(state: &mut State, tx: &mut Tx<'_>, who: &str, with: ActivateDevice) -> Result<Value, Refusal> {
    let person = actor(state, who)?.clone();
    let allow = with.allow.unwrap_or(true);
    perform(state, tx, who, "/activate", |act| {
        let decided = device::decide(act, &with.user_code, &person, allow);
        decided.map_err(|error| Refusal::new(error.description.to_string()))?;
        Ok(json!({ "user_code": with.user_code, "allowed": allow }))
    })
}

/// Arguments of `okta.admin.rotate_keys`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKeys {
    /// The authorization server's id, or `default`; the org's own where absent.
    #[serde(default)]
    server: Option<String>,
}

fn rotate_keys(state: &mut State, tx: &mut Tx<'_>, who: &str, with: RotateKeys) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let name = with.server.as_deref().unwrap_or_default();
        allow(act, "POST /api/v1/authorizationServers/{authServerId}/credentials/lifecycle/keyRotate", &[])?;
        let kid = scripted::rotate(act, name);
        Ok(json!({ "kid": kid.ok_or_else(|| Refusal::new(format!("there is no authorization server `{name}`")))? }))
    })
}
