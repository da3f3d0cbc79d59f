//! Inline hooks and log streams.

use serde_json::json;

use super::resource::{ACTIVATE, BASE, DEACTIVATE, Resource, Style, is_active, is_inactive, link};

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
        ..BASE
    },
    Resource {
        collection: "/api/v1/logStreams",
        prefix: |_| "0oa",
        style: Some(Style::Method),
        links: &[
            link("self", "", "GET"),
            link("activate", "/lifecycle/activate", "POST").when(is_inactive),
            link("deactivate", "/lifecycle/deactivate", "POST").when(is_active),
        ],
        rule: |_, _, deed, members| {
            // A new stream runs, whatever is said of it.
            if matches!(deed, super::Deed::Create) {
                members.insert("status".to_owned(), "ACTIVE".into());
            }
            Ok(())
        },
        ..BASE
    },
];
