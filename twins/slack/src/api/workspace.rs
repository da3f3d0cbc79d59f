//! The workspace as such: `team.*`, `emoji.list` and `bots.info`.

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Read};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::paging::{self, Limit, PageEnd};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{TIER_2, TIER_3},
    model::{
        apps::App,
        fields::{self, Field},
        people::{Role, User},
        schedule::stamp,
    },
};

/// The most people that one answer on what is paid for tells of.
const BILLABLE_MAX: usize = 1000;

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::read("team.info", ANY, "/api/team.info", info)
            .limit(TIER_3)
            .scopes(&["team:read"])
            .errors(&["team_not_found"])
            .form_only(),
        Row::read("team.profile.get", ANY, "/api/team.profile.get", profile)
            .limit(TIER_3)
            .scopes(&["users.profile:read"])
            .form_only(),
        Row::read("team.billableInfo", ANY, "/api/team.billableInfo", billable)
            .limit(TIER_2)
            .scopes(&["admin"])
            .errors(&["invalid_cursor", "invalid_limit", "user_not_found"])
            .form_only(),
        Row::read("team.integrationLogs", ANY, "/api/team.integrationLogs", integrations)
            .limit(TIER_2)
            .scopes(&["admin"])
            .form_only(),
        Row::read("emoji.list", ANY, "/api/emoji.list", emoji).limit(TIER_2).scopes(&["emoji:read"]).form_only(),
        Row::read("bots.info", ANY, "/api/bots.info", bot)
            .limit(TIER_3)
            .scopes(&["users:read"])
            .errors(&["bot_not_found"])
            .form_only(),
    ]
}

/// Arguments of `team.info`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Info {
    team: Option<SmolStr>,
    domain: Option<SmolStr>,
}

/// The picture of a workspace that has chosen none.
pub(super) fn team_image(size: u32) -> String {
    format!("https://a.slack-edge.com/80588/img/avatars-teams/ava_0001-{size}.png")
}

/// The pictures of a workspace that has chosen none.
pub(super) fn standard_icon() -> Value {
    let mut icon = json!({ "image_default": true });
    for size in [34, 44, 68, 88, 102, 132, 230] {
        icon[format!("image_{size}")] = json!(team_image(size));
    }
    icon
}

/// `team.info`
fn info(cx: &Read<'_, Slack>, args: Info) -> Result<Typed<Value>, Error> {
    let workspace = &cx.state.workspace;
    let other = |given: Option<SmolStr>, own: &SmolStr| given.is_some_and(|given| !given.is_empty() && given != *own);
    if other(args.team, &workspace.id) || other(args.domain, &workspace.domain) {
        return Err(Code::TeamNotFound.into());
    }
    let mut team = json!({
        "id": workspace.id,
        "name": workspace.name,
        "url": cx.state.url(),
        "domain": workspace.domain,
        "email_domain": workspace.email_domain,
        "icon": standard_icon(),
        "avatar_base_url": "https://ca.slack-edge.com/",
        "is_verified": false,
        "lob_sales_home_enabled": false,
        "is_sfdc_auto_slack": false,
    });
    if let Some(org) = &cx.state.enterprise.org {
        team["enterprise_id"] = json!(org.id);
        team["enterprise_name"] = json!(org.name);
        team["enterprise_domain"] = json!(org.domain);
    }
    if let Some(picture) = cx.state.enterprise.teams.get(&workspace.id).and_then(|team| team.icon.as_ref()) {
        for size in [34, 44, 68, 88, 102, 132, 230] {
            team["icon"][format!("image_{size}")] = json!(picture);
        }
        team["icon"]["image_original"] = json!(picture);
        team["icon"]["image_default"] = json!(false);
    }
    Ok(Typed::ok(&json!({ "team": team })))
}

/// Arguments of `team.profile.get`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Profile {
    #[serde(default)]
    visibility: Visibility,
}

/// Which fields of profiles are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Visibility {
    #[default]
    #[serde(alias = "")]
    All,
    Visible,
    Hidden,
}

/// `team.profile.get`
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn profile(cx: &Read<'_, Slack>, args: Profile) -> Result<Typed<Value>, Error> {
    let wanted = |field: &Field| match args.visibility {
        Visibility::All => true,
        Visibility::Visible => !field.hidden,
        Visibility::Hidden => field.hidden,
    };
    Ok(Typed::ok(&json!({ "profile": fields::told(cx.state, wanted) })))
}

/// Arguments of `team.billableInfo`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Billable {
    user: Option<SmolStr>,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `team.billableInfo`: people whose accounts are active are paid for.
fn billable(cx: &Read<'_, Slack>, args: Billable) -> Result<Typed<Value>, Error> {
    let user = args.user.filter(|user| !user.is_empty());
    if user.as_ref().is_some_and(|user| !cx.state.users.contains(user)) {
        return Err(Code::UserNotFound.into());
    }
    let size = args.limit.size(BILLABLE_MAX, BILLABLE_MAX)?;
    let from = paging::read_cursor(args.cursor.as_deref(), "user")?;
    let asked = |id: &SmolStr| user.as_ref().is_none_or(|user| id == user);
    let people = cx.state.users.range(from.or_else(|| user.clone()).unwrap_or_default()..);
    let mut people = people.filter(|(id, row)| row.role != Role::Bot && asked(id));
    let row = |(id, row): (&SmolStr, &Arc<User>)| (id.to_string(), json!({ "billing_active": !row.deleted }));
    let rows: Map<String, Value> = people.by_ref().take(size).map(row).collect();
    let next = if user.is_some() { None } else { people.next().map(|(id, _)| paging::cursor("user", id)) };
    Ok(Typed::ok(&json!({ "billable_info": rows, "response_metadata": PageEnd::new(next) })))
}

/// Arguments of `team.integrationLogs`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Integrations {
    app_id: Option<SmolStr>,
    change_type: Option<SmolStr>,
    service_id: Option<SmolStr>,
    user: Option<SmolStr>,
    count: Option<usize>,
    page: Option<usize>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `team.integrationLogs`: when apps were installed, the latest first, and which were taken off.
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn integrations(cx: &Read<'_, Slack>, args: Integrations) -> Result<Typed<Value>, Error> {
    let given = |text: &Option<SmolStr>| text.clone().filter(|text| !text.is_empty());
    let (app_id, user) = (given(&args.app_id), given(&args.user));
    let (change, service) = (given(&args.change_type), given(&args.service_id));
    let kind = |app: &App| if app.removed { "removed" } else { "added" };
    let fits = |app: &App| {
        app_id.as_ref().is_none_or(|id| app.id == *id)
            && user.as_ref().is_none_or(|user| app.installer == *user)
            && change.as_ref().is_none_or(|change| kind(app) == change)
            && service.is_none()
    };
    let mut apps: Vec<_> = cx.state.apps.iter().map(|(_, app)| app).filter(|app| fits(app)).collect();
    apps.sort_by_key(|app| std::cmp::Reverse(app.updated));
    let count = args.count.unwrap_or(100).clamp(1, 1000);
    let (page, total) = (args.page.unwrap_or(1).max(1), apps.len());
    let row = |app: &std::sync::Arc<App>| {
        json!({
            "app_id": app.id,
            "app_type": app.name,
            "user_id": app.installer,
            "user_name": cx.state.users.get(&app.installer).map(|user| &user.name),
            "date": app.updated.to_string(),
            "change_type": kind(app),
            "scope": app.scopes.iter().map(SmolStr::as_str).collect::<Vec<_>>().join(","),
        })
    };
    let logs: Vec<Value> = apps.into_iter().skip((page - 1).saturating_mul(count)).take(count).map(row).collect();
    let paging = json!({ "count": count, "total": total, "page": page, "pages": total.div_ceil(count) });
    Ok(Typed::ok(&json!({ "logs": logs, "paging": paging })))
}

/// Arguments of `emoji.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Emoji {
    #[serde(default)]
    include_categories: bool,
}

/// `emoji.list`: the workspace's own.
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn emoji(cx: &Read<'_, Slack>, args: Emoji) -> Result<Typed<Value>, Error> {
    let rows: Map<String, Value> =
        cx.state.emoji.iter().map(|(name, value)| (name.to_string(), json!(**value))).collect();
    let mut body = json!({ "emoji": rows, "cache_ts": stamp(cx.scene.now) });
    if args.include_categories {
        body["categories_version"] = json!("1");
        body["categories"] = json!([]);
    }
    Ok(Typed::ok(&body))
}

/// Arguments of `bots.info`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Bot {
    bot: Option<SmolStr>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `bots.info`: without a bot, nothing but `ok`.
fn bot(cx: &Read<'_, Slack>, args: Bot) -> Result<Typed<Value>, Error> {
    let Some(id) = args.bot.filter(|bot| !bot.is_empty()) else { return Ok(super::marks::done()) };
    let app = cx.state.index.app_by_bot.get(&id).and_then(|id| cx.state.apps.get(id)).ok_or(Code::BotNotFound)?;
    let image = |size: &str| format!("https://a.slack-edge.com/80588/img/plugins/app/{size}.png");
    Ok(Typed::ok(&json!({ "bot": {
        "id": app.bot,
        "deleted": app.removed,
        "name": app.name,
        "updated": app.updated,
        "app_id": app.id,
        "user_id": app.bot_user,
        "icons": {
            "image_36": image("bot_36"),
            "image_48": image("bot_48"),
            "image_72": image("service_72"),
        },
    } })))
}
