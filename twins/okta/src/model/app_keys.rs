//! Keys that Okta signs with for an app, as certificates, and requests for certificates.
//!
//! Keys are real, and sign their own certificates and requests: what Okta signs with them for an app verifies.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationSSOCredentialKey/.

use std::time::Duration;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use dtu_kernel::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;

use super::{
    Act, SITE,
    app::{self, App},
    rsa_key::{Hash, RsaKey},
};
use crate::error::Error;

/// A signing key with its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SigningKey {
    /// Its id: its thumbprint (RFC 7638).
    pub kid: SmolStr,
    /// When it was made.
    pub created: Timestamp,
    /// Until when its certificate is valid.
    pub expires: Timestamp,
    /// The modulus, in base64url.
    pub n: String,
    /// The certificate, in base64.
    pub certificate: String,
    /// The certificate's SHA-256, in base64url.
    pub thumbprint: String,
    /// The key itself.
    #[serde(skip)]
    pub key: RsaKey,
}

/// A request for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Csr {
    /// Its id: the thumbprint of its key.
    pub id: SmolStr,
    /// When it was made.
    pub created: Timestamp,
    /// The request itself, in base64.
    pub csr: String,
    /// The modulus of its key, in base64url.
    pub n: String,
    /// The key itself.
    #[serde(skip)]
    pub key: RsaKey,
}

const DAY: Duration = Duration::from_secs(86_400);
/// Certificates are valid for two to ten years.
pub const YEARS: std::ops::RangeInclusive<u32> = 2..=10;

/// How often a key is drawn anew that the app has already.
const TRIES: usize = 16;

/// The name on certificates of an org: attribute types of X.520 with their values.
pub fn org_name(act: &Act<'_, '_>) -> Vec<(u8, String)> {
    org_subject(&act.state.org)
}

/// The same by the org's name.
pub fn org_subject(org: &str) -> Vec<(u8, String)> {
    let fixed = [(6, "US"), (8, "California"), (7, "San Francisco"), (10, "Okta"), (11, "SSOProvider")];
    let fixed = fixed.into_iter().map(|(kind, text)| (kind, text.to_owned()));
    fixed.chain([(3, org.to_owned())]).collect()
}

/// A new key with a certificate for some years.
pub fn draw(act: &mut Act<'_, '_>, subject: &[(u8, String)], years: u32) -> SigningKey {
    let now = act.now();
    draw_at(act.tx, now, subject, years)
}

/// The same at a time of one's own.
pub fn draw_at(tx: &mut dtu_kernel::tx::Tx<'_>, now: Timestamp, subject: &[(u8, String)], years: u32) -> SigningKey {
    let mut draw = tx.draw(SITE.child("signing_key"));
    let key = RsaKey::draw(&mut draw);
    // Positive, and of eight bytes without leading zeros.
    let serial = (draw.bits() >> 2 | 1 << 61).to_be_bytes();
    let modulus = key.modulus();
    let expires = now.after(DAY * (365 * years + years / 4));
    let times = (&*now.iso_millis(), &*expires.iso_millis());
    let certificate = der::certificate(subject, key, &serial, times);
    SigningKey {
        kid: kid(&modulus),
        created: now,
        expires,
        n: URL_SAFE_NO_PAD.encode(&modulus),
        thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
        certificate: STANDARD.encode(certificate),
        key,
    }
}

/// The id of a key by its modulus (RFC 7638).
pub fn kid(modulus: &[u8]) -> SmolStr {
    let text = format!(r#"{{"e":"AQAB","kty":"RSA","n":"{}"}}"#, URL_SAFE_NO_PAD.encode(modulus));
    URL_SAFE_NO_PAD.encode(Sha256::digest(text)).into()
}

/// A key of an app, or the org's, which all apps may use.
///
/// # Errors
/// An id that is none of these.
pub fn find<'a>(act: &'a super::State, app: &'a App, kid: &str) -> Result<&'a SigningKey, Error> {
    let found = app.keys.iter().chain([&act.apps.key]).find(|key| key.kid == kid);
    found.ok_or_else(|| Error::not_found(kid, "JsonWebKey"))
}

/// Makes another key for an app, without using it yet.
///
/// # Errors
/// Too few or too many years.
pub fn generate(act: &mut Act<'_, '_>, app: &App, years: u32) -> Result<SigningKey, Error> {
    if !YEARS.contains(&years) {
        return Err(Error::invalid("validityYears", "validityYears: must be between 2 and 10"));
    }
    let subject = org_name(act);
    let mut key = draw(act, &subject, years);
    // There are fewer keys than apps could make: one that the app has already is drawn anew.
    for _ in 0..TRIES {
        if app.keys.iter().all(|own| own.kid != key.kid) {
            break;
        }
        key = draw(act, &subject, years);
    }
    add(act, app, key.clone());
    Ok(key)
}

/// Gives an app a key that another has; nothing happens where it has it already.
pub fn add(act: &mut Act<'_, '_>, app: &App, key: SigningKey) {
    if app.keys.iter().all(|own| own.kid != key.kid) {
        let mut row = app.clone();
        row.keys.push(key);
        app::touch(act, row);
    }
}

/// Asks for a certificate: `subject` and `subjectAltNames` as in the body of the request.
pub fn request(act: &mut Act<'_, '_>, app: &App, body: &Map<String, Value>) -> Csr {
    let csr = draw_request(act, body);
    let mut row = app.clone();
    row.csrs.push(csr.clone());
    app::touch(act, row);
    csr
}

/// A new request for a certificate, which nobody keeps yet.
pub fn draw_request(act: &mut Act<'_, '_>, body: &Map<String, Value>) -> Csr {
    let mut draw = act.tx.draw(SITE.child("csr"));
    let key = RsaKey::draw(&mut draw);
    let modulus = key.modulus();
    let subject = body.get("subject").cloned().unwrap_or_default();
    let parts = [
        (6, "countryName"),
        (8, "stateOrProvinceName"),
        (7, "localityName"),
        (10, "organizationName"),
        (11, "organizationalUnitName"),
        (3, "commonName"),
    ];
    let said = parts.into_iter().filter_map(|(kind, member)| Some((kind, subject[member].as_str()?.to_owned())));
    let names = body.get("subjectAltNames").and_then(|names| names.get("dnsNames")).and_then(Value::as_array);
    let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    let der = der::request(&said.collect::<Vec<_>>(), &names, key);
    Csr { id: kid(&modulus), created: act.now(), csr: STANDARD.encode(der), n: URL_SAFE_NO_PAD.encode(&modulus), key }
}

/// A request of an app.
///
/// # Errors
/// An id that is none of its requests'.
pub fn find_request<'a>(app: &'a App, id: &str) -> Result<&'a Csr, Error> {
    app.csrs.iter().find(|csr| csr.id == id).ok_or_else(|| Error::not_found(id, "CertificateSigningRequest"))
}

/// Forgets a request.
///
/// # Errors
/// An id that is none of the app's requests'.
pub fn revoke(act: &mut Act<'_, '_>, app: &App, id: &str) -> Result<(), Error> {
    find_request(app, id)?;
    let mut row = app.clone();
    row.csrs.retain(|csr| csr.id != id);
    app::touch(act, row);
    Ok(())
}

/// Makes a key of an app of a request and the certificate that somebody has signed for it.
pub fn publish(act: &mut Act<'_, '_>, app: &App, csr: &Csr, certificate: &[u8], expires: Timestamp) -> SigningKey {
    let key = SigningKey {
        kid: csr.id.clone(),
        created: act.now(),
        expires,
        n: csr.n.clone(),
        certificate: STANDARD.encode(certificate),
        thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(certificate)),
        key: csr.key,
    };
    let mut row = app.clone();
    row.csrs.retain(|other| other.id != csr.id);
    row.keys.retain(|other| other.kid != key.kid);
    row.keys.push(key.clone());
    app::touch(act, row);
    key
}

/// As much of DER as certificates need (ITU-T X.690, RFC 5280, RFC 2986).
mod der {
    use super::{Hash, RsaKey};

    /// A value with its tag and length.
    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len().to_be_bytes();
        let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
        let mut out = vec![tag];
        match (content.len(), length.len()) {
            (0, _) => out.push(0),
            (1..128, _) => out.extend(length),
            (_, bytes) => {
                out.push(0x80 | u8::try_from(bytes).unwrap_or(4));
                out.extend(length);
            }
        }
        out.extend(content);
        out
    }

    fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
        value(0x30, &parts.concat())
    }

    /// A positive number.
    fn number(bytes: &[u8]) -> Vec<u8> {
        let mut padded = vec![0; usize::from(bytes.first().is_some_and(|first| *first >= 0x80))];
        padded.extend(bytes);
        value(0x02, &padded)
    }

    fn bits(content: &[u8]) -> Vec<u8> {
        let mut padded = vec![0];
        padded.extend(content);
        value(0x03, &padded)
    }

    /// `sha256WithRSAEncryption`, or `rsaEncryption`: both are 1.2.840.113549.1.1.x.
    fn algorithm(last: u8) -> Vec<u8> {
        let id = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last];
        sequence(&[value(0x06, &id), value(0x05, &[])])
    }

    const SHA256_RSA: u8 = 11;
    const RSA: u8 = 1;

    /// A distinguished name: X.520 attribute types (2.5.4.x) with their values. Countries are printable strings.
    fn name(parts: &[(u8, String)]) -> Vec<u8> {
        let part = |(kind, text): &(u8, String)| {
            let tag = if *kind == 6 { 0x13 } else { 0x0c };
            value(0x31, &sequence(&[value(0x06, &[0x55, 0x04, *kind]), value(tag, text.as_bytes())]))
        };
        sequence(&parts.iter().map(part).collect::<Vec<_>>())
    }

    fn key(modulus: &[u8]) -> Vec<u8> {
        let key = sequence(&[number(modulus), number(&[1, 0, 1])]);
        sequence(&[algorithm(RSA), bits(&key)])
    }

    /// `2026-01-06T19:50:58.000Z` as UTC time, or as generalised time from 2050 on.
    fn time(iso: &str) -> Vec<u8> {
        let digits: String = iso.chars().filter(char::is_ascii_digit).take(14).collect();
        let late = digits.as_str() >= "2050";
        let text = format!("{}Z", if late { &digits } else { digits.get(2..).unwrap_or_default() });
        value(if late { 0x18 } else { 0x17 }, text.as_bytes())
    }

    /// A certificate that its own key has issued.
    pub(super) fn certificate(
        subject: &[(u8, String)],
        own: RsaKey,
        serial: &[u8],
        (from, until): (&str, &str),
    ) -> Vec<u8> {
        let to_sign = sequence(&[
            value(0xa0, &number(&[2])),
            number(serial),
            algorithm(SHA256_RSA),
            name(subject),
            sequence(&[time(from), time(until)]),
            name(subject),
            key(&own.modulus()),
        ]);
        signed(to_sign, own)
    }

    fn signed(to_sign: Vec<u8>, own: RsaKey) -> Vec<u8> {
        let signature = own.sign(Hash::Sha256, &to_sign);
        sequence(&[to_sign, algorithm(SHA256_RSA), bits(&signature)])
    }

    /// A request for a certificate, with other names of its subject.
    pub(super) fn request(subject: &[(u8, String)], names: &[&str], own: RsaKey) -> Vec<u8> {
        let names: Vec<Vec<u8>> = names.iter().map(|name| value(0x82, name.as_bytes())).collect();
        let attributes = if names.is_empty() { Vec::new() } else { alternatives(&names) };
        let to_sign = sequence(&[value(0x02, &[0]), name(subject), key(&own.modulus()), value(0xa0, &attributes)]);
        signed(to_sign, own)
    }

    /// The attribute `extensionRequest` with `subjectAltName`.
    fn alternatives(names: &[Vec<u8>]) -> Vec<u8> {
        const REQUEST: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
        let extension = sequence(&[value(0x06, &[0x55, 0x1d, 0x11]), value(0x04, &sequence(names))]);
        sequence(&[value(0x06, &REQUEST), value(0x31, &sequence(&[extension]))])
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn lengths_are_der_s() {
            let check = |length: usize, head: &[u8]| assert_eq!(super::value(4, &vec![9; length])[..head.len()], *head);
            check(0, &[4, 0]);
            check(127, &[4, 127, 9]);
            check(128, &[4, 0x81, 128, 9]);
            check(256, &[4, 0x82, 1, 0, 9]);
            assert_eq!(super::time("2026-01-06T19:50:58.000Z")[2..], *b"260106195058Z");
            assert_eq!(super::time("2051-01-06T19:50:58.000Z")[2..], *b"20510106195058Z");
        }
    }
}
