//! OAuth 2.0 and `OpenID` Connect, as clients, people and APIs see them.

mod access;
mod administration;
mod assurance;
mod elsewhere;
mod exchange;
mod pages;
mod registration;
mod servers;
mod service;
mod sign_in;
mod tokens;

use std::{sync::LazyLock, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::{universe::Options, world::World};
use dtu_okta::oauth::keys;
use form_urlencoded::Serializer;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode, jwk::Jwk};
use serde_json::{Map, Value, json};

use crate::support::{Call, Got, ORIGIN, Org, call, options};

/// Clients of each kind, and a custom server with a scope of its own.
pub(crate) const ROWS: &str = r#"
  password: "Correct-horse-1"
  oauth_clients:
    - {key: bot, name: Bot, type: service, client_id: bot, scopes: [okta.users.read, okta.groups.read, okta.groups.manage]}
    - {key: bound, name: Bound, type: service, client_id: bound, scopes: [okta.users.read], dpop: true}
    - key: web
      name: Web
      type: web
      client_id: web
      secret: web-secret
      grants: [authorization_code, refresh_token, password, client_credentials, implicit]
      responses: [code, token, id_token]
      redirect_uris: ["https://web.example/cb"]
      logout_uris: ["https://web.example/bye"]
      rotate: true
    - {key: spa, name: Spa, type: browser, client_id: spa, redirect_uris: ["https://spa.example/cb"], rotate: false}
    - key: tv
      name: Tv
      type: native
      client_id: tv
      redirect_uris: ["http://127.0.0.1/cb"]
      grants: ["urn:ietf:params:oauth:grant-type:device_code", refresh_token]
    - {key: hmac, name: Hmac, type: web, client_id: hmac, auth_method: client_secret_jwt, secret: a-secret-of-thirty-two-characters, grants: [client_credentials], redirect_uris: []}
  authorization_servers:
    - {name: orders, id: ausorders, audiences: ["api://orders"], scopes: [orders.read, orders.write]}
"#;

pub(crate) const PASSWORD: &str = "Correct-horse-1";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(crate) const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(crate) static CLIENT_KEY: LazyLock<EncodingKey> =
    LazyLock::new(|| EncodingKey::from_rsa_pem(keys::client_pem().as_bytes()).expect("is a key"));

pub(crate) fn org() -> Org {
    org_with(&options())
}

pub(crate) fn org_with(options: &Options) -> Org {
    let text = include_str!("../../../../../fixtures/worlds/acme.yaml");
    let (rows, servers) = ROWS.split_once("  authorization_servers:").expect("has servers");
    let text = text.replacen("\n  oauth_clients:\n", &format!("\n  authorization_servers:{servers}{}", &rows[1..]), 1);
    let sections = ["okta", "slack", "jira", "google"];
    Org::of(World::parse("acme.yaml", &text, &sections).expect("is a good world"), options)
}

/// A call that sends a form and shows nothing else.
pub(crate) fn form(target: &str, fields: &[(&str, &str)]) -> Call {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    call(&format!("POST {target}")).anonymous().raw("application/x-www-form-urlencoded", &body)
}

/// A call of the web client.
pub(crate) fn web(target: &str, fields: &[(&str, &str)]) -> Call {
    form(target, fields).header("authorization", &format!("Basic {}", STANDARD.encode("web:web-secret")))
}

pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// An assertion of a client, with some claims of its own; null takes one away.
pub(crate) fn assertion(org: &Org, client: &str, own: Value) -> String {
    let now = org.universe.now().as_secs();
    let mut claims = json!({
        "iss": client, "sub": client, "aud": format!("{ORIGIN}/oauth2/v1/token"), "iat": now, "exp": now + 300,
    });
    for (name, value) in own.as_object().expect("is an object").clone() {
        claims[name] = value;
    }
    let claims: Map<String, Value> =
        claims.as_object().expect("is an object").clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
    let header = Header { kid: Some(keys::CLIENT_KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
    encode(&header, &claims, &CLIENT_KEY).expect("signs")
}

pub(crate) fn service(org: &Org, client: &str, scope: &str) -> Call {
    let jwt = assertion(org, client, json!({}));
    service_with(scope, &jwt)
}

pub(crate) fn service_with(scope: &str, jwt: &str) -> Call {
    form(
        "/oauth2/v1/token",
        &[
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", jwt),
        ],
    )
}

/// Lets time pass.
pub(crate) fn wait(org: &Org, seconds: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    runtime.block_on(org.universe.advance(Duration::from_secs(seconds)));
}

/// What a token claims, its signature checked against the keys that its server publishes.
#[track_caller]
pub(crate) fn verified(org: &Org, keys_at: &str, token: &str) -> Value {
    let head = decode_header(token).expect("has a head");
    let set = org.check(call(&format!("GET {keys_at}")).anonymous(), 200).body;
    let kid = head.kid.expect("names its key");
    let key = set["keys"].as_array().expect("is a list").iter().find(|key| key["kid"] == kid.as_str());
    let jwk: Jwk = serde_json::from_value(key.expect("is published").clone()).expect("is a key");
    let mut validation = Validation::new(Algorithm::RS256);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let key = DecodingKey::from_jwk(&jwk).expect("is a public key");
    decode::<Value>(token, &key, &validation).expect("is signed").claims
}

#[track_caller]
pub(crate) fn refuse(org: &Org, call: Call, status: u16, error: &str, words: &str) -> Got {
    let got = org.check(call, status);
    assert_eq!((got.text("/error"), got.text("/error_description")), (error, words), "{}", got.body);
    got
}

/// Where a call sends the browser: the address without its query or fragment, and the fields there.
#[track_caller]
pub(crate) fn sent(got: &Got) -> (String, Map<String, Value>) {
    assert_eq!(got.status, 302, "{}", got.body);
    fields(got.header("location"))
}

pub(crate) fn fields(address: &str) -> (String, Map<String, Value>) {
    let (address, rest) = address.split_once(['?', '#']).unwrap_or((address, ""));
    let pairs = form_urlencoded::parse(rest.as_bytes()).map(|(name, value)| (name.into_owned(), Value::from(value)));
    (address.to_owned(), pairs.collect())
}

/// The redirect of somebody who signs in to a client, by the affordance.
#[track_caller]
pub(crate) fn signed_in(org: &Org, path: &str, asked: &[(&str, &str)]) -> Map<String, Value> {
    let address = format!("{ORIGIN}{path}?{}", query(asked));
    let done = org.perform("okta.user.sign_in", "lena", &json!({ "authorize": address })).expect("signs in");
    fields(done["redirect"].as_str().expect("is an address")).1
}

pub(crate) const ASKED: [(&str, &str); 6] = [
    ("client_id", "web"),
    ("redirect_uri", "https://web.example/cb"),
    ("response_type", "code"),
    ("scope", "openid profile email groups offline_access"),
    ("state", "s1"),
    ("nonce", "n1"),
];

/// The request with some parameters changed; an empty one is left out.
pub(crate) fn asked<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let changed = |name: &str| changes.iter().any(|(own, _)| *own == name);
    let kept = ASKED.into_iter().filter(|(name, _)| !changed(name));
    kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty()).collect()
}

/// The tokens of a whole sign-in.
#[track_caller]
pub(crate) fn tokens(org: &Org, server: &str, scope: &str) -> Got {
    let back = signed_in(org, &format!("{server}/v1/authorize"), &asked(&[("scope", scope)]));
    let code = back["code"].as_str().expect("has a code").to_owned();
    let redirect = ("redirect_uri", "https://web.example/cb");
    org.check(
        web(&format!("{server}/v1/token"), &[("grant_type", "authorization_code"), ("code", &code), redirect]),
        200,
    )
}

pub(crate) fn authorized(line: &str, scheme: &str, token: &str) -> Call {
    call(line).header("authorization", &format!("{scheme} {token}"))
}
