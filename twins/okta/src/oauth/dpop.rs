//! Proofs that a caller holds the key that its tokens are bound to.
//!
//! See developer.okta.com/docs/guides/dpop/ and RFC 9449.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::{time::Timestamp, tx::Tx, wire::Request};
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    error::{self, OAuthError},
    jwt::{self, Unverified},
};
use crate::model::State;

/// How old a proof may be.
const AGE: i64 = 300;
/// How often nonces change.
const NONCE_LIFE: i64 = 86_400;
/// For how many changes an older nonce is still taken.
const NONCES_KEPT: i64 = 2;

/// A proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of its key.
    pub key: SmolStr,
    /// Its `jti`.
    jti: SmolStr,
    made: Timestamp,
}

/// The nonce of the hour: it changes once a day.
pub fn nonce(state: &State, now: Timestamp) -> String {
    nonce_of(state, now.as_secs() / NONCE_LIFE)
}

fn nonce_of(state: &State, day: i64) -> String {
    let hash = blake3::hash(format!("{} {day}", state.sign_on.nonces).as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_bytes()[..24])
}

/// Checks the proof of a call to the token endpoint, where a nonce is needed and each proof is good once.
///
/// # Errors
/// No proof, or one that does not hold.
pub fn at_token_endpoint(state: &mut State, tx: &mut Tx<'_>, request: &Request) -> Result<Proof, OAuthError> {
    let text = header(request)?.ok_or(error::DPOP_MISSING)?;
    let (proof, jwt) = check(request, tx.now, text)?;
    let day = tx.now.as_secs() / NONCE_LIFE;
    let given = jwt.claim("nonce");
    let known = (day - NONCES_KEPT..=day).any(|day| given == Some(&nonce_of(state, day)));
    if !known {
        return Err(error::DPOP_NONCE.with_nonce(nonce(state, tx.now)));
    }
    let key = SmolStr::from(format!("dpop/{}/{}", proof.key, proof.jti));
    let end = proof.made.after(Duration::from_secs(AGE.unsigned_abs()));
    if !state.grants.use_once(&mut tx.changes, tx.now, key, end) {
        return Err(error::DPOP_USED);
    }
    Ok(proof)
}

/// Checks the proof of a call with an access token that is bound to the key of this thumbprint.
///
/// # Errors
/// No proof, or one that does not hold.
pub fn at_resource(request: &Request, now: Timestamp, token: &str, bound_to: &str) -> Result<(), OAuthError> {
    let text = header(request)?.ok_or(error::DPOP_REQUIRED)?;
    let (proof, jwt) = check(request, now, text)?;
    if jwt.claim("ath") != Some(&jwt::digest(token)) {
        return Err(error::DPOP_ATH);
    }
    if proof.key == bound_to { Ok(()) } else { Err(error::DPOP_BINDING) }
}

fn header(request: &Request) -> Result<Option<&str>, OAuthError> {
    let mut all = request.headers.get_all("dpop").iter();
    let first = all.next();
    if all.next().is_some() {
        return Err(error::DPOP_MANY);
    }
    first.map(|value| value.to_str().map_err(|_| error::DPOP_UNREADABLE)).transpose()
}

fn check<'a>(request: &Request, now: Timestamp, text: &'a str) -> Result<(Proof, Unverified<'a>), OAuthError> {
    let jwt = Unverified::read(text).ok_or(error::DPOP_UNREADABLE)?;
    if jwt.head("typ") != Some("dpop+jwt") {
        return Err(error::DPOP_TYPE);
    }
    if !jwt.algorithm().is_some_and(jwt::is_public) {
        return Err(error::DPOP_ALGORITHM);
    }
    let key = jwt.head.get("jwk").filter(|key| key.get("d").is_none()).ok_or(error::DPOP)?;
    let thumbprint = jwt::thumbprint(key).ok_or(error::DPOP)?;
    if !jwt.is_signed_by(key) {
        return Err(error::DPOP_SIGNATURE);
    }
    if jwt.claim("htm") != Some(request.method.as_str()) {
        return Err(error::DPOP_HTM);
    }
    if !jwt.claim("htu").is_some_and(|address| is_at(address, request)) {
        return Err(error::DPOP_HTU);
    }
    let made = check_time(&jwt, now)?;
    let jti = jwt.claim("jti").filter(|jti| !jti.is_empty()).ok_or(error::DPOP_JTI)?;
    Ok((Proof { key: thumbprint.into(), jti: jti.into(), made: Timestamp::from_secs(made) }, jwt))
}

/// Whether an address is the one that is called, query and fragment left aside.
fn is_at(address: &str, request: &Request) -> bool {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    address
        .strip_prefix(request.origin.as_str())
        .is_some_and(|path| path == request.path || dtu_kernel::wire::merge_slashes(path) == request.path)
}

fn check_time(jwt: &Unverified<'_>, now: Timestamp) -> Result<i64, OAuthError> {
    let made = jwt.claims.get("iat").filter(|at| matches!(at, Value::Number(_))).and(jwt.seconds("iat"));
    let (made, now) = (made.ok_or(error::DPOP_IAT)?, now.as_secs());
    match () {
        () if made > now + super::SKEW => Err(error::DPOP_FUTURE),
        () if made < now - AGE => Err(error::DPOP_OLD),
        () => Ok(made),
    }
}
