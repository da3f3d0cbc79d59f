//! Names that could stand where another does: of the same type, in the same place.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dtu_kernel::{
    clock::ClockMode,
    host::Host,
    universe::{Options, Universe},
    world::World,
};
use serde_json::{Map, Value};

use crate::{
    expr::Program,
    facts::variable_of,
    load::{LoadedProperty, LoadedScenario},
    scenario::{Generated, Param},
};

/// Texts that each ledger entry has, in pairs of those that are alike.
const OF_ENTRY: [(&str, &str); 5] =
    [("operation", "verb"), ("principal", "caller"), ("twin", "kind"), ("error", "name"), ("rule", "effect")];
/// What is known of people in words.
const OF_PERSON: [&str; 6] = ["email", "manager_email", "name", "title", "department", "manager"];

/// What is known of the types of names.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    /// The parameters, each with one of its values.
    params: Map<String, Value>,
    /// A row of each list of a twin that has one in the world, with the members of all its rows.
    rows: BTreeMap<(String, String), Map<String, Value>>,
}

impl Siblings {
    /// Of a scenario in its world.
    pub(super) fn of(scenario: &LoadedScenario, world: &Arc<World>, twins: &Arc<[Arc<dyn Host>]>) -> Self {
        let params = scenario.scenario.params.iter();
        let params = params.filter_map(|(name, param)| Some((name.clone(), value_of(&param.value)?))).collect();
        Self { params, rows: rows(scenario, world, twins) }
    }

    /// A sibling of a member that is taken of a path that begins with a variable of the scenario.
    pub(super) fn of_path(&self, path: &[String], member: &str) -> Option<String> {
        let (root, rest) = path.split_first()?;
        match root.as_str() {
            "params" => {
                let mut at = &self.params;
                for name in rest {
                    at = at.get(name)?.as_object()?;
                }
                alike(at, member)
            }
            "e" if rest.is_empty() => OF_ENTRY.iter().find_map(|(one, other)| match member {
                _ if member == *one => Some((*other).to_owned()),
                _ if member == *other => Some((*one).to_owned()),
                _ => None,
            }),
            _ => None,
        }
    }

    /// A sibling of a member of the rows of a list.
    pub(super) fn of_row(&self, list: &(String, String), member: &str) -> Option<String> {
        alike(self.rows.get(list)?, member)
    }

    /// A sibling of what is known of a person.
    #[expect(clippy::unused_self, reason = "all siblings are asked for alike")]
    pub(super) fn of_person(&self, member: &str) -> Option<String> {
        let is_known = OF_PERSON.contains(&member);
        is_known.then(|| if member == "email" { "manager_email" } else { "email" }.to_owned())
    }
}

/// The first other member whose value has the same type.
fn alike(members: &Map<String, Value>, member: &str) -> Option<String> {
    let own = members.get(member)?;
    let is_alike = |other: &Value| std::mem::discriminant(other) == std::mem::discriminant(own);
    let mut others = members.iter().filter(|(name, other)| *name != member && is_alike(other));
    // What has another value makes more of a difference.
    let others: Vec<(&String, &Value)> = others.by_ref().collect();
    let other = others.iter().find(|(_, other)| *other != own).or(others.first());
    other.map(|(name, _)| (*name).clone())
}

fn value_of(param: &Param) -> Option<Value> {
    match param {
        Param::OneOf(values) | Param::AnyOf(values) => values.first().cloned(),
        Param::Int { min, .. } => Some(Value::from(*min)),
        Param::Generated(Generated::Pattern(pattern)) => Some(Value::from(pattern.as_str())),
        Param::From(_) | Param::Generated(_) => Some(Value::from("")),
    }
}

/// All expressions that mutants are made of.
fn programs(scenario: &LoadedScenario) -> Vec<&Program> {
    let checks = scenario.checks.iter().flat_map(|check| parts(&check.that));
    let rules = scenario.allow.iter().flatten();
    let reads = scenario.reads.iter().flatten().filter_map(|rule| rule.only.as_ref());
    checks.chain(rules).chain(reads).collect()
}

fn parts(that: &LoadedProperty) -> Vec<&Program> {
    use LoadedProperty as P;
    match that {
        P::Finally(that) | P::Always(that) | P::Eventually { that, .. } => vec![that],
        P::Count { of, .. } | P::Never { of, .. } => vec![of],
        P::Order(steps) => steps.iter().collect(),
        P::OnlyAfter { of, after: other } | P::AtMostOncePer { of, key: other } => vec![of, other],
        P::LeadsTo { of, to, key, .. } => [of, to].into_iter().chain(key).collect(),
        P::Reads(rules) => {
            rules.deny.iter().chain(rules.allow.iter().flatten()).filter_map(|rule| rule.only.as_ref()).collect()
        }
        P::Budget(_) => Vec::new(),
    }
}

/// Rows as the world has them of the lists that the scenario's expressions go through.
fn rows(
    scenario: &LoadedScenario,
    world: &Arc<World>,
    twins: &Arc<[Arc<dyn Host>]>,
) -> BTreeMap<(String, String), Map<String, Value>> {
    let programs = programs(scenario);
    let lists: BTreeSet<(String, String)> = programs
        .iter()
        .flat_map(|program| program.items())
        .map(|item| (item.root.clone(), item.list.clone()))
        .collect();
    let options = Options { clock: ClockMode::Stepped, ..Options::default() };
    let universe = Universe::create("siblings", Arc::clone(twins), Arc::clone(world), &options);
    // Problems of the world itself are told where it is loaded.
    let Ok(universe) = universe else { return BTreeMap::new() };
    let row = |(root, list): (String, String)| {
        let twin = twins.iter().find(|twin| variable_of(twin.name()) == root)?;
        let rows = universe.view(twin.name(), &list)?;
        let rows = rows.as_array()?.iter().filter_map(Value::as_object);
        let mut all = Map::new();
        for (name, value) in rows.flatten() {
            all.entry(name).or_insert_with(|| value.clone());
        }
        Some(((root, list), all))
    };
    lists.into_iter().filter_map(row).collect()
}
