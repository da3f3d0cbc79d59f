//! `dtu report`.

use std::path::PathBuf;

use super::{
    Failure,
    gate::{self, Baseline},
    run,
};
use crate::{
    evidence::Folder,
    pairing::Arm,
    report::{self, Report},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of a run.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The folder of the run, or of the blessed baseline, to compare with.
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,
    /// Prints the result as one JSON document.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 whatever the run came to: showing it has worked.
pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let (folder, plan) = Folder::look(&args.folder)?;
    let records = folder.records()?;
    let baseline = args.baseline.as_deref().map(Baseline::read).transpose()?;
    let summary = gate::summarise(Arm { plan: &plan, records: &records }, baseline.as_ref(), gate::kept(&folder));
    let report = Report { plan: &plan, summary: &summary, folder: &args.folder };
    report::write(&folder, &report, &records)?;
    run::print(&report, args.json)?;
    Ok(0)
}
