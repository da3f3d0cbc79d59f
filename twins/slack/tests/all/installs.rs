//! Pages on which people let apps have something, what apps fetch with the codes, and Sign in with Slack.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::Jwk};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::desk::{Desk, TESTER};

const BACK: &str = "http://127.0.0.1:9/back";

/// A desk whose Test Harness sends people back, and the app's client id and secret.
fn ready(more: Value) -> (Desk, String, String) {
    let desk = Desk::new();
    let mut with = json!({ "app": "dtu-tester", "redirect_urls": [BACK] });
    for (name, value) in more.as_object().unwrap() {
        with[name] = value.clone();
    }
    desk.act("slack.admin.distribute_app", "dana", with);
    let app = desk.view("apps").into_iter().find(|row| row["key"] == "dtu-tester").unwrap();
    let text = |name: &str| app[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    (desk, id, secret)
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What a page says, and where it sends: status, location, text.
fn page(desk: &Desk, method: Method, path: &str, pairs: &[(&str, &str)]) -> (u16, String, String) {
    let (target, body) = match method {
        Method::GET => (format!("{path}?{}", form(pairs)), String::new()),
        _ => (path.to_owned(), form(pairs)),
    };
    let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    let reply = desk.request(method, &target, &headers, body.as_bytes());
    let location = reply.headers.get("location").map(|value| value.to_str().unwrap().to_owned());
    (reply.status.as_u16(), location.unwrap_or_default(), String::from_utf8_lossy(&reply.body).into_owned())
}

fn parameter(location: &str, name: &str) -> Option<String> {
    let query = location.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[test]
fn a_page_asks_and_sends_back() {
    let (desk, id, secret) = ready(json!({}));
    let link = [
        ("client_id", id.as_str()),
        ("scope", "chat:write,users:read"),
        ("user_scope", "search:read"),
        ("state", "a&b"),
        ("redirect_uri", BACK),
    ];
    let (status, _, text) = page(&desk, Method::GET, "/oauth/v2/authorize", &link);
    assert_eq!(status, 200);
    for wanted in
        ["Test Harness", "<li>chat:write</li>", "<li>search:read</li>", "value=\"a&amp;b\"", "value=\"allow\""]
    {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let sent = |more: &[(&'static str, &'static str)]| {
        let pairs: Vec<(&str, &str)> = link.iter().copied().chain(more.iter().copied()).collect();
        page(&desk, Method::POST, "/oauth/v2/authorize", &pairs)
    };
    let (status, location, _) = sent(&[("decision", "cancel")]);
    assert_eq!((status, location.as_str()), (302, "http://127.0.0.1:9/back?error=access_denied&state=a%26b"));
    let (status, _, text) = sent(&[("decision", "allow"), ("user", "nobody")]);
    assert!(status == 200 && text.contains("nobody here goes by that name"), "{text}");
    let (_, _, text) = sent(&[("decision", "allow"), ("user", "vikram.shetty@acme.example")]);
    assert!(text.contains("class=\"error\""), "guests and leavers install nothing: {text}");
    let (status, location, _) = sent(&[("decision", "allow"), ("user", "lena.fischer@acme.example")]);
    assert_eq!((status, parameter(&location, "state").as_deref()), (302, Some("a&b")));
    let code = parameter(&location, "code").unwrap();
    let client = format!("client_id={id}&client_secret={secret}&code={code}");
    desk.refuses("", "oauth.v2.access", &[(&client, "bad_redirect_uri")]);
    let made = desk.call("", "oauth.v2.access", &format!("{client}&redirect_uri={BACK}"));
    assert_eq!(made["authed_user"]["id"], desk.expand("{@lena}"));
    assert_eq!(made["authed_user"]["scope"], "search:read");
    assert!(made["scope"].as_str().unwrap().contains("chat:write"));
}

#[test]
fn a_page_says_what_is_wrong_with_a_link() {
    let (desk, id, _) = ready(json!({}));
    let check = |path: &str, pairs: &[(&str, &str)], wanted: &str| {
        let (status, location, text) = page(&desk, Method::GET, path, pairs);
        assert!(status == 200 && location.is_empty() && text.contains(wanted), "{wanted}: {text}");
    };
    let id = id.as_str();
    let v2 = "/oauth/v2/authorize";
    check(v2, &[("client_id", "1.2"), ("scope", "chat:write")], "invalid_client_id");
    check(
        v2,
        &[("client_id", id), ("scope", "chat:write"), ("redirect_uri", "http://127.0.0.1:9/backdoor")],
        "bad_redirect_uri",
    );
    check(v2, &[("client_id", id)], "no_scopes");
    check(v2, &[("client_id", id), ("scope", "<b>")], "invalid_scope");
    check(v2, &[("client_id", id), ("scope", "chat:write"), ("team", "T000")], "invalid_team");
    check(v2, &[("client_id", id), ("scope", "chat:write"), ("code_challenge", "x")], "pkce_not_allowed");
    check("/oauth/authorize", &[("client_id", id), ("scope", "bot")], "oauth_authorization_url_mismatch");
    let openid = "/openid/connect/authorize";
    check(openid, &[("client_id", id), ("scope", "openid")], "invalid_response_type");
    check(openid, &[("client_id", id), ("scope", "email"), ("response_type", "code")], "invalid_scope");
}

/// What a verb of the pages gives back: client id and secret with a code, as arguments.
fn let_in(desk: &Desk, with: Value) -> String {
    let told = desk.act("slack.user.install_app", "lena", with);
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    format!("client_id={}&client_secret={}&code={}", text("client_id"), text("client_secret"), text("code"))
}

#[tokio::test]
async fn codes_are_good_for_one_method_once() {
    let (desk, ..) = ready(json!({}));
    let install = let_in(&desk, json!({ "app": "dtu-tester" }));
    let sign_in = let_in(&desk, json!({ "app": "dtu-tester", "flow": "sign_in", "scopes": ["openid"] }));
    desk.refuses("", "oauth.v2.access", &[(&sign_in, "oauth_authorization_url_mismatch")]);
    desk.refuses("", "openid.connect.token", &[(&install, "oauth_authorization_url_mismatch")]);
    desk.refuses(
        "",
        "oauth.access",
        &[(&install, "oauth_authorization_url_mismatch"), ("client_id=1.2", "invalid_client_id")],
    );
    desk.refuses("", "oauth.v2.access", &[(&install, ""), (&install, "invalid_code")]);
    desk.refuses("", "openid.connect.token", &[(&sign_in, ""), (&sign_in, "invalid_code")]);
    let old = let_in(&desk, json!({ "app": "dtu-tester" }));
    desk.universe.advance(Duration::from_secs(601)).await;
    desk.refuses("", "oauth.v2.access", &[(&old, "invalid_code")]);
    let none =
        let_in(&desk, json!({ "app": "dtu-tester", "cancel": false, "user_scopes": ["chat:write"], "scopes": [] }));
    let made = desk.call("", "oauth.v2.access", &none);
    assert!(made["access_token"].is_null() && made["authed_user"]["access_token"].is_string(), "{made}");
}

#[test]
fn a_code_can_ask_for_proof() {
    let (desk, ..) = ready(json!({ "pkce": true }));
    let verifier = "a-verifier-that-is-long-enough-to-be-one-in-earnest";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let ask = |method: &str, challenge: &str| json!({ "app": "dtu-tester", "code_challenge": challenge, "code_challenge_method": method });
    let code = let_in(&desk, ask("S256", &challenge));
    desk.refuses(
        "",
        "oauth.v2.access",
        &[
            (&code, "invalid_code_verifier"),
            (&format!("{code}&code_verifier=another"), "invalid_code_verifier"),
            (&format!("{code}&code_verifier={verifier}"), ""),
        ],
    );
    let plain = let_in(&desk, ask("plain", verifier));
    let without_secret = plain.replace("client_secret=", "other=");
    desk.refuses("", "oauth.v2.access", &[(&format!("{without_secret}&code_verifier={verifier}"), "")]);
    let refused = desk.try_act("slack.user.install_app", "lena", ask("S512", "x")).unwrap_err();
    assert!(refused.contains("invalid_code_challenge_method"), "{refused}");
    desk.act("slack.admin.distribute_app", "dana", json!({ "app": "dtu-tester", "pkce": false }));
    let bare = let_in(&desk, json!({ "app": "dtu-tester" }));
    desk.refuses("", "oauth.v2.access", &[(&format!("{bare}&code_verifier={verifier}"), "pkce_not_allowed")]);
}

#[test]
fn people_sign_in_with_slack() {
    let (desk, id, _) = ready(json!({ "token_rotation": true }));
    let get =
        |path: &str| -> Value { serde_json::from_slice(&desk.request(Method::GET, path, &[], b"").body).unwrap() };
    let about = get("/.well-known/openid-configuration");
    assert_eq!(about["issuer"], "http://127.0.0.1:7003");
    assert_eq!(about["jwks_uri"], "http://127.0.0.1:7003/openid/connect/keys");
    let scopes = ["openid", "email", "profile"];
    let ask = json!({ "app": "dtu-tester", "flow": "sign_in", "scopes": scopes, "nonce": "n-1" });
    let code = let_in(&desk, ask);
    let made = desk.call("", "openid.connect.token", &code);
    assert_eq!((&made["token_type"], &made["expires_in"]), (&json!("Bearer"), &json!(43_200)));
    let key: Jwk = serde_json::from_value(get("/openid/connect/keys")["keys"][0].clone()).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[&id]);
    rules.set_issuer(&["http://127.0.0.1:7003"]);
    rules.validate_exp = false;
    let token = made["id_token"].as_str().unwrap();
    let claims = decode::<Value>(token, &DecodingKey::from_jwk(&key).unwrap(), &rules).unwrap().claims;
    let lena = desk.expand("{@lena}");
    assert_eq!(
        (&claims["sub"], &claims["nonce"], &claims["email"]),
        (&json!(lena), &json!("n-1"), &json!("lena.fischer@acme.example"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    let access = made["access_token"].as_str().unwrap();
    let half = URL_SAFE_NO_PAD.encode(&Sha256::digest(access)[..16]);
    assert_eq!(claims["at_hash"], half);
    let told = desk.call(access, "openid.connect.userInfo", "");
    assert_eq!((&told["sub"], &told["given_name"]), (&json!(lena), &json!("Lena")));
    assert_eq!(told["https://slack.com/team_domain"], claims["https://slack.com/team_domain"]);
    assert_eq!(desk.error(TESTER, "openid.connect.userInfo", ""), "not_allowed_token_type");
    let again = format!(
        "{}&grant_type=refresh_token&refresh_token={}",
        code.split("&code=").next().unwrap(),
        made["refresh_token"].as_str().unwrap()
    );
    let next = desk.call("", "openid.connect.token", &again);
    assert!(next["id_token"].is_string(), "{next}");
    desk.refuses(
        "",
        "openid.connect.token",
        &[(&again, "invalid_refresh_token"), (&format!("{again}&grant_type=x"), "invalid_grant_type")],
    );
    let bare = desk.call(
        "",
        "openid.connect.token",
        &let_in(&desk, json!({ "app": "dtu-tester", "flow": "sign_in", "scopes": ["openid"] })),
    );
    let told = desk.call(bare["access_token"].as_str().unwrap(), "openid.connect.userInfo", "");
    assert!(told["email"].is_null() && told["name"].is_null() && told["sub"] == json!(lena), "{told}");
}

#[test]
fn classic_apps_fetch_their_tokens_the_old_way() {
    let (desk, id, secret) = ready(json!({ "classic": true }));
    let link = [("client_id", id.as_str()), ("scope", "bot,commands chat:write"), ("state", "s")];
    let pairs: Vec<(&str, &str)> = link.iter().copied().chain([("decision", "allow"), ("user", "lena")]).collect();
    let (_, location, _) = page(&desk, Method::POST, "/oauth/authorize", &pairs);
    let code = format!("client_id={id}&client_secret={secret}&code={}", parameter(&location, "code").unwrap());
    let made = desk.call("", "oauth.access", &code);
    assert_eq!((&made["scope"], &made["user_id"]), (&json!("chat:write,bot,commands"), &json!(desk.expand("{@lena}"))));
    assert!(made["access_token"].as_str().unwrap().starts_with("xoxp-"), "{made}");
    assert_eq!(made["bot"]["bot_user_id"], desk.expand("{@dtutester}"));
    let bot = made["bot"]["bot_access_token"].as_str().unwrap();
    assert_eq!(desk.error(bot, "stars.list", ""), "not_allowed_token_type");
    assert_eq!(desk.error(bot, "usergroups.list", ""), "", "the scope `bot` stands for all of a bot's");
    desk.refuses(
        "",
        "oauth.access",
        &[(&code, "code_already_used"), (&format!("{code}&single_channel=true"), "missing_resource")],
    );
}
