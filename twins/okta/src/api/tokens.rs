//! API tokens.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{Links, act, no_content, stamp};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        token::{Token, revoke as revoke_token},
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
    network: Network,
    expires_at: String,
    created: String,
    last_updated: String,
    #[serde(rename = "_links")]
    links: Map<String, Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Network {
    connection: &'static str,
}

/// A token lives so long from each use.
const WINDOW: Duration = Duration::from_secs(30 * 86_400);

fn body(cx: &Read<'_, Okta>, token: &Token) -> TokenBody {
    let origin = &cx.scene.request.origin;
    // All tokens of a world are in use: they expire a window from now, and the caller's was used just now.
    let used = if token.id == cx.caller.token { cx.scene.now } else { token.created };
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
        network: Network { connection: "ANYWHERE" },
        expires_at: stamp(cx.scene.now.after(WINDOW)),
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
    Ok(Typed::ok(&cx.state.tokens.iter().map(|token| body(cx, token)).collect::<Vec<_>>()))
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
    Ok(Typed::ok(&body(cx, &token)))
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
