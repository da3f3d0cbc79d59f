//! The services' own client libraries, unmodified, against the twins: each script in `tests/clients/` states what its
//! library must see, and ends well where all of it holds.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    evidence,
    support::{Plane, root},
};

/// How long one script may take. Those that wait as the libraries do, before they try again, take a minute and a half.
const TIME_LIMIT: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_sdk_for_python() {
    script("slack_sdk", python(), "python/slack_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_socket_mode_for_python() {
    script("slack_bolt", python(), "python/slack_socket_mode.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_socket_mode_for_node() {
    script("@slack/bolt", node(), "node/slack_socket_mode.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_administration_for_python() {
    said(&Plane::start().await, python(), "python/slack_admin.py", "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_platform_for_python() {
    said(&Plane::start().await, python(), "python/slack_platform.py", "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_platform_for_node() {
    said(&Plane::start().await, node(), "node/slack_platform.mjs", "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_slack_apps_for_python() {
    script("slack_bolt, whole apps", python(), "python/slack_apps.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_slack_apps_for_node() {
    script("@slack/bolt, whole apps", node(), "node/slack_apps.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_slack_app_for_rust() {
    script("slack-morphism", rust("slack-morphism-client"), "rust").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn okta_sdk_for_python() {
    script("okta-sdk-python", python(), "python/okta_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python3_saml() {
    script("python3-saml", python(), "python/okta_saml_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jira_for_python() {
    script("jira", python(), "python/jira_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn atlassian_python_api() {
    script("atlassian-python-api", python(), "python/jira_atlassian_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_auth_for_python() {
    script("google-auth", python(), "python/google_auth_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_api_python_client() {
    script("google-api-python-client", python(), "python/google_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_web_api_for_node() {
    script("@slack/web-api", node(), "node/slack_client.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn okta_sdk_for_node() {
    script("@okta/okta-sdk-nodejs", node(), "node/okta_client.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openid_client() {
    script("openid-client", node(), "node/openid_client.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn okta_auth_js() {
    script("@okta/okta-auth-js", node(), "node/okta_auth_js.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn okta_jwt_verifier() {
    script("@okta/jwt-verifier", node(), "node/jwt_verifier.mjs").await;
}

/// Python with the client libraries, where they are installed.
pub(crate) fn python() -> Option<PathBuf> {
    Some(root().join("target/clients/venv/bin/python")).filter(|python| python.exists())
}

/// A program that comes with Python's libraries, where they are installed.
pub(crate) fn python_program(name: &str) -> Option<PathBuf> {
    let program = root().join("target/clients/venv/bin").join(name);
    let there = program.exists();
    assert!(there || wanted() == Wanted::WhatIsThere, "`{name}` is not installed: run `cargo xtask test`");
    there.then_some(program)
}

/// Node, where the client libraries are installed next to the scripts.
pub(crate) fn node() -> Option<PathBuf> {
    root().join("tests/clients/node/node_modules").exists().then(|| "node".into())
}

/// A program that stands on a library of Rust's, where it is built.
fn rust(name: &str) -> Option<PathBuf> {
    Some(root().join("target/clients/rust/debug").join(name)).filter(|program| program.exists())
}

/// What the test command wants of the client tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// To run where the libraries are installed.
    WhatIsThere,
    /// To run, and to call what is written down in `tests/evidence/`.
    All,
    /// To run, and to write down what they call.
    Record,
}

pub(crate) fn wanted() -> Wanted {
    #[expect(clippy::disallowed_methods, reason = "the test command has no other way to say what must be there")]
    let said = std::env::var("DTU_CLIENTS").unwrap_or_default();
    match said.as_str() {
        "required" => Wanted::All,
        "record" => Wanted::Record,
        _ => Wanted::WhatIsThere,
    }
}

/// Runs a library's script against a universe of its own.
async fn script(library: &str, interpreter: Option<PathBuf>, path: &str) {
    let wanted = wanted();
    let plane = Plane::start().await;
    let Some((universe, _)) = said(&plane, interpreter, path, "").await else { return };
    let running = universe["universe"].as_str().and_then(|id| plane.multiverse.get(id));
    let calls = evidence::calls(&running.expect("the universe is still there").universe);
    match wanted {
        Wanted::WhatIsThere => {}
        Wanted::All => evidence::hold(library, &calls),
        Wanted::Record => evidence::record(library, &calls),
    }
}

/// Runs a script, all of whose claims must hold: its universe, and what it prints. None where the libraries are not
/// installed, and need not be. A script that is run in parts, each in a universe of its own, is told which it is (`1/3`).
pub(crate) async fn said(
    plane: &Plane,
    interpreter: Option<PathBuf>,
    path: &str,
    part: &str,
) -> Option<(Value, String)> {
    let Some(interpreter) = interpreter else {
        let message = "the client libraries are not installed: run `cargo xtask test`";
        assert!(wanted() == Wanted::WhatIsThere, "{message}");
        say_skipped(path);
        return None;
    };
    let universe = plane.universe(json!({ "clock": "real" })).await;
    let mut environment = environment(plane, &universe);
    environment.push(("DTU_PART".to_owned(), part.to_owned()));
    let output = run(&interpreter, path, &environment).await;
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (told(&output.stdout), told(&output.stderr));
    assert!(output.status.success(), "{path}: {}\n{out}{err}", output.status);
    assert!(out.trim_end().ends_with("claims held"), "{path} ends early:\n{out}{err}");
    Some((universe, out))
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests is told what was left out")]
pub(crate) fn say_skipped(path: &str) {
    eprintln!("skipped {path}: the client libraries are not installed; `cargo xtask test` installs them");
}

/// What a script reads: the universe's own variables, and where its control plane is.
fn environment(plane: &Plane, universe: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("is a text").to_owned();
    let env = universe["env"].as_object().expect("a universe tells its environment");
    let control = [
        ("DTU_CONTROL_URL".to_owned(), plane.url("")),
        ("DTU_CONTROL_TOKEN".to_owned(), plane.token().to_owned()),
        ("DTU_UNIVERSE".to_owned(), text(&universe["universe"])),
    ];
    env.iter().map(|(name, value)| (name.clone(), text(value))).chain(control).collect()
}

/// Runs a script with this environment alone: no proxy, and no configuration of the person who runs the tests.
async fn run(interpreter: &Path, path: &str, environment: &[(String, String)]) -> Output {
    let home = tempfile::tempdir().expect("an empty home is made");
    let child = Command::new(interpreter)
        .arg(root().join("tests/clients").join(path))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the interpreter starts");
    let ended = tokio::time::timeout(TIME_LIMIT, child.wait_with_output()).await;
    ended.unwrap_or_else(|_| panic!("{path} takes longer than {TIME_LIMIT:?}")).expect("the script ends")
}
