//! Clients that hold refresh tokens of a server.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/AuthorizationServerClients/.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{DELETE, GET, Which, act, no_content};
use crate::{
    Okta,
    api::grants::{ListTokens, Shown, client_body, expands, page, revoke_token, token_body},
    error::Error,
    model::{
        State,
        authorization_server::{Server, find},
        client::Client,
        grant::{Holder, Token},
    },
};

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/authorizationServers/{authServerId}/clients";
    const TOKENS: &str = "/api/v1/authorizationServers/{authServerId}/clients/{clientId}/tokens";
    const TOKEN: &str = "/api/v1/authorizationServers/{authServerId}/clients/{clientId}/tokens/{tokenId}";
    vec![
        Operation::read("listOAuth2ClientsForAuthorizationServer", GET, ALL, list),
        Operation::read("listRefreshTokensForAuthorizationServerAndClient", GET, TOKENS, tokens),
        Operation::write("revokeRefreshTokensForAuthorizationServerAndClient", DELETE, TOKENS, revoke_all),
        Operation::read("getRefreshTokenForAuthorizationServerAndClient", GET, TOKEN, get),
        Operation::write("revokeRefreshTokenForAuthorizationServerAndClient", DELETE, TOKEN, revoke),
    ]
}

/// `listOAuth2ClientsForAuthorizationServer`: those that hold refresh tokens of it.
pub fn list(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    let ids = cx.state.grants.clients_of_server(&server.id);
    let clients = ids.iter().filter_map(|id| cx.state.clients.get(id));
    let root = format!("/api/v1/authorizationServers/{}", server.id);
    let origin = &cx.scene.request.origin;
    Ok(Typed::ok(&clients.map(|client| client_body(client, &root, origin, false)).collect()))
}

/// Arguments that name a server and a client.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichClient {
    auth_server_id: String,
    client_id: String,
}

fn pair(state: &State, server: &str, client: &str) -> Result<(Arc<Server>, Arc<Client>), Error> {
    let server = find(state, server)?;
    let found = state.clients.get(client).cloned();
    Ok((server, found.ok_or_else(|| Error::not_found(client, "PublicClientApp"))?))
}

fn root(server: &Server, client: &Client) -> String {
    format!("/api/v1/authorizationServers/{}/clients/{}/tokens", server.id, client.id)
}

/// Arguments of `listRefreshTokensForAuthorizationServerAndClient`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    auth_server_id: String,
    client_id: String,
    expand: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `listRefreshTokensForAuthorizationServerAndClient`.
pub fn tokens(cx: &Read<'_, Okta>, args: Tokens) -> Result<Typed<Vec<Value>>, Error> {
    let (server, client) = pair(cx.state, &args.auth_server_id, &args.client_id)?;
    let wish = ListTokens { expand: args.expand, after: args.after, limit: args.limit };
    let root = root(&server, &client);
    page(cx, &wish, Holder::Server(&server.id, &client.id), &root)
}

/// Arguments that name a token of a server's client.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichToken {
    auth_server_id: String,
    client_id: String,
    token_id: String,
    expand: Option<String>,
}

fn one(state: &State, args: &WhichToken) -> Result<(String, Arc<Token>), Error> {
    let (server, client) = pair(state, &args.auth_server_id, &args.client_id)?;
    let found = state
        .grants
        .token_by_id(&args.token_id)
        .filter(|token| token.is_live_refresh() && token.server == server.id && token.client == client.id);
    let found = found.cloned().ok_or_else(|| Error::not_found(&args.token_id, "OAuth2RefreshToken"))?;
    Ok((root(&server, &client), found))
}

/// `getRefreshTokenForAuthorizationServerAndClient`.
pub fn get(cx: &Read<'_, Okta>, args: WhichToken) -> Result<Typed<Value>, Error> {
    let (root, token) = one(cx.state, &args)?;
    let shown = Shown { root: &root, scopes: expands(args.expand.as_deref())? };
    Ok(Typed::ok(&token_body(cx, &token, &shown)))
}

/// `revokeRefreshTokenForAuthorizationServerAndClient`.
pub fn revoke(cx: &mut Write<'_, '_, Okta>, args: WhichToken) -> Result<Typed<()>, Error> {
    let (_, token) = one(cx.state, &args)?;
    act(cx, |act| {
        revoke_token(act, &token);
        Ok(())
    })?;
    Ok(no_content())
}

/// `revokeRefreshTokensForAuthorizationServerAndClient`.
pub fn revoke_all(cx: &mut Write<'_, '_, Okta>, args: WhichClient) -> Result<Typed<()>, Error> {
    let (server, client) = pair(cx.state, &args.auth_server_id, &args.client_id)?;
    act(cx, |act| {
        act.state.grants.revoke_held(&mut act.tx.changes, Holder::Server(&server.id, &client.id));
        crate::oauth::log::revoked(act, false, &client);
        Ok(())
    })?;
    Ok(no_content())
}
