//! Network zones, trusted origins, threats.

use serde_json::{Value, json};

use super::{
    Deed, House, Members, Refused, Subject, references,
    resource::{BASE, LIFECYCLE, Resource, SELF, Style, holds, invalid, is_active, keep, keep_absent, link},
};
use crate::zone;

/// Operations whose rules are all here.
pub(super) const BEHAVES: &[&str] = &[
    "listNetworkZones",
    "createNetworkZone",
    "getNetworkZone",
    "replaceNetworkZone",
    "deleteNetworkZone",
    "activateNetworkZone",
    "deactivateNetworkZone",
    "listTrustedOrigins",
    "createTrustedOrigin",
    "getTrustedOrigin",
    "replaceTrustedOrigin",
    "deleteTrustedOrigin",
    "activateTrustedOrigin",
    "deactivateTrustedOrigin",
];

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/zones",
        prefix: |_| "nzo",
        new: || json!({ "status": "ACTIVE", "usage": "POLICY", "system": false }),
        shown: || json!({ "usage": "POLICY", "system": false }),
        style: Some(Style::Hints),
        links: LIFECYCLE,
        unique: &["name"],
        rule: settle_zone,
        finish: |_, _, shown| {
            // Both kinds of addresses of an IP zone are shown, also where there are none.
            if super::resource::is(shown, "type", "IP") {
                super::resource::fill(shown, json!({ "gateways": null, "proxies": null }));
            }
            // So are all lists of an enhanced dynamic zone: the document's example.
            if super::resource::is(shown, "type", "DYNAMIC_V2") {
                let lists = json!({ "include": [], "exclude": [] });
                let all = json!({ "locations": lists, "asns": lists, "ipServiceCategories": lists });
                super::resource::fill(shown, all);
            }
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/trustedOrigins",
        prefix: |_| "tos",
        new: || json!({ "status": "ACTIVE" }),
        stamped: true,
        style: Some(Style::Hints),
        links: LIFECYCLE,
        unique: &["name", "origin"],
        rule: settle_origin,
        ..BASE
    },
    Resource {
        collection: "/api/v1/threats/configuration",
        shown: || json!({ "excludeZones": [] }),
        style: Some(Style::Hints),
        links: &[link("self", "", "GET POST")],
        finish: |_, _, shown| plain_times(shown, ""),
        ..BASE
    },
    Resource {
        collection: "/api/v1/behaviors",
        prefix: |_| "bhv",
        style: Some(Style::Hints),
        links: &[SELF, super::resource::ACTIVATE, super::resource::DEACTIVATE],
        unique: &["name"],
        rule: |_, subject, deed, members| {
            // A new rule is active, whatever is said of it.
            if let Deed::Write(old) = deed {
                keep(old, members, &["status", "type", "created"]);
            }
            if matches!(deed, Deed::Create) {
                members.insert("status".to_owned(), "ACTIVE".into());
                members.insert("created".to_owned(), subject.now.floor_secs().iso_millis().into());
            }
            if matches!(deed, Deed::Create | Deed::Write(_)) {
                let usual = usual(members);
                members.entry("settings").or_insert(usual);
            }
            if !matches!(deed, Deed::Delete) {
                members.insert("lastUpdated".to_owned(), subject.now.floor_secs().iso_millis().into());
            }
            Ok(())
        },
        shown: || json!({ "created": null, "lastUpdated": null }),
        finish: |_, _, shown| plain_times(shown, ".0"),
        ..BASE
    },
];

/// What a behavior counts where nobody says: the public document's defaults of its kind.
fn usual(members: &Members) -> Value {
    match members.get("type").and_then(Value::as_str) {
        Some("VELOCITY") => json!({ "velocityKph": 805 }),
        Some("ANOMALOUS_IP") => json!({ "maxEventsUsedForEvaluation": 50 }),
        Some("ANOMALOUS_DEVICE" | "ANOMALOUS_LOCATION") => json!({ "maxEventsUsedForEvaluation": 20 }),
        _ => json!({}),
    }
}

/// Zones hold addresses, keep their type, and stay while they are active or rules name them.
///
/// The words for active zones: okta/terraform-provider-okta#1975; the others are inferred.
fn settle_zone(house: &House<'_>, subject: &Subject<'_>, deed: Deed<'_>, members: &mut Members) -> Result<(), Refused> {
    match deed {
        Deed::Create => {
            members.insert("system".to_owned(), Value::Bool(false));
            check_addresses(members)
        }
        Deed::Write(old) => {
            let kinds = [old.get("type"), members.get("type")].map(|kind| kind.and_then(Value::as_str));
            if kinds[1].is_some_and(|kind| Some(kind) != kinds[0]) {
                return Err(invalid("type", "type: The type of a network zone cannot be changed."));
            }
            keep(old, members, &["system"]);
            keep_absent(old, members, &["status", "usage"]);
            if !is_active(members) {
                refuse_used(house, subject)?;
            }
            check_addresses(members)
        }
        Deed::Change(_) if is_active(members) => Ok(()),
        Deed::Delete if holds(members, "system") => Err(invalid("zone", "System zones cannot be deleted.")),
        Deed::Delete if is_active(members) => {
            let named = |name: &str| format!("The zone: {name} is an active zone. Active zones cannot be deleted.");
            let about = named(members.get("name").and_then(Value::as_str).unwrap_or_default());
            let causes = vec![format!("id: {}", named(subject.id))];
            Err(Refused::Rule { code: "E0000001", about: about.into(), causes })
        }
        Deed::Change(_) | Deed::Delete => refuse_used(house, subject),
    }
}

fn refuse_used(house: &House<'_>, subject: &Subject<'_>) -> Result<(), Refused> {
    let pointers = ["/conditions/network/include", "/conditions/network/exclude"];
    match references::used_by(house.state, &pointers, subject.id) {
        Some(policy) => Err(invalid("zone", format!("The zone is used by a rule of the policy '{policy}'."))),
        None => Ok(()),
    }
}

fn check_addresses(members: &Members) -> Result<(), Refused> {
    for name in ["gateways", "proxies"] {
        let all = members.get(name).and_then(Value::as_array).into_iter().flatten();
        let mut ranges = all.filter_map(|range| range.get("value")?.as_str());
        if let Some(bad) = ranges.find(|range| zone::bounds(range).is_none()) {
            return Err(invalid(name, format!("{name}: '{bad}' is no valid address range.")));
        }
    }
    Ok(())
}

/// An origin is a scheme with a host, and stays as active as it is. The words are inferred.
fn settle_origin(_: &House<'_>, _: &Subject<'_>, deed: Deed<'_>, members: &mut Members) -> Result<(), Refused> {
    if let Deed::Write(old) = deed {
        keep_absent(old, members, &["status"]);
    }
    if !matches!(deed, Deed::Create | Deed::Write(_)) {
        return Ok(());
    }
    references::check_name(members)?;
    let origin = members.get("origin").and_then(Value::as_str).unwrap_or_default();
    let parts = origin.split_once("://").filter(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    if parts.is_none() {
        return Err(invalid("origin", "origin: The origin must be a URL with a scheme and a host."));
    }
    Ok(())
}

/// Times as some of the older objects have them: without letters.
fn plain_times(shown: &mut Members, end: &str) {
    for name in ["created", "lastUpdated"] {
        if let Some(Value::String(time)) = shown.get_mut(name)
            && let Some(seconds) = time.get(..19)
        {
            *time = format!("{}{end}", seconds.replace('T', " "));
        }
    }
}
