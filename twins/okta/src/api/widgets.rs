//! The versions of the sign-in widget.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Read,
};
use http::Method;

use super::tokens::Nothing;
use crate::{Okta, error::Error};

/// All rows.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/brands/{brandId}/pages/sign-in/widget-versions";
    vec![Operation::read("listAllSignInWidgetVersions", &[Method::GET], ALL, list).limit("other")]
}

/// Each generation's number with its first and last versions, as recorded in 2026.
const GENERATIONS: [(u8, std::ops::RangeInclusive<u8>); 3] = [(5, 11..=16), (6, 0..=9), (7, 0..=38)];

fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<String>>, Error> {
    let id = cx.scene.request.path_param("brandId");
    cx.state.objects.member("/api/v1/brands", id).ok_or_else(|| Error::not_found(id, "Brand"))?;
    Ok(Typed::ok(&versions()))
}

/// All versions that a page can ask for.
pub(crate) fn versions() -> Vec<String> {
    let of = |(major, minors): (u8, std::ops::RangeInclusive<u8>)| {
        minors.map(move |minor| format!("{major}.{minor}")).chain([format!("^{major}")])
    };
    GENERATIONS.into_iter().flat_map(of).chain(["*".to_owned()]).collect()
}
