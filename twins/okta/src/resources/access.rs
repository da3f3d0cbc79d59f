//! Realms.

use http::Method;
use serde_json::{Value, json};

use super::{
    Members,
    resource::{BASE, Resource, Style, invalid, link},
};

pub(super) const ROWS: &[Resource] = &[Resource {
    collection: "/api/v1/realms",
    prefix: |_| "guo",
    new: || json!({ "profile": { "domains": [] } }),
    shown: || json!({ "isDefault": false }),
    style: Some(Style::Rel),
    links: &[link("self", "", "GET")],
    finish: |house, subject, shown| {
        // Lists are a search's, and show no empty lists: recorded.
        if house.request.path == subject.place
            && house.request.method == Method::GET
            && let Some(profile) = shown.get_mut("profile").and_then(Value::as_object_mut)
        {
            profile.retain(|name, domains| name != "domains" || domains.as_array().is_none_or(|all| !all.is_empty()));
        }
    },
    rule: |house, subject, deed, members| match deed {
        super::Deed::Delete if super::resource::holds(members, "isDefault") => {
            Err(invalid("realm", "The default realm cannot be deleted."))
        }
        super::Deed::Create => {
            let name_of = |realm: &Members| realm.get("profile").and_then(|profile| profile.get("name")).cloned();
            let name = name_of(members);
            let mut others = house.state.objects.members(subject.place);
            if others.any(|(_, other)| name_of(other) == name) {
                let cause = "name: An object with this field already exists in the current organization";
                return Err(invalid("name", cause));
            }
            Ok(())
        }
        _ => Ok(()),
    },
    ..BASE
}];
