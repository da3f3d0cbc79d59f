//! Which schemas operations lead to.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::{
    contract::{Facts, Operation},
    schema::{Additional, Schema},
};

/// The schemas that operations lead to, by name.
pub(super) fn reachable(operations: &[Operation], mut schemas: BTreeMap<SmolStr, Schema>) -> BTreeMap<SmolStr, Schema> {
    let mut open = Vec::new();
    for operation in operations {
        schemas_of(operation.facts.get()).for_each(|schema| names_in(schema, &mut open));
    }
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if seen.insert(name.clone()) {
            schemas.get(&name).into_iter().for_each(|schema| names_in(schema, &mut open));
        }
    }
    schemas.retain(|name, _| seen.contains(name));
    schemas
}

fn schemas_of(facts: &Facts) -> impl Iterator<Item = &Schema> {
    let parameters = facts.parameters.iter().map(|parameter| &parameter.schema);
    let request = facts.request.iter().flat_map(|body| body.content.values());
    let answers = facts.responses.values().flat_map(|answer| answer.content.values().chain(answer.headers.values()));
    parameters.chain(request).chain(answers)
}

/// The names that a schema refers to, at any depth.
fn names_in(schema: &Schema, names: &mut Vec<SmolStr>) {
    names.extend(schema.reference.clone());
    names.extend(schema.discriminator.iter().flat_map(|discriminator| discriminator.mapping.values().cloned()));
    let additional = match &schema.additional {
        Some(Additional::Of(schema)) => Some(schema),
        _ => None,
    };
    let boxed = schema.items.iter().chain(&schema.not).chain(additional).map(|schema| &**schema);
    let lists = schema.all_of.iter().chain(&schema.any_of).chain(&schema.one_of);
    schema.properties.values().chain(boxed).chain(lists).for_each(|schema| names_in(schema, names));
}
