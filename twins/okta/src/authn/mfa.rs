//! Factors in transactions: which are asked for, and the operations below `/api/v1/authn/factors`.
//!
//! See developer.okta.com/docs/reference/api/authn/#multifactor-authentication-operations.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use dtu_kernel::{
    operation::{Operation, Typed},
    time::Timestamp,
    twin::Write,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    POST,
    body::{acting, kept, opened, told},
    flow::{self, Reached},
    render::link,
    transaction::{Status, Transaction},
};
use crate::{
    Okta,
    api::{
        factor_body::{activation, phones, profile, vendor},
        factors::FactorInput,
    },
    error::Error,
    model::{
        Act, State,
        factor::{self, Delivery, Enrolment, Factor, Kind, Profile, Proof, Verdict, push::Fate},
        user::User,
    },
    policy,
};

/// What a person must do beside giving a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Nothing.
    Nothing,
    /// Use a factor that is enrolled.
    Verify,
    /// Enrol one.
    Enroll,
}

/// All callers of the twin are on the machine itself.
pub(crate) const HERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

/// What the policies ask of a person who has signed in so far as the transaction says.
pub fn demand(state: &State, user: &User, transaction: &Transaction) -> Demand {
    let sign_on = policy::sign_on(state, user, HERE);
    let now = transaction.proof.password.unwrap_or_else(|| transaction.written());
    let remembered = transaction.device.as_ref().is_some_and(|device| {
        sign_on.factor_prompt_mode != "ALWAYS" && state.factors.is_remembered(&user.id, device, now)
    });
    let asks = sign_on.require_factor && transaction.proof.factor.is_none() && !remembered;
    if asks {
        return if factor::usable(state, user).is_empty() { Demand::Enroll } else { Demand::Verify };
    }
    if !transaction.enrolled && prompts(state, user, sign_on.require_factor) && !missing(state, user).is_empty() {
        return Demand::Enroll;
    }
    Demand::Nothing
}

/// Whether the enrolment policy has people enrol at sign-in: always, when they are challenged, or never.
fn prompts(state: &State, user: &User, challenged: bool) -> bool {
    let applied = policy::applied(state, "MFA_ENROLL", user, HERE);
    let says = applied.and_then(|applied| applied.rule_members.get("actions")?.pointer("/enroll/self")?.as_str());
    match says {
        Some("LOGIN") => true,
        Some("NEVER" | "NEVER_INCLUDING_RECOVERY") => false,
        _ => challenged,
    }
}

/// The kinds that a person must enrol and has not. The person's own mail address counts as enrolled.
fn missing(state: &State, user: &User) -> Vec<Kind> {
    let active = factor::usable(state, user);
    let has = |kind: Kind| active.iter().any(|factor| factor.kind.authenticator() == kind.authenticator());
    let required = factor::enrollable(state, user).into_iter().filter(|(_, required)| *required);
    required.map(|(kind, _)| kind).filter(|kind| *kind != Kind::Email && !has(*kind)).collect()
}

/// What of a phone number or mail address everybody may see who has only a password.
fn masked(factor: &Factor) -> Option<Value> {
    let mut shown = profile(factor)?;
    match &factor.profile {
        Profile::Phone { number, .. } => shown["phoneNumber"] = json!(masked_number(number)),
        Profile::Email(address) => shown["email"] = json!(masked_address(address)),
        _ => {}
    }
    Some(shown)
}

/// `+1 XXX-XXX-1337`.
pub(crate) fn masked_number(number: &str) -> String {
    let digits = number.len().saturating_sub(1);
    let country = number.get(..digits.saturating_sub(10) + 1).filter(|head| head.len() > 1).unwrap_or("+1");
    format!("{country} XXX-XXX-{}", number.get(number.len().saturating_sub(4)..).unwrap_or_default())
}

/// `l...r@acme.test`.
pub(crate) fn masked_address(address: &str) -> String {
    let (name, host) = address.split_once('@').unwrap_or((address, ""));
    let (first, last) = (name.chars().next(), name.chars().next_back());
    let (first, last) = (first.map(String::from).unwrap_or_default(), last.map(String::from).unwrap_or_default());
    format!("{first}...{last}@{host}")
}

fn place(factor: &Factor) -> String {
    format!("/factors/{}", factor.id)
}

/// A factor in a transaction.
fn shown(factor: &Factor) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(factor.id));
    body.insert("factorType".to_owned(), json!(factor.kind.factor_type()));
    body.insert("provider".to_owned(), json!(factor.kind.provider()));
    body.insert("vendorName".to_owned(), json!(vendor(factor.kind)));
    if let Some(profile) = masked(factor) {
        body.insert("profile".to_owned(), profile);
    }
    body
}

/// The factors that a person can choose from.
fn choices(state: &State, user: &User, origin: &str) -> Vec<Value> {
    let one = |factor: &Arc<Factor>| {
        let mut body = shown(factor);
        let verify = link(origin, &format!("{}/verify", place(factor)), None);
        body.insert("_links".to_owned(), json!({ "verify": verify }));
        Value::Object(body)
    };
    factor::usable(state, user).iter().map(one).collect()
}

/// The factors that a person can enrol.
fn offers(state: &State, user: &User, origin: &str) -> Vec<Value> {
    let one = |(kind, required): (Kind, bool)| {
        let own = state.factors.of_kind(&user.id, kind).filter(|factor| factor.is_active());
        let mut links = json!({ "enroll": link(origin, "/factors", None) });
        if kind == Kind::Question {
            let href = format!("{origin}/api/v1/users/{}/factors/questions", user.id);
            links["questions"] = json!({ "href": href, "hints": { "allow": ["GET"] } });
        }
        let mut body = json!({
            "factorType": kind.factor_type(),
            "provider": kind.provider(),
            "vendorName": vendor(kind),
            "enrollment": if required { "REQUIRED" } else { "OPTIONAL" },
            "status": own.map_or("NOT_SETUP", |factor| factor.status.text()),
            "_links": links,
        });
        if let Some(phones) = phones(state, user, kind) {
            body["_embedded"] = phones;
        }
        body
    };
    factor::enrollable(state, user).into_iter().map(one).collect()
}

/// What the sign-on policy says of devices.
fn device_policy(state: &State, user: &User) -> Value {
    let sign_on = policy::sign_on(state, user, HERE);
    json!({
        "allowRememberDevice": sign_on.factor_prompt_mode != "ALWAYS",
        "rememberDeviceLifetimeInMinutes": sign_on.factor_lifetime_minutes,
        "rememberDeviceByDefault": sign_on.remember_device_by_default,
        "factorsPolicyInfo": {},
    })
}

/// What a transaction shows of factors: `factors` or `factor`, below `_embedded`.
pub fn embedded(state: &State, transaction: &Transaction, origin: &str) -> Map<String, Value> {
    let mut embedded = Map::new();
    let Some(user) = state.users.get(&transaction.user) else { return embedded };
    match transaction.status {
        Status::MfaRequired => {
            embedded.insert("factors".to_owned(), Value::Array(choices(state, user, origin)));
            embedded.insert("policy".to_owned(), device_policy(state, user));
        }
        Status::MfaEnroll => drop(embedded.insert("factors".to_owned(), Value::Array(offers(state, user, origin)))),
        Status::MfaChallenge | Status::MfaEnrollActivate => {
            if let Some(factor) = current(state, transaction) {
                embedded.insert("factor".to_owned(), in_use(state, transaction, &factor, origin));
            }
            if transaction.status == Status::MfaChallenge {
                embedded.insert("policy".to_owned(), device_policy(state, user));
            }
        }
        _ => {}
    }
    embedded
}

fn current(state: &State, transaction: &Transaction) -> Option<Arc<Factor>> {
    state.factors.get(&transaction.user, transaction.factor.as_ref()?).cloned()
}

/// The factor that a transaction is about, with what a browser or phone needs to know.
fn in_use(state: &State, transaction: &Transaction, factor: &Factor, origin: &str) -> Value {
    let mut body = shown(factor);
    let base = format!("{origin}/api/v1/authn{}", place(factor));
    let now = transaction.written();
    let more = match (transaction.status, &factor.challenge) {
        (Status::MfaEnrollActivate, _) => {
            activation(state, factor, &base, true, now).map(|activation| json!({ "activation": activation }))
        }
        (_, Some(challenge)) if factor.kind.is_key() => {
            Some(json!({ "challenge": { "challenge": challenge.text, "extensions": {} } }))
        }
        _ => None,
    };
    if let Some(more) = more {
        body.insert("_embedded".to_owned(), more);
    }
    Value::Object(body)
}

/// The links that a transaction has because of its factor (`next`, `resend`, `prev`), before `cancel`.
pub fn links(state: &State, transaction: &Transaction, origin: &str) -> Map<String, Value> {
    let mut links = Map::new();
    if transaction.status == Status::MfaEnroll && may_skip(state, transaction) {
        links.insert("skip".to_owned(), link(origin, "/skip", Some("skip")));
    }
    let Some(factor) = current(state, transaction) else { return links };
    let at = place(&factor);
    let waits = transaction.factor_result.as_deref() == Some("WAITING");
    let (next, name, resend) = match transaction.status {
        Status::MfaChallenge if waits => (format!("{at}/verify"), "poll", format!("{at}/verify/resend")),
        Status::MfaChallenge => (format!("{at}/verify"), "verify", format!("{at}/verify/resend")),
        Status::MfaEnrollActivate if waits => {
            (format!("{at}/lifecycle/activate/poll"), "poll", format!("{at}/lifecycle/resend"))
        }
        Status::MfaEnrollActivate => (format!("{at}/lifecycle/activate"), "activate", format!("{at}/lifecycle/resend")),
        _ => return links,
    };
    links.insert("next".to_owned(), link(origin, &next, Some(name)));
    if factor.kind.is_sent() || waits && transaction.status == Status::MfaChallenge {
        links.insert("resend".to_owned(), json!([link(origin, &resend, Some(factor.kind.factor_type()))]));
    }
    links.insert("prev".to_owned(), link(origin, "/previous", None));
    links
}

/// Whether a person may leave it at the factors that there are.
pub fn may_skip(state: &State, transaction: &Transaction) -> bool {
    let Some(user) = state.users.get(&transaction.user) else { return false };
    missing(state, user).is_empty() && !factor::usable(state, user).is_empty()
}

/// What came of a step: a refusal that leaves traces is no error of the act.
pub type Stepped = Result<Reached, Error>;

/// A code that somebody has typed on a page, for the factor that the transaction is about or for any that takes codes.
/// Who types nothing has a code sent, or a prompt shown and looked at.
///
/// # Errors
/// A person who is locked out or has no factor, or a code that was sent just now. A wrong code is no error: it counts.
pub fn typed_code(
    act: &mut Act<'_, '_>,
    token: SmolStr,
    transaction: Transaction,
    code: &str,
) -> Result<Stepped, Error> {
    let user = transaction.person(act.state)?;
    let asked = current(act.state, &transaction).filter(|factor| factor.is_active());
    let wanted = &transaction.wants.factors;
    let fits = |factor: &Arc<Factor>| wanted.is_empty() || wanted.contains(&factor.kind);
    let all: Vec<Arc<Factor>> = asked.into_iter().chain(factor::usable(act.state, &user)).filter(fits).collect();
    let proof = |factor: &Factor| match factor.kind {
        Kind::Question => Proof { answer: Some(code.into()), ..Proof::default() },
        _ => Proof::code(code),
    };
    let right = all.iter().find(|found| factor::holds(found, &proof(found), act.tx.now));
    let factor = Arc::clone(right.or_else(|| all.first()).ok_or(Error::InvalidToken)?);
    let polls = waits_for(&transaction, &factor);
    let scene = Scene { token, transaction, user, factor };
    if code.trim().is_empty() {
        return if polls { look(act, scene, false) } else { ask(act, scene) }.map(Ok);
    }
    match factor::verify(act, &scene.user, &scene.factor, &proof(&scene.factor))? {
        Verdict::Right(_) => passed(act, scene, false).map(Ok),
        Verdict::Wrong(refusal) => Ok(Err(refusal)),
    }
}

/// Whether a prompt of this factor waits in a transaction.
fn waits_for(transaction: &Transaction, factor: &Factor) -> bool {
    transaction.factor.as_ref() == Some(&factor.id) && transaction.factor_result.as_deref() == Some("WAITING")
}

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    vec![
        Operation::write("enrollTransactionFactor", POST, "/api/v1/authn/factors", enroll),
        Operation::write(
            "activateTransactionFactor",
            POST,
            "/api/v1/authn/factors/{factorId}/lifecycle/activate",
            activate,
        ),
        Operation::write(
            "pollTransactionFactor",
            POST,
            "/api/v1/authn/factors/{factorId}/lifecycle/activate/poll",
            poll,
        ),
        Operation::write(
            "resendTransactionFactor",
            POST,
            "/api/v1/authn/factors/{factorId}/lifecycle/resend",
            resend_activation,
        ),
        Operation::write("verifyTransactionFactor", POST, "/api/v1/authn/factors/{factorId}/verify", verify),
        Operation::write(
            "resendTransactionChallenge",
            POST,
            "/api/v1/authn/factors/{factorId}/verify/resend",
            resend_challenge,
        ),
    ]
}

/// Arguments of enrolment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Enroll {
    body: Map<String, Value>,
    update_phone: Option<bool>,
}

/// Enrols a factor: the transaction then waits for its activation, or goes on.
pub fn enroll(cx: &mut Write<'_, '_, Okta>, mut args: Enroll) -> Result<Typed<Value>, Error> {
    let token = args.body.shift_remove("stateToken").and_then(|token| token.as_str().map(str::to_owned));
    let input: FactorInput = serde_json::from_value(Value::Object(args.body)).map_err(|_| Error::Malformed)?;
    let (token, transaction) = opened(cx.state, cx.scene, token.as_ref())?;
    transaction.expect(&[Status::MfaEnroll, Status::MfaEnrollActivate])?;
    let user = transaction.person(cx.state)?;
    let new = Enrolment { update_phone: args.update_phone.unwrap_or(false), ..input.enrolment()? };
    let reached = acting(cx, Some(&user), |act| {
        let made = factor::enroll(act, &user, &new)?;
        if made.is_active() {
            return flow::factor_passed(act, token, transaction, made.kind);
        }
        Ok(await_activation(act, token, transaction, &made))
    })?;
    Ok(told(cx, &reached))
}

fn await_activation(act: &mut Act<'_, '_>, token: SmolStr, transaction: Transaction, factor: &Factor) -> Reached {
    let result = (factor.kind == Kind::Push).then_some(match &factor.challenge {
        Some(challenge) if act.tx.now >= challenge.expires => "TIMEOUT",
        _ => "WAITING",
    });
    let waiting = Transaction {
        status: Status::MfaEnrollActivate,
        factor: Some(factor.id.clone()),
        factor_result: result.map(SmolStr::new_static),
        ..transaction
    };
    flow::wait(act, Some(token), waiting)
}

/// What a person shows in a transaction.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shown {
    #[serde(default)]
    state_token: Option<String>,
    #[serde(default)]
    pass_code: Option<SmolStr>,
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
    remember_device: Option<bool>,
    #[serde(default, rename = "autoPush")]
    _auto_push: Option<bool>,
}

impl Shown {
    fn proof(&self) -> Proof {
        let given = |text: &Option<SmolStr>| text.clone().filter(|text| !text.is_empty());
        Proof {
            pass_code: given(&self.pass_code),
            answer: given(&self.answer),
            client_data: given(&self.client_data),
            authenticator_data: given(&self.authenticator_data),
            signature: given(&self.signature_data),
            attestation: given(&self.attestation),
            registration: None,
        }
    }
}

/// Arguments about a factor of a transaction. `autoPush` is kept by browsers, and asks nothing of the service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfFactor {
    factor_id: String,
    #[serde(default)]
    remember_device: Option<bool>,
    body: Shown,
}

/// A transaction, its person and the factor of theirs that is named.
struct Scene {
    token: SmolStr,
    transaction: Transaction,
    user: Arc<User>,
    factor: Arc<Factor>,
}

fn scene(cx: &Write<'_, '_, Okta>, args: &OfFactor, allowed: &[Status]) -> Result<Scene, Error> {
    let (token, transaction) = opened(cx.state, cx.scene, args.body.state_token.as_ref())?;
    transaction.expect(allowed)?;
    let user = transaction.person(cx.state)?;
    let factor = cx.state.factors.get(&user.id, &args.factor_id).cloned();
    let factor = factor.ok_or_else(|| Error::not_found(&args.factor_id, "UserFactor"))?;
    Ok(Scene { token, transaction, user, factor })
}

/// Activates the factor that was enrolled.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: OfFactor) -> Result<Typed<Value>, Error> {
    let Scene { token, transaction, user, factor } = scene(cx, &args, &[Status::MfaEnrollActivate])?;
    let proof = args.body.proof();
    let reached = acting(cx, Some(&user), |act| match factor::activate(act, &user, &factor, &proof)? {
        Verdict::Wrong(refusal) => Ok(Err(refusal)),
        Verdict::Right(factor) if factor.is_active() => {
            flow::factor_passed(act, token, transaction, factor.kind).map(Ok)
        }
        Verdict::Right(factor) => Ok(Ok(await_activation(act, token, transaction, &factor))),
    })?;
    Ok(answer(cx, reached))
}

fn answer(cx: &Write<'_, '_, Okta>, reached: Result<Reached, Error>) -> Typed<Value> {
    match reached {
        Ok(reached) => told(cx, &reached),
        Err(refusal) => kept(cx.scene, &refusal),
    }
}

/// Whether a phone has been set up.
pub fn poll(cx: &mut Write<'_, '_, Okta>, args: OfFactor) -> Result<Typed<Value>, Error> {
    let Scene { token, transaction, user, factor } = scene(cx, &args, &[Status::MfaEnrollActivate])?;
    let reached = acting(cx, Some(&user), |act| {
        if factor.is_active() {
            return flow::factor_passed(act, token, transaction, factor.kind);
        }
        Ok(await_activation(act, token, transaction, &factor))
    })?;
    Ok(told(cx, &reached))
}

/// Sends the code of the factor that was enrolled once more.
pub fn resend_activation(cx: &mut Write<'_, '_, Okta>, args: OfFactor) -> Result<Typed<Value>, Error> {
    let Scene { token, transaction, user, factor } = scene(cx, &args, &[Status::MfaEnrollActivate])?;
    let reached = acting(cx, Some(&user), |act| {
        let factor = factor::resend(act, &user, &factor, &Delivery::default())?;
        Ok(await_activation(act, token, transaction, &factor))
    })?;
    Ok(told(cx, &reached))
}

const CHALLENGED: [Status; 2] = [Status::MfaRequired, Status::MfaChallenge];

/// Asks for a factor where nothing is shown, checks what is shown, or looks whether a prompt was answered.
pub fn verify(cx: &mut Write<'_, '_, Okta>, args: OfFactor) -> Result<Typed<Value>, Error> {
    let scene = scene(cx, &args, &CHALLENGED)?;
    let proof = args.body.proof();
    let remember = args.remember_device.or(args.body.remember_device).unwrap_or(false);
    let polls = waits_for(&scene.transaction, &scene.factor);
    let user = Arc::clone(&scene.user);
    let reached = acting(cx, Some(&user), |act| {
        if scene.factor.kind == Kind::Push && polls {
            return look(act, scene, remember).map(Ok);
        }
        if proof.is_empty() {
            return ask(act, scene).map(Ok);
        }
        match factor::verify(act, &scene.user, &scene.factor, &proof)? {
            Verdict::Wrong(refusal) => Ok(Err(refusal)),
            Verdict::Right(_) => passed(act, scene, remember).map(Ok),
        }
    })?;
    Ok(answer(cx, reached))
}

fn passed(act: &mut Act<'_, '_>, scene: Scene, remember: bool) -> Result<Reached, Error> {
    let Scene { token, transaction, user, factor } = scene;
    let sign_on = policy::sign_on(act.state, &user, HERE);
    if let (true, Some(device)) = (remember && sign_on.factor_prompt_mode != "ALWAYS", &transaction.device) {
        let minutes = sign_on.factor_lifetime_minutes.max(1);
        let until = act.tx.now.after(Duration::from_secs(minutes * 60));
        let until =
            if sign_on.factor_prompt_mode == "DEVICE" { Timestamp::from_secs(i64::from(u32::MAX)) } else { until };
        act.state.factors.remember(&user.id, device, until);
    }
    flow::factor_passed(act, token, transaction, factor.kind)
}

/// Asks for a factor. Questions and apps need nothing to be sent.
fn ask(act: &mut Act<'_, '_>, scene: Scene) -> Result<Reached, Error> {
    let Scene { token, transaction, user, factor } = scene;
    let result = match factor.kind {
        kind if !kind.is_challenged() => None,
        kind => {
            factor::challenge(act, &user, &factor, &Delivery::default())?;
            Some(if kind == Kind::Push { "WAITING" } else { "CHALLENGE" })
        }
    };
    Ok(challenged(act, token, transaction, &factor, result))
}

fn challenged(
    act: &mut Act<'_, '_>,
    token: SmolStr,
    transaction: Transaction,
    factor: &Factor,
    result: Option<&'static str>,
) -> Reached {
    let waiting = Transaction {
        status: Status::MfaChallenge,
        factor: Some(factor.id.clone()),
        factor_result: result.map(SmolStr::new_static),
        ..transaction
    };
    flow::wait(act, Some(token), waiting)
}

/// Looks whether the prompt on a phone was answered.
fn look(act: &mut Act<'_, '_>, scene: Scene, remember: bool) -> Result<Reached, Error> {
    let now = act.tx.now;
    let fate = act.state.factors.latest(&scene.factor.id).map_or(Fate::Timeout, |push| push.fate_at(now));
    if fate == Fate::Success {
        return passed(act, scene, remember);
    }
    let Scene { token, transaction, factor, .. } = scene;
    Ok(challenged(act, token, transaction, &factor, Some(fate.text())))
}

/// Asks for the factor once more.
pub fn resend_challenge(cx: &mut Write<'_, '_, Okta>, args: OfFactor) -> Result<Typed<Value>, Error> {
    let scene = scene(cx, &args, &CHALLENGED)?;
    let user = Arc::clone(&scene.user);
    let reached = acting(cx, Some(&user), |act| ask(act, scene))?;
    Ok(told(cx, &reached))
}
