//! Drives the twin in process, as a client would.

mod errors;
mod groups;
mod hooks;
mod lifecycle;
mod logs;
mod people;
mod support;
mod worlds;
