//! Limits of calls by tier and by how an app is distributed, and of events.

use std::time::Duration;

use dtu_kernel::{clock::ClockMode, limits::Limits, universe::Options};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::path};

use crate::desk::{APP, BOT, Desk, TESTER};

fn limited() -> Desk {
    Desk::with(&Options { clock: ClockMode::Stepped, limits: Limits::Real, ..Options::default() })
}

#[test]
fn each_tier_has_its_number() {
    let desk = limited();
    let check = |token: &str, method: &str, args: &str, most: usize| {
        for n in 0..most {
            assert_ne!(desk.error(token, method, args), "ratelimited", "{method} {n}");
        }
        assert_eq!(desk.error(token, method, args), "ratelimited", "{method}");
    };
    check(APP, "apps.connections.open", "", 50);
    check(TESTER, "rtm.connect", "", 1);
    check(TESTER, "pins.list", "channel={#general}", 20);
    check(TESTER, "bots.info", "", 50);
    check(TESTER, "users.info", "user={@lena}", 100);
}

#[test]
fn postings_count_by_channel_and_in_the_workspace() {
    let desk = limited();
    let post = |channel: &str| desk.error(TESTER, "chat.postMessage", &format!("channel={channel}&text=x"));
    let people = ["lena", "omar", "dana", "henrik", "ruth"].map(|name| desk.expand(&format!("{{@{name}}}")));
    for person in &people {
        for n in 0..60 {
            assert_eq!(post(person), "", "{person} {n}");
        }
    }
    assert_eq!(post(&people[0]), "ratelimited", "one a second in each channel");
    assert_eq!(post("{#general}"), "ratelimited", "several hundred a minute in all");
    assert_eq!(desk.error(TESTER, "auth.test", ""), "", "other methods are not affected");
}

#[tokio::test]
async fn unlisted_apps_read_little_of_conversations() {
    let desk = limited();
    for n in 0..20 {
        desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": format!("number {n}") }));
    }
    let read = |token: &str, limit: &str| {
        let told = desk.call(token, "conversations.history", &format!("channel={{#general}}{limit}"));
        told["messages"].as_array().map_or_else(|| told["error"].clone(), |all| json!(all.len()))
    };
    assert_eq!(read(BOT, "&limit=20"), 20, "internal apps are not affected");
    desk.act("slack.admin.distribute_app", "dana", json!({ "app": "access-bot", "distribution": "unlisted" }));
    // The call before counts already.
    assert_eq!(read(BOT, "&limit=20"), "ratelimited");
    desk.universe.advance(Duration::from_secs(60)).await;
    assert_eq!(read(BOT, "&limit=20"), 15);
    assert_eq!(read(BOT, ""), "ratelimited");
    desk.universe.advance(Duration::from_secs(60)).await;
    assert_eq!(read(BOT, ""), 15);
    desk.act("slack.admin.distribute_app", "dana", json!({ "app": "access-bot", "distribution": "marketplace" }));
    assert_eq!(read(BOT, "&limit=20"), 20);
}

/// Takes the challenge, and refuses all else.
fn deaf(request: &Request) -> ResponseTemplate {
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(body) if body["type"] == "url_verification" => {
            ResponseTemplate::new(200).set_body_json(json!({ "challenge": body["challenge"] }))
        }
        _ => ResponseTemplate::new(500),
    }
}

#[tokio::test]
async fn events_that_do_not_arrive_are_turned_off() {
    let server = MockServer::start().await;
    Mock::given(path("/events")).respond_with(deaf).mount(&server).await;
    let desk = Desk::new();
    let url = format!("{}/events", server.uri());
    let with = json!({ "app": "access-bot", "events_url": url, "events": ["message.channels"] });
    desk.act("slack.admin.configure_app", "dana", with);
    desk.settle().await;
    let app = || desk.view("apps").into_iter().find(|row| row["key"] == "access-bot").unwrap();
    // Each event is tried four times within six minutes; an app with few of them is left alone.
    for n in 0..999 {
        desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": format!("{n}") }));
    }
    desk.universe.advance(Duration::from_secs(420)).await;
    desk.settle().await;
    assert_eq!(app()["events_disabled"], false, "not before a thousand events");
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "one more" }));
    desk.settle().await;
    assert_eq!(app()["events_disabled"], true);
    let mails = desk.view("mails");
    assert!(
        mails.iter().any(|mail| mail["to"] == "dana.whitfield@acme.example" || mail["to"].is_string()),
        "{mails:?}"
    );
    assert!(mails[0]["subject"].as_str().unwrap().contains("Access Bot"), "{mails:?}");
    let before = server.received_requests().await.unwrap().len();
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "unheard" }));
    desk.settle().await;
    assert_eq!(server.received_requests().await.unwrap().len(), before);
    desk.act("slack.admin.enable_events", "dana", json!({ "app": "access-bot" }));
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "heard" }));
    desk.settle().await;
    assert!(server.received_requests().await.unwrap().len() > before);
    assert!(desk.try_act("slack.admin.enable_events", "dana", json!({ "app": "access-bot" })).is_err());
}
