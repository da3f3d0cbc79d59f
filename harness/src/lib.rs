//! The scenario harness of the Digital Twin Universe: launches a real program against the twins, plays user
//! stories, and says which fraction of the trajectories likely satisfies the user.
//!
//! From Rust there are two ways in. [`Universe`] is a set of twins for a test that plays its own story: it gives
//! addresses and credentials, lets people act, injects faults, moves the clock, forks, and shows what happened.
//! [`Scenario`] runs scenario files, or texts in the test itself, against a [`Target`]: an async function of the test, a
//! command, or a target file.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use std::time::Duration;
//! use dtu::{Universe, kernel::clock::ClockMode};
//!
//! let universe = Universe::begin("acme").clock(ClockMode::Stepped).start().await?;
//! let busy = universe.fault("[{id: busy, on: {twin: slack}, do: {rate_limited: {retry_after: 3s}}}]")?;
//! // ... the program under test calls `universe.url("slack")` ...
//! drop(busy);
//! universe.advance(Duration::from_secs(3_600)).await;
//! let results = universe.judge("checks: [{name: it is quiet, that: {never: {of: \"e.kind == 'request'\"}}}]").await?;
//! assert_eq!(results[0].held, dtu::verdict::Held::Yes);
//! # Ok::<(), dtu::Error>(()) }).unwrap();
//! ```
//!
//! `examples/library.rs` is a whole test of a small bot. The modules below are what the command `dtu` is made of.

mod api;

pub mod admit;
pub mod bundle;
pub mod check;
pub mod cli;
pub mod collateral;
pub mod evidence;
pub mod explain;
pub mod expr;
pub mod facts;
pub mod gate;
pub mod gates;
pub mod judge;
pub mod ledger;
pub mod lint;
pub mod load;
pub mod merge;
pub mod mischief;
pub mod mutate;
pub mod order;
pub mod pack;
pub mod pairing;
pub mod plan;
pub mod prepare;
pub mod process;
pub mod progress;
pub mod prove;
pub mod reads;
pub mod record;
pub mod redact;
pub mod replay;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod schema;
mod settle;
pub mod stats;
pub mod summary;
pub mod supervise;
pub mod target;
pub mod task;
pub mod trajectory;
pub mod variant;
pub mod verdict;
pub mod wait;

pub use dtu_kernel as kernel;

pub use self::{
    api::{Begin, Error, Scenario, Target, Trajectories, Universe},
    task::Place,
};

#[cfg(test)]
mod testing;
