//! Who is believed, and what those get who are not.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::support::{ORIGIN, Site, basic, call};

const LINE: &str = "Client must be authenticated to access this resource.";

#[test]
fn a_live_token_with_its_owner_s_address_is_believed() {
    let site = Site::acme();
    let dana = site.id("dana");
    for pair in [site.pair(), site.pair().replace("dana.whitfield@", "Dana.Whitfield@")] {
        let got = site.check(call("GET /rest/api/3/myself").signed(&basic(&pair)), 200);
        assert_eq!(got.text("/accountId"), dana);
        assert_eq!(got.header("x-aaccountid"), dana);
        assert_eq!(got.header("x-seraph-loginreason"), "");
    }
}

#[test]
fn what_is_not_believed_is_anonymous() {
    let site = Site::acme();
    let pair = site.pair();
    let token = pair.split_once(':').expect("is a pair").1.to_owned();
    let check = |authorization: &str, reason: &str| {
        let got = site.check(call("GET /rest/api/3/myself").signed(authorization), 401);
        assert_eq!(got.body, LINE, "{authorization}");
        assert_eq!(got.header("x-seraph-loginreason"), reason, "{authorization}");
        assert_eq!(got.header("www-authenticate"), "OAuth realm=\"http%3A%2F%2Fjira.test\"");
        assert_eq!(got.header("x-frame-options"), "SAMEORIGIN");
        assert_eq!(got.header("x-aaccountid"), "");
        let open = site.check(call("GET /rest/api/3/serverInfo").signed(authorization), 200);
        assert_eq!(open.header("x-seraph-loginreason"), reason, "{authorization}");
    };
    check("", "");
    check(&basic("dana.whitfield@acme.example:wrong"), "AUTHENTICATED_FAILED");
    check(&basic(&format!("lena.fischer@acme.example:{token}")), "AUTHENTICATED_FAILED");
    check(&basic(&format!(":{token}")), "");
    check(&basic("no colon"), "");
    check("Basic !!!", "");
    check(&format!("Basic  {}", basic(&pair).trim_start_matches("Basic ")), "");
    check("Digest username=dana", "");
    check("bearer abc", "");
    check("Bearer  abc", "");
}

#[test]
fn bearers_are_refused_everywhere() {
    let site = Site::acme();
    let jwt = format!("Bearer {}.e30.x", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#));
    for path in ["myself", "serverInfo", "user/search?query=a"] {
        let call = call(&format!("GET /rest/api/3/{path}"));
        let got = site.check(call.clone().signed("Bearer abc"), 403);
        assert_eq!(got.body, json!({ "error": "Failed to parse Connect Session Auth Token" }));
        assert_eq!(got.header("content-type"), "application/json");
        site.check(call.clone().signed("Bearer a.b.c"), 403);
        let got = site.check(call.signed(&jwt), 401);
        assert_eq!(got.body, LINE);
        assert_eq!(got.header("content-type"), "text/html;charset=UTF-8");
    }
}

#[test]
fn the_refusal_is_announced_as_what_is_accepted() {
    let site = Site::acme();
    let check = |accept: Option<&str>, wanted: &str| {
        let call = call("GET /rest/api/3/myself").anonymous();
        let call =
            accept.map_or_else(|| call.clone().without("accept"), |accept| call.clone().header("accept", accept));
        assert_eq!(site.check(call, 401).header("content-type"), wanted, "{accept:?}");
    };
    check(Some("application/json"), "application/json;charset=UTF-8");
    check(Some("*/*"), "text/html;charset=UTF-8");
    check(None, "text/plain;charset=UTF-8");
}

#[test]
fn anonymous_callers_see_what_belongs_to_the_site_and_nobody() {
    let site = Site::acme();
    let check = |path: &str, status: u16| site.check(call(&format!("GET /rest/api/3/{path}")).anonymous(), status);
    assert_eq!(check("serverInfo", 200).text("/baseUrl"), ORIGIN);
    assert_eq!(check("user/search?query=dana", 200).body, json!([]));
    check("user/search", 400);
    check("users", 401);
    check("users/search", 401);
    check(&format!("user?accountId={}", site.id("lena")), 401);
}

#[test]
fn tokens_die_with_their_owner() {
    let site = Site::acme();
    site.get("/rest/api/3/myself");
    site.perform("jira.admin.deactivate_user", "sam", &json!({ "user": "dana" })).expect("may");
    let got = site.check(call("GET /rest/api/3/myself"), 401);
    assert_eq!(got.header("x-seraph-loginreason"), "AUTHENTICATED_FAILED");
}
