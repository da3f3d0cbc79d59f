//! What stores held a while ago, for reads that lag: kept only while a fault rule asks for it.

use std::time::Duration;

use imbl::{OrdMap, Vector};

use crate::{states::StateBox, time::Timestamp};

/// Earlier states of stores. Each costs what its write replaced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    /// For each store: when it was replaced, and by what it had been.
    stores: OrdMap<usize, Vector<(Timestamp, StateBox)>>,
}

/// States kept of one store at most. Where more writes happen within the lag, reads lag less than was asked.
const KEPT_MAX: usize = 4_096;

impl Past {
    /// Keeps a state that is being replaced, and forgets those that nobody can ask for any more.
    pub(crate) fn keep(&mut self, place: usize, now: Timestamp, was: StateBox, lag: Duration) {
        let states = self.stores.entry(place).or_default();
        states.push_back((now, was));
        let oldest = now.before(lag);
        while states.len() > KEPT_MAX || states.front().is_some_and(|(until, _)| *until < oldest) {
            states.pop_front();
        }
    }

    /// What a store held at `then`; none where it has not been replaced since.
    pub(crate) fn at(&self, place: usize, then: Timestamp) -> Option<&StateBox> {
        let states = self.stores.get(&place)?;
        // The first state that was replaced later than that was there then.
        let (mut low, mut high) = (0, states.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if states[middle].0 > then { high = middle } else { low = middle + 1 }
        }
        states.get(low).map(|(_, was)| was)
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.stores = OrdMap::new();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_was_there_is_found_again() {
        let at = |secs: i64| Timestamp::from_secs(1_000 + secs);
        let mut past = Past::default();
        // Held "a" until 10, "b" until 20, "c" until 30; now "d".
        for (until, was) in [(10, "a"), (20, "b"), (30, "c")] {
            past.keep(0, at(until), Arc::new(was), Duration::from_secs(25));
        }
        let found = |then: i64| past.at(0, at(then)).map(|was| *was.downcast_ref::<&str>().expect("is text"));
        assert_eq!(
            [found(0), found(9), found(10), found(19), found(29)],
            [Some("a"), Some("a"), Some("b"), Some("b"), Some("c")]
        );
        assert_eq!([found(30), found(99)], [None, None]);
        assert!(past.at(1, at(0)).is_none());
    }
}
