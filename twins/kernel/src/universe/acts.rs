//! What people do, and what is to happen after a write.

use std::sync::Arc;

use parking_lot::RwLockWriteGuard;
use serde_json::{Map, Value};

use super::{core::Universe, value::Inner};
use crate::{
    host::face::Host,
    job::Job,
    ledger::{Event, Principal},
    states::StateBox,
    time::Timestamp,
    twin::Refusal,
    tx::{Planned, Tx, Written},
};

impl Universe {
    /// Performs a human act in a twin, as `actor` (a person's key or mail address).
    ///
    /// # Errors
    /// What the person would have been told; nothing has changed then.
    pub fn perform(&self, verb: &str, actor: &str, with: Map<String, Value>) -> Result<Value, Refusal> {
        let twin = verb.split('.').next().unwrap_or_default();
        let Some(slot) = self.slot(twin) else {
            return Err(Refusal::new(format!("no twin offers the verb `{verb}`")));
        };
        let mut guard = self.inner.write();
        let now = guard.clock.now();
        let shown = Value::Object(with.clone());
        let act = |host: &dyn Host, state: &mut StateBox, tx: &mut Tx<'_>| host.perform(state, tx, verb, actor, with);
        let (outcome, written) = self.write(&mut guard, slot, now, act);
        let Written { changes, planned } = if outcome.is_ok() { written } else { Written::default() };
        let principal = Principal::Actor(actor.into());
        let event =
            Event::Affordance { verb: verb.into(), with: shown, outcome: outcome.clone().map_err(|refusal| refusal.0) };
        let twin = self.twins[slot].name();
        let seq = self.ledger.append(now, principal.clone(), twin, None, event, changes);
        self.plan(guard, slot, planned, Some(seq), &principal, now);
        outcome
    }

    /// Lets a twin change its state of its own accord. Gives back what it says of it, and what it has done.
    pub(super) fn write<R>(
        &self,
        inner: &mut Inner,
        slot: usize,
        now: Timestamp,
        act: impl FnOnce(&dyn Host, &mut StateBox, &mut Tx<'_>) -> R,
    ) -> (R, Written) {
        let mut state = Arc::clone(inner.state(slot));
        let mut tx = Tx::new(now, self.origin(slot), (&self.seeds, self.limits), &mut inner.ordinals);
        let said = act(self.twins[slot].as_ref(), &mut state, &mut tx);
        let written = tx.into_written();
        inner.commit(slot, state);
        (said, written)
    }

    /// Queues what a write wants to happen, then gives the pen back and wakes the worker. Gives back the delivery
    /// that the answer waits for, if any.
    pub(crate) fn plan(
        &self,
        mut guard: RwLockWriteGuard<'_, Inner>,
        slot: usize,
        planned: Vec<Planned>,
        cause: Option<u64>,
        principal: &Principal,
        now: Timestamp,
    ) -> Option<u64> {
        if planned.is_empty() {
            return None;
        }
        let awaited = self.carry_out(&mut guard, slot, planned, cause, principal, now);
        drop(guard);
        self.wake.notify_one();
        awaited
    }

    /// Queues what a write wants to happen later, and does to sockets what it wants done now, in order.
    pub(crate) fn carry_out(
        &self,
        inner: &mut Inner,
        slot: usize,
        planned: Vec<Planned>,
        cause: Option<u64>,
        principal: &Principal,
        now: Timestamp,
    ) -> Option<u64> {
        let mut awaited = None;
        for plan in planned {
            let plan = match plan {
                Planned::Socket(act) => {
                    self.act_on_socket(inner, slot, act, cause, now);
                    continue;
                }
                later => later,
            };
            let id = inner.next_job;
            inner.next_job += 1;
            if let Planned::Delivery { awaited: true, .. } = plan {
                self.awaited.lock().expect(id);
                awaited = Some(id);
            }
            if let Some((due, job)) = Job::from_plan(plan, id, slot, now, cause, principal) {
                inner.jobs.insert((due, id), Arc::new(job));
            }
        }
        awaited
    }
}
