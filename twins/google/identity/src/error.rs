//! All refusals, and the only place that knows their envelopes.
//!
//! The token endpoint answers as RFC 6749 has it, with Google's descriptions (see
//! developers.google.com/identity/protocols/oauth2/service-account#jwt-error-codes); what belongs to Google's APIs
//! answers in their envelope.

use dtu_google_workspace::{fields::BadField, render};
use dtu_kernel::{
    fault::Injected,
    time::Timestamp,
    twin::{Reason, Scene, Unserved},
    wire::{Answer, Reply, Request},
};
use http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::contract;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No credential where one is needed.
    NoCredential,
    /// An access token that is not good.
    BadCredential,
    /// An access token without the scopes.
    Scope,
    /// A part of the answer that there is not.
    Field(BadField),
    /// What the token endpoint says.
    OAuth {
        /// HTTP status.
        status: u16,
        /// The code.
        error: SmolStr,
        /// Why.
        description: String,
    },
    /// A way to get a token that Google has and the twin has not.
    Gap(Box<Self>),
    /// There is nothing here, in the envelope of APIs.
    NotFound,
    /// What a fault rule asks for.
    Injected(Injected),
}

impl From<Injected> for Error {
    fn from(injected: Injected) -> Self {
        Self::Injected(injected)
    }
}

impl Error {
    fn oauth(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        Self::OAuth { status, error: SmolStr::new_static(error), description: description.into() }
    }

    /// What was shown for a token is no good.
    pub fn grant(description: impl Into<String>) -> Self {
        Self::oauth(400, "invalid_grant", description)
    }

    /// A request that lacks something, or is not one.
    pub fn request(description: impl Into<String>) -> Self {
        Self::oauth(400, "invalid_request", description)
    }

    /// A parameter is missing.
    pub fn missing(parameter: &str) -> Self {
        Self::request(format!("Missing required parameter: {parameter}"))
    }

    /// A scope that there is not.
    pub fn scope() -> Self {
        Self::oauth(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    }

    /// A client that is unknown, or shows the wrong secret.
    pub fn client(description: &'static str) -> Self {
        Self::oauth(401, "invalid_client", description)
    }

    /// A client that may not do this.
    pub fn unauthorized() -> Self {
        let why = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for \
                   any of the scopes requested.";
        Self::oauth(401, "unauthorized_client", why)
    }

    /// A way to get a token that there is not.
    pub fn grant_type(name: &str) -> Self {
        Self::oauth(400, "unsupported_grant_type", format!("Invalid grant_type: {name}"))
    }

    /// A token that is shown to be looked at, or revoked, and is none.
    pub fn token(description: &'static str) -> Self {
        Self::oauth(400, "invalid_token", description)
    }

    /// The same, as a gap.
    #[must_use]
    pub fn as_gap(self) -> Self {
        Self::Gap(Box::new(self))
    }

    /// Status, code, body.
    fn shape(&self, id: &str) -> (u16, SmolStr, Value) {
        let oauth = |status: u16, error: &str, description: &str| {
            (status, SmolStr::new(error), json!({ "error": error, "error_description": description }))
        };
        // The calls of the oauth2 API proper answer as APIs do.
        let is_api = id.starts_with("oauth2.userinfo");
        match self {
            Self::NoCredential if is_api => envelope(401, "UNAUTHENTICATED", MISSING),
            Self::BadCredential if is_api => envelope(401, "UNAUTHENTICATED", BAD),
            Self::Scope if is_api => {
                envelope(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
            }
            Self::NoCredential | Self::BadCredential => oauth(401, "invalid_request", "Invalid Credentials"),
            Self::Scope => oauth(403, "insufficient_scope", "Request had insufficient authentication scopes."),
            Self::Field(BadField(field)) => {
                envelope(400, "INVALID_ARGUMENT", &format!("Invalid field selection {field}"))
            }
            Self::OAuth { status, error, description } => oauth(*status, error, description),
            Self::Gap(error) => error.shape(id),
            Self::NotFound => envelope(404, "NOT_FOUND", "Requested entity was not found."),
            Self::Injected(
                Injected::RateLimited { .. } | Injected::QuotaExhausted { .. } | Injected::TooManyAtOnce,
            ) => oauth(429, "rate_limit_exceeded", "Too many requests for tokens."),
            Self::Injected(Injected::Revoked | Injected::Expired) if id.starts_with("oauth2.token") => {
                oauth(400, "invalid_grant", "Token has been expired or revoked.")
            }
            Self::Injected(Injected::Revoked | Injected::Expired) => Self::BadCredential.shape(id),
            Self::Injected(Injected::ScopesCut { .. }) => Self::Scope.shape(id),
            // Nothing here has pages.
            Self::Injected(Injected::BadCursor) => Self::request("Invalid cursor").shape(id),
            Self::Injected(Injected::Failure { status, code }) => failure(*status, code.as_deref()),
        }
    }
}

/// A failure of the endpoint: the codes that client libraries try again on.
fn failure(status: Option<u16>, code: Option<&str>) -> (u16, SmolStr, Value) {
    let status = status.unwrap_or(match code {
        Some("temporarily_unavailable") => 503,
        Some("server_error" | "internal_failure") | None => 500,
        Some(_) => 400,
    });
    let usual = match status {
        503 => "temporarily_unavailable",
        500.. => "internal_failure",
        _ => "invalid_request",
    };
    let error = code.unwrap_or(usual);
    (status, SmolStr::new(error), json!({ "error": error }))
}

const MISSING: &str = "Request is missing required authentication credential. Expected OAuth 2 access token, login \
                       cookie or other valid authentication credential. See \
                       https://developers.google.com/identity/sign-in/web/devconsole-project.";
const BAD: &str = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
                   valid authentication credential. See \
                   https://developers.google.com/identity/sign-in/web/devconsole-project.";

fn envelope(status: u16, canonical: &'static str, message: &str) -> (u16, SmolStr, Value) {
    let body = json!({ "error": { "code": status, "message": message, "status": canonical } });
    (status, SmolStr::new_static(canonical), body)
}

/// An answer or refusal as it is sent.
pub(crate) fn reply(scene: &Scene<'_>, result: Result<Answer, Error>) -> Reply {
    let error = match result {
        Ok(answer) if contract::has(scene.operation) => {
            return dress(render::pick(answer, scene.request), scene.request, scene.now);
        }
        Ok(answer) => return dress(answer, scene.request, scene.now),
        Err(error) => error,
    };
    let (status, code, body) = error.shape(scene.operation.id);
    let mut answer = answer(status, &body);
    if matches!(error, Error::BadCredential | Error::NoCredential) {
        let rest = if error == Error::BadCredential { ", error=\"invalid_token\"" } else { "" };
        let challenge = format!("Bearer realm=\"https://accounts.google.com/\"{rest}");
        answer = answer.with_header(header::WWW_AUTHENTICATE, challenge);
    }
    let reply = dress(answer, scene.request, scene.now).refused(code);
    if matches!(error, Error::Gap(_)) { reply.as_gap() } else { reply }
}

/// The answer to a call that no operation can take.
pub(crate) fn unserved(scene: &Unserved<'_>) -> Reply {
    let (path, now) = (&scene.request.path, scene.now);
    match scene.reason {
        Reason::NotFound | Reason::MethodNotAllowed => {
            render::page(StatusCode::NOT_FOUND, "Not Found", path, now).refused("not_found")
        }
        Reason::BodyTooLarge => {
            render::page(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large", path, now).refused("too_large")
        }
        Reason::Absent(_) => {
            let (status, code, body) =
                envelope(501, "UNIMPLEMENTED", "Operation is not implemented, or supported, or enabled.");
            dress(answer(status, &body), scene.request, now).refused(code)
        }
        Reason::Broken => {
            let (status, code, body) = failure(None, None);
            dress(answer(status, &body), scene.request, now).refused(code)
        }
    }
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer::json(body).with_status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

fn dress(answer: Answer, request: &Request, now: Timestamp) -> Reply {
    let mut reply = Reply::new(answer, now);
    reply.fix(header::CONTENT_TYPE, "application/json; charset=utf-8");
    if render::is_indented(request) {
        reply.body = render::indent(&reply.body).into();
    }
    for value in ["Origin", "X-Origin", "Referer"] {
        reply.headers.append(header::VARY, http::HeaderValue::from_static(value));
    }
    if !reply.headers.contains_key(header::CACHE_CONTROL) {
        reply.fix(header::CACHE_CONTROL, "no-cache, no-store, max-age=0, must-revalidate");
        reply.fix(HeaderName::from_static("pragma"), "no-cache");
    }
    render::secure(&mut reply);
    reply
}
