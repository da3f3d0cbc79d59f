//! How a client shows at an endpoint that it is itself.
//!
//! See developer.okta.com/docs/api/openapi/okta-oauth/guides/client-auth/.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::{time::Timestamp, tx::Tx, wire::Request};
use http::header;
use percent::decoded;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    error::{self, OAuthError},
    form::Form,
    jwt::{self, Unverified},
};
use crate::model::{
    State,
    client::{AuthMethod, Client},
};

/// The only kind of assertion (RFC 7523).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far ahead an assertion may end.
const LONGEST: i64 = 3_600;

/// What a client shows.
enum Shown<'a> {
    Basic(SmolStr, String),
    Post(&'a str, &'a str),
    Assertion(&'a str),
    Id(&'a str),
}

/// The client that calls an endpoint.
///
/// # Errors
/// Credentials that are missing, of another kind than the client's, or not believed.
pub fn client(state: &mut State, tx: &mut Tx<'_>, request: &Request, form: &Form) -> Result<Arc<Client>, OAuthError> {
    match shown(request, form)? {
        Shown::Basic(id, secret) => by_secret(state, &id, &secret, AuthMethod::ClientSecretBasic),
        Shown::Post(id, secret) => by_secret(state, id, secret, AuthMethod::ClientSecretPost),
        Shown::Assertion(text) => by_assertion(state, tx, request, form, text),
        Shown::Id(id) => match live(state, id).ok_or(error::CLIENT_ID)? {
            client if client.method == AuthMethod::None => Ok(client),
            _ => Err(error::CLIENT),
        },
    }
}

fn shown<'a>(request: &Request, form: &'a Form) -> Result<Shown<'a>, OAuthError> {
    let basic = request.header(header::AUTHORIZATION).filter(|value| is_basic(value));
    let (secret, assertion) = (form.get("client_secret"), form.get("client_assertion"));
    if usize::from(basic.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some()) > 1 {
        return Err(error::MANY_CREDENTIALS);
    }
    if let Some(value) = basic {
        let (id, secret) = basic_pair(value).ok_or(error::BAD_BASIC)?;
        if form.get("client_id").is_some_and(|named| named != id) {
            return Err(error::CLIENT_ID);
        }
        return Ok(Shown::Basic(id, secret));
    }
    if let Some(text) = assertion {
        return if form.get("client_assertion_type") == Some(ASSERTION_TYPE) {
            Ok(Shown::Assertion(text))
        } else {
            Err(error::ASSERTION_TYPE)
        };
    }
    let id = form.get("client_id").ok_or(error::NO_CREDENTIALS)?;
    Ok(secret.map_or(Shown::Id(id), |secret| Shown::Post(id, secret)))
}

fn is_basic(value: &str) -> bool {
    value.trim().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "))
}

/// Id and secret of the header, both encoded as in forms (RFC 6749, section 2.3.1). Okta's own library for pages sends
/// the id alone where it revokes tokens: github.com/okta/okta-auth-js (`lib/oidc/revokeToken.ts`).
fn basic_pair(value: &str) -> Option<(SmolStr, String)> {
    let bytes = STANDARD.decode(value.trim().get(6..)?.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':').unwrap_or((&text, ""));
    Some((decoded(id).into(), decoded(secret)))
}

/// The client id that a request names, believed or not: for the ledger.
pub fn declared(request: &Request, form: &Form) -> Option<SmolStr> {
    let basic = request.header(header::AUTHORIZATION).filter(|value| is_basic(value)).and_then(basic_pair);
    let asserted = || form.get("client_assertion").and_then(|text| Some(Unverified::read(text)?.claim("sub")?.into()));
    basic.map(|(id, _)| id).or_else(|| form.get("client_id").map(SmolStr::new)).or_else(asserted)
}

fn live(state: &State, id: &str) -> Option<Arc<Client>> {
    state.clients.get(id).filter(|client| client.active).cloned()
}

/// Okta takes a secret in header and form alike, whichever of the two the client is set up for.
fn by_secret(state: &State, id: &str, secret: &str, way: AuthMethod) -> Result<Arc<Client>, OAuthError> {
    let client = live(state, id).ok_or(error::CLIENT_ID)?;
    let by_secret = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];
    if !by_secret.contains(&client.method) {
        // Some libraries send an empty secret for clients that have none.
        let public = client.method == AuthMethod::None && secret.is_empty() && way == AuthMethod::ClientSecretBasic;
        return if public { Ok(client) } else { Err(error::CLIENT) };
    }
    if client.has_secret(secret) { Ok(client) } else { Err(error::SECRET) }
}

fn by_assertion(
    state: &mut State,
    tx: &mut Tx<'_>,
    request: &Request,
    form: &Form,
    text: &str,
) -> Result<Arc<Client>, OAuthError> {
    let jwt = Unverified::read(text).ok_or(error::ASSERTION_UNREADABLE)?;
    let issuer = jwt.claim("iss").ok_or(error::ASSERTION_ISSUER)?;
    let client = live(state, issuer).ok_or(error::ASSERTION_ISSUER)?;
    if jwt.claim("sub") != Some(&client.id) {
        return Err(error::ASSERTION_SUBJECT);
    }
    if form.get("client_id").is_some_and(|id| id != client.id) {
        return Err(error::CLIENT_ID);
    }
    check_signature(&jwt, &client)?;
    if !is_for(&jwt, request) {
        return Err(error::ASSERTION_AUDIENCE);
    }
    let expires = check_times(&jwt, tx.now)?;
    if let Some(jti) = jwt.claim("jti") {
        let key = SmolStr::from(format!("{}/{jti}", client.id));
        // Kept as long as the assertion itself could be believed.
        let end = Timestamp::from_secs(expires).after(Duration::from_secs(1));
        if !state.grants.use_once(&mut tx.changes, tx.now, key, end) {
            return Err(error::ASSERTION_USED);
        }
    }
    Ok(client)
}

fn check_signature(jwt: &Unverified<'_>, client: &Client) -> Result<(), OAuthError> {
    let algorithm = jwt.algorithm().ok_or(error::ASSERTION_ALGORITHM)?;
    match client.method {
        AuthMethod::ClientSecretJwt if jwt::is_shared(algorithm) => {
            if client.secrets.is_empty() {
                return Err(error::ASSERTION_NO_SECRET);
            }
            let signed = client.secrets.iter().any(|secret| jwt.is_signed_with(secret));
            if signed { Ok(()) } else { Err(error::ASSERTION_SIGNATURE) }
        }
        AuthMethod::PrivateKeyJwt if jwt::is_public(algorithm) => check_key(jwt, client),
        AuthMethod::ClientSecretJwt | AuthMethod::PrivateKeyJwt => Err(error::ASSERTION_ALGORITHM),
        _ => Err(error::CLIENT),
    }
}

fn check_key(jwt: &Unverified<'_>, client: &Client) -> Result<(), OAuthError> {
    if client.keys.is_empty() {
        return Err(error::ASSERTION_NO_KEYS);
    }
    let kid = jwt.head("kid");
    let named = |key: &&Value| kid.is_none_or(|kid| key.get("kid").and_then(Value::as_str) == Some(kid));
    // A client with one key need not name it.
    let mut fitting = client.keys.iter().filter(named).peekable();
    if fitting.peek().is_none() || kid.is_none() && client.keys.len() > 1 {
        return Err(error::ASSERTION_KID);
    }
    if fitting.any(|key| jwt.is_signed_by(key)) { Ok(()) } else { Err(error::ASSERTION_SIGNATURE) }
}

/// Whether the audience is the endpoint that is called, at the address by which it is called.
fn is_for(jwt: &Unverified<'_>, request: &Request) -> bool {
    let endpoint = format!("{}{}", request.origin, request.path);
    // Clients whose configured address ends in a slash sign for two of them.
    let is = |audience: &str| {
        let rest = audience.strip_prefix(request.origin.as_str());
        audience == endpoint || rest.is_some_and(|path| dtu_kernel::wire::merge_slashes(path) == request.path)
    };
    match jwt.claims.get("aud") {
        Some(Value::String(audience)) => is(audience),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(is),
        _ => false,
    }
}

/// On the universe's clock: not ended, not too long, made already. When it ends, in seconds.
fn check_times(jwt: &Unverified<'_>, now: Timestamp) -> Result<i64, OAuthError> {
    let expires = jwt.seconds("exp").ok_or(error::ASSERTION_NO_EXPIRY)?;
    let now = now.as_secs();
    if expires <= now {
        return Err(error::ASSERTION_EXPIRED);
    }
    if expires > now + LONGEST {
        return Err(error::ASSERTION_TOO_FAR);
    }
    // Clocks of callers may be somewhat ahead.
    if jwt.seconds("iat").is_some_and(|made| made > now + super::SKEW) {
        return Err(error::ASSERTION_FUTURE);
    }
    Ok(expires)
}

mod percent {
    /// A part of a form, decoded.
    pub(super) fn decoded(text: &str) -> String {
        // One pair whose name is empty: its value is the text.
        let pair = format!("={text}");
        let mut pairs = form_urlencoded::parse(pair.as_bytes());
        let whole = !text.contains('&');
        pairs.next().filter(|_| whole).map_or_else(|| text.to_owned(), |(_, value)| value.into_owned())
    }
}
