//! Entries: what happened, who made it happen, and the rows that it touched.

use bytes::Bytes;
use serde_json::Value;
use smol_str::SmolStr;

use crate::{operation::info::Level, table::Change, time::Timestamp};

/// Who made something happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// The program under test.
    Target,
    /// A persona that acts through affordances.
    Actor(SmolStr),
    /// The service itself: timers, deliveries, background work.
    System,
    /// A rule of the fault plan.
    Fault(SmolStr),
    /// Whoever holds the control plane's token.
    Operator,
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Target => f.write_str("target"),
            Self::Actor(name) => write!(f, "actor:{name}"),
            Self::System => f.write_str("system"),
            Self::Fault(rule) => write!(f, "fault:{rule}"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// One entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Position, counted from 0 without gaps.
    pub seq: u64,
    /// When, on the universe's clock.
    pub at: Timestamp,
    /// Who made it happen.
    pub principal: Principal,
    /// The twin it concerns; empty for the universe as a whole.
    pub twin: &'static str,
    /// The entry that led to this one (a delivery's cause, a timer's).
    pub cause: Option<u64>,
    /// What happened.
    pub event: Event,
    /// The rows it touched.
    pub changes: Vec<Change>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call of the data plane and its answer.
    Request(Box<Exchange>),
    /// A call that is committed and whose answer waits for a delivery; the call itself follows with its answer.
    Pending {
        /// The operation's id.
        operation: &'static str,
    },
    /// An attempt to deliver something to the target.
    Delivery(Box<Attempt>),
    /// A human act through an affordance.
    Affordance {
        /// The verb (`slack.user.click`).
        verb: SmolStr,
        /// Its arguments.
        with: Value,
        /// What came of it: the result, or why it was refused.
        outcome: Result<Value, String>,
    },
    /// A fault rule fired.
    Fault {
        /// The rule's id.
        rule: SmolStr,
        /// What it struck: operation or kind of delivery.
        on: SmolStr,
        /// What it did.
        effect: Value,
    },
    /// A fault rule whose patterns fit did not fire, for the first time for this reason.
    FaultSkipped {
        /// The rule's id.
        rule: SmolStr,
        /// What it did not strike: operation, kind of delivery, or timer.
        on: SmolStr,
        /// Why, in words.
        why: &'static str,
    },
    /// A timer of a twin came due.
    Timer {
        /// The timer's name.
        name: SmolStr,
    },
    /// A text went over a socket; what is delivered over one is [`Event::Delivery`].
    Frame {
        /// The socket's number.
        socket: u64,
        /// Whether the client sent it.
        from_client: bool,
        /// The text.
        text: Bytes,
    },
    /// A socket has ended.
    Socket {
        /// The socket's number.
        socket: u64,
        /// How, in words.
        what: &'static str,
    },
    /// The clock was moved.
    Clock {
        /// Where it stood.
        from: Timestamp,
        /// Where it stands.
        to: Timestamp,
    },
    /// A scenario did something besides what people do in the twins: a request to the target, a command of it, a choice.
    Act {
        /// Whether this tells how an earlier act came out, which is the entry's cause.
        is_answer: bool,
        /// What: `http`, `cli`, `pick`, `target.kill`.
        action: SmolStr,
        /// The beat's name.
        name: SmolStr,
        /// More about it, under the names that calls have: `request`, `response`, `status`, `error`, `with`, `result`.
        more: serde_json::Map<String, Value>,
    },
    /// Something was done to the universe as a whole.
    Control {
        /// What: `created`, `forked`, `snapshot`, `restored`, `reset`, `faults`.
        action: SmolStr,
        /// More about it.
        detail: Value,
    },
}

impl Event {
    /// The bodies of request and answer; empty where there are none.
    pub(super) fn bodies(&self) -> (&[u8], &[u8]) {
        match self {
            Self::Request(x) => (&x.request, &x.response),
            Self::Delivery(d) => (&d.request, &d.response),
            Self::Frame { from_client: true, text, .. } => (text, &[]),
            Self::Frame { from_client: false, text, .. } => (&[], text),
            _ => (&[], &[]),
        }
    }

    /// The same to be changed; none where there are none.
    pub(super) fn bodies_mut(&mut self) -> [Option<&mut Bytes>; 2] {
        match self {
            Self::Request(x) => [Some(&mut x.request), Some(&mut x.response)],
            Self::Delivery(d) => [Some(&mut d.request), Some(&mut d.response)],
            Self::Frame { text, .. } => [Some(text), None],
            _ => [None, None],
        }
    }

    pub(super) fn body_bytes(&self) -> usize {
        let (request, response) = self.bodies();
        request.len() + response.len()
    }

    pub(super) fn without_bodies(mut self) -> Self {
        for body in self.bodies_mut().into_iter().flatten() {
            *body = Bytes::new();
        }
        self
    }
}

/// A call of the data plane and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The operation's id; empty where no operation is served there.
    pub operation: &'static str,
    /// How far the twin goes with it.
    pub level: Level,
    /// Whether the twin does not implement what was asked: a coverage gap.
    pub gap: bool,
    /// Who called, as the twin names it; empty where not authenticated.
    pub caller: SmolStr,
    /// The object that the call names; empty where none.
    pub resource: SmolStr,
    /// HTTP method.
    pub method: http::Method,
    /// Path and query as sent.
    pub target: SmolStr,
    /// Request content type; empty where none.
    pub content_type: SmolStr,
    /// Request body.
    pub request: Bytes,
    /// HTTP status of the answer; 0 where none was sent.
    pub status: u16,
    /// Body of the answer.
    pub response: Bytes,
    /// The service's own error code, where it refused.
    pub error: SmolStr,
    /// The fault rule that struck, if any.
    pub fault: SmolStr,
}

/// An attempt to deliver something to the target.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The delivery's number within the universe.
    pub delivery: u64,
    /// Its kind (`event_callback`, `event_hook`).
    pub kind: SmolStr,
    /// Where to.
    pub url: SmolStr,
    /// Which attempt, counted from 1.
    pub attempt: u32,
    /// What was sent.
    pub request: Bytes,
    /// What came back: a status, or the reason why nothing did.
    pub outcome: Result<u16, &'static str>,
    /// The answer's body.
    pub response: Bytes,
}
