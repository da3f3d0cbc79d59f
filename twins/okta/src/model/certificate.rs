//! What is read of other people's certificates: their RSA key, how long they hold, and whose they are.
//!
//! See RFC 5280, section 4.1, and RFC 8017, appendix A.1.1. Who signed a certificate is not looked at: apps name theirs
//! themselves.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::time::Timestamp;

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

/// The same of a certificate in base64, which may stand in lines.
pub fn of_text(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let lines: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    rsa_key(&STANDARD.decode(lines).ok()?)
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
