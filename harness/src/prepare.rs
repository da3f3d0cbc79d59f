//! Makes ready what trajectories are made of: scenarios, their worlds, a target, and the twins, held against each other.

use std::sync::Arc;

use dtu_kernel::{
    diagnostic::Diagnostic,
    host::Host,
    world::{SERVICES, World},
};

use crate::{
    evidence::{Folder, KeepEvidence},
    lint,
    load::{self, LoadedScenario, LoadedTarget},
    mischief::Mischief,
    mutate::Mutation,
    plan::{self, Plan, Unit, Wishes},
    process::Supervisor,
    redact::Redactor,
    runner::{self, FoundWorld, Run, Universes},
    target::EnvVar,
    task::Program,
    trajectory::Setup,
};

/// Scenarios and a target that go together, without a problem in them.
#[derive(Debug)]
pub struct Checked {
    /// The scenarios, with the values that their parameters take from the world.
    pub scenarios: Vec<LoadedScenario>,
    /// The target.
    pub target: LoadedTarget,
    /// The twins.
    pub twins: Arc<[Arc<dyn Host>]>,
    worlds: Vec<FoundWorld>,
    universes: Universes,
}

/// The sections that a world file may have: of all services, and of the twins of documents.
pub fn sections(twins: &[Arc<dyn Host>]) -> Vec<&'static str> {
    let own = twins.iter().map(|twin| twin.name()).filter(|name| !SERVICES.contains(name));
    SERVICES.into_iter().chain(own).collect()
}

/// Holds scenarios and a target against each other, the twins and the worlds, and loads each world once. `seed` is
/// that of the run.
///
/// # Errors
/// Every problem.
pub fn check(
    mut scenarios: Vec<LoadedScenario>,
    target: LoadedTarget,
    twins: Arc<[Arc<dyn Host>]>,
    seed: u64,
) -> Result<Checked, Vec<Diagnostic>> {
    let worlds = runner::worlds(&scenarios, &sections(&twins))?;
    let mut problems = lint::lint_target(&target, &twins);
    for (scenario, found) in scenarios.iter_mut().zip(&worlds) {
        problems.extend(load::pick(scenario, &found.world).err().into_iter().flatten());
        problems.extend(lint::lint(scenario, &twins, &found.world));
        problems.extend(lint::lint_together(&target, scenario, &found.world));
    }
    let used: Vec<&World> = worlds.iter().map(|found| found.world.as_ref()).collect();
    problems.extend(lint::lint_environment(&target, &twins, &used));
    if !problems.is_empty() {
        return Err(problems);
    }
    let universes = Universes::prepare(Arc::clone(&twins), &scenarios, &worlds, seed)?;
    Ok(Checked { scenarios, target, twins, worlds, universes })
}

impl Checked {
    /// Plans the trajectories. The target must be built by now: the plan holds a hash of its program. `target_env` is
    /// what was set of its environment besides its file.
    ///
    /// # Errors
    /// Where a trajectory that is asked for by name does not exist.
    pub fn plan(self, target_env: &[EnvVar], wishes: &Wishes) -> Result<Prepared, Diagnostic> {
        let Self { scenarios, target, twins, worlds, universes } = self;
        let digests: Vec<String> = worlds.iter().map(|found| found.digest.clone()).collect();
        let (plan, units) = plan::plan(&scenarios, &digests, plan::planned_target(&target, target_env), wishes)?;
        Ok(Prepared {
            scenarios,
            target,
            plan,
            units,
            universes,
            twins,
            mischief: None,
            mutation: None,
            program: None,
            worlds,
        })
    }
}

/// What is to be run, all of it checked and built.
#[derive(Debug)]
pub struct Prepared {
    /// The scenarios, as the plan has them.
    pub scenarios: Vec<LoadedScenario>,
    /// The target.
    pub target: LoadedTarget,
    /// What was planned.
    pub plan: Plan,
    /// The trajectories, in the order of the plan.
    pub units: Vec<Unit>,
    /// Their universes.
    pub universes: Universes,
    /// The twins.
    pub twins: Arc<[Arc<dyn Host>]>,
    /// How the target's calls are twisted.
    pub mischief: Option<Arc<Mischief>>,
    /// What looks at each trajectory with mutants of its checks.
    pub mutation: Option<Arc<Mutation>>,
    /// The target, where it is a task of this process.
    pub program: Option<Arc<dyn Program>>,
    worlds: Vec<FoundWorld>,
}

impl Prepared {
    /// The mutants of all scenarios' checks.
    pub fn mutants(&self) -> Mutation {
        let worlds = self.worlds.iter().map(|found| &found.world);
        Mutation::new(self.scenarios.iter().zip(worlds), &self.twins)
    }

    /// Leaves out trajectories: what is left is another plan.
    pub fn retain(&mut self, keep: impl FnMut(&Unit) -> bool) {
        self.units.retain(keep);
        self.plan.trajectories = self.units.len() as u64;
        self.plan.digest = plan::digest(&self.plan, self.units.iter().map(|unit| &unit.key));
    }

    /// Ready to run in a folder, with the plan and the units apart. The folder keeps what the run is made of.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn into_run(
        self,
        folder: Folder,
        keep: KeepEvidence,
        jobs: usize,
        supervisor: Supervisor,
    ) -> std::io::Result<(Arc<Run>, Plan, Vec<Unit>)> {
        self.keep_inputs(&folder)?;
        let setup = Setup::new(self.target, supervisor, &self.twins, self.plan.faults);
        let setup = Setup {
            mischief: self.mischief,
            mutation: self.mutation,
            program: self.program,
            ..setup.of_run(&self.plan)
        };
        let jobs = if setup.target.target.is_shared() { 1 } else { jobs };
        let run = Run { setup, scenarios: self.scenarios, universes: self.universes, folder, keep, jobs };
        Ok((Arc::new(run), self.plan, self.units))
    }

    /// Keeps the files that the run is made of, without the secrets in them.
    fn keep_inputs(&self, folder: &Folder) -> std::io::Result<()> {
        let worlds = self.worlds.iter().map(|found| found.world.text());
        let env = self.target.env.iter().filter_map(|(name, value)| Some((name.as_str(), value.fixed()?)));
        let redactor = Redactor::of_inputs(worlds, env);
        let keep = |digest: &str, text: &str| {
            let hidden = redactor.hide(text.as_bytes()).and_then(|text| String::from_utf8(text).ok());
            folder.keep_input(digest, hidden.as_deref().unwrap_or(text))
        };
        keep(&self.target.digest, &self.target.text)?;
        for scenario in &self.scenarios {
            keep(&scenario.digest, &scenario.text)?;
        }
        for found in &self.worlds {
            if let Ok(text) = fs_err::read_to_string(&found.world.file) {
                keep(&found.digest, &text)?;
            }
        }
        Ok(())
    }
}
