//! Requests and answers against the contract.
//!
//! Bodies are checked by the `jsonschema` crate: [`lower`] writes a schema of ours, for one direction, as JSON Schema
//! 2020-12, and [`report`] turns what the crate finds into violations.

mod body;
mod checker;
mod coerce;
mod compiled;
mod lower;
mod multipart;
mod parameters;
mod report;
mod sent;

pub use checker::Checker;
pub use compiled::Unusable;
pub use sent::{Arguments, Sent};

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the service: members that only answers have are not required.
    Request,
    /// From the service: members that only requests have are not required, and unknown members may be there unless the
    /// schema itself forbids them.
    Response,
}
