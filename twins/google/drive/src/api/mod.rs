//! The operations with hand-written rules: parse, call the model, render. One file a resource.

pub mod about;
