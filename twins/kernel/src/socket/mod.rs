//! Sockets: connections that stay open (WebSockets), over which a twin and its client send each other texts.
//!
//! A socket is known by its number within the universe. What a twin remembers of it is a row of its own state; the
//! connection itself is no state: a snapshot holds none, and a fork or a restored universe begins with none open.

mod frame;
mod handshake;
mod registry;

pub(crate) use self::{
    frame::{Cut, Line},
    handshake::switching,
    registry::{Out, Sockets},
};
pub use self::{
    frame::{End, FRAME_MAX, Frame, SOCKETS_MAX, SocketId},
    handshake::is_upgrade,
};
