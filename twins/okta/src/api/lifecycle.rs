//! Moving people between states.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserLifecycle/.

use std::sync::Arc;

use dtu_kernel::{ids::ALNUM, operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Empty, act, find_user, user_body::UserBody};
use crate::{
    Okta,
    error::Error,
    model::{
        SITE,
        accounts::advance,
        one_time::Purpose,
        password::NewPassword,
        session,
        user::{Step, User},
    },
};

/// Arguments of operations that need only the person. `sendEmail` of deactivation is the admin's affair: no mail
/// is sent from here.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Who {
    id: String,
    #[serde(rename = "sendEmail")]
    _send_email: Option<bool>,
}

/// Arguments of activation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    id: String,
    send_email: Option<bool>,
}

/// Arguments of `resetPassword`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reset {
    id: String,
    send_email: bool,
    revoke_sessions: Option<bool>,
}

/// Arguments of `expirePasswordWithTempPassword`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Expire {
    id: String,
    revoke_sessions: Option<bool>,
}

/// Links or secrets that are handed out instead of mailed; nothing where they are mailed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Handed(Map<String, Value>);

impl Handed {
    /// An object.
    pub(super) fn of(value: Value) -> Typed<Self> {
        match value {
            Value::Object(map) => Typed::ok(&Self(map)),
            _ => Typed::ok(&Self(Map::new())),
        }
    }
}

fn step(cx: &mut Write<'_, '_, Okta>, id: &str, step: Step, sessions_end: bool) -> Result<Arc<User>, Error> {
    let user = find_user(cx.state, cx.caller, id)?;
    act(cx, |act| {
        let user = advance(act, &user, step)?;
        if sessions_end {
            session::clear(act, &user, None);
        }
        Ok(user)
    })
}

fn plain(cx: &mut Write<'_, '_, Okta>, args: &Who, which: Step) -> Result<Typed<Empty>, Error> {
    step(cx, &args.id, which, false)?;
    Ok(Typed::ok(&Empty {}))
}

/// The token that the last step made for a person.
fn token(cx: &Write<'_, '_, Okta>, user: &User, purpose: Purpose) -> SmolStr {
    let latest = cx.state.one_times.latest(&user.id, cx.scene.now);
    latest.filter(|(_, token)| token.purpose == purpose).map(|(text, _)| text).unwrap_or_default()
}

fn invite(cx: &mut Write<'_, '_, Okta>, args: &Invite, which: Step, mails: bool) -> Result<Typed<Handed>, Error> {
    let user = step(cx, &args.id, which, false)?;
    if args.send_email.unwrap_or(mails) {
        return Ok(Handed::of(json!({})));
    }
    let token = token(cx, &user, Purpose::Activation);
    let origin = &cx.scene.request.origin;
    let classic = cx.state.kind.is_classic();
    let url = if classic { format!("{origin}/welcome/{token}") } else { format!("{origin}/tokens/{token}/verify") };
    Ok(Handed::of(json!({ "activationUrl": url, "activationToken": token })))
}

/// `activateUser`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: Invite) -> Result<Typed<Handed>, Error> {
    invite(cx, &args, Step::Activate, true)
}

/// `reactivateUser`.
pub fn reactivate(cx: &mut Write<'_, '_, Okta>, args: Invite) -> Result<Typed<Handed>, Error> {
    invite(cx, &args, Step::Reactivate, false)
}

/// `deactivateUser`. Half of what is recorded of 2020 answers 204 without a body; nothing tells when, and the public
/// document has 200.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: Who) -> Result<Typed<Empty>, Error> {
    plain(cx, &args, Step::Deactivate)
}

/// `suspendUser`.
pub fn suspend(cx: &mut Write<'_, '_, Okta>, args: Who) -> Result<Typed<Empty>, Error> {
    plain(cx, &args, Step::Suspend)
}

/// `unsuspendUser`.
pub fn unsuspend(cx: &mut Write<'_, '_, Okta>, args: Who) -> Result<Typed<Empty>, Error> {
    plain(cx, &args, Step::Unsuspend)
}

/// `unlockUser`.
pub fn unlock(cx: &mut Write<'_, '_, Okta>, args: Who) -> Result<Typed<Empty>, Error> {
    plain(cx, &args, Step::Unlock)
}

/// `resetFactors`.
pub fn reset_factors(cx: &mut Write<'_, '_, Okta>, args: Who) -> Result<Typed<Empty>, Error> {
    plain(cx, &args, Step::ResetFactors)
}

/// `resetPassword`.
pub fn reset_password(cx: &mut Write<'_, '_, Okta>, args: Reset) -> Result<Typed<Handed>, Error> {
    let user = step(cx, &args.id, Step::ResetPassword, args.revoke_sessions.unwrap_or(false))?;
    if args.send_email {
        return Ok(Handed::of(json!({})));
    }
    let token = token(cx, &user, Purpose::Reset);
    Ok(Handed::of(json!({ "resetPasswordUrl": format!("{}/reset_password/{token}", cx.scene.request.origin) })))
}

/// `expirePassword`.
pub fn expire_password(cx: &mut Write<'_, '_, Okta>, args: Who) -> Result<Typed<UserBody>, Error> {
    let user = step(cx, &args.id, Step::ExpirePassword, false)?;
    Ok(UserBody::whole(cx.state, &user, &cx.scene.request.origin).answer())
}

/// `expirePasswordWithTempPassword`.
pub fn expire_with_temporary(cx: &mut Write<'_, '_, Okta>, args: Expire) -> Result<Typed<Handed>, Error> {
    let user = step(cx, &args.id, Step::ExpirePassword, args.revoke_sessions.unwrap_or(false))?;
    // As long as recorded.
    let length = if cx.state.kind.is_classic() { 8 } else { 12 };
    let temporary = cx.tx.draw(SITE.child("temporary password")).text(ALNUM, length);
    let password = NewPassword::Text(temporary.clone());
    cx.state.passwords.set(&mut cx.tx.changes, &user.id, &password);
    Ok(Handed::of(json!({ "tempPassword": temporary })))
}
