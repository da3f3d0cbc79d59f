//! All refusals, and the only place that knows their envelopes and statuses.
//!
//! Jira has several envelopes: `errorMessages` and `errors` from the application, RFC 7807 from what routes and converts,
//! plain text and HTML from what stands before both. Sentences are those that Jira Cloud sites have been recorded with.

use std::time::Duration;

use dtu_contract::generic::refusal::Refused;
use dtu_kernel::{
    fault::Injected,
    wire::{Answer, Request},
};
use http::{HeaderName, StatusCode, header};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::refusal;

/// JSON as Jira announces it.
pub const JSON: &str = "application/json;charset=UTF-8";
const BARE_JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json;charset=UTF-8";
const HTML: &str = "text/html;charset=UTF-8";
const TEXT: &str = "text/plain;charset=UTF-8";

/// A refusal, or what stands for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Only for those whom the site knows.
    Unauthenticated,
    /// The credential was believed until now: whoever calls is anonymous.
    Revoked,
    /// Nothing to see for anonymous callers: 200 with this.
    Nothing(Value),
    /// A bearer token that the gateway cannot read.
    UnreadableBearer,
    /// A token without the scopes that the operation needs: the gateway's refusal.
    Scope,
    /// A bearer token that is a JSON Web Token, which sites do not take.
    DeadJwt,
    /// A write that looks like another site's.
    Xsrf,
    /// No operation at the path.
    NoPath,
    /// No page at the path.
    NoPage,
    /// Not by this method.
    NoMethod {
        /// The methods that there are.
        allow: String,
    },
    /// Not a refusal: the methods of a path, for `OPTIONS`.
    Options {
        /// The methods that there are.
        allow: String,
    },
    /// Stopped at the edge, without a word.
    Edge {
        /// The status.
        status: u16,
    },
    /// The body is too long.
    TooLarge,
    /// The body's media type is not taken.
    MediaType {
        /// What was sent; `null` where nothing was said.
        sent: String,
    },
    /// The media type cannot be read.
    UnreadableMediaType,
    /// An empty body.
    NoContent,
    /// A body that is no JSON.
    BadJson,
    /// A body that is JSON but not what the operation takes.
    Payload,
    /// A query parameter of another type.
    Conversion {
        /// The parameter.
        name: String,
        /// What was sent.
        value: String,
    },
    /// A query parameter that must be there.
    MissingParameter {
        /// The parameter.
        name: String,
    },
    /// The application's refusal.
    Application {
        /// The status.
        status: u16,
        /// Sentences.
        messages: Vec<String>,
        /// Sentences by field.
        errors: Vec<(SmolStr, String)>,
    },
    /// A refusal by the contract.
    Refused(Refused),
    /// Jira has it, the twin has not.
    Unsupported {
        /// What.
        what: String,
    },
    /// Too many calls.
    RateLimited {
        /// How long until there is room again.
        retry_after: Duration,
    },
    /// The service's own failure.
    Failure {
        /// The status.
        status: u16,
        /// In which words, where a fault rule gives them.
        message: Option<SmolStr>,
    },
}

impl Error {
    /// A refusal in one sentence.
    pub fn says(status: u16, message: impl Into<String>) -> Self {
        Self::Application { status, messages: vec![message.into()], errors: Vec::new() }
    }

    /// There is nothing of that id in a collection.
    pub fn not_found(collection: &str, id: &str) -> Self {
        refusal::not_found(collection, id)
    }

    /// A query parameter of another type. Of a parameter given twice Jira names the Java array that it had it in.
    pub fn conversion(query: &[(String, String)], name: &str) -> Self {
        let values: Vec<&str> = query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect();
        let value = match values[..] {
            [] => String::new(),
            [one] => one.to_owned(),
            _ => format!("[Ljava.lang.String;@{:x}", hash(&values)),
        };
        Self::Conversion { name: name.to_owned(), value }
    }

    /// In words: Jira has no codes, and what it says stands for one in the ledger.
    pub fn words(&self) -> String {
        match self {
            Self::Unauthenticated | Self::Revoked | Self::DeadJwt => UNAUTHENTICATED.to_owned(),
            Self::UnreadableBearer => BEARER.to_owned(),
            Self::Scope => SCOPE.to_owned(),
            Self::Xsrf => XSRF.to_owned(),
            Self::NoPath | Self::NoPage => "Not Found".to_owned(),
            Self::NoMethod { .. } => "Method Not Allowed".to_owned(),
            Self::Edge { status } => code(*status).canonical_reason().unwrap_or_default().to_owned(),
            Self::TooLarge => "Payload Too Large".to_owned(),
            Self::MediaType { .. } | Self::UnreadableMediaType => "Unsupported Media Type".to_owned(),
            Self::NoContent => NO_CONTENT.to_owned(),
            Self::BadJson => BAD_JSON.to_owned(),
            Self::Payload => PAYLOAD.to_owned(),
            Self::Conversion { name, .. } => format!("Failed to convert '{name}'"),
            Self::MissingParameter { name } => format!("Required parameter '{name}' is not present."),
            Self::Application { messages, errors, .. } => {
                let of_field = || errors.first().map(|(_, message)| message);
                messages.first().or_else(of_field).cloned().unwrap_or_default()
            }
            Self::Refused(refused) => refused.to_string(),
            Self::Unsupported { what } => format!("not served: {what}"),
            Self::RateLimited { .. } => RATE_LIMITED.to_owned(),
            Self::Failure { message, .. } => message.as_deref().unwrap_or(FAILED).to_owned(),
            // Not refusals.
            Self::Nothing(_) | Self::Options { .. } => String::new(),
        }
    }

    /// The refusal in its envelope.
    pub fn answer(&self, request: &Request) -> Answer {
        match self {
            Self::Unauthenticated | Self::Revoked => unauthenticated(request),
            Self::Nothing(body) => json(200, body),
            Self::UnreadableBearer => body(403, BARE_JSON, json!({ "error": BEARER }).to_string()),
            Self::Scope => body(401, BARE_JSON, json!({ "code": 401, "message": SCOPE }).to_string()),
            Self::DeadJwt => body(401, HTML, UNAUTHENTICATED),
            Self::Xsrf => body(403, HTML, XSRF),
            Self::NoPage => body(404, HTML, NO_PAGE),
            Self::Edge { status } => Answer::empty(code(*status)),
            Self::Options { allow } => body(200, HTML, "")
                .with_header(header::ALLOW, allow)
                .with_header(HeaderName::from_static("accept-patch"), ""),
            Self::NoContent => messages_only(NO_CONTENT),
            Self::BadJson => messages_only(BAD_JSON),
            Self::Payload => messages_only(PAYLOAD),
            Self::Application { status, messages, errors } => application(*status, messages, errors),
            Self::Refused(refused) => refusal::error(refused, request).answer(request),
            Self::RateLimited { .. } => application(429, &[RATE_LIMITED.to_owned()], &[]),
            Self::Failure { status, message } => failure(*status, message.as_deref()),
            _ => self.problem(request),
        }
    }

    /// The refusals of what routes and converts.
    fn problem(&self, request: &Request) -> Answer {
        let (status, detail) = match self {
            Self::NoPath => (404, format!("No endpoint {} {}.", request.method, request.path)),
            Self::NoMethod { .. } => (405, format!("Method '{}' is not supported.", request.method)),
            Self::MediaType { sent } => (415, format!("Content-Type '{sent}' is not supported.")),
            Self::UnreadableMediaType => (415, "Could not parse Content-Type.".to_owned()),
            Self::Conversion { name, value } => (400, format!("Failed to convert '{name}' with value: '{value}'")),
            Self::TooLarge => (413, "Maximum upload size exceeded".to_owned()),
            Self::Unsupported { .. } => (501, self.words()),
            other => (400, other.words()),
        };
        let status = code(status);
        let problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": detail,
            "instance": request.path,
        });
        let answer = body(status.as_u16(), PROBLEM, problem.to_string());
        match self {
            Self::NoMethod { allow } if !allow.is_empty() => answer.with_header(header::ALLOW, allow),
            Self::MediaType { .. } | Self::UnreadableMediaType => answer.with_header(header::ACCEPT, BARE_JSON),
            _ => answer,
        }
    }
}

const UNAUTHENTICATED: &str = "Client must be authenticated to access this resource.";
const BEARER: &str = "Failed to parse Connect Session Auth Token";
const XSRF: &str = "XSRF check failed";
const NO_CONTENT: &str = "No content to map to Object due to end of input";
const BAD_JSON: &str = "There was an error parsing JSON. Check that your request body is valid.";
const PAYLOAD: &str = "Invalid request payload. Refer to the REST API documentation and try again.";
const NO_PAGE: &str = "<!DOCTYPE html><html><head><title>Page not found</title></head><body></body></html>";
/// Bodies of 429 and 500 are inferred: what is documented is that they are not to be relied on.
const RATE_LIMITED: &str = "Rate limit exceeded.";
const FAILED: &str = "Internal server error";

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn body(status: u16, media_type: &'static str, text: impl Into<String>) -> Answer {
    Answer::text(media_type, text).with_status(code(status))
}

fn json(status: u16, value: &Value) -> Answer {
    body(status, JSON, value.to_string())
}

/// What the application says of a body that it cannot read, which is all without `errors`.
fn messages_only(message: &str) -> Answer {
    json(400, &json!({ "errorMessages": [message] }))
}

fn application(status: u16, messages: &[String], errors: &[(SmolStr, String)]) -> Answer {
    let errors: Map<String, Value> = errors.iter().map(|(name, text)| (name.to_string(), json!(text))).collect();
    json(status, &json!({ "errorMessages": messages, "errors": errors }))
}

/// The one line that anonymous callers get, as what they accept; it is no JSON even where it says so.
fn unauthenticated(request: &Request) -> Answer {
    let media_type = match request.header(header::ACCEPT) {
        None => TEXT,
        Some(accept) if accept.contains("application/json") => JSON,
        Some(accept) if accept.contains("text/plain") => TEXT,
        Some(_) => HTML,
    };
    let realm: String = form_urlencoded::byte_serialize(request.origin.as_bytes()).collect();
    body(401, media_type, UNAUTHENTICATED)
        .with_header(header::WWW_AUTHENTICATE, format!("OAuth realm=\"{realm}\""))
        .with_header(header::X_FRAME_OPTIONS, "SAMEORIGIN")
}

/// Gateways answer for a Jira that is away, in HTML; Jira itself in its envelope.
fn failure(status: u16, message: Option<&str>) -> Answer {
    match (status, message) {
        (502..=504, None) => {
            let reason = code(status).canonical_reason().unwrap_or_default();
            body(status, HTML, format!("<html><head><title>{status} {reason}</title></head><body></body></html>"))
        }
        (_, message) => application(status, &[message.unwrap_or(FAILED).to_owned()], &[]),
    }
}

/// Any number that is the same for the same texts (FNV-1a, 32 bits).
/// The refusal of a token of a page that no longer holds.
pub const BAD_PAGE_TOKEN: &str = "The provided next page token is invalid or expired.";
const SCOPE: &str = "Unauthorized; scope does not match";

fn hash(texts: &[&str]) -> u32 {
    let bytes = texts.iter().flat_map(|text| text.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Injected> for Error {
    fn from(injected: Injected) -> Self {
        match injected {
            Injected::RateLimited { retry_after: wait } | Injected::QuotaExhausted { resets: wait } => {
                Self::RateLimited { retry_after: wait }
            }
            Injected::TooManyAtOnce => Self::RateLimited { retry_after: Duration::from_secs(1) },
            Injected::Revoked | Injected::Expired => Self::Revoked,
            Injected::ScopesCut { .. } => Self::Scope,
            Injected::BadCursor => Self::says(400, BAD_PAGE_TOKEN),
            Injected::Failure { status, code } => Self::Failure { status: status.unwrap_or(500), message: code },
        }
    }
}
