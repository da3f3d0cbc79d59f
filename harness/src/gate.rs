//! The gate: whether a run shows enough to let its build pass.
//!
//! It is a function of gates, plans and records alone: whoever asks again gets the same answer, and no trajectory is
//! run again because its outcome did not please.

mod curtail;
mod next;
mod rules;
mod scenarios;

use std::collections::BTreeSet;

pub use self::{
    curtail::{EarlyStop, counted, is_settled, stops},
    rules::{ends_all, is_forbidden},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    gates::{Gates, OnInconclusive},
    pairing::{Arm, Difference},
    plan::{Key, PlannedScenario},
    stats::sequential,
};

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It is shown to be good enough.
    Pass,
    /// It is shown not to be.
    Fail,
    /// Neither is shown.
    Inconclusive,
    /// Somebody cheated.
    Breach,
}

impl Ruling {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Inconclusive => 4,
            Self::Breach => 5,
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Breach => "breach",
        }
    }
}

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleResult {
    /// The rule's key in the gate file.
    pub rule: Rule,
    /// The scenario, for rules on each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// What it says.
    pub ruling: Ruling,
    /// Why, in a sentence.
    pub why: String,
}

/// A rule of a gate file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// How much says nothing.
    Validity,
    /// What nobody can satisfy.
    Canaries,
    /// Where nothing may go wrong.
    MustHave,
    /// The least satisfaction.
    Minimum,
    /// No worse than the baseline.
    NoRegress,
    /// The least satisfaction of a scenario.
    Floors,
}

impl Rule {
    /// As gate files name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validity => "validity",
            Self::Canaries => "canaries",
            Self::MustHave => "must_have",
            Self::Minimum => "minimum",
            Self::NoRegress => "no_regress",
            Self::Floors => "floors",
        }
    }
}

/// What a gate says of a run, and why. Holds nothing of the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The format.
    pub schema: DecisionSchema,
    /// What the gate says.
    pub ruling: Ruling,
    /// Trajectories of each variant that rules on the whole suite looked at.
    pub seeds: u64,
    /// What each rule says.
    pub rules: Vec<RuleResult>,
    /// The difference to the baseline that `no_regress` looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// Trajectories that may bring a decision, where there is none and the budget is not used up.
    #[serde(with = "as_text", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub next: Vec<Key>,
    /// Trajectories of the baseline without which those of this run cannot be compared.
    #[serde(with = "as_text", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub next_baseline: Vec<Key>,
    /// Scenarios that were stopped before their time, as nothing could change what is said of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<EarlyStop>,
    /// Scenarios that were run and did not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarantined: Vec<String>,
    /// What follows where nothing is shown either way.
    #[serde(default)]
    pub on_inconclusive: OnInconclusive,
}

impl Decision {
    /// The exit code.
    pub const fn code(&self) -> u8 {
        match (self.ruling, self.on_inconclusive) {
            (Ruling::Inconclusive, OnInconclusive::Warn) => 0,
            (Ruling::Inconclusive, OnInconclusive::Fail) => 1,
            (ruling, _) => ruling.code(),
        }
    }
}

/// The one known version of `gate.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DecisionSchema {
    /// `dtu/decision/v1`
    #[serde(rename = "dtu/decision/v1")]
    V1,
}

/// Names of trajectories as reports print them and `--only` takes them.
mod as_text {
    use super::Key;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(keys: &[Key], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(keys.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Key>, D::Error> {
        let texts: Vec<String> = Vec::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

/// What rules look at.
struct Bench<'a> {
    gates: &'a Gates,
    run: Arm<'a>,
    baseline: Option<Arm<'a>>,
    /// The scenarios that count: all but canaries and those in quarantine.
    scenarios: Vec<&'a PlannedScenario>,
    /// So many trajectories of each variant are there without a gap. Rules on the whole suite look at these and no
    /// others: where some scenarios had more because of how they began, the mean would lean.
    seeds: u64,
    /// The level of intervals of which one end decides; none before the first look.
    level: Option<f64>,
    /// The trajectories of each variant that screens look at.
    screened: u64,
    /// The scenarios that need no more trajectories.
    stopped: Vec<EarlyStop>,
    rules: Vec<RuleResult>,
    next: BTreeSet<Key>,
    next_baseline: BTreeSet<Key>,
}

/// How many trajectories of a variant screens look at where no budget says it.
const SCREENED: u64 = 5;

/// Judges a run.
pub fn decide(gates: &Gates, run: Arm<'_>, baseline: Option<Arm<'_>>) -> Decision {
    let stopped = curtail::open_stops(gates, run);
    if stopped.is_empty() {
        return judge(Bench::new(gates, run, baseline, stopped));
    }
    let records = counted(run, &stopped);
    judge(Bench::new(gates, Arm { records: &records, ..run }, baseline, stopped))
}

fn judge(mut bench: Bench<'_>) -> Decision {
    bench.validity();
    bench.canaries();
    bench.must_have();
    bench.minimum();
    let difference = bench.no_regress();
    bench.each_scenario_against_baseline();
    bench.floors();
    let ruling = together(&bench.rules);
    if ruling == Ruling::Inconclusive {
        bench.ask_for_next_look();
    } else {
        bench.next.clear();
        bench.next_baseline.clear();
    }
    Decision {
        schema: DecisionSchema::V1,
        ruling,
        seeds: bench.seeds,
        rules: bench.rules,
        difference,
        next: bench.next.into_iter().collect(),
        next_baseline: bench.next_baseline.into_iter().collect(),
        stopped: bench.stopped,
        quarantined: bench.gates.quarantine.keys().cloned().collect(),
        on_inconclusive: bench.gates.on_inconclusive,
    }
}

/// Something forbidden that was seen stands, whatever else is void. All else means little where too much is.
fn together(rules: &[RuleResult]) -> Ruling {
    let any = |ruling: Ruling| rules.iter().any(|result| result.ruling == ruling);
    let is = |rule: Rule, ruling: Ruling| rules.iter().any(|r| r.rule == rule && r.ruling == ruling);
    if any(Ruling::Breach) {
        Ruling::Breach
    } else if is(Rule::MustHave, Ruling::Fail) {
        Ruling::Fail
    } else if is(Rule::Validity, Ruling::Inconclusive) {
        Ruling::Inconclusive
    } else if any(Ruling::Fail) {
        Ruling::Fail
    } else if any(Ruling::Inconclusive) || !any(Ruling::Pass) {
        Ruling::Inconclusive
    } else {
        Ruling::Pass
    }
}

impl<'a> Bench<'a> {
    fn new(gates: &'a Gates, run: Arm<'a>, baseline: Option<Arm<'a>>, stopped: Vec<EarlyStop>) -> Self {
        let counts =
            |scenario: &&PlannedScenario| !is_canary(gates, scenario) && !gates.quarantine.contains_key(&scenario.id);
        let scenarios: Vec<&PlannedScenario> = run.plan.scenarios.iter().filter(counts).collect();
        let goes_on = |scenario: &&PlannedScenario| stopped.iter().all(|stop| stop.scenario != scenario.id);
        let going_on: Vec<&PlannedScenario> = scenarios.iter().copied().filter(goes_on).collect();
        let budget = gates.budget.as_ref().map(|budget| budget.seeds.value);
        let looked_at = if going_on.is_empty() { &scenarios } else { &going_on };
        let seeds = without_gap(looked_at, run).min(budget.unwrap_or(u64::MAX));
        let level = level_at(seeds, budget);
        let screened = gates.first_look(SCREENED);
        let (rules, next, next_baseline) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        Self { gates, run, baseline, scenarios, seeds, level, screened, stopped, rules, next, next_baseline }
    }

    /// The level of intervals of which one end decides, of one scenario: how far the others have come is nothing to it.
    fn level_of(&self, scenario: &'a PlannedScenario) -> Option<f64> {
        let budget = self.gates.budget.as_ref().map(|budget| budget.seeds.value);
        level_at(without_gap(&[scenario], self.run).min(budget.unwrap_or(u64::MAX)), budget)
    }

    fn rule(&mut self, rule: Rule, scenario: Option<&str>, ruling: Ruling, why: String) {
        self.rules.push(RuleResult { rule, scenario: scenario.map(str::to_owned), ruling, why });
    }
}

fn level_at(seeds: u64, budget: Option<u64>) -> Option<f64> {
    match budget {
        _ if seeds == 0 => None,
        Some(budget) => sequential::level_at(crate::stats::as_float(seeds) / crate::stats::as_float(budget)),
        None => Some(sequential::level_of_one_look()),
    }
}

fn is_canary(gates: &Gates, scenario: &PlannedScenario) -> bool {
    gates.canaries.as_ref().is_some_and(|canaries| tagged(scenario, &canaries.tags))
}

fn tagged(scenario: &PlannedScenario, tags: &[serde_saphyr::Spanned<String>]) -> bool {
    tags.iter().any(|tag| scenario.tags.contains(&tag.value))
}

/// How many trajectories each variant of each scenario has, counted up to the first that is missing.
fn without_gap(scenarios: &[&PlannedScenario], run: Arm<'_>) -> u64 {
    let of_variant = |id: &str, variant: &str| {
        let key = |n| Key { scenario: id.to_owned(), variant: variant.to_owned(), n };
        (1..=u64::MAX).take_while(|n| run.records.contains_key(&key(*n))).count() as u64
    };
    let variants = scenarios.iter().flat_map(|s| s.variants.iter().map(|variant| (&s.id, &variant.id)));
    variants.map(|(id, variant)| of_variant(id, variant)).min().unwrap_or(0)
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
