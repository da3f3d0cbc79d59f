//! `dtu report`.

use std::path::PathBuf;

use super::{Failure, run};
use crate::{
    evidence::Folder,
    report::{self, Report},
    summary::Summary,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of a run.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Prints the result as one JSON document.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 whatever the run came to: showing it has worked.
pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let (folder, plan) = Folder::look(&args.folder)?;
    let records = folder.records()?;
    let summary = Summary::new(&plan, &records);
    let report = Report { plan: &plan, summary: &summary, folder: &args.folder };
    report::write(&folder, &report, &records)?;
    run::print(&report, args.json)?;
    Ok(0)
}
