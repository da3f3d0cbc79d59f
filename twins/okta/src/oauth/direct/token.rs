//! The grants of direct authentication, and what the password grant has in common with them.

use std::sync::Arc;

use dtu_kernel::time::Timestamp;
use smol_str::SmolStr;

use super::{
    super::{
        backchannel::{end, fate, not_yet},
        error::{self, OAuthError},
        form::Form,
        mint, rules,
        token::{Call, Outcome, grant, tokens},
    },
    LIFE, MFA_OOB, MFA_OTP, codes, halfway, person, shows_codes,
};
use crate::{
    authn::app::{self, To},
    model::{
        Act,
        authorization_server::Wanted,
        factor::{self, Factor, push::Fate},
        grant::Context,
        out_of_band::{Halfway, Stage},
        session::Proof,
        user::User,
    },
    oauth::mint::Grant,
    policy::{
        self,
        access::{Need, Verdict},
    },
};

/// What somebody has shown.
pub(in crate::oauth) struct Shown<'a> {
    /// Who.
    pub(in crate::oauth) user: Arc<User>,
    /// The grant by which the last factor came.
    pub(in crate::oauth) grant: &'a str,
    /// What.
    pub(in crate::oauth) proof: Proof,
    /// The key of the first authenticator that was used.
    pub(in crate::oauth) used: SmolStr,
    /// Whether a further factor was shown.
    pub(in crate::oauth) further: bool,
}

/// A code of an app as the first factor.
pub(in crate::oauth) fn otp(act: &mut Act<'_, '_>, call: &Call, name: &str) -> Outcome {
    let (login, code) = (call.form.need("login_hint")?, call.form.need("otp")?);
    let user = person(act.state, &call.client, login)?;
    let factor = coded(act, &user, "", code)?;
    finish(act, call, first(act.tx.now, user, &factor, name))
}

/// A prompt, or a code that was sent, as the first factor.
pub(in crate::oauth) fn oob(act: &mut Act<'_, '_>, call: &Call, name: &str) -> Outcome {
    let (user, factor) = answered(act, call, &Stage::Primary)?;
    finish(act, call, first(act.tx.now, user, &factor, name))
}

fn first<'a>(now: Timestamp, user: Arc<User>, factor: &Factor, grant: &'a str) -> Shown<'a> {
    let used = SmolStr::new_static(factor.kind.authenticator());
    let mut proof = Proof::default();
    proof.give_first(factor.kind, now);
    Shown { user, grant, proof, used, further: false }
}

/// A further factor: a code of an app.
pub(in crate::oauth) fn mfa_otp(act: &mut Act<'_, '_>, call: &Call, name: &str) -> Outcome {
    let (token, code) = (call.form.need("mfa_token")?, call.form.need("otp")?);
    let half = halfway(act, &call.issuer, &call.client, token)?;
    let user = rules::person(act.state, &call.client, &half.user)?;
    let factor = coded(act, &user, &half.used, code)?;
    further(act, call, (token, &half), user, &factor, name)
}

/// A further factor: a prompt, or a code that was sent.
pub(in crate::oauth) fn mfa_oob(act: &mut Act<'_, '_>, call: &Call, name: &str) -> Outcome {
    let token = call.form.need("mfa_token")?;
    let half = halfway(act, &call.issuer, &call.client, token)?;
    let (user, factor) = answered(act, call, &Stage::Further(token.into()))?;
    further(act, call, (token, &half), user, &factor, name)
}

fn further(
    act: &mut Act<'_, '_>,
    call: &Call,
    (token, half): (&str, &Halfway),
    user: Arc<User>,
    factor: &Factor,
    name: &str,
) -> Outcome {
    act.state.grants.halfway.remove(&mut act.tx.changes, token, half.expires);
    let mut proof = half.proof.clone();
    proof.give_factor(factor.kind, act.tx.now);
    finish(act, call, Shown { user, grant: name, proof, used: half.used.clone(), further: true })
}

/// The factor whose code this is. A wrong one counts.
fn coded(act: &mut Act<'_, '_>, user: &User, used: &str, code: &str) -> Result<Arc<Factor>, OAuthError> {
    let all = codes(act.state, user, used);
    let proof = factor::Proof::code(code);
    let right = all.iter().find(|factor| factor::holds(factor, &proof, act.tx.now));
    let factor = Arc::clone(right.or_else(|| all.first()).ok_or(error::AUTHENTICATOR)?);
    proven(act, user, &factor, &proof)
}

fn proven(
    act: &mut Act<'_, '_>,
    user: &User,
    factor: &Factor,
    proof: &factor::Proof,
) -> Result<Arc<Factor>, OAuthError> {
    match factor::verify(act, user, factor, proof) {
        Ok(factor::Verdict::Right(factor)) => Ok(factor),
        Ok(factor::Verdict::Wrong(_)) => Err(error::PASSWORD.kept()),
        Err(_) => Err(error::AUTHENTICATOR),
    }
}

/// What has become of a challenge: a prompt was approved, or the code that was sent is there.
fn answered(act: &mut Act<'_, '_>, call: &Call, stage: &Stage) -> Result<(Arc<User>, Arc<Factor>), OAuthError> {
    let code = call.form.need("oob_code")?;
    let row = act.state.grants.waiting.get(code).filter(|row| row.stage == *stage).cloned();
    let row = row.filter(|row| row.client == call.client.id && row.server == call.issuer.id());
    let row = row.filter(|row| act.tx.now < row.expires).ok_or_else(|| error::over(code))?;
    let user = rules::person(act.state, &call.client, &row.user)?;
    let factor = act.state.factors.get(&user.id, &row.factor).cloned().ok_or(error::AUTHENTICATOR)?;
    if row.push.is_none() {
        let factor = proven(act, &user, &factor, &factor::Proof::code(call.form.need("binding_code")?))?;
        end(act, code, &row);
        return Ok((user, factor));
    }
    match fate(act.state, &row, act.tx.now) {
        Fate::Success => {
            end(act, code, &row);
            Ok((user, factor))
        }
        Fate::Waiting => Err(not_yet(act, code, &row, error::OOB_PENDING)),
        Fate::Timeout => Err(error::over(code)),
        Fate::Rejected | Fate::Cancelled => {
            end(act, code, &row);
            Err(error::DENIED.kept())
        }
    }
}

/// Whether a client may ask for further factors at all.
pub(in crate::oauth) fn asks_further(call: &Call) -> bool {
    [MFA_OTP, MFA_OOB].iter().any(|grant| call.client.may_use(grant))
}

/// The tokens, or that a further factor is needed first: as the sign-on policy and the app's own have it.
pub(in crate::oauth) fn finish(act: &mut Act<'_, '_>, call: &Call, shown: Shown<'_>) -> Outcome {
    let sign_on = policy::sign_on(act.state, &shown.user, act.by.client.address.parse().ok());
    if !sign_on.allowed {
        return Err(error::SIGN_ON_POLICY);
    }
    let user = rules::person(act.state, &call.client, &shown.user.id)?;
    let wanted = Wanted { client: &call.client, user: Some(&user), grant: shown.grant, scopes: &[] };
    let scopes = call.issuer.grantable(act.state, &wanted, &call.form.words("scope"))?;
    rules::check_openid(&scopes)?;
    call.issuer.judge(act.state, &Wanted { scopes: &scopes, ..wanted })?;
    let to = To::client(act.state, &call.client);
    let need = match app::judge(act, &to, &user, &shown.proof) {
        Verdict::Denied => return Err(error::SIGN_ON_POLICY),
        Verdict::Missing(need) => Some(need),
        Verdict::Satisfied => None,
    };
    // A client that cannot ask for a further factor has nobody to ask for one.
    if need.is_some() && !asks_further(call) {
        return Err(error::SIGN_ON_POLICY);
    }
    if need.is_some() || sign_on.require_factor && !shown.further {
        return Err(required(act, call, &shown, need.as_ref()));
    }
    let made = grant(act, call, Some(user), scopes, shown.grant)?;
    let made = Grant { context: Context { amr: shown.proof.amr, ..Context::default() }, ..made };
    tokens(act, &made)
}

/// The sign-in waits for a further factor that the person has, and that the client may ask for and supports.
fn required(act: &mut Act<'_, '_>, call: &Call, shown: &Shown<'_>, need: Option<&Need>) -> OAuthError {
    let all = factor::usable(act.state, &shown.user).into_iter();
    let helps = |factor: &Arc<Factor>| need.is_none_or(|need| need.factors.contains(&factor.kind));
    let mut others = all.filter(|factor| factor.kind.authenticator() != shown.used).filter(helps);
    if !others.any(|factor| way(&factor).is_some_and(|grant| takes(call, &call.form, grant))) {
        return error::AUTHENTICATOR;
    }
    let (now, token) = (act.tx.now, mint::draw(act, "mfa_token", 20));
    let half = Halfway {
        server: call.issuer.id(),
        client: call.client.id.clone(),
        user: shown.user.id.clone(),
        proof: shown.proof.clone(),
        used: shown.used.clone(),
        expires: now.after(LIFE),
    };
    act.state.grants.halfway.put(&mut act.tx.changes, now, token.clone(), half.expires, half);
    error::MFA_REQUIRED.with_mfa_token(token).kept()
}

/// The grant by which a factor comes as a further one.
fn way(factor: &Factor) -> Option<&'static str> {
    use factor::Kind;
    match factor.kind {
        kind if shows_codes(kind) => Some(MFA_OTP),
        Kind::Push | Kind::Sms | Kind::Call => Some(MFA_OOB),
        _ => None,
    }
}

/// Whether a client may use a grant, and has not said that it cannot.
fn takes(call: &Call, form: &Form, grant: &str) -> bool {
    let named = form.words("grant_types_supported");
    call.client.may_use(grant) && (named.is_empty() || named.contains(&grant))
}
