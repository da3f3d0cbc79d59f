//! Okta's expression language: text -> tokens -> tree -> value.
//!
//! Group rules, claims and mappings are written in it. It is a part of Spring's expression language with functions of
//! Okta's own; how it is read is [`parse`], what it says of a person is [`evaluate`].
//! See developer.okta.com/docs/reference/okta-expression-language/.

mod check;
mod evaluate;
mod functions;
mod lex;
mod parse;
mod person;
mod tree;
mod value;

pub use check::{Known, Problem, check};
pub(crate) use check::{reads, reads_groups};
pub use evaluate::{Fault, Scope, evaluate, holds};
pub(crate) use functions::pattern;
pub use parse::{SyntaxError, parse};
pub use person::Person;
pub use tree::{Expr, Operator};
pub use value::Value;
