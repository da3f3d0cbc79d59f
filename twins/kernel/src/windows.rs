//! Windows of rate limits: how many calls came in each, and which of them were too many.

use std::time::Duration;

use imbl::{OrdMap, OrdSet};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    time::Timestamp,
    twin::{Allowance, Counted, Force, Quota},
};

/// The window of most limits.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A window of a limit.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// When it began: with its first call.
    start: Timestamp,
    /// When it ends.
    end: Timestamp,
    /// The calls in it, without those that were too many.
    calls: u32,
    /// Those that were too many.
    over: u32,
}

/// All windows that have not ended, by bucket. Limits of people and clients have a bucket each, so that windows which
/// have ended must go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Windows {
    open: OrdMap<SmolStr, Window>,
    ends: OrdSet<(Timestamp, SmolStr)>,
}

impl Windows {
    /// Counts a call against its limits, all of which must have room for it: one that is too many for one of them uses
    /// up none.
    pub(crate) fn count(
        &mut self,
        twin: &str,
        allowances: impl Iterator<Item = Allowance>,
        now: Timestamp,
    ) -> Vec<Counted> {
        self.close(now);
        let found = |allowance: Allowance| {
            let key = format_smolstr!("{twin}/{}", allowance.bucket);
            let window = self.window(&key, allowance.per, now);
            (key, allowance, window)
        };
        let windows: Vec<(SmolStr, Allowance, Window)> = allowances.map(found).collect();
        let is_full = |allowance: &Allowance, window: &Window| window.calls >= allowance.calls;
        let refused = windows.iter().any(|(_, one, window)| one.force != Force::Watched && is_full(one, window));
        let count = |(key, allowance, mut window): (SmolStr, Allowance, Window)| {
            let is_over = is_full(&allowance, &window);
            if is_over {
                window.over = window.over.saturating_add(1);
            } else if !refused {
                window.calls += 1;
            }
            self.keep(key, window);
            Counted { allowance, used: window.calls, over: window.over, is_over, reset: window.end }
        };
        windows.into_iter().map(count).collect()
    }

    /// Counts a call that came while there were `most` at once.
    pub(crate) fn count_at_once(&mut self, twin: &str, most: u32, now: Timestamp) -> Counted {
        self.close(now);
        let key = format_smolstr!("{twin}/{}", Counted::AT_ONCE);
        let mut window = self.window(&key, MINUTE, now);
        window.over = window.over.saturating_add(1);
        self.keep(key, window);
        let bucket = SmolStr::new_static(Counted::AT_ONCE);
        let allowance = Allowance { bucket, calls: most, per: MINUTE, force: Force::Quiet };
        Counted { allowance, used: most, over: window.over, is_over: true, reset: window.end }
    }

    /// The present window of a bucket, or a new one.
    fn window(&self, key: &SmolStr, per: Duration, now: Timestamp) -> Window {
        let fresh = Window { start: now, end: now.after(per), calls: 0, over: 0 };
        self.open.get(key).copied().filter(|window| window.start <= now && now < window.end).unwrap_or(fresh)
    }

    fn keep(&mut self, key: SmolStr, window: Window) {
        let before = self.open.insert(key.clone(), window);
        if let Some(before) = before.filter(|before| before.end != window.end) {
            self.ends.remove(&(before.end, key.clone()));
        }
        self.ends.insert((window.end, key));
    }

    /// Forgets windows that have ended.
    fn close(&mut self, now: Timestamp) {
        while let Some((end, key)) = self.ends.get_min().filter(|(end, _)| *end <= now).cloned() {
            self.open.remove(&key);
            self.ends.remove(&(end, key));
        }
    }
}

impl Quota {
    /// The quota of a caller who is not limited yet: nothing counted.
    pub(crate) fn untouched(limit: u32, now: Timestamp) -> Self {
        Self { limit, remaining: limit.saturating_sub(1), reset: now.after(MINUTE) }
    }

    /// The quota shown to callers who were refused before any count.
    pub(crate) fn free(now: Timestamp) -> Self {
        Self::untouched(600, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(bucket: &str, calls: u32, secs: u64, force: Force) -> Allowance {
        Allowance { bucket: bucket.into(), calls, per: Duration::from_secs(secs), force }
    }

    /// Counts a call, and tells of each limit how many it has counted, how many were too many, and whether it refuses.
    fn count(windows: &mut Windows, at: i64, limits: &[Allowance]) -> Vec<(u32, u32, bool)> {
        let counted = windows.count("x", limits.iter().cloned(), Timestamp::from_secs(at));
        counted.iter().map(|one| (one.used, one.over, one.refuses())).collect()
    }

    #[test]
    fn a_call_too_many_for_one_limit_uses_up_none() {
        let mut windows = Windows::default();
        let own = limit("own", 1, 60, Force::Shown);
        let all = limit("all", 3, 60, Force::Shown);
        let other = limit("other", 9, 60, Force::Quiet);
        assert_eq!(count(&mut windows, 0, &[own.clone(), all.clone()]), [(1, 0, false), (1, 0, false)]);
        assert_eq!(count(&mut windows, 1, &[own.clone(), all.clone()]), [(1, 1, true), (1, 0, false)]);
        assert_eq!(count(&mut windows, 1, &[own, all.clone()]), [(1, 2, true), (1, 0, false)]);
        for used in [2, 3] {
            assert_eq!(count(&mut windows, 2, &[other.clone(), all.clone()])[1], (used, 0, false));
        }
        assert_eq!(count(&mut windows, 2, &[other, all]), [(2, 0, false), (3, 1, true)]);
    }

    #[test]
    fn limits_that_only_watch_refuse_nothing() {
        let mut windows = Windows::default();
        let limits = [limit("watched", 1, 60, Force::Watched), limit("all", 9, 60, Force::Shown)];
        count(&mut windows, 0, &limits);
        assert_eq!(count(&mut windows, 0, &limits), [(1, 1, false), (2, 0, false)]);
    }

    #[test]
    fn windows_begin_with_their_first_call_and_are_forgotten_at_their_end() {
        let mut windows = Windows::default();
        let check = |windows: &mut Windows, at: i64, expected: (u32, u32, bool), reset: i64| {
            let limits = [limit("short", 1, 1, Force::Shown), limit(&format!("of {at}"), 1, 1, Force::Quiet)];
            let counted = windows.count("x", limits.into_iter(), Timestamp::from_secs(at));
            let first = &counted[0];
            assert_eq!((first.used, first.over, first.refuses()), expected, "at {at}");
            assert_eq!(first.reset.as_secs(), reset);
        };
        check(&mut windows, 5, (1, 0, false), 6);
        check(&mut windows, 5, (1, 1, true), 6);
        check(&mut windows, 6, (1, 0, false), 7);
        check(&mut windows, 100, (1, 0, false), 101);
        assert_eq!((windows.open.len(), windows.ends.len()), (2, 2), "only the last two are open");
    }

    #[test]
    fn calls_at_once_are_counted_by_the_minute() {
        let mut windows = Windows::default();
        let mut over = |at: i64| windows.count_at_once("x", 75, Timestamp::from_secs(at)).over;
        assert_eq!([over(0), over(59), over(60), over(61)], [1, 2, 1, 2]);
    }
}
