//! What Google Docs's public documents say, and what is served from them alone.

use std::sync::LazyLock;

use dtu_contract::{backing::Backing, contract::Contract};
use dtu_google_workspace::{api, family::Family};

/// The contract made from Google Docs's public documents.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

pub(crate) fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> =
        LazyLock::new(|| api::serve(Family::Docs, contract(), include_str!("../differences.yaml"), ABSENT));
    &BACKING
}

/// What a made-up answer would be a lie about.
const ABSENT: &[(&str, &str)] = &[(
    "docs.documents.batchUpdate",
    "what is in documents is not kept yet: a made-up success would be a lie about it",
)];
