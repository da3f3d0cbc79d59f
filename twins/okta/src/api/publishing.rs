//! Certificates that others have signed for requests of apps and identity providers.
//!
//! A published request is a key, and gone as a request. Who signed is not looked at.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationSSOCredentialKey/ and
//! developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProviderSigningKeys/.

use std::time::Duration;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use dtu_kernel::{
    operation::{Operation, Typed},
    time::Timestamp,
    twin::Write,
    wire::Request,
};
use http::{HeaderName, Method, StatusCode, header::LOCATION};
use schemars::JsonSchema;
use serde::Deserialize;
use smol_str::SmolStr;

use super::{act, app_credentials::KeyBody, apps, idp_keys};
use crate::{
    Okta,
    error::Error,
    model::{app_keys, certificate},
};

/// Operations whose bodies are certificates.
pub(crate) const PUBLISH: [&str; 2] = ["publishCsrFromApplication", "publishCsrForIdentityProvider"];
/// A certificate of an identity provider holds at least so long, by the public document.
const VALIDITY_MIN: Duration = Duration::from_secs(90 * 86_400);
const ENCODING: HeaderName = HeaderName::from_static("content-transfer-encoding");

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    let app = "/api/v1/apps/{appId}/credentials/csrs/{csrId}/lifecycle/publish";
    let idp = "/api/v1/idps/{idpId}/credentials/csrs/{idpCsrId}/lifecycle/publish";
    vec![
        Operation::write(PUBLISH[0], &[Method::POST], app, of_app).limit("apps"),
        Operation::write(PUBLISH[1], &[Method::POST], idp, of_provider).limit("other"),
    ]
}

fn bad(why: &str) -> Error {
    Error::invalid("certificate", format!("certificate: {why}"))
}

/// The certificate of a body, in DER: PEM, or DER as it is or in base64.
fn sent(request: &Request) -> Result<Vec<u8>, Error> {
    let body = &request.body;
    let found = match request.media_type().as_str() {
        "" => return Err(Error::NoMediaType),
        "application/x-pem-file" => certificate::pem(body, "CERTIFICATE"),
        "application/pkix-cert" | "application/x-x509-ca-cert" => match request.header(ENCODING) {
            None => Some(body.to_vec()),
            Some(encoding) if encoding.eq_ignore_ascii_case("base64") => decoded(body),
            Some(_) => None,
        },
        _ => return Err(Error::MediaType),
    };
    found.filter(|der| certificate::rsa_key(der).is_some()).ok_or_else(|| bad("The certificate cannot be read"))
}

/// Base64 of either alphabet, with or without padding and line breaks.
fn decoded(body: &[u8]) -> Option<Vec<u8>> {
    let text: String = std::str::from_utf8(body).ok()?.split_ascii_whitespace().collect();
    let text = text.trim_end_matches('=');
    if text.contains(['-', '_']) { URL_SAFE_NO_PAD.decode(text).ok() } else { STANDARD_NO_PAD.decode(text).ok() }
}

/// Until when a certificate for the key of this id holds.
///
/// # Errors
/// It is for another key, or does not hold now.
fn checked(der: &[u8], kid: &str, now: Timestamp) -> Result<(Timestamp, Duration), Error> {
    let (modulus, exponent) = certificate::rsa_key(der).unwrap_or_default();
    let start = modulus.iter().position(|byte| *byte != 0).unwrap_or_default();
    if exponent != [1, 0, 1] || app_keys::kid(&modulus[start..]) != kid {
        return Err(bad("The certificate does not match the CSR"));
    }
    let (from, until) = certificate::validity(der).ok_or_else(|| bad("The certificate cannot be read"))?;
    if until <= now || from > now {
        return Err(bad("The certificate is not valid now"));
    }
    Ok((until, until.since(now)))
}

/// Arguments of `publishCsrFromApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfApp {
    app_id: String,
    csr_id: String,
}

fn of_app(cx: &mut Write<'_, '_, Okta>, args: OfApp) -> Result<Typed<KeyBody>, Error> {
    let app = apps::find(cx.state, &args.app_id)?;
    let csr = app_keys::find_request(&app, &args.csr_id)?.clone();
    let der = sent(cx.scene.request)?;
    let (until, _) = checked(&der, &csr.id, cx.scene.now)?;
    let key = act(cx, |act| Ok(app_keys::publish(act, &app, &csr, &der, until)))?;
    let url = format!("{}/api/v1/apps/{}/credentials/keys/{}", cx.scene.request.origin, app.id, key.kid);
    Ok(Typed::ok(&KeyBody::new(&key)).with_status(StatusCode::CREATED).with_header(LOCATION, url))
}

/// Arguments of `publishCsrForIdentityProvider`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfProvider {
    idp_id: SmolStr,
    idp_csr_id: SmolStr,
}

fn of_provider(cx: &mut Write<'_, '_, Okta>, args: OfProvider) -> Result<Typed<KeyBody>, Error> {
    idp_keys::check_csr(cx.state, &args.idp_id, &args.idp_csr_id)?;
    let der = sent(cx.scene.request)?;
    let (until, left) = checked(&der, &args.idp_csr_id, cx.scene.now)?;
    if left < VALIDITY_MIN {
        return Err(bad("The certificate must be valid for at least 90 days"));
    }
    let key = KeyBody::published(&args.idp_csr_id, &der, cx.scene.now, until).ok_or(Error::Malformed)?;
    idp_keys::keep_published(cx, &args.idp_id, &args.idp_csr_id, &key)?;
    let url = format!("{}/api/v1/idps/{}/credentials/keys/{}", cx.scene.request.origin, args.idp_id, args.idp_csr_id);
    Ok(Typed::ok(&key).with_status(StatusCode::CREATED).with_header(LOCATION, url))
}
