//! Dialogs: opened with a trigger, filled in by a person, answered by the app.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::path};

use crate::desk::{BOT, Desk};

/// Refuses the word `no`, and takes all else.
fn answer(request: &Request) -> ResponseTemplate {
    let body = said(request);
    match body["submission"]["dish"].as_str() {
        Some("no") => {
            ResponseTemplate::new(200).set_body_json(json!({ "errors": [{ "name": "dish", "error": "Not today" }] }))
        }
        Some("broken") => ResponseTemplate::new(500),
        _ => ResponseTemplate::new(200),
    }
}

fn said(request: &Request) -> Value {
    let form: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
    form.iter()
        .find(|(name, _)| name == "payload")
        .map(|(_, text)| serde_json::from_str(text).unwrap())
        .unwrap_or_default()
}

async fn ready() -> (Desk, MockServer) {
    let server = MockServer::start().await;
    Mock::given(path("/clicks")).respond_with(answer).mount(&server).await;
    let desk = Desk::new();
    let with = json!({
        "app": "access-bot",
        "interactivity_url": format!("{}/clicks", server.uri()),
        "commands": { "/access": format!("{}/access", server.uri()) },
    });
    desk.act("slack.admin.configure_app", "dana", with);
    (desk, server)
}

/// A trigger of Lena's in #general.
async fn trigger(desk: &Desk, server: &MockServer) -> String {
    desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/access" }));
    desk.settle().await;
    let all = server.received_requests().await.unwrap();
    let last = all.iter().rev().find(|request| request.url.path() == "/access").unwrap();
    let mut form = form_urlencoded::parse(&last.body);
    form.find(|(name, _)| name == "trigger_id").unwrap().1.into_owned()
}

fn dialog() -> Value {
    json!({
        "title": "Order", "callback_id": "order", "state": "s-1", "notify_on_cancel": true,
        "elements": [
            { "type": "text", "label": "Dish", "name": "dish", "min_length": 2 },
            { "type": "textarea", "label": "Notes", "name": "notes", "optional": true },
            { "type": "select", "label": "Size", "name": "size", "value": "m", "options": [{ "label": "M", "value": "m" }, { "label": "L", "value": "l" }] },
        ],
    })
}

fn open(desk: &Desk, trigger: &str, dialog: &Value) -> Value {
    desk.call_json(BOT, "dialog.open", &json!({ "trigger_id": trigger, "dialog": dialog.to_string() }))
}

#[tokio::test]
async fn a_dialog_is_filled_in_and_answered() {
    let (desk, server) = ready().await;
    let id = trigger(&desk, &server).await;
    assert_eq!(open(&desk, &id, &dialog())["ok"], true);
    let submit = |values: Value| desk.try_act("slack.user.submit_dialog", "lena", json!({ "values": values }));
    for (values, why) in [
        (json!({}), "`dish` is to be filled in"),
        (json!({ "dish": "x" }), "`dish` is too short"),
        (json!({ "dish": "soup", "size": "xl" }), "`size` offers no such option"),
        (json!({ "dish": "soup", "wine": "red" }), "the dialog has no element `wine`"),
    ] {
        assert_eq!(submit(values).unwrap_err(), why);
    }
    submit(json!({ "dish": "no" })).unwrap();
    desk.settle().await;
    assert_eq!(desk.view("dialogs")[0]["errors"], json!({ "dish": "Not today" }));
    submit(json!({ "dish": "broken" })).unwrap();
    desk.settle().await;
    assert_eq!(desk.view("dialogs")[0]["trouble"], "HTTP status 500");
    submit(json!({ "dish": "soup", "size": "l" })).unwrap();
    desk.settle().await;
    assert!(desk.view("dialogs").is_empty());
    let all = server.received_requests().await.unwrap();
    let sent = said(all.last().unwrap());
    assert_eq!(sent["submission"], json!({ "dish": "soup", "notes": null, "size": "l" }));
    assert_eq!(
        (&sent["type"], &sent["state"], &sent["callback_id"]),
        (&json!("dialog_submission"), &json!("s-1"), &json!("order"))
    );
    assert_eq!(sent["channel"]["name"], "general");
    let path = sent["response_url"].as_str().unwrap().strip_prefix("http://127.0.0.1:7003").unwrap().to_owned();
    let reply = desk.request(http::Method::POST, &path, &[], b"{\"text\":\"Ordered\"}");
    assert_eq!(reply.status, 200);
    assert!(desk.whispers("lena.fischer@acme.example").contains(&"Ordered".to_owned()));
}

#[tokio::test]
async fn a_dialog_is_closed_and_the_app_hears_of_it() {
    let (desk, server) = ready().await;
    let id = trigger(&desk, &server).await;
    open(&desk, &id, &dialog());
    desk.act("slack.user.cancel_dialog", "lena", json!({}));
    desk.settle().await;
    assert_eq!(said(server.received_requests().await.unwrap().last().unwrap())["type"], "dialog_cancellation");
    assert!(desk.try_act("slack.user.cancel_dialog", "lena", json!({})).is_err());
}

#[tokio::test]
async fn a_dialog_is_checked() {
    let (desk, server) = ready().await;
    let check = |trigger: &str, dialog: Value, code: &str| assert_eq!(open(&desk, trigger, &dialog)["error"], code);
    let id = trigger(&desk, &server).await;
    let bad = json!({
        "title": "t".repeat(25), "submit_label": "two words",
        "elements": [{ "type": "text", "name": "a", "label": "A", "subtype": "x" }, { "type": "dance", "name": "a" }, { "type": "select", "name": "b", "label": "B", "options": [] }],
    });
    let told = open(&desk, &id, &bad);
    assert_eq!(told["error"], "validation_errors");
    assert_eq!(
        told["response_metadata"]["messages"],
        json!([
            "The field `callback_id` is required",
            "The field `title` cannot be longer than 24 characters",
            "The field `submit_label` can only be one word",
            "Element 0 has an invalid `subtype`",
            "Element 1 has a repeated name",
            "Element 1 is missing required field `label`",
            "Element 1 has an invalid `type`",
            "Element 2 field `options` must have at least one option",
        ])
    );
    assert_eq!(desk.error(BOT, "dialog.open", ""), "missing_trigger");
    assert_eq!(desk.error(BOT, "dialog.open", &format!("trigger_id={id}")), "missing_dialog");
    check("1.2.x", dialog(), "invalid_trigger");
    assert_eq!(open(&desk, &id, &dialog())["ok"], true);
    check(&id, dialog(), "trigger_exchanged");
    let late = trigger(&desk, &server).await;
    desk.universe.advance(Duration::from_secs(4)).await;
    check(&late, dialog(), "trigger_expired");
    assert_eq!(
        desk.error(crate::desk::TESTER, "dialog.open", &format!("trigger_id={late}&dialog={}", dialog())),
        "app_missing_action_url"
    );
}

#[tokio::test]
async fn apps_give_the_options_of_dialogs() {
    let (desk, server) = ready().await;
    let options = |request: &Request| {
        let typed = said(request)["value"].as_str().unwrap().to_owned();
        let options = json!([{ "label": format!("Dish {typed}"), "value": format!("d-{typed}") }]);
        ResponseTemplate::new(200).set_body_json(json!({ "options": options }))
    };
    Mock::given(path("/options")).respond_with(options).mount(&server).await;
    let with = json!({ "app": "access-bot", "options_url": format!("{}/options", server.uri()) });
    desk.act("slack.admin.configure_app", "dana", with);
    let id = trigger(&desk, &server).await;
    let dish =
        json!({ "type": "select", "label": "Dish", "name": "dish", "data_source": "external", "min_query_length": 2 });
    let given = json!({ "title": "Order", "callback_id": "order", "state": "s-2", "elements": [dish] });
    assert_eq!(open(&desk, &id, &given)["ok"], true);
    let look_up = |name: &str, value: &str| {
        desk.try_act("slack.user.look_up_in_dialog", "lena", json!({ "name": name, "value": value }))
    };
    let submit = |value: &str| desk.try_act("slack.user.submit_dialog", "lena", json!({ "values": { "dish": value } }));
    assert_eq!(submit("d-so").unwrap_err(), "`dish` offers no such option");
    assert_eq!(look_up("dish", "s").unwrap_err(), "options are looked up from 2 characters on");
    assert!(look_up("wine", "so").is_err());
    look_up("dish", "so").unwrap();
    desk.settle().await;
    let all = server.received_requests().await.unwrap();
    let asked = said(all.iter().rev().find(|request| request.url.path() == "/options").unwrap());
    assert_eq!(
        (&asked["type"], &asked["name"], &asked["value"]),
        (&json!("dialog_suggestion"), &json!("dish"), &json!("so"))
    );
    assert_eq!((&asked["callback_id"], &asked["state"]), (&json!("order"), &json!("s-2")));
    assert_eq!(asked["channel"]["name"], "general");
    submit("d-so").unwrap();
    desk.settle().await;
    assert_eq!(
        said(server.received_requests().await.unwrap().last().unwrap())["submission"],
        json!({ "dish": "d-so" })
    );
}
