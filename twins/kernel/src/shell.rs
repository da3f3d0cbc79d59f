//! The shell of a server: flags, what is printed when all is ready, and a clean end.
//!
//! `dtu up` and the standalone twins share it, so that they take the same flags and print the same line.

use std::{fmt::Write as _, io, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Args, Parser, ValueEnum};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::{
    clock::ClockMode,
    control,
    diagnostic::Diagnostic,
    environment::Environment,
    fault::PlanFile,
    host::Host,
    ledger::Keep,
    limits::Limits,
    multiverse::{CreateError, Multiverse, Ports, Running},
    universe::Options,
};

/// The flags that every server takes.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    /// The world: a name that is part of the program, or a path.
    #[arg(long, default_value = "acme", value_name = "PATH|NAME")]
    pub world: String,
    /// The seed of all draws.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A fault plan to arm: a name that is part of the program, or a path.
    #[arg(long, value_name = "PATH|NAME")]
    pub faults: Option<String>,
    /// Gives a variable of the fault plan another value; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", requires = "faults", value_parser = variable)]
    pub fault_var: Vec<(SmolStr, String)>,
    /// How the universe's time runs: real, scaled:K or stepped.
    #[arg(long, default_value = "real", value_name = "MODE")]
    pub clock: ClockMode,
    /// Which rate limits hold: off, real (the services' own), or scale:K (those times a factor).
    #[arg(long, default_value = "off", value_name = "PROFILE")]
    pub limits: Limits,
    /// How much the ledger keeps.
    #[arg(long, default_value = "full")]
    pub ledger: LedgerFlag,
    /// Holds each answer against the service's public documents, and answers with a server error that says why where
    /// one does not fit.
    #[arg(long)]
    pub check_responses: bool,
    /// Prints one line of JSON when all is ready, instead of a page for people.
    #[arg(long)]
    pub json: bool,
    /// Writes the environment variables that clients read into this file.
    #[arg(long, value_name = "PATH")]
    pub env_file: Option<PathBuf>,
}

/// Reads `NAME=VALUE`.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn variable(text: &str) -> Result<(SmolStr, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not written as `NAME=VALUE`"))?;
    Ok((SmolStr::new(name), value.to_owned()))
}

/// How much the ledger keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LedgerFlag {
    /// Everything, with bodies.
    Full,
    /// Entries and changes, without bodies.
    Changes,
    /// Nothing.
    Off,
}

/// Exit code: what was given is wrong.
pub const EXIT_USAGE: u8 = 2;
/// Exit code: the machine did not give what was needed (a port, a file).
pub const EXIT_INFRASTRUCTURE: u8 = 3;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Files are not as they should be.
    #[error("{}", join(.0))]
    Input(Vec<Diagnostic>),
    /// The machine did not give what was needed.
    #[error("{0}")]
    Machine(String),
}

fn join(problems: &[Diagnostic]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\nerror: ")
}

impl StartError {
    /// The exit code that goes with it.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) => EXIT_USAGE,
            Self::Machine(_) => EXIT_INFRASTRUCTURE,
        }
    }
}

impl From<CreateError> for StartError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::World(problems) => Self::Input(problems),
            CreateError::Port { .. } => {
                Self::Machine(format!("{error}\n  hint: `--port-base 0` (or `--port 0`) takes free ports"))
            }
            other => Self::Machine(other.to_string()),
        }
    }
}

/// A server that runs: universe, listeners, control plane.
#[derive(Debug)]
pub struct Server {
    running: Arc<Running>,
    environment: Arc<Environment>,
    control: control::Serving,
}

/// Starts a universe of `multiverse` and its control plane.
///
/// # Errors
/// [`StartError`]; nothing is left running then.
pub async fn start(
    multiverse: Arc<Multiverse>,
    flags: &Flags,
    ports: Ports,
    control_port: u16,
) -> Result<Server, StartError> {
    let plan = flags
        .faults
        .as_deref()
        .map(|plan| PlanFile::find(plan, &flags.fault_var))
        .transpose()
        .map_err(StartError::Input)?;
    let astray = plan.as_ref().map(|plan| plan.astray(multiverse.twins())).unwrap_or_default();
    if !astray.is_empty() {
        return Err(StartError::Input(astray));
    }
    let options = Options {
        seed: flags.seed,
        clock: flags.clock,
        start: None,
        limits: flags.limits,
        keep: match flags.ledger {
            LedgerFlag::Full => Keep::Full,
            LedgerFlag::Changes => Keep::Changes,
            LedgerFlag::Off => Keep::Off,
        },
        check: flags.check_responses,
    };
    let running = multiverse.create(None, &flags.world, &options, ports)?;
    if let Some(plan) = plan {
        let armed = running.universe.arm_checked(&plan.rules);
        armed.map_err(|error| StartError::Input(vec![Diagnostic::whole(&plan.name, error.to_string())]))?;
    }
    let serving = control::serve(multiverse, control_port).await;
    let control = serving.map_err(|error| {
        let message = format!("the control plane cannot listen on port {control_port}: {error}");
        StartError::Machine(format!("{message}\n  hint: `--port-base 0` takes free ports"))
    })?;
    let environment = running.environment();
    let environment = environment.map_err(|error| StartError::Machine(format!("the files for clients: {error}")))?;
    Ok(Server { running, environment, control })
}

impl Server {
    /// The line that `--json` prints. Relied on from outside.
    pub fn ready_line(&self) -> Value {
        let twins: Map<String, Value> =
            self.running.urls().map(|(name, url)| (name.to_owned(), json!({ "url": url }))).collect();
        let env: Map<String, Value> =
            self.env().iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({
            "universe": self.running.universe.id(),
            "seed": self.running.universe.seed(),
            "control": { "url": format!("http://{}", self.control.address), "token": self.control.token },
            "twins": twins,
            "env": env,
        })
    }

    /// The control plane's address and token.
    pub fn control(&self) -> (String, &str) {
        (format!("http://{}", self.control.address), &self.control.token)
    }

    fn env(&self) -> &[(&'static str, String)] {
        self.environment.variables()
    }

    /// The page for people.
    fn ready_page(&self) -> String {
        let mut page = String::new();
        let universe = &self.running.universe;
        // Writing to a string cannot fail.
        let _ =
            writeln!(page, "universe {} of world {}, seed {}", universe.id(), universe.world().name, universe.seed());
        for (name, url) in self.running.urls() {
            let _ = writeln!(page, "  {name:<16} {url}");
        }
        let _ =
            writeln!(page, "  {:<16} http://{}  token {}", "control plane", self.control.address, self.control.token);
        let _ = writeln!(page, "\nenvironment for clients:");
        for (name, value) in self.env() {
            let _ = writeln!(page, "  export {name}={}", shell_quoted(value));
        }
        let _ = writeln!(page, "\nCtrl-C ends it");
        page
    }

    fn env_file(&self) -> String {
        let line = |(name, value): &(&str, String)| format!("{name}={}\n", shell_quoted(value));
        self.env().iter().map(line).collect()
    }
}

/// Text as one word of a shell.
fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// What is kept for as long as a server runs.
pub type Kept = Option<Box<dyn std::any::Any>>;

/// Starts a server, says where it is, and runs until SIGINT or SIGTERM. `announce` may tell others where it is too.
///
/// # Errors
/// [`StartError`].
pub async fn run(
    multiverse: Arc<Multiverse>,
    flags: &Flags,
    ports: Ports,
    control_port: u16,
    announce: impl FnOnce(&Server) -> io::Result<Kept>,
) -> Result<(), StartError> {
    // Listened for before anything is printed: who reads the line may stop us at once.
    let mut interrupt = stop_signal(tokio::signal::unix::SignalKind::interrupt())?;
    let mut terminate = stop_signal(tokio::signal::unix::SignalKind::terminate())?;
    let server = start(multiverse, flags, ports, control_port).await?;
    if let Some(path) = &flags.env_file {
        fs_err::write(path, server.env_file()).map_err(|error| StartError::Machine(error.to_string()))?;
    }
    // Where nobody can be told, the server is as good as before.
    let _kept = announce(&server).inspect_err(|error| tracing::warn!("the session file: {error}"));
    let text = if flags.json { format!("{}\n", server.ready_line()) } else { server.ready_page() };
    print(&text).map_err(|error| StartError::Machine(format!("cannot write to standard output: {error}")))?;
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    Ok(())
}

fn stop_signal(kind: tokio::signal::unix::SignalKind) -> Result<tokio::signal::unix::Signal, StartError> {
    tokio::signal::unix::signal(kind)
        .map_err(|error| StartError::Machine(format!("cannot listen for signals: {error}")))
}

fn print(text: &str) -> io::Result<()> {
    use io::Write as _;
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The command line of a standalone twin.
#[derive(Debug, Parser)]
struct Standalone {
    #[command(flatten)]
    flags: Flags,
    /// The port of the twin; 0 takes a free one. The control plane takes a free one always.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// The whole of a standalone twin's `main`.
///
/// Twins after the first are served on free ports: a service that an API cannot do without (Google's token endpoint).
pub fn standalone(twins: Vec<Arc<dyn Host>>) -> ExitCode {
    let cli = Standalone::parse();
    let ports = Ports::First(cli.port);
    let multiverse = Arc::new(Multiverse::new(twins.into_iter().map(|twin| (twin, 0)).collect()));
    finish(block_on(run(multiverse, &cli.flags, ports, 0, |_| Ok(None))))
}

/// Runs a server's future on a runtime that leaves a core to the clients.
///
/// # Errors
/// What the future gives, or that there is no runtime to be had.
pub fn block_on(future: impl Future<Output = Result<(), StartError>>) -> Result<(), StartError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.saturating_sub(1).clamp(1, 4))
        .enable_all()
        .build()
        .map_err(|error| StartError::Machine(format!("cannot start: {error}")))?;
    runtime.block_on(future)
}

/// Says what went wrong on standard error, and gives the exit code.
pub fn finish(result: Result<(), StartError>) -> ExitCode {
    use io::Write as _;
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed there is nobody left to tell.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
