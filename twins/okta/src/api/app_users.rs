//! Who may use an app.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationUsers/.

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
    Links, act,
    apps::{cursor, find},
    bad_expand, find_user,
    listing::has_text,
    no_content, stamp,
    user_body::UserBody,
};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{
        State,
        app::App,
        assignment::{self, Change, Use},
        profile::Attribute,
        user::User,
    },
    paging::{self, Size},
};

const PAGE: Size = Size { default: 50, max: 500 };

/// A person's use of an app as Okta shows it.
pub(super) fn body(state: &State, app: &App, found: &Use, origin: &str) -> Value {
    let account = state.provisioning.account(&app.id, &found.user);
    let mut credentials = Map::new();
    if let Some(name) = &found.user_name {
        credentials.insert("userName".to_owned(), json!(name));
    }
    if found.password_changed.is_some() {
        credentials.insert("password".to_owned(), json!({}));
    }
    let links = Links::new()
        .to("app", format!("{origin}/api/v1/apps/{}", app.id))
        .to("user", format!("{origin}/api/v1/users/{}", found.user));
    let mut body = json!({
        "id": found.user,
        "externalId": account.and_then(|account| account.external.clone()),
        "created": stamp(found.created),
        "lastUpdated": stamp(found.last_updated),
        "scope": if found.direct { "USER" } else { "GROUP" },
        "status": account.map_or("ACTIVE", |account| account.stage.text()),
        "statusChanged": stamp(account.map_or(found.created, |account| account.since)),
        "passwordChanged": found.password_changed.map(stamp),
        "syncState": account.map_or("DISABLED", |account| account.sync_state()),
        "credentials": credentials,
        "profile": found.profile,
        "_links": links.0,
    });
    if let Some(synced) = account.and_then(|account| account.synced) {
        body["lastSync"] = json!(stamp(synced));
    }
    body
}

/// Whether `expand=user` is asked for.
fn expands(expand: Option<&str>) -> Result<bool, Error> {
    match expand.map(str::trim).unwrap_or_default() {
        "" => Ok(false),
        "user" => Ok(true),
        _ => Err(bad_expand()),
    }
}

fn row(state: &State, app: &App, user: &Arc<User>, origin: &str, expands: bool) -> Option<Value> {
    let found = assignment::find(state, app, user)?;
    let mut body = body(state, app, &found, origin);
    if expands {
        body["_embedded"] = json!({ "user": UserBody::listed(state, user, origin) });
    }
    Some(body)
}

/// Arguments of `listApplicationUsers`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListUsers {
    app_id: String,
    after: Option<String>,
    limit: Option<i64>,
    q: Option<String>,
    expand: Option<String>,
}

/// So many people are looked at for one page; beyond that the page ends short, with a link to go on.
const SCAN_MAX: usize = 20_000;

fn starts_with(app: &App, state: &State, user: &User, q: &str) -> bool {
    let begins = |text: &str| text.to_lowercase().starts_with(q);
    let names = [Attribute::FIRST_NAME, Attribute::LAST_NAME, Attribute::EMAIL];
    let named = || assignment::find(state, app, user).and_then(|found| found.user_name);
    q.is_empty()
        || names.into_iter().any(|attribute| begins(user.profile.get(attribute)))
        || named().is_some_and(|name| begins(&name))
}

/// `listApplicationUsers`: by id.
pub fn list(cx: &Read<'_, Okta>, args: ListUsers) -> Result<Typed<Vec<Value>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let limit = paging::size(args.limit, PAGE)?;
    let after = cursor(args.after.as_deref(), "00u")?;
    let expands = expands(args.expand.as_deref())?;
    let q = args.q.as_deref().filter(|q| has_text(Some(q))).unwrap_or_default().trim().to_lowercase();
    let (mut rows, mut last, mut next) = (Vec::new(), None, None);
    for (seen, id) in assignment::people(cx.state, &app, after).enumerate() {
        let user = cx.state.users.get(&id).filter(|user| starts_with(&app, cx.state, user, &q));
        if seen >= SCAN_MAX || (user.is_some() && rows.len() == limit) {
            next = last;
            break;
        }
        rows.extend(user.and_then(|user| row(cx.state, &app, user, &cx.scene.request.origin, expands)));
        last = Some(id);
    }
    Ok(paging::linked(Typed::ok(&rows), cx.scene, limit, next.as_deref()))
}

/// A person's use of an app in the body of a request. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AppUserInput {
    id: Option<String>,
    scope: Option<Scope>,
    #[serde(default, deserialize_with = "object")]
    credentials: Option<CredentialsInput>,
    profile: Option<Map<String, Value>>,
    #[serde(default, rename = "externalId")]
    _external_id: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "lastSync")]
    _last_sync: Option<Value>,
    #[serde(default, rename = "status")]
    _status: Option<Value>,
    #[serde(default, rename = "statusChanged")]
    _status_changed: Option<Value>,
    #[serde(default, rename = "passwordChanged")]
    _password_changed: Option<Value>,
    #[serde(default, rename = "syncState")]
    _sync_state: Option<Value>,
    #[serde(default, rename = "_embedded")]
    _embedded: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Scope {
    User,
    Group,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CredentialsInput {
    #[serde(default, rename = "userName")]
    user_name: Option<SmolStr>,
    #[serde(default, deserialize_with = "object")]
    password: Option<PasswordInput>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PasswordInput {
    #[serde(default)]
    value: Option<String>,
}

impl AppUserInput {
    fn change(self) -> Change {
        let password = self.credentials.as_ref().and_then(|sent| sent.password.as_ref()?.value.as_ref());
        Change {
            password: password.is_some_and(|value| !value.is_empty()),
            user_name: self.credentials.and_then(|sent| sent.user_name).filter(|name| !name.is_empty()),
            profile: self.profile.unwrap_or_default(),
        }
    }
}

/// Arguments of `assignUserToApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssignUser {
    app_id: String,
    body: AppUserInput,
}

/// `assignUserToApplication`: who has the app already gets what is said, and the scope that is said.
pub fn assign(cx: &mut Write<'_, '_, Okta>, args: AssignUser) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let id = args.body.id.clone().filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Error::fields(&[("id", "The field cannot be left blank")]))?;
    let user = cx.state.users.find(&id).cloned().ok_or_else(|| Error::not_found(&id, "User"))?;
    let scope = args.body.scope.unwrap_or(Scope::User);
    let change = args.body.change();
    act(cx, |act| match scope {
        Scope::User => assignment::assign(act, &app, &user, change),
        Scope::Group => {
            assignment::leave_to_groups(act, &app, &user)?;
            let says = change.user_name.is_some() || change.password || !change.profile.is_empty();
            if says { assignment::update(act, &app, &user, change) } else { Ok(()) }
        }
    })?;
    shown(cx, &app, &user)
}

fn shown(cx: &Write<'_, '_, Okta>, app: &App, user: &Arc<User>) -> Result<Typed<Value>, Error> {
    let row = row(cx.state, app, user, &cx.scene.request.origin, false);
    row.map(|row| Typed::ok(&row)).ok_or_else(|| Error::not_found(&user.id, "AppUser"))
}

/// Arguments of `getApplicationUser`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetUser {
    app_id: String,
    user_id: String,
    expand: Option<String>,
}

/// A person who may use an app.
fn find_in(state: &State, caller: &crate::Caller, app: &App, name: &str) -> Result<Arc<User>, Error> {
    let user = find_user(state, caller, name)?;
    match assignment::find(state, app, &user) {
        Some(_) => Ok(user),
        None => Err(Error::not_found(name, "AppUser")),
    }
}

/// `getApplicationUser`.
pub fn get(cx: &Read<'_, Okta>, args: GetUser) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let expands = expands(args.expand.as_deref())?;
    let user = find_in(cx.state, cx.caller, &app, &args.user_id)?;
    let row = row(cx.state, &app, &user, &cx.scene.request.origin, expands);
    row.map(|row| Typed::ok(&row)).ok_or_else(|| Error::not_found(&args.user_id, "AppUser"))
}

/// Arguments of `updateApplicationUser`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateUser {
    app_id: String,
    user_id: String,
    body: AppUserInput,
}

/// `updateApplicationUser`.
pub fn update(cx: &mut Write<'_, '_, Okta>, args: UpdateUser) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let user = find_in(cx.state, cx.caller, &app, &args.user_id)?;
    let change = args.body.change();
    act(cx, |act| assignment::update(act, &app, &user, change))?;
    shown(cx, &app, &user)
}

/// Arguments of `unassignUserFromApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnassignUser {
    app_id: String,
    user_id: String,
    /// No mail leaves the twin.
    #[serde(default, rename = "sendEmail")]
    _send_email: Option<bool>,
}

/// `unassignUserFromApplication`.
pub fn unassign(cx: &mut Write<'_, '_, Okta>, args: UnassignUser) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let user = find_in(cx.state, cx.caller, &app, &args.user_id)?;
    act(cx, |act| assignment::unassign(act, &app, &user))?;
    Ok(no_content())
}
