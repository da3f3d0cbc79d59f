//! The report that people read on a terminal. Legible without colour.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use super::{
    Case, Problem, Report, area, case_name, interval, moment_line, problems, role_name, run_scenarios, trajectories,
};
use crate::{
    gate::{Decision, Rule, RuleResult, Ruling},
    gates::OnInconclusive,
    summary::{ScenarioResult, Summary, Verdict},
};

/// How many moments and trajectories are shown of each problem.
const MOMENTS_MAX: usize = 3;
const CASES_MAX: usize = 5;
/// Cells of a bar.
const BAR: u64 = 10;

/// The whole report, with colours: whoever prints it takes them out where they do not belong.
pub fn render(report: &Report<'_>) -> String {
    let mut text = String::new();
    write_overview(&mut text, report.summary);
    for scenario in run_scenarios(report.summary).filter(|scenario| !scenario.failures.is_empty()) {
        let _ = writeln!(text, "\n{}\n  {}", scenario.id.bold(), scenario.title);
        for problem in problems(scenario) {
            write_problem(&mut text, report, scenario, &problem);
        }
    }
    text
}

/// The table of scenarios and what they come to, with colours.
pub fn overview(summary: &Summary) -> String {
    let mut text = String::new();
    write_overview(&mut text, summary);
    text
}

fn write_overview(text: &mut String, summary: &Summary) {
    write_table(text, summary);
    write_satisfaction(text, summary);
    write_comparison(text, summary);
    if let Some(gate) = &summary.gate {
        text.push('\n');
        text.push_str(&decision(gate));
    }
}

fn write_table(text: &mut String, summary: &Summary) {
    let width = run_scenarios(summary).map(|scenario| scenario.id.chars().count()).max().unwrap_or(0);
    let mut last_area = None;
    for scenario in run_scenarios(summary) {
        if last_area != Some(area(scenario)) {
            last_area = Some(area(scenario));
            let _ = writeln!(text, "{}", area(scenario).bold());
        }
        let (sign, style) = sign(scenario);
        let share = format!("{}/{}", scenario.satisfied, scenario.decided);
        let satisfaction = interval(scenario.point, scenario.low, scenario.high);
        let void = if scenario.void > 0 { format!("  void {}", scenario.void) } else { String::new() };
        let line = format!("{:<width$}  {}  {share:>7}  {satisfaction:<16}{void}", scenario.id, bar(scenario));
        let _ = writeln!(text, "  {} {}", sign.style(style), line.trim_end());
    }
}

fn write_satisfaction(text: &mut String, summary: &Summary) {
    let s = &summary.satisfaction;
    let satisfaction = interval(s.point, s.low, s.high);
    let style = match summary.verdict() {
        Verdict::Pass => Style::new().green().bold(),
        Verdict::Fail => Style::new().red().bold(),
        Verdict::Inconclusive => Style::new().yellow().bold(),
    };
    let (target, level) = (&summary.target, s.level * 100.0);
    let _ = write!(text, "\n{target}: satisfaction {} at {level:.0} %", satisfaction.style(style));
    let _ = write!(text, " ({} decided, {} undecided, {} void", s.decided, s.undecided, s.void);
    let left = s.trajectories.saturating_sub(s.decided + s.undecided + s.void);
    let left = if left > 0 { format!(", {left} not run") } else { String::new() };
    let _ = writeln!(text, "{left}; seed {})", summary.seed);
    let wide = interval(s.point, s.population.low, s.population.high);
    let _ = writeln!(
        text,
        "  as a sample of all stories: {wide}; {:.0} % of what was planned is decided",
        s.coverage * 100.0
    );
    for twice in &summary.nondeterminism {
        let _ = writeln!(text, "  nondeterminism: {}", twice.shown());
    }
    for leak in &summary.leaks {
        let _ = writeln!(text, "  left behind in {}: {}", trajectories(leak.trajectories), leak.what);
    }
    if summary.gate.is_none() && summary.verdict() == Verdict::Inconclusive {
        let _ = writeln!(text, "not enough was decided to say more");
    }
}

fn write_comparison(text: &mut String, summary: &Summary) {
    let Some(difference) = &summary.difference else { return };
    let (pairs, better, worse) = (difference.pairs, difference.better, difference.worse);
    let _ = writeln!(text, "  to the baseline: {} ({pairs} pairs, {better} better, {worse} worse)", difference.shown());
    if !difference.unpaired.is_empty() {
        let _ = writeln!(text, "  not compared: {}", difference.unpaired.join(", "));
    }
}

/// What a gate says, rule by rule, with colours.
pub fn decision(gate: &Decision) -> String {
    let mut text = String::new();
    for result in &gate.rules {
        let (sign, style) = ruling_sign(result.ruling);
        let scenario = result.scenario.as_ref().map_or_else(String::new, |id| format!("{id}: "));
        let _ = writeln!(text, "  {} {:<10}  {scenario}{}", sign.style(style), result.rule.name(), result.why);
    }
    let (_, style) = ruling_sign(gate.ruling);
    let _ = writeln!(text, "gate: {}", gate.ruling.name().style(style.bold()));
    if gate.ruling == Ruling::Inconclusive && gate.on_inconclusive != OnInconclusive::Tell {
        let what = if gate.on_inconclusive == OnInconclusive::Warn {
            "lets it pass, with this warning"
        } else {
            "counts as a failure"
        };
        let _ = writeln!(text, "  inconclusive: {what}");
    }
    if let Some(hint) = hint(gate) {
        let _ = writeln!(text, "  hint: {hint}");
    }
    for stop in &gate.stopped {
        let _ = writeln!(text, "  stopped early: {}", stop.shown());
    }
    if !gate.quarantined.is_empty() {
        let _ = writeln!(text, "  in quarantine, and not counted: {}", gate.quarantined.join(", "));
    }
    for (keys, what) in [(&gate.next, "may decide it"), (&gate.next_baseline, "are missing in the baseline")] {
        let names: Vec<String> = keys.iter().take(CASES_MAX).map(ToString::to_string).collect();
        let more = if keys.len() > CASES_MAX { ", …" } else { "" };
        if !keys.is_empty() {
            let count = trajectories(keys.len() as u64);
            let _ = writeln!(text, "  {count} {what}: {}{more}", names.join(", "));
        }
    }
    text
}

/// What may bring a decision where the gate asks for nothing more.
fn hint(gate: &Decision) -> Option<&'static str> {
    let open = gate.ruling == Ruling::Inconclusive && gate.next.is_empty();
    let lacks = |rule: Rule| move |said: &RuleResult| said.rule == rule && said.ruling == Ruling::Inconclusive;
    open.then_some(if gate.rules.iter().any(lacks(Rule::Validity)) {
        "more of the same would not decide it: see first why so much says nothing"
    } else if gate.difference.is_none() && gate.rules.iter().any(lacks(Rule::NoRegress)) {
        "a run of the version to compare with is needed: keep one with `dtu baseline bless DIR`, or name it"
    } else {
        "with more `--seeds`, or a larger `budget` of the gates, it may be decided"
    })
}

fn ruling_sign(ruling: Ruling) -> (&'static str, Style) {
    match ruling {
        Ruling::Pass => ("✔", Style::new().green()),
        Ruling::Fail => ("✘", Style::new().red()),
        Ruling::Inconclusive => ("?", Style::new().yellow()),
        Ruling::Breach => ("!", Style::new().red()),
    }
}

fn write_problem(text: &mut String, report: &Report<'_>, scenario: &ScenarioResult, problem: &Problem<'_>) {
    let role = problem.role.map_or_else(String::new, |role| format!(" ({})", role_name(role)));
    let (sign, style) = if problem.void { ("?", Style::new().yellow()) } else { ("✘", Style::new().red()) };
    let count = trajectories(problem.cases.len() as u64);
    let _ = writeln!(text, "  {} {}{role}, in {count}", sign.style(style), problem.what.bold());
    for case in problem.cases.iter().take(CASES_MAX) {
        write_case(text, case);
    }
    if problem.cases.len() > CASES_MAX {
        let _ = writeln!(text, "    … and {} more", problem.cases.len() - CASES_MAX);
    }
    let Some(first) = problem.cases.first() else { return };
    if problem.role.is_none() && !problem.void {
        write_last_words(text, &report.last_words(scenario, first.failure));
    }
    let _ = writeln!(text, "    {} {}", "replay".dimmed(), report.again_from_evidence(scenario, first.failure));
    let _ = writeln!(text, "    {}  {}", "again".dimmed(), report.again(scenario, first.failure));
}

fn write_case(text: &mut String, case: &Case<'_>) {
    let why = if case.why.is_empty() { String::new() } else { format!(": {}", case.why) };
    let _ = writeln!(text, "    {}{why}", case_name(case.failure));
    for moment in case.moments.iter().take(MOMENTS_MAX) {
        let _ = writeln!(text, "      at {}", moment_line(moment));
    }
    if case.moments.len() > MOMENTS_MAX {
        let _ = writeln!(text, "      … and {} more", case.moments.len() - MOMENTS_MAX);
    }
}

fn write_last_words(text: &mut String, words: &[String]) {
    if !words.is_empty() {
        let _ = writeln!(text, "    {}", "what the target wrote last".dimmed());
    }
    for line in words {
        let _ = writeln!(text, "      {line}");
    }
}

fn sign(scenario: &ScenarioResult) -> (&'static str, Style) {
    if scenario.satisfied < scenario.decided {
        ("✘", Style::new().red())
    } else if scenario.decided == 0 || scenario.void > 0 {
        ("?", Style::new().yellow())
    } else {
        ("✔", Style::new().green())
    }
}

fn bar(scenario: &ScenarioResult) -> String {
    let full = (scenario.satisfied * BAR).checked_div(scenario.decided).unwrap_or(0);
    (0..BAR).map(|cell| if cell < full { '█' } else { '░' }).collect()
}
