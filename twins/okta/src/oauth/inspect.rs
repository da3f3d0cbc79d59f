//! What there is to know of tokens: introspection, revocation, and whom they are about.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    wire::Answer,
};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    bearer, client_auth,
    error::{self, OAuthError},
    form::Form,
    log,
    mint::scope_claims,
    server::Issuer,
};
use crate::{
    Okta,
    error::Error,
    events,
    model::{
        Act,
        client::AuthMethod,
        grant::{Kind, Token},
        user::Status,
    },
};

/// `introspect`, `introspectCustomAS`.
///
/// Whether a token is good is all that is told of those of another server, and of those that the hint does not fit.
pub fn introspect(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<Value>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let client = client_auth::client(cx.state, cx.tx, cx.scene.request, &form)?;
    let text = form.get("token").ok_or(error::NO_TOKEN)?;
    let found = cx.state.grants.token(text).filter(|token| token.server == issuer.id()).cloned();
    // A public client may look at its own tokens only: anybody could call as it.
    let found = found.filter(|token| client.method != AuthMethod::None || token.client == client.id);
    let found = found.filter(|token| hint_fits(token, form.get("token_type_hint")) && token.is_good(cx.scene.now));
    Ok(Typed::ok(&found.map_or_else(|| json!({ "active": false }), |token| shown(cx, &issuer, &token))))
}

fn hint_fits(token: &Token, hint: Option<&str>) -> bool {
    match hint {
        Some("access_token") => token.kind == Kind::Access,
        Some("id_token") => token.kind == Kind::Id,
        Some("refresh_token") => token.kind == Kind::Refresh,
        // Okta has device secrets as well, which nobody was given here; other hints say nothing (RFC 7662).
        _ => true,
    }
}

fn shown(cx: &Write<'_, '_, Okta>, issuer: &Issuer, token: &Token) -> Value {
    let user = token.user.as_ref().and_then(|id| cx.state.users.get(id));
    let name = user.map_or(token.client.as_str(), |user| user.login());
    let audience = if token.kind == Kind::Access { issuer.audience() } else { token.client.to_string() };
    let mut shown = json!({
        "active": true, "scope": token.scopes.join(" "), "exp": token.expires.as_secs(), "iat": token.issued.as_secs(),
        "sub": name, "aud": audience, "iss": issuer.url(), "jti": token.id, "client_id": token.client,
    });
    if let Some(user) = user {
        shown["username"] = json!(user.login());
        shown["uid"] = json!(user.id);
    }
    if token.kind == Kind::Access {
        shown["token_type"] = json!(if token.bound_to.is_some() { "DPoP" } else { "Bearer" });
    }
    if let Some(key) = &token.bound_to {
        shown["cnf"] = json!({ "jkt": key });
    }
    shown
}

/// `revoke`, `revokeCustomAS`: what is no token is revoked already (RFC 7009).
pub fn revoke(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let client = client_auth::client(cx.state, cx.tx, cx.scene.request, &form)?;
    let text = form.get("token").ok_or(error::NO_TOKEN)?;
    let found = cx.state.grants.token(text).filter(|token| token.server == issuer.id() && token.client == client.id);
    if let Some(token) = found.filter(|token| token.kind != Kind::Id).cloned() {
        let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, log::party(&client)));
        let changes = &mut act.tx.changes;
        match token.kind {
            // The access tokens that came by a refresh token go with it.
            Kind::Refresh => act.state.grants.revoke_family(changes, &token.family),
            _ => act.state.grants.revoke(changes, &token.id),
        }
        log::revoked(&mut act, issuer.is_org(), &client);
        events::announce(&mut act);
    }
    Ok(Typed::from_answer(Answer::empty(StatusCode::OK)))
}

/// `userinfo`, `userinfoCustomAS`.
pub fn userinfo(cx: &Read<'_, Okta>, _: Form) -> Result<Typed<Map<String, Value>>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let challenge = |error: OAuthError| {
        let words = format!("Bearer error=\"{}\", error_description=\"{}\"", error.error, error.description);
        Error::from(error.challenging(words))
    };
    let token = bearer::token(cx.state, cx.scene).map_err(challenge)?;
    if token.server != issuer.id() {
        return Err(challenge(error::TOKEN_ISSUER));
    }
    if !token.scopes.iter().any(|scope| scope == "openid") {
        return Err(challenge(error::INSUFFICIENT));
    }
    let user = token.user.as_ref().and_then(|id| cx.state.users.get(id)).filter(|user| user.status == Status::Active);
    let user = Arc::clone(user.ok_or_else(|| challenge(error::TOKEN_INVALID))?);
    let mut claims = super::mint::object(json!({ "sub": user.id }));
    claims.extend(scope_claims(cx.state, &user, &token.scopes));
    Ok(Typed::ok(&claims))
}
