//! What Google Docs's public documents say, and what is served from them alone.

use std::sync::LazyLock;

use dtu_contract::{
    backing::{Backed, Backing, Place, Rules},
    contract::Contract,
    differences::Differences,
    generic::{Store, refusal::Refused},
    validate::Arguments,
};
use dtu_google_workspace::{backed, error::Error, input::Input, model::State};
use dtu_kernel::{operation::OperationInfo, twin::Scene};

use crate::Docs;

/// The contract made from Google Docs's public documents.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> = LazyLock::new(|| {
        let differences = Differences::parse("differences.yaml", include_str!("../differences.yaml"));
        let differences = differences.expect("a test reads the list of differences");
        Backing::new(contract(), "google-docs", differences, Rules { absent: ABSENT, ..Rules::default() })
    });
    &BACKING
}

/// What a made-up answer would be a lie about.
const ABSENT: &[(&str, &str)] = &[(
    "docs.documents.batchUpdate",
    "what is in documents is not kept yet: a made-up success would be a lie about it",
)];

/// The scopes of which a caller of an operation needs one, as the documents have them.
pub(crate) fn scopes(operation: &OperationInfo) -> Vec<&'static str> {
    backed::scopes(backing(), operation)
}

impl Backed for Docs {
    fn backing(&self) -> &'static Backing {
        backing()
    }

    fn objects(state: &State) -> &Store {
        &state.objects.docs
    }

    fn objects_mut(state: &mut State) -> &mut Store {
        &mut state.objects.docs
    }

    fn refuse(_: &OperationInfo, refused: Refused) -> Error {
        Error::Refused(refused)
    }

    fn arguments(place: Place, scene: &Scene<'_>, _: Input) -> Result<Arguments, Refused> {
        backed::strict_arguments(place, scene)
    }
}
