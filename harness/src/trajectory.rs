//! One trajectory: a universe, a target, the beats of a story, and what came of it.

mod acts;
mod alive;
mod player;
mod target;
mod time;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dtu_kernel::{
    fault,
    host::Host,
    serve::{Listening, Routes, listen},
    time::Span,
    universe::Universe,
    world::World,
};
use serde_json::{Map, Value, json};
use tokio::{sync::watch, time::Instant};

pub use self::target::program_at;
use self::{alive::Alive, target::unexpected_end};
use crate::{
    bundle::{About, Manifest, RunDigests},
    check,
    evidence::Evidence,
    expr::{EvalError, Form},
    facts::Facts,
    judge::{self, Gap, Story},
    ledger::for_each_entry,
    load::{LoadedBeat, LoadedCheck, LoadedProperty, LoadedScenario, LoadedTarget},
    mischief::Mischief,
    mutate::{Mutation, Trial},
    plan::{self, Plan, Unit},
    process::{Supervisor, Written, is_taken},
    record::Record,
    redact::{self, Redactor},
    scenario::Require,
    supervise::{Exit, Leaked},
    task::Program,
    verdict::{CheckResult, Outcome},
};

/// What all trajectories of a run share.
#[derive(Debug)]
pub struct Setup {
    /// The target.
    pub target: LoadedTarget,
    /// What supervises it.
    pub supervisor: Supervisor,
    /// Each twin's routes, in the order of the twins.
    pub routes: Vec<Routes>,
    /// Whether the scenarios' fault rules are armed.
    pub faults: bool,
    /// The plan of the run, where trajectories are part of one.
    pub plan: Option<Arc<Plan>>,
    /// How the target's calls are twisted; not at all where absent.
    pub mischief: Option<Arc<Mischief>>,
    /// What looks at each trajectory once more with checks that are not quite the scenario's; nothing where absent.
    pub mutation: Option<Arc<Mutation>>,
    /// The target, where it is a task of this process and no command.
    pub program: Option<Arc<dyn Program>>,
    /// The secrets of worlds, by file: each is looked through once.
    pub worlds: Mutex<BTreeMap<String, Arc<Vec<String>>>>,
}

impl Setup {
    /// What trajectories of a target share.
    pub fn new(target: LoadedTarget, supervisor: Supervisor, twins: &[Arc<dyn Host>], faults: bool) -> Self {
        Self {
            target,
            supervisor,
            routes: twins.iter().map(dtu_kernel::serve::routes).collect(),
            faults,
            plan: None,
            mischief: None,
            mutation: None,
            program: None,
            worlds: Mutex::default(),
        }
    }

    /// The secrets of a world's file, which is looked through once.
    fn secrets_of(&self, world: &World) -> Arc<Vec<String>> {
        let mut worlds = self.worlds.lock().unwrap_or_else(PoisonError::into_inner);
        let of_world = || Arc::new(redact::of_world(world.text()));
        Arc::clone(worlds.entry(world.file.clone()).or_insert_with(of_world))
    }

    /// The same for trajectories of a run.
    #[must_use]
    pub fn of_run(self, plan: &Plan) -> Self {
        Self { plan: Some(Arc::new(plan.clone())), ..self }
    }

    fn run_digests(&self, scenario: &str) -> RunDigests {
        self.plan.as_deref().map(|plan| RunDigests::of(plan, scenario)).unwrap_or_default()
    }

    fn world_digest(&self, scenario: &str) -> String {
        let planned = self.plan.iter().flat_map(|plan| &plan.scenarios).find(|planned| planned.id == scenario);
        planned.map(|planned| planned.world.clone()).unwrap_or_default()
    }
}

/// Why the whole run cannot go on: no trajectory would do better.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fatal(pub String);

/// Why a story stopped before its end.
#[derive(Debug)]
enum Stop {
    /// The target did not do its part.
    Unsatisfied(String),
    /// The harness, a twin or the scenario failed.
    Void(String),
    /// The machine failed the harness: the same may come out well another time.
    Broken(String),
    /// The run cannot go on.
    Fatal(Fatal),
}

/// An expression without a value says nothing about the target.
impl From<EvalError> for Stop {
    fn from(error: EvalError) -> Self {
        Self::Void(error.to_string())
    }
}

/// How often conditions are looked at that nothing in the ledger announces, such as those over the time.
const TICK: Duration = Duration::from_millis(50);
/// How long a beat waits where it says nothing.
const BEAT_PATIENCE: Duration = Duration::from_secs(15);
/// The defaults of target files.
const READY: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_millis(300);
const IDLE_MAX: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(5);
const WALL: Duration = Duration::from_secs(120);
const OUTPUT: u64 = 4 << 20;

fn or(span: Option<Span>, default: Duration) -> Duration {
    span.map_or(default, |span| span.0)
}

/// Runs a trajectory in its universe. Evidence goes to `folder`. Where the machine failed the harness (no port, no
/// process), the record says why under `reruns`: it may be tried again.
///
/// # Errors
/// [`Fatal`]: the run cannot go on.
pub async fn run(
    setup: &Setup,
    scenario: &LoadedScenario,
    unit: &Unit,
    universe: Arc<Universe>,
    folder: &Path,
) -> Result<Record, Fatal> {
    let began = Instant::now();
    universe.record();
    let puppet = setup.mischief.as_ref().map(|mischief| (mischief, mischief.begin(&universe)));
    let params = unit.variant.draw(&scenario.scenario, unit.seed);
    let mut stage = Stage::new(setup, scenario, &universe, params.clone(), folder);
    let stopped = stage.perform().await;
    let played = began.elapsed();
    if let Some((mischief, puppet)) = &puppet {
        mischief.end(puppet, &universe, &unit.key);
    }
    let reruns = match &stopped {
        Err(Stop::Broken(why)) => vec![why.clone()],
        _ => Vec::new(),
    };
    let (story, checks) = match stopped {
        Err(Stop::Fatal(fatal)) => return Err(fatal),
        Err(Stop::Void(why) | Stop::Broken(why)) => (Story::Broken(why), Vec::new()),
        Err(Stop::Unsatisfied(why)) => (Story::Failed(why), stage.evaluate()),
        Ok(()) => (Story::Told, stage.evaluate()),
    };
    if setup.mutation.is_some() {
        // What a target does while it is ended is none of its checks' business. What cannot be read back is told where
        // the evidence is written.
        let _ = stage.facts.come_to_rest();
    }
    let is_out_of_reach = setup.mischief.as_ref().is_some_and(|mischief| mischief.is_out_of_reach());
    let unfired = if is_out_of_reach { Vec::new() } else { stage.unfired() };
    let seen = stage.seen();
    let gap = first_gap(&universe);
    let (leaks, written) = stage.end().await;
    let redactor = stage.redactor().map_err(|error| Fatal(error.to_string()))?;
    let known = (setup.mutation.is_some()).then(|| (story.clone(), gap.clone(), unfired.clone(), checks.clone()));
    let (outcome, reasons) = judge::outcome(&scenario.scenario, story, gap, unfired, &checks);
    let record = Record { seen, leaks, reruns, ..record(unit, outcome, reasons, checks) }.without(&redactor);
    let timings =
        json!({ "ready_ms": millis(stage.ready), "story_ms": millis(played), "whole_ms": millis(began.elapsed()) });
    let about = About::new(&scenario.digest, &setup.target, &setup.world_digest(&unit.key.scenario), &universe);
    let manifest = Manifest::new(&record, setup.run_digests(&unit.key.scenario), params, about, written);
    let evidence = Evidence { record: &record, manifest, timings };
    let written = evidence.write(folder, &universe, &redactor).and_then(|()| stage.clean(&redactor));
    written.map_err(|error| Fatal(error.to_string()))?;
    let Stage { facts, watch, .. } = stage;
    if let (Some(mutation), Some((story, gap, unfired, checks)), Some(watch)) = (&setup.mutation, known, watch) {
        let trial = Trial { story, gap, unfired, checks, facts, watch };
        let (mutation, id) = (Arc::clone(mutation), unit.key.scenario.clone());
        // Long work: whoever waits for a moment in another trajectory must not wait for it.
        let _ = tokio::task::spawn_blocking(move || mutation.look(&id, trial)).await;
    }
    Ok(record)
}

/// A trajectory for which there is no universe.
pub fn without_universe(unit: &Unit, why: String) -> Record {
    record(unit, Outcome::Void, vec![why], Vec::new())
}

fn record(unit: &Unit, outcome: Outcome, reasons: Vec<String>, checks: Vec<CheckResult>) -> Record {
    let label = unit.variant.label.clone();
    Record {
        key: unit.key.clone(),
        label,
        seed: unit.seed,
        outcome,
        reasons,
        checks,
        seen: Vec::new(),
        leaks: Vec::new(),
        reruns: Vec::new(),
        others: Vec::new(),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A trajectory under way.
struct Stage<'a> {
    setup: &'a Setup,
    scenario: &'a LoadedScenario,
    universe: Arc<Universe>,
    facts: Facts,
    folder: PathBuf,
    /// Dropped last of all: while it lives, the twins answer.
    listeners: Vec<Listening>,
    running: Option<Alive>,
    /// How the process ends that is to live; none while none is to.
    lives: watch::Sender<Option<watch::Receiver<Option<Exit>>>>,
    /// How many processes were launched.
    launched: u64,
    /// The ledger's length when the last one was.
    began_at: u64,
    /// Variables of the environment that have changed since the first.
    rotated: BTreeMap<String, String>,
    /// What processes before the present one wrote.
    written: Written,
    /// What they left behind.
    leaks: Vec<String>,
    /// The `eventually` checks, once the last beat is over.
    watch: Option<check::Watch>,
    /// The rules that must fire.
    required: Vec<String>,
    /// How long the target took to be ready.
    ready: Duration,
    /// What is hidden in the output of the target's programs while they write it.
    redactor: Arc<Redactor>,
}

impl<'a> Stage<'a> {
    fn new(
        setup: &'a Setup,
        scenario: &'a LoadedScenario,
        universe: &Arc<Universe>,
        params: Map<String, Value>,
        folder: &Path,
    ) -> Self {
        let of_world = setup.secrets_of(universe.world());
        let redactor = Redactor::new(universe, &of_world, &setup.target.secrets);
        Self {
            setup,
            redactor: Arc::new(redactor),
            scenario,
            universe: Arc::clone(universe),
            facts: Facts::new(Arc::clone(universe), params),
            folder: folder.to_owned(),
            listeners: Vec::new(),
            running: None,
            lives: watch::Sender::new(None),
            launched: 0,
            began_at: 0,
            rotated: BTreeMap::new(),
            written: Written { kept: 0, dropped: 0 },
            leaks: Vec::new(),
            watch: None,
            required: Vec::new(),
            ready: Duration::ZERO,
        }
    }

    /// The whole story, within the time that it may take.
    async fn perform(&mut self) -> Result<(), Stop> {
        let wall = or(self.setup.target.target.limits.wall, WALL);
        self.listen()?;
        self.arm()?;
        self.launch().await?;
        match tokio::time::timeout(wall, self.tell()).await {
            Ok(told) => told,
            Err(_) => Err(Stop::Unsatisfied(format!("the trajectory did not end within {}", shown(wall)))),
        }
    }

    fn listen(&mut self) -> Result<(), Stop> {
        for (slot, routes) in self.setup.routes.iter().enumerate() {
            let port = self.setup.target.target.ports.get(self.universe.twins()[slot].name());
            let listening = listen(&self.universe, slot, routes.clone(), port.copied().unwrap_or(0));
            let broken = |error| Stop::Broken(format!("no port for a twin: {error}"));
            self.listeners.push(listening.map_err(broken)?);
        }
        Ok(())
    }

    fn arm(&mut self) -> Result<(), Stop> {
        if !self.setup.faults {
            return Ok(());
        }
        let mut rules: Vec<fault::Rule> = Vec::new();
        for (plan, when) in self.scenario.scenario.faults.iter().zip(&self.scenario.faults) {
            let applies = when.as_ref().map_or(Ok(true), |when| when.holds_for(self.facts.params()))?;
            if applies && plan.require == Require::Fired {
                self.required.push(plan.rule.id.to_string());
            }
            if applies {
                rules.push(plan.rule.clone());
            }
        }
        self.universe.arm_checked(&rules).map_err(|error| Stop::Void(error.to_string()))
    }

    /// All that needs the target: up to the last beat it must live, after that it may end in peace.
    async fn tell(&mut self) -> Result<(), Stop> {
        let ended = unexpected_end(self.lives.subscribe());
        tokio::pin!(ended);
        let is_ready = AtomicBool::new(false);
        tokio::select! {
            biased;
            exit = &mut ended => self.may_be_over(&exit, is_ready.load(Ordering::SeqCst))?,
            told = self.tell_beats(&is_ready) => told?,
        }
        let rest = self.tell_end();
        tokio::pin!(rest);
        tokio::select! {
            biased;
            exit = &mut ended => match exit.code {
                Some(0) => rest.await,
                _ => Err(ended_early(&exit, true)),
            },
            told = &mut rest => told,
        }
    }

    /// A program that does its work and ends in peace may do so as soon as nobody wants anything of it any more.
    fn may_be_over(&self, exit: &Exit, was_ready: bool) -> Result<(), Stop> {
        if exit.code == Some(0) && self.scenario.scenario.beats.is_empty() {
            return Ok(());
        }
        Err(ended_early(exit, was_ready))
    }

    async fn tell_beats(&mut self, is_ready: &AtomicBool) -> Result<(), Stop> {
        let began = Instant::now();
        let patience = or(self.setup.target.target.ready.timeout, READY);
        if tokio::time::timeout(patience, self.ready()).await.is_err() {
            let why = format!("the target was not ready within {}: {}", shown(patience), self.lacking());
            return Err(Stop::Unsatisfied(why));
        }
        self.ready = began.elapsed();
        is_ready.store(true, Ordering::SeqCst);
        self.connect()?;
        self.settle_connections().await;
        // Costs what each write replaces, so only where a check looks at every state.
        let looks = |check: &LoadedCheck| matches!(check.that, LoadedProperty::Always(_) | LoadedProperty::Reads(_));
        let is_looked_at_again = self.setup.mutation.is_some();
        if is_looked_at_again || self.scenario.checks.iter().any(looks) || self.scenario.reads.is_some() {
            self.universe.keep_history();
        }
        self.play().await
    }

    /// A person's act in a twin.
    fn act(&mut self, beat: &LoadedBeat, verb: &str, with: &Form) -> Result<(), Stop> {
        let actor = match &beat.actor {
            Some(actor) => actor.fill_text(&mut self.facts)?,
            None => String::new(),
        };
        let with = with.fill_object(&mut self.facts)?;
        let done = self.universe.perform(verb, &actor, with);
        let outcome = match &done {
            Ok(result) => json!({ "result": result, "error": "" }),
            Err(why) => json!({ "result": null, "error": why.to_string() }),
        };
        self.leave(beat, outcome);
        match done {
            Err(why) if !beat.optional => {
                Err(Stop::Unsatisfied(format!("{}: {verb} was refused to {actor}: {why}", beat.shown())))
            }
            _ => Ok(()),
        }
    }

    /// After the last beat: what is to happen within a time, and then silence.
    async fn tell_end(&mut self) -> Result<(), Stop> {
        let mut watch = check::Watch::new(self.scenario, &self.facts);
        while let Some(deadline) = watch.deadline() {
            let left = self.wait(deadline, |facts, now| Ok(watch.poll(facts, now))).await?;
            if !left && self.universe.now() >= deadline {
                watch.poll(&mut self.facts, self.universe.now());
                break;
            }
        }
        self.watch = Some(watch);
        self.quiesce().await;
        Ok(())
    }

    fn evaluate(&mut self) -> Vec<CheckResult> {
        let watch = self.watch.take().unwrap_or_else(|| {
            let mut watch = check::Watch::new(self.scenario, &self.facts);
            watch.poll(&mut self.facts, self.universe.now());
            watch
        });
        let results = check::evaluate_all(self.scenario, &mut self.facts, &watch);
        self.watch = Some(watch);
        results
    }

    /// What was seen of that which must be seen now and then. A condition without a value was not.
    fn seen(&mut self) -> Vec<String> {
        let fired = self.universe.faults().into_iter().filter(|(_, tally)| tally.fired > 0);
        let mut seen: Vec<String> = fired.map(|(rule, _)| plan::fault_seen(&rule.id)).collect();
        for (condition, program) in self.scenario.scenario.sometimes.iter().zip(&self.scenario.sometimes) {
            if self.facts.fitting(program, None).is_ok_and(|fitting| !fitting.is_empty()) {
                seen.push(condition.name.clone());
            }
        }
        seen
    }

    /// The rules that had to fire and did not.
    fn unfired(&self) -> Vec<String> {
        let armed = self.universe.faults();
        let fired = |id: &String| armed.iter().any(|(rule, tally)| rule.id == id.as_str() && tally.fired > 0);
        self.required.iter().filter(|id| !fired(id)).cloned().collect()
    }

    /// Knows all secrets that came up.
    fn redactor(&self) -> std::io::Result<Redactor> {
        let mut redactor = self.redactor.as_ref().clone();
        redactor.read_all(&self.universe)?;
        self.outputs().try_for_each(|folder| redactor.read_output(&folder))?;
        Ok(redactor)
    }

    /// Hides secrets in what the target's programs wrote.
    fn clean(&self, redactor: &Redactor) -> std::io::Result<()> {
        self.outputs().try_for_each(|folder| redactor.clean(&folder))
    }

    /// Where the target's programs wrote.
    fn outputs(&self) -> impl Iterator<Item = PathBuf> {
        let programs = (0..self.launched.max(1)).map(|nth| self.evidence_of(nth));
        programs.chain([self.folder.join("cli")])
    }

    /// Ends the target: what it and those before it left behind, and how much they wrote.
    async fn end(&mut self) -> (Vec<String>, Written) {
        if let Some(running) = self.running.take() {
            let ended = running.stop().await;
            self.note_end(ended);
        }
        if self.launched > 0 && is_taken(self.facts.port()) {
            self.leaks.push("something still listens on its port".to_owned());
        }
        self.listeners.clear();
        (std::mem::take(&mut self.leaks), self.written)
    }

    /// Notes how a process or task of the target ended.
    fn note_end(&mut self, (exit, written): (Exit, Written)) {
        self.written.kept += written.kept;
        self.written.dropped += written.dropped;
        // Numbers and arguments are other ones each time, and equal runs say the same.
        let left = |leaked: &Leaked| format!("a process was left: {}", leaked.name());
        self.leaks.extend(exit.leaked.iter().map(left));
        self.leaks.sort();
        self.leaks.dedup();
    }
}

/// The story has not come to its end, and the target is gone.
fn ended_early(exit: &Exit, was_ready: bool) -> Stop {
    if !exit.refused.is_empty() {
        return Stop::Fatal(Fatal(format!("the target cannot be started: {}", exit.refused)));
    }
    let how = match (exit.code, exit.signal) {
        _ if !exit.exceeded.is_empty() => format!("the target used more {} than it may, and was killed", exit.exceeded),
        (Some(code), _) => format!("the target ended with exit code {code}"),
        (None, Some(signal)) => format!("signal {signal} ended the target"),
        (None, None) => return Stop::Broken("the supervisor of the target was lost".to_owned()),
    };
    let when = if was_ready { "before its trajectory was over" } else { "before it was ready" };
    Stop::Unsatisfied(format!("{how} {when}"))
}

/// The first call of the target that a twin does not serve.
fn first_gap(universe: &Universe) -> Option<Gap> {
    let mut gap = None;
    let look = |entry: &Value| {
        if gap.is_none() && entry["gap"] == true && entry["principal"] == "target" {
            gap = Some(Gap::of(entry));
        }
        Ok(())
    };
    // Entries that cannot be read back are told where the evidence is written.
    let _ = for_each_entry(universe, look);
    gap
}

/// A span as people write it.
fn shown(span: Duration) -> String {
    if span.subsec_millis() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ms", span.as_millis()) }
}

#[cfg(test)]
mod tests;
