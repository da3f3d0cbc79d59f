//! Brands, their themes and e-mails, and custom domains.

use dtu_contract::generic::customs::Companion;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Deed, House, Members, Refused, Subject,
    resource::{BASE, Resource, SELF, Style, coded, holds, invalid, is, keep, link, missing},
};
use crate::api::branding::{customizations, usual_settings};

/// Operations whose rules are all here.
pub(super) const BEHAVES: &[&str] = &[
    "createBrand",
    "listBrands",
    "getBrand",
    "replaceBrand",
    "deleteBrand",
    "listBrandThemes",
    "getBrandTheme",
    "replaceBrandTheme",
    "listCustomDomains",
    "createCustomDomain",
    "getCustomDomain",
    "replaceCustomDomain",
    "deleteCustomDomain",
    "verifyDomain",
    "listEmailDomains",
    "createEmailDomain",
    "getEmailDomain",
    "replaceEmailDomain",
    "deleteEmailDomain",
    "verifyEmailDomain",
    "listEmailTemplates",
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
        with: |house, subject, _| of_brand(house.state.kind.is_classic(), subject.place, subject.id),
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
        finish: |_, subject, shown| {
            for name in ["logo", "favicon", "backgroundImage"] {
                let Some(Value::String(address)) = shown.get_mut(name) else { continue };
                if address.starts_with('/') {
                    *address = format!("{}{address}", subject.origin);
                }
            }
        },
        rule: settle_theme,
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
        finish: show_template,
        ..BASE
    },
    Resource {
        collection: "/api/v1/brands/{}/templates/email/{}/settings",
        shown: || json!({ "recipients": "ALL_USERS" }),
        style: Some(Style::Hints),
        links: &[link("self", "", "GET PUT")],
        finish: |_, subject, shown| {
            let template = subject.place.strip_suffix("/settings").unwrap_or(subject.place);
            let href = format!("{}{template}", subject.origin);
            shown["_links"]["template"] = json!({ "href": href, "hints": { "allow": ["GET"] } });
        },
        ..BASE
    },
    Resource {
        collection: "/api/v1/email-domains",
        prefix: |_| "OeD",
        new: || json!({ "validationStatus": "NOT_STARTED", "validationSubdomain": "mail" }),
        rule: settle_email_domain,
        finish: |house, subject, shown| {
            shown.shift_remove("brandId");
            if !expands(house, "brands") {
                return;
            }
            let objects = &house.state.objects;
            let brand = objects.member(EMAIL_DOMAINS, subject.id).and_then(|domain| domain.get("brandId")?.as_str());
            let found = brand.and_then(|id| objects.member("/api/v1/brands", id));
            let all: Vec<Value> = found.map(|brand| Value::Object(brand.clone())).into_iter().collect();
            shown.insert("_embedded".to_owned(), json!({ "brands": all }));
        },
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
];

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
    embed(house, subject, shown);
}

/// Whether the caller asks for more to be shown.
fn expands(house: &House<'_>, what: &str) -> bool {
    house.query("expand").is_some_and(|wish| wish.split(',').any(|one| one == what))
}

/// What a brand has, where the caller asks for it.
fn embed(house: &House<'_>, subject: &Subject<'_>, shown: &mut Members) {
    let mut embedded = Members::new();
    let objects = &house.state.objects;
    let show = |collection: &str, place: &str, (id, one): (&SmolStr, &Members)| {
        let mut one = super::shown_member(house.state, house.request, (collection, place), id, one);
        one.insert("id".to_owned(), Value::from(id.as_str()));
        Value::Object(one)
    };
    if expands(house, "themes") {
        let place = format!("{}/{}/themes", subject.place, subject.id);
        let all = objects.members(&place).map(|theme| show("/api/v1/brands/{}/themes", &place, theme));
        embedded.insert("themes".to_owned(), all.collect());
    }
    if expands(house, "domains") {
        let own = objects.members(DOMAINS).filter(|(_, domain)| is(domain, "brandId", subject.id));
        embedded.insert("domains".to_owned(), own.map(|domain| show(DOMAINS, DOMAINS, domain)).collect());
    }
    if expands(house, "emailDomain") {
        let own = shown.get("emailDomainId").and_then(Value::as_str).map(SmolStr::from);
        let own = own.as_ref().and_then(|id| Some((id, objects.member(EMAIL_DOMAINS, id)?)));
        if let Some(domain) = own {
            embedded.insert("emailDomain".to_owned(), show(EMAIL_DOMAINS, EMAIL_DOMAINS, domain));
        }
    }
    if !embedded.is_empty() {
        shown.insert("_embedded".to_owned(), Value::Object(embedded));
    }
}

const EMAIL_DOMAINS: &str = "/api/v1/email-domains";
const DOMAINS: &str = "/api/v1/domains";

/// A template's settings and the number of its customizations, where the caller asks for them. Orgs of the Classic
/// Engine have no such settings: recorded.
fn show_template(house: &House<'_>, subject: &Subject<'_>, shown: &mut Members) {
    if house.state.kind.is_classic() {
        return;
    }
    let template = format!("{}/{}", subject.place, subject.id);
    let to = |path: &str, allow: &[&str]| json!({ "href": format!("{}{template}{path}", subject.origin), "hints": { "allow": allow } });
    shown["_links"]["settings"] = to("/settings", &["GET", "PUT"]);
    let mut embedded = Members::new();
    if expands(house, "customizationCount") {
        embedded.insert("customizationCount".to_owned(), customizations(house.state, &template).into());
    }
    if expands(house, "settings") {
        let kept = house.state.objects.one(&template, "settings").cloned();
        let mut settings = kept.unwrap_or_else(usual_settings);
        settings.insert(
            "_links".to_owned(),
            json!({ "self": to("/settings", &["GET", "PUT"]), "template": to("", &["GET"]) }),
        );
        embedded.insert("settings".to_owned(), Value::Object(settings));
    }
    if !embedded.is_empty() {
        shown.insert("_embedded".to_owned(), Value::Object(embedded));
    }
}

/// A theme keeps its pictures when it is written, and its colours are colours. That the other colours follow from
/// these is not said anywhere: they stay.
fn settle_theme(_: &House<'_>, _: &Subject<'_>, deed: Deed<'_>, members: &mut Members) -> Result<(), Refused> {
    let Deed::Write(old) = deed else { return Ok(()) };
    keep(old, members, &["logo", "favicon", "backgroundImage"]);
    let is_colour = |text: &str| {
        text.strip_prefix('#')
            .is_some_and(|hex| matches!(hex.len(), 3 | 6) && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    for name in COLOURS {
        if members.get(name).and_then(Value::as_str).is_some_and(|text| !is_colour(text)) {
            return Err(invalid(name, format!("{name}: The field must be a valid hex color code")));
        }
    }
    Ok(())
}

const COLOURS: [&str; 4] =
    ["primaryColorHex", "secondaryColorHex", "primaryColorContrastHex", "secondaryColorContrastHex"];

/// A mail domain belongs to a brand, which then sends from it, is there once, and is proven by records. Nobody but the
/// real DNS knows whether the records are there: verifying counts as finding them.
fn settle_email_domain(
    house: &House<'_>,
    subject: &Subject<'_>,
    deed: Deed<'_>,
    members: &mut Members,
) -> Result<(), Refused> {
    let name = members.get("domain").and_then(Value::as_str).unwrap_or_default().to_owned();
    match deed {
        Deed::Create => {
            let brand = members.get("brandId").and_then(Value::as_str).unwrap_or_default();
            if house.state.objects.member("/api/v1/brands", brand).is_none() {
                return Err(missing(brand, "Brand"));
            }
            let mut others = house.state.objects.members(subject.place);
            if others.any(|(_, other)| is(other, "domain", &name)) {
                return Err(coded("E0000197"));
            }
            let subdomain = members.get("validationSubdomain").and_then(Value::as_str).unwrap_or("mail").to_owned();
            members.insert("dnsValidationRecords".to_owned(), mail_records(&name, &subdomain));
        }
        Deed::Write(old) => {
            keep(
                old,
                members,
                &["domain", "brandId", "validationStatus", "validationSubdomain", "dnsValidationRecords"],
            );
        }
        Deed::Change(old) => {
            if !is(old, "validationStatus", "NOT_STARTED") && !is(old, "validationStatus", "ERROR") {
                return Err(coded("E0000217"));
            }
            members.insert("validationStatus".to_owned(), "VERIFIED".into());
        }
        Deed::Delete => {}
    }
    Ok(())
}

/// The records that prove a mail domain.
fn mail_records(domain: &str, subdomain: &str) -> Value {
    let proof = proof(domain);
    let mail = |fqdn: String, value: String| json!({ "recordType": "CNAME", "fqdn": fqdn, "verificationValue": value });
    let number = &proof[..8];
    json!([
        { "recordType": "TXT", "fqdn": format!("_oktaverification.{domain}"), "verificationValue": proof },
        mail(format!("{subdomain}.{domain}"), format!("u{number}.mail.okta.example")),
        mail(format!("s1._domainkey.{domain}"), format!("s1.domainkey.u{number}.mail.okta.example")),
        mail(format!("s2._domainkey.{domain}"), format!("s2.domainkey.u{number}.mail.okta.example")),
    ])
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
    if members.get("name").and_then(Value::as_str) == Some("DRAPP_DOMAIN_BRAND") {
        return Err(invalid("name", "name: The field has an invalid value"));
    }
    let objects = &house.state.objects;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    if let Some(id) = text(members.get("emailDomainId")).filter(|id| objects.member(EMAIL_DOMAINS, id).is_none()) {
        return Err(missing(&id, "EmailDomain"));
    }
    // The app with which end users begin is Okta's own: a brand may name it as the default one does.
    let is_known = |id: &str| {
        let of =
            |brand: &Members| brand.get("defaultApp").and_then(|app| app.get("appInstanceId")?.as_str()) == Some(id);
        house.state.apps.get(id).is_some() || objects.members("/api/v1/brands").any(|(_, brand)| of(brand))
    };
    let app = members.get("defaultApp").and_then(|app| app.get("appInstanceId"));
    if let Some(id) = text(app).filter(|id| !is_known(id)) {
        return Err(missing(&id, "AppInstance"));
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
    let template = subject.place.strip_suffix("/customizations").and_then(|place| place.rsplit_once('/'));
    if let Some((_, name)) = template.filter(|(all, name)| house.state.objects.member(all, name).is_none()) {
        return Err(missing(name, "EmailTemplate"));
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
        Deed::Write(old) => return settle_owner(house, old, members),
        Deed::Change(old) => {
            // Okta has a certificate for what it manages; others bring theirs.
            let managed = is(old, "certificateSourceType", "OKTA_MANAGED");
            let status = if managed { "COMPLETED" } else { "VERIFIED" };
            members.insert("validationStatus".to_owned(), status.into());
            return Ok(());
        }
        Deed::Delete => return Ok(()),
    }
    let proof = json!([
        { "fqdn": format!("_oktaverification.{name}"), "values": [proof(&name)], "recordType": "TXT" },
        { "fqdn": name, "values": [format!("{}.customdomains.okta.com", house.state.org)], "recordType": "CNAME" },
    ]);
    members.insert("dnsRecords".to_owned(), proof);
    Ok(())
}

/// A domain is given to another brand; all else of it stays.
fn settle_owner(house: &House<'_>, old: &Members, members: &mut Members) -> Result<(), Refused> {
    let brand = members.get("brandId").and_then(Value::as_str).unwrap_or_default().to_owned();
    if house.state.objects.member("/api/v1/brands", &brand).is_none() {
        return Err(missing(&brand, "Brand"));
    }
    let others: Vec<&str> = old.keys().map(String::as_str).filter(|name| *name != "brandId").collect();
    keep(old, members, &others);
    Ok(())
}

/// What a domain's record must say: the same each time for the same domain, as recorded.
fn proof(domain: &str) -> String {
    let hash = domain.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    format!("{hash:032x}")
}

/// The kinds of e-mails that a brand has a template for on the Classic Engine: recorded in part.
const CLASSIC_TEMPLATES: &[&str] = &[
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

/// The kinds of e-mails that a brand has a template for today; those that are not recorded are inferred.
const TEMPLATES: &[&str] = &[
    "UserActivation",
    "ForgotPassword",
    "ForgotPasswordDenied",
    "AccountLockout",
    "ADForgotPassword",
    "ADForgotPasswordDenied",
    "ADSelfServiceUnlock",
    "ADUserActivation",
    "AuthenticatorEnrolled",
    "AuthenticatorReset",
    "ChangeEmailConfirmation",
    "EmailChallenge",
    "EmailChangeConfirmation",
    "EmailFactorVerification",
    "IGAReviewerEndNotification",
    "IGAReviewerNotification",
    "IGAReviewerPendingNotification",
    "IGAReviewerReassigned",
    "LDAPForgotPassword",
    "LDAPForgotPasswordDenied",
    "LDAPSelfServiceUnlock",
    "LDAPUserActivation",
    "MyAccountChangeConfirmation",
    "NewSignOnNotification",
    "OktaVerifyActivation",
    "PasswordChanged",
    "PasswordResetByAdmin",
    "PendingEmailChange",
    "RegistrationActivation",
    "RegistrationEmailVerification",
    "SelfServiceUnlock",
    "SelfServiceUnlockOnUnlockedAccount",
];

/// What a brand has from its beginning: a theme, and a template for each kind of e-mail.
pub(super) fn of_brand(classic: bool, place: &str, id: &str) -> Vec<Companion> {
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
    let names = if classic { CLASSIC_TEMPLATES } else { TEMPLATES };
    let templates = names.iter().map(|name| companion("templates/email", Some(name), json!({ "name": name })));
    std::iter::once(companion("themes", None, theme)).chain(templates).collect()
}
