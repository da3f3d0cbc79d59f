//! The data plane's listeners: service-true paths only, one listener a twin.

use std::{
    borrow::Cow,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, Method, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{
    body::{Body as _, Incoming},
    upgrade::OnUpgrade,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use smol_str::{SmolStrBuilder, format_smolstr};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    task::AbortHandle,
};

use crate::{
    host::{Called, Host, Wire},
    route::{Found, Params, Paths},
    socket::{self, Claim, SOCKETS_MAX},
    twin::Reason,
    universe::Universe,
    wire::{Reply, Request, proxy_page},
};

/// How long a client may take to send a request's head.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// How long a client may take to send a request's body.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// How long the beginning of an answer has to be sent before the connection is closed.
const FLUSH: Duration = Duration::from_millis(5);

/// How long an answer may wait for a delivery that it depends on.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(15);

/// What a connection belongs to.
struct Place {
    universe: Arc<Universe>,
    slot: usize,
    /// Set to reset the connection when it is dropped.
    reset: Arc<AtomicBool>,
    handover: Handover,
}

/// The socket that a connection becomes, once it is one.
type Handover = Arc<Mutex<Option<(Claim, OnUpgrade)>>>;

/// A twin's routes, made from its operation table. Shared by all universes.
#[derive(Clone, Debug)]
pub struct Routes(Arc<Table>);

/// A twin with its paths.
#[derive(Debug)]
struct Table {
    host: Arc<dyn Host>,
    paths: Paths,
}

/// Makes the routes of a twin: each request is looked up in the twin's own table of paths.
pub fn routes(host: &Arc<dyn Host>) -> Routes {
    Routes(Arc::new(Table { paths: Paths::new(host.operations()), host: Arc::clone(host) }))
}

/// Answers a request, as an axum service does, but with the twin's own table for a router.
async fn answer(table: &Table, place: &Place, mut request: http::Request<Incoming>) -> Response {
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
    let Some(claim) = reply.socket.and_then(|socket| socket::accept(&place.universe, socket)) else { return };
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

/// Counts a request as under way until dropped, also where its connection breaks.
pub(crate) struct Busy<'a>(&'a Universe);

impl<'a> Busy<'a> {
    pub(crate) fn new(universe: &'a Universe) -> Self {
        universe.busy.fetch_add(1, Ordering::SeqCst);
        Self(universe)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.ease();
    }
}

enum Read {
    Whole(Request),
    /// All but the body.
    TooLarge(Request),
    /// The client went away or took too long.
    Broken,
}

async fn read(place: &Place, body_max: usize, path_params: Params, request: http::Request<Incoming>) -> Read {
    let (parts, body) = request.into_parts();
    let origin = match parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()) {
        Some(host) if !host.is_empty() => {
            let mut origin = SmolStrBuilder::new();
            origin.push_str("http://");
            origin.push_str(host);
            origin.finish()
        }
        _ => place.universe.origin(place.slot),
    };
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
    match tokio::time::timeout(BODY_PATIENCE, Limited::new(body, body_max).collect()).await {
        Ok(Ok(body)) => {
            // Copied: what comes in is a slice of the connection's buffer, and the ledger would keep all of that.
            request.body = Bytes::copy_from_slice(&body.to_bytes());
            Read::Whole(request)
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => Read::TooLarge(request),
        Ok(Err(_)) | Err(_) => Read::Broken,
    }
}

fn plain(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

async fn send(reply: Reply, wire: Wire, place: &Place) -> Response {
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
fn abort(place: &Place) -> Response {
    place.reset.store(true, Ordering::SeqCst);
    let broken = [Err::<Bytes, _>(io::Error::other("reset by a fault rule"))];
    Response::new(Body::from_stream(futures_util::stream::iter(broken)))
}

#[expect(clippy::disallowed_methods, reason = "faults on the wire last in the machine's time: the client waits there")]
async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}

/// A twin being served. Dropping it closes the listener and all its connections.
#[derive(Debug)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listening {
    /// Its address as a URL without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves a universe's twin on a port of the loopback interface; 0 takes a free one.
///
/// # Errors
/// Where the port cannot be had.
pub fn listen(universe: &Arc<Universe>, slot: usize, routes: Routes, port: u16) -> io::Result<Listening> {
    let listener = bind(SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port)))?.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    universe.set_origin(slot, format_smolstr!("http://{address}"));
    let gates = Arc::clone(&universe.gates);
    let universe = Arc::downgrade(universe);
    let task = tokio::spawn(async move {
        // Connections end with the listener: the set aborts what it holds when dropped.
        let mut connections = tokio::task::JoinSet::new();
        let mut door = Door::Open(listener);
        loop {
            // Asked for before the rules are looked at, so that no change goes by unseen.
            let changed = gates.notified();
            let Some(may_close) = keep_door(&universe, slot, &mut door, address) else { return };
            tokio::select! {
                stream = door.accept() => {
                    let Some(universe) = universe.upgrade() else { return };
                    connections.spawn(connection(stream, universe, slot, routes.clone()));
                }
                Some(_) = connections.join_next() => {}
                () = changed => {}
                () = pause(DOOR_LOOK), if may_close => {}
            }
        }
    })
    .abort_handle();
    Ok(Listening { address, task })
}

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;
/// How often the rules are asked whether a port is to open or close, while there is such a rule.
const DOOR_LOOK: Duration = Duration::from_millis(20);

/// A twin's port: open, or kept and closed, so that clients are refused and nobody else takes it.
enum Door {
    Open(TcpListener),
    Closed(TcpSocket),
    /// Between two tries to open it.
    Lost,
}

impl Door {
    /// The next connection; none ever while it is closed.
    async fn accept(&self) -> TcpStream {
        loop {
            match self {
                Self::Open(listener) => {
                    if let Ok((stream, _)) = listener.accept().await {
                        return stream;
                    }
                }
                Self::Closed(_) | Self::Lost => std::future::pending().await,
            }
        }
    }
}

/// Opens or closes a twin's port as the rules have it. Gives back whether some rule may yet close it; none where the
/// universe is gone.
fn keep_door(universe: &Weak<Universe>, slot: usize, door: &mut Door, address: SocketAddr) -> Option<bool> {
    let universe = universe.upgrade()?;
    if !universe.may_refuse(slot) && matches!(door, Door::Open(_)) {
        return Some(false);
    }
    let refusal = universe.refusal(slot);
    match (std::mem::replace(door, Door::Lost), refusal) {
        (Door::Open(listener), Some(rule)) => {
            drop(listener);
            // Bound and not listening: the system answers that nobody is there.
            *door = bind(address).map_or(Door::Lost, Door::Closed);
            universe.note_refusal(slot, &rule);
        }
        (Door::Closed(socket), None) => *door = socket.listen(BACKLOG).map_or(Door::Lost, Door::Open),
        (Door::Lost, None) => {
            *door = bind(address).and_then(|socket| socket.listen(BACKLOG)).map_or(Door::Lost, Door::Open);
        }
        (same, _) => *door = same,
    }
    Some(universe.may_refuse(slot) || !matches!(door, Door::Open(_)))
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn connection(stream: TcpStream, universe: Arc<Universe>, slot: usize, routes: Routes) {
    let reset = Arc::new(AtomicBool::new(false));
    // Small answers must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let socket = Socket { stream, reset: Arc::clone(&reset) };
    let handover = Handover::default();
    let place = Arc::new(Place { universe, slot, reset, handover: Arc::clone(&handover) });
    let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let (routes, place) = (routes.clone(), Arc::clone(&place));
        async move { Ok::<_, std::convert::Infallible>(answer(&routes.0, &place, request).await) }
    });
    // How a connection ends is the client's business or a fault rule's; there is nobody to tell.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades()
        .await;
    let opened = handover.lock().take();
    if let Some((claim, upgrade)) = opened {
        // Within this task, which ends with the listener.
        Box::pin(socket::serve(claim, upgrade)).await;
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

/// A connection that can be told to end with a reset instead of a close.
struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::SeqCst) {
            let _ = socket_reset(&self.stream);
        }
    }
}

/// Lingering for no time makes the kernel send a reset on close.
fn socket_reset(stream: &TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
