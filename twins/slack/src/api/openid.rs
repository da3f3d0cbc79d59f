//! Sign in with Slack: `openid.connect.*`, and what the pages beside them tell clients.
//!
//! <https://docs.slack.dev/authentication/sign-in-with-slack>

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    wire::Answer,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::tokens::Access;
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    keys,
    limits::{SPECIAL, TIER_3, TIER_4},
    model::{
        State,
        apps::App,
        oauth::{self, Flow, Issued, TOKEN_LIFE},
        people::User,
    },
    shapes,
};

const GET: &[Method] = &[Method::GET];
/// How long an ID token can be relied on, in seconds.
const ID_TOKEN_LIFE: i64 = 300;

/// The rows.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::write("openid.connect.token", ANY, "/api/openid.connect.token", token).limit(TIER_4).errors(&[
            "bad_client_secret",
            "bad_redirect_uri",
            "invalid_client_id",
            "invalid_code",
            "invalid_code_verifier",
            "invalid_grant_type",
            "invalid_refresh_token",
            "oauth_authorization_url_mismatch",
            "pkce_not_allowed",
        ]),
        Row::read("openid.connect.userInfo", ANY, "/api/openid.connect.userInfo", user_info)
            .limit(TIER_3)
            .scopes(&["openid"]),
        Row::read("openid.configuration", GET, "/.well-known/openid-configuration", configuration).limit(SPECIAL),
        Row::read("openid.keys", GET, "/openid/connect/keys", published).limit(SPECIAL),
    ]
}

/// `openid.connect.token`: a code or a refresh token for who somebody is.
fn token(cx: &mut Write<'_, '_, Slack>, args: Access) -> Result<Typed<Value>, Error> {
    let app = args.app(cx.state, cx.scene.request)?;
    match args.grant_type() {
        "refresh_token" => {
            let text = args.refresh_token.clone().unwrap_or_default();
            let (token, issued) = oauth::refresh(cx.state, cx.tx, Some(&app), &text)?;
            if !token.has("openid") {
                return Err(Code::InvalidRefreshToken.into());
            }
            told(cx, &app, &token.user, &issued, "")
        }
        "authorization_code" => {
            let grant = oauth::redeem(cx.state, cx.tx, &app, args.brought(Flow::SignIn))?;
            let issued = oauth::sign_in(cx.state, cx.tx, &app, &grant);
            told(cx, &app, &grant.user, &issued, &grant.nonce)
        }
        _ => Err(Code::InvalidGrantType.into()),
    }
}

fn told(
    cx: &Write<'_, '_, Slack>,
    app: &App,
    user: &SmolStr,
    issued: &Issued,
    nonce: &str,
) -> Result<Typed<Value>, Error> {
    let (state, now) = (&*cx.state, cx.tx.now.as_secs());
    let user = state.users.get(user).ok_or(Code::InvalidCode)?;
    let token = state.tokens.get(&issued.token).ok_or(Code::InvalidCode)?;
    let mut claims = claims(state, user, |scope| token.has(scope));
    claims.remove("picture");
    for (name, value) in [
        ("iss", json!(cx.tx.origin)),
        ("aud", json!(app.client_id())),
        ("exp", json!(now + ID_TOKEN_LIFE)),
        ("iat", json!(now)),
        ("auth_time", json!(now)),
        ("nonce", json!(nonce)),
        ("at_hash", json!(keys::half_hash(&issued.token))),
    ] {
        claims.insert(name.to_owned(), value);
    }
    let mut body = json!({ "access_token": issued.token, "token_type": "Bearer", "id_token": keys::sign(&claims) });
    if let Some(refresh) = &issued.refresh {
        (body["refresh_token"], body["expires_in"]) = (json!(refresh), json!(TOKEN_LIFE));
    }
    Ok(Typed::ok(&body))
}

/// What is told of a person, by scopes.
fn claims(state: &State, user: &Arc<User>, has: impl Fn(&str) -> bool) -> Map<String, Value> {
    let team = &state.workspace;
    let mut claims = Map::new();
    let mut add = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    add("sub", json!(user.id));
    add("https://slack.com/user_id", json!(user.id));
    add("https://slack.com/team_id", json!(team.id));
    if has("email") {
        add("email", json!(user.email));
        add("email_verified", json!(true));
        add("date_email_verified", json!(user.updated));
    }
    if !has("profile") {
        return claims;
    }
    let profile = shapes::profile(state, user, false);
    let profile = serde_json::to_value(profile).unwrap_or_default();
    add("name", json!(user.real_name));
    add("picture", profile["image_512"].clone());
    add("given_name", json!(user.first));
    add("family_name", json!(user.last));
    add("locale", json!("en-US"));
    add("https://slack.com/team_name", json!(team.name));
    add("https://slack.com/team_domain", json!(team.domain));
    for size in ["24", "32", "48", "72", "192", "512"] {
        add(&format!("https://slack.com/user_image_{size}"), profile[format!("image_{size}")].clone());
    }
    for size in [34, 44, 68, 88, 102, 132, 230] {
        add(&format!("https://slack.com/team_image_{size}"), json!(super::workspace::team_image(size)));
    }
    add("https://slack.com/team_image_default", json!(true));
    if !profile["image_1024"].is_null() {
        add("https://slack.com/user_image_1024", profile["image_1024"].clone());
    }
    if let Some(org) = &state.enterprise.org {
        add("https://slack.com/enterprise_id", json!(org.id));
        add("https://slack.com/enterprise_name", json!(org.name));
        add("https://slack.com/enterprise_domain", json!(org.domain));
    }
    claims
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

/// `openid.connect.userInfo`
fn user_info(cx: &Read<'_, Slack>, _: Nothing) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let user = cx.state.users.get(&token.user).ok_or(Code::UserNotFound)?;
    Ok(Typed::ok(&Value::Object(claims(cx.state, user, |scope| token.has(scope)))))
}

/// `/.well-known/openid-configuration`, with addresses of this twin in place of slack.com.
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn configuration(cx: &Read<'_, Slack>, _: Nothing) -> Result<Typed<()>, Error> {
    let origin = &cx.scene.request.origin;
    Ok(Typed::from_answer(Answer::json(&json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/openid/connect/authorize"),
        "token_endpoint": format!("{origin}/api/openid.connect.token"),
        "userinfo_endpoint": format!("{origin}/api/openid.connect.userInfo"),
        "jwks_uri": format!("{origin}/openid/connect/keys"),
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "auth_time", "iss"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": true,
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    }))))
}

/// `/openid/connect/keys`
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn published(_: &Read<'_, Slack>, _: Nothing) -> Result<Typed<()>, Error> {
    Ok(Typed::from_answer(Answer::json(&keys::published())))
}
