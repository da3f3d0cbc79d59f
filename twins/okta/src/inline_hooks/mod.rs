//! Inline hooks: Okta asks a service of the org's own in the middle of a call, and does what it answers.
//!
//! The call waits: what it had come to is kept as [`Waiting`] under the request's id, the question goes out as a
//! delivery, and its answer is made in [`delivered`], where the state can still be written.
//! See developer.okta.com/docs/concepts/inline-hooks/.

pub mod execute;
pub mod import;
pub mod password;
mod patch;
pub mod registration;
mod reply;
pub(crate) mod saml;
pub mod tokens;

use std::time::Duration;

use bytes::Bytes;
use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    ids::BASE64_URL,
    twin::{Read, Scene},
    tx::Tx,
    wire::Answer,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use self::reply::Reply;
use crate::{
    Okta,
    api::request_id,
    error::Error,
    events,
    model::{
        Act, Acting, SITE, State,
        event_type::{INLINE_EXECUTED, INLINE_PROCESSED},
        grant::Passing,
        log,
    },
    resources::party,
};

/// A question to an inline hook.
pub const INLINE: &str = "inline_hook";
/// The table of calls that wait for one.
pub const TABLE: &str = "inline_calls";

const HOOKS: &str = "/api/v1/inlineHooks";
/// How long Okta waits for an answer.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// One try and one retry.
const ATTEMPTS_MAX: u32 = 2;
/// How long a call that waits is kept.
const KEPT: Duration = Duration::from_secs(60);
/// Hooks that are asked once only.
const ASKED_ONCE: [&str; 2] = [tokens::TYPE, "com.okta.telephony.provider"];

/// A call that waits for a hook, or the answer that it waited for.
#[derive(Clone, Debug)]
pub struct Waiting {
    by: Acting,
    stage: Stage,
}

/// How far a call has come.
#[derive(Clone, Debug)]
enum Stage {
    /// Tokens that are made, and not signed.
    Tokens(Box<tokens::Pending>),
    /// A password that only the hook knows.
    Password(Box<password::Pending>),
    /// A hook that is tried out.
    Execute,
    /// Somebody who registers.
    Registration(Box<registration::Pending>),
    /// Somebody whom an app brings.
    Import(Box<import::Pending>),
    /// Somebody on the way to an app.
    Saml(Box<saml::Pending>),
    /// It is over, and this is its answer.
    Over(Result<Answer, Error>),
}

/// Rows hold passwords and tokens: they show only where they stand.
impl Serialize for Waiting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stage = match self.stage {
            Stage::Tokens(_) => "tokens",
            Stage::Password(_) => "password",
            Stage::Execute => "execute",
            Stage::Registration(_) => "registration",
            Stage::Import(_) => "import",
            Stage::Saml(_) => "saml",
            Stage::Over(_) => "over",
        };
        let mut row = serializer.serialize_struct("Waiting", 1)?;
        row.serialize_field("stage", stage)?;
        row.end()
    }
}

/// An empty table of calls that wait.
pub fn table() -> Passing<Waiting> {
    Passing::new(TABLE)
}

/// What a delivery is about.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    hook: SmolStr,
    ticket: SmolStr,
    body: Value,
}

type Members = Map<String, Value>;

/// The members of a hook that is on, and of a type.
fn active<'a>(state: &'a State, id: &str, kind: &str) -> Option<&'a Members> {
    let is = |members: &Members, name: &str, wanted: &str| members.get(name).and_then(Value::as_str) == Some(wanted);
    let hook = state.objects.member(HOOKS, id)?;
    (is(hook, "status", "ACTIVE") && is(hook, "type", kind)).then_some(hook)
}

/// The id of the first hook of a type that is on.
fn first(state: &State, kind: &str) -> Option<SmolStr> {
    state.objects.members(HOOKS).map(|(id, _)| id).find(|id| active(state, id, kind).is_some()).cloned()
}

/// What all questions have in common.
fn envelope(act: &mut Act<'_, '_>, kind: &str, source: String, data: Value) -> Value {
    json!({
        "eventId": act.tx.draw(SITE.child("inline hook")).text(BASE64_URL, 22),
        "eventTime": act.tx.now.iso_millis(),
        "eventType": kind,
        "eventTypeVersion": "1.0",
        "contentType": "application/json",
        "cloudEventVersion": "0.1",
        "source": source,
        "data": data,
    })
}

/// A call that waits, as the questions about it tell of it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The number of the request.
    pub(crate) bits: (u64, u64),
    /// Where the org is.
    pub(crate) origin: SmolStr,
    method: Method,
    path: String,
    query: String,
}

impl Caller {
    /// The present call.
    pub(crate) fn of(scene: &Scene<'_>) -> Self {
        let sent = scene.request;
        Self {
            bits: scene.request_bits,
            origin: sent.origin.clone(),
            method: sent.method.clone(),
            path: sent.path.clone(),
            query: sent.query.clone(),
        }
    }

    /// Its address without what the caller made of it.
    fn address(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// The request that a question is about. Its address is given in full, with what the caller made of it.
    fn request(&self) -> Value {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        json!({
            "id": request_id(self.bits),
            "method": self.method.as_str(),
            "url": { "value": format!("{}{query}", self.address()) },
            "ipAddress": "127.0.0.1",
        })
    }
}

/// Asks a hook, and makes the present call wait for what comes of it.
fn ask(act: &mut Act<'_, '_>, caller: &Caller, hook: SmolStr, body: Value, stage: Stage) {
    let ticket = SmolStr::from(request_id(caller.bits));
    let by = act.by.clone();
    keep(act, &ticket, Waiting { by, stage });
    act.tx.deliver_and_wait(INLINE, json!(Question { hook, ticket, body }));
}

/// Asks a hook about what no call waits for: what comes of it shows in a view.
fn ask_later(act: &mut Act<'_, '_>, ticket: &SmolStr, hook: SmolStr, body: Value, stage: Stage) {
    let by = act.by.clone();
    keep(act, ticket, Waiting { by, stage });
    act.tx.deliver(INLINE, json!(Question { hook, ticket: ticket.clone(), body }));
}

fn keep(act: &mut Act<'_, '_>, ticket: &SmolStr, row: Waiting) {
    let now = act.tx.now;
    let end = now.after(KEPT);
    act.state.inline_calls.put(&mut act.tx.changes, now, ticket.clone(), end, row);
}

/// The answer of a call that has waited.
///
/// # Errors
/// What the hook's answer came to; a failure where it never came.
pub fn answer(cx: &Read<'_, Okta>) -> Result<Answer, Error> {
    match cx.state.inline_calls.get(&request_id(cx.scene.request_bits)).map(|row| &row.stage) {
        Some(Stage::Over(over)) => over.clone(),
        _ => Err(Error::coded("E0000009")),
    }
}

/// Builds an attempt; none where the hook is gone.
pub fn prepare(state: &State, delivery: &Delivery) -> Option<Outbound> {
    let question: Question = serde_json::from_value(delivery.payload.clone()).ok()?;
    let config = state.objects.member(HOOKS, &question.hook)?.get("channel")?.get("config")?.clone();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::ACCEPT, json.clone());
    headers.insert(header::CONTENT_TYPE, json);
    for own in config["headers"].as_array().into_iter().flatten() {
        set(&mut headers, &text(own, "key"), &text(own, "value"));
    }
    let secret = text(&config["authScheme"], "value");
    set(
        &mut headers,
        &text(&config["authScheme"], "key"),
        if delivery.bad_signature { "not-the-secret" } else { &secret },
    );
    let (url, body) = (text(&config, "uri"), Bytes::from(question.body.to_string()));
    Some(Outbound { method: Method::POST, url, headers, body, timeout: PATIENCE, redirects: 0 })
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

/// Takes in what came of an attempt, and makes the answer of the call that waits.
pub fn delivered(state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
    let Ok(question) = serde_json::from_value::<Question>(delivery.payload.clone()) else { return Next::Done };
    let kind = question.body["eventType"].as_str().unwrap_or_default().to_owned();
    let reply = Reply::read(outcome);
    if reply.is_worth_retrying() && delivery.attempt < ATTEMPTS_MAX && !ASKED_ONCE.contains(&kind.as_str()) {
        return Next::Retry { after: Duration::ZERO, reason: "delivery_failed" };
    }
    let Some(waiting) = state.inline_calls.get(&question.ticket).map(|row| Waiting::clone(row)) else {
        return Next::Done;
    };
    let mut act = Act::new(state, tx, waiting.by.clone());
    note(&mut act, &question.hook, &reply);
    let over = match waiting.stage {
        Stage::Tokens(pending) => Some(tokens::go_on(&mut act, &question.hook, *pending, &reply)),
        // What the right password opens may be another hook's to say.
        Stage::Password(pending) => password::go_on(&mut act, &question.hook, *pending, &reply),
        Stage::Execute => Some(execute::go_on(&reply)),
        Stage::Registration(pending) => Some(Ok(registration::go_on(&mut act, &question.hook, *pending, &reply))),
        Stage::Import(pending) => Some(Ok(import::go_on(&mut act, &question.hook, *pending, &reply))),
        Stage::Saml(pending) => Some(Ok(saml::go_on(&mut act, &question.hook, *pending, &reply))),
        Stage::Over(_) => return Next::Done,
    };
    if let Some(over) = over {
        keep(&mut act, &question.ticket, Waiting { by: waiting.by, stage: Stage::Over(over) });
    }
    events::announce(&mut act);
    Next::Done
}

/// Writes into the System Log whether a hook has answered.
fn note(act: &mut Act<'_, '_>, hook: &SmolStr, reply: &Reply) {
    let outcome = reply.problem().map_or(log::Outcome::SUCCESS, log::Outcome::failure);
    let target = party("InlineHook", hook, act.state.objects.member(HOOKS, hook));
    act.log_outcome(&INLINE_EXECUTED, vec![target], outcome);
}

/// Writes into the System Log what became of an answer.
fn processed(act: &mut Act<'_, '_>, hook: &SmolStr, problem: Option<String>) {
    let outcome = problem.map_or(log::Outcome::SUCCESS, log::Outcome::failure);
    let target = party("InlineHook", hook, act.state.objects.member(HOOKS, hook));
    act.log_outcome(&INLINE_PROCESSED, vec![target], outcome);
}
