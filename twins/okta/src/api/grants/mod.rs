//! What clients hold for people: refresh tokens, and the scopes that were consented to.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserOAuth/, .../tag/UserGrant/,
//! .../tag/ApplicationTokens/ and .../tag/ApplicationGrants/.

pub mod of_apps;
pub mod of_users;
pub mod revocation;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene},
};
use serde_json::{Map, Value, json};

use super::{Links, stamp};
use crate::{
    Okta,
    error::Error,
    model::{
        Act, State,
        client::Client,
        grant::{Consent, Holder, Token},
    },
    oauth,
    paging::{self, Size},
};

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    [of_apps::operations(), of_users::operations(), revocation::operations()].into_iter().flatten().collect()
}

/// Which refresh tokens a caller wants to see, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct ListTokens {
    pub(super) expand: Option<String>,
    pub(super) after: Option<String>,
    pub(super) limit: Option<i64>,
}

/// How a token is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    /// The path of the list that it is in.
    pub(super) root: &'a str,
    /// Whether its scopes are shown whole.
    pub(super) scopes: bool,
}

const PAGE: Size = Size { default: 20, max: 200 };

/// Whether an answer shows scopes whole. The document's only value is `scope`; recorded is that `user` is passed over.
///
/// # Errors
/// Any other value.
pub(super) fn expands(expand: Option<&str>) -> Result<bool, Error> {
    match expand {
        None | Some("" | "user") => Ok(false),
        Some("scope") => Ok(true),
        Some(_) => Err(super::bad_expand()),
    }
}

/// A page of a holder's refresh tokens, by id. Its links do not repeat `expand`: recorded.
pub(super) fn page(
    cx: &Read<'_, Okta>,
    wish: &ListTokens,
    holder: Holder<'_>,
    root: &str,
) -> Result<Typed<Vec<Value>>, Error> {
    let scopes = expands(wish.expand.as_deref())?;
    let limit = paging::size(wish.limit, PAGE)?;
    let after = wish.after.as_deref().unwrap_or_default();
    let mut all = cx.state.grants.refresh_tokens(holder, after, cx.scene.now).peekable();
    let (mut shown, mut last) = (Vec::new(), None);
    while let Some(token) = all.next_if(|_| shown.len() < limit) {
        last = Some(token.id.clone());
        shown.push(token_body(cx, token, &Shown { root, scopes }));
    }
    let next = all.peek().and(last);
    Ok(paging::linked_without(Typed::ok(&shown), cx.scene, limit, next.as_deref(), &["expand"]))
}

/// The address of a server, as tokens name it.
fn issuer(state: &State, scene: &Scene<'_>, server: &str) -> String {
    let origin = &scene.request.origin;
    if server.is_empty() {
        return origin.to_string();
    }
    let name = state.servers.find(server).map_or(server, |server| server.path_name());
    format!("{origin}/oauth2/{name}")
}

/// A refresh token: never its text.
pub(super) fn token_body(cx: &Read<'_, Okta>, token: &Token, shown: &Shown<'_>) -> Value {
    let origin = &cx.scene.request.origin;
    let own = format!("{origin}{}/{}", shown.root, token.id);
    let mut body = json!({
        "id": token.id,
        "status": "ACTIVE",
        "created": stamp(token.created),
        "lastUpdated": stamp(token.issued),
        "expiresAt": stamp(token.expires),
        "issuer": issuer(cx.state, cx.scene, &token.server),
        "clientId": token.client,
        "scopes": token.scopes,
    });
    if let Some(user) = &token.user {
        body["userId"] = json!(user);
    }
    if shown.scopes {
        let named = |name: &smol_str::SmolStr| {
            let server = cx.state.servers.find(&token.server)?;
            let scope = server.scope_named(name)?;
            let href = format!("{origin}/api/v1/authorizationServers/{}/scopes/{}", server.id, scope.id);
            let mut body = json!({ "id": scope.id, "name": scope.name });
            let said = [("displayName", &scope.display_name), ("description", &scope.description)];
            for (member, text) in said.into_iter().filter_map(|(member, text)| Some((member, text.as_ref()?))) {
                body[member] = json!(text);
            }
            body["_links"] = json!({ "scope": { "href": href, "title": scope.name } });
            Some(body)
        };
        let scopes: Vec<Value> = token.scopes.iter().filter_map(named).collect();
        body["_embedded"] = json!({ "scopes": scopes });
    }
    let links = Links::new().hint("self", own.clone(), &["GET", "DELETE"]).hint("revoke", own, &["DELETE"]);
    body["_links"] =
        Value::Object(around(cx.state, &token.client, token.user.as_deref(), &token.server, origin, links));
    body
}

/// Links to what a token or consent is about.
fn around(
    state: &State,
    client: &str,
    user: Option<&str>,
    server: &str,
    origin: &str,
    mut links: Links,
) -> Map<String, Value> {
    let mut titled = |name: &str, href: String, title: &str| {
        links.0.insert(name.to_owned(), json!({ "href": href, "title": title }));
    };
    if let Some(client) = state.clients.get(client) {
        titled("app", format!("{origin}/api/v1/apps/{}", client.app), &client.name);
        titled("client", format!("{origin}/oauth2/v1/clients/{}", client.id), &client.name);
    }
    if let Some(user) = user.and_then(|id| state.users.get(id)) {
        titled("user", format!("{origin}/api/v1/users/{}", user.id), &user.profile.full_name());
    }
    if let Some(server) = state.servers.find(server).filter(|_| !server.is_empty()) {
        titled("authorizationServer", format!("{origin}/api/v1/authorizationServers/{}", server.id), &server.name);
    }
    links.0
}

/// A consent, in the list of a path.
fn consent_body(state: &State, scene: &Scene<'_>, consent: &Consent, root: &str, whole: bool) -> Value {
    let origin = &scene.request.origin;
    let (actor, is_client) = &consent.by;
    let mut body = json!({
        "id": consent.id,
        "status": "ACTIVE",
        "created": stamp(consent.created),
        "createdBy": { "id": actor, "type": if *is_client { "PublicClientApp" } else { "User" } },
        "lastUpdated": stamp(consent.created),
        "issuer": issuer(state, scene, &consent.server),
        "clientId": consent.client,
    });
    if let Some(user) = &consent.user {
        body["userId"] = json!(user);
    }
    body["scopeId"] = json!(consent.scope_id);
    body["source"] = json!(if consent.user.is_some() { "END_USER" } else { "ADMIN" });
    if whole {
        body["_embedded"] = json!({ "scope": { "id": consent.scope_id } });
    }
    let allow: &[&str] = &["GET", "DELETE"];
    let links = Links::new().hint("self", format!("{origin}{root}/{}", consent.id), allow);
    let links = around(state, &consent.client, consent.user.as_deref(), &consent.server, origin, links);
    body["_links"] = Value::Object(links);
    body
}

/// A client that holds tokens, with links below a path; its grants are linked where it has such there.
pub(super) fn client_body(client: &Client, root: &str, origin: &str, grants: bool) -> Value {
    let below = |name: &str| format!("{origin}{root}/clients/{}/{name}", client.id);
    let mut links = Links::new();
    if grants {
        links = links.hint("grants", below("grants"), &["GET", "DELETE"]);
    }
    let links = links.hint("tokens", below("tokens"), &["GET", "DELETE"]);
    json!({ "client_id": client.id, "client_name": client.name, "_links": links.0 })
}

/// Revokes a refresh token and the access tokens that came with it.
pub(super) fn revoke_token(act: &mut Act<'_, '_>, token: &Token) {
    act.state.grants.revoke_family(&mut act.tx.changes, &token.family);
    if let Some(client) = act.state.clients.get(&token.client).cloned() {
        oauth::log::revoked(act, token.server.is_empty(), &client);
    }
}
