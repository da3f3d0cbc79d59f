//! What brands have that is no object of its own: pictures of their themes, and what their e-mails say.
//!
//! Brands, themes, templates and customizations themselves are rows of [`crate::resources`].
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Brands/.

mod certificates;
mod domains;
mod emails;
mod pages;
mod pictures;
pub(crate) mod well_known;

pub(crate) use self::emails::{customizations, usual_settings};
use dtu_kernel::operation::Operation;
use serde_json::{Map, Value, json};

use crate::{Okta, error::Error, model::State};

/// The bucket of these operations.
const CALLS: &str = "other";
/// Where brands are kept.
const BRANDS: &str = "/api/v1/brands";

/// All rows.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    let all = [
        pictures::operations(),
        emails::operations(),
        pages::operations(),
        domains::operations(),
        certificates::operations(),
        well_known::operations(),
    ];
    all.into_iter().flatten().collect()
}

/// What is kept at a place of a brand, where there is such a brand.
fn find<'s>(
    state: &'s State,
    brand: &str,
    part: &str,
    id: &str,
    kind: &'static str,
) -> Result<&'s Map<String, Value>, Error> {
    check(state, brand)?;
    let found = state.objects.member(&format!("{BRANDS}/{brand}/{part}"), id);
    found.ok_or_else(|| Error::not_found(id, kind))
}

/// Whether there is such a brand.
fn check(state: &State, brand: &str) -> Result<(), Error> {
    state.objects.member(BRANDS, brand).map(drop).ok_or_else(|| Error::not_found(brand, "Brand"))
}

/// A link with what may be done there.
fn hinted(href: &str, allow: &[&str]) -> Value {
    json!({ "href": href, "hints": { "allow": allow } })
}
