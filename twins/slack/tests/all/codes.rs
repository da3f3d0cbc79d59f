//! Error codes that need a workspace of their own: guests, archived channels with members, very many people.

use std::{fmt::Write as _, sync::Arc};

use dtu_kernel::{
    host::host,
    universe::{Options, Universe},
    world::World,
};
use dtu_slack::Slack;
use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk, TESTER, buttons};

const ANN: &str = "xoxp-ann";
const GUEST: &str = "xoxp-bob";
const ANNS_BOT: &str = "xoxb-ann";

/// A workspace with an archived channel that people and a bot are in, a guest with a token, and `more` people.
fn workspace(more: usize) -> Desk {
    let mut text = r#"
schema: dtu/world/v1
name: w
epoch: "2026-03-02T09:00:00Z"
company: {name: W, domain: w.example, timezone: Europe/London}
people:
  - {key: ann, first: Ann, last: A, email: ann@w.example}
  - {key: bob, first: Bob, last: B, email: bob@w.example}
"#
    .trim_start()
    .to_owned();
    for n in 0..more {
        writeln!(text, "  - {{key: p{n}, first: P, last: N{n}, email: p{n}@w.example}}").unwrap();
    }
    let scopes = "[users:read, channels:read, channels:history, channels:write, channels:manage, chat:write, im:write]";
    write!(
        text,
        r"slack:
  guests: [bob]
  channels:
    - {{name: old, creator: ann, created: -9d, archived: true, members: [ann], messages: [{{from: ann, at: -8d, text: x}}]}}
    - {{name: open, creator: ann, created: -9d, members: [ann, bob]}}
    - {{name: else, creator: ann, created: -9d, members: [ann]}}
  apps:
    - {{key: a, name: A, bot: abot, scopes: {scopes}, installed_by: ann, signing_secret: s, bot_token: {ANNS_BOT},
       user_token: {ANN}, user_scopes: {scopes}, channels: [old]}}
    - {{key: b, name: B, bot: bbot, scopes: {scopes}, installed_by: ann, signing_secret: s, bot_token: xoxb-b,
       user_token: {GUEST}, user: bob, user_scopes: {scopes}}}
"
    )
    .unwrap();
    let world = World::parse("w.yaml", &text, &["slack"]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let universe = Universe::create("w", Arc::new([host(Slack)]), Arc::new(world), &Options::default());
    Desk { universe: universe.unwrap_or_else(|problems| panic!("{}", problems[0])) }
}

#[test]
fn guests_make_join_and_invite_nothing() {
    let desk = workspace(0);
    desk.refuses(GUEST, "conversations.create", &[("name=x", "user_is_restricted")]);
    desk.refuses(GUEST, "conversations.join", &[("channel={#else}", "user_is_restricted")]);
    desk.refuses(GUEST, "conversations.invite", &[("channel={#open}&users={@abot}", "user_is_restricted")]);
}

#[test]
fn archived_channels_take_nothing() {
    let desk = workspace(0);
    let history = desk.call(ANN, "conversations.history", "channel={#old}");
    let ts = history["messages"][0]["ts"].as_str().unwrap();
    desk.refuses(ANN, "chat.update", &[(&format!("channel={{#old}}&ts={ts}&text=y"), "is_inactive")]);
    desk.refuses(ANN, "conversations.invite", &[("channel={#old}&users={@bob}", "is_archived")]);
    desk.refuses(ANN, "conversations.join", &[("channel={#old}", "is_archived")]);
    desk.refuses(ANNS_BOT, "chat.postMessage", &[("channel={#old}&text=x", "is_archived")]);
    desk.refuses(ANNS_BOT, "chat.postEphemeral", &[("channel={#old}&user={@ann}&text=x", "is_archived")]);
}

#[test]
fn many_people_are_told_in_pages_only() {
    let desk = workspace(20_000);
    assert_eq!(desk.error(ANN, "users.list", ""), "limit_required");
    assert_eq!(desk.call(ANN, "users.list", "limit=5000")["members"].as_array().unwrap().len(), 1000);
}

#[test]
fn threads_are_named_exactly() {
    let desk = Desk::new();
    let parent = desk.post(TESTER, "channel={#general}&text=x");
    let reply = |thread: &str| {
        desk.call(TESTER, "chat.postMessage", &format!("channel={{#general}}&text=r&thread_ts={thread}"))
    };
    let refused = reply("0");
    assert_eq!(refused["error"], "invalid_thread_ts");
    assert_eq!(refused["response_metadata"]["messages"], json!(["[ERROR] 0 is not a valid thread_ts"]));
    // A timestamp that went through a floating-point number: taken, but in no thread that anybody sees.
    assert_eq!(parent, "1772442000.000000");
    assert_eq!(reply("1772442000.0")["ok"], true);
    assert_eq!(reply("1772442000")["ok"], true);
    let replies = |ts: &str| desk.call(TESTER, "conversations.replies", &format!("channel={{#general}}&ts={ts}"));
    assert_eq!(replies(&parent)["messages"].as_array().unwrap().len(), 1);
    assert_eq!(replies("1772442000.0")["error"], "thread_not_found");
    desk.refuses(TESTER, "chat.update", &[("channel={#general}&ts=1772442000&text=y", "message_not_found")]);
    let joined = desk.call(TESTER, "conversations.join", "channel={#random}")["channel"]["id"].clone();
    let history = desk.call(TESTER, "conversations.history", &format!("channel={}&limit=1", joined.as_str().unwrap()));
    let join = history["messages"][0]["ts"].as_str().unwrap();
    let args = format!("channel={{#random}}&text=x&thread_ts={join}");
    assert_eq!(desk.error(TESTER, "chat.postMessage", &args), "cannot_reply_to_message");
    let args = format!("{args}&user={{@dtutester}}");
    assert_eq!(desk.error(TESTER, "chat.postEphemeral", &args), "cannot_reply_to_message");
}

#[test]
fn replies_are_broadcast_later_or_changed() {
    let desk = Desk::new();
    let parent = desk.post(TESTER, "channel={#general}&text=parent");
    let reply = desk.post(TESTER, &format!("channel={{#general}}&text=reply&thread_ts={parent}"));
    desk.refuses(
        TESTER,
        "chat.update",
        &[
            (&format!("channel={{#general}}&ts={parent}&reply_broadcast=true"), "cant_broadcast_message"),
            (
                &format!("channel={{#general}}&ts={reply}&reply_broadcast=true&text=y"),
                "no_dual_broadcast_content_update",
            ),
            (&format!("channel={{#general}}&ts={reply}&text=y&blocks=[{{}}]"), "invalid_blocks"),
            (&format!("channel={{#general}}&ts={reply}&text=y&blocks=x"), "invalid_blocks_format"),
            (&format!("channel={{#general}}&ts={reply}&text=y&attachments=x"), "invalid_attachments"),
            (&format!("channel={{#general}}&ts={reply}&text=y&metadata=x"), "invalid_metadata_format"),
            (&format!("channel={{#general}}&ts={reply}&text=y&metadata=[]"), "invalid_metadata_format"),
            (&format!("channel={{#general}}&ts={reply}&text=y&metadata={{\"a\":1}}"), "invalid_metadata_schema"),
            (&format!("channel={{#general}}&ts={reply}&text=y&markdown_text=z"), "markdown_text_conflict"),
            (&format!("channel={{#general}}&ts={reply}&text=y&parse=some"), "invalid_arguments"),
        ],
    );
    let args = format!("channel={{#general}}&ts={reply}&reply_broadcast=true");
    assert_eq!(desk.call(TESTER, "chat.update", &args)["message"]["subtype"], "thread_broadcast");
    let newest = desk.call(TESTER, "conversations.history", "channel={#general}&limit=1");
    assert_eq!(
        (newest["messages"][0]["ts"].as_str(), newest["messages"][0]["root"]["ts"].as_str()),
        (Some(&*reply), Some(&*parent))
    );
    // Once shown, it can be changed with the same argument.
    assert_eq!(desk.error(TESTER, "chat.update", &format!("{args}&text=changed")), "");
}

#[test]
fn ephemeral_messages_are_checked_like_others() {
    let desk = Desk::new();
    let many = json!(vec![json!({ "text": "x" }); 101]).to_string();
    let base = "channel={#general}&user={@lena}&text=x";
    desk.refuses(
        BOT,
        "chat.postEphemeral",
        &[
            (&format!("{base}&blocks=[{{}}]"), "invalid_blocks"),
            (&format!("{base}&blocks=x"), "invalid_blocks_format"),
            (&format!("{base}&attachments=x"), "invalid_attachments"),
            (&format!("{base}&attachments={many}"), "too_many_attachments"),
            (&format!("{base}&markdown_text=y"), "markdown_text_conflict"),
            (&format!("channel={{#general}}&user={{@lena}}&markdown_text={}", "x".repeat(12_001)), "msg_too_long"),
            (&format!("{base}&thread_ts=x"), "invalid_thread_ts"),
            (&format!("{base}&username=Y"), "missing_scope"),
            (&format!("{base}&as_user=maybe"), "invalid_arguments"),
            (&format!("{base}&user=USLACKBOT"), "user_not_in_channel"),
            ("channel=USLACKBOT&user={@lena}&text=x", "cannot_dm_bot"),
        ],
    );
    assert_eq!(desk.error(BOT, "chat.postEphemeral", &format!("{base}&as_user=true")), "");
}

#[test]
fn attachments_are_kept_as_slack_keeps_them() {
    let desk = Desk::new();
    let post = |attachments: Value| {
        desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "general", "attachments": attachments }))
    };
    let refused = post(json!([{ "text": "x" }, { "blocks": [{ "type": "section" }] }]));
    assert_eq!(refused["error"], "invalid_attachments");
    assert_eq!(
        refused["response_metadata"]["messages"],
        json!(["[ERROR] must define either `text` or `fields` [json-pointer:/attachments/1/blocks/0/type]"])
    );
    let kept = post(json!([{ "text": "x", "color": "#36a64f" }, { "color": "good", "blocks": buttons(&["Yes"]) }]));
    let kept = &kept["message"]["attachments"];
    assert_eq!((kept[0]["color"].as_str(), kept[1]["color"].as_str()), (Some("36a64f"), Some("2eb886")));
    assert_eq!((kept[0]["id"].as_u64(), kept[0]["fallback"].as_str()), (Some(1), Some("x")));
    assert_eq!(kept[1]["blocks"][1]["elements"][0]["action_id"], "yes");
}

#[test]
fn conversations_show_what_they_are_asked_for() {
    let desk = Desk::new();
    let dm = desk.call(TESTER, "conversations.open", "users={@lena}&return_im=true")["channel"].clone();
    assert_eq!(
        (dm["latest"].clone(), dm["is_open"].clone(), dm["last_read"].clone()),
        (json!(null), json!(true), json!("0000000000.000000"))
    );
    let id = dm["id"].as_str().unwrap();
    let ts = desk.post(TESTER, &format!("channel={id}&text=x"));
    let dm = desk.call(TESTER, "conversations.open", &format!("channel={id}&return_im=true"))["channel"].clone();
    assert_eq!((dm["latest"]["ts"].as_str(), dm["unread_count"].as_u64()), (Some(&*ts), Some(0)));
    desk.call(TESTER, "conversations.open", "users={@lena},{@omar}");
    let listed = desk.call(TESTER, "conversations.list", "types=im,mpim,public_channel&limit=999");
    let of = |flag: &str| listed["channels"].as_array().unwrap().iter().find(|row| row[flag] == true).unwrap();
    for direct in [of("is_im"), of("is_mpim")] {
        assert!(direct.get("num_members").is_none() && direct.get("last_read").is_none(), "{direct}");
    }
    assert!(of("is_channel")["num_members"].is_number() && of("is_channel").get("priority").is_none());
    let group = of("is_mpim");
    assert_eq!((group["is_open"].as_bool(), group["topic"]["value"].as_str()), (Some(true), Some("Group messaging")));
    assert_eq!(group["purpose"]["value"], "Group messaging with: @dtutester @lena.fischer @omar.haddad");
    let asked = desk.call(TESTER, "conversations.info", &format!("channel={id}&include_num_members=1"));
    assert_eq!((asked["channel"]["num_members"].as_u64(), asked["channel"].get("latest")), (Some(2), None));
    // A bot outside is told of a public channel, not how far it has read.
    let outside = desk.call(TESTER, "conversations.info", "channel={#random}")["channel"].clone();
    assert_eq!((outside["is_member"].as_bool(), outside.get("last_read")), (Some(false), None));
}

#[test]
fn cursors_and_times_of_other_methods_are_not_taken() {
    let desk = Desk::new();
    let users = desk.call(TESTER, "users.list", "limit=1")["response_metadata"]["next_cursor"]
        .as_str()
        .unwrap()
        .replace('=', "%3D");
    let channels = desk.call(TESTER, "conversations.list", "limit=1")["response_metadata"]["next_cursor"]
        .as_str()
        .unwrap()
        .replace('=', "%3D");
    desk.refuses(
        TESTER,
        "conversations.list",
        &[(&format!("cursor={users}"), "invalid_cursor"), ("limit=x", "invalid_limit")],
    );
    desk.refuses(TESTER, "users.list", &[(&format!("cursor={channels}"), "invalid_cursor")]);
    for method in ["conversations.history", "conversations.replies"] {
        let base = format!("channel={{#general}}&ts={}", desk.post(TESTER, "channel={#general}&text=x"));
        desk.refuses(
            TESTER,
            method,
            &[
                (&format!("{base}&cursor={users}"), "invalid_cursor"),
                (&format!("{base}&oldest=x"), "invalid_ts_oldest"),
                (&format!("{base}&latest=x"), "invalid_ts_latest"),
                (&format!("{base}&limit=x"), "invalid_limit"),
            ],
        );
    }
    desk.refuses(
        TESTER,
        "conversations.members",
        &[
            ("channel={#general}&cursor=x", "invalid_cursor"),
            ("channel={#general}&limit=x", "invalid_limit"),
            ("channel=C0", "channel_not_found"),
        ],
    );
    assert_eq!(desk.error(DANA, "conversations.list", "types=public_channel,nonsense"), "invalid_types");
}

#[test]
fn a_token_that_lacks_a_scope_is_told_what_it_has() {
    let desk = Desk::new();
    let reply = desk.send("emoji.list", BOT, "application/x-www-form-urlencoded", "");
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["error"], "missing_scope");
    assert_eq!(reply.headers["x-oauth-scopes"].to_str().unwrap(), body["provided"].as_str().unwrap());
    assert_eq!(reply.headers["x-accepted-oauth-scopes"], "emoji:read");
    let unknown = desk.send("emoji.list", "xoxb-nobody", "application/x-www-form-urlencoded", "");
    assert_eq!(unknown.headers.get("x-oauth-scopes"), None);
}
