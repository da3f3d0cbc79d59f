//! A trajectory's evidence as a page holds it: deflated, and in letters.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// How much of a target's output a page shows, in bytes: its end, where a program says why it stopped.
const OUTPUT_MAX: usize = 32 << 10;
/// How hard the packer tries: pages are written after each run, so that time matters more than a tenth of the size.
const LEVEL: u8 = 4;

/// A trajectory's evidence, packed.
#[derive(Debug)]
pub(super) struct Packed(String);

impl Packed {
    /// Packs what lies in a trajectory's folder; none where it was not kept or cannot be read.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        let evidence = json!({
            "manifest": document(folder, "manifest.json")?,
            "checks": document(folder, "checks.json")?,
            "diff": document(folder, "diff.json")?,
            "timings": document(folder, "timings.json").unwrap_or_default(),
            "ledger": ledger(folder)?,
            "exit": document(folder, "target/exit.json").unwrap_or_default(),
            "stdout": output(folder, "target/stdout"),
            "stderr": output(folder, "target/stderr"),
        });
        let bytes = serde_json::to_vec(&evidence).ok()?;
        Some(Self(STANDARD.encode(miniz_oxide::deflate::compress_to_vec(&bytes, LEVEL))))
    }

    /// The letters: base64 of a raw deflate stream.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

fn document(folder: &Path, name: &str) -> Option<Value> {
    serde_json::from_slice(&fs_err::read(folder.join(name)).ok()?).ok().map(exact)
}

/// The same with numbers that a browser would round (seeds, for one) as text.
fn exact(value: Value) -> Value {
    const ROUNDED: u64 = 1 << 53;
    match value {
        Value::Number(number) if number.as_u64().or(number.as_i64().map(i64::unsigned_abs)) > Some(ROUNDED) => {
            Value::String(number.to_string())
        }
        Value::Array(items) => items.into_iter().map(exact).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, exact(value))).collect())
        }
        other => other,
    }
}

fn ledger(folder: &Path) -> Option<Vec<Value>> {
    let text = fs_err::read_to_string(folder.join("ledger.ndjson")).ok()?;
    text.lines().map(|line| serde_json::from_str(line).ok().map(exact)).collect()
}

/// The end of what a target wrote; empty where it wrote nothing.
fn output(folder: &Path, name: &str) -> String {
    let bytes = fs_err::read(folder.join(name)).unwrap_or_default();
    let start = bytes.len().saturating_sub(OUTPUT_MAX);
    let mark = if start > 0 { "…" } else { "" };
    format!("{mark}{}", String::from_utf8_lossy(&bytes[start..]))
}
