//! TypeScript's types, as far as Slack's list of methods has them.

use serde_json::Value;

use crate::schema::{Schema, Type};

/// How deep types may be nested.
const MAX_DEPTH: usize = 16;

/// What a type says; nothing where it is a name, or cannot be read.
pub(super) fn schema(text: &str) -> Schema {
    read(text, 0).unwrap_or_default()
}

/// Whether a type is a function's: a member that no answer has.
pub(super) fn is_function(text: &str) -> bool {
    text.contains("=>") || ["{ (", "{ <", "(<", "<"].iter().any(|start| text.starts_with(start))
}

fn read(text: &str, depth: usize) -> Option<Schema> {
    let text = unwrap(text.trim());
    if depth > MAX_DEPTH {
        return None;
    }
    let alternatives = split(text, '|');
    if alternatives.len() == 1 {
        return single(text, depth);
    }
    let read: Option<Vec<_>> = alternatives.into_iter().map(|text| read(text, depth + 1)).collect();
    read.map(merge)
}

fn single(text: &str, depth: usize) -> Option<Schema> {
    let of = |kind| Schema { types: vec![kind], ..Schema::default() };
    let literal = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Some(match text {
        "string" => of(Type::String),
        "number" => of(Type::Number),
        "boolean" | "true" | "false" => of(Type::Boolean),
        "null" | "undefined" => Schema { nullable: true, ..Schema::default() },
        _ if literal.is_some() => Schema { values: literal.map(|word| vec![Value::from(word)]), ..of(Type::String) },
        _ if text.ends_with("[]") => list(read(&text[..text.len() - 2], depth + 1), None),
        _ if text.starts_with('[') && text.ends_with(']') => tuple(&text[1..text.len() - 1], depth),
        _ if ["{", "Record<", "Partial<"].iter().any(|start| text.starts_with(start)) => of(Type::Object),
        _ => return None,
    })
}

fn list(items: Option<Schema>, min_items: Option<u64>) -> Schema {
    Schema { types: vec![Type::Array], items: items.map(Box::new), min_items, ..Schema::default() }
}

/// `[T, ...T[]]` is a list with at least one item; any other tuple is a list of as many.
fn tuple(text: &str, depth: usize) -> Schema {
    let parts = split(text, ',');
    let rest = parts.iter().filter(|part| part.trim().starts_with("...")).count();
    let fixed = parts.into_iter().filter(|part| !part.trim().starts_with("..."));
    let fixed: Option<Vec<_>> = fixed.map(|part| read(part, depth + 1)).collect();
    let least = fixed.as_ref().and_then(|fixed| u64::try_from(fixed.len()).ok());
    let schema = list(fixed.filter(|fixed| !fixed.is_empty()).map(merge), least.filter(|least| *least > 0));
    Schema { max_items: schema.min_items.filter(|_| rest == 0), ..schema }
}

/// One schema for all alternatives: their types and, where all are words, those words.
fn merge(alternatives: Vec<Schema>) -> Schema {
    let mut merged = Schema::default();
    let closed = alternatives.iter().all(|one| one.values.is_some() || (one.nullable && one.types.is_empty()));
    for one in alternatives {
        for kind in one.types {
            if !merged.types.contains(&kind) {
                merged.types.push(kind);
            }
        }
        merged.nullable |= one.nullable;
        merged.items = merged.items.or(one.items);
        if let Some(values) = one.values.filter(|_| closed) {
            merged.values.get_or_insert_default().extend(values);
        }
    }
    merged
}

/// A type without parentheses around all of it.
fn unwrap(text: &str) -> &str {
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    inside.filter(|inside| is_balanced(inside)).map_or(text, |inside| unwrap(inside.trim()))
}

fn is_balanced(text: &str) -> bool {
    let mut open = 0_i32;
    text.chars().all(|character| {
        open += step(character);
        open >= 0
    }) && open == 0
}

const fn step(character: char) -> i32 {
    match character {
        '(' | '[' | '{' | '<' => 1,
        ')' | ']' | '}' | '>' => -1,
        _ => 0,
    }
}

/// The parts between separators that stand in no brackets and no quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut open, mut quoted) = (0, 0, false);
    for (at, character) in text.char_indices() {
        quoted ^= character == '"';
        if quoted {
            continue;
        }
        open += step(character);
        if open == 0 && character == separator {
            parts.push(&text[start..at]);
            start = at + character.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(serde_json::to_string(&schema(text)).unwrap(), expected, "{text}");
    }

    #[test]
    fn types_of_typescript_become_facts() {
        check("string", r#"{"type":["string"]}"#);
        check("true | false", r#"{"type":["boolean"]}"#);
        check("string | number", r#"{"type":["string","number"]}"#);
        check(r#""asc" | "desc""#, r#"{"type":["string"],"enum":["asc","desc"]}"#);
        check(r#""asc" | string"#, r#"{"type":["string"]}"#);
        check("string | null", r#"{"type":["string"],"nullable":true}"#);
        check("string[]", r#"{"type":["array"],"items":{"type":["string"]}}"#);
        check("(Block | KnownBlock)[]", r#"{"type":["array"]}"#);
        check("[string, ...string[]]", r#"{"type":["array"],"items":{"type":["string"]},"minItems":1}"#);
        let pair = r#"{"type":["array"],"items":{"type":["string"],"enum":["a","b"]},"minItems":2,"maxItems":2}"#;
        check(r#"["a", "b"]"#, pair);
        check("Record<string, unknown>", r#"{"type":["object"]}"#);
        check("{ a?: string | null; }", r#"{"type":["object"]}"#);
    }

    #[test]
    fn names_and_nonsense_say_nothing() {
        for text in ["View", "any", "", "|", "string | View", "((((", "[", "\"", "a & b"] {
            check(text, "{}");
        }
    }
}
