//! Enrolling an authenticator on the way.

use dtu_kernel::{operation::Typed, twin::Write};
use serde_json::Value;

use super::{
    body::{Args, Choice, Chosen, Credentials, Taken, step},
    challenge::{in_use, not_there},
    flow,
    message::Refusal,
    method::Method,
    profile,
    transaction::{Idx, Step},
};
use crate::{
    Okta,
    error::Error,
    model::{
        Act, State,
        factor::{self, Enrolment, Kind, Verdict},
        user::User,
    },
};

/// What somebody can enrol now: what they must, or else what they may.
pub fn offered(state: &State, user: &User, idx: &Idx) -> Vec<Method> {
    if idx.registers && !user.has_password {
        let mail = (!idx.mail_proven).then_some(Method::Factor(Kind::Email));
        return mail.into_iter().chain([Method::Password]).collect();
    }
    let own = factor::usable(state, user);
    let has = |kind: Kind| own.iter().any(|factor| factor.kind.authenticator() == kind.authenticator());
    let all = factor::enrollable(state, user).into_iter();
    // Codes of Okta Verify come with its prompts; those of a token of the org's own are no authenticator here.
    let all = all.filter(|(kind, _)| !matches!(kind, Kind::Totp | Kind::CustomTotp) && !has(*kind));
    let (must, may): (Vec<_>, Vec<_>) = all.partition(|(kind, required)| *required && *kind != Kind::Email);
    let offered = if must.is_empty() { may } else { must };
    offered.into_iter().map(|(kind, _)| Method::Factor(kind)).collect()
}

/// `idxEnrollCredential`: chooses what to enrol.
pub fn enroll(cx: &mut Write<'_, '_, Okta>, args: Args<Chosen>) -> Result<Typed<Value>, Error> {
    let choice = args.body.authenticator.unwrap_or_default();
    let allowed = [Step::SelectEnroll, Step::EnrollData, Step::Enroll];
    step(cx, args.body.state_handle.as_ref(), &allowed, |act, idx| {
        let user = idx.sign.person(act.state)?;
        let own: Vec<Method> = offered(act.state, &user, &idx)
            .into_iter()
            .filter(|method| is_meant(act.state, *method, &choice))
            .collect();
        match own.as_slice() {
            [] => Err(not_there()),
            [Method::Password, ..] => Ok((idx.at(Step::Enroll, Some(Method::Password)), None)),
            [Method::Factor(kind), ..] => begin(act, idx, &user, *kind, &choice),
        }
    })
}

fn is_meant(state: &State, method: Method, choice: &Choice) -> bool {
    choice.id.as_ref().is_some_and(|id| *id == method.id(state))
        && choice.method_type.as_ref().is_none_or(|text| *text == method.text())
}

/// Begins an enrolment. A question is enrolled by its answer.
fn begin(act: &mut Act<'_, '_>, mut idx: Idx, user: &User, kind: Kind, choice: &Choice) -> Taken {
    let method = Method::Factor(kind);
    if idx.registers && !user.has_password {
        let idx = flow::mail(act, idx, user);
        return Ok((idx.at(Step::Enroll, Some(method)), None));
    }
    if kind == Kind::Question {
        idx.sign.factor = None;
        return Ok((idx.at(Step::Enroll, Some(method)), None));
    }
    if kind.is_phone() && (choice.phone_number.is_none() || choice.method_type.is_none()) {
        return Ok((idx.at(Step::EnrollData, Some(method)), None));
    }
    if kind == Kind::Push && choice.channel.as_ref().is_some_and(|channel| channel != "qrcode") {
        return Err(Error::Unsupported);
    }
    let new = Enrolment { phone: choice.phone_number.clone(), update_phone: true, ..Enrolment::of(kind) };
    let made = factor::enroll(act, user, &new)?;
    idx.sign.factor = Some(made.id.clone());
    Ok((idx.at(Step::Enroll, Some(method)), None))
}

/// What proves an authenticator that is being enrolled.
pub fn answer(act: &mut Act<'_, '_>, idx: Idx, method: Method, shown: &Credentials) -> Taken {
    let user = idx.sign.person(act.state)?;
    let Method::Factor(kind) = method else { return profile::password(act, idx, &user, shown) };
    if kind == Kind::Question {
        return question(act, idx, &user, shown);
    }
    if shown.proof().is_empty() {
        return Ok((idx, Some(Refusal::blank("passcode"))));
    }
    let Some(factor) = in_use(act.state, &user, &idx) else { return Ok(profile::mail_proven(act, idx, shown)) };
    match factor::activate(act, &user, &factor, &shown.proof())? {
        Verdict::Right(_) => flow::passed(act, idx, kind),
        Verdict::Wrong(_) => Ok((idx, Some(Refusal::code("passcode")))),
    }
}

/// A question and its answer. One in the person's own words is not kept.
fn question(act: &mut Act<'_, '_>, idx: Idx, user: &User, shown: &Credentials) -> Taken {
    if shown.question.is_some() || shown.question_key.as_ref().is_some_and(|key| key == "custom") {
        return Err(Error::Unsupported);
    }
    let (question, answer) = (shown.question_key.clone(), shown.answer.clone());
    if answer.is_none() {
        return Ok((idx, Some(Refusal::blank("answer"))));
    }
    factor::enroll(act, user, &Enrolment { question, answer, ..Enrolment::of(Kind::Question) })?;
    flow::passed(act, idx, Kind::Question)
}
