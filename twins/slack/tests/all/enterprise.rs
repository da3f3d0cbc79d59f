//! `admin.*`: what administrators of an organization do, and who sees it.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::{
    desk::Desk,
    office::{BOT, CLERK, OWNER, enterprise, plain},
};

/// The methods of administrators that have rules of their own.
fn methods(desk: &Desk) -> Vec<(&'static str, &'static [&'static str])> {
    let infos = desk.universe.twins()[0].operations().iter();
    let own = infos.filter(|info| info.id.starts_with("admin.") && info.behaves() && !info.errors.is_empty());
    own.map(|info| (info.id, info.errors)).collect()
}

#[test]
fn a_plain_workspace_has_no_administration() {
    let desk = plain();
    let methods = methods(&desk);
    assert!(methods.len() > 80, "{}", methods.len());
    for (method, errors) in methods {
        assert_eq!(desk.error(OWNER, method, ""), errors[0], "{method}");
    }
}

#[test]
fn administration_is_for_administrators() {
    let desk = enterprise();
    for (method, errors) in methods(&desk) {
        assert_eq!(desk.error(BOT, method, ""), "not_allowed_token_type", "{method}");
        assert_eq!(desk.error(CLERK, method, ""), errors[1], "{method}");
        assert_eq!(desk.error(crate::desk::DANA, method, ""), "missing_scope", "{method}");
    }
}

#[test]
fn people_come_into_a_workspace_and_go() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let args = |team: &str, user: &str| format!("team_id={team}&user_id={{@{user}}}");
    desk.denies(
        "users.assign",
        &[
            (&args("T0NONE", "lena"), "team_not_found"),
            (&format!("team_id={labs}&user_id=U0NONE"), "user_not_found"),
            (&args(&labs, "steward"), "user_is_bot"),
            (&args(&labs, "mei"), "user_already_team_member"),
            (&format!("{}&is_restricted=true", args(&labs, "lena")), "invalid_role_for_user"),
            (&format!("{}&channel_ids=C0NONE", args(&labs, "lena")), "invitor_cannot_see_channel"),
            ("user_id={@lena}", "invalid_arguments"),
        ],
    );
    desk.admin("users.assign", &args(&labs, "lena"));
    assert_eq!(desk.error(OWNER, "admin.users.assign", &args(&labs, "lena")), "user_already_team_member");
    desk.admin("users.remove", &args(&labs, "lena"));
    assert_eq!(desk.error(OWNER, "admin.users.remove", &args(&labs, "lena")), "user_not_found");
    // In the home workspace the person's channels and tokens go as well, for all to see.
    assert_eq!(desk.error(CLERK, "auth.test", ""), "");
    desk.admin("users.remove", &args(&home, "lena"));
    assert_eq!(desk.error(CLERK, "auth.test", ""), "token_revoked");
    let lena = desk.call(OWNER, "users.info", "user={@lena}");
    assert_eq!(lena["user"]["deleted"], true);
    let members = desk.call(OWNER, "conversations.members", "channel={#general}&limit=1000");
    assert!(!members["members"].as_array().unwrap().contains(&lena["user"]["id"]));
    desk.denies(
        "users.remove",
        &[(&args(&home, "lena"), "user_already_deleted"), (&args(&home, "henrik"), "cannot_modify_primary_owner")],
    );
    desk.admin("users.assign", &format!("{}&channel_ids={{#random}}", args(&home, "lena")));
    assert_eq!(desk.call(OWNER, "users.info", "user={@lena}")["user"]["deleted"], false);
    let members = desk.call(OWNER, "conversations.members", "channel={#general}&limit=1000");
    assert!(members["members"].as_array().unwrap().contains(&lena["user"]["id"]));
}

#[test]
fn roles_in_a_workspace_are_set() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let role = |user: &str| {
        let user = desk.call(OWNER, "users.info", &format!("user={{@{user}}}"))["user"].clone();
        (user["is_admin"] == true, user["is_owner"] == true)
    };
    let lena = format!("team_id={home}&user_id={{@lena}}");
    for (method, wanted) in [("setAdmin", (true, false)), ("setOwner", (true, true)), ("setRegular", (false, false))] {
        desk.admin(&format!("users.{method}"), &lena);
        assert_eq!(role("lena"), wanted, "{method}");
    }
    for method in ["users.setAdmin", "users.setOwner", "users.setRegular"] {
        let primary = format!("team_id={home}&user_id={{@henrik}}");
        desk.denies(
            method,
            &[
                (&primary, "cannot_modify_primary_owner"),
                ("team_id=T0NONE&user_id={@lena}", "team_not_found"),
                (&format!("team_id={home}&user_id=U0NONE"), "user_not_found"),
            ],
        );
    }
    let guest = format!("team_id={home}&user_id={{@vikram}}");
    desk.denies("users.setAdmin", &[(&guest, "invalid_role_for_user")]);
    desk.denies("users.setOwner", &[(&guest, "invalid_role_for_user")]);
    desk.admin("users.setRegular", &guest);
    assert_eq!(desk.call(OWNER, "users.info", "user={@vikram}")["user"]["is_restricted"], false);
    // Elsewhere the same methods change what somebody is there.
    desk.admin("users.setAdmin", &format!("team_id={labs}&user_id={{@mei}}"));
    assert_eq!(role("mei"), (false, false));
    let admins = desk.admin("teams.admins.list", &format!("team_id={labs}"));
    assert_eq!(admins["admin_ids"].as_array().unwrap().len(), 2);
    assert_eq!(desk.admin("teams.owners.list", &format!("team_id={labs}"))["owner_ids"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn guests_go_when_their_time_is_over() {
    let desk = enterprise();
    let (home, _) = desk.teams();
    let now = desk.universe.now().as_secs();
    let args = |user: &str, at: i64| format!("team_id={home}&user_id={{@{user}}}&expiration_ts={at}");
    desk.denies(
        "users.setExpiration",
        &[
            (&args("lena", now + 60), "user_is_not_a_guest"),
            (&args("vikram", now - 60), "failed_to_validate_expiration"),
            ("user_id=U0NONE&expiration_ts=1", "user_not_found"),
            ("user_id={@vikram}&expiration_ts=x", "invalid_arguments"),
        ],
    );
    desk.admin("users.setExpiration", &args("vikram", now + 60));
    let told = desk.admin("users.getExpiration", "user_id={@vikram}");
    assert_eq!(told["user"]["expiration_ts"], now + 60);
    desk.denies(
        "users.getExpiration",
        &[
            ("user={@lena}", "user_is_not_guest"),
            ("user=U0NONE", "user_not_found"),
            ("user={@vikram}&target_team=T0NONE", "target_team_not_on_org"),
        ],
    );
    desk.universe.advance(Duration::from_secs(61)).await;
    desk.settle().await;
    assert_eq!(desk.call(OWNER, "users.info", "user={@vikram}")["user"]["deleted"], true);
    desk.denies("users.setExpiration", &[(&args("vikram", now + 600), "user_is_already_deleted")]);
}

#[test]
fn people_are_invited_and_come() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    let args = |email: &str, more: &str| format!("team_id={home}&channel_ids={{#random}}&email={email}{more}");
    desk.denies(
        "users.invite",
        &[
            (&args("nobody", ""), "invalid_email"),
            (&args("lena.fischer@acme.example", ""), "already_in_team"),
            (&format!("team_id={home}&email=a@b.example"), "invalid_arguments"),
            (&format!("team_id={home}&email=a@b.example&channel_ids=C0NONE"), "failed_to_validate_channels"),
            (&args("a@b.example", "&guest_expiration_ts=9999999999"), "failed_to_validate_expiration"),
            ("team_id=T0NONE&email=a@b.example&channel_ids={#random}", "team_not_found"),
        ],
    );
    let guest = "&is_ultra_restricted=true&real_name=Nova Ray&guest_expiration_ts=9999999999.000100&custom_message=Hi&resend=true&email_password_policy_enabled=true";
    desk.admin("users.invite", &args("nova.ray@partner.example", guest));
    desk.denies("users.invite", &[(&args("Nova.Ray@partner.example", ""), "already_in_team_invited_user")]);
    let come = desk.act("slack.user.accept_invite", "nova.ray@partner.example", json!({}));
    let nova = desk.call(OWNER, "users.info", &format!("user={}", come["user"].as_str().unwrap()));
    assert_eq!(nova["user"]["real_name"], "Nova Ray");
    assert_eq!(nova["user"]["is_ultra_restricted"], true);
    let members = desk.call(OWNER, "conversations.members", "channel={#random}&limit=1000");
    assert!(members["members"].as_array().unwrap().contains(&come["user"]));
    assert!(desk.try_act("slack.user.accept_invite", "nova.ray@partner.example", json!({})).is_err());
    // Into the other workspace comes who has an account already.
    desk.admin("users.invite", &format!("team_id={labs}&channel_ids={{#random}}&email=lena.fischer@acme.example"));
    desk.act("slack.user.accept_invite", "lena", json!({ "workspace": "acme-labs" }));
    let all = desk.admin("users.list", &format!("team_id={labs}"));
    assert_eq!(all["users"].as_array().unwrap().len(), 4);
}

/// All of a list, in pages.
fn pages(desk: &Desk, method: &str, args: &str, name: &str, size: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let encoded = cursor.replace('=', "%3D").replace('+', "%2B");
        let answer = desk.admin(method, &format!("limit={size}&cursor={encoded}&{args}"));
        let page = answer[name].as_array().unwrap_or_else(|| panic!("{answer}"));
        assert!(page.len() <= size);
        all.extend(page.iter().cloned());
        answer["response_metadata"]["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
        if cursor.is_empty() {
            return all;
        }
    }
}

#[test]
fn lists_come_in_pages_and_each_row_once() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    for (method, args, name, size) in [
        ("users.list", String::new(), "users", 7),
        ("users.list", format!("team_id={home}"), "users", 11),
        ("teams.list", String::new(), "teams", 1),
        ("teams.admins.list", format!("team_id={home}"), "admin_ids", 2),
        (
            "conversations.lookup",
            format!("team_ids={home}&last_message_activity_before=9999999999&max_member_count=1000"),
            "channel_ids",
            3,
        ),
    ] {
        let all = pages(&desk, method, &args, name, size);
        let whole = desk.admin(method, &format!("limit=100&{args}"));
        assert_eq!(json!(all), whole[name], "{method}");
        assert!(all.len() > size, "{method} has several pages");
        let keys: BTreeSet<String> =
            all.iter().map(|row| row["id"].as_str().or(row.as_str()).unwrap().to_owned()).collect();
        assert_eq!(keys.len(), all.len(), "{method}");
        desk.denies(
            method,
            &[(&format!("limit=0&{args}"), "invalid_limit"), (&format!("cursor=x&{args}"), "invalid_cursor")],
        );
    }
    assert_eq!(desk.admin("users.list", &format!("team_id={labs}"))["users"].as_array().unwrap().len(), 3);
    desk.denies(
        "users.list",
        &[
            ("team_id=T0NONE", "team_not_found"),
            (
                &format!("team_id={home}&include_deactivated_user_workspaces=true"),
                "include_deactivated_user_workspaces_invalid",
            ),
        ],
    );
    desk.admin("users.remove", &format!("team_id={home}&user_id={{@lena}}"));
    let gone = desk.admin("users.list", &format!("team_id={home}&is_active=false"));
    assert!(gone["users"].as_array().unwrap().iter().any(|user| user["email"] == "lena.fischer@acme.example"));
    let guests = desk.admin("users.list", &format!("team_id={home}&only_guests=true"));
    assert_eq!(guests["users"].as_array().unwrap().len(), 2);
}

#[test]
fn sessions_are_listed_and_ended() {
    let desk = enterprise();
    let (home, _) = desk.teams();
    desk.denies(
        "users.session.list",
        &[
            ("", "no_active_sessions"),
            ("user_id={@lena}", "missing_team"),
            (&format!("team_id={home}"), "missing_user"),
        ],
    );
    let web = desk.act("slack.user.sign_in", "lena", json!({ "device": "web" }))["session_id"].clone();
    desk.act("slack.user.sign_in", "lena", json!({ "device": "mobile" }));
    desk.act("slack.user.sign_in", "omar", json!({ "device": "desktop" }));
    desk.act("slack.user.sign_in", "henrik", json!({ "device": "desktop" }));
    let count = |args: &str| {
        desk.call(OWNER, "admin.users.session.list", args)["active_sessions"].as_array().map_or(0, Vec::len)
    };
    let lena = format!("team_id={home}&user_id={{@lena}}");
    assert_eq!((count(""), count(&lena), count("limit=3")), (4, 2, 3));
    desk.denies(
        "users.session.invalidate",
        &[
            (&format!("team_id={home}&session_id=1"), "session_not_found"),
            (&format!("team_id={home}"), "invalid_arguments"),
            (&format!("team_id={home}&user_id={{@omar}}&session_id={web}"), "session_not_found"),
        ],
    );
    desk.admin("users.session.invalidate", &format!("team_id={home}&session_id={web}"));
    assert_eq!(count(&lena), 1);
    desk.admin("users.session.reset", "user_id={@lena}&web_only=true");
    assert_eq!(count(&lena), 1);
    desk.admin("users.session.reset", "user_id={@lena}&mobile_only=true");
    assert_eq!(count(&lena), 0);
    desk.denies(
        "users.session.reset",
        &[("user_id={@steward}", "cannot_reset_bot"), ("user_id=U0NONE", "user_not_found")],
    );
    desk.admin("users.session.resetBulk", "user_ids={@omar},{@henrik}");
    assert_eq!(count(""), 0);
    // Who is an administrator, but not the primary owner, leaves that one alone.
    desk.act("slack.user.sign_in", "henrik", json!({ "device": "web" }));
    desk.admin("users.setAdmin", &format!("team_id={home}&user_id={{@lena}}"));
    desk.refuses(CLERK, "admin.users.session.reset", &[("user_id={@henrik}", "cannot_reset_primary_owner")]);
    desk.act("slack.user.sign_out", "henrik", json!({}));
    assert_eq!(count(""), 0);
}

#[test]
fn session_settings_are_set_and_cleared() {
    let desk = enterprise();
    desk.denies(
        "users.session.setSettings",
        &[
            ("user_ids={@lena}", "at_least_one_session_setting_required"),
            ("user_ids={@lena}&duration=1", "invalid_arguments"),
            ("user_ids=U0NONE&duration=28800", "user_not_found"),
            ("user_ids={@steward}&duration=28800", "bots_not_allowed"),
            ("duration=28800", "invalid_arguments"),
        ],
    );
    desk.admin("users.session.setSettings", "user_ids={@lena},{@omar}&duration=28800&desktop_app_browser_quit=true");
    let told = desk.admin("users.session.getSettings", "user_ids={@lena},{@mei}");
    assert_eq!(told["session_settings"][0]["duration"], 28800);
    assert_eq!(told["session_settings"][0]["desktop_app_browser_quit"], true);
    assert_eq!(told["no_settings_applied"].as_array().unwrap().len(), 1);
    desk.admin("users.session.clearSettings", "user_ids={@lena}");
    assert_eq!(desk.admin("users.session.getSettings", "user_ids={@lena}")["session_settings"], json!([]));
}

#[test]
fn workspaces_are_made_and_described() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    desk.denies(
        "teams.create",
        &[
            ("", "must_provide_team_domain"),
            ("team_domain=x", "must_provide_team_name"),
            ("team_domain=Not OK&team_name=X", "bad_url"),
            ("team_domain=a-name-that-is-far-too-long&team_name=X", "bad_url"),
            ("team_domain=acme-labs&team_name=X", "domain_taken"),
            ("team_domain=acme-x&team_name=Acme Labs", "name_taken_in_org"),
            ("team_domain=acme-x&team_name=X&team_discoverability=hidden", "discoverability_setting_invalid"),
        ],
    );
    let made = desk
        .admin("teams.create", "team_domain=acme-x&team_name=Acme X&team_description=New&team_discoverability=open");
    let team = made["team"].as_str().unwrap();
    for (method, args) in [
        ("setDescription", "description=Newer"),
        ("setDiscoverability", "discoverability=unlisted"),
        ("setIcon", "image_url=https://acme.example/icon.png"),
        ("setName", "name=Acme Ten"),
    ] {
        desk.admin(&format!("teams.settings.{method}"), &format!("team_id={team}&{args}"));
        desk.denies(&format!("teams.settings.{method}"), &[(&format!("team_id=T0NONE&{args}"), "team_not_found")]);
    }
    desk.denies("teams.settings.setIcon", &[(&format!("team_id={team}&image_url=x"), "invalid_url")]);
    desk.denies(
        "teams.settings.setDiscoverability",
        &[(&format!("team_id={team}&discoverability=x"), "discoverability_setting_invalid")],
    );
    let info = desk.admin("teams.settings.info", &format!("team_id={team}"))["team"].clone();
    assert_eq!(
        (&info["name"], &info["icon"]["image_original"]),
        (&json!("Acme Ten"), &json!("https://acme.example/icon.png"))
    );
    assert_eq!(info["enterprise_domain"], "acme-group");
    let row = desk.admin("teams.list", "")["teams"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"] == team)
        .cloned()
        .unwrap();
    assert_eq!(row["discoverability"], "unlisted");
    // What the home is called, the ordinary methods tell.
    desk.admin("teams.settings.setName", &format!("team_id={home}&name=Acme Home"));
    assert_eq!(desk.call(crate::desk::DANA, "team.info", "")["team"]["name"], "Acme Home");
    // People who come are put into the default channels.
    desk.denies(
        "teams.settings.setDefaultChannels",
        &[
            (&format!("team_id={home}&channel_ids=C0NONE"), "one_or_more_invalid_channels"),
            (&format!("team_id={labs}&channel_ids={{#random}}"), "one_or_more_invalid_channels"),
        ],
    );
    desk.admin("teams.settings.setDefaultChannels", &format!("team_id={home}&channel_ids={{#random}}"));
    desk.admin("users.invite", &format!("team_id={home}&channel_ids={{#general}}&email=new.one@acme.example"));
    let new = desk.act("slack.user.accept_invite", "new.one@acme.example", json!({}))["user"].clone();
    let members = desk.call(OWNER, "conversations.members", "channel={#random}&limit=1000");
    assert!(members["members"].as_array().unwrap().contains(&new));
}

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
