//! Results for programs.

use std::{collections::BTreeMap, io};

use serde_json::json;

use crate::{evidence::pretty, plan::Key, record::Record, summary::Summary};

/// The one JSON document of `--json`, and `result.json`.
pub fn result(summary: &Summary) -> Vec<u8> {
    pretty(&json!(summary))
}

/// One line for each finished trajectory, sorted by key: what [`result`] says of failures, of all of them.
///
/// # Errors
/// Where a record cannot be written as JSON.
pub fn trajectories(records: &BTreeMap<Key, Record>) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for record in records.values() {
        let line = json!({
            "scenario": record.key.scenario, "variant": record.key.variant, "n": record.key.n, "label": record.label,
            "seed": record.seed, "outcome": record.outcome, "reasons": record.reasons, "checks": record.checks,
        });
        serde_json::to_writer(&mut out, &line)?;
        out.push(b'\n');
    }
    Ok(out)
}
