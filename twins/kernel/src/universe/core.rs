//! The universe itself: its parts, its lock, and plain questions.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use serde_json::Value;
use smol_str::SmolStr;
use tokio::sync::Notify;

use super::value::{Inner, Snapshot};
use crate::{
    awaited::Awaited,
    call::Mark,
    clock::ClockMode,
    distort::Distort,
    host::face::Host,
    ledger::{Event, Keep, Ledger, NetChange, Principal},
    limits::Limits,
    seed::{SeedTree, Site},
    socket::Sockets,
    tape::{Note, Tape},
    time::Timestamp,
    twin::EnvVar,
    world::World,
};

/// How a universe is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of all draws.
    pub seed: u64,
    /// How its time relates to the machine's.
    pub clock: ClockMode,
    /// What the clock shows at the start; the machine's time, or the world's epoch under a stepped clock, where absent.
    pub start: Option<Timestamp>,
    /// Whether the services' real rate limits hold.
    pub limits: Limits,
    /// How much the ledger keeps.
    pub keep: Keep,
    /// Whether each answer is held against the service's public documents; one that does not fit is answered as a
    /// server error that says why.
    pub check: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, clock: ClockMode::Real, start: None, limits: Limits::Off, keep: Keep::Full, check: false }
    }
}

/// An isolated running set of twins.
#[derive(Debug)]
pub struct Universe {
    pub(super) id: SmolStr,
    pub(super) seeds: SeedTree,
    pub(super) world: Arc<World>,
    pub(super) twins: Arc<[Arc<dyn Host>]>,
    pub(super) limits: Limits,
    pub(super) check: bool,
    pub(super) inner: RwLock<Inner>,
    pub(super) ledger: Ledger,
    /// Calls that have come and are not answered yet, by twin.
    pub(super) under_way: Vec<AtomicUsize>,
    /// Told when rules are armed or disarmed, or the clock is moved: ports may have to open or close.
    pub(crate) gates: Arc<Notify>,
    /// Requests so far: keys the draws of request ids, so that reads need no pen.
    pub(super) requests: AtomicU64,
    /// Requests and jobs under way.
    pub(crate) busy: AtomicUsize,
    /// Wakes the worker: a job was added or the clock was moved.
    pub(crate) wake: Arc<Notify>,
    /// Told whenever a request or job ends.
    pub(crate) eased: Notify,
    /// Deliveries that answers wait for, until they are over.
    pub(crate) awaited: Mutex<Awaited>,
    /// Open sockets.
    pub(crate) sockets: Sockets,
    /// What a replay needs besides the ledger; empty where nobody is to replay.
    pub(crate) tape: std::sync::OnceLock<Tape>,
    /// What is done to the target's calls; nothing where nobody plays a bad program.
    pub(crate) distortion: std::sync::OnceLock<Arc<dyn Distort>>,
    pub(super) origins: RwLock<Vec<SmolStr>>,
    pub(super) beginning: Snapshot,
    pub(super) snapshots: Mutex<BTreeMap<SmolStr, Snapshot>>,
}

impl Universe {
    /// The universe's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The seed of all draws.
    pub fn seed(&self) -> u64 {
        self.seeds.seed()
    }

    pub(crate) fn seeds(&self) -> &SeedTree {
        &self.seeds
    }

    /// The world it started from.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The twins, in the order of their slots.
    pub fn twins(&self) -> &[Arc<dyn Host>] {
        &self.twins
    }

    /// The slot of a twin.
    pub fn slot(&self, twin: &str) -> Option<usize> {
        self.twins.iter().position(|host| host.name() == twin)
    }

    /// The log of all that happened.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The universe's time.
    pub fn now(&self) -> Timestamp {
        self.inner.read().clock.now()
    }

    /// How its time relates to the machine's.
    pub fn clock_mode(&self) -> ClockMode {
        self.inner.read().clock.mode()
    }

    /// The environment variables that clients of all twins read.
    ///
    /// Where twins of one store name the same variable, the first of them sets it.
    pub fn env(&self) -> Vec<EnvVar> {
        let inner = self.inner.read().clone();
        let mut all: indexmap::IndexMap<&'static str, EnvVar> = indexmap::IndexMap::new();
        for (slot, twin) in self.twins.iter().enumerate() {
            for variable in twin.env(inner.state(slot), &self.origin(slot)) {
                all.entry(variable.name).or_insert(variable);
            }
        }
        all.into_values().collect()
    }

    /// Where a twin is served, for URLs in deliveries.
    pub fn origin(&self, slot: usize) -> SmolStr {
        self.origins.read()[slot].clone()
    }

    /// Says where a twin is served: `http://host:port`.
    pub fn set_origin(&self, slot: usize, origin: impl Into<SmolStr>) {
        self.origins.write()[slot] = origin.into();
    }

    /// The net changes of all rows since ledger entry `since`.
    ///
    /// # Errors
    /// Where ledger entries on disk cannot be read back.
    pub fn diff(&self, since: u64) -> std::io::Result<Vec<NetChange>> {
        self.ledger.diff(since)
    }

    pub(crate) fn note_control(&self, now: Timestamp, action: &'static str, detail: Value) {
        let action = SmolStr::new_static(action);
        self.ledger.append(now, Principal::Operator, "", None, Event::Control { action, detail }, Vec::new());
    }

    pub(crate) fn lock(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write()
    }

    pub(crate) fn look(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read()
    }

    /// Whether answers are held against the services' public documents.
    pub(crate) const fn checks(&self) -> bool {
        self.check
    }

    /// Whether a call that only reads must take the pen all the same: to count limits or draw faults.
    pub(crate) fn needs_pen(&self, twin: &str, operation: &str) -> bool {
        self.limits.are_on() || self.inner.read().faults.concerns(twin, operation)
    }

    pub(crate) fn request_mark(&self, twin: &'static str) -> Mark {
        let nr = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut draw = self.seeds.draw(Site::named(twin).child("request"), nr);
        Mark { nr, bits: (draw.bits(), draw.bits()) }
    }

    /// Makes the next call the one of this number.
    pub(crate) fn number_requests_from(&self, nr: u64) {
        self.requests.store(nr, Ordering::Relaxed);
    }

    /// Which of the services' limits hold.
    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Takes notes from now on, so that what happens can be replayed. The notes stay in memory.
    pub fn record(&self) {
        let _ = self.tape.set(Tape::default());
    }

    /// The notes so far, in their order.
    pub fn notes(&self) -> Vec<Note> {
        self.notes_from(0)
    }

    /// The notes from a place on.
    pub(crate) fn notes_from(&self, place: usize) -> Vec<Note> {
        let rest = |tape: &Tape| tape.0.lock().get(place..).map(<[Note]>::to_vec);
        self.tape.get().and_then(rest).unwrap_or_default()
    }

    /// Distorts the target's calls from now on. Only the first distortion of a universe counts.
    pub fn distort(&self, distortion: Arc<dyn Distort>) {
        let _ = self.distortion.set(distortion);
    }
}

impl Drop for Universe {
    fn drop(&mut self) {
        // The worker holds no strong reference; it ends when it finds the universe gone.
        self.wake.notify_one();
    }
}
