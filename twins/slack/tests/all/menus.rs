//! Menus of attachments, from before blocks: people pick, and the app is told and may give the options.

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::path};

use crate::desk::{BOT, Desk};

fn said(request: &Request) -> Value {
    let mut form = form_urlencoded::parse(&request.body);
    form.find(|(name, _)| name == "payload").map(|(_, text)| serde_json::from_str(&text).unwrap()).unwrap_or_default()
}

/// Options for what is typed; none for other questions.
fn options(request: &Request) -> ResponseTemplate {
    let typed = said(request)["value"].as_str().unwrap().to_owned();
    let option = |text: &str| json!({ "text": format!("{text} {typed}"), "value": format!("{text}-{typed}") });
    let groups = json!([{ "text": "Open", "options": [option("bug"), option("idea")] }]);
    ResponseTemplate::new(200).set_body_json(json!({ "option_groups": groups }))
}

async fn ready() -> (Desk, MockServer) {
    let server = MockServer::start().await;
    Mock::given(path("/clicks")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    Mock::given(path("/options")).respond_with(options).mount(&server).await;
    let desk = Desk::new();
    let with = json!({
        "app": "access-bot",
        "interactivity_url": format!("{}/clicks", server.uri()),
        "options_url": format!("{}/options", server.uri()),
    });
    desk.act("slack.admin.configure_app", "dana", with);
    (desk, server)
}

fn menu(name: &str, more: Value) -> Value {
    let mut menu = json!({ "name": name, "text": format!("Pick a {name}"), "type": "select" });
    for (key, value) in more.as_object().unwrap() {
        menu[key] = value.clone();
    }
    menu
}

/// Posts a message with menus; gives back its timestamp.
fn post(desk: &Desk, menus: &[Value]) -> String {
    let attachment = json!({ "text": "Choose", "callback_id": "choices", "actions": menus });
    let body = json!({ "channel": "{#general}", "text": "?", "attachments": [attachment] });
    let told = desk.call_json(BOT, "chat.postMessage", &body);
    told["ts"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

async fn heard(server: &MockServer, at: &str) -> Vec<Value> {
    let all = server.received_requests().await.unwrap();
    all.iter().filter(|request| request.url.path() == at).map(said).collect()
}

#[tokio::test]
async fn people_pick_in_menus_of_attachments() {
    let (desk, server) = ready().await;
    let option = |text: &str| json!({ "text": text, "value": text.to_lowercase() });
    let ts = post(
        &desk,
        &[
            menu("game", json!({ "options": [option("Chess"), option("Go")] })),
            menu("dish", json!({ "option_groups": [{ "text": "Hot", "options": [option("Soup")] }] })),
            menu("owner", json!({ "data_source": "users" })),
            menu("room", json!({ "data_source": "channels" })),
            menu("place", json!({ "data_source": "conversations" })),
        ],
    );
    let pick = |name: &str, value: &str| {
        let with = json!({ "channel": "general", "message_ts": ts, "action_id": name, "value": value });
        desk.try_act("slack.user.use", "lena", with)
    };
    assert_eq!(pick("game", "Poker").unwrap_err(), "the menu `game` does not offer `Poker`");
    assert!(pick("room", "nowhere").is_err());
    let rows = [("game", "Go"), ("dish", "soup"), ("owner", "omar"), ("room", "random"), ("place", "general")];
    let wanted = ["go", "soup", "{@omar}", "{#random}", "{#general}"].map(|value| desk.expand(value));
    for (name, value) in rows {
        pick(name, value).unwrap();
        desk.settle().await;
    }
    let told = heard(&server, "/clicks").await;
    for ((payload, (name, _)), value) in told.iter().zip(rows).zip(wanted) {
        let action = json!([{ "name": name, "type": "select", "selected_options": [{ "value": value }] }]);
        assert_eq!(payload["actions"], action);
        assert_eq!((&payload["type"], &payload["callback_id"]), (&json!("interactive_message"), &json!("choices")));
        assert_eq!((&payload["attachment_id"], &payload["message_ts"]), (&json!("1"), &json!(ts)));
    }
    assert_eq!(told.len(), rows.len());
    let labelled = json!({ "channel": "general", "message_ts": ts, "label": "pick a game", "value": "chess" });
    assert!(desk.try_act("slack.user.use", "lena", labelled).is_ok());
}

#[tokio::test]
async fn apps_give_the_options_of_menus() {
    let (desk, server) = ready().await;
    let ts = post(&desk, &[menu("bug", json!({ "data_source": "external", "min_query_length": 2 }))]);
    let verb = |verb: &str, value: &str| {
        let with = json!({ "channel": "general", "message_ts": ts, "action_id": "bug", "value": value });
        desk.try_act(verb, "lena", with)
    };
    assert!(verb("slack.user.use", "bug-ab").is_err(), "nothing is offered yet");
    assert_eq!(verb("slack.user.look_up", "a").unwrap_err(), "options are looked up from 2 characters on");
    verb("slack.user.look_up", "ab").unwrap();
    desk.settle().await;
    let asked = heard(&server, "/options").await.pop().unwrap();
    assert_eq!(
        (&asked["type"], &asked["name"], &asked["value"]),
        (&json!("interactive_message"), &json!("bug"), &json!("ab"))
    );
    assert_eq!((&asked["callback_id"], &asked["attachment_id"]), (&json!("choices"), &json!("1")));
    assert_eq!((&asked["message_ts"], asked.get("actions")), (&json!(ts), None));
    verb("slack.user.use", "idea ab").unwrap();
    desk.settle().await;
    let told = heard(&server, "/clicks").await.pop().unwrap();
    assert_eq!(told["actions"][0]["selected_options"], json!([{ "value": "idea-ab" }]));
}
