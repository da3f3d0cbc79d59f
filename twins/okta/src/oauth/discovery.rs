//! What authorization servers say of themselves: metadata and keys.

use std::time::Duration;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Scene},
    wire::Reply,
};
use http::{StatusCode, header};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    backchannel, direct,
    error::{self},
    form::Form,
    server::Issuer,
    token::DEVICE_GRANT,
};
use crate::{Okta, error::Error, model::authorization_server::scope::Publish};

const METHODS: [&str; 5] =
    ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];
const CLAIMS: [&str; 31] = [
    "iss",
    "ver",
    "sub",
    "aud",
    "iat",
    "exp",
    "jti",
    "auth_time",
    "amr",
    "idp",
    "nonce",
    "name",
    "nickname",
    "preferred_username",
    "given_name",
    "middle_name",
    "family_name",
    "email",
    "email_verified",
    "profile",
    "zoneinfo",
    "locale",
    "address",
    "phone_number",
    "picture",
    "website",
    "gender",
    "birthdate",
    "updated_at",
    "at_hash",
    "c_hash",
];
/// What clients may sign with here: the elliptic curve that the twin cannot check is left out.
const CLIENT_ALGORITHMS: [&str; 8] = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384"];

fn metadata(cx: &Read<'_, Okta>, form: &Form, openid: bool) -> Result<Map<String, Value>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    if form.get("client_id").is_some_and(|id| cx.state.clients.get(id).is_none_or(|client| !client.active)) {
        return Err(error::CLIENT_ID.at(400).into());
    }
    let at = |name: &str| json!(issuer.endpoint(name));
    let mut said = super::mint::object(json!({
        "issuer": issuer.url(),
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "registration_endpoint": format!("{}/oauth2/v1/clients", issuer.origin),
        "jwks_uri": at("keys"),
        "response_types_supported": if openid { &RESPONSES[1..] } else { &RESPONSES[..] },
        "response_modes_supported": ["query", "fragment", "form_post", "okta_post_message"],
        "grant_types_supported": grants(openid),
        "subject_types_supported": ["public"],
        "scopes_supported": scopes(&issuer),
        "token_endpoint_auth_methods_supported": METHODS,
        "claims_supported": CLAIMS,
        "code_challenge_methods_supported": ["S256"],
        "introspection_endpoint": at("introspect"),
        "introspection_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint": at("revoke"),
        "revocation_endpoint_auth_methods_supported": METHODS,
        "end_session_endpoint": at("logout"),
        "request_parameter_supported": true,
        "request_object_signing_alg_values_supported": CLIENT_ALGORITHMS,
        "device_authorization_endpoint": at("device/authorize"),
        "pushed_authorization_request_endpoint": at("par"),
        "backchannel_token_delivery_modes_supported": ["poll"],
        "backchannel_authentication_request_signing_alg_values_supported": CLIENT_ALGORITHMS,
        "dpop_signing_alg_values_supported": &CLIENT_ALGORITHMS[3..],
        "token_endpoint_auth_signing_alg_values_supported": CLIENT_ALGORITHMS,
    }));
    if openid {
        said.insert("userinfo_endpoint".to_owned(), at("userinfo"));
        said.insert("id_token_signing_alg_values_supported".to_owned(), json!(["RS256"]));
    }
    Ok(said)
}

/// What may be asked for: `OpenID` Connect has nothing for a token alone.
const RESPONSES: [&str; 7] =
    ["token", "code", "id_token", "code id_token", "code token", "id_token token", "code id_token token"];

/// The grants that metadata speak of, in the order of real answers: those of `OpenID` Connect leave out the one that is
/// about nobody. Where CIBA begins they do not say.
fn grants(openid: bool) -> Vec<&'static str> {
    const ALL: [&str; 11] = [
        "authorization_code",
        "implicit",
        "refresh_token",
        "password",
        "client_credentials",
        DEVICE_GRANT,
        backchannel::GRANT,
        direct::OTP,
        direct::MFA_OTP,
        direct::OOB,
        direct::MFA_OOB,
    ];
    ALL.into_iter().filter(|grant| !openid || *grant != "client_credentials").collect()
}

/// The scopes that metadata speak of: a custom server's own only where they are made public.
fn scopes(issuer: &Issuer) -> Vec<SmolStr> {
    let Some(server) = &issuer.server else { return issuer.scopes() };
    let own = server.scopes.iter().filter(|scope| scope.metadata_publish == Publish::AllClients);
    let (system, own): (Vec<_>, Vec<_>) = own.partition(|scope| scope.system);
    system.into_iter().chain(own).map(|scope| scope.name.clone()).collect()
}

/// `getWellKnownOpenIDConfiguration` and its sibling of custom servers.
pub fn openid(cx: &Read<'_, Okta>, form: Form) -> Result<Typed<Map<String, Value>>, Error> {
    Ok(Typed::ok(&metadata(cx, &form, true)?))
}

/// `getWellKnownOAuthConfigurationCustomAS`, and the org's own (RFC 8414).
pub fn oauth(cx: &Read<'_, Okta>, form: Form) -> Result<Typed<Map<String, Value>>, Error> {
    Ok(Typed::ok(&metadata(cx, &form, false)?))
}

/// `oauthKeys`, `oauthKeysCustomAS`. No client here has keys of its own, so that naming one changes nothing.
pub fn keys(cx: &Read<'_, Okta>, form: Form) -> Result<Typed<Value>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    if form.get("client_id").is_some_and(|id| cx.state.clients.get(id).is_none()) {
        return Err(error::CLIENT_ID.into());
    }
    Ok(Typed::ok(&json!({ "keys": issuer.published(cx.scene.now) })))
}

/// Metadata may be kept for a day, as real answers say.
pub(crate) fn kept(mut reply: Reply, scene: &Scene<'_>) -> Reply {
    const A_DAY: Duration = Duration::from_secs(86_400);
    if scene.operation.limit != "oauth2 documents" || !scene.request.path.contains("/.well-known/") {
        return reply;
    }
    if reply.status == StatusCode::OK {
        reply.fix(header::CACHE_CONTROL, "max-age=86400, must-revalidate");
        reply.headers.remove(header::PRAGMA);
        reply.set(header::EXPIRES, &scene.now.after(A_DAY).http_date());
    }
    reply
}
