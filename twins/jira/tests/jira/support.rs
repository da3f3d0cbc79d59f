//! A site in a universe of its own, and the one helper through which all tests call it.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_jira::{Jira, model::State};
use dtu_kernel::{
    clock::ClockMode,
    host::{Host, host},
    route::{Found, Paths},
    twin::Reason,
    universe::{Options, Universe},
    wire::{Reply, Request},
    world::World,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

pub(crate) const ORIGIN: &str = "http://jira.test";

pub(crate) struct Site {
    pub(crate) universe: Arc<Universe>,
    host: Arc<dyn Host>,
    paths: Paths,
}

/// A call under way of being made.
#[derive(Clone)]
pub(crate) struct Call {
    method: String,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Whether the world's first token signs the call.
    signed: bool,
}

/// `"GET /rest/api/3/myself"`, with the world's first token.
pub(crate) fn call(line: &str) -> Call {
    let (method, target) = line.split_once(' ').expect("is `METHOD target`");
    let headers = vec![("accept", "application/json".to_owned())];
    Call { method: method.to_owned(), target: target.to_owned(), headers, body: Vec::new(), signed: true }
}

/// The value of an `Authorization` header.
pub(crate) fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

impl Call {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(key, _)| *key != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| *key != name);
        self
    }

    pub(crate) fn anonymous(self) -> Self {
        Self { signed: false, ..self }
    }

    /// With another credential.
    pub(crate) fn signed(self, authorization: &str) -> Self {
        self.anonymous().header("authorization", authorization)
    }
}

/// An answer, read: what is no JSON is text.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) gap: bool,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// What each row of a list has at a pointer.
    pub(crate) fn column(&self, pointer: &str) -> Vec<&str> {
        let rows = self.body.as_array().unwrap_or_else(|| panic!("is a list: {}", self.body));
        rows.iter().map(|row| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default()).collect()
    }
}

pub(crate) fn options() -> Options {
    Options { clock: ClockMode::Stepped, check: true, ..Options::default() }
}

impl Site {
    pub(crate) fn acme() -> Self {
        Self::with(&options())
    }

    pub(crate) fn with(options: &Options) -> Self {
        let world = World::find("acme", &dtu_kernel::world::SERVICES).expect("acme is a good world");
        let host = host(Jira);
        let hosts = Arc::from([Arc::clone(&host)]);
        let universe = Universe::create("test", hosts, Arc::new(world), options).expect("acme loads");
        universe.set_origin(0, ORIGIN);
        let paths = Paths::new(host.operations());
        Self { universe, host, paths }
    }

    pub(crate) fn state(&self) -> Arc<State> {
        self.universe.state::<State>("jira").expect("is Jira's")
    }

    /// The world's first token with its owner's mail address.
    pub(crate) fn pair(&self) -> String {
        let env = self.universe.env();
        format!("{}:{}", env[1].content(), env[2].content())
    }

    pub(crate) fn send(&self, call: Call) -> Got {
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let mut headers = HeaderMap::new();
        let own = call.signed.then(|| ("authorization", basic(&self.pair())));
        for (name, value) in call.headers.iter().chain(&own) {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("is a header"));
        }
        let cleaned: Cow<'_, str> = self.host.path(path);
        let mut request = Request {
            method: call.method.parse().expect("is a method"),
            path: cleaned.into_owned(),
            query: query.to_owned(),
            path_params: Vec::new(),
            headers,
            body: call.body.into(),
            origin: ORIGIN.into(),
        };
        let reply = match self.paths.find(&request.method, &request.path) {
            Found::Operation(at, params) => {
                request.path_params = params;
                self.host.call(&self.universe, 0, at, request).reply().expect("waits for nothing")
            }
            Found::Nothing => self.host.unserved(&self.universe, request, Reason::NotFound),
            Found::OtherMethods => self.host.unserved(&self.universe, request, Reason::MethodNotAllowed),
        };
        read(reply)
    }

    /// A call that must be answered with `status`.
    #[track_caller]
    pub(crate) fn check(&self, call: Call, status: u16) -> Got {
        let shown = format!("{} {}", call.method, call.target);
        let got = self.send(call);
        assert_eq!(got.status, status, "{shown}: {}", got.body);
        got
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Got {
        self.check(call(&format!("GET {target}")), 200)
    }

    /// The account id of a person of acme.
    pub(crate) fn id(&self, key: &str) -> String {
        self.state().person(key).expect("works here").id.to_string()
    }

    pub(crate) fn view(&self, name: &str) -> Value {
        self.universe.view("jira", name).expect("is a view")
    }

    pub(crate) fn perform(&self, verb: &str, actor: &str, with: &Value) -> Result<Value, String> {
        let with: Map<String, Value> = with.as_object().cloned().unwrap_or_default();
        self.universe.perform(verb, actor, with).map_err(|refusal| refusal.0)
    }
}

fn read(reply: Reply) -> Got {
    let text = || Value::from(String::from_utf8_lossy(&reply.body).into_owned());
    let body = serde_json::from_slice(&reply.body).unwrap_or_else(|_| text());
    Got { status: reply.status.as_u16(), headers: reply.headers, body, gap: reply.gap }
}
