//! What is written down of each twin beside its code: its contract, its claims, and what proves them.

use dtu_contract::contract::Contract;

/// What is written down of a twin.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The twin's name.
    pub twin: &'static str,
    /// Its folder in the repository.
    pub folder: &'static str,
    /// What its service's public documents say.
    pub contract: fn() -> &'static Contract,
    /// What no document can say: the text of `twins/<twin>/claims.yaml`.
    pub claims: &'static str,
    /// Calls of client libraries and recorded exchanges: the text of `tests/evidence/<twin>.json`.
    pub evidence: &'static str,
    /// Where real answers differ from the documents: the text of `twins/<twin>/differences.yaml`.
    pub differences: &'static str,
}

/// A row of [`ALL`]: the twin's name, its folder below `twins/`, and its contract.
macro_rules! facts {
    ($twin:literal, $folder:literal, $contract:path) => {
        Facts {
            twin: $twin,
            folder: concat!("twins/", $folder),
            contract: $contract,
            claims: include_str!(concat!("../../", $folder, "/claims.yaml")),
            evidence: include_str!(concat!("../../../tests/evidence/", $twin, ".json")),
            differences: include_str!(concat!("../../", $folder, "/differences.yaml")),
        }
    };
}

/// All twins of which something is written down, in the registry's order.
pub const ALL: &[Facts] = &[
    facts!("okta", "okta", dtu_okta::contract::contract),
    facts!("jira", "jira", dtu_jira::contract::contract),
    facts!("slack", "slack", dtu_slack::contract::contract),
    facts!("google-drive", "google/drive", dtu_google_drive::contract::contract),
    facts!("google-sheets", "google/sheets", dtu_google_sheets::contract::contract),
    facts!("google-docs", "google/docs", dtu_google_docs::contract::contract),
    facts!("google-identity", "google/identity", dtu_google_identity::contract::contract),
];

/// The contracts of all twins that have one, by the twin's name.
pub fn contracts() -> Vec<(&'static str, &'static Contract)> {
    ALL.iter().map(|facts| (facts.twin, (facts.contract)())).collect()
}

/// What is written down of a twin; none where nothing is.
pub fn of(twin: &str) -> Option<&'static Facts> {
    ALL.iter().find(|facts| facts.twin == twin)
}
