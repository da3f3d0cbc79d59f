//! What is sent to apps, how often, and what their answers do.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{method, path},
};

use crate::desk::{BOT, Desk, TESTER, buttons};

const SECRET: &str = "dtu0acme0accessbot0signing0secret";

/// Answers the challenge, and all else with a status.
struct App(u16);

impl Respond for App {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        match serde_json::from_slice::<Value>(&request.body) {
            Ok(body) if body["type"] == "url_verification" => {
                ResponseTemplate::new(200).set_body_json(json!({ "challenge": body["challenge"] }))
            }
            _ => ResponseTemplate::new(self.0),
        }
    }
}

/// A desk whose Access Bot sends its events and clicks to a server that answers with a status.
async fn listening(events: &[&str], status: u16) -> (Desk, MockServer) {
    let server = MockServer::start().await;
    Mock::given(path("/events")).respond_with(App(status)).mount(&server).await;
    let desk = Desk::new();
    let with = json!({
        "app": "access-bot",
        "events_url": format!("{}/events", server.uri()),
        "events": events,
        "interactivity_url": format!("{}/clicks", server.uri()),
        "commands": { "/access": format!("{}/access", server.uri()) },
    });
    desk.act("slack.admin.configure_app", "dana", with);
    desk.settle().await;
    (desk, server)
}

/// The requests at a path, without challenges.
async fn received(server: &MockServer, at: &str) -> Vec<Request> {
    let mut all = server.received_requests().await.unwrap();
    let is_challenge = |request: &Request| request.body.ends_with(b"\"type\":\"url_verification\"}");
    all.retain(|request| request.url.path() == at && !is_challenge(request));
    all
}

async fn events(server: &MockServer) -> Vec<Value> {
    let all = server.received_requests().await.unwrap();
    let bodies = all.iter().filter_map(|request| serde_json::from_slice::<Value>(&request.body).ok());
    bodies.filter(|body| body["type"] == "event_callback").collect()
}

fn assert_signed(request: &Request) {
    let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
    let secs: i64 = header("x-slack-request-timestamp").parse().unwrap();
    assert_eq!(header("x-slack-signature"), dtu_slack::signature(SECRET, secs, &request.body));
}

fn form(request: &Request) -> Vec<(String, String)> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

fn field(form: &[(String, String)], name: &str) -> String {
    form.iter().find(|(key, _)| key == name).map_or_else(|| panic!("no {name}"), |(_, value)| value.clone())
}

#[tokio::test]
async fn an_events_address_proves_itself_first() {
    let (desk, server) = listening(&["message.channels"], 200).await;
    let all = server.received_requests().await.unwrap();
    let asked: Value = serde_json::from_slice(&all[0].body).unwrap();
    assert_eq!(asked["type"], "url_verification");
    assert_eq!(asked["token"], "dtu-acme-accessbot-verification");
    assert_signed(&all[0]);
    let app = || desk.view("apps").into_iter().find(|row| row["key"] == "access-bot").unwrap();
    assert_eq!(app()["verified"], true);
    let nowhere = json!({ "app": "access-bot", "events_url": format!("{}/nothing-here", server.uri()) });
    desk.act("slack.admin.configure_app", "dana", nowhere);
    desk.settle().await;
    assert_eq!(
        (app()["verified"].as_bool(), &app()["verification"]),
        (Some(false), &json!({ "failed": "HTTP status 404" }))
    );
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "unheard" }));
    desk.settle().await;
    assert!(events(&server).await.is_empty());
}

#[tokio::test]
async fn a_message_is_announced_in_slacks_envelope() {
    let (desk, server) = listening(&["message.channels", "app_mention"], 200).await;
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "Hello" }));
    desk.act("slack.user.post", "lena", json!({ "channel": "design", "text": "The bot is not here" }));
    desk.settle().await;
    let sent = events(&server).await;
    assert_eq!(sent.len(), 1);
    let state = desk.state();
    let app = state.find_app("access-bot").unwrap();
    let envelope = &sent[0];
    insta::assert_json_snapshot!(envelope, {
        ".team_id" => "[id]", ".context_team_id" => "[id]", ".api_app_id" => "[id]", ".event_id" => "[id]",
        ".event_context" => "[context]", ".authorizations[0].team_id" => "[id]", ".authorizations[0].user_id" => "[id]",
        ".event.user" => "[id]", ".event.team" => "[id]", ".event.channel" => "[id]", ".event.client_msg_id" => "[uuid]",
        ".event.blocks[0].block_id" => "[id]",
    }, @r#"
    {
      "token": "dtu-acme-accessbot-verification",
      "team_id": "[id]",
      "context_team_id": "[id]",
      "context_enterprise_id": null,
      "api_app_id": "[id]",
      "event": {
        "user": "[id]",
        "type": "message",
        "ts": "1772442000.000000",
        "client_msg_id": "[uuid]",
        "text": "Hello",
        "team": "[id]",
        "blocks": [
          {
            "type": "rich_text",
            "block_id": "[id]",
            "elements": [
              {
                "type": "rich_text_section",
                "elements": [
                  {
                    "type": "text",
                    "text": "Hello"
                  }
                ]
              }
            ]
          }
        ],
        "channel": "[id]",
        "event_ts": "1772442000.000000",
        "channel_type": "channel"
      },
      "type": "event_callback",
      "event_id": "[id]",
      "event_time": 1772442000,
      "authorizations": [
        {
          "enterprise_id": null,
          "team_id": "[id]",
          "user_id": "[id]",
          "is_bot": true,
          "is_enterprise_install": false
        }
      ],
      "is_ext_shared_channel": false,
      "event_context": "[context]"
    }
    "#);
    assert_eq!(
        (&envelope["api_app_id"], &envelope["authorizations"][0]["user_id"]),
        (&json!(app.id), &json!(app.bot_user))
    );
    assert!(envelope["event_id"].as_str().unwrap().starts_with("Ev"));
    for request in received(&server, "/events").await {
        assert_signed(&request);
        assert!(request.headers.get("x-slack-retry-num").is_none());
    }
}

#[tokio::test]
async fn mentions_edits_joins_and_own_posts_are_announced() {
    let names = ["message.channels", "app_mention", "member_joined_channel", "channel_created", "message.im"];
    let (desk, server) = listening(&names, 200).await;
    let bot = desk.expand("{@accessbot}");
    let told = async |desk: &Desk| {
        desk.settle().await;
        let kinds: Vec<String> = events(&server)
            .await
            .iter()
            .map(|e| {
                format!(
                    "{}/{}",
                    e["event"]["type"].as_str().unwrap(),
                    e["event"]["subtype"].as_str().unwrap_or_default()
                )
            })
            .collect();
        server.reset().await;
        Mock::given(path("/events")).respond_with(App(200)).mount(&server).await;
        kinds
    };
    server.reset().await;
    Mock::given(path("/events")).respond_with(App(200)).mount(&server).await;
    let posted = desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": format!("<@{bot}> help") }));
    assert_eq!(told(&desk).await, ["message/", "app_mention/"]);
    desk.act("slack.user.edit", "lena", json!({ "channel": "general", "ts": posted["ts"], "text": "no" }));
    assert_eq!(told(&desk).await, ["message/message_changed"]);
    desk.post(BOT, "channel={#general}&text=own");
    assert_eq!(told(&desk).await, ["message/"], "an app hears itself");
    desk.act("slack.user.create_channel", "lena", json!({ "name": "new" }));
    assert_eq!(told(&desk).await, ["channel_created/"]);
    desk.act("slack.user.invite", "lena", json!({ "channel": "new", "user": "access-bot" }));
    assert_eq!(told(&desk).await, ["member_joined_channel/", "message/channel_join"]);
    desk.act("slack.user.post", "lena", json!({ "channel": "@accessbot", "text": "hi" }));
    assert_eq!(told(&desk).await, ["message/"]);
    // Subscriptions bring the scopes they need.
    assert!(desk.view("apps").iter().any(|row| row["scopes"].to_string().contains("app_mentions:read")));
}

#[tokio::test]
async fn failed_events_come_again_on_slacks_ladder() {
    let (desk, server) = listening(&["message.channels"], 500).await;
    let start = desk.universe.now();
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "Hello" }));
    desk.settle().await;
    assert_eq!(events(&server).await.len(), 2, "the first repeat comes at once");
    let took = desk.universe.run_until_quiet(Duration::from_secs(3600)).await;
    assert_eq!(took, Duration::from_secs(360));
    let all = received(&server, "/events").await;
    let header = |request: &Request, name: &str| {
        request.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let rows: Vec<[String; 3]> = all
        .iter()
        .map(|r| ["x-slack-retry-num", "x-slack-retry-reason", "x-slack-request-timestamp"].map(|name| header(r, name)))
        .collect();
    let at = |after: i64| (start.as_secs() + after).to_string();
    let row = |num: &str, reason: &str, after: i64| [num.to_owned(), reason.to_owned(), at(after)];
    assert_eq!(
        rows,
        [row("", "", 0), row("1", "http_error", 0), row("2", "http_error", 60), row("3", "http_error", 360)]
    );
    let ids: Vec<Value> = events(&server).await.iter().map(|event| event["event_id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    all.iter().for_each(assert_signed);
}

#[tokio::test]
async fn an_app_can_ask_for_no_more() {
    let (desk, server) = listening(&["message.channels"], 200).await;
    server.reset().await;
    Mock::given(path("/events"))
        .respond_with(ResponseTemplate::new(500).insert_header("x-slack-no-retry", "1"))
        .mount(&server)
        .await;
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "Hello" }));
    desk.universe.run_until_quiet(Duration::from_secs(3600)).await;
    assert_eq!(events(&server).await.len(), 1);
}

#[tokio::test]
async fn a_fault_can_spoil_the_signature() {
    let (desk, server) = listening(&["message.channels"], 200).await;
    let rule = json!({ "id": "r", "on": { "deliver": "event_callback" }, "do": { "bad_signature": {} } });
    desk.universe.arm(&[serde_json::from_value(rule).unwrap()]).unwrap();
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "Hello" }));
    desk.settle().await;
    let sent = received(&server, "/events").await.pop().unwrap();
    let signature = sent.headers["x-slack-signature"].to_str().unwrap();
    assert!(signature.starts_with("v0=") && signature.len() == 67);
    let secs: i64 = sent.headers["x-slack-request-timestamp"].to_str().unwrap().parse().unwrap();
    assert_ne!(signature, dtu_slack::signature(SECRET, secs, &sent.body));
}

#[tokio::test]
async fn a_removed_app_hears_no_more() {
    let (desk, server) = listening(&["message.channels"], 200).await;
    desk.act("slack.admin.revoke_token", "dana", json!({ "app": "access-bot" }));
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "Hello" }));
    desk.settle().await;
    assert!(events(&server).await.is_empty());
}

#[tokio::test]
async fn a_command_is_sent_as_a_form_and_its_answer_shown() {
    let (desk, server) = listening(&[], 200).await;
    let answer = json!({ "text": "Which group?", "blocks": buttons(&["Figma"]) });
    Mock::given(path("/access")).respond_with(ResponseTemplate::new(200).set_body_json(answer)).mount(&server).await;
    desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/access", "text": "figma-admin" }));
    desk.settle().await;
    let sent = received(&server, "/access").await.pop().unwrap();
    assert_signed(&sent);
    let form = form(&sent);
    let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "token",
            "team_id",
            "team_domain",
            "channel_id",
            "channel_name",
            "user_id",
            "user_name",
            "command",
            "text",
            "api_app_id",
            "is_enterprise_install",
            "response_url",
            "trigger_id"
        ]
    );
    assert_eq!(field(&form, "text"), "figma-admin");
    assert_eq!((field(&form, "channel_name"), field(&form, "user_name")), ("general".into(), "lena.fischer".into()));
    let url = field(&form, "response_url");
    assert!(url.starts_with("http://127.0.0.1:7003/commands/T"), "{url}");
    assert_eq!(desk.whispers("lena.fischer@acme.example"), ["Which group?"]);
    // The button in what only she sees can be pressed by her alone.
    let click = json!({ "channel": "general", "label": "Figma" });
    assert!(desk.try_act("slack.user.click", "omar", click.clone()).is_err());
    Mock::given(path("/clicks")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    desk.act("slack.user.click", "lena", click);
    desk.settle().await;
    let payload: Value =
        serde_json::from_str(&field(&self::form(&received(&server, "/clicks").await[0]), "payload")).unwrap();
    assert_eq!(payload["container"]["is_ephemeral"], true);
    assert!(payload.get("message").is_none());
}

#[tokio::test]
async fn answers_to_commands_may_be_for_all() {
    let (desk, server) = listening(&[], 200).await;
    let answer = json!({ "text": "For all", "response_type": "in_channel" });
    Mock::given(path("/access"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let plain = ResponseTemplate::new(200).set_body_string("just text");
    Mock::given(path("/access")).respond_with(plain).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/access")).respond_with(ResponseTemplate::new(200)).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/access")).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    for _ in 0..4 {
        desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/access" }));
        desk.universe.run_until_quiet(Duration::from_secs(3600)).await;
    }
    assert_eq!(desk.texts("general").last().unwrap(), "For all");
    let failed = "/access failed with the error \"http_service_error\"";
    assert_eq!(desk.whispers("lena.fischer@acme.example"), ["just text", failed]);
    assert_eq!(received(&server, "/access").await.len(), 4, "commands are never repeated");
}

#[tokio::test]
async fn a_slow_or_absent_app_fails_a_command() {
    let (desk, server) = listening(&[], 200).await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(10));
    Mock::given(path("/access")).respond_with(slow).mount(&server).await;
    desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/access" }));
    desk.settle().await;
    let gone = json!({ "app": "access-bot", "commands": { "/access": "http://127.0.0.1:1/" } });
    desk.act("slack.admin.configure_app", "dana", gone);
    desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/access" }));
    desk.settle().await;
    assert_eq!(
        desk.whispers("lena.fischer@acme.example"),
        ["/access failed with the error \"operation_timeout\"", "/access failed with the error \"dispatch_failed\""]
    );
}

/// Posts a message with two buttons, has somebody press one, and gives back the payload.
async fn click(desk: &Desk, server: &MockServer, label: &str) -> Value {
    Mock::given(method("POST")).and(path("/clicks")).respond_with(ResponseTemplate::new(200)).mount(server).await;
    let message = json!({ "channel": "{#general}", "text": "Approve?", "blocks": buttons(&["Approve", "Deny"]) });
    desk.call_json(BOT, "chat.postMessage", &message);
    desk.act("slack.user.click", "lena", json!({ "channel": "general", "label": label }));
    desk.settle().await;
    let sent = received(server, "/clicks").await.pop().unwrap();
    assert_signed(&sent);
    serde_json::from_str(&field(&form(&sent), "payload")).unwrap()
}

#[tokio::test]
async fn a_click_is_told_in_full() {
    let (desk, server) = listening(&[], 200).await;
    let payload = click(&desk, &server, "Deny").await;
    let lena = desk.expand("{@lena}");
    assert_eq!((&payload["type"], &payload["user"]["id"]), (&json!("block_actions"), &json!(lena)));
    let keys: Vec<&str> = payload.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "type",
            "user",
            "api_app_id",
            "token",
            "container",
            "trigger_id",
            "team",
            "enterprise",
            "is_enterprise_install",
            "channel",
            "message",
            "state",
            "response_url",
            "actions"
        ]
    );
    assert_eq!(
        payload["actions"],
        json!([{ "action_id": "deny", "block_id": "a", "text": { "type": "plain_text", "text": "Deny", "emoji": true },
            "value": "v", "type": "button", "action_ts": "1772442000.000000" }])
    );
    assert_eq!(payload["message"]["ts"], payload["container"]["message_ts"]);
    assert_eq!(payload["trigger_id"].as_str().unwrap().split('.').count(), 3);
    // People double-click.
    desk.act("slack.user.click", "lena", json!({ "channel": "general", "action_id": "deny" }));
    desk.act("slack.user.click", "lena", json!({ "channel": "general", "action_id": "deny" }));
    desk.settle().await;
    assert_eq!(received(&server, "/clicks").await.len(), 3);
}

/// Posts to a `response_url`; gives back status and body.
#[tokio::test]
async fn buttons_of_attachments_are_told_the_old_way() {
    let (desk, server) = listening(&[], 200).await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "text": "Chosen" }));
    Mock::given(method("POST")).and(path("/clicks")).respond_with(answer).mount(&server).await;
    let action = |name: &str| json!({ "name": "game", "text": name, "type": "button", "value": name.to_lowercase() });
    let attachment = json!({ "text": "Choose", "callback_id": "games", "actions": [action("Chess"), action("Go")] });
    let posted = desk.call_json(
        BOT,
        "chat.postMessage",
        &json!({ "channel": "{#general}", "text": "Play?", "attachments": [attachment] }),
    );
    assert_eq!(posted["message"]["attachments"][0]["actions"][1]["id"], "2");
    desk.act("slack.user.click", "lena", json!({ "channel": "general", "label": "Go" }));
    desk.settle().await;
    let sent = received(&server, "/clicks").await.pop().unwrap();
    assert_signed(&sent);
    let payload: Value = serde_json::from_str(&field(&form(&sent), "payload")).unwrap();
    assert_eq!((&payload["type"], &payload["callback_id"]), (&json!("interactive_message"), &json!("games")));
    assert_eq!(payload["actions"], json!([{ "name": "game", "type": "button", "value": "go" }]));
    assert_eq!((&payload["attachment_id"], &payload["message_ts"]), (&json!("1"), &posted["ts"]));
    assert_eq!(payload["original_message"]["attachments"], posted["message"]["attachments"]);
    let shown = desk.call(BOT, "conversations.history", "channel={#general}&limit=1")["messages"][0].clone();
    assert_eq!((&shown["ts"], &shown["text"]), (&posted["ts"], &json!("Chosen")), "the answer takes its place");
    assert_eq!(shown.get("attachments"), None);
    let url = payload["response_url"].as_str().unwrap();
    assert_eq!(respond(&desk, url, &json!({ "text": "Again", "replace_original": true })).0, 200);
}

fn respond(desk: &Desk, url: &str, body: &Value) -> (u16, String) {
    let target = url.strip_prefix("http://127.0.0.1:7003").unwrap();
    let headers = [("content-type", "application/json".to_owned())];
    let reply = desk.request(Method::POST, target, &headers, body.to_string().as_bytes());
    (reply.status.as_u16(), String::from_utf8(reply.body.to_vec()).unwrap())
}

#[tokio::test]
async fn response_urls_work_five_times_within_half_an_hour() {
    let (desk, server) = listening(&[], 200).await;
    let payload = click(&desk, &server, "Approve").await;
    let url = payload["response_url"].as_str().unwrap();
    let ok = (200, "ok".to_owned());
    assert_eq!(respond(&desk, url, &json!({ "text": "only you" })), ok);
    assert_eq!(respond(&desk, url, &json!({ "text": "all", "response_type": "in_channel" })), ok);
    let thread = payload["message"]["ts"].clone();
    assert_eq!(
        respond(&desk, url, &json!({ "text": "in thread", "response_type": "in_channel", "thread_ts": thread })),
        ok
    );
    assert_eq!(respond(&desk, url, &json!({})), (400, "no_text".to_owned()));
    assert_eq!(respond(&desk, url, &json!("x")), (400, "invalid_payload".to_owned()));
    assert_eq!(respond(&desk, url, &json!({ "text": "Approved", "replace_original": true })), ok);
    let rows = desk.view("messages");
    let row = |text: &str| rows.iter().find(|row| row["text"] == text).expect("is there");
    assert_eq!((&row("Approved")["ts"], &row("Approved")["blocks"]), (&thread, &Value::Null));
    assert_eq!(row("in thread")["thread_ts"], thread);
    assert_eq!(desk.whispers("lena.fischer@acme.example"), ["only you"]);
    assert_eq!(respond(&desk, url, &json!({ "delete_original": "true" })), ok);
    let used = json!({ "ok": false, "error": "used_url" }).to_string();
    assert_eq!(respond(&desk, url, &json!({ "text": "x" })), (404, used));
    let second = click(&desk, &server, "Approve").await["response_url"].as_str().unwrap().to_owned();
    desk.universe.advance(Duration::from_secs(1800)).await;
    assert_eq!(respond(&desk, &second, &json!({ "text": "x" })), ok);
    desk.universe.advance(Duration::from_secs(1)).await;
    let expired = json!({ "ok": false, "error": "expired_url" }).to_string();
    assert_eq!(respond(&desk, &second, &json!({ "text": "x" })), (404, expired.clone()));
    assert_eq!(respond(&desk, &format!("{second}x"), &json!({ "text": "x" })), (404, expired));
}

#[tokio::test]
async fn what_one_person_sees_is_replaced_and_deleted() {
    let (desk, server) = listening(&[], 200).await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "text": "Working" }));
    Mock::given(path("/access")).respond_with(answer).mount(&server).await;
    desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/access" }));
    desk.settle().await;
    let url = field(&form(&received(&server, "/access").await[0]), "response_url");
    respond(&desk, &url, &json!({ "text": "Done", "replace_original": true }));
    assert_eq!(desk.whispers("lena.fischer@acme.example"), ["Done"]);
    respond(&desk, &url, &json!({ "delete_original": true }));
    assert_eq!(desk.whispers("lena.fischer@acme.example"), Vec::<String>::new());
}

#[tokio::test]
async fn other_apps_are_not_told() {
    let (desk, server) = listening(&["message.groups"], 200).await;
    desk.call(TESTER, "conversations.create", "name=secret&is_private=true");
    desk.post(TESTER, "channel={#secret}&text=x");
    desk.settle().await;
    assert!(events(&server).await.is_empty());
}

#[tokio::test]
async fn apps_are_told_what_they_may_ask_for() {
    let (desk, server) = listening(&["user_change", "channel_created"], 200).await;
    desk.act("slack.user.create_channel", "lena", json!({ "name": "new" }));
    desk.act("slack.admin.deactivate_user", "dana", json!({ "user": "omar" }));
    desk.settle().await;
    let told = events(&server).await;
    let channel = &told[0]["event"]["channel"];
    assert_eq!(
        (channel["name"].as_str(), channel.get("is_member"), channel.get("last_read")),
        (Some("new"), None, None)
    );
    let user = &told[1]["event"]["user"];
    let may = desk.state().find_app("access-bot").unwrap().scopes.iter().any(|scope| scope == "users:read.email");
    assert_eq!((user["deleted"].as_bool(), user["profile"].get("email").is_some()), (Some(true), may));
}

#[tokio::test]
async fn a_deleted_reply_leaves_the_books_in_order() {
    let (desk, server) = listening(&[], 200).await;
    Mock::given(method("POST")).and(path("/clicks")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let parent = desk.post(TESTER, "channel={#general}&text=parent");
    let first = desk.post(TESTER, &format!("channel={{#general}}&text=r&thread_ts={parent}"));
    let button = json!({ "channel": "{#general}", "text": "x", "blocks": buttons(&["Go"]), "thread_ts": parent });
    let ts = desk.call_json(BOT, "chat.postMessage", &button)["ts"].clone();
    desk.act("slack.user.click", "lena", json!({ "channel": "general", "message_ts": ts, "label": "Go" }));
    desk.settle().await;
    let sent = received(&server, "/clicks").await.pop().unwrap();
    let payload: Value = serde_json::from_str(&field(&form(&sent), "payload")).unwrap();
    assert_eq!(payload["container"]["thread_ts"], parent);
    let url = payload["response_url"].as_str().unwrap().to_owned();
    assert_eq!(respond(&desk, &url, &json!({ "delete_original": "true" })), (200, "ok".to_owned()));
    let thread = desk.call(TESTER, "conversations.replies", &format!("channel={{#general}}&ts={parent}"));
    let top = &thread["messages"][0];
    assert_eq!((top["reply_count"].as_u64(), top["latest_reply"].as_str()), (Some(1), Some(&*first)));
    assert_eq!(top["reply_users"], json!([desk.expand("{@dtutester}")]));
    // What is said through it is cut like all text.
    let long = json!({ "text": "x".repeat(50_000), "response_type": "in_channel" });
    assert_eq!(respond(&desk, &url, &long), (200, "ok".to_owned()));
    assert_eq!(desk.texts("general").last().unwrap().len(), 40_000);
}

/// What a person sees of a command, and how often the app was told of it, where a rule strikes the command.
async fn struck_command(effect: Value, answer: ResponseTemplate, pass: &[u64]) -> (Vec<(Vec<String>, usize)>, Desk) {
    let (desk, server) = listening(&[], 200).await;
    Mock::given(path("/access")).respond_with(answer).mount(&server).await;
    let rule = json!({ "id": "r", "on": { "deliver": "slash_command" }, "do": effect });
    desk.universe.arm(&[serde_json::from_value(rule).unwrap()]).unwrap();
    desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/access" }));
    let mut seen = Vec::new();
    for millis in pass {
        desk.universe.advance(Duration::from_millis(*millis)).await;
        seen.push((desk.whispers("lena.fischer@acme.example"), received(&server, "/access").await.len()));
    }
    desk.universe.run_until_quiet(Duration::from_secs(3_600)).await;
    assert!(desk.universe.jobs().is_empty());
    (seen, desk)
}

#[tokio::test]
async fn a_command_that_comes_late_keeps_slacks_three_seconds() {
    let check = async |effect: Value, answer: ResponseTemplate, steps: &[(u64, &str, usize)]| {
        let pass: Vec<u64> = steps.iter().map(|(millis, ..)| *millis).collect();
        let (seen, _) = struck_command(effect.clone(), answer, &pass).await;
        let shown = |words: &str| match words {
            "" => Vec::new(),
            "late" => vec!["/access failed with the error \"operation_timeout\"".to_owned()],
            words => vec![words.to_owned()],
        };
        let wanted: Vec<(Vec<String>, usize)> = steps.iter().map(|(_, words, told)| (shown(words), *told)).collect();
        assert_eq!(seen, wanted, "{effect}");
    };
    let done = || ResponseTemplate::new(200).set_body_json(json!({ "text": "done" }));
    // In time: the answer is shown when it comes.
    check(json!({ "delay": { "by": "2s" } }), done(), &[(1_999, "", 0), (1, "done", 1), (60_000, "done", 1)]).await;
    // Too late: the person is told after three seconds, and what the app answers later is lost.
    let late: &[_] = &[(2_999, "", 0), (1, "late", 0), (56_999, "late", 0), (1, "late", 1), (9_000, "late", 1)];
    check(json!({ "delay": { "by": "1m" } }), done(), late).await;
    check(json!({ "delay": { "by": "3s" } }), done(), &[(2_999, "", 0), (1, "late", 1)]).await;
    check(json!({ "drop": {} }), done(), &[(2_999, "", 0), (1, "late", 0), (600_000, "late", 0)]).await;
    check(json!({ "hold": { "every": "10s" } }), done(), &[(3_000, "late", 0), (7_000, "late", 1)]).await;
    // Of the three seconds two have gone when the app is told: a second and a half is too long for it.
    let slow = done().set_delay(Duration::from_millis(1_500));
    check(json!({ "delay": { "by": "2s" } }), slow, &[(1_999, "", 0), (1, "late", 1)]).await;
}

#[tokio::test]
async fn the_ledger_tells_what_was_given_up_and_what_came_late() {
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "text": "done" }));
    let (_, desk) = struck_command(json!({ "delay": { "by": "1m" } }), answer, &[]).await;
    let ledger = desk.universe.ledger();
    let all = ledger.page(0, usize::try_from(ledger.len()).unwrap()).unwrap();
    let own = all.iter().filter(|entry| entry["delivery"]["kind"] == "slash_command");
    let told: Vec<(&Value, bool, &Value)> =
        own.map(|entry| (&entry["error"], entry["delivery"]["url"] == "", &entry["status"])).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((told[0].0, told[0].1), (&json!("timeout"), true), "given up, and not sent: {told:?}");
    assert_eq!((told[1].1, told[1].2), (false, &json!(200)), "sent, and answered: {told:?}");
}

#[tokio::test]
async fn an_address_whose_proof_is_asked_for_too_late_has_failed() {
    let desk = Desk::new();
    let server = MockServer::start().await;
    Mock::given(path("/events")).respond_with(App(200)).mount(&server).await;
    let rule = json!({ "id": "r", "on": { "deliver": "url_verification" }, "do": { "delay": { "by": "5s" } } });
    desk.universe.arm(&[serde_json::from_value(rule).unwrap()]).unwrap();
    let with = json!({ "app": "access-bot", "events_url": format!("{}/events", server.uri()), "events": [] });
    desk.act("slack.admin.configure_app", "dana", with);
    desk.universe.advance(Duration::from_secs(3)).await;
    let verified = || {
        let apps = desk.universe.view("slack", "apps").unwrap();
        apps.as_array().unwrap().iter().find(|app| app["key"] == "access-bot").unwrap()["verified"].clone()
    };
    assert_eq!((verified(), server.received_requests().await.unwrap().len()), (json!(false), 0));
    desk.universe.run_until_quiet(Duration::from_secs(60)).await;
    assert_eq!((verified(), server.received_requests().await.unwrap().len()), (json!(false), 1), "late, and in vain");
}

#[tokio::test]
async fn opinions_are_told_as_the_button_that_was_pressed() {
    let (desk, server) = listening(&[], 200).await;
    Mock::given(path("/clicks")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let plain = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": true });
    let asks = json!({
        "type": "feedback_buttons",
        "action_id": "opinion",
        "positive_button": { "text": plain("Good"), "value": "good" },
        "negative_button": { "text": plain("Bad"), "value": "bad" },
    });
    let bin = json!({ "type": "icon_button", "action_id": "bin", "icon": "trash", "text": plain("Bin"), "value": "1" });
    let blocks = json!([{ "type": "context_actions", "block_id": "b", "elements": [asks, bin] }]);
    let posted =
        desk.call_json(BOT, "chat.postMessage", &json!({ "channel": "general", "text": "x", "blocks": blocks }));
    assert_eq!(posted["ok"], true, "{posted}");
    for (label, wanted) in [
        ("Bad", json!({ "type": "feedback_buttons", "action_id": "opinion", "text": plain("Bad"), "value": "bad" })),
        ("Good", json!({ "type": "feedback_buttons", "action_id": "opinion", "text": plain("Good"), "value": "good" })),
        (
            "Bin",
            json!({ "type": "icon_button", "action_id": "bin", "text": plain("Bin"), "value": "1", "icon": "trash" }),
        ),
    ] {
        desk.act("slack.user.click", "lena", json!({ "channel": "general", "label": label }));
        desk.settle().await;
        let sent = received(&server, "/clicks").await.pop().unwrap();
        let payload: Value = serde_json::from_str(&field(&form(&sent), "payload")).unwrap();
        let mut action = payload["actions"][0].clone();
        assert_eq!(action["block_id"], "b");
        for name in ["block_id", "action_ts"] {
            action.as_object_mut().unwrap().shift_remove(name).unwrap();
        }
        assert_eq!(action, wanted, "{label}");
    }
}
