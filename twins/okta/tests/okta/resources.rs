//! Resources that are served from the public documents, with what Okta does beside them.

use serde_json::{Value, json};

use crate::support::{Got, Org, call};

/// A collection, a body for a new object, what its id begins with, and members that it shows though nobody said them.
type Sample = (&'static str, Value, &'static str, Vec<(&'static str, Value)>);

fn hints(allow: &[&str]) -> Value {
    json!({ "allow": allow })
}

fn samples() -> Vec<Sample> {
    let own = hints(&["GET", "PUT", "DELETE"]);
    vec![
        (
            "/api/v1/iam/roles",
            json!({ "label": "Readers", "description": "They read", "permissions": ["okta.users.read"] }),
            "cr0",
            vec![("/isCloneable", json!(false))],
        ),
        (
            "/api/v1/iam/resource-sets",
            json!({ "label": "Apps", "description": "All apps", "resources": ["orn:okta:idp:00o:apps:bookmark:0oa1"] }),
            "iam",
            vec![],
        ),
        ("/api/v1/realms", json!({ "profile": { "name": "East" } }), "guo", vec![("/isDefault", json!(false))]),
        (
            "/api/v1/brands",
            json!({ "name": "Second brand" }),
            "bnd",
            vec![
                ("/isDefault", json!(false)),
                ("/customPrivacyPolicyUrl", Value::Null),
                ("/_links/self/hints", own.clone()),
            ],
        ),
        (
            "/api/v1/zones",
            json!({ "type": "IP", "name": "Office", "gateways": [{ "type": "CIDR", "value": "192.0.2.0/24" }] }),
            "nzo",
            vec![
                ("/status", json!("ACTIVE")),
                ("/usage", json!("POLICY")),
                ("/system", json!(false)),
                ("/proxies", Value::Null),
                ("/_links/self/hints", own.clone()),
                ("/_links/deactivate/hints", hints(&["POST"])),
            ],
        ),
        (
            "/api/v1/trustedOrigins",
            json!({ "name": "Shop", "origin": "https://shop.example", "scopes": [{ "type": "CORS" }] }),
            "tos",
            vec![("/status", json!("ACTIVE")), ("/_links/self/hints", own)],
        ),
    ]
}

fn more_samples() -> Vec<Sample> {
    let own = hints(&["GET", "PUT", "DELETE"]);
    vec![
        (
            "/api/v1/device-assurances",
            json!({ "name": "Phones", "platform": "ANDROID", "osVersion": { "minimum": "12" } }),
            "dae",
            vec![("/resourceDisplayName/value", json!("Phones")), ("/_links/self/hints", own.clone())],
        ),
        (
            "/api/v1/policies",
            json!({ "type": "OKTA_SIGN_ON", "name": "Staff", "description": "For staff" }),
            "00p",
            vec![("/system", json!(false)), ("/priority", json!(1)), ("/_links/rules/hints", hints(&["GET", "POST"]))],
        ),
        (
            "/api/v1/policies",
            json!({ "type": "ACCESS_POLICY", "name": "Shop apps", "description": "For the shop" }),
            "rst",
            vec![("/conditions", Value::Null), ("/_links/mappings/hints", hints(&["GET", "POST"]))],
        ),
        (
            "/api/v1/behaviors",
            json!({ "name": "Fast travel", "type": "VELOCITY", "settings": { "velocityKph": 900 } }),
            "bhv",
            vec![("/status", json!("ACTIVE")), ("/_links/self/hints", own)],
        ),
        (
            "/api/v1/meta/types/user",
            json!({ "name": "visitor", "displayName": "Visitor", "description": "Who visits" }),
            "oty",
            vec![
                ("/default", json!(false)),
                ("/_links/self/method", json!("GET")),
                ("/_links/schema/rel", json!("schema")),
            ],
        ),
        (
            "/api/v1/templates/sms",
            json!({ "name": "Code", "type": "SMS_VERIFY_CODE", "template": "Your code is ${code}" }),
            "cst",
            vec![],
        ),
    ]
}

fn create(org: &Org, collection: &str, body: &Value) -> Got {
    let got = org.send(call(&format!("POST {collection}")).json(body));
    assert!([200, 201].contains(&got.status), "{collection}: {} {}", got.status, got.body);
    got
}

#[test]
fn objects_look_like_okta_s() {
    let org = Org::acme();
    for (collection, body, prefix, shown) in samples().into_iter().chain(more_samples()) {
        let made = create(&org, collection, &body);
        let id = made.text("/id").to_owned();
        assert!(id.starts_with(prefix) && id.len() == 20, "{collection}: {id}");
        let got = org.get(&format!("{collection}/{id}"));
        for (at, expected) in shown {
            assert_eq!(made.body.pointer(at), Some(&expected), "{collection} made, {at}: {}", made.body);
            assert_eq!(got.body.pointer(at), Some(&expected), "{collection} read, {at}: {}", got.body);
        }
        if collection == "/api/v1/zones" {
            org.check(call(&format!("POST {collection}/{id}/lifecycle/deactivate")), 200);
        }
        org.check(call(&format!("DELETE {collection}/{id}")), 204);
        org.check(call(&format!("GET {collection}/{id}")), 404);
    }
}

#[test]
fn every_org_has_these_from_the_start() {
    let org = Org::acme();
    let check = |target: &str, at: &str, expected: &[&str]| {
        let found = org.get(target).column(at);
        assert!(expected.iter().all(|name| found.iter().any(|found| found == name)), "{target}: {found:?}");
    };
    check("/api/v1/zones", "/name", &["BlockedIpZone", "LegacyIpZone"]);
    check("/api/v1/authenticators", "/key", &["okta_email", "okta_password", "okta_verify", "phone_number"]);
    check("/api/v1/policies?type=PASSWORD", "/name", &["Default Policy"]);
    check("/api/v1/policies?type=ACCESS_POLICY", "/name", &["Any two factors"]);
    check("/api/v1/realms", "/profile/name", &["Default Realm"]);
    check("/api/v1/meta/types/user", "/name", &["user"]);
    check("/api/v1/behaviors", "/name", &["New City", "Velocity"]);
    assert_eq!(org.get("/api/v1/brands").body[0]["isDefault"], json!(true));
    assert_eq!(org.get("/api/v1/org").text("/status"), "ACTIVE");
    let brand = org.get("/api/v1/brands").column("/id").remove(0);
    check(&format!("/api/v1/brands/{brand}/templates/email"), "/name", &["UserActivation"]);
    assert_eq!(org.get(&format!("/api/v1/brands/{brand}/themes")).column("/primaryColorHex"), ["#1662dd"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let org = Org::acme();
    let first = |target: &str| org.get(target).column("/id").remove(0);
    let check = |line: &str, body: Option<Value>, code: &str, status: u16| {
        let sent = body.map_or_else(|| call(line), |body| call(line).json(&body));
        let got = org.check(sent, status);
        assert_eq!(got.text("/errorCode"), code, "{line}: {}", got.body);
    };
    let brand = first("/api/v1/brands");
    check(&format!("DELETE /api/v1/brands/{brand}"), None, "E0000200", 409);
    let policy = first("/api/v1/policies?type=PASSWORD");
    check(&format!("DELETE /api/v1/policies/{policy}"), None, "E0000001", 400);
    let role = json!({ "label": "Twice", "description": "Once", "permissions": ["okta.users.read"] });
    create(&org, "/api/v1/iam/roles", &role);
    check("POST /api/v1/iam/roles", Some(role), "E0000001", 400);
    let phone = json!({ "name": "Nothing asked", "platform": "IOS" });
    check("POST /api/v1/device-assurances", Some(phone), "E0000001", 400);
    let email = json!({ "key": "okta_email", "name": "Email", "type": "email" });
    check("POST /api/v1/authenticators", Some(email), "E0000001", 400);
    let captcha = json!({ "name": "One", "siteKey": "k", "secretKey": "s", "type": "HCAPTCHA" });
    create(&org, "/api/v1/captchas", &captcha);
    check("POST /api/v1/captchas", Some(captcha), "E0000166", 403);
    let mapping = first("/api/v1/mappings");
    let to =
        |field: &str| json!({ "properties": { field: { "expression": "appuser.userName", "pushStatus": "PUSH" } } });
    check(&format!("POST /api/v1/mappings/{mapping}"), Some(to("nowhere")), "E0000001", 400);
    let got = org.check(call(&format!("POST /api/v1/mappings/{mapping}")).json(&to("email")), 200);
    assert_eq!(got.text("/properties/email/pushStatus"), "PUSH");
    check("GET /api/v1/device-posture-checks", None, "E0000015", 401);
}

#[test]
fn permissions_and_resources_come_with_what_they_are_of() {
    let org = Org::acme();
    let role =
        json!({ "label": "Two", "description": "Two rights", "permissions": ["okta.users.read", "okta.apps.read"] });
    let id = create(&org, "/api/v1/iam/roles", &role).text("/id").to_owned();
    let all = org.get(&format!("/api/v1/iam/roles/{id}/permissions"));
    let labels: Vec<_> =
        all.body["permissions"].as_array().expect("is a list").iter().map(|one| &one["label"]).collect();
    assert_eq!(labels, ["okta.apps.read", "okta.users.read"], "the last comes first");
    let one = org.get(&format!("/api/v1/iam/roles/{id}/permissions/okta.users.read"));
    assert_eq!((one.text("/label"), one.body["conditions"].is_null()), ("okta.users.read", true));
}

#[test]
fn lists_are_narrowed_by_filters() {
    let org = Org::acme();
    let check = |target: &str, expected: usize| {
        assert_eq!(org.get(target).body.as_array().map(Vec::len), Some(expected), "{target}");
    };
    check("/api/v1/zones?filter=usage%20eq%20%22BLOCKLIST%22", 1);
    check("/api/v1/trustedOrigins?filter=status%20eq%20%22ACTIVE%22", 0);
    check("/api/v1/realms?search=profile.name%20sw%20%22Default%22", 1);
    check("/api/v1/brands?q=no%20such%20brand", 0);
    check("/api/v1/devices?search=status%20eq%20%22ACTIVE%22", 0);
    org.refuse(call("GET /api/v1/zones?filter=usage%20eq"), 400, "E0000031", &["Invalid search criteria."]);
}

#[test]
fn null_counts_as_not_sent() {
    let org = Org::acme();
    let body =
        json!({ "type": "OKTA_SIGN_ON", "name": "Nulls", "description": null, "conditions": null, "priority": null });
    create(&org, "/api/v1/policies", &body);
    let twisted = json!({ "type": "OKTA_SIGN_ON", "name": 7 });
    org.check(call("POST /api/v1/policies").json(&twisted), 400);
}
