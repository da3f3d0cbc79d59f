//! `admin.usergroups.*`: what groups of the identity provider bring with them.

use std::sync::Arc;

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Asked, Doing, Fields, Method, Run, Told, done, method};
use crate::{
    error::Error,
    model::{
        State,
        audit::{self, Entity},
        groups::{self, Group},
        org::{self, Seat},
        people::Role,
    },
    shapes::{self, ChannelView, Occasion},
};

/// The most channels of one call.
const CHANNELS_MAX: usize = 100;

pub(super) const METHODS: &[Method] = &[
    method!(
        "usergroups.addChannels",
        "usergroups:write",
        TIER_1,
        ("not_an_enterprise", "not_an_admin"),
        [
            "channel_not_found",
            "invalid_channels_limit",
            "team_not_found",
            "usergroup_not_found",
            "usergroup_not_linked_to_team",
        ],
        Run::Act(add_channels)
    ),
    method!(
        "usergroups.removeChannels",
        "usergroups:write",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["channel_not_found", "invalid_channels_limit", "usergroup_not_found"],
        Run::Act(remove_channels)
    ),
    method!(
        "usergroups.listChannels",
        "usergroups:read",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["team_not_found", "usergroup_not_found", "usergroup_not_linked_to_team"],
        Run::Look(list_channels)
    ),
    method!(
        "usergroups.addTeams",
        "teams:write",
        TIER_2,
        ("restricted_action", "restricted_action"),
        ["invalid_team_ids", "no_team_ids_given", "usergroup_not_found"],
        Run::Act(add_teams)
    ),
];

/// A group of the identity provider.
fn group(state: &State, fields: &Fields) -> Result<Arc<Group>, Error> {
    let id = fields.need("usergroup_id")?;
    let row = state.groups.get(&id).filter(|group| group.idp && group.deleted == 0);
    row.map(Arc::clone).ok_or_else(|| "usergroup_not_found".into())
}

/// The workspace that is named, to which the group must be linked.
fn linked(state: &State, group: &Group, fields: &Fields) -> Result<Option<SmolStr>, Error> {
    let Some(team) = fields.text("team_id") else { return Ok(None) };
    state.admin_team(&team)?;
    if group.teams.contains(&team) { Ok(Some(team)) } else { Err("usergroup_not_linked_to_team".into()) }
}

fn channels(state: &State, fields: &Fields) -> Result<Vec<SmolStr>, Error> {
    let ids = fields.some("channel_ids", usize::MAX)?;
    if ids.len() > CHANNELS_MAX {
        return Err("invalid_channels_limit".into());
    }
    let bad: Vec<SmolStr> = ids.iter().filter(|id| state.admin_channel(id).is_err()).cloned().collect();
    if bad.is_empty() {
        Ok(ids)
    } else {
        Err(Error::Listed { code: "channel_not_found", name: "invalid_channels", ids: bad })
    }
}

/// `admin.usergroups.addChannels`: the group's people come into them.
fn add_channels(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let group = group(cx.state, fields)?;
    linked(cx.state, &group, fields)?;
    let ids = channels(cx.state, fields)?;
    groups::set_channels(cx.state, cx.tx, (&cx.by, &group.id), |channels| {
        let new = ids.iter().filter(|id| !channels.contains(*id)).cloned().collect::<Vec<_>>();
        channels.extend(new);
    });
    groups::bring_in(cx.state, cx.tx, &cx.by, &group.id);
    audit::log(cx.state, cx.tx, &cx.by, "default_channel_added_to_usergroup", &Entity::usergroup(&group.id));
    Ok(done())
}

/// `admin.usergroups.removeChannels`: who is in them stays.
fn remove_channels(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let group = group(cx.state, fields)?;
    let ids = channels(cx.state, fields)?;
    groups::set_channels(cx.state, cx.tx, (&cx.by, &group.id), |channels| channels.retain(|id| !ids.contains(id)));
    audit::log(cx.state, cx.tx, &cx.by, "default_channel_removed_from_usergroup", &Entity::usergroup(&group.id));
    Ok(done())
}

/// `admin.usergroups.listChannels`
fn list_channels(cx: &Asked<'_>, fields: &Fields) -> Told {
    let group = group(cx.state, fields)?;
    let team = linked(cx.state, &group, fields)?;
    let count = fields.flag("include_num_members")?;
    let rows = group.channels.iter().filter_map(|id| cx.state.channels.get(id));
    let here = |id: &SmolStr| team.as_ref().is_none_or(|team| cx.state.teams_of_channel(id).contains(team));
    let shown = |row: &Arc<_>| {
        let view = ChannelView { viewer: &cx.by.id, occasion: Occasion::Asked, num_members: count, locale: false };
        let mut told = serde_json::to_value(shapes::conversation(cx.state, row, view)).unwrap_or_default();
        told["team_id"] = json!(cx.state.teams_of_channel(&row.id).first());
        told
    };
    let rows: Vec<Value> = rows.filter(|row| here(&row.id)).map(shown).collect();
    Ok(json!({ "channels": rows }))
}

/// `admin.usergroups.addTeams`: with `auto_provision`, the group's people come into them.
fn add_teams(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let group = group(cx.state, fields)?;
    let teams = fields.list("team_ids");
    if teams.is_empty() {
        return Err("no_team_ids_given".into());
    }
    let bad: Vec<SmolStr> = teams.iter().filter(|team| !cx.state.enterprise.teams.contains(team)).cloned().collect();
    if !bad.is_empty() {
        return Err(Error::Listed { code: "invalid_team_ids", name: "errors", ids: bad });
    }
    groups::link(cx.state, cx.tx, &group.id, &teams);
    if fields.flag("auto_provision")? {
        let away = teams.iter().filter(|team| **team != cx.state.workspace.id).cloned().collect::<Vec<_>>();
        for team in &away {
            for user in &group.users {
                let new = cx.state.users.get(user).is_some_and(|row| cx.state.seat(team, row).is_none());
                if new {
                    let since = cx.tx.now.as_secs();
                    let seat = Seat { role: Role::Member, single_channel: false, expires: 0, since };
                    org::put_seat(cx.state, cx.tx, team, user, seat);
                }
            }
        }
    }
    Ok(done())
}
