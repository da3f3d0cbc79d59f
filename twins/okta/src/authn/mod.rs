//! The Authentication API: signing in step by step, and recovery.
//!
//! See developer.okta.com/docs/reference/api/authn/. Its operations are called by anybody; an administrator's token
//! makes the caller a trusted application.

pub(crate) mod app;
pub mod body;
pub mod cookie;
pub mod credentials;
pub mod flow;
pub mod mfa;
pub mod pages;
pub mod primary;
pub mod recovery;
pub mod render;
pub mod transaction;

use dtu_kernel::operation::Operation;
use http::Method;

use crate::Okta;

const POST: &[Method] = &[Method::POST];
/// The bucket of all these operations.
pub const LIMIT: &str = "authn";

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    let of = |operation: Operation<Okta>| operation.limit(LIMIT);
    let mut all: Vec<Operation<Okta>> = vec![
        Operation::write("primaryAuthentication", POST, "/api/v1/authn", primary::authenticate).then(primary::hooked),
        Operation::write("skipTransactionState", POST, "/api/v1/authn/skip", primary::skip),
        Operation::write("previousTransactionState", POST, "/api/v1/authn/previous", primary::previous),
        Operation::write("cancelTransaction", POST, "/api/v1/authn/cancel", primary::cancel),
        Operation::write(
            "changeExpiredPassword",
            POST,
            "/api/v1/authn/credentials/change_password",
            credentials::change,
        ),
        Operation::write(
            "resetForgottenPassword",
            POST,
            "/api/v1/authn/credentials/reset_password",
            credentials::reset,
        ),
        Operation::write("startPasswordRecovery", POST, "/api/v1/authn/recovery/password", recovery::password),
        Operation::write("startUnlock", POST, "/api/v1/authn/recovery/unlock", recovery::unlock),
        Operation::write("verifyRecoveryToken", POST, "/api/v1/authn/recovery/token", recovery::token),
        Operation::write("answerRecoveryQuestion", POST, "/api/v1/authn/recovery/answer", recovery::answer),
        Operation::write(
            "verifyRecoveryFactor",
            POST,
            "/api/v1/authn/recovery/factors/{factorType}/verify",
            recovery::verify,
        ),
        Operation::write(
            "resendRecoveryChallenge",
            POST,
            "/api/v1/authn/recovery/factors/{factorType}/resend",
            recovery::resend,
        ),
    ];
    all.extend(mfa::operations());
    all.into_iter().map(of).chain(pages::operations()).collect()
}
