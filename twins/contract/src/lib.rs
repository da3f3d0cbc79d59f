//! Public API documents as contracts: what a service takes and answers, as facts.
//!
//! A [`contract::Contract`] is made from a service's documents by `import`, committed as facts only (names, types,
//! enums, limits), and used to check requests and answers, to say what a twin covers, and to serve what has no
//! hand-written behaviour.

pub mod backing;
pub mod claims;
pub mod contract;
pub mod coverage;
pub mod describe;
pub mod diff;
pub mod differences;
pub mod generic;
pub mod import;
pub mod lazy;
pub mod open;
pub mod problem;
pub mod schema;
pub mod validate;
pub mod violation;
pub mod write;
