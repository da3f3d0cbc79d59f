//! What every twin stands on: universe, clock, seed tree, ids, tables, ledger, faults, limits, deliveries, the
//! operation table, the listeners, the control plane and the shell of a standalone server.
//!
//! A twin implements [`twin::Twin`]; [`host::host`] makes it a [`host::Host`] that [`universe::Universe`] can hold.

pub mod act;
pub mod args;
mod awaited;
mod call;
pub mod clock;
pub mod control;
pub mod delivery;
pub mod diagnostic;
pub mod distort;
pub mod environment;
pub mod fault;
mod history;
pub mod host;
pub mod ids;
pub mod job;
pub mod json;
pub mod ledger;
pub mod limits;
pub mod multiverse;
pub mod openapi;
pub mod operation;
mod past;
pub mod replay;
pub mod route;
pub mod rows;
pub mod seed;
pub mod serve;
pub mod shell;
pub mod socket;
mod states;
mod struck;
pub mod table;
pub mod tape;
pub mod time;
pub mod twin;
pub mod tx;
pub mod universe;
pub mod veil;
mod windows;
pub mod wire;
pub mod world;
