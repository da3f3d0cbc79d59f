//! What a run is going to do: which trajectories, in which order, with which seeds.

use std::{fmt, path::Path, str::FromStr};

use dtu_kernel::diagnostic::Diagnostic;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    load::{LoadedScenario, LoadedTarget},
    redact,
    target::EnvVar,
    variant::{self, Variant},
};

/// What names a trajectory: scenario, variant, and which of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// The scenario's id.
    pub scenario: String,
    /// The variant's id.
    pub variant: String,
    /// Which of its kind, counted from 1.
    pub n: u64,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.scenario, self.variant, self.n)
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected SCENARIO/VARIANT/N as reports print it, found `{text}`");
        let mut parts = text.rsplitn(3, '/');
        let (n, variant, scenario) = (parts.next(), parts.next(), parts.next());
        let n = n.and_then(|n| n.parse().ok()).filter(|n| *n > 0).ok_or_else(wrong)?;
        match (scenario, variant) {
            (Some(scenario), Some(variant)) if !scenario.is_empty() && !variant.is_empty() => {
                Ok(Self { scenario: scenario.to_owned(), variant: variant.to_owned(), n })
            }
            _ => Err(wrong()),
        }
    }
}

/// One of several equal parts of a run, written `2/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which part, counted from 1.
    pub part: u64,
    /// How many parts there are.
    pub of: u64,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a shard such as `2/8`, found `{text}`");
        let (part, of) = text.split_once('/').ok_or_else(wrong)?;
        let (part, of) = (part.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
        if part == 0 || part > of {
            return Err(format!("`{text}` is no shard: the first number goes from 1 to the second"));
        }
        Ok(Self { part, of })
    }
}

/// What a person asks of a run, besides the files.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Trajectories for each variant.
    pub seeds: u64,
    /// The seed of the run, from which all others are made.
    pub seed: u64,
    /// The part of the run to do; all of it where absent.
    pub shard: Option<Shard>,
    /// These trajectories and no others; all where empty.
    pub only: Vec<Key>,
    /// Whether the scenarios' fault rules are armed.
    pub faults: bool,
    /// Public documents of which twins are served.
    pub documents: Vec<PlannedDocument>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { seeds: 5, seed: 1, shard: None, only: Vec::new(), faults: true, documents: Vec::new() }
    }
}

/// A planned run, as `plan.json` holds it. Reports are made from it and the records of trajectories alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The format.
    pub schema: PlanSchema,
    /// The version of the program.
    pub version: String,
    /// A hash of all that decides what the run does and finds.
    pub digest: String,
    /// The target.
    pub target: PlannedTarget,
    /// The seed of the run.
    pub seed: u64,
    /// Trajectories for each variant.
    pub seeds: u64,
    /// The part of the run that this is.
    pub shard: Option<Shard>,
    /// Whether the scenarios' fault rules are armed.
    pub faults: bool,
    /// Public documents of which twins are served besides those that are part of the program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<PlannedDocument>,
    /// How many trajectories there are.
    pub trajectories: u64,
    /// The scenarios, sorted by id.
    pub scenarios: Vec<PlannedScenario>,
}

/// The one known version of `plan.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanSchema {
    /// `dtu/plan/v1`
    #[serde(rename = "dtu/plan/v1")]
    V1,
}

/// A target in a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedTarget {
    /// Its name.
    pub name: String,
    /// Its file, as the user named it.
    pub file: String,
    /// A hash of the file.
    pub digest: String,
    /// A hash of the program, and of the files among its arguments: a program that was built anew is another one.
    pub program: String,
    /// Variables set on the command line, as `NAME=VALUE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
}

/// A public document in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedDocument {
    /// Its file, as the user named it.
    pub file: String,
    /// A hash of the file.
    pub digest: String,
}

/// A scenario in a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedScenario {
    /// Its id.
    pub id: String,
    /// What must be true.
    pub title: String,
    /// Its area.
    pub area: String,
    /// Words that filters and gates know it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// How much it counts.
    pub weight: f64,
    /// Its file, as the user named it.
    pub file: String,
    /// A hash of the file.
    pub digest: String,
    /// What must be seen in some trajectory at least: `fault ID` for each of its fault rules, and its own conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sometimes: Vec<String>,
    /// A hash of the world it starts from.
    pub world: String,
    /// Its variants, in the order of the file.
    pub variants: Vec<PlannedVariant>,
}

/// A variant in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedVariant {
    /// Its id.
    pub id: String,
    /// The values of its parameters.
    pub label: String,
}

/// One trajectory to run.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its name.
    pub key: Key,
    /// The place of its scenario in the plan.
    pub scenario: usize,
    /// Its variant.
    pub variant: Variant,
    /// Its seed.
    pub seed: u64,
}

/// Plans a run: all its trajectories, in their order.
///
/// # Errors
/// Where a trajectory that is asked for by name does not exist.
pub fn plan(
    scenarios: &[LoadedScenario],
    worlds: &[String],
    target: PlannedTarget,
    wishes: &Wishes,
) -> Result<(Plan, Vec<Unit>), Diagnostic> {
    let planned: Vec<PlannedScenario> =
        scenarios.iter().zip(worlds).map(|(loaded, world)| planned(loaded, world)).collect();
    let units = if wishes.only.is_empty() { all(scenarios, wishes) } else { named(scenarios, wishes)? };
    let mut plan = Plan {
        schema: PlanSchema::V1,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: String::new(),
        target,
        seed: wishes.seed,
        seeds: wishes.seeds,
        shard: wishes.shard,
        faults: wishes.faults,
        documents: wishes.documents.clone(),
        trajectories: units.len() as u64,
        scenarios: planned,
    };
    plan.digest = digest(&plan, units.iter().map(|unit| &unit.key));
    Ok((plan, units))
}

fn planned(loaded: &LoadedScenario, world: &str) -> PlannedScenario {
    let scenario = &loaded.scenario;
    let variants = variant::variants(scenario).into_iter().map(|v| PlannedVariant { id: v.id, label: v.label });
    PlannedScenario {
        id: scenario.id.value.clone(),
        title: scenario.title.clone(),
        area: scenario.meta.area.clone(),
        tags: scenario.meta.tags.clone(),
        weight: scenario.meta.weight,
        file: loaded.path.clone(),
        digest: loaded.digest.clone(),
        sometimes: sometimes(scenario),
        world: world.to_owned(),
        variants: variants.collect(),
    }
}

/// What is to be seen of a scenario now and then.
fn sometimes(scenario: &crate::scenario::Scenario) -> Vec<String> {
    let faults = scenario.faults.iter().map(|fault| fault_seen(&fault.rule.id));
    faults.chain(scenario.sometimes.iter().map(|seen| seen.name.clone())).collect()
}

/// That a fault rule fired, among what is seen.
pub fn fault_seen(rule: &str) -> String {
    format!("fault {rule}")
}

/// All trajectories of this shard: scenario by scenario, variant by variant, seed by seed.
fn all(scenarios: &[LoadedScenario], wishes: &Wishes) -> Vec<Unit> {
    let of_variant = |at: usize, id: String, variant: Variant| {
        let unit = move |n| Unit {
            seed: variant::trajectory_seed(wishes.seed, &id, &variant.id, n),
            key: Key { scenario: id.clone(), variant: variant.id.clone(), n },
            scenario: at,
            variant: variant.clone(),
        };
        (1..=wishes.seeds).map(unit)
    };
    let of_scenario = |(at, loaded): (usize, &LoadedScenario)| {
        let id = loaded.scenario.id.value.clone();
        let variants = variant::variants(&loaded.scenario).into_iter();
        variants.flat_map(move |variant| of_variant(at, id.clone(), variant)).collect::<Vec<_>>()
    };
    let ours = |unit: &Unit| {
        let Key { scenario, variant, n } = &unit.key;
        wishes.shard.is_none_or(|shard| variant::shard_of(scenario, variant, *n, shard.of) == shard.part - 1)
    };
    scenarios.iter().enumerate().flat_map(of_scenario).filter(ours).collect()
}

/// The trajectories asked for by name.
fn named(scenarios: &[LoadedScenario], wishes: &Wishes) -> Result<Vec<Unit>, Diagnostic> {
    let find = |key: &Key| {
        let unknown = || Diagnostic::whole("--only", format!("there is no trajectory `{key}`"));
        let ids = || scenarios.iter().map(|loaded| loaded.scenario.id.value.as_str());
        let scenario = ids().position(|id| id == key.scenario);
        let scenario = scenario.ok_or_else(|| unknown().suggest(&key.scenario, ids()))?;
        let variants = variant::variants(&scenarios[scenario].scenario);
        let ids: Vec<String> = variants.iter().map(|variant| variant.id.clone()).collect();
        let variant = variants.into_iter().find(|variant| variant.id == key.variant);
        let variant = variant.ok_or_else(|| unknown().suggest(&key.variant, ids.iter().map(String::as_str)))?;
        let seed = variant::trajectory_seed(wishes.seed, &key.scenario, &key.variant, key.n);
        Ok(Unit { key: key.clone(), scenario, variant, seed })
    };
    let mut units = wishes.only.iter().map(find).collect::<Result<Vec<Unit>, Diagnostic>>()?;
    units.sort_by(|a, b| (a.scenario, &a.key).cmp(&(b.scenario, &b.key)));
    units.dedup_by(|a, b| a.key == b.key);
    Ok(units)
}

/// A hash of what decides a run. How files are named, and in which order, does not.
pub(crate) fn digest<'a>(plan: &Plan, units: impl Iterator<Item = &'a Key>) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("dtu plan v1");
    let mut feed = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    feed(&plan.version);
    feed(&plan.target.digest);
    feed(&plan.target.program);
    for var in &plan.target.env {
        feed(var);
    }
    feed(&format!("{} {}", plan.seed, plan.faults));
    for document in &plan.documents {
        feed(&document.digest);
    }
    for scenario in &plan.scenarios {
        feed(&scenario.digest);
        feed(&scenario.world);
    }
    for unit in units {
        feed(&unit.to_string());
    }
    hasher.finalize().to_hex().to_string()
}

/// A target as plans hold it.
pub fn planned_target(target: &LoadedTarget, env: &[EnvVar]) -> PlannedTarget {
    let mut hasher = blake3::Hasher::new_derive_key("dtu target program v1");
    for part in &target.target.command {
        if let Ok(bytes) = fs_err::read(program_path(target, &part.value)) {
            hasher.update(&bytes);
        }
        hasher.update(&[0]);
    }
    PlannedTarget {
        name: target.target.name.clone(),
        file: target.path.clone(),
        digest: target.digest.clone(),
        program: hasher.finalize().to_hex().to_string(),
        env: env.iter().filter(|var| !target.is_secret(&var.name)).map(redact::shown_env).collect(),
    }
}

/// A public document as plans hold it. One that cannot be read was refused before.
pub fn planned_document(path: &Path) -> PlannedDocument {
    let bytes = fs_err::read(path).unwrap_or_default();
    PlannedDocument { file: path.display().to_string(), digest: blake3::hash(&bytes).to_hex().to_string() }
}

/// A program or argument that names a file relative to the target file.
pub fn program_path(target: &LoadedTarget, text: &str) -> std::path::PathBuf {
    target.dir.join(Path::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_shards_are_read_as_they_are_written() {
        let key: Key = "access.self/7f3a/2".parse().expect("is a key");
        assert_eq!(key.to_string(), "access.self/7f3a/2");
        for text in ["", "a", "a/b", "a/b/0", "a/b/x", "//1"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
        assert_eq!("2/8".parse::<Shard>().map(|shard| shard.to_string()), Ok("2/8".to_owned()));
        for text in ["", "1", "0/2", "3/2", "a/b"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
