//! Devices without a browser: they ask, somebody lets them in elsewhere.
//!
//! See developer.okta.com/docs/guides/device-authorization-grant/main/ and RFC 8628.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    wire::Answer,
};
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    client_auth,
    error::{self, OAuthError},
    form::Form,
    log, mint, page, rules,
    server::Issuer,
    session,
    token::DEVICE_GRANT,
};
use crate::{
    Okta,
    authn::app::{self, To},
    error::Error,
    events,
    model::{
        Act, Acting, SITE,
        authorization_server::Wanted,
        grant::Device,
        session::{self as sessions, Session},
        user::User,
    },
    policy::access::Verdict,
};

/// How long somebody has to let a device in.
const LIFE: Duration = Duration::from_secs(600);
/// How long a device waits between two questions.
const INTERVAL: Duration = Duration::from_secs(5);
/// What user codes are made of: letters that are no words and hard to mistake.
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// What a device is told.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Told {
    device_code: SmolStr,
    user_code: SmolStr,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

/// `deviceAuthorize`, `deviceAuthorizeCustomAS`.
pub fn authorize(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<Told>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let client = client_auth::client(cx.state, cx.tx, cx.scene.request, &form)?;
    if !client.may_use(DEVICE_GRANT) {
        return Err(error::grant_not_for_client(&client.grants).into());
    }
    let wanted = Wanted { client: &client, user: None, grant: DEVICE_GRANT, scopes: &[] };
    let scopes = issuer.grantable(cx.state, &wanted, &form.words("scope"))?;
    rules::check_openid(&scopes)?;
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, log::party(&client)));
    let code = mint::draw(&mut act, "device code", 36);
    let user_code = SmolStr::from(act.tx.draw(SITE.child("oauth").child("user code")).text(LETTERS, 8));
    let now = act.now();
    let device = Device {
        user_code: user_code.clone(),
        server: issuer.id(),
        client: client.id.clone(),
        scopes,
        expires: now.after(LIFE),
        polled: None,
        user: None,
        denied: false,
    };
    act.state.grants.add_device(&mut act.tx.changes, now, &code, device);
    let page = format!("{}/activate", issuer.origin);
    Ok(Typed::ok(&Told {
        device_code: code,
        verification_uri_complete: format!("{page}?user_code={user_code}"),
        user_code,
        verification_uri: page,
        expires_in: LIFE.as_secs(),
        interval: INTERVAL.as_secs(),
    }))
}

/// What a device is told that nobody has let in yet; that it asked is kept.
pub(super) fn not_yet(act: &mut Act<'_, '_>, code: &str, device: &Device) -> OAuthError {
    let now = act.tx.now;
    let soon = device.polled.is_some_and(|last| now < last.after(INTERVAL));
    let row = Device { polled: Some(now), ..device.clone() };
    act.state.grants.devices.put(&mut act.tx.changes, now, code.into(), device.expires, row);
    if soon { error::SLOW_DOWN.kept() } else { error::PENDING.kept() }
}

/// Lets the device of a user code in, or refuses it.
///
/// # Errors
/// A code that is not known, has ended or was used.
pub fn decide(act: &mut Act<'_, '_>, user_code: &str, user: &User, allow: bool) -> Result<(), OAuthError> {
    let now = act.tx.now;
    let found = act.state.grants.device_of(user_code).map(|(code, device)| (code, Arc::clone(device)));
    let (code, device) = found.ok_or(error::USER_CODE)?;
    if device.expires <= now || device.user.is_some() || device.denied {
        return Err(error::USER_CODE);
    }
    let client = act.state.clients.get(&device.client).cloned().ok_or(error::USER_CODE)?;
    rules::person(act.state, &client, &user.id)?;
    let row =
        Device { user: allow.then(|| (user.id.clone(), now.floor_secs())), denied: !allow, ..Device::clone(&device) };
    act.state.grants.devices.put(&mut act.tx.changes, now, code, device.expires, row);
    Ok(())
}

fn here(cx: &Read<'_, Okta>, user_code: &str) -> Answer {
    if session::current(cx.state, cx.scene.request, cx.scene.now).is_none() {
        let next = format!("/activate?user_code={user_code}");
        let next = if user_code.is_empty() { "/activate".to_owned() } else { next };
        return page::sign_in(&cx.state.org, &next, "", None);
    }
    page::device(&cx.state.org, user_code, false, None)
}

/// The page on which somebody lets a device in.
pub fn show(cx: &Read<'_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    Ok(Typed::from_answer(here(cx, form.get("user_code").unwrap_or_default())))
}

/// What that page sends.
pub fn activate(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let user_code = form.get("user_code").unwrap_or_default();
    let present = session::current(cx.state, cx.scene.request, cx.scene.now);
    let user = present.as_ref().and_then(|session| cx.state.users.get(&session.user)).cloned();
    let session = present;
    let Some(user) = user else {
        return Ok(Typed::from_answer(page::sign_in(&cx.state.org, "/activate", "", None)));
    };
    let by: Acting = log::acting(cx.scene, crate::model::log::Party::user(&user));
    let mut act = Act::new(cx.state, cx.tx, by);
    let answer = answered(&mut act, user_code, &user, session.as_deref());
    events::announce(&mut act);
    Ok(Typed::from_answer(answer))
}

/// Lets the device in once the policy of its client's app lets the person in.
fn answered(act: &mut Act<'_, '_>, user_code: &str, user: &Arc<User>, session: Option<&Session>) -> Answer {
    let device = act.state.grants.device_of(user_code).and_then(|(_, device)| act.state.clients.get(&device.client));
    let to = device.map(|client| To::client(act.state, client));
    let refused = |act: &Act<'_, '_>, error: &OAuthError| {
        page::device(&act.state.org, user_code, false, Some(&error.description))
    };
    if let Some((to, session)) = to.zip(session) {
        match app::judge(act, &to, user, &session.proof) {
            Verdict::Satisfied => sessions::opened(act, &session.id),
            Verdict::Missing(need) if need.can_be_met() => {
                let next = format!("/activate?user_code={user_code}");
                return app::ask(act, user, &session.proof, &need, &next);
            }
            _ => return refused(act, &error::DENIED),
        }
    }
    match decide(act, user_code, user, true) {
        Ok(()) => page::device(&act.state.org, user_code, true, None),
        Err(error) => refused(act, &error),
    }
}
