//! A refusal in words, and the only place that knows its envelopes.
//!
//! All APIs send a code, a message and canonical details; Drive sends a list of reasons as well, and the canonical
//! status only where a credential is refused. See google.rpc.Status and
//! developers.google.com/workspace/drive/api/guides/handle-errors.

use dtu_kernel::wire::Answer;
use http::{StatusCode, header};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::family::Family;

/// Canonical statuses with their HTTP status.
const CANONICAL: &[(&str, u16)] = &[
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("OUT_OF_RANGE", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("ABORTED", 409),
    ("RESOURCE_EXHAUSTED", 429),
    ("CANCELLED", 499),
    ("INTERNAL", 500),
    ("UNKNOWN", 500),
    ("UNIMPLEMENTED", 501),
    ("UNAVAILABLE", 503),
    ("DEADLINE_EXCEEDED", 504),
];

/// The HTTP status of a canonical one; 500 where there is none of that name.
pub(super) fn http_status(canonical: &str) -> u16 {
    CANONICAL.iter().find(|(name, _)| *name == canonical).map_or(500, |(_, status)| *status)
}

/// The first canonical status of an HTTP one.
pub(super) fn canonical(status: u16) -> &'static str {
    let found = CANONICAL.iter().find(|(_, known)| *known == status).map(|(name, _)| *name);
    found.unwrap_or(if status < 500 { "INVALID_ARGUMENT" } else { "INTERNAL" })
}

/// A canonical status by its name.
pub(super) fn named(canonical: &str) -> Option<&'static str> {
    CANONICAL.iter().find(|(name, _)| *name == canonical).map(|(name, _)| *name)
}

/// What in a request is at fault, for Drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    kind: &'static str,
    name: String,
}

impl Location {
    /// A parameter.
    pub fn parameter(name: impl Into<String>) -> Self {
        Self { kind: "parameter", name: name.into() }
    }

    /// A header.
    pub fn header(name: impl Into<String>) -> Self {
        Self { kind: "header", name: name.into() }
    }
}

/// A refusal in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    status: u16,
    canonical: &'static str,
    reason: SmolStr,
    domain: &'static str,
    message: String,
    /// The message in Drive's list of reasons, where it is another one.
    listed: Option<String>,
    location: Option<Location>,
    details: Vec<Value>,
    violations: Vec<Value>,
    auth: bool,
    /// What follows the realm in `WWW-Authenticate`; none where that header is not sent.
    challenge: Option<String>,
}

impl Said {
    /// A refusal by its canonical status, Drive's reason and the message.
    pub fn new(canonical: &'static str, reason: impl Into<SmolStr>, message: impl Into<String>) -> Self {
        Self {
            status: http_status(canonical),
            canonical,
            reason: reason.into(),
            domain: "global",
            message: message.into(),
            listed: None,
            location: None,
            details: Vec::new(),
            violations: Vec::new(),
            auth: false,
            challenge: None,
        }
    }

    /// The general refusal of arguments, which newer APIs explain in details.
    pub fn invalid() -> Self {
        Self::new("INVALID_ARGUMENT", "badRequest", "Request contains an invalid argument.")
    }

    /// The service's own failure.
    pub fn internal() -> Self {
        Self::new("INTERNAL", "internalError", "Internal error encountered.")
    }

    /// An operation, or a part of one, that the twin has not.
    pub fn unimplemented() -> Self {
        let message = "Operation is not implemented, or supported, or enabled.";
        Self::new("UNIMPLEMENTED", "notImplemented", message)
    }

    /// The same with another HTTP status than its canonical one has.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same in another domain than `global`.
    #[must_use]
    pub const fn in_domain(mut self, domain: &'static str) -> Self {
        self.domain = domain;
        self
    }

    /// The same with another message in Drive's list.
    #[must_use]
    pub fn in_list(mut self, message: impl Into<String>) -> Self {
        self.listed = Some(message.into());
        self
    }

    /// The same with the place that is at fault.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// The same with one more detail.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    /// The same with one more field at fault.
    #[must_use]
    pub fn violation(mut self, field: &str, description: &str) -> Self {
        let mut violation = Map::new();
        if !field.is_empty() {
            violation.insert("field".to_owned(), json!(field));
        }
        violation.insert("description".to_owned(), json!(description));
        self.violations.push(Value::Object(violation));
        self
    }

    /// The same, as a refusal of a credential.
    #[must_use]
    pub(super) const fn of_auth(mut self) -> Self {
        self.auth = true;
        self
    }

    /// The same with a challenge: what follows the realm.
    #[must_use]
    pub(super) fn challenge(mut self, rest: &str) -> Self {
        self.challenge = Some(rest.to_owned());
        self
    }

    /// A detail that programs read: `google.rpc.ErrorInfo`.
    pub fn info(reason: &str, domain: &str, metadata: &[(&str, &str)]) -> Value {
        let metadata: Map<String, Value> = metadata.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": domain,
            "metadata": metadata,
        })
    }

    /// The service's code for the ledger: Drive's reason, the others' canonical status.
    pub fn code(&self, family: Family) -> SmolStr {
        match family {
            Family::Drive => self.reason.clone(),
            Family::Sheets | Family::Docs => SmolStr::new_static(self.canonical),
        }
    }

    /// The refusal in its envelope.
    pub fn answer(&self, family: Family) -> Answer {
        let mut body = Map::new();
        body.insert("code".to_owned(), json!(self.status));
        body.insert("message".to_owned(), json!(self.message));
        if family == Family::Drive {
            body.insert("errors".to_owned(), json!([self.listed()]));
        }
        if family != Family::Drive || self.auth {
            body.insert("status".to_owned(), json!(self.canonical));
        }
        let mut details = self.details.clone();
        if !self.violations.is_empty() {
            let kind = "type.googleapis.com/google.rpc.BadRequest";
            details.push(json!({ "@type": kind, "fieldViolations": self.violations }));
        }
        if !details.is_empty() && (family != Family::Drive || self.auth) {
            body.insert("details".to_owned(), Value::Array(details));
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let answer = Answer::json(&json!({ "error": body })).with_status(status);
        match &self.challenge {
            Some(rest) => {
                let challenge = format!("Bearer realm=\"https://accounts.google.com/\"{rest}");
                answer.with_header(header::WWW_AUTHENTICATE, challenge)
            }
            None => answer,
        }
    }

    fn listed(&self) -> Value {
        let mut listed = Map::new();
        listed.insert("message".to_owned(), json!(self.listed.as_ref().unwrap_or(&self.message)));
        listed.insert("domain".to_owned(), json!(self.domain));
        listed.insert("reason".to_owned(), json!(self.reason));
        if let Some(location) = &self.location {
            listed.insert("location".to_owned(), json!(location.name));
            listed.insert("locationType".to_owned(), json!(location.kind));
        }
        Value::Object(listed)
    }
}
