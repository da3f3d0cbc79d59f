//! Requests to sign in that a client pushes beforehand (RFC 9126).

use std::time::Duration;

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    authorize::{self, Refused},
    client_auth, error,
    form::Form,
    log, mint,
    request_object::{self, Purpose},
    server::Issuer,
};
use crate::{
    Okta,
    error::Error,
    model::{Act, grant::Pushed},
};

/// How long a pushed request can be used. The document's example has this; the guide says nothing.
const LIFE: Duration = Duration::from_secs(3_600);

/// What the client is told.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Told {
    request_uri: String,
    expires_in: u64,
}

/// `par`, `parCustomAS`.
pub fn push(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<Told>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let client = client_auth::client(cx.state, cx.tx, cx.scene.request, &form)?;
    if form.get("request_uri").is_some() {
        return Err(error::PUSHED_URI.into());
    }
    let kept = form.iter().filter(|(name, _)| !name.starts_with("client_"));
    let form = Form::of(kept.chain([("client_id", client.id.as_str())]))?;
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, log::party(&client)));
    // What is signed is looked at now, and its parameters kept.
    let form = request_object::merged(&mut act, &issuer, &client, &form, Purpose::Authorize)?;
    authorize::read(&mut act, &issuer, &form).map_err(|refused| match refused {
        Refused::Shown(error) => Error::from(*error),
        Refused::Sent(sent) => Error::from(sent.1),
    })?;
    let address = format!("urn:ietf:params:oauth:request_uri:{}", mint::draw(&mut act, "pushed request", 43));
    let now = act.now();
    let expires = now.after(LIFE);
    let pushed = Pushed { server: issuer.id(), client: client.id.clone(), parameters: form.to_json(), expires };
    act.state.grants.pushed.put(&mut act.tx.changes, now, address.as_str().into(), expires, pushed);
    let told = Told { request_uri: address, expires_in: LIFE.as_secs() };
    Ok(Typed::ok(&told))
}
