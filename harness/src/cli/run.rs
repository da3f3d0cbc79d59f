//! `dtu run`.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::{host::Host, world::SERVICES};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Failure, Out, both, build,
    documents::Documents,
    gate::{self, Baseline, Wanted},
    out,
};
use crate::{
    evidence::{Folder, KeepEvidence, Record},
    gate::{Decision, decide},
    gates::Gates,
    lint,
    load::{self, LoadedScenario, LoadedTarget},
    pairing::Arm,
    plan::{self, EnvVar, Key, Plan, Shard, Unit, Wishes},
    process::{Supervisor, rest},
    progress::Progress,
    report::{self, Report},
    runner::{self, Run, Universes},
    summary::Verdict,
    trajectory::Setup,
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
    fn wishes(&self, gates: Option<&Gates>) -> Wishes {
        let seeds = gates.and_then(Gates::seeds_max).unwrap_or(self.seeds);
        let only = self.only.clone();
        let documents = self.documents.files().map(plan::planned_document).collect();
        Wishes { seeds, seed: self.seed, shard: self.shard, only, faults: !self.no_faults, documents }
    }

    fn jobs(&self) -> usize {
        let processors = std::thread::available_parallelism();
        self.jobs.or(processors.ok()).map_or(2, NonZeroUsize::get)
    }
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

/// What is to be run, all of it checked.
struct Loaded {
    scenarios: Vec<LoadedScenario>,
    target: LoadedTarget,
    plan: Plan,
    units: Vec<Unit>,
    universes: Universes,
    twins: Arc<[Arc<dyn Host>]>,
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
    let loaded = load(args, gates.as_ref())?;
    if let Some(gates) = &gates {
        args.wanted.lint(gates, &loaded.plan)?;
    }
    let baseline = args.wanted.baseline(&loaded.plan)?;
    let (root, folder) = open(args, &loaded.plan)?;
    let mut records = folder.records()?;
    tell_kept(&records, &loaded.plan);
    let setup = Setup::new(loaded.target, Supervisor::this_program()?, &loaded.twins, loaded.plan.faults);
    let (scenarios, universes) = (loaded.scenarios, loaded.universes);
    let run = Arc::new(Run { setup, scenarios, universes, folder, keep: args.keep, jobs: args.jobs() });
    let mut decision = None;
    if let Some(gates) = &gates {
        let rounds = Rounds { gates, baseline: baseline.as_ref(), plan: &loaded.plan, units: &loaded.units };
        let decided = rounds.go(&run, &mut records, &root).await?;
        gate::write(&run.folder, &decided)?;
        decision = Some(decided);
    } else {
        run_all(&run, &loaded.plan, &loaded.units, &mut records, &root).await?;
    }
    let gated = decision.as_ref().map(|decision| decision.ruling.code());
    let summary = gate::summarise(Arm { plan: &loaded.plan, records: &records }, baseline.as_ref(), decision);
    let report = Report { plan: &loaded.plan, summary: &summary, folder: &root };
    report::write(&run.folder, &report, &records)?;
    print(&report, args.json)?;
    Ok(gated.unwrap_or_else(|| code(summary.verdict())))
}

/// Goes on until the gate is decided, or its budget used up.
struct Rounds<'a> {
    gates: &'a Gates,
    baseline: Option<&'a Baseline>,
    plan: &'a Plan,
    units: &'a [Unit],
}

impl Rounds<'_> {
    /// Afterwards the records are those that the decision rests on: what comes next depends on nothing but outcomes, so
    /// that a run that was cut short comes to the same end.
    async fn go(&self, run: &Arc<Run>, records: &mut BTreeMap<Key, Record>, root: &Path) -> Result<Decision, Failure> {
        let first = self.gates.first_look(self.plan.seeds);
        let mut chosen: BTreeSet<Key> = self.units.iter().map(|u| u.key.clone()).filter(|k| k.n <= first).collect();
        loop {
            let is_chosen = |unit: &&Unit| chosen.contains(&unit.key);
            let units: Vec<Unit> = self.units.iter().filter(is_chosen).cloned().collect();
            run_all(run, self.plan, &units, records, root).await?;
            let mut seen = records.clone();
            seen.retain(|key, _| chosen.contains(key));
            let arm = Arm { plan: self.plan, records: &seen };
            let decision = decide(self.gates, arm, self.baseline.map(Baseline::arm));
            let wanted = |key: &&Key| self.units.iter().any(|unit| unit.key == **key);
            let before = chosen.len();
            chosen.extend(decision.next.iter().filter(wanted).cloned());
            if chosen.len() == before {
                *records = seen;
                return Ok(decision);
            }
        }
    }
}

fn load(args: &Args, gates: Option<&Gates>) -> Result<Loaded, Failure> {
    let (scenarios, mut target) = both(load::scenarios(&args.paths), load::target(&args.target))?;
    for var in &args.target_env {
        target.set_env(&var.name, &var.value);
    }
    let twins = twins(&args.documents)?;
    let worlds = runner::worlds(&scenarios, &sections(&twins))?;
    let mut problems = lint::lint_target(&target, &twins);
    for (scenario, found) in scenarios.iter().zip(&worlds) {
        problems.extend(lint::lint(scenario, &twins, &found.world));
        problems.extend(lint::lint_together(&target, scenario, &found.world));
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let universes = Universes::prepare(Arc::clone(&twins), &scenarios, &worlds, args.seed)?;
    build::build(&target)?;
    build::check_program(&target)?;
    let digests: Vec<String> = worlds.into_iter().map(|found| found.digest).collect();
    let (plan, units) =
        plan::plan(&scenarios, &digests, plan::planned_target(&target, &args.target_env), &args.wishes(gates))?;
    Ok(Loaded { scenarios, target, plan, units, universes, twins })
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

async fn run_all(
    run: &Arc<Run>,
    plan: &Plan,
    units: &[Unit],
    records: &mut BTreeMap<Key, Record>,
    root: &Path,
) -> Result<(), Failure> {
    let progress = Progress::new(plan);
    let done = records.clone();
    let ended = tokio::select! {
        ended = run.go(units, &done, |record| {
            records.insert(record.key.clone(), record.clone());
            progress.tell(records);
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
async fn interrupted() -> u8 {
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
