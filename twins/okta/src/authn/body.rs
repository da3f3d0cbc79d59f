//! What calls of the Authentication API say, and how its handlers act and refuse.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Scene, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    flow::Reached,
    render,
    transaction::{self, Transaction},
};
use crate::{
    Okta,
    error::Error,
    events,
    model::{Act, Acting, State, log::Party, user::User},
    oauth::log,
};

/// Arguments: a body.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args<B> {
    /// The body.
    pub body: B,
}

/// Arguments about a recovery factor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FactorArgs {
    /// `SMS` or `CALL`, in any case.
    pub factor_type: String,
    /// The body.
    pub body: Answered,
}

/// Opt-ins of a transaction.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Options {
    /// Whether further factors are offered after the first.
    #[serde(default)]
    pub multi_optional_factor_enroll: Option<bool>,
    /// Whether the person is warned before the password expires.
    #[serde(default)]
    pub warn_before_password_expired: Option<bool>,
}

/// What a trusted application knows of the person's device.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Context {
    /// Its name for the device.
    #[serde(default)]
    pub device_token: Option<String>,
}

/// The body of primary authentication.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Primary {
    /// Login or its first part.
    #[serde(default)]
    pub username: Option<String>,
    /// Password.
    #[serde(default)]
    pub password: Option<String>,
    /// An activation token.
    #[serde(default)]
    pub token: Option<String>,
    /// A state token, of a transaction that is looked at.
    #[serde(default)]
    pub state_token: Option<String>,
    /// What the caller wants back at the end.
    #[serde(default)]
    pub relay_state: Option<String>,
    /// The app to sign in to: what is asked for is the same for each.
    #[serde(default, rename = "audience")]
    _audience: Option<String>,
    /// Opt-ins.
    #[serde(default)]
    pub options: Option<Options>,
    /// The device.
    #[serde(default)]
    pub context: Option<Context>,
}

/// A body with a state token only.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Moved {
    /// The state token.
    #[serde(default)]
    pub state_token: Option<String>,
}

/// A new password.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chosen {
    /// The state token.
    #[serde(default)]
    pub state_token: Option<String>,
    /// The present password.
    #[serde(default)]
    pub old_password: Option<String>,
    /// The new one.
    #[serde(default)]
    pub new_password: Option<String>,
    /// Whether the person's sessions end by this.
    #[serde(default)]
    pub revoke_sessions: Option<bool>,
}

/// The beginning of a recovery.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recover {
    /// Login or its first part.
    #[serde(default)]
    pub username: Option<String>,
    /// `EMAIL`, `SMS` or `CALL`, in any case.
    #[serde(default)]
    pub factor_type: Option<String>,
    /// What the caller wants back at the end.
    #[serde(default)]
    pub relay_state: Option<String>,
}

/// A recovery token.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recovered {
    /// The token.
    #[serde(default)]
    pub recovery_token: Option<String>,
    /// Opt-ins.
    #[serde(default)]
    pub options: Option<Options>,
}

/// An answer to a question or challenge.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answered {
    /// The state token.
    #[serde(default)]
    pub state_token: Option<String>,
    /// The answer to the recovery question.
    #[serde(default)]
    pub answer: Option<String>,
    /// The code that was sent.
    #[serde(default)]
    pub pass_code: Option<String>,
}

/// What must be in a body.
///
/// # Errors
/// `E0000001` where it is not.
pub fn need<'a>(value: Option<&'a String>, name: &'static str) -> Result<&'a str, Error> {
    let there = value.map(String::as_str).filter(|text| !text.is_empty());
    there.ok_or_else(|| Error::invalid(name, format!("The '{name}' attribute is required in this context.")))
}

/// The transaction of a body's state token, and the token.
///
/// # Errors
/// `E0000001` without one, `E0000011` for one that is none.
pub fn opened(state: &State, scene: &Scene<'_>, token: Option<&String>) -> Result<(SmolStr, Transaction), Error> {
    let token = need(token, "stateToken")?;
    Ok((token.into(), transaction::open(state, token, scene.now)?))
}

/// Runs an act of somebody who signs in; of nobody known where there is none.
///
/// # Errors
/// The act's.
pub fn acting<R>(
    cx: &mut Write<'_, '_, Okta>,
    user: Option<&Arc<User>>,
    write: impl FnOnce(&mut Act<'_, '_>) -> Result<R, Error>,
) -> Result<R, Error> {
    let actor = user.map_or_else(|| Acting::system().actor, |user| Party::user(user));
    let by = log::acting(cx.scene, actor);
    let mut act = Act::new(cx.state, cx.tx, by);
    let result = write(&mut act)?;
    events::announce(&mut act);
    Ok(result)
}

/// Whether the caller showed an administrator's token.
pub fn is_trusted(cx: &Write<'_, '_, Okta>) -> bool {
    !cx.caller.user.is_empty()
}

/// The answer to where a transaction has come to.
pub fn told(cx: &Write<'_, '_, Okta>, reached: &Reached) -> Typed<Value> {
    Typed::ok(&render::reached(cx.state, reached, &cx.scene.request.origin))
}

/// A refusal that leaves a trace: what was counted or logged stays.
pub fn kept<B: serde::Serialize>(scene: &Scene<'_>, error: &Error) -> Typed<B> {
    Typed::from_answer(error.answer(scene.request_bits).0)
}
