//! Attempts of deliveries: prepared, sent, taken in.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use parking_lot::RwLockWriteGuard;
use smol_str::{SmolStr, format_smolstr};

use super::{core::Universe, value::Inner};
use crate::{
    awaited::Fate,
    delivery::{self, Delivery, Next, Outbound, Outcome},
    job::Job,
    ledger::{Attempt, Event, Principal},
    socket::{Frame, Out},
    time::Timestamp,
    tx::Written,
};

impl Universe {
    pub(super) async fn do_delivery(&self, job: u64, delivery: Delivery) {
        let Some(sent) = self.prepare_attempt(job, delivery) else { return };
        let outcome = match &sent.way {
            Way::Http(outbound) => delivery::send(outbound).await,
            Way::Socket(frame) => self.send_frame(frame).await,
        };
        self.conclude_attempt(sent, &outcome);
    }

    /// All of an attempt before something goes out; none where nothing does.
    pub(crate) fn prepare_attempt(&self, job: u64, delivery: Delivery) -> Option<Sent> {
        let (id, late) = (delivery.id, delivery.late);
        match self.take_up(job, delivery) {
            Ok(sent) => Some(sent),
            Err(fate) => {
                self.note_fate(id, late, fate);
                None
            }
        }
    }

    fn take_up(&self, job: u64, mut delivery: Delivery) -> Result<Sent, Fate> {
        let mut guard = self.lock();
        let now = self.note_job(job, &guard);
        if !delivery.struck {
            match self.fate(&mut guard, &mut delivery, now) {
                Fate::Goes => {}
                other => return Err(other),
            }
        }
        let host = &self.twins()[delivery.twin];
        let state = guard.state(delivery.twin);
        let frame = host.frame(state, &delivery, now).map(Way::Socket);
        let Some(way) = frame.or_else(|| host.prepare(state, &delivery, now).map(Way::Http)) else {
            self.note_dropped(&delivery, now);
            return Err(Fate::Over);
        };
        let way = way.within(delivery.waited);
        Ok(Sent { delivery, way, generation: guard.generation })
    }

    /// All of an attempt after something came back, or did not.
    pub(crate) fn conclude_attempt(&self, sent: Sent, outcome: &Outcome) {
        let (id, late) = (sent.delivery.id, sent.delivery.late);
        let fate = self.conclude(sent, outcome);
        self.note_fate(id, late, fate);
    }

    /// Nobody waits for a delivery that was given up.
    fn note_fate(&self, id: u64, late: bool, fate: Fate) {
        if !late {
            self.awaited.lock().note(id, fate);
        }
    }

    fn conclude(&self, sent: Sent, outcome: &Outcome) -> Fate {
        let Sent { delivery, way, generation } = sent;
        let guard = self.lock();
        if guard.generation != generation {
            return Fate::Over;
        }
        let now = guard.clock.now();
        let record = attempt_record(&delivery, &way, outcome);
        if delivery.late {
            let seq = self.note_attempt(&delivery, record, now);
            self.tape_receipt(seq, outcome);
            return Fate::Over;
        }
        self.take_in(guard, delivery, record, outcome, now)
    }

    /// Lets the twin take in what came of an attempt.
    pub(crate) fn take_in(
        &self,
        mut guard: RwLockWriteGuard<'_, Inner>,
        mut delivery: Delivery,
        record: Attempt,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Fate {
        let (next, Written { changes, planned }) =
            self.write(&mut guard, delivery.twin, now, |host, state, tx| host.delivered(state, tx, &delivery, outcome));
        let host = &self.twins()[delivery.twin];
        let event = Event::Delivery(Box::new(record));
        let seq = self.ledger().append(now, Principal::System, host.name(), delivery.cause, event, changes);
        self.tape_receipt(seq, outcome);
        let (id, twin, principal) = (delivery.id, delivery.twin, delivery.principal.clone());
        let fate = match next {
            Next::Done => Fate::Over,
            Next::Retry { after, reason } => {
                delivery.attempt += 1;
                delivery.reason = SmolStr::new_static(reason);
                delivery.waited = Duration::ZERO;
                guard.enqueue(now.after(after), Job::Delivery(delivery));
                Fate::Waits
            }
        };
        if let Some(another) = self.plan(guard, twin, planned, Some(seq), &principal, now) {
            self.awaited.lock().follow(id, another);
        }
        self.wake.notify_one();
        fate
    }

    /// Sends one attempt over a socket, and waits for the client's answer.
    async fn send_frame(&self, frame: &Frame) -> Outcome {
        let Some(socket) = frame.socket else { return Outcome::Unreachable };
        let answer = self.sockets.expect(&frame.key);
        if !self.sockets.send(socket, Out::Text(frame.text.clone())) {
            drop(answer);
            self.sockets.give_up(&frame.key);
            return Outcome::Unreachable;
        }
        let Ok(Ok(body)) = tokio::time::timeout(frame.patience, answer).await else {
            self.sockets.give_up(&frame.key);
            return Outcome::TimedOut;
        };
        let json = HeaderValue::from_static(crate::wire::JSON);
        let headers = [(http::header::CONTENT_TYPE, json)].into_iter().collect();
        Outcome::Answered { status: 200, headers, body }
    }

    /// A delivery that lost its object before it went out.
    fn note_dropped(&self, delivery: &Delivery, now: Timestamp) {
        self.note_attempt(delivery, unsent(delivery, "dropped_by_service"), now);
    }

    fn note_attempt(&self, delivery: &Delivery, record: Attempt, now: Timestamp) -> u64 {
        let twin = self.twins()[delivery.twin].name();
        let event = Event::Delivery(Box::new(record));
        self.ledger().append(now, Principal::System, twin, delivery.cause, event, Vec::new())
    }

    /// Notes what came back, for replays.
    fn tape_receipt(&self, seq: u64, outcome: &Outcome) {
        if let Some(tape) = self.tape.get() {
            tape.receipt(seq, outcome);
        }
    }
}

/// An attempt that is on its way.
pub(crate) struct Sent {
    pub(crate) delivery: Delivery,
    way: Way,
    generation: u64,
}

impl Sent {
    /// What is sent.
    pub(crate) fn body(&self) -> Bytes {
        self.way.body()
    }
}

/// How an attempt goes out.
enum Way {
    Http(Outbound),
    Socket(Frame),
}

impl Way {
    /// The same with less time for the answer: so much has been spent on it already.
    fn within(mut self, spent: Duration) -> Self {
        match &mut self {
            Self::Http(outbound) => outbound.timeout = outbound.timeout.saturating_sub(spent),
            Self::Socket(frame) => frame.patience = frame.patience.saturating_sub(spent),
        }
        self
    }

    /// Where to, for the ledger.
    fn address(&self) -> SmolStr {
        match self {
            Self::Http(outbound) => SmolStr::new(&outbound.url),
            Self::Socket(Frame { socket: Some(socket), .. }) => format_smolstr!("socket:{socket}"),
            Self::Socket(Frame { socket: None, .. }) => SmolStr::new_static("socket:none"),
        }
    }

    fn body(&self) -> Bytes {
        match self {
            Self::Http(outbound) => outbound.body.clone(),
            Self::Socket(frame) => Bytes::copy_from_slice(frame.text.as_bytes()),
        }
    }
}

/// The record of an attempt that never went out.
pub(super) fn unsent(delivery: &Delivery, why: &'static str) -> Attempt {
    Attempt {
        delivery: delivery.id,
        kind: delivery.kind.clone(),
        url: SmolStr::default(),
        attempt: delivery.attempt,
        request: Bytes::new(),
        outcome: Err(why),
        response: Bytes::new(),
    }
}

fn attempt_record(delivery: &Delivery, way: &Way, outcome: &Outcome) -> Attempt {
    Attempt {
        delivery: delivery.id,
        kind: delivery.kind.clone(),
        url: way.address(),
        attempt: delivery.attempt,
        request: way.body(),
        outcome: outcome.summary(),
        response: match outcome {
            Outcome::Answered { body, .. } => body.clone(),
            _ => Bytes::new(),
        },
    }
}
