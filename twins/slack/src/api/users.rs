//! `users.*`

use std::ops::Bound;

use dtu_kernel::{operation::Typed, twin::Read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::paging::{self, Limit, PageEnd};
use crate::{
    Slack,
    error::{Code, Error},
    shapes::{self, UserBody, UserView},
};

/// The most users of one page.
const PAGE_MAX: usize = 1000;
/// Workspaces larger than this are not told all at once.
const UNPAGED_MAX: usize = 20_000;

fn view(cx: &Read<'_, Slack>, locale: bool) -> Result<UserView, Error> {
    Ok(UserView { email: cx.caller.token()?.has("users:read.email"), locale, now: cx.scene.now })
}

/// Arguments of `users.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct List {
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    include_locale: bool,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// A page of users.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    members: Vec<UserBody>,
    cache_ts: i64,
    response_metadata: PageEnd,
}

/// `users.list`
pub(crate) fn list(cx: &Read<'_, Slack>, args: List) -> Result<Typed<Listed>, Error> {
    let users = &cx.state.users;
    let size = args.limit.size(0, PAGE_MAX)?;
    if size == 0 && users.len() > UNPAGED_MAX {
        return Err(Code::LimitRequired.into());
    }
    let size = if size == 0 { usize::MAX } else { size };
    let from = paging::read_cursor(args.cursor.as_deref(), "user")?;
    if from.as_ref().is_some_and(|id| !id.starts_with('U')) {
        return Err(Code::InvalidCursor.into());
    }
    let from = from.map_or(Bound::Unbounded, Bound::Included);
    let view = view(cx, args.include_locale)?;
    let mut rows = users.range::<(Bound<SmolStr>, Bound<SmolStr>)>((from, Bound::Unbounded));
    let members = rows.by_ref().take(size).map(|(_, user)| shapes::user(cx.state, user, view)).collect();
    let next = rows.next().map(|(id, _)| paging::cursor("user", id));
    let cache_ts = cx.scene.now.as_secs();
    Ok(Typed::ok(&Listed { members, cache_ts, response_metadata: PageEnd::new(next) }))
}

/// Arguments of `users.info`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Info {
    user: SmolStr,
    #[serde(default)]
    include_locale: bool,
}

/// One user.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct One {
    user: UserBody,
}

/// `users.info`
pub(crate) fn info(cx: &Read<'_, Slack>, args: Info) -> Result<Typed<One>, Error> {
    let user = cx.state.users.get(&args.user).ok_or(Code::UserNotFound)?;
    if !cx.state.meets(&cx.caller.token()?.user, &user.id) {
        return Err(Code::UserNotVisible.into());
    }
    Ok(Typed::ok(&One { user: shapes::user(cx.state, user, view(cx, args.include_locale)?) }))
}

/// Arguments of `users.lookupByEmail`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct LookupByEmail {
    email: String,
}

/// `users.lookupByEmail`: deactivated accounts are not found.
pub(crate) fn lookup_by_email(cx: &Read<'_, Slack>, args: LookupByEmail) -> Result<Typed<One>, Error> {
    let user = cx.state.user_by_email(&args.email).filter(|user| !user.deleted).ok_or(Code::UsersNotFound)?;
    Ok(Typed::ok(&One { user: shapes::user(cx.state, user, view(cx, false)?) }))
}
