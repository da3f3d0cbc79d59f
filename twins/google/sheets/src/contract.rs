//! What Google Sheets's public documents say, and what is served from them alone.

use std::sync::LazyLock;

use dtu_contract::{backing::Backing, contract::Contract};
use dtu_google_workspace::{api, family::Family};

/// The contract made from Google Sheets's public documents.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

pub(crate) fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> =
        LazyLock::new(|| api::serve(Family::Sheets, contract(), include_str!("../differences.yaml"), ABSENT));
    &BACKING
}

const CELLS: &str = "cells are not kept yet: a made-up success would be a lie about them";

/// What a made-up answer would be a lie about.
const ABSENT: &[(&str, &str)] = &[
    ("sheets.spreadsheets.batchUpdate", CELLS),
    ("sheets.spreadsheets.sheets.copyTo", CELLS),
    ("sheets.spreadsheets.values.append", CELLS),
    ("sheets.spreadsheets.values.batch*", CELLS),
    ("sheets.spreadsheets.values.clear", CELLS),
];
