//! All integration tests of the workspace, in one binary.

mod bad_input;
mod clients;
mod control_plane;
mod determinism;
mod properties;
mod run;
mod servers;
mod support;
