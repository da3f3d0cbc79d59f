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
use super::{Problem, Report, problems, role_name};
use crate::{
    evidence::Folder,
    gate::Decision,
    pairing::Difference,
    plan::Key,
    record::Record,
    summary::{Change, Satisfaction, ScenarioResult, VariantResult, Verdict},
    verdict::Outcome,
};

/// How much packed evidence a page holds at most, in bytes.
const PACKED_MAX: usize = 24 << 20;

/// What the page's program reads. Of trajectories there may be thousands: each is a short list, and what those of a
/// variant share is said once.
#[derive(Debug, Serialize)]
struct Page<'a> {
    verdict: Verdict,
    target: &'a str,
    /// As text: a browser's numbers would round it.
    seed: String,
    satisfaction: &'a Satisfaction,
    difference: Option<String>,
    gate: Option<&'a Decision>,
    scenarios: Vec<Scenario<'a>>,
}

/// A scenario's row in the forest plot, and its heat map.
#[derive(Debug, Serialize)]
struct Scenario<'a> {
    id: &'a str,
    title: &'a str,
    area: &'a str,
    satisfied: u64,
    decided: u64,
    undecided: u64,
    void: u64,
    point: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    consistency: Option<f64>,
    difference: Option<Change>,
    problems: Vec<Trouble<'a>>,
    variants: Vec<Variant<'a>>,
}

/// What went wrong in some of a scenario's trajectories.
#[derive(Debug, Serialize)]
struct Trouble<'a> {
    what: &'a str,
    role: Option<&'static str>,
    void: bool,
    count: usize,
    /// Variant and number of the first trajectory that shows it, and why.
    first: (&'a str, u64),
    why: &'a str,
}

/// A row of a heat map. Its commands are those of a trajectory with the number 0, for which the page puts another.
#[derive(Debug, Serialize)]
struct Variant<'a> {
    id: &'a str,
    label: &'a str,
    again: String,
    replay: String,
    runs: Vec<Cell<'a>>,
}

/// A square of a heat map: its number, its seed, the first letter of its outcome (`o` for undecided), the element that
/// holds its evidence if one does, and why it ended so where checks do not say it.
#[derive(Debug, Serialize)]
struct Cell<'a>(u64, String, char, Option<usize>, &'a [String]);

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
    let (before, after) = halves(after, "/* program */");
    write!(out, "{before}{}{}", include_str!("page.js"), include_str!("story.js"))?;
    // What is packed comes last, so that the page is drawn before it has all been read.
    let (before, after) = halves(after, "<!-- evidence -->");
    write!(out, "{before}")?;
    for (at, text) in &packed {
        writeln!(out, "<script type=\"text/plain\" id=\"t{at}\">{}</script>", text.text())?;
    }
    write!(out, "{after}")
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
    let summary = report.summary;
    let mut runs: BTreeMap<(&str, &str), Vec<Cell<'_>>> = BTreeMap::new();
    for (at, (key, record)) in records.iter().enumerate() {
        let letter = match record.outcome {
            Outcome::Satisfied => 's',
            Outcome::Unsatisfied => 'u',
            Outcome::Undecided => 'o',
            Outcome::Void => 'v',
        };
        let packed = packed.contains_key(&at).then_some(at);
        let cell = Cell(key.n, record.seed.to_string(), letter, packed, &record.reasons);
        runs.entry((&key.scenario, &key.variant)).or_default().push(cell);
    }
    Page {
        verdict: summary.verdict(),
        target: &summary.target,
        seed: summary.seed.to_string(),
        satisfaction: &summary.satisfaction,
        difference: summary.difference.as_ref().map(Difference::shown),
        gate: summary.gate.as_ref(),
        scenarios: summary.scenarios.iter().map(|found| scenario(report, found, &mut runs)).collect(),
    }
}

fn scenario<'a>(
    report: &Report<'_>,
    found: &'a ScenarioResult,
    runs: &mut BTreeMap<(&'a str, &'a str), Vec<Cell<'a>>>,
) -> Scenario<'a> {
    let variant = |variant: &'a VariantResult| {
        let key = Key { scenario: found.id.clone(), variant: variant.id.clone(), n: 0 };
        let runs = runs.remove(&(found.id.as_str(), variant.id.as_str())).unwrap_or_default();
        let (again, replay) = (report.command(&key), report.replay(&key));
        Variant { id: &variant.id, label: &variant.label, again, replay, runs }
    };
    Scenario {
        id: &found.id,
        title: &found.title,
        area: &found.area,
        satisfied: found.satisfied,
        decided: found.decided,
        undecided: found.undecided,
        void: found.void,
        point: found.point,
        low: found.low,
        high: found.high,
        consistency: found.consistency,
        difference: found.difference,
        problems: problems(found).iter().filter_map(trouble).collect(),
        variants: found.variants.iter().map(variant).collect(),
    }
}

fn trouble<'a>(problem: &Problem<'a>) -> Option<Trouble<'a>> {
    let first = problem.cases.first()?;
    Some(Trouble {
        what: problem.what,
        role: problem.role.map(role_name),
        void: problem.void,
        count: problem.cases.len(),
        first: (&first.failure.variant, first.failure.n),
        why: first.why,
    })
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
