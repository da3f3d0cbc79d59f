//! What is known of an operation without running it.

use std::sync::Arc;

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use crate::openapi::document::Document;

/// How far a twin goes with an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Hand-written rules: the twin does what the service does.
    #[default]
    Behaves,
    /// Generic stateful behaviour: what is written can be read again.
    Stores,
    /// Answers are valid but nothing is remembered.
    Shapes,
    /// Refused by name, in the service's shape; a gap.
    Absent,
}

impl Level {
    /// The level's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Behaves => "behaves",
            Self::Stores => "stores",
            Self::Shapes => "shapes",
            Self::Absent => "absent",
        }
    }
}

/// What is known of an operation without running it.
#[derive(Clone, Debug)]
pub struct OperationInfo {
    /// The provider's own id (`chat.postMessage`, `listUsers`).
    pub id: &'static str,
    /// The methods it is served under, the usual one first.
    pub methods: &'static [Method],
    /// The path with `{name}` for parameters.
    pub path: &'static str,
    /// Whether it changes state.
    pub writes: bool,
    /// The limit that counts its calls, as a key of the twin's table in `limits.rs`.
    pub limit: &'static str,
    /// The scopes of which the caller needs one; empty where none is needed.
    pub scopes: &'static [&'static str],
    /// The service's error codes that it can answer besides those common to all.
    pub errors: &'static [&'static str],
    /// Whether arguments may come as a JSON body.
    pub json_body: bool,
    /// The schema of its arguments.
    pub arguments: fn(&mut SchemaGenerator) -> Schema,
    /// The schema of its answer's body; none where it has no body.
    pub response: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// How far the twin goes with it: see [`OperationInfo::level`].
    pub depth: Depth,
    /// Its number in the twin's contract, of rows that are made from it.
    pub contract: Option<usize>,
    /// Describes the operation for the OpenAPI document where its types do not: rows made from a contract.
    pub described: Option<Described>,
}

/// How a row knows its level.
#[derive(Clone)]
pub enum Depth {
    /// By itself.
    Is(Level),
    /// By looking into schemas, which is put off until somebody asks: a twin starts without reading all of them.
    Ask(Arc<dyn Fn() -> Level + Send + Sync>),
}

impl std::fmt::Debug for Depth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Is(level) => level.fmt(f),
            Self::Ask(_) => f.write_str("Ask"),
        }
    }
}

/// Makes an operation's OpenAPI object, and adds the schemas that it names to the document.
#[derive(Clone)]
pub struct Described(Arc<dyn Fn(&mut Document) -> Value + Send + Sync>);

impl Described {
    /// From what describes it.
    pub fn new(describe: impl Fn(&mut Document) -> Value + Send + Sync + 'static) -> Self {
        Self(Arc::new(describe))
    }

    /// The operation's object.
    pub fn object(&self, document: &mut Document) -> Value {
        (self.0)(document)
    }
}

impl std::fmt::Debug for Described {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Described")
    }
}

impl OperationInfo {
    pub(super) fn new<A: JsonSchema, B: JsonSchema + 'static>(
        id: &'static str,
        methods: &'static [Method],
        path: &'static str,
        writes: bool,
    ) -> Self {
        let empty = std::any::TypeId::of::<B>() == std::any::TypeId::of::<()>();
        Self {
            id,
            methods,
            path,
            writes,
            limit: "",
            scopes: &[],
            errors: &[],
            json_body: true,
            arguments: SchemaGenerator::subschema_for::<A>,
            response: (!empty).then_some(SchemaGenerator::subschema_for::<B>),
            depth: Depth::Is(Level::Behaves),
            contract: None,
            described: None,
        }
    }

    /// An operation whose arguments and answer have no Rust types.
    pub fn untyped(id: &'static str, methods: &'static [Method], path: &'static str, level: Level) -> Self {
        Self { depth: Depth::Is(level), ..Self::new::<Value, Value>(id, methods, path, false) }
    }

    /// How far the twin goes with it.
    pub fn level(&self) -> Level {
        match &self.depth {
            Depth::Is(level) => *level,
            Depth::Ask(ask) => ask(),
        }
    }

    /// Whether it has hand-written rules. Never looks into schemas.
    pub const fn behaves(&self) -> bool {
        matches!(self.depth, Depth::Is(Level::Behaves))
    }

    /// The names of the path's parameters, in order.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|part| part.split('}').next())
    }
}
