//! Intervals: how sure one can be of a fraction that was seen.
//!
//! The suite's interval answers "on *these* scenarios": scenarios are fixed strata. Pooling all trajectories would be
//! wider than need be, and averaging posteriors of small scenarios is badly biased.

use statrs::distribution::{ContinuousCDF, Normal};

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
}

impl Stratum {
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

/// One scenario's fraction with its Wilson interval; none where nothing was decided.
pub fn scenario(satisfied: u64, decided: u64) -> Option<Estimate> {
    (decided > 0).then(|| wilson(as_float(satisfied) / as_float(decided), as_float(decided), LEVEL))
}

/// The satisfaction of a suite: the weighted mean of the scenarios' fractions, with the Wilson interval at the number
/// of independent trajectories that would have the same variance. Scenarios with nothing decided, or without weight,
/// do not count; none where none counts.
pub fn suite(strata: &[Stratum], level: f64) -> Option<Estimate> {
    let strata: Vec<&Stratum> = strata.iter().filter(|s| s.decided > 0 && s.weight > 0.0).collect();
    let total: f64 = strata.iter().map(|s| s.weight).sum();
    if strata.is_empty() {
        return None;
    }
    let point = (strata.iter().map(|s| s.weight * s.fraction()).sum::<f64>() / total).clamp(0.0, 1.0);
    let variance = strata.iter().map(|s| (s.weight / total).powi(2) * s.variance(point)).sum::<f64>();
    let n = if variance > 0.0 { point * (1.0 - point) / variance } else { nominal(&strata, total) };
    Some(wilson(point, n, level))
}

/// The size of the suite where its own variance says nothing, because each scenario is at 0 or at 1: what its variance
/// would be at one rate for all. With equal weights and sizes that is the number of trajectories.
fn nominal(strata: &[&Stratum], total: f64) -> f64 {
    1.0 / strata.iter().map(|s| (s.weight / total).powi(2) / as_float(s.decided)).sum::<f64>()
}

/// Counts of trajectories are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, which no count of trajectories reaches")]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use dtu_kernel::seed::{SeedTree, Site};

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

    fn stratum(satisfied: u64, decided: u64) -> Stratum {
        Stratum { weight: 1.0, satisfied, decided }
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

    /// The share of simulated suites whose interval holds the truth.
    fn coverage(rates: &[u64], seeds: u64, salt: u64) -> f64 {
        const RUNS: u64 = 10_000;
        let tree = SeedTree::new(salt);
        let truth = as_float(rates.iter().sum()) / as_float(rates.len() as u64) / 1_000.0;
        let mut held = 0_u64;
        for run in 0..RUNS {
            let mut draw = tree.draw(Site::named("coverage"), run * 64);
            let draw_one = |rate: &u64| {
                let satisfied = (0..seeds).filter(|_| draw.below(1_000) < *rate).count() as u64;
                stratum(satisfied, seeds)
            };
            let strata: Vec<Stratum> = rates.iter().map(draw_one).collect();
            let found = suite(&strata, LEVEL).expect("decided");
            held += u64::from(found.low <= truth && truth <= found.high);
        }
        as_float(held) / as_float(RUNS)
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        let check = |rates: &[u64], seeds, salt| {
            let found = coverage(rates, seeds, salt);
            assert!(found >= 0.92, "coverage {found} of {rates:?} with {seeds} seeds");
        };
        check(&[950; 20], 5, 1);
        check(&[990, 990, 950, 900, 900, 800, 500, 990, 990, 950, 700, 850], 5, 2);
        check(&[1_000, 1_000, 0, 600, 900, 900, 1_000, 300, 950, 800], 10, 3);
    }
}
