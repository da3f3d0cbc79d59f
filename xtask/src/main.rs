//! The project's own chores: `cargo xtask test`, `cargo xtask clients`, `cargo xtask docs`,
//! `cargo xtask evidence`, `cargo xtask soak`, `cargo xtask bench`.

mod bench;
mod clients;
mod docs;
mod shell;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the Digital Twin Universe.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Everything that must hold: format, lints, generated files, all tests, client libraries.
    Test,
    /// Installs the services' client libraries below `target/clients`, for the tests and for programs that use them, and
    /// a browser for the tests.
    Clients,
    /// Writes the generated files below `docs/`.
    Docs {
        /// Writes nothing; fails where a file is not what it would be.
        #[arg(long)]
        check: bool,
    },
    /// Replays recorded exchanges with the real services, runs the client libraries, and writes what agrees and what
    /// is called below `tests/evidence` and `tests/recorded`.
    Evidence,
    /// Two minutes of load on all twins while faults of all kinds come and go: nothing breaks, nothing stays stuck.
    Soak,
    /// Measures against a bare server in the same run, and writes `docs/benchmarks.md`.
    Bench {
        /// Seconds of load for each figure.
        #[arg(long, default_value_t = 4)]
        seconds: u64,
        /// Writes nothing; prints the table.
        #[arg(long)]
        dry_run: bool,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Test => test(),
        Chore::Clients => clients::install(),
        Chore::Docs { check } => docs::run(check),
        Chore::Evidence => evidence(),
        Chore::Soak => soak(),
        Chore::Bench { seconds, dry_run } => bench::run(seconds, dry_run),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn evidence() -> anyhow::Result<()> {
    let test = ["test", "--quiet", "--package", "dtu-tests", "--test", "all", "answers_as_recorded"];
    shell::cargo_with(&test, &[("DTU_EVIDENCE", "write")])?;
    clients::install()?;
    for part in ["clients::", "libraries_see_each_effect"] {
        let test = ["test", "--quiet", "--package", "dtu-tests", "--test", "all", part];
        shell::cargo_with(&test, &[("DTU_CLIENTS", "record")])?;
    }
    Ok(())
}

fn soak() -> anyhow::Result<()> {
    let test = ["test", "--quiet", "--package", "dtu-tests", "--test", "all", "a_long_soak_breaks_nothing"];
    shell::cargo(&[&test[..], &["--", "--ignored"]].concat())
}

fn test() -> anyhow::Result<()> {
    shell::cargo(&["fmt", "--all", "--check"])?;
    shell::cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    docs::run(true)?;
    clients::install()?;
    // Property tests draw anew wherever they are run by hand; here a failure must be the change's and not the draw's.
    let settled = [("DTU_CLIENTS", "required"), ("PROPTEST_RNG_SEED", "7")];
    shell::cargo_with(&["test", "--workspace", "--no-fail-fast"], &settled)
}
