//! What all operations refuse alike.

use std::time::Duration;

use dtu_kernel::{fault::Rule, twin::Reason, universe::Options};
use serde_json::json;

use crate::support::{ADMIN, Org, call, options};

#[test]
fn only_live_tokens_are_believed() {
    let org = Org::acme();
    for header in ["SSWS nope", "SSWS", "Bearer abc", "Basic x", "", &format!("Bearer {ADMIN}"), ADMIN] {
        let got = org.refuse(call("GET /api/v1/users/me").header("authorization", header), 401, "E0000011", &[]);
        assert_eq!(got.text("/errorSummary"), "Invalid token provided");
        assert_eq!(got.text("/errorLink"), "E0000011");
        assert!(got.text("/errorId").starts_with("oae") && got.text("/errorId").len() == 25, "{}", got.body);
    }
    org.refuse(call("GET /api/v1/users/me").anonymous(), 401, "E0000011", &[]);
    for header in [format!("SSWS {ADMIN}"), format!("SSWS{ADMIN}"), format!("ssws  {ADMIN}")] {
        org.check(call("GET /api/v1/users/me").header("authorization", &header), 200);
    }
}

#[test]
fn tokens_are_listed_and_revoked() {
    let org = Org::acme();
    let got = org.get("/api/v1/api-tokens");
    assert_eq!(got.column("/name").len(), 3);
    assert!(!got.body.to_string().contains(ADMIN), "secrets are never shown");
    let bot = got.body.as_array().expect("is a list").iter().find(|token| token["name"] == "access-bot");
    let id = bot.and_then(|token| token["id"].as_str()).expect("has an id").to_owned();
    assert_eq!(org.get(&format!("/api/v1/api-tokens/{id}")).text("/tokenWindow"), "P30D");
    org.check(call(&format!("DELETE /api/v1/api-tokens/{id}")), 204);
    let gone = org.refuse(call(&format!("GET /api/v1/api-tokens/{id}")), 404, "E0000007", &[]);
    assert!(gone.text("/errorSummary").ends_with("(Token)"));
    org.check(call("DELETE /api/v1/api-tokens/current"), 204);
    org.refuse(call("GET /api/v1/users/me"), 401, "E0000011", &[]);
}

#[test]
fn paths_methods_bodies_and_types() {
    let org = Org::acme();
    org.refuse(call("GET /api/v1/nothing"), 404, "E0000008", &[]);
    org.refuse(call("PATCH /api/v1/users"), 405, "E0000022", &[]);
    org.refuse(call("POST /api/v1/users").raw("application/json", "{\"profile\":"), 400, "E0000003", &[]);
    org.refuse(call("POST /api/v1/users").raw("application/json", "[]"), 400, "E0000003", &[]);
    org.refuse(call("POST /api/v1/users").raw("application/json", "{\"profile\":5}"), 400, "E0000003", &[]);
    org.refuse(call("POST /api/v1/users"), 400, "E0000003", &[]);
    org.refuse(call("POST /api/v1/users").raw("text/plain", "x"), 400, "E0000021", &[]);
    org.refuse(call("POST /api/v1/users").raw("", "x"), 400, "E0000018", &[]);
    org.refuse(call("GET /api/v1/users").header("accept", "application/xml"), 400, "E0000019", &[]);
    org.check(call("GET /api/v1/users").header("accept", "text/html, */*;q=0.1"), 200);
    org.refuse(call("GET /api/v1/users?limit=many"), 400, "E0000037", &[]);
    org.refuse(call("GET /api/v1/users?limit=0"), 400, "E0000001", &["limit: The field has an invalid value"]);
    assert_eq!(org.get("/api/v1/users?limit=5000").link("self").as_deref(), Some("/api/v1/users?limit=200"));
    let host = dtu_kernel::host::host(dtu_okta::Okta);
    let request = dtu_kernel::wire::Request {
        method: http::Method::POST,
        path: "/api/v1/users".into(),
        query: String::new(),
        path_params: Vec::new(),
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::new(),
        origin: "http://okta.test".into(),
    };
    assert_eq!(host.unserved(&org.universe, request.clone(), Reason::BodyTooLarge).status, 413);
    assert_eq!(host.unserved(&org.universe, request, Reason::Broken).status, 500);
}

#[test]
fn what_must_be_an_object_is_one() {
    let org = Org::acme();
    let check = |line: &str, body: &str| {
        org.refuse(call(line).raw("application/json", body), 400, "E0000003", &[]);
    };
    for line in ["POST /api/v1/users", "POST /api/v1/users/me", "POST /api/v1/groups", "POST /api/v1/eventHooks"] {
        for body in ["[]", "null", "5", "\"x\"", "true", "[{}]", "\u{feff}{}", &"[".repeat(50_000)] {
            check(line, body);
        }
    }
    for field in ["credentials", "type"] {
        check("POST /api/v1/users/me", &format!("{{\"{field}\":[null]}}"));
        check("POST /api/v1/users/me", &format!("{{\"{field}\":7}}"));
    }
    for field in ["password", "recovery_question", "provider"] {
        check("POST /api/v1/users/me", &format!("{{\"credentials\":{{\"{field}\":[\"a\",\"b\"]}}}}"));
    }
    for field in ["events", "channel"] {
        check("POST /api/v1/eventHooks", &format!("{{\"{field}\":[\"a\"]}}"));
    }
}

#[test]
fn only_answers_with_a_body_vary() {
    let org = Org::acme();
    let id = org.id("lena.fischer");
    assert_eq!(org.get("/api/v1/users?limit=1").header("vary"), "Accept-Encoding");
    assert_eq!(org.check(call("GET /api/v1/nothing"), 404).header("vary"), "Accept-Encoding");
    let gone = org.check(call(&format!("DELETE /api/v1/users/{id}/sessions")), 204);
    assert!(!gone.headers.contains_key("vary") && !gone.headers.contains_key("content-type"));
    assert_eq!(gone.header("cache-control"), "no-cache, no-store");
    let refused = org.check(call("PATCH /api/v1/users"), 405);
    for name in ["vary", "cache-control", "x-okta-request-id", "x-rate-limit-limit"] {
        assert!(!refused.headers.contains_key(name), "{name}");
    }
}

#[test]
fn deep_and_long_questions_are_answered() {
    let org = Org::acme();
    let deep = [format!("{}id%20pr", "(".repeat(30_000)), "not(".repeat(10_000), "not%20".repeat(10_000)];
    let long = ["id%20pr%20and%20".repeat(3_000) + "id%20pr", "id%20eq%20%22".to_owned() + &"x".repeat(30_000) + "%22"];
    for path in ["users?search=", "groups?search="] {
        for text in &deep {
            let got = org.check(call(&format!("GET /api/v1/{path}{text}")), 400);
            assert_eq!(got.text("/errorCode"), "E0000031");
        }
        for text in &long {
            org.get(&format!("/api/v1/{path}{text}"));
        }
    }
    for text in &deep {
        org.check(call(&format!("GET /api/v1/logs?filter={text}")), 400);
    }
}

#[test]
fn searches_that_cannot_be_are_refused() {
    let org = Org::acme();
    let check = |query: &str, code: &str, causes: &[&str]| {
        let target = format!("GET /api/v1/users?{}", query.replace(' ', "+").replace('"', "%22"));
        org.refuse(call(&target), 400, code, causes)
    };
    check("q=a&filter=status eq \"ACTIVE\"", "E0000033", &[]);
    check("search=id pr&filter=status eq \"ACTIVE\"", "E0000033", &[]);
    check("search=profile.name", "E0000031", &["Invalid search syntax."]);
    check("search=(id pr", "E0000031", &["Invalid search syntax."]);
    let prefix = "Invalid filter ";
    check(
        "search=profile.shoe eq \"9\"",
        "E0000031",
        &[&format!("{prefix}'profile.shoe eq \"9\"': Unrecognized attribute 'profile.shoe' at position 0.")],
    );
    check(
        "search=status ne \"ACTIVE\"",
        "E0000031",
        &[&format!(
            "{prefix}'status ne \"ACTIVE\"': Unrecognized attribute operator 'ne' at position 7. Expected: eq,sw,co,pr,gt,ge,lt,le"
        )],
    );
    check(
        "filter=profile.title eq \"x\"",
        "E0000031",
        &[&format!("{prefix}'profile.title eq \"x\"': Unrecognized attribute 'profile.title' at position 0.")],
    );
    let got = check(
        "filter=status gt \"A\"",
        "E0000031",
        &[&format!("{prefix}'status gt \"A\"': Operator 'gt' at position 7 is not supported for attribute 'status'.")],
    );
    assert_eq!(got.text("/errorSummary"), "Invalid search criteria.");
    check(
        "filter=lastUpdated gt \"soon\"",
        "E0000031",
        &[&format!("{prefix}'lastUpdated gt \"soon\"': Invalid date 'soon' at position 0.")],
    );
    check("search=id pr&sortBy=profile.shoe", "E0000031", &["Invalid sort attribute 'profile.shoe'."]);
    check("search=id pr&sortBy=id&sortOrder=up", "E0000031", &["Invalid sort order 'up'."]);
    check("search=id pr&after=nonsense", "E0000031", &["Invalid cursor."]);
    check("after=nonsense", "E0000029", &["Invalid cursor."]);
}

#[test]
fn real_limits_count_and_say_when_they_end() {
    let org = Org::with(&Options { limits: dtu_kernel::limits::Limits::Real, ..options() });
    for left in (0..60).rev() {
        let got = org.get("/api/v1/logs");
        assert_eq!(got.header("x-rate-limit-remaining"), left.to_string());
    }
    let got = org.refuse(call("GET /api/v1/logs"), 429, "E0000047", &[]);
    assert_eq!((got.header("x-rate-limit-limit"), got.header("x-rate-limit-remaining")), ("60", "0"));
    let reset: i64 = got.header("x-rate-limit-reset").parse().expect("is a number");
    assert_eq!(reset, org.universe.now().as_secs() + 60);
    assert_eq!(got.header("retry-after"), "");
    org.get("/api/v1/users?limit=1");
}

#[test]
fn faults_take_okta_s_shape() {
    let org = Org::acme();
    let arm = |effect: serde_json::Value| {
        let rule = json!({ "id": "f", "on": { "twin": "okta", "operation": "listGroups" }, "do": effect });
        let rule: Rule = serde_json::from_value(rule).expect("is a rule");
        org.universe.disarm(None);
        org.universe.arm(&[rule]).expect("arms");
    };
    arm(json!({ "rate_limited": { "retry_after": "30s" } }));
    let got = org.refuse(call("GET /api/v1/groups"), 429, "E0000047", &[]);
    let ends = org.universe.now().after(Duration::from_secs(30)).as_secs().to_string();
    assert_eq!((got.header("x-rate-limit-remaining"), got.header("x-rate-limit-reset")), ("0", &*ends));
    arm(json!({ "error": {} }));
    org.refuse(call("GET /api/v1/groups"), 500, "E0000009", &[]);
    arm(json!({ "error": { "status": 503 } }));
    org.refuse(call("GET /api/v1/groups"), 503, "E0000010", &[]);
    arm(json!({ "revoked": {} }));
    org.refuse(call("GET /api/v1/groups"), 401, "E0000011", &[]);
}

/// Reads whose path names what there need not be, each with its reason.
const FOUND_ANYWAY: &[(&str, &str)] = &[("listAgentPoolsUpdates", "a pool that there is not has no updates: recorded")];

/// What nobody has made is not there: an id that an org never saw is never answered with something made up.
#[test]
fn what_an_org_never_saw_is_not_found() {
    let org = Org::acme();
    let host = dtu_kernel::host::host(dtu_okta::Okta);
    let mut answered = Vec::new();
    for info in host.operations() {
        let own = ["/api/v1", "/webauthn-registration"].iter().any(|root| info.path.starts_with(root));
        if !own || !info.path.contains('{') || !info.methods.contains(&http::Method::GET) {
            continue;
        }
        // Ids of nothing, of an app, of a person, of a device and of a policy.
        for id in [
            "zzz1234567890abcd5d7",
            "0oa1234567890abcd5d7",
            "00u1234567890abcd5d7",
            "guo1234567890abcd5d7",
            "rst1234567890abcd5d7",
        ] {
            let parts = info.path.split('/').map(|part| if part.starts_with('{') { id } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
            let got = org.send(call(&format!("GET {path}")));
            if got.status < 400 && FOUND_ANYWAY.iter().all(|(id, _)| *id != info.id) {
                answered.push(format!("{} {path}: {} {:.120}", info.id, got.status, got.body.to_string()));
            }
        }
    }
    assert!(answered.is_empty(), "\n{}", answered.join("\n"));
}
