//! What is refused alike everywhere, and how faults look.

use std::time::Duration;

use dtu_contract::{
    generic::refusal::Refused,
    violation::{Part, Rule as Broken, Violation},
};
use dtu_jira::error::Error;
use dtu_kernel::{
    fault::{Injected, Rule},
    wire::Request,
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::support::{ORIGIN, Site, call};

#[test]
fn paths_that_are_not_there() {
    let site = Site::acme();
    let check = |target: &str, path: &str| {
        let got = site.check(call(&format!("GET {target}")), 404);
        let detail = format!("No endpoint GET {path}.");
        let body =
            json!({ "type": "about:blank", "title": "Not Found", "status": 404, "detail": detail, "instance": path });
        assert_eq!(got.body, body);
        assert_eq!(got.header("content-type"), "application/problem+json;charset=UTF-8");
    };
    check("/rest/api/3/nothing?x=1", "/rest/api/3/nothing");
    check("/rest/api/4/myself", "/rest/api/4/myself");
    check("/rest", "/rest");
    let page = site.check(call("GET /nothing"), 404);
    assert_eq!(page.header("content-type"), "text/html;charset=UTF-8");
}

#[test]
fn methods_that_are_not_taken() {
    let site = Site::acme();
    for method in ["POST", "PUT", "DELETE"] {
        let got = site.check(call(&format!("{method} /rest/api/3/serverInfo")), 405);
        assert_eq!(got.text("/detail"), format!("Method '{method}' is not supported."));
        assert_eq!(got.header("allow"), "GET");
    }
    let options = site.check(call("OPTIONS /rest/api/3/serverInfo"), 200);
    assert_eq!((options.header("allow"), options.header("content-type")), ("GET", "text/html;charset=UTF-8"));
    assert!(options.headers.contains_key("accept-patch"));
    site.check(call("OPTIONS /rest/api/3/serverInfo").anonymous(), 401);
    for (line, status) in [("PATCH", 400), ("TRACE", 405), ("PURGE", 403), ("get", 400)] {
        let got = site.check(call(&format!("{line} /rest/api/3/serverInfo")), status);
        assert_eq!((got.body, got.headers.contains_key("allow")), (Value::from(""), false));
    }
    site.check(call("HEAD /rest/api/3/serverInfo"), 200);
}

#[test]
fn many_paths_lead_to_one_operation() {
    let site = Site::acme();
    for path in ["/rest/api/2/myself", "/rest/api/latest/myself", "//rest/api/3//myself/", "/rest/api/2/myself/"] {
        assert_eq!(site.get(path).text("/displayName"), "Dana Whitfield", "{path}");
    }
}

#[test]
fn parameters_are_converted_as_java_converts_them() {
    let site = Site::acme();
    let check = |query: &str, detail: &str| {
        let got = site.check(call(&format!("GET /rest/api/3/users/search?{query}")), 400);
        assert_eq!(got.text("/detail"), detail);
        assert_eq!(got.text("/instance"), "/rest/api/3/users/search");
        assert_eq!(got.header("content-type"), "application/problem+json;charset=UTF-8");
    };
    check("maxResults=abc", "Failed to convert 'maxResults' with value: 'abc'");
    check("maxResults=%20abc%20", "Failed to convert 'maxResults' with value: ' abc '");
    check("startAt=1.5", "Failed to convert 'startAt' with value: '1.5'");
    check("startAt=2147483648", "Failed to convert 'startAt' with value: '2147483648'");
    let twice = site.check(call("GET /rest/api/3/users?maxResults=x&maxResults=1"), 400);
    assert!(twice.text("/detail").contains("'[Ljava.lang.String;@"), "{}", twice.body);
    let rows = |query: &str| site.get(&format!("/rest/api/3/users?{query}")).column("/accountId").len();
    assert_eq!(
        (rows("maxResults="), rows("maxResults=%20"), rows("maxResults=%201%20"), rows("maxResults=1&maxResults=x")),
        (42, 42, 1, 1)
    );
}

fn request(target: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Request {
        method: Method::GET,
        path: path.to_owned(),
        query: query.to_owned(),
        path_params: Vec::new(),
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        origin: ORIGIN.into(),
    }
}

fn answered(error: impl Into<Error>) -> (u16, Value) {
    let answer = error.into().answer(&request("/rest/api/3/x?maxResults=abc"));
    let body = answer.body.map(|(_, bytes)| bytes).unwrap_or_default();
    let text = || Value::from(String::from_utf8_lossy(&body).into_owned());
    (answer.status.as_u16(), serde_json::from_slice(&body).unwrap_or_else(|_| text()))
}

fn violation(part: Part, at: &str, rule: Broken, member: &str) -> Violation {
    Violation { part, at: at.to_owned(), rule, member: member.into(), what: "must be there".to_owned() }
}

#[test]
fn the_contract_s_refusals_are_in_jira_s_words() {
    let check = |refused: Refused, status: u16, body: Value| assert_eq!(answered(refused), (status, body));
    let not_found = |collection: &str, id: &str, sentence: &str| {
        let refused = Refused::NotFound { collection: collection.into(), id: id.into() };
        check(refused, 404, json!({ "errorMessages": [sentence], "errors": {} }));
    };
    not_found("issue", "A-1", "Issue does not exist or you do not have permission to see it.");
    not_found("project", "NOPE", "No project could be found with key 'NOPE'.");
    not_found("issueLink", "9", "No issue link with id '9' exists.");
    not_found("priorityscheme", "9", "The priorityscheme with id '9' does not exist.");
    let invalid = |violation: Violation, body: Value| check(Refused::Invalid(vec![violation]), 400, body);
    let only = |sentence: &str| json!({ "errorMessages": [sentence] });
    let payload = "Invalid request payload. Refer to the REST API documentation and try again.";
    let empty = "No content to map to Object due to end of input";
    let broken = "There was an error parsing JSON. Check that your request body is valid.";
    invalid(violation(Part::Body, "", Broken::Required, ""), only(empty));
    invalid(violation(Part::Body, "", Broken::Syntax, ""), only(broken));
    invalid(violation(Part::Body, "", Broken::Type, ""), only(payload));
    invalid(violation(Part::Body, "/name", Broken::Type, ""), only(payload));
    invalid(violation(Part::Body, "", Broken::Unknown, "shoe"), only(payload));
    let errors = |name: &str| json!({ "errorMessages": [], "errors": { name: "Must be there." } });
    invalid(violation(Part::Body, "", Broken::Required, "name"), errors("name"));
    invalid(violation(Part::Body, "/lead/id", Broken::Enum, ""), errors("lead"));
    let problem = |detail: &str| json!({ "type": "about:blank", "title": "Bad Request", "status": 400, "detail": detail, "instance": "/rest/api/3/x" });
    let converted = problem("Failed to convert 'maxResults' with value: 'abc'");
    invalid(violation(Part::Query, "maxResults", Broken::Type, ""), converted);
    invalid(violation(Part::Query, "", Broken::Required, "id"), problem("Required parameter 'id' is not present."));
    let taken = Refused::Exists { collection: "project".into(), member: "key".into(), value: "A".into() };
    let sentence = "A project with that key 'A' already exists.";
    check(taken, 400, json!({ "errorMessages": [], "errors": { "projectKey": sentence } }));
    let cursor = Refused::BadCursor { parameter: "nextPageToken".into(), value: "x".into() };
    let sentence = "The provided next page token is invalid or expired.";
    check(cursor, 400, json!({ "errorMessages": [sentence], "errors": {} }));
    let (status, body) = answered(Refused::MediaType { sent: String::new() });
    assert_eq!((status, &body["detail"]), (415, &json!("Content-Type 'null' is not supported.")));
    assert_eq!(answered(Refused::Unserved { what: "jql".into() }).0, 501);
}

#[test]
fn injected_faults_have_jira_s_shape() {
    let check = |injected: Injected, status: u16, body: Value| assert_eq!(answered(injected), (status, body));
    let sentence = |text: &str| json!({ "errorMessages": [text], "errors": {} });
    let failure = |status, code: Option<&str>| Injected::Failure { status, code: code.map(Into::into) };
    check(failure(None, None), 500, sentence("Internal server error"));
    check(failure(Some(409), Some("Somebody else edits it.")), 409, sentence("Somebody else edits it."));
    check(failure(Some(503), Some("Busy")), 503, sentence("Busy"));
    let page = "<html><head><title>502 Bad Gateway</title></head><body></body></html>";
    check(failure(Some(502), None), 502, page.into());
    check(Injected::RateLimited { retry_after: Duration::ZERO }, 429, sentence("Rate limit exceeded."));
}

#[test]
fn faults_strike_calls() {
    let site = Site::acme();
    let arm = |effect: Value| {
        let rule = json!({ "id": "f", "on": { "twin": "jira", "operation": "findUsers" }, "do": effect });
        let rule: Rule = serde_json::from_value(rule).expect("is a rule");
        site.universe.disarm(None);
        site.universe.arm(&[rule]).expect("arms");
    };
    let find = || call("GET /rest/api/3/user/search?query=dana");
    arm(json!({ "rate_limited": { "retry_after": "2500ms" } }));
    let got = site.check(find(), 429);
    assert_eq!((got.header("retry-after"), got.header("x-ratelimit-remaining")), ("3", "0"));
    assert_eq!(got.header("x-ratelimit-reset"), "2026-03-02T09:00:03Z");
    assert_eq!(got.header("ratelimit-reason"), "jira-burst-based");
    arm(json!({ "error": { "status": 500 } }));
    site.check(find(), 500);
    arm(json!({ "revoked": {} }));
    let got = site.check(find(), 401);
    assert_eq!((got.header("x-aaccountid"), got.header("x-seraph-loginreason")), ("", "AUTHENTICATED_FAILED"));
    site.universe.disarm(None);
    site.check(find(), 200);
}
