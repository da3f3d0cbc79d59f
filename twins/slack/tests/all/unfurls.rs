//! What links show: messages that Slack quotes, and what apps make of links of their domains.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::path};

use crate::desk::{DANA, Desk, TESTER};

fn permalink(desk: &Desk, channel: &str, ts: &str) -> String {
    let told = desk.call(DANA, "chat.getPermalink", &format!("channel={{#{channel}}}&message_ts={ts}"));
    told["permalink"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

fn newest(desk: &Desk, channel: &str) -> Value {
    desk.call(DANA, "conversations.history", &format!("channel={{#{channel}}}&limit=1"))["messages"][0].clone()
}

#[tokio::test]
async fn links_to_messages_are_quoted_a_moment_later() {
    let desk = Desk::new();
    let quoted = desk.act("slack.user.post", "dana", json!({ "channel": "random", "text": "the *plan*" }));
    let ts = quoted["ts"].as_str().unwrap();
    let link = permalink(&desk, "random", ts);
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": format!("see {link}") }));
    assert_eq!(newest(&desk, "general").get("attachments"), None, "not yet");
    desk.universe.advance(Duration::from_secs(2)).await;
    let shown = newest(&desk, "general");
    let quote = &shown["attachments"][0];
    assert_eq!((&quote["from_url"], &quote["ts"]), (&json!(link), &json!(ts)));
    assert_eq!((&quote["text"], &quote["is_msg_unfurl"]), (&json!("the *plan*"), &json!(true)));
    assert_eq!((&quote["author_id"], &quote["channel_id"]), (&json!(desk.expand("{@dana}")), &quoted["channel"]));
    assert_eq!((&quote["footer"], &quote["id"]), (&json!("Posted in #random"), &json!(1)));
    assert_eq!(shown.get("edited"), None, "nobody has edited it");
}

#[tokio::test]
async fn what_readers_may_not_see_is_not_quoted() {
    let desk = Desk::new();
    desk.act("slack.user.create_channel", "dana", json!({ "name": "hush", "private": true }));
    let secret = desk.act("slack.user.post", "dana", json!({ "channel": "hush", "text": "secret" }));
    let link = permalink(&desk, "hush", secret["ts"].as_str().unwrap());
    for text in [link.as_str(), "https://acme-corp.slack.com/archives/C0/p1", "https://acme.example/archives/x/p1"] {
        desk.act("slack.user.post", "dana", json!({ "channel": "general", "text": text }));
        desk.universe.advance(Duration::from_secs(2)).await;
        assert_eq!(newest(&desk, "general").get("attachments"), None, "{text}");
    }
    desk.act("slack.user.post", "dana", json!({ "channel": "hush", "text": link }));
    desk.universe.advance(Duration::from_secs(2)).await;
    assert_eq!(newest(&desk, "hush")["attachments"][0]["text"], "secret", "its readers may");
}

#[tokio::test]
async fn apps_say_whether_their_links_are_quoted() {
    let desk = Desk::new();
    let quoted = desk.act("slack.user.post", "dana", json!({ "channel": "random", "text": "plan" }));
    let link = permalink(&desk, "random", quoted["ts"].as_str().unwrap());
    let check = |more: Value, wanted: usize| {
        let (desk, link) = (&desk, &link);
        async move {
            let mut body = json!({ "channel": "{#general}", "text": link });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            desk.call_json(TESTER, "chat.postMessage", &body);
            desk.universe.advance(Duration::from_secs(2)).await;
            let shown = newest(desk, "general")["attachments"].as_array().map_or(0, Vec::len);
            assert_eq!(shown, wanted, "{more}");
        }
    };
    check(json!({}), 0).await;
    check(json!({ "unfurl_links": false }), 0).await;
    check(json!({ "unfurl_links": true }), 1).await;
    check(json!({ "unfurl_links": true, "attachments": [{ "text": "own" }] }), 2).await;
}

/// A desk whose tester is told of links of `acme.example`, and where it hears of them.
async fn listening() -> (Desk, MockServer) {
    let server = MockServer::start().await;
    let answer = |request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        ResponseTemplate::new(200).set_body_json(json!({ "challenge": body["challenge"] }))
    };
    Mock::given(path("/events")).respond_with(answer).mount(&server).await;
    let desk = Desk::new();
    let url = format!("{}/events", server.uri());
    desk.act("slack.admin.distribute_app", "dana", json!({ "app": "dtu-tester", "unfurl_domains": ["acme.example"] }));
    let with = json!({ "app": "dtu-tester", "events_url": url, "events": ["link_shared"] });
    desk.act("slack.admin.configure_app", "dana", with);
    desk.settle().await;
    (desk, server)
}

async fn heard(server: &MockServer) -> Value {
    let sent = server.received_requests().await.unwrap();
    let bodies = sent.iter().filter_map(|request| serde_json::from_slice::<Value>(&request.body).ok());
    bodies.map(|body| body["event"].clone()).find(|event| event["type"] == "link_shared").unwrap()
}

#[tokio::test]
async fn links_are_shown_before_they_are_sent() {
    let (desk, server) = listening().await;
    let written = desk.act("slack.user.compose", "lena", json!({ "text": "see https://acme.example/1?a=1&b=2" }));
    desk.settle().await;
    let event = heard(&server).await;
    let id = event["unfurl_id"].as_str().unwrap();
    assert_eq!((&event["channel"], &event["source"]), (&json!("COMPOSER"), &json!("composer")));
    assert_eq!((&event["message_ts"], &written["told"][0]["unfurl_id"]), (&json!(id), &json!(id)));
    assert_eq!(event["links"][0], json!({ "domain": "acme.example", "url": "https://acme.example/1?a=1&b=2" }));
    let check = |id: &str, url: &str, more: &str, wanted: &str| {
        let unfurls = json!({ url: { "text": "One" } }).to_string().replace('&', "%26");
        let args = format!("unfurl_id={id}&source=composer&unfurls={unfurls}{more}");
        assert_eq!(desk.error(TESTER, "chat.unfurl", &args), wanted, "{args}");
    };
    check(id, "https://acme.example/1?a=1&b=2", "", "");
    check(id, "https://acme.example/2", "", "cannot_unfurl_message");
    check(id, "https://other.example/1", "", "cannot_unfurl_url");
    check("U1-nonsense", "https://acme.example/1?a=1&b=2", "", "invalid_unfurl_id");
    let draft = || desk.view("drafts").pop().unwrap();
    assert_eq!(draft()["previews"]["https://acme.example/1?a=1&b=2"]["text"], "One");
    check(id, "https://acme.example/1?a=1&b=2", "&user_auth_required=true", "");
    assert_eq!(draft()["asks_to_sign_in"], true);
    assert!(desk.texts("general").iter().all(|text| !text.contains("acme.example/1")), "nothing was sent");
}

#[tokio::test]
async fn the_id_of_links_names_their_message() {
    let (desk, server) = listening().await;
    let posted =
        desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "see https://acme.example/1" }));
    desk.settle().await;
    let event = heard(&server).await;
    let id = event["unfurl_id"].as_str().unwrap();
    let place = desk.expand(&format!("{{#general}}.{}.", posted["ts"].as_str().unwrap()));
    assert!(id.starts_with(&place) && id.len() == place.len() + 64, "{id}");
    let unfurls = json!({ "https://acme.example/1": { "text": "One" } });
    let general = desk.expand("{#general}");
    let check = |place: &str, wanted: &str| {
        assert_eq!(desk.error(TESTER, "chat.unfurl", &format!("{place}&unfurls={unfurls}")), wanted, "{place}");
    };
    check("", "missing_channel");
    check("ts=1.000001", "missing_channel");
    check(&format!("channel={general}"), "missing_ts");
    check(&format!("unfurl_id={id}"), "missing_source");
    check("source=conversations_history", "missing_unfurl_id");
    check(&format!("unfurl_id={id}&source=elsewhere"), "invalid_source");
    check(&format!("unfurl_id={place}0&source=conversations_history"), "invalid_unfurl_id");
    check(&format!("unfurl_id={id}&source=composer"), "invalid_unfurl_id");
    check(&format!("unfurl_id={id}&source=conversations_history"), "");
    assert_eq!(newest(&desk, "general")["attachments"][0]["text"], "One");
}

/// What an app tells of a task.
fn task(link: &str) -> Value {
    json!({
        "app_unfurl_url": link, "url": "https://acme.example/tasks/7", "external_ref": { "id": "7" },
        "entity_type": "slack#/entities/task",
        "entity_payload": { "attributes": { "title": { "text": "Paint the fence" } } },
    })
}

#[tokio::test]
async fn links_show_the_things_behind_them() {
    let desk = Desk::new();
    desk.act("slack.admin.distribute_app", "dana", json!({ "app": "dtu-tester", "unfurl_domains": ["acme.example"] }));
    let link = "https://acme.example/tasks/7?from=mail";
    let posted = desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": format!("see {link}") }));
    let unfurl = |metadata: &Value| {
        let body = json!({ "channel": "{#general}", "ts": posted["ts"], "metadata": metadata });
        desk.call_json(TESTER, "chat.unfurl", &body)
    };
    let mut nameless = task(link);
    nameless["external_ref"] = json!({});
    let told = unfurl(&json!({ "entities": [nameless] }));
    assert_eq!((&told["ok"], &told["warning"]), (&json!(true), &json!("invalid_metadata_format")), "{told}");
    let why = "missing required field: id (pointer: /metadata/entities/0/external_ref)";
    assert_eq!(told["response_metadata"]["messages"], json!([why]));
    assert_eq!(newest(&desk, "general").get("attachments"), None, "left out");
    assert_eq!(unfurl(&json!("{"))["error"], "invalid_metadata_format");
    let elsewhere = task("https://elsewhere.example/7");
    assert_eq!(unfurl(&json!({ "entities": [elsewhere] }))["error"], "cannot_unfurl_url");
    assert_eq!(unfurl(&json!({ "entities": [task("https://acme.example/8")] }))["error"], "cannot_unfurl_message");
    assert_eq!(unfurl(&json!({ "entities": [task(link)] })), json!({ "ok": true }));
    let shown = newest(&desk, "general")["attachments"][0].clone();
    assert_eq!((&shown["from_url"], &shown["title"]), (&json!(link), &json!("Paint the fence")));
    assert_eq!(shown["work_object_entity"]["external_ref"]["id"], "7");
}

#[test]
fn apps_post_things() {
    let desk = Desk::new();
    let post = |metadata: Value| {
        let body = json!({ "channel": "{#general}", "text": "done", "metadata": metadata });
        desk.call_json(TESTER, "chat.postMessage", &body)
    };
    let told = post(json!({ "entities": [task("https://acme.example/tasks/7")] }));
    assert_eq!(
        told["message"]["attachments"][0]["work_object_entity"]["entity_type"], "slack#/entities/task",
        "{told}"
    );
    let mut odd = task("https://acme.example/tasks/7");
    odd["entity_type"] = json!("slack#/entities/cow");
    let told = post(json!({ "entities": [odd], "event_type": "x", "event_payload": {} }));
    assert_eq!((&told["warning"], told["message"].get("attachments")), (&json!("invalid_metadata_format"), None));
    assert_eq!(told["message"]["metadata"], json!({ "event_type": "x", "event_payload": {} }), "the rest stays");
    assert_eq!(post(json!({ "event_type": "x" }))["error"], "invalid_metadata_schema");
}

/// What an app is told of a click.
fn payload(request: &Request) -> Value {
    let mut form = form_urlencoded::parse(&request.body);
    form.find(|(name, _)| name == "payload").map(|(_, text)| serde_json::from_str(&text).unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn controls_behind_links_are_the_apps() {
    let (desk, server) = listening().await;
    let with = json!({ "app": "dtu-tester", "interactivity_url": format!("{}/clicks", server.uri()) });
    desk.act("slack.admin.configure_app", "dana", with);
    let link = "https://acme.example/1";
    let posted = desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": link }));
    let text = |text: &str| json!({ "type": "plain_text", "text": text });
    let option = json!({ "text": text("High"), "value": "high" });
    let elements = json!([
        { "type": "button", "action_id": "done", "text": text("Done") },
        { "type": "static_select", "action_id": "weight", "options": [option] },
    ]);
    let blocks = json!([{ "type": "actions", "block_id": "b", "elements": elements }]);
    let body = json!({ "channel": "{#general}", "ts": posted["ts"], "unfurls": { link: { "blocks": blocks } } });
    assert_eq!(desk.call_json(TESTER, "chat.unfurl", &body)["ok"], true);
    let ts = posted["ts"].as_str().unwrap();
    desk.act("slack.user.click", "omar", json!({ "channel": "general", "action_id": "done" }));
    let pick = json!({ "channel": "general", "message_ts": ts, "action_id": "weight", "value": "high" });
    desk.act("slack.user.use", "omar", pick);
    desk.settle().await;
    let all = server.received_requests().await.unwrap();
    let clicks: Vec<Value> = all.iter().filter(|request| request.url.path() == "/clicks").map(payload).collect();
    assert_eq!(clicks.len(), 2);
    for click in &clicks {
        let container = json!({
            "type": "message_attachment", "message_ts": ts, "channel_id": posted["channel"], "is_ephemeral": false,
            "attachment_id": 1, "is_app_unfurl": true,
        });
        assert_eq!(click["container"], container);
        assert_eq!(click["app_unfurl"]["from_url"], link);
    }
    assert_eq!(clicks[1]["state"]["values"]["b"]["weight"]["selected_option"]["value"], "high");
}
