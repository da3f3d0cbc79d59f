//! Requests that a client signs: their parameters are the claims of a JWT (RFC 9101).
//!
//! See developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/authorize (`request`): which
//! claims Okta looks at, and which parameters may stand beside the JWT as well. The words of refusals are inferred.

use std::{collections::BTreeMap, time::Duration};

use dtu_kernel::time::Timestamp;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    SKEW,
    error::{self, OAuthError},
    form::Form,
    jwt::{self, Unverified},
    server::Issuer,
};
use crate::model::{Act, State, client::Client};

/// Claims that are about the JWT itself.
const OWN: [&str; 7] = ["iss", "aud", "exp", "iat", "nbf", "jti", "sub"];
/// Parameters that may stand beside the JWT with other values: those of the JWT count.
const REPEATED: [&str; 4] = ["state", "nonce", "code_challenge", "code_challenge_method"];
/// How far ahead a JWT may end, in seconds.
const LONGEST: i64 = 3_600;

/// For which requests a client signs: each has a setting of the app that names the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To sign in. Without the setting, any algorithm will do.
    Authorize,
    /// To ask a person on another device, which needs the setting.
    Backchannel,
}

impl Purpose {
    const fn setting(self) -> &'static str {
        match self {
            Self::Authorize => "/oauthClient/request_object_signing_alg",
            Self::Backchannel => "/oauthClient/backchannel_authentication_request_signing_alg",
        }
    }
}

/// The parameters of a request, those of its JWT among them.
///
/// # Errors
/// A JWT that is not the client's or not for this server, is over or was used before, or that says other things than
/// the request itself.
pub(super) fn merged(
    act: &mut Act<'_, '_>,
    issuer: &Issuer,
    client: &Client,
    form: &Form,
    purpose: Purpose,
) -> Result<Form, OAuthError> {
    let Some(text) = form.get("request") else { return Ok(form.clone()) };
    let jwt = Unverified::read(text).ok_or(error::OBJECT)?;
    check_signature(act.state, &jwt, client, purpose)?;
    if jwt.claim("iss") != Some(&client.id) {
        return Err(error::OBJECT_ISSUER);
    }
    check_audience(&jwt, &issuer.url())?;
    check_times(&jwt, act.tx.now)?;
    once(act, &jwt, client)?;
    joined(form, &jwt)
}

fn check_signature(state: &State, jwt: &Unverified<'_>, client: &Client, purpose: Purpose) -> Result<(), OAuthError> {
    let wanted = state.apps.get(&client.app).and_then(|app| app.setting(purpose.setting()).as_str());
    let named = jwt.head("alg").unwrap_or_default();
    if wanted.is_some_and(|wanted| wanted != named) || wanted.is_none() && purpose == Purpose::Backchannel {
        return Err(error::OBJECT_ALGORITHM);
    }
    let algorithm = jwt.algorithm().ok_or(error::OBJECT_ALGORITHM)?;
    let signed = if jwt::is_shared(algorithm) {
        client.secrets.iter().any(|secret| jwt.is_signed_with(secret))
    } else if jwt::is_public(algorithm) {
        let kid = jwt.head("kid");
        let named = |key: &&Value| kid.is_none_or(|kid| key.get("kid").and_then(Value::as_str) == Some(kid));
        client.keys.iter().filter(named).any(|key| jwt.is_signed_by(key))
    } else {
        return Err(error::OBJECT_ALGORITHM);
    };
    if signed { Ok(()) } else { Err(error::OBJECT_SIGNATURE) }
}

fn check_audience(jwt: &Unverified<'_>, issuer: &str) -> Result<(), OAuthError> {
    let is = match jwt.claims.get("aud") {
        Some(Value::String(audience)) => audience == issuer,
        Some(Value::Array(all)) => all.iter().any(|audience| audience == issuer),
        _ => false,
    };
    if is { Ok(()) } else { Err(error::OBJECT_AUDIENCE) }
}

/// Times count where they are said.
fn check_times(jwt: &Unverified<'_>, now: Timestamp) -> Result<(), OAuthError> {
    let now = now.as_secs();
    let ends = |end: i64| end > now && end <= now + LONGEST;
    let begun = |start: i64| start <= now + SKEW;
    let good =
        jwt.seconds("exp").is_none_or(ends) && ["iat", "nbf"].iter().all(|name| jwt.seconds(name).is_none_or(begun));
    if good { Ok(()) } else { Err(error::OBJECT_TIMES) }
}

fn once(act: &mut Act<'_, '_>, jwt: &Unverified<'_>, client: &Client) -> Result<(), OAuthError> {
    let Some(jti) = jwt.claim("jti") else { return Ok(()) };
    let now = act.tx.now;
    let end = jwt.seconds("exp").unwrap_or_else(|| now.as_secs() + LONGEST);
    let end = Timestamp::from_secs(end).after(Duration::from_secs(1));
    let key = SmolStr::from(format!("request/{}/{jti}", client.id));
    let new = act.state.grants.use_once(&mut act.tx.changes, now, key, end);
    if new { Ok(()) } else { Err(error::OBJECT_USED) }
}

fn joined(form: &Form, jwt: &Unverified<'_>) -> Result<Form, OAuthError> {
    let kept = form.iter().filter(|(name, _)| *name != "request");
    let mut all: BTreeMap<String, String> = kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, value) in jwt.claims.iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let other = all.get(name).is_some_and(|own| *own != value);
        if other && !REPEATED.contains(&name.as_str()) {
            return Err(error::OBJECT_REPEATS);
        }
        all.insert(name.clone(), value);
    }
    Form::of(all.into_iter())
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    fn text(claims: &Value) -> String {
        format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn claims_stand_beside_parameters() {
        let form = |pairs: &[(&str, &str)]| Form::of(pairs.iter().copied()).expect("is a form");
        let check = |given: &[(&str, &str)], claims: Value, wanted: Result<&[(&str, &str)], OAuthError>| {
            let text = text(&claims);
            let jwt = Unverified::read(&text).expect("is a JWT");
            assert_eq!(joined(&form(given), &jwt), wanted.map(form), "{claims}");
        };
        check(
            &[("request", "x"), ("state", "s")],
            json!({ "iss": "c", "scope": "openid" }),
            Ok(&[("scope", "openid"), ("state", "s")]),
        );
        check(&[("state", "s")], json!({ "state": "t", "max_age": 5 }), Ok(&[("max_age", "5"), ("state", "t")]));
        check(&[("scope", "a")], json!({ "scope": "a" }), Ok(&[("scope", "a")]));
        check(&[("scope", "a")], json!({ "scope": "b" }), Err(error::OBJECT_REPEATS));
    }

    #[test]
    fn times_count_where_they_are_said() {
        let now = Timestamp::from_secs(1_800_000_000);
        let check = |claims: Value, good: bool| {
            let text = text(&claims);
            assert_eq!(check_times(&Unverified::read(&text).expect("is a JWT"), now).is_ok(), good, "{claims}");
        };
        let at = |seconds: i64| 1_800_000_000 + seconds;
        check(json!({}), true);
        check(json!({ "exp": at(60), "iat": at(0), "nbf": at(0) }), true);
        check(json!({ "exp": at(0) }), false);
        check(json!({ "exp": at(3_601) }), false);
        check(json!({ "iat": at(301) }), false);
        check(json!({ "nbf": at(301) }), false);
    }
}
