//! Signed tokens: what service accounts sign, and what the identity twin signs itself.
//!
//! All with one key, which is part of the program and protects nothing (`fixtures/keys/README.md`).

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, jwk::Jwk};
use serde_json::{Map, Value, json};

use crate::model::{State, credential::Service};

/// The private key, in the form that key files carry.
const PRIVATE_PEM: &str = include_str!("../../../../fixtures/keys/google-service-account.pem");
/// The public half.
const PUBLIC_PEM: &str = include_str!("../../../../fixtures/keys/google-service-account.pub.pem");

/// The id of the key that the identity twin signs with.
pub const OWN_KEY_ID: &str = "d7000000000000000000000000000000000000d7";

static SIGN: LazyLock<EncodingKey> =
    LazyLock::new(|| EncodingKey::from_rsa_pem(PRIVATE_PEM.as_bytes()).expect("the program's own key is tested"));
static VERIFY: LazyLock<DecodingKey> =
    LazyLock::new(|| DecodingKey::from_rsa_pem(PUBLIC_PEM.as_bytes()).expect("the program's own key is tested"));

/// What a signed token claims.
pub type Claims = Map<String, Value>;

/// What a signed token claims, its signature unseen, and the id of the key it names; none where it cannot be read.
pub fn peek(jwt: &str) -> Option<(Claims, Option<String>)> {
    let header = jsonwebtoken::decode_header(jwt).ok().filter(|header| header.alg == Algorithm::RS256)?;
    Some((jsonwebtoken::dangerous::insecure_decode_claims(jwt).ok()?, header.kid))
}

/// Whether the test key signed a token. Says nothing about times: those are the universe's matter.
pub fn is_signed(jwt: &str) -> bool {
    let mut validation = Validation::new(Algorithm::RS256);
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    validation.required_spec_claims.clear();
    decode::<Claims>(jwt, &VERIFY, &validation).is_ok()
}

/// Signs claims under the identity twin's key id.
pub fn sign(claims: &Claims) -> String {
    let header = Header { kid: Some(OWN_KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &SIGN).expect("a JSON object can be signed")
}

/// The public key as a JSON Web Key Set.
pub fn key_set() -> Value {
    let jwk = Jwk::from_encoding_key(&SIGN, Algorithm::RS256).expect("an RSA key has a public half");
    let mut key = serde_json::to_value(jwk).unwrap_or_default();
    key["kid"] = json!(OWN_KEY_ID);
    key["use"] = json!("sig");
    json!({ "keys": [key] })
}

/// The key file of a service account, as the Cloud console hands it out, for an identity twin served at `origin`.
pub fn key_file(state: &State, service: &Service, origin: &str) -> String {
    let file = json!({
        "type": "service_account",
        "project_id": state.project.id,
        "private_key_id": service.key_id,
        "private_key": PRIVATE_PEM,
        "client_email": service.email,
        "client_id": service.id,
        "auth_uri": format!("{origin}/o/oauth2/auth"),
        "token_uri": format!("{origin}/token"),
        "auth_provider_x509_cert_url": format!("{origin}/oauth2/v1/certs"),
        "client_x509_cert_url": format!("{origin}/robot/v1/metadata/x509/{}", service.email.replace('@', "%40")),
        "universe_domain": "googleapis.com",
    });
    format!("{file:#}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_key_signed_is_believed_and_nothing_else() {
        let claims: Claims = json!({ "iss": "a", "exp": 1 }).as_object().expect("is an object").clone();
        let jwt = sign(&claims);
        assert!(is_signed(&jwt), "whatever its times say");
        assert_eq!(peek(&jwt), Some((claims, Some(OWN_KEY_ID.to_owned()))));
        let (body, signature) = jwt.rsplit_once('.').expect("has three parts");
        let other = if signature.starts_with('A') { "B" } else { "A" };
        assert!(!is_signed(&format!("{body}.{other}{}", &signature[1..])));
        for broken in ["", "a", "a.b", "a.b.c", body] {
            assert!(!is_signed(broken) && peek(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn the_public_half_is_a_web_key() {
        let key = &key_set()["keys"][0];
        assert_eq!((&key["kty"], &key["alg"], &key["e"]), (&json!("RSA"), &json!("RS256"), &json!("AQAB")));
        assert_eq!(key["n"].as_str().map(str::len), Some(342), "2048 bits");
    }
}
