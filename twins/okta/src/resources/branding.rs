//! Brands, their themes and e-mails, and custom domains.

use dtu_contract::generic::customs::Companion;
use serde_json::{Value, json};

use super::{
    Deed, House, Members, Refused, Subject,
    resource::{BASE, Resource, SELF, Style, coded, holds, invalid, is, link},
};

/// Operations whose rules are all here.
pub(super) const BEHAVES: &[&str] = &[
    "createBrand",
    "getBrand",
    "deleteBrand",
    "listEmailCustomizations",
    "createEmailCustomization",
    "getEmailCustomization",
    "replaceEmailCustomization",
    "deleteEmailCustomization",
];

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: "/api/v1/brands",
        prefix: |_| "bnd",
        shown: || {
            json!({
                "removePoweredByOkta": false,
                "customPrivacyPolicyUrl": null,
                "agreeToCustomPrivacyPolicy": false,
                "isDefault": false,
                "defaultApp": { "appInstanceId": null, "appLinkName": null, "classicApplicationUri": null },
            })
        },
        style: Some(Style::Hints),
        links: &[link("themes", "/themes", "GET"), SELF],
        with: |subject, _| of_brand(subject.place, subject.id),
        rule: settle_brand,
        finish: show_brand,
        ..BASE
    },
    Resource {
        collection: "/api/v1/brands/{}/themes",
        prefix: |_| "the",
        shown: || {
            json!({
                "backgroundImage": null,
                "primaryColorContrastHex": "#000000",
                "secondaryColorContrastHex": "#000000",
            })
        },
        style: Some(Style::Hints),
        links: &[
            link("favicon", "/favicon", "POST DELETE"),
            link("self", "", "GET PUT"),
            link("logo", "/logo", "POST DELETE"),
            link("background-image", "/background-image", "POST DELETE"),
        ],
        ..BASE
    },
    Resource {
        collection: "/api/v1/brands/{}/templates/email",
        style: Some(Style::Hints),
        links: &[
            link("self", "", "GET"),
            link("defaultContent", "/default-content", "GET"),
            link("test", "/test", "POST"),
            link("customizations", "/customizations", "GET POST DELETE"),
        ],
        ..BASE
    },
    Resource {
        collection: "/api/v1/brands/{}/templates/email/{}/customizations",
        prefix: |_| "oel",
        new: || json!({ "isDefault": false }),
        style: Some(Style::Hints),
        links: &[link("preview", "/preview", "GET"), SELF],
        rule: settle_customization,
        finish: |_, subject, shown| {
            let template = subject.place.strip_suffix("/customizations").unwrap_or(subject.place);
            let to = |path: &str, allow: &str| json!({ "href": format!("{}{template}{path}", subject.origin), "hints": { "allow": [allow] } });
            shown["_links"]["template"] = to("", "GET");
            shown["_links"]["test"] = to("/test", "POST");
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/domains",
        prefix: |_| "OcD",
        new: || json!({ "validationStatus": "NOT_STARTED" }),
        style: Some(Style::Hints),
        links: &[
            link("self", "", "GET DELETE").when(|members| !super::resource::is(members, "id", "default")),
            link("self", "", "GET").when(|members| super::resource::is(members, "id", "default")),
            link("verify", "/verify", "POST").when(|members| !super::resource::is(members, "id", "default")),
        ],
        unique: &["domain"],
        rule: settle_domain,
        finish: |house, subject, shown| {
            if house.state.kind.is_classic() {
                shown.shift_remove("certificateSourceType");
            }
            if let Some(brand) = shown.get("brandId").and_then(Value::as_str) {
                let href = format!("{}/api/v1/brands/{brand}", subject.origin);
                shown["_links"]["brand"] = json!({ "href": href, "hints": { "allow": ["GET", "PUT", "DELETE"] } });
            }
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/brands/{}/pages/sign-in/default",
        shown: || {
            json!({
                "pageContent": "<html><body><div id=\"okta-login-container\"></div>{{{OktaUtil}}}</body></html>",
                "contentSecurityPolicySetting": { "mode": "enforced" },
                "widgetVersion": "^7",
                "widgetCustomizations": {
                    "signInLabel": "Sign In", "usernameLabel": "Username", "usernameInfoTip": "",
                    "passwordLabel": "Password", "passwordInfoTip": "", "showPasswordVisibilityToggle": true,
                    "showUserIdentifier": true,
                },
            })
        },
        ..BASE
    },
    Resource { collection: "/api/v1/brands/{}/pages/sign-in/customized", shown: sign_in_page, ..BASE },
    Resource { collection: "/api/v1/brands/{}/pages/sign-in/preview", shown: sign_in_page, ..BASE },
    Resource {
        collection: "/api/v1/brands/{}/pages/sign-out/customized",
        shown: || json!({ "type": "OKTA_DEFAULT" }),
        ..BASE
    },
];

/// What every sign-in page shows of its widget, whatever was said of it: recorded.
fn sign_in_page() -> Value {
    let texts = [
        "signInLabel",
        "usernameLabel",
        "usernameInfoTip",
        "passwordLabel",
        "passwordInfoTip",
        "forgotPasswordLabel",
        "forgotPasswordUrl",
        "unlockAccountLabel",
        "unlockAccountUrl",
        "helpLabel",
        "helpUrl",
        "customLink1Label",
        "customLink1Url",
        "customLink2Label",
        "customLink2Url",
        "authenticatorPageCustomLinkLabel",
        "authenticatorPageCustomLinkUrl",
        "classicRecoveryFlowEmailOrUsernameLabel",
    ];
    let mut widget: Members = texts.into_iter().map(|name| (name.to_owned(), Value::Null)).collect();
    for name in ["showPasswordVisibilityToggle", "showUserIdentifier"] {
        widget.insert(name.to_owned(), true.into());
    }
    json!({ "widgetCustomizations": widget })
}

/// A brand as it is shown: in orgs of the Classic Engine little of it, as recorded. Looked up, all brands have the
/// default one's app where they have none of their own.
fn show_brand(house: &House<'_>, subject: &Subject<'_>, shown: &mut Members) {
    if house.state.kind.is_classic() {
        for name in ["name", "isDefault", "agreeToCustomPrivacyPolicy", "defaultApp"] {
            shown.shift_remove(name);
        }
        shown["_links"]["self"]["hints"]["allow"] = json!(["GET", "PUT"]);
        return;
    }
    let looks = house.request.method == http::Method::GET;
    if looks && shown.get("defaultApp").is_some_and(|app| app["appInstanceId"].is_null()) {
        let mut brands = house.state.objects.members("/api/v1/brands");
        let default =
            brands.find(|(_, brand)| holds(brand, "isDefault")).and_then(|(_, brand)| brand.get("defaultApp"));
        if let Some(app) = default {
            shown.insert("defaultApp".to_owned(), app.clone());
        }
    }
    if house.query("expand").is_some_and(|wish| wish.split(',').any(|one| one == "domains")) {
        let domains = house.state.objects.members("/api/v1/domains");
        let own = domains.filter(|(_, domain)| super::resource::is(domain, "brandId", subject.id));
        let own: Vec<Value> = own.map(|(_, domain)| Value::Object(domain.clone())).collect();
        shown.insert("_embedded".to_owned(), json!({ "domains": own }));
    }
}

/// No two brands have a name, a brand's own privacy policy is agreed to, and a brand stays that is the default or has
/// domains: by the public document, with its codes.
fn settle_brand(
    house: &House<'_>,
    subject: &Subject<'_>,
    deed: Deed<'_>,
    members: &mut Members,
) -> Result<(), Refused> {
    if matches!(deed, Deed::Delete) {
        let mut domains = house.state.objects.members("/api/v1/domains");
        return match members {
            brand if holds(brand, "isDefault") => Err(coded("E0000200")),
            _ if domains.any(|(_, domain)| is(domain, "brandId", subject.id)) => Err(coded("E0000201")),
            _ => Ok(()),
        };
    }
    let mut others = house.state.objects.members(subject.place).filter(|(id, _)| *id != subject.id);
    if members.get("name").is_some_and(|name| others.any(|(_, other)| other.get("name") == Some(name))) {
        return Err(coded("E0000202"));
    }
    let own_policy = members.get("customPrivacyPolicyUrl").is_some_and(Value::is_string);
    if own_policy && !holds(members, "agreeToCustomPrivacyPolicy") {
        let cause = "agreeToCustomPrivacyPolicy: You must agree to use a custom privacy policy.";
        return Err(invalid("agreeToCustomPrivacyPolicy", cause));
    }
    Ok(())
}

/// The first customization of a template is its default, whatever it says itself, and stays so: recorded, and by the
/// codes of the public document. That the default is deleted before others is recorded too.
fn settle_customization(
    house: &House<'_>,
    subject: &Subject<'_>,
    deed: Deed<'_>,
    members: &mut Members,
) -> Result<(), Refused> {
    if matches!(deed, Deed::Delete | Deed::Change(_)) {
        return Ok(());
    }
    let others: Vec<&Members> = house
        .state
        .objects
        .members(subject.place)
        .filter(|(id, _)| *id != subject.id)
        .map(|(_, other)| other)
        .collect();
    if others.iter().any(|other| other.get("language") == members.get("language")) {
        return Err(coded("E0000183"));
    }
    let was = match deed {
        Deed::Write(old) => holds(old, "isDefault"),
        _ => others.is_empty(),
    };
    match (deed, holds(members, "isDefault")) {
        (Deed::Write(_), false) if was => return Err(coded("E0000185")),
        (_, true) if !was && others.iter().any(|other| holds(other, "isDefault")) => return Err(coded("E0000182")),
        (_, said) => drop(members.insert("isDefault".to_owned(), (was || said).into())),
    }
    Ok(())
}

/// The names that stand for others in documents. That Okta takes none of them is recorded of one.
const RESERVED: [&str; 3] = ["example.com", "example.net", "example.org"];

/// A new domain belongs to the default brand, and is proven by two records.
fn settle_domain(
    house: &House<'_>,
    subject: &Subject<'_>,
    deed: Deed<'_>,
    members: &mut Members,
) -> Result<(), Refused> {
    let name = members.get("domain").and_then(Value::as_str).unwrap_or_default().to_owned();
    match deed {
        Deed::Create if house.state.kind.is_classic() => {}
        Deed::Create if RESERVED.iter().any(|end| name == *end || name.ends_with(&format!(".{end}"))) => {
            return Err(invalid("domain", "domain: Prohibited custom domain name."));
        }
        Deed::Create => {
            let mut brands = house.state.objects.members("/api/v1/brands");
            let default = brands.find(|(_, brand)| holds(brand, "isDefault")).map(|(id, _)| id.clone());
            members.insert("brandId".to_owned(), json!(default));
        }
        Deed::Change(_) | Deed::Delete if subject.id == "default" => {
            return Err(invalid("id", "This operation is not supported for this domain"));
        }
        _ => return Ok(()),
    }
    let proof = json!([
        { "fqdn": format!("_oktaverification.{name}"), "values": [proof(&name)], "recordType": "TXT" },
        { "fqdn": name, "values": [format!("{}.customdomains.okta.com", house.state.org)], "recordType": "CNAME" },
    ]);
    members.insert("dnsRecords".to_owned(), proof);
    Ok(())
}

/// What a domain's record must say: the same each time for the same domain, as recorded.
fn proof(domain: &str) -> String {
    let hash = domain.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    format!("{hash:032x}")
}

/// The kinds of e-mails that a brand has a template for.
const TEMPLATES: &[&str] = &[
    "welcome",
    "forgotPassword",
    "passwordResetDenied",
    "unlock",
    "ADSelfServiceUnlock",
    "LDAPUserActivation",
    "EmailChallenge",
    "EmailFactorVerification",
    "EmailChangeConfirmation",
    "EmailChangeNotification",
    "passwordChanged",
    "FactorEnrollment",
    "FactorReset",
    "SignInFromNewDevice",
    "SelfServiceUnlock",
    "RegistrationActivation",
    "RegistrationEmailVerification",
    "UserActivation",
];

/// What a brand has from its beginning: a theme, and a template for each kind of e-mail.
pub(super) fn of_brand(place: &str, id: &str) -> Vec<Companion> {
    let theme = json!({
        "logo": "/img/logos/okta-logo.png", "favicon": "/favicon.ico", "primaryColorHex": "#1662dd",
        "secondaryColorHex": "#ebebed", "signInPageTouchPointVariant": "OKTA_DEFAULT",
        "endUserDashboardTouchPointVariant": "OKTA_DEFAULT", "errorPageTouchPointVariant": "OKTA_DEFAULT",
        "emailTemplateTouchPointVariant": "OKTA_DEFAULT",
    });
    let companion = |name: &str, own: Option<&str>, members: Value| Companion {
        collection: format!("/api/v1/brands/{{}}/{name}").into(),
        place: format!("{place}/{id}/{name}").into(),
        id: own.map(Into::into),
        members: members.as_object().cloned().unwrap_or_default(),
    };
    let templates = TEMPLATES.iter().map(|name| companion("templates/email", Some(name), json!({ "name": name })));
    std::iter::once(companion("themes", None, theme)).chain(templates).collect()
}
