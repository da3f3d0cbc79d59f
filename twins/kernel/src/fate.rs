//! What fault rules do to deliveries (later, never, twice, forged), and what becomes of whoever waits for the answer.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use crate::{
    delivery::{Delivery, Outcome},
    fault::{Effect, Strikes, Subject},
    host::Waiting,
    job::{Job, enqueue, unsent},
    time::Timestamp,
    universe::{Inner, Universe},
};

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes out now.
    Goes,
    /// It comes later, or is given up later.
    Waits,
    /// It is over.
    Over,
}

/// A delivery that an answer waits for.
#[derive(Debug)]
struct Wait {
    /// The first delivery that the same answer waits for: what comes of one may need another.
    first: u64,
    /// Whether the call waits already.
    watched: bool,
    /// Whether the delivery is under way, and not only queued.
    under_way: bool,
}

/// The deliveries that answers wait for, until they are over.
#[derive(Debug, Default)]
pub(crate) struct Awaited(BTreeMap<u64, Wait>);

impl Awaited {
    /// An answer waits for a delivery from now on.
    pub(crate) fn expect(&mut self, delivery: u64) {
        self.0.insert(delivery, Wait { first: delivery, watched: false, under_way: false });
    }

    /// The answer that waits for a delivery waits for another one as well.
    pub(crate) fn follow(&mut self, delivery: u64, another: u64) {
        let before = self.0.get(&delivery).map(|wait| (wait.first, wait.watched));
        if let (Some((first, watched)), Some(wait)) = (before, self.0.get_mut(&another)) {
            (wait.first, wait.watched) = (first, watched);
        }
    }

    /// What becomes of a delivery, where an answer waits for it.
    pub(crate) fn note(&mut self, delivery: u64, fate: Fate) {
        if fate == Fate::Over {
            self.0.remove(&delivery);
        } else if let Some(wait) = self.0.get_mut(&delivery) {
            wait.under_way = fate == Fate::Goes;
        }
    }

    /// How many calls wait for the clock: their deliveries come later.
    pub(crate) fn parked(&self) -> usize {
        self.0.values().filter(|wait| wait.watched && !wait.under_way).count()
    }

    /// Nothing is waited for any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether an answer waits for nothing any more, by the first delivery that it waited for.
    fn is_over(&self, first: u64) -> bool {
        !self.0.values().any(|wait| wait.first == first)
    }

    /// A call waits for its answer.
    fn watch(&mut self, first: u64) {
        self.0.values_mut().filter(|wait| wait.first == first).for_each(|wait| wait.watched = true);
    }

    /// A call waits no longer.
    fn forget(&mut self, first: u64) {
        self.0.retain(|_, wait| wait.first != first);
    }
}

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
                    enqueue(inner, now.after(after.0 * n), Job::Delivery(delivery.clone()));
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
                enqueue(inner, now.after(patience), Job::GiveUp(delivery.clone()));
                later.late = true;
            }
            Some(_) => later.waited = by,
            None => {}
        }
        enqueue(inner, now.after(by), Job::Delivery(later));
        self.wake.notify_one();
        Fate::Waits
    }

    /// Sends a delivery never. Who waits for its answer waits as long as the service does.
    fn lose(&self, inner: &mut Inner, delivery: &Delivery, now: Timestamp) -> Fate {
        let Some(patience) = self.patience(delivery) else { return Fate::Over };
        enqueue(inner, now.after(patience), Job::GiveUp(delivery.clone()));
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
