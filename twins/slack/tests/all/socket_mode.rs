//! Socket Mode: what apps are sent over sockets, what their acknowledgements do, and how sockets end.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    fault::Rule,
    serve::{Listening, listen, routes},
    universe::Universe,
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, http::StatusCode, protocol::CloseFrame},
};

use crate::desk::{APP, BOT, Desk, TESTER};

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A desk whose Test Harness is in Socket Mode, served.
struct Hall {
    desk: Desk,
    door: Listening,
}

impl Hall {
    fn new() -> Self {
        let hall = Self::closed();
        hall.configure(json!({
            "app": "dtu-tester", "socket_mode": true, "events": ["message.channels"], "commands": { "/dtu": "" },
        }));
        hall
    }

    /// The same before Socket Mode is turned on.
    fn closed() -> Self {
        let desk = Desk::new();
        let door = serve(&desk.universe);
        Self { desk, door }
    }

    fn configure(&self, with: Value) {
        self.desk.act("slack.admin.configure_app", "dana", with);
    }

    /// An address to connect to.
    fn address(&self) -> String {
        let answer = self.desk.call(APP, "apps.connections.open", "");
        let url = answer["url"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert!(url.starts_with("ws://127.0.0.1:7003/link/?ticket=") && url.contains("&app_id=A0"), "{url}");
        url.replace("127.0.0.1:7003", &self.door.address.to_string())
    }

    /// A client that was greeted.
    async fn client(&self) -> Client {
        let mut client = Client::connect(&self.address()).await;
        let hello = client.hear().await;
        assert_eq!(hello["type"], "hello", "{hello}");
        client
    }

    fn say(&self, text: &str) {
        self.desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": text }));
    }

    fn open(&self) -> usize {
        self.desk.state().sockets.connections.len()
    }

    /// Waits until so many sockets are open.
    async fn until_open(&self, wanted: usize) {
        let open = async {
            while self.open() != wanted {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, open).await.is_ok(), "{} sockets are open", self.open());
    }

    fn arm(&self, rule: Value) {
        let rule: Rule = serde_json::from_value(rule).unwrap();
        self.desk.universe.arm(&[rule]).unwrap();
    }
}

pub(crate) fn serve(universe: &Arc<Universe>) -> Listening {
    listen(universe, 0, routes(&universe.twins()[0]), 0).unwrap()
}

pub(crate) struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub(crate) async fn connect(address: &str) -> Self {
        Self(connect_async(address).await.unwrap().0)
    }

    /// The next text as JSON.
    pub(crate) async fn hear(&mut self) -> Value {
        self.try_hear().await.unwrap_or_else(|end| panic!("the socket has ended: {end:?}"))
    }

    /// The next text, or how the socket ended: with a code, or without.
    pub(crate) async fn try_hear(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|CloseFrame { code, .. }| code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    pub(crate) async fn say(&mut self, what: Value) {
        self.0.send(Message::text(what.to_string())).await.unwrap();
    }

    async fn acknowledge(&mut self, envelope: &Value) {
        self.say(json!({ "envelope_id": envelope["envelope_id"] })).await;
    }
}

#[tokio::test]
async fn addresses_are_for_apps() {
    let hall = Hall::new();
    let check = |token: &str, code: &str| assert_eq!(hall.desk.error(token, "apps.connections.open", ""), code);
    check(TESTER, "not_allowed_token_type");
    check(BOT, "not_allowed_token_type");
    check("xapp-1-nobody", "invalid_auth");
    check("", "not_authed");
    check(APP, "");
    assert_eq!(hall.desk.error(APP, "users.list", ""), "not_allowed_token_type");
}

#[tokio::test]
async fn an_address_is_good_for_one_connection_and_not_for_long() {
    let hall = Hall::new();
    let refused = async |address: &str, wanted: u16| match connect_async(address).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), StatusCode::from_u16(wanted).unwrap()),
        other => panic!("{other:?}"),
    };
    let address = hall.address();
    let _client = Client::connect(&address).await;
    refused(&address, 404).await;
    let late = hall.address();
    hall.desk.universe.advance(Duration::from_secs(61)).await;
    refused(&late, 404).await;
    refused(&hall.address().replace("app_id=A0", "app_id=A1"), 404).await;
    let no_socket = hall.desk.request(http::Method::GET, "/link/?ticket=x", &[], b"");
    assert_eq!(no_socket.status, 400);
    assert_eq!(hall.open(), 1);
}

#[tokio::test]
async fn clients_are_greeted_and_counted() {
    let hall = Hall::new();
    let mut first = Client::connect(&hall.address()).await;
    let hello = first.hear().await;
    let app = hall.desk.state().find_app("dtu-tester").unwrap().id.clone();
    assert_eq!((&hello["num_connections"], &hello["connection_info"]), (&json!(1), &json!({ "app_id": app })));
    assert_eq!(hello["debug_info"]["approximate_connection_time"], 3600);
    let mut second = Client::connect(&format!("{}&debug_reconnects=true", hall.address())).await;
    let hello = second.hear().await;
    assert_eq!(
        (&hello["num_connections"], &hello["debug_info"]["approximate_connection_time"]),
        (&json!(2), &json!(360))
    );
    second.0.close(None).await.unwrap();
    hall.until_open(1).await;
    drop(first);
    hall.until_open(0).await;
}

#[tokio::test]
async fn an_app_has_ten_sockets_at_most() {
    let hall = Hall::new();
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(hall.client().await);
    }
    let mut one_more = Client::connect(&hall.address()).await;
    let told = one_more.hear().await;
    assert_eq!((&told["type"], &told["reason"]), (&json!("disconnect"), &json!("too_many_websockets")));
    assert_eq!(one_more.try_hear().await, Err(Some(1000)));
    assert_eq!(hall.open(), 10);
}

#[tokio::test]
async fn events_come_in_envelopes_to_one_socket() {
    let hall = Hall::new();
    let mut client = hall.client().await;
    hall.say("Hello");
    let envelope = client.hear().await;
    assert_eq!(envelope["type"], "events_api");
    assert_eq!((&envelope["retry_attempt"], &envelope["retry_reason"]), (&json!(0), &json!("")));
    assert_eq!(envelope["accepts_response_payload"], false);
    assert_eq!(envelope["payload"]["type"], "event_callback");
    assert_eq!(envelope["payload"]["event"]["text"], "Hello");
    client.acknowledge(&envelope).await;
    hall.desk.settle().await;
    let kinds: Vec<Value> = hall.desk.ledger().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "delivery").count(), 1);
    assert!(kinds.contains(&json!("frame")));
}

#[tokio::test]
async fn several_sockets_share_the_events() {
    let hall = Hall::new();
    let (mut a, mut b) = (hall.client().await, hall.client().await);
    let (mut to_a, mut to_b) = (0, 0);
    for n in 0..12 {
        hall.say(&format!("message {n}"));
        let (envelope, who) = tokio::select! {
            envelope = a.hear() => { to_a += 1; (envelope, &mut a) }
            envelope = b.hear() => { to_b += 1; (envelope, &mut b) }
        };
        who.acknowledge(&envelope).await;
        hall.desk.settle().await;
    }
    assert!(to_a + to_b == 12 && to_a > 0 && to_b > 0, "{to_a} and {to_b}");
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let hall = Hall::new();
    let mut client = hall.client().await;
    hall.say("Hello");
    let first = client.hear().await;
    // Three seconds of the machine's time go by.
    let second = client.hear().await;
    assert_eq!(first["envelope_id"], second["envelope_id"]);
    assert_eq!((&second["retry_attempt"], &second["retry_reason"]), (&json!(1), &json!("timeout")));
    client.acknowledge(&second).await;
    hall.desk.settle().await;
    assert!(hall.desk.universe.jobs().iter().all(|job| job.attempt == 0), "{:?}", hall.desk.universe.jobs());
}

#[tokio::test]
async fn without_a_socket_events_wait_on_the_ladder() {
    let hall = Hall::new();
    hall.say("Hello");
    hall.desk.settle().await;
    let mut client = hall.client().await;
    let clock = tokio::spawn({
        let universe = Arc::clone(&hall.desk.universe);
        async move { universe.advance(Duration::from_secs(61)).await }
    });
    let envelope = client.hear().await;
    assert_eq!((&envelope["retry_attempt"], &envelope["retry_reason"]), (&json!(2), &json!("connection_failed")));
    client.acknowledge(&envelope).await;
    clock.await.unwrap();
}

#[tokio::test]
async fn commands_are_answered_within_the_acknowledgement() {
    let hall = Hall::new();
    let mut client = hall.client().await;
    let typed =
        || hall.desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/dtu", "text": "x" }));
    typed();
    let envelope = client.hear().await;
    assert_eq!((&envelope["type"], &envelope["accepts_response_payload"]), (&json!("slash_commands"), &json!(true)));
    let payload = &envelope["payload"];
    assert_eq!((&payload["command"], &payload["text"]), (&json!("/dtu"), &json!("x")));
    assert!(payload["response_url"].as_str().unwrap().contains("/commands/"));
    let answer = json!({ "envelope_id": envelope["envelope_id"], "payload": { "text": "Done" } });
    client.say(answer).await;
    hall.desk.settle().await;
    let shown = || hall.desk.whispers("lena.fischer@acme.example");
    assert_eq!(shown(), ["Done"]);
    client.0.close(None).await.unwrap();
    hall.until_open(0).await;
    typed();
    hall.desk.settle().await;
    assert_eq!(shown()[1], "/dtu failed with the error \"dispatch_failed\"");
}

#[tokio::test]
async fn clicks_come_over_the_socket() {
    let hall = Hall::new();
    let mut client = hall.client().await;
    let body = json!({ "channel": "{#general}", "blocks": crate::desk::buttons(&["Yes"]), "text": "?" });
    hall.desk.call_json(TESTER, "chat.postMessage", &body);
    let posted = client.hear().await;
    client.acknowledge(&posted).await;
    hall.desk.act("slack.user.click", "lena", json!({ "channel": "general", "label": "Yes" }));
    let envelope = client.hear().await;
    assert_eq!((&envelope["type"], &envelope["payload"]["type"]), (&json!("interactive"), &json!("block_actions")));
    assert_eq!(envelope["payload"]["actions"][0]["action_id"], "yes");
    assert!(envelope.get("retry_attempt").is_none());
    client.acknowledge(&envelope).await;
    hall.desk.settle().await;
}

#[tokio::test]
async fn sockets_end_after_their_time_and_when_turned_off() {
    let hall = Hall::new();
    let mut client = hall.client().await;
    let told = async |client: &mut Client| client.hear().await["reason"].as_str().unwrap().to_owned();
    hall.desk.universe.advance(Duration::from_secs(3_591)).await;
    assert_eq!(told(&mut client).await, "warning");
    let mut next = hall.client().await;
    hall.desk.universe.advance(Duration::from_secs(10)).await;
    assert_eq!(told(&mut client).await, "refresh_requested");
    assert_eq!(client.try_hear().await, Err(Some(1000)));
    hall.until_open(1).await;
    hall.configure(json!({ "app": "dtu-tester", "socket_mode": false }));
    assert_eq!(told(&mut next).await, "link_disabled");
    let mut late = Client::connect(&hall.address()).await;
    assert_eq!(told(&mut late).await, "link_disabled");
    hall.until_open(0).await;
}

#[tokio::test]
async fn forks_and_resets_have_no_ghosts() {
    let hall = Hall::new();
    let snapshot = hall.desk.universe.snapshot();
    let mut client = hall.client().await;
    let with_client = hall.desk.universe.snapshot();
    let fork = hall.desk.universe.fork("fork", None);
    let rows = |universe: &Universe| universe.state::<dtu_slack::State>("slack").unwrap().sockets.connections.len();
    assert_eq!((rows(&fork), rows(&hall.desk.universe)), (0, 1));
    assert!(hall.desk.universe.restore(&snapshot.id));
    assert_eq!((rows(&hall.desk.universe), client.try_hear().await), (0, Err(Some(1001))));
    assert!(hall.desk.universe.restore(&with_client.id));
    assert_eq!(rows(&hall.desk.universe), 0);
    let mut again = hall.client().await;
    hall.say("still here");
    let envelope = again.hear().await;
    again.acknowledge(&envelope).await;
    fork.reset();
    hall.desk.settle().await;
    drop(hall.door);
    assert!(again.try_hear().await.is_err(), "sockets end with their listener");
}

#[tokio::test]
async fn other_texts_do_no_harm() {
    let hall = Hall::new();
    let mut client = hall.client().await;
    for text in ["", "ping", "[]", "{\"envelope_id\":7}", "{\"envelope_id\":\"unknown\",\"payload\":{\"text\":\"x\"}}"]
    {
        client.0.send(Message::text(text)).await.unwrap();
    }
    client.0.send(Message::binary(vec![0, 255])).await.unwrap();
    hall.say("Hello");
    let envelope = client.hear().await;
    client.acknowledge(&envelope).await;
    hall.desk.settle().await;
    client.0.send(Message::text("x".repeat(2 << 20))).await.ok();
    hall.until_open(0).await;
}

#[tokio::test]
async fn rules_strike_sockets() {
    let hall = Hall::new();
    hall.arm(json!({ "id": "closed", "on": { "operation": "socket_mode" }, "do": { "error": { "status": 503 } }, "times": 1 }));
    match connect_async(hall.address()).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE),
        other => panic!("{other:?}"),
    }
    let lost =
        json!({ "id": "lost", "on": { "operation": "socket_mode" }, "do": { "committed_reset": {} }, "times": 1 });
    hall.arm(lost);
    assert!(connect_async(hall.address()).await.is_err());
    hall.until_open(0).await;
    let mut client = hall.client().await;
    hall.arm(json!({ "id": "twice", "on": { "deliver": "event_callback" }, "do": { "duplicate": { "after": "4s" } }, "times": 1 }));
    hall.say("Hello");
    let first = client.hear().await;
    client.acknowledge(&first).await;
    hall.desk.settle().await;
    let clock = tokio::spawn({
        let universe = Arc::clone(&hall.desk.universe);
        async move { universe.advance(Duration::from_secs(5)).await }
    });
    let second = client.hear().await;
    assert_eq!(first, second, "the same envelope comes again, as if for the first time");
    client.acknowledge(&second).await;
    clock.await.unwrap();
}

#[tokio::test]
async fn rules_close_sockets() {
    let hall = Hall::new();
    let mut client = hall.client().await;
    let rule = |id: &str, with: Value| json!({ "id": id, "on": { "twin": "slack" }, "do": { "close_socket": with }, "times": 1 });
    hall.arm(rule("told", json!({ "every": "2m", "code": 1000, "announced": true })));
    hall.desk.universe.advance(Duration::from_secs(120)).await;
    assert_eq!(client.hear().await["reason"], "refresh_requested");
    assert_eq!(client.try_hear().await, Err(Some(1000)));
    hall.until_open(0).await;
    let mut client = hall.client().await;
    hall.arm(rule("cut", json!({ "every": "30s" })));
    hall.desk.universe.advance(Duration::from_secs(31)).await;
    assert_eq!(client.try_hear().await, Err(None));
    hall.until_open(0).await;
    let fired: Vec<u64> = hall.desk.universe.faults().iter().map(|(_, tally)| tally.fired).collect();
    assert_eq!(fired, [1, 1]);
}

#[tokio::test]
async fn a_command_that_comes_late_over_a_socket_keeps_slacks_three_seconds() {
    let hall = Hall::new();
    let mut client = hall.client().await;
    let rule =
        |id: &str, effect: Value| json!({ "id": id, "on": { "deliver": "slash_command" }, "do": effect, "times": 1 });
    let shown = || hall.desk.whispers("lena.fischer@acme.example");
    let slash = || hall.desk.act("slack.user.slash", "lena", json!({ "channel": "general", "command": "/dtu" }));
    hall.arm(rule("soon", json!({ "delay": { "by": "2s" } })));
    slash();
    hall.desk.settle().await;
    assert!(shown().is_empty(), "nothing has come yet");
    let clock = tokio::spawn({
        let universe = Arc::clone(&hall.desk.universe);
        async move { universe.advance(Duration::from_secs(2)).await }
    });
    let envelope = client.hear().await;
    client.say(json!({ "envelope_id": envelope["envelope_id"], "payload": { "text": "in time" } })).await;
    clock.await.unwrap();
    assert_eq!(shown(), ["in time"]);
    hall.arm(rule("late", json!({ "delay": { "by": "1m" } })));
    slash();
    hall.desk.universe.advance(Duration::from_secs(3)).await;
    let failed = "/dtu failed with the error \"operation_timeout\"";
    assert_eq!(shown(), ["in time", failed]);
    let clock = tokio::spawn({
        let universe = Arc::clone(&hall.desk.universe);
        async move { universe.advance(Duration::from_secs(57)).await }
    });
    let envelope = client.hear().await;
    assert_eq!(envelope["type"], "slash_commands", "it comes all the same");
    client.say(json!({ "envelope_id": envelope["envelope_id"], "payload": { "text": "too late" } })).await;
    clock.await.unwrap();
    assert_eq!(shown(), ["in time", failed]);
    hall.arm(rule("never", json!({ "drop": {} })));
    slash();
    hall.desk.universe.advance(Duration::from_secs(3)).await;
    assert_eq!(shown().len(), 3, "{:?}", shown());
}

#[test]
fn sockets_are_opened_by_post() {
    let desk = Desk::new();
    let open = |method: http::Method| {
        let headers = [("authorization", format!("Bearer {APP}"))];
        let reply = desk.request(method, "/api/apps.connections.open", &headers, b"");
        serde_json::from_slice::<Value>(&reply.body).unwrap()["error"].clone()
    };
    assert_eq!((open(http::Method::GET), open(http::Method::POST)), (json!("insecure_request"), Value::Null));
}
