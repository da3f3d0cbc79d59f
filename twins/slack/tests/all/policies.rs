//! What owners settle for everybody, what Slack does to a whole workspace, and huddles.

use serde_json::json;

use crate::{
    desk::{DANA, Desk, TESTER},
    office::{CLERK, OWNER, enterprise},
};

#[test]
fn policies_bind_people_and_not_administrators() {
    let desk = enterprise();
    let settle = |how| desk.act("slack.admin.set_policy", "dana", how);
    desk.call(CLERK, "conversations.create", "name=before");
    settle(json!({ "creates_channels": "admins", "archives_channels": "admins", "posts_in_general": "admins" }));
    assert_eq!(desk.error(CLERK, "conversations.create", "name=after"), "restricted_action");
    assert_eq!(desk.error(CLERK, "conversations.archive", "channel={#before}"), "restricted_action");
    assert_eq!(desk.error(CLERK, "chat.postMessage", "channel={#general}&text=x"), "restricted_action");
    assert!(desk.try_act("slack.user.post", "lena", json!({ "channel": "general", "text": "x" })).is_err());
    assert_eq!(desk.error(OWNER, "conversations.create", "name=after"), "");
    assert_eq!(desk.error(OWNER, "chat.postMessage", "channel={#general}&text=x"), "");
    assert!(desk.try_act("slack.admin.set_policy", "lena", json!({})).is_err(), "she administers nothing");
    settle(json!({ "creates_channels": "everyone" }));
    assert_eq!(desk.error(CLERK, "conversations.create", "name=again"), "");
}

#[tokio::test]
async fn old_messages_are_edited_no_more_and_kept_ones_not_deleted() {
    let desk = Desk::new();
    let ts = desk.post(TESTER, "channel={#general}&text=once");
    let own = format!("channel={{#general}}&ts={ts}");
    desk.act("slack.admin.set_policy", "dana", json!({ "edit_minutes": 5, "keeps_messages": true }));
    assert_eq!(desk.error(TESTER, "chat.update", &format!("{own}&text=twice")), "");
    desk.universe.advance(std::time::Duration::from_secs(300)).await;
    assert_eq!(desk.error(TESTER, "chat.update", &format!("{own}&text=thrice")), "edit_window_closed");
    assert_eq!(desk.error(TESTER, "chat.delete", &own), "compliance_exports_prevent_deletion");
    desk.act("slack.admin.set_policy", "dana", json!({ "edit_minutes": -1, "keeps_messages": false }));
    assert_eq!(desk.error(TESTER, "chat.update", &format!("{own}&text=thrice")), "");
    assert_eq!(desk.error(TESTER, "chat.delete", &own), "");
}

#[test]
fn who_may_post_in_a_channel_is_settled_and_told() {
    let desk = enterprise();
    let check = |prefs: &str, flags: [bool; 3], top: &str, reply: &str| {
        let desk = enterprise();
        let first = desk.act("slack.user.post", "lena", json!({ "channel": "random", "text": "first" }));
        let thread = format!("channel={{#random}}&text=x&thread_ts={}", first["ts"].as_str().unwrap());
        desk.admin("conversations.setConversationPrefs", &format!("channel_id={{#random}}&prefs={prefs}"));
        assert_eq!(desk.texts("random").last().unwrap(), "changed channel posting permissions.");
        let info = desk.call(CLERK, "conversations.info", "channel={#random}")["channel"].clone();
        let told = ["is_read_only", "is_thread_only", "is_non_threadable"].map(|name| info[name] == true);
        assert_eq!(told, flags, "{prefs}");
        assert_eq!(desk.error(CLERK, "chat.postMessage", "channel={#random}&text=x"), top, "{prefs}");
        assert_eq!(desk.error(CLERK, "chat.postMessage", &thread), reply, "{prefs}");
        assert_eq!(desk.error(DANA, "chat.postMessage", &thread), "", "{prefs}: administrators may");
    };
    let (post, reply) = (r#""who_can_post":"type:admin""#, r#""can_thread":"type:admin""#);
    let read_only = "restricted_action_read_only_channel";
    check(&format!("{{{post},{reply}}}"), [true, false, false], read_only, read_only);
    check(&format!("{{{post}}}"), [false, true, false], "restricted_action_thread_only_channel", "");
    check(&format!("{{{reply}}}"), [false, false, true], "", "restricted_action_non_threadable_channel");
    let named = desk.expand(r#"{"who_can_post":"type:admin,user:{@lena}"}"#);
    check(&named, [false, false, false], "", "");
}

#[test]
fn what_is_suspended_is_neither_read_nor_written() {
    let desk = enterprise();
    desk.act("slack.user.post", "lena", json!({ "channel": "random", "text": "unspeakable" }));
    desk.act("slack.admin.suspend_access", "dana", json!({ "channel": "random" }));
    let newest = || desk.call(DANA, "conversations.history", "channel={#random}&limit=1")["messages"][0].clone();
    let told = newest();
    assert_eq!((&told["subtype"], &told["user"]), (&json!("ekm_access_denied"), &json!("UREVOKEDU")));
    assert!(!told.to_string().contains("unspeakable"));
    assert_eq!(desk.call(DANA, "search.messages", "query=unspeakable")["messages"]["total"], 0);
    assert_eq!(desk.error(DANA, "chat.postMessage", "channel={#random}&text=x"), "ekm_access_denied");
    desk.act("slack.admin.suspend_access", "dana", json!({ "channel": "random", "undo": true }));
    assert_eq!(newest()["text"], "unspeakable");
}

#[test]
fn a_workspace_moves_into_an_organization() {
    let desk = Desk::new();
    let step = |how| desk.act("slack.admin.migrate", "henrik", how);
    assert_eq!(desk.error(TESTER, "auth.test", ""), "");
    step(json!({ "step": "begin", "organization": "Acme Group", "domain": "acme-group" }));
    assert_eq!(desk.error(TESTER, "auth.test", ""), "team_added_to_org");
    step(json!({ "step": "close" }));
    assert_eq!(desk.error(TESTER, "auth.test", ""), "org_login_required");
    assert!(desk.try_act("slack.admin.migrate", "henrik", json!({ "step": "begin" })).is_err());
    step(json!({ "step": "finish" }));
    let team = desk.call(TESTER, "team.info", "")["team"].clone();
    assert_eq!(team["enterprise_name"], "Acme Group");
    assert_eq!(desk.call(TESTER, "auth.test", "")["enterprise_id"], team["enterprise_id"]);
}

#[test]
fn huddles_have_a_thread_and_end_with_the_last() {
    let desk = Desk::new();
    let huddle = |who: &str, leave: bool| {
        desk.try_act("slack.user.huddle", who, json!({ "channel": "general", "leave": leave }))
    };
    let ts = huddle("lena", false).unwrap()["ts"].clone();
    assert_eq!(huddle("omar", false).unwrap()["ts"], ts);
    assert!(huddle("omar", false).is_err(), "nobody is in two");
    let room = || {
        let history = desk.call(TESTER, "conversations.history", "channel={#general}&limit=1");
        history["messages"][0]["room"].clone()
    };
    let in_huddle = |who: &str| {
        desk.call(TESTER, "users.info", &format!("user={{@{who}}}"))["user"]["profile"]["huddle_state"].clone()
    };
    assert_eq!((room()["participants"].as_array().unwrap().len(), &room()["has_ended"]), (2, &json!(false)));
    assert_eq!(in_huddle("lena"), "in_a_huddle");
    huddle("lena", true).unwrap();
    assert_eq!(in_huddle("lena"), "default_unset");
    huddle("omar", true).unwrap();
    assert_eq!(room()["has_ended"], true);
    assert_eq!(room()["participant_history"].as_array().unwrap().len(), 2);
    assert!(huddle("omar", true).is_err());
}
