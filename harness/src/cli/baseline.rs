//! `dtu baseline`: runs that later ones are held against. They never change by themselves.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use dtu_kernel::diagnostic::Diagnostic;
use serde_json::json;

use super::{
    Failure, Out,
    gate::{self, Baseline},
};
use crate::{
    evidence::{Folder, pretty},
    pairing::{self, Arm, Difference},
    plan::PlannedScenario,
    report::text,
    stats,
    summary::Summary,
};

/// The file that says that a folder is a baseline, and not a run.
const MARK: &str = "baseline.json";

#[derive(Debug, Subcommand)]
pub(super) enum Baselines {
    /// Makes a run the baseline: its plan and outcomes are copied, without evidence.
    Bless {
        /// The folder of a run.
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// The baseline's folder; what was blessed there before is replaced.
        #[arg(value_name = "DIR", default_value = ".dtu/baselines/main")]
        baseline: PathBuf,
    },
    /// Shows a baseline.
    Show {
        /// The baseline's folder.
        #[arg(value_name = "DIR", default_value = ".dtu/baselines/main")]
        baseline: PathBuf,
        /// Prints the result as one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Compares a run with a baseline, scenario by scenario, on the trajectories that both have.
    Diff {
        /// The folder of a run.
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// The baseline's folder.
        #[arg(value_name = "DIR", default_value = ".dtu/baselines/main")]
        baseline: PathBuf,
        /// Prints the differences as one JSON document.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn main(command: &Baselines) -> Result<u8, Failure> {
    match command {
        Baselines::Bless { run, baseline } => bless(run, baseline),
        Baselines::Show { baseline, json } => show(baseline, *json),
        Baselines::Diff { run, baseline, json } => diff(run, baseline, *json),
    }
}

fn refused(folder: &Path, message: &str, hint: &str) -> Failure {
    Diagnostic::whole(&folder.display().to_string(), message).hint(hint).into()
}

fn bless(run: &Path, baseline: &Path) -> Result<u8, Failure> {
    let (folder, plan) = Folder::look(run)?;
    let records = folder.records()?;
    let summary = Summary::new(&plan, &records);
    if summary.satisfaction.decided == 0 {
        return Err(refused(run, "nothing of this run was decided", "a baseline must say something"));
    }
    if baseline.join("plan.json").exists() && !baseline.join(MARK).exists() {
        return Err(refused(baseline, "this is the folder of a run, not of a baseline", "choose another folder"));
    }
    let kept = Folder::fresh(baseline, &plan)?;
    for record in records.values() {
        kept.finish(record)?;
    }
    kept.write(MARK, &pretty(&json!({ "schema": "dtu/baseline/v1", "plan": plan.digest })))?;
    let count = records.len();
    Out::stdout().write(&format!("{}: {count} trajectories of {}\n", baseline.display(), plan.target.name))?;
    Ok(0)
}

fn show(baseline: &Path, as_json: bool) -> Result<u8, Failure> {
    let (folder, plan) = Folder::look(baseline)?;
    let records = folder.records()?;
    let summary = gate::summarise(Arm { plan: &plan, records: &records }, None, None);
    if as_json {
        Out::stdout().write_bytes(&pretty(&json!(summary)))?;
    } else {
        Out::stdout().write(&text::overview(&summary))?;
    }
    Ok(0)
}

fn diff(run: &Path, baseline: &Path, as_json: bool) -> Result<u8, Failure> {
    let (newer, older) = (Baseline::read(run)?, Baseline::read(baseline)?);
    older.check(baseline, newer.arm().plan)?;
    let compare =
        |scenarios: &[&PlannedScenario]| Difference::new(scenarios, newer.arm(), older.arm(), u64::MAX, stats::LEVEL).0;
    let all: Vec<&PlannedScenario> = newer.arm().plan.scenarios.iter().collect();
    let whole = compare(&all);
    let each = all.iter().map(|scenario| (*scenario, compare(&[*scenario])));
    if as_json {
        let each: Vec<_> =
            each.map(|(scenario, found)| json!({ "scenario": scenario.id, "difference": found })).collect();
        Out::stdout().write_bytes(&pretty(&json!({ "difference": whole, "scenarios": each })))?;
        return Ok(0);
    }
    let width = all.iter().map(|scenario| scenario.id.chars().count()).max().unwrap_or(0);
    let mut out = Out::stdout();
    for (scenario, found) in each {
        let told = match pairing::not_compared(scenario, newer.arm(), older.arm()) {
            Some(why) => format!("not compared: {why}"),
            None => told(&found),
        };
        out.write(&format!("  {:<width$}  {told}\n", scenario.id))?;
    }
    out.write(&format!("\n{} to {}: {}\n", baseline.display(), run.display(), told(&whole)))?;
    Ok(0)
}

fn told(found: &Difference) -> String {
    let (pairs, better, worse) = (found.pairs, found.better, found.worse);
    format!("{:<24}  {pairs} pairs, {better} better, {worse} worse", found.shown())
}
