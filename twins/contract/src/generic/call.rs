//! What the engine is asked, and what it answers.

use bytes::Bytes;
use dtu_kernel::time::Timestamp;
use http::HeaderName;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::customs::Customs;
use crate::validate::Arguments;

/// One call, already checked against the contract.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What it was called with.
    pub arguments: &'a Arguments,
    /// The universe's time.
    pub now: Timestamp,
    /// The address that the caller used: `http://host:port`.
    pub origin: &'a str,
    /// The path as sent.
    pub path: &'a str,
    /// The query as sent, without the question mark.
    pub query: &'a str,
    /// Who calls.
    pub caller: &'a str,
    /// What is kept elsewhere.
    pub neighbours: &'a dyn Neighbours,
    /// What the service does with its objects beside what its documents say.
    pub customs: &'a dyn Customs,
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("path", &self.path).field("query", &self.query).finish_non_exhaustive()
    }
}

/// What hand-written behaviour knows of collections that the engine does not keep itself.
pub trait Neighbours {
    /// What is known of an id in a collection: the path's template up to the parameter (`/api/v1/users`). None where
    /// nothing is known of the whole collection.
    fn find(&self, collection: &str, id: &str) -> Option<Neighbour>;
}

/// Nobody else keeps anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Neighbours for Alone {
    fn find(&self, _: &str, _: &str) -> Option<Neighbour> {
        None
    }
}

/// What is known of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// There is one, and this is its id (a login may have been asked for).
    Is(SmolStr),
    /// There is none.
    Missing,
}

/// An answer before the service's own headers are put on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The HTTP status.
    pub status: u16,
    /// The body's media type; none where there is no body.
    pub media_type: Option<&'static str>,
    /// The body.
    pub body: Option<Body>,
    /// More headers.
    pub headers: Vec<(HeaderName, String)>,
    /// What was done to the object that the call speaks of; none where nothing was.
    pub done: Option<Box<Done>>,
}

/// What a call has done to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The path of its collection with all parameters as `{}`; of the one object of a path, the path.
    pub collection: SmolStr,
    /// The path with its parents' ids.
    pub place: SmolStr,
    /// Its id; empty for the one object of a path.
    pub id: SmolStr,
    /// What was known of it before; none where it was made.
    pub before: Option<Map<String, Value>>,
    /// What is known of it now; none where it was removed.
    pub after: Option<Map<String, Value>>,
    /// Whether a verb did it.
    pub by_verb: bool,
}

/// A body.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// Anything else.
    Bytes(Bytes),
}

impl Body {
    /// The JSON value; none where it is something else.
    pub const fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => Some(value),
            Self::Bytes(_) => None,
        }
    }
}

impl From<Body> for Bytes {
    fn from(body: Body) -> Self {
        match body {
            Body::Json(value) => dtu_kernel::wire::to_json_bytes(&value),
            Body::Bytes(bytes) => bytes,
        }
    }
}

impl Made {
    /// The same answer with what was done.
    pub(super) fn after(self, done: Done) -> Self {
        Self { done: Some(Box::new(done)), ..self }
    }
}

impl Call<'_> {
    /// An argument, wherever it was sent: in the path, the query or the body.
    pub(super) fn argument(&self, name: &str) -> Option<&Value> {
        let arguments = self.arguments;
        let body = || arguments.body.as_ref().and_then(|body| body.get(name));
        arguments.path.get(name).or_else(|| arguments.query.get(name)).or_else(body).filter(|value| !value.is_null())
    }

    /// An argument as text.
    pub(super) fn argument_text(&self, name: &str) -> Option<SmolStr> {
        self.argument(name).and_then(text)
    }

    /// The members of the body; with `merged`, the query's arguments among them.
    pub(super) fn members(&self, merged: bool) -> Map<String, Value> {
        let query =
            self.arguments.query.iter().filter(|_| merged).map(|(name, value)| (name.to_string(), value.clone()));
        let mut members: Map<_, _> = query.collect();
        if let Some(Value::Object(body)) = &self.arguments.body {
            members.extend(body.clone());
        }
        members
    }
}

/// A scalar as it stands in paths.
pub(super) fn text(value: &Value) -> Option<SmolStr> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(flag) => Some(if *flag { "true" } else { "false" }.into()),
        _ => None,
    }
}
