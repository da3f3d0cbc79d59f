//! The crate's tests.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod contracts;
mod diff;
mod differences;
mod generic;
mod import;
mod validate;
