//! What Google Drive's public documents say, and what is served from them alone.

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

use crate::Drive;

/// The contract made from Google Drive's public documents.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> = LazyLock::new(|| {
        let differences = Differences::parse("differences.yaml", include_str!("../differences.yaml"));
        let differences = differences.expect("a test reads the list of differences");
        Backing::new(contract(), "google-drive", differences, Rules { absent: ABSENT, ..Rules::default() })
    });
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

/// The scopes of which a caller of an operation needs one, as the documents have them.
pub(crate) fn scopes(operation: &OperationInfo) -> Vec<&'static str> {
    backed::scopes(backing(), operation)
}

impl Backed for Drive {
    fn backing(&self) -> &'static Backing {
        backing()
    }

    fn objects(state: &State) -> &Store {
        &state.objects.drive
    }

    fn objects_mut(state: &mut State) -> &mut Store {
        &mut state.objects.drive
    }

    fn refuse(_: &OperationInfo, refused: Refused) -> Error {
        Error::Refused(refused)
    }

    fn arguments(place: Place, scene: &Scene<'_>, _: Input) -> Result<Arguments, Refused> {
        backed::arguments(place, scene)
    }
}
