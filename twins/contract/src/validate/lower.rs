//! Schemas of ours written as JSON Schema 2020-12, for one direction.
//!
//! What differs from a plain transcription:
//!
//! - `nullable` becomes a type, a value of the enum, or a way around the whole schema where it stands beside others.
//! - Members that only answers have are not required of requests, nor looked at: services ignore them. Members that
//!   only requests have are not required of answers.
//! - A discriminator becomes a choice by its member's value, so that what does not fit is said of the schema meant.
//! - A closed object that is put together from others is closed after all of them, which is what documents mean.
//! - `oneOf` becomes `anyOf`: documents' alternatives often overlap, and services take what fits two of them.
//! - Google's services take `null` for any member of a request as if it were not there (proto3's JSON mapping).
//! - Only formats that services keep are checked, and regular expressions that cannot be compiled are left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::Direction;
use crate::{
    contract::{Document, Kind},
    schema::{Additional, Discriminator, Schema, Type},
};

/// Formats that the checker of JSON Schema knows and documents use rightly.
const FORMATS: [&str; 5] = ["date-time", "date", "email", "uri", "uuid"];

/// Formats of whole numbers with their bounds; also of numbers written as text.
pub(super) const INTEGERS: [(&str, i128, i128); 4] = [
    ("int32", i32::MIN as i128, i32::MAX as i128),
    ("int64", i64::MIN as i128, i64::MAX as i128),
    ("uint32", 0, u32::MAX as i128),
    ("uint64", 0, u64::MAX as i128),
];

/// A schema as JSON Schema, with all that it refers to.
pub(super) fn lower(
    document: &Document,
    schema: &Schema,
    direction: Direction,
    usable: &mut dyn FnMut(&str) -> bool,
) -> Value {
    let mut lowering = Lowering { document, direction, usable, wanted: Vec::new(), seen: BTreeSet::new() };
    let mut root = lowering.schema(schema, &BTreeSet::new());
    let mut named = Map::new();
    while let Some(index) = lowering.wanted.pop() {
        if let Some((_, schema)) = document.schemas.get_index(index) {
            named.insert(key(index), Value::Object(lowering.schema(schema.get(), &BTreeSet::new())));
        }
    }
    if !named.is_empty() {
        root.insert("$defs".to_owned(), Value::Object(named));
    }
    Value::Object(root)
}

/// Numbers rather than names: names may hold what a URI's fragment may not.
fn key(index: usize) -> String {
    format!("s{index}")
}

struct Lowering<'a> {
    document: &'a Document,
    direction: Direction,
    usable: &'a mut dyn FnMut(&str) -> bool,
    wanted: Vec<usize>,
    seen: BTreeSet<usize>,
}

impl Lowering<'_> {
    /// One schema. `free` are members that need not be there, as a schema around this one says.
    fn schema(&mut self, schema: &Schema, free: &BTreeSet<SmolStr>) -> Map<String, Value> {
        let mut free = free.clone();
        self.collect_free(schema, &mut free, &mut BTreeSet::new());
        let mut out = Map::new();
        if let Some(name) = &schema.reference {
            out.extend(self.reference(name));
        }
        values(schema, &mut out);
        format(schema, &mut out);
        self.pattern(schema, &mut out);
        bounds(schema, &mut out);
        self.members(schema, &free, &mut out);
        self.parts(schema, &free, &mut out);
        if schema.nullable { or_null(schema, out) } else { out }
    }

    fn reference(&mut self, name: &str) -> Map<String, Value> {
        let Some(index) = self.document.schemas.get_index_of(name) else {
            return Map::new();
        };
        if self.seen.insert(index) {
            self.wanted.push(index);
        }
        Map::from_iter([("$ref".to_owned(), json!(format!("#/$defs/{}", key(index))))])
    }

    fn pattern(&mut self, schema: &Schema, out: &mut Map<String, Value>) {
        if let Some(pattern) = schema.pattern.as_ref().filter(|pattern| (self.usable)(pattern)) {
            out.insert("pattern".to_owned(), json!(pattern));
        }
    }

    fn members(&mut self, schema: &Schema, free: &BTreeSet<SmolStr>, out: &mut Map<String, Value>) {
        if let Some(items) = &schema.items {
            out.insert("items".to_owned(), self.fresh(items));
        }
        if !schema.properties.is_empty() {
            let properties = schema.properties.iter().map(|(name, member)| (name.to_string(), self.member(member)));
            out.insert("properties".to_owned(), Value::Object(properties.collect()));
        }
        let required: BTreeSet<&SmolStr> = schema.required.iter().filter(|name| !free.contains(*name)).collect();
        if !required.is_empty() {
            out.insert("required".to_owned(), json!(required));
        }
        match &schema.additional {
            Some(Additional::Of(of)) => {
                out.insert("additionalProperties".to_owned(), self.fresh(of));
            }
            Some(Additional::Allowed(false)) => {
                let word = if is_composed(schema) { "unevaluatedProperties" } else { "additionalProperties" };
                out.insert(word.to_owned(), json!(false));
            }
            Some(Additional::Allowed(true)) | None => {}
        }
    }

    fn member(&mut self, member: &Schema) -> Value {
        if self.direction == Direction::Request && is_marked(self.document, member, Direction::Request) {
            return json!(true);
        }
        let lowered = self.schema(member, &BTreeSet::new());
        let takes_null = self.direction == Direction::Request && self.document.kind == Kind::GoogleDiscovery;
        Value::Object(if takes_null { or_null(member, lowered) } else { lowered })
    }

    fn parts(&mut self, schema: &Schema, free: &BTreeSet<SmolStr>, out: &mut Map<String, Value>) {
        let mut all: Vec<Value> = schema.all_of.iter().map(|part| Value::Object(self.schema(part, free))).collect();
        let mut alternatives = Vec::new();
        for parts in [&schema.one_of, &schema.any_of].into_iter().filter(|parts| !parts.is_empty()) {
            let parts: Vec<Value> = parts.iter().map(|part| Value::Object(self.schema(part, free))).collect();
            alternatives.push(json!({ "anyOf": parts }));
        }
        match &schema.discriminator {
            Some(discriminator) => all.extend(self.choice(schema, discriminator, alternatives)),
            None => all.extend(alternatives),
        }
        if !all.is_empty() {
            out.insert("allOf".to_owned(), Value::Array(all));
        }
        if let Some(not) = &schema.not {
            out.insert("not".to_owned(), self.fresh(not));
        }
    }

    /// A choice by the discriminator's value; where it is none that is known, the alternatives as they are.
    fn choice(&mut self, schema: &Schema, by: &Discriminator, otherwise: Vec<Value>) -> Vec<Value> {
        let mut all = Vec::new();
        let mut known = Vec::new();
        for (target, values) in targets(self.document, schema, by) {
            let then = self.reference(&target);
            all.push(json!({"if": is_one_of(&by.property, &values), "then": then}));
            known.extend(values);
        }
        if !otherwise.is_empty() {
            all.push(json!({"if": is_one_of(&by.property, &known), "else": {"allOf": otherwise}}));
        }
        all
    }

    fn fresh(&mut self, schema: &Schema) -> Value {
        Value::Object(self.schema(schema, &BTreeSet::new()))
    }

    /// Adds the members that this direction does not require, of the schema and all that it is put together from.
    fn collect_free(&self, schema: &Schema, free: &mut BTreeSet<SmolStr>, seen: &mut BTreeSet<SmolStr>) {
        if let Some(name) = &schema.reference
            && seen.insert(name.clone())
            && let Some(named) = self.document.schemas.get(name)
        {
            self.collect_free(named.get(), free, seen);
        }
        let marked = schema.properties.iter().filter(|(_, member)| is_marked(self.document, member, self.direction));
        free.extend(marked.map(|(name, _)| name.clone()));
        for part in &schema.all_of {
            self.collect_free(part, free, seen);
        }
    }
}

/// Whether a member belongs to the other direction only: it says so itself, or what it is put together from does.
fn is_marked(document: &Document, member: &Schema, direction: Direction) -> bool {
    let marked = |schema: &Schema| match direction {
        Direction::Request => schema.read_only,
        Direction::Response => schema.write_only,
    };
    let either = |schema: &Schema| marked(schema) || marked(document.resolve(schema));
    either(member) || member.all_of.iter().any(either)
}

/// Schemas by the discriminator's values. Values are the schemas' own names where the document gives no others.
fn targets(document: &Document, schema: &Schema, by: &Discriminator) -> BTreeMap<SmolStr, Vec<SmolStr>> {
    let mut targets: BTreeMap<SmolStr, Vec<SmolStr>> = BTreeMap::new();
    for (value, target) in &by.mapping {
        targets.entry(target.clone()).or_default().push(value.clone());
    }
    for part in schema.one_of.iter().chain(&schema.any_of) {
        if let Some(name) = &part.reference {
            targets.entry(name.clone()).or_insert_with(|| vec![name.clone()]);
        }
    }
    targets.retain(|target, _| document.schemas.contains_key(target));
    targets
}

fn is_one_of(member: &str, values: &[SmolStr]) -> Value {
    json!({"type": "object", "properties": {member: {"enum": values}}, "required": [member]})
}

const fn is_composed(schema: &Schema) -> bool {
    schema.reference.is_some()
        || !schema.all_of.is_empty()
        || !schema.one_of.is_empty()
        || !schema.any_of.is_empty()
        || schema.not.is_some()
}

fn or_null(schema: &Schema, mut out: Map<String, Value>) -> Map<String, Value> {
    if is_composed(schema) || schema.discriminator.is_some() {
        return Map::from_iter([("if".to_owned(), json!({"type": "null"})), ("else".to_owned(), Value::Object(out))]);
    }
    for word in ["type", "enum"] {
        if let Some(Value::Array(values)) = out.get_mut(word) {
            let null = if word == "type" { json!("null") } else { Value::Null };
            if !values.contains(&null) {
                values.push(null);
            }
        }
    }
    out
}

fn values(schema: &Schema, out: &mut Map<String, Value>) {
    if !schema.types.is_empty() {
        let types: BTreeSet<&Type> = schema.types.iter().collect();
        out.insert("type".to_owned(), json!(types));
    }
    if let Some(values) = &schema.values {
        out.insert("enum".to_owned(), json!(values));
    }
}

fn format(schema: &Schema, out: &mut Map<String, Value>) {
    let Some(format) = schema.format.as_deref() else { return };
    let is_text = schema.types.is_empty() || schema.types.contains(&Type::String);
    if let Some((_, least, most)) = INTEGERS.iter().find(|(name, ..)| *name == format) {
        if is_text {
            out.insert("format".to_owned(), json!(format));
        }
        if schema.types.iter().any(|of| matches!(of, Type::Integer | Type::Number)) {
            out.insert("minimum".to_owned(), json!(*least));
            out.insert("maximum".to_owned(), json!(*most));
        }
    } else if is_text && FORMATS.contains(&format) {
        out.insert("format".to_owned(), json!(format));
    }
}

fn bounds(schema: &Schema, out: &mut Map<String, Value>) {
    let numbers = [
        ("minimum", &schema.minimum),
        ("maximum", &schema.maximum),
        ("exclusiveMinimum", &schema.exclusive_minimum),
        ("exclusiveMaximum", &schema.exclusive_maximum),
    ];
    for (word, number) in numbers {
        if let Some(number) = number {
            out.insert(word.to_owned(), Value::Number(number.clone()));
        }
    }
    // JSON Schema has no multiples of zero or less.
    if let Some(number) = schema.multiple_of.as_ref().filter(|number| number.as_f64().is_some_and(|of| of > 0.0)) {
        out.insert("multipleOf".to_owned(), Value::Number(number.clone()));
    }
    let counts = [
        ("minLength", schema.min_length),
        ("maxLength", schema.max_length),
        ("minItems", schema.min_items),
        ("maxItems", schema.max_items),
        ("minProperties", schema.min_properties),
        ("maxProperties", schema.max_properties),
    ];
    for (word, count) in counts {
        if let Some(count) = count {
            out.insert(word.to_owned(), json!(count));
        }
    }
    if schema.unique_items {
        out.insert("uniqueItems".to_owned(), json!(true));
    }
}
