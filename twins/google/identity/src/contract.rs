//! What Google's public document says of these calls. It has three operations, and all of them have hand-written rules:
//! nothing is served from it alone, but their answers are held against it.

use std::sync::LazyLock;

use dtu_contract::{
    backing::{Backing, Rules},
    contract::Contract,
    differences::Differences,
};

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
