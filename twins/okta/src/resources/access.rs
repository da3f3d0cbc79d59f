//! Who may administer what: custom roles, sets of resources, realms.

use dtu_contract::generic::customs::{Companion, Subject};
use serde_json::{Value, json};

use super::{
    Members,
    resource::{BASE, Link, Resource, Style, around_below, around_itself, invalid, link},
};

const ITSELF: Link = link("self", "", "");

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/iam/roles",
        prefix: |_| "cr0",
        shown: || json!({ "isCloneable": false }),
        style: Some(Style::Plain),
        links: &[ITSELF, link("permissions", "/permissions", "")],
        around: around_itself,
        with: |subject, members| {
            let labels = members.get("permissions").and_then(Value::as_array).into_iter().flatten();
            labels.filter_map(Value::as_str).map(|label| permission(subject, label)).collect()
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/iam/roles/{}/permissions",
        shown: || json!({ "conditions": null }),
        style: Some(Style::Plain),
        links: &[ITSELF],
        around: |_, shown| {
            if let Some(Value::Array(all)) = shown.get_mut("permissions") {
                // The last one given comes first.
                all.reverse();
            }
        },
        finish: |_, subject, shown| {
            // A permission is known by its label, and shows its role.
            shown.insert("label".to_owned(), subject.id.into());
            let role = subject.place.strip_suffix("/permissions").unwrap_or(subject.place);
            shown["_links"]["role"] = json!({ "href": format!("{}{role}", subject.origin) });
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/iam/resource-sets",
        prefix: |_| "iam",
        style: Some(Style::Plain),
        links: &[ITSELF, link("bindings", "/bindings", ""), link("resources", "/resources", "")],
        unique: &["label"],
        around: around_itself,
        with: |subject, members| {
            let resources = members.get("resources").and_then(Value::as_array).into_iter().flatten();
            resources.filter_map(Value::as_str).map(|orn| resource(subject, orn)).collect()
        },
        rule: |_, _, deed, members| match deed {
            super::Deed::Create if !members.contains_key("label") => {
                Err(invalid("label", "label: Label must be specified"))
            }
            _ => Ok(()),
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/iam/resource-sets/{}/resources",
        prefix: |_| "ire",
        shown: || json!({ "orn": null, "created": null, "lastUpdated": null }),
        around: around_below,
        finish: |_, subject, shown| {
            let own = json!({ "href": subject.address() });
            let orn = shown.get("orn").and_then(Value::as_str).unwrap_or_default();
            let named = named_by(orn).map(|path| json!({ "href": format!("{}{path}", subject.origin) }));
            shown.insert("_links".to_owned(), json!({ "self": named.unwrap_or_else(|| own.clone()), "resource": own }));
        },
        ..BASE
    },
    Resource { collection: "/api/v1/iam/resource-sets/{}/bindings", around: around_below, ..BASE },
    Resource { collection: "/api/v1/groups/{}/roles", base32: 16, finish: assigned, ..BASE },
    Resource { collection: "/api/v1/users/{}/roles", base32: 16, finish: assigned, ..BASE },
    Resource {
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
    },
];

/// A permission of a new role.
fn permission(role: &Subject<'_>, label: &str) -> Companion {
    let place = format!("{}/{}/permissions", role.place, role.id);
    let mut members = dated(role);
    members.insert("label".to_owned(), label.into());
    Companion {
        collection: "/api/v1/iam/roles/{}/permissions".into(),
        place: place.into(),
        id: Some(label.into()),
        members,
    }
}

/// A resource of a new set.
fn resource(set: &Subject<'_>, orn: &str) -> Companion {
    let place = format!("{}/{}/resources", set.place, set.id);
    let mut members = dated(set);
    members.insert("orn".to_owned(), orn.into());
    Companion { collection: "/api/v1/iam/resource-sets/{}/resources".into(), place: place.into(), id: None, members }
}

fn dated(subject: &Subject<'_>) -> Members {
    let now = subject.now.floor_secs().iso_millis();
    ["created", "lastUpdated"].into_iter().map(|name| (name.to_owned(), Value::from(now.as_str()))).collect()
}

/// The path of what a resource name ends in: `...:apps:bookmark:0oa1` is an app.
fn named_by(orn: &str) -> Option<String> {
    let mut parts = orn.split(':').skip(4);
    let (kind, last) = (parts.next()?, orn.rsplit(':').next()?);
    ["apps", "users", "groups"].contains(&kind).then(|| format!("/api/v1/{kind}/{last}"))
}

/// An assigned role links to whom it is assigned to.
fn assigned(_: &super::House<'_>, subject: &Subject<'_>, shown: &mut Members) {
    let above = subject.place.strip_suffix("/roles").unwrap_or(subject.place);
    let assignee = json!({ "href": format!("{}{above}", subject.origin) });
    shown.insert("_links".to_owned(), json!({ "assignee": assignee }));
}
