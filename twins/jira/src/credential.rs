//! What a request says of who calls.
//!
//! Measured on Jira Cloud sites: a credential that is not believed does not fail a call, it makes the caller anonymous.
//! Only a `Bearer` is refused, by the gateway, before Jira sees the request.

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::wire::Request;
use http::header;
use serde_json::Value;
use smol_str::SmolStr;

use crate::{Caller, error::Error, model::State};

/// A credential, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// None, or none that Jira reads: another scheme, another case, a second space.
    Nothing,
    /// A mail address and an API token.
    Basic {
        /// The mail address; may be empty.
        email: SmolStr,
        /// The token.
        token: SmolStr,
    },
    /// A bearer token of the form of a JSON Web Token. Such tokens are not taken at a site's own address.
    Jwt,
    /// A bearer token of any other form.
    Bearer,
}

impl Credential {
    /// Reads a request's `Authorization` header.
    pub fn of(request: &Request) -> Self {
        let value = request.header(header::AUTHORIZATION).unwrap_or_default();
        match value.split_once(' ') {
            Some((_, rest)) if rest.starts_with(' ') => Self::Nothing,
            Some(("Bearer", token)) if is_jwt(token) => Self::Jwt,
            Some(("Bearer", _)) => Self::Bearer,
            Some((scheme, pair)) if scheme.eq_ignore_ascii_case("Basic") => basic(pair).unwrap_or(Self::Nothing),
            _ => Self::Nothing,
        }
    }

    /// Refuses what the gateway refuses.
    ///
    /// # Errors
    /// The gateway's refusal of bearer tokens.
    pub fn admit(&self) -> Result<(), Error> {
        match self {
            Self::Jwt => Err(Error::DeadJwt),
            Self::Bearer => Err(Error::UnreadableBearer),
            Self::Nothing | Self::Basic { .. } => Ok(()),
        }
    }

    /// Who calls, where the credential is a live token together with its owner's mail address.
    pub fn believe(&self, state: &State) -> Option<Caller> {
        let Self::Basic { email, token } = self else { return None };
        let token = state.tokens.by_value(token)?;
        let owner = state.accounts.get(&token.account)?;
        let is_owner = owner.active && owner.email.eq_ignore_ascii_case(email);
        is_owner.then(|| Caller::Account { id: owner.id.clone(), token: token.name.clone() })
    }

    /// Whether Jira says that a sign-in has failed where the credential is not believed.
    pub fn names_somebody(&self) -> bool {
        matches!(self, Self::Basic { email, .. } if !email.is_empty())
    }
}

fn basic(pair: &str) -> Option<Credential> {
    let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let (email, token) = pair.split_once(':')?;
    Some(Credential::Basic { email: email.into(), token: token.into() })
}

fn is_jwt(token: &str) -> bool {
    let mut parts = token.split('.');
    let (Some(head), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let head = URL_SAFE_NO_PAD.decode(head).ok();
    head.and_then(|head| serde_json::from_slice::<Value>(&head).ok()).is_some_and(|head| head.is_object())
}
