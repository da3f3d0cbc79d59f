//! Applications.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/.

use std::{collections::BTreeSet, sync::Arc};

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    Empty, act,
    app_body::{body, picture, tiles, wish},
    app_users, bad_expand, find_user,
    listing::{EQUAL, has_text},
    no_content, sight,
};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        app::{self, App, AppField},
        assignment,
        may::Listed,
    },
    paging::{self, Size},
    query::{Condition, Dialect, Fields, Kind, Operator, Rule},
};

/// The app of an id.
pub(crate) fn find(state: &State, id: &str) -> Result<Arc<App>, Error> {
    state.apps.get(id).cloned().ok_or_else(|| Error::not_found(id, "AppInstance"))
}

/// A page's cursor: an id.
pub(super) fn cursor<'a>(after: Option<&'a str>, prefix: &str) -> Result<&'a str, Error> {
    let is_id =
        |text: &str| text.len() == 20 && text.starts_with(prefix) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    match after.unwrap_or_default() {
        "" => Ok(""),
        text if is_id(text) => Ok(text),
        _ => Err(Error::Cursor { search: false }),
    }
}

/// Arguments of `listApplications`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListApps {
    q: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
    filter: Option<String>,
    expand: Option<String>,
    /// Recorded answers are the same with and without.
    #[serde(default, rename = "useOptimization")]
    _use_optimization: Option<bool>,
    /// Recorded answers are the same with and without.
    #[serde(default, rename = "alwaysIncludeVpnSettings")]
    _always_include_vpn_settings: Option<bool>,
    /// Inactive apps are listed anyway, as recorded.
    #[serde(default, rename = "includeNonDeleted")]
    _include_non_deleted: Option<bool>,
}

const PAGE: Size = Size { default: 20, max: 200 };

/// What lists of apps can be filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Id,
    Status,
    Name,
    Kid,
    Logout,
    User,
    Group,
}

const FILTER: Dialect<Asked> = Dialect {
    not: false,
    fold_case: false,
    operators: EQUAL,
    rule: |path| {
        let field = match path {
            "id" => Asked::Id,
            "status" => Asked::Status,
            "name" => Asked::Name,
            "credentials.signing.kid" => Asked::Kid,
            "settings.slo.enabled" => Asked::Logout,
            "user.id" => Asked::User,
            "group.id" => Asked::Group,
            _ => return None,
        };
        Some(Rule { field, kind: Kind::Exact, operators: EQUAL })
    },
};

struct Row<'a>(&'a State, &'a App);

impl Fields<Asked> for Row<'_> {
    fn any(&self, field: &Asked, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let Self(state, app) = self;
        match field {
            Asked::Id => test(&app.id),
            Asked::Status => test(app.status()),
            Asked::Name => test(&app.name),
            Asked::Kid => test(&app.kid),
            Asked::Logout => test(if *app.setting("/signOn/slo/enabled") == true { "true" } else { "false" }),
            Asked::User => assignment::people(state, app, "").any(|user| test(&user)),
            Asked::Group => state.assignments.groups_of(&app.id, None).any(|row| test(&row.group)),
        }
    }
}

/// The value that all fitting rows have in a field; none where the condition leaves it open.
fn fixed(condition: Option<&Condition<Asked>>, wanted: Asked) -> Option<&SmolStr> {
    match condition? {
        Condition::And(parts) => parts.iter().find_map(|part| fixed(Some(part), wanted)),
        Condition::Test { field, operator: Operator::Eq, value, .. } if *field == wanted => Some(value),
        _ => None,
    }
}

type Rows<'a> = Box<dyn Iterator<Item = &'a Arc<App>> + 'a>;

/// Apps in id order from behind `after`, among which are all that are asked for: by the narrowest index.
fn candidates<'a>(
    state: &'a State,
    args: &'a ListApps,
    condition: Option<&'a Condition<Asked>>,
    after: &'a str,
) -> Rows<'a> {
    let apps = &state.apps;
    let these = |ids: BTreeSet<SmolStr>| -> Rows<'a> {
        let after = SmolStr::new(after);
        Box::new(ids.into_iter().filter(move |id| *id > after).filter_map(|id| apps.get(&id)))
    };
    if let Some(id) = fixed(condition, Asked::Id) {
        return these(BTreeSet::from([id.clone()]));
    }
    if let Some(user) = fixed(condition, Asked::User) {
        return these(state.users.get(user).map(|user| assignment::apps_of(state, user)).unwrap_or_default());
    }
    if let Some(group) = fixed(condition, Asked::Group) {
        return these(state.assignments.apps_of_group(group).cloned().collect());
    }
    if let Some(q) = args.q.as_deref().filter(|q| has_text(Some(q))) {
        return these(apps.starting_with(&q.trim().to_lowercase()).cloned().collect());
    }
    let indexed = [(Asked::Name, AppField::Name), (Asked::Kid, AppField::Kid), (Asked::Status, AppField::Status)];
    for (asked, field) in indexed {
        if let Some(value) = fixed(condition, asked) {
            return Box::new(apps.equal(field, value, after));
        }
    }
    Box::new(apps.after(after))
}

fn starts_with(app: &App, q: Option<&str>) -> bool {
    let q = q.unwrap_or_default().trim().to_lowercase();
    q.is_empty() || app.label.to_lowercase().starts_with(&q) || app.name.to_lowercase().starts_with(&q)
}

/// So many apps are looked at for one page; beyond that the page ends short, with a link to go on.
const SCAN_MAX: usize = 20_000;

/// Up to `limit` rows that fit, and the cursor of the next page where there may be more.
fn page<'a>(
    rows: impl Iterator<Item = &'a Arc<App>>,
    limit: usize,
    fits: impl Fn(&App) -> bool,
) -> (Vec<&'a Arc<App>>, Option<SmolStr>) {
    let (mut page, mut last) = (Vec::new(), None);
    for (seen, app) in rows.enumerate() {
        let fits = fits(app);
        if seen >= SCAN_MAX || (fits && page.len() == limit) {
            return (page, last);
        }
        if fits {
            page.push(app);
        }
        last = Some(app.id.clone());
    }
    (page, None)
}

/// `listApplications`: by id, as recorded.
pub fn list(cx: &Read<'_, Okta>, args: ListApps) -> Result<Typed<Vec<Value>>, Error> {
    let limit = paging::size(args.limit.filter(|limit| *limit != -1), PAGE)?;
    let after = cursor(args.after.as_deref(), "0oa")?;
    let text = args.filter.as_deref().filter(|text| has_text(Some(text)));
    let read = |text: &str| FILTER.read(text).map_err(|fault| Error::search(text, &fault, EQUAL));
    let condition = text.map(read).transpose()?;
    let expanded = expanded(args.expand.as_deref())?;
    if expanded.is_some() && fixed(condition.as_ref(), Asked::User).map(SmolStr::as_str) != expanded {
        return Err(bad_expand());
    }
    let rows = candidates(cx.state, &args, condition.as_ref(), after);
    let q = args.q.as_deref();
    let sight = sight(cx, Listed::Apps);
    let fits = |app: &App| {
        sight.sees_app(app)
            && starts_with(app, q)
            && condition.as_ref().is_none_or(|condition| condition.holds(&Row(cx.state, app)))
    };
    let (rows, next) = page(rows, limit, fits);
    let rows: Vec<Value> = rows.into_iter().map(|app| with_user(cx, app, expanded)).collect();
    Ok(paging::linked_without(Typed::ok(&rows), cx.scene, limit, next.as_deref(), &UNREPEATED))
}

/// What links do not repeat, as recorded.
const UNREPEATED: [&str; 3] = ["useOptimization", "alwaysIncludeVpnSettings", "includeNonDeleted"];

/// The person of `expand=user/{id}`.
fn expanded(expand: Option<&str>) -> Result<Option<&str>, Error> {
    let Some(text) = expand.filter(|text| has_text(Some(text))) else { return Ok(None) };
    let user = text.strip_prefix("user/").filter(|user| !user.is_empty() && !user.contains([',', '/']));
    user.map(Some).ok_or_else(bad_expand)
}

/// An app, with a person's use of it where that is asked for and there.
fn with_user(cx: &Read<'_, Okta>, app: &App, user: Option<&str>) -> Value {
    let origin = &cx.scene.request.origin;
    let mut body = body(cx.state, app, origin, None);
    let user = user.and_then(|user| cx.state.users.get(user));
    let found = user.and_then(|user| assignment::find(cx.state, app, user));
    if let Some(found) = found {
        body["_embedded"] = json!({ "user": app_users::body(cx.state, app, &found, origin) });
    }
    body
}

/// Arguments of `createApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateApp {
    activate: Option<bool>,
    body: Map<String, Value>,
}

/// `createApplication`: 200, not 201.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: CreateApp) -> Result<Typed<Value>, Error> {
    let wish = wish(cx.scene, args.body, None)?;
    let app = act(cx, |act| app::create(act, &wish, args.activate.unwrap_or(true)))?;
    Ok(Typed::ok(&body(cx.state, &app, &cx.scene.request.origin, app.secrets.first())))
}

/// Arguments of operations that need only the app.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    pub(super) app_id: String,
}

/// Arguments of `getApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetApp {
    app_id: String,
    expand: Option<String>,
}

/// `getApplication`.
pub fn get(cx: &Read<'_, Okta>, args: GetApp) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    Ok(Typed::ok(&with_user(cx, &app, expanded(args.expand.as_deref())?)))
}

/// Arguments of `replaceApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplaceApp {
    app_id: String,
    body: Map<String, Value>,
}

/// `replaceApplication`.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: ReplaceApp) -> Result<Typed<Value>, Error> {
    let before = find(cx.state, &args.app_id)?;
    let wish = wish(cx.scene, args.body, Some(&before))?;
    let app = act(cx, |act| app::replace(act, &before, &wish))?;
    // A client's secret is shown when the app is made or changed, as the public document says.
    Ok(Typed::ok(&body(cx.state, &app, &cx.scene.request.origin, app.secrets.first())))
}

/// `deleteApplication`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    act(cx, |act| app::delete(act, &app))?;
    Ok(no_content())
}

fn switch(cx: &mut Write<'_, '_, Okta>, args: &Which, active: bool) -> Result<Typed<Empty>, Error> {
    let app = find(cx.state, &args.app_id)?;
    act(cx, |act| Ok(app::switch(act, &app, active)))?;
    Ok(Typed::ok(&Empty {}))
}

/// `activateApplication`: nothing happens where it is active already.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<Empty>, Error> {
    switch(cx, &args, true)
}

/// `deactivateApplication`: nothing happens where it is inactive already.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<Empty>, Error> {
    switch(cx, &args, false)
}

/// Arguments of `listAssignedApplicationsForGroup`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListOfGroup {
    group_id: String,
    after: Option<String>,
    limit: Option<i64>,
}

/// `listAssignedApplicationsForGroup`.
pub fn list_of_group(cx: &Read<'_, Okta>, args: ListOfGroup) -> Result<Typed<Vec<Value>>, Error> {
    let group = cx.state.groups.get(&args.group_id);
    let group = group.ok_or_else(|| Error::not_found(&args.group_id, "UserGroup"))?;
    let limit = paging::size(args.limit, PAGE)?;
    let after = cursor(args.after.as_deref(), "0oa")?;
    let ids = cx.state.assignments.apps_of_group(&group.id).filter(|id| id.as_str() > after);
    let (rows, next) = page(ids.filter_map(|id| cx.state.apps.get(id)), limit, |_| true);
    let origin = &cx.scene.request.origin;
    let rows: Vec<Value> = rows.into_iter().map(|app| body(cx.state, app, origin, None)).collect();
    Ok(paging::linked(Typed::ok(&rows), cx.scene, limit, next.as_deref()))
}

/// Arguments of `listAppLinks`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AppLinks {
    id: String,
}

/// `listAppLinks`: the tiles that a person sees, of active apps that are not hidden on the web.
pub fn list_links(cx: &Read<'_, Okta>, args: AppLinks) -> Result<Typed<Vec<Value>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.id)?;
    let origin = &cx.scene.request.origin;
    let ids = assignment::apps_of(cx.state, &user);
    let apps = ids.iter().filter_map(|id| cx.state.apps.get(id));
    let seen = apps.filter(|app| app.active && app.parts.visibility["hide"]["web"] != true);
    let mut links = Vec::new();
    for app in seen {
        let Some(found) = assignment::find(cx.state, app, &user) else { continue };
        for (_, href) in tiles(app, origin) {
            links.push(json!({
                "id": format!("{}{}", user.id, app.id),
                "label": app.label,
                "linkUrl": href,
                "logoUrl": picture(app, origin),
                "appName": app.name,
                "appInstanceId": app.id,
                "appAssignmentId": found.id,
                "credentialsSetup": found.password_changed.is_some(),
                "hidden": false,
                "sortOrder": links.len(),
            }));
        }
    }
    Ok(Typed::ok(&links))
}
