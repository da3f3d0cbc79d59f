//! Signatures of others (www.w3.org/TR/xmldsig-core/), as far as SAML allows them (its core, section 5.4): enveloped,
//! over one whole element. What is signed here itself: see [`super::sign`].

use std::{collections::BTreeSet, ptr};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    sign::{digest_uri, signature_uri},
    tree::Element,
    xml::{DS, EC},
};
use crate::model::rsa_key::{self, Hash};

/// The keys by which somebody is believed, and the weakest hash that is taken.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// The keys, each by modulus and exponent.
    pub(crate) keys: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether SHA-1 is taken.
    pub(crate) old: bool,
}

/// Why an element does not count as signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It has no signature of its own.
    Unsigned,
    /// Its signature is made in a way that is not supported.
    Unsupported,
    /// Its signature is made with a weaker hash than is taken.
    Weak,
    /// Its signature is wrong: why, for people.
    Invalid(&'static str),
}

/// How signatures that are not put together as SAML has it are called.
const UNLIKE: Flaw = Flaw::Invalid("its signature lacks a part or has one twice");
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// Checks that an element of a document is signed as a whole by one of the keys.
///
/// # Errors
/// Elements without a signature of their own, and signatures that do not hold or are made in another way.
pub(crate) fn check(document: &Element, element: &Element, trust: &Trust) -> Result<(), Flaw> {
    let mut own = element.all(DS.1, "Signature");
    let signature = own.next().ok_or(Flaw::Unsigned)?;
    if own.next().is_some() {
        return Err(Flaw::Invalid("it has two signatures"));
    }
    check_ids(document)?;
    let info = only(signature, "SignedInfo")?;
    let reference = only(info, "Reference")?;
    if !is_about(reference, document, element) {
        return Err(Flaw::Invalid("its signature is of something else"));
    }
    check_digest(reference, element, signature, trust)?;
    let prefixes = kept(only(info, "CanonicalizationMethod")?)?;
    let hash = taken(hash_of_signature(algorithm(only(info, "SignatureMethod")?)), trust)?;
    let (value, bytes) = (decoded(&only(signature, "SignatureValue")?.text()), info.canonical(None, &prefixes));
    let good = |(n, e): &(Vec<u8>, Vec<u8>)| rsa_key::verifies(n, e, hash, bytes.as_bytes(), &value);
    if trust.keys.iter().any(good) { Ok(()) } else { Err(Flaw::Invalid("its signature does not hold")) }
}

/// No two elements have the same id: a signature is of one of them.
fn check_ids(document: &Element) -> Result<(), Flaw> {
    let mut seen = BTreeSet::new();
    let mut ids = document.whole().into_iter().filter_map(|element| element.get("ID"));
    if ids.all(|id| seen.insert(id)) { Ok(()) } else { Err(Flaw::Invalid("two of its elements have the same id")) }
}

/// The one part of a signature's part that has a name.
fn only<'e>(element: &'e Element, local: &'e str) -> Result<&'e Element, Flaw> {
    let mut all = element.all(DS.1, local);
    all.next().filter(|_| all.next().is_none()).ok_or(UNLIKE)
}

/// Whether a reference is to the element that the signature stands in, by its id, or as all of the document.
fn is_about(reference: &Element, document: &Element, element: &Element) -> bool {
    match (reference.get("URI"), element.get("ID").filter(|id| !id.is_empty())) {
        (Some("") | None, _) => ptr::eq(document, element),
        (Some(uri), Some(id)) => uri.strip_prefix('#') == Some(id),
        (Some(_), None) => false,
    }
}

/// The hash that a reference names is that of the element without its signature.
fn check_digest(reference: &Element, element: &Element, signature: &Element, trust: &Trust) -> Result<(), Flaw> {
    let (mut enveloped, mut prefixes) = (false, None);
    for transform in only(reference, "Transforms")?.children() {
        match algorithm(transform) {
            ENVELOPED => enveloped = true,
            _ => prefixes = Some(kept(transform)?),
        }
    }
    let prefixes = prefixes.filter(|_| enveloped).ok_or(Flaw::Unsupported)?;
    let hash = taken(hash_of_digest(algorithm(only(reference, "DigestMethod")?)), trust)?;
    let wanted = decoded(&only(reference, "DigestValue")?.text());
    let found = hash.of(element.canonical(Some(signature), &prefixes).as_bytes());
    if found == wanted { Ok(()) } else { Err(Flaw::Invalid("it was changed after it was signed")) }
}

fn algorithm(element: &Element) -> &str {
    element.get("Algorithm").unwrap_or_default()
}

/// The prefixes that the canonical form keeps, of an element that says which form it is.
fn kept(method: &Element) -> Result<Vec<&str>, Flaw> {
    if algorithm(method) != EC.1 {
        return Err(Flaw::Unsupported);
    }
    let list = method.child(EC.1, "InclusiveNamespaces").and_then(|list| list.get("PrefixList")).unwrap_or_default();
    Ok(list.split_ascii_whitespace().collect())
}

fn taken(hash: Option<Hash>, trust: &Trust) -> Result<Hash, Flaw> {
    match hash.ok_or(Flaw::Unsupported)? {
        Hash::Sha1 if !trust.old => Err(Flaw::Weak),
        hash => Ok(hash),
    }
}

/// The hash of a signature's algorithm, by its name; none where it is not supported.
pub(super) fn hash_of_signature(uri: &str) -> Option<Hash> {
    [Hash::Sha256, Hash::Sha1].into_iter().find(|hash| signature_uri(*hash) == uri)
}

fn hash_of_digest(uri: &str) -> Option<Hash> {
    [Hash::Sha256, Hash::Sha1].into_iter().find(|hash| digest_uri(*hash) == uri)
}

/// The bytes of a text in base64, which may stand in lines; no bytes where it is none, which no signature is made of.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(plain).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use dtu_kernel::{
        seed::{SeedTree, Site},
        time::Timestamp,
    };

    use super::*;
    use crate::{
        model::{app_keys::SigningKey, rsa_key::RsaKey},
        saml::{sign::Signer, xml},
    };

    fn key(seed: u64) -> SigningKey {
        let (text, when) = (String::new, Timestamp::parse("2030-01-01T00:00:00Z").expect("is a time"));
        let key = RsaKey::draw(&mut SeedTree::new(seed).draw(Site::named("key"), 0));
        let (n, certificate, thumbprint) = (text(), text(), text());
        SigningKey { kid: "k".into(), created: when, expires: when, n, certificate, thumbprint, key }
    }

    /// A document that holds a signed part, and more beside it.
    fn document(signature: Hash, digest: Hash) -> String {
        let part = xml::Element::new("part").with("ID", "p1").holding(xml::Element::new("name").saying("lena"));
        let signed = Signer { key: &key(1), signature, digest }.sign(part, "p1");
        let beside = xml::Element::new("other").with("ID", "p2");
        xml::Element::new("all").with("ID", "a1").holding(signed).holding(beside).canonical()
    }

    #[test]
    fn signatures_hold_or_have_a_flaw() {
        let good = document(Hash::Sha256, Hash::Sha256);
        let check_with = |xml: &str, signer: u64, old: bool, wanted: Result<(), &str>| {
            let trust = Trust { keys: vec![(key(signer).key.modulus(), vec![1, 0, 1])], old };
            let document = Element::read(xml).expect("is a document");
            let part = document.child("", "part").expect("has a part");
            let found = check(&document, part, &trust).map_err(|flaw| match flaw {
                Flaw::Invalid(why) => why.to_owned(),
                other => format!("{other:?}"),
            });
            assert_eq!(found, wanted.map_err(str::to_owned), "{xml}");
        };
        check_with(&good, 1, false, Ok(()));
        check_with(&good, 2, false, Err("its signature does not hold"));
        for (signature, digest) in [(Hash::Sha1, Hash::Sha256), (Hash::Sha256, Hash::Sha1)] {
            check_with(&document(signature, digest), 1, false, Err("Weak"));
            check_with(&document(signature, digest), 1, true, Ok(()));
        }
        let check = |from: &str, to: &str, wanted: Result<(), &str>| {
            assert!(good.contains(from), "{from}");
            check_with(&good.replace(from, to), 1, false, wanted);
        };
        check("<other", "<other b=\"c\"", Ok(()));
        check("lena", "le<!-- x -->na", Ok(()));
        check("lena", "dana", Err("it was changed after it was signed"));
        check("#p1", "#p2", Err("its signature is of something else"));
        check("#p1", "", Err("its signature is of something else"));
        check("\"p2\"", "\"p1\"", Err("two of its elements have the same id"));
        check(
            "</part>",
            "<d:Signature xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\"/></part>",
            Err("it has two signatures"),
        );
        check("09/xmldsig#\"", "09/other#\"", Err("Unsigned"));
        check("xmldsig-more#rsa-sha256", "xmldsig-more#rsa-sha512", Err("Unsupported"));
        // The names of hashes are no names of signatures.
        check("2001/04/xmldsig-more#rsa-sha256", "2001/04/xmlenc#sha256", Err("Unsupported"));
        check("xmlenc#sha256", "xmlenc#sha512", Err("Unsupported"));
        check("#enveloped-signature", "#base64", Err("Unsupported"));
        check("Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"", "Algorithm=\"x\"", Err("Unsupported"));
        let twice = "its signature lacks a part or has one twice";
        check("<ds:DigestValue>", "<ds:DigestValue/><ds:DigestValue>", Err(twice));
        check("ds:SignedInfo", "ds:Other", Err(twice));
    }

    #[test]
    fn a_reference_may_be_to_the_whole_document() {
        let xml = document(Hash::Sha256, Hash::Sha256);
        let part = &xml[xml.find("<part").expect("starts")..xml.find("<other").expect("ends")];
        let trust = Trust { keys: vec![(key(1).key.modulus(), vec![1, 0, 1])], old: false };
        let check = |xml: &str| {
            let root = Element::read(xml).expect("is a document");
            check(&root, &root, &trust)
        };
        assert_eq!(check(part), Ok(()));
        // What the reference says is signed as well.
        let whole = check(&part.replace("#p1", ""));
        assert_eq!(whole, Err(Flaw::Invalid("its signature does not hold")));
        assert_eq!(check(&part.replace("#p1", "#")), Err(Flaw::Invalid("its signature is of something else")));
    }
}
