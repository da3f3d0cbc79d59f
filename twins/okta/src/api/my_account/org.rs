//! One's own org, and Okta's own apps in it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Read,
};
use serde_json::{Value, json};

use super::{GET, LIMIT, Nothing, link, own};
use crate::{Okta, error::Error, model::role};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    vec![
        Operation::read("listOktaApplications", GET, "/idp/myaccount/okta-applications", list).limit(LIMIT),
        Operation::read("getOrganization", GET, "/idp/myaccount/organization", get).limit(LIMIT),
    ]
}

/// Okta's own apps: everybody has the dashboard and the browser plugin, administrators the console.
const APPS: [(&str, &str, bool); 3] = [
    ("okta_enduser", "Okta Dashboard", false),
    ("okta_browser_plugin", "Okta Browser Plugin", false),
    ("saasure", "Okta Admin Console", true),
];

/// Okta's own apps are not among the org's; their ids follow from the org and their names.
fn id(org: &str, name: &str) -> String {
    let hash = blake3::hash(format!("{org} {name}").as_bytes());
    let text = URL_SAFE_NO_PAD.encode(hash.as_bytes());
    let drawn: String =
        text.chars().filter(char::is_ascii_alphanumeric).chain("0".repeat(14).chars()).take(14).collect();
    format!("0oa{drawn}5d7")
}

fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<Value>>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let admin = role::is_admin(cx.state, &user);
    let shown = APPS.iter().filter(|(_, _, console)| admin || !console);
    let row = |(name, title, _): &(&str, &str, bool)| json!({ "id": id(&cx.state.org, name), "name": name, "displayName": title });
    Ok(Typed::ok(&shown.map(row).collect::<Vec<_>>()))
}

fn get(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    own(cx.state, cx.caller, cx.scene)?;
    let org = cx.state.objects.one("/api/v1", "org");
    let text = |name: &str| org.and_then(|org| org.get(name)?.as_str()).unwrap_or_default();
    let name = if text("companyName").is_empty() { cx.state.org.as_str() } else { text("companyName") };
    let mut body = json!({
        "name": name,
        "url": cx.scene.request.origin,
        "_links": { "self": link(cx.scene, "/organization", &["GET"]) },
    });
    for (from, to) in [("endUserSupportHelpURL", "helpLink"), ("supportEmail", "supportEmail")] {
        if !text(from).is_empty() {
            body[to] = json!(text(from));
        }
    }
    Ok(Typed::ok(&body))
}
