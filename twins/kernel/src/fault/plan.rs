//! The armed rules: what they strike, with their counters.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use globset::Glob;
use imbl::OrdMap;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    armed::{ArmedRule, glob},
    effect::{Effect, Strikes},
    names::Names,
    rule::Rule,
    told::{Fired, RULES_MAX, RuleError, Skipped, Struck, Subject, Tally, Why},
};
use crate::{
    seed::{Ordinals, SeedTree, Site},
    time::Timestamp,
};

/// The armed rules and their counters: part of the universe's state.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    rules: Vec<Arc<ArmedRule>>,
    names: Arc<Names>,
    tallies: OrdMap<SmolStr, Tally>,
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

/// The patterns of names of all rules.
fn names(rules: &[Arc<ArmedRule>]) -> Result<Names, RuleError> {
    let pattern = |armed: &Arc<ArmedRule>| {
        let on = &armed.rule.on;
        glob(&armed.rule.id, on.name_part(), on.name().map_or("*", SmolStr::as_str))
    };
    let patterns: Vec<Glob> = rules.iter().map(pattern).collect::<Result<_, _>>()?;
    Names::new(patterns).map_err(|_| RuleError::TooMany)
}

/// Whether a call asks for a further page.
fn has_cursor(facts: &Value, cursors: &[&str]) -> bool {
    let given = |name: &&str| facts.pointer("/args").and_then(|args| args.get(*name)).and_then(Value::as_str);
    cursors.iter().filter_map(given).any(|cursor| !cursor.is_empty())
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
            is_stranger: false,
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
