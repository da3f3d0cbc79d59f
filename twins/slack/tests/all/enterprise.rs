//! `admin.*`: what administrators of an organization do, and who sees it. Here people, sessions and workspaces.

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
pub(crate) fn pages(desk: &Desk, method: &str, args: &str, name: &str, size: usize) -> Vec<Value> {
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
fn an_apps_workspaces_come_in_pages() {
    let desk = enterprise();
    let (home, labs) = desk.teams();
    desk.act("slack.admin.grant_workspaces", "henrik", json!({ "app": "steward", "workspaces": ["acme-labs"] }));
    let page = |args: &str| desk.call(OWNER, "auth.teams.list", args);
    let first = page("limit=1");
    assert_eq!((first["teams"].as_array().unwrap().len(), &first["teams"][0]["id"]), (1, &json!(home)));
    let cursor = first["response_metadata"]["next_cursor"].as_str().unwrap();
    let second = page(&format!("limit=1&cursor={}", cursor.replace('=', "%3D")));
    assert_eq!((&second["teams"][0]["id"], &second["response_metadata"]["next_cursor"]), (&json!(labs), &json!("")));
    desk.refuses(OWNER, "auth.teams.list", &[("cursor=x", "invalid_cursor"), ("limit=x", "invalid_limit")]);
}
