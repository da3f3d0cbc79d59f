//! The report for people who would rather look than read: one page that needs nothing but a browser.
//!
//! The page holds the summary as JSON, and for as many trajectories as fit what is needed to draw them, each packed on
//! its own, so that a page with thousands opens as fast as one with ten.

mod pack;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use self::pack::Packed;
use super::Report;
use crate::{
    evidence::{Folder, Record},
    pairing::Difference,
    plan::Key,
    summary::{Summary, Verdict},
    verdict::Outcome,
};

/// How much packed evidence a page holds at most, in bytes.
const PACKED_MAX: usize = 24 << 20;

/// What the page's program reads.
#[derive(Debug, Serialize)]
struct Page<'a> {
    verdict: Verdict,
    summary: &'a Summary,
    difference: Option<String>,
    trajectories: Vec<Cell<'a>>,
}

/// A trajectory in the heat map.
#[derive(Debug, Serialize)]
struct Cell<'a> {
    scenario: &'a str,
    variant: &'a str,
    label: &'a str,
    n: u64,
    seed: u64,
    outcome: Outcome,
    reasons: &'a [String],
    /// The command that runs it again.
    again: String,
    /// Where its evidence lies, relative to the page.
    evidence: String,
    /// Whether the page holds its evidence.
    packed: bool,
}

/// Writes the page. A trajectory whose evidence was not kept is shown without its timeline.
///
/// # Errors
/// Where `out` cannot be written.
pub fn render(
    out: &mut impl Write,
    report: &Report<'_>,
    folder: &Folder,
    records: &BTreeMap<Key, Record>,
) -> io::Result<()> {
    let packed = packed(folder, records);
    let page = page(report, records, &packed);
    let (before, after) = halves(include_str!("page.html"), "<!-- data -->");
    let (head, body) = halves(before, "/* style */");
    write!(out, "{head}{}{body}", include_str!("page.css"))?;
    write!(out, "<script type=\"application/json\" id=\"data\">{}</script>", in_script(&page)?)?;
    for (at, text) in &packed {
        write!(out, "\n<script type=\"text/plain\" id=\"t{at}\">{}</script>", text.text())?;
    }
    let (before, after) = halves(after, "/* program */");
    write!(out, "{before}{}{after}", include_str!("page.js"))
}

/// The two sides of a mark in the page's frame.
fn halves<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    text.split_once(mark).unwrap_or((text, ""))
}

/// JSON in which nothing ends the element that it stands in.
fn in_script(value: &impl Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(value)?.replace('<', "\\u003c"))
}

fn page<'a>(report: &'a Report<'_>, records: &'a BTreeMap<Key, Record>, packed: &BTreeMap<usize, Packed>) -> Page<'a> {
    let cell = |(at, record): (usize, &'a Record)| Cell {
        scenario: &record.key.scenario,
        variant: &record.key.variant,
        label: &record.label,
        n: record.key.n,
        seed: record.seed,
        outcome: record.outcome,
        reasons: &record.reasons,
        again: report.command(&record.key),
        evidence: Folder::evidence_place(&record.key),
        packed: packed.contains_key(&at),
    };
    Page {
        verdict: report.summary.verdict(),
        summary: report.summary,
        difference: report.summary.difference.as_ref().map(Difference::shown),
        trajectories: records.values().enumerate().map(cell).collect(),
    }
}

/// The evidence that fits, by the place of its record: first of what went wrong, then one good trajectory of each
/// variant, then the rest.
fn packed(folder: &Folder, records: &BTreeMap<Key, Record>) -> BTreeMap<usize, Packed> {
    let mut order: Vec<(u8, usize, &Record)> = Vec::new();
    for (at, record) in records.values().enumerate() {
        let rank = match record.outcome {
            Outcome::Unsatisfied => 0,
            Outcome::Void | Outcome::Undecided => 1,
            Outcome::Satisfied if record.key.n == 1 => 2,
            Outcome::Satisfied => 3,
        };
        order.push((rank, at, record));
    }
    order.sort_by_key(|(rank, at, _)| (*rank, *at));
    let mut left = PACKED_MAX;
    let mut packed = BTreeMap::new();
    for (_, at, record) in order {
        let Some(text) = Packed::of(&folder.root().join(Folder::evidence_place(&record.key))) else { continue };
        let Some(rest) = left.checked_sub(text.text().len()) else { break };
        left = rest;
        packed.insert(at, text);
    }
    packed
}

#[cfg(test)]
mod tests;
