//! A twin of each API over the workspace: what they share is here, what differs each says in its [`Api`].

use std::{borrow::Cow, fmt, marker::PhantomData};

use dtu_contract::{
    backing::{self, Backed, Backing, Place, Rules},
    contract::Contract,
    differences::Differences,
    generic::{Store, refusal::Refused},
    validate::Arguments,
};
use dtu_kernel::{
    diagnostic::Diagnostic,
    operation::{Operation, OperationInfo},
    twin::{EnvVar, Limit, Quota, Scene, Twin, Unserved},
    tx::Tx,
    wire::{Answer, Reply, Request},
    world::World,
};
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use smol_str::SmolStr;

use crate::{
    STORE, auth, backed, caller::Caller, error::Error, family::Family, input::Input, limits, model::State, render,
    scopes, world,
};

/// What one of the APIs has of its own.
pub trait Api: fmt::Debug + Send + Sync + Sized + 'static {
    /// Which it is.
    const FAMILY: Family;
    /// Of these scopes a reading call needs one, where the public document names none.
    const READING: &'static [&'static str];
    /// Of these scopes a writing call needs one, where the public document names none.
    const WRITING: &'static [&'static str];

    /// Its contract and what works on it: what [`serve`] made.
    fn backing() -> &'static Backing;

    /// The operations that have rules of their own.
    fn operations() -> Vec<Operation<Google<Self>>> {
        Vec::new()
    }
}

/// The twin of an API.
pub struct Google<A>(PhantomData<A>);

impl<A: Api> Google<A> {
    /// The twin.
    #[expect(clippy::new_without_default, reason = "there is nothing to choose, and so no default")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The scopes of which a caller of an operation needs one: those that the public document gives, else the API's for
    /// reading or writing.
    pub fn scopes_of(operation: &OperationInfo) -> Vec<&'static str> {
        scopes::needed(operation, backed::scopes(A::backing(), operation), A::READING, A::WRITING)
    }
}

impl<A: Api> fmt::Debug for Google<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(A::FAMILY.title())
    }
}

/// What serves an API from its contract. Operations in `absent` are not served, with the reason: what a made-up answer
/// would be a lie about.
///
/// # Panics
/// Where the list of differences, a file of the twin that a test reads, is none.
pub fn serve(
    family: Family,
    contract: &'static Contract,
    differences: &str,
    absent: &'static [(&'static str, &'static str)],
) -> Backing {
    let differences = Differences::parse("differences.yaml", differences);
    let differences = differences.expect("a test reads the list of differences");
    Backing::new(contract, family.name(), differences, Rules { absent, ..Rules::default() })
}

impl<A: Api> Twin for Google<A> {
    type State = State;
    type Input = Input;
    type Caller = Caller;
    type Error = Error;

    fn name(&self) -> &'static str {
        A::FAMILY.name()
    }

    fn title(&self) -> &'static str {
        A::FAMILY.title()
    }

    fn body_max(&self) -> usize {
        16 << 20
    }

    fn store(&self) -> &'static str {
        STORE
    }

    fn operations(&self) -> Vec<Operation<Self>> {
        backing::rows(self, A::operations())
    }

    fn section_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        world::empty_schema(generator)
    }

    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
        world::load(world, tx)
    }

    fn env(&self, _: &State, origin: &str) -> Vec<EnvVar> {
        vec![EnvVar::text(A::FAMILY.variable(), origin)]
    }

    /// Clients whose configured address ends in a slash send two, and some send one at the end.
    fn path<'p>(&self, sent: &'p str) -> Cow<'p, str> {
        render::path(sent)
    }

    fn input(&self, _: &OperationInfo, request: &Request) -> Input {
        Input::read(request)
    }

    fn authenticate(&self, state: &State, scene: &Scene<'_>, input: &Input) -> Result<Caller, Error> {
        auth::authenticate(state, scene, input, Self::scopes_of(scene.operation))
    }

    fn decode<T: DeserializeOwned>(_: &OperationInfo, input: Input) -> Result<T, Error> {
        input.decode()
    }

    fn caller_name(&self, caller: &Caller) -> SmolStr {
        caller.name.clone()
    }

    fn resource(&self, _: &OperationInfo, input: &Input) -> SmolStr {
        input.resource.clone()
    }

    fn limit(&self, operation: &OperationInfo, caller: &Caller) -> Limit {
        limits::limit(A::FAMILY, operation, caller)
    }

    fn render(&self, scene: &Scene<'_>, caller: Option<&Caller>, _: Quota, result: Result<Answer, Error>) -> Reply {
        render::reply(A::FAMILY, scene, caller, result)
    }

    fn unserved(&self, scene: &Unserved<'_>) -> Reply {
        render::unserved(A::FAMILY, scene)
    }

    /// Tokens come and go with every program that calls: no change that anybody asked for.
    fn journals(&self) -> &'static [&'static str] {
        &["tokens"]
    }

    fn misfits(&self, operation: &OperationInfo, reply: &Reply) -> Vec<String> {
        self.backing().misfits(operation, reply)
    }

    fn is_gap(&self, scene: &Unserved<'_>) -> bool {
        render::is_gap(A::FAMILY, scene)
    }
}

impl<A: Api> Backed for Google<A> {
    fn backing(&self) -> &'static Backing {
        A::backing()
    }

    fn objects(state: &State) -> &Store {
        state.objects.of(A::FAMILY)
    }

    fn objects_mut(state: &mut State) -> &mut Store {
        state.objects.of_mut(A::FAMILY)
    }

    fn refuse(_: &OperationInfo, refused: Refused) -> Error {
        Error::Refused(refused)
    }

    fn arguments(place: Place, scene: &Scene<'_>, _: Input) -> Result<Arguments, Refused> {
        if A::FAMILY.is_strict() { backed::strict_arguments(place, scene) } else { backed::arguments(place, scene) }
    }
}
