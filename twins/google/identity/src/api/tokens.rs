//! Tokens: made, looked at, revoked.
//!
//! See developers.google.com/identity/protocols/oauth2/web-server and .../service-account.

use std::sync::Arc;

use dtu_google_workspace::{
    keys::{self, Claims},
    model::{
        State,
        credential::{Client, Service},
        token::{Grant, Kind, LIFETIME, Token},
    },
    scopes::{EMAIL, OPENID},
};
use dtu_kernel::{
    operation::Typed,
    time::Timestamp,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    documents::ISSUER,
    people::{holder_id, shows_holder},
};
use crate::{
    Identity,
    assertion::{self, Asked, JWT_BEARER},
    error::Error,
};

/// Grants that Google has and the twin has not: they begin on pages for people.
const ABSENT: &[&str] =
    &["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "http://oauth.net/grant_type/device/1.0"];

/// Arguments of the token endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Wanted {
    grant_type: Option<String>,
    assertion: Option<String>,
    refresh_token: Option<String>,
    scope: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// A token as the endpoint gives it out.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Given {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// Something that must be there, and not be empty.
fn required<'a>(value: Option<&'a String>, name: &str) -> Result<&'a str, Error> {
    value.map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| Error::missing(name))
}

/// `oauth2.token`.
pub fn token(cx: &mut Write<'_, '_, Identity>, args: Wanted) -> Result<Typed<Given>, Error> {
    match required(args.grant_type.as_ref(), "grant_type")? {
        JWT_BEARER => by_assertion(cx, required(args.assertion.as_ref(), "assertion")?),
        "refresh_token" => refresh(cx, &args),
        absent if ABSENT.contains(&absent) => {
            client(cx.state, &args)?;
            // Nobody can have been given a code, so what is sent is none.
            Err(Error::grant("Bad Request").as_gap())
        }
        other => Err(Error::grant_type(other)),
    }
}

fn by_assertion(cx: &mut Write<'_, '_, Identity>, jwt: &str) -> Result<Typed<Given>, Error> {
    match assertion::read(cx.state, cx.scene.now, &cx.scene.request.origin, jwt)? {
        Asked::Access(grant) => {
            let token = cx.state.tokens.issue(cx.tx, grant, true);
            Ok(Typed::ok(&Given { id_token: None, ..given(&token) }))
        }
        Asked::Id(service, audience) => {
            let id_token = Some(sign_for_service(&service, &audience, cx.scene.now));
            Ok(Typed::ok(&Given { id_token, ..Given::default() }))
        }
    }
}

fn given(token: &Token) -> Given {
    Given {
        access_token: Some(token.value.clone()),
        expires_in: Some(LIFETIME.as_secs()),
        token_type: Some("Bearer"),
        ..Given::default()
    }
}

/// The client that calls, by form or by header. The words for what is missing are from public logs.
fn client(state: &State, args: &Wanted) -> Result<Arc<Client>, Error> {
    let named = |value: &'_ Option<String>| value.clone().filter(|value| !value.is_empty());
    let id = named(&args.client_id).ok_or_else(|| Error::request("Could not determine client ID from request."))?;
    let client = state.clients.get(&id).ok_or_else(|| Error::client("The OAuth client was not found."))?;
    let secret = named(&args.client_secret).ok_or_else(|| Error::request("client_secret is missing."))?;
    if secret == client.secret { Ok(Arc::clone(client)) } else { Err(Error::client("Unauthorized")) }
}

fn refresh(cx: &mut Write<'_, '_, Identity>, args: &Wanted) -> Result<Typed<Given>, Error> {
    let client = client(cx.state, args)?;
    let value = required(args.refresh_token.as_ref(), "refresh_token")?;
    let root = cx.state.tokens.by_value(value).filter(|token| token.kind == Kind::Refresh);
    let root = root.cloned().ok_or_else(|| Error::grant("Bad Request"))?;
    if root.issued_to != client.id {
        return Err(Error::unauthorized());
    }
    if !root.is_good(cx.scene.now) || !cx.state.is_live(&root.holder) {
        return Err(Error::grant("Token has been expired or revoked."));
    }
    let scopes = match args.scope.as_deref().filter(|scope| !scope.trim().is_empty()) {
        Some(fewer) => assertion::scopes_of(fewer)?,
        None => root.scopes.clone(),
    };
    if scopes.iter().any(|scope| !root.scopes.contains(scope)) {
        return Err(Error::scope());
    }
    let grant =
        Grant { holder: root.holder.clone(), issued_to: client.id.clone(), scopes, refresh: Some(root.id.clone()) };
    let token = cx.state.tokens.issue(cx.tx, grant, false);
    let id_token = token.has_one_of(&[OPENID]).then(|| sign_for_person(cx.state, &token, cx.scene.now));
    Ok(Typed::ok(&Given { scope: Some(token.scope_text()), id_token, ..given(&token) }))
}

/// An ID token is good for an hour.
fn id_claims(audience: &str, subject: &str, issued_to: &str, now: Timestamp) -> Claims {
    let made = now.as_secs();
    let claims = json!({
        "iss": ISSUER, "azp": issued_to, "aud": audience, "sub": subject, "iat": made, "exp": made + 3_600,
    });
    claims.as_object().cloned().unwrap_or_default()
}

fn sign_for_service(service: &Service, audience: &str, now: Timestamp) -> String {
    let mut claims = id_claims(audience, &service.id, &service.id, now);
    claims.insert("email".to_owned(), json!(service.email));
    claims.insert("email_verified".to_owned(), json!(true));
    keys::sign(&claims)
}

fn sign_for_person(state: &State, token: &Token, now: Timestamp) -> String {
    let mut claims = id_claims(&token.issued_to, &holder_id(token), &token.issued_to, now);
    claims.insert("hd".to_owned(), json!(state.domain));
    if token.has_one_of(&[EMAIL]) {
        claims.insert("email".to_owned(), json!(state.email(&token.holder)));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    keys::sign(&claims)
}

/// Arguments of calls about one token.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Which {
    token: Option<String>,
    access_token: Option<String>,
    id_token: Option<String>,
}

/// An empty object.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Empty {}

/// `oauth2.revoke`.
pub fn revoke(cx: &mut Write<'_, '_, Identity>, args: Which) -> Result<Typed<Empty>, Error> {
    let value = required(args.token.as_ref(), "token")?;
    let found = cx.state.tokens.by_value(value).filter(|token| token.is_good(cx.scene.now)).cloned();
    let found = found.ok_or_else(|| Error::token("Token expired or revoked"))?;
    cx.state.tokens.revoke(&mut cx.tx.changes, &found);
    Ok(Typed::ok(&Empty {}))
}

/// An access token that is good, of arguments that name one.
fn shown<'a>(cx: &'a Read<'_, Identity>, args: &Which) -> Result<(&'a Token, i64), Error> {
    let value = required(args.access_token.as_ref(), "access_token")?;
    let token = dtu_google_workspace::auth::good_token(cx.state, value, cx.scene.now);
    let token = token.ok_or_else(|| Error::token("Invalid Value"))?;
    let left = token.expires.map_or(0, |end| end.since(cx.scene.now).as_secs());
    Ok((token, i64::try_from(left).unwrap_or(i64::MAX)))
}

/// How a token was got: with a person away, or there.
fn access_type(token: &Token) -> &'static str {
    let away = token.refresh.is_some();
    if away { "offline" } else { "online" }
}

/// `oauth2.tokeninfo.v3`: all values are texts.
pub fn info(cx: &Read<'_, Identity>, args: Which) -> Result<Typed<Value>, Error> {
    if let Some(jwt) = &args.id_token {
        return id_info(jwt, cx.scene.now);
    }
    let (token, left) = shown(cx, &args)?;
    let mut info = json!({ "azp": token.issued_to, "aud": token.issued_to });
    if shows_holder(token) {
        info["sub"] = json!(holder_id(token));
    }
    info["scope"] = json!(token.scope_text());
    info["exp"] = json!((cx.scene.now.as_secs() + left).to_string());
    info["expires_in"] = json!(left.to_string());
    if token.has_one_of(&[EMAIL]) {
        info["email"] = json!(cx.state.email(&token.holder));
        info["email_verified"] = json!("true");
    }
    info["access_type"] = json!(access_type(token));
    Ok(Typed::ok(&info))
}

/// What an ID token of this twin says, with what its head says.
fn id_info(jwt: &str, now: Timestamp) -> Result<Typed<Value>, Error> {
    let bad = || Error::token("Invalid Value");
    let (claims, key) = keys::peek(jwt).filter(|_| keys::is_signed(jwt)).ok_or_else(bad)?;
    let issued_here = claims.get("iss").and_then(Value::as_str) == Some(ISSUER);
    let ends = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
    if !issued_here || ends <= now.as_secs() {
        return Err(bad());
    }
    let as_text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut info: Claims = claims.iter().map(|(name, value)| (name.clone(), json!(as_text(value)))).collect();
    for (name, value) in [("alg", "RS256"), ("kid", key.as_deref().unwrap_or_default()), ("typ", "JWT")] {
        info.insert(name.to_owned(), json!(value));
    }
    Ok(Typed::ok(&Value::Object(info)))
}

/// A token as the oauth2 API shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenInfo {
    issued_to: SmolStr,
    audience: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<SmolStr>,
    scope: String,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_email: Option<bool>,
    access_type: &'static str,
}

/// `oauth2.tokeninfo`.
pub fn info_v2(cx: &Read<'_, Identity>, args: Which) -> Result<Typed<TokenInfo>, Error> {
    let (token, left) = shown(cx, &args)?;
    let email = if token.has_one_of(&[EMAIL]) { cx.state.email(&token.holder).cloned() } else { None };
    Ok(Typed::ok(&TokenInfo {
        issued_to: token.issued_to.clone(),
        audience: token.issued_to.clone(),
        user_id: shows_holder(token).then(|| holder_id(token)),
        scope: token.scope_text(),
        // The document has 32 bits for it.
        expires_in: left.min(i64::from(i32::MAX)),
        verified_email: email.as_ref().map(|_| true),
        email,
        access_type: access_type(token),
    }))
}
