//! Which rules a call, delivery or timer may concern, by its twin and name.
//!
//! Patterns are asked once for each name and then remembered: names come from twins' tables, not from callers, and a
//! call that no rule concerns must cost next to nothing.

use std::{collections::BTreeMap, sync::Arc};

use globset::{Glob, GlobSet, GlobSetBuilder};
use parking_lot::RwLock;
use smol_str::SmolStr;

use super::effect::Strikes;

/// The rules' patterns of names, and what was found with them so far.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The pattern of each rule in order; `*` where it has none.
    set: GlobSet,
    /// The rules that a name concerns, for each kind and twin that have such a name.
    found: RwLock<BTreeMap<SmolStr, Vec<Found>>>,
}

#[derive(Debug)]
struct Found {
    kind: Strikes,
    twin: SmolStr,
    rules: Arc<[usize]>,
}

/// More names than all twins have together. Past it nothing is remembered, and all is as right as before.
const NAMES_MAX: usize = 20_000;

impl Names {
    pub(super) fn new(patterns: Vec<Glob>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(pattern);
        }
        Ok(Self { set: set.build()?, found: RwLock::default() })
    }

    /// The rules whose pattern fits a name, in order; `takes` says whether a rule takes the kind and the twin.
    pub(super) fn of(&self, kind: Strikes, twin: &str, name: &str, takes: impl Fn(usize) -> bool) -> Arc<[usize]> {
        let known = |found: &&Found| found.kind == kind && found.twin == twin;
        if let Some(found) = self.found.read().get(name).and_then(|all| all.iter().find(known)) {
            return Arc::clone(&found.rules);
        }
        let mut rules = self.set.matches(name);
        rules.retain(|at| takes(*at));
        let rules: Arc<[usize]> = rules.into();
        let mut found = self.found.write();
        if found.len() < NAMES_MAX {
            let all = found.entry(name.into()).or_default();
            if !all.iter().any(|one| known(&one)) {
                all.push(Found { kind, twin: twin.into(), rules: Arc::clone(&rules) });
            }
        }
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_the_patterns_say() {
        let patterns = ["*", "list*", "{listUsers,x}"].map(|pattern| Glob::new(pattern).expect("is a pattern"));
        let names = Names::new(patterns.to_vec()).expect("are patterns");
        let check = |kind: Strikes, twin: &str, name: &str, wanted: &[usize]| {
            // Rule 1 is of another twin.
            let takes = |at: usize| kind == Strikes::Calls && (twin == "okta" || at != 1);
            for _ in 0..2 {
                assert_eq!(*names.of(kind, twin, name, takes), *wanted, "{twin} {name}");
            }
        };
        check(Strikes::Calls, "okta", "listUsers", &[0, 1, 2]);
        check(Strikes::Calls, "slack", "listUsers", &[0, 2]);
        check(Strikes::Deliveries, "okta", "listUsers", &[]);
        check(Strikes::Calls, "okta", "getUser", &[0]);
    }
}
