//! Members of views' rows that no row has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dtu_kernel::{
    clock::ClockMode,
    universe::{Options, Universe},
    world::World,
};
use serde_json::Value;

use super::Lint;
use crate::{expr::Program, facts::variable_of};

impl Lint<'_> {
    /// Members of rows. What rows have, those of the world show: a view has the same members in each.
    pub(super) fn fields(&mut self, programs: &[&Program], world: &World) {
        let is_of_twin = |root: &str| self.twins.iter().any(|twin| variable_of(twin.name()) == root);
        if !programs.iter().flat_map(|program| program.items()).any(|item| is_of_twin(&item.root)) {
            return;
        }
        let options = Options { clock: ClockMode::Stepped, ..Options::default() };
        // Problems of the world itself are told where it is loaded.
        let Ok(universe) = Universe::create("lint", self.twins.into(), Arc::new(world.clone()), &options) else {
            return;
        };
        let mut known: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
        for program in programs {
            for item in program.items() {
                let Some(twin) = self.twins.iter().find(|twin| variable_of(twin.name()) == item.root) else { continue };
                let members = known
                    .entry((item.root.as_str(), item.list.as_str()))
                    .or_insert_with(|| members(&universe.view(twin.name(), &item.list).unwrap_or_default()));
                if members.is_empty() || members.contains(&item.member) {
                    continue;
                }
                let message = format!("a row of `{}.{}` has no `{}`", item.root, item.list, item.member);
                let problem = self.at(program.place(), message);
                self.problems.push(problem.suggest(&item.member, members.iter().map(String::as_str)));
            }
        }
    }
}

/// The members of the rows of a view; none where there is no row.
pub(crate) fn members(rows: &Value) -> BTreeSet<String> {
    let rows = rows.as_array().into_iter().flatten().filter_map(Value::as_object);
    rows.flat_map(|row| row.keys().cloned()).collect()
}
