//! Policies and their rules.

use serde_json::{Value, json};

use super::{
    Deed, House, Members, Subject,
    resource::{ACTIVATE, BASE, DEACTIVATE, Resource, SELF, Style, holds, invalid, is, link},
};

/// Policies of the Identity Engine have ids of their own.
fn prefix(members: &Members) -> &'static str {
    let engine =
        ["ACCESS_POLICY", "PROFILE_ENROLLMENT", "ENTITY_RISK", "POST_AUTH_SESSION", "DEVICE_SIGNAL_COLLECTION"];
    if engine.iter().any(|kind| is(members, "type", kind)) { "rst" } else { "00p" }
}

fn rule_prefix(members: &Members) -> &'static str {
    let engine = ["ACCESS_POLICY", "PROFILE_ENROLLMENT", "ENTITY_RISK", "POST_AUTH_SESSION"];
    if engine.iter().any(|kind| is(members, "type", kind)) { "rul" } else { "0pr" }
}

fn is_own(members: &Members) -> bool {
    !holds(members, "system")
}

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/policies",
        prefix,
        new: || json!({ "status": "ACTIVE", "system": false }),
        shown: || json!({ "priority": 1, "system": false, "conditions": null }),
        style: Some(Style::Hints),
        links: &[
            SELF.when(is_own),
            link("self", "", "GET PUT").when(|policy| holds(policy, "system")),
            link("rules", "/rules", "GET POST"),
            link("mappings", "/mappings", "GET POST")
                .when(|policy| is_own(policy) && is(policy, "type", "ACCESS_POLICY")),
            link("activate", "/lifecycle/activate", "POST")
                .when(|policy| is_own(policy) && is(policy, "status", "INACTIVE")),
            link("deactivate", "/lifecycle/deactivate", "POST")
                .when(|policy| is_own(policy) && is(policy, "status", "ACTIVE")),
        ],
        rule: |house, subject, deed, members| {
            refuse_system(deed, members)?;
            if matches!(deed, Deed::Create) {
                members.insert("system".to_owned(), Value::Bool(false));
                place(house, subject, members, |one, other| one.get("type") == other.get("type"));
            }
            Ok(())
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/policies/{}/rules",
        prefix: rule_prefix,
        new: || json!({ "status": "ACTIVE", "system": false, "conditions": { "people": { "users": { "exclude": [] } } } }),
        shown: || json!({ "priority": 1, "system": false }),
        style: Some(Style::Hints),
        links: &[SELF, ACTIVATE, DEACTIVATE],
        rule: |house, subject, deed, members| {
            refuse_system(deed, members)?;
            if matches!(deed, Deed::Create) {
                place(house, subject, members, |_, _| true);
            }
            Ok(())
        },
        ..BASE
    },
];

/// What Okta made itself stays.
fn refuse_system(deed: Deed<'_>, members: &Members) -> Result<(), super::Refused> {
    match deed {
        Deed::Delete if holds(members, "system") => {
            Err(invalid("system", "The default policy and its default rule cannot be deleted."))
        }
        _ => Ok(()),
    }
}

/// A new policy or rule stands before what Okta made itself and after all others, unless it says where. Policies of
/// applications have no order.
fn place(house: &House<'_>, subject: &Subject<'_>, members: &mut Members, beside: fn(&Members, &Members) -> bool) {
    if members.contains_key("priority") {
        return;
    }
    let others = house.state.objects.members(subject.place);
    let others = others.filter(|(_, other)| beside(members, other) && !holds(other, "system")).count();
    let first = is(members, "type", "ACCESS_POLICY");
    members.insert("priority".to_owned(), Value::from(if first { 1 } else { others + 1 }));
}
