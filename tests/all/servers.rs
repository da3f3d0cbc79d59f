//! `dtu up` and the standalone twins as processes: what they print, take and do at their end.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::program;

/// A server as a process; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// What it printed when it was ready.
    pub(crate) line: Value,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn start(name: &str, arguments: &[&str]) -> Server {
    let mut child = Command::new(program(name))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("is piped")).read_line(&mut line).expect("says something");
    let line = serde_json::from_str(&line).unwrap_or_else(|_| panic!("one line of JSON: {line}"));
    Server { child, line }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

#[tokio::test]
async fn dtu_up_serves_what_its_line_says() {
    let mut server = start("dtu", &["up", "--port-base", "0", "--json", "--seed", "9"]);
    let line = &server.line;
    assert_eq!((line["seed"].as_u64(), line["universe"].is_string()), (Some(9), true));
    let http = reqwest::Client::builder().no_proxy().build().expect("is made");
    let env = |name: &str| line["env"][name].as_str().unwrap_or_else(|| panic!("{name} is given")).to_owned();
    let slack = format!("{}auth.test", env("SLACK_API_URL"));
    let answer: Value =
        http.post(slack).bearer_auth(env("SLACK_BOT_TOKEN")).send().await.expect("answers").json().await.expect("JSON");
    assert_eq!(answer["ok"], true);
    let okta = format!("{}/api/v1/users/me", env("OKTA_CLIENT_ORGURL"));
    let request = http.get(okta).header("authorization", format!("SSWS {}", env("OKTA_CLIENT_TOKEN")));
    assert_eq!(request.send().await.expect("answers").status(), 200);
    for name in ["SLACK_USER_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"] {
        env(name);
    }
    let control = format!("{}/v1/universes", line["control"]["url"].as_str().expect("a URL"));
    let token = line["control"]["token"].as_str().expect("a token");
    assert_eq!(http.get(control).bearer_auth(token).send().await.expect("answers").status(), 200);
    signal(&server.child, "-TERM");
    assert_eq!(server.child.wait().expect("ends").code(), Some(0));
}

#[test]
fn standalone_twins_take_the_same_flags_and_print_the_same_line() {
    for (name, twin) in [("slack-twin", "slack"), ("okta-twin", "okta")] {
        let mut server = start(name, &["--port", "0", "--json", "--clock", "stepped", "--limits", "real"]);
        assert!(server.line["twins"][twin]["url"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
        assert_eq!(server.line["twins"].as_object().map(serde_json::Map::len), Some(1));
        signal(&server.child, "-INT");
        assert_eq!(server.child.wait().expect("ends").code(), Some(0), "{name}");
    }
}

#[test]
fn bad_flags_and_taken_ports_are_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    for (name, arguments, code, wanted) in [
        ("dtu", vec!["up", "--world", "acmee"], 2, "hint: did you mean `acme`?"),
        ("dtu", vec!["up", "--twins", "slak"], 2, "hint: did you mean `slack`?"),
        ("dtu", vec!["up", "--faults", "slack-api-brown"], 2, "hint: did you mean `slack-api-brownout`?"),
        ("dtu", vec!["up", "--clock", "fast"], 2, "unknown clock `fast`"),
        ("dtu", vec!["up", "--nonsense"], 2, "--nonsense"),
        ("dtu", vec!["fly"], 2, "fly"),
        ("slack-twin", vec!["--port", port.as_str()], 3, "cannot listen on port"),
        ("dtu", vec!["up", "--port-base", port.as_str(), "--twins", "okta"], 3, "hint: `--port-base 0`"),
    ] {
        let output = Command::new(program(name)).args(&arguments).output().expect("runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{name} {arguments:?}: {error}");
        assert!(error.contains(wanted), "{name} {arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{name} {arguments:?}: data on stdout");
    }
}

#[test]
fn the_environment_is_written_to_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("twins.env");
    let file = path.to_str().expect("a path of text");
    let server = start("dtu", &["up", "--port-base", "0", "--json", "--env-file", file]);
    let text = fs_err::read_to_string(&path).expect("is there");
    let wanted = format!("SLACK_API_URL={}\n", server.line["env"]["SLACK_API_URL"].as_str().expect("is given"));
    assert!(text.contains(&wanted), "{text}");
}
