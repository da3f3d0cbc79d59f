//! Recovery: forgotten passwords and locked accounts.
//!
//! See developer.okta.com/docs/reference/api/authn/#recovery-operations. Nobody learns by it whether there is a person
//! of a name.

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Write};
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    body::{Answered, Args, FactorArgs, Recover, Recovered, acting, is_trusted, kept, need, opened, told},
    flow::{self, Reached},
    render,
    transaction::{self, Recovery, Status, Transaction},
};
use crate::{
    Okta,
    error::Error,
    model::{
        Act, SITE, State,
        event_type::{ACCOUNT_RESET, EventType, UNLOCK_ASKED},
        log::Party,
        one_time::{self, OneTime, Purpose},
        sign_in,
        user::{self, User},
    },
    policy,
};

type Told = Result<Typed<Value>, Error>;

/// `startPasswordRecovery`.
pub fn password(cx: &mut Write<'_, '_, Okta>, args: Args<Recover>) -> Told {
    start(cx, &args.body, Recovery::Password)
}

/// `startUnlock`.
pub fn unlock(cx: &mut Write<'_, '_, Okta>, args: Args<Recover>) -> Told {
    start(cx, &args.body, Recovery::Unlock)
}

/// Why somebody cannot recover.
///
/// # Errors
/// `E0000034` where policy or status do not let them reset a password, `E0000032` where they cannot unlock.
pub fn allowed(state: &State, user: &User, kind: Recovery) -> Result<(), Error> {
    use user::Status as S;
    let rule = policy::password_rule(state, user, None);
    let may = match kind {
        Recovery::Unlock => rule.unlock && user.status == S::LockedOut,
        _ => rule.reset && matches!(user.status, S::Active | S::PasswordExpired | S::Recovery | S::LockedOut),
    };
    match (may, kind) {
        (true, _) => Ok(()),
        (false, Recovery::Unlock) => Err(Error::because("E0000032", "The user is not locked out.")),
        (false, _) => Err(Error::coded("E0000034")),
    }
}

fn start(cx: &mut Write<'_, '_, Okta>, body: &Recover, kind: Recovery) -> Told {
    let name = need(body.username.as_ref(), "username")?;
    let person = cx.state.users.find(name).cloned();
    match body.factor_type.as_deref().map(str::to_ascii_uppercase).as_deref() {
        None | Some("") if is_trusted(cx) => hand(cx, person.as_ref(), body, kind),
        Some("EMAIL") => mail(cx, person.as_ref(), kind),
        Some(way @ ("SMS" | "CALL")) => challenge(cx, person.as_ref(), body, kind, way),
        None | Some("") => Err(Error::invalid("factorType", "The 'factorType' attribute is required in this context.")),
        Some(_) => Err(Error::invalid("factorType", "factorType: The field has an invalid value")),
    }
}

const fn purpose(kind: Recovery) -> Purpose {
    match kind {
        Recovery::Unlock => Purpose::Unlock,
        _ => Purpose::Forgot,
    }
}

const fn event(kind: Recovery) -> &'static EventType {
    match kind {
        Recovery::Unlock => &UNLOCK_ASKED,
        _ => &ACCOUNT_RESET,
    }
}

/// A recovery token for a trusted application.
fn hand(cx: &mut Write<'_, '_, Okta>, person: Option<&Arc<User>>, body: &Recover, kind: Recovery) -> Told {
    let person = person.ok_or_else(|| Error::coded("E0000095"))?;
    allowed(cx.state, person, kind)?;
    let token = acting(cx, Some(person), |act| Ok(ask(act, person, kind)))?;
    let ends = cx.state.one_times.get(&token, cx.scene.now).map_or(cx.scene.now, |token| token.expires);
    let origin = &cx.scene.request.origin;
    Ok(Typed::ok(&render::handed(&token, ends, kind, person, body.relay_state.as_deref(), origin)))
}

/// Makes the token that a recovery begins with.
pub fn ask(act: &mut Act<'_, '_>, person: &User, kind: Recovery) -> SmolStr {
    act.log(event(kind), vec![Party::user(person)]);
    one_time::make(act, person, purpose(kind))
}

/// A recovery token by mail. The answer is the same for everybody.
fn mail(cx: &mut Write<'_, '_, Okta>, person: Option<&Arc<User>>, kind: Recovery) -> Told {
    if let Some(person) = person.filter(|person| allowed(cx.state, person, kind).is_ok()) {
        acting(cx, Some(person), |act| Ok(ask(act, person, kind)))?;
    }
    Ok(Typed::ok(&render::mailed(kind)))
}

/// Whether a way of recovery is switched on for a person.
pub fn is_on(state: &State, user: &User, way: &str) -> bool {
    let found = policy::policy(state, "PASSWORD", user);
    let at = format!("/recovery/factors/okta_{}/status", way.to_lowercase());
    found.and_then(|(_, policy)| policy.get("settings")?.pointer(&at)?.as_str()) == Some("ACTIVE")
}

/// A code by text message or call. Whoever asks for a person that is not there gets a transaction that leads nowhere.
fn challenge(
    cx: &mut Write<'_, '_, Okta>,
    person: Option<&Arc<User>>,
    body: &Recover,
    kind: Recovery,
    way: &str,
) -> Told {
    if let Some(person) = person {
        allowed(cx.state, person, kind)?;
        if !is_on(cx.state, person, way) {
            return Err(Error::coded("E0000034"));
        }
    }
    let reached = acting(cx, person, |act| {
        let code = act.tx.draw(SITE.child("recovery code")).text(b"0123456789", 6).into();
        let transaction = Transaction {
            user: person.map(|person| person.id.clone()).unwrap_or_default(),
            recovery: Some(kind),
            recovery_factor: Some(way.into()),
            relay_state: body.relay_state.as_ref().map(SmolStr::from),
            code,
            ..Transaction::nobody(Status::RecoveryChallenge)
        };
        Ok(flow::wait(act, None, transaction))
    })?;
    Ok(told(cx, &reached))
}

/// `verifyRecoveryToken`: what came by mail, or from a trusted application.
pub fn token(cx: &mut Write<'_, '_, Okta>, args: Args<Recovered>) -> Told {
    let text = need(args.body.recovery_token.as_ref(), "recoveryToken")?;
    let found = cx.state.one_times.get(text, cx.scene.now).cloned();
    let found = found.filter(|found| found.purpose != Purpose::Activation).ok_or(Error::InvalidToken)?;
    let person = cx.state.users.get(&found.user).cloned().ok_or(Error::InvalidToken)?;
    let options = args.body.options.unwrap_or_default();
    let reached = acting(cx, Some(&person), |act| {
        one_time::take(act, text);
        let multi_optional = options.multi_optional_factor_enroll.unwrap_or(false);
        let transaction =
            Transaction { multi_optional, ..Transaction::new(&person, Status::Recovery, flow::by_token()) };
        redeemed(act, &person, &found, transaction)
    })?;
    Ok(told(cx, &reached))
}

/// Where a recovery token leads: to the recovery question, unless an administrator has reset the password or there is
/// none.
///
/// # Errors
/// As [`answered`].
pub fn redeemed(
    act: &mut Act<'_, '_>,
    person: &Arc<User>,
    token: &OneTime,
    transaction: Transaction,
) -> Result<Reached, Error> {
    let kind = if token.purpose == Purpose::Unlock { Recovery::Unlock } else { Recovery::Password };
    let transaction = Transaction { recovery: Some(kind), ..transaction };
    let asks = person.question.is_some() && token.purpose != Purpose::Reset;
    if asks { Ok(flow::wait(act, None, transaction)) } else { answered(act, person, None, transaction) }
}

/// The person has shown who they are: the lock ends, or a new password is due.
///
/// # Errors
/// None today.
pub fn answered(
    act: &mut Act<'_, '_>,
    person: &Arc<User>,
    token: Option<SmolStr>,
    transaction: Transaction,
) -> Result<Reached, Error> {
    if transaction.recovery == Some(Recovery::Unlock) {
        if let Some(token) = token {
            transaction::close(act, &token);
        }
        let is_locked = person.status == user::Status::LockedOut;
        let user = if is_locked { sign_in::unlock(act, person) } else { Arc::clone(person) };
        return Ok(Reached::Unlocked { user, relay_state: transaction.relay_state });
    }
    Ok(flow::wait(act, token, Transaction { status: Status::PasswordReset, ..transaction }))
}

/// `answerRecoveryQuestion`.
pub fn answer(cx: &mut Write<'_, '_, Okta>, args: Args<Answered>) -> Told {
    let body = args.body;
    let (token, transaction) = opened(cx.state, cx.scene, body.state_token.as_ref())?;
    transaction.expect(&[Status::Recovery])?;
    let given = need(body.answer.as_ref(), "answer")?;
    let person = transaction.person(cx.state)?;
    let right = cx.state.passwords.answers(&person.id, given);
    attempt(cx, Some(&person), token, transaction, right, &Error::coded("E0000087"))
}

/// How many wrong answers end a transaction.
const FAILURES_MAX: u32 = 5;

/// What comes of an answer or code: a right one leads on, a wrong one is counted.
fn attempt(
    cx: &mut Write<'_, '_, Okta>,
    person: Option<&Arc<User>>,
    token: SmolStr,
    mut transaction: Transaction,
    right: bool,
    refusal: &Error,
) -> Told {
    if let Some(person) = person.filter(|_| right) {
        let reached = acting(cx, Some(person), |act| {
            let asks = transaction.status == Status::RecoveryChallenge && person.question.is_some();
            if asks {
                let next = Transaction { status: Status::Recovery, recovery_factor: None, ..transaction };
                return Ok(flow::wait(act, Some(token), next));
            }
            answered(act, person, Some(token), Transaction { recovery_factor: None, ..transaction })
        })?;
        return Ok(told(cx, &reached));
    }
    transaction.failures += 1;
    acting(cx, person, |act| {
        if transaction.failures >= FAILURES_MAX {
            transaction::close(act, &token);
        } else {
            transaction::put(act, &token, transaction);
        }
        Ok(())
    })?;
    Ok(kept(cx.scene, refusal))
}

/// The transaction of a code that was sent by a certain way.
fn challenged(cx: &Write<'_, '_, Okta>, args: &FactorArgs) -> Result<(SmolStr, Transaction), Error> {
    let (token, transaction) = opened(cx.state, cx.scene, args.body.state_token.as_ref())?;
    transaction.expect(&[Status::RecoveryChallenge])?;
    let way = args.factor_type.to_ascii_uppercase();
    if transaction.recovery_factor.as_deref() != Some(&way) {
        return Err(Error::repeated("E0000079"));
    }
    Ok((token, transaction))
}

/// `verifyRecoveryFactor`.
pub fn verify(cx: &mut Write<'_, '_, Okta>, args: FactorArgs) -> Told {
    let (token, transaction) = challenged(cx, &args)?;
    let given = need(args.body.pass_code.as_ref(), "passCode")?;
    let person = cx.state.users.get(&transaction.user).cloned();
    let right = person.is_some() && transaction.code == given;
    let wrong = Error::because("E0000068", "Your token doesn't match our records. Please try again.");
    attempt(cx, person.as_ref(), token, transaction, right, &wrong)
}

/// `resendRecoveryChallenge`: a new code.
pub fn resend(cx: &mut Write<'_, '_, Okta>, args: FactorArgs) -> Told {
    let (token, transaction) = challenged(cx, &args)?;
    let person = cx.state.users.get(&transaction.user).cloned();
    let reached = acting(cx, person.as_ref(), |act| {
        let code = act.tx.draw(SITE.child("recovery code")).text(b"0123456789", 6).into();
        Ok(flow::wait(act, Some(token), Transaction { code, ..transaction }))
    })?;
    Ok(told(cx, &reached))
}
