//! From what happened in a trajectory to its outcome.

use serde_json::Value;

use crate::{
    scenario::{Property, Role, Scenario},
    verdict::{CheckResult, Held, Outcome},
};

/// How far a story came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Story {
    /// To its end.
    Told,
    /// The target did not do its part.
    Failed(String),
    /// The harness, a twin or the scenario failed.
    Broken(String),
}

/// A call of the target that a twin does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The twin.
    pub twin: String,
    /// Method and path, with a star for each part of the path that looks drawn.
    pub call: String,
}

impl Gap {
    /// From a ledger entry.
    pub fn of(entry: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let target = text(&entry["request"]["target"]);
        let path = target.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').map(|part| if looks_drawn(part) { "*" } else { part }).collect();
        Self { twin: text(&entry["twin"]), call: format!("{} {}", text(&entry["request"]["method"]), parts.join("/")) }
    }
}

/// Whether a part of a path is rather an identifier than a word: reasons hold none, so that equal runs say the same.
fn looks_drawn(part: &str) -> bool {
    part.len() >= 8 && part.bytes().any(|byte| byte.is_ascii_digit())
}

/// The outcome of a trajectory, and why, as far as its checks do not say it.
///
/// A forbidden act that was seen stands, whatever else went wrong; all else is no fault of a target that met a gap.
pub fn outcome(
    scenario: &Scenario,
    story: Story,
    gap: Option<Gap>,
    unfired: Vec<String>,
    checks: &[CheckResult],
) -> (Outcome, Vec<String>) {
    let mut reasons = Vec::new();
    if let Story::Broken(why) = story {
        return (Outcome::Void, vec![why]);
    }
    if let Some(gap) = &gap {
        reasons.push(format!("the {} twin does not serve `{}`: a gap in its coverage", gap.twin, gap.call));
    }
    if checks.iter().any(|check| is_forbidden_act(scenario, check)) {
        return (Outcome::Unsatisfied, reasons);
    }
    if gap.is_some() {
        return (Outcome::Void, reasons);
    }
    if let Story::Failed(why) = story {
        return (Outcome::Unsatisfied, vec![why]);
    }
    let errors = checks.iter().filter(|check| check.held == Held::Error);
    reasons.extend(errors.map(|check| format!("check `{}` could not be evaluated: {}", check.name, check.why)));
    let unfired = unfired.iter().map(|id| format!("fault rule `{id}` never fired: without it the story means nothing"));
    reasons.extend(unfired);
    if !reasons.is_empty() {
        return (Outcome::Void, reasons);
    }
    if checks.iter().any(|check| decides(check.role) && check.held == Held::No) {
        return (Outcome::Unsatisfied, reasons);
    }
    match short_of(scenario, checks) {
        Some(why) => (Outcome::Unsatisfied, vec![why]),
        None => (Outcome::Satisfied, reasons),
    }
}

/// Whether a check shows an act that nothing excuses. Something that did not come about is none, nor is what else
/// changed: a gap may have led the target astray.
fn is_forbidden_act(scenario: &Scenario, check: &CheckResult) -> bool {
    let forbids = |property: &Property| match property {
        Property::Never { .. }
        | Property::AtMostOncePer { .. }
        | Property::OnlyAfter { .. }
        | Property::Reads { .. } => true,
        Property::Count { min, max, .. } => max.is_some() && min.is_none(),
        Property::Finally(_)
        | Property::Eventually { .. }
        | Property::Always(_)
        | Property::LeadsTo { .. }
        | Property::Budget { .. }
        | Property::Order(_) => false,
    };
    let written = scenario.checks.iter().find(|written| written.value.name == check.name);
    check.role == Role::Guard && check.held == Held::No && written.is_some_and(|written| forbids(&written.value.that))
}

const fn decides(role: Role) -> bool {
    matches!(role, Role::Must | Role::Guard)
}

/// Why too few `should` checks hold; none where enough do, or the scenario asks for no share of them.
fn short_of(scenario: &Scenario, checks: &[CheckResult]) -> Option<String> {
    let wanted = scenario.satisfied_when?;
    let should = || checks.iter().filter(|check| check.role == Role::Should);
    let total: f64 = should().map(|check| check.weight).sum();
    let held: f64 = should().filter(|check| check.held == Held::Yes).map(|check| check.weight).sum();
    if total <= 0.0 || held / total >= wanted - 1e-9 {
        return None;
    }
    Some(format!("of the `should` checks {:.2} hold by weight, {wanted:.2} are wanted", held / total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{collateral, testing};

    fn check(name: &str, role: Role, held: Held) -> CheckResult {
        let name = name.to_owned();
        CheckResult { name, role, weight: 1.0, held, why: "so".to_owned(), moments: Vec::new() }
    }

    fn gap() -> Gap {
        Gap { twin: "shelf".to_owned(), call: "GET /x".to_owned() }
    }

    #[test]
    fn what_outranks_what() {
        use Held::{Error, No, Yes};
        use Role::{Guard, Info, Must, Should};
        let checks = "checks: [{name: never, that: {never: {of: 'true'}}}, {name: in order, that: {order: ['true']}}]";
        let scenario = testing::scenario_with(checks).scenario;
        let failed = || Story::Failed("it died".to_owned());
        let judge = |story, gap, unfired: &[&str], checks: &[CheckResult], wanted: Outcome, why: &str| {
            let unfired = unfired.iter().map(|id| (*id).to_owned()).collect();
            let (found, reasons) = outcome(&scenario, story, gap, unfired, checks);
            assert_eq!(found, wanted, "{reasons:?}");
            assert!(reasons.iter().any(|reason| reason.contains(why)) || why.is_empty(), "{reasons:?}");
        };
        let collateral = || [check(collateral::NAME, Guard, No)];
        judge(Story::Told, None, &[], &[check("a", Must, Yes)], Outcome::Satisfied, "");
        judge(Story::Told, None, &[], &[check("a", Must, No)], Outcome::Unsatisfied, "");
        judge(Story::Told, None, &[], &[check("a", Info, No), check("b", Should, No)], Outcome::Satisfied, "");
        judge(Story::Told, None, &[], &collateral(), Outcome::Unsatisfied, "");
        judge(
            Story::Told,
            None,
            &[],
            &[check("a", Info, Error)],
            Outcome::Void,
            "check `a` could not be evaluated: so",
        );
        judge(Story::Told, None, &["late"], &[], Outcome::Void, "fault rule `late` never fired");
        judge(Story::Told, Some(gap()), &[], &[check("a", Must, No)], Outcome::Void, "does not serve `GET /x`");
        judge(Story::Told, Some(gap()), &[], &collateral(), Outcome::Void, "does not serve");
        judge(
            Story::Told,
            Some(gap()),
            &["late"],
            &[check("never", Guard, No)],
            Outcome::Unsatisfied,
            "does not serve",
        );
        judge(Story::Told, Some(gap()), &[], &[check("in order", Guard, No)], Outcome::Void, "does not serve");
        judge(failed(), None, &["late"], &[check("a", Must, Error)], Outcome::Unsatisfied, "it died");
        judge(failed(), Some(gap()), &[], &[], Outcome::Void, "does not serve");
        judge(Story::Broken("no port".to_owned()), None, &[], &[], Outcome::Void, "no port");
    }

    #[test]
    fn should_checks_count_where_a_share_is_asked_for() {
        let scenario = testing::scenario_with("satisfied_when: 0.5").scenario;
        let judge = |held: &[Held]| {
            let checks: Vec<CheckResult> = held.iter().map(|held| check("a", Role::Should, *held)).collect();
            outcome(&scenario, Story::Told, None, Vec::new(), &checks).0
        };
        assert_eq!(judge(&[]), Outcome::Satisfied);
        assert_eq!(judge(&[Held::Yes, Held::No]), Outcome::Satisfied);
        assert_eq!(judge(&[Held::Yes, Held::No, Held::No]), Outcome::Unsatisfied);
    }

    #[test]
    fn a_gap_names_the_call_without_drawn_parts() {
        let entry = serde_json::json!({
            "twin": "okta", "request": { "method": "GET", "target": "/api/v1/apps/0oa1gjh63g214q0Hq0g4/users?x=1" },
        });
        let wanted = Gap { twin: "okta".to_owned(), call: "GET /api/v1/apps/*/users".to_owned() };
        assert_eq!(Gap::of(&entry), wanted);
    }
}
