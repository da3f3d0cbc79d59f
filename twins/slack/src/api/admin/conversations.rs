//! `admin.conversations.*` that make, change, move and end channels, and find them.

use std::{cmp::Reverse, sync::Arc};

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, fields::missing, is_public, listed, method};
use crate::{
    api::paging,
    error::{Code, Error},
    model::{
        State,
        audit::{self, Entity},
        channels::{self, Channel, Kind, NewChannel, Note},
        connect, convert,
        org::{self, BULK, Place},
        restrictions, upkeep,
    },
};

/// The most channels of one call.
const BULK_MAX: usize = 100;
/// The most people invited at once.
const INVITES_MAX: usize = 1_000;
const LOOKUP: Pages = Pages { kind: "channel", default: 1_000, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "conversations.create",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "restricted_action"),
        ["invalid_name", "name_taken", "team_id_or_org_required", "team_not_found"],
        Run::Act(create)
    ),
    method!(
        "conversations.archive",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "restricted_action"),
        [
            "already_archived",
            "cant_archive_general",
            "channel_not_found",
            "channel_type_not_supported",
            "default_org_wide_channel",
        ],
        Run::Act(archive)
    ),
    method!(
        "conversations.unarchive",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "restricted_action"),
        ["channel_not_archived", "channel_not_found", "channel_type_not_supported", "default_org_wide_channel"],
        Run::Act(unarchive)
    ),
    method!(
        "conversations.rename",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "restricted_action"),
        [
            "channel_not_found",
            "channel_type_not_supported",
            "could_not_rename_channel",
            "default_org_wide_channel",
            "name_taken",
        ],
        Run::Act(rename)
    ),
    method!(
        "conversations.delete",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["channel_not_found", "channel_type_not_supported", "default_org_wide_channel"],
        Run::Act(delete)
    ),
    method!(
        "conversations.convertToPrivate",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "restricted_action"),
        [
            "channel_not_found",
            "channel_type_not_supported",
            "default_org_wide_channel",
            "method_not_supported_for_channel_type",
            "name_taken",
        ],
        Run::Act(to_private)
    ),
    method!(
        "conversations.convertToPublic",
        "conversations:write",
        TIER_2,
        ("not_an_enterprise", "restricted_action"),
        ["channel_not_found", "not_supported"],
        Run::Act(to_public)
    ),
    method!(
        "conversations.invite",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "user_must_be_admin"),
        ["channel_not_found", "channel_type_not_supported", "default_org_wide_channel", "failed_for_some_users"],
        Run::Act(invite)
    ),
    method!(
        "conversations.bulkArchive",
        "conversations:write",
        TIER_2,
        ("invalid_enterprise", "restricted_action"),
        ["no_valid_channels"],
        Run::Act(|cx, fields| bulk(cx, fields, archivable, |cx, channel| {
            let _ = upkeep::archive(cx.state, cx.tx, channel, &cx.by);
            noted(cx, channel, "public_channel_archive", "private_channel_archive");
        }))
    ),
    method!(
        "conversations.bulkDelete",
        "conversations:write",
        TIER_2,
        ("restricted_action", "restricted_action"),
        ["no_valid_channels"],
        Run::Act(|cx, fields| bulk(cx, fields, |_| Ok(()), remove))
    ),
    method!(
        "conversations.bulkSetProperties",
        "conversations:write",
        TIER_2,
        ("feature_not_enabled", "restricted_action"),
        ["no_valid_channels", "property_not_allowed", "too_many_properties"],
        Run::Act(bulk_set_properties)
    ),
    method!(
        "conversations.bulkMove",
        "conversations:write",
        TIER_2,
        ("restricted_action", "restricted_action"),
        ["no_valid_channels", "target_team_not_found"],
        Run::Act(bulk_move)
    ),
    method!(
        "conversations.search",
        "conversations:read",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        [
            "external_team_not_connected_to_this_org",
            "invalid_cursor",
            "invalid_limit",
            "invalid_search_channel_type",
            "invalid_sort",
            "invalid_sort_dir",
            "team_not_found",
        ],
        Run::Look(search)
    ),
    method!(
        "conversations.lookup",
        "conversations:read",
        TIER_2,
        ("feature_not_enabled", "feature_not_enabled"),
        ["invalid_cursor", "invalid_limit", "no_valid_teams"],
        Run::Look(lookup)
    ),
];

/// Writes down what was done to a channel: the log's actions name public and private ones apart.
fn noted(cx: &mut Doing<'_, '_>, channel: &Channel, public: &'static str, private: &'static str) {
    let action = if is_public(channel) { public } else { private };
    audit::log(cx.state, cx.tx, &cx.by, action, &Entity::channel(&channel.id));
}

/// `admin.conversations.create`: in one workspace, or in all.
fn create(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let name = fields.need("name")?;
    let private = fields.choice("is_private")?.ok_or_else(|| missing("is_private"))?;
    let org_wide = fields.flag("org_wide")?;
    let team = fields.text("team_id");
    if let Some(team) = &team {
        cx.state.admin_team(team)?;
    } else if !org_wide {
        return Err("team_id_or_org_required".into());
    }
    channels::check_name(&name).map_err(|_| Error::from("invalid_name"))?;
    if cx.state.has_channel_named(&name) {
        return Err("name_taken".into());
    }
    let kind = if private { Kind::Private } else { Kind::Public };
    let home = org_wide || team.as_ref() == Some(&cx.state.workspace.id);
    let id = if home {
        channels::create(cx.state, cx.tx, &cx.by, &name, kind)?
    } else {
        let created = cx.tx.now.as_secs();
        let new = NewChannel { name, kind, creator: cx.by.clone(), created };
        let id = channels::add(cx.state, cx.tx, new).id.clone();
        channels::add_member(cx.state, cx.tx, &id, &cx.by, created);
        id
    };
    if org_wide || !home {
        org::set_place(cx.state, cx.tx, &id, Place { teams: team.into_iter().collect(), org_wide });
    }
    if let Some(description) = fields.text("description") {
        let note = Note { value: description, creator: cx.by.clone(), last_set: cx.tx.now.as_secs() };
        cx.state.channels.update(&mut cx.tx.changes, &id, |row| row.purpose = note);
    }
    Ok(json!({ "channel_id": id }))
}

fn channel(cx: &Doing<'_, '_>, fields: &Fields) -> Result<Arc<Channel>, Error> {
    super::changeable(cx.state, &fields.need("channel_id")?)
}

/// `admin.conversations.archive`
fn archive(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let id = fields.need("channel_id")?;
    if cx.state.channels.get(&id).is_some_and(|row| row.general) {
        return Err("cant_archive_general".into());
    }
    let channel = super::changeable(cx.state, &id)?;
    upkeep::archive(cx.state, cx.tx, &channel, &cx.by)?;
    noted(cx, &channel, "public_channel_archive", "private_channel_archive");
    Ok(done())
}

/// `admin.conversations.unarchive`: without the administrator coming into it.
fn unarchive(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let channel = channel(cx, fields)?;
    let was_in = cx.state.is_member(&channel.id, &cx.by);
    upkeep::unarchive(cx.state, cx.tx, &channel, &cx.by).map_err(|_| Error::from("channel_not_archived"))?;
    if !was_in {
        channels::remove_member(cx.state, cx.tx, &channel.id, &cx.by);
    }
    noted(cx, &channel, "public_channel_unarchive", "private_channel_unarchive");
    Ok(done())
}

/// `admin.conversations.rename`
fn rename(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let (channel, name) = (channel(cx, fields)?, fields.need("name")?);
    upkeep::rename(cx.state, cx.tx, &channel, &cx.by, &name).map_err(|code| match code {
        Code::NameTaken => Error::from(Code::NameTaken),
        _ => "could_not_rename_channel".into(),
    })?;
    noted(cx, &channel, "channel_renamed", "channel_renamed");
    Ok(done())
}

fn remove(cx: &mut Doing<'_, '_>, channel: &Channel) {
    noted(cx, channel, "public_channel_deleted", "private_channel_deleted");
    convert::delete(cx.state, cx.tx, channel, &cx.by);
}

/// `admin.conversations.delete`
fn delete(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let channel = channel(cx, fields)?;
    remove(cx, &channel);
    Ok(done())
}

/// `admin.conversations.convertToPrivate`: of a group message with the name given.
fn to_private(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let id = fields.need("channel_id")?;
    let row = cx.state.channels.get(&id).cloned().ok_or("channel_not_found")?;
    if row.kind == Kind::Public && !row.general {
        super::changeable(cx.state, &id)?;
    }
    let name = match row.kind {
        Kind::Mpim => Some(fields.need("name")?),
        Kind::Public if !row.general => None,
        _ => return Err("channel_type_not_supported".into()),
    };
    if let Some(name) = &name {
        channels::check_name(name).map_err(|_| Error::from("name_taken"))?;
        if cx.state.has_channel_named(name) {
            return Err("name_taken".into());
        }
    }
    convert::convert(cx.state, cx.tx, &row, Kind::Private, name.as_ref());
    let was = row.kind == Kind::Mpim;
    let action = if was { "mpim_converted_to_private" } else { "public_channel_converted_to_private" };
    audit::log(cx.state, cx.tx, &cx.by, action, &Entity::channel(&id));
    Ok(done())
}

/// `admin.conversations.convertToPublic`
fn to_public(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let id = fields.need("channel_id")?;
    let row = cx.state.channels.get(&id).cloned().ok_or("channel_not_found")?;
    if row.kind != Kind::Private {
        return Err("not_supported".into());
    }
    convert::convert(cx.state, cx.tx, &row, Kind::Public, None);
    let place = cx.state.place(&id);
    if cx.state.enterprise.places.contains(&id) {
        org::set_place(cx.state, cx.tx, &id, place);
    }
    audit::log(cx.state, cx.tx, &cx.by, "private_channel_converted_to_public", &Entity::channel(&id));
    Ok(done())
}

/// `admin.conversations.invite`: into archived channels nobody comes. Who is in it already stays.
fn invite(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let channel = channel(cx, fields)?;
    let users = fields.some("user_ids", INVITES_MAX)?;
    let why = |user: &SmolStr| match cx.state.users.get(user) {
        None => Some("user_not_found"),
        Some(row) if row.deleted => Some("user_is_deactivated"),
        Some(_) if channel.archived => Some("is_archived"),
        Some(_) => None,
    };
    let mut coming = 0;
    let mut failed: Vec<(SmolStr, &str)> = Vec::new();
    for user in &users {
        let is_new = !cx.state.is_member(&channel.id, user);
        let rule = || restrictions::check_join(cx.state, &channel, user, coming).err().map(Code::as_str);
        let rule = || if is_new { rule() } else { None };
        match why(user).or_else(rule) {
            Some(why) => failed.push((user.clone(), why)),
            None => coming += usize::from(is_new),
        }
    }
    if !failed.is_empty() {
        return Err(Error::Some { code: "failed_for_some_users", name: "failed_user_ids", failed });
    }
    let by = cx.by.clone();
    for user in users {
        if !cx.state.is_member(&channel.id, &user) {
            channels::join(cx.state, cx.tx, &channel.id, &user, Some(&by));
        }
    }
    Ok(done())
}

fn archivable(channel: &Channel) -> Result<(), &'static str> {
    if channel.archived { Err("already_archived") } else { Ok(()) }
}

/// Does something to several channels: to those that it can be done to.
fn bulk(
    cx: &mut Doing<'_, '_>,
    fields: &Fields,
    fits: impl Fn(&Channel) -> Result<(), &'static str>,
    act: impl Fn(&mut Doing<'_, '_>, &Channel),
) -> Told {
    let ids = fields.some("channel_ids", BULK_MAX)?;
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for id in ids {
        match cx.state.admin_channel(&id) {
            Err(error) => bad.push(json!({ "channel_id": id, "errors": [error.code()] })),
            Ok(channel) => match fits(&channel) {
                Err(code) => bad.push(json!({ "channel_id": id, "errors": [code] })),
                Ok(()) => good.push(channel),
            },
        }
    }
    if good.is_empty() {
        return Err("no_valid_channels".into());
    }
    for channel in &good {
        act(cx, channel);
    }
    Ok(json!({ "bulk_action_id": cx.tx.id(&BULK), "not_added": bad }))
}

/// `admin.conversations.bulkMove`: to one workspace and out of all others.
fn bulk_move(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let team = fields.need("target_team_id")?;
    cx.state.admin_team(&team).map_err(|_| Error::from("target_team_not_found"))?;
    bulk(
        cx,
        fields,
        |_| Ok(()),
        |cx, channel| {
            let place = Place { teams: vec![team.clone()], org_wide: false };
            org::set_place(cx.state, cx.tx, &channel.id, place);
            noted(cx, channel, "channel_moved", "channel_moved");
        },
    )
}

/// `admin.conversations.bulkSetProperties`: there is one property that may be set.
fn bulk_set_properties(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let given = fields.object("property")?.ok_or_else(|| missing("property"))?;
    let excluded = match (given.len(), given.get("exclude_from_slack_ai")) {
        (2.., _) => return Err("too_many_properties".into()),
        (1, Some(Value::Bool(excluded))) => *excluded,
        _ => return Err("property_not_allowed".into()),
    };
    bulk(
        cx,
        fields,
        |_| Ok(()),
        |cx, channel| {
            let before = cx.state.enterprise.rules.get(&channel.id);
            let mut rules = before.map(|rules| org::ChannelRules::clone(rules)).unwrap_or_default();
            rules.exclude_from_ai = excluded;
            cx.state.enterprise.rules.put(&mut cx.tx.changes, channel.id.clone(), rules);
        },
    )
}

/// Whether a channel is of a kind.
type Fits = fn(&State, &Channel) -> bool;

/// The kinds that a search may ask for or leave out.
const SEARCHED: &[(&str, Fits)] = &[
    ("private", |_, row| row.kind == Kind::Private),
    ("archived", |_, row| row.archived),
    ("org_wide", |state, row| state.place(&row.id).org_wide),
    ("multi_workspace", |state, row| state.teams_of_channel(&row.id).len() > 1),
    ("exclude_archived", |_, row| !row.archived),
    ("private_exclude", |_, row| row.kind != Kind::Private),
    ("external_shared", |state, row| is_abroad(state, row)),
    ("external_shared_archived", |state, row| row.archived && is_abroad(state, row)),
    ("external_shared_private", |state, row| row.kind == Kind::Private && is_abroad(state, row)),
    ("external_shared_exclude", |state, row| !is_abroad(state, row)),
    ("org_shared", |state, row| state.enterprise.places.contains(&row.id)),
];

/// Whether other companies are in a channel.
fn is_abroad(state: &State, channel: &Channel) -> bool {
    connect::connected(state, &channel.id).next().is_some()
}

/// When something was last said in a channel, in microseconds; 0 where nothing was.
fn last_activity(state: &State, channel: &Channel) -> u64 {
    state.timeline(&channel.id, u64::MAX).next_back().map_or(0, |message| message.ts)
}

fn found(state: &State, row: &Channel) -> Value {
    let teams = state.teams_of_channel(&row.id);
    let place = state.place(&row.id);
    let connected: Vec<&SmolStr> = connect::connected(state, &row.id).collect();
    let pending = connect::pending(state, &row.id);
    json!({
        "id": row.id,
        "name": row.name,
        "purpose": row.purpose.value,
        "member_count": row.members,
        "created": row.created,
        "creator_id": row.creator,
        "is_private": !is_public(row),
        "is_archived": row.archived,
        "is_general": row.general,
        "last_activity_ts": last_activity(state, row),
        "is_ext_shared": !connected.is_empty(),
        "is_global_shared": place.org_wide,
        "is_org_default": false,
        "is_org_mandatory": false,
        "is_org_shared": place.org_wide || teams.len() > 1,
        "is_frozen": false,
        "is_disconnect_in_progress": false,
        "context_team_id": state.workspace.id,
        "connected_team_ids": connected,
        "conversation_host_id": connect::host(state, &row.id).or(state.enterprise_id()),
        "internal_team_ids_count": teams.len(),
        "internal_team_ids_sample_team": teams.first(),
        "internal_team_ids": teams,
        "is_pending_ext_shared": !pending.is_empty(),
        "pending_connected_team_ids": pending,
    })
}

/// `admin.conversations.search`: a page begins behind so many results, since they are ranked anew each time.
fn search(cx: &Asked<'_>, fields: &Fields) -> Told {
    let size = match fields.number("limit")? {
        None => 10,
        Some(n @ 1..=20) => usize::try_from(n).unwrap_or(10),
        Some(_) => return Err("invalid_limit".into()),
    };
    let cursor = paging::read_cursor(fields.text("cursor").as_deref(), "id")?;
    let from: usize = cursor.map_or(Ok(0), |text| text.parse()).map_err(|_| Code::InvalidCursor)?;
    let teams = fields.list("team_ids");
    for team in &teams {
        cx.state.admin_team(team)?;
    }
    if !fields.list("connected_team_ids").is_empty() {
        return Err("external_team_not_connected_to_this_org".into());
    }
    let mut rows = matching(cx, fields, &teams)?;
    sort(&mut rows, fields)?;
    let total = rows.len();
    let next = if from + size < total { paging::cursor("id", &(from + size).to_string()) } else { String::new() };
    if fields.flag("total_count_only")? {
        return Ok(json!({ "conversations": [], "next_cursor": "", "total_count": total }));
    }
    let page: Vec<Value> = rows.into_iter().skip(from).take(size).map(|row| found(cx.state, row)).collect();
    Ok(json!({ "conversations": page, "next_cursor": next, "total_count": total }))
}

fn matching<'a>(cx: &Asked<'a>, fields: &Fields, teams: &[SmolStr]) -> Result<Vec<&'a Channel>, Error> {
    let query = fields.text("query").unwrap_or_default().to_lowercase();
    let mut kinds = Vec::new();
    for kind in fields.list("search_channel_types") {
        let known = SEARCHED.iter().find(|(name, _)| *name == kind).ok_or("invalid_search_channel_type")?;
        kinds.push(known.1);
    }
    // Names are in an index; what is looked for may stand anywhere in them.
    let names = cx.state.index.channel_by_name.iter().filter(|(name, _)| name.contains(query.as_str()));
    let rows = names.filter_map(|(_, id)| cx.state.channels.get(id)).map(Arc::as_ref);
    let fits = |row: &&Channel| {
        row.kind.is_channel()
            && kinds.iter().all(|kind| kind(cx.state, row))
            && (teams.is_empty() || cx.state.teams_of_channel(&row.id).iter().any(|team| teams.contains(team)))
    };
    Ok(rows.filter(fits).collect())
}

fn sort(rows: &mut [&Channel], fields: &Fields) -> Result<(), Error> {
    match fields.text("sort").as_deref().unwrap_or("member_count") {
        "name" | "relevant" => rows.sort_by(|a, b| a.name.cmp(&b.name)),
        "member_count" => rows.sort_by_key(|row| (row.members, Reverse(row.name.clone()))),
        "created" => rows.sort_by_key(|row| (row.created, row.id.clone())),
        _ => return Err("invalid_sort".into()),
    }
    match fields.text("sort_dir").as_deref().unwrap_or("desc") {
        "asc" => {}
        "desc" => rows.reverse(),
        _ => return Err("invalid_sort_dir".into()),
    }
    Ok(())
}

/// `admin.conversations.lookup`: public channels that few people are in and where nothing was said for long.
fn lookup(cx: &Asked<'_>, fields: &Fields) -> Told {
    let cursor = fields.text("cursor").filter(|cursor| cursor != "*");
    let size = LOOKUP.read(&Fields::new(serde_json::Map::new())).map(|(_, size)| size)?;
    let size = fields.number("limit")?.map_or(Ok(size), |n| {
        usize::try_from(n).ok().filter(|n| (1..=LOOKUP.most).contains(n)).ok_or(Error::from("invalid_limit"))
    })?;
    let from = paging::read_cursor(cursor.as_deref(), LOOKUP.kind)?.unwrap_or_default();
    let before = fields.number("last_message_activity_before")?;
    let before = before.ok_or_else(|| missing("last_message_activity_before"))?;
    let members = fields.number("max_member_count")?.unwrap_or(1);
    let teams = fields.some("team_ids", 100)?;
    if !teams.iter().any(|team| cx.state.enterprise.teams.contains(team)) {
        return Err("no_valid_teams".into());
    }
    let rows = cx.state.channels.range(from..).map(|(id, row)| (id.clone(), row));
    let page = LOOKUP.cut(size, rows, |row| {
        let quiet = i64::try_from(last_activity(cx.state, row) / 1_000_000).is_ok_and(|at| at < before);
        let fits = is_public(row)
            && i64::from(row.members) <= members
            && quiet
            && cx.state.teams_of_channel(&row.id).iter().any(|team| teams.contains(team));
        fits.then(|| json!(row.id))
    });
    Ok(listed("channel_ids", page))
}
