//! Signed texts of clients: read, and checked against keys.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation, decode, jwk::Jwk};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// A signed text, its signature unseen.
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    /// The text.
    text: &'a str,
    /// What its head says.
    pub head: Map<String, Value>,
    /// What it claims.
    pub claims: Map<String, Value>,
}

fn part(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

impl<'a> Unverified<'a> {
    /// Reads a signed text; none where it is none.
    pub fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split('.');
        let (head, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self { text, head: part(head)?, claims: part(claims)? })
    }

    /// A text in its head.
    pub fn head(&self, name: &str) -> Option<&str> {
        self.head.get(name).and_then(Value::as_str)
    }

    /// A text among its claims.
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// A point in time among its claims, in seconds; fractions are cut off.
    pub fn seconds(&self, name: &str) -> Option<i64> {
        let number = self.claims.get(name)?;
        #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second makes no difference")]
        number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64))
    }

    /// Its algorithm; none where it is not known here.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.head("alg")?.parse().ok()
    }

    /// Whether the holder of a public key signed it.
    pub fn is_signed_by(&self, key: &Value) -> bool {
        let key = serde_json::from_value::<Jwk>(key.clone()).ok();
        key.and_then(|key| DecodingKey::from_jwk(&key).ok()).is_some_and(|key| self.verifies(&key))
    }

    /// Whether somebody who knows a secret signed it.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        self.verifies(&DecodingKey::from_secret(secret.as_bytes()))
    }

    fn verifies(&self, key: &DecodingKey) -> bool {
        let Some(algorithm) = self.algorithm() else { return false };
        let mut validation = Validation::new(algorithm);
        // Times are judged on the universe's clock, and audiences where their endpoint is known.
        (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
        validation.required_spec_claims.clear();
        decode::<Map<String, Value>>(self.text, key, &validation).is_ok()
    }
}

/// Whether an algorithm is signed with a shared secret.
pub fn is_shared(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

/// Whether an algorithm is one that Okta takes with a public key: RSA without PSS, or elliptic curves.
pub fn is_public(algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, RS256, RS384, RS512};
    matches!(algorithm, RS256 | RS384 | RS512 | ES256 | ES384)
}

/// The family of algorithms that a key's `kty` is for.
pub fn family(key: &Value) -> Option<AlgorithmFamily> {
    match key.get("kty")?.as_str()? {
        "RSA" => Some(AlgorithmFamily::Rsa),
        "EC" => Some(AlgorithmFamily::Ec),
        _ => None,
    }
}

/// The SHA-256 of a text in base64 for URLs: of verifiers (RFC 7636) and access tokens (RFC 9449).
pub fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

/// The left half of the same: `at_hash` and `c_hash` (`OpenID` Connect Core, section 3.1.3.6).
pub fn half_digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text.as_bytes())[..16])
}

/// The thumbprint of a public key (RFC 7638); none where it is no key.
pub fn thumbprint(key: &Value) -> Option<String> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let members: &[&str] = match text("kty")? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        _ => return None,
    };
    let mut parts = Vec::new();
    for name in members {
        parts.push(format!("\"{name}\":{}", Value::from(text(name)?)));
    }
    Some(digest(&format!("{{{}}}", parts.join(","))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_signed_text_is_not_read() {
        for broken in ["", "a", "a.b.c", "e30.e30", "e30.e30.x.y", "W10.e30.x"] {
            assert!(Unverified::read(broken).is_none(), "{broken}");
        }
        assert!(Unverified::read("e30.e30.").is_some());
    }

    /// The values of RFC 7636 (appendix B) and RFC 7638 (section 3.1).
    #[test]
    fn digests_are_those_of_the_standards() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(digest(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let key = json!({
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });
        assert_eq!(thumbprint(&key).as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    }
}
