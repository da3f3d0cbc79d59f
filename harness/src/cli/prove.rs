//! `dtu prove`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::diagnostic::Diagnostic;
use owo_colors::{OwoColorize as _, Style};

use super::{
    Failure, Out, out,
    prepare::{self, Ask},
    trials::Trials,
};
use crate::{
    evidence::{Folder, KeepEvidence, pretty},
    load,
    pairing::Arm,
    plan::{self, Key, Plan, Unit, Wishes},
    prepare::Prepared,
    prove::{self, Question, Receipt, Verdict},
    record::Record,
    runner::Run,
    target::EnvVar,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    proven: the older build fails, the newer one does not, and chance does not explain it
  1    not fixed: the newer build fails where the older one does;
       regressed elsewhere: it fails where the older one does not, as fresh seeds confirm
  2    usage or bad input
  3    cannot run: a build fails, a target cannot be started, or nothing was decided on both
  4    not reproduced: the older build does not fail, or too seldom to show anything
  130  interrupted";

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Args {
    /// The scenarios that show the fault: files, and folders of them.
    #[arg(required = true, value_name = "SCENARIO")]
    paths: Vec<PathBuf>,
    /// The target file of the build that has the fault.
    #[arg(long, value_name = "TARGET")]
    before: PathBuf,
    /// The target file of the build that should not have it.
    #[arg(long, value_name = "TARGET")]
    after: PathBuf,
    /// Scenarios that must not get worse, besides the variants that were fine: files, and folders of them.
    #[arg(long, value_name = "PATH")]
    elsewhere: Vec<PathBuf>,
    #[command(flatten)]
    trials: Trials,
    /// Sets a variable of the older build's environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    before_env: Vec<EnvVar>,
    /// Sets a variable of the newer build's environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    after_env: Vec<EnvVar>,
    /// The folder for the receipt and both runs; a folder below `.dtu/proofs` where absent.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Leaves out the fault rules of all scenarios.
    #[arg(long)]
    no_faults: bool,
}

/// One of both builds, ready to run.
struct Side {
    run: Arc<Run>,
    plan: Plan,
    units: Vec<Unit>,
    records: BTreeMap<Key, Record>,
}

impl Side {
    const fn arm(&self) -> Arm<'_> {
        Arm { plan: &self.plan, records: &self.records }
    }
}

pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let question = question(args)?;
    let done = prepared(args, &question).and_then(|(root, before, after)| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let receipt = runtime.block_on(decide(args, &question, before, after, &root));
        runtime.shutdown_background();
        Ok((root, receipt?))
    });
    let (root, receipt) = match done {
        Ok((root, receipt)) => (Some(root), receipt),
        Err(Failure::Infrastructure { what, hint }) => {
            out::say(&format!("error: {what}{}", if hint.is_empty() { hint } else { format!("\n  hint: {hint}") }));
            (None, Receipt::cannot_run(what.lines().next().unwrap_or_default().to_owned()))
        }
        Err(failure) => return Err(failure),
    };
    if let Some(root) = &root {
        fs_err::write(root.join("receipt.json"), pretty(&serde_json::json!(receipt)))?;
    }
    let mut out = Out::stdout();
    if args.trials.json {
        out.write_bytes(&pretty(&serde_json::json!(receipt)))?;
    } else {
        out.write(&render(&receipt, root.as_deref()))?;
    }
    Ok(receipt.verdict.code())
}

/// Trajectories for each variant on each build to begin with, where nothing is said.
const SEEDS: u64 = 5;
/// At least so many trajectories of a variant may be run to show what happens seldom.
const MOST: u64 = 20;

fn question(args: &Args) -> Result<Question, Failure> {
    let scenarios = load::scenarios(&args.paths)?;
    let to_prove = scenarios.into_iter().map(|loaded| loaded.scenario.id.value).collect();
    let seeds = args.trials.seeds(SEEDS);
    Ok(Question { to_prove, seeds, most: (4 * seeds).max(MOST) })
}

fn prepared(args: &Args, question: &Question) -> Result<(PathBuf, Side, Side), Failure> {
    let paths: Vec<PathBuf> = args.paths.iter().chain(&args.elsewhere).cloned().collect();
    // Fresh pairs may go beyond the most: voids among them are made up for.
    let seeds = question.most.max(question.seeds + 30);
    let wishes = Wishes { faults: !args.no_faults, ..args.trials.wishes(seeds) };
    let load = |target: &Path, target_env: &[EnvVar]| {
        prepare::load(&Ask { paths: &paths, target, target_env, documents: &args.trials.documents }, &wishes)
    };
    let (before, after) = (load(&args.before, &args.before_env)?, load(&args.after, &args.after_env)?);
    check_apart(args, &before, &after)?;
    let root = args.out.clone().unwrap_or_else(|| default_root(&before.plan, &after.plan));
    let side = |loaded: Prepared, name: &str| -> Result<Side, Failure> {
        let folder = Folder::open(&root.join(name), &loaded.plan)?;
        let records = folder.records()?;
        let (run, plan, units) = prepare::into_run(loaded, folder, KeepEvidence::All, 1)?;
        Ok(Side { run, plan, units, records })
    };
    let (before, after) = (side(before, "before")?, side(after, "after")?);
    if args.out.is_none() {
        fs_err::write(Path::new(".dtu").join(".gitignore"), "*\n")?;
    }
    Ok((root, before, after))
}

/// A folder of its own for each pair of builds: the same question goes on where it was left.
fn default_root(before: &Plan, after: &Plan) -> PathBuf {
    Path::new(".dtu").join("proofs").join(format!("{}-{}", &before.digest[..12], &after.digest[..12]))
}

fn check_apart(args: &Args, before: &Prepared, after: &Prepared) -> Result<(), Failure> {
    let build = |loaded: &Prepared| {
        let target = &loaded.plan.target;
        (target.digest.clone(), target.program.clone(), target.env.clone())
    };
    let wrong = if build(before) == build(after) {
        "both targets are the same build"
    } else if plan::planned_target(&before.target, &args.before_env).program != before.plan.target.program {
        "its build replaces the program of the older build"
    } else {
        return Ok(());
    };
    let problem = Diagnostic::whole(&args.after.display().to_string(), wrong);
    let hint = "give two target files whose programs lie in different places, or --before-env and --after-env";
    Err(problem.hint(hint).into())
}

/// Runs both builds side by side until nothing more would be learnt.
async fn decide(
    args: &Args,
    question: &Question,
    mut before: Side,
    mut after: Side,
    root: &Path,
) -> Result<Receipt, Failure> {
    let wanted = |unit: &&Unit| unit.key.n <= question.seeds;
    let mut next: BTreeSet<Key> = before.units.iter().filter(wanted).map(|unit| unit.key.clone()).collect();
    loop {
        round(args, &mut before, &mut after, &next, root).await?;
        let judged = prove::judge(question, before.arm(), after.arm());
        let fresh = |key: &Key| !before.records.contains_key(key) || !after.records.contains_key(key);
        next = judged.next.into_iter().filter(|key| before.units.iter().any(|unit| unit.key == *key)).collect();
        if !next.iter().any(fresh) {
            return Ok(judged.receipt);
        }
    }
}

/// Both builds take turns, in the order A B B A, so that what changes in the machine meanwhile strikes both alike.
async fn round(
    args: &Args,
    before: &mut Side,
    after: &mut Side,
    wanted: &BTreeSet<Key>,
    root: &Path,
) -> Result<(), Failure> {
    let mut list: Vec<(Arc<Run>, Unit)> = Vec::new();
    let pairs = before.units.iter().zip(&after.units).filter(|(unit, _)| wanted.contains(&unit.key));
    for (at, (a, b)) in pairs.enumerate() {
        let a = (!before.records.contains_key(&a.key)).then(|| (Arc::clone(&before.run), a.clone()));
        let b = (!after.records.contains_key(&b.key)).then(|| (Arc::clone(&after.run), b.clone()));
        let turns = if at % 2 == 0 { [a, b] } else { [b, a] };
        list.extend(turns.into_iter().flatten());
    }
    let older = Arc::clone(&before.run);
    let tell = |run: &Arc<Run>, record: &Record| {
        let side = if Arc::ptr_eq(run, &older) { &mut before.records } else { &mut after.records };
        side.insert(record.key.clone(), record.clone());
    };
    args.trials.go_through(list, format!("give `--out {}` to go on", root.display()), tell).await
}

fn render(receipt: &Receipt, root: Option<&Path>) -> String {
    let mut text = String::new();
    for scenario in &receipt.scenarios {
        let what = if scenario.to_prove { "" } else { "  (must not get worse)" };
        let _ = writeln!(text, "{}{what}", scenario.id.bold());
        for variant in &scenario.variants {
            let (before, after) = prove::shares(variant);
            let label = if variant.label.is_empty() { "the one variant" } else { &variant.label };
            let void = if variant.void > 0 { format!("  void {}", variant.void) } else { String::new() };
            let worse = if variant.regressed { "  worse" } else { "" };
            let pairs = variant.pairs;
            let _ = writeln!(text, "  {label}: before {before:.2}, after {after:.2} ({pairs} pairs){void}{worse}");
            let Some(root) = root else { continue };
            for (side, key) in [("before", &variant.failed_before), ("after", &variant.failed_after)] {
                let Some(key) = key.as_ref().and_then(|key| key.parse::<Key>().ok()) else { continue };
                let place = root.join(side).join(Folder::evidence_place(&key));
                let _ = writeln!(text, "    {side:<6} {}", place.display());
            }
        }
    }
    let style = match receipt.verdict {
        Verdict::Proven => Style::new().green().bold(),
        Verdict::NotFixed | Verdict::RegressedElsewhere => Style::new().red().bold(),
        Verdict::NotReproduced | Verdict::CannotRun => Style::new().yellow().bold(),
    };
    let _ = writeln!(text, "{}: {}", receipt.verdict.name().style(style), receipt.why);
    if let Some(root) = root {
        let _ = writeln!(text, "receipt {} ({})", root.join("receipt.json").display(), &receipt.digest[..12]);
    }
    text
}
