//! What clients hold for a person: refresh tokens, and the scopes that the person has consented to.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{ListTokens, PAGE, Shown, client_body, consent_body, expands, page, revoke_token, token_body};
use crate::{
    Caller, Okta,
    api::{act, find_user, no_content},
    error::Error,
    model::{
        State,
        client::Client,
        consent,
        grant::{Consent, Holder, Token},
        user::User,
    },
    paging,
};

const GET: &[Method] = &[Method::GET];
const DELETE: &[Method] = &[Method::DELETE];

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const CLIENTS: &str = "/api/v1/users/{userId}/clients";
    const TOKENS: &str = "/api/v1/users/{userId}/clients/{clientId}/tokens";
    const TOKEN: &str = "/api/v1/users/{userId}/clients/{clientId}/tokens/{tokenId}";
    const PAIR: &str = "/api/v1/users/{userId}/clients/{clientId}/grants";
    const GRANTS: &str = "/api/v1/users/{userId}/grants";
    const GRANT: &str = "/api/v1/users/{userId}/grants/{grantId}";
    let all = vec![
        Operation::read("listUserClients", GET, CLIENTS, clients),
        Operation::read("listRefreshTokensForUserAndClient", GET, TOKENS, tokens),
        Operation::write("revokeTokensForUserAndClient", DELETE, TOKENS, revoke_tokens),
        Operation::read("getRefreshTokenForUserAndClient", GET, TOKEN, token),
        Operation::write("revokeTokenForUserAndClient", DELETE, TOKEN, revoke_one),
        Operation::read("listGrantsForUserAndClient", GET, PAIR, grants_of_pair),
        Operation::write("revokeGrantsForUserAndClient", DELETE, PAIR, revoke_pair),
        Operation::read("listUserGrants", GET, GRANTS, grants),
        Operation::write("revokeUserGrants", DELETE, GRANTS, revoke_grants),
        Operation::read("getUserGrant", GET, GRANT, grant),
        Operation::write("revokeUserGrant", DELETE, GRANT, revoke_grant),
    ];
    all.into_iter().map(|operation| operation.limit("users")).collect()
}

/// Arguments that name a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    user_id: String,
}

/// `listUserClients`.
pub fn clients(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let mut ids = cx.state.grants.clients_of_user(&user.id);
    let consented = cx.state.grants.consents_of_user(&user.id).map(|consent| consent.client.clone());
    ids.extend(consented);
    ids.sort();
    ids.dedup();
    let (root, origin) = (format!("/api/v1/users/{}", user.id), &cx.scene.request.origin);
    let clients = ids.iter().filter_map(|id| cx.state.clients.get(id));
    Ok(Typed::ok(&clients.map(|client| client_body(client, &root, origin, true)).collect()))
}

/// Arguments that name a person and a client.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichPair {
    user_id: String,
    client_id: String,
}

fn pair(state: &State, caller: &Caller, user: &str, client: &str) -> Result<(Arc<User>, Arc<Client>), Error> {
    let user = find_user(state, caller, user)?;
    let found = state.clients.get(client).cloned();
    Ok((user, found.ok_or_else(|| Error::not_found(client, "PublicClientApp"))?))
}

fn token_root(user: &User, client: &Client) -> String {
    format!("/api/v1/users/{}/clients/{}/tokens", user.id, client.id)
}

/// Arguments of lists of what a client holds for a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListPair {
    user_id: String,
    client_id: String,
    expand: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `listRefreshTokensForUserAndClient`.
pub fn tokens(cx: &Read<'_, Okta>, args: ListPair) -> Result<Typed<Vec<Value>>, Error> {
    let (user, client) = pair(cx.state, cx.caller, &args.user_id, &args.client_id)?;
    let wish = ListTokens { expand: args.expand, after: args.after, limit: args.limit };
    page(cx, &wish, Holder::User(&user.id, &client.id), &token_root(&user, &client))
}

/// `revokeTokensForUserAndClient`: refresh tokens and access tokens alike.
pub fn revoke_tokens(cx: &mut Write<'_, '_, Okta>, args: WhichPair) -> Result<Typed<()>, Error> {
    let (user, client) = pair(cx.state, cx.caller, &args.user_id, &args.client_id)?;
    act(cx, |act| {
        act.state.grants.revoke_pair(&mut act.tx.changes, &user.id, &client.id);
        crate::oauth::log::revoked(act, true, &client);
        Ok(())
    })?;
    Ok(no_content())
}

/// Arguments that name a token that a client holds for a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichToken {
    user_id: String,
    client_id: String,
    token_id: String,
    expand: Option<String>,
}

fn find_token(state: &State, user: &User, client: &Client, id: &str) -> Result<Arc<Token>, Error> {
    let own = |token: &&Arc<Token>| {
        token.is_live_refresh() && token.client == client.id && token.user.as_ref() == Some(&user.id)
    };
    let found = state.grants.token_by_id(id).filter(own).cloned();
    found.ok_or_else(|| Error::not_found(id, "OAuth2RefreshToken"))
}

/// `getRefreshTokenForUserAndClient`.
pub fn token(cx: &Read<'_, Okta>, args: WhichToken) -> Result<Typed<Value>, Error> {
    let (user, client) = pair(cx.state, cx.caller, &args.user_id, &args.client_id)?;
    let token = find_token(cx.state, &user, &client, &args.token_id)?;
    let shown = Shown { root: &token_root(&user, &client), scopes: expands(args.expand.as_deref())? };
    Ok(Typed::ok(&token_body(cx, &token, &shown)))
}

/// `revokeTokenForUserAndClient`.
pub fn revoke_one(cx: &mut Write<'_, '_, Okta>, args: WhichToken) -> Result<Typed<()>, Error> {
    let (user, client) = pair(cx.state, cx.caller, &args.user_id, &args.client_id)?;
    let token = find_token(cx.state, &user, &client, &args.token_id)?;
    act(cx, |act| {
        revoke_token(act, &token);
        Ok(())
    })?;
    Ok(no_content())
}

/// Which consents a caller wants to see, and how.
struct Wish<'a> {
    root: String,
    scope: Option<&'a str>,
    expand: Option<&'a str>,
    after: Option<&'a str>,
    limit: Option<i64>,
}

fn listed<'a>(
    cx: &Read<'_, Okta>,
    all: impl Iterator<Item = &'a Arc<Consent>>,
    wish: &Wish<'_>,
) -> Result<Typed<Vec<Value>>, Error> {
    let whole = expands(wish.expand)?;
    let limit = paging::size(wish.limit, PAGE)?;
    let wanted = |consent: &&Arc<Consent>| wish.scope.is_none_or(|scope| consent.scope_id == scope);
    // The cursor is the last consent seen: what a person has consented to is little.
    let after = wish.after.filter(|after| !after.is_empty());
    let mut all: Vec<&Arc<Consent>> = all.filter(wanted).collect();
    all.sort_by_key(|consent| consent.id.clone());
    let rest = all.into_iter().skip_while(|consent| after.is_some_and(|after| consent.id.as_str() <= after));
    let rest: Vec<&Arc<Consent>> = rest.collect();
    let page = &rest[..limit.min(rest.len())];
    let shown = page.iter().map(|consent| consent_body(cx.state, cx.scene, consent, &wish.root, whole)).collect();
    let next = page.last().filter(|_| page.len() < rest.len()).map(|consent| consent.id.as_str());
    Ok(paging::linked(Typed::ok(&shown), cx.scene, limit, next))
}

/// `listGrantsForUserAndClient`.
pub fn grants_of_pair(cx: &Read<'_, Okta>, args: ListPair) -> Result<Typed<Vec<Value>>, Error> {
    let (user, client) = pair(cx.state, cx.caller, &args.user_id, &args.client_id)?;
    let wish = Wish {
        root: format!("/api/v1/users/{}/grants", user.id),
        scope: None,
        expand: args.expand.as_deref(),
        after: args.after.as_deref(),
        limit: args.limit,
    };
    listed(cx, cx.state.grants.consents_of_pair(&user.id, &client.id), &wish)
}

fn take_back(cx: &mut Write<'_, '_, Okta>, consents: &[Arc<Consent>]) -> Result<Typed<()>, Error> {
    act(cx, |act| {
        for consent in consents {
            consent::revoke(act, consent);
        }
        Ok(())
    })?;
    Ok(no_content())
}

/// `revokeGrantsForUserAndClient`.
pub fn revoke_pair(cx: &mut Write<'_, '_, Okta>, args: WhichPair) -> Result<Typed<()>, Error> {
    let (user, client) = pair(cx.state, cx.caller, &args.user_id, &args.client_id)?;
    let all: Vec<_> = cx.state.grants.consents_of_pair(&user.id, &client.id).cloned().collect();
    take_back(cx, &all)
}

/// Arguments of `listUserGrants`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct List {
    user_id: String,
    scope_id: Option<String>,
    expand: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `listUserGrants`.
pub fn grants(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<Value>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let wish = Wish {
        root: format!("/api/v1/users/{}/grants", user.id),
        scope: args.scope_id.as_deref(),
        expand: args.expand.as_deref(),
        after: args.after.as_deref(),
        limit: args.limit,
    };
    listed(cx, cx.state.grants.consents_of_user(&user.id), &wish)
}

/// `revokeUserGrants`.
pub fn revoke_grants(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let all: Vec<_> = cx.state.grants.consents_of_user(&user.id).cloned().collect();
    take_back(cx, &all)
}

/// Arguments that name a consent of a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichGrant {
    user_id: String,
    grant_id: String,
    expand: Option<String>,
}

fn find_consent(state: &State, user: &User, id: &str) -> Result<Arc<Consent>, Error> {
    let found = state.grants.consent(id).filter(|consent| consent.user.as_ref() == Some(&user.id));
    found.cloned().ok_or_else(|| Error::not_found(id, "OAuth2ScopeConsentGrant"))
}

/// `getUserGrant`.
pub fn grant(cx: &Read<'_, Okta>, args: WhichGrant) -> Result<Typed<Value>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let consent = find_consent(cx.state, &user, &args.grant_id)?;
    let whole = expands(args.expand.as_deref())?;
    let root = format!("/api/v1/users/{}/grants", user.id);
    Ok(Typed::ok(&consent_body(cx.state, cx.scene, &consent, &root, whole)))
}

/// `revokeUserGrant`.
pub fn revoke_grant(cx: &mut Write<'_, '_, Okta>, args: WhichGrant) -> Result<Typed<()>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let consent = find_consent(cx.state, &user, &args.grant_id)?;
    take_back(cx, &[consent])
}
