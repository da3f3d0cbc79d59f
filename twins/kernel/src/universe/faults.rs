//! Fault rules: armed, disarmed, and told of in the ledger.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::core::Universe;
use crate::{
    fault::{Fired, Rule, RuleError, Skipped, Tally},
    ledger::{Event, Principal},
    time::Timestamp,
};

impl Universe {
    /// Arms fault rules behind those already armed.
    ///
    /// # Errors
    /// [`RuleError`]; nothing is armed then.
    pub fn arm(&self, rules: &[Rule]) -> Result<(), RuleError> {
        if rules.is_empty() {
            return Ok(());
        }
        let mut inner = self.inner.write();
        let now = inner.clock.now();
        inner.faults.arm(rules, now)?;
        let ids: Vec<&SmolStr> = rules.iter().map(|rule| &rule.id).collect();
        self.note_control(now, "faults", json!({ "armed": ids }));
        for (socket, slot) in self.sockets.open() {
            let serial = self.sockets.serial(socket).unwrap_or_default();
            self.plan_cuts(&mut inner, slot, socket, serial, rules);
        }
        self.wake.notify_one();
        self.gates.notify_waiters();
        Ok(())
    }

    /// Arms fault rules as people write them: those that name a twin or an operation that is not there are refused too.
    ///
    /// # Errors
    /// [`RuleError`]; nothing is armed then.
    pub fn arm_checked(&self, rules: &[Rule]) -> Result<(), RuleError> {
        rules.iter().try_for_each(|rule| crate::fault::aimed(rule, &self.twins))?;
        self.arm(rules)
    }

    /// Arms fault rules until the guard is dropped.
    ///
    /// # Errors
    /// [`RuleError`]; nothing is armed then.
    pub fn arm_guarded(self: &Arc<Self>, rules: &[Rule]) -> Result<Armed, RuleError> {
        self.arm(rules)?;
        let rules = rules.iter().map(|rule| rule.id.clone()).collect();
        Ok(Armed { universe: Arc::clone(self), rules })
    }

    /// The rule that closes a twin's port now, if any; none also where none ever may.
    pub(crate) fn refusal(&self, slot: usize) -> Option<SmolStr> {
        let inner = self.inner.read();
        let rule = inner.faults.refuses(self.twins[slot].name(), inner.clock.now(), &self.seeds)?;
        Some(rule.id.clone())
    }

    /// Whether a rule may close a twin's port, now or later.
    pub(crate) fn may_refuse(&self, slot: usize) -> bool {
        self.inner.read().faults.may_refuse(self.twins[slot].name())
    }

    /// Notes that a twin's port has closed.
    pub(crate) fn note_refusal(&self, slot: usize, rule: &SmolStr) {
        let mut inner = self.inner.write();
        inner.faults.note_fired(rule);
        let now = inner.clock.now();
        let effect = crate::fault::Effect::Refuse {};
        let fired = Fired { rule: rule.clone(), effect, drawn: Duration::ZERO };
        self.record_fault(self.twins[slot].name(), "connect", &fired, now);
    }

    /// Disarms one rule, or all where none is named; false where there was no such rule.
    pub fn disarm(&self, rule: Option<&str>) -> bool {
        let mut inner = self.inner.write();
        let now = inner.clock.now();
        let found = rule.is_none_or(|rule| inner.faults.disarm(rule));
        if rule.is_none() {
            inner.faults.clear();
        }
        if inner.faults.lag().is_none() {
            inner.past.clear();
        }
        self.note_control(now, "faults", json!({ "disarmed": rule.unwrap_or("*") }));
        self.gates.notify_waiters();
        found
    }

    /// The armed rules, and how each has fared.
    pub fn faults(&self) -> Vec<(Rule, Tally)> {
        let inner = self.inner.read();
        let faults = &inner.faults;
        let row = |armed: &Arc<crate::fault::ArmedRule>| {
            let id = &armed.rule.id;
            (armed.rule.clone(), faults.tally(id))
        };
        faults.rules().iter().map(row).collect()
    }

    pub(crate) fn record_fault(&self, twin: &'static str, on: &str, fired: &Fired, now: Timestamp) -> u64 {
        let event = Event::Fault {
            rule: fired.rule.clone(),
            on: on.into(),
            effect: serde_json::to_value(&fired.effect).unwrap_or(Value::Null),
        };
        self.ledger.append(now, Principal::Fault(fired.rule.clone()), twin, None, event, Vec::new())
    }

    /// Notes rules that did not fire, each for the first time for its reason.
    pub(crate) fn record_skipped(&self, twin: &'static str, on: &str, skipped: &[Skipped], now: Timestamp) {
        for Skipped { rule, why } in skipped {
            let event = Event::FaultSkipped { rule: rule.clone(), on: on.into(), why: why.words() };
            self.ledger.append(now, Principal::Fault(rule.clone()), twin, None, event, Vec::new());
        }
    }
}

/// Rules that are disarmed when this is dropped, for tests.
#[derive(Debug)]
pub struct Armed {
    universe: Arc<Universe>,
    rules: Vec<SmolStr>,
}

impl Drop for Armed {
    fn drop(&mut self) {
        for rule in &self.rules {
            self.universe.disarm(Some(rule));
        }
    }
}
