//! `dtu gate`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dtu_kernel::diagnostic::Diagnostic;

use super::{Failure, Out, out};
use crate::{
    evidence::{Folder, pretty},
    gate::{self, Decision},
    gates::{self, Gates, NoRegress},
    pairing::Arm,
    plan::{Key, Plan},
    record::Record,
    report::{self, Report},
    summary::Summary,
};

#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES)]
pub(super) struct Args {
    /// The folder of a run.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    wanted: Wanted,
    /// Prints the decision as one JSON document.
    #[arg(long)]
    json: bool,
}

/// What a build is held against.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Wanted {
    /// What the run must show. Where absent: a lower bound of 0.90, and no drop where there is a baseline.
    #[arg(long, value_name = "FILE")]
    pub(super) gates: Option<PathBuf>,
    /// What the gates ask on this occasion: a name under `profiles` in their file.
    #[arg(long, value_name = "NAME", requires = "gates")]
    pub(super) profile: Option<String>,
    /// The folder of the run, or of the blessed baseline, to compare with.
    #[arg(long, value_name = "DIR")]
    pub(super) baseline: Option<PathBuf>,
}

/// A run to compare with.
#[derive(Debug)]
pub(super) struct Baseline {
    pub(super) plan: Plan,
    pub(super) records: BTreeMap<Key, Record>,
}

impl Baseline {
    /// Reads one.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let (folder, plan) = Folder::look(folder)?;
        Ok(Self { plan, records: folder.records()? })
    }

    /// As an arm of a comparison.
    pub(super) const fn arm(&self) -> Arm<'_> {
        Arm { plan: &self.plan, records: &self.records }
    }

    /// Refuses runs of which no trajectory could be compared.
    pub(super) fn check(&self, folder: &Path, plan: &Plan) -> Result<(), Failure> {
        if self.plan.seed == plan.seed && self.plan.faults == plan.faults {
            return Ok(());
        }
        let (theirs, ours) = (self.plan.seed, plan.seed);
        let message = if theirs == ours {
            "one of both runs was without the scenarios' faults: nothing can be compared".to_owned()
        } else {
            format!("its seed is {theirs}, that of the run {ours}: nothing can be compared")
        };
        let problem = Diagnostic::whole(&folder.display().to_string(), message);
        Err(problem.hint("both builds must be run with the same --seed and --no-faults").into())
    }
}

impl Wanted {
    /// The gates; none where neither gates nor baseline are named.
    pub(super) fn gates(&self) -> Result<Option<Gates>, Failure> {
        match &self.gates {
            Some(file) => Ok(Some(self.read(file)?)),
            None => Ok(None),
        }
    }

    fn read(&self, file: &Path) -> Result<Gates, Failure> {
        let mut gates = gates::gates(file)?;
        if let Some(profile) = &self.profile {
            gates = gates.with_profile(&file.display().to_string(), profile)?;
        }
        let now = dtu_kernel::clock::wall_time().iso_micros();
        for id in gates.expire(now.get(..10).unwrap_or_default()) {
            out::say(&format!("warning: the quarantine of `{id}` has ended: it counts again"));
        }
        Ok(gates)
    }

    /// The baseline, fit for this plan.
    pub(super) fn baseline(&self, plan: &Plan) -> Result<Option<Baseline>, Failure> {
        let Some(folder) = &self.baseline else { return Ok(None) };
        let baseline = Baseline::read(folder)?;
        baseline.check(folder, plan)?;
        Ok(Some(baseline))
    }

    /// Refuses gates that name what the plan does not have.
    pub(super) fn lint(&self, gates: &Gates, plan: &Plan) -> Result<(), Failure> {
        let file = self.gates.as_deref().map(|file| file.display().to_string()).unwrap_or_default();
        let problems = gates::lint_with(&file, gates, plan);
        if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
    }

    /// What is asked where no file says it.
    fn usual(&self) -> Gates {
        Gates { no_regress: self.baseline.as_ref().map(|_| NoRegress::default()), ..Gates::default() }
    }
}

pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let (folder, plan) = Folder::look(&args.folder)?;
    let gates = args.wanted.gates()?.unwrap_or_else(|| args.wanted.usual());
    args.wanted.lint(&gates, &plan)?;
    let baseline = args.wanted.baseline(&plan)?;
    let records = folder.records()?;
    let run = Arm { plan: &plan, records: &records };
    let decision = gate::decide(&gates, run, baseline.as_ref().map(Baseline::arm));
    let summary = summarise(run, baseline.as_ref(), Some(decision.clone()));
    let report = Report { plan: &plan, summary: &summary, folder: &args.folder };
    report::write(&folder, &report, &records)?;
    write(&folder, &decision)?;
    let mut out = Out::stdout();
    if args.json {
        out.write_bytes(&pretty(&serde_json::json!(decision)))?;
    } else {
        out.write(&report::text::overview(&summary))?;
    }
    Ok(decision.code())
}

/// The result of a run with all that it is held against.
pub(super) fn summarise(run: Arm<'_>, baseline: Option<&Baseline>, gate: Option<Decision>) -> Summary {
    let mut summary = Summary::new(run.plan, run.records);
    if let Some(baseline) = baseline {
        summary = summary.against(run, baseline.arm());
    }
    summary.gate = gate;
    summary
}

/// The file of a run's folder that holds what its gate said.
const FILE: &str = "gate.json";

/// Keeps a decision beside the run.
pub(super) fn write(folder: &Folder, decision: &Decision) -> Result<(), Failure> {
    Ok(folder.write(FILE, &pretty(&serde_json::json!(decision)))?)
}

/// The decision that is kept beside a run; none where it has not come to one.
pub(super) fn kept(folder: &Folder) -> Option<Decision> {
    serde_json::from_slice(&fs_err::read(folder.root().join(FILE)).ok()?).ok()
}

/// Throws away what was decided of fewer trajectories.
pub(super) fn forget(folder: &Folder) -> Result<(), Failure> {
    match fs_err::remove_file(folder.root().join(FILE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
