//! An app as Okta shows it, and as it is sent.

use dtu_contract::{backing::Backed as _, generic::refusal::Refused, validate::Sent};
use dtu_kernel::twin::Scene;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Links, org_shape, stamp};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        app::{App, Mode, Wish},
        app_secrets::Secret,
    },
    provisioning::settings,
    resources::reading,
};

/// An app, with links below `origin`. Its client secret is shown only where the app has just been made or changed.
pub(super) fn body(state: &State, app: &App, origin: &str, secret: Option<&Secret>) -> Value {
    let parts = &app.parts;
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put("id", json!(app.id));
    put("orn", json!(format!("orn:okta:idp:{}:apps:{}:{}", state.apps.org, app.name, app.id)));
    put("name", json!(app.name));
    put("label", json!(app.label));
    put("status", json!(app.status()));
    put("lastUpdated", json!(stamp(app.last_updated)));
    put("created", json!(stamp(app.created)));
    put("accessibility", parts.accessibility.clone());
    put("visibility", parts.visibility.clone());
    put("features", json!(settings::features(state, app)));
    put("signOnMode", json!(app.mode));
    put("credentials", credentials(app, secret));
    put("universalLogout", parts.universal_logout.clone());
    put("settings", parts.settings.clone());
    for (name, value) in [("profile", &parts.profile), ("licensing", &parts.licensing)] {
        if !value.is_null() {
            put(name, value.clone());
        }
    }
    put("_links", Value::Object(links(app, origin)));
    org_shape::fit(&state.kind, &mut body);
    Value::Object(body)
}

fn credentials(app: &App, secret: Option<&Secret>) -> Value {
    let mut credentials = app.parts.credentials.clone();
    if !app.kid.is_empty() {
        credentials["signing"] = json!({ "kid": app.kid });
    }
    if let Some(own) = credentials.get_mut("oauthClient").and_then(Value::as_object_mut) {
        let mut client = Map::new();
        client.insert("autoKeyRotation".to_owned(), own["autoKeyRotation"].clone());
        client.insert("client_id".to_owned(), json!(app.client));
        if let Some(secret) = secret {
            client.insert("client_secret".to_owned(), json!(secret.value));
        }
        let rest = own.iter().filter(|(name, _)| *name != "autoKeyRotation");
        client.extend(rest.map(|(name, value)| (name.clone(), value.clone())));
        *own = client;
    }
    credentials
}

/// Pictures of Okta's own app definitions lie where pictures lie.
fn logo(app: &App, origin: &str) -> String {
    if !app.logo.is_empty() {
        return format!("{origin}/fs/bcg/4/{}", app.logo);
    }
    let picture = if app.name == "bookmark" { "bookmark-app" } else { "default" };
    format!("{origin}/assets/img/logos/{picture}.png")
}

/// The addresses of an app's tiles, by name.
pub(super) fn tiles<'a>(app: &'a App, origin: &'a str) -> impl Iterator<Item = (&'a String, String)> {
    let tiles = app.parts.visibility["appLinks"].as_object().into_iter().flatten();
    let shown = tiles.filter(|(_, shown)| **shown == true);
    shown.map(move |(name, _)| (name, format!("{origin}/home/{}/{}/{}", app.name, app.id, app.link)))
}

fn links(app: &App, origin: &str) -> Map<String, Value> {
    let own = format!("{origin}/api/v1/apps/{}", app.id);
    let policy = |id: &SmolStr| format!("{origin}/api/v1/policies/{id}");
    let mut links = Links::new();
    if app.mode == Mode::Saml20 {
        let help = format!("{origin}/app/{}/{}/setup/help/SAML_2_0/external-doc", app.name, app.id);
        links.0.insert("help".to_owned(), json!({ "href": help, "type": "text/html" }));
        let metadata = json!({ "href": format!("{own}/sso/saml/metadata"), "type": "application/xml" });
        links.0.insert("metadata".to_owned(), metadata);
    }
    links = links.hint("uploadLogo", format!("{own}/logo"), &["POST"]);
    let tile = |(name, href)| json!({ "name": name, "href": href, "type": "text/html" });
    links.0.insert("appLinks".to_owned(), tiles(app, origin).map(tile).collect());
    links = links.to("profileEnrollment", policy(&app.enrollment));
    if !app.active {
        links = links.to("activate", format!("{own}/lifecycle/activate"));
    }
    links = links.hint("policies", format!("{own}/policies"), &["PUT"]).to("groups", format!("{own}/groups"));
    let picture = json!([{ "name": "medium", "href": logo(app, origin), "type": "image/png" }]);
    links.0.insert("logo".to_owned(), picture);
    if app.mode == Mode::OpenIdConnect {
        let secrets = json!([{ "name": "secrets", "href": format!("{own}/credentials/secrets") }]);
        links.0.insert("clientCredentials".to_owned(), secrets);
    }
    links = links.to("accessPolicy", policy(&app.policy)).to("users", format!("{own}/users"));
    if app.active {
        links = links.to("deactivate", format!("{own}/lifecycle/deactivate"));
    }
    links.0
}

/// An app's address of its picture.
pub(super) fn picture(app: &App, origin: &str) -> String {
    logo(app, origin)
}

/// Reads an app that was sent. What follows from the rest may be left out, as recorded: the way in from the
/// definition's name, and credentials of OAuth clients. The rest must be as the public document has it.
pub(super) fn wish(scene: &Scene<'_>, body: Map<String, Value>, before: Option<&App>) -> Result<Wish, Error> {
    let mut body = body;
    let text = |body: &Map<String, Value>, member: &str| body.get(member).and_then(Value::as_str).map(SmolStr::new);
    let named = match before {
        // What an app is called cannot be changed: what is sent is passed over.
        Some(app) => app.name.clone(),
        None => text(&body, "name").unwrap_or_default(),
    };
    if !body.contains_key("signOnMode") {
        let known = before.map(|app| app.mode).or_else(|| Mode::of_definition(&named));
        body.extend(known.map(|mode| ("signOnMode".to_owned(), json!(mode))));
    }
    let mode: Option<Mode> = body.get("signOnMode").and_then(|mode| serde_json::from_value(mode.clone()).ok());
    let mut complete = body.clone();
    if mode == Some(Mode::OpenIdConnect) {
        complete.entry("credentials").or_insert_with(|| json!({}));
        complete.entry("name").or_insert_with(|| json!("oidc_client"));
    }
    if let Some(app) = before {
        complete.insert("name".to_owned(), json!(app.name));
    }
    if let Some(mode) = mode.filter(|mode| !is_documented(*mode, &named)) {
        stand_in(mode, &mut complete);
    }
    fits(scene, &given(&Value::Object(complete)))?;
    let mode = mode.ok_or_else(|| Error::fields(&[("signOnMode", "The field cannot be left blank")]))?;
    let name = if mode == Mode::OpenIdConnect && named.is_empty() { "oidc_client".into() } else { named };
    Ok(Wish { mode, name, label: text(&body, "label").unwrap_or_default(), body })
}

/// Whether the public document's schema for a mode is about this definition. It knows one of each mode, whose settings
/// others have not: those of Okta's catalogue and the form with a third field (recorded).
fn is_documented(mode: Mode, name: &str) -> bool {
    name.is_empty()
        || match mode {
            Mode::BrowserPlugin => name == "template_swa",
            Mode::BasicAuth | Mode::SecurePasswordStore | Mode::WsFederation | Mode::Bookmark => {
                Mode::of_definition(name) == Some(mode)
            }
            Mode::AutoLogin | Mode::Saml11 | Mode::Saml20 => false,
            Mode::OpenIdConnect => true,
        }
}

/// Gives a body the name and the members that the public document asks for and apps of other definitions have not.
fn stand_in(mode: Mode, body: &mut Map<String, Value>) {
    let (name, part, members): (&str, &str, &[&str]) = match mode {
        Mode::BrowserPlugin => ("template_swa", "app", &["buttonField", "passwordField", "usernameField", "url"]),
        Mode::BasicAuth => ("template_basic_auth", "app", &["authURL", "url"]),
        Mode::SecurePasswordStore => ("template_sps", "app", &["passwordField", "usernameField", "url"]),
        Mode::AutoLogin => ("", "signOn", &["loginUrl"]),
        _ => return,
    };
    if !name.is_empty() {
        body.insert("name".to_owned(), name.into());
    }
    let settings = body.entry("settings").or_insert_with(|| json!({}));
    let Some(settings) = settings.as_object_mut() else { return };
    let Some(part) = settings.entry(part).or_insert_with(|| json!({})).as_object_mut() else { return };
    for member in members {
        part.entry(*member).or_insert_with(|| json!(""));
    }
}

/// A value without members that are null: what Okta shows can be sent back, and null says nothing.
fn given(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let said = members.iter().filter(|(_, member)| !member.is_null());
            Value::Object(said.map(|(name, member)| (name.clone(), given(member))).collect())
        }
        other => other.clone(),
    }
}

/// Checks a body against the public document.
pub(super) fn fits<B: serde::Serialize + ?Sized>(scene: &Scene<'_>, body: &B) -> Result<(), Error> {
    let Some(place) = Okta.backing().find(scene.operation) else { return Ok(()) };
    let bytes = serde_json::to_vec(body).map_err(|_| Error::Malformed)?;
    let sent = Sent { body: &bytes, media_type: "application/json".to_owned(), ..Sent::of(scene.request) };
    let refuse = |refused: Refused| Okta::refuse(scene.operation, refused);
    reading::read(place, &sent).map(drop).map_err(refuse)
}
