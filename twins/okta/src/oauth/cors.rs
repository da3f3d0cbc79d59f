//! Calls by pages of other origins: what browsers ask before, and who may read the answer.
//!
//! The origins that an administrator trusts may read all that browsers call, with the session's cookie. Pages of a
//! client may send codes and other grants without being trusted: the token endpoints let the origins of the client's
//! redirect addresses read what they answer. See developer.okta.com/docs/guides/enable-cors/main/ and
//! github.com/okta/okta-developer-docs/pull/1678 (review by Okta), and for the preflights of token endpoints
//! developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/tokenOptions.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene},
    wire::{Answer, Reply, Request},
};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use smol_str::SmolStr;

use super::{form::Form, server::Issuer};
use crate::{
    Caller, Okta,
    error::Error,
    model::{State, client::Client},
};

/// How long a browser keeps the answer, in seconds.
const KEPT: &str = "3600";
/// Where trusted origins are kept.
const ORIGINS: &str = "/api/v1/trustedOrigins";

/// Operations to which pages of a client send grants.
const GRANTING: [&str; 12] = [
    "token",
    "tokenCustomAS",
    "interact",
    "interactCustomAS",
    "par",
    "parCustomAS",
    "challenge",
    "challenge-custom-as",
    "oob-authenticate",
    "oob-authenticate-custom-as",
    "primary-authenticate",
    "primary-authenticate-custom-as",
];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const OPTIONS: &[Method] = &[Method::OPTIONS];
    let (token, par) = ("/oauth2/{authorizationServerId}/v1/token", "/oauth2/{authorizationServerId}/v1/par");
    let granting = vec![
        Operation::read("tokenOptions", OPTIONS, "/oauth2/v1/token", answer),
        Operation::read("tokenOptionsCustomAS", OPTIONS, token, answer),
        Operation::read("parOptions", OPTIONS, "/oauth2/v1/par", answer),
        Operation::read("parOptionsCustomAS", OPTIONS, par, answer),
    ];
    let others = OTHERS.iter().map(|(id, path)| Operation::read(id, OPTIONS, path, ask));
    granting.into_iter().chain(others).map(|row| row.limit("oauth2")).collect()
}

/// What else browsers ask about before pages call it; no public document speaks of these.
const OTHERS: [(&str, &str); 26] = [
    ("interactOptions", "/oauth2/v1/interact"),
    ("interactOptionsCustomAS", "/oauth2/{authorizationServerId}/v1/interact"),
    ("idxIntrospectOptions", "/idp/idx/introspect"),
    ("idxIdentifyOptions", "/idp/idx/identify"),
    ("idxSelectIdentifyOptions", "/idp/idx/identify/select"),
    ("idxCancelOptions", "/idp/idx/cancel"),
    ("idxSkipOptions", "/idp/idx/skip"),
    ("idxChallengeOptions", "/idp/idx/challenge"),
    ("idxAnswerChallengeOptions", "/idp/idx/challenge/answer"),
    ("idxPollChallengeOptions", "/idp/idx/challenge/poll"),
    ("idxPollAuthenticatorsOptions", "/idp/idx/authenticators/poll"),
    ("idxResendChallengeOptions", "/idp/idx/challenge/resend"),
    ("idxEnrollCredentialOptions", "/idp/idx/credential/enroll"),
    ("idxRecoverOptions", "/idp/idx/recover"),
    ("idxEnrollOptions", "/idp/idx/enroll"),
    ("idxEnrollNewOptions", "/idp/idx/enroll/new"),
    ("userinfoOptions", "/oauth2/v1/userinfo"),
    ("userinfoOptionsCustomAS", "/oauth2/{authorizationServerId}/v1/userinfo"),
    ("introspectOptions", "/oauth2/v1/introspect"),
    ("introspectOptionsCustomAS", "/oauth2/{authorizationServerId}/v1/introspect"),
    ("revokeOptions", "/oauth2/v1/revoke"),
    ("revokeOptionsCustomAS", "/oauth2/{authorizationServerId}/v1/revoke"),
    ("keysOptions", "/oauth2/v1/keys"),
    ("keysOptionsCustomAS", "/oauth2/{authorizationServerId}/v1/keys"),
    ("openidConfigurationOptions", "/.well-known/openid-configuration"),
    ("openidConfigurationOptionsCustomAS", "/oauth2/{authorizationServerId}/.well-known/openid-configuration"),
];

/// The origin of the page that calls; none where the org's own pages or programs do.
pub(crate) fn origin(request: &Request) -> Option<&str> {
    request.header(header::ORIGIN).filter(|origin| *origin != request.origin && *origin != "null")
}

/// The origin of the page that calls, where an administrator trusts it.
pub(crate) fn trusted(state: &State, request: &Request) -> Option<SmolStr> {
    let origin = origin(request)?;
    let mut all = state.objects.members(ORIGINS).map(|(_, one)| one);
    let is_cors = |one: &serde_json::Map<String, Value>| {
        let scopes = one.get("scopes").and_then(Value::as_array).into_iter().flatten();
        one.get("status").and_then(Value::as_str) != Some("INACTIVE")
            && one.get("origin").and_then(Value::as_str).is_some_and(|own| own.trim_end_matches('/') == origin)
            && scopes.filter_map(|scope| scope["type"].as_str()).any(|kind| kind == "CORS")
    };
    all.any(is_cors).then(|| origin.into())
}

/// The origin that may read the answer of an operation without an administrator's credential.
pub(super) fn reader(state: &State, scene: &Scene<'_>, client: Option<&Client>) -> Option<SmolStr> {
    let origin = origin(scene.request)?;
    let is_own = |client: &Client| client.redirects.iter().any(|address| of(address) == Some(origin));
    let granting = GRANTING.contains(&scene.operation.id);
    let own = client.filter(|client| granting && is_own(client)).map(|_| origin.into());
    own.or_else(|| trusted(state, scene.request))
}

/// The origin of an address: all before its path.
fn of(address: &str) -> Option<&str> {
    let start = address.find("://")? + 3;
    let end = address[start..].find(['/', '?', '#']).map_or(address.len(), |at| start + at);
    Some(&address[..end])
}

/// An answer that the page may read, if it may.
pub(crate) fn readable(mut reply: Reply, scene: &Scene<'_>, caller: Option<&Caller>) -> Reply {
    let Some(origin) = caller.and_then(|caller| caller.reader.as_ref()) else { return reply };
    if reply.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) || scene.request.method == Method::OPTIONS {
        return reply;
    }
    reply.set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    reply.fix(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    reply.headers.append(header::VARY, HeaderValue::from_static("Origin"));
    reply
}

/// Whether the call itself is let through depends on the client; the question about grants is always answered with the
/// origin that asks.
fn answer(cx: &Read<'_, Okta>, _: Form) -> Result<Typed<()>, Error> {
    Issuer::of(cx.state, cx.scene.request)?;
    let answer = Answer::empty(StatusCode::NO_CONTENT).with_header(header::VARY, "Origin");
    let Some(origin) = cx.scene.request.header(header::ORIGIN) else { return Ok(Typed::from_answer(answer)) };
    let answer = answer
        .with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin)
        .with_header(header::ACCESS_CONTROL_ALLOW_METHODS, "POST")
        .with_header(header::ACCESS_CONTROL_MAX_AGE, KEPT);
    Ok(Typed::from_answer(answer))
}

/// Other questions are answered to trusted origins only.
fn ask(cx: &Read<'_, Okta>, _: Form) -> Result<Typed<()>, Error> {
    Issuer::of(cx.state, cx.scene.request)?;
    let request = cx.scene.request;
    let answer = Answer::empty(StatusCode::NO_CONTENT).with_header(header::VARY, "Origin");
    let Some(origin) = trusted(cx.state, request) else { return Ok(Typed::from_answer(answer)) };
    let method = request.header(header::ACCESS_CONTROL_REQUEST_METHOD).unwrap_or("GET");
    let mut answer = answer
        .with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin)
        .with_header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true")
        .with_header(header::ACCESS_CONTROL_ALLOW_METHODS, method)
        .with_header(header::ACCESS_CONTROL_MAX_AGE, KEPT);
    if let Some(headers) = request.header(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        answer = answer.with_header(header::ACCESS_CONTROL_ALLOW_HEADERS, headers);
    }
    Ok(Typed::from_answer(answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_an_address_is_all_before_its_path() {
        let check = |address: &str, wanted: Option<&str>| assert_eq!(of(address), wanted, "{address}");
        check("https://a.example/cb", Some("https://a.example"));
        check("https://a.example:8080/cb?x", Some("https://a.example:8080"));
        check("http://localhost", Some("http://localhost"));
        check("http://localhost?x", Some("http://localhost"));
        check("com.example.app:/cb", None);
    }
}
