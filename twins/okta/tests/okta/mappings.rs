//! Mappings of profiles between people and apps.

use serde_json::{Value, json};

use crate::support::{Org, call};

/// A new bookmark app whose people have a nickname and a city there, with the address of the mapping to it.
fn app(org: &Org) -> (String, String) {
    let body = json!({
        "name": "bookmark", "label": "Maps", "signOnMode": "BOOKMARK",
        "settings": { "app": { "requestIntegration": false, "url": "https://acme.dev" } },
    });
    let app = org.check(call("POST /api/v1/apps").json(&body), 200).text("/id").to_owned();
    let text = |title: &str| json!({ "title": title, "type": "string" });
    let schema = json!({
        "definitions": { "custom": { "id": "#custom", "type": "object", "properties": {
            "nick": text("Nick"), "home": text("Home"),
        } } },
    });
    org.check(call(&format!("POST /api/v1/meta/schemas/apps/{app}/default")).json(&schema), 200);
    let found = org.get(&format!("/api/v1/mappings?targetId={app}"));
    assert_eq!(found.body.as_array().map(Vec::len), Some(1));
    (app, format!("/api/v1/mappings/{}", found.text("/0/id")))
}

fn change(at: &str, properties: &Value) -> crate::support::Call {
    call(&format!("POST {at}")).json(&json!({ "properties": properties }))
}

#[test]
fn each_app_has_a_mapping_either_way_as_long_as_it_is_there() {
    let org = Org::acme();
    let (app, to) = app(&org);
    assert_eq!(org.get(&to).body["properties"], json!({}));
    assert_eq!(org.get(&format!("/api/v1/mappings?sourceId={app}")).text("/0/target/type"), "user");
    org.check(call(&format!("POST /api/v1/apps/{app}/lifecycle/deactivate")), 200);
    org.check(call(&format!("DELETE /api/v1/apps/{app}")), 204);
    org.refuse(call(&format!("GET {to}")), 404, "E0000007", &[]);
}

#[test]
fn properties_are_added_changed_and_removed_one_by_one() {
    let org = Org::acme();
    let (_, to) = app(&org);
    let one = |expression: &str, push: &str| json!({ "expression": expression, "pushStatus": push });
    org.check(change(&to, &json!({ "nick": one("user.firstName", "PUSH") })), 200);
    let got = org.check(change(&to, &json!({ "home": one("user.city", "DONT_PUSH") })), 200);
    let both = json!({ "nick": one("user.firstName", "PUSH"), "home": one("user.city", "DONT_PUSH") });
    assert_eq!(got.body["properties"], both);
    let got = org.check(change(&to, &json!({ "nick": null, "home": one("user.state", "PUSH") })), 200);
    assert_eq!(got.body["properties"], json!({ "home": one("user.state", "PUSH") }));
    let refuse = |properties: Value, cause: &str| {
        org.refuse(change(&to, &properties), 400, "E0000001", &[cause]);
    };
    refuse(json!({ "other": one("user.city", "PUSH") }), "Invalid target field other");
    refuse(json!({ "home": one("user.", "PUSH") }), "Invalid expression for target field home");
    refuse(json!({ "home": one("user.city", "NOW") }), "Invalid pushStatus for target field home");
    assert_eq!(org.get(&to).body["properties"], json!({ "home": one("user.state", "PUSH") }));
}

#[test]
fn people_have_in_an_app_what_its_mapping_says() {
    let org = Org::acme();
    let (app, to) = app(&org);
    let both = json!({
        "nick": { "expression": "String.toUpperCase(user.firstName)", "pushStatus": "PUSH" },
        "home": { "expression": "user.firstName + '!'", "pushStatus": "DONT_PUSH" },
    });
    org.check(change(&to, &both), 200);
    let person = json!({ "profile": {
        "firstName": "Ann", "lastName": "Map", "email": "ann.map@acme.dev", "login": "ann.map@acme.dev",
    } });
    let person = org.check(call("POST /api/v1/users?activate=true").json(&person), 200).text("/id").to_owned();
    let got = org.check(call(&format!("POST /api/v1/apps/{app}/users")).json(&json!({ "id": person })), 200);
    let at = format!("/api/v1/apps/{app}/users/{person}");
    assert_eq!(org.get(&at).body["profile"], json!({ "home": "Ann!", "nick": "ANN" }), "{}", got.body);
    let renamed = json!({ "profile": { "firstName": "Bea" } });
    org.check(call(&format!("POST /api/v1/users/{person}")).json(&renamed), 200);
    assert_eq!(org.get(&at).body["profile"], json!({ "home": "Ann!", "nick": "BEA" }));
    org.check(call(&format!("POST {at}")).json(&json!({ "profile": { "nick": "B" } })), 200);
    assert_eq!(org.get(&at).body["profile"], json!({ "home": "Ann!", "nick": "B" }));
}
