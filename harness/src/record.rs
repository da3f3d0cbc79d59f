//! What came of one trajectory, as it is written down: reports and gates are made from these.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    plan::Key,
    redact::Redactor,
    verdict::{CheckResult, Outcome},
};

/// What came of a trajectory: what its record holds, and all that reports need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The trajectory.
    pub key: Key,
    /// The values of its variant's parameters.
    pub label: String,
    /// Its seed.
    pub seed: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, where checks do not say it.
    pub reasons: Vec<String>,
    /// The checks, where it came to them.
    #[serde(with = "with_places")]
    pub checks: Vec<CheckResult>,
    /// What was seen of that which must be seen now and then: see [`crate::plan::PlannedScenario::sometimes`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<String>,
    /// What its target left behind, in words: processes and ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaks: Vec<String>,
    /// Why attempts came to nothing by the harness's own fault, and were made again with the same seed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reruns: Vec<String>,
    /// Where it was run more than once, in several parts of a run: what else came of it. The first of them counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Outcome>,
}

impl Record {
    /// The same without the secrets that are known.
    #[must_use]
    pub fn without(self, secrets: &Redactor) -> Self {
        let hidden = serde_json::to_vec(&self).ok().and_then(|text| secrets.hide(&text));
        hidden.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or(self)
    }
}

/// Checks with the places of their moments in the ledger, which results leave out.
mod with_places {
    use super::{CheckResult, checks_json};
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(checks: &[CheckResult], serializer: S) -> Result<S::Ok, S::Error> {
        checks_json(checks).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<CheckResult>, D::Error> {
        Vec::deserialize(deserializer)
    }
}

/// Checks as evidence files hold them: each moment with its place in the ledger.
pub fn checks_json(checks: &[CheckResult]) -> Value {
    let one = |check: &CheckResult| {
        let mut value = json!(check);
        for (moment, shown) in check.moments.iter().zip(value["moments"].as_array_mut().into_iter().flatten()) {
            shown["seq"] = json!(moment.seq);
        }
        value
    };
    checks.iter().map(one).collect()
}
