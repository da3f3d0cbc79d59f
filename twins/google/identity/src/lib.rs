//! Google's identity twin: the token endpoint, and what is around it.
//!
//! What it offers is the table in [`Identity::operations`]. Accounts, clients and tokens are the workspace's, which it
//! shares with the APIs that believe its tokens.

pub mod affordances;
pub mod api;
pub mod assertion;
pub mod contract;
pub mod error;
pub mod input;

use dtu_google_workspace::{
    STORE, auth, keys,
    model::{State, token::Token},
    views, world,
};
use dtu_kernel::{
    diagnostic::Diagnostic,
    operation::{Operation, OperationInfo},
    twin::{Affordance, EnvValue, EnvVar, Limit, Quota, Scene, Twin, Unserved, View},
    tx::Tx,
    wire::{Answer, Reply, Request},
    world::World,
};
use http::Method;
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use smol_str::SmolStr;

use crate::{error::Error, input::Input};

/// Google's identity twin.
#[derive(Debug)]
pub struct Identity;

/// Who calls: nobody yet, where the call is for a token.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The access token of a call that needs one.
    pub token: Option<Token>,
    /// Its holder's mail address; empty for calls that need none.
    pub name: SmolStr,
}

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const BOTH: &[Method] = &[Method::GET, Method::POST];

impl Twin for Identity {
    type State = State;
    type Input = Input;
    type Caller = Caller;
    type Error = Error;

    fn name(&self) -> &'static str {
        "google-identity"
    }

    fn title(&self) -> &'static str {
        "Google Identity"
    }

    fn body_max(&self) -> usize {
        1 << 20
    }

    fn store(&self) -> &'static str {
        STORE
    }

    fn operations(&self) -> Vec<Operation<Self>> {
        [tokens(), people(), documents()].into_iter().flatten().collect()
    }

    fn affordances(&self) -> Vec<Affordance<Self>> {
        affordances::affordances()
    }

    fn views(&self) -> Vec<View<Self>> {
        vec![
            View { name: "accounts", about: "Accounts: id, email, name, admin, suspended", render: views::accounts },
            View {
                name: "service_accounts",
                about: "Service accounts: id, email, delegates, acts_for (emails; all where empty)",
                render: views::service_accounts,
            },
            View {
                name: "tokens",
                about: "Tokens without their values, oldest first: kind, holder (email), issued_to, scopes, issued, \
                        expires, revoked",
                render: views::tokens,
            },
        ]
    }

    fn section_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        world::schema(generator)
    }

    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
        world::load(world, tx)
    }

    /// The key file of the world's first service account, and an access token of the first administrator for all of
    /// Drive, Sheets and Docs, which lives for as long as the universe so that work with it does not break.
    fn env(&self, state: &State, origin: &str) -> Vec<EnvVar> {
        let mut env = Vec::new();
        if let Some(service) = state.services.first() {
            let content = keys::key_file(state, service, origin);
            let value = EnvValue::File { name: "google-credentials.json", content };
            env.push(EnvVar { name: "GOOGLE_APPLICATION_CREDENTIALS", value });
        }
        if !state.tokens.standing.is_empty() {
            env.push(EnvVar::text("GOOGLE_ACCESS_TOKEN", state.tokens.standing.as_str()));
        }
        env
    }

    fn input(&self, operation: &OperationInfo, request: &Request) -> Input {
        Input::read(operation, request)
    }

    fn authenticate(&self, state: &State, scene: &Scene<'_>, input: &Input) -> Result<Caller, Error> {
        let caller = believe(state, scene, input)?;
        contract::check_fields(scene).map_err(Error::Field)?;
        Ok(caller)
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

    /// Google publishes no quota a minute for these calls: the one here is so high that nobody meets it.
    fn limit(&self, _: &OperationInfo, _: &Caller) -> Limit {
        Limit { bucket: SmolStr::new_static("all"), per_minute: u32::MAX }
    }

    fn render(&self, scene: &Scene<'_>, _: Option<&Caller>, _: Quota, result: Result<Answer, Error>) -> Reply {
        error::reply(scene, result)
    }

    fn unserved(&self, scene: &Unserved<'_>) -> Reply {
        error::unserved(scene)
    }

    /// Tokens come and go with every program that calls: no change that anybody asked for.
    fn journals(&self) -> &'static [&'static str] {
        &["tokens"]
    }

    fn misfits(&self, operation: &OperationInfo, reply: &Reply) -> Vec<String> {
        contract::backing().misfits(operation, reply)
    }

    /// Sign-in pages and the addresses of other hosts that clients are sent here with.
    fn is_gap(&self, scene: &Unserved<'_>) -> bool {
        let roots = ["/o/oauth2/", "/oauth2/", "/device/", "/userinfo/", "/v1/", "/robot/"];
        roots.iter().any(|root| scene.request.path.starts_with(root))
    }
}

/// Who calls, where an operation needs to know.
fn believe(state: &State, scene: &Scene<'_>, input: &Input) -> Result<Caller, Error> {
    let needed = scene.operation.scopes;
    if needed.is_empty() {
        return Ok(Caller::default());
    }
    let value = input.bearer.as_deref().ok_or(Error::NoCredential)?;
    let token = auth::good_token(state, value, scene.now).ok_or(Error::BadCredential)?;
    if !token.has_one_of(needed) {
        return Err(Error::Scope);
    }
    let name = state.email(&token.holder).cloned().unwrap_or_default();
    Ok(Caller { token: Some(token.clone()), name })
}

fn tokens() -> Vec<Operation<Identity>> {
    use api::tokens as of;
    vec![
        Operation::write("oauth2.token", POST, "/token", of::token),
        Operation::write("oauth2.token.v4", POST, "/oauth2/v4/token", of::token),
        Operation::write("oauth2.token.legacy", POST, "/o/oauth2/token", of::token),
        Operation::write("oauth2.revoke", BOTH, "/revoke", of::revoke),
        Operation::write("oauth2.revoke.legacy", BOTH, "/o/oauth2/revoke", of::revoke),
        Operation::read("oauth2.tokeninfo.v3", BOTH, "/tokeninfo", of::info),
        Operation::read("oauth2.tokeninfo.v3.legacy", BOTH, "/oauth2/v3/tokeninfo", of::info),
        Operation::read("oauth2.tokeninfo", &[Method::POST, Method::GET], "/oauth2/v2/tokeninfo", of::info_v2),
    ]
}

fn people() -> Vec<Operation<Identity>> {
    use api::people as of;
    use dtu_google_workspace::scopes::{EMAIL, OPENID, PROFILE};
    const SCOPES: &[&str] = &[OPENID, EMAIL, PROFILE];
    vec![
        Operation::read("openid.userinfo", BOTH, "/v1/userinfo", of::get).scopes(SCOPES),
        Operation::read("openid.userinfo.v3", BOTH, "/oauth2/v3/userinfo", of::get).scopes(SCOPES),
        Operation::read("oauth2.userinfo.get", GET, "/oauth2/v2/userinfo", of::get_v2).scopes(SCOPES),
        Operation::read("oauth2.userinfo.v2.me.get", GET, "/userinfo/v2/me", of::get_v2).scopes(SCOPES),
    ]
}

fn documents() -> Vec<Operation<Identity>> {
    use api::documents as of;
    let locations = "/v1/projects/-/serviceAccounts/{email}/allowedLocations";
    vec![
        Operation::read("openid.certs", GET, "/oauth2/v3/certs", of::certs),
        Operation::read("openid.configuration", GET, "/.well-known/openid-configuration", of::configuration),
        Operation::read("iamcredentials.allowedLocations", GET, locations, of::allowed_locations),
    ]
}
