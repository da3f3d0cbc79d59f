//! The harness from outside: targets under supervision, and the command line.

mod cli;
mod gate;
#[path = "../../examples/library.rs"]
mod library;
mod process;
mod proof;
mod resume;
mod secrets;
mod support;
mod tasks;
