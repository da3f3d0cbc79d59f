//! Admission: whether a scenario tells good programs from bad ones.
//!
//! A function of what the parts came to: the oracle must satisfy, nobody else may, and each check must matter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    mischief::Part,
    mutate::{self, Mutants, Mutation},
    pairing::{Arm, satisfied},
    plan::{PlannedScenario, PlannedTarget},
    record::Record,
    scenario::Role,
    stats::{as_float, rounded},
    verdict::{Held, Outcome},
};

/// The least score of an oracle.
const ORACLE_MIN: f64 = 0.95;
/// By more than so much a scenario pulls down a program with a fault, where it tells it from the oracle.
const APART: f64 = 0.5;

/// Whether something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It is as it must be.
    Admitted,
    /// Nothing was shown.
    Open,
    /// It is not as it must be.
    Refused,
}

impl Ruling {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Open => "open",
            Self::Refused => "refused",
        }
    }

    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Admitted => 0,
            Self::Refused => 1,
            Self::Open => 4,
        }
    }
}

/// What came of an admission. Holds nothing of the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Admission {
    /// The format.
    pub schema: AdmissionSchema,
    /// Whether all scenarios are admitted.
    pub ruling: Ruling,
    /// The version of the program.
    pub version: String,
    /// The seed of the runs.
    pub seed: u64,
    /// The oracle.
    pub oracle: PlannedTarget,
    /// Each scenario.
    pub scenarios: Vec<Admitted>,
    /// Each program with a known fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defective: Vec<Told>,
}

/// Whether a program with a known fault is told from the oracle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// The scenarios that tell it, by id: the oracle's share of satisfied trajectories is larger by more than 0.5.
    pub by: Vec<String>,
    /// The scenarios that were to tell it, and do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_by: Vec<String>,
    /// Whether that is as it must be.
    pub ruling: Ruling,
}

/// The one known version of admissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AdmissionSchema {
    /// `dtu/admission/v1`
    #[serde(rename = "dtu/admission/v1")]
    V1,
}

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Admitted {
    /// Its id.
    pub id: String,
    /// Its file, as the user named it.
    pub file: String,
    /// A hash of the file.
    pub digest: String,
    /// Whether it is admitted.
    pub ruling: Ruling,
    /// What each target came to.
    pub targets: Vec<Score>,
    /// What each check is good for.
    pub checks: Vec<Worth>,
    /// What became of mutants of each check that decides something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutants: Vec<Mutants>,
    /// The share of mutants that changed the outcome of a trajectory; none where none says anything.
    #[serde(default)]
    pub mutation_score: Option<f64>,
}

impl Admission {
    /// The same with what became of mutants of all checks.
    #[must_use]
    pub fn with_mutants(mut self, mutation: &Mutation) -> Self {
        for scenario in &mut self.scenarios {
            scenario.mutants = mutation.told(&scenario.id);
            scenario.mutation_score = mutate::score(&scenario.mutants);
        }
        self
    }

    /// Refuses scenarios with checks that never failed anybody.
    pub fn deny_inert(&mut self) {
        self.refuse(|scenario| scenario.checks.iter().any(|check| check.inert));
    }

    /// Refuses scenarios of which a smaller share of mutants was killed.
    pub fn deny_below(&mut self, share: f64) {
        self.refuse(|scenario| scenario.mutation_score.is_none_or(|score| score < share));
    }

    fn refuse(&mut self, is_wrong: impl Fn(&Admitted) -> bool) {
        for scenario in &mut self.scenarios {
            if is_wrong(scenario) {
                scenario.ruling = Ruling::Refused;
            }
            self.ruling = self.ruling.max(scenario.ruling);
        }
    }
}

/// What a target came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Which part it plays.
    pub part: Part,
    /// Its name.
    pub name: String,
    /// The share of trajectories that satisfied; none where nothing was decided.
    pub score: Option<f64>,
    /// Trajectories that satisfied.
    pub satisfied: u64,
    /// Trajectories decided.
    pub decided: u64,
    /// Trajectories that say nothing.
    pub void: u64,
    /// Calls that only seemed to happen, claims of what was never done, or calls that did harm.
    pub acts: u64,
    /// Trajectories left out because this part cannot be played in them: a liar's where the oracle neither does nor
    /// says anything.
    #[serde(default, skip_serializing_if = "is_none")]
    pub not_applicable: u64,
    /// Whether that is as it must be.
    pub ruling: Ruling,
    /// Why, in a sentence; empty where it is.
    pub why: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What a check is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Worth {
    /// Its name.
    pub name: String,
    /// What follows where it does not hold.
    pub role: Role,
    /// The targets that it does not hold for, by name.
    pub fails: Vec<String>,
    /// The targets of which a trajectory would satisfy if it always held.
    pub decides: Vec<String>,
    /// Whether the oracle would fail if it were negated.
    pub holds_for_oracle: bool,
    /// Whether a program that does nothing fails it.
    pub no_op: NoOp,
    /// Whether it made no difference to anything: without it, and with its opposite, all would have come out the same;
    /// or it never failed anybody.
    pub inert: bool,
}

/// What a check says of a program that does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoOp {
    /// It does not hold.
    Fail,
    /// It holds.
    Pass,
    /// It never came to that.
    Unseen,
}

/// A run of a part.
#[derive(Debug, Clone)]
pub struct Cast<'a> {
    /// Which part.
    pub part: Part,
    /// What the target is called.
    pub name: String,
    /// What came of it.
    pub arm: Arm<'a>,
    /// How often there was something to twist, for each scenario of the plan.
    pub acts: Vec<u64>,
    /// Trajectories in which the part cannot be played, for each scenario of the plan; the arm holds none of them.
    pub not_applicable: Vec<u64>,
    /// The scenarios that must tell it from the oracle, by id; where empty, some one of all must. Of programs with a
    /// known fault.
    pub fails: Vec<String>,
}

impl Cast<'_> {
    /// Whether it is run on a scenario.
    fn concerns(&self, scenario: &PlannedScenario) -> bool {
        self.fails.is_empty() || self.fails.contains(&scenario.id)
    }

    /// How many trajectories of a scenario satisfied, and how many were decided.
    fn counts(&self, scenario: &PlannedScenario) -> (u64, u64) {
        let decided: Vec<bool> = self.arm.of(scenario).into_iter().filter_map(satisfied).collect();
        (decided.iter().filter(|satisfied| **satisfied).count() as u64, decided.len() as u64)
    }

    /// By how much a scenario pulls it down beside the oracle; none where one of both was never decided.
    fn apart(&self, oracle: &Cast<'_>, scenario: &PlannedScenario) -> Option<f64> {
        let share = |(held, decided): (u64, u64)| (decided > 0).then(|| as_float(held) / as_float(decided));
        Some(share(oracle.counts(scenario))? - share(self.counts(scenario))?)
    }
}

/// Judges scenarios by what all parts came to. The first is the oracle's.
pub fn admit(casts: &[Cast<'_>]) -> Option<Admission> {
    let first = casts.first()?;
    let oracle = first.arm.plan;
    let scenarios = oracle.scenarios.iter().enumerate();
    let scenarios: Vec<Admitted> = scenarios.map(|(at, scenario)| admitted(at, scenario, casts)).collect();
    let defective: Vec<Told> =
        casts.iter().filter(|cast| cast.part == Part::Defective).map(|cast| told(first, cast)).collect();
    let rulings = scenarios.iter().map(|scenario| scenario.ruling).chain(defective.iter().map(|told| told.ruling));
    Some(Admission {
        schema: AdmissionSchema::V1,
        ruling: rulings.max().unwrap_or(Ruling::Open),
        version: oracle.version.clone(),
        seed: oracle.seed,
        oracle: oracle.target.clone(),
        scenarios,
        defective,
    })
}

/// Whether a program with a fault is told: by each scenario that is to, or by any.
fn told(oracle: &Cast<'_>, cast: &Cast<'_>) -> Told {
    let scenarios = oracle.arm.plan.scenarios.iter().filter(|scenario| cast.concerns(scenario));
    let tells = |scenario: &&PlannedScenario| cast.apart(oracle, scenario).is_some_and(|apart| apart > APART);
    let (by, not_by): (Vec<&PlannedScenario>, Vec<&PlannedScenario>) = scenarios.partition(tells);
    let ids = |of: Vec<&PlannedScenario>| of.into_iter().map(|scenario| scenario.id.clone()).collect::<Vec<String>>();
    let is_told = !by.is_empty() && (cast.fails.is_empty() || not_by.is_empty());
    Told {
        name: cast.name.clone(),
        by: ids(by),
        not_by: if cast.fails.is_empty() { Vec::new() } else { ids(not_by) },
        ruling: if is_told { Ruling::Admitted } else { Ruling::Refused },
    }
}

fn admitted(at: usize, scenario: &PlannedScenario, casts: &[Cast<'_>]) -> Admitted {
    let concerned = casts.iter().filter(|cast| cast.concerns(scenario));
    let targets: Vec<Score> = concerned.map(|cast| score(at, scenario, cast)).collect();
    Admitted {
        id: scenario.id.clone(),
        file: scenario.file.clone(),
        digest: scenario.digest.clone(),
        ruling: targets.iter().map(|score| score.ruling).max().unwrap_or(Ruling::Open),
        checks: worths(scenario, casts),
        mutants: Vec::new(),
        mutation_score: None,
        targets,
    }
}

fn score(at: usize, scenario: &PlannedScenario, cast: &Cast<'_>) -> Score {
    let records = cast.arm.of(scenario);
    let (held, decided) = cast.counts(scenario);
    let (score, acts) = (as_float(held) / as_float(decided.max(1)), cast.acts.get(at).copied().unwrap_or_default());
    let not_applicable = cast.not_applicable.get(at).copied().unwrap_or_default();
    let reason = || records.iter().flat_map(|record| &record.reasons).next().cloned().unwrap_or_default();
    let (ruling, why) = match cast.part {
        _ if records.is_empty() && not_applicable > 0 => {
            (Ruling::Admitted, "not applicable: the oracle neither does nor says anything to lie about".to_owned())
        }
        _ if records.is_empty() => (Ruling::Open, "it was not run".to_owned()),
        Part::ScorchedEarth if acts == 0 => (Ruling::Open, "it found no harm to do".to_owned()),
        Part::Oracle if decided == 0 => (Ruling::Open, format!("nothing was decided: {}", reason())),
        Part::Oracle if score >= ORACLE_MIN => (Ruling::Admitted, String::new()),
        Part::Oracle => (Ruling::Refused, format!("must reach {ORACLE_MIN}: {}", failing(&records))),
        // Whether anything tells it is said of the whole pack: no story is about all faults.
        Part::Defective => (Ruling::Admitted, String::new()),
        _ if held > 0 => (Ruling::Refused, "must score 0".to_owned()),
        // Where rules did not fire a twisted course says nothing, but nothing either in favour of whoever twisted it.
        _ if decided == 0 => (Ruling::Open, format!("nothing was decided: {}", reason())),
        _ => (Ruling::Admitted, String::new()),
    };
    Score {
        part: cast.part,
        name: cast.name.clone(),
        score: (decided > 0).then(|| rounded(score)),
        satisfied: held,
        decided,
        void: records.iter().filter(|record| record.outcome == Outcome::Void).count() as u64,
        acts,
        not_applicable,
        ruling,
        why,
    }
}

/// Why trajectories were not satisfied, shortly.
fn failing(records: &[&Record]) -> String {
    let failed = records.iter().find(|record| record.outcome == Outcome::Unsatisfied);
    let Some(record) = failed else { return "some trajectories say nothing".to_owned() };
    let checks = record.checks.iter().filter(|check| check.held == Held::No).map(|check| format!("`{}`", check.name));
    record.reasons.iter().cloned().chain(checks).collect::<Vec<_>>().join(", ")
}

const fn decides(role: Role) -> bool {
    matches!(role, Role::Must | Role::Guard)
}

fn worths(scenario: &PlannedScenario, casts: &[Cast<'_>]) -> Vec<Worth> {
    let mut found: indexmap::IndexMap<String, Worth> = indexmap::IndexMap::new();
    for cast in casts {
        for record in cast.arm.of(scenario) {
            for check in &record.checks {
                let fresh = || Worth {
                    name: check.name.clone(),
                    role: check.role,
                    fails: Vec::new(),
                    decides: Vec::new(),
                    holds_for_oracle: false,
                    no_op: NoOp::Unseen,
                    inert: false,
                };
                let worth = found.entry(check.name.clone()).or_insert_with(fresh);
                note(worth, cast, record, check.held);
            }
        }
    }
    let done = |mut worth: Worth| {
        worth.inert = decides(worth.role) && worth.fails.is_empty();
        worth
    };
    found.into_values().map(done).collect()
}

/// What a trajectory says of a check: negated, it would fail whoever it holds for; trivialised, it would let through
/// whoever fails by it alone.
fn note(worth: &mut Worth, cast: &Cast<'_>, record: &Record, held: Held) {
    let is_oracle = cast.part == Part::Oracle;
    worth.holds_for_oracle |= is_oracle && held == Held::Yes && record.outcome == Outcome::Satisfied;
    if cast.part == Part::Nop {
        worth.no_op = match (held, worth.no_op) {
            (Held::No, _) | (_, NoOp::Fail) => NoOp::Fail,
            _ => NoOp::Pass,
        };
    }
    if held != Held::No || is_oracle {
        return;
    }
    let add = |names: &mut Vec<String>| {
        if !names.contains(&cast.name) {
            names.push(cast.name.clone());
        }
    };
    add(&mut worth.fails);
    let mut failed = record.checks.iter().filter(|check| decides(check.role) && check.held == Held::No);
    let alone = failed.all(|check| check.name == worth.name);
    if alone && record.outcome == Outcome::Unsatisfied && record.reasons.is_empty() {
        add(&mut worth.decides);
    }
}

#[cfg(test)]
mod tests;
