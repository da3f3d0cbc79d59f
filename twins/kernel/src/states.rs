//! What stores hold: the states of all twins.

use std::{any::Any, sync::Arc};

/// A twin's state of unknown type: one pointer.
pub type StateBox = Arc<dyn Any + Send + Sync>;

/// The states of a universe's stores. Twins that name the same store work on one state.
#[derive(Clone, Debug)]
pub(crate) struct States {
    /// One for each store, in the order in which twins first name them.
    pub(crate) boxes: Vec<StateBox>,
    /// Each twin's store, as a place in `boxes`.
    pub(crate) places: Arc<[usize]>,
}

impl States {
    /// The state that a twin works on.
    pub(crate) fn of(&self, slot: usize) -> &StateBox {
        &self.boxes[self.places[slot]]
    }

    /// Replaces it.
    pub(crate) fn set(&mut self, slot: usize, state: StateBox) {
        self.boxes[self.places[slot]] = state;
    }
}
