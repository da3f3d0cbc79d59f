//! What is read of other people's certificates: their RSA key, how long they hold, and whose they are.
//!
//! See RFC 5280, section 4.1, and RFC 8017, appendix A.1.1. Who signed a certificate is not looked at: apps name theirs
//! themselves.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use dtu_kernel::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A value of DER: its tag and content, and what is behind it.
fn value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) || rest.len() < count {
            return None;
        }
        let (bytes, rest) = rest.split_at(count);
        (bytes.iter().fold(0_usize, |len, byte| (len << 8) | usize::from(*byte)), rest)
    };
    (rest.len() >= len).then(|| (tag, &rest[..len], &rest[len..]))
}

/// The content of the first value, which must have a tag.
fn first(der: &[u8], tag: u8) -> Option<&[u8]> {
    value(der).filter(|(own, ..)| *own == tag).map(|(_, content, _)| content)
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const VERSION: u8 = 0xa0;
/// The values behind the version: number, algorithm, issuer, validity, subject, key.
const PARTS: usize = 6;
const VALIDITY: usize = 3;
const SUBJECT: usize = 4;
const KEY: usize = 5;

/// The contents of the values behind the version, of which all but the first are sequences.
fn parts(der: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = first(first(der, SEQUENCE)?, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = value(rest)?.2;
    }
    let mut all = Vec::with_capacity(PARTS);
    while all.len() < PARTS {
        let (tag, content, behind) = value(rest)?;
        if tag != if all.is_empty() { INTEGER } else { SEQUENCE } {
            return None;
        }
        all.push(content);
        rest = behind;
    }
    Some(all)
}

/// The modulus and the exponent of a certificate's key; none where it is no certificate or its key no RSA key.
pub fn rsa_key(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let all = parts(der)?;
    // Behind the algorithm stands the key, in whole bytes.
    let key = first(value(all[KEY])?.2, BITS)?.strip_prefix(&[0])?;
    let numbers = first(key, SEQUENCE)?;
    let (tag, modulus, rest) = value(numbers)?;
    let exponent = first(rest, INTEGER)?;
    (tag == INTEGER).then(|| (modulus.to_vec(), exponent.to_vec()))
}

/// A certificate in base64, which may stand in lines.
pub fn decoded(text: &str) -> Option<Vec<u8>> {
    let lines: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(lines).ok()
}

/// The modulus and the exponent of a certificate in base64.
pub fn of_text(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    rsa_key(&decoded(text)?)
}

/// A certificate's key as a JSON Web Key (RFC 7518, section 6), RSA or on one of three curves.
pub fn jwk(der: &[u8]) -> Option<Value> {
    let number = |bytes: &[u8]| {
        let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        URL_SAFE_NO_PAD.encode(&bytes[first..])
    };
    if let Some((modulus, exponent)) = rsa_key(der) {
        return Some(json!({ "kty": "RSA", "e": number(&exponent), "n": number(&modulus) }));
    }
    let (curve, x, y) = point(der)?;
    Some(json!({ "kty": "EC", "crv": curve, "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) }))
}

/// The curve's name and the two coordinates of a certificate's key (RFC 5480, section 2).
fn point(der: &[u8]) -> Option<(&'static str, Vec<u8>, Vec<u8>)> {
    const OID: u8 = 0x06;
    const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    const CURVES: [(&[u8], &str, usize); 3] = [
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], "P-256", 32),
        (&[0x2b, 0x81, 0x04, 0x00, 0x22], "P-384", 48),
        (&[0x2b, 0x81, 0x04, 0x00, 0x23], "P-521", 66),
    ];
    let all = parts(der)?;
    let (_, algorithm, rest) = value(all[KEY])?;
    let (tag, kind, named) = value(algorithm)?;
    let curve = first(named, OID)?;
    let (_, name, size) = CURVES.iter().find(|(oid, ..)| *oid == curve)?;
    let coordinates = first(rest, BITS)?.strip_prefix(&[0, 4])?;
    let whole = tag == OID && kind == ELLIPTIC && coordinates.len() == 2 * size;
    whole.then(|| (*name, coordinates[..*size].to_vec(), coordinates[*size..].to_vec()))
}

/// The SHA-256 of a certificate in base64 (RFC 7517, section 4.9).
pub fn thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(der))
}

/// From when until when a certificate holds.
pub fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let all = parts(der)?;
    let (tag, from, rest) = value(all[VALIDITY])?;
    let (until_tag, until, _) = value(rest)?;
    Some((time(tag, from)?, time(until_tag, until)?))
}

/// `YYMMDDHHMMSSZ` of this century or the last, or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    const UTC: u8 = 0x17;
    const GENERAL: u8 = 0x18;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match (tag, text.len()) {
        (UTC, 12) => format!("{}{text}", if text >= "50" { "19" } else { "20" }),
        (GENERAL, 14) => text.to_owned(),
        _ => return None,
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| &text[from..from + 2];
    let (date, clock) = (&text[..4], [part(8), part(10), part(12)].join(":"));
    Timestamp::parse(&format!("{date}-{}-{}T{clock}Z", part(4), part(6))).ok()
}

/// Whose a certificate is: `CN=...,O=...`, as far as its names are common ones.
pub fn subject(der: &[u8]) -> Option<String> {
    const NAMES: [(u8, &str); 6] = [(3, "CN"), (6, "C"), (7, "L"), (8, "ST"), (10, "O"), (11, "OU")];
    let all = parts(der)?;
    let mut rest = all[SUBJECT];
    let mut told = Vec::new();
    while !rest.is_empty() {
        let (_, set, behind) = value(rest)?;
        let (_, kind, named) = value(first(set, SEQUENCE)?)?;
        let known = kind.strip_prefix(&[0x55, 0x04]).and_then(|last| NAMES.iter().find(|(id, _)| [*id] == last));
        if let Some((_, name)) = known {
            told.push(format!("{name}={}", String::from_utf8_lossy(value(named)?.1)));
        }
        rest = behind;
    }
    Some(told.join(","))
}

/// The content of the first block of a kind in a text of RFC 7468.
pub fn pem(text: &[u8], label: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, behind) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (content, _) = behind.split_once(&format!("-----END {label}-----"))?;
    STANDARD.decode(content.split_ascii_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_no_certificates_have_no_key() {
        let check = |der: &[u8]| assert_eq!(rsa_key(der), None, "{der:?}");
        check(b"");
        check(b"\x30");
        check(b"\x30\x85\x01\x01\x01\x01\x01");
        check(b"\x30\x05\x30\x03\x02");
        check(&[0x30; 64]);
    }

    #[test]
    fn times_are_of_two_forms() {
        let check = |tag: u8, text: &str, expected: &str| {
            assert_eq!(time(tag, text.as_bytes()).map(Timestamp::iso_millis).unwrap_or_default(), expected, "{text}");
        };
        check(0x17, "260302090000Z", "2026-03-02T09:00:00.000Z");
        check(0x17, "991231235959Z", "1999-12-31T23:59:59.000Z");
        check(0x18, "20510106195058Z", "2051-01-06T19:50:58.000Z");
        check(0x17, "20510106195058Z", "");
        check(0x18, "2051010619505xZ", "");
        check(0x18, "20511306195058Z", "");
    }

    #[test]
    fn blocks_are_found_by_their_label() {
        let text = b"x\n-----BEGIN CERTIFICATE-----\nAAEC\nAw==\n-----END CERTIFICATE-----\n";
        assert_eq!(pem(text, "CERTIFICATE"), Some(vec![0, 1, 2, 3]));
        assert_eq!(pem(text, "PRIVATE KEY"), None);
        assert_eq!(pem(b"-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----", "CERTIFICATE"), None);
    }
}
