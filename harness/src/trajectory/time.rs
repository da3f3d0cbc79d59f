//! Time within a trajectory: waiting, and moving the universe's clock on.

use std::time::Duration;

use dtu_kernel::{clock::ClockMode, time::Timestamp};
use tokio::{sync::watch, time::Instant};

use super::{IDLE, IDLE_MAX, Stage, Stop, TICK, or};
use crate::{expr::EvalError, facts::Facts, wait::rest};

impl Stage<'_> {
    /// Waits until `holds`; false where it did not up to `deadline` on the universe's clock. What has no value yet may
    /// have one later: an error counts only where it is the last word.
    pub(super) async fn wait(
        &mut self,
        deadline: Timestamp,
        mut holds: impl FnMut(&mut Facts, Timestamp) -> Result<bool, EvalError> + Send,
    ) -> Result<bool, Stop> {
        let mut ledger = self.universe.ledger().watch();
        loop {
            ledger.borrow_and_update();
            let now = self.universe.now();
            let began = Instant::now();
            let found = holds(&mut self.facts, now);
            if now >= deadline || found == Ok(true) {
                return Ok(found?);
            }
            // A busy ledger must not make looking at it the machine's main work.
            let cost = began.elapsed();
            if cost > Duration::from_millis(1) {
                rest(cost).await;
            }
            self.pass(&mut ledger, deadline).await;
        }
    }

    /// Lets time pass: until something happens, or a moment. A stepped clock is moved on where nothing happens by
    /// itself.
    pub(super) async fn pass(&self, ledger: &mut watch::Receiver<u64>, until: Timestamp) {
        let now = self.universe.now();
        let span = match self.universe.clock_mode() {
            ClockMode::Real => TICK.min(until.since(now)),
            ClockMode::Scaled(factor) => TICK.min(until.since(now) / factor),
            ClockMode::Stepped => self.idle(),
        };
        let changed = tokio::time::timeout(span.max(Duration::from_millis(1)), ledger.changed()).await.is_ok();
        if !changed && self.universe.clock_mode() == ClockMode::Stepped && self.universe.is_calm() {
            self.universe.advance_to(self.next_stop(until)).await;
        }
    }

    /// Where a clock that is moved on stops next: at the next job that is due, or at `until`.
    pub(super) fn next_stop(&self, until: Timestamp) -> Timestamp {
        self.universe.jobs().first().map_or(until, |job| job.due.min(until))
    }

    /// Moves the clock on through all that is due on the way, and lets the target answer each time.
    pub(super) async fn advance(&self, span: Duration) {
        let until = self.universe.now().after(span);
        loop {
            self.quiesce().await;
            let stop = self.next_stop(until);
            self.universe.advance_to(stop).await;
            if stop >= until {
                return;
            }
        }
    }

    pub(super) fn idle(&self) -> Duration {
        or(self.setup.target.target.quiesce.idle, IDLE)
    }

    /// Waits until universe and target are silent, but no longer than the target file says.
    pub(super) async fn quiesce(&self) {
        let (idle, most) = (self.idle(), or(self.setup.target.target.quiesce.max, IDLE_MAX));
        let mut ledger = self.universe.ledger().watch();
        let silence = async {
            loop {
                ledger.borrow_and_update();
                let silent = tokio::time::timeout(idle, ledger.changed()).await.is_err();
                if silent && self.universe.is_calm() {
                    return;
                }
            }
        };
        // Noise to the end is no failure in itself: checks say whether it is.
        let _ = tokio::time::timeout(most, silence).await;
    }
}
