//! Forgotten passwords: by a code to the person's mail address or phone.

use dtu_kernel::{operation::Typed, twin::Write};
use serde_json::Value;

use super::{
    body::{Args, Choice, Credentials, Moved, Taken, step},
    challenge::not_there,
    flow,
    message::Refusal,
    method::Method,
    transaction::{Idx, Step},
};
use crate::{
    Okta,
    authn::{
        recovery::{allowed, is_on},
        transaction::Recovery,
    },
    error::Error,
    model::{Act, State, event_type::ACCOUNT_RESET, factor::Kind, log::Party, user::User},
};

/// `idxRecover`: a new password is wanted.
pub fn recover(cx: &mut Write<'_, '_, Okta>, args: Args<Moved>) -> Result<Typed<Value>, Error> {
    step(cx, args.body.state_handle.as_ref(), &[Step::Identify, Step::Challenge], |act, mut idx| {
        if idx.step == Step::Challenge && idx.with != Some(Method::Password) {
            return Err(Error::repeated("E0000079"));
        }
        idx.recovers = true;
        if idx.identifier.is_empty() || idx.step == Step::Identify {
            return Ok((idx.at(Step::IdentifyRecovery, None), None));
        }
        Ok((offer(act, idx), None))
    })
}

/// By what a person can recover: the mail address always, a phone where the policy has it and it is enrolled.
pub fn ways(state: &State, user: &User) -> Vec<Method> {
    let phone = |kind: Kind, way: &str| {
        let own = state.factors.of_kind(&user.id, kind).is_some_and(|factor| factor.is_active());
        (own && is_on(state, user, way)).then_some(Method::Factor(kind))
    };
    [Some(Method::Factor(Kind::Email)), phone(Kind::Sms, "sms"), phone(Kind::Call, "call")]
        .into_iter()
        .flatten()
        .collect()
}

/// Offers what a person can recover by. Nobody learns whether there is a person of the name: whoever is not there, or
/// may not, is offered a code by mail that never comes.
pub fn offer(act: &mut Act<'_, '_>, idx: Idx) -> Idx {
    let user = act.state.users.get(&idx.sign.user).filter(|user| allowed(act.state, user, Recovery::Password).is_ok());
    let Some(user) = user.cloned() else { return idx.at(Step::Data, Some(Method::Factor(Kind::Email))) };
    act.log(&ACCOUNT_RESET, vec![Party::user(&user)]);
    let step = match ways(act.state, &user).as_slice() {
        [_] => Step::Data,
        _ => Step::Select,
    };
    idx.at(step, Some(Method::Factor(Kind::Email)))
}

/// Sends the code.
pub fn challenge(act: &mut Act<'_, '_>, mut idx: Idx, choice: &Choice) -> Taken {
    let user = act.state.users.get(&idx.sign.user).filter(|user| allowed(act.state, user, Recovery::Password).is_ok());
    let Some(user) = user.cloned() else {
        idx.sign.user = smol_str::SmolStr::default();
        return Ok((idx.at(Step::Challenge, Some(Method::Factor(Kind::Email))), None));
    };
    let fits = |method: &Method| {
        choice.id.as_ref().is_some_and(|id| *id == method.id(act.state))
            && choice.method_type.as_ref().is_none_or(|text| *text == method.text())
    };
    let own: Vec<Method> = ways(act.state, &user).into_iter().filter(fits).collect();
    match own.as_slice() {
        [] => Err(not_there()),
        [Method::Factor(Kind::Email), ..] => {
            let idx = flow::mail(act, idx, &user);
            Ok((idx.at(Step::Challenge, Some(Method::Factor(Kind::Email))), None))
        }
        [Method::Factor(kind), ..] if choice.method_type.is_some() => {
            let factor = act.state.factors.of_kind(&user.id, *kind).cloned().ok_or_else(not_there)?;
            Ok((flow::challenge(act, idx, &user, &factor)?, None))
        }
        [method, ..] => Ok((idx.at(Step::Data, Some(*method)), None)),
    }
}

/// How many wrong codes end a transaction, as in the Authentication API.
const FAILURES_MAX: u32 = 5;

/// The code that was sent to the mail address.
pub fn answer(act: &Act<'_, '_>, mut idx: Idx, shown: &Credentials) -> (Idx, Option<Refusal>) {
    if idx.recovers && flow::is_mailed(act, &idx, shown.passcode()) {
        return (proven(idx), None);
    }
    idx.sign.failures += 1;
    if idx.sign.failures >= FAILURES_MAX {
        idx.sign.code = smol_str::SmolStr::default();
    }
    (idx, Some(Refusal::code("passcode")))
}

/// The person has shown who they are: a new password is due.
pub fn proven(mut idx: Idx) -> Idx {
    idx.sign.code = smol_str::SmolStr::default();
    (idx.sign.factor, idx.sign.factor_result) = (None, None);
    idx.at(Step::Reset, Some(Method::Password))
}
