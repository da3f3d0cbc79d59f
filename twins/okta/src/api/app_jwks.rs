//! Public keys of OAuth clients.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationSSOPublicKeys/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Links, act,
    app_body::fits,
    apps::{Which, find},
    no_content, stamp,
};
use crate::{
    Okta,
    error::Error,
    model::{
        Act,
        app::App,
        app_jwks::{self, Jwk},
        app_secrets,
    },
};

/// The operations of this file.
pub fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/apps/{appId}/credentials/jwks";
    const ONE: &str = "/api/v1/apps/{appId}/credentials/jwks/{keyId}";
    const ON: &str = "/api/v1/apps/{appId}/credentials/jwks/{keyId}/lifecycle/activate";
    const OFF: &str = "/api/v1/apps/{appId}/credentials/jwks/{keyId}/lifecycle/deactivate";
    const CALLS: &str = "apps";
    vec![
        Operation::read("listJwk", &[Method::GET], ALL, list).limit(CALLS),
        Operation::write("addJwk", &[Method::POST], ALL, add).limit(CALLS),
        Operation::read("getJwk", &[Method::GET], ONE, get).limit(CALLS),
        Operation::write("deletejwk", &[Method::DELETE], ONE, delete).limit(CALLS),
        Operation::write("activateOAuth2ClientJsonWebKey", &[Method::POST], ON, activate).limit(CALLS),
        Operation::write("deactivateOAuth2ClientJsonWebKey", &[Method::POST], OFF, deactivate).limit(CALLS),
    ]
}

fn body(app: &App, key: &Jwk, origin: &str) -> Value {
    let own = format!("{origin}/api/v1/apps/{}/credentials/jwks/{}", app.id, key.id);
    let cycle = |verb: &str| format!("{own}/lifecycle/{verb}");
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(key.id));
    body.extend(key.members.clone());
    // Some clients tell kinds of keys apart by members that are always there.
    body.entry("kid").or_insert(Value::Null);
    body.insert("status".to_owned(), json!(if key.active { "ACTIVE" } else { "INACTIVE" }));
    body.insert("created".to_owned(), json!(stamp(key.created)));
    body.insert("lastUpdated".to_owned(), json!(stamp(key.last_updated)));
    let links = match (key.active, key.encrypts()) {
        (true, true) => Links::new(),
        (true, false) => Links::new().hint("deactivate", cycle("deactivate"), &["POST"]),
        (false, _) => {
            Links::new().hint("activate", cycle("activate"), &["POST"]).hint("delete", own.clone(), &["DELETE"])
        }
    };
    if !links.0.is_empty() {
        body.insert("_links".to_owned(), Value::Object(links.0));
    }
    Value::Object(body)
}

/// `listJwk`.
pub fn list(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    app_secrets::check_client(&app)?;
    let rows = app.jwks.iter().map(|key| body(&app, key, &cx.scene.request.origin));
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

/// Arguments of `addJwk`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddKey {
    app_id: String,
    body: Map<String, Value>,
}

/// `addJwk`.
pub fn add(cx: &mut Write<'_, '_, Okta>, args: AddKey) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    if !args.body.contains_key("kty") {
        return Err(Error::fields(&[("kty", "The field cannot be left blank")]));
    }
    fits(cx.scene, &args.body)?;
    let key = act(cx, |act| app_jwks::add(act, &app, &args.body))?;
    Ok(Typed::ok(&body(&app, &key, &cx.scene.request.origin)).with_status(StatusCode::CREATED))
}

/// Arguments of operations on a key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichKey {
    app_id: String,
    key_id: String,
}

/// `getJwk`.
pub fn get(cx: &Read<'_, Okta>, args: WhichKey) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let key = app_jwks::find(&app, &args.key_id)?;
    Ok(Typed::ok(&body(&app, key, &cx.scene.request.origin)))
}

/// `deletejwk`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: WhichKey) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    act(cx, |act| app_jwks::delete(act, &app, &args.key_id))?;
    Ok(no_content())
}

fn switch(cx: &mut Write<'_, '_, Okta>, args: &WhichKey, active: bool) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let key = act(cx, |act: &mut Act<'_, '_>| app_jwks::switch(act, &app, &args.key_id, active))?;
    Ok(Typed::ok(&body(&app, &key, &cx.scene.request.origin)))
}

/// `activateOAuth2ClientJsonWebKey`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: WhichKey) -> Result<Typed<Value>, Error> {
    switch(cx, &args, true)
}

/// `deactivateOAuth2ClientJsonWebKey`.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: WhichKey) -> Result<Typed<Value>, Error> {
    switch(cx, &args, false)
}
