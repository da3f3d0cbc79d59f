//! Types of people.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserType/.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{act, no_content, stamp};
use crate::{
    Okta,
    error::Error,
    model::{
        State, schema,
        user_type::{self, UserType, Wish},
    },
};

const ALL: &str = "/api/v1/meta/types/user";
const ONE: &str = "/api/v1/meta/types/user/{typeId}";

/// The rows.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const PUT: &[Method] = &[Method::PUT];
    const DELETE: &[Method] = &[Method::DELETE];
    vec![
        Operation::read("listUserTypes", GET, ALL, list).limit("other"),
        Operation::write("createUserType", POST, ALL, create).limit("other"),
        Operation::read("getUserType", GET, ONE, get).limit("other"),
        Operation::write("updateUserType", POST, ONE, update).limit("other"),
        Operation::write("replaceUserType", PUT, ONE, replace).limit("other"),
        Operation::write("deleteUserType", DELETE, ONE, delete).limit("other"),
    ]
}

/// A type as Okta shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TypeBody {
    id: SmolStr,
    display_name: SmolStr,
    name: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<SmolStr>,
    created_by: SmolStr,
    last_updated_by: SmolStr,
    created: String,
    last_updated: String,
    default: bool,
    #[serde(rename = "_links")]
    links: Value,
}

impl TypeBody {
    fn new(found: &UserType, origin: &str) -> Self {
        let link = |rel: &str, path: String| json!({ "rel": rel, "href": format!("{origin}/api/v1/meta/{path}"), "method": "GET" });
        Self {
            id: found.id.clone(),
            display_name: found.display_name.clone(),
            name: found.name.clone(),
            description: found.description.clone(),
            created_by: found.created_by.clone(),
            last_updated_by: found.last_updated_by.clone(),
            created: stamp(found.created),
            last_updated: stamp(found.last_updated),
            default: found.default,
            links: json!({
                "schema": link("schema", format!("schemas/user/{}", schema::id_of(&found.id))),
                "self": link("self", format!("types/user/{}", found.id)),
            }),
        }
    }
}

fn find(state: &State, id: &str) -> Result<Arc<UserType>, Error> {
    let id = if id == "default" { state.users.type_id.as_str() } else { id };
    state.types.get(id).cloned().ok_or_else(|| Error::not_found(id, "CVDType"))
}

/// Arguments of `listUserTypes`: none.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct List {}

/// `listUserTypes`: by name.
pub fn list(cx: &Read<'_, Okta>, _: List) -> Result<Typed<Vec<TypeBody>>, Error> {
    let rows = cx.state.types.iter().map(|found| TypeBody::new(found, &cx.scene.request.origin));
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

/// A type in the body of a request. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TypeInput {
    name: Option<SmolStr>,
    display_name: Option<SmolStr>,
    description: Option<SmolStr>,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    #[serde(default, rename = "default")]
    _default: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "createdBy")]
    _created_by: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "lastUpdatedBy")]
    _last_updated_by: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

/// Arguments of `createUserType`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Create {
    body: TypeInput,
}

/// `createUserType`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<TypeBody>, Error> {
    let TypeInput { name, display_name, description, .. } = args.body;
    let wish = Wish { name, display_name, description: description.map(Some) };
    let row = act(cx, |act| user_type::create(act, wish))?;
    Ok(Typed::ok(&TypeBody::new(&row, &cx.scene.request.origin)))
}

/// Arguments of operations that need only the type.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    type_id: String,
}

/// `getUserType`.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<TypeBody>, Error> {
    Ok(Typed::ok(&TypeBody::new(&*find(cx.state, &args.type_id)?, &cx.scene.request.origin)))
}

/// Arguments of `updateUserType` and `replaceUserType`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    type_id: String,
    body: TypeInput,
}

/// `updateUserType`: what is not sent stays.
pub fn update(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<TypeBody>, Error> {
    let found = find(cx.state, &args.type_id)?;
    let TypeInput { name, display_name, description, .. } = args.body;
    let wish = Wish { name, display_name, description: description.map(Some) };
    let row = act(cx, |act| user_type::update(act, &found, wish))?;
    Ok(Typed::ok(&TypeBody::new(&row, &cx.scene.request.origin)))
}

/// `replaceUserType`: all must be sent, the name as it is.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<TypeBody>, Error> {
    let found = find(cx.state, &args.type_id)?;
    let TypeInput { name, display_name, description, .. } = args.body;
    for (field, sent) in [("name", &name), ("displayName", &display_name), ("description", &description)] {
        if sent.is_none() {
            return Err(Error::fields(&[(field, "The field cannot be left blank")]));
        }
    }
    let wish = Wish { name, display_name, description: Some(description) };
    let row = act(cx, |act| user_type::update(act, &found, wish))?;
    Ok(Typed::ok(&TypeBody::new(&row, &cx.scene.request.origin)))
}

/// `deleteUserType`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let found = find(cx.state, &args.type_id)?;
    act(cx, |act| user_type::delete(act, &found))?;
    Ok(no_content())
}
