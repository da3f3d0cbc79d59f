//! The evidence of one trajectory as others read it: its manifest, its ledger, and what a replay needs besides.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _},
    path::{Path, PathBuf},
};

use dtu_kernel::{
    clock::ClockMode, diagnostic::Diagnostic, fault::Rule, replay::Recording, tape::Note, time::Timestamp,
    universe::Universe,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    load::LoadedTarget,
    plan::{Key, Plan, PlannedDocument, PlannedTarget},
    process::Written,
    record::Record,
    verdict::Outcome,
};

/// What a trajectory was made of and what came of it: `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The format.
    pub schema: ManifestSchema,
    /// The version of the program.
    pub version: String,
    /// Which trajectory.
    pub key: Key,
    /// The values of its variant's parameters.
    pub label: String,
    /// Its seed.
    pub seed: u64,
    /// The run that it is part of.
    pub run: RunDigests,
    /// All its parameters, also those drawn by its seed.
    pub params: Map<String, Value>,
    /// What it was made of.
    pub about: About,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, where checks do not say it.
    pub reasons: Vec<String>,
    /// How much its target wrote.
    pub output: Written,
}

/// The one known version of `manifest.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ManifestSchema {
    /// `dtu/trajectory/v1`
    #[serde(rename = "dtu/trajectory/v1")]
    V1,
}

/// The run that a trajectory is part of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunDigests {
    /// The digest of its plan.
    pub plan: String,
    /// Its seed.
    pub seed: u64,
    /// Whether the scenarios' fault rules are armed.
    pub faults: bool,
    /// The target.
    pub target: PlannedTarget,
    /// The scenario's file, as the user named it.
    pub scenario: String,
    /// Public documents of which twins are served besides those that are part of the program.
    pub documents: Vec<PlannedDocument>,
}

impl RunDigests {
    /// From the plan of a run.
    pub fn of(plan: &Plan, scenario: &str) -> Self {
        let planned = plan.scenarios.iter().find(|planned| planned.id == scenario);
        Self {
            plan: plan.digest.clone(),
            seed: plan.seed,
            faults: plan.faults,
            target: plan.target.clone(),
            scenario: planned.map(|planned| planned.file.clone()).unwrap_or_default(),
            documents: plan.documents.clone(),
        }
    }
}

/// What a trajectory was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// A hash of the scenario's file.
    pub scenario: String,
    /// A hash of the target's file.
    pub target: String,
    /// The world's name.
    pub world: String,
    /// The world's file.
    pub world_file: String,
    /// A hash of the world's file; its name where it is part of the program.
    pub world_digest: String,
    /// How time runs.
    pub clock: String,
    /// Where each twin was served.
    pub origins: BTreeMap<String, String>,
}

impl About {
    /// Of a trajectory that is over.
    pub fn new(scenario: &str, target: &LoadedTarget, world_digest: &str, universe: &Universe) -> Self {
        let twins = universe.twins().iter().enumerate();
        Self {
            scenario: scenario.to_owned(),
            target: target.digest.clone(),
            world: universe.world().name.to_string(),
            world_file: universe.world().file.clone(),
            world_digest: world_digest.to_owned(),
            clock: universe.clock_mode().to_string(),
            origins: twins.map(|(slot, twin)| (twin.name().to_owned(), universe.origin(slot).to_string())).collect(),
        }
    }
}

impl Manifest {
    /// Of a trajectory that is over.
    pub fn new(record: &Record, run: RunDigests, params: Map<String, Value>, about: About, output: Written) -> Self {
        Self {
            schema: ManifestSchema::V1,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            key: record.key.clone(),
            label: record.label.clone(),
            seed: record.seed,
            run,
            params,
            about,
            outcome: record.outcome,
            reasons: record.reasons.clone(),
            output,
        }
    }
}

/// An armed fault rule and how it has fared: a line of `faults.ndjson`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultLine {
    /// The rule.
    pub rule: Rule,
    /// How often its match was met.
    pub matched: u64,
    /// How often it fired.
    pub fired: u64,
}

/// The evidence of one trajectory.
#[derive(Debug)]
pub struct Bundle {
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
}

impl Bundle {
    /// Opens the folder of a trajectory.
    ///
    /// # Errors
    /// Where it is none, or its manifest is of another format.
    pub fn open(folder: &Path) -> Result<Self, Diagnostic> {
        let file = folder.join("manifest.json");
        let shown = file.display().to_string();
        let refused = |message: String| {
            let hint = "name the folder of a trajectory: `evidence/SCENARIO/VARIANT-N` below that of a run";
            Diagnostic::whole(&shown, message).hint(hint)
        };
        let bytes = fs_err::read(&file).map_err(|_| refused("this is not the evidence of a trajectory".to_owned()))?;
        let manifest = serde_json::from_slice(&bytes)
            .map_err(|error| refused(format!("this manifest is not one that this dtu wrote: {error}")))?;
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// The ledger.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn ledger(&self) -> io::Result<Vec<Value>> {
        lines(&self.folder.join("ledger.ndjson"))
    }

    /// All that a replay is made from.
    ///
    /// # Errors
    /// Where a part is missing or cannot be read.
    pub fn recording(&self) -> io::Result<Recording> {
        let faults: Vec<FaultLine> = lines(&self.folder.join("faults.ndjson"))?;
        let notes: Vec<Note> = lines(&self.folder.join("tape.ndjson"))?;
        Ok(Recording { entries: self.ledger()?, notes, rules: faults.into_iter().map(|line| line.rule).collect() })
    }

    /// Its secrets by their placeholders, sealed with its world; none where it holds none.
    pub fn sealed(&self) -> BTreeMap<String, String> {
        let read = fs_err::read(self.folder.join("sealed.json"));
        read.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// How its time ran, and when it began.
    pub fn time(&self, entries: &[Value]) -> (Option<ClockMode>, Option<Timestamp>) {
        let began = entries.first().and_then(|entry| serde_json::from_value(entry["at"].clone()).ok());
        (self.manifest.about.clock.parse().ok(), began)
    }

    /// A file that the run was made of: as it was kept with the run, else where it was, as long as it is the same.
    ///
    /// # Errors
    /// Where it is nowhere, or another by now.
    pub fn input(&self, named: &str, digest: &str) -> Result<PathBuf, Diagnostic> {
        let found = fs_err::read(named);
        // Where it still is what it was, paths in it still lead where they led.
        if found.as_ref().is_ok_and(|bytes| blake3::hash(bytes).to_hex().as_str() == digest) {
            return Ok(named.into());
        }
        let mut kept = self.folder.ancestors().map(|folder| folder.join("inputs").join(format!("{digest}.yaml")));
        if let Some(kept) = kept.find(|file| file.is_file()) {
            return Ok(kept);
        }
        let problem = |message: &str| Err(Diagnostic::whole(named, message.to_owned()));
        match found {
            Ok(_) => problem("this file has changed since, and the run's folder does not hold what it was"),
            Err(_) => problem("this file is gone, and the run's folder does not hold it"),
        }
    }
}

/// A file of JSON documents, one a line.
fn lines<T: DeserializeOwned>(file: &Path) -> io::Result<Vec<T>> {
    let read = io::BufReader::new(fs_err::File::open(file)?);
    read.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}
