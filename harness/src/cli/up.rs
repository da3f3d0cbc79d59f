//! `dtu up`: serves a universe until it is told to stop.

use std::{io, process::ExitCode, sync::Arc};

use clap::Args;
use dtu_kernel::{
    diagnostic::Diagnostic,
    host::Host,
    multiverse::{Multiverse, Ports},
    shell::{self, Flags, Kept, Server},
};

use super::{Failure, documents::Documents, live::SessionFile};

/// Serves a universe: all twins over one world, and the control plane.
#[derive(Debug, Args)]
pub(super) struct Up {
    #[command(flatten)]
    flags: Flags,
    /// The twins to serve, separated by commas; all where absent, none where only documents are named.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    twins: Vec<String>,
    #[command(flatten)]
    documents: Documents,
    /// The control plane's port; the twins follow, each on its own number. 0 takes free ports.
    #[arg(long, default_value_t = 7000, value_name = "PORT")]
    port_base: u16,
}

/// Runs the command.
pub(super) fn run(up: &Up) -> Result<ExitCode, Failure> {
    let multiverse = Arc::new(Multiverse::new(dtu_universe::numbered(chosen(up)?)));
    let ports = if up.port_base == 0 { Ports::Free } else { Ports::From(up.port_base) };
    Ok(shell::finish(shell::block_on(shell::run(multiverse, &up.flags, ports, up.port_base, announce))))
}

/// Says in this folder where the control plane is, for the commands that drive a running universe.
fn announce(server: &Server) -> io::Result<Kept> {
    let (url, token) = server.control();
    let file = SessionFile::write(&std::env::current_dir()?, &url, token)?;
    Ok(Some(Box::new(file)))
}

/// The twins to serve.
fn chosen(up: &Up) -> Result<Vec<Arc<dyn Host>>, Failure> {
    let all = dtu_universe::all();
    if let Some(unknown) = up.twins.iter().find(|name| !all.iter().any(|host| host.name() == *name)) {
        let problem = Diagnostic::whole("--twins", format!("there is no twin `{unknown}`"));
        return Err(problem.suggest(unknown, all.iter().map(|host| host.name())).into());
    }
    let everything = up.twins.is_empty() && up.documents.is_empty();
    let wanted = all.into_iter().filter(|host| everything || up.twins.iter().any(|name| name == host.name()));
    let mut chosen: Vec<Arc<dyn Host>> = wanted.collect();
    chosen.extend(up.documents.twins()?);
    Ok(chosen)
}
