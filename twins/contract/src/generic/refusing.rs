//! Refusals in the shape that a document gives them.

use dtu_kernel::time::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    call::{Body, Made},
    engine::Engine,
    form::{self, is_json},
    make::Maker,
    source::Source,
    times::plain,
    view::View,
};
use crate::{contract::Response, schema::Type};

/// Names under which documents put what is wrong, as [`plain`] writes them.
const WORDS: &[&str] = &[
    "message",
    "error",
    "detail",
    "description",
    "errordescription",
    "errorsummary",
    "title",
    "reason",
    "msg",
    "errormessages",
    "messages",
];
/// Names under which documents put the status.
const STATUS: &[&str] = &["status", "statuscode", "code"];

impl Engine {
    /// A refusal in the document's shape: with the first of `statuses` that the document has for the operation. None
    /// where it has none of them.
    pub fn refusal(
        &self,
        operation: usize,
        statuses: &[u16],
        what: &str,
        (now, origin): (Timestamp, &str),
    ) -> Option<Made> {
        let op = self.tree().op(operation);
        let responses = &op.operation.facts.get().responses;
        let exact = statuses.iter().find_map(|status| Some((*status, responses.get(status.to_string().as_str())?)));
        let any = || Some((*statuses.first()?, op.operation.facts.get().response(*statuses.first()?)?));
        let (status, response): (u16, &Response) = exact.or_else(any)?;
        let empty = Made { status, media_type: None, body: None, headers: Vec::new(), done: None };
        let Some((media_type, schema)) = form::json(&response.content) else { return Some(empty) };
        if !is_json(media_type) {
            return Some(Made {
                media_type: Some(media_type),
                body: Some(Body::Bytes(what.to_owned().into())),
                ..empty
            });
        }
        let view = View::of(op.document, schema);
        let given = told(&view, status, what);
        let maker = Maker { now, origin, link: None, id: None, sent: false, whole: false, patterns: &self.patterns };
        let value = maker.envelope(&view, Some(&given), Source::of(&[self.service, "refusal"]));
        let media_type = if media_type.starts_with("*/*") { "application/json" } else { media_type };
        Some(Made { media_type: Some(media_type), body: Some(Body::Json(value.unwrap_or(given))), ..empty })
    }
}

/// What is wrong and the status, under the names that the document has for them.
fn told(view: &View<'_>, status: u16, what: &str) -> Value {
    let mut members = Map::new();
    for name in view.properties().keys() {
        let Some(member) = view.property(name) else { continue };
        let (word, number) = (WORDS.contains(&plain(name).as_str()), STATUS.contains(&plain(name).as_str()));
        let value = match () {
            () if number && (member.is(Type::Integer) || member.is(Type::Number)) => json!(status),
            () if number && member.is(Type::String) => json!(status.to_string()),
            () if word && member.is(Type::String) => json!(what),
            () if word && member.is(Type::Array) => json!([what]),
            () if word && member.is(Type::Object) => told(&member, status, what),
            () => continue,
        };
        members.insert(name.to_string(), value);
    }
    Value::Object(members)
}
