//! The headers that all of Okta's answers carry, as recorded.

use std::sync::LazyLock;

use dtu_kernel::{
    time::Timestamp,
    twin::{Quota, Reason, Scene, Unserved},
    wire::{self, Answer, Reply},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use smol_str::SmolStr;

use crate::{api::request_id, error::Error, links, resources::answers};

const LIMIT: HeaderName = HeaderName::from_static("x-rate-limit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-rate-limit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-rate-limit-reset");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-okta-request-id");
const XSS: HeaderName = HeaderName::from_static("x-xss-protection");
const P3P: HeaderName = HeaderName::from_static("p3p");
const ACCEPT_CH: HeaderName = HeaderName::from_static("accept-ch");

/// Operations that answer an empty object, as recorded, where the public document has no body: nothing else knows of
/// it, since the twin serves them from that document.
const EMPTY_OBJECT: [&str; 2] = ["activateApplication", "deactivateApplication"];

/// An answer or refusal with Okta's headers.
pub(crate) fn reply(scene: &Scene<'_>, quota: Quota, result: Result<Answer, Error>) -> Reply {
    let is_gap = matches!(result, Err(Error::Unsupported));
    let is_off = result.as_ref().is_err_and(|error| error.code() == Error::FeatureOff.code());
    // A limit of nothing at all is how Okta tells its concurrency limit from the others
    // (developer.okta.com/docs/reference/rl2-concurrency/).
    let quota = match result {
        Err(Error::TooManyAtOnce) => Quota { limit: 0, remaining: 0, ..quota },
        _ => quota,
    };
    let (answer, code, resets) = match result {
        Ok(answer) if answer.body.is_none() && EMPTY_OBJECT.contains(&scene.operation.id) => {
            let Answer { body, .. } = Answer::json(&serde_json::Map::new());
            (Answer { body, ..answer }, SmolStr::default(), None)
        }
        Ok(answer) => {
            let answer = answers::told(scene.operation.id, answer);
            let code = kept_refusal(&answer);
            (answer, code, None)
        }
        Err(error) if answers::is_forgiven(scene.operation.id, &error) => {
            (Answer::empty(StatusCode::NO_CONTENT), SmolStr::default(), None)
        }
        Err(error) => {
            let resets = error.resets(scene.now);
            let (answer, code) = error.answer(scene.request_bits);
            (answer, code, resets)
        }
    };
    let mut reply = dress(answer, code, scene.now, scene.request_bits);
    reply.gap = is_gap;
    links::amend(scene, &mut reply);
    let remaining = if resets.is_some() { 0 } else { quota.remaining };
    let reset = resets.unwrap_or(quota.reset);
    // Reading what an org has not is refused before it is counted: recorded.
    if scene.request.method == http::Method::GET && is_off && answers::is_uncounted(scene.operation.id) {
        return reply;
    }
    reply.headers.insert(LIMIT, HeaderValue::from(quota.limit));
    reply.headers.insert(REMAINING, HeaderValue::from(remaining));
    reply.headers.insert(RESET, HeaderValue::from(reset.as_secs()));
    reply
}

/// The code of a refusal that leaves a trace, as those of some OAuth endpoints do; empty where there is none.
fn kept_refusal(answer: &Answer) -> SmolStr {
    let Some((_, body)) = answer.body.as_ref().filter(|_| answer.status.is_client_error()) else {
        return SmolStr::default();
    };
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    body["errorCode"].as_str().or_else(|| body["error"].as_str()).map(SmolStr::new).unwrap_or_default()
}

/// The refusal of a call that no operation can take.
pub(crate) fn unserved(scene: &Unserved<'_>) -> Reply {
    let error = match scene.reason {
        Reason::NotFound => Error::NoPath,
        Reason::Absent(_) => Error::Unsupported,
        Reason::MethodNotAllowed => Error::NoMethod,
        Reason::BodyTooLarge => Error::TooLarge,
        Reason::Broken => Error::Failure { status: 500, code: SmolStr::new_static("E0000009") },
    };
    let (answer, code) = error.answer(scene.request_bits);
    let mut reply = dress(answer, code, scene.now, scene.request_bits);
    if scene.reason == Reason::MethodNotAllowed {
        // Something in front of the API answers these: they are recorded without what the API adds to its answers.
        for name in [header::VARY, header::CACHE_CONTROL, REQUEST_ID] {
            reply.headers.remove(name);
        }
    }
    reply
}

/// The headers of all answers, in their order. What stands empty differs from answer to answer.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    wire::fixed_headers([
        (header::DATE, ""),
        (header::SERVER, "nginx"),
        (REQUEST_ID, ""),
        (XSS, "0"),
        (P3P, "CP=\"HONK\""),
        (ACCEPT_CH, "Sec-CH-UA-Platform-Version"),
        (header::CACHE_CONTROL, "no-cache, no-store"),
        (header::PRAGMA, "no-cache"),
        (header::EXPIRES, "0"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=315360000; includeSubDomains"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ])
});

/// The headers of all answers with a body. Only what could be compressed says that it varies: recorded answers without
/// a body do not.
static WITH_BODY: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = wire::fixed_headers([(header::CONTENT_TYPE, ""), (header::VARY, "Accept-Encoding")]);
    headers.extend(HEADERS.clone());
    headers
});

fn dress(answer: Answer, code: SmolStr, now: Timestamp, bits: (u64, u64)) -> Reply {
    let is_empty = answer.body.as_ref().is_none_or(|(_, body)| body.is_empty());
    let mut reply = Reply::dressed(answer, now, if is_empty { &HEADERS } else { &WITH_BODY });
    if !code.is_empty() {
        reply = reply.refused(code);
    }
    reply.set(REQUEST_ID, &request_id(bits));
    reply
}
