//! Calls of the token endpoint, whose bodies and proofs are not recorded: what Okta's library sends there, so that the
//! twin has something to answer. Whether there was a proof, and one with a nonce, follows from the recorded answer.

use dtu_okta::oauth::keys;
use dtu_tests::recorded::{recording::Exchange, replay::Progress};
use form_urlencoded::Serializer;
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// The client of the world that calls.
const CLIENT: &str = "0oaRecordedCaller5d7";
/// All that it was granted.
const SCOPES: &str = "okta.users.read okta.apps.read okta.groups.read";

/// The client, as the `okta` section of a world says it.
pub(super) fn client() -> String {
    let scopes = SCOPES.replace(' ', ", ");
    format!(
        "  oauth_clients:\n    - {{key: caller, name: Caller, type: service, client_id: {CLIENT}, scopes: [{scopes}], dpop: true}}\n"
    )
}

/// Whether an exchange is a call of the token endpoint that was recorded without its body.
pub(super) fn is_one(exchange: &Exchange) -> bool {
    exchange.request.path == "/oauth2/v1/token" && exchange.request.body.is_null()
}

/// Fills a call of the token endpoint that was recorded without its body.
pub(super) fn fill(exchange: &Exchange, request: &mut dtu_kernel::wire::Request, progress: &Progress) {
    if !is_one(exchange) {
        return;
    }
    let (now, address) = (progress.now.as_secs(), format!("{}{}", request.origin, request.path));
    let assertion = json!({
        "iss": CLIENT, "sub": CLIENT, "aud": address, "iat": now, "exp": now + 300, "jti": format!("a{}", progress.index),
    });
    let assertion = signed(&Header { kid: Some(keys::CLIENT_KEY_ID.to_owned()), ..rs256() }, &assertion);
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", SCOPES),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &assertion),
    ];
    request.body = Serializer::new(String::new()).extend_pairs(form).finish().into_bytes().into();
    request.headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    request.headers.remove("authorization");
    let answer = &exchange.response.body;
    if answer["error"] == "invalid_dpop_proof" {
        return;
    }
    let mut proof = json!({ "htm": "POST", "htu": address, "iat": now, "jti": format!("p{}", progress.index) });
    if let Some(nonce) = progress.nonce.as_ref().filter(|_| answer["error"] != "use_dpop_nonce") {
        proof["nonce"] = json!(nonce);
    }
    let jwk = serde_json::from_value(keys::client_key()).expect("is a key");
    let proof = signed(&Header { typ: Some("dpop+jwt".to_owned()), jwk: Some(jwk), ..rs256() }, &proof);
    request.headers.insert("dpop", proof.parse().expect("is a header"));
}

fn rs256() -> Header {
    Header { typ: None, ..Header::new(Algorithm::RS256) }
}

fn signed(header: &Header, claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(keys::client_pem().as_bytes()).expect("is a key");
    encode(header, claims, &key).expect("signs")
}
