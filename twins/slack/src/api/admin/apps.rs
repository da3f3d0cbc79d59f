//! `admin.apps.*`: which apps the organization lets its people have.

use std::sync::Arc;

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, listed, method};
use crate::{
    announce,
    error::Error,
    model::{
        State,
        apps::{self, App},
        audit::{self, Entity},
        org::{AppConfig, AppRequest, Resolution, Standing},
    },
};

/// The most apps of one call.
const LOOKUP_MAX: usize = 100;
/// The most domains of a kind.
const DOMAINS_MAX: usize = 50;
const APPS: Pages = Pages { kind: "app", default: 100, most: 1_000 };
const REQUESTS: Pages = Pages { kind: "request", default: 100, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "apps.approve",
        "apps:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "invalid_app_id",
            "invalid_request_id",
            "request_already_resolved",
            "request_id_or_app_id_is_required",
            "team_not_found",
            "too_many_ids_provided",
            "too_many_teams_provided",
        ],
        Run::Act(|cx, fields| resolve(cx, fields, true))
    ),
    method!(
        "apps.restrict",
        "apps:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "invalid_app_id",
            "invalid_request_id",
            "request_already_resolved",
            "request_id_or_app_id_is_required",
            "team_not_found",
            "too_many_ids_provided",
            "too_many_teams_provided",
        ],
        Run::Act(|cx, fields| resolve(cx, fields, false))
    ),
    method!(
        "apps.clearResolution",
        "apps:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_app_id", "no_resolution_found", "team_not_found", "too_many_teams_provided"],
        Run::Act(clear)
    ),
    method!(
        "apps.approved.list",
        "apps:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit", "team_not_found", "too_many_teams_provided"],
        Run::Look(|cx, fields| resolved(cx, fields, "approved_apps", true))
    ),
    method!(
        "apps.restricted.list",
        "apps:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit", "team_not_found", "too_many_teams_provided"],
        Run::Look(|cx, fields| resolved(cx, fields, "restricted_apps", false))
    ),
    method!(
        "apps.requests.list",
        "apps:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "enterprise_not_found",
            "invalid_cursor",
            "invalid_limit",
            "no_team_or_enterprise_provided",
            "team_not_found",
            "too_many_teams_provided",
        ],
        Run::Look(requests)
    ),
    method!(
        "apps.requests.cancel",
        "apps:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_request_id", "request_already_resolved", "team_not_found", "too_many_teams_provided"],
        Run::Act(cancel)
    ),
    method!(
        "apps.uninstall",
        "apps:write",
        TIER_1,
        ("feature_not_enabled", "permission_denied"),
        ["app_not_found", "enterprise_not_found", "specify_enterprise_or_teams", "teams_not_found", "too_many_teams"],
        Run::Act(uninstall)
    ),
    method!(
        "apps.config.set",
        "apps:write",
        TIER_3,
        ("restricted_plan_level", "access_denied"),
        [
            "invalid_app",
            "invalid_domains",
            "invalid_workflow_auth_strategy",
            "no_domains_provided",
            "too_many_domains_provided",
        ],
        Run::Act(set_config)
    ),
    method!(
        "apps.config.lookup",
        "apps:read",
        TIER_2,
        ("restricted_plan_level", "access_denied"),
        ["missing_args"],
        Run::Look(look_up)
    ),
];

/// The one workspace or organization that is meant; both at once are too many.
fn check_place(state: &State, fields: &Fields) -> Result<(), Error> {
    match (fields.text("team_id"), fields.text("enterprise_id")) {
        (Some(_), Some(_)) => Err("too_many_teams_provided".into()),
        (Some(team), None) => state.admin_team(&team).map(|_| ()),
        (None, Some(org)) if state.enterprise_id() != Some(&org) => Err("team_not_found".into()),
        _ => Ok(()),
    }
}

/// An app as administrators see it.
fn shown(state: &State, app: &App) -> Value {
    let mut icons = json!({});
    for size in [32, 36, 48, 64, 72, 96, 128, 192, 512, 1024] {
        icons[format!("image_{size}")] =
            json!(format!("https://a.slack-edge.com/80588/img/plugins/app/bot_{size}.png"));
    }
    icons["image_original"] = icons["image_1024"].clone();
    json!({
        "id": app.id,
        "name": app.name,
        "description": "",
        "help_url": "",
        "privacy_policy_url": "",
        "app_homepage_url": "",
        "app_directory_url": format!("{}apps/{}-{}", state.url(), app.id, app.key),
        "is_app_directory_approved": false,
        "is_internal": true,
        "is_granular_bot_app": true,
        "additional_info": "",
        "icons": icons,
    })
}

fn scopes(app: &App) -> Vec<Value> {
    let row = |scope: &SmolStr| {
        let is_sensitive = scope.starts_with("admin") || scope.ends_with(":history");
        json!({ "name": scope, "description": "", "is_sensitive": is_sensitive, "token_type": "bot" })
    };
    app.scopes.iter().map(row).collect()
}

fn request(state: &State, id: &SmolStr) -> Result<Arc<AppRequest>, Error> {
    let row = state.enterprise.app_requests.get(id).ok_or("invalid_request_id")?;
    if row.standing == Standing::Pending { Ok(Arc::clone(row)) } else { Err("request_already_resolved".into()) }
}

/// `admin.apps.approve` and `admin.apps.restrict`: by the app, or by somebody's request for it.
fn resolve(cx: &mut Doing<'_, '_>, fields: &Fields, approved: bool) -> Told {
    check_place(cx.state, fields)?;
    let app = match (fields.text("app_id"), fields.text("request_id")) {
        (None, None) => return Err("request_id_or_app_id_is_required".into()),
        (Some(_), Some(_)) => return Err("too_many_ids_provided".into()),
        (Some(app), None) if cx.state.apps.contains(&app) => app,
        (Some(_), None) => return Err("invalid_app_id".into()),
        (None, Some(id)) => {
            let row = request(cx.state, &id)?;
            let standing = if approved { Standing::Approved } else { Standing::Denied };
            cx.state.enterprise.app_requests.update(&mut cx.tx.changes, &id, |row| row.standing = standing);
            row.app.clone()
        }
    };
    let row = Resolution { approved, by: cx.by.clone(), at: cx.tx.now.as_secs() };
    cx.state.enterprise.resolutions.put(&mut cx.tx.changes, app.clone(), row);
    let action = if approved { "app_approved" } else { "app_restricted" };
    audit::log(cx.state, cx.tx, &cx.by, action, &Entity::app(&app));
    Ok(done())
}

/// `admin.apps.clearResolution`
fn clear(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    check_place(cx.state, fields)?;
    let app = fields.need("app_id")?;
    if !cx.state.apps.contains(&app) {
        return Err("invalid_app_id".into());
    }
    cx.state.enterprise.resolutions.remove(&mut cx.tx.changes, &app).ok_or("no_resolution_found")?;
    audit::log(cx.state, cx.tx, &cx.by, "app_removed_from_whitelist", &Entity::app(&app));
    Ok(done())
}

/// `admin.apps.approved.list` and `admin.apps.restricted.list`. No app of the twin is one of Slack's certified ones.
fn resolved(cx: &Asked<'_>, fields: &Fields, name: &str, approved: bool) -> Told {
    check_place(cx.state, fields)?;
    let (from, size) = APPS.read(fields)?;
    let certified = fields.flag("certified")?;
    let rows = cx.state.enterprise.resolutions.range(from..).map(|(id, row)| (id.clone(), (id, row)));
    let page = APPS.cut(size, rows, |(id, row)| {
        let app = cx.state.apps.get(*id).filter(|_| row.approved == approved && !certified)?;
        Some(json!({
            "app": shown(cx.state, app),
            "scopes": scopes(app),
            "date_updated": row.at,
            "last_resolved_by": { "actor_id": row.by, "actor_type": "user" },
        }))
    });
    Ok(listed(name, page))
}

/// `admin.apps.requests.list`: what nobody has decided.
fn requests(cx: &Asked<'_>, fields: &Fields) -> Told {
    if fields.text("team_id").is_none() && fields.text("enterprise_id").is_none() {
        return Err("no_team_or_enterprise_provided".into());
    }
    if fields.text("enterprise_id").is_some_and(|org| cx.state.enterprise_id() != Some(&org)) {
        return Err("enterprise_not_found".into());
    }
    check_place(cx.state, fields)?;
    let (from, size) = REQUESTS.read(fields)?;
    let elsewhere = fields.text("team_id").is_some_and(|team| team != cx.state.workspace.id);
    // No app is certified here, so that there is none of those.
    let certified = fields.flag("certified")?;
    let rows = cx.state.enterprise.app_requests.range(from..).map(|(id, row)| (id.clone(), row));
    let page = REQUESTS.cut(size, rows, |row| {
        let app =
            cx.state.apps.get(&row.app).filter(|_| row.standing == Standing::Pending && !elsewhere && !certified)?;
        let user = cx.state.users.get(&row.by)?;
        let before = cx.state.enterprise.resolutions.get(&row.app);
        let status = |row: &Arc<Resolution>| if row.approved { "approved" } else { "restricted" };
        Some(json!({
            "id": row.id,
            "app": shown(cx.state, app),
            "previous_resolution": before.map(|row| json!({ "status": status(row), "scopes": scopes(app) })),
            "user": { "id": user.id, "name": user.real_name, "email": user.email },
            "team": {
                "id": cx.state.workspace.id,
                "name": cx.state.workspace.name,
                "domain": cx.state.workspace.domain,
            },
            "scopes": scopes(app),
            "message": row.message,
            "is_user_app_collaborator": app.installer == row.by,
            "date_created": row.at,
        }))
    });
    Ok(listed("app_requests", page))
}

/// `admin.apps.requests.cancel`
fn cancel(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let id = fields.need("request_id")?;
    check_place(cx.state, fields)?;
    request(cx.state, &id)?;
    cx.state.enterprise.app_requests.update(&mut cx.tx.changes, &id, |row| row.standing = Standing::Cancelled);
    Ok(done())
}

/// `admin.apps.uninstall`: the app's tokens are over, and nothing is sent to it any more.
fn uninstall(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let id = fields.need("app_id")?;
    // The pages name several workspaces, the clients one.
    let mut teams = fields.list("team_ids");
    teams.extend(fields.text("team_id"));
    match (teams.len(), fields.text("enterprise_id")) {
        (0, Some(org)) if cx.state.enterprise_id() != Some(&org) => return Err("enterprise_not_found".into()),
        (0, None) | (1.., Some(_)) => return Err("specify_enterprise_or_teams".into()),
        (101.., None) => return Err("too_many_teams".into()),
        _ => {}
    }
    if !teams.iter().all(|team| cx.state.enterprise.teams.contains(team)) {
        return Err("teams_not_found".into());
    }
    let app = cx.state.apps.get(&id).filter(|app| !app.removed).ok_or("app_not_found")?;
    let id = app.id.clone();
    if teams.is_empty() || teams.contains(&cx.state.workspace.id) {
        announce::uninstalled(cx.state, cx.tx, &id);
        apps::remove(cx.state, cx.tx, &id);
        audit::log(cx.state, cx.tx, &cx.by, "app_uninstalled", &Entity::app(&id));
    }
    Ok(done())
}

fn domains(members: &serde_json::Map<String, Value>, name: &str) -> Result<Option<Vec<SmolStr>>, Error> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let list = value.as_array().ok_or("invalid_domains")?;
    let fits = |value: &Value| {
        let text = value.as_str()?;
        let host = text.contains('.') && !text.contains(|c: char| c.is_whitespace() || c == '/' || c == '@');
        host.then(|| SmolStr::new(text))
    };
    match list.len() {
        0 => Err("no_domains_provided".into()),
        n if n > DOMAINS_MAX => Err("too_many_domains_provided".into()),
        _ => list
            .iter()
            .map(|value| fits(value).ok_or_else(|| "invalid_domains".into()))
            .collect::<Result<_, _>>()
            .map(Some),
    }
}

/// `admin.apps.config.set`
fn set_config(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let id = fields.need("app_id")?;
    if !cx.state.apps.contains(&id) {
        return Err("invalid_app".into());
    }
    let strategy = fields.word("workflow_auth_strategy", &["builder_choice", "end_user_only"]);
    let strategy = strategy.map_err(|_| Error::from("invalid_workflow_auth_strategy"))?;
    let restricted = fields.object("domain_restrictions").map_err(|_| Error::from("invalid_domains"))?;
    let restricted = restricted.unwrap_or_default();
    let (urls, emails) = (domains(&restricted, "urls")?, domains(&restricted, "emails")?);
    let before = cx.state.enterprise.app_configs.get(&id).map(|row| AppConfig::clone(row)).unwrap_or_default();
    let row = AppConfig {
        auth_strategy: strategy.map_or(before.auth_strategy, SmolStr::new_static),
        urls: urls.unwrap_or(before.urls),
        emails: emails.unwrap_or(before.emails),
    };
    cx.state.enterprise.app_configs.put(&mut cx.tx.changes, id, row);
    Ok(done())
}

/// `admin.apps.config.lookup`: of apps that are there.
fn look_up(cx: &Asked<'_>, fields: &Fields) -> Told {
    if !fields.has("app_ids") {
        return Err("missing_args".into());
    }
    let ids = fields.some("app_ids", LOOKUP_MAX)?;
    let row = |id: &SmolStr| {
        cx.state.apps.get(id)?;
        let config = cx.state.enterprise.app_configs.get(id).map(|row| AppConfig::clone(row)).unwrap_or_default();
        let strategy = Some(config.auth_strategy).filter(|text| !text.is_empty());
        Some(json!({
            "app_id": id,
            "workflow_auth_strategy": strategy.as_deref().unwrap_or("builder_choice"),
            "domain_restrictions": { "urls": config.urls, "emails": config.emails },
        }))
    };
    Ok(json!({ "configs": ids.iter().filter_map(row).collect::<Vec<_>>() }))
}
