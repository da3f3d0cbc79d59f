//! Keys, certificate requests and client secrets of apps.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationSSOCredentialKey/ and
//! developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationSSOPublicKeys/.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use dtu_kernel::{
    operation::Typed,
    time::Timestamp,
    twin::{Read, Write},
};
use http::{StatusCode, header::LOCATION};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

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
        app_client,
        app_keys::{self, Csr, SigningKey},
        app_secrets::{self, Secret},
        certificate,
        client::AuthMethod,
    },
};

/// A key as Okta shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyBody {
    kty: &'static str,
    created: String,
    #[serde(rename = "lastUpdated")]
    last_updated: String,
    #[serde(rename = "expiresAt")]
    expires_at: String,
    kid: SmolStr,
    r#use: &'static str,
    x5c: [String; 1],
    #[serde(rename = "x5t#S256")]
    thumbprint: String,
    e: &'static str,
    n: String,
}

impl KeyBody {
    /// A key whose certificate somebody else has signed.
    pub(super) fn published(kid: &str, certificate: &[u8], created: Timestamp, expires: Timestamp) -> Option<Self> {
        let (modulus, _) = certificate::rsa_key(certificate)?;
        let first = modulus.iter().position(|byte| *byte != 0)?;
        Some(Self {
            kty: "RSA",
            created: stamp(created),
            last_updated: stamp(created),
            expires_at: stamp(expires),
            kid: kid.into(),
            r#use: "sig",
            x5c: [STANDARD.encode(certificate)],
            thumbprint: certificate::thumbprint(certificate),
            e: "AQAB",
            n: URL_SAFE_NO_PAD.encode(&modulus[first..]),
        })
    }

    pub(super) fn new(key: &SigningKey) -> Self {
        Self {
            kty: "RSA",
            created: stamp(key.created),
            last_updated: stamp(key.created),
            expires_at: stamp(key.expires),
            kid: key.kid.clone(),
            r#use: "sig",
            x5c: [key.certificate.clone()],
            thumbprint: key.thumbprint.clone(),
            e: "AQAB",
            n: key.n.clone(),
        }
    }
}

/// `listApplicationKeys`: the key that signs is among them, also where it is the org's, as recorded.
pub fn list_keys(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<KeyBody>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let org = &cx.state.apps.key;
    let shared = app.kid.is_empty() || app.kid == org.kid;
    let keys = shared.then_some(org).into_iter().chain(&app.keys);
    Ok(Typed::ok(&keys.map(KeyBody::new).collect::<Vec<_>>()))
}

/// Arguments of operations on a key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichKey {
    app_id: String,
    key_id: String,
}

/// `getApplicationKey`.
pub fn get_key(cx: &Read<'_, Okta>, args: WhichKey) -> Result<Typed<KeyBody>, Error> {
    let app = find(cx.state, &args.app_id)?;
    app_keys::find(cx.state, &app, &args.key_id).map(|key| Typed::ok(&KeyBody::new(key)))
}

/// Arguments of `generateApplicationKey`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GenerateKey {
    app_id: String,
    validity_years: Option<u32>,
}

/// The answer to what made something below an app.
fn made<B: Serialize>(cx: &Write<'_, '_, Okta>, app: &App, path: &str, body: &B) -> Typed<B> {
    let url = format!("{}/api/v1/apps/{}/credentials/{path}", cx.scene.request.origin, app.id);
    Typed::ok(body).with_status(StatusCode::CREATED).with_header(LOCATION, url)
}

/// `generateApplicationKey`: for two years where nobody says.
pub fn generate_key(cx: &mut Write<'_, '_, Okta>, args: GenerateKey) -> Result<Typed<KeyBody>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let years = args.validity_years.unwrap_or(*app_keys::YEARS.start());
    let key = act(cx, |act| app_keys::generate(act, &app, years))?;
    Ok(made(cx, &app, &format!("keys/{}", key.kid), &KeyBody::new(&key)))
}

/// Arguments of `cloneApplicationKey`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloneKey {
    app_id: String,
    key_id: String,
    target_aid: String,
}

/// `cloneApplicationKey`.
pub fn clone_key(cx: &mut Write<'_, '_, Okta>, args: CloneKey) -> Result<Typed<KeyBody>, Error> {
    let (app, target) = (find(cx.state, &args.app_id)?, find(cx.state, &args.target_aid)?);
    let key = app_keys::find(cx.state, &app, &args.key_id)?.clone();
    act(cx, |act| {
        app_keys::add(act, &target, key.clone());
        Ok(())
    })?;
    Ok(made(cx, &target, &format!("keys/{}", key.kid), &KeyBody::new(&key)))
}

fn csr_body(app: &App, csr: &Csr, origin: &str) -> Value {
    let own = format!("{origin}/api/v1/apps/{}/credentials/csrs/{}", app.id, csr.id);
    let links = Links::new().hint("publish", format!("{own}/lifecycle/publish"), &["POST"]).hint(
        "self",
        own.clone(),
        &["GET", "DELETE"],
    );
    json!({ "id": csr.id, "created": stamp(csr.created), "csr": csr.csr, "kty": "RSA", "_links": links.0 })
}

/// `listCsrsForApplication`.
pub fn list_csrs(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let rows = app.csrs.iter().map(|csr| csr_body(&app, csr, &cx.scene.request.origin));
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

/// Arguments of `generateCsrForApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GenerateCsr {
    app_id: String,
    body: Map<String, Value>,
}

/// `generateCsrForApplication`.
pub fn generate_csr(cx: &mut Write<'_, '_, Okta>, args: GenerateCsr) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    fits(cx.scene, &args.body)?;
    let csr = act(cx, |act| Ok(app_keys::request(act, &app, &args.body)))?;
    let body = csr_body(&app, &csr, &cx.scene.request.origin);
    Ok(made(cx, &app, &format!("csrs/{}", csr.id), &body))
}

/// Arguments of operations on a certificate request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichCsr {
    app_id: String,
    csr_id: String,
}

/// `getCsrForApplication`.
pub fn get_csr(cx: &Read<'_, Okta>, args: WhichCsr) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let csr = app_keys::find_request(&app, &args.csr_id)?;
    Ok(Typed::ok(&csr_body(&app, csr, &cx.scene.request.origin)))
}

/// `revokeCsrFromApplication`.
pub fn revoke_csr(cx: &mut Write<'_, '_, Okta>, args: WhichCsr) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    act(cx, |act| app_keys::revoke(act, &app, &args.csr_id))?;
    Ok(no_content())
}

fn secret_body(app: &App, secret: &Secret, origin: &str) -> Value {
    let own = format!("{origin}/api/v1/apps/{}/credentials/secrets/{}", app.id, secret.id);
    let cycle = |verb: &str| format!("{own}/lifecycle/{verb}");
    let links = if secret.active {
        Links::new().hint("deactivate", cycle("deactivate"), &["POST"])
    } else {
        Links::new().hint("activate", cycle("activate"), &["POST"]).hint("delete", own.clone(), &["DELETE"])
    };
    json!({
        "id": secret.id,
        "created": stamp(secret.created),
        "lastUpdated": stamp(secret.last_updated),
        "status": if secret.active { "ACTIVE" } else { "INACTIVE" },
        "client_secret": secret.value,
        "secret_hash": secret.hash(),
        "_links": links.0,
    })
}

/// `listOAuth2ClientSecrets`.
pub fn list_secrets(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    app_secrets::check_client(&app)?;
    let rows = app.secrets.iter().map(|secret| secret_body(&app, secret, &cx.scene.request.origin));
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

/// A client secret in the body of a request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SecretInput {
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    status: Option<SecretStatus>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum SecretStatus {
    Active,
    Inactive,
}

/// Arguments of `createOAuth2ClientSecret`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateSecret {
    app_id: String,
    #[serde(default)]
    body: SecretInput,
}

/// The shortest client secret that a caller may bring.
const SECRET_MIN: usize = 14;
/// The longest.
const SECRET_MAX: usize = 100;
/// The shortest that signs.
const SECRET_SIGNS: usize = 32;

/// What is wrong with a client secret that a caller brings; nothing where it is good.
fn bad_secret(method: AuthMethod, value: &str) -> Option<&'static str> {
    let length = value.chars().count();
    Some(match method {
        AuthMethod::PrivateKeyJwt => {
            "'client_secret' can't be used when 'token_endpoint_auth_method' is 'private_key_jwt'."
        }
        _ if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
            "client_secret: 'client_secret' must only contain printable ASCII: [x20-x7E]+"
        }
        _ if length > SECRET_MAX => "client_secret: 'client_secret' can't be more than '100' characters long.",
        _ if length < SECRET_MIN => "client_secret: 'client_secret' must be at least '14' characters long.",
        AuthMethod::ClientSecretJwt if length < SECRET_SIGNS => {
            "client_secret: 'client_secret' must be at least '32' characters long when 'token_endpoint_auth_method' is \
             'client_secret_jwt'."
        }
        _ => return None,
    })
}

/// `createOAuth2ClientSecret`.
pub fn create_secret(cx: &mut Write<'_, '_, Okta>, args: CreateSecret) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let value = args.body.client_secret.as_deref();
    if let Some(cause) = value.and_then(|value| bad_secret(app_client::method(&app), value)) {
        return Err(Error::invalid("client_secret", cause));
    }
    let active = args.body.status != Some(SecretStatus::Inactive);
    let secret = act(cx, |act| app_client::add_secret(act, &app, value, active))?;
    let body = secret_body(&app, &secret, &cx.scene.request.origin);
    Ok(Typed::ok(&body).with_status(StatusCode::CREATED))
}

/// Arguments of operations on a client secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichSecret {
    app_id: String,
    secret_id: String,
}

/// `getOAuth2ClientSecret`.
pub fn get_secret(cx: &Read<'_, Okta>, args: WhichSecret) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let secret = app_secrets::find(&app, &args.secret_id)?;
    Ok(Typed::ok(&secret_body(&app, secret, &cx.scene.request.origin)))
}

/// `deleteOAuth2ClientSecret`.
pub fn delete_secret(cx: &mut Write<'_, '_, Okta>, args: WhichSecret) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    act(cx, |act| app_secrets::delete(act, &app, &args.secret_id))?;
    Ok(no_content())
}

fn switch(cx: &mut Write<'_, '_, Okta>, args: &WhichSecret, active: bool) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let switched = |act: &mut Act<'_, '_>| app_secrets::switch(act, &app, &args.secret_id, active);
    let secret = act(cx, switched)?;
    Ok(Typed::ok(&secret_body(&app, &secret, &cx.scene.request.origin)))
}

/// `activateOAuth2ClientSecret`.
pub fn activate_secret(cx: &mut Write<'_, '_, Okta>, args: WhichSecret) -> Result<Typed<Value>, Error> {
    switch(cx, &args, true)
}

/// `deactivateOAuth2ClientSecret`.
pub fn deactivate_secret(cx: &mut Write<'_, '_, Okta>, args: WhichSecret) -> Result<Typed<Value>, Error> {
    switch(cx, &args, false)
}
