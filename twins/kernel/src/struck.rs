//! What a fault does to a call: to its errors, its clock, its answer and its wire.

use serde_json::{Map, Value, json};

use crate::{
    fault::{Effect, Fired, Injected, drift},
    time::Timestamp,
    twin::Scene,
    wire::{Reply, Request, Wire, proxy_page},
};

/// The error of an effect that strikes before anything happens.
pub(crate) fn before(effect: &Effect, scene: &Scene<'_>) -> Option<Injected> {
    match effect {
        Effect::RateLimited { retry_after } => Some(Injected::RateLimited { retry_after: retry_after.0 }),
        Effect::QuotaExhausted { resets } => Some(Injected::QuotaExhausted { resets: resets.0 }),
        Effect::Error { status, code } => Some(Injected::Failure { status: *status, code: code.clone() }),
        Effect::Revoked {} => Some(Injected::Revoked),
        Effect::Expired {} => Some(Injected::Expired),
        Effect::ScopesCut { scopes } => {
            let own = scene.operation.scopes.iter().map(|scope| (*scope).into());
            let needed = if scopes.is_empty() { own.collect() } else { scopes.clone() };
            Some(Injected::ScopesCut { needed })
        }
        Effect::BadCursor {} => Some(Injected::BadCursor),
        // Answered on the wire; to the handler they are failures.
        Effect::ProxyPage { status } => Some(Injected::Failure { status: Some(*status), code: None }),
        Effect::Reset {} | Effect::Hang { .. } => Some(Injected::Failure { status: None, code: None }),
        _ => None,
    }
}

/// The error of an effect that strikes after it happened.
pub(crate) fn after(effect: &Effect) -> Option<Injected> {
    match effect {
        Effect::CommittedError { status, code } => Some(Injected::Failure { status: *status, code: code.clone() }),
        _ => None,
    }
}

/// What the service's clock shows to a call.
pub(crate) fn clock(fired: Option<&Fired>, now: Timestamp) -> Timestamp {
    match fired.map(|fired| &fired.effect) {
        Some(Effect::Skew { ahead: Some(span), .. }) => now.after(span.0),
        Some(Effect::Skew { behind: Some(span), .. }) => now.before(span.0),
        _ => now,
    }
}

/// What an effect does on the wire, and to the answer's bytes.
pub(crate) fn on_the_wire(fired: Option<&Fired>, reply: &mut Reply, now: Timestamp) -> Wire {
    let Some(fired) = fired else { return Wire::Plain };
    match &fired.effect {
        Effect::Latency(_) => Wire::Late(fired.drawn),
        Effect::Hang { span } | Effect::CommittedHang { span } => Wire::Hang(span.0),
        Effect::Drip { every, bytes } => Wire::Drip(every.0, *bytes),
        Effect::Reset {} | Effect::CommittedReset {} => Wire::Reset,
        Effect::Truncated {} => Wire::Truncate,
        Effect::ProxyPage { status } => {
            *reply = proxy_page(*status, now);
            Wire::Plain
        }
        Effect::Garbled {} => {
            let cut = reply.body.len() / 2;
            let mut body = reply.body.slice(..cut).to_vec();
            body.extend_from_slice(b"\x00\xff{");
            reply.body = body.into();
            Wire::Plain
        }
        Effect::Drift { at, change } => {
            if let Some(body) = reply.status.is_success().then(|| drift(&reply.body, at, change)).flatten() {
                reply.body = body.into();
            }
            Wire::Plain
        }
        _ => Wire::Plain,
    }
}

/// The largest body that conditions look into: they are asked while everything else waits.
const BODY_MAX: usize = 64 * 1_024;

/// What conditions of rules look at in a request.
pub(crate) fn facts(request: &Request) -> Value {
    let mut args: Map<String, Value> = Map::new();
    for (name, value) in request.query_pairs() {
        args.insert(name.into_owned(), value.into_owned().into());
    }
    if request.body.len() > BODY_MAX {
        // Its members count as absent.
    } else if request.media_type() == "application/x-www-form-urlencoded" {
        for (name, value) in form_urlencoded::parse(&request.body) {
            args.insert(name.into_owned(), value.into_owned().into());
        }
    } else if let Ok(Value::Object(members)) = serde_json::from_slice(&request.body) {
        args.extend(members);
    }
    let path: Map<String, Value> =
        request.path_params.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    json!({ "args": args, "path": path, "method": request.method.as_str() })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method, header};

    use super::*;

    #[test]
    fn conditions_see_all_ways_of_passing_arguments() {
        let check = |media_type: &'static str, body: &'static str, wanted: Value| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            let request = Request {
                method: Method::POST,
                path: "/x/1".to_owned(),
                query: "limit=2&q=a%20b".to_owned(),
                path_params: vec![("id", "1".to_owned())],
                headers,
                body: Bytes::from_static(body.as_bytes()),
                origin: "http://x".into(),
            };
            let facts = facts(&request);
            assert_eq!(facts["args"], wanted);
            assert_eq!((&facts["path"], &facts["method"]), (&json!({ "id": "1" }), &json!("POST")));
        };
        check("application/json", r#"{"n":1}"#, json!({ "limit": "2", "q": "a b", "n": 1 }));
        check("application/x-www-form-urlencoded", "n=1", json!({ "limit": "2", "q": "a b", "n": "1" }));
        check("application/json", "no json", json!({ "limit": "2", "q": "a b" }));
    }
}
