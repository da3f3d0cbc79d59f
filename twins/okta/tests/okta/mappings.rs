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
    refuse(json!({ "home": one("user.shoeSize", "PUSH") }), "Invalid expression for target field home");
    refuse(json!({ "home": one("appuser.userName", "PUSH") }), "Invalid expression for target field home");
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

#[test]
fn mappings_are_listed_by_either_end_and_in_pages() {
    let org = Org::acme();
    let (app, to) = app(&org);
    let all = org.get("/api/v1/mappings?limit=200").column("/id");
    let mut seen = Vec::new();
    let mut next = Some("/api/v1/mappings?limit=3".to_owned());
    while let Some(target) = next {
        let got = org.get(&target);
        seen.extend(got.column("/id"));
        next = got.link("next");
    }
    assert_eq!((&seen, seen.len() > 3), (&all, true));
    let people = org.get(&to).text("/source/id").to_owned();
    let by = |query: &str| org.get(&format!("/api/v1/mappings?{query}")).column("/id");
    assert_eq!(by(&format!("sourceId={people}&targetId={app}")), [to.rsplit('/').next().expect("has an id")]);
    assert_eq!(by(&format!("sourceId={app}&targetId={app}")), Vec::<String>::new());
    assert_eq!(by("sourceId=0oanothing"), Vec::<String>::new());
    assert!(
        org.get(&to).body["properties"].is_object() && org.get("/api/v1/mappings").body[0].get("properties").is_none()
    );
    org.refuse(call("GET /api/v1/mappings/prmnothing"), 404, "E0000007", &[]);
    org.refuse(change("/api/v1/mappings/prmnothing", &json!({})), 404, "E0000007", &[]);
}

#[test]
fn an_import_brings_what_the_mapping_from_the_app_says() {
    let org = Org::acme();
    let (app, _) = app(&org);
    let from = format!("/api/v1/mappings/{}", org.get(&format!("/api/v1/mappings?sourceId={app}")).text("/0/id"));
    let one = |expression: &str, push: &str| json!({ "expression": expression, "pushStatus": push });
    let refuse = |properties: Value, cause: &str| {
        org.refuse(change(&from, &properties), 400, "E0000001", &[cause]);
    };
    refuse(json!({ "shoeSize": one("appuser.email", "PUSH") }), "Invalid target field shoeSize");
    refuse(json!({ "title": one("user.title", "PUSH") }), "Invalid expression for target field title");
    refuse(json!({ "title": one("appuser.shoeSize", "PUSH") }), "Invalid expression for target field title");
    let properties = json!({
        "nickName": one("String.toUpperCase(appuser.userName)", "PUSH"),
        "displayName": one("appuser.lastName + ', ' + source.firstName", "DONT_PUSH"),
    });
    org.check(change(&from, &properties), 200);
    let person =
        |first: &str, email: &str| json!({ "userName": first, "firstName": first, "lastName": "New", "email": email });
    let users = [person("noa", "noa@acme.example"), person("len", "lena.fischer@acme.example")];
    let before = org.get("/api/v1/users/lena.fischer@acme.example");
    org.perform("okta.admin.import_users", "dana", &json!({ "app": "Maps", "users": users })).expect("is begun");
    let noa = org.get("/api/v1/users/noa@acme.example");
    assert_eq!((noa.text("/profile/nickName"), noa.text("/profile/displayName")), ("NOA", "New, noa"));
    let lena = org.get("/api/v1/users/lena.fischer@acme.example");
    assert_eq!(lena.text("/profile/nickName"), "LEN", "what is pushed is written to whoever is linked");
    assert_eq!(lena.text("/profile/displayName"), before.text("/profile/displayName"));
    assert_eq!(lena.text("/profile/firstName"), "Lena");
}
