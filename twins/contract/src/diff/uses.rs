//! Which way shared schemas go.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::{
    contract::{Document, Facts},
    schema::{Additional, Schema},
    validate::Direction,
};

/// The directions that a schema is used in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Uses {
    pub(super) request: bool,
    pub(super) response: bool,
}

impl Uses {
    pub(super) const REQUEST: Self = Self { request: true, response: false };
    pub(super) const RESPONSE: Self = Self { request: false, response: true };

    /// Those that a member of a schema has: what one side sets itself goes one way only.
    pub(super) fn of_member(self, document: &Document, member: &Schema) -> Self {
        self.marked(member).marked(document.resolve(member)).marked_by_parts(document, member)
    }

    const fn marked(self, schema: &Schema) -> Self {
        Self { request: self.request && !schema.read_only, response: self.response && !schema.write_only }
    }

    fn marked_by_parts(self, document: &Document, member: &Schema) -> Self {
        let parts = member.all_of.iter();
        parts.fold(self, |uses, part| uses.marked(part).marked(document.resolve(part)))
    }

    pub(super) fn directions(self) -> Vec<Direction> {
        let request = self.request.then_some(Direction::Request);
        request.into_iter().chain(self.response.then_some(Direction::Response)).collect()
    }

    const fn holds(self, other: Self) -> bool {
        (self.request || !other.request) && (self.response || !other.response)
    }

    const fn and(self, other: Self) -> Self {
        Self { request: self.request || other.request, response: self.response || other.response }
    }
}

/// The uses of all shared schemas that any operation reaches.
pub(super) fn all_uses(document: &Document) -> BTreeMap<SmolStr, Uses> {
    let mut uses = BTreeMap::new();
    let mut open: Vec<(&Schema, Uses)> = Vec::new();
    for operation in &document.operations {
        open.extend(direct(operation.facts.get()));
    }
    while let Some((schema, how)) = open.pop() {
        if let Some(name) = &schema.reference {
            let known: &mut Uses = uses.entry(name.clone()).or_default();
            if !known.holds(how) {
                *known = known.and(how);
                open.extend(document.schemas.get(name).map(|named| (named.get(), how)));
            }
        }
        open.extend(parts(schema).map(|part| (part, how)));
        open.extend(schema.properties.values().map(|member| (member, how.of_member(document, member))));
    }
    uses
}

fn direct(facts: &Facts) -> impl Iterator<Item = (&Schema, Uses)> {
    let parameters = facts.parameters.iter().map(|parameter| &parameter.schema);
    let bodies = facts.request.iter().flat_map(|request| request.content.values());
    let answers = facts.responses.values().flat_map(|answer| answer.content.values().chain(answer.headers.values()));
    let requests = parameters.chain(bodies).map(|schema| (schema, Uses::REQUEST));
    requests.chain(answers.map(|schema| (schema, Uses::RESPONSE)))
}

fn parts(schema: &Schema) -> impl Iterator<Item = &Schema> {
    let additional = match &schema.additional {
        Some(Additional::Of(of)) => Some(&**of),
        _ => None,
    };
    let lists = schema.all_of.iter().chain(&schema.one_of).chain(&schema.any_of);
    lists.chain(schema.items.as_deref()).chain(schema.not.as_deref()).chain(additional)
}
