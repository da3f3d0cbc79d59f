//! `dtu replay`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use dtu_kernel::{diagnostic::Diagnostic, host::Host, world::World};
use owo_colors::OwoColorize as _;
use serde_json::Value;

use super::{
    Failure, Out,
    documents::Documents,
    prepare::{self, Ask},
    run,
};
use crate::{
    bundle::Bundle,
    evidence::{Folder, KeepEvidence, pretty},
    facts::short,
    plan::Wishes,
    prepare::Prepared,
    replay::{self, Divergence, Replayed},
    target::EnvVar,
    verdict::Outcome,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    it came out the same
  1    it came out otherwise: the first difference is shown
  2    usage or bad input: this is no evidence, or a file that it is made of is gone or has changed
  3    infrastructure: the new target cannot be built or started
  4    inconclusive: the evidence holds what cannot be done again";

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Args {
    /// The evidence of a trajectory: a folder below `evidence` in that of a run.
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Runs a new process of the target with the same seed instead, and shows where it first takes another course.
    #[arg(long)]
    live: bool,
    /// With `--live`, another target file.
    #[arg(long, value_name = "FILE", requires = "live")]
    target: Option<PathBuf>,
    /// With `--live`, a folder for the new trajectory; else its evidence is not kept.
    #[arg(long, value_name = "DIR", requires = "live")]
    out: Option<PathBuf>,
    /// Prints the outcome as one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let bundle = Bundle::open(&args.bundle)?;
    let documents = documents(&bundle)?;
    let done = if args.live { live(args, &bundle, &documents)? } else { recorded(&bundle, &documents) };
    let replayed = match done {
        Ok(replayed) => replayed,
        Err(error @ replay::Failure::Unable(_)) => {
            super::out::say(&format!("{}: {error}", args.bundle.display()));
            return Ok(4);
        }
        Err(replay::Failure::World(problem)) => return Err(Diagnostic::whole("world", problem).into()),
        Err(error) => return Err(Diagnostic::whole(&args.bundle.display().to_string(), error.to_string()).into()),
    };
    let mut out = Out::stdout();
    if args.json {
        out.write_bytes(&pretty(&serde_json::json!(replayed)))?;
    } else {
        out.write(&render(&replayed))?;
    }
    let same = replayed.difference.is_none() && replayed.outcome_now.is_none_or(|now| now == replayed.outcome);
    Ok(u8::from(!same))
}

fn documents(bundle: &Bundle) -> Result<Documents, Failure> {
    let planned = &bundle.manifest.run.documents;
    let files = planned.iter().map(|document| bundle.input(&document.file, &document.digest));
    Ok(Documents::of(files.collect::<Result<_, Diagnostic>>()?))
}

fn recorded(bundle: &Bundle, documents: &Documents) -> Result<Replayed, replay::Failure> {
    let told = |failure: Failure| replay::Failure::World(failure.to_string());
    let twins = documents.all().map_err(told)?;
    let world = world(bundle, &twins).map_err(told)?;
    let begun = &bundle.manifest.version;
    if begun != env!("CARGO_PKG_VERSION") {
        super::out::say(&format!("warning: this was recorded by version {begun}; answers may well be others by now"));
    }
    replay::recorded(bundle, &twins, world, &texts(bundle))
}

/// The texts of the files that the trajectory was made of, as far as they are there.
fn texts(bundle: &Bundle) -> Vec<String> {
    let manifest = &bundle.manifest;
    let files =
        [(&manifest.run.scenario, &manifest.about.scenario), (&manifest.run.target.file, &manifest.about.target)];
    let texts = files.into_iter().filter_map(|(file, digest)| bundle.input(file, digest).ok());
    texts.filter_map(|file| fs_err::read_to_string(file).ok()).chain(manifest.run.target.env.clone()).collect()
}

fn world(bundle: &Bundle, twins: &[Arc<dyn Host>]) -> Result<World, Failure> {
    let about = &bundle.manifest.about;
    let is_digest = about.world_digest.len() == 64;
    let name = if is_digest {
        bundle.input(&about.world_file, &about.world_digest)?.display().to_string()
    } else {
        about.world.clone()
    };
    Ok(World::find(&name, &crate::prepare::sections(twins))?)
}

/// One more trajectory, and both side by side.
fn live(args: &Args, bundle: &Bundle, documents: &Documents) -> Result<Result<Replayed, replay::Failure>, Failure> {
    let manifest = &bundle.manifest;
    let temporary = tempfile::tempdir()?;
    let root = args.out.clone().unwrap_or_else(|| temporary.path().join("run"));
    let scenario = bundle.input(&manifest.run.scenario, &manifest.about.scenario)?;
    let target = args.target.clone().unwrap_or_else(|| PathBuf::from(&manifest.run.target.file));
    let target_env: Result<Vec<EnvVar>, String> = manifest.run.target.env.iter().map(|var| var.parse()).collect();
    let target_env = target_env.unwrap_or_default();
    let ask = Ask { paths: &[scenario], target: &target, target_env: &target_env, documents };
    let wishes = Wishes {
        seeds: 1,
        seed: manifest.run.seed,
        only: vec![manifest.key.clone()],
        faults: manifest.run.faults,
        documents: manifest.run.documents.clone(),
        shard: None,
    };
    let loaded = prepare::load(&ask, &wishes)?;
    let twins = Arc::clone(&loaded.twins);
    play(loaded, &root)?;
    let newer = Bundle::open(&root.join(Folder::evidence_place(&manifest.key)))?;
    Ok(replay::live(bundle, &newer, &twins))
}

fn play(loaded: Prepared, root: &Path) -> Result<(), Failure> {
    let folder = Folder::fresh(root, &loaded.plan)?;
    let (run, plan, units) = prepare::into_run(loaded, folder, KeepEvidence::All, 1)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run::run_all(&run, &plan, &units, &mut BTreeMap::new(), root));
    runtime.shutdown_background();
    ended
}

fn render(replayed: &Replayed) -> String {
    let Replayed { trajectory, entries, calls, difference, .. } = replayed;
    let outcome = match replayed.outcome_now {
        Some(now) if now == replayed.outcome => format!("{} again", name(now)),
        Some(now) => format!("{} then, {} now", name(replayed.outcome), name(now)),
        None => String::new(),
    };
    let Some(difference) = difference else {
        let same = if replayed.outcome_now.is_some() {
            format!("the same course, {outcome}")
        } else {
            "all came out again, byte by byte".to_owned()
        };
        return format!("{trajectory}: {entries} ledger entries, {calls} calls of the target: {same}\n");
    };
    let outcome = if outcome.is_empty() { outcome } else { format!(", {outcome}") };
    format!("{trajectory}: another course{outcome}\n{}", shown(difference))
}

fn shown(found: &Divergence) -> String {
    let moment = found.moment.as_ref().map_or_else(String::new, |moment| {
        let (who, twin, what) = (&moment.principal, &moment.twin, &moment.what);
        format!(", {who} {twin} {what} #{}", moment.nth)
    });
    let value = |value: &Value| if value.is_null() { "nothing".to_owned() } else { short(value) };
    let place = if found.place.is_empty() { "the whole entry" } else { &found.place };
    let head = format!("first difference at ledger entry {}{moment}", found.seq);
    let (before, now) = (value(&found.recorded), value(&found.now));
    format!("  {}\n    {place}\n    recorded  {before}\n    now       {now}\n", head.bold())
}

const fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Satisfied => "satisfied",
        Outcome::Unsatisfied => "unsatisfied",
        Outcome::Undecided => "undecided",
        Outcome::Void => "void",
    }
}
