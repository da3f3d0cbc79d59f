//! What is written down of twins is true: claims name operations and tests that there are, evidence names operations,
//! and reviewed differences can be read.

use dtu_contract::{claims::Claims, coverage::Coverage, differences::Differences};
use dtu_kernel::{diagnostic::Diagnostic, operation::Level};
use dtu_universe::facts::{self, Facts};

use crate::{evidence, support::root};

/// A twin's contract joined with its table.
pub(crate) fn of(facts: &Facts) -> Coverage {
    let hosts = dtu_universe::all();
    let host = hosts.iter().find(|host| host.name() == facts.twin).expect("the registry has the twin");
    Coverage::of((facts.contract)(), host.operations())
}

fn told(problems: &[Diagnostic]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn claims_name_operations_and_tests_that_there_are() {
    let mut problems = Vec::new();
    for facts in facts::ALL {
        let file = format!("{}/claims.yaml", facts.folder);
        match Claims::parse(&file, facts.claims) {
            Err(mut found) => problems.append(&mut found),
            Ok(claims) => {
                problems.extend(claims.unknown_operations(&of(facts).ids()));
                problems.extend(claims.missing_tests(|path| fs_err::read_to_string(root().join(path)).ok()));
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", told(&problems));
}

/// A twin that claims nothing yet is still being written.
#[test]
fn every_operation_with_rules_of_its_own_has_a_claim() {
    for facts in facts::ALL {
        let claims = Claims::parse(facts.folder, facts.claims).unwrap_or_default();
        let coverage = of(facts);
        let behaving = coverage.rows.iter().filter(|row| row.level == Level::Behaves);
        let unclaimed: Vec<&str> =
            behaving.map(|row| row.served.as_str()).filter(|id| claims.about(id).next().is_none()).collect();
        let begun = !claims.rows().is_empty();
        assert!(!begun || unclaimed.is_empty(), "{}/claims.yaml claims nothing of {unclaimed:?}", facts.folder);
    }
}

#[test]
fn evidence_names_operations_that_there_are() {
    for facts in facts::ALL {
        let coverage = of(facts);
        let known = coverage.ids();
        for operation in evidence::read(facts.twin).keys() {
            assert!(known.contains(operation.as_str()), "tests/evidence/{}.json: no `{operation}`", facts.twin);
        }
    }
}

#[test]
fn differences_are_read() {
    for facts in facts::ALL {
        let file = format!("{}/differences.yaml", facts.folder);
        if let Err(problems) = Differences::parse(&file, facts.differences) {
            panic!("\n{}", told(&problems));
        }
    }
}

#[test]
fn every_twin_of_a_service_is_written_down() {
    for host in dtu_universe::all() {
        assert!(facts::of(host.name()).is_some(), "add {} to dtu_universe::facts::ALL", host.name());
    }
}
