//! Google's twins in process, for tests: a universe of acme, and the one helper through which all tests call it.

use std::sync::Arc;

use dtu_kernel::{
    clock::ClockMode,
    host::Host,
    operation::OperationInfo,
    route::{Found, Paths},
    time::Timestamp,
    twin::{Quota, Reason, Scene, Twin as _},
    universe::{Options, Universe},
    wire::{Answer, Reply, Request},
    world::{SERVICES, World},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};

use crate::{
    api::{Api, Google},
    caller::Caller,
    error::Error,
    model::{
        State,
        token::{Grant, Holder},
    },
};

/// The address of the twin that a call goes to.
pub const ORIGIN: &str = "http://google.test";

/// A universe of Google's twins.
#[derive(Debug)]
pub struct Office {
    /// The universe.
    pub universe: Arc<Universe>,
}

/// A call about to be made.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// `"GET /drive/v3/about?fields=*"`, without a credential.
///
/// # Panics
/// Where the line is no method and target.
pub fn call(line: &str) -> Call {
    let (method, target) = line.split_once(' ').expect("is `METHOD target`");
    let method = method.parse().expect("is a method");
    Call { method, target: target.to_owned(), headers: HeaderMap::new(), body: Vec::new() }
}

impl Call {
    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("is a header's value");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// With an access token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a JSON body, or what is sent for one.
    #[must_use]
    pub fn json(self, body: &str) -> Self {
        Self { body: body.as_bytes().to_vec(), ..self.header("content-type", "application/json") }
    }

    /// With a form.
    #[must_use]
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let call = self.header("content-type", "application/x-www-form-urlencoded");
        Self { body: body.into_bytes(), ..call }
    }
}

/// An answer, read.
#[derive(Debug)]
pub struct Got {
    /// The answer as sent.
    pub reply: Reply,
    /// Its body; null where it is no JSON.
    pub body: Value,
}

impl Got {
    /// A header; the first of several.
    pub fn header(&self, name: &str) -> &str {
        self.reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The text at a JSON pointer; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The body as text.
    pub fn page(&self) -> String {
        String::from_utf8_lossy(&self.reply.body).into_owned()
    }
}

/// A stepped clock, and nothing else unusual.
pub fn options() -> Options {
    Options { clock: ClockMode::Stepped, check: true, ..Options::default() }
}

impl Office {
    /// Acme's, with these twins.
    pub fn acme(hosts: Vec<Arc<dyn Host>>) -> Self {
        Self::with(hosts, &options())
    }

    /// Acme's, with these twins and options.
    ///
    /// # Panics
    /// Where acme does not load.
    pub fn with(hosts: Vec<Arc<dyn Host>>, options: &Options) -> Self {
        let world = World::find("acme", &SERVICES).expect("acme is a good world");
        let universe = Universe::create("test", Arc::from(hosts), Arc::new(world), options).expect("acme loads");
        for slot in 0..universe.twins().len() {
            universe.set_origin(slot, ORIGIN);
        }
        Self { universe }
    }

    /// A call to a twin.
    ///
    /// # Panics
    /// Where there is no such twin, or its answer waits for a delivery.
    pub fn send(&self, twin: &str, call: Call) -> Got {
        let slot = self.universe.slot(twin).expect("is one of the twins");
        let host = Arc::clone(&self.universe.twins()[slot]);
        let (sent, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let path = host.path(sent);
        let mut request = Request {
            method: call.method,
            path: path.clone().into_owned(),
            query: query.to_owned(),
            path_params: Vec::new(),
            headers: call.headers,
            body: call.body.into(),
            origin: ORIGIN.into(),
        };
        let reply = match Paths::new(host.operations()).find(&request.method, &path) {
            Found::Operation(at, params) => {
                request.path_params = params;
                host.call(&self.universe, slot, at, request).reply().expect("the answer waits for nothing")
            }
            Found::Nothing => host.unserved(&self.universe, request, Reason::NotFound),
            Found::OtherMethods => host.unserved(&self.universe, request, Reason::MethodNotAllowed),
        };
        let body = serde_json::from_slice(&reply.body).unwrap_or_default();
        Got { reply, body }
    }

    /// A variable of the environment of clients: its text, or what is in its file.
    pub fn env(&self, name: &str) -> String {
        let env = self.universe.env();
        env.iter()
            .find(|variable| variable.name == name)
            .map(|variable| variable.content().to_owned())
            .unwrap_or_default()
    }

    /// The value of a new access token of `email`, a person or service account, for `scopes`: as if a program had got
    /// it from the token endpoint.
    ///
    /// # Panics
    /// Where nobody has that address.
    pub fn token(&self, email: &str, scopes: &[&str]) -> String {
        let mut value = String::new();
        let twin = self.universe.twins()[0].name();
        let done = self.universe.seed_state::<State>(twin, |state, tx| {
            let person = state.accounts.by_email(email).map(|account| Holder::Person(account.id.clone()));
            let service = || state.services.by_email(email).map(|service| Holder::Service(service.id.clone()));
            let holder = person.or_else(service).expect("somebody has the address");
            let scopes = scopes.iter().map(|scope| (*scope).into()).collect();
            let grant = Grant { holder, issued_to: "client".into(), scopes, refresh: None };
            value = state.tokens.issue(tx, grant, false).value.to_string();
        });
        assert!(done, "{twin} works on the workspace");
        value
    }

    /// A human act.
    ///
    /// # Errors
    /// What the person would be told.
    pub fn perform(&self, verb: &str, actor: &str, with: &Value) -> Result<Value, String> {
        let with: Map<String, Value> = with.as_object().cloned().unwrap_or_default();
        self.universe.perform(verb, actor, with).map_err(|refusal| refusal.0)
    }
}

/// A call of an operation up to the point where it would run: who calls, or the refusal as sent. For operations that
/// have no rules yet, through the workspace's own functions as theirs will.
///
/// # Errors
/// The refusal, and its body read.
///
/// # Panics
/// Where the token cannot stand in a header, or the refusal is no JSON.
pub fn attempt<A: Api>(
    office: &Office,
    operation: &OperationInfo,
    query: &str,
    token: &str,
) -> Result<Caller, Box<(Reply, Value)>> {
    let twin = Google::<A>::new();
    let state = office.universe.state::<State>(twin.name()).expect("works on the workspace");
    let mut headers = HeaderMap::new();
    if !token.is_empty() {
        headers.insert("authorization", format!("Bearer {token}").parse().expect("is a header"));
    }
    let request = Request {
        method: Method::GET,
        path: operation.path.into(),
        query: query.into(),
        path_params: Vec::new(),
        headers,
        body: Vec::new().into(),
        origin: ORIGIN.into(),
    };
    let scene = Scene { now: office.universe.now(), operation, request: &request, request_bits: (1, 2) };
    let believed = twin.authenticate(&state, &scene, &twin.input(operation, &request));
    believed.map_err(|error| Box::new(sent(&twin, &scene, Err(error))))
}

fn sent<A: Api>(twin: &Google<A>, scene: &Scene<'_>, result: Result<Answer, Error>) -> (Reply, Value) {
    let quota = Quota { limit: 1, remaining: 1, reset: Timestamp::default() };
    let reply = twin.render(scene, None, quota, result);
    let body = serde_json::from_slice(&reply.body).expect("is JSON");
    (reply, body)
}

/// Checks whom an API lets read and write: by scope, by its own rows' scopes, and with the world's standing token.
///
/// # Panics
/// Where somebody is believed who should not be, or the other way round.
pub fn check_scopes<A: Api>(
    office: &Office,
    email: &str,
    [get, update]: [OperationInfo; 2],
    cases: &[(&str, bool, bool)],
) {
    for (scope, reads, writes) in cases {
        let token = office.token(email, &[scope]);
        let believed = |operation: &OperationInfo| attempt::<A>(office, operation, "", &token).is_ok();
        assert_eq!((believed(&get), believed(&update)), (*reads, *writes), "{scope}");
    }
    let own = OperationInfo { scopes: &["own"], ..get };
    assert_eq!(Google::<A>::scopes_of(&own), ["own"], "what the row says goes first");
    let standing = attempt::<A>(office, &update, "", &office.env("GOOGLE_ACCESS_TOKEN"));
    assert_eq!(standing.expect("is believed").name, "dana.whitfield@acme.example");
}

/// Checks a refusal: its status, its code, and the envelope that says both. Gives it back as sent.
///
/// # Panics
/// Where the caller is believed, or refused otherwise.
pub fn check_refused<A: Api>(
    office: &Office,
    operation: &OperationInfo,
    (query, token): (&str, &str),
    (status, code): (u16, &str),
) -> Reply {
    let (reply, body) = *attempt::<A>(office, operation, query, token).expect_err("is refused");
    let error = &body["error"];
    assert_eq!((reply.status.as_u16(), error["status"].as_str()), (status, Some(code)), "{body}");
    assert_eq!((&error["code"], error.get("errors")), (&json!(status), None));
    assert_eq!(reply.error, code);
    reply
}

/// A kind of object that an API with strict arguments serves from its contract.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The twin.
    pub twin: &'static str,
    /// Where objects are made and read (`/v1/documents`).
    pub path: &'static str,
    /// The member that has the id (`documentId`).
    pub id: &'static str,
    /// The body that makes one with the title `Plan`.
    pub body: &'static str,
    /// Where the title is in an answer, as a JSON pointer.
    pub title: &'static str,
    /// What errors call the body.
    pub field: &'static str,
    /// A body with an unknown member `frob` one level down, and what errors call that level.
    pub odd: (&'static str, &'static str),
}

/// Checks that objects are made and read whole or in part, and that all else is refused as Google refuses it.
///
/// # Panics
/// Where something is otherwise.
pub fn check_kind(office: &Office, kind: &Kind) {
    let Kind { path, id: member, .. } = *kind;
    let token = office.env("GOOGLE_ACCESS_TOKEN");
    let check = |call: Call, status: u16, code: &str| {
        let got = office.send(kind.twin, call.bearer(&token));
        assert_eq!((got.reply.status.as_u16(), got.text("/error/status")), (status, code), "{}", got.page());
        got
    };
    let refuse = |call: Call, message: &str| {
        let got = check(call, 400, "INVALID_ARGUMENT");
        assert!(got.text("/error/message").contains(message), "{message}: {}", got.body);
        got
    };
    let get = |rest: &str| call(&format!("GET {path}/{rest}"));
    let post = || call(&format!("POST {path}"));
    let made = check(post().json(kind.body), 200, "");
    assert_eq!(made.text(kind.title), "Plan", "{}", made.body);
    let id = made.text(&format!("/{member}"));
    let got = check(get(&format!("{id}/")), 200, "");
    assert_eq!(got.text(kind.title), "Plan", "{}", got.body);
    let part = check(get(&format!("{id}?fields={member}")), 200, "");
    assert_eq!(part.body, json!({ member: id }));
    let odd = refuse(get(&format!("{id}?fields=nothing")), "");
    assert_eq!(odd.text("/error/details/0/fieldViolations/0/field"), "nothing");
    let unknown = check(get("none"), 404, "NOT_FOUND");
    assert_eq!(unknown.text("/error/message"), "Requested entity was not found.");
    refuse(get(&format!("{id}?foo=1")), "Unknown name \"foo\": Cannot bind query parameter.");
    let cannot =
        |at: &str| format!("Invalid JSON payload received. Unknown name \"frob\" at '{at}': Cannot find field.");
    refuse(post().json(r#"{"frob": 1}"#), &cannot(kind.field));
    // Either spelling of names is known.
    refuse(post().json(kind.odd.0), &cannot(kind.odd.1));
    refuse(post().json("{"), "Invalid JSON payload received.");
    let update = call(&format!("POST {path}/{id}:batchUpdate")).json(r#"{"requests": []}"#);
    check(update, 501, "UNIMPLEMENTED");
}
