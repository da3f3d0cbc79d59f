//! What administrators do with authorization servers and with what these have given out.

use jsonwebtoken::decode_header;
use serde_json::{Value, json};

use super::{org, refuse, service, tokens, verified, wait, web};
use crate::support::{Got, ORIGIN, Org, call};

const SERVERS: &str = "/api/v1/authorizationServers";

#[track_caller]
fn made(org: &Org, path: &str, body: &Value) -> Got {
    org.check(call(&format!("POST {path}")).json(body), 201)
}

/// A server without policies.
fn server(org: &Org) -> String {
    let body = json!({ "name": "made", "description": "Made", "audiences": ["api://made"] });
    format!("{SERVERS}/{}", made(org, SERVERS, &body).text("/id"))
}

/// A policy of a server for some clients, with one rule.
fn policy(org: &Org, at: &str, name: &str, clients: &Value, rule: &Value) -> String {
    let body = json!({
        "type": "OAUTH_AUTHORIZATION_POLICY", "name": name, "description": "x",
        "conditions": { "clients": { "include": clients } },
    });
    let id = made(org, &format!("{at}/policies"), &body).text("/id").to_owned();
    made(org, &format!("{at}/policies/{id}/rules"), rule);
    format!("{at}/policies/{id}")
}

fn rule(name: &str, grants: &Value, people: &Value, minutes: i64) -> Value {
    json!({
        "type": "RESOURCE_ACCESS", "name": name,
        "conditions": { "people": people, "grantTypes": { "include": grants }, "scopes": { "include": ["*"] } },
        "actions": { "token": {
            "accessTokenLifetimeMinutes": minutes, "refreshTokenLifetimeMinutes": 0, "refreshTokenWindowMinutes": 10_080,
        }},
    })
}

#[test]
fn servers_are_made_changed_switched_and_deleted() {
    let org = org();
    let body = json!({ "name": "made", "description": "Made", "audiences": ["api://made"] });
    let got = made(&org, SERVERS, &body);
    let id = got.text("/id").to_owned();
    assert!(id.starts_with("aus") && id.len() == 20, "{id}");
    assert_eq!((got.text("/issuer"), got.text("/issuerMode")), (format!("{ORIGIN}/oauth2/{id}").as_str(), "DYNAMIC"));
    assert_eq!((got.text("/status"), &got.body["default"]), ("ACTIVE", &json!(false)));
    assert_eq!(got.body["_links"]["self"]["hints"]["allow"], json!(["GET", "DELETE", "PUT"]));
    let at = format!("{SERVERS}/{id}");
    let taken = "name: An object with this field already exists in the current organization";
    org.refuse(call(&format!("POST {SERVERS}")).json(&body), 400, "E0000001", &[taken]);
    let blank = "The field cannot be left blank";
    let causes = [format!("name: {blank}"), format!("audiences: {blank}")];
    org.refuse(
        call(&format!("POST {SERVERS}")).json(&json!({})),
        400,
        "E0000001",
        &causes.each_ref().map(String::as_str),
    );
    let odd = json!({ "name": "x", "audiences": ["a"], "issuerMode": "CUSTOM_URL" });
    org.refuse(
        call(&format!("POST {SERVERS}")).json(&odd),
        400,
        "E0000001",
        &["issuerMode: The field has an invalid value"],
    );
    let body = json!({ "name": "renamed", "description": "x", "audiences": ["api://other"] });
    let got = org.check(call(&format!("PUT {at}")).json(&body), 200);
    assert_eq!((got.text("/name"), got.text("/audiences/0")), ("renamed", "api://other"));
    org.check(call(&format!("POST {at}/lifecycle/deactivate")), 204);
    assert!(org.get(&at).body["_links"]["activate"].is_object());
    org.refuse(call(&format!("GET /oauth2/{id}/v1/keys")).anonymous(), 404, "E0000007", &[]);
    org.check(call(&format!("POST {at}/lifecycle/activate")), 204);
    org.check(call(&format!("GET /oauth2/{id}/v1/keys")).anonymous(), 200);
    assert_eq!(org.get(&format!("{SERVERS}?q=other")).column("/name"), ["renamed"]);
    assert_eq!(org.get(&format!("{SERVERS}?limit=1")).column("/id").len(), 1);
    org.check(call(&format!("DELETE {at}")), 204);
    org.refuse(call(&format!("GET {at}")), 404, "E0000007", &[]);
    let events = org.events();
    for name in ["created", "updated", "activated", "deactivated", "deleted"] {
        assert_eq!(events.get(&format!("oauth2.as.{name}")), Some(&1), "{name}");
    }
}

#[test]
fn scopes_and_claims_have_their_rules() {
    let org = org();
    let at = server(&org);
    let refused = |method: &str, path: &str, body: Value, cause: &str| {
        org.refuse(call(&format!("{method} {at}{path}")).json(&body), 400, "E0000001", &[cause]);
    };
    let scope = made(&org, &format!("{at}/scopes"), &json!({ "name": "car:drive", "consent": "REQUIRED" }));
    assert_eq!((scope.text("/consent"), scope.text("/metadataPublish")), ("REQUIRED", "NO_CLIENTS"));
    let taken = "name: An object with this field already exists in the current organization";
    refused("POST", "/scopes", json!({ "name": "car:drive" }), taken);
    refused("POST", "/scopes", json!({ "name": "openid" }), taken);
    refused("POST", "/scopes", json!({ "name": "two words" }), "name: The field has an invalid value");
    assert_eq!(org.get(&format!("{at}/scopes?q=car")).column("/name"), ["car:drive"]);
    assert_eq!(org.get(&format!("{at}/scopes?filter=name+eq+%22email%22")).column("/name"), ["email"]);
    let system = org.get(&format!("{at}/scopes?q=email")).text("/0/id").to_owned();
    org.refuse(call(&format!("DELETE {at}/scopes/{system}")), 400, "E0000001", &["System scopes cannot be deleted"]);
    org.refuse(call(&format!("GET {at}/scopes/nope")), 404, "E0000007", &[]);
    let claim = |name: &str, value: &str| json!({ "name": name, "claimType": "RESOURCE", "valueType": "EXPRESSION", "value": value, "status": "ACTIVE" });
    let own = made(&org, &format!("{at}/claims"), &claim("car", "\"x\"")).text("/id").to_owned();
    refused("POST", "/claims", claim("car", "\"x\""), taken);
    refused("POST", "/claims", claim("iss", "\"x\""), "name: The claim name is reserved");
    refused("POST", "/claims", claim("b", ""), "value: The field cannot be left blank");
    let groups = json!({ "name": "g", "claimType": "RESOURCE", "valueType": "GROUPS", "value": "x" });
    refused("POST", "/claims", groups, "group_filter_type: The field cannot be left blank");
    let unknown = json!({
        "name": "c", "claimType": "RESOURCE", "valueType": "EXPRESSION", "value": "1", "conditions": { "scopes": ["no"] },
    });
    refused("POST", "/claims", unknown, "conditions: One or more scopes do not exist");
    let names = org.get(&format!("{at}/claims")).column("/name");
    assert_eq!((names[0].as_str(), names.len()), ("sub", 20));
    assert!(names[1..].is_sorted(), "{names:?}");
    let system = org.get(&format!("{at}/claims")).text("/1/id").to_owned();
    org.refuse(call(&format!("DELETE {at}/claims/{system}")), 400, "E0000001", &["System claims cannot be deleted"]);
    org.check(call(&format!("DELETE {at}/claims/{own}")), 204);
    org.refuse(call(&format!("GET {at}/claims/{own}")), 404, "E0000007", &[]);
}

#[test]
fn policies_are_asked_in_their_order() {
    let org = org();
    let at = server(&org);
    made(&org, &format!("{at}/scopes"), &json!({ "name": "read", "default": true }));
    let id = at.rsplit('/').next().expect("has an id").to_owned();
    let ask = || web(&format!("/oauth2/{id}/v1/token"), &[("grant_type", "client_credentials")]);
    let denied = "Policy evaluation failed for this request, please check the policy configurations.";
    refuse(&org, ask(), 401, "access_denied", denied);
    let grants = json!(["client_credentials"]);
    let nobody = json!({ "groups": { "include": ["EVERYONE"] } });
    let others = policy(&org, &at, "Others", &json!(["spa"]), &rule("R", &grants, &nobody, 60));
    refuse(&org, ask(), 401, "access_denied", denied);
    let all = policy(&org, &at, "All", &json!(["ALL_CLIENTS"]), &rule("R", &grants, &nobody, 30));
    assert_eq!(org.check(ask(), 200).body["expires_in"], 1_800);
    let own = policy(&org, &at, "Own", &json!(["web"]), &rule("R", &grants, &nobody, 5));
    assert_eq!(org.check(ask(), 200).body["expires_in"], 1_800, "the last policy is asked last");
    let moved = json!({
        "type": "OAUTH_AUTHORIZATION_POLICY", "name": "Own", "description": "x", "priority": 1,
        "conditions": { "clients": { "include": ["web"] } },
    });
    assert_eq!(org.check(call(&format!("PUT {own}")).json(&moved), 200).body["priority"], 1);
    assert_eq!(org.check(ask(), 200).body["expires_in"], 300);
    assert_eq!(org.get(&format!("{at}/policies")).column("/name"), ["Own", "Others", "All"]);
    org.check(call(&format!("POST {own}/lifecycle/deactivate")), 204);
    assert_eq!(org.check(ask(), 200).body["expires_in"], 1_800);
    for path in [own, all, others] {
        org.check(call(&format!("DELETE {path}")), 204);
    }
    refuse(&org, ask(), 401, "access_denied", denied);
    org.refuse(call(&format!("GET {at}/policies/nope")), 404, "E0000007", &[]);
}

#[test]
fn rules_are_for_people_and_grants() {
    let org = org();
    let at = server(&org);
    let id = at.rsplit('/').next().expect("has an id").to_owned();
    let (lena, omar) = (org.id("lena.fischer"), org.id("omar.haddad"));
    let admins = org.group("figma-admin");
    let ask = |login: &str| {
        let fields =
            [("grant_type", "password"), ("username", login), ("password", super::PASSWORD), ("scope", "openid")];
        web(&format!("/oauth2/{id}/v1/token"), &fields)
    };
    let grants = json!(["password"]);
    let group = json!({ "groups": { "include": [admins] }, "users": { "include": [lena], "exclude": [omar] } });
    let policy = policy(&org, &at, "P", &json!(["ALL_CLIENTS"]), &rule("Some", &grants, &group, 60));
    let check = |login: &str, wanted: bool| {
        org.check(ask(login), if wanted { 200 } else { 401 });
    };
    check("lena.fischer@acme.example", true);
    check("zoe.oneill@acme.example", true);
    check("omar.haddad@acme.example", false);
    check("dana.whitfield@acme.example", false);
    let all = json!({ "groups": { "include": ["EVERYONE"] } });
    let second = made(&org, &format!("{policy}/rules"), &rule("All", &json!(["authorization_code"]), &all, 60));
    assert_eq!(second.body["priority"], 2);
    check("dana.whitfield@acme.example", false);
    let one = format!("{policy}/rules/{}", second.text("/id"));
    let changed = rule("All", &json!(["authorization_code", "password"]), &all, 10);
    let got = org.check(call(&format!("PUT {one}")).json(&changed), 200);
    assert_eq!(got.body["conditions"]["grantTypes"]["include"], json!(["password", "authorization_code"]));
    check("dana.whitfield@acme.example", true);
    org.check(call(&format!("POST {one}/lifecycle/deactivate")), 204);
    check("dana.whitfield@acme.example", false);
    let bad = |minutes: i64, cause: &str| {
        let line = call(&format!("POST {policy}/rules")).json(&rule("Bad", &grants, &all, minutes));
        org.refuse(line, 400, "E0000001", &[cause]);
    };
    bad(4, "accessTokenLifetimeMinutes: The value must be between 5 and 1440");
    bad(1_441, "accessTokenLifetimeMinutes: The value must be between 5 and 1440");
    let odd = rule("Bad", &json!(["magic"]), &all, 60);
    let words = "grantTypes: The field has an invalid value";
    org.refuse(call(&format!("POST {policy}/rules")).json(&odd), 400, "E0000001", &[words]);
    org.check(call(&format!("DELETE {one}")), 204);
    let gone = org.refuse(call(&format!("DELETE {one}")), 404, "E0000007", &[]);
    assert!(gone.text("/errorSummary").ends_with("(PolicyRule)"), "{}", gone.body);
}

#[test]
fn rotated_keys_sign_at_once_and_by_the_clock() {
    let org = org();
    let at = format!("{SERVERS}/ausorders");
    let kid = || {
        let fields = [("grant_type", "client_credentials"), ("scope", "orders.read")];
        let got = org.check(web("/oauth2/ausorders/v1/token", &fields), 200);
        verified(&org, "/oauth2/ausorders/v1/keys", got.text("/access_token"));
        decode_header(got.text("/access_token")).expect("has a head").kid.expect("names its key")
    };
    let listed = || org.get(&format!("{at}/credentials/keys"));
    let first = kid();
    assert_eq!((listed().text("/0/status"), listed().text("/0/kid")), ("ACTIVE", first.as_str()));
    let rotate = call(&format!("POST {at}/credentials/lifecycle/keyRotate")).json(&json!({ "use": "sig" }));
    let got = org.check(rotate, 200);
    assert_eq!(got.column("/status"), ["ACTIVE", "EXPIRED"]);
    assert_eq!(got.text("/1/kid"), first);
    let second = kid();
    assert_ne!(first, second);
    assert_eq!(org.get(&at).text("/credentials/signing/kid"), second);
    org.check(call(&format!("GET {at}/credentials/keys/{second}")), 200);
    org.refuse(call(&format!("GET {at}/credentials/keys/nope")), 404, "E0000007", &[]);
    wait(&org, 80 * 86_400);
    assert_eq!(listed().column("/status"), ["ACTIVE", "NEXT", "EXPIRED"], "the next key is announced");
    let next = listed().text("/1/kid").to_owned();
    wait(&org, 11 * 86_400);
    assert_eq!(kid(), next);
    let manual = json!({
        "name": "orders", "description": "", "audiences": ["api://orders"],
        "credentials": { "signing": { "rotationMode": "MANUAL" } },
    });
    let got = org.check(call(&format!("PUT {at}")).json(&manual), 200);
    assert_eq!(got.text("/credentials/signing/rotationMode"), "MANUAL");
    wait(&org, 400 * 86_400);
    assert_eq!(kid(), next, "only by hand");
    let odd = call(&format!("POST {at}/credentials/lifecycle/keyRotate")).json(&json!({ "use": "enc" }));
    assert_eq!(org.check(odd, 400).text("/errorCode"), "E0000001");
}

#[test]
fn refresh_tokens_are_listed_and_revoked() {
    let org = org();
    let scope = "openid offline_access orders.read";
    let (lena, server) = (org.id("lena.fischer"), format!("{SERVERS}/ausorders"));
    let first = tokens(&org, "/oauth2/ausorders", scope);
    tokens(&org, "/oauth2", "openid offline_access");
    assert_eq!(org.get(&format!("{server}/clients")).column("/client_id"), ["web"]);
    let of_server = format!("{server}/clients/web/tokens");
    let of_user = format!("/api/v1/users/{lena}/clients/web/tokens");
    let listed = org.get(&format!("{of_server}?expand=scope"));
    assert_eq!((listed.column("/userId"), listed.column("/status")), (vec![lena.clone()], vec!["ACTIVE".to_owned()]));
    assert_eq!(listed.text("/0/_embedded/scopes/2/name"), "orders.read");
    assert_eq!(org.get(&of_user).column("/id").len(), 2);
    assert_eq!(org.get(&format!("/api/v1/users/{lena}/clients")).column("/client_id"), ["web"]);
    let page = org.get(&format!("{of_user}?limit=1"));
    let rest = org.get(&page.link("next").expect("there is more"));
    assert_ne!(page.column("/id"), rest.column("/id"));
    let one = format!("{of_server}/{}", listed.text("/0/id"));
    assert_eq!(org.get(&one).text("/issuer"), format!("{ORIGIN}/oauth2/ausorders"));
    let again = |token: &Got| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.text("/refresh_token"))];
        web("/oauth2/ausorders/v1/token", &fields)
    };
    let renewed = org.check(again(&first), 200);
    org.refuse(call(&format!("GET {one}")), 404, "E0000007", &[]);
    let now = org.get(&of_server).text("/0/id").to_owned();
    org.check(call(&format!("DELETE {of_server}/{now}")), 204);
    let words = "The refresh token is invalid or expired.";
    refuse(&org, again(&renewed), 400, "invalid_grant", words);
    assert_eq!(org.get(&of_server).column("/id"), Vec::<String>::new());
    org.check(call(&format!("DELETE {of_user}")), 204);
    assert_eq!(org.get(&of_user).column("/id"), Vec::<String>::new());
    let nobody = org.refuse(call(&format!("GET {server}/clients/nobody/tokens")), 404, "E0000007", &[]);
    assert!(nobody.text("/errorSummary").ends_with("nobody (PublicClientApp)"), "{}", nobody.body);
    let missing = org.refuse(call(&format!("GET {of_user}/nope")), 404, "E0000007", &[]);
    assert!(missing.text("/errorSummary").contains("nope"), "{}", missing.body);
}

#[test]
fn administrators_let_apps_have_the_org_s_scopes() {
    let org = org();
    let app = json!({
        "name": "oidc_client", "label": "Daemon", "signOnMode": "OPENID_CONNECT",
        "credentials": { "oauthClient": { "client_id": "daemon", "token_endpoint_auth_method": "private_key_jwt" } },
        "settings": { "oauthClient": {
            "application_type": "service", "grant_types": ["client_credentials"], "response_types": ["token"],
            "jwks": { "keys": [dtu_okta::oauth::keys::client_key()] },
        }},
    });
    let id = org.post("/api/v1/apps", &app).text("/id").to_owned();
    let ask = || service(&org, "daemon", "okta.users.read");
    assert_eq!(org.check(ask(), 400).text("/error"), "consent_required");
    let at = format!("/api/v1/apps/{id}/grants");
    let grant =
        |issuer: &str, scope: &str| call(&format!("POST {at}")).json(&json!({ "issuer": issuer, "scopeId": scope }));
    let got = org.check(grant(ORIGIN, "okta.users.read"), 201);
    assert_eq!((got.text("/source"), got.text("/clientId")), ("ADMIN", "daemon"));
    assert_eq!(org.check(ask(), 200).text("/scope"), "okta.users.read");
    org.check(grant(ORIGIN, "okta.users.read"), 201);
    assert_eq!(org.get(&at).column("/scopeId"), ["okta.users.read"], "once is enough");
    org.refuse(
        grant("https://elsewhere.example", "okta.users.read"),
        400,
        "E0000001",
        &["issuer: 'issuer' is invalid."],
    );
    org.refuse(grant(ORIGIN, "read"), 400, "E0000001", &["scopeId: 'scopeId' is not a valid scope."]);
    let one = format!("{at}/{}", got.text("/id"));
    assert_eq!(org.get(&one).text("/status"), "ACTIVE");
    org.check(call(&format!("DELETE {one}")), 204);
    org.refuse(call(&format!("GET {one}")), 404, "E0000007", &[]);
    assert_eq!(org.check(ask(), 400).text("/error"), "consent_required");
    assert_eq!(org.get(&format!("/api/v1/apps/{id}/tokens")).body, json!([]));
    let missing = org.refuse(call(&format!("GET /api/v1/apps/{id}/tokens/nope")), 404, "E0000007", &[]);
    assert!(missing.text("/errorSummary").ends_with(&format!("{id}.nope (OAuth2RefreshTokenTx)")), "{}", missing.body);
}

#[test]
fn servers_trust_others_and_have_keys_of_resource_servers() {
    let org = org();
    let at = server(&org);
    let trust = |ids: Value| call(&format!("POST {at}/associatedServers")).json(&json!({ "trusted": ids }));
    assert_eq!(org.check(trust(json!(["ausorders"])), 200).column("/id"), ["ausorders"]);
    assert_eq!(org.get(&format!("{at}/associatedServers?trusted=true")).column("/name"), ["orders"]);
    assert_eq!(org.get(&format!("{at}/associatedServers?trusted=false")).column("/name"), ["default"]);
    org.refuse(trust(json!(["nope"])), 404, "E0000007", &[]);
    org.check(call(&format!("DELETE {at}/associatedServers/ausorders")), 204);
    org.refuse(call(&format!("DELETE {at}/associatedServers/ausorders")), 404, "E0000007", &[]);
    let keys = format!("{at}/resourceservercredentials/keys");
    let key =
        |kid: &str| json!({ "kty": "RSA", "use": "enc", "kid": kid, "e": "AQAB", "n": "n", "status": "INACTIVE" });
    let first = made(&org, &keys, &key("a")).text("/id").to_owned();
    let second = made(&org, &keys, &key("b")).text("/id").to_owned();
    let active = json!({ "kty": "RSA", "kid": "c", "e": "AQAB", "n": "n", "status": "ACTIVE" });
    let words = "status: The field has an invalid value";
    org.refuse(call(&format!("POST {keys}")).json(&active), 400, "E0000001", &[words]);
    org.post(&format!("{keys}/{first}/lifecycle/activate"), &json!({}));
    org.post(&format!("{keys}/{second}/lifecycle/activate"), &json!({}));
    assert_eq!(org.get(&keys).column("/status"), ["INACTIVE", "ACTIVE"], "one key is in use");
    let used = "An active key cannot be deleted. Deactivate it first";
    org.refuse(call(&format!("DELETE {keys}/{second}")), 400, "E0000001", &[used]);
    org.check(call(&format!("DELETE {keys}/{first}")), 204);
    org.refuse(call(&format!("GET {keys}/{first}")), 404, "E0000007", &[]);
}

#[test]
fn parts_of_servers_are_replaced_and_switched() {
    let org = org();
    let at = server(&org);
    let scope = made(&org, &format!("{at}/scopes"), &json!({ "name": "a" })).text("/id").to_owned();
    let changed = json!({ "name": "b", "description": "B", "default": true, "metadataPublish": "ALL_CLIENTS" });
    let got = org.check(call(&format!("PUT {at}/scopes/{scope}")).json(&changed), 200);
    assert_eq!((got.text("/name"), &got.body["default"]), ("b", &json!(true)));
    let claim = |value: &str| json!({ "name": "c", "claimType": "IDENTITY", "valueType": "EXPRESSION", "value": value, "alwaysIncludeInToken": false });
    let own = made(&org, &format!("{at}/claims"), &claim("1")).text("/id").to_owned();
    let got = org.check(call(&format!("PUT {at}/claims/{own}")).json(&claim("2")), 200);
    assert_eq!((got.text("/value"), &got.body["alwaysIncludeInToken"]), ("2", &json!(false)));
    let system = org.get(&format!("{at}/claims")).text("/1/id").to_owned();
    let words = "System claims cannot be changed in name or type";
    org.refuse(call(&format!("PUT {at}/claims/{system}")).json(&claim("2")), 400, "E0000001", &[words]);
    let everyone = json!({ "groups": { "include": ["EVERYONE"] } });
    let policy = policy(&org, &at, "P", &json!(["ALL_CLIENTS"]), &rule("R", &json!(["password"]), &everyone, 60));
    let rule = format!("{policy}/rules/{}", org.get(&format!("{policy}/rules")).text("/0/id"));
    for path in [&policy, &rule] {
        for (verb, status) in [("deactivate", "INACTIVE"), ("activate", "ACTIVE")] {
            org.check(call(&format!("POST {path}/lifecycle/{verb}")), 204);
            assert_eq!(org.get(path).text("/status"), status, "{path}");
        }
    }
    let keys = format!("{at}/resourceservercredentials/keys");
    let key = json!({ "kty": "RSA", "use": "enc", "kid": "a", "e": "AQAB", "n": "n", "status": "INACTIVE" });
    let key = format!("{keys}/{}", made(&org, &keys, &key).text("/id"));
    assert_eq!(org.post(&format!("{key}/lifecycle/activate"), &json!({})).text("/status"), "ACTIVE");
    assert_eq!(org.post(&format!("{key}/lifecycle/deactivate"), &json!({})).text("/status"), "INACTIVE");
}

#[test]
fn refresh_tokens_are_revoked_from_every_side() {
    let org = org();
    let app = json!({
        "name": "oidc_client", "label": "Native", "signOnMode": "OPENID_CONNECT",
        "credentials": { "oauthClient": { "client_id": "native", "token_endpoint_auth_method": "client_secret_post" } },
        "settings": { "oauthClient": {
            "application_type": "native", "grant_types": ["password", "authorization_code", "refresh_token"],
            "response_types": ["code"], "redirect_uris": ["https://web.example/cb"],
        }},
    });
    let got = org.post("/api/v1/apps", &app);
    let (app, secret) = (got.text("/id"), got.text("/credentials/oauthClient/client_secret"));
    let lena = org.id("lena.fischer");
    org.post(&format!("/api/v1/apps/{app}/users"), &json!({ "id": lena }));
    let sign_in = || {
        let fields = [
            ("grant_type", "password"),
            ("client_id", "native"),
            ("client_secret", secret),
            ("username", "lena.fischer@acme.example"),
            ("password", super::PASSWORD),
            ("scope", "openid offline_access"),
        ];
        org.check(super::form("/oauth2/default/v1/token", &fields), 200)
    };
    let lists = [
        format!("/api/v1/apps/{app}/tokens"),
        format!("/api/v1/users/{lena}/clients/native/tokens"),
        format!("{SERVERS}/default/clients/native/tokens"),
    ];
    for list in &lists {
        for whole in [true, false] {
            let token = sign_in();
            let one = format!("{list}/{}", org.get(list).text("/0/id"));
            assert_eq!(org.get(&one).text("/clientId"), "native");
            org.check(call(&format!("DELETE {}", if whole { list } else { &one })), 204);
            org.refuse(call(&format!("GET {one}")), 404, "E0000007", &[]);
            for other in &lists {
                assert_eq!(org.get(other).body, json!([]), "{other} after {list}");
            }
            let userinfo = super::authorized("GET /oauth2/default/v1/userinfo", "Bearer", token.text("/access_token"));
            org.check(userinfo, 401);
        }
    }
    org.check(call(&format!("DELETE /api/v1/users/{lena}/clients/native/grants")), 204);
    assert_eq!(org.get(&format!("/api/v1/users/{lena}/grants")).body, json!([]));
}
