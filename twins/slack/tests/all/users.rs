//! `users.*`

use serde_json::Value;

use crate::desk::{BOT, Desk, TESTER};

#[test]
fn a_user_is_told_in_full() {
    let desk = Desk::new();
    let answer = desk.call(BOT, "users.info", "user={@lena}");
    insta::assert_json_snapshot!(answer, {
        ".user.id" => "[id]", ".user.team_id" => "[id]", ".user.profile.team" => "[id]", ".user.color" => "[color]",
        ".user.profile.avatar_hash" => "[hash]",
        ".user.profile.image_24" => "[url]", ".user.profile.image_32" => "[url]", ".user.profile.image_48" => "[url]",
        ".user.profile.image_72" => "[url]", ".user.profile.image_192" => "[url]", ".user.profile.image_512" => "[url]",
    }, @r#"
    {
      "ok": true,
      "user": {
        "id": "[id]",
        "name": "lena.fischer",
        "is_bot": false,
        "updated": 1772442000,
        "is_app_user": false,
        "team_id": "[id]",
        "deleted": false,
        "color": "[color]",
        "is_email_confirmed": true,
        "real_name": "Lena Fischer",
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "is_admin": false,
        "is_owner": false,
        "is_primary_owner": false,
        "is_restricted": false,
        "is_ultra_restricted": false,
        "has_2fa": false,
        "who_can_share_contact_card": "EVERYONE",
        "profile": {
          "real_name": "Lena Fischer",
          "display_name": "",
          "avatar_hash": "[hash]",
          "real_name_normalized": "Lena Fischer",
          "display_name_normalized": "",
          "image_24": "[url]",
          "image_32": "[url]",
          "image_48": "[url]",
          "image_72": "[url]",
          "image_192": "[url]",
          "image_512": "[url]",
          "first_name": "Lena",
          "last_name": "Fischer",
          "team": "[id]",
          "title": "Product Designer",
          "phone": "+49 30 5550101",
          "skype": "",
          "status_text": "",
          "status_text_canonical": "",
          "status_emoji": "",
          "status_emoji_display_info": [],
          "status_expiration": 0,
          "email": "lena.fischer@acme.example",
          "huddle_state": "default_unset",
          "huddle_state_expiration_ts": 0
        }
      }
    }
    "#);
}

#[test]
fn roles_and_states_show() {
    let desk = Desk::new();
    let user =
        |who: &str| desk.call(BOT, "users.info", &format!("user={{@{who}}}&include_locale=true"))["user"].clone();
    let flag = |user: &Value, name: &str| user[name].as_bool().unwrap();
    assert!(flag(&user("henrik"), "is_primary_owner") && flag(&user("dana"), "is_admin"));
    assert!(flag(&user("vikram"), "is_restricted") && flag(&user("marcus"), "deleted"));
    let bot = user("accessbot");
    assert!(flag(&bot, "is_bot") && bot["profile"]["api_app_id"].is_string() && bot["profile"].get("email").is_none());
    assert_eq!(bot["locale"], "en-US");
    assert_eq!(desk.error(BOT, "users.info", "user=U000"), "user_not_found");
    assert_eq!(desk.error(BOT, "users.info", ""), "invalid_arguments");
}

#[test]
fn people_are_found_by_mail_address() {
    let desk = Desk::new();
    let answer = desk.call(BOT, "users.lookupByEmail", "email=Lena.Fischer@acme.example");
    assert_eq!(answer["user"]["id"], desk.expand("{@lena}"));
    desk.refuses(
        BOT,
        "users.lookupByEmail",
        &[
            ("email=nobody@acme.example", "users_not_found"),
            // Deactivated, and never given an account.
            ("email=marcus.bell@acme.example", "users_not_found"),
            ("email=yusuf.demir@acme.example", "users_not_found"),
            ("", "invalid_arguments"),
        ],
    );
}

#[test]
fn all_users_are_listed() {
    let desk = Desk::new();
    let answer = desk.call(TESTER, "users.list", "");
    // 42 people less three absent, two bots, Slackbot.
    assert_eq!(answer["members"].as_array().unwrap().len(), 42 - 3 + 2 + 1);
    assert_eq!(answer["response_metadata"]["next_cursor"], "");
    let names: Vec<&str> = answer["members"].as_array().unwrap().iter().map(|u| u["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"slackbot") && !names.contains(&"hana.sato"));
    desk.refuses(
        TESTER,
        "users.list",
        &[
            ("cursor=garbage", "invalid_cursor"),
            ("cursor=dGVhbTpDMQ==", "invalid_cursor"),
            ("limit=many", "invalid_limit"),
        ],
    );
}

#[test]
fn deactivated_people_are_told_in_short() {
    let desk = Desk::new();
    let told = desk.call(BOT, "users.info", "user={@marcus}&include_locale=true")["user"].clone();
    let keys: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "name", "is_bot", "updated", "is_app_user", "team_id", "deleted", "profile", "locale"]);
    assert_eq!(told["deleted"], true);
    let listed = desk.call(TESTER, "users.list", "team_id=T0")["members"].clone();
    assert!(listed.as_array().unwrap().iter().all(|user| user.get("tz").is_some() != (user["deleted"] == true)));
}
