//! Deciding early without deceiving oneself: whoever looks often at a fixed bound finds something in the end.

use statrs::distribution::{ContinuousCDF, Normal};

use super::{LEVEL, exact, quantile};

/// The looks of a run that may stop early: share of its budget, and how far from the middle, in standard deviations,
/// a bound must lie to decide there. All looks together err about as often as one look at 5 % would.
pub const LOOKS: [(f64, f64); 4] = [(0.25, 3.48), (0.5, 2.46), (0.75, 2.01), (1.0, 1.74)];

/// The level of two-sided intervals of which one end decides, after this share of the budget; none before the first
/// look, where nothing can be decided.
pub fn level_at(share: f64) -> Option<f64> {
    let z = LOOKS.iter().rev().find(|(from, _)| share >= from - 1e-9)?.1;
    Some(2.0 * Normal::standard().cdf(z) - 1.0)
}

/// The level of two-sided intervals of which one end errs in as many cases as both of [`LEVEL`]'s: for the one look of
/// a run whose size was fixed beforehand.
pub fn level_of_one_look() -> f64 {
    // Both ends of an interval at 90 % are those of one-sided bounds at 95 %.
    2.0 * LEVEL - 1.0
}

/// What a sequential test has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The rate is the good one.
    Good,
    /// The rate is the bad one.
    Bad,
    /// It takes more.
    Open,
}

/// A sequential probability ratio test between two rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sprt {
    /// The rate of a good build.
    pub good: f64,
    /// The rate of a bad one.
    pub bad: f64,
    /// How often a good build is taken for bad.
    pub alpha: f64,
    /// How often a bad build is taken for good.
    pub beta: f64,
}

impl Sprt {
    /// The test of a floor: the floor against what lies `margin` below it.
    pub fn of_floor(floor: f64, margin: f64) -> Self {
        let inside = |rate: f64| rate.clamp(0.001, 0.999);
        Self { good: inside(floor), bad: inside(floor - margin), alpha: 0.05, beta: 0.10 }
    }

    /// What the first outcomes that suffice come to; those after them change nothing.
    pub fn test(&self, outcomes: impl IntoIterator<Item = bool>) -> Found {
        let (yes, no) = ((self.bad / self.good).ln(), ((1.0 - self.bad) / (1.0 - self.good)).ln());
        let bad = ((1.0 - self.beta) / self.alpha).ln();
        let good = (self.beta / (1.0 - self.alpha)).ln();
        let mut ratio = 0.0;
        for outcome in outcomes {
            ratio += if outcome { yes } else { no };
            if ratio >= bad {
                return Found::Bad;
            } else if ratio <= good {
                return Found::Good;
            }
        }
        Found::Open
    }
}

/// What outcomes say of a floor, where what lies `margin` below it must be found: a sequential test finds what lies a
/// little below soonest, exact bounds of this level what lies far below at once. No bounds where it is too early for
/// them.
pub fn floor(outcomes: &[bool], floor: f64, margin: f64, level: Option<f64>) -> Found {
    let satisfied = outcomes.iter().filter(|outcome| **outcome).count() as u64;
    let bounds = level.filter(|_| !outcomes.is_empty()).map(|level| exact(satisfied, outcomes.len() as u64, level));
    match bounds {
        Some(bounds) if bounds.high < floor => Found::Bad,
        Some(bounds) if bounds.low >= floor => Found::Good,
        _ => Sprt::of_floor(floor, margin).test(outcomes.iter().copied()),
    }
}

/// The share of an interval's level that lies beyond one of its ends.
pub fn beyond(level: f64) -> f64 {
    1.0 - Normal::standard().cdf(quantile(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_those_of_the_design() {
        assert_eq!(level_at(0.2), None);
        for (share, z) in LOOKS {
            let level = level_at(share).expect("is a look");
            assert!((quantile(level) - z).abs() < 1e-6, "{share}");
        }
        assert!((quantile(level_of_one_look()) - 1.645).abs() < 0.001);
        assert!((beyond(level_of_one_look()) - 0.05).abs() < 1e-9);
    }

    #[test]
    fn a_test_of_certain_outcomes_ends_soon() {
        let test = Sprt::of_floor(0.95, 0.10);
        let length =
            |outcome: bool, found: Found| (1..200).find(|n| test.test(std::iter::repeat_n(outcome, *n)) == found);
        assert_eq!(length(true, Found::Good), Some(21));
        assert_eq!(length(false, Found::Bad), Some(3));
        assert_eq!(test.test([]), Found::Open);
    }
}
