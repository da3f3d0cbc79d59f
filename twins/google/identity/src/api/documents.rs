//! What clients read before they call: keys, addresses, and one address that is on another host.

use dtu_google_workspace::{keys, scopes};
use dtu_kernel::{operation::Typed, twin::Read};
use http::header;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Nothing;
use crate::{Identity, assertion, error::Error};

/// `openid.certs`: the keys that ID tokens are signed with.
pub fn certs(_: &Read<'_, Identity>, _: Nothing) -> Result<Typed<Value>, Error> {
    Ok(Typed::ok(&keys::key_set()).with_header(header::CACHE_CONTROL, "public, max-age=21600"))
}

/// Where everything is, by `OpenID` Connect Discovery 1.0.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Configuration {
    issuer: &'static str,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    revocation_endpoint: String,
    jwks_uri: String,
    response_types_supported: &'static [&'static str],
    subject_types_supported: &'static [&'static str],
    id_token_signing_alg_values_supported: &'static [&'static str],
    scopes_supported: &'static [&'static str],
    token_endpoint_auth_methods_supported: &'static [&'static str],
    claims_supported: &'static [&'static str],
    code_challenge_methods_supported: &'static [&'static str],
    grant_types_supported: &'static [&'static str],
}

/// Who signs ID tokens, whatever address the twin has: clients hold it against a constant.
pub(crate) const ISSUER: &str = "https://accounts.google.com";

/// `openid.configuration`.
pub fn configuration(cx: &Read<'_, Identity>, _: Nothing) -> Result<Typed<Configuration>, Error> {
    let origin = &cx.scene.request.origin;
    Ok(Typed::ok(&Configuration {
        issuer: ISSUER,
        authorization_endpoint: format!("{origin}/o/oauth2/v2/auth"),
        token_endpoint: format!("{origin}/token"),
        userinfo_endpoint: format!("{origin}/v1/userinfo"),
        revocation_endpoint: format!("{origin}/revoke"),
        jwks_uri: format!("{origin}/oauth2/v3/certs"),
        response_types_supported: &["code", "token", "id_token", "code token", "code id_token", "none"],
        subject_types_supported: &["public"],
        id_token_signing_alg_values_supported: &["RS256"],
        scopes_supported: &[scopes::OPENID, "email", "profile"],
        token_endpoint_auth_methods_supported: &["client_secret_post", "client_secret_basic"],
        claims_supported: &[
            "aud",
            "email",
            "email_verified",
            "exp",
            "family_name",
            "given_name",
            "iat",
            "iss",
            "name",
            "picture",
            "sub",
        ],
        code_challenge_methods_supported: &["plain", "S256"],
        grant_types_supported: &["authorization_code", "refresh_token", assertion::JWT_BEARER],
    })
    .with_header(header::CACHE_CONTROL, "public, max-age=3600"))
}

/// `iamcredentials.allowedLocations`: client libraries ask once where a service account may be used from, and go on
/// whatever the answer is. A world restricts nobody, so there is nothing to tell.
pub fn allowed_locations(_: &Read<'_, Identity>, _: Nothing) -> Result<Typed<()>, Error> {
    Err(Error::NotFound)
}
