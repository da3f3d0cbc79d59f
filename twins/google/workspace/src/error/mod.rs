//! Refusals of the APIs. Causes that all share are here; how they are worded, and the envelopes, in [`said`].

mod contract;
mod injected;
mod said;

use dtu_contract::generic::refusal::Refused;
use dtu_kernel::{args::ArgError, fault::Injected, operation::OperationInfo};

pub use self::said::{Location, Said};
use crate::{caller::Caller, family::Family, fields::BadField};

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// No credential.
    NoCredential,
    /// Only an API key, and no world has any.
    ApiKey,
    /// A token that is unknown, expired or revoked, or whose holder is suspended.
    BadCredential {
        /// Whether it looks like a token that the caller signed itself, which Google takes and the twin does not.
        signed: bool,
    },
    /// A token without any of the scopes that the operation needs.
    Scope {
        /// The scopes of which it needs one.
        needed: Vec<&'static str>,
    },
    /// An argument of a hand-written operation is missing or does not fit.
    Argument(ArgError),
    /// A field mask that names what is not there.
    Fields(BadField),
    /// The generic twin's refusal.
    Refused(Refused),
    /// A fault rule's.
    Injected(Injected),
    /// What one API says in its own words.
    Said(Box<Said>),
}

impl From<Injected> for Error {
    fn from(injected: Injected) -> Self {
        Self::Injected(injected)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Said> for Error {
    fn from(said: Said) -> Self {
        Self::Said(Box::new(said))
    }
}

const EXPECTED: &str = "Expected OAuth 2 access token, login cookie or other valid authentication credential. \
                        See https://developers.google.com/identity/sign-in/web/devconsole-project.";
const ANONYMOUS: &str = "Method doesn't allow unregistered callers (callers without established identity). Please use \
                         API Key or other form of API consumer identity to call this API.";

impl Error {
    /// Whether the twin refuses what the service would take.
    pub const fn is_gap(&self) -> bool {
        matches!(self, Self::BadCredential { signed: true } | Self::Refused(Refused::Unserved { .. }))
    }

    /// The refusal in an API's words.
    pub fn said(&self, family: Family, operation: &OperationInfo, caller: Option<&Caller>) -> Said {
        match self {
            Self::NoCredential => no_credential(family),
            Self::ApiKey => api_key(family),
            Self::BadCredential { .. } => bad_credential(),
            Self::Scope { needed } => scope(family, operation, needed),
            Self::Argument(error) => contract::argument(family, error),
            Self::Fields(BadField(field)) => bad_fields(family, field),
            Self::Refused(refused) => contract::said(family, operation, refused),
            Self::Injected(injected) => injected::said(family, operation, caller, injected),
            Self::Said(said) => said.as_ref().clone(),
        }
    }
}

fn no_credential(family: Family) -> Said {
    match family {
        Family::Drive | Family::Sheets => Said::new("PERMISSION_DENIED", "forbidden", ANONYMOUS).of_auth(),
        Family::Docs => {
            let message = format!("Request is missing required authentication credential. {EXPECTED}");
            Said::new("UNAUTHENTICATED", "required", message).of_auth().challenge("")
        }
    }
}

/// Docs takes no API keys at all. Drive and Sheets do, for what is public: keys that they do not know are refused
/// before that. Both from public logs, in which several of Google's APIs answer the same.
fn api_key(family: Family) -> Said {
    let info = |reason: &str| Said::info(reason, "googleapis.com", &[("service", family.service())]);
    match family {
        Family::Drive | Family::Sheets => {
            let message = "API key not valid. Please pass a valid API key.";
            Said::new("INVALID_ARGUMENT", "badRequest", message).of_auth().detail(info("API_KEY_INVALID"))
        }
        Family::Docs => {
            let message = "API keys are not supported by this API. Expected OAuth2 access token or other \
                           authentication credentials that assert a principal. See \
                           https://cloud.google.com/docs/authentication";
            let said = Said::new("UNAUTHENTICATED", "required", message).of_auth().challenge("");
            said.detail(info("CREDENTIALS_MISSING"))
        }
    }
}

fn bad_credential() -> Said {
    let message = format!("Request had invalid authentication credentials. {EXPECTED}");
    Said::new("UNAUTHENTICATED", "authError", message)
        .in_list("Invalid Credentials")
        .at(Location::header("Authorization"))
        .of_auth()
        .challenge(", error=\"invalid_token\"")
}

fn scope(family: Family, operation: &OperationInfo, needed: &[&str]) -> Said {
    let metadata = [("service", family.service()), ("method", &*family.method(operation))];
    Said::new("PERMISSION_DENIED", "insufficientPermissions", "Request had insufficient authentication scopes.")
        .in_list("Insufficient Permission")
        .of_auth()
        .challenge(&format!(", error=\"insufficient_scope\", scope=\"{}\"", needed.join(" ")))
        .detail(Said::info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com", &metadata))
}

fn bad_fields(family: Family, field: &str) -> Said {
    match family {
        Family::Drive => {
            let message = format!("Invalid field selection {field}");
            Said::new("INVALID_ARGUMENT", "invalidParameter", message).at(Location::parameter("fields"))
        }
        Family::Sheets | Family::Docs => {
            let why = format!("Error expanding 'fields' parameter. Cannot find matching fields for path '{field}'.");
            Said::invalid().violation(field, &why)
        }
    }
}

#[cfg(test)]
mod tests;
