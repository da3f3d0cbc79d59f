//! Whether an app's message is the app's: signatures beside messages in addresses, and inside of those in forms.
//!
//! See SAML 2.0's bindings, section 3.4.4.1, its core, section 5, and [`signature`]. Only the whole message
//! counts as signed: parts of it that are signed prove nothing of the rest.

use super::{
    signature::{self, Flaw, Trust, decoded, hash_of_signature},
    sso::Refused,
    tree::Element,
    xml::DS,
};
use crate::model::{app::App, certificate, rsa_key};

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
    let good = rsa_key::verifies(&modulus, &exponent, hash, signed.as_bytes(), &decoded(&signature));
    if good { Ok(()) } else { Err(message.invalid()) }
}

/// Whether a message carries a signature. One that cannot be read may: it is not taken for an unsigned one.
pub(super) fn is_inside(xml: &str) -> bool {
    Element::read(xml).map_or(true, |root| root.child(DS.1, "Signature").is_some())
}

/// Whether the signature inside a message is the app's, and about the whole message.
///
/// # Errors
/// What of it is missing or wrong.
pub(super) fn inside(app: &App, xml: &str, message: Message) -> Result<(), Refused> {
    let trust = Trust { keys: vec![key(app, message)?], old: true };
    let root = Element::read(xml).map_err(|_| message.invalid())?;
    signature::check(&root, &root, &trust).map_err(|flaw| match flaw {
        Flaw::Unsigned => message.unsigned(),
        Flaw::Unsupported | Flaw::Weak => message.unsupported(),
        Flaw::Invalid(_) => message.invalid(),
    })
}
