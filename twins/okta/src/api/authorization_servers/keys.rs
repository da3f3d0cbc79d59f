//! The keys that authorization servers sign with.

use dtu_kernel::{
    operation::{Operation, Typed},
    time::Timestamp,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{GET, POST, Send, Which, act, body::address, fits};
use crate::{
    Okta,
    error::Error,
    model::authorization_server::{self as model, Server, find},
    oauth::keys::{self, KeyStatus},
};

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/authorizationServers/{authServerId}/credentials/keys";
    const ONE: &str = "/api/v1/authorizationServers/{authServerId}/credentials/keys/{keyId}";
    const ROTATE: &str = "/api/v1/authorizationServers/{authServerId}/credentials/lifecycle/keyRotate";
    vec![
        Operation::read("listAuthorizationServerKeys", GET, ALL, list),
        Operation::read("getAuthorizationServerKey", GET, ONE, get),
        Operation::write("rotateAuthorizationServerKeys", POST, ROTATE, rotate),
    ]
}

/// A server's keys as they are listed: that which signs first.
fn shown(server: &Server, origin: &str, now: Timestamp) -> Vec<Value> {
    let one = |(number, status): (u64, KeyStatus)| {
        let key = keys::web_key(&server.id, number);
        let own = address(server, origin, &format!("/credentials/keys/{}", keys::key_id(&server.id, number)));
        let mut body = Map::from_iter([
            ("status".to_owned(), json!(status)),
            ("_links".to_owned(), json!({ "self": { "href": own, "hints": { "allow": ["GET"] } } })),
        ]);
        body.extend(key);
        Value::Object(body)
    };
    server.signing.listed(now).into_iter().map(one).collect()
}

/// `listAuthorizationServerKeys`.
pub fn list(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&shown(&server, &cx.scene.request.origin, cx.scene.now)))
}

/// Arguments that name a key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichKey {
    auth_server_id: String,
    key_id: String,
}

/// `getAuthorizationServerKey`.
pub fn get(cx: &Read<'_, Okta>, args: WhichKey) -> Result<Typed<Value>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    let all = shown(&server, &cx.scene.request.origin, cx.scene.now);
    let found = all.into_iter().find(|key| key["kid"] == args.key_id.as_str());
    Ok(Typed::ok(&found.ok_or_else(|| Error::not_found(&args.key_id, "JsonWebKey"))?))
}

/// `rotateAuthorizationServerKeys`: the keys are for signatures, and nothing else.
pub fn rotate(cx: &mut Write<'_, '_, Okta>, args: Send) -> Result<Typed<Vec<Value>>, Error> {
    fits(cx.scene, &args.body)?;
    if args.body.get("use").is_some_and(|kind| kind != "sig") {
        return Err(Error::fields(&[("use", "The field has an invalid value")]));
    }
    let server = act(cx, |act| model::rotate(act, &args.auth_server_id))?;
    Ok(Typed::ok(&shown(&server, &cx.scene.request.origin, cx.scene.now)))
}
