//! The operation table: each call of a service is one row, and nothing lists the calls a second time.
//!
//! The table drives routing, argument reading, limits, fault matching, the OpenAPI document and coverage.

pub(crate) mod info;
pub(crate) mod row;

pub(crate) use self::row::Run;
pub use self::{
    info::{Depth, Described, Level, OperationInfo},
    row::{OpenHandler, Operation, ReadHandler, RunRead, RunWrite, ThenHandler, Typed, WriteHandler},
};
