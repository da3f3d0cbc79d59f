//! Canvases and lists: what is in them, and whom they are for.

use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk, TESTER};

/// A desk with a canvas of the tester's, and its id.
fn canvas() -> (Desk, String) {
    let desk = Desk::new();
    let content = json!({ "type": "markdown", "markdown": "# Lunch\nSoup\n\n## Drinks\nWater" });
    let made = desk.call_json(TESTER, "canvases.create", &json!({ "title": "Menu", "document_content": content }));
    let id = made["canvas_id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (desk, id)
}

fn markdown(desk: &Desk, id: &str) -> String {
    let row = desk.view("canvases").into_iter().find(|row| row["id"] == id).unwrap();
    row["markdown"].as_str().unwrap().to_owned()
}

#[test]
fn canvases_are_made_and_edited_by_section() {
    let (desk, id) = canvas();
    let find = |criteria: &str| {
        desk.call(TESTER, "canvases.sections.lookup", &format!("canvas_id={id}&criteria={criteria}"))["sections"]
            .clone()
    };
    let headers = find(r#"{"section_types":["any_header"]}"#);
    assert_eq!(headers.as_array().unwrap().len(), 2);
    let drinks = find(r#"{"section_types":["h2"],"contains_text":"drinks"}"#)[0]["id"].as_str().unwrap().to_owned();
    let edit =
        |change: Value| desk.call_json(TESTER, "canvases.edit", &json!({ "canvas_id": id, "changes": [change] }));
    let text = |text: &str| json!({ "type": "markdown", "markdown": text });
    let good = [
        json!({ "operation": "insert_before", "section_id": drinks, "document_content": text("Bread") }),
        json!({ "operation": "insert_after", "section_id": drinks, "document_content": text("Tea") }),
        json!({ "operation": "insert_at_start", "document_content": text("Monday") }),
        json!({ "operation": "insert_at_end", "document_content": text("The end") }),
        json!({ "operation": "replace", "section_id": drinks, "document_content": text("## To drink") }),
        json!({ "operation": "rename", "title_content": text("Menu of today") }),
    ];
    for change in good {
        let answer = edit(change.clone());
        assert_eq!(answer["ok"], true, "{change}: {answer}");
    }
    assert_eq!(markdown(&desk, &id), "Monday\n\n# Lunch\n\nSoup\n\nBread\n\n## To drink\n\nTea\n\nWater\n\nThe end");
    let soup = find(r#"{"contains_text":"soup"}"#)[0]["id"].clone();
    assert_eq!(edit(json!({ "operation": "delete", "section_id": soup }))["ok"], true);
    assert_eq!(edit(json!({ "operation": "replace", "document_content": text("Closed") }))["ok"], true);
    assert_eq!(markdown(&desk, &id), "Closed");
    let file = desk.call(TESTER, "files.info", &format!("file={id}"))["file"].clone();
    assert_eq!(
        (&file["filetype"], &file["mode"], &file["title"]),
        (&json!("quip"), &json!("quip"), &json!("Menu of today"))
    );
    let bad = [
        (json!({ "operation": "delete", "section_id": drinks }), "canvas_editing_failed"),
        (json!({ "operation": "insert_at_end", "document_content": text("> - no") }), "canvas_editing_failed"),
        (json!({ "operation": "insert_at_end" }), "invalid_arguments"),
        (json!({ "operation": "insert_after", "document_content": text("x") }), "invalid_arguments"),
        (json!({ "operation": "nonsense" }), "invalid_arguments"),
        (
            json!({ "operation": "insert_at_end", "document_content": { "type": "html", "html": "x" } }),
            "invalid_arguments",
        ),
    ];
    for (change, code) in bad {
        assert_eq!(edit(change.clone())["error"], code, "{change}");
    }
    let told = edit(json!({ "operation": "insert_at_end", "document_content": text("a\n\n> - no") }));
    assert!(told["detail"].as_str().unwrap().contains("line 3"), "{told}");
    let two = json!({ "canvas_id": id, "changes": [{ "operation": "rename", "title_content": text("a") }, { "operation": "rename", "title_content": text("b") }] });
    assert_eq!(desk.call_json(TESTER, "canvases.edit", &two)["error"], "invalid_arguments");
    desk.refuses(
        TESTER,
        "canvases.sections.lookup",
        &[
            (&format!("canvas_id={id}&criteria={{}}"), "invalid_arguments"),
            (&format!("canvas_id={id}&criteria={{\"section_types\":[\"h9\"]}}"), "invalid_arguments"),
            ("canvas_id=F000&criteria={\"contains_text\":\"x\"}", "canvas_not_found"),
        ],
    );
}

#[test]
fn canvases_are_for_whom_they_are_shared_with() {
    let (desk, id) = canvas();
    let look = format!("canvas_id={id}&criteria={{\"contains_text\":\"soup\"}}");
    let set = |level: &str, whom: &str| format!("canvas_id={id}&access_level={level}&{whom}");
    let dana = "user_ids=[\"{@dana}\"]";
    desk.refuses(BOT, "canvases.sections.lookup", &[(&look, "missing_scope")]);
    let info = format!("file={id}");
    assert_eq!(desk.error(DANA, "files.info", &info), "file_not_found");
    desk.refuses(
        TESTER,
        "canvases.access.set",
        &[
            (&set("read", dana), ""),
            (&set("read", "user_ids=[\"U000\"]"), "user_not_found"),
            (&set("read", "channel_ids=[\"C000\"]"), "channel_not_found"),
            (&set("read", &format!("{dana}&channel_ids=[\"{{#general}}\"]")), "invalid_parameters"),
            (&format!("canvas_id={id}&access_level=read"), "invalid_parameters"),
            (&set("rule", dana), "invalid_arguments"),
            ("canvas_id=F000&access_level=read&user_ids=[\"{@dana}\"]", "canvas_not_found"),
        ],
    );
    assert_eq!(desk.error(DANA, "files.info", &info), "");
    desk.refuses(TESTER, "canvases.access.delete", &[(&format!("canvas_id={id}&{dana}"), "")]);
    assert_eq!(desk.error(DANA, "files.info", &info), "file_not_found");
    desk.refuses(TESTER, "canvases.access.set", &[(&set("write", "channel_ids=[\"{#general}\"]"), "")]);
    assert_eq!(desk.error(DANA, "files.info", &info), "");
    desk.refuses(TESTER, "canvases.access.set", &[(&set("owner", dana), "")]);
    // Test Harness may still write, but no longer delete.
    let one = format!("canvas_id={id}");
    desk.refuses(TESTER, "canvases.delete", &[(&one, "restricted_action"), ("canvas_id=F000", "canvas_not_found")]);
    let (desk, id) = canvas();
    let one = format!("canvas_id={id}");
    desk.refuses(TESTER, "canvases.delete", &[(&one, ""), (&one, "canvas_not_found")]);
    let look = format!("canvas_id={id}&criteria={{\"contains_text\":\"soup\"}}");
    desk.refuses(TESTER, "canvases.sections.lookup", &[(&look, "canvas_deleted")]);
}

#[test]
fn a_channel_has_one_canvas_of_its_own() {
    let desk = Desk::new();
    let made = desk.call(TESTER, "conversations.canvases.create", "channel_id={#general}&title=Rules");
    let id = made["canvas_id"].as_str().unwrap_or_else(|| panic!("{made}"));
    desk.refuses(
        TESTER,
        "conversations.canvases.create",
        &[
            ("channel_id={#general}", "channel_canvas_already_exists"),
            ("channel_id={#random}", "not_in_channel"),
            ("channel_id=C000", "channel_not_found"),
            ("", "invalid_arguments"),
        ],
    );
    // Who may do what follows from the channel.
    desk.refuses(
        TESTER,
        "canvases.access.set",
        &[(&format!("canvas_id={id}&access_level=read&user_ids=[\"{{@dana}}\"]"), "canvas_not_found")],
    );
    assert_eq!(desk.error(DANA, "files.info", &format!("file={id}")), "");
    assert_eq!(desk.error(TESTER, "canvases.delete", &format!("canvas_id={id}")), "");
    assert_eq!(desk.error(TESTER, "conversations.canvases.create", "channel_id={#general}"), "");
    let bad = json!({ "document_content": { "type": "markdown", "markdown": "> 1. no" } });
    assert_eq!(desk.call_json(TESTER, "canvases.create", &bad)["error"], "canvas_creation_failed");
}

/// A list with a column of each of a few types; its id, and the columns' ids by key.
fn list() -> (Desk, String, Value) {
    let desk = Desk::new();
    let schema = json!([
        { "key": "task", "name": "Task", "type": "text", "is_primary_column": true },
        { "key": "due", "name": "Due", "type": "date" },
        { "key": "who", "name": "Who", "type": "user" },
        { "key": "state", "name": "State", "type": "select", "options": { "choices": [{ "value": "open", "label": "Open", "color": "red" }] } },
        { "key": "cost", "name": "Cost", "type": "number" },
        { "key": "mail", "name": "Mail", "type": "email" },
        { "key": "done", "name": "Done", "type": "checkbox" },
        { "key": "made", "name": "Made", "type": "created_time" },
    ]);
    let made =
        desk.call_json(TESTER, "slackLists.create", &json!({ "name": "Plan", "schema": schema, "todo_mode": true }));
    let id = made["list_id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let mut columns = json!({});
    for column in made["list_metadata"]["schema"].as_array().unwrap() {
        columns[column["key"].as_str().unwrap()] = column["id"].clone();
    }
    (desk, id, columns)
}

fn rich(text: &str) -> Value {
    let section = json!({ "type": "rich_text_section", "elements": [{ "type": "text", "text": text }] });
    json!([{ "type": "rich_text", "elements": [section] }])
}

#[test]
fn lists_have_columns_with_types() {
    let (desk, id, columns) = list();
    let fields = json!([
        { "column_id": columns["task"], "rich_text": rich("Cook") },
        { "column_id": columns["due"], "date": ["2026-03-05"] },
        { "column_id": columns["who"], "user": ["{@lena}"] },
        { "column_id": columns["state"], "select": ["open"] },
        { "column_id": columns["cost"], "number": [12] },
        { "column_id": columns["mail"], "email": ["cook@acme.example"] },
        { "column_id": columns["done"], "checkbox": true },
        { "column_id": columns["todo_due_date"], "date": ["2026-03-06"] },
    ]);
    let made = desk.call_json(TESTER, "slackLists.items.create", &json!({ "list_id": id, "initial_fields": fields }));
    let told: Vec<(&Value, &Value)> =
        made["item"]["fields"].as_array().unwrap().iter().map(|field| (&field["key"], &field["value"])).collect();
    assert_eq!(told[1], (&json!("due"), &json!("2026-03-05")));
    assert_eq!(told[4], (&json!("cost"), &json!(12)));
    assert_eq!(told[6], (&json!("done"), &json!(true)));
    assert_eq!(made["item"]["fields"][0]["text"], "Cook");
    let item = made["item"]["id"].as_str().unwrap().to_owned();
    let cell = |cell: Value| {
        desk.call_json(TESTER, "slackLists.items.update", &json!({ "list_id": id, "cells": [cell] }))["error"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let column = |key: &str, member: &str, value: Value| {
        let mut given = json!({ "row_id": item, "column_id": columns[key] });
        given[member] = value;
        given
    };
    let rows = [
        (column("task", "rich_text", rich("Bake")), ""),
        (column("task", "text", json!("Bake")), "invalid_input_type"),
        (column("task", "rich_text", json!([{ "type": "section" }])), "invalid_text_block"),
        (column("due", "date", json!(["soon"])), "invalid_date"),
        (column("due", "date", json!([5])), "invalid_input_type"),
        (column("who", "user", json!(["U000"])), "user_not_found"),
        (column("state", "select", json!(["closed"])), "invalid_option_id"),
        (column("mail", "email", json!(["nobody"])), "invalid_email"),
        (column("cost", "number", json!(["1"])), "invalid_input_type"),
        (column("cost", "number", Value::Array(vec![json!(1); 21])), "over_cell_fields_limit"),
        (column("done", "checkbox", json!("yes")), "invalid_input_type"),
        (column("made", "timestamp", json!([1])), "uneditable_column"),
        (json!({ "row_id": item, "column_id": "Col999", "checkbox": true }), "invalid_column_id"),
        (json!({ "row_id": item, "checkbox": true }), "column_id_not_provided"),
        (json!({ "row_id": "Rec000", "column_id": columns["done"], "checkbox": true }), "invalid_row_id"),
        (json!({ "column_id": columns["done"], "checkbox": true }), "row_id_not_provided"),
        (json!({ "row_id_to_create": true, "column_id": columns["done"], "checkbox": true }), ""),
    ];
    for (given, code) in rows {
        assert_eq!(cell(given.clone()), code, "{given}");
    }
    let view = &desk.view("lists")[0]["items"];
    assert_eq!((&view[0]["task"], view.as_array().unwrap().len()), (&json!("Bake"), 2));
}

#[test]
fn schemas_are_checked() {
    let (desk, id, _) = list();
    let text = json!({ "key": "a", "name": "A", "type": "text", "is_primary_column": true });
    let many: Vec<Value> = (0..31)
        .map(|n| json!({ "key": format!("k{n}"), "name": "K", "type": "text", "is_primary_column": n == 0 }))
        .collect();
    let rows = [
        (json!({ "schema": [text, { "key": "b", "name": "B", "type": "nonsense" }] }), "invalid_column_type"),
        (json!({ "schema": [{ "key": "a", "name": "A", "type": "text" }] }), "invalid_primary_column"),
        (json!({ "schema": [text, text] }), "invalid_schema"),
        (json!({ "schema": [text, { "key": "s", "name": "S", "type": "select" }] }), "invalid_schema"),
        (
            json!({ "schema": [{ "key": "d", "name": "D", "type": "date", "is_primary_column": true }] }),
            "invalid_primary_column",
        ),
        (json!({ "schema": many }), "over_column_maximum"),
        (json!({ "schema": [text], "copy_from_list_id": id }), "invalid_copy_and_schema_args"),
        (json!({ "include_copied_list_records": true }), "missing_arg_copy_from_list_id"),
        (json!({ "copy_from_list_id": "F000" }), "list_not_found"),
        (json!({ "name": "x".repeat(256) }), "over_title_length_maximum"),
    ];
    for (mut body, code) in rows {
        if body["name"].is_null() {
            body["name"] = json!("New");
        }
        assert_eq!(desk.call_json(TESTER, "slackLists.create", &body)["error"], code, "{body}");
    }
    assert_eq!(desk.error(TESTER, "slackLists.create", "schema=[]"), "invalid_arguments");
    let one = format!("id={id}");
    desk.refuses(
        TESTER,
        "slackLists.update",
        &[
            (&one, "missing_arguments"),
            (&format!("{one}&name=Other&todo_mode=false"), ""),
            (&format!("{one}&name={}", "x".repeat(256)), "over_title_length_maximum"),
            ("id=F000&name=x", "list_not_found"),
        ],
    );
    assert_eq!((&desk.view("lists")[0]["name"], &desk.view("lists")[0]["todo"]), (&json!("Other"), &json!(false)));
}

#[tokio::test]
async fn items_have_subtasks_are_paged_copied_and_exported() {
    let (desk, id, columns) = list();
    let add = |more: Value| {
        let mut body =
            json!({ "list_id": id, "initial_fields": [{ "column_id": columns["task"], "rich_text": rich("Step") }] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.call_json(TESTER, "slackLists.items.create", &body)
    };
    let parent = add(json!({}))["item"]["id"].as_str().unwrap().to_owned();
    let child = add(json!({ "parent_item_id": parent }))["item"]["id"].as_str().unwrap().to_owned();
    let copy = add(json!({ "duplicated_item_id": parent }));
    assert_eq!(copy["item"]["fields"][0]["text"], "Step");
    assert_eq!(add(json!({ "duplicated_item_id": "Rec000" }))["error"], "duplicated_item_not_found");
    assert_eq!(add(json!({ "parent_item_id": "Rec000" }))["error"], "record_not_found");
    assert_eq!(add(json!({ "parent_item_id": child }))["error"], "invalid_arguments");
    let info = desk.call(TESTER, "slackLists.items.info", &format!("list_id={id}&id={parent}"));
    assert_eq!((&info["subtasks"][0]["id"], &info["list"]["list_limits"]["row_count"]), (&json!(child), &json!(3)));
    let mut cursor = String::new();
    let mut seen = Vec::new();
    loop {
        let page = desk.call(TESTER, "slackLists.items.list", &format!("list_id={id}&limit=2&cursor={cursor}"));
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        cursor = page["response_metadata"]["next_cursor"].as_str().unwrap().replace('=', "%3D");
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 3);
    assert_eq!(desk.call(TESTER, "slackLists.items.list", &format!("list_id={id}&archived=true"))["items"], json!([]));
    desk.refuses(
        TESTER,
        "slackLists.items.list",
        &[(&format!("list_id={id}&cursor=x"), "invalid_cursor"), ("list_id=F000", "list_not_found")],
    );
    let copied = desk.call_json(
        TESTER,
        "slackLists.create",
        &json!({ "name": "Copy", "copy_from_list_id": id, "include_copied_list_records": true }),
    );
    let copied = copied["list_id"].as_str().unwrap();
    assert_eq!(
        desk.call(TESTER, "slackLists.items.list", &format!("list_id={copied}"))["items"].as_array().unwrap().len(),
        3
    );
    let job =
        desk.call(TESTER, "slackLists.download.start", &format!("list_id={id}"))["job_id"].as_str().unwrap().to_owned();
    let get = format!("list_id={id}&job_id={job}");
    assert_eq!(desk.call(TESTER, "slackLists.download.get", &get)["status"], "PROCESSING");
    desk.universe.advance(Duration::from_secs(2)).await;
    let done = desk.call(TESTER, "slackLists.download.get", &get);
    assert_eq!(done["status"], "COMPLETED");
    let url = done["download_url"].as_str().unwrap().strip_prefix("http://127.0.0.1:7003").unwrap();
    let sheet = desk.request(http::Method::GET, url, &[("authorization", format!("Bearer {TESTER}"))], b"");
    assert!(String::from_utf8_lossy(&sheet.body).contains("\"Step\""));
    desk.refuses(TESTER, "slackLists.download.get", &[(&format!("list_id={id}&job_id=Le000"), "job_not_found")]);
    let gone = format!("list_id={id}&id={parent}");
    desk.refuses(TESTER, "slackLists.items.delete", &[(&gone, ""), (&gone, "record_not_found")]);
    // Its subtasks have gone with it.
    desk.refuses(TESTER, "slackLists.items.info", &[(&format!("list_id={id}&id={child}"), "record_not_found")]);
    let last = copy["item"]["id"].as_str().unwrap();
    desk.refuses(
        TESTER,
        "slackLists.items.deleteMultiple",
        &[
            (&format!("list_id={id}&ids=[\"{last}\",\"Rec000\"]"), "record_not_found"),
            (&format!("list_id={id}&ids=[\"{last}\"]"), ""),
        ],
    );
}

#[test]
fn lists_are_for_whom_they_are_shared_with() {
    let (desk, id, _) = list();
    let info = format!("file={id}");
    assert_eq!(desk.error(DANA, "files.info", &info), "file_not_found");
    let set = |whom: &str| format!("list_id={id}&access_level=read&{whom}");
    desk.refuses(
        TESTER,
        "slackLists.access.set",
        &[
            (&set("user_ids=[\"{@dana}\"]"), ""),
            (&set("user_ids=[\"U000\"]"), "user_not_found"),
            (&set("channel_ids=[\"C000\"]"), "channel_not_found"),
            (&set(""), "invalid_parameters"),
            ("list_id=F000&access_level=read&user_ids=[\"{@dana}\"]", "list_not_found"),
        ],
    );
    let told = desk.call(DANA, "files.info", &info);
    assert_eq!((&told["file"]["filetype"], &told["file"]["mode"]), (&json!("list"), &json!("list")));
    desk.refuses(TESTER, "slackLists.access.delete", &[(&format!("list_id={id}&user_ids=[\"{{@dana}}\"]"), "")]);
    assert_eq!(desk.error(DANA, "files.info", &info), "file_not_found");
    assert_eq!(desk.error(BOT, "slackLists.items.list", &format!("list_id={id}")), "missing_scope");
}
