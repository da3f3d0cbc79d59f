//! What tests and benchmarks share: calls of twins within the process, recorded exchanges, and a seeded
//! simulation.

pub mod calls;
pub mod recorded;
pub mod simulation;
