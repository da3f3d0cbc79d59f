//! Security keys: new credentials and signatures of the Web Authentication standard.
//!
//! See www.w3.org/TR/webauthn-2/. Signatures are of ES256, which all keys know; what a key attests of its maker is
//! not looked at.

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_URL_SAFE_NO_PAD,
};
use ciborium::Value as Cbor;
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Proof;

/// A new credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The key's id of it, in URL-safe base64.
    pub credential: String,
    /// Its public key on P-256, uncompressed.
    pub public: Vec<u8>,
}

/// Clients send either alphabet, with and without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);
    ENGINE.decode(text.trim().replace('+', "-").replace('/', "_")).ok()
}

/// What a browser says of the ceremony, where it is about this challenge: its bytes.
fn client_data(proof: &Proof, kind: &str, challenge: &str) -> Option<Vec<u8>> {
    let bytes = decode(proof.client_data.as_deref()?)?;
    let said: Value = serde_json::from_slice(&bytes).ok()?;
    let answered = said["challenge"].as_str()?;
    // Clients hand the challenge to the browser as text or as the bytes that the text stands for.
    let as_text = decode(answered).is_some_and(|bytes| bytes == challenge.as_bytes());
    let fits = answered.trim_end_matches('=') == challenge.trim_end_matches('=') || as_text;
    (said["type"].as_str() == Some(kind) && fits).then_some(bytes)
}

/// Whether a key has signed a challenge.
pub(super) fn is_signed(public: &[u8], challenge: &str, proof: &Proof) -> bool {
    let parts = || {
        let client = client_data(proof, "webauthn.get", challenge)?;
        let mut signed = decode(proof.authenticator_data.as_deref()?)?;
        signed.extend_from_slice(&Sha256::digest(&client));
        let signature = decode(proof.signature.as_deref()?)?;
        Some((signed, signature))
    };
    parts().is_some_and(|(signed, signature)| holds(public, &signed, &signature))
}

fn holds(public: &[u8], signed: &[u8], signature: &[u8]) -> bool {
    let key = VerifyingKey::from_sec1_bytes(public);
    let signature = Signature::from_der(signature);
    key.is_ok_and(|key| signature.is_ok_and(|signature| key.verify(signed, &signature).is_ok()))
}

/// The credential that a key has made for a challenge; none where something does not hold.
pub(super) fn register(challenge: &str, proof: &Proof) -> Option<Made> {
    client_data(proof, "webauthn.create", challenge)?;
    let attestation: Cbor = ciborium::from_reader(&*decode(proof.attestation.as_deref()?)?).ok()?;
    let members = attestation.as_map()?;
    let said =
        members.iter().find(|(name, _)| name.as_text() == Some("authData")).and_then(|(_, value)| value.as_bytes());
    credential(said?)
}

/// Where a new credential stands in what a key says: behind the hash of the site, flags, counter and model.
const CREDENTIAL_AT: usize = 32 + 1 + 4 + 16;

fn credential(said: &[u8]) -> Option<Made> {
    let rest = said.get(CREDENTIAL_AT..)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (id, key) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let key: Cbor = ciborium::from_reader(key).ok()?;
    let coordinate = |label: i64| {
        let is = |name: &Cbor| name.as_integer() == Some(label.into());
        key.as_map()?.iter().find(|(name, _)| is(name)).and_then(|(_, value)| value.as_bytes())
    };
    let public = [&[4_u8], coordinate(-2)?.as_slice(), coordinate(-3)?.as_slice()].concat();
    VerifyingKey::from_sec1_bytes(&public).ok()?;
    Some(Made { credential: BASE64_URL_SAFE_NO_PAD.encode(id), public })
}
