//! An app of the org's as an authenticator: a program with the devices SDK enrols itself, gets prompts, and answers
//! them with what its key has signed.
//!
//! The enrolment is the person's push factor, on a device that comes with it. Challenges and answers are those of the
//! devices SDK (github.com/okta/okta-devices-swift, `OktaBindJWT` and `OktaUserConsentValue`).

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    ids::BASE64_URL,
    operation::{Operation, Typed},
    time::Timestamp,
    twin::{Read, Scene, Write},
    wire::Answer,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Body, DELETE, GET, LIMIT, PATCH, POST, ROOT, Sent, link, only, own, text};
use crate::{
    Okta,
    api::{act, no_content, stamp},
    devices,
    error::Error,
    input::object,
    model::{
        Act, SITE, State,
        factor::{
            self, Device, Enrolment, Factor, Kind,
            enrol::pair,
            push::{self, Fate, Push},
        },
        user::User,
    },
    oauth::{jwt::Unverified, server::Issuer},
};

/// The one operation that shows no token: what the device has signed is its credential.
pub(super) const BY_DEVICE: &str = "verifyAppAuthenticatorPushNotificationChallenge";

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/idp/myaccount/app-authenticators";
    const ONE: &str = "/idp/myaccount/app-authenticators/{enrollmentId}";
    const WAITING: &str = "/idp/myaccount/app-authenticators/{enrollmentId}/push/notifications";
    const VERIFY: &str = "/idp/myaccount/app-authenticators/challenge/{challengeId}/verify";
    vec![
        Operation::write("createAppAuthenticatorEnrollment", POST, ALL, create).limit(LIMIT),
        Operation::write("updateAppAuthenticatorEnrollment", PATCH, ONE, update).limit(LIMIT),
        Operation::write("deleteAppAuthenticatorEnrollment", DELETE, ONE, delete).limit(LIMIT),
        Operation::read("listAppAuthenticatorPendingPushNotificationChallenges", GET, WAITING, list).limit(LIMIT),
        Operation::write(BY_DEVICE, POST, VERIFY, verify).limit(LIMIT),
    ]
}

/// Where enrolments are kept, by the ids of their factors.
const PLACE: &str = "/idp/myaccount/app-authenticators";
/// A prompt's challenge lives as long as the prompt.
const LIFE: Duration = Duration::from_secs(300);

/// An enrolment with its factor and its person.
struct Enrolled {
    members: Map<String, Value>,
    factor: Arc<Factor>,
    user: Arc<User>,
}

fn find(state: &State, id: &str) -> Result<Enrolled, Error> {
    let missing = || Error::not_found(id, "AppAuthenticatorEnrollment");
    let members = state.objects.member(PLACE, id).cloned().ok_or_else(missing)?;
    let user = members.get("user").and_then(Value::as_str).and_then(|user| state.users.get(user));
    let user = user.cloned().ok_or_else(missing)?;
    let factor = state.factors.get(&user.id, id).cloned().ok_or_else(missing)?;
    Ok(Enrolled { members, factor, user })
}

/// One's own enrolment.
fn find_own(state: &State, user: &User, id: &str) -> Result<Enrolled, Error> {
    let found = find(state, id)?;
    if found.user.id == user.id { Ok(found) } else { Err(Error::not_found(id, "AppAuthenticatorEnrollment")) }
}

fn shown(scene: &Scene<'_>, found: &Enrolled) -> Value {
    let Enrolled { members, factor, user } = found;
    let own = format!("/app-authenticators/{}", factor.id);
    let (created, updated) = (stamp(factor.created), members.get("lastUpdated"));
    let device = members.get("device").cloned().unwrap_or_default();
    json!({
        "id": factor.id,
        "authenticatorId": members.get("authenticatorId"),
        "createdDate": created,
        "lastUpdated": updated,
        "device": {
            "id": device["id"], "status": "ACTIVE", "createdDate": created, "lastUpdated": created,
            "clientInstanceId": device["clientInstanceId"],
        },
        "user": { "id": user.id, "username": user.login() },
        "methods": { "push": {
            "id": members.get("methodId"), "createdDate": created, "lastUpdated": updated,
            "links": { "pending": link(scene, &format!("{own}/push/notifications"), &["GET"]) },
        } },
        "links": { "self": link(scene, &own, &["PATCH", "DELETE"]) },
    })
}

/// A member of the request's device, which must be there.
const DEVICE: [&str; 6] = [
    "osVersion",
    "clientInstanceBundleId",
    "platform",
    "clientInstanceVersion",
    "clientInstanceDeviceSdkVersion",
    "displayName",
];

fn inner<'a>(body: &'a Body, name: &'static str) -> Result<&'a Body, Error> {
    let found = body.get(name).and_then(Value::as_object);
    found.ok_or_else(|| Error::fields(&[(name, "The field cannot be left blank")]))
}

/// A public key that Okta can use.
fn key<'a>(body: &'a Body, name: &'static str) -> Result<&'a Value, Error> {
    let value = body.get(name).ok_or_else(|| Error::fields(&[(name, "The field cannot be left blank")]))?;
    let fits = crate::oauth::jwt::family(value).is_some() && value["kid"].is_string();
    if fits { Ok(value) } else { Err(Error::fields(&[(name, "The field has an invalid value")])) }
}

/// What is asked for, checked.
struct Wanted {
    authenticator: String,
    profile: Value,
    name: SmolStr,
    platform: SmolStr,
    version: SmolStr,
    token: String,
    key: Value,
    verification: Value,
}

fn wanted(state: &State, body: &Body) -> Result<Wanted, Error> {
    only(body, &["authenticatorId", "device", "methods"])?;
    let authenticator = text(body, "authenticatorId")?;
    let known = state.objects.member("/api/v1/authenticators", authenticator);
    let of = known.and_then(|one| one.get("key")?.as_str()).unwrap_or_default();
    if !matches!(of, "okta_verify" | "custom_app") {
        return Err(Error::not_found(authenticator, "Authenticator"));
    }
    let device = inner(body, "device")?;
    for name in DEVICE {
        text(device, name)?;
    }
    key(device, "clientInstanceKey")?;
    let platform = text(device, "platform")?;
    if !matches!(platform, "ANDROID" | "IOS") {
        return Err(Error::fields(&[("platform", "The field has an invalid value")]));
    }
    let push = inner(inner(body, "methods")?, "push")?;
    let keys = inner(push, "keys")?;
    let mut profile = json!({
        "displayName": text(device, "displayName")?, "platform": platform, "osVersion": text(device, "osVersion")?,
        "registered": true,
    });
    for name in ["manufacturer", "model", "udid", "secureHardwarePresent"] {
        if let Some(value) = device.get(name) {
            profile[name] = value.clone();
        }
    }
    Ok(Wanted {
        authenticator: authenticator.to_owned(),
        name: text(device, "displayName")?.into(),
        platform: platform.into(),
        version: text(device, "osVersion")?.into(),
        profile,
        token: text(push, "pushToken")?.to_owned(),
        key: key(keys, "proofOfPossession")?.clone(),
        verification: keys.get("userVerification").cloned().unwrap_or_default(),
    })
}

fn create(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let wanted = wanted(cx.state, &args.body)?;
    let id = act(cx, |act| enrol(act, &user, wanted))?;
    let found = find(cx.state, &id)?;
    Ok(Typed::ok(&shown(cx.scene, &found)))
}

fn enrol(act: &mut Act<'_, '_>, user: &User, wanted: Wanted) -> Result<SmolStr, Error> {
    let pending = factor::enroll(act, user, &Enrolment::of(Kind::Push))?;
    let kind = if wanted.platform == "IOS" { "SmartPhone_IPhone" } else { "SmartPhone_Android" };
    let phone = Device {
        name: wanted.name,
        r#type: SmolStr::new_static(kind),
        platform: wanted.platform,
        version: wanted.version,
    };
    let factor = pair(act, user, &pending, phone)?;
    let device = devices::of_factor(act, user, &factor, wanted.profile.as_object().cloned().unwrap_or_default());
    let mut draw = |name: &str| act.tx.draw(SITE.child(name)).text(BASE64_URL, 20);
    let (method, instance) = (draw("push method"), draw("client instance"));
    let row = json!({
        "user": user.id,
        "authenticatorId": wanted.authenticator,
        "device": { "id": device, "clientInstanceId": instance },
        "methodId": method,
        "pushToken": wanted.token,
        "keys": { "proofOfPossession": wanted.key, "userVerification": wanted.verification },
        "lastUpdated": stamp(act.now()),
    });
    keep(act, &factor.id, row);
    Ok(factor.id.clone())
}

fn keep(act: &mut Act<'_, '_>, id: &str, row: Value) {
    if let Value::Object(members) = row {
        act.state.objects.keep(&mut act.tx.changes, PLACE, id, members);
    }
}

/// An enrolment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    enrollment_id: String,
}

/// An enrolment to be changed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Change {
    enrollment_id: String,
    #[serde(deserialize_with = "object")]
    body: Body,
}

/// A merge patch of the push method: its token, its second key, what it is for.
fn update(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let found = find_own(cx.state, &user, &args.enrollment_id)?;
    only(&args.body, &["methods"])?;
    let push = inner(inner(&args.body, "methods")?, "push")?;
    only(push, &["pushToken", "keys", "capabilities"])?;
    let mut row = Value::Object(found.members);
    if push.contains_key("pushToken") {
        row["pushToken"] = json!(text(push, "pushToken")?);
    }
    if let Some(keys) = push.get("keys") {
        let keys = keys.as_object().ok_or(Error::Malformed)?;
        only(keys, &["userVerification"])?;
        row["keys"]["userVerification"] = key(keys, "userVerification")?.clone();
    }
    if let Some(capabilities) = push.get("capabilities") {
        let kinds = capabilities["transactionTypes"].as_array().ok_or(Error::Malformed)?;
        if kinds.iter().any(|kind| !matches!(kind.as_str(), Some("LOGIN" | "CIBA"))) {
            return Err(Error::fields(&[("transactionTypes", "The field has an invalid value")]));
        }
        row["capabilities"] = capabilities.clone();
    }
    act(cx, |act| {
        row["lastUpdated"] = json!(stamp(act.now()));
        keep(act, &found.factor.id, row);
        Ok(())
    })?;
    Ok(Typed::ok(&shown(cx.scene, &find(cx.state, &args.enrollment_id)?)))
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let found = find_own(cx.state, &user, &args.enrollment_id)?;
    act(cx, |act| {
        act.state.objects.forget(&mut act.tx.changes, PLACE, &args.enrollment_id);
        factor::unenroll(act, &user, &found.factor, false)
    })?;
    Ok(no_content())
}

/// What makes a challenge one of its own: it follows from the prompt, so that the same prompt asks the same.
fn nonce(push: &Push) -> String {
    blake3::hash(push.id.as_bytes()).to_hex()[..32].to_owned()
}

/// The prompt that waits, as the app is asked it.
fn challenge(state: &State, scene: &Scene<'_>, found: &Enrolled, push: &Push) -> Result<String, Error> {
    let issuer = Issuer::named(state, &scene.request.origin, "")?;
    let (now, end) = (push.shown, push.shown.after(LIFE));
    let uri = format!("{}{ROOT}/app-authenticators/challenge/{}/verify", scene.request.origin, push.id);
    let org = state.objects.one("/api/v1", "org").and_then(|org| org.get("id")).cloned();
    let claims = json!({
        "iss": issuer.url(),
        "aud": found.factor.id,
        "iat": seconds(now),
        "exp": seconds(end),
        "orgId": org,
        "nonce": nonce(push),
        "transactionId": push.id,
        "verificationUri": uri,
        "method": "push",
        "keyTypes": ["proofOfPossession"],
        "userId": found.user.id,
        "loginHint": found.user.login(),
        "authenticatorEnrollmentId": found.factor.id,
        "userVerification": "PREFERRED",
    });
    let claims = claims.as_object().cloned().unwrap_or_default();
    Ok(issuer.sign(scene.now, "okta-pushbind+jwt", &claims))
}

fn seconds(at: Timestamp) -> i64 {
    at.as_secs()
}

fn list(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let found = find_own(cx.state, &user, &args.enrollment_id)?;
    let waiting = cx.state.factors.waiting(&found.factor.id, cx.scene.now);
    let told = waiting.map(|push| challenge(cx.state, cx.scene, &found, &push)).transpose()?;
    let row = |challenge: String| json!({ "payloadVersion": "IDXv1", "challenge": challenge });
    Ok(Typed::ok(&told.into_iter().map(row).collect::<Vec<_>>()))
}

/// A prompt with the app's answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Answered {
    challenge_id: String,
    #[serde(deserialize_with = "object")]
    body: Body,
}

fn refused(cause: &str) -> Error {
    Error::invalid("challengeResponse", cause)
}

/// Whether the person has approved, by what their key has signed.
///
/// # Errors
/// An answer to another prompt, of nobody's enrolment, or that the key has not signed.
fn approves(state: &State, answer: &Unverified<'_>, push: &str, origin: &str) -> Result<(Enrolled, bool), Error> {
    let found = find(state, answer.claim("iss").unwrap_or_default()).map_err(|_| refused("Unknown enrollment."))?;
    let keys = found.members.get("keys");
    let signed = ["proofOfPossession", "userVerification"]
        .into_iter()
        .any(|name| keys.and_then(|keys| keys.get(name)).is_some_and(|key| answer.is_signed_by(key)));
    let prompt = state.factors.push(&found.factor.id, push).ok_or_else(|| refused("Unknown challenge."))?;
    let fits = answer.claim("tx") == Some(push)
        && answer.claim("nonce") == Some(&nonce(prompt))
        && answer.claim("aud") == Some(origin);
    if !signed || !fits {
        return Err(refused("The challenge response is not valid."));
    }
    let context = answer.claims.get("challengeResponseContext");
    let consent = context.and_then(|context| context.get("userConsent")?.as_str()).unwrap_or("NONE");
    match consent {
        "APPROVED_CONSENT_PROMPT" | "APPROVED_USER_VERIFICATION" | "NONE" => Ok((found, true)),
        "DENIED_CONSENT_PROMPT" | "CANCELLED_USER_VERIFICATION" => Ok((found, false)),
        _ => Err(refused("The user consent is not valid.")),
    }
}

fn verify(cx: &mut Write<'_, '_, Okta>, args: Answered) -> Result<Typed<()>, Error> {
    only(&args.body, &["challengeResponse", "method"])?;
    if args.body.get("method").is_some_and(|method| method != "push") {
        return Err(Error::fields(&[("method", "The field has an invalid value")]));
    }
    let text = text(&args.body, "challengeResponse")?;
    let answer = Unverified::read(text).ok_or_else(|| refused("The challenge response is not valid."))?;
    let (found, approved) = approves(cx.state, &answer, &args.challenge_id, &cx.scene.request.origin)?;
    let waiting = cx.state.factors.push(&found.factor.id, &args.challenge_id).cloned();
    let waiting = waiting.filter(|push| push.fate_at(cx.scene.now) == Fate::Waiting);
    let waiting = waiting.ok_or_else(|| refused("The challenge is over."))?;
    act(cx, |act| {
        let decide = if approved { push::approve } else { push::reject };
        decide(act, &found.user, &waiting);
        Ok(())
    })?;
    let status = if approved { StatusCode::OK } else { StatusCode::NO_CONTENT };
    Ok(Typed::from_answer(Answer::empty(status)))
}
