//! The Identity Engine's own API, by which apps sign people in on pages of their own: the interaction code flow.
//!
//! An app asks for an interaction, is told in forms (`remediation`) what is wanted of the person, sends them filled in,
//! and in the end gets a code for tokens. What is asked, and whether it is right, is judged by the same rules as
//! everywhere else ([`assurance`], [`crate::model::sign_in`], [`crate::model::factor`]). No public document of the API
//! has these operations: the flow is told in developer.okta.com/docs/concepts/interaction-code/, forms and their
//! members follow from the source of Okta's client (github.com/okta/okta-auth-js, lib/idx), addresses and bodies from an
//! app's own notes (github.com/guardian/gateway, docs/okta/idx/idx-api.md).

pub mod assurance;
pub mod body;
pub mod challenge;
pub mod enroll;
pub mod flow;
pub mod forms;
pub mod identify;
pub mod interact;
pub mod ion;
pub mod message;
pub mod method;
pub mod profile;
pub mod recover;
pub mod render;
pub mod transaction;

use dtu_kernel::operation::{Operation, OperationInfo};
use http::Method;

pub use self::{flow::INTERACTION, message::Refused};
use crate::Okta;

const POST: &[Method] = &[Method::POST];
/// The bucket of all these operations.
pub const LIMIT: &str = "idx";

/// Whether an operation speaks ION.
pub fn serves(operation: &OperationInfo) -> bool {
    operation.limit == LIMIT
}

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    let all = vec![
        Operation::write("idxIntrospect", POST, "/idp/idx/introspect", identify::introspect),
        Operation::write("idxIdentify", POST, "/idp/idx/identify", identify::identify),
        Operation::write("idxSelectIdentify", POST, "/idp/idx/identify/select", identify::select),
        Operation::write("idxCancel", POST, "/idp/idx/cancel", identify::cancel),
        Operation::write("idxSkip", POST, "/idp/idx/skip", identify::skip),
        Operation::write("idxChallenge", POST, "/idp/idx/challenge", challenge::challenge),
        Operation::write("idxAnswerChallenge", POST, "/idp/idx/challenge/answer", challenge::answer),
        Operation::write("idxPollChallenge", POST, "/idp/idx/challenge/poll", challenge::poll),
        Operation::write("idxPollAuthenticators", POST, "/idp/idx/authenticators/poll", challenge::poll),
        Operation::write("idxResendChallenge", POST, "/idp/idx/challenge/resend", challenge::resend),
        Operation::write("idxEnrollCredential", POST, "/idp/idx/credential/enroll", enroll::enroll),
        Operation::write("idxRecover", POST, "/idp/idx/recover", recover::recover),
        Operation::write("idxEnroll", POST, "/idp/idx/enroll", profile::enroll),
        Operation::write("idxEnrollNew", POST, "/idp/idx/enroll/new", profile::create),
    ];
    let interactions = [
        Operation::write("interact", POST, "/oauth2/v1/interact", interact::interact),
        Operation::write("interactCustomAS", POST, "/oauth2/{authorizationServerId}/v1/interact", interact::interact),
    ];
    let all = all.into_iter().map(|row| row.limit(LIMIT));
    all.chain(interactions.into_iter().map(|row| row.limit("oauth2"))).collect()
}
