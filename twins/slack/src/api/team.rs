//! The workspace as its owners see it: `team.accessLogs`, `team.billing.info`, `team.preferences.list`,
//! `team.externalTeams.*`, and who is beyond it: `users.discoverableContacts.lookup`, `migration.exchange`.

use std::collections::BTreeMap;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::paging::{self, Limit, PageEnd};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{TIER_1, TIER_2, TIER_3},
    model::{
        State,
        connect::{self, Partner},
        logins::Login,
        policy::Who,
    },
};

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::read("team.accessLogs", ANY, "/api/team.accessLogs", logs)
            .limit(TIER_2)
            .scopes(&["admin"])
            .errors(&["invalid_cursor", "invalid_limit", "over_pagination_limit"])
            .form_only(),
        Row::read("team.billing.info", ANY, "/api/team.billing.info", billing)
            .limit(TIER_3)
            .scopes(&["team.billing:read"])
            .form_only(),
        Row::read("team.preferences.list", ANY, "/api/team.preferences.list", preferences)
            .limit(TIER_3)
            .scopes(&["team.preferences:read"])
            .form_only(),
        Row::read("team.externalTeams.list", ANY, "/api/team.externalTeams.list", external)
            .limit(TIER_2)
            .scopes(CONNECT)
            .errors(&["invalid_cursor", "invalid_workspace_filter"])
            .form_only(),
        Row::write("team.externalTeams.disconnect", ANY, "/api/team.externalTeams.disconnect", disconnect)
            .limit(TIER_1)
            .scopes(&["conversations.connect:manage"])
            .errors(&["invalid_target_team"])
            .form_only(),
        Row::read("users.discoverableContacts.lookup", ANY, "/api/users.discoverableContacts.lookup", discoverable)
            .limit(TIER_2)
            .scopes(CONNECT)
            .errors(&["not_an_enterprise"]),
        Row::read("migration.exchange", ANY, "/api/migration.exchange", exchange)
            .limit(TIER_2)
            .scopes(&["tokens.basic"])
            .errors(&["not_enterprise_team", "too_many_users"])
            .form_only(),
    ]
}

/// Bots need the first, people the second.
const CONNECT: &[&str] = &["conversations.connect:manage", "team:read"];

/// Arguments of `team.accessLogs`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Logs {
    before: Option<String>,
    count: Option<usize>,
    page: Option<usize>,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `team.accessLogs`: the latest first. A limit or cursor asks for pages by cursor, all else for numbered ones.
fn logs(cx: &Read<'_, Slack>, args: Logs) -> Result<Typed<Value>, Error> {
    let before = match args.before.as_deref().map(str::trim).filter(|text| !text.is_empty() && *text != "now") {
        None => i64::MAX,
        Some(text) => text
            .parse()
            .map_err(|_| Error::Arguments(vec!["must provide an integer [json-pointer:/before]".to_owned()]))?,
    };
    let size = args.limit.size(0, 1_000)?;
    let cursor = paging::read_cursor(args.cursor.as_deref(), "login")?;
    let rows = cx.state.index.logins_by_time.iter().rev().filter(|(at, ..)| *at <= before);
    if size == 0 && cursor.is_none() {
        let (count, page) = (args.count.unwrap_or(100).max(1), args.page.unwrap_or(1).max(1));
        if count > 1_000 || page > 100 {
            return Err(Code::OverPaginationLimit.into());
        }
        let total = rows.clone().count();
        let shown: Vec<Value> =
            rows.skip((page - 1) * count).take(count).filter_map(|key| login(cx.state, key)).collect();
        let paging = json!({ "count": count, "total": total, "page": page, "pages": total.div_ceil(count) });
        return Ok(Typed::ok(&json!({ "logins": shown, "paging": paging })));
    }
    let size = if size == 0 { 100 } else { size };
    let key = |(at, user, agent): &Key| format!("{at}/{user}/{agent}");
    let mut rows = rows.skip_while(|row| cursor.as_ref().is_some_and(|from| key(row) != *from)).peekable();
    if cursor.is_some() && rows.peek().is_none() {
        return Err(Code::InvalidCursor.into());
    }
    let shown: Vec<Value> = rows.by_ref().take(size).filter_map(|key| login(cx.state, key)).collect();
    let end = PageEnd::new(rows.next().map(|row| paging::cursor("login", &key(row))));
    Ok(Typed::ok(&json!({ "logins": shown, "response_metadata": end })))
}

type Key = (i64, SmolStr, SmolStr);

/// What is told of a login. Where people are is nowhere known here.
fn login(state: &State, (_, user, agent): &Key) -> Option<Value> {
    let row: Login = **state.logins.get(&(user.clone(), agent.clone()))?;
    Some(json!({
        "user_id": user,
        "username": state.users.get(user).map(|user| user.name.clone()),
        "date_first": row.first,
        "date_last": row.last,
        "count": row.count,
        "ip": "127.0.0.1",
        "user_agent": agent,
        "isp": null,
        "country": null,
        "region": null,
    }))
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

/// `team.billing.info`: all that paid plans have is there, and an organization on the largest.
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn billing(cx: &Read<'_, Slack>, _: Nothing) -> Result<Typed<Value>, Error> {
    let plan = if cx.state.enterprise.org.is_some() { "enterprise" } else { "plus" };
    Ok(Typed::ok(&json!({ "plan": plan })))
}

/// `team.preferences.list`: as the workspace behaves.
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn preferences(cx: &Read<'_, Slack>, _: Nothing) -> Result<Typed<Value>, Error> {
    let (minutes, keeps, posts) = cx.state.policy(|row| (row.edit_minutes, row.keeps_messages, row.posts_in_general));
    Ok(Typed::ok(&json!({
        "msg_edit_window_mins": minutes.map_or(-1, i64::from),
        "allow_message_deletion": !keeps,
        "display_real_names": true,
        "disable_file_uploads": "allow_all",
        "who_can_post_general": if posts == Who::Admins { "admin" } else { "everyone" },
    })))
}

/// By what external teams are put in order.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SortField {
    #[default]
    TeamName,
    LastActiveTimestamp,
    ConnectionStatus,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SortDirection {
    #[default]
    Asc,
    Desc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Connected,
    Disconnected,
    Blocked,
    InReview,
}

/// What can be set for one external team alone. Nothing is, here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Pref {
    ApprovedOrgsOnly,
    AllowScFileUploads,
    ProfileVisibility,
    AwayTeamScInvitePermissions,
    AcceptScInvites,
    ScMpdmToPrivate,
    RequireScChannelForScDm,
    ExternalAwarenessContextBar,
    InteractWithExternallyOwnedWorkflows,
    ExternalTeamsInteractWithLocallyOwnedWorkflows,
}

/// Arguments of `team.externalTeams.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct External {
    cursor: Option<SmolStr>,
    #[serde(default)]
    workspace_filter: Vec<SmolStr>,
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    sort_field: SortField,
    #[serde(default)]
    sort_direction: SortDirection,
    connection_status_filter: Option<Status>,
    #[serde(default)]
    slack_connect_pref_filter: Vec<Pref>,
}

/// An organization that is in channels of the workspace.
struct Outsider<'a> {
    partner: &'a Partner,
    public: usize,
    private: usize,
    last: i64,
}

fn outsiders(state: &State) -> Vec<Outsider<'_>> {
    let mut found: BTreeMap<&SmolStr, Outsider<'_>> = BTreeMap::new();
    for ((channel, id), connection) in state.content.connections.iter() {
        let Some(partner) = state.content.partners.get(id) else { continue };
        let row = found.entry(id).or_insert(Outsider { partner, public: 0, private: 0, last: 0 });
        if state.is_public(channel) {
            row.public += 1;
        } else {
            row.private += 1;
        }
        row.last = row.last.max(connection.since);
    }
    found.into_values().collect()
}

/// `team.externalTeams.list`: those that are connected. A cursor is the id of the first of a page.
fn external(cx: &Read<'_, Slack>, args: External) -> Result<Typed<Value>, Error> {
    let size = args.limit.size(20, 25)?;
    let is_own = |id: &SmolStr| *id == cx.state.workspace.id || cx.state.enterprise.teams.contains(id);
    if !args.workspace_filter.iter().all(is_own) {
        return Err(Code::InvalidWorkspaceFilter.into());
    }
    let mut all = outsiders(cx.state);
    let elsewhere = !args.workspace_filter.is_empty() && !args.workspace_filter.contains(&cx.state.workspace.id);
    let other = args.connection_status_filter.is_some_and(|status| status != Status::Connected);
    if elsewhere || other || !args.slack_connect_pref_filter.is_empty() {
        all.clear();
    }
    match args.sort_field {
        SortField::LastActiveTimestamp => all.sort_by_key(|row| row.last),
        // All have the same status.
        SortField::TeamName | SortField::ConnectionStatus => all.sort_by(|a, b| a.partner.name.cmp(&b.partner.name)),
    }
    if args.sort_direction == SortDirection::Desc {
        all.reverse();
    }
    let from = match args.cursor.filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(id) => all.iter().position(|row| row.partner.id == id).ok_or(Code::InvalidCursor)?,
    };
    let page: Vec<Value> = all.iter().skip(from).take(size).map(|row| outsider(cx.state, row)).collect();
    let next = all.get(from + size).map(|row| row.partner.id.to_string());
    Ok(Typed::ok(&json!({
        "organizations": page,
        "total_count": all.len(),
        "response_metadata": PageEnd::new(next),
    })))
}

fn outsider(state: &State, row: &Outsider<'_>) -> Value {
    let (partner, team) = (row.partner, &state.workspace);
    json!({
        "team_id": partner.id,
        "team_name": partner.name,
        "team_domain": partner.domain,
        "public_channel_count": row.public,
        "private_channel_count": row.private,
        "im_channel_count": 0,
        "mpim_channel_count": 0,
        "connected_workspaces": [{ "workspace_id": team.id, "workspace_name": team.name }],
        "slack_connect_prefs": {},
        "connection_status": "CONNECTED",
        "last_active_timestamp": row.last,
        "is_sponsored": false,
    })
}

/// Arguments of `team.externalTeams.disconnect`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Disconnect {
    target_team: SmolStr,
}

/// `team.externalTeams.disconnect`: the organization is in no channel any more.
fn disconnect(cx: &mut Write<'_, '_, Slack>, args: Disconnect) -> Result<Typed<Value>, Error> {
    let rows = cx.state.content.connections.iter().map(|(key, _)| key);
    let keys: Vec<(SmolStr, SmolStr)> = rows.filter(|(_, partner)| *partner == args.target_team).cloned().collect();
    if keys.is_empty() {
        return Err(Code::InvalidTargetTeam.into());
    }
    for key in keys {
        connect::disconnect(cx.state, cx.tx, &key.0, &key.1);
    }
    Ok(Typed::ok(&json!({ "job_enqueued": true })))
}

/// Arguments of `users.discoverableContacts.lookup`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Discoverable {
    email: String,
}

/// `users.discoverableContacts.lookup`: within an organization.
fn discoverable(cx: &Read<'_, Slack>, args: Discoverable) -> Result<Typed<Value>, Error> {
    if args.email.chars().count() > 100 {
        return Err(Error::Arguments(vec!["must be less than 101 characters [json-pointer:/email]".to_owned()]));
    }
    if cx.state.enterprise.org.is_none() {
        return Err(Code::NotAnEnterprise.into());
    }
    let user = cx.state.user_by_email(&args.email).filter(|user| !user.deleted);
    Ok(Typed::ok(&json!({ "is_discoverable": user.is_some() })))
}

/// Arguments of `migration.exchange`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Exchange {
    users: Vec<SmolStr>,
    /// Ids are the same before and after, so that the direction decides nothing.
    #[serde(rename = "to_old")]
    _to_old: Option<bool>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `migration.exchange`: people kept their ids when the workspace came into its organization.
fn exchange(cx: &Read<'_, Slack>, args: Exchange) -> Result<Typed<Value>, Error> {
    const USERS_MAX: usize = 400;
    if args.users.len() > USERS_MAX {
        return Err(Code::TooManyUsers.into());
    }
    let org = cx.state.enterprise.org.as_ref().ok_or(Code::NotEnterpriseTeam)?;
    let (known, unknown): (Vec<SmolStr>, Vec<SmolStr>) =
        args.users.into_iter().partition(|id| cx.state.users.contains(id));
    let map: Map<String, Value> = known.into_iter().map(|id| (id.to_string(), json!(id))).collect();
    let mut body = json!({
        "team_id": cx.state.workspace.id,
        "enterprise_id": org.id,
        "user_id_map": map,
    });
    if !unknown.is_empty() {
        body["invalid_user_ids"] = json!(unknown);
    }
    Ok(Typed::ok(&body))
}
