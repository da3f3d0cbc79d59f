//! The harness from outside: targets under supervision, and the command line.

mod cli;
mod process;
mod support;
