//! One trajectory: a universe, a target, the beats of a story, and what came of it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dtu_kernel::{
    clock::ClockMode,
    fault,
    host::Host,
    serve::{Listening, Routes, listen},
    time::{Span, Timestamp},
    universe::Universe,
};
use serde_json::{Map, Value, json};
use tokio::{sync::watch, time::Instant};

use crate::{
    check,
    evidence::{Evidence, Record, for_each_entry},
    expr::EvalError,
    facts::Facts,
    judge::{self, Gap, Story},
    load::{LoadedBeat, LoadedScenario, LoadedTarget},
    plan::Unit,
    process::{Launch, Running, Supervisor, Written, free_port, rest},
    scenario::{Beat, Require},
    supervise::Exit,
    target::Sign,
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
}

impl Setup {
    /// What trajectories of a target share.
    pub fn new(target: LoadedTarget, supervisor: Supervisor, twins: &[Arc<dyn Host>], faults: bool) -> Self {
        Self { target, supervisor, routes: twins.iter().map(dtu_kernel::serve::routes).collect(), faults }
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

/// Runs a trajectory in its universe. Evidence goes to `folder`.
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
    let params = unit.variant.draw(&scenario.scenario, unit.seed);
    let mut stage = Stage::new(setup, scenario, &universe, params.clone(), folder);
    let stopped = stage.perform().await;
    let played = began.elapsed();
    let (story, checks) = match stopped {
        Err(Stop::Fatal(fatal)) => return Err(fatal),
        Err(Stop::Void(why)) => (Story::Broken(why), Vec::new()),
        Err(Stop::Unsatisfied(why)) => (Story::Failed(why), stage.evaluate()),
        Ok(()) => (Story::Told, stage.evaluate()),
    };
    let unfired = stage.unfired();
    let gap = first_gap(&universe);
    let (_, written) = stage.end().await;
    let (outcome, reasons) = judge::outcome(&scenario.scenario, story, gap, unfired, &checks);
    let record = record(unit, outcome, reasons, checks);
    let timings =
        json!({ "ready_ms": millis(stage.ready), "story_ms": millis(played), "whole_ms": millis(began.elapsed()) });
    let about = json!({
        "scenario": scenario.digest, "target": setup.target.digest,
        "world": universe.world().name, "clock": universe.clock_mode().to_string(),
    });
    let evidence = Evidence { record: &record, params: &params, about, written, timings };
    evidence.write(folder, &universe).map_err(|error| Fatal(error.to_string()))?;
    Ok(record)
}

/// A trajectory for which there is no universe.
pub fn without_universe(unit: &Unit, why: String) -> Record {
    record(unit, Outcome::Void, vec![why], Vec::new())
}

fn record(unit: &Unit, outcome: Outcome, reasons: Vec<String>, checks: Vec<CheckResult>) -> Record {
    let label = unit.variant.label.clone();
    Record { key: unit.key.clone(), label, seed: unit.seed, outcome, reasons, checks }
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
    running: Option<Running>,
    /// The `eventually` checks, once the last beat is over.
    watch: Option<check::Watch>,
    /// The rules that must fire.
    required: Vec<String>,
    /// How long the target took to be ready.
    ready: Duration,
}

impl<'a> Stage<'a> {
    fn new(
        setup: &'a Setup,
        scenario: &'a LoadedScenario,
        universe: &Arc<Universe>,
        params: Map<String, Value>,
        folder: &Path,
    ) -> Self {
        Self {
            setup,
            scenario,
            universe: Arc::clone(universe),
            facts: Facts::new(Arc::clone(universe), params),
            folder: folder.to_owned(),
            listeners: Vec::new(),
            running: None,
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
            let listening = listen(&self.universe, slot, routes.clone(), 0);
            let broken = |error| Stop::Void(format!("no port for a twin: {error}"));
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

    async fn launch(&mut self) -> Result<(), Stop> {
        let port = free_port().map_err(|error| Stop::Void(format!("no port for the target: {error}")))?;
        self.facts.set_port(port);
        let launch = self.launch_plan()?;
        let running = Running::launch(&self.setup.supervisor, launch).await;
        self.running = Some(running.map_err(|error| Stop::Void(format!("no supervisor for the target: {error}")))?);
        Ok(())
    }

    fn launch_plan(&mut self) -> Result<Launch, Stop> {
        let loaded = &self.setup.target;
        let mut command = Vec::new();
        for part in &loaded.command {
            command.push(part.fill_text(&mut self.facts)?);
        }
        let mut env = Vec::new();
        for (name, value) in &loaded.env {
            env.push((name.clone(), value.fill_text(&mut self.facts)?));
        }
        let mut command = command.into_iter();
        let program = command.next().unwrap_or_default();
        let signs = loaded.target.ready.any_of.iter().filter_map(|sign| match sign {
            Sign::Log(text) => Some(text.clone()),
            Sign::Http(_) | Sign::Called(_) => None,
        });
        Ok(Launch {
            program: program_at(&loaded.dir, &program).into(),
            arguments: command.collect(),
            env,
            dir: if loaded.dir.as_os_str().is_empty() { PathBuf::from(".") } else { loaded.dir.clone() },
            evidence: self.folder.join("target"),
            output_max: loaded.target.limits.output.unwrap_or(OUTPUT),
            grace: or(loaded.target.stop.grace, GRACE),
            signs: signs.collect(),
        })
    }

    /// All that needs the target: up to the last beat it must live, after that it may end in peace.
    async fn tell(&mut self) -> Result<(), Stop> {
        let Some(ended) = self.running.as_ref().map(Running::ended) else { return Ok(()) };
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
            return Err(Stop::Unsatisfied(format!("the target was not ready within {}", shown(patience))));
        }
        self.ready = began.elapsed();
        is_ready.store(true, Ordering::SeqCst);
        self.connect()?;
        let scenario = self.scenario;
        for (at, (beat, loaded)) in scenario.scenario.beats.iter().zip(&scenario.beats).enumerate() {
            self.beat(&beat.value, loaded, &beat_name(&beat.value, at)).await?;
        }
        Ok(())
    }

    /// Until the first sign of readiness; at once where there is none to wait for.
    async fn ready(&mut self) {
        let signs = &self.setup.target.target.ready.any_of;
        let mut waits: Vec<futures_util::future::BoxFuture<'_, ()>> = Vec::new();
        for (sign, url) in signs.iter().zip(&self.setup.target.ready) {
            match (sign, url, &self.running) {
                (Sign::Http(_), Some(url), _) => {
                    // A URL that has no value is never reached: the time limit says so.
                    let Ok(url) = url.fill_text(&mut self.facts) else { continue };
                    waits.push(Box::pin(answers(url)));
                }
                (Sign::Log(text), _, Some(running)) => waits.push(Box::pin(running.logged(text))),
                (Sign::Called(operation), _, _) => waits.push(Box::pin(called(&self.universe, operation))),
                _ => {}
            }
        }
        if !signs.is_empty() {
            if waits.is_empty() {
                std::future::pending::<()>().await;
            }
            futures_util::future::select_all(waits).await;
        }
    }

    fn connect(&mut self) -> Result<(), Stop> {
        let loaded = &self.setup.target;
        for (act, form) in loaded.target.connect.iter().zip(&loaded.connect) {
            let with = form.fill_object(&mut self.facts)?;
            // The target plays no part in this: a refusal is the target file's fault.
            let refused = |why| Stop::Void(format!("connect: {} was refused: {why}", act.verb.value));
            self.universe.perform(&act.verb.value, &act.actor, with).map_err(refused)?;
        }
        Ok(())
    }

    async fn beat(&mut self, beat: &Beat, loaded: &LoadedBeat, name: &str) -> Result<(), Stop> {
        if let Some(when) = &loaded.when {
            let patience = or(beat.timeout, BEAT_PATIENCE);
            let deadline = self.universe.now().after(patience);
            if !self.wait(deadline, |facts, _| facts.holds(when)).await? {
                let why = format!(
                    "{name} never became possible: within {}, `{}` did not hold",
                    shown(patience),
                    when.source()
                );
                return Err(Stop::Unsatisfied(why));
            }
        }
        if let Some(span) = beat.advance {
            self.advance(span.0).await;
        }
        if let Some(span) = beat.pause {
            self.pause(span.0).await;
        }
        match &beat.verb {
            Some(verb) => self.act(beat, loaded, &verb.value, name),
            None => Ok(()),
        }
    }

    fn act(&mut self, beat: &Beat, loaded: &LoadedBeat, verb: &str, name: &str) -> Result<(), Stop> {
        let actor = match &loaded.actor {
            Some(actor) => actor.fill_text(&mut self.facts)?,
            None => String::new(),
        };
        let with = loaded.with.fill_object(&mut self.facts)?;
        match self.universe.perform(verb, &actor, with) {
            Err(why) if !beat.optional => {
                Err(Stop::Unsatisfied(format!("{name}: {verb} was refused to {actor}: {why}")))
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

    /// Waits until `holds`; false where it did not up to `deadline` on the universe's clock. What has no value yet may
    /// have one later: an error counts only where it is the last word.
    async fn wait(
        &mut self,
        deadline: Timestamp,
        mut holds: impl FnMut(&mut Facts, Timestamp) -> Result<bool, EvalError> + Send,
    ) -> Result<bool, Stop> {
        let mut ledger = self.universe.ledger().watch();
        loop {
            ledger.borrow_and_update();
            let now = self.universe.now();
            let began = Instant::now();
            let found = holds(&mut self.facts, now);
            if now >= deadline || found == Ok(true) {
                return Ok(found?);
            }
            // A busy ledger must not make looking at it the machine's main work.
            let cost = began.elapsed();
            if cost > Duration::from_millis(1) {
                rest(cost).await;
            }
            self.pass(&mut ledger, deadline).await;
        }
    }

    /// Lets time pass: until something happens, or a moment. A stepped clock is moved on where nothing happens by
    /// itself.
    async fn pass(&self, ledger: &mut watch::Receiver<u64>, until: Timestamp) {
        let now = self.universe.now();
        let span = match self.universe.clock_mode() {
            ClockMode::Real => TICK.min(until.since(now)),
            ClockMode::Scaled(factor) => TICK.min(until.since(now) / factor),
            ClockMode::Stepped => self.idle(),
        };
        let changed = tokio::time::timeout(span.max(Duration::from_millis(1)), ledger.changed()).await.is_ok();
        if !changed && self.universe.clock_mode() == ClockMode::Stepped && self.universe.is_calm() {
            self.universe.advance_to(self.next_stop(until)).await;
        }
    }

    /// Where a clock that is moved on stops next: at the next job that is due, or at `until`.
    fn next_stop(&self, until: Timestamp) -> Timestamp {
        self.universe.jobs().first().map_or(until, |job| job.due.min(until))
    }

    /// Moves the clock on through all that is due on the way, and lets the target answer each time.
    async fn advance(&self, span: Duration) {
        let until = self.universe.now().after(span);
        loop {
            self.quiesce().await;
            let stop = self.next_stop(until);
            self.universe.advance_to(stop).await;
            if stop >= until {
                return;
            }
        }
    }

    async fn pause(&self, span: Duration) {
        match self.universe.clock_mode() {
            ClockMode::Real => rest(span).await,
            ClockMode::Scaled(factor) => rest(span / factor).await,
            ClockMode::Stepped => self.advance(span).await,
        }
    }

    fn idle(&self) -> Duration {
        or(self.setup.target.target.quiesce.idle, IDLE)
    }

    /// Waits until universe and target are silent, but no longer than the target file says.
    async fn quiesce(&self) {
        let (idle, most) = (self.idle(), or(self.setup.target.target.quiesce.max, IDLE_MAX));
        let mut ledger = self.universe.ledger().watch();
        let silence = async {
            loop {
                ledger.borrow_and_update();
                let silent = tokio::time::timeout(idle, ledger.changed()).await.is_err();
                if silent && self.universe.is_calm() {
                    return;
                }
            }
        };
        // Noise to the end is no failure in itself: checks say whether it is.
        let _ = tokio::time::timeout(most, silence).await;
    }

    fn evaluate(&mut self) -> Vec<CheckResult> {
        let watch = self.watch.take().unwrap_or_else(|| {
            let mut watch = check::Watch::new(self.scenario, &self.facts);
            watch.poll(&mut self.facts, self.universe.now());
            watch
        });
        check::evaluate_all(self.scenario, &mut self.facts, &watch)
    }

    /// The rules that had to fire and did not.
    fn unfired(&self) -> Vec<String> {
        let armed = self.universe.faults();
        let fired = |id: &String| armed.iter().any(|(rule, tally)| rule.id == id.as_str() && tally.fired > 0);
        self.required.iter().filter(|id| !fired(id)).cloned().collect()
    }

    async fn end(&mut self) -> (Exit, Written) {
        let ended = match self.running.take() {
            Some(running) => running.stop().await,
            None => (Exit::default(), Written { kept: 0, dropped: 0 }),
        };
        self.listeners.clear();
        ended
    }
}

/// The story has not come to its end, and the target is gone.
fn ended_early(exit: &Exit, was_ready: bool) -> Stop {
    if !exit.refused.is_empty() {
        return Stop::Fatal(Fatal(format!("the target cannot be started: {}", exit.refused)));
    }
    let how = match (exit.code, exit.signal) {
        (Some(code), _) => format!("the target ended with exit code {code}"),
        (None, Some(signal)) => format!("signal {signal} ended the target"),
        (None, None) => return Stop::Void("the supervisor of the target was lost".to_owned()),
    };
    let when = if was_ready { "before its trajectory was over" } else { "before it was ready" };
    Stop::Unsatisfied(format!("{how} {when}"))
}

/// Until a GET of the URL answers 2xx.
async fn answers(url: String) {
    let Ok(client) = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build() else { return };
    loop {
        let answer = client.get(&url).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        rest(Duration::from_millis(20)).await;
    }
}

/// Until the target has called an operation (`slack.auth.test`) with success.
async fn called(universe: &Universe, operation: &str) {
    let Some((twin, operation)) = operation.split_once('.') else { return std::future::pending().await };
    let mut ledger = universe.ledger().watch();
    let mut from = 0;
    loop {
        ledger.borrow_and_update();
        for entry in universe.ledger().page(from, usize::MAX).unwrap_or_default() {
            from += 1;
            let fits = entry["twin"] == twin && entry["operation"] == operation && entry["error"] == "";
            if fits && entry["status"].as_u64().is_some_and(|status| (200..300).contains(&status)) {
                return;
            }
        }
        if ledger.changed().await.is_err() {
            return;
        }
    }
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

/// Where a program is: relative to `dir` where it has a slash, else by its name alone.
pub fn program_at(dir: &Path, program: &str) -> PathBuf {
    if program.contains('/') {
        let path = dir.join(program);
        std::path::absolute(&path).unwrap_or(path)
    } else {
        PathBuf::from(program)
    }
}

fn beat_name(beat: &Beat, at: usize) -> String {
    beat.id.as_ref().map_or_else(|| format!("beat {}", at + 1), |id| format!("beat `{id}`"))
}

/// A span as people write it.
fn shown(span: Duration) -> String {
    if span.subsec_millis() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ms", span.as_millis()) }
}

#[cfg(test)]
mod tests;
