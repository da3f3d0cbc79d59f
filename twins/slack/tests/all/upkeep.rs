//! Conversations after they are made: archived, renamed, described, left, closed and read; messages deleted.

use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk, TESTER};

/// A desk with the public channel `plans` of the tester's bot, Lena in it, and the channel's id.
fn made() -> (Desk, String) {
    let desk = Desk::new();
    let answer = desk.call(TESTER, "conversations.create", "name=plans");
    let id = answer["channel"]["id"].as_str().unwrap().to_owned();
    assert_eq!(desk.error(TESTER, "conversations.invite", &format!("channel={id}&users={{@lena}}")), "");
    (desk, id)
}

fn last(desk: &Desk, channel: &str) -> Value {
    desk.call(DANA, "conversations.history", &format!("channel={channel}&limit=1"))["messages"][0].clone()
}

#[test]
fn channels_are_archived_and_opened_again() {
    let (desk, id) = made();
    let one = format!("channel={id}");
    desk.refuses(
        TESTER,
        "conversations.archive",
        &[
            ("channel={#general}", "cant_archive_general"),
            ("channel={#random}", "not_in_channel"),
            ("channel=C000", "channel_not_found"),
            ("", "invalid_arguments"),
            (&one, ""),
            (&one, "already_archived"),
        ],
    );
    let info = desk.call(DANA, "conversations.info", &one);
    assert_eq!(info["channel"]["is_archived"], true);
    assert_eq!(last(&desk, &id)["subtype"], "channel_archive");
    // Bots are put out, and cannot open the channel again.
    assert_eq!(desk.error(TESTER, "conversations.history", &one), "not_in_channel");
    desk.refuses(
        TESTER,
        "conversations.unarchive",
        &[(&one, "not_in_channel"), ("channel={#general}", "not_archived")],
    );
    assert_eq!(desk.error(DANA, "conversations.unarchive", &one), "");
    assert_eq!(last(&desk, &id)["subtype"], "channel_unarchive");
    assert_eq!(desk.call(DANA, "conversations.info", &one)["channel"]["is_member"], true);
    let dm = desk.call(TESTER, "conversations.open", "users={@lena}")["channel"]["id"].as_str().unwrap().to_owned();
    desk.refuses(
        TESTER,
        "conversations.archive",
        &[(&format!("channel={dm}"), "method_not_supported_for_channel_type")],
    );
    assert_eq!(desk.error(BOT, "conversations.archive", "channel={#general}"), "missing_scope");
}

#[test]
fn channels_are_renamed_by_their_makers_and_administrators() {
    let (desk, id) = made();
    let named = |name: &str| format!("channel={id}&name={name}");
    desk.refuses(
        TESTER,
        "conversations.rename",
        &[
            (&named("general"), "name_taken"),
            (&named("Plans"), "invalid_name_specials"),
            (&named("---"), "invalid_name_punctuation"),
            (&named(""), "invalid_name_required"),
            (&named(&"x".repeat(81)), "invalid_name_maxlength"),
            ("channel={#it-help}&name=help", "not_authorized"),
            ("channel={#random}&name=help", "not_in_channel"),
            ("channel=C000&name=help", "channel_not_found"),
        ],
    );
    let renamed = desk.call(TESTER, "conversations.rename", &named("ideas"));
    assert_eq!(
        (&renamed["channel"]["name"], &renamed["channel"]["previous_names"]),
        (&json!("ideas"), &json!(["plans"]))
    );
    let told = last(&desk, &id);
    assert_eq!(
        (&told["subtype"], &told["old_name"], &told["name"]),
        (&json!("channel_name"), &json!("plans"), &json!("ideas"))
    );
    // The old name is free again.
    assert_eq!(desk.error(TESTER, "conversations.create", "name=plans"), "");
    assert_eq!(desk.error(TESTER, "chat.postMessage", "channel=ideas&text=here"), "");
}

#[test]
fn topics_and_purposes_are_shown_where_they_are_set() {
    let (desk, id) = made();
    for (method, member) in [("conversations.setTopic", "topic"), ("conversations.setPurpose", "purpose")] {
        let set = |words: &str| format!("channel={id}&{member}={words}");
        let answer = desk.call(TESTER, method, &set("What next"));
        assert_eq!(answer["channel"][member]["value"], "What next", "{answer}");
        assert_eq!(answer["channel"][member]["creator"], desk.expand("{@dtutester}"));
        let told = last(&desk, &id);
        assert_eq!(
            (&told["subtype"], &told[member], &told["text"]),
            (
                &json!(format!("channel_{member}")),
                &json!("What next"),
                &json!(format!("set the channel {member}: What next"))
            )
        );
        desk.refuses(
            TESTER,
            method,
            &[
                (&set(&"x".repeat(251)), "too_long"),
                (&set(&"x".repeat(250)), ""),
                (&format!("channel={id}"), "invalid_arguments"),
                (&format!("channel={{#random}}&{member}=x"), "not_in_channel"),
                (&format!("channel=C000&{member}=x"), "channel_not_found"),
            ],
        );
        assert_eq!(desk.error(BOT, method, &format!("channel={{#general}}&{member}=x")), "missing_scope");
    }
    desk.call(DANA, "conversations.join", &format!("channel={id}"));
    desk.call(DANA, "conversations.archive", &format!("channel={id}"));
    desk.refuses(DANA, "conversations.setTopic", &[(&format!("channel={id}&topic=x"), "is_archived")]);
}

#[test]
fn people_are_put_out_and_go() {
    let (desk, id) = made();
    let lena = format!("channel={id}&user={{@lena}}");
    desk.refuses(
        TESTER,
        "conversations.kick",
        &[
            (&format!("channel={id}&user={{@dtutester}}"), "cant_kick_self"),
            (&format!("channel={id}&user=U000"), "user_not_found"),
            (&format!("channel={id}"), "user_not_found"),
            (&format!("channel={id}&user={{@omar}}"), "not_in_channel"),
            ("channel={#general}&user={@lena}", "cant_kick_from_general"),
            ("channel={#random}&user={@lena}", "not_in_channel"),
            (&lena, ""),
            (&lena, "not_in_channel"),
        ],
    );
    assert_eq!(last(&desk, &id)["subtype"], "channel_leave");
    desk.refuses(
        TESTER,
        "conversations.leave",
        &[("channel={#general}", "cant_leave_general"), ("channel=C000", "channel_not_found")],
    );
    assert_eq!(desk.error(TESTER, "conversations.leave", &format!("channel={id}")), "");
    let again = desk.call(TESTER, "conversations.leave", &format!("channel={id}"));
    assert_eq!((&again["ok"], &again["not_in_channel"]), (&json!(true), &json!(true)));
    let alone = desk.call(TESTER, "conversations.create", "name=alone&is_private=true");
    let alone = format!("channel={}", alone["channel"]["id"].as_str().unwrap());
    desk.refuses(TESTER, "conversations.leave", &[(&alone, "last_member")]);
}

#[test]
fn direct_conversations_are_closed_and_opened_again() {
    let (desk, _) = made();
    let opened = desk.call(TESTER, "conversations.open", "users={@lena}");
    let one = format!("channel={}", opened["channel"]["id"].as_str().unwrap());
    assert_eq!(desk.call(TESTER, "conversations.close", &one), json!({ "ok": true }));
    let again = desk.call(TESTER, "conversations.close", &one);
    assert_eq!(again, json!({ "ok": true, "no_op": true, "already_closed": true }));
    let reopened = desk.call(TESTER, "conversations.open", &one);
    assert!(reopened.get("already_open").is_none(), "{reopened}");
    assert_eq!(desk.call(TESTER, "conversations.open", &one)["already_open"], true);
    desk.refuses(
        TESTER,
        "conversations.close",
        &[("channel={#general}", "method_not_supported_for_channel_type"), ("channel=D000", "channel_not_found")],
    );
}

#[test]
fn what_is_read_is_told() {
    let (desk, id) = made();
    let ts = desk.post(TESTER, &format!("channel={id}&text=one"));
    let mark = format!("channel={id}&ts={ts}");
    assert_eq!(desk.error(TESTER, "conversations.mark", &mark), "");
    let info = desk.call(TESTER, "conversations.info", &format!("channel={id}"));
    assert_eq!(info["channel"]["last_read"], ts);
    desk.refuses(
        TESTER,
        "conversations.mark",
        &[
            (&format!("channel={id}&ts=soon"), "invalid_timestamp"),
            (&format!("channel={{#random}}&ts={ts}"), "not_in_channel"),
            (&format!("channel=C000&ts={ts}"), "channel_not_found"),
        ],
    );
    let dm = desk.call(TESTER, "conversations.open", "users={@dana}");
    let dm = dm["channel"]["id"].as_str().unwrap().to_owned();
    let first = desk.post(TESTER, &format!("channel={dm}&text=one"));
    desk.post(TESTER, &format!("channel={dm}&text=two"));
    let unread = || {
        desk.call(DANA, "conversations.open", &format!("channel={dm}&return_im=true"))["channel"]["unread_count"]
            .clone()
    };
    assert_eq!(unread(), 2);
    assert_eq!(desk.error(DANA, "conversations.mark", &format!("channel={dm}&ts={first}")), "");
    assert_eq!(unread(), 1);
}

#[test]
fn messages_are_deleted_by_who_wrote_them() {
    let (desk, id) = made();
    let said = desk.act("slack.user.post", "lena", json!({ "channel": id, "text": "mine" }));
    let lenas = format!("channel={id}&ts={}", said["ts"].as_str().unwrap());
    let own = desk.post(TESTER, &format!("channel={id}&text=bots"));
    let own_one = format!("channel={id}&ts={own}");
    desk.post(TESTER, &format!("channel={id}&text=reply&thread_ts={own}"));
    desk.refuses(
        TESTER,
        "chat.delete",
        &[
            (&lenas, "cant_delete_message"),
            (&format!("channel={id}&ts=1.000001"), "message_not_found"),
            (&format!("channel=C000&ts={own}"), "channel_not_found"),
            (&format!("channel={id}"), "invalid_arguments"),
            (&own_one, ""),
            // A thread leaves a tombstone, which is no message any more.
            (&own_one, "message_not_found"),
        ],
    );
    let history = desk.call(TESTER, "conversations.history", &format!("channel={id}"));
    assert_eq!(history["messages"][0]["subtype"], "tombstone");
    // Dana administers the workspace.
    assert_eq!(desk.error(DANA, "chat.delete", &lenas), "");
    desk.act("slack.user.upload", "lena", json!({ "channel": id, "name": "a.txt", "content": "x" }));
    let shown = last(&desk, &id);
    let file = shown["files"][0]["id"].as_str().unwrap();
    desk.act("slack.user.delete", "lena", json!({ "channel": id, "ts": shown["ts"] }));
    let told = desk.call(DANA, "files.info", &format!("file={file}"));
    assert_eq!(told["error"], "file_not_found", "no channel shows it: {told}");
}

#[test]
fn people_keep_their_channels_themselves() {
    let (desk, id) = made();
    desk.act("slack.user.join", "dana", json!({ "channel": id }));
    let edited = json!({ "channel": id, "name": "#ideas", "topic": "What next", "purpose": "Thinking" });
    desk.act("slack.user.edit_channel", "dana", edited);
    assert!(desk.try_act("slack.user.edit_channel", "lena", json!({ "channel": id, "name": "hers" })).is_err());
    desk.act("slack.user.remove", "dana", json!({ "channel": "ideas", "user": "lena" }));
    desk.act("slack.user.archive", "dana", json!({ "channel": "ideas" }));
    desk.act("slack.user.archive", "dana", json!({ "channel": "ideas", "undo": true }));
    let info = desk.call(DANA, "conversations.info", &format!("channel={id}"));
    assert_eq!(
        (&info["channel"]["topic"]["value"], &info["channel"]["is_archived"]),
        (&json!("What next"), &json!(false))
    );
    desk.act("slack.user.close_dm", "dana", json!({ "channel": "@lena" }));
}
