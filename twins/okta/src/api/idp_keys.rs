//! Keys that Okta signs with towards an identity provider, and requests for certificates.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProviderSigningKeys/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode, header::LOCATION};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{act, app_credentials::KeyBody, no_content};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{
        Act, State,
        app_keys::{self, Csr, YEARS},
        event_type::{IDP_KEY_CREATE, IDP_KEY_DELETE},
    },
    policy::Members,
    resources::{self, PROVIDERS},
};

/// The rows of the table.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const KEYS: &str = "/api/v1/idps/{idpId}/credentials/keys";
    const KEY: &str = "/api/v1/idps/{idpId}/credentials/keys/{kid}";
    const CSRS: &str = "/api/v1/idps/{idpId}/credentials/csrs";
    const CSR: &str = "/api/v1/idps/{idpId}/credentials/csrs/{idpCsrId}";
    let active = "/api/v1/idps/{idpId}/credentials/keys/active";
    let generate = "/api/v1/idps/{idpId}/credentials/keys/generate";
    let clone = "/api/v1/idps/{idpId}/credentials/keys/{kid}/clone";
    vec![
        Operation::read("listIdentityProviderSigningKeys", GET, KEYS, list).limit("other"),
        Operation::read("listActiveIdentityProviderSigningKey", GET, active, list_active).limit("other"),
        Operation::write("generateIdentityProviderSigningKey", POST, generate, generate_key).limit("other"),
        Operation::read("getIdentityProviderSigningKey", GET, KEY, get).limit("other"),
        Operation::write("cloneIdentityProviderKey", POST, clone, clone_key).limit("other"),
        Operation::read("listCsrsForIdentityProvider", GET, CSRS, list_csrs).limit("other"),
        Operation::write("generateCsrForIdentityProvider", POST, CSRS, generate_csr).limit("other"),
        Operation::read("getCsrForIdentityProvider", GET, CSR, get_csr).limit("other"),
        Operation::write("revokeCsrForIdentityProvider", &[Method::DELETE], CSR, revoke_csr).limit("other"),
    ]
}

/// An identity provider by id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfProvider {
    idp_id: SmolStr,
}

/// A key of an identity provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichKey {
    idp_id: SmolStr,
    kid: SmolStr,
}

/// Arguments of `generateIdentityProviderSigningKey`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GenerateKey {
    idp_id: SmolStr,
    validity_years: u32,
}

/// Arguments of `cloneIdentityProviderKey`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloneKey {
    idp_id: SmolStr,
    kid: SmolStr,
    target_idp_id: SmolStr,
}

/// Arguments of `generateCsrForIdentityProvider`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GenerateCsr {
    idp_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

/// A request for a certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichCsr {
    idp_id: SmolStr,
    idp_csr_id: SmolStr,
}

fn provider<'a>(state: &'a State, id: &str) -> Result<&'a Members, Error> {
    state.objects.member(PROVIDERS, id).ok_or_else(|| Error::not_found(id, "IdpTrust"))
}

fn keys_of(id: &str) -> String {
    format!("{PROVIDERS}/{id}/credentials/keys")
}

fn csrs_of(id: &str) -> String {
    format!("{PROVIDERS}/{id}/credentials/csrs")
}

fn all(state: &State, place: &str) -> Vec<Value> {
    state.objects.members(place).map(|(_, members)| Value::Object(members.clone())).collect()
}

/// `listIdentityProviderSigningKeys`.
pub fn list(cx: &Read<'_, Okta>, args: OfProvider) -> Result<Typed<Vec<Value>>, Error> {
    provider(cx.state, &args.idp_id)?;
    Ok(Typed::ok(&all(cx.state, &keys_of(&args.idp_id))))
}

/// `listActiveIdentityProviderSigningKey`: the key that the provider's protocol names.
pub fn list_active(cx: &Read<'_, Okta>, args: OfProvider) -> Result<Typed<Vec<Value>>, Error> {
    let found = provider(cx.state, &args.idp_id)?;
    let kid = found.get("protocol").and_then(|protocol| protocol.pointer("/credentials/signing/kid")?.as_str());
    let mut keys = all(cx.state, &keys_of(&args.idp_id));
    keys.retain(|key| key["kid"].as_str() == kid && kid.is_some());
    Ok(Typed::ok(&keys))
}

fn find_key(state: &State, id: &str, kid: &str) -> Result<Members, Error> {
    provider(state, id)?;
    state.objects.member(&keys_of(id), kid).cloned().ok_or_else(|| Error::not_found(kid, "IdpTrust"))
}

/// `getIdentityProviderSigningKey`.
pub fn get(cx: &Read<'_, Okta>, args: WhichKey) -> Result<Typed<Value>, Error> {
    find_key(cx.state, &args.idp_id, &args.kid).map(|key| Typed::ok(&Value::Object(key)))
}

/// The answer to what made something.
fn made(members: &Members, address: String) -> Typed<Value> {
    let body = Value::Object(members.clone());
    Typed::ok(&body).with_status(StatusCode::CREATED).with_header(LOCATION, address)
}

/// `generateIdentityProviderSigningKey`: the answer's status is recorded, the document has another.
pub fn generate_key(cx: &mut Write<'_, '_, Okta>, args: GenerateKey) -> Result<Typed<Value>, Error> {
    provider(cx.state, &args.idp_id)?;
    if !YEARS.contains(&args.validity_years) {
        return Err(Error::invalid("validityYears", "validityYears: must be between 2 and 10"));
    }
    let place = keys_of(&args.idp_id);
    let key = act(cx, |act| {
        let subject = app_keys::org_name(act);
        let key = app_keys::draw(act, &subject, args.validity_years);
        let Ok(Value::Object(members)) = serde_json::to_value(KeyBody::new(&key)) else { return Ok(Members::new()) };
        act.state.objects.keep(&mut act.tx.changes, &place, &key.kid, members.clone());
        log(act, &IDP_KEY_CREATE, &args.idp_id);
        Ok(members)
    })?;
    let kid = key.get("kid").and_then(Value::as_str).unwrap_or_default();
    Ok(made(&key, format!("{}{place}/{kid}", cx.scene.request.origin)))
}

fn log(act: &mut Act<'_, '_>, event: &'static crate::model::event_type::EventType, id: &str) {
    let target = resources::party("IdentityProvider", id, act.state.objects.member(PROVIDERS, id));
    act.log(event, vec![target]);
}

/// `cloneIdentityProviderKey`: another provider has the key as well.
pub fn clone_key(cx: &mut Write<'_, '_, Okta>, args: CloneKey) -> Result<Typed<Value>, Error> {
    let key = find_key(cx.state, &args.idp_id, &args.kid)?;
    provider(cx.state, &args.target_idp_id)?;
    let place = keys_of(&args.target_idp_id);
    act(cx, |act| {
        act.state.objects.keep(&mut act.tx.changes, &place, &args.kid, key.clone());
        log(act, &IDP_KEY_CREATE, &args.target_idp_id);
        Ok(())
    })?;
    Ok(made(&key, format!("{}{place}/{}", cx.scene.request.origin, args.kid)))
}

/// A request as it is shown.
fn shown(mut members: Members, address: &str) -> Members {
    let links = json!({
        "self": { "href": address, "hints": { "allow": ["GET", "DELETE"] } },
        "publish": { "href": format!("{address}/lifecycle/publish"), "hints": { "allow": ["POST"] } },
    });
    members.insert("_links".to_owned(), links);
    members
}

fn body(csr: &Csr) -> Members {
    let body = json!({ "id": csr.id, "created": super::stamp(csr.created), "csr": csr.csr, "kty": "RSA" });
    body.as_object().cloned().unwrap_or_default()
}

/// `generateCsrForIdentityProvider`.
pub fn generate_csr(cx: &mut Write<'_, '_, Okta>, args: GenerateCsr) -> Result<Typed<Value>, Error> {
    provider(cx.state, &args.idp_id)?;
    let place = csrs_of(&args.idp_id);
    let csr = act(cx, |act| {
        let csr = app_keys::draw_request(act, &args.body);
        act.state.objects.keep(&mut act.tx.changes, &place, &csr.id, body(&csr));
        Ok(csr)
    })?;
    let address = format!("{}{place}/{}", cx.scene.request.origin, csr.id);
    Ok(made(&shown(body(&csr), &address), address))
}

/// `listCsrsForIdentityProvider`.
pub fn list_csrs(cx: &Read<'_, Okta>, args: OfProvider) -> Result<Typed<Vec<Value>>, Error> {
    provider(cx.state, &args.idp_id)?;
    let place = csrs_of(&args.idp_id);
    let address = |id: &str| format!("{}{place}/{id}", cx.scene.request.origin);
    let rows = cx.state.objects.members(&place).map(|(id, csr)| Value::Object(shown(csr.clone(), &address(id))));
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

fn find_csr(state: &State, args: &WhichCsr) -> Result<Members, Error> {
    provider(state, &args.idp_id)?;
    let found = state.objects.member(&csrs_of(&args.idp_id), &args.idp_csr_id).cloned();
    found.ok_or_else(|| Error::not_found(&args.idp_csr_id, "CertificateSigningRequest"))
}

/// `getCsrForIdentityProvider`.
pub fn get_csr(cx: &Read<'_, Okta>, args: WhichCsr) -> Result<Typed<Value>, Error> {
    let csr = find_csr(cx.state, &args)?;
    let address = format!("{}{}/{}", cx.scene.request.origin, csrs_of(&args.idp_id), args.idp_csr_id);
    Ok(Typed::ok(&Value::Object(shown(csr, &address))))
}

/// `revokeCsrForIdentityProvider`.
pub fn revoke_csr(cx: &mut Write<'_, '_, Okta>, args: WhichCsr) -> Result<Typed<()>, Error> {
    find_csr(cx.state, &args)?;
    act(cx, |act| {
        act.state.objects.forget(&mut act.tx.changes, &csrs_of(&args.idp_id), &args.idp_csr_id);
        log(act, &IDP_KEY_DELETE, &args.idp_id);
        Ok(no_content())
    })
}

/// Whether a provider has a request.
///
/// # Errors
/// A provider or a request that there is not.
pub(super) fn check_csr(state: &State, idp: &str, csr: &str) -> Result<(), Error> {
    find_csr(state, &WhichCsr { idp_id: idp.into(), idp_csr_id: csr.into() }).map(drop)
}

/// Keeps a key that was made of a request, which is gone with it.
pub(super) fn keep_published(cx: &mut Write<'_, '_, Okta>, idp: &str, csr: &str, key: &KeyBody) -> Result<(), Error> {
    let Ok(Value::Object(members)) = serde_json::to_value(key) else { return Err(Error::Malformed) };
    act(cx, |act| {
        act.state.objects.forget(&mut act.tx.changes, &csrs_of(idp), csr);
        act.state.objects.keep(&mut act.tx.changes, &keys_of(idp), csr, members);
        log(act, &IDP_KEY_CREATE, idp);
        Ok(())
    })
}
