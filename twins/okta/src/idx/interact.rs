//! `interact`: an app begins an interaction.
//!
//! See developer.okta.com/docs/concepts/interaction-code/ and, for the parameters, github.com/okta/okta-auth-js
//! (`lib/idx/interact.ts`): they are those of the authorize endpoint, and refused alike.

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    flow::INTERACTION,
    transaction::{self, Asked},
};
use crate::{
    Okta,
    error::Error,
    model::{Act, authorization_server::Wanted, client::Client},
    oauth::{
        authorize, client_auth,
        error::{self, OAuthError},
        form::Form,
        log, rules,
        server::Issuer,
    },
};

/// What the app is told.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Begun {
    interaction_handle: SmolStr,
}

/// Parameters by which a flow begins with a mail's token, or at another provider: such flows are not served.
const ABSENT: [&str; 3] = ["activation_token", "recovery_token", "idp"];

/// `interact`, `interactCustomAS`.
pub fn interact(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<Begun>, Error> {
    // Orgs of the Classic Engine have no such endpoint.
    if cx.state.kind.is_classic() {
        return Err(Error::NoPath);
    }
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let client = client_auth::client(cx.state, cx.tx, cx.scene.request, &form)?;
    if !client.may_use(INTERACTION) {
        return Err(error::grant_not_for_client(&client.grants).into());
    }
    if ABSENT.iter().any(|name| form.get(name).is_some()) {
        return Err(Error::Unsupported);
    }
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, log::party(&client)));
    let asked = read(&act, &issuer, &client, &form)?;
    Ok(Typed::ok(&Begun { interaction_handle: transaction::begin(&mut act, asked) }))
}

/// Reads what the app asks for. How long ago the person may have signed in at most does not matter: they sign in now.
fn read(act: &Act<'_, '_>, issuer: &Issuer, client: &Client, form: &Form) -> Result<Asked, OAuthError> {
    let redirect = form.need("redirect_uri")?;
    if !authorize::is_redirect(client, redirect) {
        return Err(error::REDIRECT);
    }
    let challenge = authorize::challenge(client, form, true)?.ok_or(error::NO_CHALLENGE)?;
    let class = authorize::class(act.state, form);
    let wanted = Wanted { client, user: None, grant: INTERACTION, scopes: &[] };
    let scopes = issuer.grantable(act.state, &wanted, &form.words("scope"))?;
    rules::check_openid(&scopes)?;
    Ok(Asked {
        server: issuer.id(),
        client: client.id.clone(),
        redirect: redirect.into(),
        scopes,
        challenge,
        nonce: form.get("nonce").map(SmolStr::new),
        class,
    })
}
