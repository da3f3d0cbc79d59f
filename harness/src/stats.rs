//! Intervals: how sure one can be of a fraction that was seen.
//!
//! The suite's interval answers "on *these* scenarios": scenarios are fixed strata. Pooling all trajectories would be
//! wider than need be, and averaging posteriors of small scenarios is badly biased.
//!
//! The population's interval answers "on the stories that are still to come": scenarios are drawn from all that might
//! have been written, and trajectories of one scenario resemble each other.

pub mod paired;
pub mod sequential;

use statrs::distribution::{Beta, ContinuousCDF, Normal, StudentsT};

/// The level of all intervals.
pub const LEVEL: f64 = 0.95;

/// A fraction and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The fraction seen.
    pub point: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

/// What was seen of one scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    /// How much it counts.
    pub weight: f64,
    /// Trajectories that satisfied.
    pub satisfied: u64,
    /// Trajectories that were decided, satisfied or not.
    pub decided: u64,
    /// Trajectories of which nobody could tell. They pull the interval's ends apart: the lower one takes them for
    /// unsatisfied, the upper one for satisfied.
    pub undecided: u64,
}

impl Stratum {
    const fn at_worst(self) -> Self {
        Self { decided: self.decided + self.undecided, undecided: 0, ..self }
    }

    const fn at_best(self) -> Self {
        Self { satisfied: self.satisfied + self.undecided, ..self.at_worst() }
    }

    fn fraction(&self) -> f64 {
        as_float(self.satisfied) / as_float(self.decided)
    }

    /// The variance of the fraction's mean. One trajectory tells nothing of its own spread: it is taken for a draw
    /// at the rate of the suite, `overall`.
    fn variance(&self, overall: f64) -> f64 {
        if self.decided < 2 {
            return overall * (1.0 - overall);
        }
        let x = self.fraction();
        x * (1.0 - x) / (as_float(self.decided) - 1.0)
    }
}

/// How far from the middle, in standard deviations, the level's two-sided interval ends.
pub fn quantile(level: f64) -> f64 {
    Normal::standard().inverse_cdf(f64::midpoint(1.0, level))
}

/// The Wilson interval of a fraction seen among `n`; `n` need not be whole. All of 0 to 1 where `n` is 0.
pub fn wilson(fraction: f64, n: f64, level: f64) -> Estimate {
    if n <= 0.0 {
        return Estimate { point: fraction, low: 0.0, high: 1.0 };
    }
    let z2 = quantile(level).powi(2);
    let centre = (fraction + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let spread = (z2 * (fraction * (1.0 - fraction) / n + z2 / (4.0 * n * n))).sqrt() / (1.0 + z2 / n);
    // Rounding must not push the ends past the fraction itself.
    let low = (centre - spread).clamp(0.0, fraction);
    let high = (centre + spread).clamp(fraction, 1.0);
    Estimate { point: fraction, low, high }
}

/// The interval of a fraction seen among `decided` that errs at neither end more often than it says, however few they
/// are: Clopper and Pearson's. All of 0 to 1 where nothing was decided.
pub fn exact(satisfied: u64, decided: u64, level: f64) -> Estimate {
    if decided == 0 {
        return Estimate { point: 0.0, low: 0.0, high: 1.0 };
    }
    let point = as_float(satisfied) / as_float(decided);
    let beyond = (1.0 - level) / 2.0;
    let end = |a: u64, b: u64, share: f64| Beta::new(as_float(a), as_float(b)).map(|beta| beta.inverse_cdf(share)).ok();
    // With no failure, or nothing else, one parameter is 0, and there is no such distribution.
    let low = end(satisfied, decided - satisfied + 1, beyond).unwrap_or(0.0);
    let high = end(satisfied + 1, decided - satisfied, 1.0 - beyond).unwrap_or(1.0);
    Estimate { point, low: low.min(point), high: high.max(point) }
}

/// One scenario's fraction with its Wilson interval; none where nothing was decided.
pub fn scenario(satisfied: u64, decided: u64) -> Option<Estimate> {
    (decided > 0).then(|| wilson(as_float(satisfied) / as_float(decided), as_float(decided), LEVEL))
}

/// How likely three trajectories satisfy, one after the other, without bias: the share of all threes that do. None
/// where fewer than three were decided.
pub fn consistency(satisfied: u64, decided: u64) -> Option<f64> {
    let share = |taken: u64| as_float(satisfied.saturating_sub(taken)) / as_float(decided.saturating_sub(taken));
    (decided >= 3).then(|| (0..3).map(share).product())
}

/// The satisfaction of a suite: the weighted mean of the scenarios' fractions, with the Wilson interval at the number
/// of independent trajectories that would have the same variance. Scenarios with nothing decided, or without weight,
/// do not count; none where none counts.
pub fn suite(strata: &[Stratum], level: f64) -> Option<Estimate> {
    spread(strata, |strata| wilson(strata.point, strata.size(), level))
}

/// The suite's interval as gates take it. Where nothing failed, Wilson's lower end promises more than so many
/// trajectories can show (25 would do for .90, and it takes 29): there the exact one counts, and likewise at the other
/// end.
pub fn claim(strata: &[Stratum], level: f64) -> Option<Estimate> {
    let found = suite(strata, level)?;
    let certain = |strata: &Weighed| ((1.0 - level) / 2.0).powf(1.0 / strata.nominal());
    let worst = Weighed::new(strata.iter().map(|s| s.at_worst()))?;
    let best = Weighed::new(strata.iter().map(|s| s.at_best()))?;
    let low = if worst.point >= 1.0 { found.low.min(certain(&worst)) } else { found.low };
    let high = if best.point <= 0.0 { found.high.max(1.0 - certain(&best)) } else { found.high };
    Some(Estimate { low, high, ..found })
}

/// The satisfaction of a suite as a sample of all scenarios that might have been written: the same fraction, with the
/// interval of clustered data. One scenario says nothing of others: its interval is all of 0 to 1.
pub fn population(strata: &[Stratum], level: f64) -> Option<Estimate> {
    spread(strata, |strata| wilson(strata.point, strata.clusters(level), level))
}

/// An interval whose ends hold for whatever the undecided would have been.
fn spread(strata: &[Stratum], interval: impl Fn(&Weighed) -> Estimate) -> Option<Estimate> {
    let point = Weighed::new(strata.iter().copied())?.point;
    let low = interval(&Weighed::new(strata.iter().map(|s| s.at_worst()))?).low;
    let high = interval(&Weighed::new(strata.iter().map(|s| s.at_best()))?).high;
    Some(Estimate { point, low: low.min(point), high: high.max(point) })
}

/// The scenarios that count.
struct Weighed {
    strata: Vec<Stratum>,
    total: f64,
    point: f64,
}

impl Weighed {
    fn new(strata: impl Iterator<Item = Stratum>) -> Option<Self> {
        let strata: Vec<Stratum> = strata.filter(|s| s.decided > 0 && s.weight > 0.0).collect();
        let total: f64 = strata.iter().map(|s| s.weight).sum();
        let point = (strata.iter().map(|s| s.weight * s.fraction()).sum::<f64>() / total).clamp(0.0, 1.0);
        (!strata.is_empty()).then_some(Self { strata, total, point })
    }

    /// The sum over scenarios of `term`, each times the square of its share of the weight.
    fn squares(&self, term: impl Fn(&Stratum) -> f64) -> f64 {
        self.strata.iter().map(|s| (s.weight / self.total).powi(2) * term(s)).sum()
    }

    /// How many independent trajectories would tell as much of these scenarios.
    fn size(&self) -> f64 {
        let variance = self.squares(|s| s.variance(self.point));
        if variance > 0.0 { self.point * (1.0 - self.point) / variance } else { self.nominal() }
    }

    /// The size where the suite's own variance says nothing, because each scenario is at 0 or at 1: what its variance
    /// would be at one rate for all. With equal weights and sizes that is the number of trajectories.
    fn nominal(&self) -> f64 {
        1.0 / self.squares(|s| 1.0 / as_float(s.decided))
    }

    /// How many independent trajectories would tell as much of all scenarios that might have been written. Where
    /// scenarios do not differ they may still be of one kind: each counts once.
    fn clusters(&self, level: f64) -> f64 {
        let count = as_float(self.strata.len() as u64);
        let Ok(student) = StudentsT::new(0.0, 1.0, count - 1.0) else { return 0.0 };
        let variance = self.squares(|s| (s.fraction() - self.point).powi(2)) * count / (count - 1.0);
        let size = if variance > 0.0 {
            (self.point * (1.0 - self.point) / variance).min(self.nominal())
        } else {
            1.0 / self.squares(|_| 1.0)
        };
        let t = student.inverse_cdf(f64::midpoint(1.0, level));
        size * (quantile(level) / t).powi(2)
    }
}

/// To four digits, so that machines whose last digits differ give equal bytes.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// Counts of trajectories are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, which no count of trajectories reaches")]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
pub(crate) mod simulation;

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 0.000_6
    }

    #[test]
    fn wilson_agrees_with_the_table() {
        let check = |satisfied, decided, low, high| {
            let found = scenario(satisfied, decided).expect("something was decided");
            assert!(near(found.low, low) && near(found.high, high), "{satisfied}/{decided}: {found:?}");
        };
        check(9, 10, 0.596, 0.982);
        check(20, 20, 0.839, 1.0);
        check(95, 100, 0.888, 0.978);
        check(285, 300, 0.919, 0.969);
        check(950, 1000, 0.935, 0.962);
        check(0, 20, 0.0, 0.161);
        assert_eq!(scenario(0, 0), None);
    }

    #[test]
    fn lower_ends_for_gates_agree_with_the_table() {
        let check = |satisfied, decided, wanted| {
            let n = as_float(decided);
            let found = wilson(as_float(satisfied) / n, n, sequential::level_of_one_look());
            assert!(near(found.low, wanted), "{satisfied}/{decided}: {found:?}");
        };
        check(9, 10, 0.652);
        check(20, 20, 0.881);
        check(95, 100, 0.901);
        check(285, 300, 0.925);
        check(950, 1000, 0.937);
    }

    #[test]
    fn the_exact_interval_agrees_with_the_table() {
        let check = |satisfied, decided, low, high| {
            let found = exact(satisfied, decided, LEVEL);
            assert!(near(found.low, low) && near(found.high, high), "{satisfied}/{decided}: {found:?}");
        };
        check(9, 10, 0.555, 0.997);
        check(20, 20, 0.832, 1.0);
        check(95, 100, 0.887, 0.984);
        check(285, 300, 0.919, 0.972);
        check(950, 1000, 0.935, 0.963);
        check(0, 20, 0.0, 0.168);
        check(0, 0, 0.0, 1.0);
    }

    #[test]
    fn so_many_without_a_failure_are_needed_for_a_claim() {
        for (wanted, needed) in [(0.90, 29), (0.95, 59), (0.98, 149), (0.99, 299), (0.999, 2_995)] {
            let shows = |n: u64| {
                let found = claim(&[stratum(n, n)], sequential::level_of_one_look()).expect("decided");
                found.low >= wanted
            };
            assert!(shows(needed) && !shows(needed - 1), "{wanted}");
        }
        let failed = claim(&[stratum(0, 29)], sequential::level_of_one_look()).expect("decided");
        assert!(near(failed.high, 1.0 - 0.05_f64.powf(1.0 / 29.0)), "{failed:?}");
    }

    fn stratum(satisfied: u64, decided: u64) -> Stratum {
        Stratum { weight: 1.0, satisfied, decided, undecided: 0 }
    }

    #[test]
    fn a_suite_counts_scenarios_alike_whatever_their_size() {
        let found = suite(&[stratum(2, 4), stratum(100, 100)], LEVEL).expect("decided");
        assert!(near(found.point, 0.75), "{found:?}");
        let weighted = [Stratum { weight: 3.0, ..stratum(2, 4) }, stratum(100, 100)];
        assert!(near(suite(&weighted, LEVEL).expect("decided").point, 0.625));
        assert_eq!(suite(&[stratum(0, 0)], LEVEL), None);
        assert_eq!(suite(&[], LEVEL), None);
    }

    #[test]
    fn scenarios_that_always_end_alike_leave_the_plain_interval() {
        let perfect = suite(&[stratum(5, 5); 4], LEVEL).expect("decided");
        assert_eq!(Some(perfect), scenario(20, 20));
        let halves = suite(&[stratum(5, 5), stratum(0, 5)], LEVEL).expect("decided");
        assert_eq!(Some(halves), scenario(5, 10));
        let single = suite(&[stratum(1, 1), stratum(0, 1), stratum(1, 1), stratum(1, 1)], LEVEL).expect("decided");
        let plain = scenario(3, 4).expect("decided");
        assert!(near(single.low, plain.low) && near(single.high, plain.high), "{single:?} {plain:?}");
    }

    #[test]
    fn strata_narrow_the_interval() {
        let strata = [stratum(10, 10), stratum(0, 10), stratum(9, 10), stratum(10, 10)];
        let stratified = suite(&strata, LEVEL).expect("decided");
        let pooled = scenario(29, 40).expect("decided");
        assert!(stratified.high - stratified.low < pooled.high - pooled.low);
        assert!(stratified.low <= stratified.point && stratified.point <= stratified.high);
    }

    #[test]
    fn undecided_trajectories_pull_the_ends_apart() {
        let sure = suite(&[stratum(9, 10)], LEVEL).expect("decided");
        let found = suite(&[Stratum { undecided: 5, ..stratum(9, 10) }], LEVEL).expect("decided");
        assert!(near(found.point, sure.point) && found.low < sure.low && found.high > sure.high, "{found:?} {sure:?}");
        assert!(near(found.low, suite(&[stratum(9, 15)], LEVEL).expect("decided").low), "{found:?}");
        assert_eq!(suite(&[Stratum { undecided: 5, ..stratum(0, 0) }], LEVEL), None);
    }

    #[test]
    fn consistency_is_the_share_of_threes() {
        assert_eq!([consistency(2, 2), consistency(0, 0)], [None, None]);
        assert!(near(consistency(5, 5).expect("enough"), 1.0) && near(consistency(2, 5).expect("enough"), 0.0));
        // Of the ten threes of five, four are of the four that satisfied.
        assert!(near(consistency(4, 5).expect("enough"), 0.4));
        assert!(near(consistency(950_000, 1_000_000).expect("enough"), 0.857));
    }

    #[test]
    fn one_scenario_says_nothing_of_others() {
        let found = population(&[stratum(20, 20)], LEVEL).expect("decided");
        assert_eq!(found, Estimate { point: 1.0, low: 0.0, high: 1.0 });
        let two = population(&[stratum(20, 20); 2], LEVEL).expect("decided");
        let many = population(&[stratum(20, 20); 30], LEVEL).expect("decided");
        assert!(two.low < 0.1 && many.low > 0.85 && many.low < 0.9, "{two:?} {many:?}");
        assert_eq!(population(&[], LEVEL), None);
    }

    proptest::proptest! {
        #[test]
        fn intervals_hold_their_point_and_grow_with_what_is_satisfied(
            cells in proptest::collection::vec((0_u64..30, 1_u64..30, 0_u64..3), 1..12), level in 0.5..0.999_f64,
        ) {
            let strata: Vec<Stratum> = cells.iter().map(|(satisfied, decided, undecided)| Stratum {
                undecided: *undecided, ..stratum(*satisfied.min(decided), *decided)
            }).collect();
            for interval in [suite, population] {
                let found = interval(&strata, level).expect("decided");
                proptest::prop_assert!(0.0 <= found.low && found.low <= found.point, "{found:?}");
                proptest::prop_assert!(found.point <= found.high && found.high <= 1.0, "{found:?}");
                let wider = interval(&strata, f64::midpoint(level, 1.0)).expect("decided");
                proptest::prop_assert!(wider.low <= found.low + 1e-9 && wider.high >= found.high - 1e-9);
            }
        }

        #[test]
        fn one_more_satisfied_raises_both_ends(satisfied in 0_u64..200, more in 1_u64..200) {
            let (before, after) = (scenario(satisfied, satisfied + more), scenario(satisfied + 1, satisfied + more));
            let (before, after) = (before.expect("decided"), after.expect("decided"));
            proptest::prop_assert!(before.low <= after.low && before.high <= after.high, "{before:?} {after:?}");
            let [less, same] = [satisfied, satisfied + 1].map(|satisfied| exact(satisfied, 401, LEVEL));
            proptest::prop_assert!(less.low < same.low && less.high < same.high, "{less:?} {same:?}");
            proptest::prop_assert!(0.0 <= less.low && less.low <= less.point && less.point <= less.high && less.high <= 1.0);
        }
    }
}
