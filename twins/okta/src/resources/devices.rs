//! What is asked of devices.

use http::Method;
use serde_json::{Value, json};

use super::{
    Deed, Members,
    resource::{BASE, Resource, SELF, Style, invalid},
};

/// What a device must be like is said by at least one of these members.
const CONDITIONS: &[&str] = &[
    "osVersion",
    "osVersionConstraints",
    "diskEncryptionType",
    "jailbreak",
    "screenLockType",
    "secureHardwarePresent",
    "thirdPartySignalProviders",
    "devicePostureChecks",
];

pub(super) const ROWS: &[Resource] = &[Resource {
    collection: "/api/v1/device-assurances",
    prefix: |_| "dae",
    kept: &["gracePeriod"],
    shown: || json!({ "resourceType": "DeviceAssurancePolicyEntity" }),
    stamped: true,
    style: Some(Style::Hints),
    links: &[SELF],
    unique: &["name"],
    rule: |_, _, deed, members| match deed {
        Deed::Create if !CONDITIONS.iter().any(|name| members.contains_key(*name)) => {
            Err(invalid("deviceAssuranceMediated", "Please select at least one device condition before saving"))
        }
        _ => Ok(()),
    },
    finish: |house, subject, shown| {
        // The answer to a replacement leaves out who made it: recorded.
        if house.request.method == Method::PUT {
            shown.retain(|name, _| !["createdBy", "createdDate"].contains(&name.as_str()));
        }
        resource(subject.id, "name", shown);
    },
    ..BASE
}];

/// What such objects show of themselves as resources: their id and their name, which is a member of its own or of the
/// profile.
fn resource(id: &str, name: &str, shown: &mut Members) {
    let named = shown.get(name).or_else(|| shown.get("profile")?.get(name)).and_then(Value::as_str).unwrap_or_default();
    let display = json!({ "value": named, "sensitive": false });
    shown.insert("resourceDisplayName".to_owned(), display);
    shown.insert("resourceId".to_owned(), id.into());
}
