//! The fields and types of several values at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Members whose names are data, beside those that are named by ids: names of emoji.
const MAPS: &[&str] = &["emoji"];

/// What some values have between them.
#[derive(Debug, Default)]
pub(super) struct Shape {
    kinds: BTreeSet<&'static str>,
    members: BTreeMap<String, Shape>,
    items: Option<Box<Shape>>,
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A member's name; `{}` where the name is an id or a number.
fn named(under: &str, name: &str) -> String {
    let is_id = name.len() >= 8
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().enumerate().all(|(n, b)| {
            // Some kinds of ids begin with two letters, the second of them small (`Fn`).
            b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_' || (n == 1 && b.is_ascii_lowercase())
        });
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    if is_id || is_number || MAPS.contains(&under) { "{}".to_owned() } else { name.to_owned() }
}

impl Shape {
    /// Takes one more value in.
    pub(super) fn take(&mut self, value: &Value) {
        self.take_as("", value);
    }

    fn take_as(&mut self, name: &str, value: &Value) {
        self.kinds.insert(kind(value));
        match value {
            Value::Array(items) => {
                for item in items {
                    self.items.get_or_insert_default().take_as("", item);
                }
            }
            Value::Object(members) => {
                for (member, value) in members {
                    self.members.entry(named(name, member)).or_default().take_as(member, value);
                }
            }
            _ => {}
        }
    }

    /// What a sample has that these values lack: the places highest up, each with what is wrong.
    pub(super) fn lacks(&self, sample: &Value) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.look(sample, ("", ""), &mut found);
        found
    }

    fn look(&self, sample: &Value, (place, name): (&str, &str), found: &mut BTreeSet<String>) {
        let wanted = kind(sample);
        if wanted == "null" {
            return;
        }
        if !self.kinds.contains(wanted) {
            let kinds: Vec<&str> = self.kinds.iter().copied().collect();
            found.insert(format!("{place}: {}, not {wanted}", kinds.join(" or ")));
            return;
        }
        match (sample, &self.items) {
            (Value::Array(items), None) if !items.is_empty() => _ = found.insert(format!("{place}[]")),
            (Value::Array(items), Some(own)) => {
                for item in items {
                    own.look(item, (&format!("{place}[]"), ""), found);
                }
            }
            (Value::Object(members), _) => self.look_in(members, (place, name), found),
            _ => {}
        }
    }

    fn look_in(
        &self,
        members: &serde_json::Map<String, Value>,
        (place, name): (&str, &str),
        found: &mut BTreeSet<String>,
    ) {
        for (member, value) in members {
            let key = named(name, member);
            let inner = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            match self.members.get(&key) {
                Some(own) => own.look(value, (&inner, member), found),
                None => _ = found.insert(inner),
            }
        }
    }
}

#[test]
fn samples_are_compared_by_field_and_type() {
    let mut shape = Shape::default();
    shape.take(&serde_json::json!({ "a": 1, "b": [], "c": { "C0000000A": { "x": "" } }, "d": [{ "e": 1 }] }));
    shape.take(&serde_json::json!({ "a": null, "d": [{ "f": true }] }));
    let sample = serde_json::json!({
        "a": "", "b": [""], "c": { "C00000000": { "x": "", "y": 1 } }, "d": [{ "e": 2, "f": false, "g": {} }], "h": []
    });
    let lacks: Vec<String> = shape.lacks(&sample).into_iter().collect();
    assert_eq!(lacks, ["a: null or number, not string", "b[]", "c.{}.y", "d[].g", "h"]);
}
