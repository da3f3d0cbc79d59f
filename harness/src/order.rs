//! In which order trajectories are run: what may end a run comes first, and then every variant once before any twice.

use std::collections::BTreeSet;

use crate::{
    gates::Gates,
    plan::{Key, Plan, Unit},
};

/// Puts trajectories in order: those of canaries, those in which nothing may go wrong, those that failed before, and all
/// others, each by seed and then as the plan has them. No outcome depends on it.
pub fn ordered(mut units: Vec<Unit>, plan: &Plan, gates: Option<&Gates>, failed_before: &BTreeSet<Key>) -> Vec<Unit> {
    // Stable: among equals the plan's order stays.
    units.sort_by_key(|unit| (rank(unit, plan, gates, failed_before), unit.key.n));
    units
}

/// How soon a trajectory is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Who satisfies it has cheated.
    Canary,
    /// Nothing may go wrong in it.
    MustHave,
    /// It failed before.
    FailedBefore,
    Other,
}

fn rank(unit: &Unit, plan: &Plan, gates: Option<&Gates>, failed_before: &BTreeSet<Key>) -> Rank {
    let tags = plan.scenarios.get(unit.scenario).map(|planned| planned.tags.as_slice()).unwrap_or_default();
    let has = |wanted: &[serde_saphyr::Spanned<String>]| wanted.iter().any(|tag| tags.contains(&tag.value));
    match gates {
        Some(gates) if gates.canaries.as_ref().is_some_and(|rule| has(&rule.tags)) => Rank::Canary,
        Some(gates) if gates.must_have.as_ref().is_some_and(|rule| has(&rule.tags)) => Rank::MustHave,
        _ if failed_before.contains(&unit.key) => Rank::FailedBefore,
        _ => Rank::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gates::gates_from,
        plan::{self, PlannedTarget, Wishes},
        testing::scenario_with,
    };

    fn planned(wishes: &Wishes) -> (Plan, Vec<Unit>) {
        let scenario = |id: &str, tag: &str| {
            let mut loaded = scenario_with("params: {who: {one_of: [lena, omar]}}");
            loaded.scenario.id.value = id.to_owned();
            loaded.scenario.meta.tags = vec![tag.to_owned()];
            loaded
        };
        let scenarios = [scenario("a", "usual"), scenario("b", "safe"), scenario("c", "canary")];
        let worlds = vec![String::new(); scenarios.len()];
        plan::plan(&scenarios, &worlds, PlannedTarget::default(), wishes).expect("is planned")
    }

    fn shown(units: &[Unit]) -> String {
        let letter = |unit: &Unit| if unit.variant.label.contains("lena") { 'x' } else { 'y' };
        let all = units.iter().map(|unit| format!("{}{}{}", unit.key.scenario, letter(unit), unit.key.n));
        all.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_may_end_a_run_comes_first() {
        let (plan, units) = planned(&Wishes { seeds: 2, ..Wishes::default() });
        let gates = "schema: dtu/gates/v1\nmust_have: {tags: [safe]}\ncanaries: {tags: [canary]}\n";
        let gates = gates_from("gates.yaml", gates).expect("are gates");
        let failed = BTreeSet::from([units[3].key.clone()]);
        let check = |gates: Option<&Gates>, failed: &BTreeSet<Key>, wanted: &str| {
            assert_eq!(shown(&ordered(units.clone(), &plan, gates, failed)), wanted);
        };
        check(None, &BTreeSet::new(), "ax1 ay1 bx1 by1 cx1 cy1 ax2 ay2 bx2 by2 cx2 cy2");
        check(None, &failed, "ay2 ax1 ay1 bx1 by1 cx1 cy1 ax2 bx2 by2 cx2 cy2");
        check(Some(&gates), &failed, "cx1 cy1 cx2 cy2 bx1 by1 bx2 by2 ay2 ax1 ay1 ax2");
    }
}
