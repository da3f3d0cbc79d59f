//! RSA keys with which Okta signs for apps: real ones, each made from two of the program's own primes.
//!
//! To find primes takes seconds; to multiply two of 32 takes none, and gives 496 keys. The primes are part of the
//! program, and protect nothing (`fixtures/keys/README.md`).

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::seed::Draw;
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey, traits::PublicKeyParts as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

const TEXT: &str = include_str!("../../../../fixtures/keys/okta-primes.txt");

static PRIMES: LazyLock<Vec<BigUint>> = LazyLock::new(|| {
    let prime = |line: &str| STANDARD.decode(line).map(|bytes| BigUint::from_bytes_be(&bytes));
    TEXT.lines().map(prime).collect::<Result<_, _>>().expect("the program's own primes are tested")
});

/// The public exponent of all keys.
const EXPONENT: u32 = 65_537;

/// What is signed is hashed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Hash {
    /// The hash of bytes.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    /// How hashes are padded for RSA: with the hash's name in front (RFC 8017, section 9.2).
    fn padding(self) -> Pkcs1v15Sign {
        let (len, prefix): (usize, &[u8]) = match self {
            Self::Sha1 => (20, b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"),
            Self::Sha256 => (32, b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
        };
        Pkcs1v15Sign { hash_len: Some(len), prefix: prefix.into() }
    }
}

/// A key: the places of its two primes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RsaKey {
    first: usize,
    second: usize,
}

impl RsaKey {
    /// Draws a key.
    pub fn draw(draw: &mut Draw) -> Self {
        let count = PRIMES.len() as u64;
        let (first, step) = (draw.below(count), 1 + draw.below(count - 1));
        let place = |at: u64| usize::try_from(at % count).unwrap_or_default();
        let (one, other) = (place(first), place(first + step));
        Self { first: one.min(other), second: one.max(other) }
    }

    /// The key of a modulus; none where it is none of the program's own.
    pub fn of_modulus(modulus: &[u8]) -> Option<Self> {
        let wanted = BigUint::from_bytes_be(modulus);
        let pairs = (0..PRIMES.len()).flat_map(|first| (first + 1..PRIMES.len()).map(move |second| (first, second)));
        let mut fitting = pairs.filter(|(first, second)| &PRIMES[*first] * &PRIMES[*second] == wanted);
        fitting.next().map(|(first, second)| Self { first, second })
    }

    /// The modulus, without leading zeros.
    pub fn modulus(self) -> Vec<u8> {
        (&PRIMES[self.first] * &PRIMES[self.second]).to_bytes_be()
    }

    /// Signs bytes (RSASSA-PKCS1-v1_5).
    pub fn sign(self, hash: Hash, bytes: &[u8]) -> Vec<u8> {
        let (p, q) = (PRIMES[self.first].clone(), PRIMES[self.second].clone());
        let key = RsaPrivateKey::from_p_q(p, q, BigUint::from(EXPONENT)).expect("the program's own primes are tested");
        key.sign(hash.padding(), &hash.of(bytes)).expect("a hash fits into 2048 bits")
    }
}

/// Whether a signature under some bytes is that of a key, given by its modulus and exponent.
pub fn verifies(modulus: &[u8], exponent: &[u8], hash: Hash, bytes: &[u8], signature: &[u8]) -> bool {
    let key = RsaPublicKey::new(BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    key.is_ok_and(|key| key.n().bits() >= 1_024 && key.verify(hash.padding(), &hash.of(bytes), signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_two_primes_make_a_key() {
        let key = |first, second| RsaKey { first, second };
        assert_eq!(PRIMES.len(), 32);
        for first in 0..32 {
            for second in first + 1..32 {
                let modulus = key(first, second).modulus();
                assert_eq!(RsaKey::of_modulus(&modulus), Some(key(first, second)));
                assert!(modulus.len() == 256 && modulus[0] >= 0x80, "{first} and {second}");
            }
        }
        // A product of two numbers with one that is no prime would sign wrongly.
        for first in 0..31 {
            let (key, exponent) = (key(first, 31), EXPONENT.to_be_bytes());
            let signature = key.sign(Hash::Sha256, b"text");
            assert!(verifies(&key.modulus(), &exponent, Hash::Sha256, b"text", &signature), "{first}");
            assert!(!verifies(&key.modulus(), &exponent, Hash::Sha256, b"Text", &signature));
        }
        let old = key(3, 4).sign(Hash::Sha1, b"text");
        assert!(verifies(&key(3, 4).modulus(), &EXPONENT.to_be_bytes(), Hash::Sha1, b"text", &old));
        assert!(!verifies(&key(3, 5).modulus(), &EXPONENT.to_be_bytes(), Hash::Sha1, b"text", &old));
    }
}
