//! Network zones, trusted origins, threats.

use serde_json::{Value, json};

use super::{
    Deed, Members,
    resource::{BASE, LIFECYCLE, Resource, SELF, Style, holds, invalid, link},
};

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/zones",
        prefix: |_| "nzo",
        new: || json!({ "status": "ACTIVE", "usage": "POLICY", "system": false }),
        shown: || json!({ "usage": "POLICY", "system": false }),
        style: Some(Style::Hints),
        links: LIFECYCLE,
        unique: &["name"],
        rule: |_, _, deed, members| match deed {
            Deed::Delete if holds(members, "system") => Err(invalid("zone", "System zones cannot be deleted.")),
            _ => Ok(()),
        },
        finish: |_, _, shown| {
            // Both kinds of addresses of an IP zone are shown, also where there are none.
            if super::resource::is(shown, "type", "IP") {
                super::resource::fill(shown, json!({ "gateways": null, "proxies": null }));
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
            if matches!(deed, Deed::Create) {
                members.insert("status".to_owned(), "ACTIVE".into());
                members.insert("created".to_owned(), subject.now.floor_secs().iso_millis().into());
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
