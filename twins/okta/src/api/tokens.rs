//! API tokens.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Scene, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{Links, act, no_content, stamp};
use crate::{
    Caller, Okta,
    error::Error,
    input::object,
    model::{
        State,
        token::{Network, Token, revoke as revoke_token, update as update_token},
    },
};

/// A token as Okta shows it: never its value.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenBody {
    id: SmolStr,
    name: SmolStr,
    user_id: SmolStr,
    client_name: &'static str,
    token_window: &'static str,
    network: NetworkBody,
    expires_at: String,
    created: String,
    last_updated: String,
    #[serde(rename = "_links")]
    links: Map<String, Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NetworkBody {
    connection: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include: Vec<SmolStr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude: Vec<SmolStr>,
}

impl NetworkBody {
    fn new(network: &Network) -> Self {
        Self {
            connection: if network.zones { "ZONE" } else { "ANYWHERE" },
            include: network.include.clone(),
            exclude: network.exclude.clone(),
        }
    }
}

/// A token lives so long from each use.
const WINDOW: Duration = Duration::from_secs(30 * 86_400);

fn body(scene: &Scene<'_>, caller: &Caller, token: &Token) -> TokenBody {
    let origin = &scene.request.origin;
    // All tokens of a world are in use: they expire a window from now, and the caller's was used just now.
    let used = if token.id == caller.token { scene.now } else { token.created };
    let links = Links::new().hint("self", format!("{origin}/api/v1/api-tokens/{}", token.id), &["GET", "DELETE"]).hint(
        "user",
        format!("{origin}/api/v1/users/{}", token.user),
        &["GET"],
    );
    TokenBody {
        id: token.id.clone(),
        name: token.name.clone(),
        user_id: token.user.clone(),
        client_name: "Okta API",
        token_window: "P30D",
        network: NetworkBody::new(&token.network),
        expires_at: stamp(scene.now.after(WINDOW)),
        created: stamp(token.created),
        last_updated: stamp(used),
        links: links.0,
    }
}

/// Arguments of operations that need none.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Nothing {}

/// `listApiTokens`.
pub fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<TokenBody>>, Error> {
    Ok(Typed::ok(&cx.state.tokens.iter().map(|token| body(cx.scene, cx.caller, token)).collect::<Vec<_>>()))
}

/// Arguments of operations that need only the token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    api_token_id: String,
}

fn find(state: &State, id: &str) -> Result<Arc<Token>, Error> {
    state.tokens.get(id).cloned().ok_or_else(|| Error::not_found(id, "Token"))
}

/// `getApiToken`.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<TokenBody>, Error> {
    let token = find(cx.state, &args.api_token_id)?;
    Ok(Typed::ok(&body(cx.scene, cx.caller, &token)))
}

/// A token in the body of a request. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenInput {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "object")]
    network: Option<NetworkInput>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default, rename = "clientName")]
    _client_name: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NetworkInput {
    #[serde(default)]
    connection: Option<String>,
    #[serde(default)]
    include: Vec<SmolStr>,
    #[serde(default)]
    exclude: Vec<SmolStr>,
}

impl NetworkInput {
    /// The condition that was sent. Zones must be there.
    fn read(self, state: &State) -> Result<Network, Error> {
        let zones = match self.connection.as_deref() {
            None | Some("ANYWHERE") => false,
            Some("ZONE") => true,
            Some(_) => return Err(Error::fields(&[("connection", "The field has an invalid value")])),
        };
        let zones_named = self.include.iter().chain(&self.exclude);
        let known = |id: &&SmolStr| state.objects.member("/api/v1/zones", id).is_some();
        match zones_named.into_iter().find(|id| !known(id)) {
            Some(id) => Err(Error::not_found(id, "NetworkZone")),
            None => Ok(Network { zones, include: self.include, exclude: self.exclude }),
        }
    }
}

/// Arguments of `upsertApiToken`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upsert {
    api_token_id: String,
    body: TokenInput,
}

/// `upsertApiToken`: its name and from where it may be used; nobody else's can it become.
pub fn upsert(cx: &mut Write<'_, '_, Okta>, args: Upsert) -> Result<Typed<TokenBody>, Error> {
    let token = find(cx.state, &args.api_token_id)?;
    if args.body.user_id.is_some_and(|user| user != token.user) {
        return Err(Error::invalid("userId", "userId: The owner of a token cannot be changed"));
    }
    let network = args.body.network.map(|network| network.read(cx.state)).transpose()?;
    let name = args.body.name.map_or_else(|| token.name.clone(), SmolStr::from);
    if name.trim().is_empty() {
        return Err(Error::fields(&[("name", "The field cannot be left blank")]));
    }
    let changed = Token { name, network: network.unwrap_or_else(|| token.network.clone()), ..Token::clone(&token) };
    let token = act(cx, |act| Ok(update_token(act, changed)))?;
    Ok(Typed::ok(&body(cx.scene, cx.caller, &token)))
}

/// `revokeApiToken`.
pub fn revoke(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let token = find(cx.state, &args.api_token_id)?;
    act(cx, |act| {
        revoke_token(act, &token);
        Ok(())
    })?;
    Ok(no_content())
}

/// `revokeCurrentApiToken`.
pub fn revoke_current(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let api_token_id = cx.caller.token.to_string();
    revoke(cx, Which { api_token_id })
}
