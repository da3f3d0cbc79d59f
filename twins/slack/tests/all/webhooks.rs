//! Incoming webhooks: made by an installation, used by anybody who has the address.

use http::Method;
use serde_json::{Value, json};

use crate::desk::{Desk, buttons};

/// A desk with a webhook of Test Harness to a channel, and the webhook as the installation told it.
fn ready(channel: &str) -> (Desk, Value) {
    ready_on(Desk::new(), channel)
}

fn ready_on(desk: Desk, channel: &str) -> (Desk, Value) {
    let scopes = ["incoming-webhook", "chat:write"];
    let told = desk.act(
        "slack.user.install_app",
        "lena",
        json!({ "app": "dtu-tester", "scopes": scopes, "channel": channel }),
    );
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let client =
        format!("client_id={}&client_secret={}&code={}", text("client_id"), text("client_secret"), text("code"));
    let made = desk.call("", "oauth.v2.access", &client);
    let hook = made["incoming_webhook"].clone();
    assert!(hook["url"].is_string(), "{made}");
    (desk, hook)
}

/// What a post to an address comes to: status and text.
fn post(desk: &Desk, url: &str, media_type: &str, body: &str) -> (u16, String) {
    let path = url.strip_prefix("http://127.0.0.1:7003").unwrap();
    let reply = desk.request(Method::POST, path, &[("content-type", media_type.to_owned())], body.as_bytes());
    assert!(reply.headers["content-type"].to_str().unwrap().starts_with("text/plain"), "{url}");
    (reply.status.as_u16(), String::from_utf8_lossy(&reply.body).into_owned())
}

fn ok() -> (u16, String) {
    (200, "ok".to_owned())
}

#[test]
fn a_webhook_posts_to_its_channel() {
    let (desk, hook) = ready("general");
    assert_eq!((&hook["channel"], &hook["channel_id"]), (&json!("#general"), &json!(desk.expand("{#general}"))));
    assert!(hook["configuration_url"].as_str().unwrap().contains(".slack.com/services/B0"), "{hook}");
    let url = hook["url"].as_str().unwrap();
    assert_eq!(
        post(&desk, url, "application/json", "{\"text\":\"plain <b>\",\"channel\":\"random\",\"username\":\"x\"}"),
        ok()
    );
    let form = format!("payload={}", form_urlencoded::byte_serialize(b"{\"text\":\"in a form\"}").collect::<String>());
    assert_eq!(post(&desk, url, "application/x-www-form-urlencoded", &form), ok());
    let blocks =
        json!({ "text": "fallback", "blocks": buttons(&["Go"]), "attachments": [{ "text": "a", "color": "#ff0000" }] });
    assert_eq!(post(&desk, url, "application/json", &blocks.to_string()), ok());
    let texts = desk.texts("general");
    assert_eq!(texts[texts.len() - 3..], ["plain &lt;b&gt;", "in a form", "fallback"]);
    let last =
        desk.call(crate::desk::TESTER, "conversations.history", "channel={#general}&limit=1")["messages"][0].clone();
    assert_eq!((&last["subtype"], &last["username"]), (&json!("bot_message"), &json!("Test Harness")));
    assert_eq!(last["blocks"][1]["elements"][0]["action_id"], "go");
    let reply = json!({ "text": "below", "thread_ts": last["ts"] });
    assert_eq!(post(&desk, url, "application/json", &reply.to_string()), ok());
    let thread = format!("channel={{#general}}&ts={}", last["ts"].as_str().unwrap());
    assert_eq!(desk.call(crate::desk::TESTER, "conversations.replies", &thread)["messages"][1]["text"], "below");
}

#[test]
fn a_webhook_refuses_in_words_with_a_status() {
    let (desk, hook) = ready("design");
    let url = hook["url"].as_str().unwrap();
    let check = |url: &str, body: &str, status: u16, words: &str| {
        assert_eq!(post(&desk, url, "application/json", body), (status, words.to_owned()), "{url} {body}");
    };
    let text = "{\"text\":\"x\"}";
    let parts: Vec<&str> = url.rsplitn(4, '/').collect();
    let [secret, id, team] = [parts[0], parts[1], parts[2]];
    let many = json!({ "attachments": vec![json!({ "text": "a" }); 101] }).to_string();
    let rows = [
        (url.replace(team, "T000"), text, 404, "no_team"),
        (url.replace(id, "B000"), text, 404, "no_service"),
        (url.replace(secret, "x"), text, 403, "invalid_token"),
        (url.to_owned(), "{text", 400, "invalid_payload"),
        (url.to_owned(), "[]", 400, "invalid_payload"),
        (url.to_owned(), "{}", 400, "no_text"),
        (url.to_owned(), "{\"text\":\"\"}", 400, "no_text"),
        (url.to_owned(), "{\"blocks\":[{\"type\":\"nonsense\"}]}", 400, "invalid_blocks"),
        (url.to_owned(), many.as_str(), 400, "too_many_attachments"),
    ];
    for (url, body, status, words) in rows {
        check(&url, body, status, words);
    }
    let set = |status: &str| {
        desk.act("slack.admin.distribute_app", "dana", json!({ "app": "dtu-tester", "webhooks": status }));
    };
    set("prohibited");
    check(url, text, 403, "action_prohibited");
    set("disabled");
    check(url, text, 404, "no_active_hooks");
    set("active");
    check(url, text, 200, "ok");
    desk.call(crate::desk::DANA, "conversations.join", "channel={#design}");
    assert_eq!(desk.error(crate::desk::DANA, "conversations.archive", "channel={#design}"), "");
    check(url, text, 410, "channel_is_archived");
    desk.act("slack.admin.revoke_token", "dana", json!({ "app": "dtu-tester" }));
    check(url, text, 404, "no_service");
}

#[test]
fn a_webhook_needs_a_channel_that_its_maker_sees() {
    let desk = Desk::new();
    let with = json!({ "app": "dtu-tester", "scopes": ["incoming-webhook"], "channel": "exec-private" });
    let refused = desk.try_act("slack.user.install_app", "omar", with).unwrap_err();
    assert!(refused.contains("channel_not_found"), "{refused}");
}

#[test]
fn a_webhook_takes_about_one_post_a_second() {
    let options = dtu_kernel::universe::Options {
        clock: dtu_kernel::clock::ClockMode::Stepped,
        limits: dtu_kernel::limits::Limits::Real,
        ..Default::default()
    };
    let (desk, hook) = ready_on(Desk::with(&options), "general");
    let url = hook["url"].as_str().unwrap();
    for _ in 0..60 {
        assert_eq!(post(&desk, url, "application/json", "{\"text\":\"x\"}"), ok());
    }
    assert_eq!(post(&desk, url, "application/json", "{\"text\":\"x\"}"), (429, "rate_limited".to_owned()));
    let path = url.strip_prefix("http://127.0.0.1:7003").unwrap();
    let reply = desk.request(Method::POST, path, &[], b"{\"text\":\"x\"}");
    assert_eq!(reply.headers["retry-after"], "60");
}
