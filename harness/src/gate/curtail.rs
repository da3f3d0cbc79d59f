//! Scenarios of which enough was seen: whatever the rest of their trajectories came to, their floor would say the same.
//!
//! Only a scenario is stopped of which nothing but its floor is asked. Rules on the whole suite look at all scenarios
//! alike, and one in which nothing may go wrong is looked at to its end.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ruling, is_canary, next::looks, scenarios::Floor, tagged};
use crate::{
    gates::{Exercise, Gates},
    pairing::{Arm, satisfied},
    plan::{Key, PlannedScenario},
    record::Record,
    stats::{as_float, sequential},
};

/// A scenario that was stopped before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EarlyStop {
    /// The scenario's id.
    pub scenario: String,
    /// Its last trajectory that counts, as reports name it.
    pub last: String,
    /// How many of its trajectories count.
    pub after: u64,
    /// How many there would have been at the next look.
    pub of: u64,
    /// What its floor says.
    pub ruling: Ruling,
    /// Why, in a sentence.
    pub reason: String,
}

impl EarlyStop {
    /// In a line.
    pub fn shown(&self) -> String {
        format!("{} after {} of {}: {}", self.scenario, self.after, self.of, self.reason)
    }
}

/// The scenarios that need no more trajectories, after the first that suffice: a function of outcomes in the order of
/// the plan, however many trajectories ran at a time.
pub fn stops(gates: &Gates, run: Arm<'_>) -> Vec<EarlyStop> {
    let stop = |scenario: &PlannedScenario| Course::of(gates, run, scenario)?.stop(scenario);
    run.plan.scenarios.iter().filter_map(stop).collect()
}

/// Those of [`stops`] that explain why trajectories up to the next look are missing.
pub(super) fn open_stops(gates: &Gates, run: Arm<'_>) -> Vec<EarlyStop> {
    let stop = |scenario: &PlannedScenario| {
        let course = Course::of(gates, run, scenario)?;
        course.stop(scenario).filter(|stop| (course.outcomes.len() as u64) < stop.of)
    };
    run.plan.scenarios.iter().filter_map(stop).collect()
}

/// Whether a scenario needs no more trajectories.
pub fn is_settled(gates: &Gates, run: Arm<'_>, scenario: &str) -> bool {
    let planned = run.plan.scenarios.iter().find(|planned| planned.id == scenario);
    let course = planned.and_then(|planned| Course::of(gates, run, planned));
    course.is_some_and(|course| course.settled(course.outcomes.len()).is_some())
}

/// The records that count where scenarios were stopped.
pub fn counted(run: Arm<'_>, stops: &[EarlyStop]) -> BTreeMap<Key, Record> {
    let mut records = run.records.clone();
    for stop in stops {
        let kept: BTreeSet<&Key> = order(run, &stop.scenario).take(size(stop.after)).map(|(key, _)| key).collect();
        let dropped = records.keys().filter(|key| key.scenario == stop.scenario && !kept.contains(key));
        for key in dropped.cloned().collect::<Vec<Key>>() {
            records.remove(&key);
        }
    }
    records
}

/// A scenario's records in the order in which they count.
fn order<'a>(run: Arm<'a>, scenario: &str) -> impl Iterator<Item = (&'a Key, &'a Record)> {
    let planned = run.plan.scenarios.iter().find(|planned| planned.id == scenario);
    planned.into_iter().flat_map(move |planned| run.of(planned)).map(|record| (&record.key, record))
}

/// A scenario's trajectory in the order in which they count: seed by seed, and among those of a seed in the order of
/// variants.
fn key_at(scenario: &PlannedScenario, at: usize) -> Option<Key> {
    let variants = scenario.variants.len().max(1);
    let variant = scenario.variants.get(at % variants)?.id.clone();
    Some(Key { scenario: scenario.id.clone(), variant, n: (at / variants + 1) as u64 })
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// What a scenario's trajectories came to, as far as none is missing.
struct Course {
    floor: Floor,
    budget: u64,
    variants: usize,
    /// None where one was not decided.
    outcomes: Vec<Option<bool>>,
    /// After so many all was seen that is to be seen now and then.
    seen: usize,
}

impl Course {
    /// None where more than its floor is asked of it.
    fn of(gates: &Gates, run: Arm<'_>, scenario: &PlannedScenario) -> Option<Self> {
        let is_needed = gates.minimum.is_some()
            || gates.no_regress.is_some()
            || gates.quarantine.contains_key(&scenario.id)
            || is_canary(gates, scenario)
            || gates.must_have.as_ref().is_some_and(|rule| tagged(scenario, &rule.tags));
        let budget = gates.budget.as_ref()?.seeds.value;
        let floor = Floor::of(gates, scenario).filter(|_| !is_needed)?;
        let mut course = Self { floor, budget, variants: scenario.variants.len(), outcomes: Vec::new(), seen: 0 };
        let mut unseen = unseen(gates, run, scenario);
        for record in (0..).map_while(|at| run.records.get(&key_at(scenario, at).filter(|key| key.n <= budget)?)) {
            course.outcomes.push(satisfied(record));
            if !unseen.is_empty() {
                unseen.retain(|name| !record.seen.contains(name));
                course.seen = if unseen.is_empty() { course.outcomes.len() } else { usize::MAX };
            }
        }
        Some(course)
    }

    /// The first trajectories that suffice; none where more are needed, or where they end with a look.
    fn stop(&self, scenario: &PlannedScenario) -> Option<EarlyStop> {
        self.settled(self.outcomes.len())?;
        // What is settled stays so.
        let (mut open, mut done) = (0, self.outcomes.len());
        while done - open > 1 {
            let middle = usize::midpoint(open, done);
            if self.settled(middle).is_some() { done = middle } else { open = middle }
        }
        let ruling = self.settled(done)?;
        let (after, of) = (done as u64, self.next_look(done)?);
        let left = of - after;
        let reason =
            format!("its floor of {:.2} says {}, whatever the next {left} come to", self.floor.least, ruling.name());
        let last = key_at(scenario, done - 1)?.to_string();
        (left > 0).then(|| EarlyStop { scenario: scenario.id.clone(), last, after, of, ruling, reason })
    }

    /// How many trajectories there are at the look that so many lead to.
    fn next_look(&self, count: usize) -> Option<u64> {
        self.ends().map(|(end, _)| end).find(|end| *end >= count).map(|end| end as u64)
    }

    /// Each look: how many trajectories there are by then, and the level of its bounds.
    fn ends(&self) -> impl Iterator<Item = (usize, Option<f64>)> {
        let level = |seeds: u64| sequential::level_at(as_float(seeds) / as_float(self.budget));
        looks(self.budget).into_iter().map(move |seeds| (size(seeds).saturating_mul(self.variants), level(seeds)))
    }

    /// What the floor says in the end, whatever comes after the first so many: the best and the worst say the same.
    fn settled(&self, count: usize) -> Option<Ruling> {
        let decided = |count: usize| self.outcomes[..count].iter().copied().flatten();
        // Each variant is looked at once, and nothing decided settles nothing.
        if count < self.variants.max(1) || count < self.seen || decided(count).next().is_none() {
            return None;
        }
        for (end, level) in self.ends() {
            let says = |rest: bool| {
                let known = decided(count.min(end));
                let outcomes: Vec<bool> = known.chain(std::iter::repeat_n(rest, end.saturating_sub(count))).collect();
                self.floor.says(&outcomes, level).0
            };
            let (best, worst) = (says(true), says(false));
            match (best, worst) {
                _ if best != worst => return None,
                // Nothing is shown by then, and it goes on.
                (Ruling::Inconclusive, _) => {}
                (ruling, _) => return Some(ruling),
            }
        }
        Some(Ruling::Inconclusive)
    }
}

/// What must be seen of a scenario for its run to count.
fn unseen(gates: &Gates, run: Arm<'_>, scenario: &PlannedScenario) -> Vec<String> {
    let is_asked =
        |name: &&String| gates.validity.sometimes == Exercise::All && (run.plan.faults || !name.starts_with("fault "));
    scenario.sometimes.iter().filter(is_asked).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::{
        decide,
        tests::{made, read},
    };
    use super::*;

    /// After how many of a scenario's outcomes nothing can change any more, and what its floor says then.
    fn check(gates: &str, outcomes: &str, wanted: Option<(u64, u64, Ruling)>) {
        let (gates, run) = (read(gates), made(&[("a", "t", outcomes)]));
        let stops = stops(&gates, run.arm());
        let found = stops.first().map(|stop| (stop.after, stop.of, stop.ruling));
        assert_eq!(found, wanted, "{outcomes}");
    }

    #[test]
    fn a_scenario_is_stopped_once_nothing_can_change() {
        const FLOOR: &str = "budget: {seeds: 40}\nfloors: {default: 0.8, margin: 0.2}";
        // The sequential test fails it after 5 failures. At the look at 10 nothing is shown of 5 successes, which is enough.
        check(FLOOR, "-----", Some((5, 10, Ruling::Fail)));
        check(FLOOR, "-----+++", Some((5, 10, Ruling::Fail)));
        check(FLOOR, "----", None);
        check(FLOOR, "----+++", None);
        check(FLOOR, "++++", None);
        check(FLOOR, "+++++", Some((5, 10, Ruling::Pass)));
        check(FLOOR, "++++++++++", Some((5, 10, Ruling::Pass)));
        // A gap is no outcome, and what says nothing is not counted as one.
        check(FLOOR, "---_--", None);
        check(FLOOR, "vvv-----", Some((8, 10, Ruling::Fail)));
        check(FLOOR, "vvvv", None);
    }

    #[test]
    fn only_where_nothing_but_the_floor_is_asked() {
        const BUDGET: &str = "budget: {seeds: 40}\nfloors: {default: 0.8, margin: 0.2}";
        for more in [
            "minimum: {satisfaction: 0.5}",
            "no_regress: {}",
            "must_have: {tags: [t]}",
            "canaries: {tags: [t]}",
            "quarantine: {a: {until: 2999-01-01, issue: '#1'}}",
        ] {
            check(&format!("{BUDGET}\n{more}"), "------", None);
        }
        check("floors: {default: 0.8, margin: 0.2}", "------", None);
        check(BUDGET, "------", Some((5, 10, Ruling::Fail)));
    }

    #[test]
    fn a_gate_judges_what_was_stopped_as_if_it_had_gone_on() {
        let gates = read("budget: {seeds: 40}\nfloors: {default: 0.8, margin: 0.2, rule: proven}");
        let run = made(&[("a", "t", "-----+"), ("b", "t", "++++++++++")]);
        let decision = decide(&gates, run.arm(), None);
        assert_eq!((decision.ruling, decision.seeds), (Ruling::Fail, 10));
        let told: Vec<(&str, u64, u64)> =
            decision.stopped.iter().map(|stop| (stop.last.as_str(), stop.after, stop.of)).collect();
        assert_eq!(told, [("a/aa/5", 5, 10)]);
        assert!(decision.stopped[0].reason.contains("whatever the next 5 come to"), "{:?}", decision.stopped);
    }
}
