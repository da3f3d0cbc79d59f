//! What of an identity provider follows from its type.

use serde_json::{Value, json};

use super::{
    House, Members,
    resource::{fill, is},
};

/// Where known services are called: for a sign-in, and for a token. Facebook's and `LinkedIn`'s are recorded (2020);
/// Google's, Microsoft's, Apple's and those of identity verification are the public document's; the others are the
/// services' own public addresses.
const ENDPOINTS: &[(&str, &str, &str)] = &[
    ("AMAZON", "https://www.amazon.com/ap/oa", "https://api.amazon.com/auth/o2/token"),
    ("APPLE", "https://appleid.apple.com/auth/authorize", "https://appleid.apple.com/auth/token"),
    ("DISCORD", "https://discord.com/api/oauth2/authorize", "https://discord.com/api/oauth2/token"),
    ("FACEBOOK", "https://www.facebook.com/dialog/oauth", "https://graph.facebook.com/v2.8/oauth/access_token"),
    ("GITHUB", "https://github.com/login/oauth/authorize", "https://github.com/login/oauth/access_token"),
    ("GITLAB", "https://gitlab.com/oauth/authorize", "https://gitlab.com/oauth/token"),
    ("GOOGLE", "https://accounts.google.com/o/oauth2/auth", "https://www.googleapis.com/oauth2/v3/token"),
    (
        "LINKEDIN",
        "https://www.linkedin.com/uas/oauth2/authorization",
        "https://www.linkedin.com/uas/oauth2/accessToken",
    ),
    (
        "MICROSOFT",
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
    ),
    ("PAYPAL", "https://www.paypal.com/signin/authorize", "https://api.paypal.com/v1/oauth2/token"),
    (
        "SALESFORCE",
        "https://login.salesforce.com/services/oauth2/authorize",
        "https://login.salesforce.com/services/oauth2/token",
    ),
    ("SPOTIFY", "https://accounts.spotify.com/authorize", "https://accounts.spotify.com/api/token"),
    ("XERO", "https://login.xero.com/identity/connect/authorize", "https://identity.xero.com/connect/token"),
    ("YAHOO", "https://api.login.yahoo.com/oauth2/request_auth", "https://api.login.yahoo.com/oauth2/get_token"),
    (
        "IDV_CLEAR",
        "https://verified.clearme.com/oauth/idv_authorize",
        "https://verified.clearme.com/hydra/oauth2/token",
    ),
    ("IDV_INCODE", "https://auth.incode.com/oauth2/authorize", "https://auth.incode.com/oauth2/token"),
];

/// Whether a provider proves who people are, and signs nobody in.
pub(super) fn is_verification(members: &Members) -> bool {
    members.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("IDV_"))
}

/// Fills in what callers need not say.
pub(super) fn complete(house: &House<'_>, id: &str, members: &mut Members) {
    if let Some(endpoints) = endpoints(members) {
        fill(members, json!({ "protocol": { "endpoints": endpoints } }));
    }
    if is(members, "type", "SAML2") {
        complete_saml(id, members);
    }
    fill(members, json!({ "policy": { "maxClockSkew": 0 } }));
    if is_verification(members) {
        return;
    }
    if !house.state.kind.is_classic() {
        fill(members, json!({ "policy": { "mapAMRClaims": false, "trustClaims": false } }));
    }
    if members.get("policy").is_some_and(|policy| policy.get("provisioning").is_some()) {
        let none = json!({ "deprovisioned": { "action": "NONE" }, "suspended": { "action": "NONE" } });
        fill(members, json!({ "policy": { "provisioning": { "conditions": none } } }));
    }
}

fn endpoints(members: &Members) -> Option<Value> {
    let kind = members.get("type")?.as_str()?;
    let (_, authorize, token) = ENDPOINTS.iter().find(|(known, ..)| *known == kind)?;
    let mut endpoints = json!({
        "authorization": { "url": authorize, "binding": "HTTP-REDIRECT" },
        "token": { "url": token, "binding": "HTTP-POST" },
    });
    let par = match kind {
        "IDV_CLEAR" => "https://verified.clearme.com/oauth/par",
        "IDV_INCODE" => "https://auth.incode.com/oauth2/par",
        _ => return Some(endpoints),
    };
    endpoints["par"] = json!({ "url": par, "binding": "HTTP-POST" });
    Some(endpoints)
}

/// Okta names itself to a SAML provider by an address of its own where the caller does not say how.
fn complete_saml(id: &str, members: &mut Members) {
    let drawn = id.get(2..).unwrap_or_default();
    let audience = format!("https://www.okta.com/saml2/service-provider/sp{drawn}");
    let trust = members.get_mut("protocol").and_then(|protocol| protocol.pointer_mut("/credentials/trust"));
    if let Some(trust) = trust.and_then(Value::as_object_mut) {
        let said = trust.get("audience").and_then(Value::as_str).is_some_and(|said| !said.is_empty());
        if !said {
            trust.insert("audience".to_owned(), audience.into());
        }
    }
    fill(
        members,
        json!({ "protocol": {
            "endpoints": { "acs": { "binding": "HTTP-POST", "type": "INSTANCE" } },
            "settings": { "nameFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified" },
        } }),
    );
}

/// What is shown of a provider that signs nobody in.
pub(super) fn show_verification(origin: &str, id: &str, shown: &mut Members) {
    shown.shift_remove("issuerMode");
    if let Some(policy) = shown.get_mut("policy").and_then(Value::as_object_mut) {
        policy.shift_remove("accountLink");
    }
    shown.insert("_links".to_owned(), own_links(origin, id, shown));
}

/// Links to the people who use a provider, and to what switches it.
pub(super) fn own_links(origin: &str, id: &str, shown: &Members) -> Value {
    let own = format!("{origin}/api/v1/idps/{id}");
    let verb = if is(shown, "status", "ACTIVE") { "deactivate" } else { "activate" };
    let mut links = json!({ "users": { "href": format!("{own}/users"), "hints": { "allow": ["GET"] } } });
    links[verb] = json!({ "href": format!("{own}/lifecycle/{verb}"), "hints": { "allow": ["POST"] } });
    links
}
