//! What to run next, where nothing is decided yet.

use super::{Bench, Rule, Ruling, without_gap};
use crate::plan::{Key, PlannedScenario};

/// Voids among fresh pairs are made up for, but not for ever.
const TRIES: u64 = 3;

/// The looks of a budget: trajectories of each variant at each.
pub(super) fn looks(budget: u64) -> [u64; 4] {
    [1, 2, 3, 4].map(|quarter| (budget * quarter).div_ceil(4))
}

impl Bench<'_> {
    /// Where rules on the whole suite are open: one look further, for all scenarios alike. To extend only those that
    /// vary most would lean: a scenario that began with luck would keep it.
    pub(super) fn ask_for_next_look(&mut self) {
        let open = |rule: Rule| {
            let of_all = |r: &&super::RuleResult| r.rule == rule && r.scenario.is_none();
            self.rules.iter().filter(of_all).any(|r| r.ruling == Ruling::Inconclusive)
        };
        let is_open = open(Rule::Minimum) || (open(Rule::NoRegress) && self.baseline.is_some());
        if is_open || self.seeds == 0 || !self.unseen().is_empty() {
            let is_stopped = |id: &str| self.stopped.iter().any(|stop| stop.scenario == id);
            let going_on: Vec<_> = self.scenarios.iter().copied().filter(|s| !is_stopped(&s.id)).collect();
            for scenario in going_on {
                self.ask_for_more(scenario);
            }
        }
    }

    /// A scenario up to its next look: others may have come less far, and be decided.
    pub(super) fn ask_for_more(&mut self, scenario: &PlannedScenario) {
        let Some(budget) = &self.gates.budget else { return };
        let seeds = without_gap(&[scenario], self.run);
        let next = looks(budget.seeds.value).into_iter().find(|next| *next > seeds);
        for key in (1..=next.unwrap_or(0)).flat_map(|n| keys(scenario, n)) {
            if !self.run.records.contains_key(&key) {
                self.next.insert(key);
            }
        }
    }

    /// Fresh seeds of a scenario, on whichever build they are missing.
    pub(super) fn ask_for_fresh_pairs(&mut self, scenario: &PlannedScenario, wanted: u64) {
        let Some(baseline) = self.baseline else { return };
        let mut wanted = wanted;
        let from = self.screened + 1;
        for key in (from..from + wanted * TRIES).flat_map(|n| keys(scenario, n)) {
            if wanted == 0 {
                return;
            }
            let says_nothing = |arm: crate::pairing::Arm<'_>| {
                arm.records.get(&key).is_some_and(|record| crate::pairing::satisfied(record).is_none())
            };
            if says_nothing(self.run) || says_nothing(baseline) {
                continue;
            }
            wanted -= 1;
            if !self.run.records.contains_key(&key) {
                self.next.insert(key.clone());
            }
            if !baseline.records.contains_key(&key) {
                self.next_baseline.insert(key);
            }
        }
    }
}

fn keys(scenario: &PlannedScenario, n: u64) -> impl Iterator<Item = Key> + '_ {
    scenario.variants.iter().map(move |v| Key { scenario: scenario.id.clone(), variant: v.id.clone(), n })
}
