//! Drives the twin in process, as a client would.

use std::time::Duration;

use dtu_google_identity::Identity;
use dtu_google_workspace::{
    scopes,
    testing::{Call, Got, ORIGIN, Office, call, options},
};
use dtu_kernel::{host::host, universe::Options};
use serde_json::{Value, json};

const TWIN: &str = "google-drive";
const LENA: &str = "lena.fischer@acme.example";
const ABOUT: &str = "GET /drive/v3/about?fields=*";

fn office() -> Office {
    Office::acme(vec![host(dtu_google_drive::twin()), host(Identity)])
}

#[track_caller]
fn check(office: &Office, call: Call, status: u16) -> Got {
    let got = office.send(TWIN, call);
    assert_eq!(got.reply.status, status, "{}", got.page());
    got
}

/// A call that must be refused so, by status, reason and location.
#[track_caller]
fn refuse(office: &Office, call: Call, status: u16, reason: &str, location: &str) -> Got {
    let got = check(office, call, status);
    let found = (got.text("/error/errors/0/reason"), got.text("/error/errors/0/location"));
    assert_eq!(found, (reason, location), "{}", got.body);
    assert_eq!((&got.body["error"]["code"], &*got.reply.error), (&json!(status), reason));
    got
}

#[test]
fn callers_are_believed_by_their_tokens() {
    let office = office();
    let standing = office.env("GOOGLE_ACCESS_TOKEN");
    let lena = office.token(LENA, &[scopes::DRIVE_READONLY]);
    let service = "dtu-app@dtu-acme.iam.gserviceaccount.com";
    let bot = office.token(service, &[scopes::DRIVE]);
    for (token, email, name) in [
        (&standing, "dana.whitfield@acme.example", "Dana Whitfield"),
        (&lena, LENA, "Lena Fischer"),
        (&bot, service, service),
    ] {
        let got = check(&office, call(ABOUT).bearer(token), 200);
        assert_eq!((got.text("/user/emailAddress"), got.text("/user/displayName")), (email, name));
        assert_eq!(got.text("/user/permissionId").len(), 20);
    }
    let in_query = call(&format!("{ABOUT}&access_token={lena}"));
    assert_eq!(check(&office, in_query, 200).text("/user/emailAddress"), LENA);
}

#[test]
fn others_are_refused_in_drive_s_envelope() {
    let office = office();
    let got = refuse(&office, call(ABOUT), 403, "forbidden", "");
    assert_eq!(got.text("/error/status"), "PERMISSION_DENIED");
    let got = refuse(&office, call(ABOUT).bearer("ya29.x"), 401, "authError", "Authorization");
    assert_eq!(got.text("/error/status"), "UNAUTHENTICATED");
    let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
    assert_eq!(got.header("www-authenticate"), challenge);
    assert!(!got.reply.gap);
    refuse(&office, call(ABOUT).header("authorization", "Basic eDp5"), 401, "authError", "Authorization");
    let got = refuse(&office, call(ABOUT).bearer("eyJh.eyJp.c2ln"), 401, "authError", "Authorization");
    assert!(got.reply.gap, "Google takes tokens that service accounts sign themselves");
    let with_key = call(&format!("{ABOUT}&key=AIzaFake"));
    let got = refuse(&office, with_key, 400, "badRequest", "");
    assert_eq!(got.text("/error/details/0/reason"), "API_KEY_INVALID");
    let sheets_only = office.token(LENA, &[scopes::SPREADSHEETS]);
    let got = refuse(&office, call(ABOUT).bearer(&sheets_only), 403, "insufficientPermissions", "");
    assert_eq!(got.text("/error/details/0/reason"), "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    assert!(got.header("www-authenticate").contains("error=\"insufficient_scope\""));
}

#[tokio::test]
async fn rights_end_with_time_suspension_and_revocation() {
    let office = office();
    let token = || office.token(LENA, &[scopes::DRIVE]);
    let status = |token: &str| office.send(TWIN, call(ABOUT).bearer(token)).reply.status.as_u16();
    let (first, lena) = (token(), json!({ "user": LENA }));
    office.perform("google-identity.admin.revoke_tokens", "dana", &lena).expect("may");
    assert_eq!(status(&first), 401);
    let second = token();
    assert_eq!(status(&second), 200);
    office.universe.advance(Duration::from_secs(3_599)).await;
    assert_eq!(status(&second), 401);
    let third = token();
    assert_eq!(status(&third), 200);
    office.perform("google-identity.admin.suspend_user", "dana", &lena).expect("may");
    assert_eq!(status(&third), 401);
}

#[test]
fn about_answers_what_is_asked_for() {
    let office = office();
    let token = office.env("GOOGLE_ACCESS_TOKEN");
    let about = |query: &str| call(&format!("GET /drive/v3/about{query}")).bearer(&token);
    let got = check(&office, about("?fields=kind,user(me,emailAddress),storageQuota/usage"), 200);
    let user = json!({ "me": true, "emailAddress": "dana.whitfield@acme.example" });
    assert_eq!(got.body, json!({ "kind": "drive#about", "user": user, "storageQuota": { "usage": "0" } }));
    let got = check(&office, about("?fields=exportFormats,importFormats"), 200);
    assert!(got.body["exportFormats"]["application/vnd.google-apps.document"].is_array());
    for query in ["", "?fields="] {
        let got = refuse(&office, about(query), 400, "required", "fields");
        assert_eq!(got.text("/error/message"), "The 'fields' parameter is required for this method.");
        assert_eq!(got.body["error"].get("status"), None);
    }
    for (fields, wrong) in [("nothing", "nothing"), ("user(you)", "you"), ("user(", ""), ("kind/x", "kind/x")] {
        let got = refuse(&office, about(&format!("?fields={fields}")), 400, "invalidParameter", "fields");
        assert_eq!(got.text("/error/message"), format!("Invalid field selection {wrong}"));
    }
    check(&office, about("?fields=kind&unknown=1"), 200);
}

#[test]
fn answers_look_as_google_s() {
    let office = office();
    let token = office.env("GOOGLE_ACCESS_TOKEN");
    let got = check(&office, call("GET //drive/v3/about/?fields=kind").bearer(&token), 200);
    assert_eq!(got.page(), "{\n  \"kind\": \"drive#about\"\n}\n");
    for (name, value) in [
        ("content-type", "application/json; charset=UTF-8"),
        ("vary", "Origin, X-Origin"),
        ("cache-control", "no-cache, no-store, max-age=0, must-revalidate"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    let got = check(&office, call("GET /drive/v3/about?fields=kind&prettyPrint=false").bearer(&token), 200);
    assert_eq!(got.page(), "{\"kind\":\"drive#about\"}");
}

#[test]
fn answers_in_other_forms_than_json_are_gaps() {
    let office = office();
    let token = office.env("GOOGLE_ACCESS_TOKEN");
    let id = check(&office, call("POST /drive/v3/files").json("{}").bearer(&token), 200).text("/id").to_owned();
    for target in [format!("files/{id}?alt=media"), "about?fields=kind&alt=proto".into(), "files?callback=f".into()] {
        let got = check(&office, call(&format!("GET /drive/v3/{target}")).bearer(&token), 501);
        assert!(got.reply.gap, "{target}");
    }
    check(&office, call("GET /drive/v3/about?fields=kind&alt=json&callback=").bearer(&token), 200);
}

#[test]
fn what_is_not_served_is_a_page_for_people() {
    let office = office();
    for (line, gap) in [
        ("GET /nothing", false),
        ("POST /drive/v3/about", false),
        ("GET /drive/v3/none", false),
        ("POST /upload/drive/v3/files?uploadType=media", true),
        ("GET /$discovery/rest?version=v3", true),
        ("POST /batch/drive/v3", true),
    ] {
        let got = check(&office, call(line), 404);
        assert_eq!(got.header("content-type"), "text/html; charset=UTF-8");
        let seq = office.universe.ledger().len() - 1;
        let entry = office.universe.ledger().page(seq, 1).expect("reads").pop().expect("is there");
        assert_eq!(entry.to_string().contains("\"gap\":true"), gap, "{line}: {entry}");
    }
}

#[test]
fn limits_and_faults_take_drive_s_shape() {
    let office = Office::with(
        vec![host(dtu_google_drive::twin()), host(Identity)],
        &Options { limits: dtu_kernel::limits::Limits::Real, ..options() },
    );
    let token = office.env("GOOGLE_ACCESS_TOKEN");
    let about = || call("GET /drive/v3/about?fields=kind").bearer(&token);
    for _ in 0..12_000 {
        check(&office, about(), 200);
    }
    let got = refuse(&office, about(), 403, "userRateLimitExceeded", "");
    assert_eq!((got.text("/error/errors/0/domain"), got.header("retry-after")), ("usageLimits", ""));
    check(&office, about().bearer(&office.token(LENA, &[scopes::DRIVE])), 200);
    let arm = |effect: Value| {
        let rule = json!({ "id": "f", "on": { "twin": TWIN, "operation": "drive.about.get" }, "do": effect });
        office.universe.disarm(None);
        office.universe.arm(&[serde_json::from_value(rule).expect("is a rule")]).expect("arms");
    };
    let lena = office.token(LENA, &[scopes::DRIVE]);
    for (effect, status, reason) in [
        (json!({ "rate_limited": { "retry_after": "30s" } }), 403, "userRateLimitExceeded"),
        (json!({ "error": { "status": 503 } }), 503, "backendError"),
        (json!({ "error": {} }), 500, "internalError"),
    ] {
        arm(effect);
        refuse(&office, about().bearer(&lena), status, reason, "");
    }
    arm(json!({ "revoked": {} }));
    refuse(&office, about().bearer(&lena), 401, "authError", "Authorization");
}

#[test]
fn clients_are_told_where() {
    let office = office();
    assert_eq!(office.env("GOOGLE_DRIVE_URL"), ORIGIN);
    assert!(office.env("GOOGLE_APPLICATION_CREDENTIALS").contains("\"token_uri\""));
}

#[test]
fn the_contract_serves_what_has_no_rules_yet() {
    let office = office();
    let token = office.env("GOOGLE_ACCESS_TOKEN");
    let on = |line: &str| call(line).bearer(&token);
    let made = check(&office, on("POST /drive/v3/files?foo=1").json(r#"{"name": "Plan"}"#), 200);
    let id = made.text("/id").to_owned();
    assert_eq!(made.text("/name"), "Plan", "{}", made.body);
    assert_eq!(check(&office, on(&format!("GET /drive/v3/files/{id}")), 200).text("/name"), "Plan");
    let renamed = on(&format!("PATCH /drive/v3/files/{id}")).json(r#"{"name": "Plan B"}"#);
    check(&office, renamed, 200);
    let listed = check(&office, on("GET /drive/v3/files"), 200);
    assert_eq!(listed.text("/files/0/name"), "Plan B", "{}", listed.body);
    check(&office, on(&format!("DELETE /drive/v3/files/{id}")), 204);
    let gone = refuse(&office, on(&format!("GET /drive/v3/files/{id}")), 404, "notFound", "fileId");
    assert_eq!(gone.text("/error/message"), format!("File not found: {id}."));
    let named = check(&office, on("GET /drive/v3/files?fields=files/id"), 200);
    assert_eq!(named.body, json!({ "files": [] }));
    let got =
        refuse(&office, on("POST /drive/v3/files?fields=id,size/x").json("{}"), 400, "invalidParameter", "fields");
    assert_eq!(got.text("/error/message"), "Invalid field selection x");
    refuse(&office, on("POST /drive/v3/files").json("{"), 400, "parseError", "");
    refuse(&office, on("GET /drive/v3/files?pageSize=many"), 400, "invalid", "pageSize");
    let watch = office.send(TWIN, on("POST /drive/v3/changes/watch?pageToken=1").json("{}"));
    assert_eq!(watch.reply.status, 501, "nothing is sent to the address: {}", watch.body);
    let reader = office.token(LENA, &[scopes::DRIVE_METADATA_READONLY]);
    let write = call("POST /drive/v3/files").json("{}").bearer(&reader);
    refuse(&office, write, 403, "insufficientPermissions", "");
    check(&office, call("GET /drive/v3/files").bearer(&reader), 200);
}

#[test]
fn the_lists_that_are_part_of_the_twin_can_be_read() {
    dtu_contract::contract::Contract::read(include_str!("../../contract.json")).expect("is a contract");
    let differences = include_str!("../../differences.yaml");
    dtu_contract::differences::Differences::parse("differences.yaml", differences).expect("is a list");
}
