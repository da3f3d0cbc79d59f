//! The passage of time: what is to come, moving the clock, and waiting until nothing is under way.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use smol_str::{SmolStr, format_smolstr};

use super::core::Universe;
use crate::{
    job::{Job, JobInfo},
    ledger::{Event, Principal},
    time::Timestamp,
};

impl Universe {
    /// The jobs to come, soonest first.
    pub fn jobs(&self) -> Vec<JobInfo> {
        let inner = self.look();
        let info = |((due, _), job): (&(Timestamp, u64), &Arc<Job>)| {
            let (twin, what, attempt) = match &**job {
                Job::Delivery(delivery) => (delivery.twin, delivery.kind.clone(), delivery.attempt),
                Job::GiveUp(delivery) => {
                    (delivery.twin, format_smolstr!("{} timeout", delivery.kind), delivery.attempt)
                }
                Job::Timer { twin, name, .. } => (*twin, name.clone(), 0),
                Job::Cut(cut) => (cut.line.slot, SmolStr::new_static("close_socket"), 0),
            };
            JobInfo { due: *due, twin: self.twins()[twin].name().into(), what, attempt }
        };
        inner.jobs.iter().map(info).collect()
    }

    /// Waits until nothing is under way and nothing is due: all requests answered, all deliveries done. False
    /// where that did not come within `patience` (machine time).
    pub async fn settle(&self, patience: Duration) -> bool {
        let calm = async {
            loop {
                let eased = self.eased.notified();
                if self.is_calm() {
                    return;
                }
                eased.await;
            }
        };
        tokio::time::timeout(patience, calm).await.is_ok()
    }

    /// Whether nothing is under way and nothing is due. A call that waits for a delivery that comes later is not under
    /// way: it waits for the clock.
    pub fn is_calm(&self) -> bool {
        let inner = self.look();
        let now = inner.clock.now();
        let due = inner.jobs.get_min().is_some_and(|((due, _), _)| *due <= now);
        !due && self.busy.load(Ordering::SeqCst) == self.awaited.lock().parked()
    }

    /// Moves the clock to `to`, stopping at each job on the way so that it is done at its own time. Does nothing
    /// where `to` has passed.
    pub async fn advance_to(&self, to: Timestamp) {
        /// How long a receiver may hold up the clock at one stop: longer than any service waits for one.
        const PATIENCE: Duration = Duration::from_secs(40);
        let from = self.now();
        loop {
            self.settle(PATIENCE).await;
            let next = self.look().jobs.get_min().map(|((due, _), _)| *due).filter(|due| *due <= to);
            let Some(due) = next else { break };
            let mut inner = self.lock();
            if due > inner.clock.now() {
                inner.clock.set(due);
            }
            drop(inner);
            self.wake.notify_one();
        }
        let mut inner = self.lock();
        if to > inner.clock.now() {
            inner.clock.set(to);
        }
        drop(inner);
        self.gates.notify_waiters();
        self.ledger().append(to, Principal::Operator, "", None, Event::Clock { from, to }, Vec::new());
        self.wake.notify_one();
    }

    /// Moves the clock on by `span`.
    pub async fn advance(&self, span: Duration) {
        self.advance_to(self.now().after(span)).await;
    }

    /// Moves the clock from job to job until none is left, or `most` virtual time has passed. Gives back how far.
    pub async fn run_until_quiet(&self, most: Duration) -> Duration {
        let start = self.now();
        let end = start.after(most);
        loop {
            self.settle(Duration::from_secs(40)).await;
            let next = self.look().jobs.get_min().map(|((due, _), _)| *due);
            match next {
                Some(due) if due <= end => self.advance_to(due).await,
                _ => return self.now().since(start),
            }
        }
    }
}
