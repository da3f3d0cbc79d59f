//! Asking for a factor: codes that are sent, nonces for browsers, prompts on phones.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{ids::BASE64_URL, time::Timestamp};
use smol_str::SmolStr;

use super::{
    CODE_LIFE, Challenge, Factor, Kind, Status,
    message::Message,
    push::{self, Push},
    verify,
};
use crate::{
    error::Error,
    model::{
        Act, SITE,
        event_type::{EventType, MAIL_FACTOR, SMS_FACTOR, VOICE_FACTOR},
        log::Party,
        user::User,
    },
};

/// How a caller wants something sent.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// A custom template of text messages, by id.
    pub template: Option<SmolStr>,
    /// The language of the message.
    pub language: Option<SmolStr>,
    /// How long the code is good.
    pub lifetime: Option<Duration>,
    /// Whether a prompt asks for a number that the person must pick.
    pub number: bool,
    /// What a prompt says that it is about.
    pub message: Option<SmolStr>,
}

/// What was asked.
#[derive(Clone, Debug)]
pub enum Issued {
    /// A code is on its way, or a browser is to sign a nonce.
    Challenge(Arc<Factor>),
    /// A prompt waits on a phone.
    Push(Arc<Push>),
}

/// How long somebody waits until something is sent again, and the refusal of whoever does not.
/// See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/#tag/UserFactor/operation/enrollFactor.
const fn pause(kind: Kind) -> (Duration, &'static str) {
    match kind {
        Kind::Call => (Duration::from_secs(30), "E0000133"),
        Kind::Email => (Duration::from_secs(5), "E0000118"),
        _ => (Duration::from_secs(30), "E0000109"),
    }
}

const fn event(kind: Kind) -> &'static EventType {
    match kind {
        Kind::Call => &VOICE_FACTOR,
        Kind::Email => &MAIL_FACTOR,
        _ => &SMS_FACTOR,
    }
}

/// How many digits a sent code has: calls read out five.
const fn digits(kind: Kind) -> usize {
    if matches!(kind, Kind::Call) { 5 } else { 6 }
}

/// Sends a code for a factor, and takes note of it in the row, which the caller writes.
///
/// # Errors
/// Something was sent to the address just now.
pub(super) fn send(act: &mut Act<'_, '_>, user: &User, row: &mut Factor, how: &Delivery) -> Result<(), Error> {
    let Some(to) = row.address().cloned() else { return Ok(()) };
    let (now, kind) = (act.tx.now, row.kind);
    let (wait, refusal) = pause(kind);
    if act.state.factors.last_sent(kind, &to).is_some_and(|last| now < last.after(wait)) {
        return Err(Error::coded(refusal));
    }
    let code = SmolStr::from(act.tx.draw(SITE.child("factor code")).text(b"0123456789", digits(kind)));
    let expires = now.after(how.lifetime.unwrap_or(CODE_LIFE));
    let asked = Challenge::new(code.clone(), expires);
    row.challenge = Some(Challenge { template: how.template.clone(), language: how.language.clone(), ..asked });
    let message = Message {
        user: user.id.clone(),
        factor: row.id.clone(),
        kind,
        to,
        code,
        template: how.template.clone(),
        language: how.language.clone(),
        sent: now,
        expires,
    };
    act.state.factors.send(&mut act.tx.changes, message);
    act.log(event(kind), vec![Party::user(user)]);
    Ok(())
}

/// Sends a code to a mail address that is nobody's factor; `about` is what it is for, by which the message is found.
/// When the code ends.
pub fn mail(act: &mut Act<'_, '_>, user: &User, to: &SmolStr, about: &SmolStr, life: Duration) -> Timestamp {
    let code = SmolStr::from(act.tx.draw(SITE.child("factor code")).text(b"0123456789", digits(Kind::Email)));
    let (now, expires) = (act.tx.now, act.tx.now.after(life));
    let message = Message {
        user: user.id.clone(),
        factor: about.clone(),
        kind: Kind::Email,
        to: to.clone(),
        code,
        template: None,
        language: None,
        sent: now,
        expires,
    };
    act.state.factors.send(&mut act.tx.changes, message);
    act.log(event(Kind::Email), vec![Party::user(user)]);
    expires
}

/// A nonce for a browser.
pub(super) fn nonce(act: &mut Act<'_, '_>, row: &mut Factor) {
    let text = act.tx.draw(SITE.child("factor nonce")).text(BASE64_URL, 20).into();
    row.challenge = Some(Challenge::new(text, act.tx.now.after(CODE_LIFE)));
}

/// Asks for a factor that is in use.
///
/// # Errors
/// A factor that is not in use, one that is not asked for in this way, a person who is locked out, or something that
/// was sent just now.
pub fn challenge(act: &mut Act<'_, '_>, user: &User, factor: &Factor, how: &Delivery) -> Result<Issued, Error> {
    verify::may(user, factor)?;
    if factor.kind == Kind::Push {
        return Ok(Issued::Push(push::prompt(act, user, factor, how)));
    }
    let mut row = factor.clone();
    if factor.kind.is_sent() {
        send(act, user, &mut row, how)?;
    } else if factor.kind.is_key() {
        nonce(act, &mut row);
    } else {
        let field = if factor.kind == Kind::Question { "answer" } else { "passCode" };
        return Err(Error::fields(&[(field, "The field cannot be left blank")]));
    }
    Ok(Issued::Challenge(act.state.factors.put(&mut act.tx.changes, row)))
}

/// Sends the code of a factor that is being enrolled once more.
///
/// # Errors
/// A factor that is in use already or has no codes that are sent, too many wrong codes, or a code that was sent just
/// now.
pub fn resend(act: &mut Act<'_, '_>, user: &User, factor: &Factor, how: &Delivery) -> Result<Arc<Factor>, Error> {
    if factor.status != Status::PendingActivation || !factor.kind.is_sent() {
        return Err(Error::invalid("factorResendRequest", "Factor is not pending activation by a code that was sent."));
    }
    verify::may_activate(factor, act.tx.now)?;
    let mut row = factor.clone();
    send(act, user, &mut row, how)?;
    row.last_updated = act.now();
    Ok(act.state.factors.put(&mut act.tx.changes, row))
}
