//! Jobs: deliveries and timers that are due at a time.

use std::time::Duration;

use serde_json::Value;
use smol_str::SmolStr;

use crate::{delivery::Delivery, ledger::Principal, socket::Cut, time::Timestamp, tx::Planned};

/// Something to do at a time.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    Delivery(Delivery),
    /// The service waits no longer for the answer to a delivery that is still on its way, or lost.
    GiveUp(Delivery),
    Timer {
        twin: usize,
        name: SmolStr,
        data: Value,
        cause: Option<u64>,
        struck: bool,
    },
    Cut(Cut),
}

/// A job as listed.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct JobInfo {
    /// When it is due.
    pub due: Timestamp,
    /// The twin.
    pub twin: SmolStr,
    /// The kind of delivery, or the timer's name.
    pub what: SmolStr,
    /// Which attempt of a delivery comes next; 0 for timers.
    pub attempt: u32,
}

impl Job {
    pub(crate) fn from_plan(
        plan: Planned,
        id: u64,
        twin: usize,
        now: Timestamp,
        cause: Option<u64>,
        principal: &Principal,
    ) -> Option<(Timestamp, Self)> {
        Some(match plan {
            Planned::Socket(_) => return None,
            Planned::Delivery { kind, payload, after, .. } => {
                let delivery = Delivery {
                    id,
                    twin,
                    kind,
                    payload,
                    attempt: 1,
                    reason: SmolStr::default(),
                    cause,
                    principal: principal.clone(),
                    struck: false,
                    bad_signature: false,
                    waited: Duration::ZERO,
                    late: false,
                };
                (now.after(after), Self::Delivery(delivery))
            }
            Planned::Timer { name, data, at } => (at, Self::Timer { twin, name, data, cause, struck: false }),
        })
    }
}
