//! Whether a build is worse than another: the same scenarios, variants and seeds on both.

use statrs::function::factorial::ln_binomial;

use super::{Estimate, Stratum, as_float, suite};

/// What was seen of one scenario on two builds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pairs {
    /// How much it counts.
    pub weight: f64,
    /// Pairs in which only the newer build satisfied.
    pub better: u64,
    /// Pairs in which only the older build satisfied.
    pub worse: u64,
    /// Pairs of trajectories that were decided on both builds.
    pub pairs: u64,
}

/// The change of satisfaction from the older build to the newer one on these scenarios, between -1 and 1, with its
/// two-sided interval; none where there is no pair.
///
/// Both rates of change have the suite's interval, and these are put together by the distances of their ends. So no
/// change at all among few pairs proves as little as it should.
pub fn difference(strata: &[Pairs], level: f64) -> Option<Estimate> {
    let rate = |count: fn(&Pairs) -> u64| {
        let stratum = |s: &Pairs| Stratum { weight: s.weight, satisfied: count(s), decided: s.pairs, undecided: 0 };
        suite(&strata.iter().map(stratum).collect::<Vec<_>>(), level)
    };
    let (better, worse) = (rate(|s| s.better)?, rate(|s| s.worse)?);
    let point = better.point - worse.point;
    let together = correlation(better.point, worse.point);
    let apart = |a: f64, b: f64| (a * a + b * b - 2.0 * together * a * b).max(0.0).sqrt();
    let low = point - apart(better.point - better.low, worse.high - worse.point);
    let high = point + apart(better.high - better.point, worse.point - worse.low);
    Some(Estimate { point, low: low.max(-1.0), high: high.min(1.0) })
}

/// How two classes of one draw go together: never, so that it is not above 0.
fn correlation(a: f64, b: f64) -> f64 {
    let others = (1.0 - a) * (1.0 - b);
    if others > 0.0 { -(a * b / others).sqrt().min(1.0) } else { 0.0 }
}

/// How likely the newer build would satisfy so seldom if it were as good as the older one: Fisher's exact test of
/// `newer` of `of` against `older` of `of`.
pub fn fisher(older: u64, newer: u64, of: u64) -> f64 {
    let total = older + newer;
    let ways = |k: u64| (ln_binomial(of, k) + ln_binomial(of, total - k) - ln_binomial(2 * of, total)).exp();
    (total.saturating_sub(of)..=newer).map(ways).sum::<f64>().min(1.0)
}

/// Whether so many satisfied fewer, `newer` of `of` after `older` of `of`, that a scenario is looked into: a drop of
/// `screen` or more.
pub fn is_suspect(older: u64, newer: u64, of: u64, screen: f64) -> bool {
    // Rounding must not let a drop of exactly so much through.
    of > 0 && (as_float(older) - as_float(newer)) / as_float(of) >= screen - 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two-sided, so that each end alone errs in one case of twenty.
    const ONE_SIDED: f64 = 0.90;

    fn pairs(better: u64, worse: u64, pairs: u64) -> Pairs {
        Pairs { weight: 1.0, better, worse, pairs }
    }

    #[test]
    fn few_pairs_prove_little() {
        let check = |strata: &[Pairs], low: f64, high: f64| {
            let found = difference(strata, ONE_SIDED).expect("there are pairs");
            assert!((found.low - low).abs() < 0.002 && (found.high - high).abs() < 0.002, "{strata:?}: {found:?}");
        };
        check(&[pairs(0, 0, 1)], -0.730, 0.730);
        check(&[pairs(0, 0, 100)], -0.026, 0.026);
        check(&[pairs(0, 0, 5); 50], -0.011, 0.011);
        check(&[pairs(0, 10, 10)], -1.0, -0.699);
        check(&[pairs(10, 0, 10)], 0.699, 1.0);
        assert_eq!(difference(&[pairs(0, 0, 0)], ONE_SIDED), None);
        assert_eq!(difference(&[], ONE_SIDED), None);
    }

    #[test]
    fn fishers_test_agrees_with_the_table() {
        let check = |older, newer, of, wanted: f64| {
            let found = fisher(older, newer, of);
            assert!((found - wanted).abs() < 0.000_6, "{older}/{of} to {newer}/{of}: {found}");
        };
        check(5, 2, 5, 0.083);
        check(5, 0, 5, 0.004);
        check(20, 14, 20, 0.010);
        check(5, 5, 5, 1.0);
        check(0, 0, 5, 1.0);
        check(0, 0, 0, 1.0);
        assert!(fisher(0, 5, 5) > 0.999);
    }

    #[test]
    fn a_drop_of_exactly_so_much_is_suspect() {
        assert!(is_suspect(10, 7, 10, 0.3) && is_suspect(5, 3, 5, 0.3));
        assert!(!is_suspect(5, 4, 5, 0.3) && !is_suspect(3, 9, 10, 0.3) && !is_suspect(0, 0, 0, 0.3));
    }

    proptest::proptest! {
        #[test]
        fn swapping_the_builds_swaps_the_ends(
            cells in proptest::collection::vec((0_u64..9, 0_u64..9, 0_u64..9), 1..9), level in 0.5..0.999_f64,
        ) {
            let strata: Vec<Pairs> = cells.iter().map(|(b, w, same)| pairs(*b, *w, b + w + same)).collect();
            let swapped: Vec<Pairs> = strata.iter().map(|s| pairs(s.worse, s.better, s.pairs)).collect();
            let (found, turned) = (difference(&strata, level), difference(&swapped, level));
            proptest::prop_assert_eq!(found.is_some(), turned.is_some());
            if let (Some(found), Some(turned)) = (found, turned) {
                proptest::prop_assert!((found.low + turned.high).abs() < 1e-9, "{:?} {:?}", found, turned);
                proptest::prop_assert!(-1.0 <= found.low && found.low <= found.point && found.point <= found.high);
            }
        }
    }
}
