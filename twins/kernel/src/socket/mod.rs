//! Sockets: connections that stay open (WebSockets), over which a twin and its client send each other texts.
//!
//! A socket is known by its number within the universe. What a twin remembers of it is a row of its own state; the
//! connection itself is no state: a snapshot holds none, and a fork or a restored universe begins with none open.

mod cut;
mod registry;
mod wire;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::RwLockWriteGuard;
use smol_str::SmolStr;

pub(crate) use self::{
    cut::Cut,
    registry::{Out, Sockets},
    wire::{Claim, accept, serve, switching},
};
use crate::{
    ledger::{Event, Principal},
    tx::Tx,
    universe::{Inner, Universe},
    wire::Request,
};

/// A socket's number within its universe.
pub type SocketId = u64;

/// The most sockets that a universe holds open.
pub const SOCKETS_MAX: usize = 4_096;
/// The longest text that a client may send, in bytes.
pub const FRAME_MAX: usize = 1 << 20;

/// One attempt of a delivery that goes over a socket.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The socket; none where none is open, which the sender finds out as it would of a host that is not there.
    pub socket: Option<SocketId>,
    /// What is sent.
    pub text: String,
    /// By what the client's answer is known: see [`Tx::answer`].
    pub key: SmolStr,
    /// How long the service waits for the answer (machine time).
    pub patience: Duration,
}

/// How a socket ends, for the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client closed it, or its side is gone.
    Client,
    /// The service closed it.
    Service,
    /// The client read too slowly, or sent what no client may send.
    Misbehaved,
    /// The connection never came about.
    Unopened,
    /// The universe was forked, reset or restored, which no connection outlives.
    Rewound,
}

impl End {
    /// All ways to end.
    pub(crate) const ALL: [Self; 5] = [Self::Client, Self::Service, Self::Misbehaved, Self::Unopened, Self::Rewound];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Client => "closed by the client",
            Self::Service => "closed by the service",
            Self::Misbehaved => "the client sent too much or read too slowly",
            Self::Unopened => "never opened",
            Self::Rewound => "not carried over",
        }
    }
}

/// Whether a request asks for a WebSocket, as RFC 6455 wants it asked.
pub fn is_upgrade(request: &Request) -> bool {
    let has = |name: http::HeaderName, word: &str| {
        let value = request.header(name).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    has(http::header::UPGRADE, "websocket")
        && has(http::header::CONNECTION, "upgrade")
        && request.header(http::header::SEC_WEBSOCKET_KEY).is_some_and(|key| !key.is_empty())
}

impl Universe {
    /// The open sockets of a twin, by number.
    pub fn open_sockets(&self, twin: &str) -> Vec<SocketId> {
        let Some(slot) = self.slot(twin) else { return Vec::new() };
        self.sockets.open().into_iter().filter(|(_, of)| *of == slot).map(|(socket, _)| socket).collect()
    }

    /// A text has come from a client.
    pub(crate) fn frame_came(&self, claim: &Claim, text: &str) {
        let guard = self.lock();
        if self.sockets.is_open(claim.socket, claim.serial) {
            self.take_frame_with(guard, claim.slot, claim.socket, text);
        }
    }

    /// The same, where nobody asks whether the socket is open.
    pub(crate) fn take_frame(&self, slot: usize, socket: SocketId, text: &str) {
        self.take_frame_with(self.lock(), slot, socket, text);
    }

    fn take_frame_with(&self, mut guard: RwLockWriteGuard<'_, Inner>, slot: usize, socket: SocketId, text: &str) {
        let body = Bytes::copy_from_slice(text.as_bytes());
        let event = Event::Frame { socket, from_client: true, text: body };
        let origin = self.origin(slot);
        let inner = &mut *guard;
        let now = inner.clock.now();
        let mut state = Arc::clone(inner.state(slot));
        let mut tx = Tx::new(now, origin, (self.seeds(), self.limits()), &mut inner.ordinals);
        let host = &self.twins()[slot];
        host.on_frame(&mut state, &mut tx, socket, text);
        let (changes, planned) = (tx.changes.into_vec(), tx.planned);
        inner.commit(slot, state);
        let seq = self.ledger().append(now, Principal::Target, host.name(), None, event, changes);
        self.plan(guard, slot, planned, Some(seq), &Principal::Target, now);
    }

    /// A socket has ended: the twin forgets it. Does nothing where its end is known already.
    pub(crate) fn socket_ended(&self, claim: &Claim, end: End) {
        let mut guard = self.lock();
        if self.sockets.forget(claim.socket, claim.serial) {
            self.forget_socket(&mut guard, claim.slot, claim.socket, end);
        }
    }

    /// Lets a twin forget a socket.
    pub(crate) fn forget_socket(&self, inner: &mut Inner, slot: usize, socket: SocketId, end: End) {
        let origin = self.origin(slot);
        let now = inner.clock.now();
        let mut state = Arc::clone(inner.state(slot));
        let mut tx = Tx::new(now, origin, (self.seeds(), self.limits()), &mut inner.ordinals);
        let host = &self.twins()[slot];
        host.on_closed(&mut state, &mut tx, socket);
        let (changes, planned) = (tx.changes.into_vec(), tx.planned);
        inner.commit(slot, state);
        let principal = if end == End::Client { Principal::Target } else { Principal::System };
        let event = Event::Socket { socket, what: end.words() };
        let seq = self.ledger().append(now, principal.clone(), host.name(), None, event, changes);
        self.carry_out(inner, slot, planned, Some(seq), &principal, now);
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    use super::*;

    #[test]
    fn requests_for_a_websocket_are_told_from_others() {
        let check = |headers: &[(&'static str, &'static str)], wanted: bool| {
            let pairs = headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)));
            let request = Request {
                method: Method::GET,
                path: "/".to_owned(),
                query: String::new(),
                path_params: Vec::new(),
                headers: pairs.collect::<HeaderMap>(),
                body: Bytes::new(),
                origin: SmolStr::default(),
            };
            assert_eq!(is_upgrade(&request), wanted, "{headers:?}");
        };
        let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        check(&[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket"), key], true);
        check(&[("connection", "Upgrade"), ("upgrade", "websocket")], false);
        check(&[("connection", "Upgrade"), ("upgrade", "h2c"), key], false);
        check(&[("connection", "keep-alive"), ("upgrade", "websocket"), key], false);
        check(&[], false);
    }
}
