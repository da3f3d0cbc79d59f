//! The data plane's listeners: service-true paths only, one listener a twin.

mod answers;
mod connection;
mod door;
mod place;
mod replies;
mod requests;
mod sockets;

pub use self::{
    answers::{Routes, routes},
    door::{Listening, listen},
};
