//! Bodies, read by their media type.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    Sent,
    coerce::{Shape, coerce, list},
    multipart,
    report::Place,
};
use crate::{
    contract::Document,
    schema::Schema,
    violation::{Rule, Violation},
};

/// A body as read.
#[derive(Debug)]
pub(super) enum Read {
    /// A value that its schema can be asked about.
    Value(Value),
    /// A form whose files are told as their lengths, which no schema speaks of.
    Form(Value),
    /// Something that no schema can be asked about; text where it is text.
    Raw(Option<Value>),
}

/// The schema for a media type: its own, or that of a range that holds it.
pub(super) fn declared<'a>(content: &'a IndexMap<SmolStr, Schema>, media_type: &str) -> Option<&'a Schema> {
    let sent = essence(media_type);
    let family = sent.split('/').next().unwrap_or_default();
    let find = |wanted: &dyn Fn(&str) -> bool| {
        content.iter().find(|(name, _)| wanted(&essence(name))).map(|(_, schema)| schema)
    };
    let exact = find(&|name| name == sent);
    exact.or_else(|| find(&|name| name.strip_suffix("/*") == Some(family))).or_else(|| find(&|name| name == "*/*"))
}

/// A media type in lower case, without parameters.
pub(super) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a media type is JSON by another name.
pub(super) fn is_json(essence: &str) -> bool {
    matches!(essence, "application/json" | "text/json") || essence.ends_with("+json")
}

/// JSON, or where it stops being that.
pub(super) fn json(body: &[u8]) -> Result<Value, Violation> {
    serde_json::from_slice(body).map_err(|error| {
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or_default();
        let what = format!("line {}, column {}: {what}", error.line(), error.column());
        Place::BODY.violation("", Rule::Syntax, what)
    })
}

/// A request's body.
pub(super) fn request(document: &Document, schema: &Schema, sent: &Sent<'_>) -> Result<Read, Violation> {
    let essence = essence(&sent.media_type);
    if is_json(&essence) {
        return json(sent.body).map(Read::Value);
    }
    match essence.as_str() {
        "application/x-www-form-urlencoded" => Ok(Read::Value(form(document, schema, sent.body))),
        "multipart/form-data" => multipart(document, schema, sent).map(Read::Form),
        _ => Ok(Read::Raw(std::str::from_utf8(sent.body).ok().map(Value::from))),
    }
}

/// A form's fields as the members that the schema names; others stay text.
fn form(document: &Document, schema: &Schema, body: &[u8]) -> Value {
    let shape = Shape::of(document, schema);
    let mut fields: IndexMap<String, Vec<String>> = IndexMap::new();
    for (name, text) in form_urlencoded::parse(body) {
        fields.entry(name.into_owned()).or_default().push(text.into_owned());
    }
    let member = |(name, texts): (String, Vec<String>)| {
        let value = field(document, shape.properties.get(&SmolStr::new(&name)).copied(), &texts);
        (name, value)
    };
    Value::Object(fields.into_iter().map(member).collect())
}

/// A field's value. A list is a field for each item, or JSON; any other field given twice counts as its last.
fn field(document: &Document, schema: Option<&Schema>, texts: &[String]) -> Value {
    let last = texts.last().map_or("", String::as_str);
    let Some(schema) = schema else { return last.into() };
    let shape = Shape::of(document, schema);
    match shape.json(last) {
        Some(json) => json,
        None if shape.is_list() => {
            list(document, &shape, texts.iter().map(String::as_str).filter(|text| !text.is_empty()))
        }
        None => shape.scalar(last),
    }
}

fn multipart(document: &Document, schema: &Schema, sent: &Sent<'_>) -> Result<Value, Violation> {
    let content_type = sent.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(fields) = multipart::fields(content_type.unwrap_or_default(), sent.body) else {
        return Err(Place::BODY.violation("", Rule::Syntax, "is no multipart form with the boundary of its header"));
    };
    let shape = Shape::of(document, schema);
    let read = |(name, value): (String, Value)| {
        let schema = shape.properties.get(&SmolStr::new(&name));
        let value = match (&value, schema) {
            (Value::String(text), Some(schema)) => coerce(document, schema, text),
            _ => value,
        };
        (name, value)
    };
    Ok(Value::Object(fields.into_iter().map(read).collect::<Map<_, _>>()))
}
