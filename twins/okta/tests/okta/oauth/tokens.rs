//! Codes, tokens and devices: what they are good for, and for how long.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{
    CHALLENGE, DEVICE, PASSWORD, VERIFIER, asked, authorized, form, org, refuse, service, signed_in, tokens, verified,
    wait, web,
};
use crate::support::{Got, ORIGIN, call};

#[test]
fn codes_are_good_once_for_whoever_asked() {
    let org = org();
    let redirect = ("redirect_uri", "https://spa.example/cb");
    let spa = [
        ("client_id", "spa"),
        redirect,
        ("scope", "openid"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let code = signed_in(&org, "/oauth2/v1/authorize", &asked(&spa))["code"].as_str().expect("has a code").to_owned();
    let send = |client: &str, code: &str, own: &[(&str, &str)]| {
        let fields = [("grant_type", "authorization_code"), ("client_id", client), ("code", code)];
        let fields: Vec<_> = fields.into_iter().chain(own.iter().copied()).collect();
        form("/oauth2/v1/token", &fields)
    };
    let verifier = ("code_verifier", VERIFIER);
    let check = |own: &[(&str, &str)], error: &str, words: &str| {
        refuse(&org, send("spa", &code, own), 400, error, words);
    };
    check(&[verifier], "invalid_request", "The required parameter 'redirect_uri' is missing.");
    let other = ("redirect_uri", "https://spa.example/other");
    let words = "The 'redirect_uri' does not match the redirection URI used in the authorization request.";
    check(&[verifier, other], "invalid_grant", words);
    check(&[redirect], "invalid_request", "PKCE code verifier is required by the application.");
    check(&[redirect, ("code_verifier", "wrong")], "invalid_grant", "PKCE verification failed.");
    let got = org.check(send("spa", &code, &[redirect, verifier]), 200);
    assert!(got.body.get("refresh_token").is_none(), "nobody asked for offline access");
    check(&[redirect, verifier], "invalid_grant", "The authorization code is invalid or has expired.");
    let code = signed_in(&org, "/oauth2/v1/authorize", &asked(&spa))["code"].as_str().expect("has a code").to_owned();
    let foreign = [("grant_type", "authorization_code"), ("code", &*code), redirect];
    let words = "The grant was issued to another client. Please make sure the 'client_id' matches the one used at the \
                 authorize request.";
    refuse(&org, web("/oauth2/v1/token", &foreign), 400, "invalid_grant", words);
    wait(&org, 300);
    let late = send("spa", &code, &[redirect, verifier]);
    refuse(&org, late, 400, "invalid_grant", "The authorization code is invalid or has expired.");
}

#[test]
fn refresh_tokens_turn_over_and_replays_end_the_sign_in() {
    let org = org();
    let first = tokens(&org, "/oauth2/default", "openid offline_access");
    let refresh = |token: &str, scope: &str| {
        web("/oauth2/default/v1/token", &[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)])
    };
    let (access, old) = (first.text("/access_token"), first.text("/refresh_token"));
    assert!(verified(&org, "/oauth2/default/v1/keys", access)["jti"].as_str().is_some_and(|jti| jti.contains(".oar")));
    let denied = org.check(refresh(old, "openid email"), 400);
    assert_eq!(denied.text("/error"), "access_denied");
    let second = org.check(refresh(old, ""), 200);
    let new = second.text("/refresh_token");
    assert_ne!(old, new);
    assert!(second.body.get("id_token").is_some());
    org.check(refresh(old, ""), 200);
    wait(&org, 31);
    let words = "The refresh token is invalid or expired.";
    refuse(&org, refresh(old, ""), 400, "invalid_grant", words);
    refuse(&org, refresh(new, ""), 400, "invalid_grant", words);
    let looked = org.check(web("/oauth2/default/v1/introspect", &[("token", second.text("/access_token"))]), 200);
    assert_eq!(looked.body, json!({ "active": false }), "all that came of the sign-in is dead");
    assert_eq!(org.events().get("app.oauth2.as.token.detect_reuse"), Some(&1));
    let idle = tokens(&org, "/oauth2/default", "openid offline_access");
    wait(&org, 7 * 86_400);
    refuse(&org, refresh(idle.text("/refresh_token"), ""), 400, "invalid_grant", words);
}

#[test]
fn passwords_are_a_grant_where_a_client_may() {
    let org = org();
    let send = |name: &str, password: &str, scope: &str| {
        let fields = [("grant_type", "password"), ("username", name), ("password", password), ("scope", scope)];
        web("/oauth2/default/v1/token", &fields)
    };
    let got = org.check(send("lena.fischer", PASSWORD, "openid offline_access"), 200);
    assert!(got.body.get("refresh_token").is_some() && got.body.get("id_token").is_some());
    let words = "The credentials provided were invalid.";
    refuse(&org, send("lena.fischer", "wrong", "openid"), 400, "invalid_grant", words);
    refuse(&org, send("nobody", PASSWORD, "openid"), 400, "invalid_grant", words);
}

#[test]
fn tokens_are_looked_at_and_revoked() {
    let org = org();
    let got = tokens(&org, "/oauth2", "openid offline_access");
    let look = |token: &str, hint: &str| {
        let fields = [("token", token), ("token_type_hint", hint)];
        org.check(web("/oauth2/v1/introspect", &fields), 200).body
    };
    let access = got.text("/access_token");
    let shown = look(access, "access_token");
    assert_eq!(
        (&shown["active"], &shown["client_id"], &shown["token_type"]),
        (&json!(true), &json!("web"), &json!("Bearer"))
    );
    assert_eq!((&shown["scope"], &shown["iss"]), (&json!("openid offline_access"), &json!(ORIGIN)));
    for (token, hint) in [(access, "refresh_token"), ("nonsense", ""), ("a.b.c", "access_token")] {
        assert_eq!(look(token, hint), json!({ "active": false }), "{token} {hint}");
    }
    assert_eq!(look(got.text("/refresh_token"), "")["active"], true);
    assert_eq!(look(got.text("/id_token"), "id_token")["active"], true);
    refuse(&org, web("/oauth2/v1/introspect", &[]), 400, "invalid_request", "The 'token' parameter is required.");
    let elsewhere = org.check(web("/oauth2/default/v1/introspect", &[("token", access)]), 200);
    assert_eq!(elsewhere.body, json!({ "active": false }), "tokens of one server are nothing to another");
    refuse(&org, web("/oauth2/v1/revoke", &[]), 400, "invalid_request", "The 'token' parameter is required.");
    org.check(web("/oauth2/v1/revoke", &[("token", "nonsense")]), 200);
    let gone = org.check(web("/oauth2/v1/revoke", &[("token", access)]), 200);
    assert!(gone.body.is_null());
    assert_eq!(look(access, ""), json!({ "active": false }));
    assert_eq!(look(got.text("/refresh_token"), "")["active"], true, "it outlives its access token");
    let info = org.check(authorized("GET /oauth2/v1/userinfo", "Bearer", access), 401);
    assert!(info.header("www-authenticate").contains("revoked"));
    let other = tokens(&org, "/oauth2", "openid offline_access");
    org.check(web("/oauth2/v1/revoke", &[("token", other.text("/refresh_token"))]), 200);
    assert_eq!(look(other.text("/access_token"), ""), json!({ "active": false }), "it goes with its refresh token");
}

#[test]
fn pages_may_show_their_id_alone() {
    let org = org();
    let check = |id: &str, status: u16| {
        let alone = format!("Basic {}", STANDARD.encode(id));
        let got = form("/oauth2/v1/revoke", &[("token", "nonsense")]).header("authorization", &alone);
        org.check(got, status);
    };
    check("spa", 200);
    check("spa:", 200);
    check("web", 401);
    check("nobody", 401);
}

#[test]
fn access_tokens_end_with_the_clock() {
    let org = org();
    let token = org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned();
    let ask = || authorized("GET /api/v1/users?limit=1", "Bearer", &token);
    wait(&org, 3_599);
    org.check(ask(), 200);
    wait(&org, 1);
    let got = org.refuse(ask(), 401, "E0000011", &[]);
    assert!(
        got.header("www-authenticate")
            .contains("error=\"invalid_token\", error_description=\"The token has expired.\"")
    );
    for (line, words) in [
        ("GET /oauth2/v1/userinfo", "access token is missing"),
        ("GET /oauth2/v1/userinfo?access_token=x", "query string"),
    ] {
        let got = org.send(call(line).anonymous());
        assert!(got.text("/error_description").contains(words), "{}", got.body);
    }
    let unscoped = org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned();
    let got = org.check(authorized("GET /oauth2/v1/userinfo", "Bearer", &unscoped), 403);
    assert_eq!(got.text("/error"), "insufficient_scope");
}

#[test]
fn a_device_waits_until_somebody_lets_it_in() {
    let org = org();
    let begin =
        || org.check(form("/oauth2/default/v1/device/authorize", &[("client_id", "tv"), ("scope", "openid")]), 200);
    let got = begin();
    assert_eq!((&got.body["expires_in"], &got.body["interval"]), (&json!(600), &json!(5)));
    assert_eq!(
        got.text("/verification_uri_complete"),
        format!("{ORIGIN}/activate?user_code={}", got.text("/user_code"))
    );
    let poll = |got: &Got| {
        let fields = [("grant_type", DEVICE), ("client_id", "tv"), ("device_code", got.text("/device_code"))];
        form("/oauth2/default/v1/token", &fields)
    };
    refuse(
        &org,
        poll(&got),
        400,
        "authorization_pending",
        "The device authorization is pending. Please try again later.",
    );
    refuse(&org, poll(&got), 400, "slow_down", "Slow down the polling frequency. Please try again later.");
    wait(&org, 5);
    let code = json!({ "user_code": got.text("/user_code").to_lowercase() });
    org.perform("okta.user.activate_device", "lena", &code).expect("is let in");
    let given = org.check(poll(&got), 200);
    assert_eq!(verified(&org, "/oauth2/default/v1/keys", given.text("/id_token"))["aud"], "tv");
    refuse(&org, poll(&got), 400, "invalid_grant", "The device code is invalid or has expired.");
    let refused = begin();
    let code = json!({ "user_code": refused.text("/user_code"), "allow": false });
    org.perform("okta.user.activate_device", "lena", &code).expect("is refused");
    let words = "The resource owner or authorization server denied the request.";
    refuse(&org, poll(&refused), 403, "access_denied", words);
    let late = begin();
    wait(&org, 600);
    refuse(&org, poll(&late), 400, "expired_token", "The device code has expired.");
    let unknown = org.perform("okta.user.activate_device", "lena", &json!({ "user_code": "NOPE" }));
    assert_eq!(unknown, Err("The user code is invalid or has expired.".to_owned()));
}
