//! `conversations.*`, but for paging.

use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk, TESTER};

#[test]
fn a_channel_is_told_in_full() {
    let desk = Desk::new();
    let answer =
        desk.call(BOT, "conversations.info", "channel={#general}&include_num_members=true&include_locale=true");
    insta::assert_json_snapshot!(answer, {
        ".channel.id" => "[id]", ".channel.creator" => "[id]", ".channel.topic.creator" => "[id]",
        ".channel.purpose.creator" => "[id]", ".channel.context_team_id" => "[id]", ".channel.shared_team_ids" => "[ids]",
    }, @r#"
    {
      "ok": true,
      "channel": {
        "id": "[id]",
        "name": "general",
        "is_channel": true,
        "is_group": false,
        "is_im": false,
        "is_mpim": false,
        "is_private": false,
        "created": 1625475600,
        "is_archived": false,
        "is_general": true,
        "unlinked": 0,
        "name_normalized": "general",
        "is_shared": false,
        "is_org_shared": false,
        "is_pending_ext_shared": false,
        "pending_shared": [],
        "context_team_id": "[id]",
        "updated": 1625475600000,
        "parent_conversation": null,
        "creator": "[id]",
        "is_ext_shared": false,
        "shared_team_ids": "[ids]",
        "pending_connected_team_ids": [],
        "is_member": true,
        "last_read": "0000000000.000000",
        "topic": {
          "value": "Q1 all-hands: Thursday 12 March, 15:00 London",
          "creator": "[id]",
          "last_set": 1625475600
        },
        "purpose": {
          "value": "Company-wide conversation. Everyone is here.",
          "creator": "[id]",
          "last_set": 1625475600
        },
        "previous_names": [],
        "num_members": 37,
        "locale": "en-US"
      }
    }
    "#);
}

#[test]
fn private_channels_are_not_there_for_others() {
    let desk = Desk::new();
    for method in ["conversations.info", "conversations.history", "conversations.members", "conversations.join"] {
        assert_eq!(desk.error(TESTER, method, "channel={#exec-private}"), "channel_not_found", "{method}");
    }
    assert_eq!(desk.error(TESTER, "chat.postMessage", "channel={#exec-private}&text=x"), "channel_not_found");
    assert_eq!(desk.error(TESTER, "chat.postMessage", "channel=#exec-private&text=x"), "channel_not_found");
    assert_eq!(desk.error(TESTER, "conversations.info", "channel=C000"), "channel_not_found");
    let listed = desk.call(TESTER, "conversations.list", "types=private_channel");
    assert_eq!(listed["channels"], json!([]));
}

#[test]
fn channels_are_listed_by_type() {
    let desk = Desk::new();
    let names = |args: &str| -> Vec<String> {
        let answer = desk.call(TESTER, "conversations.list", args);
        let mut names: Vec<String> = answer["channels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["name"].as_str().unwrap_or("dm").to_owned())
            .collect();
        names.sort();
        names
    };
    let all = names("");
    assert!(all.contains(&"project-atlas-2024".to_owned()) && !all.contains(&"exec-private".to_owned()));
    assert!(!names("exclude_archived=true").contains(&"project-atlas-2024".to_owned()));
    desk.call(TESTER, "conversations.create", "name=secret&is_private=true");
    desk.call(TESTER, "conversations.open", "users={@lena}");
    desk.call(TESTER, "conversations.open", "users={@lena},{@omar}");
    assert_eq!(names("types=private_channel,im,mpim"), ["dm", "mpdm-dtutester--lena.fischer--omar.haddad-1", "secret"]);
    assert_eq!(desk.error(TESTER, "conversations.list", "types=secret"), "invalid_types");
    assert_eq!(desk.error(TESTER, "conversations.list", "cursor=eA=="), "invalid_cursor");
}

#[test]
fn channels_are_made() {
    let desk = Desk::new();
    let made = desk.call_json(TESTER, "conversations.create", &json!({ "name": "new-channel" }));
    assert_eq!(
        (made["channel"]["name"].as_str(), made["channel"]["is_member"].as_bool()),
        (Some("new-channel"), Some(true))
    );
    assert_eq!(made["channel"]["creator"], desk.expand("{@dtutester}"));
    let long = "x".repeat(81);
    desk.refuses(
        TESTER,
        "conversations.create",
        &[
            ("name=new-channel", "name_taken"),
            ("name=project-atlas-2024", "name_taken"),
            ("name=", "invalid_name_required"),
            ("", "invalid_name_required"),
            (&format!("name={long}"), "invalid_name_maxlength"),
            ("name=--", "invalid_name_punctuation"),
            ("name=Upper", "invalid_name_specials"),
            ("name=two words", "invalid_name_specials"),
            ("name=a.b", "invalid_name_specials"),
        ],
    );
    assert_eq!(desk.error(TESTER, "conversations.create", "name=été-2026"), "", "letters of all scripts");
    assert_eq!(desk.error(DANA, "conversations.create", "name=by-dana"), "");
}

#[test]
fn channels_are_joined() {
    let desk = Desk::new();
    let joined = desk.call(TESTER, "conversations.join", "channel={#random}");
    assert_eq!((joined["channel"]["is_member"].as_bool(), joined.get("warning")), (Some(true), None));
    let again = desk.call(TESTER, "conversations.join", "channel={#random}");
    assert_eq!(again["warning"], "already_in_channel");
    assert_eq!(again["response_metadata"]["warnings"], json!(["already_in_channel"]));
    let bot = desk.expand("{@dtutester}");
    assert_eq!(desk.texts("random").last().unwrap(), &format!("<@{bot}> has joined the channel"));
    let own = desk.call(TESTER, "conversations.create", "name=own&is_private=true")["channel"]["id"].clone();
    let private = format!("channel={}", own.as_str().unwrap());
    desk.refuses(
        TESTER,
        "conversations.join",
        &[
            ("channel={#project-atlas-2024}", "is_archived"),
            (&private, "method_not_supported_for_channel_type"),
            ("channel=C000", "channel_not_found"),
        ],
    );
}

#[test]
fn people_are_invited_all_or_none() {
    let desk = Desk::new();
    desk.call(TESTER, "conversations.create", "name=team");
    let invited = desk.call(TESTER, "conversations.invite", "channel={#team}&users={@lena},{@omar}");
    assert_eq!(invited["channel"]["name"], "team");
    let join = desk.view("messages").into_iter().rfind(|row| row["channel"] == "team").unwrap();
    assert_eq!(join["subtype"], "channel_join");
    desk.refuses(
        TESTER,
        "conversations.invite",
        &[
            ("channel={#team}&users={@lena}", "already_in_channel"),
            ("channel={#team}&users={@dtutester}", "cant_invite_self"),
            ("channel={#team}&users=U000", "user_not_found"),
            ("channel={#team}&users={@marcus}", "cant_invite"),
            ("channel={#team}&users=", "no_user"),
            ("channel={#team}", "no_user"),
            ("channel={#random}&users={@lena}", "not_in_channel"),
            ("channel={#exec-private}&users={@lena}", "channel_not_found"),
        ],
    );
    let several = desk.call(TESTER, "conversations.invite", "channel={#team}&users=U000,{@lena},{@priya}");
    assert_eq!(several["error"], "user_not_found");
    let lena = desk.expand("{@lena}");
    assert_eq!(
        several["errors"],
        json!([{ "user": "U000", "ok": false, "error": "user_not_found" },
               { "user": lena, "ok": false, "error": "already_in_channel" }])
    );
    let members = || desk.call(TESTER, "conversations.members", "channel={#team}")["members"].as_array().unwrap().len();
    assert_eq!(members(), 3);
    let one = desk.call(TESTER, "conversations.invite", "channel={#team}&users=U000,{@priya}");
    assert_eq!(one["errors"], json!([{ "user": "U000", "ok": false, "error": "user_not_found" }]), "each is told");
    let forced = desk.call(TESTER, "conversations.invite", "channel={#team}&users=U000,{@priya}&force=true");
    assert_eq!((&forced["ok"], &forced["errors"]), (&json!(true), &one["errors"]));
    assert_eq!(members(), 4);
    assert_eq!(desk.call(TESTER, "conversations.invite", "channel={#team}&users=U000").get("errors"), None);
    let dm = desk.call(TESTER, "conversations.open", "users={@lena}")["channel"]["id"].as_str().unwrap().to_owned();
    let in_dm = desk.error(TESTER, "conversations.invite", &format!("channel={dm}&users={{@omar}}"));
    assert_eq!(in_dm, "method_not_supported_for_channel_type");
}

#[test]
fn direct_messages_are_opened_once() {
    let desk = Desk::new();
    let open = |args: &str| desk.call(BOT, "conversations.open", args);
    let first = open("users={@lena}");
    assert!(first.get("already_open").is_none() && first["channel"].as_object().unwrap().len() == 1);
    let second = open("users={@lena}&return_im=true");
    assert_eq!((second["already_open"].as_bool(), second["no_op"].as_bool()), (Some(true), Some(true)));
    assert_eq!(second["channel"]["id"], first["channel"]["id"]);
    assert_eq!(
        (second["channel"]["is_im"].as_bool(), &second["channel"]["user"]),
        (Some(true), &json!(desk.expand("{@lena}")))
    );
    let id = first["channel"]["id"].as_str().unwrap();
    assert!(id.starts_with('D'));
    assert_eq!(open(&format!("channel={id}"))["channel"]["id"], id);
    let group = open("users={@lena},{@omar},{@lena}")["channel"]["id"].clone();
    assert_eq!(open("users={@omar},{@lena}")["channel"]["id"], group, "the order does not matter");
    let nine: Vec<String> = ["grace", "henrik", "amelia", "siobhan", "tomas", "mei", "kwame", "ines", "aisha"]
        .iter()
        .map(|who| desk.expand(&format!("{{@{who}}}")))
        .collect();
    desk.refuses(
        BOT,
        "conversations.open",
        &[
            ("", "users_list_not_supplied"),
            ("users=U000", "user_not_found"),
            ("users={@marcus}", "user_disabled"),
            ("users={@accessbot}", "not_enough_users"),
            ("users={@dtutester}", "cannot_dm_bot"),
            ("users={@priya}&prevent_creation=true", "channel_not_found"),
            (&format!("users={}", nine.join(",")), "too_many_users"),
            ("channel=D000", "channel_not_found"),
            ("channel={#general}", "method_not_supported_for_channel_type"),
        ],
    );
}

#[test]
fn history_is_for_members_and_peoples_tokens() {
    let desk = Desk::new();
    assert_eq!(desk.error(TESTER, "conversations.history", "channel={#random}"), "not_in_channel");
    assert_eq!(desk.error(TESTER, "conversations.replies", "channel={#random}&ts=1.000001"), "not_in_channel");
    assert_eq!(desk.error(DANA, "conversations.history", "channel={#sales}"), "", "people read public channels");
    desk.refuses(
        TESTER,
        "conversations.history",
        &[
            ("channel={#general}&cursor=nonsense", "invalid_cursor"),
            ("channel={#general}&oldest=yesterday", "invalid_ts_oldest"),
            ("channel={#general}&latest=-1", "invalid_ts_latest"),
        ],
    );
    desk.refuses(
        TESTER,
        "conversations.replies",
        &[("channel={#general}&ts=1.000001", "thread_not_found"), ("channel={#general}&ts=x", "thread_not_found")],
    );
}

#[test]
fn history_and_replies_show_threads() {
    let desk = Desk::new();
    let history = desk.call(TESTER, "conversations.history", "channel={#general}");
    let messages = history["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    let first = &messages[2];
    let ruth = desk.expand("{@ruth}");
    assert!(first["text"].as_str().unwrap().contains(&format!("<@{ruth}>")));
    assert_eq!((first["reply_count"].as_u64(), first["reply_users_count"].as_u64()), (Some(2), Some(2)));
    assert_eq!(first["thread_ts"], first["ts"]);
    let ts = first["ts"].as_str().unwrap();
    let replies = desk.call(TESTER, "conversations.replies", &format!("channel={{#general}}&ts={ts}"));
    let replies = replies["messages"].as_array().unwrap();
    assert_eq!((replies.len(), &replies[0]["ts"]), (3, &first["ts"]));
    assert_eq!((&replies[2]["ts"], &replies[1]["parent_user_id"]), (&first["latest_reply"], &first["user"]));
    // A reply's own timestamp gets that reply alone.
    let one = desk.call(
        TESTER,
        "conversations.replies",
        &format!("channel={{#general}}&ts={}", replies[1]["ts"].as_str().unwrap()),
    );
    assert_eq!(one["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn history_is_cut_by_time() {
    let desk = Desk::new();
    let stamps: Vec<String> = (0..4).map(|n| desk.post(TESTER, &format!("channel={{#it-help}}&text={n}"))).collect();
    let texts = |args: &str| -> Vec<String> {
        let answer = desk.call(TESTER, "conversations.history", &format!("channel={{#it-help}}&{args}"));
        answer["messages"].as_array().unwrap().iter().map(|m: &Value| m["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&format!("oldest={}", stamps[1])), ["3", "2"]);
    assert_eq!(texts(&format!("oldest={}&inclusive=true", stamps[1])), ["3", "2", "1"]);
    assert_eq!(texts(&format!("oldest={}&latest={}", stamps[0], stamps[2])), ["1"]);
    assert_eq!(texts(&format!("latest={}&oldest={}&inclusive=1&limit=1", stamps[2], stamps[2])), ["2"]);
    assert_eq!(texts(&format!("oldest={}&latest={}", stamps[3], stamps[0])), Vec::<String>::new());
    assert_eq!(texts("limit=2&oldest=0"), ["3", "2"]);
}
