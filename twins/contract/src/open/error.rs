//! Refusals of a twin made from a document, in the shape that the document gives them.

use std::time::Duration;

use dtu_kernel::{
    fault::Injected,
    twin::{Reason, Scene, Unserved},
    wire::{Answer, Reply},
};
use http::{StatusCode, header};
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{backing::Backing, generic::refusal::Refused};

/// Why a call is refused.
#[derive(Clone, Debug)]
pub enum Error {
    /// The generic twin refuses it.
    Refused(Refused),
    /// Nobody known calls.
    Unauthenticated {
        /// Whether anything was shown.
        sent: bool,
    },
    /// The caller may not do this.
    Forbidden,
    /// Too many calls.
    RateLimited(Duration),
    /// A failure of the service.
    Failure(u16),
    /// There is nothing that could answer.
    Unserved,
}

impl From<Injected> for Error {
    fn from(injected: Injected) -> Self {
        match injected {
            Injected::RateLimited { retry_after: wait } | Injected::QuotaExhausted { resets: wait } => {
                Self::RateLimited(wait)
            }
            Injected::TooManyAtOnce => Self::RateLimited(Duration::from_secs(1)),
            Injected::Failure { status, .. } => Self::Failure(status.unwrap_or(500)),
            Injected::Revoked | Injected::Expired => Self::Unauthenticated { sent: true },
            Injected::ScopesCut { .. } => Self::Forbidden,
            Injected::BadCursor => {
                Self::Refused(Refused::BadCursor { parameter: SmolStr::new_static("cursor"), value: String::new() })
            }
        }
    }
}

impl Error {
    /// The statuses that say it best, best first.
    fn statuses(&self) -> Vec<u16> {
        match self {
            Self::Refused(Refused::NotFound { .. }) => vec![404, 410],
            Self::Refused(Refused::Exists { .. }) => vec![409, 422, 400],
            Self::Refused(Refused::MediaType { .. }) => vec![415, 400],
            Self::Refused(Refused::Unserved { .. }) | Self::Unserved => vec![501],
            Self::Refused(Refused::Invalid(_) | Refused::BadCursor { .. } | Refused::Rule { .. }) => vec![400, 422],
            Self::Unauthenticated { .. } => vec![401, 403],
            Self::Forbidden => vec![403, 401],
            Self::RateLimited(_) => vec![429],
            Self::Failure(status) => vec![*status],
        }
    }

    /// The reply: of the statuses that say it, the first that the document has, in the document's shape; a problem
    /// document (RFC 9457) where it has none.
    pub(super) fn reply(&self, backing: &'static Backing, scene: &Scene<'_>) -> Reply {
        let statuses = self.statuses();
        let what = self.to_string();
        let shaped = backing.find(scene.operation).and_then(|place| place.refusal(&statuses, &what, scene));
        let answer = shaped.unwrap_or_else(|| problem(statuses[0], &what));
        let status = answer.status;
        let mut reply = Reply::new(answer, scene.now).refused(status.as_str());
        match self {
            Self::Unauthenticated { .. } if status == StatusCode::UNAUTHORIZED => {
                reply.fix(header::WWW_AUTHENTICATE, "Bearer");
            }
            Self::RateLimited(wait) => reply.set(header::RETRY_AFTER, &wait.as_secs().max(1).to_string()),
            Self::Refused(Refused::Unserved { .. }) | Self::Unserved => return reply.as_gap(),
            _ => {}
        }
        reply
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Unauthenticated { sent: true } => f.write_str("the credential is not known"),
            Self::Unauthenticated { sent: false } => f.write_str("a credential is needed"),
            Self::Forbidden => f.write_str("the credential does not allow this"),
            Self::RateLimited(_) => f.write_str("too many calls"),
            Self::Failure(status) => write!(f, "the service failed with {status}"),
            Self::Unserved => f.write_str("the twin does not serve this"),
        }
    }
}

/// The reply to a request that no operation can take.
pub(super) fn unserved(scene: &Unserved<'_>) -> Reply {
    let (status, what) = match scene.reason {
        Reason::NotFound => (404, "nothing is served here"),
        Reason::MethodNotAllowed => (405, "served under other methods"),
        Reason::Absent(_) => (501, "not implemented"),
        Reason::BodyTooLarge => (413, "the body is too large"),
        Reason::Broken => (500, "the service failed"),
    };
    Reply::new(problem(status, what), scene.now).refused(status.to_string())
}

fn problem(status: u16, what: &str) -> Answer {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body: Value = json!({
        "type": "about:blank", "title": code.canonical_reason().unwrap_or_default(), "status": status, "detail": what,
    });
    let mut answer = Answer::json(&body).with_status(code);
    answer.body = answer.body.map(|(_, bytes)| ("application/problem+json", bytes));
    answer
}
