//! People's factors.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
};
use http::{HeaderName, Method, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    act,
    factor_body::{FactorBody, QuestionBody, ResultBody, SupportedBody},
    find_user, no_content,
};
use crate::{
    Caller, Okta,
    error::Error,
    model::{
        State,
        factor::{self, Delivery, Enrolment, Factor, Kind, Proof, Verdict, push, question},
        user::User,
    },
};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const DELETE: &[Method] = &[Method::DELETE];
const LIMIT: &str = "users";

/// The operations of people's factors.
pub fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/users/{userId}/factors";
    const ONE: &str = "/api/v1/users/{userId}/factors/{factorId}";
    const ACTIVATE: &str = "/api/v1/users/{userId}/factors/{factorId}/lifecycle/activate";
    const POLL: &str = "/api/v1/users/{userId}/factors/{factorId}/lifecycle/activate/poll";
    const RESEND: &str = "/api/v1/users/{userId}/factors/{factorId}/resend";
    const VERIFY: &str = "/api/v1/users/{userId}/factors/{factorId}/verify";
    const TRANSACTION: &str = "/api/v1/users/{userId}/factors/{factorId}/transactions/{transactionId}";
    vec![
        Operation::read("listFactors", GET, ALL, list).limit(LIMIT),
        Operation::write("enrollFactor", POST, ALL, enroll).limit(LIMIT).errors(&["E0000109", "E0000118", "E0000133"]),
        Operation::read("listSupportedFactors", GET, "/api/v1/users/{userId}/factors/catalog", catalog).limit(LIMIT),
        Operation::read("listSupportedSecurityQuestions", GET, "/api/v1/users/{userId}/factors/questions", questions)
            .limit(LIMIT),
        Operation::read("getFactor", GET, ONE, get).limit(LIMIT),
        Operation::write("unenrollFactor", DELETE, ONE, unenroll).limit(LIMIT),
        Operation::write("activateFactor", POST, ACTIVATE, activate).limit(LIMIT).errors(&["E0000068"]),
        // Links lead to these two, which the public document does not have.
        Operation::read("pollFactorActivation", POST, POLL, poll_activation).limit(LIMIT),
        Operation::write("cancelFactorTransaction", DELETE, TRANSACTION, cancel).limit(LIMIT),
        Operation::write("resendEnrollFactor", POST, RESEND, resend).limit(LIMIT),
        Operation::write("verifyFactor", POST, VERIFY, verify)
            .limit(LIMIT)
            .errors(&["E0000068", "E0000069", "E0000082"]),
        Operation::read("getFactorTransactionStatus", GET, TRANSACTION, transaction).limit(LIMIT),
    ]
}

/// Arguments of operations that need only the person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Who {
    user_id: String,
}

/// Arguments of operations that need only the factor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    user_id: String,
    factor_id: String,
}

/// A person's factor.
///
/// # Errors
/// A person or factor that there is not.
pub(super) fn find(
    state: &State,
    caller: &Caller,
    user: &str,
    factor: &str,
) -> Result<(Arc<User>, Arc<Factor>), Error> {
    let user = find_user(state, caller, user)?;
    let found = state.factors.get(&user.id, factor).cloned();
    Ok((user, found.ok_or_else(|| Error::not_found(factor, "UserFactor"))?))
}

/// `listFactors`.
pub fn list(cx: &Read<'_, Okta>, args: Who) -> Result<Typed<Vec<FactorBody>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let (origin, now) = (&cx.scene.request.origin, cx.scene.now);
    let own = cx.state.factors.of_user(&user.id);
    Ok(Typed::ok(&own.iter().map(|factor| FactorBody::new(cx.state, factor, origin, now)).collect::<Vec<_>>()))
}

/// `getFactor`.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<FactorBody>, Error> {
    let (_, factor) = find(cx.state, cx.caller, &args.user_id, &args.factor_id)?;
    Ok(Typed::ok(&FactorBody::new(cx.state, &factor, &cx.scene.request.origin, cx.scene.now)))
}

/// `listSupportedFactors`.
pub fn catalog(cx: &Read<'_, Okta>, args: Who) -> Result<Typed<Vec<SupportedBody>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let kinds = factor::enrollable(cx.state, &user).into_iter();
    let rows = kinds.map(|kind| SupportedBody::new(cx.state, &user, kind, &cx.scene.request.origin));
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

/// `listSupportedSecurityQuestions`.
pub fn questions(cx: &Read<'_, Okta>, args: Who) -> Result<Typed<Vec<QuestionBody>>, Error> {
    find_user(cx.state, cx.caller, &args.user_id)?;
    let rows = question::QUESTIONS.iter().map(|(question, question_text)| QuestionBody { question, question_text });
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

/// What a body says of a factor. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FactorInput {
    #[serde(default)]
    factor_type: Option<String>,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    profile: Option<ProfileInput>,
    /// Of a token of the org's own: the settings that an administrator has made for such tokens.
    #[serde(default)]
    factor_profile_id: Option<String>,
    #[serde(default, rename = "verify")]
    _verify: Option<Value>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "status")]
    _status: Option<Value>,
    #[serde(default, rename = "vendorName")]
    _vendor: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _updated: Option<Value>,
    #[serde(default, rename = "_embedded")]
    _embedded: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ProfileInput {
    #[serde(default)]
    question: Option<SmolStr>,
    #[serde(default)]
    answer: Option<SmolStr>,
    #[serde(default)]
    phone_number: Option<SmolStr>,
    #[serde(default)]
    phone_extension: Option<SmolStr>,
    #[serde(default)]
    email: Option<SmolStr>,
    #[serde(default)]
    shared_secret: Option<SmolStr>,
}

impl FactorInput {
    /// What is to be enrolled.
    ///
    /// # Errors
    /// A body without a type, or with one that there is not.
    pub(crate) fn enrolment(self) -> Result<Enrolment, Error> {
        let Some(factor_type) = self.factor_type else {
            return Err(Error::fields(&[("factorType", "The field cannot be left blank")]));
        };
        let kind = Kind::find(&factor_type, self.provider.as_deref())
            .ok_or_else(|| Error::invalid("factorEnrollRequest", "Invalid Factor"))?;
        if kind == Kind::CustomTotp && self.factor_profile_id.as_deref().is_none_or(|id| !id.starts_with("fpr")) {
            return Err(Error::fields(&[("factorProfileId", "The field cannot be left blank")]));
        }
        let profile = self.profile.unwrap_or_default();
        Ok(Enrolment {
            question: profile.question,
            answer: profile.answer,
            phone: profile.phone_number,
            extension: profile.phone_extension,
            email: profile.email,
            shared_secret: profile.shared_secret,
            ..Enrolment::of(kind)
        })
    }
}

/// Arguments of `enrollFactor`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Enroll {
    user_id: String,
    body: FactorInput,
    activate: Option<bool>,
    update_phone: Option<bool>,
    template_id: Option<SmolStr>,
    token_lifetime_seconds: Option<u64>,
}

/// How a caller wants a code sent.
///
/// # Errors
/// A lifetime of less than a second, or more than a day.
fn delivery(scene: &Scene<'_>, template: Option<SmolStr>, lifetime: Option<u64>) -> Result<Delivery, Error> {
    if lifetime.is_some_and(|secs| !(1..=86_400).contains(&secs)) {
        return Err(Error::invalid("tokenLifetimeSeconds", "tokenLifetimeSeconds must be between 1 and 86400"));
    }
    Ok(Delivery {
        template,
        language: scene.request.header(header::ACCEPT_LANGUAGE).map(SmolStr::new),
        lifetime: lifetime.map(Duration::from_secs),
        number: false,
        message: None,
    })
}

/// `enrollFactor`.
pub fn enroll(cx: &mut Write<'_, '_, Okta>, args: Enroll) -> Result<Typed<FactorBody>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let how = delivery(cx.scene, args.template_id, args.token_lifetime_seconds)?;
    let new = Enrolment {
        activate: args.activate.unwrap_or(false),
        update_phone: args.update_phone.unwrap_or(false),
        how,
        ..args.body.enrolment()?
    };
    let factor = act(cx, |act| factor::enroll(act, &user, &new))?;
    Ok(Typed::ok(&FactorBody::enrolled(cx.state, &factor, &cx.scene.request.origin, cx.scene.now)))
}

/// Arguments of `unenrollFactor`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unenroll {
    user_id: String,
    factor_id: String,
    remove_recovery_enrollment: Option<bool>,
}

/// `unenrollFactor`.
pub fn unenroll(cx: &mut Write<'_, '_, Okta>, args: Unenroll) -> Result<Typed<()>, Error> {
    let (user, found) = find(cx.state, cx.caller, &args.user_id, &args.factor_id)?;
    let recovery = args.remove_recovery_enrollment.unwrap_or(false);
    act(cx, |act| factor::unenroll(act, &user, &found, recovery))?;
    Ok(no_content())
}

/// What a person shows, in the body of a request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProofInput {
    #[serde(default)]
    pass_code: Option<Code>,
    #[serde(default)]
    answer: Option<SmolStr>,
    #[serde(default)]
    client_data: Option<SmolStr>,
    #[serde(default)]
    authenticator_data: Option<SmolStr>,
    #[serde(default)]
    signature_data: Option<SmolStr>,
    #[serde(default)]
    attestation: Option<SmolStr>,
    #[serde(default)]
    use_number_matching_challenge: Option<bool>,
    #[serde(default)]
    registration_data: Option<SmolStr>,
    /// A second code of kinds that no org of the twin has switched on.
    #[serde(default, rename = "nextPassCode")]
    _next_pass_code: Option<Value>,
}

/// A code: clients send it as text or as a number.
#[derive(Debug, JsonSchema)]
struct Code(SmolStr);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text.into())),
            Value::Number(number) => Ok(Self(number.to_string().into())),
            _ => Err(serde::de::Error::custom("is not a code")),
        }
    }
}

impl ProofInput {
    pub(crate) fn proof(&self) -> Proof {
        Proof {
            pass_code: self.pass_code.as_ref().map(|code| code.0.clone()),
            answer: self.answer.clone(),
            client_data: self.client_data.clone(),
            authenticator_data: self.authenticator_data.clone(),
            signature: self.signature_data.clone(),
            attestation: self.attestation.clone(),
            registration: self.registration_data.clone(),
        }
    }
}

/// Arguments of `activateFactor`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Activate {
    user_id: String,
    factor_id: String,
    body: Option<ProofInput>,
}

/// `activateFactor`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: Activate) -> Result<Typed<FactorBody>, Error> {
    let (user, found) = find(cx.state, cx.caller, &args.user_id, &args.factor_id)?;
    let proof = args.body.unwrap_or_default().proof();
    let verdict = act(cx, |act| factor::activate(act, &user, &found, &proof))?;
    Ok(match verdict {
        Verdict::Right(factor) => {
            Typed::ok(&FactorBody::new(cx.state, &factor, &cx.scene.request.origin, cx.scene.now))
        }
        Verdict::Wrong(refusal) => Typed::from_answer(refusal.answer(cx.scene.request_bits).0),
    })
}

/// Whether a phone has been set up: the factor itself once it has.
pub fn poll_activation(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let (_, factor) = find(cx.state, cx.caller, &args.user_id, &args.factor_id)?;
    let body = FactorBody::new(cx.state, &factor, &cx.scene.request.origin, cx.scene.now);
    let body = serde_json::to_value(&body).unwrap_or_default();
    Ok(Typed::ok(match body.pointer("/_embedded/activation") {
        Some(activation) => activation,
        None => &body,
    }))
}

/// Arguments of `resendEnrollFactor`. Its body says again what is being enrolled.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resend {
    user_id: String,
    factor_id: String,
    template_id: Option<SmolStr>,
    body: Option<FactorInput>,
}

/// `resendEnrollFactor`.
pub fn resend(cx: &mut Write<'_, '_, Okta>, args: Resend) -> Result<Typed<FactorBody>, Error> {
    let (user, found) = find(cx.state, cx.caller, &args.user_id, &args.factor_id)?;
    let other = args.body.and_then(|body| body.factor_type).is_some_and(|kind| kind != found.kind.factor_type());
    if other {
        return Err(Error::invalid("factorResendRequest", "Invalid Factor"));
    }
    let how = delivery(cx.scene, args.template_id, None)?;
    let factor = act(cx, |act| factor::resend(act, &user, &found, &how))?;
    Ok(Typed::ok(&FactorBody::new(cx.state, &factor, &cx.scene.request.origin, cx.scene.now)))
}

/// Arguments of `verifyFactor`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verify {
    user_id: String,
    factor_id: String,
    template_id: Option<SmolStr>,
    token_lifetime_seconds: Option<u64>,
    body: Option<ProofInput>,
}

/// `verifyFactor`: asks where nothing is shown, and checks where something is.
pub fn verify(cx: &mut Write<'_, '_, Okta>, args: Verify) -> Result<Typed<ResultBody>, Error> {
    let (user, found) = find(cx.state, cx.caller, &args.user_id, &args.factor_id)?;
    let body = args.body.unwrap_or_default();
    let proof = body.proof();
    let how = Delivery {
        number: body.use_number_matching_challenge.unwrap_or(false),
        ..delivery(cx.scene, args.template_id, args.token_lifetime_seconds)?
    };
    let from = forwarded(cx.scene);
    if proof.is_empty() {
        let issued = act(cx, |act| {
            act.by.client.address = from.unwrap_or_else(|| act.by.client.address.clone());
            factor::challenge(act, &user, &found, &how)
        })?;
        return Ok(ResultBody::issued(&issued, &cx.scene.request.origin));
    }
    let verdict = act(cx, |act| {
        act.by.client.address = from.unwrap_or_else(|| act.by.client.address.clone());
        factor::verify(act, &user, &found, &proof)
    })?;
    Ok(match verdict {
        Verdict::Right(factor) => Typed::ok(&ResultBody::success(&factor)),
        Verdict::Wrong(refusal) => Typed::from_answer(refusal.answer(cx.scene.request_bits).0),
    })
}

/// The address of the person's browser, where the caller passes it on.
fn forwarded(scene: &Scene<'_>) -> Option<SmolStr> {
    let header = scene.request.header(HeaderName::from_static("x-forwarded-for"))?;
    header.split(',').next().map(|address| SmolStr::new(address.trim())).filter(|address| !address.is_empty())
}

/// Arguments about a prompt on a phone.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct WhichTransaction {
    #[serde(rename = "userId")]
    user: String,
    #[serde(rename = "factorId")]
    factor: String,
    #[serde(rename = "transactionId")]
    transaction: String,
}

/// A person's factor, and a prompt of it.
struct Prompted {
    factor: Arc<Factor>,
    push: Arc<push::Push>,
}

fn prompted(state: &State, caller: &Caller, args: &WhichTransaction) -> Result<Prompted, Error> {
    let (_, factor) = find(state, caller, &args.user, &args.factor)?;
    let push = state.factors.push(&factor.id, &args.transaction);
    let push = push.filter(|push| push.fate != push::Fate::Cancelled).cloned();
    Ok(Prompted { factor, push: push.ok_or_else(|| Error::not_found(&args.transaction, "FactorTransaction"))? })
}

/// `getFactorTransactionStatus`.
pub fn transaction(cx: &Read<'_, Okta>, args: WhichTransaction) -> Result<Typed<ResultBody>, Error> {
    let Prompted { factor, push } = prompted(cx.state, cx.caller, &args)?;
    Ok(Typed::ok(&ResultBody::fate(&push, &factor, &cx.scene.request.origin, cx.scene.now)))
}

/// Withdraws a prompt.
pub fn cancel(cx: &mut Write<'_, '_, Okta>, args: WhichTransaction) -> Result<Typed<()>, Error> {
    let waiting = prompted(cx.state, cx.caller, &args)?.push;
    act(cx, |act| {
        push::cancel(act, &waiting);
        Ok(())
    })?;
    Ok(no_content())
}
