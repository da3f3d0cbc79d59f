//! A document's examples.
//!
//! Examples stand in many places: beside a schema, in media types, under names of their own. Each is walked along the
//! schema that it belongs to.

use serde_json::{Map, Value};

use super::reader::{Dialect, Reader};

/// How deep schemas are followed along one example.
const MAX_DEPTH: usize = 64;

/// Members that hold names with parts, not words of a schema.
const MAPS: &[&str] = &[
    "properties",
    "definitions",
    "$defs",
    "schemas",
    "parameters",
    "responses",
    "requestBodies",
    "headers",
    "paths",
    "content",
    "callbacks",
    "patternProperties",
];

/// Members that hold values, not parts of a document.
const VALUES: &[&str] = &["example", "examples", "default", "enum", "const"];

impl<'a> Reader<'a> {
    /// Walks all examples of the document.
    pub(super) fn gather_examples(&mut self) {
        let mut open = vec![(self.root, false)];
        while let Some((value, named)) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items.iter().rev().map(|item| (item, false))),
                Value::Object(map) => {
                    if !named {
                        self.examples_of(value, map);
                    }
                    let parts = map.iter().rev().filter(|(key, _)| named || !is_value(key));
                    open.extend(parts.map(|(key, part)| (part, !named && MAPS.contains(&key.as_str()))));
                }
                _ => {}
            }
        }
    }

    fn examples_of(&mut self, value: &'a Value, map: &'a Map<String, Value>) {
        let (schema, in_schema) = map.get("schema").map_or((value, true), |schema| (schema, false));
        if let Some(example) = map.get("example") {
            self.walk(schema, example, 0);
        }
        match map.get("examples") {
            Some(Value::Array(list)) if in_schema => {
                for example in list {
                    self.walk(schema, example, 0);
                }
            }
            Some(Value::Object(named)) if !in_schema => {
                for example in named.values() {
                    let example =
                        if self.dialect == Dialect::Swagger2 { Some(example) } else { self.named_example(example) };
                    if let Some(example) = example {
                        self.walk(schema, example, 0);
                    }
                }
            }
            _ => {}
        }
    }

    /// The value of an example with a name, which may stand elsewhere.
    fn named_example(&self, example: &'a Value) -> Option<&'a Value> {
        let reference = example.get("$ref").and_then(Value::as_str);
        reference.map_or(Some(example), |reference| self.peek(reference))?.get("value")
    }

    /// Notes what an example shows along its schema.
    fn walk(&mut self, schema: &'a Value, example: &Value, depth: usize) {
        let Some(map) = schema.as_object().filter(|_| depth < MAX_DEPTH && self.evidence.step()) else { return };
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            if let Some(target) = self.peek(reference) {
                self.walk(target, example, depth + 1);
            }
            return;
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for branch in map.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.walk(branch, example, depth + 1);
            }
        }
        match example {
            Value::String(text) if map.get("type").is_some_and(|word| word == "object" || word == "array") => {
                // Jira's document has the examples of objects as text.
                let example = serde_json::from_str::<Value>(text).ok().filter(|example| !example.is_string());
                if let Some(example) = example {
                    self.walk(schema, &example, depth + 1);
                }
            }
            Value::String(text) => self.evidence.note(schema, text),
            Value::Array(items) => {
                let Some(schema) = map.get("items") else { return };
                for item in items {
                    self.walk(schema, item, depth + 1);
                }
            }
            Value::Object(members) => self.walk_members(map, members, depth),
            _ => {}
        }
    }

    fn walk_members(&mut self, schema: &'a Map<String, Value>, members: &Map<String, Value>, depth: usize) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let additional = schema.get("additionalProperties");
        for (name, member) in members {
            let property = properties.and_then(|properties| properties.get(name));
            if let Some(part) = property.or(additional) {
                self.walk(part, member, depth + 1);
            }
        }
        let discriminator = schema.get("discriminator").and_then(Value::as_object);
        let word = discriminator.and_then(|it| it.get("propertyName")).and_then(Value::as_str);
        let word = word.and_then(|name| members.get(name)).and_then(Value::as_str);
        let mapping = discriminator.and_then(|it| it.get("mapping"));
        let target = word.and_then(|word| mapping?.get(word)?.as_str()).and_then(|reference| self.peek(reference));
        // The target is usually made of this schema and more: its own part is what is new.
        let parts = target.and_then(|target| target.get("allOf").and_then(Value::as_array));
        let own = parts.into_iter().flatten().filter(|part| part.get("$ref").is_none());
        for part in own.filter_map(Value::as_object).filter(|_| depth < MAX_DEPTH) {
            self.walk_members(part, members, depth + 1);
        }
    }
}

fn is_value(key: &str) -> bool {
    VALUES.contains(&key) || key.starts_with("x-")
}
