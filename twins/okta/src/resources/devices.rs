//! Devices and what is asked of them.

use http::Method;
use serde_json::{Value, json};

use super::{
    Deed, House, Members, Refused, Subject,
    resource::{BASE, Resource, SELF, Style, coded, invalid, is, link},
};
use crate::{
    api::device_users,
    devices::{self, DEVICES},
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

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/device-assurances",
        prefix: |_| "dae",
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
    },
    Resource {
        collection: "/api/v1/devices",
        prefix: |_| "guo",
        shown: || json!({ "resourceType": "UDDevice", "resourceAlternateId": null }),
        style: Some(Style::Hints),
        links: &[
            link("self", "", "GET PATCH PUT").when(in_use),
            link("self", "", "GET DELETE").when(|device| !in_use(device)),
            link("users", "/users", "GET").when(in_use),
            link("suspend", "/lifecycle/suspend", "POST").when(|device| is(device, "status", "ACTIVE")),
            link("unsuspend", "/lifecycle/unsuspend", "POST").when(|device| is(device, "status", "SUSPENDED")),
            link("activate", "/lifecycle/activate", "POST").when(|device| !in_use(device)),
            link("deactivate", "/lifecycle/deactivate", "POST").when(in_use),
        ],
        rule: settle_device,
        finish: |house, subject, shown| {
            resource(subject.id, "displayName", shown);
            expand(house, subject, shown);
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/device-integrations",
        prefix: |_| "din",
        style: Some(Style::Hints),
        links: &[
            link("self", "", "GET"),
            link("activate", "/lifecycle/activate", "POST").when(|one| !in_use(one)),
            link("deactivate", "/lifecycle/deactivate", "POST").when(in_use),
        ],
        ..BASE
    },
];

fn in_use(device: &Members) -> bool {
    !is(device, "status", "DEACTIVATED")
}

/// Devices go from some statuses to some others, and only those that are deactivated can be deleted. Of a device that
/// the org has only heard of nothing is known. The refusals' code is inferred.
fn settle_device(
    house: &House<'_>,
    subject: &Subject<'_>,
    deed: Deed<'_>,
    members: &mut Members,
) -> Result<(), Refused> {
    let Some(known) = house.state.objects.member(DEVICES, subject.id) else { return Ok(()) };
    let status = |members: &Members| members.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
    let fits = match deed {
        Deed::Change(old) => devices::may_become(&status(old), &status(members)),
        Deed::Delete => !in_use(known),
        Deed::Create | Deed::Write(_) => true,
    };
    if fits { Ok(()) } else { Err(coded("E0000038")) }
}

/// `expand=user` and `expand=userSummary` show who uses a device.
fn expand(house: &House<'_>, subject: &Subject<'_>, shown: &mut Members) {
    let users = || device_users::users(house.state, subject.id, subject.origin);
    let summary = |row: Value| {
        let user = &row["user"];
        let profile = json!({
            "firstName": user["profile"]["firstName"], "lastName": user["profile"]["lastName"],
            "email": user["profile"]["email"], "login": user["profile"]["login"],
        });
        let mut short = json!({ "id": user["id"], "profile": profile });
        if let Some(realm) = user.get("realmId") {
            short["realmId"] = realm.clone();
        }
        json!({
            "created": row["created"], "managementStatus": row["managementStatus"],
            "screenLockType": row["screenLockType"], "user": short,
        })
    };
    let rows: Vec<Value> = match house.query("expand").as_deref() {
        Some("user") => users(),
        Some("userSummary") => users().into_iter().map(summary).collect(),
        _ => return,
    };
    shown.insert("_embedded".to_owned(), json!({ "users": rows }));
}

/// What such objects show of themselves as resources: their id and their name, which is a member of its own or of the
/// profile.
fn resource(id: &str, name: &str, shown: &mut Members) {
    let named = shown.get(name).or_else(|| shown.get("profile")?.get(name)).and_then(Value::as_str).unwrap_or_default();
    let display = json!({ "value": named, "sensitive": false });
    shown.insert("resourceDisplayName".to_owned(), display);
    shown.insert("resourceId".to_owned(), id.into());
}
