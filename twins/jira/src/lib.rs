//! Jira Cloud's twin: one site, its accounts, and what calls to it have in common.
//!
//! What it offers is the table in [`Jira::operations`]; everything else hangs off it.

mod access;
pub mod affordances;
pub mod api;
pub mod contract;
pub mod credential;
pub mod error;
mod front;
pub mod input;
pub mod limits;
pub mod model;
mod refusal;
mod render;
pub mod views;
mod world;

use std::borrow::Cow;

use dtu_contract::backing::Backed as _;
use dtu_kernel::{
    diagnostic::Diagnostic,
    operation::{Operation, OperationInfo},
    twin::{Affordance, EnvVar, Limit, Quota, Scene, Twin, Unserved, View},
    tx::Tx,
    wire::{Answer, Reply, Request},
    world::World,
};
use http::Method;
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use smol_str::SmolStr;

use crate::{error::Error, input::Input, model::State};

/// Jira's twin.
#[derive(Debug)]
pub struct Jira;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody that the site knows: no credential, or one that it does not believe.
    Anonymous,
    /// The owner of a live API token.
    Account {
        /// The account's id.
        id: SmolStr,
        /// The token's name.
        token: SmolStr,
    },
}

const GET: &[Method] = &[Method::GET];

impl Twin for Jira {
    type State = State;
    type Input = Input;
    type Caller = Caller;
    type Error = Error;

    fn name(&self) -> &'static str {
        "jira"
    }

    fn title(&self) -> &'static str {
        "Jira"
    }

    fn body_max(&self) -> usize {
        10 << 20
    }

    fn operations(&self) -> Vec<Operation<Self>> {
        contract::rows([site(), users()].into_iter().flatten().collect())
    }

    fn affordances(&self) -> Vec<Affordance<Self>> {
        affordances::affordances()
    }

    fn views(&self) -> Vec<View<Self>> {
        views::views()
    }

    fn section_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        world::schema(generator)
    }

    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
        world::load(world, tx)
    }

    fn env(&self, state: &State, origin: &str) -> Vec<EnvVar> {
        let mut env = vec![EnvVar::text("JIRA_URL", origin)];
        env.extend(state.tokens.first().into_iter().flat_map(|token| state.token_env(token)));
        env
    }

    fn input(&self, operation: &OperationInfo, request: &Request) -> Input {
        Input::read(operation, request)
    }

    fn authenticate(&self, state: &State, scene: &Scene<'_>, input: &Input) -> Result<Caller, Error> {
        input.credential.admit()?;
        input.admit()?;
        match input.credential.believe(state) {
            Some(caller) => Ok(caller),
            None => access::anonymous(scene.operation, scene.request).map(|()| Caller::Anonymous),
        }
    }

    fn decode<A: DeserializeOwned>(_: &OperationInfo, input: Input) -> Result<A, Error> {
        input.decode()
    }

    fn caller_name(&self, caller: &Caller) -> SmolStr {
        match caller {
            Caller::Anonymous => SmolStr::default(),
            Caller::Account { token, .. } => token.clone(),
        }
    }

    fn resource(&self, _: &OperationInfo, input: &Input) -> SmolStr {
        input.resource.clone()
    }

    fn limit(&self, operation: &OperationInfo, _: &Caller) -> Limit {
        limits::limit(operation)
    }

    fn render(&self, scene: &Scene<'_>, caller: Option<&Caller>, quota: Quota, result: Result<Answer, Error>) -> Reply {
        render::reply(scene, caller, quota, result)
    }

    fn unserved(&self, scene: &Unserved<'_>) -> Reply {
        render::unserved(scene)
    }

    /// See [`front::path`].
    fn path<'p>(&self, sent: &'p str) -> Cow<'p, str> {
        front::path(sent)
    }

    fn misfits(&self, operation: &OperationInfo, reply: &Reply) -> Vec<String> {
        self.backing().misfits(operation, reply)
    }

    fn is_gap(&self, scene: &Unserved<'_>) -> bool {
        contract::is_gap(scene)
    }
}

fn site() -> Vec<Operation<Jira>> {
    vec![Operation::read("getServerInfo", GET, "/rest/api/3/serverInfo", api::server::info)]
}

fn users() -> Vec<Operation<Jira>> {
    use api::users as of;
    vec![
        Operation::read("getCurrentUser", GET, "/rest/api/3/myself", of::myself),
        Operation::read("getUser", GET, "/rest/api/3/user", of::get),
        Operation::read("findUsers", GET, "/rest/api/3/user/search", of::find),
        Operation::read("getAllUsersDefault", GET, "/rest/api/3/users", of::list),
        Operation::read("getAllUsers", GET, "/rest/api/3/users/search", of::list),
    ]
}

/// The environment variables of a client that uses a certain token of the world; none where there is none of that
/// name.
pub fn token_env(state: &State, token_name: &str) -> Option<Vec<(&'static str, String)>> {
    let token = state.tokens.by_name(token_name)?;
    Some(state.token_env(token).into_iter().map(|variable| (variable.name, variable.content().to_owned())).collect())
}
