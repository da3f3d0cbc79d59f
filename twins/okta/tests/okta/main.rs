//! Drives the twin in process, as a client would.

mod apps;
mod errors;
mod groups;
mod hooks;
mod lifecycle;
mod logs;
mod oauth;
mod people;
mod resources;
mod support;
mod worlds;
