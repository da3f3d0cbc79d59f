//! What an org serves to everybody at addresses that programs know.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingMetadata/ and the tags beside it.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Read,
};
use http::Method;
use serde_json::{Map, Value, json};

use super::branding::well_known::{ANDROID, APPLE, PASSKEYS, said};
use crate::{Okta, error::Error, model::State, oauth::form::Form, policy::Members};

/// The operations: nobody shows who they are to read them.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    let authenticators = "/.well-known/app-authenticator-configuration";
    let apple = "/.well-known/apple-app-site-association";
    let rows = vec![
        Operation::read("getWellKnownAppAuthenticatorConfiguration", GET, authenticators, app_authenticators),
        Operation::read("getAppleAppSiteAssociationWellKnownURI", GET, apple, apple_file),
        Operation::read("getAssetLinksWellKnownURI", GET, "/.well-known/assetlinks.json", android_file),
        Operation::read("getWebAuthnWellKnownURI", GET, "/.well-known/webauthn", passkeys_file),
        Operation::read("getWellknownOrgMetadata", GET, "/.well-known/okta-organization", organization),
        Operation::read("getWellknownSsfMetadata", GET, "/.well-known/ssf-configuration", events),
    ];
    rows.into_iter().map(|row| row.limit("oauth2 documents")).collect()
}

/// A document.
type Shown = Result<Typed<Value>, Error>;

fn text<'a>(one: &'a Members, name: &str) -> &'a str {
    one.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What the brand of the org's own address says in a file.
fn said_here<'s>(state: &'s State, file: &str) -> Option<&'s Value> {
    let mut brands = state.objects.members("/api/v1/brands");
    let (id, _) = brands.find(|(_, brand)| brand.get("isDefault") == Some(&Value::Bool(true)))?;
    said(state, id, file)
}

/// `getAppleAppSiteAssociationWellKnownURI`, with the part of Okta's own app, which opens the org's links.
pub fn apple_file(cx: &Read<'_, Okta>, _: Form) -> Shown {
    let mut body = said_here(cx.state, APPLE).and_then(Value::as_object).cloned().unwrap_or_default();
    body.insert("authsrv".to_owned(), json!({ "apps": ["B7F62B65BN.com.okta.mobile"] }));
    Ok(Typed::ok(&Value::Object(body)))
}

fn android_file(cx: &Read<'_, Okta>, _: Form) -> Shown {
    said_here(cx.state, ANDROID).map(Typed::ok).ok_or_else(|| Error::not_found(ANDROID, "WellKnownUri"))
}

fn passkeys_file(cx: &Read<'_, Okta>, _: Form) -> Shown {
    said_here(cx.state, PASSKEYS).map(Typed::ok).ok_or_else(|| Error::not_found(PASSKEYS, "WellKnownUri"))
}

fn org_id(state: &State) -> Value {
    state.objects.one("/api/v1", "org").and_then(|org| org.get("id")).cloned().unwrap_or_default()
}

/// `getWellknownOrgMetadata`: who the org is, what it runs on, and the custom domain that it is reached at.
pub fn organization(cx: &Read<'_, Okta>, _: Form) -> Shown {
    let pipeline = if cx.state.kind.is_classic() { "v1" } else { "idx" };
    let mut links = Map::from_iter([("organization".to_owned(), json!({ "href": cx.scene.request.origin }))]);
    let proven = |one: &Members| text(one, "validationStatus") == "COMPLETED" && text(one, "id") != "default";
    let custom = cx.state.objects.members("/api/v1/domains").find(|(_, one)| proven(one));
    if let Some((_, one)) = custom {
        links.insert("alternate".to_owned(), json!({ "href": format!("https://{}", text(one, "domain")) }));
    }
    Ok(Typed::ok(&json!({ "id": org_id(cx.state), "pipeline": pipeline, "_links": links })))
}

/// `getWellknownSsfMetadata`: Okta as a sender of security events.
pub fn events(cx: &Read<'_, Okta>, _: Form) -> Shown {
    let origin = &cx.scene.request.origin;
    let stream = format!("{origin}/api/v1/ssf/stream");
    Ok(Typed::ok(&json!({
        "configuration_endpoint": stream,
        "verification_endpoint": format!("{stream}/verification"),
        "delivery_methods_supported":
            ["https://schemas.openid.net/secevent/risc/delivery-method/push", "urn:ietf:rfc:8935"],
        "issuer": origin,
        "jwks_uri": format!("{origin}/oauth2/v1/keys"),
        "spec_version": "1_0-ID3",
        "authorization_schemes": [{ "spec_urn": "urn:ietf:rfc:6749" }],
        "default_subjects": "ALL",
    })))
}

const AUTHENTICATORS: &str = "/api/v1/authenticators";

/// `getWellKnownAppAuthenticatorConfiguration`: the custom authenticators that belong to an OAuth client's app.
fn app_authenticators(cx: &Read<'_, Okta>, form: Form) -> Result<Typed<Vec<Value>>, Error> {
    let client = form.get("oauthClientId").ok_or(Error::MissingParameter)?;
    let is_its = |one: &Members| {
        let of = |name: &str| one.get("settings").and_then(|settings| settings.get(name)?.as_str());
        let known = |id: &str| id == client || cx.state.clients.get(client).is_some_and(|known| known.id == id);
        text(one, "key") == "custom_app"
            && text(one, "status") == "ACTIVE"
            && [of("oauthClientId"), of("appInstanceId")].into_iter().flatten().any(known)
    };
    let own = cx.state.objects.members(AUTHENTICATORS).filter(|(_, one)| is_its(one));
    Ok(Typed::ok(&own.map(|(id, one)| app_authenticator(cx, id, one)).collect()))
}

fn app_authenticator(cx: &Read<'_, Okta>, id: &str, one: &Members) -> Value {
    let methods = cx.state.objects.members(&format!("{AUTHENTICATORS}/{id}/methods"));
    let push = methods.map(|(_, method)| method).find(|method| text(method, "type") == "push");
    let usual = json!({ "algorithms": ["RS256", "ES256"], "keyProtection": "ANY" });
    let settings = push.and_then(|method| method.get("settings")).cloned().unwrap_or(usual);
    let status = push.map_or("ACTIVE", |method| text(method, "status"));
    let verification = one.get("settings").and_then(|settings| settings.get("userVerification"));
    json!({
        "authenticatorId": id, "orgId": org_id(cx.state), "type": "app", "key": "custom_app",
        "name": one.get("name"), "createdDate": one.get("created"), "lastUpdated": one.get("lastUpdated"),
        "settings": { "userVerification": verification.cloned().unwrap_or_else(|| json!("PREFERRED")) },
        "supportedMethods": [{ "type": "push", "status": status, "settings": settings }],
        "appAuthenticatorEnrollEndpoint": format!("{}/idp/myaccount/app-authenticators", cx.scene.request.origin),
    })
}
