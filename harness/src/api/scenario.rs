//! Scenarios in a test.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::host::Host;

use super::{Error, Target, Trajectories, trajectories::Place};
use crate::{
    evidence::{Folder, KeepEvidence},
    load::{self, LoadedScenario},
    plan::Wishes,
    prepare,
    process::Supervisor,
    target::EnvVar,
};

/// One scenario or a folder of them, and how often each variant is run.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use dtu::{Scenario, Target};
///
/// let story = Scenario::parse("
/// schema: dtu/scenario/v1
/// id: greetings.welcome
/// title: Whoever says hello is greeted
/// story: Lena says hello in general, and the bot greets.
/// world: acme
/// beats:
///   - {as: lena, do: slack.user.post, with: {channel: '#general', text: hello}}
/// checks:
///   - name: a greeting comes
///     that: {eventually: {within: 300ms, that: \"slack.messages.exists(m, m.text == 'welcome')\"}}
/// ")?;
/// let silent = Target::task("silent", |_| std::future::pending::<Result<(), String>>());
/// let trajectories = story.seeds(1).run(&silent).await?;
/// assert_eq!(trajectories.satisfaction(), Some(0.0), "{trajectories}");
/// # Ok::<(), dtu::Error>(()) }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Scenario {
    loaded: Vec<LoadedScenario>,
    wishes: Wishes,
    jobs: Option<NonZeroUsize>,
    out: Option<PathBuf>,
}

impl Scenario {
    fn new(loaded: Vec<LoadedScenario>) -> Self {
        Self { loaded, wishes: Wishes::default(), jobs: None, out: None }
    }

    /// Reads a scenario file, or all in a folder.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self::new(load::scenarios(&[path.as_ref().to_owned()])?))
    }

    /// A scenario from its text.
    ///
    /// # Errors
    /// Every problem of it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self::new(vec![load::scenario_from("scenario".to_owned(), text.to_owned())?]))
    }

    /// Trajectories for each variant; 5 where nothing is said.
    #[must_use]
    pub const fn seeds(mut self, seeds: u64) -> Self {
        self.wishes.seeds = seeds;
        self
    }

    /// The seed of the run, from which all others are made; 1 where nothing is said.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.wishes.seed = seed;
        self
    }

    /// Trajectories at a time; as many as there are processors where nothing is said.
    #[must_use]
    pub const fn jobs(mut self, jobs: NonZeroUsize) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// Leaves out the fault rules.
    #[must_use]
    pub const fn without_faults(mut self) -> Self {
        self.wishes.faults = false;
        self
    }

    /// The folder for records and evidence, emptied first; else it is gone with the [`Trajectories`].
    #[must_use]
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// Runs all trajectories against a target. That some do not satisfy is no error.
    ///
    /// # Errors
    /// Problems of scenarios, worlds and target, and where they do not go together; a target that cannot be started.
    pub async fn run(&self, target: &Target) -> Result<Trajectories, Error> {
        let twins: Arc<[Arc<dyn Host>]> = dtu_universe::all().into();
        let checked = prepare::check(self.loaded.clone(), target.loaded()?, twins, self.wishes.seed)?;
        let var = |(name, value): (&String, &String)| EnvVar { name: name.clone(), value: value.clone() };
        let besides: Vec<EnvVar> = target.set_besides().iter().map(var).collect();
        let mut prepared = checked.plan(&besides, &self.wishes)?;
        prepared.program = target.program();
        let place = Place::of(self.out.as_deref())?;
        let folder = Folder::fresh(place.root(), &prepared.plan)?;
        // A task has no supervisor, and needs none.
        let supervisor = if prepared.program.is_some() { Supervisor::none() } else { Supervisor::find()? };
        let jobs = self.jobs.or(std::thread::available_parallelism().ok()).map_or(2, NonZeroUsize::get);
        let (run, plan, units) = prepared.into_run(folder, KeepEvidence::All, jobs, supervisor)?;
        let mut records = BTreeMap::new();
        let tell = |record: &crate::record::Record| {
            records.insert(record.key.clone(), record.clone());
            true
        };
        run.go(&units, &BTreeMap::new(), tell).await?;
        Ok(Trajectories::new(plan, records, place))
    }
}
