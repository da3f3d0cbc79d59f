//! How much people are at risk, what kind of people they are, and what keeps machines out.

use serde_json::{Value, json};

use super::resource::{BASE, Resource, Style, link};

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/users/{}/risk",
        shown: || json!({ "riskLevel": "NONE" }),
        style: Some(Style::Hints),
        links: &[link("self", "", "GET PUT")],
        rule: |_, _, _, members| {
            // Who says so here is an administrator: the document's examples.
            members.insert("reason".to_owned(), "override.by.admin".into());
            Ok(())
        },
        finish: |_, subject, shown| {
            let user = subject.address();
            let user = user.strip_suffix("/risk").unwrap_or(&user);
            if let Some(Value::Object(links)) = shown.get_mut("_links") {
                links.insert("user".to_owned(), json!({ "href": user, "hints": { "allow": ["GET"] } }));
            }
        },
        ..BASE
    },
    Resource { collection: "/api/v1/users/{}/classification", shown: || json!({ "type": "STANDARD" }), ..BASE },
    Resource {
        collection: "/api/v1/bot-protection/configuration",
        shown: || json!({ "supportedFlows": [] }),
        style: Some(Style::Hints),
        links: &[link("self", "", "GET POST")],
        ..BASE
    },
];
