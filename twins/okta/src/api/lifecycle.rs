//! Moving people between states.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserLifecycle/.

use std::sync::Arc;

use dtu_kernel::{
    ids::{ALNUM, BASE64_URL},
    operation::Typed,
    twin::Write,
    tx::Tx,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Empty, act, find_user, user_body::UserBody};
use crate::{
    Okta,
    error::Error,
    model::{
        SITE,
        accounts::{advance, clear_sessions},
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
    fn of(value: Value) -> Typed<Self> {
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
            clear_sessions(act, &user);
        }
        Ok(user)
    })
}

fn plain(cx: &mut Write<'_, '_, Okta>, args: &Who, which: Step) -> Result<Typed<Empty>, Error> {
    step(cx, &args.id, which, false)?;
    Ok(Typed::ok(&Empty {}))
}

fn token(tx: &mut Tx<'_>, prefix: &str, drawn: usize) -> String {
    format!("{prefix}{}", tx.draw(SITE.child("one-time token")).text(BASE64_URL, drawn))
}

fn invite(cx: &mut Write<'_, '_, Okta>, args: &Invite, which: Step, mails: bool) -> Result<Typed<Handed>, Error> {
    step(cx, &args.id, which, false)?;
    if args.send_email.unwrap_or(mails) {
        return Ok(Handed::of(json!({})));
    }
    let token = token(cx.tx, "", 20);
    let url = format!("{}/tokens/{token}/verify", cx.scene.request.origin);
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

/// `deactivateUser`.
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
    step(cx, &args.id, Step::ResetPassword, args.revoke_sessions.unwrap_or(false))?;
    if args.send_email {
        return Ok(Handed::of(json!({})));
    }
    let token = token(cx.tx, "drp", 17);
    Ok(Handed::of(json!({ "resetPasswordUrl": format!("{}/reset_password/{token}", cx.scene.request.origin) })))
}

/// `expirePassword`.
pub fn expire_password(cx: &mut Write<'_, '_, Okta>, args: Who) -> Result<Typed<UserBody>, Error> {
    let user = step(cx, &args.id, Step::ExpirePassword, false)?;
    Ok(Typed::ok(&UserBody::whole(cx.state, &user, &cx.scene.request.origin)))
}

/// `expirePasswordWithTempPassword`.
pub fn expire_with_temporary(cx: &mut Write<'_, '_, Okta>, args: Expire) -> Result<Typed<Handed>, Error> {
    step(cx, &args.id, Step::ExpirePassword, args.revoke_sessions.unwrap_or(false))?;
    // As long as recorded in 2025; classic orgs of 2020 drew eight.
    let temporary = cx.tx.draw(SITE.child("temporary password")).text(ALNUM, 12);
    Ok(Handed::of(json!({ "tempPassword": temporary })))
}
