//! When a rule is in force: windows on the virtual clock, counted from when it was armed.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    seed::{Ratio, SeedTree, Site},
    time::Span,
};

/// A stretch of bad weather that several rules share: all that name it are in force at the same times, whatever twins
/// they strike. Where it has odds or jitter, they are drawn from the seed by its name.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Episode {
    /// Its name: the key of its draws. Episodes of a plan's `episodes` are named there.
    #[serde(default)]
    pub name: SmolStr,
    /// How long after arming it first begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Span>,
    /// How long it lasts.
    pub lasts: Span,
    /// It begins again this long after it last began; once only where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// It begins later by a drawn time, at most this much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Span>,
    /// How likely it happens each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<Ratio>,
}

/// An episode, or the name of one of the plan's.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum During {
    /// One of the plan's.
    Named(SmolStr),
    /// One of the rule's own.
    Whole(Episode),
}

/// Short storms: the rule is in force at the beginning of each stretch.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// How long it is in force.
    #[serde(rename = "for")]
    pub span: Span,
    /// How long a stretch is.
    pub every: Span,
}

/// Odds that grow or shrink: from the rule's `probability` (0/1 where absent) to `to`, from `after` on.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// The odds at the end, and from then on.
    pub to: Ratio,
    /// How long it takes.
    pub over: Span,
}

/// How many episodes of a name may be on at once: each is looked at for each call.
const OVERLAP_MAX: u32 = 100;

impl Episode {
    /// What is wrong with it, in words.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let zero = |span: Option<Span>| span.is_some_and(|span| span.0.is_zero());
        match () {
            () if self.name.is_empty() => Some("an episode has a name"),
            () if self.lasts.0.is_zero() => Some("an episode lasts some time"),
            () if zero(self.every) => Some("an episode that comes again comes after some time"),
            () if self.every.is_some_and(|every| self.jitter.is_some_and(|jitter| jitter.0 > every.0)) => {
                Some("an episode's jitter is not longer than `every`")
            }
            () if self.every.is_some_and(|every| self.lasts.0 / OVERLAP_MAX > every.0) => {
                Some("an episode lasts so much longer than `every` that more than a hundred overlap")
            }
            () => None,
        }
    }

    /// Whether it is on, so long after arming.
    pub(super) fn is_on(&self, age: Duration, seeds: &SeedTree) -> bool {
        let Some(age) = age.checked_sub(self.after.map_or(Duration::ZERO, |after| after.0)) else { return false };
        let latest = self.every.map_or(0, |every| age.as_nanos() / every.0.as_nanos());
        // One that began late may still be on when the next is due.
        let lasting = self.every.map_or(0, |every| self.lasts.0.as_nanos() / every.0.as_nanos() + 1);
        (latest.saturating_sub(lasting)..=latest).any(|nth| self.covers(age, nth, seeds))
    }

    fn covers(&self, age: Duration, nth: u128, seeds: &SeedTree) -> bool {
        let every = self.every.map_or(Duration::ZERO, |every| every.0);
        let mut draw = seeds.draw(Site::named("episode").child(&self.name), u64::try_from(nth).unwrap_or(u64::MAX));
        let late = self.jitter.map_or(0, |jitter| draw.below(u64::try_from(jitter.0.as_nanos()).unwrap_or(u64::MAX)));
        let start = every.as_nanos() * nth + u128::from(late);
        let within = (start..start + self.lasts.0.as_nanos()).contains(&age.as_nanos());
        within && self.probability.is_none_or(|odds| draw.happens(odds))
    }
}

impl Burst {
    pub(super) fn is_on(self, age: Duration) -> bool {
        age.as_nanos() % self.every.0.as_nanos().max(1) < self.span.0.as_nanos()
    }
}

impl Ramp {
    /// The odds, so long after arming.
    pub(super) fn odds(self, from: Option<Ratio>, age: Duration) -> Ratio {
        let from = from.unwrap_or(Ratio::NEVER);
        if age >= self.over.0 {
            return self.to;
        }
        let part = age.as_nanos() * 1_000 / self.over.0.as_nanos().max(1);
        from.towards(self.to, u32::try_from(part).unwrap_or(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn span(secs: u64) -> Span {
        Span(Duration::from_secs(secs))
    }

    fn episode(name: &str, lasts: u64) -> Episode {
        Episode { name: name.into(), after: None, lasts: span(lasts), every: None, jitter: None, probability: None }
    }

    #[test]
    fn episodes_come_and_go() {
        let seeds = SeedTree::new(3);
        let check = |episode: &Episode, at: u64, on: bool| {
            assert_eq!(episode.is_on(Duration::from_secs(at), &seeds), on, "{episode:?} at {at}");
        };
        let once = Episode { after: Some(span(10)), ..episode("a", 5) };
        for (at, on) in [(0, false), (9, false), (10, true), (14, true), (15, false), (1_000, false)] {
            check(&once, at, on);
        }
        let again = Episode { every: Some(span(60)), ..once.clone() };
        for (at, on) in [(10, true), (15, false), (70, true), (74, true), (75, false), (6_010, true)] {
            check(&again, at, on);
        }
        let never = Episode { probability: Some(Ratio::NEVER), ..again.clone() };
        check(&never, 10, false);
        let long = Episode { lasts: span(100), ..again };
        check(&long, 10_000, true);
    }

    #[test]
    fn jitter_and_odds_are_the_seeds() {
        let episode = Episode {
            every: Some(span(60)),
            jitter: Some(span(40)),
            probability: Ratio::parse("1/2").ok(),
            ..episode("storm", 10)
        };
        let times = |seed: u64| -> Vec<u64> {
            let seeds = SeedTree::new(seed);
            (0..3_600).filter(|at| episode.is_on(Duration::from_secs(*at), &seeds)).collect()
        };
        assert_eq!(times(1), times(1));
        assert_ne!(times(1), times(2));
        assert!((150..450).contains(&times(1).len()), "{} of 3600 s, 300 expected", times(1).len());
    }

    #[test]
    fn ramps_and_bursts() {
        let ramp = Ramp { to: Ratio::ALWAYS, over: span(100) };
        let odds = |at: u64| ramp.odds(None, Duration::from_secs(at)).per_mille();
        assert_eq!([odds(0), odds(25), odds(50), odds(100), odds(500)], [0, 250, 500, 1_000, 1_000]);
        let down = Ramp { to: Ratio::NEVER, over: span(100) };
        assert_eq!(down.odds(Some(Ratio::ALWAYS), Duration::from_secs(25)).per_mille(), 750);
        let burst = Burst { span: span(5), every: span(60) };
        let on = |at: u64| burst.is_on(Duration::from_secs(at));
        assert_eq!([on(0), on(4), on(5), on(59), on(60), on(65)], [true, true, false, false, true, false]);
    }
}
