//! Reactions, pins, stars, bookmarks, user groups, profiles, snoozes, and what is said later.

use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::{APP, DANA, Desk, TESTER};

/// A desk with a message of the tester's bot in #general.
fn posted() -> (Desk, String) {
    let desk = Desk::new();
    desk.call(TESTER, "conversations.join", "channel={#general}");
    let ts = desk.post(TESTER, "channel={#general}&text=Lunch?");
    (desk, ts)
}

fn now(desk: &Desk) -> i64 {
    desk.universe.now().as_secs()
}

#[test]
fn reactions_show_in_messages() {
    let (desk, ts) = posted();
    let item = format!("channel={{#general}}&timestamp={ts}");
    desk.refuses(
        TESTER,
        "reactions.add",
        &[(&format!("{item}&name=tada"), ""), (&format!("{item}&name=tada"), "already_reacted")],
    );
    assert_eq!(desk.error(DANA, "reactions.add", &format!("{item}&name=tada")), "");
    assert_eq!(desk.error(DANA, "reactions.add", &format!("{item}&name=%2B1::skin-tone-3")), "");
    let told = desk.call(TESTER, "reactions.get", &item);
    let wanted = json!([
        { "name": "tada", "users": [desk.expand("{@dtutester}"), desk.expand("{@dana}")], "count": 2 },
        { "name": "+1::skin-tone-3", "users": [desk.expand("{@dana}")], "count": 1 },
    ]);
    assert_eq!(told["message"]["reactions"], wanted);
    let history = desk.call(TESTER, "conversations.history", "channel={#general}&limit=1");
    assert_eq!(history["messages"][0]["reactions"], wanted);
    let listed = desk.call(DANA, "reactions.list", "");
    assert_eq!(listed["items"][0]["message"]["ts"], ts);
    assert_eq!(desk.error(DANA, "reactions.remove", &format!("{item}&name=tada")), "");
    assert_eq!(desk.error(DANA, "reactions.remove", &format!("{item}&name=tada")), "no_reaction");
    desk.refuses(
        TESTER,
        "reactions.add",
        &[
            (&format!("{item}&name=nonsense"), "invalid_name"),
            (&format!("{item}&name=:tada:"), "invalid_name"),
            ("channel={#general}&name=tada", "no_item_specified"),
            ("channel={#general}&timestamp=soon&name=tada", "bad_timestamp"),
            ("channel={#general}&timestamp=1.000001&name=tada", "message_not_found"),
            ("channel=C000&timestamp=1.000001&name=tada", "channel_not_found"),
            ("file=F000&name=tada", "file_not_found"),
            ("file_comment=Fc000&name=tada", "file_comment_not_found"),
            (&item, "invalid_arguments"),
        ],
    );
    desk.refuses(DANA, "reactions.list", &[("user=U000", "user_not_found"), ("cursor=x", "invalid_cursor")]);
}

#[test]
fn too_many_reactions_are_refused() {
    let (desk, ts) = posted();
    let names = "tada eyes +1 -1 100 1234 a ab abc abcd zap yen x wink wave warning watch whale zzz yum zebra_face zombie wrench";
    let item = format!("channel={{#general}}&timestamp={ts}");
    let react = |name: &str| desk.error(DANA, "reactions.add", &format!("{item}&name={}", name.replace('+', "%2B")));
    for name in names.split(' ') {
        assert_eq!(react(name), "", "{name}");
    }
    assert_eq!(react("womans_hat"), "too_many_reactions");
}

#[test]
fn pins_are_listed_and_told() {
    let (desk, ts) = posted();
    let item = format!("channel={{#general}}&timestamp={ts}");
    assert_eq!(desk.error(TESTER, "pins.add", &item), "");
    let listed = desk.call(TESTER, "pins.list", "channel={#general}");
    assert_eq!(listed["items"][0]["message"]["ts"], ts);
    assert_eq!(listed["items"][0]["created_by"], desk.expand("{@dtutester}"));
    let history = desk.call(TESTER, "conversations.history", "channel={#general}&limit=2");
    let note = &history["messages"][0];
    assert_eq!(note["subtype"], "pinned_item");
    assert_eq!(history["messages"][1]["pinned_to"], json!([desk.expand("{#general}")]));
    let note = format!("channel={{#general}}&timestamp={}", note["ts"].as_str().unwrap());
    desk.refuses(
        TESTER,
        "pins.add",
        &[(&item, "already_pinned"), (&note, "not_pinnable"), ("channel={#general}", "no_item_specified")],
    );
    assert_eq!(history["pin_count"], 1);
    assert_eq!(desk.error(TESTER, "pins.remove", &item), "");
    assert_eq!(desk.error(TESTER, "pins.remove", &item), "no_pin");
}

#[test]
fn stars_are_for_people() {
    let (desk, ts) = posted();
    let item = format!("channel={{#general}}&timestamp={ts}");
    desk.refuses(TESTER, "stars.add", &[(&item, "not_allowed_token_type")]);
    desk.refuses(
        DANA,
        "stars.add",
        &[(&item, ""), (&item, "already_starred"), ("channel={#general}", ""), ("", "no_item_specified")],
    );
    let listed = desk.call(DANA, "stars.list", "");
    let kinds: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds.len(), 2);
    assert_eq!(listed["paging"]["total"], 2);
    desk.refuses(DANA, "stars.remove", &[(&item, ""), (&item, "not_starred")]);
    let file = desk.act("slack.user.upload", "dana", json!({ "channel": "general", "name": "a.txt", "content": "a" }));
    let file = format!("file={}", file["file"].as_str().unwrap());
    desk.refuses(DANA, "stars.add", &[(&file, ""), (&file, "already_starred"), ("file=F000", "file_not_found")]);
    let listed = desk.call(DANA, "stars.list", "")["items"].clone();
    let listed = listed.as_array().unwrap().iter().find(|item| item["type"] == "file").unwrap_or(&listed);
    assert_eq!(listed["file"]["is_starred"], true, "{listed}");
    desk.refuses(DANA, "stars.remove", &[(&file, ""), (&file, "not_starred")]);
    desk.refuses(DANA, "stars.add", &[("file_comment=Fc0", "file_comment_not_found")]);
}

#[test]
fn bookmarks_are_kept() {
    let (desk, _) = posted();
    let made = desk.call(
        TESTER,
        "bookmarks.add",
        "channel_id={#general}&title=Menu&type=link&link=https://acme.example/menu&emoji=:tada:",
    );
    let id = made["bookmark"]["id"].as_str().unwrap();
    assert_eq!(made["bookmark"]["icon_url"], "https://acme.example/favicon.ico");
    let edited = desk.call(TESTER, "bookmarks.edit", &format!("channel_id={{#general}}&bookmark_id={id}&title=Lunch"));
    assert_eq!(
        (&edited["bookmark"]["title"], &edited["bookmark"]["link"]),
        (&json!("Lunch"), &json!("https://acme.example/menu"))
    );
    assert_eq!(desk.call(TESTER, "bookmarks.list", "channel_id={#general}")["bookmarks"].as_array().unwrap().len(), 1);
    desk.refuses(
        TESTER,
        "bookmarks.add",
        &[
            ("channel_id={#general}&title=x&type=file&link=https://a.b", "invalid_bookmark_type"),
            ("channel_id={#general}&title=x&type=link&link=a.b", "invalid_link"),
            ("channel_id={#general}&title=x&type=link&link=https://a.b&emoji=nope", "invalid_emoji"),
            ("channel_id=C000&title=x&type=link&link=https://a.b", "channel_not_found"),
        ],
    );
    let one = format!("channel_id={{#general}}&bookmark_id={id}");
    desk.refuses(TESTER, "bookmarks.remove", &[(&one, ""), (&one, "bookmark_not_found")]);
}

#[tokio::test]
async fn scheduled_messages_are_posted_in_time() {
    let (desk, _) = posted();
    let at = now(&desk) + 600;
    let made = desk.call(TESTER, "chat.scheduleMessage", &format!("channel={{#general}}&text=Later&post_at={at}"));
    assert_eq!((&made["post_at"], &made["message"]["text"]), (&json!(at), &json!("Later")));
    let listed = desk.call(TESTER, "chat.scheduledMessages.list", "");
    assert_eq!(listed["scheduled_messages"][0]["id"], made["scheduled_message_id"]);
    let other = desk.call(TESTER, "chat.scheduleMessage", &format!("channel={{#general}}&text=Never&post_at={at}"));
    let id = other["scheduled_message_id"].as_str().unwrap();
    let one = format!("channel={{#general}}&scheduled_message_id={id}");
    desk.refuses(TESTER, "chat.deleteScheduledMessage", &[(&one, ""), (&one, "invalid_scheduled_message_id")]);
    desk.universe.advance(Duration::from_secs(601)).await;
    assert_eq!(desk.texts("general").last().unwrap(), "Later");
    assert_eq!(desk.call(TESTER, "chat.scheduledMessages.list", "")["scheduled_messages"], json!([]));
}

#[test]
fn times_that_do_not_fit_are_refused() {
    let (desk, _) = posted();
    let now = now(&desk);
    let at = |time: String| format!("channel={{#general}}&text=x&post_at={time}");
    desk.refuses(
        TESTER,
        "chat.scheduleMessage",
        &[
            (&at("soon".into()), "invalid_time"),
            (&at((now - 1).to_string()), "time_in_past"),
            (&at((now + 121 * 86_400).to_string()), "time_too_far"),
            (&format!("channel={{#general}}&post_at={}", now + 60), "no_text"),
        ],
    );
    let window = now - now.rem_euclid(300) + 600;
    for n in 0..30 {
        assert_eq!(desk.error(TESTER, "chat.scheduleMessage", &at((window + n).to_string())), "");
    }
    desk.refuses(TESTER, "chat.scheduleMessage", &[(&at((window + 40).to_string()), "restricted_too_many")]);
}

#[tokio::test]
async fn reminders_ring() {
    let desk = Desk::new();
    let made = desk.call(DANA, "reminders.add", "text=eat&time=in 5 minutes");
    let one = format!("reminder={}", made["reminder"]["id"].as_str().unwrap());
    assert_eq!(made["reminder"]["time"], now(&desk) + 300);
    desk.universe.advance(Duration::from_secs(301)).await;
    assert!(desk.view("messages").iter().any(|row| row["text"] == "Reminder: eat."));
    assert_eq!(desk.error(DANA, "reminders.complete", &one), "");
    assert!(desk.call(DANA, "reminders.info", &one)["reminder"]["complete_ts"].as_i64().unwrap() > 0);
    desk.refuses(DANA, "reminders.delete", &[(&one, ""), (&one, "not_found")]);
    desk.refuses(
        DANA,
        "reminders.add",
        &[
            ("text=x&time=whenever", "cannot_parse"),
            ("text=x&time=20&user={@dtutester}", "cannot_add_bot"),
            ("text=x&time=20&user=USLACKBOT", "cannot_add_slackbot"),
            ("text=x&time=20&user=U000", "user_not_found"),
            ("text=x&time=every day&user={@lena}", "cannot_add_others_recurring"),
        ],
    );
}

#[tokio::test]
async fn reminders_come_again_at_the_hour_where_people_are() {
    let desk = Desk::new();
    let zone = desk.call(DANA, "users.info", "user={@dana}")["user"]["tz_offset"].as_i64().unwrap();
    let nine = |time: &Value| (time.as_i64().unwrap() + zone).rem_euclid(86_400) == 9 * 3_600;
    let made = desk.call(DANA, "reminders.add", "text=stand up&time=tomorrow")["reminder"].clone();
    assert!(nine(&made["time"]), "{made}");
    let again = json!({ "frequency": "weekly", "weekdays": ["monday", "friday"] });
    let told = desk.call(DANA, "reminders.add", &format!("text=report&time=tomorrow&recurrence={again}"));
    assert_eq!((&told["reminder"]["recurring"], &told["reminder"]["recurrence"]), (&json!(true), &again));
    let told = desk.call(DANA, "reminders.add", "text=eat&time=every weekday at noon")["reminder"].clone();
    assert_eq!(told["recurrence"]["weekdays"].as_array().unwrap().len(), 5);
    desk.refuses(
        DANA,
        "reminders.add",
        &[
            ("text=x&time=tomorrow&recurrence={\"frequency\":\"hourly\"}", "cannot_parse"),
            ("text=x&time=2020-01-01", "cannot_parse"),
        ],
    );
    desk.universe.advance(Duration::from_secs(8 * 86_400)).await;
    let rang = desk.view("messages").into_iter().filter(|row| row["text"] == "Reminder: eat.").count();
    assert!((5..=6).contains(&rang), "{rang}");
}

#[test]
fn bookmarks_have_their_bounds() {
    let (desk, _) = posted();
    let add = |more: &str| format!("channel_id={{#general}}&type=link&link=https://a.example&title=T&{more}");
    desk.refuses(
        TESTER,
        "bookmarks.add",
        &[
            (&add("parent_id=Bk000"), "invalid_parent_type"),
            (&add(&format!("title={}", "x".repeat(257))), "invalid_arguments"),
            (&add(&format!("link=https://a.example/{}", "x".repeat(2048))), "invalid_arguments"),
            (&add("link=ftp://a.example"), "invalid_link"),
            (&add("type=folder"), "invalid_bookmark_type"),
            (&add(""), ""),
        ],
    );
}

#[test]
fn groups_hold_people() {
    let desk = Desk::new();
    let made = desk.call(TESTER, "usergroups.create", "name=Designers&handle=designers");
    let id = made["usergroup"]["id"].as_str().unwrap();
    let one = format!("usergroup={id}");
    let set =
        desk.call(TESTER, "usergroups.users.update", &format!("{one}&users={{@lena}},{{@omar}}&include_count=true"));
    assert_eq!(set["usergroup"]["user_count"], 2);
    assert_eq!(desk.call(TESTER, "usergroups.users.list", &one)["users"].as_array().unwrap().len(), 2);
    desk.refuses(
        TESTER,
        "usergroups.create",
        &[
            ("name=designers", "name_already_exists"),
            ("name=Other&handle=designers", "handle_already_exists"),
            ("name=Other&handle=general", "handle_already_exists"),
            ("name=Other&channels=C000", "channel_not_found"),
        ],
    );
    desk.refuses(
        TESTER,
        "usergroups.users.update",
        &[
            (&format!("{one}&users="), "no_users_provided"),
            (&format!("{one}&users=U000"), "invalid_users"),
            ("usergroup=S000&users={@lena}", "no_such_subteam"),
        ],
    );
    assert_eq!(desk.error(TESTER, "usergroups.disable", &one), "");
    assert_eq!(desk.call(TESTER, "usergroups.list", "")["usergroups"], json!([]));
    assert_eq!(desk.error(TESTER, "usergroups.enable", &one), "");
    assert_eq!(
        desk.call(TESTER, "usergroups.list", "include_users=true")["usergroups"][0]["users"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_status_is_shown_until_it_is_over() {
    let desk = Desk::new();
    let until = now(&desk) + 60;
    let profile = json!({ "status_text": "riding", "status_emoji": ":tada:", "status_expiration": until });
    let set = desk.call(DANA, "users.profile.set", &format!("profile={profile}"));
    assert_eq!(set["profile"]["status_text"], "riding");
    assert_eq!(desk.call(TESTER, "users.profile.get", "user={@dana}")["profile"]["status_emoji"], ":tada:");
    desk.universe.advance(Duration::from_secs(61)).await;
    assert_eq!(desk.call(TESTER, "users.profile.get", "user={@dana}")["profile"]["status_text"], "");
    let long = "x".repeat(101);
    desk.refuses(
        DANA,
        "users.profile.set",
        &[
            ("", "invalid_profile"),
            ("profile=[]", "invalid_profile"),
            (&format!("name=status_text&value={long}"), "too_long"),
            ("name=status_emoji&value=nope", "profile_status_set_failed_not_valid_emoji"),
            ("name=email&value=lena.fischer@acme.example", "email_taken"),
            ("user={@henrik}&name=title&value=x", "cannot_update_admin_user"),
            ("user={@dtutester}&name=title&value=x", "not_app_admin"),
            ("user=U000&name=title&value=x", "user_not_found"),
        ],
    );
    desk.refuses(TESTER, "users.profile.set", &[("name=title&value=x", "not_allowed_token_type")]);
}

#[tokio::test]
async fn presence_and_snoozes_are_told() {
    let desk = Desk::new();
    assert_eq!(desk.call(TESTER, "users.getPresence", "user={@dana}")["presence"], "active");
    desk.refuses(DANA, "users.setPresence", &[("presence=away", ""), ("presence=busy", "invalid_presence")]);
    assert_eq!(desk.call(DANA, "users.getPresence", "")["manual_away"], true);
    desk.refuses(DANA, "dnd.setSnooze", &[("num_minutes=0", "missing_duration"), ("num_minutes=10", "")]);
    assert_eq!(desk.call(DANA, "dnd.info", "")["snooze_remaining"], 600);
    assert_eq!(desk.call(TESTER, "dnd.info", "user={@dana}").get("snooze_enabled"), None);
    desk.refuses(DANA, "dnd.endSnooze", &[("", ""), ("", "snooze_not_active")]);
    assert_eq!(desk.error(DANA, "dnd.endDnd", ""), "");
}

#[test]
fn links_lead_to_messages() {
    let (desk, ts) = posted();
    let reply = desk.post(TESTER, &format!("channel={{#general}}&text=yes&thread_ts={ts}"));
    let link = |ts: &str| {
        desk.call(TESTER, "chat.getPermalink", &format!("channel={{#general}}&message_ts={ts}"))["permalink"].clone()
    };
    assert!(link(&ts).as_str().unwrap().ends_with(&format!("/p{}", ts.replace('.', ""))));
    assert!(link(&reply).as_str().unwrap().contains(&format!("?thread_ts={ts}&cid=")));
    desk.refuses(
        TESTER,
        "chat.getPermalink",
        &[
            ("channel={#general}&message_ts=1.000001", "message_not_found"),
            (&format!("channel=C0&message_ts={ts}"), "channel_not_found"),
        ],
    );
    let me = desk.call(TESTER, "chat.meMessage", "channel={#general}&text=waves");
    let history = desk.call(TESTER, "conversations.history", "channel={#general}&limit=1");
    assert_eq!((&history["messages"][0]["ts"], &history["messages"][0]["subtype"]), (&me["ts"], &json!("me_message")));
    desk.refuses(
        TESTER,
        "chat.meMessage",
        &[("channel={#general}", "no_text"), ("channel=C0&text=x", "channel_not_found")],
    );
}

#[test]
fn links_of_an_apps_domains_are_shown() {
    let (desk, _) = posted();
    let ts = desk.post(TESTER, "channel={#general}&text=see https://tickets.acme.example/1");
    let unfurl = |url: &str| format!("channel={{#general}}&ts={ts}&unfurls={}", json!({ url: { "text": "One" } }));
    desk.refuses(TESTER, "chat.unfurl", &[(&unfurl("https://tickets.acme.example/1"), "cannot_find_service")]);
    desk.act("slack.admin.distribute_app", "dana", json!({ "app": "dtu-tester", "unfurl_domains": ["acme.example"] }));
    desk.refuses(
        TESTER,
        "chat.unfurl",
        &[
            (&unfurl("https://tickets.acme.example/1"), ""),
            (&unfurl("https://tickets.acme.example/2"), "cannot_unfurl_message"),
            (&unfurl("https://elsewhere.example/"), "cannot_unfurl_url"),
            (&format!("channel={{#general}}&ts={ts}"), "missing_unfurls"),
            (&format!("channel={{#general}}&ts={ts}&unfurls=x"), "invalid_unfurls_format"),
            ("channel=C0&ts=1.000001&unfurls={}", "cannot_find_channel"),
        ],
    );
    let history = desk.call(TESTER, "conversations.history", "channel={#general}&limit=1");
    assert_eq!(history["messages"][0]["attachments"][0]["app_unfurl_url"], "https://tickets.acme.example/1");
}

#[tokio::test]
async fn apps_are_installed_and_tokens_turn_over() {
    let desk = Desk::new();
    let distribute =
        json!({ "app": "dtu-tester", "redirect_urls": ["http://127.0.0.1:9/back"], "token_rotation": true });
    desk.act("slack.admin.distribute_app", "dana", distribute);
    let let_in =
        desk.act("slack.user.install_app", "lena", json!({ "app": "dtu-tester", "user_scopes": ["chat:write"] }));
    let text = |name: &str| let_in[name].as_str().unwrap().to_owned();
    let client = format!("client_id={}&client_secret={}", text("client_id"), text("client_secret"));
    let code = text("code");
    desk.refuses(
        "",
        "oauth.v2.access",
        &[
            ("client_id=1.2&code=x", "invalid_client_id"),
            (&format!("client_id={}&client_secret=x&code=x", text("client_id")), "bad_client_secret"),
            (&format!("{client}&code=x"), "invalid_code"),
            (&format!("{client}&code={code}&redirect_uri=http://127.0.0.1:9/else"), "bad_redirect_uri"),
            (&format!("{client}&grant_type=password"), "invalid_grant_type"),
        ],
    );
    let made = desk.call("", "oauth.v2.access", &format!("{client}&code={code}"));
    assert_eq!((&made["token_type"], &made["expires_in"]), (&json!("bot"), &json!(43_200)));
    assert_eq!(made["authed_user"]["id"], desk.expand("{@lena}"));
    desk.refuses("", "oauth.v2.access", &[(&format!("{client}&code={code}"), "invalid_code")]);
    let token = made["access_token"].as_str().unwrap();
    assert_eq!(desk.error(token, "auth.test", ""), "");
    let again = format!("{client}&grant_type=refresh_token&refresh_token={}", made["refresh_token"].as_str().unwrap());
    let next = desk.call("", "oauth.v2.access", &again);
    desk.refuses("", "oauth.v2.access", &[(&again, "invalid_refresh_token")]);
    assert_eq!(desk.error(token, "auth.test", ""), "account_inactive");
    let token = next["access_token"].as_str().unwrap();
    desk.universe.advance(Duration::from_secs(43_200)).await;
    assert_eq!(desk.error(token, "auth.test", ""), "token_expired");
}

#[test]
fn tokens_are_revoked_and_apps_uninstalled() {
    let desk = Desk::new();
    assert_eq!(desk.call(DANA, "auth.revoke", "test=1")["revoked"], false);
    assert_eq!(desk.call(DANA, "auth.revoke", "")["revoked"], true);
    assert_eq!(desk.error(DANA, "auth.test", ""), "token_revoked");
    let apps = desk.view("apps");
    let app = apps.iter().find(|row| row["key"] == "dtu-tester").unwrap();
    let other = apps.iter().find(|row| row["key"] != "dtu-tester").unwrap();
    let client = |row: &serde_json::Map<String, Value>| {
        format!(
            "client_id={}&client_secret={}",
            row["client_id"].as_str().unwrap(),
            row["client_secret"].as_str().unwrap()
        )
    };
    desk.refuses(
        TESTER,
        "apps.uninstall",
        &[(&client(other), "client_id_token_mismatch"), ("client_id=1.2", "invalid_client_id"), (&client(app), "")],
    );
    assert_eq!(desk.error(TESTER, "auth.test", ""), "account_inactive");
}

#[test]
fn configuration_tokens_turn_over() {
    let desk = Desk::new();
    let made = desk.act("slack.user.config_token", "dana", json!({}));
    let args = format!("refresh_token={}", made["refresh_token"].as_str().unwrap());
    let next = desk.call("", "tooling.tokens.rotate", &args);
    assert_eq!(next["user_id"], desk.expand("{@dana}"));
    desk.refuses("", "tooling.tokens.rotate", &[(&args, "invalid_refresh_token")]);
}

#[test]
fn the_workspace_is_told() {
    let desk = Desk::new();
    let team = desk.call(TESTER, "team.info", "")["team"].clone();
    desk.refuses(
        TESTER,
        "team.info",
        &[(&format!("team={}", team["id"].as_str().unwrap()), ""), ("team=T0", "team_not_found")],
    );
    let bot = desk.call(TESTER, "users.info", "user={@dtutester}")["user"]["profile"]["bot_id"].clone();
    let told = desk.call(TESTER, "bots.info", &format!("bot={}", bot.as_str().unwrap()));
    assert_eq!(told["bot"]["user_id"], desk.expand("{@dtutester}"));
    desk.refuses(TESTER, "bots.info", &[("bot=B000", "bot_not_found")]);
    desk.act("slack.user.add_emoji", "dana", json!({ "name": "acme", "value": "https://acme.example/a.png" }));
    assert_eq!(desk.call(TESTER, "emoji.list", "")["emoji"]["acme"], "https://acme.example/a.png");
    assert_eq!(desk.call(DANA, "users.identity", "")["user"]["id"], desk.expand("{@dana}"));
    let own = desk.call(TESTER, "users.conversations", "user={@lena}");
    assert!(own["channels"].as_array().unwrap().iter().any(|row| row["name"] == "general"));
    assert_eq!(
        desk.call(DANA, "team.billableInfo", "user={@marcus}")["billable_info"][desk.expand("{@marcus}")]["billing_active"],
        false
    );
    assert_eq!(desk.call(DANA, "team.integrationLogs", "")["paging"]["total"], 2);
    assert_eq!(desk.error(TESTER, "team.profile.get", ""), "");
    assert_eq!(desk.call(TESTER, "auth.teams.list", "")["teams"][0]["id"], team["id"]);
}

#[test]
fn files_that_others_keep_are_told_of() {
    let desk = Desk::new();
    let url = "external_url=https://drive.example/plan";
    let made = desk.call(TESTER, "files.remote.add", &format!("external_id=plan-1&title=Plan&{url}"));
    assert_eq!(made["file"]["external_id"], "plan-1");
    assert_eq!(desk.call(TESTER, "files.remote.info", "external_id=plan-1")["file"]["title"], "Plan");
    assert_eq!(desk.error(TESTER, "files.remote.update", "external_id=plan-1&title=Plans"), "");
    let listed = desk.call(TESTER, "files.remote.list", "");
    assert_eq!(listed["files"][0]["title"], "Plans");
    assert_eq!(desk.error(TESTER, "files.remote.share", "external_id=plan-1&channels={#general}"), "");
    assert_eq!(desk.error(TESTER, "files.remote.remove", "external_id=plan-1"), "");
    desk.refuses(TESTER, "files.remote.info", &[("external_id=plan-1", "file_not_found")]);
}

#[test]
fn people_ask_for_their_reminders_and_for_others_snoozes() {
    let desk = Desk::new();
    assert_eq!(desk.call(DANA, "reminders.list", "")["reminders"], json!([]));
    desk.call(DANA, "reminders.add", "text=stand+up&time=in+5+minutes");
    assert_eq!(desk.call(DANA, "reminders.list", "")["reminders"][0]["text"], "stand up");
    desk.call(DANA, "dnd.setSnooze", "num_minutes=20");
    let told = desk.call(TESTER, "dnd.teamInfo", "users={@dana},{@lena}");
    assert_eq!(told["users"].as_object().unwrap().len(), 2);
}

#[test]
fn what_apps_ask_of_themselves_is_refused_to_others() {
    let desk = Desk::new();
    desk.refuses(APP, "apps.event.authorizations.list", &[("event_context=nothing", "missing_scope")]);
    desk.refuses(
        TESTER,
        "oauth.v2.exchange",
        &[("client_id=1.2&client_secret=x", "invalid_client_id"), ("client_id=&client_secret=", "invalid_client_id")],
    );
}

#[test]
fn a_reaction_by_its_second_name_is_the_same() {
    let desk = Desk::new();
    let ts = desk.post(TESTER, "channel={#general}&text=hi");
    let react = |method: &str, name: &str| {
        desk.error(TESTER, method, &format!("channel={{#general}}&timestamp={ts}&name={name}"))
    };
    assert_eq!(react("reactions.add", "thumbsup"), "");
    assert_eq!(react("reactions.add", "%2B1"), "already_reacted");
    assert_eq!(react("reactions.add", "thumbsup::skin-tone-3"), "", "another tone is another reaction");
    let told = desk.call(TESTER, "reactions.get", &format!("channel={{#general}}&timestamp={ts}"));
    let names: Vec<&Value> = told["message"]["reactions"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["+1", "+1::skin-tone-3"]);
    assert_eq!(react("reactions.remove", "%2B1"), "");
    assert_eq!(react("reactions.remove", "thumbsup"), "no_reaction");
}
