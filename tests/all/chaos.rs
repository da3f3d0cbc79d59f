//! Deliveries under rules, held against a small model of its own: what an app is told, when, in which order, and whether
//! it can believe it. The model knows the rules' words and the seed, and nothing of how jobs are done.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use dtu_kernel::{
    clock::ClockMode,
    seed::{Ratio, SeedTree, Site},
    universe::{Options, Universe},
};
use dtu_tests::calls::Call;
use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::{Value, json};

const SECOND: u64 = 1_000_000;

/// What a rule does, with its times in seconds.
#[derive(Clone, Copy, Debug)]
enum Does {
    Duplicate { copies: u32, after: u64 },
    Delay { by: u64 },
    Reorder { within: u64 },
    Hold { every: u64 },
    Drop,
    Forge,
}

/// A rule on deliveries.
#[derive(Clone, Copy, Debug)]
struct Rule {
    does: Does,
    /// One in so many.
    odds: Option<u64>,
    nth: Option<u64>,
    times: Option<u64>,
    /// In force from and until so many seconds after arming.
    after: Option<u64>,
    until: Option<u64>,
}

impl Rule {
    fn json(&self, number: usize, deliver: &str) -> Value {
        let spoken = match self.does {
            Does::Duplicate { copies, after } => json!({ "duplicate": { "copies": copies, "after": seconds(after) } }),
            Does::Delay { by } => json!({ "delay": { "by": seconds(by) } }),
            Does::Reorder { within } => json!({ "reorder": { "within": seconds(within) } }),
            Does::Hold { every } => json!({ "hold": { "every": seconds(every) } }),
            Does::Drop => json!({ "drop": {} }),
            Does::Forge => json!({ "bad_signature": {} }),
        };
        let mut on = json!({ "deliver": deliver });
        for (name, value) in [
            ("probability", self.odds.map(|odds| json!(format!("1/{odds}")))),
            ("nth", self.nth.map(|nth| json!(nth))),
            ("after", self.after.map(|after| json!(seconds(after)))),
            ("until", self.until.map(|until| json!(seconds(until)))),
        ] {
            if let Some(value) = value {
                on[name] = value;
            }
        }
        let mut rule = json!({ "id": format!("rule-{number}"), "on": on, "do": spoken });
        if let Some(times) = self.times {
            rule["times"] = json!(times);
        }
        rule
    }
}

fn seconds(number: u64) -> String {
    format!("{number}s")
}

/// What came to the app: what it is about, when (microseconds after arming), whether it is genuine, whether it is a
/// second try.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Came {
    at: u64,
    what: String,
    genuine: bool,
    again: bool,
}

/// The model: rules with their counts, and what is on its way.
struct Model {
    seeds: SeedTree,
    rules: Vec<Rule>,
    matched: Vec<u64>,
    fired: Vec<u64>,
    draws: BTreeMap<(usize, bool), u64>,
    deliver: &'static str,
    recipient: String,
    flaky: BTreeSet<String>,
    /// Due time and place in the queue.
    queue: BTreeMap<(u64, u64), Parcel>,
    next: u64,
    came: Vec<Came>,
}

#[derive(Clone)]
struct Parcel {
    what: String,
    struck: bool,
    genuine: bool,
    again: bool,
}

impl Model {
    fn put(&mut self, due: u64, parcel: Parcel) {
        self.queue.insert((due, self.next), parcel);
        self.next += 1;
    }

    /// All that is due by then happens.
    fn pass(&mut self, to: u64) {
        while let Some((&(due, place), _)) = self.queue.first_key_value().filter(|((due, _), _)| *due <= to) {
            let mut parcel = self.queue.remove(&(due, place)).expect("was there");
            if !parcel.struck {
                parcel.struck = true;
                if !self.judge(due, &mut parcel) {
                    continue;
                }
            }
            let Parcel { what, genuine, again, .. } = parcel.clone();
            let fails = !again && self.flaky.contains(&what);
            self.came.push(Came { at: due, what, genuine, again });
            if fails {
                self.put(due, Parcel { again: true, ..parcel });
            }
        }
    }

    /// Lets the rules have their say; whether it goes out now.
    fn judge(&mut self, now: u64, parcel: &mut Parcel) -> bool {
        let Some((number, does)) = (0..self.rules.len()).find_map(|number| Some((number, self.asks(number, now)?)))
        else {
            return true;
        };
        let later = Parcel { ..parcel.clone() };
        match does {
            Does::Duplicate { copies, after } => {
                for copy in 1..=u64::from(copies) {
                    self.put(now + copy * after * SECOND, later.clone());
                }
                true
            }
            Does::Delay { by } => {
                self.put(now + by * SECOND, later);
                false
            }
            Does::Reorder { within } => {
                let late = self.draw(number, true).below(within * 1_000 * SECOND) / 1_000;
                self.put(now + late, later);
                false
            }
            Does::Hold { every } => {
                let span = every * SECOND;
                self.put(now + span - now % span, later);
                false
            }
            Does::Drop => false,
            Does::Forge => {
                parcel.genuine = false;
                true
            }
        }
    }

    /// Whether a rule fires.
    fn asks(&mut self, number: usize, now: u64) -> Option<Does> {
        let rule = self.rules[number];
        if rule.after.is_some_and(|after| now < after * SECOND) || rule.until.is_some_and(|until| now > until * SECOND)
        {
            return None;
        }
        self.matched[number] += 1;
        if rule.nth.is_some_and(|nth| nth != self.matched[number]) {
            return None;
        }
        let odds = rule.odds.map(|odds| Ratio::parse(&format!("1/{odds}")).expect("is a ratio"));
        if odds.is_some_and(|odds| !self.draw(number, false).happens(odds)) {
            return None;
        }
        if rule.times.is_some_and(|times| self.fired[number] >= times) {
            return None;
        }
        self.fired[number] += 1;
        Some(rule.does)
    }

    /// The rule's next draw for this kind and recipient: of its odds, or of its time.
    fn draw(&mut self, number: usize, of_time: bool) -> dtu_kernel::seed::Draw {
        let site = Site::named("fault").child(&format!("rule-{number}")).child(self.deliver).child(&self.recipient);
        let site = if of_time { site.child("span") } else { site };
        let nth = self.draws.entry((number, of_time)).or_default();
        *nth += 1;
        self.seeds.draw(site, *nth - 1)
    }
}

/// A service whose deliveries are struck.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Service {
    Slack,
    Okta,
}

/// A universe with an app that keeps what it is told, and fails the first time that it is told of some things.
struct Bench {
    universe: Arc<Universe>,
    service: Service,
    came: Arc<Mutex<Vec<Came>>>,
    recipient: String,
}

impl Bench {
    async fn new(seed: u64, service: Service, flaky: &BTreeSet<String>) -> Self {
        let options = Options { seed, clock: ClockMode::Stepped, ..Options::default() };
        let universe = dtu_universe::multiverse().create_unserved("acme", &options).expect("acme loads");
        let came = Arc::new(Mutex::new(Vec::new()));
        let secret = env(&universe, "SLACK_SIGNING_SECRET");
        let address = listen(Arc::clone(&universe), Arc::clone(&came), flaky.clone(), secret).await;
        let recipient = match service {
            Service::Slack => {
                let with = json!({ "app": "dtu-tester", "events_url": address, "events": ["message.channels"] });
                act(&universe, "dana", "slack.admin.configure_app", with);
                universe.run_until_quiet(Duration::from_secs(60)).await;
                let apps = universe.view("slack", "apps").expect("is a view");
                let own = apps.as_array().expect("rows").iter().find(|app| app["key"] == "dtu-tester");
                own.and_then(|app| app["id"].as_str()).expect("has an id").to_owned()
            }
            Service::Okta => connect_hook(&universe, &address).await,
        };
        Self { universe, service, came, recipient }
    }

    /// Something happens that is told.
    fn cause(&self, what: &str) {
        match self.service {
            Service::Slack => {
                act(&self.universe, "lena", "slack.user.post", json!({ "channel": "#general", "text": what }));
            }
            Service::Okta => {
                let body = json!({ "profile": { "name": what } });
                let token = env(&self.universe, "OKTA_CLIENT_TOKEN");
                let answer = Call::okta("addGroup", &token, &[], Some(&body)).send(&self.universe);
                assert_eq!(answer.status, 200);
            }
        }
    }

    /// Something happens that no rule and no app hears of.
    fn disturb(&self, n: usize) {
        let (slack, okta) = (env(&self.universe, "SLACK_BOT_TOKEN"), env(&self.universe, "OKTA_CLIENT_TOKEN"));
        match n % 4 {
            0 => drop(Call::slack("users.list", &slack, &[]).send(&self.universe)),
            1 => drop(Call::okta("listUsers", &okta, &[], None).send(&self.universe)),
            2 => {
                let login = format!("x{n}@acme.example");
                let profile = json!({ "login": login, "email": login, "firstName": "X", "lastName": "Y" });
                drop(Call::okta("createUser", &okta, &[], Some(&json!({ "profile": profile }))).send(&self.universe));
            }
            _ => {
                let email = &self.universe.world().people[n % 7].email;
                drop(Call::okta("getUser", &okta, &[email], None).send(&self.universe));
            }
        }
    }
}

fn env(universe: &Universe, name: &str) -> String {
    let found = universe.env().into_iter().find(|variable| variable.name == name);
    found.map(|variable| variable.content().to_owned()).expect("the twin names it")
}

fn act(universe: &Universe, who: &str, verb: &str, with: Value) {
    let Value::Object(with) = with else { unreachable!("an object was written") };
    universe.perform(verb, who, with).expect("is done");
}

/// A verified hook that is told of new groups; its id.
async fn connect_hook(universe: &Arc<Universe>, address: &str) -> String {
    let token = env(universe, "OKTA_CLIENT_TOKEN");
    let made = json!({
        "name": "Chaos", "events": { "type": "EVENT_TYPE", "items": ["group.lifecycle.create"] },
        "channel": { "type": "HTTP", "version": "1.0.0", "config": {
            "uri": address, "authScheme": { "type": "HEADER", "key": "Authorization", "value": "chaos-secret" },
        } },
    });
    let hook = Call::okta("createEventHook", &token, &[], Some(&made)).json(universe);
    let id = hook["id"].as_str().expect("has an id").to_owned();
    drop(Call::okta("verifyEventHook", &token, &[&id], None).called(universe));
    assert!(universe.settle(Duration::from_secs(20)).await, "the challenge is met");
    id
}

async fn listen(
    universe: Arc<Universe>,
    came: Arc<Mutex<Vec<Came>>>,
    flaky: BTreeSet<String>,
    secret: String,
) -> String {
    let start = universe.now();
    let universe = Arc::downgrade(&universe);
    let failed = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let take = move |headers: http::HeaderMap, body: axum::body::Bytes| {
        let header =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let at = universe.upgrade().map_or(0, |universe| universe.now().since(start).as_micros());
        let challenge = header("x-okta-verification-challenge");
        let (what, genuine) = if said["type"] == "event_callback" {
            let secs = header("x-slack-request-timestamp").parse().unwrap_or_default();
            let genuine = header("x-slack-signature") == dtu_slack::signature(&secret, secs, &body);
            (text(&said["event"]["text"]), genuine)
        } else {
            (text(&said["data"]["events"][0]["target"][0]["displayName"]), header("authorization") == "chaos-secret")
        };
        let mut status = 200;
        if !what.is_empty() {
            // Each sending of what is flaky fails the first time, so that every other one of them is a second try.
            let mut failed = failed.lock();
            let count = failed.entry(what.clone()).or_default();
            *count += usize::from(flaky.contains(&what));
            let again = flaky.contains(&what) && count.is_multiple_of(2);
            status = if flaky.contains(&what) && !again { 500 } else { 200 };
            let at = u64::try_from(at).expect("fits");
            came.lock().push(Came { at, what, genuine, again });
        }
        let answer = if challenge.is_empty() {
            text(&said["challenge"])
        } else {
            json!({ "verification": challenge }).to_string()
        };
        async move { (http::StatusCode::from_u16(status).expect("is a status"), answer) }
    };
    let router = axum::Router::new().fallback(take);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port is there");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        (1_u32..4, 0_u64..40).prop_map(|(copies, after)| Does::Duplicate { copies, after }),
        (0_u64..60).prop_map(|by| Does::Delay { by }),
        (1_u64..60).prop_map(|within| Does::Reorder { within }),
        (1_u64..45).prop_map(|every| Does::Hold { every }),
        Just(Does::Drop),
        Just(Does::Forge),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let maybe = |most: u64| prop::option::weighted(0.3, 1..most);
    let odds = prop::option::weighted(0.5, 2_u64..4);
    (does(), odds, maybe(5), maybe(4), maybe(40), prop::option::weighted(0.2, 20_u64..90))
        .prop_map(|(does, odds, nth, times, after, until)| Rule { does, odds, nth, times, after, until })
}

/// What comes of it: seen, and by the model.
async fn run(
    seed: u64,
    service: Service,
    rules: &[Rule],
    pauses: &[u64],
    flaky: &BTreeSet<String>,
    noise: &[usize],
) -> (Vec<Came>, Vec<Came>) {
    let bench = Bench::new(seed, service, flaky).await;
    let deliver = if service == Service::Slack { "event_callback" } else { "event_hook" };
    let written: Vec<_> = rules.iter().enumerate().map(|(number, rule)| rule.json(number, deliver)).collect();
    let armed: Vec<_> = written.into_iter().map(|rule| serde_json::from_value(rule).expect("is a rule")).collect();
    bench.universe.arm(&armed).expect("are armed");
    let mut model = Model {
        seeds: SeedTree::new(seed),
        matched: vec![0; rules.len()],
        fired: vec![0; rules.len()],
        rules: rules.to_vec(),
        draws: BTreeMap::new(),
        deliver,
        recipient: bench.recipient.clone(),
        flaky: flaky.clone(),
        queue: BTreeMap::new(),
        next: 0,
        came: Vec::new(),
    };
    let mut now = 0;
    for (n, pause) in pauses.iter().enumerate() {
        let what = format!("thing {n}");
        bench.cause(&what);
        model.put(now, Parcel { what, struck: false, genuine: true, again: false });
        noise.get(n).into_iter().for_each(|kind| bench.disturb(*kind));
        bench.universe.advance(Duration::from_secs(*pause)).await;
        now += pause * SECOND;
        model.pass(now);
    }
    bench.universe.run_until_quiet(Duration::from_secs(3_600)).await;
    model.pass(u64::MAX);
    assert!(bench.universe.jobs().is_empty(), "nothing is left to come");
    let tallies = bench.universe.faults();
    let fired: Vec<u64> = tallies.iter().map(|(_, tally)| tally.fired).collect();
    assert_eq!(fired, model.fired, "each rule fired as often as the model says");
    let came = bench.came.lock().clone();
    (came, model.came)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn apps_are_told_what_the_rules_say_and_nothing_else(
        seed in 0_u64..1_000,
        of_slack in any::<bool>(),
        rules in prop::collection::vec(rule(), 1..4),
        pauses in prop::collection::vec(prop_oneof![Just(0), 0_u64..25], 1..9),
        flaky in prop::collection::btree_set(0_usize..9, 0..3),
        noise in prop::collection::vec(0_usize..8, 0..9),
    ) {
        let service = if of_slack { Service::Slack } else { Service::Okta };
        // An app that fails a copy while another is on its way cannot tell which of them a second try belongs to.
        let copies = rules.iter().any(|rule| matches!(rule.does, Does::Duplicate { .. }));
        let flaky: BTreeSet<String> = flaky.iter().filter(|_| !copies).map(|n| format!("thing {n}")).collect();
        let (came, model) = block_on(run(seed, service, &rules, &pauses, &flaky, &noise));
        prop_assert_eq!(came, model);
    }

    #[test]
    fn order_is_kept_where_no_rule_reorders(
        seed in 0_u64..1_000,
        of_slack in any::<bool>(),
        kind in 0_usize..4,
        span in 1_u64..30,
        pauses in prop::collection::vec(0_u64..10, 2..9),
    ) {
        let does = [Does::Delay { by: span }, Does::Hold { every: span }, Does::Forge, Does::Drop][kind];
        let odds = (kind == 3).then_some(2);
        let rule = Rule { does, odds, nth: None, times: None, after: None, until: None };
        let service = if of_slack { Service::Slack } else { Service::Okta };
        let (came, _) = block_on(run(seed, service, &[rule], &pauses, &BTreeSet::new(), &[]));
        let order: Vec<&str> = came.iter().map(|came| came.what.as_str()).collect();
        prop_assert!(order.is_sorted(), "{:?}", order);
        prop_assert!(kind == 3 || order.len() == pauses.len(), "{:?}", order);
    }
}
