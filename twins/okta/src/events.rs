//! From the System Log to event hooks: who is told what, and what comes of it.
//!
//! See developer.okta.com/docs/concepts/event-hooks/.

use std::time::Duration;

use bytes::Bytes;
use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    ids::BASE64_URL,
    tx::Tx,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::model::{
    Act, Acting, SITE, State,
    event_type::{HOOK_DELIVERY, HOOK_VERIFIED},
    group_rule,
    hook::Hook,
    log::{self, Party},
    mapping,
};
use crate::{provisioning, ssf};

/// A delivery of log events.
pub const EVENTS: &str = "event_hook";
/// The challenge that a hook's address must answer.
pub const VERIFICATION: &str = "event_hook_verification";

/// How long Okta waits for an answer.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// One try and one retry.
const ATTEMPTS_MAX: u32 = 2;
/// The header that carries the challenge.
const CHALLENGE: HeaderName = HeaderName::from_static("x-okta-verification-challenge");

/// What a delivery of events is about.
#[derive(Debug, Serialize, Deserialize)]
struct Batch {
    hook: SmolStr,
    source: String,
    id: String,
    time: String,
    entries: Vec<u64>,
}

/// What a challenge is about.
#[derive(Debug, Serialize, Deserialize)]
struct Challenge {
    hook: SmolStr,
    value: SmolStr,
}

/// Ends a write: what it logged goes to the hooks that asked for it, in one call each.
pub fn announce(act: &mut Act<'_, '_>) {
    mapping::notice(act);
    group_rule::notice(act);
    provisioning::follow(act);
    ssf::follow(act);
    let logged = act.logged();
    let hooks: Vec<_> = act.state.hooks.iter().filter(|hook| hook.active && hook.verified).cloned().collect();
    for hook in hooks {
        let wanted = |seq: &u64| act.state.log.get(*seq).is_some_and(|entry| hook.wants(entry));
        let entries: Vec<u64> = logged.clone().filter(wanted).collect();
        if !entries.is_empty() {
            let batch = Batch {
                hook: hook.id.clone(),
                source: format!("{}/api/v1/eventHooks/{}", act.tx.origin, hook.id),
                id: act.tx.draw(SITE.child("delivery")).uuid(),
                time: act.tx.now.iso_millis(),
                entries,
            };
            act.tx.deliver(EVENTS, json!(batch));
        }
    }
}

/// Puts the challenge to a hook's address, and makes the present call wait for what comes of it.
pub fn challenge(act: &mut Act<'_, '_>, hook: &Hook) -> Hook {
    let value = SmolStr::from(act.tx.draw(SITE.child("challenge")).text(BASE64_URL, 44));
    let row = Hook { challenge: value.clone(), ..hook.clone() };
    act.state.hooks.put(&mut act.tx.changes, row.clone());
    act.tx.deliver_and_wait(VERIFICATION, json!(Challenge { hook: hook.id.clone(), value }));
    row
}

/// Builds an attempt; none where the hook has gone, or may no longer be told.
pub fn prepare(state: &State, delivery: &Delivery) -> Option<Outbound> {
    if delivery.kind == VERIFICATION {
        let challenge: Challenge = serde_json::from_value(delivery.payload.clone()).ok()?;
        let hook = state.hooks.get(&challenge.hook)?;
        let mut outbound = outbound(hook, Method::GET, Bytes::new(), delivery.bad_signature);
        outbound.headers.insert(CHALLENGE, HeaderValue::from_str(&challenge.value).ok()?);
        return Some(outbound);
    }
    let batch: Batch = serde_json::from_value(delivery.payload.clone()).ok()?;
    let hook = state.hooks.get(&batch.hook).filter(|hook| hook.active && hook.verified)?;
    let events: Vec<Value> =
        batch.entries.iter().filter_map(|seq| state.log.get(*seq)).map(|entry| entry.to_json()).collect();
    let body = json!({
        "eventType": "com.okta.event_hook",
        "eventTypeVersion": "1.0",
        "cloudEventsVersion": "0.1",
        "source": batch.source,
        "eventId": batch.id,
        "data": { "events": events },
        "eventTime": batch.time,
        "contentType": "application/json",
    });
    Some(outbound(hook, Method::POST, Bytes::from(body.to_string()), delivery.bad_signature))
}

fn outbound(hook: &Hook, method: Method, body: Bytes, bad_signature: bool) -> Outbound {
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::ACCEPT, json.clone());
    headers.insert(header::CONTENT_TYPE, json);
    for (name, value) in &hook.channel.headers {
        set(&mut headers, name, value);
    }
    // Hooks are not signed: the secret in the header is all that a receiver can check.
    let secret = if bad_signature { "not-the-secret" } else { &hook.channel.auth_value };
    set(&mut headers, &hook.channel.auth_key, secret);
    Outbound { method, url: hook.channel.uri.clone(), headers, body, timeout: PATIENCE, redirects: 0 }
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

/// Takes in what came of an attempt.
pub fn delivered(state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
    let verification = delivery.kind == VERIFICATION;
    let good = if verification { answers(delivery, outcome) } else { outcome.accepted() };
    if !good && delivery.attempt < ATTEMPTS_MAX && (verification || is_worth_retrying(outcome)) {
        return Next::Retry { after: Duration::ZERO, reason: "delivery_failed" };
    }
    let Some(id) = delivery.payload.get("hook").and_then(Value::as_str) else {
        return Next::Done;
    };
    let mut act = Act::new(state, tx, Acting::system());
    match (verification, good) {
        (true, _) => verified(&mut act, id, delivery, good),
        (false, true) => {}
        (false, false) => failed(&mut act, id, outcome),
    }
    announce(&mut act);
    Next::Done
}

/// Only failures of the receiver's machine are tried again: a 4xx is an answer.
const fn is_worth_retrying(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered { status, .. } => *status >= 500,
        Outcome::TimedOut | Outcome::Unreachable => true,
        Outcome::TooManyRedirects | Outcome::Forbidden => false,
    }
}

/// Whether the answer carries the challenge.
fn answers(delivery: &Delivery, outcome: &Outcome) -> bool {
    let Outcome::Answered { status: 200, body, .. } = outcome else {
        return false;
    };
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    answer.is_some_and(|answer| answer.get("verification") == delivery.payload.get("value"))
}

fn verified(act: &mut Act<'_, '_>, id: &str, delivery: &Delivery, good: bool) {
    let current = |hook: &&Hook| delivery.payload.get("value") == Some(&json!(hook.challenge));
    // A hook that has changed meanwhile has another challenge to answer.
    let Some(hook) = act.state.hooks.get(id).map(|hook| &**hook).filter(current) else {
        return;
    };
    let mut row = Hook { challenge: SmolStr::default(), ..hook.clone() };
    if good {
        row.verified = true;
        row.last_updated = act.now();
    }
    let hook = act.state.hooks.put(&mut act.tx.changes, row);
    let outcome = if good { log::Outcome::SUCCESS } else { log::Outcome::failure("Verification failed") };
    act.log_outcome(&HOOK_VERIFIED, vec![Party::hook(&hook)], outcome);
}

fn failed(act: &mut Act<'_, '_>, id: &str, outcome: &Outcome) {
    let Some(hook) = act.state.hooks.get(id).cloned() else {
        return;
    };
    let reason = match outcome.summary() {
        Ok(status) => format!("HTTP status {status}"),
        Err(why) => why.to_owned(),
    };
    act.log_outcome(&HOOK_DELIVERY, vec![Party::hook(&hook)], log::Outcome::failure(reason));
}
