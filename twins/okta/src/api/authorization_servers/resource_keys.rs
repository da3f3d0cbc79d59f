//! Keys of the resource servers of authorization servers.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{DELETE, GET, POST, Send, Which, act, body, fits, no_content};
use crate::{
    Okta,
    error::Error,
    model::authorization_server::{
        find,
        key::{self, Wish},
    },
};

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/authorizationServers/{authServerId}/resourceservercredentials/keys";
    const ONE: &str = "/api/v1/authorizationServers/{authServerId}/resourceservercredentials/keys/{keyId}";
    const ON: &str =
        "/api/v1/authorizationServers/{authServerId}/resourceservercredentials/keys/{keyId}/lifecycle/activate";
    const OFF: &str =
        "/api/v1/authorizationServers/{authServerId}/resourceservercredentials/keys/{keyId}/lifecycle/deactivate";
    vec![
        Operation::read("listOAuth2ResourceServerJsonWebKeys", GET, ALL, list),
        Operation::write("addOAuth2ResourceServerJsonWebKey", POST, ALL, add),
        Operation::read("getOAuth2ResourceServerJsonWebKey", GET, ONE, get),
        Operation::write("deleteOAuth2ResourceServerJsonWebKey", DELETE, ONE, delete),
        Operation::write("activateOAuth2ResourceServerJsonWebKey", POST, ON, activate),
        Operation::write("deactivateOAuth2ResourceServerJsonWebKey", POST, OFF, deactivate),
    ]
}

/// Arguments that name a key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichKey {
    auth_server_id: String,
    key_id: String,
}

/// `listOAuth2ResourceServerJsonWebKeys`.
pub fn list(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    let shown = server.keys.iter().map(|key| body::resource_key(&server, key, &cx.scene.request.origin));
    Ok(Typed::ok(&shown.collect()))
}

/// `addOAuth2ResourceServerJsonWebKey`: only RSA keys, for encryption, that are not in use yet.
pub fn add(cx: &mut Write<'_, '_, Okta>, args: Send) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let text = |member: &str| args.body.get(member).and_then(Value::as_str);
    let bad = |member| Err(Error::fields(&[(member, "The field has an invalid value")]));
    if text("status") == Some("ACTIVE") {
        return bad("status");
    }
    if text("kty") != Some("RSA") {
        return bad("kty");
    }
    if text("use").is_some_and(|kind| kind != "enc") {
        return bad("use");
    }
    let (Some(e), Some(n)) = (text("e"), text("n")) else { return bad("n") };
    let wish = Wish { kid: text("kid").map(SmolStr::new), e: e.to_owned(), n: n.to_owned() };
    let made = act(cx, |act| key::add(act, &args.auth_server_id, wish))?;
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::resource_key(&server, &made, &cx.scene.request.origin)).with_status(StatusCode::CREATED))
}

/// `getOAuth2ResourceServerJsonWebKey`.
pub fn get(cx: &Read<'_, Okta>, args: WhichKey) -> Result<Typed<Value>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::resource_key(&server, server.resource_key(&args.key_id)?, &cx.scene.request.origin)))
}

/// `deleteOAuth2ResourceServerJsonWebKey`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: WhichKey) -> Result<Typed<()>, Error> {
    act(cx, |act| key::delete(act, &args.auth_server_id, &args.key_id))?;
    Ok(no_content())
}

fn switch(cx: &mut Write<'_, '_, Okta>, args: &WhichKey, active: bool) -> Result<Typed<Value>, Error> {
    let made = act(cx, |act| key::set_active(act, &args.auth_server_id, &args.key_id, active))?;
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::resource_key(&server, &made, &cx.scene.request.origin)))
}

/// `activateOAuth2ResourceServerJsonWebKey`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: WhichKey) -> Result<Typed<Value>, Error> {
    switch(cx, &args, true)
}

/// `deactivateOAuth2ResourceServerJsonWebKey`.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: WhichKey) -> Result<Typed<Value>, Error> {
    switch(cx, &args, false)
}
