//! Assertions that only their app can read: encrypted with a key that is itself encrypted for the app's certificate.
//!
//! See www.w3.org/TR/xmlenc-core1/, SAML 2.0's core, section 2.3.4, and
//! developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/ (`SamlAssertionEncryption`).

use aes::{Aes128, Aes256};
use aes_gcm::{Aes256Gcm, KeyInit as _, aead::Aead as _};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cbc::{
    Encryptor,
    cipher::{BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7},
};
use dtu_kernel::seed::Draw;
use rsa::{BigUint, Oaep, Pkcs1v15Encrypt, RsaPublicKey, rand_core};
use serde_json::Value;
use sha1_of_rsa::Sha1;

use super::{
    settings::Unfit,
    xml::{DS, Element, SAML2},
};
use crate::model::certificate;

const XENC: (&str, &str) = ("xenc", "http://www.w3.org/2001/04/xmlenc#");
const UNSUPPORTED: Unfit = Unfit::Unsupported("Encrypted assertions need a certificate of the app with an RSA key.");
/// The nonce of GCM, in bytes; the first block of CBC has 16.
const NONCE: usize = 12;

/// With what an assertion is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    Aes128Cbc,
    Aes256Cbc,
    Aes256Gcm,
}

impl Cipher {
    const fn uri(self) -> &'static str {
        match self {
            Self::Aes128Cbc => "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
            Self::Aes256Cbc => "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
            Self::Aes256Gcm => "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        }
    }

    const fn key_len(self) -> usize {
        match self {
            Self::Aes128Cbc => 16,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
        }
    }
}

/// How the key is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Oaep,
    Pkcs1,
}

/// How an app wants its assertions encrypted.
#[derive(Clone, Debug)]
pub(crate) struct Envelope<'a> {
    cipher: Cipher,
    transport: Transport,
    certificate: &'a str,
    key: RsaPublicKey,
}

impl<'a> Envelope<'a> {
    /// The settings of an app; none where it wants assertions that everybody can read.
    ///
    /// # Errors
    /// No certificate, or one that is of no use.
    pub(crate) fn of(sign_on: &'a Value) -> Result<Option<Self>, Unfit> {
        let own = &sign_on["assertionEncryption"];
        if own["enabled"] != true {
            return Ok(None);
        }
        let cipher = match own["encryptionAlgorithm"].as_str() {
            Some("AES128_CBC") => Cipher::Aes128Cbc,
            None | Some("AES256_CBC") => Cipher::Aes256Cbc,
            Some("AES256_GCM") => Cipher::Aes256Gcm,
            Some(_) => return Err(Unfit::Unsupported("Encrypted assertions are not supported with this algorithm.")),
        };
        let transport = match own["keyTransportAlgorithm"].as_str() {
            None | Some("RSA_OAEP") => Transport::Oaep,
            Some("RSA_15") => Transport::Pkcs1,
            Some(_) => return Err(Unfit::Unsupported("Encrypted assertions are not supported with this transport.")),
        };
        let certificate = own["x5c"][0].as_str().ok_or(UNSUPPORTED)?;
        let (modulus, exponent) = certificate::of_text(certificate).ok_or(UNSUPPORTED)?;
        let (modulus, exponent) = (BigUint::from_bytes_be(&modulus), BigUint::from_bytes_be(&exponent));
        let key = RsaPublicKey::new(modulus, exponent).map_err(|_| UNSUPPORTED)?;
        Ok(Some(Self { cipher, transport, certificate, key }))
    }

    /// The assertion, for the app's eyes only.
    pub(crate) fn seal(&self, assertion: &Element, draw: Draw) -> Element {
        let mut noise = Noise(draw);
        let key = noise.take(self.cipher.key_len());
        let data = self.encrypted(&key, assertion.canonical().as_bytes(), &mut noise);
        let method = |uri: &str| Element::new("xenc:EncryptionMethod").with("Algorithm", uri);
        let holder = Element::new("ds:KeyInfo").declaring(DS).holding(self.wrapped(&key, &mut noise));
        let sealed = Element::new("xenc:EncryptedData")
            .declaring(XENC)
            .with("Type", "http://www.w3.org/2001/04/xmlenc#Element")
            .holding(method(self.cipher.uri()))
            .holding(holder)
            .holding(cipher_data(&data));
        Element::new("saml2:EncryptedAssertion").declaring(SAML2).holding(sealed)
    }

    /// What begins with a first block or nonce, as XML encryption has it.
    fn encrypted(&self, key: &[u8], text: &[u8], noise: &mut Noise) -> Vec<u8> {
        let len = if self.cipher == Cipher::Aes256Gcm { NONCE } else { 16 };
        let start = noise.take(len);
        let body = match self.cipher {
            Cipher::Aes128Cbc => Encryptor::<Aes128>::new_from_slices(key, &start)
                .map(|cipher| cipher.encrypt_padded_vec::<Pkcs7>(text))
                .ok(),
            Cipher::Aes256Cbc => Encryptor::<Aes256>::new_from_slices(key, &start)
                .map(|cipher| cipher.encrypt_padded_vec::<Pkcs7>(text))
                .ok(),
            Cipher::Aes256Gcm => {
                let cipher = Aes256Gcm::new_from_slice(key).ok();
                let nonce = start.as_slice().try_into().ok();
                cipher.zip(nonce).and_then(|(cipher, nonce): (_, &_)| cipher.encrypt(nonce, text).ok())
            }
        };
        let body = body.expect("keys and nonces have the lengths of their cipher");
        [start, body].concat()
    }

    /// The key, encrypted for the app's certificate.
    fn wrapped(&self, key: &[u8], noise: &mut Noise) -> Element {
        let (uri, value) = match self.transport {
            Transport::Oaep => {
                let value = self.key.encrypt(noise, Oaep::new::<Sha1>(), key);
                ("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", value)
            }
            Transport::Pkcs1 => {
                let value = self.key.encrypt(noise, Pkcs1v15Encrypt, key);
                ("http://www.w3.org/2001/04/xmlenc#rsa-1_5", value)
            }
        };
        let value = value.expect("a key of 32 bytes fits into what an RSA key encrypts");
        let hash = Element::new("ds:DigestMethod").with("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1");
        let method = Element::new("xenc:EncryptionMethod").with("Algorithm", uri);
        let method = if self.transport == Transport::Oaep { method.holding(hash) } else { method };
        let certificate = Element::new("ds:X509Certificate").saying(self.certificate);
        let whose = Element::new("ds:KeyInfo").holding(Element::new("ds:X509Data").holding(certificate));
        Element::new("xenc:EncryptedKey").holding(method).holding(whose).holding(cipher_data(&value))
    }
}

fn cipher_data(bytes: &[u8]) -> Element {
    Element::new("xenc:CipherData").holding(Element::new("xenc:CipherValue").saying(STANDARD.encode(bytes)))
}

/// A universe's draws as what the cryptography takes its chance from.
struct Noise(Draw);

impl Noise {
    fn take(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        rand_core::RngCore::fill_bytes(self, &mut bytes);
        bytes
    }
}

impl rand_core::RngCore for Noise {
    fn next_u32(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.0.bits().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    fn next_u64(&mut self) -> u64 {
        self.0.bits()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.bits().to_le_bytes()[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

/// Enough for tests, in which all chance is drawn.
impl rand_core::CryptoRng for Noise {}
