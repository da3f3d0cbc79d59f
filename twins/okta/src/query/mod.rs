//! Okta's expression language for `filter` and `search`: text -> tokens -> tree -> typed condition -> yes or no.
//!
//! The grammar is SCIM's (RFC 7644, section 3.4.2.2) without value paths. Which attributes and operators an
//! endpoint takes is a [`Dialect`].
//! See developer.okta.com/docs/reference/core-okta-api/#filter.

mod condition;
mod lex;
mod parse;

pub use condition::{Condition, Dialect, Fault, Fields, Kind, More, Rule};
pub use parse::{Expr, Literal, Operator, SyntaxError, parse};
