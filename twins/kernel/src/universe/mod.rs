//! A universe: an isolated running set of twins over one world, with one seed, clock, ledger and fault plan.
//!
//! All that a universe remembers is one value behind one lock (`value`). Snapshot, fork and restore copy that
//! value, which costs a few pointers.

mod acts;
mod attempts;
mod birth;
pub(crate) mod core;
mod fate;
mod faults;
mod passage;
mod quotas;
mod snapshots;
mod sockets;
pub(crate) mod value;
mod views;
mod worker;

pub(crate) use self::{attempts::Sent, worker::Busy};
pub use self::{
    core::{Options, Universe},
    faults::Armed,
    value::{Snapshot, SnapshotInfo},
};
