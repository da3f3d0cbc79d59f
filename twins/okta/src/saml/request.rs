//! Requests of service providers, as they come: in an address deflated, in a form not.
//!
//! See SAML 2.0's core, section 3.4, and its bindings, sections 3.4 and 3.5.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use quick_xml::{
    XmlVersion,
    events::{BytesStart, Event},
    name::ResolveResult,
    reader::NsReader,
};
use smol_str::SmolStr;

use super::xml::{SAML2, SAML2P};

/// The longest request.
const LENGTH_MAX: usize = 256 * 1_024;

/// What a service provider asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AuthnRequest {
    /// Its id, which the answer names.
    pub(crate) id: SmolStr,
    /// Who asks.
    pub(crate) issuer: SmolStr,
    /// Where it was sent to; none where it does not say.
    pub(crate) destination: Option<SmolStr>,
    /// Where the answer goes, by address.
    pub(crate) acs_url: Option<SmolStr>,
    /// Where the answer goes, by number.
    pub(crate) acs_index: Option<u64>,
    /// How the answer goes there.
    pub(crate) binding: Option<SmolStr>,
    /// Whether the person must sign in anew.
    pub(crate) force: bool,
    /// Whether nobody may be asked anything.
    pub(crate) passive: bool,
}

/// The text of a request: in base64, and perhaps deflated.
pub(crate) fn decode(text: &str) -> Result<String, &'static str> {
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(plain).map_err(|_| "The SAML request is not base64 encoded.")?;
    let is_xml = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
    let bytes = if is_xml {
        bytes
    } else {
        decompress_to_vec_with_limit(&bytes, LENGTH_MAX).map_err(|_| "The SAML request cannot be inflated.")?
    };
    if bytes.len() > LENGTH_MAX {
        return Err("The SAML request is too long.");
    }
    String::from_utf8(bytes).map_err(|_| "The SAML request is not UTF-8 encoded.")
}

const MALFORMED: &str = "The SAML request is not well-formed XML.";
const NO_REQUEST: &str = "The SAML request is no AuthnRequest of SAML 2.0.";

impl AuthnRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence for people.
    pub(crate) fn read(xml: &str) -> Result<Self, &'static str> {
        let mut reader = NsReader::from_str(xml);
        let mut request: Option<Self> = None;
        let (mut depth, mut in_issuer) = (0_usize, false);
        loop {
            let (namespace, event) = reader.read_resolved_event().map_err(|_| MALFORMED)?;
            let is_in =
                |wanted: &str| matches!(&namespace, ResolveResult::Bound(found) if found.0 == wanted.as_bytes());
            match event {
                Event::DocType(_) => return Err(MALFORMED),
                Event::Start(start) | Event::Empty(start) if depth == 0 => {
                    if !is_in(SAML2P.1) || start.local_name().as_ref() != b"AuthnRequest" {
                        return Err(NO_REQUEST);
                    }
                    request = Some(Self::attributes(&start)?);
                    depth = 1;
                }
                Event::Start(start) => {
                    in_issuer = depth == 1 && is_in(SAML2.1) && start.local_name().as_ref() == b"Issuer";
                    depth += 1;
                }
                Event::Text(text) if in_issuer => {
                    let text = text.decode().map_err(|_| MALFORMED)?;
                    if let Some(request) = &mut request {
                        request.issuer = format!("{}{}", request.issuer, text.trim()).into();
                    }
                }
                Event::GeneralRef(name) if in_issuer => {
                    let text = entity(&name.decode().map_err(|_| MALFORMED)?).ok_or(MALFORMED)?;
                    if let Some(request) = &mut request {
                        request.issuer = format!("{}{text}", request.issuer).into();
                    }
                }
                Event::End(_) => {
                    in_issuer = false;
                    depth = depth.saturating_sub(1);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        request.ok_or(NO_REQUEST)
    }

    fn attributes(start: &BytesStart<'_>) -> Result<Self, &'static str> {
        let mut request = Self::default();
        let mut version = None;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| MALFORMED)?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| MALFORMED)?;
            let text = || Some(SmolStr::new(&value));
            match attribute.key.as_ref() {
                b"ID" => request.id = SmolStr::new(&value),
                b"Version" => version = text(),
                b"Destination" => request.destination = text(),
                b"AssertionConsumerServiceURL" => request.acs_url = text(),
                b"AssertionConsumerServiceIndex" => request.acs_index = Some(value.parse().map_err(|_| MALFORMED)?),
                b"ProtocolBinding" => request.binding = text(),
                b"ForceAuthn" => request.force = is_true(&value),
                b"IsPassive" => request.passive = is_true(&value),
                _ => {}
            }
        }
        if version.as_deref() != Some("2.0") || request.id.is_empty() {
            return Err(NO_REQUEST);
        }
        Ok(request)
    }
}

/// The entities that need no declaration.
fn entity(name: &str) -> Option<&'static str> {
    match name {
        "amp" => Some("&"),
        "lt" => Some("<"),
        "gt" => Some(">"),
        "quot" => Some("\""),
        "apos" => Some("'"),
        _ => None,
    }
}

fn is_true(text: &str) -> bool {
    matches!(text, "true" | "1")
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;

    use super::*;

    const REQUEST: &str = concat!(
        r#"<?xml version="1.0"?><p:AuthnRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="r1" Version="2.0" "#,
        r#"ForceAuthn="1" AssertionConsumerServiceURL="https://a.example/?x&amp;y"><a:Issuer "#,
        r#"xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"> https://sp.example </a:Issuer></p:AuthnRequest>"#
    );

    #[test]
    fn requests_are_read() {
        let request = AuthnRequest::read(REQUEST).expect("is a request");
        assert_eq!((&*request.id, &*request.issuer), ("r1", "https://sp.example"));
        assert_eq!((request.acs_url.as_deref(), request.force), (Some("https://a.example/?x&y"), true));
        assert!(!request.passive);
    }

    #[test]
    fn other_texts_are_no_requests() {
        let check = |xml: &str, wanted: &str| assert_eq!(AuthnRequest::read(xml), Err(wanted), "{xml}");
        check("", NO_REQUEST);
        check("<a/>", NO_REQUEST);
        check("<AuthnRequest ID=\"r1\" Version=\"2.0\"/>", NO_REQUEST);
        check(&REQUEST.replace("2.0\" F", "1.1\" F"), NO_REQUEST);
        check(&REQUEST.replace("ID=\"r1\"", ""), NO_REQUEST);
        check(&REQUEST.replace("protocol", "assertion"), NO_REQUEST);
        check(&REQUEST.replace("</a:Issuer>", ""), MALFORMED);
        check(&REQUEST.replace("<p:", "<!DOCTYPE x [<!ENTITY e \"x\">]><p:"), MALFORMED);
    }

    #[test]
    fn requests_come_plain_and_deflated() {
        let check = |bytes: &[u8], wanted: Result<&str, &'static str>| {
            assert_eq!(decode(&STANDARD.encode(bytes)), wanted.map(str::to_owned));
        };
        check(b"<a/>", Ok("<a/>"));
        check(&compress_to_vec(b"<a/>", 6), Ok("<a/>"));
        check(b"no", Err("The SAML request cannot be inflated."));
        check(&compress_to_vec(&vec![b' '; LENGTH_MAX + 1], 6), Err("The SAML request cannot be inflated."));
        assert_eq!(decode("%"), Err("The SAML request is not base64 encoded."));
    }
}
