//! What the universe needs of any twin, whatever its types.

use std::{borrow::Cow, sync::Arc};

use schemars::SchemaGenerator;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use crate::{
    call::{Called, Waiting},
    delivery::{Delivery, Next, Outbound, Outcome},
    diagnostic::Diagnostic,
    fault::Target,
    operation::OperationInfo,
    rows::Reader,
    socket::{Frame, SocketId},
    states::StateBox,
    time::Timestamp,
    twin::{EnvVar, Reason, Refusal},
    tx::Tx,
    universe::core::Universe,
    wire::{Reply, Request, Wire},
    world::World,
};

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

impl Target for dyn Host {
    fn name(&self) -> &'static str {
        Host::name(self)
    }

    fn operations(&self) -> &[OperationInfo] {
        Host::operations(self)
    }
}
