//! Choosing a password in a transaction: one that has expired or will, or one that is recovered.

use dtu_kernel::{operation::Typed, twin::Write};
use serde_json::Value;

use super::{
    body::{Args, Chosen, acting, need, opened, told},
    flow,
    transaction::Status,
};
use crate::{
    Okta,
    error::Error,
    model::{
        password::{self, Verdict},
        session, sign_in,
    },
};

/// The cause of a refusal of a wrong password.
pub const OLD_PASSWORD: &str = "oldPassword: The credentials provided were incorrect.";

/// `changeExpiredPassword`.
pub fn change(cx: &mut Write<'_, '_, Okta>, args: Args<Chosen>) -> Result<Typed<Value>, Error> {
    let body = args.body;
    let (token, mut transaction) = opened(cx.state, cx.scene, body.state_token.as_ref())?;
    transaction.expect(&[Status::PasswordExpired, Status::PasswordWarn])?;
    let old = need(body.old_password.as_ref(), "oldPassword")?;
    let new = need(body.new_password.as_ref(), "newPassword")?;
    let person = transaction.person(cx.state)?;
    if password::check(cx.state, &person, old) != Verdict::Right {
        return Err(Error::because("E0000014", OLD_PASSWORD));
    }
    let reached = acting(cx, Some(&person), |act| {
        // An expired password is never too young to be changed.
        let checks_age = transaction.status == Status::PasswordWarn;
        let person = sign_in::choose(act, &person, new, checks_age)?;
        if body.revoke_sessions == Some(true) {
            session::clear(act, &person, None);
        }
        transaction.proof.give_password(act.now());
        flow::go_on(act, Some(token), transaction)
    })?;
    Ok(told(cx, &reached))
}

/// `resetForgottenPassword`.
pub fn reset(cx: &mut Write<'_, '_, Okta>, args: Args<Chosen>) -> Result<Typed<Value>, Error> {
    let body = args.body;
    let (token, mut transaction) = opened(cx.state, cx.scene, body.state_token.as_ref())?;
    transaction.expect(&[Status::PasswordReset])?;
    let new = need(body.new_password.as_ref(), "newPassword")?;
    let person = transaction.person(cx.state)?;
    let reached = acting(cx, Some(&person), |act| {
        let person = sign_in::choose(act, &person, new, false)?;
        if body.revoke_sessions == Some(true) {
            session::clear(act, &person, None);
        }
        transaction.proof.give_password(act.now());
        transaction.recovery = None;
        flow::go_on(act, Some(token), transaction)
    })?;
    Ok(told(cx, &reached))
}
