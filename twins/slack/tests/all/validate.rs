//! Blocks that are checked for themselves, canvases that are read, people who are asked to connect, methods that are gone.

use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk, TESTER};

#[test]
fn blocks_messages_and_views_are_validated_without_being_sent() {
    let desk = Desk::new();
    let check = |name: &str, value: Value, wanted: Option<(&str, &str)>| {
        let answer = desk.call_json(TESTER, "blocks.validate", &json!({ name: value }));
        match wanted {
            None => assert_eq!(answer["ok"], true, "{name} {value}: {answer}"),
            Some((code, pointer)) => {
                assert_eq!(
                    (&answer["error"], &answer["errors"][0]["pointer"]),
                    (&json!(code), &json!(pointer)),
                    "{answer}"
                );
                assert_eq!(answer["errors"][0]["code"], "failed_constraint");
            }
        }
    };
    let section = |kind: &str| json!({ "type": "section", "text": { "type": kind, "text": "x" } });
    let modal =
        |blocks: Value| json!({ "type": "modal", "title": { "type": "plain_text", "text": "T" }, "blocks": blocks });
    check("blocks", json!([section("mrkdwn")]), None);
    check("blocks", json!(json!([section("mrkdwn")]).to_string()), None);
    check("blocks", json!([section("invalid")]), Some(("invalid_blocks", "/0/text/type")));
    check("message", json!({ "text": "x", "blocks": [section("mrkdwn")] }), None);
    check("message", json!({ "blocks": [section("no")] }), Some(("invalid_message", "/blocks/0/text/type")));
    check(
        "message",
        json!({ "attachments": [{ "blocks": [{}] }] }),
        Some(("invalid_message", "/attachments/0/blocks/0")),
    );
    check("view", modal(json!([section("mrkdwn")])), None);
    check("view", modal(json!([section("no")])), Some(("invalid_view", "/blocks/0/text/type")));
    check("view", json!({ "type": "window" }), Some(("invalid_view", "/type")));
    let told = desk.call_json(TESTER, "blocks.validate", &json!({ "blocks": [section("invalid")] }));
    assert_eq!(told["errors"][0]["constraint"]["expected"], json!(["plain_text", "mrkdwn"]));
    let told = desk.call(TESTER, "blocks.validate", "");
    assert_eq!(told["response_metadata"]["messages"][0], "must provide exactly one of `blocks`, `view`, or `message`");
    desk.refuses(
        TESTER,
        "blocks.validate",
        &[
            ("blocks=[]&message={}", "invalid_arguments"),
            ("blocks=x", "invalid_arguments"),
            ("view=[]", "invalid_arguments"),
        ],
    );
}

#[test]
fn canvases_are_told_whole_to_those_who_may_read_them() {
    let desk = Desk::new();
    let content = json!({ "type": "markdown", "markdown": "# Lunch\n\nSoup & bread" });
    let made = desk.call_json(TESTER, "canvases.create", &json!({ "title": "Menu", "document_content": content }));
    let id = made["canvas_id"].as_str().unwrap();
    let get =
        |more: &str| desk.call(TESTER, "canvases.getContent", &format!("canvas_id={id}{more}"))["content"].clone();
    assert_eq!(get(""), "# Lunch\n\nSoup & bread");
    assert!(get("&content_type=html").as_str().unwrap().contains(">Soup &amp; bread</p>"));
    desk.refuses(
        TESTER,
        "canvases.getContent",
        &[(&format!("canvas_id={id}&content_type=pdf"), "invalid_arguments"), ("canvas_id=F0", "canvas_not_found")],
    );
    assert_eq!(desk.error(BOT, "canvases.getContent", &format!("canvas_id={id}")), "missing_scope");
}

#[test]
fn people_are_asked_to_connect_an_app() {
    let desk = Desk::new();
    let provider = json!({ "type": "oauth", "auth_url": "https://sign-in.example" });
    let ask = |body: Value| desk.call_json(TESTER, "apps.user.connection.requestAuth", &body);
    assert_eq!(ask(json!({ "primary_provider": provider, "user_id": "{@lena}" }))["ok"], true);
    let row = desk.view("connection_requests").remove(0);
    assert_eq!((&row["app"], &row["provider"]), (&json!("dtu-tester"), &provider));
    for (body, code) in [
        (json!({ "primary_provider": provider }), "invalid_arguments"),
        (json!({ "primary_provider": provider, "user_id": "U0" }), "user_not_found"),
        (json!({ "primary_provider": provider, "trigger_id": "1.2.x" }), "invalid_trigger_id"),
        (json!({ "primary_provider": provider, "trigger_id": "1.2.x", "user_id": "{@lena}" }), "invalid_arguments"),
        (json!({ "primary_provider": { "auth_url": "http://a.example" }, "user_id": "{@lena}" }), "invalid_arguments"),
        (json!({ "primary_provider": [], "user_id": "{@lena}" }), "invalid_arguments"),
        (json!({ "user_id": "{@lena}" }), "invalid_arguments"),
    ] {
        assert_eq!(ask(body.clone())["error"], code, "{body}");
    }
}

#[test]
fn methods_of_workspace_apps_are_gone() {
    let desk = Desk::new();
    for method in ["info", "request", "resources.list", "scopes.list", "users.list", "users.request"] {
        assert_eq!(desk.error(DANA, &format!("apps.permissions.{method}"), ""), "method_deprecated", "{method}");
    }
    for (token, method) in [("", "oauth.token"), (TESTER, "oauth.token"), (TESTER, "files.comments.edit")] {
        let answer = desk.call(token, method, "");
        assert_eq!((&answer["error"], &answer["req_method"]), (&json!("unknown_method"), &json!(method)));
    }
}
