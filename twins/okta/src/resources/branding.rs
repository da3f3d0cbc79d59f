//! Brands, their themes and e-mails, and custom domains.

use dtu_contract::generic::customs::Companion;
use serde_json::{Value, json};

use super::{
    Deed,
    resource::{BASE, Resource, SELF, Style, holds, invalid, link},
};

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
        unique: &["name"],
        with: |subject, _| of_brand(subject.place, subject.id),
        rule: |_, _, deed, members| match deed {
            Deed::Delete if holds(members, "isDefault") => {
                Err(invalid("brand", "The default brand cannot be deleted."))
            }
            _ => Ok(()),
        },
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
        unique: &["language"],
        rule: |house, subject, deed, members| {
            // The first customization of a template is its default, whatever it says itself.
            let first = house.state.objects.members(subject.place).next().is_none();
            if matches!(deed, Deed::Create) && first {
                members.insert("isDefault".to_owned(), true.into());
            }
            Ok(())
        },
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
        ..BASE
    },
    Resource {
        collection: "/api/v1/brands/{}/pages/sign-out/customized",
        shown: || json!({ "type": "OKTA_DEFAULT" }),
        ..BASE
    },
];

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
