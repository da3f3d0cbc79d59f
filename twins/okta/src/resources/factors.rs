//! What factors need of others: services that push, and tokens that an org has bought.

use serde_json::{Value, json};

use super::{
    Deed, Members,
    resource::{BASE, Resource, Style, keep_absent, link},
};
use crate::api;

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/push-providers",
        prefix: |_| "ppc",
        asks: &[("type", "providerType")],
        style: Some(Style::Hints),
        links: &[link("self", "", "DELETE GET PUT")],
        rule: |_, subject, deed, members| {
            if let Deed::Write(old) = deed {
                keep_absent(old, members, &["configuration"]);
            }
            if !matches!(deed, Deed::Delete) {
                name_project(members);
                members.insert("lastUpdatedDate".to_owned(), api::stamp(subject.now).into());
            }
            Ok(())
        },
        shown: || json!({ "lastUpdatedDate": null }),
        finish: |_, _, shown| {
            // Secrets are written only: the document's examples of answers have none.
            if let Some(configuration) = shown.get_mut("configuration").and_then(Value::as_object_mut) {
                configuration.retain(|name, _| name != "serviceAccountJson" && name != "tokenSigningKey");
            }
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/org/factors/yubikey_token/tokens",
        prefix: |_| "ykk",
        kept: &["profile"],
        new: || json!({ "status": "UNASSIGNED" }),
        style: Some(Style::Hints),
        links: &[link("self", "", "GET DELETE")],
        rule: |_, subject, deed, members| {
            if matches!(deed, Deed::Create) {
                let serial = members.get("serialNumber").and_then(Value::as_str).unwrap_or_default();
                members.insert("profile".to_owned(), json!({ "serial": format!("{serial:0>12}") }));
                members.insert("lastVerified".to_owned(), api::stamp(subject.now).into());
            }
            Ok(())
        },
        ..BASE
    },
];

/// Firebase's project stands in the key of its account, which nobody sees again.
fn name_project(members: &mut Members) {
    let Some(Value::Object(configuration)) = members.get_mut("configuration") else { return };
    let project = configuration.get("serviceAccountJson").and_then(|account| account.get("project_id")).cloned();
    if let Some(project) = project {
        configuration.insert("projectId".to_owned(), project);
    }
}
