//! Drives the twin in process, as a client would.

mod credentials;
mod envelopes;
mod headers;
mod support;
mod users;
mod worlds;
