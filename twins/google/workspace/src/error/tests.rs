use dtu_contract::violation::{Part, Rule, Violation};
use dtu_kernel::operation::Level;
use serde_json::{Value, json};

use super::*;
use crate::model::token::Holder;
use Family::{Docs, Drive, Sheets};

fn operation(id: &'static str, writes: bool) -> OperationInfo {
    OperationInfo { writes, ..OperationInfo::untyped(id, &[], "/", Level::Stores) }
}

fn caller() -> Caller {
    let holder = Holder::Person("1".into());
    Caller { holder, name: "a@b.example".into(), app: "c".into(), scopes: Vec::new(), project: "42".into() }
}

/// An error of an operation: status, code for the ledger, envelope.
fn shown(family: Family, id: &'static str, writes: bool, error: &Error) -> (u16, String, Value) {
    let said = error.said(family, &operation(id, writes), Some(&caller()));
    let answer = said.answer(family);
    let (_, body) = answer.body.expect("has a body");
    let mut body: Value = serde_json::from_slice(&body).expect("is JSON");
    (answer.status.as_u16(), said.code(family).to_string(), body["error"].take())
}

fn violation(part: Part, at: &str, rule: Rule, member: &str) -> Error {
    let violation = Violation { part, at: at.into(), rule, member: member.into(), what: "is no number".into() };
    Error::Refused(Refused::Invalid(vec![violation]))
}

fn failure(status: Option<u16>, code: Option<&str>) -> Error {
    Error::Injected(Injected::Failure { status, code: code.map(Into::into) })
}

fn limited() -> Error {
    Error::Injected(Injected::RateLimited { retry_after: std::time::Duration::from_secs(9) })
}

#[test]
fn each_family_has_its_envelope() {
    let check = |family: Family, error: Error, status: u16, code: &str, members: &[&str]| {
        let (got, found, body) = shown(family, "drive.files.get", false, &error);
        assert_eq!((got, &*found), (status, code), "{family:?} {error:?}");
        let names: Vec<&str> = body.as_object().expect("is an object").keys().map(String::as_str).collect();
        assert_eq!(names, members, "{family:?} {error:?}");
    };
    let all: &[&str] = &["code", "message", "errors", "status"];
    let with_details: &[&str] = &["code", "message", "errors", "status", "details"];
    let listed: &[&str] = &["code", "message", "errors"];
    let plain: &[&str] = &["code", "message", "status"];
    let explained: &[&str] = &["code", "message", "status", "details"];
    check(Drive, Error::NoCredential, 403, "forbidden", all);
    check(Sheets, Error::NoCredential, 403, "PERMISSION_DENIED", plain);
    check(Docs, Error::NoCredential, 401, "UNAUTHENTICATED", plain);
    check(Drive, Error::ApiKey, 400, "badRequest", with_details);
    check(Sheets, Error::ApiKey, 400, "INVALID_ARGUMENT", explained);
    check(Docs, Error::ApiKey, 401, "UNAUTHENTICATED", explained);
    for (family, code, members) in [(Drive, "authError", all), (Sheets, "UNAUTHENTICATED", plain)] {
        check(family, Error::BadCredential { signed: false }, 401, code, members);
        check(family, Error::Injected(Injected::Revoked), 401, code, members);
    }
    check(Drive, Error::Scope { needed: vec!["a"] }, 403, "insufficientPermissions", with_details);
    check(Docs, Error::Scope { needed: vec!["a"] }, 403, "PERMISSION_DENIED", explained);
    check(Drive, limited(), 403, "userRateLimitExceeded", listed);
    check(Sheets, limited(), 429, "RESOURCE_EXHAUSTED", explained);
    check(Drive, failure(None, None), 500, "internalError", listed);
    check(Drive, failure(Some(503), None), 503, "backendError", listed);
    check(Drive, failure(Some(429), None), 429, "rateLimitExceeded", listed);
    check(Drive, failure(None, Some("rateLimitExceeded")), 403, "rateLimitExceeded", listed);
    check(Drive, failure(Some(500), Some("backendError")), 500, "backendError", listed);
    check(Drive, failure(None, Some("somethingElse")), 500, "somethingElse", listed);
    check(Sheets, failure(None, None), 500, "INTERNAL", plain);
    check(Sheets, failure(Some(503), None), 503, "UNAVAILABLE", plain);
    check(Docs, failure(None, Some("ABORTED")), 409, "ABORTED", plain);
    check(Docs, failure(Some(429), None), 429, "RESOURCE_EXHAUSTED", explained);
    check(Docs, failure(Some(502), Some("nonsense")), 502, "INTERNAL", plain);
    check(Drive, Error::Fields(BadField("x".into())), 400, "invalidParameter", listed);
    check(Sheets, Error::Fields(BadField("x".into())), 400, "INVALID_ARGUMENT", explained);
}

#[test]
fn what_does_not_fit_the_contract_is_told_in_google_s_words() {
    let check = |family: Family, id: &'static str, error: Error, status: u16, message: &str, location: &str| {
        let (got, _, body) = shown(family, id, true, &error);
        assert_eq!((got, body["message"].as_str()), (status, Some(message)));
        let place = match family {
            Family::Drive => body["errors"][0]["location"].as_str(),
            _ => body["details"][0]["fieldViolations"][0]["field"].as_str(),
        };
        assert_eq!(place.unwrap_or_default(), location, "{message}");
    };
    let (batch, create) = ("sheets.spreadsheets.batchUpdate", "docs.documents.create");
    let not_found =
        |collection: &str| Error::Refused(Refused::NotFound { collection: collection.into(), id: "f1".into() });
    check(Drive, "", not_found("files"), 404, "File not found: f1.", "fileId");
    check(Drive, "", not_found("permissions"), 404, "Permission not found: f1.", "permissionId");
    check(Sheets, "", not_found("spreadsheets"), 404, "Requested entity was not found.", "");
    let unknown = "Invalid JSON payload received. Unknown name";
    check(
        Sheets,
        batch,
        violation(Part::Body, "/requests/0/addSheet", Rule::Unknown, "x"),
        400,
        &format!("{unknown} \"x\" at 'requests[0].add_sheet': Cannot find field."),
        "requests[0].add_sheet",
    );
    check(
        Docs,
        batch,
        violation(Part::Body, "", Rule::Unknown, "x"),
        400,
        &format!("{unknown} \"x\": Cannot find field."),
        "",
    );
    check(
        Docs,
        create,
        violation(Part::Body, "", Rule::Unknown, "x"),
        400,
        &format!("{unknown} \"x\" at 'document': Cannot find field."),
        "document",
    );
    check(
        Sheets,
        batch,
        violation(Part::Query, "foo", Rule::Unknown, ""),
        400,
        &format!("{unknown} \"foo\": Cannot bind query parameter. Field 'foo' could not be found in request message."),
        "",
    );
    let update = "sheets.spreadsheets.values.update";
    let typed = violation(Part::Body, "/values", Rule::Type, "");
    check(Sheets, update, typed, 400, "Invalid value at 'data.values': is no number", "data.values");
    let missing = violation(Part::Query, "valueInputOption", Rule::Required, "");
    check(Sheets, update, missing, 400, "'valueInputOption' is required but not specified", "");
    let broken = || violation(Part::Body, "", Rule::Syntax, "");
    check(Sheets, update, broken(), 400, "Invalid JSON payload received. Unexpected token.", "");
    check(Drive, "", broken(), 400, "Parse Error", "");
    let missing = violation(Part::Query, "fileId", Rule::Required, "");
    check(Drive, "", missing, 400, "Required parameter: fileId", "fileId");
    check(Drive, "", violation(Part::Query, "pageSize", Rule::Range, ""), 400, "Invalid Value", "pageSize");
    check(Drive, "", violation(Part::Body, "/role", Rule::Enum, ""), 400, "Invalid Value", "role");
    let exists = Refused::Exists { collection: "files".into(), member: "id".into(), value: "f1".into() };
    check(Drive, "", exists.into(), 409, "A file already exists with the provided ID.", "");
    let cursor = Refused::BadCursor { parameter: "pageToken".into(), value: "x".into() };
    check(Drive, "", cursor.into(), 400, "Invalid Value", "pageToken");
}

#[test]
fn details_say_what_programs_look_for() {
    let (_, _, body) = shown(Family::Sheets, "sheets.spreadsheets.values.get", false, &limited());
    let info = &body["details"][0];
    assert_eq!(info["reason"], "RATE_LIMIT_EXCEEDED");
    assert_eq!(info["metadata"]["quota_limit"], "ReadRequestsPerMinutePerUser");
    assert_eq!(info["metadata"]["consumer"], "projects/42");
    let (_, _, body) = shown(Family::Docs, "docs.documents.batchUpdate", true, &limited());
    assert_eq!(body["details"][0]["metadata"]["quota_metric"], "docs.googleapis.com/write_requests");
    let scope = Error::Scope { needed: vec!["a", "b"] };
    let said = scope.said(Family::Drive, &operation("drive.files.list", false), None);
    let answer = said.answer(Family::Drive);
    let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", scope=\"a b\"";
    assert_eq!(answer.headers, [(http::header::WWW_AUTHENTICATE, challenge.to_owned())]);
    let (_, _, body) = shown(Family::Drive, "drive.files.list", false, &scope);
    let metadata = json!({ "service": "drive.googleapis.com", "method": "google.apps.drive.v3.DriveFiles.List" });
    assert_eq!(body["details"][0]["metadata"], metadata);
    assert_eq!(body["errors"][0]["message"], "Insufficient Permission");
}
