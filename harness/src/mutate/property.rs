//! The mutants of a scenario's checks.

use std::{collections::BTreeMap, ops::Range};

use dtu_kernel::time::Span;

use super::{
    Alive, Fate, Subject,
    edit::{LEFT_OUT, edits},
    place::{self, Mark},
    siblings::Siblings,
};
use crate::{
    expr::{Compiler, Place, Program},
    load::{LoadedProperty, LoadedReads, LoadedScenario, ReadRule, beat},
    scenario::Role,
};

const WITHOUT_WHERE: &str = "without its `where`";
/// A check is tried with so many mutants at most, those of its larger parts first.
const MUTANTS_MAX: usize = 80;
/// A time is made so many times longer, and shorter.
const TIMES: u32 = 2;

/// A check that is not quite the scenario's.
#[derive(Debug)]
pub(super) struct Mutant {
    pub(super) of: Subject,
    pub(super) change: Change,
    what: &'static str,
    was: String,
    now: String,
    mark: Mark,
    snippet: String,
    /// Where the expression stands that the part is of, and which part of it.
    span: Option<(Place, Range<usize>)>,
}

/// How a check differs from the scenario's.
#[derive(Debug)]
pub(super) enum Change {
    /// It is not there.
    Forgotten,
    /// It says the opposite.
    Opposite,
    /// Another property.
    That(LoadedProperty),
    /// It is asked in all variants.
    Unconditional,
    /// A scenario with other rules of what the target may change, or read.
    World(Box<LoadedScenario>),
}

impl Mutant {
    /// Whether a part is a smaller one within the part that this leaves out.
    pub(super) fn leaves_out(&self, smaller: &Self) -> bool {
        let (Some((one, whole)), Some((other, part))) = (&self.span, &smaller.span) else { return false };
        let is_within = whole.start <= part.start && part.end <= whole.end && whole != part;
        matches!(self.what, LEFT_OUT | WITHOUT_WHERE) && one == other && is_within
    }

    pub(super) fn alive(&self, fate: Fate) -> Alive {
        Alive {
            fate,
            within: false,
            what: self.what.to_owned(),
            was: self.was.clone(),
            now: self.now.clone(),
            line: self.mark.place.line,
            column: self.mark.place.column,
            snippet: self.snippet.clone(),
        }
    }
}

/// All mutants of a scenario in the order of its checks, and how many of each check were left out.
pub(super) fn mutants(scenario: &LoadedScenario, siblings: &Siblings) -> (Vec<Mutant>, BTreeMap<Subject, u64>) {
    let mut all = Vec::new();
    let mut left_out = BTreeMap::new();
    let mut add = |of: Subject, maker: Maker<'_>| {
        let mut made = maker.made;
        let more = made.len().saturating_sub(MUTANTS_MAX);
        made.truncate(MUTANTS_MAX);
        left_out.insert(of, more as u64);
        all.append(&mut made);
    };
    for (at, check) in scenario.checks.iter().enumerate() {
        let written = &scenario.scenario.checks[at];
        let decides = match written.value.role {
            Role::Must | Role::Guard => true,
            // Nothing hangs on others by themselves.
            Role::Should => scenario.scenario.satisfied_when.is_some(),
            Role::Info => false,
        };
        if decides {
            let mut maker = Maker::new(scenario, siblings, Subject::Check(at), written.referenced.into());
            maker.whole();
            if check.when.is_some() {
                maker.keyed("in all variants", "when", "", Change::Unconditional);
            }
            maker.property(&check.that);
            add(Subject::Check(at), maker);
        }
    }
    let rules = Maker::of_collateral(scenario, siblings);
    add(Subject::Collateral, rules);
    if scenario.reads.is_some() {
        add(Subject::Reads, Maker::of_reads(scenario, siblings));
    }
    (all, left_out)
}

/// Makes the mutants of a check.
struct Maker<'a> {
    scenario: &'a LoadedScenario,
    siblings: &'a Siblings,
    of: Subject,
    /// Where the check stands.
    place: Place,
    made: Vec<Mutant>,
}

impl<'a> Maker<'a> {
    fn new(scenario: &'a LoadedScenario, siblings: &'a Siblings, of: Subject, place: Place) -> Self {
        Self { scenario, siblings, of, place, made: Vec::new() }
    }

    fn push(&mut self, what: &'static str, (was, now): (&str, &str), mark: Mark, change: Change) {
        let snippet = mark.snippet(&self.scenario.text);
        let (was, now) = (was.to_owned(), now.to_owned());
        self.made.push(Mutant { of: self.of, change, what, was, now, mark, snippet, span: None });
    }

    /// Says which part of an expression the last one is about.
    fn spanned(&mut self, place: Place, part: Range<usize>) {
        if let Some(last) = self.made.last_mut() {
            last.span = Some((place, part));
        }
    }

    /// The check as a whole.
    fn whole(&mut self) {
        let mark = place::of_line(&self.scenario.text, self.place);
        self.push("forgotten", ("", ""), mark, Change::Forgotten);
        self.push("the opposite", ("", ""), mark, Change::Opposite);
    }

    /// A change of what stands behind a key of the check.
    fn keyed(&mut self, what: &'static str, key: &str, now: &str, change: Change) {
        let mark = place::of_key(&self.scenario.text, self.place, key);
        let was = mark.written(&self.scenario.text);
        self.push(what, (&was, now), mark, change);
    }

    fn that(&mut self, what: &'static str, key: &str, now: &str, that: LoadedProperty) {
        self.keyed(what, key, now, Change::That(that));
    }

    /// All changes of an expression; `put` says what the check is with the changed one.
    fn program(&mut self, program: &Program, is_condition: bool, put: impl Fn(Program) -> Change) {
        let source = program.source();
        for edit in edits(source, is_condition, self.siblings) {
            let Some(changed) = self.compiled(program, &edit.of(source)) else { continue };
            let mark = place::of_part(&self.scenario.text, program.place(), source, &edit.at);
            self.push(edit.what, (&source[edit.at.clone()], &edit.now), mark, put(changed));
            self.spanned(program.place(), edit.at);
        }
    }

    /// A changed expression; none where it cannot be one.
    fn compiled(&self, like: &Program, source: &str) -> Option<Program> {
        let params = self.scenario.scenario.params.keys().map(String::as_str).collect();
        let acts = beat::readable(&self.scenario.scenario.beats);
        let mut compiler = Compiler::new(&self.scenario.path, "", Some(params)).with_acts(acts);
        let program = compiler.program(like.scope(), source, like.place());
        compiler.problems.is_empty().then_some(program)
    }

    fn condition(&mut self, program: &Program, put: impl Fn(Program) -> LoadedProperty) {
        self.program(program, true, |changed| Change::That(put(changed)));
    }

    fn property(&mut self, that: &LoadedProperty) {
        use LoadedProperty as P;
        match that {
            P::Finally(that) => self.condition(that, P::Finally),
            P::Always(that) => self.condition(that, P::Always),
            P::Eventually { within, that } => {
                for within in around(*within) {
                    self.that("another time", "within", &words(within), P::Eventually { within, that: that.clone() });
                }
                self.condition(that, |that| P::Eventually { within: *within, that });
            }
            P::Count { of, by, min, max } => self.count(of, by.as_ref(), *min, *max),
            P::Never { of, by } => {
                for other in others(by.as_ref()) {
                    let now = other.clone().unwrap_or_default();
                    self.that("of somebody else", "by", &now, P::Never { of: of.clone(), by: other });
                }
                self.condition(of, |of| P::Never { of, by: by.clone() });
            }
            P::Order(steps) => self.order(steps),
            P::OnlyAfter { of, after } => {
                let swapped = P::OnlyAfter { of: after.clone(), after: of.clone() };
                self.that("the other way round", "after", "", swapped);
                self.condition(of, |of| P::OnlyAfter { of, after: after.clone() });
                self.condition(after, |after| P::OnlyAfter { of: of.clone(), after });
            }
            P::LeadsTo { of, to, within, key } => self.leads_to(of, to, *within, key.as_ref()),
            P::AtMostOncePer { of, key } => {
                if let Some(one) = self.compiled(key, "true") {
                    self.that("one key for all", "key", "true", P::AtMostOncePer { of: of.clone(), key: one });
                }
                self.condition(of, |of| P::AtMostOncePer { of, key: key.clone() });
                self.program(key, false, |key| Change::That(P::AtMostOncePer { of: of.clone(), key }));
            }
            P::Budget(budget) => self.budget(budget),
            P::Reads(rules) => self.reads(rules),
        }
    }

    fn count(&mut self, of: &Program, by: Option<&String>, min: u64, max: Option<u64>) {
        use LoadedProperty as P;
        let with = |by: Option<String>, min, max| P::Count { of: of.clone(), by, min, max };
        for other in others(by) {
            let now = other.clone().unwrap_or_default();
            self.that("of somebody else", "by", &now, with(other, min, max));
        }
        if min > 0 {
            self.that("another bound", "min", &(min + 1).to_string(), with(by.cloned(), min + 1, max));
            self.that("another bound", "min", &(min - 1).to_string(), with(by.cloned(), min - 1, max));
        }
        if let Some(max) = max {
            self.that("another bound", "max", &(max + 1).to_string(), with(by.cloned(), min, Some(max + 1)));
            self.that("no bound", "max", "", with(by.cloned(), min, None));
            if let Some(less) = max.checked_sub(1) {
                self.that("another bound", "max", &less.to_string(), with(by.cloned(), min, Some(less)));
            }
        }
        self.condition(of, |of| P::Count { of, by: by.cloned(), min, max });
    }

    fn order(&mut self, steps: &[Program]) {
        use LoadedProperty as P;
        for at in 0..steps.len() {
            let mut fewer = steps.to_vec();
            let left = fewer.remove(at);
            let mark = place::of_part(&self.scenario.text, left.place(), left.source(), &(0..left.source().len()));
            if !fewer.is_empty() {
                self.push(LEFT_OUT, (left.source(), ""), mark, Change::That(P::Order(fewer)));
            }
            if at > 0 {
                let mut swapped = steps.to_vec();
                swapped.swap(at - 1, at);
                self.push("before the one before", (left.source(), ""), mark, Change::That(P::Order(swapped)));
            }
        }
        for (at, step) in steps.iter().enumerate() {
            self.condition(step, |changed| {
                let mut steps = steps.to_vec();
                steps[at] = changed;
                P::Order(steps)
            });
        }
    }

    fn leads_to(&mut self, of: &Program, to: &Program, within: Span, key: Option<&Program>) {
        use LoadedProperty as P;
        let with = |of: &Program, to: &Program, within, key: Option<&Program>| P::LeadsTo {
            of: of.clone(),
            to: to.clone(),
            within,
            key: key.cloned(),
        };
        for other in around(within) {
            self.that("another time", "within", &words(other), with(of, to, other, key));
        }
        self.that("the other way round", "to", "", with(to, of, within, key));
        if let Some(key) = key {
            self.that("any key", "key", "", with(of, to, within, None));
            self.program(key, false, |key| Change::That(with(of, to, within, Some(&key))));
        }
        self.condition(of, |of| with(&of, to, within, key));
        self.condition(to, |to| with(of, &to, within, key));
    }

    fn budget(&mut self, budget: &crate::load::Budget) {
        let with = |change: &dyn Fn(&mut crate::load::Budget)| {
            let mut changed = budget.clone();
            change(&mut changed);
            LoadedProperty::Budget(changed)
        };
        for (key, bound) in [("calls", budget.calls), ("errors", budget.errors)] {
            let Some(bound) = bound else { continue };
            for other in [Some(bound + 1), bound.checked_sub(1), None] {
                if other.is_none() && bound == 0 {
                    continue;
                }
                let now = other.map_or_else(String::new, |other| other.to_string());
                let set = |budget: &mut crate::load::Budget| match key {
                    "calls" => budget.calls = other,
                    _ => budget.errors = other,
                };
                self.that(if other.is_some() { "another bound" } else { "no bound" }, key, &now, with(&set));
            }
        }
        if budget.twin.is_some() {
            self.that("of all twins", "twin", "", with(&|budget| budget.twin = None));
        }
        if let Some(per) = budget.per {
            for other in around(per) {
                self.that("another time", "per", &words(other), with(&|budget| budget.per = Some(other)));
            }
        }
    }

    /// What must not be read, or may be.
    fn reads(&mut self, rules: &LoadedReads) {
        let lists = [(true, Some(&rules.deny)), (false, rules.allow.as_ref())];
        for (is_deny, list) in lists {
            let Some(list) = list else { continue };
            self.rules(list, |changed| {
                let mut rules = rules.clone();
                if is_deny {
                    rules.deny = changed;
                } else {
                    rules.allow = Some(changed);
                }
                Change::That(LoadedProperty::Reads(rules))
            });
        }
    }

    fn rules(&mut self, list: &[ReadRule], put: impl Fn(Vec<ReadRule>) -> Change) {
        for (at, rule) in list.iter().enumerate() {
            let mut fewer = list.to_vec();
            fewer.remove(at);
            let mark = place::of_part(
                &self.scenario.text,
                self.place.find(&self.scenario.text, &rule.view),
                &rule.view,
                &(0..rule.view.len()),
            );
            self.push(LEFT_OUT, (&rule.view, ""), mark, put(fewer));
            let Some(only) = &rule.only else { continue };
            let with = |only: Option<Program>| {
                let mut other = list.to_vec();
                other[at].only = only;
                put(other)
            };
            self.where_of(only, with);
        }
    }

    fn where_of(&mut self, only: &Program, put: impl Fn(Option<Program>) -> Change) {
        let mark = place::of_part(&self.scenario.text, only.place(), only.source(), &(0..only.source().len()));
        self.push(WITHOUT_WHERE, (only.source(), ""), mark, put(None));
        self.spanned(only.place(), 0..only.source().len());
        self.program(only, true, |changed| put(Some(changed)));
    }

    /// What the target may change.
    fn of_collateral(scenario: &'a LoadedScenario, siblings: &'a Siblings) -> Self {
        let place = Place { line: 1, column: 1 }.find(&scenario.text, "collateral:");
        let mut maker = Self::new(scenario, siblings, Subject::Collateral, place);
        maker.whole();
        let with = |change: &dyn Fn(&mut LoadedScenario)| {
            let mut other = LoadedScenario { text: String::new(), ..scenario.clone() };
            change(&mut other);
            Change::World(Box::new(other))
        };
        for (at, rule) in scenario.scenario.collateral.allow.iter().enumerate() {
            let table = &rule.table.value;
            let mark = place::of_part(&scenario.text, rule.table.referenced.into(), table, &(0..table.len()));
            let without = |other: &mut LoadedScenario| {
                other.scenario.collateral.allow.remove(at);
                other.allow.remove(at);
            };
            maker.push(LEFT_OUT, (table, ""), mark, with(&without));
        }
        for (at, only) in scenario.allow.iter().enumerate() {
            if let Some(only) = only {
                maker.where_of(only, |changed| with(&|other| other.allow[at].clone_from(&changed)));
            }
        }
        maker
    }

    /// What the target may read.
    fn of_reads(scenario: &'a LoadedScenario, siblings: &'a Siblings) -> Self {
        let place = Place { line: 1, column: 1 }.find(&scenario.text, "reads:");
        let mut maker = Self::new(scenario, siblings, Subject::Reads, place);
        maker.whole();
        maker.rules(scenario.reads.as_deref().unwrap_or_default(), |changed| {
            let reads = Some(changed);
            Change::World(Box::new(LoadedScenario { text: String::new(), reads, ..scenario.clone() }))
        });
        maker
    }
}

/// Longer and shorter times.
fn around(span: Span) -> [Span; 2] {
    [Span(span.0 * TIMES), Span(span.0 / TIMES)]
}

fn words(span: Span) -> String {
    crate::check::span_words(span)
}

/// Other principals in the place of one: anybody, and one of another kind.
fn others(by: Option<&String>) -> Vec<Option<String>> {
    match by.map(String::as_str) {
        None => vec![Some("target".to_owned())],
        Some("target") => vec![None, Some("actor".to_owned())],
        Some(_) => vec![None, Some("target".to_owned())],
    }
}
