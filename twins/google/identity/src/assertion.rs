//! What a service account signs to get a token.
//!
//! See developers.google.com/identity/protocols/oauth2/service-account#jwt-auth.

use std::{sync::Arc, time::Duration};

use dtu_google_workspace::{
    keys::{self, Claims},
    model::{
        State,
        account::Account,
        credential::Service,
        token::{Grant, Holder},
    },
    scopes,
};
use dtu_kernel::time::Timestamp;
use serde_json::Value;
use smol_str::SmolStr;

use crate::error::Error;

/// The grant that such an assertion is brought for (RFC 7523).
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How far a caller's clock may be off.
const SKEW: Duration = Duration::from_secs(300);
/// The longest that an assertion may be good for: an hour, and the skew.
const LIFETIME_MAX: i64 = 3_900;

/// Addresses of Google's own token endpoint, which clients sign for whatever address they call.
const AUDIENCES: &[&str] = &[
    "https://oauth2.googleapis.com/token",
    "https://www.googleapis.com/oauth2/v4/token",
    "https://accounts.google.com/o/oauth2/token",
];

/// What an assertion asks for.
#[derive(Clone, Debug)]
pub enum Asked {
    /// An access token.
    Access(Grant),
    /// An ID token of a service account, for an audience.
    Id(Arc<Service>, String),
}

/// Reads an assertion that a client sent to the endpoint of `origin`.
///
/// # Errors
/// The refusal of the first thing that is wrong: issuer, signature, audience, times, scopes, person.
pub fn read(state: &State, now: Timestamp, origin: &str, jwt: &str) -> Result<Asked, Error> {
    let unreadable = || Error::grant("Invalid JWT Signature.");
    let (claims, key) = keys::peek(jwt).ok_or_else(unreadable)?;
    let issuer = text(&claims, "iss").unwrap_or_default();
    let service = state.services.by_email(issuer);
    let service = service.ok_or_else(|| Error::grant("Invalid JWT: No valid verifier found for issuer"))?;
    let other_key = key.is_some_and(|key| key != service.key_id);
    if other_key || !keys::is_signed(jwt) {
        return Err(unreadable());
    }
    check_audience(&claims, origin)?;
    check_times(&claims, now)?;
    if let Some(audience) = text(&claims, "target_audience") {
        return Ok(Asked::Id(Arc::clone(service), audience.to_owned()));
    }
    let scopes = scopes_of(text(&claims, "scope").unwrap_or_default())?;
    let holder = match text(&claims, "sub").filter(|subject| !subject.is_empty() && *subject != issuer) {
        Some(subject) => Holder::Person(person(state, service, subject)?.id.clone()),
        None => Holder::Service(service.id.clone()),
    };
    Ok(Asked::Access(Grant { holder, issued_to: service.id.clone(), scopes, refresh: None }))
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// One of Google's addresses, or the one that the twin is called at. Google's words for others are inferred from
/// public logs.
fn check_audience(claims: &Claims, origin: &str) -> Result<(), Error> {
    let audience = match claims.get("aud") {
        Some(Value::Array(all)) => all.first().and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    let audience = audience.unwrap_or_default();
    let own = audience
        .strip_prefix(origin)
        .is_some_and(|path| ["/token", "/oauth2/v4/token", "/o/oauth2/token"].contains(&path) && !origin.is_empty());
    if own || AUDIENCES.contains(&audience) {
        return Ok(());
    }
    let right = AUDIENCES[0];
    Err(Error::grant(format!("Invalid JWT: Failed audience check. The right audience is {right}")))
}

/// On the universe's clock: made no later than now, good for an hour at most, and still good.
fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Error> {
    let seconds = |name: &str| {
        let number = claims.get(name)?;
        // Some clients send fractions.
        #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second makes no difference")]
        number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64))
    };
    let skew = SKEW.as_secs().cast_signed();
    let good = seconds("iat").zip(seconds("exp")).is_some_and(|(made, ends)| {
        let lifetime = ends.saturating_sub(made);
        let now = now.as_secs();
        made <= now + skew && ends > now - skew && (1..=LIFETIME_MAX).contains(&lifetime)
    });
    if good {
        return Ok(());
    }
    Err(Error::grant(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and \
         exp values in the JWT claim.",
    ))
}

/// Scopes of a text, which are separated by spaces.
///
/// # Errors
/// Where there are none, or one that Google has not.
pub fn scopes_of(text: &str) -> Result<Vec<SmolStr>, Error> {
    let mut all = Vec::new();
    for scope in text.split_ascii_whitespace() {
        let scope = SmolStr::new(scopes::known(scope).ok_or_else(Error::scope)?);
        if !all.contains(&scope) {
            all.push(scope);
        }
    }
    if all.is_empty() { Err(Error::scope()) } else { Ok(all) }
}

/// The person that a service account wants to act for. What Google says of suspended people is not public; they are
/// refused as people that there are not.
fn person(state: &State, service: &Service, subject: &str) -> Result<Arc<Account>, Error> {
    if !subject.contains('@') {
        return Err(Error::request("Invalid impersonation prn email address."));
    }
    let account = state.accounts.by_email(subject);
    let account = account.ok_or_else(|| Error::grant("Not a valid email or user ID."))?;
    if !service.may_act_for(&account.id) {
        return Err(Error::unauthorized());
    }
    if account.suspended {
        return Err(Error::grant("Invalid email or User ID"));
    }
    Ok(Arc::clone(account))
}
