//! `JUnit` XML for continuous integration: a suite for each area, a case for each scenario.

use std::fmt::Write as _;

use indexmap::IndexMap;
use quick_junit::{NonSuccessKind, Property, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{Report, area, case_name, moment_line, problems, role_name, trajectories};
use crate::{
    gate::{Decision, Ruling},
    gates::OnInconclusive,
    summary::{ScenarioResult, Summary},
};

/// The whole document.
///
/// # Errors
/// Where the XML cannot be written.
pub fn render(report: &Report<'_>) -> Result<String, SerializeError> {
    let mut suites: IndexMap<&str, TestSuite> = IndexMap::new();
    for scenario in &report.summary.scenarios {
        let suite = suites.entry(area(scenario)).or_insert_with(|| TestSuite::new(area(scenario)));
        suite.add_test_case(case(report, scenario));
    }
    let mut document = quick_junit::Report::new(report.plan.target.name.as_str());
    document.add_test_suites(suites.into_values());
    document.add_test_suite(whole(report));
    document.to_string()
}

/// The run as a whole, as a suite of its own: its numbers, and what each rule of the gate says.
fn whole(report: &Report<'_>) -> TestSuite {
    let summary = report.summary;
    let (s, number) = (&summary.satisfaction, |value: Option<f64>| value.map_or("-".to_owned(), |v| v.to_string()));
    let mut suite = TestSuite::new("gate");
    suite.add_properties([
        Property::new("satisfaction", number(s.point)),
        Property::new("satisfaction.low", number(s.low)),
        Property::new("satisfaction.high", number(s.high)),
        Property::new("population.low", number(s.population.low)),
        Property::new("population.high", number(s.population.high)),
        Property::new("coverage", s.coverage.to_string()),
        Property::new("void", s.void.to_string()),
    ]);
    if let Some(difference) = &summary.difference {
        suite.add_properties([
            Property::new("difference", number(difference.point)),
            Property::new("difference.low", number(difference.low)),
            Property::new("difference.high", number(difference.high)),
        ]);
    }
    for result in summary.gate.iter().flat_map(|gate| &gate.rules) {
        let mut status = match result.ruling {
            Ruling::Pass => TestCaseStatus::success(),
            Ruling::Fail | Ruling::Breach => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Ruling::Inconclusive if lets_pass(summary) => TestCaseStatus::skipped(),
            Ruling::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
        };
        status.set_message(result.why.as_str());
        let name = [Some(result.rule.name()), result.scenario.as_deref()];
        suite.add_test_case(TestCase::new(name.into_iter().flatten().collect::<Vec<_>>().join(" "), status));
    }
    suite
}

/// Whether what is shown neither way passes with a warning: then it must not look like an error either.
fn lets_pass(summary: &Summary) -> bool {
    summary.gate.as_ref().is_some_and(|gate| gate.on_inconclusive == OnInconclusive::Warn)
}

fn case(report: &Report<'_>, scenario: &ScenarioResult) -> TestCase {
    let status = match &report.summary.gate {
        Some(gate) => status_by_gate(report, gate, scenario),
        None => status(report, scenario),
    };
    let tells = matches!(&status, TestCaseStatus::NonSuccess { .. });
    let mut case = TestCase::new(scenario.id.as_str(), status);
    case.set_classname(area(scenario));
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    case.add_properties([
        Property::new("satisfied", scenario.satisfied.to_string()),
        Property::new("decided", scenario.decided.to_string()),
        Property::new("undecided", scenario.undecided.to_string()),
        Property::new("void", scenario.void.to_string()),
        Property::new("satisfaction", number(scenario.point)),
        Property::new("satisfaction.low", number(scenario.low)),
        Property::new("satisfaction.high", number(scenario.high)),
        Property::new("consistency", number(scenario.consistency)),
    ]);
    if !tells && !scenario.failures.is_empty() {
        case.set_system_out(description(report, scenario));
    }
    case
}

fn failed(report: &Report<'_>, scenario: &ScenarioResult, kind: NonSuccessKind, message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_description(description(report, scenario));
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

/// Without a gate each failure counts.
fn status(report: &Report<'_>, scenario: &ScenarioResult) -> TestCaseStatus {
    let wrong = scenario.decided - scenario.satisfied;
    if wrong > 0 {
        let message = format!("{wrong} of {} did not satisfy", trajectories(scenario.decided));
        failed(report, scenario, NonSuccessKind::Failure, message)
    } else if scenario.void > 0 {
        let message = format!("{} say nothing about the target", trajectories(scenario.void));
        failed(report, scenario, NonSuccessKind::Error, message)
    } else if scenario.decided > 0 {
        TestCaseStatus::success()
    } else {
        skipped("nothing was decided")
    }
}

/// Under a gate a scenario fails where a rule on it does: what of it was not satisfied is told, and what that comes to
/// in the whole is said by the suite of the gate.
fn status_by_gate(report: &Report<'_>, gate: &Decision, scenario: &ScenarioResult) -> TestCaseStatus {
    if gate.quarantined.contains(&scenario.id) {
        return skipped("in quarantine");
    }
    let of = |wanted: &[Ruling]| {
        let mut rules = gate.rules.iter().filter(|rule| rule.scenario.as_ref() == Some(&scenario.id));
        let found = rules.find(|rule| wanted.contains(&rule.ruling))?;
        Some(format!("{}: {}", found.rule.name(), found.why))
    };
    if let Some(why) = of(&[Ruling::Fail, Ruling::Breach]) {
        failed(report, scenario, NonSuccessKind::Failure, why)
    } else if let Some(why) = of(&[Ruling::Inconclusive]) {
        if lets_pass(report.summary) { skipped(&why) } else { failed(report, scenario, NonSuccessKind::Error, why) }
    } else if scenario.decided > 0 {
        TestCaseStatus::success()
    } else if scenario.void > 0 && !lets_pass(report.summary) {
        let message = format!("{} say nothing about the target", trajectories(scenario.void));
        failed(report, scenario, NonSuccessKind::Error, message)
    } else {
        skipped("nothing was decided")
    }
}

/// All problems, each with its first trajectory.
fn description(report: &Report<'_>, scenario: &ScenarioResult) -> String {
    let mut text = format!("{}\n", scenario.title);
    for problem in problems(scenario) {
        let role = problem.role.map(|role| format!("{}: ", role_name(role))).unwrap_or_default();
        let _ = writeln!(text, "\n{role}{} ({})", problem.what, trajectories(problem.cases.len() as u64));
        let Some(case) = problem.cases.first() else { continue };
        let why = if case.why.is_empty() { String::new() } else { format!(": {}", case.why) };
        let _ = writeln!(text, "  {}{why}", case_name(case.failure));
        for moment in case.moments {
            let _ = writeln!(text, "  at {}", moment_line(moment));
        }
        let _ = writeln!(text, "  replay: {}", report.again_from_evidence(scenario, case.failure));
        let _ = writeln!(text, "  again: {}", report.again(scenario, case.failure));
    }
    text
}
