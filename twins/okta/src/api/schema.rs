//! The schemas of profiles.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Schema/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{act, stamp};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{
        State,
        schema::{self, APP_PEOPLE, GROUP, GROUPS, PEOPLE, Rules, Schema, Wish},
    },
};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

/// The rows.
pub fn operations() -> Vec<Operation<Okta>> {
    const USER: &str = "/api/v1/meta/schemas/user/{schemaId}";
    const GROUP: &str = "/api/v1/meta/schemas/group/default";
    const APP: &str = "/api/v1/meta/schemas/apps/{appId}/default";
    vec![
        Operation::read("getUserSchema", GET, USER, get).limit("other"),
        Operation::write("updateUserProfile", POST, USER, update).limit("other"),
        Operation::read("getGroupSchema", GET, GROUP, get_group).limit("other"),
        Operation::write("updateGroupSchema", POST, GROUP, update_group).limit("other"),
        Operation::read("getApplicationUserSchema", GET, APP, get_app).limit("other"),
        Operation::write("updateApplicationUserProfile", POST, APP, update_app).limit("other"),
    ]
}

/// A schema in the body of a request. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SchemaInput {
    title: Option<SmolStr>,
    description: Option<SmolStr>,
    #[serde(default, deserialize_with = "object")]
    definitions: Option<Definitions>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "$schema")]
    _schema: Option<Value>,
    #[serde(default, rename = "name")]
    _name: Option<Value>,
    #[serde(default, rename = "type")]
    _type: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "properties")]
    _properties: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Definitions {
    #[serde(default, deserialize_with = "object")]
    base: Option<Part>,
    #[serde(default, deserialize_with = "object")]
    custom: Option<Part>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    properties: Option<Map<String, Value>>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "type")]
    _type: Option<Value>,
    #[serde(default, rename = "required")]
    _required: Option<Value>,
}

impl SchemaInput {
    fn read(self) -> Wish {
        let definitions = self.definitions.unwrap_or_default();
        let properties = |part: Option<Part>| part.and_then(|part| part.properties).unwrap_or_default();
        let (custom, base) = (properties(definitions.custom), properties(definitions.base));
        Wish { title: self.title, description: self.description, custom, base }
    }
}

/// A schema as Okta shows it: `id` and `name` are its own, `links` below its address.
fn shown(schema: &Schema, rules: Rules, id: &str, name: &str, links: &Value) -> Value {
    json!({
        "id": id,
        "$schema": "http://json-schema.org/draft-04/schema#",
        "name": name,
        "title": schema.title,
        "description": schema.description,
        "lastUpdated": stamp(schema.last_updated),
        "created": stamp(schema.created),
        "definitions": { "custom": custom(schema), "base": base(schema, rules) },
        "type": "object",
        "properties": { "profile": { "allOf": [{ "$ref": "#/definitions/custom" }, { "$ref": "#/definitions/base" }] } },
        "_links": links,
    })
}

fn custom(schema: &Schema) -> Value {
    let required: Vec<&SmolStr> =
        schema.custom.iter().filter(|one| one.is_required()).map(|property| &property.name).collect();
    let properties: Map<String, Value> =
        schema.custom.iter().map(|one| (one.name.to_string(), Value::Object(one.facts.clone()))).collect();
    json!({ "id": "#custom", "type": "object", "properties": properties, "required": required })
}

fn base(schema: &Schema, rules: Rules) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for name in schema::base_names(rules) {
        let mut facts = (rules.base)(name).unwrap_or_default();
        let changed = schema.base.get(name).and_then(Value::as_object);
        for (fact, value) in changed.into_iter().flatten() {
            if value.is_null() || (fact == "required" && *value == json!(false)) {
                facts.shift_remove(fact);
            } else {
                facts.insert(fact.clone(), value.clone());
            }
        }
        if facts.get("required") == Some(&json!(true)) {
            required.push(name);
        }
        properties.insert(name.to_owned(), Value::Object(facts));
    }
    json!({ "id": "#base", "type": "object", "properties": properties, "required": required })
}

/// All attributes of a type's people by name, with what the schema says of each.
pub(crate) fn properties(state: &State, of: &str) -> Map<String, Value> {
    let Some(schema) = state.schemas.get(of) else { return Map::new() };
    let mut all = Map::new();
    for mut part in [base(schema, PEOPLE), custom(schema)] {
        if let Some(Value::Object(own)) = part.get_mut("properties").map(Value::take) {
            all.extend(own);
        }
    }
    all
}

fn link(rel: &str, href: &str) -> Value {
    json!({ "rel": rel, "href": href, "method": "GET" })
}

/// A type's schema, found by its id, or by `default`.
fn find(state: &State, schema_id: &str) -> Result<std::sync::Arc<Schema>, Error> {
    let found = schema::type_of(state, schema_id).and_then(|of| state.schemas.get(&of).cloned());
    found.ok_or_else(|| Error::not_found(schema_id, "CVDType"))
}

fn user_schema(state: &State, schema: &Schema, origin: &str) -> Value {
    let default = schema.of == state.users.type_id;
    let schema_id = schema::id_of(&schema.of);
    let id = if default { "default" } else { schema_id.as_str() };
    let name = state.types.get(&schema.of).map_or("user", |found| found.name.as_str());
    let links = json!({
        "self": link("self", &format!("{origin}/api/v1/meta/schemas/user/{schema_id}")),
        "type": link("type", &format!("{origin}/api/v1/meta/types/user/{}", schema.of)),
    });
    shown(schema, PEOPLE, &format!("{origin}/meta/schemas/user/{id}"), name, &links)
}

/// Arguments of `getUserSchema`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetSchema {
    schema_id: String,
}

/// `getUserSchema`.
pub fn get(cx: &Read<'_, Okta>, args: GetSchema) -> Result<Typed<Value>, Error> {
    let found = find(cx.state, &args.schema_id)?;
    Ok(Typed::ok(&user_schema(cx.state, &found, &cx.scene.request.origin)))
}

/// Arguments of `updateUserProfile`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSchema {
    schema_id: String,
    body: SchemaInput,
}

/// `updateUserProfile`: what is not sent stays, nulls take away.
pub fn update(cx: &mut Write<'_, '_, Okta>, args: UpdateSchema) -> Result<Typed<Value>, Error> {
    let found = find(cx.state, &args.schema_id)?;
    let wish = args.body.read();
    let row = act(cx, |act| schema::update(act, &found, &wish, PEOPLE))?;
    Ok(Typed::ok(&user_schema(cx.state, &row, &cx.scene.request.origin)))
}

/// Arguments of `getGroupSchema`: none.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GetGroupSchema {}

fn group_schema(schema: &Schema, origin: &str) -> Value {
    let links = json!({ "self": link("self", &format!("{origin}/api/v1/meta/schemas/group/default")) });
    shown(schema, GROUPS, &format!("{origin}/meta/schemas/group/default"), "group", &links)
}

fn find_group_schema(state: &State) -> Result<std::sync::Arc<Schema>, Error> {
    state.schemas.get(GROUP).cloned().ok_or_else(|| Error::not_found("default", "CVDType"))
}

/// `getGroupSchema`.
pub fn get_group(cx: &Read<'_, Okta>, _: GetGroupSchema) -> Result<Typed<Value>, Error> {
    Ok(Typed::ok(&group_schema(&*find_group_schema(cx.state)?, &cx.scene.request.origin)))
}

/// Arguments of `updateGroupSchema`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UpdateGroupSchema {
    body: SchemaInput,
}

/// `updateGroupSchema`: what is not sent stays, nulls take away.
pub fn update_group(cx: &mut Write<'_, '_, Okta>, args: UpdateGroupSchema) -> Result<Typed<Value>, Error> {
    let found = find_group_schema(cx.state)?;
    let wish = args.body.read();
    let row = act(cx, |act| schema::update(act, &found, &wish, GROUPS))?;
    Ok(Typed::ok(&group_schema(&row, &cx.scene.request.origin)))
}

/// Arguments of `getApplicationUserSchema`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAppSchema {
    app_id: String,
}

/// An app's schema: one that nobody changed yet is as old as the app.
fn find_app_schema(state: &State, app_id: &str) -> Result<Schema, Error> {
    let app = state.apps.get(app_id).ok_or_else(|| Error::not_found(app_id, "AppInstance"))?;
    let new = || schema::empty(&app.id, &format!("{} User", app.label), "", app.created);
    Ok(state.schemas.get(&app.id).map_or_else(new, |found| Schema::clone(found)))
}

fn app_schema(state: &State, schema: &Schema, origin: &str) -> Value {
    let href = format!("{origin}/api/v1/meta/schemas/apps/{}/default", schema.of);
    let name = state.apps.get(&schema.of).map_or("", |app| app.label.as_str());
    let id = format!("{origin}/meta/schemas/apps/{}/default", schema.of);
    let mut shown = shown(schema, APP_PEOPLE, &id, name, &json!({ "self": link("self", &href) }));
    if schema.description.is_empty()
        && let Value::Object(members) = &mut shown
    {
        members.shift_remove("description");
    }
    shown
}

/// `getApplicationUserSchema`.
pub fn get_app(cx: &Read<'_, Okta>, args: GetAppSchema) -> Result<Typed<Value>, Error> {
    let found = find_app_schema(cx.state, &args.app_id)?;
    Ok(Typed::ok(&app_schema(cx.state, &found, &cx.scene.request.origin)))
}

/// Arguments of `updateApplicationUserProfile`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateAppSchema {
    app_id: String,
    #[serde(default)]
    body: SchemaInput,
}

/// `updateApplicationUserProfile`: what is not sent stays, nulls take away.
pub fn update_app(cx: &mut Write<'_, '_, Okta>, args: UpdateAppSchema) -> Result<Typed<Value>, Error> {
    let found = find_app_schema(cx.state, &args.app_id)?;
    let wish = args.body.read();
    let row = act(cx, |act| schema::update(act, &found, &wish, APP_PEOPLE))?;
    Ok(Typed::ok(&app_schema(cx.state, &row, &cx.scene.request.origin)))
}
