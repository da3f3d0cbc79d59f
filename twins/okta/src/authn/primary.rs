//! Primary authentication, and what moves a transaction without saying anything new.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    wire::Answer,
};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    body::{Args, Moved, Primary, acting, need, opened, told},
    flow::{self, Reached},
    render,
    transaction::{self, Recovery, Status, Transaction},
};
use crate::{
    Okta,
    error::Error,
    inline_hooks::{
        self, Caller,
        password::{self as hook, Way},
    },
    model::{
        Act, State,
        one_time::{self, Purpose},
        session::Proof,
        sign_in::{self, Entered},
        user::User,
    },
};

type Answered = Result<Typed<Value>, Error>;

/// `primaryAuthentication`: by password, by activation token; or a look at a transaction.
pub fn authenticate(cx: &mut Write<'_, '_, Okta>, args: Args<Primary>) -> Answered {
    let body = args.body;
    match &body {
        Primary { token: Some(token), .. } => by_token(cx, token, &body),
        Primary { state_token: Some(_), username: None, password: None, .. } => state(cx, &body),
        _ => by_password(cx, &body),
    }
}

/// A transaction with the opt-ins of a body.
fn begun(transaction: Transaction, body: &Primary, trusted: bool) -> Transaction {
    let options = body.options.as_ref();
    let device = body.context.as_ref().and_then(|context| context.device_token.as_ref()).filter(|_| trusted);
    Transaction {
        multi_optional: options.and_then(|options| options.multi_optional_factor_enroll).unwrap_or(false),
        warns: options.and_then(|options| options.warn_before_password_expired).unwrap_or(false),
        relay_state: body.relay_state.as_ref().map(SmolStr::from),
        device: device.map(SmolStr::from),
        ..transaction
    }
}

fn by_password(cx: &mut Write<'_, '_, Okta>, body: &Primary) -> Answered {
    let (name, password) = (body.username.as_deref().unwrap_or_default(), body.password.as_deref().unwrap_or_default());
    if name.is_empty() || password.is_empty() {
        let both = "The 'username' and 'password' attributes are required in this context.";
        return Err(Error::invalid("authRequest", both));
    }
    let person = cx.state.users.find(name).cloned();
    let trusted = super::body::is_trusted(cx);
    let (scene, caller) = (cx.scene, Caller::of(cx.scene));
    let outcome = acting(cx, person.as_ref(), |act| {
        let entered = sign_in::enter(act, name, password);
        if let Entered::Hook(user) = &entered {
            let way = Way::Api(Box::new(body.clone()), trusted);
            if hook::begin(act, &caller, user, (name, password), way).is_none() {
                // Nobody sees this answer: the call waits for the hook's.
                return Ok(Err(None));
            }
        }
        self::entered(act, entered, body, trusted)
    })?;
    Ok(Typed::from_answer(shown(cx.state, &scene.request.origin, scene.request_bits, outcome)))
}

/// What a sign-in has come to: a step, a refusal, or without one a locked account that is shown.
pub type Entrance = Result<Reached, Option<Error>>;

/// Goes on with whoever has entered.
///
/// # Errors
/// As [`flow::go_on`].
pub fn entered(act: &mut Act<'_, '_>, entered: Entered, body: &Primary, trusted: bool) -> Result<Entrance, Error> {
    Ok(match entered {
        Entered::In(user) => match flow::admit(act, &user) {
            Ok(()) => {
                let proof = Proof::password(act.now());
                let transaction = begun(Transaction::new(&user, Status::MfaRequired, proof), body, trusted);
                Ok(flow::go_on(act, None, transaction)?)
            }
            Err(denied) => Err(Some(denied)),
        },
        Entered::Locked { shown: true } => Err(None),
        // Without a hook that is on, nobody can say that the password is right.
        Entered::Hook(user) => match sign_in::wrong(act, &user) {
            Entered::Locked { shown: true } => Err(None),
            _ => Err(Some(Error::SignIn)),
        },
        Entered::Locked { shown: false } | Entered::Refused => Err(Some(Error::SignIn)),
    })
}

/// The answer to that.
pub fn shown(state: &State, origin: &str, bits: (u64, u64), entrance: Entrance) -> Answer {
    match entrance {
        Ok(reached) => Answer::json(&render::reached(state, &reached, origin)),
        Err(None) => Answer::json(&render::locked_out(origin)),
        Err(Some(error)) => error.answer(bits).0,
    }
}

/// The answer of `primaryAuthentication`, once the password import hook has said whether the password is right.
///
/// # Errors
/// The sign-in's.
pub fn hooked(cx: &Read<'_, Okta>) -> Answered {
    inline_hooks::answer(cx).map(Typed::from_answer)
}

/// An activation token: whoever has no password yet chooses one.
fn by_token(cx: &mut Write<'_, '_, Okta>, token: &str, body: &Primary) -> Answered {
    let found = cx.state.one_times.get(token, cx.scene.now).cloned();
    let found = found.filter(|found| found.purpose == Purpose::Activation).ok_or(Error::SignIn)?;
    let person = cx.state.users.get(&found.user).cloned().ok_or(Error::SignIn)?;
    let reached = acting(cx, Some(&person), |act| {
        one_time::take(act, token);
        activate(act, &person, |transaction| begun(transaction, body, false))
    })?;
    Ok(told(cx, &reached))
}

/// Where an activation token leads.
///
/// # Errors
/// As [`flow::go_on`].
pub fn activate(
    act: &mut Act<'_, '_>,
    person: &Arc<User>,
    begun: impl FnOnce(Transaction) -> Transaction,
) -> Result<Reached, Error> {
    let transaction = begun(Transaction::new(person, Status::PasswordReset, flow::by_token()));
    if person.has_password {
        return flow::go_on(act, None, transaction);
    }
    let transaction = Transaction { recovery: Some(Recovery::AccountActivation), ..transaction };
    Ok(flow::wait(act, None, transaction))
}

fn state(cx: &mut Write<'_, '_, Okta>, body: &Primary) -> Answered {
    let (token, transaction) = opened(cx.state, cx.scene, body.state_token.as_ref())?;
    moved(cx, token, transaction)
}

/// Writes a transaction and shows it.
fn moved(cx: &mut Write<'_, '_, Okta>, token: SmolStr, transaction: Transaction) -> Answered {
    let person = cx.state.users.get(&transaction.user).cloned();
    let reached = acting(cx, person.as_ref(), |act| Ok(flow::wait(act, Some(token), transaction)))?;
    Ok(told(cx, &reached))
}

/// `skipTransactionState`: past a warning, or past factors that need not be enrolled.
pub fn skip(cx: &mut Write<'_, '_, Okta>, args: Args<Moved>) -> Answered {
    let (token, transaction) = opened(cx.state, cx.scene, args.body.state_token.as_ref())?;
    transaction.expect(&[Status::PasswordWarn, Status::MfaEnroll])?;
    let person = transaction.person(cx.state)?;
    let next = match transaction.status {
        Status::PasswordWarn => Transaction { warns: false, ..transaction },
        _ => Transaction { enrolled: true, ..transaction },
    };
    let reached = acting(cx, Some(&person), |act| flow::go_on(act, Some(token), next))?;
    match &reached {
        Reached::Waiting { transaction, .. } if transaction.status == Status::MfaEnroll => {
            Err(Error::repeated("E0000079"))
        }
        _ => Ok(told(cx, &reached)),
    }
}

/// `previousTransactionState`: back to the choice of a factor.
pub fn previous(cx: &mut Write<'_, '_, Okta>, args: Args<Moved>) -> Answered {
    let (token, transaction) = opened(cx.state, cx.scene, args.body.state_token.as_ref())?;
    transaction.expect(&[Status::MfaChallenge, Status::MfaEnrollActivate])?;
    let status = if transaction.status == Status::MfaChallenge { Status::MfaRequired } else { Status::MfaEnroll };
    moved(cx, token, Transaction { status, factor: None, factor_result: None, ..transaction })
}

/// `cancelTransaction`: the state token is no more.
pub fn cancel(cx: &mut Write<'_, '_, Okta>, args: Args<Moved>) -> Answered {
    need(args.body.state_token.as_ref(), "stateToken")?;
    let (token, transaction) = opened(cx.state, cx.scene, args.body.state_token.as_ref())?;
    let person = cx.state.users.get(&transaction.user).cloned();
    acting(cx, person.as_ref(), |act| {
        transaction::close(act, &token);
        Ok(())
    })?;
    let mut body = Map::new();
    if let Some(relay) = &transaction.relay_state {
        body.insert("relayState".to_owned(), json!(relay));
    }
    Ok(Typed::ok(&Value::Object(body)))
}
