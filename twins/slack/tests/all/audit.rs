//! The audit log: what happens in an organization is written down, and found again.

use http::Method;
use serde_json::{Value, json};

use crate::{
    desk::{DANA, Desk},
    office::{CLERK, OWNER, enterprise, plain},
};

fn logs(desk: &Desk, query: &str) -> Value {
    let (status, answer) = desk.rest(Method::GET, &format!("/audit/v1/logs{query}"), &Value::Null);
    assert_eq!(status, 200, "{query}: {answer}");
    answer
}

fn actions(answer: &Value) -> Vec<&str> {
    answer["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[test]
fn the_log_is_for_owners_of_organizations() {
    let desk = enterprise();
    for (token, status, error) in [
        ("", 401, "not_authed"),
        ("xoxp-nobody", 401, "invalid_auth"),
        (DANA, 403, "missing_scope"),
        (CLERK, 403, "user_not_authorized"),
    ] {
        let (found, answer) = desk.rest_as(token, Method::GET, "/audit/v1/logs", &Value::Null);
        assert_eq!((found, &answer["ok"], &answer["error"]), (status, &json!(false), &json!(error)), "{token}");
    }
    assert_eq!(plain().rest(Method::GET, "/audit/v1/logs", &Value::Null).1["error"], "feature_not_enabled");
}

#[test]
fn what_happens_is_written_down() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let lena = format!("team_id={home}&user_id={{@lena}}");
    let made = desk.admin("conversations.create", &format!("name=plans&is_private=false&team_id={home}"));
    let channel = made["channel_id"].as_str().unwrap();
    let app = desk.state().find_app("access-bot").unwrap().id.to_string();
    let org = desk.state().enterprise_id().unwrap().to_string();
    desk.act("slack.user.sign_in", "lena", json!({ "device": "web" }));
    desk.admin("users.setAdmin", &lena);
    desk.admin("users.remove", &lena);
    desk.admin("users.assign", &format!("team_id={labs}&user_id={{@omar}}"));
    desk.admin("conversations.archive", &format!("channel_id={channel}"));
    desk.admin("emoji.add", "name=acme_cat&url=https://acme.example/cat.png");
    desk.admin("apps.uninstall", &format!("app_id={app}&enterprise_id={org}"));
    desk.admin("teams.create", "team_domain=acme-x&team_name=X");
    let found = logs(&desk, "?limit=100");
    let told = actions(&found);
    for action in [
        "public_channel_created",
        "user_channel_join",
        "user_login",
        "role_change_to_admin",
        "user_deactivated",
        "user_joined_workspace",
        "public_channel_archive",
        "emoji_added",
        "app_uninstalled",
        "workspace_created",
    ] {
        assert!(told.contains(&action), "{action} of {told:?}");
    }
    // The newest first, each with who, what and where.
    assert_eq!(told[0], "workspace_created");
    let login = &logs(&desk, "?action=user_login")["entries"][0];
    assert_eq!(login["actor"]["user"]["email"], "lena.fischer@acme.example");
    assert_eq!(
        (&login["entity"]["type"], &login["entity"]["user"]["id"]),
        (&json!("user"), &json!(desk.expand("{@lena}")))
    );
    assert_eq!(
        (&login["context"]["location"]["type"], &login["context"]["ip_address"]),
        (&json!("workspace"), &json!("127.0.0.1"))
    );
    // What is gone is told of as it was.
    desk.admin("conversations.delete", &format!("channel_id={channel}"));
    let gone = &logs(&desk, &format!("?entity={channel}&action=public_channel_deleted"))["entries"][0];
    assert_eq!(
        (&gone["entity"]["channel"]["name"], &gone["entity"]["channel"]["privacy"]),
        (&json!("plans"), &json!("public"))
    );
}

#[test]
fn files_are_told_of() {
    let desk = enterprise();
    let ticket = desk.call(OWNER, "files.getUploadURLExternal", "filename=a.txt&length=2");
    let target = ticket["upload_url"].as_str().unwrap().split_once(":7003").unwrap().1.to_owned();
    desk.request(Method::POST, &target, &[], b"hi");
    let id = ticket["file_id"].as_str().unwrap();
    desk.call(OWNER, "files.completeUploadExternal", &format!("files=[{{\"id\":\"{id}\"}}]"));
    let auth = [("authorization", format!("Bearer {OWNER}"))];
    let reply = desk.request(Method::GET, &format!("/files-pri/T-{id}/download/a.txt"), &auth, b"");
    assert_eq!(reply.status, 200);
    let found = logs(&desk, &format!("?entity={id}"));
    assert_eq!(actions(&found), ["file_downloaded", "file_uploaded"]);
    assert_eq!(found["entries"][0]["entity"]["file"]["name"], "a.txt");
}

#[test]
fn entries_are_filtered_and_paged() {
    let desk = enterprise();
    for n in 0..25 {
        let who = if n % 5 == 0 { "omar" } else { "lena" };
        desk.act("slack.user.sign_in", who, json!({ "device": "web" }));
    }
    desk.act("slack.user.sign_out", "lena", json!({}));
    let (lena, omar) = (desk.expand("{@lena}"), desk.expand("{@omar}"));
    let count = |query: &str| logs(&desk, query)["entries"].as_array().unwrap().len();
    assert_eq!(count("?limit=100"), 26);
    assert_eq!((count(&format!("?actor={omar}")), count(&format!("?entity={lena}&action=user_logout"))), (5, 1));
    assert_eq!(count("?action=user_logout,user_login&limit=100"), 26);
    assert_eq!(count(&format!("?actor={omar}&entity={lena}")), 0);
    let now = desk.universe.now().as_secs();
    assert_eq!((count(&format!("?oldest={}", now + 9)), count(&format!("?latest={}", now - 9))), (0, 0));
    assert_eq!(count(&format!("?oldest={now}&latest={now}&limit=9999")), 26);
    for args in ["", "&action=user_login", &format!("&actor={lena}")] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = logs(&desk, &format!("?limit=4&cursor={}{args}", cursor.replace('=', "%3D")));
            ids.extend(page["entries"].as_array().unwrap().iter().map(|entry| entry["id"].to_string()));
            cursor = page["response_metadata"]["next_cursor"].as_str().unwrap().to_owned();
            if cursor.is_empty() {
                break;
            }
        }
        let whole = logs(&desk, &format!("?limit=9999{args}"));
        let all: Vec<String> =
            whole["entries"].as_array().unwrap().iter().map(|entry| entry["id"].to_string()).collect();
        assert_eq!(ids, all, "{args}");
        assert!(all.len() > 8);
    }
    for (query, error) in [
        ("?limit=0", "invalid_limit"),
        ("?limit=10000", "invalid_limit"),
        ("?cursor=x", "invalid_cursor"),
        ("?oldest=yesterday", "invalid_arguments"),
        ("?action=user_flew", "invalid_action"),
    ] {
        let (status, answer) = desk.rest(Method::GET, &format!("/audit/v1/logs{query}"), &Value::Null);
        assert_eq!((status, &answer["error"]), (400, &json!(error)), "{query}");
    }
}

#[test]
fn anybody_may_ask_what_there_is_to_tell() {
    let desk = plain();
    let (status, schemas) = desk.rest_as("", Method::GET, "/audit/v1/schemas", &Value::Null);
    assert_eq!((status, &schemas["schemas"][2]["user"]["email"]), (200, &json!("string")));
    let (_, actions) = desk.rest_as("", Method::GET, "/audit/v1/actions", &Value::Null);
    assert!(actions["actions"]["user"].as_array().unwrap().contains(&json!("user_login")));
}
