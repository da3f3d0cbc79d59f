//! What came of a run: the result that programs read, made from the plan and the records alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    gate::{Decision, Ruling},
    pairing::{self, Arm, Difference},
    plan::{Key, Plan, PlannedScenario},
    record::Record,
    stats::{self, Estimate, Stratum, paired::Pairs},
    verdict::{CheckResult, Held, Outcome},
};

/// The result of a run. Holds nothing of the machine's time, no drawn ids and no places on disk: equal runs give
/// equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The format.
    pub schema: ResultSchema,
    /// The target's name.
    pub target: String,
    /// The seed of the run.
    pub seed: u64,
    /// Trajectories for each variant.
    pub seeds: u64,
    /// The fraction that likely satisfies the user.
    pub satisfaction: Satisfaction,
    /// How it differs from its baseline, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// What the gate says, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Decision>,
    /// Trajectories that came out differently in several parts of the run, with the same seed and the same build; the
    /// first outcome counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nondeterminism: Vec<Nondeterminism>,
    /// What targets left behind that were to end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaks: Vec<Leak>,
    /// The scenarios, sorted by id.
    pub scenarios: Vec<ScenarioResult>,
}

/// A trajectory that came out differently the second time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nondeterminism {
    /// The trajectory, as reports name it.
    pub trajectory: String,
    /// What counts.
    pub outcome: Outcome,
    /// What else came of it.
    pub others: Vec<Outcome>,
}

impl Nondeterminism {
    fn of(record: &Record) -> Option<Self> {
        let (trajectory, outcome, others) = (record.key.to_string(), record.outcome, record.others.clone());
        (!others.is_empty()).then_some(Self { trajectory, outcome, others })
    }

    /// In a line.
    pub fn shown(&self) -> String {
        let others: Vec<&str> = self.others.iter().map(|outcome| outcome.name()).collect();
        let (trajectory, outcome) = (&self.trajectory, self.outcome.name());
        format!(
            "{trajectory} is {outcome}, and was {} the next time: its target is not the same each time",
            others.join(" and ")
        )
    }
}

/// Something that targets left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leak {
    /// What, in words.
    pub what: String,
    /// In how many trajectories.
    pub trajectories: u64,
}

/// The one known version of `result.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ResultSchema {
    /// `dtu/result/v1`
    #[serde(rename = "dtu/result/v1")]
    V1,
}

/// The fraction of all trajectories through all scenarios that likely satisfies the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Satisfaction {
    /// The weighted mean of the scenarios' fractions; none where nothing was decided.
    pub point: Option<f64>,
    /// The lower end of its interval, on these scenarios.
    pub low: Option<f64>,
    /// The upper end of its interval, on these scenarios.
    pub high: Option<f64>,
    /// The interval on all scenarios that might have been written.
    pub population: Ends,
    /// How often such intervals hold the truth.
    pub level: f64,
    /// The share of planned trajectories that were decided.
    pub coverage: f64,
    /// Trajectories decided, one way or the other.
    pub decided: u64,
    /// Trajectories of which nobody could tell.
    pub undecided: u64,
    /// Trajectories that say nothing about the target.
    pub void: u64,
    /// Trajectories planned.
    pub trajectories: u64,
}

/// The ends of an interval; none where nothing was decided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ends {
    /// The lower end.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioResult {
    /// Its id.
    pub id: String,
    /// What must be true.
    pub title: String,
    /// Its area.
    pub area: String,
    /// How much it counts.
    pub weight: f64,
    /// Trajectories that satisfied.
    pub satisfied: u64,
    /// Trajectories decided.
    pub decided: u64,
    /// Trajectories of which nobody could tell.
    pub undecided: u64,
    /// Trajectories that say nothing about the target.
    pub void: u64,
    /// The fraction; none where nothing was decided.
    pub point: Option<f64>,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end of its interval.
    pub high: Option<f64>,
    /// How likely three trajectories in a row satisfy; none where fewer were decided.
    #[serde(default)]
    pub consistency: Option<f64>,
    /// How it differs from the baseline's; none where there is none, or nothing to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Change>,
    /// Its variants, in the order of the file.
    pub variants: Vec<VariantResult>,
    /// Its trajectories that did not satisfy, in the order of the plan.
    pub failures: Vec<Failure>,
}

/// How the trajectories of a scenario differ from the baseline's, variant by variant and seed by seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Trajectories that were decided in both runs.
    pub pairs: u64,
    /// Of them, those that only the newer build satisfied.
    pub better: u64,
    /// Of them, those that only the older build satisfied.
    pub worse: u64,
}

/// What came of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VariantResult {
    /// Its id.
    pub id: String,
    /// The values of its parameters.
    pub label: String,
    /// Trajectories that satisfied.
    pub satisfied: u64,
    /// Trajectories decided.
    pub decided: u64,
    /// Trajectories of which nobody could tell.
    pub undecided: u64,
    /// Trajectories that say nothing about the target.
    pub void: u64,
}

/// A trajectory that did not satisfy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The variant's id.
    pub variant: String,
    /// The values of its parameters.
    pub label: String,
    /// Which of its kind, counted from 1.
    pub n: u64,
    /// Its seed.
    pub seed: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, where checks do not say it.
    pub reasons: Vec<String>,
    /// The checks that do not hold.
    pub checks: Vec<CheckResult>,
}

/// What a run as a whole comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No trajectory failed, and enough was decided.
    Pass,
    /// Some trajectory failed.
    Fail,
    /// Nothing failed, but too little was decided to say more.
    Inconclusive,
}

impl Summary {
    /// The result of a run.
    pub fn new(plan: &Plan, records: &BTreeMap<Key, Record>) -> Self {
        let scenarios: Vec<ScenarioResult> = plan.scenarios.iter().map(|s| scenario(s, records)).collect();
        let total = |count: fn(&ScenarioResult) -> u64| scenarios.iter().map(count).sum::<u64>();
        let stratum = |s: &ScenarioResult| Stratum {
            weight: s.weight,
            satisfied: s.satisfied,
            decided: s.decided,
            undecided: s.undecided,
        };
        let strata: Vec<Stratum> = scenarios.iter().map(stratum).collect();
        let (point, low, high) = shown(stats::suite(&strata, stats::LEVEL));
        let (_, wide_low, wide_high) = shown(stats::population(&strata, stats::LEVEL));
        let decided = total(|s| s.decided);
        let satisfaction = Satisfaction {
            point,
            low,
            high,
            population: Ends { low: wide_low, high: wide_high },
            level: stats::LEVEL,
            coverage: stats::rounded(stats::as_float(decided) / stats::as_float(plan.trajectories.max(1))),
            decided,
            undecided: total(|s| s.undecided),
            void: total(|s| s.void),
            trajectories: plan.trajectories,
        };
        Self {
            schema: ResultSchema::V1,
            target: plan.target.name.clone(),
            seed: plan.seed,
            seeds: plan.seeds,
            satisfaction,
            difference: None,
            gate: None,
            nondeterminism: records.values().filter_map(Nondeterminism::of).collect(),
            leaks: leaks(records),
            scenarios,
        }
    }

    /// The same, compared with a baseline on the trajectories that both have.
    #[must_use]
    pub fn against(mut self, run: Arm<'_>, baseline: Arm<'_>) -> Self {
        let scenarios: Vec<&PlannedScenario> = run.plan.scenarios.iter().collect();
        self.difference = Some(Difference::new(&scenarios, run, baseline, u64::MAX, stats::LEVEL).0);
        for (scenario, found) in scenarios.into_iter().zip(&mut self.scenarios) {
            let pairs = pairing::pairs(scenario, run, baseline).filter(|pairs| !pairs.is_empty());
            found.difference = pairs.map(|pairs| {
                let Pairs { better, worse, pairs, .. } = pairing::counted(scenario.weight, &pairs);
                Change { pairs, better, worse }
            });
        }
        self
    }

    /// What the run comes to: what its gate says, where it has one. Else a failure stands, however much is void;
    /// nothing decided never passes.
    pub fn verdict(&self) -> Verdict {
        match self.gate.as_ref().map(|gate| gate.ruling) {
            Some(Ruling::Pass) => return Verdict::Pass,
            Some(Ruling::Fail | Ruling::Breach) => return Verdict::Fail,
            Some(Ruling::Inconclusive) => return Verdict::Inconclusive,
            None => {}
        }
        let mostly_void = |s: &ScenarioResult| s.void * 2 > s.decided + s.undecided + s.void;
        if self.scenarios.iter().any(|s| s.satisfied < s.decided) {
            Verdict::Fail
        } else if self.satisfaction.decided == 0 || self.scenarios.iter().any(mostly_void) {
            Verdict::Inconclusive
        } else {
            Verdict::Pass
        }
    }
}

fn leaks(records: &BTreeMap<Key, Record>) -> Vec<Leak> {
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for what in records.values().flat_map(|record| &record.leaks) {
        *found.entry(what).or_default() += 1;
    }
    found.into_iter().map(|(what, trajectories)| Leak { what: what.to_owned(), trajectories }).collect()
}

fn shown(estimate: Option<Estimate>) -> (Option<f64>, Option<f64>, Option<f64>) {
    let part = |part: fn(&Estimate) -> f64| estimate.as_ref().map(part).map(stats::rounded);
    (part(|e| e.point), part(|e| e.low), part(|e| e.high))
}

fn scenario(planned: &PlannedScenario, records: &BTreeMap<Key, Record>) -> ScenarioResult {
    let of = |variant: &str| {
        let key = |n| Key { scenario: planned.id.clone(), variant: variant.to_owned(), n };
        records.range(key(0)..=key(u64::MAX)).map(|(_, record)| record)
    };
    let mut variants = Vec::new();
    let mut failures = Vec::new();
    for variant in &planned.variants {
        let count = |outcome| of(&variant.id).filter(|record| record.outcome == outcome).count() as u64;
        let satisfied = count(Outcome::Satisfied);
        variants.push(VariantResult {
            id: variant.id.clone(),
            label: variant.label.clone(),
            satisfied,
            decided: satisfied + count(Outcome::Unsatisfied),
            undecided: count(Outcome::Undecided),
            void: count(Outcome::Void),
        });
        failures.extend(of(&variant.id).filter(|record| record.outcome != Outcome::Satisfied).map(failure));
    }
    let total = |count: fn(&VariantResult) -> u64| variants.iter().map(count).sum::<u64>();
    let (satisfied, decided) = (total(|v| v.satisfied), total(|v| v.decided));
    let (point, low, high) = shown(stats::scenario(satisfied, decided));
    ScenarioResult {
        difference: None,
        id: planned.id.clone(),
        title: planned.title.clone(),
        area: planned.area.clone(),
        weight: planned.weight,
        satisfied,
        decided,
        undecided: total(|v| v.undecided),
        void: total(|v| v.void),
        point,
        low,
        high,
        consistency: stats::consistency(satisfied, decided).map(stats::rounded),
        variants,
        failures,
    }
}

fn failure(record: &Record) -> Failure {
    let failed = |check: &&CheckResult| check.held != Held::Yes;
    Failure {
        variant: record.key.variant.clone(),
        label: record.label.clone(),
        n: record.key.n,
        seed: record.seed,
        outcome: record.outcome,
        reasons: record.reasons.clone(),
        checks: record.checks.iter().filter(failed).cloned().collect(),
    }
}
