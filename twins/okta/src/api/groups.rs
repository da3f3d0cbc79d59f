//! Groups and memberships.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Group/.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    Links, act, bad_expand, find_user,
    listing::{EQUAL, FILTERS, NO_CO, SEARCHES, TIMES, direction, has_text},
    no_content,
    profiles::{group_rule, group_values},
    sight, stamp,
    user_body::UserBody,
};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        group::{self, Group, GroupField, GroupProfile, GroupType, Groups},
        may::Listed,
        sight::Sight,
        user::User,
    },
    paging::{self, Size},
    provisioning::groups::pushes_of,
    query::{Dialect, Kind, Rule},
    search::{Ask, Cursor, Direction, Found, Order, Sight as _, search},
};

/// A group as Okta shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupBody {
    id: SmolStr,
    created: String,
    last_updated: String,
    last_membership_updated: String,
    object_class: [&'static str; 1],
    r#type: &'static str,
    profile: ProfileBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceBody>,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<Value>,
    #[serde(rename = "_links")]
    links: Map<String, Value>,
}

/// The app that a group was brought in from.
#[derive(Debug, Serialize, JsonSchema)]
struct SourceBody {
    id: SmolStr,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ProfileBody {
    name: SmolStr,
    description: Option<SmolStr>,
    #[serde(flatten)]
    custom: Map<String, Value>,
}

impl ProfileBody {
    fn new(group: &Group) -> Self {
        let custom = group.custom.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        Self { name: group.name.clone(), description: group.description.clone(), custom }
    }
}

impl GroupBody {
    /// A group, with links below `origin`.
    pub(super) fn new(group: &Group, origin: &str) -> Self {
        let logo = |size: &str| {
            let href = format!("{origin}/assets/img/logos/groups/odyssey/okta-{size}.png");
            json!({ "name": size, "href": href, "type": "image/png" })
        };
        let own = format!("{origin}/api/v1/groups/{}", group.id);
        let mut links = Map::new();
        links.insert("logo".to_owned(), json!([logo("medium"), logo("large")]));
        links.extend(Links::new().to("users", format!("{own}/users")).to("apps", format!("{own}/apps")).0);
        Self {
            id: group.id.clone(),
            created: stamp(group.created),
            last_updated: stamp(group.last_updated),
            last_membership_updated: stamp(group.last_membership_updated),
            object_class: ["okta:user_group"],
            r#type: group.r#type.text(),
            profile: ProfileBody::new(group),
            source: group.source.clone().map(|id| SourceBody { id }),
            embedded: None,
            links,
        }
    }

    fn with_stats(mut self, state: &State, group: &Group, origin: &str) -> Self {
        let own = format!("{origin}/api/v1/groups/{}", group.id);
        let users = match group.r#type {
            GroupType::BuiltIn => state.users.living(),
            GroupType::OktaGroup | GroupType::AppGroup => state.members.size(&group.id),
        };
        let links = Links::new().to("users", format!("{own}/users")).to("apps", format!("{own}/apps"));
        self.embedded = Some(json!({ "stats": {
            "usersCount": users,
            "appsCount": state.assignments.apps_of_group(&group.id).count(),
            "groupPushMappingsCount": state.objects.members(&pushes_of(&group.id)).count(),
            "hasAdminPrivilege": false,
            "_links": links.0,
        } }));
        self
    }
}

/// Arguments of `listGroups`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListGroups {
    limit: Option<i64>,
    after: Option<String>,
    q: Option<String>,
    filter: Option<String>,
    search: Option<String>,
    expand: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
}

const PAGE: Size = Size { default: 10_000, max: 10_000 };
const QUERY_PAGE: Size = Size { default: 300, max: 10_000 };
const MEMBERS_PAGE: Size = Size { default: 1_000, max: 1_000 };

const FILTER: Dialect<GroupField> = Dialect {
    not: false,
    fold_case: false,
    operators: FILTERS,
    rule: |path| {
        let (field, kind, operators) = match path {
            "id" => (GroupField::Id, Kind::Exact, EQUAL),
            "type" => (GroupField::Type, Kind::Exact, EQUAL),
            "lastUpdated" => (GroupField::LastUpdated, Kind::Time, FILTERS),
            "lastMembershipUpdated" => (GroupField::LastMembershipUpdated, Kind::Time, FILTERS),
            _ => return None,
        };
        Some(Rule { field, kind, operators })
    },
};

const SEARCH: Dialect<GroupField> = Dialect {
    not: false,
    fold_case: true,
    operators: SEARCHES,
    rule: |path| {
        let (field, kind, operators) = match path {
            "id" => (GroupField::Id, Kind::Exact, NO_CO),
            "type" => (GroupField::Type, Kind::Text, NO_CO),
            "created" => (GroupField::Created, Kind::Time, TIMES),
            "lastUpdated" => (GroupField::LastUpdated, Kind::Time, TIMES),
            "lastMembershipUpdated" => (GroupField::LastMembershipUpdated, Kind::Time, TIMES),
            "source.id" => (GroupField::Source, Kind::Exact, NO_CO),
            "profile.name" => (GroupField::Name, Kind::Text, SEARCHES),
            "profile.description" => (GroupField::Description, Kind::Text, SEARCHES),
            _ => return None,
        };
        Some(Rule { field, kind, operators })
    },
};

/// `listGroups`: by name where nothing else is asked, as recorded.
pub fn list(cx: &Read<'_, Okta>, args: ListGroups) -> Result<Typed<Vec<GroupBody>>, Error> {
    let asked = [&args.q, &args.filter, &args.search].into_iter().filter(|text| has_text(text.as_deref())).count();
    if asked > 1 {
        return Err(Error::QueryAndFilter);
    }
    let stats = expands_stats(args.expand.as_deref())?;
    let page = if has_text(args.q.as_deref()) { QUERY_PAGE } else { PAGE };
    let limit = paging::size(args.limit, page)?;
    let found = find(cx.state, &sight(cx, Listed::Groups), &args, limit)?;
    let origin = &cx.scene.request.origin;
    let row = |group: &Arc<Group>| {
        let body = GroupBody::new(group, origin);
        if stats { body.with_stats(cx.state, group, origin) } else { body }
    };
    let rows: Vec<GroupBody> = found.rows.iter().map(row).collect();
    let answer = Typed::ok(&rows);
    if has_text(args.q.as_deref()) {
        // A query cannot be paged, and its answers have no links, in recordings of old and new orgs alike.
        return Ok(answer);
    }
    Ok(paging::linked(answer, cx.scene, limit, found.next.as_deref()))
}

/// `stats`, `app` or both. No group here comes from an app, so `app` adds nothing.
fn expands_stats(expand: Option<&str>) -> Result<bool, Error> {
    let mut stats = false;
    for word in expand.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "stats" => stats = true,
            "app" => {}
            _ => return Err(bad_expand()),
        }
    }
    Ok(stats)
}

fn find(state: &State, sight: &Sight<'_>, args: &ListGroups, limit: usize) -> Result<Found<Group>, Error> {
    if let Some(q) = args.q.as_deref().filter(|q| has_text(Some(q))) {
        let seen = state.groups.starting_with(q.trim()).filter(|group| sight.sees(&group.id));
        let rows = seen.take(limit).cloned().collect();
        return Ok(Found { rows, next: None });
    }
    let by_name = Order::By(GroupField::Name, Direction::Up);
    let searching = has_text(args.search.as_deref());
    let (condition, order) = match (&args.search, &args.filter) {
        (Some(text), _) if searching => {
            let more = |path: &str| group_rule(state, path);
            let condition = SEARCH.read_with(text, &more).map_err(|fault| Error::search(text, &fault, SEARCHES))?;
            (Some(condition), order(state, args, by_name)?)
        }
        (_, Some(text)) if has_text(Some(text)) => {
            let condition = FILTER.read(text).map_err(|fault| Error::search(text, &fault, FILTERS))?;
            (Some(condition), by_name)
        }
        _ => (None, by_name),
    };
    let bad_cursor = || Error::Cursor { search: searching };
    let read = |text: &String| Cursor::read::<Groups>(text, order).ok_or_else(bad_cursor);
    let after = args.after.as_ref().map(read).transpose()?;
    Ok(search(&state.groups, &Ask { condition: condition.as_ref(), order, after, limit, below: None, sight }))
}

fn order(state: &State, args: &ListGroups, otherwise: Order<GroupField>) -> Result<Order<GroupField>, Error> {
    let Some(path) = &args.sort_by else {
        return Ok(otherwise);
    };
    let rule = (SEARCH.rule)(path).or_else(|| group_rule(state, path));
    let field = rule.ok_or_else(|| Error::Search(format!("Invalid sort attribute '{path}'.")))?.field;
    Ok(Order::By(field, direction(args.sort_order.as_deref())?))
}

/// A group in the body of a request. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GroupInput {
    profile: Option<Map<String, Value>>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "type")]
    _type: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "lastMembershipUpdated")]
    _last_membership_updated: Option<Value>,
    #[serde(default, rename = "objectClass")]
    _object_class: Option<Value>,
    #[serde(default, rename = "_embedded")]
    _embedded: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

impl GroupInput {
    fn read(self, state: &State) -> Result<GroupProfile, Error> {
        let mut sent = self.profile.unwrap_or_default();
        let mut text = |name: &str| match sent.shift_remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(SmolStr::from(text))),
            Some(_) => Err(Error::Malformed),
        };
        let (name, description) = (text("name")?, text("description")?);
        // `objectClass` is shown in profiles of some clients.
        sent.shift_remove("objectClass");
        let custom = group_values(state, &sent)?;
        Ok(GroupProfile { name: name.unwrap_or_default(), description, custom })
    }
}

/// Arguments of `addGroup`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AddGroup {
    body: GroupInput,
}

/// `addGroup`: 200, not 201.
pub fn add(cx: &mut Write<'_, '_, Okta>, args: AddGroup) -> Result<Typed<GroupBody>, Error> {
    let profile = args.body.read(cx.state)?;
    let group = act(cx, |act| group::create(act, profile))?;
    Ok(Typed::ok(&GroupBody::new(&group, &cx.scene.request.origin)))
}

/// Arguments of operations that need only the group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    group_id: String,
}

pub(super) fn find_group(state: &State, id: &str) -> Result<Arc<Group>, Error> {
    state.groups.get(id).cloned().ok_or_else(|| Error::not_found(id, "UserGroup"))
}

/// `getGroup`.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<GroupBody>, Error> {
    let group = find_group(cx.state, &args.group_id)?;
    Ok(Typed::ok(&GroupBody::new(&group, &cx.scene.request.origin)))
}

/// Arguments of `replaceGroup`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplaceGroup {
    group_id: String,
    body: GroupInput,
}

/// `replaceGroup`.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: ReplaceGroup) -> Result<Typed<GroupBody>, Error> {
    let group = find_group(cx.state, &args.group_id)?;
    let profile = args.body.read(cx.state)?;
    let group = act(cx, |act| group::replace(act, &group, profile))?;
    Ok(Typed::ok(&GroupBody::new(&group, &cx.scene.request.origin)))
}

/// `deleteGroup`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let group = find_group(cx.state, &args.group_id)?;
    act(cx, |act| group::delete(act, &group))?;
    Ok(no_content())
}

/// Arguments of `listGroupUsers`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListMembers {
    group_id: String,
    limit: Option<i64>,
    after: Option<String>,
}

/// `listGroupUsers`: by id.
pub fn list_members(cx: &Read<'_, Okta>, args: ListMembers) -> Result<Typed<Vec<UserBody>>, Error> {
    let (state, group) = (cx.state, find_group(cx.state, &args.group_id)?);
    let limit = paging::size(args.limit, MEMBERS_PAGE)?;
    let after = args.after.unwrap_or_default();
    if !after.is_empty() && Cursor::read::<Groups>(&after, Order::Id).is_none() {
        return Err(Error::Cursor { search: false });
    }
    let mut members: Vec<&Arc<User>> = match group.r#type {
        GroupType::BuiltIn => state.users.living_after(&after).take(limit + 1).collect(),
        GroupType::OktaGroup | GroupType::AppGroup => {
            let ids = state.members.of_group(&group.id, &after).take(limit + 1);
            ids.filter_map(|id| state.users.get(id)).collect()
        }
    };
    let more = members.len() > limit;
    members.truncate(limit);
    let next = members.last().filter(|_| more).map(|user| user.id.as_str());
    let origin = &cx.scene.request.origin;
    let rows = members.iter().map(|user| UserBody::listed(state, user, origin));
    Ok(paging::linked(UserBody::page(rows), cx.scene, limit, next))
}

/// Arguments of membership changes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    group_id: String,
    user_id: String,
}

/// `assignUserToGroup`.
pub fn assign(cx: &mut Write<'_, '_, Okta>, args: Membership) -> Result<Typed<()>, Error> {
    let group = find_group(cx.state, &args.group_id)?;
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    act(cx, |act| group::add_member(act, &group, &user))?;
    Ok(no_content())
}

/// `unassignUserFromGroup`.
pub fn unassign(cx: &mut Write<'_, '_, Okta>, args: Membership) -> Result<Typed<()>, Error> {
    let group = find_group(cx.state, &args.group_id)?;
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    act(cx, |act| group::remove_member(act, &group, &user))?;
    Ok(no_content())
}
