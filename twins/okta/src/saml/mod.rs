//! SAML 2.0: how people are signed in to apps that take signed assertions.
//!
//! An app has a second id, its external key, in what service providers see of it. People come from the app, with a
//! request, or by the app's tile; they are sent back with a form that posts the answer.
//! See developer.okta.com/docs/concepts/saml/.

mod attributes;
mod encrypt;
pub mod logout;
mod message;
pub mod metadata;
mod page;
mod request;
mod settings;
pub(crate) mod sign;
pub(crate) mod signature;
pub mod sso;
pub(crate) mod told;
pub(crate) mod tree;
mod verify;
pub(crate) mod xml;

pub(crate) use settings::UNSPECIFIED;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::operation::Operation;
use http::Method;
use smol_str::SmolStr;

use crate::{
    Okta,
    model::{
        State,
        app::{App, AppField},
    },
};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

/// The external key of an app, by its id: `exk...`.
pub fn key(app: &str) -> SmolStr {
    let hash = URL_SAFE_NO_PAD.encode(blake3::hash(format!("external key of {app}").as_bytes()).as_bytes());
    let drawn: String = hash.chars().filter(char::is_ascii_alphanumeric).take(14).collect();
    format!("exk{drawn:0<14}5d7").into()
}

/// The app of an external key.
pub(crate) fn by_key<'s>(state: &'s State, key: &str) -> Option<&'s Arc<App>> {
    state.apps.equal(AppField::ExternalKey, key, "").next()
}

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    const PAGES: &str = "oauth2 pages";
    const SSO: &str = "/app/{appName}/{externalKey}/sso/saml";
    const SLO: &str = "/app/{appName}/{externalKey}/slo/saml";
    vec![
        Operation::read(
            "previewSAMLmetadataForApplication",
            GET,
            "/api/v1/apps/{appId}/sso/saml/metadata",
            metadata::preview,
        )
        .limit("apps"),
        Operation::read("samlMetadata", GET, "/app/{externalKey}/sso/saml/metadata", metadata::show).limit(PAGES),
        Operation::write("samlSignOn", GET, SSO, sso::sign_on).then(sso::hooked).limit(PAGES),
        Operation::write("samlSignOnWithPost", POST, SSO, sso::sign_on).then(sso::hooked).limit(PAGES),
        Operation::write("samlLogout", GET, SLO, logout::log_out).limit(PAGES),
        Operation::write("samlLogoutWithPost", POST, SLO, logout::log_out).limit(PAGES),
        Operation::write("openTile", GET, "/home/{appName}/{appId}/{link}", sso::open).then(sso::hooked).limit(PAGES),
    ]
}
