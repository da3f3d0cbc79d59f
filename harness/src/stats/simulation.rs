//! How often intervals, tests and stopping rules err, by simulation: the figures that the design of the gate rests on.
//!
//! All of it is seeded. Where a figure of the design is named, it may be missed by what so many runs can tell, and by
//! what its last digit leaves open.

use super::{
    Estimate, LEVEL, Stratum, as_float, claim,
    paired::{Pairs, difference, fisher, is_suspect},
    population, scenario,
    sequential::{self, Found, LOOKS, Sprt, level_at, level_of_one_look},
    suite, wilson,
};

/// Draws. A simulation takes millions of them, more than the universe's own generator gives without optimisation.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The generator known as `SplitMix64`.
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1, neither of both.
    fn share(&mut self) -> f64 {
        (as_float(self.bits() >> 12) + 0.5) / as_float(1 << 52)
    }

    pub(crate) fn happens(&mut self, rate: f64) -> bool {
        self.share() < rate
    }

    /// How many of `n` happen. Costs as much as there are of the rarer kind.
    fn count(&mut self, n: u64, rate: f64) -> u64 {
        if rate > 0.5 { n - self.rare(n, 1.0 - rate) } else { self.rare(n, rate) }
    }

    fn rare(&mut self, n: u64, rate: f64) -> u64 {
        if rate <= 0.0 {
            return 0;
        }
        let misses = (1.0 - rate).ln();
        let (mut at, mut found) = (0.0, 0);
        loop {
            at += (self.share().ln() / misses).floor() + 1.0;
            if at > as_float(n) {
                return found;
            }
            found += 1;
        }
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }

    /// Marsaglia and Tsang's way.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.share().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let x = self.normal();
            let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
            if v > 0.0 && self.share().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// The rate of a scenario of a suite with this mean; the larger `alike`, the less scenarios differ.
    pub(crate) fn rate(&mut self, mean: f64, alike: f64) -> f64 {
        let (a, b) = (self.gamma(mean * alike), self.gamma((1.0 - mean) * alike));
        a / (a + b)
    }
}

/// The share of `runs` in which something is so.
fn share(runs: u64, seed: u64, mut holds: impl FnMut(&mut Dice) -> bool) -> f64 {
    let mut dice = Dice::new(seed);
    as_float((0..runs).filter(|_| holds(&mut dice)).count() as u64) / as_float(runs)
}

/// How far a share seen in so many runs may lie from the true one: in one of a thousand simulations it is further.
fn slack(runs: u64, wanted: f64) -> f64 {
    3.3 * (wanted * (1.0 - wanted) / as_float(runs)).sqrt() + 0.005
}

#[track_caller]
fn is_about(what: &str, runs: u64, found: f64, wanted: f64) {
    let slack = slack(runs, wanted);
    assert!((found - wanted).abs() <= slack, "{what}: {found:.4}, which is not {wanted} ± {slack:.4}");
}

#[track_caller]
fn is_at_most(what: &str, runs: u64, found: f64, wanted: f64) {
    let slack = slack(runs, wanted);
    assert!(found <= wanted + slack, "{what}: {found:.4}, which is above {wanted} + {slack:.4}");
}

#[track_caller]
fn is_at_least(what: &str, runs: u64, found: f64, wanted: f64) {
    let slack = slack(runs, wanted);
    assert!(found >= wanted - slack, "{what}: {found:.4}, which is below {wanted} - {slack:.4}");
}

fn stratum(satisfied: u64, decided: u64) -> Stratum {
    Stratum { weight: 1.0, satisfied, decided, undecided: 0 }
}

fn drawn(dice: &mut Dice, rates: &[f64], seeds: u64) -> Vec<Stratum> {
    rates.iter().map(|rate| stratum(dice.count(seeds, *rate), seeds)).collect()
}

/// All trajectories in one heap, as if scenarios were none.
fn pooled(strata: &[Stratum]) -> Estimate {
    let total = |count: fn(&Stratum) -> u64| strata.iter().map(count).sum();
    scenario(total(|s| s.satisfied), total(|s| s.decided)).expect("was decided")
}

/// How often two intervals hold the truth, and how wide the first is, measured by the second.
#[derive(Default)]
struct Coverage {
    ours: f64,
    pooled: f64,
    width: (f64, f64),
}

impl Coverage {
    /// Over suites that `suite` draws together with the truth of each.
    fn of(
        runs: u64,
        seed: u64,
        interval: fn(&[Stratum], f64) -> Option<Estimate>,
        mut suite: impl FnMut(&mut Dice) -> (Vec<Stratum>, f64),
    ) -> Self {
        let (mut dice, mut found) = (Dice::new(seed), Self::default());
        let holds = |e: &Estimate, truth: f64| f64::from(u8::from(e.low <= truth && truth <= e.high));
        for _ in 0..runs {
            let (strata, truth) = suite(&mut dice);
            let (ours, heap) = (interval(&strata, LEVEL).expect("was decided"), pooled(&strata));
            found.ours += holds(&ours, truth) / as_float(runs);
            found.pooled += holds(&heap, truth) / as_float(runs);
            found.width = (found.width.0 + ours.high - ours.low, found.width.1 + heap.high - heap.low);
        }
        found
    }
}

/// 4.2: .93 to .96 in all settings, and narrower than that of the heap.
#[test]
fn the_suites_interval_holds_the_truth_as_often_as_it_says() {
    const RUNS: u64 = 1_000;
    for (at, mean) in [0.80, 0.90, 0.95].into_iter().enumerate() {
        for (scenarios, seeds) in [(10, 3), (20, 5), (50, 5), (20, 10)] {
            // What is wanted holds for each suite; a few of them stand for all.
            let mut rates = Vec::new();
            let mut runs = 0;
            let found = Coverage::of(RUNS, 100 + at as u64, suite, |dice| {
                if runs % 25 == 0 {
                    rates = (0..scenarios).map(|_| dice.rate(mean, 5.0)).collect();
                }
                runs += 1;
                (drawn(dice, &rates, seeds), rates.iter().sum::<f64>() / as_float(scenarios))
            });
            let what = format!("{scenarios} scenarios of {seeds} seeds at {mean}");
            is_at_least(&what, RUNS, found.ours, 0.93);
            is_at_most(&what, RUNS, found.ours, 0.96);
            assert!(found.width.0 < found.width.1, "{what}: wider than the heap's");
            assert!(found.pooled > found.ours - 0.005, "{what}: the heap's interval is narrower than it was thought");
        }
    }
}

/// 4.2: .91 to .98 in all settings but that of few scenarios of which a rare one is wholly broken; the heap's interval
/// falls to .73.
#[test]
fn the_populations_interval_holds_for_scenarios_that_nobody_wrote() {
    const RUNS: u64 = 1_000;
    let mut heap: f64 = 1.0;
    // Rates of scenarios: their mean and how much alike they are, and the share of broken ones.
    for (mean, alike, broken) in [(0.9, 10.0, 0.0), (0.9, 5.0, 0.0), (0.9, 2.0, 0.0), (0.97, 100.0, 0.03)] {
        for scenarios in [10, 20, 50] {
            let truth = (1.0 - broken) * mean;
            let found = Coverage::of(RUNS, scenarios, population, |dice| {
                let mut rate = |_| if dice.happens(broken) { 0.0 } else { dice.rate(mean, alike) };
                let rates: Vec<f64> = (0..scenarios).map(&mut rate).collect();
                (drawn(dice, &rates, 5), truth)
            });
            heap = heap.min(found.pooled);
            let what = format!("{scenarios} scenarios at {mean}, {broken} broken");
            let least = if broken > 0.0 { 0.835 } else { 0.91 };
            is_at_least(&what, RUNS, found.ours, least);
            is_at_most(&what, RUNS, found.ours, 0.985);
        }
    }
    assert!(heap < 0.80, "the heap's interval holds in {heap}, so that these settings show nothing");
}

/// 4.2: trajectories of a scenario that go together tell less: 1 + (m - 1) ρ times less.
#[test]
fn the_design_effect_is_that_of_the_table() {
    let check = |seeds: u64, together: f64, wanted: f64| {
        const SCENARIOS: u64 = 4_000;
        let mut dice = Dice::new(seeds);
        // Rates of this kind have this correlation.
        let rates: Vec<f64> = (0..SCENARIOS).map(|_| dice.rate(0.8, 1.0 / together - 1.0)).collect();
        let strata = drawn(&mut dice, &rates, seeds);
        let found = population(&strata, LEVEL).expect("was decided");
        // The size at which Wilson's interval is so wide.
        let half = (found.high - found.low) / 2.0;
        let size = found.point * (1.0 - found.point) * (super::quantile(LEVEL) / half).powi(2);
        let effect = as_float(SCENARIOS * seeds) / size;
        assert!((effect - wanted).abs() < 0.08 * wanted, "{seeds} seeds at {together}: {effect}");
    };
    check(5, 0.3, 2.2);
    check(10, 0.5, 5.5);
}

/// 4.3: so many trajectories see a drop below a known bar in .80 of all cases.
#[test]
fn a_drop_below_a_bar_is_seen_as_often_as_designed() {
    const RUNS: u64 = 800;
    for (bar, drop, n) in [
        (0.95, 0.02, 822),
        (0.95, 0.05, 150),
        (0.95, 0.10, 44),
        (0.90, 0.02, 1_471),
        (0.90, 0.05, 253),
        (0.90, 0.10, 69),
        (0.80, 0.02, 2_534),
        (0.80, 0.05, 419),
        (0.80, 0.10, 109),
    ] {
        let fails = |rate: f64, seed| {
            share(RUNS, seed, |dice| {
                let found = claim(&[stratum(dice.count(n, rate), n)], level_of_one_look());
                found.is_some_and(|found| found.high < bar)
            })
        };
        let what = format!("{bar} less {drop} in {n}");
        // Whole numbers of trajectories leave steps between what is possible.
        let power = fails(bar - drop, n);
        assert!((0.70..=0.88).contains(&power), "{what}: seen in {power}");
        is_at_most(&what, RUNS, fails(bar, n + 1), 0.07);
    }
}

/// Two builds on the same seeds: the rate of each, and how far their outcomes go together.
#[derive(Clone, Copy)]
struct Both {
    older: f64,
    newer: f64,
    together: f64,
}

impl Both {
    fn draw(self, dice: &mut Dice, seeds: u64) -> Pairs {
        let Self { older, newer, together } = self;
        let spread = (older * (1.0 - older) * newer * (1.0 - newer)).sqrt();
        // More than the smaller rate cannot satisfy on both.
        let both = (older * newer + together * spread).min(older.min(newer));
        let worse = dice.count(seeds, older - both);
        let better = dice.count(seeds - worse, (newer - both) / (1.0 - (older - both)));
        Pairs { weight: 1.0, better, worse, pairs: seeds }
    }
}

fn is_worse(strata: &[Pairs]) -> bool {
    difference(strata, level_of_one_look()).is_some_and(|found| found.high < 0.0)
}

/// 4.3: so many pairs see a drop in .80 of all cases.
#[test]
fn pairs_see_a_drop_as_often_as_designed() {
    const RUNS: u64 = 600;
    for (older, drop, together, pairs) in [
        (0.95, 0.02, 0.3, 1_225),
        (0.95, 0.02, 0.5, 881),
        (0.95, 0.02, 0.7, 538),
        (0.95, 0.02, 0.9, 303),
        (0.95, 0.05, 0.3, 244),
        (0.95, 0.05, 0.5, 179),
        (0.95, 0.05, 0.7, 118),
        (0.95, 0.10, 0.3, 80),
        (0.95, 0.10, 0.5, 61),
        (0.95, 0.10, 0.7, 56),
        (0.90, 0.02, 0.5, 1_517),
        (0.90, 0.05, 0.5, 273),
        (0.90, 0.10, 0.5, 81),
        (0.80, 0.02, 0.5, 2_565),
        (0.80, 0.05, 0.5, 432),
        (0.80, 0.10, 0.5, 116),
    ] {
        let refused = |drop: f64, seed| {
            let both = Both { older, newer: older - drop, together };
            share(RUNS, seed, |dice| is_worse(&[both.draw(dice, pairs)]))
        };
        let what = format!("{older} less {drop} at {together} in {pairs}");
        is_at_least(&what, RUNS, refused(drop, pairs), 0.80);
        is_at_most(&what, RUNS, refused(drop, pairs), 0.85);
        is_at_most(&what, RUNS, refused(0.0, pairs + 1), 0.05);
    }
}

/// A suite on two builds, of which each pair of outcomes goes together as the design has it.
fn suite_of(dice: &mut Dice, scenarios: usize, mut newer: impl FnMut(usize, f64) -> f64) -> Vec<Both> {
    let mut both = |at| {
        let older = dice.rate(0.9, 10.0);
        Both { older, newer: newer(at, older).max(0.0), together: 0.6 }
    };
    (0..scenarios).map(&mut both).collect()
}

/// 4.3: 50 scenarios of 5 seeds see a drop of 5 points in .84 of all cases, 100 in .98, 200 one of 2 points in .75;
/// two or three broken scenarios of 50 are seen in .96, where a test that takes scenarios for a sample sees .44.
#[test]
fn a_suite_sees_a_drop_as_often_as_designed() {
    const RUNS: u64 = 400;
    let seen = |scenarios, seed, newer: fn(usize, f64) -> f64| {
        share(RUNS, seed, |dice| {
            let suite = suite_of(dice, scenarios, newer);
            is_worse(&suite.iter().map(|both| both.draw(dice, 5)).collect::<Vec<_>>())
        })
    };
    is_at_least("5 points of 50", RUNS, seen(50, 1, |_, older| older - 0.05), 0.84);
    is_at_least("5 points of 100", RUNS, seen(100, 2, |_, older| older - 0.05), 0.98);
    is_about("2 points of 200", RUNS, seen(200, 3, |_, older| older - 0.02), 0.75);
    is_at_most("no drop", RUNS, seen(50, 4, |_, older| older), 0.05);
    let broken = |at, older| if at < 3 { 0.0 } else { older };
    is_at_least("three broken", RUNS, seen(50, 5, broken), 0.90);
    let clustered = share(RUNS, 5, |dice| {
        let suite = suite_of(dice, 50, broken);
        let change = |both: &Both| {
            let pairs = both.draw(dice, 5);
            (as_float(pairs.better) - as_float(pairs.worse)) / 5.0
        };
        let changes: Vec<f64> = suite.iter().map(change).collect();
        let mean = changes.iter().sum::<f64>() / 50.0;
        let variance = changes.iter().map(|change| (change - mean).powi(2)).sum::<f64>() / 49.0 / 50.0;
        mean + 1.677 * variance.sqrt() < 0.0
    });
    assert!(clustered < 0.6, "where scenarios are a sample it is seen in {clustered}: no reason to pair");
}

/// Whether a scenario is suspect after five pairs, and regressed after fifteen fresh ones.
fn screened(dice: &mut Dice, older: f64, newer: f64) -> (bool, bool) {
    let mut both = |of| (dice.count(of, older), dice.count(of, newer));
    let (a, b) = both(5);
    if !is_suspect(a, b, 5, 0.30) {
        return (false, false);
    }
    let (a, b) = both(15);
    (true, fisher(a, b, 15) < 0.01)
}

/// 4.4: at most .004 of suites of 50 have a false regression, .009 of 200, for 14 to 28 and 53 to 68 trajectories more;
/// .97 to .2 is found in .99, to .5 in .58.
#[test]
fn screening_and_confirming_errs_and_costs_as_designed() {
    let false_alarms = |scenarios: u64, runs: u64| {
        let mut fresh = 0;
        let alarms = share(runs, scenarios, |dice| {
            let found: Vec<_> = (0..scenarios).map(|_| screened(dice, 0.95, 0.95)).collect();
            fresh += 15 * found.iter().filter(|(suspect, _)| *suspect).count() as u64;
            found.iter().any(|(_, regressed)| *regressed)
        });
        (alarms, as_float(fresh) / as_float(runs))
    };
    let (alarms, fresh) = false_alarms(50, 1_000);
    is_at_most("a suite of 50", 1_000, alarms, 0.004);
    assert!((10.0..=28.0).contains(&fresh), "{fresh} fresh trajectories for a suite of 50");
    let (alarms, fresh) = false_alarms(200, 300);
    is_at_most("a suite of 200", 300, alarms, 0.009);
    assert!((40.0..=68.0).contains(&fresh), "{fresh} fresh trajectories for a suite of 200");
    let found = |newer, seed| share(2_000, seed, |dice| screened(dice, 0.97, newer).1);
    is_about("to .2", 2_000, found(0.2, 1), 0.98);
    is_about("to .5", 2_000, found(0.5, 2), 0.55);
}

/// 4.5: α .05 and β .10, in so many outcomes on average.
#[test]
fn the_sequential_test_errs_and_costs_as_designed() {
    const RUNS: u64 = 1_500;
    for (good, bad, rate, wanted) in [
        (0.95, 0.85, 0.95, 42.0),
        (0.95, 0.85, 0.85, 39.0),
        (0.95, 0.85, 0.995, 22.0),
        (0.95, 0.85, 0.50, 7.0),
        (0.95, 0.90, 0.95, 125.0),
        (0.95, 0.90, 0.90, 126.0),
    ] {
        let test = Sprt { good, bad, alpha: 0.05, beta: 0.10 };
        let mut outcomes = 0_u64;
        let refused = share(RUNS, 7, |dice| {
            test.test(std::iter::from_fn(|| {
                outcomes += 1;
                Some(dice.happens(rate))
            })) == Found::Bad
        });
        let (what, mean) = (format!("{good} or {bad} at {rate}"), as_float(outcomes) / as_float(RUNS));
        assert!((mean - wanted).abs() <= 0.06 * wanted + 0.5, "{what}: {mean} outcomes, not {wanted}");
        if rate >= good {
            is_at_most(&what, RUNS, refused, 0.05);
        } else {
            is_at_least(&what, RUNS, refused, 0.90);
        }
    }
}

/// A floor is judged by bounds and by the sequential test: together they err hardly more often than one alone, at one
/// look and at four.
#[test]
fn a_floor_errs_as_seldom_as_its_parts() {
    const RUNS: u64 = 800;
    let looks = |per_look: u64| LOOKS.map(|(share, _)| (per_look, level_at(share)));
    let one = |n: u64| vec![(n, Some(level_of_one_look()))];
    let ends = |floor: f64, margin: f64, rate: f64, looks: &[(u64, Option<f64>)], wanted: Found| {
        share(RUNS, looks.len() as u64, |dice| {
            let mut outcomes = Vec::new();
            let found = looks.iter().map(|(more, level)| {
                outcomes.extend((0..*more).map(|_| dice.happens(rate)));
                sequential::floor(&outcomes, floor, margin, *level)
            });
            found.into_iter().find(|found| *found != Found::Open) == Some(wanted)
        })
    };
    for (floor, margin) in [(0.95, 0.10), (0.80, 0.10), (0.50, 0.20)] {
        for looks in [one(5), one(20), one(100), looks(5).to_vec(), looks(20).to_vec()] {
            let what = format!("floor {floor}, looks {looks:?}");
            is_at_most(&what, RUNS, ends(floor, margin, floor, &looks, Found::Bad), 0.06);
            is_at_most(&what, RUNS, ends(floor, margin, floor - margin, &looks, Found::Good), 0.10);
        }
    }
    is_at_least("half where .8 is asked", RUNS, ends(0.8, 0.1, 0.5, &looks(5), Found::Bad), 0.85);
}

/// 4.5: whoever looks twenty times at a bound of 95 % refuses a good build in .22 of all cases instead of .05.
#[test]
fn who_looks_often_at_one_bound_deceives_himself() {
    const RUNS: u64 = 800;
    let refused = share(RUNS, 8, |dice| {
        let mut satisfied = 0;
        (1..=20).any(|look| {
            satisfied += dice.count(10, 0.9);
            let n = as_float(10 * look);
            wilson(as_float(satisfied) / n, n, level_of_one_look()).high < 0.9
        })
    });
    assert!(refused > 0.18, "{refused}");
}

/// 4.5: four looks refuse a build that is as good in .057; a drop of 5 points is seen in .97 after 307 of 480
/// trajectories on average, one of 10 points after 210. What is concentrated takes 210 here, not the design's 139:
/// where the few that changed changed wholly, the interval takes no heart from it.
#[test]
fn four_looks_err_and_cost_as_designed() {
    const RUNS: u64 = 300;
    let refused = |newer: fn(usize, f64) -> f64| {
        let mut trajectories = 0;
        let refused = share(RUNS, 9, |dice| {
            let suite = suite_of(dice, 60, newer);
            let mut strata = [Pairs { weight: 1.0, better: 0, worse: 0, pairs: 0 }; 60];
            LOOKS.iter().any(|(share, _)| {
                for (both, seen) in suite.iter().zip(&mut strata) {
                    let more = both.draw(dice, 2);
                    seen.better += more.better;
                    seen.worse += more.worse;
                    seen.pairs += more.pairs;
                }
                trajectories += 120;
                let level = level_at(*share).expect("is a look");
                difference(&strata, level).is_some_and(|found| found.high < 0.0)
            })
        });
        (refused, as_float(trajectories) / as_float(RUNS))
    };
    let (alarms, _) = refused(|_, older| older);
    is_at_most("no drop", RUNS, alarms, 0.057);
    let check = |what, newer, power, most| {
        let (seen, trajectories) = refused(newer);
        is_at_least(what, RUNS, seen, power);
        assert!(trajectories <= most, "{what}: {trajectories} trajectories on average");
    };
    check("5 points", |_, older| older - 0.05, 0.97, 325.0);
    check("10 points", |_, older| older - 0.10, 0.99, 225.0);
    check("7 of 60 broken", |at, older| if at < 7 { 0.0 } else { older }, 0.99, 225.0);
}
