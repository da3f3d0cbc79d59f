//! The deliveries that answers wait for, until they are over.

use std::collections::BTreeMap;

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes out now.
    Goes,
    /// It comes later, or is given up later.
    Waits,
    /// It is over.
    Over,
}

/// A delivery that an answer waits for.
#[derive(Debug)]
struct Wait {
    /// The first delivery that the same answer waits for: what comes of one may need another.
    first: u64,
    /// Whether the call waits already.
    watched: bool,
    /// Whether the delivery is under way, and not only queued.
    under_way: bool,
}

/// The deliveries that answers wait for, until they are over.
#[derive(Debug, Default)]
pub(crate) struct Awaited(BTreeMap<u64, Wait>);

impl Awaited {
    /// An answer waits for a delivery from now on.
    pub(crate) fn expect(&mut self, delivery: u64) {
        self.0.insert(delivery, Wait { first: delivery, watched: false, under_way: false });
    }

    /// The answer that waits for a delivery waits for another one as well.
    pub(crate) fn follow(&mut self, delivery: u64, another: u64) {
        let before = self.0.get(&delivery).map(|wait| (wait.first, wait.watched));
        if let (Some((first, watched)), Some(wait)) = (before, self.0.get_mut(&another)) {
            (wait.first, wait.watched) = (first, watched);
        }
    }

    /// What becomes of a delivery, where an answer waits for it.
    pub(crate) fn note(&mut self, delivery: u64, fate: Fate) {
        if fate == Fate::Over {
            self.0.remove(&delivery);
        } else if let Some(wait) = self.0.get_mut(&delivery) {
            wait.under_way = fate == Fate::Goes;
        }
    }

    /// How many calls wait for the clock: their deliveries come later.
    pub(crate) fn parked(&self) -> usize {
        self.0.values().filter(|wait| wait.watched && !wait.under_way).count()
    }

    /// Nothing is waited for any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether an answer waits for nothing any more, by the first delivery that it waited for.
    pub(crate) fn is_over(&self, first: u64) -> bool {
        !self.0.values().any(|wait| wait.first == first)
    }

    /// A call waits for its answer.
    pub(crate) fn watch(&mut self, first: u64) {
        self.0.values_mut().filter(|wait| wait.first == first).for_each(|wait| wait.watched = true);
    }

    /// A call waits no longer.
    pub(crate) fn forget(&mut self, first: u64) {
        self.0.retain(|_, wait| wait.first != first);
    }
}
