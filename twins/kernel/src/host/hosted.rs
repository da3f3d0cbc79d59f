//! The one implementation of the face: a twin with its tables.

use std::{borrow::Cow, sync::Arc};

use schemars::SchemaGenerator;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::face::{AffordanceInfo, Host};
use crate::{
    call::{Called, Waiting},
    delivery::{Delivery, Next, Outbound, Outcome},
    diagnostic::Diagnostic,
    operation::{Operation, OperationInfo},
    rows::{AnyRows, Reader},
    socket::{Frame, SocketId},
    states::StateBox,
    time::Timestamp,
    twin::{Affordance, EnvVar, Reason, Refusal, Twin, View},
    tx::Tx,
    universe::core::Universe,
    wire::{Reply, Request, Wire},
    world::World,
};

/// The one implementation of [`Host`].
pub struct Hosted<T: Twin> {
    pub(super) twin: T,
    pub(super) operations: Vec<Operation<T>>,
    pub(super) infos: Vec<OperationInfo>,
    pub(super) affordances: Vec<Affordance<T>>,
    pub(super) views: Vec<View<T>>,
    pub(super) rows: Vec<(&'static str, &'static dyn AnyRows)>,
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
pub(super) fn peek<T: Twin>(state: &StateBox) -> &T::State {
    state.downcast_ref().expect("a slot holds its own twin's state")
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

    fn call(&self, universe: &Universe, slot: usize, operation: usize, request: Request) -> Called {
        self.answer(universe, slot, operation, request)
    }

    fn resume(&self, universe: &Universe, slot: usize, operation: usize, waiting: Waiting) -> (Reply, Wire) {
        self.answer_late(universe, slot, operation, waiting)
    }

    fn unserved(&self, universe: &Universe, request: Request, reason: Reason) -> Reply {
        self.refuse(universe, request, reason)
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
