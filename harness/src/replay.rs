//! Replays of trajectories: the recorded requests put back into the twins, and a new process beside a recorded one.

use std::{collections::BTreeMap, sync::Arc};

use dtu_kernel::{
    clock::ClockMode,
    host::Host,
    replay::{self, Difference, Unable, first_difference},
    universe::{Options, Universe},
    world::World,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    bundle::Bundle,
    facts::{self, Entry},
    redact::Reveal,
    verdict::{Moment, Outcome},
};

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replayed {
    /// The format.
    pub schema: ReplaySchema,
    /// The trajectory, as reports name it.
    pub trajectory: String,
    /// Its seed.
    pub seed: u64,
    /// The version of the program that recorded it.
    pub recorded_by: String,
    /// Ledger entries recorded.
    pub entries: u64,
    /// Calls of the target among them.
    pub calls: u64,
    /// What came of the recorded trajectory.
    pub outcome: Outcome,
    /// What came of the new one; none where requests were replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_now: Option<Outcome>,
    /// The first place where it came out otherwise; none where there is none.
    pub difference: Option<Divergence>,
}

/// The one known version of what replays print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReplaySchema {
    /// `dtu/replay/v1`
    #[serde(rename = "dtu/replay/v1")]
    V1,
}

/// A place where two courses part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Divergence {
    /// The position in the recorded ledger.
    pub seq: u64,
    /// The recorded moment there; none where it did not happen before.
    pub moment: Option<Moment>,
    /// What differs: a place in the entry, or in words.
    pub place: String,
    /// What was recorded; null where nothing was.
    pub recorded: Value,
    /// What there is now; null where there is nothing.
    pub now: Value,
}

/// Why there is no replay.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The evidence cannot be read.
    #[error("the evidence is not whole: {0}")]
    Evidence(#[from] std::io::Error),
    /// What is recorded cannot be done again.
    #[error("it cannot be replayed beyond {0}")]
    Unable(#[from] Unable),
    /// The world.
    #[error("the world cannot be loaded: {0}")]
    World(String),
}

/// Puts recorded requests back into twins that begin as the recorded ones did. Must not be called where a runtime is
/// at work: nothing may happen by itself. `texts` are those of the files that the trajectory was made of: secrets that
/// the bundle does not hold may be in them.
///
/// # Errors
/// [`Failure`].
pub fn recorded(
    bundle: &Bundle,
    twins: &Arc<[Arc<dyn Host>]>,
    world: World,
    texts: &[String],
) -> Result<Replayed, Failure> {
    let manifest = &bundle.manifest;
    let recording = bundle.recording()?;
    let (_, start) = bundle.time(&recording.entries);
    let options = Options { seed: manifest.run.seed, clock: ClockMode::Stepped, start, ..Options::default() };
    let said = |problems: Vec<dtu_kernel::diagnostic::Diagnostic>| {
        Failure::World(problems.first().map(ToString::to_string).unwrap_or_default())
    };
    let master = Universe::create("master", Arc::clone(twins), Arc::new(world), &options).map_err(said)?;
    let universe = master.fork(manifest.key.to_string(), Some(manifest.seed));
    for (slot, twin) in twins.iter().enumerate() {
        if let Some(origin) = manifest.about.origins.get(twin.name()) {
            universe.set_origin(slot, origin.as_str());
        }
    }
    let ledger = recording.entries.clone();
    let mut reveal = Reveal::new(&universe, texts.iter().map(String::as_str).chain([universe.world().text()]));
    reveal.unseal(&bundle.sealed(), universe.world().text());
    let difference = replay::replay_veiled(&universe, recording, &mut reveal)?;
    let entries = facts::numbered(twins, ledger);
    let difference = difference.map(|difference| divergence(&entries, difference));
    Ok(replayed(bundle, &entries, difference))
}

fn replayed(bundle: &Bundle, entries: &[Entry], difference: Option<Divergence>) -> Replayed {
    let manifest = &bundle.manifest;
    let calls = entries.iter().filter(|entry| entry.json["kind"] == "request").count();
    Replayed {
        schema: ReplaySchema::V1,
        trajectory: manifest.key.to_string(),
        seed: manifest.seed,
        recorded_by: manifest.version.clone(),
        entries: entries.len() as u64,
        calls: calls as u64,
        outcome: manifest.outcome,
        outcome_now: None,
        difference,
    }
}

/// Bodies are texts to the ledger; of those that are JSON, the place within is told.
fn divergence(entries: &[Entry], found: Difference) -> Divergence {
    let Difference { seq, mut place, mut recorded, mut replayed } = found;
    let parsed = |value: &Value| value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let (Some(a), Some(b)) = (parsed(&recorded), parsed(&replayed))
        && let Some((within, a, b)) = first_difference(&a, &b)
    {
        place = format!("{place}, {within}");
        (recorded, replayed) = (a, b);
    }
    let at = entries.iter().find(|entry| entry.seq == seq);
    Divergence { seq, moment: at.map(Entry::moment), place, recorded, now: replayed }
}

/// Sets a recorded trajectory beside a new one of the same scenario, variant and seed. The order in which things
/// happened is not compared, as it is the machine's: the nth of each kind is held against the nth.
///
/// # Errors
/// Evidence that cannot be read.
pub fn live(older: &Bundle, newer: &Bundle, twins: &[Arc<dyn Host>]) -> Result<Replayed, Failure> {
    let (before, now) = (facts::numbered(twins, older.ledger()?), facts::numbered(twins, newer.ledger()?));
    let difference = first_divergence(&before, &now);
    let mut replayed = replayed(older, &before, difference);
    replayed.outcome_now = Some(newer.manifest.outcome);
    Ok(replayed)
}

type Kind<'a> = (&'a str, &'a str, &'a str, u64);

fn kind(entry: &Entry) -> Kind<'_> {
    (&entry.principal, &entry.twin, &entry.what, entry.nth)
}

/// What is compared: what people and the story did, what the target called, and what was sent to it.
fn is_compared(entry: &Entry) -> bool {
    matches!(entry.json["kind"].as_str(), Some("request" | "delivery" | "affordance" | "fault" | "act" | "answer"))
}

fn first_divergence(before: &[Entry], now: &[Entry]) -> Option<Divergence> {
    let by_kind = |entries| -> BTreeMap<Kind<'_>, &Entry> {
        let entries: std::slice::Iter<'_, Entry> = entries;
        entries.filter(|entry| is_compared(entry)).map(|entry| (kind(entry), entry)).collect()
    };
    let (old_kinds, new_kinds) = (by_kind(before.iter()), by_kind(now.iter()));
    let text = |entry: &Entry| Value::from(entry.moment().shows);
    let lost = before.iter().filter(|entry| is_compared(entry)).find_map(|entry| match new_kinds.get(&kind(entry)) {
        None => Some((entry, "it does not happen", text(entry), Value::Null)),
        Some(new) if new.moment().shows != entry.moment().shows => {
            Some((entry, "it comes out otherwise", text(entry), text(new)))
        }
        Some(_) => None,
    });
    let added = now.iter().find(|entry| is_compared(entry) && !old_kinds.contains_key(&kind(entry)));
    let share = |seq: u64, of: &[Entry]| seq.saturating_mul(1_000_000) / (of.len() as u64).max(1);
    match (lost, added) {
        (Some((old, place, recorded, new)), added)
            if added.is_none_or(|added| share(old.seq, before) <= share(added.seq, now)) =>
        {
            Some(Divergence { seq: old.seq, moment: Some(old.moment()), place: place.to_owned(), recorded, now: new })
        }
        (_, Some(new)) => Some(Divergence {
            seq: new.seq,
            moment: Some(new.moment()),
            place: "it did not happen before".to_owned(),
            recorded: Value::Null,
            now: text(new),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
