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

/// The longest answer to a delivery that is read.
const ANSWER_MAX: usize = 1 << 20;

/// Sends one attempt: to this machine only, within its time, following as many redirects as the service does.
pub(crate) async fn send(outbound: &Outbound) -> Outcome {
    match tokio::time::timeout(outbound.timeout, follow(outbound)).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::TimedOut,
    }
}

async fn follow(outbound: &Outbound) -> Outcome {
    let mut url = outbound.url.clone();
    for _ in 0..=outbound.redirects {
        if !is_allowed(&url) {
            return Outcome::Forbidden;
        }
        let request = client()
            .request(outbound.method.clone(), &url)
            .headers(outbound.headers.clone())
            .body(outbound.body.clone());
        let Ok(mut response) = request.send().await else {
            return Outcome::Unreachable;
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let location = headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
        if let (true, Some(location)) = (status.is_redirection(), location) {
            let base = url::Url::parse(&url).and_then(|base| base.join(location));
            match base {
                Ok(next) => url = next.to_string(),
                Err(_) => return Outcome::Unreachable,
            }
            continue;
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() < ANSWER_MAX => body.extend_from_slice(&chunk),
                Ok(_) => break,
                Err(_) => return Outcome::Unreachable,
            }
        }
        body.truncate(ANSWER_MAX);
        return Outcome::Answered { status: status.as_u16(), headers, body: body.into() };
    }
    Outcome::TooManyRedirects
}

/// The process's one client: no proxy, no redirects of its own, no connection kept (targets come and go).
fn client() -> &'static reqwest::Client {
    static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
    CLIENT.get_or_init(|| {
        reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client without TLS needs nothing that could be missing")
    })
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
