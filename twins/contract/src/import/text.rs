//! From text to a value: JSON, or YAML with its traps closed.

use serde_json::Value;
use smol_str::SmolStr;

use crate::problem::{Problem, Severity};

/// How deep lists and objects may be nested. The parser for JSON has the same limit.
const MAX_DEPTH: usize = 128;

/// Parses a document.
///
/// What starts like JSON is read as JSON; where that fails, and for everything else, as YAML, of which JSON is a part.
/// YAML's `yes` and `no` are text, as in YAML 1.2. Numbers beyond all bounds become `null`, so that one of them costs
/// its own place only.
///
/// # Errors
/// The one thing that keeps the text from being read.
pub(super) fn parse(document: &SmolStr, text: &str, problems: &mut Vec<Problem>) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    if !text.trim_start().starts_with('{') {
        return yaml(document, text, problems);
    }
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if error.is_eof() {
        return Err(format!("not JSON: {error}"));
    }
    yaml(document, text, problems).map_err(|_| format!("not JSON: {error}"))
}

/// Parses YAML; a name that stands twice in one object is a problem, and its last value holds.
fn yaml(document: &SmolStr, text: &str, problems: &mut Vec<Problem>) -> Result<Value, String> {
    use serde_saphyr::DuplicateKeyPolicy::{Error, LastWins};

    let error = match yaml_with(text, Error) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let value = yaml_with(text, LastWins).map_err(|_| format!("neither JSON nor YAML: {}", first_line(&error)))?;
    let what = format!("names stand twice, and their last values hold: {}", first_line(&error));
    problems.push(Problem { document: document.clone(), pointer: String::new(), severity: Severity::Unused, what });
    Ok(value)
}

fn yaml_with(text: &str, duplicates: serde_saphyr::DuplicateKeyPolicy) -> Result<Value, serde_saphyr::Error> {
    // The largest public documents have some millions of events.
    let budget = serde_saphyr::budget! {
        max_events: 20_000_000,
        max_nodes: 10_000_000,
        max_total_scalar_bytes: 512 << 20,
        max_depth: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        strict_booleans: true,
        duplicate_keys: duplicates,
        with_snippet: false,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
    };
    serde_saphyr::from_str_with_options(text, options)
}

/// A parser's message without the excerpt below it, and without its advice to programmers.
fn first_line(error: &serde_saphyr::Error) -> String {
    let text = error.to_string().replace(", set DuplicateKeyPolicy in Options if acceptable", "");
    text.lines().next().unwrap_or_default().to_owned()
}
