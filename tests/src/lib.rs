//! What tests and benchmarks share: calls of twins within the process, and a seeded simulation.

pub mod calls;
pub mod simulation;
