//! Sessions of agents, and the channels that agents make for them.

use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk};

/// The tester's bot with what agents need, by a token of its own.
fn agent(desk: &Desk) -> String {
    let scopes = [
        "code_channels:manage",
        "chat:write",
        "chat:write.customize",
        "channels:read",
        "channels:history",
        "channels:join",
        "canvases:read",
        "canvases:write",
    ];
    let told = desk.act("slack.user.install_app", "dana", json!({ "app": "dtu-tester", "scopes": scopes }));
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let client =
        format!("client_id={}&client_secret={}&code={}", text("client_id"), text("client_secret"), text("code"));
    desk.call("", "oauth.v2.access", &client)["access_token"].as_str().unwrap().to_owned()
}

fn good(desk: &Desk, token: &str, method: &str, body: Value) -> Value {
    let answer = desk.call_json(token, &format!("agents.{method}"), &body);
    assert_eq!(answer["ok"], true, "{method} {body}: {answer}");
    answer
}

fn bad(desk: &Desk, token: &str, method: &str, rows: &[(Value, &str)]) {
    for (body, code) in rows {
        let answer = desk.call_json(token, &format!("agents.{method}"), body);
        assert_eq!(answer["error"], *code, "{method} {body}: {answer}");
    }
}

/// A desk with a code channel: the agent's token and the channel's id.
fn code_channel() -> (Desk, String, String) {
    let desk = Desk::new();
    let token = agent(&desk);
    let made = good(&desk, &token, "conversations.create", json!({ "name": "Help me debug!" }));
    (desk, token, made["channel_id"].as_str().unwrap().to_owned())
}

#[test]
fn an_agent_makes_a_channel_for_a_session_once() {
    let (desk, token, channel) = code_channel();
    let info = desk.call(&token, "conversations.info", &format!("channel={channel}"));
    assert_eq!(info["channel"]["name"], "help-me-debug");
    let session = json!({ "name": "Help me debug!", "session_id": "ses_1" });
    let first = good(&desk, &token, "conversations.create", session.clone())["channel_id"].clone();
    assert_eq!(good(&desk, &token, "conversations.create", session)["channel_id"], first);
    assert_ne!(first, channel);
    // Of a message that somebody wrote, a channel with the author in it, which goes by what the message says.
    let said = desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "why is it slow" }));
    let origin = json!({ "origin_channel_id": "{#general}", "origin_message_ts": said["ts"] });
    let made = good(&desk, &token, "conversations.create", origin)["channel_id"].clone();
    let made = made.as_str().unwrap();
    let members = desk.call(&token, "conversations.members", &format!("channel={made}"))["members"].clone();
    assert!(members.as_array().unwrap().contains(&json!(desk.expand("{@lena}"))), "{members}");
    let info = desk.call(&token, "conversations.info", &format!("channel={made}"));
    assert_eq!((&info["channel"]["name"], &info["channel"]["is_private"]), (&json!("why-is-it-slow"), &json!(false)));
    bad(
        &desk,
        &token,
        "conversations.create",
        &[
            (json!({}), "invalid_arguments"),
            (json!({ "name": "x", "origin_channel_id": "{#general}" }), "invalid_arguments"),
            (json!({ "name": "x", "origin_channel_id": "C0", "origin_message_ts": "1.000000" }), "channel_not_found"),
            (
                json!({ "name": "x", "origin_channel_id": "{#general}", "origin_message_ts": "1.000000" }),
                "message_not_found",
            ),
            (json!({ "name": "x", "team_id": "T0NONE" }), "team_not_found"),
        ],
    );
    bad(&desk, BOT, "conversations.create", &[(json!({ "name": "x" }), "missing_scope")]);
}

#[test]
fn a_code_channel_is_archived_with_its_summary_told_where_it_began() {
    let (desk, token, _) = code_channel();
    let said = desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "please" }));
    let origin = json!({ "name": "x", "origin_channel_id": "{#general}", "origin_message_ts": said["ts"] });
    let channel = good(&desk, &token, "conversations.create", origin)["channel_id"].as_str().unwrap().to_owned();
    let summary = desk.post(&token, &format!("channel={channel}&text=all done"));
    let body = json!({ "channel_id": channel, "summary_message_ts": summary });
    good(&desk, &token, "conversations.archive", body.clone());
    bad(
        &desk,
        &token,
        "conversations.archive",
        &[
            (body, "already_archived"),
            (json!({ "channel_id": "{#general}" }), "method_not_supported_for_channel_type"),
            (json!({ "channel_id": "C0" }), "channel_not_found"),
        ],
    );
    let ts = said["ts"].as_str().unwrap();
    let replies = desk.call(&token, "conversations.replies", &desk.expand(&format!("channel={{#general}}&ts={ts}")));
    assert_eq!(replies["messages"][1]["text"], "all done", "{replies}");
    let row = desk.view("code_channels").into_iter().find(|row| row["id"] == channel.as_str()).unwrap();
    assert_eq!(row["code_channel"]["summary_message"]["message_ts"], summary.as_str());
}

#[test]
fn views_of_a_code_channel_are_set_again_under_their_key() {
    let (desk, token, channel) = code_channel();
    let set = |more: Value| {
        let mut body = json!({ "channel_id": channel });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let page = json!({ "view_key": "out/report.html", "content": "<p>1</p>" });
    let first = good(&desk, &token, "conversations.setView", set(page.clone()));
    assert_eq!((&first["type"], &first["content_version"]), (&json!("html"), &json!(1)));
    let second = good(&desk, &token, "conversations.setView", set(page));
    assert_eq!((&second["view_id"], &second["content_version"]), (&first["view_id"], &json!(2)));
    let diff = json!({ "type": "diff", "content": "+a", "base_branch": "main", "head_branch": "fix" });
    good(&desk, &token, "conversations.setView", set(diff));
    let blocks = json!({ "type": "block_kit", "view_key": "b", "blocks": [{ "type": "divider" }], "name": "Board" });
    good(&desk, &token, "conversations.setView", set(blocks));
    let request = json!({ "type": "pull_request", "pr_url": "https://git.example/1" });
    good(&desk, &token, "conversations.setView", set(request));
    let listed = good(&desk, &token, "conversations.listViews", json!({ "channel_id": channel }))["views"].clone();
    let labels: Vec<&str> = listed.as_array().unwrap().iter().map(|row| row["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["Board", "diff", "1", "report"], "{listed}");
    bad(
        &desk,
        &token,
        "conversations.setView",
        &[
            (set(json!({ "content": "x" })), "invalid_arguments"),
            (set(json!({ "view_key": "x" })), "invalid_arguments"),
            (set(json!({ "view_key": "x", "type": "nonsense" })), "invalid_arguments"),
            (set(json!({ "view_key": "x", "content": "x".repeat(1_000_001) })), "content_too_large"),
            (set(json!({ "view_key": "x", "type": "block_kit", "blocks": [{ "type": "none" }] })), "invalid_blocks"),
            (set(json!({ "view_key": "x", "type": "canvas", "canvas_id": "F0" })), "canvas_not_found"),
            (
                set(json!({ "view_key": "x", "content": "x", "csp": { "connect_domains": ["http://a.b"] } })),
                "invalid_arguments",
            ),
        ],
    );
    let gone = json!({ "channel_id": channel, "view_key": "b" });
    good(&desk, &token, "conversations.removeView", gone.clone());
    good(&desk, &token, "conversations.removeView", json!({ "channel_id": channel, "view_id": first["view_id"] }));
    bad(
        &desk,
        &token,
        "conversations.removeView",
        &[(gone, "view_not_found"), (json!({ "channel_id": channel }), "invalid_arguments")],
    );
    let left = good(&desk, &token, "conversations.listViews", json!({ "channel_id": channel }))["views"].clone();
    assert_eq!(left.as_array().unwrap().len(), 2);
}

#[test]
fn canvases_of_a_code_channel_are_read_and_written() {
    let (desk, token, channel) = code_channel();
    let content = json!({ "type": "markdown", "markdown": "# Plan\n\nOne\n\nTwo" });
    let made = desk.call_json(&token, "canvases.create", &json!({ "title": "Plan", "document_content": content }));
    let canvas = made["canvas_id"].as_str().unwrap().to_owned();
    let body = json!({ "channel": channel, "canvas_id": canvas });
    bad(&desk, &token, "conversations.getCanvas", &[(body.clone(), "canvas_not_found")]);
    let view = json!({ "channel_id": channel, "type": "canvas", "view_key": "plan", "canvas_id": canvas });
    assert_eq!(good(&desk, &token, "conversations.setView", view)["canvas_id"], canvas.as_str());
    let told = good(&desk, &token, "conversations.getCanvas", body.clone());
    assert_eq!((&told["title"], &told["content"]), (&json!("Plan"), &json!("# Plan\n\nOne\n\nTwo")));
    let mut new = body.clone();
    new["content"] = json!("# Plan\n\nThree");
    assert_eq!(good(&desk, &token, "conversations.setCanvasContent", new)["sections_changed_count"], 2);
    let mut page = body;
    page["content_format"] = json!("html");
    let html = good(&desk, &token, "conversations.getCanvas", page)["content"].as_str().unwrap().to_owned();
    assert!(html.contains(">Three</p>"), "{html}");
}

#[test]
fn commands_and_properties_of_a_code_channel_are_kept() {
    let (desk, token, channel) = code_channel();
    let commands = |list: Value| json!({ "channel_id": channel, "commands": list });
    let told = good(
        &desk,
        &token,
        "conversations.setCommands",
        commands(json!([{ "name": "deploy", "description": "Ship it", "should_escape": true }, { "name": "test" }])),
    );
    assert_eq!(told["command_count"], 2);
    let many: Vec<Value> = (0..11).map(|n| json!({ "name": format!("c{n}") })).collect();
    let refused = [
        json!([{ "name": "" }]),
        json!([{ "name": "/x" }]),
        json!([{ "name": "remind" }]),
        json!([{ "name": "a" }, { "name": "a" }]),
        json!([{ "name": "x".repeat(32) }]),
        json!([{ "name": "a", "other": 1 }]),
        json!([1]),
        json!(many),
    ];
    for list in refused {
        bad(&desk, &token, "conversations.setCommands", &[(commands(list), "invalid_arguments")]);
    }
    let bar = json!([{ "key": "b", "label": "main", "icon": "branch", "item_type": "info" }]);
    good(
        &desk,
        &token,
        "conversations.setProperties",
        json!({ "channel_id": channel, "code_channel": { "context_bar_items": bar }, "agent_resource": { "title": "Repo" } }),
    );
    good(
        &desk,
        &token,
        "conversations.setProperties",
        json!({ "channel_id": channel, "agent_resource": { "url": "https://git.example" } }),
    );
    let row = desk.view("code_channels").into_iter().find(|row| row["id"] == channel.as_str()).unwrap();
    assert_eq!(row["code_channel"]["context_bar_items"], bar);
    assert_eq!(row["agent_resource"], json!({ "title": "Repo", "url": "https://git.example" }));
    assert_eq!(row["commands"]["dtu-tester"][0]["name"], "deploy");
    for property in [
        json!({ "code_channel": { "other": 1 } }),
        json!({ "code_channel": { "context_bar_items": [{ "key": "b" }] } }),
        json!({ "code_channel": { "context_bar_items": [{ "key": "b", "label": "l", "icon": "cat" }] } }),
        json!({ "code_channel": { "summary_message": {} } }),
        json!({ "agent_resource": { "title": "x".repeat(256) } }),
    ] {
        let mut body = json!({ "channel_id": channel });
        body.as_object_mut().unwrap().extend(property.as_object().unwrap().clone());
        bad(&desk, &token, "conversations.setProperties", &[(body, "invalid_arguments")]);
    }
}

#[test]
fn sessions_have_a_status_and_a_title() {
    let (desk, token, channel) = code_channel();
    let own = |more: Value| {
        let mut body = json!({ "channel_id": channel });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    bad(&desk, &token, "sessions.rename", &[(own(json!({ "title": "New" })), "session_not_found")]);
    let told = good(&desk, &token, "sessions.setStatus", own(json!({ "status": "processing", "title": "Slow page" })));
    assert_eq!((&told["agent_status"], &told["title"]), (&json!("processing"), &json!("Slow page")));
    // The title is for new sessions; a look stays until it is cleared.
    let look = own(json!({ "status": "active", "title": "Other", "username": "Helper", "icon_emoji": ":robot_face:" }));
    assert_eq!(good(&desk, &token, "sessions.setStatus", look)["title"], "Slow page");
    good(&desk, &token, "sessions.setStatus", own(json!({ "status": "closed", "icon_emoji": null })));
    let row = desk.view("agent_sessions").remove(0);
    assert_eq!((&row["status"], &row["look"]), (&json!("closed"), &json!({ "username": "Helper" })));
    // A session that has its channel to itself gives it its name.
    assert_eq!(good(&desk, &token, "sessions.rename", own(json!({ "title": "Fast page" })))["title"], "Fast page");
    let info = desk.call(&token, "conversations.info", &format!("channel={channel}"));
    assert_eq!(info["channel"]["name"], "fast-page");
    // Elsewhere sessions are of threads.
    let ts = desk.post(&token, "channel={#general}&text=hello");
    let thread =
        json!({ "channel_id": "{#general}", "thread_ts": ts, "status": "suspended", "initiator_user_id": "{@dana}" });
    assert_eq!(good(&desk, &token, "sessions.setStatus", thread)["status"], "suspended");
    bad(
        &desk,
        &token,
        "sessions.setStatus",
        &[
            (json!({ "channel_id": "{#general}", "status": "active" }), "invalid_arguments"),
            (own(json!({ "status": "active", "thread_ts": ts })), "invalid_arguments"),
            (own(json!({ "status": "done" })), "invalid_arguments"),
            (json!({ "channel_id": "{#general}", "status": "active", "thread_ts": "1.000000" }), "message_not_found"),
            (own(json!({ "status": "active", "initiator_user_id": "{@vikram}" })), "user_not_found"),
            (own(json!({ "status": "active", "username": "x".repeat(201) })), "invalid_arguments"),
            (json!({ "channel_id": "C0", "status": "active" }), "channel_not_found"),
        ],
    );
    bad(&desk, &token, "sessions.rename", &[(own(json!({ "title": "" })), "invalid_arguments")]);
    bad(&desk, DANA, "sessions.rename", &[(own(json!({ "title": "x" })), "not_allowed_token_type")]);
}
