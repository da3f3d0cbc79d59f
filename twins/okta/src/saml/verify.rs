//! Whether an app's message is the app's: signatures beside messages in addresses, and inside of those in forms.
//!
//! See SAML 2.0's bindings, section 3.4.4.1, its core, section 5, and www.w3.org/TR/xmldsig-core/. Only the whole message
//! counts as signed: parts of it that are signed prove nothing of the rest.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    canonical::{Node, Scope},
    sign::signature_uri,
    sso::Refused,
    xml::{DS, EC},
};
use crate::model::{
    app::App,
    certificate,
    rsa_key::{self, Hash},
};

/// Which message is looked at, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// To sign in.
    Sso,
    /// To sign out.
    Slo,
}

impl Message {
    const fn text(self) -> &'static str {
        match self {
            Self::Sso => "SAML request",
            Self::Slo => "SAML logout request",
        }
    }

    fn unsigned(self) -> Refused {
        Refused::Bad(format!("The {} is not signed.", self.text()))
    }

    fn invalid(self) -> Refused {
        Refused::Bad(format!("The signature of the {} is invalid.", self.text()))
    }

    fn unsupported(self) -> Refused {
        Refused::Bad(format!("The {} is signed by an algorithm that is not supported.", self.text()))
    }
}

/// The RSA key of the certificate by which an app's messages are known.
type Key = (Vec<u8>, Vec<u8>);

fn key(app: &App, message: Message) -> Result<Key, Refused> {
    let found = app.setting("/signOn/spCertificate/x5c/0").as_str().and_then(certificate::of_text);
    found.ok_or_else(|| Refused::Bad(format!("The app has no certificate to check {}s with.", message.text())))
}

/// A parameter as it stands in an address, and with its escapes resolved.
fn raw<'r>(query: &'r str, name: &str) -> Option<(&'r str, String)> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(own, _)| *own == name)?;
    let plain = form_urlencoded::parse(value.as_bytes()).next().map(|(text, _)| text.into_owned());
    Some((value, plain.unwrap_or_default()))
}

fn bytes(text: &str) -> Vec<u8> {
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(plain).unwrap_or_default()
}

/// Whether an address carries a signature.
pub(super) fn is_beside(query: &str) -> bool {
    raw(query, "Signature").is_some()
}

/// Whether the signature beside a message in an address is the app's.
///
/// # Errors
/// What of it is missing or wrong.
pub(super) fn beside(app: &App, query: &str, message: Message) -> Result<(), Refused> {
    let (modulus, exponent) = key(app, message)?;
    let (algorithm_text, algorithm) = raw(query, "SigAlg").ok_or_else(|| message.unsigned())?;
    let (_, signature) = raw(query, "Signature").ok_or_else(|| message.unsigned())?;
    let hash = hash_of_signature(&algorithm).ok_or_else(|| message.unsupported())?;
    let (text, _) = raw(query, "SAMLRequest").unwrap_or_default();
    let state = raw(query, "RelayState").map(|(text, _)| format!("&RelayState={text}")).unwrap_or_default();
    let signed = format!("SAMLRequest={text}{state}&SigAlg={algorithm_text}");
    let good = rsa_key::verifies(&modulus, &exponent, hash, signed.as_bytes(), &bytes(&signature));
    if good { Ok(()) } else { Err(message.invalid()) }
}

fn hash_of_signature(uri: &str) -> Option<Hash> {
    [Hash::Sha256, Hash::Sha1].into_iter().find(|hash| signature_uri(*hash) == uri)
}

fn hash_of_digest(uri: &str) -> Option<Hash> {
    match uri {
        "http://www.w3.org/2001/04/xmlenc#sha256" => Some(Hash::Sha256),
        "http://www.w3.org/2000/09/xmldsig#sha1" => Some(Hash::Sha1),
        _ => None,
    }
}

/// Whether a message carries a signature.
pub(super) fn is_inside(xml: &str) -> bool {
    let around = Scope::new();
    Node::parse(xml).is_some_and(|root| !root.children(&around, DS, "Signature").is_empty())
}

/// Whether the signature inside a message is the app's, and about the whole message.
///
/// # Errors
/// What of it is missing or wrong.
pub(super) fn inside(app: &App, xml: &str, message: Message) -> Result<(), Refused> {
    let key = key(app, message)?;
    let root = Node::parse(xml).ok_or_else(|| message.invalid())?;
    let around = Scope::new();
    let found = root.children(&around, DS, "Signature");
    let (at, signature) = match found[..] {
        [] => return Err(message.unsigned()),
        [one] => one,
        _ => return Err(message.invalid()),
    };
    let scope = root.scope(&around);
    let info = one(signature, &scope, "SignedInfo").ok_or_else(|| message.invalid())?;
    let value = one(signature, &scope, "SignatureValue").ok_or_else(|| message.invalid())?;
    let scope = signature.scope(&scope);
    check_reference(&root, at, info, &scope, message)?;
    let method = one(info, &scope, "CanonicalizationMethod").ok_or_else(|| message.invalid())?;
    let kept = prefixes(method, &info.scope(&scope)).ok_or_else(|| message.unsupported())?;
    let algorithm = one(info, &scope, "SignatureMethod").and_then(|method| method.attribute("Algorithm"));
    let hash = algorithm.and_then(hash_of_signature).ok_or_else(|| message.unsupported())?;
    let signed = info.canonical(&scope, None, &kept);
    let good = rsa_key::verifies(&key.0, &key.1, hash, signed.as_bytes(), &bytes(&value.text()));
    if good { Ok(()) } else { Err(message.invalid()) }
}

/// The only element of a name that another holds; none where there are several.
fn one<'n>(node: &'n Node, around: &Scope, local: &'n str) -> Option<&'n Node> {
    match node.children(around, DS, local)[..] {
        [(_, found)] => Some(found),
        _ => None,
    }
}

/// The prefixes that exclusive canonical form is told to keep; none where another form is meant.
fn prefixes(method: &Node, around: &Scope) -> Option<Vec<String>> {
    if method.attribute("Algorithm")? != EC.1 {
        return None;
    }
    let list = method.children(around, EC, "InclusiveNamespaces");
    let text = list.first().and_then(|(_, list)| list.attribute("PrefixList")).unwrap_or_default();
    Some(text.split_ascii_whitespace().map(str::to_owned).collect())
}

/// Whether what is signed is the hash of the whole message but for the signature, which stands at a place.
fn check_reference(root: &Node, at: usize, info: &Node, around: &Scope, message: Message) -> Result<(), Refused> {
    const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    let invalid = || message.invalid();
    let reference = one(info, around, "Reference").ok_or_else(invalid)?;
    let (uri, id) = (reference.attribute("URI").unwrap_or_default(), root.attribute("ID").unwrap_or_default());
    if !uri.is_empty() && uri.strip_prefix('#') != Some(id) {
        return Err(invalid());
    }
    let scope = info.scope(around);
    let transforms = one(reference, &scope, "Transforms").ok_or_else(invalid)?;
    let inner = transforms.scope(&reference.scope(&scope));
    let (mut enveloped, mut kept) = (false, None);
    for (_, transform) in transforms.children(&reference.scope(&scope), DS, "Transform") {
        match transform.attribute("Algorithm") {
            Some(ENVELOPED) => enveloped = true,
            _ => kept = Some(prefixes(transform, &inner).ok_or_else(|| message.unsupported())?),
        }
    }
    let kept = kept.filter(|_| enveloped).ok_or_else(|| message.unsupported())?;
    let method = one(reference, &scope, "DigestMethod").and_then(|method| method.attribute("Algorithm"));
    let hash = method.and_then(hash_of_digest).ok_or_else(|| message.unsupported())?;
    let wanted = one(reference, &scope, "DigestValue").map(Node::text).unwrap_or_default();
    let found = hash.of(root.canonical(&Scope::new(), Some(at), &kept).as_bytes());
    if found == bytes(&wanted) { Ok(()) } else { Err(invalid()) }
}
