//! Authorization servers: what they say of themselves, and what administrators make of them.

use jsonwebtoken::decode_header;
use serde_json::{Value, json};

use super::{org, refuse, service, verified, wait, web};
use crate::support::{ORIGIN, call};

#[test]
fn servers_say_where_everything_is() {
    let org = org();
    let check = |path: &str, issuer: &str, openid: bool| {
        let got = org.check(call(&format!("GET {path}")).anonymous(), 200);
        assert_eq!(got.text("/issuer"), format!("{ORIGIN}{issuer}"), "{path}");
        let prefix = if issuer.is_empty() { "/oauth2" } else { issuer };
        assert_eq!(got.text("/token_endpoint"), format!("{ORIGIN}{prefix}/v1/token"));
        assert_eq!(got.body.get("userinfo_endpoint").is_some(), openid, "{path}");
        let keys = got.text("/jwks_uri").strip_prefix(ORIGIN).expect("is here").to_owned();
        assert!(!org.check(call(&format!("GET {keys}")).anonymous(), 200).body["keys"][0]["n"].is_null());
        assert!(!got.body["scopes_supported"].to_string().contains("orders"), "a server's own scopes are not public");
    };
    check("/.well-known/openid-configuration", "", true);
    check("/.well-known/oauth-authorization-server", "", false);
    check("/oauth2/default/.well-known/openid-configuration", "/oauth2/default", true);
    check("/oauth2/default/.well-known/oauth-authorization-server", "/oauth2/default", false);
    check("/.well-known/oauth-authorization-server/oauth2/ausorders", "/oauth2/ausorders", false);
    org.refuse(call("GET /oauth2/nowhere/.well-known/openid-configuration").anonymous(), 404, "E0000007", &[]);
    let got = org.check(call("GET /.well-known/openid-configuration?client_id=nope").anonymous(), 400);
    assert_eq!(got.text("/error"), "invalid_client");
}

#[test]
fn keys_rotate_and_the_old_one_stays_for_a_while() {
    let org = org();
    let kids = || -> Vec<String> {
        let got = org.check(call("GET /oauth2/v1/keys").anonymous(), 200);
        got.body["keys"]
            .as_array()
            .expect("is a list")
            .iter()
            .map(|key| key["kid"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let before = kids();
    let old = org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned();
    let done = org.perform("okta.admin.rotate_keys", "dana", &json!({})).expect("rotates");
    let after = kids();
    assert_eq!((done["kid"].as_str(), &after[1]), (Some(&*after[0]), &before[0]));
    verified(&org, "/oauth2/v1/keys", &old);
    let new = org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned();
    assert_eq!(decode_header(&new).expect("has a head").kid.as_deref(), Some(&*after[0]));
    wait(&org, 91 * 86_400);
    assert_ne!(kids()[0], after[0], "and by the clock");
}

#[test]
fn a_server_that_an_administrator_made_goes_by_its_scopes_policies_and_claims() {
    let org = org();
    let made = json!({ "name": "made", "description": "Made", "audiences": ["api://made"] });
    let id = org.check(call("POST /api/v1/authorizationServers").json(&made), 201).text("/id").to_owned();
    let at = format!("/api/v1/authorizationServers/{id}");
    let add =
        |path: &str, body: &Value| org.check(call(&format!("POST {at}{path}")).json(body), 201).text("/id").to_owned();
    add("/scopes", &json!({ "name": "made.read", "default": true }));
    let ask = || web(&format!("/oauth2/{id}/v1/token"), &[("grant_type", "client_credentials")]);
    let words = "Policy evaluation failed for this request, please check the policy configurations.";
    refuse(&org, ask(), 401, "access_denied", words);
    let clients = json!({ "clients": { "include": ["web"] } });
    let policy = json!({
        "type": "OAUTH_AUTHORIZATION_POLICY", "name": "P", "description": "P", "priority": 1, "status": "ACTIVE",
        "conditions": clients,
    });
    let policy = add("/policies", &policy);
    let rule = json!({
        "type": "RESOURCE_ACCESS", "name": "R", "priority": 1, "status": "ACTIVE",
        "conditions": {
            "grantTypes": { "include": ["client_credentials"] }, "scopes": { "include": ["made.read"] },
            "people": { "groups": { "include": ["EVERYONE"] } },
        },
        "actions": { "token": {
            "accessTokenLifetimeMinutes": 5, "refreshTokenLifetimeMinutes": 0, "refreshTokenWindowMinutes": 10_080,
        }},
    });
    add(&format!("/policies/{policy}/rules"), &rule);
    let claim = |name: &str, value: &str| {
        add(
            "/claims",
            &json!({
                "name": name, "status": "ACTIVE", "claimType": "RESOURCE", "valueType": "EXPRESSION", "value": value,
                "alwaysIncludeInToken": true,
            }),
        )
    };
    claim("car", "\"driving!\"");
    let got = org.check(ask(), 200);
    assert_eq!((&got.body["expires_in"], got.text("/scope")), (&json!(300), "made.read"));
    let claims = verified(&org, &format!("/oauth2/{id}/v1/keys"), got.text("/access_token"));
    assert_eq!((&claims["car"], &claims["aud"]), (&json!("driving!"), &json!("api://made")));
    claim("odd", "user.shoe + 1");
    let got = org.check(ask(), 400);
    assert_eq!(got.text("/error"), "server_error", "what cannot be evaluated is not passed over");
    org.check(call(&format!("POST {at}/lifecycle/deactivate")), 204);
    org.refuse(ask(), 404, "E0000007", &[]);
    org.perform("okta.admin.rotate_keys", "dana", &json!({ "server": "default" })).expect("rotates");
    let names = org.get("/api/v1/authorizationServers").column("/name");
    assert!(["default", "orders", "made"].iter().all(|name| names.iter().any(|own| own == name)), "{names:?}");
}
