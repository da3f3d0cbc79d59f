//! The operations: parse, call the model, render. One file a resource.

pub mod documents;
pub mod people;
pub mod tokens;

use schemars::JsonSchema;
use serde::Deserialize;

/// Arguments of operations that need none.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Nothing {}
