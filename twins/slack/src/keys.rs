//! The key that Slack signs ID tokens with. It is part of the program and protects nothing: `fixtures/keys/README.md`.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

const PEM: &str = include_str!("../../../fixtures/keys/slack-signing.pem");

static KEY: LazyLock<EncodingKey> =
    LazyLock::new(|| EncodingKey::from_rsa_pem(PEM.as_bytes()).expect("the program's own key is tested"));

/// The public half, named by its hash.
static PUBLIC: LazyLock<(String, Value)> = LazyLock::new(|| {
    let jwk = Jwk::from_encoding_key(&KEY, Algorithm::RS256).expect("an RSA key has a public half");
    let mut jwk = serde_json::to_value(jwk).unwrap_or_default();
    let id = URL_SAFE_NO_PAD.encode(&Sha256::digest(jwk["n"].as_str().unwrap_or_default())[..32]);
    (jwk["kid"], jwk["use"]) = (json!(id), json!("sig"));
    (id, jwk)
});

/// The keys that `/openid/connect/keys` lists.
pub(crate) fn published() -> Value {
    json!({ "keys": [PUBLIC.1] })
}

/// Signs the claims of an ID token.
pub(crate) fn sign(claims: &Map<String, Value>) -> String {
    let header = Header { kid: Some(PUBLIC.0.clone()), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &KEY).expect("a JSON object can be signed")
}

/// What an ID token says of the access token beside it (section 3.1.3.6 of
/// <https://openid.net/specs/openid-connect-core-1_0.html>).
pub(crate) fn half_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(token)[..16])
}
