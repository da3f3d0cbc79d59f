//! What a person must still show or do before an app gets its code: the one place where this API asks.
//!
//! Asked are the global session policy, the enrolment policy and the password policy, by the same function that the
//! Authentication API and the sign-in pages ask ([`flow::waits_for`]), and the class of assurance that the app named.
//! What the app's own authentication policy asks for belongs here.

use super::transaction::Idx;
use crate::{
    authn::{flow, transaction::Status},
    model::{Act, factor, user::User},
    oauth::authorize::{FACTOR, FACTOR_IF_POSSIBLE},
};

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A password.
    Password,
    /// A factor that is enrolled.
    Factor,
    /// A factor to be enrolled.
    Enrolment,
    /// A new password: the present one has expired.
    NewPassword,
    /// A new password, or the word that it can wait.
    Warning,
}

/// What a person must still show or do; none where the app gets its code.
pub fn missing(act: &Act<'_, '_>, user: &User, idx: &Idx) -> Option<Missing> {
    if idx.sign.proof.password.is_none() && idx.sign.proof.elsewhere.is_none() {
        return Some(Missing::Password);
    }
    match flow::waits_for(act, user, &idx.sign) {
        Some(Status::MfaRequired) => Some(Missing::Factor),
        Some(Status::MfaEnroll) => Some(Missing::Enrolment),
        Some(Status::PasswordExpired) => Some(Missing::NewPassword),
        Some(Status::PasswordWarn) => Some(Missing::Warning),
        _ => of_class(act, user, idx),
    }
}

/// What the class asks for that the app named (developer.okta.com/docs/guides/step-up-authentication/main/).
fn of_class(act: &Act<'_, '_>, user: &User, idx: &Idx) -> Option<Missing> {
    let class = idx.asked.class.as_deref().filter(|_| idx.sign.proof.factor.is_none());
    let able = !factor::usable(act.state, user).is_empty();
    match class {
        Some(FACTOR | FACTOR_IF_POSSIBLE) if able => Some(Missing::Factor),
        Some(FACTOR) => Some(Missing::Enrolment),
        _ => None,
    }
}
