//! The value of a universe: all that it remembers, behind its one lock.

use std::sync::Arc;

use imbl::OrdMap;
use smol_str::SmolStr;

use crate::{
    clock::Clock,
    fault::{FaultPlan, Struck, Subject},
    history::History,
    job::Job,
    ledger::Lineage,
    past::Past,
    seed::{Ordinals, SeedTree},
    socket::SocketId,
    states::{StateBox, States},
    time::Timestamp,
    windows::Windows,
};

/// The value of a universe.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(super) states: States,
    pub(super) past: Past,
    /// All states from some moment on, where somebody asked for them.
    pub(super) history: Option<History>,
    pub(crate) ordinals: Ordinals,
    pub(crate) clock: Clock,
    pub(crate) faults: FaultPlan,
    pub(crate) jobs: OrdMap<(Timestamp, u64), Arc<Job>>,
    pub(crate) next_job: u64,
    /// Counts restores, so that a job that was under way across one does not touch the restored state.
    pub(crate) generation: u64,
    pub(super) windows: Windows,
}

/// A universe's value at one moment. Taking and keeping one costs pointers.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) inner: Inner,
    pub(super) now: Timestamp,
    pub(super) requests: u64,
    pub(super) lineage: Lineage,
    pub(super) seq: u64,
    /// The sockets that its rows tell of.
    pub(super) sockets: Vec<(SocketId, usize)>,
}

/// What is known of a kept snapshot.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct SnapshotInfo {
    /// Its id.
    pub id: SmolStr,
    /// What the clock showed.
    pub at: Timestamp,
    /// The ledger's length then.
    pub seq: u64,
}

impl Inner {
    pub(crate) fn strike(&mut self, subject: Subject<'_>, now: Timestamp, seeds: &SeedTree) -> Struck {
        if self.faults.is_empty() {
            return Struck::default();
        }
        self.faults.strike(subject, now, seeds, &mut self.ordinals)
    }

    /// The state that a twin works on.
    pub(crate) fn state(&self, slot: usize) -> &StateBox {
        self.states.of(slot)
    }

    /// The state that a twin worked on at `then`, as far back as it is kept.
    pub(crate) fn state_at(&self, slot: usize, then: Timestamp) -> &StateBox {
        self.past.at(self.states.places[slot], then).unwrap_or_else(|| self.states.of(slot))
    }

    /// The same without faults, to try something on.
    pub(crate) fn scratch(&self) -> Self {
        let mut scratch = self.clone();
        scratch.faults.clear();
        scratch.history = None;
        scratch
    }

    /// Replaces the state that a twin works on.
    pub(crate) fn commit(&mut self, slot: usize, state: StateBox) {
        if let Some(lag) = self.faults.lag() {
            let was = Arc::clone(self.states.of(slot));
            self.past.keep(self.states.places[slot], self.clock.now(), was, lag);
        }
        self.states.set(slot, state);
        self.remember();
    }

    /// Adds the present states to the history, where one is kept.
    pub(super) fn remember(&mut self) {
        let now = self.clock.now();
        if let Some(history) = &mut self.history {
            history.add(now, &self.states.boxes);
        }
    }

    /// Puts a job into the row of those to come.
    pub(crate) fn enqueue(&mut self, due: Timestamp, job: Job) {
        let id = self.next_job;
        self.next_job += 1;
        self.jobs.insert((due, id), Arc::new(job));
    }
}
