//! What answers look like, over many resources at once.

use serde_json::{Value, json};

use crate::support::{Org, call};

const KEYS: &str = "/api/v1/idps/credentials/keys";
const RSA: &str = include_str!("../../../../fixtures/keys/provider-rsa.cert.pem");
const ELLIPTIC: &str = include_str!("../../../../fixtures/keys/provider-ec.cert.pem");

fn body(pem: &str) -> Value {
    let text: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
    json!({ "x5c": [text.join("\n")] })
}

#[test]
fn certificates_say_what_a_provider_s_key_is() {
    let org = Org::acme();
    let check = |pem: &str, shown: &[(&str, &str)], drawn: &[(&str, usize)]| {
        let sent = body(pem);
        let made = org.check(call(&format!("POST {KEYS}")).json(&sent), 200);
        assert_eq!(made.body["x5c"], sent["x5c"], "as it was sent");
        for (at, expected) in shown {
            assert_eq!(made.text(at), *expected, "{at}: {}", made.body);
        }
        for (at, length) in drawn {
            assert_eq!(made.text(at).len(), *length, "{at}: {}", made.body);
        }
        let read = org.get(&format!("{KEYS}/{}", made.text("/kid")));
        assert_eq!(read.body, made.body);
        made
    };
    let drawn = [("/kid", 36), ("/n", 342), ("/x5t#S256", 43), ("/expiresAt", 24), ("/created", 24)];
    let made = check(RSA, &[("/kty", "RSA"), ("/e", "AQAB"), ("/use", "sig")], &drawn);
    assert!(made.body.get("crv").is_none() && made.body.get("alg").is_none());
    let made = check(ELLIPTIC, &[("/kty", "EC"), ("/crv", "P-256")], &[("/x", 43), ("/y", 43), ("/x5t#S256", 43)]);
    assert!(made.body.get("n").is_none());
    let kid = made.text("/kid");
    let other = org.check(call(&format!("PUT {KEYS}/{kid}")).json(&body(RSA)), 200);
    assert_eq!((other.text("/kid"), other.text("/kty")), (kid, "RSA"));
}

#[test]
fn certificates_that_cannot_be_read_are_refused() {
    let org = Org::acme();
    let unreadable = &["x5c: The certificate could not be read."];
    for text in ["", "not base64!", "AAEC", &RSA[30..90]] {
        org.refuse(call(&format!("POST {KEYS}")).json(&json!({ "x5c": [text] })), 400, "E0000001", unreadable);
    }
    assert_eq!(org.get(KEYS).body, json!([]));
}

#[test]
fn keys_that_a_provider_is_believed_by_stay() {
    let org = Org::acme();
    let kid = org.post(KEYS, &body(RSA)).text("/kid").to_owned();
    let provider = json!({
        "type": "SAML2", "name": "Theirs",
        "protocol": {
            "type": "SAML2",
            "endpoints": { "sso": { "binding": "HTTP-POST", "url": "https://idp.example/sso" } },
            "credentials": { "trust": { "issuer": "https://idp.example", "audience": "urn:own", "kid": kid } },
        },
        "policy": {
            "accountLink": { "action": "AUTO" },
            "provisioning": { "action": "AUTO", "groups": { "action": "NONE" } },
            "subject": { "userNameTemplate": { "template": "idpuser.email" }, "matchType": "USERNAME" },
        },
    });
    let id = org.post("/api/v1/idps", &provider).text("/id").to_owned();
    let remove = || call(&format!("DELETE {KEYS}/{kid}"));
    org.refuse(remove(), 400, "E0000001", &["kid: The key is used by an identity provider."]);
    org.check(call(&format!("DELETE /api/v1/idps/{id}")), 204);
    org.check(remove(), 204);
}

#[test]
fn pages_larger_than_there_are_are_cut_everywhere() {
    let org = Org::acme();
    let check = |path: &str, most: &str| {
        let link = org.get(&format!("{path}?limit=20000")).link("self").unwrap_or_default();
        assert!(link.contains(&format!("limit={most}")), "{path}: {link}");
    };
    for path in ["users", "groups/rules", "apps", "brands", "idps", "logStreams", "trustedOrigins", "mappings"] {
        check(&format!("/api/v1/{path}"), "200");
    }
    check("/api/v1/groups", "10000");
    for path in ["users", "idps", "brands"] {
        let cause = ["limit: The field has an invalid value"];
        org.refuse(call(&format!("GET /api/v1/{path}?limit=0")), 400, "E0000001", &cause);
        let got = org.refuse(call(&format!("GET /api/v1/{path}?limit=many")), 400, "E0000037", &[]);
        let expected = "Type mismatch exception.  Could not convert parameter 'limit' to the required type.";
        assert_eq!(got.text("/errorSummary"), expected, "{path}");
    }
}

#[test]
fn a_second_captcha_is_refused_with_its_reason() {
    let org = Org::acme();
    let captcha = json!({ "name": "C", "siteKey": "own", "secretKey": "own", "type": "HCAPTCHA" });
    org.send(call("POST /api/v1/captchas").json(&captcha));
    let got = org.send(call("POST /api/v1/captchas").json(&captcha));
    assert_eq!((got.status, got.text("/errorCode")), (403, "E0000166"));
    let cause = &got.body["errorCauses"][0];
    assert_eq!(cause["errorSummary"], got.body["errorSummary"]);
    assert_eq!((&cause["reason"], &cause["domain"]), (&json!("EXCEEDS_MAX_VALUE"), &json!("captcha")));
}

#[test]
fn lists_of_realms_show_no_empty_lists() {
    let org = Org::acme();
    let made = org.send(call("POST /api/v1/realms").json(&json!({ "profile": { "name": "Partners" } })));
    let one = org.get(&format!("/api/v1/realms/{}", made.text("/id")));
    assert_eq!(one.body["profile"]["domains"], json!([]));
    let all = org.get("/api/v1/realms").body;
    assert!(all.as_array().is_some_and(|all| all.iter().all(|realm| realm["profile"].get("domains").is_none())));
}

/// Makes an object in each collection, and looks at members of the answer and of a later read.
#[test]
fn what_is_made_shows_what_the_document_s_examples_show() {
    let org = Org::acme();
    let check = |path: &str, sent: Value, shown: &[(&str, &str)], allow: &[&str]| {
        let made = org.send(call(&format!("POST {path}")).json(&sent));
        assert!([200, 201].contains(&made.status), "{path}: {}", made.body);
        let read = org.get(&format!("{path}/{}", made.text("/id")));
        for (at, expected) in shown {
            for got in [&made, &read] {
                let found = got.text(at);
                let fits = expected.strip_suffix('*').map_or(found == *expected, |start| found.starts_with(start));
                assert!(fits, "{path} {at}: {}", got.body);
            }
        }
        assert_eq!(read.body["_links"]["self"]["hints"]["allow"], json!(allow), "{path}: {}", read.body);
    };
    let account = json!({ "type": "service_account", "project_id": "own-project" });
    check(
        "/api/v1/push-providers",
        json!({ "name": "Ours", "providerType": "FCM", "configuration": { "fileName": "a.json", "serviceAccountJson": account } }),
        &[("/id", "ppc*"), ("/configuration/projectId", "own-project"), ("/lastUpdatedDate", "2026-03-02T09:00:0*")],
        &["DELETE", "GET", "PUT"],
    );
    check(
        "/api/v1/org/factors/yubikey_token/tokens",
        json!({ "serialNumber": "771", "publicId": "ccccccijgibu", "privateId": "b74be6169486", "aesKey": "1fcc6d8ce39bf1604e0b17f3e0a11067" }),
        &[("/id", "ykk*"), ("/profile/serial", "000000000771"), ("/status", "UNASSIGNED"), ("/lastVerified", "2026*")],
        &["GET", "DELETE"],
    );
    check(
        "/integrations/api/v1/api-services",
        json!({ "type": "own_app", "grantedScopes": ["okta.logs.read"] }),
        &[("/name", "Own App"), ("/createdBy", "00u*"), ("/configGuideUrl", "https://*")],
        &["GET", "DELETE"],
    );
    check("/api/v1/behaviors", json!({ "name": "Fast", "type": "VELOCITY" }), &[], &["GET", "PUT", "DELETE"]);
    let rules = org.get("/api/v1/behaviors");
    let fast = rules.body.as_array().and_then(|all| all.iter().find(|rule| rule["name"] == "Fast"));
    assert_eq!(fast.map(|rule| &rule["settings"]), Some(&json!({ "velocityKph": 805 })));
    let grace = json!({ "type": "BY_DURATION", "expiry": "P30D" });
    check(
        "/api/v1/device-assurances",
        json!({ "name": "Late", "platform": "IOS", "jailbreak": false, "gracePeriod": grace, "displayRemediationMode": "SHOW" }),
        &[("/gracePeriod/expiry", "P30D")],
        &["GET", "PUT", "DELETE"],
    );
}

#[test]
fn people_are_at_no_risk_until_somebody_says_so() {
    let org = Org::acme();
    let path = format!("/api/v1/users/{}/risk", org.id("lena.fischer"));
    let before = org.get(&path);
    assert_eq!(before.text("/riskLevel"), "NONE");
    assert_eq!(before.body.get("reason"), None);
    let after = org.send(call(&format!("PUT {path}")).json(&json!({ "riskLevel": "HIGH" })));
    assert_eq!((after.text("/riskLevel"), after.text("/reason")), ("HIGH", "override.by.admin"));
    assert!(after.text("/_links/user/href").ends_with(path.trim_end_matches("/risk")), "{}", after.body);
    assert_eq!(after.body["_links"]["self"]["hints"]["allow"], json!(["GET", "PUT"]));
}

#[test]
fn translations_of_messages_come_one_by_one() {
    let org = Org::acme();
    let template = json!({
        "name": "Ours", "type": "SMS_VERIFY_CODE", "template": "Your ${code}",
        "translations": { "de": "Ihr ${code}", "fr": "Votre ${code}" },
    });
    let id = org.post("/api/v1/templates/sms", &template).text("/id").to_owned();
    let path = format!("/api/v1/templates/sms/{id}");
    let more = json!({ "translations": { "es": "Tu ${code}", "fr": "" } });
    org.check(call(&format!("POST {path}")).json(&more), 200);
    assert_eq!(org.get(&path).body["translations"], json!({ "de": "Ihr ${code}", "es": "Tu ${code}" }));
}
