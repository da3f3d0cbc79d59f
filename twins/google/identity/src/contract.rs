//! What Google's public document says of these calls. It has three operations, and all of them have hand-written rules:
//! nothing is served from it alone, but their answers are held against it.

use std::sync::LazyLock;

use dtu_contract::{
    backing::{Backing, Rules},
    contract::Contract,
    differences::Differences,
};
use dtu_google_workspace::{backed, fields::BadField};
use dtu_kernel::{operation::OperationInfo, twin::Scene};

/// The contract made from the oauth2 API's public document.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

/// The contract at work.
pub(crate) fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> = LazyLock::new(|| {
        let differences = Differences::parse("differences.yaml", include_str!("../differences.yaml"));
        let differences = differences.expect("a test reads the list of differences");
        Backing::new(contract(), "google-identity", differences, Rules::default())
    });
    &BACKING
}

/// Whether the public document has an operation: of its answer callers may ask for a part.
pub(crate) fn has(operation: &OperationInfo) -> bool {
    backing().find(operation).is_some()
}

/// Checks that the answer of an operation has the part that the caller asks for.
///
/// # Errors
/// The first field that there is not.
pub(crate) fn check_fields(scene: &Scene<'_>) -> Result<(), BadField> {
    let place = backing().find(scene.operation);
    place.map_or(Ok(()), |place| backed::check_fields(place, scene))
}
