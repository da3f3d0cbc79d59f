//! `dtu admit`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::diagnostic::Diagnostic;

use super::{
    Failure, Out,
    prepare::{self, Ask},
    trials::Trials,
};
use crate::{
    admit::{self, Cast},
    evidence::{Folder, KeepEvidence, pretty},
    load::LoadedTarget,
    mischief::{Mischief, Part},
    mutate::Mutation,
    pack::{self, LoadedPack},
    pairing::Arm,
    plan::{Key, Plan, PlannedTarget, Unit, Wishes},
    prepare::Prepared,
    record::Record,
    report::admission as report,
    runner::Run,
    target::EnvVar,
    verdict::Outcome,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    admitted: the oracle satisfies all scenarios, no bad program made of it satisfies any, and each program with
       a known fault is told from it
  1    refused: some scenario does not tell them apart; with --deny-inert: or some check never mattered; with
       --mutants-min: or too few mutants of its checks were killed
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
    /// Refuses scenarios of whose checks' mutants a smaller share was killed: 0.8.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    mutants_min: Option<f64>,
    /// The folder for all runs, with `admission.json` and `admission.md`; else their evidence is not kept.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
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
    /// Those of a liar that claims deeds, where there were none to lie about.
    claims: Option<Arc<Mischief>>,
    /// Trajectories in which the part cannot be played.
    not_applicable: Vec<Key>,
}

const PARTS: [Part; 5] = [Part::Oracle, Part::Nop, Part::Liar, Part::ScorchedEarth, Part::Injector];
/// Trajectories for each variant of each target, where nothing is said.
const SEEDS: u64 = 2;

pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let temporary = tempfile::tempdir()?;
    let root = args.out.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut stage = Stage { args, root: &root, oracle: PathBuf::new(), mutation: None };
    let mut plays = stage.plays()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(stage.perform_all(&mut plays));
    runtime.shutdown_background();
    ended?;
    let Some(admission) = admit::admit(&plays.iter().map(cast).collect::<Vec<_>>()) else { return Ok(4) };
    let mut admission = match &stage.mutation {
        Some(mutation) => admission.with_mutants(mutation),
        None => admission,
    };
    if args.deny_inert {
        admission.deny_inert();
    }
    if let Some(least) = args.mutants_min {
        admission.deny_below(least);
    }
    if let Some(folder) = &args.out {
        fs_err::write(folder.join("admission.json"), pretty(&serde_json::json!(admission)))?;
        fs_err::write(folder.join("admission.md"), report::markdown(&admission))?;
    }
    let mut out = Out::stdout();
    if args.trials.json {
        out.write_bytes(&pretty(&serde_json::json!(admission)))?;
    } else {
        out.write(&report::text(&admission))?;
    }
    Ok(admission.ruling.code())
}

/// What all runs of an admission share.
struct Stage<'a> {
    args: &'a Args,
    root: &'a Path,
    oracle: PathBuf,
    mutation: Option<Arc<Mutation>>,
}

impl Stage<'_> {
    /// The oracle, what is made of it, and all programs with a known fault.
    fn plays(&mut self) -> Result<Vec<Play>, Failure> {
        let pack = pack::of(&self.args.paths)?;
        self.oracle = match (&self.args.oracle, &pack) {
            (Some(oracle), _) => oracle.clone(),
            (None, Some(pack)) => pack.oracle(),
            (None, None) => return Err(no_oracle(self.args).into()),
        };
        let mut plays = Vec::new();
        for part in PARTS {
            plays.push(self.play(part)?);
        }
        if let Some(pack) = &pack {
            plays.extend(self.defective_of(pack)?);
        }
        for (at, target) in self.args.defective.iter().enumerate() {
            let prepared = ask(self.args, target, &[], prepare::load)?;
            let name = prepared.plan.target.name.clone();
            let folder = self.root.join(format!("defective-{}", at + 1));
            plays.push(self.begin(prepared, Part::Defective, name, &folder)?);
        }
        Ok(plays)
    }

    fn play(&mut self, part: Part) -> Result<Play, Failure> {
        let load: Load = if part == Part::Oracle { prepare::load } else { prepare::load_built };
        let mut prepared = ask(self.args, &self.oracle, &self.args.target_env, load)?;
        if part == Part::Oracle {
            self.mutation = Some(Arc::new(prepared.mutants()));
        }
        if part == Part::Nop {
            idle(&mut prepared.target);
            let (name, file) = (part.name().to_owned(), prepared.plan.target.file.clone());
            prepared.plan.target = PlannedTarget { name, file, ..PlannedTarget::default() };
        }
        self.begin(prepared, part, part.name().to_owned(), self.root)
    }

    /// The programs with a known fault that a pack names, each on the scenarios that are to tell it.
    fn defective_of(&self, pack: &LoadedPack) -> Result<Vec<Play>, Failure> {
        let args = self.args;
        let mut plays = Vec::new();
        for (name, defective) in &pack.pack.defective {
            let env: Vec<EnvVar> = args.target_env.iter().cloned().chain(defective.env()).collect();
            let mut prepared = match pack.target(defective) {
                Some(target) => ask(args, &target, &defective.env(), prepare::load)?,
                None => ask(args, &self.oracle, &env, prepare::load_built)?,
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
            let play = self.begin(prepared, Part::Defective, name.clone(), &self.root.join(name))?;
            plays.push(Play { fails, ..play });
        }
        Ok(plays)
    }

    fn begin(&self, prepared: Prepared, part: Part, name: String, root: &Path) -> Result<Play, Failure> {
        self.begin_with(prepared, Arc::new(Mischief::of(part)), (part, name), root)
    }

    fn begin_with(
        &self,
        mut prepared: Prepared,
        mischief: Arc<Mischief>,
        (part, name): (Part, String),
        root: &Path,
    ) -> Result<Play, Failure> {
        let is_made_of_the_oracle = !matches!(part, Part::Oracle | Part::Defective);
        prepared.mischief = is_made_of_the_oracle.then(|| Arc::clone(&mischief));
        prepared.mutation.clone_from(&self.mutation);
        let folder = Folder::fresh(&root.join(part.name()), &prepared.plan)?;
        let (run, plan, units) = prepare::into_run(prepared, folder, KeepEvidence::All, 1)?;
        let (fails, records, not_applicable) = (Vec::new(), BTreeMap::new(), Vec::new());
        Ok(Play { part, name, fails, mischief, run, plan, units, records, claims: None, not_applicable })
    }

    /// Runs all of them, and then the liar once more where it had nothing to lie about.
    async fn perform_all(&self, plays: &mut [Play]) -> Result<(), Failure> {
        perform(self.args, plays).await?;
        for play in plays.iter_mut().filter(|play| play.part == Part::Liar) {
            self.claim(play).await?;
        }
        Ok(())
    }

    /// Where the oracle rightly does nothing but talk, its words without its deeds are no lie. There a liar says that
    /// all was done. Where the oracle does not even talk, nobody can lie.
    async fn claim(&self, liar: &mut Play) -> Result<(), Failure> {
        let honest: BTreeSet<Key> =
            liar.records.keys().filter(|key| liar.mischief.acts_in(key) == 0).cloned().collect();
        if honest.is_empty() {
            return Ok(());
        }
        let mut prepared = ask(self.args, &self.oracle, &self.args.target_env, prepare::load_built)?;
        prepared.retain(|unit| honest.contains(&unit.key));
        let mischief = Arc::new(Mischief::claiming());
        let names = (Part::Liar, liar.name.clone());
        let mut claims = [self.begin_with(prepared, mischief, names, &self.root.join("claims"))?];
        perform(self.args, &mut claims).await?;
        let [claims] = claims;
        for (key, record) in claims.records {
            if claims.mischief.acts_in(&key) == 0 && record.outcome != Outcome::Void {
                liar.records.remove(&key);
                liar.not_applicable.push(key);
            } else {
                liar.records.insert(key, record);
            }
        }
        liar.claims = Some(claims.mischief);
        Ok(())
    }
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

/// A program that does nothing, where all else is as for the oracle.
fn idle(target: &mut LoadedTarget) {
    target.command = ["sleep", "86400"].map(crate::expr::Template::plain).to_vec();
    target.target.ready.any_of.clear();
    target.ready.clear();
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
    let claimed = |id: &str| play.claims.as_ref().map_or(0, |claims| claims.acts(id));
    let acts = play.plan.scenarios.iter().map(|scenario| play.mischief.acts(&scenario.id) + claimed(&scenario.id));
    let left_out = |id: &String| play.not_applicable.iter().filter(|key| key.scenario == *id).count() as u64;
    let not_applicable = play.plan.scenarios.iter().map(|scenario| left_out(&scenario.id)).collect();
    let arm = Arm { plan: &play.plan, records: &play.records };
    let (name, fails) = (play.name.clone(), play.fails.clone());
    Cast { part: play.part, name, arm, acts: acts.collect(), not_applicable, fails }
}
