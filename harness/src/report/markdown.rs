//! A summary for a pull request.

use std::fmt::Write as _;

use super::{Problem, Report, case_name, interval, moment_line, problems, role_name, run_scenarios, trajectories};
use crate::{
    gate::{Decision, Ruling},
    gates::OnInconclusive,
    summary::{ScenarioResult, Verdict},
};

/// How many moments are shown of each problem.
const MOMENTS_MAX: usize = 3;

/// The whole summary. Begins with a marker by which a comment is found again.
pub fn render(report: &Report<'_>) -> String {
    let s = &report.summary.satisfaction;
    let verdict = match (&report.summary.gate, report.summary.verdict()) {
        (Some(gate), _) if gate.ruling == Ruling::Breach => gate.ruling.name(),
        (_, Verdict::Pass) => "pass",
        (_, Verdict::Fail) => "fail",
        (_, Verdict::Inconclusive) => "not enough data",
    };
    let mut text = format!("<!-- dtu -->\n## {}: {verdict}\n\n", escaped(&report.summary.target));
    let satisfaction = interval(s.point, s.low, s.high);
    let _ = write!(text, "Satisfaction **{satisfaction}** at 95 %: {} decided", s.decided);
    let _ = writeln!(text, ", {} void, {} undecided, seed {}.", s.void, s.undecided, report.summary.seed);
    let wide = interval(s.point, s.population.low, s.population.high);
    let _ = writeln!(text, "As a sample of all stories {wide}; {:.0} % decided.\n", s.coverage * 100.0);
    for twice in &report.summary.nondeterminism {
        let _ = writeln!(text, "Nondeterminism: {}.\n", escaped(&twice.shown()));
    }
    for leak in &report.summary.leaks {
        let _ = writeln!(text, "Left behind in {}: {}.\n", trajectories(leak.trajectories), escaped(&leak.what));
    }
    if let Some(difference) = &report.summary.difference {
        let (pairs, better, worse) = (difference.pairs, difference.better, difference.worse);
        let _ = writeln!(
            text,
            "To the baseline **{}**: {pairs} pairs, {better} better, {worse} worse.\n",
            escaped(&difference.shown())
        );
    }
    if let Some(gate) = &report.summary.gate {
        write_gate(&mut text, gate);
    }
    text.push_str("| scenario | satisfied | satisfaction | void |\n| --- | --: | --- | --: |\n");
    for scenario in run_scenarios(report.summary) {
        let sign = if scenario.satisfied < scenario.decided {
            "❌"
        } else if scenario.void > 0 || scenario.decided == 0 {
            "⚠️"
        } else {
            "✅"
        };
        let satisfaction = interval(scenario.point, scenario.low, scenario.high);
        let (id, done, void) = (escaped(&scenario.id), scenario.satisfied, scenario.void);
        let _ = writeln!(text, "| {sign} {id} | {done}/{} | {satisfaction} | {void} |", scenario.decided);
    }
    for scenario in run_scenarios(report.summary).filter(|scenario| !scenario.failures.is_empty()) {
        let _ = writeln!(text, "\n### {}\n\n{}\n", escaped(&scenario.id), escaped(&scenario.title));
        for problem in problems(scenario) {
            write_problem(&mut text, report, scenario, &problem);
        }
    }
    text
}

fn write_gate(text: &mut String, gate: &Decision) {
    text.push_str("| rule | scenario | says | why |\n| --- | --- | --- | --- |\n");
    for result in &gate.rules {
        let scenario = escaped(result.scenario.as_deref().unwrap_or_default());
        let (rule, says, why) = (escaped(result.rule.name()), result.ruling.name(), escaped(&result.why));
        let sign = match result.ruling {
            Ruling::Pass => "✅",
            Ruling::Fail | Ruling::Breach => "❌",
            Ruling::Inconclusive => "⚠️",
        };
        let _ = writeln!(text, "| {rule} | {scenario} | {sign} {says} | {why} |");
    }
    text.push('\n');
    if gate.ruling == Ruling::Inconclusive && gate.on_inconclusive == OnInconclusive::Warn {
        text.push_str("Nothing is shown either way; these gates let it pass.\n\n");
    }
    for stop in &gate.stopped {
        let _ = writeln!(text, "Stopped early: {}.\n", escaped(&stop.shown()));
    }
    if !gate.quarantined.is_empty() {
        let _ = writeln!(text, "In quarantine, and not counted: {}.\n", escaped(&gate.quarantined.join(", ")));
    }
}

fn write_problem(text: &mut String, report: &Report<'_>, scenario: &ScenarioResult, problem: &Problem<'_>) {
    let role = problem.role.map_or_else(String::new, |role| format!(" ({})", role_name(role)));
    let void = if problem.void { " - void" } else { "" };
    let count = trajectories(problem.cases.len() as u64);
    let _ = writeln!(text, "- **{}**{role}: {count}{void}", escaped(problem.what));
    let Some(case) = problem.cases.first() else { return };
    let why = if case.why.is_empty() { String::new() } else { format!(": {}", escaped(case.why)) };
    let _ = writeln!(text, "  - {}{why}", escaped(&case_name(case.failure)));
    for moment in case.moments.iter().take(MOMENTS_MAX) {
        let _ = writeln!(text, "  - at {}", escaped(&moment_line(moment)));
    }
    let _ = writeln!(text, "  - `{}`", report.again(scenario, case.failure).replace('`', "'"));
}

/// What a target says must not become markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '@' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
