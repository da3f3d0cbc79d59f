//! The harness from outside: targets under supervision, and the command line.

mod cli;
mod gate;
mod process;
mod proof;
mod secrets;
mod support;
