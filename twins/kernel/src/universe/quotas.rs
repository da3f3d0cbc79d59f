//! How often callers may call, and how many calls are under way.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{core::Universe, value::Inner};
use crate::{
    time::Timestamp,
    twin::{Allowance, Counted},
};

impl Universe {
    /// Counts a call as under way in a twin until the guard is dropped.
    pub(crate) fn under_way(&self, slot: usize) -> UnderWay<'_> {
        self.under_way[slot].fetch_add(1, Ordering::SeqCst);
        UnderWay(&self.under_way[slot])
    }

    /// Whether more calls are under way in a twin than the service takes at once.
    pub(crate) fn has_too_many(&self, slot: usize, most: Option<u32>) -> bool {
        let most = most.and_then(|most| self.limits.of(most)).and_then(|most| usize::try_from(most).ok());
        most.is_some_and(|most| self.under_way[slot].load(Ordering::SeqCst) > most)
    }

    /// Whether anybody is limited.
    pub(crate) const fn limits_are_on(&self) -> bool {
        self.limits.are_on()
    }

    /// Counts a call against a twin's limits at the universe's scale: see [`Windows::count`].
    pub(crate) fn count(
        &self,
        inner: &mut Inner,
        twin: &str,
        allowances: Vec<Allowance>,
        now: Timestamp,
    ) -> Vec<Counted> {
        let scaled = |allowance: Allowance| Some(Allowance { calls: self.limits.of(allowance.calls)?, ..allowance });
        inner.windows.count(twin, allowances.into_iter().filter_map(scaled), now)
    }

    /// Counts a call that came while the service had its hands full.
    pub(crate) fn count_at_once(&self, inner: &mut Inner, twin: &str, most: u32, now: Timestamp) -> Counted {
        inner.windows.count_at_once(twin, self.limits.of(most).unwrap_or(most), now)
    }
}

/// A call under way: dropped when its answer is on its way.
#[derive(Debug)]
pub(crate) struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
