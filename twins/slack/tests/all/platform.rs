//! The workspace as its owners see it, pictures, and connections of apps.

use http::Method;
use serde_json::{Value, json};

use crate::{
    desk::{BOT, DANA, Desk, TESTER},
    files::png,
};

/// A user token of Dana's with more scopes.
fn with_scopes(desk: &Desk, scopes: &[&str]) -> String {
    let told = desk.act("slack.user.install_app", "dana", json!({ "app": "dtu-tester", "user_scopes": scopes }));
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let client =
        format!("client_id={}&client_secret={}&code={}", text("client_id"), text("client_secret"), text("code"));
    desk.call("", "oauth.v2.access", &client)["authed_user"]["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn owners_see_plan_preferences_and_other_teams() {
    let desk = Desk::new();
    let token = with_scopes(
        &desk,
        &["team.billing:read", "team.preferences:read", "team:read", "conversations.connect:manage", "tokens.basic"],
    );
    assert_eq!(desk.call(&token, "team.billing.info", "")["plan"], "plus");
    assert_eq!(desk.error(TESTER, "team.billing.info", ""), "not_allowed_token_type");
    let told = desk.call(&token, "team.preferences.list", "");
    assert_eq!((&told["msg_edit_window_mins"], &told["who_can_post_general"]), (&json!(-1), &json!("everyone")));
    assert_eq!(desk.error(TESTER, "team.preferences.list", ""), "missing_scope");
    let told = desk.call(&token, "team.externalTeams.list", "sort_field=team_name&connection_status_filter=CONNECTED");
    assert_eq!((&told["organizations"], &told["total_count"]), (&json!([]), &json!(0)));
    desk.refuses(
        &token,
        "team.externalTeams.list",
        &[
            ("workspace_filter=T000", "invalid_workspace_filter"),
            ("cursor=T000", "invalid_cursor"),
            ("sort_field=x", "invalid_arguments"),
        ],
    );
    desk.refuses(
        &token,
        "team.externalTeams.disconnect",
        &[("target_team=T000", "invalid_target_team"), ("", "invalid_arguments")],
    );
    desk.refuses(
        &token,
        "users.discoverableContacts.lookup",
        &[
            ("email=lena.fischer@acme.example", "not_an_enterprise"),
            (&format!("email={}", "x".repeat(101)), "invalid_arguments"),
        ],
    );
    let many = vec!["U1"; 401].join(",");
    desk.refuses(
        &token,
        "migration.exchange",
        &[("users={@lena}", "not_enterprise_team"), (&format!("users={many}"), "too_many_users")],
    );
}

#[test]
fn logins_are_paged() {
    let desk = Desk::new();
    let told = desk.call(DANA, "team.accessLogs", "");
    assert_eq!(told["paging"], json!({ "count": 100, "total": 0, "page": 1, "pages": 0 }));
    desk.refuses(
        DANA,
        "team.accessLogs",
        &[
            ("count=1001", "over_pagination_limit"),
            ("page=101", "over_pagination_limit"),
            ("cursor=x", "invalid_cursor"),
            ("limit=x", "invalid_limit"),
            ("before=x", "invalid_arguments"),
            ("limit=5&before=now", ""),
        ],
    );
    assert_eq!(desk.error(TESTER, "team.accessLogs", ""), "not_allowed_token_type");
}

/// Sends a picture in a form, with arguments.
fn send_photo(desk: &Desk, token: &str, picture: &[u8], args: &[(&str, &str)]) -> Value {
    let mut body = Vec::new();
    for (name, value) in args {
        body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    body.extend(b"--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"me.png\"\r\n\r\n");
    body.extend(picture);
    body.extend(b"\r\n--b--\r\n");
    let headers =
        [("authorization", format!("Bearer {token}")), ("content-type", "multipart/form-data; boundary=b".to_owned())];
    serde_json::from_slice(&desk.request(Method::POST, "/api/users.setPhoto", &headers, &body).body).unwrap()
}

#[test]
fn people_choose_pictures() {
    let desk = Desk::new();
    let hash = || desk.call(TESTER, "users.info", "user={@dana}")["user"]["profile"]["avatar_hash"].clone();
    let before = hash();
    let told = send_photo(&desk, DANA, &png(64, 64), &[]);
    assert_eq!(told["profile"]["avatar_hash"], hash(), "{told}");
    assert_ne!(hash(), before);
    assert!(told["profile"]["image_1024"].is_string() && told["profile"]["image_original"].is_string());
    let whole = hash();
    send_photo(&desk, DANA, &png(64, 64), &[("crop_x", "8"), ("crop_y", "8"), ("crop_w", "32")]);
    assert_ne!(hash(), whole, "another part is another picture");
    let check = |picture: &[u8], args: &[(&str, &str)], code: &str| {
        assert_eq!(send_photo(&desk, DANA, picture, args)["error"], code, "{args:?}");
    };
    check(b"text", &[], "bad_image");
    check(&png(64, 64)[..50], &[], "bad_image");
    check(&png(64, 1_025), &[], "too_large");
    check(&png(64, 64), &[("crop_x", "40"), ("crop_w", "32")], "bad_image");
    check(&png(64, 64), &[("crop_w", "0")], "bad_image");
    assert_eq!(desk.error(DANA, "users.setPhoto", ""), "bad_image");
    assert_eq!(send_photo(&desk, TESTER, &png(64, 64), &[])["error"], "not_allowed_token_type");
    assert_eq!(desk.error(DANA, "users.deletePhoto", ""), "");
    assert_eq!(hash(), before);
}

#[test]
fn people_connect_apps() {
    let desk = Desk::new();
    let one = "user_id={@lena}&status=connected";
    desk.refuses(TESTER, "apps.user.connection.update", &[(one, "app_not_subscribed")]);
    desk.act("slack.admin.configure_app", "dana", json!({ "app": "dtu-tester", "events": ["user_connection"] }));
    desk.act("slack.user.connect_app", "lena", json!({ "app": "dtu-tester" }));
    desk.refuses(
        TESTER,
        "apps.user.connection.update",
        &[
            (one, ""),
            ("user_id=U000&status=connected", "user_not_found"),
            ("user_id={@lena}&status=maybe", "invalid_arguments"),
        ],
    );
    desk.refuses(BOT, "apps.user.connection.update", &[(one, "missing_scope")]);
    assert_eq!(desk.view("connections").iter().map(|row| row["status"].clone()).collect::<Vec<_>>(), ["connected"]);
    let many = "connected_user_ids={@omar}&disconnected_user_ids={@lena}";
    assert_eq!(desk.error(TESTER, "apps.user.connection.bulkUpdate", many), "");
    let view: Vec<Value> =
        desk.view("connections").into_iter().map(|row| json!([row["user"], row["status"]])).collect();
    assert!(view.contains(&json!(["lena.fischer@acme.example", "disconnected"])), "{view:?}");
    assert!(view.contains(&json!(["omar.haddad@acme.example", "connected"])), "{view:?}");
    desk.refuses(TESTER, "apps.user.connection.bulkUpdate", &[("connected_user_ids={@dana},U000", "user_not_found")]);
    assert_eq!(desk.view("connections").len(), 2, "all or none");
}

#[test]
fn connected_companies_are_listed_and_disconnected() {
    let desk = Desk::new();
    let token = with_scopes(&desk, &["team:read", "conversations.connect:manage"]);
    let plans = desk.call(TESTER, "conversations.create", "name=plans")["channel"]["id"].as_str().unwrap().to_owned();
    let to = format!("channel={plans}&emails=[\"ada@other.example\"]");
    let sent = desk.call(TESTER, "conversations.inviteShared", &to)["invite_id"].as_str().unwrap().to_owned();
    let accepted = json!({ "invite": sent, "organization": "Other" });
    let team = desk.act("slack.admin.partner_accepts", "dana", accepted)["team"].as_str().unwrap().to_owned();
    let approve = format!("invite_id={sent}&target_team={team}");
    assert_eq!(desk.error(TESTER, "conversations.approveSharedInvite", &approve), "");
    let listed = |args: &str| desk.call(&token, "team.externalTeams.list", args)["organizations"].clone();
    let one = &listed("")[0];
    assert_eq!((&one["team_id"], &one["team_name"]), (&json!(team), &json!("Other")));
    assert_eq!((&one["public_channel_count"], &one["connection_status"]), (&json!(1), &json!("CONNECTED")));
    assert_eq!(listed("connection_status_filter=BLOCKED"), json!([]));
    assert_eq!(listed("slack_connect_pref_filter=accept_sc_invites"), json!([]));
    assert_eq!(listed(&format!("cursor={team}&sort_direction=desc"))[0]["team_id"], json!(team));
    let target = format!("target_team={team}");
    let rows: &[(&str, &str)] = &[(&target, ""), (&target, "invalid_target_team")];
    desk.refuses(&token, "team.externalTeams.disconnect", rows);
    assert_eq!(listed(""), json!([]));
}

#[test]
fn profiles_have_fields_of_the_workspace() {
    let desk = Desk::new();
    let define = |with: Value| desk.act("slack.admin.define_profile_field", "dana", with)["field"].clone();
    let floor = define(json!({ "label": "Floor", "hint": "Where you sit" }));
    let size = define(json!({ "label": "Size", "kind": "options_list", "options": ["S", "M"], "hidden": true }));
    let since = define(json!({ "label": "Since", "kind": "date" }));
    let refused = json!({ "label": "Size", "kind": "options_list" });
    assert!(desk.try_act("slack.admin.define_profile_field", "dana", refused).is_err());
    assert!(desk.try_act("slack.admin.define_profile_field", "lena", json!({ "label": "x" })).is_err());
    let token = with_scopes(&desk, &["users.profile:read", "users.profile:write", "users:read"]);
    let labels = |args: &str| -> Vec<Value> {
        let told = desk.call(&token, "team.profile.get", args)["profile"].clone();
        told["fields"].as_array().unwrap_or_else(|| panic!("{told}")).iter().map(|row| row["label"].clone()).collect()
    };
    assert_eq!(labels(""), ["Floor", "Size", "Since"]);
    assert_eq!((labels("visibility=hidden"), labels("visibility=visible").len()), (vec![json!("Size")], 2));
    let set = |fields: Value| desk.call_json(&token, "users.profile.set", &json!({ "profile": { "fields": fields } }));
    let field = |id: &Value, value: &str| json!({ id.as_str().unwrap(): { "value": value, "alt": "" } });
    for (id, value) in [(&json!("Xf0"), "x"), (&size, "XL"), (&since, "soon")] {
        assert_eq!(set(field(id, value))["error"], "invalid_profile", "{value}");
    }
    for (id, value) in [(&floor, "3"), (&size, "M"), (&since, "2026-03-02")] {
        assert_eq!(set(field(id, value))["ok"], true, "{value}");
    }
    let filled = |args: &str| desk.call(&token, "users.profile.get", args)["profile"]["fields"].clone();
    assert_eq!(filled("")[floor.as_str().unwrap()], json!({ "value": "3", "alt": "" }));
    let with_label = json!({ "value": "M", "alt": "", "label": "Size" });
    assert_eq!(filled("include_labels=true")[size.as_str().unwrap()], with_label);
    set(field(&floor, ""));
    assert_eq!(filled("").as_object().unwrap().len(), 2, "taken out");
    desk.act("slack.user.edit_profile", "lena", json!({ "profile": { "fields": field(&floor, "4") } }));
    let lenas = desk.call(&token, "users.profile.get", "user={@lena}")["profile"]["fields"].clone();
    assert_eq!(lenas[floor.as_str().unwrap()]["value"], "4");
}
