//! Reports: each is made from the plan, the records and the summary alone, so that they can be made again.

pub mod admission;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod text;

use std::{collections::BTreeMap, io, path::Path};

use indexmap::IndexMap;

use crate::{
    evidence::Folder,
    plan::{Key, Plan, PlannedScenario},
    record::Record,
    scenario::Role,
    summary::{Failure, ScenarioResult, Summary},
    verdict::{Held, Moment, Outcome},
};

/// What reports are made from.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was planned.
    pub plan: &'a Plan,
    /// What came of it.
    pub summary: &'a Summary,
    /// The run's folder, as the user named it.
    pub folder: &'a Path,
}

impl Report<'_> {
    /// The command that runs one trajectory again.
    pub fn again(&self, scenario: &ScenarioResult, failure: &Failure) -> String {
        self.command(&key(scenario, failure))
    }

    fn command(&self, key: &Key) -> String {
        let file = self.planned(&key.scenario).map_or("", |planned| &planned.file);
        let seed = self.plan.seed;
        let faults = if self.plan.faults { "" } else { " --no-faults" };
        let target = quoted(&self.plan.target.file);
        let env: Vec<String> =
            self.plan.target.env.iter().map(|var| format!(" --target-env {}", quoted(var))).collect();
        let env = env.concat();
        let documents: Vec<String> =
            self.plan.documents.iter().map(|document| format!(" --openapi {}", quoted(&document.file))).collect();
        let documents = documents.concat();
        let only = quoted(&key.to_string());
        format!("dtu run {} --target {target}{documents}{env} --seed {seed}{faults} --only {only}", quoted(file))
    }

    /// The command that puts one trajectory's evidence back into the twins.
    pub fn again_from_evidence(&self, scenario: &ScenarioResult, failure: &Failure) -> String {
        self.replay(&key(scenario, failure))
    }

    /// The last lines that the target of a trajectory wrote: to standard error, else to standard output. None where it
    /// wrote nothing, or its evidence was not kept.
    fn last_words(&self, scenario: &ScenarioResult, failure: &Failure) -> Vec<String> {
        let evidence = self.folder.join(Folder::evidence_place(&key(scenario, failure)));
        let read = |name: &str| fs_err::read(evidence.join("target").join(name)).unwrap_or_default();
        let mut streams = ["stderr", "stdout"].into_iter().map(|name| last_lines(&read(name)));
        streams.find(|lines| !lines.is_empty()).unwrap_or_default()
    }

    fn replay(&self, key: &Key) -> String {
        let evidence = self.folder.join(Folder::evidence_place(key));
        format!("dtu replay {}", quoted(&evidence.display().to_string()))
    }

    fn planned(&self, id: &str) -> Option<&PlannedScenario> {
        self.plan.scenarios.iter().find(|planned| planned.id == id)
    }
}

fn key(scenario: &ScenarioResult, failure: &Failure) -> Key {
    Key { scenario: scenario.id.clone(), variant: failure.variant.clone(), n: failure.n }
}

/// Writes all reports into the folder of a run.
///
/// # Errors
/// Where the disk refuses.
pub fn write(folder: &Folder, report: &Report<'_>, records: &BTreeMap<Key, Record>) -> io::Result<()> {
    folder.write("result.json", &json::result(report.summary))?;
    folder.write("trajectories.ndjson", &json::trajectories(records)?)?;
    folder.write("junit.xml", junit::render(report).map_err(io::Error::other)?.as_bytes())?;
    folder.write("summary.md", markdown::render(report).as_bytes())?;
    let mut page = Vec::new();
    html::render(&mut page, report, folder, records)?;
    folder.write("report.html", &page)
}

/// What went wrong in the same way in some trajectories of a scenario.
#[derive(Debug)]
struct Problem<'a> {
    /// What: a check's name, or the reason.
    what: &'a str,
    /// What the check is for; none for reasons.
    role: Option<Role>,
    /// Whether it makes trajectories void.
    void: bool,
    /// The trajectories, in the order of the plan, each with why and where it shows.
    cases: Vec<Case<'a>>,
}

/// One trajectory that had a problem.
#[derive(Debug)]
struct Case<'a> {
    failure: &'a Failure,
    why: &'a str,
    moments: &'a [Moment],
}

/// The problems of a scenario, in the order of their first trajectory.
fn problems(scenario: &ScenarioResult) -> Vec<Problem<'_>> {
    let mut found: IndexMap<(&str, &str), Problem<'_>> = IndexMap::new();
    for failure in &scenario.failures {
        let void = failure.outcome == Outcome::Void;
        let mut add = |what, role, void, why, moments| {
            let fresh = || Problem { what, role, void, cases: Vec::new() };
            found.entry((what, role.map_or("", role_name))).or_insert_with(fresh).cases.push(Case {
                failure,
                why,
                moments,
            });
        };
        for reason in &failure.reasons {
            add(reason, None, void, "", &[]);
        }
        // What a void trajectory's checks say means nothing.
        for check in failure.checks.iter().filter(|check| !void && check.role != Role::Info) {
            add(&check.name, Some(check.role), check.held == Held::Error, &check.why, &check.moments);
        }
    }
    found.into_values().collect()
}

/// A moment in a line: who, where, what, and which of its kind.
fn moment_line(moment: &Moment) -> String {
    let Moment { seq, principal, twin, what, nth, shows } = moment;
    let place = if *seq == 0 { String::new() } else { format!(", ledger entry {seq}") };
    let shows = if shows.is_empty() { String::new() } else { format!(": {shows}") };
    format!("{principal} {twin} {what} #{nth}{place}{shows}")
}

/// Which trajectory, for people.
fn case_name(failure: &Failure) -> String {
    if failure.label.is_empty() { format!("#{}", failure.n) } else { format!("{} #{}", failure.label, failure.n) }
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Must => "must",
        Role::Guard => "guard",
        Role::Should => "should",
        Role::Info => "info",
    }
}

/// `0.93 [0.81-0.98]`; a dash where nothing was decided.
fn interval(point: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    match (point, low, high) {
        (Some(point), Some(low), Some(high)) => format!("{point:.2} [{low:.2}-{high:.2}]"),
        _ => "-".to_owned(),
    }
}

/// `1 trajectory`, `5 trajectories`.
fn trajectories(count: u64) -> String {
    if count == 1 { "1 trajectory".to_owned() } else { format!("{count} trajectories") }
}

fn area(scenario: &ScenarioResult) -> &str {
    if scenario.area.is_empty() { "scenarios" } else { &scenario.area }
}

/// The scenarios of which something was run.
fn run_scenarios(summary: &Summary) -> impl Iterator<Item = &ScenarioResult> {
    summary.scenarios.iter().filter(|s| s.decided + s.undecided + s.void > 0)
}

/// The last lines of an output that are not blank, each cut to a width that people read.
fn last_lines(output: &[u8]) -> Vec<String> {
    const LINES_MAX: usize = 8;
    const WIDTH_MAX: usize = 200;
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let printable = |line: &&str| line.chars().filter(|c| !c.is_control() || *c == '\t').take(WIDTH_MAX).collect();
    lines[lines.len().saturating_sub(LINES_MAX)..].iter().map(printable).collect()
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
pub(crate) mod tests;
