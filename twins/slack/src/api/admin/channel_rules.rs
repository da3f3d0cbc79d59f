//! `admin.conversations.*` about what holds for a channel: workspaces, preferences, retention, and who may be in it.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, fields::missing, listed, method};
use crate::{
    error::Error,
    model::{
        State,
        audit::{self, Entity},
        channels::{Channel, Kind},
        connect,
        org::{self, ChannelRules, Place},
        restrictions,
    },
};

/// The longest time that messages are kept, in days.
const RETENTION_MAX: i64 = 36_500;
/// The most workspaces of one call.
const TEAMS_MAX: usize = 1_000;
const TEAMS: Pages = Pages { kind: "team", default: 100, most: 1_000 };
const ORIGINALS: Pages = Pages { kind: "channel", default: 100, most: 1_000 };

// Groups of the identity provider whose people alone may come into a private channel.
const ADD_GROUP: Method = method!(
    "conversations.restrictAccess.addGroup",
    "conversations:write",
    TIER_2,
    ("feature_not_enabled", "not_an_admin"),
    [
        "channel_is_not_private",
        "channel_not_found",
        "group_already_linked_to_channel",
        "group_must_not_be_empty",
        "group_not_found",
        "team_not_found",
    ],
    Run::Act(add_group)
);
const LIST_GROUPS: Method = method!(
    "conversations.restrictAccess.listGroups",
    "conversations:read",
    TIER_2,
    ("feature_not_enabled", "not_an_admin"),
    ["channel_not_found", "invalid_channel", "team_not_found"],
    Run::Look(list_groups)
);
const REMOVE_GROUP: Method = method!(
    "conversations.restrictAccess.removeGroup",
    "conversations:write",
    TIER_1,
    ("feature_not_enabled", "not_an_admin"),
    ["channel_not_found", "group_not_found", "invalid_channel", "link_not_found", "team_not_found"],
    Run::Act(remove_group)
);

pub(super) const METHODS: &[Method] = &[
    method!(
        "conversations.getTeams",
        "conversations:read",
        TIER_3,
        ("unsupported_team_type", "restricted_action"),
        ["channel_not_found", "channel_type_not_supported", "invalid_cursor", "invalid_limit"],
        Run::Look(get_teams)
    ),
    method!(
        "conversations.setTeams",
        "conversations:write",
        TIER_2,
        ("not_enabled", "restricted_action"),
        [
            "cannot_move_local_channel",
            "channel_not_found",
            "channel_type_not_supported",
            "invalid_target_team",
            "too_many_target_teams",
            "unsupported_arguments",
        ],
        Run::Act(set_teams)
    ),
    method!(
        "conversations.disconnectShared",
        "conversations:write",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        [
            "cannot_kick_home_team",
            "cannot_kick_team",
            "channel_not_found",
            "leaving_team_not_in_channel",
            "leaving_team_required",
            "no_teams_to_disconnect",
            "not_supported",
            "team_not_found",
        ],
        Run::Act(disconnect_shared)
    ),
    method!(
        "conversations.ekm.listOriginalConnectedChannelInfo",
        "conversations:read",
        TIER_2,
        ("not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit"],
        Run::Look(originals)
    ),
    method!(
        "conversations.getConversationPrefs",
        "conversations:read",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["channel_not_found", "channel_type_not_supported"],
        Run::Look(get_prefs)
    ),
    method!(
        "conversations.setConversationPrefs",
        "conversations:write",
        TIER_3,
        ("feature_not_enabled", "not_an_admin"),
        [
            "channel_mention_sync_required",
            "channel_not_found",
            "channel_type_not_supported",
            "default_org_wide_channel",
            "invalid_value",
        ],
        Run::Act(set_prefs)
    ),
    method!(
        "conversations.getCustomRetention",
        "conversations:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["channel_not_found", "channel_type_not_supported"],
        Run::Look(get_retention)
    ),
    method!(
        "conversations.setCustomRetention",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["channel_not_found", "channel_type_not_supported", "invalid_duration"],
        Run::Act(set_retention)
    ),
    method!(
        "conversations.removeCustomRetention",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["channel_not_found", "channel_type_not_supported"],
        Run::Act(|cx, fields| {
            let channel = channel(cx.state, fields)?;
            restrictions::keep(cx.state, cx.tx, &channel.id, 0);
            Ok(done())
        })
    ),
    ADD_GROUP,
    LIST_GROUPS,
    REMOVE_GROUP,
    // What the three were called before.
    ADD_GROUP.called("admin.conversations.whitelist.add", "/api/admin.conversations.whitelist.add"),
    LIST_GROUPS.called(
        "admin.conversations.whitelist.listGroupsLinkedToChannel",
        "/api/admin.conversations.whitelist.listGroupsLinkedToChannel",
    ),
    REMOVE_GROUP.called("admin.conversations.whitelist.remove", "/api/admin.conversations.whitelist.remove"),
];

fn channel(state: &State, fields: &Fields) -> Result<Arc<Channel>, Error> {
    state.admin_channel(&fields.need("channel_id")?)
}

fn change(cx: &mut Doing<'_, '_>, channel: &Channel, edit: impl FnOnce(&mut ChannelRules)) {
    org::set_rules(cx.state, cx.tx, &channel.id, edit);
}

/// `admin.conversations.getTeams`
fn get_teams(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = TEAMS.read(fields)?;
    let channel = channel(cx.state, fields)?;
    let mut teams = cx.state.teams_of_channel(&channel.id);
    teams.sort_unstable();
    let rows = teams.into_iter().filter(|team| *team >= from).map(|team| (team.clone(), team));
    Ok(listed("team_ids", TEAMS.cut(size, rows, |team| Some(json!(team)))))
}

/// `admin.conversations.setTeams`: shares a channel with workspaces, or takes it from some.
fn set_teams(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let channel = channel(cx.state, fields)?;
    let (teams, org_wide) = (fields.list("target_team_ids"), fields.flag("org_channel")?);
    let before = cx.state.place(&channel.id);
    if let Some(own) = fields.text("team_id")
        && !before.teams.contains(&own)
    {
        return Err("channel_not_found".into());
    }
    match teams.as_slice() {
        [] if !org_wide => return Err("unsupported_arguments".into()),
        teams if teams.len() > TEAMS_MAX => return Err("too_many_target_teams".into()),
        teams if !teams.iter().all(|team| cx.state.enterprise.teams.contains(team)) => {
            return Err("invalid_target_team".into());
        }
        // Sharing is not moving: that is what `admin.conversations.bulkMove` is for.
        [one] if !org_wide && before.teams.len() == 1 && !before.org_wide && before.teams[0] != *one => {
            return Err("cannot_move_local_channel".into());
        }
        _ => {}
    }
    let shared = org_wide || teams.len() > 1;
    org::set_place(cx.state, cx.tx, &channel.id, Place { teams, org_wide });
    let action = if shared { "channel_workspaces_updated" } else { "channel_moved" };
    audit::log(cx.state, cx.tx, &cx.by, action, &Entity::channel(&channel.id));
    Ok(json!({ "channel": channel.id }))
}

/// `admin.conversations.disconnectShared`: takes other companies out of a channel. Where there is one only, it need
/// not be named.
fn disconnect_shared(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let id = fields.need("channel_id")?;
    let row = cx.state.channels.get(&id).ok_or("channel_not_found")?;
    if !row.kind.is_channel() || row.general {
        return Err("not_supported".into());
    }
    let inside: Vec<SmolStr> = connect::connected(cx.state, &id).cloned().collect();
    let named = fields.list("leaving_team_ids");
    let leaving = match (named.as_slice(), inside.as_slice()) {
        (_, []) => return Err("no_teams_to_disconnect".into()),
        ([], [one]) => vec![one.clone()],
        ([], _) => return Err("leaving_team_required".into()),
        _ => named,
    };
    for team in &leaving {
        match team {
            // Whose channel it is stays in it.
            team if connect::host(cx.state, &id) == Some(team) => return Err("cannot_kick_team".into()),
            team if inside.contains(team) => {}
            team if *team == cx.state.workspace.id => return Err("cannot_kick_home_team".into()),
            team if cx.state.content.partners.contains(team) || cx.state.enterprise.teams.contains(team) => {
                return Err("leaving_team_not_in_channel".into());
            }
            _ => return Err("team_not_found".into()),
        }
    }
    for team in leaving {
        connect::disconnect(cx.state, cx.tx, &id, &team);
        let entity = Entity::channel(&id);
        audit::log(cx.state, cx.tx, &cx.by, "external_shared_channel_disconnected", &entity);
    }
    Ok(done())
}

/// `admin.conversations.ekm.listOriginalConnectedChannelInfo`: channels that were shared with other companies once,
/// of which there are none.
fn originals(_: &Asked<'_>, fields: &Fields) -> Told {
    let (_, size) = ORIGINALS.read(fields)?;
    Ok(listed("channels", ORIGINALS.cut(size, std::iter::empty::<(SmolStr, ())>(), |()| None)))
}

/// `admin.conversations.getConversationPrefs`
fn get_prefs(cx: &Asked<'_>, fields: &Fields) -> Told {
    let channel = channel(cx.state, fields)?;
    let set = cx.state.enterprise.rules.get(&channel.id).map(|rules| rules.prefs.clone()).unwrap_or_default();
    let mut prefs = Map::new();
    for (name, usual) in [
        ("who_can_post", json!({ "type": ["ra"], "user": [] })),
        ("can_thread", json!({ "type": ["ra"], "user": [] })),
        ("can_huddle", json!({ "enabled": true })),
        ("enable_at_channel", json!({ "enabled": true })),
        ("enable_at_here", json!({ "enabled": true })),
    ] {
        prefs.insert(name.to_owned(), set.get(name).cloned().unwrap_or(usual));
    }
    if let Some(limit) = set.get("membership_limit") {
        prefs.insert("membership_limit".to_owned(), limit.clone());
    }
    Ok(json!({ "prefs": prefs }))
}

/// Who is meant: `type:admin,user:U1,subteam:S1` as types, users and groups.
fn audience(text: &str) -> Result<Value, Error> {
    let (mut types, mut users, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once(':') {
            Some(("type", kind @ ("ra" | "admin" | "owner" | "org_admin" | "org_owner" | "user"))) => types.push(kind),
            Some(("user", id)) => users.push(id),
            Some(("subteam", id)) => groups.push(id),
            _ => return Err("invalid_value".into()),
        }
    }
    let mut told = json!({ "type": types, "user": users });
    if !groups.is_empty() {
        told["subteam"] = json!(groups);
    }
    Ok(told)
}

/// A preference as it is kept.
fn preference(name: &str, value: &Value) -> Result<Value, Error> {
    let enabled = |value: &Value| match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        Value::Object(members) => members.get("enabled").and_then(Value::as_bool),
        _ => None,
    };
    match (name, value) {
        ("who_can_post" | "can_thread", Value::String(text)) => audience(text),
        ("who_can_post" | "can_thread", Value::Object(_)) => Ok(value.clone()),
        ("can_huddle" | "enable_at_channel" | "enable_at_here", value) => {
            Ok(json!({ "enabled": enabled(value).ok_or("invalid_value")? }))
        }
        ("membership_limit", value) => {
            let number = value.as_i64().or_else(|| value["value"].as_i64()).or_else(|| value.as_str()?.parse().ok());
            Ok(json!({ "value": number.filter(|n| *n > 0).ok_or("invalid_value")? }))
        }
        _ => Err("invalid_value".into()),
    }
}

/// `admin.conversations.setConversationPrefs`
fn set_prefs(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let channel = super::changeable(cx.state, &fields.need("channel_id")?)?;
    let given = fields.object("prefs").map_err(|_| Error::from("invalid_value"))?.ok_or_else(|| missing("prefs"))?;
    let mut prefs = Map::new();
    for (name, value) in &given {
        prefs.insert(name.clone(), preference(name, value)?);
    }
    if prefs.get("enable_at_channel") != prefs.get("enable_at_here") {
        return Err("channel_mention_sync_required".into());
    }
    let details = prefs.clone();
    restrictions::prefer(cx.state, cx.tx, &channel.id, &cx.by, prefs);
    let entity = Entity::channel(&channel.id);
    audit::log_with(cx.state, cx.tx, (&cx.by, "channel_posting_permissions_updated", &entity), details);
    Ok(done())
}

/// `admin.conversations.getCustomRetention`
fn get_retention(cx: &Asked<'_>, fields: &Fields) -> Told {
    let channel = channel(cx.state, fields)?;
    let days = cx.state.enterprise.rules.get(&channel.id).map_or(0, |rules| rules.retention_days);
    Ok(json!({ "is_policy_enabled": days > 0, "duration_days": days }))
}

/// `admin.conversations.setCustomRetention`
fn set_retention(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let channel = channel(cx.state, fields)?;
    let days = fields.number("duration_days")?.ok_or_else(|| missing("duration_days"))?;
    if !(1..RETENTION_MAX).contains(&days) {
        return Err("invalid_duration".into());
    }
    restrictions::keep(cx.state, cx.tx, &channel.id, days);
    Ok(done())
}

/// A private channel, in the workspace that is named.
fn private(state: &State, fields: &Fields) -> Result<Arc<Channel>, Error> {
    let id = fields.need("channel_id")?;
    let row = state.channels.get(&id).ok_or("channel_not_found")?;
    if let Some(team) = fields.text("team_id") {
        state.admin_team(&team)?;
        if !state.teams_of_channel(&id).contains(&team) {
            return Err("channel_not_found".into());
        }
    }
    if row.kind == Kind::Private { Ok(Arc::clone(row)) } else { Err("invalid_channel".into()) }
}

/// `admin.conversations.restrictAccess.listGroups`
fn list_groups(cx: &Asked<'_>, fields: &Fields) -> Told {
    let channel = private(cx.state, fields)?;
    let rules = cx.state.enterprise.rules.get(&channel.id);
    Ok(json!({ "group_ids": rules.map(|rules| rules.groups.clone()).unwrap_or_default() }))
}

/// `admin.conversations.restrictAccess.addGroup`
fn add_group(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let group = fields.need("group_id")?;
    let channel = private(cx.state, fields).map_err(|error| match error.code().as_str() {
        "invalid_channel" => Error::from("channel_is_not_private"),
        _ => error,
    })?;
    let row = cx.state.groups.get(&group).filter(|group| group.idp && group.deleted == 0).ok_or("group_not_found")?;
    if row.users.is_empty() {
        return Err("group_must_not_be_empty".into());
    }
    let linked = cx.state.enterprise.rules.get(&channel.id).is_some_and(|rules| rules.groups.contains(&group));
    if linked {
        return Err("group_already_linked_to_channel".into());
    }
    change(cx, &channel, |rules| rules.groups.push(group.clone()));
    Ok(done())
}

/// `admin.conversations.restrictAccess.removeGroup`
fn remove_group(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let (group, channel) = (fields.need("group_id")?, private(cx.state, fields)?);
    if !cx.state.groups.contains(&group) {
        return Err("group_not_found".into());
    }
    let linked = cx.state.enterprise.rules.get(&channel.id).is_some_and(|rules| rules.groups.contains(&group));
    if !linked {
        return Err("link_not_found".into());
    }
    change(cx, &channel, |rules| rules.groups.retain(|id| *id != group));
    Ok(done())
}
