//! Access tokens in exchange for others (RFC 8693), for services that call further services on somebody's behalf.
//!
//! See developer.okta.com/docs/guides/set-up-token-exchange/main/: one custom server's own tokens, and those of
//! servers that it trusts. The grant's other form, for the single sign-on of native apps, is refused by name.

use std::sync::Arc;

use super::{
    error::{self, OAuthError},
    form::Form,
    rules,
    server::Issuer,
};
use crate::model::{
    State,
    grant::{Kind, Token},
    user::{Status, User},
};

/// The grant's name.
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The only type of token that is given in exchange, and taken.
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The token that is to be exchanged, and the person whom it is about.
///
/// # Errors
/// Tokens of other types, that are not good, or of a server that is not trusted; another audience than the server's;
/// tokens that are about nobody.
pub fn subject(
    state: &State,
    issuer: &Issuer,
    form: &Form,
    now: dtu_kernel::time::Timestamp,
) -> Result<(Arc<Token>, Arc<User>), OAuthError> {
    let Some(server) = &issuer.server else { return Err(error::EXCHANGE_SERVER) };
    let text = form.need("subject_token")?;
    if form.need("subject_token_type")? != ACCESS_TOKEN || form.get("actor_token").is_some() {
        return Err(error::SUBJECT_TYPE);
    }
    if form.get("requested_token_type").is_some_and(|kind| kind != ACCESS_TOKEN) {
        return Err(error::REQUESTED_TYPE);
    }
    if form.get("audience").is_some_and(|audience| !server.audiences.iter().any(|own| own == audience)) {
        return Err(error::TARGET);
    }
    let token = state.grants.token(text).filter(|token| token.kind == Kind::Access && token.is_good(now));
    let token = token.filter(|token| token.server == server.id || server.trusted.contains(&token.server));
    let token = Arc::clone(token.ok_or(error::SUBJECT)?);
    let user = token.user.as_ref().and_then(|id| state.users.get(id)).filter(|user| user.status == Status::Active);
    let user = Arc::clone(user.ok_or(error::SUBJECT)?);
    Ok((token, user))
}

/// Scopes of people are not given in exchange: there is nobody to sign in.
///
/// # Errors
/// Where such are asked for.
pub fn check_scopes(scopes: &[smol_str::SmolStr]) -> Result<(), OAuthError> {
    rules::check_openid(scopes)?;
    if scopes.iter().any(|scope| scope == "offline_access") { Err(error::OPENID_ALONE) } else { Ok(()) }
}
