//! Fault plans: ordered rules that make chosen calls and deliveries fail, drawn from the universe's seed.

use std::{sync::Arc, time::Duration};

use globset::{Glob, GlobMatcher};
use imbl::OrdMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    diagnostic::Diagnostic,
    seed::{Ordinals, Ratio, SeedTree, Site},
    time::{Span, Timestamp},
};

/// A fault plan as a person writes it (`fixtures/faults/*.yaml`, or inside a scenario).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// The format: `dtu/faults/v1`.
    pub schema: SchemaV1,
    /// The plan's name.
    pub name: String,
    /// What the plan imitates, for people.
    #[serde(default)]
    pub about: String,
    /// The rules; the first that matches and fires wins.
    pub rules: Vec<Rule>,
}

/// Fault plans that are part of the program, by name.
const NAMED: &[(&str, &str)] = &[
    ("okta-rate-limit-storm", include_str!("../../../fixtures/faults/okta-rate-limit-storm.yaml")),
    ("slack-api-brownout", include_str!("../../../fixtures/faults/slack-api-brownout.yaml")),
    ("slack-events-duplicated", include_str!("../../../fixtures/faults/slack-events-duplicated.yaml")),
];

impl PlanFile {
    /// Finds a plan by the name of one that is part of the program, else by path.
    ///
    /// # Errors
    /// What is wrong with the file, with its place.
    pub fn find(name_or_path: &str) -> Result<Self, Vec<Diagnostic>> {
        let read = |file: &str, text: &str| {
            serde_saphyr::from_str(text).map_err(|error| vec![Diagnostic::from_yaml(file, &error)])
        };
        if let Some((name, text)) = NAMED.iter().find(|(name, _)| *name == name_or_path) {
            return read(&format!("{name}.yaml"), text);
        }
        let text = fs_err::read_to_string(name_or_path).map_err(|error| {
            let message = format!("no fault plan of this name, and no such file ({})", error.kind());
            let known = NAMED.iter().map(|(name, _)| *name);
            vec![Diagnostic::whole(name_or_path, message).suggest(name_or_path, known)]
        })?;
        read(name_or_path, &text)
    }
}

/// The one known version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SchemaV1 {
    /// `dtu/faults/v1`
    #[serde(rename = "dtu/faults/v1")]
    V1,
}

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

/// Which calls or deliveries a rule strikes. Absent members match all.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The twin's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<SmolStr>,
    /// The operation's id; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<SmolStr>,
    /// The kind of delivery (`event_callback`, `event_hook`, ...); `*` stands for any text. A rule with this
    /// member strikes deliveries, one without it strikes calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver: Option<SmolStr>,
    /// The object that the call names (a channel, a user id); `*` stands for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<SmolStr>,
    /// The caller as the ledger writes it; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<SmolStr>,
    /// Only the nth matching call, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Not before this long after arming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Span>,
    /// Not later than this long after arming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Span>,
    /// How likely each match fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<Ratio>,
}

/// What a rule does to what it strikes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Nothing happens; the service's own answer to too many calls.
    RateLimited {
        /// How long the service asks the caller to wait.
        retry_after: Span,
    },
    /// Nothing happens; the service's own error.
    Error {
        /// HTTP status, where the service does not fix it by the code.
        #[serde(default)]
        status: Option<u16>,
        /// The service's own error code (`internal_error`, `E0000009`).
        #[serde(default)]
        code: Option<SmolStr>,
    },
    /// Nothing happens; a proxy in front of the service answers with an HTML page.
    ProxyPage {
        /// HTTP status of the page: 502, 503 or 504.
        status: u16,
    },
    /// Nothing happens; the credential is answered as revoked.
    Revoked {},
    /// Nothing happens; the connection is reset.
    Reset {},
    /// Nothing happens; no answer comes for this long (machine time), then the connection closes.
    Hang {
        /// How long.
        #[serde(rename = "for")]
        span: Span,
    },
    /// The call works, this much later (machine time).
    Latency {
        /// How much later.
        #[serde(rename = "for")]
        span: Span,
    },
    /// It happens, and the caller is told that it failed.
    CommittedError {
        /// HTTP status, where the service does not fix it by the code.
        #[serde(default)]
        status: Option<u16>,
        /// The service's own error code.
        #[serde(default)]
        code: Option<SmolStr>,
    },
    /// It happens, and the connection is reset before the answer.
    CommittedReset {},
    /// It happens, and the answer stops in the middle.
    Truncated {},
    /// It happens, and the answer's JSON is broken.
    Garbled {},
    /// The delivery comes again, so many more times, each this much after the other.
    Duplicate {
        /// How many more times.
        #[serde(default = "one")]
        copies: u32,
        /// How long after the one before (virtual time).
        after: Span,
    },
    /// The delivery comes this much later (virtual time).
    Delay {
        /// How much later.
        by: Span,
    },
    /// The delivery never comes.
    Drop {},
    /// The delivery comes with a signature that does not fit.
    BadSignature {},
}

const fn one() -> u32 {
    1
}

impl Effect {
    /// Whether the effect is one for deliveries.
    pub const fn is_for_deliveries(&self) -> bool {
        matches!(self, Self::Duplicate { .. } | Self::Delay { .. } | Self::Drop {} | Self::BadSignature {})
    }
}

/// What a rule asks a twin to answer in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Injected {
    /// Too many calls.
    RateLimited {
        /// How long the caller is asked to wait.
        retry_after: Duration,
    },
    /// A failure of the service.
    Failure {
        /// HTTP status, where the rule gives one.
        status: Option<u16>,
        /// The service's own code, where the rule gives one.
        code: Option<SmolStr>,
    },
    /// The credential is no longer good.
    Revoked,
}

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
    },
    /// An effect for deliveries in a rule for calls, or the other way round.
    #[error("rule `{rule}`: its effect is for {effect}, but it strikes {strikes}")]
    Kind {
        /// The rule's id.
        rule: SmolStr,
        /// What the effect is for.
        effect: &'static str,
        /// What the rule strikes.
        strikes: &'static str,
    },
    /// Two rules of one plan share an id.
    #[error("rule `{rule}` is there twice")]
    Twice {
        /// The rule's id.
        rule: SmolStr,
    },
}

/// A rule ready to be asked: patterns compiled, times made absolute.
#[derive(Debug)]
pub struct ArmedRule {
    /// The rule as written.
    pub rule: Rule,
    /// When it was armed.
    pub armed_at: Timestamp,
    operation: Option<GlobMatcher>,
    deliver: Option<GlobMatcher>,
    resource: Option<GlobMatcher>,
    caller: Option<GlobMatcher>,
}

/// A call or delivery that may be struck.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The twin's name.
    pub twin: &'a str,
    /// Operation id, or kind of delivery.
    pub name: &'a str,
    /// Whether it is a delivery.
    pub delivery: bool,
    /// The object it names; empty where it names none.
    pub resource: &'a str,
    /// Who calls; empty where unknown.
    pub caller: &'a str,
}

/// A rule that fired.
#[derive(Clone, Debug)]
pub struct Fired {
    /// The rule's id.
    pub rule: SmolStr,
    /// What it does.
    pub effect: Effect,
}

/// The armed rules and their counters: part of the universe's state.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    rules: Vec<Arc<ArmedRule>>,
    matched: OrdMap<SmolStr, u64>,
    fired: OrdMap<SmolStr, u64>,
}

impl FaultPlan {
    /// Whether no rule is armed: the hot path asks this first.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The armed rules, in order.
    pub fn rules(&self) -> &[Arc<ArmedRule>] {
        &self.rules
    }

    /// How often the rule has fired.
    pub fn fired(&self, rule: &str) -> u64 {
        self.fired.get(rule).copied().unwrap_or(0)
    }

    /// How often the rule's match was met, whether or not it fired.
    pub fn matched(&self, rule: &str) -> u64 {
        self.matched.get(rule).copied().unwrap_or(0)
    }

    /// Arms rules behind those already armed.
    ///
    /// # Errors
    /// [`RuleError`]; nothing is armed then.
    pub fn arm(&mut self, rules: &[Rule], now: Timestamp) -> Result<(), RuleError> {
        let mut armed = Vec::with_capacity(rules.len());
        for rule in rules {
            let taken = |other: &Arc<ArmedRule>| other.rule.id == rule.id;
            if self.rules.iter().any(taken) || armed.iter().any(taken) {
                return Err(RuleError::Twice { rule: rule.id.clone() });
            }
            armed.push(Arc::new(ArmedRule::new(rule, now)?));
        }
        self.rules.extend(armed);
        Ok(())
    }

    /// Disarms one rule; false where there is none of that id.
    pub fn disarm(&mut self, rule: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|armed| armed.rule.id != rule);
        // A rule armed again under the same id begins anew.
        self.matched.remove(rule);
        self.fired.remove(rule);
        self.rules.len() < before
    }

    /// Disarms all rules.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The first rule that strikes `subject`, if any.
    pub fn strike(
        &mut self,
        subject: Subject<'_>,
        now: Timestamp,
        seeds: &SeedTree,
        ordinals: &mut Ordinals,
    ) -> Option<Fired> {
        for armed in &self.rules {
            if !armed.matches(subject, now) {
                continue;
            }
            let rule = &armed.rule;
            let nth = self.matched.entry(rule.id.clone()).or_insert(0);
            *nth += 1;
            if rule.on.nth.is_some_and(|wanted| wanted != *nth) {
                continue;
            }
            if let Some(odds) = rule.on.probability {
                // Keyed by rule, operation and resource: what else happens moves no draw.
                let site = Site::named("fault").child(&rule.id).child(subject.name).child(subject.resource);
                let ordinal = ordinals.next(site);
                if !seeds.draw(site, ordinal).happens(odds) {
                    continue;
                }
            }
            let fired = self.fired.entry(rule.id.clone()).or_insert(0);
            if rule.times.is_some_and(|most| *fired >= most) {
                continue;
            }
            *fired += 1;
            return Some(Fired { rule: rule.id.clone(), effect: rule.effect.clone() });
        }
        None
    }
}

impl ArmedRule {
    fn new(rule: &Rule, now: Timestamp) -> Result<Self, RuleError> {
        let glob = |pattern: &Option<SmolStr>| match pattern {
            None => Ok(None),
            Some(pattern) => match Glob::new(pattern) {
                Ok(glob) => Ok(Some(glob.compile_matcher())),
                Err(_) => Err(RuleError::Pattern { rule: rule.id.clone(), pattern: pattern.clone() }),
            },
        };
        if rule.on.deliver.is_some() != rule.effect.is_for_deliveries() {
            let name = |deliveries| if deliveries { "deliveries" } else { "calls" };
            return Err(RuleError::Kind {
                rule: rule.id.clone(),
                effect: name(rule.effect.is_for_deliveries()),
                strikes: name(rule.on.deliver.is_some()),
            });
        }
        Ok(Self {
            rule: rule.clone(),
            armed_at: now,
            operation: glob(&rule.on.operation)?,
            deliver: glob(&rule.on.deliver)?,
            resource: glob(&rule.on.resource)?,
            caller: glob(&rule.on.caller)?,
        })
    }

    fn matches(&self, subject: Subject<'_>, now: Timestamp) -> bool {
        let on = &self.rule.on;
        let fits = |pattern: &Option<GlobMatcher>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        let age = now.since(self.armed_at);
        on.twin.as_ref().is_none_or(|twin| twin == subject.twin)
            && subject.delivery == self.deliver.is_some()
            && fits(if subject.delivery { &self.deliver } else { &self.operation }, subject.name)
            && fits(&self.resource, subject.resource)
            && fits(&self.caller, subject.caller)
            && on.after.is_none_or(|span| age >= span.0)
            && on.until.is_none_or(|span| age <= span.0)
            && self.rule.expires.is_none_or(|span| age <= span.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_772_442_000);

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).expect("is a rule")
    }

    fn call<'a>(name: &'a str, resource: &'a str) -> Subject<'a> {
        Subject { twin: "okta", name, delivery: false, resource, caller: "" }
    }

    fn struck(plan: &mut FaultPlan, subject: Subject<'_>, seeds: &SeedTree, ordinals: &mut Ordinals) -> bool {
        plan.strike(subject, NOW, seeds, ordinals).is_some()
    }

    #[test]
    fn nth_and_times_bound_a_rule() {
        let (seeds, mut ordinals, mut plan) = (SeedTree::new(1), Ordinals::default(), FaultPlan::default());
        plan.arm(&[rule(r#"{"id":"a","on":{"operation":"get*","nth":2},"do":{"reset":{}}}"#)], NOW).expect("arms");
        let hits: Vec<bool> = (0..4).map(|_| struck(&mut plan, call("getUser", "x"), &seeds, &mut ordinals)).collect();
        assert_eq!(hits, [false, true, false, false]);
        assert!(!struck(&mut plan, call("listUsers", "x"), &seeds, &mut ordinals));
        assert_eq!((plan.matched("a"), plan.fired("a")), (4, 1));
        assert!(plan.disarm("a") && !plan.disarm("a"));
        assert_eq!((plan.matched("a"), plan.fired("a")), (0, 0), "armed again, it begins anew");
    }

    #[test]
    fn draws_do_not_depend_on_other_traffic() {
        let text = r#"{"id":"p","on":{"probability":"1/3"},"do":{"reset":{}}}"#;
        let run = |noise: bool| {
            let (seeds, mut ordinals, mut plan) = (SeedTree::new(9), Ordinals::default(), FaultPlan::default());
            plan.arm(&[rule(text)], NOW).expect("arms");
            (0..50)
                .map(|_| {
                    if noise {
                        struck(&mut plan, call("listUsers", "y"), &seeds, &mut ordinals);
                    }
                    struck(&mut plan, call("getUser", "x"), &seeds, &mut ordinals)
                })
                .collect::<Vec<bool>>()
        };
        let quiet = run(false);
        assert_eq!(quiet, run(true));
        assert!(quiet.contains(&true) && quiet.contains(&false));
    }

    #[test]
    fn rules_that_cannot_work_are_refused() {
        let check = |text: &str, wrong: &str| {
            let error = FaultPlan::default().arm(&[rule(text)], NOW).expect_err("is refused");
            assert!(error.to_string().contains(wrong), "{error}");
        };
        check(r#"{"id":"a","on":{"operation":"["},"do":{"reset":{}}}"#, "bad pattern");
        check(r#"{"id":"a","on":{},"do":{"drop":{}}}"#, "effect is for deliveries");
        check(r#"{"id":"a","on":{"deliver":"*"},"do":{"reset":{}}}"#, "effect is for calls");
    }
}
