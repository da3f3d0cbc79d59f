//! Rate limits: the org's buckets, shares of tokens, limits of people and of clients, and what the log says of them.

use std::time::Duration;

use dtu_kernel::{limits::Limits, universe::Options};
use serde_json::{Value, json};

use crate::support::{BOT, Call, Got, Org, call, options};

const LIMITS: &str = "/api/v1/principal-rate-limits";

fn org() -> Org {
    Org::with(&Options { limits: Limits::Real, ..options() })
}

fn bot(line: &str) -> Call {
    call(line).header("authorization", &format!("SSWS {BOT}"))
}

/// Limit and what is left of it.
fn quota(got: &Got) -> (&str, &str) {
    (got.header("x-rate-limit-limit"), got.header("x-rate-limit-remaining"))
}

/// Makes a call until it is refused, at most so often; how often it was answered, and the refusal.
fn exhaust(org: &Org, most: usize, call: impl Fn() -> Call) -> (usize, Got) {
    for times in 0..=most {
        let got = org.send(call());
        if got.status == 429 {
            return (times, got);
        }
    }
    panic!("not refused within {most} calls");
}

/// The log's entries of a type, oldest first. Asked for with the other token, whose share of the log's own bucket the
/// tests leave alone.
fn entries(org: &Org, event: &str) -> Vec<Value> {
    let got = org.check(bot(&format!("GET /api/v1/logs?filter=eventType+eq+%22{event}%22")), 200);
    got.body.as_array().expect("is a list").clone()
}

/// The limits of a token, by the name of the token.
fn limits_of(org: &Org, token: &str) -> (String, String) {
    let tokens = org.get("/api/v1/api-tokens");
    let tokens = tokens.body.as_array().expect("is a list").clone();
    let found = tokens.iter().find(|one| one["name"] == token).expect("is there");
    let id = found["id"].as_str().expect("is text").to_owned();
    let all = org.get(&format!("{LIMITS}?filter=principalType+eq+%22SSWS_TOKEN%22"));
    let all = all.body.as_array().expect("is a list").clone();
    let own = all.iter().find(|one| one["principalId"] == id.as_str()).expect("has limits");
    (own["id"].as_str().expect("is text").to_owned(), id)
}

fn set_share(org: &Org, token: &str, percent: i64) {
    let (limits, token) = limits_of(org, token);
    let body = json!({ "principalId": token, "principalType": "SSWS_TOKEN", "defaultPercentage": percent });
    org.check(call(&format!("PUT {LIMITS}/{limits}")).json(&body), 200);
}

#[test]
fn a_token_uses_up_half_of_a_bucket() {
    let org = org();
    assert_eq!(quota(&org.get("/api/v1/logs")), ("60", "59"));
    let (answered, refused) = exhaust(&org, 100, || call("GET /api/v1/logs"));
    assert_eq!((answered, quota(&refused)), (59, ("60", "0")));
    assert_eq!(refused.text("/errorCode"), "E0000047");
    // Another token has a share of its own, until the org's whole is used up.
    assert_eq!(quota(&org.check(bot("GET /api/v1/logs"), 200)), ("60", "59"));
    let (answered, refused) = exhaust(&org, 100, || bot("GET /api/v1/logs"));
    assert_eq!((answered, quota(&refused)), (59, ("120", "0")));
}

#[tokio::test]
async fn windows_begin_with_their_first_call_and_end_a_minute_later() {
    let org = org();
    org.universe.advance(Duration::from_secs(7)).await;
    let ends = org.universe.now().as_secs() + 60;
    assert_eq!(org.get("/api/v1/logs").header("x-rate-limit-reset"), ends.to_string());
    org.universe.advance(Duration::from_secs(59)).await;
    let got = org.get("/api/v1/logs");
    assert_eq!((quota(&got), got.header("x-rate-limit-reset")), (("60", "58"), &*ends.to_string()));
    org.universe.advance(Duration::from_secs(1)).await;
    assert_eq!(quota(&org.get("/api/v1/logs")), ("60", "59"));
}

#[test]
fn limits_of_principals_act_on_buckets() {
    let org = org();
    set_share(&org, "it-admin", 75);
    set_share(&org, "access-bot", 75);
    let (answered, refused) = exhaust(&org, 100, || call("GET /api/v1/logs"));
    assert_eq!((answered, quota(&refused)), (90, ("90", "0")));
    // What is left of the whole is less than the other's share.
    let first = org.check(bot("GET /api/v1/logs"), 200);
    assert_eq!(quota(&first), ("120", "29"));
    let (answered, _) = exhaust(&org, 100, || bot("GET /api/v1/logs"));
    assert_eq!(answered, 29);
    set_share(&org, "access-bot", 100);
    assert_eq!(quota(&org.check(bot("GET /api/v1/users?limit=1"), 200)), ("600", "599"));
    // Answers tell the share also where nobody is limited.
    let free = Org::acme();
    assert_eq!(quota(&free.get("/api/v1/logs")), ("60", "59"));
    set_share(&free, "it-admin", 10);
    assert_eq!(quota(&free.get("/api/v1/logs")), ("12", "11"));
}

#[test]
fn the_log_warns_of_an_org_s_bucket_once_a_window() {
    let org = org();
    let get = || org.get("/api/v1/eventHooks");
    set_share(&org, "it-admin", 100);
    for _ in 0..599 {
        get();
    }
    assert_eq!(entries(&org, "system.org.rate_limit.warning"), Vec::<Value>::new());
    for _ in 0..401 {
        get();
    }
    let found = entries(&org, "system.org.rate_limit.warning");
    assert_eq!(found.len(), 1);
    let debug = &found[0]["debugContext"]["debugData"];
    assert_eq!((&debug["threshold"], &debug["warningPercent"]), (&json!("1000"), &json!("60")));
    assert_eq!((&debug["timeSpan"], &debug["timeUnit"]), (&json!("1"), &json!("MINUTES")));
    assert_eq!((&debug["rateLimitScopeType"], &debug["rateLimitSecondsToReset"]), (&json!("ORG"), &json!("60")));
    assert_eq!((&found[0]["outcome"]["result"], &found[0]["severity"]), (&json!("SUCCESS"), &json!("WARN")));
    let target = &found[0]["target"][0];
    assert_eq!((&target["id"], &target["type"]), (&json!("/api/v1/eventHooks"), &json!("URL Pattern")));
    for _ in 0..3 {
        org.refuse(call("GET /api/v1/eventHooks"), 429, "E0000047", &[]);
    }
    let found = entries(&org, "system.org.rate_limit.violation");
    assert_eq!((found.len(), &found[0]["outcome"]["result"]), (1, &json!("DENY")));
    assert_eq!(found[0]["debugContext"]["debugData"]["rateLimitScopeType"], "ORG");
}

#[test]
fn the_log_names_the_token_that_has_used_up_its_share() {
    let org = org();
    let (answered, _) = exhaust(&org, 200, || call("GET /api/v1/api-tokens"));
    org.refuse(call("GET /api/v1/api-tokens"), 429, "E0000047", &[]);
    assert_eq!(answered, 150);
    let found = entries(&org, "system.org.rate_limit.violation");
    let debug = &found[0]["debugContext"]["debugData"];
    assert_eq!((found.len(), &debug["threshold"]), (1, &json!("150")));
    assert_eq!(debug["rateLimitScopeType"], "PRINCIPAL");
    assert!(found[0]["transaction"]["detail"]["requestApiTokenId"].is_string());
    // Half of a bucket is less than the threshold of warnings.
    assert_eq!(entries(&org, "system.org.rate_limit.warning"), Vec::<Value>::new());
}

#[test]
fn the_threshold_of_warnings_is_a_setting() {
    let org = org();
    let path = "PUT /api/v1/rate-limit-settings/warning-threshold";
    org.check(call(path).json(&json!({ "warningThreshold": 30 })), 200);
    for _ in 0..36 {
        org.get("/api/v1/logs");
    }
    assert_eq!(entries(&org, "system.org.rate_limit.warning").len(), 1);
    // A call that a share refuses uses up nothing of the whole, and warns of nothing.
    let org = self::org();
    set_share(&org, "it-admin", 60);
    let (answered, _) = exhaust(&org, 700, || call("GET /api/v1/eventHooks"));
    org.refuse(call("GET /api/v1/eventHooks"), 429, "E0000047", &[]);
    assert_eq!((answered, entries(&org, "system.org.rate_limit.warning").len()), (600, 1));
}

#[tokio::test]
async fn one_person_signs_in_four_times_a_second() {
    let org = org();
    let sign_in = |name: &str| {
        let body = json!({ "username": name, "password": "not-the-password" });
        call("POST /api/v1/authn").anonymous().json(&body)
    };
    for _ in 0..4 {
        assert_eq!(quota(&org.check(sign_in("lena.fischer@acme.example"), 401)).0, "500");
    }
    let refused = org.refuse(sign_in("Lena.Fischer@acme.example"), 429, "E0000047", &[]);
    assert_eq!(quota(&refused), ("4", "0"));
    assert_eq!(refused.header("x-rate-limit-reset"), (org.universe.now().as_secs() + 1).to_string());
    org.check(sign_in("omar.haddad@acme.example"), 401);
    let found = entries(&org, "system.operation.rate_limit.violation");
    assert_eq!((found.len(), &found[0]["outcome"]["reason"]), (1, &json!("user_rate_limited")));
    let debug = &found[0]["debugContext"]["debugData"];
    assert_eq!(debug["operationRateLimitThreshold"], "4");
    assert_eq!(
        (&debug["operationRateLimitTimeSpan"], &debug["operationRateLimitTimeUnit"]),
        (&json!("1"), &json!("SECONDS"))
    );
    assert_eq!(
        (&debug["operationRateLimitScopeType"], &debug["operationRateLimitType"]),
        (&json!("user"), &json!("web_request"))
    );
    org.universe.advance(Duration::from_secs(1)).await;
    org.check(sign_in("lena.fischer@acme.example"), 401);
}

#[test]
fn token_endpoints_refuse_a_person_in_their_own_envelope() {
    let org = org();
    let ask = || {
        let form = "grant_type=password&username=lena.fischer%40acme.example&password=x&scope=openid&client_id=x";
        call("POST /oauth2/v1/token").anonymous().raw("application/x-www-form-urlencoded", form)
    };
    let (answered, refused) = exhaust(&org, 10, ask);
    assert_eq!((answered, refused.text("/error")), (4, "invalid_grant"));
    assert_eq!(refused.text("/error_description"), "API call exceeded rate limit due to too many requests.");
}

#[test]
fn a_client_and_its_device_come_sixty_times_a_minute() {
    let org = org();
    let come = |client: &str, device: &str| {
        let call = call(&format!("GET /oauth2/v1/authorize?client_id={client}&response_type=code")).anonymous();
        if device.is_empty() { call } else { call.header("cookie", &format!("x=1; dt={device}")) }
    };
    assert_eq!(quota(&org.send(come("0oaOne", "d1"))), ("60", "59"));
    let (answered, refused) = exhaust(&org, 100, || come("0oaOne", "d1"));
    assert_eq!((answered, quota(&refused)), (59, ("60", "0")));
    for (client, device) in [("0oaTwo", "d1"), ("0oaOne", "d2"), ("0oaOne", "")] {
        assert_eq!(quota(&org.send(come(client, device))), ("60", "59"), "{client} {device}");
    }
    assert_eq!(entries(&org, "system.client.rate_limit.violation").len(), 1);
    let mode = |mode: &str| {
        let body = json!({ "defaultMode": "ENFORCE", "useCaseModeOverrides": { "OAUTH2_AUTHORIZE": mode } });
        org.check(call("PUT /api/v1/rate-limit-settings/per-client").json(&body), 200);
    };
    mode("PREVIEW");
    for _ in 0..70 {
        assert_eq!(quota(&org.send(come("0oaThree", "d3"))).0, "2000");
    }
    assert_eq!(entries(&org, "system.client.rate_limit.notification").len(), 1);
    mode("DISABLE");
    for _ in 0..70 {
        org.send(come("0oaFour", "d4"));
    }
    assert_eq!(entries(&org, "system.client.rate_limit.notification").len(), 1);
}

#[test]
fn scaled_limits_scale_shares_too() {
    let org = Org::with(&Options { limits: "scale:0.1".parse().expect("is a profile"), ..options() });
    let (answered, refused) = exhaust(&org, 20, || call("GET /api/v1/logs"));
    assert_eq!((answered, quota(&refused)), (6, ("6", "0")));
}

/// A call over HTTP, on a connection of its own: the head and the body of the answer.
async fn fetch(address: &str, path: &str) -> (String, Value) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connects");
    let token = crate::support::ADMIN;
    let head =
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: SSWS {token}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("is read");
    let (head, body) = answer.split_once("\r\n\r\n").expect("has a head");
    (head.to_owned(), serde_json::from_str(body).expect("is JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_takes_seventy_five_calls_at_once() {
    let org = Org::with(&Options { limits: Limits::Real, check: true, ..Options::default() });
    let rule = json!({ "id": "slow", "on": { "twin": "okta", "operation": "getUser" }, "do": { "latency": { "median": "3s", "p99": "3s" } } });
    org.universe.arm(&[serde_json::from_value(rule).expect("is a rule")]).expect("arms");
    let host = dtu_kernel::host::host(dtu_okta::Okta);
    let served = dtu_kernel::serve::listen(&org.universe, 0, dtu_kernel::serve::routes(&host), 0).expect("a port");
    let address = served.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let before = org.universe.ledger().len();
    let slow: Vec<_> = (0..75)
        .map(|_| {
            let address = address.clone();
            tokio::spawn(async move { fetch(&address, "/api/v1/users/me").await })
        })
        .collect();
    // Each call is written down, with its fault, before its answer waits.
    let mut length = org.universe.ledger().watch();
    length.wait_for(|length| *length >= before + 150).await.expect("the ledger is there");
    for _ in 0..2 {
        let (head, body) = fetch(&address, "/api/v1/groups?limit=1").await;
        assert!(head.starts_with("HTTP/1.1 429 "), "{head}");
        for line in ["x-rate-limit-limit: 0", "x-rate-limit-remaining: 0", "x-rate-limit-reset: "] {
            assert!(head.contains(line), "{line} is in {head}");
        }
        assert!(!head.to_lowercase().contains("retry-after"), "{head}");
        assert_eq!((&body["errorCode"], &body["errorCauses"]), (&json!("E0000047"), &json!([])));
        assert_eq!(body["errorSummary"], "API call exceeded rate limit due to too many requests.");
    }
    for call in slow {
        let (head, _) = call.await.expect("ends");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    }
    let (head, _) = fetch(&address, "/api/v1/groups?limit=1").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let found = entries(&org, "core.concurrency.org.limit.violation");
    assert_eq!(found.len(), 1, "the first of a minute is logged");
    assert_eq!((&found[0]["outcome"]["result"], &found[0]["severity"]), (&json!("DENY"), &json!("WARN")));
}
