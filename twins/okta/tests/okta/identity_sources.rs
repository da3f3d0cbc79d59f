//! Custom identity sources: what is uploaded becomes people and groups.

use std::time::Duration;

use dtu_kernel::world::World;
use serde_json::{Value, json};

use crate::support::{Org, call, options};

const SOURCE: &str = "/api/v1/identity-sources/0oaHrSourceOfAcme015";

/// An org with a source that its administrators had set up.
fn org() -> Org {
    let text = include_str!("../../../../fixtures/worlds/acme.yaml");
    let rows = "\n  identity_sources:\n    - {name: HR, id: 0oaHrSourceOfAcme015}\n  oauth_clients:\n";
    let text = text.replacen("\n  oauth_clients:\n", rows, 1);
    let world = World::parse("acme.yaml", &text, &["okta", "slack", "jira", "google"]).expect("is a good world");
    Org::of(world, &options())
}

#[test]
fn a_source_that_nobody_set_up_is_not_found() {
    let org = org();
    for path in ["sessions", "users/x", "groups/x", "groups/x/membership"] {
        let got = org.refuse(
            call(&format!("GET /api/v1/identity-sources/0oa1234567890abcd5d7/{path}")),
            404,
            "E0000007",
            &[],
        );
        assert!(got.text("/errorSummary").ends_with("0oa1234567890abcd5d7 (AppInstance)"), "{}", got.body);
    }
    let made = org.perform("okta.admin.add_identity_source", "dana", &json!({ "name": "Payroll" })).expect("is set up");
    let id = made["source"].as_str().expect("is text");
    assert_eq!(org.get(&format!("/api/v1/identity-sources/{id}/sessions")).body, json!([]));
    org.perform("okta.admin.add_identity_source", "lena", &json!({ "name": "Own" })).expect_err("is no administrator");
}

fn session(org: &Org) -> String {
    let got = org.check(call(&format!("POST {SOURCE}/sessions")), 201);
    assert_eq!((got.text("/status"), got.text("/importType")), ("CREATED", "INCREMENTAL"));
    format!("{SOURCE}/sessions/{}", got.text("/id"))
}

fn person(external: &str, login: &str) -> Value {
    json!({ "externalId": external, "profile": {
        "userName": login, "email": login, "firstName": "New", "lastName": external, "homeAddress": "Somewhere 1",
    } })
}

fn upload(org: &Org, session: &str, verb: &str, body: &Value) {
    org.check(call(&format!("POST {session}/{verb}")).json(body), 202);
}

fn status(org: &Org, session: &str) -> String {
    org.get(session).text("/status").to_owned()
}

async fn import(org: &Org, uploads: &[(&str, Value)]) -> String {
    let session = session(org);
    for (verb, body) in uploads {
        upload(org, &session, verb, body);
    }
    assert_eq!(status(org, &session), "IN_PROGRESS");
    let got = org.check(call(&format!("POST {session}/start-import")), 200);
    assert_eq!(got.text("/status"), "TRIGGERED");
    org.universe.advance(Duration::from_secs(10)).await;
    session
}

#[tokio::test]
async fn what_is_uploaded_is_imported_a_moment_later() {
    let org = org();
    let people = json!({ "entityType": "USERS", "profiles": [
        person("e1", "ada.new@acme.example"), person("e2", "bob.new@acme.example"),
        person("e3", "lena.fischer@acme.example"),
    ] });
    let groups = json!({ "profiles": [
        { "externalId": "g1", "profile": { "displayName": "Payroll", "description": "Who is paid" } },
        { "externalId": "g2", "profile": { "displayName": "Leavers" } },
    ] });
    let members = json!({ "memberships": [{ "groupExternalId": "g1", "memberExternalIds": ["e1", "e3", "nobody"] }] });
    // Memberships may come first: people and groups are there before them all the same.
    let done = import(
        &org,
        &[("bulk-group-memberships-upsert", members), ("bulk-upsert", people), ("bulk-groups-upsert", groups)],
    )
    .await;
    assert_eq!(status(&org, &done), "COMPLETED");
    let ada = org.get("/api/v1/users/ada.new@acme.example");
    assert_eq!(ada.text("/credentials/provider/type"), "IMPORT");
    let own = org.get(&format!("{SOURCE}/users/e1"));
    assert_eq!((own.text("/id"), own.text("/profile/homeAddress")), (ada.text("/id"), "Somewhere 1"));
    let lena = org.get(&format!("{SOURCE}/users/e3"));
    assert_eq!(lena.text("/id"), org.id("lena.fischer"), "whoever is there already is linked");
    let group = org.get(&format!("{SOURCE}/groups/g1"));
    let whole = org.get(&format!("/api/v1/groups/{}", group.text("/id")));
    assert_eq!((whole.text("/type"), whole.text("/profile/name")), ("APP_GROUP", "Payroll"));
    assert_eq!(whole.text("/source/id"), "0oaHrSourceOfAcme015");
    let found = org.get("/api/v1/groups?search=source.id+eq+%220oaHrSourceOfAcme015%22");
    assert_eq!(found.column("/profile/name"), ["Leavers", "Payroll"]);
    let mut inside = org.get(&format!("/api/v1/groups/{}/users", group.text("/id"))).column("/profile/login");
    inside.sort();
    assert_eq!(inside, ["ada.new@acme.example", "lena.fischer@acme.example"]);
    let events = org.events();
    let count = |name: &str| events.get(name).copied().unwrap_or_default();
    assert_eq!((count("system.import.start"), count("system.import.complete")), (1, 1));
    assert_eq!((count("system.import.user.create"), count("system.import.group.create")), (3, 2));
    let refused =
        org.check(call(&format!("PUT /api/v1/groups/{}/users/{}", group.text("/id"), org.id("zoe.oneill"))), 403);
    assert_eq!(refused.text("/errorCode"), "E0000006", "what an app brings it alone changes");

    let gone = [
        ("bulk-delete", json!({ "entityType": "USERS", "profiles": [{ "externalId": "e2" }, { "externalId": "zz" }] })),
        ("bulk-groups-delete", json!({ "externalIds": ["g2"] })),
        (
            "bulk-group-memberships-delete",
            json!({ "memberships": [{ "groupExternalId": "g1", "memberExternalIds": ["e3"] }] }),
        ),
    ];
    import(&org, &gone).await;
    assert_eq!(org.get("/api/v1/users/bob.new@acme.example").text("/status"), "DEPROVISIONED");
    org.check(call(&format!("GET {SOURCE}/users/e2")), 404);
    org.check(call(&format!("GET {SOURCE}/groups/g2")), 404);
    let left = org.get(&format!("{SOURCE}/groups/g1/membership"));
    assert_eq!(left.body, json!({ "memberExternalIds": ["e1"] }));
    let all = org.get(&format!("{SOURCE}/sessions"));
    assert_eq!(all.column("/status"), ["COMPLETED", "COMPLETED"]);
}

#[tokio::test]
async fn sessions_go_from_status_to_status() {
    let org = org();
    let people = json!({ "entityType": "USERS", "profiles": [person("e1", "ada.new@acme.example")] });
    let refuse = |session: &str, verb: &str, body: Option<&Value>, wanted: &str| {
        let line = call(&format!("POST {session}/{verb}"));
        let line = body.map_or(line.clone(), |body| line.json(body));
        let id = session.rsplit('/').next().expect("has an id");
        let cause = format!("Session={id} should be in {wanted} status in order to be processed");
        org.refuse(line, 400, "E0000001", &[&cause]);
    };
    let idle = session(&org);
    refuse(&idle, "start-import", None, "IN_PROGRESS");
    // People of whom the source never told are nothing to do.
    upload(&org, &idle, "bulk-delete", &json!({ "entityType": "USERS", "profiles": [{ "externalId": "zz" }] }));
    assert_eq!(status(&org, &idle), "CREATED");
    let closed = session(&org);
    upload(&org, &closed, "bulk-upsert", &people);
    org.check(call(&format!("DELETE {closed}")), 204);
    assert_eq!(status(&org, &closed), "CLOSED");
    refuse(&closed, "bulk-upsert", Some(&people), "CREATED or IN_PROGRESS");
    org.universe.advance(Duration::from_secs(24 * 60 * 60 + 1)).await;
    assert_eq!(status(&org, &idle), "EXPIRED");
    refuse(&idle, "bulk-upsert", Some(&people), "CREATED or IN_PROGRESS");
    let done = import(&org, &[("bulk-upsert", people.clone())]).await;
    refuse(&done, "start-import", None, "IN_PROGRESS");
    org.check(call(&format!("GET {SOURCE}/sessions/aps404")), 404);
    org.check(call("GET /api/v1/identity-sources/unknown/sessions"), 404);
}

#[test]
fn uploads_are_checked() {
    let org = org();
    let session = session(&org);
    let check = |verb: &str, body: Value, cause: &str| {
        org.refuse(call(&format!("POST {session}/{verb}")).json(&body), 400, "E0000001", &[cause]);
    };
    let many: Vec<Value> = (0..201).map(|at| person(&format!("e{at}"), &format!("p{at}@acme.example"))).collect();
    let people =
        |profile: Value| json!({ "entityType": "USERS", "profiles": [{ "externalId": "e", "profile": profile }] });
    let most = "The number of entries must be between 1 and 200";
    check("bulk-upsert", json!({ "entityType": "USERS", "profiles": many }), &format!("profiles: {most}"));
    check("bulk-upsert", json!({ "entityType": "USERS" }), "profiles: The field cannot be left blank");
    check(
        "bulk-upsert",
        json!({ "entityType": "GROUPS", "profiles": [] }),
        "entityType: The field has an invalid value",
    );
    check("bulk-upsert", people(json!({ "shoe": "42" })), "Property name 'shoe' is not defined in profile");
    check("bulk-upsert", people(json!({ "email": "nothing" })), "email: Does not match required pattern");
    check("bulk-upsert", people(json!({ "firstName": "x".repeat(51) })), "firstName: The field is too long");
    check(
        "bulk-delete",
        json!({ "entityType": "USERS", "profiles": [{}] }),
        "profiles[0].externalId: The field cannot be left blank",
    );
    check("bulk-groups-delete", json!({ "externalIds": [] }), "externalIds: The field cannot be left blank");
    check(
        "bulk-group-memberships-upsert",
        json!({ "memberships": [{ "groupExternalId": "g" }] }),
        "memberExternalIds: The field cannot be left blank",
    );
}

#[tokio::test]
async fn an_entry_that_cannot_be_done_is_told_and_the_rest_is_done() {
    let org = org();
    let people = json!({ "entityType": "USERS", "profiles": [
        { "externalId": "half", "profile": { "userName": "half@acme.example" } },
        person("whole", "whole@acme.example"),
    ] });
    let done = import(&org, &[("bulk-upsert", people)]).await;
    assert_eq!(status(&org, &done), "COMPLETED");
    org.check(call("GET /api/v1/users/half@acme.example"), 404);
    org.get("/api/v1/users/whole@acme.example");
    let failed =
        org.get("/api/v1/logs?filter=eventType+eq+%22system.import.user.create%22+and+outcome.result+eq+%22FAILURE%22");
    assert_eq!(failed.text("/0/target/0/displayName"), "half");
}

#[test]
fn people_and_groups_change_one_by_one() {
    let org = org();
    let users = format!("{SOURCE}/users");
    org.post(&users, &person("e1", "ada.new@acme.example"));
    org.refuse(
        call(&format!("POST {users}")).json(&person("e1", "other@acme.example")),
        400,
        "E0000001",
        &["externalId: An object with this field already exists in the current organization"],
    );
    let without = json!({ "externalId": "e9", "profile": { "userName": "x@acme.example", "email": "x@acme.example" } });
    org.refuse(
        call(&format!("POST {users}")).json(&without),
        400,
        "E0000001",
        &["firstName: The field cannot be left blank"],
    );
    let patched =
        org.check(call(&format!("PATCH {users}/e1")).json(&json!({ "profile": { "firstName": "Ada" } })), 200);
    assert_eq!((patched.text("/profile/firstName"), patched.text("/profile/homeAddress")), ("Ada", "Somewhere 1"));
    assert_eq!(org.get("/api/v1/users/ada.new@acme.example").text("/profile/firstName"), "Ada");
    let mut whole = person("e1", "ada.new@acme.example");
    whole["profile"].as_object_mut().expect("is one").shift_remove("homeAddress");
    let replaced = org.check(call(&format!("PUT {users}/e1")).json(&whole), 200);
    assert_eq!(replaced.body.pointer("/profile/homeAddress"), Some(&Value::Null));
    org.refuse(
        call(&format!("PUT {users}/e1")).json(&person("e2", "ada.new@acme.example")),
        400,
        "E0000001",
        &["externalId: The field cannot be changed"],
    );

    let groups = format!("{SOURCE}/groups");
    let made = org.post(&groups, &json!({ "externalId": "g1", "profile": { "displayName": "Crew" } }));
    let changed =
        org.post(&format!("{groups}/{}", made.text("/id")), &json!({ "profile": { "displayName": "Crew two" } }));
    assert_eq!((changed.text("/externalId"), changed.text("/profile/displayName")), ("g1", "Crew two"));
    org.check(call(&format!("POST {groups}/g1/membership")).json(&json!({ "memberExternalId": "e1" })), 204);
    org.check(call(&format!("POST {groups}/g1/membership")).json(&json!({ "memberExternalId": "e7" })), 404);
    let page = org.get(&format!("{groups}/g1/membership?limit=1"));
    assert_eq!((page.body["memberExternalIds"].as_array().map(Vec::len), page.link("next")), (Some(1), None));
    org.check(call(&format!("DELETE {groups}/g1/membership/e1")), 204);
    assert_eq!(org.get(&format!("{groups}/g1/membership")).body, json!({ "memberExternalIds": [] }));
    org.check(call(&format!("DELETE {groups}/g1")), 204);
    org.check(call(&format!("GET /api/v1/groups/{}", made.text("/id"))), 404);
    org.check(call(&format!("DELETE {users}/e1")), 204);
    assert_eq!(org.get("/api/v1/users/ada.new@acme.example").text("/status"), "DEPROVISIONED");
    // Whoever comes back is who they were.
    org.post(&users, &person("e1", "ada.new@acme.example"));
    assert_ne!(org.get("/api/v1/users/ada.new@acme.example").text("/status"), "DEPROVISIONED");
}
