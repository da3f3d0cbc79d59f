//! The ledger: the append-only log of all that happened in a universe, in order.
//!
//! Entries hold the rows that a write touched, never roots of the state. Past a limit the oldest entries move to a
//! file and are read back from there; nothing is lost.

mod entry;
mod form;
mod log;
mod store;

pub use self::{
    entry::{Attempt, Entry, Event, Exchange, Principal},
    log::{Cause, Keep, Ledger, Lineage, NetChange},
};
