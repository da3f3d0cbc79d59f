//! The identity providers that a person is linked to, and what those have handed out for them.
//!
//! Nobody signs in by another provider here, so that no provider has handed out a token.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProviderUsers/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Read,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::find_user;
use crate::{
    Okta,
    error::Error,
    model::State,
    resources::{PROVIDERS, shown_member},
};

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const TOKENS: &str = "/api/v1/idps/{idpId}/users/{userId}/credentials/tokens";
    vec![
        Operation::read("listUserIdentityProviders", GET, "/api/v1/users/{id}/idps", list).limit("users/{id} read"),
        Operation::read("listSocialAuthTokens", GET, TOKENS, list_tokens).limit("other"),
    ]
}

/// Whether a person is linked to a provider.
fn is_linked(state: &State, provider: &str, user: &str) -> bool {
    state.objects.member(&format!("{PROVIDERS}/{provider}/users"), user).is_some()
}

/// Arguments: the person.
#[derive(Debug, Deserialize, JsonSchema)]
struct Whose {
    id: SmolStr,
}

/// `listUserIdentityProviders`. Orgs have few providers.
fn list(cx: &Read<'_, Okta>, args: Whose) -> Result<Typed<Vec<Value>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.id)?;
    let own = cx.state.objects.members(PROVIDERS).filter(|(id, _)| is_linked(cx.state, id, &user.id));
    let shown = |(id, one): (&SmolStr, _)| {
        Value::Object(shown_member(cx.state, cx.scene.request, (PROVIDERS, PROVIDERS), id, one))
    };
    Ok(Typed::ok(&own.map(shown).collect()))
}

/// Arguments of `listSocialAuthTokens`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfBoth {
    idp_id: SmolStr,
    user_id: SmolStr,
}

fn list_tokens(cx: &Read<'_, Okta>, args: OfBoth) -> Result<Typed<Vec<Value>>, Error> {
    cx.state.objects.member(PROVIDERS, &args.idp_id).ok_or_else(|| Error::not_found(&args.idp_id, "IdpTrust"))?;
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    if !is_linked(cx.state, &args.idp_id, &user.id) {
        return Err(Error::not_found(&args.user_id, "IdpAppUser"));
    }
    Ok(Typed::ok(&Vec::new()))
}
