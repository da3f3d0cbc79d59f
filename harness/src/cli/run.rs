//! `dtu run`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Failure, Out,
    gate::{self, Baseline, Wanted},
    out,
    prepare::{self, Ask},
    rounds::{Older, Rounds},
    signals,
    trials::Trials,
};
use crate::{
    evidence::{Folder, KeepEvidence},
    gate::Decision,
    gates::Gates,
    order::ordered,
    pairing::Arm,
    plan::{Key, Plan, Shard, Unit, Wishes},
    progress::Progress,
    record::Record,
    report::{self, Report},
    runner::Run,
    summary::Verdict,
    target::EnvVar,
    verdict::Outcome,
    wait::rest,
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
    #[command(flatten)]
    trials: Trials,
    /// Sets a variable of the target's environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    target_env: Vec<EnvVar>,
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
    /// The folder of an earlier run: what did not satisfy in it is run first; may be given several times.
    #[arg(long, value_name = "DIR")]
    failed_first: Vec<PathBuf>,
    /// Leaves out the fault rules of all scenarios.
    #[arg(long)]
    no_faults: bool,
    /// Which evidence stays: of all trajectories, of those that did not satisfy, or of those and of some that did.
    #[arg(long, value_enum, default_value_t)]
    keep: KeepEvidence,
}

impl Args {
    fn ask(&self) -> Ask<'_> {
        let documents = &self.trials.documents;
        Ask { paths: &self.paths, target: &self.target, target_env: &self.target_env, documents }
    }

    fn wishes(&self, gates: Option<&Gates>) -> Wishes {
        // A budget says how many may be run.
        let seeds = gates.and_then(Gates::seeds_max).unwrap_or(self.trials.seeds(SEEDS));
        Wishes { shard: self.shard, only: self.only.clone(), faults: !self.no_faults, ..self.trials.wishes(seeds) }
    }
}

/// Trajectories for each variant, where nothing is said.
const SEEDS: u64 = 5;

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
    let first = first(&folder, &records, &args.failed_first, baseline.as_ref())?;
    let (run, plan, units) = prepare::into_run(loaded, folder, args.keep, args.trials.jobs())?;
    let units = ordered(units, &plan, gates.as_ref(), &first);
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
    print(&report, args.trials.json)?;
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

/// The file of a run's folder that names the trajectories which were to be run first.
const FIRST: &str = "first.json";

/// What failed in earlier runs, and in the baseline. A run that goes on goes on in the order in which it began: where
/// something forbidden happens, what comes after it does not count.
fn first(
    folder: &Folder,
    records: &BTreeMap<Key, Record>,
    earlier: &[PathBuf],
    baseline: Option<&Baseline>,
) -> Result<BTreeSet<Key>, Failure> {
    let kept = fs_err::read(folder.root().join(FIRST)).ok();
    if let Some(kept) = kept.and_then(|bytes| serde_json::from_slice::<Vec<Key>>(&bytes).ok()) {
        return Ok(kept.into_iter().collect());
    }
    let mut first = BTreeSet::new();
    if records.is_empty() {
        let failed = |(key, record): (&Key, &Record)| (record.outcome == Outcome::Unsatisfied).then(|| key.clone());
        for run in earlier {
            first.extend(Baseline::read(run)?.records.iter().filter_map(failed));
        }
        first.extend(baseline.iter().flat_map(|baseline| &baseline.records).filter_map(failed));
        if !first.is_empty() {
            folder.write(FIRST, &serde_json::to_vec(&first).unwrap_or_default())?;
        }
    }
    Ok(first)
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
        biased;
        // First, so that it is heard from the first trajectory on.
        signal = signals::interrupted() => {
            let kept = format!("{} of {} trajectories are kept", records.len(), plan.trajectories);
            let hint = format!("{kept}; give `--out {}` to go on", root.display());
            Err(Failure::Interrupted { signal, hint })
        }
        ended = run.go(units, &done, |record| {
            records.insert(record.key.clone(), record.clone());
            progress.tell(records);
            true
        }) => ended.map_err(Failure::from),
    };
    progress.finish();
    if ended.is_err() {
        // The targets of what was dropped are being killed; few outlive this moment, and none the next.
        rest(std::time::Duration::from_millis(300)).await;
    }
    ended
}

/// Prints a report on standard output.
pub(super) fn print(report: &Report<'_>, json: bool) -> Result<(), Failure> {
    let mut out = Out::stdout();
    if json {
        out.write_bytes(&report::json::result(report.summary))?;
    } else {
        out.write(&report::text::render(report))?;
        out.write(&format!("\nto look at: {}\n", report.folder.join("report.html").display()))?;
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
