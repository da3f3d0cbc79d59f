//! The life of a call, from the request to the answer and its entry.

use std::panic::AssertUnwindSafe;

use smol_str::SmolStr;

use super::{
    hosted::{Hosted, peek},
    record::{exchange, misfit, note},
    run::Ran,
};
use crate::{
    call::{Called, Mark, Waiting},
    fault::{Fired, Injected, Skipped},
    ledger::{Event, Exchange, Keep, Principal},
    operation::{Level, Operation, Run},
    socket::{self},
    struck,
    tape::CallNote,
    twin::{Read, Reason, Scene, Twin, Unserved},
    tx::{Planned, SocketAct, Written},
    universe::core::Universe,
    wire::{Reply, Request, Wire},
};

/// What is sent, and what is recorded of it.
struct Done {
    reply: Reply,
    wire: Wire,
    caller: SmolStr,
    resource: SmolStr,
    fault: Option<Fired>,
    skipped: Vec<Skipped>,
    written: Option<Written>,
}

impl Done {
    /// The call as the ledger keeps it.
    fn event(&self, scene: &Scene<'_>) -> Event {
        Event::Request(Box::new(exchange(
            scene.operation,
            scene.request,
            &self.reply,
            self.wire,
            self.caller.clone(),
            self.resource.clone(),
            self.fault.as_ref(),
        )))
    }
}

impl<T: Twin> Hosted<T> {
    /// Answers a call of an operation: from reading the request to the commit.
    pub(super) fn answer(&self, universe: &Universe, slot: usize, index: usize, mut request: Request) -> Called {
        let operation = &self.operations[index];
        if let Run::Absent = operation.run {
            let reply = self.refuse(universe, request, Reason::Absent(operation.info.id));
            return Called::Answered(reply, Wire::Plain);
        }
        if let Some(distortion) = universe.distortion.get() {
            distortion.rewrite(self.twin.name(), &operation.info, &mut request);
            distortion.seen(slot, index, &request);
            if operation.info.writes && distortion.pretends(self.twin.name(), &operation.info) {
                return Called::Answered(self.pretend(universe, slot, operation, &request), Wire::Plain);
            }
        }
        let input = self.twin.input(&operation.info, &request);
        let mark = universe.request_mark(self.twin.name());
        let called = if operation.info.writes || universe.needs_pen(self.twin.name(), operation.info.id) {
            self.call_with_pen(universe, slot, operation, request, mark, input)
        } else {
            self.call_reading(universe, slot, operation, request, mark, input)
        };
        called.unwrap_or_else(|request| Called::Answered(self.refuse(universe, *request, Reason::Broken), Wire::Plain))
    }

    /// Answers a call that had to wait.
    pub(super) fn answer_late(
        &self,
        universe: &Universe,
        slot: usize,
        index: usize,
        waiting: Waiting,
    ) -> (Reply, Wire) {
        let operation = &self.operations[index];
        let Waiting { request, mark, cause, .. } = waiting;
        let guard = universe.look();
        let scene =
            Scene { now: guard.clock.now(), operation: &operation.info, request: &request, request_bits: mark.bits };
        let input = self.twin.input(&operation.info, &request);
        let state = peek::<T>(guard.state(slot));
        let mut ran = Ran::new(scene.now);
        match (self.twin.authenticate(state, &scene, &input), &operation.then) {
            (Ok(caller), Some(then)) => {
                let caller = ran.caller.insert(caller);
                ran.result = then(&Read { state, caller, scene: &scene });
            }
            (Err(error), _) => ran.result = Err(error),
            // A call waits only where its operation says how it goes on; without that it has failed.
            (Ok(_), None) => ran.result = Err(Injected::Failure { status: None, code: None }.into()),
        }
        let done = self.finish(universe, ran, &scene, SmolStr::default());
        let event = || done.event(&scene);
        let (name, cause) = (self.twin.name(), Some(cause));
        let seq = universe.ledger().append_with(scene.now, Principal::Target, name, cause, Vec::new(), event);
        note(universe, || CallNote::new(seq, mark.nr, &request).answered(&done.reply));
        (done.reply, done.wire)
    }

    /// Answers a call that no operation can take.
    pub(super) fn refuse(&self, universe: &Universe, request: Request, reason: Reason) -> Reply {
        let now = universe.now();
        let mark = universe.request_mark(self.twin.name());
        let scene = Unserved { now, request: &request, reason, request_bits: mark.bits };
        let reply = self.twin.unserved(&scene);
        let exchange = Exchange {
            operation: if let Reason::Absent(operation) = reason { operation } else { "" },
            level: Level::Absent,
            gap: match reason {
                Reason::Broken | Reason::Absent(_) => true,
                Reason::BodyTooLarge => false,
                Reason::NotFound | Reason::MethodNotAllowed => self.twin.is_gap(&scene),
            },
            caller: SmolStr::default(),
            resource: SmolStr::default(),
            method: request.method.clone(),
            target: request.target(),
            content_type: request.header(http::header::CONTENT_TYPE).unwrap_or_default().into(),
            request: request.body.clone(),
            status: reply.status.as_u16(),
            response: reply.body.clone(),
            error: reply.error.clone(),
            fault: SmolStr::default(),
        };
        let event = Event::Request(Box::new(exchange));
        let seq = universe.ledger().append(now, Principal::Target, self.twin.name(), None, event, Vec::new());
        note(universe, || {
            let call = CallNote::new(seq, mark.nr, &request).answered(&reply);
            CallNote { too_large: reason == Reason::BodyTooLarge, ..call }
        });
        reply
    }

    /// A call that must have the pen. Gives the request back where the twin broke.
    fn call_with_pen(
        &self,
        universe: &Universe,
        slot: usize,
        operation: &Operation<T>,
        request: Request,
        mark: Mark,
        input: T::Input,
    ) -> Result<Called, Box<Request>> {
        let resource = self.resource(universe, operation, &input);
        let mut guard = universe.lock();
        let inner = &mut *guard;
        let scene =
            Scene { now: inner.clock.now(), operation: &operation.info, request: &request, request_bits: mark.bits };
        let run = || self.run_with_pen(universe, inner, slot, operation, &scene, input);
        let Ok(ran) = std::panic::catch_unwind(AssertUnwindSafe(run)) else {
            drop(guard);
            return Err(Box::new(request));
        };
        let now = scene.now;
        let mut done = self.finish(universe, ran, &scene, resource);
        let (name, id) = (self.twin.name(), operation.info.id);
        let cause = done.fault.as_ref().map(|fired| universe.record_fault(name, id, fired, now));
        universe.record_skipped(name, id, &done.skipped, now);
        let Written { changes, planned } = done.written.take().unwrap_or_default();
        let opens = |plan: &Planned| match plan {
            Planned::Socket(SocketAct::Open { socket }) => Some(*socket),
            _ => None,
        };
        done.reply.socket = planned.iter().find_map(opens);
        if done.reply.socket.is_some() && done.reply.status == http::StatusCode::SWITCHING_PROTOCOLS {
            socket::switching(&mut done.reply, &request);
        }
        let waits = planned.iter().any(|plan| matches!(plan, Planned::Delivery { awaited: true, .. }));
        let event = || if waits { Event::Pending { operation: id } } else { done.event(&scene) };
        let seq = universe.ledger().append_with(now, Principal::Target, name, cause, changes, event);
        if waits {
            note(universe, || CallNote::new(seq, mark.nr, &request).whole(&request));
        } else {
            note(universe, || CallNote::new(seq, mark.nr, &request).answered(&done.reply));
        }
        Ok(match universe.plan(guard, slot, planned, Some(seq), &Principal::Target, now) {
            Some(delivery) => Called::Waits(Waiting { delivery, request, mark, cause: seq }),
            None => Called::Answered(done.reply, done.wire),
        })
    }

    /// A call that only looks. Gives the request back where the twin broke.
    fn call_reading(
        &self,
        universe: &Universe,
        slot: usize,
        operation: &Operation<T>,
        request: Request,
        mark: Mark,
        input: T::Input,
    ) -> Result<Called, Box<Request>> {
        let resource = self.resource(universe, operation, &input);
        let guard = universe.look();
        let scene =
            Scene { now: guard.clock.now(), operation: &operation.info, request: &request, request_bits: mark.bits };
        let run = || self.run_reading(&guard, slot, operation, &scene, input);
        let Ok(ran) = std::panic::catch_unwind(AssertUnwindSafe(run)) else {
            drop(guard);
            return Err(Box::new(request));
        };
        let done = self.finish(universe, ran, &scene, resource);
        let event = || done.event(&scene);
        let seq =
            universe.ledger().append_with(scene.now, Principal::Target, self.twin.name(), None, Vec::new(), event);
        note(universe, || CallNote::new(seq, mark.nr, &request).answered(&done.reply));
        Ok(Called::Answered(done.reply, done.wire))
    }

    /// Answers a call as if it were done, on a copy that is thrown away.
    fn pretend(&self, universe: &Universe, slot: usize, operation: &Operation<T>, request: &Request) -> Reply {
        let input = self.twin.input(&operation.info, request);
        let mut scratch = universe.look().scratch();
        let (now, bits) = (scratch.clock.now(), universe.request_mark(self.twin.name()).bits);
        let scene = Scene { now, operation: &operation.info, request, request_bits: bits };
        let ran = self.run_with_pen(universe, &mut scratch, slot, operation, &scene, input);
        self.finish(universe, ran, &scene, SmolStr::default()).reply
    }

    /// The object that a call names; not worth finding out where nobody keeps it.
    fn resource(&self, universe: &Universe, operation: &Operation<T>, input: &T::Input) -> SmolStr {
        match universe.ledger().keep() {
            Keep::Off => SmolStr::default(),
            Keep::Full | Keep::Changes => self.twin.resource(&operation.info, input),
        }
    }

    /// Renders what came of a call, and does to it what a fault on the wire does.
    fn finish(&self, universe: &Universe, ran: Ran<T>, scene: &Scene<'_>, resource: SmolStr) -> Done {
        let caller = ran.caller.as_ref().map(|caller| self.twin.caller_name(caller)).unwrap_or_default();
        let now = struck::clock(ran.fault.as_ref(), scene.now);
        let scene = &Scene { now, ..*scene };
        let mut reply = self.twin.render(scene, ran.caller.as_ref(), ran.quota, ran.result);
        let wire = struck::on_the_wire(ran.fault.as_ref(), &mut reply, now);
        if universe.checks() && ran.fault.is_none() {
            let misfits = self.twin.misfits(scene.operation, &reply);
            if !misfits.is_empty() {
                reply = misfit(scene, &misfits);
            }
        }
        Done { reply, wire, caller, resource, fault: ran.fault, skipped: ran.skipped, written: ran.written }
    }
}
