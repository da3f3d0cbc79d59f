//! Secrets in recordings: what is written down holds placeholders, and a replay puts the secrets back.

use serde_json::Value;

use crate::tape::{self, Note};

/// Knows which texts stand for which secrets.
///
/// Credentials of a universe derive from its world and seed, so that a replay finds them again as it goes: in what its
/// own twins answer. A placeholder whose secret nobody knows stays as it is, on the way in and in what comes of it.
pub trait Veil {
    /// Learns which secrets a recorded text's placeholders stand for, from what a replay has there.
    fn learn(&mut self, recorded: &str, replayed: &str);

    /// A text with placeholders for secrets; none where there is no secret in it.
    fn hide(&self, text: &[u8]) -> Option<Vec<u8>>;

    /// A text with secrets for placeholders; none where there is no known placeholder in it.
    fn show(&self, text: &[u8]) -> Option<Vec<u8>>;
}

/// Nothing is hidden.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Veil for Plain {
    fn learn(&mut self, _: &str, _: &str) {}

    fn hide(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn show(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

/// How texts are replaced: with another text, or not at all.
pub type Replace<'a> = &'a dyn Fn(&[u8]) -> Option<Vec<u8>>;

/// Replaces all texts of a JSON value, also the names of members.
pub fn replace(value: &mut Value, with: Replace<'_>) {
    match value {
        Value::String(text) => replace_text(text, with),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, with)),
        Value::Object(members) => {
            if members.keys().any(|name| with(name.as_bytes()).is_some()) {
                let renamed = std::mem::take(members).into_iter().map(|(mut name, value)| {
                    replace_text(&mut name, with);
                    (name, value)
                });
                *members = renamed.collect();
            }
            members.values_mut().for_each(|member| replace(member, with));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Learns from a recorded value and what a replay has in its place.
pub(crate) fn learn(veil: &mut dyn Veil, recorded: &Value, replayed: &Value) {
    match (recorded, replayed) {
        (Value::String(recorded), Value::String(replayed)) if recorded != replayed => veil.learn(recorded, replayed),
        (Value::Array(recorded), Value::Array(replayed)) => {
            recorded.iter().zip(replayed).for_each(|(recorded, replayed)| learn(veil, recorded, replayed));
        }
        (Value::Object(recorded), Value::Object(replayed)) => {
            for (name, recorded) in recorded {
                if let Some(replayed) = replayed.get(name) {
                    learn(veil, recorded, replayed);
                }
            }
        }
        _ => {}
    }
}

/// Replaces a text.
pub fn replace_text(text: &mut String, with: Replace<'_>) {
    // What is replaced are texts within a text: what comes out is one, too.
    if let Some(new) = with(text.as_bytes()).and_then(|new| String::from_utf8(new).ok()) {
        *text = new;
    }
}

/// Replaces what a note holds of headers, lines and bodies.
pub fn replace_note(note: &mut Note, with: Replace<'_>) {
    match note {
        Note::Job { .. } => {}
        Note::Receipt { headers, body, .. } => {
            replace_headers(headers, with);
            replace_body(body, with);
        }
        Note::Call(call) => {
            replace_headers(&mut call.headers, with);
            replace_headers(&mut call.answer_headers, with);
            replace_body(&mut call.body, with);
            if let Some((_, target)) = &mut call.line {
                replace_text(target, with);
            }
        }
    }
}

fn replace_headers(headers: &mut tape::Headers, with: Replace<'_>) {
    for (_, value) in headers {
        replace_text(value, with);
    }
}

/// A body in base64.
fn replace_body(body: &mut Option<String>, with: Replace<'_>) {
    let new = body.as_ref().and_then(|body| with(&tape::decoded(body)));
    if let Some(new) = new {
        *body = Some(tape::encoded(&new));
    }
}
