//! How people sign in: authenticators, identity providers, CAPTCHAs, sessions.

use http::Method;
use serde_json::{Value, json};

use smol_str::SmolStr;

use super::{
    Deed, House, Members, Refused, Subject, providers, references,
    resource::{BASE, Resource, Style, invalid, is, is_active, is_inactive, keep, keep_absent, link, refuse_change},
};
use crate::policy::{self, Enroll};

/// Operations whose rules are all here.
pub(super) const BEHAVES: &[&str] = &[
    "listAuthenticators /api/v1/authenticators",
    "createAuthenticator",
    "getAuthenticator /api/v1/authenticators/{authenticatorId}",
    "replaceAuthenticator",
    "activateAuthenticator",
    "deactivateAuthenticator",
    "listAuthenticatorMethods",
    "getAuthenticatorMethod",
    "replaceAuthenticatorMethod",
    "activateAuthenticatorMethod",
    "deactivateAuthenticatorMethod",
    "listIdentityProviders",
    "createIdentityProvider",
    "getIdentityProvider",
    "replaceIdentityProvider",
    "deleteIdentityProvider",
    "activateIdentityProvider",
    "deactivateIdentityProvider",
];

/// What kind of thing an authenticator is follows from which it is; callers need not say.
///
/// See developer.okta.com/docs/concepts/iam-overview-authentication-factors/ and the public document's examples.
const TYPES: &[(&str, &str)] = &[
    ("custom_app", "app"),
    ("duo", "app"),
    ("external_idp", "federated"),
    ("google_otp", "app"),
    ("onprem_mfa", "security_key"),
    ("smart_card_idp", "federated"),
    ("symantec_vip", "app"),
    ("tac", "tac"),
    ("yubikey_token", "security_key"),
];

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
                let status = if house.query("activate").as_deref() == Some("false") { "INACTIVE" } else { "ACTIVE" };
                members.insert("status".to_owned(), status.into());
                let key = members.get("key").and_then(Value::as_str).unwrap_or_default();
                if let Some((_, kind)) = TYPES.iter().find(|(known, _)| *known == key) {
                    members.entry("type").or_insert_with(|| (*kind).into());
                }
                references::check_name(members)
            }
            Deed::Write(old) => {
                // A call that leaves a phone inactive says so: recorded with and without (2021, 2026).
                if is(old, "key", "phone_number") && !is_inactive(members) {
                    check_telephony(house)?;
                }
                refuse_change(old, members, &["key", "type"])?;
                keep(old, members, &["key", "type", "status"]);
                keep_absent(old, members, &["settings", "provider"]);
                references::check_name(members)
            }
            Deed::Change(old) => settle_lifecycle(house, old, members),
            Deed::Delete => Ok(()),
        },
        finish: |_, _, shown| {
            let provider = shown.get_mut("provider").and_then(|provider| provider.get_mut("configuration"));
            if let Some(configuration) = provider.and_then(Value::as_object_mut) {
                // Nobody sees the keys of Duo again: the document's example of an answer.
                for name in ["integrationKey", "secretKey"] {
                    configuration.shift_remove(name);
                }
            }
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
        rule: |_, _, deed, members| match deed {
            Deed::Write(old) => refuse_change(old, members, &["type"]),
            _ => Ok(()),
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/idps",
        prefix: |_| "0oa",
        kept: &["policy"],
        new: || json!({ "status": "ACTIVE", "issuerMode": "ORG_URL" }),
        shown: || {
            json!({ "policy": {
                "accountLink": { "filter": null },
                "subject": { "filter": null, "matchAttribute": null },
            } })
        },
        style: Some(Style::Hints),
        links: &[],
        rule: settle_provider,
        finish: |house, subject, shown| {
            // The answer to a replacement leaves out when it was made: recorded.
            if house.request.method == Method::PUT {
                shown.insert("created".to_owned(), Value::Null);
            }
            if providers::is_verification(shown) {
                providers::show_verification(subject.origin, subject.id, shown);
            } else {
                links_of_provider(subject.origin, subject.id, shown);
            }
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/security-events-providers",
        prefix: |_| "sse",
        new: || json!({ "status": "ACTIVE" }),
        style: Some(Style::Hints),
        links: super::resource::LIFECYCLE,
        unique: &["name"],
        rule: |_, _, deed, members| {
            if let Deed::Write(old) = deed {
                keep(old, members, &["status"]);
            }
            Ok(())
        },
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

/// Phones are used only where a hook makes the calls: recorded.
fn check_telephony(house: &House<'_>) -> Result<(), Refused> {
    if references::has_active(house.state, "/api/v1/inlineHooks", "com.okta.telephony.provider") {
        return Ok(());
    }
    Err(Refused::Rule { code: "E0000226", about: "phone".into(), causes: Vec::new() })
}

/// Passwords stay, and so does what a policy lets people enrol (E0000148 of Okta's list of errors).
fn settle_lifecycle(house: &House<'_>, old: &Members, members: &Members) -> Result<(), Refused> {
    let key = old.get("key").and_then(Value::as_str).unwrap_or_default();
    if is_active(members) {
        return Ok(());
    }
    let said = |(_, policy): (&SmolStr, &Members)| {
        policy::enrolled(policy).any(|(own, enroll)| own == key && enroll == Enroll::Required)
    };
    let required = policy::policies(house.state, "MFA_ENROLL").into_iter().any(said);
    if required || key == "okta_password" {
        return Err(Refused::Rule { code: "E0000148", about: key.into(), causes: Vec::new() });
    }
    Ok(())
}

/// There is a name (which others may have: recorded), what nobody changes stays, and a provider that rules send people to stays too.
fn settle_provider(
    house: &House<'_>,
    subject: &Subject<'_>,
    deed: Deed<'_>,
    members: &mut Members,
) -> Result<(), Refused> {
    let used = || match references::used_by(house.state, &["/actions/idp/providers"], subject.id) {
        Some(policy) => {
            Err(invalid("idp", format!("The identity provider is used by a rule of the policy '{policy}'.")))
        }
        None => Ok(()),
    };
    match deed {
        Deed::Create => {
            providers::complete(house, subject.id, members);
            references::check_name(members)
        }
        Deed::Write(old) => {
            refuse_change(old, members, &["type"])?;
            keep(old, members, &["type"]);
            keep_absent(old, members, &["status", "issuerMode"]);
            providers::complete(house, subject.id, members);
            references::check_name(members)
        }
        Deed::Change(_) if is_active(members) => Ok(()),
        Deed::Change(_) | Deed::Delete => used(),
    }
}

/// Where an identity provider is called and calls back, by its protocol.
fn links_of_provider(origin: &str, id: &str, shown: &mut Members) {
    let links = if is(shown, "type", "X509") {
        providers::own_links(origin, id, shown)
    } else if is(shown, "type", "SAML2") {
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
