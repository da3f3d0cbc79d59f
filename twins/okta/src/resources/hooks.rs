//! Inline hooks and log streams.
//!
//! Log streams are kept and switched, and deliver nothing: they go to the clouds of others (Amazon `EventBridge`, Splunk
//! Cloud), whose addresses no machine of one's own can have.

use serde_json::{Value, json};

use super::{
    Deed, references,
    resource::{ACTIVATE, BASE, DEACTIVATE, Resource, Style, is_active, is_inactive, keep, keep_absent, link},
};

/// Operations whose rules are all here.
pub(super) const BEHAVES: &[&str] = &[
    "listInlineHooks",
    "createInlineHook",
    "getInlineHook",
    "updateInlineHook",
    "replaceInlineHook",
    "deleteInlineHook",
    "activateInlineHook",
    "deactivateInlineHook",
    "listLogStreams",
    "createLogStream",
    "getLogStream",
    "replaceLogStream",
    "deleteLogStream",
    "activateLogStream",
    "deactivateLogStream",
];

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/inlineHooks",
        prefix: |_| "cal",
        new: || json!({ "status": "ACTIVE" }),
        style: Some(Style::Hints),
        links: &[
            link("self", "", ""),
            link("execute", "/execute", "POST").when(is_active),
            DEACTIVATE,
            ACTIVATE,
            link("delete", "", "DELETE").when(is_inactive),
        ],
        unique: &["name"],
        keeps_active: Some("An active inline hook cannot be deleted. Deactivate it first."),
        rule: |_, _, deed, members| {
            if let Deed::Write(old) = deed {
                keep(old, members, &["type"]);
                keep_absent(old, members, &["status"]);
            }
            if matches!(deed, Deed::Create | Deed::Write(_)) { references::check_name(members) } else { Ok(()) }
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/logStreams",
        prefix: |_| "0oa",
        kept: &["settings"],
        style: Some(Style::Method),
        links: &[
            link("self", "", "GET"),
            link("activate", "/lifecycle/activate", "POST").when(is_inactive),
            link("deactivate", "/lifecycle/deactivate", "POST").when(is_active),
        ],
        rule: |_, _, deed, members| {
            // A new stream runs, whatever is said of it.
            match deed {
                Deed::Create => drop(members.insert("status".to_owned(), "ACTIVE".into())),
                Deed::Write(old) => keep(old, members, &["status", "type"]),
                _ => return Ok(()),
            }
            references::check_name(members)
        },
        finish: |_, _, shown| {
            if let Some(settings) = shown.get_mut("settings").and_then(Value::as_object_mut) {
                settings.shift_remove("token");
            }
        },
        ..BASE
    },
];
