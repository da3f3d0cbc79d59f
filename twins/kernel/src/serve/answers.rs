//! From a request to its answer: the operation that serves it, and what no operation can take.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{body::Body, response::Response};
use http::{HeaderValue, Method, header};
use hyper::{
    body::{Body as _, Incoming},
    upgrade::OnUpgrade,
};

use super::{
    place::Place,
    replies::{abort, plain, send},
    requests::{Read, read},
    sockets,
};
use crate::{
    host::{Called, Host, Wire},
    route::{Found, Params, Paths},
    socket::SOCKETS_MAX,
    twin::Reason,
    universe::Busy,
    wire::{Reply, proxy_page},
};

/// How long an answer may wait for a delivery that it depends on.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(15);

/// A twin's routes, made from its operation table. Shared by all universes.
#[derive(Clone, Debug)]
pub struct Routes(pub(super) Arc<Table>);

/// A twin with its paths.
#[derive(Debug)]
pub(super) struct Table {
    host: Arc<dyn Host>,
    paths: Paths,
}

/// Makes the routes of a twin: each request is looked up in the twin's own table of paths.
pub fn routes(host: &Arc<dyn Host>) -> Routes {
    Routes(Arc::new(Table { paths: Paths::new(host.operations()), host: Arc::clone(host) }))
}

/// Answers a request, as an axum service does, but with the twin's own table for a router.
pub(super) async fn answer(table: &Table, place: &Place, mut request: http::Request<Incoming>) -> Response {
    let host = table.host.as_ref();
    clean_path(host, request.uri_mut());
    let is_head = *request.method() == Method::HEAD;
    let response = match table.paths.find(request.method(), request.uri().path()) {
        Found::Operation(index, params) => operation(host, place, index, params, request).await,
        Found::Nothing => unserved(host, place, request, Reason::NotFound).await,
        Found::OtherMethods => unserved(host, place, request, Reason::MethodNotAllowed).await,
    };
    if is_head { beheaded(response) } else { response }
}

/// An answer to `HEAD`: without its body, whose length stays.
fn beheaded(mut response: Response) -> Response {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    response.map(|_| Body::empty())
}

async fn operation(
    host: &dyn Host,
    place: &Place,
    index: usize,
    params: Params,
    mut request: http::Request<Incoming>,
) -> Response {
    let upgrade = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    if upgrade.is_some() && place.universe.sockets.len() >= SOCKETS_MAX {
        return plain(proxy_page(503, place.universe.now()));
    }
    let busy = Busy::new(&place.universe);
    let _under_way = place.universe.under_way(place.slot);
    match read(place, host.body_max(), params, request).await {
        Read::Whole(request) => {
            let (reply, wire) = match host.call(&place.universe, place.slot, index, request) {
                Called::Answered(reply, wire) => (reply, wire),
                Called::Waits(waiting) => {
                    place.universe.delivery_over(waiting.delivery, DELIVERY_PATIENCE).await;
                    host.resume(&place.universe, place.slot, index, waiting)
                }
            };
            drop(busy);
            hand_over(place, &reply, wire, upgrade);
            send(reply, wire, place).await
        }
        Read::TooLarge(request) => plain(host.unserved(&place.universe, request, Reason::BodyTooLarge)),
        Read::Broken => abort(place),
    }
}

/// Leaves the socket that an answer opens with its connection. Where the answer does not get there, it is over.
fn hand_over(place: &Place, reply: &Reply, wire: Wire, upgrade: Option<OnUpgrade>) {
    let Some(claim) = reply.socket.and_then(|socket| sockets::accept(&place.universe, socket)) else { return };
    let switches = reply.status == http::StatusCode::SWITCHING_PROTOCOLS;
    if let (Wire::Plain | Wire::Late(_), Some(upgrade), true) = (wire, upgrade, switches) {
        *place.handover.lock() = Some((claim, upgrade));
    }
}

async fn unserved(host: &dyn Host, place: &Place, request: http::Request<Incoming>, reason: Reason) -> Response {
    let _busy = Busy::new(&place.universe);
    match read(place, host.body_max(), Vec::new(), request).await {
        Read::Whole(request) => plain(host.unserved(&place.universe, request, reason)),
        Read::TooLarge(request) => plain(host.unserved(&place.universe, request, Reason::BodyTooLarge)),
        Read::Broken => abort(place),
    }
}

/// Gives a request the path that the service's front server makes of it.
fn clean_path(host: &dyn Host, uri: &mut http::Uri) {
    let Cow::Owned(path) = host.path(uri.path()) else { return };
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    if let Ok(cleaned) = target.parse() {
        *uri = cleaned;
    }
}
