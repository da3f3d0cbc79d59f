//! The headers that all of Jira's answers carry, as recorded.

use std::time::Duration;

use dtu_kernel::{
    seed::uuid,
    time::Timestamp,
    twin::{Quota, Scene, Unserved},
    wire::{self, Answer, Reply, Request},
};
use http::{HeaderName, header};

use crate::{
    Caller, access,
    credential::Credential,
    error::{Error, JSON},
    front, limits,
    model::time,
    refusal,
};

/// An answer or refusal with Jira's headers.
pub(crate) fn reply(scene: &Scene<'_>, caller: Option<&Caller>, quota: Quota, result: Result<Answer, Error>) -> Reply {
    let account = match (caller, &result) {
        (Some(Caller::Account { id, .. }), result) if !matches!(result, Err(Error::Revoked)) => Some(id),
        _ => None,
    };
    let wait = match &result {
        Err(Error::RateLimited { retry_after }) => Some(*retry_after),
        _ => None,
    };
    let looked_at_credential =
        !matches!(result, Err(Error::MediaType { .. } | Error::UnreadableMediaType | Error::Xsrf));
    let mut reply = match result {
        Ok(answer) => Reply::new(in_utf8(answer), scene.now),
        Err(error) => refused(&told(error, scene), scene.request, scene.now),
    };
    dress(&mut reply, scene.request_bits);
    if let Some(id) = account {
        reply.set(HeaderName::from_static("x-aaccountid"), id);
        count(&mut reply, scene, quota, wait);
    } else if looked_at_credential && Credential::of(scene.request).names_somebody() {
        reply.fix(HeaderName::from_static("x-seraph-loginreason"), "AUTHENTICATED_FAILED");
    }
    reply
}

/// The answer to a call that no operation can take.
pub(crate) fn unserved(scene: &Unserved<'_>) -> Reply {
    let mut reply = refused(&front::unserved(scene), scene.request, scene.now);
    dress(&mut reply, scene.request_bits);
    reply
}

/// What a refusal comes to: one whose credential has died is told what anonymous callers are told, and the contract's
/// refusals are put into Jira's words. An operation that is open to all has run for the account already, so that a
/// dead credential is told of there.
fn told(error: Error, scene: &Scene<'_>) -> Error {
    match error {
        Error::Revoked => access::anonymous(scene.operation, scene.request).err().unwrap_or(Error::Unauthenticated),
        Error::Refused(refused) => refusal::error(&refused, scene.request),
        other => other,
    }
}

fn refused(error: &Error, request: &Request, now: Timestamp) -> Reply {
    let reply = Reply::new(error.answer(request), now).refused(error.words());
    if matches!(error, Error::Unsupported { .. }) { reply.as_gap() } else { reply }
}

/// Handlers answer bare JSON; Jira says which charset.
fn in_utf8(mut answer: Answer) -> Answer {
    if let Some((media_type, _)) = &mut answer.body
        && *media_type == wire::JSON
    {
        *media_type = JSON;
    }
    answer
}

fn dress(reply: &mut Reply, (a, b): (u64, u64)) {
    let named = HeaderName::from_static;
    let id = uuid(a, b);
    reply.fix(header::SERVER, "AtlassianEdge");
    reply.set(named("atl-traceid"), &id.replace('-', ""));
    reply.set(named("atl-request-id"), &id);
    reply.set(named("x-arequestid"), &format!("{:016x}{:016x}", b.rotate_left(29), a.rotate_left(17)));
    reply.fix(named("timing-allow-origin"), "*");
    reply.fix(header::CACHE_CONTROL, "no-cache, no-store, no-transform");
    reply.fix(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    reply.fix(header::X_XSS_PROTECTION, "1; mode=block");
    reply.fix(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains; preload");
}

/// Says where the caller stands within the burst limit, which counts seconds where the universe counts minutes.
fn count(reply: &mut Reply, scene: &Scene<'_>, quota: Quota, wait: Option<Duration>) {
    let burst = limits::of(scene.operation);
    let left = if wait.is_some() { 0 } else { quota.remaining.min(burst.capacity - 1) };
    let named = HeaderName::from_static;
    reply.set(named("x-ratelimit-limit"), &burst.capacity.to_string());
    reply.set(named("x-ratelimit-remaining"), &left.to_string());
    reply.set(named("ratelimit-policy"), &format!("\"jira-burst-based\";q={};w=1", burst.per_second));
    let seconds = wait.map_or(1, whole_seconds);
    reply.set(named("ratelimit"), &format!("\"jira-burst-based\";r={left};t={seconds}"));
    if left < burst.capacity / 5 {
        reply.fix(named("x-ratelimit-nearlimit"), "true");
    }
    if wait.is_some() {
        let reset = scene.now.after(Duration::from_secs(seconds));
        reply.set(header::RETRY_AFTER, &seconds.to_string());
        reply.set(named("x-ratelimit-reset"), &time::utc(reset));
        reply.fix(named("ratelimit-reason"), "jira-burst-based");
    }
}

/// At least one second, and never less than the wait.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}
