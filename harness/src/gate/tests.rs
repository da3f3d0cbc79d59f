//! The gate on made-up runs.

use std::collections::BTreeMap;

use super::{Decision, Rule, Ruling, decide};
use crate::{
    gates::{self, Gates},
    pairing::Arm,
    plan::{Key, Plan, PlanSchema, PlannedScenario, PlannedTarget, PlannedVariant},
    record::Record,
    scenario::Role,
    verdict::{CheckResult, Held, Outcome},
};

/// A made-up run: of each scenario its tag and the outcomes of its one variant, in a letter each: satisfied `+`, not
/// `-`, not by something forbidden `!`, void `v`, undecided `?`, not run `_`.
pub(super) struct Made {
    plan: Plan,
    pub(super) records: BTreeMap<Key, Record>,
}

impl Made {
    pub(super) const fn arm(&self) -> Arm<'_> {
        Arm { plan: &self.plan, records: &self.records }
    }
}

pub(super) fn made(scenarios: &[(&str, &str, &str)]) -> Made {
    let mut records = BTreeMap::new();
    for (id, _, outcomes) in scenarios {
        for (n, letter) in (1..).zip(outcomes.chars()).filter(|(_, letter)| *letter != '_') {
            let key = Key { scenario: (*id).to_owned(), variant: "aa".to_owned(), n };
            records.insert(key.clone(), record(key, letter));
        }
    }
    let planned = scenarios.iter().map(|(id, tag, _)| planned(id, tag)).collect();
    let text = String::new;
    let target = PlannedTarget { name: text(), file: text(), digest: text(), program: text(), env: Vec::new() };
    let plan = Plan {
        schema: PlanSchema::V1,
        version: text(),
        digest: text(),
        target,
        seed: 1,
        seeds: 5,
        shard: None,
        faults: true,
        documents: Vec::new(),
        trajectories: records.len() as u64,
        scenarios: planned,
    };
    Made { plan, records }
}

fn planned(id: &str, tag: &str) -> PlannedScenario {
    let text = str::to_owned;
    PlannedScenario {
        id: text(id),
        title: text(id),
        area: text(""),
        tags: vec![text(tag)],
        weight: 1.0,
        file: text("s.yaml"),
        digest: text("d"),
        sometimes: Vec::new(),
        world: text("w"),
        variants: vec![PlannedVariant { id: text("aa"), label: text("") }],
    }
}

pub(super) fn record(key: Key, letter: char) -> Record {
    let outcome = match letter {
        '+' => Outcome::Satisfied,
        '-' | '!' => Outcome::Unsatisfied,
        '?' => Outcome::Undecided,
        _ => Outcome::Void,
    };
    let check = CheckResult {
        name: "never".to_owned(),
        role: Role::Guard,
        weight: 1.0,
        held: Held::No,
        why: String::new(),
        moments: Vec::new(),
    };
    let checks = if letter == '!' { vec![check] } else { Vec::new() };
    Record {
        label: String::new(),
        seed: key.n,
        outcome,
        reasons: Vec::new(),
        checks,
        key,
        seen: Vec::new(),
        leaks: Vec::new(),
        reruns: Vec::new(),
        others: Vec::new(),
    }
}

pub(super) fn read(lines: &str) -> Gates {
    gates::gates_from("g.yaml", &format!("schema: dtu/gates/v1\n{lines}\n")).unwrap_or_else(|found| panic!("{found:?}"))
}

fn decided(lines: &str, run: &Made, baseline: Option<&Made>) -> Decision {
    decide(&read(lines), run.arm(), baseline.map(Made::arm))
}

fn check(lines: &str, run: &[(&str, &str, &str)], ruling: Ruling, told: &str) {
    let found = decided(lines, &made(run), None);
    let all = serde_json::to_string_pretty(&found).expect("is written");
    assert_eq!(found.ruling, ruling, "{lines}\n{run:?}\n{all}");
    assert!(all.contains(told), "`{told}` is not in\n{all}");
}

fn check_pair(lines: &str, older: &[(&str, &str, &str)], newer: &[(&str, &str, &str)], ruling: Ruling, told: &str) {
    let found = decided(lines, &made(newer), Some(&made(older)));
    let all = serde_json::to_string_pretty(&found).expect("is written");
    assert_eq!(found.ruling, ruling, "{older:?} to {newer:?}\n{all}");
    assert!(all.contains(told), "`{told}` is not in\n{all}");
}

fn times(letter: &str, n: usize) -> String {
    letter.repeat(n)
}

const MINIMUM: &str = "minimum: {satisfaction: 0.9}";

#[test]
fn no_data_is_never_a_pass() {
    use Ruling::Inconclusive;
    for lines in [MINIMUM, "must_have: {tags: [t]}", "floors: {default: 0.1}", "no_regress: {}"] {
        check(lines, &[("a", "t", "")], Inconclusive, "not every variant has been run");
        check(lines, &[("a", "t", "vvvv")], Inconclusive, "of `a` nothing was decided");
        check(lines, &[("a", "t", "????")], Inconclusive, "4 of 4 are undecided");
        check(lines, &[], Inconclusive, "not every variant has been run");
    }
    check(MINIMUM, &[("a", "t", &times("+", 40)), ("b", "t", "")], Inconclusive, "not every variant has been run");
    check("must_have: {tags: [other]}", &[("a", "t", "++++")], Inconclusive, "no scenario has one of its tags");
    check("no_regress: {}", &[("a", "t", "++++")], Inconclusive, "there is no baseline");
}

#[test]
fn a_minimum_is_shown_by_bounds() {
    let check = |n: usize, failed: usize, ruling| {
        let outcomes = times("+", n - failed) + &times("-", failed);
        check(MINIMUM, &[("a", "t", &outcomes)], ruling, "satisfaction");
    };
    check(28, 0, Ruling::Inconclusive);
    check(29, 0, Ruling::Pass);
    check(5, 5, Ruling::Fail);
    check(20, 2, Ruling::Inconclusive);
    check(100, 20, Ruling::Fail);
    check(300, 10, Ruling::Pass);
}

#[test]
fn what_says_nothing_is_limited() {
    let many = times("+", 97) + "vvv";
    check(MINIMUM, &[("a", "t", &many)], Ruling::Inconclusive, "3 of 100 are void, at most 2.0 % may be");
    let wide = format!("{MINIMUM}\nvalidity: {{void_max: 0.05}}");
    check(&wide, &[("a", "t", &many)], Ruling::Pass, "97 of 100 decided");
    let undecided = times("+", 60) + "???";
    check(MINIMUM, &[("a", "t", &undecided)], Ruling::Inconclusive, "satisfaction 1.000, at least 0.886");
}

#[test]
fn must_have_scenarios_fail_at_once() {
    const RULE: &str = "must_have: {tags: [t]}";
    const CONFIRMED: &str = "must_have: {tags: [t], confirm: 2}";
    check(RULE, &[("a", "t", "++-"), ("b", "u", "---")], Ruling::Fail, "1 of 3 not satisfied, at most 0 may be");
    check(RULE, &[("a", "t", "+++"), ("b", "u", "---")], Ruling::Pass, "0 of 3 not satisfied");
    check("must_have: {tags: [t], violations: 1}", &[("a", "t", "++-")], Ruling::Pass, "1 of 3 not satisfied");
    check("must_have: {tags: [t], violations: 1}", &[("a", "t", "++!")], Ruling::Fail, "something forbidden happened");
    check(RULE, &[("a", "t", "!vvvvv")], Ruling::Fail, "something forbidden happened in 1 of 1");
    // What may be chance is asked again on fresh seeds; chance is never a pass.
    check(CONFIRMED, &[("a", "t", "++-+")], Ruling::Inconclusive, "2 fresh seeds are to confirm it, 1 are missing");
    check(CONFIRMED, &[("a", "t", "++-+-")], Ruling::Fail, "and 1 of 2 with fresh seeds");
    check(CONFIRMED, &[("a", "t", "+--")], Ruling::Fail, "and 1 of 2 with fresh seeds");
    check(CONFIRMED, &[("a", "t", "++-++")], Ruling::Inconclusive, "and none of 2 with fresh seeds: it may be rare");
    check(CONFIRMED, &[("a", "t", "++!")], Ruling::Fail, "something forbidden happened");
    check(CONFIRMED, &[("a", "t", "+++")], Ruling::Pass, "0 of 3 not satisfied");
}

#[test]
fn a_canary_that_is_satisfied_is_a_breach() {
    let lines = format!("{MINIMUM}\ncanaries: {{tags: [canary]}}");
    let good = times("+", 40);
    check(&lines, &[("a", "t", &good), ("c", "canary", "---")], Ruling::Pass, "nobody satisfied what cannot be");
    check(&lines, &[("a", "t", &good), ("c", "canary", "--+")], Ruling::Breach, "1 of 3 satisfied what cannot be");
    check(&lines, &[("a", "t", &good), ("c", "canary", "vv")], Ruling::Inconclusive, "nothing was decided");
    check(&lines, &[("a", "t", &good)], Ruling::Inconclusive, "no scenario has one of the canaries' tags");
}

#[test]
fn floors_find_the_scenario_that_lies_below() {
    const RULE: &str = "floors: {default: 0.8, scenarios: {b: 0.3}}";
    check(RULE, &[("a", "t", "+++++"), ("b", "t", "++---")], Ruling::Pass, "not shown to lie below its floor of 0.30");
    check(RULE, &[("a", "t", "-----"), ("b", "t", "+++++")], Ruling::Fail, "0/5: below its floor of 0.80");
    let proven = "floors: {default: 0.8, rule: proven}";
    check(proven, &[("a", "t", "+++++")], Ruling::Inconclusive, "not shown to reach its floor of 0.80");
    check(proven, &[("a", "t", &times("+", 17))], Ruling::Pass, "17/17: not below");
}

#[test]
fn a_drop_is_found_on_the_same_seeds() {
    const RULE: &str = "no_regress: {margin: 0.02}";
    let (good, half) = (times("+", 150), times("+-", 75));
    let check = |older: &str, newer: &str, ruling, told| {
        check_pair(RULE, &[("a", "t", older)], &[("a", "t", newer)], ruling, told);
    };
    check(&good, &good, Ruling::Pass, "over 150 pairs (each end is 95 % sure), margin 2.0 pt: within the margin");
    check(&half, &half, Ruling::Pass, "within the margin");
    check(&good, &half, Ruling::Fail, "margin 2.0 pt: a drop");
    check(&half, &good, Ruling::Pass, "within the margin");
    check("+++++", "+++++", Ruling::Inconclusive, "neither a drop nor within the margin");
    check("vvvvv", "+++++", Ruling::Inconclusive, "no trajectory was decided in both runs");
}

#[test]
fn scenarios_that_changed_are_not_compared() {
    let good = times("+", 150);
    let older = made(&[("a", "t", &good), ("b", "t", &good)]);
    let mut newer = made(&[("a", "t", &good), ("b", "t", &times("-", 150)), ("c", "t", &good)]);
    newer.plan.scenarios[1].digest = "changed".to_owned();
    let found = decided("no_regress: {}", &newer, Some(&older));
    assert_eq!(found.difference.expect("is told").unpaired, ["b", "c"]);
    assert_eq!(found.ruling, Ruling::Pass);
}

#[test]
fn a_screened_scenario_waits_for_fresh_seeds() {
    // A margin of everything, so that only the rule on each scenario decides.
    const RULE: &str = "no_regress: {margin: 1}";
    let good = times("+", 20);
    let check = |newer: &str, ruling, told| check_pair(RULE, &[("a", "t", &good)], &[("a", "t", newer)], ruling, told);
    check(&good, Ruling::Pass, "within the margin");
    check("++---", Ruling::Inconclusive, "5/5 to 2/5: 15 fresh pairs are to confirm it, 0 are there");
    check(&("++---".to_owned() + &times("+", 15)), Ruling::Pass, "on fresh seeds 15/15 to 15/15, p = 1.000");
    check(&("++---".to_owned() + &times("-", 15)), Ruling::Fail, "on fresh seeds 15/15 to 0/15, p = 0.000");
    // What fresh seeds alone do not show is not held against it.
    check(&("-----".to_owned() + &times("+", 12) + "---"), Ruling::Pass, "15/15 to 12/15");
}

#[test]
fn fresh_seeds_are_asked_of_whoever_lacks_them() {
    let (newer, older) = (made(&[("a", "t", "++---++v")]), made(&[("a", "t", &times("+", 8))]));
    let found = decided("no_regress: {margin: 1}", &newer, Some(&older));
    let keys = |keys: &[Key]| keys.iter().map(|key| key.n).collect::<Vec<_>>();
    // Two are there and one is void: thirteen more, after those.
    assert_eq!(keys(&found.next), (9..=21).collect::<Vec<_>>());
    assert_eq!(found.next, found.next_baseline);
}

#[test]
fn a_budget_is_spent_look_by_look() {
    let gates = format!("{MINIMUM}\nbudget: {{seeds: 8}}");
    let asked = |outcomes: &str| {
        let run: Vec<(String, &str)> = (0..10).map(|at| (format!("s{at}"), outcomes)).collect();
        let run: Vec<(&str, &str, &str)> = run.iter().map(|(id, outcomes)| (id.as_str(), "t", *outcomes)).collect();
        let found = decided(&gates, &made(&run), None);
        (found.ruling, found.seeds, found.next.len())
    };
    assert_eq!(asked(""), (Ruling::Inconclusive, 0, 20));
    assert_eq!(asked("+"), (Ruling::Inconclusive, 1, 10));
    assert_eq!(asked("++"), (Ruling::Inconclusive, 2, 20));
    assert_eq!(asked("--"), (Ruling::Fail, 2, 0));
    assert_eq!(asked("++++++"), (Ruling::Pass, 6, 0));
    assert_eq!(asked("+++++++-"), (Ruling::Inconclusive, 8, 0));
    // What is beyond the budget does not count.
    assert_eq!(asked("+++++++-++++++++++"), (Ruling::Inconclusive, 8, 0));
}

#[test]
fn what_must_be_seen_now_and_then_must_be_seen() {
    let mut run = made(&[("a", "t", &times("+", 40))]);
    run.plan.scenarios[0].sometimes = vec!["fault late".to_owned(), "a retry".to_owned()];
    let told = |run: &Made, lines: &str| {
        let found = decided(&format!("{MINIMUM}\n{lines}"), run, None);
        (found.ruling, found.rules[0].why.clone())
    };
    let both = "`fault late` was never seen in `a`; `a retry` was never seen in `a`";
    assert_eq!(told(&run, ""), (Ruling::Inconclusive, both.to_owned()));
    assert_eq!(told(&run, "validity: {sometimes: nothing}").0, Ruling::Pass);
    let mut records = run.records.values_mut();
    records.next().expect("is there").seen = vec!["a retry".to_owned()];
    records.next().expect("is there").seen = vec!["fault late".to_owned()];
    assert_eq!(told(&run, "").0, Ruling::Pass);
    run.records.values_mut().for_each(|record| record.seen.retain(|seen| seen == "a retry"));
    assert_eq!(told(&run, "").0, Ruling::Inconclusive);
    run.plan.faults = false;
    assert_eq!(told(&run, "").0, Ruling::Pass);
}

#[test]
fn what_is_not_seen_yet_asks_for_another_look() {
    let mut run = made(&[("a", "t", &times("+", 25))]);
    run.plan.scenarios[0].sometimes = vec!["a retry".to_owned()];
    let found = decided(&format!("{MINIMUM}\nbudget: {{seeds: 100}}"), &run, None);
    assert_eq!((found.ruling, found.next.len()), (Ruling::Inconclusive, 25));
}

#[test]
fn a_quarantined_scenario_does_not_count() {
    let lines = format!("{MINIMUM}\nquarantine: {{b: {{until: 2026-03-01, issue: '#1'}}}}");
    let good = times("+", 40);
    check(&lines, &[("a", "t", &good), ("b", "t", &times("-", 40))], Ruling::Pass, "\"quarantined\": [\n    \"b\"");
    check(&lines, &[("a", "t", &good), ("b", "t", "vv")], Ruling::Pass, "40 of 40 decided");
    check(&lines, &[("b", "t", &good)], Ruling::Inconclusive, "not every variant has been run");
}

#[test]
fn what_follows_where_nothing_is_shown_is_said_by_the_gates() {
    let code = |lines: &str, outcomes: &str| {
        let found = decided(&format!("{MINIMUM}\n{lines}"), &made(&[("a", "t", outcomes)]), None);
        (found.ruling, found.code())
    };
    assert_eq!(code("", "++"), (Ruling::Inconclusive, 4));
    assert_eq!(code("on_inconclusive: warn", "++"), (Ruling::Inconclusive, 0));
    assert_eq!(code("on_inconclusive: fail", "++"), (Ruling::Inconclusive, 1));
    assert_eq!(code("on_inconclusive: warn", "-----"), (Ruling::Fail, 1));
}

#[test]
fn a_decision_is_read_as_it_is_written() {
    let found = decided("no_regress: {margin: 1}", &made(&[("a", "t", "++---")]), Some(&made(&[("a", "t", "+++++")])));
    let text = serde_json::to_string(&found).expect("is written");
    assert_eq!(serde_json::from_str::<Decision>(&text).expect("is read"), found);
    assert!(text.contains("\"a/aa/6\""), "{text}");
    assert!(found.rules.iter().any(|result| result.rule == Rule::Validity));
}
