//! The whole gate on made-up builds: how often it blocks one that is good and lets one pass that is not, with rounds as
//! `dtu run` has them.

use std::collections::BTreeSet;

use super::{
    Decision, Ruling, decide, is_settled,
    tests::{Made, made, read, record},
};
use crate::{
    gates::Gates,
    plan::Key,
    stats::{as_float, simulation::Dice},
};

const SCENARIOS: usize = 20;
const RUNS: u64 = 120;

/// What one scenario's trajectories come to on both builds, seed by seed.
type Outcomes = Vec<(bool, bool)>;

/// Draws a suite: the older build satisfies in .97 on average, the newer as `newer` says of each scenario's rate. In
/// `together` of all cases one coin decides both.
fn suite(dice: &mut Dice, seeds: u64, together: f64, newer: fn(usize, f64) -> f64) -> Vec<Outcomes> {
    let of_scenario = |at| {
        let rate = dice.rate(0.97, 30.0);
        let then = newer(at, rate);
        let mut outcome = |_| {
            let alike = dice.happens(together);
            // Two coins that are one: what the worse build satisfies the better one does too.
            let both = dice.happens(rate.min(then));
            let only = dice.happens((rate.max(then) - rate.min(then)) / (1.0 - rate.min(then)));
            if alike {
                (both || (only && rate > then), both || (only && then > rate))
            } else {
                (dice.happens(rate), dice.happens(then))
            }
        };
        (0..seeds).map(&mut outcome).collect()
    };
    (0..SCENARIOS).map(of_scenario).collect()
}

fn empty() -> Made {
    let ids: Vec<String> = (0..SCENARIOS).map(|at| format!("s{at:02}")).collect();
    made(&ids.iter().map(|id| (id.as_str(), "t", "")).collect::<Vec<_>>())
}

/// Runs these trajectories on one build.
fn run(build: &mut Made, suite: &[Outcomes], keys: &BTreeSet<Key>, outcome: fn((bool, bool)) -> bool) {
    for key in keys.iter().filter(|key| !build.records.contains_key(key)).cloned().collect::<Vec<_>>() {
        let at: usize = key.scenario[1..].parse().expect("is a number");
        let seed = usize::try_from(key.n - 1).expect("is small");
        let letter = if outcome(suite[at][seed]) { '+' } else { '-' };
        build.records.insert(key.clone(), record(key, letter));
    }
}

/// Goes on until the gate is decided or has nothing more to ask.
fn judged(gates: &Gates, dice: &mut Dice, newer: fn(usize, f64) -> f64) -> Decision {
    let suite = suite(dice, gates.seeds_max().expect("has a budget"), 0.6, newer);
    let (mut newer, mut older) = (empty(), empty());
    let first = |scenario: usize| {
        let key = move |n| Key { scenario: format!("s{scenario:02}"), variant: "aa".to_owned(), n };
        (1..=gates.first_look(0)).map(key)
    };
    let mut chosen: BTreeSet<Key> = (0..SCENARIOS).flat_map(first).collect();
    loop {
        run(&mut newer, &suite, &chosen, |outcome| outcome.1);
        run(&mut older, &suite, &chosen, |outcome| outcome.0);
        let decision = decide(gates, newer.arm(), Some(older.arm()));
        let before = chosen.len();
        chosen.extend(decision.next.iter().chain(&decision.next_baseline).cloned());
        if chosen.len() == before {
            return decision;
        }
    }
}

/// The shares of runs that pass and that fail.
fn rulings(gates: &str, seed: u64, newer: fn(usize, f64) -> f64) -> (f64, f64) {
    let (gates, mut dice) = (read(&format!("budget: {{seeds: 12}}\n{gates}")), Dice::new(seed));
    let all: Vec<Ruling> = (0..RUNS).map(|_| judged(&gates, &mut dice, newer).ruling).collect();
    let share = |wanted| as_float(all.iter().filter(|ruling| **ruling == wanted).count() as u64) / as_float(RUNS);
    (share(Ruling::Pass), share(Ruling::Fail))
}

/// What so many runs leave open of a share of .05: two standard deviations.
const SLACK: f64 = 0.04;

const MINIMUM: &str = "minimum: {satisfaction: 0.90}";
const NO_REGRESS: &str = "no_regress: {margin: 0.02}";
const ALL: &str = "minimum: {satisfaction: 0.85}\nno_regress: {margin: 0.05}\nfloors: {default: 0.70, margin: 0.20}";

#[test]
fn a_good_build_is_seldom_blocked() {
    let (passes, fails) = rulings(ALL, 1, |_, rate| rate);
    assert!(passes >= 0.95 && fails <= 0.02, "passes {passes}, fails {fails}");
    // So small a margin takes more pairs than the budget has; what is open is not blocked.
    let (passes, fails) = rulings(NO_REGRESS, 2, |_, rate| rate);
    assert!(passes >= 0.40 && fails <= 0.057 + SLACK, "of a margin of 2 points: passes {passes}, fails {fails}");
    // What is better than its baseline is no less good.
    let (passes, fails) = rulings(ALL, 3, |_, rate| rate + (1.0 - rate) / 2.0);
    assert!(passes >= 0.97 && fails <= 0.01, "a better one: passes {passes}, fails {fails}");
}

#[test]
fn a_bad_build_seldom_passes() {
    let check = |what: &str, gates: &str, newer: fn(usize, f64) -> f64, passes_most: f64, fails: (f64, f64)| {
        let (passed, failed) = rulings(gates, 4, newer);
        let as_wanted = passed <= passes_most && fails.0 <= failed && failed <= fails.1;
        assert!(as_wanted, "{what}: passes {passed}, fails {failed}");
    };
    check("far below the minimum", MINIMUM, |_, _| 0.75, 0.0, (0.99, 1.0));
    check("at the very minimum", MINIMUM, |_, _| 0.90, 0.05 + SLACK, (0.0, 0.057 + SLACK));
    check("at the very margin", NO_REGRESS, |_, rate| (rate - 0.02).max(0.0), 0.05 + SLACK, (0.2, 0.6));
    check("ten points worse", ALL, |_, rate| (rate - 0.10).max(0.0), 0.01, (0.95, 1.0));
    check("one scenario broken", ALL, |at, rate| if at == 7 { 0.0 } else { rate }, 0.0, (0.99, 1.0));
    let halved: fn(usize, f64) -> f64 = |at, rate| if at == 7 { 0.4 } else { rate };
    check("one scenario at .4, by screening alone", "no_regress: {margin: 1}", halved, 0.30, (0.70, 1.0));
}

/// The trajectories of a round in the order of runs: seed by seed.
fn in_order(chosen: &BTreeSet<Key>) -> Vec<Key> {
    let mut keys: Vec<Key> = chosen.iter().cloned().collect();
    keys.sort_by_key(|key| key.n);
    keys
}

/// Goes on until the gate is decided, with scenarios stopped early or not; how many trajectories it took.
fn judged_alone(gates: &Gates, suite: &[Outcomes], is_early: bool) -> (Decision, usize) {
    let mut build = made(&(0..suite.len()).map(|at| (IDS[at], "t", "")).collect::<Vec<_>>());
    let key = |at: usize, n| Key { scenario: IDS[at].to_owned(), variant: "aa".to_owned(), n };
    let first = |at| (1..=gates.first_look(0)).map(move |n| key(at, n));
    let mut chosen: BTreeSet<Key> = (0..suite.len()).flat_map(first).collect();
    loop {
        for key in in_order(&chosen) {
            if !is_early || !is_settled(gates, build.arm(), &key.scenario) {
                run(&mut build, suite, &BTreeSet::from([key]), |outcome| outcome.1);
            }
        }
        let decision = decide(gates, build.arm(), None);
        let before = chosen.len();
        chosen.extend(decision.next.iter().cloned());
        if chosen.len() == before {
            return (decision, build.records.len());
        }
    }
}

const IDS: [&str; 6] = ["s00", "s01", "s02", "s03", "s04", "s05"];

/// What a floor says of a scenario in the end.
fn floor_of(decision: &Decision, id: &str) -> Option<Ruling> {
    let of = |rule: &&super::RuleResult| rule.rule == super::Rule::Floors && rule.scenario.as_deref() == Some(id);
    decision.rules.iter().find(of).map(|rule| rule.ruling)
}

#[test]
fn what_is_stopped_early_is_judged_as_if_it_had_gone_on() {
    let check = |rule: &str, rate: f64, saves_least: f64| {
        let floors = "budget: {seeds: 40}\nfloors: {default: 0.80, margin: 0.20, rule: ";
        let (gates, mut dice) = (read(&format!("{floors}{rule}}}")), Dice::new(5));
        let (mut early, mut whole) = (0, 0);
        for _ in 0..25 {
            let outcomes = |_| (0..40).map(|_| (true, dice.happens(rate))).collect();
            let suite: Vec<Outcomes> = IDS.iter().map(outcomes).collect();
            let (stopped, few) = judged_alone(&gates, &suite, true);
            let (gone_on, all) = judged_alone(&gates, &suite, false);
            assert_eq!(stopped.ruling, gone_on.ruling, "{rule} {rate}: {stopped:#?}");
            for id in IDS {
                let both = (floor_of(&stopped, id), floor_of(&gone_on, id));
                let is_other =
                    matches!(both, (Some(Ruling::Pass), Some(Ruling::Fail)) | (Some(Ruling::Fail), Some(Ruling::Pass)));
                assert!(!is_other, "{rule} {rate}: {id} {both:?}");
            }
            (early, whole) = (early + few, whole + all);
        }
        let saves = 1.0 - as_float(early as u64) / as_float(whole as u64);
        assert!(saves >= saves_least, "{rule} {rate}: saves {saves:.2} of {whole}");
    };
    check("not_below", 0.95, 0.05);
    check("not_below", 0.80, 0.05);
    check("not_below", 0.30, 0.20);
    check("proven", 0.99, 0.02);
    check("proven", 0.80, 0.02);
    check("proven", 0.50, 0.05);
}
