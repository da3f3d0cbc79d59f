//! The files of a brand at addresses that programs know: which apps open its links, which sites share its passkeys.
//!
//! An org has them where it has switched on the feature; without it the refusal is recorded.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/AssociatedDomainCustomizations/ and
//! developer.okta.com/docs/guides/custom-well-known-uri/main/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{BRANDS, CALLS, check, hinted};
use crate::{
    Okta,
    api::{act, features},
    error::Error,
    input::object,
    model::State,
};

/// The files.
pub(crate) const APPLE: &str = "apple-app-site-association";
/// For apps on Android.
pub(crate) const ANDROID: &str = "assetlinks.json";
/// For passkeys.
pub(crate) const PASSKEYS: &str = "webauthn";
const FILES: [&str; 3] = [APPLE, ANDROID, PASSKEYS];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const ALL: &str = "/api/v1/brands/{brandId}/well-known-uris";
    const ROOT: &str = "/api/v1/brands/{brandId}/well-known-uris/{path}";
    const OWN: &str = "/api/v1/brands/{brandId}/well-known-uris/{path}/customized";
    vec![
        Operation::read("getAllWellKnownURIs", GET, ALL, list).limit(CALLS),
        Operation::read("getRootBrandWellKnownURI", GET, ROOT, root).limit(CALLS),
        Operation::read("getBrandWellKnownURI", GET, OWN, get).limit(CALLS),
        Operation::write("replaceBrandWellKnownURI", &[Method::PUT], OWN, replace).limit(CALLS),
    ]
}

fn place(brand: &str) -> String {
    format!("{BRANDS}/{brand}/well-known-uris")
}

/// What a brand says in a file; none where it says nothing.
pub(crate) fn said<'s>(state: &'s State, brand: &str, file: &str) -> Option<&'s Value> {
    state.objects.member(&place(brand), file)?.get("representation")
}

/// Whether there is such a brand, and brands have files at all.
fn enter(state: &State, brand: &str) -> Result<(), Error> {
    if !features::is_on(state, features::WELL_KNOWN) {
        return Err(Error::FeatureOff);
    }
    check(state, brand)
}

fn file(name: &str) -> Result<&'static str, Error> {
    let found = FILES.iter().find(|file| **file == name).copied();
    found.ok_or_else(|| Error::invalid("path", "path: The field has an invalid value"))
}

/// Arguments: the brand, and what else is to be shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    brand_id: SmolStr,
    expand: Option<String>,
}

/// # Errors
/// What there is not to be shown.
fn asked<'e>(expand: Option<&'e str>, known: &[&str]) -> Result<Vec<&'e str>, Error> {
    let all: Vec<&str> = expand.unwrap_or_default().split(',').filter(|one| !one.is_empty()).collect();
    if all.iter().all(|one| known.contains(one)) { Ok(all) } else { Err(crate::api::bad_expand()) }
}

fn list(cx: &Read<'_, Okta>, args: Listed) -> Result<Typed<Value>, Error> {
    enter(cx.state, &args.brand_id)?;
    let asked = asked(args.expand.as_deref(), &["all", APPLE, ANDROID, PASSKEYS])?;
    let own = format!("{}{}", cx.scene.request.origin, place(&args.brand_id));
    let mut links = json!({ "self": hinted(&own, &["GET"]) });
    let mut embedded = Map::new();
    for file in FILES {
        links[file] = hinted(&format!("{own}/{file}"), &["GET"]);
        if asked.contains(&"all") || asked.contains(&file) {
            let shown = shown(cx.state, cx.scene, &args.brand_id, file);
            embedded.insert(file.to_owned(), json!({ "customized": shown }));
        }
    }
    let mut body = json!({ "_links": links });
    if !embedded.is_empty() {
        body["_embedded"] = Value::Object(embedded);
    }
    Ok(Typed::ok(&body))
}

/// What a brand says, empty where it says nothing: which of the two lists it is follows from the file.
fn shown(state: &State, scene: &Scene<'_>, brand: &str, file: &str) -> Value {
    let usual = if file == ANDROID { json!([]) } else { json!({}) };
    let own = format!("{}{}/{file}/customized", scene.request.origin, place(brand));
    json!({
        "representation": said(state, brand, file).cloned().unwrap_or(usual),
        "_links": { "self": hinted(&own, &["GET", "PUT"]) },
    })
}

/// Arguments: the file, and what else is to be shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Which {
    brand_id: SmolStr,
    path: SmolStr,
    expand: Option<String>,
}

fn root(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    enter(cx.state, &args.brand_id)?;
    let file = file(&args.path)?;
    let asked = asked(args.expand.as_deref(), &["customized"])?;
    let own = format!("{}{}/{file}", cx.scene.request.origin, place(&args.brand_id));
    let custom = hinted(&format!("{own}/customized"), &["GET", "PUT"]);
    let mut body = json!({ "_links": { "self": hinted(&own, &["GET"]), "customized": custom } });
    if asked.contains(&"customized") {
        let shown = shown(cx.state, cx.scene, &args.brand_id, file);
        body["representation"] = shown["representation"].clone();
    }
    Ok(Typed::ok(&body))
}

/// Arguments: the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct One {
    brand_id: SmolStr,
    path: SmolStr,
}

fn get(cx: &Read<'_, Okta>, args: One) -> Result<Typed<Value>, Error> {
    enter(cx.state, &args.brand_id)?;
    let file = file(&args.path)?;
    Ok(Typed::ok(&shown(cx.state, cx.scene, &args.brand_id, file)))
}

/// Arguments of `replaceBrandWellKnownURI`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Replace {
    brand_id: SmolStr,
    path: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Said,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Said {
    representation: Option<Value>,
}

/// What is wrong with what a file is to say; the words are the twin's.
fn problem(file: &str, said: &Value) -> Option<&'static str> {
    let is_origin = |origin: &Value| origin.as_str().is_some_and(|text| text.starts_with("https://"));
    match file {
        ANDROID => {
            let good = said.as_array().is_some_and(|all| all.iter().all(|one| one["relation"].is_array()));
            (!good).then_some("It must be a list of statements with relations")
        }
        _ if !said.is_object() => Some("It must be a JSON object"),
        // Okta's own part is added when the file is served.
        APPLE => said.get("authsrv").map(|_| "authsrv cannot be changed"),
        _ => {
            let good = said["origins"].as_array().is_some_and(|all| all.iter().all(is_origin));
            (!good).then_some("It must have a list of origins")
        }
    }
}

fn replace(cx: &mut Write<'_, '_, Okta>, args: Replace) -> Result<Typed<Value>, Error> {
    enter(cx.state, &args.brand_id)?;
    let file = file(&args.path)?;
    let said = args.body.representation.filter(|said| !said.is_null());
    let said = said.ok_or_else(|| Error::fields(&[("representation", "The field cannot be left blank")]))?;
    if let Some(why) = problem(file, &said) {
        return Err(Error::fields(&[("representation", why)]));
    }
    act(cx, |act| {
        let members = Map::from_iter([("representation".to_owned(), said)]);
        act.state.objects.keep(&mut act.tx.changes, &place(&args.brand_id), file, members);
        Ok(())
    })?;
    Ok(Typed::ok(&shown(cx.state, cx.scene, &args.brand_id, file)))
}
