//! Reads and checks all that trajectories are made of.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::host::Host;

use super::{Failure, both, build, documents::Documents, run};
use crate::{
    evidence::{Folder, KeepEvidence},
    lint,
    load::{self, LoadedScenario, LoadedTarget},
    mischief::Mischief,
    plan::{self, EnvVar, Plan, Unit, Wishes},
    process::{Supervisor, secret},
    runner::{self, FoundWorld, Run, Universes},
    trajectory::Setup,
};

/// The files that a run is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    /// Scenario files, and folders of them.
    pub(super) paths: &'a [PathBuf],
    /// The target file.
    pub(super) target: &'a Path,
    /// Variables of the target's environment.
    pub(super) target_env: &'a [EnvVar],
    /// Public documents.
    pub(super) documents: &'a Documents,
}

/// What is to be run, all of it checked and built.
pub(super) struct Loaded {
    pub(super) scenarios: Vec<LoadedScenario>,
    pub(super) target: LoadedTarget,
    pub(super) plan: Plan,
    pub(super) units: Vec<Unit>,
    pub(super) universes: Universes,
    pub(super) twins: Arc<[Arc<dyn Host>]>,
    /// How the target's calls are twisted.
    pub(super) mischief: Option<Arc<Mischief>>,
    worlds: Vec<FoundWorld>,
}

/// Reads, checks and builds. Nothing was launched where this fails.
pub(super) fn load(ask: &Ask<'_>, wishes: &Wishes) -> Result<Loaded, Failure> {
    let (mut scenarios, mut target) = both(load::scenarios(ask.paths), load::target(ask.target))?;
    for var in ask.target_env {
        target.set_env(&var.name, &var.value);
    }
    target.find_secrets(secret)?;
    let twins = run::twins(ask.documents)?;
    let worlds = runner::worlds(&scenarios, &run::sections(&twins))?;
    let mut problems = lint::lint_target(&target, &twins);
    for (scenario, found) in scenarios.iter_mut().zip(&worlds) {
        problems.extend(load::pick(scenario, &found.world).err().into_iter().flatten());
        problems.extend(lint::lint(scenario, &twins, &found.world));
        problems.extend(lint::lint_together(&target, scenario, &found.world));
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let universes = Universes::prepare(Arc::clone(&twins), &scenarios, &worlds, wishes.seed)?;
    build::build(&target)?;
    build::check_program(&target)?;
    let digests: Vec<String> = worlds.iter().map(|found| found.digest.clone()).collect();
    let (plan, units) = plan::plan(&scenarios, &digests, plan::planned_target(&target, ask.target_env), wishes)?;
    Ok(Loaded { scenarios, target, plan, units, universes, twins, mischief: None, worlds })
}

impl Loaded {
    /// Ready to run in a folder, with the plan and the units apart. The folder keeps what the run is made of.
    pub(super) fn into_run(
        self,
        folder: Folder,
        keep: KeepEvidence,
        jobs: usize,
    ) -> Result<(Arc<Run>, Plan, Vec<Unit>), Failure> {
        self.keep_inputs(&folder)?;
        let setup = Setup::new(self.target, Supervisor::this_program()?, &self.twins, self.plan.faults);
        let setup = Setup { mischief: self.mischief, ..setup.of_run(&self.plan) };
        let jobs = if setup.target.target.is_shared() { 1 } else { jobs };
        let run = Run { setup, scenarios: self.scenarios, universes: self.universes, folder, keep, jobs };
        Ok((Arc::new(run), self.plan, self.units))
    }

    fn keep_inputs(&self, folder: &Folder) -> std::io::Result<()> {
        folder.keep_input(&self.target.digest, &self.target.text)?;
        for scenario in &self.scenarios {
            folder.keep_input(&scenario.digest, &scenario.text)?;
        }
        for found in &self.worlds {
            if let Ok(text) = fs_err::read_to_string(&found.world.file) {
                folder.keep_input(&found.digest, &text)?;
            }
        }
        Ok(())
    }
}
