//! Claims of authorization servers.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{DELETE, GET, POST, PUT, Send, Which, act, body, fits, no_content, read};
use crate::{
    Okta,
    error::Error,
    model::authorization_server::{
        claim::{self, Claim},
        find,
    },
};

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/authorizationServers/{authServerId}/claims";
    const ONE: &str = "/api/v1/authorizationServers/{authServerId}/claims/{claimId}";
    vec![
        Operation::read("listOAuth2Claims", GET, ALL, list),
        Operation::write("createOAuth2Claim", POST, ALL, create),
        Operation::read("getOAuth2Claim", GET, ONE, get),
        Operation::write("replaceOAuth2Claim", PUT, ONE, replace),
        Operation::write("deleteOAuth2Claim", DELETE, ONE, delete),
    ]
}

/// Arguments that name a claim.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichClaim {
    auth_server_id: String,
    claim_id: String,
}

/// `listOAuth2Claims`.
pub fn list(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    let shown = server.claims_listed().into_iter().map(|claim| body::claim(&server, claim, &cx.scene.request.origin));
    Ok(Typed::ok(&shown.collect()))
}

/// A claim that was sent. Where it does not say what it is, it is what most are.
fn wish(mut body: Map<String, Value>) -> Result<Claim, Error> {
    if !body.contains_key("claimType") {
        return Err(Error::fields(&[("claimType", "The field cannot be left blank")]));
    }
    body.entry("valueType").or_insert_with(|| "EXPRESSION".into());
    read(body)
}

/// `createOAuth2Claim`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Send) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let wish = wish(args.body)?;
    let made = act(cx, |act| claim::create(act, &args.auth_server_id, wish))?;
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::claim(&server, &made, &cx.scene.request.origin)).with_status(StatusCode::CREATED))
}

/// `getOAuth2Claim`.
pub fn get(cx: &Read<'_, Okta>, args: WhichClaim) -> Result<Typed<Value>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::claim(&server, server.claim(&args.claim_id)?, &cx.scene.request.origin)))
}

/// Arguments of `replaceOAuth2Claim`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replace {
    auth_server_id: String,
    claim_id: String,
    body: Map<String, Value>,
}

/// `replaceOAuth2Claim`.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: Replace) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let wish = wish(args.body)?;
    let made = act(cx, |act| claim::replace(act, &args.auth_server_id, &args.claim_id, wish))?;
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::claim(&server, &made, &cx.scene.request.origin)))
}

/// `deleteOAuth2Claim`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: WhichClaim) -> Result<Typed<()>, Error> {
    act(cx, |act| claim::delete(act, &args.auth_server_id, &args.claim_id))?;
    Ok(no_content())
}
