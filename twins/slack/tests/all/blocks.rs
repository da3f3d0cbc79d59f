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

/// What is told to be wrong, without what it is wrong for.
fn faults(told: &Value) -> Vec<&str> {
    let all = told.as_array().into_iter().flatten().filter_map(Value::as_str);
    all.filter(|fault| !fault.contains("failed to match all allowed schemas")).collect()
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
        assert_eq!(faults(&answer["errors"]), [problem], "{block}");
        assert_eq!(faults(&answer["response_metadata"]["messages"]), [format!("[ERROR] {problem}")], "{block}");
    };
    let at = |what: &str, path: &str| format!("{what} [json-pointer:/blocks/0{path}]");
    check(
        json!({ "type": "header", "text": plain(&"x".repeat(151)) }),
        &at("must be less than 151 characters", "/text/text"),
    );
    check(
        json!({ "type": "header", "text": { "type": "mrkdwn", "text": "x" } }),
        &at("must be a valid enum value", "/text/type"),
    );
    check(
        json!({ "type": "section", "fields": vec![plain("x"); 11] }),
        &at("no more than 10 items allowed", "/fields"),
    );
    check(json!({ "type": "section", "fields": [] }), &at("must provide at least 1 items", "/fields"));
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
    check(json!({ "type": "actions", "elements": [] }), &at("must provide at least 1 items", "/elements"));
    check(
        json!({ "type": "actions", "elements": [{ "type": "image" }] }),
        &at("unsupported type: image", "/elements/0/type"),
    );
    check(json!({ "type": "markdown", "text": 5 }), &at("must provide a string", "/text"));
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
        &at(r"input must match regex pattern: ^\d{4}-\d{2}-\d{2}$", "/accessory/initial_date"),
    );
    check(
        section(&json!({ "type": "button", "text": plain("x"), "style": "loud" })),
        &at("must be a valid enum value", "/accessory/style"),
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
    // What no page names, and what is null, is refused as well.
    check(json!({ "type": "divider", "color": "red" }), &at("invalid additional property: color", ""));
    check(
        section(&json!({ "type": "button", "text": plain("x"), "block_id": "b" })),
        &at("invalid additional property: block_id", "/accessory"),
    );
    check(
        section(&json!({ "type": "button", "text": plain("x"), "style": null })),
        &at("must provide a string", "/accessory/style"),
    );
    check(
        section(&json!({ "type": "static_select", "options": [option("x")], "initial_option": null })),
        &at("must provide an object", "/accessory/initial_option"),
    );
    check(
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x", "emoji": true } }),
        &at("invalid additional property: emoji", "/text"),
    );
    check(json!({ "type": "divider", "block_id": "" }), &at("must be more than 0 characters", "/block_id"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn what_richer_blocks_are_made_of_is_checked() {
    let desk = Desk::new();
    let check = |block: Value, problem: &str| {
        let body = json!({ "channel": "general", "text": "x", "blocks": [block.clone()] });
        let answer = desk.call_json(TESTER, "chat.postMessage", &body);
        let wanted: Vec<&str> = if problem.is_empty() { Vec::new() } else { vec![problem] };
        assert_eq!(faults(&answer["errors"]), wanted, "{block} {answer}");
        assert_eq!(answer["ok"], problem.is_empty(), "{block} {answer}");
    };
    let at = |what: &str, path: &str| format!("{what} [json-pointer:/blocks/0{path}]");
    let run = |text: &str| json!({ "type": "text", "text": text });
    let part = |kind: &str, elements: Value| json!({ "type": kind, "elements": elements });
    let section = |elements: Value| part("rich_text_section", elements);
    let rich = |elements: Value| part("rich_text", elements);
    let image = json!({ "type": "image", "image_url": "https://acme.example/a.png", "alt_text": "x" });
    let cell = |text: &str| json!({ "type": "raw_text", "text": text });

    check(rich(json!([section(json!([run("x"), { "type": "emoji", "name": "wave", "skin_tone": 2 }]))])), "");
    check(rich(json!([])), &at("must provide at least 1 items", "/elements"));
    check(rich(json!([{ "type": "section" }])), &at("unsupported type: section", "/elements/0/type"));
    check(
        rich(json!([section(json!([{ "type": "text" }]))])),
        &at("missing required field: text", "/elements/0/elements/0"),
    );
    check(
        rich(json!([section(json!([{ "type": "text", "text": 5 }]))])),
        &at("must provide a string", "/elements/0/elements/0/text"),
    );
    check(
        rich(json!([section(json!([{ "type": "emoji", "name": "wave", "skin_tone": 0 }]))])),
        &at("must be greater than 2", "/elements/0/elements/0/skin_tone"),
    );
    let list = |inner: Value| json!({ "type": "rich_text_list", "style": "bullet", "elements": inner });
    check(rich(json!([list(json!([section(json!([run("x")]))]))])), "");
    check(
        rich(json!([list(json!([list(json!([]))]))])),
        &at("unsupported type: rich_text_list", "/elements/0/elements/0/type"),
    );
    check(
        json!({ "type": "table", "rows": [[cell("x"), { "type": "raw_number", "text": "1" }]] }),
        &at("missing required field: value", "/rows/0/1"),
    );
    check(
        json!({ "type": "table", "rows": [[cell("x")]], "column_settings": [{ "align": "middle" }] }),
        &at("must be a valid enum value", "/column_settings/0/align"),
    );
    check(
        json!({ "type": "table", "rows": [[cell("x")]], "page_size": 5 }),
        &at("invalid additional property: page_size", ""),
    );
    let data = |rows: Value| json!({ "type": "data_table", "caption": "c", "rows": rows });
    check(data(json!([[cell("a"), cell("b")], [cell("c"), { "type": "raw_number", "value": 1.5 }]])), "");
    check(data(json!([[cell("a")]])), &at("must provide at least 2 items", "/rows"));
    check(
        data(json!([[cell("a")], [cell("b"), cell("c")]])),
        &at("must have as many items as the first row", "/rows/1"),
    );
    let pie = |segments: Value| json!({ "type": "data_visualization", "title": "t", "chart": { "type": "pie", "segments": segments } });
    check(pie(json!([{ "label": "a", "value": 1 }])), "");
    check(pie(json!([])), &at("must provide at least 1 items", "/chart/segments"));
    check(pie(json!([{ "label": "a", "value": "1" }])), &at("must provide a number", "/chart/segments/0/value"));
    check(json!({ "type": "card", "title": plain("x"), "icon": image }), "");
    check(json!({ "type": "card", "title": "x" }), &at("must provide an object", "/title"));
    check(
        json!({ "type": "card", "title": plain("x"), "slack_icon": { "type": "icon" } }),
        &at("missing required field: name", "/slack_icon"),
    );
    check(json!({ "type": "carousel", "elements": [{ "type": "card", "body": plain("x") }] }), "");
    check(
        json!({ "type": "carousel", "elements": [{ "type": "section" }] }),
        &at("unsupported type: section", "/elements/0/type"),
    );
    check(json!({ "type": "container", "title": plain("x"), "child_blocks": [{ "type": "divider" }] }), "");
    check(
        json!({ "type": "container", "title": plain("x"), "child_blocks": [{ "type": "header" }] }),
        &at("missing required field: text", "/child_blocks/0"),
    );
    check(json!({ "type": "task_card", "task_id": "1", "title": "x" }), "");
    check(
        json!({ "type": "plan", "title": "x", "tasks": [{ "type": "task_card", "task_id": "1" }] }),
        &at("missing required field: title", "/tasks/0"),
    );
    check(json!({ "type": "markdown", "text": "# x" }), "");
    check(json!({ "type": "task_card", "task_id": "1", "title": plain("x") }), &at("must provide a string", "/title"));
    check(json!({ "type": "table", "rows": [[cell("x")]], "column_settings": [null, { "is_wrapped": true }] }), "");
    let provider = json!({ "type": "auth_provider", "value": "v", "name": plain("x") });
    check(provider, &at("missing required field: is_connected", ""));
    check(json!({ "type": "alert", "text": plain("x") }), &at("unsupported type: alert", "/type"));
    let feedback = json!({ "type": "feedback_buttons", "positive_button": { "text": plain("Good"), "value": "1" },
        "negative_button": { "text": plain("Bad") } });
    check(
        json!({ "type": "context_actions", "elements": [feedback] }),
        &at("missing required field: value", "/elements/0/negative_button"),
    );
}

#[test]
fn texts_are_told_with_what_they_are_wrong_for() {
    let desk = Desk::new();
    let long = json!({ "type": "section", "text": plain(&"x".repeat(3001)) });
    let answer = desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "general", "blocks": [long] }));
    let wanted = json!([
        "failed to match all allowed schemas [json-pointer:/blocks/0/text]",
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ]);
    assert_eq!(answer["errors"], wanted);
    let view = json!({ "type": "modal", "title": plain("x"), "blocks": [], "private_metadata": "x".repeat(3001) });
    let answer = desk.call_json(TESTER, "views.open", &json!({ "trigger_id": "1.2.3", "view": view }));
    let wanted = json!([
        "[ERROR] failed to match all allowed schemas [json-pointer:/view]",
        "[ERROR] must be less than 3001 characters [json-pointer:/view/private_metadata]",
    ]);
    assert_eq!(answer["response_metadata"]["messages"], wanted);
}

#[test]
fn buttons_in_cards_are_pressed() {
    let desk = Desk::new();
    let listen = json!({ "app": "dtu-tester", "interactivity_url": "http://127.0.0.1:9/clicks" });
    desk.act("slack.admin.configure_app", "dana", listen);
    let button = json!({ "type": "button", "action_id": "buy", "value": "soup", "text": plain("\u{2705} Buy") });
    let card = json!({ "type": "card", "title": plain("Soup"), "actions": [button] });
    for block in [card.clone(), json!({ "type": "carousel", "elements": [card] })] {
        let posted = desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "general", "blocks": [block] }));
        let shown = posted["message"]["blocks"].to_string();
        assert!(shown.contains(":white_check_mark: Buy"), "{shown}");
        let with = json!({ "channel": "general", "message_ts": posted["ts"], "label": "\u{2705} buy" });
        desk.act("slack.user.click", "lena", with);
    }
}

#[test]
fn views_are_checked() {
    let desk = Desk::new();
    let check = |view: Value, problems: &[&str]| {
        let answer = desk.call_json(TESTER, "views.open", &json!({ "trigger_id": "1.2.3", "view": view }));
        let wanted: Vec<String> = problems.iter().map(|problem| format!("[ERROR] {problem}")).collect();
        let code = if problems.is_empty() { "invalid_trigger_id" } else { "invalid_arguments" };
        assert_eq!(answer["error"], code, "{answer}");
        assert_eq!(faults(&answer["response_metadata"]["messages"]), wanted, "{answer}");
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
    check(json!({ "type": "home", "blocks": [] }), &["must be a valid enum value [json-pointer:/view/type]"]);
    check(
        json!({ "type": "modal", "title": plain(&"x".repeat(25)), "blocks": [] }),
        &["must be less than 25 characters [json-pointer:/view/title/text]"],
    );
    check(
        json!({ "type": "modal", "title": plain("x"), "blocks": [input] }),
        &["must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]"],
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

#[test]
fn emoji_are_told_by_name() {
    let desk = Desk::new();
    let blocks = json!([
        { "type": "section", "text": { "type": "mrkdwn", "text": "Done \u{1f389}" } },
        { "type": "section", "text": plain("\u{1f44b}\u{1f3fd}") },
        { "type": "section", "text": { "type": "plain_text", "text": "\u{1f389}", "emoji": false } },
    ]);
    let body = json!({ "channel": "general", "text": "Done \u{1f389} `\u{1f44b}\u{1f3fd}`", "blocks": blocks });
    let message = desk.call_json(TESTER, "chat.postMessage", &body)["message"].clone();
    assert_eq!(message["text"], "Done :tada: `:wave::skin-tone-4:`");
    let texts: Vec<&Value> = message["blocks"].as_array().unwrap().iter().map(|block| &block["text"]["text"]).collect();
    assert_eq!(texts, ["Done :tada:", ":wave::skin-tone-4:", "\u{1f389}"]);
    let message =
        desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "general", "text": "\u{1f44b}\u{1f3fd} _hi_" }));
    let wanted = json!([
        { "type": "emoji", "name": "wave", "unicode": "1f44b-1f3fd", "skin_tone": 4 },
        { "type": "text", "text": " " },
        { "type": "text", "text": "hi", "style": { "italic": true } },
    ]);
    assert_eq!(message["message"]["blocks"][0]["elements"][0]["elements"], wanted);
}

#[test]
fn marks_are_told_as_rich_text() {
    let desk = Desk::new();
    let text = "Look\n```let a;```\n> *well _so_*\n<!date^1392734382^{date_num}|then>";
    let posted = desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "general", "text": text }));
    let run = |text: &str| json!({ "type": "text", "text": text });
    let wanted = json!([
        { "type": "rich_text_section", "elements": [run("Look\n")] },
        { "type": "rich_text_preformatted", "elements": [run("let a;")], "border": 0 },
        { "type": "rich_text_quote", "elements": [
            { "type": "text", "text": "well ", "style": { "bold": true } },
            { "type": "text", "text": "so", "style": { "bold": true, "italic": true } },
        ] },
        { "type": "rich_text_section", "elements": [
            { "type": "date", "timestamp": 1_392_734_382, "format": "{date_num}", "fallback": "then" },
        ] },
    ]);
    assert_eq!(posted["message"]["blocks"][0]["elements"], wanted);
}
