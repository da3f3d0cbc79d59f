//! The end of all that somebody is signed in to.
//!
//! See developer.okta.com/docs/guides/oin-universal-logout-overview/main/ and
//! .../api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/globalTokenRevocation.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Write,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Okta,
    api::{act, app_body::fits, no_content},
    error::Error,
    model::{event_type::USER_LOGOUT, log::Party, session},
};

/// The operation: administrators call it with their own credentials.
pub fn operations() -> Vec<Operation<Okta>> {
    const PATH: &str = "/oauth2/v1/global-token-revocation";
    vec![Operation::write("globalTokenRevocation", &[Method::POST], PATH, revoke).limit("other")]
}

/// Arguments of `globalTokenRevocation`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Revoke {
    body: Map<String, Value>,
}

/// `globalTokenRevocation`: by an id of the org's, or by an issuer, which must be the org, and a login.
pub fn revoke(cx: &mut Write<'_, '_, Okta>, args: Revoke) -> Result<Typed<()>, Error> {
    fits(cx.scene, &args.body)?;
    let subject = args.body.get("sub_id").and_then(Value::as_object).ok_or(Error::Malformed)?;
    let text = |member: &str| subject.get(member).and_then(Value::as_str).unwrap_or_default();
    let name = match text("format") {
        "opaque" => text("id"),
        "iss_sub" if text("iss").trim_end_matches('/') == cx.scene.request.origin => text("sub"),
        _ => return Err(Error::fields(&[("sub_id", "The field has an invalid value")])),
    };
    let user = cx.state.users.find(name).cloned().ok_or_else(|| Error::not_found(name, "User"))?;
    act(cx, |act| {
        session::clear(act, &user, None);
        act.state.grants.revoke_user(&mut act.tx.changes, &user.id);
        act.log(&USER_LOGOUT, vec![Party::user(&user)]);
        Ok(())
    })?;
    Ok(no_content())
}
