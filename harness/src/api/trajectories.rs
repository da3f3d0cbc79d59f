//! What came of scenarios in a test.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    bundle::Bundle,
    evidence::Folder,
    plan::{Key, Plan},
    record::Record,
    report::{self, Report},
    summary::{Summary, Verdict},
};

use super::Error;

/// Where evidence lies: in a folder that was named, or in one that goes with this.
#[derive(Debug)]
pub(super) enum Place {
    Named(PathBuf),
    Passing(TempDir),
}

impl Place {
    pub(super) fn of(named: Option<&Path>) -> io::Result<Self> {
        match named {
            Some(folder) => Ok(Self::Named(folder.to_owned())),
            None => tempfile::Builder::new().prefix("dtu-run-").tempdir().map(Self::Passing),
        }
    }

    pub(super) fn root(&self) -> &Path {
        match self {
            Self::Named(folder) => folder,
            Self::Passing(folder) => folder.path(),
        }
    }
}

/// The trajectories of a run. Shown with `{}`, they are the report that `dtu run` prints.
#[derive(Debug)]
pub struct Trajectories {
    plan: Plan,
    records: BTreeMap<Key, Record>,
    summary: Summary,
    place: Place,
}

impl Trajectories {
    pub(super) fn new(plan: Plan, records: BTreeMap<Key, Record>, place: Place) -> Self {
        let summary = Summary::new(&plan, &records);
        Self { plan, records, summary, place }
    }

    /// The fraction that likely satisfies the user: the weighted mean over scenarios. None where nothing was decided.
    pub const fn satisfaction(&self) -> Option<f64> {
        self.summary.satisfaction.point
    }

    /// The 95 % interval of the satisfaction on these scenarios.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.summary.satisfaction.low.zip(self.summary.satisfaction.high)
    }

    /// The fraction of a scenario, by its id.
    pub fn satisfaction_of(&self, scenario: &str) -> Option<f64> {
        self.summary.scenarios.iter().find(|found| found.id == scenario)?.point
    }

    /// All that the run came to, as `result.json` has it.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What came of each trajectory, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// The folder of the run.
    pub fn folder(&self) -> &Path {
        self.place.root()
    }

    /// The evidence of a trajectory: its ledger, and what a replay needs.
    ///
    /// # Errors
    /// Where it is not there.
    pub fn evidence(&self, key: &Key) -> Result<Bundle, Error> {
        Ok(Bundle::open(&self.place.root().join(Folder::evidence_place(key)))?)
    }

    /// Demands that no trajectory failed, and that something was decided.
    ///
    /// # Panics
    /// With the report, where that is not so.
    #[track_caller]
    pub fn assert_satisfied(&self) {
        assert!(self.summary.verdict() == Verdict::Pass, "not satisfied\n{self}");
    }
}

impl fmt::Display for Trajectories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = Report { plan: &self.plan, summary: &self.summary, folder: self.place.root() };
        let text = report::text::render(&report);
        f.write_str(&anstream::adapter::strip_str(&text).to_string())
    }
}
