//! Several parts of one run as one: shards, and what was run later.

use std::collections::{BTreeMap, BTreeSet};

use dtu_kernel::diagnostic::Diagnostic;

use crate::{
    plan::{self, Key, Plan, Shard},
    record::Record,
    variant,
};

/// A part of a run: where it lies, what was planned, and what came of it.
#[derive(Debug)]
pub struct Part {
    /// The folder as the user named it.
    pub name: String,
    /// Its plan.
    pub plan: Plan,
    /// Its records.
    pub records: BTreeMap<Key, Record>,
}

/// The plan of the run that these are parts of. That of all shards is the plan of the run that was not sharded.
///
/// # Errors
/// Parts of different runs, each with what differs.
pub fn plan(parts: &[Part]) -> Result<Plan, Vec<Diagnostic>> {
    let Some(first) = parts.first() else { return Err(vec![Diagnostic::whole("merge", "there is nothing to merge")]) };
    let differs = |part: &Part| {
        let what = difference(&first.plan, &part.plan)?;
        let problem =
            Diagnostic::whole(&part.name, format!("this is a part of another run than {}: {what}", first.name));
        Some(problem.hint("only runs of the same scenarios, target, seed and version can be merged"))
    };
    let problems: Vec<Diagnostic> = parts.iter().filter_map(differs).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let planned: BTreeSet<Key> = parts.iter().flat_map(keys).collect();
    let mut plan = first.plan.clone();
    plan.shard = None;
    plan.seeds = parts.iter().map(|part| part.plan.seeds).max().unwrap_or(0);
    plan.trajectories = planned.len() as u64;
    let all = all_keys(&plan, planned.iter().map(|key| key.n).max().unwrap_or(0));
    plan.digest = plan::digest(&plan, all.iter().filter(|key| planned.contains(key)));
    Ok(plan)
}

/// What makes two plans those of different runs; none where they are of one.
fn difference(a: &Plan, b: &Plan) -> Option<String> {
    let scenarios = |plan: &Plan| -> Vec<(String, String, String)> {
        plan.scenarios.iter().map(|s| (s.id.clone(), s.digest.clone(), s.world.clone())).collect()
    };
    let documents = |plan: &Plan| -> Vec<String> { plan.documents.iter().map(|d| d.digest.clone()).collect() };
    let target = |plan: &Plan| (plan.target.digest.clone(), plan.target.program.clone(), plan.target.env.clone());
    if a.version != b.version {
        Some(format!("version {} and {}", a.version, b.version))
    } else if a.seed != b.seed {
        Some(format!("seed {} and {}", a.seed, b.seed))
    } else if target(a) != target(b) {
        Some("its target is another, or was built anew".to_owned())
    } else if scenarios(a) != scenarios(b) {
        Some("its scenarios or their worlds are others".to_owned())
    } else if a.faults != b.faults {
        Some("one of them was without faults".to_owned())
    } else if documents(a) != documents(b) {
        Some("its documents are others".to_owned())
    } else {
        None
    }
}

/// All trajectories of a plan's scenarios up to a number, in the order of runs.
fn all_keys(plan: &Plan, seeds: u64) -> Vec<Key> {
    let of_variant = |scenario: &str, variant: &str| {
        let key = |n| Key { scenario: scenario.to_owned(), variant: variant.to_owned(), n };
        (1..=seeds).map(key).collect::<Vec<Key>>()
    };
    let variants = plan.scenarios.iter().flat_map(|s| s.variants.iter().map(|v| (&s.id, &v.id)));
    variants.flat_map(|(scenario, variant)| of_variant(scenario, variant)).collect()
}

/// The trajectories of a part. A plan does not say which were asked for by name: of such a run it is those that ran.
fn keys(part: &Part) -> Vec<Key> {
    let ours =
        |key: &Key, shard: Shard| variant::shard_of(&key.scenario, &key.variant, key.n, shard.of) == shard.part - 1;
    let mut keys = all_keys(&part.plan, part.plan.seeds);
    keys.retain(|key| part.plan.shard.is_none_or(|shard| ours(key, shard)));
    if keys.len() as u64 == part.plan.trajectories { keys } else { part.records.keys().cloned().collect() }
}

/// The records of all parts, each with the place of its part: the first that has one counts. Where another part has it
/// with another outcome, the record says so.
pub fn records(parts: &[Part]) -> BTreeMap<Key, (usize, Record)> {
    let mut all: BTreeMap<Key, (usize, Record)> = BTreeMap::new();
    for (at, part) in parts.iter().enumerate() {
        for (key, record) in &part.records {
            let (_, kept) = all.entry(key.clone()).or_insert_with(|| (at, record.clone()));
            add_other(kept, record);
        }
    }
    all
}

/// Notes in a record that counts what else came of its trajectory. True where that is news.
pub fn add_other(kept: &mut Record, other: &Record) -> bool {
    let mut found = kept.others.clone();
    found.extend([other.outcome].iter().chain(&other.others));
    found.retain(|outcome| *outcome != kept.outcome);
    found.sort_unstable();
    found.dedup();
    let is_news = found != kept.others;
    kept.others = found;
    is_news
}
