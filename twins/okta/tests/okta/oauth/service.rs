//! Programs that act for themselves, and how clients show who they are.

use dtu_okta::oauth::{jwt::digest, keys};
use jsonwebtoken::{Algorithm, EncodingKey, Header, decode_header, encode, jwk::Jwk};
use serde_json::{Value, json};

use super::{
    CLIENT_KEY, DEVICE, JWT_BEARER, assertion, authorized, form, org, refuse, service, service_with, verified, web,
};
use crate::support::{Call, ORIGIN, Org, call};

#[test]
fn a_service_app_gets_a_token_for_the_org_s_api() {
    let org = org();
    let got = org.check(service(&org, "bot", "okta.users.read okta.groups.read"), 200);
    assert_eq!((got.text("/token_type"), &got.body["expires_in"]), ("Bearer", &json!(3_600)));
    assert_eq!(got.text("/scope"), "okta.users.read okta.groups.read");
    let token = got.text("/access_token");
    assert_eq!(decode_header(token).expect("has a head").typ.as_deref(), Some("application/okta-internal-at+jwt"));
    let claims = verified(&org, "/oauth2/v1/keys", token);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ORIGIN), &json!(ORIGIN)));
    assert_eq!((&claims["cid"], &claims["sub"], &claims["ver"]), (&json!("bot"), &json!("bot"), &json!(1)));
    assert_eq!(claims["scp"], json!(["okta.users.read", "okta.groups.read"]));
    assert!(claims["jti"].as_str().expect("is text").starts_with("AT.") && claims.get("uid").is_none());
    assert_eq!(org.check(authorized("GET /api/v1/users?limit=2", "Bearer", token), 200).column("/id").len(), 2);
    let refused = org.check(authorized("POST /api/v1/users", "Bearer", token).json(&json!({})), 403);
    assert!(refused.body.is_null(), "why stands in the header alone");
    let header = refused.header("www-authenticate");
    assert!(
        header.contains("error=\"insufficient_scope\"") && header.contains("scope=\"okta.users.manage\""),
        "{header}"
    );
    let event = org.view("log").as_array().expect("is a list").last().cloned().expect("is an entry");
    assert_eq!(event["eventType"], "app.oauth2.token.grant.access_token");
}

#[test]
fn what_a_service_app_does_is_logged_as_the_app_s() {
    let org = org();
    let token = org.check(service(&org, "bot", "okta.groups.manage okta.users.read"), 200);
    let token = token.text("/access_token");
    let member = format!("PUT /api/v1/groups/{}/users/{}", org.group("figma-admin"), org.id("lena.fischer"));
    org.check(authorized(&member, "Bearer", token), 204);
    let entry = org.get("/api/v1/logs?filter=eventType+eq+%22group.user_membership.add%22");
    assert_eq!((entry.text("/0/actor/type"), entry.text("/0/actor/id")), ("PublicClientApp", "bot"));
    let grant = org.get("/api/v1/logs?filter=eventType+eq+%22app.oauth2.token.grant.access_token%22");
    assert_eq!(grant.text("/0/actor/id"), "bot");
    org.check(authorized("GET /api/v1/users/me", "Bearer", token), 404);
}

#[test]
fn assertions_are_checked() {
    let org = org();
    let now = org.universe.now().as_secs();
    let check = |own: Value, words: &str| {
        let jwt = assertion(&org, "bot", own);
        refuse(&org, service_with("okta.users.read", &jwt), 401, "invalid_client", words);
    };
    check(json!({ "iss": "nobody" }), "The issuer claim for client_assertion is not a valid client_id.");
    check(json!({ "iss": null }), "The issuer claim for client_assertion is not a valid client_id.");
    check(json!({ "sub": "web" }), "The subject claim for client_assertion is not a valid client_id.");
    let audience = "The audience claim for client_assertion must be the endpoint invoked for the request.";
    check(json!({ "aud": ORIGIN }), audience);
    check(json!({ "aud": null }), audience);
    check(json!({ "aud": "https://elsewhere.example/oauth2/v1/token" }), audience);
    check(json!({ "exp": null }), "The client_assertion must contain the 'exp' claim as seconds since epoch.");
    check(json!({ "exp": now - 1 }), "The client_assertion token is expired.");
    check(json!({ "exp": now + 3_601 }), "The client_assertion token has an expiration too far into the future.");
    check(json!({ "iat": now + 600 }), "The client_assertion token must be issued before the current time.");
    let unreadable = service_with("okta.users.read", "a.b");
    refuse(&org, unreadable, 401, "invalid_client", "The parsing of the client_assertion failed.");
    let good = assertion(&org, "bot", json!({}));
    let (body, _) = good.rsplit_once('.').expect("has three parts");
    let forged = service_with("okta.users.read", &format!("{body}.{}", "A".repeat(342)));
    refuse(&org, forged, 401, "invalid_client", "The client_assertion signature is invalid.");
    let once = assertion(&org, "bot", json!({ "jti": "j1" }));
    org.check(service_with("okta.users.read", &once), 200);
    let used = "The client_assertion token has already been used.";
    refuse(&org, service_with("okta.users.read", &once), 401, "invalid_client", used);
    let claims =
        json!({ "iss": "hmac", "sub": "hmac", "aud": format!("{ORIGIN}/oauth2/default/v1/token"), "exp": now + 60 });
    let key = EncodingKey::from_secret(b"a-secret-of-thirty-two-characters");
    let by_secret = encode(&Header::new(Algorithm::HS256), &claims, &key).expect("signs");
    let fields = [("grant_type", "client_credentials"), ("client_assertion_type", JWT_BEARER)];
    let hmac = |target: &str| form(target, &[fields[0], fields[1], ("client_assertion", &by_secret)]);
    refuse(
        &org,
        hmac("/oauth2/default/v1/token"),
        400,
        "invalid_scope",
        "The authorization server resource does not have any configured default scopes, 'scope' must be provided.",
    );
}

#[test]
fn clients_that_are_not_believed() {
    let org = org();
    let check = |call: Call, status: u16, error: &str, words: &str| {
        refuse(&org, call, status, error, words);
    };
    let token = "/oauth2/v1/token";
    let grant = ("grant_type", "client_credentials");
    check(form(token, &[grant]), 401, "invalid_client", "No client credentials found.");
    check(
        form(token, &[grant, ("client_id", "nope")]),
        401,
        "invalid_client",
        "Invalid value for 'client_id' parameter.",
    );
    let failed = "Client authentication failed. Either the client or the client credentials are invalid.";
    check(form(token, &[grant, ("client_id", "web")]), 401, "invalid_client", failed);
    check(form(token, &[grant, ("client_id", "bot"), ("client_secret", "x")]), 401, "invalid_client", failed);
    let wrong = "The client secret supplied for a confidential client is invalid.";
    check(form(token, &[grant, ("client_id", "web"), ("client_secret", "x")]), 401, "invalid_client", wrong);
    let both = "Cannot supply multiple client credentials. Use one of the following: credentials in the Authorization \
                header, credentials in the post body, or a client_assertion in the post body.";
    check(web(token, &[grant, ("client_secret", "web-secret")]), 401, "invalid_request", both);
    let malformed = form(token, &[grant]).header("authorization", "Basic !!!");
    let words = "Found Authentication header but was not valid client credentials.";
    check(malformed, 401, "invalid_client", words);
    let kind = form(token, &[grant, ("client_assertion", "x"), ("client_assertion_type", "y")]);
    check(kind, 400, "invalid_request", "The client_assertion_type is invalid.");
    let query = "Client credentials cannot be supplied via query parameters.";
    check(form("/oauth2/v1/token?client_secret=x", &[grant]), 400, "invalid_request", query);
    let org_only = "Only clients with 'application_type' of 'service' may use the client_credentials 'grant_type' with \
                    the Org Authorization Server.";
    check(web(token, &[grant, ("scope", "okta.users.read")]), 401, "invalid_client", org_only);
    let text = call("POST /oauth2/v1/token").anonymous().json(&json!({ "grant_type": "client_credentials" }));
    org.refuse(text, 400, "E0000021", &[]);
    org.refuse(form("/oauth2/nowhere/v1/token", &[grant]), 404, "E0000007", &[]);
}

#[test]
fn grants_and_scopes_that_are_refused() {
    let org = org();
    let custom = "/oauth2/ausorders/v1/token";
    let check = |call: Call, error: &str, words: &str| {
        let got = org.check(call, 400);
        assert_eq!(got.text("/error"), error, "{}", got.body);
        assert!(got.text("/error_description").starts_with(words), "{}", got.body);
    };
    check(web(custom, &[]), "invalid_request", "The token request must specify a 'grant_type'. Valid values: [");
    check(
        web(custom, &[("grant_type", "magic")]),
        "unsupported_grant_type",
        "The authorization grant type is not supp",
    );
    check(
        web(custom, &[("grant_type", DEVICE)]),
        "unauthorized_client",
        "The client is not authorized to use the prov",
    );
    let scoped = |scope: &str| web(custom, &[("grant_type", "client_credentials"), ("scope", scope)]);
    check(scoped("orders.delete"), "invalid_scope", "One or more scopes are not configured");
    check(scoped("openid"), "invalid_scope", "Cannot request 'openid' scopes using client credentials.");
    check(scoped("okta.users.read"), "invalid_scope", "One or more scopes are not configured");
    check(service(&org, "bot", "okta.apps.manage"), "consent_required", "You are not allowed any of the requested");
    check(service(&org, "bot", ""), "invalid_scope", "No scopes were requested.");
    let got = org.check(service(&org, "bot", "okta.apps.manage okta.users.read"), 200);
    assert_eq!(got.text("/scope"), "okta.users.read", "what was granted of it");
    let got = org.check(scoped("orders.read"), 200);
    let claims = verified(&org, "/oauth2/ausorders/v1/keys", got.text("/access_token"));
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!(format!("{ORIGIN}/oauth2/ausorders")), &json!("api://orders"))
    );
    let foreign = org.check(authorized("GET /api/v1/users", "Bearer", got.text("/access_token")), 401);
    assert_eq!(foreign.text("/errorCode"), "E0000011");
    assert!(foreign.header("www-authenticate").contains("invalid issuer"));
}

/// A proof of the client's test key.
fn proof(org: &Org, own: Value) -> String {
    let mut claims = json!({
        "htm": "POST", "htu": format!("{ORIGIN}/oauth2/v1/token"), "iat": org.universe.now().as_secs(), "jti": "p",
    });
    for (name, value) in own.as_object().expect("is an object").clone() {
        claims[name] = value;
    }
    let jwk: Jwk = serde_json::from_value(keys::client_key()).expect("is a key");
    let header = Header { typ: Some("dpop+jwt".to_owned()), jwk: Some(jwk), ..Header::new(Algorithm::RS256) };
    encode(&header, &claims, &CLIENT_KEY).expect("signs")
}

#[test]
fn a_bound_client_proves_its_key() {
    let org = org();
    let with = |proof: &str| service(&org, "bound", "okta.users.read").header("dpop", proof);
    let missing = service(&org, "bound", "okta.users.read");
    refuse(&org, missing, 400, "invalid_dpop_proof", "The DPoP proof JWT header is missing.");
    let nonce_words = "Authorization server requires nonce in DPoP proof.";
    let got = refuse(&org, with(&proof(&org, json!({}))), 400, "use_dpop_nonce", nonce_words);
    let nonce = got.header("dpop-nonce").to_owned();
    assert!(!nonce.is_empty());
    let now = org.universe.now().as_secs();
    for (own, words) in [
        (json!({ "htm": "GET" }), "'htm' claim in the DPoP proof JWT is invalid."),
        (json!({ "htu": ORIGIN }), "'htu' claim in the DPoP proof JWT is invalid."),
        (json!({ "iat": null }), "'iat' claim in the DPoP proof JWT is invalid."),
        (json!({ "iat": now + 900 }), "The DPoP proof JWT is issued in the future."),
        (json!({ "iat": now - 301 }), "The DPoP proof JWT is issued more than five minutes in the past."),
        (json!({ "jti": "" }), "'jti' claim in the DPoP proof JWT is invalid."),
    ] {
        refuse(&org, with(&proof(&org, own)), 400, "invalid_dpop_proof", words);
    }
    refuse(&org, with("a.b"), 400, "invalid_dpop_proof", "The DPoP proof JWT cannot be parsed.");
    let untyped = assertion(&org, "bound", json!({}));
    refuse(&org, with(&untyped), 400, "invalid_dpop_proof", "'typ' must be 'dpop+jwt' in the DPoP proof JWT.");
    let good = proof(&org, json!({ "nonce": nonce }));
    let got = org.check(with(&good), 200);
    assert_eq!((got.text("/token_type"), got.header("dpop-nonce")), ("DPoP", &*nonce));
    refuse(&org, with(&good), 400, "invalid_dpop_proof", "The DPoP proof JWT has already been used.");
    let token = got.text("/access_token");
    let thumbprint = dtu_okta::oauth::jwt::thumbprint(&keys::client_key()).expect("is a key");
    assert_eq!(verified(&org, "/oauth2/v1/keys", token)["cnf"]["jkt"], thumbprint.as_str());
    let at = |own: Value| {
        let mut claims =
            json!({ "htm": "GET", "htu": format!("{ORIGIN}/api/v1/users"), "ath": digest(token), "jti": "r" });
        own.as_object().expect("is an object").iter().for_each(|(name, value)| claims[name] = value.clone());
        authorized("GET /api/v1/users?limit=1", "DPoP", token).header("dpop", &proof(&org, claims))
    };
    org.check(at(json!({})), 200);
    let words = "'ath' claim in the DPoP proof does not match the presented access_token.";
    refuse(&org, at(json!({ "ath": "x" })), 400, "invalid_dpop_proof", words);
    refuse(
        &org,
        at(json!({ "htm": "POST" })),
        400,
        "invalid_dpop_proof",
        "'htm' claim in the DPoP proof JWT is invalid.",
    );
    let plain = authorized("GET /api/v1/users", "Bearer", token);
    let words = "The resource request must use the DPoP authentication scheme when using a DPoP bound token.";
    refuse(&org, plain, 400, "invalid_request", words);
    let unproved = authorized("GET /api/v1/users", "DPoP", token);
    refuse(&org, unproved, 400, "invalid_request", "The resource request requires a DPoP proof.");
    let unasked = service(&org, "bot", "okta.users.read").header("dpop", &proof(&org, json!({})));
    assert_eq!(org.check(unasked, 200).text("/token_type"), "Bearer", "a proof that nobody asked for");
}

#[test]
fn everything_is_drawn_from_the_seed() {
    let tokens = || {
        let org = org();
        org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned()
    };
    assert_eq!(tokens(), tokens());
}
