//! What people and checks see of states, present and past.

use std::sync::Arc;

use serde_json::Value;

use super::core::Universe;
use crate::{history::History, rows::Reader, time::Timestamp, tx::Tx};

impl Universe {
    /// A part of a twin's state as people and checks see it.
    pub fn view(&self, twin: &str, name: &str) -> Option<Value> {
        let slot = self.slot(twin)?;
        let state = Arc::clone(self.inner.read().state(slot));
        self.twins[slot].view(&state, name)
    }

    /// A view of the present state, to be read row by row; none where it can only be rendered.
    pub fn read_view(&self, twin: &str, name: &str) -> Option<Arc<dyn Reader>> {
        let slot = self.slot(twin)?;
        let state = Arc::clone(self.inner.read().state(slot));
        self.twins[slot].read_view(&state, name)
    }

    /// Keeps all states from now on, the present one first. Each write then keeps what it replaced.
    pub fn keep_history(&self) {
        let mut inner = self.inner.write();
        inner.history = Some(History::default());
        inner.remember();
    }

    /// How many states were kept; 0 where none are.
    pub fn history_len(&self) -> usize {
        self.inner.read().history.as_ref().map_or(0, History::len)
    }

    /// When a kept state came about, by its number.
    pub fn then(&self, at: usize) -> Option<Timestamp> {
        self.inner.read().history.as_ref()?.since(at)
    }

    /// [`Universe::view`] of a kept state, by its number.
    pub fn view_then(&self, at: usize, twin: &str, name: &str) -> Option<Value> {
        let slot = self.slot(twin)?;
        let state = {
            let inner = self.inner.read();
            Arc::clone(inner.history.as_ref()?.of(at, inner.states.places[slot])?)
        };
        self.twins[slot].view(&state, name)
    }

    /// [`Universe::read_view`] of a kept state, by its number.
    pub fn read_view_then(&self, at: usize, twin: &str, name: &str) -> Option<Arc<dyn Reader>> {
        let slot = self.slot(twin)?;
        let state = {
            let inner = self.inner.read();
            Arc::clone(inner.history.as_ref()?.of(at, inner.states.places[slot])?)
        };
        self.twins[slot].read_view(&state, name)
    }

    /// Whether a twin's state is another in a kept state than in the one before it.
    pub fn is_new_then(&self, at: usize, twin: &str) -> bool {
        let Some(slot) = self.slot(twin) else { return false };
        let inner = self.inner.read();
        inner.history.as_ref().is_some_and(|history| history.is_new(at, inner.states.places[slot]))
    }

    /// A twin's state itself, where its type is known (tests and benchmarks).
    pub fn state<S: Send + Sync + 'static>(&self, twin: &str) -> Option<Arc<S>> {
        let slot = self.slot(twin)?;
        let state = Arc::clone(self.inner.read().state(slot));
        state.downcast().ok()
    }

    /// Replaces a twin's state by what `edit` makes of it, outside ledger and rules (seeding of large worlds in
    /// tests and benchmarks). False where there is no such twin, or its state is of another type.
    pub fn seed_state<S: Clone + Send + Sync + 'static>(
        &self,
        twin: &str,
        edit: impl FnOnce(&mut S, &mut Tx<'_>),
    ) -> bool {
        let Some(slot) = self.slot(twin) else { return false };
        let mut guard = self.inner.write();
        let inner = &mut *guard;
        let Some(state) = inner.state(slot).downcast_ref::<S>() else { return false };
        let mut next = state.clone();
        let mut tx = Tx::new(inner.clock.now(), self.origin(slot), (&self.seeds, self.limits), &mut inner.ordinals);
        edit(&mut next, &mut tx);
        inner.commit(slot, Arc::new(next));
        true
    }
}
