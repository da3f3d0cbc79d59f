//! What people are told when something is not as it should be.
//!
//! Most keys are those that Okta's own sign-in page translates (github.com/okta/okta-signin-widget,
//! `src/v2/ion/i18nTransformer.js` and `src/v3/src/constants`) and the codes of developer.okta.com/docs/reference/
//! error-codes/; those of who is denied, of blank fields and of too many requests are inferred. So are the statuses:
//! those that the Authentication API has for the same refusals.

use dtu_kernel::wire::Answer;
use http::StatusCode;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::ion;
use crate::error::Error;

/// A refusal, said above the form or at one of its fields.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The key by which pages translate it.
    pub key: SmolStr,
    /// In words.
    pub message: String,
    /// The field that it is about; none where it is about the whole.
    pub field: Option<SmolStr>,
    /// Whether nothing more can be done: no form is shown.
    pub terminal: bool,
}

impl Refusal {
    fn new(status: u16, key: &str, message: &str) -> Self {
        Self { status, key: key.into(), message: message.to_owned(), field: None, terminal: false }
    }

    fn at(field: &str, refusal: Self) -> Self {
        Self { field: Some(field.into()), ..refusal }
    }

    /// A name and password that are not believed.
    pub fn sign_in() -> Self {
        Self::new(401, "errors.E0000004", "Authentication failed")
    }

    /// A password that is not the person's.
    pub fn password() -> Self {
        Self::at("passcode", Self::new(401, "incorrectPassword", "Password is incorrect"))
    }

    /// A locked account, where its owner is told.
    pub fn locked() -> Self {
        Self::new(401, "errors.E0000119", "Your account is locked. Please contact your administrator.")
    }

    /// A code that is not right.
    pub fn code(field: &str) -> Self {
        Self::at(field, Self::new(403, "api.authn.error.PASSCODE_INVALID", "Invalid code. Try again."))
    }

    /// A prompt that was rejected.
    pub fn rejected() -> Self {
        Self::new(400, "api.authn.poll.error.push_rejected", "You have chosen to reject this login.")
    }

    /// Whoever is not let in.
    pub fn denied() -> Self {
        let message = "You do not have permission to perform the requested action";
        Self { terminal: true, ..Self::new(403, "security.access_denied", message) }
    }

    /// A field that must be filled in.
    pub fn blank(field: &str) -> Self {
        Self::at(field, Self::new(400, "model.validation.field.blank", "This field cannot be left blank"))
    }

    /// A name that somebody else has.
    pub fn taken() -> Self {
        let key = "registration.error.notUniqueWithinOrg";
        Self::at("email", Self::new(400, key, "A user with this Email already exists"))
    }

    /// Something sent again too soon.
    pub fn too_soon() -> Self {
        Self::new(429, "tooManyRequests", "Too many requests")
    }

    /// Nobody may register.
    pub fn registration_off() -> Self {
        Self::new(400, "oie.registration.is.not.enabled", "Sign up is not enabled for this organization.")
    }

    /// A refusal of the model's.
    pub fn of(error: &Error) -> Self {
        let (answer, code) = error.answer((0, 0));
        match code.as_str() {
            "E0000109" | "E0000118" | "E0000133" => Self::too_soon(),
            _ => Self::new(answer.status.as_u16(), &format!("errors.{code}"), &error.words()),
        }
    }

    /// The same, at a field.
    #[must_use]
    pub fn about(self, field: &str) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// As an answer shows it.
    pub fn shown(&self) -> Value {
        ion::messages(&[ion::message(&self.message, &self.key, "ERROR")])
    }
}

/// A refusal with its whole answer; what the call changed is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The key, for the ledger.
    pub key: SmolStr,
    /// The body.
    pub body: Value,
    /// Whether the caller takes ION.
    pub ion: bool,
}

impl Refused {
    /// The answer, and the key for the ledger.
    pub fn answer(&self) -> (Answer, SmolStr) {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (ion::answer(&self.body, self.ion).with_status(status), self.key.clone())
    }
}

/// A handle that there is not, or no longer.
pub fn expired(ion: bool) -> Error {
    let key = "idx.session.expired";
    let said = ion::messages(&[ion::message("The session has expired.", key, "ERROR")]);
    let body = json!({ "version": ion::VERSION, "messages": said });
    Error::Idx(Box::new(Refused { status: 401, key: key.into(), body, ion }))
}
