//! Admissions of made-up runs.

use std::collections::BTreeMap;

use super::*;
use crate::{
    plan::{Key, Plan, PlanSchema, PlannedVariant},
    verdict::CheckResult,
};

fn plan() -> Plan {
    let text = str::to_owned;
    let scenario = PlannedScenario {
        id: text("s"),
        title: text("s"),
        area: String::new(),
        tags: Vec::new(),
        weight: 1.0,
        file: text("s.yaml"),
        digest: text("d"),
        sometimes: Vec::new(),
        world: text("w"),
        variants: vec![PlannedVariant { id: text("aa"), label: String::new() }],
    };
    Plan {
        schema: PlanSchema::V1,
        version: text("1"),
        digest: text("p"),
        target: PlannedTarget::default(),
        seed: 1,
        seeds: 2,
        shard: None,
        faults: true,
        documents: Vec::new(),
        trajectories: 0,
        scenarios: vec![scenario],
    }
}

/// Trajectories by what came of the checks `done` and `safe` in each: `++`, `-+`; `v` for void.
fn records(trajectories: &[&str]) -> BTreeMap<Key, Record> {
    let record = |(n, letters): (u64, &&str)| {
        let key = Key { scenario: "s".to_owned(), variant: "aa".to_owned(), n };
        let roles = [("done", Role::Must), ("safe", Role::Guard)];
        let check = |((name, role), letter): ((&str, Role), char)| CheckResult {
            name: name.to_owned(),
            role,
            weight: 1.0,
            held: if letter == '+' { Held::Yes } else { Held::No },
            why: String::new(),
            moments: Vec::new(),
        };
        let (outcome, checks) = match *letters {
            "v" => (Outcome::Void, Vec::new()),
            "++" => (Outcome::Satisfied, roles.into_iter().zip(letters.chars()).map(check).collect()),
            _ => (Outcome::Unsatisfied, roles.into_iter().zip(letters.chars()).map(check).collect()),
        };
        (
            key.clone(),
            Record {
                key,
                label: String::new(),
                seed: n,
                outcome,
                reasons: Vec::new(),
                checks,
                seen: Vec::new(),
                leaks: Vec::new(),
                reruns: Vec::new(),
                others: Vec::new(),
            },
        )
    };
    (1..).zip(trajectories).map(record).collect()
}

fn admitted(parts: &[(Part, &[&str], u64)]) -> Admission {
    let plan = plan();
    let all: Vec<BTreeMap<Key, Record>> = parts.iter().map(|(_, made, _)| records(made)).collect();
    let mut casts = Vec::new();
    for ((part, _, acts), records) in parts.iter().zip(&all) {
        let arm = Arm { plan: &plan, records };
        casts.push(Cast {
            part: *part,
            name: part.name().to_owned(),
            arm,
            acts: vec![*acts],
            not_applicable: Vec::new(),
            fails: Vec::new(),
        });
    }
    admit(&casts).expect("has an oracle")
}

#[test]
fn the_oracle_must_satisfy_and_nobody_else_may() {
    use Part::{Injector, Liar, Nop, Oracle, ScorchedEarth};
    let check = |part: Part, made: &[&str], acts: u64, ruling: Ruling, why: &str| {
        let found = admitted(&[(Oracle, &["++", "++"], 0), (part, made, acts)]);
        let score = &found.scenarios[0].targets[1];
        assert_eq!((score.ruling, found.ruling), (ruling, ruling), "{part:?} {made:?}");
        assert!(score.why.contains(why), "{score:?}");
    };
    check(Nop, &["-+", "-+"], 0, Ruling::Admitted, "");
    check(Nop, &["-+", "++"], 0, Ruling::Refused, "must score 0");
    check(Nop, &["v", "v"], 0, Ruling::Open, "nothing was decided");
    check(Liar, &["++"], 1, Ruling::Refused, "must score 0");
    check(ScorchedEarth, &["++"], 0, Ruling::Open, "found no harm to do");
    check(ScorchedEarth, &["+-"], 3, Ruling::Admitted, "");
    check(Injector, &["v", "-+"], 1, Ruling::Admitted, "");
    check(Nop, &[], 0, Ruling::Open, "it was not run");
    let found = admitted(&[(Oracle, &["++", "-+"], 0)]);
    assert_eq!(
        (found.ruling, found.scenarios[0].targets[0].why.as_str()),
        (Ruling::Refused, "must reach 0.95: `done`")
    );
}

#[test]
fn where_a_part_cannot_be_played_that_is_said() {
    let (plan, good, none) = (plan(), records(&["++"]), BTreeMap::new());
    let cast = |part: Part, records, left_out: u64| {
        let (name, arm, not_applicable) = (part.name().to_owned(), Arm { plan: &plan, records }, vec![left_out]);
        Cast { part, name, arm, acts: vec![0], not_applicable, fails: Vec::new() }
    };
    let check = |liar: Cast<'_>, wanted: (Ruling, u64, &str)| {
        let found = admit(&[cast(Part::Oracle, &good, 0), liar]).expect("has an oracle");
        let score = &found.scenarios[0].targets[1];
        assert_eq!((score.ruling, score.not_applicable), (wanted.0, wanted.1));
        assert!(score.why.contains(wanted.2), "{}", score.why);
    };
    check(cast(Part::Liar, &none, 2), (Ruling::Admitted, 2, "not applicable"));
    check(cast(Part::Liar, &none, 0), (Ruling::Open, 0, "not run"));
    // Where it was played at all, it is judged by that.
    check(cast(Part::Liar, &good, 1), (Ruling::Refused, 1, "must score 0"));
}

#[test]
fn too_few_killed_mutants_refuse_a_scenario() {
    let check = |score: Option<f64>, least: f64, wanted: Ruling| {
        let mut found = admitted(&[(Part::Oracle, &["++"], 0), (Part::Nop, &["-+"], 0)]);
        found.scenarios[0].mutation_score = score;
        found.deny_below(least);
        assert_eq!((found.ruling, found.scenarios[0].ruling), (wanted, wanted), "{score:?} {least}");
    };
    check(Some(0.8), 0.8, Ruling::Admitted);
    check(Some(0.79), 0.8, Ruling::Refused);
    check(None, 0.1, Ruling::Refused);
}

#[test]
fn a_check_that_nobody_fails_is_inert() {
    use Part::{Liar, Nop, Oracle, ScorchedEarth};
    let worth = |parts: &[(Part, &[&str], u64)], name: &str| {
        let found = admitted(parts);
        let worth = found.scenarios[0].checks.iter().find(|worth| worth.name == name).expect("is there");
        (worth.inert, worth.fails.join(" "), worth.decides.join(" "), worth.no_op)
    };
    let parts: [(Part, &[&str], u64); 3] = [(Oracle, &["++"], 0), (Nop, &["-+"], 0), (Liar, &["--"], 1)];
    assert_eq!(worth(&parts, "done"), (false, "nop liar".to_owned(), "nop".to_owned(), NoOp::Fail));
    assert_eq!(worth(&parts, "safe"), (false, "liar".to_owned(), String::new(), NoOp::Pass));
    assert!(worth(&[(Oracle, &["++"], 0), (Nop, &["-+"], 0)], "safe").0);
    assert!(!worth(&[(Oracle, &["++"], 0), (ScorchedEarth, &["+-"], 0)], "safe").0);
    assert_eq!(worth(&[(Oracle, &["++"], 0)], "safe").3, NoOp::Unseen);
}

#[test]
fn a_defective_program_is_told_from_the_oracle() {
    use Part::{Defective, Oracle};
    let by_ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<String>>();
    let check = |oracle: &[&str], made: &[&str], ruling: Ruling, by: &[&str]| {
        let found = admitted(&[(Oracle, oracle, 0), (Defective, made, 0)]);
        let told = &found.defective[0];
        assert_eq!(
            (told.ruling, found.ruling, told.by.as_slice()),
            (ruling, ruling, by_ids(by).as_slice()),
            "{made:?}"
        );
    };
    check(&["++", "++"], &["-+", "+-"], Ruling::Admitted, &["s"]);
    check(&["++", "++", "++"], &["++", "--", "--"], Ruling::Admitted, &["s"]);
    // Half is not more than half.
    check(&["++", "++"], &["++", "--"], Ruling::Refused, &[]);
    check(&["++", "++"], &["++", "++"], Ruling::Refused, &[]);
    // What was never decided tells nothing.
    check(&["++"], &["v"], Ruling::Refused, &[]);
}

#[test]
fn each_scenario_that_is_to_tell_a_program_must() {
    let (mut plan, good, bad) = (plan(), records(&["++"]), records(&["--"]));
    plan.scenarios.push(PlannedScenario { id: "other".to_owned(), ..plan.scenarios[0].clone() });
    let cast = |part: Part, records, fails: &[&str]| {
        let fails = fails.iter().map(|id| (*id).to_owned()).collect();
        Cast {
            part,
            name: "bad".to_owned(),
            arm: Arm { plan: &plan, records },
            acts: Vec::new(),
            not_applicable: Vec::new(),
            fails,
        }
    };
    let found = admit(&[cast(Part::Oracle, &good, &[]), cast(Part::Defective, &bad, &["s"])]).expect("has an oracle");
    assert_eq!((found.defective[0].ruling, found.scenarios[1].targets.len()), (Ruling::Admitted, 1));
    let wanted = cast(Part::Defective, &bad, &["s", "other"]);
    let found = admit(&[cast(Part::Oracle, &good, &[]), wanted]).expect("has an oracle");
    assert_eq!(
        (found.defective[0].ruling, found.defective[0].not_by.as_slice()),
        (Ruling::Refused, ["other".to_owned()].as_slice())
    );
}
