//! Documents from which service providers learn where and how an app's people are signed in.
//!
//! See SAML 2.0's metadata, sections 2.3 and 2.4.

use dtu_kernel::{operation::Typed, twin::Read, wire::Answer};
use http::header;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    by_key, key, page,
    settings::{Settings, UNSPECIFIED, wants_signed},
    sign::key_info,
    xml::{DS, Element, MD},
};
use crate::{
    Okta, api,
    error::Error,
    model::{
        app::{App, Mode},
        app_keys::{self, SigningKey},
    },
    oauth::form::Form,
};

/// Mail addresses as names.
const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

/// Where people are signed in to an app.
pub(crate) fn address(app: &App, origin: &str) -> String {
    format!("{origin}/app/{}/{}/sso/saml", app.name, key(&app.id))
}

/// An app's document, with a key of its.
fn document(app: &App, signing: &SigningKey, origin: &str) -> String {
    let settings = Settings::of(app).ok();
    let issuer = settings.as_ref().map(|settings| settings.issuer.clone());
    let first = settings.map_or(UNSPECIFIED, |settings| settings.name_format);
    let formats = [first, UNSPECIFIED, EMAIL].into_iter().enumerate();
    let formats = formats.filter(|(at, format)| *at == 0 || *format != first);
    let format = |(_, format): (usize, &str)| Element::new("md:NameIDFormat").saying(format);
    let service = |binding: &str| {
        Element::new("md:SingleSignOnService")
            .with("Binding", format!("urn:oasis:names:tc:SAML:2.0:bindings:{binding}"))
            .with("Location", address(app, origin))
    };
    let keys = Element::new("md:KeyDescriptor").with("use", "signing").holding(key_info(signing).declaring(DS));
    let role = Element::new("md:IDPSSODescriptor")
        .with("WantAuthnRequestsSigned", wants_signed(app).to_string())
        .with("protocolSupportEnumeration", "urn:oasis:names:tc:SAML:2.0:protocol")
        .holding(keys)
        .holding_all(logout(app, origin))
        .holding_all(formats.map(format))
        .holding(service("HTTP-POST"))
        .holding(service("HTTP-Redirect"));
    Element::new("md:EntityDescriptor")
        .declaring(MD)
        .with("entityID", issuer.unwrap_or_else(|| format!("http://www.okta.com/{}", key(&app.id))))
        .holding(role)
        .document()
}

/// Where people are signed out by an app, if it may.
fn logout(app: &App, origin: &str) -> Vec<Element> {
    if app.setting("/signOn/slo/enabled") != true {
        return Vec::new();
    }
    let address = format!("{origin}/app/{}/{}/slo/saml", app.name, key(&app.id));
    let service = |binding: &str| {
        Element::new("md:SingleLogoutService")
            .with("Binding", format!("urn:oasis:names:tc:SAML:2.0:bindings:{binding}"))
            .with("Location", address.as_str())
    };
    vec![service("HTTP-POST"), service("HTTP-Redirect")]
}

/// Arguments of `previewSAMLmetadataForApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    app_id: String,
    kid: Option<String>,
}

/// `previewSAMLmetadataForApplication`: with the app's present key where no other is asked for, as the links of apps do
/// not ask.
pub fn preview(cx: &Read<'_, Okta>, args: Preview) -> Result<Typed<String>, Error> {
    let app = api::apps::find(cx.state, &args.app_id)?;
    if app.mode != Mode::Saml20 {
        return Err(Error::not_found(&args.app_id, "AppInstance"));
    }
    let kid = args.kid.as_deref().filter(|kid| !kid.is_empty()).unwrap_or(&app.kid);
    let signing = app_keys::find(cx.state, &app, kid)?;
    let accept = cx.scene.request.header(header::ACCEPT).unwrap_or_default();
    let media = if accept.contains("application/xml") { "application/xml" } else { "text/xml" };
    Ok(Typed::from_answer(Answer::text(media, document(&app, signing, &cx.scene.request.origin))))
}

/// The same for everybody, by the app's external key.
pub fn show(cx: &Read<'_, Okta>, _: Form) -> Result<Typed<String>, Error> {
    let request = cx.scene.request;
    let found = by_key(cx.state, request.path_param("externalKey")).filter(|app| app.active);
    let signing = found.as_ref().and_then(|app| Some((app, app_keys::find(cx.state, app, &app.kid).ok()?)));
    Ok(Typed::from_answer(match signing {
        Some((app, signing)) => Answer::text("application/xml", document(app, signing, &request.origin)),
        None => page::not_found(),
    }))
}
