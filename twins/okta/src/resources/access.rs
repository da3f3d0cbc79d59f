//! Realms.

use serde_json::json;

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
