//! `admin.*` about channels, and what groups and barriers do to who is in them.

use serde_json::{Value, json};

use crate::{
    desk::Desk,
    office::{CLERK, OWNER, enterprise},
};

#[test]
fn an_administrators_channels_are_everybodys() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let info = |channel: &str| desk.call(OWNER, "conversations.info", &format!("channel={channel}"));
    desk.denies(
        "conversations.create",
        &[
            ("name=x&is_private=false", "team_id_or_org_required"),
            ("name=x&is_private=false&team_id=T0NONE", "team_not_found"),
            (&format!("name=Not OK&is_private=false&team_id={home}"), "invalid_name"),
            (&format!("name=random&is_private=false&team_id={home}"), "name_taken"),
            (&format!("name=x&team_id={home}"), "invalid_arguments"),
        ],
    );
    let made = desk
        .admin("conversations.create", &format!("name=plans&is_private=false&team_id={home}&description=What we plan"));
    let id = made["channel_id"].as_str().unwrap();
    assert_eq!(info(id)["channel"]["purpose"]["value"], "What we plan");
    let only = format!("channel_id={id}");
    desk.admin("conversations.archive", &only);
    assert_eq!(info(id)["channel"]["is_archived"], true);
    desk.denies(
        "conversations.archive",
        &[
            (&only, "already_archived"),
            ("channel_id={#general}", "cant_archive_general"),
            ("channel_id=C0NONE", "channel_not_found"),
        ],
    );
    desk.admin("conversations.unarchive", &only);
    desk.denies(
        "conversations.unarchive",
        &[(&only, "channel_not_archived"), ("channel_id={#general}", "channel_type_not_supported")],
    );
    desk.denies(
        "conversations.rename",
        &[(&format!("{only}&name=random"), "name_taken"), (&format!("{only}&name=Not OK"), "could_not_rename_channel")],
    );
    desk.admin("conversations.rename", &format!("{only}&name=roadmap"));
    assert_eq!(info(id)["channel"]["name"], "roadmap");
    desk.admin("conversations.convertToPrivate", &only);
    assert_eq!(info(id)["channel"]["is_private"], true);
    assert_eq!(desk.error(CLERK, "conversations.info", &format!("channel={id}")), "channel_not_found");
    desk.denies("conversations.convertToPrivate", &[(&only, "channel_type_not_supported")]);
    desk.admin("conversations.convertToPublic", &only);
    assert_eq!(desk.error(CLERK, "conversations.info", &format!("channel={id}")), "");
    desk.denies("conversations.convertToPublic", &[(&only, "not_supported")]);
    desk.denies(
        "conversations.invite",
        &[(&format!("{only}&user_ids=U0NONE,{{@lena}}"), "failed_for_some_users"), (&only, "invalid_arguments")],
    );
    desk.admin("conversations.invite", &format!("{only}&user_ids={{@lena}},{{@omar}}"));
    let members = desk.call(OWNER, "conversations.members", &format!("channel={id}"));
    assert_eq!(members["members"].as_array().unwrap().len(), 3);
    desk.admin("conversations.delete", &only);
    assert_eq!(info(id)["error"], "channel_not_found");
    // The name is free again.
    desk.admin("conversations.create", &format!("name=roadmap&is_private=true&team_id={home}"));
    // What is in another workspace alone, this one does not list.
    let away = desk.admin("conversations.create", &format!("name=lab&is_private=false&team_id={labs}"));
    let away = away["channel_id"].as_str().unwrap();
    assert_eq!(desk.error(CLERK, "conversations.info", &format!("channel={away}")), "channel_not_found");
    desk.admin("conversations.setTeams", &format!("channel_id={away}&team_id={labs}&target_team_ids={labs},{home}"));
    assert_eq!(desk.error(CLERK, "conversations.info", &format!("channel={away}")), "");
    let wide = desk.admin("conversations.create", "name=wide&is_private=false&org_wide=true");
    let teams = desk.admin("conversations.getTeams", &format!("channel_id={}", wide["channel_id"].as_str().unwrap()));
    assert_eq!(teams["team_ids"].as_array().unwrap().len(), 2);
}

#[test]
fn many_channels_are_dealt_with_at_once() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let done = desk.admin("conversations.bulkArchive", "channel_ids={#random},C0NONE,{#general}");
    assert_eq!(done["not_added"].as_array().unwrap().len(), 2);
    assert!(done["bulk_action_id"].as_str().unwrap().starts_with("Ab"));
    assert_eq!(desk.call(OWNER, "conversations.info", "channel={#random}")["channel"]["is_archived"], true);
    desk.denies(
        "conversations.bulkArchive",
        &[("channel_ids={#random}", "no_valid_channels"), ("", "invalid_arguments")],
    );
    desk.denies("conversations.bulkMove", &[("channel_ids={#random}&target_team_id=T0NONE", "target_team_not_found")]);
    desk.admin("conversations.bulkMove", &format!("channel_ids={{#announcements}}&target_team_id={labs}"));
    assert_eq!(desk.admin("conversations.getTeams", "channel_id={#announcements}")["team_ids"], json!([labs]));
    let listed = desk.call(OWNER, "conversations.list", "limit=1000");
    assert!(!listed["channels"].as_array().unwrap().iter().any(|row| row["name"] == "announcements"));
    let id = desk.expand("{#random}");
    desk.admin("conversations.bulkDelete", &format!("channel_ids={id}"));
    assert_eq!(desk.error(OWNER, "conversations.info", &format!("channel={id}")), "channel_not_found");
    let _ = home;
}

#[test]
fn channels_are_searched() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let names = |args: &str| -> Vec<String> {
        let found = desk.admin("conversations.search", args);
        found["conversations"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("query=rand"), ["random"]);
    let by_name = names("sort=name&sort_dir=asc&limit=20");
    assert!(by_name.is_sorted() && by_name.len() > 3);
    assert_eq!(names("sort=name&sort_dir=desc&limit=1"), by_name[by_name.len() - 1..]);
    assert!(names("search_channel_types=archived&limit=20").len() < by_name.len());
    assert_eq!(names(&format!("team_ids={labs}")), Vec::<String>::new());
    let first = desk.admin("conversations.search", &format!("limit=2&sort=name&sort_dir=asc&team_ids={home}"));
    let cursor = first["next_cursor"].as_str().unwrap().replace('=', "%3D");
    assert_eq!(names(&format!("limit=2&sort=name&sort_dir=asc&cursor={cursor}")), by_name[2..4]);
    let count = desk.admin("conversations.search", "total_count_only=true");
    assert_eq!((&count["conversations"], &count["total_count"]), (&json!([]), &first["total_count"]));
    desk.denies(
        "conversations.search",
        &[
            ("sort=size", "invalid_sort"),
            ("sort_dir=up", "invalid_sort_dir"),
            ("limit=21", "invalid_limit"),
            ("cursor=x", "invalid_cursor"),
            ("search_channel_types=loud", "invalid_search_channel_type"),
            ("team_ids=T0NONE", "team_not_found"),
            ("connected_team_ids=T0OTHER", "external_team_not_connected_to_this_org"),
        ],
    );
    desk.denies(
        "conversations.lookup",
        &[
            ("team_ids=T0NONE&last_message_activity_before=1", "no_valid_teams"),
            (&format!("team_ids={home}"), "invalid_arguments"),
        ],
    );
    assert_eq!(
        desk.admin("conversations.lookup", &format!("team_ids={home}&last_message_activity_before=1"))["channel_ids"],
        json!([])
    );
}

#[test]
fn rules_of_channels_are_kept() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let random = "channel_id={#random}";
    desk.denies(
        "conversations.setConversationPrefs",
        &[
            (random, "invalid_arguments"),
            (&format!("{random}&prefs=x"), "invalid_value"),
            (&format!("{random}&prefs={{\"loudness\":1}}"), "invalid_value"),
            (&format!("{random}&prefs={{\"who_can_post\":\"somebody\"}}"), "invalid_value"),
            (&format!("{random}&prefs={{\"enable_at_here\":false}}"), "channel_mention_sync_required"),
            ("channel_id={#general}&prefs={\"who_can_post\":\"type:admin\"}", "channel_type_not_supported"),
            ("channel_id=C0NONE&prefs={}", "channel_not_found"),
        ],
    );
    let prefs = "{\"who_can_post\":\"type:admin,user:U1\",\"can_huddle\":false,\"enable_at_here\":false,\"enable_at_channel\":false,\"membership_limit\":9}";
    desk.admin("conversations.setConversationPrefs", &format!("{random}&prefs={prefs}"));
    let told = desk.admin("conversations.getConversationPrefs", random)["prefs"].clone();
    assert_eq!(told["who_can_post"], json!({ "type": ["admin"], "user": ["U1"] }));
    assert_eq!((&told["can_huddle"]["enabled"], &told["membership_limit"]["value"]), (&json!(false), &json!(9)));
    desk.denies(
        "conversations.setCustomRetention",
        &[
            (&format!("{random}&duration_days=0"), "invalid_duration"),
            (&format!("{random}&duration_days=36500"), "invalid_duration"),
            ("channel_id={#general}&duration_days=5", "channel_type_not_supported"),
        ],
    );
    desk.admin("conversations.setCustomRetention", &format!("{random}&duration_days=70"));
    let retention = || desk.admin("conversations.getCustomRetention", random);
    assert_eq!((&retention()["is_policy_enabled"], &retention()["duration_days"]), (&json!(true), &json!(70)));
    desk.admin("conversations.removeCustomRetention", random);
    assert_eq!(retention()["is_policy_enabled"], false);
    desk.denies(
        "conversations.setTeams",
        &[
            (random, "unsupported_arguments"),
            (&format!("{random}&target_team_ids=T0NONE"), "invalid_target_team"),
            (&format!("{random}&target_team_ids={labs}"), "cannot_move_local_channel"),
            (&format!("{random}&team_id={labs}&target_team_ids={home},{labs}"), "channel_not_found"),
        ],
    );
    desk.admin("conversations.setTeams", &format!("{random}&org_channel=true"));
    assert_eq!(desk.admin("conversations.getTeams", random)["team_ids"].as_array().unwrap().len(), 2);
    desk.denies(
        "conversations.disconnectShared",
        &[
            (random, "no_teams_to_disconnect"),
            ("channel_id={#general}", "not_supported"),
            ("channel_id=C0NONE", "channel_not_found"),
        ],
    );
    assert_eq!(desk.admin("conversations.ekm.listOriginalConnectedChannelInfo", "")["channels"], json!([]));
}

/// A group as an identity provider makes it.
pub(crate) fn idp_group(desk: &Desk, name: &str, people: &[&str]) -> String {
    let members: Vec<Value> = people.iter().map(|key| json!({ "value": format!("{{@{key}}}") })).collect();
    let body = json!({ "schemas": ["urn:scim:schemas:core:1.0"], "displayName": name, "members": members });
    let (status, made) = desk.rest(http::Method::POST, "/scim/v1/Groups", &body);
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn barriers_stand_between_groups() {
    let desk = enterprise();
    let (buyers, sellers) = (idp_group(&desk, "Buyers", &["lena"]), idp_group(&desk, "Sellers", &["omar"]));
    let args = |a: &str, b: &str, what: &str| {
        format!("primary_usergroup_id={a}&barriered_from_usergroup_ids={b}&restricted_subjects={what}")
    };
    desk.denies(
        "barriers.create",
        &[
            (&args("S0NONE", &sellers, "im,mpim,call"), "primary_usergroup_not_found"),
            (&args(&buyers, "S0NONE", "im,mpim,call"), "barriered_from_usergroups_not_found"),
            (&args(&buyers, &sellers, "im"), "invalid_restricted_subjects"),
        ],
    );
    let made = desk.admin("barriers.create", &args(&buyers, &sellers, "call,im,mpim"))["barrier"].clone();
    assert_eq!(made["primary_usergroup"]["name"], "Buyers");
    let id = made["id"].as_str().unwrap();
    desk.denies("barriers.create", &[(&args(&sellers, &buyers, "im,mpim,call"), "barrier_already_exists")]);
    desk.admin("barriers.update", &format!("barrier_id={id}&{}", args(&sellers, &buyers, "im,mpim,call")));
    assert_eq!(desk.admin("barriers.list", "")["barriers"][0]["primary_usergroup"]["name"], "Sellers");
    desk.denies(
        "barriers.update",
        &[(&format!("barrier_id=Ba1&{}", args(&sellers, &buyers, "im,mpim,call")), "barrier_not_found")],
    );
    desk.admin("barriers.delete", &format!("barrier_id={id}"));
    desk.denies("barriers.delete", &[(&format!("barrier_id={id}"), "barrier_not_found")]);
}

#[test]
fn groups_bring_people_into_channels_and_workspaces() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let group = idp_group(&desk, "Night shift", &["lena", "omar"]);
    let own = format!("usergroup_id={group}");
    let secret =
        desk.admin("conversations.create", &format!("name=night&is_private=true&team_id={home}"))["channel_id"].clone();
    let secret = secret.as_str().unwrap();
    desk.denies(
        "usergroups.addChannels",
        &[
            (&format!("usergroup_id=S0NONE&channel_ids={secret}"), "usergroup_not_found"),
            (&format!("{own}&channel_ids=C0NONE"), "channel_not_found"),
            (&format!("{own}&channel_ids={}", vec!["C1"; 101].join(",")), "invalid_channels_limit"),
            (&format!("{own}&channel_ids={secret}&team_id={home}"), "usergroup_not_linked_to_team"),
            (&format!("{own}&channel_ids={secret}&team_id=T0NONE"), "team_not_found"),
        ],
    );
    desk.denies(
        "usergroups.addTeams",
        &[(&own, "no_team_ids_given"), (&format!("{own}&team_ids=T0NONE"), "invalid_team_ids")],
    );
    desk.admin("usergroups.addTeams", &format!("{own}&team_ids={home},{labs}&auto_provision=true"));
    assert_eq!(desk.admin("users.list", &format!("team_id={labs}"))["users"].as_array().unwrap().len(), 5);
    desk.admin("usergroups.addChannels", &format!("{own}&channel_ids={secret}&team_id={home}"));
    assert_eq!(
        desk.call(OWNER, "conversations.members", &format!("channel={secret}"))["members"].as_array().unwrap().len(),
        3
    );
    let listed = desk.admin("usergroups.listChannels", &format!("{own}&include_num_members=true"));
    assert_eq!((&listed["channels"][0]["id"], &listed["channels"][0]["num_members"]), (&json!(secret), &json!(3)));
    desk.admin("usergroups.removeChannels", &format!("{own}&channel_ids={secret}"));
    assert_eq!(desk.admin("usergroups.listChannels", &own)["channels"], json!([]));
    // Whose members alone may be in a private channel.
    let link = format!("channel_id={secret}&group_id={group}&team_id={home}");
    let empty = idp_group(&desk, "Nobody", &[]);
    desk.denies(
        "conversations.restrictAccess.addGroup",
        &[
            (&format!("channel_id={{#random}}&group_id={group}"), "channel_is_not_private"),
            (&format!("channel_id={secret}&group_id=S0NONE"), "group_not_found"),
            (&format!("channel_id={secret}&group_id={empty}"), "group_must_not_be_empty"),
            (&format!("channel_id={secret}&group_id={group}&team_id=T0NONE"), "team_not_found"),
        ],
    );
    desk.admin("conversations.restrictAccess.addGroup", &link);
    desk.denies("conversations.restrictAccess.addGroup", &[(&link, "group_already_linked_to_channel")]);
    assert_eq!(
        desk.admin("conversations.restrictAccess.listGroups", &format!("channel_id={secret}"))["group_ids"],
        json!([group])
    );
    desk.admin("conversations.restrictAccess.removeGroup", &link);
    desk.denies(
        "conversations.restrictAccess.removeGroup",
        &[(&link, "link_not_found"), (&format!("channel_id={secret}&group_id=S0NONE"), "group_not_found")],
    );
}

#[test]
fn group_messages_become_channels() {
    let desk = enterprise();
    let open = || desk.call(OWNER, "conversations.open", "users={@lena},{@omar}")["channel"]["id"].clone();
    let group = open();
    let id = group.as_str().unwrap();
    assert_eq!(desk.error(CLERK, "chat.postMessage", &format!("channel={id}&text=before")), "");
    desk.denies(
        "conversations.convertToPrivate",
        &[(&format!("channel_id={id}"), "invalid_arguments"), (&format!("channel_id={id}&name=random"), "name_taken")],
    );
    desk.admin("conversations.convertToPrivate", &format!("channel_id={id}&name=trio"));
    let told = desk.call(OWNER, "conversations.info", &format!("channel={id}"))["channel"].clone();
    let flags = ["is_channel", "is_group", "is_mpim", "is_private"].map(|name| told[name] == true);
    assert_eq!((&told["name"], flags), (&json!("trio"), [true, false, false, true]), "{told}");
    assert_eq!(desk.error(CLERK, "chat.postMessage", &format!("channel={id}&text=after")), "");
    assert_eq!(desk.texts("trio"), ["before", "after"]);
    let members = desk.call(OWNER, "conversations.members", &format!("channel={id}"))["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 3);
    assert_ne!(open(), group, "the people have another group message now");
    desk.denies(
        "conversations.convertToPrivate",
        &[(&format!("channel_id={id}&name=other"), "channel_type_not_supported")],
    );
}
