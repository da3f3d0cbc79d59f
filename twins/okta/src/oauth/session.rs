//! Sessions in browsers: signing in on a page, or by a one-time session token.
//!
//! See developer.okta.com/docs/reference/api/authn/ (session tokens) and
//! developer.okta.com/docs/guides/session-cookie/main/ (the redirect that makes one a cookie).

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    time::Timestamp,
    twin::{Read, Write},
    wire::{Answer, Request},
};
use http::header;
use smol_str::SmolStr;

use super::{form::Form, page};
use crate::{
    Okta,
    authn::{body::acting, pages},
    error::Error,
    idp::start,
    inline_hooks::{
        self, Caller,
        password::{self as hook, Way},
    },
    model::{
        Act, Acting, State,
        session::{self, Proof, Session},
        sign_in::{self, Entered},
        user::User,
    },
};

/// Somebody's session, by the browser's cookie.
pub fn current(state: &State, request: &Request, now: Timestamp) -> Option<Arc<Session>> {
    let session = state.sessions.get(cookie(request)?, now)?;
    let user = state.users.get(&session.user)?;
    session::is_open_to(user).then(|| Arc::clone(session))
}

/// The session cookie: `sid`, or `idx` as newer orgs call it.
pub fn cookie(request: &Request) -> Option<&str> {
    let pairs = request.header(header::COOKIE)?.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, value)| matches!(*name, "sid" | "idx") && !value.is_empty()).map(|(_, value)| value)
}

/// Makes a one-time token for somebody who has signed in with a password.
pub fn token(act: &mut Act<'_, '_>, user: &User) -> (SmolStr, Timestamp) {
    let proof = Proof::password(act.now());
    session::token(act, user, proof)
}

/// The session that a session token becomes, and whose it is.
pub fn exchange(act: &mut Act<'_, '_>, text: &str) -> Option<(Arc<User>, Session)> {
    let (user, proof) = session::redeem(act, text)?;
    let session = session::begin(act, &user, proof);
    Some((user, session))
}

/// What sets the cookie of a session.
pub fn set_cookie(answer: Answer, key: &str) -> Answer {
    answer.with_header(header::SET_COOKIE, format!("sid={key}; Path=/; HttpOnly; SameSite=None"))
}

/// What takes the cookie away.
pub fn clear_cookie(answer: Answer) -> Answer {
    answer.with_header(header::SET_COOKIE, "sid=\"\"; Expires=Thu, 01 Jan 1970 00:00:10 GMT; Path=/")
}

/// Only paths of the org itself: a page must not send people anywhere else.
pub fn own_path(next: &str, origin: &str) -> String {
    let path = next.strip_prefix(origin).unwrap_or(next);
    let own = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\");
    if own { path.to_owned() } else { "/".to_owned() }
}

/// The sign-in page.
pub fn show(cx: &Read<'_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let next = own_path(form.get("fromURI").unwrap_or("/"), &cx.scene.request.origin);
    let answer = page::sign_in(&cx.state.org, &next, form.get("username").unwrap_or_default(), None);
    Ok(Typed::from_answer(answer))
}

/// What the sign-in page sends: a name and a password, or what a step behind them asks for.
pub fn enter(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    if form.get("stateToken").is_some() {
        return pages::step(cx, &form);
    }
    let next = own_path(form.get("fromURI").unwrap_or("/"), &cx.scene.request.origin);
    let (name, password) = (form.get("username").unwrap_or_default(), form.get("password").unwrap_or_default());
    let person = cx.state.users.find(name).cloned();
    let (caller, scene) = (Caller::of(cx.scene), cx.scene);
    let answer = acting(cx, person.as_ref(), |act| {
        // Who signs in elsewhere has no password here.
        if let Some(elsewhere) = start::for_login(act, name, &next, scene) {
            return Ok(elsewhere);
        }
        let entered = sign_in::enter(act, name, password);
        if let Entered::Hook(user) = &entered
            && hook::begin(act, &caller, user, (name, password), Way::Page(next.clone())).is_none()
        {
            // Nobody sees this answer: the call waits for the hook's.
            return Ok(page::redirect(&next));
        }
        let reached = pages::entered(act, entered)?;
        pages::arrive(act, reached, &next, name)
    })?;
    Ok(Typed::from_answer(answer))
}

/// The answer of the sign-in page, once the password import hook has said whether the password is right.
///
/// # Errors
/// The sign-in's.
pub fn hooked(cx: &Read<'_, Okta>) -> Result<Typed<()>, Error> {
    inline_hooks::answer(cx).map(Typed::from_answer)
}

/// Makes a session token a cookie, and goes on to an address.
pub fn redirect(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let text = form.get("token").ok_or(Error::MissingParameter)?.to_owned();
    let next = form.get("redirectUrl").ok_or(Error::MissingParameter)?;
    let next = own_path(next, &cx.scene.request.origin);
    let mut act = Act::new(cx.state, cx.tx, Acting::system());
    let begun = exchange(&mut act, &text);
    let answer = page::redirect(&next);
    Ok(Typed::from_answer(begun.map_or(answer.clone(), |(_, session)| set_cookie(answer, &session.id))))
}
