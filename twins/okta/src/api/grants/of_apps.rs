//! What apps hold: refresh tokens, and the org's own scopes that administrators let them have.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ListTokens, Shown, consent_body, expands, page, revoke_token, token_body};
use crate::{
    Okta,
    api::{act, app_body::fits, apps::find, no_content},
    error::Error,
    model::{
        State,
        app::App,
        client::Client,
        consent,
        grant::{Consent, Holder, Token},
    },
};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const DELETE: &[Method] = &[Method::DELETE];

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const TOKENS: &str = "/api/v1/apps/{appId}/tokens";
    const TOKEN: &str = "/api/v1/apps/{appId}/tokens/{tokenId}";
    const GRANTS: &str = "/api/v1/apps/{appId}/grants";
    const GRANT: &str = "/api/v1/apps/{appId}/grants/{grantId}";
    let all = vec![
        Operation::read("listOAuth2TokensForApplication", GET, TOKENS, tokens),
        Operation::write("revokeOAuth2TokensForApplication", DELETE, TOKENS, revoke_all),
        Operation::read("getOAuth2TokenForApplication", GET, TOKEN, token),
        Operation::write("revokeOAuth2TokenForApplication", DELETE, TOKEN, revoke),
        Operation::read("listScopeConsentGrants", GET, GRANTS, grants),
        Operation::write("grantConsentToScope", POST, GRANTS, grant),
        Operation::read("getScopeConsentGrant", GET, GRANT, get),
        Operation::write("revokeScopeConsentGrant", DELETE, GRANT, take_back),
    ];
    all.into_iter().map(|operation| operation.limit("apps")).collect()
}

/// Arguments that name an app.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    app_id: String,
}

/// An app's client; apps that are none hold nothing.
fn client(state: &State, app: &App) -> Option<Arc<Client>> {
    state.clients.of_app(&app.id).cloned()
}

/// Arguments of `listOAuth2TokensForApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    app_id: String,
    expand: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `listOAuth2TokensForApplication`.
pub fn tokens(cx: &Read<'_, Okta>, args: Tokens) -> Result<Typed<Vec<Value>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let client = client(cx.state, &app).map(|client| client.id.clone()).unwrap_or_default();
    let wish = ListTokens { expand: args.expand, after: args.after, limit: args.limit };
    page(cx, &wish, Holder::Client(&client), &format!("/api/v1/apps/{}/tokens", app.id))
}

/// Arguments that name an app's token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichToken {
    app_id: String,
    token_id: String,
    expand: Option<String>,
}

/// Recorded: the id that is not found is the app's and the token's, with a dot.
fn find_token(state: &State, app: &App, id: &str) -> Result<Arc<Token>, Error> {
    let client = client(state, app);
    let own = |token: &&Arc<Token>| {
        token.is_live_refresh() && client.as_ref().is_some_and(|client| client.id == token.client)
    };
    let found = state.grants.token_by_id(id).filter(own).cloned();
    found.ok_or_else(|| Error::not_found(&format!("{}.{id}", app.id), "OAuth2RefreshTokenTx"))
}

/// `getOAuth2TokenForApplication`.
pub fn token(cx: &Read<'_, Okta>, args: WhichToken) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let token = find_token(cx.state, &app, &args.token_id)?;
    let root = format!("/api/v1/apps/{}/tokens", app.id);
    let shown = Shown { root: &root, scopes: expands(args.expand.as_deref())? };
    Ok(Typed::ok(&token_body(cx, &token, &shown)))
}

/// `revokeOAuth2TokenForApplication`.
pub fn revoke(cx: &mut Write<'_, '_, Okta>, args: WhichToken) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let token = find_token(cx.state, &app, &args.token_id)?;
    act(cx, |act| {
        revoke_token(act, &token);
        Ok(())
    })?;
    Ok(no_content())
}

/// `revokeOAuth2TokensForApplication`.
pub fn revoke_all(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let client = client(cx.state, &app);
    act(cx, |act| {
        if let Some(client) = client {
            act.state.grants.revoke_held(&mut act.tx.changes, Holder::Client(&client.id));
            crate::oauth::log::revoked(act, true, &client);
        }
        Ok(())
    })?;
    Ok(no_content())
}

/// Arguments of `listScopeConsentGrants`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grants {
    app_id: String,
    expand: Option<String>,
}

fn root(app: &App) -> String {
    format!("/api/v1/apps/{}/grants", app.id)
}

/// `listScopeConsentGrants`.
pub fn grants(cx: &Read<'_, Okta>, args: Grants) -> Result<Typed<Vec<Value>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let whole = expands(args.expand.as_deref())?;
    let client = client(cx.state, &app).map(|client| client.id.clone()).unwrap_or_default();
    let all = cx.state.grants.consents_of_client(&client);
    Ok(Typed::ok(&all.map(|consent| consent_body(cx.state, cx.scene, consent, &root(&app), whole)).collect()))
}

/// Arguments of `grantConsentToScope`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    app_id: String,
    body: Map<String, Value>,
}

/// `grantConsentToScope`: only the org's own server's scopes are granted so.
pub fn grant(cx: &mut Write<'_, '_, Okta>, args: Grant) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    fits(cx.scene, &args.body)?;
    let text = |member: &str| args.body.get(member).and_then(Value::as_str).unwrap_or_default();
    let origin = cx.scene.request.origin.as_str();
    if text("issuer").trim_end_matches('/') != origin {
        return Err(Error::fields(&[("issuer", "'issuer' is invalid.")]));
    }
    let client = client(cx.state, &app);
    let client = client.ok_or_else(|| Error::invalid("application", "Only OAuth 2.0 clients can be granted scopes"))?;
    let made = act(cx, |act| consent::grant(act, &client, text("scopeId")))?;
    let body = consent_body(cx.state, cx.scene, &made, &root(&app), true);
    // Recorded of an org of the Classic Engine (2020), against the document.
    let status = if cx.state.kind.is_classic() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(Typed::ok(&body).with_status(status))
}

/// Arguments that name an app's consent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichGrant {
    app_id: String,
    grant_id: String,
    expand: Option<String>,
}

fn find_consent(state: &State, app: &App, id: &str) -> Result<Arc<Consent>, Error> {
    let client = client(state, app);
    let own = |consent: &&Arc<Consent>| client.as_ref().is_some_and(|client| client.id == consent.client);
    let found = state.grants.consent(id).filter(own).filter(|consent| consent.user.is_none()).cloned();
    found.ok_or_else(|| Error::not_found(id, "OAuth2ScopeConsentGrant"))
}

/// `getScopeConsentGrant`.
pub fn get(cx: &Read<'_, Okta>, args: WhichGrant) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let consent = find_consent(cx.state, &app, &args.grant_id)?;
    let whole = expands(args.expand.as_deref())?;
    Ok(Typed::ok(&consent_body(cx.state, cx.scene, &consent, &root(&app), whole)))
}

/// `revokeScopeConsentGrant`.
pub fn take_back(cx: &mut Write<'_, '_, Okta>, args: WhichGrant) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let consent = find_consent(cx.state, &app, &args.grant_id)?;
    act(cx, |act| {
        consent::revoke(act, &consent);
        Ok(())
    })?;
    Ok(no_content())
}
