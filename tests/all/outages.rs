//! Every named fault plan in a walk through all that the plans speak of: each of its rules strikes, and what programs
//! then see is what the plan says the service did.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use dtu_kernel::{
    clock::ClockMode,
    fault::{NAMED, PlanFile},
    host::{Called, Wire},
    multiverse::{Multiverse, Ports, Running},
    time::Timestamp,
    universe::{Options, Universe},
};
use dtu_tests::calls::Call;
use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::soak::pause;

/// How a plan is walked: how many rounds, and how many seconds pass after each, over and over.
type Pace = (usize, &'static [u64]);
const PLAIN: Pace = (42, &[1, 2, 4, 7, 13, 20, 13]);
/// How many seconds `slack-gone` keeps Slack's port closed.
const GONE: u64 = 300;

/// A call's answer.
struct Answer {
    at: u64,
    operation: &'static str,
    status: u16,
    /// Its body; null where it is no JSON.
    body: Value,
    /// How far its `Date` is ahead, in seconds.
    ahead: i64,
    wire: Wire,
}

impl Answer {
    fn error(&self) -> &str {
        self.body["errorCode"].as_str().or_else(|| self.body["error"].as_str()).unwrap_or_default()
    }

    fn is_slack(&self) -> bool {
        self.operation.contains('.')
    }

    fn works(&self) -> bool {
        self.status < 300 && self.body["ok"] != false && !matches!(self.wire, Wire::Reset)
    }
}

/// What the app was told.
#[derive(Clone, Debug)]
struct Told {
    at: u64,
    /// `slack` or `okta`.
    by: &'static str,
    id: String,
    /// What it is about: a message's text, or a group's name.
    what: String,
    genuine: bool,
}

/// All that programs saw during a walk.
#[derive(Default)]
struct Seen {
    answers: Vec<Answer>,
    told: Vec<Told>,
    /// When each text was written and each group was made.
    caused: BTreeMap<String, u64>,
    /// The ends of sockets, each with its code and whether it was announced.
    ends: Vec<(Option<u16>, bool)>,
    /// How often opening a socket was refused, and how often one was opened.
    refused: usize,
    opened: usize,
    /// When the port was seen closed, and when open.
    closed: Vec<u64>,
    open: Vec<u64>,
}

impl Seen {
    fn of<'s>(&'s self, operation: &'s str) -> impl Iterator<Item = &'s Answer> + Clone {
        self.answers.iter().filter(move |answer| answer.operation == operation)
    }

    /// The answers that failed so, before and from a time on.
    fn failures(&self, slack: bool, status: u16, error: &str, from: u64, to: u64) -> usize {
        let own = self.answers.iter().filter(|a| a.is_slack() == slack && (from..to).contains(&a.at));
        own.filter(|a| a.status == status && a.error() == error).count()
    }

    fn told_by(&self, by: &str) -> Vec<&Told> {
        self.told.iter().filter(|told| told.by == by).collect()
    }

    /// How long after it happened each was told, in the order of telling.
    fn delays(&self, by: &str) -> Vec<u64> {
        self.told_by(by).iter().map(|told| told.at - self.caused[&told.what]).collect()
    }
}

struct Walk {
    running: Arc<Running>,
    start: Timestamp,
    seen: Arc<Mutex<Seen>>,
    tokens: BTreeMap<&'static str, String>,
    group: String,
    lena: String,
    server: String,
    client: reqwest::Client,
}

impl Walk {
    async fn begin(multiverse: &Multiverse, sockets: bool) -> Self {
        let options = Options { seed: 5, clock: ClockMode::Stepped, ..Options::default() };
        let running = multiverse.create(None, "acme", &options, Ports::Free).expect("acme is served");
        let universe = &running.universe;
        let env: BTreeMap<&'static str, String> =
            universe.env().iter().map(|variable| (variable.name, variable.content().to_owned())).collect();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let app = app(Arc::clone(universe), Arc::clone(&seen), env["SLACK_SIGNING_SECRET"].clone()).await;
        let mut with = json!({ "app": "dtu-tester", "events": ["message.channels"] });
        if sockets {
            with["socket_mode"] = json!(true);
        } else {
            with["events_url"] = json!(app);
        }
        act(universe, "dana", "slack.admin.configure_app", with);
        let client = reqwest::Client::builder().no_proxy().build().expect("a client is made");
        let mut walk = Self {
            start: universe.now(),
            seen,
            tokens: env,
            group: String::new(),
            lena: String::new(),
            server: String::new(),
            client,
            running: Arc::clone(&running),
        };
        walk.connect_hook(&app).await;
        universe.run_until_quiet(Duration::from_secs(60)).await;
        let id = |value: Value| value["id"].as_str().expect("has an id").to_owned();
        walk.group = id(walk.okta("addGroup", &[], Some(&json!({ "profile": { "name": "Ruled" } }))).json(universe));
        walk.lena = id(walk.okta("getUser", &["lena.fischer@acme.example"], None).json(universe));
        let servers = walk.okta("listAuthorizationServers", &[], None).json(universe);
        walk.server = id(servers[0].clone());
        walk
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.running.universe
    }

    fn okta(&self, operation: &str, params: &[&str], body: Option<&Value>) -> Call {
        Call::okta(operation, &self.tokens["OKTA_CLIENT_TOKEN"], params, body)
    }

    /// A hook that is told of new groups; proven over HTTP, because that call waits.
    async fn connect_hook(&self, app: &str) {
        let made = json!({
            "name": "Walk", "events": { "type": "EVENT_TYPE", "items": ["group.lifecycle.create"] },
            "channel": { "type": "HTTP", "version": "1.0.0", "config": {
                "uri": app, "authScheme": { "type": "HEADER", "key": "Authorization", "value": "walk-secret" },
            } },
        });
        let hook = self.okta("createEventHook", &[], Some(&made)).json(self.universe());
        let org = self.running.urls().find(|(twin, _)| *twin == "okta").expect("okta is served").1;
        let at = format!("{org}/api/v1/eventHooks/{}/lifecycle/verify", hook["id"].as_str().expect("has an id"));
        let token = format!("SSWS {}", self.tokens["OKTA_CLIENT_TOKEN"]);
        let answer = self.client.post(at).header("authorization", token).send().await.expect("okta answers");
        assert_eq!(answer.status(), 200, "the hook is proven");
    }

    /// Seconds since the plan was armed.
    fn at(&self) -> u64 {
        self.universe().now().since(self.start).as_secs()
    }

    /// Makes a call and keeps its answer.
    fn ask(&self, operation: &'static str, call: Call) {
        let Called::Answered(reply, wire) = call.called(self.universe()) else { panic!("{operation} waits") };
        let date = reply.headers.get("date").and_then(|date| date.to_str().ok()).map(seconds_of);
        let ahead = date.map_or(0, |date| date - self.universe().now().as_secs());
        let body = serde_json::from_slice(&reply.body).unwrap_or_default();
        let answer = Answer { at: self.at(), operation, status: reply.status.as_u16(), body, ahead, wire };
        self.seen.lock().answers.push(answer);
    }

    fn slack(&self, method: &'static str, form: &[(&str, &str)]) {
        self.ask(method, Call::slack(method, &self.tokens["SLACK_BOT_TOKEN"], form));
    }

    fn caused(&self, what: &str) {
        let at = self.at();
        self.seen.lock().caused.insert(what.to_owned(), at);
    }

    /// One of everything.
    fn round(&self, n: usize) {
        let text = format!("m{n}");
        self.caused(&text);
        act(self.universe(), "lena", "slack.user.post", json!({ "channel": "#general", "text": text }));
        self.slack("chat.postMessage", &[("channel", "#general"), ("text", &format!("p{n}"))]);
        self.slack("users.info", &[("user", "USLACKBOT")]);
        self.slack("conversations.list", &[]);
        let general = self.universe().view("slack", "channels").unwrap_or_default();
        let general = general.as_array().into_iter().flatten().find(|channel| channel["name"] == "general").cloned();
        let general = general.and_then(|channel| channel["id"].as_str().map(str::to_owned)).expect("is a channel");
        self.slack("conversations.history", &[("channel", &general)]);
        let name = format!("g{n}");
        self.caused(&name);
        let group = json!({ "profile": { "name": name } });
        self.ask("addGroup", self.okta("addGroup", &[], Some(&group)));
        self.ask("listGroups", self.okta("listGroups", &[], None).query("limit", "1000"));
        let search = format!("profile.name eq \"{name}\"");
        self.ask("search", self.okta("listGroups", &[], None).query("search", &search));
        let login = format!("w{n}@acme.example");
        let user = json!({ "profile": { "login": login, "email": login, "firstName": "W", "lastName": "alk" } });
        self.ask("createUser", self.okta("createUser", &[], Some(&user)).query("activate", "true"));
        self.ask("people", self.okta("listUsers", &[], None).query("search", &format!("profile.login eq \"{login}\"")));
        self.ask("listUsers", self.okta("listUsers", &[], None));
        self.ask("getUser", self.okta("getUser", &[&self.lena], None));
        let member = if n.is_multiple_of(2) { "assignUserToGroup" } else { "unassignUserFromGroup" };
        self.ask(member, self.okta(member, &[&self.group, &self.lena], None));
        self.ask("listGroupUsers", self.okta("listGroupUsers", &[&self.group], None));
        let rule = json!({
            "type": "group_rule", "name": format!("r{n}"),
            "conditions": { "expression": { "type": "urn:okta:expression:1.0", "value": format!("user.login == \"{login}\"") } },
            "actions": { "assignUserToGroups": { "groupIds": [self.group] } },
        });
        self.ask("createGroupRule", self.okta("createGroupRule", &[], Some(&rule)));
        self.ask("keys", self.okta("oauthKeysCustomAS", &[&self.server], None));
        if n % 20 == 10 {
            let turn = json!({ "use": "sig" });
            let server = self.server.as_str();
            self.ask("rotate", self.okta("rotateAuthorizationServerKeys", &[server], Some(&turn)));
        }
        if let Some(rule) = self.seen.lock().of("createGroupRule").last().and_then(|a| a.body["id"].as_str()) {
            drop(self.okta("activateGroupRule", &[rule], None).called(self.universe()));
        }
    }

    /// Looks whether Slack's port is open.
    async fn knock(&self) {
        let slack = self.running.urls().find(|(twin, _)| *twin == "slack").expect("slack is served").1;
        let wanted = self.at() > GONE;
        // The listener hears of rules and of the clock a moment later.
        let mut open = !wanted;
        for _ in 0..1_000 {
            open = tokio::net::TcpStream::connect(slack.trim_start_matches("http://")).await.is_ok();
            if open == wanted {
                break;
            }
            pause(Duration::from_millis(10)).await;
        }
        let at = self.at();
        let mut seen = self.seen.lock();
        if open { seen.open.push(at) } else { seen.closed.push(at) }
    }

    async fn go(&self, plan: &PlanFile, (rounds, steps): Pace, sockets: bool) {
        let universe = self.universe();
        universe.arm_checked(&plan.rules).expect("is armed");
        let client = sockets.then(|| tokio::spawn(keep_connected(self.address(), Arc::clone(&self.seen))));
        for n in 0..rounds {
            let refused = self.seen.lock().refused;
            self.round(n);
            if plan.name == "slack-gone" {
                self.knock().await;
            }
            universe.advance(Duration::from_secs(steps[n % steps.len()])).await;
            if sockets {
                self.connected(refused).await;
            }
        }
        universe.run_until_quiet(Duration::from_secs(3 * 3_600)).await;
        if let Some(client) = client {
            client.abort();
        }
    }

    /// Waits until the client, which connects again in the machine's time, has done so or was refused once more.
    async fn connected(&self, refused: usize) {
        for _ in 0..500 {
            pause(Duration::from_millis(20)).await;
            let seen = self.seen.lock();
            if seen.opened > seen.ends.len() || seen.refused > refused {
                return;
            }
        }
    }

    /// Where sockets are opened: Slack's API, with the app's token.
    fn address(&self) -> (String, String) {
        (self.tokens["SLACK_API_URL"].clone(), self.tokens["SLACK_APP_TOKEN"].clone())
    }
}

fn act(universe: &Universe, who: &str, verb: &str, with: Value) {
    let Value::Object(with) = with else { unreachable!("an object was written") };
    universe.perform(verb, who, with).expect("is done");
}

/// The seconds of an HTTP date.
fn seconds_of(date: &str) -> i64 {
    let parts: Vec<&str> = date.split([' ', ':']).collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == parts[2]).expect("is a month") + 1;
    let text = format!("{}-{month:02}-{}T{}:{}:{}Z", parts[3], parts[1], parts[4], parts[5], parts[6]);
    Timestamp::parse(&text).expect("is a time").as_secs()
}

/// An app that keeps what it is told, with the time of the universe's clock.
async fn app(universe: Arc<Universe>, seen: Arc<Mutex<Seen>>, secret: String) -> String {
    let start = universe.now();
    let universe = Arc::downgrade(&universe);
    let take = move |headers: http::HeaderMap, body: axum::body::Bytes| {
        let at = universe.upgrade().map_or(0, |universe| universe.now().since(start).as_secs());
        let header =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let secs = header("x-slack-request-timestamp").parse().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told = if said["type"] == "event_callback" {
            let genuine = header("x-slack-signature") == dtu_slack::signature(&secret, secs, &body);
            Some(Told { at, by: "slack", id: text(&said["event_id"]), what: text(&said["event"]["text"]), genuine })
        } else if said["data"]["events"].is_array() {
            let event = &said["data"]["events"][0];
            let genuine = header("authorization") == "walk-secret";
            let what = text(&event["target"][0]["displayName"]);
            Some(Told { at, by: "okta", id: text(&event["uuid"]), what, genuine })
        } else {
            None
        };
        // What the app says itself comes back to it; only what others cause is counted.
        seen.lock().told.extend(told.filter(|told| told.what.starts_with(['m', 'g'])));
        let challenge = header("x-okta-verification-challenge");
        let answer = if challenge.is_empty() {
            text(&said["challenge"])
        } else {
            json!({ "verification": challenge }).to_string()
        };
        async move { answer }
    };
    let router = axum::Router::new().fallback(take);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port is there");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

/// A client in Socket Mode: connects, acknowledges all it is sent, and connects again.
async fn keep_connected((api, token): (String, String), seen: Arc<Mutex<Seen>>) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client is made");
    loop {
        let asked = client.post(format!("{api}apps.connections.open")).bearer_auth(&token).send().await;
        let answer: Value = asked.expect("slack answers").json().await.unwrap_or_default();
        let Some(url) = answer["url"].as_str() else { continue };
        let Ok((mut socket, _)) = connect_async(url).await else {
            seen.lock().refused += 1;
            continue;
        };
        seen.lock().opened += 1;
        let mut announced = false;
        let code = loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let said: Value = serde_json::from_str(&text).unwrap_or_default();
                    announced |= said["type"] == "disconnect";
                    if let Some(id) = said.get("envelope_id") {
                        let told = Told {
                            at: 0,
                            by: "slack",
                            id: said["payload"]["event_id"].as_str().unwrap_or_default().to_owned(),
                            what: said["payload"]["event"]["text"].as_str().unwrap_or_default().to_owned(),
                            genuine: true,
                        };
                        seen.lock().told.push(told);
                        let _ = socket.send(Message::text(json!({ "envelope_id": id }).to_string())).await;
                    }
                }
                Some(Ok(Message::Close(frame))) => break frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break None,
            }
        };
        seen.lock().ends.push((code, announced));
    }
}

/// How a plan is walked.
fn pace(plan: &str) -> Pace {
    match plan {
        "everything-degraded" => (60, &[60]),
        "okta-rate-limit-storm" | "okta-read-only" | "slack-gone" => (60, &[20]),
        "okta-group-rules-late" | "okta-hooks-late-and-twice" | "slack-events-silent" => (60, &[30]),
        "okta-hooks-silent" => (30, &[300]),
        "slack-socket-flapping" => (60, &[15]),
        "okta-signing-key-rollover" => (60, &[10]),
        _ => PLAIN,
    }
}

/// What a plan's page says that the service did, seen.
fn shows(plan: &str, walk: &Walk) {
    let parts = [shows_both, shows_okta_calls, shows_okta_late, shows_slack_calls, shows_slack_events];
    assert!(parts.iter().any(|part| part(plan, walk)), "nothing shows what `{plan}` does");
}

/// What plans of several services do. False where the plan is none of them.
fn shows_both(plan: &str, walk: &Walk) -> bool {
    let seen = walk.seen.lock();
    let fine = |operation: &str| seen.of(operation).filter(|answer| answer.works()).count();
    match plan {
        "everything-degraded" => {
            let minutes = |slack: bool| -> BTreeSet<u64> {
                let down = seen.answers.iter().filter(|a| a.is_slack() == slack && a.status == 503 && a.body.is_null());
                down.map(|a| a.at / 60).collect()
            };
            assert!(minutes(true).intersection(&minutes(false)).count() > 2, "both fail in the same minutes");
            assert!(seen.answers.iter().any(|a| matches!(a.wire, Wire::Late(span) if span.as_millis() > 500)));
            assert!(seen.delays("slack").iter().any(|late| *late >= 300) && seen.delays("slack").contains(&0));
            assert!(fine("listUsers") > 10, "most of the time all is well");
        }
        "schema-drift" => {
            let all = |operation: &'static str, pointer: &'static str, wanted: Option<Value>| {
                assert!(
                    seen.of(operation).all(|answer| answer.body.pointer(pointer) == wanted.as_ref()),
                    "{operation}"
                );
            };
            all("getUser", "/profile/email", Some(Value::Null));
            all("listUsers", "/0/riskLevel", Some(json!("LOW")));
            all("users.info", "/user/profile/email", None);
            assert!(seen.of("conversations.list").all(|answer| answer.body["channels"][0]["created"].is_string()));
        }
        _ => return false,
    }
    true
}

/// What plans do to calls of Okta. False where the plan is none of them.
fn shows_okta_calls(plan: &str, walk: &Walk) -> bool {
    let seen = walk.seen.lock();
    let fine = |operation: &str| seen.of(operation).filter(|answer| answer.works()).count();
    match plan {
        "okta-committed-but-500" => {
            let failed: Vec<usize> =
                (0..).zip(seen.of("addGroup")).filter(|(_, a)| a.error() == "E0000009").map(|(n, _)| n).collect();
            assert!(!failed.is_empty() && fine("addGroup") > 0);
            let last = seen.of("listGroups").last().expect("was asked").body.to_string();
            for n in failed {
                assert_eq!(last.matches(&format!("\"g{n}\"")).count(), 1, "g{n} was made once");
            }
        }
        "okta-rate-limit-storm" => {
            assert!(seen.failures(false, 429, "E0000047", 0, 600) > 50);
            assert_eq!(seen.failures(false, 429, "E0000047", 601, 9_999), 0, "the storm is over after ten minutes");
            assert!(seen.failures(true, 429, "ratelimited", 0, 9_999) == 0 && fine("keys") > 0);
        }
        "okta-read-only" => {
            let of = |from: u64, to: u64| seen.of("addGroup").filter(move |answer| (from..to).contains(&answer.at));
            assert!(
                of(0, 900).count() > 20
                    && of(0, 900).all(|answer| (answer.status, answer.error()) == (503, "E0000010"))
            );
            assert!(of(901, 9_999).count() > 5 && of(901, 9_999).all(Answer::works));
            assert!(seen.of("listGroups").all(Answer::works), "reads work");
        }
        "okta-rules-locked" => {
            let locked =
                seen.of("createGroupRule").filter(|answer| (answer.status, answer.error()) == (423, "E0000239"));
            assert!(locked.count() > 3 && fine("createGroupRule") > 3);
        }
        "okta-token-dead" => {
            assert_eq!(seen.failures(false, 401, "E0000011", 0, 120), 0);
            let after = seen
                .answers
                .iter()
                .filter(|answer| !answer.is_slack() && answer.operation != "keys" && answer.at > 120);
            assert!(after.clone().count() > 50 && after.clone().all(|answer| answer.error() == "E0000011"));
        }
        "okta-clock-ahead" => {
            let ahead: BTreeSet<i64> = seen.of("keys").map(|answer| answer.ahead).collect();
            assert_eq!(ahead, [0, 420].into(), "some of the machines are ahead");
            assert!(seen.of("listUsers").all(|answer| answer.ahead == 0));
        }
        _ => return false,
    }
    true
}

/// What plans do to what Okta shows or tells later. False where the plan is none of them.
fn shows_okta_late(plan: &str, walk: &Walk) -> bool {
    let seen = walk.seen.lock();
    match plan {
        "okta-group-rules-late" => {
            let by_rule = |answer: &Answer| answer.body.to_string().matches("@acme.example\"").count();
            let early = seen.of("listGroupUsers").filter(|answer| answer.at < 600);
            assert!(
                early.clone().count() > 10 && early.clone().all(|answer| !answer.body.to_string().contains("\"w0@"))
            );
            let first =
                seen.of("listGroupUsers").find(|answer| answer.body.to_string().contains("w0@acme")).map(|a| a.at);
            assert!(first.is_some_and(|at| (600..700).contains(&at)), "w0 is a member after ten minutes: {first:?}");
            assert!(seen.of("listGroupUsers").any(|answer| by_rule(answer) > 4));
        }
        "okta-hooks-late-and-twice" => {
            let mut times: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
            for told in seen.told_by("okta") {
                times.entry(told.what.as_str()).or_default().push(told.at);
            }
            assert_eq!(times.len(), 60, "all are told");
            let twice = times.values().filter(|times| times.len() == 2);
            assert!(twice.clone().count() > 5 && twice.clone().all(|times| times[1] - times[0] == 90));
            let late = seen.delays("okta");
            assert!(late.iter().any(|late| *late > 300) && late.iter().all(|late| *late <= 20 * 60));
        }
        "okta-hooks-silent" => {
            let at: BTreeSet<u64> = seen.told_by("okta").iter().map(|told| told.at / 3_600).collect();
            assert_eq!(seen.told_by("okta").len(), 30);
            assert!(seen.told_by("okta").iter().all(|told| told.at % 3_600 == 0) && at.len() == 3, "{at:?}");
        }
        "okta-membership-lag" => {
            let first = seen.of("listGroupUsers").next().expect("was asked");
            assert_eq!((seen.of("assignUserToGroup").next().map(Answer::works), &first.body), (Some(true), &json!([])));
            let lag = seen.of("listGroupUsers").find(|answer| answer.body != json!([])).map(|answer| answer.at);
            assert!(lag.is_some_and(|at| at >= 30), "{lag:?}");
        }
        "okta-search-lag" => {
            let (groups, people) = (seen.of("search").next(), seen.of("people").next());
            assert!(groups.is_some_and(|a| a.body == json!([])) && people.is_some_and(|a| a.body == json!([])));
            assert!(seen.of("listGroups").next().expect("was asked").body.to_string().contains("\"g0\""));
        }
        "okta-signing-key-rollover" => {
            let keys: Vec<(u64, &Value)> = seen.of("keys").map(|answer| (answer.at, &answer.body)).collect();
            let turned = seen.of("rotate").next().expect("keys were turned");
            assert!(turned.works(), "{}", turned.body);
            let same = keys.iter().take_while(|(_, set)| *set == keys[0].1).last().map(|(at, _)| *at);
            assert!(same.is_some_and(|at| at >= turned.at + 240), "old keys are shown: {same:?} after {}", turned.at);
            assert!(keys.iter().any(|(_, set)| *set != keys[0].1), "and then the new ones");
        }
        _ => return false,
    }
    true
}

/// What plans do to calls of Slack. False where the plan is none of them.
fn shows_slack_calls(plan: &str, walk: &Walk) -> bool {
    let seen = walk.seen.lock();
    match plan {
        "slack-api-brownout" => {
            assert!(seen.answers.iter().any(|a| a.is_slack() && a.status == 503 && a.body.is_null()), "a proxy's page");
            assert!(seen.failures(true, 200, "internal_error", 0, 9_999) > 0);
            assert!(seen.answers.iter().any(|answer| matches!(answer.wire, Wire::Late(_))));
            posts_are_there_once(walk, &seen);
        }
        "slack-gone" => {
            assert!(seen.closed.len() > 10 && seen.closed.iter().all(|at| *at <= GONE), "{:?}", seen.closed);
            assert!(seen.open.len() > 10 && seen.open.iter().all(|at| *at >= GONE), "{:?}", seen.open);
            let down = |from, to| {
                seen.answers.iter().filter(|a| a.is_slack() && a.status == 503 && (from..to).contains(&a.at)).count()
            };
            assert!(down(301, 600) > down(601, 900) && down(601, 900) > 0, "it comes back step by step");
            assert_eq!(down(901, 9_999), 0);
        }
        "slack-history-limited" => {
            let limited = |a: &&Answer| a.status == 429 && a.error() == "ratelimited";
            assert!(seen.of("conversations.history").filter(limited).count() > 30);
            assert!(seen.of("users.info").all(Answer::works));
        }
        "slack-posted-but-failed" => {
            assert!(seen.failures(true, 200, "fatal_error", 0, 9_999) > 0);
            assert!(seen.of("chat.postMessage").any(|answer| matches!(answer.wire, Wire::Reset)));
            posts_are_there_once(walk, &seen);
        }
        "slack-token-revoked" => {
            assert_eq!(seen.failures(true, 200, "token_revoked", 0, 60), 0);
            let after = seen.answers.iter().filter(|answer| answer.is_slack() && answer.at > 60);
            assert!(after.clone().count() > 50 && after.clone().all(|answer| answer.error() == "token_revoked"));
            assert!(seen.told_by("slack").len() > 3 && seen.told_by("slack").iter().all(|told| told.at <= 60));
        }
        _ => return false,
    }
    true
}

/// What plans do to what Slack tells apps. False where the plan is none of them.
fn shows_slack_events(plan: &str, walk: &Walk) -> bool {
    let seen = walk.seen.lock();
    match plan {
        "slack-bad-signatures" => {
            let forged = seen.told_by("slack").iter().filter(|told| !told.genuine).count();
            assert!((1..20).contains(&forged), "{forged} of 42");
        }
        "slack-events-duplicated" => {
            let mut ids: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
            for told in seen.told_by("slack") {
                ids.entry(told.id.as_str()).or_default().push(told.at);
            }
            assert!(ids.len() == 42 && ids.values().all(|at| at.len() == 2 && at[1] - at[0] == 4), "{ids:?}");
        }
        "slack-events-out-of-order" => {
            let order: Vec<u64> = seen.told_by("slack").iter().map(|told| seen.caused[&told.what]).collect();
            assert!(order.len() == 42 && !order.is_sorted(), "{order:?}");
            assert!(seen.delays("slack").iter().all(|late| *late <= 30));
        }
        "slack-events-silent" => {
            assert_eq!(seen.told_by("slack").len(), 60);
            assert!(seen.told_by("slack").iter().all(|told| told.at % 600 == 0), "all at once, each ten minutes");
        }
        "slack-socket-flapping" => {
            let told: BTreeSet<&str> = seen.told.iter().map(|told| told.what.as_str()).collect();
            let lost: Vec<String> =
                (0..60).map(|n| format!("m{n}")).filter(|text| !told.contains(text.as_str())).collect();
            assert!(lost.is_empty(), "what is sent into a dead connection comes again: {lost:?}");
            let asked = seen.ends.iter().filter(|(code, announced)| *announced && *code == Some(1_000)).count();
            let broken = seen.ends.iter().filter(|(code, announced)| !announced && code.is_none()).count();
            assert!(asked > 1 && broken > 0, "{:?}", seen.ends);
            assert!(seen.refused > 0 && seen.opened > 3, "{} refused, {} opened", seen.refused, seen.opened);
        }
        _ => return false,
    }
    true
}

/// Each post that did not stop at a proxy is in its channel once, whatever its caller was told.
fn posts_are_there_once(walk: &Walk, seen: &Seen) {
    let messages = walk.universe().view("slack", "messages").expect("is a view");
    let count = |text: &str| messages.as_array().into_iter().flatten().filter(|row| row["text"] == text).count();
    for (n, answer) in seen.of("chat.postMessage").enumerate() {
        assert_eq!(
            count(&format!("p{n}")),
            usize::from(answer.status != 503),
            "p{n}, of which was told {}",
            answer.body
        );
    }
}

/// Walks with a plan.
async fn walk(multiverse: Arc<Multiverse>, name: &'static str) {
    let plan = PlanFile::find(name, &[]).expect("is a plan");
    let sockets = name == "slack-socket-flapping";
    let walk = Walk::begin(&multiverse, sockets).await;
    walk.go(&plan, pace(name), sockets).await;
    let rules = walk.universe().faults();
    let idle: Vec<&str> =
        rules.iter().filter(|(_, tally)| tally.fired == 0).map(|(rule, _)| rule.id.as_str()).collect();
    assert!(idle.is_empty(), "{name}: these rules never fire in the walk: {idle:?}");
    shows(name, &walk);
    multiverse.delete(walk.universe().id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_named_plan_does_what_it_says_in_a_walk() {
    let multiverse = Arc::new(dtu_universe::multiverse());
    let mut failed = Vec::new();
    for names in NAMED.chunks(4) {
        let walks: Vec<_> =
            names.iter().map(|(name, _)| (*name, tokio::spawn(walk(Arc::clone(&multiverse), name)))).collect();
        for (name, walk) in walks {
            if walk.await.is_err() {
                failed.push(name);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:?} do not do what they say");
}
