//! Signatures of providers (www.w3.org/TR/xmldsig-core/), as far as SAML allows them: enveloped, over one element.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::tree::Element;
use crate::{
    model::rsa_key::{self, Hash},
    saml::xml::{DS, EC},
};

/// Keys that a provider signs with, each by modulus and exponent, and the weakest hash that is taken.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    /// The keys.
    pub(super) keys: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether SHA-1 is taken.
    pub(super) old: bool,
}

const UNSUPPORTED: &str = "its signature is made in a way that is not supported";

/// Whether an element of a document is signed by one of the keys; false where it has no signature of its own.
///
/// # Errors
/// A signature that does not hold, or that is made in another way than SAML's core has it (section 5.4).
pub(super) fn is_signed(document: &Element, element: &Element, trust: &Trust) -> Result<bool, &'static str> {
    let mut own = element.all(DS.1, "Signature");
    let Some(signature) = own.next() else { return Ok(false) };
    if own.next().is_some() {
        return Err("it has two signatures");
    }
    check_ids(document)?;
    let info = signature.child(DS.1, "SignedInfo").ok_or(UNSUPPORTED)?;
    check_reference(info, element, signature, trust)?;
    let (prefixes, method) = (canonical(info)?, algorithm(info.child(DS.1, "SignatureMethod")));
    let hash = hash(method, trust)?;
    let value = decoded(signature.child(DS.1, "SignatureValue"))?;
    let bytes = info.canonical(None, &prefixes.iter().map(String::as_str).collect::<Vec<_>>());
    let good = |(n, e): &(Vec<u8>, Vec<u8>)| rsa_key::verifies(n, e, hash, bytes.as_bytes(), &value);
    if trust.keys.iter().any(good) { Ok(true) } else { Err("its signature does not hold") }
}

/// No two elements have the same id: a signature is of one of them.
fn check_ids(document: &Element) -> Result<(), &'static str> {
    let mut seen = BTreeSet::new();
    let mut ids = document.whole().into_iter().filter_map(|element| element.get("ID"));
    if ids.all(|id| seen.insert(id)) { Ok(()) } else { Err("two of its elements have the same id") }
}

fn algorithm(element: Option<&Element>) -> &str {
    element.and_then(|element| element.get("Algorithm")).unwrap_or_default()
}

fn hash(name: &str, trust: &Trust) -> Result<Hash, &'static str> {
    match name {
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" | "http://www.w3.org/2001/04/xmlenc#sha256" => {
            Ok(Hash::Sha256)
        }
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1" | "http://www.w3.org/2000/09/xmldsig#sha1" if trust.old => {
            Ok(Hash::Sha1)
        }
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1" | "http://www.w3.org/2000/09/xmldsig#sha1" => {
            Err("its signature is weaker than the provider's settings want")
        }
        _ => Err(UNSUPPORTED),
    }
}

/// The prefixes that a canonical form keeps, of an element that says which form it is.
fn canonical(info: &Element) -> Result<Vec<String>, &'static str> {
    let method = info.child(DS.1, "CanonicalizationMethod").ok_or(UNSUPPORTED)?;
    if algorithm(Some(method)) == EC.1 { Ok(listed(method)) } else { Err(UNSUPPORTED) }
}

fn listed(method: &Element) -> Vec<String> {
    let list = method.child(EC.1, "InclusiveNamespaces").and_then(|list| list.get("PrefixList")).unwrap_or_default();
    list.split_whitespace().map(str::to_owned).collect()
}

/// The one reference is to the element that the signature stands in, and its hash is right.
fn check_reference(info: &Element, element: &Element, signature: &Element, trust: &Trust) -> Result<(), &'static str> {
    let mut all = info.all(DS.1, "Reference");
    let reference = all.next().filter(|_| all.next().is_none()).ok_or(UNSUPPORTED)?;
    let id = element.get("ID").filter(|id| !id.is_empty()).ok_or(UNSUPPORTED)?;
    if reference.get("URI").and_then(|uri| uri.strip_prefix('#')) != Some(id) {
        return Err("its signature is of something else");
    }
    let mut prefixes = Vec::new();
    let (mut enveloped, mut exclusive) = (false, false);
    for transform in reference.child(DS.1, "Transforms").into_iter().flat_map(Element::children) {
        match algorithm(Some(transform)) {
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature" => enveloped = true,
            uri if uri == EC.1 => (exclusive, prefixes) = (true, listed(transform)),
            _ => return Err(UNSUPPORTED),
        }
    }
    if !enveloped || !exclusive {
        return Err(UNSUPPORTED);
    }
    let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    let hash = hash(algorithm(reference.child(DS.1, "DigestMethod")), trust)?;
    let wanted = decoded(reference.child(DS.1, "DigestValue"))?;
    let digest = hash.of(element.canonical(Some(signature), &prefixes).as_bytes());
    if digest == wanted { Ok(()) } else { Err("it was changed after it was signed") }
}

fn decoded(element: Option<&Element>) -> Result<Vec<u8>, &'static str> {
    let text = element.map(Element::text).unwrap_or_default();
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(plain).map_err(|_| UNSUPPORTED)
}
