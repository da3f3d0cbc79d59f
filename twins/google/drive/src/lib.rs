//! Google Drive's twin: Drive v3 over the workspace.
//!
//! What it offers is the table in [`Drive::operations`]. The workspace that it works on, and how callers are believed and
//! refused, are Google's twins' own in `dtu-google-workspace`.

pub mod api;
pub mod contract;

use std::borrow::Cow;

use dtu_contract::backing::{self, Backed as _};
use dtu_google_workspace::{
    STORE,
    auth::{self, Caller},
    error::Error,
    family::Family,
    input::Input,
    limits,
    model::State,
    render, scopes, world,
};
use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    diagnostic::Diagnostic,
    operation::{Operation, OperationInfo},
    time::Timestamp,
    twin::{Affordance, EnvVar, Limit, Quota, Scene, Twin, Unserved, View},
    tx::Tx,
    wire::{Answer, Reply, Request},
    world::World,
};
use http::Method;
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;
use smol_str::SmolStr;

/// Google Drive's twin.
#[derive(Debug)]
pub struct Drive;

const FAMILY: Family = Family::Drive;

/// Of these a reading call needs one.
const READING: &[&str] = &[
    scopes::DRIVE,
    scopes::DRIVE_APPDATA,
    scopes::DRIVE_FILE,
    scopes::DRIVE_METADATA,
    scopes::DRIVE_METADATA_READONLY,
    scopes::DRIVE_PHOTOS_READONLY,
    scopes::DRIVE_READONLY,
];
/// Of these a writing call needs one.
const WRITING: &[&str] = &[scopes::DRIVE, scopes::DRIVE_APPDATA, scopes::DRIVE_FILE];

/// The scopes of which a caller of an operation needs one: those that the public document gives, else the API's for
/// reading or writing.
pub fn scopes_of(operation: &OperationInfo) -> Vec<&'static str> {
    scopes::needed(operation, contract::scopes(operation), READING, WRITING)
}

impl Twin for Drive {
    type State = State;
    type Input = Input;
    type Caller = Caller;
    type Error = Error;

    fn name(&self) -> &'static str {
        "google-drive"
    }

    fn title(&self) -> &'static str {
        "Google Drive"
    }

    fn body_max(&self) -> usize {
        16 << 20
    }

    fn store(&self) -> &'static str {
        STORE
    }

    fn operations(&self) -> Vec<Operation<Self>> {
        backing::rows(self, about())
    }

    fn affordances(&self) -> Vec<Affordance<Self>> {
        Vec::new()
    }

    fn views(&self) -> Vec<View<Self>> {
        Vec::new()
    }

    fn section_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        world::empty_schema(generator)
    }

    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
        world::load(world, tx)
    }

    fn env(&self, _: &State, origin: &str) -> Vec<EnvVar> {
        vec![EnvVar::text("GOOGLE_DRIVE_URL", origin)]
    }

    /// Clients whose configured address ends in a slash send two, and some send one at the end.
    fn path<'p>(&self, sent: &'p str) -> Cow<'p, str> {
        render::path(sent)
    }

    fn input(&self, _: &OperationInfo, request: &Request) -> Input {
        Input::read(request)
    }

    fn authenticate(&self, state: &State, scene: &Scene<'_>, input: &Input) -> Result<Caller, Error> {
        auth::authenticate(state, scene, input, scopes_of(scene.operation))
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
        limits::limit(FAMILY, operation, caller)
    }

    fn render(&self, scene: &Scene<'_>, caller: Option<&Caller>, _: Quota, result: Result<Answer, Error>) -> Reply {
        render::reply(FAMILY, scene, caller, result)
    }

    fn unserved(&self, scene: &Unserved<'_>) -> Reply {
        render::unserved(FAMILY, scene)
    }

    /// The twin sends nothing out.
    fn prepare(&self, _: &State, _: &Delivery, _: Timestamp) -> Option<Outbound> {
        None
    }

    fn delivered(&self, _: &mut State, _: &mut Tx<'_>, _: &Delivery, _: &Outcome) -> Next {
        Next::Done
    }

    fn on_timer(&self, _: &mut State, _: &mut Tx<'_>, _: &str, _: &Value) {}

    /// Tokens come and go with every program that calls: no change that anybody asked for.
    fn journals(&self) -> &'static [&'static str] {
        &["tokens"]
    }

    fn misfits(&self, operation: &OperationInfo, reply: &Reply) -> Vec<String> {
        self.backing().misfits(operation, reply)
    }

    fn is_gap(&self, scene: &Unserved<'_>) -> bool {
        render::is_gap(FAMILY, scene)
    }
}

fn about() -> Vec<Operation<Drive>> {
    vec![Operation::read("drive.about.get", &[Method::GET], "/drive/v3/about", api::about::get)]
}
