//! Verdicts on made-up pairs of runs.

use super::*;
use crate::{
    plan::{Plan, PlanSchema},
    record::Record,
    verdict::Outcome,
};

/// Of each scenario what came of its one variant, a letter each: satisfied `+`, not `-`, not come up `x`, void `v`.
type Made<'a> = &'a [(&'a str, &'a str)];

fn plan(made: Made<'_>, build: &str) -> Plan {
    let text = str::to_owned;
    let planned = |(id, _): &(&str, &str)| PlannedScenario {
        id: text(id),
        title: text(id),
        area: String::new(),
        tags: Vec::new(),
        weight: 1.0,
        file: text("s.yaml"),
        digest: text("d"),
        sometimes: Vec::new(),
        world: text("w"),
        variants: vec![PlannedVariant { id: text("aa"), label: text("who=lena") }],
    };
    let target = PlannedTarget { name: text(build), ..PlannedTarget::default() };
    Plan {
        schema: PlanSchema::V1,
        version: text("1"),
        digest: text(build),
        target,
        seed: 1,
        seeds: 5,
        shard: None,
        faults: true,
        documents: Vec::new(),
        trajectories: 0,
        scenarios: made.iter().map(planned).collect(),
    }
}

fn records(made: Made<'_>) -> BTreeMap<Key, Record> {
    let mut out = BTreeMap::new();
    for (scenario, outcomes) in made {
        for (n, letter) in (1..).zip(outcomes.chars()) {
            let key = Key { scenario: (*scenario).to_owned(), variant: "aa".to_owned(), n };
            let outcome = match letter {
                '+' => Outcome::Satisfied,
                '-' | 'x' => Outcome::Unsatisfied,
                _ => Outcome::Void,
            };
            let reasons = if letter == 'x' { vec!["it ended before it was ready".to_owned()] } else { Vec::new() };
            let (label, checks) = (String::new(), Vec::new());
            out.insert(
                key.clone(),
                Record {
                    key,
                    label,
                    seed: n,
                    outcome,
                    reasons,
                    checks,
                    seen: Vec::new(),
                    leaks: Vec::new(),
                    reruns: Vec::new(),
                    others: Vec::new(),
                },
            );
        }
    }
    out
}

fn judged(older: Made<'_>, newer: Made<'_>) -> Judged {
    let (plans, found) = ((plan(older, "a"), plan(newer, "b")), (records(older), records(newer)));
    let question = Question { to_prove: BTreeSet::from(["fix".to_owned()]), seeds: 5, most: 20 };
    judge(&question, Arm { plan: &plans.0, records: &found.0 }, Arm { plan: &plans.1, records: &found.1 })
}

fn check(older: Made<'_>, newer: Made<'_>, verdict: Verdict, why: &str, next: &[u64]) {
    let found = judged(older, newer);
    let shown = format!("{older:?} {newer:?}: {:?} {}", found.receipt.verdict, found.receipt.why);
    assert_eq!(found.receipt.verdict, verdict, "{shown}");
    assert!(found.receipt.why.contains(why), "{shown}");
    assert_eq!(found.next.iter().map(|key| key.n).collect::<Vec<_>>(), next, "{shown}");
}

const GOOD: &str = "+++++";
const BAD: &str = "-----";

#[test]
fn verdicts_follow_from_pairs() {
    use Verdict::{CannotRun, NotFixed, NotReproduced, Proven};
    let one = |older: &str, newer: &str, verdict, why: &str, next: &[u64]| {
        check(&[("fix", older)], &[("fix", newer)], verdict, why, next);
    };
    one(BAD, GOOD, Proven, "failed in 5 of 5 trajectories, the newer one in none (p = 0.0312)", &[]);
    one("-----v", "+++++-", Proven, "failed in 5 of 5", &[]);
    one(BAD, BAD, NotFixed, "fix (who=lena): the newer build failed in 5 of 5", &[]);
    one(BAD, "++++-", NotFixed, "failed in 1 of 5", &[]);
    one(GOOD, GOOD, NotReproduced, "failed in none of 5", &[6, 7, 8, 9, 10]);
    one(&"+".repeat(20), &"+".repeat(20), NotReproduced, "failed in none of 20", &[]);
    one("-++++", GOOD, NotReproduced, "failed in 1 of 5 trajectories, which chance explains", &[6, 7, 8, 9, 10]);
    one("-++++-+-+-", &"+".repeat(10), NotReproduced, "failed in 4 of 10", &(11..=20).collect::<Vec<_>>());
    one("-++++-+-+--", &"+".repeat(11), Proven, "failed in 5 of 11", &[]);
    one("vvvvv", GOOD, CannotRun, "nothing was decided on both builds", &[]);
    one("xxxxx", GOOD, CannotRun, "the older build never came up: it ended before it was ready", &[]);
    one(BAD, "xxxxx", CannotRun, "the newer build never came up", &[]);
    one("x----", GOOD, Proven, "failed in 5 of 5", &[]);
    one("", "", CannotRun, "nothing was decided", &[1, 2, 3, 4, 5]);
}

#[test]
fn what_gets_worse_is_confirmed_on_fresh_seeds() {
    use Verdict::{NotReproduced, Proven, RegressedElsewhere};
    let two = |older: &str, newer: &str, verdict, why: &str, next: &[u64]| {
        check(&[("fix", BAD), ("other", older)], &[("fix", GOOD), ("other", newer)], verdict, why, next);
    };
    let fresh: Vec<u64> = (6..=20).collect();
    two(GOOD, BAD, NotReproduced, "being confirmed", &fresh);
    two(GOOD, "++++-", Proven, "", &[]);
    let (long_good, long_bad) = ("+".repeat(20), "-".repeat(20));
    two(&long_good, &long_bad, RegressedElsewhere, "other (who=lena): the newer build failed in 20 of 20", &[]);
    two(&long_good, &("-----".to_owned() + &"+".repeat(15)), Proven, "", &[]);
    // The scenario itself, where the older build was fine.
    check(&[("fix", &long_good)], &[("fix", &long_bad)], RegressedElsewhere, "20 of 20", &[]);
}

#[test]
fn a_receipt_names_all_digests_and_is_sealed() {
    let receipt = judged(&[("fix", BAD), ("a", GOOD)], &[("fix", GOOD), ("a", GOOD)]).receipt;
    assert_eq!(
        receipt.scenarios.iter().map(|s| (s.id.as_str(), s.to_prove)).collect::<Vec<_>>(),
        [("fix", true), ("a", false)]
    );
    assert_eq!((receipt.before.plan.as_str(), receipt.after.plan.as_str()), ("a", "b"));
    assert_eq!(receipt.scenarios[0].variants[0].failed_before.as_deref(), Some("fix/aa/1"));
    let text = serde_json::to_string(&receipt).expect("is written");
    let mut read: Receipt = serde_json::from_str(&text).expect("is read");
    assert_eq!(read, receipt);
    read.seal();
    assert_eq!(read.digest, receipt.digest);
    read.fixed += 1;
    read.seal();
    assert_ne!(read.digest, receipt.digest);
}
