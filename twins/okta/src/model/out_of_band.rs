//! What clients wait for that people do elsewhere: prompts on phones, and codes that were sent there.
//!
//! Rows of CIBA and of direct authentication, beside codes and tokens in [`Grants`](super::grant::Grants).

use dtu_kernel::time::Timestamp;
use serde::Serialize;
use smol_str::SmolStr;

use super::session::Proof;

/// For what a client waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// For a person's word on a transaction (CIBA), for which these scopes were asked.
    Backchannel(Vec<SmolStr>),
    /// For the first factor of a sign-in.
    Primary,
    /// For a further factor of the sign-in of this token (`mfa_token`).
    Further(SmolStr),
}

/// A client that waits for a person.
#[derive(Clone, Debug, Serialize)]
pub struct Waiting {
    /// For what.
    pub stage: Stage,
    /// The authorization server's id; empty for the org's own.
    pub server: SmolStr,
    /// The client.
    pub client: SmolStr,
    /// The person.
    pub user: SmolStr,
    /// The person's factor.
    pub factor: SmolStr,
    /// The prompt on a phone; none where a code was sent.
    pub push: Option<SmolStr>,
    /// When it ends.
    pub expires: Timestamp,
    /// When the client last asked.
    pub polled: Option<Timestamp>,
}

/// A sign-in that lacks a further factor.
#[derive(Clone, Debug, Serialize)]
pub struct Halfway {
    /// The authorization server's id; empty for the org's own.
    pub server: SmolStr,
    /// The client.
    pub client: SmolStr,
    /// The person.
    pub user: SmolStr,
    /// What was shown so far.
    pub proof: Proof,
    /// The key of the authenticator that was used: it does not count twice.
    pub used: SmolStr,
    /// When it ends.
    pub expires: Timestamp,
}
