//! Modals, Home tabs, shortcuts and controls: what apps are sent, and what their answers do.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

use crate::desk::{BOT, DANA, Desk, TESTER};

/// A desk whose Test Harness takes what people do, and answers with a body.
async fn listening(answer: Value) -> (Desk, MockServer) {
    let server = MockServer::start().await;
    answers(&server, answer).await;
    let desk = Desk::new();
    let with = json!({
        "app": "dtu-tester",
        "interactivity_url": format!("{}/acts", server.uri()),
        "shortcuts": { "anywhere": "global", "on_message": "message" },
    });
    desk.act("slack.admin.configure_app", "dana", with);
    (desk, server)
}

/// Has the app answer all further calls with a body, or with nothing.
async fn answers(server: &MockServer, answer: Value) {
    server.reset().await;
    let template = ResponseTemplate::new(200);
    let template = if answer.is_null() { template } else { template.set_body_json(answer) };
    Mock::given(method("POST")).and(path("/acts")).respond_with(template).mount(server).await;
}

/// The payloads that the app was sent.
async fn sent(desk: &Desk, server: &MockServer) -> Vec<Value> {
    desk.settle().await;
    let payload = |request: &Request| {
        let (_, payload) = form_urlencoded::parse(&request.body).find(|(name, _)| name == "payload").unwrap();
        serde_json::from_str(&payload).unwrap()
    };
    server.received_requests().await.unwrap().iter().map(payload).collect()
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

fn modal(callback: &str) -> Value {
    json!({
        "type": "modal",
        "callback_id": callback,
        "title": plain("Ask"),
        "submit": plain("Send"),
        "private_metadata": "secret",
        "notify_on_close": true,
        "blocks": [
            { "type": "input", "block_id": "why", "label": plain("Why"), "element": { "type": "plain_text_input", "action_id": "text" } },
            { "type": "input", "block_id": "who", "optional": true, "label": plain("Who"), "element": { "type": "users_select", "action_id": "user" } },
            { "type": "section", "block_id": "how", "text": plain("How"), "accessory": {
                "type": "static_select", "action_id": "pick",
                "options": [{ "text": plain("Fast"), "value": "fast" }, { "text": plain("Slow"), "value": "slow" }] } },
            { "type": "actions", "block_id": "do", "elements": [
                { "type": "button", "action_id": "more", "text": plain("More"), "value": "m" },
                { "type": "external_select", "action_id": "find", "min_query_length": 2 }] },
        ],
    })
}

fn trigger(desk: &Desk) -> String {
    let done = desk.act("slack.user.shortcut", "lena", json!({ "app": "dtu-tester", "callback_id": "anywhere" }));
    done["trigger_id"].as_str().unwrap().to_owned()
}

fn open(desk: &Desk, callback: &str) -> Value {
    let body = json!({ "trigger_id": trigger(desk), "view": modal(callback) });
    let answer = desk.call_json(TESTER, "views.open", &body);
    assert_eq!(answer["ok"], true, "{answer}");
    answer["view"].clone()
}

fn windows(desk: &Desk) -> Vec<String> {
    desk.view("windows").iter().map(|row| row["callback_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_modal_is_filled_and_submitted() {
    let (desk, server) = listening(Value::Null).await;
    let view = open(&desk, "ask");
    assert_eq!(view["root_view_id"], view["id"]);
    assert_eq!((&view["previous_view_id"], &view["private_metadata"]), (&Value::Null, &json!("secret")));
    let refused = desk.try_act("slack.user.submit", "lena", json!({})).unwrap_err();
    assert_eq!(refused, "please complete this required field: Why");
    let fill = |with: Value| desk.act("slack.user.use", "lena", with);
    fill(json!({ "action_id": "text", "value": "Because" }));
    fill(json!({ "label": "Who", "value": "@omar" }));
    desk.settle().await;
    answers(&server, Value::Null).await;
    fill(json!({ "action_id": "pick", "value": "Slow" }));
    let acts = sent(&desk, &server).await;
    assert_eq!(acts.len(), 1, "inputs are told with the submission only");
    assert_eq!(acts[0]["type"], "block_actions");
    assert_eq!(acts[0]["container"], json!({ "type": "view", "view_id": view["id"] }));
    assert_eq!(acts[0]["actions"][0]["selected_option"]["value"], "slow");
    assert_eq!(acts[0]["view"]["state"]["values"]["why"]["text"]["value"], "Because");
    answers(&server, Value::Null).await;
    desk.act("slack.user.submit", "lena", json!({}));
    let submitted = &sent(&desk, &server).await[0];
    assert_eq!((&submitted["type"], &submitted["response_urls"]), (&json!("view_submission"), &json!([])));
    let values = &submitted["view"]["state"]["values"];
    assert_eq!(values["why"]["text"], json!({ "type": "plain_text_input", "value": "Because" }));
    assert_eq!(values["who"]["user"]["selected_user"], json!(desk.expand("{@omar}")));
    assert_eq!(values["how"]["pick"]["selected_option"]["value"], "slow");
    assert_eq!(values["do"]["find"], json!({ "type": "external_select", "selected_option": null }));
    assert!(windows(&desk).is_empty(), "an empty answer closes it");
}

#[tokio::test]
async fn answers_to_submissions_are_done() {
    let (desk, server) = listening(Value::Null).await;
    let submit = async |answer: Value| {
        answers(&server, answer).await;
        desk.act("slack.user.use", "lena", json!({ "action_id": "text", "value": "x" }));
        desk.act("slack.user.submit", "lena", json!({}));
        desk.settle().await;
        windows(&desk)
    };
    open(&desk, "first");
    let left = submit(json!({ "response_action": "errors", "errors": { "why": "No" } })).await;
    assert_eq!((left, &desk.view("windows")[0]["errors"]), (vec!["first".to_owned()], &json!({ "why": "No" })));
    assert_eq!(submit(json!({ "response_action": "errors", "errors": { "other": "No" } })).await, ["first"]);
    assert_eq!(desk.view("windows")[0]["trouble"], "invalid answer: invalid_payload");
    assert_eq!(submit(json!({ "response_action": "update", "view": modal("second") })).await, ["second"]);
    let mut pushed = submit(json!({ "response_action": "push", "view": modal("third") })).await;
    pushed.sort();
    assert_eq!(pushed, ["second", "third"]);
    assert_eq!(submit(Value::Null).await, ["second"]);
    assert_eq!(submit(json!({ "response_action": "nonsense" })).await, ["second"]);
    assert!(submit(json!({ "response_action": "clear" })).await.is_empty());
}

#[tokio::test]
async fn closing_is_told_where_asked_for() {
    let (desk, server) = listening(Value::Null).await;
    open(&desk, "ask");
    desk.settle().await;
    answers(&server, Value::Null).await;
    desk.act("slack.user.close", "lena", json!({}));
    let told = &sent(&desk, &server).await[0];
    assert_eq!((&told["type"], &told["is_cleared"]), (&json!("view_closed"), &json!(false)));
    assert!(desk.try_act("slack.user.close", "lena", json!({})).is_err());
}

#[tokio::test]
async fn triggers_are_exchanged_once_and_soon() {
    let (desk, server) = listening(Value::Null).await;
    let error = |token: &str, method: &str, trigger: &str| {
        let answer = desk.call_json(token, method, &json!({ "trigger_id": trigger, "view": modal("x") }));
        answer["error"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(error(TESTER, "views.open", "nonsense"), "invalid_arguments");
    assert_eq!(error(TESTER, "views.open", "1.2.3"), "invalid_trigger_id");
    let first = trigger(&desk);
    assert_eq!(error(BOT, "views.open", &first), "invalid_trigger_id", "another app's");
    assert_eq!(error(TESTER, "views.push", &first), "not_found", "nothing to push on");
    assert_eq!(error(TESTER, "views.open", &first), "");
    assert_eq!(error(TESTER, "views.open", &first), "exchanged_trigger_id");
    assert_eq!(error(TESTER, "views.push", &trigger(&desk)), "");
    assert_eq!(error(TESTER, "views.push", &trigger(&desk)), "");
    assert_eq!(error(TESTER, "views.push", &trigger(&desk)), "push_limit_reached");
    let late = trigger(&desk);
    desk.universe.advance(Duration::from_secs(4)).await;
    assert_eq!(error(TESTER, "views.open", &late), "expired_trigger_id");
    drop(server);
}

#[tokio::test]
async fn views_are_updated_under_their_hash() {
    let (desk, _server) = listening(Value::Null).await;
    let mut named = modal("ask");
    named["external_id"] = json!("mine");
    let body = json!({ "trigger_id": trigger(&desk), "view": named });
    let view = desk.call_json(TESTER, "views.open", &body)["view"].clone();
    let update = |with: Value| {
        let mut body = json!({ "view": modal("again") });
        body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        desk.call_json(TESTER, "views.update", &body)
    };
    assert_eq!(update(json!({ "view_id": "V000000000" }))["error"], "not_found");
    assert_eq!(update(json!({}))["error"], "invalid_arguments");
    assert_eq!(update(json!({ "view_id": view["id"], "hash": "old" }))["error"], "hash_conflict");
    let duplicate = json!({ "trigger_id": trigger(&desk), "view": named });
    assert_eq!(desk.call_json(TESTER, "views.push", &duplicate)["error"], "duplicate_external_id");
    desk.act("slack.user.use", "lena", json!({ "action_id": "text", "value": "kept" }));
    let changed = update(json!({ "external_id": "mine", "hash": view["hash"] }));
    assert_eq!(changed["view"]["callback_id"], "again");
    assert_ne!(changed["view"]["hash"], view["hash"]);
    assert_eq!(changed["view"]["state"]["values"]["why"]["text"]["value"], "kept");
}

#[tokio::test]
async fn home_tabs_are_published_and_opened() {
    let (desk, server) = listening(Value::Null).await;
    let lena = desk.expand("{@lena}");
    let home = json!({ "type": "home", "blocks": [{ "type": "actions", "block_id": "b", "elements": [
        { "type": "button", "action_id": "go", "text": plain("Go") }] }] });
    let publish = |token: &str, user: &str, hash: Option<&Value>| {
        let mut body = json!({ "user_id": user, "view": home });
        if let Some(hash) = hash {
            body["hash"] = hash.clone();
        }
        desk.call_json(token, "views.publish", &body)
    };
    assert_eq!(publish(DANA, &lena, None)["error"], "not_allowed_token_type");
    assert_eq!(publish(TESTER, "U000000000", None)["error"], "invalid_arguments");
    let view = publish(TESTER, &lena, None)["view"].clone();
    assert_eq!((&view["type"], &view["submit"]), (&json!("home"), &Value::Null));
    assert_eq!(publish(TESTER, &lena, Some(&json!("old")))["error"], "hash_conflict");
    assert_eq!(publish(TESTER, &lena, Some(&view["hash"]))["view"]["id"], view["id"]);
    let opened = desk.act("slack.user.open_home", "lena", json!({ "app": "dtu-tester" }));
    assert_eq!(opened["view"], view["id"]);
    desk.act("slack.user.use", "lena", json!({ "home": "dtu-tester", "label": "go" }));
    let act = &sent(&desk, &server).await[0];
    assert_eq!((&act["view"]["id"], &act["actions"][0]["action_id"]), (&view["id"], &json!("go")));
    desk.act("slack.admin.configure_app", "dana", json!({ "app": "dtu-tester", "home_tab": false }));
    assert_eq!(publish(TESTER, &lena, None)["error"], "not_enabled");
}

#[tokio::test]
async fn shortcuts_and_options_reach_the_app() {
    let (desk, server) = listening(json!({ "options": [{ "text": plain("Acme"), "value": "acme" }] })).await;
    let ts = desk.post(TESTER, "channel={#general}&text=about this");
    let on = json!({ "app": "dtu-tester", "callback_id": "on_message", "channel": "general", "message_ts": ts });
    desk.act("slack.user.shortcut", "lena", on);
    let told = &sent(&desk, &server).await[0];
    assert_eq!((&told["type"], &told["message"]["text"]), (&json!("message_action"), &json!("about this")));
    assert!(told["response_url"].as_str().unwrap().contains("/actions/"));
    let unknown = json!({ "app": "dtu-tester", "callback_id": "unheard" });
    assert!(desk.try_act("slack.user.shortcut", "lena", unknown).is_err());
    open(&desk, "ask");
    let find = |value: &str| json!({ "action_id": "find", "value": value });
    assert!(desk.try_act("slack.user.look_up", "lena", find("a")).is_err(), "too short");
    assert!(desk.try_act("slack.user.use", "lena", find("acme")).is_err(), "nothing offered yet");
    desk.act("slack.user.look_up", "lena", find("ac"));
    desk.settle().await;
    desk.act("slack.user.use", "lena", find("Acme"));
    let last = sent(&desk, &server).await.pop().unwrap();
    assert_eq!(last["actions"][0]["selected_option"]["value"], "acme");
}

#[tokio::test]
async fn controls_of_messages_keep_what_they_are_set_to() {
    let (desk, server) = listening(Value::Null).await;
    let blocks = json!([{ "type": "actions", "block_id": "b", "elements": [
        { "type": "datepicker", "action_id": "day" }, { "type": "button", "action_id": "go", "text": plain("Go") }] }]);
    let body = json!({ "channel": "general", "text": "x", "blocks": blocks });
    let ts = desk.call_json(TESTER, "chat.postMessage", &body)["ts"].clone();
    let on = |action: &str, value: Value| json!({ "channel": "general", "message_ts": ts, "action_id": action, "value": value });
    desk.act("slack.user.use", "lena", on("day", json!("2026-03-03")));
    desk.act("slack.user.use", "lena", on("go", Value::Null));
    let acts = sent(&desk, &server).await;
    assert_eq!(acts[0]["actions"][0]["selected_date"], "2026-03-03");
    assert_eq!(acts[1]["state"]["values"]["b"]["day"]["selected_date"], "2026-03-03");
    let reply = desk.request(Method::GET, "/", &[], b"");
    assert_eq!(reply.status.as_u16(), 200);
}
