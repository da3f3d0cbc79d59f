//! A program that gets tokens of Okta's twin for itself.

use anyhow::Context as _;
use dtu_tests::calls::Call;
use serde_json::{Value, json};

use crate::{Served, load::Shot};

/// The call with which such a program gets a token. Universes of one seed draw the same secrets, so that one call fits
/// all of them.
pub(crate) fn shot(universes: &[&Served]) -> anyhow::Result<Shot> {
    let mut forms = universes.iter().map(|served| form(served)).collect::<anyhow::Result<Vec<_>>>()?;
    forms.dedup();
    anyhow::ensure!(forms.len() == 1, "universes of one seed draw one secret");
    Ok(Shot::form("/oauth2/default/v1/token", &[], &forms[0]))
}

fn form(served: &Served) -> anyhow::Result<String> {
    let token = served.env("OKTA_CLIENT_TOKEN");
    let scope = json!({ "name": "bench.run" });
    Call::okta("createOAuth2Scope", &token, &["default"], Some(&scope)).send(served.universe());
    let client = json!({
        "client_name": "Bench",
        "application_type": "service",
        "grant_types": ["client_credentials"],
        "response_types": ["token"],
        "token_endpoint_auth_method": "client_secret_post",
    });
    let made = Call::okta("createClient", &token, &[], Some(&client)).json(served.universe());
    let text = |name: &str| made.get(name).and_then(Value::as_str).with_context(|| format!("{name} in {made}"));
    let (id, secret) = (text("client_id")?, text("client_secret")?);
    Ok(format!("grant_type=client_credentials&scope=bench.run&client_id={id}&client_secret={secret}"))
}
