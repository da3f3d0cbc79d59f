//! The legacy Real Time Messaging API.

use std::time::Duration;

use dtu_kernel::serve::Listening;
use serde_json::{Value, json};

use crate::{
    desk::{DANA, Desk, TESTER},
    socket_mode::{Client, serve},
};

/// A desk whose Test Harness is a classic app, served, with its bot's token.
struct Hall {
    desk: Desk,
    door: Listening,
    bot: String,
}

impl Hall {
    fn new() -> Self {
        let desk = Desk::new();
        desk.act("slack.admin.distribute_app", "dana", json!({ "app": "dtu-tester", "classic": true }));
        let told = desk.act("slack.user.install_app", "dana", json!({ "app": "dtu-tester", "scopes": ["bot"] }));
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let client =
            format!("client_id={}&client_secret={}&code={}", text("client_id"), text("client_secret"), text("code"));
        let made = desk.call("", "oauth.access", &client);
        let bot = made["bot"]["bot_access_token"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let door = serve(&desk.universe);
        Self { desk, door, bot }
    }

    fn address(&self, args: &str) -> String {
        let answer = self.desk.call(&self.bot, "rtm.connect", args);
        let url = answer["url"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(answer["self"], json!({ "id": self.desk.expand("{@dtutester}"), "name": "dtutester" }));
        url.replace("127.0.0.1:7003", &self.door.address.to_string())
    }

    async fn client(&self, args: &str) -> Client {
        let mut client = Client::connect(&self.address(args)).await;
        assert_eq!(client.hear().await, json!({ "type": "hello" }));
        client
    }
}

#[test]
fn granular_apps_have_no_sessions() {
    let desk = Desk::new();
    for method in ["rtm.connect", "rtm.start"] {
        assert_eq!(desk.error(TESTER, method, ""), "not_allowed_token_type");
        assert_eq!(desk.error(DANA, method, ""), "not_allowed_token_type");
    }
}

#[tokio::test]
async fn sessions_begin_once_and_soon() {
    let hall = Hall::new();
    let address = hall.address("");
    let mut client = Client::connect(&address).await;
    assert_eq!(client.hear().await["type"], "hello");
    assert!(tokio_tungstenite::connect_async(&address).await.is_err(), "the address was used");
    let late = hall.address("");
    hall.desk.universe.advance(Duration::from_secs(31)).await;
    assert!(tokio_tungstenite::connect_async(&late).await.is_err(), "the address is over");
    let start = hall.desk.call(&hall.bot, "rtm.start", "no_unreads=true&mpim_aware=1");
    assert!(start["url"].is_string() && start["channels"].is_null(), "{start}");
}

#[tokio::test]
async fn a_session_answers_what_is_sent() {
    let hall = Hall::new();
    let mut client = hall.client("").await;
    client.say(json!({ "id": 1, "type": "ping", "time": 5 })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong", "reply_to": 1, "time": 5 }));
    let general = hall.desk.expand("{#general}");
    client.say(json!({ "id": 2, "type": "message", "channel": general, "text": "hello & all" })).await;
    let told = client.hear().await;
    assert_eq!((&told["ok"], &told["reply_to"], &told["text"]), (&json!(true), &json!(2), &json!("hello &amp; all")));
    let last = hall.desk.call(&hall.bot, "conversations.history", "channel={#general}&limit=1")["messages"][0].clone();
    assert_eq!((&last["ts"], &last["user"]), (&told["ts"], &json!(hall.desk.expand("{@dtutester}"))));
    let mut refused = async |what: Value, code: i64| {
        client.say(what).await;
        let told = client.hear().await;
        assert_eq!((&told["ok"], told["error"]["code"].as_i64()), (&json!(false), Some(code)), "{told}");
    };
    refused(json!({ "id": 3, "type": "message", "channel": general }), 2).await;
    refused(json!({ "id": 4, "type": "message", "channel": hall.desk.expand("{#design}"), "text": "x" }), 1).await;
    refused(json!({ "id": 5, "type": "message", "channel": general, "text": "x".repeat(4_001) }), 3).await;
    refused(json!({ "id": 6, "type": "dance" }), 1).await;
}

#[tokio::test]
async fn a_session_hears_what_the_bot_may_hear() {
    let hall = Hall::new();
    let (mut one, mut two) = (hall.client("").await, hall.client("").await);
    hall.desk.act("slack.user.post", "lena", json!({ "channel": "design", "text": "the bot is not here" }));
    hall.desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "Lunch?" }));
    for client in [&mut one, &mut two] {
        let heard = client.hear().await;
        assert_eq!((&heard["type"], &heard["text"]), (&json!("message"), &json!("Lunch?")));
        assert_eq!(heard["channel"], hall.desk.expand("{#general}"));
    }
    one.say(json!({ "id": 1, "type": "message", "channel": hall.desk.expand("{#general}"), "text": "Yes" })).await;
    assert_eq!(one.hear().await["reply_to"], 1, "who writes is not told twice");
    assert_eq!(two.hear().await["text"], "Yes");
}

#[tokio::test]
async fn a_session_watches_people() {
    let hall = Hall::new();
    let (dana, lena) = (hall.desk.expand("{@dana}"), hall.desk.expand("{@lena}"));
    let mut client = hall.client("").await;
    client.say(json!({ "type": "presence_sub", "ids": [dana] })).await;
    assert_eq!(client.hear().await, json!({ "type": "presence_change", "presence": "active", "user": dana }));
    hall.desk.call(DANA, "users.setPresence", "presence=away");
    assert_eq!(client.hear().await, json!({ "type": "presence_change", "presence": "away", "user": dana }));
    let mut many = hall.client("batch_presence_aware=1").await;
    many.say(json!({ "type": "presence_query", "ids": [dana, lena, "U000"] })).await;
    assert_eq!(many.hear().await, json!({ "type": "presence_change", "presence": "active", "users": [lena] }));
    assert_eq!(many.hear().await, json!({ "type": "presence_change", "presence": "away", "users": [dana] }));
}

#[tokio::test]
async fn a_bot_is_here_while_it_has_a_session() {
    let hall = Hall::new();
    let presence = |token: &str| {
        let told = hall.desk.call(token, "users.getPresence", "user={@dtutester}");
        (told["presence"].as_str().unwrap().to_owned(), told["connection_count"].clone())
    };
    assert_eq!(presence(DANA), ("away".to_owned(), Value::Null));
    let (one, two) = (hall.client("").await, hall.client("").await);
    assert_eq!(presence(DANA), ("active".to_owned(), Value::Null));
    assert_eq!(presence(&hall.bot), ("active".to_owned(), json!(2)));
    hall.desk.call(&hall.bot, "users.setPresence", "presence=away");
    assert_eq!(presence(DANA).0, "away", "unless it says otherwise");
    hall.desk.call(&hall.bot, "users.setPresence", "presence=auto");
    drop((one, two));
    let gone = async {
        while presence(DANA).0 != "away" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("it is gone with its sessions");
}

#[tokio::test]
async fn a_session_ends_with_its_app() {
    let hall = Hall::new();
    let mut client = hall.client("").await;
    hall.desk.act("slack.admin.revoke_token", "dana", json!({ "app": "dtu-tester" }));
    assert_eq!(client.hear().await, json!({ "type": "goodbye" }));
    assert_eq!(client.try_hear().await, Err(Some(1_000)));
}
