//! What contracts cost: reading documents, starting with them, and holding requests and answers against them.

use std::{path::Path, time::Instant};

use anyhow::Context as _;
use dtu_contract::{
    contract::Contract,
    import::{self, Source},
    validate::{Checker, Sent},
};
use dtu_kernel::{clock::ClockMode, host::host, ledger::Keep, serve::routes, universe::Options};
use dtu_tests::calls::Call;
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use crate::{Page, Runtime, median, nanos};

/// The contract with the most operations.
const OKTA: &str = include_str!("../../../twins/okta/contract.json");

pub(crate) fn figures(page: &mut Page, server: &Runtime) -> anyhow::Result<()> {
    page.say("## Contracts\n");
    page.say("| what | figure | budget |\n|---|--:|--:|");
    importing(page)?;
    starting(page);
    let _runtime = server.enter();
    checking(page)?;
    page.say("");
    Ok(())
}

/// Reading a public document, where it lies beside the repository.
fn importing(page: &mut Page) -> anyhow::Result<()> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs/okta-management.json");
    let Ok(text) = fs_err::read_to_string(document) else {
        page.say("| import of Okta's management document | not measured: it is not there | |");
        return Ok(());
    };
    let source = Source { name: "okta-management".into(), text: &text };
    let took = millis(|| import::import("okta", std::slice::from_ref(&source)).contract);
    let count = import::import("okta", &[source]).contract.operations().count();
    anyhow::ensure!(count > 700, "the document was read");
    page.say(format!("| import of Okta's management document ({count} operations) | {took:.0} ms | |"));
    Ok(())
}

/// What a contract adds to a twin's start: reading it, the operation table, the paths.
fn starting(page: &mut Page) {
    let read = millis(|| Contract::embedded(OKTA));
    let twin = host(dtu_okta::Okta);
    let table = millis(|| host(dtu_okta::Okta));
    let paths = millis(|| routes(&twin));
    let count = twin.operations().len();
    let sum = read + table + paths;
    page.say(format!("| start of a twin with {count} operations: contract, table, paths | {sum:.1} ms | 20 ms |"));
}

/// What checks add to a call within the process.
fn checking(page: &mut Page) -> anyhow::Result<()> {
    let multiverse = dtu_universe::multiverse();
    let universe = |check: bool| {
        let options = Options { clock: ClockMode::Stepped, keep: Keep::Off, check, ..Options::default() };
        multiverse.create_unserved("acme", &options).map_err(|problems| anyhow::anyhow!("{}", problems[0]))
    };
    let (plain, checked) = (universe(false)?, universe(true)?);
    let token = plain.env().into_iter().find(|variable| variable.name == "OKTA_CLIENT_TOKEN");
    let token = token.context("the twin names it")?.content().to_owned();
    for (name, call) in [
        ("one user", Call::okta("getUser", &token, &["lena.fischer@acme.example"], None)),
        ("a list of 42 users", Call::okta("listUsers", &token, &[], None)),
    ] {
        let cost = |universe: &std::sync::Arc<_>| nanos(|| call.clone().send(universe)) / 1e3;
        // The first check compiles the schema.
        let _ = cost(&checked);
        let (without, with) = (cost(&plain), cost(&checked));
        page.say(format!("| answer checked: {name} | {with:.0} µs, {:.1}x of {without:.0} µs | |", with / without));
    }
    let body = json!({ "name": "office", "type": "IP", "gateways": [{ "type": "CIDR", "value": "10.0.0.0/8" }] });
    let create = Call::okta("createNetworkZone", &token, &[], Some(&body));
    let whole = nanos(|| create.clone().send(&plain)) / 1e3;
    let check = request_nanos(&serde_json::to_vec(&body)?)? / 1e3;
    let share = 100.0 * check / whole;
    page.say(format!(
        "| request checked: a new network zone | {check:.0} µs, {share:.0} % of the call's {whole:.0} µs | |"
    ));
    Ok(())
}

/// What reading and checking a request costs, of an operation that is served from the contract.
fn request_nanos(body: &[u8]) -> anyhow::Result<f64> {
    let document = &dtu_okta::contract::contract().documents[0];
    let checker = Checker::new(document);
    let at = document.operations.iter().position(|operation| operation.id == "createNetworkZone");
    let at = at.context("the document has it")?;
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let sent = Sent { path_params: &[], query: "", headers: &headers, media_type: "application/json".into(), body };
    anyhow::ensure!(checker.request(at, &sent).is_ok(), "the body fits");
    Ok(nanos(|| checker.request(at, &sent)))
}

/// The median of what one `act` costs, in milliseconds.
fn millis<T>(mut act: impl FnMut() -> T) -> f64 {
    let figures = (0..9).map(|_| {
        let start = Instant::now();
        let made = act();
        let took = start.elapsed().as_micros() as f64 / 1e3;
        drop(made);
        took
    });
    median(figures.collect())
}
