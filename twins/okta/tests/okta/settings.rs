//! Zones, trusted origins, identity providers, authenticators, inline hooks and log streams.

use serde_json::{Value, json};

use crate::support::{Org, call};

fn zone(name: &str) -> Value {
    json!({ "type": "IP", "name": name, "gateways": [{ "type": "CIDR", "value": "192.0.2.0/24" }] })
}

fn origin(name: &str, url: &str) -> Value {
    json!({ "name": name, "origin": url, "scopes": [{ "type": "CORS" }] })
}

fn provider(name: &str) -> Value {
    json!({
        "type": "GOOGLE", "name": name,
        "protocol": {
            "type": "OIDC", "scopes": ["openid"],
            "credentials": { "client": { "client_id": "id", "client_secret": "not-a-real-secret" } },
        },
        "policy": {
            "provisioning": {
                "action": "AUTO", "profileMaster": true, "groups": { "action": "NONE" },
                "conditions": { "deprovisioned": { "action": "NONE" }, "suspended": { "action": "NONE" } },
            },
            "accountLink": { "action": "AUTO" },
            "subject": { "userNameTemplate": { "template": "idpuser.email" }, "matchType": "USERNAME" },
        },
    })
}

fn hook(name: &str) -> Value {
    json!({
        "name": name, "type": "com.okta.oauth2.tokens.transform", "version": "1.0.0",
        "channel": { "type": "HTTP", "version": "1.0.0", "config": { "uri": "https://hooks.example/in", "method": "POST" } },
    })
}

fn stream(name: &str) -> Value {
    json!({
        "type": "aws_eventbridge", "name": name,
        "settings": { "accountId": "123456789012", "eventSourceName": "o", "region": "us-east-1" },
    })
}

fn make(org: &Org, collection: &str, body: &Value) -> String {
    let got = org.send(call(&format!("POST {collection}")).json(body));
    assert!([200, 201].contains(&got.status), "{collection}: {}", got.body);
    got.text("/id").to_owned()
}

/// A collection, the body of an object of a name, what its events begin with, and how they end for the five deeds.
type Kind = (&'static str, fn(&str) -> Value, &'static str, [&'static str; 5]);

const PRESENT: [&str; 5] = ["create", "update", "deactivate", "activate", "delete"];
const PAST: [&str; 5] = ["created", "updated", "deactivated", "activated", "deleted"];

const KINDS: &[Kind] = &[
    ("/api/v1/zones", zone, "zone", PRESENT),
    (
        "/api/v1/trustedOrigins",
        |name| origin(name, &format!("https://{name}.example")),
        "security.trusted_origin",
        PRESENT,
    ),
    ("/api/v1/idps", provider, "system.idp.lifecycle", PRESENT),
    ("/api/v1/inlineHooks", hook, "inline_hook", PAST),
    ("/api/v1/logStreams", stream, "system.log_stream.lifecycle", PRESENT),
];

#[test]
fn each_deed_is_in_the_log_once() {
    for (collection, body, family, deeds) in KINDS {
        let org = Org::acme();
        let id = make(&org, collection, &body("first"));
        org.check(call(&format!("PUT {collection}/{id}")).json(&body("second")), 200);
        for verb in ["deactivate", "activate", "deactivate"] {
            let got = org.send(call(&format!("POST {collection}/{id}/lifecycle/{verb}")));
            assert!([200, 204].contains(&got.status), "{collection}: {}", got.body);
        }
        assert_eq!(org.get(&format!("{collection}/{id}")).text("/status"), "INACTIVE", "{collection}");
        org.check(call(&format!("DELETE {collection}/{id}")), 204);
        let events = org.events();
        for (deed, times) in deeds.iter().zip([1, 1, 2, 1, 1]) {
            assert_eq!(events.get(&format!("{family}.{deed}")), Some(&times), "{deed}: {events:?}");
        }
        org.check(call(&format!("GET {collection}/{id}")), 404);
    }
}

#[test]
fn names_are_there_and_nobody_else_s() {
    for (collection, body, ..) in KINDS {
        let org = Org::acme();
        let first = make(&org, collection, &body("first"));
        let refused = |line: &str, body: &Value| {
            let got = org.check(call(line).json(body), 400);
            assert_eq!((got.text("/errorCode"), got.causes().len()), ("E0000001", 1), "{line}: {}", got.body);
            assert!(got.causes()[0].starts_with("name: "), "{line}: {}", got.body);
        };
        // Streams and providers may have the name of another: the latter is recorded.
        if !["/api/v1/logStreams", "/api/v1/idps"].contains(collection) {
            refused(&format!("POST {collection}"), &body("first"));
        }
        org.check(call(&format!("PUT {collection}/{first}")).json(&body("first")), 200);
        assert_eq!(org.get(&format!("{collection}/{first}")).text("/status"), "ACTIVE", "{collection}");
    }
}

#[test]
fn zones_in_use_stay() {
    let org = Org::acme();
    let zones = "/api/v1/zones";
    let id = make(&org, zones, &zone("Office"));
    let active = |name: &str| format!("The zone: {name} is an active zone. Active zones cannot be deleted.");
    let got = org.refuse(call(&format!("DELETE {zones}/{id}")), 400, "E0000001", &[&format!("id: {}", active(&id))]);
    assert_eq!(got.text("/errorSummary"), format!("Api validation failed: {}", active("Office")));
    let policy = make(&org, "/api/v1/policies", &json!({ "type": "OKTA_SIGN_ON", "name": "A" }));
    let rules = format!("/api/v1/policies/{policy}/rules");
    let body = json!({ "name": "R", "conditions": { "network": { "connection": "ZONE", "include": [id] } } });
    let rule = make(&org, &rules, &body);
    let cause = "The zone is used by a rule of the policy 'A'.";
    org.refuse(call(&format!("POST {zones}/{id}/lifecycle/deactivate")), 400, "E0000001", &[cause]);
    org.check(call(&format!("DELETE {rules}/{rule}")), 204);
    org.check(call(&format!("POST {zones}/{id}/lifecycle/deactivate")), 200);
    org.check(call(&format!("DELETE {zones}/{id}")), 204);
    let system = org.get(&format!("{zones}?filter=system+eq+true"));
    org.refuse(
        call(&format!("DELETE {zones}/{}", system.text("/0/id"))),
        400,
        "E0000001",
        &["System zones cannot be deleted."],
    );
    let mut bad = zone("Bad");
    bad["gateways"][0]["value"] = json!("192.0.2.0/99");
    org.refuse(
        call(&format!("POST {zones}")).json(&bad),
        400,
        "E0000001",
        &["gateways: '192.0.2.0/99' is no valid address range."],
    );
    let other = make(&org, zones, &zone("Other"));
    let changed = json!({ "type": "DYNAMIC", "name": "Other" });
    let cause = "type: The type of a network zone cannot be changed.";
    org.refuse(call(&format!("PUT {zones}/{other}")).json(&changed), 400, "E0000001", &[cause]);
}

#[test]
fn origins_have_a_scheme_and_a_host() {
    let org = Org::acme();
    let refuse = |body: &Value| {
        let cause = "origin: The origin must be a URL with a scheme and a host.";
        org.refuse(call("POST /api/v1/trustedOrigins").json(body), 400, "E0000001", &[cause]);
    };
    refuse(&origin("A", "shop.example"));
    refuse(&origin("A", "https://"));
    make(&org, "/api/v1/trustedOrigins", &origin("A", "https://shop.example"));
    let again = origin("B", "https://shop.example");
    let got = org.check(call("POST /api/v1/trustedOrigins").json(&again), 400);
    assert!(got.causes()[0].starts_with("origin: "), "{}", got.body);
}

#[test]
fn providers_that_rules_send_people_to_stay() {
    let org = Org::acme();
    let id = make(&org, "/api/v1/idps", &provider("Google"));
    let discovery = org.get("/api/v1/policies?type=IDP_DISCOVERY");
    let rules = format!("/api/v1/policies/{}/rules", discovery.text("/0/id"));
    let body = |id: &str| json!({ "name": "R", "type": "IDP_DISCOVERY", "actions": { "idp": { "providers": [{ "type": "GOOGLE", "id": id }] } } });
    let cause = "actions.idp.providers: Invalid id 'nobody' specified.";
    org.refuse(call(&format!("POST {rules}")).json(&body("nobody")), 400, "E0000001", &[cause]);
    let rule = make(&org, &rules, &body(&id));
    let cause = "The identity provider is used by a rule of the policy 'Idp Discovery Policy'.";
    org.refuse(call(&format!("DELETE /api/v1/idps/{id}")), 400, "E0000001", &[cause]);
    org.check(call(&format!("DELETE {rules}/{rule}")), 204);
    org.check(call(&format!("DELETE /api/v1/idps/{id}")), 204);
}

#[test]
fn providers_have_keys_and_requests_of_their_own() {
    let org = Org::acme();
    let [one, two] = ["One", "Two"].map(|name| make(&org, "/api/v1/idps", &provider(name)));
    let keys = |id: &str| format!("/api/v1/idps/{id}/credentials/keys");
    let made = org.check(call(&format!("POST {}/generate?validityYears=2", keys(&one))), 201);
    assert_eq!((made.text("/kty"), made.text("/use"), made.text("/e")), ("RSA", "sig", "AQAB"));
    let kid = made.text("/kid");
    assert_eq!(org.get(&format!("{}/{kid}", keys(&one))).body, made.body);
    assert_eq!(org.get(&keys(&one)).body, json!([made.body]));
    assert_eq!(org.get(&format!("{}/active", keys(&one))).body, json!([]));
    let copy = org.check(call(&format!("POST {}/{kid}/clone?targetIdpId={two}", keys(&one))), 201);
    assert_eq!(copy.body, made.body);
    assert_eq!(org.get(&format!("{}/{kid}", keys(&two))).body, made.body);
    let years = org.check(call(&format!("POST {}/generate?validityYears=11", keys(&one))), 400);
    assert_eq!(years.text("/errorCode"), "E0000001");
    for line in [format!("GET {}/nothing", keys(&one)), format!("POST {}/{kid}/clone?targetIdpId=nothing", keys(&one))]
    {
        assert_eq!(org.check(call(&line), 404).text("/errorCode"), "E0000007", "{line}");
    }
    let csrs = format!("/api/v1/idps/{one}/credentials/csrs");
    let body = json!({ "subject": { "commonName": "SP" }, "subjectAltNames": { "dnsNames": ["sp.example"] } });
    let made = org.check(call(&format!("POST {csrs}")).json(&body), 201);
    let own = format!("{csrs}/{}", made.text("/id"));
    assert!(made.header("location").ends_with(&own), "{}", made.header("location"));
    assert_eq!(org.get(&own).body, made.body);
    assert_eq!(org.get(&csrs).body, json!([made.body]));
    org.check(call(&format!("DELETE {own}")), 204);
    org.check(call(&format!("GET {own}")), 404);
    org.check(call(&format!("DELETE /api/v1/idps/{one}")), 204);
    org.check(call(&format!("GET {}", keys(&one))), 404);
}

#[test]
fn authenticators_that_people_must_enrol_stay_active() {
    let org = Org::acme();
    let list = "/api/v1/authenticators";
    let of = |key: &str| {
        let got = org.get(list);
        let rows = got.body.as_array().expect("is a list").clone();
        rows.iter().find(|row| row["key"] == key).expect("is there")["id"].as_str().expect("is text").to_owned()
    };
    let change = |key: &str, verb: &str, status: u16| {
        org.check(call(&format!("POST {list}/{}/lifecycle/{verb}", of(key))), status).text("/errorCode").to_owned()
    };
    assert_eq!(change("okta_password", "deactivate", 403), "E0000148");
    assert_eq!(change("okta_email", "deactivate", 403), "E0000148");
    change("security_question", "deactivate", 200);
    change("security_question", "activate", 200);
    let phone = of("phone_number");
    let body = |status: &str| json!({ "key": "phone_number", "name": "Phone", "type": "phone", "status": status });
    let put = |body: &Value, status: u16| org.check(call(&format!("PUT {list}/{phone}")).json(body), status);
    put(&body("INACTIVE"), 200);
    assert_eq!(put(&body("ACTIVE"), 400).text("/errorCode"), "E0000226");
    let mut calls = hook("Calls");
    calls["type"] = json!("com.okta.telephony.provider");
    make(&org, "/api/v1/inlineHooks", &calls);
    put(&body("ACTIVE"), 200);
    let make = |query: &str, key: &str| {
        let body = json!({ "key": key, "name": key, "type": "app" });
        org.check(call(&format!("POST {list}{query}")).json(&body), 200).text("/status").to_owned()
    };
    assert_eq!([make("", "google_otp"), make("?activate=false", "onprem_mfa")], ["ACTIVE", "INACTIVE"]);
    let events = org.events();
    assert_eq!(events.get("security.authenticator.lifecycle.create"), Some(&2), "{events:?}");
    assert_eq!(events.get("security.authenticator.lifecycle.update"), Some(&2), "{events:?}");
    assert_eq!(events.get("security.authenticator.lifecycle.deactivate"), Some(&1), "{events:?}");
}

#[test]
fn active_inline_hooks_are_not_deleted() {
    let org = Org::acme();
    let id = make(&org, "/api/v1/inlineHooks", &hook("Claims"));
    let cause = "An active inline hook cannot be deleted. Deactivate it first.";
    org.refuse(call(&format!("DELETE /api/v1/inlineHooks/{id}")), 400, "E0000001", &[cause]);
    let part = json!({ "name": "Claims 2", "type": "com.okta.oauth2.tokens.transform", "version": "1.0.1" });
    let got = org.check(call(&format!("POST /api/v1/inlineHooks/{id}")).json(&part), 200);
    assert_eq!((got.text("/name"), got.text("/channel/config/uri")), ("Claims 2", "https://hooks.example/in"));
}
