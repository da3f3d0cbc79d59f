//! The one place that touches the twin's interface: calls, verbs, views, and short names for what they hold.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dtu_kernel::{
    clock::ClockMode,
    host::host,
    twin::Reason,
    universe::{Options, Universe},
    wire::{Reply, Request},
    world::World,
};
use dtu_slack::{Slack, State};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};

/// The bot of Access Bot, which has few scopes.
pub(crate) const BOT: &str = "xoxb-dtu-acme-accessbot-not-a-real-token";
/// The bot of Test Harness, which has most.
pub(crate) const TESTER: &str = "xoxb-dtu-acme-tester-not-a-real-token";
/// Dana through Test Harness.
pub(crate) const DANA: &str = "xoxp-dtu-acme-tester-not-a-real-token";
/// Test Harness itself.
pub(crate) const APP: &str = "xapp-1-dtu-acme-tester-not-a-real-token";

/// A universe with the Slack twin of the acme world.
pub(crate) struct Desk {
    pub(crate) universe: Arc<Universe>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(&Options { clock: ClockMode::Stepped, ..Options::default() })
    }

    pub(crate) fn with(options: &Options) -> Self {
        let world = World::find("acme", &["okta", "slack"]).expect("acme is part of the program");
        let options = Options { check: true, ..options.clone() };
        let universe = Universe::create("test", Arc::new([host(Slack)]), Arc::new(world), &options);
        let universe = universe.unwrap_or_else(|problems| panic!("{}", problems[0]));
        universe.set_origin(0, "http://127.0.0.1:7003");
        Self { universe }
    }

    pub(crate) fn state(&self) -> Arc<State> {
        self.universe.state("slack").expect("the twin is there")
    }

    /// Replaces `{#channel}` and `{@person}` by ids. An app's bot goes by the bot's user name.
    pub(crate) fn expand(&self, text: &str) -> String {
        let state = self.state();
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = ["{#", "{@"].iter().filter_map(|mark| rest.find(mark)).min() {
            let end = start + rest[start..].find('}').expect("braces are closed");
            let name = &rest[start + 2..end];
            out.push_str(&rest[..start]);
            if rest[start..].starts_with("{@") {
                out.push_str(&state.find_user(name).unwrap_or_else(|| panic!("nobody is {name}")).id);
            } else {
                let mut channels = state.channels.iter().map(|(_, row)| row);
                out.push_str(&channels.find(|row| row.name == name).unwrap_or_else(|| panic!("no channel {name}")).id);
            }
            rest = &rest[end + 1..];
        }
        out + rest
    }

    /// Calls a method with form arguments (`a=1&b=2`, not encoded but for `&` as `%26`).
    pub(crate) fn call(&self, token: &str, method: &str, args: &str) -> Value {
        let reply = self.send(method, token, "application/x-www-form-urlencoded", &self.expand(args));
        let text = String::from_utf8_lossy(&reply.body);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
    }

    /// Calls a method with a JSON body.
    pub(crate) fn call_json(&self, token: &str, method: &str, body: &Value) -> Value {
        let reply = self.send(method, token, "application/json; charset=utf-8", &self.expand(&body.to_string()));
        let text = String::from_utf8_lossy(&reply.body);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
    }

    pub(crate) fn send(&self, method: &str, token: &str, content_type: &str, body: &str) -> Reply {
        let mut headers = vec![("content-type", content_type.to_owned())];
        if !token.is_empty() {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        self.request(Method::POST, &format!("/api/{method}"), &headers, body.as_bytes())
    }

    /// Any request, routed as the listener would.
    pub(crate) fn request(&self, method: Method, target: &str, headers: &[(&str, String)], body: &[u8]) -> Reply {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(value).unwrap());
        }
        let host = &self.universe.twins()[0];
        let at_path = |info: &dtu_kernel::operation::OperationInfo| matches(info.path, path).is_some();
        let taken = host.operations().iter().position(|info| at_path(info) && info.methods.contains(&method));
        let found = taken.or_else(|| host.operations().iter().position(at_path));
        let path_params = found.and_then(|at| matches(host.operations()[at].path, path)).unwrap_or_default();
        let request = Request {
            method: method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            path_params,
            headers: map,
            body: Bytes::copy_from_slice(body),
            origin: "http://127.0.0.1:7003".into(),
        };
        match found {
            None => host.unserved(&self.universe, request, Reason::NotFound),
            Some(at) if !host.operations()[at].methods.contains(&method) => {
                host.unserved(&self.universe, request, Reason::MethodNotAllowed)
            }
            Some(at) => host.call(&self.universe, 0, at, request).reply().expect("no call waits"),
        }
    }

    /// The error of a call; empty where it worked.
    pub(crate) fn error(&self, token: &str, method: &str, args: &str) -> String {
        let answer = self.call(token, method, args);
        answer["error"].as_str().unwrap_or_default().to_owned()
    }

    /// Calls that must be refused with a code.
    pub(crate) fn refuses(&self, token: &str, method: &str, rows: &[(&str, &str)]) {
        for (args, code) in rows {
            assert_eq!(self.error(token, method, args), *code, "{method} {args}");
        }
    }

    pub(crate) fn act(&self, verb: &str, actor: &str, with: Value) -> Value {
        self.try_act(verb, actor, with).unwrap_or_else(|why| panic!("{verb} as {actor}: {why}"))
    }

    pub(crate) fn try_act(&self, verb: &str, actor: &str, with: Value) -> Result<Value, String> {
        let Value::Object(with) = with else { panic!("arguments are an object") };
        self.universe.perform(verb, actor, with).map_err(|refusal| refusal.0)
    }

    pub(crate) fn view(&self, name: &str) -> Vec<Map<String, Value>> {
        let Some(Value::Array(rows)) = self.universe.view("slack", name) else { panic!("no view {name}") };
        let object = |row| match row {
            Value::Object(row) => row,
            _ => panic!("rows are objects"),
        };
        rows.into_iter().map(object).collect()
    }

    /// The texts shown in a channel, oldest first.
    pub(crate) fn texts(&self, channel: &str) -> Vec<String> {
        let rows = self.view("messages").into_iter().filter(|row| row["channel"] == channel);
        rows.map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    }

    /// What a person alone was shown.
    pub(crate) fn whispers(&self, to: &str) -> Vec<String> {
        let rows = self.view("ephemerals").into_iter().filter(|row| row["to"] == to);
        rows.map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn settle(&self) {
        assert!(self.universe.settle(Duration::from_secs(20)).await, "deliveries end");
    }

    /// Posts as a bot and gives back the timestamp.
    pub(crate) fn post(&self, token: &str, args: &str) -> String {
        let answer = self.call(token, "chat.postMessage", args);
        answer["ts"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The names of the methods that requests went to, with the error of each.
    pub(crate) fn ledger(&self) -> Vec<Value> {
        self.universe.ledger().page(0, 10_000).expect("the ledger reads")
    }
}

fn matches(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (wanted, given): (Vec<&'static str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut params = Vec::new();
    for (wanted, given) in wanted.into_iter().zip(given) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => params.push((name, given.to_owned())),
            None if wanted == given => {}
            None => return None,
        }
    }
    Some(params)
}

/// Blocks with one button each.
pub(crate) fn buttons(labels: &[&str]) -> Value {
    let element = |label: &&str| json!({ "type": "button", "action_id": label.to_lowercase(), "value": "v", "text": { "type": "plain_text", "text": label } });
    json!([
        { "type": "section", "block_id": "s", "text": { "type": "mrkdwn", "text": "Choose" } },
        { "type": "actions", "block_id": "a", "elements": labels.iter().map(element).collect::<Vec<_>>() },
    ])
}
