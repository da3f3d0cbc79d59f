//! People: oneself, one, all, and those whose names begin so.
//!
//! See developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-users/ and api-group-user-search/.

use dtu_kernel::operation::Typed;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Answered, Cx, Page,
    shapes::{self, Expand, User},
};
use crate::{Caller, error::Error, input};

/// A page has as many people as this where the caller does not say.
const PAGE: usize = 50;
/// A page never has more, and a search never goes beyond as many matches.
const MOST: usize = 1_000;

/// Arguments of `getCurrentUser`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Myself {
    /// `groups`, `applicationRoles`.
    #[serde(default)]
    expand: String,
}

/// `getCurrentUser`.
pub fn myself(cx: &Cx<'_>, args: Myself) -> Answered<User> {
    let Caller::Account { id, .. } = cx.caller else { return Err(Error::Unauthenticated) };
    let account = cx.state.accounts.get(id).ok_or(Error::Unauthenticated)?;
    Ok(Typed::ok(&shapes::whole(cx.state, account, &cx.scene.request.origin, Expand::read(&args.expand))))
}

/// Arguments of `getUser`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Get {
    /// The account's id.
    #[serde(default)]
    account_id: String,
    /// No longer taken.
    username: Option<String>,
    /// No longer taken.
    key: Option<String>,
    /// `groups`, `applicationRoles`.
    #[serde(default)]
    expand: String,
}

/// `getUser`. Names and keys of people are no longer taken since accounts are Atlassian's.
pub fn get(cx: &Cx<'_>, args: Get) -> Answered<User> {
    refuse_names(args.username.as_ref(), args.key.as_ref())?;
    if args.account_id.is_empty() {
        return Err(Error::says(400, "The 'accountId' query parameter needs to be provided"));
    }
    let account = cx.state.accounts.get(&args.account_id).ok_or_else(|| Error::not_found("user", &args.account_id))?;
    Ok(Typed::ok(&shapes::whole(cx.state, account, &cx.scene.request.origin, Expand::read(&args.expand))))
}

fn refuse_names(username: Option<&String>, key: Option<&String>) -> Result<(), Error> {
    let name = match (username, key) {
        (Some(_), _) => "username",
        (None, Some(_)) => "key",
        (None, None) => return Ok(()),
    };
    Err(Error::says(400, format!("The query parameter '{name}' is not supported in GDPR strict mode.")))
}

/// Arguments of `getAllUsers` and `getAllUsersDefault`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct List {
    /// The first place.
    #[serde(default, deserialize_with = "input::number")]
    start_at: Option<i32>,
    /// How many at most.
    #[serde(default, deserialize_with = "input::number")]
    max_results: Option<i32>,
    /// `groups`, `applicationRoles`.
    #[serde(default)]
    expand: String,
}

/// `getAllUsers` and `getAllUsersDefault`: also those who have left.
pub fn list(cx: &Cx<'_>, args: List) -> Answered<Vec<User>> {
    let page = Page::of(args.start_at, args.max_results, PAGE, MOST);
    let expand = Expand::read(&args.expand);
    let accounts = cx.state.accounts.from(page.start).take(page.max);
    let shown = accounts.map(|account| shapes::expanded(cx.state, account, &cx.scene.request.origin, expand));
    Ok(Typed::ok(&shown.collect()))
}

/// Arguments of `findUsers`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Find {
    /// What a name or mail address begins with.
    query: Option<String>,
    /// No longer taken.
    username: Option<String>,
    /// An account's id.
    account_id: Option<String>,
    /// What a property of the person holds; the twin has no properties to look at.
    property: Option<String>,
    /// The first place.
    #[serde(default, deserialize_with = "input::number")]
    start_at: Option<i32>,
    /// How many at most.
    #[serde(default, deserialize_with = "input::number")]
    max_results: Option<i32>,
}

/// `findUsers`: active people; nobody for anonymous callers.
pub fn find(cx: &Cx<'_>, args: Find) -> Answered<Vec<User>> {
    refuse_names(args.username.as_ref(), None)?;
    if args.property.is_some() {
        return Err(Error::Unsupported { what: "findUsers by property".to_owned() });
    }
    let accounts = &cx.state.accounts;
    let found: Vec<_> = match (&args.query, &args.account_id) {
        (Some(_), Some(_)) => {
            return Err(Error::says(400, "The query parameters 'query' and 'accountId' are mutually exclusive."));
        }
        (None, None) => {
            return Err(Error::says(400, "The username or property query parameter must be provided"));
        }
        (Some(prefix), None) => accounts.beginning_with(prefix).collect(),
        (None, Some(id)) => accounts.get(id).into_iter().collect(),
    };
    let visible = found.into_iter().filter(|account| account.active && *cx.caller != Caller::Anonymous);
    let page = Page::of(args.start_at, args.max_results, PAGE, MOST);
    let shown = visible.take(MOST).skip(page.start).take(page.max);
    Ok(Typed::ok(&shown.map(|account| shapes::user(account, &cx.scene.request.origin)).collect()))
}
