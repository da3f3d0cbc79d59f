//! Reads, checks and builds all that the trajectories of a command are made of.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Failure, both, build, documents::Documents};
use crate::{
    evidence::{Folder, KeepEvidence},
    load,
    plan::{Plan, Unit, Wishes},
    prepare::{self, Checked, Prepared},
    process::{Supervisor, secret},
    runner::Run,
    target::EnvVar,
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

/// Reads, checks and builds. Nothing was launched where this fails.
pub(super) fn load(ask: &Ask<'_>, wishes: &Wishes) -> Result<Prepared, Failure> {
    let checked = check(ask, wishes)?;
    build::build(&checked.target)?;
    build::check_program(&checked.target)?;
    Ok(checked.plan(ask.target_env, wishes)?)
}

/// The same where the target was built a moment ago.
pub(super) fn load_built(ask: &Ask<'_>, wishes: &Wishes) -> Result<Prepared, Failure> {
    let checked = check(ask, wishes)?;
    build::check_program(&checked.target)?;
    Ok(checked.plan(ask.target_env, wishes)?)
}

fn check(ask: &Ask<'_>, wishes: &Wishes) -> Result<Checked, Failure> {
    let (scenarios, mut target) = both(load::scenarios(ask.paths), load::target(ask.target))?;
    for var in ask.target_env {
        target.set_env(&var.name, &var.value);
    }
    target.find_secrets(secret)?;
    Ok(prepare::check(scenarios, target, ask.documents.all()?, wishes.seed)?)
}

/// Ready to run in a folder, by this program as the supervisor.
pub(super) fn into_run(
    prepared: Prepared,
    folder: Folder,
    keep: KeepEvidence,
    jobs: usize,
) -> Result<(Arc<Run>, Plan, Vec<Unit>), Failure> {
    Ok(prepared.into_run(folder, keep, jobs, Supervisor::this_program()?)?)
}
