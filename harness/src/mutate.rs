//! Mutants of checks: what nobody would miss.
//!
//! A scenario's checks are changed in small ways (a condition left out, a comparison turned around, a time doubled, the
//! whole check forgotten), and each trajectory of an admission is judged once more with each of them. What was recorded
//! is looked at again: nothing runs twice. A change that turns the outcome of some trajectory is *killed*: the part that
//! it changed matters. One that makes a check say something else, while other checks or a story that failed keep the
//! outcome as it is, is *masked*. One that changes nothing at all *survives*: no program of the admission needs that part.

mod edit;
mod place;
mod property;
mod siblings;
mod token;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use dtu_kernel::{host::Host, world::World};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::property::{Change, Mutant};
use crate::{
    check::{self, Other, Watch},
    collateral,
    facts::Facts,
    judge::{self, Gap, Story},
    load::{LoadedProperty, LoadedScenario},
    reads,
    scenario::Role,
    stats::as_float,
    stats::rounded,
    verdict::{CheckResult, Held, Outcome},
};

/// What became of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It had no value anywhere, or was never asked: it says nothing.
    Unseen,
    /// Nothing was any different.
    Survived,
    /// The check said something else, and the outcome was the same: another check fails too, or the story did.
    Masked,
    /// The outcome of a trajectory was another one.
    Killed,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Unseen, Self::Survived, Self::Masked, Self::Killed];

    fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Killed)
    }
}

/// What is known of a check by its mutants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mutants {
    /// The check.
    pub name: String,
    /// What follows where it does not hold.
    pub role: Role,
    /// How many changed the outcome of a trajectory.
    pub killed: u64,
    /// How many changed only what the check says: other checks fail too, or the story did.
    pub masked: u64,
    /// How many changed nothing.
    pub survived: u64,
    /// How many had no value anywhere.
    pub unseen: u64,
    /// How many more there would be.
    pub left_out: u64,
    /// How many trajectories say nothing of them: what was recorded does not show the same again.
    #[serde(default, skip_serializing_if = "is_none")]
    pub not_again: u64,
    /// Those that were not killed, in the order of the file.
    pub alive: Vec<Alive>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A mutant that was not killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alive {
    /// What became of it.
    pub fate: Fate,
    /// Whether a larger part around it could be left out with the same fate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub within: bool,
    /// What was changed, in a few words.
    pub what: String,
    /// The part as it is written; empty where it is the whole check.
    pub was: String,
    /// What stood in its place; empty where nothing did.
    pub now: String,
    /// The line of the part, counted from 1.
    pub line: u64,
    /// Its column, counted from 1.
    pub column: u64,
    /// The line itself with marks below the part.
    pub snippet: String,
}

/// The mutants of scenarios, and what became of them in all trajectories so far.
#[derive(Debug)]
pub struct Mutation {
    suspects: BTreeMap<String, Suspects>,
}

/// The mutants of a scenario.
#[derive(Debug)]
struct Suspects {
    scenario: LoadedScenario,
    mutants: Vec<Mutant>,
    /// For each of them; only ever rises, so that it does not matter in which order trajectories end.
    fates: Vec<AtomicU8>,
    /// By what the mutants are of: how many were not made.
    left_out: BTreeMap<Subject, u64>,
    /// By what the mutants are of: trajectories that did not show the same again.
    not_again: BTreeMap<Subject, AtomicU64>,
}

/// What a mutant is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// A check, by its position.
    Check(usize),
    /// The closed world.
    Collateral,
    /// What the target may read.
    Reads,
}

/// A trajectory that is over, with all that its checks were told by.
#[derive(Debug)]
pub struct Trial {
    /// How far the story came.
    pub story: Story,
    /// The first call that a twin does not serve.
    pub gap: Option<Gap>,
    /// Rules that had to fire and did not.
    pub unfired: Vec<String>,
    /// What came of its checks.
    pub checks: Vec<CheckResult>,
    /// What is known of its universe, at rest.
    pub facts: Facts,
    /// What was waited for.
    pub watch: Watch,
}

impl Trial {
    /// Whether it says something of its target. What nobody could have satisfied shows of no check what it is good for.
    fn says_something(&self) -> bool {
        self.gap.is_none() && self.unfired.is_empty()
    }
}

impl Mutation {
    /// Makes the mutants of scenarios, each with its world.
    pub fn new<'a>(
        scenarios: impl Iterator<Item = (&'a LoadedScenario, &'a Arc<World>)>,
        twins: &Arc<[Arc<dyn Host>]>,
    ) -> Self {
        let suspects = |(scenario, world): (&LoadedScenario, &Arc<World>)| {
            let siblings = siblings::Siblings::of(scenario, world, twins);
            (scenario.scenario.id.value.clone(), Suspects::new(scenario.clone(), &siblings))
        };
        Self { suspects: scenarios.map(suspects).collect() }
    }

    /// Judges a trajectory with each mutant of its scenario's checks.
    pub fn look(&self, scenario: &str, mut trial: Trial) {
        if let Some(suspects) = self.suspects.get(scenario) {
            suspects.look(&mut trial);
        }
    }

    /// What is known of a scenario's checks.
    pub fn told(&self, scenario: &str) -> Vec<Mutants> {
        self.suspects.get(scenario).map(Suspects::told).unwrap_or_default()
    }
}

/// The share of mutants that were killed among those that say something; none where none does.
pub fn score<'a>(checks: impl IntoIterator<Item = &'a Mutants>) -> Option<f64> {
    let counts = checks.into_iter().map(|check| (check.killed, check.killed + check.masked + check.survived));
    let (killed, all) = counts.fold((0, 0), |(killed, all), (more, of)| (killed + more, all + of));
    (all > 0).then(|| rounded(as_float(killed) / as_float(all)))
}

impl Suspects {
    fn new(scenario: LoadedScenario, siblings: &siblings::Siblings) -> Self {
        let (mutants, left_out) = property::mutants(&scenario, siblings);
        let fates = mutants.iter().map(|_| AtomicU8::new(0)).collect();
        let not_again = mutants.iter().map(|mutant| (mutant.of, AtomicU64::new(0))).collect();
        Self { scenario, mutants, fates, left_out, not_again }
    }

    fn look(&self, trial: &mut Trial) {
        // Without states nothing was there to be seen, and what broke is nobody's fault.
        if trial.facts.kept() == 0 || matches!(trial.story, Story::Broken(_)) {
            return;
        }
        let watch = self.watch_again(trial);
        let outcome = self.judged(trial, &trial.checks);
        for (subject, not_again) in &self.not_again {
            if self.again(*subject, trial, &watch) != self.said(*subject, &trial.checks) {
                not_again.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            for at in self.open(*subject) {
                let fate = self.fate(at, trial, &watch, outcome);
                self.fates[at].fetch_max(fate as u8, Ordering::SeqCst);
            }
        }
    }

    /// The mutants of a subject that are not killed yet.
    fn open(&self, subject: Subject) -> Vec<usize> {
        let is_open =
            |at: &usize| self.mutants[*at].of == subject && self.fates[*at].load(Ordering::SeqCst) < Fate::Killed as u8;
        (0..self.mutants.len()).filter(is_open).collect()
    }

    /// What mutants are found by while they are watched: after all checks.
    fn number(&self, mutant: usize) -> usize {
        self.scenario.checks.len() + mutant
    }

    /// Goes through what was waited for once more, for each check as it is and for its mutants.
    fn watch_again(&self, trial: &mut Trial) -> Watch {
        let mut others = Vec::new();
        for (at, check) in self.scenario.checks.iter().enumerate() {
            let LoadedProperty::Eventually { within: own, that } = &check.that else { continue };
            let applies = check::applies(check, &trial.facts).unwrap_or(false);
            if applies {
                others.push(Other { number: at, within: *own, that: that.clone(), is_longer: false });
            }
            for mutant in self.open(Subject::Check(at)) {
                let (within, that, asked) = match &self.mutants[mutant].change {
                    Change::That(LoadedProperty::Eventually { within, that }) => (*within, that, applies),
                    Change::Unconditional => (*own, that, true),
                    _ => continue,
                };
                if asked {
                    let is_longer = within.0 > own.0;
                    others.push(Other { number: self.number(mutant), within, that: that.clone(), is_longer });
                }
            }
        }
        trial.watch.again(others, &mut trial.facts)
    }

    /// What a check said in its trajectory: none where it was not asked.
    fn said(&self, subject: Subject, checks: &[CheckResult]) -> Option<Held> {
        let name = self.name(subject);
        checks.iter().find(|check| check.name == name).map(|check| check.held)
    }

    fn name(&self, subject: Subject) -> &str {
        match subject {
            Subject::Check(at) => &self.scenario.scenario.checks[at].value.name,
            Subject::Collateral => collateral::NAME,
            Subject::Reads => reads::NAME,
        }
    }

    /// What a check says of what was recorded.
    fn again(&self, subject: Subject, trial: &mut Trial, watch: &Watch) -> Option<Held> {
        let result = match subject {
            Subject::Check(at) => check::evaluate(&self.scenario, at, &mut trial.facts, watch),
            Subject::Collateral => Some(collateral::evaluate(&self.scenario, &mut trial.facts)),
            Subject::Reads => reads::evaluate(&self.scenario, &mut trial.facts),
        };
        result.map(|result| result.held)
    }

    fn fate(&self, at: usize, trial: &mut Trial, watch: &Watch, outcome: Outcome) -> Fate {
        let mutant = &self.mutants[at];
        let before = self.said(mutant.of, &trial.checks);
        let asked = before.is_some() || matches!(mutant.change, Change::Unconditional);
        if !asked {
            return Fate::Unseen;
        }
        let held = match self.held(at, trial, watch, before) {
            Some(Held::Error) => return Fate::Unseen,
            held => held,
        };
        if held == before {
            return if trial.says_something() { Fate::Survived } else { Fate::Unseen };
        }
        let mut checks = trial.checks.clone();
        self.put(mutant.of, held, &mut checks);
        if self.judged(trial, &checks) != outcome {
            return Fate::Killed;
        }
        if !trial.says_something() {
            return Fate::Unseen;
        }
        // A check that is forgotten where it held is not missed.
        if held.is_none() && before == Some(Held::Yes) { Fate::Survived } else { Fate::Masked }
    }

    /// What a mutant says: none where it is not asked.
    fn held(&self, at: usize, trial: &mut Trial, watch: &Watch, before: Option<Held>) -> Option<Held> {
        let mutant = &self.mutants[at];
        let of = |held: Option<bool>| match held {
            Some(true) => Held::Yes,
            Some(false) => Held::No,
            None => Held::Error,
        };
        match (&mutant.change, mutant.of) {
            (Change::Forgotten, _) => None,
            (Change::Opposite, _) => before.map(|held| match held {
                Held::Yes => Held::No,
                Held::No => Held::Yes,
                Held::Error => Held::Error,
            }),
            (Change::That(that), _) => Some(of(check::held(self.number(at), that, &mut trial.facts, watch))),
            (Change::Unconditional, Subject::Check(check)) => {
                let that = &self.scenario.checks[check].that;
                Some(of(check::held(self.number(at), that, &mut trial.facts, watch)))
            }
            (Change::World(world), Subject::Collateral) => Some(collateral::evaluate(world, &mut trial.facts).held),
            (Change::World(world), _) => reads::evaluate(world, &mut trial.facts).map(|result| result.held),
            (Change::Unconditional, _) => before,
        }
    }

    /// Puts what a mutant says in the place of what its check said.
    fn put(&self, subject: Subject, held: Option<Held>, checks: &mut Vec<CheckResult>) {
        let name = self.name(subject);
        let at = checks.iter().position(|check| check.name == name);
        match (held, at, subject) {
            (Some(held), Some(at), _) => checks[at].held = held,
            (None, Some(at), _) => drop(checks.remove(at)),
            (Some(held), None, Subject::Check(at)) => {
                let check = &self.scenario.scenario.checks[at].value;
                let weight = check.weight.unwrap_or(1.0);
                let (name, role) = (check.name.clone(), check.role);
                checks.push(CheckResult { name, role, weight, held, why: String::new(), moments: Vec::new() });
            }
            _ => {}
        }
    }

    fn judged(&self, trial: &Trial, checks: &[CheckResult]) -> Outcome {
        let (story, gap, unfired) = (trial.story.clone(), trial.gap.clone(), trial.unfired.clone());
        judge::outcome(&self.scenario.scenario, story, gap, unfired, checks).0
    }

    fn told(&self) -> Vec<Mutants> {
        self.not_again.iter().map(|(subject, not_again)| self.told_of(*subject, not_again)).collect()
    }

    fn told_of(&self, subject: Subject, not_again: &AtomicU64) -> Mutants {
        let role = match subject {
            Subject::Check(at) => self.scenario.scenario.checks[at].value.role,
            Subject::Collateral | Subject::Reads => Role::Guard,
        };
        let of_it = self.mutants.iter().zip(&self.fates).filter(|(mutant, _)| mutant.of == subject);
        let of_it: Vec<(&Mutant, Fate)> =
            of_it.map(|(mutant, fate)| (mutant, Fate::of(fate.load(Ordering::SeqCst)))).collect();
        let count = |wanted: Fate| of_it.iter().filter(|(_, fate)| *fate == wanted).count() as u64;
        let is_alive = |fate: Fate| matches!(fate, Fate::Survived | Fate::Masked);
        let shown = |(mutant, fate): &(&Mutant, Fate)| {
            let within = of_it.iter().any(|(other, same)| same == fate && other.leaves_out(mutant));
            Alive { within, ..mutant.alive(*fate) }
        };
        let mut alive: Vec<Alive> = of_it.iter().filter(|(_, fate)| is_alive(*fate)).map(shown).collect();
        alive.sort_by_key(|alive| (alive.line, alive.column));
        Mutants {
            name: self.name(subject).to_owned(),
            role,
            killed: count(Fate::Killed),
            masked: count(Fate::Masked),
            survived: count(Fate::Survived),
            unseen: count(Fate::Unseen),
            left_out: self.left_out.get(&subject).copied().unwrap_or_default(),
            not_again: not_again.load(Ordering::SeqCst),
            alive,
        }
    }
}

#[cfg(test)]
mod tests;
