//! Calls, workflow steps, things behind links, retired methods, and what apps hear of channels and metadata.

use serde_json::{Value, json};

use crate::{
    answers::{heard, listening},
    desk::{BOT, DANA, Desk, TESTER},
};

#[tokio::test]
async fn calls_are_shown_where_they_are_posted() {
    let (desk, server) = listening(&["call_rejected"]).await;
    let made = desk.call(
        TESTER,
        "calls.add",
        "external_unique_id=1&join_url=https://calls.example/1&title=Lunch&created_by={@lena}&users=[{\"slack_id\":\"{@lena}\"}]",
    );
    let id = made["call"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let posted = desk.call(
        TESTER,
        "chat.postMessage",
        &format!("channel={{#general}}&blocks=[{{\"type\":\"call\",\"call_id\":\"{id}\"}}]"),
    );
    let block = &posted["message"]["blocks"][0];
    assert_eq!(
        (&block["call"]["v1"]["name"], &block["call"]["media_backend_type"]),
        (&json!("Lunch"), &json!("platform_call"))
    );
    assert_eq!(
        desk.call(TESTER, "calls.info", &format!("id={id}"))["call"]["channels"],
        json!([desk.expand("{#general}")])
    );
    let outside = "users=[{\"external_id\":\"x\",\"display_name\":\"Guest\"}]";
    let changed = desk.call(TESTER, "calls.participants.add", &format!("id={id}&{outside}"));
    assert_eq!(changed["call"]["users"].as_array().unwrap().len(), 2);
    desk.refuses(
        TESTER,
        "calls.participants.add",
        &[
            (&format!("id={id}&{outside}"), "bad_users"),
            (&format!("id={id}&users=[{{\"slack_id\":\"U000\"}}]"), "user_not_found"),
            (&format!("id=R000&{outside}"), "invalid_call_id"),
            (&format!("id={id}"), "invalid_arguments"),
        ],
    );
    desk.refuses(
        TESTER,
        "calls.participants.remove",
        &[(&format!("id={id}&{outside}"), ""), (&format!("id={id}&{outside}"), "bad_users")],
    );
    desk.act("slack.user.reject_call", "lena", json!({ "channel": "general", "ts": posted["ts"] }));
    let events = heard(&desk, &server).await;
    assert_eq!((&events[0]["call_id"], &events[0]["external_unique_id"]), (&json!(id), &json!("1")));
    let updated = desk.call(TESTER, "calls.update", &format!("id={id}&title=Dinner"));
    assert_eq!(
        (&updated["call"]["title"], &updated["call"]["join_url"]),
        (&json!("Dinner"), &json!("https://calls.example/1"))
    );
    let ended = desk.call(TESTER, "calls.end", &format!("id={id}&duration=60"));
    assert_eq!(ended["call"]["date_end"].as_i64().unwrap() - ended["call"]["date_start"].as_i64().unwrap(), 60);
    desk.refuses(TESTER, "calls.end", &[(&format!("id={id}"), "inactive_call"), ("id=R000", "invalid_call_id")]);
    desk.refuses(TESTER, "calls.participants.add", &[(&format!("id={id}&{outside}"), "inactive_call")]);
    let history = desk.call(TESTER, "conversations.history", "channel={#general}&limit=1");
    assert_eq!(history["messages"][0]["blocks"][0]["call"]["v1"]["has_ended"], true);
    desk.refuses(
        TESTER,
        "calls.add",
        &[
            ("external_unique_id=2&join_url=https://calls.example/2", "invalid_created_by"),
            ("external_unique_id=2&join_url=https://calls.example/2&created_by=U000", "invalid_created_by"),
            ("external_unique_id=2&join_url=https://calls.example/2&created_by={@lena}&date_start=-1", "invalid_start_time"),
            ("external_unique_id=2&join_url=https://calls.example/2&created_by={@lena}&users=[{\"slack_id\":\"U000\"}]", "user_not_found"),
            ("external_unique_id=1&join_url=https://calls.example/1&created_by={@lena}", "invalid_arguments"),
            ("external_unique_id=2&created_by={@lena}", "invalid_arguments"),
        ],
    );
    desk.refuses(TESTER, "calls.info", &[("id=R000", "invalid_call_id")]);
    desk.refuses(TESTER, "calls.update", &[("id=R000&title=x", "invalid_call_id")]);
    assert_eq!(desk.error(BOT, "calls.info", &format!("id={id}")), "missing_scope");
}

#[tokio::test]
async fn an_app_runs_its_function_and_ends_it() {
    let (desk, server) = listening(&["function_executed"]).await;
    let parameter = |name: &str, kind: &str| json!([{ "name": name, "type": kind, "is_required": true }]);
    let function = json!({ "app": "dtu-tester", "callback_id": "order", "title": "Order lunch",
        "input_parameters": parameter("dish", "string"), "output_parameters": parameter("number", "integer") });
    let trigger = desk.act("slack.admin.define_function", "dana", function)["trigger"].as_str().unwrap().to_owned();
    let run = |dish: Value| {
        desk.try_act(
            "slack.user.run_function",
            "lena",
            json!({ "app": "dtu-tester", "callback_id": "order", "inputs": { "dish": dish } }),
        )
    };
    assert!(run(json!(1)).unwrap_err().contains("string"));
    let first = run(json!("soup")).unwrap()["function_execution_id"].as_str().unwrap().to_owned();
    let events = heard(&desk, &server).await;
    assert_eq!(
        (&events[0]["function"]["callback_id"], &events[0]["inputs"]["dish"]),
        (&json!("order"), &json!("soup"))
    );
    assert_eq!(events[0]["function_execution_id"], first);
    // The token of the run acts as the bot, and is over with it.
    let token = events[0]["bot_access_token"].as_str().unwrap();
    assert!(token.starts_with("xwfp-"));
    assert_eq!(desk.call(token, "auth.test", "")["user"], "dtutester");
    let one = format!("function_execution_id={first}");
    desk.refuses(
        token,
        "functions.completeSuccess",
        &[
            (&format!("{one}&outputs={{}}"), "parameter_validation_failed"),
            (&format!("{one}&outputs={{\"number\":\"x\"}}"), "parameter_validation_failed"),
            (&format!("{one}&outputs=x"), "invalid_arguments"),
            ("function_execution_id=Fx000&outputs={}", "function_execution_not_found"),
            (&format!("{one}&outputs={{\"number\":7}}"), ""),
        ],
    );
    assert_eq!(desk.error(token, "auth.test", ""), "account_inactive");
    assert_eq!(desk.view("function_executions")[0]["outcome"], json!({ "completed": { "number": 7 } }));
    desk.refuses(
        TESTER,
        "functions.completeSuccess",
        &[(&format!("{one}&outputs={{\"number\":7}}"), "execution_not_in_running_state")],
    );
    let second = run(json!("bread")).unwrap()["function_execution_id"].as_str().unwrap().to_owned();
    let failed = format!("function_execution_id={second}&error=no bread");
    desk.refuses(BOT, "functions.completeError", &[(&failed, "access_denied")]);
    desk.refuses(TESTER, "functions.completeError", &[(&failed, ""), (&failed, "execution_not_in_running_state")]);
    let feature = format!("channel_id={{#general}}&trigger_ids={trigger}");
    desk.refuses(
        TESTER,
        "workflows.featured.add",
        &[
            (&feature, ""),
            (&feature, ""),
            ("channel_id={#general}&trigger_ids=Ft000", "error_modifying_workflows"),
            ("channel_id={#general}&trigger_ids=[]", "invalid_arguments"),
            (&format!("channel_id=C000&trigger_ids={trigger}"), "channel_not_found"),
        ],
    );
    let listed = || desk.call(TESTER, "workflows.featured.list", "channel_ids={#general},C000");
    assert_eq!(listed()["featured_workflows"][0]["triggers"], json!([{ "id": trigger, "title": "Order lunch" }]));
    assert_eq!(listed()["invalid_channel_ids"], json!(["C000"]));
    assert_eq!(desk.error(TESTER, "workflows.featured.remove", &feature), "");
    assert_eq!(listed()["featured_workflows"][0]["triggers"], json!([]));
    assert_eq!(desk.error(TESTER, "workflows.featured.set", &feature), "");
    assert_eq!(listed()["featured_workflows"][0]["triggers"].as_array().unwrap().len(), 1);
    desk.refuses(TESTER, "workflows.featured.list", &[("channel_ids=C000", "channel_not_found")]);
}

#[test]
fn retired_methods_say_so() {
    let desk = Desk::new();
    for method in ["channels.info", "groups.list", "im.open", "mpim.history"] {
        let answer = desk.call(TESTER, method, "channel={#general}");
        assert_eq!(answer["error"], "method_deprecated", "{method}");
        let words = answer["response_metadata"]["messages"][0].as_str().unwrap();
        assert!(words.contains("Please use conversations."), "{words}");
    }
    let answer = desk.call(TESTER, "workflows.updateStep", "workflow_step_edit_id=1");
    assert_eq!((&answer["error"], &answer["req_method"]), (&json!("unknown_method"), &json!("workflows.updateStep")));
}

#[tokio::test]
async fn metadata_and_channels_are_announced() {
    let names = [
        "message_metadata_posted",
        "message_metadata_updated",
        "message_metadata_deleted",
        "channel_rename",
        "channel_archive",
        "channel_unarchive",
        "channel_left",
        "im_created",
        "im_close",
        "im_open",
    ];
    let (desk, server) = listening(&names).await;
    let body = |kind: &str| json!({ "channel": "{#general}", "text": "x", "metadata": { "event_type": kind, "event_payload": {} } });
    let ts = desk.call_json(TESTER, "chat.postMessage", &body("made"))["ts"].as_str().unwrap().to_owned();
    let mut changed = body("changed");
    changed["ts"] = json!(ts);
    assert_eq!(desk.call_json(TESTER, "chat.update", &changed)["ok"], true);
    assert_eq!(desk.error(TESTER, "chat.delete", &format!("channel={{#general}}&ts={ts}")), "");
    let id = desk.call(TESTER, "conversations.create", "name=plans")["channel"]["id"].as_str().unwrap().to_owned();
    let one = format!("channel={id}");
    for (token, method, more) in [
        (TESTER, "conversations.rename", "&name=ideas"),
        (TESTER, "conversations.archive", ""),
        (DANA, "conversations.unarchive", ""),
    ] {
        assert_eq!(desk.error(token, method, &format!("{one}{more}")), "", "{method}");
    }
    let dm = desk.call(TESTER, "conversations.open", "users={@lena}")["channel"]["id"].as_str().unwrap().to_owned();
    for method in ["conversations.close", "conversations.open"] {
        assert_eq!(desk.error(TESTER, method, &format!("channel={dm}")), "", "{method}");
    }
    let events = heard(&desk, &server).await;
    for name in names {
        assert!(events.iter().any(|event| event["type"] == name), "no {name}");
    }
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap();
    assert_eq!(of("message_metadata_posted")["metadata"]["event_type"], "made");
    assert_eq!(of("message_metadata_updated")["previous_metadata"]["event_type"], "made");
    assert_eq!(of("message_metadata_deleted")["deleted_ts"], ts);
    assert_eq!(of("channel_rename")["channel"]["name"], "ideas");
}

#[tokio::test]
async fn more_is_shown_behind_a_link() {
    let (desk, server) = listening(&["entity_details_requested"]).await;
    desk.act("slack.admin.distribute_app", "dana", json!({ "app": "dtu-tester", "unfurl_domains": ["acme.example"] }));
    let said =
        desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "see https://acme.example/1" }));
    let open = || {
        desk.act(
            "slack.user.open_entity",
            "lena",
            json!({ "channel": "general", "ts": said["ts"], "url": "https://acme.example/1" }),
        )
    };
    let trigger = open()["trigger_id"].as_str().unwrap().to_owned();
    let event = heard(&desk, &server).await.pop().unwrap();
    assert_eq!((&event["trigger_id"], &event["link"]["domain"]), (&json!(trigger), &json!("acme.example")));
    let metadata = json!({
        "entity_type": "slack#/entities/task", "url": "https://acme.example/1", "external_ref": { "id": "1" },
        "entity_payload": { "attributes": { "title": { "text": "One" } } },
    });
    let nameless = json!({ "entity_type": "slack#/entities/task", "entity_payload": {} });
    let given = format!("trigger_id={trigger}&metadata={metadata}");
    desk.refuses(
        TESTER,
        "entity.presentDetails",
        &[
            (&format!("trigger_id={trigger}&metadata=x"), "invalid_metadata"),
            (&format!("trigger_id={trigger}&metadata={nameless}"), "invalid_metadata"),
            (&format!("trigger_id={trigger}"), "invalid_metadata"),
            (&format!("trigger_id={trigger}&user_auth_required=true"), "user_auth_url_missing"),
            (&format!("trigger_id=1.2.3&metadata={metadata}"), "invalid_trigger_id"),
            (&given, ""),
            (&given, "exchanged_trigger_id"),
        ],
    );
    assert_eq!(desk.view("entity_details")[0]["metadata"]["entity_type"], "slack#/entities/task");
}
