//! `admin.users.session.*`: where people are signed in.

use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, fields::missing, is_bot, listed, method};
use crate::{
    error::Error,
    model::{
        State,
        audit::{self, Entity},
        channels,
        messages::{self, Draft},
        people::{Role, SLACKBOT, User},
        sessions::{self, Device, Session, SessionRules, Which},
    },
};

/// The most people of one call.
const USERS_MAX: usize = 1_000;
/// How long a session may last, in seconds.
const DURATIONS: std::ops::RangeInclusive<i64> = 28_800..=315_569_520;
/// How far exports look back, in seconds, where nobody says.
const HALF_A_YEAR: i64 = 183 * 24 * 3600;
const SESSIONS: Pages = Pages { kind: "session", default: 1_000, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "users.unsupportedVersions.export",
        "users:read",
        TIER_1,
        ("not_an_enterprise", "not_an_admin"),
        [],
        Run::Act(export_versions)
    ),
    method!(
        "users.session.list",
        "users:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "bots_not_allowed",
            "invalid_cursor",
            "invalid_limit",
            "missing_team",
            "missing_user",
            "no_active_sessions",
            "team_not_found",
            "user_not_found",
        ],
        Run::Look(list)
    ),
    method!(
        "users.session.invalidate",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["cannot_invalidate_primary_owner", "session_not_found", "user_not_found"],
        Run::Act(invalidate)
    ),
    method!(
        "users.session.reset",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["cannot_reset_bot", "cannot_reset_primary_owner", "user_not_found"],
        Run::Act(reset)
    ),
    method!(
        "users.session.resetBulk",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["cannot_reset_bot", "cannot_reset_primary_owner", "user_not_found"],
        Run::Act(reset_bulk)
    ),
    method!(
        "users.session.getSettings",
        "users:read",
        TIER_4,
        ("feature_not_enabled", "not_an_admin"),
        ["bots_not_allowed", "user_not_found"],
        Run::Look(get_settings)
    ),
    method!(
        "users.session.setSettings",
        "users:write",
        TIER_4,
        ("feature_not_enabled", "not_an_admin"),
        ["at_least_one_session_setting_required", "bots_not_allowed", "user_not_found"],
        Run::Act(set_settings)
    ),
    method!(
        "users.session.clearSettings",
        "users:write",
        TIER_4,
        ("feature_not_enabled", "not_an_admin"),
        ["bots_not_allowed", "user_not_found"],
        Run::Act(clear_settings)
    ),
];

/// What a session was opened with. The machine that programs are tested on is the only one there is.
fn device(session: &Session) -> Value {
    let (hardware, os) = match session.device {
        Device::Web => ("Intel", "Chrome"),
        Device::Desktop => ("Intel", "OS X"),
        Device::Mobile => ("iPhone", "iOS"),
    };
    json!({ "device_hardware": hardware, "os": os, "os_version": "", "slack_client_version": "", "ip": "127.0.0.1" })
}

fn shown(state: &State, number: u64, session: &Session) -> Value {
    json!({
        "user_id": session.user,
        "team_id": state.enterprise_id(),
        "session_id": number,
        "created": device(session),
        "recent": device(session),
    })
}

/// `admin.users.session.list`
fn list(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = SESSIONS.read(fields)?;
    let from: u64 = from.parse().unwrap_or(0);
    let rows: Vec<(SmolStr, Value)> = match (fields.text("team_id"), fields.text("user_id")) {
        (None, Some(_)) => return Err("missing_team".into()),
        (Some(_), None) => return Err("missing_user".into()),
        (Some(team), Some(user)) => {
            cx.state.admin_team(&team)?;
            people(cx.state, std::slice::from_ref(&user), "bots_not_allowed")?;
            let own = cx.state.sessions_of(&user).filter(|(number, _)| *number >= from);
            own.map(|(number, session)| (format_smolstr!("{number}"), shown(cx.state, number, session))).collect()
        }
        (None, None) => {
            let all = cx.state.enterprise.sessions.range(from..).take(size + 1);
            all.map(|(number, session)| (format_smolstr!("{number}"), shown(cx.state, *number, session))).collect()
        }
    };
    if rows.is_empty() {
        return Err("no_active_sessions".into());
    }
    Ok(listed("active_sessions", SESSIONS.cut(size, rows.into_iter(), |row| Some(row.clone()))))
}

/// The people named: all of them are there, and none is a bot.
fn people(state: &State, ids: &[SmolStr], bot: &'static str) -> Result<Vec<std::sync::Arc<User>>, Error> {
    let find = |id: &SmolStr| {
        let user = state.admin_user(id)?;
        if is_bot(user) { Err(bot.into()) } else { Ok(user.clone()) }
    };
    ids.iter().map(find).collect()
}

/// Only the primary owner ends the primary owner's sessions.
fn may_end(cx: &Doing<'_, '_>, user: &User) -> bool {
    user.role != Role::PrimaryOwner || user.id == cx.by
}

/// `admin.users.session.invalidate`. The clients do not say whose session it is: its number does.
fn invalidate(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let number = fields.number("session_id")?.ok_or_else(|| missing("session_id"))?;
    let number = u64::try_from(number).unwrap_or(0);
    if let Some(team) = fields.text("team_id")
        && cx.state.enterprise_id() != Some(&team)
    {
        cx.state.admin_team(&team).map_err(|_| Error::from("session_not_found"))?;
    }
    let session = cx.state.enterprise.sessions.get(&number).ok_or("session_not_found")?.clone();
    if fields.text("user_id").is_some_and(|user| user != session.user) {
        return Err("session_not_found".into());
    }
    let user = cx.state.admin_user(&session.user)?;
    if !may_end(cx, user) {
        return Err("cannot_invalidate_primary_owner".into());
    }
    sessions::end(cx.state, cx.tx, &session.user, number);
    audit::log(cx.state, cx.tx, &cx.by, "user_session_invalidated", &Entity::user(&session.user));
    Ok(done())
}

fn which(fields: &Fields) -> Result<Which, Error> {
    Ok(Which { mobile_only: fields.flag("mobile_only")?, web_only: fields.flag("web_only")? })
}

fn reset_these(cx: &mut Doing<'_, '_>, ids: &[SmolStr], which: Which) -> Told {
    let users = people(cx.state, ids, "cannot_reset_bot")?;
    if users.iter().any(|user| !may_end(cx, user)) {
        return Err("cannot_reset_primary_owner".into());
    }
    let action = if ids.len() == 1 { "user_session_reset_by_admin" } else { "bulk_session_reset_by_admin" };
    for id in ids {
        sessions::end_all(cx.state, cx.tx, id, which);
        audit::log(cx.state, cx.tx, &cx.by, action, &Entity::user(id));
    }
    Ok(done())
}

/// `admin.users.session.reset`
fn reset(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let user = fields.need("user_id")?;
    reset_these(cx, &[user], which(fields)?)
}

/// `admin.users.session.resetBulk`
fn reset_bulk(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let users = fields.some("user_ids", USERS_MAX)?;
    reset_these(cx, &users, which(fields)?)
}

/// `admin.users.session.getSettings`: of people who are signed in.
fn get_settings(cx: &Asked<'_>, fields: &Fields) -> Told {
    let users = fields.some("user_ids", USERS_MAX)?;
    people(cx.state, &users, "bots_not_allowed")?;
    let rules = |user: &SmolStr| cx.state.enterprise.session_rules.get(user).cloned();
    let (with, without): (Vec<&SmolStr>, Vec<&SmolStr>) = users.iter().partition(|user| rules(user).is_some());
    let row = |user: &&SmolStr| {
        let rules = rules(user)?;
        Some(json!({ "user_id": user, "desktop_app_browser_quit": rules.quits, "duration": rules.duration }))
    };
    let settings: Vec<Value> = with.iter().filter_map(row).collect();
    Ok(json!({ "session_settings": settings, "no_settings_applied": without }))
}

/// `admin.users.session.setSettings`
fn set_settings(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let users = fields.some("user_ids", USERS_MAX)?;
    let (duration, quits) = (fields.number("duration")?, fields.choice("desktop_app_browser_quit")?);
    if duration.is_none() && quits.is_none() {
        return Err("at_least_one_session_setting_required".into());
    }
    if duration.is_some_and(|duration| !DURATIONS.contains(&duration)) {
        return Err(Error::Arguments(vec!["must be between 28800 and 315569520 [json-pointer:/duration]".to_owned()]));
    }
    people(cx.state, &users, "bots_not_allowed")?;
    for user in users {
        let before = cx.state.enterprise.session_rules.get(&user).map(|rules| SessionRules::clone(rules));
        let before = before.unwrap_or_default();
        let rules = SessionRules { duration: duration.or(before.duration), quits: quits.or(before.quits) };
        cx.state.enterprise.session_rules.put(&mut cx.tx.changes, user.clone(), rules);
        audit::log(cx.state, cx.tx, &cx.by, "user_session_settings_changed", &Entity::user(&user));
    }
    Ok(done())
}

/// `admin.users.session.clearSettings`
fn clear_settings(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let users = fields.some("user_ids", USERS_MAX)?;
    people(cx.state, &users, "bots_not_allowed")?;
    for user in users {
        cx.state.enterprise.session_rules.remove(&mut cx.tx.changes, &user);
    }
    Ok(done())
}

/// `admin.users.unsupportedVersions.export`: Slackbot writes to who asks. Nobody's program is too old here, as no
/// version of one is known; so that the table is empty, and is told of in words.
fn export_versions(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let now = cx.tx.now.as_secs();
    let since = fields.number("date_sessions_started")?.unwrap_or(now - HALF_A_YEAR);
    let ends = fields.number("date_end_of_support")?;
    if since > now || ends.is_some_and(|at| at < 0) {
        return Err(Error::Arguments(vec![
            "must be a date of the past [json-pointer:/date_sessions_started]".to_owned(),
        ]));
    }
    let until =
        ends.map_or_else(|| "all announced ends of support".to_owned(), |at| format!("ends of support until {at}"));
    let text = format!("No members use unsupported software: sessions since {since}, {until}.");
    let talkers = [SmolStr::from(SLACKBOT), cx.by.clone()];
    let channel = channels::open_direct(cx.state, cx.tx, &talkers);
    messages::post(cx.state, cx.tx, &channel, Draft::new(&talkers[0], text));
    Ok(done())
}
