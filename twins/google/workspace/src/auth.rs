//! How a call to an API is believed.

use dtu_contract::generic::refusal::Refused;
use dtu_kernel::{time::Timestamp, twin::Scene};
use smol_str::SmolStr;

use crate::{
    error::Error,
    input::{Credential, Input},
    model::{
        State,
        token::{Holder, Kind, Token},
    },
};

/// Who calls: the holder of an access token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose rights the call has.
    pub holder: Holder,
    /// The holder's mail address.
    pub name: SmolStr,
    /// The OAuth client or service account that the token was issued to, by id: files an app made are its own.
    pub app: SmolStr,
    /// The token's scopes.
    pub scopes: Vec<SmolStr>,
    /// The number of the project whose quota the call counts against.
    pub project: SmolStr,
}

/// An access token that is good now; its holder is neither gone nor suspended.
pub fn good_token<'a>(state: &'a State, value: &str, now: Timestamp) -> Option<&'a Token> {
    let token = state.tokens.by_value(value)?;
    let good = token.kind == Kind::Access && token.is_good(now) && state.is_live(&token.holder);
    good.then_some(token)
}

/// Believes or refuses a call that needs one of `scopes`.
///
/// # Errors
/// The refusal; its status and words are the API's.
pub fn authenticate(
    state: &State,
    scene: &Scene<'_>,
    input: &Input,
    scopes: Vec<&'static str>,
) -> Result<Caller, Error> {
    let value = match &input.credential {
        Credential::None => return Err(Error::NoCredential),
        Credential::ApiKey => return Err(Error::ApiKey),
        Credential::Bearer(value) => value,
    };
    let Some(token) = good_token(state, value, scene.now) else {
        return Err(Error::BadCredential { signed: value.split('.').count() == 3 && value.starts_with("ey") });
    };
    if !scopes.is_empty() && !token.has_one_of(&scopes) {
        return Err(Error::Scope { needed: scopes });
    }
    if let Some(what) = &input.unserved {
        return Err(Error::Refused(Refused::Unserved { what: what.clone() }));
    }
    let name = state.email(&token.holder).cloned().unwrap_or_default();
    Ok(Caller {
        holder: token.holder.clone(),
        name,
        app: token.issued_to.clone(),
        scopes: token.scopes.clone(),
        project: state.project.number.clone(),
    })
}
