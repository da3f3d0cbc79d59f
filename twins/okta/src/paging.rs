//! Page sizes, and the links between pages.
//!
//! See developer.okta.com/docs/api/#pagination.

use dtu_kernel::{operation::Typed, twin::Scene};
use form_urlencoded::Serializer;
use http::header::LINK;

use crate::error::Error;

/// A list's page size.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Where the caller does not say.
    pub default: usize,
    /// At most; greater wishes are cut to it.
    pub max: usize,
}

/// The page size that a wish leads to.
///
/// # Errors
/// A wish below one.
pub fn size(wish: Option<i64>, size: Size) -> Result<usize, Error> {
    match wish {
        None => Ok(size.default),
        Some(wish) => match usize::try_from(wish) {
            Ok(wish) if wish > 0 => Ok(wish.min(size.max)),
            _ => Err(Error::invalid("limit", "limit: The field has an invalid value")),
        },
    }
}

/// The same answer with its `link` headers. The page size stands in them even where the caller did not say one.
pub fn linked<B: serde::Serialize>(answer: Typed<B>, scene: &Scene<'_>, limit: usize, next: Option<&str>) -> Typed<B> {
    linked_without(answer, scene, limit, next, &[])
}

/// The same where some parameters are not repeated in the links.
pub fn linked_without<B: serde::Serialize>(
    answer: Typed<B>,
    scene: &Scene<'_>,
    limit: usize,
    next: Option<&str>,
    unrepeated: &[&str],
) -> Typed<B> {
    let after = scene.request.query_pairs().find(|(name, _)| name == "after").map(|(_, value)| value.into_owned());
    let answer =
        answer.with_header(LINK, format!("<{}>; rel=\"self\"", url(scene, limit, after.as_deref(), unrepeated)));
    match next {
        Some(next) => {
            answer.with_header(LINK, format!("<{}>; rel=\"next\"", url(scene, limit, Some(next), unrepeated)))
        }
        None => answer,
    }
}

fn url(scene: &Scene<'_>, limit: usize, after: Option<&str>, unrepeated: &[&str]) -> String {
    let request = scene.request;
    let mut query = Serializer::new(String::new());
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    query.append_pair("limit", &limit.to_string());
    // A search's `sortOrder` without `sortBy` says nothing, and is not repeated, as recorded.
    let asks = |wanted: &str| request.query_pairs().any(|(name, _)| name == wanted);
    let idle = asks("search") && !asks("sortBy");
    let said =
        |name: &str| unrepeated.contains(&name) || name == "after" || name == "limit" || (name == "sortOrder" && idle);
    query.extend_pairs(request.query_pairs().filter(|(name, _)| !said(name)));
    format!("{}{}?{}", request.origin, request.path, query.finish())
}
