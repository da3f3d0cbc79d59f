//! The pages of a brand that people see: where they sign in, what went wrong, and where they land behind signing out.
//!
//! A page is Okta's own until the org says otherwise; a preview is kept beside it. The twin's own pages do not show
//! them. Okta's own pages are not public: their texts here are the twin's.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/CustomPages/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
    wire::Request,
};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{BRANDS, CALLS, check, hinted};
use crate::{
    Okta,
    api::{act, no_content, widgets},
    error::Error,
    input::object,
    model::{
        Act, State,
        event_type::{
            ERROR_PAGE_DELETE, ERROR_PAGE_UPDATE, EventType, SIGN_IN_PAGE_DELETE, SIGN_IN_PAGE_UPDATE,
            SIGN_OUT_PAGE_UPDATE,
        },
    },
    resources::party,
};

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const PUT: &[Method] = &[Method::PUT];
    const OUT: &str = "/api/v1/brands/{brandId}/pages/sign-out/customized";
    let [mut all, sign_in] = [of_errors(), of_sign_in()];
    all.extend(sign_in);
    all.push(Operation::read("getSignOutPageSettings", GET, OUT, sign_out).limit(CALLS));
    all.push(Operation::write("replaceSignOutPageSettings", PUT, OUT, replace_sign_out).limit(CALLS));
    all
}

fn of_errors() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const PUT: &[Method] = &[Method::PUT];
    const DELETE: &[Method] = &[Method::DELETE];
    const ROOT: &str = "/api/v1/brands/{brandId}/pages/error";
    const DEFAULT: &str = "/api/v1/brands/{brandId}/pages/error/default";
    const OWN: &str = "/api/v1/brands/{brandId}/pages/error/customized";
    const PREVIEW: &str = "/api/v1/brands/{brandId}/pages/error/preview";
    vec![
        Operation::read("getErrorPage", GET, ROOT, root).limit(CALLS),
        Operation::read("getDefaultErrorPage", GET, DEFAULT, default).limit(CALLS),
        Operation::read("getCustomizedErrorPage", GET, OWN, get).limit(CALLS),
        Operation::write("replaceCustomizedErrorPage", PUT, OWN, replace_error).limit(CALLS),
        Operation::write("deleteCustomizedErrorPage", DELETE, OWN, delete).limit(CALLS),
        Operation::read("getPreviewErrorPage", GET, PREVIEW, get).limit(CALLS),
        Operation::write("replacePreviewErrorPage", PUT, PREVIEW, replace_error).limit(CALLS),
        Operation::write("deletePreviewErrorPage", DELETE, PREVIEW, delete).limit(CALLS),
    ]
}

fn of_sign_in() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const PUT: &[Method] = &[Method::PUT];
    const DELETE: &[Method] = &[Method::DELETE];
    const ROOT: &str = "/api/v1/brands/{brandId}/pages/sign-in";
    const DEFAULT: &str = "/api/v1/brands/{brandId}/pages/sign-in/default";
    const OWN: &str = "/api/v1/brands/{brandId}/pages/sign-in/customized";
    const PREVIEW: &str = "/api/v1/brands/{brandId}/pages/sign-in/preview";
    vec![
        Operation::read("getSignInPage", GET, ROOT, root).limit(CALLS),
        Operation::read("getDefaultSignInPage", GET, DEFAULT, default).limit(CALLS),
        Operation::read("getCustomizedSignInPage", GET, OWN, get).limit(CALLS),
        Operation::write("replaceCustomizedSignInPage", PUT, OWN, replace_sign_in).limit(CALLS),
        Operation::write("deleteCustomizedSignInPage", DELETE, OWN, delete).limit(CALLS),
        Operation::read("getPreviewSignInPage", GET, PREVIEW, get).limit(CALLS),
        Operation::write("replacePreviewSignInPage", PUT, PREVIEW, replace_sign_in).limit(CALLS),
        Operation::write("deletePreviewSignInPage", DELETE, PREVIEW, delete).limit(CALLS),
    ]
}

type Members = Map<String, Value>;

/// Arguments: the brand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Which {
    brand_id: SmolStr,
}

/// Arguments of the roots of pages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Root {
    brand_id: SmolStr,
    #[serde(default)]
    expand: Option<String>,
}

/// Where a page is kept: its kind's place, and its name there.
fn place(request: &Request) -> (String, &str) {
    let mut parts = request.path.trim_end_matches('/').split('/').skip(4);
    let (brand, kind) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    (format!("{BRANDS}/{brand}/pages/{kind}"), parts.next().unwrap_or_default())
}

fn is_sign_in(place: &str) -> bool {
    place.ends_with("/sign-in")
}

/// What a page is called where it is missing.
fn kind(place: &str) -> &'static str {
    if is_sign_in(place) { "SignInPage" } else { "ErrorPage" }
}

/// Okta's own page.
fn usual(place: &str) -> Value {
    if !is_sign_in(place) {
        let html = "<!DOCTYPE html>\n<html><head><title>{{orgName}}</title></head><body><h1>{{errorSummary}}</h1>\
                    <p>{{errorDescription}}</p></body></html>";
        return json!({ "pageContent": html, "contentSecurityPolicySetting": { "mode": "enforced" } });
    }
    let html = "<!DOCTYPE html>\n<html><head>{{{SignInWidgetResources}}}</head><body>\
                <div id=\"okta-login-container\"></div>{{{OktaUtil}}}</body></html>";
    json!({
        "pageContent": html,
        "contentSecurityPolicySetting": { "mode": "enforced" },
        "widgetVersion": "^7",
        "widgetCustomizations": usual_texts(),
    })
}

/// What Okta's own sign-in page says: recorded.
fn usual_texts() -> Value {
    json!({
        "signInLabel": "Sign In", "usernameLabel": "Username", "usernameInfoTip": "", "passwordLabel": "Password",
        "passwordInfoTip": "", "showPasswordVisibilityToggle": true, "showUserIdentifier": true,
        "forgotPasswordLabel": "Forgot password?", "forgotPasswordUrl": "", "unlockAccountLabel": "Unlock account?",
        "unlockAccountUrl": "", "helpLabel": "Help", "helpUrl": "", "customLink1Label": "", "customLink1Url": "",
        "customLink2Label": "", "customLink2Url": "", "authenticatorPageCustomLinkLabel": "",
        "authenticatorPageCustomLinkUrl": "", "classicRecoveryFlowEmailOrUsernameLabel": "Email or Username",
        "widgetGeneration": "G2",
    })
}

/// `getErrorPage`, `getSignInPage`: which pages there are.
fn root(cx: &Read<'_, Okta>, args: Root) -> Result<Typed<Value>, Error> {
    check(cx.state, &args.brand_id)?;
    let (place, _) = place(cx.scene.request);
    let at = |name: &str| format!("{}{place}{name}", cx.scene.request.origin);
    let mut links = json!({ "self": hinted(&at(""), &["GET"]), "default": hinted(&at("/default"), &["GET"]) });
    let mut all = vec![("default", usual(&place))];
    for name in ["customized", "preview"] {
        if let Some(page) = cx.state.objects.one(&place, name) {
            links[name] = hinted(&at(&format!("/{name}")), &["GET", "PUT", "DELETE"]);
            all.push((name, Value::Object(page.clone())));
        }
    }
    let wanted: Vec<&str> = args.expand.iter().flat_map(|text| text.split(',')).collect();
    for name in &wanted {
        match *name {
            "default" | "customized" | "preview" => {}
            // Nothing is served at such addresses.
            "customizedUrl" | "previewUrl" => return Err(Error::Unsupported),
            _ => return Err(Error::invalid("expand", "expand: The field has an invalid value")),
        }
    }
    let embedded: Members =
        all.into_iter().filter(|(name, _)| wanted.contains(name)).map(|(name, page)| (name.to_owned(), page)).collect();
    let mut body = json!({ "_links": links });
    if !embedded.is_empty() {
        body["_embedded"] = Value::Object(embedded);
    }
    Ok(Typed::ok(&body))
}

fn default(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    check(cx.state, &args.brand_id)?;
    Ok(Typed::ok(&usual(&place(cx.scene.request).0)))
}

/// The page at the request's address; missing where nobody has written one. That it is, is inferred.
fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    check(cx.state, &args.brand_id)?;
    let (place, name) = place(cx.scene.request);
    let page = cx.state.objects.one(&place, name).ok_or_else(|| Error::not_found(&args.brand_id, kind(&place)))?;
    Ok(Typed::ok(&Value::Object(page.clone())))
}

/// Deletes a page; one that is not there is gone already.
fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    check(cx.state, &args.brand_id)?;
    let (place, name) = place(cx.scene.request);
    act(cx, |act| {
        if act.state.objects.forget(&mut act.tx.changes, &place, name) && name == "customized" {
            let event = if is_sign_in(&place) { &SIGN_IN_PAGE_DELETE } else { &ERROR_PAGE_DELETE };
            tell(act, event, &args.brand_id);
        }
        Ok(())
    })?;
    Ok(no_content())
}

/// How browsers are told what a page may load.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Security {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<Strictness>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    src_list: Option<Vec<String>>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Strictness {
    Enforced,
    ReportOnly,
}

/// A page of errors.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ErrorPage {
    #[serde(default)]
    page_content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    content_security_policy_setting: Option<Security>,
}

/// A sign-in page.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SignInPage {
    #[serde(default)]
    page_content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    content_security_policy_setting: Option<Security>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    widget_version: Option<String>,
    #[serde(default, deserialize_with = "object")]
    widget_customizations: Option<Members>,
}

/// Arguments of what writes a page of errors.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplaceError {
    brand_id: SmolStr,
    body: ErrorPage,
}

/// Arguments of what writes a sign-in page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplaceSignIn {
    brand_id: SmolStr,
    body: SignInPage,
}

fn replace_error(cx: &mut Write<'_, '_, Okta>, args: ReplaceError) -> Result<Typed<Value>, Error> {
    check(cx.state, &args.brand_id)?;
    keep(cx, json!(args.body))
}

fn replace_sign_in(cx: &mut Write<'_, '_, Okta>, args: ReplaceSignIn) -> Result<Typed<Value>, Error> {
    check(cx.state, &args.brand_id)?;
    let mut page = args.body;
    if page.widget_version.as_ref().is_some_and(|version| !widgets::versions().contains(version)) {
        return Err(Error::invalid("widgetVersion", "widgetVersion: The field has an invalid value"));
    }
    let texts = usual_texts();
    let known = texts.as_object().cloned().unwrap_or_default();
    let sent = page.widget_customizations.take().unwrap_or_default();
    if let Some(name) = sent.keys().find(|name| !known.contains_key(*name)) {
        return Err(Error::invalid("widgetCustomizations", format!("{name}: The field is not supported")));
    }
    page.widget_customizations = Some(customized(&known, sent));
    keep(cx, json!(page))
}

/// What a page that the org has written shows of its widget, whatever was said of it: recorded.
fn customized(known: &Members, sent: Members) -> Members {
    let plain = known.iter().filter(|(name, _)| *name != "widgetGeneration");
    let mut all: Members =
        plain.map(|(name, own)| (name.clone(), if own.is_boolean() { own.clone() } else { Value::Null })).collect();
    all.extend(sent);
    all
}

fn keep(cx: &mut Write<'_, '_, Okta>, page: Value) -> Result<Typed<Value>, Error> {
    let (place, name) = place(cx.scene.request);
    let path = format!("{place}/{name}");
    let brand = cx.scene.request.path_param("brandId");
    act(cx, |act| {
        let members = page.as_object().cloned().unwrap_or_default();
        act.state.objects.keep_one(&mut act.tx.changes, &path, members);
        // Nobody but their maker sees previews.
        if name == "customized" {
            tell(act, written(&place), brand);
        }
        Ok(())
    })?;
    Ok(Typed::ok(&page))
}

/// What the log says of a page that is written.
fn written(place: &str) -> &'static EventType {
    match place.rsplit('/').next() {
        Some("sign-in") => &SIGN_IN_PAGE_UPDATE,
        Some("sign-out") => &SIGN_OUT_PAGE_UPDATE,
        _ => &ERROR_PAGE_UPDATE,
    }
}

fn tell(act: &mut Act<'_, '_>, event: &'static EventType, brand: &str) {
    let target = party("Brand", brand, act.state.objects.member(BRANDS, brand));
    act.log(event, vec![target]);
}

/// Where people land who sign out.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignOut {
    r#type: Host,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Host {
    ExternallyHosted,
    OktaDefault,
}

/// Arguments of `replaceSignOutPageSettings`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplaceSignOut {
    brand_id: SmolStr,
    body: SignOut,
}

fn sign_out(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    check(cx.state, &args.brand_id)?;
    Ok(Typed::ok(&shown_sign_out(cx.state, &args.brand_id)))
}

fn shown_sign_out(state: &State, brand: &str) -> Value {
    let kept = state.objects.one(&format!("{BRANDS}/{brand}/pages/sign-out"), "customized");
    kept.map_or_else(|| json!({ "type": "OKTA_DEFAULT" }), |kept| Value::Object(kept.clone()))
}

fn replace_sign_out(cx: &mut Write<'_, '_, Okta>, args: ReplaceSignOut) -> Result<Typed<Value>, Error> {
    check(cx.state, &args.brand_id)?;
    let is_address = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    if args.body.r#type == Host::ExternallyHosted {
        match args.body.url.as_deref() {
            None | Some("") => return Err(Error::fields(&[("url", "The field cannot be left blank")])),
            Some(url) if !is_address(url) => return Err(Error::fields(&[("url", "The field must be a valid URL")])),
            Some(_) => {}
        }
    }
    keep(cx, json!(args.body))
}
