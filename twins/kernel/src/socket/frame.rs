//! What is known of a socket, and what goes over it.

use std::time::Duration;

use smol_str::SmolStr;

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

/// An open socket: whose it is, its number, and which of those that have had the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) slot: usize,
    pub(crate) socket: SocketId,
    pub(crate) serial: u64,
}

/// A socket's turn under a rule.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) line: Line,
    pub(crate) rule: SmolStr,
}
