//! Apps made, changed and deleted with configuration tokens.

use serde_json::{Value, json};

use crate::desk::{DANA, Desk, TESTER};

/// A desk with somebody's configuration token.
fn ready(actor: &str) -> (Desk, String) {
    let desk = Desk::new();
    let token = token(&desk, actor);
    (desk, token)
}

fn token(desk: &Desk, actor: &str) -> String {
    desk.act("slack.user.config_token", actor, json!({}))["token"].as_str().unwrap().to_owned()
}

fn manifest() -> Value {
    json!({
        "display_information": { "name": "Lunch Bot", "description": "What is for lunch" },
        "features": {
            "bot_user": { "display_name": "lunch", "always_online": true },
            "slash_commands": [{ "command": "/lunch", "description": "Asks", "url": "http://127.0.0.1:9/lunch", "usage_hint": "[day]" }],
            "shortcuts": [{ "name": "Order", "type": "global", "callback_id": "order", "description": "Orders" }],
        },
        "oauth_config": { "redirect_urls": ["http://127.0.0.1:9/back"], "scopes": { "bot": ["commands", "chat:write"], "user": ["chat:write"] } },
        "settings": {
            "event_subscriptions": { "request_url": "http://127.0.0.1:9/events", "bot_events": ["app_mention"] },
            "interactivity": { "is_enabled": true, "request_url": "http://127.0.0.1:9/clicks" },
            "token_rotation_enabled": false,
        },
    })
}

fn call(desk: &Desk, token: &str, method: &str, body: &Value) -> Value {
    desk.call_json(token, &format!("apps.manifest.{method}"), body)
}

#[tokio::test]
async fn an_app_is_made_and_is_there() {
    let (desk, token) = ready("lena");
    let made = call(&desk, &token, "create", &json!({ "manifest": manifest().to_string() }));
    let id = made["app_id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    desk.settle().await;
    let app = || desk.view("apps").into_iter().find(|row| row["id"] == id.as_str()).unwrap();
    assert_eq!((&app()["name"], &app()["removed"]), (&json!("Lunch Bot"), &json!(true)));
    assert_eq!(app()["client_secret"], made["credentials"]["client_secret"]);
    assert!(app()["verification"]["failed"].is_string(), "nothing listens there: {:?}", app());
    let url = made["oauth_authorize_url"].as_str().unwrap();
    assert!(
        url.starts_with("http://127.0.0.1:7003/oauth/v2/authorize?client_id=")
            && url.contains("scope=commands%2Cchat%3Awrite"),
        "{url}"
    );
    let told = desk.act("slack.user.install_app", "lena", json!({ "app": id }));
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let client =
        format!("client_id={}&client_secret={}&code={}", text("client_id"), text("client_secret"), text("code"));
    let installed = desk.call("", "oauth.v2.access", &client);
    let bot = installed["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        (&installed["scope"], &installed["authed_user"]["scope"]),
        (&json!("commands,chat:write"), &json!("chat:write"))
    );
    let who = desk.call(&bot, "auth.test", "");
    assert_eq!((&who["user"], &who["user_id"]), (&json!("lunch"), &installed["bot_user_id"]));
    assert_eq!(desk.error(&bot, "chat.postMessage", "channel={@lena}&text=hello"), "");
    desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/lunch" }));
    assert_eq!(call(&desk, &token, "delete", &json!({ "app_id": id }))["ok"], true);
    assert_eq!(desk.error(&bot, "auth.test", ""), "account_inactive");
    assert!(desk.try_act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/lunch" })).is_err());
    assert_eq!(call(&desk, &token, "export", &json!({ "app_id": id }))["error"], "invalid_app_id");
}

#[test]
fn what_is_exported_makes_the_same_app() {
    let (desk, token) = ready("lena");
    let made = call(&desk, &token, "create", &json!({ "manifest": manifest() }));
    let one = json!({ "app_id": made["app_id"] });
    let exported = call(&desk, &token, "export", &one)["manifest"].clone();
    assert_eq!(exported["display_information"], manifest()["display_information"]);
    assert_eq!(exported["features"]["slash_commands"][0]["usage_hint"], "[day]");
    assert_eq!(exported["settings"]["event_subscriptions"], manifest()["settings"]["event_subscriptions"]);
    let check = |body: Value| assert_eq!(call(&desk, &token, "validate", &body), json!({ "ok": true }));
    check(json!({ "manifest": exported }));
    check(json!({ "manifest": exported, "app_id": made["app_id"] }));
    let update =
        |manifest: &Value| call(&desk, &token, "update", &json!({ "app_id": made["app_id"], "manifest": manifest }));
    assert_eq!(update(&exported)["permissions_updated"], false);
    let mut more = exported.clone();
    more["oauth_config"]["scopes"]["bot"] = json!(["commands", "chat:write", "users:read"]);
    more["features"]["slash_commands"][0]["command"] = json!("/dinner");
    assert_eq!(update(&more)["permissions_updated"], true);
    let app = desk.view("apps").into_iter().find(|row| row["id"] == made["app_id"]).unwrap();
    assert_eq!(app["commands"], json!({ "/dinner": "http://127.0.0.1:9/lunch" }));
    let dana = self::token(&desk, "dana");
    let world = desk.view("apps").into_iter().find(|row| row["key"] == "dtu-tester").unwrap();
    let exported = call(&desk, &dana, "export", &json!({ "app_id": world["id"] }))["manifest"].clone();
    assert_eq!(exported["features"]["bot_user"]["display_name"], "dtutester");
    assert_eq!(call(&desk, &dana, "validate", &json!({ "manifest": exported })), json!({ "ok": true }));
}

#[test]
fn what_is_wrong_with_a_manifest_has_a_place() {
    let (desk, token) = ready("lena");
    let mut bad = manifest();
    bad["display_information"]["name"] = json!("n".repeat(36));
    bad["features"]["slash_commands"][0]["url"] = json!("ftp://x");
    for method in ["create", "validate"] {
        let told = call(&desk, &token, method, &json!({ "manifest": bad }));
        assert_eq!(told["error"], "invalid_manifest");
        assert_eq!(
            told["errors"],
            json!([
                { "message": "must be less than 36 characters", "pointer": "/display_information/name" },
                { "message": "must be a valid URL", "pointer": "/features/slash_commands/0/url" },
            ]),
        );
    }
    assert_eq!(call(&desk, &token, "create", &json!({ "manifest": "{" }))["error"], "invalid_manifest");
    assert_eq!(call(&desk, &token, "create", &json!({}))["error"], "invalid_arguments");
    assert_eq!(
        call(&desk, &token, "validate", &json!({ "manifest": manifest(), "app_id": "A000" }))["error"],
        "invalid_app_id"
    );
    let made = call(&desk, &token, "create", &json!({ "manifest": manifest() }));
    let other = self::token(&desk, "omar");
    let one = json!({ "app_id": made["app_id"], "manifest": manifest() });
    for method in ["update", "delete", "export"] {
        assert_eq!(call(&desk, &other, method, &one)["error"], "no_permission", "{method}");
    }
    for token in [TESTER, DANA] {
        assert_eq!(call(&desk, token, "export", &one)["error"], "not_allowed_token_type");
    }
    assert_eq!(desk.error(&token, "users.list", ""), "not_allowed_token_type", "configuration is all that it is for");
}
