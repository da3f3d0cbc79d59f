//! `dtu admit`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::diagnostic::Diagnostic;
use owo_colors::{OwoColorize as _, Style};

use super::{
    Failure, Out,
    prepare::{self, Ask},
    trials::Trials,
};
use crate::{
    admit::{self, Admission, Admitted, Cast, NoOp, Ruling},
    evidence::{Folder, KeepEvidence, Record, pretty},
    load::LoadedTarget,
    mischief::{Mischief, Part},
    pack::{self, LoadedPack},
    pairing::Arm,
    plan::{EnvVar, Key, Plan, PlannedTarget, Unit, Wishes},
    prepare::Prepared,
    runner::Run,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    admitted: the oracle satisfies all scenarios, no bad program made of it satisfies any, and each program with
       a known fault is told from it
  1    refused: some scenario does not tell them apart; with --deny-inert: or some check never mattered
  2    usage or bad input
  3    infrastructure: the oracle cannot be built or started
  4    open: of some scenario nothing was shown
  130  interrupted";

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Scenario files, and folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The target file of a program that does all that the scenarios ask; the one that `pack.yaml` names where absent.
    #[arg(long, value_name = "TARGET")]
    oracle: Option<PathBuf>,
    /// The target file of a program with a known fault, which some scenario must tell from the oracle, besides those
    /// that `pack.yaml` names; may be given several times.
    #[arg(long, value_name = "TARGET")]
    defective: Vec<PathBuf>,
    /// Sets a variable of the oracle's environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    target_env: Vec<EnvVar>,
    #[command(flatten)]
    trials: Trials,
    /// Only so many variants of each scenario, the first ones; all where absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    variants: Option<u64>,
    /// Refuses scenarios with checks that never failed anybody.
    #[arg(long)]
    deny_inert: bool,
    /// The folder for all runs; else their evidence is not kept.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A run of one part.
struct Play {
    part: Part,
    name: String,
    /// The scenarios that must tell it; any may where empty.
    fails: Vec<String>,
    mischief: Arc<Mischief>,
    run: Arc<Run>,
    plan: Plan,
    units: Vec<Unit>,
    records: BTreeMap<Key, Record>,
}

const PARTS: [Part; 5] = [Part::Oracle, Part::Nop, Part::Liar, Part::ScorchedEarth, Part::Injector];
/// Trajectories for each variant of each target, where nothing is said.
const SEEDS: u64 = 2;

pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let temporary = tempfile::tempdir()?;
    let root = args.out.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut plays = plays(args, &root)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(perform(args, &mut plays));
    runtime.shutdown_background();
    ended?;
    let Some(mut admission) = admit::admit(&plays.iter().map(cast).collect::<Vec<_>>()) else { return Ok(4) };
    if args.deny_inert {
        deny_inert(&mut admission);
    }
    let mut out = Out::stdout();
    if args.trials.json {
        out.write_bytes(&pretty(&serde_json::json!(admission)))?;
    } else {
        out.write(&render(&admission))?;
    }
    Ok(admission.ruling.code())
}

/// The oracle, what is made of it, and all programs with a known fault.
fn plays(args: &Args, root: &Path) -> Result<Vec<Play>, Failure> {
    let pack = pack::of(&args.paths)?;
    let oracle = match (&args.oracle, &pack) {
        (Some(oracle), _) => oracle.clone(),
        (None, Some(pack)) => pack.oracle(),
        (None, None) => return Err(no_oracle(args).into()),
    };
    let mut plays = Vec::new();
    for part in PARTS {
        plays.push(play(args, part, &oracle, root)?);
    }
    if let Some(pack) = &pack {
        plays.extend(defective_of(args, pack, &oracle, root)?);
    }
    for (at, target) in args.defective.iter().enumerate() {
        let prepared = ask(args, target, &[], prepare::load)?;
        let name = prepared.plan.target.name.clone();
        plays.push(begin(prepared, Part::Defective, name, &root.join(format!("defective-{}", at + 1)))?);
    }
    Ok(plays)
}

fn no_oracle(args: &Args) -> Diagnostic {
    let named = args.paths.first().map(|path| path.display().to_string()).unwrap_or_default();
    let hint = "name its target file with `--oracle`, or in a `pack.yaml` in the folder of the scenarios";
    Diagnostic::whole(&named, "there is no program that does all that the scenarios ask").hint(hint)
}

/// How a target is made ready: built before, or not.
type Load = fn(&Ask<'_>, &Wishes) -> Result<Prepared, Failure>;

fn ask(args: &Args, target: &Path, target_env: &[EnvVar], load: Load) -> Result<Prepared, Failure> {
    let wishes = args.trials.wishes(args.trials.seeds(SEEDS));
    let mut prepared =
        load(&Ask { paths: &args.paths, target, target_env, documents: &args.trials.documents }, &wishes)?;
    if let Some(most) = args.variants {
        let first: BTreeSet<(String, String)> = first_variants(&prepared.plan, most).collect();
        prepared.retain(|unit| first.contains(&(unit.key.scenario.clone(), unit.key.variant.clone())));
    }
    Ok(prepared)
}

fn first_variants(plan: &Plan, most: u64) -> impl Iterator<Item = (String, String)> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    plan.scenarios.iter().flat_map(move |scenario| {
        scenario.variants.iter().take(most).map(|variant| (scenario.id.clone(), variant.id.clone()))
    })
}

fn play(args: &Args, part: Part, oracle: &Path, root: &Path) -> Result<Play, Failure> {
    let load: Load = if part == Part::Oracle { prepare::load } else { prepare::load_built };
    let mut prepared = ask(args, oracle, &args.target_env, load)?;
    if part == Part::Nop {
        idle(&mut prepared.target);
        let (name, file) = (part.name().to_owned(), prepared.plan.target.file.clone());
        prepared.plan.target = PlannedTarget { name, file, ..PlannedTarget::default() };
    }
    begin(prepared, part, part.name().to_owned(), root)
}

/// A program that does nothing, where all else is as for the oracle.
fn idle(target: &mut LoadedTarget) {
    target.command = ["sleep", "86400"].map(crate::expr::Template::plain).to_vec();
    target.target.ready.any_of.clear();
    target.ready.clear();
}

/// The programs with a known fault that a pack names, each on the scenarios that are to tell it.
fn defective_of(args: &Args, pack: &LoadedPack, oracle: &Path, root: &Path) -> Result<Vec<Play>, Failure> {
    let mut plays = Vec::new();
    for (name, defective) in &pack.pack.defective {
        let env: Vec<EnvVar> = args.target_env.iter().cloned().chain(defective.env()).collect();
        let mut prepared = match pack.target(defective) {
            Some(target) => ask(args, &target, &defective.env(), prepare::load)?,
            None => ask(args, oracle, &env, prepare::load_built)?,
        };
        let problems = pack.problems(&prepared.scenarios);
        // A part of a pack may be admitted by itself.
        if args.paths.iter().any(|path| path.is_dir()) && !problems.is_empty() {
            return Err(problems.into());
        }
        let there = |id: &String| prepared.scenarios.iter().any(|loaded| loaded.scenario.id.value == *id);
        let fails: Vec<String> = defective.fails.iter().map(|id| id.value.clone()).filter(there).collect();
        if fails.is_empty() {
            continue;
        }
        prepared.retain(|unit| fails.contains(&unit.key.scenario));
        let play = begin(prepared, Part::Defective, name.clone(), &root.join(name))?;
        plays.push(Play { fails, ..play });
    }
    Ok(plays)
}

fn begin(mut prepared: Prepared, part: Part, name: String, root: &Path) -> Result<Play, Failure> {
    let mischief = Arc::new(Mischief::of(part));
    let is_made_of_the_oracle = !matches!(part, Part::Oracle | Part::Defective);
    prepared.mischief = is_made_of_the_oracle.then(|| Arc::clone(&mischief));
    let folder = Folder::fresh(&root.join(part.name()), &prepared.plan)?;
    let (run, plan, units) = prepare::into_run(prepared, folder, KeepEvidence::All, 1)?;
    Ok(Play { part, name, fails: Vec::new(), mischief, run, plan, units, records: BTreeMap::new() })
}

async fn perform(args: &Args, plays: &mut [Play]) -> Result<(), Failure> {
    let of_play = |play: &Play| play.units.iter().map(|unit| (Arc::clone(&play.run), unit.clone())).collect::<Vec<_>>();
    let list: Vec<(Arc<Run>, Unit)> = plays.iter().flat_map(of_play).collect();
    let tell = |run: &Arc<Run>, record: &Record| {
        if let Some(play) = plays.iter_mut().find(|play| Arc::ptr_eq(&play.run, run)) {
            play.records.insert(record.key.clone(), record.clone());
        }
    };
    args.trials.go_through(list, String::new(), tell).await
}

fn cast(play: &Play) -> Cast<'_> {
    let acts = play.plan.scenarios.iter().map(|scenario| play.mischief.acts(&scenario.id)).collect();
    let arm = Arm { plan: &play.plan, records: &play.records };
    Cast { part: play.part, name: play.name.clone(), arm, acts, fails: play.fails.clone() }
}

fn deny_inert(admission: &mut Admission) {
    for scenario in &mut admission.scenarios {
        if scenario.checks.iter().any(|check| check.inert) {
            scenario.ruling = Ruling::Refused;
        }
        admission.ruling = admission.ruling.max(scenario.ruling);
    }
}

fn style(ruling: Ruling) -> (&'static str, Style) {
    match ruling {
        Ruling::Admitted => ("✔", Style::new().green()),
        Ruling::Open => ("?", Style::new().yellow()),
        Ruling::Refused => ("✘", Style::new().red()),
    }
}

fn render(admission: &Admission) -> String {
    let mut text = String::new();
    for scenario in &admission.scenarios {
        write_scenario(&mut text, scenario);
    }
    for told in &admission.defective {
        let (sign, shown) = style(told.ruling);
        let by = if told.by.is_empty() { "nothing".to_owned() } else { told.by.join(", ") };
        let not_by =
            if told.not_by.is_empty() { String::new() } else { format!(", not by {}", told.not_by.join(", ")) };
        let _ = writeln!(text, "{} {:<17} told by {by}{not_by}", sign.style(shown), told.name);
    }
    let (_, shown) = style(admission.ruling);
    let count = admission.scenarios.iter().filter(|scenario| scenario.ruling == Ruling::Admitted).count();
    let all = admission.scenarios.len();
    let _ =
        writeln!(text, "{}: {count} of {all} scenarios tell them apart", admission.ruling.name().style(shown.bold()));
    text
}

fn write_scenario(text: &mut String, scenario: &Admitted) {
    let (sign, shown) = style(scenario.ruling);
    let _ = writeln!(text, "{} {}", sign.style(shown), scenario.id.bold());
    for score in &scenario.targets {
        let (sign, shown) = style(score.ruling);
        let share = score.score.map_or_else(|| "-".to_owned(), |share| format!("{share:.2}"));
        let void = if score.void > 0 { format!("  void {}", score.void) } else { String::new() };
        let why = if score.why.is_empty() { String::new() } else { format!("  {}", score.why) };
        let line = format!("{:<15} {share:>4}  {}/{}{void}{why}", score.name, score.satisfied, score.decided);
        let _ = writeln!(text, "  {} {line}", sign.style(shown));
    }
    for check in &scenario.checks {
        let no_op = match check.no_op {
            NoOp::Fail => "a program that does nothing fails it",
            NoOp::Pass => "a program that does nothing passes it",
            NoOp::Unseen => "not seen with a program that does nothing",
        };
        let worth = match (check.inert, check.decides.is_empty()) {
            (true, _) => "inert: nobody ever failed it".to_owned(),
            (false, true) => format!("fails {}", check.fails.join(", ")),
            (false, false) => format!("alone tells {}", check.decides.join(", ")),
        };
        let worth = if check.fails.is_empty() && !check.inert { String::new() } else { format!("{worth}; ") };
        let sign = if check.inert { "!" } else { "·" };
        let _ = writeln!(text, "    {sign} {}: {worth}{no_op}", check.name);
    }
}
