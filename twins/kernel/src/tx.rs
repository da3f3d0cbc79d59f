//! The pen of a write: draws, recorded changes, and what is to happen later.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    ids::IdShape,
    limits::Limits,
    seed::{Draw, Ordinals, SeedTree, Site},
    socket::SocketId,
    table::{Change, Changes},
    time::Timestamp,
};

/// Everything a write may use besides the state.
#[derive(Debug)]
pub struct Tx<'a> {
    /// The universe's time, the same for the whole write.
    pub now: Timestamp,
    /// The rows that the write has touched: passed to [`crate::table::Table`].
    pub changes: Changes,
    /// The twin's address as the caller used it, or as the universe serves it: `http://host:port`.
    pub origin: SmolStr,
    /// Which of the services' limits hold: those on what a service sends are the twin's to count.
    pub limits: Limits,
    seeds: &'a SeedTree,
    ordinals: &'a mut Ordinals,
    pub(crate) planned: Vec<Planned>,
}

/// What a write has done.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The rows that it touched, in order.
    pub(crate) changes: Vec<Change>,
    /// What it wants to happen later, in order.
    pub(crate) planned: Vec<Planned>,
}

/// What a write wants to happen later.
#[derive(Debug)]
pub(crate) enum Planned {
    Delivery { kind: SmolStr, payload: Value, after: Duration, awaited: bool },
    Timer { name: SmolStr, data: Value, at: Timestamp },
    Socket(SocketAct),
}

/// What a write wants to happen to a socket, right after the commit.
#[derive(Debug)]
pub(crate) enum SocketAct {
    Open { socket: SocketId },
    Push { socket: SocketId, text: String },
    Close { socket: SocketId, code: u16, reason: SmolStr },
    Answer { key: SmolStr, body: Bytes },
}

impl<'a> Tx<'a> {
    pub(crate) fn new(
        now: Timestamp,
        origin: SmolStr,
        (seeds, limits): (&'a SeedTree, Limits),
        ordinals: &'a mut Ordinals,
    ) -> Self {
        Self { now, changes: Changes::default(), origin, limits, seeds, ordinals, planned: Vec::new() }
    }

    /// Puts the pen down.
    pub(crate) fn into_written(self) -> Written {
        Written { changes: self.changes.into_vec(), planned: self.planned }
    }

    /// The next draw of `site`.
    pub fn draw(&mut self, site: Site) -> Draw {
        let ordinal = self.ordinals.next(site);
        self.seeds.draw(site, ordinal)
    }

    /// The next identifier of a kind.
    pub fn id(&mut self, shape: &IdShape) -> SmolStr {
        shape.make(&mut self.draw(shape.site))
    }

    /// Queues a delivery for right after the commit.
    pub fn deliver(&mut self, kind: &'static str, payload: Value) {
        self.deliver_after(kind, payload, Duration::ZERO);
    }

    /// Queues a delivery for later (virtual time).
    pub fn deliver_after(&mut self, kind: &'static str, payload: Value, after: Duration) {
        let kind = SmolStr::new_static(kind);
        self.planned.push(Planned::Delivery { kind, payload, after, awaited: false });
    }

    /// Queues a delivery that the present call's answer waits for: the operation must say with
    /// [`crate::operation::Operation::then`] how it answers once the delivery is over.
    pub fn deliver_and_wait(&mut self, kind: &'static str, payload: Value) {
        let kind = SmolStr::new_static(kind);
        self.planned.push(Planned::Delivery { kind, payload, after: Duration::ZERO, awaited: true });
    }

    /// Sets a timer; it comes back through [`crate::twin::Twin::on_timer`].
    pub fn timer(&mut self, at: Timestamp, name: &'static str, data: Value) {
        let name = SmolStr::new_static(name);
        self.planned.push(Planned::Timer { name, data, at });
    }

    /// Takes the next number for a socket that the present call opens.
    pub(crate) fn open_socket(&mut self) -> SocketId {
        let socket = self.ordinals.next(Site::named("socket")) + 1;
        self.planned.push(Planned::Socket(SocketAct::Open { socket }));
        socket
    }

    /// Sends a text over a socket right after the commit, in the order of calls. One that is not open any more is
    /// passed over.
    pub fn push(&mut self, socket: SocketId, text: impl Into<String>) {
        self.planned.push(Planned::Socket(SocketAct::Push { socket, text: text.into() }));
    }

    /// Closes a socket right after the commit, behind what was sent before, with a code of RFC 6455.
    pub fn close(&mut self, socket: SocketId, code: u16, reason: &'static str) {
        let reason = SmolStr::new_static(reason);
        self.planned.push(Planned::Socket(SocketAct::Close { socket, code, reason }));
    }

    /// Passes on what a client answers to a delivery that went over a socket: see [`crate::socket::Frame`].
    pub fn answer(&mut self, key: impl Into<SmolStr>, body: impl Into<Bytes>) {
        self.planned.push(Planned::Socket(SocketAct::Answer { key: key.into(), body: body.into() }));
    }
}

/// A pen for tests and benchmarks of model functions, outside any universe.
#[derive(Debug)]
pub struct Desk {
    seeds: SeedTree,
    ordinals: Ordinals,
    /// What the pen's clock shows.
    pub now: Timestamp,
}

impl Desk {
    /// A desk of one seed at a fixed time.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        Self { seeds: SeedTree::new(seed), ordinals: Ordinals::default(), now }
    }

    /// A pen. Draws go on where the last pen of this desk stopped.
    pub fn tx(&mut self) -> Tx<'_> {
        Tx::new(self.now, SmolStr::new_static("http://127.0.0.1"), (&self.seeds, Limits::Off), &mut self.ordinals)
    }
}
