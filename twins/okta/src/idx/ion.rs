//! ION, as far as these answers use it: forms with their fields, and messages.

use dtu_kernel::wire::{Answer, Request};
use http::header;
use serde_json::{Value, json};

/// The version of the API.
pub const VERSION: &str = "1.0.0";
/// The media type of answers.
const ION: &str = "application/ion+json; okta-version=1.0.0";
/// The same for callers that take JSON only.
const JSON: &str = "application/json; okta-version=1.0.0";

/// Whether a caller takes ION: all do but those who ask for JSON alone.
pub fn takes(request: &Request) -> bool {
    let accept = request.header(header::ACCEPT).unwrap_or("*/*");
    accept.split(',').any(|one| !one.trim().starts_with("application/json"))
}

/// An answer with a body.
pub fn answer(body: &Value, ion: bool) -> Answer {
    Answer::text(if ion { ION } else { JSON }, body.to_string())
}

/// A form that is sent to an address.
pub fn form(name: &str, href: &str, fields: Vec<Value>) -> Value {
    json!({
        "rel": ["create-form"],
        "name": name,
        "href": href,
        "method": "POST",
        "produces": ION,
        "value": fields,
        "accepts": JSON,
    })
}

/// A field with a value that is sent back as it is.
pub fn fixed(name: &str, value: &str) -> Value {
    json!({ "name": name, "required": true, "value": value, "mutable": false })
}

/// The field that all forms have.
pub fn state_handle(handle: &str) -> Value {
    json!({ "name": "stateHandle", "required": true, "value": handle, "visible": false, "mutable": false })
}

/// A field for a text.
pub fn text(name: &str, label: &str, required: bool) -> Value {
    json!({ "name": name, "label": label, "required": required })
}

/// A field that is not shown while it is typed.
pub fn secret(name: &str, label: &str) -> Value {
    json!({ "name": name, "label": label, "secret": true })
}

/// A field of fields.
pub fn object(name: &str, fields: Vec<Value>, required: bool) -> Value {
    json!({ "name": name, "type": "object", "form": { "value": fields }, "required": required })
}

/// A list with its type.
pub fn array(items: Vec<Value>) -> Value {
    json!({ "type": "array", "value": items })
}

/// An object with its type.
pub fn typed(value: &Value) -> Value {
    json!({ "type": "object", "value": value })
}

/// A message.
pub fn message(text: &str, key: &str, class: &str) -> Value {
    json!({ "message": text, "i18n": { "key": key, "params": [] }, "class": class })
}

/// Messages.
pub fn messages(all: &[Value]) -> Value {
    json!({ "type": "array", "value": all })
}
