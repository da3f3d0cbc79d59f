//! What people tell of themselves: `users.profile.*`, presence, `users.identity`, `users.conversations` and `dnd.*`.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    conversations::{need_kind_scope, of_kind, read_types},
    marks::done,
    paging::{self, Limit, PageEnd},
};
use crate::{
    ANY, READS, Row, Slack, bodies,
    error::{Code, Error},
    limits::{TIER_2, TIER_3, TIER_4},
    model::{
        State,
        apps::{Token, TokenKind},
        fields,
        people::{Role, User},
        status,
    },
    shapes::{self, ChannelView, Occasion},
};

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    [profile_rows(), presence_rows(), dnd_rows()].into_iter().flatten().collect()
}

fn profile_rows() -> Vec<Row> {
    vec![
        Row::read("users.profile.get", ANY, "/api/users.profile.get", profile)
            .limit(TIER_4)
            .scopes(&["users.profile:read"])
            .errors(&["user_not_found"])
            .form_only(),
        Row::write("users.profile.set", ANY, "/api/users.profile.set", set_profile)
            .limit(TIER_3)
            .scopes(&["users.profile:write"])
            .errors(&[
                "cannot_update_admin_user",
                "email_taken",
                "invalid_profile",
                "not_admin",
                "not_app_admin",
                "profile_status_set_failed_not_valid_emoji",
                "reserved_name",
                "too_long",
                "user_not_found",
            ]),
        Row::read("users.identity", ANY, "/api/users.identity", identity).limit(TIER_3).scopes(&["identity.basic"]),
        Row::read("users.conversations", ANY, "/api/users.conversations", conversations)
            .limit(TIER_3)
            .scopes(READS)
            .errors(&["invalid_cursor", "invalid_limit", "invalid_types", "user_not_found"])
            .form_only(),
    ]
}

fn presence_rows() -> Vec<Row> {
    vec![
        Row::read("users.getPresence", ANY, "/api/users.getPresence", presence)
            .limit(TIER_3)
            .scopes(&["users:read"])
            .errors(&["user_not_found"])
            .form_only(),
        Row::write("users.setPresence", ANY, "/api/users.setPresence", set_presence)
            .limit(TIER_2)
            .scopes(&["users:write"])
            .errors(&["invalid_presence"]),
        Row::read("users.setActive", ANY, "/api/users.setActive", set_active).limit(TIER_2).scopes(&["users:write"]),
    ]
}

fn dnd_rows() -> Vec<Row> {
    vec![
        Row::read("dnd.info", ANY, "/api/dnd.info", dnd)
            .limit(TIER_3)
            .scopes(&["dnd:read"])
            .errors(&["user_not_found"])
            .form_only(),
        Row::read("dnd.teamInfo", ANY, "/api/dnd.teamInfo", team_dnd).limit(TIER_2).scopes(&["dnd:read"]).form_only(),
        Row::write("dnd.setSnooze", ANY, "/api/dnd.setSnooze", snooze)
            .limit(TIER_2)
            .scopes(&["dnd:write"])
            .errors(&["missing_duration", "too_long"]),
        Row::write("dnd.endSnooze", ANY, "/api/dnd.endSnooze", end_snooze)
            .limit(TIER_2)
            .scopes(&["dnd:write"])
            .errors(&["snooze_not_active"]),
        Row::write("dnd.endDnd", ANY, "/api/dnd.endDnd", end_dnd).limit(TIER_2).scopes(&["dnd:write"]),
    ]
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

/// The user that is asked about; the caller where none is.
fn asked<'a>(state: &'a State, token: &Token, user: Option<&SmolStr>) -> Result<&'a Arc<User>, Code> {
    let id = user.filter(|user| !user.is_empty()).unwrap_or(&token.user);
    state.users.get(id).ok_or(Code::UserNotFound)
}

/// Arguments of `users.profile.get`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetProfile {
    user: Option<SmolStr>,
    #[serde(default)]
    include_labels: bool,
}

fn profile_of(state: &State, user: &User, email: bool, labels: bool) -> Value {
    let mut body = serde_json::to_value(shapes::profile(state, user, email)).unwrap_or_default();
    body["fields"] = fields::filled(state, &user.about, labels);
    if let Some(body) = body.as_object_mut() {
        body.remove("team");
    }
    body
}

/// `users.profile.get`: of a bot what its app says.
fn profile(cx: &Read<'_, Slack>, args: GetProfile) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let user = asked(cx.state, token, args.user.as_ref())?;
    let email = token.has("users:read.email");
    Ok(Typed::ok(&json!({ "profile": profile_of(cx.state, user, email, args.include_labels) })))
}

/// Arguments of `users.profile.set`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetProfile {
    profile: Option<Value>,
    user: Option<SmolStr>,
    name: Option<String>,
    value: Option<String>,
}

impl SetProfile {
    fn members(&self) -> Result<Map<String, Value>, Code> {
        let given = match (&self.profile, &self.name) {
            (Some(Value::String(text)), _) => serde_json::from_str(text).map_err(|_| Code::InvalidProfile)?,
            (Some(other), _) => other.clone(),
            (None, Some(name)) => {
                let value = self.value.as_ref().ok_or(Code::InvalidProfile)?;
                let mut one = Map::new();
                one.insert(name.clone(), json!(value));
                return Ok(one);
            }
            (None, None) => return Err(Code::InvalidProfile),
        };
        let Value::Object(members) = given else { return Err(Code::InvalidProfile) };
        Ok(members)
    }
}

/// Whether one may change the profile of another.
fn may_change(by: &User, other: &User) -> Result<(), Code> {
    match other.role {
        _ if by.id == other.id => Ok(()),
        Role::Bot => Err(Code::NotAppAdmin),
        _ if !by.is_admin() => Err(Code::NotAdmin),
        Role::Admin | Role::Owner | Role::PrimaryOwner if !by.is_owner() => Err(Code::CannotUpdateAdminUser),
        _ => Ok(()),
    }
}

/// `users.profile.set`
fn set_profile(cx: &mut Write<'_, '_, Slack>, args: SetProfile) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let by = cx.state.users.get(&token.user).cloned().ok_or(Code::UserNotFound)?;
    let user = asked(cx.state, token, args.user.as_ref())?.clone();
    may_change(&by, &user)?;
    status::set_profile(cx.state, cx.tx, (&user.id, &by), &args.members()?)?;
    let row = cx.state.users.get(&user.id).ok_or(Code::UserNotFound)?;
    let body = json!({ "username": row.name, "profile": profile_of(cx.state, row, true, false) });
    Ok(Typed::ok(&body))
}

/// `users.identity`: members by the token's scopes.
fn identity(cx: &Read<'_, Slack>, _: Nothing) -> Result<Typed<Value>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    let user = state.users.get(&token.user).ok_or(Code::UserNotFound)?;
    let mut told = json!({ "name": user.real_name, "id": user.id });
    if token.has("identity.email") {
        told["email"] = json!(user.email);
    }
    if token.has("identity.avatar") {
        let profile = profile_of(state, user, false, false);
        for size in ["image_24", "image_32", "image_48", "image_72", "image_192", "image_512"] {
            told[size] = profile[size].clone();
        }
    }
    let mut team = json!({ "id": state.workspace.id });
    if token.has("identity.team") {
        team["name"] = json!(state.workspace.name);
    }
    Ok(Typed::ok(&json!({ "user": told, "team": team })))
}

/// Arguments of `users.conversations`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Conversations {
    user: Option<SmolStr>,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    exclude_archived: bool,
    #[serde(default)]
    types: Vec<String>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `users.conversations`: those that a user is in, and the caller can see.
fn conversations(cx: &Read<'_, Slack>, args: Conversations) -> Result<Typed<Value>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    let kinds = read_types(&args.types)?;
    for kind in &kinds {
        need_kind_scope(token, *kind, "read")?;
    }
    let user = asked(state, token, args.user.as_ref())?;
    let size = args.limit.size(100, 999)?;
    let from = paging::read_cursor(args.cursor.as_deref(), "team")?;
    let from = from.map(|id| state.channels.get(&id).ok_or(Code::InvalidCursor)).transpose()?;
    let kinds = kinds.into_iter().filter(|kind| from.is_none_or(|from| *kind >= from.kind));
    let first = |kind| from.filter(|from| from.kind == kind).map(|from| from.id.clone()).unwrap_or_default();
    let ids = kinds.flat_map(|kind| of_kind(state, &user.id, kind, &first(kind)));
    let mut rows = ids
        .filter(|id| state.is_member(id, &user.id) && state.visible(id, &token.user).is_some())
        .filter_map(|id| state.channels.get(id))
        .filter(|row| !(args.exclude_archived && row.archived));
    let view = ChannelView { viewer: &user.id, occasion: Occasion::Listed, num_members: false, locale: false };
    let page: Vec<_> = rows.by_ref().take(size).map(|row| shapes::conversation(state, row, view)).collect();
    let end = PageEnd::new(rows.next().map(|row| paging::cursor("team", &row.id)));
    Ok(Typed::ok(&json!({ "channels": page, "response_metadata": end })))
}

/// A user, or the caller.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneUser {
    user: Option<SmolStr>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `users.getPresence`: of oneself in full.
fn presence(cx: &Read<'_, Slack>, args: OneUser) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let user = asked(cx.state, token, args.user.as_ref())?;
    let active = status::is_active(cx.state, user);
    let mut body = json!({ "presence": if active { "active" } else { "away" } });
    if user.id == token.user {
        body["online"] = json!(active);
        body["auto_away"] = json!(false);
        body["manual_away"] = json!(user.about.away);
        // A person has one window open; a bot has its sessions.
        let sessions = user.app.as_ref().map(|app| cx.state.rtm.count(app));
        body["connection_count"] = json!(sessions.unwrap_or(usize::from(active)));
        if active {
            body["last_activity"] = json!(cx.scene.now.as_secs());
        }
    }
    Ok(Typed::ok(&body))
}

/// Arguments of `users.setPresence`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetPresence {
    presence: String,
}

/// `users.setPresence`
fn set_presence(cx: &mut Write<'_, '_, Slack>, args: SetPresence) -> Result<Typed<Value>, Error> {
    let away = match args.presence.as_str() {
        "away" => true,
        "auto" => false,
        _ => return Err(Code::InvalidPresence.into()),
    };
    status::set_away(cx.state, cx.tx, &cx.caller.token()?.user, away);
    Ok(done())
}

/// `users.setActive`: does nothing any more, at Slack neither.
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn set_active(_: &Read<'_, Slack>, _: Nothing) -> Result<Typed<Value>, Error> {
    Ok(done())
}

/// `dnd.info`
fn dnd(cx: &Read<'_, Slack>, args: OneUser) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let user = asked(cx.state, token, args.user.as_ref())?;
    let own = user.id == token.user && token.kind == TokenKind::User;
    Ok(Typed::ok(&bodies::dnd(user, cx.scene.now, own)))
}

/// Arguments of `dnd.teamInfo`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct TeamDnd {
    users: Vec<SmolStr>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `dnd.teamInfo`: those that are not there are left out.
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn team_dnd(cx: &Read<'_, Slack>, args: TeamDnd) -> Result<Typed<Value>, Error> {
    const USERS_MAX: usize = 50;
    let known = args.users.iter().take(USERS_MAX).filter_map(|id| cx.state.users.get(id));
    let users: Map<String, Value> =
        known.map(|user| (user.id.to_string(), bodies::dnd(user, cx.scene.now, false))).collect();
    Ok(Typed::ok(&json!({ "users": users })))
}

/// Arguments of `dnd.setSnooze`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Snooze {
    num_minutes: Option<String>,
}

/// `dnd.setSnooze`
fn snooze(cx: &mut Write<'_, '_, Slack>, args: Snooze) -> Result<Typed<Value>, Error> {
    let minutes = args.num_minutes.and_then(|text| text.trim().parse::<i64>().ok()).ok_or(Code::MissingDuration)?;
    let until = status::snooze(cx.state, cx.tx, &cx.caller.token()?.user, minutes)?;
    Ok(Typed::ok(&json!({
        "snooze_enabled": true,
        "snooze_endtime": until,
        "snooze_remaining": minutes * 60,
        "snooze_is_indefinite": false,
    })))
}

/// `dnd.endSnooze`
fn end_snooze(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Result<Typed<Value>, Error> {
    let id = &cx.caller.token()?.user;
    status::end_snooze(cx.state, cx.tx, id)?;
    let user = cx.state.users.get(id).ok_or(Code::UserNotFound)?;
    Ok(Typed::ok(&bodies::dnd(user, cx.tx.now, true)))
}

/// `dnd.endDnd`: works whether there is anything to end or not.
fn end_dnd(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Result<Typed<Value>, Error> {
    match status::end_snooze(cx.state, cx.tx, &cx.caller.token()?.user) {
        Ok(()) | Err(Code::SnoozeNotActive) => Ok(done()),
        Err(code) => Err(code.into()),
    }
}
