//! Proving a factor.

use std::{sync::Arc, time::Duration};

use dtu_kernel::time::Timestamp;
use smol_str::SmolStr;

use super::{Factor, Kind, Secret, Status, code, question, webauthn};
use crate::{
    error::Error,
    model::{
        Act,
        event_type::AUTH_MFA,
        log::{Outcome, Party},
        user::{self, User},
    },
};

/// What a person shows.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// A code.
    pub pass_code: Option<SmolStr>,
    /// An answer.
    pub answer: Option<SmolStr>,
    /// What a browser says of the ceremony, in base64.
    pub client_data: Option<SmolStr>,
    /// What a security key says of itself, in base64.
    pub authenticator_data: Option<SmolStr>,
    /// A security key's signature, in base64.
    pub signature: Option<SmolStr>,
    /// A security key's new credential, in base64.
    pub attestation: Option<SmolStr>,
    /// A new credential of a key of the older standard, in base64: a kind that no org of the twin has switched on.
    pub registration: Option<SmolStr>,
}

impl Proof {
    /// Whether nothing is shown: then something is to be asked.
    pub const fn is_empty(&self) -> bool {
        self.pass_code.is_none()
            && self.answer.is_none()
            && self.client_data.is_none()
            && self.signature.is_none()
            && self.authenticator_data.is_none()
            && self.attestation.is_none()
            && self.registration.is_none()
    }

    /// A code.
    pub fn code(text: impl Into<SmolStr>) -> Self {
        Self { pass_code: Some(text.into()), ..Self::default() }
    }
}

/// What came of a proof. A wrong one leaves traces, so it is no error of the act: whoever calls answers with the
/// refusal, and what was counted and logged stays.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It holds.
    Right(Arc<Factor>),
    /// It does not.
    Wrong(Error),
}

/// How a proof fares.
pub(super) enum Check {
    /// It holds; where codes count, with the one that was used.
    Right(Option<u64>),
    /// It does not.
    Wrong,
    /// It did once already.
    Replayed,
}

/// So many wrong codes within so long end the attempts to activate a factor.
const ATTEMPTS: usize = 5;
const WINDOW: Duration = Duration::from_secs(300);
/// So many wrong proofs in a row lock the account.
/// See help.okta.com on factor lockout.
const STRIKES: u32 = 5;

/// Whether a factor may be asked for, or proven, now.
///
/// # Errors
/// A person who is locked out, or a factor that is not in use.
pub(super) fn may(user: &User, factor: &Factor) -> Result<(), Error> {
    if user.status == user::Status::LockedOut {
        return Err(Error::coded("E0000069"));
    }
    if factor.status != Status::Active {
        return Err(Error::invalid("factorVerifyRequest", "Factor is not active."));
    }
    Ok(())
}

/// Whether a factor may still be activated.
///
/// # Errors
/// Too many wrong codes in too short a time.
pub(super) fn may_activate(factor: &Factor, now: Timestamp) -> Result<(), Error> {
    let recent = factor.wrong.iter().filter(|at| now < at.after(WINDOW)).count();
    if recent >= ATTEMPTS { Err(Error::coded("E0000047")) } else { Ok(()) }
}

/// Takes note of a wrong code at activation.
pub(super) fn note_wrong(factor: &mut Factor, now: Timestamp) {
    factor.wrong.retain(|at| now < at.after(WINDOW));
    factor.wrong.push(now);
}

/// The refusal of a proof that does not hold.
pub(super) fn wrong(kind: Kind) -> Error {
    let cause = match kind {
        Kind::Question => "Your answer doesn't match our records. Please try again.",
        _ => "Your passcode doesn't match our records. Please try again.",
    };
    Error::Coded { code: "E0000068", causes: vec![cause.to_owned()] }
}

/// How a proof fares against a factor.
pub(super) fn check(factor: &Factor, proof: &Proof, now: Timestamp) -> Check {
    let right = |holds: bool| if holds { Check::Right(None) } else { Check::Wrong };
    let sent = factor.challenge.as_ref().filter(|challenge| now < challenge.expires);
    match (&factor.secret, &proof.pass_code) {
        (Secret::Answer(hash), _) => {
            right(proof.answer.as_deref().is_some_and(|answer| question::hash(answer) == *hash))
        }
        (Secret::Shared(key), Some(text)) => match code::matching(key, text, now) {
            Some(step) if factor.used.is_some_and(|used| step <= used) => Check::Replayed,
            Some(step) => Check::Right(Some(step)),
            None => Check::Wrong,
        },
        (Secret::Public(key), _) => {
            right(sent.is_some_and(|challenge| webauthn::is_signed(key, &challenge.text, proof)))
        }
        (Secret::None, Some(text)) => {
            right(factor.kind.is_sent() && sent.is_some_and(|challenge| challenge.text == text.trim()))
        }
        _ => Check::Wrong,
    }
}

/// Whether a proof would hold now. Nothing is counted by that.
pub fn holds(factor: &Factor, proof: &Proof, now: Timestamp) -> bool {
    matches!(check(factor, proof, now), Check::Right(_))
}

/// Who and what a proof is about, for the System Log.
pub(super) fn targets(act: &Act<'_, '_>, user: &User, factor: &str) -> Vec<Party> {
    let mut targets = vec![Party::user(user)];
    if let Some(factor) = act.state.factors.get(&user.id, factor) {
        targets.push(party(factor));
    }
    targets
}

/// A factor as the System Log names it.
pub(super) fn party(factor: &Factor) -> Party {
    let text = SmolStr::new_static;
    Party {
        id: factor.id.clone(),
        kind: "AuthenticatorEnrollment",
        alternate_id: text("unknown"),
        display_name: text(factor.kind.authenticator_name()),
    }
}

/// Takes note that a factor was proven.
pub(super) fn succeed(act: &mut Act<'_, '_>, user: &User, factor: &Factor, used: Option<u64>) -> Arc<Factor> {
    let now = act.now();
    act.state.factors.strikes.remove(&user.id);
    let row = Factor { challenge: None, used: used.or(factor.used), last_verified: Some(now), ..factor.clone() };
    let row = act.state.factors.put(&mut act.tx.changes, row);
    let targets = targets(act, user, &row.id);
    act.log(&AUTH_MFA, targets);
    row
}

/// Verifies what a person shows for a factor.
///
/// # Errors
/// A factor that is not in use or cannot be proven in this way, or a person who is locked out. A proof that does not
/// hold is no error: see [`Verdict`].
pub fn verify(act: &mut Act<'_, '_>, user: &User, factor: &Factor, proof: &Proof) -> Result<Verdict, Error> {
    may(user, factor)?;
    match check(factor, proof, act.tx.now) {
        Check::Right(used) => Ok(Verdict::Right(succeed(act, user, factor, used))),
        Check::Replayed => {
            fail(act, user, factor);
            Ok(Verdict::Wrong(Error::coded("E0000082")))
        }
        Check::Wrong => {
            strike(act, user);
            fail(act, user, factor);
            Ok(Verdict::Wrong(wrong(factor.kind)))
        }
    }
}

fn fail(act: &mut Act<'_, '_>, user: &User, factor: &Factor) {
    let targets = targets(act, user, &factor.id);
    act.log_outcome(&AUTH_MFA, targets, Outcome::failure("INVALID_CREDENTIALS"));
}

/// Counts a wrong proof; the account is locked where there were too many in a row.
fn strike(act: &mut Act<'_, '_>, user: &User) {
    let strikes = act.state.factors.strikes.get(&user.id).copied().unwrap_or(0) + 1;
    if strikes < STRIKES {
        act.state.factors.strikes.insert(user.id.clone(), strikes);
        return;
    }
    act.state.factors.strikes.remove(&user.id);
    super::enrol::lock(act, user);
}
