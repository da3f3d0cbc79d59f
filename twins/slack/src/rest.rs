//! What stands around calls of the SCIM and the audit API, which are unlike all other methods: they have verbs and
//! statuses, and refuse in their own words.

use dtu_kernel::{
    operation::OperationInfo,
    twin::Scene,
    wire::{Answer, Reply},
};
use http::header;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    Caller, envelope,
    error::{Code, Error},
    input::Input,
    model::{
        State,
        apps::{Token, TokenKind},
    },
};

/// Which of these APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// SCIM 1.1.
    Scim1,
    /// SCIM 2.0.
    Scim2,
    /// The audit log.
    Audit,
}

/// The API that an operation is of; none for all others.
pub(crate) fn face(operation: &OperationInfo) -> Option<Face> {
    match operation.path {
        path if path.starts_with("/scim/v1/") => Some(Face::Scim1),
        path if path.starts_with("/scim/v2/") => Some(Face::Scim2),
        path if path.starts_with("/audit/v1/") => Some(Face::Audit),
        _ => None,
    }
}

/// Believes or refuses a token, and its right to call.
pub(crate) fn authenticate(state: &State, scene: &Scene<'_>, input: &Input, face: Face) -> Result<Caller, Error> {
    let operation = scene.operation;
    if operation.scopes.is_empty() {
        return Ok(nobody());
    }
    let text = input.token.clone().unwrap_or_default();
    let over = |token: &Token| {
        let is_gone = state.users.get(&token.user).is_none_or(|user| user.deleted);
        token.revoked || is_gone || token.expires.is_some_and(|expires| scene.now.as_secs() >= expires)
    };
    let token = state.tokens.get(&text).filter(|token| !over(token) && token.kind == TokenKind::User);
    let unknown = || match face {
        Face::Audit if text.is_empty() => Error::Status(401, SmolStr::new_static("not_authed")),
        Face::Audit => Error::Status(401, SmolStr::new_static("invalid_auth")),
        _ => Error::Status(401, SmolStr::new_static("invalid_authentication")),
    };
    let token = token.ok_or_else(unknown)?;
    if !operation.scopes.iter().any(|scope| token.has(scope)) {
        return Err(Error::MissingScope { needed: operation.scopes.join(",").into(), provided: token.granted.clone() });
    }
    let user = state.users.get(&token.user);
    match face {
        Face::Audit if state.enterprise.org.is_none() => Err(Error::Status(403, "feature_not_enabled".into())),
        Face::Audit if !user.is_some_and(|user| user.is_owner()) => {
            Err(Error::Status(403, "user_not_authorized".into()))
        }
        Face::Scim1 | Face::Scim2 if !user.is_some_and(|user| user.is_admin()) => {
            Err(Error::Status(403, "not_an_admin".into()))
        }
        _ => Ok(Caller { token: Some(token.clone()), text, ..nobody() }),
    }
}

fn nobody() -> Caller {
    Caller { token: None, text: SmolStr::default(), channel: SmolStr::default(), unlisted: false }
}

/// The answer as it goes out.
pub(crate) fn render(scene: &Scene<'_>, face: Face, result: Result<Answer, Error>) -> Reply {
    match result {
        Ok(answer) => envelope::dressed(answer, scene.now),
        Err(error) => {
            let (status, words) = status(&error);
            let body = refusal(scene, face, &error, (status, &words));
            let mut answer = Answer::json(&body).with_status(http::StatusCode::from_u16(status).unwrap_or_default());
            if let Error::RateLimited(wait) = &error {
                let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                answer = answer.with_header(header::RETRY_AFTER, secs.max(1).to_string());
            }
            envelope::dressed(answer, scene.now).refused(words)
        }
    }
}

/// The status and the words of a refusal.
fn status(error: &Error) -> (u16, SmolStr) {
    let status = match error {
        Error::Status(status, _) => *status,
        Error::RateLimited(_) => 429,
        Error::MissingScope { .. } => 403,
        Error::Failure { status, .. } => status.unwrap_or(500),
        Error::Refused(Code::TokenRevoked | Code::TokenExpired) => 401,
        _ => 400,
    };
    (status, error.code())
}

/// What a refusal says. Of SCIM 2.0 only what changes something is refused as RFC 7644 has it: recorded answers to
/// reads have the older shape.
fn refusal(scene: &Scene<'_>, face: Face, error: &Error, (status, words): (u16, &SmolStr)) -> Value {
    match face {
        Face::Audit => {
            let mut body = json!({ "ok": false, "error": words });
            if let Error::MissingScope { needed, provided } = error {
                (body["needed"], body["provided"]) = (json!(needed), json!(provided));
            }
            body
        }
        Face::Scim2 if scene.operation.writes && !matches!(status, 401 | 403 | 429) => json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "detail": words,
            "status": format_smolstr!("{status}"),
        }),
        Face::Scim1 | Face::Scim2 => json!({ "Errors": { "description": words, "code": status } }),
    }
}
