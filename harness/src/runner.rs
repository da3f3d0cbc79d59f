//! Runs what was planned: universes for all trajectories, so many at a time, and none twice.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::{
    clock::ClockMode,
    diagnostic::Diagnostic,
    host::Host,
    time::Timestamp,
    universe::{Options, Universe},
    world::World,
};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    evidence::{Folder, KeepEvidence},
    load::LoadedScenario,
    plan::{Key, Unit},
    record::Record,
    trajectory::{self, Fatal, Setup},
    verdict::Outcome,
};

/// A world, as scenarios share it.
#[derive(Debug, Clone)]
pub struct FoundWorld {
    /// The world.
    pub world: Arc<World>,
    /// A hash of its file; its name where it is part of the program, whose version says the rest.
    pub digest: String,
}

/// Finds the world of each scenario: by path relative to the scenario's file where it looks like one, else by name.
/// `sections` are the names of all twins.
///
/// # Errors
/// Every problem of every world.
pub fn worlds(scenarios: &[LoadedScenario], sections: &[&str]) -> Result<Vec<FoundWorld>, Vec<Diagnostic>> {
    let mut found: BTreeMap<String, FoundWorld> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut worlds = Vec::new();
    for loaded in scenarios {
        let name = world_name(loaded);
        if !found.contains_key(&name) {
            match World::find(&name, sections) {
                Ok(world) => {
                    let digest = digest(&name);
                    found.insert(name.clone(), FoundWorld { world: Arc::new(world), digest });
                }
                Err(wrong) => problems.extend(wrong.into_iter().map(|problem| placed(problem, &name, loaded))),
            }
        }
        worlds.extend(found.get(&name).cloned());
    }
    if problems.is_empty() { Ok(worlds) } else { Err(problems) }
}

/// A world that is not there is a problem of the scenario that names it.
fn placed(problem: Diagnostic, name: &str, loaded: &LoadedScenario) -> Diagnostic {
    if problem.line > 0 || problem.file != name {
        return problem;
    }
    let message = format!("`{name}`: {}", problem.message);
    Diagnostic::on(&loaded.path, &loaded.scenario.world, message).hint(problem.hint)
}

fn world_name(loaded: &LoadedScenario) -> String {
    let name = &loaded.scenario.world.value;
    let path = Path::new(name);
    let is_file = name.contains('/') || path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    if !is_file {
        return name.clone();
    }
    let folder = Path::new(&loaded.path).parent().unwrap_or(Path::new(""));
    folder.join(path).display().to_string()
}

fn digest(name: &str) -> String {
    fs_err::read(name).map_or_else(|_| name.to_owned(), |bytes| blake3::hash(&bytes).to_hex().to_string())
}

/// How time runs in a scenario.
#[derive(Debug, Clone, Copy)]
struct Time {
    mode: ClockMode,
    start: Option<Timestamp>,
}

/// Makes the universes of trajectories.
#[derive(Debug)]
pub struct Universes {
    twins: Arc<[Arc<dyn Host>]>,
    /// For each scenario.
    places: Vec<(Arc<World>, Time)>,
    /// One universe for each world and way of time, from which trajectories fork theirs.
    masters: BTreeMap<String, Arc<Universe>>,
    seed: u64,
}

impl Universes {
    /// Makes ready: every world is loaded once.
    ///
    /// # Errors
    /// Every problem of the worlds' sections and of the scenarios' `time`.
    pub fn prepare(
        twins: Arc<[Arc<dyn Host>]>,
        scenarios: &[LoadedScenario],
        worlds: &[FoundWorld],
        seed: u64,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut universes = Self { twins, places: Vec::new(), masters: BTreeMap::new(), seed };
        for (loaded, found) in scenarios.iter().zip(worlds) {
            match time(loaded) {
                Ok(time) => problems.extend(universes.add(&found.world, time).err().into_iter().flatten()),
                Err(problem) => problems.push(problem),
            }
        }
        problems.dedup();
        if problems.is_empty() { Ok(universes) } else { Err(problems) }
    }

    fn add(&mut self, world: &Arc<World>, time: Time) -> Result<(), Vec<Diagnostic>> {
        let name = master_name(world, time);
        if !self.masters.contains_key(&name) {
            let master = self.create("master", world, time, self.seed)?;
            self.masters.insert(name, master);
        }
        self.places.push((Arc::clone(world), time));
        Ok(())
    }

    fn create(&self, id: &str, world: &Arc<World>, time: Time, seed: u64) -> Result<Arc<Universe>, Vec<Diagnostic>> {
        let options = Options { seed, clock: time.mode, start: time.start, ..Options::default() };
        Universe::create(id, Arc::clone(&self.twins), Arc::clone(world), &options)
    }

    /// A universe for a trajectory of its own.
    ///
    /// # Errors
    /// Why there is none.
    pub fn universe(&self, unit: &Unit) -> Result<Arc<Universe>, String> {
        let (world, time) = self.places.get(unit.scenario).ok_or("the scenario has no place in the plan")?;
        let id = unit.key.to_string();
        // A fork takes over what the clock shows. One that runs from a time of its own, or faster than the machine's,
        // has moved on since the master was made, so that such trajectories are made from the world.
        if matches!(time.mode, ClockMode::Scaled(_)) || (time.mode == ClockMode::Real && time.start.is_some()) {
            let said = |problems: Vec<Diagnostic>| problems.first().map(ToString::to_string).unwrap_or_default();
            return self.create(&id, world, *time, self.seed).map(|made| made.fork(id, Some(unit.seed))).map_err(said);
        }
        let master = self.masters.get(&master_name(world, *time)).ok_or("the world was not loaded")?;
        Ok(master.fork(id, Some(unit.seed)))
    }
}

fn master_name(world: &World, time: Time) -> String {
    format!("{}\n{}\n{:?}", world.file, time.mode, time.start)
}

fn time(loaded: &LoadedScenario) -> Result<Time, Diagnostic> {
    let plan = &loaded.scenario.time;
    let problem = |why: String| Diagnostic::whole(&loaded.path, format!("`time`: {why}"));
    let mode = plan.mode.as_deref().map_or(Ok(ClockMode::Real), str::parse).map_err(problem)?;
    let start = plan.start.as_deref().map(Timestamp::parse).transpose().map_err(problem)?;
    Ok(Time { mode, start })
}

/// How often a trajectory that the machine spoilt is done again.
const RERUNS_MAX: usize = 2;

/// A run: all that its trajectories need.
#[derive(Debug)]
pub struct Run {
    /// What trajectories share.
    pub setup: Setup,
    /// The scenarios, as the plan has them.
    pub scenarios: Vec<LoadedScenario>,
    /// Their universes.
    pub universes: Universes,
    /// Where records and evidence go.
    pub folder: Folder,
    /// Which evidence stays.
    pub keep: KeepEvidence,
    /// How many trajectories run at a time.
    pub jobs: usize,
}

impl Run {
    /// Runs all trajectories that have no record yet; tells each record as it comes, and begins no more once it is told
    /// to stop. Dropping the future ends all
    /// targets at once; what has a record stays.
    ///
    /// # Errors
    /// [`Fatal`]: the run cannot go on.
    pub async fn go(
        self: &Arc<Self>,
        units: &[Unit],
        done: &BTreeMap<Key, Record>,
        mut tell: impl FnMut(&Record) -> bool,
    ) -> Result<(), Fatal> {
        let left = units.iter().filter(|unit| !done.contains_key(&unit.key));
        let list = left.map(|unit| (Arc::clone(self), unit.clone())).collect();
        let watch = |_: &Arc<Self>, event: Event<'_>| match event {
            Event::Next(_) => true,
            Event::Over(record) => tell(record),
        };
        go_through(list, self.jobs, watch).await
    }

    /// One trajectory, to its record. What the machine spoilt is done again, with the same seed; what the target did, never.
    async fn one(&self, unit: &Unit) -> Result<Record, Fatal> {
        let disk = |error: std::io::Error| Fatal(error.to_string());
        let mut reruns = Vec::new();
        let record = loop {
            let record = self.attempt(unit).await?;
            if record.outcome != Outcome::Void || record.reruns.is_empty() || reruns.len() >= RERUNS_MAX {
                break Record { reruns, ..record };
            }
            reruns.extend(record.reruns);
        };
        self.folder.forget(&unit.key, self.keep.of(&unit.key, record.outcome)).map_err(disk)?;
        self.folder.finish(&record).map_err(disk)?;
        Ok(record)
    }

    /// One attempt at a trajectory, in a universe and a folder of its own.
    async fn attempt(&self, unit: &Unit) -> Result<Record, Fatal> {
        let evidence: PathBuf = self.folder.evidence(&unit.key).map_err(|error| Fatal(error.to_string()))?;
        let record = match (self.universes.universe(unit), self.scenarios.get(unit.scenario)) {
            (Ok(universe), Some(scenario)) => trajectory::run(&self.setup, scenario, unit, universe, &evidence).await?,
            (Err(why), _) => trajectory::without_universe(unit, why),
            (_, None) => trajectory::without_universe(unit, "the scenario is not part of the plan".to_owned()),
        };
        Ok(record)
    }
}

/// What is told of a run as it goes on.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A trajectory is to begin. It is left out where nobody wants it any more.
    Next(&'a Unit),
    /// One is over. Where that is enough no more are begun, and those under way come to their end.
    Over(&'a Record),
}

/// Runs trajectories of one run or of several, in this order, so many at a time, as long as whoever watches wants them.
///
/// # Errors
/// [`Fatal`]: it cannot go on.
pub async fn go_through(
    list: Vec<(Arc<Run>, Unit)>,
    jobs: usize,
    mut watch: impl FnMut(&Arc<Run>, Event<'_>) -> bool,
) -> Result<(), Fatal> {
    let slots = Arc::new(Semaphore::new(jobs.max(1)));
    let mut tasks: JoinSet<(Arc<Run>, Result<Record, Fatal>)> = JoinSet::new();
    let mut goes_on = true;
    for (run, unit) in list {
        let slot = loop {
            tokio::select! {
                biased;
                Some(ended) = tasks.join_next() => {
                    let (run, record) = joined(ended)?;
                    goes_on &= watch(&run, Event::Over(&record));
                }
                slot = Arc::clone(&slots).acquire_owned() => break slot,
            }
        };
        if !goes_on {
            break;
        }
        if !watch(&run, Event::Next(&unit)) {
            continue;
        }
        tasks.spawn(async move {
            let _slot = slot;
            let record = run.one(&unit).await;
            (run, record)
        });
    }
    while let Some(ended) = tasks.join_next().await {
        let (run, record) = joined(ended)?;
        watch(&run, Event::Over(&record));
    }
    Ok(())
}

/// What a task has made.
type Ended = Result<(Arc<Run>, Result<Record, Fatal>), tokio::task::JoinError>;

/// A trajectory that broke is a bug of the harness. It ends the run rather than hide in a count.
fn joined(ended: Ended) -> Result<(Arc<Run>, Record), Fatal> {
    let (run, record) = ended.map_err(|error| Fatal(format!("a trajectory broke: {error}")))?;
    Ok((run, record?))
}
