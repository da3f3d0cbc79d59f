//! Evaluates checks over a trajectory's facts.
//!
//! What a result says is the same in equal runs: no times, no drawn ids. A check that cannot be evaluated is an error,
//! never a pass.

use std::collections::BTreeMap;

use dtu_kernel::time::{Span, Timestamp};
use serde_json::Value;

use crate::{
    collateral,
    expr::{EvalError, Program},
    facts::{Facts, short},
    load::{Budget, LoadedCheck, LoadedProperty, LoadedReads, LoadedScenario},
    reads,
    scenario::Check,
    verdict::{CheckResult, Held, MOMENTS_MAX, Moment},
};

/// Watches the `eventually` checks of a scenario from its last beat on.
#[derive(Debug)]
pub struct Watch {
    watched: Vec<Watched>,
    /// When it began.
    began: Timestamp,
    /// The kept states that were looked at, by their numbers, each with the first and the last time of it.
    looks: Vec<(usize, Timestamp)>,
}

/// An `eventually` that is watched through moments that were watched before.
#[derive(Debug)]
pub(crate) struct Other {
    /// What it is found by afterwards, in the place of a position among the checks.
    pub(crate) number: usize,
    pub(crate) within: Span,
    pub(crate) that: Program,
    /// Whether its time is longer than what was waited for: what is known of later moments counts too.
    pub(crate) is_longer: bool,
}

/// An `eventually` check and what is known of it.
#[derive(Debug)]
struct Watched {
    /// Position among the scenario's checks.
    at: usize,
    that: Program,
    deadline: Timestamp,
    held_first: Option<Timestamp>,
    /// Why it had no value when it was last asked.
    error: Option<EvalError>,
    is_over: bool,
}

impl Watch {
    /// Begins to watch: right after the last beat. The time of each check counts from here.
    pub fn new(scenario: &LoadedScenario, facts: &Facts) -> Self {
        let now = facts.universe().now();
        let watched = |(at, check): (usize, &LoadedCheck)| {
            let LoadedProperty::Eventually { within, that } = &check.that else { return None };
            let deadline = now.after(within.0);
            let that = that.clone();
            // A `when` that cannot be evaluated is told of by `evaluate`.
            applies(check, facts).unwrap_or(false).then_some(Watched {
                at,
                that,
                deadline,
                held_first: None,
                error: None,
                is_over: false,
            })
        };
        let watched = scenario.checks.iter().enumerate().filter_map(watched).collect();
        Self { watched, began: now, looks: Vec::new() }
    }

    /// Watches others through the same moments again. The facts are at rest.
    pub(crate) fn again(&self, others: Vec<Other>, facts: &mut Facts) -> Self {
        let fresh = |other: Other| {
            let deadline = self.began.after(other.within.0);
            let watched =
                Watched { at: other.number, that: other.that, deadline, held_first: None, error: None, is_over: false };
            (other.is_longer, watched)
        };
        let mut all: Vec<(bool, Watched)> = others.into_iter().map(fresh).collect();
        let last = self.looks.last().map_or(0, |(kept, _)| kept + 1);
        let later = (last..facts.kept()).filter_map(|at| Some((at, facts.since(at)?)));
        let later: Vec<(usize, Timestamp)> = later.collect();
        let looks = self.looks.iter().map(|look| (false, *look)).chain(later.into_iter().map(|look| (true, look)));
        let mut then = None;
        for (is_later, (kept, now)) in looks {
            then = facts.look_back(then, (kept, now), |facts| {
                let due = all.iter_mut().filter(|(is_longer, watched)| !watched.is_over && (*is_longer || !is_later));
                due.for_each(|(_, watched)| watched.poll(facts, now));
            });
        }
        let watched = all.into_iter().map(|(_, watched)| watched).collect();
        Self { watched, began: self.began, looks: self.looks.clone() }
    }

    /// Looks at the facts and remembers when each check held for the first time. True where nothing is left to wait
    /// for: all have held, or their time is up.
    pub fn poll(&mut self, facts: &mut Facts, now: Timestamp) -> bool {
        if let Some(kept) = facts.kept().checked_sub(1) {
            self.note(kept, now);
        }
        for watched in self.watched.iter_mut().filter(|watched| !watched.is_over) {
            watched.poll(facts, now);
        }
        self.watched.iter().all(|watched| watched.is_over)
    }

    /// Notes that a kept state was looked at: the first and the last time are enough.
    fn note(&mut self, kept: usize, now: Timestamp) {
        match self.looks.as_mut_slice() {
            [.., (before, _), (last, then)] if *before == kept && *last == kept => *then = now,
            _ => self.looks.push((kept, now)),
        }
    }

    /// When the time of the next check that has not held yet is up; none where nothing is left to wait for. A clock
    /// that is moved by hand must stop here for a [`Watch::poll`].
    pub fn deadline(&self) -> Option<Timestamp> {
        self.watched.iter().filter(|watched| !watched.is_over).map(|watched| watched.deadline).min()
    }

    /// When a check, by its position, was first seen to hold; for timings, not for results.
    pub fn held_first(&self, at: usize) -> Option<Timestamp> {
        self.watched.iter().find(|watched| watched.at == at)?.held_first
    }
}

impl Watched {
    fn poll(&mut self, facts: &mut Facts, now: Timestamp) {
        if now <= self.deadline {
            match facts.holds(&self.that) {
                Ok(true) => self.held_first = Some(now),
                Ok(false) => self.error = None,
                // What is not there yet may come: only the last word counts.
                Err(why) => self.error = Some(why),
            }
        }
        self.is_over = self.held_first.is_some() || now >= self.deadline;
    }
}

/// What was found out about a property.
struct Finding {
    held: bool,
    why: String,
    moments: Vec<Moment>,
}

impl Finding {
    fn yes(moments: Vec<Moment>) -> Self {
        Self { held: true, why: String::new(), moments }
    }

    fn no(why: String, moments: Vec<Moment>) -> Self {
        Self { held: false, why, moments }
    }

    fn of(held: bool, why: impl FnOnce() -> String) -> Self {
        if held { Self::yes(Vec::new()) } else { Self::no(why(), Vec::new()) }
    }
}

/// The results of all checks of a scenario that apply, in the order of the file, and of the closed world.
pub fn evaluate_all(scenario: &LoadedScenario, facts: &mut Facts, watch: &Watch) -> Vec<CheckResult> {
    let mut results: Vec<CheckResult> =
        (0..scenario.checks.len()).filter_map(|at| evaluate(scenario, at, facts, watch)).collect();
    results.push(collateral::evaluate(scenario, facts));
    results.extend(reads::evaluate(scenario, facts));
    results
}

/// The result of one check of a scenario, by its position; none where its `when` does not hold.
pub fn evaluate(scenario: &LoadedScenario, at: usize, facts: &mut Facts, watch: &Watch) -> Option<CheckResult> {
    let (check, loaded) = (&scenario.scenario.checks.get(at)?.value, scenario.checks.get(at)?);
    let finding = match applies(loaded, facts) {
        Ok(true) => find(at, &loaded.that, facts, watch),
        Ok(false) => return None,
        Err(why) => Err(why),
    };
    Some(result(check, finding))
}

/// Whether a property in the place of a check's holds; none where it has no value.
pub(crate) fn held(number: usize, that: &LoadedProperty, facts: &mut Facts, watch: &Watch) -> Option<bool> {
    find(number, that, facts, watch).ok().map(|finding| finding.held)
}

/// Whether a check is asked in this variant.
pub(crate) fn applies(check: &LoadedCheck, facts: &Facts) -> Result<bool, EvalError> {
    check.when.as_ref().map_or(Ok(true), |when| when.holds_for(facts.params()))
}

fn result(check: &Check, finding: Result<Finding, EvalError>) -> CheckResult {
    let (held, why, moments) = match finding {
        Ok(Finding { held: true, moments, .. }) => (Held::Yes, String::new(), moments),
        Ok(Finding { why, moments, .. }) => (Held::No, why, moments),
        Err(why) => (Held::Error, format!("cannot be evaluated: {why}"), Vec::new()),
    };
    let weight = check.weight.unwrap_or(1.0);
    CheckResult { name: check.name.clone(), role: check.role, weight, held, why, moments }
}

fn find(at: usize, that: &LoadedProperty, facts: &mut Facts, watch: &Watch) -> Result<Finding, EvalError> {
    match that {
        LoadedProperty::Finally(that) => {
            let held = facts.holds(that)?;
            Ok(Finding::of(held, || format!("`{}` does not hold at the end", that.shown())))
        }
        LoadedProperty::Eventually { within, that } => eventually(at, *within, that, watch),
        LoadedProperty::Count { of, by, min, max } => count(of, by.as_deref(), *min, *max, facts),
        LoadedProperty::Never { of, by } => count(of, by.as_deref(), 0, Some(0), facts),
        LoadedProperty::Always(that) => always(that, facts),
        LoadedProperty::LeadsTo { of, to, within, key } => leads_to(of, to, *within, key.as_ref(), facts),
        LoadedProperty::Reads(rules) => read(rules, facts),
        LoadedProperty::Budget(budget) => spent(budget, facts),
        LoadedProperty::Order(steps) => order(steps, facts),
        LoadedProperty::OnlyAfter { of, after } => only_after(of, after, facts),
        LoadedProperty::AtMostOncePer { of, key } => at_most_once_per(of, key, facts),
    }
}

fn eventually(at: usize, within: Span, that: &Program, watch: &Watch) -> Result<Finding, EvalError> {
    let watched = watch.watched.iter().find(|watched| watched.at == at);
    let Some(watched) = watched else {
        return Err(EvalError(format!("`{}` was not watched", that.shown())));
    };
    match (watched.held_first, &watched.error) {
        (None, Some(why)) => Err(why.clone()),
        (first, _) => Ok(Finding::of(first.is_some(), || {
            format!("`{}` did not become true within {} after the last beat", that.shown(), span_words(within))
        })),
    }
}

/// `15m`, `1h30m`, `300ms`: as people write spans.
pub(crate) fn span_words(span: Span) -> String {
    const UNITS: [(u128, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let mut rest = span.0.as_millis();
    let parts = UNITS.into_iter().filter_map(|(size, unit)| {
        let count = rest / size;
        rest %= size;
        (count > 0).then(|| format!("{count}{unit}"))
    });
    let words: Vec<String> = parts.collect();
    if words.is_empty() { "0s".to_owned() } else { words.concat() }
}

fn count(of: &Program, by: Option<&str>, min: u64, max: Option<u64>, facts: &mut Facts) -> Result<Finding, EvalError> {
    let fitting = facts.fitting(of, by)?;
    let (found, moments) = (fitting.len() as u64, moments(facts, &fitting)?);
    let bound = match max {
        Some(0) if found > 0 => "none allowed".to_owned(),
        Some(max) if found > max => format!("at most {max} allowed"),
        _ if found < min => format!("at least {min} wanted"),
        _ => return Ok(Finding::yes(moments)),
    };
    let why = format!("{}: {}, {bound}", subject(of, by, facts, &fitting)?, entries_fit(fitting.len()));
    Ok(Finding::no(why, moments))
}

fn always(that: &Program, facts: &mut Facts) -> Result<Finding, EvalError> {
    let Some(then) = facts.first_breach(that)? else { return Ok(Finding::yes(Vec::new())) };
    let entries = facts.entries()?;
    let writes = |entry: &crate::facts::Entry| entry.json["changes"].as_array().is_some_and(|c| !c.is_empty());
    // The write is noted with the time at which its call began.
    let last = entries.iter().filter(|entry| writes(entry)).filter_map(crate::facts::Entry::at).rfind(|at| *at <= then);
    let there = |entry: &crate::facts::Entry| writes(entry) && last.is_some() && entry.at() == last;
    let found: Vec<usize> = (0..entries.len()).filter(|at| there(&entries[*at])).collect();
    let since = if last.is_some() { "from some moment on" } else { "from the first beat on" };
    Ok(Finding::no(format!("`{}` does not hold {since}", that.shown()), moments(facts, &found)?))
}

fn leads_to(
    of: &Program,
    to: &Program,
    within: Span,
    key: Option<&Program>,
    facts: &mut Facts,
) -> Result<Finding, EvalError> {
    let (asked, told) = (facts.fitting(of, None)?, facts.fitting(to, None)?);
    let (asked_keys, told_keys) = match key {
        Some(key) => (facts.values_at(key, &asked)?, facts.values_at(key, &told)?),
        None => (vec![Value::Null; asked.len()], vec![Value::Null; told.len()]),
    };
    let entries = facts.entries()?;
    let answers = |from: usize, answer: usize| {
        let deadline = entries[from].at().map(|at| at.after(within.0));
        answer > from && deadline.is_some_and(|deadline| entries[answer].at().is_some_and(|at| at <= deadline))
    };
    let is_answered = |(from, key): (&usize, &Value)| {
        told.iter().zip(&told_keys).any(|(answer, its)| its == key && answers(*from, *answer))
    };
    let open: Vec<usize> =
        asked.iter().zip(&asked_keys).filter(|pair| !is_answered(*pair)).map(|(from, _)| *from).collect();
    if open.is_empty() {
        return Ok(Finding::yes(moments(facts, &asked)?));
    }
    let subject = subject(of, None, facts, &open)?;
    let answered = format!("nothing that fits `{}` within {}", to.shown(), span_words(within));
    Ok(Finding::no(format!("{subject}: {} and {answered}", entries_fit(open.len())), moments(facts, &open)?))
}

fn read(rules: &LoadedReads, facts: &mut Facts) -> Result<Finding, EvalError> {
    let breach = reads::find(rules, facts)?;
    if breach.is_empty() {
        return Ok(Finding::yes(Vec::new()));
    }
    let why = format!("{} read what it may not: {}", rules.by, breach.words());
    Ok(Finding::no(why, moments(facts, &breach.calls())?))
}

/// Whether the target's calls stay within their bounds.
fn spent(budget: &Budget, facts: &mut Facts) -> Result<Finding, EvalError> {
    let entries = facts.entries()?;
    let is_call = |entry: &crate::facts::Entry| {
        let on_twin = budget.twin.as_ref().is_none_or(|twin| entry.twin == *twin);
        entry.json["kind"] == "request" && entry.is_by("target") && on_twin
    };
    let calls: Vec<usize> = (0..entries.len()).filter(|at| is_call(&entries[*at])).collect();
    let failed = |at: &usize| entries[*at].json["error"] != "" || entries[*at].json["status"].as_u64() >= Some(400);
    let errors: Vec<usize> = calls.iter().copied().filter(failed).collect();
    let times: Vec<Option<Timestamp>> = entries.iter().map(crate::facts::Entry::at).collect();
    for (of, max, what) in [(&calls, budget.calls, ""), (&errors, budget.errors, " that failed")] {
        let Some(max) = max else { continue };
        let most = busiest(of, &times, budget.per);
        if most.len() as u64 > max {
            let per = budget.per.map_or_else(String::new, |per| format!(" within {}", span_words(per)));
            let twin = budget.twin.as_ref().map_or_else(String::new, |twin| format!(" to {twin}"));
            let calls = if most.len() == 1 { "call" } else { "calls" };
            let why = format!("{} {calls}{twin}{what}{per}, at most {max} allowed", most.len());
            return Ok(Finding::no(why, moments(facts, most)?));
        }
    }
    Ok(Finding::yes(Vec::new()))
}

/// Of positions in order, the longest run within a span; all where there is none.
fn busiest<'a>(of: &'a [usize], times: &[Option<Timestamp>], per: Option<Span>) -> &'a [usize] {
    let Some(per) = per else { return of };
    let (mut best, mut from) = (&of[..0], 0);
    for to in 0..of.len() {
        let start = |from: usize| times[of[from]].map(|at| at.after(per.0));
        while from < to && times[of[to]] >= start(from) {
            from += 1;
        }
        if to + 1 - from > best.len() {
            best = &of[from..=to];
        }
    }
    best
}

fn order(steps: &[Program], facts: &mut Facts) -> Result<Finding, EvalError> {
    let (mut found, mut after) = (Vec::new(), None);
    for (nth, step) in steps.iter().enumerate() {
        let fitting = facts.fitting(step, None)?;
        let next = fitting.iter().copied().find(|at| after.is_none_or(|after| *at > after));
        let Some(at) = next else {
            let why = match (nth.checked_sub(1), fitting.is_empty()) {
                (_, true) => format!("nothing fits `{}`", step.shown()),
                (before, false) => {
                    let before = before.map(|before| steps[before].shown()).unwrap_or_default();
                    format!("what fits `{}` does not come after what fits `{before}`", step.shown())
                }
            };
            return Ok(Finding::no(why, moments(facts, &found)?));
        };
        found.push(at);
        after = Some(at);
    }
    Ok(Finding::yes(moments(facts, &found)?))
}

fn only_after(of: &Program, after: &Program, facts: &mut Facts) -> Result<Finding, EvalError> {
    let (fitting, gates) = (facts.fitting(of, None)?, facts.fitting(after, None)?);
    let opened = gates.first().copied();
    let early: Vec<usize> = fitting.iter().copied().filter(|at| opened.is_none_or(|opened| *at < opened)).collect();
    if early.is_empty() {
        return Ok(Finding::yes(moments(facts, &fitting)?));
    }
    let subject = subject(of, None, facts, &early)?;
    let why = format!("{subject}: {} before anything fits `{}`", entries_fit(early.len()), after.shown());
    Ok(Finding::no(why, moments(facts, &early)?))
}

fn at_most_once_per(of: &Program, key: &Program, facts: &mut Facts) -> Result<Finding, EvalError> {
    let fitting = facts.fitting(of, None)?;
    let keys = facts.values_at(key, &fitting)?;
    let mut by_key: BTreeMap<String, (&Value, Vec<usize>)> = BTreeMap::new();
    for (at, key) in fitting.iter().zip(&keys) {
        by_key.entry(key.to_string()).or_insert_with(|| (key, Vec::new())).1.push(*at);
    }
    // The first in the ledger, so that equal runs name the same whatever their keys are.
    let several =
        by_key.values().filter(|(_, positions)| positions.len() > 1).min_by_key(|(_, positions)| positions[0]);
    let Some((key, positions)) = several else {
        return Ok(Finding::yes(moments(facts, &fitting)?));
    };
    let subject = subject(of, None, facts, positions)?;
    let why = format!("{subject}: {} for the key {}, at most 1 allowed", entries_fit(positions.len()), short(key));
    Ok(Finding::no(why, moments(facts, positions)?))
}

fn moments(facts: &mut Facts, positions: &[usize]) -> Result<Vec<Moment>, EvalError> {
    let entries = facts.entries()?;
    Ok(positions.iter().take(MOMENTS_MAX).filter_map(|at| entries.get(*at)).map(crate::facts::Entry::moment).collect())
}

fn entries_fit(count: usize) -> String {
    match count {
        0 => "no entry fits".to_owned(),
        1 => "1 entry fits".to_owned(),
        _ => format!("{count} entries fit"),
    }
}

/// What a sentence about entries is about: their operation where all have the same, else the expression.
fn subject(of: &Program, by: Option<&str>, facts: &mut Facts, positions: &[usize]) -> Result<String, EvalError> {
    let entries = facts.entries()?;
    let mut whats = positions.iter().filter_map(|at| entries.get(*at)).map(|entry| entry.what.as_str());
    let name = match whats.next() {
        Some(first) if whats.all(|what| what == first) => first.to_owned(),
        _ => of.shown(),
    };
    Ok(match by {
        Some(by) => format!("`{name}` by {by}"),
        None => format!("`{name}`"),
    })
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use serde_json::json;

    use super::*;
    use crate::testing::{call, facts, scenario_with, take_away};

    /// The one check of a scenario, after what usually happens.
    fn checked(that: &str) -> CheckResult {
        let scenario = scenario_with(&format!("checks: [{{name: c, that: {that}}}]"));
        let mut facts = facts(json!({}));
        let universe = Arc::clone(facts.universe());
        for (item, query) in [("cup", "owner=lena"), ("pot", ""), ("cup", "owner=omar"), ("bomb", "")] {
            call(&universe, "putItem", item, query);
        }
        take_away(&universe, "rob", "pot");
        let watch = Watch::new(&scenario, &facts);
        evaluate(&scenario, 0, &mut facts, &watch).expect("applies")
    }

    #[test]
    fn properties_hold_or_say_why_not() {
        let check = |that: &str, wanted: &str| {
            let result = checked(that);
            let found = match result.held {
                Held::Yes => "yes".to_owned(),
                Held::No => result.why,
                Held::Error => format!("error: {}", result.why),
            };
            assert_eq!(found, wanted, "{that}");
        };
        check("{finally: shelf.items.size() == 1}", "yes");
        check("{finally: 'shelf.items.size() > 1'}", "`shelf.items.size() > 1` does not hold at the end");
        check(
            "{finally: \"shelf.items[3].name == ''\"}",
            "error: cannot be evaluated: `shelf.items[3].name == ''`: a list is too short to have an item 3",
        );
        check("{count: {of: e.operation == 'putItem', max: 4, min: 4}}", "yes");
        check(
            "{count: {of: e.operation == 'putItem', by: target, max: 1}}",
            "`putItem` by target: 4 entries fit, at most 1 allowed",
        );
        check(
            "{count: {of: e.operation == 'putItem', by: actor, min: 1}}",
            "`e.operation == 'putItem'` by actor: no entry fits, at least 1 wanted",
        );
        check(
            "{count: {of: 'e.kind in [\"request\", \"affordance\"]', max: 4}}",
            "`e.kind in [\"request\", \"affordance\"]`: 5 entries fit, at most 4 allowed",
        );
        check("{never: {of: e.status == 403, by: target}}", "`putItem` by target: 1 entry fits, none allowed");
        check("{never: {of: e.verb != ''}}", "`shelf.user.take`: 1 entry fits, none allowed");
        check("{never: {of: e.status == 500}}", "yes");
        check("{leads_to: {of: e.status == 200, to: e.verb == 'shelf.user.take', within: 1s}}", "yes");
        check(
            "{leads_to: {of: e.status == 200, to: e.verb == 'shelf.user.take', within: 1s, key: e.args.item}}",
            "`putItem`: 2 entries fit and nothing that fits `e.verb == 'shelf.user.take'` within 1s",
        );
        check(
            "{leads_to: {of: e.status == 403, to: e.status == 404, within: 5m}}",
            "`putItem`: 1 entry fits and nothing that fits `e.status == 404` within 5m",
        );
        check("{leads_to: {of: e.status == 500, to: 'false', within: 5m}}", "yes");
        check("{budget: {calls: 4, errors: 1}}", "yes");
        check("{budget: {calls: 3}}", "4 calls, at most 3 allowed");
        check(
            "{budget: {twin: shelf, errors: 0, per: 1m}}",
            "1 call to shelf that failed within 1m, at most 0 allowed",
        );
        check("{budget: {twin: okta, calls: 0}}", "yes");
        check("{always: 'true'}", "error: cannot be evaluated: no earlier state was kept");
        check("{order: [e.status == 403, e.verb == 'shelf.user.take']}", "yes");
        check(
            "{order: [e.verb != '', e.status == 403]}",
            "what fits `e.status == 403` does not come after what fits `e.verb != ''`",
        );
        check("{order: [e.verb != '', e.status == 404]}", "nothing fits `e.status == 404`");
        check("{order: [e.status == 200, e.status == 200, e.status == 200]}", "yes");
        check(
            "{at_most_once_per: {of: e.status == 200, key: e.args.item}}",
            "`putItem`: 2 entries fit for the key cup, at most 1 allowed",
        );
        check(
            "{at_most_once_per: {of: e.operation == 'putItem', key: '[e.args.item, e.args.?owner.orValue(\"\")]'}}",
            "yes",
        );
        check(
            "{count: {of: e.args.owner == 'lena', by: target, max: 1}}",
            "error: cannot be evaluated: `e.args.owner == 'lena'`: nothing has the name `owner` there; where it may be absent, ask `has(...)` first (for `putItem` by target, number 2)",
        );
        check(
            "{finally: garage.cars.size() == 0}",
            "error: cannot be evaluated: `garage.cars.size() == 0`: nothing is called `garage`",
        );
        check("{finally: '1'}", "error: cannot be evaluated: `1` is neither true nor false but of type `int`");
    }

    #[test]
    fn moments_show_what_was_found() {
        let result = checked("{at_most_once_per: {of: e.status == 200, key: e.args.item}}");
        let shown: Vec<_> =
            result.moments.iter().map(|m| format!("{} {} {} {}", m.principal, m.what, m.nth, m.shows)).collect();
        assert_eq!(
            shown,
            ["target putItem 1 item=cup owner=lena -> 200", "target putItem 3 item=cup owner=omar -> 200"]
        );
    }

    #[test]
    fn a_check_applies_only_when_it_says() {
        let lines = "params: {n: {one_of: [1, 2]}}\nchecks: [{name: c, when: params.n == 2, that: {finally: 'true'}}, {name: d, when: params.n, that: {finally: 'true'}}]";
        let scenario = scenario_with(lines);
        let held = |n: u64| {
            let mut facts = facts(json!({ "n": n }));
            let watch = Watch::new(&scenario, &facts);
            let results = evaluate_all(&scenario, &mut facts, &watch);
            results.into_iter().map(|result| (result.name, result.held)).collect::<Vec<_>>()
        };
        let last = [("d".to_owned(), Held::Error), (collateral::NAME.to_owned(), Held::Yes)];
        assert_eq!(held(1), last);
        assert_eq!(held(2)[0], ("c".to_owned(), Held::Yes));
    }

    #[test]
    fn what_must_hold_at_every_moment_is_looked_at_in_every_state() {
        let check = |that: &str, wanted: &str| {
            let scenario = scenario_with(&format!("checks: [{{name: c, that: {{always: \"{that}\"}}}}]"));
            let mut facts = facts(json!({}));
            let universe = Arc::clone(facts.universe());
            universe.keep_history();
            // Two items for a moment only: at the end nothing is left of it. The clock stands still, so that all writes
            // are of that moment.
            call(&universe, "putItem", "cup", "");
            call(&universe, "putItem", "pot", "");
            take_away(&universe, "rob", "pot");
            let watch = Watch::new(&scenario, &facts);
            let result = evaluate(&scenario, 0, &mut facts, &watch).expect("applies");
            let shown: Vec<&str> = result.moments.iter().map(|moment| moment.shows.as_str()).collect();
            assert_eq!(format!("{} {}", result.why, shown.join(" ")).trim(), wanted, "{that}");
            assert_eq!(facts.holds(&scenario_always(&scenario)).ok(), Some(true), "it holds at the end: {that}");
        };
        check("shelf.items.size() < 3", "");
        check(
            "shelf.items.size() < 2",
            "`shelf.items.size() < 2` does not hold from some moment on item=cup -> 200 item=pot -> 200 item=pot",
        );
    }

    fn scenario_always(scenario: &crate::load::LoadedScenario) -> crate::expr::Program {
        match &scenario.checks[0].that {
            LoadedProperty::Always(that) => that.clone(),
            other => panic!("not an `always`: {other:?}"),
        }
    }

    #[test]
    fn the_busiest_span_is_found() {
        let times: Vec<Option<Timestamp>> = [0, 1, 5, 6, 6, 7, 20].map(|secs| Some(Timestamp::from_secs(secs))).into();
        let all: Vec<usize> = (0..times.len()).collect();
        let check = |secs: u64, wanted: &[usize]| {
            assert_eq!(busiest(&all, &times, Some(Span(Duration::from_secs(secs)))), wanted, "{secs} s");
        };
        check(1, &[3, 4]);
        check(2, &[2, 3, 4]);
        check(3, &[2, 3, 4, 5]);
        check(100, &[0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(busiest(&all, &times, None).len(), 7);
        assert!(busiest(&[], &times, Some(Span(Duration::from_secs(1)))).is_empty());
    }

    #[test]
    fn what_becomes_true_in_time_is_remembered() {
        let that = "{eventually: {within: 10s, that: 'shelf.items[0].name == \"cup\"'}}";
        let scenario = scenario_with(&format!(
            "checks: [{{name: c, that: {that}}}, {{name: d, that: {{eventually: {{within: 1m30s, that: 'false'}}}}}}]"
        ));
        let mut facts = facts(json!({}));
        let universe = Arc::clone(facts.universe());
        let start = universe.now();
        let at = |secs: u64| start.after(Duration::from_secs(secs));
        let mut watch = Watch::new(&scenario, &facts);
        assert!(!watch.poll(&mut facts, at(1)));
        assert_eq!(watch.deadline(), Some(at(10)));
        call(&universe, "putItem", "cup", "");
        assert!(!watch.poll(&mut facts, at(10)));
        assert_eq!((watch.held_first(0), watch.deadline()), (Some(at(10)), Some(at(90))));
        take_away(&universe, "rob", "cup");
        assert!(watch.poll(&mut facts, at(90)));
        assert_eq!(watch.deadline(), None);
        let results = evaluate_all(&scenario, &mut facts, &watch);
        assert_eq!(results[0].held, Held::Yes);
        assert_eq!(results[1].why, "`false` did not become true within 1m30s after the last beat");
    }

    #[test]
    fn what_never_has_a_value_is_an_error_in_the_end() {
        let scenario = scenario_with(
            "checks: [{name: c, that: {eventually: {within: 1s, that: 'shelf.items[0].name == \"cup\"'}}}]",
        );
        let mut facts = facts(json!({}));
        let mut watch = Watch::new(&scenario, &facts);
        let late = facts.universe().now().after(Duration::from_secs(1));
        assert!(watch.poll(&mut facts, late));
        let result = evaluate(&scenario, 0, &mut facts, &watch).expect("applies");
        assert_eq!(result.held, Held::Error, "{result:?}");
    }

    #[test]
    fn spans_are_told_as_people_write_them() {
        let check = |millis: u64, wanted: &str| assert_eq!(span_words(Span(Duration::from_millis(millis))), wanted);
        check(0, "0s");
        check(300, "300ms");
        check(5_400_000, "1h30m");
        check(90_061_001, "1d1h1m1s1ms");
    }
}
