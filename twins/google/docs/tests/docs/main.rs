//! What the twin says of itself, and how it believes and refuses: with rows of its own to come, through the workspace's
//! functions as its operations will.

use dtu_google_docs::{Docs, scopes_of};
use dtu_google_identity::Identity;
use dtu_google_workspace::{
    auth::Caller,
    error::Error,
    model::State,
    scopes,
    testing::{Call, ORIGIN, Office, call},
};
use dtu_kernel::{
    host::host,
    operation::{Level, OperationInfo},
    time::Timestamp,
    twin::{Quota, Scene, Twin as _},
    wire::{Answer, Reply, Request},
};
use serde_json::{Value, json};

const LENA: &str = "lena.fischer@acme.example";

fn office() -> Office {
    Office::acme(vec![host(Docs), host(Identity)])
}

fn operation(id: &'static str, writes: bool) -> OperationInfo {
    OperationInfo { writes, ..OperationInfo::untyped(id, &[], "/v1/documents/abc", Level::Stores) }
}

fn get() -> OperationInfo {
    operation("docs.documents.get", false)
}

fn update() -> OperationInfo {
    operation("docs.documents.batchUpdate", true)
}

/// A call of an operation up to the point where it would run: who calls, or the refusal as sent.
fn attempt(
    office: &Office,
    operation: &OperationInfo,
    query: &str,
    token: &str,
) -> Result<Caller, Box<(Reply, Value)>> {
    let state = office.universe.state::<State>("google-docs").expect("works on the workspace");
    let mut headers = http::HeaderMap::new();
    if !token.is_empty() {
        headers.insert("authorization", format!("Bearer {token}").parse().expect("is a header"));
    }
    let request = Request {
        method: http::Method::GET,
        path: "/v1/documents/abc".into(),
        query: query.into(),
        path_params: Vec::new(),
        headers,
        body: Vec::new().into(),
        origin: ORIGIN.into(),
    };
    let scene = Scene { now: office.universe.now(), operation, request: &request, request_bits: (1, 2) };
    let input = Docs.input(operation, &request);
    Docs.authenticate(&state, &scene, &input).map_err(|error| Box::new(sent(&scene, Err(error))))
}

fn sent(scene: &Scene<'_>, result: Result<Answer, Error>) -> (Reply, Value) {
    let quota = Quota { limit: 1, remaining: 1, reset: Timestamp::default() };
    let reply = Docs.render(scene, None, quota, result);
    let body = serde_json::from_slice(&reply.body).expect("is JSON");
    (reply, body)
}

#[test]
fn callers_are_believed_by_scope() {
    let office = office();
    for (scope, reads, writes) in [
        (scopes::DOCUMENTS, true, true),
        (scopes::DOCUMENTS_READONLY, true, false),
        (scopes::DRIVE, true, true),
        (scopes::DRIVE_FILE, true, true),
        (scopes::DRIVE_READONLY, true, false),
        (scopes::DRIVE_METADATA, false, false),
        (scopes::SPREADSHEETS, false, false),
    ] {
        let token = office.token(LENA, &[scope]);
        let believed = |operation: OperationInfo| attempt(&office, &operation, "", &token).is_ok();
        assert_eq!((believed(get()), believed(update())), (reads, writes), "{scope}");
    }
    let own = OperationInfo { scopes: &["own"], ..get() };
    assert_eq!(scopes_of(&own), ["own"], "what the row says goes first");
    let standing = attempt(&office, &update(), "", &office.env("GOOGLE_ACCESS_TOKEN"));
    assert_eq!(standing.expect("is believed").name, "dana.whitfield@acme.example");
}

#[test]
fn others_are_refused_in_the_api_s_envelope() {
    let office = office();
    let check = |query: &str, token: &str, wanted: (u16, &str)| {
        let (reply, body) = *attempt(&office, &get(), query, token).expect_err("is refused");
        let error = &body["error"];
        assert_eq!((reply.status.as_u16(), error["status"].as_str()), (wanted.0, Some(wanted.1)), "{body}");
        assert_eq!((&error["code"], error.get("errors")), (&json!(wanted.0), None));
        assert_eq!(reply.error, wanted.1);
        reply
    };
    check("", "", (401, "UNAUTHENTICATED"));
    check("key=AIzaFake", "", (401, "UNAUTHENTICATED"));
    let reply = check("", "ya29.x", (401, "UNAUTHENTICATED"));
    let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
    assert_eq!(reply.headers["www-authenticate"], challenge);
    check("", &office.token(LENA, &[scopes::OPENID]), (403, "PERMISSION_DENIED"));
}

#[test]
fn answers_look_as_google_s() {
    let office = office();
    let (reply, _) = *attempt(&office, &get(), "", "x").expect_err("is refused");
    let varies: Vec<_> = reply.headers.get_all("vary").iter().collect();
    assert_eq!(varies, ["Origin", "X-Origin", "Referer"]);
    for (name, value) in [
        ("content-type", "application/json; charset=UTF-8"),
        ("cache-control", "private"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(reply.headers[name], value, "{name}");
    }
    assert!(reply.body.starts_with(b"{\n  \"error\": {\n    \"code\": 401,"), "is indented");
    let (reply, _) = *attempt(&office, &get(), "prettyPrint=false", "x").expect_err("is refused");
    assert!(reply.body.starts_with(b"{\"error\":{\"code\":401,"), "is not");
}

#[test]
fn each_person_has_a_quota() {
    let office = office();
    let caller = attempt(&office, &update(), "", &office.token(LENA, &[scopes::DRIVE])).expect("is believed");
    let limit = |operation: OperationInfo| {
        let limit = Docs.limit(&operation, &caller);
        (limit.bucket.to_string(), limit.per_minute)
    };
    assert_eq!(limit(get()), (format!("read_requests/{LENA}"), 300));
    assert_eq!(limit(update()), (format!("write_requests/{LENA}"), 60));
}

#[test]
fn what_is_not_served_is_a_page_for_people() {
    let office = office();
    for line in ["GET /nothing", "DELETE /v1/documents/abc/"] {
        let got = office.send("google-docs", call(line));
        assert_eq!(
            (got.reply.status.as_u16(), got.header("content-type")),
            (404, "text/html; charset=UTF-8"),
            "{line}"
        );
    }
}

#[test]
fn clients_are_told_where() {
    let office = office();
    assert_eq!(office.env("GOOGLE_DOCS_URL"), ORIGIN);
    assert!(office.env("GOOGLE_ACCESS_TOKEN").starts_with("ya29."));
}

#[test]
fn the_contract_serves_what_has_no_rules_yet() {
    let office = office();
    let token = office.env("GOOGLE_ACCESS_TOKEN");
    let check = |call: Call, status: u16, code: &str| {
        let got = office.send("google-docs", call.bearer(&token));
        assert_eq!((got.reply.status.as_u16(), got.text("/error/status")), (status, code), "{}", got.page());
        got
    };
    let made = check(call("POST /v1/documents").json(r#"{"title": "Plan"}"#), 200, "");
    let (id, title) = (made.text("/documentId"), made.text("/title"));
    assert_eq!(title, "Plan", "{}", made.body);
    let got = check(call(&format!("GET /v1/documents/{id}/")), 200, "");
    assert_eq!(got.text("/title"), "Plan", "{}", got.body);
    let part = check(call(&format!("GET /v1/documents/{id}?fields=documentId")), 200, "");
    assert_eq!(part.body, json!({ "documentId": id }));
    let odd = check(call(&format!("GET /v1/documents/{id}?fields=nothing")), 400, "INVALID_ARGUMENT");
    assert_eq!(odd.text("/error/details/0/fieldViolations/0/field"), "nothing");
    let unknown = check(call("GET /v1/documents/none"), 404, "NOT_FOUND");
    assert_eq!(unknown.text("/error/message"), "Requested entity was not found.");
    let odd = check(call(&format!("GET /v1/documents/{id}?foo=1")), 400, "INVALID_ARGUMENT");
    assert!(odd.text("/error/message").contains("Unknown name \"foo\": Cannot bind query parameter."), "{}", odd.body);
    let odd = check(call("POST /v1/documents").json(r#"{"frob": 1}"#), 400, "INVALID_ARGUMENT");
    let message = "Invalid JSON payload received. Unknown name \"frob\" at 'document': Cannot find field.";
    assert_eq!(odd.text("/error/message"), message);
    let odd = check(call("POST /v1/documents").json(r#"{"document_style": {"frob": 1}}"#), 400, "INVALID_ARGUMENT");
    let message =
        "Invalid JSON payload received. Unknown name \"frob\" at 'document.document_style': Cannot find field.";
    assert_eq!(odd.text("/error/message"), message, "either spelling of names is known");
    let update = call(&format!("POST /v1/documents/{id}:batchUpdate")).json(r#"{"requests": []}"#);
    check(update, 501, "UNIMPLEMENTED");
    let broken = check(call("POST /v1/documents").json("{"), 400, "INVALID_ARGUMENT");
    assert!(broken.text("/error/message").starts_with("Invalid JSON payload received."), "{}", broken.body);
}

#[test]
fn the_lists_that_are_part_of_the_twin_can_be_read() {
    dtu_contract::contract::Contract::read(include_str!("../../contract.json")).expect("is a contract");
    let differences = include_str!("../../differences.yaml");
    dtu_contract::differences::Differences::parse("differences.yaml", differences).expect("is a list");
}
