//! People who sign in to clients, and out again.

use serde_json::{Value, json};

use super::{
    CHALLENGE, PASSWORD, asked, authorized, form, org, query, refuse, sent, signed_in, tokens, verified, wait, web,
};
use crate::support::{ORIGIN, call};

#[test]
fn somebody_signs_in_with_a_code() {
    let org = org();
    for (server, issuer) in [("/oauth2", ORIGIN.to_owned()), ("/oauth2/default", format!("{ORIGIN}/oauth2/default"))] {
        let scope = if server == "/oauth2" {
            "openid profile email groups offline_access"
        } else {
            "openid profile email offline_access"
        };
        let got = tokens(&org, server, scope);
        let access = verified(&org, &format!("{server}/v1/keys"), got.text("/access_token"));
        let id = verified(&org, &format!("{server}/v1/keys"), got.text("/id_token"));
        let lena = org.id("lena.fischer");
        assert_eq!((&access["iss"], &access["uid"]), (&json!(issuer), &json!(lena)));
        assert_eq!(access["sub"].as_str().map(|sub| sub.contains("@acme")), Some(true), "{access}");
        assert_eq!((&id["iss"], &id["aud"], &id["sub"]), (&json!(issuer), &json!("web"), &json!(lena)));
        assert_eq!((&id["nonce"], &id["amr"]), (&json!("n1"), &json!(["pwd"])));
        assert_eq!(id["at_hash"], dtu_okta::oauth::jwt::half_digest(got.text("/access_token")));
        assert_eq!(id["name"], "Lena Fischer");
        assert_eq!(id["groups"].is_array(), server == "/oauth2");
        assert!(id.get("given_name").is_none(), "the rest is at the userinfo endpoint");
        let info = authorized(&format!("GET {server}/v1/userinfo"), "Bearer", got.text("/access_token"));
        let info = org.check(info, 200);
        assert_eq!(
            (info.text("/given_name"), info.text("/sub"), &info.body["email_verified"]),
            ("Lena", &*lena, &json!(true))
        );
    }
}

#[test]
fn requests_to_sign_in_that_cannot_be_sent_back_are_shown() {
    let org = org();
    let check = |changes: &[(&str, &str)], words: &str| {
        let got = org.check(call(&format!("GET /oauth2/v1/authorize?{}", query(&asked(changes)))).anonymous(), 400);
        assert!(got.header("content-type").starts_with("text/html"));
        assert!(got.body.as_str().is_some_and(|page| page.contains(words)), "{}", got.body);
    };
    check(&[("client_id", "")], "client_id");
    check(&[("client_id", "nope")], "client_id");
    check(&[("redirect_uri", "")], "redirect_uri");
    check(&[("redirect_uri", "https://evil.example/cb")], "Login redirect URI");
    check(&[("request_uri", "urn:x")], "request_uri");
    let twice = format!("GET /oauth2/v1/authorize?{}&state=2", query(&asked(&[])));
    refuse(
        &org,
        call(&twice).anonymous(),
        400,
        "invalid_request",
        "Duplicate parameter provided in request. Duplicated parameters: [state].",
    );
}

#[test]
fn requests_to_sign_in_that_are_refused_to_the_client() {
    let org = org();
    let check = |changes: &[(&str, &str)], error: &str, words: &str| {
        let got = org.send(call(&format!("GET /oauth2/v1/authorize?{}", query(&asked(changes)))).anonymous());
        let (address, back) = sent(&got);
        assert_eq!((&*address, &back["error"]), ("https://web.example/cb", &json!(error)), "{back:?}");
        assert!(back["error_description"].as_str().is_some_and(|text| text.starts_with(words)), "{back:?}");
    };
    check(&[("state", "")], "invalid_request", "The authentication request has an invalid 'state' parameter.");
    check(&[("response_type", "")], "unsupported_response_type", "The response type is not supported");
    check(&[("response_type", "magic")], "unsupported_response_type", "The response type is not supported");
    check(&[("response_mode", "magic")], "unsupported_response_mode", "The response mode is not supported");
    check(
        &[("response_type", "id_token"), ("response_mode", "query")],
        "unsupported_response_mode",
        "'query' response mode",
    );
    check(&[("response_mode", "okta_post_message")], "unsupported_response_mode", "'okta_post_message' response mode");
    check(&[("response_type", "id_token"), ("nonce", "")], "invalid_request", "The 'nonce' parameter is required");
    check(&[("scope", "")], "invalid_scope", "No scopes were requested.");
    check(&[("scope", "openid magic")], "invalid_scope", "One or more scopes");
    check(&[("scope", "profile")], "invalid_scope", "Requests for ID tokens or access tokens with OpenID scopes");
    check(&[("prompt", "magic")], "invalid_request", "Invalid value for 'prompt' parameter.");
    check(&[("prompt", "none login")], "invalid_request", "Invalid value for 'prompt' parameter.");
    check(&[("prompt", "none")], "login_required", "The client specified not to prompt");
    check(&[("prompt", "none"), ("max_age", "0")], "invalid_request", "'prompt' parameter must not have");
    check(&[("prompt", "enroll_authenticator")], "invalid_request", "Authenticator enrollment requires");
    check(&[("max_age", "soon")], "invalid_request", "Invalid value for 'max_age'");
    check(&[("code_challenge", CHALLENGE)], "invalid_request", "PKCE code challenge method is not supported.");
    check(
        &[("code_challenge", CHALLENGE), ("code_challenge_method", "plain")],
        "invalid_request",
        "PKCE code challenge m",
    );
    check(
        &[("code_challenge", "short"), ("code_challenge_method", "S256")],
        "invalid_request",
        "PKCE code challenge con",
    );
    check(&[("idp", "0oa1")], "invalid_request", "Identity provider is not valid.");
    check(&[("request", "e30.e30.")], "invalid_request_object", "The request object JWT signature algorithm");
    check(&[("enroll_amr_values", "pwd")], "invalid_request", "Authenticator enrollment requires");
    check(&[("interclient_token", "x")], "access_denied", "No trust relationship");
    check(&[("sessionToken", "x")], "login_required", "The client specified not to prompt");
    let spa = [("client_id", "spa"), ("redirect_uri", "https://spa.example/cb"), ("scope", "openid")];
    let got = org.send(call(&format!("GET /oauth2/v1/authorize?{}", query(&asked(&spa)))).anonymous());
    assert_eq!(sent(&got).1["error_description"], "PKCE code challenge is required by the application.");
}

#[test]
fn a_browser_signs_in_on_the_page() {
    let org = org();
    let line = format!("GET /oauth2/v1/authorize?{}", query(&asked(&[("login_hint", "lena.fischer")])));
    let page = org.check(call(&line).anonymous(), 200);
    let text = page.body.as_str().expect("is a page");
    assert!(text.contains("name=\"password\"") && text.contains("value=\"lena.fischer\""));
    let next = text.split("name=\"fromURI\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let next = next.expect("says where to go next").replace("&amp;", "&");
    let send = |password: &str| {
        let fields = [("username", "lena.fischer"), ("password", password), ("fromURI", &*next)];
        org.send(form("/login/login.htm", &fields))
    };
    assert_eq!(send("wrong").status, 401);
    let done = send(PASSWORD);
    assert_eq!((done.status, done.header("location")), (302, &*next));
    let cookie = done.header("set-cookie").split(';').next().expect("sets a cookie").to_owned();
    let got = org.send(call(&format!("GET {next}")).anonymous().header("cookie", &cookie));
    let (address, back) = sent(&got);
    assert_eq!((&*address, &back["state"]), ("https://web.example/cb", &json!("s1")));
    let silent = query(&asked(&[("prompt", "none")]));
    let silently = call(&format!("GET /oauth2/v1/authorize?{silent}")).anonymous().header("cookie", &cookie);
    assert!(sent(&org.send(silently.clone())).1.contains_key("code"), "the session is still there");
    let again = query(&asked(&[("prompt", "login")]));
    org.check(call(&format!("GET /oauth2/v1/authorize?{again}")).anonymous().header("cookie", &cookie), 200);
    let posted = form("/oauth2/v1/authorize", &asked(&[("response_mode", "form_post")])).header("cookie", &cookie);
    let posted = org.check(posted, 200);
    assert!(posted.body.as_str().is_some_and(|page| page.contains("action=\"https://web.example/cb\"")));
    wait(&org, 2 * 3_600);
    assert_eq!(sent(&org.send(silently)).1["error"], "login_required", "sessions end");
    let evil = form(
        "/login/login.htm",
        &[("username", "lena.fischer"), ("password", PASSWORD), ("fromURI", "//evil.example")],
    );
    assert_eq!(org.send(evil).header("location"), "/");
}

#[test]
fn session_tokens_sign_in_once() {
    let org = org();
    let authn = |password: &str| {
        call("POST /api/v1/authn").anonymous().json(&json!({ "username": "lena.fischer", "password": password }))
    };
    org.refuse(authn("wrong"), 401, "E0000004", &[]);
    let token = org.check(authn(PASSWORD), 200).text("/sessionToken").to_owned();
    let line = format!("GET /oauth2/v1/authorize?{}", query(&asked(&[("sessionToken", &token)])));
    let got = org.send(call(&line).anonymous());
    assert!(sent(&got).1.contains_key("code") && got.header("set-cookie").starts_with("sid="));
    assert_eq!(sent(&org.send(call(&line).anonymous())).1["error"], "login_required");
    let token = org.check(authn(PASSWORD), 200).text("/sessionToken").to_owned();
    let line = format!("GET /login/sessionCookieRedirect?token={token}&redirectUrl={ORIGIN}/activate");
    let got = org.check(call(&line).anonymous(), 302);
    assert!(got.header("set-cookie").starts_with("sid=102"), "{:?}", got.headers);
}

#[test]
fn tokens_come_without_a_code_where_a_client_may() {
    let org = org();
    let check = |kind: &str, members: &[&str]| {
        let back = signed_in(&org, "/oauth2/v1/authorize", &asked(&[("response_type", kind)]));
        for member in ["code", "access_token", "id_token"] {
            assert_eq!(back.contains_key(member), members.contains(&member), "{kind}: {member}");
        }
        if let Some(token) = back.get("id_token").and_then(Value::as_str) {
            let claims = verified(&org, "/oauth2/v1/keys", token);
            assert_eq!(claims.get("at_hash").is_some(), members.contains(&"access_token"), "{kind}");
            assert_eq!(claims.get("c_hash").is_some(), members.contains(&"code"), "{kind}");
            assert_eq!(claims.get("given_name").is_some(), members.len() == 1, "{kind}: alone, it says all");
        }
    };
    check("code", &["code"]);
    check("id_token", &["id_token"]);
    check("token", &["access_token"]);
    check("id_token token", &["access_token", "id_token"]);
    check("code id_token", &["code", "id_token"]);
    check("code token", &["code", "access_token"]);
    check("id_token token code", &["code", "access_token", "id_token"]);
}

#[test]
fn requests_are_pushed_beforehand() {
    let org = org();
    let pushed = org.check(web("/oauth2/v1/par", &asked(&[("client_id", "")])), 200);
    let address = pushed.text("/request_uri");
    let back = signed_in(&org, "/oauth2/v1/authorize", &[("client_id", "web"), ("request_uri", address)]);
    assert!(back.contains_key("code"));
    let bad = web("/oauth2/v1/par", &asked(&[("client_id", ""), ("redirect_uri", "https://evil.example")]));
    let words = "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.";
    refuse(&org, bad, 400, "invalid_request", words);
    let nested = web("/oauth2/v1/par", &asked(&[("client_id", ""), ("request_uri", "urn:x")]));
    refuse(&org, nested, 400, "invalid_request", "The 'request_uri' parameter must not be present in the request.");
}

#[test]
fn signing_out_ends_the_session_and_goes_back() {
    let org = org();
    let id_token = tokens(&org, "/oauth2", "openid").text("/id_token").to_owned();
    let authn = json!({ "username": "lena.fischer", "password": PASSWORD });
    let token = org.check(call("POST /api/v1/authn").anonymous().json(&authn), 200).text("/sessionToken").to_owned();
    let begun =
        org.send(call(&format!("GET /oauth2/v1/authorize?{}", query(&asked(&[("sessionToken", &token)])))).anonymous());
    let cookie = begun.header("set-cookie").split(';').next().expect("sets a cookie").to_owned();
    let out = |fields: &[(&str, &str)]| {
        call(&format!("GET /oauth2/v1/logout?{}", query(fields))).anonymous().header("cookie", &cookie)
    };
    let hint = ("id_token_hint", &*id_token);
    for (fields, words) in [
        (vec![], "id_token_hint"),
        (vec![("id_token_hint", "x")], "The id token is invalid."),
        (vec![hint, ("post_logout_redirect_uri", "https://evil.example")], "Logout redirect URI"),
    ] {
        let got = org.check(out(&fields), 400);
        assert!(got.body.as_str().is_some_and(|page| page.contains(words)), "{}", got.body);
    }
    let got = org.check(out(&[hint, ("post_logout_redirect_uri", "https://web.example/bye"), ("state", "a b")]), 302);
    assert_eq!(got.header("location"), "https://web.example/bye?state=a+b");
    let silent = query(&asked(&[("prompt", "none")]));
    let after = org.send(call(&format!("GET /oauth2/v1/authorize?{silent}")).anonymous().header("cookie", &cookie));
    assert_eq!(sent(&after).1["error"], "login_required");
}
