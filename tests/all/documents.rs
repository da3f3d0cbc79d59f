//! Twins made from documents alone, called by schemathesis as the documents say: no answer is a failure of the server,
//! and each is of the media type and the shape that its document gives it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clients::python_program,
    servers::{Server, start},
    support::root,
};

/// Calls from the document's examples; from each limit and alternative of its schemas; at random; and along its links.
const ALL_PHASES: &str = "examples,coverage,fuzzing,stateful";
/// Without the document's own examples: to fill in what those of large documents leave out takes minutes.
const WITHOUT_EXAMPLES: &str = "coverage,fuzzing,stateful";
/// Without limits and alternatives too, which takes two minutes more for the largest document.
const SHORT: &str = "fuzzing,stateful";

#[test]
fn a_small_shop_answers_as_its_document_says() {
    check(&root().join("tests/documents/petstore.yaml"), ALL_PHASES);
}

#[test]
fn okta_management_answers_as_its_document_says() {
    check(&shared("okta-management.json"), SHORT);
}

#[test]
fn jira_platform_answers_as_its_document_says() {
    check(&shared("jira-platform-v3.json"), WITHOUT_EXAMPLES);
}

/// Okta's own twin: it holds each answer against the document itself, and one that does not fit is a server error, but
/// for what is known to differ (`twins/okta/differences.yaml`).
#[test]
fn okta_s_twin_answers_as_its_public_document_says() {
    let document = shared("okta-management.json");
    let args = ["up", "--twins", "okta", "--port-base", "0", "--json", "--clock", "stepped", "--check-responses"];
    let service = |server: &Server| {
        let env = |what: &str| server.line["env"][what].as_str().expect("the twin tells where it is").to_owned();
        (env("OKTA_CLIENT_ORGURL"), format!("SSWS {}", env("OKTA_CLIENT_TOKEN")))
    };
    run(&document, SHORT, &args, service, &["--checks", "not_a_server_error,content_type_conformance"]);
}

/// A world in which the small shop has owners, one of them with a cat.
const WORLD: &str = r#"
schema: dtu/world/v1
name: shop
epoch: "2026-03-02T09:00:00Z"
company: {name: Shop, domain: shop.example, timezone: Europe/London}
people: []
petstore:
  /v1/owners:
    - {id: o1, name: Ada, email: ada@shop.example}
    - {id: o2, name: Bob, email: bob@shop.example}
    - {id: o3, name: Cyd, email: cyd@shop.example}
  /v1/owners/o1/pets:
    - {id: 11111111-1111-4111-8111-111111111111, name: Tom, species: cat, status: available}
"#;

#[tokio::test]
async fn a_documents_twin_has_a_world_and_faults_and_a_ledger() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let world = folder.path().join("shop.yaml");
    fs_err::write(&world, WORLD).expect("is written");
    let petstore = root().join("tests/documents/petstore.yaml");
    let [petstore, world] = [&petstore, &world].map(|path| path.to_str().expect("a path of text"));
    let server = start("dtu", &["up", "--openapi", petstore, "--world", world, "--port-base", "0", "--json"]);
    let text = |value: &Value| value.as_str().expect("is a text").to_owned();
    let shop = format!("{}/v1", text(&server.line["env"]["PETSTORE_URL"]));
    let control = format!("{}/v1/universes/u1", text(&server.line["control"]["url"]));
    let http = reqwest::Client::builder().no_proxy().build().expect("a client is made");
    let call = async |method: &str, url: String, token: &Value, body: Option<Value>| {
        let request = http.request(method.parse().expect("a method"), url).bearer_auth(text(token));
        let request = if let Some(body) = &body { request.json(body) } else { request };
        let answer = request.send().await.expect("answers");
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or_default())
    };
    let (token, operator) = (&server.line["env"]["PETSTORE_TOKEN"], &server.line["control"]["token"]);

    let (_, page) = call("GET", format!("{shop}/owners?limit=2"), token, None).await;
    assert_eq!((&page["items"][0]["name"], &page["items"][1]["name"]), (&json!("Ada"), &json!("Bob")));
    let next = format!("{shop}/owners?limit=2&cursor={}", text(&page["nextCursor"]));
    let (_, page) = call("GET", next, token, None).await;
    assert_eq!((&page["items"][0]["name"], &page["nextCursor"]), (&json!("Cyd"), &Value::Null));

    let (status, _) = call("POST", format!("{control}/snapshots"), operator, Some(json!({}))).await;
    assert_eq!(status, 201);
    let tom = format!("{shop}/owners/o1/pets/11111111-1111-4111-8111-111111111111");
    assert_eq!(call("POST", format!("{tom}/sell"), token, None).await.1["status"], "sold");
    assert_eq!(call("GET", tom.clone(), token, None).await.1["status"], "sold");
    call("POST", format!("{control}/snapshots/snap-1/restore"), operator, Some(json!({}))).await;
    assert_eq!(call("GET", tom.clone(), token, None).await.1["status"], "available");

    let rule = json!({ "id": "down", "on": { "twin": "petstore", "operation": "getPet" },
        "do": { "error": { "status": 503 } }, "times": 1 });
    call("POST", format!("{control}/faults"), operator, Some(json!({ "rules": [rule] }))).await;
    let (status, failure) = call("GET", tom.clone(), token, None).await;
    assert_eq!((status, &failure["code"]), (503, &json!(503)), "in the document's own shape: {failure}");
    assert_eq!(call("GET", tom, token, None).await.0, 200);
    let (_, ledger) = call("GET", format!("{control}/ledger?limit=1000"), operator, None).await;
    let entries = ledger["entries"].as_array().expect("entries").iter();
    let struck = entries.filter(|entry| entry["operation"] == "getPet" && entry["fault"] == "down").count();
    assert_eq!(struck, 1, "{ledger}");
}

/// A public document, kept beside the repository.
fn shared(name: &str) -> PathBuf {
    root().join("../shared/specs").join(name)
}

/// What of a document, or of schemathesis, was looked at and is not the twin's fault.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reviewed {
    corrections: Vec<Correction>,
    uncallable: Vec<Uncallable>,
    findings: Vec<Finding>,
}

/// A part that the copy for schemathesis goes without.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Correction {
    /// A JSON pointer; `*` stands for any one part.
    without: String,
    #[expect(dead_code, reason = "for people")]
    why: String,
}

/// An operation that schemathesis makes no calls of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Uncallable {
    operation: String,
    #[expect(dead_code, reason = "for people")]
    why: String,
}

/// Findings that follow from the document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    /// As schemathesis calls it.
    title: String,
    operations: Vec<String>,
    #[expect(dead_code, reason = "for people")]
    why: String,
}

/// Serves a document and has schemathesis call it.
fn check(document: &Path, phases: &str) {
    let file = document.to_str().expect("a path of text");
    let name = document.file_stem().and_then(|stem| stem.to_str()).expect("the file has a name");
    let variable = |what: &str| format!("{}_{what}", name.to_ascii_uppercase().replace('-', "_"));
    let service = |server: &Server| {
        let env =
            |what: &str| server.line["env"][variable(what)].as_str().expect("the twin tells where it is").to_owned();
        (env("URL"), format!("Bearer {}", env("TOKEN")))
    };
    let args = ["up", "--openapi", file, "--port-base", "0", "--json", "--clock", "stepped"];
    run(document, phases, &args, service, &[]);
}

/// Has schemathesis call what a server serves, at the address and with the authorization that `service` reads.
fn run(document: &Path, phases: &str, args: &[&str], service: impl Fn(&Server) -> (String, String), more: &[&str]) {
    let name = document.file_stem().and_then(|stem| stem.to_str()).expect("the file has a name");
    if !document.exists() {
        return say(&format!("skipped {name}: the public document is not there"));
    }
    let Some(schemathesis) = python_program("st") else {
        return say(&format!("skipped {name}: schemathesis is not installed; `cargo xtask test` installs it"));
    };
    let reviewed = reviewed(name);
    let folder = tempfile::tempdir().expect("a folder is made");
    let corrected = corrected(document, &reviewed, folder.path());
    let server = start("dtu", args);
    let (origin, authorization) = service(&server);
    let mut command = command(&schemathesis, &origin, &authorization, folder.path());
    command.arg(&corrected).args(["--phases", phases]).args(more);
    for left in &reviewed.uncallable {
        command.args(["--exclude-name", &left.operation]);
    }
    let output = command.output().expect("schemathesis runs");
    hold(name, phases, &reviewed, &output, &folder.path().join("report.json"));
}

fn command(schemathesis: &Path, origin: &str, authorization: &str, folder: &Path) -> Command {
    let mut command = Command::new(schemathesis);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .current_dir(folder)
        .stdin(Stdio::null())
        .arg("--config-file")
        .arg(root().join("tests/documents/schemathesis.toml"))
        .args(["run", "--no-color", "--report", "json", "--report-json-path", "report.json"])
        .args(["--origin", origin, "--header", &format!("Authorization: {authorization}")]);
    command
}

fn reviewed(name: &str) -> Reviewed {
    let text = fs_err::read_to_string(root().join("tests/documents/reviewed.yaml")).expect("is there");
    let mut all: std::collections::BTreeMap<String, Reviewed> = serde_saphyr::from_str(&text).expect("can be read");
    all.remove(name).unwrap_or_default()
}

/// The document as schemathesis gets it.
fn corrected(document: &Path, reviewed: &Reviewed, folder: &Path) -> PathBuf {
    if reviewed.corrections.is_empty() {
        return document.to_path_buf();
    }
    let text = fs_err::read_to_string(document).expect("the document is read");
    let mut value: Value = serde_json::from_str(&text).expect("the document is JSON");
    for Correction { without, .. } in &reviewed.corrections {
        let parts: Vec<String> = without.split('/').skip(1).map(|part| part.replace("~1", "/")).collect();
        let found = remove(&mut value, &parts);
        assert!(found > 0, "{without} is nowhere in {}: take it off the list", document.display());
    }
    let path = folder.join("corrected.json");
    fs_err::write(&path, value.to_string()).expect("is written");
    path
}

/// Removes what a pointer names; how often.
fn remove(value: &mut Value, pointer: &[String]) -> usize {
    let (Some((part, rest)), Some(members)) = (pointer.split_first(), value.as_object_mut()) else { return 0 };
    match (part.as_str(), rest.is_empty()) {
        ("*", _) => members.values_mut().map(|member| remove(member, rest)).sum(),
        (_, true) => usize::from(members.remove(part).is_some()),
        (_, false) => members.get_mut(part).map_or(0, |member| remove(member, rest)),
    }
}

/// What the report of a run must say.
fn hold(name: &str, phases: &str, reviewed: &Reviewed, output: &Output, report: &Path) {
    let told = String::from_utf8_lossy(&output.stdout);
    let text = fs_err::read(report).unwrap_or_else(|_| panic!("{name}: no report\n{told}"));
    let report: Value = serde_json::from_slice(&text).expect("the report is JSON");
    let found = pairs(&report["failures"]);
    let known: BTreeSet<(String, String)> = reviewed
        .findings
        .iter()
        .flat_map(|finding| finding.operations.iter().map(|operation| (finding.title.clone(), operation.clone())))
        .collect();
    let news: Vec<_> = found.difference(&known).collect();
    assert!(news.is_empty(), "{name}: {news:#?}\n{told}");
    assert_eq!(report["errors"], json!([]), "{name}: not all could be called\n{told}");
    assert_eq!(report["complete"], true, "{name}: ends early\n{told}");
    for phase in phases.split(',') {
        let status = report["phases"][phase]["status"].as_str();
        assert!(matches!(status, Some("success" | "failure")), "{name}: {phase} is run: {status:?}\n{told}");
    }
    say(&format!("{name}: {} calls in {} s", report["test_cases"]["generated"], report["running_time"]));
}

/// What was found, and where.
fn pairs(failures: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = failures.as_array().expect("the report lists failures").iter();
    let of = |failure: &Value| {
        let operations = failure["operations"].as_array().cloned().unwrap_or_default();
        operations.iter().map(|operation| (text(&failure["title"]), text(operation))).collect::<Vec<_>>()
    };
    all.flat_map(of).collect()
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests is told what was done and what was left out")]
fn say(what: &str) {
    eprintln!("{what}");
}
