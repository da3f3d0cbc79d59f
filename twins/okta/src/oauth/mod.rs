//! OAuth 2.0 and `OpenID` Connect: the org's own authorization server, and custom ones.
//!
//! Clients, codes and tokens are rows of the state; keys follow from the universe's clock. Everything that is signed is
//! signed with test keys that are part of the program.

pub mod authorize;
pub mod backchannel;
pub mod bearer;
pub mod client_auth;
pub mod cors;
pub mod device;
pub mod direct;
pub mod discovery;
pub mod dpop;
pub mod error;
pub mod exchange;
pub mod expression;
pub mod form;
pub mod inspect;
pub mod jwt;
pub mod keys;
pub mod log;
pub mod logout;
pub mod mint;
pub mod page;
pub mod par;
mod request_object;
pub mod rules;
pub mod scripted;
pub mod server;
pub mod session;
pub mod token;
pub mod world;

use dtu_kernel::{
    operation::{Operation, OperationInfo},
    twin::Scene,
};
use http::Method;
use smol_str::SmolStr;

use crate::{Caller, Okta, model::State};

/// How far a caller's clock may be ahead, in seconds.
pub const SKEW: i64 = 300;

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

/// Whether an operation is called without an administrator's credential, and takes forms.
pub fn serves(operation: &OperationInfo) -> bool {
    operation.limit.starts_with("oauth2")
}

/// The caller of such an operation, which shows only there who it is: named as it calls itself, for the ledger.
pub fn nobody(state: &State, scene: &Scene<'_>) -> Caller {
    let form = form::Form::read(scene.request).unwrap_or_default();
    let client = client_auth::declared(scene.request, &form).and_then(|id| state.clients.get(&id));
    Caller {
        user: SmolStr::default(),
        token: SmolStr::default(),
        name: client.map(|client| client.name.clone()).unwrap_or_default(),
        client: client.map(|client| client.id.clone()),
        share: crate::limits::WHOLE,
        reader: cors::reader(state, scene, client.map(std::convert::AsRef::as_ref)),
    }
}

/// The operations of all authorization servers.
pub fn operations() -> Vec<Operation<Okta>> {
    [tokens(), elsewhere(), cors::operations(), sign_in(), documents(), pages()].into_iter().flatten().collect()
}

fn tokens() -> Vec<Operation<Okta>> {
    const TOKEN: &str = "oauth2 token";
    const OTHER: &str = "oauth2";
    vec![
        Operation::write("token", POST, "/oauth2/v1/token", token::token).then(token::hooked).limit(TOKEN),
        Operation::write("tokenCustomAS", POST, "/oauth2/{authorizationServerId}/v1/token", token::token)
            .then(token::hooked)
            .limit(TOKEN),
        Operation::write("introspect", POST, "/oauth2/v1/introspect", inspect::introspect).limit(OTHER),
        Operation::write(
            "introspectCustomAS",
            POST,
            "/oauth2/{authorizationServerId}/v1/introspect",
            inspect::introspect,
        )
        .limit(OTHER),
        Operation::write("revoke", POST, "/oauth2/v1/revoke", inspect::revoke).limit(OTHER),
        Operation::write("revokeCustomAS", POST, "/oauth2/{authorizationServerId}/v1/revoke", inspect::revoke)
            .limit(OTHER),
        Operation::read("userinfo", GET, "/oauth2/v1/userinfo", inspect::userinfo).limit(OTHER),
        Operation::read("userinfoCustomAS", GET, "/oauth2/{authorizationServerId}/v1/userinfo", inspect::userinfo)
            .limit(OTHER),
        Operation::write("deviceAuthorize", POST, "/oauth2/v1/device/authorize", device::authorize).limit(OTHER),
        Operation::write(
            "deviceAuthorizeCustomAS",
            POST,
            "/oauth2/{authorizationServerId}/v1/device/authorize",
            device::authorize,
        )
        .limit(OTHER),
        Operation::write("par", POST, "/oauth2/v1/par", par::push).limit(OTHER),
        Operation::write("parCustomAS", POST, "/oauth2/{authorizationServerId}/v1/par", par::push).limit(OTHER),
    ]
}

/// What people are asked for elsewhere than in a browser.
fn elsewhere() -> Vec<Operation<Okta>> {
    use backchannel::authorize;
    use direct::{challenge, primary};
    const CUSTOM: [&str; 4] = [
        "/oauth2/{authorizationServerId}/v1/bc/authorize",
        "/oauth2/{authorizationServerId}/v1/challenge",
        "/oauth2/{authorizationServerId}/v1/oob-authenticate",
        "/oauth2/{authorizationServerId}/v1/primary-authenticate",
    ];
    let rows = vec![
        Operation::write("bcAuthorize", POST, "/oauth2/v1/bc/authorize", authorize),
        Operation::write("bcAuthorizeCustomAS", POST, CUSTOM[0], authorize),
        Operation::write("challenge", POST, "/oauth2/v1/challenge", challenge),
        Operation::write("challenge-custom-as", POST, CUSTOM[1], challenge),
        Operation::write("oob-authenticate", POST, "/oauth2/v1/oob-authenticate", primary),
        Operation::write("oob-authenticate-custom-as", POST, CUSTOM[2], primary),
        Operation::write("primary-authenticate", POST, "/oauth2/v1/primary-authenticate", primary),
        Operation::write("primary-authenticate-custom-as", POST, CUSTOM[3], primary),
    ];
    rows.into_iter().map(|row| row.limit("oauth2")).collect()
}

fn sign_in() -> Vec<Operation<Okta>> {
    const LIMIT: &str = "oauth2 authorize";
    use authorize::{authorize as of, hooked};
    use logout::logout as out;
    vec![
        Operation::write("authorize", GET, "/oauth2/v1/authorize", of).then(hooked).limit(LIMIT),
        Operation::write("authorizeWithPost", POST, "/oauth2/v1/authorize", of).then(hooked).limit(LIMIT),
        Operation::write("authorizeCustomAS", GET, "/oauth2/{authorizationServerId}/v1/authorize", of)
            .then(hooked)
            .limit(LIMIT),
        Operation::write("authorizeCustomASWithPost", POST, "/oauth2/{authorizationServerId}/v1/authorize", of)
            .then(hooked)
            .limit(LIMIT),
        Operation::write("logout", GET, "/oauth2/v1/logout", out).limit("oauth2"),
        Operation::write("logoutWithPost", POST, "/oauth2/v1/logout", out).limit("oauth2"),
        Operation::write("logoutCustomAS", GET, "/oauth2/{authorizationServerId}/v1/logout", out).limit("oauth2"),
        Operation::write("logoutCustomASWithPost", POST, "/oauth2/{authorizationServerId}/v1/logout", out)
            .limit("oauth2"),
    ]
}

fn documents() -> Vec<Operation<Okta>> {
    const LIMIT: &str = "oauth2 documents";
    use discovery as of;
    const SERVER: &str = "/oauth2/{authorizationServerId}/.well-known/oauth-authorization-server";
    const OPENID: &str = "/oauth2/{authorizationServerId}/.well-known/openid-configuration";
    vec![
        Operation::read("getWellKnownOpenIDConfiguration", GET, "/.well-known/openid-configuration", of::openid)
            .limit(LIMIT),
        Operation::read("getWellKnownOpenIDConfigurationCustomAS", GET, OPENID, of::openid).limit(LIMIT),
        Operation::read("getWellKnownOAuthConfigurationCustomAS", GET, SERVER, of::oauth).limit(LIMIT),
        Operation::read("getWellKnownOAuthConfiguration", GET, "/.well-known/oauth-authorization-server", of::oauth)
            .limit(LIMIT),
        Operation::read(
            "getWellKnownOAuthConfigurationCustomASByIssuer",
            GET,
            "/.well-known/oauth-authorization-server/oauth2/{authorizationServerId}",
            of::oauth,
        )
        .limit(LIMIT),
        Operation::read("oauthKeys", GET, "/oauth2/v1/keys", of::keys).limit(LIMIT),
        Operation::read("oauthKeysCustomAS", GET, "/oauth2/{authorizationServerId}/v1/keys", of::keys).limit(LIMIT),
    ]
}

/// What browsers meet on the way, and the API behind sign-in pages of one's own.
fn pages() -> Vec<Operation<Okta>> {
    const LIMIT: &str = "oauth2 pages";
    vec![
        Operation::read("signInPage", GET, "/login/login.htm", session::show).limit(LIMIT),
        Operation::write("signIn", POST, "/login/login.htm", session::enter).then(session::hooked).limit(LIMIT),
        Operation::write("sessionCookieRedirect", GET, "/login/sessionCookieRedirect", session::redirect).limit(LIMIT),
        Operation::read("activationPage", GET, "/activate", device::show).limit(LIMIT),
        Operation::write("activateDevice", POST, "/activate", device::activate).limit(LIMIT),
    ]
}
