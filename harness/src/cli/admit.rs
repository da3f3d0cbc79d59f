//! `dtu admit`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use owo_colors::{OwoColorize as _, Style};

use super::{
    Failure, Out,
    documents::Documents,
    out,
    prepare::{self, Ask, Loaded},
    run,
};
use crate::{
    admit::{self, Admission, Admitted, Cast, NoOp, Ruling},
    evidence::{Folder, KeepEvidence, Record, pretty},
    load::LoadedTarget,
    mischief::{Mischief, Part},
    pairing::Arm,
    plan::{self, EnvVar, Key, Plan, PlannedTarget, Unit, Wishes},
    runner::{self, Run},
};

const EXIT_CODES: &str = "\
Exit codes:
  0    admitted: the oracle satisfies all scenarios, and nobody else satisfies any
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
    /// The target file of a program that does all that the scenarios ask.
    #[arg(long, value_name = "TARGET")]
    oracle: PathBuf,
    /// The target file of a program with a known fault, which must score 0 too; may be given several times.
    #[arg(long, value_name = "TARGET")]
    defective: Vec<PathBuf>,
    /// Sets a variable of the oracle's environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    target_env: Vec<EnvVar>,
    /// Trajectories for each variant of each target.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The seed of all runs.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Trajectories at a time; as many as there are processors where absent.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Refuses scenarios with checks that never failed anybody.
    #[arg(long)]
    deny_inert: bool,
    /// The folder for all runs; else their evidence is not kept.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Prints the admission as one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    documents: Documents,
}

/// A run of one part.
struct Play {
    part: Part,
    name: String,
    mischief: Arc<Mischief>,
    run: Arc<Run>,
    plan: Plan,
    units: Vec<Unit>,
    records: BTreeMap<Key, Record>,
}

const PARTS: [Part; 5] = [Part::Oracle, Part::Nop, Part::Liar, Part::ScorchedEarth, Part::Injector];

pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let temporary = tempfile::tempdir()?;
    let root = args.out.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut plays = PARTS.into_iter().map(|part| play(args, part, &root)).collect::<Result<Vec<Play>, Failure>>()?;
    for (at, target) in args.defective.iter().enumerate() {
        plays.push(defective(args, at, target, &root)?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(perform(args, &mut plays));
    runtime.shutdown_background();
    ended?;
    let Some(mut admission) = admit::admit(&plays.iter().map(cast).collect::<Vec<_>>()) else { return Ok(4) };
    if args.deny_inert {
        deny_inert(&mut admission);
    }
    let mut out = Out::stdout();
    if args.json {
        out.write_bytes(&pretty(&serde_json::json!(admission)))?;
    } else {
        out.write(&render(&admission))?;
    }
    Ok(admission.ruling.code())
}

fn load(args: &Args, target: &Path, target_env: &[EnvVar]) -> Result<Loaded, Failure> {
    let documents = args.documents.files().map(plan::planned_document).collect();
    let wishes = Wishes { seeds: args.seeds, seed: args.seed, documents, ..Wishes::default() };
    prepare::load(&Ask { paths: &args.paths, target, target_env, documents: &args.documents }, &wishes)
}

fn play(args: &Args, part: Part, root: &Path) -> Result<Play, Failure> {
    let mut loaded = load(args, &args.oracle, &args.target_env)?;
    if part == Part::Nop {
        idle(&mut loaded.target);
        let (name, file) = (part.name().to_owned(), loaded.plan.target.file.clone());
        loaded.plan.target = PlannedTarget { name, file, ..PlannedTarget::default() };
    }
    begin(loaded, part, part.name().to_owned(), root)
}

/// A program that does nothing, where all else is as for the oracle.
fn idle(target: &mut LoadedTarget) {
    target.command = ["sleep", "86400"].map(crate::expr::Template::plain).to_vec();
    target.target.ready.any_of.clear();
    target.ready.clear();
}

fn defective(args: &Args, at: usize, target: &Path, root: &Path) -> Result<Play, Failure> {
    let loaded = load(args, target, &[])?;
    let name = loaded.plan.target.name.clone();
    begin(loaded, Part::Defective, name, &root.join(format!("defective-{}", at + 1)))
}

fn begin(mut loaded: Loaded, part: Part, name: String, root: &Path) -> Result<Play, Failure> {
    let mischief = Arc::new(Mischief::of(part));
    let twists = matches!(part, Part::Liar | Part::ScorchedEarth | Part::Injector);
    loaded.mischief = twists.then(|| Arc::clone(&mischief));
    let folder = Folder::fresh(&root.join(part.name()), &loaded.plan)?;
    let (run, plan, units) = loaded.into_run(folder, KeepEvidence::All, 1)?;
    Ok(Play { part, name, mischief, run, plan, units, records: BTreeMap::new() })
}

async fn perform(args: &Args, plays: &mut [Play]) -> Result<(), Failure> {
    let of_play = |play: &Play| play.units.iter().map(|unit| (Arc::clone(&play.run), unit.clone())).collect::<Vec<_>>();
    let list: Vec<(Arc<Run>, Unit)> = plays.iter().flat_map(of_play).collect();
    let total = list.len();
    let mut done = 0;
    let tell = |run: &Arc<Run>, record: &Record| {
        if let Some(play) = plays.iter_mut().find(|play| Arc::ptr_eq(&play.run, run)) {
            play.records.insert(record.key.clone(), record.clone());
        }
        done += 1;
        if done == total || done % 10 == 0 {
            out::say(&format!("{done}/{total}"));
        }
        true
    };
    tokio::select! {
        ended = runner::go_through(list, run::jobs(args.jobs), tell) => ended.map_err(Failure::from),
        signal = run::interrupted() => Err(Failure::Interrupted { signal, hint: String::new() }),
    }
}

fn cast(play: &Play) -> Cast<'_> {
    let acts = play.plan.scenarios.iter().map(|scenario| play.mischief.acts(&scenario.id)).collect();
    let arm = Arm { plan: &play.plan, records: &play.records };
    Cast { part: play.part, name: play.name.clone(), arm, acts }
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
