//! What people do about their second factors: on their phones, in their settings, and as administrators.

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Okta,
    affordances::{actor, administer, allow, find_user, perform, refused},
    model::{
        Act, State, accounts,
        factor::{
            self, Device, Enrolment, Factor, Kind, Proof, Secret, Verdict, code, enrol,
            push::{self, Push},
        },
        user::{Step, User},
    },
};

/// The human verbs about factors.
pub(crate) fn affordances() -> Vec<Affordance<Okta>> {
    vec![
        Affordance::new("okta.admin.reset_factors", "Takes all factors from a person in the admin console", reset),
        Affordance::new("okta.admin.unenroll_factor", "Takes one factor from a person in the admin console", unenroll),
        Affordance::new(
            "okta.enrol_factor",
            "Sets up a factor of one's own: in the settings page, or on the phone where one is waited for",
            enrol_factor,
        ),
        Affordance::new("okta.read_code", "Reads the code that was sent last, or that an app shows now", read_code),
        Affordance::new("okta.enter_code", "Enters a code for a factor of one's own that is being set up", enter_code),
        Affordance::new("okta.approve_push", "Approves the prompt that waits on one's phone", approve_push),
        Affordance::new("okta.reject_push", "Rejects the prompt that waits on one's phone", reject_push),
    ]
}

/// Arguments of verbs about one person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfUser {
    /// The person, by mail address, login, id or key.
    user: String,
}

fn reset(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfUser) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let user = find_user(act, &with.user)?;
        allow(act, "POST /api/v1/users/{userId}/lifecycle/reset_factors", &[("userId", &user.id)])?;
        accounts::advance(act, &user, Step::ResetFactors).map_err(|error| refused(&error))?;
        Ok(json!({ "user": user.login() }))
    })
}

/// Arguments of verbs about a person's factor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfFactor {
    /// The person, by mail address, login, id or key.
    user: String,
    /// The factor: its id, or its type (`sms`, `push`, ...), with its provider behind a slash where there are several.
    factor: String,
}

/// A person's own factor, by id or type.
fn find(act: &Act<'_, '_>, user: &User, name: &str) -> Result<Factor, Refusal> {
    let (kind, provider) = name.split_once('/').map_or((name, None), |(kind, provider)| (kind, Some(provider)));
    let fits = |factor: &Factor| {
        factor.id == name
            || factor.kind.factor_type() == kind && provider.is_none_or(|provider| factor.kind.provider() == provider)
    };
    let own = act.state.factors.of_user(&user.id);
    let found = own.iter().rev().find(|factor| fits(factor)).map(|factor| Factor::clone(factor));
    found.ok_or_else(|| Refusal::new(format!("{} has no factor `{name}`", user.login())))
}

fn shown(factor: &Factor) -> Value {
    json!({
        "id": factor.id,
        "factorType": factor.kind.factor_type(),
        "provider": factor.kind.provider(),
        "status": factor.status.text(),
    })
}

fn unenroll(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfFactor) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let user = find_user(act, &with.user)?;
        let found = find(act, &user, &with.factor)?;
        allow(act, "DELETE /api/v1/users/{userId}/factors/{factorId}", &[("userId", &user.id)])?;
        factor::unenroll(act, &user, &found, true).map_err(|error| refused(&error))?;
        Ok(shown(&found))
    })
}

/// Arguments of `okta.enrol_factor`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolFactor {
    /// `sms`, `call`, `email`, `question`, `push`, `token:software:totp`, with the provider behind a slash where there
    /// are several.
    factor: String,
    /// The phone number, for `sms` and `call`.
    #[serde(default)]
    phone: Option<SmolStr>,
    /// The mail address, for `email`; one's own where absent.
    #[serde(default)]
    email: Option<SmolStr>,
    /// The question's key, for `question`.
    #[serde(default)]
    question: Option<SmolStr>,
    /// The answer, for `question`.
    #[serde(default)]
    answer: Option<SmolStr>,
    /// What the phone is called, for `push`.
    #[serde(default)]
    device: Option<String>,
}

/// Runs an act on one's own behalf.
fn own(
    state: &mut State,
    tx: &mut Tx<'_>,
    who: &str,
    act: impl FnOnce(&mut Act<'_, '_>, &User) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let person = actor(state, who)?.clone();
    perform(state, tx, who, "/enduser/settings", |write| act(write, &person))
}

/// A factor that waits already is set up; another is enrolled and set up in one go, as the settings page does.
fn enrol_factor(state: &mut State, tx: &mut Tx<'_>, who: &str, with: EnrolFactor) -> Result<Value, Refusal> {
    own(state, tx, who, |act, user| {
        let (name, provider) =
            with.factor.split_once('/').map_or((with.factor.as_str(), None), |(name, by)| (name, Some(by)));
        let kind =
            Kind::find(name, provider).ok_or_else(|| Refusal::new(format!("Okta has no factor `{}`", with.factor)))?;
        let waiting = act.state.factors.of_kind(&user.id, kind).filter(|factor| !factor.is_active()).cloned();
        let pending = match waiting {
            Some(waiting) => waiting,
            None => factor::enroll(act, user, &wanted(kind, &with)).map_err(|error| refused(&error))?,
        };
        let done = set_up(act, user, &pending, with.device.as_deref())?;
        Ok(shown(&done))
    })
}

fn wanted(kind: Kind, with: &EnrolFactor) -> Enrolment {
    Enrolment {
        phone: with.phone.clone(),
        email: with.email.clone(),
        question: with.question.clone(),
        answer: with.answer.clone(),
        ..Enrolment::of(kind)
    }
}

fn set_up(act: &mut Act<'_, '_>, user: &User, factor: &Factor, device: Option<&str>) -> Result<Factor, Refusal> {
    if factor.is_active() {
        return Ok(factor.clone());
    }
    if factor.kind == Kind::Push {
        let device = Device::phone(device.unwrap_or("Phone"));
        let paired = enrol::pair(act, user, factor, device).map_err(|error| refused(&error))?;
        return Ok(Factor::clone(&paired));
    }
    let code = current(act, factor)?;
    entered(act, user, factor, &code)
}

fn entered(act: &mut Act<'_, '_>, user: &User, factor: &Factor, code: &str) -> Result<Factor, Refusal> {
    match factor::activate(act, user, factor, &Proof::code(code)) {
        Ok(Verdict::Right(factor)) => Ok(Factor::clone(&factor)),
        Ok(Verdict::Wrong(error)) | Err(error) => Err(refused(&error)),
    }
}

/// The code that the person can read now.
fn current(act: &Act<'_, '_>, factor: &Factor) -> Result<SmolStr, Refusal> {
    if let Secret::Shared(key) = &factor.secret {
        return Ok(code::totp(key, act.tx.now).into());
    }
    let messages = act.state.factors.messages(&factor.user);
    let last = messages.iter().rev().find(|message| message.factor == factor.id);
    last.map(|message| message.code.clone()).ok_or_else(|| Refusal::new("no code was sent"))
}

/// Arguments of `okta.read_code`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadCode {
    /// The factor, by id or type; or what else a code was sent for, by its id.
    factor: String,
}

fn read_code(state: &mut State, tx: &mut Tx<'_>, who: &str, with: ReadCode) -> Result<Value, Refusal> {
    own(state, tx, who, |act, user| {
        // A code that was sent for something else than a factor is found by what it is for.
        let sent = act.state.factors.messages(&user.id).into_iter().rev().find(|sent| sent.factor == with.factor);
        if let Some(message) = sent.filter(|_| act.state.factors.get(&user.id, &with.factor).is_none()) {
            return Ok(json!({ "code": message.code }));
        }
        let found = find(act, user, &with.factor)?;
        Ok(json!({ "code": current(act, &found)? }))
    })
}

/// Arguments of `okta.enter_code`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnterCode {
    /// The factor, by id or type.
    factor: String,
    /// The code; the right one where absent.
    #[serde(default)]
    code: Option<String>,
}

fn enter_code(state: &mut State, tx: &mut Tx<'_>, who: &str, with: EnterCode) -> Result<Value, Refusal> {
    own(state, tx, who, |act, user| {
        let found = find(act, user, &with.factor)?;
        let code = match &with.code {
            Some(code) => code.into(),
            None => current(act, &found)?,
        };
        Ok(shown(&entered(act, user, &found, &code)?))
    })
}

/// Arguments of verbs about the prompt on one's phone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prompted {
    /// The number that the screen shows, where the prompt asks for one.
    #[serde(default)]
    number: Option<u64>,
}

fn waiting(act: &Act<'_, '_>, user: &User) -> Result<std::sync::Arc<Push>, Refusal> {
    let waiting = push::waiting_of(&act.state.factors, &user.id, act.tx.now);
    waiting.ok_or_else(|| Refusal::new(format!("no prompt waits on the phone of {}", user.login())))
}

fn approve_push(state: &mut State, tx: &mut Tx<'_>, who: &str, with: Prompted) -> Result<Value, Refusal> {
    own(state, tx, who, |act, user| {
        let push = waiting(act, user)?;
        let picked = match (push.number, with.number) {
            (Some(wanted), Some(picked)) => wanted == picked,
            (Some(_), None) => return Err(Refusal::new("the prompt asks for a number: give `number`")),
            (None, _) => true,
        };
        let done = if picked { push::approve(act, user, &push) } else { push::reject(act, user, &push) };
        Ok(answered(&done))
    })
}

/// What became of a prompt, and what it was about where it said so.
fn answered(push: &Push) -> Value {
    let mut answered = json!({ "transaction": push.id, "factorResult": push.fate.text() });
    if let Some(message) = &push.message {
        answered["message"] = json!(message);
    }
    answered
}

fn reject_push(state: &mut State, tx: &mut Tx<'_>, who: &str, _: Prompted) -> Result<Value, Refusal> {
    own(state, tx, who, |act, user| {
        let push = waiting(act, user)?;
        let done = push::reject(act, user, &push);
        Ok(answered(&done))
    })
}
