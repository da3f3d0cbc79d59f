//! People, as identity providers keep them.

use std::sync::Arc;

use dtu_kernel::{
    twin::{Read, Write},
    wire::Request,
};
use http::StatusCode;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    Looked, Members, body, caller, filter::Filter, is_v2, listed, nothing, patch, path_of, query, refused, told,
    window, written,
};
use crate::{
    Slack,
    api::downloads::Nothing,
    error::Error,
    model::{
        State,
        accounts::{self, NewAccount},
        people::{Role, User},
    },
    shapes,
};

/// The attributes that lists can be filtered by.
const FILTERED: &[&str] = &[
    "id",
    "externalId",
    "userName",
    "nickName",
    "displayName",
    "name.givenName",
    "name.familyName",
    "email",
    "emails",
    "emails.value",
    "title",
    "timezone",
    "active",
    "meta.created",
    "meta.lastModified",
];

/// Attributes of which only identity providers want to know: kept as they are given.
const KEPT: &[&str] = &[
    "addresses",
    "phoneNumbers",
    "photos",
    "roles",
    "userType",
    "preferredLanguage",
    "locale",
    "nickName",
    "profileUrl",
];

/// The names of the extension for guests.
const GUESTS: [&str; 2] =
    ["urn:scim:schemas:extension:slack:guest:1.0", "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User"];

fn is_person(user: &User) -> bool {
    user.role != Role::Bot
}

/// Whether somebody's account is live in the company.
fn is_active(state: &State, user: &User) -> bool {
    if state.enterprise.org.is_some() { user.account.ended == 0 } else { !user.deleted }
}

/// A person.
fn shown(state: &State, request: &Request, user: &User) -> Value {
    let v2 = is_v2(request);
    let schemas = if v2 {
        ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]
    } else {
        ["urn:scim:schemas:core:1.0", "urn:scim:schemas:extension:enterprise:1.0"]
    };
    let location = format!("{}/{}/Users/{}", request.origin, path_of(request), user.id);
    let profile = serde_json::to_value(shapes::profile(state, user, true)).unwrap_or_default();
    let name = if user.about.display_name.is_empty() { &user.real_name } else { &user.about.display_name };
    let groups: Vec<Value> = state
        .groups_of(&user.id)
        .filter(|group| group.idp)
        .map(|group| json!({ "value": group.id, "display": group.name }))
        .collect();
    let mut body = json!({
        "schemas": schemas,
        "id": user.id,
        "externalId": user.account.external_id.as_deref().unwrap_or_default(),
        "meta": { "created": written(user.account.created), "location": location },
        "userName": user.name,
        "nickName": user.name,
        "name": { "givenName": user.first, "familyName": user.last },
        "displayName": name,
        "profileUrl": format!("{}team/{}", state.url(), user.name),
        "title": user.title,
        "timezone": user.tz,
        "active": is_active(state, user),
        "emails": [{ "value": user.email, "primary": true }],
        "photos": [{ "value": profile["image_512"], "type": "photo" }],
        "groups": groups,
    });
    if !user.phone.is_empty() {
        body["phoneNumbers"] = json!([{ "value": user.phone, "type": "work", "primary": true }]);
    }
    for (name, value) in &user.account.attributes {
        body[name] = value.clone();
    }
    if user.role == Role::Guest {
        let kind = if user.account.single_channel { "single" } else { "multi" };
        let mut guest = json!({ "type": kind });
        if user.account.expires > 0 {
            guest["expiration"] = json!(written(user.account.expires));
        }
        body[GUESTS[usize::from(v2)]] = guest;
    }
    body
}

fn values(state: &State, user: &User, name: &str) -> Vec<String> {
    let text = |text: &str| vec![text.to_owned()];
    match name {
        "id" => text(&user.id),
        "externalId" => user.account.external_id.iter().map(ToString::to_string).collect(),
        "userName" | "nickName" => text(&user.name),
        "displayName" if user.about.display_name.is_empty() => text(&user.real_name),
        "displayName" => text(&user.about.display_name),
        "name.givenName" => text(&user.first),
        "name.familyName" => text(&user.last),
        "email" | "emails" | "emails.value" => user.email.iter().map(ToString::to_string).collect(),
        "title" => text(&user.title),
        "timezone" => text(&user.tz),
        "active" => text(if is_active(state, user) { "true" } else { "false" }),
        "meta.created" => text(&written(user.account.created)),
        "meta.lastModified" => text(&written(user.updated)),
        _ => Vec::new(),
    }
}

/// The one, or none, that a filter asks for by something that is in an index; none of both where it asks otherwise.
fn indexed<'a>(state: &'a State, filter: &Filter) -> Option<Vec<&'a Arc<User>>> {
    let (name, value) = filter.sole()?;
    let found = match name {
        "id" => state.users.get(&value.into()),
        "userName" => state.index.user_by_name.get(value.to_lowercase().as_str()).and_then(|id| state.users.get(id)),
        "email" | "emails" | "emails.value" => state.user_by_email(value),
        _ => return None,
    };
    Some(found.into_iter().collect())
}

/// `GET /Users`. With a filter that no index answers, all people are looked at: the answer says how many fit.
pub(super) fn list(cx: &Read<'_, Slack>, _: Nothing) -> Looked {
    let (state, request) = (cx.state, cx.scene.request);
    let window = window(request)?;
    let people = state.users.iter().map(|(_, user)| user).filter(|user| is_person(user));
    let row = |user: &Arc<User>| shown(state, request, user);
    let Some(text) = query(request, "filter").filter(|text| !text.trim().is_empty()) else {
        let bots = state.index.app_by_bot_user.len() + 1;
        let page = people.skip(window.start).take(window.len()).map(row).collect();
        return listed(request, &window, state.users.len().saturating_sub(bots), page);
    };
    // Some clients give the parameter its own name once more.
    let text = text.strip_prefix("filter=").unwrap_or(&text);
    let filter = Filter::parse(text, FILTERED)?;
    let found: Vec<&Arc<User>> = match indexed(state, &filter) {
        Some(found) => found.into_iter().filter(|user| is_person(user)).collect(),
        None => people.filter(|user| filter.fits(&|name| values(state, user, name))).collect(),
    };
    let page = found.iter().skip(window.start).take(window.len()).map(|user| row(user)).collect();
    listed(request, &window, found.len(), page)
}

fn find<'a>(state: &'a State, request: &Request) -> Result<&'a Arc<User>, Error> {
    let user = state.users.get(&request.path_param("id").into()).filter(|user| is_person(user));
    user.ok_or_else(|| refused(404, "user_not_found"))
}

/// `GET /Users/{id}`
pub(super) fn get(cx: &Read<'_, Slack>, _: Nothing) -> Looked {
    told(&shown(cx.state, cx.scene.request, find(cx.state, cx.scene.request)?), StatusCode::OK)
}

/// The main address among those given.
fn main_email(members: &Members) -> Option<SmolStr> {
    let all = members.get("emails")?.as_array()?;
    let main = all.iter().find(|entry| entry["primary"] == true).or(all.first())?;
    main["value"].as_str().map(|text| SmolStr::new(text.trim()))
}

fn text(members: &Members, name: &str) -> Option<SmolStr> {
    match members.get(name)? {
        Value::Null => Some(SmolStr::default()),
        value => value.as_str().map(|text| SmolStr::new(text.trim())),
    }
}

fn check_email(state: &State, email: &str, own: Option<&SmolStr>) -> Result<(), Error> {
    let fits = email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if !fits || email.contains(char::is_whitespace) {
        return Err(refused(400, "invalid_email"));
    }
    match state.user_by_email(email) {
        Some(other) if Some(&other.id) != own => {
            Err(Error::Status(409, format_smolstr!("email_taken (email={email})")))
        }
        _ => Ok(()),
    }
}

/// A user name as Slack makes it of what an identity provider sends: of an address its first part.
fn check_name(state: &State, wanted: &str, own: Option<&SmolStr>) -> Result<SmolStr, Error> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    if wanted.contains('@') {
        return Ok(accounts::free_name(state, wanted));
    }
    let name = SmolStr::new(wanted.to_lowercase());
    if name.is_empty() || name.chars().count() > 21 || !name.chars().all(fits) {
        return Err(Error::Status(400, format_smolstr!("invalid_username (username={wanted})")));
    }
    match state.index.user_by_name.get(&name) {
        Some(id) if Some(id) != own => Err(Error::Status(409, format_smolstr!("username_taken (username={wanted})"))),
        _ => Ok(name),
    }
}

/// What a person is to be as a guest.
fn guest(members: &Members) -> Option<(Role, bool, i64)> {
    let guest = GUESTS.iter().find_map(|name| members.get(*name))?;
    let expires = guest["expiration"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let expires = expires.map_or(0, jiff::Timestamp::as_second);
    match guest["type"].as_str().unwrap_or_default() {
        "multi" => Some((Role::Guest, false, expires)),
        "single" => Some((Role::Guest, true, expires)),
        _ => Some((Role::Member, false, 0)),
    }
}

/// Sets what the members say.
fn apply(user: &mut User, members: &Members) {
    if let Some(name) = members.get("name").and_then(Value::as_object) {
        user.first = text(name, "givenName").unwrap_or_else(|| user.first.clone());
        user.last = text(name, "familyName").unwrap_or_else(|| user.last.clone());
        user.real_name = SmolStr::new(format!("{} {}", user.first, user.last).trim());
    }
    user.about.display_name = text(members, "displayName").unwrap_or_else(|| user.about.display_name.clone());
    user.title = text(members, "title").unwrap_or_else(|| user.title.clone());
    if let Some(tz) = text(members, "timezone").filter(|tz| jiff::tz::TimeZone::get(tz).is_ok()) {
        user.tz = tz;
    }
    if let Some(id) = text(members, "externalId") {
        user.account.external_id = Some(id).filter(|id| !id.is_empty());
    }
    if let Some(phones) = members.get("phoneNumbers") {
        let main = phones.as_array().and_then(|all| all.iter().find(|phone| phone["primary"] == true).or(all.first()));
        user.phone = main.and_then(|phone| phone["value"].as_str()).unwrap_or_default().into();
    }
    for (name, value) in members {
        let is_kept = KEPT.contains(&name.as_str()) || (name.starts_with("urn:") && !GUESTS.contains(&name.as_str()));
        match (is_kept, value) {
            (true, Value::Null) => drop(user.account.attributes.remove(name)),
            (true, Value::Object(more)) => merge(user, name, more),
            (true, value) => drop(user.account.attributes.insert(name.clone(), value.clone())),
            _ => {}
        }
    }
    if let Some((role, single, expires)) = guest(members)
        && !user.is_admin()
    {
        (user.role, user.account.single_channel, user.account.expires) = (role, single, expires);
    }
}

/// An extension's attributes are set one by one.
fn merge(user: &mut User, name: &str, more: &Members) {
    let before = user.account.attributes.entry(name.to_owned()).or_insert_with(|| json!({}));
    for (inner, value) in more {
        before[inner] = value.clone();
    }
}

/// Whether the caller may change somebody: those who may do more are out of reach.
fn may_change(cx: &Write<'_, '_, Slack>, user: &User) -> Result<(), Error> {
    let owns = cx.state.users.get(&caller(cx)).is_some_and(|by| by.is_owner());
    if user.is_owner() && !owns { Err(refused(403, "cannot_modify_owner")) } else { Ok(()) }
}

/// `POST /Users`
pub(super) fn create(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Looked {
    let (request, by) = (cx.scene.request, caller(cx));
    let members = body(request)?;
    let wanted = text(&members, "userName").filter(|name| !name.is_empty());
    let wanted = wanted.ok_or_else(|| refused(400, "missing_username"))?;
    let email = main_email(&members).or_else(|| wanted.contains('@').then(|| wanted.clone()));
    let email = email.ok_or_else(|| refused(400, "missing_email"))?;
    check_email(cx.state, &email, None)?;
    let name = check_name(cx.state, &wanted, None)?;
    let part = |name: &str| members.get("name").and_then(Value::as_object).and_then(|parts| text(parts, name));
    let new = NewAccount {
        email,
        name,
        first: part("givenName").unwrap_or_default(),
        last: part("familyName").unwrap_or_default(),
        role: guest(&members).map(|guest| guest.0),
        ..NewAccount::default()
    };
    let id = accounts::create(cx.state, cx.tx, &by, new).id.clone();
    let user = accounts::edit(cx.state, cx.tx, &id, |user| apply(user, &members));
    if members.get("active") == Some(&Value::Bool(false)) {
        accounts::end(cx.state, cx.tx, &by, &id);
    }
    let user = cx.state.users.get(&id).cloned().or(user).ok_or_else(|| refused(500, "internal_error"))?;
    told(&shown(cx.state, request, &user), StatusCode::CREATED)
}

/// Changes a person by members, and says what came of it.
fn change(cx: &mut Write<'_, '_, Slack>, members: &Members) -> Result<(), Error> {
    let user = find(cx.state, cx.scene.request)?.clone();
    may_change(cx, &user)?;
    let by = caller(cx);
    let email = main_email(members);
    if let Some(email) = &email {
        check_email(cx.state, email, Some(&user.id))?;
    }
    let name = text(members, "userName").filter(|name| !name.is_empty() && *name != user.name);
    let name = name.filter(|name| !name.contains('@')).map(|name| check_name(cx.state, &name, Some(&user.id)));
    let name = name.transpose()?;
    accounts::edit(cx.state, cx.tx, &user.id, |user| {
        apply(user, members);
        user.email = email.or_else(|| user.email.clone());
        user.name = name.unwrap_or_else(|| user.name.clone());
    });
    match (members.get("active").and_then(truth), is_active(cx.state, &user)) {
        (Some(false), true) => end(cx, &user, &by)?,
        (Some(true), false) => {
            let role = if user.role == Role::Guest { Role::Guest } else { Role::Member };
            accounts::reactivate(cx.state, cx.tx, &by, (&user.id, role, &user.account), &[]);
        }
        _ => {}
    }
    Ok(())
}

/// Yes or no, as some identity providers write it.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn end(cx: &mut Write<'_, '_, Slack>, user: &User, by: &SmolStr) -> Result<(), Error> {
    if user.role == Role::PrimaryOwner {
        return Err(refused(403, "cannot_deactivate_primary_owner"));
    }
    accounts::end(cx.state, cx.tx, by, &user.id);
    Ok(())
}

fn now(cx: &Write<'_, '_, Slack>) -> Looked {
    told(&shown(cx.state, cx.scene.request, find(cx.state, cx.scene.request)?), StatusCode::OK)
}

/// `PUT /Users/{id}`: what is not said is nothing any more, but for what an account cannot be without.
pub(super) fn update(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Looked {
    let mut members = body(cx.scene.request)?;
    let blank = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect::<Members>();
    let mut whole = blank(&["title", "displayName", "externalId", "phoneNumbers", "addresses", "roles", "userType"]);
    let user = find(cx.state, cx.scene.request)?;
    whole.extend(user.account.attributes.keys().map(|name| (name.clone(), Value::Null)));
    let mut name = json!({ "givenName": "", "familyName": "" });
    if let (Some(name), Some(Value::Object(given))) = (name.as_object_mut(), members.get("name")) {
        name.extend(given.clone());
    }
    whole.append(&mut members);
    whole.insert("name".to_owned(), name);
    change(cx, &whole)?;
    now(cx)
}

/// `PATCH /Users/{id}`: by members in 1.1, by operations in 2.0.
pub(super) fn patch(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Looked {
    let members = body(cx.scene.request)?;
    if is_v2(cx.scene.request) {
        for operation in patch::changes(&members)? {
            change(cx, &patch::members(&operation))?;
        }
    } else {
        change(cx, &members)?;
    }
    now(cx)
}

/// `DELETE /Users/{id}`: the account is deactivated, not forgotten.
pub(super) fn delete(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Looked {
    let user = find(cx.state, cx.scene.request)?.clone();
    may_change(cx, &user)?;
    let by = caller(cx);
    if is_active(cx.state, &user) {
        end(cx, &user, &by)?;
    }
    if is_v2(cx.scene.request) { nothing() } else { told(&json!({}), StatusCode::OK) }
}
