//! SCIM 1.1 and 2.0: identity providers keep people and groups. <https://docs.slack.dev/reference/scim-api>
//!
//! The same people and user groups as everywhere else; groups that identity providers make are told apart from those
//! that people make.

mod about;
mod filter;
mod groups;
mod patch;
mod users;

use std::ops::Range;

use dtu_kernel::{
    operation::Typed,
    twin::Write,
    wire::{Answer, Request},
};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::{Row, Slack, error::Error, rest::Face};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const PATCH: &[Method] = &[Method::PATCH];
const DELETE: &[Method] = &[Method::DELETE];
/// The scope of identity providers.
const ADMIN: &[&str] = &["admin"];
/// How many resources a page has where nothing is said, and at most.
const PAGE: usize = 10;
const PAGE_MAX: usize = 1_000;

type Members = Map<String, Value>;
type Looked = Result<Typed<()>, Error>;

/// The rows of a version: the same but for their paths, what configuration is called, and what only 2.0 has.
macro_rules! version {
    ($version:literal, $config:literal) => {
        vec![
            Row::read(
                concat!("scim.", $version, ".config"),
                GET,
                concat!("/scim/", $version, "/", $config),
                about::config,
            ),
            Row::read(
                concat!("scim.", $version, ".schemas.get"),
                GET,
                concat!("/scim/", $version, "/Schemas/{name}"),
                about::schema,
            ),
            Row::read(
                concat!("scim.", $version, ".users.list"),
                GET,
                concat!("/scim/", $version, "/Users"),
                users::list,
            ),
            Row::write(
                concat!("scim.", $version, ".users.create"),
                POST,
                concat!("/scim/", $version, "/Users"),
                users::create,
            ),
            Row::read(
                concat!("scim.", $version, ".users.get"),
                GET,
                concat!("/scim/", $version, "/Users/{id}"),
                users::get,
            ),
            Row::write(
                concat!("scim.", $version, ".users.update"),
                PUT,
                concat!("/scim/", $version, "/Users/{id}"),
                users::update,
            ),
            Row::write(
                concat!("scim.", $version, ".users.patch"),
                PATCH,
                concat!("/scim/", $version, "/Users/{id}"),
                users::patch,
            ),
            Row::write(
                concat!("scim.", $version, ".users.delete"),
                DELETE,
                concat!("/scim/", $version, "/Users/{id}"),
                users::delete,
            ),
            Row::read(
                concat!("scim.", $version, ".groups.list"),
                GET,
                concat!("/scim/", $version, "/Groups"),
                groups::list,
            ),
            Row::write(
                concat!("scim.", $version, ".groups.create"),
                POST,
                concat!("/scim/", $version, "/Groups"),
                groups::create,
            ),
            Row::read(
                concat!("scim.", $version, ".groups.get"),
                GET,
                concat!("/scim/", $version, "/Groups/{id}"),
                groups::get,
            ),
            Row::write(
                concat!("scim.", $version, ".groups.update"),
                PUT,
                concat!("/scim/", $version, "/Groups/{id}"),
                groups::update,
            ),
            Row::write(
                concat!("scim.", $version, ".groups.patch"),
                PATCH,
                concat!("/scim/", $version, "/Groups/{id}"),
                groups::patch,
            ),
            Row::write(
                concat!("scim.", $version, ".groups.delete"),
                DELETE,
                concat!("/scim/", $version, "/Groups/{id}"),
                groups::delete,
            ),
        ]
    };
}

/// The rows.
pub(crate) fn operations() -> Vec<Row> {
    let more = vec![
        // The page names it in the singular, the recorded calls in the plural.
        Row::read("scim.v2.configs", GET, "/scim/v2/ServiceProviderConfigs", about::config),
        Row::read("scim.v2.schemas.list", GET, "/scim/v2/Schemas", about::schemas),
        Row::read("scim.v2.resourceTypes", GET, "/scim/v2/ResourceTypes", about::resource_types),
    ];
    let rows = version!("v1", "ServiceProviderConfigs").into_iter().chain(version!("v2", "ServiceProviderConfig"));
    rows.chain(more).map(|row| limited(row.scopes(ADMIN))).collect()
}

fn limited(row: Row) -> Row {
    use crate::limits::{SCIM_ONE, SCIM_READ, SCIM_USER, SCIM_WRITE};
    let (writes, on_user) = (row.info().writes, row.info().path.contains("/Users"));
    match (writes, on_user) {
        (true, true) => row.limit(SCIM_USER),
        (true, false) => row.limit(SCIM_WRITE),
        (false, true) if row.info().path.ends_with("{id}") => row.limit(SCIM_ONE),
        (false, _) => row.limit(SCIM_READ),
    }
}

fn refused(status: u16, words: &'static str) -> Error {
    Error::Status(status, SmolStr::new_static(words))
}

fn is_v2(request: &Request) -> bool {
    request.path.starts_with("/scim/v2/")
}

/// The version of a call.
fn version(request: &Request) -> Face {
    if is_v2(request) { Face::Scim2 } else { Face::Scim1 }
}

fn path_of(request: &Request) -> &'static str {
    if is_v2(request) { "scim/v2" } else { "scim/v1" }
}

/// The members of a JSON body.
fn body(request: &Request) -> Result<Members, Error> {
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(refused(400, "invalid_json")),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the end of handlers, which may fail")]
fn told(body: &Value, status: StatusCode) -> Looked {
    Ok(Typed::from_answer(Answer::json(body).with_status(status)))
}

#[expect(clippy::unnecessary_wraps, reason = "the end of handlers, which may fail")]
fn nothing() -> Looked {
    Ok(Typed::from_answer(Answer::empty(StatusCode::NO_CONTENT)))
}

/// A parameter of the query.
fn query(request: &Request, name: &str) -> Option<String> {
    request.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

/// Which resources are asked for: `startIndex` counts from 1.
fn window(request: &Request) -> Result<Range<usize>, Error> {
    let number = |name: &str, usual: usize| match query(request, name) {
        None => Ok(usual),
        Some(text) => text
            .trim()
            .parse::<i64>()
            .map_err(|_| refused(400, "invalid_pagination"))
            .map(|n| usize::try_from(n).unwrap_or(0)),
    };
    let (start, count) = (number("startIndex", 1)?.max(1), number("count", PAGE)?.min(PAGE_MAX));
    Ok(start - 1..start - 1 + count)
}

/// A page of resources.
fn listed(request: &Request, window: &Range<usize>, total: usize, page: Vec<Value>) -> Looked {
    let schema = match version(request) {
        Face::Scim2 => "urn:ietf:params:scim:api:messages:2.0:ListResponse",
        _ => "urn:scim:schemas:core:1.0",
    };
    let body = json!({
        "totalResults": total,
        "itemsPerPage": page.len(),
        "startIndex": window.start + 1,
        "schemas": [schema],
        "Resources": page,
    });
    told(&body, StatusCode::OK)
}

/// Seconds as SCIM writes time.
fn written(secs: i64) -> String {
    jiff::Timestamp::from_second(secs).map(|at| at.strftime("%Y-%m-%dT%H:%M:%S-00:00").to_string()).unwrap_or_default()
}

/// Who calls.
fn caller(cx: &Write<'_, '_, Slack>) -> SmolStr {
    cx.caller.token.as_ref().map(|token| token.user.clone()).unwrap_or_default()
}
