//! People's enrolments in authenticators: the factors of the Identity Engine, by another name, with password and mail.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserAuthenticatorEnrollments/.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    time::Timestamp,
    twin::{Read, Scene, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Links, act, find_user, no_content, stamp};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        factor::{self, Enrolment, Factor, Kind, Profile, tac},
        profile::Attribute,
        user::User,
    },
};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const DELETE: &[Method] = &[Method::DELETE];
const LIMIT: &str = "users";
/// Where the org's authenticators are kept.
const AUTHENTICATORS: &str = "/api/v1/authenticators";

/// The operations of people's enrolments in authenticators.
pub fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/users/{userId}/authenticator-enrollments";
    const ONE: &str = "/api/v1/users/{userId}/authenticator-enrollments/{enrollmentId}";
    const PHONE: &str = "/api/v1/users/{userId}/authenticator-enrollments/phone";
    const TAC: &str = "/api/v1/users/{userId}/authenticator-enrollments/tac";
    vec![
        Operation::read("listAuthenticatorEnrollments", GET, ALL, list).limit(LIMIT),
        Operation::write("createAuthenticatorEnrollment", POST, PHONE, create_phone).limit(LIMIT),
        Operation::write("createTacAuthenticatorEnrollment", POST, TAC, create_tac).limit(LIMIT),
        Operation::read("getAuthenticatorEnrollment", GET, ONE, get).limit(LIMIT),
        Operation::write("deleteAuthenticatorEnrollment", DELETE, ONE, delete).limit(LIMIT),
    ]
}

/// An enrolment.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentBody {
    r#type: &'static str,
    id: SmolStr,
    key: &'static str,
    status: &'static str,
    name: &'static str,
    created: String,
    last_updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Value>,
    #[serde(rename = "_links")]
    links: Map<String, Value>,
}

/// What the Identity Engine calls the type of a kind's authenticator.
const fn of_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Question => "security_question",
        Kind::Sms | Kind::Call => "phone",
        Kind::Email => "email",
        Kind::WebAuthn | Kind::U2f | Kind::YubiKey => "security_key",
        Kind::Duo => "federated",
        _ => "app",
    }
}

/// The org's authenticator of a key.
fn authenticator<'a>(state: &'a State, key: &str) -> Option<&'a SmolStr> {
    let mut all = state.objects.members(AUTHENTICATORS);
    all.find(|(_, one)| one.get("key").and_then(Value::as_str) == Some(key)).map(|(id, _)| id)
}

fn links(state: &State, user: &User, id: &str, key: &str, origin: &str) -> Map<String, Value> {
    let own = format!("{origin}/api/v1/users/{}", user.id);
    let links = Links::new().hint("self", format!("{own}/authenticator-enrollments/{id}"), &["GET", "DELETE"]).hint(
        "user",
        own,
        &["GET"],
    );
    match authenticator(state, key) {
        Some(id) => links.hint("authenticator", format!("{origin}{AUTHENTICATORS}/{id}"), &["GET"]).0,
        None => links.0,
    }
}

/// What an enrolment shows of itself: a phone number is shown in full only where the caller asks for it.
fn profile(factor: &Factor, disclosed: bool) -> Option<Value> {
    match &factor.profile {
        Profile::Phone { number, .. } if disclosed => Some(json!({ "phoneNumber": number })),
        Profile::Phone { number, .. } => Some(json!({ "phoneNumber": crate::authn::mfa::masked_number(number) })),
        _ => super::factor_body::profile(factor),
    }
}

/// Everything that somebody is enrolled in.
struct Enrolled<'a> {
    state: &'a State,
    user: &'a User,
    origin: &'a str,
    now: Timestamp,
    disclosed: bool,
}

impl Enrolled<'_> {
    fn factor(&self, factor: &Factor) -> EnrollmentBody {
        let key = factor.kind.authenticator();
        EnrollmentBody {
            r#type: of_type(factor.kind),
            id: factor.id.clone(),
            key,
            status: factor.status.text(),
            name: factor.kind.authenticator_name(),
            created: stamp(factor.created),
            last_updated: stamp(factor.last_updated),
            profile: profile(factor, self.disclosed),
            links: links(self.state, self.user, &factor.id, key, self.origin),
        }
    }

    /// What everybody has who has a password or a mail address: it is not enrolled by anybody.
    fn inborn(&self, prefix: &str, (kind, key, name): (&'static str, &'static str, &'static str)) -> EnrollmentBody {
        let id = SmolStr::from(format!("{prefix}{}", self.user.id.get(3..).unwrap_or_default()));
        let mail = (kind == "email").then(|| json!({ "email": self.user.profile.get(Attribute::EMAIL) }));
        EnrollmentBody {
            r#type: kind,
            links: links(self.state, self.user, &id, key, self.origin),
            id,
            key,
            status: "ACTIVE",
            name,
            created: stamp(self.user.created),
            last_updated: stamp(self.user.password_changed.unwrap_or(self.user.created)),
            profile: mail,
        }
    }

    fn all(&self) -> Vec<EnrollmentBody> {
        let factors = self.state.factors.of_user(&self.user.id);
        let mut all = Vec::new();
        if !factors.iter().any(|factor| factor.kind == Kind::Email) {
            all.push(self.inborn("eae", ("email", "okta_email", "Email")));
        }
        if self.user.has_password {
            all.push(self.inborn("lae", ("password", "okta_password", "Password")));
        }
        all.extend(factors.iter().map(|factor| self.factor(factor)));
        all.extend(self.state.factors.tac(&self.user.id, self.now).map(|tac| self.tac(tac)));
        all
    }

    fn tac(&self, tac: &tac::Tac) -> EnrollmentBody {
        EnrollmentBody {
            r#type: "tac",
            id: tac.id.clone(),
            key: "tac",
            status: "ACTIVE",
            name: "Temporary Access Code",
            created: stamp(tac.created),
            last_updated: stamp(tac.created),
            profile: Some(json!({ "multiUse": tac.multi_use, "expiresAt": stamp(tac.expires) })),
            links: links(self.state, self.user, &tac.id, "tac", self.origin),
        }
    }
}

/// Arguments of listing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Who {
    user_id: String,
    disclose_identifiers: Option<String>,
}

/// Arguments about one enrolment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    user_id: String,
    enrollment_id: String,
    disclose_identifiers: Option<String>,
}

/// Whether phone numbers are shown in full.
///
/// # Errors
/// Other identifiers than phones.
fn discloses(what: Option<&str>) -> Result<bool, Error> {
    match what {
        None | Some("") => Ok(false),
        Some(what) if what.split(',').all(|one| one == "phone") => Ok(true),
        Some(_) => Err(Error::mismatch("discloseIdentifiers")),
    }
}

fn enrolled<'a>(state: &'a State, user: &'a User, scene: &'a Scene<'_>, disclosed: bool) -> Enrolled<'a> {
    Enrolled { state, user, origin: &scene.request.origin, now: scene.now, disclosed }
}

/// `listAuthenticatorEnrollments`.
pub fn list(cx: &Read<'_, Okta>, args: Who) -> Result<Typed<Vec<EnrollmentBody>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let disclosed = discloses(args.disclose_identifiers.as_deref())?;
    Ok(Typed::ok(&enrolled(cx.state, &user, cx.scene, disclosed).all()))
}

fn missing(id: &str) -> Error {
    Error::not_found(id, "AuthenticatorEnrollment")
}

/// `getAuthenticatorEnrollment`.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<EnrollmentBody>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let disclosed = discloses(args.disclose_identifiers.as_deref())?;
    let all = enrolled(cx.state, &user, cx.scene, disclosed).all();
    let found = all.into_iter().find(|one| one.id == args.enrollment_id);
    Ok(Typed::ok(&found.ok_or_else(|| missing(&args.enrollment_id))?))
}

/// Arguments of deletion.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Doomed {
    user_id: String,
    enrollment_id: String,
}

/// `deleteAuthenticatorEnrollment`. A password and the person's own mail address are nothing that could be enrolled
/// again, so they stay.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Doomed) -> Result<Typed<()>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let id = args.enrollment_id.as_str();
    let found = cx.state.factors.get(&user.id, id).cloned();
    let is_tac = cx.state.factors.tac(&user.id, cx.scene.now).is_some_and(|tac| tac.id == id);
    if found.is_none() && !is_tac {
        let inborn = enrolled(cx.state, &user, cx.scene, false).all().iter().any(|one| one.id == id);
        return Err(if inborn { Error::Forbidden } else { missing(id) });
    }
    act(cx, |act| {
        if let Some(found) = &found {
            return factor::unenroll(act, &user, found, true);
        }
        tac::withdraw(act, &user);
        Ok(())
    })?;
    Ok(no_content())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PhoneInput {
    #[serde(default)]
    authenticator_id: Option<String>,
    #[serde(default)]
    profile: Option<PhoneProfile>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PhoneProfile {
    #[serde(default)]
    phone_number: Option<SmolStr>,
}

/// Arguments of `createAuthenticatorEnrollment`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatePhone {
    user_id: String,
    body: PhoneInput,
}

/// The authenticator that a body names, which must be of a certain key.
fn named(state: &State, id: Option<&str>, key: &str) -> Result<SmolStr, Error> {
    let id = id.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Error::fields(&[("authenticatorId", "The field cannot be left blank")]))?;
    let found = state.objects.members(AUTHENTICATORS).find(|(own, _)| *own == id);
    let (own, one) = found.ok_or_else(|| Error::not_found(id, "Authenticator"))?;
    if one.get("key").and_then(Value::as_str) == Some(key) {
        return Ok(own.clone());
    }
    Err(Error::invalid("authenticatorId", "authenticatorId: The authenticator is not of the type to enroll."))
}

/// `createAuthenticatorEnrollment`: a phone that gets text messages, in use at once.
pub fn create_phone(cx: &mut Write<'_, '_, Okta>, args: CreatePhone) -> Result<Typed<EnrollmentBody>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    named(cx.state, args.body.authenticator_id.as_deref(), Kind::Sms.authenticator())?;
    let phone = args.body.profile.and_then(|profile| profile.phone_number);
    let new = Enrolment { phone, activate: true, update_phone: true, ..Enrolment::of(Kind::Sms) };
    let factor: Arc<Factor> = act(cx, |act| factor::enroll(act, &user, &new))?;
    Ok(Typed::ok(&enrolled(cx.state, &user, cx.scene, false).factor(&factor)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TacInput {
    #[serde(default)]
    authenticator_id: Option<String>,
    #[serde(default)]
    profile: Option<TacProfile>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TacProfile {
    /// Minutes: the document has text, its example a number.
    #[serde(default)]
    ttl: Option<Value>,
    #[serde(default)]
    multi_use: Option<bool>,
}

/// Arguments of `createTacAuthenticatorEnrollment`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateTac {
    user_id: String,
    body: TacInput,
}

/// `createTacAuthenticatorEnrollment`: the only answer that shows the code.
pub fn create_tac(cx: &mut Write<'_, '_, Okta>, args: CreateTac) -> Result<Typed<EnrollmentBody>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let authenticator = named(cx.state, args.body.authenticator_id.as_deref(), "tac")?;
    let wanted = args.body.profile.unwrap_or_default();
    let minutes = wanted.ttl.as_ref().map(minutes).transpose()?;
    let tac = act(cx, |act| tac::issue(act, &user, authenticator, minutes, wanted.multi_use.unwrap_or(false)))?;
    let mut body = enrolled(cx.state, &user, cx.scene, false).tac(&tac);
    if let Some(profile) = &mut body.profile {
        profile["tac"] = json!(tac.code);
    }
    Ok(Typed::ok(&body))
}

fn minutes(ttl: &Value) -> Result<u64, Error> {
    let number = ttl.as_u64().or_else(|| ttl.as_str().and_then(|text| text.parse().ok()));
    number.ok_or_else(|| Error::invalid("ttl", "ttl: must be a number of minutes"))
}
