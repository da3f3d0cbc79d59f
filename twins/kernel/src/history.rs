//! All states that a universe goes through, for checks that must hold at every moment: kept only where asked for.

use std::sync::Arc;

use crate::{states::StateBox, time::Timestamp};

/// States in the order in which they came. Each costs what the write after it replaced.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(Vec<(Timestamp, Vec<StateBox>)>);

impl History {
    /// Adds what all stores hold from now on.
    pub(crate) fn add(&mut self, now: Timestamp, stores: &[StateBox]) {
        self.0.push((now, stores.to_vec()));
    }

    /// How many states there were.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// When a state came about.
    pub(crate) fn since(&self, at: usize) -> Option<Timestamp> {
        self.0.get(at).map(|(since, _)| *since)
    }

    /// What a store held then.
    pub(crate) fn of(&self, at: usize, place: usize) -> Option<&StateBox> {
        self.0.get(at)?.1.get(place)
    }

    /// Whether a store held something else in the state before.
    pub(crate) fn is_new(&self, at: usize, place: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.of(before, place));
        match (before, self.of(at, place)) {
            (Some(before), Some(now)) => !Arc::ptr_eq(before, now),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_is_kept_and_knows_what_is_new_in_it() {
        let at = |secs: i64| Timestamp::from_secs(1_000 + secs);
        let (one, two): (StateBox, StateBox) = (Arc::new("one"), Arc::new("two"));
        let mut history = History::default();
        history.add(at(0), &[Arc::clone(&one), Arc::clone(&one)]);
        history.add(at(5), &[Arc::clone(&one), two]);
        assert_eq!((history.len(), history.since(1), history.since(2)), (2, Some(at(5)), None));
        assert_eq!([history.is_new(0, 0), history.is_new(1, 0), history.is_new(1, 1)], [true, false, true]);
        let text = |at: usize| history.of(at, 1).and_then(|state| state.downcast_ref::<&str>()).copied();
        assert_eq!([text(0), text(1), text(2)], [Some("one"), Some("two"), None]);
    }
}
