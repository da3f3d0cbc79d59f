//! User types, forms and mappings of profiles.

use serde_json::{Value, json};

use super::{
    Deed, House, Members, Refused,
    resource::{BASE, Resource, SELF, Style, invalid, link},
};
use crate::{
    expression::{self, Expr},
    model::profile::Attribute,
};

/// Operations whose rules are all here.
pub(super) const BEHAVES: &[&str] = &["listProfileMappings", "getProfileMapping", "updateProfileMapping"];

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/meta/uischemas",
        prefix: |_| "uis",
        style: Some(Style::Hints),
        links: &[SELF],
        ..BASE
    },
    Resource {
        collection: "/api/v1/mappings",
        style: Some(Style::Plain),
        links: &[link("self", "", "")],
        shown: || json!({ "source": null, "target": null }),
        asks: &[("sourceId", "source.id"), ("targetId", "target.id")],
        prefix: |_| "prm",
        kept: &["properties"],
        finish: |_, subject, shown| {
            for end in ["source", "target"] {
                link_end(subject.origin, shown.get_mut(end));
            }
        },
        rule: check_mapping,
        ..BASE
    },
];

/// A mapping writes only what its target has; what is sent is added to it or changes it, and what is null is removed.
/// The refusal of a target's unknown property is recorded; that of an expression is inferred from it.
fn check_mapping(
    house: &House<'_>,
    _: &super::Subject<'_>,
    deed: Deed<'_>,
    members: &mut Members,
) -> Result<(), Refused> {
    let Deed::Write(old) = deed else { return Ok(()) };
    let sent: Value = serde_json::from_slice(&house.request.body).unwrap_or_default();
    let Some(sent) = sent.get("properties").and_then(Value::as_object) else { return Ok(()) };
    let mut properties = old.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, property) in sent {
        if property.is_null() {
            properties.shift_remove(name);
            continue;
        }
        check_property(house, old, name, property)?;
        let mut whole = properties.get(name).cloned().unwrap_or_else(|| json!({ "pushStatus": "DONT_PUSH" }));
        if let (Some(whole), Some(property)) = (whole.as_object_mut(), property.as_object()) {
            whole.extend(property.clone());
        }
        properties.insert(name.clone(), whole);
    }
    members.insert("properties".to_owned(), Value::Object(properties));
    Ok(())
}

fn check_property(house: &House<'_>, mapping: &Members, name: &str, property: &Value) -> Result<(), Refused> {
    if !has(house, mapping.get("target"), name) {
        return Err(invalid("updateMapping", format!("Invalid target field {name}")));
    }
    let expression = property.get("expression").and_then(Value::as_str);
    let is_good = |text: &str| expression::parse(text).is_ok_and(|tree| reads_its_source(house, mapping, &tree));
    if expression.is_some_and(|text| !is_good(text)) {
        return Err(invalid("updateMapping", format!("Invalid expression for target field {name}")));
    }
    let push = property.get("pushStatus").and_then(Value::as_str);
    if !matches!(push, None | Some("PUSH" | "DONT_PUSH")) {
        return Err(invalid("updateMapping", format!("Invalid pushStatus for target field {name}")));
    }
    Ok(())
}

/// Whether one end of a mapping has a property.
fn has(house: &House<'_>, end: Option<&Value>, name: &str) -> bool {
    /// What all apps' people have.
    const OF_APPS: [&str; 4] = ["userName", "firstName", "lastName", "email"];
    let text = |member: &str| end.and_then(|end| end.get(member)?.as_str()).unwrap_or_default();
    let schemas = &house.state.schemas;
    match text("type") {
        "user" => Attribute::find(name).is_some() || schemas.of_people(name).is_some(),
        // The app that comes with an org has no schema of its own: what its people have is not known here.
        _ if house.state.apps.get(text("id")).is_none() => true,
        _ => OF_APPS.contains(&name) || schemas.custom(text("id"), name).is_some(),
    }
}

/// Whether an expression reads only what the source has.
fn reads_its_source(house: &House<'_>, mapping: &Members, tree: &Expr) -> bool {
    let own = match tree {
        Expr::Field(on, name) => match &**on {
            Expr::Name(object) => match object.as_str() {
                "user" | "appuser" if !is_source(mapping, object) => false,
                "user" => {
                    matches!(name.as_str(), "id" | "status" | "userName") || has(house, mapping.get("source"), name)
                }
                "appuser" | "source" => has(house, mapping.get("source"), name),
                _ => true,
            },
            _ => true,
        },
        _ => true,
    };
    own && tree.parts().into_iter().all(|part| reads_its_source(house, mapping, part))
}

/// Whether people of a kind are what a mapping comes from.
fn is_source(mapping: &Members, kind: &str) -> bool {
    mapping.get("source").and_then(|source| source.get("type")?.as_str()) == Some(kind)
}

/// Where an end of a mapping is, and its schema.
fn link_end(origin: &str, end: Option<&mut Value>) {
    let Some(Value::Object(end)) = end else { return };
    let id = end.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (own, schema) = if end.get("type") == Some(&Value::from("user")) {
        (format!("meta/types/user/{id}"), format!("user/osc{}", id.get(3..).unwrap_or_default()))
    } else {
        (format!("apps/{id}"), format!("apps/{id}/default"))
    };
    let links = json!({
        "self": { "href": format!("{origin}/api/v1/{own}") },
        "schema": { "href": format!("{origin}/api/v1/meta/schemas/{schema}") },
    });
    end.insert("_links".to_owned(), links);
}
