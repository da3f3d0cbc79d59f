//! An org in a universe of its own, and the one helper through which all tests call it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dtu_kernel::{
    clock::ClockMode,
    host::{Called, Host, Waiting, host},
    operation::OperationInfo,
    twin::Reason,
    universe::{Options, Universe},
    wire::{Reply, Request},
    world::World,
};
use dtu_okta::Okta;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value};

pub(crate) const ORIGIN: &str = "http://okta.test";
pub(crate) const ADMIN: &str = "00dtu-acme-it-admin-token-not-a-real-secret";
pub(crate) const BOT: &str = "00dtu-acme-access-bot-token-not-a-real-secret";

pub(crate) struct Org {
    pub(crate) universe: Arc<Universe>,
    host: Arc<dyn Host>,
}

/// A call under way of being made.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// `"GET /api/v1/users?limit=2"`, with the administrator's token.
pub(crate) fn call(line: &str) -> Call {
    let (method, target) = line.split_once(' ').expect("is `METHOD target`");
    let method = method.parse().expect("is a method");
    let headers = vec![("authorization", format!("SSWS {ADMIN}")), ("accept", "application/json".to_owned())];
    Call { method, target: target.to_owned(), headers, body: Vec::new() }
}

impl Call {
    pub(crate) fn json(self, body: &Value) -> Self {
        let call = self.header("content-type", "application/json");
        Self { body: body.to_string().into_bytes(), ..call }
    }

    pub(crate) fn raw(self, media_type: &str, body: &str) -> Self {
        let call = if media_type.is_empty() { self } else { self.header("content-type", media_type) };
        Self { body: body.as_bytes().to_vec(), ..call }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(key, _)| *key != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn anonymous(mut self) -> Self {
        self.headers.retain(|(key, _)| *key != "authorization");
        self
    }
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The target of the link of a relation.
    pub(crate) fn link(&self, relation: &str) -> Option<String> {
        let end = format!(">; rel=\"{relation}\"");
        let links = self.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
        let found = links.filter_map(|link| link.strip_suffix(&end)?.strip_prefix('<').map(str::to_owned));
        found.map(|url| url.strip_prefix(ORIGIN).unwrap_or(&url).to_owned()).next()
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn causes(&self) -> Vec<&str> {
        let causes = self.body["errorCauses"].as_array().map(Vec::as_slice).unwrap_or_default();
        causes.iter().filter_map(|cause| cause["errorSummary"].as_str()).collect()
    }

    /// What each row of a list has at a pointer.
    pub(crate) fn column(&self, pointer: &str) -> Vec<String> {
        let rows = self.body.as_array().unwrap_or_else(|| panic!("is a list: {}", self.body));
        let text = |row: &Value| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        rows.iter().map(text).collect()
    }
}

pub(crate) fn options() -> Options {
    Options { clock: ClockMode::Stepped, check: true, ..Options::default() }
}

impl Org {
    pub(crate) fn acme() -> Self {
        Self::with(&options())
    }

    pub(crate) fn with(options: &Options) -> Self {
        Self::of(World::find("acme", &["okta", "slack", "jira", "google"]).expect("acme is a good world"), options)
    }

    pub(crate) fn of(world: World, options: &Options) -> Self {
        let host = host(Okta);
        let hosts = Arc::from([Arc::clone(&host)]);
        let universe = Universe::create("test", hosts, Arc::new(world), options).expect("acme loads");
        universe.set_origin(0, ORIGIN);
        Self { universe, host }
    }

    pub(crate) fn fork(&self) -> Self {
        Self { universe: self.universe.fork("fork", None), host: Arc::clone(&self.host) }
    }

    /// A call whose answer waits for nothing.
    pub(crate) fn send(&self, call: Call) -> Got {
        let reply = self.start(call).map_err(|waits| waits.0).expect("the answer waits for nothing");
        read(reply)
    }

    /// A call whose answer waits for a delivery.
    pub(crate) async fn wait(&self, call: Call) -> Got {
        let (at, waiting) = match self.start(call) {
            Ok(reply) => return read(reply),
            Err(waits) => *waits,
        };
        assert!(self.universe.settle(Duration::from_secs(20)).await, "settles");
        read(self.host.resume(&self.universe, 0, at, waiting).0)
    }

    /// The same where the clock must move for it: by so much at a time, until the answer is there.
    pub(crate) async fn wait_over_time(&self, call: Call, step: Duration) -> Got {
        let (at, waiting) = *self.start(call).expect_err("the answer waits");
        for _ in 0..1_000 {
            self.universe.settle(Duration::from_secs(20)).await;
            if self.universe.is_over(&waiting) {
                return read(self.host.resume(&self.universe, 0, at, waiting).0);
            }
            self.universe.advance(step).await;
        }
        panic!("no answer comes");
    }

    fn start(&self, call: Call) -> Result<Reply, Box<(usize, Waiting)>> {
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("is a header"));
        }
        let mut request = Request {
            method: call.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            path_params: Vec::new(),
            headers,
            body: call.body.into(),
            origin: ORIGIN.into(),
        };
        let fitting = self.host.operations().iter().enumerate();
        let mut fitting: Vec<_> = fitting.filter_map(|(at, info)| Some((at, info, params(info, path)?))).collect();
        fitting.sort_by_key(|(.., params)| params.len());
        let least = fitting.first().map(|(.., params)| params.len());
        fitting.retain(|(.., params)| Some(params.len()) == least);
        Ok(match fitting.iter().find(|(_, info, _)| info.methods.contains(&call.method)) {
            Some((at, _, params)) => {
                request.path_params.clone_from(params);
                match self.host.call(&self.universe, 0, *at, request) {
                    Called::Answered(reply, _) => reply,
                    Called::Waits(waiting) => return Err(Box::new((*at, waiting))),
                }
            }
            None if fitting.is_empty() => self.host.unserved(&self.universe, request, Reason::NotFound),
            None => self.host.unserved(&self.universe, request, Reason::MethodNotAllowed),
        })
    }

    /// A call that must be answered with `status`.
    #[track_caller]
    pub(crate) fn check(&self, call: Call, status: u16) -> Got {
        let shown = format!("{} {}", call.method, call.target);
        let got = self.send(call);
        assert_eq!(got.status, status, "{shown}: {}", got.body);
        got
    }

    /// A call that must be refused so; gives back the causes.
    #[track_caller]
    pub(crate) fn refuse(&self, call_: Call, status: u16, code: &str, causes: &[&str]) -> Got {
        let got = self.check(call_, status);
        assert_eq!((got.text("/errorCode"), got.causes()), (code, causes.to_vec()), "{}", got.body);
        got
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Got {
        self.check(call(&format!("GET {target}")), 200)
    }

    #[track_caller]
    pub(crate) fn post(&self, target: &str, body: &Value) -> Got {
        self.check(call(&format!("POST {target}")).json(body), 200)
    }

    /// The id of a person of acme.
    pub(crate) fn id(&self, login: &str) -> String {
        self.get(&format!("/api/v1/users/{login}")).text("/id").to_owned()
    }

    /// The id of a group.
    pub(crate) fn group(&self, name: &str) -> String {
        let got = self.get(&format!("/api/v1/groups?search=profile.name+eq+%22{name}%22"));
        got.text("/0/id").to_owned()
    }

    pub(crate) fn view(&self, name: &str) -> Value {
        self.universe.view("okta", name).expect("is a view")
    }

    pub(crate) fn perform(&self, verb: &str, actor: &str, with: &Value) -> Result<Value, String> {
        let with: Map<String, Value> = with.as_object().cloned().unwrap_or_default();
        self.universe.perform(verb, actor, with).map_err(|refusal| refusal.0)
    }

    /// How often each event type is in the log.
    pub(crate) fn events(&self) -> BTreeMap<String, usize> {
        let mut events = BTreeMap::new();
        for entry in self.view("log").as_array().expect("is a list") {
            *events.entry(entry["eventType"].as_str().expect("is text").to_owned()).or_insert(0) += 1;
        }
        events
    }
}

fn read(reply: Reply) -> Got {
    let body = if reply.body.is_empty() {
        Value::Null
    } else {
        let text = String::from_utf8_lossy(&reply.body);
        serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text))
    };
    Got { status: reply.status.as_u16(), headers: reply.headers, body }
}

fn params(info: &OperationInfo, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (wanted, given): (Vec<&'static str>, Vec<&str>) = (info.path.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut params = Vec::new();
    for (wanted, given) in wanted.into_iter().zip(given) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => params.push((name, given.replace("%40", "@"))),
            None if wanted == given => {}
            None => return None,
        }
    }
    Some(params)
}
