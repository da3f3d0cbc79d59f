//! Looking at a transaction, saying who one is, and leaving.

use dtu_kernel::{operation::Typed, twin::Write};
use serde_json::Value;

use super::{
    body::{Args, Identified, Looked, Moved, step, told},
    flow, ion,
    message::{self, Refusal},
    recover,
    transaction::{self, Step},
};
use crate::{
    Okta,
    authn::{body::acting, mfa},
    error::Error,
    idp::start,
    model::{Act, State},
    policy,
};

/// `idxIntrospect`: where the person stands.
pub fn introspect(cx: &mut Write<'_, '_, Okta>, args: Args<Looked>) -> Result<Typed<Value>, Error> {
    let body = args.body;
    let now = cx.scene.now;
    let of_interaction = body.interaction_handle.and_then(|one| transaction::of_interaction(cx.state, &one, now));
    let handle = of_interaction.or(body.state_handle).or(body.state_token);
    let found = handle.and_then(|handle| Some((transaction::open(cx.state, &handle, now)?, handle)));
    let (idx, handle) = found.ok_or_else(|| message::expired(ion::takes(cx.scene.request)))?;
    Ok(told(cx.state, cx.scene, &handle, &idx, None))
}

/// Whether the first form asks for the password as well: where the global session policy takes any factor first, it
/// asks for a name only. Who comes is not known yet, so that only rules for everybody can be asked: inferred.
///
/// See developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/ (`primaryFactor`).
pub fn asks_for_password(state: &State) -> bool {
    let rule = policy::of_everybody(state, "OKTA_SIGN_ON", mfa::HERE);
    let factor = rule.and_then(|rule| rule.get("actions")?.pointer("/signon/primaryFactor"));
    factor.is_none_or(|factor| factor != "PASSWORD_IDP_ANY_FACTOR")
}

/// `idxIdentify`: by name and password, or by name alone.
pub fn identify(cx: &mut Write<'_, '_, Okta>, args: Args<Identified>) -> Result<Typed<Value>, Error> {
    let body = args.body;
    let scene = cx.scene;
    step(cx, body.state_handle.as_ref(), &[Step::Identify, Step::IdentifyRecovery], |act, mut idx| {
        let name = body.identifier.unwrap_or_default();
        if name.is_empty() {
            return Ok((idx, Some(Refusal::blank("identifier"))));
        }
        idx.identifier.clone_from(&name);
        let user = act.state.users.find(&name).cloned();
        idx.sign.user = user.as_ref().map(|user| user.id.clone()).unwrap_or_default();
        if idx.recovers {
            return Ok((recover::offer(act, idx), None));
        }
        // Whoever signs in elsewhere is not sent there by this API yet.
        if start::is_elsewhere(act, &name, &idx.asked.client, scene) {
            return Err(Error::Unsupported);
        }
        if asks_for_password(act.state) {
            let password = body.credentials.unwrap_or_default();
            if password.passcode().is_empty() {
                return Ok((idx, Some(Refusal::blank("passcode"))));
            }
            return flow::enter(act, idx, password.passcode(), Refusal::sign_in());
        }
        // Nobody learns whether there is a person of the name.
        Ok((idx.at(Step::Challenge, Some(super::method::Method::Password)), None))
    })
}

/// `idxSelectIdentify`: somebody is known after all.
pub fn select(cx: &mut Write<'_, '_, Okta>, args: Args<Moved>) -> Result<Typed<Value>, Error> {
    step(cx, args.body.state_handle.as_ref(), &[Step::Profile], |_, idx| Ok((idx.at(Step::Identify, None), None)))
}

/// `idxSkip`: past what can wait.
pub fn skip(cx: &mut Write<'_, '_, Okta>, args: Args<Moved>) -> Result<Typed<Value>, Error> {
    step(cx, args.body.state_handle.as_ref(), &[Step::Warning], |act, mut idx| {
        idx.sign.warns = false;
        flow::go_on(act, idx)
    })
}

/// `idxCancel`: the interaction begins anew, under another state handle.
pub fn cancel(cx: &mut Write<'_, '_, Okta>, args: Args<Moved>) -> Result<Typed<Value>, Error> {
    let handle = args.body.state_handle.unwrap_or_default();
    let found = transaction::open(cx.state, &handle, cx.scene.now);
    let idx = found.ok_or_else(|| message::expired(ion::takes(cx.scene.request)))?;
    let person = cx.state.users.get(&idx.sign.user).cloned();
    let begun = acting(cx, person.as_ref(), |act: &mut Act<'_, '_>| {
        transaction::close(act, &handle);
        Ok(transaction::restart(act, idx.interaction, idx.asked))
    })?;
    let idx = transaction::open(cx.state, &begun, cx.scene.now);
    let idx = idx.ok_or_else(|| message::expired(ion::takes(cx.scene.request)))?;
    Ok(told(cx.state, cx.scene, &begun, &idx, None))
}
