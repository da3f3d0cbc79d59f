//! Rounds of a run under a gate, and the baseline's build beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::diagnostic::Diagnostic;

use super::{
    Failure,
    gate::Baseline,
    out,
    prepare::{self, Ask},
    signals,
};
use crate::{
    evidence::{Folder, KeepEvidence},
    gate::{self, Decision, decide, ends_all},
    gates::Gates,
    pairing::Arm,
    plan::{Key, Plan, Unit, Wishes},
    progress::Progress,
    record::Record,
    runner::{self, Event, Run},
    target::EnvVar,
    wait::rest,
};

/// The baseline's build, as far as it is there to run.
pub(super) struct Older<'a> {
    baseline: Option<Baseline>,
    ask: Ask<'a>,
    wishes: Wishes,
    root: PathBuf,
    /// Its run and units, once it was asked for.
    build: Option<(Arc<Run>, Vec<Unit>)>,
    /// Whether all that the run has is wanted of it too.
    beside: bool,
    /// Whether it was looked for in vain.
    is_gone: bool,
}

impl<'a> Older<'a> {
    pub(super) fn new(baseline: Option<Baseline>, ask: Ask<'a>, wishes: Wishes, root: &Path) -> Self {
        Self { baseline, ask, wishes, root: root.to_owned(), build: None, beside: false, is_gone: false }
    }

    pub(super) const fn baseline(&self) -> Option<&Baseline> {
        self.baseline.as_ref()
    }

    fn arm(&self) -> Option<Arm<'_>> {
        self.baseline.as_ref().map(Baseline::arm)
    }

    /// Takes a build as that of the baseline.
    pub(super) fn pair(&mut self, target: &Path) -> Result<(), Failure> {
        self.beside = true;
        self.load(target, &[])
    }

    fn load(&mut self, target: &Path, target_env: &[EnvVar]) -> Result<(), Failure> {
        let loaded = prepare::load(&Ask { target, target_env, ..self.ask }, &self.wishes)?;
        if let Some(baseline) = &self.baseline {
            let known = |plan: &Plan| (plan.target.digest.clone(), plan.target.program.clone());
            if known(&baseline.plan) != known(&loaded.plan) {
                let message = "this is not the build that the baseline was made with";
                let problem = Diagnostic::whole(&target.display().to_string(), message);
                return Err(problem
                    .hint("leave --baseline out to run all of it anew, or bless a run of this build")
                    .into());
            }
        }
        // What a baseline lacks is run into the run's own folder: the baseline itself never changes by itself.
        let folder = Folder::open(&self.root.join("baseline"), &loaded.plan)?;
        let more = folder.records()?;
        let (run, plan, units) = prepare::into_run(loaded, folder, KeepEvidence::Failed, 1)?;
        let baseline = self.baseline.get_or_insert_with(|| Baseline { plan, records: BTreeMap::new() });
        baseline.records.extend(more);
        self.build = Some((run, units));
        Ok(())
    }

    /// The trajectories of the baseline's build that are wanted and not there. Where no build was named, that of the
    /// baseline is looked for in its place.
    fn missing(&mut self, wanted: &BTreeSet<Key>) -> Vec<(Arc<Run>, Unit)> {
        let there = |key: &Key| self.baseline.as_ref().is_some_and(|b| b.records.contains_key(key));
        if wanted.iter().all(there) {
            return Vec::new();
        }
        if self.build.is_none() && !self.is_gone {
            self.look_for_build();
        }
        let (Some((run, units)), Some(baseline)) = (&self.build, &self.baseline) else { return Vec::new() };
        let missing = |unit: &&Unit| wanted.contains(&unit.key) && !baseline.records.contains_key(&unit.key);
        units.iter().filter(missing).map(|unit| (Arc::clone(run), unit.clone())).collect()
    }

    fn look_for_build(&mut self) {
        self.is_gone = true;
        let Some(planned) = self.baseline.as_ref().map(|baseline| baseline.plan.target.clone()) else { return };
        let env: Result<Vec<EnvVar>, String> = planned.env.iter().map(|var| var.parse()).collect();
        if let Err(why) = self.load(Path::new(&planned.file), &env.unwrap_or_default()) {
            out::say(&format!("the baseline cannot be extended: {why}\n  hint: name its build with --pair"));
        }
    }

    /// Runs these trajectories, and those of the baseline's build that are wanted with them, in turns, as long as the
    /// gates want more.
    async fn run(
        &mut self,
        run: &Arc<Run>,
        (plan, units): (&Plan, &[Unit]),
        wanted: &BTreeSet<Key>,
        records: &mut BTreeMap<Key, Record>,
        gates: Option<&Gates>,
    ) -> Result<(), Failure> {
        let older = self.missing(wanted);
        let newer = units.iter().filter(|unit| !records.contains_key(&unit.key));
        let list = in_turns(older, newer.map(|unit| (Arc::clone(run), unit.clone())).collect());
        let before = self.baseline.as_ref().map(|baseline| (baseline.plan.clone(), baseline.records.clone()));
        let before = before.as_ref().map(|(plan, records)| Arm { plan, records });
        let progress = Progress::new(plan, before, units.len(), records.len());
        let mut fresh: Vec<Record> = Vec::new();
        let watch = |of: &Arc<Run>, event: Event<'_>| match event {
            Event::Next(unit) => {
                !Arc::ptr_eq(of, run) || !gates.is_some_and(|gates| needless(gates, plan, records, unit))
            }
            Event::Over(record) if !Arc::ptr_eq(of, run) => {
                fresh.push(record.clone());
                true
            }
            Event::Over(record) => {
                records.insert(record.key.clone(), record.clone());
                progress.tell(records);
                !gates.is_some_and(|gates| ends_all(gates, plan, record))
            }
        };
        let ended = tokio::select! {
            biased;
            // First, so that it is heard from the first trajectory on.
            signal = signals::interrupted() => {
                let hint = format!("what is finished is kept; give `--out {}` to go on", self.root.display());
                Err(Failure::Interrupted { signal, hint })
            }
            ended = runner::go_through(list, run.jobs, watch) => ended.map_err(Failure::from),
        };
        progress.finish();
        if let Some(baseline) = &mut self.baseline {
            baseline.records.extend(fresh.into_iter().map(|record| (record.key.clone(), record)));
        }
        if ended.is_err() {
            // The targets of what was dropped are being killed; few outlive this moment, and none the next.
            rest(std::time::Duration::from_millis(300)).await;
        }
        ended
    }

    /// Runs all, beside the baseline's build where one is to run beside.
    pub(super) async fn run_beside(
        &mut self,
        run: &Arc<Run>,
        plan: &Plan,
        units: &[Unit],
        records: &mut BTreeMap<Key, Record>,
    ) -> Result<(), Failure> {
        let wanted = units.iter().filter(|_| self.beside).map(|unit| unit.key.clone()).collect();
        self.run(run, (plan, units), &wanted, records, None).await
    }
}

/// Both builds take turns, in the order A B B A, so that what changes in the machine meanwhile strikes both alike.
pub(super) fn in_turns<T>(a: Vec<T>, b: Vec<T>) -> Vec<T> {
    let (mut a, mut b) = (a.into_iter(), b.into_iter());
    let mut out = Vec::new();
    for turn in 0.. {
        let pair = if turn % 2 == 0 { [a.next(), b.next()] } else { [b.next(), a.next()] };
        if pair.iter().all(Option::is_none) {
            break;
        }
        out.extend(pair.into_iter().flatten());
    }
    out
}

/// Goes on until the gate is decided, or its budget used up.
pub(super) struct Rounds<'r, 'a> {
    pub(super) gates: &'r Gates,
    pub(super) older: &'r mut Older<'a>,
    pub(super) plan: &'r Plan,
    pub(super) units: &'r [Unit],
}

impl Rounds<'_, '_> {
    /// Afterwards the records are those that the decision rests on: what comes next depends on nothing but outcomes, so
    /// that a run that was cut short comes to the same end.
    pub(super) async fn go(
        &mut self,
        run: &Arc<Run>,
        records: &mut BTreeMap<Key, Record>,
    ) -> Result<Decision, Failure> {
        let first = self.gates.first_look(self.plan.seeds);
        let mut chosen: BTreeSet<Key> = self.units.iter().map(|u| u.key.clone()).filter(|k| k.n <= first).collect();
        let mut of_older = if self.older.beside { chosen.clone() } else { BTreeSet::new() };
        loop {
            self.round(run, &chosen, &of_older, records).await?;
            self.cut_off(&mut chosen, records);
            let mut seen = records.clone();
            seen.retain(|key, _| chosen.contains(key));
            self.stop_early(&mut chosen, &mut seen);
            let decision = decide(self.gates, Arm { plan: self.plan, records: &seen }, self.older.arm());
            let is_known = |key: &&Key| self.units.iter().any(|unit| unit.key == **key);
            let before = (chosen.len(), of_older.len());
            chosen.extend(decision.next.iter().filter(is_known).cloned());
            of_older.extend(decision.next_baseline.iter().filter(is_known).cloned());
            if self.older.beside {
                of_older.extend(chosen.iter().cloned());
            }
            if (chosen.len(), of_older.len()) == before {
                *records = seen;
                return Ok(decision);
            }
        }
    }

    async fn round(
        &mut self,
        run: &Arc<Run>,
        chosen: &BTreeSet<Key>,
        of_older: &BTreeSet<Key>,
        records: &mut BTreeMap<Key, Record>,
    ) -> Result<(), Failure> {
        let units: Vec<Unit> = self.units.iter().filter(|unit| chosen.contains(&unit.key)).cloned().collect();
        self.older.run(run, (self.plan, &units), of_older, records, Some(self.gates)).await
    }

    /// Trajectories after which nothing can change what is said of their scenario count no more, whether they were begun
    /// or not.
    fn stop_early(&self, chosen: &mut BTreeSet<Key>, seen: &mut BTreeMap<Key, Record>) {
        let run = Arm { plan: self.plan, records: seen };
        let stops = gate::stops(self.gates, run);
        if stops.is_empty() {
            return;
        }
        let counted = gate::counted(run, &stops);
        let is_stopped = |key: &Key| stops.iter().any(|stop| stop.scenario == key.scenario);
        chosen.retain(|key| !is_stopped(key) || counted.contains_key(key));
        *seen = counted;
    }

    /// Where something forbidden happened, what comes after it in the plan counts no more, whether it was begun or
    /// not: the same run ends the same however fast it went.
    fn cut_off(&self, chosen: &mut BTreeSet<Key>, records: &BTreeMap<Key, Record>) {
        let of_round = self.units.iter().filter(|unit| chosen.contains(&unit.key));
        let ends = |unit: &&Unit| records.get(&unit.key).is_some_and(|record| ends_all(self.gates, self.plan, record));
        let Some(last) = of_round.clone().position(|unit| ends(&unit)) else { return };
        let kept: BTreeSet<Key> = of_round.take(last + 1).map(|unit| unit.key.clone()).collect();
        *chosen = kept;
    }
}

/// Whether a trajectory would change nothing any more.
fn needless(gates: &Gates, plan: &Plan, records: &BTreeMap<Key, Record>, unit: &Unit) -> bool {
    gate::is_settled(gates, Arm { plan, records }, &unit.key.scenario)
}

#[cfg(test)]
mod tests {
    use super::in_turns;

    #[test]
    fn both_take_turns() {
        assert_eq!(in_turns(vec!["a1", "a2", "a3"], vec!["b1", "b2"]), ["a1", "b1", "b2", "a2", "a3"]);
        assert_eq!(in_turns(Vec::new(), vec![1, 2]), [1, 2]);
        assert!(in_turns::<u8>(Vec::new(), Vec::new()).is_empty());
    }
}
