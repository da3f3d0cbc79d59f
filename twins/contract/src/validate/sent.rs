//! What a request sent, before and after the contract is looked at.

use dtu_kernel::wire::Request;
use http::HeaderMap;
use indexmap::IndexMap;
use serde_json::Value;
use smol_str::SmolStr;

/// What a request sent, before the contract is looked at.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    /// Decoded path parameters by name.
    pub path_params: &'a [(&'a str, String)],
    /// The query as sent, without the question mark.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body's media type in lower case, without parameters; empty where not said.
    pub media_type: String,
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> Sent<'a> {
    /// What a request sent.
    pub fn of(request: &'a Request) -> Self {
        Self {
            path_params: &request.path_params,
            query: &request.query,
            headers: &request.headers,
            media_type: request.media_type(),
            body: &request.body,
        }
    }
}

/// What an operation is called with, read by its parameters' schemas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// Path parameters by name.
    pub path: IndexMap<SmolStr, Value>,
    /// Query parameters by name.
    pub query: IndexMap<SmolStr, Value>,
    /// Header parameters by the document's spelling.
    pub headers: IndexMap<SmolStr, Value>,
    /// Cookie parameters by name.
    pub cookies: IndexMap<SmolStr, Value>,
    /// The body: JSON, an object of a form's fields, or text. Absent where empty, or not text and not a form.
    pub body: Option<Value>,
    /// Query parameters that the contract does not know, in the order sent: services differ on whether they refuse them.
    pub unknown: Vec<SmolStr>,
}
