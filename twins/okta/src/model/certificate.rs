//! The one thing that is read of other people's certificates: their RSA key.
//!
//! See RFC 5280, section 4.1, and RFC 8017, appendix A.1.1. Who signed a certificate, and for how long, is not looked
//! at: apps name theirs themselves.

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
/// How many values stand between the version and the key: number, algorithm, issuer, validity, subject.
const BETWEEN: usize = 5;

/// The modulus and the exponent of a certificate's key; none where it is no certificate or its key no RSA key.
pub fn rsa_key(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut rest = first(first(der, SEQUENCE)?, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = value(rest)?.2;
    }
    for _ in 0..BETWEEN {
        rest = value(rest)?.2;
    }
    let info = first(rest, SEQUENCE)?;
    // Behind the algorithm stands the key, in whole bytes.
    let key = first(value(info)?.2, BITS)?.strip_prefix(&[0])?;
    let numbers = first(key, SEQUENCE)?;
    let (tag, modulus, rest) = value(numbers)?;
    let exponent = first(rest, INTEGER)?;
    (tag == INTEGER).then(|| (modulus.to_vec(), exponent.to_vec()))
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
}
