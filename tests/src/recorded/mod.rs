//! Recorded truth: what the live services answered, replayed against the twins.
//!
//! The recordings are no part of the project; only counts and the names of the exchanges that disagree are kept.

pub mod compare;
pub mod devices;
pub mod evidence;
pub mod headers;
pub mod ids;
pub mod org;
pub mod recording;
pub mod replay;
pub mod shape;
pub mod sources;
