//! What the twin says of itself, and how it believes and refuses: with rows of its own to come, through the workspace's
//! functions as its operations will.

use dtu_google_identity::Identity;
use dtu_google_sheets::{Sheets, twin};
use dtu_google_workspace::{
    scopes,
    testing::{Kind, ORIGIN, Office, attempt, call, check_kind, check_refused, check_scopes},
};
use dtu_kernel::{
    host::host,
    operation::{Level, OperationInfo},
    twin::Twin as _,
};

const LENA: &str = "lena.fischer@acme.example";

fn office() -> Office {
    Office::acme(vec![host(twin()), host(Identity)])
}

fn operation(id: &'static str, writes: bool) -> OperationInfo {
    OperationInfo { writes, ..OperationInfo::untyped(id, &[], "/v4/spreadsheets/abc", Level::Stores) }
}

fn get() -> OperationInfo {
    operation("sheets.spreadsheets.get", false)
}

fn update() -> OperationInfo {
    operation("sheets.spreadsheets.batchUpdate", true)
}

#[test]
fn callers_are_believed_by_scope() {
    let cases = [
        (scopes::SPREADSHEETS, true, true),
        (scopes::SPREADSHEETS_READONLY, true, false),
        (scopes::DRIVE, true, true),
        (scopes::DRIVE_FILE, true, true),
        (scopes::DRIVE_READONLY, true, false),
        (scopes::DRIVE_METADATA, false, false),
        (scopes::DOCUMENTS, false, false),
    ];
    check_scopes::<Sheets>(&office(), LENA, [get(), update()], &cases);
}

#[test]
fn others_are_refused_in_the_api_s_envelope() {
    let office = office();
    let check = |query: &str, token: &str, wanted: (u16, &str)| {
        check_refused::<Sheets>(&office, &get(), (query, token), wanted)
    };
    check("", "", (403, "PERMISSION_DENIED"));
    check("key=AIzaFake", "", (400, "INVALID_ARGUMENT"));
    let reply = check("", "ya29.x", (401, "UNAUTHENTICATED"));
    let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
    assert_eq!(reply.headers["www-authenticate"], challenge);
    check("", &office.token(LENA, &[scopes::OPENID]), (403, "PERMISSION_DENIED"));
}

#[test]
fn each_person_has_a_quota() {
    let office = office();
    let caller = attempt::<Sheets>(&office, &update(), "", &office.token(LENA, &[scopes::DRIVE])).expect("is believed");
    let limit = |operation: OperationInfo| {
        let limit = twin().limit(&operation, &caller);
        (limit.bucket.to_string(), limit.per_minute)
    };
    assert_eq!(limit(get()), (format!("read_requests/{LENA}"), 60));
    assert_eq!(limit(update()), (format!("write_requests/{LENA}"), 60));
}

#[test]
fn what_is_not_served_is_a_page_for_people() {
    let office = office();
    for line in ["GET /nothing", "DELETE /v4/spreadsheets/abc/"] {
        let got = office.send("google-sheets", call(line));
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
    assert_eq!(office.env("GOOGLE_SHEETS_URL"), ORIGIN);
    assert!(office.env("GOOGLE_ACCESS_TOKEN").starts_with("ya29."));
}

#[test]
fn the_contract_serves_what_has_no_rules_yet() {
    let kind = Kind {
        twin: "google-sheets",
        path: "/v4/spreadsheets",
        id: "spreadsheetId",
        body: r#"{"properties": {"title": "Plan"}}"#,
        title: "/properties/title",
        field: "spreadsheet",
        odd: (r#"{"properties": {"frob": 1}}"#, "spreadsheet.properties"),
    };
    check_kind(&office(), &kind);
}

#[test]
fn the_lists_that_are_part_of_the_twin_can_be_read() {
    dtu_contract::contract::Contract::read(include_str!("../../contract.json")).expect("is a contract");
    let differences = include_str!("../../differences.yaml");
    dtu_contract::differences::Differences::parse("differences.yaml", differences).expect("is a list");
}
