//! What people do, and what they are told they cannot.

use serde_json::{Value, json};

use crate::desk::{APP, BOT, DANA, Desk, TESTER, buttons};

#[test]
fn people_write_reply_and_edit() {
    let desk = Desk::new();
    let posted =
        desk.act("slack.user.post", "lena", json!({ "channel": "#design", "text": "Hello <@omar> & @zoe.oneill" }));
    let (omar, zoe) = (desk.expand("{@omar}"), desk.expand("{@zoe}"));
    assert_eq!(desk.texts("design").last().unwrap(), &format!("Hello <@{omar}> &amp; <@{zoe}>"));
    let ts = posted["ts"].clone();
    desk.act(
        "slack.user.reply",
        "omar.haddad@acme.example",
        json!({ "channel": "design", "thread_ts": ts, "text": "Hi" }),
    );
    desk.act("slack.user.reply", "omar", json!({ "channel": "design", "text": "to the newest" }));
    desk.act("slack.user.edit", "lena", json!({ "channel": "design", "ts": ts, "text": "Hello all" }));
    let rows = desk.view("messages");
    let row = |text: &str| rows.iter().find(|row| row["text"] == text).expect("is there");
    assert_eq!(row("Hello all")["edited"], true);
    assert_eq!((&row("Hi")["thread_ts"], &row("Hi")["from"]), (&ts, &json!("omar.haddad@acme.example")));
    assert_eq!(row("to the newest")["thread_ts"], ts);
    // Direct messages, to an app and to a person.
    desk.act("slack.user.post", "lena", json!({ "channel": "@accessbot", "text": "help" }));
    assert_eq!(desk.texts("dm:lena.fischer@acme.example"), ["help"]);
    desk.act("slack.user.post", "lena", json!({ "channel": "dm:omar", "text": "psst" }));
    assert_eq!(desk.texts("dm:lena.fischer@acme.example+omar.haddad@acme.example"), ["psst"]);
}

#[test]
fn people_come_and_go() {
    let desk = Desk::new();
    desk.act("slack.user.create_channel", "lena", json!({ "name": "#fonts", "private": true }));
    desk.act("slack.user.invite", "lena", json!({ "channel": "fonts", "user": "zoe" }));
    desk.act("slack.user.invite", "lena", json!({ "channel": "fonts", "user": "access-bot" }));
    desk.act("slack.user.leave", "zoe", json!({ "channel": "fonts" }));
    desk.act("slack.user.join", "lena", json!({ "channel": "engineering" }));
    let channel = desk.view("channels").into_iter().find(|row| row["name"] == "fonts").unwrap();
    assert_eq!((channel["is_private"].as_bool(), channel["members"].as_array().unwrap().len()), (Some(true), 2));
    let lena = desk.expand("{@lena}");
    assert_eq!(desk.texts("engineering").last().unwrap(), &format!("<@{lena}> has joined the channel"));
}

#[test]
fn people_are_told_what_they_cannot_do() {
    let desk = Desk::new();
    let check = |verb: &str, actor: &str, with: Value, why: &str| {
        assert_eq!(desk.try_act(verb, actor, with).expect_err(verb), why);
    };
    let post = |channel: &str| json!({ "channel": channel, "text": "x" });
    check("slack.user.post", "nobody", post("general"), "`nobody` has no Slack account in this workspace");
    check("slack.user.post", "hana", post("general"), "`hana` has no Slack account in this workspace");
    check("slack.user.post", "marcus", post("general"), "the Slack account of `marcus` is deactivated");
    check("slack.user.post", "accessbot", post("general"), "`accessbot` is an app, not a person");
    check("slack.user.post", "lena", post("sales"), "`lena.fischer@acme.example` is not in the channel `sales`");
    check(
        "slack.user.post",
        "lena",
        post("exec-private"),
        "`lena.fischer@acme.example` sees no channel `exec-private`",
    );
    check("slack.user.post", "kwame", post("project-atlas-2024"), "the channel `project-atlas-2024` is archived");
    check("slack.user.post", "lena", json!({ "channel": "general", "text": " " }), "there is nothing to send");
    check("slack.user.leave", "lena", json!({ "channel": "general" }), "nobody can leave the general channel");
    check(
        "slack.user.join",
        "vikram",
        json!({ "channel": "random" }),
        "guests join only channels that they are added to",
    );
    check(
        "slack.user.slash",
        "lena",
        json!({ "channel": "general", "command": "/nope" }),
        "/nope is not a valid command",
    );
    let click = json!({ "channel": "general", "label": "Approve" });
    check(
        "slack.user.click",
        "lena",
        click,
        "`lena.fischer@acme.example` sees no button with label `Approve` in `general`",
    );
    check(
        "slack.admin.deactivate_user",
        "lena",
        json!({ "user": "omar" }),
        "`lena.fischer@acme.example` is no administrator of the workspace",
    );
    check(
        "slack.admin.configure_app",
        "lena",
        json!({ "app": "access-bot" }),
        "`lena.fischer@acme.example` neither administers the workspace nor installed `access-bot`",
    );
    check(
        "slack.admin.configure_app",
        "dana",
        json!({ "app": "acces" }),
        "no app `acces` is installed; there are access-bot, dtu-tester",
    );
    check(
        "slack.admin.configure_app",
        "dana",
        json!({ "app": "access-bot", "events_url": "https://example.com/" }),
        "`https://example.com/` is not an http address on this machine, the only kind called",
    );
    check(
        "slack.admin.configure_app",
        "dana",
        json!({ "app": "dtu-tester", "commands": { "/access": "http://127.0.0.1:1/" } }),
        "/access belongs to another app",
    );
    let ts = desk.view("messages").iter().find(|row| row["channel"] == "design").unwrap()["ts"].clone();
    let edit = json!({ "channel": "design", "ts": ts, "text": "x" });
    check("slack.user.edit", "omar", edit, "people can edit their own messages only");
    let unknown = desk.try_act("slack.user.post", "lena", json!({ "channel": "general", "text": "x", "colour": 1 }));
    assert!(unknown.expect_err("unknown arguments").contains("colour"));
}

#[test]
fn a_click_needs_a_listening_app() {
    let desk = Desk::new();
    desk.call_json(
        BOT,
        "chat.postMessage",
        &json!({ "channel": "{#general}", "text": "x", "blocks": buttons(&["Approve"]) }),
    );
    let why = desk.try_act("slack.user.click", "lena", json!({ "channel": "general", "label": "approve" }));
    assert_eq!(why.expect_err("no address"), "the app `access-bot` is not configured to handle interactive responses");
}

#[test]
fn deactivated_people_are_out() {
    let desk = Desk::new();
    desk.act("slack.admin.deactivate_user", "sam", json!({ "user": "lena" }));
    let lena = desk.view("users").into_iter().find(|row| row["key"] == "lena").unwrap();
    assert_eq!(lena["deleted"], true);
    let design = desk.view("channels").into_iter().find(|row| row["name"] == "design").unwrap();
    assert!(!design["members"].to_string().contains("lena.fischer"));
    assert_eq!(desk.error(BOT, "users.lookupByEmail", "email=lena.fischer@acme.example"), "users_not_found");
    desk.act("slack.admin.deactivate_user", "sam", json!({ "user": "dana" }));
    assert_eq!(desk.error(DANA, "auth.test", ""), "token_revoked");
}

#[test]
fn removed_apps_are_out() {
    let desk = Desk::new();
    desk.act("slack.admin.revoke_token", "dana", json!({ "app": "dtu-tester" }));
    // The code tells whose token it was.
    for (token, code) in [(TESTER, "account_inactive"), (DANA, "token_revoked"), (APP, "token_revoked")] {
        assert_eq!(desk.error(token, "auth.test", ""), code);
    }
    assert_eq!(desk.error(BOT, "auth.test", ""), "");
}

#[test]
fn a_command_without_an_address_fails_in_sight_of_the_person() {
    let desk = Desk::new();
    desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/access" }));
    assert_eq!(desk.whispers("lena.fischer@acme.example"), ["/access failed with the error \"dispatch_failed\""]);
}
