//! One's own phones: each is a factor that gets text messages or calls.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
};
use http::StatusCode;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Body, Change, DELETE, GET, LIMIT, Nothing, POST, Sent, Which, flag, link, only, own, taken, text};
use crate::{
    Okta,
    api::{act, no_content},
    error::Error,
    model::{
        State,
        factor::{self, Delivery, Enrolment, Factor, Kind, Profile, Proof, Verdict, enrol},
        user::User,
    },
};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/idp/myaccount/phones";
    const ONE: &str = "/idp/myaccount/phones/{id}";
    const CHALLENGE: &str = "/idp/myaccount/phones/{id}/challenge";
    const VERIFY: &str = "/idp/myaccount/phones/{id}/verify";
    vec![
        Operation::read("listPhones", GET, ALL, list).limit(LIMIT),
        Operation::write("createPhone", POST, ALL, create).limit(LIMIT),
        Operation::read("getPhone", GET, ONE, get).limit(LIMIT),
        Operation::write("deletePhone", DELETE, ONE, delete).limit(LIMIT),
        Operation::write("sendPhoneChallenge", POST, CHALLENGE, challenge).limit(LIMIT),
        Operation::write("verifyPhoneChallenge", POST, VERIFY, verify).limit(LIMIT),
    ]
}

const ISSUE: &str =
    "This operation couldn't be completed as requested due to an issue with the specified authenticator.";

fn phones(state: &State, user: &User) -> Vec<Arc<Factor>> {
    let own = state.factors.of_user(&user.id).into_iter();
    own.filter(|factor| matches!(factor.kind, Kind::Sms | Kind::Call)).collect()
}

fn find(state: &State, user: &User, id: &str) -> Result<Arc<Factor>, Error> {
    let found = phones(state, user).into_iter().find(|factor| factor.id == id);
    found.ok_or_else(|| Error::because("E0000008", ISSUE))
}

fn number(factor: &Factor) -> &str {
    match &factor.profile {
        Profile::Phone { number, .. } => number,
        _ => "",
    }
}

fn shown(scene: &Scene<'_>, factor: &Factor) -> Value {
    let own = format!("/phones/{}", factor.id);
    let mut links = json!({
        "self": link(scene, &own, &["GET", "DELETE"]),
        "challenge": link(scene, &format!("{own}/challenge"), &["POST"]),
    });
    if factor.challenge.is_some() {
        links["verify"] = link(scene, &format!("{own}/verify"), &["POST"]);
    }
    json!({
        "id": factor.id,
        "profile": { "phoneNumber": number(factor) },
        "status": if factor.is_active() { "VERIFIED" } else { "UNVERIFIED" },
        "_links": links,
    })
}

fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<Value>>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let all = phones(cx.state, &user);
    Ok(Typed::ok(&all.iter().map(|factor| shown(cx.scene, factor)).collect::<Vec<_>>()))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    find(cx.state, &user, &args.id).map(|factor| Typed::ok(&shown(cx.scene, &factor)))
}

/// `SMS` where nothing is said, or `CALL`.
fn method(body: &Body) -> Result<Kind, Error> {
    match body.get("method").map(Value::as_str) {
        None | Some(Some("SMS")) => Ok(Kind::Sms),
        Some(Some("CALL")) => Ok(Kind::Call),
        Some(Some(other)) => Err(Error::invalid("Method", format!("Invalid method {other} in the request."))),
        Some(None) => Err(Error::Malformed),
    }
}

fn name(kind: Kind) -> &'static str {
    if kind == Kind::Call { "CALL" } else { "SMS" }
}

/// A number as Okta keeps it.
fn normal(text: &str) -> Result<SmolStr, Error> {
    enrol::phone_number(text).map_err(|_| {
        let about = "Error type: NOT_A_NUMBER. The string supplied did not seem to be a phone number.";
        Error::invalid(about, "Invalid phone number.")
    })
}

/// A phone to which no code is sent at once is enrolled all the same, and waits for its challenge.
fn create(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["profile", "sendCode", "method"])?;
    let (kind, sends) = (method(&args.body)?, flag(&args.body, "sendCode", true)?);
    let phone = normal(text(&args.body, "profile.phoneNumber")?)?;
    let known = phones(cx.state, &user);
    if known.iter().any(|factor| factor.is_active() && number(factor) == phone) {
        return Err(taken(&phone, "This phone number is already assigned to the current user account.".to_owned()));
    }
    if known.iter().any(|factor| factor.is_active() && factor.kind == kind) {
        let cause = "This user account has reached the maximum number of enrolled phone numbers.";
        return Err(Error::invalid("Exceeded cardinality max", cause));
    }
    let new = Enrolment { phone: Some(phone), update_phone: true, silent: !sends, ..Enrolment::of(kind) };
    let factor = act(cx, |act| factor::enroll(act, &user, &new)).map_err(|error| off(error, kind))?;
    Ok(Typed::ok(&shown(cx.scene, &factor)).with_status(StatusCode::CREATED))
}

/// What a policy does not let people enrol is not there for them.
fn off(error: Error, kind: Kind) -> Error {
    match error {
        Error::Validation { about, .. } if about == "factorEnrollRequest" => {
            Error::because("E0000038", format!("Method {} is not enabled for your org.", name(kind)))
        }
        other => other,
    }
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let factor = find(cx.state, &user, &args.id)?;
    act(cx, |act| factor::unenroll(act, &user, &factor, true))?;
    Ok(no_content())
}

/// A code is sent, or sent again where `retry` says so; the method must be the one by which the phone was set up.
fn challenge(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["method", "retry"])?;
    text(&args.body, "method")?;
    let (kind, retry) = (method(&args.body)?, flag(&args.body, "retry", false)?);
    let factor = find(cx.state, &user, &args.id)?;
    if factor.kind != kind {
        return Err(Error::because("E0000038", format!("Method {} is not enabled for your org.", name(kind))));
    }
    if retry && factor.challenge.is_none() {
        return Err(Error::invalid("Transaction", "Invalid transaction."));
    }
    let how = Delivery::default();
    act(cx, |act| {
        if factor.is_active() {
            factor::challenge(act, &user, &factor, &how).map(drop)
        } else {
            factor::resend(act, &user, &factor, &how).map(drop)
        }
    })?;
    let verify = link(cx.scene, &format!("/phones/{}/verify", factor.id), &["GET"]);
    Ok(Typed::ok(&json!({ "_links": { "verify": verify } })))
}

fn verify(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<()>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["verificationCode"])?;
    let proof = Proof::code(text(&args.body, "verificationCode")?);
    let factor = find(cx.state, &user, &args.id)?;
    if factor.challenge.is_none() {
        let cause = "Failed to find a transaction. Either the challenge was answered or the factor id is invalid.";
        return Err(taken("transactionHandle", cause.to_owned()));
    }
    let verdict = act(cx, |act| {
        if factor.is_active() {
            factor::verify(act, &user, &factor, &proof)
        } else {
            factor::activate(act, &user, &factor, &proof)
        }
    })?;
    match verdict {
        Verdict::Right(_) => Ok(no_content()),
        // What was counted of a wrong code stays.
        Verdict::Wrong(_) => {
            let refusal = Error::invalid("factorId and/or verificationCode", ISSUE);
            Ok(Typed::from_answer(refusal.answer(cx.scene.request_bits).0))
        }
    }
}
