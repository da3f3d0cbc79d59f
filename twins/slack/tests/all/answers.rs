//! Answers that are written bit by bit, and threads with assistants.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::desk::{BOT, DANA, Desk, TESTER};

/// Answers challenges with themselves, and all else with 200.
fn answer(request: &Request) -> ResponseTemplate {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    ResponseTemplate::new(200).set_body_string(body["challenge"].as_str().unwrap_or_default().to_owned())
}

/// A desk whose Test Harness hears of events.
pub(crate) async fn listening(events: &[&str]) -> (Desk, MockServer) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let desk = Desk::new();
    let with = json!({ "app": "dtu-tester", "events_url": format!("{}/events", server.uri()), "events": events });
    desk.act("slack.admin.configure_app", "dana", with);
    desk.settle().await;
    (desk, server)
}

/// The inner events that were sent.
pub(crate) async fn heard(desk: &Desk, server: &MockServer) -> Vec<Value> {
    desk.settle().await;
    let requests = server.received_requests().await.unwrap();
    let bodies = requests.iter().map(|request| serde_json::from_slice::<Value>(&request.body).unwrap());
    bodies.filter(|body| body["type"] == "event_callback").map(|body| body["event"].clone()).collect()
}

/// A desk with a message of Lena's in #general, and where it is.
fn asked() -> (Desk, String) {
    let desk = Desk::new();
    let said = desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "What is for lunch?" }));
    (desk, said["ts"].as_str().unwrap().to_owned())
}

fn started(desk: &Desk, ts: &str, more: &Value) -> String {
    let mut body = json!({ "channel": "{#general}", "thread_ts": ts, "recipient_user_id": "{@lena}" });
    body["recipient_team_id"] = json!(desk.call(TESTER, "auth.test", "")["team_id"]);
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = desk.call_json(TESTER, "chat.startStream", &body);
    answer["ts"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn shown(desk: &Desk, thread: &str) -> Value {
    let replies = desk.call(TESTER, "conversations.replies", &format!("channel={{#general}}&ts={thread}"));
    replies["messages"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn an_answer_is_written_bit_by_bit() {
    let (desk, thread) = asked();
    let ts = started(&desk, &thread, &json!({ "markdown_text": "**So" }));
    assert_eq!(shown(&desk, &thread)["text"], "*So");
    let one = format!("channel={{#general}}&ts={ts}");
    assert_eq!(desk.error(TESTER, "chat.appendStream", &format!("{one}&markdown_text=up**, and ")), "");
    assert_eq!(desk.error(TESTER, "chat.update", &format!("{one}&text=x")), "streaming_state_conflict");
    let stopped = desk.call_json(
        TESTER,
        "chat.stopStream",
        &json!({ "channel": "{#general}", "ts": ts, "markdown_text": "bread.", "metadata": { "event_type": "menu", "event_payload": {} } }),
    );
    assert_eq!(stopped["message"]["text"], "*Soup*, and bread.");
    assert_eq!(stopped["message"]["metadata"]["event_type"], "menu");
    assert_eq!(shown(&desk, &thread)["text"], "*Soup*, and bread.");
    let again = format!("{one}&markdown_text=x");
    desk.refuses(
        TESTER,
        "chat.appendStream",
        &[
            (&again, "message_not_in_streaming_state"),
            (&format!("channel={{#general}}&ts={thread}&markdown_text=x"), "message_not_owned_by_app"),
            ("channel={#general}&ts=1.000001&markdown_text=x", "message_not_found"),
            (&format!("channel=C000&ts={ts}&markdown_text=x"), "channel_not_found"),
        ],
    );
    assert_eq!(desk.error(TESTER, "chat.stopStream", &one), "message_not_in_streaming_state");
}

#[test]
fn tasks_and_plans_are_shown_as_blocks() {
    let (desk, thread) = asked();
    let task = |id: &str, status: &str| json!({ "type": "task_update", "id": id, "title": id, "status": status, "output": "done" });
    let check = |mode: &str, wanted: &[&str]| {
        let ts =
            started(&desk, &thread, &json!({ "task_display_mode": mode, "chunks": [task("look", "in_progress")] }));
        let chunks =
            json!([task("look", "complete"), { "type": "markdown_text", "text": "Soup." }, task("tell", "pending")]);
        let appended = json!({ "channel": "{#general}", "ts": ts, "chunks": chunks });
        assert_eq!(desk.call_json(TESTER, "chat.appendStream", &appended)["ok"], true);
        let stopped = json!({ "channel": "{#general}", "ts": ts, "blocks": [{ "type": "divider" }] });
        let message = &desk.call_json(TESTER, "chat.stopStream", &stopped)["message"];
        let kinds: Vec<&str> =
            message["blocks"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, wanted, "{mode}");
    };
    check("timeline", &["task_card", "markdown", "task_card", "divider"]);
    check("plan", &["plan", "markdown", "divider"]);
}

#[test]
fn streams_are_refused() {
    let (desk, thread) = asked();
    let team = desk.call(TESTER, "auth.test", "")["team_id"].as_str().unwrap().to_owned();
    let to = format!("channel={{#general}}&thread_ts={thread}");
    let whole = format!("{to}&recipient_user_id={{@lena}}&recipient_team_id={team}");
    let dm = desk.call(TESTER, "conversations.open", "users={@lena}")["channel"]["id"].as_str().unwrap().to_owned();
    desk.refuses(
        TESTER,
        "chat.startStream",
        &[
            (&to, "missing_recipient_user_id"),
            (&format!("{to}&recipient_user_id={{@lena}}"), "missing_recipient_team_id"),
            (&format!("{to}&recipient_user_id=U000&recipient_team_id={team}"), "user_not_found"),
            (&format!("{to}&recipient_user_id={{@lena}}&recipient_team_id=T000"), "team_not_found"),
            (&format!("channel=C000&thread_ts={thread}"), "channel_not_found"),
            (&format!("channel={dm}"), "invalid_arguments"),
            (&format!("{whole}&chunks=[{{\"type\":\"nonsense\"}}]"), "invalid_arguments"),
            (&format!("{whole}&chunks=[{{\"type\":\"task_update\",\"id\":\"1\",\"title\":\"t\",\"status\":\"completed\"}}]"), "invalid_arguments"),
            (&format!("{whole}&markdown_text={}", "x".repeat(12_001)), "msg_too_long"),
            (&format!("{whole}&thread_ts=soon"), "invalid_thread_ts"),
        ],
    );
    desk.refuses(DANA, "chat.startStream", &[(&whole, "not_allowed_token_type")]);
    let ts = started(&desk, &thread, &json!({}));
    let one = format!("channel={{#general}}&ts={ts}");
    desk.refuses(TESTER, "chat.appendStream", &[(&one, "no_text")]);
    desk.refuses(BOT, "chat.appendStream", &[(&format!("{one}&markdown_text=x"), "message_not_owned_by_app")]);
    desk.refuses(
        TESTER,
        "chat.stopStream",
        &[
            (&format!("{one}&metadata=x"), "invalid_metadata_format"),
            (&format!("{one}&session_status=done"), "invalid_arguments"),
        ],
    );
    desk.act("slack.user.stop_stream", "lena", json!({ "channel": "general", "ts": ts }));
    desk.refuses(TESTER, "chat.appendStream", &[(&format!("{one}&markdown_text=x"), "stopped_by_user")]);
    desk.refuses(TESTER, "chat.stopStream", &[(&one, "stopped_by_user")]);
}

#[tokio::test]
async fn an_assistant_is_opened_and_named() {
    let names = ["assistant_thread_started", "assistant_thread_context_changed", "message.im"];
    let (desk, server) = listening(&names).await;
    let opened = desk.act("slack.user.open_assistant", "lena", json!({ "app": "dtu-tester", "looking_at": "design" }));
    let (channel, ts) = (opened["channel"].as_str().unwrap(), opened["thread_ts"].as_str().unwrap());
    let one = format!("channel_id={channel}&thread_ts={ts}");
    assert_eq!(desk.error(TESTER, "assistant.threads.setTitle", &format!("{one}&title=Lunch")), "");
    let prompts = r#"[{"title":"Menu","message":"What is on the menu?"}]"#;
    assert_eq!(
        desk.error(TESTER, "assistant.threads.setSuggestedPrompts", &format!("{one}&title=Try&prompts={prompts}")),
        ""
    );
    desk.act("slack.user.pick_prompt", "lena", json!({ "app": "dtu-tester", "thread_ts": ts, "title": "Menu" }));
    desk.act("slack.user.look_at", "lena", json!({ "app": "dtu-tester", "thread_ts": ts, "channel": "random" }));
    let replies = desk.call(TESTER, "conversations.replies", &format!("channel={channel}&ts={ts}"));
    let first = &replies["messages"][0];
    assert_eq!(
        (&first["subtype"], &first["assistant_app_thread"]["title"]),
        (&json!("assistant_app_thread"), &json!("Lunch"))
    );
    assert_eq!(replies["messages"][1]["text"], "What is on the menu?");
    let events = heard(&desk, &server).await;
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap_or_else(|| panic!("no {kind}"));
    let thread = &of("assistant_thread_started")["assistant_thread"];
    assert_eq!((&thread["thread_ts"], &thread["channel_id"]), (&json!(ts), &json!(channel)));
    assert_eq!(thread["context"]["channel_id"], desk.expand("{#design}"));
    assert_eq!(
        of("assistant_thread_context_changed")["assistant_thread"]["context"]["channel_id"],
        desk.expand("{#random}")
    );
    assert!(events.iter().any(|event| event["type"] == "message" && event["thread_ts"] == ts));
}

#[tokio::test]
async fn a_status_is_shown_until_the_app_answers_or_for_two_minutes() {
    let (desk, _server) = listening(&["assistant_thread_started"]).await;
    let opened = desk.act("slack.user.open_assistant", "lena", json!({ "app": "dtu-tester" }));
    let (channel, ts) = (opened["channel"].as_str().unwrap(), opened["thread_ts"].as_str().unwrap());
    let one = format!("channel_id={channel}&thread_ts={ts}");
    let status = || desk.view("assistants")[0]["status"].clone();
    let set = |words: &str| {
        assert_eq!(desk.error(TESTER, "assistant.threads.setStatus", &format!("{one}&status={words}")), "");
    };
    set("is thinking");
    assert_eq!(status(), "is thinking");
    desk.post(TESTER, &format!("channel={channel}&thread_ts={ts}&text=Soup"));
    assert_eq!(status(), Value::Null);
    set("is thinking");
    desk.universe.advance(Duration::from_secs(121)).await;
    assert_eq!(status(), Value::Null);
    set("is thinking");
    set("");
    assert_eq!(status(), Value::Null);
    let loading = (0..11).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",");
    desk.refuses(
        TESTER,
        "assistant.threads.setStatus",
        &[
            (&format!("channel_id=C000&thread_ts={ts}&status=x"), "channel_not_found"),
            (&format!("channel_id={channel}&thread_ts=1.000001&status=x"), "invalid_thread_ts"),
            (&format!("{one}&status=x&loading_messages=[{loading}]"), "invalid_arguments"),
            (&one, "invalid_arguments"),
        ],
    );
    let five = r#"[{"title":"a","message":"b"},{"title":"a","message":"b"},{"title":"a","message":"b"},{"title":"a","message":"b"},{"title":"a","message":"b"}]"#;
    desk.refuses(
        TESTER,
        "assistant.threads.setSuggestedPrompts",
        &[
            (&format!("channel_id={channel}&thread_ts=1.000001&prompts=[]"), "invalid_thread_ts"),
            (&format!("{one}&prompts=[]"), "invalid_arguments"),
            (&format!("{one}&prompts={five}"), "invalid_arguments"),
            (&format!("{one}&prompts=[{{\"title\":\"a\"}}]"), "invalid_arguments"),
            (&format!("channel_id={channel}&prompts=[{{\"title\":\"a\",\"message\":\"b\"}}]"), ""),
        ],
    );
    desk.refuses(
        TESTER,
        "assistant.threads.setTitle",
        &[(&format!("channel_id={channel}&thread_ts=1.000001&title=x"), "invalid_thread_ts")],
    );
    assert_eq!(desk.error(BOT, "assistant.threads.setTitle", &format!("{one}&title=x")), "missing_scope");
    // What was suggested for no thread is suggested in the next.
    let next = desk.act("slack.user.open_assistant", "lena", json!({ "app": "dtu-tester" }));
    desk.act(
        "slack.user.pick_prompt",
        "lena",
        json!({ "app": "dtu-tester", "thread_ts": next["thread_ts"], "title": "a" }),
    );
}
