//! The page of what unmodified client libraries see of each effect of a fault rule, made of what tests have seen.

use std::{collections::BTreeMap, fmt::Write as _};

use dtu_kernel::{diagnostic::Diagnostic, fault::Effect};
use serde_json::Value;

use super::Failure;

/// What the tests have seen, by effect, twin and library.
type Cells = BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>;

/// Written by `tests/all/faults.rs`.
const SEEN: &str = include_str!("../../../tests/evidence/faults.json");

/// The columns.
const TWINS: [&str; 6] = ["okta", "slack", "jira", "google-drive", "google-sheets", "google-docs"];

/// Why a cell is empty: effect, twin, reason. `*` stands for all.
const EMPTY: &[(&str, &str, &str)] = &[
    ("bad_cursor", "jira", "its lists that the twin serves are counted by `startAt`"),
    ("bad_cursor", "google-sheets", "the API has no lists"),
    ("bad_cursor", "google-docs", "the API has no lists"),
    ("close_socket", "*", "the service keeps no sockets open"),
];

/// The effects on deliveries.
const DELIVERIES: [&str; 6] = ["duplicate", "delay", "reorder", "hold", "drop", "bad_signature"];

/// Why a twin sends nothing out.
const SILENT: &[(&str, &str)] = &[
    ("jira", "the twin calls no webhooks yet"),
    ("google-drive", "the twin opens no channels yet: `watch` is refused"),
    ("google-sheets", "the API calls nobody"),
    ("google-docs", "the API calls nobody"),
];

/// An effect: its name, and what it does.
struct Row {
    name: String,
    about: String,
}

/// The page.
///
/// # Errors
/// Where what the tests have seen cannot be read.
pub(super) fn page() -> Result<String, Failure> {
    let cells: Cells = serde_json::from_str(SEEN)
        .map_err(|error| Diagnostic::whole("tests/evidence/faults.json", error.to_string()))?;
    let mut page = "# What clients see of faults\n\nEach effect of a fault rule, through each service's own client \
        libraries, unmodified, with their own retries on: what the tests `python_libraries_see_each_effect` and \
        `node_libraries_see_each_effect` have seen. Clients wait a second for an answer. Effects on calls strike \
        every try, and then one only; effects on writes count afterwards what is there.\n\nWritten by `cargo xtask \
        docs` from what `cargo xtask evidence` wrote down.\n"
        .to_owned();
    for row in rows() {
        // Writing to a string cannot fail.
        let _ = write!(page, "\n## `{}`\n\n{}\n\n| twin | client | sees |\n|---|---|---|\n", row.name, row.about);
        for twin in TWINS {
            page.push_str(&lines(&cells, &row.name, twin));
        }
    }
    Ok(page)
}

/// The lines of a cell; one with the reason where nothing was seen.
fn lines(cells: &Cells, effect: &str, twin: &str) -> String {
    let seen = cells.get(effect).and_then(|twins| twins.get(twin));
    let Some(seen) = seen.filter(|seen| !seen.is_empty()) else {
        return format!("| {twin} | | {} |\n", reason(effect, twin).unwrap_or_default());
    };
    let line = |(library, sees): (&String, &String)| format!("| {twin} | {library} | {} |\n", sees.replace('|', "\\|"));
    seen.iter().map(line).collect()
}

fn reason(effect: &str, twin: &str) -> Option<&'static str> {
    if DELIVERIES.contains(&effect) {
        return SILENT.iter().find(|(at, _)| *at == twin).map(|(_, why)| *why);
    }
    let found = EMPTY.iter().find(|(of, at, _)| *of == effect && (*at == twin || *at == "*"));
    found.map(|(.., why)| *why)
}

/// All effects, in the order in which the rule language has them.
fn rows() -> Vec<Row> {
    let schema = Value::from(schemars::schema_for!(Effect));
    let row = |one: &Value| {
        let name = one["properties"].as_object()?.keys().next()?.clone();
        Some(Row { name, about: one["description"].as_str().unwrap_or_default().to_owned() })
    };
    schema["oneOf"].as_array().into_iter().flatten().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_empty_without_a_reason() {
        let cells: Cells = serde_json::from_str(SEEN).expect("is a table");
        let rows = rows();
        assert!(rows.len() >= 27, "all effects have a row");
        for row in &rows {
            assert!(row.about.len() > 15, "{} says what it does", row.name);
            for twin in TWINS {
                let seen = cells.get(&row.name).and_then(|twins| twins.get(twin)).is_some_and(|seen| !seen.is_empty());
                assert!(seen || reason(&row.name, twin).is_some(), "{} of {twin} is empty", row.name);
            }
        }
        for effect in cells.keys() {
            assert!(rows.iter().any(|row| row.name == *effect), "`{effect}` is no effect");
        }
    }
}
