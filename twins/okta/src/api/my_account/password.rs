//! One's own password.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{DELETE, GET, LIMIT, Nothing, POST, PUT, Sent, link, only, own, person, text};
use crate::{
    Okta,
    api::{act, no_content, stamp},
    authn::render,
    error::Error,
    model::{
        Act, State, accounts,
        password::{self, NewPassword, Verdict},
        sign_in,
        user::{Status, User},
    },
    policy,
};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ONE: &str = "/idp/myaccount/password";
    const CHANGE: &str = "/idp/myaccount/password/change-password";
    const RULES: &str = "/idp/myaccount/password/complexity-requirements";
    vec![
        Operation::read("getPassword", GET, ONE, get).limit(LIMIT),
        Operation::write("createPassword", POST, ONE, create).limit(LIMIT),
        Operation::write("replacePassword", PUT, ONE, replace).limit(LIMIT),
        Operation::write("deletePassword", DELETE, ONE, delete).limit(LIMIT),
        Operation::write("updatePassword", POST, CHANGE, change).limit(LIMIT),
        Operation::read("getPasswordRequirements", GET, RULES, requirements).limit(LIMIT),
    ]
}

/// What everybody's password is called, as in lists of enrolments.
fn id(user: &User) -> String {
    format!("lae{}", user.id.get(3..).unwrap_or_default())
}

fn shown(state: &State, scene: &Scene<'_>, user: &User) -> Value {
    let expired = user.status == Status::PasswordExpired || policy::password(state, user).expired(user, scene.now);
    let status = match (user.has_password, expired) {
        (false, _) => "NOT_ENROLLED",
        (true, true) => "EXPIRED",
        (true, false) => "ACTIVE",
    };
    let links = json!({ "self": link(scene, "/password", &["GET", "PUT", "DELETE"]) });
    let mut body = json!({ "id": id(user), "status": status, "_links": links });
    if let Some(at) = user.password_changed.filter(|_| user.has_password) {
        body["created"] = json!(stamp(user.activated.unwrap_or(at).min(at)));
        body["lastUpdated"] = json!(stamp(at));
    }
    body
}

fn get(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    Ok(Typed::ok(&shown(cx.state, cx.scene, &user)))
}

/// A password that the policy does not take, in this interface's words.
fn unfit(error: Error) -> Error {
    match error {
        Error::Coded { code: "E0000014", causes } => {
            let causes = causes.into_iter().map(|cause| format!("password: {cause}")).collect();
            Error::Validation { about: "Password".into(), causes }
        }
        other => other,
    }
}

fn set(act: &mut Act<'_, '_>, user: &User, password: &str, checks_age: bool) -> Result<(), Error> {
    sign_in::check_next(act, user, password, checks_age).map_err(unfit)?;
    accounts::choose_password(act, user, &NewPassword::Text(password.to_owned())).map(drop)
}

fn written(cx: &Write<'_, '_, Okta>) -> Result<Typed<Value>, Error> {
    let user = person(cx.state, cx.caller)?;
    Ok(Typed::ok(&shown(cx.state, cx.scene, &user)).with_status(StatusCode::CREATED))
}

fn create(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["profile"])?;
    let password = text(&args.body, "profile.password")?;
    if user.has_password {
        let words = "This account already has a password set as an authenticator.";
        return Err(Error::Worded { code: "E0000157", summary: words.to_owned(), causes: vec![words.to_owned()] });
    }
    act(cx, |act| set(act, &user, password, false))?;
    written(cx)
}

/// A reset: the present password is not asked for.
fn replace(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["profile"])?;
    let password = text(&args.body, "profile.password")?;
    act(cx, |act| set(act, &user, password, false))?;
    written(cx)
}

fn delete(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    if !user.has_password {
        return Err(Error::not_found(&id(&user), "UserProfilePassword"));
    }
    act(cx, |act| {
        accounts::drop_password(act, &user);
        Ok(())
    })?;
    Ok(no_content())
}

fn change(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<()>, Error> {
    let user = person(cx.state, cx.caller)?;
    only(&args.body, &["oldPassword", "newPassword"])?;
    let (old, new) = (text(&args.body, "oldPassword")?, text(&args.body, "newPassword")?);
    if password::check(cx.state, &user, old) != Verdict::Right {
        return Err(Error::because("E0000014", "Old Password is not correct"));
    }
    act(cx, |act| set(act, &user, new, true))?;
    Ok(no_content())
}

/// The document has the password's own members here; what the policy asks for stands beside them (inferred from
/// policies' settings).
fn requirements(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let user = person(cx.state, cx.caller)?;
    let mut body = shown(cx.state, cx.scene, &user);
    let mut requirements = render::requirements(&policy::password(cx.state, &user));
    for member in ["complexity", "age"] {
        body[member] = requirements[member].take();
    }
    Ok(Typed::ok(&body))
}
