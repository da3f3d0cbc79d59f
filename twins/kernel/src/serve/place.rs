//! What a connection belongs to, and what it may become.

use std::sync::{Arc, atomic::AtomicBool};

use hyper::upgrade::OnUpgrade;
use parking_lot::Mutex;

use super::sockets::Claim;
use crate::universe::Universe;

/// What a connection belongs to.
pub(super) struct Place {
    pub(super) universe: Arc<Universe>,
    pub(super) slot: usize,
    /// Set to reset the connection when it is dropped.
    pub(super) reset: Arc<AtomicBool>,
    pub(super) handover: Handover,
}

/// The socket that a connection becomes, once it is one.
pub(super) type Handover = Arc<Mutex<Option<(Claim, OnUpgrade)>>>;
