//! What holds of the twin inside universes: forks are apart, equal runs are equal, refusals leave no trace.

use dtu_kernel::{operation::OperationInfo, twin::EnvVar};
use serde_json::{Value, json};

use crate::desk::{BOT, Desk, TESTER};

#[test]
fn forks_are_apart() {
    let desk = Desk::new();
    desk.post(TESTER, "channel={#general}&text=before");
    let fork = Desk { universe: desk.universe.fork("fork", None) };
    fork.post(TESTER, "channel={#general}&text=in the fork");
    desk.post(TESTER, "channel={#general}&text=at home");
    fork.act("slack.admin.deactivate_user", "dana", json!({ "user": "lena" }));
    assert_eq!(desk.texts("general").last().unwrap(), "at home");
    assert_eq!(fork.texts("general").last().unwrap(), "in the fork");
    assert_eq!(desk.call(BOT, "users.info", "user={@lena}")["user"]["deleted"], false);
    assert_eq!(fork.call(BOT, "users.info", "user={@lena}")["user"]["deleted"], true);
}

#[test]
fn equal_runs_are_equal() {
    let run = || {
        let desk = Desk::new();
        desk.call(TESTER, "conversations.create", "name=team");
        desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "{#team}", "text": "x" }));
        let reply = desk.send("conversations.list", TESTER, "application/x-www-form-urlencoded", "");
        (reply.body, reply.headers, desk.view("messages"), desk.view("users"))
    };
    let (a, b) = (run(), run());
    assert!(a == b);
}

#[test]
fn refusals_leave_no_trace() {
    let desk = Desk::new();
    let before = desk.view("channels");
    // The direct message that posting would open is undone with the posting.
    assert_eq!(desk.error(BOT, "chat.postMessage", "channel={@lena}"), "no_text");
    assert_eq!(desk.view("channels"), before);
}

#[test]
fn changes_are_in_the_ledger() {
    let desk = Desk::new();
    desk.post(TESTER, "channel={#general}&text=told");
    let entry = desk.ledger().pop().unwrap();
    let changes: Vec<&str> =
        entry["changes"].as_array().unwrap().iter().map(|change| change["table"].as_str().unwrap()).collect();
    assert_eq!(changes, ["messages"]);
    assert!(entry.to_string().contains("chat.postMessage") && entry.to_string().contains("dtu-tester"));
}

#[test]
fn clients_are_told_where_and_who() {
    let desk = Desk::new();
    let env = desk.universe.env();
    let value = |name: &str| env.iter().find(|variable| variable.name == name).map(EnvVar::content);
    assert_eq!(value("SLACK_API_URL"), Some("http://127.0.0.1:7003/api/"));
    assert_eq!(value("SLACK_BOT_TOKEN"), Some(TESTER));
    assert!(value("SLACK_USER_TOKEN").is_some() && value("SLACK_APP_TOKEN").is_some());
    let env = dtu_slack::app_env(&desk.state(), "access-bot").unwrap();
    let names: Vec<&str> = env.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]);
    assert!(dtu_slack::app_env(&desk.state(), "nobody").is_none());
}

#[test]
fn an_ordinary_message_is_small() {
    let desk = Desk::new();
    desk.post(TESTER, "channel={#general}&text=short");
    let state = desk.state();
    let (key, row) = state.messages.iter().find(|(_, row)| &*row.text == "short").unwrap();
    let size = size_of_val(key) + size_of_val(&**row) + row.text.len() + 16;
    assert!(size < 250 && row.extra.is_none(), "{size} bytes");
}

#[test]
fn every_answer_fits_the_operation_table() {
    let desk = Desk::new();
    // What the public documents describe is in their words, and has no types of ours.
    let typed = |info: &&OperationInfo| info.behaves() && info.described.is_none();
    for info in desk.universe.twins()[0].operations().iter().filter(typed) {
        let mut generator = schemars::SchemaGenerator::default();
        let schema = serde_json::to_value((info.arguments)(&mut generator)).unwrap();
        assert!(schema.is_object(), "{}", info.id);
        let answered: Option<Value> = info.response.map(|make| serde_json::to_value(make(&mut generator)).unwrap());
        assert_eq!(answered.is_some(), info.path.starts_with("/api/"), "{}", info.id);
    }
}
