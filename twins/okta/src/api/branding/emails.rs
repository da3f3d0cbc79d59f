//! What a brand's e-mails say: as Okta has them, as the org has customized them, and as they would look.
//!
//! Okta's own texts are not public: these are the twin's, in English only. No mail leaves the twin.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/CustomTemplates/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{BRANDS, CALLS, find, hinted};
use crate::{
    Okta,
    api::{act, no_content},
    error::Error,
    model::{State, event_type::TEMPLATE_DELETE, profile::Attribute, user::User},
    resources::{party, shown_member},
};

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const DELETE: &[Method] = &[Method::DELETE];
    const OWN: &str = "/api/v1/brands/{brandId}/templates/email/{templateName}/default-content";
    const OWN_PREVIEW: &str = "/api/v1/brands/{brandId}/templates/email/{templateName}/default-content/preview";
    const ALL: &str = "/api/v1/brands/{brandId}/templates/email/{templateName}/customizations";
    const PREVIEW: &str =
        "/api/v1/brands/{brandId}/templates/email/{templateName}/customizations/{customizationId}/preview";
    const TEST: &str = "/api/v1/brands/{brandId}/templates/email/{templateName}/test";
    const ONE: &str = "/api/v1/brands/{brandId}/templates/email/{templateName}";
    vec![
        Operation::read("getEmailTemplate", GET, ONE, get).limit(CALLS),
        Operation::read("getEmailDefaultContent", GET, OWN, content).limit(CALLS),
        Operation::read("getEmailDefaultPreview", GET, OWN_PREVIEW, preview).limit(CALLS),
        Operation::read("getCustomizationPreview", GET, PREVIEW, preview_of_one).limit(CALLS),
        Operation::write("deleteAllCustomizations", DELETE, ALL, delete_all).limit(CALLS),
        Operation::write("sendTestEmail", POST, TEST, test).limit(CALLS),
    ]
}

/// Arguments about a template, and the language in which it is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Which {
    brand_id: SmolStr,
    template_name: SmolStr,
    #[serde(default)]
    language: Option<String>,
}

/// Arguments of `getEmailTemplate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Looked {
    brand_id: SmolStr,
    template_name: SmolStr,
    #[serde(default)]
    expand: Option<String>,
}

fn get(cx: &Read<'_, Okta>, args: Looked) -> Result<Typed<Value>, Error> {
    let one = find(cx.state, &args.brand_id, "templates/email", &args.template_name, "EmailTemplate")?;
    let mut wanted = args.expand.iter().flat_map(|text| text.split(','));
    if wanted.any(|name| !["settings", "customizationCount"].contains(&name)) {
        return Err(Error::invalid("expand", "expand: The field has an invalid value"));
    }
    let place = format!("{BRANDS}/{}/templates/email", args.brand_id);
    let of = ("/api/v1/brands/{}/templates/email", place.as_str());
    Ok(Typed::ok(&Value::Object(shown_member(cx.state, cx.scene.request, of, &args.template_name, one))))
}

/// Arguments about a customization.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WhichOne {
    brand_id: SmolStr,
    template_name: SmolStr,
    customization_id: SmolStr,
}

impl Which {
    /// # Errors
    /// A brand or a template that there is not, a language that is no tag of one.
    fn check(&self, state: &State) -> Result<(), Error> {
        find(state, &self.brand_id, "templates/email", &self.template_name, "EmailTemplate")?;
        let is_tag = |tag: &str| {
            let mut parts = tag.split('-');
            let first = parts.next().unwrap_or_default();
            let letters = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric());
            (2..=3).contains(&first.len())
                && first.bytes().all(|b| b.is_ascii_alphabetic())
                && parts.all(|part| (2..=8).contains(&part.len()) && letters(part))
        };
        if self.language.as_deref().is_none_or(is_tag) {
            Ok(())
        } else {
            Err(Error::invalid("language", "language: The field has an invalid value"))
        }
    }

    fn address(&self, origin: &str) -> String {
        format!("{origin}{BRANDS}/{}/templates/email/{}", self.brand_id, self.template_name)
    }
}

/// What Okta says where nobody has customized a template: a subject, a sentence, and what its link stands for.
const TEXTS: &[(&str, &str, &str, &str)] = &[
    ("welcome", "Welcome to ${org.name}", "your account is ready.", "activationLink"),
    ("UserActivation", "Your ${org.name} account", "your account waits to be activated.", "activationLink"),
    ("RegistrationActivation", "Finish your registration", "your registration is nearly done.", "activationLink"),
    ("RegistrationEmailVerification", "Confirm your address", "please confirm this address.", "verificationLink"),
    ("ForgotPassword", "Choose a new password", "you asked for a new password.", "resetPasswordLink"),
    ("ForgotPasswordDenied", "Your password was not reset", "your password cannot be reset here.", ""),
    ("passwordResetDenied", "Your password was not reset", "your password cannot be reset here.", ""),
    ("PasswordChanged", "Your password has changed", "your password has been changed.", ""),
    ("unlock", "Unlock your account", "your account is locked.", "unlockAccountLink"),
    ("SelfServiceUnlock", "Unlock your account", "you asked to unlock your account.", "unlockAccountLink"),
    ("AccountLockout", "Your account is locked", "your account was locked.", "unlockAccountLink"),
    ("ADForgotPassword", "Choose a new password", "you asked for a new directory password.", "resetPasswordLink"),
    ("ADForgotPasswordDenied", "Your password was not reset", "your directory password cannot be reset here.", ""),
    ("ADUserActivation", "Your ${org.name} account", "your directory account waits for you.", "activationLink"),
    ("LDAPForgotPassword", "Choose a new password", "you asked for a new directory password.", "resetPasswordLink"),
    ("LDAPForgotPasswordDenied", "Your password was not reset", "your directory password cannot be reset here.", ""),
    ("LDAPSelfServiceUnlock", "Unlock your account", "you asked to unlock your account.", "unlockAccountLink"),
    ("PasswordResetByAdmin", "Choose a new password", "your password was reset.", "resetPasswordLink"),
    ("OktaVerifyActivation", "Set up Okta Verify", "please set up Okta Verify.", "activationLink"),
    ("ChangeEmailConfirmation", "Confirm your new address", "your address is about to change.", "verificationLink"),
    ("AuthenticatorEnrolled", "A new security method", "a security method was set up.", ""),
    ("AuthenticatorReset", "A security method was reset", "a security method was reset.", ""),
    ("NewSignOnNotification", "A new sign-in", "somebody signed in to your account.", ""),
    ("ADSelfServiceUnlock", "Unlock your account", "you asked to unlock your directory account.", "unlockAccountLink"),
    ("LDAPUserActivation", "Your ${org.name} account", "your directory account waits for you.", "activationLink"),
    ("EmailChallenge", "Your one-time code", "your code is ${verificationToken}.", ""),
    ("EmailFactorVerification", "Confirm this address", "your code is ${verificationToken}.", ""),
    ("EmailChangeConfirmation", "Confirm your new address", "your address is about to change.", "verificationLink"),
    ("EmailChangeNotification", "Your address has changed", "your address has been changed.", ""),
    ("FactorEnrollment", "A new security method", "a security method was set up.", ""),
    ("FactorReset", "A security method was reset", "a security method was reset.", ""),
    ("SignInFromNewDevice", "A new sign-in", "somebody signed in to your account from a new device.", ""),
];

/// A template's own subject and body.
fn own(template: &str) -> (String, String) {
    let found = TEXTS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(template));
    let (_, subject, sentence, link) = found.copied().unwrap_or((template, template, "there is news.", ""));
    let link = if link.is_empty() { String::new() } else { format!(" <a href=\"${{{link}}}\">Go on</a>") };
    let body =
        format!("<!DOCTYPE html><html><body><p>Hi ${{user.profile.firstName}}, {sentence}{link}</p></body></html>");
    (subject.to_owned(), body)
}

fn content(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    args.check(cx.state)?;
    let (subject, body) = own(&args.template_name);
    let template = args.address(&cx.scene.request.origin);
    Ok(Typed::ok(&json!({
        "subject": subject,
        "body": body,
        "_links": {
            "template": hinted(&template, &["GET"]),
            "preview": hinted(&format!("{template}/default-content/preview"), &["GET"]),
            "test": hinted(&format!("{template}/test"), &["POST"]),
            "self": hinted(&format!("{template}/default-content"), &["GET"]),
        },
    })))
}

/// A text as its receiver would see it: variables of the reader and the org have their values, others say what they
/// are, as recorded.
fn filled(state: &State, reader: Option<&User>, text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        let Some((name, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        let value = value(state, reader, name.trim());
        if before.ends_with(['"', '\'']) {
            out.extend(utf8_percent_encode(&value, NON_ALPHANUMERIC));
        } else {
            out.push_str(&value);
        }
        rest = after;
    }
    out + rest
}

fn value(state: &State, reader: Option<&User>, name: &str) -> String {
    let own = |name: &str| reader.zip(Attribute::find(name)).map(|(user, attribute)| user.profile.get(attribute));
    match name {
        "org.name" => state.org.to_string(),
        other => match other.strip_prefix("user.profile.").or_else(|| other.strip_prefix("user.")).and_then(own) {
            Some(value) if !value.is_empty() => value.to_owned(),
            _ => format!("({name} Placeholder)"),
        },
    }
}

fn previewed(cx: &Read<'_, Okta>, (subject, body): (&str, &str), links: Value) -> Typed<Value> {
    let reader = cx.state.users.get(&cx.caller.user).map(AsRef::as_ref);
    Typed::ok(&json!({
        "subject": filled(cx.state, reader, subject),
        "body": filled(cx.state, reader, body),
        "_links": links,
    }))
}

fn preview(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    args.check(cx.state)?;
    let (subject, body) = own(&args.template_name);
    let template = args.address(&cx.scene.request.origin);
    let links = json!({
        "template": hinted(&template, &["GET"]),
        "defaultContent": hinted(&format!("{template}/default-content"), &["GET"]),
        "test": hinted(&format!("{template}/test"), &["POST"]),
        "self": hinted(&format!("{template}/default-content/preview"), &["GET"]),
    });
    Ok(previewed(cx, (&subject, &body), links))
}

fn preview_of_one(cx: &Read<'_, Okta>, args: WhichOne) -> Result<Typed<Value>, Error> {
    let WhichOne { brand_id, template_name, customization_id } = args;
    let which = Which { brand_id, template_name, language: None };
    which.check(cx.state)?;
    let part = format!("templates/email/{}/customizations", which.template_name);
    let one = find(cx.state, &which.brand_id, &part, &customization_id, "EmailCustomization")?;
    let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
    let template = which.address(&cx.scene.request.origin);
    let links = json!({
        "template": hinted(&template, &["GET"]),
        "self": hinted(&format!("{template}/customizations/{customization_id}/preview"), &["GET"]),
        "test": hinted(&format!("{template}/test"), &["POST"]),
    });
    Ok(previewed(cx, (text("subject"), text("body")), links))
}

fn delete_all(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    args.check(cx.state)?;
    let place = format!("{BRANDS}/{}/templates/email/{}/customizations", args.brand_id, args.template_name);
    let ids: Vec<SmolStr> = cx.state.objects.members(&place).map(|(id, _)| id.clone()).collect();
    act(cx, |act| {
        for id in &ids {
            act.state.objects.forget(&mut act.tx.changes, &place, id);
            act.log(&TEMPLATE_DELETE, vec![party("EmailTemplate", id, None)]);
        }
        Ok(())
    })?;
    Ok(no_content())
}

/// `sendTestEmail`: nothing leaves the twin, so that only what can be refused is.
fn test(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    args.check(cx.state)?;
    Ok(no_content())
}

/// How many customizations a template has.
pub(crate) fn customizations(state: &State, template: &str) -> usize {
    state.objects.members(&format!("{template}/customizations")).count()
}

/// Members of the settings of a template that nobody has set.
pub(crate) fn usual_settings() -> Map<String, Value> {
    Map::from_iter([("recipients".to_owned(), json!("ALL_USERS"))])
}
