//! The control plane's errors: what, where, and what to do about it.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{diagnostic::Diagnostic, fault::RuleError, multiverse::CreateError};

/// The body of every refusal.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ErrorDetail {
    /// A word for programs: `unauthorized`, `not_found`, `invalid`, `conflict`, `refused`, `internal`.
    code: &'static str,
    /// What is wrong.
    message: String,
    /// What to do about it; empty where there is nothing to say.
    hint: String,
    /// Single problems with their places in files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// A refusal of the control plane.
#[derive(Debug)]
pub struct ControlError {
    status: StatusCode,
    body: Box<ErrorBody>,
}

impl ControlError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let error = ErrorDetail { code, message, hint: String::new(), problems: Vec::new() };
        Self { status, body: Box::new(ErrorBody { error }) }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body.error.hint = hint.into();
        self
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "the control plane's token is missing or wrong")
            .hint("send `Authorization: Bearer TOKEN` with the token that `dtu up` printed")
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "not_found", "this path is served under other methods")
    }

    /// Something that was named and is not there.
    pub(super) fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let problem = Diagnostic::whole("", "").suggest(name, known);
        Self::not_found(format!("there is no {what} `{name}`")).hint(problem.hint)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", message)
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

impl From<CreateError> for ControlError {
    fn from(error: CreateError) -> Self {
        let message = error.to_string();
        match error {
            CreateError::World(problems) => {
                let mut refusal = Self::invalid(message);
                refusal.body.error.problems = problems.iter().map(ToString::to_string).collect();
                refusal
            }
            CreateError::Port { .. } => Self::new(StatusCode::CONFLICT, "conflict", message),
            CreateError::Taken(_) => Self::new(StatusCode::CONFLICT, "conflict", message).hint("choose another id"),
            CreateError::Unknown(_) => Self::not_found(message),
            CreateError::TooMany(_) => {
                Self::new(StatusCode::CONFLICT, "conflict", message).hint("delete universes that are no longer needed")
            }
        }
    }
}

impl From<RuleError> for ControlError {
    fn from(error: RuleError) -> Self {
        Self::invalid(error.to_string()).hint(error.hint())
    }
}

impl From<std::io::Error> for ControlError {
    fn from(error: std::io::Error) -> Self {
        Self::internal(format!("the ledger cannot be read back: {error}"))
    }
}
