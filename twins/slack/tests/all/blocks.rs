//! Blocks and views: what is refused, in which words and where.

use serde_json::{Value, json};

use crate::desk::{Desk, TESTER};

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

fn option(text: &str) -> Value {
    json!({ "text": plain(text), "value": "v" })
}

fn section(accessory: &Value) -> Value {
    json!({ "type": "section", "text": plain("x"), "accessory": accessory })
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn each_block_and_element_is_checked() {
    let desk = Desk::new();
    let check = |block: Value, problem: &str| {
        let body = json!({ "channel": "general", "text": "x", "blocks": [block.clone()] });
        let answer = desk.call_json(TESTER, "chat.postMessage", &body);
        if problem.is_empty() {
            assert_eq!(answer["ok"], true, "{block} {answer}");
            return;
        }
        assert_eq!(answer["error"], "invalid_blocks", "{block}");
        assert_eq!(answer["errors"], json!([problem]), "{block}");
        assert_eq!(answer["response_metadata"]["messages"], json!([format!("[ERROR] {problem}")]), "{block}");
    };
    let at = |what: &str, path: &str| format!("{what} [json-pointer:/blocks/0{path}]");
    check(
        json!({ "type": "header", "text": plain(&"x".repeat(151)) }),
        &at("must be less than 151 characters", "/text/text"),
    );
    check(
        json!({ "type": "header", "text": { "type": "mrkdwn", "text": "x" } }),
        &at("unsupported type: mrkdwn", "/text/type"),
    );
    check(
        json!({ "type": "section", "fields": vec![plain("x"); 11] }),
        &at("no more than 10 items allowed", "/fields"),
    );
    check(json!({ "type": "section", "fields": [] }), &at("must have at least 1 item", "/fields"));
    check(json!({ "type": "divider" }), "");
    check(
        json!({ "type": "image", "image_url": "https://acme.example/a.png" }),
        &at("missing required field: alt_text", ""),
    );
    check(json!({ "type": "image", "alt_text": "x" }), &at("missing required field: image_url", ""));
    check(
        json!({ "type": "image", "alt_text": "x", "slack_file": { "id": "nonsense" } }),
        &at("input must match regex pattern: ^[F][A-Z0-9]{8,}$", "/slack_file/id"),
    );
    check(
        json!({ "type": "context", "elements": vec![plain("x"); 11] }),
        &at("no more than 10 items allowed", "/elements"),
    );
    check(json!({ "type": "actions", "elements": [] }), &at("must have at least 1 item", "/elements"));
    check(
        json!({ "type": "actions", "elements": [{ "type": "image" }] }),
        &at("unsupported type: image", "/elements/0/type"),
    );
    check(json!({ "type": "markdown", "text": 5 }), &at("must be a string", "/text"));
    check(json!({ "type": "input", "label": plain("x") }), &at("missing required field: element", ""));
    check(section(&json!({ "type": "static_select" })), &at("missing required field: options", "/accessory"));
    check(
        section(&json!({ "type": "static_select", "options": vec![option("x"); 101] })),
        &at("no more than 100 items allowed", "/accessory/options"),
    );
    check(
        section(&json!({ "type": "checkboxes", "options": vec![option("x"); 11] })),
        &at("no more than 10 items allowed", "/accessory/options"),
    );
    check(
        section(&json!({ "type": "overflow", "options": vec![option("x"); 6] })),
        &at("no more than 5 items allowed", "/accessory/options"),
    );
    check(
        section(&json!({ "type": "radio_buttons", "options": [{ "text": plain("x") }] })),
        &at("missing required field: value", "/accessory/options/0"),
    );
    check(
        section(&json!({ "type": "datepicker", "initial_date": "today" })),
        &at("failed to match the required pattern", "/accessory/initial_date"),
    );
    check(
        section(&json!({ "type": "button", "text": plain("x"), "style": "loud" })),
        &at("must be a valid enum value: loud", "/accessory/style"),
    );
    check(
        section(&json!({ "type": "button", "text": plain("x"), "url": "nowhere" })),
        &at("must be a valid URL", "/accessory/url"),
    );
    check(
        section(
            &json!({ "type": "button", "text": plain("x"), "confirm": { "title": plain("x"), "text": plain("x"), "confirm": plain("x") } }),
        ),
        &at("missing required field: deny", "/accessory/confirm"),
    );
    check(section(&json!({ "type": "users_select" })), "");
}

#[test]
fn views_are_checked() {
    let desk = Desk::new();
    let check = |view: Value, problems: &[&str]| {
        let answer = desk.call_json(TESTER, "views.open", &json!({ "trigger_id": "1.2.3", "view": view }));
        let wanted: Vec<String> = problems.iter().map(|problem| format!("[ERROR] {problem}")).collect();
        let code = if problems.is_empty() { "invalid_trigger_id" } else { "invalid_arguments" };
        assert_eq!(answer["error"], code, "{answer}");
        assert_eq!(answer["response_metadata"]["messages"].as_array().map_or(0, Vec::len), problems.len(), "{answer}");
        for (found, wanted) in answer["response_metadata"]["messages"].as_array().into_iter().flatten().zip(&wanted) {
            assert_eq!(found, wanted);
        }
    };
    let input = json!({ "type": "input", "label": plain("x"), "element": { "type": "plain_text_input" } });
    check(
        json!({}),
        &[
            "missing required field: title [json-pointer:/view]",
            "missing required field: blocks [json-pointer:/view]",
            "missing required field: type [json-pointer:/view]",
        ],
    );
    check(json!({ "type": "home", "blocks": [] }), &["must be a valid enum value: home [json-pointer:/view/type]"]);
    check(
        json!({ "type": "modal", "title": plain(&"x".repeat(25)), "blocks": [] }),
        &["must be less than 25 characters [json-pointer:/view/title/text]"],
    );
    check(
        json!({ "type": "modal", "title": plain("x"), "blocks": [input] }),
        &["missing required field: submit [json-pointer:/view]"],
    );
    check(
        json!({ "type": "modal", "title": plain("x"), "blocks": vec![json!({ "type": "divider" }); 101] }),
        &["no more than 100 items allowed [json-pointer:/view/blocks]"],
    );
    check(
        json!({ "type": "modal", "title": plain("x"), "blocks": [{ "type": "markdown", "text": "x" }] }),
        &["unsupported type: markdown [json-pointer:/view/blocks/0/type]"],
    );
    check(
        json!({ "type": "modal", "title": plain("x"), "blocks": [], "private_metadata": "x".repeat(3001) }),
        &["must be less than 3001 characters [json-pointer:/view/private_metadata]"],
    );
    check(json!("nonsense"), &["must be valid JSON [json-pointer:/view]"]);
    check(json!({ "type": "modal", "title": plain("x"), "blocks": [] }), &[]);
    let large = json!({ "type": "modal", "title": plain("x"), "blocks": vec![section(&json!({
        "type": "static_select", "options": vec![option(&"x".repeat(70)); 100] })); 30] });
    let answer = desk.call_json(TESTER, "views.open", &json!({ "trigger_id": "1.2.3", "view": large }));
    assert_eq!(answer["error"], "view_too_large");
}
