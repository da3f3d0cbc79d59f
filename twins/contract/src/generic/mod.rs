//! The generic twin: what has no hand-written behaviour works from the contract alone.
//!
//! [`plan`](Plan) says what an operation is understood as, from its path, its method and the schemas around it. The
//! [`Engine`] does it on a [`Store`]. Values that nobody gave are made up in the shape that the schema implies: for
//! what is written they follow from a draw of the universe's seed and are remembered, for what is only read they
//! follow from names alone, so that the same read answers the same.
//!
//! What is not acted on is refused, never passed over: filters and orders of lists that no member carries.

mod answer;
mod call;
mod engine;
mod filter;
mod fits;
mod form;
mod listing;
mod make;
mod objects;
mod paging;
mod patch;
mod pattern;
mod plan;
pub mod refusal;
mod refusing;
mod rpc;
mod seeding;
mod source;
mod store;
mod text;
mod times;
mod tree;
mod verbs;
mod view;

pub use call::{Alone, Body, Call, Made, Neighbour, Neighbours};
pub use engine::Engine;
pub use plan::{Kind, Level, Plan};
pub use store::{Object, Store};
