//! What all methods share: tokens, arguments, headers, errors of the transport.

use dtu_kernel::{clock::ClockMode, fault::Rule, universe::Options};
use http::Method;
use serde_json::{Value, json};

use crate::desk::{APP, BOT, DANA, Desk, TESTER};

#[test]
fn tokens_are_believed_or_refused() {
    let desk = Desk::new();
    let check = |token: &str, code: &str| assert_eq!(desk.error(token, "auth.test", ""), code, "{token}");
    check("", "not_authed");
    check("xoxb-nonsense", "invalid_auth");
    check(BOT, "");
    check(DANA, "");
    check(APP, "");
    assert_eq!(desk.error(APP, "users.list", ""), "not_allowed_token_type");
}

#[test]
fn tokens_come_in_the_header_or_the_form_only() {
    let desk = Desk::new();
    let error = |target: &str, headers: &[(&str, String)], body: &str| {
        let reply = desk.request(Method::POST, target, headers, body.as_bytes());
        serde_json::from_slice::<Value>(&reply.body).unwrap()["error"].as_str().unwrap_or_default().to_owned()
    };
    let form = ("content-type", "application/x-www-form-urlencoded".to_owned());
    let json = ("content-type", "application/json; charset=utf-8".to_owned());
    let bearer = |scheme: &str| ("authorization", format!("{scheme} {BOT}"));
    assert_eq!(error("/api/auth.test", &[bearer("Bearer")], ""), "");
    assert_eq!(error("/api/auth.test", &[bearer("bEARER")], ""), "");
    assert_eq!(error("/api/auth.test", &[bearer("Basic")], ""), "not_authed");
    assert_eq!(error("/api/auth.test", &[form], &format!("token={BOT}")), "");
    assert_eq!(error("/api/auth.test", std::slice::from_ref(&json), &format!("{{\"token\":\"{BOT}\"}}")), "not_authed");
    assert_eq!(error(&format!("/api/auth.test?token={BOT}"), &[], ""), "not_authed");
    // A JSON content type without a body is how some clients say "no arguments".
    assert_eq!(error("/api/auth.test", &[json, bearer("Bearer")], ""), "");
}

#[test]
fn who_am_i() {
    let desk = Desk::new();
    let answer = desk.call(BOT, "auth.test", "");
    let app = desk.state().find_app("access-bot").unwrap().clone();
    let team = &desk.state().workspace.id;
    assert_eq!(
        answer,
        json!({ "ok": true, "url": "https://acme-corp.slack.com/", "team": "Acme", "user": "accessbot", "team_id": team,
            "user_id": app.bot_user, "bot_id": app.bot, "is_enterprise_install": false })
    );
    assert_eq!(answer.as_object().unwrap().keys().next().unwrap(), "ok");
    let dana = desk.call(DANA, "auth.test", "");
    assert_eq!((dana["user"].as_str(), dana.get("bot_id")), (Some("dana.whitfield"), None));
    let app = desk.call(APP, "auth.test", "");
    assert_eq!((app["app_name"].as_str(), app.get("team")), (Some("Test Harness"), None));
}

#[test]
fn api_test_echoes() {
    let desk = Desk::new();
    assert_eq!(desk.call("", "api.test", ""), json!({ "ok": true }));
    assert_eq!(desk.call("", "api.test", "foo=bar"), json!({ "ok": true, "args": { "foo": "bar" } }));
    assert_eq!(desk.call("", "api.test", "error=")["ok"], true);
    let refused = json!({ "ok": false, "error": "my_error", "args": { "error": "my_error" } });
    assert_eq!(desk.call("", "api.test", "error=my_error"), refused);
}

#[test]
fn the_form_of_a_request_is_checked() {
    let desk = Desk::new();
    let check = |content_type: &str, body: &[u8], code: &str| {
        let mut headers = vec![("authorization", format!("Bearer {BOT}"))];
        if !content_type.is_empty() {
            headers.push(("content-type", content_type.to_owned()));
        }
        let reply = desk.request(Method::POST, "/api/chat.postMessage", &headers, body);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["error"].as_str().unwrap_or_default(), code, "{content_type}");
    };
    check("application/json", b"{", "invalid_json");
    check("application/json", b"[]", "json_not_object");
    check("application/json; charset=latin-9", b"{}", "invalid_charset");
    check("application/xml", b"<a/>", "invalid_post_type");
    check("", b"channel=x", "missing_post_type");
    check("multipart/form-data", b"x", "invalid_form_data");
    check("multipart/form-data; boundary=x", b"nothing", "invalid_form_data");
    check("application/x-www-form-urlencoded", b"channel=\xff", "invalid_form_data");
    check("application/x-www-form-urlencoded", b"users[0]=U1", "invalid_array_arg");
    check("application/x-www-form-urlencoded", b"a+b=U1", "invalid_arg_name");
    check("application/x-www-form-urlencoded", b"", "invalid_arguments");
}

#[test]
fn arguments_come_from_query_form_and_json() {
    let desk = Desk::new();
    let general = desk.expand("{#general}");
    let bearer = ("authorization", format!("Bearer {TESTER}"));
    let name = |reply: dtu_kernel::wire::Reply| {
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        body["channel"]["name"].as_str().map_or_else(|| body["error"].to_string(), str::to_owned)
    };
    let info = format!("/api/conversations.info?channel={general}");
    assert_eq!(name(desk.request(Method::GET, &info, std::slice::from_ref(&bearer), b"")), "general");
    assert_eq!(name(desk.request(Method::POST, &info, std::slice::from_ref(&bearer), b"")), "general");
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"channel\"\r\n\r\n{general}\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nraw\r\n--b--\r\n"
    );
    let content_type = ("content-type", "multipart/form-data; boundary=b".to_owned());
    let reply = desk.request(Method::POST, "/api/conversations.info", &[bearer, content_type], multipart.as_bytes());
    assert_eq!(name(reply), "general");
    // This method takes no JSON: what is in it is not looked at.
    let ignored = desk.call_json(TESTER, "conversations.info", &json!({ "channel": general }));
    assert_eq!(ignored["error"], "invalid_arguments");
    assert_eq!(ignored["response_metadata"]["messages"][0], "[ERROR] missing required field: channel");
    // Null stands for the default.
    let posted =
        desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": general, "text": "x", "thread_ts": null }));
    assert_eq!(posted["ok"], true);
}

#[test]
fn warnings_tell_of_the_charset() {
    let desk = Desk::new();
    let warning = |content_type: &str, body: &str| {
        let reply = desk.send("auth.test", BOT, content_type, body);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["warning"], body["response_metadata"]["warnings"][0]);
        body["warning"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(warning("application/json", "{}"), "missing_charset");
    assert_eq!(warning("application/json;charset=utf-8", "{}"), "");
    assert_eq!(warning("application/x-www-form-urlencoded", "a=1"), "");
    assert_eq!(warning("application/x-www-form-urlencoded; charset=utf-8", "a=1"), "superfluous_charset");
}

#[test]
fn scopes_are_needed() {
    let desk = Desk::new();
    let refused = desk.call(BOT, "conversations.create", "name=x&is_private=true");
    assert_eq!(refused["error"], "missing_scope");
    assert_eq!(refused["needed"], "groups:write");
    assert!(refused["provided"].as_str().unwrap().starts_with("commands,chat:write,"));
    let refused = desk.call(BOT, "conversations.list", "types=public_channel,mpim");
    assert_eq!((refused["error"].as_str(), refused["needed"].as_str()), (Some("missing_scope"), Some("mpim:read")));
    assert_eq!(desk.error(BOT, "conversations.join", "channel={#random}"), "missing_scope");
    assert_eq!(desk.error(BOT, "chat.postMessage", "channel={#general}&text=x&username=Y"), "missing_scope");
}

#[test]
fn headers_are_slacks() {
    let desk = Desk::new();
    let reply = desk.send("auth.test", BOT, "application/x-www-form-urlencoded", "");
    let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(header("cache-control"), "private, no-cache, no-store, must-revalidate");
    assert!(header("x-oauth-scopes").contains("chat:write"));
    let id = header("x-slack-req-id");
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert_eq!(header("x-slack-unique-id").len(), 36);
    assert_eq!(header("x-slack-failure"), "");
    let refused = desk.send("chat.postMessage", "", "application/x-www-form-urlencoded", "");
    assert_eq!(refused.headers["x-slack-failure"], "not_authed");
    assert_eq!(refused.headers["x-accepted-oauth-scopes"], "chat:write:bot");
    assert!(refused.headers.get("x-oauth-scopes").is_none());
}

#[test]
fn unknown_methods_and_pages() {
    let desk = Desk::new();
    let unknown = json!({ "ok": false, "error": "unknown_method", "req_method": "foo.bar" });
    let is_gap = || desk.ledger().pop().is_some_and(|last| last.to_string().contains("\"gap\":true"));
    assert_eq!(desk.call("", "foo.bar", ""), unknown);
    assert!(!is_gap());
    let page = desk.request(Method::GET, "/nowhere", &[], b"");
    assert_eq!(
        (page.status.as_u16(), &page.headers["content-type"]),
        (404, &"text/html; charset=utf-8".parse().unwrap())
    );
}

#[test]
fn every_served_method_is_one_of_slacks() {
    let desk = Desk::new();
    for operation in desk.universe.twins()[0].operations().iter().filter(|info| info.path.starts_with("/api/")) {
        assert!(dtu_slack::contract::contract().operation(operation.id).is_some(), "{}", operation.id);
        assert_eq!(operation.path, format!("/api/{}", operation.id));
    }
}

#[test]
fn faults_speak_slack() {
    let desk = Desk::new();
    let arm = |effect: Value| {
        desk.universe.disarm(None);
        let rule: Rule =
            serde_json::from_value(json!({ "id": "r", "on": { "operation": "auth.test" }, "do": effect })).unwrap();
        desk.universe.arm(&[rule]).unwrap();
        desk.send("auth.test", BOT, "application/x-www-form-urlencoded", "")
    };
    let error = |reply: &dtu_kernel::wire::Reply| {
        serde_json::from_slice::<Value>(&reply.body).unwrap()["error"].as_str().unwrap_or_default().to_owned()
    };
    let limited = arm(json!({ "rate_limited": { "retry_after": "1500ms" } }));
    assert_eq!((limited.status.as_u16(), error(&limited).as_str()), (429, "ratelimited"));
    assert_eq!(limited.headers["retry-after"], "2");
    let failed = arm(json!({ "error": {} }));
    assert_eq!((failed.status.as_u16(), error(&failed).as_str()), (200, "internal_error"));
    let failed = arm(json!({ "error": { "status": 503 } }));
    assert_eq!((failed.status.as_u16(), error(&failed).as_str()), (503, "service_unavailable"));
    let failed = arm(json!({ "error": { "code": "fatal_error" } }));
    assert_eq!((failed.status.as_u16(), error(&failed).as_str()), (200, "fatal_error"));
    assert_eq!(error(&arm(json!({ "revoked": {} }))), "token_revoked");
}

#[test]
fn limits_hold_by_method_app_and_channel() {
    let desk = Desk::with(&Options {
        clock: ClockMode::Stepped,
        limits: dtu_kernel::limits::Limits::Real,
        ..Options::default()
    });
    for _ in 0..20 {
        assert_eq!(desk.error(BOT, "conversations.list", ""), "");
    }
    assert_eq!(desk.error(BOT, "conversations.list", ""), "ratelimited");
    assert_eq!(desk.error(TESTER, "conversations.list", ""), "", "another app");
    assert_eq!(desk.error(BOT, "users.list", ""), "", "another method");
    for _ in 0..60 {
        assert_eq!(desk.error(TESTER, "chat.postMessage", "channel={#general}&text=x"), "");
    }
    assert_eq!(desk.error(TESTER, "chat.postMessage", "channel={#general}&text=x"), "ratelimited");
    assert_eq!(desk.error(TESTER, "chat.postMessage", "channel={#it-help}&text=x"), "", "another channel");
}
