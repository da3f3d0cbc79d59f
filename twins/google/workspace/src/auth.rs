//! How a call to an API is believed.

use dtu_contract::generic::refusal::Refused;
use dtu_kernel::{time::Timestamp, twin::Scene};

use crate::{
    caller::Caller,
    error::Error,
    input::{Credential, Input},
    model::{
        State,
        token::{Kind, Token},
    },
};

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
