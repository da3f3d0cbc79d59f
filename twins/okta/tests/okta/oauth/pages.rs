//! What pages of other origins may read, and what clients sign, ask and say of people's browsers.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{CHALLENGE, VERIFIER, asked, authorized, form, org, query, refuse, sent, signed_in, tokens, web};
use crate::support::{Call, Got, ORIGIN, Org, call};

const SPA: &str = "https://spa.example";
const TRUSTED: &str = "https://trusted.example";

fn trust(org: &Org, scopes: &Value) {
    let body = json!({ "name": "Trusted", "origin": TRUSTED, "scopes": scopes });
    org.post("/api/v1/trustedOrigins", &body);
}

/// Who may read an answer, and whether with cookies.
fn reader(got: &Got) -> (&str, &str) {
    (got.header("access-control-allow-origin"), got.header("access-control-allow-credentials"))
}

#[test]
fn a_page_reads_what_it_may() {
    let org = org();
    trust(&org, &json!([{ "type": "CORS" }]));
    let access = tokens(&org, "/oauth2", "openid").text("/access_token").to_owned();
    let all: Vec<(&str, Call)> = vec![
        ("metadata", call("GET /.well-known/openid-configuration").anonymous()),
        ("metadata", call("GET /oauth2/default/.well-known/openid-configuration").anonymous()),
        ("keys", call("GET /oauth2/v1/keys").anonymous()),
        ("introspection", web("/oauth2/v1/introspect", &[("token", &access)])),
        ("a session", call("GET /api/v1/sessions/me").anonymous().header("cookie", "sid=none")),
    ];
    for (what, call) in all {
        let from = |origin: &str| org.send(call.clone().header("origin", origin));
        assert_eq!(reader(&org.send(call.clone())), ("", ""), "{what}: a program");
        assert_eq!(reader(&from(SPA)), ("", ""), "{what}: a page of a client");
        assert_eq!(reader(&from("https://evil.example")), ("", ""), "{what}: any page");
        if what != "a session" {
            assert_eq!(reader(&from(TRUSTED)), (TRUSTED, "true"), "{what}: a trusted page");
        }
    }
    let info = authorized("GET /oauth2/v1/userinfo", "Bearer", &access).header("origin", TRUSTED);
    assert_eq!(reader(&org.check(info, 200)), (TRUSTED, "true"));
    let users = authorized("GET /api/v1/users/me", "Bearer", &access).header("origin", SPA);
    assert_eq!(reader(&org.send(users)).0, "", "refused before it is known who calls");
}

#[test]
fn a_page_that_only_redirects_is_trusted_with_nothing_else() {
    let org = org();
    trust(&org, &json!([{ "type": "REDIRECT" }]));
    let got = org.send(call("GET /oauth2/v1/keys").anonymous().header("origin", TRUSTED));
    assert_eq!(reader(&got), ("", ""));
}

#[test]
fn a_page_exchanges_its_own_code() {
    let org = org();
    let ask = [("client_id", "spa"), ("redirect_uri", "https://spa.example/cb"), ("scope", "openid")];
    let pkce = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let back = signed_in(&org, "/oauth2/v1/authorize", &asked(&[&ask[..], &pkce].concat()));
    let exchange = |code: &str, origin: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "spa"),
            ("code", code),
            ("redirect_uri", "https://spa.example/cb"),
            ("code_verifier", VERIFIER),
        ];
        org.send(form("/oauth2/v1/token", &fields).header("origin", origin))
    };
    let got = exchange("wrong", SPA);
    assert_eq!((got.status, reader(&got)), (400, (SPA, "true")), "refusals can be read as well");
    let got = exchange("wrong", "https://evil.example");
    assert_eq!((got.status, reader(&got)), (400, ("", "")));
    let got = exchange(back["code"].as_str().expect("has a code"), SPA);
    assert_eq!((got.status, reader(&got)), (200, (SPA, "true")), "{}", got.body);
    // A client with a secret has no page to keep it in.
    let words = "Browser requests to the token endpoint must use Proof Key for Code Exchange.";
    let fields = [("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", "https://web.example/cb")];
    refuse(
        &org,
        web("/oauth2/v1/token", &fields).header("origin", "https://web.example"),
        401,
        "invalid_request",
        words,
    );
    let own = org.send(web("/oauth2/v1/token", &fields).header("origin", ORIGIN));
    assert_eq!((own.status, reader(&own)), (400, ("", "")), "the org's own pages are no others");
}

#[test]
fn browsers_ask_before() {
    let org = org();
    trust(&org, &json!([{ "type": "CORS" }]));
    for path in ["/oauth2/v1/userinfo", "/oauth2/default/v1/revoke", "/.well-known/openid-configuration"] {
        let ask = |origin: &str| {
            let call = call(&format!("OPTIONS {path}")).anonymous().header("origin", origin);
            let call = call.header("access-control-request-method", "GET");
            org.check(call.header("access-control-request-headers", "authorization"), 204)
        };
        let got = ask(TRUSTED);
        assert_eq!(reader(&got), (TRUSTED, "true"), "{path}");
        assert_eq!(got.header("access-control-allow-headers"), "authorization");
        assert_eq!(reader(&ask(SPA)), ("", ""));
    }
}

/// A request of the web client, signed with its secret.
fn object(org: &Org, changes: Value) -> String {
    let now = org.universe.now().as_secs();
    let mut claims = json!({
        "iss": "web", "aud": ORIGIN, "exp": now + 300, "iat": now, "jti": "one",
        "scope": "openid", "response_type": "code", "redirect_uri": "https://web.example/cb", "state": "signed",
    });
    claims.as_object_mut().expect("is an object").extend(changes.as_object().cloned().expect("is an object"));
    let key = EncodingKey::from_secret(b"web-secret");
    encode(&Header::new(Algorithm::HS256), &claims, &key).expect("signs")
}

#[test]
fn a_client_signs_its_request() {
    let org = org();
    let by = |text: &str| signed_in(&org, "/oauth2/v1/authorize", &asked(&[("scope", "openid"), ("request", text)]));
    let back = by(&object(&org, json!({})));
    assert!(back.contains_key("code"), "{back:?}");
    assert_eq!(back["state"], "signed", "what is signed counts");
    let check = |changes: Value, error: &str, words: &str| {
        let back = by(&object(&org, changes));
        assert_eq!((&back["error"], &back["error_description"]), (&json!(error), &json!(words)));
    };
    let bad = "invalid_request_object";
    check(json!({}), bad, "The request object JWT has already been used.");
    check(json!({ "iss": "spa" }), bad, "The issuer claim of the request object JWT must be the client_id.");
    check(
        json!({ "aud": "https://other.example" }),
        bad,
        "The audience claim of the request object JWT must be the issuer of the authorization server.",
    );
    check(
        json!({ "exp": 5, "jti": "two" }),
        bad,
        "The request object JWT is expired, not yet valid, or has an expiration too far into the future.",
    );
    check(
        json!({ "scope": "openid email", "jti": "three" }),
        "invalid_request",
        "The request object JWT and the authorize request have different values for the same parameter.",
    );
    let forged = object(&org, json!({ "jti": "four" }));
    let forged = format!("{}x", &forged[..forged.len() - 1]);
    assert_eq!(by(&forged)["error_description"], "The request object JWT signature is invalid.");
    // Pushed, it is looked at once.
    let pushed = org.check(web("/oauth2/v1/par", &[("request", &object(&org, json!({ "jti": "five" })))]), 200);
    let ask = [("client_id", "web"), ("request_uri", pushed.text("/request_uri"))];
    assert_eq!(signed_in(&org, "/oauth2/v1/authorize", &ask)["state"], "signed");
}

#[test]
fn only_the_session_of_the_hinted_person_ends() {
    let org = org();
    let hint = tokens(&org, "/oauth2", "openid").text("/id_token").to_owned();
    let session = |who: &str| {
        let token = org.perform("okta.user.sign_in", who, &json!({})).expect("signs in");
        let line = format!(
            "GET /login/sessionCookieRedirect?token={}&redirectUrl=/",
            token["sessionToken"].as_str().expect("is text")
        );
        let got = org.check(call(&line).anonymous(), 302);
        got.header("set-cookie").split(';').next().expect("sets a cookie").to_owned()
    };
    for (who, ends) in [("noor", false), ("lena", true)] {
        let cookie = session(who);
        let fields =
            [("id_token_hint", &*hint), ("post_logout_redirect_uri", "https://web.example/bye"), ("state", "s")];
        let got = org.check(form("/oauth2/v1/logout", &fields).header("cookie", &cookie), 302);
        assert_eq!(got.header("location"), "https://web.example/bye?state=s", "{who}");
        let silent = query(&asked(&[("prompt", "none")]));
        let after = org.send(call(&format!("GET /oauth2/v1/authorize?{silent}")).anonymous().header("cookie", &cookie));
        assert_eq!(sent(&after).1.contains_key("error"), ends, "{who}");
    }
}

#[test]
fn consent_is_asked_once_more_where_the_client_says_so() {
    let org = org();
    let scope = call("POST /api/v1/authorizationServers/default/scopes");
    org.check(scope.json(&json!({ "name": "tell", "consent": "REQUIRED" })), 201);
    let body = json!({
        "name": "oidc_client", "label": "Asks", "signOnMode": "OPENID_CONNECT",
        "settings": { "implicitAssignment": true, "oauthClient": {
            "application_type": "web", "grant_types": ["authorization_code"], "response_types": ["code"],
            "redirect_uris": ["https://asks.example/cb"], "consent_method": "REQUIRED",
        } },
    });
    let app = org.post("/api/v1/apps", &body);
    let own = [("client_id", app.text("/id")), ("redirect_uri", "https://asks.example/cb"), ("scope", "openid tell")];
    let token = org.perform("okta.user.sign_in", "lena", &json!({})).expect("signs in");
    let line = format!(
        "GET /login/sessionCookieRedirect?token={}&redirectUrl=/",
        token["sessionToken"].as_str().expect("is text")
    );
    let cookie =
        org.check(call(&line).anonymous(), 302).header("set-cookie").split(';').next().expect("has one").to_owned();
    let send = |more: &[(&str, &str)]| {
        let fields = asked(&[&own[..], more].concat());
        org.send(form("/oauth2/default/v1/authorize", &fields).header("cookie", &cookie))
    };
    let is_asked =
        |got: &Got| got.status == 200 && got.body.as_str().is_some_and(|page| page.contains("would like to"));
    assert!(is_asked(&send(&[])));
    assert!(sent(&send(&[("okta_consent", "allow")])).1.contains_key("code"));
    assert!(sent(&send(&[])).1.contains_key("code"), "who has consented is not asked");
    assert!(is_asked(&send(&[("prompt", "consent")])), "but where the client wants it");
    assert!(sent(&send(&[("prompt", "consent"), ("okta_consent", "allow")])).1.contains_key("code"));
    let page = send(&[("prompt", "login consent")]);
    let text = page.body.as_str().expect("is a page");
    assert!(text.contains("name=\"password\"") && text.contains("prompt=consent"), "{text}");
}

#[test]
fn a_star_in_an_address_stands_for_a_part_of_a_domain() {
    for (wildcard, fits) in [("SUBDOMAIN", true), ("DISABLED", false)] {
        let org = org();
        let body = json!({
            "name": "oidc_client", "label": "Previews", "signOnMode": "OPENID_CONNECT",
            "settings": { "implicitAssignment": true, "oauthClient": {
                "application_type": "web", "grant_types": ["authorization_code"], "response_types": ["code"],
                "redirect_uris": ["https://pr-*.previews.example/cb"], "wildcard_redirect": wildcard,
            } },
        });
        let app = org.post("/api/v1/apps", &body);
        let ask = |address: &str| {
            let own =
                [("client_id", app.text("/id")), ("redirect_uri", address), ("scope", "openid"), ("prompt", "none")];
            org.send(call(&format!("GET /oauth2/v1/authorize?{}", query(&asked(&own)))).anonymous()).status
        };
        assert_eq!(ask("https://pr-12.previews.example/cb"), if fits { 302 } else { 400 }, "{wildcard}");
        assert_eq!(ask("https://pr-1.evil.previews.example/cb"), 400, "{wildcard}");
    }
}
