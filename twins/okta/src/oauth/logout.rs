//! Signing out by a client.
//!
//! See developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/logout.

use dtu_kernel::{operation::Typed, twin::Write};
use form_urlencoded::Serializer;

use super::{
    error::{self, OAuthError},
    form::Form,
    log, page,
    server::Issuer,
    session,
};
use crate::{
    Okta,
    error::Error,
    events,
    model::{
        self, Act, Acting,
        grant::{Kind, Token},
        log::Party,
    },
};

/// `logout`, `logoutWithPost` and their siblings of custom servers: ends the browser's session.
pub fn logout(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let hinted = hinted(cx, &issuer, &form).and_then(|token| Ok((address(cx, &issuer, &form, &token)?, token)));
    let (next, token) = match hinted {
        Ok(found) => found,
        Err(refused) => return Ok(Typed::from_answer(page::refused(&refused))),
    };
    let present = session::current(cx.state, cx.scene.request, cx.scene.now);
    let Some(session) = present.filter(|session| token.user.as_ref() == Some(&session.user)) else {
        // Somebody else's session goes on.
        return Ok(Typed::from_answer(page::redirect(&next)));
    };
    let user = cx.state.users.get(&session.user).cloned();
    let actor = user.as_ref().map_or_else(|| Acting::system().actor, |user| Party::user(user));
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, actor));
    model::session::end(&mut act, &session);
    events::announce(&mut act);
    Ok(Typed::from_answer(session::clear_cookie(page::redirect(&next))))
}

/// Where the person goes next: to the client where it says so, else to the org's sign-in page.
fn address(cx: &Write<'_, '_, Okta>, issuer: &Issuer, form: &Form, token: &Token) -> Result<String, OAuthError> {
    let Some(next) = form.get("post_logout_redirect_uri") else {
        return Ok(format!("{}/login/login.htm", issuer.origin));
    };
    let client = cx.state.clients.get(&token.client).ok_or(error::CLIENT_ID)?;
    if !client.logout_redirects.iter().any(|own| own == next) {
        return Err(error::LOGOUT_REDIRECT);
    }
    let Some(state) = form.get("state") else { return Ok(next.to_owned()) };
    let query = Serializer::new(String::new()).append_pair("state", state).finish();
    Ok(format!("{next}{}{query}", if next.contains('?') { '&' } else { '?' }))
}

/// The ID token that the client hints with, ended or not.
fn hinted(cx: &Write<'_, '_, Okta>, issuer: &Issuer, form: &Form) -> Result<Token, OAuthError> {
    let text = form.need("id_token_hint")?;
    let token = cx.state.grants.token(text).filter(|token| token.kind == Kind::Id && token.server == issuer.id());
    token.map(|token| Token::clone(token)).ok_or(error::ID_TOKEN)
}
