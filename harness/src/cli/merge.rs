//! `dtu merge`.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    Failure,
    gate::{self, Baseline},
    run,
};
use crate::{
    evidence::Folder,
    merge::{self, Part},
    pairing::Arm,
    report::{self, Report},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folders of the parts of one run: its shards, and what was run of it later.
    #[arg(required = true, value_name = "DIR")]
    parts: Vec<PathBuf>,
    /// The folder for the whole.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The folder of the run, or of the blessed baseline, to compare with.
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,
    /// Prints the result as one JSON document.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 whatever the run came to: putting it together has worked.
pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let parts = args.parts.iter().map(|folder| part(folder)).collect::<Result<Vec<Part>, Failure>>()?;
    let plan = merge::plan(&parts)?;
    let records = merge::records(&parts);
    let folder = Folder::open(&args.out, &plan)?;
    let done = folder.records()?;
    for (key, (at, record)) in &records {
        if let Some(mut kept) = done.get(key).cloned() {
            if merge::add_other(&mut kept, record) {
                folder.finish(&kept)?;
            }
            continue;
        }
        let from = args.parts[*at].join(Folder::evidence_place(key));
        if from.is_dir() {
            copy(&from, &folder.evidence(key)?)?;
        }
        folder.finish(record)?;
    }
    for part in args.parts.iter().map(|part| part.join("inputs")).filter(|inputs| inputs.is_dir()) {
        copy(&part, &args.out.join("inputs"))?;
    }
    let records = folder.records()?;
    let baseline = args.baseline.as_deref().map(Baseline::read).transpose()?;
    let summary = gate::summarise(Arm { plan: &plan, records: &records }, baseline.as_ref(), None);
    let report = Report { plan: &plan, summary: &summary, folder: &args.out };
    report::write(&folder, &report, &records)?;
    run::print(&report, args.json)?;
    Ok(0)
}

fn part(folder: &Path) -> Result<Part, Failure> {
    let (found, plan) = Folder::look(folder)?;
    Ok(Part { name: folder.display().to_string(), plan, records: found.records()? })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            fs_err::copy(entry.path(), place)?;
        }
    }
    Ok(())
}
