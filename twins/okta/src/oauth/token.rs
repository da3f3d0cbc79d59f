//! The token endpoints.
//!
//! See developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/token.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    operation::Typed,
    time::Timestamp,
    twin::{Read, Write},
    wire::Answer,
};
use http::HeaderName;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    backchannel, client_auth, cors,
    direct::{self, token::Shown},
    dpop,
    error::{self, OAuthError},
    exchange,
    form::Form,
    jwt, log,
    mint::{self, Beside, Draft, Grant},
    rules,
    server::Issuer,
};
use crate::{
    Okta,
    error::Error,
    events,
    idx::INTERACTION,
    inline_hooks::{
        Caller,
        password::{self as hook, Way},
        tokens::{self, Goal},
    },
    model::{
        Act,
        authorization_server::Wanted,
        client::{AuthMethod, Client, ClientType},
        grant::{Context, Kind, Token},
        session::Proof,
        sign_in::{self, Entered},
        user::{Status, User},
    },
    policy,
};

/// The grant of devices (RFC 8628).
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Grants that Okta has and the twin has not.
const ABSENT: [&str; 2] =
    ["urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer"];

/// Tokens as the endpoint gives them out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Given {
    token_type: &'static str,
    expires_in: u64,
    access_token: String,
    scope: String,
    /// What was given in exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// What a grant comes to: a refusal may leave a trace (a replayed refresh token ends the whole sign-in).
pub(super) type Outcome = Result<Minting, OAuthError>;

/// Tokens that are made, and not signed: a hook may still change them.
#[derive(Clone, Debug)]
pub struct Minting {
    /// What they are for.
    pub grant: Grant,
    /// The refresh token and its id, where there is one.
    pub refresh: Option<(String, SmolStr)>,
    /// The access token; authorize endpoints may be asked for none.
    pub access: Option<Draft>,
    /// The ID token, where one was asked for.
    pub id: Option<Draft>,
    /// What was given in exchange.
    pub exchanged: Option<&'static str>,
}

/// Signs tokens and gives them out.
pub fn finish(act: &mut Act<'_, '_>, minting: &Minting) -> Given {
    let grant = &minting.grant;
    let access = minting.access.as_ref().map(|draft| mint::give_access(act, grant, draft)).unwrap_or_default();
    let beside = Beside { access: Some(&access), code: None };
    let id_token = minting.id.clone().map(|draft| mint::give_id(act, grant, draft, beside));
    Given {
        token_type: if grant.bound_to.is_some() { "DPoP" } else { "Bearer" },
        expires_in: minting.access.as_ref().map_or(0, |draft| draft.life.as_secs()),
        access_token: access,
        scope: grant.scopes.join(" "),
        issued_token_type: minting.exchanged,
        refresh_token: minting.refresh.as_ref().map(|(text, _)| text.clone()),
        id_token,
    }
}

/// Takes back what was given out before a hook refused.
pub fn undo(act: &mut Act<'_, '_>, minting: &Minting) {
    if let Some((_, id)) = &minting.refresh {
        act.state.grants.revoke(&mut act.tx.changes, id);
    }
}

/// The answer of `token` and `tokenCustomAS`, once the hook has said what it wants.
pub fn hooked(cx: &Read<'_, Okta>) -> Result<Typed<Value>, Error> {
    tokens::answered(cx).map(Typed::from_answer)
}

/// What the caller gets where no hook is to be asked; none where one is.
fn given(
    act: &mut Act<'_, '_>,
    caller: &Caller,
    form: &Form,
    minting: Minting,
    nonce: Option<String>,
) -> Option<Answer> {
    match tokens::begin(act, caller, form, minting, Goal::Caller(nonce.clone())) {
        Err(minting) => Some(answered(&finish(act, &minting), nonce)),
        Ok(()) => None,
    }
}

/// The answer that gives tokens out, with a nonce for the next proof of a key.
pub fn answered(given: &Given, nonce: Option<String>) -> Answer {
    with_nonce(Answer::json(given), nonce)
}

fn with_nonce(answer: Answer, nonce: Option<String>) -> Answer {
    match nonce {
        Some(nonce) => answer.with_header(HeaderName::from_static("dpop-nonce"), nonce),
        None => answer,
    }
}

/// A call of the endpoint, its client believed.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) form: Form,
    pub(super) issuer: Issuer,
    pub(super) client: Arc<Client>,
    bound_to: Option<SmolStr>,
    /// For the next proof of a key.
    nonce: Option<String>,
}

/// `token`, `tokenCustomAS`.
pub fn token(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<Value>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let client = client_auth::client(cx.state, cx.tx, cx.scene.request, &form)?;
    let name = form.get("grant_type").ok_or_else(error::no_grant)?.to_owned();
    check_grant(&client, &name)?;
    // support.okta.com, "Browser requests to the token endpoint must use Proof Key for Code Exchange": pages have no
    // secrets. That only clients with one are refused is inferred.
    if matches!(name.as_str(), "authorization_code" | INTERACTION)
        && client.method != AuthMethod::None
        && cors::origin(cx.scene.request).is_some()
    {
        return Err(error::BROWSER_SECRET.into());
    }
    let bound_to = if client.dpop {
        Some(dpop::at_token_endpoint(cx.state, cx.tx, cx.scene.request)?.key)
    } else {
        // A proof that nobody asked for is passed over: Okta's own libraries always send one.
        None
    };
    let nonce = bound_to.as_ref().map(|_| dpop::nonce(cx.state, cx.scene.now));
    let by = log::acting(cx.scene, log::party(&client));
    let caller = Caller::of(cx.scene);
    let call = Call { form, issuer, client, bound_to, nonce };
    let mut act = Act::new(cx.state, cx.tx, by);
    if name == "password" && asks_for_password(&mut act, &caller, &call)? {
        events::announce(&mut act);
        return Ok(Typed::from_answer(UNSEEN));
    }
    let outcome = give(&mut act, &call, &name);
    let outcome = outcome.map(|minting| given(&mut act, &caller, &call.form, minting, call.nonce.clone()));
    events::announce(&mut act);
    match outcome {
        Ok(given) => Ok(Typed::from_answer(given.unwrap_or(UNSEEN))),
        Err(refused) => {
            let refused = rules::keep::<Value>(refused)?;
            Ok(match call.nonce {
                Some(nonce) => refused.with_header(HeaderName::from_static("dpop-nonce"), nonce),
                None => refused,
            })
        }
    }
}

/// The answer of a call that waits: nobody sees it.
const UNSEEN: Answer = Answer::empty(http::StatusCode::OK);

/// Asks the password import hook where only it knows whether a password is right.
fn asks_for_password(act: &mut Act<'_, '_>, caller: &Caller, call: &Call) -> Result<bool, OAuthError> {
    let (name, password) = (call.form.need("username")?, call.form.need("password")?);
    let user = act.state.users.find(name).filter(|user| sign_in::asks_hook(act.state, user, password)).cloned();
    let Some(user) = user else { return Ok(false) };
    Ok(hook::begin(act, caller, &user, (name, password), Way::Client(Box::new(call.clone()))).is_none())
}

/// Goes on with a grant of a password about which a hook was asked. None where another hook is asked now.
pub(crate) fn resumed(
    act: &mut Act<'_, '_>,
    caller: &Caller,
    call: Call,
    user: &Arc<User>,
    verified: bool,
) -> Option<Result<Answer, Error>> {
    let outcome = if verified {
        give(act, &call, "password")
    } else {
        sign_in::wrong(act, user);
        Err(error::PASSWORD)
    };
    match outcome {
        Ok(minting) => given(act, caller, &call.form, minting, call.nonce).map(Ok),
        Err(refused) => Some(Ok(with_nonce(refused.answer().0, call.nonce))),
    }
}

fn check_grant(client: &Client, name: &str) -> Result<(), Error> {
    const SERVED: [&str; 12] = [
        "authorization_code",
        INTERACTION,
        "refresh_token",
        "client_credentials",
        "password",
        DEVICE_GRANT,
        exchange::GRANT,
        backchannel::GRANT,
        direct::OTP,
        direct::OOB,
        direct::MFA_OTP,
        direct::MFA_OOB,
    ];
    let absent = ABSENT.contains(&name);
    if !absent && !SERVED.contains(&name) {
        return Err(error::unknown_grant().into());
    }
    if !client.may_use(name) {
        return Err(error::grant_not_for_client(&client.grants).into());
    }
    if absent { Err(Error::Unsupported) } else { Ok(()) }
}

fn give(act: &mut Act<'_, '_>, call: &Call, name: &str) -> Outcome {
    match name {
        "client_credentials" => client_credentials(act, call),
        "authorization_code" => authorization_code(act, call, "authorization_code", "code"),
        // developer.okta.com/docs/concepts/interaction-code/: what a code is for is told once more, with its verifier.
        INTERACTION => authorization_code(act, call, INTERACTION, INTERACTION),
        "refresh_token" => refresh_token(act, call),
        "password" => password(act, call),
        exchange::GRANT => token_exchange(act, call),
        backchannel::GRANT => backchannel(act, call),
        direct::OTP => direct::token::otp(act, call, name),
        direct::OOB => direct::token::oob(act, call, name),
        direct::MFA_OTP => direct::token::mfa_otp(act, call, name),
        direct::MFA_OOB => direct::token::mfa_oob(act, call, name),
        _ => device_code(act, call),
    }
}

/// Judges the request by the server's policies, and makes the grant of what is allowed.
pub(super) fn grant(
    act: &mut Act<'_, '_>,
    call: &Call,
    user: Option<Arc<User>>,
    scopes: Vec<SmolStr>,
    name: &str,
) -> Result<Grant, OAuthError> {
    let wanted = Wanted { client: &call.client, user: user.as_deref(), grant: name, scopes: &scopes };
    let lifetimes = call.issuer.judge(act.state, &wanted)?;
    let asks = call.issuer.asks(act.state, &wanted);
    let signed_in = user.as_ref().map(|_| act.now());
    let family = mint::new_family(act);
    Ok(Grant {
        issuer: call.issuer.clone(),
        client: Arc::clone(&call.client),
        user,
        scopes,
        signed_in,
        context: Context::default(),
        nonce: None,
        bound_to: call.bound_to.clone(),
        family,
        lifetimes,
        asks,
    })
}

/// Makes the tokens that a grant's scopes ask for.
pub(super) fn tokens(act: &mut Act<'_, '_>, grant: &Grant) -> Outcome {
    let offline = grant.user.is_some() && grant.has("offline_access") && grant.client.may_use("refresh_token");
    let refresh = offline.then(|| mint::refresh(act, grant, None));
    answer(act, grant, refresh)
}

fn answer(act: &mut Act<'_, '_>, grant: &Grant, refresh: Option<(String, SmolStr)>) -> Outcome {
    let access = mint::draft_access(act, grant, refresh.as_ref().map(|(_, id)| id))?;
    let person = grant.user.clone().filter(|_| grant.has("openid"));
    let id = person.map(|user| mint::draft_id(act, grant, &user, false)).transpose()?;
    Ok(Minting { grant: grant.clone(), refresh, access: Some(access), id, exchanged: None })
}

fn client_credentials(act: &mut Act<'_, '_>, call: &Call) -> Outcome {
    let client = &call.client;
    if call.issuer.is_org() {
        if client.kind != ClientType::Service {
            return Err(error::ORG_NEEDS_SERVICE);
        }
        if client.method != AuthMethod::PrivateKeyJwt {
            return Err(error::ORG_NEEDS_KEY);
        }
    }
    let wanted = Wanted { client, user: None, grant: "client_credentials", scopes: &[] };
    let scopes = call.issuer.grantable(act.state, &wanted, &call.form.words("scope"))?;
    let grant = grant(act, call, None, scopes, "client_credentials")?;
    tokens(act, &grant)
}

fn authorization_code(act: &mut Act<'_, '_>, call: &Call, name: &'static str, field: &'static str) -> Outcome {
    let text = call.form.need(field)?;
    let now = act.tx.now;
    let code = act.state.grants.codes.get(text).filter(|code| now < code.expires);
    let code = code.filter(|code| code.grant == name).cloned().ok_or(error::CODE)?;
    if code.client != call.client.id {
        return Err(error::OTHER_CLIENT);
    }
    if code.server != call.issuer.id() {
        return Err(error::OTHER_SERVER);
    }
    // Nobody was sent anywhere with an interaction code.
    let redirect =
        if name == INTERACTION { call.form.get("redirect_uri") } else { Some(call.form.need("redirect_uri")?) };
    if redirect.is_some_and(|redirect| redirect != code.redirect) {
        return Err(error::OTHER_REDIRECT);
    }
    check_verifier(code.challenge.as_deref(), call.form.get("code_verifier"))?;
    // A code is good once.
    act.state.grants.codes.remove(&mut act.tx.changes, text, code.expires);
    let user = rules::person(act.state, &call.client, &code.user)?;
    let made = grant(act, call, Some(user), code.scopes.clone(), name)?;
    let (signed_in, context) = (Some(code.signed_in), code.context.clone());
    let made = Grant { signed_in, context, nonce: code.nonce.clone(), ..made };
    tokens(act, &made)
}

fn check_verifier(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), OAuthError> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(error::UNASKED_VERIFIER),
        (Some(_), None) => Err(error::NO_VERIFIER),
        (Some(challenge), Some(verifier)) if jwt::digest(verifier) == challenge => Ok(()),
        (Some(_), Some(_)) => Err(error::PKCE),
    }
}

fn refresh_token(act: &mut Act<'_, '_>, call: &Call) -> Outcome {
    let text = call.form.need("refresh_token")?;
    let now = act.tx.now;
    let old = act.state.grants.token(text).filter(|token| token.kind == Kind::Refresh).cloned();
    let old = old.filter(|token| token.client == call.client.id && token.server == call.issuer.id());
    let old = old.ok_or(error::REFRESH)?;
    if is_reuse(&old, &call.client, now) {
        // developer.okta.com/docs/guides/refresh-tokens/main/#refresh-token-reuse-detection
        act.state.grants.revoke_family(&mut act.tx.changes, &old.family);
        log::reused(act, call.issuer.is_org(), &call.client);
        return Err(error::REFRESH.kept());
    }
    if !old.is_good(now) {
        return Err(error::REFRESH);
    }
    if old.bound_to != call.bound_to {
        return Err(error::DPOP_REFRESH_BINDING);
    }
    let scopes = fewer(&old, &call.form)?;
    let user = old.user.as_deref().map(|id| rules::person(act.state, &call.client, id)).transpose()?;
    let made = grant(act, call, user, scopes, "authorization_code")?;
    let (nonce, family, context) = (old.nonce.clone(), old.family.clone(), old.context.clone());
    let made = Grant { signed_in: old.signed_in, context, nonce, family, ..made };
    if old.issued.after(Duration::from_secs(made.lifetimes.idle.unsigned_abs() * 60)) <= now {
        return Err(error::REFRESH);
    }
    let next = renewed(act, call, &made, &old, text);
    answer(act, &made, Some(next))
}

/// Whether a refresh token comes again although another one stands in for it, and the time of grace is over.
fn is_reuse(token: &Token, client: &Client, now: Timestamp) -> bool {
    let grace = Duration::from_secs(client.leeway.into());
    token.replaced.is_some_and(|since| since.after(grace) <= now && !token.revoked)
}

/// The scopes of a refresh: the token's, or some of them.
fn fewer(token: &Token, form: &Form) -> Result<Vec<SmolStr>, OAuthError> {
    let named = form.words("scope");
    if named.is_empty() {
        return Ok(token.scopes.clone());
    }
    let denied: Vec<&str> = named.iter().copied().filter(|name| !token.scopes.iter().any(|own| own == name)).collect();
    if denied.is_empty() {
        Ok(named.into_iter().map(SmolStr::new).collect())
    } else {
        Err(error::refresh_scopes(&denied.join(", ")))
    }
}

/// The refresh token that goes with the new tokens: a new one where the client's are for one use. It ends when the
/// first one would have ended.
fn renewed(act: &mut Act<'_, '_>, call: &Call, grant: &Grant, old: &Token, text: &str) -> (String, SmolStr) {
    let now = act.tx.now;
    let whole = Grant { scopes: old.scopes.clone(), ..grant.clone() };
    if call.client.rotates {
        act.state.grants.replace(&mut act.tx.changes, &old.id, now);
        return mint::refresh(act, &whole, Some(old.expires));
    }
    // Its idle time starts again.
    let used = Token { issued: now.floor_secs(), ..old.clone() };
    act.state.grants.put(&mut act.tx.changes, now, used);
    (text.to_owned(), old.id.clone())
}

fn password(act: &mut Act<'_, '_>, call: &Call) -> Outcome {
    let (name, password) = (call.form.need("username")?, call.form.need("password")?);
    let user = act.state.users.find(name).cloned().ok_or(error::PASSWORD)?;
    if !user.has_password {
        return Err(error::NO_PASSWORD);
    }
    // A wrong password is counted.
    let user = match sign_in::enter(act, name, password) {
        Entered::In(user) => user,
        // Without a hook that is on, nobody can say that the password is right.
        Entered::Hook(user) => {
            sign_in::wrong(act, &user);
            return Err(error::PASSWORD.kept());
        }
        Entered::Locked { .. } | Entered::Refused => return Err(error::PASSWORD.kept()),
    };
    // A client that cannot ask for a further factor has nobody to ask for one.
    let sign_on = policy::sign_on(act.state, &user, act.by.client.address.parse().ok());
    if !sign_on.allowed || sign_on.require_factor && !direct::token::asks_further(call) {
        return Err(error::SIGN_ON_POLICY);
    }
    let expired = policy::password(act.state, &user).expired(&user, act.tx.now);
    if expired || user.status == Status::PasswordExpired {
        return Err(error::PASSWORD_EXPIRED);
    }
    let (proof, used) = (Proof::password(act.tx.now), SmolStr::new_static("okta_password"));
    direct::token::finish(act, call, Shown { user, grant: "password", proof, used, further: false })
}

/// A person's word on a transaction.
fn backchannel(act: &mut Act<'_, '_>, call: &Call) -> Outcome {
    let approved = backchannel::poll(act, &call.issuer, &call.client, call.form.need("auth_req_id")?)?;
    let made = grant(act, call, Some(approved.user), approved.scopes, backchannel::GRANT)?;
    let context = Context { amr: vec![SmolStr::new_static("swk")], ..Context::default() };
    let made = Grant { signed_in: Some(approved.at), context, ..made };
    tokens(act, &made)
}

fn token_exchange(act: &mut Act<'_, '_>, call: &Call) -> Outcome {
    let (subject, user) = exchange::subject(act.state, &call.issuer, &call.form, act.tx.now)?;
    let wanted = Wanted { client: &call.client, user: Some(&user), grant: exchange::GRANT, scopes: &[] };
    let scopes = call.issuer.grantable(act.state, &wanted, &call.form.words("scope"))?;
    exchange::check_scopes(&scopes)?;
    let made = grant(act, call, Some(user), scopes, exchange::GRANT)?;
    let (family, context) = (subject.family.clone(), subject.context.clone());
    let made = Grant { signed_in: subject.signed_in, context, family, ..made };
    let given = answer(act, &made, None)?;
    Ok(Minting { exchanged: Some(exchange::ACCESS_TOKEN), ..given })
}

fn device_code(act: &mut Act<'_, '_>, call: &Call) -> Outcome {
    let code = call.form.need("device_code")?;
    let now = act.tx.now;
    let device = act.state.grants.devices.get(code).cloned().ok_or(error::DEVICE_CODE)?;
    if device.client != call.client.id || device.server != call.issuer.id() {
        return Err(error::DEVICE_CODE);
    }
    if device.expires <= now {
        return Err(error::DEVICE_EXPIRED);
    }
    if device.denied {
        act.state.grants.end_device(&mut act.tx.changes, code, &device);
        return Err(error::DENIED);
    }
    let Some((user, signed_in)) = device.user.clone() else {
        return Err(super::device::not_yet(act, code, &device));
    };
    act.state.grants.end_device(&mut act.tx.changes, code, &device);
    let user = rules::person(act.state, &call.client, &user)?;
    let made = grant(act, call, Some(user), device.scopes.clone(), DEVICE_GRANT)?;
    let made = Grant { signed_in: Some(signed_in), ..made };
    tokens(act, &made)
}
