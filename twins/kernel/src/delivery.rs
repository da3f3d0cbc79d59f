//! What a twin sends out: webhooks, events, commands. Never inside the request that caused it.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use smol_str::SmolStr;

use crate::ledger::Principal;

/// Something on its way to the target.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its number within the universe.
    pub id: u64,
    /// The twin's place in the universe.
    pub(crate) twin: usize,
    /// What it is, in the service's words (`event_callback`, `event_hook`, `slash_command`).
    pub kind: SmolStr,
    /// The twin's own description of it, from which each attempt is built.
    pub payload: Value,
    /// Which attempt comes next, counted from 1.
    pub attempt: u32,
    /// Why the attempt before failed, in the service's words; empty at first.
    pub reason: SmolStr,
    /// The ledger entry that caused it.
    pub cause: Option<u64>,
    /// Who is behind it.
    pub principal: Principal,
    /// Whether a fault rule has had its say.
    pub(crate) struck: bool,
    /// Whether its signature is to be wrong.
    pub bad_signature: bool,
    /// How much of its patience the service has spent on it before it goes out (virtual time).
    pub(crate) waited: Duration,
    /// Whether it goes out after the service has given it up: nobody hears the answer.
    pub(crate) late: bool,
}

/// One attempt, ready to be sent as a POST (or GET where it has no body to carry).
#[derive(Clone, Debug)]
pub struct Outbound {
    /// HTTP method.
    pub method: http::Method,
    /// Where to.
    pub url: String,
    /// Headers, with signature.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// How long the service waits (machine time).
    pub timeout: Duration,
    /// How many redirects the service follows.
    pub redirects: usize,
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// An answer, whatever its status.
    Answered {
        /// HTTP status.
        status: u16,
        /// Headers.
        headers: HeaderMap,
        /// Body, cut at 1 MiB.
        body: Bytes,
    },
    /// None in time.
    TimedOut,
    /// No connection, or one that broke.
    Unreachable,
    /// More redirects than the service follows.
    TooManyRedirects,
    /// The address is not one that twins may call.
    Forbidden,
}

impl Outcome {
    /// Whether the receiver accepted with a 2xx status.
    pub const fn accepted(&self) -> bool {
        matches!(self, Self::Answered { status, .. } if *status >= 200 && *status < 300)
    }

    /// For the ledger: the status, or why there is none.
    pub const fn summary(&self) -> Result<u16, &'static str> {
        match self {
            Self::Answered { status, .. } => Ok(*status),
            Self::TimedOut => Err("timeout"),
            Self::Unreachable => Err("connection_failed"),
            Self::TooManyRedirects => Err("too_many_redirects"),
            Self::Forbidden => Err("address_not_allowed"),
        }
    }
}

/// What the service does after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is over.
    Done,
    /// It tries again.
    Retry {
        /// After this long (virtual time).
        after: Duration,
        /// Why, in the service's words.
        reason: &'static str,
    },
}

/// Whether twins may call `url`: plain HTTP to this machine only.
pub fn is_allowed(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else {
        return false;
    };
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    local && url.scheme() == "http"
}

#[cfg(test)]
mod tests {
    #[test]
    fn twins_call_this_machine_only() {
        let check = |url: &str, allowed: bool| assert_eq!(super::is_allowed(url), allowed, "{url}");
        check("http://127.0.0.1:80/x", true);
        check("http://[::1]:80/x", true);
        check("http://localhost:3000/slack", true);
        check("https://localhost/slack", false);
        check("http://example.com/", false);
        check("http://10.0.0.1/", false);
        check("http://127.0.0.1.example.com/", false);
        check("file:///etc/passwd", false);
        check("nonsense", false);
    }
}
