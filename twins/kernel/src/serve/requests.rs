//! Reading requests off the wire.

use std::time::Duration;

use bytes::Bytes;
use http::{header, request::Parts};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use smol_str::{SmolStr, SmolStrBuilder};

use super::place::Place;
use crate::{route::Params, wire::Request};

/// How long a client may take to send a request's body.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

pub(super) enum Read {
    Whole(Request),
    /// All but the body.
    TooLarge(Request),
    /// The client went away or took too long.
    Broken,
}

pub(super) async fn read(
    place: &Place,
    body_max: usize,
    path_params: Params,
    request: http::Request<Incoming>,
) -> Read {
    let (parts, body) = request.into_parts();
    let origin = origin(&parts).unwrap_or_else(|| place.universe.origin(place.slot));
    let mut request = Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        path_params,
        headers: parts.headers,
        body: Bytes::new(),
        origin,
    };
    if body.is_end_stream() {
        return Read::Whole(request);
    }
    match tokio::time::timeout(BODY_PATIENCE, gather(body, body_max)).await {
        Ok(Ok(Some(body))) => {
            request.body = body;
            Read::Whole(request)
        }
        Ok(Ok(None)) => Read::TooLarge(request),
        Ok(Err(_)) | Err(_) => Read::Broken,
    }
}

/// The address that the caller used: the target's own, where it names one, stands above `Host` (RFC 9112, section
/// 3.2.2). None where it named none.
fn origin(parts: &Parts) -> Option<SmolStr> {
    let named = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = || parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = named.or_else(host).filter(|host| !host.is_empty())?;
    let mut origin = SmolStrBuilder::new();
    origin.push_str("http://");
    origin.push_str(host);
    Some(origin.finish())
}

/// The most that is set aside for a body before it comes, whatever its head says.
const EXPECTED_MAX: u64 = 64 << 10;

/// A body in a buffer of its own: what comes in is a slice of the connection's buffer, and the ledger would keep all of
/// that. None where it is longer than it may be; it is read to its end all the same, since clients that are still sending
/// would not see the answer (so do front servers: <https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close>).
async fn gather(mut body: Incoming, most: usize) -> Result<Option<Bytes>, hyper::Error> {
    let expected = usize::try_from(body.size_hint().lower().min(EXPECTED_MAX)).unwrap_or_default();
    let mut kept = Some(Vec::with_capacity(expected));
    while let Some(frame) = body.frame().await {
        // What is no data is a trailer.
        let Ok(data) = frame?.into_data() else { continue };
        kept = kept.filter(|kept| kept.len() + data.len() <= most);
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&data);
        }
    }
    Ok(kept.map(Bytes::from))
}
