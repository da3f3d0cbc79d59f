//! Coming back from a provider that speaks OAuth: with a code, or with a word of why there is none.

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    wire::Answer,
};
use smol_str::SmolStr;

use super::{Away, Refused, arrive, exchange, provider::Provider, start};
use crate::{
    Okta,
    api::request_id,
    authn::body::acting,
    error::Error,
    model::Act,
    oauth::{form::Form, page},
};

/// `/oauth2/v1/authorize/callback`: the code is exchanged at the provider, and the call waits for that.
pub(super) fn callback(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let ticket = SmolStr::from(request_id(cx.scene.request_bits));
    acting(cx, None, |act| Ok(Typed::from_answer(came(act, &form, ticket))))
}

fn came(act: &mut Act<'_, '_>, form: &Form, ticket: SmolStr) -> Answer {
    let Some(away) = form.get("state").and_then(|state| start::take(act, state)) else {
        return Refused::new("The state of the request is unknown, or it has expired.").page();
    };
    let Some(provider) = Provider::active(act.state, &away.provider) else {
        return Refused::new("Unable to resolve IdP endpoint").answer(act, &away.next);
    };
    match code(form) {
        Ok(code) => {
            exchange::begin(act, ticket, away, code);
            // Nobody sees this answer: the call waits for the provider's.
            page::redirect("/")
        }
        Err(refused) => refuse(act, &provider, &away, &refused),
    }
}

fn refuse(act: &mut Act<'_, '_>, provider: &Provider, away: &Away, refused: &Refused) -> Answer {
    arrive::refuse(act, provider, refused, &away.next)
}

/// The code, or the provider's reason why there is none.
fn code(form: &Form) -> Result<&str, Refused> {
    if let Some(error) = form.get("error") {
        let words = form.get("error_description").unwrap_or(error);
        let reason = format!("The identity provider has answered {error}: {words}");
        return Err(Refused::logged(words, reason));
    }
    form.get("code").ok_or_else(|| Refused::new("The identity provider has sent no code."))
}

/// The answer of the callback, once the provider has answered.
///
/// # Errors
/// A provider whose answer never came.
pub(super) fn answered(cx: &Read<'_, Okta>) -> Result<Typed<()>, Error> {
    let ticket = request_id(cx.scene.request_bits);
    let over = cx.state.sign_ins.exchanges.get(&ticket).and_then(|row| row.over.clone());
    over.map(Typed::from_answer).ok_or_else(|| Error::coded("E0000009"))
}
