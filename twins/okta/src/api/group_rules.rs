//! Group rules.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupRule/.

use std::{collections::BTreeSet, sync::Arc};

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Empty, act, bad_expand, listing::has_text, no_content, stamp};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{
        State,
        group::Groups,
        group_rule::{self, Rule, RuleStatus, Wish},
    },
    paging::{self, Size},
    search::{Cursor, Order},
};

/// The rows.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const PUT: &[Method] = &[Method::PUT];
    const DELETE: &[Method] = &[Method::DELETE];
    const ALL: &str = "/api/v1/groups/rules";
    const ONE: &str = "/api/v1/groups/rules/{groupRuleId}";
    const ON: &str = "/api/v1/groups/rules/{groupRuleId}/lifecycle/activate";
    const OFF: &str = "/api/v1/groups/rules/{groupRuleId}/lifecycle/deactivate";
    vec![
        Operation::read("listGroupRules", GET, ALL, list).limit("groups"),
        Operation::write("createGroupRule", POST, ALL, create).limit("groups"),
        Operation::read("getGroupRule", GET, ONE, get).limit("groups/{id}"),
        Operation::write("replaceGroupRule", PUT, ONE, replace).limit("groups/{id}"),
        Operation::write("deleteGroupRule", DELETE, ONE, delete).limit("groups/{id}"),
        Operation::write("activateGroupRule", POST, ON, activate).limit("groups"),
        Operation::write("deactivateGroupRule", POST, OFF, deactivate).limit("groups"),
    ]
}

/// A rule as Okta shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleBody {
    r#type: &'static str,
    id: SmolStr,
    status: RuleStatusBody,
    name: SmolStr,
    created: String,
    last_updated: String,
    conditions: Value,
    actions: Value,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
struct RuleStatusBody(&'static str);

impl RuleBody {
    fn new(rule: &Rule) -> Self {
        let mut conditions = json!({ "expression": { "value": rule.expression, "type": EXPRESSION } });
        if !rule.excluded.is_empty() || !rule.excluded_groups.is_empty() {
            let list = |ids: &BTreeSet<SmolStr>| ids.iter().cloned().collect::<Vec<_>>();
            conditions["people"] = json!({
                "users": { "exclude": list(&rule.excluded) },
                "groups": { "exclude": list(&rule.excluded_groups) },
            });
        }
        Self {
            r#type: "group_rule",
            id: rule.id.clone(),
            status: RuleStatusBody(match rule.status {
                RuleStatus::Active => "ACTIVE",
                RuleStatus::Inactive => "INACTIVE",
                RuleStatus::Invalid => "INVALID",
            }),
            name: rule.name.clone(),
            created: stamp(rule.created),
            last_updated: stamp(rule.last_updated),
            conditions,
            actions: json!({ "assignUserToGroups": { "groupIds": rule.groups } }),
            embedded: None,
        }
    }

    /// With the names of the rule's groups where they were asked for.
    fn expanded(mut self, state: &State, rule: &Rule, names: bool) -> Self {
        if names {
            let groups = rule.groups.iter().filter_map(|id| state.groups.get(id));
            let map: Map<String, Value> = groups.map(|group| (group.id.to_string(), json!(group.name))).collect();
            self.embedded = Some(json!({ "groupIdToGroupNameMap": map }));
        }
        self
    }
}

const EXPRESSION: &str = "urn:okta:expression:1.0";

fn find(state: &State, id: &str) -> Result<Arc<Rule>, Error> {
    state.rules.get(id).cloned().ok_or_else(|| Error::not_found(id, "GroupRule"))
}

fn expands(expand: Option<&str>) -> Result<bool, Error> {
    match expand {
        None | Some("") => Ok(false),
        Some("groupIdToGroupNameMap") => Ok(true),
        Some(_) => Err(bad_expand()),
    }
}

const PAGE: Size = Size { default: 50, max: 200 };

/// Arguments of `listGroupRules`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct List {
    limit: Option<i64>,
    after: Option<String>,
    search: Option<String>,
    expand: Option<String>,
}

/// `listGroupRules`: by id; those whose names contain the keyword, in any case.
pub fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<RuleBody>>, Error> {
    let names = expands(args.expand.as_deref())?;
    let limit = paging::size(args.limit, PAGE)?;
    let after = args.after.unwrap_or_default();
    if !after.is_empty() && Cursor::read::<Groups>(&after, Order::Id).is_none() {
        return Err(Error::Cursor { search: false });
    }
    let word = args.search.filter(|text| has_text(Some(text))).map(|text| text.trim().to_lowercase());
    let fits = |rule: &&Arc<Rule>| word.as_ref().is_none_or(|word| rule.name.to_lowercase().contains(word.as_str()));
    let mut rules: Vec<_> = cx.state.rules.after(&after).filter(fits).take(limit + 1).collect();
    let more = rules.len() > limit;
    rules.truncate(limit);
    let next = rules.last().filter(|_| more).map(|rule| rule.id.as_str());
    let rows: Vec<_> = rules.iter().map(|rule| RuleBody::new(rule).expanded(cx.state, rule, names)).collect();
    Ok(paging::linked(Typed::ok(&rows), cx.scene, limit, next))
}

/// A rule in the body of a request. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RuleInput {
    r#type: Option<String>,
    name: Option<SmolStr>,
    #[serde(default, deserialize_with = "object")]
    conditions: Option<Conditions>,
    #[serde(default, deserialize_with = "object")]
    actions: Option<Actions>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "status")]
    _status: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "allGroupsValid")]
    _all_groups_valid: Option<Value>,
    #[serde(default, rename = "_embedded")]
    _embedded: Option<Value>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Conditions {
    #[serde(default, deserialize_with = "object")]
    expression: Option<ExpressionInput>,
    #[serde(default, deserialize_with = "object")]
    people: Option<People>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExpressionInput {
    r#type: Option<String>,
    value: Option<SmolStr>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct People {
    #[serde(default, deserialize_with = "object")]
    users: Option<Exclusions>,
    #[serde(default, deserialize_with = "object")]
    groups: Option<Exclusions>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Exclusions {
    exclude: Option<Vec<SmolStr>>,
    #[serde(default)]
    include: Option<Vec<SmolStr>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Actions {
    #[serde(default, deserialize_with = "object")]
    assign_user_to_groups: Option<Assignment>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Assignment {
    group_ids: Option<Vec<SmolStr>>,
}

impl Exclusions {
    /// The excluded, all of whom there must be.
    fn read(found: Option<Self>, kind: &'static str, known: impl Fn(&str) -> bool) -> Result<BTreeSet<SmolStr>, Error> {
        let found = found.unwrap_or_default();
        if found.include.is_some_and(|ids| !ids.is_empty()) {
            return Err(Error::invalid("conditions.people", "Only exclusions are supported"));
        }
        let ids = found.exclude.unwrap_or_default();
        match ids.iter().find(|id| !known(id)) {
            Some(id) => Err(Error::not_found(id, kind)),
            None => Ok(ids.into_iter().collect()),
        }
    }
}

impl RuleInput {
    fn read(self, state: &State) -> Result<Wish, Error> {
        let invalid = |field| Error::fields(&[(field, "The field has an invalid value")]);
        if self.r#type.as_deref().is_some_and(|kind| kind != "group_rule") {
            return Err(invalid("type"));
        }
        let conditions = self.conditions.unwrap_or_default();
        let expression = conditions.expression.unwrap_or_default();
        if expression.r#type.as_deref().is_some_and(|kind| kind != EXPRESSION) {
            return Err(invalid("conditions.expression.type"));
        }
        let people = conditions.people.unwrap_or_default();
        Ok(Wish {
            name: self.name.unwrap_or_default(),
            expression: expression.value.unwrap_or_default(),
            excluded: Exclusions::read(people.users, "User", |id| state.users.get(id).is_some())?,
            excluded_groups: Exclusions::read(people.groups, "UserGroup", |id| state.groups.get(id).is_some())?,
            groups: self.actions.and_then(|actions| actions.assign_user_to_groups).and_then(|found| found.group_ids),
        })
    }
}

/// Arguments of `createGroupRule`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Create {
    body: RuleInput,
}

/// `createGroupRule`: inactive, whatever was sent.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<RuleBody>, Error> {
    let wish = args.body.read(cx.state)?;
    let rule = act(cx, |act| group_rule::create(act, wish))?;
    Ok(Typed::ok(&RuleBody::new(&rule)))
}

/// Arguments of `getGroupRule`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Get {
    group_rule_id: String,
    expand: Option<String>,
}

/// `getGroupRule`.
pub fn get(cx: &Read<'_, Okta>, args: Get) -> Result<Typed<RuleBody>, Error> {
    let names = expands(args.expand.as_deref())?;
    let rule = find(cx.state, &args.group_rule_id)?;
    Ok(Typed::ok(&RuleBody::new(&rule).expanded(cx.state, &rule, names)))
}

/// Arguments of `replaceGroupRule`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replace {
    group_rule_id: String,
    body: RuleInput,
}

/// `replaceGroupRule`: only while it is inactive.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: Replace) -> Result<Typed<RuleBody>, Error> {
    let rule = find(cx.state, &args.group_rule_id)?;
    let wish = args.body.read(cx.state)?;
    let rule = act(cx, |act| group_rule::replace(act, &rule, wish))?;
    Ok(Typed::ok(&RuleBody::new(&rule)))
}

/// Arguments of `deleteGroupRule`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delete {
    group_rule_id: String,
    remove_users: Option<bool>,
}

/// `deleteGroupRule`: 202 with an empty object, as recorded.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Delete) -> Result<Typed<Empty>, Error> {
    let rule = find(cx.state, &args.group_rule_id)?;
    act(cx, |act| group_rule::delete(act, &rule, args.remove_users.unwrap_or(false)))?;
    Ok(Typed::ok(&Empty {}).with_status(StatusCode::ACCEPTED))
}

/// Arguments of operations that need only the rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    group_rule_id: String,
}

/// `activateGroupRule`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let rule = find(cx.state, &args.group_rule_id)?;
    act(cx, |act| group_rule::activate(act, &rule))?;
    Ok(no_content())
}

/// `deactivateGroupRule`.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let rule = find(cx.state, &args.group_rule_id)?;
    act(cx, |act| group_rule::deactivate(act, &rule))?;
    Ok(no_content())
}
