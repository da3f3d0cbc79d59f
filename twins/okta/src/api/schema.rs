//! The user schema.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Schema/.

use dtu_kernel::{operation::Typed, twin::Read};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::stamp;
use crate::{Okta, error::Error, model::profile::Attribute};

/// Arguments of `getUserSchema`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetSchema {
    schema_id: String,
}

/// `getUserSchema`: the default user type's.
pub fn get(cx: &Read<'_, Okta>, args: GetSchema) -> Result<Typed<Value>, Error> {
    let users = &cx.state.users;
    if args.schema_id != "default" && args.schema_id != users.schema_id {
        return Err(Error::not_found(&args.schema_id, "CVDType"));
    }
    let origin = &cx.scene.request.origin;
    let founded = stamp(cx.state.founded);
    let link = |rel: &str, href: String| json!({ "rel": rel, "href": href, "method": "GET" });
    Ok(Typed::ok(&json!({
        "id": format!("{origin}/meta/schemas/user/default"),
        "$schema": "http://json-schema.org/draft-04/schema#",
        "name": "user",
        "title": "User",
        "description": "Okta user profile template with default permission settings",
        "lastUpdated": founded,
        "created": founded,
        "definitions": {
            "custom": { "id": "#custom", "type": "object", "properties": {}, "required": [] },
            "base": base_schema(),
        },
        "type": "object",
        "properties": { "profile": { "allOf": [{ "$ref": "#/definitions/custom" }, { "$ref": "#/definitions/base" }] } },
        "_links": {
            "self": link("self", format!("{origin}/api/v1/meta/schemas/user/{}", users.schema_id)),
            "type": link("type", format!("{origin}/api/v1/meta/types/user/{}", users.type_id)),
        },
    })))
}

fn base_schema() -> Value {
    let property = |attribute: Attribute| {
        let info = attribute.info();
        let mut property = Map::new();
        let mut set = |name: &str, value: Value| property.insert(name.to_owned(), value);
        set("title", json!(info.title));
        set("type", json!("string"));
        if info.required {
            set("required", json!(true));
        }
        if !info.format.is_empty() {
            set("format", json!(info.format));
        }
        set("mutability", json!("READ_WRITE"));
        set("scope", json!("NONE"));
        // Of a mail address the schema shows the format only, though its length is checked as well.
        let sized = info.format != "email";
        if sized && info.min > 0 {
            set("minLength", json!(info.min));
        }
        if sized && info.max > 0 {
            set("maxLength", json!(info.max));
        }
        set("permissions", json!([{ "principal": "SELF", "action": info.own }]));
        (info.name.to_owned(), Value::Object(property))
    };
    let required: Vec<&str> =
        Attribute::all().map(Attribute::info).filter(|info| info.required).map(|info| info.name).collect();
    let properties: Map<String, Value> = Attribute::all().map(property).collect();
    json!({ "id": "#base", "type": "object", "properties": properties, "required": required })
}
