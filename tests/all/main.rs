//! All integration tests of the workspace, in one binary.

mod bad_input;
mod control_plane;
mod determinism;
mod properties;
mod servers;
mod support;
