//! Rules on each scenario.

use super::{Bench, Rule, Ruling};
use crate::{
    gates::{FloorRule, Gates},
    pairing::{self, Pair, satisfied},
    plan::PlannedScenario,
    stats::{
        paired::{fisher, is_suspect},
        sequential::{self, Found},
    },
};

impl Bench<'_> {
    /// Screens each scenario on its first seeds, and confirms on fresh ones alone.
    pub(super) fn each_scenario_against_baseline(&mut self) {
        let (Some(rule), Some(baseline)) = (&self.gates.no_regress, self.baseline) else { return };
        for scenario in self.scenarios.clone() {
            let Some(found) = pairing::pairs(scenario, self.run, baseline) else { continue };
            let (screened, fresh): (Vec<Pair>, Vec<Pair>) = found.into_iter().partition(|p| p.n <= self.screened);
            let (older, newer, of) = counts(&screened);
            if !is_suspect(older, newer, of, rule.per_scenario.screen.value) {
                continue;
            }
            let wanted = rule.per_scenario.confirm;
            let fresh: Vec<Pair> = fresh.into_iter().take(usize::try_from(wanted).unwrap_or(usize::MAX)).collect();
            let seen = format!("{older}/{of} to {newer}/{of}");
            let (older, newer, of) = counts(&fresh);
            if of < wanted {
                self.ask_for_fresh_pairs(scenario, wanted);
                let why = format!("{seen}: {wanted} fresh pairs are to confirm it, {of} are there");
                self.rule(Rule::NoRegress, Some(&scenario.id), Ruling::Inconclusive, why);
                continue;
            }
            let p = fisher(older, newer, of);
            let ruling = if p < rule.per_scenario.p.value { Ruling::Fail } else { Ruling::Pass };
            let why = format!("{seen}; on fresh seeds {older}/{of} to {newer}/{of}, p = {p:.3}");
            self.rule(Rule::NoRegress, Some(&scenario.id), ruling, why);
        }
    }

    pub(super) fn floors(&mut self) {
        for scenario in self.scenarios.clone() {
            let Some(floor) = Floor::of(self.gates, scenario) else { continue };
            let outcomes = self.outcomes(scenario);
            let held = outcomes.iter().filter(|outcome| **outcome).count();
            let stopped = self.stopped.iter().find(|stop| stop.scenario == scenario.id);
            let (ruling, what) = match stopped {
                Some(stop) => (stop.ruling, floor.settled(stop.ruling)),
                None => floor.says(&outcomes, self.level_of(scenario)),
            };
            if ruling == Ruling::Inconclusive && stopped.is_none() {
                self.ask_for_more(scenario);
            }
            let why = format!("{held}/{}: {what} its floor of {:.2}", outcomes.len(), floor.least);
            self.rule(Rule::Floors, Some(&scenario.id), ruling, why);
        }
    }

    fn outcomes(&self, scenario: &PlannedScenario) -> Vec<bool> {
        self.run.of(scenario).into_iter().filter_map(satisfied).collect()
    }
}

/// The least satisfaction of a scenario.
#[derive(Debug, Clone, Copy)]
pub(super) struct Floor {
    pub(super) least: f64,
    margin: f64,
    rule: FloorRule,
}

impl Floor {
    /// None where nothing is asked of it.
    pub(super) fn of(gates: &Gates, scenario: &PlannedScenario) -> Option<Self> {
        let floors = gates.floors.as_ref()?;
        let least = floors.scenarios.get(&scenario.id).or(floors.default.as_ref())?.value;
        Some(Self { least, margin: floors.margin.value, rule: floors.rule })
    }

    /// What it says of outcomes at a look, and in words.
    pub(super) fn says(self, outcomes: &[bool], level: Option<f64>) -> (Ruling, &'static str) {
        match (sequential::floor(outcomes, self.least, self.margin, level), self.rule) {
            _ if outcomes.is_empty() => (Ruling::Inconclusive, "nothing was decided"),
            (Found::Bad, _) => (Ruling::Fail, "below"),
            (Found::Good, _) => (Ruling::Pass, "not below"),
            (Found::Open, FloorRule::NotBelow) => (Ruling::Pass, "not shown to lie below"),
            (Found::Open, FloorRule::Proven) => (Ruling::Inconclusive, "not shown to reach"),
        }
    }

    /// What it says where nothing that may still come changes it, in words.
    const fn settled(self, ruling: Ruling) -> &'static str {
        match (ruling, self.rule) {
            (Ruling::Pass, FloorRule::NotBelow) => "cannot be shown any more to lie below",
            (Ruling::Pass, FloorRule::Proven) => "whatever comes, not below",
            (Ruling::Fail | Ruling::Breach, _) => "whatever comes, below",
            (Ruling::Inconclusive, _) => "cannot be shown any more to reach",
        }
    }
}

/// How many pairs satisfied before and after, and how many there are.
fn counts(pairs: &[Pair]) -> (u64, u64, u64) {
    let count = |of: fn(&Pair) -> bool| pairs.iter().filter(|pair| of(pair)).count() as u64;
    (count(|pair| pair.older), count(|pair| pair.newer), pairs.len() as u64)
}
