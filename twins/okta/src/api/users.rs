//! People.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/User/.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    wire::Answer,
};
use http::header::ETAG;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    act, bad_expand,
    credentials_body::CredentialsInput,
    find_user,
    groups::GroupBody,
    listing::{EQUAL, FILTERS, NO_CO, SEARCHES, TIMES, direction, has_text},
    no_content,
    profiles::{fill, user_rule},
    sight,
    user_body::{Omit, UserBody},
};
use crate::{
    Caller, Okta,
    error::Error,
    input::object,
    model::{
        State,
        accounts::{self, NewUser},
        group::{Group, GroupType},
        may::Listed,
        profile::{Attribute, Profile},
        session,
        sight::Sight,
        user::{Status, User, UserField},
    },
    paging::{self, Size},
    query::{Dialect, Kind, Rule},
    search::{Ask, Cursor, Direction, Found, Order, Sight as _, search},
};

/// Arguments of `listUsers`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListUsers {
    limit: Option<i64>,
    after: Option<String>,
    q: Option<String>,
    filter: Option<String>,
    search: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    fields: Option<String>,
    expand: Option<String>,
    #[serde(rename = "okta-response")]
    okta_response: Option<String>,
}

const PAGE: Size = Size { default: 200, max: 200 };
const QUERY_PAGE: Size = Size { default: 10, max: 200 };

/// `filter`: few attributes, compared as written.
const FILTER: Dialect<UserField> = Dialect {
    not: false,
    fold_case: false,
    operators: FILTERS,
    rule: |path| {
        let (field, operators) = match path {
            "id" => (UserField::Id, EQUAL),
            "status" => (UserField::Status, EQUAL),
            "lastUpdated" => (UserField::LastUpdated, FILTERS),
            "profile.login" | "profile.email" | "profile.firstName" | "profile.lastName" => {
                (UserField::Profile(Attribute::find(path.strip_prefix("profile.")?)?), EQUAL)
            }
            _ => return None,
        };
        let kind = if field == UserField::LastUpdated { Kind::Time } else { Kind::Exact };
        Some(Rule { field, kind, operators })
    },
};

/// `search`: all attributes, without regard to case.
const SEARCH: Dialect<UserField> = Dialect {
    not: false,
    fold_case: true,
    operators: SEARCHES,
    rule: |path| {
        let (field, kind, operators) = match path {
            "id" => (UserField::Id, Kind::Exact, NO_CO),
            "type.id" => (UserField::Type, Kind::Exact, NO_CO),
            "status" => (UserField::Status, Kind::Text, NO_CO),
            "created" => (UserField::Created, Kind::Time, TIMES),
            "activated" => (UserField::Activated, Kind::Time, TIMES),
            "statusChanged" => (UserField::StatusChanged, Kind::Time, TIMES),
            "lastUpdated" => (UserField::LastUpdated, Kind::Time, TIMES),
            _ => {
                let attribute = Attribute::find(path.strip_prefix("profile.")?)?;
                let contains = matches!(attribute.info().name, "firstName" | "lastName" | "email" | "login");
                (UserField::Profile(attribute), Kind::Text, if contains { SEARCHES } else { NO_CO })
            }
        };
        Some(Rule { field, kind, operators })
    },
};

/// `listUsers`.
pub fn list(cx: &Read<'_, Okta>, args: ListUsers) -> Result<Typed<Vec<UserBody>>, Error> {
    let asked = [&args.q, &args.filter, &args.search].into_iter().filter(|text| has_text(text.as_deref())).count();
    if asked > 1 {
        return Err(Error::QueryAndFilter);
    }
    if args.expand.is_some() {
        return Err(bad_expand());
    }
    let page = if has_text(args.q.as_deref()) { QUERY_PAGE } else { PAGE };
    let limit = paging::size(args.limit, page)?;
    let found = find(cx.state, &sight(cx, Listed::Users), &args, limit)?;
    let omit = Omit::read(args.okta_response.as_deref());
    let rows = found.rows.iter().map(|user| UserBody::row(cx.state, user, &cx.scene.request.origin, omit));
    let answer = match &args.fields {
        Some(fields) => Typed::from_answer(Answer::json(&project(rows, fields))),
        None => UserBody::page(rows),
    };
    if has_text(args.q.as_deref()) {
        // A query cannot be paged. That its answers have no links is recorded of groups.
        return Ok(answer);
    }
    Ok(paging::linked(answer, cx.scene, limit, found.next.as_deref()))
}

fn find(state: &State, sight: &Sight<'_>, args: &ListUsers, limit: usize) -> Result<Found<User>, Error> {
    if let Some(q) = args.q.as_deref().filter(|q| has_text(Some(q))) {
        return Ok(Found { rows: query(state, sight, q, limit), next: None });
    }
    let by_status = Order::By(UserField::Rank, Direction::Up);
    let searching = has_text(args.search.as_deref());
    let (condition, order) = match (&args.search, &args.filter) {
        (Some(text), _) if searching => {
            let more = |path: &str| user_rule(state, path);
            let condition = SEARCH.read_with(text, &more).map_err(|fault| Error::search(text, &fault, SEARCHES))?;
            (Some(condition), order(state, args)?)
        }
        (_, Some(text)) if has_text(Some(text)) => {
            let condition = FILTER.read(text).map_err(|fault| Error::search(text, &fault, FILTERS))?;
            (Some(condition), by_status)
        }
        _ => (None, by_status),
    };
    let bad_cursor = || Error::Cursor { search: searching };
    let read = |text: &String| Cursor::read::<crate::model::user::Users>(text, order).ok_or_else(bad_cursor);
    let after = args.after.as_ref().map(read).transpose()?;
    // Without a question, those who are deactivated are left out; they come last in this order.
    let below = condition.is_none().then(|| SmolStr::new_static(Status::Deprovisioned.rank()));
    Ok(search(&state.users, &Ask { condition: condition.as_ref(), order, after, limit, below, sight }))
}

/// `sortBy` and `sortOrder`, which count for searches only.
fn order(state: &State, args: &ListUsers) -> Result<Order<UserField>, Error> {
    let Some(path) = &args.sort_by else {
        return Ok(Order::Id);
    };
    let rule = (SEARCH.rule)(path).or_else(|| user_rule(state, path));
    let field = rule.ok_or_else(|| Error::Search(format!("Invalid sort attribute '{path}'.")))?.field;
    Ok(Order::By(field, direction(args.sort_order.as_deref())?))
}

/// People whose names or mail addresses start with `q`, without those who are deactivated.
fn query(state: &State, sight: &Sight<'_>, q: &str, limit: usize) -> Vec<Arc<User>> {
    let mut rows: Vec<Arc<User>> = Vec::new();
    for id in state.users.starting_with(&q.trim().to_lowercase()) {
        if rows.len() == limit {
            break;
        }
        let found = state.users.get(id).filter(|user| user.status != Status::Deprovisioned && sight.sees(&user.id));
        if let Some(user) = found.filter(|user| rows.iter().all(|row| row.id != user.id)) {
            rows.push(Arc::clone(user));
        }
    }
    rows
}

/// `fields=id,status,profile:(firstName,city)`: less of each row, the id always.
fn project(rows: impl Iterator<Item = UserBody>, fields: &str) -> Vec<Value> {
    let (outer, inner) = match fields.split_once("profile:(") {
        Some((before, rest)) => {
            let (inner, after) = rest.split_once(')').unwrap_or((rest, ""));
            (format!("{before}{after}"), Some(inner))
        }
        None => (fields.to_owned(), None),
    };
    let names = |list: &str| list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    let (outer, inner) = (names(&outer), inner.map(names));
    let one = |row: UserBody| {
        let Value::Object(mut row) = json!(row) else { return Value::Null };
        row.retain(|name, _| name == "id" || outer.contains(name) || (name == "profile" && inner.is_some()));
        if let (Some(inner), Some(Value::Object(profile))) = (&inner, row.get_mut("profile")) {
            profile.retain(|name, _| inner.contains(name));
        }
        Value::Object(row)
    };
    rows.map(one).collect()
}

/// Arguments of `getUser`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GetUser {
    id: String,
    expand: Option<String>,
    #[serde(rename = "okta-response")]
    okta_response: Option<String>,
}

/// `getUser`.
pub fn get(cx: &Read<'_, Okta>, args: GetUser) -> Result<Typed<UserBody>, Error> {
    let user = find_user(cx.state, cx.caller, &args.id)?;
    let omit = Omit::read(args.okta_response.as_deref());
    let blocks = match args.expand.as_deref() {
        None | Some("") => false,
        Some("blocks") => true,
        Some(_) => return Err(bad_expand()),
    };
    let answer = UserBody::one(cx.state, &user, &cx.scene.request.origin, omit, blocks).answer();
    // The Classic Engine is recorded without entity tags.
    Ok(if cx.state.kind.is_classic() { answer } else { answer.with_header(ETAG, user.etag()) })
}

/// A person in the body of a request. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserInput {
    profile: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "object")]
    credentials: Option<CredentialsInput>,
    group_ids: Option<Vec<String>>,
    #[serde(default, deserialize_with = "object")]
    r#type: Option<TypeInput>,
    #[serde(default)]
    realm_id: Option<String>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "status")]
    _status: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "activated")]
    _activated: Option<Value>,
    #[serde(default, rename = "statusChanged")]
    _status_changed: Option<Value>,
    #[serde(default, rename = "lastLogin")]
    _last_login: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "passwordChanged")]
    _password_changed: Option<Value>,
    #[serde(default, rename = "transitioningToStatus")]
    _transitioning: Option<Value>,
    #[serde(default, rename = "_embedded")]
    _embedded: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct TypeInput {
    id: String,
}

impl UserInput {
    /// The type that was sent, empty for the default type; none where none was.
    fn of(&self, state: &State) -> Result<Option<SmolStr>, Error> {
        let Some(sent) = &self.r#type else { return Ok(None) };
        if sent.id == "default" || sent.id == state.users.type_id {
            return Ok(Some(SmolStr::default()));
        }
        let found = state.types.get(&sent.id).ok_or_else(|| Error::not_found(&sent.id, "CVDType"))?;
        Ok(Some(found.id.clone()))
    }

    /// The realm that was sent, which must be one of the org's.
    fn realm(&self, state: &State) -> Result<Option<SmolStr>, Error> {
        let Some(realm) = &self.realm_id else { return Ok(None) };
        match state.objects.member(REALMS, realm) {
            Some(_) => Ok(Some(realm.into())),
            None => Err(Error::not_found(realm, "Realm")),
        }
    }
}

/// Arguments of `createUser`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateUser {
    activate: Option<bool>,
    provider: Option<bool>,
    next_login: Option<String>,
    body: UserInput,
}

/// Where the org's realms are.
const REALMS: &str = "/api/v1/realms";
/// The most groups that a new person can be put into.
const GROUPS_MAX: usize = 20;

/// `createUser`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: CreateUser) -> Result<Typed<UserBody>, Error> {
    let realm = args.body.realm(cx.state)?;
    let mut profile = Profile::of_type(args.body.of(cx.state)?.unwrap_or_default());
    fill(cx.state, &mut profile, args.body.profile.as_ref().unwrap_or(&Map::new()), "newUser")?;
    let credentials = args.body.credentials.unwrap_or_default().read(false)?;
    let expire = match args.next_login.as_deref() {
        None => false,
        Some("changePassword") => true,
        Some(_) => return Err(Error::fields(&[("nextLogin", "The field has an invalid value")])),
    };
    let federated = args.provider.unwrap_or(false);
    let provider = credentials.provider.as_ref().map(|provider| provider.r#type.as_str());
    if federated && !matches!(provider, Some("FEDERATION" | "SOCIAL")) {
        return Err(Error::fields(&[("provider", "The field cannot be left blank")]));
    }
    let groups = groups(cx.state, &args.body.group_ids.unwrap_or_default())?;
    let activate = args.activate.unwrap_or(true);
    let new = NewUser { profile, credentials, groups, activate, federated, expire, realm };
    let user = act(cx, |act| accounts::create(act, new))?;
    Ok(UserBody::whole(cx.state, &user, &cx.scene.request.origin).answer())
}

fn groups(state: &State, ids: &[String]) -> Result<Vec<Arc<Group>>, Error> {
    if ids.len() > GROUPS_MAX {
        return Err(Error::TooManyGroups);
    }
    let find = |id: &String| state.groups.get(id).cloned().ok_or_else(|| Error::not_found(id, "UserGroup"));
    let mut groups = ids.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    // Everybody is in Everyone already.
    groups.retain(|group| group.r#type != GroupType::BuiltIn);
    Ok(groups)
}

/// Arguments of `updateUser` and `replaceUser`. `strict` asks for the rules on the password's age and on earlier
/// ones.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ChangeUser {
    id: String,
    #[serde(rename = "if-match")]
    if_match: Option<String>,
    strict: Option<bool>,
    body: UserInput,
}

/// `updateUser`: what is not sent stays.
pub fn update(cx: &mut Write<'_, '_, Okta>, args: ChangeUser) -> Result<Typed<UserBody>, Error> {
    change(cx, args, |user, of| match of {
        Some(of) if of != *user.profile.of() => {
            Err(Error::invalid("type", "The type of a user can be changed by a full update only."))
        }
        _ => Ok(user.profile.clone()),
    })
}

/// `replaceUser`: what is not sent goes.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: ChangeUser) -> Result<Typed<UserBody>, Error> {
    change(cx, args, |user, of| Ok(Profile::of_type(of.unwrap_or_else(|| user.profile.of().clone()))))
}

fn change(
    cx: &mut Write<'_, '_, Okta>,
    args: ChangeUser,
    start: fn(&User, Option<SmolStr>) -> Result<Profile, Error>,
) -> Result<Typed<UserBody>, Error> {
    let user = find_user(cx.state, cx.caller, &args.id)?;
    check_tag(args.if_match.as_deref(), &user)?;
    let realm = args.body.realm(cx.state)?;
    let of = args.body.of(cx.state)?;
    let mut profile = match (&args.body.profile, &of) {
        (None, None) => user.profile.clone(),
        _ => start(&user, of)?,
    };
    fill(cx.state, &mut profile, args.body.profile.as_ref().unwrap_or(&Map::new()), "user")?;
    let credentials = args.body.credentials.unwrap_or_default().read(args.strict.unwrap_or(false))?;
    let user = act(cx, |act| accounts::update(act, &user, profile, credentials, realm))?;
    Ok(UserBody::whole(cx.state, &user, &cx.scene.request.origin).answer())
}

/// `If-Match` with the entity tag of `getUser`, weak or not, or a star.
fn check_tag(tag: Option<&str>, user: &User) -> Result<(), Error> {
    let Some(tag) = tag.map(str::trim) else {
        return Ok(());
    };
    let quoted = tag.strip_prefix("W/").unwrap_or(tag);
    let current = user.etag();
    if tag == "*" || Some(quoted) == current.strip_prefix("W/") {
        return Ok(());
    }
    let well_formed = quoted.len() >= 2 && quoted.starts_with('"') && quoted.ends_with('"');
    Err(if well_formed { Error::TagMismatch } else { Error::TagMalformed })
}

/// Arguments of `deleteUser`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeleteUser {
    id: String,
    #[serde(rename = "sendEmail")]
    _send_email: Option<bool>,
}

/// `deleteUser`: the first call deactivates, the second deletes.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: DeleteUser) -> Result<Typed<()>, Error> {
    let user = find_user(cx.state, cx.caller, &args.id)?;
    act(cx, |act| accounts::delete(act, &user))?;
    Ok(no_content())
}

/// Arguments of `listUserGroups`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UserGroups {
    id: String,
    limit: Option<i64>,
    after: Option<String>,
}

/// `listUserGroups`: by name, Everyone among them.
pub fn list_groups(cx: &Read<'_, Okta>, args: UserGroups) -> Result<Typed<Vec<GroupBody>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.id)?;
    let limit = paging::size(args.limit, PAGE)?;
    let mut groups = groups_of(cx.state, &user);
    if user.id != cx.caller.user {
        let sight = sight(cx, Listed::Groups);
        groups.retain(|group| sight.sees(&group.id));
    }
    let start = match &args.after {
        None => 0,
        Some(id) => {
            let at = groups.iter().position(|group| group.id == *id);
            at.ok_or(Error::Cursor { search: false })? + 1
        }
    };
    let page: Vec<&Arc<Group>> = groups.iter().skip(start).take(limit).collect();
    let next = (start + page.len() < groups.len()).then(|| page.last().map(|group| group.id.as_str())).flatten();
    let rows: Vec<GroupBody> = page.iter().map(|group| GroupBody::new(group, &cx.scene.request.origin)).collect();
    Ok(paging::linked(Typed::ok(&rows), cx.scene, limit, next))
}

/// Arguments of `listUserBlocks`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Blocks {
    id: String,
}

/// `listUserBlocks`: recorded orgs have not switched on what would block people.
pub fn list_blocks(cx: &Read<'_, Okta>, args: Blocks) -> Result<Typed<Vec<Value>>, Error> {
    find_user(cx.state, cx.caller, &args.id)?;
    Err(Error::FeatureOff)
}

fn groups_of(state: &State, user: &User) -> Vec<Arc<Group>> {
    let everyone = (user.status != Status::Deprovisioned).then_some(&state.groups.everyone);
    let ids = everyone.into_iter().chain(state.members.of_user(&user.id));
    let mut groups: Vec<Arc<Group>> = ids.filter_map(|id| state.groups.get(id).cloned()).collect();
    groups.sort_by_key(|group| group.name.to_lowercase());
    groups
}

/// Arguments of `revokeUserSessions`. There are no remembered devices to forget.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RevokeSessions {
    #[serde(rename = "userId")]
    user_id: String,
    #[serde(rename = "oauthTokens")]
    oauth_tokens: Option<bool>,
    #[serde(rename = "forgetDevices")]
    _forget_devices: Option<bool>,
}

/// `revokeUserSessions`.
pub fn revoke_sessions(cx: &mut Write<'_, '_, Okta>, args: RevokeSessions) -> Result<Typed<()>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    act(cx, |act| {
        session::clear(act, &user, None);
        if args.oauth_tokens == Some(true) {
            act.state.grants.revoke_user(&mut act.tx.changes, &user.id);
        }
        Ok(())
    })?;
    Ok(no_content())
}

/// Whether a caller may do this though they administer nothing: look at themselves.
pub fn is_own(state: &State, caller: &Caller, name: &str) -> bool {
    find_user(state, caller, name).is_ok_and(|user| user.id == caller.user)
}
