//! Tokens in exchange, consent, and the end of all that somebody is signed in to.

use serde_json::{Value, json};

use super::{PASSWORD, asked, authorized, org, query, refuse, sent, signed_in, tokens, verified, web};
use crate::support::{Got, ORIGIN, Org, call};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// An API's own client, which calls further APIs on behalf of whoever calls it.
fn exchanger(org: &Org) -> (String, String) {
    let app = json!({
        "name": "oidc_client", "label": "Api", "signOnMode": "OPENID_CONNECT",
        "credentials": { "oauthClient": { "token_endpoint_auth_method": "client_secret_post" } },
        "settings": { "oauthClient": {
            "application_type": "service", "grant_types": ["client_credentials", EXCHANGE], "response_types": ["token"],
        }},
    });
    let got = org.post("/api/v1/apps", &app);
    let of = |member: &str| got.text(&format!("/credentials/oauthClient/{member}")).to_owned();
    (of("client_id"), of("client_secret"))
}

fn allow(org: &Org, server: &str) {
    let body = json!({
        "type": "OAUTH_AUTHORIZATION_POLICY", "name": "Exchange", "description": "x",
        "conditions": { "clients": { "include": ["ALL_CLIENTS"] } },
    });
    let at = format!("/api/v1/authorizationServers/{server}/policies");
    let id = org.check(call(&format!("POST {at}")).json(&body), 201).text("/id").to_owned();
    let rule = json!({
        "type": "RESOURCE_ACCESS", "name": "R",
        "conditions": {
            "people": { "groups": { "include": ["EVERYONE"] } }, "grantTypes": { "include": [EXCHANGE] },
            "scopes": { "include": ["*"] },
        },
    });
    org.check(call(&format!("POST {at}/{id}/rules")).json(&rule), 201);
}

#[test]
fn access_tokens_are_exchanged_for_others_about_the_same_person() {
    let org = org();
    let (id, secret) = exchanger(&org);
    let lena = tokens(&org, "/oauth2/ausorders", "openid orders.read");
    let ask = |server: &str, token: &str, more: &[(&str, &str)]| {
        let mut fields = vec![
            ("grant_type", EXCHANGE),
            ("client_id", &id),
            ("client_secret", &secret),
            ("subject_token", token),
            ("subject_token_type", ACCESS),
            ("scope", "orders.write"),
        ];
        fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        fields.extend(more);
        super::form(&format!("/oauth2/{server}/v1/token"), &fields)
    };
    let token = lena.text("/access_token");
    let denied = "Policy evaluation failed for this request, please check the policy configurations.";
    refuse(&org, ask("ausorders", token, &[]), 401, "access_denied", denied);
    allow(&org, "ausorders");
    let got = org.check(ask("ausorders", token, &[("audience", "api://orders")]), 200);
    assert_eq!((got.text("/issued_token_type"), got.text("/scope")), (ACCESS, "orders.write"));
    let claims = verified(&org, "/oauth2/ausorders/v1/keys", got.text("/access_token"));
    assert_eq!((&claims["uid"], &claims["cid"]), (&json!(org.id("lena.fischer")), &json!(id)));
    let check = |more: &[(&str, &str)], error: &str| {
        let got = org.check(ask("ausorders", token, more), 400);
        assert_eq!(got.text("/error"), error, "{}", got.body);
    };
    check(&[("audience", "api://other")], "invalid_target");
    check(&[("subject_token", "x.y.z")], "invalid_grant");
    check(&[("subject_token_type", "urn:ietf:params:oauth:token-type:id_token")], "invalid_request");
    check(&[("requested_token_type", "urn:ietf:params:oauth:token-type:id_token")], "invalid_request");
    check(&[("scope", "offline_access")], "invalid_scope");
    let own = org.check(
        web("/oauth2/ausorders/v1/token", &[("grant_type", "client_credentials"), ("scope", "orders.read")]),
        200,
    );
    check(&[("subject_token", own.text("/access_token"))], "invalid_grant");
}

#[test]
fn other_servers_take_tokens_of_those_they_trust() {
    let org = org();
    let (id, secret) = exchanger(&org);
    let lena = tokens(&org, "/oauth2/default", "openid");
    allow(&org, "ausorders");
    let ask = || {
        let fields = [
            ("grant_type", EXCHANGE),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("subject_token", lena.text("/access_token")),
            ("subject_token_type", ACCESS),
            ("scope", "orders.read"),
        ];
        super::form("/oauth2/ausorders/v1/token", &fields)
    };
    refuse(&org, ask(), 400, "invalid_grant", "The subject token is invalid.");
    let trusted = json!({ "trusted": ["default"] });
    org.post("/api/v1/authorizationServers/ausorders/associatedServers", &trusted);
    org.check(ask(), 200);
}

/// An app that asks people for their consent to a scope of `orders` that wants it.
fn asking(org: &Org) -> String {
    let scope = json!({ "name": "orders.cancel", "consent": "REQUIRED" });
    org.check(call("POST /api/v1/authorizationServers/ausorders/scopes").json(&scope), 201);
    let app = json!({
        "name": "oidc_client", "label": "Asking", "signOnMode": "OPENID_CONNECT",
        "credentials": { "oauthClient": { "client_id": "asking" } },
        "settings": { "implicitAssignment": true, "oauthClient": {
            "application_type": "web", "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "redirect_uris": ["https://web.example/cb"], "consent_method": "REQUIRED",
        }},
    });
    org.post("/api/v1/apps", &app).text("/id").to_owned()
}

#[test]
fn people_are_asked_for_their_consent_once() {
    let org = org();
    let app = asking(&org);
    let lena = org.id("lena.fischer");
    org.post(&format!("/api/v1/apps/{app}/users"), &json!({ "id": lena }));
    let page =
        super::form("/login/login.htm", &[("username", "lena.fischer"), ("password", PASSWORD), ("fromURI", "/")]);
    let cookie = org.check(page, 302).header("set-cookie").split(';').next().expect("has a cookie").to_owned();
    let fields = asked(&[("client_id", "asking"), ("scope", "openid orders.cancel")]);
    let open = |more: &[(&'static str, &'static str)]| {
        let fields: Vec<_> = fields.iter().copied().chain(more.iter().copied()).collect();
        org.send(
            call(&format!("GET /oauth2/ausorders/v1/authorize?{}", query(&fields)))
                .anonymous()
                .header("cookie", &cookie),
        )
    };
    let answer = |word: &'static str| {
        let fields: Vec<_> = fields.iter().copied().chain([("okta_consent", word)]).collect();
        org.send(super::form("/oauth2/ausorders/v1/authorize", &fields).header("cookie", &cookie))
    };
    let asks = |got: &Got| got.status == 200 && got.body.as_str().is_some_and(|page| page.contains("orders.cancel"));
    assert!(asks(&open(&[])), "the page asks");
    assert!(asks(&open(&[("okta_consent", "allow")])), "an address cannot consent");
    assert_eq!(sent(&open(&[("prompt", "none")])).1["error"], "consent_required");
    assert_eq!(sent(&answer("deny")).1["error"], "access_denied");
    assert!(sent(&answer("allow")).1.contains_key("code"));
    assert!(sent(&open(&[])).1.contains_key("code"), "once is enough");
    let grants = format!("/api/v1/users/{lena}/grants");
    let got = org.get(&format!("{grants}?expand=scope"));
    assert_eq!((got.text("/0/clientId"), got.text("/0/source")), ("asking", "END_USER"));
    assert_eq!(got.text("/0/issuer"), format!("{ORIGIN}/oauth2/ausorders"));
    assert_eq!(org.get(&format!("/api/v1/users/{lena}/clients/asking/grants")).column("/id"), got.column("/id"));
    assert_eq!(org.get(&format!("{grants}?scopeId=nope")).body, json!([]));
    let one = format!("{grants}/{}", got.text("/0/id"));
    assert_eq!(org.get(&one).text("/userId"), lena);
    org.check(call(&format!("DELETE {one}")), 204);
    org.refuse(call(&format!("GET {one}")), 404, "E0000007", &[]);
    assert!(asks(&open(&[])), "the page asks again");
    let back = signed_in(&org, "/oauth2/ausorders/v1/authorize", &fields);
    assert!(back.contains_key("code"), "whoever goes on consents");
    org.check(call(&format!("DELETE {grants}")), 204);
    assert_eq!(org.get(&grants).body, json!([]));
}

#[test]
fn all_sessions_and_tokens_of_somebody_end_at_once() {
    let org = org();
    let check = |subject: &dyn Fn(&str) -> Value| {
        let lena = org.id("lena.fischer");
        let got = tokens(&org, "/oauth2/default", "openid offline_access");
        let userinfo = || authorized("GET /oauth2/default/v1/userinfo", "Bearer", got.text("/access_token"));
        org.check(userinfo(), 200);
        let line = call("POST /oauth2/v1/global-token-revocation").json(&json!({ "sub_id": subject(&lena) }));
        org.check(line, 204);
        org.check(userinfo(), 401);
        let again = [("grant_type", "refresh_token"), ("refresh_token", got.text("/refresh_token"))];
        org.check(web("/oauth2/default/v1/token", &again), 400);
    };
    check(&|id| json!({ "format": "opaque", "id": id }));
    check(&|_| json!({ "format": "iss_sub", "iss": ORIGIN, "sub": "lena.fischer@acme.example" }));
    let line = |subject: Value| call("POST /oauth2/v1/global-token-revocation").json(&json!({ "sub_id": subject }));
    org.refuse(line(json!({ "format": "opaque", "id": "nobody" })), 404, "E0000007", &[]);
    assert_eq!(
        org.check(line(json!({ "format": "iss_sub", "iss": "https://x.example", "sub": "a@b.c" })), 400)
            .text("/errorCode"),
        "E0000001"
    );
    assert_eq!(org.events().get("user.authentication.universal_logout"), Some(&2));
}
