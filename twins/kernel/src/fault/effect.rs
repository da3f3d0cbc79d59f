//! What rules do, and what twins are asked to answer for it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;

use crate::time::Span;

/// What a rule does to what it strikes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Nothing happens; the service's own answer to too many calls.
    RateLimited {
        /// How long the service asks the caller to wait.
        retry_after: Span,
    },
    /// Nothing happens; the service's own answer where a longer quota (an hour's, a day's) is used up.
    QuotaExhausted {
        /// How long until there is quota again.
        resets: Span,
    },
    /// Nothing happens; the service's own error.
    Error {
        /// HTTP status, where the service does not fix it by the code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// The service's own error code (`internal_error`, `E0000009`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<SmolStr>,
    },
    /// Nothing happens; a proxy in front of the service answers with an HTML page.
    ProxyPage {
        /// HTTP status of the page: 502, 503 or 504.
        status: u16,
    },
    /// Nothing happens; the credential is answered as revoked.
    Revoked {},
    /// Nothing happens; the credential is answered as expired.
    Expired {},
    /// Nothing happens; the credential is answered as one that lacks scopes.
    ScopesCut {
        /// The scopes that it has lost; those that the operation needs, where none are named.
        #[serde(default)]
        scopes: Vec<SmolStr>,
    },
    /// Nothing happens; the cursor of a call for a further page is answered as one that no longer holds. Strikes
    /// only calls with a cursor.
    BadCursor {},
    /// No connection to the twin comes about: its port is closed while the rule is in force.
    Refuse {},
    /// Nothing happens; the connection is reset.
    Reset {},
    /// Nothing happens; no answer comes for this long (machine time), then the connection closes.
    Hang {
        /// How long.
        #[serde(rename = "for")]
        span: Span,
    },
    /// The call works, later (machine time).
    Latency(Latency),
    /// The call works, and its answer comes in small pieces (machine time).
    Drip {
        /// How long between two pieces.
        every: Span,
        /// Bytes in a piece.
        #[serde(default = "sixteen")]
        bytes: u32,
    },
    /// It happens, and the caller is told that it failed.
    CommittedError {
        /// HTTP status, where the service does not fix it by the code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// The service's own error code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<SmolStr>,
    },
    /// It happens, and the connection is reset before the answer.
    CommittedReset {},
    /// It happens, and no answer comes for this long (machine time), then the connection closes.
    CommittedHang {
        /// How long.
        #[serde(rename = "for")]
        span: Span,
    },
    /// It happens, and the answer stops in the middle.
    Truncated {},
    /// It happens, and the answer's JSON is broken.
    Garbled {},
    /// A call that only looks is answered from what was there this long ago (virtual time), but not from before the
    /// rule was armed: an index that lags, a replica behind its leader. Strikes only calls that change nothing.
    Stale {
        /// How long ago.
        by: Span,
    },
    /// The service's clock goes wrong for the call: its `Date`, and all times that the call writes.
    Skew {
        /// It shows so much more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ahead: Option<Span>,
        /// It shows so much less.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behind: Option<Span>,
    },
    /// It happens, and a member of the answer's JSON is not as the documents say. Strikes only answers of success.
    Drift {
        /// The member, as a JSON pointer; `*` stands for all items of a list or all members of an object.
        at: String,
        /// What becomes of it.
        change: Change,
    },
    /// The delivery comes again, so many more times, each this much after the other.
    Duplicate {
        /// How many more times.
        #[serde(default = "one")]
        copies: u32,
        /// How long after the one before (virtual time).
        after: Span,
    },
    /// The delivery or timer comes this much later (virtual time).
    Delay {
        /// How much later.
        by: Span,
    },
    /// Deliveries overtake each other: each comes later by a drawn time.
    Reorder {
        /// By at most so much (virtual time).
        within: Span,
    },
    /// Silence, then a burst: deliveries are held back, and come all at once.
    Hold {
        /// How long a silence lasts, counted from when the rule was armed (virtual time).
        every: Span,
    },
    /// The delivery never comes.
    Drop {},
    /// The delivery comes with a signature that does not fit.
    BadSignature {},
    /// The service closes sockets (WebSockets): each open one at a drawn moment of the first such span, and again after
    /// each further one.
    CloseSocket {
        /// How long a span is (virtual time).
        every: Span,
        /// With which code of RFC 6455; where absent the connection just breaks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        /// Whether the service says before, in its own words, that it is about to close the socket.
        #[serde(default)]
        announced: bool,
    },
}

const fn one() -> u32 {
    1
}

const fn sixteen() -> u32 {
    16
}

/// How much later an answer comes: one of these.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Always this much.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Anything between these two, all alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[Span; 2]>,
    /// A long tail (log-normal): half of the answers come earlier than this. With `p99`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<Span>,
    /// One in a hundred comes later than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<Span>,
}

impl Latency {
    /// What is wrong with it, in words.
    pub(super) fn problem(&self) -> Option<&'static str> {
        match (self.span, self.between, self.median, self.p99) {
            (Some(_), None, None, None) => None,
            (None, Some([low, high]), None, None) if low.0 <= high.0 => None,
            (None, Some(_), None, None) => Some("`between` takes the shorter time first"),
            (None, None, Some(median), Some(p99)) if Duration::ZERO < median.0 && median.0 <= p99.0 => None,
            (None, None, Some(_), Some(_)) => Some("`p99` is not below `median`, which is more than nothing"),
            _ => Some("latency is one of `for`, `between`, or `median` with `p99`"),
        }
    }

    /// The latency that a drawn number stands for.
    pub(super) fn draw(&self, mut bits: impl FnMut() -> u64) -> Duration {
        if let Some([low, high]) = self.between {
            let width = high.0.saturating_sub(low.0).as_nanos();
            let part = (width * u128::from(bits())) >> 64;
            return low.0 + Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX));
        }
        if let (Some(median), Some(p99)) = (self.median, self.p99) {
            // A log-normal's 99th percentile lies 2.326 standard deviations above its median.
            let deviation = (p99.0.as_secs_f64() / median.0.as_secs_f64()).ln() / 2.326_347_9;
            return median.0.mul_f64((deviation * normal(&mut bits)).exp().min(1e4));
        }
        self.span.map_or(Duration::ZERO, |span| span.0)
    }
}

/// A number of the normal distribution (Box and Muller). Only the machine's waiting depends on it, never an answer.
fn normal(bits: &mut impl FnMut() -> u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float")]
    let mut unit = || ((bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    let (radius, angle) = (unit(), unit());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// What becomes of a member of an answer.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// It is there with this value, whether or not it was before.
    Added(Value),
    /// It is gone.
    Removed,
    /// It is null.
    Nulled,
    /// It is of a wider type: a number or a truth value becomes a text, anything else a list with it alone.
    Widened,
}

/// What a rule can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strikes {
    /// Calls.
    Calls,
    /// Deliveries.
    Deliveries,
    /// Timers of a twin.
    Timers,
    /// Connections.
    Connections,
    /// Open sockets.
    Sockets,
}

impl Strikes {
    /// In the plural, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Deliveries => "deliveries",
            Self::Timers => "timers",
            Self::Connections => "connections",
            Self::Sockets => "sockets",
        }
    }
}

impl Effect {
    /// Whether it comes about in front of the service, before anybody has looked at who calls: on the network, in a
    /// proxy, or where the whole service is down.
    pub const fn is_in_front(&self) -> bool {
        match self {
            Self::ProxyPage { .. } | Self::Reset {} | Self::Hang { .. } | Self::Latency(_) | Self::Drip { .. } => true,
            Self::Error { status: Some(status), code: None } => *status >= 500,
            _ => false,
        }
    }

    /// The effect's name as it is written in a plan.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::QuotaExhausted { .. } => "quota_exhausted",
            Self::Error { .. } => "error",
            Self::ProxyPage { .. } => "proxy_page",
            Self::Revoked {} => "revoked",
            Self::Expired {} => "expired",
            Self::ScopesCut { .. } => "scopes_cut",
            Self::BadCursor {} => "bad_cursor",
            Self::Refuse {} => "refuse",
            Self::Reset {} => "reset",
            Self::Hang { .. } => "hang",
            Self::Latency(_) => "latency",
            Self::Drip { .. } => "drip",
            Self::CommittedError { .. } => "committed_error",
            Self::CommittedReset {} => "committed_reset",
            Self::CommittedHang { .. } => "committed_hang",
            Self::Truncated {} => "truncated",
            Self::Garbled {} => "garbled",
            Self::Stale { .. } => "stale",
            Self::Skew { .. } => "skew",
            Self::Drift { .. } => "drift",
            Self::Duplicate { .. } => "duplicate",
            Self::Delay { .. } => "delay",
            Self::Reorder { .. } => "reorder",
            Self::Hold { .. } => "hold",
            Self::Drop {} => "drop",
            Self::BadSignature {} => "bad_signature",
            Self::CloseSocket { .. } => "close_socket",
        }
    }

    /// Whether it can strike such things.
    pub const fn can_strike(&self, what: Strikes) -> bool {
        match what {
            Strikes::Deliveries => matches!(
                self,
                Self::Duplicate { .. }
                    | Self::Delay { .. }
                    | Self::Reorder { .. }
                    | Self::Hold { .. }
                    | Self::Drop {}
                    | Self::BadSignature {}
            ),
            Strikes::Timers => matches!(self, Self::Delay { .. }),
            Strikes::Connections => matches!(self, Self::Refuse {}),
            Strikes::Sockets => matches!(self, Self::CloseSocket { .. }),
            Strikes::Calls => {
                !matches!(self, Self::Refuse {} | Self::CloseSocket { .. })
                    && !self.can_strike(Strikes::Deliveries)
                    && !self.can_strike(Strikes::Timers)
            }
        }
    }

    /// What is wrong with its members, in words.
    pub(super) fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Latency(latency) => latency.problem(),
            Self::Skew { ahead, behind } if ahead.is_some() == behind.is_some() => {
                Some("a clock is either `ahead` or `behind`")
            }
            Self::ProxyPage { status } if !(400..600).contains(status) => {
                Some("the status of a proxy's page is between 400 and 599")
            }
            Self::Error { status: Some(status), .. } | Self::CommittedError { status: Some(status), .. }
                if !(400..600).contains(status) && *status != 200 =>
            {
                Some("the status of an error is between 400 and 599, or 200 where the service says so in the body")
            }
            Self::Drip { bytes: 0, .. } => Some("a piece has at least one byte"),
            Self::Hold { every } if every.0.is_zero() => Some("a silence lasts some time"),
            Self::CloseSocket { every, .. } if every.0 < Duration::from_secs(1) => {
                Some("sockets are closed once a second at most")
            }
            Self::CloseSocket { code: Some(code), .. } if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) => {
                Some("the code is one that RFC 6455 lets a service send")
            }
            Self::Drift { at, .. } if !at.starts_with('/') => {
                Some("the member is a JSON pointer, which begins with a slash")
            }
            _ => None,
        }
    }
}

/// What a rule asks a twin to answer in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Injected {
    /// Too many calls.
    RateLimited {
        /// How long the caller is asked to wait.
        retry_after: Duration,
    },
    /// A longer quota is used up.
    QuotaExhausted {
        /// How long until there is quota again.
        resets: Duration,
    },
    /// More calls are under way at once than the service takes.
    TooManyAtOnce,
    /// A failure of the service.
    Failure {
        /// HTTP status, where the rule gives one.
        status: Option<u16>,
        /// The service's own code, where the rule gives one.
        code: Option<SmolStr>,
    },
    /// The credential is no longer good.
    Revoked,
    /// The credential has run out.
    Expired,
    /// The credential lacks scopes.
    ScopesCut {
        /// Those that the operation needs and the credential has not.
        needed: Vec<SmolStr>,
    },
    /// The cursor no longer holds.
    BadCursor,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_as_their_shape_says() {
        let draw = |latency: &Latency| {
            let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
            let mut bits = move || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                seed
            };
            let mut all: Vec<Duration> = (0..2_000).map(|_| latency.draw(&mut bits)).collect();
            all.sort_unstable();
            all
        };
        let span = |millis| Some(Span(Duration::from_millis(millis)));
        let fixed = draw(&Latency { span: span(30), ..Latency::default() });
        assert_eq!((fixed[0], fixed[1_999]), (Duration::from_millis(30), Duration::from_millis(30)));
        let between = Latency { between: span(10).zip(span(50)).map(|(a, b)| [a, b]), ..Latency::default() };
        let even = draw(&between);
        assert!(even[0] >= Duration::from_millis(10) && even[1_999] <= Duration::from_millis(50));
        let tail = draw(&Latency { median: span(100), p99: span(1_000), ..Latency::default() });
        assert!((80..125).contains(&tail[1_000].as_millis()), "{:?}", tail[1_000]);
        assert!((600..1_700).contains(&tail[1_980].as_millis()), "{:?}", tail[1_980]);
    }
}
