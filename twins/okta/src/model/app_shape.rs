//! What an app looks like where nobody said otherwise: Okta's defaults by sign-on mode, as recorded.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::app::Mode;
use crate::error::Error;

/// What an app's owner said of it, with Okta's defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parts {
    /// `accessibility`.
    pub accessibility: Value,
    /// `visibility`.
    pub visibility: Value,
    /// `credentials`, without keys, secrets and passwords.
    pub credentials: Value,
    /// `universalLogout`.
    pub universal_logout: Value,
    /// `settings`.
    pub settings: Value,
    /// `profile`; null where there is none.
    pub profile: Value,
    /// `licensing`; null where there is none.
    pub licensing: Value,
}

/// What may be sent: what the owner decides, and what Okta shows and passes over.
const KNOWN: [&str; 21] = [
    "accessibility",
    "visibility",
    "credentials",
    "universalLogout",
    "settings",
    "profile",
    "licensing",
    "label",
    "name",
    "signOnMode",
    "id",
    "orn",
    "status",
    "created",
    "lastUpdated",
    "features",
    "expressConfiguration",
    "_links",
    "_embedded",
    "displayName",
    "request_object_signing_alg",
];

/// An app's parts as sent, with defaults for the rest.
///
/// # Errors
/// Members that apps have not, and OAuth settings that do not go together.
pub fn parts(mode: Mode, name: &str, tiles: Value, body: &Map<String, Value>) -> Result<Parts, Error> {
    if body.keys().any(|member| !KNOWN.contains(&member.as_str())) {
        return Err(Error::Malformed);
    }
    let part = |member: &str| body.get(member).cloned();
    let settings = fill(settings(mode, name, body), part("settings"));
    // Programs on people's machines keep no secret: PKCE stands in for it.
    let public = matches!(settings["oauthClient"]["application_type"].as_str(), Some("browser" | "native"));
    if mode == Mode::OpenIdConnect {
        check_client(&settings)?;
        check_pkce(body)?;
    }
    Ok(Parts {
        accessibility: fill(
            json!({ "selfService": false, "errorRedirectUrl": null, "loginRedirectUrl": null }),
            part("accessibility"),
        ),
        visibility: visibility(mode, tiles, part("visibility")),
        credentials: credentials(mode, public, part("credentials")),
        universal_logout: fill(universal_logout(mode), part("universalLogout")),
        settings,
        profile: part("profile").unwrap_or_default(),
        licensing: part("licensing").unwrap_or_default(),
    })
}

/// What was given, with defaults for what was not: members of defaults first, then the others as they came.
fn fill(defaults: Value, given: Option<Value>) -> Value {
    match (defaults, given) {
        (defaults, None | Some(Value::Null)) => defaults,
        (Value::Object(defaults), Some(Value::Object(mut given))) => {
            let filled = |(name, default): (String, Value)| {
                let value = fill(default, given.shift_remove(&name));
                (name, value)
            };
            let mut out: Map<String, Value> = defaults.into_iter().map(filled).collect();
            out.extend(given);
            Value::Object(out)
        }
        (_, Some(given)) => given,
    }
}

/// The tiles of a new app, each with whether it is shown.
pub fn tiles(mode: Mode, name: &str, custom: bool) -> Value {
    if custom || mode == Mode::OpenIdConnect {
        json!({ format!("{name}_link"): true })
    } else {
        json!({ "login": true })
    }
}

fn visibility(mode: Mode, tiles: Value, given: Option<Value>) -> Value {
    let hidden = mode == Mode::OpenIdConnect;
    let defaults = json!({
        "autoLaunch": false,
        "autoSubmitToolbar": false,
        "hide": { "iOS": hidden, "web": hidden },
        "appLinks": tiles,
    });
    fill(defaults, given)
}

/// Without what is kept beside: the key's id, the client's secret, passwords.
fn credentials(mode: Mode, public: bool, given: Option<Value>) -> Value {
    let template = json!({ "template": "${source.login}", "type": "BUILT_IN" });
    let defaults = if mode.keeps_passwords() {
        json!({
            "scheme": "EDIT_USERNAME_AND_PASSWORD",
            "userNameTemplate": template,
            "revealPassword": false,
            "signing": {},
        })
    } else if mode == Mode::OpenIdConnect {
        json!({
            "userNameTemplate": template,
            "signing": {},
            "oauthClient": {
                "autoKeyRotation": true,
                "token_endpoint_auth_method": "client_secret_basic",
                "pkce_required": public,
            },
        })
    } else {
        json!({ "userNameTemplate": template, "signing": {} })
    };
    let mut filled = fill(defaults, given);
    if let Some(members) = filled.as_object_mut() {
        // A password for all is told to be there: github.com/okta/terraform-provider-okta/issues/722.
        let shared = members.get("scheme").is_some_and(|scheme| scheme == "SHARED_USERNAME_AND_PASSWORD");
        match members.get_mut("password") {
            Some(password) if shared => *password = json!({}),
            _ => drop(members.shift_remove("password")),
        }
        if let Some(signing) = members.get_mut("signing").and_then(Value::as_object_mut) {
            signing.clear();
        }
        if let Some(client) = members.get_mut("oauthClient").and_then(Value::as_object_mut) {
            client.shift_remove("client_secret");
            client.shift_remove("client_id");
        }
    }
    filled
}

fn universal_logout(mode: Mode) -> Value {
    if mode == Mode::OpenIdConnect {
        return json!({
            "status": "DISABLED",
            "supportType": "FULL",
            "identityStack": "NOT_SHARED",
            "protocol": "GLOBAL_TOKEN_REVOCATION",
        });
    }
    json!({ "status": "UNSUPPORTED" })
}

fn settings(mode: Mode, name: &str, body: &Map<String, Value>) -> Value {
    let mut settings = json!({
        "app": of_definition(name),
        "notifications": { "vpn": { "network": { "connection": "DISABLED" }, "message": null, "helpUrl": null } },
        "manualProvisioning": false,
        "implicitAssignment": false,
        "emOptInStatus": "NONE",
        "notes": { "admin": null, "enduser": null },
    });
    match mode {
        Mode::Saml11 | Mode::Saml20 => settings["signOn"] = sign_on(body),
        Mode::AutoLogin => settings["signOn"] = json!({ "redirectUrl": null, "loginUrl": null }),
        Mode::OpenIdConnect => settings["oauthClient"] = oauth_client(body),
        _ => {}
    }
    settings
}

/// The settings of Okta's own definitions, in their order.
fn of_definition(name: &str) -> Value {
    match name {
        "bookmark" => json!({ "requestIntegration": false }),
        "template_swa" => json!({
            "loginUrlRegex": null,
            "usernameField": null,
            "redirectUrl": null,
            "buttonField": null,
            "checkbox": null,
            "passwordField": null,
            "url": null,
        }),
        "template_swa3field" => json!({
            "loginUrlRegex": null,
            "extraFieldSelector": null,
            "extraFieldValue": null,
            "redirectUrl": null,
            "userNameSelector": null,
            "passwordSelector": null,
            "buttonSelector": null,
            "targetURL": null,
        }),
        "template_basic_auth" => json!({ "loginUrlRegex": null, "authURL": null, "url": null }),
        "template_sps" => json!({
            "usernameField": null,
            "optionalField1": null,
            "optionalField2Value": null,
            "optionalField3Value": null,
            "passwordField": null,
            "url": null,
            "optionalField1Value": null,
            "optionalField2": null,
            "optionalField3": null,
        }),
        "template_wsfed" => json!({
            "groupFilter": null,
            "siteURL": null,
            "authnContextClassRef": null,
            "wReplyOverride": false,
            "digestAlgorithm": "SHA1",
            "usernameAttribute": null,
            "signatureAlgorithm": "RSA_SHA1",
            "audienceRestriction": null,
            "wReplyURL": null,
            "groupName": null,
            "attributeStatements": null,
            "nameIDFormat": null,
            "realm": null,
            "groupValueFormat": null,
        }),
        _ => json!({}),
    }
}

/// SAML: an app of Okta's own definition says only what it does otherwise; the org's own says all.
fn sign_on(body: &Map<String, Value>) -> Value {
    let own = body.get("settings").and_then(|settings| settings.pointer("/signOn/ssoAcsUrl")).is_some();
    if own {
        // As the document's example has it; assertions are signed unless somebody says otherwise.
        return json!({
            "defaultRelayState": null,
            "idpIssuer": "http://www.okta.com/${org.externalKey}",
            "responseSigned": true,
            "assertionSigned": true,
            "honorForceAuthn": true,
            "spIssuer": null,
            "requestCompressed": false,
            "attributeStatements": [],
            "inlineHooks": [],
            "allowMultipleAcsEndpoints": false,
            "acsEndpoints": [],
            "samlSignedRequestEnabled": false,
            "slo": { "enabled": false },
        });
    }
    json!({
        "defaultRelayState": null,
        "ssoAcsUrlOverride": null,
        "audienceOverride": null,
        "recipientOverride": null,
        "destinationOverride": null,
        "attributeStatements": [],
    })
}

/// The texts of a list among the OAuth settings that were sent.
fn texts<'b>(body: &'b Map<String, Value>, member: &str) -> Vec<&'b str> {
    let client = body.get("settings").and_then(|settings| settings.get("oauthClient"));
    let list = client.and_then(|client| client.get(member)).and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// The settings of an OAuth client. What it may ask for follows from its grants where it does not say.
fn oauth_client(body: &Map<String, Value>) -> Value {
    let grants = texts(body, "grant_types");
    let mut responses = Vec::new();
    if grants.contains(&"authorization_code") {
        responses.push("code");
    }
    if grants.contains(&"implicit") {
        responses.extend(["token", "id_token"]);
    }
    if responses.is_empty() {
        responses.push("token");
    }
    let mut client = json!({
        "client_uri": null,
        "logo_uri": null,
        "redirect_uris": [],
        "post_logout_redirect_uris": [],
        "response_types": responses,
        "grant_types": [],
        "application_type": "web",
        "consent_method": "TRUSTED",
        "issuer_mode": "DYNAMIC",
        "refresh_token": { "rotation_type": "STATIC" },
        "idp_initiated_login": { "mode": "DISABLED", "default_scope": [] },
        "wildcard_redirect": "DISABLED",
        "dpop_bound_access_tokens": false,
    });
    let members = client.as_object_mut();
    let asked = |member: &str| body.get("settings").and_then(|s| s.get("oauthClient")?.get(member)).is_some();
    if let Some(members) = members {
        if !grants.contains(&"refresh_token") && !asked("refresh_token") {
            members.shift_remove("refresh_token");
        }
        if !asked("post_logout_redirect_uris") {
            members.shift_remove("post_logout_redirect_uris");
        }
    }
    client
}

/// A client that shows nothing else must use PKCE.
fn check_pkce(body: &Map<String, Value>) -> Result<(), Error> {
    let client = body.get("credentials").and_then(|part| part.get("oauthClient")).unwrap_or(&Value::Null);
    if client["token_endpoint_auth_method"] == "none" && client["pkce_required"] == false {
        let cause = "'pkce_required' must be 'true' where 'token_endpoint_auth_method' is 'none'";
        return Err(Error::invalid("pkce_required", cause));
    }
    Ok(())
}

/// What of an OAuth client's settings must go together.
fn check_client(settings: &Value) -> Result<(), Error> {
    let client = &settings["oauthClient"];
    let list = |member: &str| -> Vec<&str> {
        client[member].as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    };
    let (grants, responses, redirects) = (list("grant_types"), list("response_types"), list("redirect_uris"));
    let service = client["application_type"] == "service";
    let signs_in = grants.iter().any(|grant| matches!(*grant, "authorization_code" | "implicit"));
    if grants.is_empty() {
        return Err(Error::fields(&[("grant_types", "The field cannot be left blank")]));
    }
    if service && !grants.contains(&"client_credentials") {
        let cause = "'grant_types' must include 'client_credentials' where 'application_type' is 'service'";
        return Err(Error::invalid("grant_types", cause));
    }
    if signs_in && redirects.is_empty() {
        let cause = "'redirect_uris' must have a value for grant types 'authorization_code' and 'implicit'";
        return Err(Error::invalid("redirect_uris", cause));
    }
    if responses.contains(&"code") && !grants.contains(&"authorization_code") {
        let cause = "'response_types' has 'code', which needs the grant type 'authorization_code'";
        return Err(Error::invalid("response_types", cause));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_stands_in_the_place_of_its_default() {
        let check = |defaults: Value, given: Value, expected: &str| {
            assert_eq!(fill(defaults, Some(given)).to_string(), expected);
        };
        check(
            json!({ "a": 1, "b": { "c": null } }),
            json!({ "b": { "c": 2, "d": 3 } }),
            r#"{"a":1,"b":{"c":2,"d":3}}"#,
        );
        check(json!({ "a": 1 }), json!({ "z": 1, "a": null }), r#"{"a":1,"z":1}"#);
        check(json!({ "a": [] }), json!({ "a": [1] }), r#"{"a":[1]}"#);
        check(json!(null), json!(null), "null");
    }
}
