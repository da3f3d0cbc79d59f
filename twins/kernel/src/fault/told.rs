//! What may be struck, and what came of asking the rules.

use std::time::Duration;

use imbl::OrdMap;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    condition::Wrong,
    effect::{Effect, Strikes},
    rule::Part,
};

/// How many rules may be armed at once.
pub(super) const RULES_MAX: usize = 10_000;

/// Why a rule cannot be armed.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A pattern is malformed.
    #[error("rule `{rule}`: bad pattern `{pattern}`")]
    Pattern {
        /// The rule's id.
        rule: SmolStr,
        /// The pattern.
        pattern: SmolStr,
        /// The member that holds it.
        part: Part,
    },
    /// Its members do not go together.
    #[error("rule `{rule}`: {why}")]
    Unfit {
        /// The rule's id.
        rule: SmolStr,
        /// What is wrong, in words.
        why: String,
        /// The member to blame.
        part: Part,
    },
    /// Its condition cannot be asked.
    #[error("rule `{rule}`: bad condition: {}", wrong.why)]
    Condition {
        /// The rule's id.
        rule: SmolStr,
        /// What is wrong with it, and where in it.
        wrong: Wrong,
    },
    /// Two rules share an id.
    #[error("rule `{rule}` is there twice")]
    Twice {
        /// The rule's id.
        rule: SmolStr,
    },
    /// More rules, or longer patterns, than can be asked for each call.
    #[error("these are more rules than can be armed at once: at most {RULES_MAX}, with short patterns")]
    TooMany,
    /// It names a twin or an operation that is not there.
    #[error("rule `{rule}`: {what}")]
    Nobody {
        /// The rule's id.
        rule: SmolStr,
        /// What is not there, in words.
        what: String,
        /// What may have been meant; empty where there is nothing to say.
        hint: String,
        /// The member that names it.
        part: Part,
    },
}

impl RuleError {
    /// The member to blame.
    pub const fn part(&self) -> Part {
        match self {
            Self::Pattern { part, .. } | Self::Unfit { part, .. } | Self::Nobody { part, .. } => *part,
            Self::Condition { .. } => Part::Condition,
            Self::Twice { .. } | Self::TooMany => Part::Id,
        }
    }

    /// What may have been meant; empty where there is nothing to say.
    pub fn hint(&self) -> &str {
        match self {
            Self::Nobody { hint, .. } => hint,
            _ => "",
        }
    }
}

/// A call, delivery or timer that may be struck.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// What it is.
    pub kind: Strikes,
    /// The twin's name.
    pub twin: &'a str,
    /// Operation id, kind of delivery, or the timer's name.
    pub name: &'a str,
    /// Whether it changes anything.
    pub writes: bool,
    /// The names under which the twin takes cursors.
    pub cursors: &'a [&'a str],
    /// The object it names; empty where it names none.
    pub resource: &'a str,
    /// Who calls, or who is behind it; empty where unknown.
    pub caller: &'a str,
    /// Whether the service turns the caller away: then only what stands in front of the service strikes.
    pub is_stranger: bool,
    /// What conditions look at. Asked only where a rule has one.
    pub facts: &'a dyn Fn() -> Value,
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} of {}", self.kind.name(), self.name, self.twin)
    }
}

/// A rule that fired.
#[derive(Clone, Debug)]
pub struct Fired {
    /// The rule's id.
    pub rule: SmolStr,
    /// What it does.
    pub effect: Effect,
    /// The time that was drawn, for effects that draw one.
    pub drawn: Duration,
}

/// Why a rule whose patterns fit did not fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is not in force: too early, over, or between two episodes or bursts.
    NotInForce,
    /// Its condition does not hold, or cannot be told.
    Condition,
    /// The call is none that its effect can strike.
    Unfit,
    /// It is not the nth match.
    NotTheNth,
    /// The draw went the other way.
    Odds,
    /// It has fired as often as it may.
    Spent,
    /// A rule before it fired.
    Shadowed,
}

impl Why {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotInForce => "not in force at this time",
            Self::Condition => "its condition does not hold",
            Self::Unfit => "the effect cannot strike such a call",
            Self::NotTheNth => "not the nth match",
            Self::Odds => "the draw went the other way",
            Self::Spent => "it has fired as often as it may",
            Self::Shadowed => "a rule before it fired",
        }
    }
}

/// A rule that did not fire, for the first time for this reason.
#[derive(Clone, Debug)]
pub struct Skipped {
    /// The rule's id.
    pub rule: SmolStr,
    /// Why.
    pub why: Why,
}

/// What came of asking the rules.
#[derive(Clone, Debug, Default)]
pub struct Struck {
    /// The rule that fired.
    pub fired: Option<Fired>,
    /// Rules that were skipped, each for the first time for its reason.
    pub skipped: Vec<Skipped>,
}

/// How a rule has fared since it was armed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often its match was met while it was in force.
    pub matched: u64,
    /// How often it fired.
    pub fired: u64,
    /// How often it was skipped, by reason.
    pub skipped: OrdMap<Why, u64>,
}
