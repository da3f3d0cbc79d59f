//! Putting answers on the wire, whole or as fault rules have it.

use std::{io, sync::atomic::Ordering, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, header};

use super::place::Place;
use crate::{host::Wire, wire::Reply};

/// How long the beginning of an answer has to be sent before the connection is closed.
const FLUSH: Duration = Duration::from_millis(5);

pub(super) fn plain(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

pub(super) async fn send(reply: Reply, wire: Wire, place: &Place) -> Response {
    match wire {
        Wire::Plain => plain(reply),
        Wire::Late(span) => {
            pause(span).await;
            plain(reply)
        }
        Wire::Hang(span) => {
            pause(span).await;
            abort(place)
        }
        Wire::Reset => abort(place),
        Wire::Drip(every, bytes) => drip(reply, every, bytes),
        Wire::Truncate => {
            let length = HeaderValue::from(reply.body.len());
            let half = reply.body.slice(..reply.body.len() / 2);
            let mut response = plain(Reply { body: Bytes::new(), ..reply });
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
            let parts = futures_util::stream::iter([Ok(half)]).chain(futures_util::stream::once(async {
                // What is there is sent only while more is waited for; an error at once would take it along.
                pause(FLUSH).await;
                Err(io::Error::other("cut off by a fault rule"))
            }));
            *response.body_mut() = Body::from_stream(parts);
            response
        }
    }
}

/// An answer whose body comes in pieces.
fn drip(reply: Reply, every: Duration, bytes: u32) -> Response {
    let length = HeaderValue::from(reply.body.len());
    let size = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
    let rest = reply.body.clone();
    let mut response = plain(Reply { body: Bytes::new(), ..reply });
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
    let parts = futures_util::stream::unfold(rest, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        pause(every).await;
        let piece = rest.split_to(size.min(rest.len()));
        Some((Ok::<_, io::Error>(piece), rest))
    });
    *response.body_mut() = Body::from_stream(parts);
    response
}

/// An answer that makes hyper drop the connection; the socket is reset rather than closed.
pub(super) fn abort(place: &Place) -> Response {
    place.reset.store(true, Ordering::SeqCst);
    let broken = [Err::<Bytes, _>(io::Error::other("reset by a fault rule"))];
    Response::new(Body::from_stream(futures_util::stream::iter(broken)))
}

#[expect(clippy::disallowed_methods, reason = "faults on the wire last in the machine's time: the client waits there")]
pub(super) async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}
