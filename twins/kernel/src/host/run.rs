//! The part of a call that runs under the lock: authentication, limits, faults, the handler.

use std::sync::Arc;

use super::hosted::{Hosted, peek};
use crate::{
    fault::{Effect, Fired, Injected, Skipped, Strikes, Struck, Subject},
    operation::{Operation, Run},
    struck,
    time::Timestamp,
    twin::{Counted, Force, Quota, Read, Scene, Twin, Write},
    tx::{Tx, Written},
    universe::{core::Universe, value::Inner},
    wire::Answer,
};

/// What came of the part of a call that runs under the lock.
pub(super) struct Ran<T: Twin> {
    pub(super) caller: Option<T::Caller>,
    pub(super) quota: Quota,
    pub(super) result: Result<Answer, T::Error>,
    /// Changed state and what the write wants to happen, where it did change.
    pub(super) written: Option<Written>,
    pub(super) fault: Option<Fired>,
    pub(super) skipped: Vec<Skipped>,
}

impl<T: Twin> Ran<T> {
    /// Nothing ran yet.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            caller: None,
            quota: Quota::free(now),
            result: Err(Injected::Revoked.into()),
            written: None,
            fault: None,
            skipped: Vec::new(),
        }
    }

    /// Adds to what is written.
    fn write(&mut self, tx: Tx<'_>) {
        let more = tx.into_written();
        match &mut self.written {
            None => self.written = Some(more),
            Some(written) => {
                written.changes.extend(more.changes);
                written.planned.extend(more.planned);
            }
        }
    }
}

impl<T: Twin> Hosted<T> {
    /// Runs a call with the pen in hand: limits are counted and faults drawn; a write is committed.
    pub(super) fn run_with_pen(
        &self,
        universe: &Universe,
        inner: &mut Inner,
        slot: usize,
        operation: &Operation<T>,
        scene: &Scene<'_>,
        input: T::Input,
    ) -> Ran<T> {
        let mut ran = Ran::new(scene.now);
        let caller = match self.twin.authenticate(peek::<T>(inner.state(slot)), scene, &input) {
            Ok(caller) => caller,
            Err(error) => {
                self.turn_away(universe, inner, scene, &input, &mut ran, error);
                return ran;
            }
        };
        let refusal = self.limited(universe, inner, slot, scene, &input, &caller, &mut ran);
        let caller = ran.caller.insert(caller);
        if let Some(error) = refusal {
            ran.result = Err(error);
            return ran;
        }
        let fate = self.fate(universe, inner, scene, &input, Some(caller));
        (ran.fault, ran.skipped) = (fate.fired, fate.skipped);
        let effect = ran.fault.as_ref().map(|fired| &fired.effect);
        if let Some(error) = effect.and_then(|effect| struck::before(effect, scene)) {
            ran.result = Err(error.into());
            return ran;
        }
        let scene = &Scene { now: struck::clock(ran.fault.as_ref(), scene.now), ..*scene };
        match &operation.run {
            Run::Read(run) => {
                let state = match effect {
                    Some(Effect::Stale { by }) => inner.state_at(slot, scene.now.before(by.0)),
                    _ => inner.state(slot),
                };
                let cx = Read { state: peek::<T>(state), caller, scene };
                ran.result = run(&cx, input);
            }
            Run::Absent => {}
            Run::Write(run) => {
                // Works on a copy (pointers only), so that an error or panic leaves no trace.
                let mut state: T::State = peek::<T>(inner.state(slot)).clone();
                let mut tx = Tx::new(
                    scene.now,
                    scene.request.origin.clone(),
                    (universe.seeds(), universe.limits()),
                    &mut inner.ordinals,
                );
                let mut cx = Write { state: &mut state, tx: &mut tx, caller, scene };
                ran.result = run(&mut cx, input);
                if ran.result.is_ok() {
                    ran.write(tx);
                    inner.commit(slot, Arc::new(state));
                }
            }
        }
        if let Some(error) = ran.fault.as_ref().and_then(|fired| struck::after(&fired.effect))
            && ran.result.is_ok()
        {
            ran.result = Err(error.into());
        }
        ran
    }

    /// Answers somebody whom the service does not know, unless the call does not come as far as that.
    fn turn_away(
        &self,
        universe: &Universe,
        inner: &mut Inner,
        scene: &Scene<'_>,
        input: &T::Input,
        ran: &mut Ran<T>,
        error: T::Error,
    ) {
        let fate = self.fate(universe, inner, scene, input, None);
        (ran.fault, ran.skipped) = (fate.fired, fate.skipped);
        let fault = ran.fault.as_ref().and_then(|fired| struck::before(&fired.effect, scene));
        ran.result = Err(fault.map_or(error, Into::into));
    }

    /// What the armed rules do to a call; of a caller whom the service turns away, where there is none.
    fn fate(
        &self,
        universe: &Universe,
        inner: &mut Inner,
        scene: &Scene<'_>,
        input: &T::Input,
        caller: Option<&T::Caller>,
    ) -> Struck {
        // Nothing is worked out for rules that are not there.
        if inner.faults.is_empty() {
            return Struck::default();
        }
        let subject = Subject {
            kind: Strikes::Calls,
            twin: self.twin.name(),
            name: scene.operation.id,
            writes: scene.operation.writes,
            cursors: self.twin.cursors(),
            resource: &self.twin.resource(scene.operation, input),
            caller: &caller.map(|caller| self.twin.caller_name(caller)).unwrap_or_default(),
            is_stranger: caller.is_none(),
            facts: &|| struck::facts(scene.request),
        };
        inner.strike(subject, scene.now, universe.seeds())
    }

    /// Counts a call against all limits, and lets the twin note how it stands; the refusal of one that is too many.
    #[expect(clippy::too_many_arguments, reason = "a step of the one function that runs a call")]
    fn limited(
        &self,
        universe: &Universe,
        inner: &mut Inner,
        slot: usize,
        scene: &Scene<'_>,
        input: &T::Input,
        caller: &T::Caller,
        ran: &mut Ran<T>,
    ) -> Option<T::Error> {
        let (name, now) = (self.twin.name(), scene.now);
        ran.quota = Quota::untouched(self.twin.limit(scene.operation, caller).per_minute, now);
        if !universe.limits_are_on() {
            return None;
        }
        let allowances = self.twin.allowances(peek::<T>(inner.state(slot)), scene, input, caller);
        let mut counted = universe.count(inner, name, allowances, now);
        let refusing = counted.iter().filter(|one| one.refuses()).max_by_key(|one| one.reset);
        let shown = counted.iter().filter(|one| one.allowance.force == Force::Shown);
        let told = refusing.or_else(|| shown.min_by_key(|one| one.quota().remaining));
        ran.quota = told.map_or(ran.quota, Counted::quota);
        let mut refusal = refusing.map(|one| self.twin.over(scene, one));
        let most = self.twin.concurrency();
        if refusal.is_none() && universe.has_too_many(slot, most) {
            counted.push(universe.count_at_once(inner, name, most.unwrap_or_default(), now));
            refusal = Some(Injected::TooManyAtOnce.into());
        }
        if self.twin.is_noted(peek::<T>(inner.state(slot)), &counted) {
            let mut state: T::State = peek::<T>(inner.state(slot)).clone();
            let mut tx =
                Tx::new(now, scene.request.origin.clone(), (universe.seeds(), universe.limits()), &mut inner.ordinals);
            self.twin.note(&mut Write { state: &mut state, tx: &mut tx, caller, scene }, &counted);
            ran.write(tx);
            inner.commit(slot, Arc::new(state));
        }
        refusal
    }

    pub(super) fn run_reading(
        &self,
        inner: &Inner,
        slot: usize,
        operation: &Operation<T>,
        scene: &Scene<'_>,
        input: T::Input,
    ) -> Ran<T> {
        let state = peek::<T>(inner.state(slot));
        let mut ran = Ran::new(scene.now);
        let caller = match self.twin.authenticate(state, scene, &input) {
            Ok(caller) => caller,
            Err(error) => {
                ran.result = Err(error);
                return ran;
            }
        };
        ran.quota = Quota::untouched(self.twin.limit(scene.operation, &caller).per_minute, scene.now);
        let caller = ran.caller.insert(caller);
        if let Run::Read(run) = &operation.run {
            ran.result = run(&Read { state, caller, scene }, input);
        }
        ran
    }
}
