//! `dtu run`.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::{host::Host, world::SERVICES};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Failure, Out,
    documents::Documents,
    gate::{self, Wanted},
    out,
    prepare::{self, Ask},
    rounds::{Older, Rounds},
};
use crate::{
    evidence::{Folder, KeepEvidence, Record},
    gate::Decision,
    gates::Gates,
    pairing::Arm,
    plan::{self, EnvVar, Key, Plan, Shard, Unit, Wishes},
    process::rest,
    progress::Progress,
    report::{self, Report},
    runner::Run,
    summary::Verdict,
};

#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES)]
pub(super) struct Args {
    /// Scenario files, and folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The target file.
    #[arg(long, value_name = "FILE")]
    target: PathBuf,
    /// Trajectories for each variant of a scenario. With gates that have a budget, the budget says it.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Sets a variable of the target's environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    target_env: Vec<EnvVar>,
    /// The seed of the run, from which all others are made.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Trajectories at a time; as many as there are processors where absent.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Only the k-th of n equal parts of the run, the same on every machine.
    #[arg(long, value_name = "K/N", conflicts_with_all = ["only", "gates"])]
    shard: Option<Shard>,
    /// The target file of the baseline's build: what the baseline lacks is run on it, beside and in turns.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["shard", "only"])]
    pair: Option<PathBuf>,
    /// Only this trajectory, as reports name it; may be given several times.
    #[arg(long, value_name = "SCENARIO/VARIANT/N", conflicts_with = "gates")]
    only: Vec<Key>,
    #[command(flatten)]
    wanted: Wanted,
    /// The folder for results and evidence; one that holds part of the same run is gone on with.
    /// A folder below `.dtu/runs`, emptied first, where absent.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Prints the result as one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    documents: Documents,
    /// Leaves out the fault rules of all scenarios.
    #[arg(long)]
    no_faults: bool,
    /// Which evidence stays: of all trajectories, or of those that did not satisfy.
    #[arg(long, value_enum, default_value_t)]
    keep: KeepEvidence,
}

impl Args {
    fn ask(&self) -> Ask<'_> {
        Ask { paths: &self.paths, target: &self.target, target_env: &self.target_env, documents: &self.documents }
    }

    fn wishes(&self, gates: Option<&Gates>) -> Wishes {
        let seeds = gates.and_then(Gates::seeds_max).unwrap_or(self.seeds);
        let only = self.only.clone();
        let documents = self.documents.files().map(plan::planned_document).collect();
        Wishes { seeds, seed: self.seed, shard: self.shard, only, faults: !self.no_faults, documents }
    }

    fn jobs(&self) -> usize {
        jobs(self.jobs)
    }
}

/// How many trajectories run at a time.
pub(super) fn jobs(asked: Option<NonZeroUsize>) -> usize {
    asked.or(std::thread::available_parallelism().ok()).map_or(2, NonZeroUsize::get)
}

/// All twins, and those of documents.
pub(super) fn twins(documents: &Documents) -> Result<Arc<[Arc<dyn Host>]>, Failure> {
    let mut all = dtu_universe::all();
    all.extend(documents.twins()?);
    Ok(all.into())
}

/// The sections that a world file may have: of all services, and of documents' twins.
pub(super) fn sections(twins: &[Arc<dyn Host>]) -> Vec<&'static str> {
    let own = twins.iter().map(|twin| twin.name()).filter(|name| !SERVICES.contains(name));
    SERVICES.into_iter().chain(own).collect()
}

pub(super) fn main(args: Args) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(perform(&args));
    // Nothing is left that would be worth waiting for.
    runtime.shutdown_background();
    code
}

async fn perform(args: &Args) -> Result<u8, Failure> {
    let gates = args.wanted.gates()?;
    let wishes = args.wishes(gates.as_ref());
    let loaded = prepare::load(&args.ask(), &wishes)?;
    if let Some(gates) = &gates {
        args.wanted.lint(gates, &loaded.plan)?;
    }
    let baseline = args.wanted.baseline(&loaded.plan)?;
    let (root, folder) = open(args, &loaded.plan)?;
    let mut records = folder.records()?;
    tell_kept(&records, &loaded.plan);
    let (run, plan, units) = loaded.into_run(folder, args.keep, args.jobs())?;
    let mut older = Older::new(baseline, Ask { target_env: &[], ..args.ask() }, wishes, &root);
    if let Some(pair) = &args.pair {
        older.pair(pair)?;
    }
    let mut decision = None;
    if let Some(gates) = &gates {
        let mut rounds = Rounds { gates, older: &mut older, plan: &plan, units: &units };
        let decided = rounds.go(&run, &mut records).await?;
        gate::write(&run.folder, &decided)?;
        decision = Some(decided);
    } else {
        gate::forget(&run.folder)?;
        older.run_beside(&run, &plan, &units, &mut records).await?;
    }
    let gated = decision.as_ref().map(Decision::code);
    let summary = gate::summarise(Arm { plan: &plan, records: &records }, older.baseline(), decision);
    let report = Report { plan: &plan, summary: &summary, folder: &root };
    report::write(&run.folder, &report, &records)?;
    print(&report, args.json)?;
    Ok(gated.unwrap_or_else(|| code(summary.verdict())))
}

/// The folder, as the user would name it, and held.
fn open(args: &Args, plan: &Plan) -> Result<(PathBuf, Folder), Failure> {
    if let Some(root) = &args.out {
        return Ok((root.clone(), Folder::open(root, plan)?));
    }
    let home = Path::new(".dtu");
    let root = home.join("runs").join(&plan.digest[..12]);
    let folder = Folder::fresh(&root, plan)?;
    // Nobody wants runs in a repository by accident.
    fs_err::write(home.join(".gitignore"), "*\n")?;
    Ok((root, folder))
}

fn tell_kept(records: &BTreeMap<Key, Record>, plan: &Plan) {
    if !records.is_empty() {
        out::say(&format!("{} of {} trajectories are finished already", records.len(), plan.trajectories));
    }
}

pub(super) async fn run_all(
    run: &Arc<Run>,
    plan: &Plan,
    units: &[Unit],
    records: &mut BTreeMap<Key, Record>,
    root: &Path,
) -> Result<(), Failure> {
    let progress = Progress::new(plan, None, units.len(), records.len());
    let done = records.clone();
    let ended = tokio::select! {
        ended = run.go(units, &done, |record| {
            records.insert(record.key.clone(), record.clone());
            progress.tell(records);
            true
        }) => ended.map_err(Failure::from),
        signal = interrupted() => {
            let kept = format!("{} of {} trajectories are kept", records.len(), plan.trajectories);
            let hint = format!("{kept}; give `--out {}` to go on", root.display());
            Err(Failure::Interrupted { signal, hint })
        }
    };
    progress.finish();
    if ended.is_err() {
        // The targets of what was dropped are being killed; few outlive this moment, and none the next.
        rest(std::time::Duration::from_millis(300)).await;
    }
    ended
}

/// Waits for a signal to end; gives back its number.
pub(super) async fn interrupted() -> u8 {
    let wait = async |kind: SignalKind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => 2,
        () = wait(SignalKind::terminate()) => 15,
        () = wait(SignalKind::hangup()) => 1,
    }
}

/// Prints a report on standard output.
pub(super) fn print(report: &Report<'_>, json: bool) -> Result<(), Failure> {
    let mut out = Out::stdout();
    if json {
        out.write_bytes(&report::json::result(report.summary))?;
    } else {
        out.write(&report::text::render(report))?;
    }
    Ok(())
}

const fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Fail => 1,
        Verdict::Inconclusive => 4,
    }
}
