//! `chat.*`

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk, TESTER, buttons};

#[test]
#[expect(clippy::too_many_lines, reason = "one answer, whole")]
fn a_posted_message_is_told_in_full() {
    let desk = Desk::new();
    let posted = desk.call_json(
        BOT,
        "chat.postMessage",
        &json!({ "channel": "{#general}", "text": "Fish & *chips* <@{@lena}> :tada:" }),
    );
    assert_eq!(posted["channel"], desk.expand("{#general}"));
    assert_eq!(posted["ts"], posted["message"]["ts"]);
    insta::assert_json_snapshot!(posted["message"], {
        ".ts" => "[ts]", ".user" => "[id]", ".bot_id" => "[id]", ".app_id" => "[id]", ".team" => "[id]",
        ".text" => insta::dynamic_redaction(|text, _| text.as_str().unwrap().split("<@").next().unwrap().to_owned()),
        ".bot_profile.id" => "[id]", ".bot_profile.app_id" => "[id]", ".bot_profile.user_id" => "[id]",
        ".bot_profile.team_id" => "[id]", ".bot_profile.icons" => "[icons]", ".blocks[0].block_id" => "[id]",
        ".blocks[0].elements[0].elements[3].user_id" => "[id]",
    }, @r#"
    {
      "user": "[id]",
      "type": "message",
      "ts": "[ts]",
      "bot_id": "[id]",
      "app_id": "[id]",
      "text": "Fish &amp; *chips* ",
      "team": "[id]",
      "bot_profile": {
        "id": "[id]",
        "app_id": "[id]",
        "user_id": "[id]",
        "name": "Access Bot",
        "icons": "[icons]",
        "deleted": false,
        "updated": 1772442000,
        "team_id": "[id]"
      },
      "blocks": [
        {
          "type": "rich_text",
          "block_id": "[id]",
          "elements": [
            {
              "type": "rich_text_section",
              "elements": [
                {
                  "type": "text",
                  "text": "Fish & "
                },
                {
                  "type": "text",
                  "text": "chips",
                  "style": {
                    "bold": true
                  }
                },
                {
                  "type": "text",
                  "text": " "
                },
                {
                  "type": "user",
                  "user_id": "[id]"
                },
                {
                  "type": "text",
                  "text": " "
                },
                {
                  "type": "emoji",
                  "name": "tada",
                  "unicode": "1f389"
                }
              ]
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn history_shows_what_was_posted() {
    let desk = Desk::new();
    let posted = desk.call(BOT, "chat.postMessage", "channel={#general}&text=x");
    let shown = desk.call(BOT, "conversations.history", "channel={#general}&limit=1");
    assert_eq!(shown["messages"][0], posted["message"]);
}

#[test]
fn posting_is_refused() {
    let desk = Desk::new();
    let many = json!(vec![json!({ "text": "x" }); 101]).to_string();
    desk.refuses(
        BOT,
        "chat.postMessage",
        &[
            ("text=x", "invalid_arguments"),
            ("channel=C000&text=x", "channel_not_found"),
            ("channel=#nowhere&text=x", "channel_not_found"),
            ("channel=U000&text=x", "channel_not_found"),
            ("channel={#random}&text=x", "not_in_channel"),
            ("channel={#general}", "no_text"),
            ("channel={#general}&text=", "no_text"),
            ("channel={#general}&text=&blocks=[]", "no_text"),
            ("channel={#general}&text=x&blocks=nonsense", "invalid_blocks_format"),
            ("channel={#general}&text=x&blocks={}", "invalid_blocks_format"),
            ("channel={#general}&text=x&blocks=[{}]", "invalid_blocks"),
            ("channel={#general}&text=x&attachments=nonsense", "invalid_attachments"),
            (&format!("channel={{#general}}&attachments={many}"), "too_many_attachments"),
            ("channel={#general}&text=x&metadata=nonsense", "invalid_metadata_format"),
            ("channel={#general}&text=x&metadata={\"event_type\":1}", "invalid_metadata_schema"),
            ("channel={#general}&text=x&markdown_text=y", "markdown_text_conflict"),
            (&format!("channel={{#general}}&markdown_text={}", "x".repeat(12_001)), "msg_too_long"),
            ("channel={#general}&text=x&thread_ts=soon", "invalid_thread_ts"),
            ("channel={#general}&text=x&as_user=true", "as_user_not_supported"),
            ("channel={@dtutester}&text=x", "cannot_dm_bot"),
        ],
    );
    assert_eq!(desk.error(TESTER, "chat.postMessage", "channel={#project-atlas-2024}&text=x"), "is_archived");
    // `chat:write.public` lets the other bot in; people's tokens stay outside.
    assert_eq!(desk.error(TESTER, "chat.postMessage", "channel={#random}&text=x"), "");
    assert_eq!(desk.error(DANA, "chat.postMessage", "channel={#sales}&text=x"), "not_in_channel");
}

#[test]
fn blocks_are_checked_and_completed() {
    let desk = Desk::new();
    let post = |blocks: Value| {
        desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "{#general}", "blocks": blocks }))
    };
    let check = |blocks: Value, problem: &str| {
        let answer = post(blocks);
        assert_eq!(answer["error"], "invalid_blocks");
        let last = |list: &Value| list.as_array().unwrap().last().unwrap().clone();
        assert_eq!(last(&answer["errors"]), problem);
        assert_eq!(last(&answer["response_metadata"]["messages"]), format!("[ERROR] {problem}"));
    };
    let section = |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    check(json!([{ "type": "nonsense" }]), "unsupported type: nonsense [json-pointer:/blocks/0/type]");
    check(json!([{ "type": "section" }]), "must define either `text` or `fields` [json-pointer:/blocks/0/type]");
    check(json!([section("")]), "must be more than 0 characters [json-pointer:/blocks/0/text/text]");
    check(json!([section(&"x".repeat(3001))]), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]");
    check(json!(vec![section("x"); 51]), "no more than 50 items allowed [json-pointer:/blocks]");
    check(
        json!([{ "type": "actions", "elements": [{ "type": "button", "text": { "type": "mrkdwn", "text": "x" } }] }]),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/text/type]",
    );
    check(buttons(&["Yes", "Yes"]), "`action_id` \"yes\" already exists [json-pointer:/blocks/1/elements/1/action_id]");
    let posted = post(
        json!([section("Hello"), { "type": "actions", "elements": [{ "type": "button", "text": { "type": "plain_text", "text": "Go" } }] }]),
    );
    let blocks = &posted["message"]["blocks"];
    assert_eq!(posted["message"]["text"], "Hello");
    assert_eq!(blocks[0]["text"]["verbatim"], false);
    assert_eq!(blocks[1]["elements"][0]["text"]["emoji"], true);
    assert!(blocks[0]["block_id"].is_string() && blocks[1]["elements"][0]["action_id"].is_string());
}

#[test]
fn text_is_stored_as_slack_stores_it() {
    let desk = Desk::new();
    let lena = desk.expand("{@lena}");
    let general = desk.expand("{#general}");
    let check = |sent: &str, args: Value, stored: &str| {
        let mut body = json!({ "channel": general, "text": sent });
        body.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        assert_eq!(desk.call_json(TESTER, "chat.postMessage", &body)["message"]["text"], stored, "{sent}");
    };
    check("a & b < c > d", json!({}), "a &amp; b &lt; c &gt; d");
    check("a &amp; b", json!({}), "a &amp; b");
    check("see https://acme.example/x?a=1&b=2.", json!({}), "see <https://acme.example/x?a=1&amp;b=2>.");
    check("<https://acme.example|Acme>", json!({}), "<https://acme.example|Acme>");
    check("`https://acme.example`", json!({}), "`https://acme.example`");
    check(&format!("<@{lena}|Lena> <!here>"), json!({}), &format!("<@{lena}> <!here>"));
    check("<@nobody>", json!({}), "&lt;@nobody&gt;");
    check("@lena.fischer in #general", json!({}), "@lena.fischer in #general");
    check(
        "@lena.fischer in #general, @here",
        json!({ "link_names": true }),
        &format!("@lena.fischer in <#{general}|general>, <!here>"),
    );
    check("@lena.fischer #general", json!({ "parse": "full" }), &format!("@lena.fischer <#{general}|general>"));
    check(&format!("it`s <@{lena}> `<@{lena}> <b>`"), json!({}), &format!("it`s <@{lena}> `<@{lena}> &lt;b&gt;`"));
    for sent in ["https://<", "https://&lt;"] {
        check(sent, json!({}), "https://&lt;");
    }
    check("https://a.example/x&gt;y", json!({}), "<https://a.example/x>&gt;y");
    check("<<@here> <!here>", json!({}), "&lt;&lt;@here&gt; <!here>");
    let markdown = desk.call_json(
        TESTER,
        "chat.postMessage",
        &json!({ "channel": general, "markdown_text": "**b** [x](https://a.example)" }),
    );
    assert_eq!(markdown["message"]["text"], "*b* <https://a.example|x>");
    let long = desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": general, "text": "x".repeat(40_001) }));
    assert_eq!(
        (long["warning"].as_str(), long["message"]["text"].as_str().unwrap().len()),
        (Some("message_truncated"), 40_000)
    );
    assert_eq!(long["response_metadata"]["warnings"], json!(["message_truncated"]));
    assert!(long["response_metadata"]["messages"][0].as_str().unwrap().starts_with("[WARN] "));
}

#[test]
fn user_groups_are_linked_by_their_handles() {
    let desk = Desk::new();
    let made = desk.call(TESTER, "usergroups.create", "name=Designers&handle=designers");
    let id = made["usergroup"]["id"].as_str().unwrap();
    let told = |args: &str| {
        desk.call(TESTER, "chat.postMessage", &format!("channel={{#general}}&text=hi @designers{args}"))["message"]
            .clone()
    };
    assert_eq!(told("")["text"], "hi @designers");
    let linked = told("&link_names=true");
    assert_eq!(linked["text"], format!("hi <!subteam^{id}>"));
    let element = &linked["blocks"][0]["elements"][0]["elements"][1];
    assert_eq!(*element, json!({ "type": "usergroup", "usergroup_id": id }));
    desk.call(TESTER, "usergroups.disable", &format!("usergroup={id}"));
    assert_eq!(told("&link_names=true")["text"], "hi @designers");
}

#[test]
fn blocks_hold_so_much_text_in_all() {
    let desk = Desk::new();
    let section = |n: usize| json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(n) } });
    let check = |last: usize, wanted: &str| {
        let blocks = json!([section(3000), section(3000), section(3000), section(3000), section(last)]);
        let body = json!({ "channel": "{#general}", "text": "x", "blocks": blocks });
        let error = desk.call_json(TESTER, "chat.postMessage", &body)["error"].clone();
        assert_eq!(error.as_str().unwrap_or_default(), wanted, "{last}");
    };
    check(1200, "");
    check(1201, "msg_blocks_too_long");
}

#[test]
fn channels_go_by_name_and_people_by_id() {
    let desk = Desk::new();
    let to =
        |channel: &str| desk.call(BOT, "chat.postMessage", &format!("channel={channel}&text=x"))["channel"].clone();
    assert_eq!(to("#general"), desk.expand("{#general}"));
    assert_eq!(to("general"), desk.expand("{#general}"));
    let dm = to("{@lena}");
    assert!(dm.as_str().unwrap().starts_with('D'));
    assert_eq!(desk.texts("dm:lena.fischer@acme.example"), ["x"]);
    assert_eq!(to(dm.as_str().unwrap()), dm);
    assert_eq!(
        desk.error(TESTER, "chat.postMessage", &format!("channel={}&text=x", dm.as_str().unwrap())),
        "channel_not_found"
    );
}

#[test]
fn posts_are_unique_within_a_channel() {
    let desk = Desk::new();
    let stamps: Vec<String> = (0..5).map(|_| desk.post(TESTER, "channel={#general}&text=x")).collect();
    assert_eq!(stamps[0], "1772442000.000000");
    assert_eq!(stamps[4], "1772442000.000004");
}

#[test]
fn threads_keep_their_books() {
    let desk = Desk::new();
    let parent = desk.post(TESTER, "channel={#general}&text=parent");
    let reply = |token: &str, more: &str| {
        desk.post(token, &format!("channel={{#general}}&text=reply&thread_ts={parent}{more}"))
    };
    let first = reply(TESTER, "");
    let second = reply(BOT, "");
    let broadcast = reply(TESTER, "&reply_broadcast=true");
    // A reply to a reply lands in the same thread.
    let nested = desk.post(TESTER, &format!("channel={{#general}}&text=nested&thread_ts={first}"));
    let history = desk.call(TESTER, "conversations.history", "channel={#general}&limit=2");
    let (top, under) = (&history["messages"][0], &history["messages"][1]);
    assert_eq!((top["subtype"].as_str(), top["ts"].as_str()), (Some("thread_broadcast"), Some(broadcast.as_str())));
    assert_eq!(top["root"]["ts"], parent);
    assert_eq!((under["reply_count"].as_u64(), under["latest_reply"].as_str()), (Some(4), Some(nested.as_str())));
    assert_eq!(under["reply_users_count"], 2);
    let replies = desk.call(TESTER, "conversations.replies", &format!("channel={{#general}}&ts={parent}"));
    let stamps: Vec<&str> = replies["messages"].as_array().unwrap().iter().map(|m| m["ts"].as_str().unwrap()).collect();
    assert_eq!(stamps, [&parent, &first, &second, &broadcast, &nested]);
    // An orphan is posted, but no thread is to be found.
    assert_eq!(desk.error(TESTER, "chat.postMessage", "channel={#general}&text=x&thread_ts=1.000001"), "");
    assert_eq!(desk.error(TESTER, "conversations.replies", "channel={#general}&ts=1.000001"), "thread_not_found");
}

#[test]
fn apps_post_under_other_names() {
    let desk = Desk::new();
    let posted =
        desk.call(TESTER, "chat.postMessage", "channel={#general}&text=x&username=Robot&icon_emoji=:robot_face:");
    let message = &posted["message"];
    assert_eq!((message["subtype"].as_str(), message["username"].as_str()), (Some("bot_message"), Some("Robot")));
    assert_eq!((message["icons"]["emoji"].as_str(), message.get("user")), (Some(":robot_face:"), None));
    let dana = desk.call(DANA, "chat.postMessage", "channel={#general}&text=x&username=Robot");
    assert_eq!(
        (dana["message"]["user"].as_str(), dana["message"].get("username")),
        (Some(desk.expand("{@dana}").as_str()), None)
    );
}

#[test]
fn metadata_shows_to_those_who_ask() {
    let desk = Desk::new();
    let metadata = json!({ "event_type": "made", "event_payload": { "id": 1 } });
    let posted = desk.call_json(
        TESTER,
        "chat.postMessage",
        &json!({ "channel": "{#general}", "text": "x", "metadata": metadata }),
    );
    assert_eq!(posted["message"]["metadata"], metadata);
    let shown = |args: &str| {
        desk.call(TESTER, "conversations.history", &format!("channel={{#general}}&limit=1{args}"))["messages"][0]
            .clone()
    };
    assert!(shown("").get("metadata").is_none());
    assert_eq!(shown("&include_all_metadata=true")["metadata"], metadata);
}

#[test]
fn messages_are_updated_by_their_author() {
    let desk = Desk::new();
    let ts = desk.post(TESTER, "channel={#general}&text=before");
    let update = |more: Value| {
        let mut body = json!({ "channel": "{#general}", "ts": ts });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.call_json(TESTER, "chat.update", &body)
    };
    let edited = update(json!({ "text": "after" }));
    assert_eq!((edited["text"].as_str(), edited["message"]["text"].as_str()), (Some("after"), Some("after")));
    assert_eq!(edited["message"]["edited"]["user"], json!(desk.state().find_app("dtu-tester").unwrap().bot));
    let with_blocks = update(json!({ "blocks": buttons(&["Yes"]) }));
    assert_eq!(with_blocks["message"]["blocks"][1]["elements"][0]["action_id"], "yes");
    assert_eq!(with_blocks["text"], "Choose");
    let dropped = update(json!({ "text": "again" }));
    assert_eq!(dropped["message"]["blocks"][0]["type"], "rich_text");
    assert_eq!(update(json!({}))["error"], "no_text");
    assert_eq!(update(json!({ "text": "x".repeat(4001) }))["error"], "msg_too_long");
    let general = desk.call(TESTER, "conversations.history", "channel={#general}");
    let foreign = general["messages"].as_array().unwrap().last().unwrap()["ts"].as_str().unwrap();
    desk.refuses(
        TESTER,
        "chat.update",
        &[
            (&format!("channel={{#general}}&ts={foreign}&text=x"), "cant_update_message"),
            ("channel={#general}&ts=1.000001&text=x", "message_not_found"),
            ("channel={#exec-private}&ts=1.000001&text=x", "channel_not_found"),
            ("channel={#general}&text=x", "invalid_arguments"),
            (&format!("channel={{#general}}&ts={ts}&file_ids=F1&text=x"), "file_not_found"),
        ],
    );
    assert_eq!(desk.error(BOT, "chat.update", &format!("channel={{#general}}&ts={ts}&text=x")), "cant_update_message");
}

#[test]
fn ephemeral_messages_reach_one_person() {
    let desk = Desk::new();
    let shown = desk.call(BOT, "chat.postEphemeral", "channel={#general}&user={@lena}&text=psst");
    assert!(shown["message_ts"].is_string());
    assert_eq!(desk.whispers("lena.fischer@acme.example"), ["psst"]);
    assert!(!desk.texts("general").contains(&"psst".to_owned()));
    desk.call(TESTER, "chat.postEphemeral", "channel={#general}&user={@lena}&text=x&username=Robot&icon_emoji=:robot:");
    let styled = desk.view("ephemerals").pop().expect("is shown");
    assert_eq!((styled["username"].as_str(), styled["icon"].as_str()), (Some("Robot"), Some(":robot:")));
    desk.refuses(
        BOT,
        "chat.postEphemeral",
        &[
            ("channel={#general}&user={@vikram}&text=x", "user_not_in_channel"),
            ("channel={#general}&user=U000&text=x", "user_not_in_channel"),
            ("channel={#random}&user={@lena}&text=x", "not_in_channel"),
            ("channel={#general}&user={@lena}", "no_text"),
            ("channel=C000&user={@lena}&text=x", "channel_not_found"),
            ("channel={#general}&text=x", "invalid_arguments"),
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn stored_text_is_stored_as_it_is(text in r"([<>&|@#!`*_~:\[\]()./ ]|https://|a\.example|U0ABC123|amp;|lt;|é|🦀|\n|general){1,30}") {
        let desk = Desk::new();
        let post = |text: &str| desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "general", "text": text }));
        let once = post(&text);
        prop_assert!(once["ok"] == true, "{}", once);
        prop_assert_eq!(&post(once["message"]["text"].as_str().unwrap())["message"]["text"], &once["message"]["text"]);
    }
}
