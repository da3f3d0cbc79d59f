//! `dtu up`: serves a universe until it is told to stop.

use std::{process::ExitCode, sync::Arc};

use clap::Args;
use dtu_kernel::{
    diagnostic::Diagnostic,
    multiverse::{Multiverse, Ports},
    shell::{self, Flags, StartError},
};

/// Serves a universe: all twins over one world, and the control plane.
#[derive(Debug, Args)]
pub(super) struct Up {
    #[command(flatten)]
    flags: Flags,
    /// The twins to serve, separated by commas; all where absent.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    twins: Vec<String>,
    /// The control plane's port; the twins follow, each on its own number. 0 takes free ports.
    #[arg(long, default_value_t = 7000, value_name = "PORT")]
    port_base: u16,
}

/// Runs the command.
pub(super) fn run(up: &Up) -> ExitCode {
    shell::finish(serve(up))
}

fn serve(up: &Up) -> Result<(), StartError> {
    let multiverse = Arc::new(chosen(&up.twins)?);
    let ports = if up.port_base == 0 { Ports::Free } else { Ports::From(up.port_base) };
    shell::block_on(shell::run(multiverse, &up.flags, ports, up.port_base))
}

fn chosen(names: &[String]) -> Result<Multiverse, StartError> {
    if names.is_empty() {
        return Ok(dtu_universe::multiverse());
    }
    dtu_universe::multiverse_of(names).map_err(|unknown| {
        let all = dtu_universe::all();
        let problem = Diagnostic::whole("--twins", format!("there is no twin `{unknown}`"));
        StartError::Input(vec![problem.suggest(&unknown, all.iter().map(|host| host.name()))])
    })
}
