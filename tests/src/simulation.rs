//! A seeded simulation: people and a program use all twins for a while, with faults and a moving clock. Its
//! transcript holds each answer and the whole ledger, byte for byte.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use dtu_kernel::{
    clock::ClockMode,
    seed::{Draw, SeedTree, Site},
    universe::{Options, Universe},
};
use serde_json::{Value, json};

use crate::calls::Call;

/// Where every draw of the simulation itself comes from.
const SITE: Site = Site::named("simulation");
/// A URL at which nobody listens: deliveries fail alike in each run, and are retried.
const NOBODY: &str = "http://127.0.0.1:9/nobody";

/// Runs the simulation and gives back its transcript.
///
/// # Panics
/// Where a universe of the acme world cannot be made.
pub async fn run(seed: u64, steps: u64) -> String {
    let options = Options { seed, clock: ClockMode::Stepped, check: true, ..Options::default() };
    let universe = dtu_universe::multiverse().create_unserved("acme", &options).expect("acme loads");
    let mut simulation = Simulation::new(universe, seed);
    simulation.connect_app();
    for step in 0..steps {
        simulation.step(step).await;
    }
    simulation.finish().await
}

struct Simulation {
    universe: Arc<Universe>,
    draws: SeedTree,
    slack_token: String,
    okta_token: String,
    /// Channels, people and groups as answers showed them.
    channels: Vec<String>,
    slack_users: Vec<String>,
    messages: Vec<(String, String)>,
    okta_users: Vec<String>,
    groups: Vec<String>,
    transcript: String,
}

impl Simulation {
    fn new(universe: Arc<Universe>, seed: u64) -> Self {
        let env = universe.env();
        let token = |name: &str| {
            let found = env.iter().find(|variable| variable.name == name);
            found.map(|variable| variable.content().to_owned()).unwrap_or_default()
        };
        let (slack_token, okta_token) = (token("SLACK_BOT_TOKEN"), token("OKTA_CLIENT_TOKEN"));
        let ids = |value: &Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items.filter_map(|item| item["id"].as_str().map(str::to_owned)).collect()
        };
        let slack = |method: &str| Call::slack(method, &slack_token, &[("limit", "1000")]).json(&universe);
        let okta = |operation: &str| Call::okta(operation, &okta_token, &[], None).json(&universe);
        Self {
            channels: ids(&slack("conversations.list")["channels"]),
            slack_users: ids(&slack("users.list")["members"]),
            okta_users: ids(&okta("listUsers")),
            groups: ids(&okta("listGroups")),
            messages: Vec::new(),
            draws: SeedTree::new(seed),
            transcript: String::new(),
            slack_token,
            okta_token,
            universe,
        }
    }

    fn connect_app(&mut self) {
        let with = json!({ "app": "access-bot", "interactivity_url": NOBODY, "commands": { "/access": NOBODY } });
        self.act("dana", "slack.admin.configure_app", with);
    }

    async fn step(&mut self, step: u64) {
        let mut draw = self.draws.draw(SITE, step);
        match draw.below(16) {
            0 | 1 => self.post(&mut draw),
            2 => self.reply(&mut draw),
            3 => self.update(&mut draw),
            4 => self.slack("conversations.history", &[("channel", &pick(&mut draw, &self.channels)), ("limit", "7")]),
            5 => self.create_channel(&mut draw, step),
            6 => {
                let (channel, user) = (pick(&mut draw, &self.channels), pick(&mut draw, &self.slack_users));
                self.slack("conversations.invite", &[("channel", &channel), ("users", &user)]);
            }
            7 => self.slack("users.list", &[("limit", "5")]),
            8 => self.create_user(step),
            9 => self.move_user(&mut draw),
            10 => self.okta("listUsers", &[], None, &[("search", r#"profile.department eq "Sales""#)]),
            11 | 12 => self.change_membership(&mut draw),
            13 => self.act("lena", "slack.user.post", json!({ "channel": "#random", "text": format!("step {step}") })),
            14 => self.act(
                "lena",
                "slack.user.slash",
                json!({ "channel": "#access-requests", "command": "/access", "text": "figma-admin" }),
            ),
            _ => self.pass_time(&mut draw, step).await,
        }
        self.universe.settle(Duration::from_secs(30)).await;
    }

    fn post(&mut self, draw: &mut Draw) {
        let (channel, words) = (pick(draw, &self.channels), draw.below(9));
        let text = format!(
            "{} <@{}> &amp; more",
            "word ".repeat(usize::try_from(words).unwrap_or(0) + 1),
            pick(draw, &self.slack_users)
        );
        let call = Call::slack("chat.postMessage", &self.slack_token, &[("channel", &channel), ("text", &text)]);
        let answer = self.record("chat.postMessage", call);
        if let Some(ts) = answer["ts"].as_str() {
            self.messages.push((channel, ts.to_owned()));
        }
    }

    fn reply(&mut self, draw: &mut Draw) {
        let Some((channel, ts)) = pick_some(draw, &self.messages) else { return };
        self.slack("chat.postMessage", &[("channel", &channel), ("thread_ts", &ts), ("text", "in a thread")]);
        self.slack("conversations.replies", &[("channel", &channel), ("ts", &ts)]);
    }

    fn update(&mut self, draw: &mut Draw) {
        let Some((channel, ts)) = pick_some(draw, &self.messages) else { return };
        self.slack("chat.update", &[("channel", &channel), ("ts", &ts), ("text", "edited")]);
    }

    fn create_channel(&mut self, draw: &mut Draw, step: u64) {
        let private = if draw.below(2) == 0 { "true" } else { "false" };
        let name = format!("project-{step}");
        let call = Call::slack("conversations.create", &self.slack_token, &[("name", &name), ("is_private", private)]);
        let answer = self.record("conversations.create", call);
        self.channels.extend(answer["channel"]["id"].as_str().map(str::to_owned));
    }

    fn create_user(&mut self, step: u64) {
        let email = format!("new.{step}@acme.example");
        let body = json!({ "profile": { "firstName": "New", "lastName": format!("Person {step}"), "email": email, "login": email } });
        let call = Call::okta("createUser", &self.okta_token, &[], Some(&body)).query("activate", "false");
        let answer = self.record("createUser", call);
        self.okta_users.extend(answer["id"].as_str().map(str::to_owned));
    }

    fn move_user(&mut self, draw: &mut Draw) {
        const MOVES: [&str; 5] = ["activateUser", "suspendUser", "unsuspendUser", "deactivateUser", "unlockUser"];
        let user = pick(draw, &self.okta_users);
        let operation = MOVES[usize::try_from(draw.below(5)).unwrap_or(0)];
        self.okta(operation, &[&user], None, &[("sendEmail", "false")]);
        self.okta("getUser", &[&user], None, &[]);
    }

    fn change_membership(&mut self, draw: &mut Draw) {
        let (group, user) = (pick(draw, &self.groups), pick(draw, &self.okta_users));
        let operation = if draw.below(3) == 0 { "unassignUserFromGroup" } else { "assignUserToGroup" };
        self.okta(operation, &[&group, &user], None, &[]);
        self.okta("listGroupUsers", &[&group], None, &[("limit", "3")]);
    }

    /// Moves the clock, and arms or disarms faults.
    async fn pass_time(&mut self, draw: &mut Draw, step: u64) {
        self.universe.advance(Duration::from_secs(draw.below(600))).await;
        self.universe.disarm(None);
        if draw.below(2) == 0 {
            let rule = json!({ "id": format!("rule-{step}"), "on": { "probability": "1/4" }, "do": { "rate_limited": { "retry_after": "3s" } } });
            let rule = serde_json::from_value(rule).expect("is a rule");
            self.universe.arm(&[rule]).expect("is armed");
        }
    }

    fn slack(&mut self, method: &str, form: &[(&str, &str)]) {
        let call = Call::slack(method, &self.slack_token, form);
        self.record(method, call);
    }

    fn okta(&mut self, operation: &str, params: &[&str], body: Option<&Value>, query: &[(&str, &str)]) {
        let mut call = Call::okta(operation, &self.okta_token, params, body);
        for (name, value) in query {
            call = call.query(name, value);
        }
        self.record(operation, call);
    }

    fn act(&mut self, actor: &str, verb: &str, with: Value) {
        let Value::Object(with) = with else { return };
        let outcome = self.universe.perform(verb, actor, with);
        // Writing to a string cannot fail.
        let _ = writeln!(self.transcript, "{verb} as {actor}: {outcome:?}");
    }

    fn record(&mut self, name: &str, call: Call) -> Value {
        let reply = call.send(&self.universe);
        let body = String::from_utf8_lossy(&reply.body);
        let _ = writeln!(self.transcript, "{name}: {} {:?} {body}", reply.status, reply.headers);
        serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
    }

    async fn finish(mut self) -> String {
        self.universe.run_until_quiet(Duration::from_secs(3_600)).await;
        let length = usize::try_from(self.universe.ledger().len()).unwrap_or(usize::MAX);
        for entry in self.universe.ledger().page(0, length).expect("the ledger is read") {
            let _ = writeln!(self.transcript, "{entry}");
        }
        self.transcript
    }
}

fn pick(draw: &mut Draw, from: &[String]) -> String {
    pick_some(draw, from).unwrap_or_default()
}

fn pick_some<T: Clone>(draw: &mut Draw, from: &[T]) -> Option<T> {
    let at = draw.below(from.len() as u64);
    from.get(usize::try_from(at).unwrap_or(0)).cloned()
}
