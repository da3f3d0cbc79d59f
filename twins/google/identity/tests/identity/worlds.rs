//! Loading, views, affordances, environment.

use std::sync::Arc;

use dtu_google_identity::Identity;
use dtu_google_workspace::testing::{ORIGIN, Office, call, options};
use dtu_kernel::{
    host::host,
    universe::Universe,
    world::{SERVICES, World},
};
use serde_json::{Value, json};

use crate::support::{DRIVE, Google};

/// A small company with a section; what is wrong with it, where it does not load.
pub(crate) fn tiny(section: &str) -> Result<Office, Vec<String>> {
    let text = format!(
        r#"schema: dtu/world/v1
name: tiny
epoch: "2026-03-02T09:00:00Z"
company: {{name: Tiny, domain: tiny.example, timezone: Europe/London}}
people:
  - {{key: ann, first: Ann, last: Lee, email: ann@tiny.example, admin: true}}
  - {{key: bob, first: Bob, last: Ray, email: bob@tiny.example}}
  - {{key: cid, first: Cid, last: Fox, email: cid@tiny.example, status: deprovisioned}}
{section}"#
    );
    let world = World::parse("tiny.yaml", &text, &SERVICES).expect("the shared part is good");
    let made = Universe::create("tiny", Arc::from([host(Identity)]), Arc::new(world), &options());
    let universe = made.map_err(|problems| {
        problems.iter().map(|problem| problem.to_string().replace("\n  hint: ", " | ")).collect::<Vec<_>>()
    })?;
    universe.set_origin(0, ORIGIN);
    Ok(Office { universe })
}

#[test]
fn everybody_has_an_account() {
    let google = Google::acme();
    let view = |name: &str| google.office.universe.view("google-identity", name).expect("is a view");
    let accounts = view("accounts");
    let accounts = accounts.as_array().expect("is a list");
    assert_eq!(accounts.len(), google.office.universe.world().people.len());
    for account in accounts {
        let id = account["id"].as_str().expect("is text");
        assert!(id.len() == 21 && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    }
    let suspended = accounts.iter().filter(|account| account["suspended"] == true).count();
    assert_eq!(suspended, 5, "two to come, one suspended, two gone");
    let services = view("service_accounts");
    assert_eq!(services[0]["email"], "dtu-app@dtu-acme.iam.gserviceaccount.com");
    assert_eq!((&services[0]["delegates"], &services[0]["acts_for"]), (&json!(true), &json!([])));
}

#[test]
fn ids_follow_the_person_not_the_order() {
    let id = |office: &Office| office.universe.view("google-identity", "accounts").expect("is a view")[1]["id"].clone();
    let (one, other) = (tiny("").expect("loads"), tiny("google-identity: {project: other}\n").expect("loads"));
    assert_eq!(id(&one), id(&other));
}

#[test]
fn clients_are_told_where_and_with_what() {
    let google = Google::acme();
    let file = &google.key_file;
    assert_eq!((&file["type"], &file["project_id"]), (&json!("service_account"), &json!("dtu-acme")));
    assert_eq!(file["token_uri"], format!("{ORIGIN}/token"));
    assert_eq!(file["private_key_id"].as_str().map(str::len), Some(40));
    for (name, value) in file.as_object().expect("is an object") {
        let outside = value.as_str().is_some_and(|text| text.contains("https://"));
        assert!(!outside, "{name} must not lead out of the universe");
    }
    let token = google.office.env("GOOGLE_ACCESS_TOKEN");
    assert!(token.starts_with("ya29.dtu-acme-"), "{token}");
    let info = google.send(call(&format!("GET /tokeninfo?access_token={token}")));
    assert!(info.text("/scope").contains(DRIVE), "{}", info.body);
    let year = 365 * 86_400;
    assert!(info.text("/expires_in").parse::<u64>().is_ok_and(|left| left > year), "work with it does not break");
    let who = google.send(call("GET /v1/userinfo").bearer(&token));
    assert_eq!(who.text("/email"), "dana.whitfield@acme.example");
}

#[test]
fn tokens_are_shown_without_their_values() {
    let google = Google::acme();
    let token = google.token(DRIVE, Some("lena.fischer@acme.example"));
    let shown = google.office.universe.view("google-identity", "tokens").expect("is a view");
    let row = shown.as_array().and_then(|rows| rows.iter().find(|row| row["holder"] == "lena.fischer@acme.example"));
    let row = row.expect("is shown");
    assert_eq!((&row["kind"], &row["revoked"], &row["scopes"]), (&json!("access"), &json!(false), &json!([DRIVE])));
    assert!(!shown.to_string().contains(&token));
    let changed = json!(google.office.universe.diff(0).expect("reads"));
    assert!(!changed.to_string().contains(&token), "nor does the ledger's record of rows");
}

#[test]
fn worlds_are_read_strictly() {
    let check = |section: &str, wanted: &[&str]| {
        let found = tiny(&format!("{section}\n")).err().unwrap_or_default();
        assert_eq!(found.len(), wanted.len(), "{found:#?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.starts_with("tiny.yaml:") && found.contains(wanted), "{found}");
        }
    };
    check("google-identity: {}", &[]);
    check("google-drive: {}", &[]);
    check("google-drive: {files: []}", &["files"]);
    check("google-identity: {tokens: []}", &["tokens"]);
    check(
        "google-identity: {service_accounts: [{key: a, delegates: true, acts_for: [anne]}]}",
        &["nobody has the key `anne` | did you mean `ann`?"],
    );
    check(
        "google-identity: {service_accounts: [{key: a, acts_for: [ann]}]}",
        &["`a` acts for people but has no delegation | add `delegates: true`"],
    );
    check("google-identity: {service_accounts: [{key: a}, {key: a}]}", &["the service account key `a` is used twice"]);
    check("google-identity: {refresh_tokens: [{value: x, owner: ann, client: y}]}", &["no client has the id `y`"]);
    check(
        "google-identity: {refresh_tokens: [{value: x, owner: ann, scopes: [drive]}]}",
        &["Google knows no scope `drive`"],
    );
    check("google-identity: {clients: [{id: a, secret: x}, {id: a, secret: y}]}", &["the client id `a` is used twice"]);
}

#[test]
fn administrators_take_rights_away() {
    let google = Google::acme();
    let lena = json!({ "user": "lena" });
    let token = google.token("openid", Some("lena.fischer@acme.example"));
    let status = || google.send(call("GET /v1/userinfo").bearer(&token)).reply.status.as_u16();
    assert_eq!(status(), 200);
    let done = google.office.perform("google-identity.admin.revoke_tokens", "dana", &lena).expect("may");
    assert_eq!((&done["revoked"], status()), (&json!(1), 401));
    let token = google.token("openid", Some("lena.fischer@acme.example"));
    let status = || google.send(call("GET /v1/userinfo").bearer(&token)).reply.status.as_u16();
    assert_eq!(status(), 200, "new ones are not touched");
    google.office.perform("google-identity.admin.suspend_user", "dana", &lena).expect("may");
    assert_eq!(status(), 401);
}

#[test]
fn refusals_are_in_clear_words() {
    let google = Google::acme();
    let before = google.office.universe.view("google-identity", "accounts");
    let check = |verb: &str, actor: &str, with: Value, wanted: &str| {
        let verb = format!("google-identity.admin.{verb}");
        let refused = google.office.perform(&verb, actor, &with).expect_err("is refused");
        assert!(refused.contains(wanted), "{refused}");
    };
    let lena = || json!({ "user": "lena" });
    check("suspend_user", "lena", lena(), "lena.fischer@acme.example is not an administrator");
    check("suspend_user", "ghost", lena(), "nobody in the workspace is called `ghost`");
    check("suspend_user", "dana", json!({ "user": "ghost" }), "there is no person `ghost`");
    check("suspend_user", "dana", json!({ "user": "bea" }), "is suspended already");
    check("revoke_tokens", "dana", json!({}), "missing user");
    check("promote", "dana", lena(), "has no verb");
    assert_eq!(google.office.universe.view("google-identity", "accounts"), before);
}
