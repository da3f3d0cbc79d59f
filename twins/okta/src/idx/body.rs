//! What calls say, and how a step is taken: the transaction is looked up, moved, kept and shown.

use dtu_kernel::{
    operation::Typed,
    twin::{Scene, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    ion,
    message::{self, Refusal},
    render,
    transaction::{self, Idx, Step},
};
use crate::{
    Okta,
    authn::body::acting,
    error::Error,
    model::{Act, State, factor::Proof},
};

/// Arguments: a body.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args<B> {
    /// The body.
    pub body: B,
}

/// A body with a state handle only.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Moved {
    /// The state handle.
    #[serde(default)]
    pub state_handle: Option<String>,
}

/// What a poll sends; that the browser polls by itself asks nothing of the service.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Polled {
    /// The state handle.
    #[serde(default)]
    pub state_handle: Option<String>,
    #[serde(default, rename = "autoChallenge")]
    _auto_challenge: Option<bool>,
}

/// The choice of an authenticator.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chosen {
    /// The state handle.
    #[serde(default)]
    pub state_handle: Option<String>,
    /// The authenticator.
    #[serde(default)]
    pub authenticator: Option<Choice>,
}

/// An authenticator, and how it is to be used or enrolled.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Choice {
    /// Its id.
    #[serde(default)]
    pub id: Option<SmolStr>,
    /// Its method.
    #[serde(default)]
    pub method_type: Option<SmolStr>,
    /// The enrolment that is meant.
    #[serde(default)]
    pub enrollment_id: Option<SmolStr>,
    /// A phone's number.
    #[serde(default)]
    pub phone_number: Option<SmolStr>,
    /// The way by which Okta Verify is set up.
    #[serde(default)]
    pub channel: Option<SmolStr>,
}

/// An answer to a challenge.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answered {
    /// The state handle.
    #[serde(default)]
    pub state_handle: Option<String>,
    /// What the person shows.
    #[serde(default)]
    pub credentials: Option<Credentials>,
}

/// What a person shows.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// A password or a code.
    #[serde(default)]
    pub passcode: Option<SmolStr>,
    /// A code of Okta Verify.
    #[serde(default)]
    pub totp: Option<SmolStr>,
    /// The key of a security question.
    #[serde(default)]
    pub question_key: Option<SmolStr>,
    /// A security question in one's own words.
    #[serde(default)]
    pub question: Option<SmolStr>,
    /// The answer to a security question.
    #[serde(default)]
    pub answer: Option<SmolStr>,
    /// What a browser says of a ceremony.
    #[serde(default)]
    pub client_data: Option<SmolStr>,
    /// What a security key says of itself.
    #[serde(default)]
    pub authenticator_data: Option<SmolStr>,
    /// A security key's signature.
    #[serde(default)]
    pub signature_data: Option<SmolStr>,
    /// A security key's new credential.
    #[serde(default)]
    pub attestation: Option<SmolStr>,
    /// Whether the person's sessions end by a new password.
    #[serde(default)]
    pub revoke_sessions: Option<bool>,
}

impl Credentials {
    /// As proof of a factor.
    pub fn proof(&self) -> Proof {
        let given = |text: &Option<SmolStr>| text.clone().filter(|text| !text.is_empty());
        Proof {
            pass_code: given(&self.passcode).or_else(|| given(&self.totp)),
            answer: given(&self.answer),
            client_data: given(&self.client_data),
            authenticator_data: given(&self.authenticator_data),
            signature: given(&self.signature_data),
            attestation: given(&self.attestation),
            registration: None,
        }
    }

    /// The password or code.
    pub fn passcode(&self) -> &str {
        self.passcode.as_deref().unwrap_or_default()
    }
}

/// The name and, where the form asks for it, the password of somebody.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identified {
    /// The state handle.
    #[serde(default)]
    pub state_handle: Option<String>,
    /// Login or its first part.
    #[serde(default)]
    pub identifier: Option<SmolStr>,
    /// The password.
    #[serde(default)]
    pub credentials: Option<Credentials>,
    /// The browser's wish to be remembered: an app without a browser's session has no use for it.
    #[serde(default, rename = "rememberMe")]
    _remember_me: Option<bool>,
}

/// A look at an interaction or a transaction.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Looked {
    /// The handle of the interaction.
    #[serde(default)]
    pub interaction_handle: Option<SmolStr>,
    /// The state handle.
    #[serde(default)]
    pub state_handle: Option<SmolStr>,
    /// The state handle, by its older name.
    #[serde(default)]
    pub state_token: Option<SmolStr>,
}

/// The profile of somebody new.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct New {
    /// The state handle.
    #[serde(default)]
    pub state_handle: Option<String>,
    /// The profile.
    #[serde(default)]
    pub user_profile: Map<String, Value>,
}

/// Where a step leads: a refusal that comes with it leaves traces.
pub type Taken = Result<(Idx, Option<Refusal>), Error>;

/// Takes a step of a transaction that stands where the step can be taken.
///
/// # Errors
/// A handle that there is not, a step that cannot be taken now, or a refusal that leaves no trace.
pub fn step(
    cx: &mut Write<'_, '_, Okta>,
    handle: Option<&String>,
    allowed: &[Step],
    take: impl FnOnce(&mut Act<'_, '_>, Idx) -> Taken,
) -> Result<Typed<Value>, Error> {
    let (scene, ion) = (cx.scene, ion::takes(cx.scene.request));
    let handle = SmolStr::new(handle.map(String::as_str).unwrap_or_default());
    let before = transaction::open(cx.state, &handle, scene.now).ok_or_else(|| message::expired(ion))?;
    if !allowed.contains(&before.step) {
        let refusal = Refusal::of(&Error::repeated("E0000079"));
        return Err(render::refused(cx.state, scene, &handle, &before, &refusal));
    }
    let person = cx.state.users.get(&before.sign.user).cloned();
    let taken = acting(cx, person.as_ref(), |act| {
        let (idx, refusal) = take(act, before.clone())?;
        Ok((transaction::put(act, &handle, idx), refusal))
    });
    match taken {
        Ok((idx, refusal)) => Ok(told(cx.state, scene, &handle, &idx, refusal.as_ref())),
        Err(Error::Unsupported) => Err(Error::Unsupported),
        Err(Error::OAuth(_)) => Err(render::refused(cx.state, scene, &handle, &before, &Refusal::denied())),
        Err(error) => {
            let field = matches!(before.step, Step::Reset | Step::Expired | Step::Warning | Step::Enroll);
            let refusal = Refusal::of(&error);
            let refusal = if field { refusal.about("passcode") } else { refusal };
            Err(render::refused(cx.state, scene, &handle, &before, &refusal))
        }
    }
}

/// The answer that shows where a transaction stands.
pub fn told(state: &State, scene: &Scene<'_>, handle: &str, idx: &Idx, refusal: Option<&Refusal>) -> Typed<Value> {
    let body = render::shown(state, &scene.request.origin, handle, idx, refusal);
    let answer = Typed::from_answer(ion::answer(&body, ion::takes(scene.request)));
    match refusal {
        Some(refusal) => {
            let status = http::StatusCode::from_u16(refusal.status).unwrap_or(http::StatusCode::BAD_REQUEST);
            answer.with_status(status)
        }
        None => answer,
    }
}
