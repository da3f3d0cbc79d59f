//! The virtual clock. The only module that may look at the machine's clock.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, Instant, SystemTime},
};

use crate::time::Timestamp;

/// How a universe's time relates to the machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMode {
    /// Wall time, plus an offset once it was advanced or set.
    Real,
    /// So many virtual seconds for each real one.
    Scaled(u32),
    /// Stands still until it is told to move.
    Stepped,
}

impl FromStr for ClockMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "real" => Ok(Self::Real),
            "stepped" => Ok(Self::Stepped),
            _ => match text.strip_prefix("scaled:").map(str::parse::<u32>) {
                Some(Ok(factor)) if factor > 0 => Ok(Self::Scaled(factor)),
                _ => Err(format!("unknown clock `{text}`; known are real, scaled:K (K from 1), stepped")),
            },
        }
    }
}

impl fmt::Display for ClockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real => f.write_str("real"),
            Self::Scaled(factor) => write!(f, "scaled:{factor}"),
            Self::Stepped => f.write_str("stepped"),
        }
    }
}

/// A universe's clock: a value, copied by snapshot and fork.
#[derive(Clone, Debug)]
pub struct Clock {
    mode: ClockMode,
    /// What the clock showed when the machine's stood at `wall`.
    shown: Timestamp,
    wall: Instant,
}

impl Clock {
    /// A clock that shows `start` now; wall time where none is given.
    pub fn new(mode: ClockMode, start: Option<Timestamp>) -> Self {
        Self { mode, shown: start.unwrap_or_else(wall_time), wall: wall_instant() }
    }

    /// The clock's mode.
    pub const fn mode(&self) -> ClockMode {
        self.mode
    }

    /// What the clock shows.
    pub fn now(&self) -> Timestamp {
        let factor = match self.mode {
            ClockMode::Stepped => return self.shown,
            ClockMode::Real => 1,
            ClockMode::Scaled(factor) => factor,
        };
        let passed = wall_instant().saturating_duration_since(self.wall);
        self.shown.after(passed.saturating_mul(factor))
    }

    /// Makes the clock show `to`; it goes on from there in its mode.
    pub fn set(&mut self, to: Timestamp) {
        self.shown = to;
        self.wall = wall_instant();
    }

    /// How long the machine must wait until the clock shows `at`; none where waiting does not help.
    pub fn wait_until(&self, at: Timestamp) -> Option<Duration> {
        let left = at.since(self.now());
        match self.mode {
            ClockMode::Stepped => None,
            ClockMode::Real => Some(left),
            ClockMode::Scaled(factor) => Some(left / factor),
        }
    }
}

/// The machine's time of day.
#[expect(clippy::disallowed_methods, reason = "the one place where a universe's time line is tied to the machine's")]
pub fn wall_time() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The machine's monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the one place where a universe's time line is tied to the machine's")]
fn wall_instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stepped_clock_moves_only_when_told() {
        let start = Timestamp::from_secs(1_772_442_000);
        let mut clock = Clock::new(ClockMode::Stepped, Some(start));
        assert_eq!(clock.now(), start);
        clock.set(start.after(Duration::from_secs(60)));
        assert_eq!(clock.now().since(start), Duration::from_secs(60));
        assert_eq!(clock.wait_until(start.after(Duration::from_secs(90))), None);
    }

    #[test]
    fn modes_are_read_as_they_are_written() {
        for text in ["real", "scaled:60", "stepped"] {
            assert_eq!(text.parse::<ClockMode>().map(|m| m.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "scaled:0", "scaled:x", "fast"] {
            assert!(text.parse::<ClockMode>().is_err(), "{text}");
        }
    }
}
