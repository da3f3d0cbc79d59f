//! What came of a call: its answer, or what it waits for.

use crate::wire::{Reply, Request, Wire};

/// What came of a call.
#[derive(Debug)]
pub enum Called {
    /// The answer.
    Answered(Reply, Wire),
    /// The answer waits for a delivery.
    Waits(Waiting),
}

impl Called {
    /// The answer, of a call that waits for nothing.
    pub fn reply(self) -> Option<Reply> {
        match self {
            Self::Answered(reply, _) => Some(reply),
            Self::Waits(_) => None,
        }
    }
}

/// A call whose answer waits for a delivery.
#[derive(Debug)]
pub struct Waiting {
    /// The delivery's id.
    pub(crate) delivery: u64,
    pub(crate) request: Request,
    pub(crate) mark: Mark,
    /// The entry of the call.
    pub(crate) cause: u64,
}

/// A call's number, and what is drawn for its request id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) nr: u64,
    pub(crate) bits: (u64, u64),
}
