//! The generic twin: what has no hand-written behaviour works from the contract alone.

pub mod refusal;
