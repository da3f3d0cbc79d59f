//! The domains of a brand.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Read,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{CALLS, check};
use crate::{Okta, error::Error, resources::shown_member};

const DOMAINS: &str = "/api/v1/domains";

/// The operation of this file.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const OWN: &str = "/api/v1/brands/{brandId}/domains";
    vec![Operation::read("listBrandDomains", &[Method::GET], OWN, list).limit(CALLS)]
}

/// Arguments: the brand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Which {
    brand_id: SmolStr,
}

fn list(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    check(cx.state, &args.brand_id)?;
    let own = cx.state.objects.members(DOMAINS);
    let own = own.filter(|(_, one)| one.get("brandId").and_then(Value::as_str) == Some(&args.brand_id));
    let shown = own.map(|(id, one)| shown_member(cx.state, cx.scene.request, (DOMAINS, DOMAINS), id, one));
    Ok(Typed::ok(&json!({ "domains": shown.collect::<Vec<_>>() })))
}
