//! What fault rules do to deliveries (later, never, twice, forged), and what becomes of whoever waits for the answer.

use std::time::Duration;

use serde_json::json;

use super::{attempts::unsent, core::Universe, value::Inner};
use crate::{
    awaited::Fate,
    call::Waiting,
    delivery::{Delivery, Outcome},
    fault::{Effect, Strikes, Subject},
    job::Job,
    time::Timestamp,
};

impl Universe {
    /// Whether a call's answer can be made: what it waits for is over.
    pub fn is_over(&self, waiting: &Waiting) -> bool {
        self.awaited.lock().is_over(waiting.delivery)
    }

    /// Waits until a delivery is over, or `patience` (machine time) is.
    pub(crate) async fn delivery_over(&self, id: u64, patience: Duration) {
        self.awaited.lock().watch(id);
        self.eased.notify_waiters();
        let over = async {
            loop {
                let eased = self.eased.notified();
                if self.awaited.lock().is_over(id) {
                    return;
                }
                eased.await;
            }
        };
        if tokio::time::timeout(patience, over).await.is_err() {
            self.awaited.lock().forget(id);
        }
    }

    /// Lets the fault plan have its say on a delivery.
    pub(crate) fn fate(&self, inner: &mut Inner, delivery: &mut Delivery, now: Timestamp) -> Fate {
        delivery.struck = true;
        let host = self.twins()[delivery.twin].name();
        let fate = {
            let subject = Subject {
                kind: Strikes::Deliveries,
                twin: host,
                name: &delivery.kind,
                writes: true,
                cursors: &[],
                resource: &self.twins()[delivery.twin].recipient(delivery),
                caller: &delivery.principal.to_string(),
                is_stranger: false,
                facts: &|| json!({ "args": delivery.payload }),
            };
            inner.strike(subject, now, self.seeds())
        };
        self.record_skipped(host, &delivery.kind, &fate.skipped, now);
        let Some(fired) = fate.fired else { return Fate::Goes };
        self.record_fault(host, &delivery.kind, &fired, now);
        match fired.effect {
            Effect::Drop {} => self.lose(inner, delivery, now),
            Effect::Delay { by } => self.defer(inner, delivery, by.0, now),
            Effect::Reorder { .. } | Effect::Hold { .. } => self.defer(inner, delivery, fired.drawn, now),
            Effect::Duplicate { copies, after } => {
                for n in 1..=copies.min(100) {
                    inner.enqueue(now.after(after.0 * n), Job::Delivery(delivery.clone()));
                }
                self.wake.notify_one();
                Fate::Goes
            }
            Effect::BadSignature {} => {
                delivery.bad_signature = true;
                Fate::Goes
            }
            _ => Fate::Goes,
        }
    }

    /// Sends a delivery later. The time until then is the service's: what is left of its patience is what the
    /// receiver has for the answer, and where nothing is left, the service gives up before the delivery comes.
    fn defer(&self, inner: &mut Inner, delivery: &Delivery, by: Duration, now: Timestamp) -> Fate {
        let mut later = delivery.clone();
        match self.patience(delivery) {
            Some(patience) if by >= patience => {
                inner.enqueue(now.after(patience), Job::GiveUp(delivery.clone()));
                later.late = true;
            }
            Some(_) => later.waited = by,
            None => {}
        }
        inner.enqueue(now.after(by), Job::Delivery(later));
        self.wake.notify_one();
        Fate::Waits
    }

    /// Sends a delivery never. Who waits for its answer waits as long as the service does.
    fn lose(&self, inner: &mut Inner, delivery: &Delivery, now: Timestamp) -> Fate {
        let Some(patience) = self.patience(delivery) else { return Fate::Over };
        inner.enqueue(now.after(patience), Job::GiveUp(delivery.clone()));
        self.wake.notify_one();
        Fate::Waits
    }

    fn patience(&self, delivery: &Delivery) -> Option<Duration> {
        self.twins()[delivery.twin].patience(&delivery.kind)
    }

    /// The service's patience with a delivery that has not come yet is at its end.
    pub(crate) fn give_up(&self, job: u64, delivery: Delivery) {
        let id = delivery.id;
        let record = unsent(&delivery, "timeout");
        let guard = self.lock();
        let now = self.note_job(job, &guard);
        let fate = self.take_in(guard, delivery, record, &Outcome::TimedOut, now);
        self.awaited.lock().note(id, fate);
    }
}
