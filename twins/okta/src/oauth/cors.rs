//! What browsers ask before a page of another origin calls an endpoint.
//!
//! Whether the call itself is let through depends on the client; the question is always answered with the origin that
//! asks. See developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/tokenOptions.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Read,
    wire::Answer,
};
use http::{Method, StatusCode, header};

use super::{form::Form, server::Issuer};
use crate::{Okta, error::Error};

/// How long a browser keeps the answer, in seconds.
const KEPT: &str = "3600";

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const OPTIONS: &[Method] = &[Method::OPTIONS];
    let (token, par) = ("/oauth2/{authorizationServerId}/v1/token", "/oauth2/{authorizationServerId}/v1/par");
    let rows = vec![
        Operation::read("tokenOptions", OPTIONS, "/oauth2/v1/token", answer),
        Operation::read("tokenOptionsCustomAS", OPTIONS, token, answer),
        Operation::read("parOptions", OPTIONS, "/oauth2/v1/par", answer),
        Operation::read("parOptionsCustomAS", OPTIONS, par, answer),
    ];
    rows.into_iter().map(|row| row.limit("oauth2")).collect()
}

fn answer(cx: &Read<'_, Okta>, _: Form) -> Result<Typed<()>, Error> {
    Issuer::of(cx.state, cx.scene.request)?;
    let answer = Answer::empty(StatusCode::NO_CONTENT).with_header(header::VARY, "Origin");
    let Some(origin) = cx.scene.request.header(header::ORIGIN) else { return Ok(Typed::from_answer(answer)) };
    let answer = answer
        .with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin)
        .with_header(header::ACCESS_CONTROL_ALLOW_METHODS, "POST")
        .with_header(header::ACCESS_CONTROL_MAX_AGE, KEPT);
    Ok(Typed::from_answer(answer))
}
