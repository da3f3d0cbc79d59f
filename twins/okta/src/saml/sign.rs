//! Enveloped signatures (www.w3.org/TR/xmldsig-core/).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::xml::{DS, EC, Element};
use crate::model::{app_keys::SigningKey, rsa_key::Hash};

/// How messages of an app are signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'k> {
    /// With what.
    pub(crate) key: &'k SigningKey,
    /// What the signature hashes.
    pub(crate) signature: Hash,
    /// What the reference hashes.
    pub(crate) digest: Hash,
}

/// The certificate, in lines as Okta writes it.
pub(crate) fn key_info(key: &SigningKey) -> Element {
    let lines: Vec<&str> = key.certificate.as_bytes().chunks(64).filter_map(|line| str::from_utf8(line).ok()).collect();
    let certificate = Element::new("ds:X509Certificate").saying(lines.join("\n"));
    Element::new("ds:KeyInfo").holding(Element::new("ds:X509Data").holding(certificate))
}

impl Signer<'_> {
    /// The element with its signature, which stands behind its first part, the issuer. The element must carry `id` as
    /// its `ID`, and declare all namespaces that are used in it.
    pub(crate) fn sign(&self, element: Element, id: &str) -> Element {
        let digest = STANDARD.encode(self.digest.of(element.canonical().as_bytes()));
        let info = self.info(id, &digest);
        // Hashed by itself, the part declares its namespace; inside the signature it has it from there.
        let alone = info.clone().declaring(DS).canonical();
        let value = STANDARD.encode(self.key.key.sign(self.signature, alone.as_bytes()));
        let signature = Element::new("ds:Signature")
            .declaring(DS)
            .holding(info)
            .holding(Element::new("ds:SignatureValue").saying(value))
            .holding(key_info(self.key));
        element.holding_second(signature)
    }

    fn info(&self, id: &str, digest: &str) -> Element {
        let algorithm = |name: &'static str, uri: &str| Element::new(name).with("Algorithm", uri);
        // Values say `xs:string`: a prefix in a text, which only this list keeps declared.
        let prefixes = Element::new("ec:InclusiveNamespaces").declaring(EC).with("PrefixList", "xs");
        let transforms = Element::new("ds:Transforms")
            .holding(algorithm("ds:Transform", "http://www.w3.org/2000/09/xmldsig#enveloped-signature"))
            .holding(algorithm("ds:Transform", EC.1).holding(prefixes));
        let reference = Element::new("ds:Reference")
            .with("URI", format!("#{id}"))
            .holding(transforms)
            .holding(algorithm("ds:DigestMethod", digest_uri(self.digest)))
            .holding(Element::new("ds:DigestValue").saying(digest));
        Element::new("ds:SignedInfo")
            .holding(algorithm("ds:CanonicalizationMethod", EC.1))
            .holding(algorithm("ds:SignatureMethod", signature_uri(self.signature)))
            .holding(reference)
    }
}

/// The name of a signature's algorithm.
pub(crate) const fn signature_uri(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha1 => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        Hash::Sha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    }
}

/// The name of a reference's hash.
pub(crate) const fn digest_uri(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
        Hash::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
    }
}
