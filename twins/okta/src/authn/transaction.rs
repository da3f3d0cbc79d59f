//! Transactions of the Authentication API: where somebody stands who is signing in or recovering.
//!
//! See developer.okta.com/docs/reference/api/authn/#transaction-object.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{ids::BASE64_URL, time::Timestamp};
use serde::Serialize;
use smol_str::SmolStr;

use crate::{
    error::Error,
    model::{Act, SITE, State, factor::Kind, grant::Passing, session::Proof, user::User},
};

/// How long a state token is good; each call that moves the transaction begins anew.
const LIFE: Duration = Duration::from_secs(300);

/// The table's name: rows in it follow from other calls.
pub const TABLE: &str = "transactions";

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The password expires soon.
    PasswordWarn,
    /// The password must be changed.
    PasswordExpired,
    /// The recovery question waits for its answer.
    Recovery,
    /// A code was sent for recovery.
    RecoveryChallenge,
    /// A new password is to be chosen.
    PasswordReset,
    /// A factor must be enrolled.
    MfaEnroll,
    /// An enrolled factor must be activated.
    MfaEnrollActivate,
    /// A factor must be chosen and used.
    MfaRequired,
    /// A chosen factor waits for its answer.
    MfaChallenge,
}

impl Status {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::PasswordWarn => "PASSWORD_WARN",
            Self::PasswordExpired => "PASSWORD_EXPIRED",
            Self::Recovery => "RECOVERY",
            Self::RecoveryChallenge => "RECOVERY_CHALLENGE",
            Self::PasswordReset => "PASSWORD_RESET",
            Self::MfaEnroll => "MFA_ENROLL",
            Self::MfaEnrollActivate => "MFA_ENROLL_ACTIVATE",
            Self::MfaRequired => "MFA_REQUIRED",
            Self::MfaChallenge => "MFA_CHALLENGE",
        }
    }
}

/// What somebody recovers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Recovery {
    /// A password.
    Password,
    /// A locked account.
    Unlock,
    /// Nothing: an account is taken into use.
    AccountActivation,
}

impl Recovery {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Password => "PASSWORD",
            Self::Unlock => "UNLOCK",
            Self::AccountActivation => "ACCOUNT_ACTIVATION",
        }
    }
}

/// What the policy of the app that somebody signs in to still asks for, of what they have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wants {
    /// The password, given anew.
    pub password: bool,
    /// Kinds of factors, any of which will do.
    pub factors: Vec<Kind>,
}

impl Wants {
    /// Whether nothing is asked for.
    pub const fn is_empty(&self) -> bool {
        !self.password && self.factors.is_empty()
    }
}

/// Somebody who is signing in or recovering.
#[derive(Clone, Debug, Serialize)]
pub struct Transaction {
    /// Who; empty where nobody has the name that was given, which nobody is told.
    pub user: SmolStr,
    /// Where it stands.
    pub status: Status,
    /// When its token ends.
    pub expires: Timestamp,
    /// What the caller wants back at the end.
    pub relay_state: Option<SmolStr>,
    /// What is recovered; none of a sign-in.
    pub recovery: Option<Recovery>,
    /// The way by which a code was sent: `SMS` or `CALL`.
    pub recovery_factor: Option<SmolStr>,
    /// The code that was sent.
    #[serde(skip)]
    pub code: SmolStr,
    /// How many wrong codes or answers were given.
    pub failures: u32,
    /// Whether further factors are offered after the first.
    pub multi_optional: bool,
    /// Whether the person is warned before the password expires.
    pub warns: bool,
    /// Whether there is nothing left to enrol, or the person has skipped the rest.
    pub enrolled: bool,
    /// The factor that is being enrolled or used.
    pub factor: Option<SmolStr>,
    /// What came of its last use (`WAITING`, `REJECTED`, `TIMEOUT`).
    pub factor_result: Option<SmolStr>,
    /// The caller's name for the person's device.
    pub device: Option<SmolStr>,
    /// What has been shown so far.
    pub proof: Proof,
    /// What the app that the person signs in to asks for besides.
    #[serde(skip_serializing_if = "Wants::is_empty")]
    pub wants: Wants,
}

impl Transaction {
    /// A transaction of somebody, at its beginning.
    pub fn new(user: &User, status: Status, proof: Proof) -> Self {
        Self { user: user.id.clone(), proof, ..Self::nobody(status) }
    }

    /// A transaction of nobody who is known.
    pub fn nobody(status: Status) -> Self {
        Self {
            user: SmolStr::default(),
            status,
            expires: Timestamp::from_secs(0),
            relay_state: None,
            recovery: None,
            recovery_factor: None,
            code: SmolStr::default(),
            failures: 0,
            multi_optional: false,
            warns: false,
            enrolled: false,
            factor: None,
            factor_result: None,
            device: None,
            proof: Proof::default(),
            wants: Wants::default(),
        }
    }

    /// Refuses what the transaction's state does not allow.
    ///
    /// # Errors
    /// `E0000079` in every other state.
    pub fn expect(&self, allowed: &[Status]) -> Result<(), Error> {
        if allowed.contains(&self.status) { Ok(()) } else { Err(Error::repeated("E0000079")) }
    }

    /// When it was last written.
    pub fn written(&self) -> Timestamp {
        self.expires.before(LIFE)
    }

    /// Whose it is.
    ///
    /// # Errors
    /// `E0000011` where the person has gone meanwhile.
    pub fn person(&self, state: &State) -> Result<Arc<User>, Error> {
        state.users.get(&self.user).cloned().ok_or(Error::InvalidToken)
    }
}

/// The transaction of a state token.
///
/// # Errors
/// `E0000011` for tokens that have ended or never were.
pub fn open(state: &State, token: &str, now: Timestamp) -> Result<Transaction, Error> {
    let found = state.transactions.get(token).filter(|transaction| now < transaction.expires);
    found.map(|transaction| Transaction::clone(transaction)).ok_or(Error::InvalidToken)
}

/// A token for a new transaction.
pub fn token(act: &mut Act<'_, '_>) -> SmolStr {
    format!("00{}", act.tx.draw(SITE.child("state token")).text(BASE64_URL, 40)).into()
}

/// Writes a transaction, whose token is good for the whole span again from now on.
pub fn put(act: &mut Act<'_, '_>, token: &SmolStr, transaction: Transaction) -> Transaction {
    close(act, token);
    let now = act.now();
    let transaction = Transaction { expires: now.after(LIFE), ..transaction };
    let end = transaction.expires;
    act.state.transactions.put(&mut act.tx.changes, now, token.clone(), end, transaction.clone());
    transaction
}

/// Ends a transaction.
pub fn close(act: &mut Act<'_, '_>, token: &str) {
    if let Some(transaction) = act.state.transactions.get(token).cloned() {
        act.state.transactions.remove(&mut act.tx.changes, token, transaction.expires);
    }
}

/// A table of transactions by their tokens.
pub fn table() -> Passing<Transaction> {
    Passing::new(TABLE)
}
