//! Direct authentication: clients that ask people for codes themselves, or have them asked on their phones.
//!
//! See developer.okta.com/docs/guides/configure-direct-auth-grants/ and, for parameters and refusals,
//! developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/primary-authenticate.

pub mod token;

use std::{sync::Arc, time::Duration};

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    backchannel::INTERVAL,
    client_auth,
    error::{self, OAuthError},
    form::Form,
    log, mint, rules,
    server::Issuer,
};
use crate::{
    Okta,
    error::Error,
    events,
    model::{
        Act, State,
        client::Client,
        factor::{self, Delivery, Factor, Issued, Kind},
        out_of_band::{Halfway, Stage, Waiting},
        user::{Status, User},
    },
};

/// A code of an app as the first factor.
pub const OTP: &str = "urn:okta:params:oauth:grant-type:otp";
/// A prompt, or a code that was sent, as the first factor.
pub const OOB: &str = "urn:okta:params:oauth:grant-type:oob";
/// A code of an app as a further factor.
pub const MFA_OTP: &str = "http://auth0.com/oauth/grant-type/mfa-otp";
/// A prompt, or a code that was sent, as a further factor.
pub const MFA_OOB: &str = "http://auth0.com/oauth/grant-type/mfa-oob";

/// How long somebody has to answer, and a sign-in waits for its further factor.
const LIFE: Duration = Duration::from_secs(300);

/// By which way somebody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Push,
    Sms,
    Voice,
}

impl Channel {
    fn read(text: &str) -> Result<Self, OAuthError> {
        match text {
            "push" => Ok(Self::Push),
            "sms" => Ok(Self::Sms),
            "voice" => Ok(Self::Voice),
            other => Err(error::unsupported("channel_hint", other)),
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Sms => "sms",
            Self::Voice => "voice",
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Push => Kind::Push,
            Self::Sms => Kind::Sms,
            Self::Voice => Kind::Call,
        }
    }
}

/// What a client is told of a challenge.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oob_code: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binding_method: Option<&'static str>,
    /// The number that the person must pick.
    #[serde(skip_serializing_if = "Option::is_none")]
    binding_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<u64>,
}

/// `primary-authenticate`, its older name `oob-authenticate`, and their siblings of custom servers.
pub fn primary(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<Told>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let client = client_auth::client(cx.state, cx.tx, cx.scene.request, &form)?;
    if !client.may_use(OOB) {
        return Err(error::grant_not_for_client(&client.grants).into());
    }
    let hint = form.need("challenge_hint")?;
    if hint != OOB {
        return Err(error::unsupported("challenge_hint", hint).into());
    }
    let channel = Channel::read(form.need("channel_hint")?)?;
    let user = person(cx.state, &client, form.need("login_hint")?)?;
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, log::party(&client)));
    let told = start(&mut act, (&issuer, &client), &user, channel, Stage::Primary)?;
    events::announce(&mut act);
    Ok(Typed::ok(&told))
}

/// Whom a client names. Nobody is told who exists: those who cannot sign in are as those who have no factor.
fn person(state: &State, client: &Client, login: &str) -> Result<Arc<User>, OAuthError> {
    let user = state.users.find(login).filter(|user| user.status == Status::Active).ok_or(error::AUTHENTICATOR)?;
    rules::person(state, client, &user.id)
}

/// `challenge`, `challenge-custom-as`: asks for a further factor.
pub fn challenge(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<Told>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let client = client_auth::client(cx.state, cx.tx, cx.scene.request, &form)?;
    let token = SmolStr::new(form.need("mfa_token")?);
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, log::party(&client)));
    let half = halfway(&act, &issuer, &client, &token)?;
    let user = rules::person(act.state, &client, &half.user)?;
    let told = match way(&client, &form)? {
        MFA_OTP if codes(act.state, &user, &half.used).is_empty() => return Err(error::AUTHENTICATOR.into()),
        // Apps show their codes unasked.
        MFA_OTP => Told { challenge_type: Some(MFA_OTP), ..Told::default() },
        _ => {
            let channel = channel(act.state, &form, &user, &half.used)?;
            let told = start(&mut act, (&issuer, &client), &user, channel, Stage::Further(token))?;
            Told { challenge_type: Some(MFA_OOB), ..told }
        }
    };
    events::announce(&mut act);
    Ok(Typed::ok(&told))
}

/// The first type of challenge that the client supports and may use; out of band where it does not say.
fn way(client: &Client, form: &Form) -> Result<&'static str, OAuthError> {
    let mut named = Vec::new();
    for word in form.words("challenge_types_supported") {
        match word {
            MFA_OTP => named.push(MFA_OTP),
            MFA_OOB => named.push(MFA_OOB),
            other => return Err(error::unsupported_challenge(other)),
        }
    }
    if named.is_empty() {
        named.extend([MFA_OOB, MFA_OTP]);
    }
    let may = named.into_iter().find(|grant| client.may_use(grant));
    may.ok_or_else(|| error::grant_not_for_client(&client.grants))
}

/// By which way to ask: as the client says, or else by the first that the person has.
fn channel(state: &State, form: &Form, user: &User, used: &str) -> Result<Channel, OAuthError> {
    if let Some(text) = form.get("channel_hint") {
        let channel = Channel::read(text)?;
        // An authenticator does not count twice.
        return if channel.kind().authenticator() == used { Err(error::AUTHENTICATOR) } else { Ok(channel) };
    }
    let fits =
        |channel: &Channel| channel.kind().authenticator() != used && factor_of(state, user, channel.kind()).is_some();
    [Channel::Push, Channel::Sms, Channel::Voice].into_iter().find(fits).ok_or(error::AUTHENTICATOR)
}

/// The sign-in of a token.
fn halfway(act: &Act<'_, '_>, issuer: &Issuer, client: &Client, token: &str) -> Result<Arc<Halfway>, OAuthError> {
    let found = act.state.grants.halfway.get(token).filter(|half| act.tx.now < half.expires);
    let found = found.filter(|half| half.client == client.id && half.server == issuer.id());
    found.cloned().ok_or_else(|| error::over(token))
}

fn factor_of(state: &State, user: &User, kind: Kind) -> Option<Arc<Factor>> {
    factor::usable(state, user).into_iter().rev().find(|factor| factor.kind == kind)
}

/// Whether a factor is one whose codes an app shows.
const fn shows_codes(kind: Kind) -> bool {
    matches!(kind, Kind::Totp | Kind::GoogleTotp | Kind::CustomTotp)
}

/// A person's factors whose codes an app shows, but for those of an authenticator that was used.
fn codes(state: &State, user: &User, used: &str) -> Vec<Arc<Factor>> {
    let all = factor::usable(state, user).into_iter();
    all.filter(|factor| shows_codes(factor.kind) && factor.kind.authenticator() != used).collect()
}

/// Asks a person for a factor, and has the client wait.
fn start(
    act: &mut Act<'_, '_>,
    (issuer, client): (&Issuer, &Client),
    user: &User,
    channel: Channel,
    stage: Stage,
) -> Result<Told, OAuthError> {
    let factor = factor_of(act.state, user, channel.kind()).ok_or(error::AUTHENTICATOR)?;
    let how = Delivery { number: channel == Channel::Push && asks_for_number(act.state), ..Delivery::default() };
    let issued = factor::challenge(act, user, &factor, &how).map_err(|refused| unable(&refused))?;
    let push = match &issued {
        Issued::Push(push) => Some(push),
        Issued::Challenge(_) => None,
    };
    let number = push.and_then(|push| push.number);
    let (now, code) = (act.tx.now, SmolStr::from(format!("ft{}", mint::draw(act, "oob_code", 32))));
    let row = Waiting {
        stage,
        server: issuer.id(),
        client: client.id.clone(),
        user: user.id.clone(),
        factor: factor.id.clone(),
        push: push.map(|push| push.id.clone()),
        expires: now.after(LIFE),
        polled: None,
    };
    act.state.grants.waiting.put(&mut act.tx.changes, now, code.clone(), row.expires, row);
    Ok(Told {
        challenge_type: None,
        oob_code: Some(code),
        channel: Some(channel.text()),
        binding_method: Some(match (push, number) {
            (None, _) => "prompt",
            (Some(_), None) => "none",
            (Some(_), Some(_)) => "transfer",
        }),
        binding_code: number.map(|number| number.to_string()),
        expires_in: Some(LIFE.as_secs()),
        interval: push.map(|_| INTERVAL.as_secs()),
    })
}

/// Why somebody cannot be asked: too soon after the last time, or not at all.
fn unable(refused: &Error) -> OAuthError {
    match refused.code().as_str() {
        "E0000109" | "E0000118" | "E0000133" => error::TOO_MANY,
        _ => error::AUTHENTICATOR,
    }
}

/// Whether the org has prompts of Okta Verify ask for a number (`channelBinding`).
fn asks_for_number(state: &State) -> bool {
    let mut all = state.objects.members("/api/v1/authenticators").map(|(_, one)| one);
    let verify = all.find(|one| one.get("key").is_some_and(|key| key == "okta_verify"));
    let binding = verify.and_then(|one| one.get("settings")?.pointer("/channelBinding/required"));
    binding.is_some_and(|required| required == "ALWAYS")
}
