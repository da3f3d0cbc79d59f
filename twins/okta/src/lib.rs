//! Okta's twin: people, groups, the System Log and event hooks of one org.
//!
//! What it offers is the table in [`Okta::operations`]; everything else hangs off it.

pub mod affordances;
mod affordances_factors;
pub mod affordances_people;
pub mod agents;
pub mod api;
pub mod authn;
pub mod contract;
pub mod devices;
pub mod error;
pub mod events;
pub mod expression;
pub mod identity_sources;
pub mod idp;
pub mod idx;
pub mod inline_hooks;
pub mod input;
mod lexing;
pub mod limits;
mod links;
pub mod model;
pub mod oauth;
pub mod paging;
mod permission;
pub mod policy;
pub mod provisioning;
pub mod query;
mod render;
mod resources;
mod rows;
pub mod saml;
pub mod search;
mod simulation;
pub mod ssf;
pub mod views;
mod world;
mod world_apps;
mod world_devices;
mod world_sources;
pub mod zone;

use std::{borrow::Cow, time::Duration};

use dtu_contract::backing::{self, Backed as _};
use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    diagnostic::Diagnostic,
    operation::{Operation, OperationInfo},
    rows::AnyRows,
    time::Timestamp,
    twin::{Affordance, Allowance, Counted, EnvVar, Limit, Quota, Scene, Twin, Unserved, View, Write},
    tx::Tx,
    wire::{self, Answer, Reply, Request},
    world::World,
};
use http::Method;
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;
use smol_str::SmolStr;

use crate::{error::Error, input::Input, model::State};

/// Okta's twin.
#[derive(Debug)]
pub struct Okta;

/// Who calls: an API token and its owner, or an OAuth client.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The owner's id.
    pub user: SmolStr,
    /// The token's id.
    pub token: SmolStr,
    /// The token's name; of a client, its app's.
    pub name: SmolStr,
    /// The OAuth client that calls, where one does: then the owner is empty, or the person it acts for.
    pub client: Option<SmolStr>,
    /// How much of each limit the token or client may use up, in percent.
    pub share: u8,
    /// The origin of the page that calls and may read the answer (CORS); none where none does or none may.
    pub reader: Option<SmolStr>,
}

impl Caller {
    /// Whose share of the limits it uses up: the client's or the token's; none of a browser or of nobody.
    pub fn principal(&self) -> Option<&SmolStr> {
        self.client.as_ref().or_else(|| Some(&self.token).filter(|token| !token.is_empty()))
    }
}

/// Tables whose rows follow from other changes.
const JOURNALS: [&str; 23] = {
    let [tokens, codes, devices, requests, used, waiting, halfway] = model::grant::TABLES;
    let [sessions, session_tokens] = model::session::TABLES;
    let [prompts, messages] = model::factor::JOURNALS;
    let (passwords, one_times) = (model::password::TABLE, model::one_time::TABLE);
    let transactions = authn::transaction::TABLE;
    let [away, exchanges, assertions] = idp::TABLES;
    let [interactions, interacting] = idx::transaction::TABLES;
    [
        "log",
        prompts,
        messages,
        tokens,
        codes,
        sessions,
        session_tokens,
        devices,
        requests,
        used,
        waiting,
        halfway,
        passwords,
        one_times,
        transactions,
        interactions,
        interacting,
        away,
        exchanges,
        assertions,
        inline_hooks::TABLE,
        model::provisioning::ACCOUNTS,
        model::provisioning::RUNS,
    ]
};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const DELETE: &[Method] = &[Method::DELETE];

impl Twin for Okta {
    type State = State;
    type Input = Input;
    type Caller = Caller;
    type Error = Error;

    fn name(&self) -> &'static str {
        "okta"
    }

    fn title(&self) -> &'static str {
        "Okta"
    }

    /// Background pictures may have 2 MB, and stand in forms.
    fn body_max(&self) -> usize {
        (2 << 20) + (64 << 10)
    }

    fn operations(&self) -> Vec<Operation<Self>> {
        let apps = [apps(), assignments(), app_credentials(), api::app_jwks::operations(), api::app_logo::operations()]
            .into_iter()
            .flatten()
            .collect();
        let own = [
            users(),
            lifecycle(),
            groups(),
            apps,
            logs_and_hooks(),
            tokens_and_schema(),
            api::factors::operations(),
            api::authenticator_enrollments::operations(),
            api::roles::operations(),
            api::iam::operations(),
            api::org_settings::operations(),
            api::widgets::operations(),
            api::of_the_org(),
            api::branding::operations(),
            oauth::operations(),
            idp::operations(),
            idx::operations(),
            api::authorization_servers::operations(),
            api::grants::operations(),
            api::oauth_clients::operations(),
            saml::operations(),
            api::app_connections::operations(),
            api::app_features::operations(),
            authn::operations(),
            api::credentials::operations(),
            api::sessions::operations(),
            api::idp_keys::operations(),
            api::policies::operations(),
            api::schema::operations(),
            api::user_types::operations(),
            api::linked_objects::operations(),
            api::group_rules::operations(),
            api::group_owners::operations(),
            inline_hooks::execute::operations(),
            api::identity_sources::operations(),
            api::my_account::operations(),
            api::devices::operations(),
            api::device_integrations::operations(),
            api::device_posture::operations(),
            api::agent_pools::operations(),
            api::directories::operations(),
            api::preregistration::operations(),
            api::group_push::operations(),
            api::ssf::operations(),
        ];
        backing::rows(self, own.into_iter().flatten().collect())
    }

    fn affordances(&self) -> Vec<Affordance<Self>> {
        let mut all = affordances::affordances();
        all.extend(affordances_factors::affordances());
        all.extend(affordances_people::affordances());
        all.extend(inline_hooks::registration::affordances());
        all.extend(inline_hooks::import::affordances());
        all.extend(agents::affordances());
        all.extend(identity_sources::affordances());
        all
    }

    fn views(&self) -> Vec<View<Self>> {
        views::views()
    }

    fn rows(&self) -> Vec<(&'static str, &'static dyn AnyRows)> {
        vec![
            ("users", &rows::USERS),
            ("groups", &rows::GROUPS),
            ("memberships", &rows::MEMBERSHIPS),
            ("log", &rows::LOG),
        ]
    }

    fn section_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        world::schema(generator)
    }

    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
        world::load(world, tx)
    }

    fn env(&self, state: &State, origin: &str) -> Vec<EnvVar> {
        vec![EnvVar::text("OKTA_CLIENT_ORGURL", origin), EnvVar::text("OKTA_CLIENT_TOKEN", state.tokens.first.as_str())]
    }

    fn input(&self, operation: &OperationInfo, request: &Request) -> Input {
        Input::read(operation, request)
    }

    fn authenticate(&self, state: &State, scene: &Scene<'_>, input: &Input) -> Result<Caller, Error> {
        if oauth::serves(scene.operation)
            || idx::serves(scene.operation)
            || scene.operation.limit == authn::LIMIT && input.token.is_none()
        {
            return Ok(oauth::nobody(state, scene));
        }
        if ssf::serves(scene.operation) {
            return ssf::caller(state, scene);
        }
        if api::my_account::serves(scene.operation) {
            return api::my_account::caller(state, scene);
        }
        if let Some(caller) = authn::cookie::caller(state, scene, input) {
            return caller;
        }
        if oauth::bearer::is_shown(scene.request) {
            return oauth::bearer::caller(state, scene);
        }
        let token = input.token.as_deref().and_then(|value| state.tokens.by_value(value)).ok_or(Error::InvalidToken)?;
        state.users.get(&token.user).ok_or(Error::InvalidToken)?;
        let caller = Caller {
            user: token.user.clone(),
            token: token.id.clone(),
            name: token.name.clone(),
            client: None,
            share: state.share(&token.id),
            reader: None,
        };
        let own = || scene.operation.id == "getUser" && api::users::is_own(state, &caller, &input.resource);
        if permission::allows(state, &caller, scene) || own() { Ok(caller) } else { Err(Error::Forbidden) }
    }

    fn decode<A: DeserializeOwned>(_: &OperationInfo, input: Input) -> Result<A, Error> {
        input.decode()
    }

    fn caller_name(&self, caller: &Caller) -> SmolStr {
        caller.name.clone()
    }

    fn resource(&self, _: &OperationInfo, input: &Input) -> SmolStr {
        input.resource.clone()
    }

    fn limit(&self, operation: &OperationInfo, caller: &Caller) -> Limit {
        limits::limit(operation, caller)
    }

    fn allowances(&self, state: &State, scene: &Scene<'_>, input: &Input, caller: &Caller) -> Vec<Allowance> {
        limits::allowances::of(state, scene, input, caller)
    }

    fn over(&self, scene: &Scene<'_>, counted: &Counted) -> Error {
        limits::allowances::refusal(scene, counted)
    }

    fn is_noted(&self, state: &State, counted: &[Counted]) -> bool {
        limits::notes::is_noted(state, counted)
    }

    fn note(&self, cx: &mut Write<'_, '_, Self>, counted: &[Counted]) {
        limits::notes::note(cx, counted);
    }

    fn concurrency(&self) -> Option<u32> {
        Some(limits::CONCURRENT)
    }

    fn recipient(&self, delivery: &Delivery) -> SmolStr {
        delivery.payload.get("hook").and_then(Value::as_str).map(SmolStr::new).unwrap_or_default()
    }

    fn patience(&self, kind: &str) -> Option<Duration> {
        match kind {
            inline_hooks::INLINE => Some(inline_hooks::PATIENCE),
            idp::exchange::KIND => Some(idp::exchange::WAIT),
            events::VERIFICATION => Some(events::PATIENCE),
            ssf::KEYS => Some(ssf::WAIT),
            _ => None,
        }
    }

    fn render(&self, scene: &Scene<'_>, caller: Option<&Caller>, quota: Quota, result: Result<Answer, Error>) -> Reply {
        let reply =
            render::reply(scene, quota, result.map_err(|error| oauth::bearer::without_scopes(error, scene, caller)));
        oauth::discovery::kept(oauth::cors::readable(reply, scene, caller), scene)
    }

    fn unserved(&self, scene: &Unserved<'_>) -> Reply {
        render::unserved(scene)
    }

    fn prepare(&self, state: &State, delivery: &Delivery, now: Timestamp) -> Option<Outbound> {
        match delivery.kind.as_str() {
            provisioning::calls::SCIM => provisioning::calls::prepare(state, delivery),
            provisioning::groups::GROUP => provisioning::groups::prepare(state, delivery),
            provisioning::import::IMPORT => provisioning::import::prepare(state, delivery),
            inline_hooks::INLINE => inline_hooks::prepare(state, delivery),
            idp::exchange::KIND => idp::exchange::prepare(state, delivery, now),
            ssf::SET | ssf::KEYS | ssf::ABOUT => ssf::prepare(state, delivery),
            _ => events::prepare(state, delivery),
        }
    }

    fn delivered(&self, state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
        match delivery.kind.as_str() {
            provisioning::calls::SCIM => provisioning::calls::delivered(state, tx, delivery, outcome),
            provisioning::groups::GROUP => provisioning::groups::delivered(state, tx, delivery, outcome),
            provisioning::import::IMPORT => provisioning::import::delivered(state, tx, delivery, outcome),
            inline_hooks::INLINE => inline_hooks::delivered(state, tx, delivery, outcome),
            idp::exchange::KIND => idp::exchange::delivered(state, tx, delivery, outcome),
            ssf::SET | ssf::KEYS | ssf::ABOUT => ssf::delivered(state, tx, delivery, outcome),
            _ => events::delivered(state, tx, delivery, outcome),
        }
    }

    fn journals(&self) -> &'static [&'static str] {
        &JOURNALS
    }

    /// Slashes in a row count as one, and one at the end as none: recorded for `//api/v1/users` and
    /// `/api/v1/api-tokens/`.
    fn path<'p>(&self, sent: &'p str) -> Cow<'p, str> {
        let merged = wire::merge_slashes(sent);
        match merged.strip_suffix('/') {
            Some(rest) if !rest.is_empty() => Cow::Owned(rest.to_owned()),
            _ => merged,
        }
    }

    fn misfits(&self, operation: &OperationInfo, reply: &Reply) -> Vec<String> {
        self.backing().misfits(operation, reply)
    }

    /// Only what lies below the API's own paths can be a gap.
    fn is_gap(&self, scene: &Unserved<'_>) -> bool {
        ["/api/", "/oauth2/", "/.well-known/", "/idp/", "/app/", "/home/", "/login/", "/sso/"]
            .iter()
            .any(|root| scene.request.path.starts_with(root))
    }

    /// Locks end by themselves; nothing else happens in an org that nobody asked for.
    fn on_timer(&self, state: &mut State, tx: &mut Tx<'_>, name: &str, data: &Value) {
        match name {
            model::group_rule::TIMER => return model::group_rule::due(state, tx, data),
            agents::TIMER => return agents::due(state, tx, data),
            identity_sources::TIMER => return identity_sources::due(state, tx, data),
            provisioning::import::TIMER => return provisioning::import::due(state, tx, data),
            model::schema::SWEEP => return model::schema::sweep_due(state, tx, data),
            _ => {}
        }
        if name == model::sign_in::UNLOCK {
            model::sign_in::unlock_due(state, tx, data);
        }
    }
}

fn users() -> Vec<Operation<Okta>> {
    use api::users::{create, delete, get, list, list_blocks, list_groups, replace, revoke_sessions, update};
    const ONE: &str = "/api/v1/users/{id}";
    vec![
        Operation::read("listUsers", GET, "/api/v1/users", list).limit("users"),
        Operation::write("createUser", POST, "/api/v1/users", create).limit("users"),
        Operation::read("getUser", GET, ONE, get).limit("users/{id} read"),
        Operation::write("updateUser", POST, ONE, update).limit("users/{id} write"),
        Operation::write("replaceUser", PUT, ONE, replace).limit("users/{id} write"),
        Operation::write("deleteUser", DELETE, ONE, delete).limit("users/{id} write"),
        Operation::read("listUserGroups", GET, "/api/v1/users/{id}/groups", list_groups).limit("users"),
        Operation::read("listUserBlocks", GET, "/api/v1/users/{id}/blocks", list_blocks).limit("users"),
        Operation::write("revokeUserSessions", DELETE, "/api/v1/users/{userId}/sessions", revoke_sessions)
            .limit("users/{id} write"),
    ]
}

fn lifecycle() -> Vec<Operation<Okta>> {
    use api::lifecycle as of;
    const WRITE: &str = "users/{id} write";
    vec![
        Operation::write("activateUser", POST, "/api/v1/users/{id}/lifecycle/activate", of::activate).limit(WRITE),
        Operation::write("reactivateUser", POST, "/api/v1/users/{id}/lifecycle/reactivate", of::reactivate)
            .limit(WRITE),
        Operation::write("deactivateUser", POST, "/api/v1/users/{id}/lifecycle/deactivate", of::deactivate)
            .limit(WRITE),
        Operation::write("suspendUser", POST, "/api/v1/users/{id}/lifecycle/suspend", of::suspend).limit(WRITE),
        Operation::write("unsuspendUser", POST, "/api/v1/users/{id}/lifecycle/unsuspend", of::unsuspend).limit(WRITE),
        Operation::write("unlockUser", POST, "/api/v1/users/{id}/lifecycle/unlock", of::unlock).limit(WRITE),
        Operation::write("resetPassword", POST, "/api/v1/users/{id}/lifecycle/reset_password", of::reset_password)
            .limit(WRITE),
        Operation::write("expirePassword", POST, "/api/v1/users/{id}/lifecycle/expire_password", of::expire_password)
            .limit(WRITE),
        Operation::write(
            "expirePasswordWithTempPassword",
            POST,
            "/api/v1/users/{id}/lifecycle/expire_password_with_temp_password",
            of::expire_with_temporary,
        )
        .limit(WRITE),
        Operation::write("resetFactors", POST, "/api/v1/users/{id}/lifecycle/reset_factors", of::reset_factors)
            .limit(WRITE),
    ]
}

fn groups() -> Vec<Operation<Okta>> {
    use api::groups as of;
    const ONE: &str = "/api/v1/groups/{groupId}";
    const MEMBER: &str = "/api/v1/groups/{groupId}/users/{userId}";
    vec![
        Operation::read("listGroups", GET, "/api/v1/groups", of::list).limit("groups"),
        Operation::write("addGroup", POST, "/api/v1/groups", of::add).limit("groups"),
        Operation::read("getGroup", GET, ONE, of::get).limit("groups/{id}"),
        Operation::write("replaceGroup", PUT, ONE, of::replace).limit("groups/{id}"),
        Operation::write("deleteGroup", DELETE, ONE, of::delete).limit("groups/{id}"),
        Operation::read("listGroupUsers", GET, "/api/v1/groups/{groupId}/users", of::list_members).limit("groups"),
        Operation::write("assignUserToGroup", PUT, MEMBER, of::assign).limit("groups"),
        Operation::write("unassignUserFromGroup", DELETE, MEMBER, of::unassign).limit("groups"),
    ]
}

fn apps() -> Vec<Operation<Okta>> {
    use api::apps as of;
    const ALL: &str = "/api/v1/apps";
    const ONE: &str = "/api/v1/apps/{appId}";
    const LIFECYCLE: (&str, &str) =
        ("/api/v1/apps/{appId}/lifecycle/activate", "/api/v1/apps/{appId}/lifecycle/deactivate");
    vec![
        Operation::read("listApplications", GET, ALL, of::list).limit("apps"),
        Operation::write("createApplication", POST, ALL, of::create).limit("apps"),
        Operation::read("getApplication", GET, ONE, of::get).limit("apps/{id}"),
        Operation::write("replaceApplication", PUT, ONE, of::replace).limit("apps/{id}"),
        Operation::write("deleteApplication", DELETE, ONE, of::delete).limit("apps/{id}"),
        Operation::write("activateApplication", POST, LIFECYCLE.0, of::activate).limit("apps"),
        Operation::write("deactivateApplication", POST, LIFECYCLE.1, of::deactivate).limit("apps"),
        Operation::read("listAssignedApplicationsForGroup", GET, "/api/v1/groups/{groupId}/apps", of::list_of_group)
            .limit("groups"),
        Operation::read("listAppLinks", GET, "/api/v1/users/{id}/appLinks", of::list_links).limit("users"),
    ]
}

fn assignments() -> Vec<Operation<Okta>> {
    use api::{app_groups as groups, app_users as users};
    const USERS: &str = "/api/v1/apps/{appId}/users";
    const USER: &str = "/api/v1/apps/{appId}/users/{userId}";
    const GROUPS: &str = "/api/v1/apps/{appId}/groups";
    const GROUP: &str = "/api/v1/apps/{appId}/groups/{groupId}";
    const CALLS: &str = "apps";
    vec![
        Operation::read("listApplicationUsers", GET, USERS, users::list).limit(CALLS),
        Operation::write("assignUserToApplication", POST, USERS, users::assign).limit(CALLS),
        Operation::read("getApplicationUser", GET, USER, users::get).limit(CALLS),
        Operation::write("updateApplicationUser", POST, USER, users::update).limit(CALLS),
        Operation::write("unassignUserFromApplication", DELETE, USER, users::unassign).limit(CALLS),
        Operation::read("listApplicationGroupAssignments", GET, GROUPS, groups::list).limit(CALLS),
        Operation::read("getApplicationGroupAssignment", GET, GROUP, groups::get).limit(CALLS),
        Operation::write("assignGroupToApplication", PUT, GROUP, groups::assign).limit(CALLS),
        groups::patch_row(GROUP).limit(CALLS),
        Operation::write("unassignApplicationFromGroup", DELETE, GROUP, groups::unassign).limit(CALLS),
    ]
}

fn app_credentials() -> Vec<Operation<Okta>> {
    use api::app_credentials as of;
    const KEYS: &str = "/api/v1/apps/{appId}/credentials/keys";
    const KEY: &str = "/api/v1/apps/{appId}/credentials/keys/{keyId}";
    const GENERATE: &str = "/api/v1/apps/{appId}/credentials/keys/generate";
    const CLONE: &str = "/api/v1/apps/{appId}/credentials/keys/{keyId}/clone";
    const CSRS: &str = "/api/v1/apps/{appId}/credentials/csrs";
    const CSR: &str = "/api/v1/apps/{appId}/credentials/csrs/{csrId}";
    const SECRETS: &str = "/api/v1/apps/{appId}/credentials/secrets";
    const SECRET: &str = "/api/v1/apps/{appId}/credentials/secrets/{secretId}";
    const ON: &str = "/api/v1/apps/{appId}/credentials/secrets/{secretId}/lifecycle/activate";
    const OFF: &str = "/api/v1/apps/{appId}/credentials/secrets/{secretId}/lifecycle/deactivate";
    const CALLS: &str = "apps";
    vec![
        Operation::read("listApplicationKeys", GET, KEYS, of::list_keys).limit(CALLS),
        Operation::write("generateApplicationKey", POST, GENERATE, of::generate_key).limit(CALLS),
        Operation::read("getApplicationKey", GET, KEY, of::get_key).limit(CALLS),
        Operation::write("cloneApplicationKey", POST, CLONE, of::clone_key).limit(CALLS),
        Operation::read("listCsrsForApplication", GET, CSRS, of::list_csrs).limit(CALLS),
        Operation::write("generateCsrForApplication", POST, CSRS, of::generate_csr).limit(CALLS),
        Operation::read("getCsrForApplication", GET, CSR, of::get_csr).limit(CALLS),
        Operation::write("revokeCsrFromApplication", DELETE, CSR, of::revoke_csr).limit(CALLS),
        Operation::read("listOAuth2ClientSecrets", GET, SECRETS, of::list_secrets).limit(CALLS),
        Operation::write("createOAuth2ClientSecret", POST, SECRETS, of::create_secret).limit(CALLS),
        Operation::read("getOAuth2ClientSecret", GET, SECRET, of::get_secret).limit(CALLS),
        Operation::write("deleteOAuth2ClientSecret", DELETE, SECRET, of::delete_secret).limit(CALLS),
        Operation::write("activateOAuth2ClientSecret", POST, ON, of::activate_secret).limit(CALLS),
        Operation::write("deactivateOAuth2ClientSecret", POST, OFF, of::deactivate_secret).limit(CALLS),
    ]
}

fn logs_and_hooks() -> Vec<Operation<Okta>> {
    use api::event_hooks as of;
    const ALL: &str = "/api/v1/eventHooks";
    const ONE: &str = "/api/v1/eventHooks/{eventHookId}";
    const CALLS: &str = "eventHooks";
    vec![
        Operation::read("listLogEvents", GET, "/api/v1/logs", api::logs::list).limit("logs"),
        Operation::read("listEventHooks", GET, ALL, of::list).limit(CALLS),
        Operation::write("createEventHook", POST, ALL, of::create).limit(CALLS),
        Operation::read("getEventHook", GET, ONE, of::get).limit(CALLS),
        Operation::write("replaceEventHook", PUT, ONE, of::replace).limit(CALLS),
        Operation::write("deleteEventHook", DELETE, ONE, of::delete).limit(CALLS),
        Operation::write(
            "activateEventHook",
            POST,
            "/api/v1/eventHooks/{eventHookId}/lifecycle/activate",
            of::activate,
        )
        .limit(CALLS),
        Operation::write(
            "deactivateEventHook",
            POST,
            "/api/v1/eventHooks/{eventHookId}/lifecycle/deactivate",
            of::deactivate,
        )
        .limit(CALLS),
        Operation::write("verifyEventHook", POST, "/api/v1/eventHooks/{eventHookId}/lifecycle/verify", of::verify)
            .then(of::verified)
            .limit(CALLS),
    ]
}

fn tokens_and_schema() -> Vec<Operation<Okta>> {
    use api::tokens as of;
    const ONE: &str = "/api/v1/api-tokens/{apiTokenId}";
    vec![
        Operation::read("listApiTokens", GET, "/api/v1/api-tokens", of::list).limit("api-tokens"),
        Operation::write("revokeCurrentApiToken", DELETE, "/api/v1/api-tokens/current", of::revoke_current)
            .limit("api-tokens"),
        Operation::read("getApiToken", GET, ONE, of::get).limit("api-tokens"),
        Operation::write("upsertApiToken", PUT, ONE, of::upsert).limit("api-tokens"),
        Operation::write("revokeApiToken", DELETE, ONE, of::revoke).limit("api-tokens"),
    ]
}

/// The environment variables of a client that uses a certain token of the world; none where there is none of that
/// name.
pub fn token_env(state: &State, token_name: &str) -> Option<Vec<(&'static str, String)>> {
    let token = state.tokens.iter().find(|token| token.name == token_name)?;
    Some(vec![("OKTA_CLIENT_TOKEN", token.value.to_string())])
}

/// The environment variables of a client that uses an OAuth client of the world with the test key; none where there is
/// none of that handle.
pub fn client_env(state: &State, key: &str) -> Option<Vec<(&'static str, String)>> {
    let client = state.clients.get(state.client_keys.get(key)?)?;
    Some(vec![
        ("OKTA_CLIENT_AUTHORIZATIONMODE", "PrivateKey".to_owned()),
        ("OKTA_CLIENT_CLIENTID", client.id.to_string()),
        ("OKTA_CLIENT_SCOPES", client.scopes.join(" ")),
        ("OKTA_CLIENT_PRIVATEKEY", oauth::keys::client_pem().to_owned()),
    ])
}
