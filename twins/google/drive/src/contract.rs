//! What Google Drive's public documents say, and what is served from them alone.

use std::sync::LazyLock;

use dtu_contract::{backing::Backing, contract::Contract};
use dtu_google_workspace::{api, family::Family};

/// The contract made from Google Drive's public documents.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

pub(crate) fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> =
        LazyLock::new(|| api::serve(Family::Drive, contract(), include_str!("../differences.yaml"), ABSENT));
    &BACKING
}

const PUSH: &str = "nothing is sent to the address that it names";
const CONTENT: &str = "files have no content yet, and programs act on what they read";
const KEYS: &str = "its answer is believed by servers of the caller's own";
const FILES: &str = "it changes files in ways that are not kept yet: a made-up success would be a lie about them";
const CHANGES: &str = "what has changed is not kept yet, and programs act on what they are told";

/// What a made-up answer would be a lie about.
const ABSENT: &[(&str, &str)] = &[
    ("drive.accessproposals.resolve", FILES),
    ("drive.approvals.*", FILES),
    ("drive.changes.get", CHANGES),
    ("drive.changes.list", CHANGES),
    ("drive.changes.watch", PUSH),
    ("drive.channels.stop", PUSH),
    ("drive.files.copy", FILES),
    ("drive.files.download", CONTENT),
    ("drive.files.emptyTrash", FILES),
    ("drive.files.export", CONTENT),
    ("drive.files.generateCseToken", KEYS),
    ("drive.files.modifyLabels", FILES),
    ("drive.files.touch", FILES),
    ("drive.files.trash", FILES),
    ("drive.files.untrash", FILES),
    ("drive.files.watch", PUSH),
];
