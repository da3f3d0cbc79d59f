//! User types, forms and mappings of profiles.

use serde_json::{Value, json};

use super::{
    Deed, House, Members, Refused,
    resource::{BASE, Resource, SELF, Style, invalid, link},
};
use crate::model::profile::Attribute;

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

/// A mapping writes only what its target has. What applications' people have is not known here.
fn check_mapping(_: &House<'_>, _: &super::Subject<'_>, deed: Deed<'_>, members: &mut Members) -> Result<(), Refused> {
    let Deed::Write(_) = deed else { return Ok(()) };
    let to_user = members.get("target").and_then(|target| target.get("type")) == Some(&Value::from("user"));
    let Some(properties) = members.get("properties").and_then(Value::as_object).filter(|_| to_user) else {
        return Ok(());
    };
    let unknown = properties.keys().find(|name| Attribute::find(name).is_none());
    unknown.map_or(Ok(()), |name| Err(invalid("updateMapping", format!("Invalid target field {name}"))))
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
