//! A twin of any service that has a public document: all of it served by the generic twin, with credentials of its
//! own.

mod credentials;
mod error;
mod seed;

use dtu_kernel::{
    diagnostic::Diagnostic,
    operation::{Operation, OperationInfo},
    route::PathCheck,
    twin::{EnvVar, Limit, Quota, Scene, Twin, Unserved, View},
    tx::Tx,
    wire::{Answer, Reply, Request},
    world::World,
};
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use smol_str::SmolStr;

use self::{
    credentials::{Credentials, Proof},
    error::Error,
};
use crate::{
    backing::{Backed, Backing, Rules, rows},
    contract::Contract,
    differences::Differences,
    generic::{Store, refusal::Refused},
    problem::{Problem, Severity},
};

/// A twin made from documents alone.
#[derive(Debug)]
pub struct Open {
    name: &'static str,
    backing: &'static Backing,
}

/// All that such a twin remembers.
#[derive(Clone, Debug)]
pub struct State {
    objects: Store,
    credentials: Credentials,
}

impl Open {
    /// A twin of a name over a contract. Both stay for as long as the process lives: there is one for each document
    /// named on the command line.
    pub fn new(name: &str, contract: Contract) -> Self {
        let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
        let contract: &'static Contract = Box::leak(Box::new(contract));
        let backing = Backing::new(contract, name, Differences::default(), Rules::default());
        Self { name, backing: Box::leak(Box::new(backing)) }
    }
}

/// Leaves out operations whose paths cannot be told apart from others', each with the reason.
pub fn routable(mut contract: Contract) -> (Contract, Vec<Problem>) {
    let mut router = PathCheck::default();
    let mut problems = Vec::new();
    for document in &mut contract.documents {
        let name = document.name.clone();
        document.operations.retain(|operation| match router.add(&operation.path) {
            Ok(()) => true,
            Err(why) => {
                problems.push(Problem {
                    document: name.clone(),
                    pointer: format!("/paths/{}", operation.path.replace('~', "~0").replace('/', "~1")),
                    severity: Severity::Broken,
                    what: format!("{} cannot be routed: {why}", operation.id),
                });
                false
            }
        });
    }
    (contract, problems)
}

/// The name of the twin of a document: its file's, as far as a name can hold it.
pub fn name_of(file: &str) -> String {
    let file = file.rsplit('/').next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "service".to_owned() } else { name.to_owned() }
}

impl Twin for Open {
    type State = State;
    type Input = ();
    type Caller = SmolStr;
    type Error = Error;

    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.name
    }

    fn body_max(&self) -> usize {
        10 << 20
    }

    fn operations(&self) -> Vec<Operation<Self>> {
        rows(self, Vec::new())
    }

    fn views(&self) -> Vec<View<Self>> {
        vec![View {
            name: "objects",
            about: "All objects, by the path of their collection, then id.",
            render: |state: &State| state.objects.to_json(),
        }]
    }

    fn section_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        seed::schema(generator)
    }

    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
        let objects = seed::load(self.name, self.backing, world)?;
        Ok(State { objects, credentials: Credentials::draw(self.name, self.backing.contract(), tx) })
    }

    fn env(&self, state: &State, origin: &str) -> Vec<EnvVar> {
        state.credentials.env(origin)
    }

    fn input(&self, _: &OperationInfo, _: &Request) {}

    fn authenticate(&self, state: &State, scene: &Scene<'_>, (): &()) -> Result<SmolStr, Error> {
        let Some(place) = self.backing.find(scene.operation) else { return Ok(SmolStr::default()) };
        match state.credentials.prove(&place.operation().facts.get().security, scene.request) {
            Proof::Anybody => Ok(SmolStr::default()),
            Proof::Good(scheme) => Ok(scheme),
            Proof::Missing => Err(Error::Unauthenticated { sent: false }),
            Proof::Wrong => Err(Error::Unauthenticated { sent: true }),
        }
    }

    /// Arguments are read by the contract, never into a type.
    fn decode<A: DeserializeOwned>(_: &OperationInfo, (): ()) -> Result<A, Error> {
        Err(Error::Unserved)
    }

    fn caller_name(&self, caller: &SmolStr) -> SmolStr {
        caller.clone()
    }

    fn limit(&self, _: &OperationInfo, _: &SmolStr) -> Limit {
        Limit { bucket: SmolStr::new_static("all"), per_minute: 600 }
    }

    fn render(&self, scene: &Scene<'_>, _: Option<&SmolStr>, _: Quota, result: Result<Answer, Error>) -> Reply {
        match result {
            Ok(answer) => Reply::new(answer, scene.now),
            Err(error) => error.reply(self.backing, scene),
        }
    }

    fn unserved(&self, scene: &Unserved<'_>) -> Reply {
        error::unserved(scene)
    }

    /// The document is all there is of the service: other paths are the caller's mistake.
    fn is_gap(&self, _: &Unserved<'_>) -> bool {
        false
    }

    fn misfits(&self, operation: &OperationInfo, reply: &Reply) -> Vec<String> {
        self.backing.misfits(operation, reply)
    }
}

impl Backed for Open {
    fn backing(&self) -> &'static Backing {
        self.backing
    }

    fn objects(state: &State) -> &Store {
        &state.objects
    }

    fn objects_mut(state: &mut State) -> &mut Store {
        &mut state.objects
    }

    fn refuse(_: &OperationInfo, refused: Refused) -> Error {
        Error::Refused(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn twins_are_named_after_their_files() {
        let check = |file: &str, name: &str| assert_eq!(name_of(file), name, "{file}");
        check("petstore.yaml", "petstore");
        check("specs/Jira_Platform-v3.json", "jira-platform-v3");
        check("drive.v3.discovery.json", "drive");
        check("...", "service");
    }
}
