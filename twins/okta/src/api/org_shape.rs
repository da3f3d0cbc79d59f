//! What apps show depends on the kind of org: its engine, and whether it has Identity Governance.
//!
//! All of it is recorded: of orgs of 2020, of today's, and of one with Identity Governance.

use serde_json::{Map, Value};

use crate::model::org::OrgKind;

/// What apps show in orgs with Identity Governance only.
const GOVERNED: [&str; 1] = ["/settings/emOptInStatus"];

/// What apps of the Classic Engine do not show.
const NOT_CLASSIC: [&str; 16] = [
    "/orn",
    "/universalLogout",
    "/visibility/autoLaunch",
    "/credentials/oauthClient/pkce_required",
    "/settings/manualProvisioning",
    "/settings/implicitAssignment",
    "/settings/notes",
    "/settings/oauthClient/consent_method",
    "/settings/oauthClient/idp_initiated_login",
    "/settings/oauthClient/wildcard_redirect",
    "/settings/oauthClient/dpop_bound_access_tokens",
    "/_links/uploadLogo",
    "/_links/profileEnrollment",
    "/_links/policies",
    "/_links/accessPolicy",
    "/_links/clientCredentials",
];

/// Leaves out of an app, or adds to it, what the kind of org asks for.
pub(super) fn fit(kind: &OrgKind, app: &mut Map<String, Value>) {
    if !kind.is_governed() {
        for pointer in GOVERNED {
            remove(app, pointer);
        }
        app.insert("universalLogout".to_owned(), Value::Null);
    }
    if kind.is_classic() {
        for pointer in NOT_CLASSIC {
            remove(app, pointer);
        }
        if let Some(settings) = app.get_mut("settings").and_then(Value::as_object_mut) {
            settings.insert("extendedProperties".to_owned(), Value::Null);
        }
    }
}

/// Removes the member at a pointer, where it is there. The order of the others stays.
fn remove(object: &mut Map<String, Value>, pointer: &str) {
    let path = pointer.trim_start_matches('/');
    match path.split_once('/') {
        None => drop(object.shift_remove(path)),
        Some((name, rest)) => {
            if let Some(inner) = object.get_mut(name).and_then(Value::as_object_mut) {
                remove(inner, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::org::Engine;

    #[test]
    fn orgs_show_what_they_have() {
        let check = |kind: OrgKind, expected: Value| {
            let app = json!({
                "orn": "x", "universalLogout": { "status": "DISABLED" }, "settings": { "emOptInStatus": "NONE", "notes": {} },
            });
            let mut app = app.as_object().cloned().unwrap_or_default();
            fit(&kind, &mut app);
            assert_eq!(Value::Object(app), expected, "{kind:?}");
        };
        check(OrgKind::default(), json!({ "orn": "x", "universalLogout": null, "settings": { "notes": {} } }));
        let governed = OrgKind { realm: Some("guo".into()), ..OrgKind::default() };
        let whole = json!({
            "orn": "x", "universalLogout": { "status": "DISABLED" }, "settings": { "emOptInStatus": "NONE", "notes": {} },
        });
        check(governed, whole);
        let classic = OrgKind { engine: Engine::Classic, realm: None };
        check(classic, json!({ "settings": { "extendedProperties": null } }));
    }
}
