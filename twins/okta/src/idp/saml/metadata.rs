//! The document from which a provider learns where its responses go (SAML 2.0's metadata, section 2.4.4).

use dtu_kernel::{operation::Typed, twin::Read, wire::Answer};

use super::{name_format, path, request};
use crate::{
    Okta,
    error::Error,
    idp::provider::{Protocol, Provider},
    oauth::form::Form,
    saml::{
        sign::key_info,
        xml::{DS, Element, MD},
    },
};

/// `GET /api/v1/idps/{idpId}/metadata.xml`: for everybody.
pub(in crate::idp) fn show(cx: &Read<'_, Okta>, _: Form) -> Result<Typed<()>, Error> {
    let id = cx.scene.request.path_param("idpId");
    let provider = Provider::active(cx.state, id).filter(|one| one.protocol() == Some(Protocol::Saml2));
    let provider = provider.ok_or_else(|| Error::not_found(id, "IdpTrust"))?;
    let signs = request::signs(&provider);
    let key = signs.then(|| key_info(&request::key(cx.state, &provider)).declaring(DS));
    let key = key.map(|info| Element::new("md:KeyDescriptor").with("use", "signing").holding(info));
    let service = Element::new("md:AssertionConsumerService")
        .with("Binding", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST")
        .with("Location", format!("{}{}", cx.scene.request.origin, path(&provider.id)))
        .with("index", "0")
        .with("isDefault", "true");
    let role = Element::new("md:SPSSODescriptor")
        .with("AuthnRequestsSigned", if signs { "true" } else { "false" })
        .with("WantAssertionsSigned", "true")
        .with("protocolSupportEnumeration", "urn:oasis:names:tc:SAML:2.0:protocol")
        .holding_all(key)
        .holding(Element::new("md:NameIDFormat").saying(name_format(&provider)))
        .holding(service);
    let document =
        Element::new("md:EntityDescriptor").declaring(MD).with("entityID", provider.audience()).holding(role);
    Ok(Typed::from_answer(Answer::text("application/xml", document.document())))
}
