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
    act, bad_expand, find_user,
    groups::GroupBody,
    listing::{EQUAL, FILTERS, NO_CO, SEARCHES, TIMES, direction, has_text},
    no_content,
    user_body::{Omit, UserBody},
};
use crate::{
    Caller, Okta,
    error::Error,
    input::object,
    model::{
        State,
        accounts::{self, Credentials, NewUser},
        group::{Group, GroupType},
        profile::{Attribute, Profile},
        user::{Provider, Status, User, UserField},
    },
    paging::{self, Size},
    query::{Dialect, Kind, Rule},
    search::{Ask, Cursor, Direction, Found, Order, search},
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
    let found = find(cx.state, &args, limit)?;
    let omit = Omit::read(args.okta_response.as_deref());
    let rows = found.rows.iter().map(|user| UserBody::row(cx.state, user, &cx.scene.request.origin, omit));
    let answer = match &args.fields {
        Some(fields) => Typed::from_answer(Answer::json(&project(rows, fields))),
        None => Typed::ok(&rows.collect::<Vec<_>>()),
    };
    if has_text(args.q.as_deref()) {
        // A query cannot be paged. That its answers have no links is recorded of groups.
        return Ok(answer);
    }
    Ok(paging::linked(answer, cx.scene, limit, found.next.as_deref()))
}

fn find(state: &State, args: &ListUsers, limit: usize) -> Result<Found<User>, Error> {
    if let Some(q) = args.q.as_deref().filter(|q| has_text(Some(q))) {
        return Ok(Found { rows: query(state, q, limit), next: None });
    }
    let by_status = Order::By(UserField::Rank, Direction::Up);
    let searching = has_text(args.search.as_deref());
    let (condition, order) = match (&args.search, &args.filter) {
        (Some(text), _) if searching => {
            let condition = SEARCH.read(text).map_err(|fault| Error::search(text, &fault, SEARCHES))?;
            (Some(condition), order(args)?)
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
    Ok(search(&state.users, &Ask { condition: condition.as_ref(), order, after, limit, below }))
}

/// `sortBy` and `sortOrder`, which count for searches only.
fn order(args: &ListUsers) -> Result<Order<UserField>, Error> {
    let Some(path) = &args.sort_by else {
        return Ok(Order::Id);
    };
    let rule = (SEARCH.rule)(path);
    let field = rule.ok_or_else(|| Error::Search(format!("Invalid sort attribute '{path}'.")))?.field;
    Ok(Order::By(field, direction(args.sort_order.as_deref())?))
}

/// People whose names or mail addresses start with `q`, without those who are deactivated.
fn query(state: &State, q: &str, limit: usize) -> Vec<Arc<User>> {
    let mut rows: Vec<Arc<User>> = Vec::new();
    for id in state.users.starting_with(&q.trim().to_lowercase()) {
        if rows.len() == limit {
            break;
        }
        let found = state.users.get(id).filter(|user| user.status != Status::Deprovisioned);
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
    let mut body = UserBody::one(cx.state, &user, &cx.scene.request.origin, omit);
    match args.expand.as_deref() {
        None | Some("") => {}
        // Nobody is blocked from anywhere.
        Some("blocks") => body.embedded = Some(json!({ "blocks": [] })),
        Some(_) => return Err(bad_expand()),
    }
    Ok(Typed::ok(&body).with_header(ETAG, user.etag()))
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

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CredentialsInput {
    #[serde(default, deserialize_with = "object")]
    password: Option<PasswordInput>,
    #[serde(default, deserialize_with = "object")]
    recovery_question: Option<QuestionInput>,
    #[serde(default, deserialize_with = "object")]
    provider: Option<ProviderInput>,
    #[serde(default, rename = "emails")]
    _emails: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PasswordInput {
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    hash: Option<Map<String, Value>>,
    #[serde(default)]
    hook: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QuestionInput {
    #[serde(default)]
    question: Option<String>,
    #[serde(default)]
    answer: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProviderInput {
    r#type: Option<String>,
    name: Option<String>,
}

const PROVIDERS: [&str; 6] = ["OKTA", "FEDERATION", "SOCIAL", "ACTIVE_DIRECTORY", "LDAP", "IMPORT"];

impl CredentialsInput {
    fn read(self) -> Result<Credentials, Error> {
        // `{}` is what answers show of a password, so it says nothing.
        let password = self.password.and_then(|password| match password {
            PasswordInput { value: Some(value), .. } => Some(Some(value)),
            PasswordInput { hash: None, hook: None, .. } => None,
            _ => Some(None),
        });
        let question = match self.recovery_question {
            None | Some(QuestionInput { question: None, answer: None }) => None,
            Some(QuestionInput { question, answer: None }) => question,
            Some(QuestionInput { question, answer: Some(answer) }) => {
                if answer.chars().count() < 4 {
                    let short =
                        "recovery_question: The security question answer must be at least 4 characters in length";
                    return Err(Error::invalid("recovery_question", short));
                }
                question
            }
        };
        let provider = self.provider.map(|provider| {
            let kind = provider.r#type.unwrap_or_else(|| "OKTA".to_owned());
            if !PROVIDERS.contains(&kind.as_str()) {
                return Err(Error::fields(&[("provider", "The field has an invalid value")]));
            }
            let name = provider.name.unwrap_or_else(|| kind.clone());
            Ok(Provider { r#type: kind.into(), name: name.into() })
        });
        Ok(Credentials { password, question: question.map(SmolStr::from), provider: provider.transpose()? })
    }
}

/// Puts what was sent into a profile. Nulls take away, unknown names are refused.
fn fill(profile: &mut Profile, sent: &Map<String, Value>, about: &'static str) -> Result<(), Error> {
    let known = |name: &String| Attribute::find(name).is_some();
    let unknown: Vec<String> = sent
        .keys()
        .filter(|name| !known(name))
        .map(|name| format!("Property name '{name}' is not defined in profile"))
        .collect();
    if !unknown.is_empty() {
        return Err(Error::Validation { about: SmolStr::new_static(about), causes: unknown });
    }
    for (name, value) in sent {
        let Some(attribute) = Attribute::find(name) else { continue };
        match value {
            Value::Null => profile.set(attribute, ""),
            Value::String(text) => profile.set(attribute, text),
            _ => return Err(Error::Malformed),
        }
    }
    Ok(())
}

impl UserInput {
    /// Types and realms other than the default ones do not exist here.
    fn check_type(&self, state: &State) -> Result<(), Error> {
        match (&self.r#type, &self.realm_id) {
            (Some(kind), _) if kind.id != state.users.type_id && kind.id != "default" => {
                Err(Error::not_found(&kind.id, "CVDType"))
            }
            (_, Some(realm)) => Err(Error::not_found(realm, "Realm")),
            _ => Ok(()),
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

/// The most groups that a new person can be put into.
const GROUPS_MAX: usize = 20;

/// `createUser`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: CreateUser) -> Result<Typed<UserBody>, Error> {
    args.body.check_type(cx.state)?;
    let mut profile = Profile::default();
    fill(&mut profile, args.body.profile.as_ref().unwrap_or(&Map::new()), "newUser")?;
    let credentials = args.body.credentials.unwrap_or_default().read()?;
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
    let new = NewUser { profile, credentials, groups, activate, federated, expire };
    let user = act(cx, |act| accounts::create(act, new))?;
    Ok(Typed::ok(&UserBody::whole(cx.state, &user, &cx.scene.request.origin)))
}

fn groups(state: &State, ids: &[String]) -> Result<Vec<Arc<Group>>, Error> {
    if ids.len() > GROUPS_MAX {
        return Err(Error::TooManyGroups);
    }
    let find = |id: &String| state.groups.get(id).cloned().ok_or_else(|| Error::not_found(id, "UserGroup"));
    let mut groups = ids.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    // Everybody is in Everyone already.
    groups.retain(|group| group.r#type == GroupType::OktaGroup);
    Ok(groups)
}

/// Arguments of `updateUser` and `replaceUser`. `strict` asks for password history, which is not kept.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ChangeUser {
    id: String,
    #[serde(rename = "if-match")]
    if_match: Option<String>,
    #[serde(rename = "strict")]
    _strict: Option<bool>,
    body: UserInput,
}

/// `updateUser`: what is not sent stays.
pub fn update(cx: &mut Write<'_, '_, Okta>, args: ChangeUser) -> Result<Typed<UserBody>, Error> {
    change(cx, args, |user| user.profile.clone())
}

/// `replaceUser`: what is not sent goes.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: ChangeUser) -> Result<Typed<UserBody>, Error> {
    change(cx, args, |_| Profile::default())
}

fn change(
    cx: &mut Write<'_, '_, Okta>,
    args: ChangeUser,
    start: fn(&User) -> Profile,
) -> Result<Typed<UserBody>, Error> {
    let user = find_user(cx.state, cx.caller, &args.id)?;
    check_tag(args.if_match.as_deref(), &user)?;
    args.body.check_type(cx.state)?;
    let mut profile = match &args.body.profile {
        Some(_) => start(&user),
        None => user.profile.clone(),
    };
    fill(&mut profile, args.body.profile.as_ref().unwrap_or(&Map::new()), "user")?;
    let credentials = args.body.credentials.unwrap_or_default().read()?;
    let user = act(cx, |act| accounts::update(act, &user, profile, credentials))?;
    Ok(Typed::ok(&UserBody::whole(cx.state, &user, &cx.scene.request.origin)))
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
    let groups = groups_of(cx.state, &user);
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

fn groups_of(state: &State, user: &User) -> Vec<Arc<Group>> {
    let everyone = (user.status != Status::Deprovisioned).then_some(&state.groups.everyone);
    let ids = everyone.into_iter().chain(state.members.of_user(&user.id));
    let mut groups: Vec<Arc<Group>> = ids.filter_map(|id| state.groups.get(id).cloned()).collect();
    groups.sort_by_key(|group| group.name.to_lowercase());
    groups
}

/// Arguments of `revokeUserSessions`. There are no OAuth tokens or remembered devices to revoke besides.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RevokeSessions {
    #[serde(rename = "userId")]
    user_id: String,
    #[serde(rename = "oauthTokens")]
    _oauth_tokens: Option<bool>,
    #[serde(rename = "forgetDevices")]
    _forget_devices: Option<bool>,
}

/// `revokeUserSessions`.
pub fn revoke_sessions(cx: &mut Write<'_, '_, Okta>, args: RevokeSessions) -> Result<Typed<()>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    act(cx, |act| {
        accounts::clear_sessions(act, &user);
        Ok(())
    })?;
    Ok(no_content())
}

/// Whether a caller may do this though they administer nothing: look at themselves.
pub fn is_own(state: &State, caller: &Caller, name: &str) -> bool {
    find_user(state, caller, name).is_ok_and(|user| user.id == caller.user)
}
