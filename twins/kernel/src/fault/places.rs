//! Where the members of rules stand in a file, for problems that show when the file has been read.

use serde::{Deserialize, de::IgnoredAny};
use serde_saphyr::{Location, Spanned};

use super::{rule::Part, told::RuleError};
use crate::diagnostic::Diagnostic;

/// Where the rules of a file stand, in order. Empty where the file cannot be read so.
#[derive(Debug, Default)]
pub struct Places(Vec<RulePlaces>);

#[derive(Debug, Deserialize)]
struct RulePlaces {
    id: Spanned<IgnoredAny>,
    #[serde(default)]
    on: Option<Spanned<OnPlaces>>,
    #[serde(default, rename = "do")]
    effect: Option<Spanned<IgnoredAny>>,
}

#[derive(Debug, Deserialize)]
struct OnPlaces {
    twin: Option<Spanned<IgnoredAny>>,
    operation: Option<Spanned<IgnoredAny>>,
    deliver: Option<Spanned<IgnoredAny>>,
    timer: Option<Spanned<IgnoredAny>>,
    resource: Option<Spanned<IgnoredAny>>,
    caller: Option<Spanned<IgnoredAny>>,
    #[serde(rename = "where")]
    condition: Option<Spanned<String>>,
    during: Option<Spanned<IgnoredAny>>,
}

#[derive(Deserialize)]
struct OfPlan {
    rules: Vec<RulePlaces>,
}

#[derive(Deserialize)]
struct OfScenario {
    faults: Vec<InScenario>,
}

#[derive(Deserialize)]
struct InScenario {
    rule: RulePlaces,
}

impl Places {
    /// Of a fault plan (`rules`).
    pub fn of_plan(text: &str) -> Self {
        serde_saphyr::from_str(text).map(|plan: OfPlan| Self(plan.rules)).unwrap_or_default()
    }

    /// Of a scenario (`faults`, each with its `rule`).
    pub fn of_scenario(text: &str) -> Self {
        let read = serde_saphyr::from_str(text);
        read.map(|file: OfScenario| Self(file.faults.into_iter().map(|one| one.rule).collect())).unwrap_or_default()
    }

    /// Whether nothing is known of the file's rules.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A rule's problem with its place, its line and a hint.
    pub fn problem(&self, file: &str, text: &str, rule: usize, error: &RuleError) -> Diagnostic {
        let location = self.0.get(rule).map_or(Location::UNKNOWN, |places| places.of(error.part()));
        let problem = Diagnostic::at(file, location, error.to_string());
        let problem = match (error, self.0.get(rule).and_then(RulePlaces::condition)) {
            (RuleError::Condition { wrong, .. }, Some(written)) if wrong.line > 0 => {
                within(problem, text, written, wrong.line, wrong.column)
            }
            _ => problem,
        };
        problem.shown_in(text).hint(error.hint())
    }
}

impl RulePlaces {
    fn of(&self, part: Part) -> Location {
        let on = self.on.as_ref();
        let member = |pick: fn(&OnPlaces) -> Option<&Spanned<IgnoredAny>>| {
            on.and_then(|on| pick(&on.value)).map(|member| member.referenced)
        };
        let found = match part {
            Part::Id => None,
            Part::Effect => self.effect.as_ref().map(|effect| effect.referenced),
            Part::On => on.map(|on| on.referenced),
            Part::Twin => member(|on| on.twin.as_ref()),
            Part::Operation => member(|on| on.operation.as_ref()),
            Part::Deliver => member(|on| on.deliver.as_ref()),
            Part::Timer => member(|on| on.timer.as_ref()),
            Part::Resource => member(|on| on.resource.as_ref()),
            Part::Caller => member(|on| on.caller.as_ref()),
            Part::During => member(|on| on.during.as_ref()),
            Part::Condition => self.condition().map(|written| written.referenced),
        };
        found.unwrap_or(self.id.referenced)
    }

    fn condition(&self) -> Option<&Spanned<String>> {
        self.on.as_ref()?.value.condition.as_ref()
    }
}

/// The problem moved to a place within a text that the file holds. Stays where it is where the file has the text in
/// other words (escaped, folded).
fn within(problem: Diagnostic, text: &str, written: &Spanned<String>, line: usize, column: usize) -> Diagnostic {
    let Some(wanted) = written.value.lines().nth(line - 1).filter(|line| !line.is_empty()) else { return problem };
    let first = usize::try_from(problem.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let after = usize::try_from(problem.column.saturating_sub(1)).unwrap_or(0);
    let rows = text.lines().enumerate().skip(first);
    let hit = rows.filter_map(|(number, row)| {
        // On its first line the text stands behind its own beginning: what is before may look alike.
        let from = if number == first { row.char_indices().nth(after).map_or(row.len(), |(at, _)| at) } else { 0 };
        Some((number, row[..from + row[from..].find(wanted)?].chars().count()))
    });
    match hit.take(1).next() {
        Some((number, before)) => Diagnostic { line: number as u64 + 1, column: (before + column) as u64, ..problem },
        None => problem,
    }
}
