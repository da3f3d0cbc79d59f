//! What came of checks, trajectories, scenarios and the whole run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::Role;

/// What came of a trajectory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The user is likely satisfied.
    Satisfied,
    /// The user is not.
    Unsatisfied,
    /// Nobody could tell.
    Undecided,
    /// The trajectory says nothing about the target: the harness, a twin or the scenario failed.
    Void,
}

impl Outcome {
    /// As results name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Satisfied => "satisfied",
            Self::Unsatisfied => "unsatisfied",
            Self::Undecided => "undecided",
            Self::Void => "void",
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It could not be evaluated: the trajectory is void.
    Error,
}

/// A check and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The check's name.
    pub name: String,
    /// What follows where it does not hold.
    pub role: Role,
    /// How much a `should` check counts.
    pub weight: f64,
    /// Whether it holds.
    pub held: Held,
    /// Why not, in a sentence without times or drawn ids, so that equal runs say the same; empty where it holds.
    pub why: String,
    /// The moments in the ledger that show it.
    pub moments: Vec<Moment>,
}

/// How many moments a result shows at most.
pub(crate) const MOMENTS_MAX: usize = 8;

/// A moment in a trajectory's ledger, named so that equal runs name it alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// Position in the ledger of this trajectory: for finding it in the evidence, not for comparing runs.
    #[serde(skip_serializing, default)]
    pub seq: u64,
    /// Who.
    pub principal: String,
    /// The twin.
    pub twin: String,
    /// What: operation, verb, kind of delivery or table.
    pub what: String,
    /// Which of its kind in this trajectory, counted from 1.
    pub nth: u64,
    /// A short text that shows it: arguments, status.
    pub shows: String,
}
