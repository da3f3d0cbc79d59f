//! Where a transaction goes next: by authenticators to a code for the app.

use std::{sync::Arc, time::Duration};

use smol_str::SmolStr;

use super::{
    assurance::{self, Missing},
    body::Taken,
    message::Refusal,
    method::Method,
    transaction::{Idx, Step},
};
use crate::{
    authn::{flow, transaction::Wants},
    error::Error,
    model::{
        Act, State, consent,
        factor::{self, Delivery, Factor, Issued, Kind},
        grant::{Code, Context},
        log::Party,
        profile::Attribute,
        session,
        sign_in::{self, Entered},
        user::User,
    },
    oauth::{error, log, mint, rules, server::Issuer},
};

/// How long an interaction code is good, as an authorization code.
const CODE_LIFE: Duration = Duration::from_secs(300);
/// How long a code is good that is sent to a mail address.
const MAIL_LIFE: Duration = Duration::from_secs(300);
/// What a code by mail is for, by which people find it.
const MAILED: SmolStr = SmolStr::new_static("email");

/// What can be used for what is asked, in the order in which it is offered: each factor once, those of one
/// authenticator together.
pub fn usable(state: &State, user: &User, idx: &Idx) -> Vec<Arc<Factor>> {
    let wanted = &idx.sign.wants.factors;
    let fits = |kind: Kind| kind != Kind::CustomTotp && (wanted.is_empty() || wanted.contains(&kind));
    factor::usable(state, user).into_iter().filter(|factor| fits(factor.kind)).collect()
}

/// Moves a transaction on as far as it goes without the person.
///
/// # Errors
/// A person who has gone or may not use the app, or what the twin does not do.
pub fn go_on(act: &mut Act<'_, '_>, mut idx: Idx) -> Taken {
    let user = idx.sign.person(act.state)?;
    if idx.registers && !user.has_password {
        return Ok((idx.at(Step::SelectEnroll, None), None));
    }
    let next = match assurance::missing(act, &user, &idx) {
        None => finish(act, idx, &user)?,
        Some(Missing::Password) => idx.at(Step::Challenge, Some(Method::Password)),
        Some(Missing::Enrolment) => idx.at(Step::SelectEnroll, None),
        Some(Missing::NewPassword) => idx.at(Step::Expired, Some(Method::Password)),
        Some(Missing::Warning) => idx.at(Step::Warning, Some(Method::Password)),
        Some(Missing::Factor(factors)) => {
            idx.sign.wants = Wants { password: false, factors };
            choose(act, idx, &user)?
        }
        Some(Missing::Denied) => return Ok((idx, Some(Refusal::denied()))),
    };
    Ok((next, None))
}

/// Offers the factors; of one alone, that is in use at once where nothing has to be sent for it.
fn choose(act: &mut Act<'_, '_>, idx: Idx, user: &User) -> Result<Idx, Error> {
    let all = usable(act.state, user, &idx);
    let Some(first) = all.first() else { return Err(Error::Unsupported) };
    let alone = all.iter().all(|factor| factor.kind.authenticator() == first.kind.authenticator());
    if !alone {
        return Ok(idx.at(Step::Select, None));
    }
    let method = Method::Factor(first.kind);
    if all.len() > 1 || first.kind.is_sent() {
        return Ok(idx.at(Step::Data, Some(method)));
    }
    challenge(act, idx, user, first)
}

/// Asks for a factor.
///
/// # Errors
/// Something that was sent just now, or a person who is locked out.
pub fn challenge(act: &mut Act<'_, '_>, mut idx: Idx, user: &User, factor: &Factor) -> Result<Idx, Error> {
    idx.sign.factor_result = None;
    if factor.kind.is_challenged()
        && let Issued::Push(_) = factor::challenge(act, user, factor, &Delivery::default())?
    {
        idx.sign.factor_result = Some(SmolStr::new_static("WAITING"));
    }
    idx.sign.factor = Some(factor.id.clone());
    Ok(idx.at(Step::Challenge, Some(Method::Factor(factor.kind))))
}

/// Sends a code to the person's own mail address, which is no factor of theirs.
pub fn mail(act: &mut Act<'_, '_>, mut idx: Idx, user: &User) -> Idx {
    let to = SmolStr::new(user.profile.get(Attribute::EMAIL));
    let ends = factor::mail(act, user, &to, &MAILED, MAIL_LIFE);
    let sent = act.state.factors.messages(&user.id);
    idx.sign.code = sent.last().map(|message| message.code.clone()).unwrap_or_default();
    idx.code_ends = Some(ends);
    idx.sign.factor = None;
    idx
}

/// Whether a code is the one that was sent to the person's mail address.
pub fn is_mailed(act: &Act<'_, '_>, idx: &Idx, code: &str) -> bool {
    !code.is_empty() && idx.sign.code == code.trim() && idx.code_ends.is_some_and(|ends| act.tx.now < ends)
}

/// What comes of a name and a password.
///
/// # Errors
/// A password that only the org's import hook knows: nothing waits for it here.
pub fn enter(act: &mut Act<'_, '_>, idx: Idx, password: &str, refusal: Refusal) -> Taken {
    let name = idx.identifier.clone();
    if let Some(user) = act.state.users.find(&name) {
        act.by.actor = Party::user(user);
    }
    let entered = match sign_in::enter(act, &name, password) {
        Entered::Hook(_) if crate::inline_hooks::password::is_on(act.state) => return Err(Error::Unsupported),
        Entered::Hook(user) => sign_in::wrong(act, &user),
        other => other,
    };
    let user = match entered {
        Entered::In(user) => user,
        Entered::Locked { shown: true } => return Ok((idx, Some(Refusal::locked()))),
        _ => return Ok((idx, Some(refusal))),
    };
    if flow::admit(act, &user).is_err() {
        return Ok((idx, Some(Refusal::denied())));
    }
    let mut idx = idx;
    idx.sign.user = user.id.clone();
    idx.sign.proof.give_password(act.now());
    go_on(act, idx)
}

/// A factor was used or enrolled: the transaction goes on.
///
/// # Errors
/// As [`go_on`].
pub fn passed(act: &mut Act<'_, '_>, mut idx: Idx, kind: Kind) -> Taken {
    idx.sign.proof.give_factor(kind, act.now());
    idx.sign.wants = Wants::default();
    (idx.sign.factor, idx.sign.factor_result) = (None, None);
    go_on(act, idx)
}

/// A new password was chosen, which is as good as one that was given.
///
/// # Errors
/// A password that the policy does not allow; as [`go_on`].
pub fn choose_password(act: &mut Act<'_, '_>, mut idx: Idx, password: &str, revokes: bool) -> Taken {
    let user = idx.sign.person(act.state)?;
    let user = sign_in::choose(act, &user, password, idx.step == Step::Warning)?;
    if revokes {
        session::clear(act, &user, None);
    }
    idx.sign.proof.give_password(act.now());
    // A new password is warned of no more, however soon it expires.
    (idx.recovers, idx.sign.warns) = (false, false);
    go_on(act, idx)
}

/// The person has signed in: the app gets a code.
fn finish(act: &mut Act<'_, '_>, mut idx: Idx, user: &Arc<User>) -> Result<Idx, Error> {
    let asked = &idx.asked;
    let client = act.state.clients.get(&asked.client).filter(|client| client.active).cloned();
    let client = client.ok_or_else(|| Error::from(error::CLIENT_ID))?;
    rules::person(act.state, &client, &user.id)?;
    let issuer = Issuer::named(act.state, &act.tx.origin.clone(), &asked.server)?;
    if !consent::missing(act.state, &issuer, &client, user, &asked.scopes).is_empty() {
        return Err(Error::Unsupported);
    }
    session::signed_in(act, user);
    let (now, text) = (act.now(), mint::draw(act, "interaction_code", 43));
    let code = Code {
        grant: INTERACTION,
        server: asked.server.clone(),
        client: asked.client.clone(),
        user: user.id.clone(),
        scopes: asked.scopes.clone(),
        redirect: asked.redirect.clone(),
        challenge: Some(asked.challenge.clone()),
        nonce: asked.nonce.clone(),
        signed_in: idx.sign.proof.password.unwrap_or(now),
        context: Context { amr: idx.sign.proof.amr.clone(), acr: asked.class.clone(), idp: None },
        expires: now.after(CODE_LIFE),
    };
    act.state.grants.codes.put(&mut act.tx.changes, now, text.clone(), code.expires, code);
    log::coded(act, issuer.is_org(), &client, user);
    idx.code = Some(text);
    Ok(idx.at(Step::Done, None))
}

/// The grant of codes that this flow gives out.
pub const INTERACTION: &str = "interaction_code";
