//! The generic twin: what has no hand-written behaviour works from the contract alone.
//!
//! [`plan`](Plan) says what an operation is understood as, from its path, its method and the schemas around it. The
//! [`Engine`] does it on a [`Store`]. Values that nobody gave are made up in the shape that the schema implies: for
//! what is written they follow from a draw of the universe's seed and are remembered, for what is only read they
//! follow from names alone, so that the same read answers the same.
//!
//! What is not acted on is refused, never passed over: filters and orders of lists that no member carries.
//!
//! What was decided where documents are silent:
//!
//! - A collection that an operation fills holds only what was made or given by a world; any other id is not found, also
//!   as a parent. One that nothing fills holds every id, made up, until a world says what there is: its operations, and
//!   all below it, would be out of reach otherwise.
//! - Two paths are two collections, also where they end in the same noun (`/apps/{id}/users` and `/users`).
//! - A removed object takes with it all that is below its path.
//! - Lists are in the order of making. Filters by equality walk from the cursor until the page is full; offsets are
//!   walked over from the start; a list that is sorted must be short.
//! - Flags in the query of a write are not acted on.

mod answer;
mod call;
mod collection;
pub mod customs;
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
mod planner;
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

pub use call::{Alone, Body, Call, Done, Made, Neighbour, Neighbours};
pub use engine::Engine;
pub use plan::{Kind, Level, Plan};
pub use store::{Object, Store};
