//! Proof of a fix: whether one build fails a scenario and the other does not, on the same variants, seeds and faults.
//!
//! It is a function of plans and records alone. What counts are pairs: the same trajectory on both builds.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    pairing::{Arm, Pair, satisfied},
    plan::{Key, PlannedDocument, PlannedScenario, PlannedTarget, PlannedVariant},
    record::Record,
    stats::{
        as_float,
        paired::{fisher, is_suspect},
        rounded,
    },
};

/// Below this, chance alone does not explain that each trajectory that changed has changed for the better: one-sided
/// sign test. As a single failure of the newer build ends the proof, looking several times costs nothing.
const SIGN_P: f64 = 0.05;
/// What reasons say of a target that did not come up: see `trajectory`.
const NOT_READY: [&str; 2] = ["before it was ready", "was not ready within"];
/// A drop of a variant's fraction that is looked into, as in gates.
const SCREEN: f64 = 0.30;
/// Fresh pairs that confirm it, and below which they do.
const CONFIRM: u64 = 15;
const CONFIRM_P: f64 = 0.01;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The older build fails, the newer one does not, and chance does not explain it.
    Proven,
    /// The older build does not fail, or too seldom to show anything.
    NotReproduced,
    /// The newer build fails where the older one does.
    NotFixed,
    /// The newer build fails where the older one does not.
    RegressedElsewhere,
    /// Nothing could be compared.
    CannotRun,
}

impl Verdict {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Proven => 0,
            Self::NotFixed | Self::RegressedElsewhere => 1,
            Self::CannotRun => 3,
            Self::NotReproduced => 4,
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::NotReproduced => "not reproduced",
            Self::NotFixed => "not fixed",
            Self::RegressedElsewhere => "regressed elsewhere",
            Self::CannotRun => "cannot run",
        }
    }
}

/// What was shown, of which builds, and by what. Holds nothing of the machine: who runs the same has the same receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The format.
    pub schema: ReceiptSchema,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub why: String,
    /// The version of the program.
    pub version: String,
    /// The seed of both runs.
    pub seed: u64,
    /// Whether the scenarios' fault rules were armed.
    pub faults: bool,
    /// The older build.
    pub before: Build,
    /// The newer build.
    pub after: Build,
    /// Public documents of which twins were served.
    pub documents: Vec<PlannedDocument>,
    /// Pairs of the scenarios to prove in which the older build failed and the newer one did not.
    pub fixed: u64,
    /// How likely so many of them would be by chance alone.
    pub p: Option<f64>,
    /// The scenarios, those to prove first.
    pub scenarios: Vec<ScenarioProof>,
    /// A hash of all of the above.
    pub digest: String,
}

/// The one known version of receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReceiptSchema {
    /// `dtu/receipt/v1`
    #[serde(rename = "dtu/receipt/v1")]
    V1,
}

/// A build, by its digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Build {
    /// The target and its program.
    pub target: PlannedTarget,
    /// The digest of the plan of its run.
    pub plan: String,
}

/// What was seen of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioProof {
    /// Its id.
    pub id: String,
    /// Its file, as the user named it.
    pub file: String,
    /// A hash of the file.
    pub digest: String,
    /// A hash of its world.
    pub world: String,
    /// Whether it is to be proven; else it only must not get worse.
    pub to_prove: bool,
    /// Its variants.
    pub variants: Vec<VariantProof>,
}

/// What was seen of a variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariantProof {
    /// Its id.
    pub id: String,
    /// The values of its parameters.
    pub label: String,
    /// Trajectories decided on both builds.
    pub pairs: u64,
    /// Of these, satisfied on the older build.
    pub before: u64,
    /// Of these, satisfied on the newer build.
    pub after: u64,
    /// Trajectories that one of both builds did not decide.
    pub void: u64,
    /// Whether it got worse, as fresh seeds confirm.
    pub regressed: bool,
    /// The first trajectory in which the older build failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_before: Option<String>,
    /// The first trajectory in which the newer build failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_after: Option<String>,
}

/// A verdict, and what may still change it.
#[derive(Debug)]
pub struct Judged {
    /// What is known so far.
    pub receipt: Receipt,
    /// Trajectories, of both builds, that may bring more.
    pub next: BTreeSet<Key>,
}

/// What is to be proven.
#[derive(Debug, Clone)]
pub struct Question {
    /// The ids of the scenarios to prove; all others only must not get worse.
    pub to_prove: BTreeSet<String>,
    /// Trajectories of each variant to begin with.
    pub seeds: u64,
    /// Trajectories of each variant at most, to show what happens seldom.
    pub most: u64,
}

/// What a variant's pairs say, with its place.
struct Seen<'a> {
    scenario: &'a PlannedScenario,
    variant: &'a PlannedVariant,
    proof: VariantProof,
    /// How many trajectories both builds have.
    run: u64,
    /// Whether fresh pairs are wanted.
    wants_fresh: bool,
    /// Which build never came up, and how.
    never_up: Option<String>,
}

/// Judges what two builds have shown so far.
pub fn judge(question: &Question, before: Arm<'_>, after: Arm<'_>) -> Judged {
    let scenarios = after.plan.scenarios.iter();
    let all = scenarios.flat_map(|scenario| scenario.variants.iter().map(move |variant| (scenario, variant)));
    let seen: Vec<Seen<'_>> = all.map(|(scenario, variant)| look(question, scenario, variant, before, after)).collect();
    let (verdict, why, next) = conclude(question, &seen);
    let fixed = changed_for_better(question, &seen);
    let mut receipt = Receipt {
        schema: ReceiptSchema::V1,
        verdict,
        why,
        version: after.plan.version.clone(),
        seed: after.plan.seed,
        faults: after.plan.faults,
        before: Build { target: before.plan.target.clone(), plan: before.plan.digest.clone() },
        after: Build { target: after.plan.target.clone(), plan: after.plan.digest.clone() },
        documents: after.plan.documents.clone(),
        fixed,
        p: (fixed > 0).then(|| rounded(sign(fixed))),
        scenarios: proofs(question, after, seen),
        digest: String::new(),
    };
    receipt.seal();
    Judged { receipt, next }
}

impl Receipt {
    /// Of builds of which one cannot be run at all.
    pub fn cannot_run(why: String) -> Self {
        let mut receipt = Self {
            schema: ReceiptSchema::V1,
            verdict: Verdict::CannotRun,
            why,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: 0,
            faults: true,
            before: Build::default(),
            after: Build::default(),
            documents: Vec::new(),
            fixed: 0,
            p: None,
            scenarios: Vec::new(),
            digest: String::new(),
        };
        receipt.seal();
        receipt
    }

    /// Puts the hash of all else in.
    pub fn seal(&mut self) {
        self.digest = String::new();
        let text = serde_json::to_vec(self).unwrap_or_default();
        self.digest = blake3::hash(&text).to_hex().to_string();
    }
}

fn proofs(question: &Question, after: Arm<'_>, seen: Vec<Seen<'_>>) -> Vec<ScenarioProof> {
    let mut by_scenario: BTreeMap<String, Vec<VariantProof>> = BTreeMap::new();
    for seen in seen {
        by_scenario.entry(seen.scenario.id.clone()).or_default().push(seen.proof);
    }
    let proof = |scenario: &PlannedScenario| ScenarioProof {
        id: scenario.id.clone(),
        file: scenario.file.clone(),
        digest: scenario.digest.clone(),
        world: scenario.world.clone(),
        to_prove: question.to_prove.contains(&scenario.id),
        variants: by_scenario.remove(&scenario.id).unwrap_or_default(),
    };
    let mut proofs: Vec<ScenarioProof> = after.plan.scenarios.iter().map(proof).collect();
    proofs.sort_by_key(|proof| !proof.to_prove);
    proofs
}

/// What both builds made of a variant.
fn look<'a>(
    question: &Question,
    scenario: &'a PlannedScenario,
    variant: &'a PlannedVariant,
    before: Arm<'_>,
    after: Arm<'_>,
) -> Seen<'a> {
    let key = |n| Key { scenario: scenario.id.clone(), variant: variant.id.clone(), n };
    let both = |n: &u64| before.records.contains_key(&key(*n)) && after.records.contains_key(&key(*n));
    let ran: Vec<u64> = (1..=u64::MAX).take_while(both).collect();
    let outcome = |arm: Arm<'_>, n: u64| arm.records.get(&key(n)).and_then(satisfied);
    let pair = |n: &u64| Some(Pair { n: *n, older: outcome(before, *n)?, newer: outcome(after, *n)? });
    let pairs: Vec<Pair> = ran.iter().filter_map(pair).collect();
    let count = |holds: fn(&Pair) -> bool| pairs.iter().filter(|pair| holds(pair)).count() as u64;
    let first = |failed: fn(&Pair) -> bool| pairs.iter().find(|p| failed(p)).map(|p| key(p.n).to_string());
    let (regressed, wants_fresh) = regression(question, &pairs);
    let proof = VariantProof {
        id: variant.id.clone(),
        label: variant.label.clone(),
        pairs: pairs.len() as u64,
        before: count(|pair| pair.older),
        after: count(|pair| pair.newer),
        void: (ran.len() - pairs.len()) as u64,
        regressed,
        failed_before: first(|pair| !pair.older),
        failed_after: first(|pair| !pair.newer),
    };
    let never_up = [("older", before), ("newer", after)].into_iter().find_map(|(which, arm)| {
        let records: Vec<&Record> = ran.iter().filter_map(|n| arm.records.get(&key(*n))).collect();
        let down = |record: &&Record| {
            record.reasons.iter().find(|why| NOT_READY.iter().any(|said| why.contains(said))).cloned()
        };
        let all = !records.is_empty() && records.iter().all(|record| down(record).is_some());
        all.then(|| format!("the {which} build never came up: {}", records.first().and_then(down).unwrap_or_default()))
    });
    Seen { scenario, variant, proof, run: ran.len() as u64, wants_fresh, never_up }
}

/// Whether a variant got worse, by pairs that had no part in raising the suspicion; and whether more of them are
/// wanted to tell.
fn regression(question: &Question, pairs: &[Pair]) -> (bool, bool) {
    let (screened, fresh): (Vec<Pair>, Vec<Pair>) = pairs.iter().copied().partition(|p| p.n <= question.seeds);
    let counts = |pairs: &[Pair]| {
        let count = |holds: fn(&Pair) -> bool| pairs.iter().filter(|pair| holds(pair)).count() as u64;
        (count(|pair| pair.older), count(|pair| pair.newer), pairs.len() as u64)
    };
    let (older, newer, of) = counts(&screened);
    if !is_suspect(older, newer, of, SCREEN) {
        return (false, false);
    }
    let (older, newer, of) = counts(&fresh);
    // Voids among fresh pairs are not made up for for ever.
    if of < CONFIRM {
        return (false, true);
    }
    (fisher(older, newer, of) < CONFIRM_P, false)
}

/// Pairs of what is to be proven that changed for the better.
fn changed_for_better(question: &Question, seen: &[Seen<'_>]) -> u64 {
    // Where the newer build never failed, each failure of the older one is such a pair.
    concerned(question, seen).map(|seen| seen.proof.after.saturating_sub(seen.proof.before)).sum()
}

fn concerned<'s, 'a>(question: &'s Question, seen: &'s [Seen<'a>]) -> impl Iterator<Item = &'s Seen<'a>> {
    seen.iter().filter(|seen| question.to_prove.contains(&seen.scenario.id))
}

/// How likely a fair coin falls so many times on the same side.
fn sign(times: u64) -> f64 {
    0.5_f64.powi(i32::try_from(times).unwrap_or(i32::MAX))
}

fn name(seen: &Seen<'_>) -> String {
    let Seen { scenario, variant, .. } = seen;
    if variant.label.is_empty() { scenario.id.clone() } else { format!("{} ({})", scenario.id, variant.label) }
}

fn conclude(question: &Question, seen: &[Seen<'_>]) -> (Verdict, String, BTreeSet<Key>) {
    let more = |which: &dyn Fn(&Seen<'_>) -> bool, wanted: &dyn Fn(&Seen<'_>) -> u64| -> BTreeSet<Key> {
        let keys = |seen: &Seen<'_>| {
            let key = |n| Key { scenario: seen.scenario.id.clone(), variant: seen.variant.id.clone(), n };
            (seen.run + 1..=wanted(seen)).map(key).collect::<Vec<Key>>()
        };
        seen.iter().filter(|seen| which(seen)).flat_map(keys).collect()
    };
    if let Some(silent) = seen.iter().find(|seen| seen.proof.pairs == 0) {
        let next = more(&|seen| seen.run == 0, &|_| question.seeds);
        let why = format!("{}: nothing was decided on both builds", name(silent));
        return (Verdict::CannotRun, why, next);
    }
    if let Some(why) = seen.iter().find_map(|seen| seen.never_up.clone()) {
        return (Verdict::CannotRun, why, BTreeSet::new());
    }
    let counts = |seen: &Seen<'_>, of: &str, good: u64| {
        format!("{}: {of} build failed in {} of {}", name(seen), seen.proof.pairs - good, seen.proof.pairs)
    };
    let fails_in = |seen: &Seen<'_>| seen.proof.after < seen.proof.pairs && seen.proof.before < seen.proof.pairs;
    if let Some(seen) = concerned(question, seen).find(|seen| fails_in(seen)) {
        return (Verdict::NotFixed, counts(seen, "the newer", seen.proof.after), BTreeSet::new());
    }
    let next = more(&|seen| seen.wants_fresh, &|seen| (seen.run + CONFIRM).min(question.seeds + 2 * CONFIRM));
    if !next.is_empty() {
        return (Verdict::NotReproduced, "a drop is being confirmed on fresh seeds".to_owned(), next);
    }
    if let Some(seen) = seen.iter().find(|seen| seen.proof.regressed) {
        return (Verdict::RegressedElsewhere, counts(seen, "the newer", seen.proof.after), BTreeSet::new());
    }
    reproduced(question, seen, &more)
}

type More<'s> = dyn Fn(&dyn Fn(&Seen<'_>) -> bool, &dyn Fn(&Seen<'_>) -> u64) -> BTreeSet<Key> + 's;

/// Whether the older build failed often enough to say something, where the newer one does not fail where it did.
fn reproduced(question: &Question, seen: &[Seen<'_>], more: &More<'_>) -> (Verdict, String, BTreeSet<Key>) {
    let fixed = changed_for_better(question, seen);
    let pairs: u64 = concerned(question, seen).map(|seen| seen.proof.pairs).sum();
    let strays = concerned(question, seen).any(|seen| seen.proof.after < seen.proof.pairs);
    if fixed > 0 && sign(fixed) < SIGN_P && !strays {
        let p = sign(fixed);
        let why =
            format!("the older build failed in {fixed} of {pairs} trajectories, the newer one in none (p = {p:.4})");
        return (Verdict::Proven, why, BTreeSet::new());
    }
    let to_prove = |seen: &Seen<'_>| question.to_prove.contains(&seen.scenario.id);
    let next = more(&to_prove, &|seen| (seen.run * 2).min(question.most));
    let why = if fixed == 0 {
        format!("the older build failed in none of {pairs} trajectories")
    } else if strays {
        format!("both builds fail now and then: the older one in {fixed} of {pairs} trajectories more")
    } else {
        format!("the older build failed in {fixed} of {pairs} trajectories, which chance explains")
    };
    (Verdict::NotReproduced, why, next)
}

/// How likely a variant satisfies on each build, for people.
pub fn shares(proof: &VariantProof) -> (f64, f64) {
    let of = as_float(proof.pairs.max(1));
    (as_float(proof.before) / of, as_float(proof.after) / of)
}

#[cfg(test)]
mod tests;
