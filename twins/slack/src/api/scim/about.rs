//! What the SCIM API says of itself.

use dtu_kernel::{twin::Read, wire::Request};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Looked, PAGE_MAX, is_v2, path_of, refused, told};
use crate::{Slack, api::downloads::Nothing};

/// `GET /ServiceProviderConfigs`: by what the twin does.
pub(super) fn config(cx: &Read<'_, Slack>, _: Nothing) -> Looked {
    let mut body = json!({
        "authenticationSchemes": [{
            "type": "oauth2",
            "name": "OAuth Bearer Token",
            "description": "A user's token with the scope `admin`.",
            "specUrl": "https://datatracker.ietf.org/doc/html/rfc6749",
            "primary": true,
        }],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": PAGE_MAX },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": false },
        "xmlDataFormat": { "supported": false },
    });
    if is_v2(cx.scene.request) {
        body["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]);
    }
    told(&body, StatusCode::OK)
}

fn attribute(name: &str, kind: &str, multi: bool) -> Value {
    let read_only = matches!(name, "id" | "meta" | "groups" | "profileUrl");
    json!({
        "name": name,
        "type": kind,
        "multiValued": multi,
        "required": matches!(name, "userName" | "displayName" | "emails"),
        "readOnly": read_only,
        "caseExact": false,
    })
}

/// The attributes of people, and those of groups: name, type, whether there can be several.
const USERS: &[(&str, &str, bool)] = &[
    ("id", "string", false),
    ("externalId", "string", false),
    ("userName", "string", false),
    ("nickName", "string", false),
    ("name", "complex", false),
    ("displayName", "string", false),
    ("profileUrl", "string", false),
    ("emails", "complex", true),
    ("addresses", "complex", true),
    ("phoneNumbers", "complex", true),
    ("photos", "complex", true),
    ("roles", "complex", true),
    ("userType", "string", false),
    ("title", "string", false),
    ("preferredLanguage", "string", false),
    ("locale", "string", false),
    ("timezone", "string", false),
    ("active", "boolean", false),
    ("password", "string", false),
    ("groups", "complex", true),
];
const GROUPS: &[(&str, &str, bool)] =
    &[("id", "string", false), ("displayName", "string", false), ("members", "complex", true)];

fn described(request: &Request, name: &str) -> Option<Value> {
    let (kind, endpoint, attributes) = match name {
        "Users" | "urn:ietf:params:scim:schemas:core:2.0:User" => ("User", "/Users", USERS),
        "Groups" | "urn:ietf:params:scim:schemas:core:2.0:Group" => ("Group", "/Groups", GROUPS),
        _ => return None,
    };
    let id = if is_v2(request) {
        format!("urn:ietf:params:scim:schemas:core:2.0:{kind}")
    } else {
        format!("urn:scim:schemas:core:1.0:{kind}")
    };
    let attributes: Vec<Value> = attributes.iter().map(|row| attribute(row.0, row.1, row.2)).collect();
    Some(json!({ "id": id, "name": kind, "endpoint": endpoint, "attributes": attributes }))
}

/// `GET /Schemas/{name}`
pub(super) fn schema(cx: &Read<'_, Slack>, _: Nothing) -> Looked {
    let request = cx.scene.request;
    let body = described(request, request.path_param("name")).ok_or_else(|| refused(404, "schema_not_found"))?;
    told(&body, StatusCode::OK)
}

/// `GET /Schemas`
pub(super) fn schemas(cx: &Read<'_, Slack>, _: Nothing) -> Looked {
    let rows: Vec<Value> = ["Users", "Groups"].iter().filter_map(|name| described(cx.scene.request, name)).collect();
    told(
        &json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": rows.len(),
            "Resources": rows,
        }),
        StatusCode::OK,
    )
}

/// `GET /ResourceTypes`
pub(super) fn resource_types(cx: &Read<'_, Slack>, _: Nothing) -> Looked {
    let request = cx.scene.request;
    let row = |kind: &str, extensions: &[&str]| {
        let extensions: Vec<Value> = extensions.iter().map(|urn| json!({ "schema": urn, "required": false })).collect();
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": kind,
            "name": kind,
            "endpoint": format!("/{kind}s"),
            "description": kind,
            "schema": format!("urn:ietf:params:scim:schemas:core:2.0:{kind}"),
            "schemaExtensions": extensions,
            "meta": {
                "location": format!("{}/{}/ResourceTypes/{kind}", request.origin, path_of(request)),
                "resourceType": "ResourceType",
            },
        })
    };
    let user = [
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User",
        "urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User",
    ];
    told(
        &json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "Resources": [row("User", &user), row("Group", &[])],
        }),
        StatusCode::OK,
    )
}
