//! Consent: which clients may have which scopes, by an administrator's word or a person's.
//!
//! See developer.okta.com/docs/guides/request-user-consent/main/.

use std::sync::Arc;

use dtu_kernel::ids::IdShape;
use smol_str::SmolStr;

use super::{
    Act, State,
    authorization_server::scope::Consent as Asking,
    client::Client,
    event_type::{CONSENT_GRANT, CONSENT_REVOKE},
    grant::Consent,
    log::Party,
    shape,
    user::User,
};
use crate::{error::Error, oauth::server::Issuer};

/// Ids of consents.
const ID: IdShape = shape("oag", "consent");

/// Lets a client have one of the org's own scopes. One that it has already stays as it is.
///
/// # Errors
/// A scope that is none of the org's.
pub fn grant(act: &mut Act<'_, '_>, client: &Client, scope: &str) -> Result<Arc<Consent>, Error> {
    if !scope.starts_with("okta.") && scope != "ssf.read" && scope != "ssf.manage" {
        return Err(Error::fields(&[("scopeId", "'scopeId' is not a valid scope.")]));
    }
    let before = act.state.grants.consents_of_client(&client.id).find(|consent| consent.scope == scope).cloned();
    if let Some(before) = before {
        return Ok(before);
    }
    let by = (act.by.actor.id.clone(), act.by.actor.kind != "User");
    let row = Consent {
        id: act.tx.id(&ID),
        client: client.id.clone(),
        user: None,
        server: SmolStr::default(),
        scope: scope.into(),
        scope_id: scope.into(),
        by,
        created: act.now(),
    };
    let row = act.state.grants.put_consent(&mut act.tx.changes, row);
    act.log(&CONSENT_GRANT, vec![crate::oauth::log::party(client)]);
    Ok(row)
}

/// Takes a consent away. Tokens that were given out by a person's go with it.
pub fn revoke(act: &mut Act<'_, '_>, consent: &Consent) {
    act.state.grants.remove_consent(&mut act.tx.changes, &consent.id);
    if let Some(user) = &consent.user {
        act.state.grants.revoke_pair(&mut act.tx.changes, user, &consent.client);
    }
    let target = Party {
        id: consent.id.clone(),
        kind: "OAuth2ScopeConsentGrant",
        alternate_id: consent.client.clone(),
        display_name: consent.scope.clone(),
    };
    act.log(&CONSENT_REVOKE, vec![target]);
}

/// The scopes of a request that a person must still consent to: where the app asks, those whose server asks.
pub fn missing(state: &State, issuer: &Issuer, client: &Client, user: &User, scopes: &[SmolStr]) -> Vec<SmolStr> {
    let Some(server) = issuer.server.as_ref() else { return Vec::new() };
    let given = |name: &SmolStr| {
        let mut all = state.grants.consents_of_pair(&user.id, &client.id);
        all.any(|consent| consent.scope == *name && consent.server == server.id)
    };
    asked(state, issuer, client, scopes).into_iter().filter(|name| !given(name)).collect()
}

/// The scopes of a request about which people are asked at all, whatever they have consented to.
pub fn asked(state: &State, issuer: &Issuer, client: &Client, scopes: &[SmolStr]) -> Vec<SmolStr> {
    let Some(server) = issuer.server.as_ref().filter(|_| asks(state, client)) else { return Vec::new() };
    let is_asked = |name: &&SmolStr| {
        let scope = server.scope_named(name);
        scope.is_some_and(|scope| matches!(scope.consent, Some(Asking::Required | Asking::Flexible)))
    };
    scopes.iter().filter(is_asked).cloned().collect()
}

/// Whether an app asks people at all (`consent_method`).
fn asks(state: &State, client: &Client) -> bool {
    state.apps.get(&client.app).is_some_and(|app| *app.setting("/oauthClient/consent_method") == "REQUIRED")
}

/// Takes note that somebody consents.
pub fn give(act: &mut Act<'_, '_>, issuer: &Issuer, client: &Client, user: &User, scopes: &[SmolStr]) {
    let Some(server) = issuer.server.clone() else { return };
    let now = act.now();
    for scope in scopes.iter().filter_map(|name| server.scope_named(name)) {
        let row = Consent {
            id: act.tx.id(&ID),
            client: client.id.clone(),
            user: Some(user.id.clone()),
            server: server.id.clone(),
            scope: scope.name.clone(),
            scope_id: scope.id.clone(),
            by: (user.id.clone(), false),
            created: now,
        };
        act.state.grants.put_consent(&mut act.tx.changes, row);
    }
    if !scopes.is_empty() {
        act.log(&CONSENT_GRANT, vec![crate::oauth::log::party(client), Party::user(user)]);
    }
}
