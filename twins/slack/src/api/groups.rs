//! `usergroups.*`.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    ANY, Row, Slack, bodies,
    error::{Code, Error},
    limits::TIER_2,
    model::{
        State,
        apps::{Token, TokenKind},
        groups::{self, Group, GroupChange},
        people::Role,
    },
};

const CHANGES: &[&str] = &[
    "channel_not_found",
    "handle_already_exists",
    "name_already_exists",
    "name_too_long",
    "no_such_subteam",
    "permission_denied",
    "user_is_restricted",
];

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    let write =
        |row: Row, errors: &'static [&'static str]| row.limit(TIER_2).scopes(&["usergroups:write"]).errors(errors);
    let read = |row: Row| {
        row.limit(TIER_2).scopes(&["usergroups:read"]).errors(&["no_such_subteam", "user_is_restricted"]).form_only()
    };
    let one: &[&str] = &["no_such_subteam", "permission_denied", "user_is_restricted"];
    let users: &[&str] =
        &["invalid_users", "no_such_subteam", "no_users_provided", "permission_denied", "user_is_restricted"];
    vec![
        write(Row::write("usergroups.create", ANY, "/api/usergroups.create", create), CHANGES),
        write(Row::write("usergroups.update", ANY, "/api/usergroups.update", update), CHANGES),
        write(Row::write("usergroups.enable", ANY, "/api/usergroups.enable", enable), one),
        write(Row::write("usergroups.disable", ANY, "/api/usergroups.disable", disable), one),
        write(Row::write("usergroups.users.update", ANY, "/api/usergroups.users.update", set_users), users),
        read(Row::read("usergroups.list", ANY, "/api/usergroups.list", list)),
        read(Row::read("usergroups.users.list", ANY, "/api/usergroups.users.list", list_users)),
    ]
}

/// Guests have nothing to do with groups.
fn check_caller(state: &State, token: &Token) -> Result<(), Code> {
    let is_guest = state.users.get(&token.user).is_some_and(|user| user.role == Role::Guest);
    if is_guest { Err(Code::UserIsRestricted) } else { Ok(()) }
}

/// The same, where the caller is to change groups, which may be left to administrators.
fn check_keeper(state: &State, token: &Token) -> Result<(), Code> {
    check_caller(state, token)?;
    // Bots keep groups whoever else does: who let them was allowed to.
    let may = token.kind == TokenKind::Bot || state.may(&token.user, |row| row.keeps_groups);
    if may { Ok(()) } else { Err(Code::PermissionDenied) }
}

fn told(state: &State, group: &Arc<Group>, count: bool) -> Typed<Value> {
    Typed::ok(&json!({ "usergroup": bodies::group(state, group, true, count) }))
}

/// Arguments of `usergroups.create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: SmolStr,
    handle: Option<SmolStr>,
    description: Option<SmolStr>,
    channels: Option<Vec<SmolStr>>,
    #[serde(default)]
    include_count: bool,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `usergroups.create`
fn create(cx: &mut Write<'_, '_, Slack>, args: Create) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    check_keeper(cx.state, token)?;
    let Create { name, handle, description, channels, .. } = args;
    let change = GroupChange { name: Some(name), handle, description, channels };
    let group = groups::create(cx.state, cx.tx, &token.user, change)?;
    Ok(told(cx.state, &group, args.include_count))
}

/// Arguments of `usergroups.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    usergroup: SmolStr,
    name: Option<SmolStr>,
    handle: Option<SmolStr>,
    description: Option<SmolStr>,
    channels: Option<Vec<SmolStr>>,
    #[serde(default)]
    include_count: bool,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `usergroups.update`
fn update(cx: &mut Write<'_, '_, Slack>, args: Update) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    check_keeper(cx.state, token)?;
    let Update { usergroup, name, handle, description, channels, .. } = args;
    let change = GroupChange { name, handle, description, channels };
    let group = groups::update(cx.state, cx.tx, (&token.user, &usergroup), change)?;
    Ok(told(cx.state, &group, args.include_count))
}

/// A group.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct One {
    usergroup: SmolStr,
    #[serde(default)]
    include_count: bool,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

fn set_enabled(cx: &mut Write<'_, '_, Slack>, args: &One, enabled: bool) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    check_keeper(cx.state, token)?;
    let group = groups::set_enabled(cx.state, cx.tx, (&token.user, &args.usergroup), enabled)?;
    Ok(told(cx.state, &group, args.include_count))
}

/// `usergroups.enable`
fn enable(cx: &mut Write<'_, '_, Slack>, args: One) -> Result<Typed<Value>, Error> {
    set_enabled(cx, &args, true)
}

/// `usergroups.disable`
fn disable(cx: &mut Write<'_, '_, Slack>, args: One) -> Result<Typed<Value>, Error> {
    set_enabled(cx, &args, false)
}

/// Arguments of `usergroups.users.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetUsers {
    usergroup: SmolStr,
    users: Vec<SmolStr>,
    #[serde(default)]
    include_count: bool,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `usergroups.users.update`: in place of all before.
fn set_users(cx: &mut Write<'_, '_, Slack>, args: SetUsers) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    check_keeper(cx.state, token)?;
    let group = groups::set_users(cx.state, cx.tx, (&token.user, &args.usergroup), &args.users)?;
    Ok(told(cx.state, &group, args.include_count))
}

/// Arguments of `usergroups.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct List {
    #[serde(default)]
    include_count: bool,
    #[serde(default)]
    include_disabled: bool,
    #[serde(default)]
    include_users: bool,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `usergroups.list`
fn list(cx: &Read<'_, Slack>, args: List) -> Result<Typed<Value>, Error> {
    check_caller(cx.state, cx.caller.token()?)?;
    let rows = cx.state.groups.iter().map(|(_, group)| group);
    let shown = rows.filter(|group| args.include_disabled || group.deleted == 0);
    let rows: Vec<Value> =
        shown.map(|group| bodies::group(cx.state, group, args.include_users, args.include_count)).collect();
    Ok(Typed::ok(&json!({ "usergroups": rows })))
}

/// Arguments of `usergroups.users.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListUsers {
    usergroup: SmolStr,
    #[serde(default)]
    include_disabled: bool,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `usergroups.users.list`
fn list_users(cx: &Read<'_, Slack>, args: ListUsers) -> Result<Typed<Value>, Error> {
    check_caller(cx.state, cx.caller.token()?)?;
    let group = cx.state.groups.get(&args.usergroup).ok_or(Code::NoSuchSubteam)?;
    let shown = args.include_disabled || group.deleted == 0;
    Ok(Typed::ok(&json!({ "users": if shown { group.users.as_slice() } else { &[] } })))
}
