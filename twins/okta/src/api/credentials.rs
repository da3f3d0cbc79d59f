//! People's credentials: changing and recovering them as an administrator's program does.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserCred/.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Write,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use smol_str::SmolStr;

use super::{
    act,
    credentials_body::{CredentialsInput, PasswordInput, QuestionInput, Shown},
    find_user,
    lifecycle::Handed,
};
use crate::{
    Okta,
    authn::credentials::OLD_PASSWORD,
    error::Error,
    model::{
        accounts,
        event_type::ACCOUNT_RESET,
        log::Party,
        one_time::{self, Purpose},
        password::{self, Verdict},
        session, sign_in,
        user::{Status, User},
    },
};

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    const POST: &[Method] = &[Method::POST];
    const CALLS: &str = "users/{id} write";
    vec![
        Operation::write("changePassword", POST, "/api/v1/users/{userId}/credentials/change_password", change_password)
            .limit(CALLS),
        Operation::write(
            "changeRecoveryQuestion",
            POST,
            "/api/v1/users/{userId}/credentials/change_recovery_question",
            change_question,
        )
        .limit(CALLS),
        Operation::write("forgotPassword", POST, "/api/v1/users/{userId}/credentials/forgot_password", forgot)
            .limit(CALLS),
        Operation::write(
            "forgotPasswordSetNewPassword",
            POST,
            "/api/v1/users/{userId}/credentials/forgot_password_recovery_question",
            forgot_with_answer,
        )
        .limit(CALLS),
    ]
}

/// Arguments of `changePassword`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangePassword {
    user_id: String,
    strict: Option<bool>,
    body: Change,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    #[serde(default, deserialize_with = "crate::input::object")]
    old_password: Option<PasswordInput>,
    #[serde(default, deserialize_with = "crate::input::object")]
    new_password: Option<PasswordInput>,
    #[serde(default)]
    revoke_sessions: Option<bool>,
}

/// The text of a password that must be there.
fn text(password: Option<PasswordInput>, field: &'static str) -> Result<String, Error> {
    let text = password.and_then(|password| password.value).filter(|text| !text.is_empty());
    text.ok_or_else(|| Error::fields(&[(field, "The field cannot be left blank")]))
}

/// The person, where the password given is theirs.
fn with_password(
    cx: &Write<'_, '_, Okta>,
    id: &str,
    password: impl FnOnce() -> Result<String, Error>,
    statuses: &[Status],
    otherwise: &'static str,
    wrong: &'static str,
) -> Result<Arc<User>, Error> {
    let user = find_user(cx.state, cx.caller, id)?;
    let password = password()?;
    if !user.has_password || !statuses.contains(&user.status) {
        return Err(Error::coded(otherwise));
    }
    match password::check(cx.state, &user, &password) {
        Verdict::Right => Ok(user),
        Verdict::Wrong | Verdict::Hook => Err(Error::because("E0000014", wrong)),
    }
}

/// `changePassword`: whoever knows the present password sets the next.
pub fn change_password(cx: &mut Write<'_, '_, Okta>, args: ChangePassword) -> Result<Typed<Shown>, Error> {
    const STATUSES: [Status; 4] = [Status::Staged, Status::Active, Status::PasswordExpired, Status::Recovery];
    let Change { old_password, new_password, revoke_sessions } = args.body;
    let old = || text(old_password, "oldPassword");
    let user = with_password(cx, &args.user_id, old, &STATUSES, "E0000035", OLD_PASSWORD)?;
    let new = text(new_password, "newPassword")?;
    // Only strict changes keep to the rules on the password's age and on earlier ones.
    let strict = args.strict.unwrap_or(false);
    let user = act(cx, |act| {
        let user = if strict { sign_in::choose(act, &user, &new, true)? } else { sign_in::set(act, &user, &new)? };
        if revoke_sessions == Some(true) {
            session::clear(act, &user, None);
        }
        Ok(user)
    })?;
    Ok(Typed::ok(&Shown::of(&user)))
}

/// Arguments of operations whose body is credentials.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WithCredentials {
    user_id: String,
    // No mail is sent from here.
    #[serde(rename = "sendEmail")]
    _send_email: Option<bool>,
    body: CredentialsInput,
}

/// A recovery question and its answer, which must both be there.
fn question(sent: Option<QuestionInput>) -> Result<(SmolStr, String), Error> {
    let QuestionInput { question, answer } = sent.unwrap_or_default();
    let there = |value: Option<String>, field| {
        let value = value.filter(|text| !text.trim().is_empty());
        value.ok_or_else(|| Error::fields(&[(field, "The field cannot be left blank")]))
    };
    Ok((there(question, "recovery_question.question")?.into(), there(answer, "recovery_question.answer")?))
}

/// `changeRecoveryQuestion`.
pub fn change_question(cx: &mut Write<'_, '_, Okta>, args: WithCredentials) -> Result<Typed<Shown>, Error> {
    const STATUSES: [Status; 3] = [Status::Staged, Status::Active, Status::Recovery];
    let CredentialsInput { password, recovery_question, .. } = args.body;
    let wrong = "password: The credentials provided were incorrect.";
    let user = with_password(cx, &args.user_id, || text(password, "password"), &STATUSES, "E0000036", wrong)?;
    let (question, answer) = question(recovery_question)?;
    let user = act(cx, |act| {
        accounts::check_answer(act, &user, Some(&answer))?;
        Ok(accounts::choose_question(act, &user, question, &answer))
    })?;
    Ok(Typed::ok(&Shown::of(&user)))
}

/// Arguments of `forgotPassword`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Forgot {
    user_id: String,
    send_email: Option<bool>,
}

/// `forgotPassword`: a token for a new password. On the Classic Engine only for who has a recovery question.
pub fn forgot(cx: &mut Write<'_, '_, Okta>, args: Forgot) -> Result<Typed<Handed>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let asks = user.question.is_some() || !cx.state.kind.is_classic();
    if user.status != Status::Active || !user.has_password || !asks {
        return Err(Error::coded("E0000034"));
    }
    let token = act(cx, |act| {
        act.log(&ACCOUNT_RESET, vec![Party::user(&user)]);
        Ok(one_time::make(act, &user, Purpose::Forgot))
    })?;
    if args.send_email.unwrap_or(true) {
        return Ok(Handed::of(json!({})));
    }
    let origin = &cx.scene.request.origin;
    Ok(Handed::of(json!({ "resetPasswordUrl": format!("{origin}/signin/reset-password/{token}") })))
}

/// `forgotPasswordSetNewPassword`: whoever knows the answer sets the next password.
pub fn forgot_with_answer(cx: &mut Write<'_, '_, Okta>, args: WithCredentials) -> Result<Typed<Shown>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let CredentialsInput { password, recovery_question, .. } = args.body;
    let answer = recovery_question.and_then(|sent| sent.answer).filter(|answer| !answer.is_empty());
    let answer =
        answer.ok_or_else(|| Error::fields(&[("recovery_question.answer", "The field cannot be left blank")]))?;
    let new = text(password, "password")?;
    let may = matches!(user.status, Status::Active | Status::Recovery) && user.question.is_some();
    if !may {
        return Err(Error::coded("E0000034"));
    }
    if !cx.state.passwords.answers(&user.id, &answer) {
        return Err(Error::coded("E0000087"));
    }
    let user = act(cx, |act| sign_in::choose(act, &user, &new, false))?;
    Ok(Typed::ok(&Shown::of(&user)))
}
