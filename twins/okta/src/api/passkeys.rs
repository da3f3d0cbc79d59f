//! The domain that an org's passkeys belong to.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/verifyRpIdDomain.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Write,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{act, no_content};
use crate::{Okta, error::Error, model::event_type::AUTHENTICATOR_UPDATE, policy::Members, resources::party};

const AUTHENTICATORS: &str = "/api/v1/authenticators";

/// The operation.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    let path = "/api/v1/authenticators/{authenticatorId}/methods/{webAuthnMethodType}/verify-rp-id-domain";
    vec![Operation::write("verifyRpIdDomain", &[Method::POST], path, verify).limit("other")]
}

/// Arguments: the authenticator, and its method.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    authenticator_id: SmolStr,
    web_authn_method_type: SmolStr,
}

/// `verifyRpIdDomain`. Nobody but the real DNS knows whether the record is there: verifying counts as finding it, as
/// for the org's other domains.
fn verify(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let id = &args.authenticator_id;
    let found = cx.state.objects.member(AUTHENTICATORS, id).cloned();
    let authenticator: Members = found.ok_or_else(|| Error::not_found(id, "Authenticator"))?;
    let place = format!("{AUTHENTICATORS}/{id}/methods");
    let kind = &args.web_authn_method_type;
    let method = cx.state.objects.member(&place, kind).filter(|_| kind == "webauthn").cloned();
    let mut method = method.ok_or_else(|| Error::not_found(kind, "AuthenticatorMethod"))?;
    let domain = method.get_mut("settings").and_then(|settings| settings.pointer_mut("/rpId/domain"));
    let domain =
        domain.and_then(Value::as_object_mut).filter(|domain| domain.get("name").is_some_and(Value::is_string));
    let domain = domain.ok_or_else(|| Error::invalid("rpId", "rpId: No RP ID domain is configured"))?;
    domain.insert("validationStatus".to_owned(), "VERIFIED".into());
    act(cx, |act| {
        act.state.objects.keep(&mut act.tx.changes, &place, kind, method);
        act.log(&AUTHENTICATOR_UPDATE, vec![party("Authenticator", id, Some(&authenticator))]);
        Ok(no_content())
    })
}
