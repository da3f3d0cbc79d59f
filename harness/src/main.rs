//! `dtu`: the Digital Twin Universe on the command line.

use std::process::ExitCode;

use dtu::{cli, supervise};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // Before all else: a supervisor is started for each trajectory, and must be quick.
    if arguments.next().is_some_and(|first| first == supervise::COMMAND) {
        return ExitCode::from(supervise::main());
    }
    cli::main()
}
