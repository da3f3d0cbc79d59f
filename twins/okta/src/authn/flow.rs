//! Where a transaction goes next: from a password by factors to a session token.

use std::sync::Arc;

use dtu_kernel::time::Timestamp;
use smol_str::SmolStr;

use super::{
    app,
    mfa::{self, Demand},
    transaction::{self, Status, Transaction, Wants},
};
use crate::{
    error::Error,
    model::{
        Act,
        event_type::POLICY_SIGN_ON,
        factor::Kind,
        log::{Outcome, Party},
        session::{self, Proof},
        user::User,
    },
    policy,
};

/// Where a transaction has come to.
#[derive(Clone, Debug)]
pub enum Reached {
    /// It waits for the person.
    Waiting {
        /// The state token.
        token: SmolStr,
        /// The transaction.
        transaction: Box<Transaction>,
    },
    /// It is over: the person has signed in.
    SignedIn {
        /// The session token.
        token: SmolStr,
        /// When that ends.
        expires: Timestamp,
        /// Who.
        user: Arc<User>,
        /// What the caller wants back.
        relay_state: Option<SmolStr>,
    },
    /// It is over: an account is unlocked, and nobody has signed in.
    Unlocked {
        /// Whose.
        user: Arc<User>,
        /// What the caller wants back.
        relay_state: Option<SmolStr>,
    },
}

/// What holds somebody up who has given the right password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hurdle {
    Factor(Demand),
    Expired,
    Warning,
}

fn hurdle(act: &Act<'_, '_>, user: &User, transaction: &Transaction) -> Option<Hurdle> {
    let rules = policy::password(act.state, user);
    let demand = mfa::demand(act.state, user, transaction);
    if demand == Demand::Verify {
        return Some(Hurdle::Factor(demand));
    }
    let by_password = transaction.proof.password.is_some();
    let expired = user.status == crate::model::user::Status::PasswordExpired || rules.expired(user, act.tx.now);
    if by_password && expired {
        return Some(Hurdle::Expired);
    }
    if demand == Demand::Enroll {
        return Some(Hurdle::Factor(demand));
    }
    let warned = transaction.warns && by_password && rules.warning(user, act.tx.now).is_some();
    warned.then_some(Hurdle::Warning)
}

/// The state in which a transaction waits for the person; none where nothing is asked of them any more.
pub fn waits_for(act: &Act<'_, '_>, user: &User, transaction: &Transaction) -> Option<Status> {
    Some(match hurdle(act, user, transaction)? {
        Hurdle::Factor(Demand::Enroll) => Status::MfaEnroll,
        Hurdle::Factor(_) => Status::MfaRequired,
        Hurdle::Expired => Status::PasswordExpired,
        Hurdle::Warning => Status::PasswordWarn,
    })
}

/// Moves a transaction on as far as it goes without the person: to the next state that waits for them, or to a session
/// token. `token` is the transaction's state token; none where it has none yet.
///
/// # Errors
/// `E0000011` where the person has gone meanwhile.
pub fn go_on(act: &mut Act<'_, '_>, token: Option<SmolStr>, transaction: Transaction) -> Result<Reached, Error> {
    let user = transaction.person(act.state)?;
    let Some(status) = waits_for(act, &user, &transaction) else { return Ok(succeed(act, token, &user, transaction)) };
    Ok(wait(act, token, Transaction { status, factor: None, factor_result: None, ..transaction }))
}

/// Lets a transaction wait for the person in the state that it says.
pub fn wait(act: &mut Act<'_, '_>, token: Option<SmolStr>, transaction: Transaction) -> Reached {
    let token = token.unwrap_or_else(|| transaction::token(act));
    let transaction = Box::new(transaction::put(act, &token, transaction));
    Reached::Waiting { token, transaction }
}

/// A factor of a kind was verified: the transaction goes on.
///
/// # Errors
/// As [`go_on`].
pub fn factor_passed(
    act: &mut Act<'_, '_>,
    token: SmolStr,
    mut transaction: Transaction,
    kind: Kind,
) -> Result<Reached, Error> {
    transaction.proof.give_factor(kind, act.now());
    transaction.wants = Wants::default();
    go_on(act, Some(token), transaction)
}

fn succeed(act: &mut Act<'_, '_>, state_token: Option<SmolStr>, user: &Arc<User>, transaction: Transaction) -> Reached {
    if let Some(token) = state_token {
        transaction::close(act, &token);
    }
    let user = session::signed_in(act, user);
    let (token, expires) = session::token(act, &user, transaction.proof);
    Reached::SignedIn { token, expires, user, relay_state: transaction.relay_state }
}

/// Asks the sign-on policy whether somebody is let in at all; the log says what it said.
///
/// # Errors
/// `E0000004` where they are not.
pub fn admit(act: &mut Act<'_, '_>, user: &User) -> Result<(), Error> {
    let address = act.by.client.address.parse().ok();
    let sign_on = policy::sign_on(act.state, user, address);
    let result = match (sign_on.allowed, sign_on.require_factor) {
        (false, _) => "DENY",
        (true, true) => "CHALLENGE",
        (true, false) => "ALLOW",
    };
    let reason = format!("Sign-on policy evaluation resulted in {result}").into();
    let applied = policy::applied(act.state, "OKTA_SIGN_ON", user, address);
    let own = applied.map(|found| {
        let policy = app::party("PolicyEntity", found.policy, found.settings);
        [policy, app::party("PolicyRule", found.rule, found.rule_members)]
    });
    let targets = std::iter::once(Party::user(user)).chain(own.into_iter().flatten()).collect();
    act.log_outcome(&POLICY_SIGN_ON, targets, Outcome { result, reason });
    if sign_on.allowed { Ok(()) } else { Err(Error::SignIn) }
}

/// A proof of nothing yet, for those who come by a token.
pub fn by_token() -> Proof {
    Proof::default()
}
