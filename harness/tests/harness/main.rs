//! The harness from outside: targets under supervision, and the command line.

mod cli;
mod gate;
#[path = "../../examples/library.rs"]
#[expect(dead_code, reason = "the example is a program too, with a function that begins it")]
mod library;
mod process;
mod proof;
mod resume;
mod secrets;
mod support;
mod tasks;
