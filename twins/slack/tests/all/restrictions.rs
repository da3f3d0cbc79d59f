//! What administrators rule about who may say what where, and how long it is kept.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    admin_channels::idp_group,
    desk::{Desk, TESTER},
    office::{CLERK, OWNER, enterprise, plain},
};

const DAY: u64 = 24 * 3600;

/// Sets preferences of the channel that people and the tester's bot are in.
fn prefer(desk: &Desk, prefs: &str) {
    desk.admin("conversations.setConversationPrefs", &format!("channel_id={{#random}}&prefs={prefs}"));
}

/// What comes of a posting and of a reply.
fn tried(desk: &Desk, token: &str, parent: &str) -> (String, String) {
    let post = |more: &str| desk.error(token, "chat.postMessage", &format!("channel={{#random}}&text=hi{more}"));
    (post(""), post(&format!("&thread_ts={parent}")))
}

fn desk_with_parent() -> (Desk, String) {
    let desk = enterprise();
    assert_eq!(desk.error(TESTER, "conversations.join", "channel={#random}"), "");
    let parent = desk.post(TESTER, "channel={#random}&text=parent");
    (desk, parent)
}

#[test]
fn posting_permissions_of_a_channel_are_enforced() {
    let (desk, parent) = desk_with_parent();
    let pair = |post: &str, reply: &str| (post.to_owned(), reply.to_owned());
    let (read_only, thread_only, no_threads) = (
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
    );
    for (prefs, bot, member, owner) in [
        (r#"{"who_can_post":"type:admin"}"#, (thread_only, ""), (thread_only, ""), ("", "")),
        (
            r#"{"who_can_post":"type:owner","can_thread":"type:admin"}"#,
            (read_only, read_only),
            (read_only, read_only),
            ("", ""),
        ),
        (r#"{"who_can_post":"type:ra","can_thread":"type:admin"}"#, ("", no_threads), ("", no_threads), ("", "")),
        // Bots are no full members.
        (r#"{"who_can_post":"type:user","can_thread":"type:user"}"#, (read_only, read_only), ("", ""), ("", "")),
        (r#"{"who_can_post":"type:ra","can_thread":"type:ra"}"#, ("", ""), ("", ""), ("", "")),
    ] {
        prefer(&desk, prefs);
        assert_eq!(tried(&desk, TESTER, &parent), pair(bot.0, bot.1), "bot {prefs}");
        assert_eq!(tried(&desk, CLERK, &parent), pair(member.0, member.1), "member {prefs}");
        assert_eq!(tried(&desk, OWNER, &parent), pair(owner.0, owner.1), "owner {prefs}");
        let told = desk.call(TESTER, "conversations.info", "channel={#random}")["channel"].clone();
        for (flag, code) in
            [("is_read_only", read_only), ("is_thread_only", thread_only), ("is_non_threadable", no_threads)]
        {
            assert_eq!(told[flag] == true, [bot.0, bot.1].contains(&code), "{flag} {prefs}");
        }
    }
    let own = desk.expand(r#"{"who_can_post":"type:admin,user:{@dtutester}"}"#);
    prefer(&desk, &own);
    assert_eq!(tried(&desk, TESTER, &parent), pair("", ""));
    // A reply that the channel shows as well is a posting.
    prefer(&desk, r#"{"who_can_post":"type:admin"}"#);
    let shown = format!("channel={{#random}}&text=hi&thread_ts={parent}&reply_broadcast=true");
    assert_eq!(desk.error(TESTER, "chat.postMessage", &shown), thread_only);
    for (method, args) in [
        ("chat.meMessage", "channel={#random}&text=hi"),
        ("chat.postEphemeral", "channel={#random}&text=hi&user={@dana}"),
        ("chat.scheduleMessage", "channel={#random}&text=hi&post_at=1900000000"),
    ] {
        let code = desk.error(TESTER, method, args);
        assert!(code == thread_only || code == "time_too_far", "{method}: {code}");
    }
    assert!(desk.try_act("slack.user.post", "lena", json!({ "channel": "random", "text": "hi" })).is_err());
    assert!(desk.try_act("slack.user.reply", "lena", json!({ "channel": "random", "text": "hi" })).is_ok());
}

#[tokio::test]
async fn a_rule_that_comes_later_holds_for_what_is_scheduled() {
    let (desk, _) = desk_with_parent();
    let at = desk.universe.now().as_secs() + 3600;
    let args = format!("channel={{#random}}&text=later&post_at={at}");
    assert_eq!(desk.error(TESTER, "chat.scheduleMessage", &args), "");
    prefer(&desk, r#"{"who_can_post":"type:admin"}"#);
    desk.universe.advance(Duration::from_secs(3601)).await;
    desk.settle().await;
    assert!(!desk.texts("random").contains(&"later".to_owned()));
}

#[test]
fn mentions_of_everybody_can_be_turned_off() {
    let (desk, parent) = desk_with_parent();
    prefer(&desk, r#"{"enable_at_channel":false,"enable_at_here":false}"#);
    for (text, code) in [
        ("look <!channel>", "restricted_action"),
        ("look <!here>", "restricted_action"),
        ("look <!everyone>", "restricted_action"),
        ("look", ""),
    ] {
        assert_eq!(desk.error(TESTER, "chat.postMessage", &format!("channel={{#random}}&text={text}")), code, "{text}");
    }
    let reply = format!("channel={{#random}}&text=<!here>&thread_ts={parent}");
    assert_eq!(desk.error(TESTER, "chat.postMessage", &reply), "restricted_action");
}

#[test]
fn barriers_end_direct_messages_and_leave_channels() {
    let desk = enterprise();
    let open = |users: &str| desk.call(CLERK, "conversations.open", &format!("users={users}"));
    let before = open("{@omar}")["channel"]["id"].as_str().unwrap().to_owned();
    let (buyers, sellers) = (idp_group(&desk, "Buyers", &["lena"]), idp_group(&desk, "Sellers", &["omar", "kwame"]));
    let args = format!(
        "primary_usergroup_id={buyers}&barriered_from_usergroup_ids={sellers}&restricted_subjects=im,mpim,call"
    );
    let barrier = desk.admin("barriers.create", &args)["barrier"]["id"].as_str().unwrap().to_owned();
    // What was there is read-only, nothing new begins.
    let said = |channel: &str| desk.error(CLERK, "chat.postMessage", &format!("channel={channel}&text=hi"));
    assert_eq!(said(&before), "restricted_action_read_only_channel");
    assert_eq!(open("{@omar}")["channel"]["id"], before.as_str());
    assert_eq!(open("{@kwame}")["error"], "user_not_visible");
    assert_eq!(open("{@mei},{@kwame}")["error"], "user_not_visible");
    assert_eq!(said("{@kwame}"), "restricted_action");
    assert_eq!(open("{@mei}")["ok"], true);
    assert_eq!(said("{@mei}"), "");
    let write = |by: &str, to: &str| desk.try_act("slack.user.post", by, json!({ "channel": to, "text": "hi" }));
    assert!(write("kwame", "@lena").is_err() && write("omar", "@lena").is_err() && write("omar", "@kwame").is_ok());
    // In channels they meet as before.
    assert!(write("omar", "general").is_ok() && write("lena", "general").is_ok());
    let room = desk.call(CLERK, "conversations.create", "name=meeting")["channel"]["id"].as_str().unwrap().to_owned();
    assert_eq!(desk.error(CLERK, "conversations.invite", &format!("channel={room}&users={{@omar}}")), "");
    desk.admin("barriers.delete", &format!("barrier_id={barrier}"));
    assert_eq!((said(&before), said("{@kwame}")), (String::new(), String::new()));
}

/// The texts of a channel that people wrote.
fn written(desk: &Desk) -> Vec<Value> {
    let told = desk.call(TESTER, "conversations.history", "channel={#random}&limit=200");
    let rows = told["messages"].as_array().unwrap().iter();
    rows.filter(|row| row["bot_id"].is_string() || row["subtype"] == "tombstone")
        .map(|row| row["text"].clone())
        .collect()
}

#[tokio::test]
async fn messages_go_when_their_time_is_over() {
    let (desk, parent) = desk_with_parent();
    desk.admin("conversations.setCustomRetention", "channel_id={#random}&duration_days=2");
    let pass = async |days: u64| {
        desk.universe.advance(Duration::from_secs(days * DAY + 5)).await;
        desk.settle().await;
    };
    pass(1).await;
    desk.post(TESTER, &format!("channel={{#random}}&text=reply&thread_ts={parent}"));
    desk.post(TESTER, "channel={#random}&text=second");
    assert_eq!(written(&desk), ["second", "parent"]);
    // What has younger replies leaves a stone.
    pass(1).await;
    assert_eq!(written(&desk), ["second", "This message was deleted."]);
    pass(1).await;
    assert_eq!(written(&desk), Vec::<Value>::new());
    let replies = desk.call(TESTER, "conversations.replies", &format!("channel={{#random}}&ts={parent}"));
    assert_eq!(replies["error"], "thread_not_found", "{replies}");
    // The rule goes on for what is said later, until it is taken back.
    desk.post(TESTER, "channel={#random}&text=third");
    pass(3).await;
    assert_eq!(written(&desk), Vec::<Value>::new());
    desk.post(TESTER, "channel={#random}&text=fourth");
    desk.admin("conversations.removeCustomRetention", "channel_id={#random}");
    pass(5).await;
    assert_eq!(written(&desk), ["fourth"]);
}

#[test]
fn channels_are_kept_from_slacks_ai() {
    let desk = enterprise();
    let property = r#"{"exclude_from_slack_ai":true}"#;
    let told =
        desk.admin("conversations.bulkSetProperties", &format!("channel_ids={{#random}},C0NONE&property={property}"));
    assert_eq!(told["not_added"][0]["channel_id"], "C0NONE");
    let random = desk.expand("{#random}");
    assert!(desk.state().enterprise.rules.get(&random.as_str().into()).unwrap().exclude_from_ai);
    desk.denies(
        "conversations.bulkSetProperties",
        &[
            (&format!("channel_ids=C0NONE&property={property}"), "no_valid_channels"),
            (r#"channel_ids={#random}&property={"a":1,"b":2}"#, "too_many_properties"),
            (r#"channel_ids={#random}&property={"a":1}"#, "property_not_allowed"),
            ("channel_ids={#random}&property=x", "invalid_arguments"),
            ("channel_ids={#random}", "invalid_arguments"),
        ],
    );
}

#[test]
fn channels_are_made_for_records_linked_and_unlinked() {
    let desk = enterprise();
    let org = "salesforce_org_id=00DGC00000024hs";
    let made = desk.admin("conversations.createForObjects", &format!("object_id=0019000000DmehK&{org}"));
    let channel = made["channel_id"].as_str().unwrap();
    // The longer form of an id is the same record.
    desk.denies(
        "conversations.createForObjects",
        &[
            ("object_id=0019000000DmehKAAR&salesforce_org_id=00DGC00000024hsuWY", "channel_already_exists"),
            (&format!("object_id=short&{org}"), "record_not_found"),
            ("object_id=0019000000DmehX&salesforce_org_id=0019000000DmehK", "record_not_found"),
        ],
    );
    let link = |channel: &str, record: &str| format!("channel={channel}&record_id={record}&{org}");
    desk.denies(
        "conversations.linkObjects",
        &[
            (&link("C0NONE", "0019000000DmehX"), "channel_not_found"),
            (&link("{#general}", "0019000000DmehX"), "invalid_channel_type"),
            (&link("{#random}", "0019000000DmehK"), "record_channel_already_exists"),
            (&link("{#random}", "x"), "record_not_found"),
            (&link(channel, "0019000000DmehX"), "record_channel_already_exists"),
        ],
    );
    desk.denies(
        "conversations.unlinkObjects",
        &[
            ("channel={#random}&new_name=x", "channel_not_found"),
            (&format!("channel={channel}&new_name=general"), "name_taken"),
            (&format!("channel={channel}&new_name=Not ok"), "invalid_name_specials"),
        ],
    );
    desk.admin("conversations.unlinkObjects", &format!("channel={channel}&new_name=deal"));
    assert_eq!(desk.call(OWNER, "conversations.info", &format!("channel={channel}"))["channel"]["name"], "deal");
    desk.admin("conversations.linkObjects", &link("{#random}", "0019000000DmehK"));
}

#[test]
fn channels_are_linked_to_groups_under_the_older_names_as_well() {
    let desk = enterprise();
    let group = idp_group(&desk, "Night shift", &["lena"]);
    let (home, _) = desk.teams();
    let made = desk.admin("conversations.create", &format!("name=night&is_private=true&team_id={home}"));
    let channel = format!("channel_id={}", made["channel_id"].as_str().unwrap());
    let groups = |method: &str| desk.admin(&format!("conversations.{method}"), &channel)["group_ids"].clone();
    desk.admin("conversations.whitelist.add", &format!("{channel}&group_id={group}"));
    assert_eq!(groups("whitelist.listGroupsLinkedToChannel"), json!([group]));
    assert_eq!(groups("restrictAccess.listGroups"), json!([group]));
    desk.admin("conversations.whitelist.remove", &format!("{channel}&group_id={group}"));
    assert_eq!(groups("restrictAccess.listGroups"), json!([]));
    desk.denies("conversations.whitelist.remove", &[(&format!("{channel}&group_id={group}"), "link_not_found")]);
}

#[test]
fn slackbot_tells_who_uses_old_programs() {
    let desk = enterprise();
    desk.admin("users.unsupportedVersions.export", "date_end_of_support=1900000000");
    let told = desk.view("messages").into_iter().any(|row| {
        row["text"].as_str().is_some_and(|text| text.contains("unsupported software") && text.contains("1900000000"))
    });
    assert!(told);
    desk.denies("users.unsupportedVersions.export", &[("date_sessions_started=9999999999", "invalid_arguments")]);
    assert_eq!(plain().error(OWNER, "admin.users.unsupportedVersions.export", ""), "not_an_enterprise");
}

#[test]
fn a_webhook_is_told_that_a_channel_is_not_for_it() {
    let desk = enterprise();
    let with = json!({ "app": "dtu-tester", "scopes": ["incoming-webhook", "chat:write"], "channel": "random" });
    let told = desk.act("slack.user.install_app", "dana", with);
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let client =
        format!("client_id={}&client_secret={}&code={}", text("client_id"), text("client_secret"), text("code"));
    let url = desk.call("", "oauth.v2.access", &client)["incoming_webhook"]["url"].as_str().unwrap().to_owned();
    let path = url.split("/services").nth(1).map(|rest| format!("/services{rest}")).unwrap();
    let post = || {
        let headers = [("content-type", "application/json".to_owned())];
        let reply = desk.request(http::Method::POST, &path, &headers, br#"{"text":"hi"}"#);
        (reply.status.as_u16(), String::from_utf8_lossy(&reply.body).into_owned())
    };
    assert_eq!(post(), (200, "ok".to_owned()));
    prefer(&desk, r#"{"who_can_post":"type:admin"}"#);
    assert_eq!(post(), (403, "action_prohibited".to_owned()));
}

#[test]
fn administrators_rule_who_comes_into_a_channel() {
    let desk = enterprise();
    let made = desk.call(OWNER, "conversations.create", "name=small")["channel"]["id"].clone();
    let small = made.as_str().unwrap().to_owned();
    let rule = format!(r#"channel_id={small}&prefs={{"membership_limit":"2"}}"#);
    desk.admin("conversations.setConversationPrefs", &rule);
    let invite = |who: &str| desk.call(OWNER, "conversations.invite", &format!("channel={small}&users={who}"));
    let both = invite("{@mei},{@kwame}");
    assert_eq!(both["errors"][0]["error"], "too_many_members", "one place is left: {both}");
    assert_eq!(invite("{@mei}")["ok"], true);
    assert_eq!(invite("{@kwame}")["error"], "too_many_members");
    assert_eq!(desk.error(TESTER, "conversations.join", &format!("channel={small}")), "too_many_members");
    let args = format!("channel_id={small}&user_ids={{@kwame}}");
    desk.denies("conversations.invite", &[(&args, "failed_for_some_users")]);
    let refused = desk.try_act("slack.user.join", "kwame", json!({ "channel": "small" })).unwrap_err();
    assert_eq!(refused, "the channel has all the members it may have");

    let group = idp_group(&desk, "Engineers", &["mei"]);
    let made = desk.admin("conversations.create", "name=vault&is_private=true&org_wide=true");
    let vault = made["channel_id"].as_str().unwrap().to_owned();
    desk.admin("conversations.restrictAccess.addGroup", &format!("channel_id={vault}&group_id={group}"));
    let add = |who: &str| {
        let args = format!("channel_id={vault}&user_ids={{@{who}}}");
        desk.call(OWNER, "admin.conversations.invite", &args)
    };
    assert_eq!(add("kwame")["error"], "failed_for_some_users");
    assert_eq!(add("mei")["ok"], true);
    assert_eq!(add("dtutester")["ok"], true, "apps are in no such group");
    let invite = |who: &str| desk.error(TESTER, "conversations.invite", &format!("channel={vault}&users={{@{who}}}"));
    assert_eq!(invite("kwame"), "cant_invite");
    desk.admin("conversations.whitelist.remove", &format!("channel_id={vault}&group_id={group}"));
    assert_eq!(invite("kwame"), "");
}

#[test]
fn huddles_can_be_turned_off() {
    let desk = enterprise();
    assert_eq!(desk.error(CLERK, "conversations.join", "channel={#random}"), "");
    prefer(&desk, r#"{"can_huddle":false}"#);
    let huddle = || desk.try_act("slack.user.huddle", "lena", json!({ "channel": "random" }));
    assert_eq!(huddle().unwrap_err(), "administrators have turned off huddles in this channel");
    prefer(&desk, r#"{"can_huddle":true}"#);
    huddle().unwrap();
}

#[tokio::test]
async fn response_urls_follow_the_rules_of_their_channel() {
    let server = wiremock::MockServer::start().await;
    let answer = wiremock::ResponseTemplate::new(200);
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(answer).mount(&server).await;
    let desk = enterprise();
    let with = json!({ "app": "dtu-tester", "commands": { "/go": format!("{}/go", server.uri()) } });
    desk.act("slack.admin.configure_app", "dana", with);
    let made = desk.admin("conversations.create", "name=den&is_private=true&org_wide=true")["channel_id"].clone();
    let den = made.as_str().unwrap().to_owned();
    desk.admin("conversations.invite", &format!("channel_id={den}&user_ids={{@lena}},{{@omar}}"));
    let mut urls = Vec::new();
    for who in ["lena", "omar"] {
        desk.act("slack.user.slash", who, json!({ "channel": "den", "command": "/go" }));
        desk.settle().await;
        let all = server.received_requests().await.unwrap();
        let form: Vec<(String, String)> = form_urlencoded::parse(&all.last().unwrap().body).into_owned().collect();
        urls.push(form.into_iter().find(|(name, _)| name == "response_url").unwrap().1);
    }
    let post = |url: &str, body: Value| {
        let target = url.strip_prefix("http://127.0.0.1:7003").unwrap();
        let headers = [("content-type", "application/json".to_owned())];
        let reply = desk.request(http::Method::POST, target, &headers, body.to_string().as_bytes());
        (reply.status.as_u16(), String::from_utf8_lossy(&reply.body).into_owned())
    };
    let said = |status: u16, text: &str| (status, text.to_owned());
    let (loud, quiet) = (json!({ "text": "hi", "response_type": "in_channel" }), json!({ "text": "psst" }));
    assert_eq!(post(&urls[0], loud.clone()), said(200, "ok"), "the app need not be in the channel");
    let rule = |prefs: &str| {
        desk.admin("conversations.setConversationPrefs", &format!("channel_id={den}&prefs={prefs}"));
    };
    rule(r#"{"who_can_post":"type:owner","can_thread":"type:owner"}"#);
    assert_eq!(post(&urls[0], loud.clone()), said(403, "action_prohibited"));
    assert_eq!(post(&urls[0], quiet.clone()), said(200, "ok"), "no post in the channel");
    rule(r#"{"who_can_post":"type:ra","can_thread":"type:ra"}"#);
    desk.act("slack.user.leave", "omar", json!({ "channel": "den" }));
    assert_eq!(post(&urls[1], quiet.clone()), said(404, "channel_not_found"));
    desk.admin("conversations.archive", &format!("channel_id={den}"));
    assert_eq!(post(&urls[0], loud), said(410, "channel_is_archived"));
    assert_eq!(post(&urls[0], quiet), said(410, "channel_is_archived"));
}
