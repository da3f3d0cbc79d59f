//! A twin behind one face: what the universe needs of any twin, whatever its types.

use std::{any::Any, borrow::Cow, panic::AssertUnwindSafe, sync::Arc};

use schemars::SchemaGenerator;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use crate::{
    delivery::{Delivery, Next, Outbound, Outcome},
    diagnostic::Diagnostic,
    fault::{Effect, Fired, Injected, Skipped, Strikes, Subject},
    ledger::{Event, Exchange, Keep, Principal},
    operation::{Level, Operation, OperationInfo, Run},
    rows::{AnyRows, Reader},
    socket::{self, Frame, SocketId},
    struck,
    tape::{CallNote, Note},
    time::Timestamp,
    twin::{Affordance, Counted, EnvVar, Force, Quota, Read, Reason, Refusal, Scene, Twin, Unserved, View, Write},
    tx::{Planned, SocketAct, Tx},
    universe::{Inner, Mark, Universe},
    wire::{Answer, Reply, Request},
    world::World,
};

/// A twin's state of unknown type: one pointer.
pub type StateBox = Arc<dyn Any + Send + Sync>;

/// An affordance as listed.
#[derive(Clone, Debug)]
pub struct AffordanceInfo {
    /// The verb.
    pub verb: &'static str,
    /// What it does.
    pub about: &'static str,
    /// The schema of its arguments.
    pub arguments: fn(&mut SchemaGenerator) -> schemars::Schema,
}

impl AffordanceInfo {
    /// The arguments' JSON Schema, whole in itself.
    pub fn arguments_schema(&self) -> Value {
        let mut generator =
            schemars::generate::SchemaSettings::default().with(|s| s.inline_subschemas = true).into_generator();
        (self.arguments)(&mut generator).to_value()
    }
}

/// What is done to the connection besides, or instead of, the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The answer as it is.
    Plain,
    /// The answer, this much later.
    Late(std::time::Duration),
    /// Nothing for this long, then the connection closes.
    Hang(std::time::Duration),
    /// The connection is reset.
    Reset,
    /// The answer stops in the middle.
    Truncate,
    /// The answer comes in pieces of so many bytes, this much apart.
    Drip(std::time::Duration, u32),
}

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
    request: Request,
    mark: Mark,
    cause: u64,
}

/// What the universe needs of any twin. Implemented once, by [`Hosted`].
pub trait Host: Send + Sync + std::fmt::Debug {
    /// [`Twin::name`].
    fn name(&self) -> &'static str;
    /// [`Twin::store`].
    fn store(&self) -> &'static str;
    /// [`Twin::title`].
    fn title(&self) -> &'static str;
    /// [`Twin::body_max`].
    fn body_max(&self) -> usize;
    /// [`Twin::path`].
    fn path<'p>(&self, sent: &'p str) -> Cow<'p, str>;
    /// [`Twin::journals`].
    fn journals(&self) -> &'static [&'static str];
    /// The operation table.
    fn operations(&self) -> &[OperationInfo];
    /// The affordances.
    fn affordances(&self) -> Vec<AffordanceInfo>;
    /// Names and descriptions of the views.
    fn views(&self) -> Vec<(&'static str, &'static str)>;
    /// Renders a view; none where there is none of that name.
    fn view(&self, state: &StateBox, name: &str) -> Option<Value>;
    /// A view to be read row by row; none where it can only be rendered.
    fn read_view(&self, state: &StateBox, name: &str) -> Option<Arc<dyn Reader>>;
    /// [`Twin::section_schema`].
    fn section_schema(&self, generator: &mut SchemaGenerator) -> schemars::Schema;
    /// [`Twin::load`].
    ///
    /// # Errors
    /// Every problem found.
    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<StateBox, Vec<Diagnostic>>;
    /// [`Twin::env`].
    fn env(&self, state: &StateBox, origin: &str) -> Vec<EnvVar>;
    /// A call of an operation: from authentication to the commit.
    fn call(&self, universe: &Universe, slot: usize, operation: usize, request: Request) -> Called;
    /// Answers a call that had to wait, now that its delivery is over.
    fn resume(&self, universe: &Universe, slot: usize, operation: usize, waiting: Waiting) -> (Reply, Wire);
    /// A call that no operation can take.
    fn unserved(&self, universe: &Universe, request: Request, reason: Reason) -> Reply;
    /// Performs an affordance on a copy of the state.
    ///
    /// # Errors
    /// The refusal; the state stays as it was.
    fn perform(
        &self,
        state: &mut StateBox,
        tx: &mut Tx<'_>,
        verb: &str,
        actor: &str,
        with: Map<String, Value>,
    ) -> Result<Value, Refusal>;
    /// [`Twin::prepare`].
    fn prepare(&self, state: &StateBox, delivery: &Delivery, now: Timestamp) -> Option<Outbound>;
    /// [`Twin::recipient`].
    fn recipient(&self, delivery: &Delivery) -> SmolStr;
    /// [`Twin::patience`].
    fn patience(&self, kind: &str) -> Option<std::time::Duration>;
    /// [`Twin::delivered`].
    fn delivered(&self, state: &mut StateBox, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next;
    /// [`Twin::on_timer`].
    fn on_timer(&self, state: &mut StateBox, tx: &mut Tx<'_>, name: &str, data: &Value);
    /// [`Twin::frame`].
    fn frame(&self, state: &StateBox, delivery: &Delivery, now: Timestamp) -> Option<Frame>;
    /// [`Twin::on_frame`].
    fn on_frame(&self, state: &mut StateBox, tx: &mut Tx<'_>, socket: SocketId, text: &str);
    /// [`Twin::on_closed`].
    fn on_closed(&self, state: &mut StateBox, tx: &mut Tx<'_>, socket: SocketId);
    /// [`Twin::on_closing`].
    fn on_closing(&self, state: &StateBox, tx: &mut Tx<'_>, socket: SocketId);
}

/// The one implementation of [`Host`].
pub struct Hosted<T: Twin> {
    twin: T,
    operations: Vec<Operation<T>>,
    infos: Vec<OperationInfo>,
    affordances: Vec<Affordance<T>>,
    views: Vec<View<T>>,
    rows: Vec<(&'static str, &'static dyn AnyRows)>,
}

impl<T: Twin> std::fmt::Debug for Hosted<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.twin.name())
    }
}

/// A twin, ready to be put into universes.
pub fn host<T: Twin>(twin: T) -> Arc<dyn Host> {
    let operations = twin.operations();
    Arc::new(Hosted {
        infos: operations.iter().map(|operation| operation.info.clone()).collect(),
        operations,
        affordances: twin.affordances(),
        views: twin.views(),
        rows: twin.rows(),
        twin,
    })
}

/// A twin's state behind its box. A universe never mixes up its slots.
fn peek<T: Twin>(state: &StateBox) -> &T::State {
    state.downcast_ref().expect("a slot holds its own twin's state")
}

/// What came of the part of a call that runs under the lock.
struct Ran<T: Twin> {
    caller: Option<T::Caller>,
    quota: Quota,
    result: Result<Answer, T::Error>,
    /// Changed state and what the write wants to happen, where it did change.
    written: Option<Written>,
    fault: Option<Fired>,
    skipped: Vec<Skipped>,
}

impl<T: Twin> Ran<T> {
    /// Nothing ran yet.
    fn new(now: Timestamp) -> Self {
        Self {
            caller: None,
            quota: Quota::free(now),
            result: Err(Injected::Revoked.into()),
            written: None,
            fault: None,
            skipped: Vec::new(),
        }
    }

    /// Adds to what is written.
    fn write(&mut self, tx: Tx<'_>) {
        let written = self.written.get_or_insert_default();
        written.changes.extend(tx.changes.into_vec());
        written.planned.extend(tx.planned);
    }
}

/// What is sent, and what is recorded of it.
struct Done {
    reply: Reply,
    wire: Wire,
    exchange: Exchange,
    fault: Option<Fired>,
    skipped: Vec<Skipped>,
    written: Option<Written>,
}

#[derive(Default)]
struct Written {
    changes: Vec<crate::table::Change>,
    planned: Vec<Planned>,
}

impl<T: Twin> Hosted<T> {
    /// Renders what came of a call, does to it what a fault on the wire does, and makes its record.
    fn finish(&self, universe: &Universe, ran: Ran<T>, scene: &Scene<'_>, resource: SmolStr) -> Done {
        let caller_name = ran.caller.as_ref().map(|caller| self.twin.caller_name(caller)).unwrap_or_default();
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
        let fault = ran.fault.as_ref();
        let exchange = exchange(scene.operation, scene.request, &reply, wire, caller_name, resource, fault);
        Done { reply, wire, exchange, fault: ran.fault, skipped: ran.skipped, written: ran.written }
    }

    /// The object that a call names; not worth finding out where nobody keeps it.
    fn resource(&self, universe: &Universe, operation: &Operation<T>, input: &T::Input) -> SmolStr {
        match universe.ledger().keep() {
            Keep::Off => SmolStr::default(),
            Keep::Full | Keep::Changes => self.twin.resource(&operation.info, input),
        }
    }

    /// Runs a call with the pen in hand: limits are counted and faults drawn; a write is committed.
    fn run_with_pen(
        &self,
        universe: &Universe,
        inner: &mut Inner,
        slot: usize,
        operation: &Operation<T>,
        scene: &Scene<'_>,
        input: T::Input,
    ) -> Ran<T> {
        let mut ran = Ran::new(scene.now);
        let caller = match self.twin.authenticate(peek::<T>(inner.state(slot)), scene, &input) {
            Ok(caller) => caller,
            Err(error) => {
                ran.result = Err(error);
                return ran;
            }
        };
        let refusal = self.limited(universe, inner, slot, scene, &input, &caller, &mut ran);
        let caller_name = self.twin.caller_name(&caller);
        let resource = self.twin.resource(scene.operation, &input);
        let caller = ran.caller.insert(caller);
        if let Some(error) = refusal {
            ran.result = Err(error);
            return ran;
        }
        let subject = Subject {
            kind: Strikes::Calls,
            twin: self.twin.name(),
            name: scene.operation.id,
            writes: scene.operation.writes,
            cursors: self.twin.cursors(),
            resource: &resource,
            caller: &caller_name,
            facts: &|| struck::facts(scene.request),
        };
        let fate = inner.strike(subject, scene.now, universe.seeds());
        (ran.fault, ran.skipped) = (fate.fired, fate.skipped);
        let effect = ran.fault.as_ref().map(|fired| &fired.effect);
        if let Some(error) = effect.and_then(|effect| struck::before(effect, scene)) {
            ran.result = Err(error.into());
            return ran;
        }
        let scene = &Scene { now: struck::clock(ran.fault.as_ref(), scene.now), ..*scene };
        match &operation.run {
            Run::Read(run) => {
                let state = match effect {
                    Some(Effect::Stale { by }) => inner.state_at(slot, scene.now.before(by.0)),
                    _ => inner.state(slot),
                };
                let cx = Read { state: peek::<T>(state), caller, scene };
                ran.result = run(&cx, input);
            }
            Run::Absent => {}
            Run::Write(run) => {
                // Works on a copy (pointers only), so that an error or panic leaves no trace.
                let mut state: T::State = peek::<T>(inner.state(slot)).clone();
                let mut tx = Tx::new(
                    scene.now,
                    scene.request.origin.clone(),
                    (universe.seeds(), universe.limits()),
                    &mut inner.ordinals,
                );
                let mut cx = Write { state: &mut state, tx: &mut tx, caller, scene };
                ran.result = run(&mut cx, input);
                if ran.result.is_ok() {
                    ran.write(tx);
                    inner.commit(slot, Arc::new(state));
                }
            }
        }
        if let Some(error) = ran.fault.as_ref().and_then(|fired| struck::after(&fired.effect))
            && ran.result.is_ok()
        {
            ran.result = Err(error.into());
        }
        ran
    }

    /// Counts a call against all limits, and lets the twin note how it stands; the refusal of one that is too many.
    #[expect(clippy::too_many_arguments, reason = "a step of the one function that runs a call")]
    fn limited(
        &self,
        universe: &Universe,
        inner: &mut Inner,
        slot: usize,
        scene: &Scene<'_>,
        input: &T::Input,
        caller: &T::Caller,
        ran: &mut Ran<T>,
    ) -> Option<T::Error> {
        let (name, now) = (self.twin.name(), scene.now);
        ran.quota = Quota::untouched(self.twin.limit(scene.operation, caller).per_minute, now);
        if !universe.limits_are_on() {
            return None;
        }
        let allowances = self.twin.allowances(peek::<T>(inner.state(slot)), scene, input, caller);
        let mut counted = universe.count(inner, name, allowances, now);
        let refusing = counted.iter().filter(|one| one.refuses()).max_by_key(|one| one.reset);
        let shown = counted.iter().filter(|one| one.allowance.force == Force::Shown);
        let told = refusing.or_else(|| shown.min_by_key(|one| one.quota().remaining));
        ran.quota = told.map_or(ran.quota, Counted::quota);
        let mut refusal = refusing.map(|one| self.twin.over(scene, one));
        let most = self.twin.concurrency();
        if refusal.is_none() && universe.has_too_many(slot, most) {
            counted.push(universe.count_at_once(inner, name, most.unwrap_or_default(), now));
            refusal = Some(Injected::TooManyAtOnce.into());
        }
        if self.twin.is_noted(peek::<T>(inner.state(slot)), &counted) {
            let mut state: T::State = peek::<T>(inner.state(slot)).clone();
            let mut tx =
                Tx::new(now, scene.request.origin.clone(), (universe.seeds(), universe.limits()), &mut inner.ordinals);
            self.twin.note(&mut Write { state: &mut state, tx: &mut tx, caller, scene }, &counted);
            ran.write(tx);
            inner.commit(slot, Arc::new(state));
        }
        refusal
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
        let cause = done.fault.map(|fired| universe.record_fault(name, id, &fired, now));
        universe.record_skipped(name, id, &done.skipped, now);
        let (changes, planned) = done.written.map_or_else(Default::default, |w| (w.changes, w.planned));
        let opens = |plan: &Planned| match plan {
            Planned::Socket(SocketAct::Open { socket }) => Some(*socket),
            _ => None,
        };
        done.reply.socket = planned.iter().find_map(opens);
        if done.reply.socket.is_some() && done.reply.status == http::StatusCode::SWITCHING_PROTOCOLS {
            socket::switching(&mut done.reply, &request);
        }
        let waits = planned.iter().any(|plan| matches!(plan, Planned::Delivery { awaited: true, .. }));
        let event = if waits {
            Event::Pending { operation: operation.info.id }
        } else {
            Event::Request(Box::new(done.exchange))
        };
        let seq = universe.ledger().append(now, Principal::Target, self.twin.name(), cause, event, changes);
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

    /// Answers a call as if it were done, on a copy that is thrown away.
    fn pretend(&self, universe: &Universe, slot: usize, operation: &Operation<T>, request: &Request) -> Reply {
        let input = self.twin.input(&operation.info, request);
        let mut scratch = universe.look().scratch();
        let (now, bits) = (scratch.clock.now(), universe.request_mark(self.twin.name()).bits);
        let scene = Scene { now, operation: &operation.info, request, request_bits: bits };
        let ran = self.run_with_pen(universe, &mut scratch, slot, operation, &scene, input);
        self.finish(universe, ran, &scene, SmolStr::default()).reply
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
        let event = Event::Request(Box::new(done.exchange));
        let seq = universe.ledger().append(scene.now, Principal::Target, self.twin.name(), None, event, Vec::new());
        note(universe, || CallNote::new(seq, mark.nr, &request).answered(&done.reply));
        Ok(Called::Answered(done.reply, done.wire))
    }

    fn run_reading(
        &self,
        inner: &Inner,
        slot: usize,
        operation: &Operation<T>,
        scene: &Scene<'_>,
        input: T::Input,
    ) -> Ran<T> {
        let state = peek::<T>(inner.state(slot));
        let mut ran = Ran::new(scene.now);
        let caller = match self.twin.authenticate(state, scene, &input) {
            Ok(caller) => caller,
            Err(error) => {
                ran.result = Err(error);
                return ran;
            }
        };
        ran.quota = Quota::untouched(self.twin.limit(scene.operation, &caller).per_minute, scene.now);
        let caller = ran.caller.insert(caller);
        if let Run::Read(run) = &operation.run {
            ran.result = run(&Read { state, caller, scene }, input);
        }
        ran
    }
}

/// Stands in for an answer that does not fit the service's public documents, so that whoever caused it fails.
fn misfit(scene: &Scene<'_>, misfits: &[String]) -> Reply {
    let mut page = format!("the answer of {} does not fit the service's public documents:\n", scene.operation.id);
    for line in misfits {
        page.push_str("  ");
        page.push_str(line);
        page.push('\n');
    }
    let answer = Answer::text("text/plain; charset=utf-8", page).with_status(http::StatusCode::INTERNAL_SERVER_ERROR);
    Reply::new(answer, scene.now).refused("misfit").as_gap()
}

impl<T: Twin> Host for Hosted<T> {
    fn name(&self) -> &'static str {
        self.twin.name()
    }

    fn store(&self) -> &'static str {
        self.twin.store()
    }

    fn title(&self) -> &'static str {
        self.twin.title()
    }

    fn body_max(&self) -> usize {
        self.twin.body_max()
    }

    fn path<'p>(&self, sent: &'p str) -> Cow<'p, str> {
        self.twin.path(sent)
    }

    fn journals(&self) -> &'static [&'static str] {
        self.twin.journals()
    }

    fn operations(&self) -> &[OperationInfo] {
        &self.infos
    }

    fn affordances(&self) -> Vec<AffordanceInfo> {
        let info = |affordance: &Affordance<T>| AffordanceInfo {
            verb: affordance.verb,
            about: affordance.about,
            arguments: affordance.arguments,
        };
        self.affordances.iter().map(info).collect()
    }

    fn views(&self) -> Vec<(&'static str, &'static str)> {
        self.views.iter().map(|view| (view.name, view.about)).collect()
    }

    fn view(&self, state: &StateBox, name: &str) -> Option<Value> {
        let view = self.views.iter().find(|view| view.name == name)?;
        Some((view.render)(peek::<T>(state)))
    }

    fn read_view(&self, state: &StateBox, name: &str) -> Option<Arc<dyn Reader>> {
        let (_, rows) = self.rows.iter().find(|(known, _)| *known == name)?;
        rows.read(state)
    }

    fn section_schema(&self, generator: &mut SchemaGenerator) -> schemars::Schema {
        self.twin.section_schema(generator)
    }

    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<StateBox, Vec<Diagnostic>> {
        self.twin.load(world, tx).map(|state| Arc::new(state) as StateBox)
    }

    fn env(&self, state: &StateBox, origin: &str) -> Vec<EnvVar> {
        self.twin.env(peek::<T>(state), origin)
    }

    fn call(&self, universe: &Universe, slot: usize, index: usize, mut request: Request) -> Called {
        let operation = &self.operations[index];
        if let Run::Absent = operation.run {
            let reply = self.unserved(universe, request, Reason::Absent(operation.info.id));
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
        called
            .unwrap_or_else(|request| Called::Answered(self.unserved(universe, *request, Reason::Broken), Wire::Plain))
    }

    fn resume(&self, universe: &Universe, slot: usize, index: usize, waiting: Waiting) -> (Reply, Wire) {
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
        let event = Event::Request(Box::new(done.exchange));
        let (name, cause) = (self.twin.name(), Some(cause));
        let seq = universe.ledger().append(scene.now, Principal::Target, name, cause, event, Vec::new());
        note(universe, || CallNote::new(seq, mark.nr, &request).answered(&done.reply));
        (done.reply, done.wire)
    }

    fn unserved(&self, universe: &Universe, request: Request, reason: Reason) -> Reply {
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

    fn perform(
        &self,
        state: &mut StateBox,
        tx: &mut Tx<'_>,
        verb: &str,
        actor: &str,
        with: Map<String, Value>,
    ) -> Result<Value, Refusal> {
        let Some(affordance) = self.affordances.iter().find(|affordance| affordance.verb == verb) else {
            return Err(Refusal::new(format!("the {} twin has no verb `{verb}`", self.twin.name())));
        };
        let mut next: T::State = peek::<T>(state).clone();
        let result = (affordance.run)(&mut next, tx, actor, with)?;
        *state = Arc::new(next);
        Ok(result)
    }

    fn prepare(&self, state: &StateBox, delivery: &Delivery, now: Timestamp) -> Option<Outbound> {
        self.twin.prepare(peek::<T>(state), delivery, now)
    }

    fn recipient(&self, delivery: &Delivery) -> SmolStr {
        self.twin.recipient(delivery)
    }

    fn patience(&self, kind: &str) -> Option<std::time::Duration> {
        self.twin.patience(kind)
    }

    fn delivered(&self, state: &mut StateBox, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
        let mut next: T::State = peek::<T>(state).clone();
        let what = self.twin.delivered(&mut next, tx, delivery, outcome);
        *state = Arc::new(next);
        what
    }

    fn on_timer(&self, state: &mut StateBox, tx: &mut Tx<'_>, name: &str, data: &Value) {
        let mut next: T::State = peek::<T>(state).clone();
        self.twin.on_timer(&mut next, tx, name, data);
        *state = Arc::new(next);
    }

    fn frame(&self, state: &StateBox, delivery: &Delivery, now: Timestamp) -> Option<Frame> {
        self.twin.frame(peek::<T>(state), delivery, now)
    }

    fn on_frame(&self, state: &mut StateBox, tx: &mut Tx<'_>, socket: SocketId, text: &str) {
        let mut next: T::State = peek::<T>(state).clone();
        self.twin.on_frame(&mut next, tx, socket, text);
        *state = Arc::new(next);
    }

    fn on_closed(&self, state: &mut StateBox, tx: &mut Tx<'_>, socket: SocketId) {
        let mut next: T::State = peek::<T>(state).clone();
        self.twin.on_closed(&mut next, tx, socket);
        *state = Arc::new(next);
    }

    fn on_closing(&self, state: &StateBox, tx: &mut Tx<'_>, socket: SocketId) {
        self.twin.on_closing(peek::<T>(state), tx, socket);
    }
}

/// Notes a call, where notes are taken.
fn note(universe: &Universe, make: impl FnOnce() -> CallNote) {
    if let Some(tape) = universe.tape.get() {
        tape.add(Note::Call(Box::new(make())));
    }
}

fn exchange(
    operation: &OperationInfo,
    request: &Request,
    reply: &Reply,
    wire: Wire,
    caller: SmolStr,
    resource: SmolStr,
    fault: Option<&Fired>,
) -> Exchange {
    let sent = !matches!(wire, Wire::Hang(_) | Wire::Reset);
    Exchange {
        operation: operation.id,
        level: operation.level(),
        gap: reply.gap,
        caller,
        resource,
        method: request.method.clone(),
        target: request.target(),
        content_type: request.header(http::header::CONTENT_TYPE).unwrap_or_default().into(),
        request: request.body.clone(),
        status: if sent { reply.status.as_u16() } else { 0 },
        response: reply.body.clone(),
        error: reply.error.clone(),
        fault: fault.map(|fired| fired.rule.clone()).unwrap_or_default(),
    }
}
