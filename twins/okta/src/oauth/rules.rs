//! What several endpoints ask alike.

use std::sync::Arc;

use dtu_kernel::operation::Typed;
use smol_str::SmolStr;

use super::{
    error::{self, OAuthError},
    server::STANDARD,
};
use crate::{
    error::Error,
    model::{
        State, assignment,
        client::Client,
        user::{Status, User},
    },
};

/// A refusal as an error, which undoes the call, or where it leaves a trace as an answer.
///
/// # Errors
/// The refusal.
pub fn keep<B: serde::Serialize>(refused: OAuthError) -> Result<Typed<B>, Error> {
    if refused.is_kept() { Ok(Typed::from_answer(refused.answer().0)) } else { Err(refused.into()) }
}

/// A person for whom a client may be given tokens.
///
/// # Errors
/// Accounts that nobody can use now, and people to whom the client's app is not assigned.
pub fn person(state: &State, client: &Client, id: &str) -> Result<Arc<User>, OAuthError> {
    let user = state.users.get(id).filter(|user| user.status == Status::Active).ok_or(error::PASSWORD)?;
    if is_assigned(state, client, user) { Ok(Arc::clone(user)) } else { Err(error::UNASSIGNED) }
}

/// Whether somebody may sign in to a client's app.
pub fn is_assigned(state: &State, client: &Client, user: &User) -> bool {
    let app = || state.apps.get(&client.app);
    client.open || app().is_some_and(|app| assignment::find(state, app, user).is_some())
}

/// Scopes of `OpenID` Connect need `openid`.
///
/// # Errors
/// Where it is missing.
pub fn check_openid(scopes: &[SmolStr]) -> Result<(), OAuthError> {
    let has = |name: &str| scopes.iter().any(|scope| scope == name);
    let needing = scopes.iter().any(|scope| STANDARD.contains(&scope.as_str()) && scope != "offline_access");
    if needing && !has("openid") { Err(error::OPENID_NEEDED) } else { Ok(()) }
}

/// Whether a client was granted one of the org's own scopes, by its world or by an administrator.
pub fn is_granted(state: &State, client: &Client, scope: &str) -> bool {
    let mut granted = state.grants.consents_of_client(&client.id);
    client.scopes.iter().any(|own| own == scope) || granted.any(|consent| consent.scope == scope)
}
