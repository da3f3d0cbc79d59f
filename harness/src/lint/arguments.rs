//! Arguments of verbs whose values no such verb takes.

use serde_json::{Map, Value};

use super::Lint;
use crate::expr::Place;

impl Lint<'_> {
    /// Values that do not fit the verb's schema. What is filled in when the story is played is not known yet.
    pub(super) fn arguments(&mut self, verb: &str, schema: &Value, with: &Map<String, Value>, place: Place) {
        for (name, value) in with {
            let Some(why) = misfit(schema, &schema["properties"][name], value) else { continue };
            let place = place.find(self.text, &format!("{name}:"));
            let problem = self.at(place, format!("`{name}` of `{verb}` is {why}, and this is {}", kind(value)));
            self.problems.push(problem);
        }
    }
}

/// What a value should be and is not; none where it fits, or nobody can tell.
fn misfit(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    if value.as_str().is_some_and(|text| text.contains("${")) {
        return None;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
        return misfit(root, &root["$defs"][name], value);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(any) = schema[key].as_array() {
            let found: Option<Vec<String>> = any.iter().map(|one| misfit(root, one, value)).collect();
            return found.map(|found| found.join(" or "));
        }
    }
    if let Some(known) = schema["enum"].as_array().filter(|known| !known.contains(value)) {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        return Some(format!("one of {}", known.join(", ")));
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let fits = types.iter().any(|known| is_of(known, value));
    (!fits).then(|| types.iter().map(|known| words(known)).collect::<Vec<_>>().join(" or "))
}

fn is_of(known: &str, value: &Value) -> bool {
    match known {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

const fn words(known: &str) -> &str {
    match known.as_bytes() {
        b"string" => "a text",
        b"integer" => "a whole number",
        b"number" => "a number",
        b"boolean" => "true or false",
        b"array" => "a list",
        b"object" => "an object",
        b"null" => "null",
        _ => known,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
