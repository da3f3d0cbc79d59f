//! One trajectory: a universe, a target, the beats of a story, and what came of it.

use std::{
    collections::BTreeMap,
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
    bundle::{About, Manifest, RunDigests},
    check,
    evidence::{Evidence, Record, for_each_entry},
    expr::EvalError,
    facts::Facts,
    judge::{self, Gap, Story},
    load::{LoadedBeat, LoadedProperty, LoadedScenario, LoadedTarget},
    mischief::Mischief,
    plan::{self, Plan, Unit},
    process::{Bounds, Launch, Running, Supervisor, Written, free_port, rest},
    scenario::{Beat, Require, TargetAct},
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
    /// The plan of the run, where trajectories are part of one.
    pub plan: Option<Arc<Plan>>,
    /// How the target's calls are twisted; not at all where absent.
    pub mischief: Option<Arc<Mischief>>,
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
        }
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
    universe.record();
    let puppet = setup.mischief.as_ref().map(|mischief| (mischief, mischief.begin(&universe)));
    let params = unit.variant.draw(&scenario.scenario, unit.seed);
    let mut stage = Stage::new(setup, scenario, &universe, params.clone(), folder);
    let stopped = stage.perform().await;
    let played = began.elapsed();
    if let Some((mischief, puppet)) = &puppet {
        mischief.end(puppet, &universe, &unit.key);
    }
    let (story, checks) = match stopped {
        Err(Stop::Fatal(fatal)) => return Err(fatal),
        Err(Stop::Void(why)) => (Story::Broken(why), Vec::new()),
        Err(Stop::Unsatisfied(why)) => (Story::Failed(why), stage.evaluate()),
        Ok(()) => (Story::Told, stage.evaluate()),
    };
    // A liar's calls do not reach the twins, so that no rule can strike them; what its story is worth, checks say.
    let lies = setup.mischief.as_ref().is_some_and(|mischief| mischief.lies());
    let unfired = if lies { Vec::new() } else { stage.unfired() };
    let seen = stage.seen();
    let gap = first_gap(&universe);
    let (_, written) = stage.end().await;
    let (outcome, reasons) = judge::outcome(&scenario.scenario, story, gap, unfired, &checks);
    let record = Record { seen, ..record(unit, outcome, reasons, checks) };
    let timings =
        json!({ "ready_ms": millis(stage.ready), "story_ms": millis(played), "whole_ms": millis(began.elapsed()) });
    let about = About::new(&scenario.digest, &setup.target, &setup.world_digest(&unit.key.scenario), &universe);
    let manifest = Manifest::new(&record, setup.run_digests(&unit.key.scenario), params, about, written);
    let evidence = Evidence { record: &record, manifest, timings };
    evidence.write(folder, &universe).map_err(|error| Fatal(error.to_string()))?;
    Ok(record)
}

/// A trajectory for which there is no universe.
pub fn without_universe(unit: &Unit, why: String) -> Record {
    record(unit, Outcome::Void, vec![why], Vec::new())
}

fn record(unit: &Unit, outcome: Outcome, reasons: Vec<String>, checks: Vec<CheckResult>) -> Record {
    let label = unit.variant.label.clone();
    Record { key: unit.key.clone(), label, seed: unit.seed, outcome, reasons, checks, seen: Vec::new() }
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
            lives: watch::Sender::new(None),
            launched: 0,
            began_at: 0,
            rotated: BTreeMap::new(),
            written: Written { kept: 0, dropped: 0 },
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
        if let Some(url) = &self.setup.target.target.url {
            return self.begin_anew(&url.value).await;
        }
        let port = free_port().map_err(|error| Stop::Void(format!("no port for the target: {error}")))?;
        self.facts.set_port(port);
        self.start().await
    }

    /// Brings a program that runs already back to its beginning.
    async fn begin_anew(&mut self, url: &str) -> Result<(), Stop> {
        let port = url::Url::parse(url).ok().and_then(|url| url.port_or_known_default());
        self.facts.set_port(port.unwrap_or(0));
        let Some(reset) = &self.setup.target.target.reset else { return Ok(()) };
        let client = reqwest::Client::builder().no_proxy().timeout(READY).build();
        let client = client.map_err(|error| Stop::Void(error.to_string()))?;
        match client.post(reset).send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => {
                Err(Stop::Void(format!("the target was not reset: it answered {}", answer.status().as_u16())))
            }
            Err(_) => Err(Stop::Fatal(Fatal(format!("the target cannot be reset: nobody answers at {reset}")))),
        }
    }

    /// Where the output of the process goes that is started next.
    fn evidence(&self) -> PathBuf {
        match self.launched {
            0 => self.folder.join("target"),
            before => self.folder.join(format!("target-{}", before + 1)),
        }
    }

    async fn start(&mut self) -> Result<(), Stop> {
        self.began_at = self.universe.ledger().len();
        let launch = self.launch_plan()?;
        let running = Running::launch(&self.setup.supervisor, launch).await;
        self.launched += 1;
        let running = running.map_err(|error| Stop::Void(format!("no supervisor for the target: {error}")))?;
        self.lives.send_replace(Some(running.exits()));
        self.running = Some(running);
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
        env.retain(|(name, _)| !self.rotated.contains_key(name));
        env.extend(self.rotated.clone());
        let mut command = command.into_iter();
        let program = command.next().unwrap_or_default();
        let signs = loaded.target.ready.any_of.iter().filter_map(|sign| match sign {
            Sign::Log(text) => Some(text.clone()),
            Sign::Http(_) | Sign::Called(_) | Sign::Socket(_) | Sign::Delivered(_) => None,
        });
        Ok(Launch {
            program: program_at(&loaded.dir, &program).into(),
            arguments: command.collect(),
            env,
            dir: if loaded.dir.as_os_str().is_empty() { PathBuf::from(".") } else { loaded.dir.clone() },
            evidence: self.evidence(),
            output_max: loaded.target.limits.output.unwrap_or(OUTPUT),
            grace: or(loaded.target.stop.grace, GRACE),
            bounds: Bounds { cpu: loaded.target.limits.cpu.map(|span| span.0), memory: loaded.target.limits.memory },
            signs: signs.collect(),
        })
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
            return Err(Stop::Unsatisfied(format!("the target was not ready within {}", shown(patience))));
        }
        self.ready = began.elapsed();
        is_ready.store(true, Ordering::SeqCst);
        self.connect()?;
        let scenario = self.scenario;
        // Costs what each write replaces, so only where a check looks at every state.
        if scenario.checks.iter().any(|check| matches!(check.that, LoadedProperty::Always(_))) {
            self.universe.keep_history();
        }
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
                (Sign::Called(operation), _, _) => {
                    waits.push(Box::pin(called(&self.universe, operation, self.began_at)));
                }
                (Sign::Socket(twin), _, _) => waits.push(Box::pin(connected(&self.universe, twin))),
                (Sign::Delivered(kind), _, _) => {
                    waits.push(Box::pin(delivered(&self.universe, kind, self.began_at)));
                }
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
        if let Some(act) = &beat.target {
            self.act_on_target(act, loaded, name).await?;
        }
        match &beat.verb {
            Some(verb) => self.act(beat, loaded, &verb.value, name),
            None => Ok(()),
        }
    }

    async fn act_on_target(&mut self, act: &TargetAct, loaded: &LoadedBeat, name: &str) -> Result<(), Stop> {
        if self.setup.target.target.url.is_some() {
            return Err(Stop::Void(format!("{name}: the target runs by itself: nobody here can end or start it")));
        }
        match act {
            TargetAct::Kill => self.stop_target(true).await,
            TargetAct::Pause(span) => {
                if let Some(running) = &mut self.running {
                    running.hold(true).await;
                    rest(span.0).await;
                    running.hold(false).await;
                }
            }
            TargetAct::Start => self.start_again(name).await?,
            TargetAct::Restart => {
                self.stop_target(false).await;
                self.start_again(name).await?;
            }
            TargetAct::Rotate(_) => {
                for (variable, value) in &loaded.rotate {
                    let value = value.fill_text(&mut self.facts)?;
                    self.rotated.insert(variable.clone(), value);
                }
                self.stop_target(false).await;
                self.start_again(name).await?;
            }
        }
        Ok(())
    }

    /// Ends the process on purpose: nobody is to miss it.
    async fn stop_target(&mut self, at_once: bool) {
        self.lives.send_replace(None);
        if let Some(running) = self.running.take() {
            let (_, written) = if at_once { running.kill().await } else { running.stop().await };
            self.written.kept += written.kept;
            self.written.dropped += written.dropped;
        }
    }

    async fn start_again(&mut self, name: &str) -> Result<(), Stop> {
        if self.running.is_some() {
            return Err(Stop::Void(format!("{name}: the target is there already")));
        }
        self.start().await?;
        let patience = or(self.setup.target.target.ready.timeout, READY);
        if tokio::time::timeout(patience, self.ready()).await.is_err() {
            return Err(Stop::Unsatisfied(format!(
                "{name}: the target was not ready again within {}",
                shown(patience)
            )));
        }
        Ok(())
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

    async fn end(&mut self) -> (Exit, Written) {
        let (exit, written) = match self.running.take() {
            Some(running) => running.stop().await,
            None => (Exit::default(), Written { kept: 0, dropped: 0 }),
        };
        self.listeners.clear();
        let before = self.written;
        (exit, Written { kept: before.kept + written.kept, dropped: before.dropped + written.dropped })
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
async fn called(universe: &Universe, operation: &str, from: u64) {
    let Some((twin, operation)) = operation.split_once('.') else { return std::future::pending().await };
    let mut ledger = universe.ledger().watch();
    let mut from = from;
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

/// Until the target has a socket of a twin open.
async fn connected(universe: &Universe, twin: &str) {
    let mut ledger = universe.ledger().watch();
    while universe.open_sockets(twin).is_empty() {
        ledger.borrow_and_update();
        // A socket opens a moment after the entry that tells of it.
        let _ = tokio::time::timeout(TICK, ledger.changed()).await;
    }
}

/// Until the target has accepted a delivery of a kind (`okta.event_hook_verification`).
async fn delivered(universe: &Universe, kind: &str, from: u64) {
    let Some((twin, kind)) = kind.split_once('.') else { return std::future::pending().await };
    let mut ledger = universe.ledger().watch();
    let mut from = from;
    loop {
        ledger.borrow_and_update();
        for entry in universe.ledger().page(from, usize::MAX).unwrap_or_default() {
            from += 1;
            let fits = entry["kind"] == "delivery" && entry["twin"] == twin && entry["delivery"]["kind"] == kind;
            if fits && entry["status"].as_u64().is_some_and(|status| (200..300).contains(&status)) {
                return;
            }
        }
        if ledger.changed().await.is_err() {
            return;
        }
    }
}

/// Waits until a process ends that was to live.
async fn unexpected_end(mut lives: watch::Receiver<Option<watch::Receiver<Option<Exit>>>>) -> Exit {
    loop {
        let Some(mut exits) = lives.borrow_and_update().clone() else {
            if lives.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            continue;
        };
        tokio::select! {
            biased;
            changed = lives.changed() => if changed.is_err() {
                std::future::pending::<()>().await;
            },
            exit = async { exits.wait_for(Option::is_some).await.ok().and_then(|exit| exit.clone()) } => {
                return exit.unwrap_or_default();
            }
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
