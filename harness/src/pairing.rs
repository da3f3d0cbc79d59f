//! Two runs side by side: the trajectories of the same scenario, variant and seed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    plan::{Key, Plan, PlannedScenario},
    record::Record,
    stats::{
        self,
        paired::{self, Pairs},
        rounded,
    },
    verdict::Outcome,
};

/// A run as far as it has come.
#[derive(Debug, Clone, Copy)]
pub struct Arm<'a> {
    /// What was planned.
    pub plan: &'a Plan,
    /// What came of it.
    pub records: &'a BTreeMap<Key, Record>,
}

impl<'a> Arm<'a> {
    /// A scenario's records: by seed, and among those of a seed in the order of variants.
    pub fn of(self, scenario: &'a PlannedScenario) -> Vec<&'a Record> {
        let key = |variant: &str, n| Key { scenario: scenario.id.clone(), variant: variant.to_owned(), n };
        let of_variant = |variant: &str| self.records.range(key(variant, 0)..=key(variant, u64::MAX));
        let variants = scenario.variants.iter();
        let mut records: Vec<&Record> =
            variants.flat_map(|variant| of_variant(&variant.id)).map(|(_, record)| record).collect();
        // Stable: variants keep their order.
        records.sort_by_key(|record| record.key.n);
        records
    }
}

/// A trajectory that was decided on both builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Which of its kind.
    pub n: u64,
    /// Whether the older build satisfied.
    pub older: bool,
    /// Whether the newer build satisfied.
    pub newer: bool,
}

/// A scenario's pairs, in the order of [`Arm::of`]; none where it is not the same in both runs.
pub fn pairs(scenario: &PlannedScenario, newer: Arm<'_>, older: Arm<'_>) -> Option<Vec<Pair>> {
    let before = older.plan.scenarios.iter().find(|before| before.id == scenario.id)?;
    if (&before.digest, &before.world) != (&scenario.digest, &scenario.world) {
        return None;
    }
    let pair = |record: &Record| {
        // Another seed of the run makes other trajectories of the same name.
        let other = older.records.get(&record.key).filter(|other| other.seed == record.seed)?;
        Some(Pair { n: record.key.n, older: satisfied(other)?, newer: satisfied(record)? })
    };
    Some(newer.of(scenario).into_iter().filter_map(pair).collect())
}

/// Why a scenario is in no comparison, for people; none where it has pairs.
pub fn not_compared(scenario: &PlannedScenario, newer: Arm<'_>, older: Arm<'_>) -> Option<&'static str> {
    match pairs(scenario, newer, older) {
        Some(found) if !found.is_empty() => None,
        Some(_) => Some("no trajectory of it was decided in both"),
        None if older.plan.scenarios.iter().any(|before| before.id == scenario.id) => Some("it was changed since"),
        None => Some("the baseline does not have it"),
    }
}

/// None where it was not decided.
pub const fn satisfied(record: &Record) -> Option<bool> {
    match record.outcome {
        Outcome::Satisfied => Some(true),
        Outcome::Unsatisfied => Some(false),
        Outcome::Undecided | Outcome::Void => None,
    }
}

/// The counts of pairs.
pub fn counted(weight: f64, found: &[Pair]) -> Pairs {
    let count = |of: fn(&Pair) -> bool| found.iter().filter(|pair| of(pair)).count() as u64;
    Pairs {
        weight,
        better: count(|pair| pair.newer && !pair.older),
        worse: count(|pair| pair.older && !pair.newer),
        pairs: found.len() as u64,
    }
}

/// How a run differs from its baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The change of satisfaction, between -1 and 1; none where there is no pair.
    pub point: Option<f64>,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end of its interval.
    pub high: Option<f64>,
    /// Trajectories that were decided in both runs.
    pub pairs: u64,
    /// Of them, those that only the newer build satisfied.
    pub better: u64,
    /// Of them, those that only the older build satisfied.
    pub worse: u64,
    /// Scenarios of this run that are not in the comparison: new, changed, or without a pair.
    pub unpaired: Vec<String>,
}

impl Difference {
    /// The difference over these scenarios and the first so many trajectories of each variant.
    pub fn new(
        scenarios: &[&PlannedScenario],
        newer: Arm<'_>,
        older: Arm<'_>,
        seeds: u64,
        level: f64,
    ) -> (Self, Option<stats::Estimate>) {
        let (mut strata, mut unpaired) = (Vec::new(), Vec::new());
        for scenario in scenarios {
            let mut found = pairs(scenario, newer, older).unwrap_or_default();
            found.retain(|pair| pair.n <= seeds);
            if found.is_empty() {
                unpaired.push(scenario.id.clone());
            }
            strata.push(counted(scenario.weight, &found));
        }
        let estimate = paired::difference(&strata, level);
        let part = |part: fn(&stats::Estimate) -> f64| estimate.as_ref().map(part).map(rounded);
        let total = |count: fn(&Pairs) -> u64| strata.iter().map(count).sum();
        let difference = Self {
            point: part(|e| e.point),
            low: part(|e| e.low),
            high: part(|e| e.high),
            pairs: total(|s| s.pairs),
            better: total(|s| s.better),
            worse: total(|s| s.worse),
            unpaired,
        };
        (difference, estimate)
    }

    /// `-0.4 pt [-2.9, +2.1]`; a dash where there is no pair.
    pub fn shown(&self) -> String {
        match (self.point, self.low, self.high) {
            (Some(point), Some(low), Some(high)) => {
                format!("{:+.1} pt [{:+.1}, {:+.1}]", point * 100.0, low * 100.0, high * 100.0)
            }
            _ => "-".to_owned(),
        }
    }
}
