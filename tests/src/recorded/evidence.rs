//! What is kept of a replay: how many exchanges of each operation agree, and which do not of those that the twin serves
//! by rules of its own ([`Level::Behaves`](dtu_kernel::operation::Level::Behaves)).
//!
//! Both may only get better. Neither holds anything of what was recorded but the recordings' names.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};

use super::replay::Played;

/// How many exchanges there are, and how many agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Exchanges.
    pub exchanges: u64,
    /// Exchanges in which the twin answers as the service did.
    pub agree: u64,
}

/// Counts by operation.
pub fn count(played: &[Played]) -> BTreeMap<&'static str, Count> {
    let mut counts: BTreeMap<&'static str, Count> = BTreeMap::new();
    for (operation, one) in played.iter().filter_map(|one| Some((one.operation?.0, one))) {
        let count = counts.entry(operation).or_default();
        count.exchanges += 1;
        count.agree += u64::from(one.differences.is_empty());
    }
    counts
}

/// The committed counts of an evidence file.
pub fn committed(evidence: &Value) -> BTreeMap<String, Count> {
    let number = |recorded: &Value, name: &str| recorded[name].as_u64().unwrap_or_default();
    let one = |(operation, members): (&String, &Value)| {
        let recorded = members.get("recorded")?;
        Some((operation.clone(), Count { exchanges: number(recorded, "exchanges"), agree: number(recorded, "agree") }))
    };
    evidence.as_object().into_iter().flatten().filter_map(one).collect()
}

/// The evidence with new counts; what else it holds stays.
pub fn with_counts(evidence: &Value, counts: &BTreeMap<&'static str, Count>) -> Value {
    let mut operations: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (operation, members) in evidence.as_object().into_iter().flatten() {
        let mut members = members.as_object().cloned().unwrap_or_default();
        members.shift_remove("recorded");
        if !members.is_empty() {
            operations.insert(operation.clone(), members);
        }
    }
    for (operation, count) in counts {
        let recorded = json!({ "exchanges": count.exchanges, "agree": count.agree });
        operations.entry((*operation).to_owned()).or_default().insert("recorded".to_owned(), recorded);
    }
    json!(operations)
}

/// Operations of which fewer exchanges agree than before, each with its disagreements, for people.
pub fn fallen(before: &BTreeMap<String, Count>, played: &[Played]) -> Vec<String> {
    let now = count(played);
    let mut fallen = Vec::new();
    for (operation, before) in before {
        let now = now.get(operation.as_str()).copied().unwrap_or_default();
        if now.agree < before.agree {
            fallen.push(format!("{operation}: {} of {} agree, {} did", now.agree, now.exchanges, before.agree));
            fallen.extend(differing(played).filter(|one| one.is_of(operation)).map(told));
        }
    }
    fallen
}

fn differing(played: &[Played]) -> impl Iterator<Item = &Played> {
    played.iter().filter(|one| !one.differences.is_empty())
}

/// An exchange as the list of known disagreements names it.
fn place(one: &Played) -> String {
    format!("{} : {}", one.recording, one.index)
}

/// The list of known disagreements as a file.
pub fn list(played: &[Played]) -> String {
    let mut list = String::from(
        "# Recorded exchanges of operations with rules of their own in which the twin answers otherwise:\n\
         # recording : exchange : operation : year, first difference.\n\
         # `cargo xtask evidence` writes this file; it may only get shorter.\n",
    );
    for one in differing(played).filter(|one| one.is_behaviour()) {
        let (Some((operation, _)), Some(first)) = (one.operation, one.differences.first()) else { continue };
        let _ = writeln!(list, "{} : {operation} : {} {}", place(one), one.year, first.kind.name());
    }
    list
}

/// Holds a replay against the list of known disagreements: what differs and is not listed, and what is listed and
/// does not differ, each as a line for people.
pub fn surprises(played: &[Played], list: &str) -> Vec<String> {
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut listed: BTreeMap<String, bool> =
        lines.map(|line| (line.split(" : ").take(2).collect::<Vec<_>>().join(" : "), false)).collect();
    let mut surprises = Vec::new();
    for one in played.iter().filter(|one| one.is_behaviour()) {
        match listed.get_mut(&place(one)) {
            Some(met) => {
                *met = true;
                if one.differences.is_empty() {
                    surprises.push(format!("{} agrees now: delete it from the list", place(one)));
                }
            }
            None if one.differences.is_empty() => {}
            None => surprises.push(told(one)),
        }
    }
    surprises.extend(listed.iter().filter(|(_, met)| !**met).map(|(place, _)| format!("{place} is not there")));
    surprises
}

/// A disagreement with its differences, for people.
pub fn told(one: &Played) -> String {
    let operation = one.operation.map_or("no operation", |(operation, _)| operation);
    let lost = if one.is_lost { ", of an object that the twin has not" } else { "" };
    let mut told = format!("{} : {operation} ({}{lost})", place(one), one.year);
    for difference in one.differences.iter().take(8) {
        let _ = write!(told, "\n    {difference}");
    }
    told
}

#[cfg(test)]
mod tests {
    use dtu_kernel::operation::Level;

    use super::*;
    use crate::recorded::compare::{Difference, Kind};

    fn played(index: usize, operation: &'static str, differs: bool) -> Played {
        let difference =
            Difference { kind: Kind::Value, at: "/a".to_owned(), expected: "1".to_owned(), got: "2".to_owned() };
        Played {
            recording: "r".to_owned(),
            index,
            year: 2025,
            operation: Some((operation, Level::Behaves)),
            differences: if differs { vec![difference] } else { Vec::new() },
            is_lost: false,
        }
    }

    #[test]
    fn the_list_tells_what_is_new_and_what_is_mended() {
        let before = [played(0, "a", true), played(1, "a", false), played(2, "b", true)];
        let list = list(&before);
        assert!(surprises(&before, &list).is_empty());
        let after = [played(0, "a", false), played(1, "a", true)];
        let said = surprises(&after, &list);
        let expected =
            ["r : 0 agrees now", "r : 1 : a (2025)\n    value at /a: expected 1, got 2", "r : 2 is not there"];
        assert_eq!(said.len(), 3);
        assert!(said.iter().zip(expected).all(|(said, expected)| said.starts_with(expected)), "{said:?}");
    }

    #[test]
    fn counts_may_not_fall_and_other_evidence_stays() {
        let counts = count(&[played(0, "a", true), played(1, "a", false)]);
        assert_eq!(counts["a"], Count { exchanges: 2, agree: 1 });
        let evidence = with_counts(&json!({ "a": { "clients": { "x": 1 } }, "b": { "recorded": {} } }), &counts);
        assert_eq!(evidence, json!({ "a": { "clients": { "x": 1 }, "recorded": { "exchanges": 2, "agree": 1 } } }));
        let before = committed(&evidence);
        assert!(fallen(&before, &[played(1, "a", false)]).is_empty());
        let fell = fallen(&before, &[played(0, "a", true)]);
        assert_eq!(fell, ["a: 0 of 1 agree, 1 did", "r : 0 : a (2025)\n    value at /a: expected 1, got 2"]);
    }
}
