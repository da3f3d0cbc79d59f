//! The org itself: settings, contacts, limits, notices.

use http::Method;
use serde_json::{Value, json};

use super::{
    Deed, Members, Refused,
    resource::{BASE, Resource, Style, is, link, missing},
};

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/org",
        style: Some(Style::Hints),
        links: &[
            link("preferences", "/preferences", ""),
            link("uploadLogo", "/logo", "POST"),
            link("oktaCommunication", "/privacy/oktaCommunication", ""),
            link("oktaSupport", "/privacy/oktaSupport", ""),
            link("contacts", "/contacts", ""),
        ],
        shown: || {
            json!({
                "subdomain": "", "companyName": "", "status": "ACTIVE", "expiresAt": null, "website": "",
                "phoneNumber": "", "endUserSupportHelpURL": "", "supportPhoneNumber": "", "address1": null,
                "address2": null, "city": null, "state": null, "country": null, "postalCode": null,
            })
        },
        finish: |_, subject, shown| {
            // The logo's file has no address of its own here.
            shown["_links"]["logo"] = json!({ "href": format!("{}/fs/bco/1/logo", subject.origin) });
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/org/captcha",
        shown: || json!({ "captchaId": null, "enabledPages": [] }),
        style: Some(Style::Hints),
        links: &[link("self", "", "GET PUT")],
        finish: |_, subject, shown| {
            if let Some(id) = shown.get("captchaId").and_then(Value::as_str) {
                let href = format!("{}/api/v1/captchas/{id}", subject.origin);
                shown["_links"]["captcha"] =
                    json!({ "href": href, "hints": { "allow": ["GET", "POST", "PUT", "DELETE"] } });
            }
            // Okta lists them in its own order.
            if let Some(pages) = shown.get_mut("enabledPages").and_then(Value::as_array_mut) {
                let order = ["SSR", "SSPR", "SIGN_IN"];
                pages.sort_by_key(|page| order.iter().position(|known| page == known));
            }
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/principal-rate-limits",
        prefix: |_| "prl",
        new: || json!({ "defaultPercentage": 50, "defaultConcurrencyPercentage": 50 }),
        shown: || json!({ "defaultPercentage": 50, "defaultConcurrencyPercentage": 50 }),
        stamped: true,
        rule: |house, subject, deed, members| {
            let principal = members.get("principalId").and_then(Value::as_str).unwrap_or_default();
            if matches!(deed, Deed::Create) {
                let token = is(members, "principalType", "SSWS_TOKEN");
                if token && house.state.tokens.get(principal).is_none() {
                    return Err(missing(principal, "Token"));
                }
                let mut others = house.state.objects.members(subject.place);
                if others.any(|(_, other)| other.get("principalId") == members.get("principalId")) {
                    return Err(super::resource::refused("principalRateLimitMediated"));
                }
            }
            members.insert("orgId".to_owned(), house.org());
            Ok(())
        },
        finish: |_, _, shown| {
            for name in ["createdDate", "lastUpdate"] {
                if let Some(Value::String(time)) = shown.get_mut(name) {
                    *time = time.replace(".000Z", "Z");
                }
            }
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/rate-limit-settings/admin-notifications",
        new: || json!({ "notificationsEnabled": true }),
        ..BASE
    },
    Resource {
        collection: "/api/v1/rate-limit-settings/warning-threshold",
        shown: || json!({ "warningThreshold": 60 }),
        ..BASE
    },
    Resource {
        collection: "/attack-protection/api/v1/user-lockout-settings",
        shown: || json!({ "preventBruteForceLockoutFromUnknownDevices": false }),
        ..BASE
    },
    Resource {
        collection: "/attack-protection/api/v1/authenticator-settings",
        shown: || json!({ "verifyKnowledgeSecondWhen2faRequired": false }),
        ..BASE
    },
    Resource {
        collection: "/api/v1/templates/sms",
        prefix: |_| "cst",
        asks: &[("templateType", "type")],
        rule: |house, _, deed, members| {
            if let (Deed::Write(old), &Method::POST) = (deed, &house.request.method) {
                translate(old, members);
            }
            Ok(())
        },
        ..BASE
    },
    Resource {
        collection: "/okta-personal-settings/api/v1/export-blocklists",
        shown: || json!({ "domains": [] }),
        ..BASE
    },
    Resource {
        collection: "/api/v1/agentPools/{}/updates",
        rule: |_, _, deed, members| match deed {
            Deed::Create => {
                let missing =
                    ["name", "agentType", "agentList"].into_iter().filter(|name| !members.contains_key(*name));
                let causes: Vec<_> = missing.map(|name| format!("errors in the field: {name}")).collect();
                if causes.is_empty() {
                    Ok(())
                } else {
                    Err(Refused::Rule { code: "E0000001", about: "name".into(), causes })
                }
            }
            _ => Ok(()),
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/email-servers",
        new: || json!({ "authType": "BASIC_SMTP_AUTH" }),
        finish: |_, _, shown| {
            // Secrets are written only: the document's schema of answers has none.
            for name in ["password", "clientSecret", "privateKey"] {
                shown.shift_remove(name);
            }
        },
        ..BASE
    },
    Resource { collection: "/api/v1/features", prefix: |_| "ftr", ..BASE },
    Resource {
        collection: "/api/v1/telephony-providers",
        new: || json!({ "isPrimaryProvider": false, "enabled": true }),
        ..BASE
    },
    Resource { collection: "/api/v1/agentPools", asks: &[("poolType", "type")], ..BASE },
];

/// A partial update adds translations to those that there are, and takes away those that it has no text for.
///
/// See developer.okta.com/docs/api/openapi/okta-management/management/tag/Template/#tag/Template/operation/updateSmsTemplate.
fn translate(old: &Members, members: &mut Members) {
    let Some(Value::Object(before)) = old.get("translations") else { return };
    let Some(Value::Object(said)) = members.get_mut("translations") else { return };
    let mut all = before.clone();
    for (language, text) in std::mem::take(said) {
        match text.as_str() {
            None | Some("") => drop(all.shift_remove(&language)),
            Some(_) => drop(all.insert(language, text)),
        }
    }
    *said = all;
}
