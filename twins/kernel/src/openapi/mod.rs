//! OpenAPI 3.0 documents of what is served, made from the tables that serve it and schemas of the Rust types.

pub(crate) mod document;
mod served;

pub use self::{
    document::{Document, SchemaOf},
    served::{of_twin, of_written},
};
