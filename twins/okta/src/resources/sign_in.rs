//! How people sign in: authenticators, identity providers, CAPTCHAs, sessions.

use serde_json::{Value, json};

use super::{
    Deed, Members, Refused,
    resource::{BASE, Resource, Style, is, is_active, is_inactive, link},
};

fn is_optional(members: &Members) -> bool {
    !is(members, "key", "okta_password")
}

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/authenticators",
        prefix: |_| "aut",
        style: Some(Style::Hints),
        links: &[
            link("self", "", "GET PUT"),
            link("methods", "/methods", "GET"),
            link("activate", "/lifecycle/activate", "POST").when(|one| is_optional(one) && is_inactive(one)),
            link("deactivate", "/lifecycle/deactivate", "POST").when(|one| is_optional(one) && is_active(one)),
            link("enroll", "~/idp/authenticators", "POST").when(|one| is(one, "key", "okta_verify")),
        ],
        rule: |house, subject, deed, members| match deed {
            // An org has one of each kind, and most from the start; custom ones may be several.
            Deed::Create => {
                let key = members.get("key");
                let mut others = house.state.objects.members(subject.place);
                let taken = others.any(|(_, other)| other.get("key") == key) && !is(members, "key", "custom_app");
                if taken {
                    let about = "com.okta.services.factors.iface.dto.AuthenticatorCatalog";
                    return Err(super::resource::invalid(about, "The field has an invalid value"));
                }
                Ok(())
            }
            Deed::Write(old) => {
                let hooks = house.state.objects.members("/api/v1/inlineHooks").map(|(_, hook)| hook);
                let mut calls = hooks.filter(|hook| is(hook, "type", "com.okta.telephony.provider"));
                if is(old, "key", "phone_number") && !calls.any(is_active) {
                    return Err(Refused::Rule { code: "E0000226", about: "phone".into(), causes: Vec::new() });
                }
                // What is not sent stays.
                for name in ["status", "settings", "provider"] {
                    if let (Some(value), false) = (old.get(name), members.contains_key(name)) {
                        members.insert(name.to_owned(), value.clone());
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/authenticators/{}/methods",
        style: Some(Style::Hints),
        links: &[
            link("self", "", "GET PUT"),
            link("activate", "/lifecycle/activate", "POST").when(|one| is(one, "status", "INACTIVE")),
        ],
        ..BASE
    },
    Resource {
        collection: "/api/v1/idps",
        prefix: |_| "0oa",
        new: || json!({ "status": "ACTIVE", "issuerMode": "ORG_URL" }),
        shown: || {
            json!({ "policy": {
                "accountLink": { "filter": null },
                "subject": { "filter": null, "matchAttribute": null },
            } })
        },
        style: Some(Style::Hints),
        links: &[],
        finish: |_, subject, shown| links_of_provider(subject.origin, subject.id, shown),
        ..BASE
    },
    Resource {
        collection: "/api/v1/captchas",
        prefix: |_| "cap",
        style: Some(Style::Hints),
        links: &[link("self", "", "GET POST PUT DELETE")],
        rule: |house, subject, deed, _| match deed {
            Deed::Create if house.state.objects.members(subject.place).next().is_some() => {
                Err(Refused::Rule { code: "E0000166", about: "captcha".into(), causes: Vec::new() })
            }
            _ => Ok(()),
        },
        ..BASE
    },
];

/// Where an identity provider is called and calls back, by its protocol.
fn links_of_provider(origin: &str, id: &str, shown: &mut Members) {
    let links = if is(shown, "type", "SAML2") {
        json!({
            "metadata": {
                "href": format!("{origin}/api/v1/idps/{id}/metadata.xml"),
                "type": "application/xml",
                "hints": { "allow": ["GET"] },
            },
            "acs": { "href": format!("{origin}/sso/saml2/{id}"), "type": "application/xml", "hints": { "allow": ["POST"] } },
        })
    } else {
        let query = "client_id={clientId}&response_type={responseType}&response_mode={responseMode}&scope={scopes}\
                     &redirect_uri={redirectUri}&state={state}&nonce={nonce}";
        json!({
            "authorize": {
                "href": format!("{origin}/oauth2/v1/authorize?idp={id}&{query}"),
                "templated": true,
                "hints": { "allow": ["GET"] },
            },
            "clientRedirectUri": { "href": format!("{origin}/oauth2/v1/authorize/callback"), "hints": { "allow": ["POST"] } },
        })
    };
    shown.insert("_links".to_owned(), Value::clone(&links));
}
