//! A rule ready to be asked: its patterns and conditions compiled, its times made absolute.

use std::time::Duration;

use globset::{Glob, GlobMatcher};
use smol_str::SmolStr;

use super::{
    condition::Condition,
    effect::{Effect, Strikes},
    rule::{Match, Part, Rule},
    told::{RuleError, Subject},
    window::During,
};
use crate::{seed::SeedTree, time::Timestamp};

/// A rule ready to be asked: patterns and conditions compiled, times made absolute.
#[derive(Debug)]
pub struct ArmedRule {
    /// The rule as written.
    pub rule: Rule,
    /// When it was armed.
    pub armed_at: Timestamp,
    pub(super) strikes: Strikes,
    pub(super) twin: Option<GlobMatcher>,
    pub(super) resource: Option<GlobMatcher>,
    pub(super) caller: Option<GlobMatcher>,
    pub(super) condition: Option<Condition>,
}

impl ArmedRule {
    pub(super) fn new(rule: &Rule, now: Timestamp) -> Result<Self, RuleError> {
        let unfit = |(part, why): (Part, String)| RuleError::Unfit { rule: rule.id.clone(), why, part };
        let glob = |part: Part, pattern: Option<&SmolStr>| {
            pattern.map(|text| Ok(glob(&rule.id, part, text)?.compile_matcher())).transpose()
        };
        if let Some(problem) = rule.problem() {
            return Err(unfit(problem));
        }
        if let Some(During::Named(name)) = &rule.on.during {
            return Err(unfit((Part::During, format!("no plan says when the episode `{name}` is"))));
        }
        glob(rule.on.name_part(), rule.on.name())?;
        let condition = rule.on.condition.as_deref().map(Condition::parse).transpose();
        Ok(Self {
            rule: rule.clone(),
            armed_at: now,
            strikes: rule.strikes(),
            twin: glob(Part::Twin, rule.on.twin.as_ref())?,
            resource: glob(Part::Resource, rule.on.resource.as_ref())?,
            caller: glob(Part::Caller, rule.on.caller.as_ref())?,
            condition: condition.map_err(|wrong| RuleError::Condition { rule: rule.id.clone(), wrong })?,
        })
    }

    pub(super) fn is_of(&self, twin: &str) -> bool {
        self.twin.as_ref().is_none_or(|pattern| pattern.is_match(twin))
    }

    pub(super) fn fits(&self, subject: Subject<'_>) -> bool {
        let fits = |pattern: &Option<GlobMatcher>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        let reaches = !subject.is_stranger || self.caller.is_none() && self.rule.effect.is_in_front();
        reaches && fits(&self.resource, subject.resource) && fits(&self.caller, subject.caller)
    }

    pub(super) fn is_in_force(&self, now: Timestamp, seeds: &SeedTree) -> bool {
        let on = &self.rule.on;
        let age = now.since(self.armed_at);
        let during = |during: &During| match during {
            During::Whole(episode) => episode.is_on(age, seeds),
            During::Named(_) => false,
        };
        on.after.is_none_or(|span| age >= span.0)
            && on.until.is_none_or(|span| age <= span.0)
            && self.rule.expires.is_none_or(|span| age <= span.0)
            && on.burst.is_none_or(|burst| burst.is_on(age))
            && on.during.as_ref().is_none_or(during)
    }

    /// Whether it can fire no more.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let age = now.since(self.armed_at);
        self.rule.on.until.is_some_and(|span| age > span.0) || self.rule.expires.is_some_and(|span| age > span.0)
    }

    /// The odds of a match now; none where it fires always.
    pub(super) fn odds(&self, now: Timestamp) -> Option<crate::seed::Ratio> {
        let on = &self.rule.on;
        match on.ramp {
            Some(ramp) => {
                let before = on.after.map_or(Duration::ZERO, |after| after.0);
                Some(ramp.odds(on.probability, now.since(self.armed_at).saturating_sub(before)))
            }
            None => on.probability,
        }
    }
}

impl Match {
    /// The pattern of what it strikes.
    pub(super) const fn name(&self) -> Option<&SmolStr> {
        match (&self.deliver, &self.timer) {
            (Some(deliver), _) => Some(deliver),
            (None, Some(timer)) => Some(timer),
            (None, None) => self.operation.as_ref(),
        }
    }

    /// The member that holds it.
    pub(super) const fn name_part(&self) -> Part {
        match (&self.deliver, &self.timer) {
            (Some(_), _) => Part::Deliver,
            (None, Some(_)) => Part::Timer,
            (None, None) => Part::Operation,
        }
    }
}

impl Effect {
    /// The time that it draws, or that follows from when it strikes.
    pub(super) fn drawn(&self, age: Duration, draw: impl FnOnce() -> crate::seed::Draw) -> Duration {
        match self {
            Self::Hold { every } => {
                let into = age.as_nanos() % every.0.as_nanos().max(1);
                every.0.saturating_sub(Duration::from_nanos(u64::try_from(into).unwrap_or(u64::MAX)))
            }
            Self::Latency(latency) if latency.span.is_none() => {
                let mut draw = draw();
                latency.draw(|| draw.bits())
            }
            Self::Latency(latency) => latency.draw(|| 0),
            Self::Reorder { within } => {
                let nanos = u64::try_from(within.0.as_nanos()).unwrap_or(u64::MAX);
                Duration::from_nanos(draw().below(nanos))
            }
            _ => Duration::ZERO,
        }
    }
}

/// Reads a pattern of a rule.
pub(super) fn glob(rule: &SmolStr, part: Part, pattern: &str) -> Result<Glob, RuleError> {
    let wrong = || RuleError::Pattern { rule: rule.clone(), pattern: pattern.into(), part };
    if pattern.len() > PATTERN_MAX {
        return Err(wrong());
    }
    Glob::new(pattern).map_err(|_| wrong())
}

/// The longest pattern.
const PATTERN_MAX: usize = 1_000;
