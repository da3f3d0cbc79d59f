//! Reports on fixed data.

use std::{collections::BTreeMap, path::Path};

use super::{Report, json, junit, markdown, text};
use crate::{
    gate, gates,
    pairing::Arm,
    plan::{Key, Plan, PlanSchema, PlannedDocument, PlannedScenario, PlannedTarget, PlannedVariant},
    record::Record,
    scenario::Role,
    summary::{Summary, Verdict},
    verdict::{CheckResult, Held, Moment, Outcome},
};

fn planned(id: &str, title: &str, weight: f64, variants: &[(&str, &str)]) -> PlannedScenario {
    let variant = |(id, label): &(&str, &str)| PlannedVariant { id: (*id).to_owned(), label: (*label).to_owned() };
    PlannedScenario {
        id: id.to_owned(),
        title: title.to_owned(),
        area: "access".to_owned(),
        tags: Vec::new(),
        weight,
        file: format!("scenarios/{id}.yaml"),
        digest: "d".to_owned(),
        sometimes: Vec::new(),
        world: "acme".to_owned(),
        variants: variants.iter().map(variant).collect(),
    }
}

fn plan() -> Plan {
    let file = |text: &str| text.to_owned();
    Plan {
        schema: PlanSchema::V1,
        version: file("0.1.0"),
        digest: file("abc"),
        target: PlannedTarget {
            env: Vec::new(),
            name: file("access-bot"),
            file: file("my targets/bot.yaml"),
            digest: file("t"),
            program: file("p"),
        },
        seed: 7,
        seeds: 2,
        shard: None,
        faults: true,
        documents: vec![PlannedDocument { file: file("shop.yaml"), digest: file("d") }],
        trajectories: 8,
        scenarios: vec![
            planned(
                "access.approved",
                "Who is approved gets access",
                3.0,
                &[("aa", "who=lena"), ("bb", "who=<b>omar|x")],
            ),
            planned("access.gap", "A story that a twin cannot tell", 1.0, &[("cc", "")]),
            planned("access.self", "Nobody decides on themselves", 1.0, &[("dd", "")]),
        ],
    }
}

fn check(name: &str, role: Role, held: Held, why: &str) -> CheckResult {
    let moment = Moment {
        seq: 17,
        principal: "target".to_owned(),
        twin: "okta".to_owned(),
        what: "assignUserToGroup".to_owned(),
        nth: 2,
        shows: "PUT /api/v1/groups/*/users/* 204".to_owned(),
    };
    let moments = if held == Held::No { vec![moment] } else { Vec::new() };
    CheckResult { name: name.to_owned(), role, weight: 1.0, held, why: why.to_owned(), moments }
}

fn records() -> BTreeMap<Key, Record> {
    let mut records = BTreeMap::new();
    let mut add =
        |scenario: &str, variant: &str, label: &str, n, outcome, reasons: &[&str], checks: Vec<CheckResult>| {
            let key = Key { scenario: scenario.to_owned(), variant: variant.to_owned(), n };
            let reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
            let record = Record {
                key: key.clone(),
                label: label.to_owned(),
                seed: 100 + n,
                outcome,
                reasons,
                checks,
                seen: Vec::new(),
                leaks: Vec::new(),
                reruns: Vec::new(),
                others: Vec::new(),
            };
            records.insert(key, record);
        };
    let good = || vec![check("one grant", Role::Must, Held::Yes, "")];
    let twice = || {
        vec![
            check("one grant", Role::Must, Held::No, "2 entries fit, at most 1 may"),
            check("polite", Role::Should, Held::No, "it took too long"),
            check("log", Role::Info, Held::No, "nobody minds"),
        ]
    };
    add("access.approved", "aa", "who=lena", 1, Outcome::Satisfied, &[], good());
    add("access.approved", "aa", "who=lena", 2, Outcome::Unsatisfied, &[], twice());
    add("access.approved", "bb", "who=<b>omar|x", 1, Outcome::Unsatisfied, &[], twice());
    add("access.approved", "bb", "who=<b>omar|x", 2, Outcome::Satisfied, &[], good());
    let gap = "the okta twin does not serve `GET /api/v1/zones`: a gap in its coverage";
    add("access.gap", "cc", "", 1, Outcome::Void, &[gap], good());
    add("access.gap", "cc", "", 2, Outcome::Void, &[gap], good());
    add("access.self", "dd", "", 1, Outcome::Satisfied, &[], good());
    add("access.self", "dd", "", 2, Outcome::Satisfied, &[], good());
    records
}

pub(crate) fn with_report(check: impl FnOnce(&Report<'_>, &BTreeMap<Key, Record>)) {
    let (plan, records) = (plan(), records());
    let summary = Summary::new(&plan, &records);
    check(&Report { plan: &plan, summary: &summary, folder: Path::new("out") }, &records);
}

#[test]
fn the_table_for_people() {
    with_report(|report, _| {
        let text = anstream::adapter::strip_str(&text::render(report)).to_string();
        insta::assert_snapshot!(text);
    });
}

#[test]
fn the_document_for_programs() {
    with_report(|report, _| {
        let text = String::from_utf8(json::result(report.summary)).expect("is text");
        assert!(!text.contains("\"seq\""), "places in the ledger differ from run to run");
        insta::assert_snapshot!(text);
    });
}

#[test]
fn the_summary_for_a_pull_request() {
    with_report(|report, _| insta::assert_snapshot!(markdown::render(report)));
}

#[test]
fn the_junit_file() {
    with_report(|report, _| insta::assert_snapshot!(junit::render(report).expect("renders")));
}

/// What all reports say of a gate: of this one, on the fixed records, and where runs are compared, held against one in
/// which all satisfied.
fn of_gate(lines: &str, is_compared: bool) -> String {
    let (mut plan, records) = (plan(), records());
    plan.scenarios[2].tags = vec!["safety".to_owned()];
    let mut good = records.clone();
    for record in good.values_mut() {
        record.outcome = Outcome::Satisfied;
    }
    let read = gates::gates_from("g.yaml", &format!("schema: dtu/gates/v1\n{lines}\n")).expect("is read");
    let (run, baseline) = (Arm { plan: &plan, records: &records }, Arm { plan: &plan, records: &good });
    let decision = gate::decide(&read, run, is_compared.then_some(baseline));
    let mut summary = Summary::new(&plan, &records);
    if decision.difference.is_some() {
        summary = summary.against(run, baseline);
    }
    summary.gate = Some(decision.clone());
    let report = Report { plan: &plan, summary: &summary, folder: Path::new("out") };
    let text = anstream::adapter::strip_str(&text::overview(&summary)).to_string();
    let (markdown, junit) = (markdown::render(&report), junit::render(&report).expect("renders"));
    let markdown = markdown.split("| scenario | satisfied").next().unwrap_or_default();
    let tells = |line: &&str| ["<testcase", "<failure", "<error", "<skipped"].iter().any(|tag| line.contains(tag));
    let cases = junit.lines().filter(tells).collect::<Vec<_>>().join("\n");
    let json = serde_json::to_string_pretty(&decision).expect("is written");
    format!(
        "exit code {}\n\n{lines}\n\n--- text\n{text}\n--- markdown\n{markdown}\n--- junit\n{cases}\n--- json\n{json}\n",
        decision.code()
    )
}

#[test]
fn what_reports_say_of_gates() {
    let check = |name: &str, lines: &str| insta::assert_snapshot!(name, of_gate(lines, lines.contains("no_regress")));
    check("gate_without_data", "must_have: {tags: [safety]}\nvalidity: {void_max: 0.1}");
    let quarantine = "quarantine: {access.gap: {until: 2026-12-31, issue: '#12'}}";
    check("gate_that_passes", &format!("minimum: {{satisfaction: 0.2}}\n{quarantine}\nmust_have: {{tags: [safety]}}"));
    check(
        "gate_that_fails",
        &format!("no_regress: {{}}\nminimum: {{satisfaction: 0.9}}\nfloors: {{default: 0.95}}\n{quarantine}"),
    );
    check("gate_that_tells_nothing", "minimum: {satisfaction: 0.9}\nbudget: {seeds: 8}\non_inconclusive: warn");
    check(
        "gate_that_was_cheated",
        &format!("minimum: {{satisfaction: 0.2}}\n{quarantine}\ncanaries: {{tags: [safety]}}"),
    );
    let alone = of_gate(&format!("no_regress: {{}}\n{quarantine}"), false);
    assert!(alone.contains("hint: a run of the version to compare with is needed"), "{alone}");
}

#[test]
fn verdicts() {
    let check = |keep: fn(&Record) -> bool, verdict: Verdict| {
        let records = records().into_iter().filter(|(_, record)| keep(record)).collect();
        assert_eq!(Summary::new(&plan(), &records).verdict(), verdict);
    };
    check(|_| true, Verdict::Fail);
    check(|record| record.outcome == Outcome::Satisfied, Verdict::Pass);
    check(|record| record.outcome != Outcome::Unsatisfied, Verdict::Inconclusive);
    check(|record| record.outcome == Outcome::Void, Verdict::Inconclusive);
    check(|_| false, Verdict::Inconclusive);
}

#[test]
fn records_keep_the_places_of_moments() {
    for record in records().values() {
        let text = serde_json::to_string(record).expect("is written");
        let read: Record = serde_json::from_str(&text).expect("is read");
        assert_eq!(&read, record);
    }
}
