//! Schemas, in the dialects of OpenAPI 3.0, OpenAPI 3.1, Swagger 2.0 and Google's discovery documents.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};
use smol_str::SmolStr;

use super::{
    at::At,
    reader::{Dialect, Reader},
};
use crate::schema::{Additional, Discriminator, Schema, Type};

/// How deep schemas may be nested in place. A contract's own text is nested twice as deep, and JSON's parser ends at
/// 128.
const MAX_DEPTH: usize = 50;

/// Words for people and tools only.
const PROSE: &[&str] = &[
    "title",
    "description",
    "example",
    "examples",
    "externalDocs",
    "xml",
    "$comment",
    "$schema",
    "$id",
    "id",
    "definitions",
    "$defs",
    "enumDescriptions",
    "enumDeprecated",
];

/// What holds beside a reference even where the dialect ignores its neighbours: it says nothing of the value itself,
/// and documents do write it there.
const BESIDE: &[&str] = &["$ref", "nullable", "x-nullable", "readOnly", "writeOnly", "deprecated", "default"];

impl<'a> Reader<'a> {
    /// Reads a schema. What it cannot use says nothing, and is a problem.
    pub(super) fn schema(&mut self, at: &At<'_>, value: &'a Value) -> Schema {
        self.nested(at, value, 0)
    }

    /// Reads the schema that a parameter or header is itself, less the words that are the parameter's own.
    pub(super) fn schema_in_place(&mut self, at: &At<'_>, value: &'a Value, own: &[&str]) -> Schema {
        match value {
            Value::Object(map) => self.keywords(at, value, map, own, 0),
            _ => self.schema(at, value),
        }
    }

    fn nested(&mut self, at: &At<'_>, value: &'a Value, depth: usize) -> Schema {
        match value {
            Value::Bool(true) => Schema::default(),
            Value::Bool(false) => Schema { not: Some(Box::default()), ..Schema::default() },
            Value::Object(_) if depth > MAX_DEPTH => {
                self.unused(at, format!("schemas are nested more than {MAX_DEPTH} deep"));
                Schema::default()
            }
            Value::Object(map) => self.keywords(at, value, map, &[], depth),
            other => {
                self.expect::<()>(at, "a schema", other, None);
                Schema::default()
            }
        }
    }

    fn keywords(
        &mut self,
        at: &At<'_>,
        value: &'a Value,
        map: &'a Map<String, Value>,
        others: &[&str],
        depth: usize,
    ) -> Schema {
        let mut schema = Schema::default();
        let alone = map.contains_key("$ref") && self.dialect != Dialect::OpenApi31;
        for (key, value) in map {
            if !others.contains(&key.as_str()) && (!alone || BESIDE.contains(&key.as_str())) {
                self.keyword(&at.key(key), key, value, depth, &mut schema);
            }
        }
        settle_null(&mut schema);
        self.settle_items(at, map, &mut schema, depth);
        self.settle_bounds(at, map, &mut schema);
        self.settle_values(at, &mut schema);
        if schema.values.is_none() {
            schema.looks = self.evidence.looks(value, at.called(), &schema);
        }
        schema
    }

    fn keyword(&mut self, at: &At<'_>, key: &str, value: &'a Value, depth: usize, schema: &mut Schema) {
        let known = self.about_values(at, key, value, schema)
            || self.about_sizes(at, key, value, schema)
            || self.about_parts(at, key, value, depth, schema)
            || self.about_members(at, key, value, depth, schema);
        if !known && !PROSE.contains(&key) && !key.starts_with("x-") {
            self.unused(at, format!("the keyword `{key}` is not read"));
        }
    }

    fn about_values(&mut self, at: &At<'_>, key: &str, value: &'a Value, schema: &mut Schema) -> bool {
        match key {
            "$ref" => schema.reference = self.schema_reference(at, value),
            "type" => self.types(at, value, schema),
            "format" => {
                schema.format = self.expect(at, "a word", value, value.as_str().filter(is_word)).map(SmolStr::from);
            }
            "enum" => schema.values = self.expect(at, "a list", value, value.as_array()).map(|list| distinct(list)),
            "const" => schema.values = Some(vec![value.clone()]),
            // Where the default is `null`, nothing said is nothing taken.
            "default" => schema.default = Some(value.clone()).filter(|value| !value.is_null()),
            "pattern" => schema.pattern = self.pattern(at, value),
            "nullable" | "x-nullable" => schema.nullable |= self.yes(at, value),
            "readOnly" => schema.read_only = self.yes(at, value),
            "writeOnly" => schema.write_only = self.yes(at, value),
            "deprecated" => schema.deprecated = self.yes(at, value),
            _ => return false,
        }
        true
    }

    fn about_sizes(&mut self, at: &At<'_>, key: &str, value: &'a Value, schema: &mut Schema) -> bool {
        match key {
            "minimum" => schema.minimum = self.number(at, value),
            "maximum" => schema.maximum = self.number(at, value),
            // As true or false it changes the bound beside it: see `settle_bounds`.
            "exclusiveMinimum" | "exclusiveMaximum" if value.is_boolean() => {}
            "exclusiveMinimum" => schema.exclusive_minimum = self.number(at, value),
            "exclusiveMaximum" => schema.exclusive_maximum = self.number(at, value),
            "multipleOf" => {
                let number = self.number(at, value);
                let positive = number.filter(|number| number.as_f64().is_some_and(|number| number > 0.0));
                schema.multiple_of = self.expect(at, "a number above 0", value, positive);
            }
            "minLength" => schema.min_length = self.count(at, value),
            "maxLength" => schema.max_length = self.count(at, value),
            "minItems" => schema.min_items = self.count(at, value),
            "maxItems" => schema.max_items = self.count(at, value),
            "uniqueItems" => schema.unique_items = self.yes(at, value),
            "minProperties" => schema.min_properties = self.count(at, value),
            "maxProperties" => schema.max_properties = self.count(at, value),
            _ => return false,
        }
        true
    }

    fn about_parts(&mut self, at: &At<'_>, key: &str, value: &'a Value, depth: usize, schema: &mut Schema) -> bool {
        match key {
            // A list of schemas: see `settle_items`.
            "items" if value.is_array() => {}
            "items" => schema.items = Some(Box::new(self.nested(at, value, depth + 1))),
            "prefixItems" => {
                self.unused(at, "a schema for each place of a list; any of them is taken to hold for each item");
                let any_of = self.alternatives(at, value, depth + 1);
                schema.items = Some(Box::new(Schema { any_of, ..Schema::default() }));
            }
            "allOf" => schema.all_of = self.alternatives(at, value, depth),
            "oneOf" => schema.one_of = self.alternatives(at, value, depth),
            "anyOf" => schema.any_of = self.alternatives(at, value, depth),
            "not" => schema.not = Some(Box::new(self.nested(at, value, depth + 1))),
            _ => return false,
        }
        true
    }

    fn about_members(&mut self, at: &At<'_>, key: &str, value: &'a Value, depth: usize, schema: &mut Schema) -> bool {
        match key {
            "properties" => {
                for (name, value) in self.object(at, value).into_iter().flatten() {
                    let property = self.nested(&at.key(name), value, depth + 1);
                    schema.properties.insert(name.into(), property);
                }
            }
            // In a discovery document it speaks of the member or parameter itself.
            "required" | "repeated" | "annotations" if self.dialect == Dialect::Discovery => {}
            "required" => schema.required = self.required(at, value),
            "additionalProperties" => {
                schema.additional = Some(match value {
                    Value::Bool(allowed) => Additional::Allowed(*allowed),
                    Value::Object(map) if map.is_empty() => Additional::Allowed(true),
                    other => Additional::Of(Box::new(self.nested(at, other, depth + 1))),
                });
            }
            "discriminator" => schema.discriminator = self.discriminator(at, value),
            _ => return false,
        }
        true
    }

    fn schema_reference(&mut self, at: &At<'_>, value: &'a Value) -> Option<SmolStr> {
        let text = self.expect(at, "a reference", value, value.as_str())?;
        self.reference(at, text)
    }

    fn types(&mut self, at: &At<'_>, value: &'a Value, schema: &mut Schema) {
        let words = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for word in words {
            match word.as_str() {
                Some("null") => schema.nullable = true,
                Some("any") if self.dialect == Dialect::Discovery => {}
                Some("file") if self.dialect == Dialect::Swagger2 => {
                    schema.types = vec![Type::String];
                    schema.format = Some("binary".into());
                }
                Some(word) => match named_type(word) {
                    Some(found) if !schema.types.contains(&found) => schema.types.push(found),
                    Some(_) => {}
                    None => self.unused(at, format!("`{word}` is no type")),
                },
                None => drop(self.expect::<()>(at, "a type", word, None)),
            }
        }
        if !words.is_empty() && words.iter().all(|word| word == "null") {
            schema.values = Some(vec![Value::Null]);
        }
    }

    fn pattern(&mut self, at: &At<'_>, value: &'a Value) -> Option<String> {
        let pattern = self.expect(at, "text", value, value.as_str())?;
        let schema = serde_json::json!({ "pattern": pattern });
        if jsonschema::validator_for(&schema).is_err() {
            self.unused(at, "not a regular expression of ECMA-262");
            return None;
        }
        Some(pattern.to_owned())
    }

    fn yes(&mut self, at: &At<'_>, value: &Value) -> bool {
        self.expect(at, "true or false", value, value.as_bool()).unwrap_or_default()
    }

    fn number(&mut self, at: &At<'_>, value: &Value) -> Option<Number> {
        let number = match value {
            Value::Number(number) => Some(number.clone()),
            Value::String(text) if self.dialect == Dialect::Discovery => text.parse().ok(),
            _ => None,
        };
        self.expect(at, "a number", value, number)
    }

    fn count(&mut self, at: &At<'_>, value: &Value) -> Option<u64> {
        let number = self.number(at, value)?;
        self.expect(at, "a whole number from 0", value, whole(&number))
    }

    fn required(&mut self, at: &At<'_>, value: &'a Value) -> Vec<SmolStr> {
        let list = self.expect(at, "a list of names", value, value.as_array());
        let mut names = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, value) in list.into_iter().flatten().enumerate() {
            let name = self.expect(&at.index(index), "a name", value, value.as_str());
            names.extend(name.filter(|name| seen.insert(*name)).map(SmolStr::from));
        }
        names
    }

    fn alternatives(&mut self, at: &At<'_>, value: &'a Value, depth: usize) -> Vec<Schema> {
        let list = self.expect(at, "a list of schemas", value, value.as_array());
        let numbered = list.into_iter().flatten().enumerate();
        numbered.map(|(index, value)| self.nested(&at.index(index), value, depth + 1)).collect()
    }

    fn discriminator(&mut self, at: &At<'_>, value: &'a Value) -> Option<Discriminator> {
        if let (Value::String(name), Dialect::Swagger2) = (value, self.dialect) {
            return Some(Discriminator { property: name.into(), mapping: indexmap::IndexMap::new() });
        }
        let map = self.object(at, value)?;
        let property = self.text(at, map, "propertyName")?.into();
        let mut mapping = indexmap::IndexMap::new();
        for (word, target) in self.members(at, map, "mapping") {
            let step = at.key("mapping");
            let place = step.key(word);
            let target = self.expect(&place, "a reference", target, target.as_str());
            let name = target.and_then(|target| self.mapped(&place, target));
            mapping.extend(name.map(|name| (SmolStr::from(word), name)));
        }
        Some(Discriminator { property, mapping })
    }

    /// A discriminator's target: a reference, or just a schema's name.
    fn mapped(&mut self, at: &At<'_>, target: &str) -> Option<SmolStr> {
        let named = format!("#/components/schemas/{}", super::at::escape(target));
        if target.starts_with('#') || self.peek(&named).is_none() {
            return self.reference(at, target);
        }
        self.reference(at, &named)
    }

    /// Reads `items` where it is a list: of what a list holds at each place, or (as Slack's old document has it, without
    /// saying that the value is a list) of what the value itself may be.
    fn settle_items(&mut self, at: &At<'_>, map: &'a Map<String, Value>, schema: &mut Schema, depth: usize) {
        let Some(list @ Value::Array(_)) = map.get("items") else { return };
        let place = at.key("items");
        let alternatives = self.alternatives(&place, list, depth + 1);
        if schema.types.contains(&Type::Array) {
            self.unused(&place, "a schema for each place of a list; any of them is taken to hold for each item");
            schema.items = Some(Box::new(Schema { any_of: alternatives, ..Schema::default() }));
        } else {
            self.unused(&place, "a list of schemas for a value that is no list; taken as alternatives");
            schema.any_of.extend(alternatives);
        }
        settle_null(schema);
    }

    /// Turns the bounds of older dialects around, and drops those that no value can keep.
    fn settle_bounds(&mut self, at: &At<'_>, map: &Map<String, Value>, schema: &mut Schema) {
        if map.get("exclusiveMinimum") == Some(&Value::Bool(true)) {
            schema.exclusive_minimum = schema.minimum.take();
        }
        if map.get("exclusiveMaximum") == Some(&Value::Bool(true)) {
            schema.exclusive_maximum = schema.maximum.take();
        }
        if schema.values.as_ref().is_some_and(Vec::is_empty) {
            self.unused(&at.key("enum"), "no value is in the list; it is not kept");
            schema.values = None;
        }
        if exceeds(schema.minimum.as_ref(), schema.maximum.as_ref()) {
            self.unused(&at.key("minimum"), "the least is above the most; neither is kept");
            (schema.minimum, schema.maximum) = (None, None);
        }
        let counts = [
            ("minLength", &mut schema.min_length, &mut schema.max_length),
            ("minItems", &mut schema.min_items, &mut schema.max_items),
            ("minProperties", &mut schema.min_properties, &mut schema.max_properties),
        ];
        for (key, least, most) in counts {
            if least.zip(*most).is_some_and(|(least, most)| least > most) {
                self.unused(&at.key(key), "the least is above the most; neither is kept");
                (*least, *most) = (None, None);
            }
        }
    }

    /// Looks whether values and default fit the type, and each other.
    fn settle_values(&mut self, at: &At<'_>, schema: &mut Schema) {
        if self.dialect == Dialect::Discovery {
            schema.default = schema.default.take().map(|default| typed(default, &schema.types));
        }
        let strange = |value: &Value| !value.is_null() && !fits(value, &schema.types);
        if let Some(value) = schema.values.iter().flatten().find(|value| strange(value)) {
            self.unused(&at.key("enum"), format!("`{value}` is not of the schema's type"));
        }
        let Some(default) = &schema.default else { return };
        if strange(default) {
            self.unused(&at.key("default"), format!("`{default}` is not of the schema's type"));
        } else if schema.values.as_ref().is_some_and(|values| !values.contains(default)) {
            self.unused(&at.key("default"), format!("`{default}` is none of the schema's values"));
        }
    }
}

/// Says by `nullable` what documents say by `null` among values or alternatives.
fn settle_null(schema: &mut Schema) {
    if let Some(values) = &mut schema.values
        && values.len() > 1
        && values.contains(&Value::Null)
    {
        values.retain(|value| !value.is_null());
        schema.nullable = true;
    }
    for alternatives in [&mut schema.any_of, &mut schema.one_of] {
        let before = alternatives.len();
        alternatives.retain(|alternative| alternative.values.as_deref() != Some(&[Value::Null]));
        schema.nullable |= alternatives.len() < before;
    }
    collapse(schema);
}

/// A schema that is one alternative only, or all of one, is that one. Where that one is just a name, what stands beside
/// it may stay.
fn collapse(schema: &mut Schema) {
    let (all, any, one) = (schema.all_of.len(), schema.any_of.len(), schema.one_of.len());
    if all + any + one != 1 {
        return;
    }
    let mut rest = schema.clone();
    let lists = [&mut rest.all_of, &mut rest.any_of, &mut rest.one_of];
    let Some(only) = lists.into_iter().find_map(Vec::pop) else { return };
    let name = Schema { reference: only.reference.clone(), ..Schema::default() };
    if rest == (Schema { nullable: rest.nullable, ..Schema::default() }) {
        *schema = Schema { nullable: rest.nullable || only.nullable, ..only };
    } else if rest.reference.is_none() && only == name {
        *schema = Schema { reference: only.reference, ..rest };
    }
}

fn named_type(word: &str) -> Option<Type> {
    Some(match word {
        "boolean" => Type::Boolean,
        "integer" => Type::Integer,
        "number" => Type::Number,
        "string" => Type::String,
        "array" => Type::Array,
        "object" => Type::Object,
        _ => return None,
    })
}

/// Whether a value is of one of these types; any is fine where there is none.
pub(super) fn fits(value: &Value, types: &[Type]) -> bool {
    types.is_empty()
        || types.iter().any(|wanted| match wanted {
            Type::Boolean => value.is_boolean(),
            Type::Integer => {
                value.as_number().is_some_and(|number| number.is_i64() || number.is_u64() || is_whole(number))
            }
            Type::Number => value.is_number(),
            Type::String => value.is_string(),
            Type::Array => value.is_array(),
            Type::Object => value.is_object(),
        })
}

/// A default that is written as text, as its type has it.
fn typed(default: Value, types: &[Type]) -> Value {
    let Value::String(text) = &default else { return default };
    let read = match types {
        [Type::Boolean | Type::Integer | Type::Number] => serde_json::from_str(text).ok(),
        _ => None,
    };
    read.unwrap_or(default)
}

fn is_whole(number: &Number) -> bool {
    number.as_f64().is_some_and(|number| number.fract().abs() < f64::EPSILON)
}

/// A number from 0 without a fraction, also where it is written with one (`5.0`).
fn whole(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let written = format!("{}", number.as_f64()?);
        written.parse().ok()
    })
}

fn exceeds(least: Option<&Number>, most: Option<&Number>) -> bool {
    let numbers = least.and_then(Number::as_f64).zip(most.and_then(Number::as_f64));
    numbers.is_some_and(|(least, most)| least > most)
}

/// The list's values, each once.
fn distinct(list: &[Value]) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    list.iter().filter(|value| seen.insert(value.to_string())).cloned().collect()
}
/// Formats are names: some documents put sentences there.
fn is_word(text: &&str) -> bool {
    !text.is_empty() && text.len() <= 40 && !text.contains(char::is_whitespace)
}
