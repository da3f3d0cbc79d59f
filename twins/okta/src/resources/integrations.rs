//! Programs of others that call the org, and bundles of what administrators may do.

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Deed, House, Members,
    resource::{BASE, Resource, SELF, Style, link},
};
use crate::model::profile::Attribute;

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/integrations/api/v1/api-services",
        prefix: |_| "0oa",
        style: Some(Style::Hints),
        links: &[link("self", "", "GET DELETE")],
        rule: |house, _, deed, members| {
            if matches!(deed, Deed::Create) {
                introduce(house, members);
            }
            Ok(())
        },
        finish: |_, subject, shown| {
            let client = format!("{}/oauth2/v1/clients/{}", subject.origin, subject.id);
            let logo = json!({ "name": "small", "href": format!("{}/assets/img/logos/default.png", subject.origin) });
            if let Some(Value::Object(links)) = shown.get_mut("_links") {
                links.insert("client".to_owned(), json!({ "href": client, "hints": { "allow": ["GET"] } }));
                links.insert("logo".to_owned(), logo);
            }
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/iam/governance/bundles",
        prefix: |_| "0bb",
        new: || json!({ "status": "ACTIVE" }),
        shown: || json!({ "status": "ACTIVE" }),
        style: Some(Style::Hints),
        links: &[SELF, link("entitlements", "/entitlements", "GET")],
        finish: |house, subject, shown| {
            let org = house.org();
            let orn = format!("orn:okta:governance:{}:bundles:{}", org.as_str().unwrap_or_default(), subject.id);
            shown.insert("orn".to_owned(), orn.into());
        },
        ..BASE
    },
    Resource {
        collection: "/privileged-access/api/v1/okta-service-accounts",
        new: || json!({ "status": "UNSECURED", "statusDetail": "STAGED" }),
        rule: |house, _, deed, members| {
            if matches!(deed, Deed::Create | Deed::Write(_)) {
                name_person(house, members);
            }
            Ok(())
        },
        ..BASE
    },
];

/// What the catalog of integrations says of one; the twin has no catalog, and calls it by its type.
fn introduce(house: &House<'_>, members: &mut Members) {
    let kind = SmolStr::new(members.get("type").and_then(Value::as_str).unwrap_or_default());
    let words: Vec<String> = kind.split('_').map(crate::contract::capitalized).collect();
    members.insert("name".to_owned(), words.join(" ").into());
    members.insert("createdBy".to_owned(), house.caller.into());
    members.insert("configGuideUrl".to_owned(), format!("https://docs.example/{kind}").into());
}

/// A managed account is called as the person is.
fn name_person(house: &House<'_>, members: &mut Members) {
    let person = members.get("oktaUserId").and_then(Value::as_str).and_then(|id| house.state.users.get(id));
    if let Some(person) = person {
        members.insert("username".to_owned(), person.login().into());
        members.insert("email".to_owned(), person.profile.get(Attribute::EMAIL).into());
    }
}
