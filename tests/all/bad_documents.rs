//! Broken API documents, given to the command as a person would: what cannot be used is told with its place, all at
//! once, and what is left is served.

use std::{fmt::Write as _, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    servers::start,
    support::{program, root},
};

/// The command in a folder: its exit code, and what it says.
fn dtu(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(program("dtu")).args(arguments).current_dir(folder).output().expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn broken() -> std::path::PathBuf {
    root().join("tests/documents/broken")
}

#[test]
fn problems_are_told_all_at_once_with_their_places() {
    let mut told = String::new();
    for file in
        ["contradictory.yaml", "cut-off.json", "cyclic.yaml", "neither.yaml", "no-paths.yaml", "unroutable.yaml"]
    {
        let (code, out, error) = dtu(&broken(), &["contract", "import", file]);
        let code = code.expect("is not killed");
        assert_eq!(code == 0, !out.is_empty(), "{file}: a contract or a failure");
        // Writing to a string cannot fail.
        let _ = write!(told, "$ dtu contract import {file}\n{error}exit code {code}\n\n");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn documents_of_which_nothing_can_be_used_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = format!("{{\"openapi\":\"3.0.3\",\"paths\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    for (name, text) in [
        ("empty.yaml", Vec::new()),
        ("list.json", b"[]".to_vec()),
        ("bytes.json", vec![0xff, 0xfe, 0]),
        ("deep.json", deep.into_bytes()),
        ("cut-off.json", b"{\"openapi\": \"3.0.3\", \"info\": ".to_vec()),
        ("no-paths.yaml", b"openapi: 3.1.0\ninfo: { title: Nothing, version: \"1\" }\n".to_vec()),
        ("bomb.yaml", bomb().into_bytes()),
    ] {
        fs_err::write(folder.path().join(name), text).expect("is written");
        for arguments in [
            vec!["contract", "import", name],
            vec!["up", "--port-base", "0", "--openapi", name],
            vec!["contract", "diff", name, name],
        ] {
            let (code, out, error) = dtu(folder.path(), &arguments);
            assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {error}");
            assert!(error.starts_with("error: ") && error.contains(name), "{arguments:?}: {error}");
            assert!(!error.contains("panicked"), "{arguments:?}: {error}");
        }
    }
}

/// YAML whose aliases would unfold to billions of items.
fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{items}]");
    }
    text
}

#[test]
fn other_mistakes_on_the_command_line_are_told() {
    let petstore = root().join("tests/documents/petstore.yaml");
    let petstore = petstore.to_str().expect("a path of text");
    let slack = tempfile::tempdir().expect("a folder");
    let named = slack.path().join("slack.yaml");
    fs_err::copy(petstore, &named).expect("is copied");
    let named = named.to_str().expect("a path of text");
    for (arguments, wanted) in [
        (vec!["up", "--openapi", "not-there.yaml"], "not-there.yaml: entity not found"),
        (vec!["up", "--openapi", petstore, "--openapi", petstore], "there is a twin `petstore` already"),
        (vec!["up", "--openapi", named], "hint: twins are named after their files"),
        (vec!["contract", "import", "not-there.yaml"], "not-there.yaml: entity not found"),
        (vec!["contract", "import", petstore, "--check"], "--out"),
        (vec!["contract", "import"], "<FILE>"),
        (vec!["contract", "diff", petstore], "<NEW>"),
    ] {
        let (code, out, error) = dtu(slack.path(), &arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {error}");
        assert!(error.contains(wanted), "{arguments:?}: {error}");
    }
}

#[tokio::test]
async fn what_is_left_of_a_broken_document_is_served() {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client is made");
    for (name, calls) in [
        (
            "contradictory",
            vec![
                ("POST", "/things", 201),
                ("GET", "/things/1", 404),
                ("DELETE", "/things/1", 405),
                ("GET", "/no-slash", 200),
            ],
        ),
        ("cyclic", vec![("GET", "/nodes", 200), ("POST", "/nodes", 201)]),
        ("unroutable", vec![("GET", "/b/1", 200), ("GET", "/e", 200), ("GET", "/a/1...2", 404)]),
    ] {
        let file = broken().join(format!("{name}.yaml"));
        let server = start("dtu", &["up", "--openapi", file.to_str().expect("text"), "--port-base", "0", "--json"]);
        let url = server.line["twins"][name]["url"].as_str().expect("is served").to_owned();
        for (method, path, status) in calls {
            let request = http.request(method.parse().expect("a method"), format!("{url}{path}"));
            let request = if method == "POST" { request.json(&json!({ "size": 3, "code": "a" })) } else { request };
            let answer = request.send().await.expect("answers");
            assert_eq!(answer.status(), status, "{name}: {method} {path}: {:?}", answer.text().await);
        }
    }
}

#[tokio::test]
async fn five_thousand_paths_are_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |number: u32| {
        let answer = json!({ "description": "A thing", "content": { "application/json": { "schema": {
            "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } } } } });
        let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
        let get = json!({ "operationId": format!("get{number}"), "parameters": [id], "responses": { "200": answer } });
        (format!("/things{number}/{{id}}"), json!({ "get": get }))
    };
    let paths: serde_json::Map<String, Value> = (0..5_000).map(path).collect();
    let document = json!({ "openapi": "3.1.0", "info": { "title": "Huge", "version": "1" }, "paths": paths });
    let file = folder.path().join("huge.json");
    fs_err::write(&file, document.to_string()).expect("is written");
    let (code, _, error) = dtu(folder.path(), &["contract", "import", "huge.json", "--out", "contract.json"]);
    assert_eq!((code, error.as_str()), (Some(0), "huge: 5000 operations, 0 schemas, 0 operations left out\n"));
    let server = start("dtu", &["up", "--openapi", file.to_str().expect("text"), "--port-base", "0", "--json"]);
    let url = server.line["twins"]["huge"]["url"].as_str().expect("is served");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client is made");
    let answer = http.get(format!("{url}/things4999/a")).send().await.expect("answers");
    assert_eq!(answer.json::<Value>().await.expect("is JSON"), json!({ "id": "a" }));
}

#[test]
fn contracts_are_written_checked_and_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs_err::read_to_string(root().join("tests/documents/petstore.yaml")).expect("is there");
    let newer = text.replace("enum: [cat, dog, bird, fish]", "enum: [cat, dog, bird]").replace("/sell:", "/sold:");
    for (name, text) in [("petstore.yaml", &text), ("newer.yaml", &newer)] {
        fs_err::write(folder.path().join(name), text).expect("is written");
    }
    let run = |arguments: &[&str], code: i32| {
        let (exit, out, error) = dtu(folder.path(), arguments);
        assert_eq!(exit, Some(code), "{arguments:?}: {out}{error}");
        (out, error)
    };
    let import = ["contract", "import", "petstore.yaml", "--out", "petstore.contract"];
    let check = [&import[..], &["--check"]].concat();
    let (_, error) = run(&check, 1);
    assert!(error.ends_with("hint: run the same without `--check` to write it\n"), "{error}");
    run(&import, 0);
    run(&check, 0);
    fs_err::write(folder.path().join("petstore.yaml"), &newer).expect("is written");
    run(&check, 1);
    let (out, _) = run(&["contract", "diff", "petstore.contract", "petstore.contract"], 0);
    assert_eq!(out, "0 changes, 0 of them break clients\n");
    let (out, _) = run(&["contract", "diff", "petstore.contract", "newer.yaml"], 1);
    insta::assert_snapshot!(out);
    let (out, _) = run(&["contract", "diff", "petstore.contract", "newer.yaml", "--json"], 1);
    let parsed: Value = serde_json::from_str(&out).expect("is JSON");
    assert_eq!(parsed["breaks"], true);
    assert!(parsed["changes"].as_array().is_some_and(|changes| !changes.is_empty()), "{out}");
}
