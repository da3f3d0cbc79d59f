//! A soak: many connections on all twins while faults of all kinds come and go, drawn from a seed. Nothing breaks,
//! nothing stays stuck, and the ledger misses nothing.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dtu_kernel::{
    multiverse::{Multiverse, Ports, Running},
    seed::{Draw, SeedTree, Site},
    universe::{Options, Universe},
};
use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

const CONNECTIONS: u64 = 64;
const SOCKETS: usize = 4;
/// Longer than any rule here holds an answer up.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a run may grow by from its first quarter on: far below what it sends and receives.
const GROWTH_MAX: u64 = 300 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_soak_breaks_nothing() {
    soak(7, Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "two minutes: `cargo xtask soak`"]
async fn a_long_soak_breaks_nothing() {
    soak(11, Duration::from_secs(120)).await;
}

/// What the connections share.
struct Soak {
    _multiverse: Multiverse,
    running: Arc<Running>,
    seeds: SeedTree,
    over: AtomicBool,
    /// Numbers the requests: each carries its number in its query.
    next: AtomicU64,
    /// The requests that got an answer.
    answered: Mutex<BTreeSet<u64>>,
    /// Where the app is told of events.
    app: String,
}

async fn soak(seed: u64, span: Duration) {
    let multiverse = dtu_universe::multiverse();
    let running =
        multiverse.create(None, "acme", &Options { seed, ..Options::default() }, Ports::Free).expect("acme is served");
    let app = app().await;
    let soak = Arc::new(Soak {
        _multiverse: multiverse,
        running,
        seeds: SeedTree::new(seed),
        over: AtomicBool::new(false),
        next: AtomicU64::new(1),
        answered: Mutex::default(),
        app,
    });
    soak.connect_app();
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        tasks.spawn(Arc::clone(&soak).connection(connection));
    }
    let mut sockets = tokio::task::JoinSet::new();
    for _ in 0..SOCKETS {
        sockets.spawn(Arc::clone(&soak).socket());
    }
    #[expect(clippy::disallowed_methods, reason = "the soak lasts in the machine's time")]
    let start = Instant::now();
    let (mut step, mut early) = (0, None);
    while start.elapsed() < span {
        soak.stir(step);
        step += 1;
        if early.is_none() && start.elapsed() > span / 4 {
            early = Some(resident_bytes());
        }
        pause(Duration::from_millis(40)).await;
    }
    let grown = resident_bytes().saturating_sub(early.unwrap_or_default());
    soak.over.store(true, Ordering::SeqCst);
    soak.universe().disarm(None);
    let ended = tokio::time::timeout(3 * PATIENCE, tasks.join_all()).await;
    let sound: u64 = ended.expect("no connection is stuck").into_iter().sum();
    assert_eq!(sound, CONNECTIONS, "every connection is served once the faults are over");
    let ended = tokio::time::timeout(3 * PATIENCE, sockets.join_all()).await;
    let opened: u64 = ended.expect("no socket is stuck").into_iter().sum();
    assert!(opened > 0, "sockets were open");
    assert!(soak.universe().settle(PATIENCE).await, "nothing is left under way");
    let fired = soak.hold_ledger(step);
    // A short soak does not come round to each kind.
    let is_long = span > Duration::from_secs(60);
    assert!(!is_long || fired.len() == effects().len(), "each kind of fault has struck: {fired:?}");
    assert!(grown < GROWTH_MAX, "memory grew by {} MiB", grown >> 20);
}

impl Soak {
    fn universe(&self) -> &Arc<Universe> {
        &self.running.universe
    }

    fn env(&self, name: &str) -> String {
        let found = self.universe().env().into_iter().find(|variable| variable.name == name);
        found.map(|variable| variable.content().to_owned()).expect("the twin names it")
    }

    fn connect_app(&self) {
        let with = json!({ "app": "dtu-tester", "events_url": self.app, "events": ["message.channels"] });
        let Value::Object(with) = with else { unreachable!("an object was written") };
        self.universe().perform("slack.admin.configure_app", "dana", with).expect("the app is configured");
    }

    /// Keeps a socket open until the soak is over, and acknowledges what comes over it: how often it was opened.
    async fn socket(self: Arc<Self>) -> u64 {
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        let address = format!("{}apps.connections.open", self.env("SLACK_API_URL"));
        let mut opened = 0;
        while !self.over.load(Ordering::SeqCst) {
            let asked = http.post(&address).bearer_auth(self.env("SLACK_APP_TOKEN")).send().await;
            let answer: Value = match asked {
                Ok(answer) => answer.json().await.unwrap_or_default(),
                Err(_) => Value::Null,
            };
            let connected = match answer["url"].as_str() {
                Some(url) => tokio::time::timeout(PATIENCE, connect_async(url)).await.ok().and_then(Result::ok),
                None => None,
            };
            let Some((mut socket, _)) = connected else {
                pause(Duration::from_millis(50)).await;
                continue;
            };
            opened += 1;
            while !self.over.load(Ordering::SeqCst) {
                match tokio::time::timeout(Duration::from_millis(200), socket.next()).await {
                    Ok(Some(Ok(Message::Text(text)))) => {
                        let said: Value = serde_json::from_str(&text).unwrap_or_default();
                        let answer = json!({ "envelope_id": said["envelope_id"] }).to_string();
                        let _ = socket.send(Message::text(answer)).await;
                    }
                    Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => break,
                    _ => {}
                }
            }
        }
        opened
    }

    /// Calls one twin after the other until the soak is over; then 1 where a last call works.
    async fn connection(self: Arc<Self>, connection: u64) -> u64 {
        let http = Client::builder().no_proxy().timeout(PATIENCE).pool_max_idle_per_host(1).build().expect("a client");
        let calls = self.calls();
        let mut step = 0;
        while !self.over.load(Ordering::SeqCst) {
            let mut draw = self.seeds.draw(Site::named("soak").child(&connection.to_string()), step);
            let at = usize::try_from(draw.below(calls.len() as u64)).unwrap_or(0);
            self.send(&http, &calls[at]).await;
            step += 1;
        }
        // Ports that were closed open again a moment after the rules have gone.
        for _ in 0..200 {
            if self.send(&http, &calls[0]).await {
                return 1;
            }
            pause(Duration::from_millis(20)).await;
        }
        0
    }

    /// Sends a call; whether it was answered with a 200.
    async fn send(&self, http: &Client, call: &Call) -> bool {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let request = http.request(call.method.clone(), format!("{}?soak={number}", call.url));
        let request = request.header("authorization", &call.credential);
        let Ok(response) = call.filled(request, number).send().await else { return false };
        self.answered.lock().insert(number);
        let fine = response.status() == 200;
        response.bytes().await.is_ok() && fine
    }

    fn calls(&self) -> Vec<Call> {
        let urls: std::collections::BTreeMap<&str, String> = self.running.urls().collect();
        let slack = format!("Bearer {}", self.env("SLACK_BOT_TOKEN"));
        let okta = format!("SSWS {}", self.env("OKTA_CLIENT_TOKEN"));
        let google = format!("Bearer {}", self.env("GOOGLE_ACCESS_TOKEN"));
        let call = |twin: &str, method: Method, path: &str, credential: &str, body: Option<Value>| {
            let url = format!("{}{path}", urls[twin]);
            Call { url, method, credential: credential.to_owned(), body }
        };
        vec![
            call("okta", Method::GET, "/api/v1/users", &okta, None),
            call("okta", Method::POST, "/api/v1/groups", &okta, Some(json!({ "profile": { "name": "soak NUMBER" } }))),
            call("okta", Method::GET, "/api/v1/groups", &okta, None),
            call("slack", Method::POST, "/api/users.list", &slack, None),
            call(
                "slack",
                Method::POST,
                "/api/chat.postMessage",
                &slack,
                Some(json!({ "channel": "#general", "text": "soak NUMBER" })),
            ),
            call("slack", Method::POST, "/api/conversations.list", &slack, None),
            // A further page, for what strikes cursors.
            call("slack", Method::POST, "/api/users.list", &slack, Some(json!({ "cursor": "bm9ib2R5", "limit": 2 }))),
            call("jira", Method::GET, "/rest/api/3/myself", "Basic bm9ib2R5Om5vdGhpbmc=", None),
            call("google-drive", Method::GET, "/drive/v3/files", &google, None),
            call("google-drive", Method::POST, "/drive/v3/files", &google, Some(json!({ "name": "soak NUMBER" }))),
            call("google-sheets", Method::POST, "/v4/spreadsheets", &google, Some(json!({}))),
            call("google-docs", Method::POST, "/v1/documents", &google, Some(json!({ "title": "soak NUMBER" }))),
            call("google-identity", Method::GET, "/oauth2/v2/userinfo", &google, None),
        ]
    }

    /// Arms a drawn rule, and now and then disarms all, or lets a person say something.
    fn stir(&self, step: u64) {
        let mut draw = self.seeds.draw(Site::named("soak").child("rules"), step);
        if draw.below(12) == 0 {
            self.universe().disarm(None);
        }
        let rule = serde_json::from_value(rule(&mut draw, step)).expect("is a rule");
        self.universe().arm(&[rule]).expect("is armed");
        // Events go over HTTP for a while, and for a while over sockets.
        if step % 50 == 25 {
            let with = json!({ "app": "dtu-tester", "socket_mode": step % 100 == 25 });
            let Value::Object(with) = with else { unreachable!("an object was written") };
            self.universe().perform("slack.admin.configure_app", "dana", with).expect("the app is configured");
        }
        let with = json!({ "channel": "#general", "text": format!("step {step}") });
        let Value::Object(with) = with else { unreachable!("an object was written") };
        self.universe().perform("slack.user.post", "lena", with).expect("a person says something");
    }

    /// Each request that was answered is in the ledger once, and no twin broke. Gives back what has struck.
    fn hold_ledger(&self, steps: u64) -> BTreeSet<String> {
        let ledger = self.universe().ledger();
        let length = usize::try_from(ledger.len()).expect("fits");
        let (mut seen, mut fired, mut delivered) = (BTreeSet::new(), BTreeSet::new(), 0_u64);
        for entry in ledger.page(0, length).expect("the ledger is read") {
            let text = entry.to_string();
            assert_ne!((&entry["kind"], &entry["gap"]), (&json!("request"), &json!(true)), "a twin broke: {text}");
            if entry["kind"] == "fault" {
                fired.extend(entry["effect"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
            }
            delivered += u64::from(entry["kind"] == "delivery");
            let Some((_, rest)) = text.split_once("soak=") else { continue };
            let number = rest.bytes().take_while(u8::is_ascii_digit).fold(0, |n, d| n * 10 + u64::from(d - b'0'));
            assert!(seen.insert(number), "request {number} is in the ledger twice");
        }
        let answered = self.answered.lock();
        let missing: Vec<&u64> = answered.difference(&seen).take(5).collect();
        assert!(missing.is_empty(), "answered, and not in the ledger: {missing:?}");
        assert!(answered.len() > 200, "the soak got somewhere: {} answers", answered.len());
        assert!(fired.len() > 12, "after {steps} steps faults of many kinds have struck: {fired:?}");
        assert!(delivered > 0, "deliveries went out");
        fired
    }
}

/// A call to repeat; `NUMBER` in its body stands for the request's own.
struct Call {
    url: String,
    method: Method,
    credential: String,
    body: Option<Value>,
}

impl Call {
    fn filled(&self, request: RequestBuilder, number: u64) -> RequestBuilder {
        let Some(body) = &self.body else { return request };
        let text = body.to_string().replace("NUMBER", &number.to_string());
        request.header("content-type", "application/json").body(text)
    }
}

/// Each kind of fault, mild enough that much goes on.
fn effects() -> Vec<Value> {
    vec![
        json!({ "rate_limited": { "retry_after": "1s" } }),
        json!({ "quota_exhausted": { "resets": "1h" } }),
        json!({ "error": { "status": 503 } }),
        json!({ "proxy_page": { "status": 502 } }),
        json!({ "revoked": {} }),
        json!({ "expired": {} }),
        json!({ "scopes_cut": {} }),
        json!({ "bad_cursor": {} }),
        json!({ "reset": {} }),
        json!({ "hang": { "for": "300ms" } }),
        json!({ "latency": { "median": "20ms", "p99": "400ms" } }),
        json!({ "drip": { "every": "1ms", "bytes": 512 } }),
        json!({ "committed_error": {} }),
        json!({ "committed_reset": {} }),
        json!({ "committed_hang": { "for": "200ms" } }),
        json!({ "truncated": {} }),
        json!({ "garbled": {} }),
        json!({ "stale": { "by": "2s" } }),
        json!({ "skew": { "behind": "1h" } }),
        json!({ "drift": { "at": "/*/*", "change": "widened" } }),
        json!({ "refuse": {} }),
        json!({ "duplicate": { "copies": 2, "after": "50ms" } }),
        json!({ "delay": { "by": "100ms" } }),
        json!({ "reorder": { "within": "200ms" } }),
        json!({ "hold": { "every": "500ms" } }),
        json!({ "drop": {} }),
        json!({ "bad_signature": {} }),
        json!({ "close_socket": { "every": "1s" } }),
    ]
}

/// A rule of a drawn kind, which strikes a drawn part of what it can strike, on a drawn twin.
fn rule(draw: &mut Draw, step: u64) -> Value {
    let effects = effects();
    let twins = ["*", "okta", "slack", "jira", "google-*", "google-drive", "google-identity"];
    let pick = |draw: &mut Draw, most: usize| usize::try_from(draw.below(most as u64)).unwrap_or(0);
    let (effect, twin) = (&effects[pick(draw, effects.len())], twins[pick(draw, twins.len())]);
    let name = effect.as_object().and_then(|effect| effect.keys().next()).expect("an effect has a name");
    let on = match name.as_str() {
        "refuse" => json!({ "twin": twin, "until": "200ms" }),
        "close_socket" => json!({ "twin": "slack" }),
        "duplicate" | "delay" | "reorder" | "hold" | "drop" | "bad_signature" => {
            json!({ "deliver": "*", "probability": "1/3" })
        }
        _ => json!({ "twin": twin, "probability": "1/5" }),
    };
    json!({ "id": format!("soak-{step}"), "on": on, "do": effect, "expires": "3s" })
}

/// An app that takes all it is told.
async fn app() -> String {
    let take = |body: axum::body::Bytes| async move {
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        said["challenge"].as_str().unwrap_or_default().to_owned()
    };
    let router = axum::Router::new().fallback(take);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port is there");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/events")
}

/// What this process holds in memory.
fn resident_bytes() -> u64 {
    let text = fs_err::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

#[expect(clippy::disallowed_methods, reason = "connections wait in the machine's time")]
pub(crate) async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}
