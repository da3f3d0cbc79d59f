//! Answers in the shape that an operation's success has.

use bytes::Bytes;
use http::HeaderName;
use serde_json::{Map, Value, json};

use super::{
    call::{Body, Call, Made},
    form::{self, Form, Success},
    make::Maker,
    pattern::Patterns,
    source::Source,
    tree::Op,
    view::View,
};
use crate::schema::Type;

/// What an answer is made with.
#[derive(Clone, Debug)]
pub(super) struct Pen<'a> {
    pub(super) op: Op,
    pub(super) call: &'a Call<'a>,
    pub(super) patterns: &'a Patterns,
    /// What made-up values follow from. Without a pen of the universe: from names alone.
    pub(super) source: Source,
}

/// An object to show: what is known of it, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Shown<'a> {
    pub(super) members: &'a Map<String, Value>,
    /// The path of the object itself.
    pub(super) link: Option<String>,
    /// The member by which it is known.
    pub(super) id: Option<&'a str>,
}

impl<'a> Pen<'a> {
    pub(super) fn maker(&self, link: Option<String>, id: Option<&'a str>) -> Maker<'a> {
        Maker {
            now: self.call.now,
            origin: self.call.origin,
            link,
            id,
            sent: false,
            whole: false,
            patterns: self.patterns,
        }
    }

    /// One object as the answer.
    pub(super) fn object(&self, success: &Success, noun: &str, shown: &Shown<'a>) -> Made {
        let form = form::object(&self.op, &form::singular(noun));
        let Some(form) = form else { return self.shape(success, shown.members) };
        let value = self.one(&form, shown);
        let made = match &form.inside {
            None => value,
            Some(name) => {
                let given = json!({ "ok": true, name.as_str(): value.unwrap_or_default() });
                self.maker(None, None).envelope(&form.answer(), Some(&given), self.source)
            }
        };
        self.made(success, made)
    }

    /// One object in the shape of a form.
    pub(super) fn one(&self, form: &Form, shown: &Shown<'a>) -> Option<Value> {
        let maker = self.maker(shown.link.clone(), shown.id);
        maker.complete(&form.item(), Some(&Value::Object(shown.members.clone())), self.source)
    }

    /// An answer of which only the shape is known. What was given is shown where the answer has a place for it.
    pub(super) fn shape(&self, success: &Success, given: &Map<String, Value>) -> Made {
        let view = View::of(self.op.document, success.schema);
        let mut given = given.clone();
        if view.property("ok").is_some() {
            given.insert("ok".to_owned(), Value::Bool(true));
        }
        let given = Value::Object(given);
        let value = self.maker(None, None).envelope(&view, Some(&given), self.source);
        self.made(success, value)
    }

    /// An answer with this body, or without one where the success has none.
    pub(super) fn made(&self, success: &Success, value: Option<Value>) -> Made {
        let body = success.media_type.map(|media_type| match value {
            Some(value) if form::is_json(media_type) => Body::Json(value),
            None if form::is_json(media_type) => Body::Json(fallback(&View::of(self.op.document, success.schema))),
            Some(Value::String(text)) if !text.is_empty() => Body::Bytes(Bytes::from(text)),
            Some(_) | None => Body::Bytes(Bytes::from_static(nothing(media_type))),
        });
        // A document that takes any media type is answered in JSON.
        let media_type = success.media_type.map(|name| if name.starts_with("*/*") { "application/json" } else { name });
        Made { status: success.status, media_type, body, headers: Vec::new(), done: None }
    }
}

/// The least that a media type other than JSON may hold.
fn nothing(media_type: &str) -> &'static [u8] {
    match media_type {
        text if text.contains("svg") => b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        text if text.contains("html") => b"<!DOCTYPE html><title></title>",
        text if text.contains("xml") => b"<none/>",
        _ => b"\n",
    }
}

fn fallback(view: &View<'_>) -> Value {
    if view.is(Type::Array) { Value::Array(Vec::new()) } else { Value::Object(Map::new()) }
}

/// `Location`, where the document speaks of it.
pub(super) fn location(op: &Op, status: u16, link: &str) -> Option<(HeaderName, String)> {
    let response = op.operation.facts.get().response(status)?;
    response.headers.contains_key("location").then(|| (http::header::LOCATION, link.to_owned()))
}
