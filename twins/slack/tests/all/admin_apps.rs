//! `admin.*` about apps, functions, requests, emoji, roles and figures.

use serde_json::{Value, json};

use crate::{
    enterprise::pages,
    office::{OWNER, enterprise},
};

#[test]
fn apps_are_approved_and_restricted() {
    let desk = enterprise();
    let ((home, _), org) = (desk.teams(), desk.state().enterprise_id().unwrap().to_string());
    let app = desk.state().find_app("dtu-tester").unwrap().id.to_string();
    let own = format!("app_id={app}");
    desk.denies(
        "apps.approve",
        &[
            ("", "request_id_or_app_id_is_required"),
            (&format!("{own}&request_id=Ar1"), "too_many_ids_provided"),
            ("app_id=A0NONE", "invalid_app_id"),
            ("request_id=Ar1", "invalid_request_id"),
            (&format!("{own}&team_id={home}&enterprise_id={org}"), "too_many_teams_provided"),
            (&format!("{own}&team_id=T0NONE"), "team_not_found"),
        ],
    );
    desk.denies(
        "apps.requests.list",
        &[("", "no_team_or_enterprise_provided"), ("enterprise_id=E0NONE", "enterprise_not_found")],
    );
    desk.act("slack.user.request_app", "lena", json!({ "app": "dtu-tester", "message": "please" }));
    let listed = desk.admin("apps.requests.list", &format!("team_id={home}"))["app_requests"].clone();
    assert_eq!((&listed[0]["message"], &listed[0]["app"]["id"]), (&json!("please"), &json!(app)));
    let id = listed[0]["id"].as_str().unwrap();
    desk.admin("apps.restrict", &format!("request_id={id}&team_id={home}"));
    desk.denies("apps.restrict", &[(&format!("request_id={id}"), "request_already_resolved")]);
    assert_eq!(
        desk.admin("apps.restricted.list", &format!("enterprise_id={org}"))["restricted_apps"][0]["app"]["id"],
        json!(app)
    );
    assert!(desk.try_act("slack.user.install_app", "lena", json!({ "app": "dtu-tester" })).is_err());
    desk.admin("apps.approve", &own);
    assert_eq!(desk.admin("apps.restricted.list", "")["restricted_apps"], json!([]));
    assert_eq!(desk.admin("apps.approved.list", "")["approved_apps"].as_array().unwrap().len(), 1);
    assert_eq!(desk.admin("apps.approved.list", "certified=true")["approved_apps"], json!([]));
    desk.admin("apps.clearResolution", &own);
    desk.denies("apps.clearResolution", &[(&own, "no_resolution_found"), ("app_id=A0NONE", "invalid_app_id")]);
    desk.act("slack.user.request_app", "omar", json!({ "app": "access-bot" }));
    let id = desk.admin("apps.requests.list", &format!("enterprise_id={org}"))["app_requests"][0]["id"].clone();
    let id = id.as_str().unwrap();
    desk.admin("apps.requests.cancel", &format!("request_id={id}"));
    desk.denies(
        "apps.requests.cancel",
        &[(&format!("request_id={id}"), "request_already_resolved"), ("request_id=Ar1", "invalid_request_id")],
    );
    desk.denies(
        "apps.config.set",
        &[
            ("app_id=A0NONE", "invalid_app"),
            (&format!("{own}&workflow_auth_strategy=x"), "invalid_workflow_auth_strategy"),
            (&format!("{own}&domain_restrictions={{\"urls\":[]}}"), "no_domains_provided"),
            (&format!("{own}&domain_restrictions={{\"urls\":[\"a b\"]}}"), "invalid_domains"),
        ],
    );
    desk.admin(
        "apps.config.set",
        &format!("{own}&workflow_auth_strategy=end_user_only&domain_restrictions={{\"urls\":[\"acme.example\"]}}"),
    );
    let told = desk.admin("apps.config.lookup", &format!("app_ids={app},A0NONE"))["configs"].clone();
    assert_eq!(
        told,
        json!([{ "app_id": app, "workflow_auth_strategy": "end_user_only", "domain_restrictions": { "urls": ["acme.example"], "emails": [] } }])
    );
    desk.denies("apps.config.lookup", &[("", "missing_args")]);
    desk.denies(
        "apps.uninstall",
        &[
            (&own, "specify_enterprise_or_teams"),
            (&format!("{own}&enterprise_id=E0NONE"), "enterprise_not_found"),
            (&format!("{own}&team_id=T0NONE"), "teams_not_found"),
            (&format!("app_id=A0NONE&enterprise_id={org}"), "app_not_found"),
        ],
    );
    assert_eq!(desk.error(crate::desk::TESTER, "auth.test", ""), "");
    desk.admin("apps.uninstall", &format!("{own}&enterprise_id={org}"));
    assert_eq!(desk.error(crate::desk::TESTER, "auth.test", ""), "account_inactive");
}

#[test]
fn requests_to_invite_are_decided() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let ask = |email: &str| {
        desk.act("slack.user.ask_to_invite", "lena", json!({ "email": email, "reason": "joins us" }))["invite_request"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (one, two) = (ask("one@partner.example"), ask("two@partner.example"));
    let team = format!("team_id={home}");
    let pending = desk.admin("inviteRequests.list", &team)["invite_requests"].clone();
    assert_eq!((pending.as_array().unwrap().len(), &pending[0]["request_reason"]), (2, &json!("joins us")));
    assert_eq!(desk.admin("inviteRequests.list", &format!("team_id={labs}"))["invite_requests"], json!([]));
    let args = |id: &str| format!("{team}&invite_request_id={id}");
    desk.denies(
        "inviteRequests.approve",
        &[(&args("Ir1"), "invalid_request"), (&format!("team_id=T0NONE&invite_request_id={one}"), "team_not_found")],
    );
    desk.admin("inviteRequests.approve", &args(&one));
    desk.denies("inviteRequests.deny", &[(&args(&one), "already_processed")]);
    desk.admin("inviteRequests.deny", &args(&two));
    let approved = desk.admin("inviteRequests.approved.list", &team)["approved_requests"][0].clone();
    assert_eq!(
        (&approved["invite_request"]["id"], &approved["invite"]["email"]),
        (&json!(one), &json!("one@partner.example"))
    );
    let denied = desk.admin("inviteRequests.denied.list", &team)["denied_requests"][0].clone();
    assert_eq!((&denied["invite_request"]["id"], &denied["denied_by"]["actor_type"]), (&json!(two), &json!("user")));
    let known = ask("omar.haddad@acme.example");
    desk.denies("inviteRequests.approve", &[(&args(&known), "failed_to_send_invite")]);
    desk.act("slack.user.accept_invite", "one@partner.example", json!({}));
}

#[test]
fn emoji_are_the_organizations() {
    let desk = enterprise();
    let add = |name: &str| format!("name={name}&url=https://acme.example/{name}.png");
    desk.denies(
        "emoji.add",
        &[
            ("url=https://acme.example/x.png", "error_missing_name"),
            ("name=party_cat", "no_image_uploaded"),
            ("name=party_cat&url=x", "error_no_image"),
            (&add("Party"), "error_lower_case_names_only"),
            (&add("a b"), "error_bad_name_i18n"),
            (&add("tada"), "error_name_taken_i18n"),
        ],
    );
    desk.admin("emoji.add", &add(":party_cat:"));
    desk.denies("emoji.add", &[(&add("party_cat"), "error_name_taken")]);
    desk.denies(
        "emoji.addAlias",
        &[
            ("name=katze&alias_for=none_such", "error_invalid_alias"),
            ("name=katze", "no_alias_selected"),
            ("alias_for=tada", "error_missing_name"),
        ],
    );
    desk.admin("emoji.addAlias", "name=katze&alias_for=:party_cat:");
    let listed = desk.admin("emoji.list", "limit=1");
    assert_eq!(listed["emoji"].as_object().unwrap().len(), 1);
    assert_ne!(listed["response_metadata"]["next_cursor"], "");
    assert_eq!(desk.call(OWNER, "emoji.list", "")["emoji"]["katze"], "alias:party_cat");
    desk.denies(
        "emoji.rename",
        &[
            ("name=none_such&new_name=x", "error_invalid_emoji_to_rename"),
            ("name=party_cat", "error_missing_name"),
            ("name=party_cat&new_name=katze", "error_name_taken"),
            ("name=party_cat&new_name=Cat", "error_bad_name_i18n"),
        ],
    );
    desk.admin("emoji.rename", "name=party_cat&new_name=dance_cat");
    assert!(desk.call(OWNER, "emoji.list", "")["emoji"]["dance_cat"].is_string());
    desk.denies("emoji.remove", &[("name=none_such", "emoji_not_found"), ("name=tada", "failure_removing_emoji")]);
    desk.admin("emoji.remove", "name=dance_cat");
    assert!(desk.call(OWNER, "emoji.list", "")["emoji"]["dance_cat"].is_null());
}

#[test]
fn roles_are_given_for_things() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let args = format!("role_id=Rl0A&entity_ids={home},{labs}&user_ids={{@lena}},{{@omar}}");
    let many = |n: usize, of: &str| vec![of; n].join(",");
    desk.denies(
        "roles.addAssignments",
        &[
            (&format!("role_id=x&entity_ids={home}&user_ids={{@lena}}"), "invalid_role_id"),
            (&format!("role_id=Rl0A&entity_ids={home}&user_ids=U0NONE"), "no_valid_users"),
            ("role_id=Rl0A&entity_ids=X&user_ids={@lena}", "no_valid_entities"),
            (&format!("role_id=Rl0A&entity_ids={home},X&user_ids={{@lena}}"), "failed_for_some_entities"),
            (&format!("role_id=Rl0A&entity_ids={home}&user_ids={{@lena}},U0NONE"), "failed_for_some_users"),
            (
                &format!("role_id=Rl0A&entity_ids={home},X&user_ids={{@lena}},U0NONE"),
                "failed_for_some_users_and_entities",
            ),
            (&format!("role_id=Rl0A&entity_ids={}&user_ids={{@lena}}", many(11, &home)), "too_many_entities"),
            (&format!("role_id=Rl0A&entity_ids={home}&user_ids={}", many(11, "{@lena}")), "too_many_users"),
        ],
    );
    desk.admin("roles.addAssignments", &args);
    assert_eq!(pages(&desk, "roles.listAssignments", "", "role_assignments", 3).len(), 4);
    assert_eq!(desk.admin("roles.listAssignments", &format!("entity_ids={labs}&role_ids=Rl0A&sort_dir=asc"))["role_assignments"].as_array().unwrap().len(), 2);
    desk.denies("roles.listAssignments", &[("sort_dir=up", "invalid_sort"), ("role_ids=x", "invalid_role_id")]);
    let listed = desk.admin("users.list", "limit=100");
    let lena =
        listed["users"].as_array().unwrap().iter().find(|user| user["email"] == "lena.fischer@acme.example").cloned();
    assert_eq!(lena.unwrap()["roles"], json!(["Rl0A"]));
    desk.admin("roles.removeAssignments", &args);
    assert_eq!(desk.admin("roles.listAssignments", "")["role_assignments"], json!([]));
    let policy = "policy_name=email_password&entity_type=USER&entity_ids=";
    desk.denies(
        "auth.policy.assignEntities",
        &[
            ("policy_name=x&entity_type=USER&entity_ids={@lena}", "policy_not_found"),
            ("policy_name=email_password&entity_type=TEAM&entity_ids={@lena}", "invalid_arguments"),
            (&format!("{policy}U0NONE"), "entity_not_found"),
        ],
    );
    assert_eq!(
        desk.admin("auth.policy.assignEntities", &format!("{policy}{{@lena}},{{@omar}}"))["entity_total_count"],
        2
    );
    assert_eq!(pages(&desk, "auth.policy.getEntities", "policy_name=email_password", "entities", 1).len(), 2);
    assert_eq!(desk.admin("auth.policy.removeEntities", &format!("{policy}{{@lena}}"))["entity_total_count"], 1);
}

#[test]
fn functions_of_apps_are_listed_and_restricted() {
    let desk = enterprise();
    let app = desk.state().find_app("dtu-tester").unwrap().id.to_string();
    for name in ["order", "refund"] {
        let with = json!({ "app": "dtu-tester", "callback_id": name, "title": name,
            "input_parameters": [{ "name": "dish", "type": "string", "is_required": true }] });
        desk.act("slack.admin.define_function", "dana", with);
    }
    desk.denies(
        "functions.list",
        &[
            ("", "invalid_arguments"),
            (&format!("app_ids={app}&team_id=T0NONE"), "team_not_found"),
            (&format!("app_ids={app}&cursor=x"), "invalid_cursor"),
            (&format!("app_ids={app}&limit=1001"), "invalid_limit"),
        ],
    );
    let all = pages(&desk, "functions.list", &format!("app_ids={app}"), "functions", 1);
    assert_eq!(all.iter().map(|row| &row["callback_id"]).collect::<Vec<_>>(), ["order", "refund"]);
    assert_eq!(all[0]["input_parameters"][0]["name"], "dish");
    let id = all[0]["id"].as_str().unwrap();
    let kind = |id: &str| desk.admin("functions.permissions.lookup", &format!("function_ids={id}"));
    assert_eq!(kind(id)["permissions"][id]["allowed_by_admin"]["type"], "everyone");
    assert_eq!(kind("Fn0NONE")["errors"]["Fn0NONE"], "function_not_found");
    desk.denies(
        "functions.permissions.set",
        &[
            ("function_id=Fn0NONE&visibility=no_one", "function_not_found"),
            (&format!("function_id={id}&visibility=some"), "invalid_visibility"),
            (&format!("function_id={id}&visibility=named_entities&user_ids=U0NONE"), "user_not_found"),
        ],
    );
    desk.admin("functions.permissions.set", &format!("function_id={id}&visibility=named_entities&user_ids={{@lena}}"));
    let who = kind(id)["permissions"][id]["allowed_by_admin"].clone();
    assert_eq!((&who["type"], &who["user_ids"]), (&json!("named_entities"), &json!([desk.expand("{@lena}")])));
}

#[test]
fn figures_of_a_day_come_as_a_file() {
    let desk = enterprise();
    let posted = desk.call(OWNER, "chat.postMessage", "channel={#random}&text=figures")["ts"].clone();
    let now: i64 = posted.as_str().unwrap().split('.').next().unwrap().parse().unwrap();
    let date = |days: i64| jiff::Timestamp::from_second(now - days * 86_400).unwrap().strftime("%F").to_string();
    desk.denies(
        "analytics.getFile",
        &[
            ("type=team&date=2024-01-01", "invalid_type"),
            ("type=member", "invalid_arguments"),
            ("type=member&date=yesterday", "invalid_date"),
            ("type=member&date=2019-12-31", "data_not_available"),
            (&format!("type=member&date={}", date(0)), "file_not_yet_available"),
            ("type=member&metadata_only=true", "metadata_not_available"),
            ("type=public_channel&metadata_only=true&date=2024-01-01", "metadata_only_does_not_support_date"),
        ],
    );
    let file = |args: &str| {
        let reply = desk.send("admin.analytics.getFile", OWNER, "application/x-www-form-urlencoded", args);
        assert_eq!(reply.headers["content-type"], "application/gzip");
        // One stored block: 10 bytes of header, 5 of the block's, 8 of the end.
        assert_eq!(reply.body[..3], [0x1f, 0x8b, 8]);
        let text = std::str::from_utf8(&reply.body[15..reply.body.len() - 8]).unwrap().to_owned();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let people = file(&format!("type=member&date={}", date(2)));
    let lena = people.iter().find(|row| row["user_id"] == desk.expand("{@lena}").as_str()).unwrap();
    assert_eq!((&lena["date"], &lena["is_guest"]), (&json!(date(2)), &json!(false)));
    let sum = |rows: &[Value], name: &str| rows.iter().map(|row| row[name].as_u64().unwrap()).sum::<u64>();
    let of = |kind: &str, days: i64| file(&format!("type={kind}&date={}", date(days)));
    let channels = of("public_channel", 5);
    assert!(sum(&channels, "messages_posted_count") > 0);
    let by_members = sum(&channels, "messages_posted_by_members_count");
    assert!(sum(&of("member", 5), "channel_messages_posted_count") >= by_members, "private channels are counted too");
    let described = file("type=public_channel&metadata_only=true");
    assert_eq!(described.len(), channels.len());
    assert!(described.iter().any(|row| row["name"] == "random"));
}
