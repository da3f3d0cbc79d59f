//! The armed rules: what they strike, with their counters.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use globset::{Glob, GlobMatcher};
use imbl::OrdMap;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    condition::{Condition, Wrong},
    effect::{Effect, Strikes},
    names::Names,
    rule::{Match, Part, Rule},
    window::During,
};
use crate::{
    diagnostic::{Diagnostic, nearest},
    host::Host,
    seed::{Ordinals, SeedTree, Site},
    time::Timestamp,
};

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

/// A rule ready to be asked: patterns and conditions compiled, times made absolute.
#[derive(Debug)]
pub struct ArmedRule {
    /// The rule as written.
    pub rule: Rule,
    /// When it was armed.
    pub armed_at: Timestamp,
    strikes: Strikes,
    twin: Option<GlobMatcher>,
    resource: Option<GlobMatcher>,
    caller: Option<GlobMatcher>,
    condition: Option<Condition>,
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

/// The armed rules and their counters: part of the universe's state.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    rules: Vec<Arc<ArmedRule>>,
    names: Arc<Names>,
    tallies: OrdMap<SmolStr, Tally>,
}

/// The patterns of names of all rules.
fn names(rules: &[Arc<ArmedRule>]) -> Result<Names, RuleError> {
    let pattern = |armed: &Arc<ArmedRule>| {
        let on = &armed.rule.on;
        glob(&armed.rule.id, on.name_part(), on.name().map_or("*", SmolStr::as_str))
    };
    let patterns: Vec<Glob> = rules.iter().map(pattern).collect::<Result<_, _>>()?;
    Names::new(patterns).map_err(|_| RuleError::TooMany)
}

/// Reads a pattern of a rule.
fn glob(rule: &SmolStr, part: Part, pattern: &str) -> Result<Glob, RuleError> {
    let wrong = || RuleError::Pattern { rule: rule.clone(), pattern: pattern.into(), part };
    if pattern.len() > PATTERN_MAX {
        return Err(wrong());
    }
    Glob::new(pattern).map_err(|_| wrong())
}

/// How many rules may be armed at once.
const RULES_MAX: usize = 10_000;
/// The longest pattern.
const PATTERN_MAX: usize = 1_000;

impl FaultPlan {
    /// Whether no rule is armed: the hot path asks this first.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The armed rules, in order.
    pub fn rules(&self) -> &[Arc<ArmedRule>] {
        &self.rules
    }

    /// How a rule has fared.
    pub fn tally(&self, rule: &str) -> Tally {
        self.tallies.get(rule).cloned().unwrap_or_default()
    }

    /// Whether some rule may strike calls of this name.
    pub fn concerns(&self, twin: &str, operation: &str) -> bool {
        !self.rules.is_empty() && !self.candidates(Strikes::Calls, twin, operation).is_empty()
    }

    /// The longest time that a rule makes reads lag; none where no rule does.
    pub fn lag(&self) -> Option<Duration> {
        let lag = |armed: &Arc<ArmedRule>| match armed.rule.effect {
            Effect::Stale { by } => Some(by.0),
            _ => None,
        };
        self.rules.iter().filter_map(lag).max()
    }

    /// The rule that closes a twin's port now, if any.
    pub fn refuses(&self, twin: &str, now: Timestamp, seeds: &SeedTree) -> Option<&Rule> {
        let closes = |armed: &&Arc<ArmedRule>| {
            armed.strikes == Strikes::Connections && armed.is_of(twin) && armed.is_in_force(now, seeds)
        };
        self.rules.iter().find(closes).map(|armed| &armed.rule)
    }

    /// Whether some rule may close a twin's port, now or later.
    pub fn may_refuse(&self, twin: &str) -> bool {
        self.rules.iter().any(|armed| armed.strikes == Strikes::Connections && armed.is_of(twin))
    }

    /// Counts a firing that no call asked for: a port that closes.
    pub(crate) fn note_fired(&mut self, rule: &SmolStr) {
        self.tallies.entry(rule.clone()).or_default().fired += 1;
    }

    /// Arms rules behind those already armed.
    ///
    /// # Errors
    /// [`RuleError`]; nothing is armed then.
    pub fn arm(&mut self, rules: &[Rule], now: Timestamp) -> Result<(), RuleError> {
        if self.rules.len() + rules.len() > RULES_MAX {
            return Err(RuleError::TooMany);
        }
        let mut taken: BTreeSet<&str> = self.rules.iter().map(|armed| armed.rule.id.as_str()).collect();
        let mut all = self.rules.clone();
        for rule in rules {
            if !taken.insert(&rule.id) {
                return Err(RuleError::Twice { rule: rule.id.clone() });
            }
            all.push(Arc::new(ArmedRule::new(rule, now)?));
        }
        self.names = Arc::new(names(&all)?);
        self.rules = all;
        Ok(())
    }

    /// What cannot work about each of these rules, with the rule's place among them.
    pub fn problems(rules: &[Rule]) -> Vec<(usize, RuleError)> {
        let mut taken = BTreeSet::new();
        let mut problem = |rule: &Rule| {
            if taken.insert(rule.id.clone()) {
                ArmedRule::new(rule, Timestamp::default()).err()
            } else {
                Some(RuleError::Twice { rule: rule.id.clone() })
            }
        };
        rules.iter().enumerate().filter_map(|(at, rule)| Some((at, problem(rule)?))).collect()
    }

    /// Disarms one rule; false where there is none of that id.
    pub fn disarm(&mut self, rule: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|armed| armed.rule.id != rule);
        // A rule armed again under the same id begins anew.
        self.tallies.remove(rule);
        // Fewer patterns than fitted before.
        self.names = Arc::new(names(&self.rules).unwrap_or_default());
        self.rules.len() < before
    }

    /// Disarms all rules.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The rules whose patterns of twin and name fit, in order.
    fn candidates(&self, kind: Strikes, twin: &str, name: &str) -> Arc<[usize]> {
        self.names.of(kind, twin, name, |at| self.rules[at].strikes == kind && self.rules[at].is_of(twin))
    }

    /// Asks the rules in order; the first that fires wins.
    pub fn strike(
        &mut self,
        subject: Subject<'_>,
        now: Timestamp,
        seeds: &SeedTree,
        ordinals: &mut Ordinals,
    ) -> Struck {
        let candidates = self.candidates(subject.kind, subject.twin, subject.name);
        self.strike_each(&candidates, subject, now, seeds, ordinals)
    }

    /// Asks one rule by its id; one that is not armed does not fire.
    pub(crate) fn strike_one(
        &mut self,
        rule: &str,
        subject: Subject<'_>,
        now: Timestamp,
        seeds: &SeedTree,
        ordinals: &mut Ordinals,
    ) -> Struck {
        let at = self.rules.iter().position(|armed| armed.rule.id == rule);
        self.strike_each(at.as_slice(), subject, now, seeds, ordinals)
    }

    /// The rules that close sockets of a twin and are not over, each with its span.
    pub(crate) fn socket_rules(&self, twin: &str, now: Timestamp) -> Vec<(SmolStr, Duration)> {
        let span = |armed: &Arc<ArmedRule>| match armed.rule.effect {
            Effect::CloseSocket { every, .. } if armed.is_of(twin) && !armed.is_over(now) => {
                Some((armed.rule.id.clone(), every.0))
            }
            _ => None,
        };
        self.rules.iter().filter_map(span).collect()
    }

    fn strike_each(
        &mut self,
        candidates: &[usize],
        subject: Subject<'_>,
        now: Timestamp,
        seeds: &SeedTree,
        ordinals: &mut Ordinals,
    ) -> Struck {
        let (mut struck, mut facts) = (Struck::default(), None);
        for at in candidates {
            let armed = Arc::clone(&self.rules[*at]);
            if !armed.fits(subject) {
                continue;
            }
            let why = if struck.fired.is_some() {
                Why::Shadowed
            } else {
                let facts = &mut facts;
                match self.ask(&armed, subject, facts, now, seeds, ordinals) {
                    Ok(fired) => {
                        struck.fired = Some(fired);
                        continue;
                    }
                    Err(why) => why,
                }
            };
            let tally = self.tallies.entry(armed.rule.id.clone()).or_default();
            let count = tally.skipped.entry(why).or_insert(0);
            *count += 1;
            if *count == 1 {
                struck.skipped.push(Skipped { rule: armed.rule.id.clone(), why });
            }
        }
        struck
    }

    /// Asks one rule whose patterns fit.
    fn ask(
        &mut self,
        armed: &ArmedRule,
        subject: Subject<'_>,
        facts: &mut Option<Value>,
        now: Timestamp,
        seeds: &SeedTree,
        ordinals: &mut Ordinals,
    ) -> Result<Fired, Why> {
        let rule = &armed.rule;
        let unfit = match rule.effect {
            Effect::Stale { .. } => subject.writes,
            Effect::BadCursor {} => !has_cursor(facts.get_or_insert_with(subject.facts), subject.cursors),
            _ => false,
        };
        if unfit {
            return Err(Why::Unfit);
        }
        if !armed.is_in_force(now, seeds) {
            return Err(Why::NotInForce);
        }
        if let Some(condition) = &armed.condition {
            let facts = facts.get_or_insert_with(subject.facts);
            // What cannot be told does not hold: a member that is asked for may be absent.
            if !condition.holds(facts).unwrap_or(false) {
                return Err(Why::Condition);
            }
        }
        let tally = self.tallies.entry(rule.id.clone()).or_default();
        tally.matched += 1;
        if rule.on.nth.is_some_and(|wanted| wanted != tally.matched) {
            return Err(Why::NotTheNth);
        }
        // Keyed by rule, operation and resource: what else happens moves no draw.
        let site = Site::named("fault").child(&rule.id).child(subject.name).child(subject.resource);
        if let Some(odds) = armed.odds(now)
            && !seeds.draw(site, ordinals.next(site)).happens(odds)
        {
            return Err(Why::Odds);
        }
        if rule.times.is_some_and(|most| tally.fired >= most) {
            return Err(Why::Spent);
        }
        tally.fired += 1;
        let drawn = rule.effect.drawn(now.since(armed.armed_at), || {
            let site = site.child("span");
            seeds.draw(site, ordinals.next(site))
        });
        Ok(Fired { rule: rule.id.clone(), effect: rule.effect.clone(), drawn })
    }
}

/// Whether a call asks for a further page.
fn has_cursor(facts: &Value, cursors: &[&str]) -> bool {
    let given = |name: &&str| facts.pointer("/args").and_then(|args| args.get(*name)).and_then(Value::as_str);
    cursors.iter().filter_map(given).any(|cursor| !cursor.is_empty())
}

/// Looks for a twin, and an operation of it, that a rule on calls can strike.
///
/// # Errors
/// Which is not there, with what may have been meant; also where a pattern cannot be read.
pub fn aimed(rule: &Rule, twins: &[Arc<dyn Host>]) -> Result<(), RuleError> {
    let nobody = |part: Part, what: String, hint: String| RuleError::Nobody { rule: rule.id.clone(), what, hint, part };
    let on = &rule.on;
    let of_twin = glob(&rule.id, Part::Twin, on.twin.as_deref().unwrap_or("*"))?.compile_matcher();
    let meant: Vec<&Arc<dyn Host>> = twins.iter().filter(|host| of_twin.is_match(host.name())).collect();
    if let (Some(twin), true) = (&on.twin, meant.is_empty()) {
        let known = twins.iter().map(|host| host.name());
        let Diagnostic { hint, .. } = Diagnostic::whole("", "").suggest(twin, known);
        return Err(nobody(Part::Twin, format!("there is no twin `{twin}`"), hint));
    }
    let (Strikes::Calls, Some(name)) = (rule.strikes(), &on.operation) else { return Ok(()) };
    let fits = glob(&rule.id, Part::Operation, name)?.compile_matcher();
    let has = |host: &&Arc<dyn Host>| host.operations().iter().any(|operation| fits.is_match(operation.id));
    if meant.iter().any(&has) {
        return Ok(());
    }
    let what = match meant[..] {
        [only] => format!("{} has no operation `{name}`", only.name()),
        _ => format!("no twin has an operation `{name}`"),
    };
    let hint = match twins.iter().find(|host| has(host)) {
        Some(other) => format!("{} has such an operation", other.name()),
        None => nearest(name, meant.iter().flat_map(|host| host.operations()).map(|operation| operation.id)),
    };
    Err(nobody(Part::Operation, what, hint))
}

impl Effect {
    /// The time that it draws, or that follows from when it strikes.
    fn drawn(&self, age: Duration, draw: impl FnOnce() -> crate::seed::Draw) -> Duration {
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

impl Match {
    /// The pattern of what it strikes.
    const fn name(&self) -> Option<&SmolStr> {
        match (&self.deliver, &self.timer) {
            (Some(deliver), _) => Some(deliver),
            (None, Some(timer)) => Some(timer),
            (None, None) => self.operation.as_ref(),
        }
    }

    /// The member that holds it.
    const fn name_part(&self) -> Part {
        match (&self.deliver, &self.timer) {
            (Some(_), _) => Part::Deliver,
            (None, Some(_)) => Part::Timer,
            (None, None) => Part::Operation,
        }
    }
}

impl ArmedRule {
    fn new(rule: &Rule, now: Timestamp) -> Result<Self, RuleError> {
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

    fn is_of(&self, twin: &str) -> bool {
        self.twin.as_ref().is_none_or(|pattern| pattern.is_match(twin))
    }

    fn fits(&self, subject: Subject<'_>) -> bool {
        let fits = |pattern: &Option<GlobMatcher>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        fits(&self.resource, subject.resource) && fits(&self.caller, subject.caller)
    }

    fn is_in_force(&self, now: Timestamp, seeds: &SeedTree) -> bool {
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
    fn is_over(&self, now: Timestamp) -> bool {
        let age = now.since(self.armed_at);
        self.rule.on.until.is_some_and(|span| age > span.0) || self.rule.expires.is_some_and(|span| age > span.0)
    }

    /// The odds of a match now; none where it fires always.
    fn odds(&self, now: Timestamp) -> Option<crate::seed::Ratio> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_772_442_000);

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).expect("is a rule")
    }

    fn call<'a>(name: &'a str, resource: &'a str) -> Subject<'a> {
        Subject {
            kind: Strikes::Calls,
            twin: "okta",
            name,
            writes: false,
            cursors: &["after"],
            resource,
            caller: "",
            facts: &|| json!({ "args": {}, "path": {}, "method": "GET" }),
        }
    }

    fn struck(plan: &mut FaultPlan, subject: Subject<'_>, seeds: &SeedTree, ordinals: &mut Ordinals) -> bool {
        plan.strike(subject, NOW, seeds, ordinals).fired.is_some()
    }

    #[test]
    fn nth_and_times_bound_a_rule() {
        let (seeds, mut ordinals, mut plan) = (SeedTree::new(1), Ordinals::default(), FaultPlan::default());
        plan.arm(&[rule(r#"{"id":"a","on":{"operation":"get*","nth":2},"do":{"reset":{}}}"#)], NOW).expect("arms");
        let hits: Vec<bool> = (0..4).map(|_| struck(&mut plan, call("getUser", "x"), &seeds, &mut ordinals)).collect();
        assert_eq!(hits, [false, true, false, false]);
        assert!(!struck(&mut plan, call("listUsers", "x"), &seeds, &mut ordinals));
        let tally = plan.tally("a");
        assert_eq!((tally.matched, tally.fired, tally.skipped.get(&Why::NotTheNth)), (4, 1, Some(&3)));
        assert!(plan.disarm("a") && !plan.disarm("a"));
        assert_eq!(plan.tally("a"), Tally::default(), "armed again, it begins anew");
    }

    #[test]
    fn draws_do_not_depend_on_other_traffic() {
        let text = r#"{"id":"p","on":{"probability":"1/3"},"do":{"reset":{}}}"#;
        let run = |noise: bool| {
            let (seeds, mut ordinals, mut plan) = (SeedTree::new(9), Ordinals::default(), FaultPlan::default());
            if noise {
                let other = r#"{"id":"q","on":{"operation":"listUsers","probability":"1/2"},"do":{"reset":{}}}"#;
                plan.arm(&[rule(other)], NOW).expect("arms");
            }
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
    fn the_first_rule_that_fires_wins_and_the_others_are_told_of() {
        let (seeds, mut ordinals, mut plan) = (SeedTree::new(1), Ordinals::default(), FaultPlan::default());
        let rules = [
            rule(r#"{"id":"early","on":{"after":"1h"},"do":{"reset":{}}}"#),
            rule(r#"{"id":"stale","on":{},"do":{"stale":{"by":"1m"}}}"#),
            rule(r#"{"id":"asked","on":{"where":"has(args.search)"},"do":{"reset":{}}}"#),
            rule(r#"{"id":"once","on":{},"do":{"reset":{}},"times":1}"#),
            rule(r#"{"id":"late","on":{"twin":"{okta,slack}"},"do":{"garbled":{}}}"#),
            rule(r#"{"id":"other","on":{"twin":"slack"},"do":{"garbled":{}}}"#),
        ];
        plan.arm(&rules, NOW).expect("arms");
        let mut ask = || {
            let struck = plan.strike(Subject { writes: true, ..call("addGroup", "") }, NOW, &seeds, &mut ordinals);
            let skipped: Vec<(String, Why)> =
                struck.skipped.into_iter().map(|skipped| (skipped.rule.to_string(), skipped.why)).collect();
            (struck.fired.map(|fired| fired.rule.to_string()), skipped)
        };
        let told = |rule: &str, why| (rule.to_owned(), why);
        let first = vec![
            told("early", Why::NotInForce),
            told("stale", Why::Unfit),
            told("asked", Why::Condition),
            told("late", Why::Shadowed),
        ];
        assert_eq!(ask(), (Some("once".to_owned()), first));
        assert_eq!(ask(), (Some("late".to_owned()), vec![told("once", Why::Spent)]));
        assert_eq!(ask(), (Some("late".to_owned()), vec![]));
    }

    #[test]
    fn rules_that_cannot_work_are_refused() {
        let check = |text: &str, wrong: &str| {
            let error = FaultPlan::default().arm(&[rule(text)], NOW).expect_err("is refused");
            assert!(error.to_string().contains(wrong), "{error}");
        };
        check(r#"{"id":"a","on":{"operation":"["},"do":{"reset":{}}}"#, "bad pattern");
        check(r#"{"id":"a","on":{},"do":{"drop":{}}}"#, "cannot strike calls; say which with `deliver`");
        check(r#"{"id":"a","on":{"deliver":"*"},"do":{"reset":{}}}"#, "cannot strike deliveries");
        check(r#"{"id":"a","on":{"timer":"*"},"do":{"drop":{}}}"#, "cannot strike timers");
        check(r#"{"id":"a","on":{"deliver":"*","operation":"x"},"do":{"drop":{}}}"#, "`operation` is for calls");
        check(r#"{"id":"a","on":{"nth":1},"do":{"refuse":{}}}"#, "open or closed for all");
        check(r#"{"id":"a","on":{"during":"storm"},"do":{"reset":{}}}"#, "no plan says when");
        check(r#"{"id":"a","on":{"where":"nobody == 1"},"do":{"reset":{}}}"#, "nothing is called `nobody`");
        check(r#"{"id":"a","on":{},"do":{"latency":{}}}"#, "latency is one of");
        check(r#"{"id":"a","on":{},"do":{"skew":{}}}"#, "either `ahead` or `behind`");
        check(r#"{"id":"a","on":{},"do":{"drift":{"at":"x","change":"removed"}}}"#, "begins with a slash");
        check(r#"{"id":"a","on":{},"do":{"error":{"status":204}}}"#, "between 400 and 599");
    }
}
