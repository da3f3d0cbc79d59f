//! Links between people, and what kinds of links there are.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/LinkedObject/.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{act, find_user, no_content};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{
        State,
        linked::{self, Definition, Side},
    },
};

/// The rows.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const PUT: &[Method] = &[Method::PUT];
    const DELETE: &[Method] = &[Method::DELETE];
    const ALL: &str = "/api/v1/meta/schemas/user/linkedObjects";
    const ONE: &str = "/api/v1/meta/schemas/user/linkedObjects/{linkedObjectName}";
    const LINK: &str = "/api/v1/users/{userIdOrLogin}/linkedObjects/{primaryRelationshipName}/{primaryUserId}";
    const LINKS: &str = "/api/v1/users/{userIdOrLogin}/linkedObjects/{relationshipName}";
    vec![
        Operation::read("listLinkedObjectDefinitions", GET, ALL, list).limit("other"),
        Operation::write("createLinkedObjectDefinition", POST, ALL, create).limit("other"),
        Operation::read("getLinkedObjectDefinition", GET, ONE, get).limit("other"),
        Operation::write("deleteLinkedObjectDefinition", DELETE, ONE, delete).limit("other"),
        Operation::write("assignLinkedObjectValueForPrimary", PUT, LINK, link).limit("users/{id} write"),
        Operation::read("listLinkedObjectsForUser", GET, LINKS, list_links).limit("users/{id} read"),
        Operation::write("deleteLinkedObjectForUser", DELETE, LINKS, unlink).limit("users/{id} write"),
    ]
}

/// A definition as Okta shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DefinitionBody {
    primary: SideBody,
    associated: SideBody,
    #[serde(rename = "_links")]
    links: Value,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SideBody {
    name: SmolStr,
    title: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<SmolStr>,
    r#type: &'static str,
}

impl SideBody {
    fn new(side: &Side) -> Self {
        let Side { name, title, description } = side.clone();
        Self { name, title, description, r#type: "USER" }
    }
}

impl DefinitionBody {
    fn new(found: &Definition, origin: &str) -> Self {
        let href = format!("{origin}/api/v1/meta/schemas/user/linkedObjects/{}", found.primary.name);
        Self {
            primary: SideBody::new(&found.primary),
            associated: SideBody::new(&found.associated),
            links: json!({ "self": { "href": href } }),
        }
    }
}

fn find(state: &State, name: &str) -> Result<Arc<Definition>, Error> {
    state.links.by_name(name).cloned().ok_or_else(|| Error::not_found(name, "LinkedObjectProperty"))
}

/// Arguments of `listLinkedObjectDefinitions`: none.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct List {}

/// `listLinkedObjectDefinitions`: oldest first.
pub fn list(cx: &Read<'_, Okta>, _: List) -> Result<Typed<Vec<DefinitionBody>>, Error> {
    let rows = cx.state.links.iter().map(|found| DefinitionBody::new(found, &cx.scene.request.origin));
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

/// A definition in the body of a request. Its links may be sent along, and are passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DefinitionInput {
    #[serde(default, deserialize_with = "object")]
    primary: Option<SideInput>,
    #[serde(default, deserialize_with = "object")]
    associated: Option<SideInput>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SideInput {
    name: Option<SmolStr>,
    title: Option<SmolStr>,
    description: Option<SmolStr>,
    r#type: Option<SmolStr>,
}

impl SideInput {
    fn read(self, place: &'static str) -> Result<Side, Error> {
        let refuse = |why: &str| Error::invalid(place, format!("{place}.type: {why}"));
        match self.r#type.as_deref() {
            Some("USER") => {}
            Some(_) => return Err(refuse("The field has an invalid value")),
            None => return Err(refuse("The field cannot be left blank")),
        }
        let (name, title) = (self.name.unwrap_or_default(), self.title.unwrap_or_default());
        Ok(Side { name, title, description: self.description })
    }
}

/// Arguments of `createLinkedObjectDefinition`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Create {
    body: DefinitionInput,
}

/// `createLinkedObjectDefinition`: 201.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<DefinitionBody>, Error> {
    let primary = args.body.primary.unwrap_or_default().read("primary")?;
    let associated = args.body.associated.unwrap_or_default().read("associated")?;
    let row = act(cx, |act| linked::define(act, primary, associated))?;
    Ok(Typed::ok(&DefinitionBody::new(&row, &cx.scene.request.origin)).with_status(StatusCode::CREATED))
}

/// Arguments of operations that need only the definition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    linked_object_name: String,
}

/// `getLinkedObjectDefinition`: by the name of either side.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<DefinitionBody>, Error> {
    let found = find(cx.state, &args.linked_object_name)?;
    Ok(Typed::ok(&DefinitionBody::new(&found, &cx.scene.request.origin)))
}

/// `deleteLinkedObjectDefinition`: by the name of either side, with all its links.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let found = find(cx.state, &args.linked_object_name)?;
    act(cx, |act| {
        linked::undefine(act, &found);
        Ok(())
    })?;
    Ok(no_content())
}

/// Arguments of `assignLinkedObjectValueForPrimary`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    user_id_or_login: String,
    primary_relationship_name: String,
    primary_user_id: String,
}

/// A definition by the name of its primary side.
fn find_primary(state: &State, name: &str) -> Result<Arc<Definition>, Error> {
    let found = find(state, name)?;
    if found.primary.name == name { Ok(found) } else { Err(Error::not_found(name, "LinkedObjectProperty")) }
}

/// `assignLinkedObjectValueForPrimary`: a person has one primary, so that another takes the place of the one before.
pub fn link(cx: &mut Write<'_, '_, Okta>, args: Link) -> Result<Typed<()>, Error> {
    let associated = find_user(cx.state, cx.caller, &args.user_id_or_login)?;
    let definition = find_primary(cx.state, &args.primary_relationship_name)?;
    let primary = find_user(cx.state, cx.caller, &args.primary_user_id)?;
    act(cx, |act| {
        linked::link(act, &definition, &associated, &primary);
        Ok(())
    })?;
    Ok(no_content())
}

/// Arguments of `listLinkedObjectsForUser` and `deleteLinkedObjectForUser`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Links {
    user_id_or_login: String,
    relationship_name: String,
}

/// A link to a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LinkBody {
    #[serde(rename = "_links")]
    links: Value,
}

/// `listLinkedObjectsForUser`: the primary by the primary's name, the associated by theirs.
pub fn list_links(cx: &Read<'_, Okta>, args: Links) -> Result<Typed<Vec<LinkBody>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id_or_login)?;
    let definition = find(cx.state, &args.relationship_name)?;
    let origin = &cx.scene.request.origin;
    let others = linked::others(cx.state, &definition, &args.relationship_name, &user);
    let body = |id: &str| LinkBody { links: json!({ "self": { "href": format!("{origin}/api/v1/users/{id}") } }) };
    Ok(Typed::ok(&others.iter().map(|other| body(&other.id)).collect::<Vec<_>>()))
}

/// `deleteLinkedObjectForUser`: also where there is no link.
pub fn unlink(cx: &mut Write<'_, '_, Okta>, args: Links) -> Result<Typed<()>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id_or_login)?;
    let definition = find_primary(cx.state, &args.relationship_name)?;
    act(cx, |act| {
        linked::unlink(act, &definition, &user);
        Ok(())
    })?;
    Ok(no_content())
}
