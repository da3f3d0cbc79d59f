//! What answers show depends on the kind of org.

use dtu_kernel::world::World;
use serde_json::{Value, json};

use crate::support::{ADMIN, Org, call, options};

/// An org of a kind: lines of the `okta` section.
pub(crate) fn org(kind: &str) -> Org {
    let text = format!(
        r#"schema: dtu/world/v1
name: tiny
epoch: "2026-03-02T09:00:00Z"
company: {{name: Tiny, domain: tiny.example, timezone: Europe/London}}
people:
  - {{key: ann, first: Ann, last: Lee, email: ann@tiny.example, admin: true}}
okta:
  tokens: [{{name: it, owner: ann, value: {ADMIN}}}]
{kind}"#
    );
    Org::of(World::parse("tiny.yaml", &text, &["okta"]).expect("is a world"), &options())
}

const KINDS: [&str; 3] = ["", "  engine: classic\n", "  governance: true\n"];

fn person(login: &str) -> Value {
    let profile = json!({ "firstName": "Bo", "lastName": "Day", "email": login, "login": login });
    json!({ "profile": profile, "credentials": { "password": { "value": "Tr0ubadour&3" } } })
}

fn check_each(what: &str, expected: [Value; 3], show: impl Fn(&Org) -> Value) {
    for (kind, expected) in KINDS.into_iter().zip(expected) {
        assert_eq!(show(&org(kind)), expected, "{what} of `{kind}`");
    }
}

#[test]
fn apps_show_what_the_org_has() {
    let body = json!({
        "name": "bookmark", "label": "Wiki", "signOnMode": "BOOKMARK",
        "settings": { "app": { "url": "https://wiki.example/" } },
    });
    let check = |pointer: &str, expected: [Value; 3]| {
        check_each(pointer, expected, |org| {
            let app = org.post("/api/v1/apps", &body).body;
            app.pointer(pointer).cloned().unwrap_or_else(|| json!("absent"))
        });
    };
    let absent = || json!("absent");
    check("/universalLogout", [Value::Null, absent(), json!({ "status": "UNSUPPORTED" })]);
    check("/settings/emOptInStatus", [absent(), absent(), json!("NONE")]);
    check("/settings/extendedProperties", [absent(), Value::Null, absent()]);
    check("/visibility/autoLaunch", [json!(false), absent(), json!(false)]);
    check("/_links/accessPolicy/hints", [absent(), absent(), absent()]);
    check("/_links/policies/hints/allow", [json!(["PUT"]), absent(), json!(["PUT"])]);
}

#[test]
fn people_show_what_the_org_has() {
    let check = |what: &str, query: &str, expected: [Value; 3], show: fn(&Value) -> Value| {
        check_each(what, expected, |org| {
            let call = call(&format!("POST /api/v1/users{query}")).json(&person("bo@tiny.example"));
            show(&org.check(call, 200).body)
        });
    };
    check("realm", "", [json!(false), json!(false), json!(true)], |user| json!(user["realmId"].is_string()));
    check("mail", "", [json!(true), json!(true), json!(false)], |user| json!(user["credentials"]["emails"].is_array()));
    check("reset link", "", [json!(true), json!(false), json!(true)], |user| {
        json!(user["_links"]["resetFactors"].is_object())
    });
    check("forgot link", "", [json!(true), json!(false), json!(true)], |user| {
        json!(user["_links"]["forgotPassword"].is_object())
    });
    check("status changed", "?activate=false", [json!(true), json!(false), json!(true)], |user| {
        json!(user["statusChanged"].is_string())
    });
}

#[test]
fn the_classic_engine_answers_in_its_own_way() {
    let check = |what: &str, expected: [Value; 3], show: fn(&Org, &str) -> Value| {
        check_each(what, expected, |org| {
            let call = call("POST /api/v1/users?activate=false").json(&person("bo@tiny.example"));
            show(org, org.check(call, 200).text("/id"))
        });
    };
    check("entity tag", [json!(true), json!(false), json!(true)], |org, id| {
        json!(!org.get(&format!("/api/v1/users/{id}")).header("etag").is_empty())
    });
    check("activation", [json!(false), json!(true), json!(false)], |org, id| {
        let got = org.check(call(&format!("POST /api/v1/users/{id}/lifecycle/activate?sendEmail=false")), 200);
        json!(got.text("/activationUrl").contains("/welcome/"))
    });
    check("temporary password", [json!(12), json!(8), json!(12)], |org, _| {
        let path = "POST /api/v1/users/ann@tiny.example/lifecycle/expire_password_with_temp_password";
        json!(org.check(call(path), 200).text("/tempPassword").len())
    });
}

#[test]
fn people_can_be_put_into_a_realm() {
    let org = org("  governance: true\n");
    let realm = org.post("/api/v1/realms", &json!({ "profile": { "name": "Partners" } })).text("/id").to_owned();
    let mut new = person("bo@tiny.example");
    new["realmId"] = json!(realm);
    let made = org.post("/api/v1/users", &new);
    assert_eq!(made.text("/realmId"), realm);
    let own = org.get("/api/v1/users/me").text("/realmId").to_owned();
    assert_ne!(own, realm);
    let moved = org.post(&format!("/api/v1/users/{}", made.text("/id")), &json!({ "realmId": own }));
    assert_eq!(moved.text("/realmId"), own);
    new["realmId"] = json!("guo00000000000000000");
    org.refuse(call("POST /api/v1/users").json(&new), 404, "E0000007", &[]);
}
