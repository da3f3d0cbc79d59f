//! `admin.teams.*`: the workspaces of an organization and what is set for them.

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, listed, method};
use crate::{
    error::Error,
    model::{
        Workspace,
        audit::{self, Entity},
        org::{self, Team},
        people::Role,
    },
    workspace_events,
};

/// The longest subdomain.
const DOMAIN_MAX: usize = 21;
/// The most default channels.
const DEFAULTS_MAX: usize = 100;
const DISCOVERABILITY: &[&str] = &["open", "invite_only", "closed", "unlisted"];
const TEAMS: Pages = Pages { kind: "team", default: 100, most: 1_000 };
const PEOPLE: Pages = Pages { kind: "user", default: 100, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "teams.create",
        "teams:write",
        TIER_1,
        ("feature_not_enabled", "not_an_admin"),
        [
            "bad_url",
            "discoverability_setting_invalid",
            "domain_taken",
            "must_provide_team_domain",
            "must_provide_team_name",
            "name_taken_in_org",
        ],
        Run::Act(create)
    ),
    method!(
        "teams.list",
        "teams:read",
        TIER_3,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit"],
        Run::Look(list)
    ),
    method!(
        "teams.admins.list",
        "teams:read",
        TIER_3,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit", "team_not_found"],
        Run::Look(admins)
    ),
    method!(
        "teams.owners.list",
        "teams:read",
        TIER_3,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit", "team_not_found"],
        Run::Look(owners)
    ),
    method!(
        "teams.settings.info",
        "teams:read",
        TIER_3,
        ("feature_not_enabled", "not_an_admin"),
        ["team_not_found"],
        Run::Look(info)
    ),
    method!(
        "teams.settings.setDefaultChannels",
        "teams:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["one_or_more_invalid_channels", "team_not_found"],
        Run::Act(set_default_channels)
    ),
    method!(
        "teams.settings.setDescription",
        "teams:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["team_not_found"],
        Run::Act(|cx, fields| {
            let description = fields.text("description").unwrap_or_default();
            set(cx, fields, |team| team.description = description)
        })
    ),
    method!(
        "teams.settings.setDiscoverability",
        "teams:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["discoverability_setting_invalid", "team_not_found"],
        Run::Act(|cx, fields| {
            let wanted = discoverability(&fields.need("discoverability")?)?;
            set(cx, fields, |team| team.discoverability = wanted)
        })
    ),
    method!(
        "teams.settings.setIcon",
        "teams:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_url", "team_not_found"],
        Run::Act(|cx, fields| {
            let url = fields.need("image_url")?;
            if !(url.starts_with("https://") || url.starts_with("http://")) {
                return Err("invalid_url".into());
            }
            set(cx, fields, |team| team.icon = Some(url))
        })
    ),
    method!(
        "teams.settings.setName",
        "teams:write",
        TIER_3,
        ("feature_not_enabled", "not_an_admin"),
        ["team_not_found"],
        Run::Act(|cx, fields| {
            let name = fields.need("name")?;
            set(cx, fields, |team| team.name = name)
        })
    ),
];

fn discoverability(wanted: &str) -> Result<SmolStr, Error> {
    let known = DISCOVERABILITY.iter().find(|word| **word == wanted);
    known.map(|word| SmolStr::new_static(word)).ok_or_else(|| "discoverability_setting_invalid".into())
}

/// `admin.teams.create`: whoever calls owns it.
fn create(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let domain = fields.text("team_domain").ok_or("must_provide_team_domain")?;
    let name = fields.text("team_name").ok_or("must_provide_team_name")?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if domain.len() > DOMAIN_MAX || !domain.chars().all(fits) || domain.starts_with('-') || domain.ends_with('-') {
        return Err("bad_url".into());
    }
    let team = Team {
        id: SmolStr::default(),
        name,
        domain,
        description: fields.text("team_description").unwrap_or_default(),
        discoverability: discoverability(fields.text("team_discoverability").as_deref().unwrap_or("closed"))?,
        icon: None,
        default_channels: Vec::new(),
        owner: cx.by.clone(),
        created: 0,
    };
    let team = org::create_team(cx.state, cx.tx, team)?;
    audit::log(cx.state, cx.tx, &cx.by, "workspace_created", &Entity::workspace(&team.id));
    Ok(json!({ "team": team.id }))
}

/// `admin.teams.list`
fn list(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = TEAMS.read(fields)?;
    let rows = cx.state.enterprise.teams.range(from..).map(|(id, team)| (id.clone(), team));
    let page = TEAMS.cut(size, rows, |team| {
        let email = cx.state.users.get(&team.owner).and_then(|user| user.email.clone()).unwrap_or_default();
        Some(json!({
            "id": team.id,
            "name": team.name,
            "discoverability": team.discoverability,
            "primary_owner": { "user_id": team.owner, "email": email },
            "team_url": format!("https://{}.slack.com/", team.domain),
        }))
    });
    Ok(listed("teams", page))
}

/// The people of a workspace with these roles.
fn with_roles(cx: &Asked<'_>, fields: &Fields, name: &str, roles: &[Role]) -> Told {
    let (from, size) = PEOPLE.read(fields)?;
    let team = fields.need("team_id")?;
    cx.state.admin_team(&team)?;
    let rows = cx.state.users.range(from..).map(|(id, user)| (id.clone(), user));
    let page = PEOPLE.cut(size, rows, |user| {
        let has = cx.state.seat(&team, user).is_some_and(|seat| roles.contains(&seat.role));
        has.then(|| json!(user.id))
    });
    Ok(listed(name, page))
}

/// `admin.teams.admins.list`: owners are administrators as well.
fn admins(cx: &Asked<'_>, fields: &Fields) -> Told {
    with_roles(cx, fields, "admin_ids", &[Role::Admin, Role::Owner, Role::PrimaryOwner])
}

/// `admin.teams.owners.list`
fn owners(cx: &Asked<'_>, fields: &Fields) -> Told {
    with_roles(cx, fields, "owner_ids", &[Role::Owner, Role::PrimaryOwner])
}

/// `admin.teams.settings.info`
fn info(cx: &Asked<'_>, fields: &Fields) -> Told {
    let team = cx.state.admin_team(&fields.need("team_id")?)?;
    let org = cx.state.enterprise.org.as_ref().ok_or("feature_not_enabled")?;
    Ok(json!({ "team": {
        "id": team.id,
        "name": team.name,
        "url": format!("https://{}.slack.com/", team.domain),
        "domain": team.domain,
        "email_domain": if team.id == cx.state.workspace.id { cx.state.workspace.email_domain.as_str() } else { "" },
        "icon": icon(team),
        "avatar_base_url": "https://ca.slack-edge.com/",
        "is_verified": false,
        "enterprise_id": org.id,
        "enterprise_name": org.name,
        "enterprise_domain": org.domain,
        "default_channels": team.default_channels,
    } }))
}

fn icon(team: &Team) -> Value {
    let standard = |size: u32| format!("https://a.slack-edge.com/80588/img/avatars-teams/ava_0001-{size}.png");
    let image = |size: u32| team.icon.as_ref().map_or_else(|| standard(size), ToString::to_string);
    let mut icon = json!({ "image_default": team.icon.is_none() });
    for size in [34, 44, 68, 88, 102, 132, 230] {
        icon[format!("image_{size}")] = json!(image(size));
    }
    if let Some(original) = &team.icon {
        icon["image_original"] = json!(original);
    }
    icon
}

/// Changes a workspace. Of the home, the ordinary methods tell the same name.
fn set(cx: &mut Doing<'_, '_>, fields: &Fields, edit: impl FnOnce(&mut Team)) -> Told {
    let id = fields.need("team_id")?;
    cx.state.admin_team(&id)?;
    let team = cx.state.enterprise.teams.update(&mut cx.tx.changes, &id, edit);
    if let Some(team) = team.filter(|team| team.id == cx.state.workspace.id && team.name != cx.state.workspace.name) {
        let before = Workspace::clone(&cx.state.workspace);
        cx.state.workspace = std::sync::Arc::new(Workspace { name: team.name.clone(), ..before });
        workspace_events::renamed(cx.state, cx.tx, "team_rename");
    }
    Ok(done())
}

/// `admin.teams.settings.setDefaultChannels`
fn set_default_channels(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let team = fields.need("team_id")?;
    let channels = fields.some("channel_ids", DEFAULTS_MAX)?;
    cx.state.admin_team(&team)?;
    let fits = |id: &SmolStr| {
        let row = cx.state.channels.get(id);
        row.is_some_and(|row| super::is_public(row) && !row.archived) && cx.state.teams_of_channel(id).contains(&team)
    };
    if !channels.iter().all(fits) {
        return Err("one_or_more_invalid_channels".into());
    }
    // Everyone is in the general channel whatever is set.
    let general = cx.state.index.general.clone().filter(|_| team == cx.state.workspace.id);
    let others = channels.into_iter().filter(|id| Some(id) != general.as_ref());
    let all: Vec<SmolStr> = general.iter().cloned().chain(others).collect();
    set(cx, fields, |team| team.default_channels = all)
}
