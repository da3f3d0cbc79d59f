//! Drives the twin in process, as a client would.

mod assertions;
mod looking;
mod refreshing;
mod support;
mod worlds;
