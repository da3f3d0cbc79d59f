//! What the services' own client libraries call of a twin: counted from ledgers, and kept in `tests/evidence/`, from
//! which `dtu coverage` and the fidelity pages are made.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use dtu_contract::coverage::Evidence;
use dtu_kernel::universe::Universe;
use parking_lot::Mutex;

use crate::support::root;

/// Client tests run side by side, and those of one twin share its file.
static FILES: Mutex<()> = Mutex::new(());

/// How to write the files anew.
const REGENERATE: &str = "cargo xtask evidence";

/// Calls by operation, of each twin.
type Calls = BTreeMap<String, BTreeMap<String, u64>>;

/// The file of a twin.
fn path(twin: &str) -> PathBuf {
    root().join(format!("tests/evidence/{twin}.json"))
}

/// What is committed of a twin; nothing where there is no file.
pub(crate) fn read(twin: &str) -> Evidence {
    match fs_err::read(path(twin)) {
        Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path(twin).display())),
        Err(_) => Evidence::new(),
    }
}

fn write(twin: &str, evidence: &Evidence) {
    let mut text = serde_json::to_string_pretty(evidence).expect("evidence is written");
    text.push('\n');
    fs_err::create_dir_all(root().join("tests/evidence")).expect("the folder is made");
    fs_err::write(path(twin), text).expect("evidence is kept");
}

/// The calls that a universe has seen, of operations that its twins serve.
pub(crate) fn calls(universe: &Universe) -> Calls {
    let ledger = universe.ledger();
    let length = usize::try_from(ledger.len()).unwrap_or(usize::MAX);
    let mut calls = Calls::new();
    for entry in ledger.page(0, length).expect("the ledger is read") {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        if entry["kind"] == "request" && entry["level"] != "absent" && entry["operation"] != "" {
            *calls.entry(text("twin")).or_default().entry(text("operation")).or_default() += 1;
        }
    }
    calls
}

/// Writes down what a client library called.
pub(crate) fn record(client: &str, calls: &Calls) {
    let _files = FILES.lock();
    for (twin, operations) in calls {
        let mut evidence = read(twin);
        for proof in evidence.values_mut() {
            proof.clients.remove(client);
        }
        for (operation, count) in operations {
            evidence.entry(operation.clone()).or_default().clients.insert(client.to_owned(), *count);
        }
        evidence.retain(|_, proof| !proof.clients.is_empty() || proof.recorded.is_some());
        write(twin, &evidence);
    }
}

/// Fails where a client library called other operations than those written down. How often is not looked at: it
/// depends on how long a client waits.
pub(crate) fn hold(client: &str, calls: &Calls) {
    let drift = |(twin, operations): (&String, &BTreeMap<String, u64>)| drift(client, twin, &read(twin), operations);
    let drifts: Vec<String> = calls.iter().flat_map(drift).collect();
    assert!(drifts.is_empty(), "{}\n  hint: run `{REGENERATE}`", drifts.join("\n"));
}

fn drift(client: &str, twin: &str, evidence: &Evidence, operations: &BTreeMap<String, u64>) -> Vec<String> {
    let of_client = evidence.iter().filter(|(_, proof)| proof.clients.contains_key(client));
    let written: BTreeSet<&str> = of_client.map(|(operation, _)| operation.as_str()).collect();
    let called: BTreeSet<&str> = operations.keys().map(String::as_str).collect();
    let tell = |what: &str, names: Vec<&&str>| {
        names
            .into_iter()
            .map(|name| format!("tests/evidence/{twin}.json: {client} {what} `{name}`"))
            .collect::<Vec<_>>()
    };
    let mut drifts = tell("calls", called.difference(&written).collect());
    drifts.extend(tell("no longer calls", written.difference(&called).collect()));
    drifts
}

#[test]
fn what_clients_call_is_compared_by_operation() {
    let written = r#"{"getUser": {"clients": {"sdk": 3}}, "listUsers": {"clients": {"other": 1}}}"#;
    let written: Evidence = serde_json::from_str(written).expect("is evidence");
    let check = |calls: &[(&str, u64)], wanted: &[&str]| {
        let calls = calls.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        assert_eq!(drift("sdk", "okta", &written, &calls), wanted, "{calls:?}");
    };
    check(&[("getUser", 7)], &[]);
    check(
        &[("listUsers", 1)],
        &["tests/evidence/okta.json: sdk calls `listUsers`", "tests/evidence/okta.json: sdk no longer calls `getUser`"],
    );
}
