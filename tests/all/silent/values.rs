//! Values for an input: some that its schema allows, and some that it does not.

use std::collections::BTreeMap;

use dtu_contract::{
    contract::Document,
    schema::{Schema, Type},
};
use serde_json::{Value, json};

/// A value as it is written in a query, form, header or path.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Values to try, each with whether the schema allows it.
pub(super) fn candidates(document: &Document, schema: &Schema, samples: Option<&Vec<Value>>) -> Vec<(Value, bool)> {
    let schema = document.resolve(schema);
    let mut values: Vec<(Value, bool)> = samples.into_iter().flatten().map(|sample| (sample.clone(), true)).collect();
    if let Some(allowed) = &schema.values {
        values.extend(allowed.iter().take(6).map(|value| (value.clone(), true)));
        values.push((json!("dtu-no-such-value"), false));
        return values;
    }
    let types = if schema.types.is_empty() { &[Type::String][..] } else { &schema.types };
    for kind in types {
        let (allowed, wrong) = of_type(*kind, schema);
        values.extend(allowed.into_iter().map(|value| (value, true)));
        values.extend(wrong.into_iter().map(|value| (value, false)));
    }
    values
}

fn of_type(kind: Type, schema: &Schema) -> (Vec<Value>, Vec<Value>) {
    match kind {
        Type::Boolean => (vec![json!(true), json!(false)], vec![json!("maybe")]),
        Type::Integer | Type::Number => {
            let bounds = [&schema.minimum, &schema.maximum].into_iter().flatten().map(|bound| json!(bound));
            (bounds.chain([json!(1), json!(2)]).collect(), vec![json!(0), json!(-1), json!(1_u64 << 40), json!("many")])
        }
        Type::String if schema.format.as_deref() == Some("date-time") => {
            (vec![json!("2026-02-28T00:00:00.000Z"), json!("2026-03-20T00:00:00.000Z")], vec![json!("soon")])
        }
        Type::String => (vec![json!("dtu-nothing"), json!("x y\u{e9}&")], vec![json!("")]),
        Type::Array => (vec![json!([]), json!(["dtu-nothing"])], vec![json!("dtu-nothing"), json!({})]),
        Type::Object => (vec![json!({}), json!({ "dtu": "nothing" })], vec![json!("dtu-nothing"), json!([])]),
    }
}

/// The members that a body may have, by name; not those that only answers have.
pub(super) fn members<'a>(document: &'a Document, schema: &'a Schema) -> BTreeMap<String, &'a Schema> {
    let mut found = BTreeMap::new();
    add_members(document, schema, &mut found, 0);
    found
}

fn add_members<'a>(document: &'a Document, schema: &'a Schema, found: &mut BTreeMap<String, &'a Schema>, depth: u8) {
    // Schemas may name each other in circles.
    if depth > 8 {
        return;
    }
    let schema = document.resolve(schema);
    for (name, member) in &schema.properties {
        if !member.read_only && !document.resolve(member).read_only {
            found.entry(name.to_string()).or_insert(member);
        }
    }
    for part in schema.all_of.iter().chain(&schema.one_of).chain(&schema.any_of) {
        add_members(document, part, found, depth + 1);
    }
}
