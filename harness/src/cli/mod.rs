//! The command line.

mod admit;
mod baseline;
mod build;
mod contract;
mod coverage;
mod documents;
mod fidelity;
mod gate;
mod live;
mod matrix;
mod merge;
mod names;
mod out;
mod outages;
mod prepare;
mod prove;
mod reference;
mod replay;
mod report;
mod rounds;
mod run;
mod scenario;
mod signals;
mod trials;
mod up;

use std::{fmt, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use dtu_kernel::{diagnostic::Diagnostic, world::World};
use tracing_subscriber::EnvFilter;

pub use self::out::Out;
use crate::{evidence::FolderError, gates, lint, load, pack, runner, schema, trajectory::Fatal};

/// Behavioural clones of services, and scenarios that say how well a program works with them.
#[derive(Debug, Parser)]
#[command(name = "dtu", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    pass: no trajectory failed, and something was decided; with gates: all that they ask is shown
  1    fail: some trajectory did not satisfy; with gates: something that they ask is shown not to be
  2    usage or bad input: an argument, a file, a folder
  3    infrastructure: the build failed, the target cannot be started, the disk is full
  4    inconclusive: nothing failed, but nothing was decided or most of a scenario is void; with gates: it is not
       shown either way, or too much of the run says nothing
  5    breach: somebody satisfied what nobody can satisfy
  130  interrupted; name the same --out to go on";

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs scenarios against a target, and says which fraction of trajectories likely satisfies the user.
    Run(run::Args),
    /// Says whether a run shows enough to let its build pass.
    Gate(gate::Args),
    /// Runs that later ones are held against.
    #[command(subcommand)]
    Baseline(baseline::Baselines),
    /// Puts the parts of one run together: its shards, and what was run of it later.
    Merge(merge::Args),
    /// Says whether scenarios tell good programs from bad ones: runs an oracle, and bad programs made of it.
    Admit(admit::Args),
    /// Proves a fix: runs the same trajectories on the build before and the build after.
    Prove(prove::Args),
    /// Puts a trajectory's recorded requests back into the twins, and shows the first answer that is another.
    Replay(replay::Args),
    /// Shows a run again, and writes its reports anew, from the files in its folder.
    Report(report::Args),
    /// Tells scenarios in words: what is going to happen, and who would be caught.
    Explain(scenario::ExplainArgs),
    /// Scenario files.
    #[command(subcommand)]
    Scenario(scenario::Scenarios),
    /// Looks for problems in scenario files, fault plans and target files.
    Lint(LintArgs),
    /// Prints the JSON Schema of a kind of file.
    Schema(SchemaArgs),
    /// Serves a universe: all twins over one world, and the control plane.
    Up(up::Up),
    /// Fault rules of a running universe.
    Fault(live::Faults),
    /// Makes a whole service fail for a while.
    Outage(live::Outage),
    /// The clock of a running universe, and what is due on it.
    Clock(live::Clock),
    /// What happened in a running universe.
    Ledger(live::Ledger),
    /// The universes of a running `dtu up`.
    Universe(live::Universes),
    /// Public API documents as contracts: what a service takes and answers, and what a newer document changes.
    #[command(subcommand)]
    Contract(contract::Contracts),
    /// Says how far twins go with each operation of their services' public documents, and what proves it.
    Coverage(coverage::Args),
    /// Prints a page of the reference: this command line, what scenarios can name, or the OpenAPI document of the
    /// control plane or of a twin.
    Reference(reference::Args),
}

#[derive(Debug, clap::Args)]
struct LintArgs {
    /// Scenario files, fault plans, and folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A target file to look at as well.
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    #[command(flatten)]
    documents: documents::Documents,
}

#[derive(Debug, clap::Args)]
struct SchemaArgs {
    /// Which kind of file.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(schema::KINDS))]
    kind: String,
}

/// Why a command did not do its work.
#[derive(Debug)]
enum Failure {
    /// What the user gave is wrong: exit code 2.
    Input(Vec<Diagnostic>),
    /// The machine, the build or the target's command is to blame: exit code 3.
    Infrastructure { what: String, hint: String },
    /// A signal ended it; exit code 128 and the signal's number.
    Interrupted { signal: u8, hint: String },
}

impl Failure {
    fn infrastructure(what: impl fmt::Display) -> Self {
        Self::Infrastructure { what: what.to_string(), hint: String::new() }
    }

    const fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Infrastructure { .. } => 3,
            Self::Interrupted { signal, .. } => 128 + *signal,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, hint) = match self {
            Self::Input(problems) => {
                for (at, problem) in problems.iter().enumerate() {
                    let end = if at + 1 < problems.len() { "\n" } else { "" };
                    write!(f, "error: {problem}{end}")?;
                }
                return Ok(());
            }
            Self::Infrastructure { what, hint } => (format!("error: {what}"), hint),
            Self::Interrupted { hint, .. } => ("interrupted".to_owned(), hint),
        };
        f.write_str(&what)?;
        if hint.is_empty() { Ok(()) } else { write!(f, "\n  hint: {hint}") }
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(problems: Vec<Diagnostic>) -> Self {
        Self::Input(problems)
    }
}

impl From<Diagnostic> for Failure {
    fn from(problem: Diagnostic) -> Self {
        Self::Input(vec![problem])
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::infrastructure(error)
    }
}

impl From<Fatal> for Failure {
    fn from(fatal: Fatal) -> Self {
        Self::infrastructure(fatal)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Refused(problem) => problem.into(),
            FolderError::Io(error) => error.into(),
        }
    }
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logging();
    let done = match cli.command {
        Command::Run(args) => run::main(args),
        Command::Gate(args) => gate::main(&args),
        Command::Baseline(command) => baseline::main(&command),
        Command::Merge(args) => merge::main(&args),
        Command::Admit(args) => admit::main(&args),
        Command::Prove(args) => prove::main(&args),
        Command::Replay(args) => replay::main(&args),
        Command::Report(args) => report::main(&args),
        Command::Explain(args) => scenario::explain(&args),
        Command::Scenario(command) => scenario::main(&command),
        Command::Lint(args) => lint_main(&args),
        Command::Schema(args) => schema_main(&args),
        Command::Up(args) => match up::run(&args) {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::Fault(args) => live::fault::main(&args),
        Command::Outage(args) => live::outage::main(&args),
        Command::Clock(args) => live::clock::main(&args),
        Command::Ledger(args) => live::ledger::main(&args),
        Command::Universe(args) => live::universe::main(&args),
        Command::Coverage(args) => coverage::main(&args),
        Command::Contract(command) => contract::main(&command),
        Command::Reference(args) => reference::main(&args),
    };
    let code = done.unwrap_or_else(|failure| {
        out::say(&failure);
        failure.code()
    });
    ExitCode::from(code)
}

/// Logs to standard error; `RUST_LOG` chooses how much.
fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only a second call could fail, and there is none.
    let _ = logging.try_init();
}

fn lint_main(args: &LintArgs) -> Result<u8, Failure> {
    let target = args.target.as_deref().map(load::target).transpose();
    let plans = load::plans(&args.paths);
    let gates: Vec<&PathBuf> = args.paths.iter().filter(|path| gates::is_gates(path)).collect();
    let of_gates: Vec<Diagnostic> = gates.iter().filter_map(|file| gates::gates(file).err()).flatten().collect();
    let packs = pack::files(&args.paths);
    let is_other = |path: &&PathBuf| load::is_plan(path) || gates::is_gates(path) || packs.contains(path);
    let paths: Vec<PathBuf> = args.paths.iter().filter(|path| !is_other(path)).cloned().collect();
    // Folders may hold plans alone.
    let has_plans = plans.as_ref().map_or(true, |plans| !plans.is_empty());
    let scenarios = if paths.is_empty() || has_plans && !load::has_scenarios(&paths) {
        Ok(Vec::new())
    } else {
        load::scenarios(&paths)
    };
    let ((mut scenarios, plans), target) = both(both(scenarios, plans), target)?;
    let twins = args.documents.all()?;
    let worlds = runner::worlds(&scenarios, &crate::prepare::sections(&twins))?;
    let mut problems = of_gates;
    for file in &packs {
        match pack::pack(file) {
            Ok(pack) => problems.extend(pack.problems(&scenarios)),
            Err(found) => problems.extend(found),
        }
    }
    for (scenario, found) in scenarios.iter_mut().zip(&worlds) {
        problems.extend(load::pick(scenario, &found.world).err().into_iter().flatten());
        let found_here = lint::lint(scenario, &twins, &found.world);
        // What is unwise is told where nothing is wrong, which may be the reason for it.
        let advice = if found_here.is_empty() { lint::advise(scenario, &found.world) } else { Vec::new() };
        problems.extend(found_here.into_iter().chain(advice));
        problems.extend(target.iter().flat_map(|target| lint::lint_together(target, scenario, &found.world)));
    }
    let used: Vec<&World> = worlds.iter().map(|found| found.world.as_ref()).collect();
    problems.extend(target.iter().flat_map(|target| lint::lint_environment(target, &twins, &used)));
    problems.extend(target.iter().flat_map(|target| lint::advise_target(target, &used)));
    problems.extend(plans.iter().flat_map(|plan| lint::lint_plan(plan, &twins)));
    problems.extend(target.iter().flat_map(|target| lint::lint_target(target, &twins)));
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let kinds =
        [(scenarios.len(), "scenario"), (plans.len(), "fault plan"), (gates.len(), "gate file"), (packs.len(), "pack")];
    let counts: Vec<String> =
        kinds.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| count(number, what)).collect();
    Out::stdout().write(&format!("{}: no problems\n", counts.join(", ")))?;
    Ok(0)
}

/// Two results, or the problems of both.
fn both<A, B>(a: Result<A, Vec<Diagnostic>>, b: Result<B, Vec<Diagnostic>>) -> Result<(A, B), Vec<Diagnostic>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => Err([a.err(), b.err()].into_iter().flatten().flatten().collect()),
    }
}

fn schema_main(args: &SchemaArgs) -> Result<u8, Failure> {
    let schema = schema::schema(&args.kind).unwrap_or_default();
    Out::stdout().write_bytes(&crate::evidence::pretty(&schema))?;
    Ok(0)
}
