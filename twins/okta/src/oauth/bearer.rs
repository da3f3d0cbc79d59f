//! Access tokens as credentials: at the userinfo endpoints, and for the org's own APIs.
//!
//! See developer.okta.com/docs/guides/implement-oauth-for-okta/main/.

use std::sync::Arc;

use dtu_contract::backing::Backed as _;
use dtu_kernel::{twin::Scene, wire::Request};
use http::header;
use smol_str::SmolStr;

use super::{
    cors, dpop,
    error::{self, OAuthError},
    form,
};
use crate::{
    Caller, Okta,
    error::Error,
    model::{
        State,
        grant::{Kind, Token},
        user::Status,
    },
    permission,
};

/// Whether a call shows an access token rather than an API token.
pub fn is_shown(request: &Request) -> bool {
    let value = request.header(header::AUTHORIZATION).and_then(|value| value.trim().split_once(' '));
    value.is_some_and(|(scheme, _)| ["bearer", "dpop"].iter().any(|known| scheme.eq_ignore_ascii_case(known)))
}

/// The access token of a call.
///
/// # Errors
/// No token, one that is not believed, or one whose proof does not hold.
pub fn token(state: &State, scene: &Scene<'_>) -> Result<Arc<Token>, OAuthError> {
    let request = scene.request;
    if request.query_pairs().any(|(name, _)| name == "access_token") {
        return Err(error::TOKEN_IN_QUERY);
    }
    let (scheme, text) = form::authorization(request).ok_or(error::TOKEN_MISSING)?;
    if !matches!(scheme.as_str(), "bearer" | "dpop") || text.is_empty() {
        return Err(error::TOKEN_MISSING);
    }
    let token = state.grants.token(text).filter(|token| token.kind == Kind::Access).ok_or(error::TOKEN_INVALID)?;
    if token.revoked {
        return Err(error::TOKEN_REVOKED);
    }
    if !token.is_good(scene.now) {
        return Err(error::TOKEN_EXPIRED);
    }
    match (&token.bound_to, scheme.as_str()) {
        (Some(key), "dpop") => dpop::at_resource(request, scene.now, text, key)?,
        (Some(_), _) => return Err(error::DPOP_SCHEME),
        (None, "dpop") => return Err(error::NOT_BOUND),
        (None, _) => {}
    }
    Ok(Arc::clone(token))
}

/// The caller that an access token is, where it may call the operation.
///
/// # Errors
/// A token that is not believed, of another server than the org's own, or without the operation's scope.
pub fn caller(state: &State, scene: &Scene<'_>) -> Result<Caller, Error> {
    let caller = believed(state, scene)?;
    // What a client may do itself, or the person that it acts for, comes on top of the token's scopes.
    if permission::allows(state, &caller, scene) { Ok(caller) } else { Err(Error::Forbidden) }
}

/// The same, whatever roles the caller has.
///
/// # Errors
/// A token that is not believed, of another server than the org's own, or without the operation's scope.
pub fn believed(state: &State, scene: &Scene<'_>) -> Result<Caller, Error> {
    let token = token(state, scene).map_err(|refused| unbelieved(scene.request, refused))?;
    if !token.server.is_empty() {
        return Err(unbelieved(scene.request, error::TOKEN_ISSUER));
    }
    let client = state.clients.get(&token.client).filter(|client| client.active);
    let client = client.ok_or_else(|| unbelieved(scene.request, error::TOKEN_INVALID))?;
    let needed = needed(scene).ok_or(Error::InvalidToken)?;
    if !needed.iter().all(|scope| token.scopes.contains(scope)) {
        return Err(insufficient(scene.request, &needed));
    }
    if let Some(id) = &token.user {
        state.users.get(id).filter(|user| user.status == Status::Active).ok_or(Error::InvalidToken)?;
    }
    Ok(Caller {
        user: token.user.clone().unwrap_or_default(),
        token: token.id.clone(),
        name: client.name.clone(),
        client: Some(client.id.clone()),
        share: state.share(&client.id),
        // Tokens are no cookies: any page may show one (developer.okta.com/docs/guides/enable-cors/main/).
        reader: cors::origin(scene.request).map(SmolStr::new),
    })
}

/// The scopes that an operation needs, by its public document; none where it cannot be called with an access token.
fn needed(scene: &Scene<'_>) -> Option<Vec<SmolStr>> {
    let facts = Okta.backing().find(scene.operation)?.operation().facts.get();
    facts.security.iter().find_map(|entry| entry.get("oauth2")).cloned()
}

/// What a credential that has lost its scopes is answered: an API token has none, but its owner's rights.
pub(crate) fn without_scopes(error: Error, scene: &Scene<'_>, caller: Option<&Caller>) -> Error {
    let Error::ScopesCut { needed: named } = error else { return error };
    match caller {
        Some(caller) if caller.client.is_some() => {
            let own = || needed(scene).unwrap_or_default();
            insufficient(scene.request, &if named.is_empty() { own() } else { named })
        }
        _ => Error::Forbidden,
    }
}

/// What is recorded (okta/okta-sdk-golang issue 145): no body, all in the header.
fn insufficient(request: &Request, needed: &[SmolStr]) -> Error {
    let origin = &request.origin;
    let words = format!(
        "Bearer authorization_uri=\"{origin}/oauth2/v1/authorize\", realm=\"{origin}\", scope=\"{}\", error=\"{}\", \
         error_description=\"{}\", resource=\"{}\"",
        needed.join(" "),
        error::INSUFFICIENT.error,
        error::INSUFFICIENT.description,
        request.path
    );
    error::INSUFFICIENT.challenging(words).bare().into()
}

/// The API refuses a token with its own envelope; why stands in the header.
fn unbelieved(request: &Request, refused: OAuthError) -> Error {
    if refused.status() != 401 {
        let words = format!("DPoP error=\"{}\", error_description=\"{}\"", refused.error, refused.description);
        return refused.challenging(words).into();
    }
    let origin = &request.origin;
    Error::BadAccessToken {
        challenge: format!(
            "Bearer authorization_uri=\"{origin}/oauth2/v1/authorize\", realm=\"{origin}\", \
             error=\"{}\", error_description=\"{}\", resource=\"{}\"",
            refused.error, refused.description, request.path
        ),
    }
}
