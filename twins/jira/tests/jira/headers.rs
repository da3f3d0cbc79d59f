//! What all answers carry.

use dtu_kernel::universe::Options;

use crate::support::{Site, call, options};

#[test]
fn all_answers_carry_jira_s_headers() {
    let site = Site::acme();
    let check = |line: &str, status: u16, counted: bool| {
        let got = site.check(call(line), status);
        for (name, value) in [
            ("server", "AtlassianEdge"),
            ("timing-allow-origin", "*"),
            ("cache-control", "no-cache, no-store, no-transform"),
            ("x-content-type-options", "nosniff"),
            ("x-xss-protection", "1; mode=block"),
        ] {
            assert_eq!(got.header(name), value, "{line}");
        }
        let (id, trace) = (got.header("atl-request-id"), got.header("atl-traceid"));
        assert_eq!((id.len(), id.replace('-', "")), (36, trace.to_owned()));
        assert_eq!(got.header("x-arequestid").len(), 32);
        assert_ne!(got.header("x-arequestid"), trace);
        assert_eq!(got.headers.contains_key("x-ratelimit-limit"), counted, "{line}");
        assert_eq!(got.headers.contains_key("ratelimit-policy"), counted, "{line}");
        id.to_owned()
    };
    let first = check("GET /rest/api/3/myself", 200, true);
    let second = check("GET /rest/api/3/myself", 200, true);
    assert_ne!(first, second);
    check("GET /rest/api/3/user", 400, true);
    check("GET /rest/api/3/nothing", 404, false);
    check("POST /rest/api/3/myself", 405, false);
}

#[test]
fn those_who_are_known_are_told_where_they_stand() {
    let site = Site::acme();
    let got = site.get("/rest/api/3/myself");
    assert_eq!(got.header("content-type"), "application/json;charset=UTF-8");
    assert_eq!((got.header("x-ratelimit-limit"), got.header("x-ratelimit-remaining")), ("350", "349"));
    assert_eq!(got.header("ratelimit-policy"), "\"jira-burst-based\";q=100;w=1");
    assert_eq!(got.header("ratelimit"), "\"jira-burst-based\";r=349;t=1");
    let anonymous = site.check(call("GET /rest/api/3/serverInfo").anonymous(), 200);
    assert!(!anonymous.headers.contains_key("x-ratelimit-limit"));
}

#[test]
fn real_limits_count_and_say_when_they_end() {
    let site = Site::with(&Options { limits: dtu_kernel::limits::Limits::Real, ..options() });
    for _ in 0..6_000 {
        site.get("/rest/api/3/myself");
    }
    let got = site.check(call("GET /rest/api/2/myself"), 429);
    assert_eq!((got.header("retry-after"), got.header("x-ratelimit-nearlimit")), ("60", "true"));
    assert_eq!(got.header("x-ratelimit-reset"), "2026-03-02T09:01:00Z");
    site.get("/rest/api/3/serverInfo");
}
