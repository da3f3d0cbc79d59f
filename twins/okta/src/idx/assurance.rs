//! What a person must still show or do before an app gets its code: the one place where this API asks.
//!
//! Asked are the global session policy, the enrolment policy and the password policy, by the same function that the
//! Authentication API and the sign-in pages ask ([`flow::waits_for`]); then the app's own policy, and the class of
//! assurance that the app named, as at the authorize endpoint.

use super::transaction::Idx;
use crate::{
    authn::{
        app::{self, To},
        flow,
        transaction::Status,
    },
    model::{Act, factor::Kind, user::User},
    policy::access::Verdict,
};

/// What is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A password.
    Password,
    /// A factor that is enrolled: one of these kinds, or any where none is named.
    Factor(Vec<Kind>),
    /// A factor to be enrolled.
    Enrolment,
    /// A new password: the present one has expired.
    NewPassword,
    /// A new password, or the word that it can wait.
    Warning,
    /// What the person cannot show: they are not let in.
    Denied,
}

/// What a person must still show or do; none where the app gets its code. The log tells what the app's policy says.
pub fn missing(act: &mut Act<'_, '_>, user: &User, idx: &Idx) -> Option<Missing> {
    if idx.sign.proof.password.is_none() && idx.sign.proof.elsewhere.is_none() {
        return Some(Missing::Password);
    }
    match flow::waits_for(act, user, &idx.sign) {
        Some(Status::MfaRequired) => Some(Missing::Factor(Vec::new())),
        Some(Status::MfaEnroll) => Some(Missing::Enrolment),
        Some(Status::PasswordExpired) => Some(Missing::NewPassword),
        Some(Status::PasswordWarn) => Some(Missing::Warning),
        _ => for_app(act, user, idx),
    }
}

/// What the app's policy asks for, and then the app itself by a class of assurance
/// (developer.okta.com/docs/guides/step-up-authentication/main/).
fn for_app(act: &mut Act<'_, '_>, user: &User, idx: &Idx) -> Option<Missing> {
    let client = act.state.clients.get(&idx.asked.client).cloned()?;
    let (to, proof) = (To::client(act.state, &client), &idx.sign.proof);
    let need = match app::judge(act, &to, user, proof) {
        Verdict::Denied => return Some(Missing::Denied),
        Verdict::Missing(need) => need,
        Verdict::Satisfied => {
            let class = app::of_class(act.state, user, idx.asked.class.as_deref()?)?;
            app::missing(act, &to, user, proof, &class)?
        }
    };
    Some(match need {
        need if need.password => Missing::Password,
        need if !need.factors.is_empty() => Missing::Factor(need.factors),
        need if !need.enrol.is_empty() => Missing::Enrolment,
        _ => Missing::Denied,
    })
}
