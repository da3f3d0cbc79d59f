//! The calls of apps' SCIM servers: how each is made, and what its answer begins (RFC 7644).

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    ids::ALNUM,
    tx::Tx,
};
use http::{HeaderMap, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{done, failed, start, user};
use crate::{
    events,
    model::{
        Act, Acting, SITE, State,
        app::App,
        assignment,
        provisioning::{Account, Auth, Task},
    },
};

/// A call of an app's SCIM server.
pub const SCIM: &str = "scim";

/// How long Okta waits for an answer. Its documents do not say; inferred.
const WAIT: Duration = Duration::from_secs(30);
/// How long it waits before it tries again where the server is broken or away. Its documents do not say; inferred.
/// Refusals are not tried again, nor is 429 (support.okta.com/help/s/article/
/// avoid-rate-limits-for-external-application-during-provisioning-operations).
const AGAIN: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];

const MEDIA: &str = "application/scim+json; charset=utf-8";
pub(super) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// What needs no escape in a query's value.
pub(super) const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// Looks whether there is an account.
    Find,
    /// Makes one.
    Create,
    /// Gets one, to send it back changed.
    Fetch,
    /// Sends one back, changed.
    Replace,
    /// Switches one.
    Switch,
}

/// A call.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Call {
    app: SmolStr,
    user: SmolStr,
    number: u64,
    task: Task,
    step: Step,
    method: SmolStr,
    path: String,
    body: Option<Value>,
}

/// Makes the first call of a task; false where there is nothing to do.
pub(super) fn begin(act: &mut Act<'_, '_>, app: &App, account: &mut Account, task: Task) -> bool {
    let patches = act.state.provisioning.connection(&app.id).is_some_and(|connection| connection.patches);
    match (task, account.external.clone()) {
        (Task::Provision, _) => {
            let name = name(act.state, app, &account.user);
            let filter = format!("userName eq \"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
            let filter = utf8_percent_encode(&filter, VALUE);
            let path = format!("/Users?filter={filter}&startIndex=1&count=100");
            call(act, account, task, (Step::Find, Method::GET), path, None);
        }
        (Task::Deactivate, Some(id)) if patches => {
            let body = json!({
                "schemas": [PATCH_OP], "Operations": [{ "op": "replace", "value": { "active": false } }],
            });
            call(act, account, task, (Step::Switch, Method::PATCH), one(&id), Some(body));
        }
        (Task::Update | Task::Deactivate, Some(id)) => {
            call(act, account, task, (Step::Fetch, Method::GET), one(&id), None);
        }
        (Task::Update | Task::Deactivate, None) => return false,
    }
    true
}

fn one(id: &str) -> String {
    format!("/Users/{}", utf8_percent_encode(id, VALUE))
}

fn call(
    act: &mut Act<'_, '_>,
    account: &mut Account,
    task: Task,
    (step, method): (Step, Method),
    path: String,
    body: Option<Value>,
) {
    account.call += 1;
    let (app, user, number) = (account.app.clone(), account.user.clone(), account.call);
    let method = SmolStr::new(method.as_str());
    act.tx.deliver(SCIM, json!(Call { app, user, number, task, step, method, path, body }));
}

/// A person's name in an app.
pub(super) fn name(state: &State, app: &App, user: &str) -> String {
    let Some(user) = state.users.get(user) else { return String::new() };
    let found = assignment::find(state, app, user).and_then(|found| found.user_name);
    found.map_or_else(|| user.login().to_owned(), String::from)
}

/// What Okta tells an app of a person; nothing where the person is gone.
fn profile(state: &State, app: &App, id: &str) -> Map<String, Value> {
    let Some(person) = state.users.get(id) else { return Map::new() };
    let found = assignment::find(state, app, person);
    user::profile(person, found.as_ref(), &name(state, app, id))
}

/// Builds an attempt; none where the app is gone.
pub fn prepare(state: &State, delivery: &Delivery) -> Option<Outbound> {
    let call: Call = serde_json::from_value(delivery.payload.clone()).ok()?;
    outbound(state, delivery, &call.app, (&call.method, &call.path), call.body.as_ref())
}

/// A call of an app's SCIM server, by method and path below its address.
pub(super) fn outbound(
    state: &State,
    delivery: &Delivery,
    app: &str,
    (method, path): (&str, &str),
    body: Option<&Value>,
) -> Option<Outbound> {
    let connection = state.provisioning.connection(app)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Okta SCIM Client 1.0.0"));
    headers.insert(header::ACCEPT, HeaderValue::from_static(MEDIA));
    let credential = match &connection.auth {
        Auth::Nothing => None,
        Auth::Token(token) => Some(format!("Bearer {token}")),
        Auth::Basic(name, password) => Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))),
        Auth::Header(value) => Some(value.to_string()),
    };
    let credential = if delivery.bad_signature { Some("Bearer not-the-token".to_owned()) } else { credential };
    if let Some(value) = credential.and_then(|value| HeaderValue::from_str(&value).ok()) {
        headers.insert(header::AUTHORIZATION, value);
    }
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    if !body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA));
    }
    Some(Outbound {
        method: method.parse().ok()?,
        url: format!("{}{path}", connection.base_url.as_ref()?),
        headers,
        body,
        timeout: WAIT,
        redirects: 0,
    })
}

/// Whether the server may answer otherwise the next time.
const fn is_worth_retrying(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered { status, .. } => *status >= 500,
        Outcome::TimedOut | Outcome::Unreachable => true,
        Outcome::TooManyRedirects | Outcome::Forbidden => false,
    }
}

/// Takes in what came of an attempt: goes on with the task, or ends it and begins the account's next.
pub fn delivered(state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
    let Ok(call) = serde_json::from_value::<Call>(delivery.payload.clone()) else { return Next::Done };
    let mut act = Act::new(state, tx, Acting::system());
    let account = act.state.provisioning.account(&call.app, &call.user).map(|account| Account::clone(account));
    // An answer that comes twice, or too late, is to a call that nobody waits for.
    let account = account.filter(|account| account.running == Some(call.task) && account.call == call.number);
    let Some((mut account, app)) = account.zip(act.state.apps.get(&call.app).cloned()) else { return Next::Done };
    if let Some(again) = again(delivery, outcome) {
        return again;
    }
    match read(outcome, call.step == Step::Find) {
        Ok(answer) => go_on(&mut act, &app, &mut account, &call, answer),
        Err(why) => failed(&mut act, &app, &mut account, call.task, &why),
    }
    if account.running.is_some() {
        act.state.provisioning.put(&mut act.tx.changes, account);
    } else {
        start(&mut act, &app, account);
    }
    events::announce(&mut act);
    Next::Done
}

/// When a call is tried again that may be answered otherwise then.
pub(super) fn again(delivery: &Delivery, outcome: &Outcome) -> Option<Next> {
    let wait = usize::try_from(delivery.attempt).ok().and_then(|attempt| AGAIN.get(attempt.wrapping_sub(1)));
    let after = wait.filter(|_| is_worth_retrying(outcome))?;
    Some(Next::Retry { after: *after, reason: "provisioning_failed" })
}

/// The object that a server answers; empty where it answers none, or has nothing of what is looked for.
///
/// # Errors
/// Why the call has failed, in words.
pub(super) fn read(outcome: &Outcome, looks: bool) -> Result<Map<String, Value>, String> {
    let (status, body) = match outcome {
        Outcome::Answered { status, body, .. } => (*status, body),
        other => return Err(other.summary().err().unwrap_or_default().replace('_', " ")),
    };
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let object = body.and_then(|body| match body {
        Value::Object(object) => Some(object),
        _ => None,
    });
    match status {
        200..300 => Ok(object.unwrap_or_default()),
        // To answer a search by 404 is another way to say that there is no such account.
        404 if looks => Ok(Map::new()),
        _ => {
            let detail = object.as_ref().and_then(|object| object.get("detail")).and_then(Value::as_str);
            Err(format!("{status}{}", detail.map(|detail| format!(" {detail}")).unwrap_or_default()))
        }
    }
}

/// The id of a resource, which servers may write as a number.
pub(super) fn id(resource: &Map<String, Value>) -> Option<SmolStr> {
    match resource.get("id")? {
        Value::String(id) if !id.is_empty() => Some(id.into()),
        Value::Number(id) => Some(id.to_string().into()),
        _ => None,
    }
}

fn go_on(act: &mut Act<'_, '_>, app: &App, account: &mut Account, call: &Call, answer: Map<String, Value>) {
    match call.step {
        Step::Find => {
            let first = answer.get("Resources").and_then(Value::as_array).and_then(|found| found.first());
            match first.and_then(Value::as_object).and_then(|found| Some((id(found)?, found.clone()))) {
                Some((id, theirs)) => {
                    account.external = Some(id);
                    replace(act, app, account, call.task, &theirs);
                }
                None => create(act, app, account, call.task),
            }
        }
        Step::Create => match id(&answer) {
            Some(id) => done(act, app, account, call.task, Some(id)),
            None => failed(act, app, account, call.task, "Create new user returned empty user"),
        },
        Step::Fetch => replace(act, app, account, call.task, &answer),
        Step::Replace | Step::Switch => done(act, app, account, call.task, None),
    }
}

fn create(act: &mut Act<'_, '_>, app: &App, account: &mut Account, task: Task) {
    let password = act.tx.draw(SITE.child("scim password")).text(ALNUM, 8);
    let body = user::new(profile(act.state, app, &account.user), &account.user, &password);
    call(act, account, task, (Step::Create, Method::POST), "/Users".to_owned(), Some(body));
}

/// Sends an account back whole. Who has lost the app keeps the profile that the app has.
fn replace(act: &mut Act<'_, '_>, app: &App, account: &mut Account, task: Task, theirs: &Map<String, Value>) {
    let Some(id) = account.external.clone() else { return };
    let (own, active) = match task {
        Task::Deactivate => (Map::new(), false),
        Task::Provision => (profile(act.state, app, &account.user), true),
        // An update must not switch on what somebody has switched off in the app.
        Task::Update => {
            let active = theirs.get("active").and_then(Value::as_bool).unwrap_or(true);
            (profile(act.state, app, &account.user), active)
        }
    };
    let body = user::merged(theirs, own, active);
    call(act, account, task, (Step::Replace, Method::PUT), one(&id), Some(body));
}
