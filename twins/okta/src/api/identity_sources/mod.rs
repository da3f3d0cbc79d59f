//! Custom identity sources: sessions of uploads, and people and groups one by one.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentitySource/.

mod groups;
mod people;
mod sessions;

use dtu_kernel::operation::Operation;
use http::Method;
use serde_json::{Map, Value};

use crate::Okta;

type Body = Map<String, Value>;

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const PATCH: &[Method] = &[Method::PATCH];
const DELETE: &[Method] = &[Method::DELETE];
const LIMIT: &str = "other";

/// The operation whose body is passed over, whatever it is: as recorded.
pub(crate) const BARE: &str = "createIdentitySourceSession";

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    [sessions::operations(), people::operations(), groups::operations()].into_iter().flatten().collect()
}
