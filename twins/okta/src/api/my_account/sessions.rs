//! One's own sessions and tokens.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Write,
};
use schemars::JsonSchema;
use serde::Deserialize;
use smol_str::SmolStr;

use super::{DELETE, LIMIT, person};
use crate::{
    Okta,
    api::{act, no_content},
    error::Error,
    model::session,
    oauth,
};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    vec![Operation::write("deleteSessions", DELETE, "/idp/myaccount/sessions", delete).limit(LIMIT)]
}

/// Arguments of `deleteSessions`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Delete {
    oauth_tokens: Option<bool>,
    exclude_current_authorization_context: Option<bool>,
}

/// All sessions end, and all tokens unless the caller says otherwise; with the present sign-in left out, its tokens and
/// its session go on.
fn delete(cx: &mut Write<'_, '_, Okta>, args: Delete) -> Result<Typed<()>, Error> {
    let user = person(cx.state, cx.caller)?;
    let keeps = args.exclude_current_authorization_context.unwrap_or(false);
    let token = cx.state.grants.token_by_id(&cx.caller.token).cloned().filter(|_| keeps);
    let family: SmolStr = token.as_ref().map(|token| token.family.clone()).unwrap_or_default();
    let session = oauth::session::current(cx.state, cx.scene.request, cx.scene.now).filter(|_| keeps);
    let kept = session.map(|session| session.id.clone());
    act(cx, |act| {
        session::clear(act, &user, kept.as_ref());
        if args.oauth_tokens.unwrap_or(true) {
            act.state.grants.revoke_user_but(&mut act.tx.changes, &user.id, &family);
        }
        Ok(())
    })?;
    Ok(no_content())
}
