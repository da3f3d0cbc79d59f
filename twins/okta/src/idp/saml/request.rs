//! The request with which somebody is sent to a provider (SAML 2.0's core, section 3.4; its bindings, 3.4 and 3.5).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::wire::Answer;
use form_urlencoded::Serializer;
use miniz_oxide::deflate::compress_to_vec;
use smol_str::SmolStr;

use super::{name_format, path};
use crate::{
    idp::{Refused, exchange, provider::Provider, start},
    model::{Act, SITE, State, app_keys::SigningKey, rsa_key::Hash},
    oauth::page,
    resources::PROVIDERS,
    saml::{
        sign::{Signer, signature_uri},
        xml::{Element, SAML2, SAML2P},
    },
};

/// How hard requests are deflated.
const LEVEL: u8 = 6;

/// The answer that takes somebody to a provider.
///
/// # Errors
/// A provider that says nothing of where that is.
pub(in crate::idp) fn send(act: &mut Act<'_, '_>, provider: &Provider, next: &str) -> Result<Answer, Refused> {
    let address = provider.text("/protocol/endpoints/sso/url").to_owned();
    if address.is_empty() {
        return Err(Refused::new("Unable to resolve IdP endpoint"));
    }
    let id = format!("id{}", act.tx.draw(SITE.child("authn request")).text(b"0123456789", 20));
    let relay_state = start::keep(act, provider, next, &id, "");
    let request = request(act, provider, &address, &id);
    let key = signs(provider).then(|| key(act.state, provider));
    let hash = if provider.text("/protocol/algorithms/request/signature/algorithm") == "SHA-1" {
        Hash::Sha1
    } else {
        Hash::Sha256
    };
    if provider.text("/protocol/endpoints/sso/binding") == "HTTP-POST" {
        let xml = match &key {
            Some(key) => Signer { key, signature: hash, digest: hash }.sign(request, &id).document(),
            None => request.document(),
        };
        let fields = [("SAMLRequest".to_owned(), STANDARD.encode(xml)), ("RelayState".to_owned(), relay_state)];
        return Ok(page::form_post(&address, &fields));
    }
    let deflated = STANDARD.encode(compress_to_vec(request.document().as_bytes(), LEVEL));
    let mut query = Serializer::new(String::new());
    query.append_pair("SAMLRequest", &deflated).append_pair("RelayState", &relay_state);
    if let Some(key) = &key {
        query.append_pair("SigAlg", signature_uri(hash));
        let text = query.finish();
        let signature = STANDARD.encode(key.key.sign(hash, text.as_bytes()));
        query = Serializer::new(text);
        query.append_pair("Signature", &signature);
    }
    let mark = if address.contains('?') { '&' } else { '?' };
    Ok(page::redirect(&format!("{address}{mark}{}", query.finish())))
}

/// Whether requests are signed.
pub(super) fn signs(provider: &Provider) -> bool {
    provider.text("/protocol/algorithms/request/signature/scope") == "REQUEST"
}

fn request(act: &Act<'_, '_>, provider: &Provider, address: &str, id: &str) -> Element {
    let destination = match provider.text("/protocol/endpoints/sso/destination") {
        "" => address,
        destination => destination,
    };
    let policy = Element::new("saml2p:NameIDPolicy").with("Format", name_format(provider));
    Element::new("saml2p:AuthnRequest")
        .declaring(SAML2P)
        .with("AssertionConsumerServiceURL", format!("{}{}", act.tx.origin, path(&provider.id)))
        .with("Destination", destination)
        .with("ForceAuthn", "false")
        .with("ID", id)
        .with("IssueInstant", act.tx.now.iso_millis())
        .with("ProtocolBinding", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST")
        .with("Version", "2.0")
        .holding(Element::new("saml2:Issuer").declaring(SAML2).saying(provider.audience()))
        .holding(policy)
}

/// The key with which Okta signs for a provider: its own where it has one, or else the org's.
pub(super) fn key(state: &State, provider: &Provider) -> SigningKey {
    let org = || state.apps.key.clone();
    let Some((kid, key)) = exchange::signing_key(state, provider) else { return org() };
    let place = format!("{PROVIDERS}/{}/credentials/keys", provider.id);
    let row = state.objects.member(&place, &kid);
    let certificate = row.and_then(|row| row.get("x5c")?.as_array()?.first()?.as_str().map(str::to_owned));
    let thumbprint = row.and_then(|row| row.get("x5t#S256")?.as_str().map(str::to_owned)).unwrap_or_default();
    let n = row.and_then(|row| row.get("n")?.as_str().map(str::to_owned)).unwrap_or_default();
    certificate.map_or_else(org, |certificate| SigningKey {
        kid: SmolStr::new(&kid),
        n,
        certificate,
        thumbprint,
        key,
        ..org()
    })
}
