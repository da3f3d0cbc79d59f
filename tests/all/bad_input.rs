//! Bad input at every route of every twin: an answer in the service's own shape, and no panic.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::support::{Plane, stepped};

/// Whether an answer is one that the service would give.
pub(crate) fn is_in_shape(twin: &str, status: u16, body: &str) -> bool {
    let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    match twin {
        "slack" => {
            let is_answer = json["ok"].is_boolean() || body == "ok" || json["error"].is_string();
            // SCIM, the audit logs and OpenID have answers of their own.
            let is_answer = is_answer
                || ["schemas", "actions", "entries", "Errors", "issuer", "keys"].iter().any(|of| !json[*of].is_null());
            // Files are for browsers too: pages, and where to sign in. A socket's address answers as its front does.
            let is_for_browsers = body.starts_with("<!DOCTYPE") || body.starts_with("OK - ") || status == 302;
            is_answer || is_for_browsers || status == 404 || (status == 400 && !json.is_object())
        }
        "okta" => {
            let is_code = |code: &str| code.starts_with("E0000");
            let is_refusal = json["errorCode"].as_str().is_some_and(is_code) || json["error"].is_string();
            // Tokens of security events are refused as their own standard has it (RFC 8935, section 2.3).
            let is_refusal = is_refusal || json["err"].is_string();
            // The Identity Engine's own API says in messages what is wrong.
            let is_refusal = is_refusal || json["version"] == "1.0.0" && json["messages"]["value"].is_array();
            // Sign-in answers browsers: by pages, and by sending them on. A scope that is missing has no body.
            status < 400 || is_refusal || body.starts_with("<!DOCTYPE") || (status == 403 && body.is_empty())
        }
        "jira" => {
            let known = ["errorMessages", "errors", "detail", "message", "error"];
            status < 300 || known.iter().any(|name| !json[name].is_null()) || (json.is_null() && status < 500)
        }
        // Paths that a front server does not know are answered by a page.
        google if google.starts_with("google-") => {
            status < 300
                || json["error"]["code"] == status
                || json["error"].is_string()
                || body.starts_with("<!DOCTYPE")
        }
        other => panic!("say how {other} refuses"),
    }
}

/// The credential that a twin believes, as a header.
fn credential(universe: &Value, twin: &str) -> String {
    let of = |name: &str| universe["env"][name].as_str().expect("the universe names it").to_owned();
    match twin {
        "okta" => format!("SSWS {}", of("OKTA_CLIENT_TOKEN")),
        "slack" => format!("Bearer {}", of("SLACK_BOT_TOKEN")),
        "jira" => {
            let pair = format!("{}:{}", of("JIRA_EMAIL"), of("JIRA_API_TOKEN"));
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        }
        _ => format!("Bearer {}", of("GOOGLE_ACCESS_TOKEN")),
    }
}

/// The path of an operation with something in place of its parameters.
fn filled(path: &str, value: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { value } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_answers_bad_input_in_the_services_shape() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(3)).await;
    for twin in plane.multiverse.twins() {
        let url = universe["twins"][twin.name()]["url"].as_str().expect("is served");
        let good = credential(&universe, twin.name());
        for info in twin.operations() {
            for method in info.methods {
                let target = format!("{url}{}", filled(info.path, "%00%F0%9F%92%A9..;'\""));
                let cursor =
                    format!("{target}?cursor=%25%25&after=%25%25&limit=-1&filter=((&search=%5C&since=x&types=%00");
                let all = [
                    (&target, good.as_str(), "application/json", "{"),
                    (&cursor, good.as_str(), "application/json", ""),
                    (&target, "", "application/json", "{"),
                    (&target, good.as_str(), "application/json", "[[[[1]]]]"),
                    (
                        &target,
                        good.as_str(),
                        "application/json",
                        "{\"channel\":{\"a\":[]},\"profile\":7,\"text\":1e999}",
                    ),
                    (&target, good.as_str(), "application/x-www-form-urlencoded", "%%%&=&&channel=%00&blocks={"),
                    (&target, good.as_str(), "multipart/form-data; boundary=x", "--x\r\ngarbage"),
                    (&target, good.as_str(), "nonsense/\u{7f}", "x"),
                    (&target, "Bearer \u{e9}", "application/json", "{}"),
                ];
                // What the contract serves is one piece of code: a few cases of each row will do.
                let cases = if info.behaves() { &all[..] } else { &all[..2] };
                for (url, auth, kind, body) in cases.iter().copied() {
                    let mut request = plane.http.request(method.clone(), url).body(body);
                    if let Ok(kind) = http::HeaderValue::from_bytes(kind.as_bytes()) {
                        request = request.header("content-type", kind);
                    }
                    if let Ok(auth) = http::HeaderValue::from_bytes(auth.as_bytes()) {
                        request = request.header("authorization", auth);
                    }
                    let response = request.send().await.expect("the twin answers");
                    let status = response.status().as_u16();
                    let text = response.text().await.expect("the answer is read");
                    let case = format!("{} {method} {kind} {body:.40}: {status} {text:.200}", info.id);
                    assert!((status < 500 || status == 501) && is_in_shape(twin.name(), status, &text), "{case}");
                }
            }
        }
    }
    let broken = broken_calls(&plane, &universe).await;
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Calls at which a twin broke: the ledger marks them as gaps of a served path.
async fn broken_calls(plane: &Plane, universe: &Value) -> Vec<Value> {
    let path = format!("/v1/universes/{}/ledger?limit=1000", universe["universe"].as_str().unwrap_or_default());
    let (mut from, mut broken) = (0, Vec::new());
    loop {
        let (_, page) = plane.call("GET", &format!("{path}&from={from}"), None).await;
        let entries = page["entries"].as_array().expect("entries");
        if entries.is_empty() {
            return broken;
        }
        broken.extend(entries.iter().filter(|e| e["gap"] == true && e["status"] == 500).cloned());
        from = page["next"].as_u64().expect("a place");
    }
}

#[tokio::test]
async fn ten_megabytes_are_refused_and_the_twin_goes_on() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(3)).await;
    let huge = format!("{{\"text\":\"{}\"}}", "x".repeat(10 << 20));
    for (twin, path, auth) in [
        ("slack", "/api/chat.postMessage", "SLACK_BOT_TOKEN"),
        ("slack", "/api/auth.test", "SLACK_BOT_TOKEN"),
        ("okta", "/api/v1/users", "OKTA_CLIENT_TOKEN"),
        ("okta", "/api/v1/groups", "OKTA_CLIENT_TOKEN"),
        ("okta", "/nowhere", "OKTA_CLIENT_TOKEN"),
        ("okta", "//api/v1//users/", "OKTA_CLIENT_TOKEN"),
    ] {
        let url = format!("{}{path}", universe["twins"][twin]["url"].as_str().expect("is served"));
        let scheme = if twin == "okta" { "SSWS" } else { "Bearer" };
        let auth = format!("{scheme} {}", universe["env"][auth].as_str().expect("has a token"));
        let request = plane.http.post(url).header("authorization", auth).header("content-type", "application/json");
        // The twin may close before it has read all: a client sees that as an error of the connection.
        if let Ok(response) = request.body(huge.clone()).send().await {
            let status = response.status().as_u16();
            let text = response.text().await.unwrap_or_default();
            assert!(is_in_shape(twin, status, &text) || status == 413, "{twin}{path}: {status} {text:.200}");
        }
    }
    assert_eq!(plane.slack(&universe, "auth.test", &[]).await["ok"], true);
    assert_eq!(plane.okta(&universe, "GET", "/api/v1/users?limit=1", None).await.0, 200);
}

#[tokio::test]
async fn paths_are_read_as_the_services_front_servers_read_them() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(3)).await;
    for (path, status) in [
        ("/api/v1/users?limit=1", 200),
        ("//api/v1/users?limit=1", 200),
        ("/api/v1/users/?limit=1", 200),
        ("/api/v1/users/%ff", 404),
        ("/api/v1/users/me/", 200),
        ("/api/v1/nothing/", 404),
    ] {
        assert_eq!(plane.okta(&universe, "GET", path, None).await.0, status, "{path}");
    }
    assert_eq!(plane.slack(&universe, "/auth.test", &[]).await["ok"], true);
}
