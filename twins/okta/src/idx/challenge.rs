//! Using an authenticator: choosing it, being asked, answering.

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Write};
use serde_json::Value;

use super::{
    body::{Answered, Args, Choice, Chosen, Credentials, Moved, Polled, Taken, step},
    enroll, flow,
    message::Refusal,
    method::Method,
    recover,
    transaction::{Idx, Step},
};
use crate::{
    Okta,
    error::Error,
    model::{
        Act, State,
        factor::{self, Factor, Kind, Verdict, push::Fate},
        user::User,
    },
};

/// Where an authenticator can be chosen.
const CHOOSING: [Step; 3] = [Step::Select, Step::Data, Step::Challenge];

/// `idxChallenge`: chooses an authenticator, and asks for it.
pub fn challenge(cx: &mut Write<'_, '_, Okta>, args: Args<Chosen>) -> Result<Typed<Value>, Error> {
    let choice = args.body.authenticator.unwrap_or_default();
    step(cx, args.body.state_handle.as_ref(), &CHOOSING, |act, idx| {
        if idx.recovers {
            return recover::challenge(act, idx, &choice);
        }
        let Some(user) = act.state.users.get(&idx.sign.user).cloned() else {
            // Nobody of the name that was given: there is a password to be asked for, as of everybody.
            return Ok((idx.at(Step::Challenge, Some(Method::Password)), None));
        };
        if idx.sign.proof.password.is_none() {
            return Ok((idx.at(Step::Challenge, Some(Method::Password)), None));
        }
        let own = of_choice(act.state, &flow::usable(act.state, &user, &idx), &choice);
        match own.as_slice() {
            [] => Err(not_there()),
            [one] if choice.method_type.is_some() || !one.kind.is_phone() => {
                Ok((flow::challenge(act, idx, &user, one)?, None))
            }
            [one, ..] => Ok((idx.at(Step::Data, Some(Method::Factor(one.kind))), None)),
        }
    })
}

/// An authenticator that is not among those offered.
pub(super) fn not_there() -> Error {
    Error::invalid("authenticator", "authenticator: The field has an invalid value")
}

/// Those of some factors that a choice means.
fn of_choice(state: &State, all: &[Arc<Factor>], choice: &Choice) -> Vec<Arc<Factor>> {
    let fits = |factor: &&Arc<Factor>| {
        let method = Method::Factor(factor.kind);
        choice.id.as_ref().is_some_and(|id| *id == method.id(state))
            && choice.method_type.as_ref().is_none_or(|text| *text == method.text())
            && choice.enrollment_id.as_ref().is_none_or(|id| *id == factor.id || method.has_ways())
    };
    all.iter().filter(fits).cloned().collect()
}

/// Where an answer can be given.
const ANSWERED: [Step; 5] = [Step::Challenge, Step::Enroll, Step::Reset, Step::Expired, Step::Warning];

/// `idxAnswerChallenge`: a password, a code, a new password.
pub fn answer(cx: &mut Write<'_, '_, Okta>, args: Args<Answered>) -> Result<Typed<Value>, Error> {
    let shown = args.body.credentials.unwrap_or_default();
    step(cx, args.body.state_handle.as_ref(), &ANSWERED, |act, idx| match (idx.step, idx.with) {
        (Step::Enroll, Some(method)) => enroll::answer(act, idx, method, &shown),
        (Step::Challenge, Some(Method::Password)) => {
            if shown.passcode().is_empty() {
                return Ok((idx, Some(Refusal::blank("passcode"))));
            }
            flow::enter(act, idx, shown.passcode(), Refusal::password())
        }
        (Step::Challenge, Some(Method::Factor(kind))) => prove(act, idx, kind, &shown),
        _ => new_password(act, idx, &shown),
    })
}

/// A new password in place of one that is forgotten, has expired or will.
fn new_password(act: &mut Act<'_, '_>, idx: Idx, shown: &Credentials) -> Taken {
    if shown.passcode().is_empty() {
        return Ok((idx, Some(Refusal::blank("passcode"))));
    }
    let revokes = shown.revoke_sessions.unwrap_or(false);
    flow::choose_password(act, idx, shown.passcode(), revokes)
}

/// A code, an answer or a signature for the factor that is in use.
fn prove(act: &mut Act<'_, '_>, idx: Idx, kind: Kind, shown: &Credentials) -> Taken {
    let field = if kind == Kind::Question { "answer" } else { "passcode" };
    let field = if kind == Kind::Totp { "totp" } else { field };
    if shown.proof().is_empty() {
        return Ok((idx, Some(Refusal::blank(field))));
    }
    let user = act.state.users.get(&idx.sign.user).cloned();
    let found = user.and_then(|user| Some((in_use(act.state, &user, &idx)?, user)));
    let Some((factor, user)) = found else { return Ok(recover::answer(act, idx, shown)) };
    match factor::verify(act, &user, &factor, &shown.proof())? {
        Verdict::Right(_) if idx.recovers => Ok((recover::proven(idx), None)),
        Verdict::Right(_) => flow::passed(act, idx, kind),
        Verdict::Wrong(_) => Ok((idx, Some(Refusal::code(field)))),
    }
}

/// The factor that a transaction uses or enrols.
pub(super) fn in_use(state: &State, user: &User, idx: &Idx) -> Option<Arc<Factor>> {
    state.factors.get(&user.id, idx.sign.factor.as_ref()?).cloned()
}

/// `idxPollChallenge`, `idxPollAuthenticators`: whether a prompt was answered, or a phone set up.
pub fn poll(cx: &mut Write<'_, '_, Okta>, args: Args<Polled>) -> Result<Typed<Value>, Error> {
    step(cx, args.body.state_handle.as_ref(), &[Step::Challenge, Step::Enroll], |act, idx| {
        let Some(Method::Factor(Kind::Push)) = idx.with else { return Err(Error::repeated("E0000079")) };
        let user = idx.sign.person(act.state)?;
        let factor = in_use(act.state, &user, &idx).ok_or(Error::InvalidToken)?;
        if idx.step == Step::Enroll {
            return if factor.is_active() { flow::passed(act, idx, Kind::Push) } else { Ok((idx, None)) };
        }
        let now = act.tx.now;
        let fate = act.state.factors.latest(&factor.id).map_or(Fate::Timeout, |push| push.fate_at(now));
        match fate {
            Fate::Success => flow::passed(act, idx, Kind::Push),
            Fate::Waiting => Ok((idx, None)),
            // The person can choose again.
            Fate::Rejected => Ok((idx.at(Step::Select, None), Some(Refusal::rejected()))),
            Fate::Timeout | Fate::Cancelled => Ok((idx.at(Step::Select, None), None)),
        }
    })
}

/// `idxResendChallenge`: asks once more.
pub fn resend(cx: &mut Write<'_, '_, Okta>, args: Args<Moved>) -> Result<Typed<Value>, Error> {
    step(cx, args.body.state_handle.as_ref(), &[Step::Challenge, Step::Enroll], |act, idx| {
        let Some(user) = act.state.users.get(&idx.sign.user).cloned() else { return Ok((idx, None)) };
        match in_use(act.state, &user, &idx) {
            Some(factor) if idx.step == Step::Enroll => {
                factor::resend(act, &user, &factor, &factor::Delivery::default())?;
                Ok((idx, None))
            }
            Some(factor) if factor.kind.is_challenged() => Ok((flow::challenge(act, idx, &user, &factor)?, None)),
            None if idx.sign.code.is_empty() => Err(Error::repeated("E0000079")),
            None => Ok((flow::mail(act, idx, &user), None)),
            Some(_) => Err(Error::repeated("E0000079")),
        }
    })
}
