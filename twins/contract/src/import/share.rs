//! Shapes that stand in many answers, once.
//!
//! A library's types come written out in full at each place. Where the same object stands more than once it becomes a
//! schema with a name: that of the first member that holds it.

use std::collections::BTreeMap;

use smol_str::{SmolStr, format_smolstr};

use super::draft::Draft;
use crate::schema::Schema;

/// Objects that are written shorter than this, in bytes, stay where they are.
const MIN_LENGTH: usize = 200;

#[derive(Default)]
struct Shared {
    /// How often an object stands somewhere, by its text.
    counts: BTreeMap<String, usize>,
    names: BTreeMap<String, SmolStr>,
}

/// Gives names to the objects that stand more than once in the operations' answers.
pub(super) fn share(drafts: &mut [Draft], schemas: &mut BTreeMap<SmolStr, Schema>) {
    let mut shared = Shared::default();
    answers(drafts).for_each(|schema| shared.count(schema));
    for schema in answers(drafts) {
        shared.inside(schema, schemas);
    }
}

fn answers(drafts: &mut [Draft]) -> impl Iterator<Item = &mut Schema> {
    let answers = drafts.iter_mut().flat_map(|draft| draft.facts.responses.values_mut());
    answers.flat_map(|answer| answer.content.values_mut())
}

impl Shared {
    fn count(&mut self, schema: &Schema) {
        if !schema.properties.is_empty() {
            *self.counts.entry(text(schema)).or_default() += 1;
        }
        schema.properties.values().for_each(|part| self.count(part));
        schema.items.iter().for_each(|part| self.count(part));
    }

    fn inside(&mut self, schema: &mut Schema, schemas: &mut BTreeMap<SmolStr, Schema>) {
        for (name, part) in &mut schema.properties {
            self.at(name, part, schemas);
        }
    }

    fn at(&mut self, called: &SmolStr, schema: &mut Schema, schemas: &mut BTreeMap<SmolStr, Schema>) {
        if let Some(items) = &mut schema.items {
            self.at(called, items, schemas);
        }
        if schema.properties.is_empty() {
            return;
        }
        let key = text(schema);
        if key.len() < MIN_LENGTH || self.counts.get(&key).is_none_or(|count| *count < 2) {
            return self.inside(schema, schemas);
        }
        let name = match self.names.get(&key) {
            Some(name) => name.clone(),
            None => self.define(key, called, schema, schemas),
        };
        *schema = Schema { reference: Some(name), ..Schema::default() };
    }

    fn define(
        &mut self,
        key: String,
        called: &SmolStr,
        schema: &Schema,
        schemas: &mut BTreeMap<SmolStr, Schema>,
    ) -> SmolStr {
        let numbered = (2..).map(|number: u32| format_smolstr!("{called}-{number}"));
        let mut names = std::iter::once(called.clone()).chain(numbered);
        let name = names.find(|name| !schemas.contains_key(name)).expect("numbers do not end");
        self.names.insert(key, name.clone());
        schemas.insert(name.clone(), Schema::default());
        let mut named = schema.clone();
        self.inside(&mut named, schemas);
        schemas.insert(name.clone(), named);
        name
    }
}

fn text(schema: &Schema) -> String {
    serde_json::to_string(schema).expect("a schema is made of names, numbers and texts")
}
