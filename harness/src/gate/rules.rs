//! Rules on the run as a whole.

use super::{Bench, Rule, Ruling, is_canary, tagged};
use crate::{
    gates::{Exercise, Gates},
    pairing::{Difference, satisfied},
    plan::{Key, Plan, PlannedScenario},
    record::Record,
    scenario::Role,
    stats::{self, Estimate, Stratum, as_float, sequential},
    verdict::{Held, Outcome},
};

impl Bench<'_> {
    pub(super) fn validity(&mut self) {
        let records: Vec<&Record> = self.scenarios.iter().flat_map(|scenario| self.run.of(scenario)).collect();
        let count = |outcome| records.iter().filter(|record| record.outcome == outcome).count() as u64;
        let (void, undecided, all) = (count(Outcome::Void), count(Outcome::Undecided), records.len() as u64);
        let limits = &self.gates.validity;
        let mut problems = Vec::new();
        if self.seeds == 0 {
            problems.push("not every variant has been run: nothing can be said of the whole".to_owned());
        }
        for (what, count, most) in
            [("void", void, limits.void_max.value), ("undecided", undecided, limits.undecided_max.value)]
        {
            if all > 0 && as_float(count) / as_float(all) > most {
                problems.push(format!("{count} of {all} are {what}, at most {:.1} % may be", most * 100.0));
            }
        }
        for scenario in &self.scenarios {
            let records = self.run.of(scenario);
            if !records.is_empty() && records.into_iter().all(|record| satisfied(record).is_none()) {
                problems.push(format!("of `{}` nothing was decided", scenario.id));
            }
        }
        problems.extend(self.unseen());
        let decided = all - void - undecided;
        if problems.is_empty() {
            self.rule(Rule::Validity, None, Ruling::Pass, format!("{decided} of {all} decided"));
        } else {
            self.rule(Rule::Validity, None, Ruling::Inconclusive, problems.join("; "));
        }
    }

    /// What was to be seen now and then, and was not.
    pub(super) fn unseen(&self) -> Vec<String> {
        if self.gates.validity.sometimes == Exercise::Nothing {
            return Vec::new();
        }
        let faults = self.run.plan.faults;
        let unseen = |scenario: &&PlannedScenario| {
            let records = self.run.of(scenario);
            let wanted = scenario.sometimes.iter().filter(|name| faults || !name.starts_with("fault "));
            let unseen = wanted.filter(|name| !records.is_empty() && !records.iter().any(|r| r.seen.contains(name)));
            unseen.map(|name| format!("`{name}` was never seen in `{}`", scenario.id)).collect::<Vec<_>>()
        };
        self.scenarios.iter().flat_map(unseen).collect()
    }

    pub(super) fn canaries(&mut self) {
        let Some(rule) = &self.gates.canaries else { return };
        let canaries: Vec<_> = self.run.plan.scenarios.iter().filter(|s| tagged(s, &rule.tags)).collect();
        if canaries.is_empty() {
            let why = "no scenario has one of the canaries' tags".to_owned();
            return self.rule(Rule::Canaries, None, Ruling::Inconclusive, why);
        }
        for scenario in canaries {
            let records = self.run.of(scenario);
            let count = |wanted| records.iter().filter(|record| satisfied(record) == wanted).count();
            let (sung, decided) = (count(Some(true)), records.len() - count(None));
            let (ruling, why) = match (sung, decided) {
                (_, 0) => (Ruling::Inconclusive, "nothing was decided".to_owned()),
                (0, _) => (Ruling::Pass, "nobody satisfied what cannot be satisfied".to_owned()),
                _ => (Ruling::Breach, format!("{sung} of {decided} satisfied what cannot be satisfied")),
            };
            self.rule(Rule::Canaries, Some(&scenario.id), ruling, why);
        }
    }

    pub(super) fn must_have(&mut self) {
        let Some(rule) = &self.gates.must_have else { return };
        let wanted: Vec<_> = self.scenarios.iter().copied().filter(|s| tagged(s, &rule.tags)).collect();
        if wanted.is_empty() {
            let why = "no scenario has one of its tags".to_owned();
            return self.rule(Rule::MustHave, None, Ruling::Inconclusive, why);
        }
        for scenario in wanted {
            let records = self.run.of(scenario);
            let decided = records.iter().filter(|record| satisfied(record).is_some()).count();
            let unsatisfied: Vec<&Record> = records.iter().copied().filter(|r| satisfied(r) == Some(false)).collect();
            let forbidden = unsatisfied.iter().filter(|record| is_forbidden(record)).count();
            let failed = unsatisfied.len();
            let (ruling, why) = if forbidden > 0 {
                (Ruling::Fail, format!("something forbidden happened in {forbidden} of {decided}"))
            } else if failed as u64 > rule.violations && rule.confirm > 0 {
                self.confirmed(&unsatisfied, rule.confirm)
            } else if failed as u64 > rule.violations {
                (Ruling::Fail, format!("{failed} of {decided} not satisfied, at most {} may be", rule.violations))
            } else if decided == 0 {
                (Ruling::Inconclusive, "nothing was decided".to_owned())
            } else {
                (Ruling::Pass, format!("{failed} of {decided} not satisfied"))
            };
            self.rule(Rule::MustHave, Some(&scenario.id), ruling, why);
        }
    }

    /// Whether a failure that may be chance comes again on fresh seeds of its variant. Where it does not, it still was
    /// there: nothing is shown either way, and nothing is run until it pleases.
    fn confirmed(&mut self, failed: &[&Record], wanted: u64) -> (Ruling, String) {
        let Some(first) = failed.iter().min_by_key(|record| (record.key.n, &record.key.variant)) else {
            return (Ruling::Inconclusive, "nothing was decided".to_owned());
        };
        let key = |n| Key { n, ..first.key.clone() };
        let fresh: Vec<Key> = (first.key.n + 1..=first.key.n + wanted).map(key).collect();
        let missing: Vec<Key> = fresh.iter().filter(|key| !self.run.records.contains_key(key)).cloned().collect();
        let again = fresh.iter().filter(|key| self.run.records.get(key).and_then(satisfied) == Some(false)).count();
        let (seen, open) = (format!("`{}` failed", first.key), missing.len());
        if again > 0 {
            return (Ruling::Fail, format!("{seen}, and {again} of {wanted} with fresh seeds"));
        }
        self.next.extend(missing);
        let why = match open {
            0 => format!("{seen}, and none of {wanted} with fresh seeds: it may be rare, and is not shown to be gone"),
            _ => format!("{seen}: {wanted} fresh seeds are to confirm it, {open} are missing"),
        };
        (Ruling::Inconclusive, why)
    }

    pub(super) fn minimum(&mut self) {
        let Some(rule) = &self.gates.minimum else { return };
        let wanted = rule.satisfaction.value;
        let strata: Vec<Stratum> = self.scenarios.iter().map(|scenario| self.stratum(scenario)).collect();
        let Some(found) = self.level.and_then(|level| stats::claim(&strata, level)) else {
            return self.rule(Rule::Minimum, None, Ruling::Inconclusive, "it is too early to look".to_owned());
        };
        let (ruling, which) = if found.low >= wanted {
            (Ruling::Pass, "the lower bound reaches")
        } else if found.high < wanted {
            (Ruling::Fail, "the upper bound does not reach")
        } else {
            (Ruling::Inconclusive, "the bounds lie on both sides of")
        };
        let Estimate { point, low, high } = found;
        let why = format!(
            "satisfaction {point:.3}, at least {low:.3} and at most {high:.3} ({}): {which} {wanted:.2}",
            self.sure()
        );
        self.rule(Rule::Minimum, None, ruling, why);
    }

    /// How sure each end of this look's intervals is, for people.
    fn sure(&self) -> String {
        let sure = self.level.map_or(0.0, |level| 1.0 - sequential::beyond(level));
        // As many digits as it takes to tell 99.97 from 100.
        let shown = format!("{:.2}", sure * 100.0);
        format!("each end is {} % sure", shown.trim_end_matches('0').trim_end_matches('.'))
    }

    fn stratum(&self, scenario: &crate::plan::PlannedScenario) -> Stratum {
        let records = self.run.of(scenario).into_iter().filter(|record| record.key.n <= self.seeds);
        let mut stratum = Stratum { weight: scenario.weight, satisfied: 0, decided: 0, undecided: 0 };
        for record in records {
            stratum.satisfied += u64::from(record.outcome == Outcome::Satisfied);
            stratum.decided += u64::from(satisfied(record).is_some());
            stratum.undecided += u64::from(record.outcome == Outcome::Undecided);
        }
        stratum
    }

    pub(super) fn no_regress(&mut self) -> Option<Difference> {
        let rule = self.gates.no_regress.as_ref()?;
        let Some(baseline) = self.baseline else {
            let why = "there is no baseline: name one with `--baseline`".to_owned();
            self.rule(Rule::NoRegress, None, Ruling::Inconclusive, why);
            return None;
        };
        let Some(level) = self.level else {
            self.rule(Rule::NoRegress, None, Ruling::Inconclusive, "it is too early to look".to_owned());
            return None;
        };
        let (difference, estimate) = Difference::new(&self.scenarios, self.run, baseline, self.seeds, level);
        let (ruling, what) = match estimate {
            None => (Ruling::Inconclusive, "no trajectory was decided in both runs with the same seed"),
            Some(found) if found.low >= -rule.margin.value => (Ruling::Pass, "within the margin"),
            Some(found) if found.high < 0.0 => (Ruling::Fail, "a drop"),
            Some(_) => (Ruling::Inconclusive, "neither a drop nor within the margin"),
        };
        let (margin, sure) = (rule.margin.value * 100.0, self.sure());
        let (shown, pairs) = (difference.shown(), difference.pairs);
        let mut why = format!("{shown} over {pairs} pairs ({sure}), margin {margin:.1} pt: {what}");
        if !difference.unpaired.is_empty() {
            why = format!("{why}; not compared: {}", difference.unpaired.join(", "));
        }
        self.rule(Rule::NoRegress, None, ruling, why);
        Some(difference)
    }
}

/// Whether something forbidden happened.
pub fn is_forbidden(record: &Record) -> bool {
    record.checks.iter().any(|check| check.role == Role::Guard && check.held == Held::No)
}

/// Whether nothing that is still to come can save the run: something forbidden happened where nothing may go wrong, or
/// somebody satisfied what nobody can.
pub fn ends_all(gates: &Gates, plan: &Plan, record: &Record) -> bool {
    let Some(planned) = plan.scenarios.iter().find(|planned| planned.id == record.key.scenario) else { return false };
    let must_hold = !gates.quarantine.contains_key(&planned.id)
        && gates.must_have.as_ref().is_some_and(|rule| tagged(planned, &rule.tags));
    (must_hold && is_forbidden(record)) || (is_canary(gates, planned) && record.outcome == Outcome::Satisfied)
}
