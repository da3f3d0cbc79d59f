//! The worker: does what is due, timers among it.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{core::Universe, value::Inner};
use crate::{
    awaited::Fate,
    clock::ClockMode,
    delivery::Delivery,
    fault::{Effect, Strikes, Subject},
    job::Job,
    ledger::{Event, Principal},
    socket::Cut,
    tape::Note,
    time::Timestamp,
    tx::Written,
};

/// Starts the universe's worker, where there is a runtime to run it. It ends with the universe.
pub(super) fn start_worker(universe: &Arc<Universe>) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    let weak = Arc::downgrade(universe);
    let wake = Arc::clone(&universe.wake);
    runtime.spawn(async move {
        while let Some(wait) = work(&weak).await {
            match wait {
                Some(span) => {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "the worker waits for the machine's clock on behalf of the virtual one"
                    )]
                    let due = tokio::time::sleep(span);
                    tokio::select! { () = wake.notified() => {}, () = due => {} }
                }
                None => wake.notified().await,
            }
        }
    });
}

/// Does all that is due. Gives back how long to wait for the next (`Some(None)`: until woken), or none where the
/// universe is gone.
async fn work(weak: &Weak<Universe>) -> Option<Option<Duration>> {
    loop {
        let universe = weak.upgrade()?;
        let Some((id, job)) = universe.take_due() else {
            return Some(universe.wait_for_next());
        };
        if universe.clock_mode() == ClockMode::Stepped {
            // One after the other: two equal runs see the same order.
            universe.do_job(id, job).await;
        } else {
            tokio::spawn(async move { universe.do_job(id, job).await });
        }
    }
}

impl Universe {
    fn take_due(&self) -> Option<(u64, Job)> {
        let mut inner = self.lock();
        let now = inner.clock.now();
        let key = inner.jobs.get_min().map(|(key, _)| *key).filter(|(due, _)| *due <= now)?;
        let job = inner.jobs.remove(&key)?;
        self.busy.fetch_add(1, Ordering::SeqCst);
        if let Job::Delivery(delivery @ Delivery { late: false, .. }) | Job::GiveUp(delivery) = &*job {
            self.awaited.lock().note(delivery.id, Fate::Goes);
        }
        Some((key.1, Arc::unwrap_or_clone(job)))
    }

    fn wait_for_next(&self) -> Option<Duration> {
        self.eased.notify_waiters();
        let inner = self.look();
        let ((due, _), _) = inner.jobs.get_min()?;
        inner.clock.wait_until(*due)
    }

    async fn do_job(self: Arc<Self>, id: u64, job: Job) {
        match job {
            Job::Timer { twin, name, data, cause, struck } => self.run_timer(id, (twin, name, data, cause, struck)),
            Job::Delivery(delivery) => self.do_delivery(id, delivery).await,
            Job::GiveUp(delivery) => self.give_up(id, delivery),
            Job::Cut(cut) => self.run_cut(id, cut),
        }
        self.ease();
    }

    /// A timer's turn has come.
    pub(crate) fn run_timer(&self, id: u64, timer: (usize, SmolStr, Value, Option<u64>, bool)) {
        let (twin, name, data, cause, struck) = timer;
        let now = self.note_job(id, &self.look());
        if struck || !self.is_delayed(twin, &name, &data, cause, now) {
            self.do_timer(twin, name, &data, cause, now);
        }
    }

    /// A socket's turn under a rule has come.
    pub(crate) fn run_cut(&self, id: u64, cut: Cut) {
        let now = self.note_job(id, &self.look());
        self.do_cut(cut, now);
    }

    /// Notes that a job is taken up, for replays. Gives back the time, which is the job's from here on.
    pub(crate) fn note_job(&self, id: u64, inner: &Inner) -> Timestamp {
        let at = inner.clock.now();
        if let Some(tape) = self.tape.get() {
            tape.add(Note::Job { seq: self.ledger().len(), id, at });
        }
        at
    }

    /// One request or job fewer under way.
    pub(crate) fn ease(&self) {
        self.busy.fetch_sub(1, Ordering::SeqCst);
        self.eased.notify_waiters();
    }

    /// Lets the fault plan have its say on a timer; true where it comes later for it.
    fn is_delayed(&self, twin: usize, name: &SmolStr, data: &Value, cause: Option<u64>, now: Timestamp) -> bool {
        let mut guard = self.lock();
        if guard.faults.is_empty() {
            return false;
        }
        let host = self.twins()[twin].name();
        let subject = Subject {
            kind: Strikes::Timers,
            twin: host,
            name,
            writes: true,
            cursors: &[],
            resource: "",
            caller: "",
            is_stranger: false,
            facts: &|| json!({ "args": data }),
        };
        let fate = guard.strike(subject, now, self.seeds());
        self.record_skipped(host, name, &fate.skipped, now);
        let Some(fired) = fate.fired else { return false };
        self.record_fault(host, name, &fired, now);
        let Effect::Delay { by } = fired.effect else { return false };
        let job = Job::Timer { twin, name: name.clone(), data: data.clone(), cause, struck: true };
        guard.enqueue(now.after(by.0), job);
        true
    }

    fn do_timer(&self, twin: usize, name: SmolStr, data: &Value, cause: Option<u64>, now: Timestamp) {
        let mut guard = self.lock();
        let ((), Written { changes, planned }) =
            self.write(&mut guard, twin, now, |host, state, tx| host.on_timer(state, tx, &name, data));
        let host = self.twins()[twin].name();
        let seq = self.ledger().append(now, Principal::System, host, cause, Event::Timer { name }, changes);
        self.plan(guard, twin, planned, Some(seq), &Principal::System, now);
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
