//! Sessions in browsers: signing in on a page, or by a one-time session token.
//!
//! See developer.okta.com/docs/reference/api/authn/ (session tokens) and
//! developer.okta.com/docs/guides/session-cookie/main/ (the redirect that makes one a cookie).

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    operation::Typed,
    time::Timestamp,
    twin::{Read, Scene, Write},
    wire::{Answer, Request},
};
use http::{StatusCode, header};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{form::Form, log, mint, page};
use crate::{
    Okta,
    error::Error,
    events,
    model::{
        Act, Acting, State, accounts,
        grant::Session,
        log::Party,
        user::{Status, User},
    },
};

/// How long a session lasts (Okta's default rule of the global session policy).
const SESSION: Duration = Duration::from_secs(2 * 3_600);
/// How long a session token can be used.
const TOKEN: Duration = Duration::from_secs(300);

/// Somebody's session, by the browser's cookie.
pub fn current(state: &State, request: &Request, now: Timestamp) -> Option<Arc<Session>> {
    let session = state.grants.sessions.get(cookie(request)?)?;
    let user = state.users.get(&session.user)?;
    (now < session.expires && user.status == Status::Active).then(|| Arc::clone(session))
}

/// The session cookie: `sid`, or `idx` as newer orgs call it.
pub fn cookie(request: &Request) -> Option<&str> {
    let pairs = request.header(header::COOKIE)?.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, value)| matches!(*name, "sid" | "idx") && !value.is_empty()).map(|(_, value)| value)
}

/// Begins somebody's session; gives back its cookie's value.
pub fn begin(act: &mut Act<'_, '_>, user: &User) -> (SmolStr, Session) {
    let key = SmolStr::from(format!("102{}", mint::draw(act, "session", 22)));
    let now = act.now();
    let session = Session { user: user.id.clone(), signed_in: now, expires: now.after(SESSION) };
    act.state.grants.sessions.put(&mut act.tx.changes, now, key.clone(), session.expires, session.clone());
    (key, session)
}

/// Makes a one-time token for somebody who has signed in.
pub fn token(act: &mut Act<'_, '_>, user: &User) -> (SmolStr, Timestamp) {
    let key = SmolStr::from(format!("20111{}", mint::draw(act, "session token", 50)));
    let now = act.now();
    let session = Session { user: user.id.clone(), signed_in: now, expires: now.after(TOKEN) };
    let ends = session.expires;
    act.state.grants.session_tokens.put(&mut act.tx.changes, now, key.clone(), ends, session);
    (key, ends)
}

/// Whose a session token is; it is used up by that.
pub fn redeem(act: &mut Act<'_, '_>, text: &str) -> Option<Arc<User>> {
    let token = act.state.grants.session_tokens.get(text).cloned()?;
    act.state.grants.session_tokens.remove(&mut act.tx.changes, text, token.expires);
    let user = act.state.users.get(&token.user).cloned()?;
    (act.tx.now < token.expires && user.status == Status::Active).then_some(user)
}

/// What sets the cookie of a session.
pub fn set_cookie(answer: Answer, key: &str) -> Answer {
    answer.with_header(header::SET_COOKIE, format!("sid={key}; Path=/; HttpOnly; SameSite=None"))
}

/// What takes the cookie away.
pub fn clear_cookie(answer: Answer) -> Answer {
    answer.with_header(header::SET_COOKIE, "sid=\"\"; Expires=Thu, 01 Jan 1970 00:00:10 GMT; Path=/")
}

/// Somebody who gives the right name and password.
///
/// # Errors
/// For all others alike.
fn person(state: &State, name: &str, password: &str) -> Result<Arc<User>, Error> {
    let user = state.users.find(name).filter(|user| user.has_password);
    let right = !password.is_empty() && state.sign_on.password.as_deref() == Some(password);
    user.filter(|_| right).cloned().ok_or(Error::SignIn)
}

/// Runs an act of somebody who signs in.
fn acting<R>(
    cx: &mut Write<'_, '_, Okta>,
    user: &User,
    write: impl FnOnce(&mut Act<'_, '_>) -> Result<R, Error>,
) -> Result<R, Error> {
    let by = by(cx.scene, user);
    let mut act = Act::new(cx.state, cx.tx, by);
    let result = write(&mut act)?;
    events::announce(&mut act);
    Ok(result)
}

fn by(scene: &Scene<'_>, user: &User) -> Acting {
    log::acting(scene, Party::user(user))
}

/// Only paths of the org itself: a page must not send people anywhere else.
fn own_path(next: &str, origin: &str) -> String {
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

/// What the sign-in page sends.
pub fn sign_in(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let next = own_path(form.get("fromURI").unwrap_or("/"), &cx.scene.request.origin);
    let (name, password) = (form.get("username").unwrap_or_default(), form.get("password").unwrap_or_default());
    let found = person(cx.state, name, password);
    let Some(user) = found.ok().filter(|user| user.status == Status::Active) else {
        let page = page::sign_in(&cx.state.org, &next, name, Some("Unable to sign in"));
        return Ok(Typed::from_answer(page.with_status(StatusCode::UNAUTHORIZED)));
    };
    let key = acting(cx, &user, |act| {
        accounts::sign_in(act, &user, None)?;
        Ok(begin(act, &user).0)
    })?;
    Ok(Typed::from_answer(set_cookie(page::redirect(&next), &key)))
}

/// Makes a session token a cookie, and goes on to an address.
pub fn redirect(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let text = form.get("token").ok_or(Error::MissingParameter)?.to_owned();
    let next = form.get("redirectUrl").ok_or(Error::MissingParameter)?;
    let next = own_path(next, &cx.scene.request.origin);
    let by = Acting::system();
    let mut act = Act::new(cx.state, cx.tx, by);
    let user = redeem(&mut act, &text);
    let answer = match user {
        Some(user) => {
            let key = begin(&mut act, &user).0;
            set_cookie(page::redirect(&next), &key)
        }
        None => page::redirect(&next),
    };
    Ok(Typed::from_answer(answer))
}

/// Primary authentication by name and password: gives out a session token.
pub fn authenticate(cx: &mut Write<'_, '_, Okta>, args: Authn) -> Result<Typed<Value>, Error> {
    let user = person(cx.state, &args.body.username, &args.body.password)?;
    match user.status {
        Status::Active => {}
        Status::LockedOut => return Ok(Typed::ok(&json!({ "status": "LOCKED_OUT" }))),
        _ => return Err(Error::SignIn),
    }
    let (key, ends) = acting(cx, &user, |act| {
        accounts::sign_in(act, &user, None)?;
        Ok(token(act, &user))
    })?;
    let profile = |name| crate::model::profile::Attribute::find(name).map(|attribute| user.profile.get(attribute));
    Ok(Typed::ok(&json!({
        "expiresAt": ends.iso_millis(),
        "status": "SUCCESS",
        "sessionToken": key,
        "_embedded": { "user": {
            "id": user.id,
            "passwordChanged": user.password_changed.map(crate::api::stamp),
            "profile": {
                "login": user.login(), "firstName": profile("firstName"), "lastName": profile("lastName"),
                "locale": profile("locale").filter(|text| !text.is_empty()).unwrap_or("en"),
                "timeZone": profile("timezone"),
            },
        }},
    })))
}

/// Arguments of primary authentication.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct Authn {
    body: AuthnBody,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct AuthnBody {
    username: String,
    password: String,
}
