//! User types, forms and mappings of profiles.

use serde_json::{Value, json};

use super::{
    Deed, House, Members, Refused,
    resource::{BASE, Resource, SELF, Style, invalid, link},
};
use crate::{expression, model::profile::Attribute};

/// Operations whose rules are all here.
pub(super) const BEHAVES: &[&str] = &["listProfileMappings", "getProfileMapping"];

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
        check_property(house, old.get("target"), name, property)?;
        let mut whole = properties.get(name).cloned().unwrap_or_else(|| json!({ "pushStatus": "DONT_PUSH" }));
        if let (Some(whole), Some(property)) = (whole.as_object_mut(), property.as_object()) {
            whole.extend(property.clone());
        }
        properties.insert(name.clone(), whole);
    }
    members.insert("properties".to_owned(), Value::Object(properties));
    Ok(())
}

fn check_property(house: &House<'_>, target: Option<&Value>, name: &str, property: &Value) -> Result<(), Refused> {
    let text = |member: &str| target.and_then(|target| target.get(member)?.as_str()).unwrap_or_default();
    let schemas = &house.state.schemas;
    // The app that comes with an org has no schema of its own: what its people have is not known here.
    let known = match text("type") {
        "user" => Attribute::find(name).is_some() || schemas.of_people(name).is_some(),
        _ if house.state.apps.get(text("id")).is_none() => true,
        _ => name == "userName" || schemas.custom(text("id"), name).is_some(),
    };
    if !known {
        return Err(invalid("updateMapping", format!("Invalid target field {name}")));
    }
    let expression = property.get("expression").and_then(Value::as_str);
    if expression.is_some_and(|text| expression::parse(text).is_err()) {
        return Err(invalid("updateMapping", format!("Invalid expression for target field {name}")));
    }
    let push = property.get("pushStatus").and_then(Value::as_str);
    if !matches!(push, None | Some("PUSH" | "DONT_PUSH")) {
        return Err(invalid("updateMapping", format!("Invalid pushStatus for target field {name}")));
    }
    Ok(())
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
