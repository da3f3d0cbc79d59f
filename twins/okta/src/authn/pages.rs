//! The steps of a sign-in as pages of a browser: a factor's code, a new password, the links of activation and recovery.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
    wire::Answer,
};
use http::{Method, StatusCode};
use smol_str::SmolStr;

use super::{
    body::acting,
    flow::{self, Reached},
    mfa, primary, recovery,
    transaction::{self, Status, Transaction, Wants},
};
use crate::{
    Okta,
    error::Error,
    inline_hooks::password as hook,
    model::{
        Act,
        log::Party,
        one_time::{self, Purpose},
        password::{self, Verdict},
        session::{self, Proof},
        sign_in::{self, Entered},
        user::User,
    },
    oauth::{
        form::Form,
        page,
        session::{own_path, set_cookie},
    },
};

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const LIMIT: &str = "oauth2 pages";
    // The links that mails and answers carry.
    let all = [
        ("activationLink", "/tokens/{token}/verify"),
        ("welcomeLink", "/welcome/{token}"),
        ("resetLink", "/reset_password/{token}"),
        ("forgottenLink", "/signin/reset-password/{token}"),
        ("unlockLink", "/signin/unlock/{token}"),
    ];
    let mut operations: Vec<_> =
        all.into_iter().map(|(id, path)| Operation::write(id, GET, path, follow).limit(LIMIT)).collect();
    operations.push(Operation::read("signedInPage", GET, "/", home).limit(LIMIT));
    operations
}

/// What a page says to everybody who cannot sign in.
const UNABLE: &str = "Unable to sign in";

/// Where a name and a password on the page lead, or what the page says.
pub type Entrance = Result<Reached, &'static str>;

/// A name and a password where nothing can wait for the password import hook.
///
/// # Errors
/// A password that only the hook knows.
pub fn enter(act: &mut Act<'_, '_>, name: &str, password: &str) -> Result<Entrance, Error> {
    match sign_in::enter(act, name, password) {
        Entered::Hook(_) if hook::is_on(act.state) => Err(Error::Unsupported),
        other => entered(act, other),
    }
}

/// Goes on with whoever has entered on the page.
///
/// # Errors
/// None of the person's making.
pub fn entered(act: &mut Act<'_, '_>, entered: Entered) -> Result<Entrance, Error> {
    let user = match entered {
        Entered::In(user) => user,
        Entered::Locked { shown: true } => return Ok(Err(LOCKED)),
        Entered::Locked { shown: false } | Entered::Refused => return Ok(Err(UNABLE)),
        // Without a hook that is on, nobody can say that the password is right.
        Entered::Hook(user) => match sign_in::wrong(act, &user) {
            Entered::Locked { shown: true } => return Ok(Err(LOCKED)),
            _ => return Ok(Err(UNABLE)),
        },
    };
    if flow::admit(act, &user).is_err() {
        return Ok(Err(UNABLE));
    }
    let proof = Proof::password(act.now());
    flow::go_on(act, None, Transaction::new(&user, Status::MfaRequired, proof)).map(Ok)
}

/// What the page says of accounts that are locked, where the policy lets it.
const LOCKED: &str = "Your account is locked. Please contact your administrator.";

/// The page of the next step, or the way on with a session.
///
/// # Errors
/// None of the person's making.
pub fn go_on(cx: &mut Write<'_, '_, Okta>, reached: &Reached, next: &str) -> Result<Answer, Error> {
    acting(cx, None, |act| went(act, reached, next))
}

/// The page behind an entrance, or the sign-in page once more.
///
/// # Errors
/// None of the person's making.
pub fn arrive(act: &mut Act<'_, '_>, entrance: Entrance, next: &str, name: &str) -> Result<Answer, Error> {
    match entrance {
        Ok(reached) => went(act, &reached, next),
        Err(problem) => {
            let page = page::sign_in(&act.state.org, next, name, Some(problem));
            Ok(page.with_status(StatusCode::UNAUTHORIZED))
        }
    }
}

fn went(act: &mut Act<'_, '_>, reached: &Reached, next: &str) -> Result<Answer, Error> {
    match reached {
        Reached::Waiting { token, transaction } => Ok(asking(&act.state.org, token, transaction, next, None)),
        Reached::SignedIn { token, user, .. } => {
            act.by.actor = Party::user(user);
            let Some((user, proof)) = session::redeem(act, token) else { return Err(Error::SignIn) };
            let session = session::begin(act, &user, proof);
            Ok(set_cookie(page::redirect(next), &session.id))
        }
        Reached::Unlocked { .. } => Ok(page::told(&act.state.org, "Account successfully unlocked!")),
    }
}

/// The page that asks for what a transaction waits for; `next` is where it leads.
pub fn asking(org: &str, token: &str, transaction: &Transaction, next: &str, problem: Option<&str>) -> Answer {
    let (title, fields): (&str, &[(&str, &str, &str)]) = match transaction.status {
        Status::PasswordExpired | Status::PasswordWarn => (
            "Your password has expired",
            &[("Old password", "oldPassword", "password"), ("New password", "newPassword", "password")],
        ),
        Status::PasswordReset => ("Reset your password", &[("New password", "newPassword", "password")]),
        Status::Recovery => ("Answer your recovery question", &[("Answer", "answer", "text")]),
        _ if transaction.wants.password => ("Verify with your password", &[("Password", "passCode", "password")]),
        _ => ("Verify with a code", &[("Code", "passCode", "text")]),
    };
    page::step(org, title, fields, token, next, problem)
}

/// What a page behind the sign-in page sends.
///
/// # Errors
/// A state token that has ended.
pub fn step(cx: &mut Write<'_, '_, Okta>, form: &Form) -> Result<Typed<()>, Error> {
    let next = own_path(form.get("fromURI").unwrap_or("/"), &cx.scene.request.origin);
    let token = SmolStr::new(form.get("stateToken").unwrap_or_default());
    let Ok(transaction) = transaction::open(cx.state, &token, cx.scene.now) else {
        let page = page::sign_in(&cx.state.org, &next, "", Some("You have been logged out due to inactivity."));
        return Ok(Typed::from_answer(page.with_status(StatusCode::UNAUTHORIZED)));
    };
    let person = transaction.person(cx.state)?;
    let before = transaction.clone();
    if matches!(transaction.status, Status::MfaRequired | Status::MfaChallenge) {
        let code = form.get("passCode").unwrap_or_default();
        // A wrong code counts: what it has changed stays.
        let stepped = acting(cx, Some(&person), |act| {
            if transaction.wants.password {
                return password_again(act, token.clone(), transaction, &person, code);
            }
            mfa::typed_code(act, token.clone(), transaction, code)
        });
        return match stepped.and_then(|stepped| stepped) {
            Ok(reached) => Ok(Typed::from_answer(go_on(cx, &reached, &next)?)),
            Err(error) => {
                let page = asking(&cx.state.org, &token, &before, &next, Some(&error.words()));
                Ok(Typed::from_answer(page.with_status(StatusCode::FORBIDDEN)))
            }
        };
    }
    // Each refusal comes before the first change: the page can ask again.
    match acting(cx, Some(&person), |act| taken(act, form, token.clone(), transaction, &person)) {
        Ok(reached) => Ok(Typed::from_answer(go_on(cx, &reached, &next)?)),
        Err(Error::Unsupported) => Err(Error::Unsupported),
        Err(error) => {
            let page = asking(&cx.state.org, &token, &before, &next, Some(&error.words()));
            Ok(Typed::from_answer(page.with_status(StatusCode::FORBIDDEN)))
        }
    }
}

/// The password of somebody who has signed in, given anew for an app.
fn password_again(
    act: &mut Act<'_, '_>,
    token: SmolStr,
    mut transaction: Transaction,
    person: &User,
    password: &str,
) -> Result<mfa::Stepped, Error> {
    let Entered::In(_) = sign_in::enter(act, person.login(), password) else { return Ok(Err(Error::SignIn)) };
    transaction.proof.give_password(act.now());
    transaction.wants = Wants::default();
    flow::go_on(act, Some(token), transaction).map(Ok)
}

/// Takes a step with what the person has typed.
fn taken(
    act: &mut Act<'_, '_>,
    form: &Form,
    token: SmolStr,
    mut transaction: Transaction,
    person: &Arc<User>,
) -> Result<Reached, Error> {
    let typed = |name: &str| form.get(name).unwrap_or_default();
    match transaction.status {
        Status::PasswordExpired | Status::PasswordWarn | Status::PasswordReset => {
            let resets = transaction.status == Status::PasswordReset;
            if !resets && password::check(act.state, person, typed("oldPassword")) != Verdict::Right {
                return Err(Error::because("E0000014", "Old password is not correct."));
            }
            sign_in::choose(act, person, typed("newPassword"), false)?;
            transaction.proof.give_password(act.now());
            transaction.recovery = None;
            flow::go_on(act, Some(token), transaction)
        }
        Status::Recovery if act.state.passwords.answers(&person.id, typed("answer")) => {
            recovery::answered(act, person, Some(token), transaction)
        }
        Status::Recovery => Err(Error::coded("E0000087")),
        // Factors are enrolled by programs of one's own, not on this page.
        _ => Err(Error::Unsupported),
    }
}

/// Follows a link of activation or recovery. It is good once.
pub fn follow(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let _ = form;
    let text = cx.scene.request.path_param("token").to_owned();
    let found = cx.state.one_times.get(&text, cx.scene.now).cloned();
    let person = found.as_ref().and_then(|token| cx.state.users.get(&token.user)).cloned();
    let Some((token, person)) = found.zip(person) else {
        let page = page::told(&cx.state.org, "This link has expired or has been used before.");
        return Ok(Typed::from_answer(page.with_status(StatusCode::FORBIDDEN)));
    };
    let reached = acting(cx, Some(&person), |act| {
        one_time::take(act, &text);
        if token.purpose == Purpose::Activation {
            return primary::activate(act, &person, |transaction| transaction);
        }
        let transaction = Transaction::new(&person, Status::Recovery, flow::by_token());
        recovery::redeemed(act, &person, &token, transaction)
    })?;
    Ok(Typed::from_answer(go_on(cx, &reached, "/")?))
}

/// Where people land who have signed in to nothing in particular.
pub fn home(cx: &Read<'_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let _ = form;
    let session = crate::oauth::session::current(cx.state, cx.scene.request, cx.scene.now);
    let user = session.and_then(|session| cx.state.users.get(&session.user));
    let answer = match user {
        Some(user) => page::told(&cx.state.org, &format!("Signed in as {}", user.login())),
        None => page::redirect("/login/login.htm"),
    };
    Ok(Typed::from_answer(answer))
}
