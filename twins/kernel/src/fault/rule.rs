//! A rule as a person writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    effect::{Effect, Strikes},
    window::{Burst, During, Ramp},
};
use crate::{seed::Ratio, time::Span};

/// One rule of a plan: what it strikes, and what it does.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule's name: part of the key of its draws, and shown in the ledger.
    pub id: SmolStr,
    /// What the rule strikes.
    pub on: Match,
    /// What it does.
    #[serde(rename = "do")]
    pub effect: Effect,
    /// How often it may fire at most; no end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// How long after it was armed it ends by itself (virtual time).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Span>,
}

/// Which calls, deliveries or timers a rule strikes. Absent members match all. In patterns `*` stands for any text, and
/// `{a,b}` for either of the two.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The twin's name, as a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<SmolStr>,
    /// The operation's id, as a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<SmolStr>,
    /// The kind of delivery (`event_callback`, `event_hook`, ...), as a pattern. A rule with this member strikes
    /// deliveries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver: Option<SmolStr>,
    /// A timer of the twin by its name (`group_rules`), as a pattern. A rule with this member strikes timers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<SmolStr>,
    /// The object that the call names (a channel, a user id), or that the delivery goes to (an app, a hook), as a
    /// pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<SmolStr>,
    /// The caller as the ledger writes it, or who is behind a delivery (`actor:ana`), as a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<SmolStr>,
    /// What must hold of the call's arguments, in CEL: `args` (query, form and JSON members), `path` (parameters of the
    /// path), `method`; of a delivery `args` is what the twin keeps of it.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Only the nth match, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Not before this long after arming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Span>,
    /// Not later than this long after arming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Span>,
    /// Only during an episode, which several rules may share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<During>,
    /// Only in short storms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<Burst>,
    /// How likely each match fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<Ratio>,
    /// Odds that grow or shrink from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Ramp>,
}

/// A member of a rule: where a problem lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `id`
    Id,
    /// `do`
    Effect,
    /// `on`
    On,
    /// `twin`
    Twin,
    /// `operation`
    Operation,
    /// `deliver`
    Deliver,
    /// `timer`
    Timer,
    /// `resource`
    Resource,
    /// `caller`
    Caller,
    /// `where`
    Condition,
    /// `during`
    During,
}

impl Rule {
    /// What it strikes, by its members and its effect.
    pub const fn strikes(&self) -> Strikes {
        match (&self.on.deliver, &self.on.timer, &self.effect) {
            (Some(_), ..) => Strikes::Deliveries,
            (None, Some(_), _) => Strikes::Timers,
            (None, None, Effect::Refuse {}) => Strikes::Connections,
            (None, None, Effect::CloseSocket { .. }) => Strikes::Sockets,
            (None, None, _) => Strikes::Calls,
        }
    }

    /// What cannot work about it: the member to blame, and why in words.
    pub(super) fn problem(&self) -> Option<(Part, String)> {
        let (strikes, name) = (self.strikes(), self.effect.name());
        if self.id.is_empty() {
            return Some((Part::Id, "a rule has an id".to_owned()));
        }
        if !self.effect.can_strike(strikes) {
            let why = format!("`{name}` cannot strike {}{}", strikes.name(), self.advice());
            return Some((Part::Effect, why));
        }
        if let Some(problem) = self.effect.problem() {
            return Some((Part::Effect, problem.to_owned()));
        }
        let on = &self.on;
        if strikes != Strikes::Calls && on.operation.is_some() {
            let why = format!("`operation` is for calls; this rule strikes {}", strikes.name());
            return Some((Part::Operation, why));
        }
        if strikes == Strikes::Sockets && (on.caller.is_some() || on.resource.is_some() || on.condition.is_some()) {
            return Some((Part::On, "a socket has neither `caller` nor `resource` nor arguments".to_owned()));
        }
        if strikes == Strikes::Connections {
            let drawn = on.nth.is_some() || on.probability.is_some() || on.ramp.is_some() || self.times.is_some();
            let named = on.resource.is_some() || on.caller.is_some() || on.condition.is_some();
            if drawn || named {
                let why = "a port is open or closed for all: `refuse` takes `twin` and times only";
                return Some((Part::On, why.to_owned()));
            }
        }
        if let Some(During::Whole(episode)) = &on.during
            && let Some(problem) = episode.problem()
        {
            return Some((Part::During, problem.to_owned()));
        }
        None
    }

    fn advice(&self) -> &'static str {
        match () {
            () if self.effect.can_strike(Strikes::Deliveries) => "; say which with `deliver`",
            () if self.effect.can_strike(Strikes::Calls) => "; leave out `deliver` and `timer`",
            () => "",
        }
    }
}
