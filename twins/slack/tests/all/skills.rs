//! Slackbot's skills, MCP servers of apps, and workflows, as people and administrators see them.

use serde_json::{Value, json};

use crate::{
    admin_channels::idp_group,
    desk::{Desk, TESTER},
    office::{CLERK, OWNER, enterprise},
};

fn good(desk: &Desk, token: &str, method: &str, args: &str) -> Value {
    let answer = desk.call(token, method, args);
    assert_eq!(answer["ok"], true, "{method} {args}: {answer}");
    answer
}

/// A skill of the clerk's.
fn skill(desk: &Desk, args: &str) -> String {
    let made = good(desk, CLERK, "slackbot.skills.create", args);
    made["skill"]["id"].as_str().unwrap().to_owned()
}

fn ids(desk: &Desk, token: &str, args: &str) -> Vec<Value> {
    let listed = good(desk, token, "slackbot.skills.list", args);
    listed["skills"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
}

#[test]
fn skills_are_made_changed_and_deleted_by_their_owner() {
    let desk = enterprise();
    let id = skill(&desk, "display_name=Daily&instructions=# Purpose&category=productivity&description=Mornings");
    let info = |token: &str| desk.call(token, "slackbot.skills.info", &format!("skill_id={id}"));
    let told = info(CLERK)["skill"].clone();
    assert_eq!(
        (&told["instructions"], &told["access"], &told["type"]),
        (&json!("# Purpose"), &json!("owner"), &json!("canvas"))
    );
    // What others may not see is not there for them.
    assert_eq!(info(OWNER)["error"], "skill_not_found");
    assert_eq!(
        desk.error(CLERK, "slackbot.skills.delete", "skill_id=builtin:x"),
        "method_not_supported_for_skill_type"
    );
    good(
        &desk,
        CLERK,
        "slackbot.skills.update",
        &format!("skill_id={id}&display_name=Weekly&instructions=# Other&category="),
    );
    let told = info(CLERK)["skill"].clone();
    assert_eq!(
        (&told["display_name"], &told["instructions"], &told["category"]),
        (&json!("Weekly"), &json!("# Other"), &Value::Null)
    );
    desk.refuses(
        CLERK,
        "slackbot.skills.create",
        &[
            ("display_name=X", "invalid_arguments"),
            (&format!("display_name=X&instructions=a&canvas_id={id}"), "invalid_arguments"),
            (&format!("display_name=X&canvas_id={id}"), "skill_exists"),
            ("display_name=X&canvas_id=F0", "canvas_not_found"),
            ("display_name=X&instructions=a&category=none", "invalid_arguments"),
            (&format!("display_name={}&instructions=a", "x".repeat(256)), "invalid_arguments"),
            (r#"display_name=X&instructions=a&mcp_servers=[{"app_id":"A0","server_id":"B"}]"#, "invalid_mcp_servers"),
        ],
    );
    assert_eq!(desk.error(TESTER, "slackbot.skills.list", ""), "not_allowed_token_type");
    good(&desk, CLERK, "slackbot.skills.delete", &format!("skill_id={id}"));
    assert_eq!(info(CLERK)["error"], "skill_not_found");
    assert_eq!(ids(&desk, CLERK, "filter=owned"), Vec::<Value>::new());
}

#[test]
fn everybody_has_a_library_of_their_own() {
    let desk = enterprise();
    let id = json!(skill(&desk, "display_name=Daily&instructions=a"));
    let only = [id.clone()];
    assert_eq!(ids(&desk, CLERK, ""), only);
    assert_eq!(ids(&desk, OWNER, ""), Vec::<Value>::new());
    let one = format!("skill_id={}", id.as_str().unwrap());
    good(&desk, CLERK, "slackbot.skills.library.remove", &one);
    assert_eq!(ids(&desk, CLERK, ""), Vec::<Value>::new());
    assert_eq!(ids(&desk, CLERK, "filter=owned"), only);
    good(&desk, CLERK, "slackbot.skills.library.add", &one);
    assert_eq!(ids(&desk, CLERK, "category=sales"), Vec::<Value>::new());
    assert_eq!(desk.error(OWNER, "slackbot.skills.library.add", &one), "skill_not_found");
    desk.refuses(CLERK, "slackbot.skills.list", &[("filter=x", "invalid_arguments"), ("cursor=x", "invalid_cursor")]);
}

#[test]
fn administrators_publish_skills_and_turn_them_on() {
    let desk = enterprise();
    let (first, second) =
        (skill(&desk, "display_name=A&instructions=a"), skill(&desk, "display_name=B&instructions=b"));
    let told = desk.admin("slackbot.skills.publish", &format!("skill_ids={first},{first},F0NONE"));
    assert_eq!(told["failed_skills"], json!([{ "skill_id": "F0NONE", "error": "skill_not_found" }]));
    assert_eq!(ids(&desk, OWNER, "filter=catalog"), [json!(first)]);
    desk.denies(
        "slackbot.skills.publish",
        &[("skill_ids=F0NONE", "failed_for_some_skills"), ("", "invalid_arguments")],
    );
    let group = idp_group(&desk, "Night shift", &["henrik"]);
    let set = format!("skill_id={first}&permission_type=named_entities&usergroup_ids={group}");
    assert_eq!(desk.admin("slackbot.skills.setAutoEnabled", &set)["usergroup_ids"], json!([group]));
    assert_eq!(ids(&desk, OWNER, ""), [json!(first)]);
    // What somebody turned off stays off.
    good(&desk, OWNER, "slackbot.skills.library.remove", &format!("skill_id={first}"));
    assert_eq!(ids(&desk, OWNER, ""), Vec::<Value>::new());
    desk.denies(
        "slackbot.skills.setAutoEnabled",
        &[
            ("skill_id=F0NONE&permission_type=everyone", "skill_not_found"),
            (&format!("skill_id={first}&permission_type=named_entities&usergroup_ids=S0NONE"), "invalid_usergroup_ids"),
            (&format!("skill_id={first}&permission_type=everyone&usergroup_ids={group}"), "invalid_arguments"),
            (&format!("skill_id={first}&permission_type=x"), "invalid_arguments"),
        ],
    );
    let names = |args: &str| -> Vec<Value> {
        let listed = desk.admin("slackbot.skills.list", args);
        listed["skills"].as_array().unwrap().iter().map(|row| row["display_name"].clone()).collect()
    };
    assert_eq!(names(""), ["A", "B"]);
    assert_eq!(names("sort_dir=desc"), ["B", "A"]);
    assert_eq!(names("publish_status=published"), ["A"]);
    assert_eq!(names("auto_enabled_status=not_auto_enabled"), ["B"]);
    assert_eq!(names("creator_ids={@henrik}"), Vec::<Value>::new());
    assert_eq!(names("category=sales&limit=1"), Vec::<Value>::new());
    // Unpublishing leaves the canvas readable.
    desk.admin("slackbot.skills.unpublish", &format!("skill_ids={first}"));
    assert_eq!(ids(&desk, OWNER, "filter=catalog"), Vec::<Value>::new());
    good(&desk, OWNER, "slackbot.skills.info", &format!("skill_id={first}"));
    assert_eq!(desk.error(OWNER, "slackbot.skills.info", &format!("skill_id={second}")), "skill_not_found");
}

#[test]
fn who_may_use_an_mcp_server_is_set_by_administrators() {
    let desk = enterprise();
    let app = desk.state().find_app("steward").unwrap().id.clone();
    let declare = |url: &str| json!({ "app": "steward", "name": "Tickets", "url": url });
    assert!(desk.try_act("slack.admin.declare_mcp_server", "henrik", declare("http://a.example")).is_err());
    let server =
        desk.act("slack.admin.declare_mcp_server", "henrik", declare("https://a.example/mcp"))["server"].clone();
    let server = server.as_str().unwrap();
    let again = desk.act("slack.admin.declare_mcp_server", "henrik", declare("https://b.example/mcp"));
    assert_eq!(again["server"], server);
    let listed = desk.admin("apps.mcp.servers.list", "");
    assert_eq!(
        (&listed["servers"][0]["app_id"], &listed["servers"][0]["url"]),
        (&json!(app), &json!("https://b.example/mcp"))
    );
    let told = desk.admin("apps.mcp.servers.permissions.list", &format!("app_id={app}"))["servers"][0].clone();
    assert_eq!((&told["permission_type"], &told["is_inherited"]), (&json!("everyone"), &json!(true)));
    let one = format!("app_id={app}&server_id={server}&permission_type=");
    let used = format!(r#"display_name=X&instructions=a&mcp_servers=[{{"app_id":"{app}","server_id":"{server}"}}]"#);
    good(&desk, CLERK, "slackbot.skills.create", &used);
    desk.admin("apps.mcp.servers.permissions.set", &format!("{one}named_entities&user_ids={{@henrik}}"));
    assert_eq!(desk.error(CLERK, "slackbot.skills.create", &used), "invalid_mcp_servers");
    desk.admin("apps.mcp.servers.permissions.set", &format!("{one}named_entities_exclude&user_ids={{@henrik}}"));
    good(&desk, CLERK, "slackbot.skills.create", &used);
    let told = desk.admin("apps.mcp.servers.permissions.list", &format!("app_id={app}"))["servers"][0].clone();
    assert_eq!(told["is_inherited"], false);
    desk.denies(
        "apps.mcp.servers.permissions.set",
        &[
            (&format!("app_id=A0&server_id={server}&permission_type=everyone"), "app_not_found"),
            (&format!("app_id={app}&server_id=Amcp0&permission_type=everyone"), "server_not_found"),
            (&format!("{one}named_entities"), "invalid_arguments"),
            (&format!("{one}everyone&user_ids={{@henrik}}"), "invalid_arguments"),
            (&format!("{one}named_entities&user_ids=U0NONE"), "user_not_found"),
            (&format!("{one}named_entities&usergroup_ids=S0NONE"), "usergroup_not_found"),
            (&format!("{one}some"), "invalid_arguments"),
        ],
    );
    desk.denies("apps.mcp.servers.permissions.list", &[("app_id=A0", "app_not_found")]);
}

/// Two workflows of the steward's: their ids by title.
fn workflows(desk: &Desk) -> (String, String) {
    for (id, title) in [("order", "Order lunch"), ("leave", "Ask for leave")] {
        let inputs = json!([{ "type": "string", "name": "what", "is_required": true }]);
        let with = json!({ "app": "steward", "callback_id": id, "title": title, "input_parameters": inputs });
        desk.act("slack.admin.define_function", "henrik", with);
    }
    let listed = desk.admin("workflows.search", "sort_dir=asc");
    let id = |at: usize| listed["workflows"][at]["id"].as_str().unwrap().to_owned();
    (id(0), id(1))
}

#[test]
fn workflows_are_found_shared_and_unpublished() {
    let desk = enterprise();
    let (leave, order) = workflows(&desk);
    let app = desk.state().find_app("steward").unwrap().id.clone();
    let titles = |args: &str| -> Vec<Value> {
        let listed = desk.admin("workflows.search", args);
        listed["workflows"].as_array().unwrap().iter().map(|row| row["title"].clone()).collect()
    };
    assert_eq!(titles(""), ["Order lunch", "Ask for leave"]);
    assert_eq!(titles("query=LUNCH"), ["Order lunch"]);
    assert_eq!(titles(&format!("app_id={app}&limit=1")), ["Order lunch"]);
    for none in ["app_id=A0", "no_collaborators=true", "source=workflow_builder", "collaborator_ids={@omar}"] {
        assert_eq!(titles(none), Vec::<Value>::new(), "{none}");
    }
    let one = desk.admin("workflows.search", "query=lunch&num_trigger_ids=0");
    assert_eq!((&one["total_found"], &one["workflows"][0]["trigger_ids"]), (&json!(1), &json!([])));
    desk.admin("workflows.collaborators.add", &format!("workflow_ids={leave}&collaborator_ids={{@omar}}"));
    assert_eq!(titles("collaborator_ids={@omar}"), ["Ask for leave"]);
    let wrong = desk.call(
        OWNER,
        "admin.workflows.collaborators.add",
        &format!("workflow_ids={leave},Wf0&collaborator_ids=U0NONE"),
    );
    assert_eq!((&wrong["error"], wrong["errors"].as_array().unwrap().len()), (&json!("error_adding_collaborators"), 2));
    desk.admin(
        "workflows.collaborators.remove",
        &format!("workflow_ids={leave}&collaborator_ids={{@omar}},{{@henrik}}"),
    );
    assert_eq!(titles("no_collaborators=true"), ["Ask for leave"]);
    desk.denies(
        "workflows.collaborators.remove",
        &[(&format!("workflow_ids={leave}&collaborator_ids={{@omar}}"), "error_removing_collaborators")],
    );
    let may = |id: &str| {
        let told = desk.admin("workflows.permissions.lookup", &format!("workflow_ids={id}"));
        told["permissions"][id]["who_can_run"]["permission_type"].clone()
    };
    assert_eq!(may(&order), "everyone");
    desk.denies(
        "workflows.permissions.lookup",
        &[(&format!("workflow_ids={order}&max_workflow_triggers=0"), "invalid_arguments"), ("", "invalid_arguments")],
    );
    let run = || {
        desk.try_act(
            "slack.user.run_function",
            "lena",
            json!({ "app": "steward", "callback_id": "order", "inputs": { "what": "soup" } }),
        )
    };
    assert!(run().is_ok());
    desk.admin("workflows.unpublish", &format!("workflow_ids={order}"));
    assert!(run().is_err());
    assert_eq!(may(&order), "no_one");
    assert_eq!(titles(""), ["Ask for leave"]);
    assert_eq!(titles("publish_status=all"), ["Order lunch", "Ask for leave"]);
    desk.denies("workflows.unpublish", &[("workflow_ids=Wf0NONE", "error_unpublishing_workflows")]);
}

#[test]
fn what_functions_did_is_told_in_logs() {
    let desk = enterprise();
    workflows(&desk);
    let run = json!({ "app": "steward", "callback_id": "order", "inputs": { "what": "soup" } });
    let execution = desk.act("slack.user.run_function", "lena", run)["function_execution_id"].clone();
    let (steward, all) = (crate::office::BOT, "apps.activities.list");
    good(
        &desk,
        steward,
        "functions.completeError",
        &format!("function_execution_id={}&error=closed", execution.as_str().unwrap()),
    );
    let events = |args: &str| -> Vec<Value> {
        desk.admin(all, args)["activities"].as_array().unwrap().iter().map(|row| row["event_type"].clone()).collect()
    };
    assert_eq!(events(""), ["function_execution_result", "function_execution_started"]);
    assert_eq!(events("sort_direction=asc&limit=1"), ["function_execution_started"]);
    assert_eq!(events("min_log_level=error"), ["function_execution_result"]);
    assert_eq!(events("log_event_type=function_execution_started"), ["function_execution_started"]);
    let row = desk.admin(all, "min_log_level=error")["activities"][0].clone();
    assert_eq!((&row["payload"]["error"], &row["level"]), (&json!("closed"), &json!("error")));
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    assert_eq!(events(&format!("trace_id={}&app_id={}", text("trace_id"), text("app_id"))).len(), 2);
    assert_eq!(events(&format!("min_date_created={}", row["created"])), ["function_execution_result"]);
    assert_eq!(events(&format!("max_date_created={}", row["created"])).len(), 2);
    for none in ["source=developer", "component_type=tables", "trace_id=Tr0", "component_id=Fn0"] {
        assert_eq!(events(none), Vec::<Value>::new(), "{none}");
    }
    desk.denies(
        all,
        &[
            ("app_id=X", "invalid_app_id"),
            ("app_id=A0NONE", "invalid_app"),
            ("team_id=T0NONE", "invalid_team"),
            ("cursor=x", "invalid_cursor"),
            ("min_log_level=loud", "invalid_arguments"),
        ],
    );
}
